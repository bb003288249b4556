/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_loss compares long histories with a model; here are the single cases. */
#include "stt/recovery/loss.h"

#include "tests/support/ack_frame.h"
#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

enum { PACKET_BYTES = 1000, STREAM_BYTES = 900, PULLED_MAX = 4096 };

static const stt_ns RTT = STT_MS(80);

struct fixture {
    struct test_env te;
    struct stt_loss l;
    stt_ns now;
    uint64_t next;
    struct stt_settled pulled[PULLED_MAX];
    size_t n_pulled;
};

static void setup(struct fixture *f)
{
    test_env_init(&f->te, 1);
    stt_loss_init(&f->l, &f->te.env, 1000);
    f->now = STT_S(1);
    f->next = 0;
    f->n_pulled = 0;
}

static void teardown(struct fixture *f)
{
    stt_loss_free(&f->l);
    test_env_check_no_leak(&f->te);
}

static const struct stt_loss_path *path(struct fixture *f)
{
    return stt_loss_path(&f->l);
}

static void begin(struct fixture *f, size_t packets, size_t more)
{
    struct stt_range numbers = {f->next, f->next + packets};
    ck_assert_int_eq(stt_loss_begin_train(&f->l, f->now, f->l.in_use, numbers, more), STT_OK);
}

static uint64_t add(struct fixture *f, uint8_t flags, const struct stt_piece *pieces, size_t n)
{
    struct stt_loss_packet packet = {
        .number = f->next, .pieces = pieces, .n_pieces = n, .bytes = PACKET_BYTES, .flags = flags};
    stt_loss_on_packet(&f->l, &packet);
    return f->next++;
}

static struct stt_piece piece_of(uint64_t number)
{
    return (struct stt_piece){
        .stream = 7, .offset = number * STREAM_BYTES, .len = STREAM_BYTES, .owes = 1};
}

/* A train of packets that carry the bytes of stream 7 one after the other. */
static uint64_t send(struct fixture *f, size_t packets)
{
    uint64_t first = f->next;
    begin(f, packets, 0);
    for (size_t i = 0; i < packets; i++) {
        struct stt_piece piece = piece_of(f->next);
        add(f, STT_PACKET_ELICITS, &piece, 1);
    }
    stt_loss_end_train(&f->l, false);
    return first;
}

static void pull(struct fixture *f)
{
    f->n_pulled = 0;
    while (stt_loss_next(&f->l, &f->pulled[f->n_pulled]))
        ck_assert_uint_lt(++f->n_pulled, PULLED_MAX);
}

static uint64_t ack_ranges(struct fixture *f, const struct stt_range *ranges, size_t n,
                           uint64_t delay_us)
{
    struct ack_frame memory;
    uint64_t code = stt_loss_on_ack(&f->l, f->now, ack_frame(&memory, ranges, n, delay_us));
    if (code == STT_CLOSE_NO_ERROR)
        pull(f);
    return code;
}

static void ack(struct fixture *f, uint64_t from, uint64_t to)
{
    struct stt_range range = {from, to};
    ck_assert_uint_eq(ack_ranges(f, &range, 1, 0), STT_CLOSE_NO_ERROR);
}

/* A first round trip of 80 ms, twice, so that its deviation is small. */
static void measure(struct fixture *f)
{
    for (int i = 0; i < 20; i++) {
        uint64_t number = send(f, 1);
        f->now += RTT;
        ack(f, number, number + 1);
    }
}

static uint64_t count(const struct fixture *f, enum stt_settled_kind kind)
{
    uint64_t n = 0;
    for (size_t i = 0; i < f->n_pulled; i++)
        n += f->pulled[i].kind == kind ? f->pulled[i].end - f->pulled[i].first : 0;
    return n;
}

static const struct stt_loss_outcome *outcome(struct fixture *f)
{
    return stt_loss_outcome(&f->l);
}

/* -- in flight ------------------------------------------------------------------------------------
 */

START_TEST(at_first_nothing_is_in_flight_and_no_memory_taken)
{
    struct fixture f;
    setup(&f);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 0);
    ck_assert_uint_eq(stt_loss_deadline(&f.l), STT_NEVER);
    ck_assert_uint_eq(f.te.allocs, 0);
    teardown(&f);
}
END_TEST

START_TEST(what_was_sent_is_in_flight_until_it_is_acknowledged)
{
    struct fixture f;
    setup(&f);
    send(&f, 3);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 3 * PACKET_BYTES);
    ack(&f, 0, 2);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, PACKET_BYTES);
    ck_assert_uint_eq(outcome(&f)->sample.acked_bytes, 2 * PACKET_BYTES);
    ck_assert_uint_eq(outcome(&f)->sample.in_flight_bytes, 3 * PACKET_BYTES);
    ck_assert_uint_eq(path(&f)->delivered_bytes, 2 * PACKET_BYTES);
    teardown(&f);
}
END_TEST

START_TEST(what_is_acknowledged_twice_counts_once)
{
    struct fixture f;
    setup(&f);
    send(&f, 3);
    ack(&f, 0, 3);
    ack(&f, 0, 3);
    ck_assert_uint_eq(f.n_pulled, 0);
    ck_assert_uint_eq(outcome(&f)->sample.acked_bytes, 0);
    ck_assert_uint_eq(path(&f)->delivered_bytes, 3 * PACKET_BYTES);
    teardown(&f);
}
END_TEST

START_TEST(quiet_packets_are_not_in_flight_and_may_be_acknowledged)
{
    struct fixture f;
    setup(&f);
    send(&f, 1);
    for (int i = 0; i < 1000; i++)
        stt_loss_on_quiet_packet(&f.l, f.next++);
    send(&f, 1);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 2 * PACKET_BYTES);
    ack(&f, 1, 1001);
    ck_assert_uint_eq(f.n_pulled, 0);
    ack(&f, 0, 1002);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 2);
    teardown(&f);
}
END_TEST

START_TEST(padding_is_in_flight_and_asks_for_nothing)
{
    struct fixture f;
    struct stt_piece none = {.stream = STT_NO_STREAM};
    setup(&f);
    begin(&f, 1, 0);
    add(&f, 0, &none, 1);
    stt_loss_end_train(&f.l, false);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, PACKET_BYTES);
    ck_assert_uint_eq(stt_loss_pto_at(&f.l), STT_NEVER);
    teardown(&f);
}
END_TEST

START_TEST(a_train_in_which_nothing_was_sent_leaves_no_trace)
{
    struct fixture f;
    setup(&f);
    for (int i = 0; i < 1000; i++) {
        begin(&f, 10, 10);
        stt_loss_end_train(&f.l, true);
    }
    ck_assert_uint_eq(f.l.flight.train_slots, STT_FLIGHT_TRAINS_MIN);
    send(&f, 1);
    ack(&f, 0, 1);
    teardown(&f);
}
END_TEST

START_TEST(memory_does_not_grow_while_what_is_in_flight_fits)
{
    struct fixture f;
    setup(&f);
    send(&f, 40);
    uint64_t allocs = f.te.allocs;
    for (int i = 0; i < 10000; i++) {
        uint64_t number = send(&f, 1);
        f.now += STT_MS(1);
        ack(&f, number - 40, number - 39);
    }
    ck_assert_uint_eq(f.te.allocs, allocs + 2); /* of 40 trains */
    teardown(&f);
}
END_TEST

