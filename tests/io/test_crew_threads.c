/* SPDX-License-Identifier: MIT
 * Several workers as one, by both drivers: what stt/node.h promises of a crew. */
#include "crypto/code.h"
#include "tests/support/crews.h"
#include "tests/support/suite.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};
enum { IOS = 2 };

static struct crews s; /* one test, one process */
static struct clients c;

static bool begin(const struct crews_wishes *wishes, uint32_t n, uint32_t talks)
{
    if (!crews_begin(&s, wishes))
        return false;
    clients_begin(&c, &s, n, talks);
    return true;
}

static void end(void)
{
    clients_end(&c);
    crews_end(&s);
}

static uint64_t handed_over(void)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s.wishes.workers; i++)
        n += s.of[i].handed_over;
    return n;
}

/* -- sessions ------------------------------------------------------------------------------------
 */

/* Which worker a session comes to is chance: that one of four gets none of 64 has 4 * (3/4)^64, one
 * in 25 million. */
START_TEST(each_worker_serves_its_sessions_steered_or_not)
{
    bool is_unsteered = _i / IOS;
    if (!begin(
            &(struct crews_wishes){.io = ios[_i % IOS], .workers = 4, .is_unsteered = is_unsteered},
            4, 16))
        return;
    clients_connect(&c, 256 << 10);
    ck_assert(clients_until(&c, clients_have_echo, STT_S(90)));
    end();
    ck_assert_uint_eq(crews_events(&s, STT_EVENT_ACCEPTED), 64);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_gt(s.of[i].events[STT_EVENT_ACCEPTED], 0);
        ck_assert_uint_eq(s.of[i].echoed, s.of[i].events[STT_EVENT_ACCEPTED]);
    }
    if (is_unsteered)
        ck_assert_uint_gt(handed_over(), 0);
}
END_TEST

START_TEST(a_crew_of_one_is_a_node)
{
    if (!begin(&(struct crews_wishes){.io = ios[_i], .workers = 1}, 2, 4))
        return;
    clients_connect(&c, 100000);
    ck_assert(clients_until(&c, clients_have_echo, STT_S(60)));
    end();
    ck_assert_uint_eq(s.of[0].events[STT_EVENT_ACCEPTED], 8);
    ck_assert_uint_eq(handed_over(), 0);
}
END_TEST

/* Three of four, before anybody connects; what would have been theirs is served by the last. */
START_TEST(who_returns_early_leaves_his_share_to_the_others)
{
    if (!begin(
            &(struct crews_wishes){.io = ios[_i], .workers = 4, .quits = 1 << 0 | 1 << 1 | 1 << 3},
            4, 8))
        return;
    crews_await_over(&s, 3);
    clients_connect(&c, 20000);
    ck_assert(clients_until(&c, clients_have_echo, STT_S(60)));
    end();
    ck_assert_uint_eq(s.of[2].events[STT_EVENT_ACCEPTED], 32);
}
END_TEST

START_TEST(a_crew_stops_in_the_middle_of_everything)
{
    if (!begin(&(struct crews_wishes){.io = ios[_i], .workers = 4}, 4, 4))
        return;
    clients_connect(&c, 1 << 30);
    ck_assert(clients_until(&c, clients_are_connected, STT_S(60)));
    for (uint32_t i = 0; i < 50; i++)
        clients_turn(&c, 10);
    end();
    ck_assert_uint_eq(crews_events(&s, STT_EVENT_ACCEPTED), 16);
}
END_TEST

/* What all addresses of both families are, a client asks by one of each. */
START_TEST(a_crew_listens_in_both_families)
{
    char to[2][40];
    if (!begin(&(struct crews_wishes){.io = ios[_i], .workers = 4, .at = "0"}, 2, 8))
        return;
    snprintf(to[0], sizeof to[0], "127.0.0.1:%u", s.at.port);
    snprintf(to[1], sizeof to[1], "[::1]:%u", s.at.port);
    for (uint32_t i = 0; i < 16; i++) {
        c.of[i / 8].talks[i % 8] = (struct talk){.to_write = 5000};
        client_connect(&c, &c.of[i / 8], &c.of[i / 8].talks[i % 8], to[i / 8], NULL);
    }
    ck_assert(clients_until(&c, clients_have_echo, STT_S(60)));
    end();
    ck_assert_uint_eq(crews_events(&s, STT_EVENT_ACCEPTED), 16);
}
END_TEST

