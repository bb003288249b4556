/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_size drives long histories against a path that may change; tests/sim/
 * test_packet_size has a sender with real loss detection. Here are the single cases, and every
 * size at which a path can end. */
#include "stt/session/size.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { BASE = 1200, ETHERNET = 1472, JUMBO = 9000, LOOPBACK = 65507, ROUND_MAX = 8 };

static const stt_ns pto = STT_MS(300);

struct fixture {
    struct stt_size x;
    stt_ns now;
    uint64_t next; /* packet number */
    struct rng rng;

    uint32_t limit;   /* of the path: what is larger vanishes */
    unsigned percent; /* of what is smaller is lost */

    /* The last round. */
    uint32_t size[ROUND_MAX];
    uint64_t number[ROUND_MAX];
    unsigned n;
    uint32_t all[STT_SIZE_SEARCH_PROBES]; /* of this search */
    unsigned probes;
};

/* As ck_assert, which is too slow for millions of them. */
#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s", #condition);                                                        \
    } while (0)

static void setup_at(struct fixture *f, uint32_t upper, uint32_t limit)
{
    *f = (struct fixture){.now = STT_S(50), .next = 7, .limit = limit, .rng = rng_init(1)};
    stt_size_init(&f->x, BASE, upper, 0);
}

static void setup(struct fixture *f)
{
    setup_at(f, ETHERNET, ETHERNET);
}

/* Everything that may be probed now is. */
static unsigned probe_up_to(struct fixture *f, uint32_t room)
{
    uint32_t size;
    f->n = 0;
    while ((size = stt_size_next_probe(&f->x, f->now, room))) {
        require(f->n < STT_SIZE_PROBES_MAX);
        require(size > stt_size_bytes(&f->x) && size <= room && size <= f->x.upper);
        stt_size_on_probe_sent(&f->x, size);
        f->size[f->n] = size;
        f->number[f->n++] = f->next++;
        f->all[f->probes++ % STT_SIZE_SEARCH_PROBES] = size;
    }
    return f->n;
}

static unsigned probe(struct fixture *f)
{
    return probe_up_to(f, UINT32_MAX);
}

static void answer(struct fixture *f, unsigned i, bool arrives)
{
    (arrives ? stt_size_on_probe_acked : stt_size_on_probe_lost)(&f->x, f->number[i], f->size[i]);
}

/* What the path makes of the round. */
static void answer_all(struct fixture *f)
{
    for (unsigned i = 0; i < f->n; i++)
        answer(f, i, f->size[i] <= f->limit && !rng_chance(&f->rng, f->percent));
}

static bool tries_none_too_often(const struct fixture *f)
{
    for (unsigned i = 0; i < f->probes; i++) {
        unsigned tries = 0;
        for (unsigned k = 0; k < f->probes; k++)
            tries += f->all[k] == f->all[i];
        if (tries > STT_SIZE_TRIES)
            return false;
    }
    return true;
}

/* How many rounds it takes to the end; *found, until the size was within a step of the limit. */
static unsigned search(struct fixture *f, unsigned *found)
{
    unsigned rounds = 0;
    *found = UINT32_MAX;
    for (;;) {
        if (*found == UINT32_MAX && stt_size_bytes(&f->x) + STT_SIZE_STEP_BYTES > f->limit)
            *found = rounds;
        if (!probe(f))
            return rounds;
        require(++rounds < STT_SIZE_SEARCH_PROBES);
        answer_all(f);
    }
}

static bool is_within_a_step(const struct fixture *f)
{
    uint32_t bytes = stt_size_bytes(&f->x);
    return bytes <= f->limit && bytes + STT_SIZE_STEP_BYTES > f->limit;
}

/* The search has ended where the path does. */
static void setup_found(struct fixture *f, uint32_t upper, uint32_t limit)
{
    unsigned found;
    setup_at(f, upper, limit);
    search(f, &found);
    ck_assert(is_within_a_step(f));
    f->probes = 0;
}

static bool lose_at(struct fixture *f, struct stt_range numbers, uint32_t bytes)
{
    struct stt_size_lost lost = {.numbers = numbers,
                                 .bytes = (numbers.to - numbers.from) * bytes,
                                 .largest = bytes,
                                 .first_sent_at = f->now,
                                 .last_sent_at = f->now};
    return stt_size_on_lost(&f->x, &lost, pto, f->next);
}

/* n packets of so many bytes each, sent at once, are lost. */
static bool lose(struct fixture *f, uint64_t n, uint32_t bytes)
{
    f->next += n;
    return lose_at(f, (struct stt_range){f->next - n, f->next}, bytes);
}

