/* SPDX-License-Identifier: MIT */
#include "stt/recovery/ecn.h"

#include "stt/wire/limits.h"
#include "tests/support/suite.h"

static struct stt_ecn e;
static uint64_t largest;

static void setup(void)
{
    e = (struct stt_ecn){.state = STT_ECN_TESTING};
    largest = 0;
}

/* An ACK newer than all before, that newly acknowledges so many marked packets. */
static uint64_t ack(uint64_t ect0, uint64_t ect1, uint64_t ce, uint64_t marked)
{
    struct frame_ack f = {
        .largest = ++largest, .has_ecn = ect0 || ect1 || ce, .ecn = {ect0, ect1, ce}};
    return stt_ecn_on_ack(&e, &f, marked);
}

START_TEST(what_came_is_counted_by_its_bits)
{
    setup();
    ck_assert_ptr_null(stt_ecn_counts(&e));
    stt_ecn_on_received(&e, STT_ECN_NOT, 3);
    ck_assert_ptr_null(stt_ecn_counts(&e));
    stt_ecn_on_received(&e, STT_ECN_ECT0, 5);
    stt_ecn_on_received(&e, STT_ECN_CE, 2);
    stt_ecn_on_received(&e, STT_ECN_ECT1, 1);
    ck_assert_uint_eq(stt_ecn_counts(&e)->ect0, 5);
    ck_assert_uint_eq(stt_ecn_counts(&e)->ce, 2);
    ck_assert_uint_eq(stt_ecn_counts(&e)->ect1, 1);
}
END_TEST

START_TEST(the_first_mark_after_none_is_news)
{
    setup();
    ck_assert(!stt_ecn_on_received(&e, STT_ECN_ECT0, 1));
    ck_assert(stt_ecn_on_received(&e, STT_ECN_CE, 1));
    ck_assert(!stt_ecn_on_received(&e, STT_ECN_CE, 1));
    ck_assert(!stt_ecn_on_received(&e, STT_ECN_ECT0, 1));
    ck_assert(stt_ecn_on_received(&e, STT_ECN_CE, 1));
}
END_TEST

START_TEST(a_path_that_passes_marks_on_is_capable)
{
    setup();
    ck_assert_uint_eq(stt_ecn_bits(&e), STT_ECN_ECT0);
    ck_assert_uint_eq(ack(10, 0, 0, 10), 0);
    ck_assert_uint_eq(e.state, STT_ECN_CAPABLE);
    ck_assert_uint_eq(ack(15, 0, 5, 10), 5);
    ck_assert_uint_eq(ack(15, 0, 5, 0), 0);
    ck_assert_uint_eq(ack(20, 0, 6, 5), 1);
    ck_assert_uint_eq(stt_ecn_bits(&e), STT_ECN_ECT0);
}
END_TEST

/* Each breaks one rule. */
static const struct lie {
    uint64_t ect0, ect1, ce, marked;
} lies[] = {
    {0, 0, 0, 1},    /* no counts for what was marked */
    {10, 0, 0, 1},   /* fewer than were acknowledged */
    {9, 0, 5, 0},    /* one falls */
    {100, 0, 1, 90}, /* the other falls */
    {100, 1, 2, 90}, /* a mark that nobody here sets */
};

START_TEST(counts_that_cannot_be_true_end_it)
{
    const struct lie *l = &lies[_i];
    setup();
    ack(10, 0, 2, 12);
    ck_assert_uint_eq(e.state, STT_ECN_CAPABLE);
    ck_assert_uint_eq(ack(l->ect0, l->ect1, l->ce, l->marked), 0);
    ck_assert_uint_eq(e.state, STT_ECN_FAILED);
    ck_assert_uint_eq(stt_ecn_bits(&e), STT_ECN_NOT);
    ck_assert_uint_eq(ack(1000, 0, 1000, 0), 0); /* for good */
}
END_TEST

START_TEST(an_ack_that_was_overtaken_is_no_lie)
{
    setup();
    ack(10, 0, 2, 12);
    largest = 0;
    ck_assert_uint_eq(ack(5, 0, 1, 0), 0);
    ck_assert_uint_eq(e.state, STT_ECN_CAPABLE);
}
END_TEST

START_TEST(an_ack_without_counts_is_right_where_nothing_was_marked)
{
    setup();
    ck_assert_uint_eq(ack(0, 0, 0, 0), 0);
    ck_assert_uint_eq(e.state, STT_ECN_TESTING);
}
END_TEST

START_TEST(where_the_first_marked_packets_are_all_lost_none_is_marked_any_more)
{
    setup();
    stt_ecn_on_lost(&e, STT_ECN_LOST_MAX - 1);
    ck_assert_uint_eq(e.state, STT_ECN_TESTING);
    stt_ecn_on_lost(&e, 1);
    ck_assert_uint_eq(e.state, STT_ECN_FAILED);
    stt_ecn_on_path(&e);
    ck_assert_uint_eq(e.state, STT_ECN_TESTING);
    ack(1, 0, 0, 1);
    stt_ecn_on_lost(&e, 1000); /* losses later on are losses */
    ck_assert_uint_eq(e.state, STT_ECN_CAPABLE);
}
END_TEST

START_TEST(two_ptos_without_an_answer_end_the_test)
{
    setup();
    stt_ecn_on_pto(&e);
    ck_assert_uint_eq(e.state, STT_ECN_TESTING);
    stt_ecn_on_pto(&e);
    ck_assert_uint_eq(e.state, STT_ECN_FAILED);
}
END_TEST

SUITE("ecn", TEST(what_came_is_counted_by_its_bits), TEST(the_first_mark_after_none_is_news),
      TEST(a_path_that_passes_marks_on_is_capable),
      LOOP(counts_that_cannot_be_true_end_it, 0, sizeof lies / sizeof lies[0]),
      TEST(an_ack_that_was_overtaken_is_no_lie),
      TEST(an_ack_without_counts_is_right_where_nothing_was_marked),
      TEST(two_ptos_without_an_answer_end_the_test),
      TEST(where_the_first_marked_packets_are_all_lost_none_is_marked_any_more))
