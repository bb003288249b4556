/* SPDX-License-Identifier: MIT
 * Peers that lie in their ACKs, or send none, while streams carry data: cases 20 to 23 and 31. The
 * server is the victim of each test; it writes, and the traitor acknowledges as it likes. */
#include "stt/session/engine.h"
#include "stt/streams.h"
#include "tests/support/duo.h"
#include "tests/support/frames.h"
#include "tests/support/stopwatch.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

#define TOP ((UINT64_C(1) << 62) - 1)

enum { RING = 8 << 20, WIDE = 64 << 20 };

static struct duo duo;
static stt_handle stream; /* of the victim */

static struct stt_session *victim(void)
{
    return traitor_session(duo.server.ep, duo.server.session);
}

static struct stt_session *traitor(void)
{
    return traitor_session(duo.client.ep, duo.client.session);
}

static struct stt_flight *flight(void)
{
    return &victim()->loss.flight;
}

static void pass(stt_ns ns)
{
    duo.now += ns;
    stt_endpoint_expire(duo.server.ep, duo.now);
}

/* window: of either side, for a stream and the session; 0: the defaults. */
static void setup_with(const char *congestion, uint64_t window)
{
    duo_init(&duo, 1);
    duo.latency_ns = STT_MS(1);
    for (int i = 0; i < 2; i++) {
        struct stt_config *c = i ? &duo.server.config : &duo.client.config;
        c->congestion = congestion;
        c->send_ring_bytes = RING;
        if (!window)
            continue;
        c->stream_window_bytes = c->stream_window_max = window;
        c->session_window_bytes = c->session_window_max = window;
    }
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(1));
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    ck_assert_int_eq(stt_stream_open(duo.server.ep, duo.now, duo.server.session, &o, &stream),
                     STT_OK);
}

static size_t write_some(size_t len)
{
    static const uint8_t zeros[1 << 20];
    size_t all = 0, written = 1;
    while (all < len && written) {
        size_t want = len - all < sizeof zeros ? len - all : sizeof zeros;
        ck_assert_int_eq(stt_stream_write(duo.server.ep, duo.now, stream, zeros, want, &written),
                         STT_OK);
        all += written;
    }
    return all;
}

static struct stt_stream_info info(void)
{
    struct stt_stream_info out;
    ck_assert_int_eq(stt_stream_info(duo.server.ep, stream, &out), STT_OK);
    return out;
}

/* Ascending and disjoint; the first number may be any. */
static void say_ranges(const struct stt_range *ranges, size_t n, uint64_t delay_us)
{
    uint8_t frames[TRAITOR_PACKET_MAX - STT_PROTECT_OVERHEAD_BYTES];
    struct wr w = wr_init(frames, sizeof frames);
    ck_assert_uint_eq(stt_frame_ack_encode(&w, ranges, n, delay_us, NULL), n);
    traitor_say(&duo, wr_done(&w));
}

static void say_range(uint64_t from, uint64_t to)
{
    say_ranges(&(struct stt_range){from, to}, 1, 0);
}

static void require_closed(uint64_t code)
{
    traitor_require_closed(&duo, code);
}

/* -- what was not sent ------------------------------------------------------------------------- */

/* Together with what was; whatever else the packet holds. */
START_TEST(an_ack_of_what_was_never_sent_closes_also_in_a_transfer_case_20)
{
    setup_with("cubic", WIDE);
    write_some(1 << 20);
    duo_swallow(&duo, &duo.server);
    uint64_t first = flight()->first, next = victim()->protect->next_number;
    ck_assert_uint_ge(flight()->n_sent, 8);
    const struct stt_range lies[][2] = {
        {{next, next + 1}, {0, 0}},
        {{first, next + 1}, {0, 0}},
        {{first, first + 3}, {next, next + 1}},
        {{first, first + 3}, {next + 1000, next + 1001}},
        {{first, first + 1}, {TOP - 1, TOP}},
        {{0, TOP}, {0, 0}},
    };
    pass(STT_MS(2));
    say_ranges(lies[_i], lies[_i][1].to ? 2 : 1, 0);
    ck_assert_uint_eq(info().bytes_acked, 0); /* nothing of such a frame is believed */
    require_closed(STT_CLOSE_ACK_INVALID);
}
END_TEST

/* -- what was left out ------------------------------------------------------------------------- */

