/* SPDX-License-Identifier: MIT
 * The handshakes of spec 03, "Modes", against spec/vectors/handshake.json, byte for byte and on
 * both sides, with what follows from them. */
#include "stt/session/handshake.h"

#include "crypto/cpu.h"
#include "crypto/kdf.h"
#include "crypto/protect.h"
#include "stt/wire/frame.h"
#include "tests/support/handshakes.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

#include <jansson.h>
#include <stdlib.h>

enum { HANDSHAKES = 7 };

static struct handshake_play play;
static json_t *file;
static const json_t *vector;

static bool is_same(struct bytes a, struct bytes b)
{
    return bytes_equal(a, b);
}

#define ck_assert_bytes_eq(a, b) ck_assert(is_same(a, b))

static struct bytes member(const json_t *object, const char *key, size_t len)
{
    struct bytes b = vector_bytes(object, key);
    ck_assert_uint_eq(b.len, len);
    return b;
}

/* -- from the vectors to two sides ------------------------------------------------------------- */

static struct bytes extensions_of(const json_t *list)
{
    static uint8_t out[2][64];
    static size_t turn;
    struct wr w = wr_init(out[turn++ % 2], sizeof out[0]);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) wr_varint(&w, (uint64_t)json_integer_value(item));
    return wr_done(&w);
}

static void take_parameter(struct stt_params *p, const json_t *parameters, const char *name)
{
    const json_t *value = vector_of(parameters, name);
    unsigned which = 0;
    while (which < STT_PARAM_COUNT && strcmp(stt_param_rules[which].name, name) != 0)
        which++;
    ck_assert_uint_lt(which, STT_PARAM_COUNT);
    uint8_t *field = (uint8_t *)p + stt_param_rules[which].field;
    struct bytes bytes = BYTES_NONE;
    uint64_t number;
    switch (stt_param_rules[which].kind) {
    case STT_KIND_INTEGER:
        number = vector_number(parameters, name);
        memcpy(field, &number, sizeof number);
        break;
    case STT_KIND_TYPES:
        bytes = extensions_of(value);
        memcpy(field, &bytes, sizeof bytes);
        break;
    default: /* a text, or true for an empty value */
        if (json_is_string(value))
            bytes = bytes_of(json_string_value(value), json_string_length(value));
        memcpy(field, &bytes, sizeof bytes);
    }
    stt_params_set(p, (enum stt_param)which);
}

static void take_offer(struct handshake_side *side, const json_t *object)
{
    json_t *suites = vector_of(object, "suites"), *item;
    size_t i;
    side->own.n_suites = 0;
    json_array_foreach(suites, i, item) side->own.suites[side->own.n_suites++] =
        handshake_suite((uint8_t)json_integer_value(item));
    json_t *parameters = vector_of(object, "parameters"), *value;
    const char *name;
    stt_params_init(&side->own.transport);
    json_object_foreach(parameters, name, value)
        take_parameter(&side->own.transport, parameters, name);
}

static void take_code(struct handshake_side *side, const json_t *object)
{
    struct bytes prs = vector_bytes(object, "prs");
    side->code.slot = (uint16_t)vector_number(vector, "slot");
    side->code.prs_len = (uint8_t)prs.len;
    memcpy(side->code.prs, prs.data, prs.len);
    memcpy(side->entropy.throwaway, member(object, "throwaway_secret", 32).data, 32);
    memcpy(side->entropy.scalar, member(object, "cpace_seed", 64).data, 64);
}

static void take_side(struct handshake_side *side, const json_t *object)
{
    handshake_side_init(side, member(object, "identity_secret", 32).data);
    memcpy(side->entropy.ephemeral, member(object, "ephemeral_secret", 32).data, 32);
    side->id = stt_id_of(member(object, "session_id", 8).data);
    side->own.network = vector_bytes(vector, "network_id");
    ck_assert_bytes_eq(BYTES(side->identity.peer_id.bytes), vector_bytes(object, "peer_id"));
    if (play.mode != STT_MODE_Q)
        take_offer(side, object);
    if (play.mode == STT_MODE_W)
        take_code(side, object);
}

