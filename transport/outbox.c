/* SPDX-License-Identifier: MIT
 * outbox: what the kernel says to a train (fate.h), and what follows from it:
 *
 *     stalled     until the socket is writable; again at once: until a millisecond later
 *     resting     until a millisecond later, ten times; then refused
 *     disliked    of several datagrams: one by one; where the first of them goes, segmentation was
 * to blame, and is off for this socket from now on reported    once more refused     told
 *
 * It is bounded: each call to flush either ends a train or holds the outlet. */
#include "transport/outbox.h"

#include "transport/fate.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

void stt_outbox_init(struct stt_outbox *o, const struct stt_driver_config *config, uint8_t *memory,
                     struct stt_driver_stats *stats)
{
    o->memory = memory;
    o->n = config->send_buffers;
    o->dscp = config->dscp;
    o->stats = stats;
    if (config->faults)
        o->faults = *config->faults;
    o->filled = STT_OUTBOX_NONE;
    for (uint32_t i = 0; i < o->n; i++)
        o->trains[i].next = (uint16_t)(i + 1 < o->n ? i + 1 : STT_OUTBOX_NONE);
}

void stt_outlet_init(struct stt_outlet *out, const struct stt_socket *socket)
{
    *out =
        (struct stt_outlet){.socket = *socket, .first = STT_OUTBOX_NONE, .last = STT_OUTBOX_NONE};
}

/* -- rooms ---------------------------------------------------------------------------------------
 */

static uint8_t *memory_of(const struct stt_outbox *o, uint16_t i)
{
    return o->memory + (size_t)i * STT_OUTBOX_TRAIN_BYTES;
}

/* The one that was freed last: it is still in the cache. */
uint8_t *stt_outbox_room(struct stt_outbox *o)
{
    if (o->filled == STT_OUTBOX_NONE) {
        if (o->free == STT_OUTBOX_NONE) {
            o->is_wanted = true;
            return NULL;
        }
        o->filled = o->free;
        o->free = o->trains[o->filled].next;
    }
    return memory_of(o, o->filled);
}

static void release(struct stt_outbox *o, uint16_t i)
{
    o->trains[i].next = o->free;
    o->free = i;
    o->is_wanted = false;
}

void stt_outbox_put(struct stt_outbox *o, struct stt_outlet *out,
                    const struct stt_driver_train *train)
{
    uint16_t i = o->filled;
    assert(i != STT_OUTBOX_NONE && train->data == memory_of(o, i));
    assert(train->segment_bytes > 0 && train->len <= STT_DRIVER_TRAIN_BYTES);
    assert(train->len <= train->segment_bytes * STT_DRIVER_SEGMENTS_MAX);
    o->filled = STT_OUTBOX_NONE;
    o->trains[i] = (struct stt_outbox_train){.train = *train, .next = STT_OUTBOX_NONE};
    if (out->first == STT_OUTBOX_NONE)
        out->first = i;
    else
        o->trains[out->last].next = i;
    out->last = i;
}

static void pop(struct stt_outbox *o, struct stt_outlet *out)
{
    uint16_t i = out->first;
    out->first = o->trains[i].next;
    release(o, i);
}

void stt_outbox_drop(struct stt_outbox *o, struct stt_outlet *out, uint32_t number)
{
    while (out->first != STT_OUTBOX_NONE)
        pop(o, out);
    for (uint32_t left = o->refusals; left > 0; left--) { /* once around, without those */
        struct stt_driver_refusal r;
        stt_outbox_refused(o, &r);
        if (r.socket != number)
            o->refused[(o->first_refusal + o->refusals++) % STT_OUTBOX_REFUSALS] = r;
    }
}

/* -- refusals ------------------------------------------------------------------------------------
 */

static void refuse(struct stt_outbox *o, const struct stt_driver_train *train, int error)
{
    o->stats->refused++;
    if (o->refusals == STT_OUTBOX_REFUSALS)
        return;
    o->refused[(o->first_refusal + o->refusals++) % STT_OUTBOX_REFUSALS] =
        (struct stt_driver_refusal){.error = error,
                                    .socket = train->socket,
                                    .local = train->local,
                                    .remote = train->remote,
                                    .len = train->len,
                                    .segment_bytes = train->segment_bytes,
                                    .session = train->session,
                                    .first = train->first};
}

void stt_outbox_refuse_filled(struct stt_outbox *o, const struct stt_driver_train *train, int error)
{
    assert(o->filled != STT_OUTBOX_NONE && train->data == memory_of(o, o->filled));
    refuse(o, train, error);
    release(o, o->filled);
    o->filled = STT_OUTBOX_NONE;
}

bool stt_outbox_refused(struct stt_outbox *o, struct stt_driver_refusal *refusal)
{
    if (o->refusals == 0)
        return false;
    *refusal = o->refused[o->first_refusal];
    o->first_refusal = (o->first_refusal + 1) % STT_OUTBOX_REFUSALS;
    o->refusals--;
    return true;
}

/* -- the calls: 0 or errno -----------------------------------------------------------------------
 */

static int fault(const struct stt_outbox *o, const struct stt_driver_train *train)
{
    return o->faults.on_send ? o->faults.on_send(o->faults.ctx, train) : 0;
}

