/* SPDX-License-Identifier: MIT
 * Varints against the normative vectors, and at both ends of a buffer. */
#include "stt/wire/varint.h"

#include "tests/support/hex.h"
#include "tests/support/rng.h"
#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

enum { BEHIND = 8 }; /* bytes behind a varint that send its codec along the word-wise way */

static uint64_t random_value(struct rng *rng)
{
    return rng_u64(rng) >> rng_between(rng, 2, 63);
}

/* Decodes bytes that are followed by `behind` others, in a buffer that ends there. */
static bool decode(struct bytes b, size_t behind, uint64_t *v)
{
    size_t len = b.len + behind;
    uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees the end */
    ck_assert_ptr_nonnull(exact);
    memset(exact, 0xff, len);
    if (b.len)
        memcpy(exact, b.data, b.len);
    struct rd r = rd_init(bytes_of(exact, len));
    *v = rd_varint(&r);
    bool ok = !r.bad && rd_left(&r) == behind;
    ck_assert(ok || r.bad);
    free(exact);
    return ok;
}

static void check_decodes(const json_t *vector, struct bytes b, uint64_t expected)
{
    const char *comment = json_string_value(json_object_get(vector, "comment"));
    bool shortest = json_is_true(json_object_get(vector, "shortest"));
    for (size_t behind = 0; behind <= BEHIND; behind++) {
        uint64_t v;
        ck_assert_msg(decode(b, behind, &v) && v == expected, "%s", comment);
    }
    struct rd r = rd_init(b);
    ck_assert_msg(rd_varint_shortest(&r) == (shortest ? expected : 0), "%s", comment);
    ck_assert_msg(r.bad == !shortest, "%s", comment);
}

static void check_encodes(const json_t *vector, struct bytes b, uint64_t v)
{
    const char *comment = json_string_value(json_object_get(vector, "comment"));
    bool shortest = json_is_true(json_object_get(vector, "shortest"));
    for (size_t behind = 0; behind <= BEHIND; behind++) {
        uint8_t out[32];
        struct wr w = wr_init(out, stt_varint_size(v) + behind);
        wr_varint(&w, v);
        ck_assert_msg(!w.bad && bytes_equal(wr_done(&w), b) == shortest, "%s", comment);
        ck_assert_uint_eq(wr_left(&w), behind);
    }
}

static void check_not_encodable(const json_t *vector, uint64_t v)
{
    uint8_t out[32];
    struct wr w = wr_init(out, sizeof out);
    wr_varint(&w, v);
    ck_assert_msg(w.bad && wr_len(&w) == 0, "%s",
                  json_string_value(json_object_get(vector, "comment")));
}

START_TEST(varints_are_those_of_the_vectors)
{
    json_t *vectors = spec_vectors("varint.json"), *vector;
    size_t i;
    json_array_foreach(vectors, i, vector)
    {
        const json_t *text = json_object_get(vector, "bytes");
        uint8_t data[16];
        struct bytes b = {data, 0};
        uint64_t v = 0;
        bool has_value = spec_member_u64(vector, "value", &v);
        if (json_is_null(text)) {
            check_not_encodable(vector, v);
            continue;
        }
        b.len = hex_decode(json_string_value(text), data, sizeof data);
        if (has_value) {
            check_decodes(vector, b, v);
            check_encodes(vector, b, v);
        } else {
            ck_assert_msg(!decode(b, 0, &v) && v == 0, "%s",
                          json_string_value(json_object_get(vector, "comment")));
        }
    }
    json_decref(vectors);
}
END_TEST

START_TEST(varints_survive_a_round_trip)
{
    struct rng rng = rng_init(1);
    for (int n = 0; n < 20000; n++) {
        uint64_t v = random_value(&rng);
        uint8_t out[32];
        struct wr w = wr_init(out, rng_between(&rng, 8, 32));
        wr_varint(&w, v);
        ck_assert_uint_eq(wr_len(&w), stt_varint_size(v));
        uint64_t again;
        ck_assert(decode(wr_done(&w), rng_below(&rng, 16), &again));
        ck_assert_uint_eq(again, v);
    }
}
END_TEST

START_TEST(a_prefix_of_a_varint_is_refused)
{
    static const uint8_t long_one[] = {0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c};
    uint64_t v;
    for (size_t len = 0; len < sizeof long_one; len++)
        ck_assert(!decode(bytes_of(long_one, len), 0, &v));
    ck_assert(decode(BYTES(long_one), 0, &v));
}
END_TEST

START_TEST(a_varint_without_room_is_not_written)
{
    static const uint64_t values[] = {0, 64, 16384, STT_VARINT_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (size_t room = 0; room < stt_varint_size(values[i]); room++) {
            uint8_t out[8] = {0};
            struct wr w = wr_init(out, room);
            wr_varint(&w, values[i]);
            ck_assert(w.bad && wr_len(&w) == 0 && bytes_all_zero(BYTES(out)));
        }
}
END_TEST

START_TEST(a_failed_cursor_stays_failed)
{
    uint8_t data[16] = {1};
    struct rd r = rd_init(BYTES(data));
    r.bad = true;
    ck_assert_uint_eq(rd_varint(&r), 0);
    ck_assert_uint_eq(rd_varint_shortest(&r), 0);
    ck_assert(r.bad && r.at == data);
    struct wr w = wr_init(data, sizeof data);
    w.bad = true;
    wr_varint(&w, 7);
    ck_assert(w.bad && wr_len(&w) == 0 && data[0] == 1);
}
END_TEST

SUITE("varint", TEST(varints_are_those_of_the_vectors), TEST(varints_survive_a_round_trip),
      TEST(a_prefix_of_a_varint_is_refused), TEST(a_varint_without_room_is_not_written),
      TEST(a_failed_cursor_stays_failed))
