/* SPDX-License-Identifier: MIT
 * Packet headers: byte for byte as drawn in the spec, and everything else refused. */
#include "stt/wire/packet.h"

#include "stt/base/number.h"
#include "tests/support/hex.h"
#include "tests/support/rng.h"
#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <string.h>
#include <strings.h>

#define ID(n)                                                                                      \
    {                                                                                              \
        {                                                                                          \
            n, n, n, n, n, n, n, n                                                                 \
        }                                                                                          \
    }
#define SIXTEEN(n)                                                                                 \
    {                                                                                              \
        n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n                                             \
    }
#define MODE_BITS(m) (1u << STT_MODE_##m)

static const uint8_t noise[48] = {0x10, 0x11, 0x12, 0x13};

static const struct packet_message_1 message_1 = {
    STT_MODE_W, ID(0xa1), {noise, sizeof noise}, SIXTEEN(0xc1), SIXTEEN(0xc2)};
static const struct packet_message_2 message_2 = {
    STT_MODE_K, ID(0xa1), ID(0xb2), {noise, sizeof noise}, SIXTEEN(0xc1)};
static const struct packet_message_3 message_3 = {
    STT_MODE_S, ID(0xb2), {noise, sizeof noise}, SIXTEEN(0xc1), SIXTEEN(0xc2)};
static const struct packet_cookie_reply cookie_reply = {
    STT_MODE_Q, ID(0xa1), {0xd1, 0xd2}, {0xe1, 0xe2}};
static const struct packet_refused refused = {STT_MODE_W, ID(0xa1), {0xf1, 0xf2}};

/* A packet of each kind, so that one test can treat all alike. */
static bool encode(enum stt_packet_kind kind, struct wr *w)
{
    switch (kind) {
    case STT_PACKET_MESSAGE_1:
        return stt_packet_message_1_encode(w, &message_1);
    case STT_PACKET_MESSAGE_2:
        return stt_packet_message_2_encode(w, &message_2);
    case STT_PACKET_MESSAGE_3:
        return stt_packet_message_3_encode(w, &message_3);
    case STT_PACKET_COOKIE_REPLY:
        return stt_packet_cookie_reply_encode(w, &cookie_reply);
    default:
        return stt_packet_refused_encode(w, &refused);
    }
}

static bool decode(enum stt_packet_kind kind, struct bytes datagram)
{
    union {
        struct packet_message_1 m1;
        struct packet_message_2 m2;
        struct packet_message_3 m3;
        struct packet_cookie_reply cookie;
        struct packet_refused refused;
    } f;
    switch (kind) {
    case STT_PACKET_MESSAGE_1:
        return stt_packet_message_1_decode(datagram, &f.m1);
    case STT_PACKET_MESSAGE_2:
        return stt_packet_message_2_decode(datagram, &f.m2);
    case STT_PACKET_MESSAGE_3:
        return stt_packet_message_3_decode(datagram, &f.m3);
    case STT_PACKET_COOKIE_REPLY:
        return stt_packet_cookie_reply_decode(datagram, &f.cookie);
    default:
        return stt_packet_refused_decode(datagram, &f.refused);
    }
}

/* A valid packet in room for one more byte. */
struct sample {
    uint8_t data[STT_HANDSHAKE_BYTES + 1];
    size_t len;
};

static struct bytes sample_init(struct sample *s, enum stt_packet_kind kind)
{
    memset(s, 0, sizeof *s);
    struct wr w = wr_init(s->data, sizeof s->data);
    ck_assert(encode(kind, &w));
    s->len = wr_len(&w);
    ck_assert(decode(kind, wr_done(&w)));
    return wr_done(&w);
}

static void check_drawn(struct bytes b, size_t at, const char *hex)
{
    uint8_t expected[64];
    size_t len = hex_decode(hex, expected, sizeof expected);
    ck_assert_uint_le(at + len, b.len);
    ck_assert_mem_eq(b.data + at, expected, len);
}

START_TEST(message_1_is_as_drawn)
{
    struct sample s;
    struct bytes b = sample_init(&s, STT_PACKET_MESSAGE_1);
    ck_assert_uint_eq(b.len, STT_HANDSHAKE_BYTES);
    check_drawn(b, 0, "93 01 a1a1a1a1a1a1a1a1 0030 10111213");
    ck_assert(bytes_all_zero(bytes_of(b.data + 60, 1168 - 60)));
    check_drawn(b, 1168, "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1 c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2");
    ck_assert_uint_eq(stt_packet_before_mac1(STT_PACKET_MESSAGE_1, b).len, 1168);

    struct packet_message_1 f;
    ck_assert(stt_packet_message_1_decode(b, &f));
    ck_assert(f.mode == message_1.mode && stt_id_equal(f.initiator, message_1.initiator));
    ck_assert(bytes_equal(f.noise, message_1.noise) && f.noise.data == b.data + 12);
    ck_assert_mem_eq(f.mac1, message_1.mac1, STT_MAC_BYTES);
    ck_assert_mem_eq(f.mac2, message_1.mac2, STT_MAC_BYTES);
}
END_TEST

