/* SPDX-License-Identifier: MIT
 * Two endpoints in memory: the verbs, the handles and every public call in every state. */
#include "crypto/aead.h"
#include "crypto/ids.h"
#include "stt/session/engine.h"
#include "stt/stats.h"
#include "tests/support/duo.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

#include <stdio.h>

static struct duo duo; /* one test, one process */

static struct duo *begun(void)
{
    duo_init(&duo, 1);
    duo_start(&duo);
    return &duo;
}

static struct duo *connected(enum stt_mode mode)
{
    struct duo *d = begun();
    duo_connect(d, mode);
    return d;
}

static uint64_t closed(const struct duo_side *side)
{
    return side->events[STT_EVENT_CLOSED];
}

/* -- the states a host can meet a session in ------------------------------------------------------
 */

static void begin(struct duo *d, enum stt_mode mode)
{
    ck_assert_int_eq(duo_begin(d, mode), STT_OK);
}

static void carry(struct duo *d, struct duo_side *from)
{
    ck_assert(duo_carry(d, from));
}

static void reach_nothing(struct duo *d)
{
    d->client.session = 0;
}

static void reach_message_1_sent(struct duo *d)
{
    begin(d, STT_MODE_K);
    duo_swallow(d, &d->client);
}

static void reach_cookie_wait(struct duo *d)
{
    begin(d, STT_MODE_W);
    duo_swallow(d, &d->client);
}

static void reach_message_3_sent(struct duo *d)
{
    begin(d, STT_MODE_S);
    carry(d, &d->client);
    carry(d, &d->server);
    duo_swallow(d, &d->client);
}

static void reach_identify(struct duo *d)
{
    begin(d, STT_MODE_W);
    for (int i = 0; i < 2; i++) { /* the second time with the cookie */
        carry(d, &d->client);
        carry(d, &d->server);
    }
    carry(d, &d->client); /* message 3 */
    uint8_t room[DUO_ROOM];
    struct stt_train identity;
    ck_assert(duo_transmit(d, &d->server, room, &identity));
    static const uint8_t ping[] = {STT_FRAME_PING};
    struct stt_session *peer = STT_LIST_ENTRY(d->server.ep->all.next, struct stt_session, all);
    uint8_t packet[TRAITOR_PACKET_MAX];
    duo_deliver_bytes(d, &d->client, NULL, packet, traitor_seal(peer, BYTES(ping), packet));
}

static void reach_unconfirmed(struct duo *d)
{
    begin(d, STT_MODE_K);
    carry(d, &d->client);
    carry(d, &d->server);
}

static void reach_open_in(struct duo *d, enum stt_mode mode)
{
    duo_connect(d, mode);
    duo_run_for(d, STT_S(1)); /* the first acks have come */
}

static void reach_open(struct duo *d)
{
    reach_open_in(d, STT_MODE_K);
}

static void reach_open_from_s(struct duo *d)
{
    reach_open_in(d, STT_MODE_S);
}

static void reach_open_from_w(struct duo *d)
{
    reach_open_in(d, STT_MODE_W);
}

static void reach_closing(struct duo *d)
{
    duo_connect(d, STT_MODE_K);
    ck_assert_int_eq(stt_session_close(d->client.ep, d->now, d->client.session, 1, "x"), STT_OK);
}

static void reach_draining(struct duo *d)
{
    duo_connect(d, STT_MODE_K);
    ck_assert_int_eq(stt_session_close(d->server.ep, d->now, d->server.session, 1, "x"), STT_OK);
    carry(d, &d->server);
}

static void reach_closed_not_pulled(struct duo *d)
{
    begin(d, STT_MODE_K);
    ck_assert_int_eq(stt_session_close(d->client.ep, d->now, d->client.session, 1, "x"), STT_OK);
}

static void reach_dead_not_pulled(struct duo *d)
{
    duo_connect(d, STT_MODE_K);
    d->now += STT_S(31);
    stt_endpoint_expire(d->client.ep, d->now);
}

static void reach_pulled(struct duo *d)
{
    reach_closed_not_pulled(d);
    duo_pull(&d->client);
}

static void reach_fork(struct duo *d)
{
    duo_connect(d, STT_MODE_K);
    test_env_fork(&d->client.te);
}

static void reach_fork_in_handshake(struct duo *d)
{
    reach_message_3_sent(d);
    test_env_fork(&d->client.te);
}

static void reach_fork_told(struct duo *d)
{
    reach_fork(d);
    stt_endpoint_expire(d->client.ep, d->now);
    duo_pull(&d->client);
}

enum { STALE = STT_E_STALE, STATE = STT_E_STATE, AGAIN = STT_E_AGAIN, FORKED = STT_E_FORKED };

