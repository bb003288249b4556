/* SPDX-License-Identifier: MIT */
#include "tests/support/ways.h"

#include <string.h>

const struct way ways[WAYS] = {
    [WAY_K] = {.name = "K", .mode = STT_MODE_K},
    [WAY_K_SEED] = {.name = "K, seed", .mode = STT_MODE_K, .has_seed = true},
    [WAY_S] = {.name = "S", .mode = STT_MODE_S},
    [WAY_S_PIN] = {.name = "S, pin", .mode = STT_MODE_S, .has_pin = true},
    [WAY_W] = {.name = "W, code", .mode = STT_MODE_W},
    [WAY_W_PIN] = {.name = "W, code, pin", .mode = STT_MODE_W, .has_pin = true},
    [WAY_PASSPHRASE] = {.name = "W, passphrase", .mode = STT_MODE_W, .passphrase = true},
};

/* As if it had been stretched, which takes a while. */
static const uint8_t stretched[32] = "thirty-two bytes of a passphrase";

struct stt_connect way_call(struct world *w, const struct way *way)
{
    struct stt_connect call = world_call(w, w->server, way->passphrase ? STT_MODE_S : way->mode);
    if (way->passphrase) {
        call.mode = STT_MODE_W;
        call.has_seed = false;
        call.stretched = stretched;
        int armed =
            stt_endpoint_passphrase(world_endpoint(w, w->server), stt_sim_now(w->sim), stretched);
        ck_assert_int_eq(armed, STT_OK);
    }
    if (way->has_seed) {
        memcpy(call.seed, w->server_config.seeds[0], sizeof call.seed);
        call.has_seed = true;
    }
    if (way->has_pin) {
        call.peer = w->server->identity.peer_id;
        call.has_peer = true;
    }
    return call;
}

stt_handle way_begin(struct world *w, const struct way *way)
{
    struct stt_connect call = way_call(w, way);
    return world_begin(w, w->client, &call);
}

static void require_session(struct world *w, const struct world_side *side,
                            const struct world_side *peer)
{
    struct stt_session_info info;
    world_require(w, stt_session_info(world_endpoint(w, side), side->session, &info) == STT_OK);
    world_require(w, strcmp(info.state, "open") == 0 && info.confirmed);
    world_require(w, memcmp(&info.peer, &peer->identity.peer_id, sizeof info.peer) == 0);
}

void ways_require_one_session(struct world *w)
{
    world_require(w, w->client->events[STT_EVENT_CONNECTED] == 1);
    world_require(w, w->server->events[STT_EVENT_ACCEPTED] == 1);
    world_require(w, w->client->events[STT_EVENT_ACCEPTED] == 0);
    world_require(w, w->server->events[STT_EVENT_CONNECTED] == 0);
    world_require(w, w->client->events[STT_EVENT_CLOSED] == 0);
    world_require(w, w->server->events[STT_EVENT_CLOSED] == 0);
    require_session(w, w->client, w->server);
    require_session(w, w->server, w->client);
}
