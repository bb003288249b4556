/* SPDX-License-Identifier: MIT */
#include "tests/support/raw.h"
#include "tests/support/suite.h"

/* Two nodes and a link each way; 1,000 bytes take 8 us at 1 Gbit/s. */
struct pair {
    struct stt_sim *sim;
    struct raw a, b;
    stt_sim_link forth, back;
};

static struct pair pair_new(const struct stt_link_config *link)
{
    struct pair p = {.sim = raw_world(1)};
    p.a = raw_add(p.sim, 1);
    p.b = raw_add(p.sim, 2);
    struct stt_sim_pair links = stt_sim_pair(p.sim, p.a.node, p.b.node, link);
    p.forth = links.forth;
    p.back = links.back;
    return p;
}

static void pair_free(struct pair *p)
{
    ck_assert_ptr_null(stt_sim_failure(p->sim));
    stt_sim_free(p->sim);
    raw_free(&p->a);
    raw_free(&p->b);
}

static void burst(struct pair *p, size_t n, size_t len)
{
    while (n--)
        raw_send(p->sim, &p->a, &p->b, len);
}

static void drain(struct pair *p)
{
    ck_assert(stt_sim_run_until(p->sim, stt_sim_now(p->sim) + STT_S(100)));
}

static struct stt_link_stats stats_of(const struct pair *p)
{
    return stt_sim_link_stats(p->sim, p->forth);
}

#define PAIR(...) pair_new(&(struct stt_link_config){__VA_ARGS__})

START_TEST(a_perfect_link_delivers_at_once_and_intact)
{
    struct pair p = PAIR(0);
    burst(&p, 3, 100);
    ck_assert(stt_sim_run_until(p.sim, 0));
    ck_assert_uint_eq(p.b.log->n, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(p.b.log->seen[i].number, i);
        ck_assert_uint_eq(p.b.log->seen[i].at, 0);
        ck_assert(raw_is_intact(&p.b.log->seen[i]));
    }
    ck_assert_uint_eq(p.a.log->n, 0);
    pair_free(&p);
}
END_TEST

START_TEST(delay_is_exact)
{
    struct pair p = PAIR(.delay_ns = STT_MS(20));
    burst(&p, 1, 100);
    ck_assert(stt_sim_run_until(p.sim, STT_MS(20) - 1));
    ck_assert_uint_eq(p.b.log->n, 0);
    ck_assert(stt_sim_run_until(p.sim, STT_MS(20)));
    ck_assert_uint_eq(p.b.log->n, 1);
    pair_free(&p);
}
END_TEST

START_TEST(rate_spaces_datagrams_and_counts_their_headers)
{
    struct pair p = PAIR(.rate_bits_per_s = 1000000000, .delay_ns = STT_MS(1), .header_bytes = 28);
    burst(&p, 10, 1000 - 28);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 10);
    for (size_t i = 0; i < 10; i++)
        ck_assert_uint_eq(p.b.log->seen[i].at, STT_MS(1) + (i + 1) * STT_US(8));
    struct stt_link_stats s = stats_of(&p);
    ck_assert_uint_eq(s.queue_ns_max, 9 * STT_US(8));
    ck_assert_uint_eq(s.queue_ns_mean, 9 * STT_US(8) / 2);
    ck_assert_uint_eq(s.queue_bytes_max, 9 * 1000);
    ck_assert_uint_eq(s.queue_bytes, 0);
    pair_free(&p);
}
END_TEST

START_TEST(an_odd_rate_loses_no_time_in_rounding)
{
    struct pair p = PAIR(.rate_bits_per_s = 7000003);
    burst(&p, 7000, 1000);
    drain(&p);
    uint64_t bits = 7000 * UINT64_C(8000);
    ck_assert_uint_eq(p.b.log->seen[6999].at, bits * STT_S(1) / 7000003);
    pair_free(&p);
}
END_TEST

