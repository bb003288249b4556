/* SPDX-License-Identifier: MIT
 * streamq: what the queues of a stream cost per packet of 1,400 bytes: the bookkeeping, and the
 * copies beside a bare memcpy of the same bytes. */
#include "stt/stream/recvq.h"
#include "stt/stream/sendq.h"
#include "tests/support/env.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 1400, WINDOW = 700, ROUNDS = 2000, LOSS = 20, RUNS = 5 };

struct bench {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_sendq s;
    struct stt_recvq r;
    uint8_t packet[PIECE];
    uint64_t allocs, seen;
    struct stt_sendq_piece in_flight[WINDOW];
};

enum phase { WRITE, NEXT, ACKED, INSERT, READ, PHASES };

static const struct {
    const char *name;
    bool copies;
} phases[PHASES] = {
    {"sendq: write", true},  {"sendq: next and parts", false},   {"sendq: on_acked", false},
    {"recvq: insert", true}, {"recvq: peek and consume", false},
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void take_next(struct bench *b, int i)
{
    struct bytes parts[2];
    require(stt_sendq_next(&b->s, UINT64_MAX, PIECE, &b->in_flight[i]));
    size_t n = stt_sendq_parts(&b->s, b->in_flight[i].offset, PIECE, parts, 2);
    b->seen += n + parts[0].data[0];
}

static void insert(struct bench *b, const struct stt_sendq_piece *piece)
{
    struct bytes data = {b->packet, piece->len};
    require(stt_recvq_insert(&b->r, piece->offset, data, false) == STT_RECVQ_OK);
}

static void read_some(struct bench *b)
{
    struct bytes parts[2];
    uint64_t len = stt_recvq_available(&b->r) < PIECE ? stt_recvq_available(&b->r) : PIECE;
    b->seen += stt_recvq_peek(&b->r, parts, 2) + parts[0].data[0];
    stt_recvq_consume(&b->r, len);
}

static bool is_lost(int i, int percent)
{
    return percent && i * percent % 100 < percent;
}

static void run_phase(struct bench *b, enum phase phase, int percent)
{
    for (int i = 0; i < WINDOW; i++)
        if (phase == WRITE)
            require(stt_sendq_write(&b->s, BYTES(b->packet), UINT64_MAX) == PIECE);
        else if (phase == NEXT)
            take_next(b, i);
        else if (phase == ACKED && !is_lost(i, percent))
            stt_sendq_on_acked(&b->s, b->in_flight[i].offset,
                               b->in_flight[i].offset + b->in_flight[i].len, false);
        else if (phase == INSERT && !is_lost(i, percent))
            insert(b, &b->in_flight[i]);
        else if (phase == READ)
            read_some(b);
}

/* What was lost in this window is sent once more, and arrives. */
static void repair(struct bench *b, int percent)
{
    struct stt_sendq_piece piece;
    for (int i = 0; i < WINDOW; i++)
        if (is_lost(i, percent))
            stt_sendq_on_lost(&b->s, b->in_flight[i].offset,
                              b->in_flight[i].offset + b->in_flight[i].len, false);
    while (stt_sendq_next(&b->s, 0, PIECE, &piece)) {
        insert(b, &piece);
        stt_sendq_on_acked(&b->s, piece.offset, piece.offset + piece.len, false);
    }
}

/* A window at a time: written, sent, received, acknowledged, repaired, read. */
static void run(struct bench *b, int percent, double ns[PHASES])
{
    static const enum phase order[] = {WRITE, NEXT, INSERT, ACKED};
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t p = 0; p < 4; p++) {
            double start = wall_ns();
            run_phase(b, order[p], percent);
            ns[order[p]] += wall_ns() - start;
        }
        repair(b, percent);
        double start = wall_ns();
        run_phase(b, READ, percent);
        ns[READ] += wall_ns() - start;
        if (round == 0)
            b->allocs = b->te.allocs;
    }
}

static void bench(int percent, double best[PHASES])
{
    static struct bench b;
    for (int i = 0; i < RUNS; i++) {
        double ns[PHASES] = {0};
        test_env_init(&b.te, 1);
        stt_chunk_pool_init(&b.pool, &b.te.env, 16 << 20);
        stt_sendq_init(&b.s, &b.pool);
        stt_recvq_init(&b.r, &b.pool);
        run(&b, percent, ns);
        for (int p = 0; p < PHASES; p++)
            if (i == 0 || ns[p] < best[p])
                best[p] = ns[p];
        require(b.te.allocs == b.allocs); /* none after the first window */
        stt_sendq_fini(&b.s);
        stt_recvq_fini(&b.r);
        stt_chunk_pool_fini(&b.pool);
    }
}

/* The same bytes through the same amount of memory. */
static double bare_copy_ns(void)
{
    static uint8_t packet[PIECE], ring[WINDOW * PIECE];
    double best = 0;
    for (int run_number = 0; run_number < RUNS; run_number++) {
        double start = wall_ns();
        for (int i = 0; i < ROUNDS * WINDOW; i++) {
            memcpy(ring + i % WINDOW * PIECE, packet, PIECE);
            __asm__ volatile("" : : "r"(ring) : "memory");
        }
        double ns = (wall_ns() - start) / (ROUNDS * WINDOW);
        best = run_number == 0 || ns < best ? ns : best;
    }
    return best;
}

/* The reader keeps up: each packet is consumed before the next one comes. */
static double drained_ns(void)
{
    static struct bench b;
    struct stt_sendq_piece piece = {.len = PIECE};
    test_env_init(&b.te, 1);
    stt_chunk_pool_init(&b.pool, &b.te.env, 16 << 20);
    stt_recvq_init(&b.r, &b.pool);
    double start = wall_ns();
    for (int i = 0; i < ROUNDS * WINDOW; i++, piece.offset += PIECE) {
        insert(&b, &piece);
        read_some(&b);
    }
    double ns = (wall_ns() - start) / (ROUNDS * WINDOW);
    stt_recvq_fini(&b.r);
    stt_chunk_pool_fini(&b.pool);
    return ns;
}

int main(void)
{
    double in_order[PHASES], lossy[PHASES];
    bench(0, in_order);
    bench(LOSS, lossy);
    printf("%-28s %10s %10s   ns per piece of %d bytes\n", "streamq", "in order", "20 % lost",
           PIECE);
    for (int p = 0; p < PHASES; p++)
        printf("%-28s %10.1f %10.1f%s\n", phases[p].name, in_order[p] / (ROUNDS * WINDOW),
               lossy[p] / (ROUNDS * WINDOW), phases[p].copies ? "   with its copy" : "");
    printf("%-28s %10.1f\n", "recvq: insert and read out", drained_ns());
    printf("%-28s %10.1f\n", "a bare copy", bare_copy_ns());
    return 0;
}
