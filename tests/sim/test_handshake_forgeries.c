/* SPDX-License-Identifier: MIT
 * What others make of a handshake: forged answers, bad points, edited offers, cookies of somebody
 * else, and thousands of beginnings. */
#include <string.h>

#include "tests/support/stranger.h"
#include "tests/support/suite.h"
#include "tests/support/ways.h"

static struct stt_endpoint_stats stats_of(struct world *w, const struct world_side *side)
{
    struct stt_endpoint_stats stats;
    stt_endpoint_stats(world_endpoint(w, side), &stats);
    return stats;
}

/* What makes mac1 of somebody else's handshake with the server. */
struct forger {
    struct stt_sim *sim;
    enum stt_mode mode;
    const uint8_t *seed;
    uint8_t server_key[32];
    struct rng rng;
    bool has_forged;
};

static struct forger forger(const struct world *w, const struct way *way)
{
    struct forger f = {.sim = w->sim, .mode = way->mode, .rng = rng_init(w->seed)};
    if (way->has_seed || way->mode == STT_MODE_S)
        f.seed = w->server_config.seeds[0];
    memcpy(f.server_key, w->server->identity.static_public, sizeof f.server_key);
    return f;
}

static struct stt_mac_base mac_base(const struct forger *f)
{
    return (struct stt_mac_base){
        .version = STT_WIRE_VERSION,
        .mode = (uint8_t)f->mode,
        .seed = f->seed,
        .material = f->mode == STT_MODE_K ? BYTES(f->server_key) : BYTES_NONE,
    };
}

static void put_mac1(const struct forger *f, enum stt_packet_kind kind, uint8_t *data, size_t len)
{
    uint8_t key[STT_MAC_KEY_BYTES];
    struct stt_mac_base base = mac_base(f);
    struct bytes before = stt_packet_before_mac1(kind, bytes_of(data, len));
    stt_mac1_key(key, &base, (uint8_t)kind);
    stt_mac(data + before.len, key, before);
}

static enum stt_packet_kind kind_of(const struct stt_sim_datagram *d)
{
    return stt_packet_classify(bytes_of(d->data, d->len));
}

/* -- 2: forged message 2 -------------------------------------------------------------------------
 */

static void inject_copy(const struct forger *f, const struct stt_sim_datagram *d, size_t byte,
                        bool fits_mac1)
{
    uint8_t data[STT_HANDSHAKE_BYTES];
    struct stt_sim_datagram forged = *d;
    memcpy(data, d->data, d->len);
    data[byte] ^= (uint8_t)(1u << byte % 8);
    if (fits_mac1)
        put_mac1(f, STT_PACKET_MESSAGE_2, data, d->len);
    forged.data = data;
    forged.room = sizeof data;
    forged.delay_ns = 0;
    stt_sim_inject(f->sim, &forged);
}

/* Every byte of the first message 2 damaged in a copy that comes before it. In W a copy that opens
 * as a Noise message, which says nothing of the clear bytes, would spend the attempt. */
static bool race_message_2(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct forger *f = ctx;
    (void)now;
    if (f->has_forged || kind_of(d) != STT_PACKET_MESSAGE_2)
        return true;
    f->has_forged = true;
    size_t first = f->mode == STT_MODE_W ? STT_CLEAR_BYTES_2 : 0;
    for (size_t byte = 0; byte < d->len; byte++) {
        inject_copy(f, d, byte, false);
        if (byte >= first && byte + STT_MAC_BYTES < d->len)
            inject_copy(f, d, byte, true);
    }
    return true;
}

