/* SPDX-License-Identifier: MIT */
#include "crypto/noise.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>

#include "tests/support/hex.h"
#include "tests/support/suite.h"

enum { INITIATOR, RESPONDER };

/* The patterns of the protocol, and what each needs. */
static const struct {
    enum stt_noise_pattern pattern;
    unsigned messages;
    bool initiator_known, responder_known, has_psk;
} protocol[] = {
    {STT_NOISE_IKPSK2, 2, false, true, true},  {STT_NOISE_XXPSK0, 3, false, false, true},
    {STT_NOISE_XXPSK3, 3, false, false, true}, {STT_NOISE_IK, 2, false, true, false},
    {STT_NOISE_KKPSK0, 2, true, true, true},
};

enum { PROTOCOL_PATTERNS = sizeof protocol / sizeof protocol[0] };
enum { IKPSK2, XXPSK0, XXPSK3, IK, KKPSK0 };

struct pair {
    struct stt_noise_keypair s[2], e[2];
    struct stt_noise_handshake_state hs[2]; /* INITIATOR, RESPONDER */
};

static const uint8_t psk[STT_NOISE_KEY_BYTES] = "a pre-shared key of thirty-two ";
static const struct bytes payload = BYTES_TEXT("payload");

static struct stt_noise_keypair keypair(uint8_t fill)
{
    uint8_t secret[STT_NOISE_KEY_BYTES];
    struct stt_noise_keypair pair;
    memset(secret, fill, sizeof secret);
    stt_noise_keypair_init(&pair, secret);
    return pair;
}

static bool pair_start(struct pair *p, int which)
{
    bool known[2] = {protocol[which].initiator_known, protocol[which].responder_known};
    bool ok = true;
    for (int side = INITIATOR; side <= RESPONDER; side++) {
        struct stt_noise_setup setup = {
            .pattern = protocol[which].pattern,
            .is_initiator = side == INITIATOR,
            .prologue = BYTES_TEXT("prologue"),
            .s = &p->s[side],
            .rs = known[!side] ? p->s[!side].public_key : NULL,
        };
        ok = stt_noise_init(&p->hs[side], &setup) && ok;
        stt_noise_set_ephemeral(&p->hs[side], &p->e[side]);
        if (protocol[which].has_psk)
            stt_noise_set_psk(&p->hs[side], psk);
    }
    return ok;
}

static void pair_init(struct pair *p, int which)
{
    for (uint8_t side = INITIATOR; side <= RESPONDER; side++) {
        p->s[side] = keypair((uint8_t)(0x11 + side));
        p->e[side] = keypair((uint8_t)(0x21 + side));
    }
    ck_assert(pair_start(p, which));
}

static struct stt_noise_handshake_state *writer(struct pair *p, unsigned message)
{
    return &p->hs[message % 2];
}

static struct stt_noise_handshake_state *reader(struct pair *p, unsigned message)
{
    return &p->hs[!(message % 2)];
}

static size_t write_message(struct stt_noise_handshake_state *hs, uint8_t *out, size_t room)
{
    struct wr w = wr_init(out, room);
    ck_assert(stt_noise_write(hs, payload, &w));
    return wr_len(&w);
}

static void read_message(struct stt_noise_handshake_state *hs, struct bytes message)
{
    uint8_t got[256];
    struct rd r = rd_init(message);
    struct wr w = wr_init(got, sizeof got);
    ck_assert(stt_noise_read(hs, &r, &w));
    ck_assert(rd_is_done(&r));
    ck_assert(bytes_equal(wr_done(&w), payload));
}

static void pass_messages(struct pair *p, unsigned from, unsigned to)
{
    uint8_t message[256];
    for (unsigned m = from; m < to; m++) {
        size_t len = write_message(writer(p, m), message, sizeof message);
        read_message(reader(p, m), bytes_of(message, len));
    }
}

/* Refused, with the state as it was, nothing written and the cursors latched. */
static void assert_read_refused(struct stt_noise_handshake_state *hs, struct bytes message)
{
    struct stt_noise_handshake_state before;
    uint8_t got[256] = {0};
    struct rd r = rd_init(message);
    struct wr w = wr_init(got, sizeof got);
    memcpy(&before, hs, sizeof before);
    ck_assert(!stt_noise_read(hs, &r, &w));
    ck_assert_mem_eq(hs, &before, sizeof before);
    ck_assert(r.bad && w.bad && wr_len(&w) == 0);
    ck_assert(bytes_all_zero(BYTES(got)));
}

static void assert_read_through_refused(struct stt_noise_handshake_state *hs,
                                        enum stt_noise_token last, struct bytes message)
{
    struct stt_noise_handshake_state before;
    struct rd r = rd_init(message);
    memcpy(&before, hs, sizeof before);
    ck_assert(!stt_noise_read_through(hs, last, &r));
    ck_assert_mem_eq(hs, &before, sizeof before);
    ck_assert(r.bad);
}

static void assert_write_refused(struct stt_noise_handshake_state *hs, size_t room)
{
    struct stt_noise_handshake_state before;
    uint8_t out[256] = {0};
    struct wr w = wr_init(out, room);
    memcpy(&before, hs, sizeof before);
    ck_assert(!stt_noise_write(hs, payload, &w));
    ck_assert_mem_eq(hs, &before, sizeof before);
    ck_assert(w.bad && wr_len(&w) == 0);
    ck_assert(bytes_all_zero(BYTES(out)));
}

