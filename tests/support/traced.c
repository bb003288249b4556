/* SPDX-License-Identifier: MIT
 * traced: a session's events, gone through once more: states one after the other, the fate of every
 * packet number, sums. */
#include "tests/support/traced.h"

#include "stt/qlog.h"
#include "stt/session/session.h"
#include "tests/support/qlog.h"

#include <check.h>
#include <stdlib.h>

/* -- hearing ---------------------------------------------------------------------------------- */

void traced_hear(void *ctx, const struct stt_trace_event *event)
{
    struct traced *t = ctx;
    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : 1024;
        t->events = realloc(t->events, t->room * sizeof *t->events);
        ck_assert_ptr_nonnull(t->events);
    }
    t->events[t->n++] = *event;
}

void traced_hear_key(void *ctx, const struct stt_key_log *key)
{
    struct traced *t = ctx;
    ck_assert_uint_lt(t->n_keys, TRACED_KEYS_MAX);
    memcpy(t->secrets[t->n_keys], key->secret, 32);
    t->keys[t->n_keys] = *key;
    t->keys[t->n_keys].secret = t->secrets[t->n_keys];
    t->n_keys++;
}

void traced_fini(struct traced *t)
{
    free(t->events);
    *t = (struct traced){.n = 0};
}

size_t traced_count(const struct traced *t, uint32_t type)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        n += t->events[i].type == type;
    return n;
}

const struct stt_trace_event *traced_latest(const struct traced *t, uint32_t type)
{
    for (size_t i = t->n; i-- > 0;)
        if (t->events[i].type == type)
            return &t->events[i];
    return NULL;
}

/* -- going through it ------------------------------------------------------------------------- */

enum fate { UNSENT, QUIET, SENT, LOST, FORGOTTEN, LATE };

/* What the events have shown so far. */
struct replay {
    stt_ns at;
    unsigned state, phase;
    uint64_t epoch, packet_bytes;
    uint8_t *fates; /* by number; those sent are below end_number */
    uint32_t *bytes;
    uint64_t room, end_number;
    uint64_t bytes_sent, packets_sent, bytes_received, packets_received;
    uint64_t eliciting, lost, forgotten, late, acked, in_flight;
    bool is_stalled, is_closed;
};

static void on_state(struct replay *r, const struct stt_trace_event *e)
{
    ck_assert_uint_eq(e->field[0], r->state);
    if (r->state != STT_SESSION_STATE_COUNT)
        ck_assert(stt_session_may_enter(r->state, e->code));
    ck_assert(r->is_closed == (e->code > STT_SESSION_OPEN));
    r->state = e->code;
}

static void on_closed(struct replay *r, const struct stt_trace_event *e)
{
    ck_assert(!r->is_closed && e->code != STT_REASON_NONE);
    r->is_closed = true;
}

static void on_stalled(struct replay *r, const struct stt_trace_event *e)
{
    ck_assert(e->code == !r->is_stalled);
    r->is_stalled = e->code;
}

static void make_room(struct replay *r, uint64_t end)
{
    uint64_t room = r->room ? r->room : 1024;
    while (room < end)
        room *= 2;
    if (room == r->room)
        return;
    r->fates = realloc(r->fates, room);
    r->bytes = realloc(r->bytes, room * sizeof *r->bytes);
    ck_assert(r->fates && r->bytes);
    memset(r->fates + r->room, UNSENT, room - r->room);
    r->room = room;
}

/* Sizes of all but the last are told. */
static uint64_t check_sizes(const struct stt_trace_event *e)
{
    uint64_t n = e->field[1] - e->field[0], bytes = e->field[2], size = e->field[3];
    ck_assert(e->field[0] < e->field[1] && n <= STT_TRAIN_SEGMENTS);
    ck_assert_msg(bytes <= n * size && bytes > (n - 1) * size, "%d bytes in %d packets of %d",
                  (int)bytes, (int)n, (int)size);
    return n;
}

static void on_sent(struct replay *r, const struct stt_trace_event *e)
{
    uint64_t n = check_sizes(e);
    ck_assert_uint_ge(e->field[0], r->end_number);
    ck_assert_uint_le(e->field[0], r->end_number + 1); /* one may be left out */
    make_room(r, e->field[1]);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t bytes = i + 1 < n ? e->field[3] : e->field[2] - i * e->field[3];
        r->fates[e->field[0] + i] = e->code == STT_PURPOSE_QUIET ? QUIET : SENT;
        r->bytes[e->field[0] + i] = (uint32_t)bytes;
    }
    r->end_number = e->field[1];
    r->packets_sent += n;
    r->bytes_sent += e->field[2];
    r->eliciting += e->code == STT_PURPOSE_QUIET ? 0 : n;
}

static void on_received(struct replay *r, const struct stt_trace_event *e)
{
    r->packets_received += check_sizes(e);
    r->bytes_received += e->field[2];
}

/* All in the run were sent, had this fate, and have another one now. */
static uint64_t move(struct replay *r, const struct stt_trace_event *e, enum fate from,
                     enum fate to)
{
    uint64_t bytes = 0;
    ck_assert(e->field[0] < e->field[1] && e->field[1] <= r->end_number);
    for (uint64_t number = e->field[0]; number < e->field[1]; number++) {
        ck_assert_msg(r->fates[number] == from, "number %d was %d and is %d", (int)number,
                      r->fates[number], to);
        r->fates[number] = (uint8_t)to;
        bytes += r->bytes[number];
    }
    ck_assert_uint_eq(e->field[2], bytes);
    return e->field[1] - e->field[0];
}

static void on_lost(struct replay *r, const struct stt_trace_event *e)
{
    if (e->code == STT_TRIGGER_FORGOTTEN)
        r->forgotten += move(r, e, SENT, FORGOTTEN);
    else
        r->lost += move(r, e, SENT, LOST);
}

