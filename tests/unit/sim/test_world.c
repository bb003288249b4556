/* SPDX-License-Identifier: MIT */
#include "tests/support/dies.h"
#include "tests/support/raw.h"
#include "tests/support/suite.h"

#include <string.h>

/* -- a machine that answers its peer, and pings it when its alarm rings --------------------------
 */

struct player {
    struct stt_sim *sim;
    struct stt_address self, peer;
    stt_ns every, alarm;
    uint64_t owed; /* datagrams to send */
    uint64_t received, expired, started, stopped, events;
    stt_ns expired_at;
    bool never_content, stuck_alarm, chatty;
};

static int start(void *ctx, stt_ns now)
{
    struct player *p = ctx;
    p->started++;
    p->alarm = p->every ? now + p->every : STT_NEVER;
    return p->every == 13 ? STT_E_MEMORY : STT_OK;
}

static void stop(void *ctx)
{
    ((struct player *)ctx)->stopped++;
}

static void receive(void *ctx, stt_ns now, const struct stt_train *t)
{
    struct player *p = ctx;
    (void)now;
    p->received += (t->len + t->segment_bytes - 1) / t->segment_bytes;
    p->owed += p->every ? 0 : 1;
}

static bool transmit(void *ctx, stt_ns now, struct stt_train *t)
{
    struct player *p = ctx;
    (void)now;
    if (!p->owed)
        return false;
    p->owed -= p->never_content ? 0 : 1;
    t->path = (struct stt_path){.remote = p->peer};
    memset(t->data, (int)p->received, 200);
    t->len = t->segment_bytes = 200;
    return true;
}

static stt_ns deadline(const void *ctx)
{
    return ((const struct player *)ctx)->alarm;
}

static void expire(void *ctx, stt_ns now)
{
    struct player *p = ctx;
    p->expired++;
    p->expired_at = now;
    p->owed++;
    if (!p->stuck_alarm)
        p->alarm = now + p->every;
}

static bool event(void *ctx)
{
    struct player *p = ctx;
    if (!p->chatty || p->events == p->expired)
        return false;
    p->events++;
    p->owed++; /* what an event makes the host do is sent, too */
    return true;
}

static const struct stt_sim_machine machine = {.start = start,
                                               .stop = stop,
                                               .receive = receive,
                                               .transmit = transmit,
                                               .deadline = deadline,
                                               .expire = expire,
                                               .event = event};

static stt_sim_node play(struct stt_sim *sim, struct player *p, uint32_t self, uint32_t peer)
{
    stt_sim_node node = 0;
    p->sim = sim;
    p->self = stt_sim_ipv4(self, 1);
    p->peer = stt_sim_ipv4(peer, 1);
    ck_assert_int_eq(stt_sim_machine_add(sim, &machine, p, &p->self, &node), STT_OK);
    return node;
}

struct game {
    struct stt_sim *sim;
    struct player *a, *b;
    stt_sim_node na, nb;
    struct stt_sim_pair links;
};

static struct player players[2];

static struct game game_new(const struct stt_sim_config *config, stt_ns every)
{
    struct game g = {.sim = stt_sim_new(config), .a = &players[0], .b = &players[1]};
    memset(players, 0, sizeof players);
    g.a->every = every;
    g.na = play(g.sim, g.a, 1, 2);
    g.nb = play(g.sim, g.b, 2, 1);
    g.links = stt_sim_pair(g.sim, g.na, g.nb, &(struct stt_link_config){.delay_ns = STT_MS(10)});
    return g;
}

static struct game game_at(stt_ns every)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    return game_new(&config, every);
}

/* -- time
 * ------------------------------------------------------------------------------------------ */

START_TEST(a_node_is_woken_exactly_at_its_deadlines)
{
    struct game g = game_at(STT_MS(100));
    ck_assert(stt_sim_run_until(g.sim, STT_MS(1000)));
    ck_assert_uint_eq(g.a->expired, 10);
    ck_assert_uint_eq(g.a->expired_at, STT_MS(1000));
    ck_assert_uint_eq(g.b->received, 9);
    ck_assert(stt_sim_run_until(g.sim, STT_MS(1020)));
    ck_assert_uint_eq(g.a->received, 10);
    ck_assert_uint_eq(stt_sim_now(g.sim), STT_MS(1020));
    stt_sim_free(g.sim);
}
END_TEST

