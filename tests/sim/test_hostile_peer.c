/* SPDX-License-Identifier: MIT
 * Peers that hold the keys of a session and break its rules: what they do ends the session or does
 * nothing, and costs no more than an honest packet.
 *
 * What they do with streams and acks is in test_stream_cases and test_ack_cases. */
#include "stt/session/engine.h"
#include "tests/support/duo.h"
#include "tests/support/frames.h"
#include "tests/support/stopwatch.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"
#include "tests/support/world.h"

static struct duo duo; /* the server is the victim of each test */

static struct stt_session *traitor(void)
{
    return traitor_session(duo.client.ep, duo.client.session);
}

static struct stt_session *victim(void)
{
    return traitor_session(duo.server.ep, duo.server.session);
}

static void setup_in(enum stt_mode mode)
{
    duo_init(&duo, 1);
    duo.latency_ns = STT_MS(1);
    duo_start(&duo);
    duo_connect(&duo, mode);
    duo_run_for(&duo, STT_S(1));
}

static void setup(void)
{
    setup_in(STT_MODE_K);
}

static void say(struct bytes frames)
{
    traitor_say(&duo, frames);
}

static void say_frame(const struct any_frame *f)
{
    traitor_say_frame(&duo, f);
}

static void say_ack(uint64_t largest, uint64_t first_range, uint64_t delay_us)
{
    say_frame(&(struct any_frame){
        .type = STT_FRAME_ACK,
        .u.ack = {.largest = largest, .first_range = first_range, .delay_us = delay_us}});
}

static void require_closed(uint64_t code)
{
    traitor_require_closed(&duo, code);
}

static void require_open(void)
{
    traitor_require_open(&duo);
}

/* -- acks -------------------------------------------------------------------------------------- */

START_TEST(an_ack_of_what_was_never_sent_closes_case_20)
{
    const uint64_t most = (UINT64_C(1) << 62) - 1;
    setup();
    uint64_t next = victim()->protect->next_number;
    say_ack(_i ? most : next, 0, 0);
    duo_exchange(&duo);
    const struct stt_event *e = &duo.client.latest[STT_EVENT_CLOSED]; /* the peer is told why */
    ck_assert_int_eq(e->reason, STT_REASON_PEER_ERROR);
    ck_assert_uint_eq(e->code, STT_CLOSE_ACK_INVALID);
    require_closed(STT_CLOSE_ACK_INVALID);
}
END_TEST

START_TEST(an_ack_of_all_that_was_sent_is_an_ack_case_21)
{
    setup();
    say_ack(victim()->protect->next_number - 1, victim()->protect->next_number - 1, 0);
    require_open();
    ck_assert_uint_eq(victim()->loss.flight.n_sent, 0);
    duo_end(&duo);
}
END_TEST

/* _i: whoever acknowledges what has not reached him must guess. */
START_TEST(an_ack_of_a_number_that_was_left_out_closes_case_21)
{
    setup();
    uint64_t skipped = victim()->loss.skip_at, largest = 0;
    while (largest <= skipped) {
        if (largest)
            say_ack(largest, 0, 0); /* so that it goes on */
        duo.now += STT_MS(10);
        ck_assert_int_eq(stt_session_ping(duo.server.ep, duo.now, duo.server.session), STT_OK);
        duo_swallow(&duo, &duo.server);
        largest = victim()->protect->next_number - 1;
        ck_assert_uint_lt(largest, 4096);
    }
    ck_assert_uint_eq(largest, skipped + 1);
    say_ack(largest, _i ? 1 : 0, 0);
    if (_i) {
        require_closed(STT_CLOSE_ACK_INVALID);
        return;
    }
    require_open();
    duo_end(&duo);
}
END_TEST

/* As many ranges as fit, the last one far away. */
static struct bytes many_ranges(uint64_t largest, uint8_t *out)
{
    enum { RANGES = 500 };
    struct wr w = wr_init(out, STT_DATAGRAM_BYTES_MIN);
    wr_u8(&w, STT_FRAME_ACK);
    wr_varint(&w, largest);
    wr_varint(&w, 0);
    wr_varint(&w, RANGES);
    wr_varint(&w, 7);
    for (int i = 0; i < RANGES; i++) {
        wr_varint(&w, i == RANGES - 1 ? UINT64_C(1) << 50 : 0);
        wr_varint(&w, 1);
    }
    ck_assert(!w.bad);
    return wr_done(&w);
}

