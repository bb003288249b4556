/* SPDX-License-Identifier: MIT
 * take: the side of the job files that gets them. It makes what is named, looks at what is there,
 * and wants the rest; what it has said it has.
 *
 *     NEW -> LOOKING -> ASKED                     a file is there: is it the same?
 *     NEW -> LOOKING -> WANTED -> ARRIVING        none is, or a part of an earlier try
 *     NEW -> ENDING                               a directory's end, until all before it are
 * settled
 *
 * Entries are looked at one after the other, in their order; LOOKING hashes what is there, slice by
 * slice. At most OPEN_MAX files are open. A disk that is at its end is the end of the job. Spec 10,
 * "Files". */
#include "tools/common/say.h"
#include "tools/sttcat/content.h"
#include "tools/sttcat/entries.h"
#include "tools/sttcat/lanes.h"
#include "tools/sttcat/outcomes.h"
#include "tools/sttcat/place.h"
#include "tools/sttcat/reader.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPEN_MAX = 64, QUEUED_BYTES_MAX = 65536, LOOKED_AT_A_TURN = 64 };

enum state { NEW, LOOKING, ASKED, WANTED, ARRIVING };

struct taken {
    struct entry entry; /* first */
    struct stt_list queue;
    enum state state;
    uint8_t kind;
    uint16_t mode;
    int64_t modified_ns;
    uint64_t bytes;
    struct place_file file;
    struct content content; /* over what is there, and its hash goes on with what comes */
    struct bytes name, target;
    uint8_t texts[];
};

struct lane {
    struct reader reader;
    struct taken *file; /* NULL: what comes is of no use */
    bool is_in_record;
    bool is_over;
    uint64_t zeros_left; /* to be hashed */
};

