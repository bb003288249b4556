/* SPDX-License-Identifier: MIT */
#include "crypto/code.h"
#include "stt/error.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

enum { LIST_ROOM = 64 };

START_TEST(code_is_made_and_shown_as_in_the_vectors)
{
    json_t *file = vector_file("code.json"), *vector;
    size_t i;
    json_array_foreach(vector_of(file, "made"), i, vector)
    {
        uint8_t entropy[STT_CODE_ENTROPY_BYTES];
        struct wr w = wr_init(entropy, sizeof entropy);
        wr_u64(&w, vector_number(vector, "slot") - 1);
        wr_bytes(&w, vector_bytes(vector, "secret"));

        struct stt_code code;
        char text[STT_CODE_TEXT_BYTES];
        stt_code_generate(&code, entropy);
        ck_assert_uint_eq(code.slot, vector_number(vector, "slot"));
        ck_assert(bytes_equal(stt_code_prs(&code), vector_bytes(vector, "prs")));
        stt_code_text(text, &code);
        ck_assert_str_eq(text, vector_text(vector, "text"));
    }
    ck_assert_uint_ge(i, 5);
    json_decref(file);
}
END_TEST

START_TEST(code_reads_all_that_people_may_type)
{
    json_t *file = vector_file("code.json"), *vector;
    size_t i;
    json_array_foreach(vector_of(file, "read"), i, vector)
    {
        struct stt_code code = {0};
        ck_assert_int_eq(stt_code_read(&code, vector_bytes(vector, "text")), STT_OK);
        ck_assert_uint_eq(code.slot, vector_number(vector, "slot"));
        ck_assert(bytes_equal(stt_code_prs(&code), vector_bytes(vector, "prs")));
    }
    ck_assert_uint_ge(i, 10);
    json_decref(file);
}
END_TEST

START_TEST(code_refuses_what_is_none_and_keeps_what_it_had)
{
    json_t *file = vector_file("code.json");
    struct bytes texts[LIST_ROOM];
    size_t n = vector_list(file, "not_read", texts, LIST_ROOM);
    ck_assert_uint_ge(n, 20);
    for (size_t i = 0; i < n; i++) {
        struct stt_code code = {.slot = 3, .prs_len = 7};
        ck_assert_int_eq(stt_code_read(&code, texts[i]), STT_E_FORMAT);
        ck_assert_uint_eq(code.slot, 3);
        ck_assert_uint_eq(code.prs_len, 7);
    }
    struct stt_code code;
    ck_assert_int_eq(stt_code_read(&code, BYTES_NONE), STT_E_FORMAT);
    json_decref(file);
}
END_TEST

START_TEST(code_refuses_every_prefix_of_a_code)
{
    const struct bytes text = BYTES_TEXT("9417-k7qd-x2mz");
    struct stt_code code;
    for (size_t len = 0; len < text.len; len++)
        ck_assert_int_eq(stt_code_read(&code, bytes_of(text.data, len)), STT_E_FORMAT);
    ck_assert_int_eq(stt_code_read(&code, text), STT_OK);
}
END_TEST

START_TEST(code_reads_what_it_generated)
{
    struct rng rng = rng_init(1);
    for (int i = 0; i < 2000; i++) {
        uint8_t entropy[STT_CODE_ENTROPY_BYTES];
        char text[STT_CODE_TEXT_BYTES];
        struct stt_code made = {0}, read = {0};
        rng_fill(&rng, entropy, sizeof entropy);
        stt_code_generate(&made, entropy);
        ck_assert_uint_ge(made.slot, 1);
        ck_assert_uint_le(made.slot, STT_CODE_LAST_SLOT);
        stt_code_text(text, &made);
        ck_assert_int_eq(stt_code_read(&read, bytes_of(text, strlen(text))), STT_OK);
        ck_assert_uint_eq(read.slot, made.slot);
        ck_assert(bytes_equal(stt_code_prs(&read), stt_code_prs(&made)));
    }
}
END_TEST

START_TEST(passphrase_is_normalised_as_in_the_vectors)
{
    json_t *file = vector_file("code.json"), *vector;
    size_t i;
    json_array_foreach(vector_of(file, "passphrases"), i, vector)
    {
        uint8_t out[STT_PASSPHRASE_MOST];
        size_t len = stt_passphrase_normalise(out, vector_bytes(vector, "passphrase"));
        ck_assert(bytes_equal(bytes_of(out, len), vector_bytes(vector, "normalised")));
        uint8_t again[STT_PASSPHRASE_MOST];
        ck_assert_uint_eq(stt_passphrase_normalise(again, bytes_of(out, len)), len);
        ck_assert_mem_eq(out, again, len);
    }
    ck_assert_uint_ge(i, 5);
    json_decref(file);
}
END_TEST

START_TEST(passphrase_that_is_none_is_refused)
{
    json_t *file = vector_file("code.json");
    struct bytes texts[LIST_ROOM];
    size_t n = vector_list(file, "not_passphrases", texts, LIST_ROOM);
    ck_assert_uint_ge(n, 10);
    for (size_t i = 0; i < n; i++) {
        uint8_t out[STT_PASSPHRASE_MOST];
        struct stt_code code;
        ck_assert_uint_eq(stt_passphrase_normalise(out, texts[i]), 0);
        ck_assert_int_eq(stt_code_stretch(&code, texts[i]), STT_E_FORMAT);
    }
    json_decref(file);
}
END_TEST

START_TEST(passphrase_is_stretched_as_in_the_vectors)
{
    json_t *file = vector_file("code.json");
    const json_t *vector = json_array_get(vector_of(file, "stretched"), 0);
    struct stt_code code, same;
    ck_assert_int_eq(stt_code_stretch(&code, vector_bytes(vector, "passphrase")), STT_OK);
    ck_assert_uint_eq(code.slot, 0);
    ck_assert(bytes_equal(stt_code_prs(&code), vector_bytes(vector, "prs")));
    ck_assert_int_eq(stt_code_stretch(&same, vector_bytes(vector, "normalised")), STT_OK);
    ck_assert(bytes_equal(stt_code_prs(&same), stt_code_prs(&code)));
    json_decref(file);
}
END_TEST

START_TEST(code_psk_agrees_with_the_vector)
{
    json_t *file = vector_file("code.json");
    const json_t *vector = vector_of(file, "psk");
    uint8_t psk[32];
    stt_code_psk(psk, vector_bytes(vector, "isk").data, vector_bytes(vector, "sid").data);
    ck_assert_mem_eq(psk, vector_bytes(vector, "psk").data, 32);
    json_decref(file);
}
END_TEST

SUITE("code", TEST(code_is_made_and_shown_as_in_the_vectors),
      TEST(code_reads_all_that_people_may_type),
      TEST(code_refuses_what_is_none_and_keeps_what_it_had),
      TEST(code_refuses_every_prefix_of_a_code), TEST(code_reads_what_it_generated),
      TEST(passphrase_is_normalised_as_in_the_vectors), TEST(passphrase_that_is_none_is_refused),
      TEST(passphrase_is_stretched_as_in_the_vectors), TEST(code_psk_agrees_with_the_vector))