START_TEST(a_new_rate_serves_what_waits)
{
    struct pair p = PAIR(.rate_bits_per_s = 1000000000);
    burst(&p, 10, 1000);
    struct stt_link_config slow = {.rate_bits_per_s = 100000000};
    stt_sim_link_set_at(p.sim, STT_US(12), p.forth, &slow);
    drain(&p);
    ck_assert_uint_eq(p.b.log->seen[0].at, STT_US(8));
    ck_assert_uint_eq(p.b.log->seen[1].at, STT_US(16)); /* was on its way */
    ck_assert_uint_eq(p.b.log->seen[2].at, STT_US(16 + 80));
    ck_assert_uint_eq(p.b.log->seen[9].at, STT_US(16 + 8 * 80));
    pair_free(&p);
}
END_TEST

START_TEST(taking_the_rate_away_empties_the_queue)
{
    struct pair p = PAIR(.rate_bits_per_s = 1000000000);
    burst(&p, 10, 1000);
    stt_sim_link_set_at(p.sim, STT_US(12), p.forth, &(struct stt_link_config){0});
    ck_assert(stt_sim_run_until(p.sim, STT_US(13)));
    burst(&p, 1, 1000);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 11);
    ck_assert_uint_eq(p.b.log->seen[10].at, STT_US(16));
    for (size_t i = 0; i < 11; i++)
        ck_assert_uint_eq(p.b.log->seen[i].number, i);
    pair_free(&p);
}
END_TEST

START_TEST(a_full_queue_drops_the_tail_and_nothing_else)
{
    struct pair p = PAIR(.rate_bits_per_s = 1000000000, .queue_bytes = 5999);
    burst(&p, 20, 1000);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 6); /* one on its way and five that fit */
    for (size_t i = 0; i < 6; i++)
        ck_assert_uint_eq(p.b.log->seen[i].number, i);
    ck_assert_uint_eq(stats_of(&p).dropped[STT_LINK_DROP_QUEUE], 14);
    ck_assert_uint_eq(stats_of(&p).datagrams_in, 20);
    ck_assert_uint_eq(stats_of(&p).datagrams_out, 6);
    ck_assert_uint_eq(stats_of(&p).bytes_out, 6000);
    pair_free(&p);
}
END_TEST

START_TEST(headers_that_change_do_not_confuse_the_queue)
{
    struct pair p = PAIR(.rate_bits_per_s = 1000000000, .header_bytes = 28);
    burst(&p, 10, 1000);
    struct stt_link_config other = {.rate_bits_per_s = 1000000000, .header_bytes = 48};
    stt_sim_link_set(p.sim, p.forth, &other);
    burst(&p, 10, 1000);
    drain(&p);
    ck_assert_uint_eq(stats_of(&p).queue_bytes, 0);
    ck_assert_uint_eq(p.b.log->n, 20);
    pair_free(&p);
}
END_TEST

START_TEST(a_long_queue_marks_what_can_be_marked)
{
    struct pair p = PAIR(.rate_bits_per_s = 1000000000, .ecn_mark_bytes = 3000);
    for (unsigned i = 0; i < 12; i++)
        raw_send_to(p.sim, &p.a, &p.b.address, 1000, (uint8_t)(i % 4));
    drain(&p);
    /* The first is on its way; the fourth finds two waiting and is the third. */
    for (unsigned i = 0; i < 12; i++)
        ck_assert_uint_eq(p.b.log->seen[i].ecn, i >= 3 && i % 4 ? 3 : i % 4);
    ck_assert_uint_eq(stats_of(&p).marked, 4); /* 5, 6, 9, 10: ECT; 3, 7, 11 were marked before */
    pair_free(&p);
}
END_TEST

START_TEST(a_threshold_of_one_byte_marks_everything_and_bleach_clears_it)
{
    struct pair p = PAIR(.ecn_mark_bytes = 1);
    raw_send_to(p.sim, &p.a, &p.b.address, 100, 2);
    stt_sim_link_set(p.sim, p.forth, &(struct stt_link_config){.ecn_bleached = true});
    raw_send_to(p.sim, &p.a, &p.b.address, 100, 2);
    drain(&p);
    ck_assert_uint_eq(p.b.log->seen[0].ecn, 3);
    ck_assert_uint_eq(p.b.log->seen[1].ecn, 0);
    pair_free(&p);
}
END_TEST