static const struct state {
    void (*reach)(struct duo *d);
    const char *text; /* what info calls it; NULL: it has no name any more */
    int ping, update_keys, close, look;
    uint64_t closed; /* CLOSED has been pulled so often */
} states[] = {
    /* state                    name              ping    update  close   info, user     */
    {reach_nothing, NULL, STALE, STALE, STALE, STALE, 0},
    {reach_message_1_sent, "message 1 sent", STATE, STATE, STT_OK, STT_OK, 0},
    {reach_cookie_wait, "cookie wait", STATE, STATE, STT_OK, STT_OK, 0},
    {reach_message_3_sent, "message 3 sent", STATE, STATE, STT_OK, STT_OK, 0},
    {reach_identify, "identify", STATE, STATE, STT_OK, STT_OK, 0},
    {reach_unconfirmed, "open", STT_OK, AGAIN, STT_OK, STT_OK, 0},
    {reach_open, "open", STT_OK, STT_OK, STT_OK, STT_OK, 0},
    {reach_open_from_s, "open", STT_OK, STT_OK, STT_OK, STT_OK, 0},
    {reach_open_from_w, "open", STT_OK, STT_OK, STT_OK, STT_OK, 0},
    {reach_closing, "closing", STATE, STATE, STT_OK, STT_OK, 0},
    {reach_draining, "draining", STATE, STATE, STT_OK, STT_OK, 0},
    {reach_closed_not_pulled, "closed", STATE, STATE, STT_OK, STT_OK, 0},
    {reach_dead_not_pulled, "closed", STATE, STATE, STT_OK, STT_OK, 0},
    {reach_pulled, NULL, STALE, STALE, STALE, STALE, 1},
    {reach_fork, "open", FORKED, FORKED, FORKED, STT_OK, 0},
    {reach_fork_in_handshake, "message 3 sent", FORKED, FORKED, FORKED, STT_OK, 0},
    {reach_fork_told, NULL, STALE, STALE, STALE, STALE, 1},
};
enum { STATES = sizeof states / sizeof states[0] };

static int call_ping(struct duo *d)
{
    return stt_session_ping(d->client.ep, d->now, d->client.session);
}

static int call_update_keys(struct duo *d)
{
    return stt_session_update_keys(d->client.ep, d->now, d->client.session);
}

static int call_close(struct duo *d)
{
    return stt_session_close(d->client.ep, d->now, d->client.session, 7, "words");
}

static int call_info(struct duo *d)
{
    struct stt_session_info info;
    struct stt_session_stats stats;
    int error = stt_session_info(d->client.ep, d->client.session, &info);
    ck_assert_int_eq(stt_session_stats(d->client.ep, d->now, d->client.session, &stats), error);
    return error;
}

static int call_set_user(struct duo *d)
{
    int error = stt_session_set_user(d->client.ep, d->client.session, d);
    void *user = stt_session_user(d->client.ep, d->client.session);
    ck_assert_ptr_eq(user, error ? NULL : d);
    return error;
}

/* Verbs answer nothing; that nothing breaks is their answer. */
static void call_verbs(struct duo *d)
{
    static const uint8_t garbage[64] = {0x12, 0x34};
    struct stt_endpoint_stats stats;
    duo_deliver_bytes(d, &d->client, NULL, garbage, 0);
    duo_deliver_bytes(d, &d->client, NULL, garbage, sizeof garbage);
    stt_endpoint_expire(d->client.ep, 0);
    stt_endpoint_expire(d->client.ep, d->now);
    stt_endpoint_expire(d->client.ep, d->now);
    (void)stt_endpoint_deadline(d->client.ep);
    stt_endpoint_stats(d->client.ep, &stats);
}

enum { CALLS = 6 };

static int expected(const struct state *s, int call)
{
    const int table[CALLS] = {s->ping, s->update_keys, s->close, s->look, s->look, STT_OK};
    return table[call];
}

static int make_call(struct duo *d, int call)
{
    static int (*const table[CALLS - 1])(struct duo *) = {call_ping, call_update_keys, call_close,
                                                          call_info, call_set_user};
    if (call < CALLS - 1)
        return table[call](d);
    call_verbs(d);
    return STT_OK;
}

/* Whatever was called: the session ends, its host hears so exactly once, and nothing is left. */
static void require_one_end(struct duo *d, bool was_one)
{
    (void)stt_session_close(d->client.ep, d->now, d->client.session, 0, NULL);
    duo_run_for(d, STT_S(60));
    ck_assert_uint_eq(closed(&d->client), was_one);
    ck_assert_int_eq(call_info(d), STT_E_STALE);
    ck_assert_uint_eq(duo_stats(&d->client).sessions, 0);
    ck_assert_uint_eq(duo_stats(&d->server).sessions, 0);
    duo_end(d);
}