START_TEST(without_memory_a_train_is_refused_and_nothing_changes_case_37)
{
    struct fixture f;
    struct stt_range numbers = {0, 10};
    setup(&f);
    for (uint64_t failing = 0; failing < 3; failing++) { /* ring, trains, pieces */
        f.te.fail_at = f.te.allocs + 1;
        ck_assert_int_eq(stt_loss_begin_train(&f.l, f.now, 0, numbers, 10), STT_E_MEMORY);
        ck_assert_uint_eq(f.te.live, failing);
        f.te.fail_at = f.te.allocs + 2; /* what had failed succeeds, and the next one fails */
        if (failing < 2)
            ck_assert_int_eq(stt_loss_begin_train(&f.l, f.now, 0, numbers, 10), STT_E_MEMORY);
    }
    send(&f, 5);
    ack(&f, 0, 5);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 5);
    teardown(&f);
}
END_TEST

START_TEST(a_train_too_far_above_the_oldest_is_refused)
{
    struct fixture f;
    setup(&f);
    send(&f, 1);
    struct stt_range far = {STT_FLIGHT_SLOTS_MAX, STT_FLIGHT_SLOTS_MAX + 1};
    ck_assert_int_eq(stt_loss_begin_train(&f.l, f.now, 0, far, 0), STT_E_LIMIT);
    ack(&f, 0, 1);
    ck_assert_int_eq(stt_loss_begin_train(&f.l, f.now, 0, far, 0), STT_OK);
    stt_loss_end_train(&f.l, false);
    teardown(&f);
}
END_TEST

START_TEST(where_there_is_no_room_a_lost_packet_makes_some)
{
    struct fixture f;
    setup(&f);
    send(&f, 10);
    f.now += RTT;
    ack(&f, 1, 10);
    ck_assert_uint_eq(f.l.flight.n_open, 1);
    struct stt_range far = {STT_FLIGHT_SLOTS_MAX, STT_FLIGHT_SLOTS_MAX + 1};
    ck_assert_int_eq(stt_loss_begin_train(&f.l, f.now, 0, far, 0), STT_OK);
    stt_loss_end_train(&f.l, false);
    teardown(&f);
}
END_TEST

/* A download is acknowledged in many packets that are not acknowledged themselves. */
START_TEST(where_nothing_is_in_flight_what_was_lost_takes_no_room_for_numbers_since)
{
    struct fixture f;
    setup(&f);
    uint64_t first = send(&f, 10);
    ack(&f, first + 4, first + 10);
    ck_assert_uint_eq(f.l.flight.n_sent, 0);
    ck_assert_uint_gt(f.l.flight.n_open, 0);
    uint32_t slots = f.l.flight.slots;
    for (int i = 0; i < 100000; i++)
        stt_loss_on_quiet_packet(&f.l, f.next++);
    send(&f, 1);
    ck_assert_uint_eq(f.l.flight.slots, slots);
    ck_assert_uint_eq(f.l.flight.n_open, 1);
    teardown(&f);
}
END_TEST

START_TEST(a_number_that_the_receiver_could_not_recover_is_refused)
{
    struct fixture f;
    setup(&f);
    uint64_t number = (UINT64_C(1) << 31) - 1;
    ck_assert(stt_loss_may_number(&f.l, number - 1));
    ck_assert(!stt_loss_may_number(&f.l, number));
    ck_assert_int_eq(
        stt_loss_begin_train(&f.l, f.now, 0, (struct stt_range){number, number + 1}, 0),
        STT_E_LIMIT);
    teardown(&f);
}
END_TEST

START_TEST(a_quiet_session_gives_its_memory_back)
{
    struct fixture f;
    setup(&f);
    send(&f, 100);
    stt_loss_trim(&f.l);
    ck_assert_uint_gt(f.te.live, 0);
    ack(&f, 0, 100);
    stt_loss_trim(&f.l);
    ck_assert_uint_eq(f.te.live, 0);
    ack(&f, 0, 100);
    send(&f, 100);
    ack(&f, 0, 200);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 100);
    teardown(&f);
}
END_TEST

/* -- what is pulled -------------------------------------------------------------------------------
 */

START_TEST(consecutive_bytes_of_a_stream_are_one_run)
{
    struct fixture f;
    setup(&f);
    for (int i = 0; i < 5; i++) {
        f.now += STT_MS(1);
        send(&f, 44);
    }
    ack(&f, 0, 220);
    ck_assert_uint_eq(f.n_pulled, 1);
    const struct stt_settled *run = &f.pulled[0];
    ck_assert(run->kind == STT_SETTLED_ACKED && run->stream == 7 && run->owes == 1);
    ck_assert(run->first == 0 && run->end == 220);
    ck_assert(run->offset == 0 && run->len == 220 * STREAM_BYTES);
    ck_assert_uint_eq(run->bytes, 220 * PACKET_BYTES);
    ck_assert_uint_eq(f.l.flight.first_train, f.l.flight.next_train);
    teardown(&f);
}
END_TEST

START_TEST(another_stream_or_a_leap_begins_another_run)
{
    static const struct stt_piece pieces[] = {
        {.stream = 1, .offset = 0, .len = 10, .owes = 1},
        {.stream = 1, .offset = 10, .len = 10, .owes = 2},
        {.stream = 2, .offset = 20, .len = 10},
        {.stream = 2, .offset = 31, .len = 10},
        {.stream = 2, .offset = 41, .len = 0, .fin = true},
        {.stream = STT_NO_STREAM, .owes = 4},
        {.stream = STT_NO_STREAM, .owes = 8},
    };
    static const struct stt_settled runs[] = {
        {.stream = 1, .first = 0, .end = 2, .offset = 0, .len = 20, .owes = 3},
        {.stream = 2, .first = 2, .end = 3, .offset = 20, .len = 10},
        {.stream = 2, .first = 3, .end = 5, .offset = 31, .len = 10, .fin = true},
        {.stream = STT_NO_STREAM, .first = 5, .end = 7, .owes = 12},
    };
    struct fixture f;
    setup(&f);
    begin(&f, 7, 0);
    for (size_t i = 0; i < 7; i++)
        add(&f, STT_PACKET_ELICITS, &pieces[i], 1);
    stt_loss_end_train(&f.l, false);
    ack(&f, 0, 7);
    ck_assert_uint_eq(f.n_pulled, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct stt_settled *run = &f.pulled[i], *wanted = &runs[i];
        ck_assert(run->stream == wanted->stream && run->owes == wanted->owes);
        ck_assert(run->first == wanted->first && run->end == wanted->end);
        ck_assert(run->offset == wanted->offset && run->len == wanted->len);
        ck_assert(run->fin == wanted->fin);
    }
    teardown(&f);
}
END_TEST

START_TEST(a_packet_may_hold_many_pieces)
{
    struct fixture f;
    struct stt_piece pieces[100];
    setup(&f);
    for (uint32_t i = 0; i < 100; i++)
        pieces[i] = (struct stt_piece){.stream = i, .offset = i, .len = 1, .fin = i == 50};
    for (int round = 0; round < 50; round++) {
        begin(&f, 1, 99);
        add(&f, STT_PACKET_ELICITS, pieces, 100);
        stt_loss_end_train(&f.l, false);
        ack(&f, f.next - 1, f.next);
        ck_assert_uint_eq(f.n_pulled, 100);
        for (uint32_t i = 0; i < 100; i++)
            ck_assert(f.pulled[i].stream == i && f.pulled[i].fin == (i == 50));
        ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 1);
    }
    ck_assert_uint_eq(f.l.flight.pieces_in_use, 0);
    ck_assert_uint_eq(f.l.flight.piece_slots, 128);
    teardown(&f);
}
END_TEST