/* Within four standard deviations: sqrt(60000 * 0.05 * 0.95) = 53. */
START_TEST(random_loss_is_as_frequent_as_it_should_be)
{
    struct pair p = PAIR(.loss_ppm = 50000);
    burst(&p, 60000, 20);
    drain(&p);
    uint64_t lost = stats_of(&p).dropped[STT_LINK_DROP_LOSS];
    ck_assert_uint_gt(lost, 3000 - 214);
    ck_assert_uint_lt(lost, 3000 + 214);
    ck_assert_uint_eq(p.b.log->n + lost, 60000);
    pair_free(&p);
}
END_TEST

START_TEST(loss_behind_the_bottleneck_uses_its_time)
{
    struct pair p = PAIR(.rate_bits_per_s = 1000000000, .loss_ppm = 500000);
    burst(&p, 1000, 1000);
    drain(&p);
    const struct raw_seen *last = &p.b.log->seen[p.b.log->n - 1];
    ck_assert_uint_eq(last->at, (last->number + 1) * STT_US(8));
    pair_free(&p);
}
END_TEST

START_TEST(burst_loss_has_the_right_share_and_length)
{
    /* Bad 1 in 20 of the time, for 10 datagrams on average. */
    struct pair p =
        PAIR(.burst_enter_ppm = 5263, .burst_leave_ppm = 100000, .burst_loss_ppm = 1000000);
    burst(&p, 60000, 20);
    drain(&p);
    uint64_t lost = stats_of(&p).dropped[STT_LINK_DROP_BURST], bursts = 0;
    for (size_t i = 1; i < p.b.log->n; i++)
        bursts += p.b.log->seen[i].number != p.b.log->seen[i - 1].number + 1;
    ck_assert_uint_gt(lost, 2200);
    ck_assert_uint_lt(lost, 3900);
    ck_assert_uint_gt(lost, 8 * bursts);
    ck_assert_uint_lt(lost, 12 * bursts);
    pair_free(&p);
}
END_TEST

START_TEST(jitter_spreads_arrivals_but_keeps_their_order)
{
    struct pair p = PAIR(.delay_ns = STT_MS(10), .jitter_ns = STT_MS(5));
    raw_stream(p.sim, &p.a, &p.b, 1000, STT_MS(1));
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 1000);
    stt_ns least = STT_NEVER, most = 0;
    for (size_t i = 0; i < 1000; i++) {
        const struct raw_seen *s = &p.b.log->seen[i];
        stt_ns took = s->at - s->number * STT_MS(1);
        ck_assert_uint_eq(s->number, i);
        least = took < least ? took : least;
        most = took > most ? took : most;
    }
    ck_assert_uint_ge(least, STT_MS(10));
    ck_assert_uint_lt(least, STT_MS(11));
    ck_assert_uint_gt(most, STT_MS(14));
    ck_assert_uint_le(most, STT_MS(15));
    pair_free(&p);
}
END_TEST

START_TEST(a_shorter_delay_does_not_overtake)
{
    struct pair p = PAIR(.delay_ns = STT_MS(50));
    burst(&p, 1, 100);
    stt_sim_link_set(p.sim, p.forth, &(struct stt_link_config){.delay_ns = STT_MS(1)});
    burst(&p, 1, 100);
    drain(&p);
    ck_assert_uint_eq(p.b.log->seen[0].number, 0);
    ck_assert_uint_eq(p.b.log->seen[1].at, STT_MS(50));
    pair_free(&p);
}
END_TEST

START_TEST(reordered_datagrams_come_later_and_all_come)
{
    struct pair p = PAIR(.delay_ns = STT_MS(20), .reorder_ppm = 250000, .reorder_ns = STT_MS(10));
    raw_stream(p.sim, &p.a, &p.b, 2000, STT_MS(1));
    drain(&p);
    uint64_t late = 0;
    ck_assert_uint_eq(p.b.log->n, 2000);
    for (size_t i = 0; i < 2000; i++) {
        const struct raw_seen *s = &p.b.log->seen[i];
        stt_ns took = s->at - s->number * STT_MS(1);
        ck_assert(took == STT_MS(20) || took == STT_MS(30));
        late += took == STT_MS(30);
    }
    ck_assert_uint_eq(stats_of(&p).reordered, late);
    ck_assert_uint_gt(late, 500 - 80);
    ck_assert_uint_lt(late, 500 + 80);
    ck_assert_uint_eq(stats_of(&p).datagrams_out, 2000);
    pair_free(&p);
}
END_TEST