/* _i: 0 takes what comes, and says so; 1 says that all has come, which is faster. */
START_TEST(who_acknowledges_in_advance_meets_a_number_that_was_left_out_case_21)
{
    enum { BYTES = 4 << 20 };
    setup_with("cubic", WIDE);
    ck_assert_uint_eq(write_some(BYTES), BYTES);
    for (int i = 0; i < 20000 && info().bytes_acked < BYTES; i++) {
        duo_swallow(&duo, &duo.server);
        if (!_i)
            traitor_acknowledge(&duo);
        else if (flight()->n_open)
            say_range(flight()->first, flight()->next);
        if (victim()->state != STT_SESSION_OPEN)
            break;
        pass(STT_MS(1));
    }
    if (_i) {
        ck_assert_uint_lt(info().bytes_acked, BYTES);
        require_closed(STT_CLOSE_ACK_INVALID);
        return;
    }
    traitor_require_open(&duo);
    ck_assert_uint_eq(info().bytes_acked, BYTES);
    duo_end(&duo);
}
END_TEST

/* -- ranges ------------------------------------------------------------------------------------ */

enum { MANY = 4000 };

/* Numbers from 100,000 on, as if so many had been sent. */
static void send_many(void)
{
    setup_with("none", WIDE);
    victim()->protect->next_number = victim()->loss.sent_end = 100000;
    ck_assert_uint_eq(write_some(MANY * 1150), MANY * 1150);
    duo_swallow(&duo, &duo.server);
    ck_assert_uint_ge(flight()->n_sent, MANY - 100);
    pass(STT_MS(2));
}

/* Ten thousand times: a loop over the numbers of a range would not end. */
START_TEST(a_range_of_2_62_costs_what_it_finds_case_22)
{
    struct stt_range ranges[TRAITOR_RANGES_MAX];
    send_many();
    uint64_t sent = flight()->n_sent, end = TOP - 1000;
    size_t n = traitor_ranges(victim(), ranges);
    victim()->protect->next_number = victim()->loss.sent_end = end;
    double began = cpu_seconds();
    for (int i = 0; i < 10000; i++)
        say_ranges((struct stt_range[]){{0, flight()->first}, {flight()->next + 7, end}}, 2, 0);
    ck_assert_uint_eq(flight()->n_sent, sent);
    ranges[0].from = 0;
    ranges[n - 1].to = end;
    for (int i = 0; i < 10000; i++)
        say_ranges(ranges, n, 0);
    ck_assert(cpu_seconds() - began < 5);
    traitor_require_open(&duo);
    ck_assert_uint_eq(info().bytes_acked, MANY * 1150);
    duo_end(&duo);
}
END_TEST

/* A packet of this size, not of this many: one number in two. */
static struct bytes every_second(uint64_t largest, uint64_t ranges, uint64_t claimed, uint8_t *out,
                                 size_t room)
{
    struct wr w = wr_init(out, room);
    wr_u8(&w, STT_FRAME_ACK);
    wr_varint(&w, largest);
    wr_varint(&w, 0);
    wr_varint(&w, claimed);
    wr_varint(&w, 0);
    for (uint64_t i = 0; i < ranges; i++) {
        wr_varint(&w, 0);
        wr_varint(&w, 0);
    }
    ck_assert(!w.bad);
    return wr_done(&w);
}

static void say_large(struct bytes frames)
{
    static uint8_t packet[STT_DATAGRAM_BYTES_MAX];
    struct stt_session *s = traitor();
    size_t len = frames.len + STT_PROTECT_OVERHEAD_BYTES;
    const struct stt_protect_plain plain = {.number = s->protect->next_number,
                                            .session_id = stt_session_ids_current(&s->ids)->bytes,
                                            .parts = &frames,
                                            .parts_len = 1};
    ck_assert_uint_le(len, sizeof packet);
    len = stt_protect_seal(s->protect, &plain, 1, (struct stt_protect_train){packet, len, len});
    duo_deliver_bytes(&duo, &duo.server, NULL, packet, len);
}

static uint32_t newly_acked(void)
{
    return stt_loss_outcome(&victim()->loss)->acked_packets;
}

/* The highest number of which none of so many second ones below was left out. */
static uint64_t without_skips(uint64_t ranges)
{
    uint64_t largest = flight()->next - 1;
    for (uint64_t i = 0; i < ranges; i++)
        if (stt_flight_slot(flight(), largest - 2 * i)->state == STT_PACKET_SKIPPED) {
            largest = largest - 2 * i - 1;
            i = UINT64_MAX; /* from the beginning */
        }
    return largest;
}

