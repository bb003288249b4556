/* SPDX-License-Identifier: MIT */
#include "stt/stream/deadlines.h"

#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <stdio.h>

enum { RANGES = 8 };

struct fixture {
    struct test_env te;
    struct stt_deadlines d;
    struct stt_range memory[RANGES];
    struct stt_ranges expired;
    char text[200];
};

static void setup(struct fixture *f)
{
    *f = (struct fixture){.text = ""};
    test_env_init(&f->te, 1);
    stt_ranges_init(&f->expired, f->memory, RANGES);
}

static void done(struct fixture *f)
{
    stt_deadlines_free(&f->d, &f->te.env);
    test_env_check_no_leak(&f->te);
}

static void add(struct fixture *f, uint64_t from, uint64_t to, stt_ns at)
{
    if (stt_deadlines_add(&f->d, &f->te.env, (struct stt_range){from, to}, at) != STT_OK)
        ck_abort_msg("no room");
}

/* What expires by now, as "0-10 20-30". */
static const char *expire(struct fixture *f, stt_ns now, const struct stt_ranges *acked)
{
    f->expired.n = 0;
    for (struct stt_range m; stt_deadlines_due(&f->d, now, acked, &m);) {
        stt_deadlines_give_up(&f->d, m);
        ck_assert_int_eq(stt_ranges_add(&f->expired, m.from, m.to), STT_OK);
    }
    size_t n = 0;
    f->text[0] = 0;
    for (uint32_t i = 0; i < f->expired.n; i++)
        n += (size_t)snprintf(f->text + n, sizeof f->text - n, "%s%llu-%llu", i ? " " : "",
                              (unsigned long long)f->memory[i].from,
                              (unsigned long long)f->memory[i].to);
    return f->text;
}

START_TEST(without_messages_there_is_nothing_to_wait_for_and_no_memory)
{
    struct fixture f;
    setup(&f);
    ck_assert_uint_eq(stt_deadlines_next(&f.d), STT_NEVER);
    ck_assert_str_eq(expire(&f, STT_NEVER, NULL), "");
    stt_deadlines_on_acked(&f.d, 100);
    ck_assert_uint_eq(f.te.allocs, 0);
    done(&f);
}
END_TEST

START_TEST(a_message_expires_at_its_deadline_and_once)
{
    struct fixture f;
    setup(&f);
    add(&f, 0, 10, 100);
    ck_assert_uint_eq(stt_deadlines_next(&f.d), 100);
    ck_assert_str_eq(expire(&f, 99, NULL), "");
    ck_assert_str_eq(expire(&f, 100, NULL), "0-10");
    ck_assert_str_eq(expire(&f, 200, NULL), "");
    ck_assert_uint_eq(stt_deadlines_next(&f.d), STT_NEVER);
    done(&f);
}
END_TEST

START_TEST(neighbours_that_expire_share_a_range)
{
    struct fixture f;
    setup(&f);
    add(&f, 0, 10, 100);
    add(&f, 10, 20, 101);
    add(&f, 30, 40, 102); /* between them, one without a deadline */
    add(&f, 40, 50, 200);
    ck_assert_str_eq(expire(&f, 150, NULL), "0-20 30-40");
    ck_assert_uint_eq(stt_deadlines_next(&f.d), 200);
    done(&f);
}
END_TEST

START_TEST(an_acknowledged_message_does_not_expire)
{
    struct fixture f;
    setup(&f);
    for (uint64_t i = 0; i < 4; i++)
        add(&f, 10 * i, 10 * i + 10, 100 + i);
    stt_deadlines_on_acked(&f.d, 15); /* the second only in part */
    ck_assert_uint_eq(stt_deadlines_next(&f.d), 101);
    struct stt_range memory[2];
    struct stt_ranges acked;
    stt_ranges_init(&acked, memory, 2);
    ck_assert_int_eq(stt_ranges_add(&acked, 20, 39), STT_OK);
    ck_assert_str_eq(expire(&f, 200, &acked), "10-20 30-40");
    done(&f);
}
END_TEST

START_TEST(a_later_message_may_have_an_earlier_deadline)
{
    struct fixture f;
    setup(&f);
    add(&f, 0, 10, 300);
    add(&f, 10, 20, 100);
    add(&f, 20, 30, 200);
    ck_assert_uint_eq(stt_deadlines_next(&f.d), 100);
    ck_assert_str_eq(expire(&f, 100, NULL), "10-20");
    ck_assert_uint_eq(stt_deadlines_next(&f.d), 200);
    ck_assert_str_eq(expire(&f, 200, NULL), "20-30");
    ck_assert_uint_eq(stt_deadlines_next(&f.d), 300);
    stt_deadlines_on_acked(&f.d, 10);
    ck_assert_uint_eq(stt_deadlines_next(&f.d), STT_NEVER); /* the others have expired */
    done(&f);
}
END_TEST

