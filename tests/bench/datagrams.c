/* SPDX-License-Identifier: MIT
 * datagrams: what a queue of datagrams costs per datagram of 1,400 bytes, with the copy into it:
 * in windows, with one at a time, full so that each drops another, and in a pool that has no more
 * chunks to give. */
#include "stt/stream/datagrams.h"
#include "stt/wire/limits.h"
#include "tests/support/env.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>
#include <stdlib.h>

enum { LEN = 1400, TIMES = 1 << 20, RUNS = 5 };

struct bench {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_datagrams q;
    uint8_t data[LEN];
    uint64_t seen;
};

static const struct way {
    const char *name;
    size_t pool_bytes;
    int window; /* pushed and then popped; 0: nothing is popped */
} ways[] = {
    {"128 in, 128 out", 16 << 20, 128},
    {"one in, one out", 16 << 20, 1},
    {"the oldest drops", 16 << 20, 0},
    {"the oldest gives its chunk", 64 << 10, 0},
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void push_and_pop(struct bench *b, int window)
{
    struct stt_datagrams_view v;
    for (int i = 0; i < window || i == 0; i++)
        require(stt_datagrams_push(&b->q, BYTES(b->data)) == STT_OK);
    for (int i = 0; i < window; i++) {
        require(stt_datagrams_first(&b->q, &v));
        b->seen += v.parts[0].data[0];
        stt_datagrams_pop(&b->q);
    }
}

static double run(const struct way *way)
{
    static struct bench b;
    int step = way->window ? way->window : 1;
    test_env_init(&b.te, 1);
    stt_chunk_pool_init(&b.pool, &b.te.env, way->pool_bytes);
    stt_datagrams_init(&b.q, &b.pool, STT_CHUNK_FOR_SENDING);
    for (int i = 0; i < 2 * (int)STT_DATAGRAM_QUEUE_MAX; i += step)
        push_and_pop(&b, way->window);
    uint64_t allocs = b.te.allocs;
    double start = wall_ns();
    for (int i = 0; i < TIMES; i += step)
        push_and_pop(&b, way->window);
    double ns = (wall_ns() - start) / TIMES;
    require(b.te.allocs == allocs);
    stt_datagrams_fini(&b.q);
    stt_chunk_pool_fini(&b.pool);
    return ns;
}

int main(void)
{
    printf("%-28s %10s\n", "datagrams", "ns");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        double best = run(&ways[i]);
        for (int j = 1; j < RUNS; j++) {
            double ns = run(&ways[i]);
            best = ns < best ? ns : best;
        }
        printf("%-28s %10.1f\n", ways[i].name, best);
    }
    return 0;
}