/* Ten thousand times: a loop over the numbers of a range would not end. */
START_TEST(ranges_cost_nothing_for_what_they_span_case_22)
{
    uint8_t frames[STT_DATAGRAM_BYTES_MIN];
    setup();
    uint64_t largest = (UINT64_C(1) << 61) - 1;
    victim()->protect->next_number = largest + 1; /* as if so many had been sent */
    victim()->loss.sent_end = largest + 1;
    double began = cpu_seconds();
    for (int i = 0; i < 10000; i++) {
        say_ack(largest, largest, 0);
        say(many_ranges(largest, frames));
    }
    require_open();
    ck_assert(cpu_seconds() - began < 5);
    duo_end(&duo);
}
END_TEST

START_TEST(a_claimed_ack_delay_counts_up_to_what_was_agreed_case_23)
{
    setup();
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(stt_session_ping(duo.server.ep, duo.now, duo.server.session), STT_OK);
        duo_swallow(&duo, &duo.server);
        duo.now += STT_MS(300);
        say_ack(victim()->protect->next_number - 1, 0, (UINT64_C(1) << 62) - 1);
        require_open();
    }
    /* What was agreed may be subtracted from each sample, and no more. */
    stt_ns rtt = duo_info(&duo.server).rtt_ns;
    ck_assert_uint_ge(rtt, STT_MS(300) - STT_US(STT_ACK_DELAY_US_DEFAULT));
    ck_assert_uint_le(rtt, STT_MS(300));
    duo_end(&duo);
}
END_TEST

START_TEST(a_peer_that_never_acknowledges_makes_nothing_grow_case_31)
{
    static const uint8_t ping[] = {STT_FRAME_PING};
    setup();
    size_t before = duo.server.te.bytes_in_use;
    for (int i = 0; i < 60000; i++) { /* an hour */
        ck_assert_int_eq(stt_session_ping(duo.server.ep, duo.now, duo.server.session), STT_OK);
        if (i % 16 == 0)
            say(BYTES(ping)); /* it lives */
        duo_swallow(&duo, &duo.server);
        duo.now += STT_MS(60);
        stt_endpoint_expire(duo.server.ep, duo.now);
        ck_assert_uint_le(victim()->loss.flight.n_sent, STT_UNANSWERED_MAX + 64);
        ck_assert_uint_le(duo.server.te.bytes_in_use, before + (3u << 17));
    }
    require_open();
    ck_assert_uint_gt(duo.server.events[STT_EVENT_STALLED], 0);
    duo_run_apart(&duo, STT_S(31)); /* and now it does not */
    ck_assert_int_eq(duo.server.latest[STT_EVENT_CLOSED].reason, STT_REASON_IDLE);
    duo_end(&duo);
}
END_TEST

/* -- paths ------------------------------------------------------------------------------------- */

static size_t put_challenge(uint8_t *frames, uint64_t token)
{
    struct any_frame f = {.type = STT_FRAME_PATH_CHALLENGE,
                          .u.path.type = STT_FRAME_PATH_CHALLENGE};
    be64_store(f.u.path.token, token);
    struct wr w = wr_init(frames, 16);
    ck_assert(any_frame_encode(&w, &f));
    return wr_len(&w);
}

/* How many responses a packet holds; the last one's token. */
static unsigned responses_in(struct bytes frames, uint64_t *token)
{
    unsigned n = 0;
    struct rd r = rd_init(frames);
    for (struct any_frame f; rd_left(&r) && any_frame_decode(&r, &f);)
        if (f.type == STT_FRAME_PATH_RESPONSE) {
            *token = be64_load(f.u.path.token);
            n++;
        }
    return n;
}

