/* SPDX-License-Identifier: MIT */
#include "stt/node/handover.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

enum { WORKERS = 5, SEGMENTS_MAX = 100, SEGMENT_MAX = 1400 };

/* -- trains whose segments are of many workers ---------------------------------------------------
 */

struct fixture {
    struct rng rng;
    struct stt_steering steering;
    _Atomic uint16_t serves[WORKERS];
    uint8_t data[SEGMENTS_MAX * SEGMENT_MAX];
    struct stt_train train;
    uint32_t n;
    uint16_t expected[SEGMENTS_MAX], to[STT_HANDOVER_SEGMENTS];
};

static void setup(struct fixture *f, uint64_t seed)
{
    memset(f, 0, sizeof *f);
    f->rng = rng_init(seed);
    f->steering = (struct stt_steering){
        .key = {.k0 = 0x1234567, .k1 = 0x89abcdef}, .workers = WORKERS, .serves = f->serves};
    for (uint16_t i = 0; i < WORKERS; i++)
        atomic_init(&f->serves[i], i);
}

static uint32_t below(struct fixture *f, uint32_t n)
{
    return (uint32_t)(rng_below(&f->rng, n));
}

/* Runs of ids, some in handshake packets; the last segment is shorter, perhaps too short for one.
 */
static void fill(struct fixture *f, size_t size, uint16_t own)
{
    uint8_t id[STT_ID_BYTES];
    f->n = 1 + below(f, SEGMENTS_MAX);
    f->train = (struct stt_train){.data = f->data, .segment_bytes = size, .ecn = 2};
    f->train.path.remote.port = (uint16_t)below(f, 65536);
    for (uint32_t i = 0; i < f->n; i++) {
        uint8_t *at = f->data + i * size;
        size_t len = i + 1 < f->n ? size : 1 + below(f, (uint32_t)size);
        for (size_t j = 0; j < len; j++)
            at[j] = (uint8_t)rng_u64(&f->rng);
        if (i == 0 || below(f, 3) == 0)
            for (size_t j = 0; j < sizeof id; j++)
                id[j] = (uint8_t)rng_u64(&f->rng);
        at[0] = below(f, 8) == 0 ? 0x80 : 0;
        size_t where = at[0] ? 2 : 1;
        bool has_id = len >= where + sizeof id;
        if (has_id)
            memcpy(at + where, id, sizeof id);
        f->expected[i] =
            has_id ? (uint16_t)stt_id_worker(stt_id_of(id), &f->steering.key, WORKERS) : own;
        f->train.len += len;
    }
}

START_TEST(each_segment_is_of_the_worker_that_its_id_names)
{
    struct fixture f;
    setup(&f, 1 + (uint64_t)_i);
    for (uint32_t round = 0; round < 200; round++) {
        uint16_t own = (uint16_t)below(&f, WORKERS);
        fill(&f, 20 + below(&f, SEGMENT_MAX - 20), own);
        bool is_own = stt_handover_split(&f.steering, own, &f.train, f.n, f.to);
        ck_assert_uint_eq(stt_handover_segments(&f.train), f.n);
        for (uint32_t i = 0; i < f.n; i++) {
            ck_assert_uint_eq(f.to[i], f.expected[i]);
            is_own = is_own && f.expected[i] == own;
        }
        ck_assert(stt_handover_split(&f.steering, own, &f.train, f.n, f.to) == is_own);
    }
}
END_TEST

START_TEST(who_has_gone_is_replaced_by_the_one_that_serves_for_him)
{
    struct fixture f;
    setup(&f, 7);
    atomic_store(&f.serves[2], 3);
    fill(&f, 100, 0);
    f.n = f.n > 1 ? f.n - 1 : 1; /* whole ones */
    stt_handover_split(&f.steering, 0, &f.train, f.n, f.to);
    for (uint32_t i = 0; i < f.n; i++)
        ck_assert_uint_eq(f.to[i], f.expected[i] == 2 ? 3 : f.expected[i]);
}
END_TEST

START_TEST(single_datagrams_and_empty_ones_are_trains)
{
    struct fixture f;
    uint8_t one[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    struct stt_train t = {.data = one, .len = sizeof one};
    setup(&f, 1);
    uint16_t worker = (uint16_t)stt_id_worker(stt_id_of(one + 1), &f.steering.key, WORKERS);
    ck_assert_uint_eq(stt_handover_segments(&t), 1);
    ck_assert(stt_handover_split(&f.steering, worker, &t, 1, f.to));
    ck_assert(!stt_handover_split(&f.steering, (uint16_t)((worker + 1) % WORKERS), &t, 1, f.to));
    ck_assert_uint_eq(f.to[0], worker);
    t.len = 8; /* no id */
    ck_assert(stt_handover_split(&f.steering, 4, &t, 1, f.to));
    t.len = 0;
    ck_assert_uint_eq(stt_handover_segments(&t), 0);
    ck_assert(stt_handover_split(&f.steering, 4, &t, 0, f.to));
}
END_TEST

START_TEST(a_part_of_a_train_is_a_train)
{
    struct fixture f;
    setup(&f, 3);
    do
        fill(&f, 60, 0);
    while (f.n < 10);
    struct stt_train middle = stt_handover_part(&f.train, 3, 4);
    ck_assert_ptr_eq(middle.data, f.data + 180);
    ck_assert_uint_eq(middle.len, 240);
    ck_assert_uint_eq(middle.segment_bytes, 60);
    struct stt_train last = stt_handover_part(&f.train, f.n - 2, 2);
    ck_assert_ptr_eq(last.data + last.len, f.data + f.train.len);
    ck_assert_uint_eq(stt_handover_segments(&last), 2);
}
END_TEST

/* -- the queue -----------------------------------------------------------------------------------
 */

/* What each worker is to get of a train: its segments, in their order. */
static void check_taken(const struct fixture *f, uint16_t worker, const struct stt_train *got)
{
    const size_t size = f->n > 1 ? f->train.segment_bytes : f->train.len;
    size_t at = 0;
    ck_assert_uint_eq(got->path.remote.port, f->train.path.remote.port);
    ck_assert_uint_eq(got->ecn, f->train.ecn);
    ck_assert_uint_eq(got->segment_bytes, size);
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->to[i] != worker)
            continue;
        size_t len = i + 1 < f->n ? size : f->train.len - i * size;
        ck_assert_uint_le(at + len, got->len);
        ck_assert_mem_eq(got->data + at, f->data + i * size, len);
        at += len;
    }
    ck_assert_uint_eq(at, got->len);
}