static void arrive(struct fixture *f, uint32_t bytes)
{
    stt_size_on_acked(&f->x, (struct stt_range){f->next, f->next + 1}, bytes);
    f->next++;
}

/* -- rounds
 * -------------------------------------------------------------------------------------- */

START_TEST(at_first_the_base_is_in_use_and_a_search_may_begin)
{
    struct fixture f;
    setup(&f);
    ck_assert_uint_eq(stt_size_bytes(&f.x), BASE);
    ck_assert_uint_eq(stt_size_deadline(&f.x), 0);
}
END_TEST

START_TEST(the_first_round_tries_the_upper_limit_and_well_known_sizes_the_largest_first)
{
    struct fixture f;
    setup_at(&f, 8972, 1);
    ck_assert_uint_eq(probe(&f), 4);
    ck_assert_uint_eq(f.size[0], 8972);
    ck_assert_uint_eq(f.size[1], 8952);
    ck_assert_uint_eq(f.size[2], 1472);
    ck_assert_uint_eq(f.size[3], 1452);
}
END_TEST

START_TEST(without_well_known_sizes_a_round_is_spread_evenly)
{
    struct fixture f;
    setup_at(&f, 1300, 1);
    ck_assert_uint_eq(probe(&f), 4);
    ck_assert_uint_eq(f.size[0], 1300);
    ck_assert_uint_eq(f.size[1], 1275);
    ck_assert_uint_eq(f.size[2], 1250);
    ck_assert_uint_eq(f.size[3], 1225);
}
END_TEST

START_TEST(a_probe_is_the_same_until_it_was_sent_and_then_another)
{
    struct fixture f;
    setup(&f);
    uint32_t size = stt_size_next_probe(&f.x, f.now, UINT32_MAX);
    ck_assert_uint_eq(size, stt_size_next_probe(&f.x, f.now, UINT32_MAX));
    stt_size_on_probe_sent(&f.x, size);
    ck_assert_uint_lt(stt_size_next_probe(&f.x, f.now, UINT32_MAX), size);
}
END_TEST

START_TEST(the_next_round_waits_until_all_of_the_last_is_known)
{
    struct fixture f;
    setup_at(&f, ETHERNET, 1300);
    probe(&f);
    ck_assert_uint_eq(stt_size_deadline(&f.x), STT_NEVER);
    for (unsigned i = 0; i < 3; i++)
        answer(&f, i, false);
    ck_assert_uint_eq(stt_size_next_probe(&f.x, f.now, UINT32_MAX), 0);
    answer(&f, 3, false);
    ck_assert_uint_eq(stt_size_deadline(&f.x), 0);
    ck_assert_uint_ne(stt_size_next_probe(&f.x, f.now, UINT32_MAX), 0);
}
END_TEST

START_TEST(an_ack_settles_all_smaller_probes_of_its_round)
{
    struct fixture f;
    setup_at(&f, 8972, 1);
    probe(&f);
    answer(&f, 1, true);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 8952);
    answer(&f, 0, false);
    ck_assert_uint_ne(probe(&f), 0); /* 1472 and 1452 are not awaited */
}
END_TEST

START_TEST(a_path_of_the_upper_limit_is_found_in_one_round)
{
    struct fixture f;
    unsigned found;
    setup(&f);
    ck_assert_uint_eq(search(&f, &found), 1);
    ck_assert_uint_eq(stt_size_bytes(&f.x), ETHERNET);
    ck_assert_uint_eq(stt_size_deadline(&f.x), f.now + STT_SIZE_RAISE_NS);
}
END_TEST

START_TEST(a_path_of_a_well_known_size_is_used_after_one_round_and_settled_after_three)
{
    struct fixture f;
    unsigned found;
    setup_at(&f, 8972, 1472);
    ck_assert_uint_eq(search(&f, &found), 3);
    ck_assert_uint_eq(found, 1);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 1472);
}
END_TEST

START_TEST(where_the_base_is_the_upper_limit_there_is_no_search)
{
    struct fixture f;
    setup_at(&f, BASE, 1);
    ck_assert_uint_eq(probe(&f), 0);
    ck_assert_uint_eq(stt_size_deadline(&f.x), f.now + STT_SIZE_RAISE_NS);
}
END_TEST

START_TEST(a_path_that_carries_no_more_than_the_base_ends_the_search_there)
{
    struct fixture f;
    unsigned found;
    setup_at(&f, ETHERNET, BASE);
    ck_assert_uint_le(search(&f, &found), 4);
    ck_assert_uint_eq(stt_size_bytes(&f.x), BASE);
}
END_TEST

/* -- chance
 * -------------------------------------------------------------------------------------- */

