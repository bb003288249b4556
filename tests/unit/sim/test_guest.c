/* SPDX-License-Identifier: MIT */
#include "tests/support/suite.h"
#include "tests/support/world.h"

#include <string.h>

START_TEST(an_endpoint_that_cannot_be_made_leaves_nothing_behind)
{
    for (uint64_t n = 1;; n++) {
        struct stt_sim_config config = STT_SIM_CONFIG_INIT;
        struct stt_sim *sim = stt_sim_new(&config);
        struct stt_sim_endpoint e = {.config = STT_CONFIG_INIT, .address = stt_sim_ipv4(1, 1)};
        static const uint8_t secret[32] = {1};
        stt_identity_init(&e.config.identity, secret);
        memcpy(e.config.application, "test/1", 7);
        e.memory.fail_at = n;
        stt_sim_node node = 99;
        int error = stt_sim_endpoint_add(sim, &e, &node);
        ck_assert_ptr_null(stt_sim_failure(sim));
        if (error == STT_OK) {
            ck_assert_uint_gt(n, 1);
            ck_assert_uint_eq(stt_sim_memory(sim, node)->failed, 0);
            ck_assert_uint_gt(stt_sim_memory(sim, node)->bytes_in_use, 0);
            stt_sim_kill(sim, node);
            ck_assert_ptr_null(stt_sim_endpoint(sim, node));
            ck_assert_uint_eq(stt_sim_memory(sim, node)->bytes_in_use, 0);
            stt_sim_free(sim);
            break;
        }
        ck_assert_uint_eq(node, 99);
        stt_sim_free(sim);
    }
}
END_TEST

struct first {
    uint8_t data[1200];
    size_t len;
};

static bool keep_first(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct first *f = ctx;
    (void)now;
    if (f->len == 0) {
        f->len = d->len;
        memcpy(f->data, d->data, d->len < sizeof f->data ? d->len : sizeof f->data);
    }
    return true;
}

START_TEST(a_restarted_endpoint_draws_what_it_never_drew)
{
    struct world w = world_pair(.one_way_ms = 5);
    struct first before = {.len = 0}, after = {.len = 0};
    stt_sim_tap(w.sim, w.links.forth, keep_first, &before);
    world_connect(&w, STT_MODE_K);
    ck_assert_int_eq(stt_sim_restart(w.sim, w.client->node), STT_OK);
    stt_sim_tap(w.sim, w.links.forth, keep_first, &after);
    world_connect(&w, STT_MODE_K);
    ck_assert_uint_eq(before.len, after.len);
    ck_assert_int_ne(memcmp(before.data, after.data, sizeof before.data), 0);
    ck_assert_int_ne(memcmp(before.data + 2, after.data + 2, 8), 0); /* the initiator's id */
    world_end(&w);
}
END_TEST

START_TEST(an_endpoint_on_another_seed_draws_something_else)
{
    struct first one = {.len = 0}, other = {.len = 0};
    struct world w = world_pair(.seed = 1), v = world_pair(.seed = 2);
    stt_sim_tap(w.sim, w.links.forth, keep_first, &one);
    stt_sim_tap(v.sim, v.links.forth, keep_first, &other);
    world_connect(&w, STT_MODE_K);
    world_connect(&v, STT_MODE_K);
    ck_assert_int_ne(memcmp(one.data, other.data, sizeof one.data), 0);
    world_end(&w);
    world_end(&v);
}
END_TEST

static void with_null_suite(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->suites[0] = stt_sim_null_suite();
    config->n_suites = 1;
}

START_TEST(endpoints_run_on_the_null_suite)
{
    struct world w = world_pair(.one_way_ms = 5, .configure = with_null_suite);
    world_connect(&w, STT_MODE_K);
    struct stt_session_info info;
    ck_assert_int_eq(stt_session_info(world_endpoint(&w, w.client), w.client->session, &info),
                     STT_OK);
    ck_assert_str_eq(info.suite, "null");
    world_end(&w);
}
END_TEST

START_TEST(without_entropy_nobody_connects)
{
    struct world w = world_pair(.one_way_ms = 5);
    struct stt_connect call = world_call(&w, w.server, STT_MODE_K);
    stt_handle session;
    stt_sim_entropy(w.sim, w.client->node, false);
    ck_assert_int_lt(
        stt_endpoint_connect(world_endpoint(&w, w.client), stt_sim_now(w.sim), &call, &session), 0);
    ck_assert_int_lt(stt_sim_restart(w.sim, w.client->node), 0);
    stt_sim_entropy(w.sim, w.client->node, true);
    ck_assert_int_eq(stt_sim_restart(w.sim, w.client->node), STT_OK);
    world_connect(&w, STT_MODE_K);
    world_end(&w);
}
END_TEST

START_TEST(a_host_that_does_not_listen_hears_later)
{
    struct world w = world_pair(.one_way_ms = 5);
    stt_sim_listen(w.sim, w.server->node, false);
    world_connect_begin(&w, STT_MODE_K);
    world_run_for(&w, STT_S(1));
    ck_assert_uint_eq(w.client->events[STT_EVENT_CONNECTED], 1);
    ck_assert_uint_eq(w.server->events[STT_EVENT_ACCEPTED], 0);
    stt_sim_listen(w.sim, w.server->node, true);
    world_run_for(&w, 0);
    ck_assert_uint_eq(w.server->events[STT_EVENT_ACCEPTED], 1);
    world_end(&w);
}
END_TEST

SUITE("guest", TEST(an_endpoint_that_cannot_be_made_leaves_nothing_behind),
      TEST(a_restarted_endpoint_draws_what_it_never_drew),
      TEST(an_endpoint_on_another_seed_draws_something_else), TEST(endpoints_run_on_the_null_suite),
      TEST(without_entropy_nobody_connects), TEST(a_host_that_does_not_listen_hears_later))
