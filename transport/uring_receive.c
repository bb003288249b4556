/* SPDX-License-Identifier: MIT
 * uring_receive: buffers, receives that go on by themselves, trains that came; and, for who looks
 * again and again, sockets that are asked instead: then nobody has to be woken for what comes,
 * which is work for the sender.
 *
 *            kernel takes            completion               receive()           next call
 *   shelf ----------------> kernel --------------> arrivals ----------> lent ---------------->
 * shelf
 *
 * Owns the buffers, each with room for a name, control messages and 64 KiB. Invariants: a buffer is
 * in one of these places; arrivals are handed out as they came; a receive that ended is armed again
 * in the next step, if it was for lack of buffers, not before one is on the shelf, and if it ended
 * again and again, not before the back-off is over. It must not know what a step is, nor what is in
 * a datagram. */
#include "transport/uring.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

enum {
    NAME_BYTES = 48, /* so that data begins on a cache line */
    HEAD_BYTES = 16 + NAME_BYTES + STT_CONTROL_BYTES,
    BUFFER_BYTES = HEAD_BYTES + (1 << 16),
    GROUP = 0,
    ENDS_MAX = 3,
    INBOX_BYTES = STT_INBOX_TRAINS * STT_INBOX_TRAIN_BYTES,
};
_Static_assert(sizeof(struct io_uring_recvmsg_out) == 16, "as the kernel writes it");
_Static_assert(NAME_BYTES >= sizeof(struct sockaddr_in6), "for any address");
_Static_assert(HEAD_BYTES % 64 == 0, "data begins on a cache line");

static size_t shelf_bytes(const struct stt_uring *d)
{
    return d->config.receive_buffers * sizeof(struct io_uring_buf);
}

static uint8_t *buffer_at(const struct stt_uring *d, uint32_t buffer)
{
    return d->buffers + (size_t)buffer * BUFFER_BYTES;
}

static void shelve(struct stt_uring *d, uint16_t buffer)
{
    int mask = io_uring_buf_ring_mask(d->config.receive_buffers);
    io_uring_buf_ring_add(d->shelf, buffer_at(d, buffer), BUFFER_BYTES, buffer, mask, 0);
    io_uring_buf_ring_advance(d->shelf, 1);
    d->shelved++;
}

int stt_uring_receive_init(struct stt_uring *d)
{
    uint32_t n = d->config.receive_buffers;
    d->shelf = stt_uring_map(shelf_bytes(d));
    d->buffers = stt_uring_map((size_t)n * BUFFER_BYTES);
    d->arrivals = calloc(n, sizeof *d->arrivals);
    d->inbox_memory = stt_uring_map(INBOX_BYTES);
    if (!d->shelf || !d->buffers || !d->arrivals || !d->inbox_memory)
        return STT_E_MEMORY;
    stt_inbox_init(&d->inbox, d->inbox_memory);
    struct io_uring_buf_reg reg = {
        .ring_addr = (uint64_t)(uintptr_t)d->shelf, .ring_entries = n, .bgid = GROUP};
    if (io_uring_register_buf_ring(&d->ring, &reg, 0) < 0)
        return STT_E_UNSUPPORTED;
    io_uring_buf_ring_init(d->shelf);
    for (uint32_t i = 0; i < n; i++)
        shelve(d, (uint16_t)i);
    d->shape = (struct msghdr){.msg_namelen = NAME_BYTES, .msg_controllen = STT_CONTROL_BYTES};
    return STT_OK;
}

void stt_uring_receive_fini(struct stt_uring *d)
{
    stt_uring_unmap(d->shelf, shelf_bytes(d));
    stt_uring_unmap(d->buffers, (size_t)d->config.receive_buffers * BUFFER_BYTES);
    stt_uring_unmap(d->inbox_memory, INBOX_BYTES);
    free(d->arrivals);
}

