/* SPDX-License-Identifier: MIT
 * uring_send: trains that go, and what becomes of them.
 *
 *            room()             send()            prepare             completion, sweep
 *   idle ------------> room ------------> queue -----------> flying -------------------> idle
 *                                           ^                   |
 *                                           +-------------------+  held back, or in other pieces
 *
 * Owns the slots: a train with its name, control messages and 64 KiB. The kernel is asked not to
 * wait, so it is done with a train when it has answered, and none is overtaken by more than what
 * was given to it together. Invariants: the queue is in the order of send(); a socket that is held
 * back is given nothing; a slot is idle, the room, or in the queue. Every try ends: room and memory
 * are asked for again a few times or when there is some, the other errors are retried once or not
 * at all. It must not know what a step is. */
#include "transport/fate.h"
#include "transport/uring.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_BYTES = 1 << 16, TRIES_MAX = 10, NO_SLOT = UINT16_MAX };

int stt_uring_send_init(struct stt_uring *d)
{
    uint32_t n = d->config.send_buffers;
    d->rooms = stt_uring_map((size_t)n * ROOM_BYTES);
    d->slots = calloc(n, sizeof *d->slots);
    d->headers = calloc(d->ring.sq.ring_entries, sizeof *d->headers);
    if (!d->rooms || !d->slots || !d->headers)
        return STT_E_MEMORY;
    while (d->idle_n < n) {
        d->slots[n - 1 - d->idle_n].train.data =
            d->rooms + (size_t)(n - 1 - d->idle_n) * ROOM_BYTES;
        d->idle[d->idle_n] = (uint16_t)(n - 1 - d->idle_n);
        d->idle_n++;
    }
    d->room = NO_SLOT;
    return STT_OK;
}

void stt_uring_send_fini(struct stt_uring *d)
{
    stt_uring_unmap(d->rooms, (size_t)d->config.send_buffers * ROOM_BYTES);
    free(d->slots);
    free(d->headers);
}

/* -- what the host says ------------------------------------------------------------------------ */

uint8_t *stt_uring_room(struct stt_driver *driver)
{
    struct stt_uring *d = stt_uring_of(driver);
    if (d->room == NO_SLOT && d->idle_n)
        d->room = d->idle[--d->idle_n];
    d->is_wanting = d->room == NO_SLOT;
    return d->is_wanting ? NULL : d->slots[d->room].train.data;
}

static bool is_whole(const struct stt_uring_slot *slot)
{
    return slot->piece_bytes >= slot->train.len;
}

static size_t datagrams_of(const struct stt_driver_train *t)
{
    return t->len > t->segment_bytes ? (t->len + t->segment_bytes - 1) / t->segment_bytes : 1;
}

/* Whole where the kernel cuts it, or where there is nothing to cut. */
static void encode(struct stt_uring *d, struct stt_uring_slot *slot, bool segmented)
{
    const struct stt_driver_train *t = &slot->train;
    size_t pieces = segmented ? 1 : datagrams_of(t);
    slot->piece_bytes = pieces == 1 ? t->len : t->segment_bytes;
    slot->todo = UINT64_MAX >> (64 - pieces);
    slot->control_len =
        stt_control_encode(&d->sockets[t->socket].socket, t, d->config.dscp,
                           segmented && datagrams_of(t) > 1, &slot->name, &slot->control);
}

static bool is_open(const struct stt_uring *d, uint32_t number)
{
    return number < STT_DRIVER_SOCKETS_MAX && d->sockets[number].is_used &&
           !d->sockets[number].is_leaving;
}

void stt_uring_send(struct stt_driver *driver, const struct stt_driver_train *train)
{
    struct stt_uring *d = stt_uring_of(driver);
    assert(d->room != NO_SLOT && train->data == d->slots[d->room].train.data);
    assert(train->len <= STT_DRIVER_TRAIN_BYTES);
    assert(datagrams_of(train) <= STT_DRIVER_SEGMENTS_MAX);
    struct stt_uring_slot *slot = &d->slots[d->room];
    *slot = (struct stt_uring_slot){.train = *train};
    d->queue[d->queue_n++] = d->room;
    d->room = NO_SLOT;
    if (is_open(d, train->socket))
        encode(d, slot, d->sockets[train->socket].socket.has_gso);
    else
        slot->error = EBADF;
}

/* -- what the kernel says ---------------------------------------------------------------------- */

static void give_up(struct stt_uring_slot *slot, int error)
{
    if (!slot->error)
        slot->error = error;
    slot->todo = 0;
}

static struct stt_driver_train piece_of(const struct stt_uring_slot *slot, uint32_t piece)
{
    struct stt_driver_train t = slot->train;
    size_t at = piece * slot->piece_bytes, left = t.len - at;
    t.data += at;
    t.len = left < slot->piece_bytes ? left : slot->piece_bytes;
    return t;
}

