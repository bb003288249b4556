/* SPDX-License-Identifier: MIT */
#include "stt/identity.h"

#include "tests/support/hex.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

#include <string.h>

static const struct stt_ticket_address v4 = {4, {192, 0, 2, 1}, 4433};
static const struct stt_ticket_address v6 = {
    6, {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 443};

/* The vectors' own: a peer, without a seed, and v6 before v4. */
static struct stt_ticket ticket(void)
{
    struct stt_ticket t = {.addresses_len = 2, .addresses = {v6, v4}};
    hex_decode("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8", t.peer_id.bytes,
               sizeof t.peer_id.bytes);
    return t;
}

static struct stt_ticket secret_ticket(void)
{
    struct stt_ticket t = ticket();
    t.has_seed = true;
    for (uint8_t i = 0; i < 32; i++)
        t.seed.bytes[i] = (uint8_t)(0x40 + i);
    return t;
}

static bool is_vector(const char *text)
{
    json_t *root = vector_file("text.json"), *v;
    bool found = false;
    size_t i;
    json_array_foreach(vector_of(root, "accepted"), i, v) found |=
        strcmp(vector_text(v, "text"), text) == 0;
    json_decref(root);
    return found;
}

START_TEST(ticket_is_written_as_the_vectors_say)
{
    struct stt_ticket t = ticket(), s = secret_ticket(), back;
    char text[STT_TEXT_ROOM];
    ck_assert_int_eq(stt_ticket_encode(&t, text), STT_OK);
    ck_assert(is_vector(text));
    ck_assert_int_eq(stt_ticket_decode(&back, text), STT_OK);
    ck_assert_mem_eq(&back.peer_id, &t.peer_id, sizeof t.peer_id);
    ck_assert(!back.has_seed);
    ck_assert_uint_eq(back.addresses_len, 2);
    ck_assert_uint_eq(back.addresses[0].family, 6);
    ck_assert_mem_eq(back.addresses[0].bytes, v6.bytes, 16);
    ck_assert_uint_eq(back.addresses[0].port, 443);
    ck_assert_uint_eq(back.addresses[1].family, 4);
    ck_assert_mem_eq(back.addresses[1].bytes, v4.bytes, 16);
    ck_assert_uint_eq(back.addresses[1].port, 4433);

    ck_assert_int_eq(stt_ticket_encode(&s, text), STT_OK);
    ck_assert(is_vector(text));
    ck_assert_int_eq(stt_ticket_decode_secret(&back, text), STT_OK);
    ck_assert(back.has_seed);
    ck_assert_mem_eq(&back.seed, &s.seed, sizeof s.seed);
}
END_TEST

START_TEST(ticket_with_a_seed_is_taken_only_where_a_seed_is)
{
    struct stt_ticket t = ticket(), s = secret_ticket(), back;
    char text[STT_TEXT_ROOM];
    ck_assert_int_eq(stt_ticket_encode(&t, text), STT_OK);
    ck_assert(!stt_text_is_secret(text));
    ck_assert_int_eq(stt_ticket_decode_secret(&back, text), STT_E_FORMAT);
    ck_assert_int_eq(stt_ticket_encode(&s, text), STT_OK);
    ck_assert(stt_text_is_secret(text));
    ck_assert_int_eq(stt_ticket_decode(&back, text), STT_E_SECRET);
}
END_TEST

START_TEST(ticket_that_could_not_be_read_again_is_not_written)
{
    struct stt_ticket bad[8];
    char text[STT_TEXT_ROOM];
    for (size_t i = 0; i < 8; i++)
        bad[i] = ticket();
    bad[0].addresses_len = STT_TICKET_ADDRESSES_MAX + 1;
    bad[1].addresses_len = UINT8_MAX;
    bad[2].addresses[1].family = 5;
    bad[3].addresses[0].family = 0;
    bad[4].addresses[1].port = 0;
    bad[5].has_seed = true;      /* zeros */
    bad[6].seed.bytes[31] = 1;   /* without has_seed: it would be lost, or shown */
    bad[7].peer_id.bytes[0] = 0; /* not on the curve */
    for (size_t i = 0; i < 8; i++) {
        strcpy(text, "x");
        ck_assert_int_eq(stt_ticket_encode(&bad[i], text), STT_E_ARGUMENT);
        ck_assert_str_eq(text, "");
    }
}
END_TEST

START_TEST(ticket_holds_none_to_eight_addresses)
{
    for (uint8_t n = 0; n <= STT_TICKET_ADDRESSES_MAX; n++) {
        struct stt_ticket s = secret_ticket(), back;
        char text[STT_TEXT_ROOM];
        s.addresses_len = n;
        for (uint8_t i = 0; i < n; i++)
            s.addresses[i] = v6;
        ck_assert_int_eq(stt_ticket_encode(&s, text), STT_OK);
        ck_assert_int_eq(stt_ticket_decode_secret(&back, text), STT_OK);
        ck_assert_uint_eq(back.addresses_len, n);
        if (n == STT_TICKET_ADDRESSES_MAX)
            ck_assert_uint_eq(strlen(text), STT_TEXT_ROOM - 1);
    }
}
END_TEST

SUITE("ticket", TEST(ticket_is_written_as_the_vectors_say),
      TEST(ticket_with_a_seed_is_taken_only_where_a_seed_is),
      TEST(ticket_that_could_not_be_read_again_is_not_written),
      TEST(ticket_holds_none_to_eight_addresses))