START_TEST(a_forged_message_2_that_comes_first_changes_nothing_case_02)
{
    static const stt_ns done_ms[] = {0, 60, 80, 140};
    const struct way *way = &ways[_i];
    struct world w = world_pair(.one_way_ms = 20);
    struct forger f = forger(&w, way);
    stt_sim_tap(w.sim, w.links.back, race_message_2, &f);
    way_begin(&w, way);
    world_require(&w, world_run_until(&w, both_connected, STT_MS(done_ms[way->mode])));
    world_require(&w, stats_of(&w, w.client).dropped_bad_handshake > 200);
    world_run_for(&w, STT_S(1));
    ways_require_one_session(&w);
    world_end(&w);
}
END_TEST

/* W: whoever answers first without the code. */
struct impostor {
    struct stranger stranger;
    unsigned answers;
    struct tap_copy message_3[2]; /* the first, and the last */
    unsigned n_message_3;
};

static void answer_as_server(struct impostor *i, const struct stt_sim_datagram *d)
{
    struct handshake_play *play = &i->stranger.play;
    rng_fill(&i->stranger.rng, (uint8_t *)&play->responder.entropy, sizeof play->responder.entropy);
    rng_fill(&i->stranger.rng, play->responder.id.bytes, sizeof play->responder.id.bytes);
    ck_assert_int_eq(handshake_answer(play, bytes_of(d->data, d->len)), STT_HANDSHAKE_OK);
    struct bytes answer = handshake_packet(&play->responder);
    struct tap_copy sent = {.from = d->to, .to = d->from, .len = answer.len};
    memcpy(sent.data, answer.data, answer.len);
    tap_inject(&sent, i->stranger.sim);
    i->answers++;
}

static bool answer_first(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct impostor *i = ctx;
    (void)now;
    if (kind_of(d) == STT_PACKET_MESSAGE_1 && i->answers < 3)
        while (i->answers < 3)
            answer_as_server(i, d);
    if (kind_of(d) == STT_PACKET_MESSAGE_3) {
        struct tap_copy *copy = &i->message_3[i->n_message_3++ > 0];
        copy->len = d->len;
        memcpy(copy->data, d->data, d->len);
    }
    return true;
}

START_TEST(of_all_who_answer_without_the_code_one_gets_one_guess_case_02)
{
    static struct impostor i;
    struct world w = world_pair(.one_way_ms = 20);
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    stranger_join(&i.stranger, &w, STT_MODE_W, 100);
    stranger_hear_code(&i.stranger, w.code);
    i.stranger.play.responder.code = i.stranger.play.initiator.code;
    i.stranger.play.responder.code.prs[0] ^= 1;
    stt_sim_tap(w.sim, w.links.forth, answer_first, &i);
    world_begin(&w, w.client, &call);
    world_run_for(&w, STT_S(15));
    world_require(&w, w.client->last.reason == STT_REASON_NO_ANSWER);
    world_require(&w, w.client->events[STT_EVENT_CONNECTED] == 0);
    world_require(&w, i.answers == 3 && i.n_message_3 > 10);
    world_require(&w, memcmp(i.message_3[0].data, i.message_3[1].data, i.message_3[0].len) == 0);
    world_require(&w, w.server->events[STT_EVENT_CODE_WRONG] == 0);
    world_end(&w);
}
END_TEST

/* -- 5: points of low order ----------------------------------------------------------------------
 */

static const uint8_t low_points[][32] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
     0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
     0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
     0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
     0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};
enum { LOW_POINTS = sizeof low_points / sizeof low_points[0], NOISE_AT_1 = 12, NOISE_AT_2 = 20 };

static void send_proven(struct world *w, struct stranger *s)
{
    stranger_put_mac1(s);
    stranger_send(s);
    world_run_for(w, STT_MS(20));
    if (s->play.mode != STT_MODE_W)
        return;
    ck_assert(stranger_take_cookie(s));
    stranger_put_mac2(s);
    stranger_send(s);
    world_run_for(w, STT_MS(20));
}