START_TEST(of_many_challenges_only_the_newest_is_answered_case_24)
{
    enum { CHALLENGES = 60 };
    setup();
    uint8_t train[CHALLENGES * 38], frames[16], room[DUO_ROOM];
    struct stt_train out, in = {.data = train, .segment_bytes = 38};
    for (uint64_t i = 0; i < CHALLENGES; i++) {
        size_t len = put_challenge(frames, 1000 + i);
        in.len += traitor_seal(traitor(), bytes_of(frames, len), train + in.len);
    }
    ck_assert_uint_eq(in.len, sizeof train);
    duo_deliver(&duo, &duo.server, NULL, &in);
    uint64_t token = 0;
    unsigned n = 0;
    while (duo_transmit(&duo, &duo.server, room, &out))
        n += responses_in(traitor_open(traitor(), out.data, out.len), &token);
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(token, 1000 + CHALLENGES - 1);
    duo_end(&duo);
}
END_TEST

START_TEST(a_flood_of_challenges_is_bounded_where_nothing_is_acknowledged_case_24)
{
    static const uint8_t ping[] = {STT_FRAME_PING};
    uint8_t frames[16];
    setup();
    for (uint64_t i = 0; i < 100000; i++) {
        say(bytes_of(frames, put_challenge(frames, i)));
        duo_swallow(&duo, &duo.server);
        duo.now += STT_US(5);
    }
    require_open();
    ck_assert_uint_le(victim()->loss.flight.n_sent, STT_UNANSWERED_MAX + 64);
    uint64_t trains = duo.server.trains;
    say(BYTES(ping));
    say(BYTES(ping));
    duo_swallow(&duo, &duo.server);
    ck_assert_uint_gt(duo.server.trains, trains); /* who asks is answered all the same */
    duo_end(&duo);
}
END_TEST

/* -- session ids ------------------------------------------------------------------------------- */

static void say_new_id(uint64_t sequence, uint64_t retire_before, uint64_t id)
{
    struct any_frame f = {.type = STT_FRAME_NEW_ID,
                          .u.new_id = {.sequence = sequence, .retire_before = retire_before}};
    be64_store(f.u.new_id.id.bytes, id);
    say_frame(&f);
}

static void say_retire_id(uint64_t sequence)
{
    say_frame(&(struct any_frame){.type = STT_FRAME_RETIRE_ID, .u.retire_id.sequence = sequence});
}

/* The traitor's next, and the first of the victim's that is not in use. */
static uint64_t next_id(void)
{
    return victim()->ids.peer_next;
}

static uint64_t spare_id(void)
{
    const struct stt_session_ids *ids = &traitor()->ids;
    return ids->peer[ids->current].sequence + 1;
}

START_TEST(a_flood_of_new_ids_closes_at_the_limit_case_25)
{
    setup();
    uint64_t first = next_id();
    size_t bytes = duo.server.te.bytes_in_use;
    unsigned n = 0;
    for (; victim() && victim()->state == STT_SESSION_OPEN; n++) {
        ck_assert_uint_lt(n, 200);
        uint64_t sequence = first + n;
        say_new_id(sequence, _i ? sequence : 0, 77000 + n);
        traitor_acknowledge(&duo);
    }
    if (_i)
        ck_assert(n >= STT_ID_CHANGES_PER_MINUTE - 10 && n <= STT_ID_CHANGES_PER_MINUTE + 10);
    else
        ck_assert_uint_eq(n, 1);
    ck_assert_uint_le(duo.server.te.bytes_in_use, bytes + sizeof(struct stt_busy) + 4096);
    require_closed(STT_CLOSE_ID_LIMIT);
}
END_TEST

START_TEST(a_flood_of_retirements_closes_at_the_limit_case_25)
{
    setup();
    unsigned n = 0;
    uint64_t first = spare_id();
    for (; victim() && victim()->state == STT_SESSION_OPEN; n++) {
        ck_assert_uint_lt(n, 300);
        say_retire_id(first + n); /* never the one in use: its end is the session's */
        duo.now += STT_MS(200);   /* the retired ones are forgotten, and others issued */
        stt_endpoint_expire(duo.server.ep, duo.now);
        traitor_acknowledge(&duo);
        ck_assert_uint_le(duo.server.ep->by_id.n, STT_IDS_MAX);
    }
    ck_assert_uint_ge(n, STT_ID_CHANGES_PER_MINUTE);
    require_closed(STT_CLOSE_ID_LIMIT);
}
END_TEST

