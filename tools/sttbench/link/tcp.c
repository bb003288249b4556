/* SPDX-License-Identifier: MIT
 * tcp: owns a flow of TCP in a simulated world: its two machines, and the clock between theirs and
 * the world's.
 *
 *   tcp_sender ---- segments ---->  route  ----> tcp_receiver        each knows the other by
 *       tcp_recovery  <---- acks ----  route  <---- /                datagrams only
 *       tcp_board (what is in flight)  tcp_cubic (the window)  tcp_rtt (the timeout)
 *
 * As in Linux: the initial window of ten packets, CUBIC with HyStart, bursts in place of pacing,
 * delayed and quick acks, SACK, RACK, proportional rate reduction, tail loss probes, timeouts with
 * F-RTO, undoing by DSACK and timestamps, growth only of a window that is used.
 *
 * Left out, because a bulk flow beside others does not need it or the application is a simple one:
 * receive buffers (they are never in the way) and what grows them, the queue of the own machine,
 * GRO at the receiver (every second segment is acknowledged, not every burst), ECN, pacing,
 * slow start after idle times, SACK reneging, a least round trip that is forgotten after five
 * minutes, FIN, and the end of patience: a flow that nobody answers tries for ever.
 *
 * Everything is integers: one seed gives the same on every machine. */
#include "tools/sttbench/link/tcp.h"

#include "tools/sttbench/link/tcp_receiver.h"
#include "tools/sttbench/link/tcp_sender.h"

#include <stdlib.h>

struct tcp_flow {
    struct tcp_setup setup;
    struct tcp_sender sender;
    struct tcp_receiver receiver;
    stt_sim_node from, to;
};

/* -- the sending machine ----------------------------------------------------------------------- */

static void receive_ack(void *ctx, stt_ns now, const struct stt_train *train)
{
    struct tcp_flow *t = ctx;
    struct tcp_packet p;
    size_t step = train->segment_bytes ? train->segment_bytes : train->len;
    for (size_t at = 0; at < train->len; at += step) {
        size_t len = train->len - at < step ? train->len - at : step;
        tcp_packet_decode(&p, train->data + at, len);
        tcp_sender_on_packet(&t->sender, now / 1000, &p);
    }
}

static bool transmit_data(void *ctx, stt_ns now, struct stt_train *train)
{
    struct tcp_flow *t = ctx;
    struct tcp_packet p;
    size_t room = train->len, n = 0;
    train->path = (struct stt_path){.local = t->setup.from, .remote = t->setup.to};
    train->ecn = 0;
    train->len = train->segment_bytes = 0;
    if (now < t->setup.at)
        return false;
    while (n < STT_TRAIN_SEGMENTS && room - train->len >= TCP_DATAGRAM_BYTES &&
           train->len == n * TCP_DATAGRAM_BYTES && tcp_sender_take(&t->sender, &p, now / 1000)) {
        train->len += tcp_packet_encode(&p, train->data + train->len);
        train->segment_bytes = n++ ? train->segment_bytes : train->len;
    }
    return n > 0;
}

static stt_ns sender_deadline(const void *ctx)
{
    const struct tcp_flow *t = ctx;
    if (!t->sender.is_connected && !t->sender.greetings)
        return t->setup.at;
    return t->sender.alarm == TCP_ALARM_NONE ? STT_NEVER : t->sender.alarm_us * 1000;
}

static void expire_sender(void *ctx, stt_ns now)
{
    tcp_sender_on_expired(&((struct tcp_flow *)ctx)->sender, now / 1000);
}

/* -- the receiving machine --------------------------------------------------------------------- */

static void receive_data(void *ctx, stt_ns now, const struct stt_train *train)
{
    struct tcp_flow *t = ctx;
    struct tcp_packet p;
    size_t step = train->segment_bytes ? train->segment_bytes : train->len;
    for (size_t at = 0; at < train->len; at += step) {
        size_t len = train->len - at < step ? train->len - at : step;
        tcp_packet_decode(&p, train->data + at, len);
        tcp_receiver_on_packet(&t->receiver, now, &p);
    }
}

static bool transmit_ack(void *ctx, stt_ns now, struct stt_train *train)
{
    struct tcp_flow *t = ctx;
    (void)now;
    const struct tcp_packet *p = tcp_receiver_take(&t->receiver);
    if (!p)
        return false;
    train->path = (struct stt_path){.local = t->setup.to, .remote = t->setup.from};
    train->ecn = 0;
    train->len = train->segment_bytes = tcp_packet_encode(p, train->data);
    return true;
}

static stt_ns receiver_deadline(const void *ctx)
{
    return tcp_receiver_deadline(&((const struct tcp_flow *)ctx)->receiver);
}

static void expire_receiver(void *ctx, stt_ns now)
{
    tcp_receiver_on_expired(&((struct tcp_flow *)ctx)->receiver, now);
}

/* -- a flow ------------------------------------------------------------------------------------ */

static const struct stt_sim_machine sending = {.receive = receive_ack,
                                               .transmit = transmit_data,
                                               .deadline = sender_deadline,
                                               .expire = expire_sender};
static const struct stt_sim_machine receiving = {.receive = receive_data,
                                                 .transmit = transmit_ack,
                                                 .deadline = receiver_deadline,
                                                 .expire = expire_receiver};

struct tcp_flow *tcp_begin(struct stt_sim *sim, const struct tcp_setup *setup)
{
    struct tcp_flow *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->setup = *setup;
    bool has_sender = tcp_sender_init(&t->sender, setup->until / 1000, setup->bytes);
    if (!tcp_receiver_init(&t->receiver) || !has_sender ||
        stt_sim_machine_add(sim, &sending, t, &setup->from, &t->from) ||
        stt_sim_machine_add(sim, &receiving, t, &setup->to, &t->to)) {
        tcp_end(t);
        return NULL;
    }
    return t;
}

void tcp_end(struct tcp_flow *t)
{
    if (!t)
        return;
    tcp_sender_fini(&t->sender);
    tcp_receiver_fini(&t->receiver);
    free(t);
}

uint64_t tcp_read_bytes(const struct tcp_flow *t)
{
    return tcp_receiver_read_bytes(&t->receiver);
}

stt_ns tcp_connected_at(const struct tcp_flow *t)
{
    return t->sender.is_connected ? t->sender.connected_us * 1000 : STT_NEVER;
}

stt_ns tcp_ended_at(const struct tcp_flow *t)
{
    return t->sender.is_ended ? t->sender.ended_us * 1000 : STT_NEVER;
}

uint64_t tcp_window_bytes(const struct tcp_flow *t)
{
    return (uint64_t)t->sender.cubic.window * TCP_SEGMENT_BYTES;
}

uint64_t tcp_sent_bytes(const struct tcp_flow *t)
{
    return t->sender.sent * TCP_SEGMENT_BYTES;
}

uint64_t tcp_retransmitted_bytes(const struct tcp_flow *t)
{
    return t->sender.resent * TCP_SEGMENT_BYTES;
}

stt_ns tcp_rtt_ns(const struct tcp_flow *t)
{
    return tcp_rtt_smoothed_us(&t->sender.rtt) * 1000;
}

uint32_t tcp_reductions(const struct tcp_flow *t)
{
    return t->sender.reductions;
}

uint32_t tcp_timeouts(const struct tcp_flow *t)
{
    return t->sender.timeouts;
}