START_TEST(a_message_1_with_a_point_of_low_order_is_met_with_silence_case_05)
{
    static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};
    struct world w = world_pair(.one_way_ms = 20);
    struct stt_connect call = world_call(&w, w.server, modes[_i]);
    static struct stranger s;
    stranger_join(&s, &w, modes[_i], 100);
    if (modes[_i] == STT_MODE_W)
        stranger_hear_code(&s, w.code);
    for (size_t i = 0; i < LOW_POINTS; i++) {
        stranger_begin(&s);
        memcpy(s.play.initiator.hs.packet + NOISE_AT_1, low_points[i], 32);
        send_proven(&w, &s);
    }
    struct stt_endpoint_stats stats = stats_of(&w, w.server);
    world_require(&w, stats.dropped_bad_handshake == LOW_POINTS);
    world_require(&w, stats.handshakes_answered == 0 && stats.half_open == 0);
    world_require(&w, s.heard.seen[STT_PACKET_MESSAGE_2] == 0);
    world_begin(&w, w.client, &call); /* nothing of it has stayed, and no attempt at the code */
    world_require(&w, world_run_until(&w, both_connected, STT_S(1)));
    world_end(&w);
}
END_TEST

START_TEST(a_static_key_of_low_order_is_met_with_silence_case_05)
{
    struct world w = world_pair(.one_way_ms = 20);
    static struct stranger s;
    stranger_join(&s, &w, STT_MODE_K, 100);
    for (size_t i = 0; i < LOW_POINTS; i++) {
        memcpy(s.play.initiator.own.pair.public_key, low_points[i], 32);
        stranger_begin(&s);
        send_proven(&w, &s);
    }
    struct stt_endpoint_stats stats = stats_of(&w, w.server);
    world_require(&w, stats.dropped_bad_handshake == LOW_POINTS);
    world_require(&w, stats.datagrams_sent == 0 && stats.sessions == 0);
    world_end(&w);
}
END_TEST

/* S: the static key comes in message 3. */
START_TEST(a_message_3_with_a_static_key_of_low_order_is_met_with_silence_case_05)
{
    struct world w = world_pair(.one_way_ms = 20);
    static struct stranger s;
    stranger_join(&s, &w, STT_MODE_S, 100);
    memcpy(s.play.initiator.own.pair.public_key, low_points[_i], 32);
    stranger_begin(&s);
    stranger_send(&s);
    world_run_for(&w, STT_MS(20));
    const struct tap_copy *m2 = &s.heard.kept[STT_PACKET_MESSAGE_2];
    ck_assert_int_eq(handshake_read_2(&s.play, bytes_of(m2->data, m2->len)), STT_HANDSHAKE_OK);
    stranger_send(&s);
    world_run_for(&w, STT_MS(20));
    struct stt_endpoint_stats stats = stats_of(&w, w.server);
    world_require(&w, stats.dropped_bad_handshake == 1 && stats.half_open == 1);
    world_require(&w, stats.datagrams_sent == 1 && stats.handshakes_confirmed == 0);
    world_end(&w);
}
END_TEST

static bool lower_message_2(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct forger *f = ctx;
    (void)now;
    if (f->has_forged || kind_of(d) != STT_PACKET_MESSAGE_2)
        return true;
    f->has_forged = true;
    uint8_t data[STT_HANDSHAKE_BYTES];
    struct stt_sim_datagram forged = *d;
    memcpy(data, d->data, d->len);
    forged.data = data;
    forged.room = sizeof data;
    for (size_t i = 0; i < LOW_POINTS; i++) {
        memcpy(data + NOISE_AT_2, low_points[i], 32);
        put_mac1(f, STT_PACKET_MESSAGE_2, data, d->len);
        stt_sim_inject(f->sim, &forged);
    }
    return true;
}

START_TEST(a_message_2_with_a_point_of_low_order_changes_nothing_case_05)
{
    struct world w = world_pair(.one_way_ms = 20);
    struct forger f = forger(&w, &ways[_i]);
    stt_sim_tap(w.sim, w.links.back, lower_message_2, &f);
    way_begin(&w, &ways[_i]);
    world_require(&w, world_run_until(&w, both_connected, STT_MS(200)));
    world_require(&w, stats_of(&w, w.client).dropped_bad_handshake == LOW_POINTS);
    world_end(&w);
}
END_TEST

