/* SPDX-License-Identifier: MIT
 * run: owns the clock of a run and the bytes that are sent. It must not know by what. */
#include "tools/sttbench/compare/run.h"
#include "tools/sttbench/shared/figures.h"

const char *const run_way_names[RUN_WAYS] = {"calls", "spinning"};

void run_begin(struct run *r)
{
    atomic_store(&r->began_ns, (uint64_t)figures_clock_ns(CLOCK_MONOTONIC));
}

static void look(struct run_reading *reading, double now, uint64_t bytes)
{
    *reading = (struct run_reading){.wall_s = now, .cpu_s = figures_cpu_s(), .bytes = bytes};
}

bool run_goes_on(struct run *r, enum run_side side, uint64_t bytes)
{
    struct run_end *end = &r->ends[side];
    uint64_t began = atomic_load_explicit(&r->began_ns, memory_order_relaxed);
    double now = figures_wall_s(), from = (double)began * 1e-9 + r->setup.warm_s;
    end->bytes = bytes;
    if (began && end->n == 0 && now >= from) {
        look(&end->first, now, bytes);
        end->n = 1;
    } else if (end->n == 1 && now >= from + r->setup.timed_s) {
        look(&end->last, now, bytes);
        end->n = 2;
        if (side == RUN_RECEIVER)
            atomic_store(&r->is_over, 1);
    }
    return !atomic_load_explicit(&r->is_over, memory_order_relaxed) || end->n < 2;
}

const uint8_t *run_piece(uint64_t at)
{
    static uint64_t words[2 * RUN_PIECE_BYTES / 8];
    uint64_t state = 1;
    for (size_t i = 0; !words[0] && i < sizeof words / sizeof words[0]; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        words[sizeof words / sizeof words[0] - 1 - i] = state ^ state >> 29;
    }
    size_t shift = (size_t)((at ^ at >> 17) * 0x9e3779b97f4a7c15u >> 40) % RUN_PIECE_BYTES;
    return (const uint8_t *)words + shift / 64 * 64;
}

/* Damage before failure: who finds it ends, and the other one fails then. */
enum run_verdict run_judge(const struct run *r, bool is_lossy, bool is_done)
{
    const struct run_end *sender = &r->ends[RUN_SENDER], *receiver = &r->ends[RUN_RECEIVER];
    if (atomic_load(&r->is_wrong))
        return RUN_WRONG;
    if (!is_done)
        return RUN_FAILED;
    if (sender->n != 2 || receiver->n != 2)
        return RUN_CUT;
    bool is_same = sender->bytes == receiver->bytes && sender->hash == receiver->hash;
    return is_lossy || is_same ? RUN_FINE : RUN_WRONG;
}

void run_sample(const struct run *r, struct rows_sample *out)
{
    const struct run_end *s = &r->ends[RUN_SENDER], *t = &r->ends[RUN_RECEIVER];
    double came_s = t->last.wall_s - t->first.wall_s, sent_s = s->last.wall_s - s->first.wall_s;
    double gb_per_s = (double)(t->last.bytes - t->first.bytes) * 1e-9 / came_s;
    *out = (struct rows_sample){
        .bits_per_s = gb_per_s * 8e9,
        .sender_busy = (s->last.cpu_s - s->first.cpu_s) / sent_s,
        .receiver_busy = (t->last.cpu_s - t->first.cpu_s) / came_s,
    };
    out->sender_s_per_gb = out->sender_busy / gb_per_s;
    out->receiver_s_per_gb = out->receiver_busy / gb_per_s;
}