static void on_taken(struct stt_uring *d, struct stt_uring_slot *slot, uint32_t piece)
{
    struct stt_uring_socket *s = &d->sockets[slot->train.socket];
    struct stt_driver_train t = piece_of(slot, piece);
    slot->todo &= ~(UINT64_C(1) << piece);
    s->stalls = 0;
    d->stats.datagrams_sent += datagrams_of(&t);
    d->stats.bytes_sent += t.len;
    if (slot->is_suspect && !slot->error && s->socket.has_gso) {
        s->socket.has_gso = false;
        d->stats.gso_off++;
    }
    slot->is_suspect = false;
}

/* Pieces that were given to the kernel together are held back once. */
static bool is_first_denial(struct stt_uring *d, struct stt_uring_slot *slot)
{
    if (slot->is_denied)
        return false;
    slot->is_denied = true;
    d->stats.held_back++;
    return true;
}

/* The second time in a row that there should have been room and was none, waiting for it would only
 * spin. */
static void on_stalled(struct stt_uring *d, struct stt_uring_slot *slot)
{
    struct stt_uring_socket *s = &d->sockets[slot->train.socket];
    (void)is_first_denial(d, slot);
    if (s->sending == STT_URING_GO)
        s->sending = s->stalls++ ? STT_URING_RESTING : STT_URING_STALLED;
}

static void on_resting(struct stt_uring *d, struct stt_uring_slot *slot, int error)
{
    if (slot->tries == TRIES_MAX && !slot->is_denied) {
        give_up(slot, error);
        return;
    }
    slot->tries += is_first_denial(d, slot);
    d->sockets[slot->train.socket].sending = STT_URING_RESTING;
}

static void on_disliked(struct stt_uring *d, struct stt_uring_slot *slot, int error)
{
    if (!is_whole(slot) || datagrams_of(&slot->train) == 1) {
        give_up(slot, error);
        return;
    }
    slot->is_suspect = true;
    encode(d, slot, false);
}

static void on_reported(struct stt_uring *d, struct stt_uring_slot *slot, uint32_t piece, int error)
{
    d->stats.receive_errors++;
    if (slot->repeated >> piece & 1)
        give_up(slot, error);
    slot->repeated |= UINT64_C(1) << piece;
}

static void on_denied(struct stt_uring *d, struct stt_uring_slot *slot, uint32_t piece, int error)
{
    if (!slot->todo)
        return; /* given up */
    switch (stt_fate_of(error)) {
    case STT_FATE_INTERRUPTED:
        break;
    case STT_FATE_STALLED:
        on_stalled(d, slot);
        break;
    case STT_FATE_RESTING:
        on_resting(d, slot, error);
        break;
    case STT_FATE_DISLIKED:
        on_disliked(d, slot, error);
        break;
    case STT_FATE_REPORTED:
        on_reported(d, slot, piece, error);
        break;
    default:
        give_up(slot, error);
    }
}

static void on_answer(struct stt_uring *d, struct stt_uring_slot *slot, uint32_t piece, int result)
{
    if (result < 0)
        on_denied(d, slot, piece, -result);
    else
        on_taken(d, slot, piece);
}

void stt_uring_on_send(struct stt_uring *d, uint32_t number, uint32_t piece, int result)
{
    struct stt_uring_slot *slot = &d->slots[number];
    slot->flying &= ~(UINT64_C(1) << piece);
    d->sockets[slot->train.socket].under_way--;
    on_answer(d, slot, piece, result);
}

void stt_uring_on_writable(struct stt_uring *d, uint32_t number)
{
    struct stt_uring_socket *s = &d->sockets[number];
    s->is_polled = false;
    s->under_way--;
    if (s->sending == STT_URING_STALLED)
        s->sending = STT_URING_GO;
}

/* -- what goes --------------------------------------------------------------------------------- */