/* Whoever is not heard says it again, as often as it takes; nothing is done twice. */
START_TEST(ids_that_are_told_or_retired_again_and_again_cost_nothing_case_25)
{
    setup();
    uint64_t next = next_id(), spare = spare_id(), before = next - STT_IDS_DEFAULT + 1;
    say_new_id(next, before, 77000);
    say_retire_id(spare);
    traitor_acknowledge(&duo);
    uint32_t ids = duo.server.ep->by_id.n;
    size_t bytes = duo.server.te.bytes_in_use;
    for (unsigned n = 0; n < 10 * STT_ID_CHANGES_PER_MINUTE; n++) {
        say_new_id(next, before, 77000);
        say_retire_id(spare);
        traitor_acknowledge(&duo);
    }
    ck_assert_uint_eq(duo.server.ep->by_id.n, ids);
    ck_assert_uint_le(duo.server.te.bytes_in_use, bytes + sizeof(struct stt_busy) + 4096);
    ck_assert_str_eq(duo_info(&duo.server).state, "open");
    duo_end(&duo);
}
END_TEST

START_TEST(an_id_that_was_never_issued_is_not_retired_case_25)
{
    setup();
    say_retire_id(victim()->ids.next_sequence + (uint64_t)_i * 1000000);
    require_closed(STT_CLOSE_ID_LIMIT);
}
END_TEST

START_TEST(retiring_every_id_at_once_does_not_lose_the_session)
{
    setup();
    uint64_t end = victim()->ids.next_sequence;
    for (uint64_t i = 0; i < end; i++)
        say_retire_id(i);
    for (int i = 0; i < 10; i++) {
        duo.now += STT_S(1);
        stt_endpoint_expire(duo.server.ep, duo.now);
        traitor_acknowledge(&duo);
    }
    require_open();
    ck_assert_uint_eq(duo.server.ep->by_id.n, STT_IDS_DEFAULT);
    for (int i = 0; i < STT_SESSION_IDS_MAX; i++)
        ck_assert(!victim()->ids.own[i].used || victim()->ids.own[i].sequence >= end);
    duo_end(&duo);
}
END_TEST

START_TEST(two_ids_of_one_sequence_or_one_id_of_two_close_case_25)
{
    setup();
    const struct stt_peer_issued_id *known = &victim()->ids.peer[1];
    ck_assert(known->used);
    uint64_t id = be64_load(known->id.bytes);
    say_new_id(_i ? known->sequence : known->sequence + 5, 0, _i ? id + 1 : id);
    require_closed(STT_CLOSE_PROTOCOL_VIOLATION);
}
END_TEST

/* -- keys -------------------------------------------------------------------------------------- */

/* The traitor updates without waiting for an ack of ours, as often as it likes. */
START_TEST(key_updates_that_were_not_earned_close_case_32)
{
    static const uint8_t ping[] = {STT_FRAME_PING};
    setup();
    unsigned n = 0;
    for (; victim() && victim()->state == STT_SESSION_OPEN; n++) {
        ck_assert_uint_lt(n, 10);
        traitor()->protect->is_confirmed = true;
        stt_protect_update(traitor()->protect);
        say(BYTES(ping));
    }
    ck_assert_uint_le(n, 2);
    duo_pull(&duo.server);
    ck_assert_uint_eq(duo.server.latest[STT_EVENT_CLOSED].code, STT_CLOSE_KEY_UPDATE);
    duo_run_for(&duo, STT_S(60));
    duo_end(&duo);
}
END_TEST

/* As fast as a peer may: each as soon as the one before has been acknowledged. */
START_TEST(key_updates_that_were_earned_cost_no_memory_and_end_nothing_case_32)
{
    enum { UPDATES = 2000 };
    setup();
    size_t bytes = duo.server.te.bytes_in_use;
    uint64_t trains = duo.server.trains;
    unsigned updates = 0;
    for (unsigned ms = 0; updates < UPDATES; ms++) {
        ck_assert_uint_lt(ms, 10 * UPDATES);
        int error = stt_session_update_keys(duo.client.ep, duo.now, duo.client.session);
        ck_assert(error == STT_OK || error == STT_E_AGAIN);
        updates += error == STT_OK;
        duo_run_for(&duo, STT_MS(1));
    }
    duo_run_for(&duo, STT_S(1));
    ck_assert_uint_eq(duo_info(&duo.server).epoch, duo_info(&duo.client).epoch);
    ck_assert_uint_ge(duo_info(&duo.server).epoch, UPDATES);
    ck_assert_uint_le(duo.server.te.bytes_in_use, bytes + sizeof(struct stt_busy) + 4096);
    ck_assert_uint_le(duo.server.trains - trains, 3 * UPDATES); /* an answer for each, or two */
    require_open();
    duo_end(&duo);
}
END_TEST