/* -- 9: edited on the way ------------------------------------------------------------------------
 */

struct editor {
    enum stt_packet_kind kind;
    size_t byte;
    uint8_t flip;
    struct forger forger;
    bool fits_mac1;
};

static bool edit_byte(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    const struct editor *e = ctx;
    (void)now;
    enum stt_packet_kind kind = kind_of(d);
    if (kind != e->kind)
        return true;
    d->data[e->byte] ^= e->flip;
    if (e->fits_mac1)
        put_mac1(&e->forger, kind, d->data, d->len);
    return true;
}

static void require_failure(struct world *w)
{
    world_run_for(w, STT_S(50));
    world_require(w, w->client->last.reason == STT_REASON_NO_ANSWER);
    world_require(w, w->server->events[STT_EVENT_ACCEPTED] == 0);
    world_require(w, stats_of(w, w->server).sessions == 0);
}

/* Byte 0 is kind and mode, 1 the version, and then come the ids. */
START_TEST(clear_bytes_that_are_edited_on_the_way_lead_nowhere_case_09)
{
    static const enum stt_packet_kind kinds[] = {STT_PACKET_MESSAGE_1, STT_PACKET_MESSAGE_2,
                                                 STT_PACKET_MESSAGE_3};
    const struct way *way = &ways[_i % WAYS];
    enum stt_packet_kind kind = kinds[_i / WAYS];
    size_t clear = kind == STT_PACKET_MESSAGE_2 ? NOISE_AT_2 : 10;
    if (way->mode == STT_MODE_K && kind == STT_PACKET_MESSAGE_3)
        return; /* there is none */
    for (size_t i = 0; i < clear; i++) {
        struct world w = world_pair(.one_way_ms = 20);
        struct editor e = {kind, i, i == 0 ? 0x03 : 0x01, forger(&w, way), true};
        bool is_forth = kind != STT_PACKET_MESSAGE_2;
        stt_sim_tap(w.sim, is_forth ? w.links.forth : w.links.back, edit_byte, &e);
        way_begin(&w, way);
        require_failure(&w);
        world_end(&w);
    }
}
END_TEST

/* In W everybody can read message 1, and in S whoever has the seed; who can read it can write it
 * anew, with another offer of suites, around the same ephemeral key. */
struct downgrade {
    struct stranger stranger;
    bool has_cookie;
    unsigned rewritten;
};

static struct bytes offer_again(const struct downgrade *g, struct bytes payload, uint8_t *out)
{
    struct stt_params p;
    enum stt_message message =
        g->stranger.play.mode == STT_MODE_W ? STT_MESSAGE_W1 : STT_MESSAGE_S1;
    static const uint8_t worst[] = {STT_AEAD_CHACHA20_POLY1305};
    ck_assert(stt_params_decode(payload, message, &p));
    ck_assert_uint_gt(p.suites.len, 1);
    p.suites = BYTES(worst);
    struct wr w = wr_init(out, STT_HANDSHAKE_BYTES);
    ck_assert(stt_params_encode(&w, message, &p));
    return wr_done(&w);
}

static void noise_of(const struct downgrade *g, bool is_initiator,
                     struct stt_noise_handshake_state *noise)
{
    const struct handshake_play *play = &g->stranger.play;
    bool is_w = play->mode == STT_MODE_W;
    enum stt_noise_pattern pattern = is_w ? STT_NOISE_XXPSK3 : STT_NOISE_XXPSK0;
    uint8_t prologue[128], psk[32];
    ck_assert(stt_noise_init(
        noise, &(struct stt_noise_setup){
                   .pattern = pattern,
                   .is_initiator = is_initiator,
                   .prologue = handshake_prologue(play, stt_noise_protocol_name(pattern), prologue),
                   .s = &play->initiator.own.pair}));
    handshake_seed_psk(play, psk);
    if (!is_w)
        stt_noise_set_psk(noise, psk);
}

