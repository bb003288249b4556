/* SPDX-License-Identifier: MIT */
#include "dht/id.h"

#include "crypto/kdf.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

static struct stt_dht_id random_id(struct rng *rng)
{
    struct stt_dht_id id;
    for (size_t i = 0; i < sizeof id.bytes; i++)
        id.bytes[i] = (uint8_t)rng_u64(rng);
    return id;
}

START_TEST(id_is_the_hash_that_the_spec_names)
{
    uint8_t peer[32] = {7}, expected[32];
    struct stt_dht_id id;
    stt_dht_id_of_peer(&id, BYTES_TEXT("test"), peer);
    stt_kdf_hash(expected, 32, "stt1 dht", KDF_PARTS(BYTES_TEXT("test"), BYTES(peer)));
    ck_assert_mem_eq(id.bytes, expected, 32);
}
END_TEST

START_TEST(id_differs_between_networks_and_between_peers)
{
    uint8_t a[32] = {1}, b[32] = {2};
    struct stt_dht_id id, other_network, other_peer;
    stt_dht_id_of_peer(&id, BYTES_NONE, a);
    stt_dht_id_of_peer(&other_network, BYTES_TEXT("x"), a);
    stt_dht_id_of_peer(&other_peer, BYTES_NONE, b);
    ck_assert_mem_ne(id.bytes, other_network.bytes, 32);
    ck_assert_mem_ne(id.bytes, other_peer.bytes, 32);
}
END_TEST

START_TEST(shared_bits_end_at_the_first_that_differs)
{
    struct rng rng = rng_init((uint64_t)_i);
    struct stt_dht_id a = random_id(&rng), b = a;
    ck_assert_uint_eq(stt_dht_id_shared_bits(&a, &b), 256);
    b.bytes[_i / 8] ^= (uint8_t)(0x80 >> _i % 8);
    for (int i = _i / 8 + 1; i < 32; i++) /* what lies behind does not matter */
        b.bytes[i] = (uint8_t)rng_u64(&rng);
    ck_assert_int_eq((int)stt_dht_id_shared_bits(&a, &b), _i);
}
END_TEST

START_TEST(nearer_is_who_shares_more_and_the_order_is_total)
{
    struct rng rng = rng_init((uint64_t)_i);
    struct stt_dht_id t = random_id(&rng), a = random_id(&rng), b = random_id(&rng);
    unsigned to_a = stt_dht_id_shared_bits(&t, &a), to_b = stt_dht_id_shared_bits(&t, &b);
    int order = stt_dht_id_compare(&t, &a, &b);
    if (to_a != to_b)
        ck_assert_int_eq(order<0, to_a> to_b);
    ck_assert_int_ne(order, 0);
    ck_assert_int_eq(order<0, stt_dht_id_compare(&t, &b, &a)> 0);
    ck_assert_int_eq(stt_dht_id_compare(&t, &a, &a), 0);
    ck_assert_int_lt(stt_dht_id_compare(&t, &t, &a), 0);
}
END_TEST

SUITE("dht id", TEST(id_is_the_hash_that_the_spec_names),
      TEST(id_differs_between_networks_and_between_peers),
      LOOP(shared_bits_end_at_the_first_that_differs, 0, 256),
      LOOP(nearer_is_who_shares_more_and_the_order_is_total, 0, 300))