START_TEST(a_deadline_that_moves_is_followed)
{
    struct game g = game_at(STT_MS(100));
    ck_assert(stt_sim_run_until(g.sim, STT_MS(50)));
    g.a->alarm = STT_MS(300); /* later */
    stt_sim_touch(g.sim, g.na);
    ck_assert(stt_sim_run_until(g.sim, STT_MS(250)));
    ck_assert_uint_eq(g.a->expired, 0);
    g.a->alarm = STT_MS(260); /* earlier */
    stt_sim_touch(g.sim, g.na);
    ck_assert(stt_sim_run_until(g.sim, STT_MS(299)));
    ck_assert_uint_eq(g.a->expired, 1);
    ck_assert_uint_eq(g.a->expired_at, STT_MS(260));
    g.a->alarm = STT_MS(5); /* past */
    stt_sim_touch(g.sim, g.na);
    ck_assert(stt_sim_run_until(g.sim, STT_MS(299)));
    ck_assert_uint_eq(g.a->expired_at, STT_MS(299));
    stt_sim_free(g.sim);
}
END_TEST

START_TEST(what_events_lead_to_is_sent_at_once)
{
    struct game g = game_at(STT_MS(100));
    g.a->chatty = true;
    ck_assert(stt_sim_run_until(g.sim, STT_MS(110)));
    ck_assert_uint_eq(g.a->events, 1);
    ck_assert_uint_eq(g.b->received, 2);
    stt_sim_free(g.sim);
}
END_TEST

static bool wants_five(void *ctx)
{
    return ((const struct player *)ctx)->received < 5;
}

START_TEST(running_while_ends_at_the_event_that_was_enough)
{
    struct game g = game_at(STT_MS(100));
    ck_assert(stt_sim_run_while(g.sim, wants_five, g.b, STT_S(10)));
    ck_assert_uint_eq(stt_sim_now(g.sim), STT_MS(510));
    ck_assert(stt_sim_run_while(g.sim, wants_five, g.b, STT_S(10)));
    ck_assert_uint_eq(stt_sim_now(g.sim), STT_MS(510));
    g.b->received = 0;
    ck_assert(!stt_sim_run_while(g.sim, wants_five, g.b, STT_MS(800)));
    ck_assert_uint_eq(stt_sim_now(g.sim), STT_MS(800));
    stt_sim_free(g.sim);
}
END_TEST

START_TEST(running_while_ends_when_nothing_can_happen_any_more)
{
    struct game g = game_at(0);
    ck_assert(!stt_sim_run_while(g.sim, wants_five, g.b, STT_NEVER));
    ck_assert_uint_eq(stt_sim_now(g.sim), 0);
    stt_sim_free(g.sim);
}
END_TEST

static void kill_b(void *ctx, struct stt_sim *sim)
{
    stt_sim_kill(sim, *(stt_sim_node *)ctx);
}

START_TEST(a_plan_is_carried_out_in_time_and_a_late_one_never)
{
    struct game g = game_at(STT_MS(100));
    stt_sim_at(g.sim, STT_MS(455), kill_b, &g.nb);
    stt_sim_at(g.sim, STT_S(999), kill_b, &g.na);
    ck_assert(stt_sim_run_until(g.sim, STT_MS(1000)));
    ck_assert_uint_eq(g.b->received, 4);
    ck_assert(!stt_sim_is_running(g.sim, g.nb));
    stt_sim_free(g.sim);
}
END_TEST

START_TEST(time_may_begin_anywhere)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.start_ns = STT_S(1000000);
    struct game g = game_new(&config, STT_MS(100));
    ck_assert(stt_sim_run_until(g.sim, STT_S(1000001)));
    ck_assert_uint_eq(g.a->expired, 10);
    stt_sim_free(g.sim);
}
END_TEST