static void rewrite(struct downgrade *g, struct packet_message_1 *m, struct stt_sim_datagram *d)
{
    struct stt_noise_handshake_state read, write;
    uint8_t payload[STT_HANDSHAKE_BYTES], offer[STT_HANDSHAKE_BYTES], out[STT_HANDSHAKE_BYTES];
    struct rd r = rd_init(m->noise);
    struct wr w = wr_init(payload, sizeof payload);
    g->stranger.play.initiator.id = m->initiator;
    noise_of(g, false, &read);
    ck_assert(stt_noise_read(&read, &r, &w));
    noise_of(g, true, &write);
    struct stt_noise_keypair e = {.secret_key = {1}};
    memcpy(e.public_key, read.re, sizeof e.public_key);
    stt_noise_set_ephemeral(&write, &e);
    struct wr noise = wr_init(out, sizeof out);
    ck_assert(stt_noise_write(&write, offer_again(g, wr_done(&w), offer), &noise));
    m->noise = wr_done(&noise);
    struct wr packet = wr_init(d->data, d->room);
    ck_assert(stt_packet_message_1_encode(&packet, m));
    handshake_put_mac1(&g->stranger.play, 1, d->data, d->len);
    if (g->has_cookie) {
        struct bytes before = bytes_of(d->data, d->len - (size_t)STT_MAC_BYTES);
        stt_mac(d->data + before.len, g->stranger.cookie, before);
    }
    g->rewritten++;
}

/* W: the first one goes by for its cookie, which everybody can open, too. */
static bool downgrade(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct downgrade *g = ctx;
    struct packet_message_1 m;
    (void)now;
    if (kind_of(d) != STT_PACKET_MESSAGE_1)
        return true;
    ck_assert(stt_packet_message_1_decode(bytes_of(d->data, d->len), &m));
    bool waits = g->stranger.play.mode == STT_MODE_W && bytes_all_zero(BYTES(m.mac2));
    struct stt_handshake *hs = &g->stranger.play.initiator.hs;
    memcpy(hs->packet, d->data, d->len);
    hs->packet_len = (uint16_t)d->len;
    if (!waits)
        rewrite(g, &m, d);
    return true;
}

static bool take_cookie(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct downgrade *g = ctx;
    (void)now;
    if (kind_of(d) != STT_PACKET_COOKIE_REPLY)
        return true;
    struct tap_copy *kept = &g->stranger.heard.kept[STT_PACKET_COOKIE_REPLY];
    memcpy(kept->data, d->data, d->len);
    kept->len = d->len;
    g->has_cookie = stranger_take_cookie(&g->stranger);
    ck_assert(g->has_cookie);
    return true;
}

START_TEST(an_offer_of_suites_that_is_rewritten_on_the_way_leads_nowhere_case_09)
{
    static const enum stt_mode modes[] = {STT_MODE_S, STT_MODE_W};
    static struct downgrade g;
    struct world w = world_pair(.one_way_ms = 20);
    struct stt_connect call = world_call(&w, w.server, modes[_i]);
    stranger_join(&g.stranger, &w, modes[_i], 100);
    stt_sim_tap(w.sim, w.links.forth, downgrade, &g);
    stt_sim_tap(w.sim, w.links.back, take_cookie, &g);
    world_begin(&w, w.client, &call);
    require_failure(&w);
    world_require(&w, g.rewritten > 10);
    world_require(&w, stats_of(&w, w.server).handshakes_answered > 0); /* it looked good there */
    world_require(&w, stats_of(&w, w.client).dropped_bad_handshake > 10);
    world_end(&w);
}
END_TEST

/* -- 10: cookies ---------------------------------------------------------------------------------
 */

