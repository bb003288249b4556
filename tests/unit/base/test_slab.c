/* SPDX-License-Identifier: MIT */
#include "stt/base/slab.h"

#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <string.h>

static const struct stt_slab_shape small = {.object_bytes = 20, .align = 8, .step = 4, .max = 10};

struct fixture {
    struct test_env te;
    struct stt_slab s;
};

static void setup(struct fixture *f, struct stt_slab_shape shape)
{
    test_env_init(&f->te, 1);
    stt_slab_init(&f->s, &f->te.env, &shape);
}

static void teardown(struct fixture *f)
{
    stt_slab_fini(&f->s);
    test_env_check_no_leak(&f->te);
}

START_TEST(an_unused_slab_holds_no_memory)
{
    struct fixture f;
    setup(&f, small);
    ck_assert_uint_eq(f.te.allocs, 0);
    ck_assert_ptr_null(stt_slab_at(&f.s, 0));
    ck_assert_ptr_null(stt_slab_at(&f.s, UINT64_MAX));
    stt_slab_shrink(&f.s);
    teardown(&f);
}
END_TEST

START_TEST(objects_are_found_by_their_id)
{
    struct fixture f;
    setup(&f, small);
    void *objects[10];
    for (int i = 0; i < 10; i++) {
        objects[i] = stt_slab_take(&f.s);
        ck_assert_ptr_nonnull(objects[i]);
        memset(objects[i], i, small.object_bytes);
    }
    for (int i = 0; i < 10; i++) {
        uint64_t id = stt_slab_id(&f.s, objects[i]);
        ck_assert_uint_ne(id, 0);
        ck_assert_uint_lt(stt_slab_index(id), small.max);
        ck_assert_ptr_eq(stt_slab_at(&f.s, id), objects[i]);
        for (uint32_t j = 0; j < small.object_bytes; j++)
            ck_assert_int_eq(((uint8_t *)objects[i])[j], i); /* no two overlap */
    }
    teardown(&f);
}
END_TEST

START_TEST(a_slab_stops_at_its_limit_and_goes_on_below_it)
{
    struct fixture f;
    setup(&f, small);
    void *last = NULL;
    for (uint32_t i = 0; i < small.max; i++) {
        ck_assert(!stt_slab_is_full(&f.s));
        last = stt_slab_take(&f.s);
    }
    uint64_t allocs = f.te.allocs;
    ck_assert(stt_slab_is_full(&f.s));
    ck_assert_ptr_null(stt_slab_take(&f.s));
    ck_assert_uint_eq(f.te.allocs, allocs);
    stt_slab_give_back(&f.s, last);
    ck_assert_ptr_eq(stt_slab_take(&f.s), last);
    ck_assert_uint_eq(f.s.in_use, small.max);
    ck_assert_uint_eq(f.s.peak, small.max);
    teardown(&f);
}
END_TEST

START_TEST(an_id_goes_stale_when_its_object_is_given_back)
{
    struct fixture f;
    setup(&f, small);
    void *object = stt_slab_take(&f.s);
    uint64_t first = stt_slab_id(&f.s, object);
    stt_slab_give_back(&f.s, object);
    ck_assert_ptr_null(stt_slab_at(&f.s, first));
    ck_assert_ptr_null(stt_slab_at(&f.s, first + (1ull << 32))); /* a guess at the free slot */
    ck_assert_ptr_eq(stt_slab_take(&f.s), object);
    uint64_t second = stt_slab_id(&f.s, object);
    ck_assert_uint_ne(first, second);
    ck_assert_ptr_null(stt_slab_at(&f.s, first));
    ck_assert_ptr_eq(stt_slab_at(&f.s, second), object);
    teardown(&f);
}
END_TEST

START_TEST(numbers_that_never_were_ids_find_nothing)
{
    struct fixture f;
    setup(&f, small);
    uint64_t id = stt_slab_id(&f.s, stt_slab_take(&f.s));
    ck_assert_ptr_null(stt_slab_at(&f.s, id + 1)); /* a slot not used yet */
    ck_assert_ptr_null(stt_slab_at(&f.s, id + 4)); /* a step not there yet */
    ck_assert_ptr_null(stt_slab_at(&f.s, id | UINT32_MAX));
    ck_assert_ptr_null(stt_slab_at(&f.s, id & UINT32_MAX));
    teardown(&f);
}
END_TEST

START_TEST(memory_comes_in_steps)
{
    struct fixture f;
    setup(&f, small);
    uint64_t allocs = 0;
    for (uint32_t i = 0; i < small.max; i++) {
        ck_assert_ptr_nonnull(stt_slab_take(&f.s));
        uint64_t expected = i % small.step ? 0 : i ? 1 : 2; /* at first the directory, too */
        ck_assert_uint_eq(f.te.allocs - allocs, expected);
        allocs = f.te.allocs;
    }
    teardown(&f);
}
END_TEST