START_TEST(a_size_has_failed_only_when_three_probes_of_it_or_smaller_ones_were_lost)
{
    struct fixture f;
    unsigned lost = 0;
    setup_at(&f, BASE + STT_SIZE_STEP_BYTES, 1); /* there is but one size to ask for */
    while (probe(&f)) {
        ck_assert_uint_le(f.n, 2); /* not all in one round, which one burst may hit */
        lost += f.n;
        answer_all(&f);
    }
    ck_assert_uint_eq(lost, 3);
}
END_TEST

START_TEST(a_probe_lost_by_chance_costs_a_round_and_not_the_result)
{
    struct fixture f;
    setup(&f);
    probe(&f);
    answer(&f, 0, false);
    answer(&f, 1, true);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 1452);
    probe(&f);
    answer_all(&f);
    ck_assert_uint_eq(stt_size_bytes(&f.x), ETHERNET);
}
END_TEST

START_TEST(a_whole_round_lost_by_chance_is_made_up_for)
{
    struct fixture f;
    unsigned found;
    setup(&f);
    probe(&f);
    for (unsigned i = 0; i < f.n; i++)
        answer(&f, i, false);
    ck_assert_uint_le(search(&f, &found), 6);
    ck_assert_uint_eq(stt_size_bytes(&f.x), ETHERNET);
}
END_TEST

START_TEST(a_late_ack_of_a_probe_that_counted_as_lost_still_counts)
{
    struct fixture f;
    setup(&f);
    probe(&f);
    answer(&f, 0, false);
    answer(&f, 0, true);
    ck_assert_uint_eq(stt_size_bytes(&f.x), ETHERNET);
}
END_TEST

START_TEST(a_probe_that_was_never_sent_tells_nothing_and_is_asked_again)
{
    struct fixture f;
    setup(&f);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(probe(&f), 4);
        for (unsigned k = 0; k < f.n; k++)
            stt_size_on_probe_unsent(&f.x, f.number[k], f.size[k]);
        ck_assert_uint_eq(stt_size_next_probe(&f.x, f.now, UINT32_MAX), ETHERNET);
    }
}
END_TEST

START_TEST(a_search_that_finds_no_end_gives_up)
{
    struct fixture f;
    setup_at(&f, LOOPBACK, LOOPBACK);
    while (probe(&f))
        for (unsigned i = 0; i < f.n; i++)
            stt_size_on_probe_unsent(&f.x, f.number[i], f.size[i]);
    ck_assert_uint_gt(f.probes, STT_SIZE_SEARCH_PROBES - STT_SIZE_PROBES_MAX);
    ck_assert_uint_le(f.probes, STT_SIZE_SEARCH_PROBES);
    ck_assert_uint_eq(stt_size_deadline(&f.x), f.now + STT_SIZE_RAISE_NS);
}
END_TEST

/* -- room
 * ---------------------------------------------------------------------------------------- */

START_TEST(nothing_above_the_room_is_probed_and_the_search_goes_on_when_there_is_more)
{
    struct fixture f;
    setup_at(&f, JUMBO, JUMBO);
    probe_up_to(&f, 6000);
    ck_assert_uint_eq(f.size[0], 6000);
    answer_all(&f);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 6000);
    ck_assert_uint_eq(probe_up_to(&f, 6000), 0);
    ck_assert_uint_eq(probe_up_to(&f, 1000), 0);
    ck_assert_uint_eq(stt_size_deadline(&f.x), 0);
    ck_assert_uint_ne(probe(&f), 0);
    ck_assert_uint_eq(f.size[0], JUMBO);
}
END_TEST

START_TEST(a_probe_for_which_there_is_no_room_any_more_stops_nothing)
{
    struct fixture f;
    setup_at(&f, JUMBO, 1300);
    ck_assert_uint_eq(stt_size_next_probe(&f.x, f.now, UINT32_MAX), JUMBO);
    for (int round = 0; round < 6; round++) {
        probe_up_to(&f, 2000);
        answer_all(&f);
    }
    ck_assert(is_within_a_step(&f));
}
END_TEST

/* -- later
 * --------------------------------------------------------------------------------------- */

START_TEST(after_600_s_the_search_begins_again)
{
    struct fixture f;
    unsigned found;
    setup_found(&f, 8972, 1400);
    f.now += STT_SIZE_RAISE_NS - 1;
    ck_assert_uint_eq(probe(&f), 0);
    f.now++;
    f.limit = 8972;
    ck_assert_uint_eq(search(&f, &found), 1);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 8972);
}
END_TEST

