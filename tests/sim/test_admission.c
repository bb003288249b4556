/* SPDX-License-Identifier: MIT
 * Who is let in: applications that differ, lists of peers, and ids that share a key. */
#include <string.h>

#include "stt/wire/frame.h"
#include "tests/support/suite.h"
#include "tests/support/tap.h"
#include "tests/support/ways.h"

static struct stt_endpoint_stats stats_of(struct world *w, const struct world_side *side)
{
    struct stt_endpoint_stats stats;
    stt_endpoint_stats(world_endpoint(w, side), &stats);
    return stats;
}

/* -- applications --------------------------------------------------------------------------------
 */

static void another_application(struct stt_config *config, bool is_client)
{
    if (is_client)
        memcpy(config->application, "test/2", 7);
}

static void require_mismatch(struct world *w, const struct world_side *side)
{
    const struct stt_event *end = &side->latest[STT_EVENT_CLOSED];
    world_require(w, side->events[STT_EVENT_CLOSED] == 1);
    world_require(w, end->reason == STT_REASON_APPLICATION);
    world_require(w, end->code == STT_CLOSE_APPLICATION_MISMATCH);
    world_require(w, stats_of(w, side).sessions == 0);
}

START_TEST(two_applications_that_differ_are_both_told)
{
    struct world w = world_pair(.one_way_ms = 20, .configure = another_application);
    way_begin(&w, &ways[_i]);
    world_require(&w, world_run_until(&w, both_closed, STT_MS(200)));
    world_run_for(&w, STT_S(5));
    require_mismatch(&w, w.client);
    require_mismatch(&w, w.server);
    world_end(&w);
}
END_TEST

START_TEST(two_applications_that_differ_are_both_told_also_when_the_first_word_is_lost)
{
    struct world w = world_pair(.one_way_ms = 20, .configure = another_application);
    struct tap back = {.lose[STT_PACKET_PROTECTED] = 3};
    tap_on(&back, w.sim, w.links.back);
    way_begin(&w, &ways[_i]);
    world_require(&w, world_run_until(&w, both_closed, STT_S(2)));
    world_run_for(&w, STT_S(5));
    require_mismatch(&w, w.client);
    require_mismatch(&w, w.server);
    world_end(&w);
}
END_TEST

/* -- lists ---------------------------------------------------------------------------------------
 */

static void listed_only(struct stt_config *config, bool is_client)
{
    config->allow_only_listed = !is_client;
}

static void allow(struct world *w, const struct stt_peer_id *peer)
{
    ck_assert_int_eq(stt_endpoint_allow(world_endpoint(w, w->server), peer), STT_OK);
}

/* What an unlisted one hears is what everybody hears before it has to say who it is. */
static void require_unlisted(struct world *w, const struct tap *back)
{
    const struct stt_event *end = &w->client->latest[STT_EVENT_CLOSED];
    bool is_w = end->reason != STT_REASON_NO_ANSWER;
    world_require(w, w->server->events[STT_EVENT_ACCEPTED] == 0);
    world_require(w, w->server->events[STT_EVENT_CLOSED] == 0);
    world_require(w, w->client->events[STT_EVENT_CLOSED] == 1);
    world_require(w, stats_of(w, w->server).sessions == 0);
    if (is_w)
        world_require(w, end->reason == STT_REASON_PEER_ERROR &&
                             end->code == STT_CLOSE_IDENTITY_INVALID);
    else
        world_require(w, back->seen[STT_PACKET_PROTECTED] == 0);
}

START_TEST(only_listed_peers_come_in)
{
    const struct way *way = &ways[_i];
    struct world w = world_pair(.one_way_ms = 20, .configure = listed_only);
    struct tap back = {.seen = {0}};
    tap_on(&back, w.sim, w.links.back);
    allow(&w, &w.server->identity.peer_id); /* somebody */
    way_begin(&w, way);
    world_run_for(&w, STT_S(30));
    require_unlisted(&w, &back);
    world_require(&w, way->mode != STT_MODE_K || stats_of(&w, w.server).datagrams_sent == 0);
    world_require(&w, (w.client->last.reason == STT_REASON_NO_ANSWER) == (way->mode != STT_MODE_W));
    world_end(&w);
}
END_TEST