static bool can_arm(const struct stt_uring *d, const struct stt_uring_socket *s)
{
    return s->is_used && !s->is_leaving && !d->is_asking &&
           (s->receiving == STT_URING_GO || (s->receiving == STT_URING_STARVED && d->shelved));
}

void stt_uring_receive_prepare(struct stt_uring *d)
{
    for (uint32_t i = 0; i < d->sockets_end; i++) {
        struct stt_uring_socket *s = &d->sockets[i];
        struct io_uring_sqe *sqe = can_arm(d, s) ? stt_uring_sqe(d) : NULL;
        if (!sqe)
            continue;
        io_uring_prep_recvmsg_multishot(sqe, (int)i, &d->shape, 0);
        sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
        sqe->buf_group = GROUP;
        stt_uring_name(sqe, STT_URING_RECEIVE, i, 0);
        s->receiving = STT_URING_ARMED;
        s->under_way++;
    }
}

void stt_uring_receive_return(struct stt_uring *d)
{
    if (d->is_lent)
        shelve(d, d->lent);
    d->is_lent = false;
}

static struct stt_uring_arrival *arrival_at(struct stt_uring *d, uint32_t i)
{
    return &d->arrivals[(d->arrivals_first + i) & (d->config.receive_buffers - 1)];
}

void stt_uring_receive_drop(struct stt_uring *d, uint32_t number)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->arrivals_n; i++) {
        struct stt_uring_arrival a = *arrival_at(d, i);
        if (a.socket == number)
            shelve(d, a.buffer);
        else
            *arrival_at(d, kept++) = a;
    }
    d->arrivals_n = kept;
    if (d->inbox.socket == number)
        d->inbox.first = d->inbox.n;
}

static void count_end(struct stt_uring *d, int error)
{
    if (error == ENOBUFS)
        d->stats.out_of_buffers++;
    else if (error)
        d->stats.receive_errors++;
}

static void on_arrival(struct stt_uring *d, struct stt_uring_socket *s, uint16_t buffer, int len)
{
    const struct stt_driver_faults *faults = d->config.faults;
    int error = 0;
    d->shelved--;
    if (!s->is_leaving && faults && faults->on_receive)
        error = faults->on_receive(faults->ctx);
    if (s->is_leaving || error) {
        count_end(d, error);
        shelve(d, buffer);
        return;
    }
    s->ends = 0;
    *arrival_at(d, d->arrivals_n++) = (struct stt_uring_arrival){
        .buffer = buffer, .socket = (uint16_t)(s - d->sockets), .len = len};
}

static void on_end(struct stt_uring *d, struct stt_uring_socket *s, int error)
{
    s->under_way--;
    s->receiving = STT_URING_GO;
    if (s->is_leaving || (s->is_disarming && error == ECANCELED)) {
        s->is_disarming = false;
        return;
    }
    count_end(d, error);
    if (error == ENOBUFS)
        s->receiving = STT_URING_STARVED;
    else if (error && s->ends++ >= ENDS_MAX)
        s->receiving = STT_URING_RESTING;
}

void stt_uring_on_receive(struct stt_uring *d, uint32_t number, const struct io_uring_cqe *cqe)
{
    struct stt_uring_socket *s = &d->sockets[number];
    if (cqe->flags & IORING_CQE_F_BUFFER)
        on_arrival(d, s, (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT), cqe->res);
    if (!(cqe->flags & IORING_CQE_F_MORE))
        on_end(d, s, cqe->res < 0 ? -cqe->res : 0);
}

/* -- sockets that are asked -------------------------------------------------------------------- */

static void disarm(struct stt_uring *d, uint32_t number)
{
    struct stt_uring_socket *s = &d->sockets[number];
    struct io_uring_sqe *sqe, name;
    if (s->receiving != STT_URING_ARMED || s->is_disarming || !(sqe = stt_uring_sqe(d)))
        return;
    stt_uring_name(&name, STT_URING_RECEIVE, number, 0);
    io_uring_prep_cancel64(sqe, name.user_data, 0);
    stt_uring_name(sqe, STT_URING_FORGET, 0, 0);
    s->is_disarming = true;
}

