/* SPDX-License-Identifier: MIT
 * give: the side of the job files that has them. It names what there is, compares what the taker
 * has, and sends what that wants; a file has been given when the taker says so.
 *
 *     NAMED -> ASKED -> TOLD                     the taker has one: is it the same?
 *     NAMED -> WANTED -> SENDING -> SENT         in the order of WANT, on whichever lane is idle
 *
 * An entry is in the table until it is settled, and in memory until no lane has it. Spec 10,
 * "Files". */
#include "tools/common/say.h"
#include "tools/sttcat/entries.h"
#include "tools/sttcat/lanes.h"
#include "tools/sttcat/outcomes.h"
#include "tools/sttcat/tree.h"
#include "tools/sttcat/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAMED_A_TURN = 64, QUEUED_BYTES_MAX = 65536, ENTRY_FIXED_BYTES = 64 };

enum state { NAMED, ASKED, TOLD_SAME, TOLD_OTHER, WANTED, SENDING, SENT_WHOLE, SENT_IN_PART };

struct given {
    struct entry entry; /* first */
    struct stt_list queue;
    enum state state;
    bool is_settled;
    uint8_t kind;
    int error; /* why it could not be read */
    uint64_t bytes, offset;
    struct wire_hash hash;
    struct tree_file file;
    size_t name_len;
    uint8_t name[];
};

struct give {
    struct peer *peer;
    struct lanes lanes;
    struct tree *tree;
    struct entries entries;
    struct stt_list wanted, asked;
    struct writer writers[WIRE_LANES_MAX];
    struct given *on_lane[WIRE_LANES_MAX];
    struct given *compared; /* with `content` */
    struct content content;
    uint64_t n_named, bytes_expected;
    bool is_listed, is_finished;
    bool has_skipped; /* what the taker has never heard of */
};

static struct bytes name_of(const struct given *g)
{
    return bytes_of(g->name, g->name_len);
}

static void given_free(struct given *g)
{
    tree_file_release(&g->file);
    stt_list_remove(&g->queue);
    free(g);
}

static void expect(struct give *job, uint64_t more, uint64_t less)
{
    job->bytes_expected += more - less;
    if (job->is_listed)
        peer_expect(job->peer, job->bytes_expected);
}

/* -- naming -- */

static struct given *given_new(struct give *job, const struct tree_entry *e)
{
    struct given *g = calloc(1, sizeof *g + e->name.len);
    if (!g)
        return NULL;
    g->entry.index = job->n_named++;
    g->kind = e->kind;
    g->bytes = e->bytes;
    g->file = e->file;
    g->name_len = e->name.len;
    memcpy(g->name, e->name.data, e->name.len);
    entries_add(&job->entries, &g->entry);
    expect(job, g->bytes, 0);
    return g;
}

static void name_entry(struct give *job, struct tree_entry *e)
{
    if (e->name.len + e->target.len + ENTRY_FIXED_BYTES > WIRE_MESSAGE_MAX) {
        say_error("a link is not sent: its name and where it leads are too long together");
        job->has_skipped = true;
        return;
    }
    const struct given *g = given_new(job, e);
    if (!g) {
        tree_file_release(&e->file);
        peer_fail(job->peer, EXIT_LOCAL_IO, CODE_INPUT, "there is no memory left");
        return;
    }
    peer_send(job->peer, &(struct wire_message){
                             .type = WIRE_ENTRY,
                             .index = g->entry.index,
                             .kind = e->kind,
                             .mode = e->mode,
                             .modified_ns = e->modified_ns,
                             .bytes = e->bytes,
                             .name = e->name,
                             .target = e->target,
                         });
}

static void end_list(struct give *job)
{
    job->is_listed = true;
    expect(job, 0, 0);
    peer_send(job->peer, &(struct wire_message){.type = WIRE_LIST_END, .bytes = job->n_named});
}

static bool name_one(struct give *job)
{
    struct tree_entry e;
    char why[TREE_WHY_ROOM];
    switch (tree_next(job->tree, &e, why)) {
    case TREE_ENTRY:
        name_entry(job, &e);
        return true;
    case TREE_SKIPPED:
        say_error("%s", why);
        job->has_skipped = true;
        return true;
    case TREE_FULL:
        return false;
    case TREE_END:
        end_list(job);
        return true;
    }
    return false;
}

static bool name_some(struct give *job)
{
    int n = 0;
    while (n < NAMED_A_TURN && !job->is_listed && job->entries.n < WIRE_UNSETTLED_MAX &&
           peer_queued_bytes(job->peer) < QUEUED_BYTES_MAX && name_one(job))
        n++;
    return n > 0;
}

/* -- comparing -- */

static int open_file(struct given *g)
{
    int fd = tree_file_open(&g->file, name_of(g));
    if (fd < 0)
        g->error = errno;
    return fd;
}

