/* SPDX-License-Identifier: MIT
 * writing: everything that a host can do to send, with what it must remember to be checked. */
#include "tools/sttbench/chaos/flow.h"
#include "tools/sttbench/chaos/host.h"
#include "tools/sttbench/chaos/pattern.h"
#include "tools/sttbench/chaos/talk.h"

#include <assert.h>
#include <stdlib.h>

enum { PIECE_BYTES = 16384, HEADER_ROOM = 16, DEADLINE_MS_MAX = 2000 };

uint64_t flow_key(const struct flow *f)
{
    return pattern_mix(f->talk->tag ^ (f->talk->is_initiator ? 0x1111 : 0x2222), f->id);
}

uint64_t flow_message_key(const struct flow *f, uint64_t number)
{
    return pattern_mix(flow_key(f), number);
}

bool flow_may_write(const struct flow *f)
{
    return !f->is_over && !f->is_finished && !f->is_reset && !(f->heard & STT_STREAM_STOPPED) &&
           talk_is_alive(f->talk);
}

/* -- bytes --------------------------------------------------------------------------------- */

/* Answers how many; less than wanted: WRITABLE follows. */
static uint64_t write_copy(struct flow *f, size_t len)
{
    static uint8_t data[PIECE_BYTES];
    size_t written;
    pattern_fill(data, len, flow_key(f), f->written);
    int error = stt_stream_write(f->talk->host->ep, host_now(f->talk->host), f->stream, data, len,
                                 &written);
    if (error)
        flow_on_error(f, "stt_stream_write", error);
    chaos_require(f->talk->host->chaos, written <= len, "%zu bytes of %zu were written", written,
                  len);
    return error ? 0 : written;
}

static uint64_t write_in_place(struct flow *f, size_t len)
{
    void *room;
    size_t here;
    int error = stt_stream_reserve(f->talk->host->ep, f->stream, &room, &here);
    if (error && error != STT_E_AGAIN)
        flow_on_error(f, "stt_stream_reserve", error);
    if (error)
        return 0;
    len = len < here ? len : here;
    pattern_fill(room, len, flow_key(f), f->written);
    error = stt_stream_commit(f->talk->host->ep, host_now(f->talk->host), f->stream, len);
    if (error)
        flow_on_error(f, "stt_stream_commit", error);
    return error ? 0 : len;
}

static uint64_t write_bytes(struct flow *f, uint64_t most)
{
    uint64_t left = f->to_write - f->written, len = left < most ? left : most;
    len = len < PIECE_BYTES ? len : PIECE_BYTES;
    uint64_t n =
        f->writer == FLOW_IN_PLACE ? write_in_place(f, (size_t)len) : write_copy(f, (size_t)len);
    /* What lies in one piece may be less than there is room for. */
    f->waits = f->writer == FLOW_IN_PLACE ? n == 0 : n < len;
    f->written += n;
    f->wire += n;
    return n;
}

/* -- messages ------------------------------------------------------------------------------ */

static size_t header_bytes(size_t len)
{
    return len < 64 ? 1 : len < 16384 ? 2 : 4;
}

static size_t message_len(struct flow *f)
{
    struct chaos *c = f->talk->host->chaos;
    uint64_t ring = f->talk->host->config.send_ring_bytes - HEADER_ROOM;
    uint64_t len = chaos_chance(c, 10)  ? 0
                   : chaos_chance(c, 3) ? chaos_between(c, 1, 40000)
                                        : chaos_between(c, 1, 3000);
    return (size_t)(len < ring ? len : ring);
}

static void remember(struct flow *f, size_t len, bool has_deadline)
{
    f->messages = realloc(f->messages, (size_t)(f->written + 1) * sizeof *f->messages);
    assert(f->messages);
    f->messages[f->written++] = (struct flow_message){
        .begin = f->wire,
        .end = f->wire + header_bytes(len) + len,
        .len = len,
        .has_deadline = has_deadline,
    };
    f->wire += header_bytes(len) + len;
}

static bool write_message(struct flow *f)
{
    struct host *h = f->talk->host;
    struct chaos *c = h->chaos;
    size_t len = message_len(f), written = len;
    uint8_t *data = malloc(len + 1);
    assert(data);
    pattern_fill(data, len, flow_message_key(f, f->written), 0);
    stt_ns deadline =
        chaos_may(c, CHAOS_DEADLINES, 70) ? STT_MS(chaos_between(c, 1, DEADLINE_MS_MAX)) : 0;
    int error = deadline || chaos_chance(c, 50)
                    ? stt_stream_write_message(h->ep, host_now(h), f->stream, data, len, deadline)
                    : stt_stream_write(h->ep, host_now(h), f->stream, data, len, &written);
    free(data);
    f->waits = error == STT_E_AGAIN;
    if (error && error != STT_E_AGAIN)
        flow_on_error(f, "stt_stream_write_message", error);
    if (error)
        return false;
    chaos_require(c, written == len, "%zu bytes of a message of %zu were written", written, len);
    remember(f, len, deadline != 0);
    return true;
}

/* -- both ---------------------------------------------------------------------------------- */

static void finish(struct flow *f)
{
    struct host *h = f->talk->host;
    int error = stt_stream_finish(h->ep, host_now(h), f->stream);
    if (error) {
        flow_on_error(f, "stt_stream_finish", error);
        return;
    }
    f->is_finished = true;
    chaos_tell(h->chaos, "host %u finishes stream %llu at %llu", h->number,
               (unsigned long long)f->id, (unsigned long long)f->wire);
}

void flow_write(struct flow *f, uint64_t most)
{
    struct chaos *c = f->talk->host->chaos;
    while (most && flow_may_write(f) && !f->waits && f->written < f->to_write &&
           !chaos_has_failed(c)) {
        uint64_t n = f->is_messages ? (uint64_t)write_message(f) : write_bytes(f, most);
        if (!n)
            break;
        most -= n;
    }
    c->tally.blocked += f->waits;
    if (flow_may_write(f) && f->written == f->to_write && (!f->lingers || c->is_calm))
        finish(f);
}