static int send_whole(struct stt_outbox *o, const struct stt_outlet *out,
                      const struct stt_driver_train *train)
{
    struct stt_control_name name;
    union stt_control control;
    struct iovec iov = {train->data, train->len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
    m.msg_controllen = stt_control_encode(&out->socket, train, o->dscp, true, &name, &control);
    m.msg_name = &name.storage;
    m.msg_namelen = name.len;
    int error;
    do {
        error = fault(o, train);
        if (error == 0 && sendmsg(out->socket.fd, &m, MSG_DONTWAIT) < 0)
            error = errno;
    } while (error == EINTR);
    return error;
}

/* The datagrams of what is left, up to one with a fault. */
static uint32_t lay_out(struct stt_outbox *o, const struct stt_outbox_train *t,
                        const struct msghdr *all, int *error)
{
    uint32_t n = 0;
    for (size_t at = t->sent; at < t->train.len; at += t->train.segment_bytes) {
        struct stt_driver_train piece = t->train;
        piece.data += at;
        piece.len = t->train.len - at;
        if (piece.len > piece.segment_bytes)
            piece.len = piece.segment_bytes;
        do
            *error = fault(o, &piece);
        while (*error == EINTR);
        if (*error)
            break;
        o->iovecs[n] = (struct iovec){piece.data, piece.len};
        o->pieces[n].msg_hdr = *all;
        o->pieces[n].msg_hdr.msg_iov = &o->iovecs[n];
        n++;
    }
    return n;
}

static int send_pieces(struct stt_outbox *o, const struct stt_outlet *out,
                       struct stt_outbox_train *t)
{
    struct stt_control_name name;
    union stt_control control;
    struct msghdr all = {.msg_iovlen = 1, .msg_control = control.bytes, .msg_name = &name.storage};
    all.msg_controllen =
        stt_control_encode(&out->socket, &t->train, o->dscp, false, &name, &control);
    all.msg_namelen = name.len;
    int error = 0, n = 0;
    uint32_t wanted = lay_out(o, t, &all, &error);
    if (wanted > 0) {
        do
            n = sendmmsg(out->socket.fd, o->pieces, wanted, MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n < 0)
            error = errno;
        else if ((uint32_t)n < wanted)
            error = 0; /* the next call says why */
    }
    if (n > 0)
        t->sent += (size_t)n * t->train.segment_bytes;
    return error;
}

/* -- what they say -------------------------------------------------------------------------------
 */

static bool can_segment(const struct stt_outlet *out, const struct stt_outbox_train *t)
{
    return t->train.len <= t->train.segment_bytes || (out->socket.has_gso && !t->is_split);
}

static int send_once(struct stt_outbox *o, struct stt_outlet *out, struct stt_outbox_train *t)
{
    if (can_segment(out, t))
        return send_whole(o, out, &t->train);
    int error;
    do
        error = send_pieces(o, out, t);
    while (error == 0 && t->sent < t->train.len);
    if (t->is_split && t->sent > 0 && out->socket.has_gso) {
        out->socket.has_gso = false;
        o->stats->gso_off++;
    }
    return error;
}

/* Again at once, for a reason that is there once for each train. */
static bool is_to_repeat(struct stt_outbox *o, const struct stt_outlet *out,
                         struct stt_outbox_train *t, int error)
{
    enum stt_fate fate = stt_fate_of(error);
    if (fate == STT_FATE_REPORTED && !t->is_repeated) {
        o->stats->receive_errors++;
        return t->is_repeated = true;
    }
    if (fate == STT_FATE_DISLIKED && t->train.len > t->train.segment_bytes && can_segment(out, t))
        return t->is_split = true;
    return false;
}

static void hold_until_later(struct stt_outlet *out)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    out->until = STT_S((stt_ns)now.tv_sec) + (stt_ns)now.tv_nsec + STT_OUTBOX_PAUSE_NS;
    out->hold = STT_OUTLET_TIME;
}

static bool hold(struct stt_outlet *out, struct stt_outbox_train *t, int error)
{
    enum stt_fate fate = stt_fate_of(error);
    if (fate == STT_FATE_STALLED) {
        if (out->is_stalled)
            hold_until_later(out); /* what poll says does not help */
        else
            out->hold = STT_OUTLET_WRITABLE;
        out->is_stalled = true;
        return true;
    }
    if (fate == STT_FATE_RESTING && t->tries < STT_OUTBOX_TRIES) {
        t->tries++;
        hold_until_later(out);
        return true;
    }
    return false;
}

static void on_sent(struct stt_outbox *o, struct stt_outlet *out, const struct stt_driver_train *t)
{
    out->is_stalled = false;
    o->stats->trains_sent++;
    o->stats->datagrams_sent += t->len ? (t->len + t->segment_bytes - 1) / t->segment_bytes : 1;
    o->stats->bytes_sent += t->len;
}

void stt_outbox_flush(struct stt_outbox *o, struct stt_outlet *out)
{
    while (out->first != STT_OUTBOX_NONE && out->hold == STT_OUTLET_OPEN) {
        struct stt_outbox_train *t = &o->trains[out->first];
        int error;
        do
            error = send_once(o, out, t);
        while (is_to_repeat(o, out, t, error));
        if (error && hold(out, t, error)) {
            o->stats->held_back++;
            return;
        }
        if (error)
            refuse(o, &t->train, error);
        else
            on_sent(o, out, &t->train);
        pop(o, out);
    }
}