START_TEST(objects_are_aligned_as_asked)
{
    const uint32_t aligns[] = {8, 16, 32, 64}, sizes[] = {1, 8, 24, 56, 57, 64, 4096};
    for (size_t a = 0; a < 4; a++)
        for (size_t b = 0; b < 7; b++) {
            struct fixture f;
            setup(&f, (struct stt_slab_shape){sizes[b], aligns[a], 8, 20});
            for (void *object; (object = stt_slab_take(&f.s));) {
                ck_assert_uint_eq((uintptr_t)object % aligns[a], 0);
                memset(object, 0xff, sizes[b]); /* a sanitizer sees where it ends */
            }
            ck_assert_uint_eq(f.s.in_use, 20);
            teardown(&f);
        }
}
END_TEST

START_TEST(a_step_of_one_object_works)
{
    struct fixture f;
    setup(&f, (struct stt_slab_shape){.object_bytes = 100, .align = 64, .step = 1, .max = 40});
    for (uint32_t i = 0; i < 40; i++)
        ck_assert_uint_eq(stt_slab_index(stt_slab_id(&f.s, stt_slab_take(&f.s))), i);
    ck_assert_ptr_null(stt_slab_take(&f.s));
    teardown(&f);
}
END_TEST

START_TEST(shrinking_gives_back_steps_without_objects)
{
    struct fixture f;
    setup(&f, small);
    void *objects[10];
    for (int i = 0; i < 10; i++)
        objects[i] = stt_slab_take(&f.s);
    uint64_t kept = stt_slab_id(&f.s, objects[5]), gone = stt_slab_id(&f.s, objects[1]);
    for (int i = 0; i < 10; i++)
        if (i != 5)
            stt_slab_give_back(&f.s, objects[i]);
    size_t before = f.te.bytes_in_use;
    stt_slab_shrink(&f.s);
    ck_assert_uint_eq(f.te.live, 2); /* the directory and the step of objects 4 to 7 */
    ck_assert_uint_lt(f.te.bytes_in_use, before);
    ck_assert_ptr_eq(stt_slab_at(&f.s, kept), objects[5]);
    ck_assert_ptr_null(stt_slab_at(&f.s, gone));
    for (uint32_t i = 1; i < small.max; i++) /* and it fills up again */
        ck_assert_ptr_nonnull(stt_slab_take(&f.s));
    ck_assert(stt_slab_is_full(&f.s));
    teardown(&f);
}
END_TEST

START_TEST(ids_from_before_a_shrink_stay_stale)
{
    struct fixture f;
    setup(&f, small);
    uint64_t ids[50];
    for (int i = 0; i < 50; i++) {
        void *object = stt_slab_take(&f.s);
        ids[i] = stt_slab_id(&f.s, object);
        for (int j = 0; j < i; j++)
            ck_assert_ptr_null(stt_slab_at(&f.s, ids[j]));
        stt_slab_give_back(&f.s, object);
        if (i % 3 == 0)
            stt_slab_shrink(&f.s);
    }
    teardown(&f);
}
END_TEST

START_TEST(full_steps_are_left_alone_and_empty_ones_used_last)
{
    struct fixture f;
    setup(&f, small);
    void *objects[8];
    for (int i = 0; i < 8; i++)
        objects[i] = stt_slab_take(&f.s);
    stt_slab_give_back(&f.s, objects[7]);
    for (int i = 0; i < 4; i++)
        stt_slab_give_back(&f.s, objects[i]); /* the first step is empty */
    ck_assert_ptr_eq(stt_slab_take(&f.s), objects[7]);
    stt_slab_shrink(&f.s);
    ck_assert_uint_eq(f.te.live, 2);
    teardown(&f);
}
END_TEST

/* max is 10 and a step is 4: the last step has room for two. */
START_TEST(every_index_is_below_the_limit)
{
    struct fixture f;
    setup(&f, small);
    void *objects[10];
    for (int i = 0; i < 10; i++)
        objects[i] = stt_slab_take(&f.s);
    for (int i = 0; i < 4; i++)
        stt_slab_give_back(&f.s, objects[i]);
    if (_i == 1) { /* holes in the directory, the lower one first */
        stt_slab_shrink(&f.s);
        for (int i = 8; i < 10; i++)
            stt_slab_give_back(&f.s, objects[i]);
        stt_slab_shrink(&f.s);
    }
    for (void *object; (object = stt_slab_take(&f.s));)
        ck_assert_uint_lt(stt_slab_index(stt_slab_id(&f.s, object)), small.max);
    ck_assert(stt_slab_is_full(&f.s));
    teardown(&f);
}
END_TEST