/* -- calls of other threads ----------------------------------------------------------------------
 */

enum { POSTERS = 4, POSTS = 2000 };

/* Under no lock: each worker's thread counts its own. */
static void count_post(struct stt_node *node, void *ctx)
{
    (void)node;
    ((struct crews_worker *)ctx)->posts++;
}

static void *post(void *ctx)
{
    uint32_t *first = ctx;
    for (uint32_t i = 0; i < POSTS; i++) {
        uint32_t worker = (*first + i) % 4;
        while (stt_node_post(stt_crew_node(s.crew, worker), count_post, &s.of[worker]))
            sched_yield();
    }
    return NULL;
}

static void stop_itself(struct stt_node *node, void *ctx)
{
    (void)ctx;
    stt_node_stop(node);
}

START_TEST(posts_of_many_threads_reach_the_worker_they_name)
{
    pthread_t threads[POSTERS];
    uint32_t first[POSTERS];
    if (!begin(&(struct crews_wishes){.io = ios[_i], .workers = 4}, 1, 8))
        return;
    clients_connect(&c, 50000);
    for (uint32_t i = 0; i < POSTERS; i++) {
        first[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post, &first[i]), 0);
    }
    ck_assert(clients_until(&c, clients_have_echo, STT_S(60)));
    for (uint32_t i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < 4; i++) /* a stop would be faster than what was posted before it */
        while (stt_node_post(stt_crew_node(s.crew, i), stop_itself, NULL))
            sched_yield();
    crews_await_over(&s, 4);
    while (stt_node_post(stt_crew_node(s.crew, 3), count_post, &s.of[3]) != STT_E_STATE)
        sched_yield();
    ck_assert_ptr_null(stt_crew_node(s.crew, 4));
    end();
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(s.of[i].posts, POSTERS * POSTS / 4);
}
END_TEST

static void to_spin(struct stt_node_config *config)
{
    config->spin_ns = STT_MS(1);
}

static void count_call(struct stt_node *node, void *ctx)
{
    (void)node;
    atomic_fetch_add((atomic_uint *)ctx, 1);
}

/* Each is answered before the next: one whose wake is taken by a step that looks for something else
 * would wait for good. */
START_TEST(no_call_is_lost_while_a_node_spins)
{
    atomic_uint calls = 0;
    if (!begin(&(struct crews_wishes){.io = ios[_i], .workers = 2, .configure = to_spin}, 1, 1))
        return;
    stt_ns until = stt_node_now(c.of[0].node) + STT_S(20);
    for (unsigned i = 0; i < 500; i++) {
        ck_assert_int_eq(stt_node_post(stt_crew_node(s.crew, i % 2), count_call, &calls), STT_OK);
        while (calls <= i && stt_node_now(c.of[0].node) < until)
            for (unsigned n = 0; n < i * 7; n++)
                (void)stt_node_now(c.of[0].node);
        ck_assert_uint_eq(calls, i + 1);
    }
    end();
}
END_TEST

/* -- what holds for all --------------------------------------------------------------------------
 */

/* Of the same slot, and wrong. */
static void spoil(char text[STT_CODE_TEXT_MAX])
{
    char *last = strrchr(text, '-') + 1;
    *last = *last == 'k' ? 'm' : 'k';
}

static void guess(struct talk *t, const char *code)
{
    *t = (struct talk){.to_write = 0};
    client_connect(&c, &c.of[0], t, NULL, code);
    c.talks = 1;
    c.of[0].talks[0] = *t;
}

/* Twelve guesses, of which nine are met with silence, whichever worker they come to; nor is the
 * right one heard any more. */