START_TEST(a_message_stays_due_until_it_is_given_up)
{
    struct fixture f;
    struct stt_range m;
    setup(&f);
    add(&f, 0, 10, 100);
    add(&f, 10, 20, 50);
    for (int i = 0; i < 3; i++) {
        ck_assert(stt_deadlines_due(&f.d, 100, NULL, &m));
        ck_assert_uint_eq(m.from, 0);
    }
    stt_deadlines_give_up(&f.d, m);
    ck_assert(stt_deadlines_due(&f.d, 100, NULL, &m));
    ck_assert_uint_eq(m.from, 10);
    stt_deadlines_give_up(&f.d, m);
    ck_assert(!stt_deadlines_due(&f.d, 100, NULL, &m));
    ck_assert_uint_eq(stt_deadlines_next(&f.d), STT_NEVER);
    done(&f);
}
END_TEST

START_TEST(a_steady_flow_of_messages_takes_no_memory_again)
{
    struct fixture f;
    setup(&f);
    for (uint64_t i = 0; i < 1000; i++) {
        add(&f, 10 * i, 10 * i + 10, 100 + i);
        if (i >= 10)
            stt_deadlines_on_acked(&f.d, 10 * (i - 10));
    }
    ck_assert_uint_eq(f.te.allocs, 1);
    ck_assert_uint_le(f.d.n, 12);
    done(&f);
}
END_TEST

START_TEST(the_queue_is_bounded)
{
    struct fixture f;
    setup(&f);
    for (uint64_t i = 0; i < STT_DEADLINES_MAX; i++)
        add(&f, i, i + 1, 100 + i);
    struct stt_range more = {STT_DEADLINES_MAX, STT_DEADLINES_MAX + 1};
    ck_assert_int_eq(stt_deadlines_add(&f.d, &f.te.env, more, 1), STT_E_LIMIT);
    ck_assert_uint_eq(stt_deadlines_next(&f.d), 100);
    stt_deadlines_on_acked(&f.d, 1);
    ck_assert_int_eq(stt_deadlines_add(&f.d, &f.te.env, more, 1), STT_OK);
    ck_assert_uint_eq(stt_deadlines_next(&f.d), 1);
    done(&f);
}
END_TEST

START_TEST(without_memory_the_message_has_no_deadline_and_the_others_keep_theirs)
{
    struct fixture f;
    setup(&f);
    f.te.fail_at = 1;
    ck_assert_int_eq(stt_deadlines_add(&f.d, &f.te.env, (struct stt_range){0, 1}, 5), STT_E_MEMORY);
    ck_assert_uint_eq(stt_deadlines_next(&f.d), STT_NEVER);
    for (uint64_t i = 0; i < 16; i++)
        add(&f, i, i + 1, 100 + i);
    f.te.fail_at = f.te.allocs + 1;
    ck_assert_int_eq(stt_deadlines_add(&f.d, &f.te.env, (struct stt_range){16, 17}, 5),
                     STT_E_MEMORY);
    ck_assert_str_eq(expire(&f, 110, NULL), "0-11");
    done(&f);
}
END_TEST

/* Any history against a plain list: deadlines in any order, acks, growth, turns of the ring. */
START_TEST(deadlines_agree_with_a_plain_list)
{
    enum { MESSAGES = 400, LEN = 10 };
    struct fixture f;
    setup(&f);
    struct rng rng = rng_init((uint64_t)_i + 1);
    struct stt_range memory[MESSAGES];
    stt_ns at[MESSAGES], now = 0;
    uint64_t acked = 0;
    for (unsigned n = 0; n < MESSAGES; n++) {
        at[n] = now + (_i % 2 ? 50 : rng_between(&rng, 1, 100));
        add(&f, n * LEN, n * LEN + LEN, at[n]);
        now += rng_below(&rng, 5);
        if (rng_chance(&rng, 20) && acked < n * LEN)
            acked += rng_below(&rng, n * LEN - acked + 1);
        stt_deadlines_on_acked(&f.d, acked);
        if (rng_chance(&rng, 50))
            continue;

        struct stt_ranges expired;
        stt_ranges_init(&expired, memory, MESSAGES);
        for (struct stt_range m; stt_deadlines_due(&f.d, now, NULL, &m);) {
            stt_deadlines_give_up(&f.d, m);
            ck_assert_int_eq(stt_ranges_add(&expired, m.from, m.to), STT_OK);
        }
        stt_ns next = STT_NEVER;
        for (unsigned i = 0; i <= n; i++) {
            bool is_due = at[i] <= now && i * LEN + LEN > acked;
            if (stt_ranges_contains(&expired, i * LEN) != is_due)
                ck_abort_msg("message %u", i);
            if (is_due)
                at[i] = STT_NEVER;
            if (i * LEN + LEN > acked && at[i] < next)
                next = at[i];
        }
        ck_assert_uint_le(stt_deadlines_next(&f.d), next);
        ck_assert_uint_gt(stt_deadlines_next(&f.d), now);
    }
    done(&f);
}
END_TEST

SUITE("deadlines", TEST(without_messages_there_is_nothing_to_wait_for_and_no_memory),
      TEST(a_message_expires_at_its_deadline_and_once), TEST(neighbours_that_expire_share_a_range),
      TEST(an_acknowledged_message_does_not_expire),
      TEST(a_later_message_may_have_an_earlier_deadline),
      TEST(a_message_stays_due_until_it_is_given_up),
      TEST(a_steady_flow_of_messages_takes_no_memory_again), TEST(the_queue_is_bounded),
      TEST(without_memory_the_message_has_no_deadline_and_the_others_keep_theirs),
      LOOP(deadlines_agree_with_a_plain_list, 0, 20))