/* -- frames ------------------------------------------------------------------------------------ */

static const uint64_t odd_types[] = {0x40, 0x3fff, 0x4000, 1u << 30, (UINT64_C(1) << 62) - 1};
enum { ODD_TYPES = sizeof odd_types / sizeof odd_types[0], FILLINGS = 5 };

/* Empty, zeros, the largest varints, and noise. */
static size_t fill(uint8_t *out, unsigned filling, uint64_t type)
{
    static const uint16_t lengths[FILLINGS] = {0, 7, 40, 600, 1100};
    struct rng rng = rng_init(type * FILLINGS + filling);
    rng_fill(&rng, out, lengths[filling]);
    if (filling == 1)
        memset(out, 0, lengths[filling]);
    if (filling == 2)
        memset(out, 0xff, lengths[filling]);
    return lengths[filling];
}

static void say_type(uint64_t type, unsigned filling)
{
    uint8_t frames[STT_DATAGRAM_BYTES_MIN];
    struct wr w = wr_init(frames, sizeof frames);
    wr_varint(&w, type);
    size_t head = wr_len(&w);
    say(bytes_of(frames, head + fill(frames + head, filling, type)));
}

/* What nobody knows, or not in this session, has a code of its own; what is known is read. */
static void require_judged(uint64_t type)
{
    const struct stt_frame_rule *rule = stt_frame_rule(type);
    duo_pull(&duo.server);
    const struct stt_event *e = &duo.server.latest[STT_EVENT_CLOSED];
    bool is_closed = duo.server.events[STT_EVENT_CLOSED] == 1;
    if (!rule)
        ck_assert(is_closed && e->code == STT_CLOSE_FRAME_ENCODING);
    else if (type >= STT_FRAME_EXTENSION)
        ck_assert(is_closed && e->code == STT_CLOSE_FRAME_UNEXPECTED);
    else if (is_closed)
        ck_assert(e->reason == STT_REASON_PROTOCOL || e->reason == STT_REASON_PEER_CLOSE ||
                  e->reason == STT_REASON_PEER_ERROR || e->reason == STT_REASON_REPLACED ||
                  e->reason == STT_REASON_APPLICATION);
}

START_TEST(any_frame_with_any_content_is_read_or_closes_case_33)
{
    for (unsigned n = 0; n < 0x40 + ODD_TYPES; n++) {
        uint64_t type = n < 0x40 ? n : odd_types[n - 0x40];
        setup();
        say_type(type, (unsigned)_i);
        require_judged(type);
        duo_run_for(&duo, STT_S(100));
        duo_end(&duo);
    }
}
END_TEST

START_TEST(the_same_in_a_session_that_is_not_yet_open_case_33)
{
    uint8_t packet[TRAITOR_PACKET_MAX];
    for (unsigned n = 0; n < 0x40 + ODD_TYPES; n++) {
        uint64_t type = n < 0x40 ? n : odd_types[n - 0x40];
        duo_init(&duo, 1);
        duo_start(&duo);
        ck_assert_int_eq(duo_begin(&duo, STT_MODE_W), STT_OK);
        for (int i = 0; i < 5; i++) /* 1, cookie, 1, 2, 3 */
            ck_assert(duo_carry(&duo, i % 2 ? &duo.server : &duo.client));
        struct stt_session *s = STT_LIST_ENTRY(duo.server.ep->all.next, struct stt_session, all);
        ck_assert_int_eq(s->state, STT_SESSION_IDENTIFY);
        uint8_t frames[STT_DATAGRAM_BYTES_MIN];
        struct wr w = wr_init(frames, sizeof frames);
        wr_varint(&w, type);
        size_t head = wr_len(&w);
        size_t len = head + fill(frames + head, (unsigned)_i, type);
        len = traitor_seal(traitor(), bytes_of(frames, len), packet);
        duo_deliver_bytes(&duo, &duo.server, NULL, packet, len);
        duo_run_for(&duo, STT_S(100));
        duo_end(&duo);
    }
}
END_TEST