START_TEST(message_2_is_as_drawn)
{
    struct sample s;
    struct bytes b = sample_init(&s, STT_PACKET_MESSAGE_2);
    ck_assert_uint_eq(b.len, 20 + 48 + 16);
    check_drawn(b, 0, "a1 01 a1a1a1a1a1a1a1a1 b2b2b2b2b2b2b2b2 0030 10111213");
    check_drawn(b, 68, "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1");
    ck_assert_uint_eq(stt_packet_before_mac1(STT_PACKET_MESSAGE_2, b).len, 68);

    struct packet_message_2 f;
    ck_assert(stt_packet_message_2_decode(b, &f));
    ck_assert(f.mode == message_2.mode && stt_id_equal(f.initiator, message_2.initiator));
    ck_assert(stt_id_equal(f.responder, message_2.responder));
    ck_assert(bytes_equal(f.noise, message_2.noise));
    ck_assert_mem_eq(f.mac1, message_2.mac1, STT_MAC_BYTES);
}
END_TEST

START_TEST(message_3_is_as_drawn)
{
    struct sample s;
    struct bytes b = sample_init(&s, STT_PACKET_MESSAGE_3);
    ck_assert_uint_eq(b.len, 12 + 48 + 32);
    check_drawn(b, 0, "b2 01 b2b2b2b2b2b2b2b2 0030 10111213");
    check_drawn(b, 60, "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1 c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2");
    ck_assert_uint_eq(stt_packet_before_mac1(STT_PACKET_MESSAGE_3, b).len, 60);

    struct packet_message_3 f;
    ck_assert(stt_packet_message_3_decode(b, &f));
    ck_assert(f.mode == message_3.mode && stt_id_equal(f.responder, message_3.responder));
    ck_assert(bytes_equal(f.noise, message_3.noise));
    ck_assert_mem_eq(f.mac1, message_3.mac1, STT_MAC_BYTES);
    ck_assert_mem_eq(f.mac2, message_3.mac2, STT_MAC_BYTES);
}
END_TEST

START_TEST(a_cookie_reply_is_as_drawn)
{
    struct sample s;
    struct bytes b = sample_init(&s, STT_PACKET_COOKIE_REPLY);
    ck_assert_uint_eq(b.len, 66);
    check_drawn(b, 0, "c4 01 a1a1a1a1a1a1a1a1 d1d20000");
    check_drawn(b, 34, "e1e20000");

    struct packet_cookie_reply f;
    ck_assert(stt_packet_cookie_reply_decode(b, &f));
    ck_assert(f.mode == cookie_reply.mode && stt_id_equal(f.initiator, cookie_reply.initiator));
    ck_assert_mem_eq(f.nonce, cookie_reply.nonce, sizeof f.nonce);
    ck_assert_mem_eq(f.sealed_cookie, cookie_reply.sealed_cookie, sizeof f.sealed_cookie);
}
END_TEST

START_TEST(a_refusal_is_as_drawn)
{
    struct sample s;
    struct bytes b = sample_init(&s, STT_PACKET_REFUSED);
    ck_assert_uint_eq(b.len, 27);
    check_drawn(b, 0, "d3 01 a1a1a1a1a1a1a1a1 f1f20000");

    struct packet_refused f;
    ck_assert(stt_packet_refused_decode(b, &f));
    ck_assert(f.mode == refused.mode && stt_id_equal(f.initiator, refused.initiator));
    ck_assert_mem_eq(f.sealed_reason, refused.sealed_reason, sizeof f.sealed_reason);
}
END_TEST

START_TEST(every_other_length_is_refused)
{
    enum stt_packet_kind kind = (enum stt_packet_kind)_i;
    struct sample s;
    sample_init(&s, kind);
    for (size_t len = 0; len <= sizeof s.data; len++) {
        bool right = len == s.len;
        ck_assert_msg(decode(kind, bytes_of(s.data, len)) == right, "%zu bytes", len);
        /* messages 2 and 3 say their length themselves: that is found out by decoding */
        bool varies = kind == STT_PACKET_MESSAGE_2 || kind == STT_PACKET_MESSAGE_3;
        if (!varies || right || len > STT_HANDSHAKE_BYTES)
            ck_assert_int_eq(stt_packet_classify(bytes_of(s.data, len)),
                             right ? kind : STT_PACKET_INVALID);
    }
}
END_TEST

