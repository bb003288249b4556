/* SPDX-License-Identifier: MIT */
#include "tests/support/raw.h"
#include "tests/support/suite.h"

#include <string.h>

struct scene {
    struct stt_sim *sim;
    struct raw a, b;
    stt_sim_link forth;
};

static struct scene scene_new(void)
{
    struct scene s = {.sim = raw_world(1)};
    s.a = raw_add(s.sim, 1);
    s.b = raw_add(s.sim, 2);
    s.forth =
        stt_sim_pair(s.sim, s.a.node, s.b.node, &(struct stt_link_config){.delay_ns = STT_MS(20)})
            .forth;
    return s;
}

static void scene_free(struct scene *s)
{
    stt_sim_free(s->sim);
    raw_free(&s->a);
    raw_free(&s->b);
}

START_TEST(a_replayer_brings_everything_again_later)
{
    struct scene s = scene_new();
    stt_sim_replay(s.sim, s.forth, STT_S(1));
    raw_stream(s.sim, &s.a, &s.b, 10, STT_MS(5));
    ck_assert(stt_sim_run_until(s.sim, STT_S(9)));
    ck_assert_uint_eq(s.b.log->n, 20);
    for (size_t i = 0; i < 20; i++) {
        const struct raw_seen *seen = &s.b.log->seen[i];
        ck_assert_uint_eq(seen->number, i % 10);
        ck_assert_uint_eq(seen->at, STT_MS(5) * (i % 10) + (i < 10 ? STT_MS(20) : STT_S(1)));
        ck_assert(raw_is_intact(seen));
    }
    scene_free(&s);
}
END_TEST

START_TEST(a_forger_is_first_with_one_bit_flipped_and_leaves_the_original_alone)
{
    struct scene s = scene_new();
    stt_sim_forge(s.sim, s.forth);
    for (size_t i = 0; i < 64; i++)
        raw_send(s.sim, &s.a, &s.b, 8);
    ck_assert(stt_sim_run_until(s.sim, STT_S(1)));
    ck_assert_uint_eq(s.b.log->n, 128);
    uint64_t flipped = 0;
    for (size_t i = 0; i < 64; i++) {
        flipped ^= s.b.log->seen[i].number ^ i;
        ck_assert_int_eq(__builtin_popcountll(s.b.log->seen[i].number ^ i), 1);
        ck_assert_uint_eq(s.b.log->seen[i].at, 0);
        ck_assert_uint_eq(s.b.log->seen[64 + i].number, i);
    }
    ck_assert_uint_eq(flipped, UINT64_MAX); /* each bit once */
    scene_free(&s);
}
END_TEST

START_TEST(a_spoofer_is_first_with_a_copy_from_elsewhere)
{
    struct scene s = scene_new();
    struct stt_address elsewhere = stt_sim_ipv4(66, 6);
    stt_sim_spoof(s.sim, s.forth, &elsewhere);
    raw_send(s.sim, &s.a, &s.b, 100);
    ck_assert(stt_sim_run_until(s.sim, STT_S(1)));
    ck_assert_uint_eq(s.b.log->n, 2);
    const struct raw_seen *copy = &s.b.log->seen[0], *original = &s.b.log->seen[1];
    ck_assert(copy->at == 0 && raw_is_intact(copy));
    ck_assert_uint_eq(copy->digest, original->digest);
    ck_assert_int_eq(memcmp(&copy->from, &elsewhere, sizeof elsewhere), 0);
    ck_assert_int_eq(memcmp(&original->from, &s.a.address, sizeof elsewhere), 0);
    scene_free(&s);
}
END_TEST

START_TEST(a_reflector_sends_everything_back_to_its_sender)
{
    struct scene s = scene_new();
    stt_sim_reflect(s.sim, s.forth, STT_MS(3));
    raw_send(s.sim, &s.a, &s.b, 100);
    ck_assert(stt_sim_run_until(s.sim, STT_S(1)));
    ck_assert_uint_eq(s.b.log->n, 1);
    ck_assert_uint_eq(s.a.log->n, 1);
    ck_assert_uint_eq(s.a.log->seen[0].at, STT_MS(3));
    ck_assert_int_eq(memcmp(&s.a.log->seen[0].from, &s.b.address, sizeof s.b.address), 0);
    ck_assert(raw_is_intact(&s.a.log->seen[0]));
    scene_free(&s);
}
END_TEST

static bool make(void *ctx, uint64_t n, struct stt_sim_datagram *d)
{
    const struct scene *s = ctx;
    d->from = stt_sim_ipv4((uint32_t)(1000 + n), 9);
    d->to = s->b.address;
    d->len = 8 + n % 4 * 400;
    memset(d->data, 0, d->len);
    memcpy(d->data, &n, sizeof n);
    return n < 5000;
}

START_TEST(a_flood_keeps_its_rate_and_its_times)
{
    struct scene s = scene_new();
    stt_sim_flood(s.sim, &(struct stt_sim_flood){.per_second = 30000,
                                                 .from = STT_MS(10),
                                                 .until = STT_MS(110),
                                                 .ctx = &s,
                                                 .make = make});
    raw_stream(s.sim, &s.a, &s.b, 10, STT_MS(10));
    ck_assert(stt_sim_run_until(s.sim, STT_S(1)));
    ck_assert_uint_eq(s.b.log->n, 3000 + 10);
    ck_assert_uint_eq(s.b.log->seen[0].at, STT_MS(10));
    ck_assert_uint_eq(s.b.log->seen[1].at, STT_MS(10) + 33333);
    scene_free(&s);
}
END_TEST

START_TEST(a_flood_ends_when_its_maker_has_enough)
{
    struct scene s = scene_new();
    stt_sim_flood(s.sim, &(struct stt_sim_flood){
                             .per_second = 100000, .until = STT_S(10), .ctx = &s, .make = make});
    ck_assert(stt_sim_run_until(s.sim, STT_S(20)));
    ck_assert_uint_eq(s.b.log->n, 5000);
    scene_free(&s);
}
END_TEST

SUITE("attack", TEST(a_replayer_brings_everything_again_later),
      TEST(a_forger_is_first_with_one_bit_flipped_and_leaves_the_original_alone),
      TEST(a_spoofer_is_first_with_a_copy_from_elsewhere),
      TEST(a_reflector_sends_everything_back_to_its_sender),
      TEST(a_flood_keeps_its_rate_and_its_times), TEST(a_flood_ends_when_its_maker_has_enough))
