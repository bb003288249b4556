/* SPDX-License-Identifier: MIT
 * timers: what one operation costs beside 100, 10,000 and 100,000 other timers. Each timer sits in
 * an owner of a kilobyte, as it does in life, so that touching one misses the cache. */
#include "stt/base/timers.h"
#include "tests/support/env.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>
#include <stdlib.h>

struct owner {
    struct stt_timer timer;
    uint8_t rest[1024];
};

struct bench {
    struct test_env te;
    struct stt_timers ts;
    struct owner *owners;
    uint32_t n;
    struct rng rng;
    stt_ns now;
};

static struct stt_timer *any(struct bench *b)
{
    return &b->owners[rng_below(&b->rng, b->n)].timer;
}

static stt_ns in_25_s(struct bench *b)
{
    return b->now + STT_S(25) + rng_below(&b->rng, STT_S(1));
}

static void setup(struct bench *b, uint32_t n)
{
    *b = (struct bench){.owners = calloc(n, sizeof *b->owners), .n = n, .rng = rng_init(1)};
    test_env_init(&b->te, 1);
    stt_timers_init(&b->ts, &b->te.env, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!b->owners || stt_timers_add(&b->ts, &b->owners[i].timer) != STT_OK)
            exit(1);
        stt_timers_set(&b->ts, &b->owners[i].timer, rng_below(&b->rng, STT_S(25)));
    }
}

static void teardown(struct bench *b)
{
    stt_timers_fini(&b->ts);
    free(b->owners);
}

/* The keep-alive of a busy session, pushed away by every packet. */
static void set_later_one(struct bench *b)
{
    stt_timers_set(&b->ts, &b->owners[0].timer, STT_S(100) + ++b->now);
}

static void set_later_any(struct bench *b)
{
    stt_timers_set(&b->ts, any(b), STT_S(100) + ++b->now);
}

/* An ack is owed soon, and then it has gone out; meanwhile time goes on, and what the heap still
 * has for soon is put right. */
static void set_near_and_far(struct bench *b)
{
    struct stt_timer *timer = any(b);
    stt_timers_set(&b->ts, timer, b->now + STT_MS(5));
    stt_timers_set(&b->ts, timer, in_25_s(b));
    b->now += STT_US(1);
    while ((timer = stt_timers_pop(&b->ts, b->now)))
        stt_timers_set(&b->ts, timer, in_25_s(b));
}

/* A round trip of a session beside those: what is owed soon, who is next, and it is over. */
static void set_near_ask_and_set_far(struct bench *b)
{
    stt_timers_set(&b->ts, &b->owners[0].timer, b->now + STT_MS(5));
    b->now += stt_timers_next(&b->ts) == STT_NEVER;
    stt_timers_set(&b->ts, &b->owners[0].timer, in_25_s(b));
    b->now += stt_timers_next(&b->ts) == STT_NEVER;
}

/* The first one expires, and its owner sets it again. */
static void pop_and_set(struct bench *b)
{
    struct stt_timer *timer;
    while (!(timer = stt_timers_pop(&b->ts, b->now)))
        b->now = stt_timers_next(&b->ts);
    stt_timers_set(&b->ts, timer, in_25_s(b));
}

static void remove_and_add(struct bench *b)
{
    struct stt_timer *timer = any(b);
    stt_timers_remove(&b->ts, timer);
    if (stt_timers_add(&b->ts, timer) != STT_OK)
        exit(1);
    stt_timers_set(&b->ts, timer, in_25_s(b));
}

static const struct {
    const char *name;
    void (*run)(struct bench *);
} operations[] = {
    {"set later, the same timer", set_later_one},
    {"set later, any timer", set_later_any},
    {"set near, then far, any timer", set_near_and_far},
    {"set near, ask, set far, ask, the same", set_near_ask_and_set_far},
    {"pop the first and set it again", pop_and_set},
    {"remove, add and set, any timer", remove_and_add},
};

static double ns_per_operation(uint32_t n, void (*run)(struct bench *))
{
    enum { ROUNDS = 1000000 };
    struct bench b;
    setup(&b, n);
    for (uint32_t i = 0; i < n; i++) /* once round, to see the steady state */
        run(&b);
    double start = wall_seconds();
    for (uint32_t i = 0; i < ROUNDS; i++)
        run(&b);
    double ns = (wall_seconds() - start) * 1e9 / ROUNDS;
    teardown(&b);
    return ns;
}

int main(void)
{
    static const uint32_t counts[] = {100, 10000, 100000};
    printf("%-32s %10s %10s %10s   ns per operation\n", "timers", "100", "10,000", "100,000");
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        printf("%-32s", operations[i].name);
        for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++)
            printf(" %10.1f", ns_per_operation(counts[j], operations[i].run));
        printf("\n");
    }
    return 0;
}