START_TEST(pieces_of_a_lost_packet_are_told_when_lost_and_when_late)
{
    static const struct stt_piece pieces[] = {{.stream = 1, .len = 5}, {.stream = 2, .len = 6}};
    struct fixture f;
    setup(&f);
    begin(&f, 1, 1);
    add(&f, STT_PACKET_ELICITS, pieces, 2);
    stt_loss_end_train(&f.l, false);
    send(&f, 3);
    f.now += RTT;
    ack(&f, 1, 4);
    ck_assert_uint_eq(f.n_pulled, 3);
    ck_assert(f.pulled[1].kind == STT_SETTLED_LOST && f.pulled[1].stream == 1);
    ck_assert(f.pulled[2].kind == STT_SETTLED_LOST && f.pulled[2].stream == 2);
    ck_assert_uint_eq(f.l.flight.pieces_in_use, 1);
    ack(&f, 0, 4);
    ck_assert_uint_eq(f.n_pulled, 2);
    ck_assert(f.pulled[1].kind == STT_SETTLED_ACKED && f.pulled[1].stream == 2);
    ck_assert_uint_eq(f.l.flight.pieces_in_use, 0);
    teardown(&f);
}
END_TEST

/* -- acks that are not honest ---------------------------------------------------------------------
 */

START_TEST(an_ack_of_what_was_never_sent_is_invalid_case_20)
{
    struct fixture f;
    struct stt_range range = {0, 4};
    setup(&f);
    send(&f, 3);
    ck_assert_uint_eq(ack_ranges(&f, &range, 1, 0), STT_CLOSE_ACK_INVALID);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 3 * PACKET_BYTES);
    stt_loss_on_quiet_packet(&f.l, f.next++);
    ck_assert_uint_eq(ack_ranges(&f, &range, 1, 0), STT_CLOSE_NO_ERROR);
    teardown(&f);
}
END_TEST

static void send_around_a_skip(struct fixture *f)
{
    begin(f, 11, 0);
    for (int i = 0; i < 11; i++) {
        struct stt_piece piece = piece_of(f->next);
        if (i == 5)
            stt_loss_on_skipped(&f->l, f->next++, 0);
        else
            add(f, STT_PACKET_ELICITS, &piece, 1);
    }
    stt_loss_end_train(&f->l, false);
}

START_TEST(an_ack_of_a_number_left_out_is_invalid_case_21)
{
    static const struct stt_range lies[] = {{0, 11}, {5, 6}, {3, 6}, {5, 9}, {0, 6}};
    struct fixture f;
    setup(&f);
    send_around_a_skip(&f);
    ack(&f, 10, 11);
    ck_assert(!outcome(&f)->is_invalid);
    struct stt_range ranges[] = {lies[_i], {10, 11}};
    ck_assert_uint_eq(ack_ranges(&f, ranges, lies[_i].to == 11 ? 1 : 2, 0), STT_CLOSE_NO_ERROR);
    ck_assert(outcome(&f)->is_invalid);
    teardown(&f);
}
END_TEST

START_TEST(acks_around_a_number_left_out_are_honest)
{
    struct fixture f;
    setup(&f);
    send_around_a_skip(&f);
    struct stt_range ranges[] = {{0, 5}, {6, 11}};
    ck_assert_uint_eq(ack_ranges(&f, ranges, 2, 0), STT_CLOSE_NO_ERROR);
    ck_assert(!outcome(&f)->is_invalid);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 10);
    teardown(&f);
}
END_TEST

START_TEST(a_number_left_out_is_forgotten_when_all_below_is_settled)
{
    struct fixture f;
    setup(&f);
    send_around_a_skip(&f);
    ack(&f, 0, 5);
    ack(&f, 0, 11);
    ck_assert(!outcome(&f)->is_invalid);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 5);
    teardown(&f);
}
END_TEST

START_TEST(numbers_are_left_out_once_in_512_or_in_an_eighth_of_what_is_in_flight)
{
    struct fixture f;
    struct rng rng = rng_init(1);
    uint64_t skips = 0, numbers = 200000;
    setup(&f);
    f.l.flight.n_sent = _i ? 80000 : 0;
    for (uint64_t n = 0; n < numbers; n++) {
        if (!stt_loss_skips(&f.l, n))
            continue;
        f.l.is_in_train = true;
        f.l.flight.n_open = 0;
        begin(&f, 1, 0);
        stt_loss_on_skipped(&f.l, n, (uint32_t)rng_u64(&rng));
        f.next = n + 1;
        skips++;
    }
    f.l.flight.n_sent = 0;
    uint64_t mean = _i ? 10000 : 512;
    ck_assert_uint_gt(skips, numbers / mean * 3 / 4);
    ck_assert_uint_lt(skips, numbers / mean * 5 / 4);
    teardown(&f);
}
END_TEST

START_TEST(an_absurd_range_costs_no_more_than_what_is_in_flight_case_22)
{
    struct fixture f;
    setup(&f);
    f.l.sent_end = f.next = (UINT64_C(1) << 62) - 100;
    f.l.acked_end = f.next - 1;
    send(&f, 10);
    for (int i = 0; i < 100000; i++)
        ack(&f, 0, f.next - 10);
    ck_assert_uint_eq(f.n_pulled, 0);
    ack(&f, 0, f.next);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 10);
    teardown(&f);
}
END_TEST

START_TEST(an_absurd_ack_delay_is_clamped_case_23)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    f.l.max_ack_delay_ns = STT_MS(25);
    uint64_t number = send(&f, 1);
    f.now += RTT + STT_MS(25);
    struct stt_range range = {number, number + 1};
    ck_assert_uint_eq(ack_ranges(&f, &range, 1, (UINT64_C(1) << 62) - 1), STT_CLOSE_NO_ERROR);
    ck_assert_uint_eq(path(&f)->rtt.smoothed, RTT);
    ck_assert_uint_eq(outcome(&f)->sample.rtt_ns, RTT);
    teardown(&f);
}
END_TEST

/* -- round trips ----------------------------------------------------------------------------------
 */

START_TEST(only_the_largest_gives_a_round_trip_and_only_once)
{
    struct fixture f;
    setup(&f);
    send(&f, 1);
    f.now += RTT;
    send(&f, 1);
    ack(&f, 0, 1);
    ck_assert_uint_eq(path(&f)->rtt.latest, RTT);
    f.now += RTT;
    ack(&f, 0, 1);
    ck_assert_uint_eq(outcome(&f)->sample.rtt_ns, 0);
    ck_assert_uint_eq(path(&f)->rtt.latest, RTT);
    teardown(&f);
}
END_TEST

