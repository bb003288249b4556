/* SPDX-License-Identifier: MIT
 * REKEY between peers of which one is hostile, or whose machine fails: no keys from what does not
 * verify, no work without bound, and no secret that outlives its use. */
#include "stt/session/engine.h"
#include "tests/support/duo.h"
#include "tests/support/frames.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};
enum { MODES = 3 };

static struct duo duo;     /* either side is the traitor or the victim */
static struct stt_rekey x; /* the traitor's own */

static struct stt_session *session_of(const struct duo_side *side)
{
    return traitor_session(side->ep, side->session);
}

static void connect_in(enum stt_mode mode)
{
    duo_init(&duo, 1);
    duo.latency_ns = STT_MS(1);
    duo_start(&duo);
    duo_connect(&duo, mode);
}

static void setup(stt_ns age)
{
    connect_in(STT_MODE_K);
    duo_run_for(&duo, age);
}

/* As if the session had been used: the next one is due with time alone. */
static void use_enough(void)
{
    session_of(&duo.client)->rekey_clock.idle.packets -= STT_REKEY_AFTER_PACKETS;
}

/* The client wants to send stage 1 and has not been let yet. */
static void setup_due(enum stt_mode mode)
{
    connect_in(mode);
    use_enough();
    duo_run_for(&duo, STT_S(119));
    duo.now = session_of(&duo.client)->rekey_clock.from;
    stt_endpoint_expire(duo.client.ep, duo.now);
}

static void require_open(uint64_t rekeys)
{
    duo_pull(&duo.client);
    duo_pull(&duo.server);
    struct stt_session_info c = duo_info(&duo.client), s = duo_info(&duo.server);
    ck_assert_str_eq(c.state, "open");
    ck_assert_str_eq(s.state, "open");
    ck_assert_uint_eq(c.rekeys, rekeys);
    ck_assert_uint_eq(s.rekeys, rekeys);
    ck_assert_uint_eq(c.epoch, s.epoch);
}

/* The victim has closed for this reason with the keys that it had; the other side is told. */
static void require_closed(struct duo_side *victim, uint64_t code)
{
    duo_pull(victim);
    const struct stt_event *e = &victim->latest[STT_EVENT_CLOSED];
    ck_assert_uint_eq(victim->events[STT_EVENT_CLOSED], 1);
    ck_assert_int_eq(e->reason, STT_REASON_PROTOCOL);
    ck_assert_msg(e->code == code, "closed with %s", stt_close_code_name(e->code));
    duo_exchange(&duo);
    const struct stt_event *told = &duo_other(&duo, victim)->latest[STT_EVENT_CLOSED];
    ck_assert_int_eq(told->reason, STT_REASON_PEER_ERROR);
    ck_assert_uint_eq(told->code, code);
    duo_run_for(&duo, STT_S(5));
    ck_assert_uint_eq(duo_stats(victim).sessions, 0);
    duo_end(&duo);
}

/* -- what a traitor says ----------------------------------------------------------------------- */

static void say(struct duo_side *from, struct bytes frames)
{
    uint8_t packet[TRAITOR_PACKET_MAX];
    size_t len = traitor_seal(session_of(from), frames, packet);
    duo_deliver_bytes(&duo, duo_other(&duo, from), NULL, packet, len);
}

static void say_rekey(struct duo_side *from, unsigned stage, uint64_t epoch, struct bytes noise)
{
    uint8_t frames[STT_DATAGRAM_BYTES_MIN];
    struct wr w = wr_init(frames, sizeof frames);
    ck_assert(stt_frame_rekey_encode(
        &w, &(struct frame_rekey){.stage = (uint8_t)stage, .epoch = epoch, .noise = noise}));
    say(from, wr_done(&w));
}

static void ping(struct duo_side *from)
{
    static const uint8_t frame[] = {STT_FRAME_PING};
    say(from, BYTES(frame));
}