START_TEST(reserved_bits_and_empty_payloads_close_only_who_can_seal_them)
{
    setup();
    say(BYTES_NONE);
    require_closed(STT_CLOSE_PROTOCOL_VIOLATION);
}
END_TEST

/* What ends no session any more must not hold it up either. */
static const struct {
    uint8_t bytes[12], len;
} broken[] = {
    {{STT_FRAME_ACK}, 1},             /* cut short */
    {{STT_FRAME_ACK, 1, 0, 5, 0}, 5}, /* fewer ranges than it says */
    {{0x40, 0x20}, 2},                /* a type in a longer form */
    {{0xff}, 1},                      /* half a type */
    {{STT_FRAME_PING, STT_FRAME_ACK_ECN, 0xff, 0xff}, 4},
    {{STT_FRAME_NEW_ID}, 1},
    {{0x3f}, 1},
};
enum { BROKEN = sizeof broken / sizeof broken[0] };

START_TEST(broken_frames_for_a_session_that_has_closed_are_harmless)
{
    setup();
    ck_assert_int_eq(stt_session_close(duo.server.ep, duo.now, duo.server.session, 1, NULL),
                     STT_OK);
    for (int i = 0; i < 20; i++) {
        say(bytes_of(broken[_i].bytes, broken[_i].len));
        duo_swallow(&duo, &duo.server);
    }
    duo_run_for(&duo, STT_S(5));
    ck_assert_uint_eq(duo_stats(&duo.server).sessions, 0);
    duo_end(&duo);
}
END_TEST

START_TEST(a_closed_session_repeats_itself_ever_more_rarely)
{
    static const uint8_t ping[] = {STT_FRAME_PING};
    setup();
    ck_assert_int_eq(stt_session_close(duo.server.ep, duo.now, duo.server.session, 1, NULL),
                     STT_OK);
    duo_swallow(&duo, &duo.server);
    uint64_t trains = duo.server.trains;
    for (int i = 0; i < 10000; i++) {
        say(BYTES(ping));
        duo_swallow(&duo, &duo.server);
    }
    ck_assert_uint_le(duo.server.trains - trains, 14); /* after 1, 2, 4, ... 8,192 */
    duo_run_for(&duo, STT_S(60));
    duo_end(&duo);
}
END_TEST

/* -- everything at once ------------------------------------------------------------------------ */

struct chaos {
    struct world *w;
    struct rng rng;
};

static struct bytes any_frames(struct rng *rng, uint8_t *out)
{
    static const uint8_t types[] = {0, 1, 1, 2, 3, 0x1a, 0x1b, 0x1c, 0x1d, 0x1f, 0x20, 0x30};
    size_t len = rng_between(rng, 1, 60);
    rng_fill(rng, out, len);
    out[0] = types[rng_below(rng, sizeof types)];
    for (size_t i = 1; i < len; i++)
        out[i] &= rng_chance(rng, 80) ? 0x07 : 0xff;
    return bytes_of(out, len);
}

static void betray(void *ctx, struct stt_sim *sim)
{
    struct chaos *c = ctx;
    bool by_client = rng_chance(&c->rng, 50);
    const struct world_side *from = by_client ? c->w->client : c->w->server;
    const struct world_side *to = by_client ? c->w->server : c->w->client;
    struct stt_session *s = traitor_session(world_endpoint(c->w, from), from->session);
    uint8_t frames[64], packet[TRAITOR_PACKET_MAX];
    if (s && s->protect && s->state <= STT_SESSION_OPEN) {
        struct stt_sim_datagram d = {.from = stt_sim_address(sim, from->node),
                                     .to = stt_sim_address(sim, to->node),
                                     .data = packet,
                                     .room = sizeof packet};
        d.len = traitor_seal(s, any_frames(&c->rng, frames), packet);
        if (rng_chance(&c->rng, 10))
            d.from = stt_sim_ipv4(77, 7);
        stt_sim_inject(sim, &d);
    } else if (rng_chance(&c->rng, 30)) {
        world_connect_begin(c->w, rng_chance(&c->rng, 50) ? STT_MODE_K : STT_MODE_S);
    }
    if (stt_sim_now(sim) < STT_S(20))
        stt_sim_at(sim, stt_sim_now(sim) + rng_between(&c->rng, 1, STT_MS(30)), betray, c);
}