static void load(int i)
{
    stt_cpu_detect();
    file = vector_file("handshake.json");
    vector = json_array_get(vector_of(file, "handshakes"), (size_t)i);
    memset(&play, 0, sizeof play);
    play.mode = (enum stt_mode)vector_number(vector, "mode");
    struct bytes seed = vector_bytes(vector, "seed");
    play.has_seed = seed.len == 32;
    if (play.has_seed)
        memcpy(play.seed, seed.data, 32);
    take_side(&play.initiator, vector_of(vector, "initiator"));
    take_side(&play.responder, vector_of(vector, "responder"));
}

static const json_t *message_of(unsigned number)
{
    return json_array_get(vector_of(vector, "messages"), number - 1);
}

static unsigned last_message(void)
{
    return (unsigned)json_array_size(vector_of(vector, "messages"));
}

/* As it is sent first, without a cookie. */
static struct bytes datagram_of(unsigned number)
{
    return vector_bytes(message_of(number), "datagram");
}

static struct bytes proven_of(unsigned number)
{
    return vector_bytes(message_of(number), "datagram_with_mac2");
}

static bool has_cookie(void)
{
    return json_object_get(vector, "cookie") != NULL;
}

static bool is_of_code(void)
{
    return play.mode == STT_MODE_W;
}

/* -- the messages ------------------------------------------------------------------------------ */

static void the_cookie_is_that_of_the_vectors(void)
{
    const json_t *c = vector_of(vector, "cookie");
    struct stt_cookie_source source = {.port = (uint16_t)vector_number(c, "port")};
    memcpy(source.address, member(c, "address", 16).data, 16);
    const uint8_t *secret = member(c, "secret", 32).data;
    stt_ns now = vector_number(c, "now_ns");
    uint8_t cookie[16], key[32], out[STT_COOKIE_REPLY_BYTES];
    stt_cookie_make(cookie, secret, &source, now);
    ck_assert_bytes_eq(BYTES(cookie), vector_bytes(c, "cookie"));
    struct stt_mac_base base =
        stt_handshake_mac_base(&play.responder.own, play.mode, play.has_seed ? play.seed : NULL);
    stt_cookie_key(key, &base);
    struct packet_cookie_reply reply = {.mode = play.mode, .initiator = play.initiator.id};
    memcpy(reply.nonce, member(c, "nonce", 24).data, 24);
    struct bytes first = handshake_packet(&play.initiator);
    struct bytes before = stt_packet_before_mac1(STT_PACKET_MESSAGE_1, first);
    stt_cookie_seal(reply.sealed_cookie, key, reply.nonce, first.data + before.len, cookie);
    struct wr w = wr_init(out, sizeof out);
    ck_assert(stt_packet_cookie_reply_encode(&w, &reply));
    ck_assert_bytes_eq(wr_done(&w), vector_bytes(c, "reply"));

    ck_assert(stt_packet_cookie_reply_decode(vector_bytes(c, "reply"), &reply));
    ck_assert(stt_handshake_read_cookie(&play.initiator.hs, &reply));
    struct bytes again = handshake_packet(&play.initiator);
    struct bytes covered = bytes_of(again.data, again.len - STT_MAC_BYTES);
    ck_assert(stt_mac2_verify(again.data + covered.len, secret, &source, now, covered));
}

static void the_noise_state_is_that_of(const struct stt_handshake *hs, unsigned number)
{
    ck_assert_bytes_eq(BYTES(hs->noise.symmetric.h), vector_bytes(message_of(number), "h"));
    ck_assert_bytes_eq(BYTES(hs->noise.symmetric.ck), vector_bytes(message_of(number), "ck"));
}

static void message_1_is_that_of_the_vectors(void)
{
    ck_assert(handshake_begin(&play, NULL));
    ck_assert_bytes_eq(handshake_packet(&play.initiator), datagram_of(1));
    the_noise_state_is_that_of(&play.initiator.hs, 1);
    if (!has_cookie())
        return;
    the_cookie_is_that_of_the_vectors();
    ck_assert_bytes_eq(handshake_packet(&play.initiator), proven_of(1));
}

static void message_2_is_that_of_the_vectors(void)
{
    struct bytes first = handshake_packet(&play.initiator);
    ck_assert_int_eq(handshake_answer(&play, first), STT_HANDSHAKE_OK);
    ck_assert_bytes_eq(handshake_packet(&play.responder), datagram_of(2));
    the_noise_state_is_that_of(&play.responder.hs, 2);
    ck_assert_int_eq(handshake_read_2(&play, datagram_of(2)), STT_HANDSHAKE_OK);
}