START_TEST(a_path_that_has_not_changed_costs_two_rounds)
{
    static const uint32_t limits[] = {BASE, 1300, 1472, 2000, 8000};
    struct fixture f;
    unsigned found;
    setup_found(&f, JUMBO, limits[_i]);
    uint32_t before = stt_size_bytes(&f.x);
    f.now += STT_SIZE_RAISE_NS;
    ck_assert_uint_eq(search(&f, &found), 2);
    ck_assert_uint_le(f.probes, 6);
    ck_assert_uint_eq(stt_size_bytes(&f.x), before);
}
END_TEST

START_TEST(what_settled_too_low_does_not_stay_there)
{
    struct fixture f;
    unsigned found;
    setup(&f);
    for (unsigned i = 0; probe(&f); i++)
        for (unsigned k = 0; k < f.n; k++)
            answer(&f, k, false);
    ck_assert_uint_eq(stt_size_bytes(&f.x), BASE);
    f.now += STT_SIZE_RAISE_NS;
    search(&f, &found);
    ck_assert_uint_eq(stt_size_bytes(&f.x), ETHERNET);
}
END_TEST

START_TEST(on_another_port_the_size_stays_and_old_probes_tell_nothing)
{
    struct fixture f;
    setup_at(&f, BASE + 3 * STT_SIZE_STEP_BYTES, 1);
    probe(&f);
    answer(&f, 2, true);
    uint32_t before = stt_size_bytes(&f.x);
    uint64_t old = f.number[0];
    stt_size_on_port_change(&f.x, f.next);
    answer(&f, 0, true);
    ck_assert_uint_eq(stt_size_bytes(&f.x), before);
    ck_assert_uint_eq(probe(&f), 0); /* before something on the new path is acknowledged */
    arrive(&f, 100);
    ck_assert_uint_ne(probe(&f), 0);
    stt_size_on_probe_acked(&f.x, old, f.size[0]);
    ck_assert_uint_eq(stt_size_bytes(&f.x), before);
    for (unsigned i = 0; i < f.n; i++) {
        stt_size_on_probe_lost(&f.x, old, f.size[i]);
        stt_size_on_probe_unsent(&f.x, old, f.size[i]);
    }
    ck_assert_uint_eq(probe(&f), 0);
    ck_assert_uint_eq(stt_size_deadline(&f.x), STT_NEVER);
}
END_TEST

/* -- limits that others know
 * --------------------------------------------------------------------- */

START_TEST(what_the_kernel_refuses_is_never_asked_for_again)
{
    struct fixture f;
    unsigned found;
    setup_at(&f, LOOPBACK, 1472); /* the interface's limit; each probe above is refused */
    uint32_t size, refused = UINT32_MAX;
    while ((size = stt_size_next_probe(&f.x, f.now, UINT32_MAX))) {
        stt_size_on_probe_sent(&f.x, size);
        ck_assert_uint_lt(size, refused);
        if (size > f.limit)
            stt_size_on_refused(&f.x, refused = size);
        else
            stt_size_on_probe_acked(&f.x, f.next++, size);
    }
    ck_assert(is_within_a_step(&f));
    f.now += STT_SIZE_RAISE_NS;
    search(&f, &found);
    ck_assert_uint_lt(f.size[0], refused);
}
END_TEST

START_TEST(when_the_size_in_use_is_refused_the_base_is_used_at_once)
{
    struct fixture f;
    unsigned found;
    setup_found(&f, JUMBO, 8000);
    f.limit = 1472;
    stt_size_on_refused(&f.x, stt_size_bytes(&f.x));
    ck_assert_uint_eq(stt_size_bytes(&f.x), BASE);
    search(&f, &found);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 1472);
}
END_TEST

START_TEST(a_refusal_of_the_base_or_of_what_is_above_the_limit_changes_nothing)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    stt_size_on_refused(&f.x, BASE);
    stt_size_on_refused(&f.x, ETHERNET + 100);
    ck_assert_uint_eq(stt_size_bytes(&f.x), ETHERNET);
    f.now += STT_SIZE_RAISE_NS;
    ck_assert_uint_eq(probe(&f), 0);
}
END_TEST

START_TEST(a_lower_limit_holds_at_once_also_for_probes_that_are_out)
{
    struct fixture f;
    setup_at(&f, 8972, 8972);
    probe(&f);
    stt_size_on_limit(&f.x, 5000);
    answer(&f, 0, true);
    ck_assert_uint_le(stt_size_bytes(&f.x), 5000);
    answer(&f, 2, true);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 1472);
    stt_size_on_limit(&f.x, 1400);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 1400);
    stt_size_on_limit(&f.x, 100);
    ck_assert_uint_eq(stt_size_bytes(&f.x), BASE);
}
END_TEST