/* As many as the largest datagram holds, a hundred times; and no more than 256 count. */
START_TEST(of_thirty_thousand_ranges_256_count_case_22)
{
    static uint8_t frames[STT_DATAGRAM_BYTES_MAX];
    enum { RANGES = 32000 };
    send_many();
    uint64_t largest = without_skips(STT_ACK_RANGES_MAX);
    struct bytes ack = every_second(largest, RANGES, RANGES, frames, sizeof frames);
    double began = cpu_seconds();
    for (int i = 0; i < 100; i++) {
        say_large(ack);
        ck_assert_uint_eq(newly_acked(), i ? 0 : STT_ACK_RANGES_MAX);
    }
    ck_assert(cpu_seconds() - began < 5);
    traitor_require_open(&duo);
    duo_end(&duo);
}
END_TEST

START_TEST(more_ranges_than_there_are_close_case_22)
{
    static const uint64_t claims[] = {501, 1000000, UINT64_C(1) << 32, TOP};
    uint8_t frames[STT_DATAGRAM_BYTES_MIN];
    send_many();
    uint64_t largest = victim()->protect->next_number - 1;
    double began = cpu_seconds();
    traitor_say(&duo, every_second(largest, 500, claims[_i], frames, sizeof frames));
    ck_assert(cpu_seconds() - began < 1);
    require_closed(STT_CLOSE_FRAME_ENCODING);
}
END_TEST

/* What was lost and repeated is still remembered when a download begins, which takes many numbers
 * and is heard in none of them; then there is silence. */
START_TEST(after_a_download_in_which_nothing_was_in_flight_a_session_still_pings)
{
    setup_with("none", WIDE);
    uint64_t begun = victim()->protect->next_number + 10;
    ck_assert_uint_eq(write_some(20 * 1150), 20 * 1150);
    duo_swallow(&duo, &duo.server);
    pass(STT_MS(2));
    say_ranges((struct stt_range[]){{begun, victim()->protect->next_number}}, 1, 0);
    duo_swallow(&duo, &duo.server); /* what is lost goes again */
    say_ranges((struct stt_range[]){{begun, victim()->protect->next_number}}, 1, 0);
    ck_assert_uint_eq(flight()->n_sent, 0);
    ck_assert_uint_gt(flight()->n_open, 0);
    victim()->protect->next_number = victim()->loss.sent_end += 2 * STT_UNANSWERED_NUMBERS_MAX;
    ck_assert(!stt_settling_is_unanswered(victim()));
    uint64_t sent = victim()->packets_sent;
    for (int i = 0; i < 40 && victim()->packets_sent == sent; i++) {
        pass(STT_S(1));
        duo_swallow(&duo, &duo.server);
    }
    ck_assert_uint_gt(victim()->packets_sent, sent);
    ck_assert_uint_gt(flight()->n_sent, 0);
    ck_assert_uint_le(flight()->slots, STT_UNANSWERED_NUMBERS_MAX);
    duo_end(&duo);
}
END_TEST

/* The victim's own ranges: every second of the traitor's numbers never was. */
START_TEST(numbers_that_never_were_cost_the_victim_256_ranges_case_22)
{
    enum { PACKETS = 50000 };
    static const uint8_t frame[] = {STT_FRAME_STREAM | STT_STREAM_LENGTH, 0, 0};
    uint8_t packet[TRAITOR_PACKET_MAX];
    size_t most[2] = {0}; /* of each half */
    setup_with("cubic", 0);
    for (int i = 0; i < PACKETS; i++) {
        uint64_t number = traitor()->protect->next_number + 1;
        size_t len = traitor_seal_as(traitor(), number, BYTES(frame), packet);
        duo_deliver_bytes(&duo, &duo.server, NULL, packet, len);
        duo_swallow(&duo, &duo.server);
        pass(STT_US(100));
        size_t *half = &most[i >= PACKETS / 2];
        *half = duo.server.te.bytes_in_use > *half ? duo.server.te.bytes_in_use : *half;
        ck_assert_uint_le(victim()->acks.received.n, STT_ACK_RANGES_MAX);
        ck_assert_uint_le(flight()->slots, STT_UNANSWERED_NUMBERS_MAX);
    }
    traitor_require_open(&duo);
    ck_assert_uint_le(most[1], most[0]);
    duo_end(&duo);
}
END_TEST

/* -- delays ------------------------------------------------------------------------------------ */

struct transfer {
    int rounds;
    stt_ns rtt, pto;
};