static void message_3_is_that_of_the_vectors(void)
{
    bool is_right = strcmp(vector_text(message_of(3), "verdict"), "accepted") == 0;
    struct bytes third = handshake_packet(&play.initiator);
    ck_assert_bytes_eq(third, has_cookie() ? proven_of(3) : datagram_of(3));
    the_noise_state_is_that_of(&play.initiator.hs, 3);
    ck_assert_int_eq(handshake_confirm(&play, third),
                     is_right ? STT_HANDSHAKE_OK : STT_HANDSHAKE_WRONG);
}

/* The initiator of K knows the peer; both are throwaway ids in W. */
static void the_peers_are_those_of_the_vectors(void)
{
    const json_t *seen = vector_of(vector, "seen");
    ck_assert_bytes_eq(BYTES(play.responder.hs.peer.bytes), vector_bytes(seen, "by_responder"));
    if (play.mode != STT_MODE_K)
        ck_assert_bytes_eq(BYTES(play.initiator.hs.peer.bytes), vector_bytes(seen, "by_initiator"));
}

static void the_parameters_arrived(const struct stt_handshake *hs, const struct stt_params *p)
{
    const struct stt_peer_params *got = &hs->params;
    ck_assert_uint_eq(got->idle_timeout_ms, p->idle_timeout_ms);
    ck_assert_uint_eq(got->max_data, p->max_data);
    ck_assert_uint_eq(got->max_stream_data, p->max_stream_data);
    ck_assert_uint_eq(got->max_streams, p->max_streams);
    ck_assert_uint_eq(got->max_datagram_bytes, p->max_datagram_bytes);
    ck_assert_uint_eq(got->max_packet_bytes, p->max_packet_bytes);
    ck_assert_uint_eq(got->max_ack_delay_us, p->max_ack_delay_us);
    ck_assert_uint_eq(got->max_ids, p->max_ids);
    ck_assert_int_eq(got->exclusive, stt_params_has(p, STT_PARAM_EXCLUSIVE));
    ck_assert(got->same_application);
}

static void the_keys_are_those_of_the_vectors(void)
{
    const json_t *session = vector_of(vector, "session");
    struct stt_handshake *sides[] = {&play.initiator.hs, &play.responder.hs};
    for (size_t i = 0; i < 2; i++) {
        struct stt_noise_keys keys;
        ck_assert_uint_eq(sides[i]->suite->id, vector_number(session, "suite"));
        ck_assert(stt_handshake_finish(sides[i], &keys));
        ck_assert_bytes_eq(BYTES(keys.initiator), vector_bytes(session, "k1"));
        ck_assert_bytes_eq(BYTES(keys.responder), vector_bytes(session, "k2"));
        ck_assert_bytes_eq(BYTES(keys.h), vector_bytes(session, "h"));
        ck_assert(!stt_handshake_finish(sides[i], &keys));
    }
}

static void the_refusals_are_those_of_the_vectors(void)
{
    struct bytes want[2];
    ck_assert_bytes_eq(BYTES(play.responder.hs.refused_key), vector_bytes(vector, "refused_key"));
    ck_assert_uint_eq(vector_list(vector, "refusals", want, 2), 2);
    for (uint8_t reason = 1; reason <= 2; reason++) {
        uint8_t out[STT_REFUSED_BYTES], said = 0;
        stt_handshake_write_refused(&play.responder.hs, reason, out);
        ck_assert_bytes_eq(BYTES(out), want[reason - 1]);
        ck_assert(stt_handshake_read_refused(&play.initiator.hs, BYTES(out), &said));
        ck_assert_uint_eq(said, reason);
    }
}

START_TEST(every_message_and_key_is_that_of_the_vectors)
{
    load(_i);
    if (play.mode != STT_MODE_Q) {
        message_1_is_that_of_the_vectors();
        message_2_is_that_of_the_vectors();
        if (last_message() == 3)
            message_3_is_that_of_the_vectors();
        if (json_object_get(vector, "refusals")) {
            the_refusals_are_those_of_the_vectors();
        } else {
            the_peers_are_those_of_the_vectors();
            the_parameters_arrived(&play.initiator.hs, &play.responder.own.transport);
            the_parameters_arrived(&play.responder.hs, &play.initiator.own.transport);
            the_keys_are_those_of_the_vectors();
        }
    }
    json_decref(file);
}
END_TEST