static struct stt_rekey_with keys_of_client(void)
{
    struct stt_session *s = session_of(&duo.client);
    return (struct stt_rekey_with){.protect = s->protect,
                                   .own = &duo.client.ep->secrets->own.pair,
                                   .peer = duo.server.config.identity.static_public,
                                   .h = s->h};
}

/* A good one, of the traitor's own. */
static struct bytes make_stage_1(uint8_t fill)
{
    struct stt_rekey_with with = keys_of_client();
    uint8_t ephemeral[32];
    memset(ephemeral, fill, sizeof ephemeral);
    memset(&x, 0, sizeof x);
    with.protect->is_confirmed = true;
    ck_assert(stt_rekey_create_1(&x, &with, ephemeral));
    return BYTES(x.message);
}

static void say_stage_1(uint8_t fill)
{
    struct bytes noise = make_stage_1(fill);
    say_rekey(&duo.client, 1, x.epoch, noise);
}

/* The REKEY frames in all that a side wants to send, which goes nowhere; the last one. */
static unsigned hear_rekey(struct duo_side *from, struct frame_rekey *out, uint8_t copy[64])
{
    uint8_t room[DUO_ROOM];
    struct stt_train train;
    unsigned n = 0;
    while (duo_transmit(&duo, from, room, &train)) {
        struct stt_session *hears = session_of(duo_other(&duo, from));
        struct rd r = rd_init(traitor_open(hears, train.data, train.len));
        for (struct any_frame f; rd_left(&r) && any_frame_decode(&r, &f);) {
            if (f.type != STT_FRAME_REKEY)
                continue;
            ck_assert_uint_eq(f.u.rekey.noise.len, STT_REKEY_NOISE_BYTES);
            memcpy(copy, f.u.rekey.noise.data, STT_REKEY_NOISE_BYTES);
            *out = f.u.rekey;
            out->noise = bytes_of(copy, STT_REKEY_NOISE_BYTES);
            n++;
        }
    }
    return n;
}

/* The traitor's own exchange, to its end. */
static void exchange(uint8_t fill)
{
    struct frame_rekey f;
    uint8_t copy[64];
    struct stt_session *s = session_of(&duo.client);
    say_stage_1(fill);
    ck_assert_uint_eq(hear_rekey(&duo.server, &f, copy), 1);
    ck_assert(f.stage == 2 && f.epoch == x.epoch);
    ck_assert(stt_rekey_consume_2(&x, s->protect, f.noise));
    memcpy(s->h, x.h, sizeof s->h);
    ping(&duo.client);
    ping(&duo.client); /* so that it is acknowledged */
    duo_swallow(&duo, &duo.server);
}

/* -- how often --------------------------------------------------------------------------------- */

START_TEST(the_first_may_not_come_in_the_first_minute)
{
    static const stt_ns ages[] = {0, STT_S(30), STT_S(59), STT_S(61)};
    setup(ages[_i]);
    say_stage_1(1);
    if (ages[_i] < STT_S(60)) {
        require_closed(&duo.server, STT_CLOSE_REKEY_FAILED);
        return;
    }
    ck_assert_ptr_nonnull(session_of(&duo.server)->rekey);
    duo_end(&duo);
}
END_TEST

/* Whoever does one after another is bounded by time, not by the network's. */
START_TEST(one_right_after_another_closes)
{
    setup(STT_S(61));
    exchange(1);
    ck_assert_uint_eq(duo_info(&duo.server).epoch, 1);
    ck_assert_uint_eq(duo_info(&duo.server).rekeys, 1);
    duo.now += _i ? STT_S(59) : 0;
    ping(&duo.client);
    say_stage_1(2);
    require_closed(&duo.server, STT_CLOSE_REKEY_FAILED);
}
END_TEST

START_TEST(one_a_minute_is_answered)
{
    setup(STT_S(61));
    for (uint8_t i = 1; i < 10; i++) {
        exchange(i);
        ck_assert_uint_eq(duo_info(&duo.server).epoch, i);
        for (int k = 0; k < 7; k++, duo.now += STT_S(9))
            ping(&duo.client);
    }
    duo_end(&duo);
}
END_TEST

