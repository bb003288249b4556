/* SPDX-License-Identifier: MIT
 * What may be called from other threads, for all drivers. */
#include "tests/support/ends.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WAKERS = 3, ROUNDS = 300 };

struct sleeper {
    struct end e;
    atomic_uint wanted, seen; /* rounds */
    atomic_bool is_over;
};

/* Each wake is answered before the next: one that is lost, or comes too early to be seen, hangs. */
static void *wake_and_wait(void *arg)
{
    struct sleeper *s = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned mine = atomic_fetch_add(&s->wanted, 1) + 1;
        stt_driver_wake(s->e.d);
        while (atomic_load(&s->seen) < mine && !atomic_load(&s->is_over))
            sched_yield();
    }
    return NULL;
}

START_TEST(no_wake_is_lost)
{
    struct sleeper s = {0};
    if (!end_open(&s.e, _i, "127.0.0.1", NULL))
        return;
    pthread_t threads[WAKERS];
    for (unsigned i = 0; i < WAKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wake_and_wait, &s), 0);
    const stt_ns end = boot_ns() + 2 * STT_MS(UDP_PATIENCE_MS);
    stt_driver_alarm(s.e.d, end);
    while (atomic_load(&s.seen) < WAKERS * ROUNDS && boot_ns() < end) {
        ck_assert_int_eq(stt_driver_step(s.e.d, true), STT_OK);
        atomic_store(&s.seen, atomic_load(&s.wanted));
    }
    atomic_store(&s.is_over, true);
    for (unsigned i = 0; i < WAKERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(s.seen, WAKERS * ROUNDS);
    end_free(&s.e);
}
END_TEST

/* Made here, stepped there. */
static void *exchange(void *arg)
{
    struct end *ends = arg;
    struct flow *f = calloc(1, sizeof *f);
    for (unsigned i = 0; i < 200; i++) {
        struct stt_driver_train t = train_of(1 + i * 20, 1000, ends[1].socket.local);
        flow_send(f, &ends[0], &t);
        flow_finish(f, &ends[0], &ends[1]);
    }
    free(f);
    return NULL;
}

START_TEST(drivers_belong_to_the_thread_that_steps_them)
{
    struct end ends[2][2];
    pthread_t threads[2];
    for (unsigned i = 0; i < 4; i++)
        if (!end_open(&ends[i / 2][i % 2], _i, "127.0.0.1", NULL))
            return;
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, exchange, ends[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < 4; i++) {
        struct stt_driver_stats s = stats_of(&ends[i / 2][i % 2]);
        ck_assert_uint_eq(s.trains_sent, i % 2 ? 0 : 200);
        end_free(&ends[i / 2][i % 2]);
    }
}
END_TEST

SUITE("drivers_threads", LOOP(no_wake_is_lost, 0, DRIVERS),
      LOOP(drivers_belong_to_the_thread_that_steps_them, 0, DRIVERS))