static void ask_for_cookie(struct world *w, struct stranger *s)
{
    world_call(w, w->server, STT_MODE_W);
    stranger_join(s, w, STT_MODE_W, 100);
    stranger_hear_code(s, w->code);
    stranger_begin(s);
    stranger_send(s);
    world_run_for(w, STT_MS(20));
    world_require(w, stranger_take_cookie(s));
}

/* Another message 1 with the cookie that it has. */
static bool is_answered(struct world *w, struct stranger *s, const struct stt_address *from)
{
    uint64_t before = stats_of(w, w->server).handshakes_answered;
    stranger_begin(s);
    stranger_put_mac2(s);
    stranger_send_from(s, from);
    world_run_for(w, STT_MS(20));
    return stats_of(w, w->server).handshakes_answered > before;
}

START_TEST(a_cookie_serves_its_own_address_and_port_alone_case_10)
{
    static struct stranger s;
    struct world w = world_pair(.one_way_ms = 20);
    ask_for_cookie(&w, &s);
    struct stt_address other = s.address;
    other.port++;
    world_require(&w, !is_answered(&w, &s, &other));
    other = stt_sim_ipv4(101, WORLD_PORT);
    world_require(&w, !is_answered(&w, &s, &other));
    world_require(&w, stats_of(&w, w.server).dropped_bad_mac2 == 2);
    world_require(&w, is_answered(&w, &s, &s.address));
    world_end(&w);
}
END_TEST

START_TEST(a_cookie_serves_for_120_s_and_never_after_240_case_10)
{
    static struct stranger s;
    struct world w = world_pair(.one_way_ms = 20);
    world_run_for(&w, STT_S(1) * (stt_ns)_i);
    ask_for_cookie(&w, &s);
    world_run_for(&w, STT_S(119));
    world_require(&w, is_answered(&w, &s, &s.address));
    world_run_for(&w, STT_S(121));
    world_require(&w, !is_answered(&w, &s, &s.address));
    world_end(&w);
}
END_TEST

START_TEST(zeros_are_no_cookie_case_10)
{
    static struct stranger s;
    struct world w = world_pair(.one_way_ms = 20);
    ask_for_cookie(&w, &s);
    memset(s.cookie, 0, sizeof s.cookie); /* mac2 under a cookie of zeros */
    world_require(&w, !is_answered(&w, &s, &s.address));
    stranger_begin(&s); /* and a mac2 of zeros */
    stranger_send(&s);
    world_run_for(&w, STT_MS(20));
    world_require(&w, stats_of(&w, w.server).handshakes_answered == 0);
    world_require(&w, s.heard.seen[STT_PACKET_COOKIE_REPLY] == 3);
    world_end(&w);
}
END_TEST

static bool move_cookie(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    (void)ctx, (void)now;
    if (kind_of(d) == STT_PACKET_COOKIE_REPLY)
        d->from = stt_sim_ipv4(77, 7777);
    return true;
}

START_TEST(a_cookie_reply_from_elsewhere_moves_no_path_case_10)
{
    struct world w = world_pair(.one_way_ms = 20);
    struct tap forth = {.seen = {0}}, back = {.seen = {0}};
    struct stt_session_info info;
    struct stt_address server = stt_sim_address(w.sim, w.server->node);
    tap_on(&forth, w.sim, w.links.forth);
    stt_sim_tap(w.sim, w.links.back, move_cookie, NULL);
    tap_on(&back, w.sim, w.links.back);
    world_connect(&w, STT_MODE_W);
    world_require(&w, back.seen[STT_PACKET_COOKIE_REPLY] == 1);
    tap_inject(&back.kept[STT_PACKET_COOKIE_REPLY], w.sim); /* and once more, when all is over */
    world_run_for(&w, STT_S(15));
    ck_assert_int_eq(stt_session_info(world_endpoint(&w, w.client), w.client->session, &info),
                     STT_OK);
    world_require(&w, memcmp(info.path.remote.ip, server.ip, sizeof server.ip) == 0);
    world_require(&w, info.path.remote.port == server.port);
    world_require(&w, stt_sim_stats(w.sim).no_route == 0); /* nothing went to where it came from */
    world_require(&w, w.client->events[STT_EVENT_PATH] == 0);
    world_end(&w);
}
END_TEST

