/* SPDX-License-Identifier: MIT
 * loss: what the sender's bookkeeping costs for a packet, from its sending to its ack: trains of 44
 * packets, an ACK for each train that arrived, and 10 to 100,000 packets in flight. With losses,
 * ACKs name the ranges above what the sender has settled, as a receiver does that was told. */
#include "stt/recovery/loss.h"
#include "tests/support/ack_frame.h"
#include "tests/support/env.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>

enum { TRAIN = 44, PACKET_BYTES = 1452, STREAM_BYTES = 1400, MEASURED = 4000000 };

struct bench {
    struct test_env te;
    struct stt_loss loss;
    struct stt_congestion congestion;
    const struct stt_controller *controller;
    struct rng rng;
    unsigned lost_per_1000;
    stt_ns now;
    uint64_t next, acked, offset;
    uint64_t settled, runs;
    /* What the receiver has, newest last. */
    struct stt_range ranges[STT_ACK_RANGES_MAX];
    size_t n_ranges;
};

static void send_train(struct bench *b, unsigned packets)
{
    struct stt_range numbers = {b->next, b->next + packets + 1};
    if (stt_loss_begin_train(&b->loss, b->now, 0, numbers, 0) != STT_OK)
        abort();
    for (unsigned i = 0; i < packets; i++) {
        if (stt_loss_skips(&b->loss, b->next) && numbers.to == b->next + packets - i + 1)
            stt_loss_on_skipped(&b->loss, b->next++, (uint32_t)rng_u64(&b->rng));
        struct stt_piece piece = {.stream = 1, .offset = b->offset, .len = STREAM_BYTES};
        struct stt_loss_packet packet = {.number = b->next++,
                                         .pieces = &piece,
                                         .n_pieces = 1,
                                         .bytes = PACKET_BYTES,
                                         .flags = STT_PACKET_ELICITS};
        stt_loss_on_packet(&b->loss, &packet);
        b->offset += STREAM_BYTES;
    }
    stt_loss_end_train(&b->loss, false);
    if (b->controller)
        b->controller->on_sent(&b->congestion, b->now, packets * PACKET_BYTES,
                               stt_loss_path(&b->loss)->in_flight_bytes, b->next - 1);
}

static void receive(struct bench *b, uint64_t number)
{
    size_t n = b->n_ranges;
    if (n && b->ranges[n - 1].to == number) {
        b->ranges[n - 1].to++;
        return;
    }
    if (n == STT_ACK_RANGES_MAX) {
        memmove(b->ranges, b->ranges + 1, (n - 1) * sizeof b->ranges[0]);
        n--;
    }
    b->ranges[n] = (struct stt_range){number, number + 1};
    b->n_ranges = n + 1;
}

static void receive_all_but(struct bench *b, uint64_t in_flight)
{
    for (; b->next - b->acked > in_flight; b->acked++)
        if (stt_flight_slot(&b->loss.flight, b->acked)->state != STT_PACKET_SKIPPED &&
            (!b->lost_per_1000 || rng_below(&b->rng, 1000) >= b->lost_per_1000))
            receive(b, b->acked);
    size_t old = 0;
    while (old + 1 < b->n_ranges && b->ranges[old].to <= b->loss.flight.first)
        old++;
    b->n_ranges -= old;
    memmove(b->ranges, b->ranges + old, b->n_ranges * sizeof b->ranges[0]);
}

static void take_ack(struct bench *b, const struct frame_ack *ack)
{
    struct stt_settled settled;
    if (stt_loss_on_ack(&b->loss, b->now, ack) != STT_CLOSE_NO_ERROR)
        abort();
    while (stt_loss_next(&b->loss, &settled)) {
        b->settled += settled.end - settled.first;
        b->runs++;
    }
    if (b->controller)
        stt_loss_tell(&b->loss, &b->congestion);
}

/* Nanoseconds for a packet, without what builds the ACKs. */
static double measure(struct bench *b, uint64_t in_flight)
{
    static struct ack_frame memory;
    unsigned train = in_flight < TRAIN ? (unsigned)in_flight : TRAIN;
    double spent = 0;
    uint64_t sent = 0, warm = 4 * in_flight;
    for (; sent < warm + MEASURED; sent += train) {
        double start = wall_seconds();
        b->now += train * 300;
        send_train(b, train);
        double between = wall_seconds();
        double cost = between - start;
        if (b->next > in_flight) {
            receive_all_but(b, in_flight);
            const struct frame_ack *ack = ack_frame(&memory, b->ranges, b->n_ranges, 0);
            start = wall_seconds();
            take_ack(b, ack);
            cost += wall_seconds() - start;
        }
        spent += sent >= warm ? cost : 0;
    }
    return spent * 1e9 / MEASURED;
}

static double run(uint64_t in_flight, unsigned lost_per_1000, const struct stt_controller *c)
{
    static struct bench b;
    b = (struct bench){
        .rng = rng_init(1), .lost_per_1000 = lost_per_1000, .now = 1, .controller = c};
    test_env_init(&b.te, 1);
    stt_loss_init(&b.loss, &b.te.env, 0);
    if (c)
        stt_congestion_init(&b.congestion, c, &stt_loss_path(&b.loss)->rtt, PACKET_BYTES, b.now);
    double ns = measure(&b, in_flight);
    stt_loss_free(&b.loss);
    return ns;
}

int main(void)
{
    static const uint64_t in_flight[] = {10, 1000, 100000};
    static const struct {
        const char *name;
        unsigned lost_per_1000;
        const struct stt_controller *controller;
    } rows[] = {
        {"no loss", 0, NULL},
        {"1 % lost", 10, NULL},
        {"no loss, with cubic", 0, &stt_cubic},
        {"1 % lost, with cubic", 10, &stt_cubic},
        {"no loss, with bbr", 0, &stt_bbr},
        {"1 % lost, with bbr", 10, &stt_bbr},
    };
    printf("%-24s %10s %10s %10s   ns per packet\n", "in flight", "10", "1,000", "100,000");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        printf("%-24s", rows[i].name);
        for (size_t j = 0; j < sizeof in_flight / sizeof in_flight[0]; j++)
            printf(" %10.1f", run(in_flight[j], rows[i].lost_per_1000, rows[i].controller));
        printf("\n");
    }
    return 0;
}