/* -- Q: only its parts are here yet ------------------------------------------------------------ */

static struct stt_noise_handshake_state noise_of_q(bool is_initiator)
{
    uint8_t bytes[128];
    const char *name = stt_noise_protocol_name(STT_NOISE_IK);
    const struct handshake_side *side = is_initiator ? &play.initiator : &play.responder;
    struct stt_noise_handshake_state noise;
    struct stt_noise_keypair e;
    ck_assert(
        stt_noise_init(&noise, &(struct stt_noise_setup){
                                   .pattern = STT_NOISE_IK,
                                   .is_initiator = is_initiator,
                                   .prologue = handshake_prologue(&play, name, bytes),
                                   .s = &side->own.pair,
                                   .rs = is_initiator ? play.responder.own.pair.public_key : NULL,
                               }));
    stt_noise_keypair_init(&e, side->entropy.ephemeral);
    stt_noise_set_ephemeral(&noise, &e);
    return noise;
}

static struct bytes payload_of_q(unsigned number, uint8_t out[STT_HANDSHAKE_BYTES])
{
    const json_t *side = vector_of(vector, number == 1 ? "initiator" : "responder");
    struct stt_params p;
    stt_params_init(&p);
    p.dht = vector_bytes(side, "dht");
    p.peer_id = BYTES(play.initiator.identity.peer_id.bytes);
    p.clear_fields = bytes_of(datagram_of(2).data, STT_CLEAR_BYTES_2);
    stt_params_set(&p, STT_PARAM_DHT);
    stt_params_set(&p, number == 1 ? STT_PARAM_PEER_ID : STT_PARAM_CLEAR_FIELDS);
    struct wr w = wr_init(out, STT_HANDSHAKE_BYTES);
    ck_assert(stt_params_encode(&w, number == 1 ? STT_MESSAGE_Q1 : STT_MESSAGE_Q2, &p));
    return wr_done(&w);
}

static bool encode_q(unsigned number, struct bytes noise, struct wr *w)
{
    if (number == 1)
        return stt_packet_message_1_encode(
            w, &(struct packet_message_1){
                   .mode = STT_MODE_Q, .initiator = play.initiator.id, .noise = noise});
    return stt_packet_message_2_encode(w, &(struct packet_message_2){.mode = STT_MODE_Q,
                                                                     .initiator = play.initiator.id,
                                                                     .responder = play.responder.id,
                                                                     .noise = noise});
}

START_TEST(the_parts_of_a_question_and_its_answer_make_those_of_the_vectors)
{
    load(HANDSHAKES - 1);
    ck_assert_int_eq(play.mode, STT_MODE_Q);
    struct stt_noise_handshake_state asker = noise_of_q(true), answerer = noise_of_q(false);
    for (unsigned number = 1; number <= 2; number++) {
        uint8_t payload[STT_HANDSHAKE_BYTES], noise[STT_HANDSHAKE_BYTES];
        uint8_t datagram[STT_HANDSHAKE_BYTES], opened[STT_HANDSHAKE_BYTES];
        struct wr w = wr_init(noise, sizeof noise), d = wr_init(datagram, sizeof datagram);
        struct wr o = wr_init(opened, sizeof opened);
        struct bytes said = payload_of_q(number, payload);
        ck_assert(stt_noise_write(number == 1 ? &asker : &answerer, said, &w));
        ck_assert(encode_q(number, wr_done(&w), &d));
        handshake_put_mac1(&play, number, datagram, wr_len(&d));
        ck_assert_bytes_eq(wr_done(&d), datagram_of(number));
        struct rd r = rd_init(wr_done(&w));
        ck_assert(stt_noise_read(number == 1 ? &answerer : &asker, &r, &o));
        ck_assert_bytes_eq(wr_done(&o), said);
    }
    ck_assert_bytes_eq(BYTES(asker.symmetric.h), vector_bytes(message_of(2), "h"));
    json_decref(file);
}
END_TEST

START_TEST(a_question_is_not_offered_here)
{
    load(HANDSHAKES - 1);
    struct packet_message_1 m;
    struct rd r;
    struct stt_handshake_open open = {.responder = play.responder.id,
                                      .entropy = &play.responder.entropy};
    ck_assert(!handshake_begin(&play, NULL));
    ck_assert(stt_packet_message_1_decode(datagram_of(1), &m));
    ck_assert(!stt_handshake_open_1(&play.responder.hs, &play.responder.own, &open, &m, &r));
    json_decref(file);
}
END_TEST