START_TEST(a_late_ack_above_a_lower_limit_does_not_count)
{
    struct fixture f;
    setup(&f);
    probe(&f);
    answer(&f, 0, false);
    stt_size_on_limit(&f.x, 1400);
    answer(&f, 0, true);
    ck_assert_uint_eq(stt_size_bytes(&f.x), BASE);
}
END_TEST

START_TEST(a_higher_limit_is_tried_at_once)
{
    struct fixture f;
    unsigned found;
    setup_found(&f, ETHERNET, ETHERNET);
    f.limit = JUMBO;
    stt_size_on_limit(&f.x, JUMBO);
    search(&f, &found);
    ck_assert_uint_eq(stt_size_bytes(&f.x), JUMBO);
}
END_TEST

/* -- black holes
 * --------------------------------------------------------------------------------- */

START_TEST(three_large_ones_lost_in_a_row_over_a_pto_are_a_black_hole)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    ck_assert(!lose(&f, 1, ETHERNET));
    arrive(&f, 300);
    ck_assert(!lose(&f, 1, ETHERNET));
    f.now += pto;
    ck_assert(lose(&f, 1, ETHERNET));
    ck_assert_uint_eq(stt_size_bytes(&f.x), BASE);
}
END_TEST

START_TEST(many_large_ones_lost_within_a_pto_are_congestion)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    for (int i = 0; i < 10; i++) {
        ck_assert(!lose(&f, 100, ETHERNET));
        arrive(&f, 300);
        f.now += pto / 10 - 1;
    }
    ck_assert_uint_eq(stt_size_bytes(&f.x), ETHERNET);
}
END_TEST

START_TEST(two_large_ones_are_too_few_however_far_apart)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    ck_assert(!lose(&f, 1, ETHERNET));
    f.now += STT_S(100);
    ck_assert(!lose(&f, 1, ETHERNET));
}
END_TEST

START_TEST(a_large_one_that_arrives_ends_the_row)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    for (int i = 0; i < 50; i++) {
        ck_assert(!lose(&f, 2, ETHERNET));
        f.now += pto;
        arrive(&f, ETHERNET);
    }
    ck_assert_uint_eq(stt_size_bytes(&f.x), ETHERNET);
}
END_TEST

START_TEST(a_large_one_sent_later_that_is_known_before_forbids_the_row)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    stt_size_on_acked(&f.x, (struct stt_range){f.next + 200, f.next + 201}, ETHERNET);
    ck_assert(!lose(&f, 50, ETHERNET));
    f.now += pto; /* after an outage an ACK tells the last packet first, and then of these */
    ck_assert(!lose(&f, 50, ETHERNET));
}
END_TEST

START_TEST(lost_packets_up_to_the_base_are_no_black_hole)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    for (int i = 0; i < 10; i++) {
        ck_assert(!lose(&f, 3, BASE));
        f.now += pto;
    }
}
END_TEST

START_TEST(packets_between_base_and_limit_that_arrive_do_not_hide_a_black_hole)
{
    struct fixture f;
    unsigned lost = 0;
    setup_found(&f, ETHERNET, ETHERNET);
    for (; stt_size_bytes(&f.x) == ETHERNET && lost < 20; lost++) {
        lose(&f, 1, ETHERNET);
        arrive(&f, 1300);
        f.now += pto;
    }
    ck_assert_uint_le(lost, 4);
}
END_TEST

START_TEST(chance_losses_of_a_size_that_arrives_are_no_black_hole_of_a_larger_one)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    ck_assert(!lose(&f, 1, ETHERNET));
    for (int i = 0; i < 20; i++) {
        f.now += pto;
        arrive(&f, 1300);
        ck_assert(!lose(&f, 1, 1300));
    }
}
END_TEST

START_TEST(a_smaller_one_above_the_base_leaves_one_of_the_row)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    lose(&f, 1, 1300);
    lose(&f, 1, ETHERNET);
    arrive(&f, 1300);
    f.now += pto;
    ck_assert(!lose(&f, 1, ETHERNET));
    ck_assert(lose(&f, 1, ETHERNET));
}
END_TEST

START_TEST(a_row_is_ended_by_what_is_as_large_as_its_largest)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    lose(&f, 1, ETHERNET);
    lose(&f, 1, 1300);
    arrive(&f, 1300);
    f.now += pto;
    lose(&f, 1, ETHERNET);
    ck_assert(lose(&f, 1, ETHERNET));
}
END_TEST

START_TEST(a_probe_that_arrives_ends_the_row)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    stt_size_on_limit(&f.x, JUMBO);
    lose(&f, 2, ETHERNET);
    probe(&f);
    answer(&f, f.n - 1, true);
    f.now += pto;
    ck_assert(!lose(&f, 1, ETHERNET));
}
END_TEST

