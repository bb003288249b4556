/* SPDX-License-Identifier: MIT */
#include "crypto/keys.h"
#include "tests/support/dies.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

enum { SUITES = 4 };

static json_t *file, *schedule;
static struct stt_keys k;

static const struct stt_aead_suite *suite_named(const char *name)
{
    for (size_t i = 0; stt_aead_at(i); i++)
        if (strcmp(stt_aead_at(i)->name, name) == 0)
            return stt_aead_at(i);
    ck_abort_msg("no suite is called %s", name);
}

static const json_t *epoch_at(size_t number)
{
    return json_array_get(vector_of(schedule, "epochs"), number);
}

static void secrets_of(const json_t *epoch, uint8_t out[2][32])
{
    struct bytes secrets[2];
    ck_assert_uint_eq(vector_list(epoch, "secret", secrets, 2), 2);
    for (size_t d = 0; d < 2; d++)
        memcpy(out[d], secrets[d].data, 32);
}

static void begin(int suite, enum stt_direction send)
{
    uint8_t secrets[2][32];
    file = vector_file("key-schedule.json");
    schedule = json_array_get(vector_of(file, "schedules"), (size_t)suite);
    secrets_of(epoch_at(0), secrets);
    stt_keys_init(&k, suite_named(vector_text(schedule, "suite")), send, secrets);
}

static void check_epoch(const struct stt_epoch *epoch, const json_t *vector)
{
    struct bytes secret[2], key[2], iv[2];
    vector_list(vector, "secret", secret, 2);
    vector_list(vector, "key", key, 2);
    vector_list(vector, "iv", iv, 2);
    for (size_t d = 0; d < 2; d++) {
        ck_assert_mem_eq(epoch->secret[d], secret[d].data, 32);
        ck_assert_uint_eq(key[d].len, k.suite->key_bytes);
        ck_assert_mem_eq(epoch->packet[d].key, key[d].data, key[d].len);
        ck_assert_uint_eq(iv[d].len, k.suite->nonce_bytes);
        ck_assert_mem_eq(epoch->packet[d].iv, iv[d].data, iv[d].len);
    }
}

START_TEST(keys_agree_with_the_vectors_over_updates_and_rekey)
{
    begin(_i, STT_TO_RESPONDER);
    for (size_t e = 0; e < json_array_size(vector_of(schedule, "epochs")); e++) {
        uint8_t exporter[32], secrets[2][32];
        if (strcmp(vector_text(epoch_at(e), "begun_by"), "rekey") == 0) {
            secrets_of(epoch_at(e), secrets);
            stt_keys_install(&k, secrets);
        }
        if (e > 0) {
            check_epoch(&k.next, epoch_at(e)); /* before it begins */
            stt_keys_advance(&k);
        }
        ck_assert_uint_eq(k.number, e);
        check_epoch(&k.current, epoch_at(e));
        stt_keys_exporter(exporter, &k, vector_bytes(epoch_at(e), "h").data);
        ck_assert_mem_eq(exporter, vector_bytes(epoch_at(e), "exporter").data, 32);
    }
    json_decref(file);
}
END_TEST

START_TEST(keys_mask_as_in_the_vectors)
{
    begin(_i, STT_TO_RESPONDER);
    struct bytes want[2];
    ck_assert_uint_eq(vector_list(schedule, "mask", want, 2), 2);
    for (enum stt_direction d = 0; d < 2; d++) {
        uint8_t key[STT_AEAD_KEY_MAX];
        stt_keys_mask_key(key, &k, d);
        ck_assert_uint_eq(want[d].len, k.suite->key_bytes);
        ck_assert_mem_eq(key, want[d].data, want[d].len);
    }
    json_decref(file);
}
END_TEST

/* The table of spec 03, "Key update", in the current epoch e with 100 as the lowest number opened.
 */