static uint32_t count(const struct fixture *f, uint16_t worker)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n; i++)
        n += f->to[i] == worker;
    return n;
}

/* Many times around the ring, so that its end is met in every way. */
START_TEST(what_is_put_is_taken_with_path_mark_and_order)
{
    struct fixture f;
    struct stt_handover h;
    struct stt_train got;
    setup(&f, 100 + (uint64_t)_i);
    ck_assert_int_eq(stt_handover_init(&h), STT_OK);
    for (uint32_t round = 0; round < 500; round++) {
        fill(&f, 40 + below(&f, SEGMENT_MAX - 40), 0);
        stt_handover_split(&f.steering, 0, &f.train, f.n, f.to);
        for (uint16_t worker = 0; worker < WORKERS; worker++) {
            uint32_t n = count(&f, worker);
            if (!n)
                continue;
            ck_assert_uint_eq(stt_handover_put(&h, &f.train, f.n, f.to, worker), n);
            ck_assert(stt_handover_take(&h, &got));
            ck_assert_uint_eq(stt_handover_segments(&got), n);
            check_taken(&f, worker, &got);
        }
        ck_assert(!stt_handover_take(&h, &got));
    }
    stt_handover_fini(&h);
}
END_TEST

static void name(struct fixture *f, uint32_t number)
{
    memset(f->data, 0, 1000);
    memcpy(f->data + 100, &number, sizeof number);
    f->train = (struct stt_train){.data = f->data, .len = 1000, .segment_bytes = 1000};
    f->n = 1;
    f->to[0] = 0;
}

static uint32_t name_of(const struct stt_train *t)
{
    uint32_t number;
    memcpy(&number, t->data + 100, sizeof number);
    return number;
}

/* Also while one that was taken is still looked at. */
START_TEST(a_full_queue_refuses_and_loses_nothing_that_it_took)
{
    struct fixture f;
    struct stt_handover h;
    struct stt_train got;
    uint32_t put = 0, taken = 0;
    setup(&f, 5);
    ck_assert_int_eq(stt_handover_init(&h), STT_OK);
    for (uint32_t round = 0; round < 50; round++) {
        for (name(&f, put); stt_handover_put(&h, &f.train, 1, f.to, 0); name(&f, put))
            put++;
        ck_assert_uint_ge(put - taken, STT_HANDOVER_BYTES / 1300);
        ck_assert_uint_le(put - taken, STT_HANDOVER_BYTES / 1000);
        for (uint32_t some = 1 + below(&f, put - taken); some; some--) {
            ck_assert(stt_handover_take(&h, &got));
            ck_assert_uint_eq(name_of(&got), taken);
            name(&f, put);
            if (some == 1 && stt_handover_put(&h, &f.train, 1, f.to, 0))
                put++;
            ck_assert_uint_eq(name_of(&got), taken);
            taken++;
        }
    }
    for (; stt_handover_take(&h, &got); taken++)
        ck_assert_uint_eq(name_of(&got), taken);
    ck_assert_uint_eq(taken, put);
    stt_handover_fini(&h);
}
END_TEST

START_TEST(the_largest_train_finds_room_in_an_empty_queue_wherever_its_ring_stands)
{
    struct fixture f;
    struct stt_handover h;
    struct stt_train got;
    uint8_t *large = calloc(1, 65507);
    uint16_t to = 0;
    setup(&f, 6);
    ck_assert_int_eq(stt_handover_init(&h), STT_OK);
    for (uint32_t i = 0; i < 300; i++) {
        struct stt_train t = {.data = large, .len = 65507 - 100 * (i % 7)};
        ck_assert_uint_eq(stt_handover_put(&h, &t, 1, &to, 0), 1);
        ck_assert(stt_handover_take(&h, &got) && got.len == t.len);
        ck_assert(!stt_handover_take(&h, &got));
    }
    stt_handover_fini(&h);
    free(large);
}
END_TEST

SUITE("handover", LOOP(each_segment_is_of_the_worker_that_its_id_names, 0, 5),
      TEST(who_has_gone_is_replaced_by_the_one_that_serves_for_him),
      TEST(single_datagrams_and_empty_ones_are_trains), TEST(a_part_of_a_train_is_a_train),
      LOOP(what_is_put_is_taken_with_path_mark_and_order, 0, 5),
      TEST(a_full_queue_refuses_and_loses_nothing_that_it_took),
      TEST(the_largest_train_finds_room_in_an_empty_queue_wherever_its_ring_stands))