START_TEST(a_large_one_sent_before_the_row_does_not_end_it)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    uint64_t before = f.next++;
    lose(&f, 2, ETHERNET);
    stt_size_on_acked(&f.x, (struct stt_range){before, before + 1}, ETHERNET);
    f.now += pto;
    ck_assert(lose(&f, 1, ETHERNET));
}
END_TEST

START_TEST(one_run_sent_over_a_pto_is_enough)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    struct stt_size_lost run = {.numbers = {f.next, f.next + 256},
                                .bytes = 256 * ETHERNET,
                                .largest = ETHERNET,
                                .first_sent_at = f.now,
                                .last_sent_at = f.now + pto};
    ck_assert(stt_size_on_lost(&f.x, &run, pto, f.next + 256));
}
END_TEST

START_TEST(what_was_sent_when_larger_packets_were_allowed_tells_nothing)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    lose(&f, 2, ETHERNET);
    stt_size_on_limit(&f.x, 1400);
    f.now += pto;
    ck_assert(!lose(&f, 1, 1400));
    f.now += pto;
    ck_assert(!lose(&f, 5, ETHERNET));
}
END_TEST

START_TEST(what_was_sent_to_the_old_port_tells_nothing)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    uint64_t before = f.next;
    f.next += 9;
    lose(&f, 2, ETHERNET);
    f.now += pto;
    stt_size_on_port_change(&f.x, f.next);
    ck_assert(!lose_at(&f, (struct stt_range){before, before + 4}, ETHERNET));
    f.now += pto;
    ck_assert(!lose_at(&f, (struct stt_range){before + 4, before + 9}, ETHERNET));
    ck_assert(!lose(&f, 2, ETHERNET));
}
END_TEST

START_TEST(one_black_hole_after_the_other_is_found)
{
    static const uint32_t limits[] = {1460, 1400, 1300, 1240};
    struct fixture f;
    unsigned found;
    setup_found(&f, ETHERNET, ETHERNET);
    for (int i = 0; i < 4; i++) {
        lose(&f, 2, stt_size_bytes(&f.x));
        f.now += pto;
        ck_assert(lose(&f, 1, stt_size_bytes(&f.x)));
        arrive(&f, BASE);
        f.limit = limits[i];
        search(&f, &found);
        ck_assert(is_within_a_step(&f));
    }
}
END_TEST

START_TEST(a_row_knows_nothing_of_the_one_before)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    lose(&f, 1, ETHERNET);
    arrive(&f, ETHERNET);
    lose(&f, 2, 1300);
    arrive(&f, 1300);
    f.now += pto;
    ck_assert(!lose(&f, 2, ETHERNET));
}
END_TEST

START_TEST(in_a_run_with_small_packets_only_one_counts_as_large)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    struct stt_size_lost mixed = {.numbers = {f.next, f.next + 8},
                                  .bytes = ETHERNET + 7 * 100,
                                  .largest = ETHERNET,
                                  .first_sent_at = f.now,
                                  .last_sent_at = f.now + pto};
    ck_assert(!stt_size_on_lost(&f.x, &mixed, pto, f.next + 8));
}
END_TEST

START_TEST(what_was_sent_before_the_fall_tells_nothing_after_it)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    f.now += STT_SIZE_RAISE_NS;
    stt_size_on_limit(&f.x, JUMBO);
    probe(&f);
    lose(&f, 2, ETHERNET);
    f.now += pto;
    ck_assert(lose(&f, 1, ETHERNET));
    answer(&f, 0, true); /* that was then */
    ck_assert_uint_eq(stt_size_bytes(&f.x), BASE);
    ck_assert_uint_eq(probe(&f), 0);
    stt_size_on_acked(&f.x, (struct stt_range){f.next - 1, f.next}, ETHERNET);
    ck_assert_uint_eq(probe(&f), 0);
}
END_TEST

START_TEST(after_a_fall_the_first_ack_begins_the_search)
{
    struct fixture f;
    unsigned found;
    setup_found(&f, JUMBO, 5000);
    lose(&f, 2, 4900);
    f.now += pto;
    ck_assert(lose(&f, 1, 4900));
    ck_assert_uint_eq(probe(&f), 0);
    ck_assert_uint_eq(stt_size_deadline(&f.x), STT_NEVER);
    arrive(&f, BASE);
    ck_assert_uint_eq(stt_size_deadline(&f.x), 0);
    f.limit = 1400;
    search(&f, &found);
    ck_assert(is_within_a_step(&f));
}
END_TEST