START_TEST(round_trips_of_0_and_of_30_s_overflow_nothing_case_40)
{
    struct fixture f;
    setup(&f);
    f.l.max_ack_delay_ns = STT_S(1);
    for (int i = 0; i < 100; i++) {
        uint64_t number = send(&f, 10);
        f.now += i % 2 ? STT_S(30) : 0;
        struct stt_range range = {number + 1, number + 10};
        ck_assert_uint_eq(ack_ranges(&f, &range, 1, UINT64_C(1) << 61), STT_CLOSE_NO_ERROR);
        ck_assert(f.l.loss_at == STT_NEVER || f.l.loss_at <= f.now + STT_S(120));
        ck_assert(stt_loss_deadline(&f.l) == STT_NEVER ||
                  stt_loss_deadline(&f.l) <= f.now + STT_S(120));
    }
    ck_assert_uint_le(path(&f)->rtt.smoothed, STT_S(30));
    teardown(&f);
}
END_TEST

/* -- loss -----------------------------------------------------------------------------------------
 */

START_TEST(three_later_packets_make_one_lost)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 10);
    f.now += RTT;
    ack(&f, first + 1, first + 3);
    ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), 0);
    ack(&f, first + 1, first + 4);
    ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), 1);
    ck_assert_uint_eq(f.pulled[1].first, first);
    ck_assert_uint_eq(outcome(&f)->sample.lost_bytes, PACKET_BYTES);
    ck_assert_uint_eq(outcome(&f)->newest_lost, first);
    ck_assert_uint_eq(outcome(&f)->sample.lost_bytes, PACKET_BYTES);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 6 * PACKET_BYTES);
    teardown(&f);
}
END_TEST

START_TEST(a_burst_that_is_lost_is_one_run)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 200);
    f.now += RTT;
    ack(&f, first + 100, first + 200);
    ck_assert_uint_eq(f.n_pulled, 2);
    ck_assert(f.pulled[1].kind == STT_SETTLED_LOST && f.pulled[1].end - f.pulled[1].first == 100);
    ck_assert_uint_eq(f.pulled[1].len, 100 * STREAM_BYTES);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 0);
    teardown(&f);
}
END_TEST

START_TEST(nine_eighths_of_a_round_trip_make_an_older_packet_lost)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 1);
    stt_ns sent_at = f.now;
    f.now += STT_MS(1);
    send(&f, 1);
    f.now = sent_at + RTT + STT_MS(1);
    ack(&f, first + 1, first + 2);
    ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), 0);
    ck_assert_uint_eq(f.l.loss_at, sent_at + RTT + RTT / 8);
    stt_loss_on_loss_timer(&f.l, f.l.loss_at - 1);
    pull(&f);
    ck_assert_uint_eq(f.n_pulled, 0);
    stt_loss_on_loss_timer(&f.l, f.l.loss_at);
    pull(&f);
    ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), 1);
    ck_assert_uint_eq(f.l.loss_at, STT_NEVER);
    teardown(&f);
}
END_TEST

START_TEST(what_is_newer_than_the_largest_acknowledged_is_never_lost)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 1);
    send(&f, 50);
    f.now += RTT;
    ack(&f, first, first + 1);
    ck_assert_uint_eq(f.l.loss_at, STT_NEVER);
    f.now += STT_S(100);
    stt_loss_on_loss_timer(&f.l, f.now);
    pull(&f);
    ck_assert_uint_eq(f.n_pulled, 0);
    teardown(&f);
}
END_TEST

START_TEST(every_kth_packet_lost_is_found_case_51)
{
    struct fixture f;
    struct stt_range ranges[STT_ACK_RANGES_MAX];
    uint64_t k = (uint64_t)_i, lost = 0, n = 0;
    setup(&f);
    uint64_t first = send(&f, 200);
    for (uint64_t i = 0; i < 200; i++) {
        if (i % k == 0)
            continue;
        if (n && ranges[n - 1].to == first + i)
            ranges[n - 1].to++;
        else
            ranges[n++] = (struct stt_range){first + i, first + i + 1};
    }
    f.now += RTT;
    ck_assert_uint_eq(ack_ranges(&f, ranges, n, 0), STT_CLOSE_NO_ERROR);
    for (uint64_t i = 0; i < 200; i += k)
        lost += first + i + 3 < ranges[n - 1].to;
    ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), lost);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 200 - (200 + k - 1) / k);
    teardown(&f);
}
END_TEST

START_TEST(losses_of_size_probes_are_not_the_controllers)
{
    struct fixture f;
    struct stt_piece piece = {.stream = STT_NO_STREAM, .owes = 1};
    setup(&f);
    measure(&f);
    begin(&f, 1, 0);
    add(&f, STT_PACKET_ELICITS | STT_PACKET_SIZE_PROBE, &piece, 1);
    stt_loss_end_train(&f.l, false);
    uint64_t first = send(&f, 3);
    f.now += RTT;
    ack(&f, first, first + 3);
    ck_assert_uint_eq(outcome(&f)->sample.lost_bytes, 0);
    ck_assert_uint_eq(outcome(&f)->lost_packets, 1);
    ck_assert(f.pulled[1].kind == STT_SETTLED_LOST && f.pulled[1].is_size_probe);
    teardown(&f);
}
END_TEST

START_TEST(a_send_that_failed_is_pulled_as_lost_and_tells_nobody)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 10);
    stt_loss_forget(&f.l, f.now, first + 4, first + 7);
    pull(&f);
    ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), 3);
    ck_assert_uint_eq(outcome(&f)->sample.lost_bytes, 0);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 7 * PACKET_BYTES);
    f.now += RTT;
    ack(&f, first, first + 10); /* it had gone out after all */
    ck_assert_uint_eq(outcome(&f)->spurious_packets, 0);
    ck_assert_uint_eq(path(&f)->reorder_steps, 1);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 10);
    teardown(&f);
}
END_TEST

/* And before that it is never given up. */
START_TEST(a_pto_gives_the_two_oldest_up_where_a_thousand_are_out_and_six_have_passed)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 1);
    f.next += 5; /* numbers that needed no answer */
    stt_loss_on_quiet_packet(&f.l, f.next - 1);
    for (unsigned i = 0; i < STT_UNANSWERED_MAX / 64; i++)
        send(&f, 64);
    for (unsigned i = 0; i <= STT_PTO_BACKOFF_MAX; i++) {
        bool gives_up = i == STT_PTO_BACKOFF_MAX;
        stt_loss_on_pto(&f.l, f.now += STT_S(10));
        pull(&f);
        ck_assert_uint_eq(count(&f, gives_up ? STT_SETTLED_LOST : STT_SETTLED_UNANSWERED), 2);
        ck_assert_uint_eq(f.l.flight.n_sent, STT_UNANSWERED_MAX + 1 - 2 * gives_up);
        ck_assert(f.pulled[0].first == first && f.pulled[1].first == first + 6);
    }
    ck_assert_uint_eq(outcome(&f)->sample.lost_bytes, 0); /* no path is to blame */
    stt_loss_on_pto(&f.l, f.now += STT_S(10));
    pull(&f);
    ck_assert_uint_eq(count(&f, STT_SETTLED_UNANSWERED), 2); /* now it is one below */
    teardown(&f);
}
END_TEST

/* -- spurious -------------------------------------------------------------------------------------
 */

/* Ten packets, of which the first arrives after the others. */
static uint64_t reorder(struct fixture *f)
{
    uint64_t first = send(f, 10);
    f->now += RTT;
    ack(f, first + 1, first + 10);
    return first;
}