START_TEST(a_guesser_has_three_tries_with_all_workers_together)
{
    char right[STT_CODE_TEXT_MAX], wrong[STT_CODE_TEXT_MAX];
    uint32_t slot, n_wrong = 0;
    if (!begin(&(struct crews_wishes){.io = ios[_i], .workers = 4}, 1, 13))
        return;
    ck_assert_int_eq(stt_crew_code_new(s.crew, right, &slot), STT_OK);
    strcpy(wrong, right);
    spoil(wrong);
    for (uint32_t i = 0; i < 3; i++) {
        guess(&(struct talk){.to_write = 0}, wrong);
        ck_assert(clients_until(&c, clients_are_closed, STT_S(30)));
        n_wrong += c.of[0].talks[0].reason == STT_REASON_CODE_WRONG;
    }
    ck_assert_uint_eq(n_wrong, 3);
    c.talks = 10;
    for (uint32_t i = 0; i < 10; i++) {
        c.of[0].talks[i] = (struct talk){.to_write = 0};
        client_connect(&c, &c.of[0], &c.of[0].talks[i], NULL, i < 9 ? wrong : right);
    }
    ck_assert(clients_until(&c, clients_are_closed, STT_S(30)));
    for (uint32_t i = 0; i < 10; i++)
        ck_assert_int_eq(c.of[0].talks[i].reason, STT_REASON_NO_ANSWER);
    end();
    ck_assert_uint_eq(crews_events(&s, STT_EVENT_CODE_WRONG), 3);
    ck_assert_uint_eq(crews_events(&s, STT_EVENT_CODE_ENDED), 1);
    ck_assert_uint_eq(crews_events(&s, STT_EVENT_ACCEPTED), 0);
}
END_TEST

/* Sixteen who know it, at the same time, at all workers: one of them comes in. */
START_TEST(a_code_serves_once_in_all_workers)
{
    char code[STT_CODE_TEXT_MAX];
    uint32_t slot, connected = 0;
    if (!begin(&(struct crews_wishes){.io = ios[_i], .workers = 4}, 4, 4))
        return;
    ck_assert_int_eq(stt_crew_code_new(s.crew, code, &slot), STT_OK);
    for (uint32_t i = 0; i < 16; i++) {
        c.of[i / 4].talks[i % 4] = (struct talk){.to_write = 0};
        client_connect(&c, &c.of[i / 4], &c.of[i / 4].talks[i % 4], NULL, code);
    }
    stt_ns until = stt_node_now(c.of[0].node) + STT_S(12);
    while (stt_node_now(c.of[0].node) < until) {
        uint32_t settled = 0;
        clients_turn(&c, 100);
        for (uint32_t i = 0; i < 16; i++)
            settled += c.of[i / 4].talks[i % 4].is_connected || c.of[i / 4].talks[i % 4].is_closed;
        if (settled == 16)
            break;
    }
    for (uint32_t i = 0; i < 16; i++)
        connected += c.of[i / 4].talks[i % 4].is_connected;
    ck_assert_int_eq(stt_crew_code_end(s.crew, slot), STT_E_NOT_FOUND);
    end();
    ck_assert_uint_eq(connected, 1);
    ck_assert_uint_eq(crews_events(&s, STT_EVENT_ACCEPTED), 1);
    ck_assert_uint_eq(crews_events(&s, STT_EVENT_CODE_ENDED), 1);
}
END_TEST

static void for_friends(struct stt_node_config *config)
{
    config->endpoint.allow_only_listed = true;
}

START_TEST(who_is_allowed_is_allowed_with_all)
{
    struct stt_peer_id friend;
    if (!begin(&(struct crews_wishes){.io = ios[_i], .workers = 4, .configure = for_friends}, 2,
               16))
        return;
    friend = c.of[0].config.endpoint.identity.peer_id;
    ck_assert_int_eq(stt_crew_allow(s.crew, &friend), STT_OK);
    clients_connect(&c, 1000);
    stt_ns until = stt_node_now(c.of[0].node) + STT_S(30);
    c.n = 1;
    ck_assert(clients_until(&c, clients_have_echo, STT_S(30)));
    c.n = 2;
    while (!c.of[1].talks[15].is_closed && stt_node_now(c.of[0].node) < until)
        clients_turn(&c, 1000);
    ck_assert_int_eq(c.of[1].talks[15].reason, STT_REASON_NO_ANSWER);
    ck_assert_int_eq(stt_crew_disallow(s.crew, &friend), STT_OK);
    ck_assert_int_eq(stt_crew_disallow(s.crew, &friend), STT_E_NOT_FOUND);
    end();
    ck_assert_uint_eq(crews_events(&s, STT_EVENT_ACCEPTED), 16);
}
END_TEST

