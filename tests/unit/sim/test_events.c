/* SPDX-License-Identifier: MIT */
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "transport/sim/events.h"
#include "transport/sim/heap.h"

START_TEST(events_come_in_the_order_of_time_and_then_of_announcement)
{
    struct stt_net_events q;
    stt_net_events_init(&q, &stt_net_env);
    struct rng rng = rng_init((uint64_t)_i);
    for (uint32_t i = 0; i < 2000; i++)
        stt_net_events_push(&q, (struct stt_net_event){.at = rng_below(&rng, 100), .number = i});
    struct stt_net_event last = {0}, e;
    for (uint32_t i = 0; i < 2000; i++) {
        stt_ns next = stt_net_events_next(&q);
        ck_assert(stt_net_events_pop(&q, &e));
        ck_assert_uint_eq(e.at, next);
        ck_assert(i == 0 || e.at > last.at || (e.at == last.at && e.number > last.number));
        last = e;
    }
    ck_assert(!stt_net_events_pop(&q, &e));
    ck_assert_uint_eq(stt_net_events_next(&q), STT_NEVER);
    stt_net_events_fini(&q);
}
END_TEST

START_TEST(pushing_and_popping_may_alternate)
{
    struct stt_net_events q;
    stt_net_events_init(&q, &stt_net_env);
    struct rng rng = rng_init(1);
    stt_ns now = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        stt_net_events_push(&q, (struct stt_net_event){.at = now + rng_below(&rng, 50)});
        if (i % 3) {
            struct stt_net_event e;
            ck_assert(stt_net_events_pop(&q, &e));
            ck_assert_uint_ge(e.at, now);
            now = e.at;
        }
    }
    stt_net_events_fini(&q);
}
END_TEST

SUITE("events", LOOP(events_come_in_the_order_of_time_and_then_of_announcement, 0, 10),
      TEST(pushing_and_popping_may_alternate))
