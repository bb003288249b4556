/* SPDX-License-Identifier: MIT
 * Two processes: what they share, which of them says why, and that neither is left over. */
#include "tools/sttbench/shared/pair.h"

#include "tests/support/suite.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct shared {
    atomic_uint there, back;
    pid_t pids[2];
};

static const struct pair_end nobody = {NULL, -1, -1};

static bool asks(void *memory)
{
    struct shared *s = memory;
    s->pids[0] = getpid();
    pair_tell(&s->there, 7);
    return pair_await(&s->back) == 8;
}

static bool answers(void *memory)
{
    struct shared *s = memory;
    s->pids[1] = getpid();
    pair_tell(&s->back, pair_await(&s->there) + 1);
    return true;
}

static bool refuses(void *memory)
{
    (void)memory;
    return pair_refuse("%s: %d", "no port", 5) || pair_refuse("and that");
}

static bool sleeps(void *memory)
{
    ((struct shared *)memory)->pids[1] = getpid();
    while (pause())
        ;
    return true;
}

static bool crashes(void *memory)
{
    (void)memory;
    raise(SIGKILL);
    return true;
}

static bool run(bool (*first)(void *), bool (*second)(void *), struct shared *s, stt_ns timeout,
                char why[OPTION_WHY_ROOM])
{
    struct pair_end ends[2] = {nobody, nobody};
    ends[0].run = first;
    ends[1].run = second;
    return pair_run(ends, s, timeout, why);
}

START_TEST(two_processes_meet_in_their_memory)
{
    struct shared *s = pair_memory(sizeof *s);
    char why[OPTION_WHY_ROOM];
    ck_assert_msg(run(asks, answers, s, STT_S(20), why), "%s", why);
    ck_assert_int_ne(s->pids[0], s->pids[1]);
    ck_assert_int_ne(s->pids[0], getpid());
    pair_forget(s, sizeof *s);
}
END_TEST

START_TEST(who_fails_first_says_why_and_the_other_is_ended)
{
    struct shared *s = pair_memory(sizeof *s);
    char why[OPTION_WHY_ROOM];
    ck_assert(!run(refuses, sleeps, s, STT_S(20), why));
    ck_assert_str_eq(why, "no port: 5");
    ck_assert(!run(crashes, sleeps, s, STT_S(20), why));
    ck_assert_str_eq(why, "one of the two ends failed");
    ck_assert(!run(answers, sleeps, s, STT_MS(50), why));
    ck_assert_str_eq(why, "the two ends did not come to an end in time");
    ck_assert(!s->pids[1] || kill(s->pids[1], 0) != 0);
    pair_forget(s, sizeof *s);
}
END_TEST

START_TEST(each_end_has_a_processor_of_its_own_where_there_are_two)
{
    cpu_set_t allowed, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    int cpus[2] = {pair_cpu(0), pair_cpu(1)};
    ck_assert(CPU_ISSET((size_t)cpus[0], &allowed) && CPU_ISSET((size_t)cpus[1], &allowed));
    ck_assert_int_eq(cpus[0] != cpus[1], CPU_COUNT(&allowed) > 1);
    CPU_ZERO(&one);
    CPU_SET((size_t)cpus[1], &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    ck_assert_int_eq(pair_cpu(0), cpus[1]);
    ck_assert_int_eq(pair_cpu(1), cpus[1]);
}
END_TEST

SUITE("pair", TEST(two_processes_meet_in_their_memory),
      TEST(who_fails_first_says_why_and_the_other_is_ended),
      TEST(each_end_has_a_processor_of_its_own_where_there_are_two))
