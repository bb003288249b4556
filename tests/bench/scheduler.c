/* SPDX-License-Identifier: MIT
 * scheduler: what one step costs beside 1, 100 and 10,000 ready streams. Each place sits in an
 * owner of half a kilobyte, as it does in life, so that touching one misses the cache. */
#include "stt/stream/scheduler.h"
#include "tests/support/rng.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>
#include <stdlib.h>

enum { GRAIN = 16384, PACKET = 1400 };

struct owner {
    struct stt_schedule place;
    uint8_t rest[432];
};

struct bench {
    struct stt_scheduler s;
    struct owner *owners;
    uint32_t n;
    struct rng rng;
    stt_ns now;
};

static void setup(struct bench *b, uint32_t n)
{
    *b = (struct bench){.owners = calloc(n, sizeof *b->owners), .n = n, .rng = rng_init(1)};
    if (!b->owners)
        exit(1);
    stt_scheduler_init(&b->s, GRAIN);
    for (uint32_t i = 0; i < n; i++) {
        b->owners[i].place.urgency = 3;
        stt_scheduler_add(&b->s, &b->owners[i].place, 0);
    }
}

static void send_bytes(struct bench *b, uint32_t bytes)
{
    stt_scheduler_on_sent(&b->s, stt_scheduler_next(&b->s), bytes, ++b->now);
}

static void send_packet(struct bench *b)
{
    send_bytes(b, PACKET);
}

static void send_grain(struct bench *b)
{
    send_bytes(b, GRAIN);
}

/* Any stream runs out of data, and writes again. */
static void leave_and_come_back(struct bench *b)
{
    struct stt_schedule *place = &b->owners[rng_below(&b->rng, b->n)].place;
    stt_scheduler_remove(&b->s, place);
    stt_scheduler_add(&b->s, place, ++b->now);
}

/* Before each packet, raises who has waited for a thousand packets. */
static void send_packet_adaptive(struct bench *b)
{
    stt_scheduler_raise(&b->s, b->now, STT_US(1));
    send_packet(b);
}

static const struct {
    const char *name;
    void (*run)(struct bench *);
} operations[] = {
    {"choose, and send a packet", send_packet},
    {"choose, and send a grain", send_grain},
    {"leave and come back, any stream", leave_and_come_back},
    {"raise, choose, and send a packet", send_packet_adaptive},
};

static double ns_per_operation(uint32_t n, void (*run)(struct bench *))
{
    enum { ROUNDS = 2000000 };
    struct bench b;
    setup(&b, n);
    for (uint32_t i = 0; i < n; i++) /* once round, to see the steady state */
        run(&b);
    double start = wall_seconds();
    for (uint32_t i = 0; i < ROUNDS; i++)
        run(&b);
    double ns = (wall_seconds() - start) * 1e9 / ROUNDS;
    free(b.owners);
    return ns;
}

int main(void)
{
    static const uint32_t counts[] = {1, 100, 10000};
    printf("%-34s %8s %8s %8s   ns per operation\n", "ready streams", "1", "100", "10,000");
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        printf("%-34s", operations[i].name);
        for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++)
            printf(" %8.1f", ns_per_operation(counts[j], operations[i].run));
        printf("\n");
    }
    return 0;
}