START_TEST(what_was_in_use_before_a_false_alarm_is_back_after_a_round)
{
    struct fixture f;
    setup_at(&f, JUMBO, 5000);
    probe_up_to(&f, 5000);
    answer_all(&f);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 5000);
    stt_size_on_pto(&f.x, 2, f.next);
    ck_assert(stt_size_on_unanswered(&f.x, 5000));
    arrive(&f, BASE);
    probe(&f);
    answer_all(&f);
    ck_assert_uint_eq(stt_size_bytes(&f.x), 5000);
}
END_TEST

START_TEST(the_second_pto_with_a_large_packet_unanswered_is_a_black_hole)
{
    struct fixture f;
    setup_found(&f, ETHERNET, ETHERNET);
    stt_size_on_pto(&f.x, 1, f.next);
    ck_assert(!stt_size_on_unanswered(&f.x, ETHERNET));
    stt_size_on_pto(&f.x, 2, f.next);
    ck_assert(!stt_size_on_unanswered(&f.x, 300));
    ck_assert_uint_eq(stt_size_bytes(&f.x), ETHERNET);
    ck_assert(stt_size_on_unanswered(&f.x, ETHERNET));
    ck_assert_uint_eq(stt_size_bytes(&f.x), BASE);
    ck_assert(!stt_size_on_unanswered(&f.x, ETHERNET));
}
END_TEST

START_TEST(probes_that_are_out_in_an_outage_are_lost_whatever_their_size)
{
    struct fixture f;
    setup(&f);
    probe(&f);
    stt_size_on_pto(&f.x, 1, f.next);
    stt_size_on_pto(&f.x, 2, f.next);
    ck_assert_uint_eq(stt_size_next_probe(&f.x, f.now, UINT32_MAX), 0);
    arrive(&f, 100);
    answer_all(&f);
    for (unsigned i = 0; i < f.n; i++)
        answer(&f, i, false);
    ck_assert_uint_eq(probe(&f), 4);
    ck_assert_uint_eq(f.size[0], ETHERNET);
}
END_TEST

/* -- every limit. A round in which something is lost takes 9/8 of a round trip, since then it is
 * declared so: 7 rounds are 8 round trips, of 10 that are allowed up to 9,000; 9 are 11 of 12
 * -----------------------------------------------------------------------------------------------
 */

static void check_every_limit(uint32_t upper, unsigned rounds_max)
{
    struct fixture f;
    unsigned found;
    for (uint32_t limit = BASE; limit <= upper; limit++) {
        setup_at(&f, upper, limit);
        unsigned rounds = search(&f, &found);
        if (!is_within_a_step(&f) || rounds > rounds_max || !tries_none_too_often(&f))
            ck_abort_msg("%u of %u: %u in %u rounds", limit, upper, stt_size_bytes(&f.x), rounds);
    }
}

START_TEST(every_limit_of_an_ethernet_is_found_in_4_rounds)
{
    check_every_limit(1472, 4);
    check_every_limit(1452, 4);
}
END_TEST

START_TEST(every_limit_up_to_9000_is_found_in_7_rounds)
{
    static const uint32_t uppers[] = {8952, 8972, 9000};
    check_every_limit(uppers[_i], 7);
}
END_TEST

START_TEST(every_limit_up_to_65507_is_found_in_9_rounds)
{
    check_every_limit(LOOPBACK, 9);
}
END_TEST

START_TEST(every_upper_limit_can_be_searched)
{
    struct fixture f;
    unsigned found;
    for (uint32_t upper = BASE; upper <= 2000; upper++)
        for (uint32_t limit = BASE; limit <= upper; limit += 5) {
            setup_at(&f, upper, limit);
            require(search(&f, &found) <= 6);
            require(is_within_a_step(&f));
        }
}
END_TEST

/* Of `n` searches with chance losses so many took longer than allowed, or ended too low. */
static void check_with_losses(uint32_t upper, uint32_t step, unsigned rounds_max)
{
    struct fixture f;
    unsigned n = 0, late = 0, low = 0, found;
    for (uint32_t limit = BASE; limit <= upper; limit += step) {
        setup_at(&f, upper, limit);
        f.rng = rng_init(limit);
        f.percent = 5;
        search(&f, &found);
        n++;
        late += found == UINT32_MAX || found > rounds_max;
        low += !is_within_a_step(&f);
        f.percent = 0;
        f.now += STT_SIZE_RAISE_NS;
        search(&f, &found);
        require(is_within_a_step(&f));
    }
    ck_assert_msg(late * 200 <= n, "%u of %u searches are late", late, n);
    ck_assert_msg(low * 500 <= n, "%u of %u searches end too low", low, n);
}