struct take {
    struct peer *peer;
    struct lanes lanes;
    struct place place;
    struct entries entries;
    struct stt_list news; /* not looked at */
    struct taken *looking;
    struct lane of[WIRE_LANES_MAX];
    uint32_t n_open, n_wanted, n_over; /* files; of those, wanted; lanes */
    uint64_t n_named, bytes_expected;
    bool is_listed;
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void expect(struct take *job, uint64_t more, uint64_t less)
{
    job->bytes_expected += more - less;
    if (job->is_listed)
        peer_expect(job->peer, job->bytes_expected);
}

/* -- settling -- */

static void taken_free(struct take *job, struct taken *t, bool is_useless)
{
    if (t->state != NEW && t->kind == ENTRY_FILE) {
        job->n_open--;
        job->n_wanted -= t->state >= WANTED;
        place_file_close(&t->file, is_useless);
    }
    content_end(&t->content);
    stt_list_remove(&t->queue);
    free(t);
}

static void settle(struct take *job, struct taken *t, enum wire_outcome outcome)
{
    const char *why =
        outcome && outcome != OUTCOME_INTEGRITY && outcome != OUTCOME_INPUT ? job->place.why : "";
    outcome_tell(job->peer, &(struct outcome){
                                .is = outcome,
                                .is_here = outcome != OUTCOME_INPUT,
                                .kind = t->kind,
                                .name = t->name,
                                .bytes = t->bytes,
                                .why = why,
                            });
    peer_send(job->peer, &(struct wire_message){
                             .type = WIRE_SETTLED,
                             .index = t->entry.index,
                             .outcome = (uint8_t)outcome,
                             .text = bytes_of(why, strlen(why)),
                         });
    if (why[0] && place_is_hopeless(&job->place))
        peer_fail(job->peer, EXIT_LOCAL_IO, CODE_OUTPUT,
                  "what comes cannot be written: %s; make room and do the same again to go on",
                  why);
    entries_remove(&job->entries, &t->entry);
    taken_free(job, t, outcome == OUTCOME_INTEGRITY || outcome == OUTCOME_EXISTS);
}

/* -- looking -- */

static void end_looking(struct take *job, struct taken *t)
{
    bool is_there = t->file.is_there;
    job->looking = NULL;
    if (t->content.is_broken) { /* a part that cannot be read is begun anew */
        content_rewind(&t->content);
        if (is_there || place_file_restart(&job->place, &t->file)) {
            settle(job, t, is_there ? OUTCOME_EXISTS : OUTCOME_OUTPUT);
            return;
        }
    }
    t->state = is_there ? ASKED : WANTED;
    job->n_wanted += !is_there;
    expect(job, 0, is_there ? t->bytes : t->content.at);
    peer_send(job->peer, &(struct wire_message){
                             .type = is_there ? WIRE_HAVE : WIRE_WANT,
                             .index = t->entry.index,
                             .bytes = t->content.at,
                             .hash = hash_value(t->content.hash),
                         });
}

static void begin_looking(struct take *job, struct taken *t)
{
    enum wire_outcome outcome = place_file_open(&job->place, t->name, &t->file);
    if (outcome) {
        settle(job, t, outcome);
        return;
    }
    job->n_open++;
    t->state = LOOKING;
    if (t->file.is_there && t->file.bytes != t->bytes) {
        snprintf(job->place.why, sizeof job->place.why, "of another size");
        settle(job, t, OUTCOME_EXISTS);
        return;
    }
    if (t->file.bytes > t->bytes && place_file_restart(&job->place, &t->file)) {
        settle(job, t, OUTCOME_OUTPUT);
        return;
    }
    if (!content_begin(&t->content, t->file.fd, t->file.bytes)) {
        peer_fail(job->peer, EXIT_LOCAL_IO, CODE_OUTPUT, "there is no memory left");
        return;
    }
    job->looking = t;
}

static void look_at(struct take *job, struct taken *t)
{
    switch (t->kind) {
    case ENTRY_FILE:
        begin_looking(job, t);
        break;
    case ENTRY_DIRECTORY:
        settle(job, t, place_directory(&job->place, t->name));
        break;
    case ENTRY_LINK:
        settle(job, t, place_link(&job->place, t->name, t->target, t->modified_ns));
        break;
    default:
        break; /* it waits for those before it */
    }
}

static size_t look_once(struct take *job, size_t work)
{
    struct taken *t = job->looking;
    if (t) {
        size_t done = content_skim(&t->content, t->content.bytes, work);
        if (t->content.at == t->content.bytes || t->content.is_broken)
            end_looking(job, t);
        return done + 1;
    }
    if (stt_list_is_empty(&job->news) || job->n_open >= OPEN_MAX)
        return 0;
    look_at(job, STT_LIST_ENTRY(stt_list_pop_front(&job->news), struct taken, queue));
    return 1;
}

static bool look_on(struct take *job)
{
    size_t done = 0, n = 1;
    for (int i = 0; n && done < CONTENT_SLICE && i < LOOKED_AT_A_TURN; i++) {
        if (peer_queued_bytes(job->peer) >= QUEUED_BYTES_MAX)
            break;
        n = look_once(job, CONTENT_SLICE - done);
        done += n;
    }
    return done > 0;
}

/* -- ends of directories -- */

static bool end_directories(struct take *job)
{
    bool is_busy = false;
    while (!stt_list_is_empty(&job->entries.order)) {
        struct stt_list *link = job->entries.order.next;
        struct taken *t = (struct taken *)(void *)STT_LIST_ENTRY(link, struct entry, order);
        if (t->kind != ENTRY_DIRECTORY_END || peer_queued_bytes(job->peer) >= QUEUED_BYTES_MAX)
            break;
        settle(job, t, place_directory_end(&job->place, t->name, t->mode, t->modified_ns));
        is_busy = true;
    }
    return is_busy;
}

/* -- arriving -- */

static bool begin_record(struct take *job, struct lane *lane)
{
    const struct reader *r = &lane->reader;
    struct entry *entry = entries_find(&job->entries, r->index);
    struct taken *t = (struct taken *)(void *)entry;
    if (!t || t->state != WANTED || (r->bytes && r->bytes != t->file.bytes))
        return false;
    t->state = ARRIVING;
    lane->file = t;
    lane->is_in_record = true;
    if (r->bytes == t->file.bytes)
        return true;
    expect(job, t->file.bytes, 0);
    content_rewind(&t->content);
    if (place_file_restart(&job->place, &t->file)) {
        settle(job, t, OUTCOME_OUTPUT);
        lane->file = NULL;
    }
    return true;
}

static void lose_file(struct take *job, struct lane *lane, enum wire_outcome outcome)
{
    struct taken *t = lane->file;
    lane->file = NULL;
    lane->zeros_left = 0;
    settle(job, t, outcome);
}

static bool has_room_for(const struct lane *lane)
{
    const struct taken *t = lane->file;
    const struct reader *r = &lane->reader;
    uint64_t room = t ? t->bytes - t->file.bytes : 0;
    return !t || (r->bytes <= room && r->run_left <= room - r->bytes);
}

static bool take_data(struct take *job, struct lane *lane)
{
    struct reader *r = &lane->reader;
    struct taken *t = lane->file;
    if (!has_room_for(lane))
        return false;
    peer_count_taken(job->peer, r->bytes);
    if (!t)
        return true;
    hash_add_parts(t->content.hash, r->parts, r->bytes);
    enum wire_outcome outcome = place_file_write(&job->place, &t->file, r->parts, r->n_parts);
    if (outcome)
        lose_file(job, lane, outcome);
    return true;
}

static bool take_hole(struct take *job, struct lane *lane)
{
    struct taken *t = lane->file;
    if (!has_room_for(lane))
        return false;
    if (!t)
        return true;
    lane->zeros_left = lane->reader.bytes;
    enum wire_outcome outcome = place_file_hole(&job->place, &t->file, lane->reader.bytes);
    if (outcome)
        lose_file(job, lane, outcome);
    return true;
}

static size_t hash_zeros(struct lane *lane, size_t work)
{
    uint64_t len = least(lane->zeros_left, (uint64_t)work * CONTENT_ZEROS_FACTOR);
    hash_add_zeros(lane->file->content.hash, len);
    lane->zeros_left -= len;
    return (size_t)(len / CONTENT_ZEROS_FACTOR) + 1;
}

static enum wire_outcome judge(struct take *job, struct taken *t, const struct reader *r)
{
    struct wire_hash hash = hash_value(t->content.hash);
    if (!r->is_whole)
        return OUTCOME_INPUT;
    if (r->bytes != t->bytes || r->bytes != t->file.bytes || !hash_equal(&hash, &r->hash))
        return OUTCOME_INTEGRITY;
    return place_file_keep(&job->place, &t->file, t->mode, t->modified_ns);
}

static void end_record(struct take *job, struct lane *lane)
{
    struct taken *t = lane->file;
    lane->file = NULL;
    lane->is_in_record = false;
    if (t)
        settle(job, t, judge(job, t, &lane->reader));
}

/* How much work it was; 0: nothing to do, or the session is over. */
static size_t lane_step(struct take *job, struct lane *lane, size_t work)
{
    bool can_be = true;
    if (lane->zeros_left)
        return hash_zeros(lane, work);
    enum reader_step step = reader_next(&lane->reader);
    size_t done = 1;
    switch (step) {
    case READER_OVER:
        job->n_over += !lane->is_over;
        lane->is_over = true;
        return 0;
    case READER_WAITS:
        return 0;
    case READER_BEGIN:
        can_be = begin_record(job, lane);
        break;
    case READER_DATA:
        done = (size_t)lane->reader.bytes;
        can_be = take_data(job, lane);
        break;
    case READER_HOLE:
        can_be = take_hole(job, lane);
        break;
    case READER_END:
        end_record(job, lane);
        break;
    case READER_BAD:
        can_be = false;
        break;
    }
    if (!can_be)
        peer_fail(job->peer, EXIT_NETWORK, CODE_PROTOCOL, "it sent a record that cannot be");
    return can_be ? done : 0;
}

static bool receive_some(struct take *job)
{
    size_t all = 0;
    for (uint32_t i = 0; i < job->lanes.n; i++) {
        struct lane *lane = &job->of[i];
        size_t done = 0, n = 1;
        lane->reader.peer = job->peer;
        lane->reader.stream = job->lanes.streams[i];
        while (lane->reader.stream && n && done < CONTENT_SLICE &&
               peer_queued_bytes(job->peer) < QUEUED_BYTES_MAX) {
            n = lane_step(job, lane, CONTENT_SLICE - done);
            done += n;
        }
        all += done;
    }
    if (job->n_wanted && job->n_over && job->n_over == job->lanes.n)
        peer_fail(job->peer, EXIT_NETWORK, CODE_PROTOCOL, "it ended before it sent everything");
    return all > 0;
}

/* -- what the giver says -- */

static bool on_entry(struct take *job, const struct wire_message *m)
{
    if (job->is_listed || m->index != job->n_named || job->entries.n >= WIRE_UNSETTLED_MAX)
        return false;
    struct taken *t = calloc(1, sizeof *t + m->name.len + m->target.len);
    if (!t) {
        peer_fail(job->peer, EXIT_LOCAL_IO, CODE_OUTPUT, "there is no memory left");
        return true;
    }
    job->n_named++;
    t->entry.index = m->index;
    t->kind = m->kind;
    t->mode = m->mode;
    t->modified_ns = m->modified_ns;
    t->bytes = m->bytes;
    t->file = (struct place_file){.dir = -1, .fd = -1};
    t->name = bytes_of(memcpy(t->texts, m->name.data, m->name.len), m->name.len);
    t->target = bytes_of(t->texts + m->name.len, m->target.len);
    if (m->target.len)
        memcpy(t->texts + m->name.len, m->target.data, m->target.len);
    entries_add(&job->entries, &t->entry);
    stt_list_push_back(&job->news, &t->queue);
    expect(job, t->bytes, 0);
    return true;
}

static bool on_list_end(struct take *job, const struct wire_message *m)
{
    if (job->is_listed || m->bytes != job->n_named)
        return false;
    job->is_listed = true;
    expect(job, 0, 0);
    return true;
}

static bool on_same(struct take *job, const struct wire_message *m)
{
    struct taken *t = (struct taken *)(void *)entries_find(&job->entries, m->index);
    if (!t || t->state != ASKED)
        return false;
    if (m->is_same)
        place_file_accept(&t->file, t->mode);
    snprintf(job->place.why, sizeof job->place.why, "of other bytes");
    settle(job, t, m->is_same ? OUTCOME_DONE : OUTCOME_EXISTS);
    return true;
}

static bool is_settled(const void *ctx)
{
    const struct take *job = ctx;
    return job->is_listed && !job->entries.n;
}

static bool on_message(void *ctx, const struct wire_message *m)
{
    switch (m->type) {
    case WIRE_ENTRY:
        return on_entry(ctx, m);
    case WIRE_LIST_END:
        return on_list_end(ctx, m);
    case WIRE_SAME:
        return on_same(ctx, m);
    case WIRE_DONE:
        return is_settled(ctx);
    default:
        return false;
    }
}

/* -- the job -- */

static void *begin(struct peer *p)
{
    struct take *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->peer = p;
    entries_init(&job->entries);
    stt_list_init(&job->news);
    if (!place_open(&job->place, p->plan->flags.recv)) {
        char clean[256];
        peer_fail(p, EXIT_LOCAL_IO, CODE_OUTPUT, "%s cannot be opened: %s; name a directory",
                  say_clean(p->plan->flags.recv, clean, sizeof clean), job->place.why);
    }
    return job;
}

static void end(void *ctx)
{
    struct take *job = ctx;
    while (!stt_list_is_empty(&job->entries.order)) {
        struct stt_list *link = job->entries.order.next;
        struct taken *t = (struct taken *)(void *)STT_LIST_ENTRY(link, struct entry, order);
        entries_remove(&job->entries, &t->entry);
        taken_free(job, t, false);
    }
    place_close(&job->place);
    free(job);
}

static bool on_stream(void *ctx, const struct stt_stream_event *event)
{
    struct take *job = ctx;
    if (event->what & STT_STREAM_RESET)
        return false;
    if (!job->lanes.n)
        lanes_begin(&job->lanes, job->peer, job->peer->hello.lanes);
    return lanes_take(&job->lanes, event);
}

static bool turn(void *ctx)
{
    struct take *job = ctx;
    bool is_busy = look_on(job);
    is_busy |= receive_some(job);
    is_busy |= end_directories(job);
    return is_busy;
}

const struct job files_take_job = {begin, end, on_message, on_stream, turn, is_settled};