/* -- what follows: identities, packets, REKEY -------------------------------------------------- */

static const json_t *session;
static struct stt_protect *ends[STT_DIRECTIONS]; /* by the direction in which they send */

static void secrets_of(const json_t *epoch, uint8_t out[STT_DIRECTIONS][STT_SECRET_BYTES])
{
    struct bytes list[STT_DIRECTIONS];
    ck_assert_uint_eq(vector_list(epoch, "secret", list, STT_DIRECTIONS), STT_DIRECTIONS);
    for (size_t d = 0; d < STT_DIRECTIONS; d++)
        memcpy(out[d], list[d].data, STT_SECRET_BYTES);
}

/* False where this processor lacks the suite. */
static bool begin_session(void)
{
    session = vector_of(vector, "session");
    const struct stt_aead_suite *suite =
        stt_aead_by_id((uint8_t)vector_number(session, "suite"), stt_cpu_detect());
    uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES];
    if (!suite)
        return false;
    memcpy(secrets[STT_TO_RESPONDER], vector_bytes(session, "k1").data, STT_SECRET_BYTES);
    memcpy(secrets[STT_TO_INITIATOR], vector_bytes(session, "k2").data, STT_SECRET_BYTES);
    for (int d = 0; d < STT_DIRECTIONS; d++) {
        ends[d] = aligned_alloc(64, (stt_protect_bytes(suite) + 63) / 64 * 64);
        ck_assert_ptr_nonnull(ends[d]);
        stt_protect_init(ends[d], suite, (enum stt_direction)d,
                         (const uint8_t(*)[STT_SECRET_BYTES])secrets);
    }
    return true;
}

static void end_session(void)
{
    for (int d = 0; d < STT_DIRECTIONS; d++)
        free(ends[d]);
}

static void epoch_is_that_of(const struct stt_keys *keys, const json_t *epoch)
{
    uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES], exporter[STT_EXPORTER_BYTES];
    struct bytes key[STT_DIRECTIONS], iv[STT_DIRECTIONS];
    secrets_of(epoch, secrets);
    ck_assert_uint_eq(keys->number, vector_number(epoch, "epoch"));
    ck_assert_mem_eq(keys->current.secret, secrets, sizeof secrets);
    vector_list(epoch, "key", key, STT_DIRECTIONS);
    vector_list(epoch, "iv", iv, STT_DIRECTIONS);
    for (size_t d = 0; d < STT_DIRECTIONS; d++) {
        ck_assert_mem_eq(keys->current.packet[d].key, key[d].data, key[d].len);
        ck_assert_mem_eq(keys->current.packet[d].iv, iv[d].data, iv[d].len);
    }
    stt_keys_exporter(exporter, keys, vector_bytes(epoch, "h").data);
    ck_assert_bytes_eq(BYTES(exporter), vector_bytes(epoch, "exporter"));
}

static void seal_as(const json_t *packet, uint8_t out[STT_HANDSHAKE_BYTES], size_t *len)
{
    enum stt_direction d = (enum stt_direction)vector_number(packet, "direction");
    struct bytes frames = vector_bytes(packet, "frames");
    struct stt_id id = d == STT_TO_RESPONDER ? play.responder.id : play.initiator.id;
    *len = frames.len + STT_PROTECT_OVERHEAD_BYTES;
    stt_protect_seal(ends[d],
                     &(struct stt_protect_plain){.number = vector_number(packet, "number"),
                                                 .session_id = id.bytes,
                                                 .parts = &frames,
                                                 .parts_len = 1},
                     1, (struct stt_protect_train){out, *len, *len});
}

/* Seals each as its sender, compares, and opens it as its receiver. `before_epoch_1` says how the
 * sender comes there. */