START_TEST(every_too_small_buffer_is_refused)
{
    enum stt_packet_kind kind = (enum stt_packet_kind)_i;
    struct sample s;
    sample_init(&s, kind);
    for (size_t room = 0; room < s.len; room++) {
        struct wr w = wr_init(s.data, room);
        ck_assert(!encode(kind, &w));
        ck_assert(wr_len(&w) == 0 && !w.bad);
    }
}
END_TEST

/* Which modes a kind exists in, from the spec's tables. */
static void modes_of_spec(unsigned modes[8])
{
    struct spec_table kinds, names;
    spec_table_init(&kinds, "02-wire.md", "| kind | name | from |");
    spec_table_init(&names, "02-wire.md", "| mode | name | Noise protocol name |");
    ck_assert_uint_eq(names.rows, 4);
    memset(modes, 0, 8 * sizeof modes[0]);
    for (size_t i = 0; i < kinds.rows; i++) {
        const char *at = kinds.cell[i][0], *only = strstr(kinds.cell[i][2], "mode");
        uint64_t kind, mode;
        ck_assert(spec_number(&at, &kind) && kind < 8);
        for (size_t j = 0; j < names.rows; j++) {
            at = names.cell[j][0];
            ck_assert(spec_number(&at, &mode) && mode < 16);
            if (!only || strstr(only, names.cell[j][1]))
                modes[kind] |= 1u << mode;
        }
    }
    spec_table_fini(&names);
    spec_table_fini(&kinds);
}

START_TEST(only_kinds_modes_and_the_version_of_the_spec_are_classified)
{
    unsigned modes[8];
    modes_of_spec(modes);
    ck_assert_uint_eq(modes[STT_PACKET_MESSAGE_1],
                      MODE_BITS(K) | MODE_BITS(S) | MODE_BITS(W) | MODE_BITS(Q));
    ck_assert_uint_eq(modes[STT_PACKET_REFUSED], MODE_BITS(W));
    for (unsigned kind = 0; kind < 8; kind++)
        for (unsigned mode = 0; mode < 16; mode++)
            for (unsigned version = 0; version < 4; version++) {
                struct sample s = {.len = STT_HANDSHAKE_BYTES};
                bool known = kind >= STT_PACKET_MESSAGE_1 && kind <= STT_PACKET_REFUSED;
                sample_init(&s, known ? (enum stt_packet_kind)kind : STT_PACKET_MESSAGE_1);
                s.data[0] = (uint8_t)(0x80 | kind << 4 | mode);
                s.data[1] = (uint8_t)version;
                bool valid = (modes[kind] >> mode & 1) && version == 1;
                struct bytes b = bytes_of(s.data, s.len);
                ck_assert_int_eq(stt_packet_classify(b), valid ? kind : STT_PACKET_INVALID);
                if (known)
                    ck_assert_int_eq(decode((enum stt_packet_kind)kind, b), valid);
                if (valid)
                    ck_assert_int_eq(stt_packet_mode(b), mode);
            }
}
END_TEST

START_TEST(a_decoder_refuses_packets_of_other_kinds)
{
    for (unsigned other = STT_PACKET_MESSAGE_1; other <= STT_PACKET_REFUSED; other++) {
        struct sample s;
        struct bytes b = sample_init(&s, (enum stt_packet_kind)other);
        ck_assert_int_eq(decode((enum stt_packet_kind)_i, b), other == (unsigned)_i);
    }
}
END_TEST

START_TEST(an_id_of_zeros_is_refused)
{
    enum stt_packet_kind kind = (enum stt_packet_kind)_i;
    struct sample s;
    struct bytes b = sample_init(&s, kind);
    memset(s.data + 2, 0, STT_ID_BYTES);
    ck_assert(!decode(kind, b));
    if (kind == STT_PACKET_MESSAGE_2) {
        b = sample_init(&s, kind);
        memset(s.data + 10, 0, STT_ID_BYTES);
        ck_assert(!decode(kind, b));
    }
    struct packet_refused f = refused;
    f.initiator = (struct stt_id){{0}};
    struct wr w = wr_init(s.data, sizeof s.data);
    ck_assert(!stt_packet_refused_encode(&w, &f) && wr_len(&w) == 0);
}
END_TEST

