/* SPDX-License-Identifier: MIT
 * fake_cat: a node with one session, whose messages are kept until somebody asks for them. */
#include "tests/support/fake_cat.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct stt_endpoint *endpoint(const struct fake_cat *f)
{
    return stt_node_endpoint(f->node);
}

static stt_ns now(const struct fake_cat *f)
{
    return stt_node_now(f->node);
}

/* -- begin and end ------------------------------------------------------------------------------
 */

static void wait_here(struct fake_cat *f)
{
    struct stt_address at;
    ck_assert_int_eq(stt_node_listen(f->node, "127.0.0.1:0", &at), STT_OK);
    f->port = at.port;
}

static void go_to(struct fake_cat *f, const char *to, const char *id)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    ck_assert_int_eq(stt_peer_id_decode(&connect.peer, id), STT_OK);
    ck_assert_int_eq(stt_node_connect(f->node, &connect, to, &f->session), STT_OK);
    f->goes = true;
}

bool fake_cat_begin(struct fake_cat *f, enum stt_io io, const char *to, const char *id)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    *f = (struct fake_cat){.node = NULL};
    config.io = io;
    strcpy(config.endpoint.application, "sttcat/1");
    config.endpoint.accept = STT_ACCEPT(STT_MODE_K);
    ck_assert_int_eq(stt_node_identity(&config, NULL), STT_OK);
    stt_peer_id_encode(&config.endpoint.identity.peer_id, f->id);
    int error = stt_node_new(&f->node, &config);
    if (error == STT_E_UNSUPPORTED)
        return false;
    ck_assert_int_eq(error, STT_OK);
    if (to)
        go_to(f, to, id);
    else
        wait_here(f);
    return true;
}

static void forget_first(struct fake_cat *f)
{
    struct fake_heard *h = f->heard;
    f->heard = h->next;
    free(h);
}

void fake_cat_end(struct fake_cat *f)
{
    while (f->heard)
        forget_first(f);
    free(f->current);
    stt_node_free(f->node);
}

struct job *fake_cat_meet(struct fake_cat *f, struct programs *p, bool goes, const char *words)
{
    enum stt_io io = strcmp(p->io, "uring") == 0 ? STT_IO_URING : STT_IO_MMSG;
    char to[64];
    if (!goes) {
        ck_assert(fake_cat_begin(f, io, NULL, NULL));
        return programs_start(p, "exec sttcat %s --peer %s 127.0.0.1:%u", words, f->id, f->port);
    }
    uint16_t port = programs_port();
    struct job *key = programs_run(p, "sttkey gen -o ../id");
    job_require(key, 0);
    key->out.text[strcspn(key->out.text, "\n")] = '\0';
    struct job *j = programs_start(p, "exec sttcat %s -I ../id -l 127.0.0.1 %u", words, port);
    job_line(j, "listening");
    snprintf(to, sizeof to, "127.0.0.1:%u", port);
    ck_assert(fake_cat_begin(f, io, to, key->out.text));
    return j;
}

/* -- what comes ---------------------------------------------------------------------------------
 */

static void read_control(struct fake_cat *f)
{
    struct stt_message_read read;
    struct fake_heard *h;
    for (;;) {
        ck_assert_ptr_nonnull(h = calloc(1, sizeof *h));
        if (stt_stream_read_message(endpoint(f), now(f), f->control, h->bytes, sizeof h->bytes,
                                    &read))
            break;
        ck_assert(read.is_whole && !read.skipped);
        ck_assert(wire_decode(&h->message, bytes_of(h->bytes, read.len)));
        if (!f->heard)
            f->heard = h;
        else
            f->last->next = h;
        f->last = h;
    }
    free(h);
}

static void read_lane(struct fake_cat *f, stt_handle stream)
{
    uint8_t bytes[1 << 14];
    struct stt_stream_info info;
    size_t n = 1;
    while (!f->is_deaf && n > 0 &&
           !stt_stream_read(endpoint(f), now(f), stream, bytes, sizeof bytes, &n)) {
        size_t room =
            f->lane_bytes < sizeof f->lane_head ? sizeof f->lane_head - (size_t)f->lane_bytes : 0;
        memcpy(f->lane_head + sizeof f->lane_head - room, bytes, n < room ? n : room);
        f->lane_bytes += n;
    }
    if (stt_stream_info(endpoint(f), stream, &info) == STT_OK && info.is_read_to_end)
        f->streams_ended++;
}

static void on_stream(struct fake_cat *f, const struct stt_stream_event *e)
{
    struct stt_stream_info info;
    if (!f->control && (e->what & STT_STREAM_OPENED) &&
        stt_stream_info(endpoint(f), e->stream, &info) == STT_OK && info.has_messages)
        f->control = e->stream;
    if (!(e->what & STT_STREAM_READABLE))
        return;
    if (e->stream == f->control)
        read_control(f);
    else
        read_lane(f, e->stream);
}

