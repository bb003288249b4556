/* SPDX-License-Identifier: MIT */
#include "crypto/refused.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

START_TEST(refused_agrees_with_the_vectors)
{
    json_t *file = vector_file("code.json");
    const json_t *vector = json_array_get(vector_of(file, "refused"), (size_t)_i);
    const uint8_t *header = vector_bytes(vector, "header").data;
    uint8_t key[32], sealed[17], reason;
    stt_refused_key(key, vector_bytes(vector, "ck").data);
    ck_assert_mem_eq(key, vector_bytes(vector, "key").data, 32);
    stt_refused_seal(sealed, key, header, (uint8_t)vector_number(vector, "reason"));
    ck_assert_mem_eq(sealed, vector_bytes(vector, "sealed").data, 17);
    ck_assert(stt_refused_open(&reason, key, header, sealed));
    ck_assert_uint_eq(reason, vector_number(vector, "reason"));
    json_decref(file);
}
END_TEST

START_TEST(refused_does_not_open_when_a_byte_changed)
{
    uint8_t key[32] = {1}, header[10] = {2}, sealed[17], reason;
    stt_refused_seal(sealed, key, header, STT_REFUSED_WRONG);
    uint8_t *const inputs[] = {key, header, sealed};
    const size_t sizes[] = {sizeof key, sizeof header, sizeof sealed};
    for (size_t i = 0; i < 3; i++)
        for (size_t byte = 0; byte < sizes[i]; byte++) {
            inputs[i][byte] ^= 0x01;
            ck_assert(!stt_refused_open(&reason, key, header, sealed));
            inputs[i][byte] ^= 0x01;
        }
    ck_assert(stt_refused_open(&reason, key, header, sealed));
}
END_TEST

START_TEST(refused_knows_only_the_reasons_of_the_table)
{
    uint8_t key[32] = {1}, header[10] = {2}, sealed[17], out;
    for (unsigned reason = 0; reason < 256; reason++) {
        stt_refused_seal(sealed, key, header, (uint8_t)reason);
        ck_assert_int_eq(stt_refused_open(&out, key, header, sealed), reason == 1 || reason == 2);
    }
}
END_TEST

SUITE("refused", LOOP(refused_agrees_with_the_vectors, 0, 2),
      TEST(refused_does_not_open_when_a_byte_changed),
      TEST(refused_knows_only_the_reasons_of_the_table))