START_TEST(keys_are_chosen_as_in_the_table)
{
    begin(0, STT_TO_INITIATOR);
    ck_assert_int_eq(stt_keys_choose(&k, 0, 0), STT_KEYS_CURRENT);
    ck_assert_int_eq(stt_keys_choose(&k, 1, 0), STT_KEYS_NONE); /* nothing opened yet */
    k.lowest_opened = 5;
    ck_assert_int_eq(stt_keys_choose(&k, 1, 4), STT_KEYS_NONE);
    ck_assert_int_eq(stt_keys_choose(&k, 1, 5), STT_KEYS_NEXT);

    for (unsigned e = 1; e < 4; e++) {
        unsigned same = e & 1, other = same ^ 1;
        stt_keys_advance(&k);
        ck_assert_int_eq(stt_keys_choose(&k, same, 7), STT_KEYS_CURRENT);
        ck_assert_int_eq(stt_keys_choose(&k, other, UINT64_MAX >> 2), STT_KEYS_PREVIOUS);
        k.lowest_opened = 100;
        ck_assert_int_eq(stt_keys_choose(&k, same, 99), STT_KEYS_CURRENT);
        ck_assert_int_eq(stt_keys_choose(&k, same, 101), STT_KEYS_CURRENT);
        ck_assert_int_eq(stt_keys_choose(&k, other, 99), STT_KEYS_PREVIOUS);
        ck_assert_int_eq(stt_keys_choose(&k, other, 100), STT_KEYS_NEXT);
        ck_assert_int_eq(stt_keys_choose(&k, other, 101), STT_KEYS_NEXT);
        stt_keys_forget_previous(&k);
        ck_assert_int_eq(stt_keys_choose(&k, other, 99), STT_KEYS_NONE);
        ck_assert_int_eq(stt_keys_choose(&k, other, 100), STT_KEYS_NEXT);
    }
    json_decref(file);
}
END_TEST

START_TEST(keys_chosen_are_those_of_the_receiving_direction)
{
    begin(0, _i ? STT_TO_INITIATOR : STT_TO_RESPONDER);
    enum stt_direction receive = _i ? STT_TO_RESPONDER : STT_TO_INITIATOR;
    struct stt_packet_key first = k.current.packet[receive];
    stt_keys_advance(&k);
    ck_assert_mem_eq(stt_keys_of(&k, STT_KEYS_PREVIOUS), &first, sizeof first);
    ck_assert_ptr_eq(stt_keys_of(&k, STT_KEYS_CURRENT), &k.current.packet[receive]);
    ck_assert_ptr_eq(stt_keys_of(&k, STT_KEYS_NEXT), &k.next.packet[receive]);
    ck_assert_ptr_null(stt_keys_of(&k, STT_KEYS_NONE));
    json_decref(file);
}
END_TEST

static bool holds(const void *memory, size_t len, const void *what, size_t what_len)
{
    return memmem(memory, len, what, what_len) != NULL;
}

START_TEST(keys_of_an_epoch_are_gone_when_it_is_forgotten)
{
    begin(0, STT_TO_RESPONDER);
    struct stt_epoch first = k.current;
    stt_keys_advance(&k);
    ck_assert(!holds(&k, sizeof k, first.secret[0], 32));
    ck_assert(!holds(&k, sizeof k, first.secret[1], 32));
    ck_assert(!holds(&k, sizeof k, first.packet[STT_TO_RESPONDER].key, 16));
    ck_assert(holds(&k, sizeof k, first.packet[STT_TO_INITIATOR].key, 16));
    stt_keys_forget_previous(&k);
    ck_assert(!holds(&k, sizeof k, first.packet[STT_TO_INITIATOR].key, 16));
    ck_assert(!holds(&k, sizeof k, first.packet[STT_TO_INITIATOR].iv, 16));
    json_decref(file);
}
END_TEST

static void mask_key(void *keys)
{
    uint8_t key[STT_AEAD_KEY_MAX];
    stt_keys_mask_key(key, keys, STT_TO_RESPONDER);
}

START_TEST(keys_have_a_mask_in_epoch_0_only)
{
    begin(0, STT_TO_RESPONDER);
    ck_assert(!dies(mask_key, &k));
    stt_keys_advance(&k);
    ck_assert(dies(mask_key, &k));
    json_decref(file);
}
END_TEST

SUITE("keys", LOOP(keys_agree_with_the_vectors_over_updates_and_rekey, 0, SUITES),
      LOOP(keys_mask_as_in_the_vectors, 0, SUITES), TEST(keys_are_chosen_as_in_the_table),
      LOOP(keys_chosen_are_those_of_the_receiving_direction, 0, 2),
      TEST(keys_of_an_epoch_are_gone_when_it_is_forgotten), TEST(keys_have_a_mask_in_epoch_0_only))