/* -- 11: many beginnings -------------------------------------------------------------------------
 */

enum { FLOOD = 10000 };

static bool begin_from_anywhere(void *ctx, uint64_t n, struct stt_sim_datagram *d)
{
    struct stranger *s = ctx;
    stranger_begin(s);
    struct bytes packet = handshake_packet(&s->play.initiator);
    memcpy(d->data, packet.data, packet.len);
    d->len = packet.len;
    d->from = stt_sim_ipv4((uint32_t)(1000 + n), WORLD_PORT);
    d->to = s->server;
    return n + 1 < FLOOD;
}

static void flood(struct world *w, struct stranger *s, stt_ns for_ns)
{
    stt_ns now = stt_sim_now(w->sim);
    const struct stt_sim_flood flood = {.per_second = FLOOD * UINT64_C(1000000000) / for_ns,
                                        .from = now,
                                        .until = now + for_ns,
                                        .ctx = s,
                                        .make = begin_from_anywhere};
    stt_sim_flood(w->sim, &flood);
}

START_TEST(ten_thousand_beginnings_from_anywhere_meet_a_cap_and_starve_nobody_case_11)
{
    static struct stranger s;
    struct world w = world_pair(.one_way_ms = 20);
    stranger_join(&s, &w, _i ? STT_MODE_S : STT_MODE_K, 100);
    world_connect(&w, STT_MODE_K);
    flood(&w, &s, STT_S(2));
    world_run_for(&w, STT_S(1));
    world_require(&w, stats_of(&w, w.server).half_open <= STT_HALF_OPEN_FREE + 1);
    struct world_side *other = world_join(&w, &(struct world_options){.one_way_ms = 20});
    struct stt_connect call = world_call(&w, w.server, STT_MODE_K);
    world_begin(&w, other, &call);
    world_run_for(&w, STT_S(1));
    struct stt_endpoint_stats stats = stats_of(&w, w.server);
    world_require(&w, other->events[STT_EVENT_CONNECTED] == 1);
    world_require(&w, other->connected_at <= STT_MS(1060) + STT_MS(150));
    world_require(&w, stats.half_open <= STT_HALF_OPEN_FREE + 1);
    world_require(&w, stats.cookies_sent > FLOOD / 2);
    world_require(&w, stats.bytes_sent < stats.bytes_received);
    world_run_for(&w, STT_S(12));
    world_require(&w, stats_of(&w, w.server).half_open == 0);
    world_require(&w, w.client->events[STT_EVENT_CLOSED] == 0); /* the live one lives */
    world_end(&w);
}
END_TEST

/* Connects that stop before their message 3. */
static void begin_many(struct world *w, const struct world_side *from, unsigned n)
{
    struct stt_connect call = world_call(w, w->server, STT_MODE_S);
    for (unsigned i = 0; i < n; i++)
        world_begin(w, from, &call);
}

START_TEST(whoever_begins_too_much_at_a_proven_address_starves_itself_alone_case_11)
{
    struct world w = world_pair(.one_way_ms = 20);
    struct tap tap = {.lose[STT_PACKET_MESSAGE_3] = UINT64_MAX};
    struct world_side *other = world_join(&w, &(struct world_options){.one_way_ms = 20});
    tap_on(&tap, w.sim, w.links.forth);
    begin_many(&w, w.client, 300);
    world_run_for(&w, STT_S(3));
    world_require(&w, stats_of(&w, w.server).half_open <=
                          STT_HALF_OPEN_FREE + 1 + STT_HALF_OPEN_PER_32);
    struct stt_connect call = world_call(&w, w.server, STT_MODE_S);
    world_begin(&w, other, &call);
    world_run_for(&w, STT_MS(200));
    world_require(&w, other->events[STT_EVENT_CONNECTED] == 1);
    world_end(&w);
}
END_TEST