/* Takes 30 objects with a failure at every allocation in turn. */
START_TEST(without_memory_a_slab_stays_as_it_is)
{
    for (uint64_t n = 1;; n++) {
        struct fixture f;
        setup(&f, (struct stt_slab_shape){.object_bytes = 8, .align = 8, .step = 2, .max = 30});
        f.te.fail_at = n;
        uint32_t failures = 0;
        while (!stt_slab_is_full(&f.s)) {
            uint32_t in_use = f.s.in_use;
            if (stt_slab_take(&f.s))
                continue;
            failures++;
            ck_assert_uint_eq(f.s.in_use, in_use);
        }
        ck_assert_uint_eq(failures, f.te.failed);
        teardown(&f);
        if (failures == 0)
            break;
        ck_assert_uint_lt(n, 100);
    }
}
END_TEST

/* Takes and gives back at random beside an array of ids. */
START_TEST(random_use_agrees_with_a_model)
{
    struct fixture f;
    setup(&f, (struct stt_slab_shape){.object_bytes = 8, .align = 16, .step = 8, .max = 50});
    struct rng rng = rng_init((uint64_t)_i);
    uint64_t ids[50] = {0}, stale[50] = {0};
    uint32_t n = 0;
    for (int step = 0; step < 3000; step++) {
        uint64_t *id = &ids[rng_below(&rng, 50)];
        if (*id) {
            uint64_t *object = stt_slab_at(&f.s, *id);
            ck_assert_uint_eq(*object, *id);
            stt_slab_give_back(&f.s, object);
            stale[id - ids] = *id;
            *id = 0;
            n--;
        } else {
            uint64_t *object = stt_slab_take(&f.s);
            *id = *object = stt_slab_id(&f.s, object);
            n++;
        }
        ck_assert_uint_eq(f.s.in_use, n);
        ck_assert_ptr_null(stt_slab_at(&f.s, stale[rng_below(&rng, 50)]));
        if (rng_chance(&rng, 2))
            stt_slab_shrink(&f.s);
    }
    teardown(&f);
}
END_TEST

static void give_back_twice(void *arg)
{
    struct fixture *f = arg;
    void *object = stt_slab_take(&f->s);
    stt_slab_give_back(&f->s, object);
    stt_slab_give_back(&f->s, object);
}

static void ask_for_the_id_of_a_free_object(void *arg)
{
    struct fixture *f = arg;
    void *object = stt_slab_take(&f->s);
    stt_slab_give_back(&f->s, object);
    stt_slab_id(&f->s, object);
}

static void align_to_three(void *arg)
{
    struct fixture *f = arg;
    stt_slab_init(&f->s, &f->te.env, &(struct stt_slab_shape){8, 3, 4, 10});
}

START_TEST(misuse_is_caught)
{
    struct fixture f;
    setup(&f, small);
    ck_assert(dies(give_back_twice, &f));
    ck_assert(dies(ask_for_the_id_of_a_free_object, &f));
    ck_assert(dies(align_to_three, &f));
}
END_TEST

START_TEST(after_a_rest_there_is_room_for_what_was_in_use_since_the_last_one)
{
    struct fixture f;
    void *objects[10];
    setup(&f, small);
    for (int round = 0; round < 3; round++) { /* of 10, of 5, of none */
        int n = round == 0 ? 10 : round == 1 ? 5 : 0;
        for (int i = 0; i < n; i++)
            objects[i] = stt_slab_take(&f.s);
        uint64_t allocs = f.te.allocs;
        while (n > 0)
            stt_slab_give_back(&f.s, objects[--n]);
        ck_assert_uint_eq(f.s.held_steps, round == 2 ? 2 : 3);
        stt_slab_rest(&f.s);
        ck_assert_uint_eq(f.s.held_steps, round == 0 ? 3 : round == 1 ? 2 : 0);
        ck_assert_uint_eq(f.te.allocs, allocs);
    }
    teardown(&f);
}
END_TEST

SUITE("slab", TEST(an_unused_slab_holds_no_memory), TEST(objects_are_found_by_their_id),
      TEST(a_slab_stops_at_its_limit_and_goes_on_below_it),
      TEST(an_id_goes_stale_when_its_object_is_given_back),
      TEST(numbers_that_never_were_ids_find_nothing), TEST(memory_comes_in_steps),
      TEST(after_a_rest_there_is_room_for_what_was_in_use_since_the_last_one),
      TEST(objects_are_aligned_as_asked), TEST(a_step_of_one_object_works),
      TEST(shrinking_gives_back_steps_without_objects), TEST(ids_from_before_a_shrink_stay_stale),
      TEST(full_steps_are_left_alone_and_empty_ones_used_last),
      LOOP(every_index_is_below_the_limit, 0, 2), TEST(without_memory_a_slab_stays_as_it_is),
      LOOP(random_use_agrees_with_a_model, 0, 10), TEST(misuse_is_caught))
