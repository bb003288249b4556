/* SPDX-License-Identifier: MIT
 * The hash of what travels: the same, in whatever pieces it comes. */
#include "tools/sttcat/hash.h"

#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 100000 };
static uint8_t data[BYTES_MAX];

static void text_of(const struct hash *h, char text[33])
{
    struct wire_hash value = hash_value(h);
    hash_text(&value, text);
}

/* XXH3 of 128 bits as xxh128sum prints it. */
START_TEST(known_bytes_have_their_known_hash)
{
    char text[33];
    struct hash *h = hash_new();
    text_of(h, text);
    ck_assert_str_eq(text, "99aa06d3014798d86001c324468d497f");
    hash_add(h, "a", 1);
    text_of(h, text);
    ck_assert_str_eq(text, "a96faf705af16834e6c632b61e964e1f");
    hash_restart(h);
    text_of(h, text);
    ck_assert_str_eq(text, "99aa06d3014798d86001c324468d497f");
    ck_assert_uint_eq(hash_bytes(h), 0);
    hash_free(h);
}
END_TEST

START_TEST(pieces_make_no_difference)
{
    struct hash *whole = hash_new(), *parts = hash_new();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 + i / 257);
    hash_add(whole, data, sizeof data);
    for (size_t at = 0, len = 0; at < sizeof data; at += len, len = (len * 7 + 3) % 5000) {
        len = len < sizeof data - at ? len : sizeof data - at;
        hash_add(parts, data + at, len);
        (void)hash_value(parts); /* a look does no harm */
    }
    struct wire_hash a = hash_value(whole), b = hash_value(parts);
    ck_assert(hash_equal(&a, &b));
    ck_assert_uint_eq(hash_bytes(parts), sizeof data);
    hash_add(parts, "x", 1);
    b = hash_value(parts);
    ck_assert(!hash_equal(&a, &b));
    hash_free(whole);
    hash_free(parts);
}
END_TEST

START_TEST(zeros_are_zeros)
{
    static const size_t sizes[] = {0, 1, 239, 16383, 16384, 16385, 65536, BYTES_MAX};
    memset(data, 0, sizeof data);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct hash *bytes = hash_new(), *zeros = hash_new();
        hash_add(bytes, "head", 4);
        hash_add(zeros, "head", 4);
        hash_add(bytes, data, sizes[i]);
        hash_add_zeros(zeros, sizes[i]);
        struct wire_hash a = hash_value(bytes), b = hash_value(zeros);
        ck_assert(hash_equal(&a, &b));
        ck_assert_uint_eq(hash_bytes(zeros), sizes[i] + 4);
        hash_free(bytes);
        hash_free(zeros);
    }
}
END_TEST

SUITE("hash", TEST(known_bytes_have_their_known_hash), TEST(pieces_make_no_difference),
      TEST(zeros_are_zeros))