START_TEST(a_late_ack_takes_the_reduction_back_and_raises_the_thresholds)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = reorder(&f);
    ck_assert_uint_eq(outcome(&f)->lost_packets, 1);
    f.now += STT_MS(5);
    ack(&f, first, first + 10);
    ck_assert(outcome(&f)->is_undone);
    ck_assert_uint_eq(outcome(&f)->spurious_packets, 1);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 1);
    ck_assert_uint_eq(path(&f)->reorder_packets, 10);
    ck_assert_uint_eq(path(&f)->reorder_steps, 2);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 0);
    teardown(&f);
}
END_TEST

/* Of a run that was lost, and of none else: what a host forgot was not lost. */
START_TEST(a_run_says_whether_it_was_lost_before)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = reorder(&f);
    ck_assert(!f.pulled[0].was_lost && f.pulled[0].kind == STT_SETTLED_ACKED);
    ack(&f, first, first + 10);
    ck_assert(f.pulled[0].was_lost && f.pulled[0].first == first && f.pulled[0].end == first + 1);
    first = send(&f, 3);
    stt_loss_forget(&f.l, f.now, first, first + 3);
    pull(&f);
    ack(&f, first, first + 3);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 3);
    for (size_t i = 0; i < f.n_pulled; i++)
        ck_assert(!f.pulled[i].was_lost);
    teardown(&f);
}
END_TEST

START_TEST(the_same_reordering_is_not_taken_for_loss_again)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = reorder(&f);
    ack(&f, first, first + 10);
    first = reorder(&f);
    ck_assert_uint_eq(outcome(&f)->lost_packets, 0);
    ck_assert_uint_eq(f.l.loss_at, f.now - RTT + RTT * 10 / 8);
    teardown(&f);
}
END_TEST

START_TEST(one_true_loss_keeps_the_reduction)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 20);
    f.now += RTT;
    ack(&f, first + 2, first + 20);
    ck_assert_uint_eq(outcome(&f)->lost_packets, 2);
    ack(&f, first + 1, first + 20);
    ck_assert_uint_eq(outcome(&f)->spurious_packets, 1);
    ck_assert(!outcome(&f)->is_undone);
    teardown(&f);
}
END_TEST

START_TEST(losses_of_before_a_reduction_belong_to_it)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 20);
    f.now += RTT;
    ack(&f, first + 1, first + 5);
    ack(&f, first + 6, first + 20); /* of the same flight */
    ck_assert_uint_eq(outcome(&f)->lost_packets, 1);
    ack(&f, first, first + 5);
    ck_assert(!outcome(&f)->is_undone);
    ack(&f, first, first + 20);
    ck_assert(outcome(&f)->is_undone);
    teardown(&f);
}
END_TEST

START_TEST(a_reduction_is_taken_back_once)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = reorder(&f), second = send(&f, 10);
    f.now += RTT / 2;
    ack(&f, second + 1, second + 10);
    ack(&f, second, second + 10);
    ck_assert(outcome(&f)->is_undone);
    ack(&f, first, first + 10);
    ck_assert_uint_eq(outcome(&f)->spurious_packets, 1);
    ck_assert(!outcome(&f)->is_undone);
    teardown(&f);
}
END_TEST

START_TEST(a_mark_is_never_taken_back)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = reorder(&f);
    stt_loss_on_ce(&f.l);
    ack(&f, first, first + 10);
    ck_assert(!outcome(&f)->is_undone);
    teardown(&f);
}
END_TEST

START_TEST(after_a_round_trip_a_lost_packet_is_forgotten)
{
    static const struct stt_piece pieces[] = {{.stream = 1, .len = 5}, {.stream = 2, .len = 6}};
    struct fixture f;
    setup(&f);
    measure(&f);
    begin(&f, 1, 1);
    uint64_t first = add(&f, STT_PACKET_ELICITS, pieces, 2);
    stt_loss_end_train(&f.l, false);
    send(&f, 9);
    f.now += RTT;
    ack(&f, first + 1, first + 10);
    ck_assert_uint_eq(f.l.flight.n_open, 1);
    ck_assert_uint_eq(f.l.flight.pieces_in_use, 1);
    f.now += RTT;
    send(&f, 1);
    ack(&f, first + 10, first + 11);
    ck_assert_uint_eq(f.l.flight.n_open, 0);
    ck_assert_uint_eq(f.l.flight.pieces_in_use, 0);
    ack(&f, first, first + 10);
    ck_assert_uint_eq(outcome(&f)->spurious_packets, 0);
    teardown(&f);
}
END_TEST

START_TEST(sixteen_quiet_rounds_lower_the_thresholds)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = reorder(&f);
    ack(&f, first, first + 10);
    uint64_t flight = send(&f, 40); /* one round, and many acks */
    for (uint64_t n = 0; n < 40; n++)
        ack(&f, flight + n, flight + n + 1);
    for (int i = 0; i < 15; i++) {
        ck_assert_uint_eq(path(&f)->reorder_steps, 2);
        uint64_t number = send(&f, 1);
        f.now += RTT;
        ack(&f, number, number + 1);
    }
    uint64_t number = send(&f, 1);
    f.now += RTT;
    ack(&f, number, number + 1);
    ck_assert_uint_eq(path(&f)->reorder_steps, 1);
    ck_assert_uint_eq(path(&f)->reorder_packets, 3);
    teardown(&f);
}
END_TEST

START_TEST(the_time_threshold_rises_by_a_step_a_round_up_to_two_round_trips)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    for (unsigned i = 0; i < 12; i++) {
        unsigned steps = i < 7 ? 1 + i : 8;
        ck_assert_uint_eq(path(&f)->reorder_steps, steps);
        uint64_t first = send(&f, 1);
        stt_ns sent_at = f.now;
        f.now += STT_MS(1);
        send(&f, 1);
        f.now = sent_at + RTT + STT_MS(1);
        ack(&f, first + 1, first + 2);
        f.now = f.l.loss_at;
        ck_assert_uint_eq(f.now, sent_at + RTT / 8 * (8 + steps));
        stt_loss_on_loss_timer(&f.l, f.now);
        pull(&f);
        ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), 1);
        f.now += STT_US(1);
        ack(&f, first, first + 2);
        ck_assert_uint_eq(outcome(&f)->spurious_packets, 1);
    }
    teardown(&f);
}
END_TEST

START_TEST(beyond_1024_packets_of_reordering_time_alone_tells)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 2000);
    f.now += RTT;
    ack(&f, first + 1, first + 2000);
    ack(&f, first, first + 2000);
    first = send(&f, 2000);
    f.now += RTT;
    ack(&f, first + 1, first + 2000);
    ck_assert_uint_eq(outcome(&f)->lost_packets, 0);
    ck_assert_uint_ne(f.l.loss_at, STT_NEVER);
    teardown(&f);
}
END_TEST

/* -- persistent congestion ------------------------------------------------------------------------
 */

/* One packet every 100 ms for so long, and then one that is acknowledged. */
static void black_out(struct fixture *f, stt_ns duration, uint64_t arrives)
{
    uint64_t first = f->next;
    stt_ns end = f->now + duration;
    for (; f->now <= end; f->now += STT_MS(100)) {
        send(f, 1);
        stt_loss_on_quiet_packet(&f->l, f->next++); /* in a slot that says something else */
    }
    uint64_t last = send(f, 4) + 3;
    f->now += RTT;
    struct stt_range ranges[] = {{first + arrives, first + arrives + 1}, {last, last + 1}};
    bool all = arrives == UINT64_MAX;
    ck_assert_uint_eq(ack_ranges(f, ranges + all, all ? 1 : 2, 0), STT_CLOSE_NO_ERROR);
}