static void cap_half_open(struct stt_config *config, bool is_client)
{
    if (!is_client)
        config->max_half_open = 100;
}

START_TEST(proven_addresses_together_meet_the_cap_of_all_case_11)
{
    const struct world_options options = {.one_way_ms = 20, .configure = cap_half_open};
    struct world w = world_pair_new(&options);
    static struct tap taps[8];
    world_connect(&w, STT_MODE_K);
    for (int i = 0; i < 8; i++) {
        struct world_side *side = world_join(&w, &options);
        taps[i] = (struct tap){.lose[STT_PACKET_MESSAGE_3] = UINT64_MAX};
        tap_on(&taps[i], w.sim, side->links.forth);
        begin_many(&w, side, 40);
    }
    for (int i = 0; i < 80; i++) {
        world_run_for(&w, STT_MS(100));
        world_require(&w, stats_of(&w, w.server).half_open <= 100);
    }
    world_require(&w, stats_of(&w, w.server).half_open == 100);
    world_run_for(&w, STT_S(22));
    world_require(&w, stats_of(&w, w.server).half_open == 0);
    world_require(&w, w.client->events[STT_EVENT_CLOSED] == 0);
    world_connect(&w, STT_MODE_S);
    world_end(&w);
}
END_TEST

START_TEST(ten_connects_of_one_peer_at_once_all_succeed_case_11)
{
    struct world w = world_pair(.one_way_ms = 20);
    struct stt_connect call = world_call(&w, w.server, STT_MODE_K);
    for (int i = 0; i < 10; i++)
        world_begin(&w, w.client, &call);
    world_run_for(&w, STT_MS(30));
    world_require(&w, stats_of(&w, w.server).half_open == STT_HALF_OPEN_PER_PEER);
    world_run_for(&w, STT_S(2));
    world_require(&w, w.client->events[STT_EVENT_CONNECTED] == 10);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 10);
    world_end(&w);
}
END_TEST

SUITE("handshake_forgeries",
      LOOP(a_forged_message_2_that_comes_first_changes_nothing_case_02, 0, WAYS),
      TEST(of_all_who_answer_without_the_code_one_gets_one_guess_case_02),
      LOOP(a_message_1_with_a_point_of_low_order_is_met_with_silence_case_05, 0, 3),
      TEST(a_static_key_of_low_order_is_met_with_silence_case_05),
      LOOP(a_message_3_with_a_static_key_of_low_order_is_met_with_silence_case_05, 0, LOW_POINTS),
      LOOP(a_message_2_with_a_point_of_low_order_changes_nothing_case_05, 0, WAYS),
      LOOP(clear_bytes_that_are_edited_on_the_way_lead_nowhere_case_09, 0, WAYS * 3),
      LOOP(an_offer_of_suites_that_is_rewritten_on_the_way_leads_nowhere_case_09, 0, 2),
      TEST(a_cookie_serves_its_own_address_and_port_alone_case_10),
      LOOP(a_cookie_serves_for_120_s_and_never_after_240_case_10, 0, 120),
      TEST(zeros_are_no_cookie_case_10), TEST(a_cookie_reply_from_elsewhere_moves_no_path_case_10),
      LOOP(ten_thousand_beginnings_from_anywhere_meet_a_cap_and_starve_nobody_case_11, 0, 2),
      TEST(whoever_begins_too_much_at_a_proven_address_starves_itself_alone_case_11),
      TEST(proven_addresses_together_meet_the_cap_of_all_case_11),
      TEST(ten_connects_of_one_peer_at_once_all_succeed_case_11))