void stt_uring_receive_ask(struct stt_uring *d, bool asks)
{
    if (asks && !d->is_asking)
        for (uint32_t i = 0; i < d->sockets_end; i++)
            disarm(d, i);
    d->is_asking = asks;
    d->to_ask = 0;
}

/* Who is armed yet is heard from the kernel first. */
void stt_uring_receive_again(struct stt_uring *d)
{
    d->to_ask = 0;
    for (uint32_t i = 0; d->is_asking && i < d->sockets_end; i++) {
        const struct stt_uring_socket *s = &d->sockets[i];
        if (s->is_used && !s->is_leaving && s->receiving != STT_URING_ARMED)
            d->to_ask |= 1u << i;
    }
}

/* False: there is nothing more. */
static bool ask(struct stt_uring *d)
{
    while (stt_inbox_is_empty(&d->inbox) && d->to_ask) {
        uint32_t number = (uint32_t)__builtin_ctz(d->to_ask);
        int error = stt_inbox_fill(&d->inbox, &d->sockets[number].socket, number, STT_INBOX_TRAINS);
        if (error && error != EAGAIN)
            d->stats.receive_errors++;
        if (d->inbox.n < STT_INBOX_TRAINS)
            d->to_ask &= ~(1u << number);
    }
    return !stt_inbox_is_empty(&d->inbox);
}

/* False: the fault that is tried out took it, or it was not whole. */
static bool take_asked(struct stt_uring *d, struct stt_driver_train *train)
{
    const struct stt_driver_faults *faults = d->config.faults;
    if (!stt_inbox_take(&d->inbox, &d->sockets[d->inbox.socket].socket, train)) {
        d->stats.truncated++;
        return false;
    }
    bool is_lost = faults && faults->on_receive && faults->on_receive(faults->ctx);
    d->stats.receive_errors += is_lost;
    return !is_lost;
}

/* -- trains that came -------------------------------------------------------------------------- */

static bool decode(struct stt_uring *d, const struct stt_uring_arrival *a,
                   struct stt_driver_train *train)
{
    struct io_uring_recvmsg_out *out =
        io_uring_recvmsg_validate(buffer_at(d, a->buffer), a->len, &d->shape);
    if (!out || out->namelen > NAME_BYTES || out->controllen > STT_CONTROL_BYTES)
        return false;
    uint8_t *name = io_uring_recvmsg_name(out);
    train->socket = a->socket;
    train->data = io_uring_recvmsg_payload(out, &d->shape);
    return stt_control_decode(&d->sockets[a->socket].socket, name, out->namelen, name + NAME_BYTES,
                              out->controllen, out->flags,
                              io_uring_recvmsg_payload_length(out, a->len, &d->shape), train);
}

static void count(struct stt_driver_stats *stats, const struct stt_driver_train *train)
{
    size_t segment = train->segment_bytes ? train->segment_bytes : 1;
    stats->trains_received++;
    stats->datagrams_received += train->len ? (train->len + segment - 1) / segment : 1;
    stats->bytes_received += train->len;
}

bool stt_uring_receive(struct stt_driver *driver, struct stt_driver_train *train)
{
    struct stt_uring *d = stt_uring_of(driver);
    stt_uring_receive_return(d);
    while (d->arrivals_n) {
        struct stt_uring_arrival a = *arrival_at(d, 0);
        d->arrivals_first++;
        d->arrivals_n--;
        if (decode(d, &a, train)) {
            d->lent = a.buffer;
            d->is_lent = true;
            count(&d->stats, train);
            return true;
        }
        d->stats.truncated++;
        shelve(d, a.buffer);
    }
    while (ask(d))
        if (take_asked(d, train)) {
            count(&d->stats, train);
            return true;
        }
    stt_uring_bell_settle(d);
    return false;
}
