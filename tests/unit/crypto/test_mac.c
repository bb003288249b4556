/* SPDX-License-Identifier: MIT */
#include "crypto/mac.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

#include <sodium.h>

static json_t *file;

static void load(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    file = vector_file("cookie.json");
}

static struct stt_mac_base base_of(const json_t *vector)
{
    bool has_seed = !json_is_null(vector_of(vector, "seed"));
    return (struct stt_mac_base){
        .version = (uint8_t)vector_number(vector, "version"),
        .mode = (uint8_t)vector_number(vector, "mode"),
        .seed = has_seed ? vector_bytes(vector, "seed").data : NULL,
        .material = vector_bytes(vector, "material"),
    };
}

static struct stt_cookie_source source_of(const json_t *vector)
{
    struct stt_cookie_source source = {.port = (uint16_t)vector_number(vector, "port")};
    memcpy(source.address, vector_bytes(vector, "address").data, 16);
    return source;
}

static const json_t *each_case(int i)
{
    load();
    return json_array_get(vector_of(file, "cases"), (size_t)i);
}

START_TEST(mac1_agrees_with_the_vectors)
{
    const json_t *vector = each_case(_i);
    struct stt_mac_base base = base_of(vector);
    struct bytes want[3], message = vector_bytes(file, "message");
    ck_assert_uint_eq(vector_list(vector, "mac1_keys", want, 3), 3);
    uint8_t key[16], mac[16];
    for (uint8_t number = 3; number >= 1; number--) {
        stt_mac1_key(key, &base, number);
        ck_assert_mem_eq(key, want[number - 1].data, 16);
    }
    stt_mac(mac, key, message);
    ck_assert_mem_eq(mac, vector_bytes(vector, "mac1").data, 16);
    ck_assert(stt_mac_verify(mac, key, message));
    json_decref(file);
}
END_TEST

START_TEST(mac_refuses_every_flipped_bit)
{
    uint8_t key[16] = {1}, m[40] = {2}, mac[16];
    stt_mac(mac, key, BYTES(m));
    for (size_t bit = 0; bit < 8 * sizeof mac; bit++) {
        mac[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert(!stt_mac_verify(mac, key, BYTES(m)));
        mac[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof m; bit++) {
        m[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert(!stt_mac_verify(mac, key, BYTES(m)));
        m[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert(!stt_mac_verify(mac, key, bytes_of(m, sizeof m - 1)));
    ck_assert(stt_mac_verify(mac, key, BYTES(m)));
}
END_TEST

START_TEST(cookie_agrees_with_the_vectors)
{
    const json_t *vector = each_case(_i);
    struct stt_mac_base base = base_of(vector);
    struct stt_cookie_source source = source_of(vector);
    const uint8_t *mac1 = vector_bytes(vector, "mac1").data;
    const uint8_t *nonce = vector_bytes(file, "nonce").data;
    uint8_t cookie[16], key[32], sealed[32], opened[16];

    stt_cookie_make(cookie, vector_bytes(file, "cookie_secret").data, &source,
                    vector_number(vector, "now_ns"));
    ck_assert_mem_eq(cookie, vector_bytes(vector, "cookie").data, 16);
    stt_cookie_key(key, &base);
    ck_assert_mem_eq(key, vector_bytes(vector, "cookie_key").data, 32);
    stt_cookie_seal(sealed, key, nonce, mac1, cookie);
    ck_assert_mem_eq(sealed, vector_bytes(vector, "sealed_cookie").data, 32);
    ck_assert(stt_cookie_open(opened, key, nonce, mac1, sealed));
    ck_assert_mem_eq(opened, cookie, 16);
    json_decref(file);
}
END_TEST

START_TEST(mac2_agrees_with_the_vectors)
{
    const json_t *vector = each_case(_i);
    struct stt_cookie_source source = source_of(vector);
    struct bytes message = vector_bytes(file, "message"), mac1 = vector_bytes(vector, "mac1");
    uint8_t datagram[1200];
    ck_assert_uint_eq(message.len + mac1.len, 1184);
    memcpy(datagram, message.data, message.len);
    memcpy(datagram + message.len, mac1.data, mac1.len);
    ck_assert(stt_mac2_verify(vector_bytes(vector, "mac2").data,
                              vector_bytes(file, "cookie_secret").data, &source,
                              vector_number(vector, "now_ns"), bytes_of(datagram, 1184)));
    json_decref(file);
}
END_TEST

static const uint8_t secret[32] = {5};
static const struct stt_cookie_source here = {.address = {1, 2, 3}, .port = 77};
static const stt_ns made_at = 7 * STT_COOKIE_PERIOD + STT_S(50);

static bool passes(const struct stt_cookie_source *from, stt_ns now)
{
    uint8_t cookie[16], mac2[16];
    stt_cookie_make(cookie, secret, &here, made_at);
    stt_mac(mac2, cookie, BYTES_TEXT("a datagram"));
    return stt_mac2_verify(mac2, secret, from, now, BYTES_TEXT("a datagram"));
}

START_TEST(cookie_lives_to_the_end_of_the_next_period)
{
    ck_assert(passes(&here, made_at));
    ck_assert(passes(&here, 8 * STT_COOKIE_PERIOD));
    ck_assert(passes(&here, 9 * STT_COOKIE_PERIOD - 1));
    ck_assert(!passes(&here, 9 * STT_COOKIE_PERIOD));
    ck_assert(!passes(&here, 7 * STT_COOKIE_PERIOD - 1)); /* not before its time */
    ck_assert(!passes(&here, 0));
}
END_TEST

START_TEST(cookie_is_for_one_address_and_port)
{
    struct stt_cookie_source other_port = here, other_address = here;
    other_port.port ^= 0x100;
    other_address.address[15] ^= 1;
    ck_assert(!passes(&other_port, made_at));
    ck_assert(!passes(&other_address, made_at));
}
END_TEST

START_TEST(mac2_of_zeros_never_passes)
{
    const uint8_t zeros[16] = {0};
    ck_assert(!stt_mac2_verify(zeros, secret, &here, made_at, BYTES_TEXT("a datagram")));
}
END_TEST

START_TEST(sealed_cookie_opens_only_as_the_answer_to_its_mac1)
{
    uint8_t key[32] = {1}, nonce[24] = {2}, mac1[16] = {3}, cookie[16] = {4}, sealed[32], out[16];
    stt_cookie_seal(sealed, key, nonce, mac1, cookie);
    uint8_t *const inputs[] = {key, nonce, mac1, sealed};
    const size_t sizes[] = {sizeof key, sizeof nonce, sizeof mac1, sizeof sealed};
    for (size_t i = 0; i < 4; i++)
        for (size_t byte = 0; byte < sizes[i]; byte++) {
            inputs[i][byte] ^= 0x10;
            ck_assert(!stt_cookie_open(out, key, nonce, mac1, sealed));
            inputs[i][byte] ^= 0x10;
        }
    ck_assert(stt_cookie_open(out, key, nonce, mac1, sealed));
}
END_TEST

SUITE("mac", LOOP(mac1_agrees_with_the_vectors, 0, 5), TEST(mac_refuses_every_flipped_bit),
      LOOP(cookie_agrees_with_the_vectors, 0, 5), LOOP(mac2_agrees_with_the_vectors, 0, 5),
      TEST(cookie_lives_to_the_end_of_the_next_period), TEST(cookie_is_for_one_address_and_port),
      TEST(mac2_of_zeros_never_passes), TEST(sealed_cookie_opens_only_as_the_answer_to_its_mac1))