static void packets_are_those_of(const json_t *part, void (*before_epoch_1)(struct stt_protect *))
{
    json_t *packet;
    size_t i;
    json_array_foreach(vector_of(part, "packets"), i, packet)
    {
        uint8_t out[STT_HANDSHAKE_BYTES];
        struct stt_protect_opened opened;
        size_t len;
        struct stt_protect *from = ends[vector_number(packet, "direction")];
        struct stt_protect *to = ends[1 - vector_number(packet, "direction")];
        if (vector_number(packet, "epoch") > from->keys.number)
            before_epoch_1(from);
        seal_as(packet, out, &len);
        ck_assert_bytes_eq(bytes_of(out, len), vector_bytes(packet, "datagram"));
        stt_protect_open(to, (struct stt_protect_train){out, len, len}, &opened);
        ck_assert_int_eq(opened.result, STT_PROTECT_OPENED);
        ck_assert_bytes_eq(opened.payload, vector_bytes(packet, "frames"));
        stt_protect_on_acked(from, opened.number);
        stt_protect_on_ack_sent(to, opened.number);
    }
}

static void identities_are_those_of_the_vectors(void)
{
    const struct handshake_side *sides[] = {&play.initiator, &play.responder};
    struct bytes want[2], h = vector_bytes(session, "h");
    ck_assert_uint_eq(vector_list(session, "identity_frames", want, 2), 2);
    for (uint8_t role = 0; role < 2; role++) {
        uint8_t out[128];
        struct frame_identity f;
        struct wr w = wr_init(out, sizeof out);
        memcpy(f.peer_id, sides[role]->identity.peer_id.bytes, sizeof f.peer_id);
        ck_assert(stt_identity_sign(f.signature, &sides[role]->identity, "stt1 identity",
                                    KDF_PARTS(KDF_U8(role), h)));
        ck_assert(stt_frame_identity_encode(&w, &f));
        ck_assert_bytes_eq(wr_done(&w), want[role]);
    }
}

START_TEST(the_session_begins_and_updates_as_in_the_vectors)
{
    load(_i);
    if (json_object_get(vector, "session") && begin_session()) {
        struct bytes mask[STT_DIRECTIONS];
        uint8_t key[STT_AEAD_KEY_MAX];
        vector_list(session, "mask", mask, STT_DIRECTIONS);
        for (int d = 0; d < STT_DIRECTIONS; d++) {
            stt_keys_mask_key(key, &ends[0]->keys, (enum stt_direction)d);
            ck_assert_mem_eq(key, mask[d].data, mask[d].len);
        }
        epoch_is_that_of(&ends[0]->keys, vector_of(session, "epoch_0"));
        if (is_of_code())
            identities_are_those_of_the_vectors();
        packets_are_those_of(vector_of(session, "key_update"), stt_protect_update);
        epoch_is_that_of(&ends[0]->keys, vector_of(session, "key_update"));
        epoch_is_that_of(&ends[1]->keys, vector_of(session, "key_update"));
        end_session();
    }
    json_decref(file);
}
END_TEST

static void static_of(const char *side, struct stt_noise_keypair *pair)
{
    const json_t *object = vector_of(vector, side);
    memcpy(pair->secret_key, member(object, "static_secret", 32).data, 32);
    memcpy(pair->public_key, member(object, "static", 32).data, 32);
}

static struct stt_noise_handshake_state noise_of_rekey(bool is_initiator,
                                                       const struct stt_noise_keypair *own,
                                                       const struct stt_noise_keypair *theirs)
{
    const json_t *part = vector_of(session, "rekey");
    const char *suite = ends[0]->keys.suite->name;
    uint8_t prologue[128], exporter[STT_EXPORTER_BYTES];
    struct wr w = wr_init(prologue, sizeof prologue);
    struct bytes parts[] = {BYTES_TEXT("stt1 rekey"), vector_bytes(session, "h"),
                            BYTES(((const uint8_t[8]){0, 0, 0, 0, 0, 0, 0, 1})),
                            bytes_of(suite, strlen(suite))};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        wr_u16(&w, (uint16_t)parts[i].len);
        wr_bytes(&w, parts[i]);
    }
    ck_assert_bytes_eq(wr_done(&w), vector_bytes(part, "prologue"));
    stt_keys_exporter(exporter, &ends[0]->keys, vector_bytes(session, "h").data);
    ck_assert_bytes_eq(BYTES(exporter), vector_bytes(part, "psk"));

    struct stt_noise_handshake_state noise;
    struct stt_noise_keypair e;
    struct bytes secrets[2];
    ck_assert(stt_noise_init(&noise, &(struct stt_noise_setup){.pattern = STT_NOISE_KKPSK0,
                                                               .is_initiator = is_initiator,
                                                               .prologue = wr_done(&w),
                                                               .s = own,
                                                               .rs = theirs->public_key}));
    vector_list(part, "ephemeral_secrets", secrets, 2);
    stt_noise_keypair_init(&e, secrets[is_initiator ? 0 : 1].data);
    stt_noise_set_ephemeral(&noise, &e);
    stt_noise_set_psk(&noise, exporter);
    return noise;
}