START_TEST(copies_of_stage_1_get_the_same_answer_and_cost_nothing)
{
    struct frame_rekey f;
    uint8_t first[64], copy[64];
    setup(STT_S(61));
    struct bytes noise = make_stage_1(1);
    say_rekey(&duo.client, 1, 1, noise);
    ck_assert_uint_eq(hear_rekey(&duo.server, &f, first), 1);
    uint64_t draws = duo.server.te.draws;
    size_t bytes = 0;
    for (int i = 0; i < 4000; i++) {
        say_rekey(&duo.client, 1, 1, noise);
        say_rekey(&duo.client, 1, 1, noise);
        ck_assert_uint_le(hear_rekey(&duo.server, &f, copy), 1);
        ck_assert_mem_eq(copy, first, STT_REKEY_NOISE_BYTES);
        duo.now += STT_MS(1);
        if (i == 2000) /* as much is in flight as may be */
            bytes = duo.server.te.bytes_in_use;
    }
    ck_assert_uint_eq(duo.server.te.draws, draws);
    ck_assert_uint_eq(duo.server.te.bytes_in_use, bytes);
    ck_assert_uint_eq(duo_info(&duo.server).epoch, 0);
    duo_end(&duo);
}
END_TEST

/* A responder that updates its keys each time makes an initiator begin anew: not more than once a
 * second. */
START_TEST(updates_that_cross_it_again_and_again_cost_one_exchange_a_second)
{
    struct frame_rekey f;
    uint8_t copy[64];
    setup_due(STT_MODE_K);
    struct stt_session *c = session_of(&duo.client);
    uint64_t draws = duo.client.te.draws;
    for (unsigned i = 1; i < 20; i++) {
        ck_assert_uint_eq(hear_rekey(&duo.client, &f, copy), 1); /* and nobody else */
        ck_assert(c->rekey && f.epoch == i);
        ck_assert_int_eq(stt_session_update_keys(duo.server.ep, duo.now, duo.server.session),
                         STT_OK);
        duo_exchange(&duo);
        ck_assert_ptr_null(c->rekey);
        ck_assert_int_eq(stt_session_ping(duo.client.ep, duo.now, duo.client.session), STT_OK);
        duo_exchange(&duo); /* so that it may begin another */
        ck_assert_uint_ge(c->rekey_clock.from, duo.now + STT_REKEY_RETRY_NS - STT_MS(50));
        duo_run_for(&duo, c->rekey_clock.from - duo.now - 1);
        ck_assert(!c->rekey && duo.client.te.draws == draws + i);
        duo.now = c->rekey_clock.from;
        stt_endpoint_expire(duo.client.ep, duo.now);
    }
    duo_run_for(&duo, STT_S(2));
    require_open(1);
    duo_end(&duo);
}
END_TEST

/* -- what is not true -------------------------------------------------------------------------- */

/* Length, bit to flip or -1, and what else. */
static const struct {
    size_t len;
    int bit;
    bool zeros;
} lies[] = {{0, -1, false},   {16, -1, false},  {32, -1, false},  {47, -1, false},
            {49, -1, false},  {256, -1, false}, {48, -1, true},   {48, 0, false},
            {48, 100, false}, {48, 255, false}, {48, 256, false}, {48, 383, false}};
enum { LIES = sizeof lies / sizeof lies[0] };

static struct bytes lie(struct bytes truth, unsigned which, uint8_t out[256])
{
    memset(out, 0, 256);
    memcpy(out, truth.data, lies[which].zeros ? 0 : truth.len);
    if (lies[which].bit >= 0)
        out[lies[which].bit / 8] ^= (uint8_t)(1u << lies[which].bit % 8);
    return bytes_of(out, lies[which].len);
}

static struct stt_epoch next_of(const struct duo_side *side)
{
    return session_of(side)->protect->keys.next;
}