START_TEST(every_call_answers_in_every_state_as_it_is_documented_case_62)
{
    const struct state *s = &states[_i];
    for (int call = 0; call < CALLS; call++) {
        struct duo *d = begun();
        s->reach(d);
        struct stt_session_info info = duo_info(&d->client);
        ck_assert_str_eq(info.state, s->text ? s->text : "stale");
        ck_assert_uint_eq(closed(&d->client), s->closed);
        int answer = make_call(d, call);
        ck_assert_msg(answer == expected(s, call), "call %d in \"%s\": %s", call, info.state,
                      stt_error_text(answer));
        require_one_end(d, s->text || s->closed);
    }
}
END_TEST

START_TEST(any_two_calls_may_follow_one_another_in_any_state_case_62)
{
    for (int pair = 0; pair < CALLS * CALLS; pair++) {
        struct duo *d = begun();
        states[_i].reach(d);
        (void)make_call(d, pair / CALLS);
        duo_pull(&d->client);
        (void)make_call(d, pair % CALLS);
        require_one_end(d, states[_i].text || states[_i].closed);
    }
}
END_TEST

/* -- handles -------------------------------------------------------------------------------------
 */

START_TEST(a_handle_of_another_session_or_of_none_is_stale)
{
    struct duo *d = connected(STT_MODE_K);
    stt_handle real = d->client.session;
    for (int bit = 0; bit < 64; bit++) {
        d->client.session = real ^ UINT64_C(1) << bit;
        ck_assert_int_eq(call_ping(d), STT_E_STALE);
        ck_assert_int_eq(call_set_user(d), STT_E_STALE);
    }
    d->client.session = UINT64_MAX;
    ck_assert_int_eq(call_close(d), STT_E_STALE);
    duo_end(d);
}
END_TEST

START_TEST(no_handle_is_used_twice)
{
    enum { SESSIONS = 200 };
    static stt_handle used[SESSIONS];
    struct duo *d = begun();
    for (int i = 0; i < SESSIONS; i++) {
        begin(d, STT_MODE_K);
        used[i] = d->client.session;
        ck_assert_int_eq(call_close(d), STT_OK);
        duo_pull(&d->client);
        for (int j = 0; j <= i; j++) {
            d->client.session = used[j];
            ck_assert(j == i || used[j] != used[i]);
            ck_assert_int_eq(call_info(d), STT_E_STALE);
        }
    }
    duo_end(d);
}
END_TEST

START_TEST(a_half_open_session_has_no_handle_yet)
{
    struct duo *d = begun();
    begin(d, STT_MODE_K);
    carry(d, &d->client);
    struct stt_session *s = STT_LIST_ENTRY(d->server.ep->all.next, struct stt_session, all);
    d->server.session = stt_endpoint_handle(d->server.ep, s);
    ck_assert_str_eq(duo_info(&d->server).state, "stale");
    ck_assert_int_eq(stt_session_close(d->server.ep, d->now, d->server.session, 0, NULL),
                     STT_E_STALE);
    duo_exchange(d);
    ck_assert_str_eq(duo_info(&d->server).state, "open");
    duo_end(d);
}
END_TEST

/* -- what the host is told ------------------------------------------------------------------------
 */

START_TEST(words_of_the_peer_are_shortened_and_made_harmless)
{
    char words[600], shown[STT_REASON_TEXT_MAX + 1];
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = (char)(1 + i % 255);
    words[sizeof words - 1] = 0;
    for (size_t i = 0; i < STT_REASON_TEXT_MAX; i++)
        shown[i] = words[i] >= 0x20 && words[i] < 0x7f ? words[i] : '.';
    shown[STT_REASON_TEXT_MAX] = 0;
    struct duo *d = connected(STT_MODE_K);
    ck_assert_int_eq(stt_session_close(d->client.ep, d->now, d->client.session, 42, words), STT_OK);
    duo_exchange(d);
    const struct stt_event *e = &d->server.latest[STT_EVENT_CLOSED];
    ck_assert_int_eq(e->reason, STT_REASON_PEER_CLOSE);
    ck_assert_uint_eq(e->code, 42);
    ck_assert_str_eq(e->text, shown);
    duo_end(d);
}
END_TEST

START_TEST(what_the_host_hung_on_a_session_comes_back_with_its_end)
{
    struct duo *d = connected(STT_MODE_K);
    int mine;
    ck_assert_int_eq(stt_session_set_user(d->server.ep, d->server.session, &mine), STT_OK);
    ck_assert_ptr_eq(stt_session_user(d->server.ep, d->server.session), &mine);
    ck_assert_int_eq(call_close(d), STT_OK);
    duo_exchange(d);
    ck_assert_ptr_eq(d->server.latest[STT_EVENT_CLOSED].user, &mine);
    ck_assert_ptr_null(stt_session_user(d->server.ep, d->server.session));
    duo_end(d);
}
END_TEST

