/* SPDX-License-Identifier: MIT */
#include "crypto/ids.h"

#include "stt/wire/ids.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

START_TEST(ids_agree_with_the_vectors)
{
    json_t *file = vector_file("session-id.json"), *vector;
    struct bytes key = vector_bytes(file, "balancer_key");
    size_t i;
    json_array_foreach(vector_of(file, "balanced"), i, vector)
    {
        struct stt_id_balancer balancer = {.index = (uint16_t)vector_number(vector, "index")};
        memcpy(balancer.key, key.data, key.len);
        uint8_t entropy[8] = {[6] = 0xaa, [7] = 0xbb}, id[8];
        memcpy(entropy, vector_bytes(vector, "random").data, 6);
        ck_assert(stt_id_make(id, entropy, &balancer));
        ck_assert_mem_eq(id, vector_bytes(vector, "id").data, 8);
        ck_assert_uint_eq(stt_id_index(id, key.data), balancer.index);
    }
    ck_assert_uint_eq(i, 12);
    json_decref(file);
}
END_TEST

START_TEST(ids_are_steered_as_in_the_vectors)
{
    json_t *file = vector_file("session-id.json"), *vector;
    const json_t *key = vector_of(file, "hash_key");
    struct stt_id_hash_key hash_key = {
        .k0 = (uint32_t)json_integer_value(json_array_get(key, 0)),
        .k1 = (uint32_t)json_integer_value(json_array_get(key, 1)),
    };
    size_t i;
    json_array_foreach(vector_of(file, "workers"), i, vector)
    {
        struct stt_id id = stt_id_of(vector_bytes(vector, "id").data);
        uint32_t workers = (uint32_t)vector_number(vector, "workers");
        ck_assert_uint_eq(stt_id_worker(id, &hash_key, workers), vector_number(vector, "worker"));
    }
    ck_assert_uint_eq(i, 50);
    json_decref(file);
}
END_TEST

START_TEST(ids_without_a_balancer_are_their_entropy)
{
    const uint8_t entropy[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t id[8];
    ck_assert(stt_id_make(id, entropy, NULL));
    ck_assert_mem_eq(id, entropy, 8);
}
END_TEST

START_TEST(ids_are_never_all_zeros)
{
    const uint8_t zeros[8] = {0};
    uint8_t id[8];
    ck_assert(!stt_id_make(id, zeros, NULL));

    /* The one index that its key turns into a tail of zeros. */
    struct stt_id_balancer balancer = {.key = {3}};
    balancer.index = stt_id_index(zeros, balancer.key);
    ck_assert(!stt_id_make(id, zeros, &balancer));
    balancer.index ^= 1;
    ck_assert(stt_id_make(id, zeros, &balancer));
}
END_TEST

START_TEST(ids_give_every_index_back)
{
    const uint8_t entropy[8] = {9, 8, 7, 6, 5, 4};
    struct stt_id_balancer balancer = {.key = {1, 2}};
    unsigned right = 0;
    for (unsigned index = 0; index <= UINT16_MAX; index++) {
        uint8_t id[8];
        balancer.index = (uint16_t)index;
        right += stt_id_make(id, entropy, &balancer) && stt_id_index(id, balancer.key) == index;
    }
    ck_assert_uint_eq(right, 65536);
}
END_TEST

SUITE("ids", TEST(ids_agree_with_the_vectors), TEST(ids_are_steered_as_in_the_vectors),
      TEST(ids_without_a_balancer_are_their_entropy), TEST(ids_are_never_all_zeros),
      TEST(ids_give_every_index_back))