/* Both stages; the keys are the same on both sides. */
static struct stt_noise_keys keys_of_rekey(void)
{
    struct stt_noise_keypair one, two;
    struct stt_noise_keys keys, theirs;
    struct bytes frames[2];
    static_of("initiator", &one);
    static_of("responder", &two);
    struct stt_noise_handshake_state sides[] = {noise_of_rekey(true, &one, &two),
                                                noise_of_rekey(false, &two, &one)};
    vector_list(vector_of(session, "rekey"), "frames", frames, 2);
    for (uint8_t stage = 1; stage <= 2; stage++) {
        uint8_t noise[64], frame[128], nothing[1];
        struct wr w = wr_init(noise, sizeof noise), f = wr_init(frame, sizeof frame);
        struct wr payload = wr_init(nothing, 0);
        ck_assert(stt_noise_write(&sides[stage - 1], BYTES_NONE, &w));
        ck_assert(stt_frame_rekey_encode(
            &f, &(struct frame_rekey){.stage = stage, .epoch = 1, .noise = wr_done(&w)}));
        ck_assert_bytes_eq(wr_done(&f), frames[stage - 1]);
        struct rd r = rd_init(wr_done(&w));
        ck_assert(stt_noise_read(&sides[2 - stage], &r, &payload));
    }
    ck_assert(stt_noise_split(&sides[0], &keys) && stt_noise_split(&sides[1], &theirs));
    ck_assert_mem_eq(&keys, &theirs, sizeof keys);
    return keys;
}

START_TEST(the_session_is_rekeyed_as_in_the_vectors)
{
    load(_i);
    if (json_object_get(vector, "session") && begin_session()) {
        const json_t *part = vector_of(session, "rekey");
        struct stt_noise_keys keys = keys_of_rekey();
        uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES];
        memcpy(secrets[STT_TO_RESPONDER], keys.initiator, STT_SECRET_BYTES);
        memcpy(secrets[STT_TO_INITIATOR], keys.responder, STT_SECRET_BYTES);
        ck_assert_bytes_eq(BYTES(keys.h), vector_bytes(part, "h"));
        for (int d = 0; d < STT_DIRECTIONS; d++)
            stt_protect_install(ends[d], (const uint8_t(*)[STT_SECRET_BYTES])secrets);
        packets_are_those_of(part, stt_protect_update);
        epoch_is_that_of(&ends[0]->keys, part);
        epoch_is_that_of(&ends[1]->keys, part);
        end_session();
    }
    json_decref(file);
}
END_TEST

/* -- judging: the vectors' cases --------------------------------------------------------------- */

/* Both sides stand right before message `number` arrives. */
static void stand_before(unsigned number)
{
    if (number > 1)
        ck_assert_int_eq(handshake_answer(&play, datagram_of(1)), STT_HANDSHAKE_OK);
    ck_assert(handshake_begin(&play, NULL));
    if (number > 2)
        ck_assert_int_eq(handshake_read_2(&play, datagram_of(2)), STT_HANDSHAKE_OK);
}

/* In W a message may have passed as Noise and be refused then; all over is refused, too. */
static const char *verdict_text(enum stt_handshake_verdict verdict)
{
    return verdict == STT_HANDSHAKE_OK      ? "accepted"
           : verdict == STT_HANDSHAKE_WRONG ? "wrong code"
                                            : "refused";
}