/* -- fates
 * ----------------------------------------------------------------------------------------- */

START_TEST(a_killed_node_hears_and_says_nothing_until_it_is_restarted)
{
    struct game g = game_at(STT_MS(100));
    ck_assert(stt_sim_run_until(g.sim, STT_MS(250)));
    stt_sim_kill(g.sim, g.na);
    stt_sim_kill(g.sim, g.na);
    ck_assert_uint_eq(g.a->stopped, 1);
    ck_assert(stt_sim_run_until(g.sim, STT_MS(1000)));
    ck_assert_uint_eq(g.a->expired, 2);
    ck_assert_int_eq(stt_sim_restart(g.sim, g.na), STT_OK);
    ck_assert(stt_sim_run_until(g.sim, STT_MS(1100)));
    ck_assert_uint_eq(g.a->started, 2);
    ck_assert_uint_eq(g.a->expired, 3);
    stt_sim_kill(g.sim, g.nb);
    ck_assert(stt_sim_run_until(g.sim, STT_MS(1210)));
    ck_assert_uint_eq(stt_sim_stats(g.sim).not_running, 2);
    stt_sim_free(g.sim);
    ck_assert_uint_eq(players[0].stopped, 2);
}
END_TEST

START_TEST(a_suspended_node_sleeps_through_its_deadlines)
{
    struct game g = game_at(STT_MS(100));
    ck_assert(stt_sim_run_until(g.sim, STT_MS(150)));
    stt_sim_suspend(g.sim, g.na);
    ck_assert(stt_sim_run_until(g.sim, STT_S(3600)));
    ck_assert_uint_eq(g.a->expired, 1);
    stt_sim_resume(g.sim, g.na);
    ck_assert(stt_sim_run_until(g.sim, STT_S(3600)));
    ck_assert_uint_eq(g.a->expired, 2);
    ck_assert_uint_eq(g.a->expired_at, STT_S(3600));
    stt_sim_free(g.sim);
}
END_TEST

START_TEST(a_node_that_fails_to_start_is_not_there)
{
    struct game g = game_at(0);
    struct player p = {.every = 13};
    struct stt_address address = stt_sim_ipv4(3, 1);
    stt_sim_node node = 77;
    ck_assert_int_eq(stt_sim_machine_add(g.sim, &machine, &p, &address, &node), STT_E_MEMORY);
    ck_assert_uint_eq(node, 77);
    struct player next = {0};
    ck_assert_uint_eq(play(g.sim, &next, 3, 1), 2);
    stt_sim_free(g.sim);
}
END_TEST

START_TEST(what_is_sent_from_a_foreign_address_leaves_from_the_first)
{
    struct game g = game_at(STT_MS(100));
    struct raw c = raw_add(g.sim, 3);
    g.a->peer = c.address;
    stt_sim_pair(g.sim, g.na, c.node, &(struct stt_link_config){0});
    ck_assert(stt_sim_run_until(g.sim, STT_MS(100)));
    ck_assert_uint_eq(c.log->n, 1);
    ck_assert_int_eq(memcmp(&c.log->seen[0].from, &g.a->self, sizeof g.a->self), 0);
    stt_sim_free(g.sim);
    raw_free(&c);
}
END_TEST

/* -- failures
 * -------------------------------------------------------------------------------------- */

START_TEST(a_node_that_never_stops_sending_is_named)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.transmits_at_once_max = 100;
    struct game g = game_new(&config, STT_MS(100));
    g.a->never_content = true;
    ck_assert(!stt_sim_run_until(g.sim, STT_S(1)));
    ck_assert_ptr_nonnull(strstr(stt_sim_failure(g.sim), "node 0 spins: transmits"));
    ck_assert_uint_eq(stt_sim_now(g.sim), STT_MS(100));
    stt_sim_free(g.sim);
}
END_TEST

