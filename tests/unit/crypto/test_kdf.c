/* SPDX-License-Identifier: MIT */
#include "crypto/kdf.h"
#include "tests/support/dies.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

static struct kdf_parts parts_of(const json_t *vector, struct bytes room[8])
{
    size_t n = vector_list(vector, "parts", room, 8);
    return (struct kdf_parts){room, n};
}

START_TEST(kdf_agrees_with_the_vectors_of_h)
{
    json_t *file = vector_file("kdf.json"), *vector;
    size_t i;
    json_array_foreach(vector_of(file, "H"), i, vector)
    {
        struct bytes parts[8], want = vector_bytes(vector, "out");
        uint8_t out[64];
        stt_kdf_hash(out, vector_number(vector, "n"), vector_text(vector, "label"),
                     parts_of(vector, parts));
        ck_assert_mem_eq(out, want.data, want.len);
    }
    ck_assert_uint_ge(i, 20);
    json_decref(file);
}
END_TEST

START_TEST(kdf_agrees_with_the_vectors_of_kh)
{
    json_t *file = vector_file("kdf.json"), *vector;
    size_t i;
    json_array_foreach(vector_of(file, "KH"), i, vector)
    {
        struct bytes parts[8], want = vector_bytes(vector, "out");
        uint8_t out[64];
        stt_kdf_keyed(out, vector_number(vector, "n"), vector_bytes(vector, "key"),
                      vector_text(vector, "label"), parts_of(vector, parts));
        ck_assert_mem_eq(out, want.data, want.len);
    }
    ck_assert_uint_ge(i, 40);
    json_decref(file);
}
END_TEST

START_TEST(kdf_tells_lists_apart_that_join_to_the_same_bytes)
{
    uint8_t one[32], two[32], three[32];
    stt_kdf_hash(one, 32, "l", KDF_PARTS(BYTES_TEXT("ab"), BYTES_TEXT("c")));
    stt_kdf_hash(two, 32, "l", KDF_PARTS(BYTES_TEXT("a"), BYTES_TEXT("bc")));
    stt_kdf_hash(three, 32, "l", KDF_PARTS(BYTES_TEXT("abc")));
    ck_assert_mem_ne(one, two, 32);
    ck_assert_mem_ne(one, three, 32);
    ck_assert_mem_ne(two, three, 32);
}
END_TEST

START_TEST(kdf_writes_integers_big_endian)
{
    uint64_t n = 0x0102030405060708;
    ck_assert(bytes_equal(KDF_U64(n), BYTES_TEXT("\1\2\3\4\5\6\7\10")));
    ck_assert(bytes_equal(KDF_U32(n), BYTES_TEXT("\5\6\7\10")));
    ck_assert(bytes_equal(KDF_U8(n), BYTES_TEXT("\10")));
}
END_TEST

START_TEST(kdf_may_write_where_its_key_is)
{
    uint8_t key[32] = {1, 2, 3}, apart[32];
    stt_kdf_keyed(apart, 32, BYTES(key), "stt1 test", KDF_PARTS(KDF_U8(7)));
    stt_kdf_keyed(key, 32, BYTES(key), "stt1 test", KDF_PARTS(KDF_U8(7)));
    ck_assert_mem_eq(key, apart, 32);
}
END_TEST

struct misuse {
    size_t len, key_len, part_len;
};

static const struct misuse misuses[] = {{0, 32, 1},  {15, 32, 1}, {65, 32, 1},      {32, 16, 1},
                                        {32, 33, 1}, {32, 65, 1}, {32, 32, 1 << 16}};

static void misuse(void *arg)
{
    static uint8_t memory[1 << 16];
    const struct misuse *m = arg;
    uint8_t out[128];
    stt_kdf_keyed(out, m->len, bytes_of(memory, m->key_len), "stt1 test",
                  KDF_PARTS(bytes_of(memory, m->part_len)));
}

START_TEST(kdf_stops_on_lengths_that_the_spec_does_not_have)
{
    struct misuse fine = {32, 32, 65535}, bad = misuses[_i];
    ck_assert(!dies(misuse, &fine));
    ck_assert(dies(misuse, &bad));
}
END_TEST

SUITE("kdf", TEST(kdf_agrees_with_the_vectors_of_h), TEST(kdf_agrees_with_the_vectors_of_kh),
      TEST(kdf_tells_lists_apart_that_join_to_the_same_bytes), TEST(kdf_writes_integers_big_endian),
      TEST(kdf_may_write_where_its_key_is),
      LOOP(kdf_stops_on_lengths_that_the_spec_does_not_have, 0, 7))