START_TEST(other_messages_are_judged_as_in_the_vectors)
{
    load(_i);
    json_t *judged = json_object_get(vector, "judged"), *item;
    size_t i;
    json_array_foreach(judged, i, item)
    {
        unsigned number = (unsigned)vector_number(item, "message");
        struct stt_handshake *to = number == 2 ? &play.initiator.hs : &play.responder.hs;
        stand_before(number);
        struct stt_handshake before = *to;
        enum stt_handshake_verdict verdict =
            handshake_receive(&play, number, vector_bytes(item, "datagram"));
        ck_assert_msg(strcmp(verdict_text(verdict), vector_text(item, "verdict")) == 0, "%s: %s",
                      vector_text(item, "what"), verdict_text(verdict));
        ck_assert(verdict != STT_HANDSHAKE_DROP || number == 1 ||
                  handshake_is_unchanged(to, &before));
        if (verdict == STT_HANDSHAKE_OK && vector_bytes(item, "peer_seen").len)
            ck_assert_bytes_eq(BYTES(to->peer.bytes), vector_bytes(item, "peer_seen"));
    }
    json_decref(file);
}
END_TEST

static void flip_is_refused(unsigned number, const json_t *flip)
{
    struct bytes datagram = datagram_of(number);
    uint8_t bad[STT_HANDSHAKE_BYTES];
    memcpy(bad, datagram.data, datagram.len);
    bad[vector_number(flip, "byte")] ^= (uint8_t)(1u << vector_number(flip, "bit"));
    stand_before(number);
    enum stt_handshake_verdict verdict =
        handshake_receive(&play, number, bytes_of(bad, datagram.len));
    ck_assert_int_eq(verdict, STT_HANDSHAKE_DROP);
    if (!json_object_get(flip, "valid_mac1"))
        return;
    size_t mac1_at = datagram.len - (number == 2 ? 16 : 32);
    memcpy(bad + mac1_at, vector_bytes(flip, "valid_mac1").data, STT_MAC_BYTES);
    const char *got = verdict_text(handshake_receive(&play, number, bytes_of(bad, datagram.len)));
    ck_assert_msg(strcmp(got, vector_text(flip, "verdict")) == 0, "message %u, byte %u: %s", number,
                  (unsigned)vector_number(flip, "byte"), got);
}

START_TEST(the_flips_of_the_vectors_are_refused)
{
    load(_i);
    for (unsigned number = 1; number <= last_message() && play.mode != STT_MODE_Q; number++) {
        json_t *flip;
        size_t i;
        json_array_foreach(vector_of(message_of(number), "flips"), i, flip)
            flip_is_refused(number, flip);
    }
    json_decref(file);
}
END_TEST

START_TEST(a_message_1_to_oneself_is_neither_made_nor_taken)
{
    load(0);
    const json_t *own = vector_of(file, "own_static");
    handshake_side_init(&play.responder, member(own, "identity_secret", 32).data);
    handshake_side_init(&play.initiator, member(own, "identity_secret", 32).data);
    ck_assert_int_eq(handshake_answer(&play, vector_bytes(own, "datagram")), STT_HANDSHAKE_DROP);
    ck_assert(!handshake_begin(&play, NULL));
    json_decref(file);
}
END_TEST

/* Anybody can answer message 1 of W; each answer that is Noise tests a guess. */
START_TEST(an_answer_with_a_refused_share_spends_the_attempt)
{
    load(3);
    json_t *item;
    size_t i, spent = 0;
    json_array_foreach(vector_of(vector, "judged"), i, item)
    {
        if (vector_number(item, "message") != 2)
            continue;
        ck_assert(handshake_begin(&play, NULL));
        ck_assert_int_eq(handshake_read_2(&play, vector_bytes(item, "datagram")),
                         STT_HANDSHAKE_SPENT);
        ck_assert_int_eq(handshake_read_2(&play, datagram_of(2)), STT_HANDSHAKE_DROP);
        spent++;
    }
    ck_assert_uint_gt(spent, 0);
    json_decref(file);
}
END_TEST

SUITE("handshake_vectors", LOOP(every_message_and_key_is_that_of_the_vectors, 0, HANDSHAKES),
      TEST(the_parts_of_a_question_and_its_answer_make_those_of_the_vectors),
      TEST(a_question_is_not_offered_here),
      LOOP(the_session_begins_and_updates_as_in_the_vectors, 0, HANDSHAKES),
      LOOP(the_session_is_rekeyed_as_in_the_vectors, 0, HANDSHAKES),
      LOOP(other_messages_are_judged_as_in_the_vectors, 0, HANDSHAKES),
      LOOP(the_flips_of_the_vectors_are_refused, 0, HANDSHAKES),
      TEST(a_message_1_to_oneself_is_neither_made_nor_taken),
      TEST(an_answer_with_a_refused_share_spends_the_attempt))