/* Each ACK claims this delay. */
static struct transfer transfer(uint64_t delay_us)
{
    enum { BYTES = 1 << 20, ROUND_MS = 50 };
    struct stt_range ranges[TRAITOR_RANGES_MAX];
    struct transfer t = {0};
    setup_with("cubic", WIDE);
    ck_assert_uint_eq(write_some(BYTES), BYTES);
    for (; info().bytes_acked < BYTES; t.rounds++) {
        for (int ms = 0; ms < ROUND_MS; ms++) {
            duo_swallow(&duo, &duo.server);
            pass(STT_MS(1));
        }
        say_ranges(ranges, traitor_ranges(victim(), ranges), delay_us);
        traitor_require_open(&duo);
        ck_assert_int_lt(t.rounds, 20); /* round trips, from a window of 10 packets on */
    }
    t.rtt = duo_info(&duo.server).rtt_ns;
    t.pto = stt_session_pto(victim());
    duo_end(&duo);
    return t;
}

START_TEST(a_claimed_delay_of_2_62_is_that_which_was_agreed_case_23)
{
    struct transfer honest = transfer(STT_ACK_DELAY_US_DEFAULT), absurd = transfer(TOP);
    ck_assert_int_eq(absurd.rounds, honest.rounds);
    ck_assert_uint_eq(absurd.rtt, honest.rtt);
    ck_assert_uint_eq(absurd.pto, honest.pto);
    ck_assert(transfer(0).rtt - absurd.rtt <= STT_US(STT_ACK_DELAY_US_DEFAULT));
}
END_TEST

/* -- none -------------------------------------------------------------------------------------- */

static void say_ping(void)
{
    static const uint8_t ping[] = {STT_FRAME_PING};
    traitor_say(&duo, BYTES(ping));
}

/* Nothing comes from the peer any more: the session is dead, and all its memory is back. */
static void require_idle_end(void)
{
    duo_run_apart(&duo, STT_S(31));
    ck_assert_uint_eq(duo.server.events[STT_EVENT_CLOSED], 1);
    ck_assert_int_eq(duo.server.latest[STT_EVENT_CLOSED].reason, STT_REASON_IDLE);
    ck_assert_uint_eq(duo_stats(&duo.server).sessions, 0);
    duo_end(&duo);
}

/* For a day: it lives, and answers nothing that we write. */
START_TEST(a_peer_that_acknowledges_no_data_makes_nothing_grow_case_31)
{
    enum { DAY = 8640 }; /* of ten seconds each */
    size_t most[2] = {0};
    setup_with(_i ? "none" : "cubic", WIDE);
    ck_assert_uint_eq(write_some(WIDE), RING); /* as much as the ring holds */
    uint64_t packets = 0;
    for (int i = 0; i < DAY; i++) {
        ck_assert_uint_eq(write_some(1 << 20), 0);
        say_ping();
        duo_swallow(&duo, &duo.server);
        for (int k = 0; k < 10; k++) {
            pass(STT_S(1));
            duo_swallow(&duo, &duo.server);
        }
        if (i == DAY / 10)
            packets = duo_info(&duo.server).packets_sent;
        size_t *half = &most[i >= DAY / 2];
        *half = duo.server.te.bytes_in_use > *half ? duo.server.te.bytes_in_use : *half;
    }
    traitor_require_open(&duo);
    ck_assert_uint_gt(duo.server.events[STT_EVENT_STALLED], 0);
    ck_assert_uint_le(most[1], most[0]);
    /* Answers to its PINGs, and two probes in two seconds. */
    ck_assert_uint_le(duo_info(&duo.server).packets_sent - packets, 15 * DAY);
    require_idle_end();
}
END_TEST

/* What it was told, or would have been if it had answered. */
static bool may_say(uint64_t offset)
{
    const struct stt_stream *t = victim()->streams ? stt_stream_by_id(victim(), 0) : NULL;
    return !t || (offset <= t->window.limit && offset <= victim()->streams->window.limit);
}