START_TEST(a_stage_1_that_does_not_verify_closes_and_gives_no_keys)
{
    uint8_t out[256];
    setup(STT_S(61));
    struct stt_epoch next = next_of(&duo.server);
    say_rekey(&duo.client, 1, 1, lie(make_stage_1(1), (unsigned)_i, out));
    struct stt_session *s = session_of(&duo.server);
    ck_assert(s && s->protect && !s->rekey);
    ck_assert_mem_eq(&s->protect->keys.next, &next, sizeof next);
    ck_assert_uint_eq(s->protect->keys.number, 0);
    require_closed(&duo.server, STT_CLOSE_REKEY_FAILED);
}
END_TEST

/* The server has read the true stage 1, and answers something else. */
START_TEST(a_stage_2_that_does_not_verify_closes_and_gives_no_keys)
{
    uint8_t copy[64], out[256];
    struct frame_rekey f;
    setup_due(STT_MODE_K);
    ck_assert_uint_eq(hear_rekey(&duo.client, &f, copy), 1);
    ck_assert(f.stage == 1 && f.epoch == 1);
    struct stt_session *server = session_of(&duo.server), *client = session_of(&duo.client);
    struct stt_rekey_with with = {.protect = server->protect,
                                  .own = &duo.server.ep->secrets->own.pair,
                                  .peer = duo.client.config.identity.static_public,
                                  .h = server->h};
    static const uint8_t ephemeral[32] = {7};
    memset(&x, 0, sizeof x);
    ck_assert(stt_rekey_consume_1(&x, &with, f.noise, ephemeral));
    struct stt_epoch next = next_of(&duo.client);
    if (_i == LIES)
        say_rekey(&duo.server, 2, 1, f.noise); /* sent back */
    else
        say_rekey(&duo.server, 2, 1, lie(BYTES(x.message), (unsigned)_i, out));
    ck_assert(client->protect && !client->rekey);
    ck_assert_mem_eq(&client->protect->keys.next, &next, sizeof next);
    ck_assert_uint_eq(client->protect->keys.number, 0);
    require_closed(&duo.client, STT_CLOSE_REKEY_FAILED);
}
END_TEST

START_TEST(another_stage_1_for_the_same_epoch_closes)
{
    setup(STT_S(61));
    say_stage_1(1);
    say_stage_1(2);
    require_closed(&duo.server, STT_CLOSE_REKEY_FAILED);
}
END_TEST

START_TEST(a_stage_out_of_turn_closes)
{
    static const struct {
        bool by_server;
        unsigned stage;
        uint64_t epoch;
    } turns[] = {{false, 2, 1}, {false, 2, 7}, {true, 1, 1}, {true, 1, 0}, {true, 2, 1}};
    uint8_t noise[STT_REKEY_NOISE_BYTES] = {1};
    setup(STT_S(61));
    struct duo_side *from = turns[_i].by_server ? &duo.server : &duo.client;
    say_rekey(from, turns[_i].stage, turns[_i].epoch, BYTES(noise));
    require_closed(duo_other(&duo, from), STT_CLOSE_FRAME_UNEXPECTED);
}
END_TEST

START_TEST(a_stage_of_another_epoch_is_nothing)
{
    static const uint64_t epochs[] = {0, 2, 3, 1000, STT_VARINT_MAX};
    setup(STT_S(61));
    uint64_t draws = duo.server.te.draws;
    struct bytes noise = make_stage_1(1);
    for (size_t i = 0; i < sizeof epochs / sizeof epochs[0]; i++) {
        say_rekey(&duo.client, 1, epochs[i], noise);
        say_rekey(&duo.server, 2, epochs[i], noise);
    }
    ck_assert_uint_eq(duo.server.te.draws, draws);
    ck_assert_ptr_null(session_of(&duo.server)->rekey);
    require_open(0);
    duo_end(&duo);
}
END_TEST