static void open_control(struct fake_cat *f)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    options.messages = true;
    options.no_delay = true;
    ck_assert_int_eq(stt_stream_open(endpoint(f), now(f), f->session, &options, &f->control),
                     STT_OK);
}

static void on_event(struct fake_cat *f, const struct stt_event *e)
{
    if (e->type == STT_EVENT_ACCEPTED)
        f->session = e->session;
    else if (e->type == STT_EVENT_CONNECTED)
        open_control(f);
    if (e->type != STT_EVENT_CLOSED || e->session != f->session || f->is_closed)
        return;
    f->is_closed = true;
    f->reason = e->reason;
    f->code = e->code;
    snprintf(f->text, sizeof f->text, "%s", e->text);
}

static bool pull(struct fake_cat *f)
{
    struct stt_stream_event stream;
    struct stt_event event;
    bool any = false;
    for (; stt_endpoint_stream_event(endpoint(f), &stream); any = true)
        on_stream(f, &stream);
    for (; stt_node_event(f->node, &event); any = true)
        on_event(f, &event);
    return any;
}

/* Streams before sessions: what was said last was said before the end. */
void fake_step(struct fake_cat *f, stt_ns most_ns)
{
    ck_assert_int_eq(stt_node_step(f->node), STT_OK);
    if (!pull(f))
        ck_assert_int_eq(stt_node_wait(f->node, most_ns), STT_OK);
    pull(f);
}

#define UNTIL(f, condition)                                                                        \
    for (stt_ns _until = now(f) + FAKE_PATIENCE_NS; !(condition) && !(f)->is_closed;               \
         fake_step(f, STT_MS(100)))                                                                \
    ck_assert_msg(now(f) < _until, "not within 10 s: %s", #condition)

/* -- what goes ----------------------------------------------------------------------------------
 */

void fake_say_bytes(struct fake_cat *f, const void *data, size_t len)
{
    size_t written;
    UNTIL(f, f->control);
    UNTIL(f, stt_stream_write(endpoint(f), now(f), f->control, data, len, &written) != STT_E_AGAIN);
}

void fake_say(struct fake_cat *f, const struct wire_message *m)
{
    uint8_t bytes[WIRE_MESSAGE_MAX];
    size_t len = wire_encode(m, bytes, sizeof bytes);
    ck_assert_uint_gt(len, 0);
    fake_say_bytes(f, bytes, len);
}

static bool next_is(struct fake_cat *f, enum wire_type type)
{
    while (f->heard && f->heard->message.type != type)
        forget_first(f);
    return f->heard;
}

const struct wire_message *fake_hear(struct fake_cat *f, enum wire_type type)
{
    UNTIL(f, next_is(f, type));
    if (!next_is(f, type))
        return NULL;
    free(f->current);
    f->current = f->heard;
    f->heard = f->heard->next;
    return &f->current->message;
}

stt_handle fake_open(struct fake_cat *f)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream = 0;
    UNTIL(f, f->control);
    UNTIL(f, stt_stream_open(endpoint(f), now(f), f->session, &options, &stream) != STT_E_LIMIT);
    return f->is_closed ? 0 : stream;
}

void fake_write(struct fake_cat *f, stt_handle stream, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    size_t written = 0, n;
    UNTIL(f, (written +=
              stt_stream_write(endpoint(f), now(f), stream, bytes + written, len - written, &n)
                  ? len - written
                  : n) == len);
}

void fake_finish(struct fake_cat *f, stt_handle stream)
{
    (void)stt_stream_finish(endpoint(f), now(f), stream);
}

bool fake_reads(struct fake_cat *f, uint64_t bytes)
{
    UNTIL(f, f->lane_bytes >= bytes);
    return f->lane_bytes >= bytes;
}

/* -- the end ------------------------------------------------------------------------------------
 */

void fake_wait_closed(struct fake_cat *f)
{
    UNTIL(f, false);
}

void fake_require_closed(struct fake_cat *f, uint64_t code)
{
    fake_wait_closed(f);
    ck_assert_msg(f->reason == STT_REASON_PEER_CLOSE && f->code == code,
                  "reason %d, code %llu, '%s'; it should be code %llu", (int)f->reason,
                  (unsigned long long)f->code, f->text, (unsigned long long)code);
}

void fake_close(struct fake_cat *f, uint64_t code)
{
    UNTIL(f, f->control);
    (void)stt_session_close(endpoint(f), now(f), f->session, code, "");
    fake_wait_closed(f);
}