/* It writes, the victim reads, and what the victim says of limits is not answered. */
START_TEST(a_peer_that_only_writes_makes_nothing_grow_case_31)
{
    enum { PACKETS = 200000, LEN = 1100 };
    static uint8_t frame[16 + LEN], got[1 << 16];
    size_t most = 0, len;
    uint64_t offset = 0;
    setup_with("cubic", 0);
    size_t before = duo.server.te.bytes_in_use;
    for (uint64_t i = 0; i < PACKETS; i++) {
        struct wr w = wr_init(frame, sizeof frame);
        wr_u8(&w, STT_FRAME_STREAM | STT_STREAM_OFFSET | STT_STREAM_LENGTH);
        wr_varint(&w, 0);
        wr_varint(&w, offset);
        wr_varint(&w, LEN);
        if (may_say(offset + LEN)) {
            traitor_say(&duo, bytes_of(frame, wr_len(&w) + LEN));
            offset += LEN;
        } else {
            say_ping();
        }
        for (struct stt_stream_event e; stt_endpoint_stream_event(duo.server.ep, &e);)
            ck_assert_int_eq(
                stt_stream_read(duo.server.ep, duo.now, e.stream, got, sizeof got, &len), STT_OK);
        duo_swallow(&duo, &duo.server);
        pass(STT_US(50));
        most = duo.server.te.bytes_in_use > most ? duo.server.te.bytes_in_use : most;
    }
    traitor_require_open(&duo);
    ck_assert_uint_le(most, before + (3u << 19)); /* 32,768 numbers take 1 MiB */
    ck_assert_uint_lt(offset, PACKETS * LEN);     /* at last it was not told of more */
    require_idle_end();
}
END_TEST

/* An honest peer that was cut off in one direction, for long (1) or for a moment, is heard with the
 * next PTO when it is back. */
START_TEST(more_than_a_thousand_unanswered_packets_hold_nothing_up)
{
    setup_with("cubic", WIDE);
    for (int i = 0; i < 2000; i++) {
        ck_assert_int_eq(stt_session_ping(duo.server.ep, duo.now, duo.server.session), STT_OK);
        duo_swallow(&duo, &duo.server);
        pass(_i ? STT_MS(10) : STT_US(50));
    }
    ck_assert_uint_ge(flight()->n_sent, STT_UNANSWERED_MAX);
    ck_assert_uint_le(flight()->n_sent, STT_UNANSWERED_MAX + 200);
    duo_run_for(&duo, _i ? STT_PTO_NS_MAX : STT_MS(500));
    traitor_require_open(&duo);
    ck_assert_uint_eq(flight()->n_sent, 0);
    ck_assert_uint_eq(write_some(100000), 100000);
    duo_run_for(&duo, STT_S(2));
    ck_assert_uint_eq(info().bytes_acked, 100000);
    duo_end(&duo);
}
END_TEST

/* -- the first ones ------------------------------------------------------------------------------
 */

/* The server's in K, which its client's first packet confirms; the client's in S. */
START_TEST(what_confirms_a_session_is_acknowledged_at_once)
{
    enum stt_mode mode = _i ? STT_MODE_S : STT_MODE_K;
    duo_init(&duo, 1);
    duo.latency_ns = STT_MS(10);
    duo_start(&duo);
    ck_assert_int_eq(duo_begin(&duo, mode), STT_OK);
    ck_assert(duo_carry(&duo, &duo.client) && duo_carry(&duo, &duo.server) &&
              duo_carry(&duo, &duo.client));
    ck_assert(!_i || duo_carry(&duo, &duo.server));
    duo_pull(&duo.client);
    duo_pull(&duo.server);
    const struct stt_session *s = _i ? traitor() : victim();
    ck_assert_int_eq(s->state, STT_SESSION_OPEN);
    ck_assert(s->owed & STT_OWES_ACK);
    duo_end(&duo);
}
END_TEST

AGED_SUITE("ack cases",
           FRESH_LOOP(what_confirms_a_session_is_acknowledged_at_once, 0, 2,
                      "it is about the first packets"),
           LOOP(an_ack_of_what_was_never_sent_closes_also_in_a_transfer_case_20, 0, 6),
           LOOP(who_acknowledges_in_advance_meets_a_number_that_was_left_out_case_21, 0, 2),
           TEST(a_range_of_2_62_costs_what_it_finds_case_22),
           TEST(of_thirty_thousand_ranges_256_count_case_22),
           LOOP(more_ranges_than_there_are_close_case_22, 0, 4),
           TEST(after_a_download_in_which_nothing_was_in_flight_a_session_still_pings),
           TEST(numbers_that_never_were_cost_the_victim_256_ranges_case_22),
           TEST(a_claimed_delay_of_2_62_is_that_which_was_agreed_case_23),
           LOOP(a_peer_that_acknowledges_no_data_makes_nothing_grow_case_31, 0, 2),
           TEST(a_peer_that_only_writes_makes_nothing_grow_case_31),
           LOOP(more_than_a_thousand_unanswered_packets_hold_nothing_up, 0, 2))