START_TEST(who_asks_for_new_keys_and_then_updates_the_old_ones_is_not_understood)
{
    setup(STT_S(61));
    say_stage_1(1);
    duo_swallow(&duo, &duo.server);
    stt_protect_update(session_of(&duo.client)->protect);
    uint64_t dropped = duo_stats(&duo.server).dropped_bad_tag;
    ping(&duo.client);
    ck_assert_uint_eq(duo_stats(&duo.server).dropped_bad_tag, dropped + 1);
    ck_assert_uint_eq(duo_info(&duo.server).epoch, 0);
    duo_run_apart(&duo, STT_S(40));
    ck_assert_int_eq(duo.server.latest[STT_EVENT_CLOSED].reason, STT_REASON_IDLE);
    duo_end(&duo);
}
END_TEST

/* -- allow-lists ------------------------------------------------------------------------------- */

START_TEST(whoever_is_no_longer_listed_is_closed_with_the_next_one)
{
    const struct stt_peer_id *peer = &duo.client.config.identity.peer_id;
    duo_init(&duo, 1);
    duo.latency_ns = STT_MS(1);
    duo.server.config.allow_only_listed = true;
    duo_start(&duo);
    ck_assert_int_eq(stt_endpoint_allow(duo.server.ep, peer), STT_OK);
    duo_connect(&duo, modes[_i / 2]);
    use_enough();
    duo_run_for(&duo, STT_S(100));
    if (_i % 2)
        ck_assert_int_eq(stt_endpoint_disallow(duo.server.ep, peer), STT_OK);
    duo_run_for(&duo, STT_S(10));
    require_open(0);
    duo_run_for(&duo, STT_S(20));
    if (_i % 2) {
        ck_assert_int_eq(duo.server.latest[STT_EVENT_CLOSED].reason, STT_REASON_NOT_ALLOWED);
        ck_assert_int_eq(duo.client.latest[STT_EVENT_CLOSED].reason, STT_REASON_PEER_ERROR);
        ck_assert_uint_eq(duo.client.latest[STT_EVENT_CLOSED].code, STT_CLOSE_NOT_ALLOWED);
    } else {
        require_open(1);
    }
    duo_end(&duo);
}
END_TEST

/* -- a machine that fails ---------------------------------------------------------------------- */

START_TEST(without_entropy_the_session_lives_with_its_keys_until_there_is_some_case_61)
{
    setup_due(modes[_i / 2 % MODES]);
    struct duo_side *side = _i % 2 ? &duo.server : &duo.client;
    uint64_t draws = side->te.draws;
    side->te.entropy_fails = _i < 2 * MODES;
    side->te.entropy_repeats = _i >= 2 * MODES;
    (void)!stt_endpoint_draw(side->ep, (uint8_t[16]){0}, 16); /* the first that repeats is new */
    duo_run_for(&duo, STT_S(20));
    require_open(0);
    ck_assert_uint_ge(side->te.draws - draws, 10);
    ck_assert_uint_le(side->te.draws - draws, 30);
    side->te.entropy_fails = side->te.entropy_repeats = false;
    duo_run_for(&duo, STT_S(2));
    require_open(1);
    duo_end(&duo);
}
END_TEST

START_TEST(any_one_allocation_that_fails_delays_it_by_a_second_at_most_case_37)
{
    for (uint64_t n = 1; n < 8; n++) {
        setup_due(modes[_i / 2]);
        struct duo_side *side = _i % 2 ? &duo.server : &duo.client;
        side->te.fail_at = side->te.allocs + n;
        duo_run_for(&duo, STT_MS(1100));
        require_open(1);
        duo_end(&duo);
    }
}
END_TEST

/* -- secrets ----------------------------------------------------------------------------------- */

static bool is_at(const struct duo_side *side, const void *secret, size_t len)
{
    return test_env_has_secret(&side->te, secret, len) ||
           test_env_has_ordinary(&side->te, secret, len);
}

static bool is_anywhere(const void *secret)
{
    return is_at(&duo.client, secret, 32) || is_at(&duo.server, secret, 32);
}