/* -- published vectors ------------------------------------------------------------------------- */

struct vector {
    json_t *json;
    const char *name;
    struct stt_noise_keypair s[2], e[2];
    uint8_t rs[2][STT_NOISE_KEY_BYTES], prologue[256];
    struct stt_noise_handshake_state hs[2];
    bool in_steps;
};

static const char *side_text(const struct vector *v, int side, const char *field)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", side == INITIATOR ? "init" : "resp", field);
    return json_string_value(json_object_get(v->json, key));
}

static bool side_keypair(const struct vector *v, int side, const char *field,
                         struct stt_noise_keypair *pair)
{
    uint8_t secret[STT_NOISE_KEY_BYTES];
    const char *text = side_text(v, side, field);
    if (!text)
        return false;
    ck_assert_uint_eq(hex_decode(text, secret, sizeof secret), sizeof secret);
    stt_noise_keypair_init(pair, secret);
    return true;
}

static enum stt_noise_pattern pattern_named(const char *name)
{
    int found = STT_NOISE_NONE;
    for (int i = 0; i < STT_NOISE_PATTERNS; i++)
        if (strcmp(name, stt_noise_protocol_name((enum stt_noise_pattern)i)) == 0)
            found = i;
    return (enum stt_noise_pattern)found;
}

static void vector_start(struct vector *v, int side)
{
    const char *prologue = side_text(v, side, "prologue");
    const char *rs = side_text(v, side, "remote_static");
    struct stt_noise_setup setup = {
        .pattern = pattern_named(v->name),
        .is_initiator = side == INITIATOR,
        .prologue = bytes_of(v->prologue, hex_decode(prologue, v->prologue, sizeof v->prologue)),
        .s = side_keypair(v, side, "static", &v->s[side]) ? &v->s[side] : NULL,
        .rs = rs && hex_decode(rs, v->rs[side], sizeof v->rs[side]) ? v->rs[side] : NULL,
    };
    ck_assert_msg(stt_noise_init(&v->hs[side], &setup), "%s", v->name);
    ck_assert(side_keypair(v, side, "ephemeral", &v->e[side]));
    stt_noise_set_ephemeral(&v->hs[side], &v->e[side]);
}

/* Each psk is handed over when the one before it has been mixed. */
static void vector_offer_psk(struct vector *v, int side, size_t *used)
{
    char key[] = "init_psks";
    uint8_t next[STT_NOISE_KEY_BYTES];
    memcpy(key, side == INITIATOR ? "init" : "resp", 4);
    json_t *psks = json_object_get(v->json, key);
    if (v->hs[side].has_psk || *used == json_array_size(psks))
        return;
    hex_decode(json_string_value(json_array_get(psks, (*used)++)), next, sizeof next);
    stt_noise_set_psk(&v->hs[side], next);
}

static void write_in_steps(struct stt_noise_handshake_state *hs, struct wr *w)
{
    struct stt_noise_handshake_state probe = *hs;
    for (int token = STT_NOISE_E; token <= STT_NOISE_PSK; token++) {
        struct wr try = *w;
        probe = *hs;
        if (!stt_noise_write_through(&probe, (enum stt_noise_token)token, &try))
            continue;
        *hs = probe;
        *w = try;
    }
}

static void read_in_steps(struct stt_noise_handshake_state *hs, struct rd *r)
{
    struct stt_noise_handshake_state probe = *hs;
    for (int token = STT_NOISE_E; token <= STT_NOISE_PSK; token++) {
        struct rd try = *r;
        probe = *hs;
        if (!stt_noise_read_through(&probe, (enum stt_noise_token)token, &try))
            continue;
        *hs = probe;
        *r = try;
    }
}

static void vector_handshake(struct vector *v, int from, struct bytes text, struct bytes sealed)
{
    uint8_t out[512], got[512];
    struct wr w = wr_init(out, sizeof out), plain = wr_init(got, sizeof got);
    struct rd r = rd_init(sealed);
    if (v->in_steps) {
        write_in_steps(&v->hs[from], &w);
        read_in_steps(&v->hs[!from], &r);
    }
    ck_assert_msg(stt_noise_write(&v->hs[from], text, &w), "%s", v->name);
    ck_assert_msg(bytes_equal(wr_done(&w), sealed), "%s", v->name);
    ck_assert_msg(stt_noise_read(&v->hs[!from], &r, &plain), "%s", v->name);
    ck_assert_msg(bytes_equal(wr_done(&plain), text), "%s", v->name);
}

static void vector_transport(const struct vector *v, struct stt_noise_cipher_state way[2],
                             struct bytes text, struct bytes sealed)
{
    uint8_t out[512], got[512];
    struct wr w = wr_init(out, sizeof out), plain = wr_init(got, sizeof got);
    ck_assert(stt_noise_cipher_seal(&way[0], BYTES_NONE, text, &w));
    ck_assert_msg(bytes_equal(wr_done(&w), sealed), "%s", v->name);
    ck_assert(stt_noise_cipher_open(&way[1], BYTES_NONE, sealed, &plain));
    ck_assert_msg(bytes_equal(wr_done(&plain), text), "%s", v->name);
}