START_TEST(a_listed_peer_comes_in_until_it_is_struck_off)
{
    const struct way *way = &ways[_i];
    struct world w = world_pair(.one_way_ms = 20, .configure = listed_only);
    const struct stt_peer_id *peer = &w.client->identity.peer_id;
    allow(&w, peer);
    struct stt_connect call = way_call(&w, way);
    world_begin(&w, w.client, &call);
    world_run_for(&w, STT_S(1));
    ways_require_one_session(&w);
    ck_assert_int_eq(stt_endpoint_disallow(world_endpoint(&w, w.server), peer), STT_OK);
    if (way->mode == STT_MODE_W && !way->passphrase)
        call = way_call(&w, way); /* the code has served */
    world_begin(&w, w.client, &call);
    world_run_for(&w, STT_S(15));
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 1);
    world_require(&w, stats_of(&w, w.server).sessions == 1);
    world_end(&w);
}
END_TEST

/* -- two ids with one key ------------------------------------------------------------------------
 */

/* The negative of the point: the same X25519 image, and another id. */
static struct stt_peer_id twin_of(const struct stt_peer_id *peer)
{
    struct stt_peer_id twin = *peer;
    twin.bytes[31] ^= 0x80;
    return twin;
}

/* A client that calls itself by its twin's name. */
static void call_client_twin(struct stt_config *config, bool is_client)
{
    config->allow_only_listed = !is_client;
    if (is_client)
        config->identity.peer_id = twin_of(&config->identity.peer_id);
}

START_TEST(the_twin_of_a_listed_peer_does_not_come_in)
{
    struct world w = world_pair(.one_way_ms = 20, .configure = call_client_twin);
    struct tap back = {.seen = {0}};
    tap_on(&back, w.sim, w.links.back);
    allow(&w, &w.client->identity.peer_id);
    way_begin(&w, &ways[_i]);
    world_run_for(&w, STT_S(30));
    require_unlisted(&w, &back);
    world_end(&w);
}
END_TEST

START_TEST(a_peer_does_not_come_in_for_its_twin)
{
    struct world w = world_pair(.one_way_ms = 20, .configure = listed_only);
    struct tap back = {.seen = {0}};
    struct stt_peer_id twin = twin_of(&w.client->identity.peer_id);
    tap_on(&back, w.sim, w.links.back);
    allow(&w, &twin);
    way_begin(&w, &ways[_i]);
    world_run_for(&w, STT_S(30));
    require_unlisted(&w, &back);
    world_end(&w);
}
END_TEST

START_TEST(a_peer_is_not_the_pinned_one_for_its_twin)
{
    static const int pinned[] = {WAY_S_PIN, WAY_W_PIN};
    struct world w = world_pair(.one_way_ms = 20);
    struct stt_connect call = way_call(&w, &ways[pinned[_i]]);
    call.peer = twin_of(&call.peer);
    world_begin(&w, w.client, &call);
    world_run_for(&w, STT_S(15));
    world_require(&w, w.client->events[STT_EVENT_CONNECTED] == 0);
    world_require(&w, w.client->last.reason == STT_REASON_PEER_KEY);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 0);
    world_end(&w);
}
END_TEST

SUITE("admission", LOOP(two_applications_that_differ_are_both_told, 0, WAYS),
      LOOP(two_applications_that_differ_are_both_told_also_when_the_first_word_is_lost, 0, WAYS),
      LOOP(only_listed_peers_come_in, 0, WAYS),
      LOOP(a_listed_peer_comes_in_until_it_is_struck_off, 0, WAYS),
      LOOP(the_twin_of_a_listed_peer_does_not_come_in, 0, WAYS),
      LOOP(a_peer_does_not_come_in_for_its_twin, 0, WAYS),
      LOOP(a_peer_is_not_the_pinned_one_for_its_twin, 0, 2))