static bool is_unchanged(void *ctx, int fd)
{
    struct given *g = ctx;
    bool unchanged = tree_file_is_unchanged(&g->file, fd);
    if (!unchanged)
        g->error = ESTALE;
    return unchanged;
}

static void begin_comparing(struct give *job)
{
    struct stt_list *link = stt_list_pop_front(&job->asked);
    struct given *g = STT_LIST_ENTRY(link, struct given, queue);
    int fd = open_file(g);
    job->compared = g;
    if (!content_begin(&job->content, fd, g->bytes))
        peer_fail(job->peer, EXIT_LOCAL_IO, CODE_INPUT, "there is no memory left");
    job->content.is_broken = fd < 0;
}

static void stop_comparing(struct give *job)
{
    if (job->compared && job->content.fd >= 0)
        close(job->content.fd);
    content_end(&job->content);
    job->compared = NULL;
}

static void end_comparing(struct give *job)
{
    struct content *s = &job->content;
    struct given *g = job->compared;
    struct wire_hash hash = hash_value(s->hash);
    bool is_same =
        !s->is_broken && s->at == g->bytes && hash_equal(&hash, &g->hash) && is_unchanged(g, s->fd);
    stop_comparing(job);
    if (g->is_settled) {
        given_free(g);
        return;
    }
    g->state = is_same ? TOLD_SAME : TOLD_OTHER;
    peer_send(job->peer, &(struct wire_message){
                             .type = WIRE_SAME, .index = g->entry.index, .is_same = is_same});
}

static bool compare_some(struct give *job)
{
    size_t done = 0;
    while (done < CONTENT_SLICE) {
        if (!job->compared && stt_list_is_empty(&job->asked))
            break;
        if (!job->compared)
            begin_comparing(job);
        struct content *s = &job->content;
        if (!s->hash)
            break; /* it has failed */
        done += content_skim(s, s->bytes, CONTENT_SLICE - done) + 1;
        if (s->at == s->bytes || s->is_broken || job->compared->is_settled)
            end_comparing(job);
    }
    return done > 0;
}

/* -- sending -- */

static void begin_sending(struct give *job, uint32_t lane)
{
    struct stt_list *link = stt_list_pop_front(&job->wanted);
    struct given *g = STT_LIST_ENTRY(link, struct given, queue);
    struct writer *w = &job->writers[lane];
    w->peer = job->peer;
    w->stream = job->lanes.streams[lane];
    g->state = SENDING;
    job->on_lane[lane] = g;
    if (!writer_begin(w, &(struct writer_file){
                             .fd = open_file(g),
                             .index = g->entry.index,
                             .bytes = g->bytes,
                             .offset = g->offset,
                             .hash = g->hash,
                             .is_unchanged = is_unchanged,
                             .ctx = g,
                         }))
        peer_fail(job->peer, EXIT_LOCAL_IO, CODE_INPUT, "there is no memory left");
}

static void end_sending(struct give *job, uint32_t lane)
{
    struct given *g = job->on_lane[lane];
    job->on_lane[lane] = NULL;
    g->state = job->writers[lane].is_whole ? SENT_WHOLE : SENT_IN_PART;
    if (!g->error && job->writers[lane].content.error)
        g->error = job->writers[lane].content.error;
    if (g->is_settled)
        given_free(g);
}

static bool send_on_lane(struct give *job, uint32_t lane)
{
    bool is_busy = false;
    for (int files = 0; files < NAMED_A_TURN; files++) {
        struct writer *w = &job->writers[lane];
        if (!job->on_lane[lane] && stt_list_is_empty(&job->wanted))
            return is_busy;
        if (!job->on_lane[lane])
            begin_sending(job, lane);
        if (!writer_turn(w))
            return is_busy;
        is_busy = true;
        if (w->phase != WRITER_IDLE)
            return true;
        end_sending(job, lane);
    }
    return true;
}

static bool send_some(struct give *job)
{
    bool is_busy = false;
    for (uint32_t lane = 0; lane < job->lanes.n; lane++)
        is_busy |= send_on_lane(job, lane);
    return is_busy;
}

/* -- what the taker says -- */

static bool on_want(struct give *job, struct given *g, const struct wire_message *m)
{
    if (g->kind != ENTRY_FILE || g->state != NAMED)
        return false;
    g->state = WANTED;
    g->offset = m->bytes;
    g->hash = m->hash;
    stt_list_push_back(&job->wanted, &g->queue);
    expect(job, 0, m->bytes < g->bytes ? m->bytes : g->bytes);
    return true;
}

static bool on_have(struct give *job, struct given *g, const struct wire_message *m)
{
    if (g->kind != ENTRY_FILE || g->state != NAMED)
        return false;
    g->state = ASKED;
    g->hash = m->hash;
    if (m->bytes != g->bytes)
        memset(&g->hash, 0, sizeof g->hash);
    stt_list_push_back(&job->asked, &g->queue);
    expect(job, 0, g->bytes);
    return true;
}