/* -- ports ---------------------------------------------------------------------------------------
 */

struct listener {
    atomic_uint begun, failed;
    struct stt_address at[2][2];
    struct stt_address taken;
    char taken_text[STT_ADDRESS_TEXT_ROOM];
};

static void listen_twice(struct stt_node *node, uint32_t worker, void *ctx)
{
    struct listener *l = ctx;
    for (uint32_t i = 0; i < 2; i++)
        l->failed += stt_node_listen(node, "127.0.0.1:0", &l->at[worker][i]) != STT_OK;
    l->failed += stt_node_listen(node, l->taken_text, NULL) != STT_E_EXISTS;
    l->failed += stt_node_listen(node, "192.0.2.1:0", NULL) != STT_E_NOT_FOUND;
    l->failed += stt_node_listen(node, "nonsense", NULL) != STT_E_FORMAT;
    l->begun++;
    while (stt_node_wait(node, STT_NEVER) == STT_OK)
        ;
}

START_TEST(workers_that_ask_for_the_same_address_share_a_port_and_take_nobody_elses)
{
    static struct listener l;
    struct stt_crew *other;
    if (!begin(&(struct crews_wishes){.io = ios[_i], .workers = 2}, 1, 1))
        return;
    strcpy(l.taken_text, s.at_text);
    ck_assert_int_eq(stt_node_spawn(&other, &s.config, 2, listen_twice, &l), STT_OK);
    while (l.begun < 2)
        sched_yield();
    stt_crew_stop(other);
    stt_crew_join(other);
    ck_assert_uint_eq(l.failed, 0);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_ne(l.at[0][i].port, 0);
        ck_assert_uint_eq(l.at[0][i].port, l.at[1][i].port);
    }
    ck_assert_uint_ne(l.at[0][0].port, l.at[0][1].port);
    clients_connect(&c, 1000);
    ck_assert(clients_until(&c, clients_have_echo, STT_S(30)));
    end();
}
END_TEST

START_TEST(what_cannot_be_spawned_is_refused)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    struct stt_crew *crew;
    strcpy(config.endpoint.application, "crews/1");
    config.io = ios[_i];
    ck_assert_int_eq(stt_node_spawn(&crew, &config, 4, listen_twice, NULL), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_node_identity(&config, NULL), STT_OK);
    ck_assert_int_eq(stt_node_spawn(&crew, &config, 0, listen_twice, NULL), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_node_spawn(&crew, &config, STT_WORKERS_MAX + 1, listen_twice, NULL),
                     STT_E_ARGUMENT);
    config.size--;
    ck_assert_int_eq(stt_node_spawn(&crew, &config, 4, listen_twice, NULL), STT_E_ARGUMENT);
    ck_assert_ptr_null(crew);
}
END_TEST

SUITE("crew_threads", LOOP(each_worker_serves_its_sessions_steered_or_not, 0, 2 * IOS),
      LOOP(a_crew_of_one_is_a_node, 0, IOS), LOOP(a_crew_listens_in_both_families, 0, IOS),
      LOOP(who_returns_early_leaves_his_share_to_the_others, 0, IOS),
      LOOP(a_crew_stops_in_the_middle_of_everything, 0, IOS),
      LOOP(posts_of_many_threads_reach_the_worker_they_name, 0, IOS),
      LOOP(no_call_is_lost_while_a_node_spins, 0, IOS),
      LOOP(a_guesser_has_three_tries_with_all_workers_together, 0, IOS),
      LOOP(a_code_serves_once_in_all_workers, 0, IOS),
      LOOP(who_is_allowed_is_allowed_with_all, 0, IOS),
      LOOP(workers_that_ask_for_the_same_address_share_a_port_and_take_nobody_elses, 0, IOS),
      LOOP(what_cannot_be_spawned_is_refused, 0, IOS))