START_TEST(a_close_code_is_what_a_varint_can_hold)
{
    const uint64_t most = (UINT64_C(1) << 62) - 1;
    struct duo *d = connected(STT_MODE_K);
    stt_handle session = d->client.session;
    ck_assert_int_eq(stt_session_close(d->client.ep, d->now, session, most + 1, "too large"),
                     STT_E_ARGUMENT);
    ck_assert_str_eq(duo_info(&d->client).state, "open");
    ck_assert_int_eq(stt_session_close(d->client.ep, d->now, session, most, "large"), STT_OK);
    duo_exchange(d);
    ck_assert_uint_eq(d->server.latest[STT_EVENT_CLOSED].code, most);
    duo_end(d);
}
END_TEST

/* -- time ----------------------------------------------------------------------------------------
 */

static void require_quiet(struct duo *d, struct duo_side *side)
{
    uint8_t room[DUO_ROOM];
    struct stt_train train;
    struct stt_event event;
    ck_assert(!duo_transmit(d, side, room, &train));
    ck_assert(!stt_endpoint_event(side->ep, &event));
}

START_TEST(expire_is_early_or_twice_without_harm)
{
    struct duo *d = connected(STT_MODE_S);
    for (int i = 0; i < 20; i++) {
        stt_ns at = stt_endpoint_deadline(d->client.ep);
        ck_assert_uint_gt(at, d->now);
        stt_endpoint_expire(d->client.ep, d->now);
        stt_endpoint_expire(d->client.ep, at - 1);
        require_quiet(d, &d->client);
        ck_assert_uint_eq(stt_endpoint_deadline(d->client.ep), at);
        d->now = at;
        stt_endpoint_expire(d->client.ep, d->now);
        stt_endpoint_expire(d->client.ep, d->now);
        stt_endpoint_expire(d->server.ep, d->now);
        ck_assert_uint_gt(stt_endpoint_deadline(d->client.ep), d->now);
        duo_exchange(d);
    }
    ck_assert_str_eq(duo_info(&d->client).state, "open");
    duo_end(d);
}
END_TEST

START_TEST(an_endpoint_without_sessions_waits_for_nothing)
{
    struct duo *d = begun();
    ck_assert_uint_eq(stt_endpoint_deadline(d->client.ep), STT_NEVER);
    duo_connect(d, STT_MODE_K);
    ck_assert_int_eq(call_close(d), STT_OK);
    duo_run_for(d, STT_S(5));
    ck_assert_uint_eq(stt_endpoint_deadline(d->client.ep), STT_NEVER);
    ck_assert_uint_eq(stt_endpoint_deadline(d->server.ep), STT_NEVER);
    duo_end(d);
}
END_TEST

START_TEST(a_host_that_comes_an_hour_late_is_told_so_at_once_case_39)
{
    struct duo *d = connected(STT_MODE_K);
    d->now += STT_S(3600);
    stt_endpoint_expire(d->client.ep, d->now);
    duo_pull(&d->client);
    ck_assert_uint_eq(closed(&d->client), 1);
    ck_assert_int_eq(d->client.latest[STT_EVENT_CLOSED].reason, STT_REASON_IDLE);
    duo_connect(d, STT_MODE_K);
    duo_end(d);
}
END_TEST

/* -- transmit and carriers ------------------------------------------------------------------------
 */

START_TEST(what_finds_no_room_is_not_lost)
{
    struct duo *d = begun();
    uint8_t room[STT_TRAIN_BYTES];
    begin(d, STT_MODE_K);
    for (size_t len = 0; len < 1200; len += 109) {
        struct stt_train train = {.data = room, .len = len};
        ck_assert(!stt_endpoint_transmit(d->client.ep, d->now, &train));
    }
    struct stt_train train = {.data = room, .len = 1200};
    ck_assert(stt_endpoint_transmit(d->client.ep, d->now, &train));
    ck_assert_uint_eq(train.len, 1200);
    duo_end(d);
}
END_TEST

START_TEST(what_a_carrier_does_not_take_waits_for_it)
{
    struct stt_carrier c = {.writable = false, .max_datagram_bytes = 65507};
    struct duo *d = connected(STT_MODE_K);
    ck_assert_int_eq(stt_endpoint_carrier(d->client.ep, d->now, 0, &c), STT_OK);
    ck_assert_int_eq(call_ping(d), STT_OK);
    require_quiet(d, &d->client);
    c.writable = true;
    ck_assert_int_eq(stt_endpoint_carrier(d->client.ep, d->now, 0, &c), STT_OK);
    ck_assert(duo_carry(d, &d->client));
    duo_end(d);
}
END_TEST