START_TEST(with_5_percent_lost_nearly_every_limit_is_found_in_time)
{
    check_with_losses(JUMBO, 1, 8);
    check_with_losses(LOOPBACK, 3, 10);
}
END_TEST

SUITE("size", TEST(at_first_the_base_is_in_use_and_a_search_may_begin),
      TEST(the_first_round_tries_the_upper_limit_and_well_known_sizes_the_largest_first),
      TEST(without_well_known_sizes_a_round_is_spread_evenly),
      TEST(a_probe_is_the_same_until_it_was_sent_and_then_another),
      TEST(the_next_round_waits_until_all_of_the_last_is_known),
      TEST(an_ack_settles_all_smaller_probes_of_its_round),
      TEST(a_path_of_the_upper_limit_is_found_in_one_round),
      TEST(a_path_of_a_well_known_size_is_used_after_one_round_and_settled_after_three),
      TEST(where_the_base_is_the_upper_limit_there_is_no_search),
      TEST(a_path_that_carries_no_more_than_the_base_ends_the_search_there),
      TEST(a_size_has_failed_only_when_three_probes_of_it_or_smaller_ones_were_lost),
      TEST(a_probe_lost_by_chance_costs_a_round_and_not_the_result),
      TEST(a_whole_round_lost_by_chance_is_made_up_for),
      TEST(a_late_ack_of_a_probe_that_counted_as_lost_still_counts),
      TEST(a_probe_that_was_never_sent_tells_nothing_and_is_asked_again),
      TEST(a_search_that_finds_no_end_gives_up),
      TEST(nothing_above_the_room_is_probed_and_the_search_goes_on_when_there_is_more),
      TEST(a_probe_for_which_there_is_no_room_any_more_stops_nothing),
      TEST(after_600_s_the_search_begins_again),
      LOOP(a_path_that_has_not_changed_costs_two_rounds, 0, 5),
      TEST(what_settled_too_low_does_not_stay_there),
      TEST(on_another_port_the_size_stays_and_old_probes_tell_nothing),
      TEST(what_the_kernel_refuses_is_never_asked_for_again),
      TEST(when_the_size_in_use_is_refused_the_base_is_used_at_once),
      TEST(a_refusal_of_the_base_or_of_what_is_above_the_limit_changes_nothing),
      TEST(a_lower_limit_holds_at_once_also_for_probes_that_are_out),
      TEST(a_late_ack_above_a_lower_limit_does_not_count), TEST(a_higher_limit_is_tried_at_once),
      TEST(three_large_ones_lost_in_a_row_over_a_pto_are_a_black_hole),
      TEST(many_large_ones_lost_within_a_pto_are_congestion),
      TEST(two_large_ones_are_too_few_however_far_apart),
      TEST(a_large_one_that_arrives_ends_the_row),
      TEST(a_large_one_sent_later_that_is_known_before_forbids_the_row),
      TEST(lost_packets_up_to_the_base_are_no_black_hole),
      TEST(packets_between_base_and_limit_that_arrive_do_not_hide_a_black_hole),
      TEST(chance_losses_of_a_size_that_arrives_are_no_black_hole_of_a_larger_one),
      TEST(a_smaller_one_above_the_base_leaves_one_of_the_row),
      TEST(a_row_is_ended_by_what_is_as_large_as_its_largest),
      TEST(a_probe_that_arrives_ends_the_row),
      TEST(a_large_one_sent_before_the_row_does_not_end_it),
      TEST(one_run_sent_over_a_pto_is_enough),
      TEST(what_was_sent_when_larger_packets_were_allowed_tells_nothing),
      TEST(what_was_sent_to_the_old_port_tells_nothing),
      TEST(one_black_hole_after_the_other_is_found), TEST(a_row_knows_nothing_of_the_one_before),
      TEST(in_a_run_with_small_packets_only_one_counts_as_large),
      TEST(what_was_sent_before_the_fall_tells_nothing_after_it),
      TEST(after_a_fall_the_first_ack_begins_the_search),
      TEST(what_was_in_use_before_a_false_alarm_is_back_after_a_round),
      TEST(the_second_pto_with_a_large_packet_unanswered_is_a_black_hole),
      TEST(probes_that_are_out_in_an_outage_are_lost_whatever_their_size),
      TEST(every_limit_of_an_ethernet_is_found_in_4_rounds),
      LOOP(every_limit_up_to_9000_is_found_in_7_rounds, 0, 3),
      TEST(every_limit_up_to_65507_is_found_in_9_rounds), TEST(every_upper_limit_can_be_searched),
      TEST(with_5_percent_lost_nearly_every_limit_is_found_in_time))
