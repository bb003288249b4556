/* SPDX-License-Identifier: MIT
 * Any history of timers against a plain array of deadlines: the same ones pop, in the same order.
 * Input: operations of kind 1, timer 1, time 1. */
#include "stt/base/bytes.h"
#include "stt/base/timers.h"
#include "tests/support/env.h"
#include "tests/support/fuzz.h"

enum { TIMERS = 40, MAX = 32 };

struct world {
    struct test_env te;
    struct stt_timers ts;
    stt_ns now;
    struct stt_timer *timer[TIMERS]; /* on the heap, so that a sanitizer sees them go */
    stt_ns at[TIMERS];
    uint64_t order[TIMERS], next_order;
    uint32_t added;
};

static void add(struct world *w, int i)
{
    struct stt_timer *timer = malloc(sizeof *timer);
    uint64_t failed = w->te.failed;
    int error = stt_timers_add(&w->ts, timer);
    if (w->added == MAX)
        FUZZ_ASSERT(error == STT_E_LIMIT);
    else
        FUZZ_ASSERT(error == (w->te.failed > failed ? STT_E_MEMORY : STT_OK));
    if (error) {
        free(timer);
        return;
    }
    w->timer[i] = timer;
    w->at[i] = STT_NEVER;
    w->order[i] = w->next_order++;
    w->added++;
}

static void remove_timer(struct world *w, int i)
{
    stt_timers_remove(&w->ts, w->timer[i]);
    free(w->timer[i]);
    w->timer[i] = NULL;
    w->added--;
}

static void set(struct world *w, int i, stt_ns at)
{
    stt_timers_set(&w->ts, w->timer[i], at);
    w->at[i] = at;
}

/* The timer that must pop next, or -1: none is set. */
static int earliest(const struct world *w)
{
    int best = -1;
    for (int i = 0; i < TIMERS; i++) {
        if (!w->timer[i] || w->at[i] == STT_NEVER)
            continue;
        if (best < 0 || w->at[i] < w->at[best] ||
            (w->at[i] == w->at[best] && w->order[i] < w->order[best]))
            best = i;
    }
    return best;
}

static void check_pop(struct world *w, const struct stt_timer *popped)
{
    int i = earliest(w);
    if (i < 0 || w->at[i] > w->now) {
        FUZZ_ASSERT(popped == NULL);
        FUZZ_ASSERT(stt_timers_next(&w->ts) > w->now);
        return;
    }
    FUZZ_ASSERT(popped == w->timer[i] && !stt_timer_is_set(popped));
    w->at[i] = STT_NEVER;
}

static void expire(struct world *w)
{
    struct stt_timer *popped;
    do {
        popped = stt_timers_pop(&w->ts, w->now);
        check_pop(w, popped);
    } while (popped);
}

static void step(struct world *w, uint8_t kind, int i, stt_ns time)
{
    if (kind % 8 == 0)
        w->te.fail_from = time & 1;
    else if (kind % 8 == 1)
        w->now += time;
    else if (kind % 8 == 2)
        check_pop(w, stt_timers_pop(&w->ts, w->now)); /* just one */
    else if (kind % 8 == 3)
        expire(w);
    else if (!w->timer[i])
        add(w, i);
    else if (kind % 8 == 4 && time % 4 == 0)
        remove_timer(w, i);
    else if (kind % 8 == 4)
        set(w, i, STT_NEVER);
    else
        set(w, i, w->now + time / 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd input = rd_init(bytes_of(data, size));
    struct world w = {.now = 1000};
    test_env_init(&w.te, 1);
    stt_timers_init(&w.ts, &w.te.env, MAX);
    while (rd_left(&input)) {
        uint8_t kind = rd_u8(&input), i = rd_u8(&input), time = rd_u8(&input);
        step(&w, kind, i % TIMERS, time);
        int first = earliest(&w);
        FUZZ_ASSERT(stt_timers_next(&w.ts) == (first < 0 ? STT_NEVER : w.at[first]));
    }
    expire(&w);
    w.now = STT_NEVER - 1;
    expire(&w);
    FUZZ_ASSERT(stt_timers_next(&w.ts) == STT_NEVER);
    for (int i = 0; i < TIMERS; i++)
        if (w.timer[i])
            remove_timer(&w, i);
    stt_timers_fini(&w.ts);
    test_env_check_no_leak(&w.te);
    return 0;
}