START_TEST(everything_duplicated_comes_twice)
{
    struct pair p = PAIR(.duplicate_ppm = 1000000, .delay_ns = 1);
    raw_stream(p.sim, &p.a, &p.b, 100, STT_MS(1));
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 200);
    ck_assert_uint_eq(stats_of(&p).duplicated, 100);
    for (size_t i = 0; i < 200; i++)
        ck_assert(p.b.log->seen[i].number == i / 2 && raw_is_intact(&p.b.log->seen[i]));
    pair_free(&p);
}
END_TEST

static unsigned bits_that_differ(uint64_t number, const struct raw_seen *s)
{
    return (unsigned)__builtin_popcountll(number ^ s->number);
}

START_TEST(corruption_flips_exactly_one_bit)
{
    struct pair p = PAIR(.corrupt_ppm = 1000000);
    burst(&p, 1000, 8); /* all of it is its number */
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 1000);
    uint64_t hit = 0;
    for (size_t i = 0; i < 1000; i++) {
        ck_assert_uint_eq(bits_that_differ(i, &p.b.log->seen[i]), 1);
        hit |= i ^ p.b.log->seen[i].number;
    }
    ck_assert_uint_eq(hit, UINT64_MAX); /* and any bit */
    pair_free(&p);
}
END_TEST

START_TEST(a_duplicate_is_not_damaged_with_its_original)
{
    struct pair p = PAIR(.corrupt_ppm = 1000000, .duplicate_ppm = 1000000);
    burst(&p, 10, 100);
    drain(&p);
    for (size_t i = 0; i < 20; i++)
        ck_assert_int_eq(raw_is_intact(&p.b.log->seen[i]), i % 2);
    pair_free(&p);
}
END_TEST

START_TEST(the_mtu_drops_larger_ones_and_may_change)
{
    struct pair p = PAIR(.mtu_bytes = 1500, .header_bytes = 28);
    burst(&p, 1, 1472);
    burst(&p, 1, 1473);
    struct stt_link_config smaller = {.mtu_bytes = 1280, .header_bytes = 28};
    stt_sim_link_set(p.sim, p.forth, &smaller);
    burst(&p, 1, 1472);
    burst(&p, 1, 1252);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 2);
    ck_assert_uint_eq(p.b.log->seen[0].number, 0);
    ck_assert_uint_eq(p.b.log->seen[1].number, 3);
    ck_assert_uint_eq(stats_of(&p).dropped[STT_LINK_DROP_MTU], 2);
    pair_free(&p);
}
END_TEST

START_TEST(only_large_ones_may_be_lost)
{
    struct pair p = PAIR(.large_bytes = 1300, .large_loss_ppm = 1000000);
    for (size_t i = 0; i < 100; i++)
        burst(&p, 1, i % 2 ? 1300 : 1299);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 50);
    ck_assert_uint_eq(stats_of(&p).dropped[STT_LINK_DROP_LARGE], 50);
    pair_free(&p);
}
END_TEST

START_TEST(a_blackout_takes_what_enters_and_what_waits_but_not_what_flies)
{
    struct pair p = PAIR(.rate_bits_per_s = 8000000, .delay_ns = STT_MS(10));
    stt_sim_blackout(p.sim, p.forth, STT_US(2500), STT_MS(20));
    burst(&p, 5, 1000); /* one each millisecond */
    ck_assert(stt_sim_run_until(p.sim, STT_MS(19)));
    burst(&p, 1, 1000);
    ck_assert(stt_sim_run_until(p.sim, STT_MS(21)));
    burst(&p, 1, 1000);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 3);
    ck_assert_uint_eq(p.b.log->seen[1].at, STT_MS(12));
    ck_assert_uint_eq(p.b.log->seen[2].number, 6);
    ck_assert_uint_eq(stats_of(&p).dropped[STT_LINK_DROP_BLACKOUT], 4);
    pair_free(&p);
}
END_TEST

