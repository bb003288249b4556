/* SPDX-License-Identifier: MIT
 * The smallest scenarios: what every other one takes for granted. */
#include "tests/support/suite.h"
#include "tests/support/world.h"

static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};

START_TEST(two_endpoints_connect_in_the_round_trips_of_their_mode)
{
    const stt_ns client_ms[] = {40, 80, 160};
    struct world w = world_pair(.one_way_ms = 20);
    world_connect(&w, modes[_i]);
    world_require(&w, w.client->connected_at <= STT_MS(client_ms[_i]));
    world_end(&w);
}
END_TEST

static uint64_t hash_of(uint64_t seed, enum stt_mode mode)
{
    struct world w = world_pair(.seed = seed, .one_way_ms = 20, .loss_ppm = 100000);
    world_connect(&w, mode);
    world_run_for(&w, STT_S(60));
    uint64_t hash = stt_sim_hash(w.sim);
    world_end(&w);
    return hash;
}

START_TEST(the_same_seed_tells_the_same_story)
{
    ck_assert_uint_eq(hash_of(1, modes[_i]), hash_of(1, modes[_i]));
    ck_assert_uint_ne(hash_of(1, modes[_i]), hash_of(2, modes[_i]));
}
END_TEST

SUITE("world", LOOP(two_endpoints_connect_in_the_round_trips_of_their_mode, 0, 3),
      LOOP(the_same_seed_tells_the_same_story, 0, 3))