/* way[direction][0] seals, way[direction][1] opens. */
static void vector_split(struct vector *v, struct stt_noise_cipher_state way[2][2])
{
    struct stt_noise_keys keys[2];
    const char *text = json_string_value(json_object_get(v->json, "handshake_hash"));
    for (int side = INITIATOR; side <= RESPONDER; side++) {
        ck_assert(stt_noise_split(&v->hs[side], &keys[side]));
        stt_noise_cipher_init(&way[INITIATOR][side != INITIATOR], keys[side].initiator);
        stt_noise_cipher_init(&way[RESPONDER][side != RESPONDER], keys[side].responder);
    }
    ck_assert_mem_eq(&keys[0], &keys[1], sizeof keys[0]);
    if (text) {
        uint8_t h[STT_HASH_BYTES];
        ck_assert_uint_eq(hex_decode(text, h, sizeof h), sizeof h);
        ck_assert_mem_eq(keys[0].h, h, sizeof h);
    }
}

static void vector_run(struct vector *v)
{
    struct stt_noise_cipher_state way[2][2];
    size_t i, used[2] = {0, 0}, transported = 0;
    json_t *message;
    vector_start(v, INITIATOR);
    vector_start(v, RESPONDER);
    json_array_foreach(json_object_get(v->json, "messages"), i, message)
    {
        int from = (int)(i % 2);
        uint8_t text[256], sealed[256];
        struct bytes text_of =
            bytes_of(text, hex_decode(json_string_value(json_object_get(message, "payload")), text,
                                      sizeof text));
        struct bytes sealed_of =
            bytes_of(sealed, hex_decode(json_string_value(json_object_get(message, "ciphertext")),
                                        sealed, sizeof sealed));
        if (transported) {
            vector_transport(v, way[from], text_of, sealed_of);
            transported++;
            continue;
        }
        vector_offer_psk(v, INITIATOR, &used[INITIATOR]);
        vector_offer_psk(v, RESPONDER, &used[RESPONDER]);
        if (!stt_noise_is_done(&v->hs[from])) {
            vector_handshake(v, from, text_of, sealed_of);
            continue;
        }
        vector_split(v, way);
        vector_transport(v, way[from], text_of, sealed_of);
        transported++;
    }
    ck_assert_msg(transported >= 2, "%s", v->name);
}

START_TEST(all_published_vectors_pass_in_one_go_and_in_steps)
{
    json_error_t error;
    json_t *file = json_load_file(STT_SPEC_DIR "/vectors/noise.json", 0, &error), *json;
    ck_assert_msg(file != NULL, "%s", error.text);
    size_t i, run = 0;
    json_array_foreach(json_object_get(file, "vectors"), i, json)
    {
        for (int in_steps = 0; in_steps < 2; in_steps++) {
            struct vector v = {.json = json, .in_steps = in_steps != 0};
            v.name = json_string_value(json_object_get(json, "protocol_name"));
            ck_assert_msg(pattern_named(v.name) != STT_NOISE_NONE, "%s", v.name);
            vector_run(&v);
        }
        run++;
    }
    ck_assert_uint_eq(run, 11);
    json_decref(file);
}
END_TEST

/* -- what attackers and accidents do ----------------------------------------------------------- */