START_TEST(blackouts_may_overlap)
{
    struct pair p = PAIR(0);
    stt_sim_blackout(p.sim, p.forth, STT_MS(1), STT_MS(5));
    stt_sim_blackout(p.sim, p.forth, STT_MS(3), STT_MS(9));
    raw_stream(p.sim, &p.a, &p.b, 12, STT_MS(1));
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 4); /* at 0, 9, 10, 11 ms; at 1 ms it is dark already */
    ck_assert_uint_eq(p.b.log->seen[1].number, 9);
    pair_free(&p);
}
END_TEST

START_TEST(a_policer_passes_its_burst_and_then_its_rate)
{
    struct pair p = PAIR(.police_bits_per_s = 8000000, .police_burst_bytes = 10000);
    burst(&p, 20, 1000);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 10);
    /* Four a millisecond for a second: one a millisecond passes, and the burst. */
    raw_stream(p.sim, &p.a, &p.b, 4000, STT_US(250));
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 10 + 10 + 1000 - 1);
    ck_assert_uint_eq(stats_of(&p).dropped[STT_LINK_DROP_POLICED], 10 + 4000 - 1009);
    pair_free(&p);
}
END_TEST

START_TEST(a_policer_forgives_no_more_than_its_burst)
{
    struct pair p = PAIR(.police_bits_per_s = UINT64_C(100000000000), .police_burst_bytes = 3000);
    ck_assert(stt_sim_run_until(p.sim, STT_S(100000)));
    burst(&p, 5, 1000);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 3);
    struct stt_link_config smaller = {.police_bits_per_s = 8000, .police_burst_bytes = 1000};
    ck_assert(stt_sim_run_until(p.sim, STT_S(200000)));
    burst(&p, 1, 8); /* the bucket is all but full */
    stt_sim_link_set(p.sim, p.forth, &smaller);
    burst(&p, 5, 500);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 3 + 1 + 2);
    pair_free(&p);
}
END_TEST

START_TEST(listed_datagrams_are_dropped)
{
    struct pair p = PAIR(.drop_listed = {1, 5, 6});
    burst(&p, 8, 100);
    drain(&p);
    const uint64_t left[] = {1, 2, 3, 6, 7};
    ck_assert_uint_eq(p.b.log->n, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(p.b.log->seen[i].number, left[i]);
    ck_assert_uint_eq(stats_of(&p).dropped[STT_LINK_DROP_LISTED], 3);
    pair_free(&p);
}
END_TEST

START_TEST(every_kth_datagram_is_dropped)
{
    uint64_t k = (uint64_t)_i;
    struct pair p = PAIR(.drop_every = k);
    burst(&p, 200, 100);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 200 - 200 / k);
    for (size_t i = 0; i < p.b.log->n; i++)
        ck_assert_uint_ne((p.b.log->seen[i].number + 1) % k, 0);
    pair_free(&p);
}
END_TEST

START_TEST(aggregated_arrivals_come_in_bursts_and_as_trains)
{
    struct pair p = PAIR(.delay_ns = STT_US(300), .aggregate_ns = STT_MS(5));
    raw_stream(p.sim, &p.a, &p.b, 100, STT_MS(1));
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 100);
    for (size_t i = 0; i < 100; i++)
        ck_assert_uint_eq(p.b.log->seen[i].at, STT_MS(5) * (i / 5 + 1));
    ck_assert_uint_eq(p.b.log->trains, 20);
    pair_free(&p);
}
END_TEST