START_TEST(every_byte_of_padding_must_be_zero)
{
    struct sample s;
    struct bytes b = sample_init(&s, STT_PACKET_MESSAGE_1);
    for (size_t at = 60; at < 1168; at++) {
        s.data[at] = 0x40;
        ck_assert_msg(!decode(STT_PACKET_MESSAGE_1, b), "byte %zu", at);
        s.data[at] = 0;
    }
    ck_assert(decode(STT_PACKET_MESSAGE_1, b));
}
END_TEST

START_TEST(the_longest_noise_message_fits_and_no_longer_one)
{
    static const uint8_t longest[STT_HANDSHAKE_BYTES] = {0};
    struct sample s;
    struct packet_message_1 m1 = message_1, got1;
    struct packet_message_2 m2 = message_2, got2;
    struct packet_message_3 m3 = message_3, got3;
    for (size_t over = 0; over <= 1; over++) {
        struct wr w = wr_init(s.data, sizeof s.data);
        m1.noise = bytes_of(longest, STT_NOISE_BYTES_MAX_1 + over);
        ck_assert_int_eq(stt_packet_message_1_encode(&w, &m1), !over);
        ck_assert(over || stt_packet_message_1_decode(wr_done(&w), &got1));
        w = wr_init(s.data, sizeof s.data);
        m2.noise = bytes_of(longest, STT_NOISE_BYTES_MAX_2 + over);
        ck_assert_int_eq(stt_packet_message_2_encode(&w, &m2), !over);
        ck_assert(over || (wr_len(&w) == STT_HANDSHAKE_BYTES &&
                           stt_packet_message_2_decode(wr_done(&w), &got2)));
        w = wr_init(s.data, sizeof s.data);
        m3.noise = bytes_of(longest, STT_NOISE_BYTES_MAX_3 + over);
        ck_assert_int_eq(stt_packet_message_3_encode(&w, &m3), !over);
        ck_assert(over || (wr_len(&w) == STT_HANDSHAKE_BYTES &&
                           stt_packet_message_3_decode(wr_done(&w), &got3)));
    }
}
END_TEST

/* The Noise Length field reaches over the macs, then over the end. */
START_TEST(a_noise_length_beyond_its_place_is_refused)
{
    struct sample s;
    struct bytes b = sample_init(&s, STT_PACKET_MESSAGE_1);
    for (size_t len = STT_NOISE_BYTES_MAX_1; len <= 0xffff; len++) {
        s.data[10] = (uint8_t)(len >> 8);
        s.data[11] = (uint8_t)len;
        ck_assert_int_eq(decode(STT_PACKET_MESSAGE_1, b), len == STT_NOISE_BYTES_MAX_1);
    }
}
END_TEST

START_TEST(a_mode_that_a_kind_does_not_have_is_not_written)
{
    struct sample s;
    struct wr w = wr_init(s.data, sizeof s.data);
    struct packet_message_3 f = message_3;
    for (unsigned mode = 0; mode < 64; mode++) {
        f.mode = (enum stt_mode)mode;
        bool valid = mode == STT_MODE_S || mode == STT_MODE_W;
        ck_assert_int_eq(stt_packet_message_3_encode(&w, &f), valid);
        w = wr_init(s.data, sizeof s.data);
    }
}
END_TEST

START_TEST(a_protected_packet_has_at_least_29_bytes)
{
    uint8_t data[64] = {0x7f};
    for (size_t len = 0; len <= sizeof data; len++)
        ck_assert_int_eq(stt_packet_classify(bytes_of(data, len)),
                         len >= 29 ? STT_PACKET_PROTECTED : STT_PACKET_INVALID);
}
END_TEST

START_TEST(a_protected_header_is_as_drawn)
{
    uint8_t header[STT_PROTECTED_HEADER];
    struct stt_id id = {{1, 2, 3, 4, 5, 6, 7, 8}};
    stt_packet_protected_encode(header, true, id, UINT64_C(0x123456789abcdef0));
    check_drawn(BYTES(header), 0, "01 0102030405060708 9abcdef0");
    struct packet_protected f = stt_packet_protected_decode(header);
    ck_assert(f.flags == STT_PROTECTED_PHASE_BIT && stt_id_equal(f.id, id));
    ck_assert_uint_eq(f.number, 0x9abcdef0);
    stt_packet_protected_encode(header, false, id, 5);
    check_drawn(BYTES(header), 0, "00 0102030405060708 00000005");
    header[0] = 0x7f;
    f = stt_packet_protected_decode(header);
    ck_assert_uint_eq(f.flags & STT_PROTECTED_RESERVED, 0x7e);
}
END_TEST