START_TEST(a_long_time_without_an_ack_is_persistent_congestion)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t number = send(&f, STT_FLIGHT_SLOTS_MIN);
    f.now += RTT;
    ack(&f, number, f.next);
    stt_ns duration = 3 * stt_loss_pto(&f.l);
    ck_assert_uint_lt(duration, STT_MS(400));
    black_out(&f, STT_MS(400), UINT64_MAX);
    ck_assert(outcome(&f)->is_persistent);
    ck_assert(!outcome(&f)->is_undone);
    teardown(&f);
}
END_TEST

START_TEST(a_short_one_is_not)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    black_out(&f, STT_MS(100), UINT64_MAX);
    ck_assert_uint_ge(outcome(&f)->lost_packets, 2);
    ck_assert(!outcome(&f)->is_persistent);
    teardown(&f);
}
END_TEST

START_TEST(nor_is_a_long_one_of_which_something_arrived)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    black_out(&f, STT_MS(400), 4);
    ck_assert_uint_ge(outcome(&f)->lost_packets, 3);
    ck_assert(!outcome(&f)->is_persistent);
    teardown(&f);
}
END_TEST

START_TEST(before_the_first_round_trip_nothing_is_persistent)
{
    struct fixture f;
    setup(&f);
    black_out(&f, STT_S(100), UINT64_MAX);
    ck_assert_uint_ge(outcome(&f)->lost_packets, 2);
    ck_assert(!outcome(&f)->is_persistent);
    teardown(&f);
}
END_TEST

START_TEST(persistent_congestion_is_told_once)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    black_out(&f, STT_MS(400), UINT64_MAX);
    uint64_t number = send(&f, 10);
    f.now += RTT / 2;
    ack(&f, number + 5, number + 10);
    ck_assert_uint_ge(outcome(&f)->lost_packets, 1);
    ck_assert(!outcome(&f)->is_persistent);
    teardown(&f);
}
END_TEST

/* -- the probe timeout ----------------------------------------------------------------------------
 */

START_TEST(without_an_ack_a_probe_is_due)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    f.l.max_ack_delay_ns = STT_MS(25);
    const struct stt_rtt *rtt = &path(&f)->rtt;
    send(&f, 1);
    ck_assert_uint_lt(4 * rtt->variance, STT_MS(1)); /* the granularity holds */
    stt_ns pto = rtt->smoothed + STT_MS(1) + STT_MS(25);
    ck_assert_uint_eq(stt_loss_pto_at(&f.l), f.now + pto);
    ck_assert_uint_eq(stt_loss_deadline(&f.l), f.now + pto);
    f.now += STT_MS(50);
    send(&f, 1);
    ck_assert_uint_eq(stt_loss_pto_at(&f.l), f.now + pto);
    ack(&f, f.next - 2, f.next);
    ck_assert_uint_eq(stt_loss_pto_at(&f.l), STT_NEVER);
    teardown(&f);
}
END_TEST

START_TEST(a_pto_doubles_up_to_three_seconds_and_an_ack_ends_it)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    stt_ns pto = stt_loss_pto(&f.l);
    send(&f, 1);
    for (int i = 0; i < 300; i++) {
        stt_ns wait = pto << (i < 6 ? i : 6);
        ck_assert_uint_eq(stt_loss_pto_at(&f.l), f.now + (wait < STT_S(3) ? wait : STT_S(3)));
        f.now = stt_loss_pto_at(&f.l);
        stt_loss_on_pto(&f.l, f.now);
        pull(&f);
        ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), 0);
    }
    send(&f, 2);
    ack(&f, f.next - 2, f.next - 1);
    ck_assert_uint_eq(stt_loss_pto_at(&f.l), f.now + stt_loss_pto(&f.l));
    teardown(&f);
}
END_TEST

START_TEST(a_pto_tells_the_two_oldest_that_hold_something)
{
    struct fixture f;
    struct stt_piece none = {.stream = STT_NO_STREAM};
    setup(&f);
    measure(&f);
    begin(&f, 1, 0);
    add(&f, STT_PACKET_ELICITS, &none, 1);
    stt_loss_end_train(&f.l, false);
    uint64_t first = send(&f, 10);
    f.now = stt_loss_pto_at(&f.l);
    stt_loss_on_pto(&f.l, f.now);
    pull(&f);
    ck_assert_uint_eq(f.n_pulled, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(f.pulled[i].kind, STT_SETTLED_UNANSWERED);
        ck_assert_uint_eq(f.pulled[i].offset, (first + i) * STREAM_BYTES);
    }
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 11 * PACKET_BYTES);
    teardown(&f);
}
END_TEST

/* -- rate samples ---------------------------------------------------------------------------------
 */

START_TEST(a_rate_is_what_was_delivered_since_the_train_was_sent)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    for (int i = 0; i < 8; i++, f.now += RTT / 8)
        send(&f, 10);
    uint64_t first = f.next - 80;
    for (uint64_t i = 0; i < 8; i++, f.now += RTT / 8) {
        ack(&f, first, first + 10 * (i + 1));
        send(&f, 10);
    }
    ack(&f, first, first + 90);
    const struct stt_ack_sample *s = &outcome(&f)->sample;
    ck_assert_uint_eq(s->interval_bytes, 80 * PACKET_BYTES);
    ck_assert_uint_eq(s->interval_ns, RTT);
    ck_assert_uint_eq(s->newest_number, first + 89);
    ck_assert_uint_eq(s->newest_sent_at, f.now - RTT);
    ck_assert_uint_eq(s->delivered_bytes, path(&f)->delivered_bytes);
    ck_assert(!s->is_app_limited);
    teardown(&f);
}
END_TEST

START_TEST(acks_that_come_in_a_bunch_do_not_raise_the_rate)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = f.next;
    for (int i = 0; i < 15; i++, f.now += RTT / 8)
        send(&f, 10);
    ack(&f, first, first + 10);
    send(&f, 10);
    f.now += RTT;
    ack(&f, first, first + 160);
    const struct stt_ack_sample *s = &outcome(&f)->sample;
    ck_assert_uint_eq(s->interval_bytes, 150 * PACKET_BYTES);
    ck_assert_uint_eq(s->interval_ns, RTT / 8 * 15); /* in which they were sent: longer */
    teardown(&f);
}
END_TEST

/* The peer waited: the packets were no slower for that. */
START_TEST(the_peers_delay_is_no_part_of_the_time_of_a_rate)
{
    struct fixture f;
    setup(&f);
    f.l.max_ack_delay_ns = STT_MS(25);
    measure(&f);
    uint64_t first = send(&f, 10);
    f.now += RTT + STT_MS(20);
    struct stt_range half = {first, first + 5}, all = {first, first + 20};
    ck_assert_uint_eq(ack_ranges(&f, &half, 1, 20000), STT_CLOSE_NO_ERROR);
    ck_assert_uint_eq(outcome(&f)->sample.interval_ns, RTT);
    send(&f, 10);
    f.now += RTT;
    ck_assert_uint_eq(ack_ranges(&f, &all, 1, 0), STT_CLOSE_NO_ERROR);
    ck_assert_uint_eq(outcome(&f)->sample.interval_ns, RTT + STT_MS(20)); /* since 5 were there */
    ck_assert_uint_eq(outcome(&f)->sample.interval_bytes, 15 * PACKET_BYTES);
    teardown(&f);
}
END_TEST