START_TEST(no_secret_is_left_of_an_exchange_or_of_the_epochs_before)
{
    uint8_t psk[32], ephemeral[32];
    setup_due(modes[_i]);
    struct stt_session *c = session_of(&duo.client), *s = session_of(&duo.server);
    struct stt_keys before = c->protect->keys;
    stt_keys_exporter(psk, &before, c->h);
    ck_assert(duo_carry(&duo, &duo.client)); /* stage 1 */
    ck_assert(c->rekey && s->rekey);
    memcpy(ephemeral, c->rekey->noise.e.secret_key, 32);
    ck_assert(test_env_has_secret(&duo.client.te, ephemeral, 32));
    ck_assert(!test_env_has_ordinary(&duo.client.te, ephemeral, 32));
    ck_assert(!is_anywhere(psk));
    duo_run_for(&duo, STT_S(2));
    require_open(1);
    ck_assert(!is_anywhere(ephemeral) && !is_anywhere(psk));
    for (int d = 0; d < STT_DIRECTIONS; d++) {
        ck_assert(!is_anywhere(before.current.secret[d]) && !is_anywhere(before.next.secret[d]));
        ck_assert(!is_at(&duo.client, before.current.packet[d].key, c->suite->key_bytes));
        ck_assert(!is_at(&duo.server, before.current.packet[d].key, c->suite->key_bytes));
        ck_assert(test_env_has_secret(&duo.client.te, c->protect->keys.current.secret[d], 32));
        ck_assert(!test_env_has_ordinary(&duo.client.te, c->protect->keys.current.secret[d], 32));
    }
    duo_end(&duo);
}
END_TEST

START_TEST(the_throwaway_keys_of_a_code_go_when_the_session_closes)
{
    setup_due(STT_MODE_W);
    duo_run_for(&duo, STT_S(1));
    require_open(1);
    struct stt_session *c = session_of(&duo.client);
    struct stt_throwaway *kept =
        (struct stt_throwaway *)((uint8_t *)c->protect + stt_protect_bytes(c->suite));
    struct stt_throwaway copy = *kept;
    ck_assert(test_env_has_secret(&duo.client.te, copy.own.secret_key, 32));
    ck_assert_int_eq(stt_session_close(duo.client.ep, duo.now, duo.client.session, 1, NULL),
                     STT_OK);
    ck_assert(!is_anywhere(copy.own.secret_key)); /* at once */
    duo_run_for(&duo, STT_S(5));
    duo_end(&duo);
}
END_TEST

SUITE("rekey cases", LOOP(the_first_may_not_come_in_the_first_minute, 0, 4),
      LOOP(one_right_after_another_closes, 0, 2), TEST(one_a_minute_is_answered),
      TEST(copies_of_stage_1_get_the_same_answer_and_cost_nothing),
      TEST(updates_that_cross_it_again_and_again_cost_one_exchange_a_second),
      LOOP(a_stage_1_that_does_not_verify_closes_and_gives_no_keys, 0, LIES),
      LOOP(a_stage_2_that_does_not_verify_closes_and_gives_no_keys, 0, LIES + 1),
      TEST(another_stage_1_for_the_same_epoch_closes), LOOP(a_stage_out_of_turn_closes, 0, 5),
      TEST(a_stage_of_another_epoch_is_nothing),
      TEST(who_asks_for_new_keys_and_then_updates_the_old_ones_is_not_understood),
      LOOP(whoever_is_no_longer_listed_is_closed_with_the_next_one, 0, 2 * MODES),
      LOOP(without_entropy_the_session_lives_with_its_keys_until_there_is_some_case_61, 0,
           4 * MODES),
      LOOP(any_one_allocation_that_fails_delays_it_by_a_second_at_most_case_37, 0, 2 * MODES),
      LOOP(no_secret_is_left_of_an_exchange_or_of_the_epochs_before, 0, MODES),
      TEST(the_throwaway_keys_of_a_code_go_when_the_session_closes))