START_TEST(a_deadline_that_stays_past_is_named)
{
    struct game g = game_at(STT_MS(100));
    g.a->stuck_alarm = true;
    ck_assert(!stt_sim_run_until(g.sim, STT_S(1)));
    ck_assert_ptr_nonnull(strstr(stt_sim_failure(g.sim), "node 0 spins: expires"));
    stt_sim_free(g.sim);
}
END_TEST

START_TEST(two_that_answer_each_other_without_delay_are_found_out)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.events_at_once_max = 1000;
    struct game g = game_new(&config, 0);
    stt_sim_link_set(g.sim, g.links.forth, &(struct stt_link_config){0});
    stt_sim_link_set(g.sim, g.links.back, &(struct stt_link_config){0});
    g.a->owed = 1;
    ck_assert(!stt_sim_run_until(g.sim, STT_S(1)));
    ck_assert_ptr_nonnull(strstr(stt_sim_failure(g.sim), "time does not go on"));
    stt_sim_free(g.sim);
}
END_TEST

static bool echo(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    (void)now;
    stt_sim_send(ctx, d);
    return true;
}

START_TEST(a_tap_that_feeds_itself_is_found_out)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.events_at_once_max = 1000000; /* on the stack, so many would be noticed */
    struct game g = game_new(&config, 0);
    stt_sim_tap(g.sim, g.links.forth, echo, g.sim);
    g.a->owed = 1;
    ck_assert(!stt_sim_run_until(g.sim, STT_S(1)));
    ck_assert_ptr_nonnull(strstr(stt_sim_failure(g.sim), "time does not go on"));
    stt_sim_free(g.sim);
}
END_TEST

START_TEST(many_events_in_a_long_time_are_no_spin)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.events_at_once_max = 20;
    config.transmits_at_once_max = 2;
    config.expires_at_once_max = 1;
    struct game g = game_new(&config, STT_MS(1));
    ck_assert(stt_sim_run_until(g.sim, STT_S(1)));
    ck_assert_uint_eq(g.a->expired, 1000);
    stt_sim_free(g.sim);
}
END_TEST

static bool transmit_nonsense(void *ctx, stt_ns now, struct stt_train *t)
{
    struct player *p = ctx;
    (void)now;
    t->path.remote = p->peer;
    t->len = 65 * 100;
    t->segment_bytes = 100;
    return true;
}

START_TEST(an_impossible_train_is_named)
{
    struct game g = game_at(0);
    const struct stt_sim_machine bad = {.transmit = transmit_nonsense};
    struct player p = {.peer = g.a->self};
    struct stt_address address = stt_sim_ipv4(3, 1);
    stt_sim_node node = 0;
    ck_assert_int_eq(stt_sim_machine_add(g.sim, &bad, &p, &address, &node), STT_OK);
    ck_assert(!stt_sim_run_until(g.sim, STT_S(1)));
    ck_assert_ptr_nonnull(strstr(stt_sim_failure(g.sim), "6500 bytes in segments of 100"));
    stt_sim_free(g.sim);
}
END_TEST

static void run_inside(void *ctx, struct stt_sim *sim)
{
    (void)ctx;
    stt_sim_run_until(sim, STT_S(9));
}

static void nest(void *arg)
{
    stt_sim_at(arg, 5, run_inside, NULL);
    stt_sim_run_until(arg, 10);
}

START_TEST(runs_do_not_nest)
{
    struct stt_sim *sim = raw_world(1);
    ck_assert(dies(nest, sim));
    stt_sim_free(sim);
}
END_TEST

/* -- determinism
 * ----------------------------------------------------------------------------------- */