START_TEST(no_delay_that_a_peer_claims_makes_an_interval_shorter_than_the_shortest_round_trip)
{
    struct fixture f;
    setup(&f);
    f.l.max_ack_delay_ns = STT_MS(25);
    measure(&f);
    uint64_t number = send(&f, 10);
    f.now += RTT + STT_MS(1);
    struct stt_range liar = {number, number + 10};
    ck_assert_uint_eq(ack_ranges(&f, &liar, 1, UINT32_MAX), STT_CLOSE_NO_ERROR);
    ck_assert_uint_eq(outcome(&f)->sample.interval_ns, RTT);
    ck_assert_uint_eq(outcome(&f)->sample.interval_bytes, 10 * PACKET_BYTES);
    teardown(&f);
}
END_TEST

/* A round trip begins where something is acknowledged that was sent after the last one began. */
START_TEST(a_sample_tells_what_was_delivered_when_its_newest_packet_was_sent)
{
    struct fixture f;
    setup(&f);
    uint64_t first = send(&f, 10);
    f.now += RTT;
    ack(&f, first, first + 4);
    ck_assert_uint_eq(outcome(&f)->sample.newest_delivered_bytes, 0);
    uint64_t second = send(&f, 10);
    f.now += RTT;
    ack(&f, first + 4, first + 10);
    ck_assert_uint_eq(outcome(&f)->sample.newest_delivered_bytes, 0);
    ack(&f, second, second + 1);
    ck_assert_uint_eq(outcome(&f)->sample.newest_delivered_bytes, 4 * PACKET_BYTES);
    ck_assert_uint_eq(outcome(&f)->sample.delivered_bytes, 11 * PACKET_BYTES);
    teardown(&f);
}
END_TEST

START_TEST(a_sample_tells_what_is_left_in_flight_without_the_lost)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 20);
    f.now += RTT;
    ack(&f, first + 8, first + 10);
    const struct stt_ack_sample *s = &outcome(&f)->sample;
    ck_assert_uint_eq(s->in_flight_bytes, 20 * PACKET_BYTES);
    ck_assert_uint_eq(s->lost_bytes, 7 * PACKET_BYTES); /* 3 packets below the largest, or more */
    ck_assert_uint_eq(s->left_bytes, 11 * PACKET_BYTES);
    ck_assert_uint_eq(s->left_bytes, path(&f)->in_flight_bytes);
    teardown(&f);
}
END_TEST

START_TEST(idle_time_is_not_a_low_rate)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    f.now += STT_S(10);
    uint64_t number = send(&f, 10);
    f.now += RTT;
    ack(&f, number, number + 10);
    ck_assert_uint_eq(outcome(&f)->sample.interval_bytes, 10 * PACKET_BYTES);
    ck_assert_uint_eq(outcome(&f)->sample.interval_ns, RTT);
    teardown(&f);
}
END_TEST

START_TEST(a_train_that_ended_for_want_of_data_is_marked)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    begin(&f, 1, 0);
    struct stt_piece piece = piece_of(f.next);
    add(&f, STT_PACKET_ELICITS, &piece, 1);
    stt_loss_end_train(&f.l, true);
    f.now += RTT;
    ack(&f, f.next - 1, f.next);
    ck_assert(outcome(&f)->sample.is_app_limited && outcome(&f)->sample.is_underfed);
    teardown(&f);
}
END_TEST

/* Those behind it find a path that is not full, until what was in flight then has arrived. */
START_TEST(so_are_the_trains_behind_one_that_ended_for_want_of_data)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t first = send(&f, 10);
    begin(&f, 1, 0);
    stt_loss_end_train(&f.l, true); /* nothing was sent in it: all the more */
    uint64_t second = send(&f, 10);
    f.now += RTT;
    ack(&f, first, first + 9);
    ck_assert(!outcome(&f)->sample.is_underfed);
    uint64_t third = send(&f, 10);
    ack(&f, first + 9, second + 1);
    ck_assert(outcome(&f)->sample.is_underfed);
    ck_assert(!outcome(&f)->sample.is_app_limited);
    uint64_t fourth = send(&f, 10);
    f.now += RTT;
    ack(&f, second + 1, third + 1);
    ck_assert(outcome(&f)->sample.is_underfed);
    ack(&f, third + 1, fourth + 1);
    ck_assert(!outcome(&f)->sample.is_underfed);
    teardown(&f);
}
END_TEST

START_TEST(so_is_the_first_train_after_idle_time_and_not_the_second)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    begin(&f, 1, 0);
    struct stt_piece piece = piece_of(f.next);
    uint64_t last = add(&f, STT_PACKET_ELICITS, &piece, 1);
    stt_loss_end_train(&f.l, true);
    f.now += RTT;
    ack(&f, last, last + 1);
    f.now += STT_S(1);
    uint64_t first = send(&f, 10);
    f.now += RTT;
    ack(&f, first, first + 1);
    ck_assert(outcome(&f)->sample.is_underfed);
    uint64_t second = send(&f, 10);
    f.now += RTT;
    ack(&f, first + 1, second + 10);
    ck_assert(!outcome(&f)->sample.is_underfed);
    teardown(&f);
}
END_TEST

/* -- paths ----------------------------------------------------------------------------------------
 */

START_TEST(another_path_begins_anew_and_the_old_one_tells_it_nothing)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t old = send(&f, 10);
    stt_loss_path_new(&f.l, 1, false);
    ck_assert(!path(&f)->rtt.has_sample);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 0);
    uint64_t number = send(&f, 10);
    stt_loss_path_kept(&f.l);
    f.now += RTT;
    ack(&f, old, old + 5);
    ck_assert_uint_eq(outcome(&f)->sample.acked_bytes, 0);
    ck_assert(!path(&f)->rtt.has_sample);
    ack(&f, number, number + 10);
    ck_assert_uint_eq(outcome(&f)->sample.acked_bytes, 10 * PACKET_BYTES);
    ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), 5);    /* repaired ... */
    ck_assert_uint_eq(outcome(&f)->sample.lost_bytes, 0); /* ... and not the controller's */
    ck_assert(path(&f)->rtt.has_sample);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 0);
    teardown(&f);
}
END_TEST

START_TEST(another_port_keeps_the_estimates)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    send(&f, 10);
    stt_loss_path_new(&f.l, 1, true);
    ck_assert_uint_eq(path(&f)->rtt.smoothed, RTT);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 0);
    teardown(&f);
}
END_TEST

START_TEST(when_the_old_path_is_back_what_went_elsewhere_is_sent_again)
{
    struct fixture f;
    setup(&f);
    measure(&f);
    uint64_t old = send(&f, 10);
    stt_loss_path_new(&f.l, 1, false);
    uint64_t number = send(&f, 5);
    stt_loss_path_back(&f.l, f.now);
    pull(&f);
    ck_assert_uint_eq(count(&f, STT_SETTLED_LOST), 5);
    ck_assert_uint_eq(f.pulled[0].first, number);
    ck_assert_uint_eq(outcome(&f)->sample.lost_bytes, 0);
    ck_assert_uint_eq(path(&f)->rtt.smoothed, RTT);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 10 * PACKET_BYTES);
    ack(&f, old, number + 5);
    ck_assert_uint_eq(outcome(&f)->spurious_packets, 0);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 0);
    teardown(&f);
}
END_TEST