static uint64_t hash_of_chaos(uint64_t seed)
{
    struct world w = world_pair(.seed = seed, .one_way_ms = 5, .loss_ppm = 50000,
                                .link = {.reorder_ppm = 100000,
                                         .reorder_ns = STT_MS(7),
                                         .duplicate_ppm = 50000,
                                         .corrupt_ppm = 20000});
    struct chaos c = {.w = &w, .rng = rng_init(seed)};
    struct stt_address elsewhere = stt_sim_ipv4(66, 6);
    stt_sim_replay(w.sim, w.links.forth, STT_MS(50));
    stt_sim_forge(w.sim, w.links.back);
    stt_sim_reflect(w.sim, w.links.back, STT_MS(9));
    if (seed % 2)
        stt_sim_spoof(w.sim, w.links.forth, &elsewhere);
    world_connect(&w, STT_MODE_K);
    stt_sim_at(w.sim, stt_sim_now(w.sim), betray, &c);
    world_run_for(&w, STT_S(90));
    uint64_t hash = stt_sim_hash(w.sim);
    world_end(&w);
    return hash;
}

START_TEST(the_same_seed_tells_the_same_story_of_hostile_peers)
{
    uint64_t seed = 1 + (uint64_t)_i;
    ck_assert_uint_eq(hash_of_chaos(seed), hash_of_chaos(seed));
    ck_assert_uint_ne(hash_of_chaos(seed), hash_of_chaos(seed + 1000));
}
END_TEST

AGED_SUITE("hostile peer", LOOP(an_ack_of_what_was_never_sent_closes_case_20, 0, 2),
           TEST(an_ack_of_all_that_was_sent_is_an_ack_case_21),
           LOOP(an_ack_of_a_number_that_was_left_out_closes_case_21, 0, 2),
           TEST(ranges_cost_nothing_for_what_they_span_case_22),
           TEST(a_claimed_ack_delay_counts_up_to_what_was_agreed_case_23),
           TEST(of_many_challenges_only_the_newest_is_answered_case_24),
           TEST(a_flood_of_challenges_is_bounded_where_nothing_is_acknowledged_case_24),
           LOOP(a_flood_of_new_ids_closes_at_the_limit_case_25, 0, 2),
           TEST(a_flood_of_retirements_closes_at_the_limit_case_25),
           TEST(ids_that_are_told_or_retired_again_and_again_cost_nothing_case_25),
           LOOP(an_id_that_was_never_issued_is_not_retired_case_25, 0, 2),
           TEST(retiring_every_id_at_once_does_not_lose_the_session),
           LOOP(two_ids_of_one_sequence_or_one_id_of_two_close_case_25, 0, 2),
           TEST(a_peer_that_never_acknowledges_makes_nothing_grow_case_31),
           TEST(key_updates_that_were_not_earned_close_case_32),
           TEST(key_updates_that_were_earned_cost_no_memory_and_end_nothing_case_32),
           LOOP(any_frame_with_any_content_is_read_or_closes_case_33, 0, FILLINGS),
           FRESH_LOOP(the_same_in_a_session_that_is_not_yet_open_case_33, 0, FILLINGS,
                      "it is not yet open"),
           TEST(reserved_bits_and_empty_payloads_close_only_who_can_seal_them),
           LOOP(broken_frames_for_a_session_that_has_closed_are_harmless, 0, BROKEN),
           TEST(a_closed_session_repeats_itself_ever_more_rarely),
           FRESH_LOOP(the_same_seed_tells_the_same_story_of_hostile_peers, 0, 6,
                      "a stranger is faster from the first packet on"))
