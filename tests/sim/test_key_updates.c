/* SPDX-License-Identifier: MIT
 * Key updates, thousands of them, back and forth, in every suite, over networks that lose, copy and
 * reorder. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/session/engine.h"
#include "tests/support/flows.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/world.h"

static uint8_t suite_id; /* of the world that is made next */

static void use_suite(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->n_suites = 1;
    config->suites[0] = stt_aead_by_id(suite_id, stt_cpu_detect());
}

static struct stt_session_info info_of(struct world *w, const struct world_side *side)
{
    struct stt_session_info info;
    world_require(w, stt_session_info(world_endpoint(w, side), side->session, &info) == STT_OK);
    return info;
}

struct updater {
    struct world *w;
    struct rng rng;
    uint64_t done, wanted;
};

static const struct world_side *any_side(struct updater *u)
{
    return rng_chance(&u->rng, 50) ? u->w->client : u->w->server;
}

/* Either side updates as soon as it may, and something is always on its way. */
static void update(void *ctx, struct stt_sim *sim)
{
    struct updater *u = ctx;
    const struct world_side *side = any_side(u);
    struct stt_endpoint *ep = world_endpoint(u->w, side);
    int error = stt_session_update_keys(ep, stt_sim_now(sim), side->session);
    world_require(u->w, error == STT_OK || error == STT_E_AGAIN);
    u->done += error == STT_OK;
    side = any_side(u);
    ep = world_endpoint(u->w, side);
    world_require(u->w, stt_session_ping(ep, stt_sim_now(sim), side->session) == STT_OK);
    if (u->done < u->wanted)
        stt_sim_at(sim, stt_sim_now(sim) + rng_between(&u->rng, 1, STT_MS(2)), update, u);
}

static bool is_done(void *ctx)
{
    const struct updater *u = ctx;
    return u->done == u->wanted;
}

static bool wants_more(void *ctx)
{
    return !is_done(ctx);
}

static void update_often(struct world *w, uint64_t wanted)
{
    struct updater u = {.w = w, .rng = rng_init(w->seed), .wanted = wanted};
    stt_sim_at(w->sim, stt_sim_now(w->sim), update, &u);
    world_require(w, stt_sim_run_while(w->sim, wants_more, &u, STT_S(100000)));
}

/* Both may begin the same epoch at once: then it is one. */
static void require_epochs(struct world *w, uint64_t updates)
{
    struct stt_session_info client, server;
    world_run_for(w, STT_S(2));
    client = info_of(w, w->client);
    server = info_of(w, w->server);
    world_require(w, client.epoch == server.epoch);
    world_require(w, client.epoch <= updates && client.epoch >= updates / 2);
    world_require(w, !w->client->events[STT_EVENT_CLOSED] && !w->server->events[STT_EVENT_CLOSED]);
    world_run_for(w, STT_S(60)); /* and it lives on */
    world_require(w, stt_sim_now(w->sim) - info_of(w, w->client).last_received_at < STT_S(15));
}

START_TEST(ten_thousand_updates_in_every_suite_over_a_network_that_errs)
{
    suite_id = (uint8_t)_i;
    if (!stt_aead_by_id(suite_id, stt_cpu_detect()))
        return;
    struct world w =
        world_pair(.seed = (uint64_t)_i, .one_way_ms = 1, .loss_ppm = 20000, .configure = use_suite,
                   .link = {
                       .reorder_ppm = 100000, .reorder_ns = STT_MS(2), .duplicate_ppm = 20000});
    world_connect(&w, STT_MODE_K);
    update_often(&w, 10000);
    require_epochs(&w, 10000);
    world_end(&w);
}
END_TEST

START_TEST(updates_go_through_heavy_loss_and_long_reordering)
{
    suite_id = STT_AEAD_CHACHA20_POLY1305;
    struct world w =
        world_pair(.seed = 1 + (uint64_t)_i, .one_way_ms = 1, .loss_ppm = 300000,
                   .configure = use_suite,
                   .link = {
                       .reorder_ppm = 300000, .reorder_ns = STT_MS(40), .duplicate_ppm = 100000});
    world_connect(&w, STT_MODE_S);
    update_often(&w, 300);
    require_epochs(&w, 300);
    world_end(&w);
}
END_TEST

START_TEST(a_session_carries_packets_in_every_suite)
{
    suite_id = (uint8_t)_i;
    if (!stt_aead_by_id(suite_id, stt_cpu_detect()))
        return;
    struct world w = world_pair(.one_way_ms = 1, .configure = use_suite);
    world_connect(&w, STT_MODE_K);
    for (int i = 0; i < 200; i++) {
        stt_ns now = stt_sim_now(w.sim);
        world_require(&w, stt_session_ping(world_endpoint(&w, w.client), now, w.client->session) ==
                              STT_OK);
        world_run_for(&w, STT_MS(1));
    }
    world_require(&w, info_of(&w, w.server).packets_received >= 200);
    ck_assert_str_eq(info_of(&w, w.client).suite, stt_aead_by_id(suite_id, stt_cpu_detect())->name);
    world_end(&w);
}
END_TEST