static void on_late(struct replay *r, const struct stt_trace_event *e)
{
    r->late += move(r, e, LOST, LATE);
}

static void on_ack(struct replay *r, const struct stt_trace_event *e)
{
    ck_assert_uint_lt(e->field[0], r->end_number);
    ck_assert(e->code >= 1 && e->field[1] >= 1);
    ck_assert(e->field[3] <= r->at);
    r->acked += e->field[1];
    ck_assert_uint_le(r->acked + r->lost - r->late, r->eliciting);
}

static void on_congestion(struct replay *r, const struct stt_trace_event *e)
{
    ck_assert_uint_eq(e->code, r->phase);
    r->in_flight = e->field[4];
}

static void on_phase(struct replay *r, const struct stt_trace_event *e)
{
    ck_assert(e->field[0] == r->phase && e->code != r->phase);
    r->phase = e->code;
}

static void on_packet_size(struct replay *r, const struct stt_trace_event *e)
{
    ck_assert(e->field[1] == r->packet_bytes && e->field[0] != r->packet_bytes);
    r->packet_bytes = e->field[0];
}

static void on_epoch(struct replay *r, const struct stt_trace_event *e)
{
    ck_assert_uint_eq(e->field[0], e->code == STT_ORIGIN_HANDSHAKE ? 0 : r->epoch + 1);
    r->epoch = e->field[0];
}

static void on_nothing(struct replay *r, const struct stt_trace_event *e)
{
    (void)r, (void)e;
}

static void (*const handlers[STT_TRACE_TYPE_COUNT])(struct replay *,
                                                    const struct stt_trace_event *) = {
    [STT_TRACE_SESSION_STATE] = on_state,     [STT_TRACE_SESSION_CLOSED] = on_closed,
    [STT_TRACE_SESSION_STALLED] = on_stalled, [STT_TRACE_MESSAGE_SENT] = on_nothing,
    [STT_TRACE_PACKETS_SENT] = on_sent,       [STT_TRACE_PACKETS_RECEIVED] = on_received,
    [STT_TRACE_PACKETS_DROPPED] = on_nothing, [STT_TRACE_PACKETS_LOST] = on_lost,
    [STT_TRACE_PACKETS_SPURIOUS] = on_late,   [STT_TRACE_ACK_RECEIVED] = on_ack,
    [STT_TRACE_PTO_EXPIRED] = on_nothing,     [STT_TRACE_CONGESTION_UPDATED] = on_congestion,
    [STT_TRACE_PHASE_CHANGED] = on_phase,     [STT_TRACE_PATH_TRIAL] = on_nothing,
    [STT_TRACE_PACKET_SIZE] = on_packet_size, [STT_TRACE_KEY_EPOCH] = on_epoch,
    [STT_TRACE_KEYS_FORGOTTEN] = on_nothing,  [STT_TRACE_STREAM_STATE] = on_nothing,
    [STT_TRACE_FLOW_BLOCKED] = on_nothing,    [STT_TRACE_DATAGRAMS_DROPPED] = on_nothing,
};

static void check_sums(const struct replay *r, const struct stt_session_info *info)
{
    ck_assert_uint_eq(r->bytes_sent, info->bytes_sent);
    ck_assert_uint_eq(r->packets_sent, info->packets_sent);
    ck_assert_uint_eq(r->bytes_received, info->bytes_received);
    ck_assert_uint_eq(r->packets_received, info->packets_received);
    ck_assert_uint_eq(r->epoch, info->epoch);
    ck_assert(r->is_stalled == info->stalled);
    ck_assert_str_eq(stt_session_state_text(r->state), info->state);
}

/* When all is quiet nothing is in flight: it was acknowledged, lost or forgotten. */
static void check_fates(const struct replay *r)
{
    uint64_t settled = r->acked - r->late + r->lost + r->forgotten;
    ck_assert_uint_le(settled, r->eliciting);
    if (r->in_flight == 0 && !r->forgotten)
        ck_assert_uint_le(r->eliciting - settled, 2); /* of which nobody has heard yet */
}

void traced_check(const struct traced *t, stt_handle session, const struct stt_session_info *info)
{
    struct replay r = {.state = STT_SESSION_STATE_COUNT};
    for (size_t i = 0; i < t->n; i++) {
        const struct stt_trace_event *e = &t->events[i];
        ck_assert_uint_ge(e->at, r.at);
        r.at = e->at;
        ck_assert_uint_lt(e->type, STT_TRACE_TYPE_COUNT);
        if (e->subject == session)
            handlers[e->type](&r, e);
    }
    check_sums(&r, info);
    check_fates(&r);
    free(r.fates);
    free(r.bytes);
}

/* -- secrets ---------------------------------------------------------------------------------- */

void traced_check_no_secrets(const struct traced *t)
{
    for (size_t k = 0; k < t->n_keys; k++)
        for (size_t at = 0; at + 8 <= sizeof t->secrets[k]; at++)
            ck_assert_ptr_null(memmem(t->events, t->n * sizeof *t->events, t->secrets[k] + at, 8));
}

/* -- qlog ------------------------------------------------------------------------------------- */

void traced_check_qlog(const struct traced *t)
{
    const struct stt_qlog qlog = {.title = "traced"};
    char record[STT_QLOG_RECORD_ROOM];
    for (size_t i = 0; i < t->n; i++) {
        uint64_t place = 0;
        for (size_t len; (len = stt_qlog_record(&qlog, &t->events[i], &place, record));) {
            const char *mistake = qlog_mistake(record, len, true);
            ck_assert_msg(!mistake, "%s: %s", mistake, record);
        }
        ck_assert_uint_ge(place, 1);
    }
}