static uint64_t hash_of_a_wild_run(uint64_t seed, uint8_t content)
{
    struct stt_sim *sim = raw_world(seed);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    struct stt_sim_pair links = stt_sim_pair(sim, a.node, b.node,
                                             &(struct stt_link_config){.rate_bits_per_s = 10000000,
                                                                       .queue_bytes = 20000,
                                                                       .delay_ns = STT_MS(10),
                                                                       .jitter_ns = STT_MS(3),
                                                                       .loss_ppm = 20000,
                                                                       .duplicate_ppm = 20000,
                                                                       .corrupt_ppm = 20000,
                                                                       .reorder_ppm = 20000,
                                                                       .reorder_ns = STT_MS(4),
                                                                       .burst_enter_ppm = 1000,
                                                                       .burst_leave_ppm = 100000,
                                                                       .burst_loss_ppm = 900000});
    stt_sim_replay(sim, links.forth, STT_MS(77));
    stt_sim_blackout(sim, links.forth, STT_MS(300), STT_MS(350));
    for (size_t i = 0; i < 1000; i++) {
        uint8_t data[400] = {content};
        struct stt_sim_datagram d = {
            .from = a.address, .to = b.address, .data = data, .len = sizeof data};
        stt_sim_send(sim, &d);
        stt_sim_run_until(sim, stt_sim_now(sim) + STT_MS(1));
    }
    uint64_t hash = stt_sim_hash(sim);
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
    return hash;
}

START_TEST(the_same_seed_gives_the_same_world)
{
    uint64_t hash = hash_of_a_wild_run(5, 1);
    ck_assert_uint_eq(hash_of_a_wild_run(5, 1), hash);
    ck_assert_uint_ne(hash_of_a_wild_run(6, 1), hash);
    ck_assert_uint_ne(hash_of_a_wild_run(5, 2), hash);
}
END_TEST

/* Written down once: what changes it changes every scenario's story, so let it be on purpose. */
START_TEST(the_same_seed_gives_the_same_world_on_every_machine)
{
    ck_assert_uint_eq(hash_of_a_wild_run(1, 1), UINT64_C(15981825496808661535));
}
END_TEST

struct diary {
    uint64_t sent, delivered, expired, life;
};

static void observe(void *ctx, const struct stt_sim_record *r)
{
    struct diary *d = ctx;
    d->sent += r->kind == STT_SIM_SENT;
    d->delivered += r->kind == STT_SIM_DELIVERED;
    d->expired += r->kind == STT_SIM_EXPIRED;
    d->life += r->kind == STT_SIM_LIFE;
}

START_TEST(an_observer_is_told_everything)
{
    struct diary diary = {0};
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.observe = observe;
    config.observe_ctx = &diary;
    struct game g = game_new(&config, STT_MS(100));
    ck_assert(stt_sim_run_until(g.sim, STT_MS(1000)));
    ck_assert_uint_eq(diary.expired, 10);
    ck_assert_uint_eq(diary.sent, 10 + 9);
    ck_assert_uint_eq(diary.delivered, 9 + 9);
    ck_assert_uint_eq(diary.life, 2);
    stt_sim_free(g.sim);
}
END_TEST

SUITE("world", TEST(a_node_is_woken_exactly_at_its_deadlines),
      TEST(a_deadline_that_moves_is_followed), TEST(what_events_lead_to_is_sent_at_once),
      TEST(running_while_ends_at_the_event_that_was_enough),
      TEST(running_while_ends_when_nothing_can_happen_any_more),
      TEST(a_plan_is_carried_out_in_time_and_a_late_one_never), TEST(time_may_begin_anywhere),
      TEST(a_killed_node_hears_and_says_nothing_until_it_is_restarted),
      TEST(a_suspended_node_sleeps_through_its_deadlines),
      TEST(a_node_that_fails_to_start_is_not_there),
      TEST(what_is_sent_from_a_foreign_address_leaves_from_the_first),
      TEST(a_node_that_never_stops_sending_is_named), TEST(a_deadline_that_stays_past_is_named),
      TEST(two_that_answer_each_other_without_delay_are_found_out),
      TEST(a_tap_that_feeds_itself_is_found_out), TEST(many_events_in_a_long_time_are_no_spin),
      TEST(an_impossible_train_is_named), TEST(runs_do_not_nest),
      TEST(the_same_seed_gives_the_same_world),
      TEST(the_same_seed_gives_the_same_world_on_every_machine),
      TEST(an_observer_is_told_everything))