static void submit(struct stt_uring *d, struct stt_uring_slot *slot, uint32_t piece,
                   struct io_uring_sqe *sqe)
{
    struct stt_driver_train t = piece_of(slot, piece);
    struct stt_uring_header *h = &d->headers[sqe - d->ring.sq.sqes];
    h->data = (struct iovec){.iov_base = t.data, .iov_len = t.len};
    h->msg = (struct msghdr){.msg_name = &slot->name.storage,
                             .msg_namelen = slot->name.len,
                             .msg_iov = &h->data,
                             .msg_iovlen = 1,
                             .msg_control = slot->control_len ? &slot->control : NULL,
                             .msg_controllen = slot->control_len};
    io_uring_prep_sendmsg(sqe, (int)t.socket, &h->msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_FIXED_FILE;
    stt_uring_name(sqe, STT_URING_SEND, (uint32_t)(slot - d->slots), piece);
    slot->flying |= UINT64_C(1) << piece;
    d->is_sending = true;
    d->sockets[t.socket].under_way++;
}

static int fault_of(const struct stt_uring *d, const struct stt_uring_slot *slot, uint32_t piece)
{
    const struct stt_driver_faults *faults = d->config.faults;
    if (!faults || !faults->on_send)
        return 0;
    struct stt_driver_train t = piece_of(slot, piece);
    return faults->on_send(faults->ctx, &t);
}

/* False: the submission queue is full. */
static bool send_slot(struct stt_uring *d, struct stt_uring_slot *slot)
{
    const struct stt_uring_socket *s = &d->sockets[slot->train.socket];
    uint64_t open;
    if (s->sending == STT_URING_GO)
        slot->is_denied = false;
    while ((open = slot->todo & ~slot->flying) && s->sending == STT_URING_GO) {
        uint32_t piece = (uint32_t)__builtin_ctzll(open);
        if (!io_uring_sq_space_left(&d->ring)) {
            d->is_crowded = true;
            return false;
        }
        int error = fault_of(d, slot, piece);
        if (error)
            on_answer(d, slot, piece, -error);
        else
            submit(d, slot, piece, stt_uring_sqe(d));
    }
    return true;
}

static void prepare_polls(struct stt_uring *d)
{
    for (uint32_t i = 0; i < d->sockets_end; i++) {
        struct stt_uring_socket *s = &d->sockets[i];
        bool wants = s->sending == STT_URING_STALLED && !s->is_polled && !s->is_leaving;
        struct io_uring_sqe *sqe = wants ? stt_uring_sqe(d) : NULL;
        if (!sqe)
            continue;
        io_uring_prep_poll_add(sqe, (int)i, POLLOUT);
        sqe->flags |= IOSQE_FIXED_FILE;
        stt_uring_name(sqe, STT_URING_WRITABLE, i, 0);
        s->is_polled = true;
        s->under_way++;
    }
}

void stt_uring_send_prepare(struct stt_uring *d)
{
    for (uint32_t i = 0; i < d->queue_n && send_slot(d, &d->slots[d->queue[i]]); i++)
        ;
    prepare_polls(d);
}

/* -- what becomes of it ------------------------------------------------------------------------ */

static void refuse(struct stt_uring *d, const struct stt_uring_slot *slot)
{
    const struct stt_driver_train *t = &slot->train;
    d->stats.refused++;
    if (d->refusals_n == STT_URING_REFUSALS)
        return;
    d->refusals[(d->refusals_first + d->refusals_n++) % STT_URING_REFUSALS] =
        (struct stt_driver_refusal){.error = slot->error,
                                    .socket = t->socket,
                                    .local = t->local,
                                    .remote = t->remote,
                                    .len = t->len,
                                    .segment_bytes = t->segment_bytes,
                                    .session = t->session,
                                    .first = t->first};
}

static bool is_concluded(struct stt_uring *d, const struct stt_uring_slot *slot)
{
    if (slot->todo || slot->flying)
        return false;
    if (slot->error > 0)
        refuse(d, slot);
    else if (slot->error == 0)
        d->stats.trains_sent++;
    return true;
}

void stt_uring_send_sweep(struct stt_uring *d)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->queue_n; i++) {
        uint16_t number = d->queue[i];
        if (is_concluded(d, &d->slots[number]))
            d->idle[d->idle_n++] = number;
        else
            d->queue[kept++] = number;
    }
    d->queue_n = kept;
}

bool stt_uring_refused(struct stt_driver *driver, struct stt_driver_refusal *refusal)
{
    struct stt_uring *d = stt_uring_of(driver);
    if (!d->refusals_n)
        return false;
    *refusal = d->refusals[d->refusals_first];
    d->refusals_first = (d->refusals_first + 1) % STT_URING_REFUSALS;
    d->refusals_n--;
    return true;
}

/* Nobody wants to know any more: neither sent nor refused. */
void stt_uring_send_drop(struct stt_uring *d, uint32_t number)
{
    for (uint32_t i = 0; i < d->queue_n; i++)
        if (d->slots[d->queue[i]].train.socket == number)
            give_up(&d->slots[d->queue[i]], -1);
    for (uint32_t left = d->refusals_n; left; left--) { /* once around, without those */
        struct stt_driver_refusal r;
        stt_uring_refused(&d->driver, &r);
        if (r.socket != number)
            d->refusals[(d->refusals_first + d->refusals_n++) % STT_URING_REFUSALS] = r;
    }
}