START_TEST(a_byte_stream_loses_nothing_whatever_it_is_told)
{
    struct pair p = PAIR(.reliable = true, .rate_bits_per_s = 80000000, .delay_ns = STT_MS(5),
                         .jitter_ns = STT_MS(5), .loss_ppm = 1000000, .corrupt_ppm = 1000000,
                         .duplicate_ppm = 1000000, .reorder_ppm = 1000000, .reorder_ns = STT_MS(9),
                         .drop_every = 2, .mtu_bytes = 10);
    stt_sim_blackout(p.sim, p.forth, STT_MS(30), STT_MS(60));
    raw_stream(p.sim, &p.a, &p.b, 100, STT_MS(1));
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 100);
    for (size_t i = 0; i < 100; i++) {
        const struct raw_seen *s = &p.b.log->seen[i];
        ck_assert(s->number == i && raw_is_intact(s));
        ck_assert(i < 30 || s->at >= STT_MS(60)); /* it waited */
    }
    pair_free(&p);
}
END_TEST

START_TEST(a_byte_stream_holds_its_sender_back)
{
    struct pair p = PAIR(.reliable = true, .rate_bits_per_s = 8000000, .queue_bytes = 3000);
    struct stt_path path = {.local = p.a.address, .remote = p.b.address};
    stt_sim_watch(p.sim, p.forth, p.a.node);
    ck_assert(stt_sim_is_writable(p.sim, &path));
    burst(&p, 2, 1000);
    ck_assert(stt_sim_is_writable(p.sim, &path));
    burst(&p, 1, 1000);
    ck_assert(!stt_sim_is_writable(p.sim, &path));
    ck_assert(stt_sim_run_until(p.sim, STT_MS(1) - 1));
    ck_assert(p.a.log->writable_told == 1 && !p.a.log->writable);
    ck_assert(stt_sim_run_until(p.sim, STT_MS(1)));
    ck_assert(p.a.log->writable_told == 2 && p.a.log->writable);
    ck_assert(stt_sim_is_writable(p.sim, &path));
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 3);
    pair_free(&p);
}
END_TEST

START_TEST(a_byte_stream_refuses_what_is_sent_against_its_word)
{
    struct pair p = PAIR(.reliable = true, .rate_bits_per_s = 8000000, .queue_bytes = 3000);
    burst(&p, 5, 1000);
    drain(&p);
    ck_assert_uint_eq(p.b.log->n, 3);
    ck_assert_uint_eq(stats_of(&p).dropped[STT_LINK_DROP_UNWRITABLE], 2);
    pair_free(&p);
}
END_TEST

SUITE("link", TEST(a_perfect_link_delivers_at_once_and_intact), TEST(delay_is_exact),
      TEST(rate_spaces_datagrams_and_counts_their_headers),
      TEST(an_odd_rate_loses_no_time_in_rounding), TEST(a_new_rate_serves_what_waits),
      TEST(taking_the_rate_away_empties_the_queue),
      TEST(a_full_queue_drops_the_tail_and_nothing_else),
      TEST(headers_that_change_do_not_confuse_the_queue),
      TEST(a_long_queue_marks_what_can_be_marked),
      TEST(a_threshold_of_one_byte_marks_everything_and_bleach_clears_it),
      TEST(random_loss_is_as_frequent_as_it_should_be),
      TEST(loss_behind_the_bottleneck_uses_its_time),
      TEST(burst_loss_has_the_right_share_and_length),
      TEST(jitter_spreads_arrivals_but_keeps_their_order), TEST(a_shorter_delay_does_not_overtake),
      TEST(reordered_datagrams_come_later_and_all_come), TEST(everything_duplicated_comes_twice),
      TEST(corruption_flips_exactly_one_bit), TEST(a_duplicate_is_not_damaged_with_its_original),
      TEST(the_mtu_drops_larger_ones_and_may_change), TEST(only_large_ones_may_be_lost),
      TEST(a_blackout_takes_what_enters_and_what_waits_but_not_what_flies),
      TEST(blackouts_may_overlap), TEST(a_policer_passes_its_burst_and_then_its_rate),
      TEST(a_policer_forgives_no_more_than_its_burst), TEST(listed_datagrams_are_dropped),
      LOOP(every_kth_datagram_is_dropped, 2, 10),
      TEST(aggregated_arrivals_come_in_bursts_and_as_trains),
      TEST(a_byte_stream_loses_nothing_whatever_it_is_told),
      TEST(a_byte_stream_holds_its_sender_back),
      TEST(a_byte_stream_refuses_what_is_sent_against_its_word))