START_TEST(every_flipped_bit_of_every_message_is_refused)
{
    struct pair p;
    uint8_t message[256];
    pair_init(&p, _i);
    for (unsigned m = 0; m < protocol[_i].messages; m++) {
        size_t len = write_message(writer(&p, m), message, sizeof message);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            message[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_read_refused(reader(&p, m), bytes_of(message, len));
            message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        read_message(reader(&p, m), bytes_of(message, len));
    }
}
END_TEST

START_TEST(every_prefix_and_every_longer_message_is_refused)
{
    struct pair p;
    uint8_t message[256] = {0};
    pair_init(&p, _i);
    for (unsigned m = 0; m < protocol[_i].messages; m++) {
        size_t len = write_message(writer(&p, m), message, sizeof message - 1);
        for (size_t n = 0; n < len; n++)
            assert_read_refused(reader(&p, m), bytes_of(message, n));
        assert_read_refused(reader(&p, m), bytes_of(message, len + 1));
        read_message(reader(&p, m), bytes_of(message, len));
    }
}
END_TEST

START_TEST(every_buffer_that_is_too_small_is_refused)
{
    struct pair p;
    uint8_t message[256], got[64] = {0};
    pair_init(&p, _i);
    for (unsigned m = 0; m < protocol[_i].messages; m++) {
        struct stt_noise_handshake_state before = *writer(&p, m);
        size_t len = write_message(&before, message, sizeof message);
        for (size_t room = 0; room < len; room++)
            assert_write_refused(writer(&p, m), room);
        write_message(writer(&p, m), message, len);
        memcpy(&before, reader(&p, m), sizeof before);
        for (size_t room = 0; room < payload.len; room++) {
            struct rd r = rd_init(bytes_of(message, len));
            struct wr w = wr_init(got, room);
            ck_assert(!stt_noise_read(reader(&p, m), &r, &w));
            ck_assert_mem_eq(reader(&p, m), &before, sizeof before);
            ck_assert(bytes_all_zero(BYTES(got)));
        }
        read_message(reader(&p, m), bytes_of(message, len));
    }
}
END_TEST

/* All encodings of u of small order (0, 1, two of order 8, -1) that 32 bytes can hold. */
static const char *const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

enum { SMALL_ORDER = sizeof small_order / sizeof small_order[0] };

START_TEST(ephemeral_keys_of_small_order_are_refused)
{
    for (int which = 0; which < PROTOCOL_PATTERNS; which++) {
        struct pair p;
        uint8_t message[256];
        unsigned first = which == XXPSK0 || which == XXPSK3 ? 1 : 0; /* the first with a DH */
        pair_init(&p, which);
        /* Sent and hashed like any other: nothing but the point is wrong with the message. */
        struct stt_noise_keypair *e = &p.hs[first].e;
        hex_decode(small_order[_i], e->public_key, sizeof e->public_key);
        pass_messages(&p, 0, first);
        size_t len = write_message(writer(&p, first), message, sizeof message);
        assert_read_refused(reader(&p, first), bytes_of(message, len));
        struct rd r = rd_init(bytes_of(message, len));
        ck_assert(stt_noise_read_through(reader(&p, first), STT_NOISE_E, &r));
        enum stt_noise_token dh = first ? STT_NOISE_EE : STT_NOISE_ES;
        ck_assert(!stt_noise_read_through(reader(&p, first), dh, &r));
    }
}
END_TEST

START_TEST(static_keys_of_small_order_are_refused)
{
    struct pair p;
    uint8_t message[256];
    pair_init(&p, XXPSK0);
    hex_decode(small_order[_i], p.s[INITIATOR].public_key, STT_NOISE_KEY_BYTES);
    pass_messages(&p, 0, 2);
    size_t len = write_message(&p.hs[INITIATOR], message, sizeof message);
    assert_read_refused(&p.hs[RESPONDER], bytes_of(message, len));
    struct rd r = rd_init(bytes_of(message, len));
    ck_assert(stt_noise_read_through(&p.hs[RESPONDER], STT_NOISE_S, &r));
    ck_assert(!stt_noise_read_through(&p.hs[RESPONDER], STT_NOISE_SE, &r));

    pair_init(&p, IKPSK2); /* known beforehand */
    hex_decode(small_order[_i], p.s[RESPONDER].public_key, STT_NOISE_KEY_BYTES);
    ck_assert(pair_start(&p, IKPSK2));
    assert_write_refused(&p.hs[INITIATOR], sizeof message);
}
END_TEST

START_TEST(own_ephemeral_key_from_the_other_side_is_refused)
{
    for (int which = 0; which < PROTOCOL_PATTERNS; which++)
        for (unsigned top_bit = 0; top_bit < 2; top_bit++) {
            struct pair p;
            uint8_t message[256];
            pair_init(&p, which);
            pass_messages(&p, 0, 1);
            size_t len = write_message(&p.hs[RESPONDER], message, sizeof message);
            memcpy(message, p.e[INITIATOR].public_key, STT_NOISE_KEY_BYTES);
            message[31] ^= (uint8_t)(top_bit << 7); /* X25519 would not see it */
            assert_read_through_refused(&p.hs[INITIATOR], STT_NOISE_E, bytes_of(message, len));
            memcpy(message, p.s[INITIATOR].public_key, STT_NOISE_KEY_BYTES);
            assert_read_through_refused(&p.hs[INITIATOR], STT_NOISE_E, bytes_of(message, len));
        }
}
END_TEST

START_TEST(an_ephemeral_key_equal_to_the_peers_is_not_sent)
{
    struct pair p;
    pair_init(&p, XXPSK3);
    pass_messages(&p, 0, 1);
    stt_noise_set_ephemeral(&p.hs[RESPONDER], &p.e[INITIATOR]);
    assert_write_refused(&p.hs[RESPONDER], 256);
}
END_TEST

START_TEST(own_static_key_from_the_other_side_is_refused)
{
    struct pair p;
    uint8_t message[256];
    pair_init(&p, XXPSK3);
    p.s[RESPONDER] = p.s[INITIATOR];
    ck_assert(pair_start(&p, XXPSK3));
    pass_messages(&p, 0, 1);
    size_t len = write_message(&p.hs[RESPONDER], message, sizeof message);
    assert_read_through_refused(&p.hs[INITIATOR], STT_NOISE_S, bytes_of(message, len));
    assert_read_refused(&p.hs[INITIATOR], bytes_of(message, len));

    ck_assert(!pair_start(&p, IKPSK2)); /* known beforehand */
    assert_write_refused(&p.hs[INITIATOR], sizeof message);
}
END_TEST

START_TEST(another_prologue_is_refused)
{
    struct pair p;
    uint8_t message[256];
    pair_init(&p, IKPSK2);
    struct stt_noise_setup setup = {.pattern = STT_NOISE_IKPSK2, .s = &p.s[RESPONDER]};
    setup.prologue = BYTES_TEXT("epilogue");
    ck_assert(stt_noise_init(&p.hs[RESPONDER], &setup));
    size_t len = write_message(&p.hs[INITIATOR], message, sizeof message);
    assert_read_refused(&p.hs[RESPONDER], bytes_of(message, len));
}
END_TEST

START_TEST(another_psk_is_refused)
{
    static const uint8_t other[STT_NOISE_KEY_BYTES] = "another";
    struct pair p;
    uint8_t message[256];
    unsigned mixed_in = _i == IKPSK2 ? 1 : _i == XXPSK3 ? 2 : 0;
    if (!protocol[_i].has_psk)
        return;
    pair_init(&p, _i);
    stt_noise_set_psk(&p.hs[RESPONDER], other);
    pass_messages(&p, 0, mixed_in);
    size_t len = write_message(writer(&p, mixed_in), message, sizeof message);
    assert_read_refused(reader(&p, mixed_in), bytes_of(message, len));
}
END_TEST

/* -- steps ------------------------------------------------------------------------------------- */

/* As in spec 03, "Modes"; not every one of these patterns has published vectors. */
START_TEST(messages_have_exactly_the_tokens_of_the_spec)
{
    enum { E = STT_NOISE_E, S, EE, ES, SE, SS, PSK };
    static const uint8_t tokens[PROTOCOL_PATTERNS][3][5] = {
        [IKPSK2] = {{E, ES, S, SS}, {E, EE, SE, PSK}},
        [XXPSK0] = {{PSK, E}, {E, EE, S, ES}, {S, SE}},
        [XXPSK3] = {{E}, {E, EE, S, ES}, {S, SE, PSK}},
        [IK] = {{E, ES, S, SS}, {E, EE, SE}},
        [KKPSK0] = {{PSK, E, ES, SS}, {E, EE, SE}},
    };
    struct pair p;
    uint8_t message[256], got[64];
    pair_init(&p, _i);
    for (unsigned m = 0; m < protocol[_i].messages; m++) {
        struct wr w = wr_init(message, sizeof message), plain = wr_init(got, sizeof got);
        const uint8_t *token = tokens[_i][m];
        for (uint8_t n = 1; *token; n++, token++) {
            ck_assert(stt_noise_write_through(writer(&p, m), (enum stt_noise_token) * token, &w));
            ck_assert_uint_eq(writer(&p, m)->token, n);
        }
        size_t tokens_bytes = wr_len(&w);
        ck_assert(stt_noise_write_through(writer(&p, m), STT_NOISE_END, &w));
        ck_assert_uint_eq(wr_len(&w), tokens_bytes);
        ck_assert(stt_noise_write(writer(&p, m), payload, &w));
        struct rd r = rd_init(wr_done(&w));
        ck_assert(stt_noise_read(reader(&p, m), &r, &plain));
    }
    ck_assert(stt_noise_is_done(&p.hs[INITIATOR]) && stt_noise_is_done(&p.hs[RESPONDER]));
}
END_TEST

START_TEST(h_after_token_e_is_the_same_on_both_sides_before_the_payload)
{
    struct pair p;
    uint8_t message[256], got[64];
    pair_init(&p, XXPSK3);
    struct wr w = wr_init(message, sizeof message), plain = wr_init(got, sizeof got);
    ck_assert(stt_noise_write_through(&p.hs[INITIATOR], STT_NOISE_E, &w));
    uint8_t sid[STT_HASH_BYTES];
    memcpy(sid, p.hs[INITIATOR].symmetric.h, sizeof sid);
    ck_assert(stt_noise_write(&p.hs[INITIATOR], payload, &w));
    ck_assert_mem_ne(sid, p.hs[INITIATOR].symmetric.h, sizeof sid);

    struct rd r = rd_init(wr_done(&w));
    ck_assert(stt_noise_read_through(&p.hs[RESPONDER], STT_NOISE_E, &r));
    ck_assert_mem_eq(sid, p.hs[RESPONDER].symmetric.h, sizeof sid);
    ck_assert_mem_eq(p.hs[RESPONDER].re, p.e[INITIATOR].public_key, STT_NOISE_KEY_BYTES);
    ck_assert(stt_noise_read(&p.hs[RESPONDER], &r, &plain));
    ck_assert_mem_eq(p.hs[INITIATOR].symmetric.h, p.hs[RESPONDER].symmetric.h, STT_HASH_BYTES);
}
END_TEST

START_TEST(responder_knows_the_static_key_before_the_last_dh)
{
    static const struct {
        int which;
        unsigned message;
    } carriers[] = {{IKPSK2, 0}, {IK, 0}, {XXPSK0, 2}, {XXPSK3, 2}};
    struct pair p;
    uint8_t message[256], got[64];
    unsigned m = carriers[_i].message;
    pair_init(&p, carriers[_i].which);
    pass_messages(&p, 0, m);
    size_t len = write_message(&p.hs[INITIATOR], message, sizeof message);
    struct rd r = rd_init(bytes_of(message, len));
    struct wr w = wr_init(got, sizeof got);
    ck_assert(stt_noise_read_through(&p.hs[RESPONDER], STT_NOISE_S, &r));
    ck_assert_mem_eq(p.hs[RESPONDER].rs, p.s[INITIATOR].public_key, STT_NOISE_KEY_BYTES);
    ck_assert_uint_eq(rd_left(&r), payload.len + STT_NOISE_TAG_BYTES);
    ck_assert(stt_noise_read(&p.hs[RESPONDER], &r, &w));
    ck_assert(bytes_equal(wr_done(&w), payload));
}
END_TEST

START_TEST(psk_can_come_as_late_as_its_token)
{
    struct pair p;
    pair_init(&p, XXPSK3);
    p.hs[INITIATOR].has_psk = p.hs[RESPONDER].has_psk = false;
    pass_messages(&p, 0, 2);
    assert_write_refused(&p.hs[INITIATOR], 256);
    stt_noise_set_psk(&p.hs[INITIATOR], psk);
    uint8_t message[256];
    size_t len = write_message(&p.hs[INITIATOR], message, sizeof message);
    assert_read_refused(&p.hs[RESPONDER], bytes_of(message, len));
    stt_noise_set_psk(&p.hs[RESPONDER], psk);
    read_message(&p.hs[RESPONDER], bytes_of(message, len));
}
END_TEST

START_TEST(wrong_psk_shows_behind_its_token_and_forgery_before_it)
{
    struct pair p;
    uint8_t message[256], got[64], ck[STT_HASH_BYTES];
    pair_init(&p, XXPSK3);
    pass_messages(&p, 0, 2);
    p.hs[RESPONDER].psk[0] ^= 1;
    struct wr w = wr_init(message, sizeof message), plain = wr_init(got, sizeof got);
    ck_assert(stt_noise_write_through(&p.hs[INITIATOR], STT_NOISE_SE, &w));
    memcpy(ck, p.hs[INITIATOR].symmetric.ck, sizeof ck);
    ck_assert(stt_noise_write(&p.hs[INITIATOR], payload, &w));

    message[0] ^= 1;
    assert_read_through_refused(&p.hs[RESPONDER], STT_NOISE_SE, wr_done(&w));
    message[0] ^= 1;
    struct rd r = rd_init(wr_done(&w));
    ck_assert(stt_noise_read_through(&p.hs[RESPONDER], STT_NOISE_SE, &r));
    ck_assert(!stt_noise_read(&p.hs[RESPONDER], &r, &plain));
    ck_assert_mem_eq(p.hs[RESPONDER].symmetric.ck, ck, sizeof ck); /* the key for a refusal */
}
END_TEST

START_TEST(a_token_that_is_not_ahead_is_refused)
{
    struct pair p;
    uint8_t message[256] = {0};
    pair_init(&p, IK);
    struct stt_noise_handshake_state before;
    struct wr w = wr_init(message, sizeof message);
    memcpy(&before, &p.hs[INITIATOR], sizeof before);
    ck_assert(!stt_noise_write_through(&p.hs[INITIATOR], STT_NOISE_PSK, &w));
    ck_assert(w.bad && wr_len(&w) == 0 && bytes_all_zero(BYTES(message)));
    ck_assert_mem_eq(&p.hs[INITIATOR], &before, sizeof before);
    size_t len = write_message(&p.hs[INITIATOR], message, sizeof message);
    assert_read_through_refused(&p.hs[RESPONDER], STT_NOISE_EE, bytes_of(message, len));
    struct rd r = rd_init(bytes_of(message, len));
    ck_assert(stt_noise_read_through(&p.hs[RESPONDER], STT_NOISE_ES, &r));
    ck_assert(!stt_noise_read_through(&p.hs[RESPONDER], STT_NOISE_ES, &r));
}
END_TEST

START_TEST(initiator_survives_a_forged_message_on_a_copy)
{
    struct pair p;
    uint8_t message[256], forged[256];
    pair_init(&p, _i);
    pass_messages(&p, 0, 1);
    size_t len = write_message(&p.hs[RESPONDER], message, sizeof message);
    ck_assert_uint_gt(len, STT_NOISE_TAG_BYTES);
    memcpy(forged, message, len);
    forged[len - 1] ^= 1; /* the payload's tag: every token is fine */
    struct stt_noise_handshake_state copy = p.hs[INITIATOR];
    struct rd r = rd_init(bytes_of(forged, len));
    ck_assert(stt_noise_read_through(&copy, STT_NOISE_END, &r));
    assert_read_refused(&p.hs[INITIATOR], bytes_of(forged, len));
    read_message(&p.hs[INITIATOR], bytes_of(message, len));
    pass_messages(&p, 2, protocol[_i].messages);
    ck_assert(stt_noise_is_done(&p.hs[INITIATOR]) && stt_noise_is_done(&p.hs[RESPONDER]));
}
END_TEST

/* -- life of a state --------------------------------------------------------------------------- */

START_TEST(nobody_speaks_or_listens_out_of_turn)
{
    struct pair p;
    uint8_t message[256];
    pair_init(&p, _i);
    for (unsigned m = 0; m < protocol[_i].messages; m++) {
        assert_write_refused(reader(&p, m), sizeof message);
        struct stt_noise_handshake_state copy = *writer(&p, m);
        size_t len = write_message(&copy, message, sizeof message);
        assert_read_refused(writer(&p, m), bytes_of(message, len));
        pass_messages(&p, m, m + 1);
    }
    for (int side = INITIATOR; side <= RESPONDER; side++) {
        assert_write_refused(&p.hs[side], sizeof message);
        assert_read_refused(&p.hs[side], payload);
    }
}
END_TEST

START_TEST(split_comes_last_agrees_and_wipes)
{
    struct pair p;
    struct stt_noise_keys keys[2], none = {0};
    pair_init(&p, _i);
    for (int side = INITIATOR; side <= RESPONDER; side++)
        ck_assert(!stt_noise_split(&p.hs[side], &none));
    ck_assert(bytes_all_zero(bytes_of(&none, sizeof none)));
    pass_messages(&p, 0, protocol[_i].messages);
    for (int side = INITIATOR; side <= RESPONDER; side++) {
        ck_assert(stt_noise_split(&p.hs[side], &keys[side]));
        ck_assert(bytes_all_zero(bytes_of(&p.hs[side], sizeof p.hs[side])));
        ck_assert(!stt_noise_split(&p.hs[side], &none));
    }
    ck_assert_mem_eq(&keys[0], &keys[1], sizeof keys[0]);
    ck_assert_mem_ne(keys[0].initiator, keys[0].responder, STT_NOISE_KEY_BYTES);
}
END_TEST

START_TEST(a_wiped_state_refuses_everything)
{
    struct pair p;
    uint8_t message[256];
    pair_init(&p, IK);
    size_t len = write_message(&p.hs[INITIATOR], message, sizeof message);
    for (int side = INITIATOR; side <= RESPONDER; side++) {
        stt_noise_wipe(&p.hs[side]);
        assert_write_refused(&p.hs[side], sizeof message);
        assert_read_refused(&p.hs[side], bytes_of(message, len));
    }
}
END_TEST

START_TEST(ephemeral_secrets_and_psks_do_not_outlive_their_last_use)
{
    struct pair p;
    pair_init(&p, _i);
    pass_messages(&p, 0, 2);
    struct stt_noise_handshake_state *hs = p.hs;
    ck_assert(bytes_all_zero(BYTES(hs[INITIATOR].e.secret_key)));
    ck_assert_int_eq(bytes_all_zero(BYTES(hs[RESPONDER].e.secret_key)), protocol[_i].messages == 2);
    pass_messages(&p, 2, protocol[_i].messages);
    for (int side = INITIATOR; side <= RESPONDER; side++) {
        ck_assert(bytes_all_zero(BYTES(hs[side].e.secret_key)));
        ck_assert(bytes_all_zero(BYTES(hs[side].psk)));
    }
}
END_TEST

START_TEST(keys_that_the_pattern_lacks_or_does_not_take_are_refused)
{
    struct stt_noise_keypair s = keypair(1), other = keypair(2);
    struct stt_noise_handshake_state hs;
    struct stt_noise_setup no_rs = {.pattern = STT_NOISE_IK, .is_initiator = true, .s = &s};
    struct stt_noise_setup no_s = {.pattern = STT_NOISE_IK};
    struct stt_noise_setup extra_rs = {.pattern = STT_NOISE_XX, .s = &s, .rs = other.public_key};
    struct stt_noise_setup no_s_late = {.pattern = STT_NOISE_XX, .is_initiator = true};
    struct stt_noise_setup anonymous = {.pattern = STT_NOISE_NNPSK0};
    ck_assert(!stt_noise_init(&hs, &no_rs));
    ck_assert(!stt_noise_init(&hs, &no_s));
    ck_assert(!stt_noise_init(&hs, &extra_rs));
    ck_assert(!stt_noise_init(&hs, &no_s_late));
    ck_assert(stt_noise_init(&hs, &anonymous));
}
END_TEST

START_TEST(an_ephemeral_key_is_asked_for_at_its_token)
{
    struct pair p;
    pair_init(&p, IK);
    p.hs[RESPONDER].has_e = false;
    pass_messages(&p, 0, 1);
    assert_write_refused(&p.hs[RESPONDER], 256);
    stt_noise_set_ephemeral(&p.hs[RESPONDER], &p.e[RESPONDER]);
    pass_messages(&p, 1, 2);
}
END_TEST

START_TEST(a_message_has_at_most_65535_bytes)
{
    static uint8_t text[STT_NOISE_MESSAGE_BYTES + 1], out[STT_NOISE_MESSAGE_BYTES + 1];
    struct stt_noise_keypair s = keypair(1), e = keypair(2);
    struct stt_noise_setup setup = {.pattern = STT_NOISE_XX, .is_initiator = true, .s = &s};
    struct stt_noise_handshake_state writes, reads;
    const size_t room = STT_NOISE_MESSAGE_BYTES - STT_NOISE_KEY_BYTES;
    ck_assert(stt_noise_init(&writes, &setup));
    stt_noise_set_ephemeral(&writes, &e);
    setup.is_initiator = false;
    ck_assert(stt_noise_init(&reads, &setup));

    struct wr w = wr_init(out, sizeof out);
    ck_assert(!stt_noise_write(&writes, bytes_of(text, room + 1), &w));
    w = wr_init(out, sizeof out);
    ck_assert(stt_noise_write_through(&writes, STT_NOISE_E, &w)); /* counts across steps */
    ck_assert(!stt_noise_write(&writes, bytes_of(text, room + 1), &w));
    w = wr_init(out, sizeof out);
    wr_bytes(&w, BYTES(e.public_key));
    ck_assert(stt_noise_write(&writes, bytes_of(text, room), &w));
    ck_assert_uint_eq(wr_len(&w), STT_NOISE_MESSAGE_BYTES);

    struct wr plain = wr_init(text, sizeof text);
    struct rd r = rd_init(BYTES(out));
    ck_assert(!stt_noise_read(&reads, &r, &plain));
    r = rd_init(wr_done(&w));
    plain = wr_init(text, sizeof text);
    ck_assert(stt_noise_read(&reads, &r, &plain));
    ck_assert_uint_eq(wr_len(&plain), room);
}
END_TEST

START_TEST(the_last_nonce_is_refused)
{
    struct stt_noise_cipher_state seals, opens;
    uint8_t out[64], got[64];
    stt_noise_cipher_init(&seals, psk);
    seals.n = UINT64_MAX - 1;
    opens = seals;
    struct wr w = wr_init(out, sizeof out), plain = wr_init(got, sizeof got);
    ck_assert(stt_noise_cipher_seal(&seals, BYTES_NONE, payload, &w));
    ck_assert(stt_noise_cipher_open(&opens, BYTES_NONE, wr_done(&w), &plain));
    struct bytes sealed = wr_done(&w);
    ck_assert(!stt_noise_cipher_seal(&seals, BYTES_NONE, payload, &w));
    ck_assert(!stt_noise_cipher_open(&opens, BYTES_NONE, sealed, &plain));
    ck_assert_uint_eq(seals.n, UINT64_MAX);
    ck_assert_uint_eq(wr_len(&plain), payload.len);
}
END_TEST

START_TEST(a_failed_open_does_not_count)
{
    struct stt_noise_cipher_state seals, opens;
    uint8_t out[64], got[64];
    stt_noise_cipher_init(&seals, psk);
    opens = seals;
    struct wr w = wr_init(out, sizeof out), plain = wr_init(got, sizeof got);
    ck_assert(stt_noise_cipher_seal(&seals, payload, payload, &w));
    ck_assert(!stt_noise_cipher_open(&opens, BYTES_NONE, wr_done(&w), &plain));
    ck_assert(plain.bad && opens.n == 0);
    plain = wr_init(got, sizeof got);
    ck_assert(stt_noise_cipher_open(&opens, payload, wr_done(&w), &plain));
    ck_assert(bytes_equal(wr_done(&plain), payload) && opens.n == 1);
}
END_TEST

START_TEST(a_cipher_without_a_key_passes_the_text)
{
    struct stt_noise_cipher_state c = {0};
    uint8_t out[64], got[64];
    struct wr w = wr_init(out, sizeof out), plain = wr_init(got, sizeof got);
    ck_assert(stt_noise_cipher_seal(&c, BYTES_NONE, payload, &w));
    ck_assert(bytes_equal(wr_done(&w), payload));
    ck_assert(stt_noise_cipher_open(&c, BYTES_NONE, wr_done(&w), &plain));
    ck_assert(bytes_equal(wr_done(&plain), payload));
    ck_assert_uint_eq(c.n, 0);
}
END_TEST

SUITE("noise", TEST(all_published_vectors_pass_in_one_go_and_in_steps),
      LOOP(every_flipped_bit_of_every_message_is_refused, 0, PROTOCOL_PATTERNS),
      LOOP(every_prefix_and_every_longer_message_is_refused, 0, PROTOCOL_PATTERNS),
      LOOP(every_buffer_that_is_too_small_is_refused, 0, PROTOCOL_PATTERNS),
      LOOP(ephemeral_keys_of_small_order_are_refused, 0, SMALL_ORDER),
      LOOP(static_keys_of_small_order_are_refused, 0, SMALL_ORDER),
      TEST(own_ephemeral_key_from_the_other_side_is_refused),
      TEST(an_ephemeral_key_equal_to_the_peers_is_not_sent),
      TEST(own_static_key_from_the_other_side_is_refused), TEST(another_prologue_is_refused),
      LOOP(another_psk_is_refused, 0, PROTOCOL_PATTERNS),
      LOOP(messages_have_exactly_the_tokens_of_the_spec, 0, PROTOCOL_PATTERNS),
      TEST(h_after_token_e_is_the_same_on_both_sides_before_the_payload),
      LOOP(responder_knows_the_static_key_before_the_last_dh, 0, 4),
      TEST(psk_can_come_as_late_as_its_token),
      TEST(wrong_psk_shows_behind_its_token_and_forgery_before_it),
      TEST(a_token_that_is_not_ahead_is_refused),
      LOOP(initiator_survives_a_forged_message_on_a_copy, 0, PROTOCOL_PATTERNS),
      LOOP(nobody_speaks_or_listens_out_of_turn, 0, PROTOCOL_PATTERNS),
      LOOP(split_comes_last_agrees_and_wipes, 0, PROTOCOL_PATTERNS),
      TEST(a_wiped_state_refuses_everything),
      LOOP(ephemeral_secrets_and_psks_do_not_outlive_their_last_use, 0, PROTOCOL_PATTERNS),
      TEST(keys_that_the_pattern_lacks_or_does_not_take_are_refused),
      TEST(an_ephemeral_key_is_asked_for_at_its_token), TEST(a_message_has_at_most_65535_bytes),
      TEST(the_last_nonce_is_refused), TEST(a_failed_open_does_not_count),
      TEST(a_cipher_without_a_key_passes_the_text))