START_TEST(what_answers_elsewhere_counts_for_no_path)
{
    struct fixture f;
    struct stt_piece piece = {.stream = STT_NO_STREAM, .owes = 1};
    setup(&f);
    ck_assert_int_eq(
        stt_loss_begin_train(&f.l, f.now, STT_LOSS_ELSEWHERE, (struct stt_range){0, 1}, 0), STT_OK);
    add(&f, STT_PACKET_ELICITS, &piece, 1);
    stt_loss_end_train(&f.l, false);
    ck_assert_uint_eq(path(&f)->in_flight_bytes, 0);
    f.now += RTT;
    ack(&f, 0, 1);
    ck_assert_uint_eq(count(&f, STT_SETTLED_ACKED), 1);
    ck_assert_uint_eq(outcome(&f)->sample.acked_bytes, 0);
    ck_assert(!path(&f)->rtt.has_sample);
    teardown(&f);
}
END_TEST

/* -- misuse ---------------------------------------------------------------------------------------
 */

static void send_without_a_train(void *fixture)
{
    struct fixture *f = fixture;
    struct stt_piece piece = piece_of(0);
    add(f, STT_PACKET_ELICITS, &piece, 1);
}

static void send_the_past(void *fixture)
{
    struct fixture *f = fixture;
    send(f, 5);
    begin(f, 1, 0);
    f->next = 2;
    struct stt_piece piece = piece_of(2);
    add(f, STT_PACKET_ELICITS, &piece, 1);
}

static void leave_a_pull_half_way(void *fixture)
{
    struct fixture *f = fixture;
    send(f, 5);
    stt_loss_on_pto(&f->l, f->now);
    stt_loss_on_loss_timer(&f->l, f->now);
}

START_TEST(misuse_is_a_bug)
{
    static void (*const misuses[])(void *) = {send_without_a_train, send_the_past,
                                              leave_a_pull_half_way};
    struct fixture f;
    setup(&f);
    ck_assert(dies(misuses[_i], &f));
    teardown(&f);
}
END_TEST

START_TEST(a_record_takes_32_bytes)
{
    ck_assert_uint_eq(sizeof(struct stt_packet), 32);
}
END_TEST

SUITE("loss", TEST(at_first_nothing_is_in_flight_and_no_memory_taken),
      TEST(what_was_sent_is_in_flight_until_it_is_acknowledged),
      TEST(what_is_acknowledged_twice_counts_once),
      TEST(quiet_packets_are_not_in_flight_and_may_be_acknowledged),
      TEST(padding_is_in_flight_and_asks_for_nothing),
      TEST(a_train_in_which_nothing_was_sent_leaves_no_trace),
      TEST(memory_does_not_grow_while_what_is_in_flight_fits),
      TEST(without_memory_a_train_is_refused_and_nothing_changes_case_37),
      TEST(a_train_too_far_above_the_oldest_is_refused),
      TEST(where_there_is_no_room_a_lost_packet_makes_some),
      TEST(where_nothing_is_in_flight_what_was_lost_takes_no_room_for_numbers_since),
      TEST(a_number_that_the_receiver_could_not_recover_is_refused),
      TEST(a_quiet_session_gives_its_memory_back), TEST(consecutive_bytes_of_a_stream_are_one_run),
      TEST(another_stream_or_a_leap_begins_another_run), TEST(a_packet_may_hold_many_pieces),
      TEST(pieces_of_a_lost_packet_are_told_when_lost_and_when_late),
      TEST(an_ack_of_what_was_never_sent_is_invalid_case_20),
      LOOP(an_ack_of_a_number_left_out_is_invalid_case_21, 0, 5),
      TEST(acks_around_a_number_left_out_are_honest),
      TEST(a_number_left_out_is_forgotten_when_all_below_is_settled),
      LOOP(numbers_are_left_out_once_in_512_or_in_an_eighth_of_what_is_in_flight, 0, 2),
      TEST(an_absurd_range_costs_no_more_than_what_is_in_flight_case_22),
      TEST(an_absurd_ack_delay_is_clamped_case_23),
      TEST(only_the_largest_gives_a_round_trip_and_only_once),
      TEST(round_trips_of_0_and_of_30_s_overflow_nothing_case_40),
      TEST(three_later_packets_make_one_lost), TEST(a_burst_that_is_lost_is_one_run),
      TEST(nine_eighths_of_a_round_trip_make_an_older_packet_lost),
      TEST(what_is_newer_than_the_largest_acknowledged_is_never_lost),
      LOOP(every_kth_packet_lost_is_found_case_51, 2, 65),
      TEST(losses_of_size_probes_are_not_the_controllers),
      TEST(a_send_that_failed_is_pulled_as_lost_and_tells_nobody),
      TEST(a_pto_gives_the_two_oldest_up_where_a_thousand_are_out_and_six_have_passed),
      TEST(a_late_ack_takes_the_reduction_back_and_raises_the_thresholds),
      TEST(a_run_says_whether_it_was_lost_before),
      TEST(the_same_reordering_is_not_taken_for_loss_again),
      TEST(one_true_loss_keeps_the_reduction), TEST(losses_of_before_a_reduction_belong_to_it),
      TEST(a_reduction_is_taken_back_once), TEST(a_mark_is_never_taken_back),
      TEST(after_a_round_trip_a_lost_packet_is_forgotten),
      TEST(sixteen_quiet_rounds_lower_the_thresholds),
      TEST(the_time_threshold_rises_by_a_step_a_round_up_to_two_round_trips),
      TEST(beyond_1024_packets_of_reordering_time_alone_tells),
      TEST(a_long_time_without_an_ack_is_persistent_congestion), TEST(a_short_one_is_not),
      TEST(nor_is_a_long_one_of_which_something_arrived),
      TEST(before_the_first_round_trip_nothing_is_persistent),
      TEST(persistent_congestion_is_told_once), TEST(without_an_ack_a_probe_is_due),
      TEST(a_pto_doubles_up_to_three_seconds_and_an_ack_ends_it),
      TEST(a_pto_tells_the_two_oldest_that_hold_something),
      TEST(a_rate_is_what_was_delivered_since_the_train_was_sent),
      TEST(acks_that_come_in_a_bunch_do_not_raise_the_rate),
      TEST(the_peers_delay_is_no_part_of_the_time_of_a_rate),
      TEST(no_delay_that_a_peer_claims_makes_an_interval_shorter_than_the_shortest_round_trip),
      TEST(a_sample_tells_what_was_delivered_when_its_newest_packet_was_sent),
      TEST(a_sample_tells_what_is_left_in_flight_without_the_lost),
      TEST(idle_time_is_not_a_low_rate), TEST(a_train_that_ended_for_want_of_data_is_marked),
      TEST(so_are_the_trains_behind_one_that_ended_for_want_of_data),
      TEST(so_is_the_first_train_after_idle_time_and_not_the_second),
      TEST(another_path_begins_anew_and_the_old_one_tells_it_nothing),
      TEST(another_port_keeps_the_estimates),
      TEST(when_the_old_path_is_back_what_went_elsewhere_is_sent_again),
      TEST(what_answers_elsewhere_counts_for_no_path), LOOP(misuse_is_a_bug, 0, 3),
      TEST(a_record_takes_32_bytes))
