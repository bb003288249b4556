/* SPDX-License-Identifier: MIT
 * Session ids, and the worker hash against values computed from the spec's text by another program.
 */
#include "stt/wire/ids.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

static const struct known {
    struct stt_id id;
    struct stt_id_hash_key key;
    uint32_t workers, worker;
} known[] = {
    {{{0, 1, 2, 3, 4, 5, 6, 7}}, {0, 0}, 7, 0xf0cc527e % 7},
    {{{0, 1, 2, 3, 4, 5, 6, 7}}, {0, 0}, 0x80000000, 0xf0cc527e & 0x7fffffff},
    {{{0, 1, 2, 3, 4, 5, 6, 7}}, {0x01234567, 0x89abcdef}, 16, 7},
    {{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, {0xffffffff, 0xffffffff}, 1000, 0},
    {{{0xc0, 0xff, 0xee, 0, 0xde, 0xad, 0xbe, 0xef}}, {0x243f6a88, 0x85a308d3}, 64, 54},
    {{{0x80, 0, 0, 0, 0, 0, 0, 1}}, {0xdeadbeef, 1}, 3, 2},
};

START_TEST(the_worker_hash_gives_known_answers)
{
    const struct known *k = &known[_i];
    ck_assert_uint_eq(stt_id_worker(k->id, &k->key, k->workers), k->worker);
}
END_TEST

START_TEST(one_worker_owns_every_id)
{
    struct stt_id_hash_key key = {1, 2};
    ck_assert_uint_eq(stt_id_worker(known[0].id, &key, 1), 0);
}
END_TEST

/* 64,000 draws over 16 workers: 4,000 each, standard deviation 61; six of them are far out. */
START_TEST(ids_spread_evenly_over_workers)
{
    enum { WORKERS = 16, MEAN = 4000, FAR = 6 * 61 };
    struct rng rng = rng_init(1);
    struct stt_id_hash_key key = {(uint32_t)rng_u64(&rng), (uint32_t)rng_u64(&rng)};
    unsigned count[WORKERS] = {0};
    for (int i = 0; i < WORKERS * MEAN; i++) {
        struct stt_id id;
        rng_fill(&rng, id.bytes, sizeof id.bytes);
        count[stt_id_worker(id, &key, WORKERS)]++;
    }
    for (int i = 0; i < WORKERS; i++)
        ck_assert(count[i] > MEAN - FAR && count[i] < MEAN + FAR);
}
END_TEST

START_TEST(every_byte_of_an_id_counts)
{
    struct stt_id a = stt_id_of((const uint8_t[STT_ID_BYTES]){0});
    ck_assert(stt_id_is_none(a));
    for (int i = 0; i < STT_ID_BYTES; i++) {
        struct stt_id b = a;
        b.bytes[i] = 0x80;
        ck_assert(!stt_id_is_none(b));
        ck_assert(!stt_id_equal(a, b));
        ck_assert(stt_id_equal(b, b));
    }
}
END_TEST

SUITE("ids", LOOP(the_worker_hash_gives_known_answers, 0, sizeof known / sizeof known[0]),
      TEST(one_worker_owns_every_id), TEST(ids_spread_evenly_over_workers),
      TEST(every_byte_of_an_id_counts))