START_TEST(a_carrier_that_cannot_be_is_refused)
{
    struct duo *d = begun();
    struct stt_carrier c = {.writable = true, .max_datagram_bytes = 1200};
    ck_assert_int_eq(stt_endpoint_carrier(d->client.ep, d->now, STT_CARRIERS_MAX, &c),
                     STT_E_ARGUMENT);
    ck_assert_int_eq(stt_endpoint_carrier(d->client.ep, d->now, UINT32_MAX, &c), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_endpoint_carrier(d->client.ep, d->now, STT_CARRIERS_MAX - 1, &c), STT_OK);
    c.max_datagram_bytes = 1199;
    ck_assert_int_eq(stt_endpoint_carrier(d->client.ep, d->now, 1, &c), STT_E_ARGUMENT);
    duo_end(d);
}
END_TEST

START_TEST(trains_of_strange_shapes_are_taken_apart)
{
    uint8_t data[3000] = {0};
    struct duo *d = connected(STT_MODE_K);
    for (size_t len = 0; len <= sizeof data; len += 250)
        for (size_t segment = 0; segment < 3500; segment += segment < 70 ? 1 : 331) {
            struct stt_train train = {.data = data, .len = len, .segment_bytes = segment};
            uint64_t before = duo_stats(&d->server).datagrams_received;
            size_t each = segment == 0 || segment > len ? len : segment;
            duo_deliver(d, &d->server, NULL, &train);
            ck_assert_uint_eq(duo_stats(&d->server).datagrams_received - before,
                              len ? (len + each - 1) / each : 1);
        }
    ck_assert_str_eq(duo_info(&d->server).state, "open");
    duo_end(d);
}
END_TEST

/* -- making endpoints -----------------------------------------------------------------------------
 */

START_TEST(an_endpoint_that_cannot_be_made_leaves_nothing_behind)
{
    for (uint64_t n = 1;; n++) {
        duo_init(&duo, 1);
        duo.client.te.fail_at = n;
        int error = duo_side_start(&duo, &duo.client);
        ck_assert_int_eq(error, duo.client.te.failed ? STT_E_MEMORY : STT_OK);
        ck_assert((duo.client.ep == NULL) == (error != STT_OK));
        duo_end(&duo);
        if (error == STT_OK)
            break;
    }
    for (uint64_t n = 1;; n++) {
        duo_init(&duo, 1);
        duo.client.te.entropy_fail_at = n;
        int error = duo_side_start(&duo, &duo.client);
        ck_assert_int_eq(error, duo.client.te.draws >= n ? STT_E_IO : STT_OK);
        duo_end(&duo);
        if (error == STT_OK)
            break;
    }
    duo_init(&duo, 1);
    duo.client.config.workers = 0;
    ck_assert_int_eq(duo_side_start(&duo, &duo.client), STT_E_ARGUMENT);
    duo_end(&duo);
}
END_TEST

START_TEST(a_suite_that_this_processor_cannot_run_is_refused)
{
    struct stt_aead_suite other = *stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0);
    other.needs = 1u << 31;
    duo_init(&duo, 1);
    duo.client.config.suites[0] = &other;
    duo.client.config.n_suites = 1;
    ck_assert_int_eq(duo_side_start(&duo, &duo.client), STT_E_UNSUPPORTED);
    duo_end(&duo);
}
END_TEST

/* -- connecting -----------------------------------------------------------------------------------
 */

static struct stt_connect good(enum stt_mode mode)
{
    struct stt_connect c = STT_CONNECT_INIT;
    c.mode = mode;
    c.path.remote = duo.server.address;
    c.peer = duo.server.config.identity.peer_id;
    c.has_peer = mode == STT_MODE_K;
    c.has_seed = mode == STT_MODE_S;
    c.seed[0] = 1;
    c.code = mode == STT_MODE_W ? "1-aaaa-aaaa" : NULL;
    return c;
}

#define MISTAKES(X)                                                                                \
    X(K, STT_OK, (void)c)                                                                          \
    X(S, STT_OK, (void)c)                                                                          \
    X(W, STT_E_FORMAT, c->code = "certainly not a code")                                           \
    X(W, STT_E_FORMAT, c->code = "")                                                               \
    X(K, STT_E_ARGUMENT, c->size--)                                                                \
    X(K, STT_E_ARGUMENT, c->size = 0)                                                              \
    X(K, STT_E_ARGUMENT, c->path.remote.port = 0)                                                  \
    X(K, STT_E_ARGUMENT, c->path.carrier = STT_CARRIERS_MAX)                                       \
    X(K, STT_E_ARGUMENT, c->has_peer = false)                                                      \
    X(K, STT_E_CRYPTO, memset(&c->peer, 0xff, sizeof c->peer))                                     \
    X(K, STT_E_CRYPTO, memset(&c->peer, 0, sizeof c->peer))                                        \
    X(K, STT_E_CRYPTO, c->peer = duo.client.config.identity.peer_id)                               \
    X(K, STT_E_ARGUMENT, c->has_seed = true; memset(c->seed, 0, 32))                               \
    X(S, STT_E_ARGUMENT, c->has_seed = false)                                                      \
    X(S, STT_E_ARGUMENT, memset(c->seed, 0, 32))                                                   \
    X(W, STT_E_ARGUMENT, c->code = NULL)                                                           \
    X(W, STT_E_ARGUMENT, c->stretched = c->seed)                                                   \
    X(Q, STT_E_ARGUMENT, (void)c)                                                                  \
    X(K, STT_E_ARGUMENT, c->mode = (enum stt_mode)0)                                               \
    X(K, STT_E_ARGUMENT, c->mode = (enum stt_mode)99)