static void call_off(struct give *job, struct given *g)
{
    for (uint32_t lane = 0; lane < job->lanes.n; lane++)
        if (job->on_lane[lane] == g)
            writer_call_off(&job->writers[lane]);
}

static void tell(struct give *job, const struct given *g, const struct wire_message *m)
{
    char why[WIRE_TEXT_MAX + 1];
    snprintf(why, sizeof why, "%.*s", (int)m->text.len,
             m->text.len ? (const char *)m->text.data : "");
    bool is_ours = m->outcome == OUTCOME_INPUT;
    const char *reason = !is_ours             ? why
                         : g->error == ESTALE ? "it changed while it was read"
                         : g->error           ? strerror(g->error)
                                              : "it became shorter while it was read";
    outcome_tell(job->peer, &(struct outcome){
                                .is = m->outcome,
                                .is_here = is_ours,
                                .kind = g->kind,
                                .name = name_of(g),
                                .bytes = g->bytes,
                                .why = reason,
                            });
}

static bool on_settled(struct give *job, struct given *g, const struct wire_message *m)
{
    bool can_be_done = g->kind != ENTRY_FILE || g->state == SENT_WHOLE || g->state == TOLD_SAME;
    if (m->outcome == OUTCOME_DONE && !can_be_done)
        return false;
    tell(job, g, m);
    if (g->kind == ENTRY_FILE && g->state == NAMED)
        expect(job, 0, g->bytes);
    entries_remove(&job->entries, &g->entry);
    g->is_settled = true;
    if (g->state == SENDING)
        call_off(job, g);
    else if (g != job->compared)
        given_free(g);
    return true;
}

static bool on_message(void *ctx, const struct wire_message *m)
{
    struct give *job = ctx;
    if (m->type == WIRE_DONE)
        return job->is_listed && !job->entries.n;
    struct entry *entry = entries_find(&job->entries, m->index);
    if (!entry)
        return false;
    struct given *g = (struct given *)(void *)entry;
    switch (m->type) {
    case WIRE_WANT:
        return on_want(job, g, m);
    case WIRE_HAVE:
        return on_have(job, g, m);
    case WIRE_SETTLED:
        return on_settled(job, g, m);
    default:
        return false;
    }
}

/* -- the job -- */

static void *begin(struct peer *p)
{
    struct give *job = calloc(1, sizeof *job);
    const struct option_texts *paths = &p->plan->flags.send;
    if (!job)
        return NULL;
    job->peer = p;
    job->tree = tree_new(paths->at, paths->n);
    if (!job->tree) {
        free(job);
        return NULL;
    }
    entries_init(&job->entries);
    stt_list_init(&job->wanted);
    stt_list_init(&job->asked);
    lanes_begin(&job->lanes, p, p->plan->lanes);
    return job;
}

static void end(void *ctx)
{
    struct give *job = ctx;
    struct given *compared = job->compared;
    stop_comparing(job);
    if (compared && compared->is_settled)
        given_free(compared);
    for (uint32_t lane = 0; lane < WIRE_LANES_MAX; lane++) {
        writer_end(&job->writers[lane]);
        if (job->on_lane[lane] && job->on_lane[lane]->is_settled)
            given_free(job->on_lane[lane]);
    }
    while (!stt_list_is_empty(&job->entries.order)) {
        struct stt_list *link = job->entries.order.next;
        struct given *g = (struct given *)(void *)STT_LIST_ENTRY(link, struct entry, order);
        entries_remove(&job->entries, &g->entry);
        given_free(g);
    }
    tree_free(job->tree);
    free(job);
}

static bool on_stream(void *ctx, const struct stt_stream_event *event)
{
    (void)ctx;
    return !(event->what & (STT_STREAM_OPENED | STT_STREAM_STOPPED | STT_STREAM_RESET));
}

/* The taker has all that was named; nobody says that it is all there was. */
static void finish(struct give *job)
{
    job->is_finished = true;
    lanes_finish(&job->lanes);
    if (job->has_skipped)
        peer_fail(job->peer, EXIT_PARTIAL, CODE_PARTIAL, "some of what there is was not sent");
}

static bool turn(void *ctx)
{
    struct give *job = ctx;
    bool is_busy = false;
    if (!lanes_open(&job->lanes))
        return false;
    is_busy |= name_some(job);
    is_busy |= compare_some(job);
    if (lanes_are_open(&job->lanes))
        is_busy |= send_some(job);
    if (job->is_listed && !job->entries.n && !job->is_finished && lanes_are_open(&job->lanes)) {
        for (uint32_t lane = 0; lane < job->lanes.n; lane++)
            if (job->on_lane[lane])
                return is_busy; /* its record ends first */
        finish(job);
        return true;
    }
    return is_busy;
}

static bool is_settled(const void *ctx)
{
    const struct give *job = ctx;
    return job->is_finished;
}

const struct job files_give_job = {begin, end, on_message, on_stream, turn, is_settled};
