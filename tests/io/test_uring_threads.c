/* SPDX-License-Identifier: MIT
 * A driver on io_uring that other threads wake, and whose descriptor they poll. */
#include "tests/support/suite.h"
#include "transport/uring.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum { WAYS = 2, WAKERS = 3, WAKES = 2000, PATIENCE_MS = 20000 };

struct woken {
    struct stt_driver *d;
    atomic_uint said; /* by all wakers */
    uint32_t heard;
    bool polls;
};

static struct stt_driver *driver_new(int way)
{
    struct stt_driver *d = NULL;
    struct stt_driver_config config = STT_DRIVER_CONFIG_INIT;
    const struct stt_uring_knobs knobs = {.without_defer = way == 1};
    ck_assert_int_eq(stt_uring_new_with(&d, &config, &knobs), STT_OK);
    return d;
}

static void *say(void *arg)
{
    struct woken *w = arg;
    for (int i = 0; i < WAKES; i++) {
        atomic_fetch_add(&w->said, 1);
        stt_driver_wake(w->d);
    }
    return NULL;
}

/* Nothing else wakes it: a wake that is lost ends here, for ever or with the poll's patience. */
static void *listen_to(void *arg)
{
    struct woken *w = arg;
    struct pollfd p = {.events = POLLIN};
    if (w->polls)
        p.fd = stt_driver_fd(w->d);
    while (w->heard < WAKERS * WAKES) {
        if (w->polls)
            ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
        ck_assert_int_eq(stt_driver_step(w->d, !w->polls), STT_OK);
        w->heard = atomic_load(&w->said);
    }
    return NULL;
}

static void run(int way, bool polls)
{
    struct woken w = {.d = driver_new(way), .polls = polls};
    pthread_t listener, wakers[WAKERS];
    ck_assert_int_eq(pthread_create(&listener, NULL, listen_to, &w), 0);
    for (int i = 0; i < WAKERS; i++)
        ck_assert_int_eq(pthread_create(&wakers[i], NULL, say, &w), 0);
    for (int i = 0; i < WAKERS; i++)
        pthread_join(wakers[i], NULL);
    pthread_join(listener, NULL);
    ck_assert_uint_eq(w.heard, WAKERS * WAKES);
    stt_driver_free(w.d);
}

START_TEST(no_wake_is_lost_by_a_step_that_waits)
{
    run(_i, false);
}
END_TEST

START_TEST(no_wake_is_lost_by_who_polls)
{
    run(_i, true);
}
END_TEST

START_TEST(a_wake_before_the_first_step_is_not_lost)
{
    struct stt_driver *d = driver_new(_i);
    struct woken w = {.d = d};
    atomic_store(&w.said, WAKERS * WAKES);
    stt_driver_wake(d);
    pthread_t listener;
    ck_assert_int_eq(pthread_create(&listener, NULL, listen_to, &w), 0);
    pthread_join(listener, NULL);
    stt_driver_free(d);
}
END_TEST

SUITE("uring_threads", LOOP(no_wake_is_lost_by_a_step_that_waits, 0, WAYS),
      LOOP(no_wake_is_lost_by_who_polls, 0, WAYS),
      LOOP(a_wake_before_the_first_step_is_not_lost, 0, WAYS))