/* The client has fewer packets left under any key than the next epoch begins with. */
static void wear_keys_of_the_client(struct stt_config *config, bool is_client)
{
    static struct stt_aead_suite worn;
    worn = *stt_sim_null_suite();
    worn.max_packets = STT_KEY_UPDATE_RESERVE;
    config->n_suites = 1;
    config->suites[0] = is_client ? &worn : stt_sim_null_suite();
}

/* Whoever has begun an epoch, and has nothing to say in it, does not hear the old one for long. */
START_TEST(a_side_that_renews_its_keys_is_followed_at_once)
{
    struct world w = world_pair(.one_way_ms = 10, .configure = wear_keys_of_the_client);
    struct flows f;
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    for (int i = 0; i < 5; i++) {
        flows_run_for(&f, STT_S(1));
        flows_open(&f, &f.server, &(struct flow){.to_write = 1});
        flows_require(&f, flows_are_over, STT_MS(100));
    }
    world_require(&w, info_of(&w, w.client).epoch >= 5);
    flows_end(&f);
}
END_TEST

/* Nobody who moves meanwhile could be heard otherwise, and so be told of the new epoch. */
START_TEST(old_keys_are_kept_until_the_peer_has_followed)
{
    struct world w = world_pair(.one_way_ms = 10);
    world_connect(&w, STT_MODE_K);
    uint64_t next = info_of(&w, w.client).epoch + 1;
    struct stt_endpoint *server = world_endpoint(&w, w.server);
    world_require(&w, stt_session_ping(server, stt_sim_now(w.sim), w.server->session) == STT_OK);
    world_run_for(&w, STT_S(1)); /* a round trip is known */
    stt_ns now = stt_sim_now(w.sim);
    stt_sim_blackout(w.sim, w.links.back, now, now + STT_S(3));
    world_run_for(&w, STT_MS(1));
    server = world_endpoint(&w, w.server);
    now = stt_sim_now(w.sim);
    world_require(&w, stt_session_update_keys(server, now, w.server->session) == STT_OK);
    struct stt_address old = stt_sim_address(w.sim, w.client->node), new = stt_sim_ipv4(77, 1);
    world_run_for(&w, STT_S(2));
    stt_sim_address_move(w.sim, w.client->node, &old, &new);
    struct stt_endpoint *client = world_endpoint(&w, w.client);
    world_require(&w, stt_session_ping(client, stt_sim_now(w.sim), w.client->session) == STT_OK);
    world_run_for(&w, STT_S(5)); /* the server asks again every 3 s */
    world_require(&w, info_of(&w, w.client).epoch == next && info_of(&w, w.server).epoch == next);
    world_require(&w, info_of(&w, w.server).path.remote.port == new.port);
    world_end(&w);
}
END_TEST

/* The host's suites do not fit together: no session, and the user hears that nobody answers. */
static void use_different_suites(struct stt_config *config, bool is_client)
{
    suite_id = is_client ? STT_AEAD_CHACHA20_POLY1305 : STT_AEAD_AES_256_GCM;
    use_suite(config, is_client);
}

START_TEST(sides_without_a_suite_in_common_do_not_meet)
{
    if (!stt_aead_by_id(STT_AEAD_AES_256_GCM, stt_cpu_detect()))
        return;
    struct world w = world_pair(.one_way_ms = 1, .configure = use_different_suites);
    world_connect_begin(&w, STT_MODE_K);
    world_run_for(&w, STT_S(11));
    world_require(&w, w.client->last.type == STT_EVENT_CLOSED);
    world_require(&w, w.client->last.reason == STT_REASON_NO_ANSWER);
    world_require(&w, !w.server->events[STT_EVENT_ACCEPTED]);
    world_end(&w);
}
END_TEST

AGED_SUITE("key updates", LOOP(ten_thousand_updates_in_every_suite_over_a_network_that_errs, 1, 5),
           LOOP(updates_go_through_heavy_loss_and_long_reordering, 0, 8),
           FRESH_TEST(a_side_that_renews_its_keys_is_followed_at_once,
                      "it never stays in one epoch"),
           TEST(old_keys_are_kept_until_the_peer_has_followed),
           LOOP(a_session_carries_packets_in_every_suite, 1, 5),
           FRESH_TEST(sides_without_a_suite_in_common_do_not_meet, "no session"))