START_TEST(a_connect_that_cannot_be_is_refused_and_leaves_nothing)
{
    struct duo *d = begun();
    size_t bytes = 0;
#define X(mode_, error_, ...)                                                                      \
    {                                                                                              \
        struct stt_connect call = good(STT_MODE_##mode_), *c = &call;                              \
        stt_handle handle = 99;                                                                    \
        __VA_ARGS__;                                                                               \
        int error = stt_endpoint_connect(d->client.ep, d->now, c, &handle);                        \
        ck_assert_msg(error == (error_), "%s: %s", #__VA_ARGS__, stt_error_text(error));           \
        ck_assert((handle == 99) == (error != STT_OK));                                            \
        if (error != STT_OK)                                                                       \
            ck_assert_uint_eq(d->client.te.bytes_in_use, bytes);                                   \
        bytes = d->client.te.bytes_in_use;                                                         \
    }
    MISTAKES(X)
#undef X
    ck_assert_uint_eq(duo_stats(&d->client).sessions, 2);
    duo_end(d);
}
END_TEST

START_TEST(an_endpoint_takes_no_more_sessions_than_it_was_told)
{
    duo_init(&duo, 1);
    duo.client.config.max_sessions = duo.server.config.max_sessions = 3;
    duo_start(&duo);
    for (int i = 0; i < 3; i++)
        duo_connect(&duo, STT_MODE_K);
    ck_assert_int_eq(duo_begin(&duo, STT_MODE_K), STT_E_LIMIT);
    /* The server's answer to one more is silence. */
    struct duo_side *client = &duo.client;
    client->ep->config.max_sessions = 4;
    ck_assert_int_eq(duo_begin(&duo, STT_MODE_K), STT_OK);
    duo_run_for(&duo, STT_S(11));
    ck_assert_int_eq(client->latest[STT_EVENT_CLOSED].reason, STT_REASON_NO_ANSWER);
    ck_assert_uint_eq(duo_stats(&duo.server).sessions, 3);
    ck_assert_uint_gt(duo_stats(&duo.server).dropped_half_open_full, 0);
    duo_end(&duo);
}
END_TEST

/* -- lists and codes ------------------------------------------------------------------------------
 */

START_TEST(allow_lists_answer_for_what_they_hold)
{
    struct duo *d = begun();
    struct stt_peer_id peer = d->client.config.identity.peer_id, nobody;
    memset(&nobody, 0, sizeof nobody);
    ck_assert_int_eq(stt_endpoint_allow(d->server.ep, &nobody), STT_E_CRYPTO);
    ck_assert_int_eq(stt_endpoint_disallow(d->server.ep, &nobody), STT_E_CRYPTO);
    ck_assert_int_eq(stt_endpoint_disallow(d->server.ep, &peer), STT_E_NOT_FOUND);
    ck_assert_int_eq(stt_endpoint_allow(d->server.ep, &peer), STT_OK);
    ck_assert_int_eq(stt_endpoint_allow(d->server.ep, &peer), STT_OK);
    ck_assert_int_eq(stt_endpoint_disallow(d->server.ep, &peer), STT_OK);
    ck_assert_int_eq(stt_endpoint_disallow(d->server.ep, &peer), STT_E_NOT_FOUND);
    duo_end(d);
}
END_TEST

START_TEST(codes_are_armed_until_there_is_no_place_for_more)
{
    char text[STT_CODE_TEXT_MAX];
    uint8_t stretched[32] = {1};
    uint32_t slot, slots[64], n = 0;
    struct duo *d = begun();
    for (int error; (error = stt_endpoint_code_new(d->server.ep, d->now, text, &slot)) == STT_OK;)
        slots[n++] = slot;
    ck_assert_uint_eq(n, STT_CODES_MAX);
    ck_assert_int_eq(stt_endpoint_code_new(d->server.ep, d->now, text, &slot), STT_E_LIMIT);
    ck_assert_int_eq(stt_endpoint_passphrase(d->server.ep, d->now, stretched), STT_E_LIMIT);
    ck_assert_int_eq(stt_endpoint_code_end(d->server.ep, slots[0]), STT_OK);
    ck_assert_int_eq(stt_endpoint_code_end(d->server.ep, slots[0]), STT_E_NOT_FOUND);
    ck_assert_int_eq(stt_endpoint_passphrase(d->server.ep, d->now, stretched), STT_OK);
    ck_assert_int_eq(stt_endpoint_passphrase(d->server.ep, d->now, stretched), STT_E_EXISTS);
    ck_assert_uint_eq(stt_endpoint_deadline(d->server.ep), d->now + STT_S(600));
    d->now += STT_S(600);
    stt_endpoint_expire(d->server.ep, d->now);
    duo_pull(&d->server);
    ck_assert_uint_eq(d->server.events[STT_EVENT_CODE_ENDED], STT_CODES_MAX - 1);
    ck_assert_int_eq(d->server.latest[STT_EVENT_CODE_ENDED].reason, STT_REASON_CODE_EXPIRED);
    ck_assert_int_eq(stt_endpoint_code_end(d->server.ep, 0), STT_OK); /* the passphrase lived on */
    duo_end(d);
}
END_TEST

START_TEST(a_passphrase_is_8_to_256_bytes_of_utf_8)
{
    uint8_t out[32];
    ck_assert_int_eq(stt_passphrase_stretch("seven b", out), STT_E_FORMAT);
    ck_assert_int_eq(stt_passphrase_stretch("", out), STT_E_FORMAT);
    ck_assert_int_eq(stt_passphrase_stretch("not \xff\xfe utf-8", out), STT_E_FORMAT);
    char text[258];
    memset(text, 'x', sizeof text - 1);
    text[257] = 0;
    ck_assert_int_eq(stt_passphrase_stretch(text, out), STT_E_FORMAT);
}
END_TEST

/* -- forks ----------------------------------------------------------------------------------------
 */

START_TEST(a_forked_child_says_nothing_and_every_session_ends_for_it_case_60)
{
    char text[STT_CODE_TEXT_MAX];
    uint8_t stretched[32] = {1};
    uint32_t slot;
    stt_handle handle = 0;
    struct duo *d = connected(STT_MODE_K);
    struct duo_side *c = &d->client;
    duo_connect(d, STT_MODE_S);
    begin(d, STT_MODE_K);
    ck_assert_int_eq(stt_endpoint_code_new(c->ep, d->now, text, &slot), STT_OK);
    struct stt_connect call = good(STT_MODE_K);
    test_env_fork(&c->te);
    ck_assert_int_eq(stt_endpoint_connect(c->ep, d->now, &call, &handle), STT_E_FORKED);
    ck_assert_int_eq(stt_endpoint_code_new(c->ep, d->now, text, &slot), STT_E_FORKED);
    ck_assert_int_eq(stt_endpoint_passphrase(c->ep, d->now, stretched), STT_E_FORKED);
    ck_assert_int_eq(call_ping(d), STT_E_FORKED);
    ck_assert_uint_eq(stt_endpoint_deadline(c->ep), STT_NEVER);
    duo_pull(c);
    ck_assert_uint_eq(closed(c), 3);
    ck_assert_int_eq(c->latest[STT_EVENT_CLOSED].reason, STT_REASON_FORKED);
    for (int i = 0; i < 10; i++) {
        call_verbs(d);
        require_quiet(d, c);
    }
    duo_end(d);
}
END_TEST

START_TEST(a_child_that_forked_with_packets_to_send_does_not_send_them_case_60)
{
    uint8_t room[DUO_ROOM];
    struct stt_train train;
    struct duo *d = connected(STT_MODE_K);
    ck_assert_int_eq(call_ping(d), STT_OK);
    test_env_fork(&d->client.te);
    ck_assert(!duo_transmit(d, &d->client, room, &train));
    duo_end(d);

    d = begun();
    begin(d, STT_MODE_K);
    carry(d, &d->client); /* the server is half open, its answer waits */
    test_env_fork(&d->server.te);
    ck_assert(!duo_transmit(d, &d->server, room, &train));
    duo_end(d);
}
END_TEST

/* -- session ids ----------------------------------------------------------------------------------
 */

static void require_own_ids(const struct duo_side *side)
{
    uint32_t cursor = 0, n = 0;
    const struct stt_config *c = &side->ep->config;
    for (struct stt_map_entry e; stt_map_next(&side->ep->by_id, &cursor, &e); n++) {
        const uint8_t *id = e.key;
        ck_assert_uint_eq(stt_id_worker(stt_id_of(id), &side->ep->id_hash_key, c->workers),
                          c->worker);
        if (c->balanced)
            ck_assert_uint_eq(stt_id_index(id, c->balancer_key), c->balancer_index);
    }
    ck_assert_uint_gt(n, 0);
}

START_TEST(every_id_steers_to_its_worker_and_machine)
{
    enum { SESSIONS = 40, IDS = STT_IDS_DEFAULT };
    duo_init(&duo, 1 + (uint64_t)_i);
    duo.server.config.workers = 4;
    duo.server.config.worker = (uint32_t)_i % 4;
    duo.server.config.balanced = _i >= 4;
    duo.server.config.balancer_index = (uint16_t)(0xfff0 + _i);
    memset(duo.server.config.balancer_key, 0x35, sizeof duo.server.config.balancer_key);
    memset(duo.server.config.id_hash_key, 0x53, sizeof duo.server.config.id_hash_key);
    duo.client.config.workers = 256;
    duo.client.config.worker = 200;
    duo_start(&duo);
    for (int i = 0; i < SESSIONS; i++)
        duo_connect(&duo, i % 2 ? STT_MODE_K : STT_MODE_S);
    ck_assert_uint_eq(duo.server.ep->by_id.n, SESSIONS * IDS); /* with those of NEW_ID */
    ck_assert_uint_eq(duo.client.ep->by_id.n, SESSIONS * IDS);
    require_own_ids(&duo.server);
    require_own_ids(&duo.client);
    duo_end(&duo);
}
END_TEST

/* -- counting -------------------------------------------------------------------------------------
 */

START_TEST(counters_agree_on_both_sides)
{
    struct duo *d = connected(STT_MODE_K);
    duo_run_for(d, STT_S(100));
    struct stt_endpoint_stats c = duo_stats(&d->client), s = duo_stats(&d->server);
    ck_assert_uint_eq(c.datagrams_sent, s.datagrams_received);
    ck_assert_uint_eq(s.datagrams_sent, c.datagrams_received);
    ck_assert_uint_eq(c.bytes_sent, s.bytes_received);
    ck_assert_uint_eq(s.bytes_sent, c.bytes_received);
    ck_assert_uint_eq(c.handshakes_started, 1);
    ck_assert_uint_eq(s.handshakes_answered, 1);
    ck_assert_uint_eq(c.handshakes_confirmed + s.handshakes_confirmed, 2);
    ck_assert_uint_eq(c.sessions + s.sessions, 2);
    ck_assert_uint_eq(c.pending + s.pending + c.half_open + s.half_open, 0);
#define X(name) ck_assert_uint_eq(c.dropped_##name + s.dropped_##name, 0);
    STT_DROPS(X)
#undef X
    struct stt_session_info a = duo_info(&d->client), b = duo_info(&d->server);
    ck_assert_uint_eq(a.packets_sent, b.packets_received);
    ck_assert_uint_eq(b.bytes_sent, a.bytes_received);
    ck_assert(a.initiator && !b.initiator && a.confirmed && b.confirmed);
    ck_assert_str_eq(a.suite, b.suite);
    ck_assert_mem_eq(&a.peer, &d->server.config.identity.peer_id, 32);
    ck_assert_mem_eq(&b.peer, &d->client.config.identity.peer_id, 32);
    duo_end(d);
}
END_TEST

SUITE("endpoint", LOOP(every_call_answers_in_every_state_as_it_is_documented_case_62, 0, STATES),
      LOOP(any_two_calls_may_follow_one_another_in_any_state_case_62, 0, STATES),
      TEST(a_handle_of_another_session_or_of_none_is_stale), TEST(no_handle_is_used_twice),
      TEST(a_half_open_session_has_no_handle_yet),
      TEST(words_of_the_peer_are_shortened_and_made_harmless),
      TEST(what_the_host_hung_on_a_session_comes_back_with_its_end),
      TEST(a_close_code_is_what_a_varint_can_hold), TEST(expire_is_early_or_twice_without_harm),
      TEST(an_endpoint_without_sessions_waits_for_nothing),
      TEST(a_host_that_comes_an_hour_late_is_told_so_at_once_case_39),
      TEST(what_finds_no_room_is_not_lost), TEST(what_a_carrier_does_not_take_waits_for_it),
      TEST(a_carrier_that_cannot_be_is_refused), TEST(trains_of_strange_shapes_are_taken_apart),
      TEST(an_endpoint_that_cannot_be_made_leaves_nothing_behind),
      TEST(a_suite_that_this_processor_cannot_run_is_refused),
      TEST(a_connect_that_cannot_be_is_refused_and_leaves_nothing),
      TEST(an_endpoint_takes_no_more_sessions_than_it_was_told),
      TEST(allow_lists_answer_for_what_they_hold),
      TEST(codes_are_armed_until_there_is_no_place_for_more),
      TEST(a_passphrase_is_8_to_256_bytes_of_utf_8),
      TEST(a_forked_child_says_nothing_and_every_session_ends_for_it_case_60),
      TEST(a_child_that_forked_with_packets_to_send_does_not_send_them_case_60),
      LOOP(every_id_steers_to_its_worker_and_machine, 0, 8), TEST(counters_agree_on_both_sides))