START_TEST(a_datagram_is_found_by_its_first_id)
{
    for (unsigned kind = STT_PACKET_MESSAGE_1; kind <= STT_PACKET_REFUSED; kind++) {
        struct sample s;
        struct bytes b = sample_init(&s, (enum stt_packet_kind)kind);
        uint8_t expected = kind == STT_PACKET_MESSAGE_3 ? 0xb2 : 0xa1;
        ck_assert(stt_id_equal(stt_packet_id(b), kind == STT_PACKET_MESSAGE_3
                                                     ? message_3.responder
                                                     : message_1.initiator));
        ck_assert_uint_eq(stt_packet_id(b).bytes[0], expected);
    }
    uint8_t header[STT_PROTECTED_HEADER];
    struct stt_id id = {{1, 2, 3, 4, 5, 6, 7, 8}};
    stt_packet_protected_encode(header, true, id, 9);
    ck_assert(stt_id_equal(stt_packet_id(BYTES(header)), id));
}
END_TEST

/* Packet numbers, by the definition: the nearest in [0, 2^62) that ends so; the higher of two. */
static uint64_t nearest(uint64_t expected, uint32_t wire)
{
    const uint64_t window = UINT64_C(1) << 32;
    uint64_t best = 0, best_distance = UINT64_MAX, block = expected / window;
    for (uint64_t k = block < 3 ? 0 : block - 3; k <= block + 3; k++) {
        uint64_t n = k * window + wire;
        uint64_t distance = n > expected ? n - expected : expected - n;
        if (n < UINT64_C(1) << 62 && distance <= best_distance) {
            best = n;
            best_distance = distance;
        }
    }
    return best;
}

START_TEST(packet_numbers_are_those_of_the_vectors)
{
    json_t *vectors = spec_vectors("packet-number.json"), *vector;
    size_t i;
    json_array_foreach(vectors, i, vector)
    {
        const char *comment = json_string_value(json_object_get(vector, "comment"));
        uint64_t expected, number;
        uint8_t wire[4];
        ck_assert_msg(spec_member_u64(vector, "expected", &expected), "%s", comment);
        ck_assert_msg(spec_member_u64(vector, "number", &number), "%s", comment);
        const char *hex = json_string_value(json_object_get(vector, "wire"));
        ck_assert_uint_eq(hex_decode(hex, wire, sizeof wire), sizeof wire);
        ck_assert_msg(stt_number_recover(expected, be32_load(wire)) == number, "%s", comment);
        ck_assert_msg(nearest(expected, be32_load(wire)) == number, "%s", comment);
    }
    json_decref(vectors);
}
END_TEST

START_TEST(a_recovered_packet_number_is_the_nearest)
{
    struct rng rng = rng_init(2);
    for (int n = 0; n < 50000; n++) {
        uint64_t expected = rng_u64(&rng) >> rng_between(&rng, 2, 60);
        if (rng_chance(&rng, 20))
            expected = (UINT64_C(1) << 62) - 1 - expected % (UINT64_C(1) << 33);
        uint32_t wire = (uint32_t)rng_u64(&rng);
        if (rng_chance(&rng, 30)) /* about half a window away */
            wire = (uint32_t)(expected + (UINT64_C(1) << 31) + rng_below(&rng, 5) - 2);
        ck_assert_uint_eq(stt_number_recover(expected, wire), nearest(expected, wire));
    }
}
END_TEST

#define EACH_KIND(name) LOOP(name, STT_PACKET_MESSAGE_1, STT_PACKET_REFUSED + 1)

SUITE("packet", TEST(message_1_is_as_drawn), TEST(message_2_is_as_drawn),
      TEST(message_3_is_as_drawn), TEST(a_cookie_reply_is_as_drawn), TEST(a_refusal_is_as_drawn),
      EACH_KIND(every_other_length_is_refused), EACH_KIND(every_too_small_buffer_is_refused),
      TEST(only_kinds_modes_and_the_version_of_the_spec_are_classified),
      EACH_KIND(a_decoder_refuses_packets_of_other_kinds), EACH_KIND(an_id_of_zeros_is_refused),
      TEST(every_byte_of_padding_must_be_zero),
      TEST(the_longest_noise_message_fits_and_no_longer_one),
      TEST(a_noise_length_beyond_its_place_is_refused),
      TEST(a_mode_that_a_kind_does_not_have_is_not_written),
      TEST(a_protected_packet_has_at_least_29_bytes), TEST(a_protected_header_is_as_drawn),
      TEST(a_datagram_is_found_by_its_first_id), TEST(packet_numbers_are_those_of_the_vectors),
      TEST(a_recovered_packet_number_is_the_nearest))
