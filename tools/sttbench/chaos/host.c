/* SPDX-License-Identifier: MIT
 * host: what an embedder does around its sessions. It finds a session by its handle; those of an
 * endpoint that was killed are not found any more, for a new one may give the same. */
#include "tools/sttbench/chaos/host.h"

#include "stt/session/engine.h"
#include "tools/sttbench/chaos/talk.h"

#include <assert.h>
#include <stdlib.h>

enum { CALM_CONNECTS_MAX = 12 };

/* -- sessions ------------------------------------------------------------------------------ */

static struct talk *find(const struct host *h, stt_handle session)
{
    for (size_t i = h->n_talks; i-- > h->n_dead_talks;)
        if (h->talks[i]->session == session)
            return h->talks[i];
    return NULL;
}

struct talk *host_talk(const struct host *h)
{
    for (size_t i = h->n_talks; i-- > h->n_dead_talks;)
        if (talk_is_alive(h->talks[i]))
            return h->talks[i];
    return NULL;
}

static void on_event(void *ctx, struct stt_sim *sim, stt_sim_node node, const struct stt_event *e)
{
    struct host *h = ctx;
    struct talk *t = find(h, e->session);
    (void)sim, (void)node;
    chaos_note(h->chaos, (uint64_t)e->type << 8 ^ e->reason);
    if (!e->session) /* of a code */
        return;
    if (!t && e->type == STT_EVENT_ACCEPTED)
        t = talk_new(h, e->session, false);
    if (t)
        talk_on_event(t, e);
    else
        chaos_fail(h->chaos, "host %u hears of a session that it does not know", h->number);
}

/* Streams may be heard of before their session is. */
void host_pull(struct host *h)
{
    struct stt_stream_event e;
    bool any = false;
    while (host_is_awake(h) && !chaos_has_failed(h->chaos) &&
           stt_endpoint_stream_event(h->ep, &e)) {
        struct talk *t = find(h, e.session);
        if (!t)
            t = talk_new(h, e.session, false);
        t->is_open = true;
        talk_on_stream_event(t, &e);
        any = true;
    }
    if (any)
        stt_sim_touch(h->chaos->sim, h->node);
}

/* -- birth and death ----------------------------------------------------------------------- */

int host_add(struct chaos *c, struct host *h, const struct stt_config *config,
             const struct stt_address *address)
{
    struct stt_sim_endpoint endpoint = {
        .config = *config, .host = {.ctx = h, .on_event = on_event}, .address = *address};
    h->chaos = c;
    h->number = c->n_hosts;
    h->config = *config;
    h->identity = config->identity;
    int error = stt_sim_endpoint_add(c->sim, &endpoint, &h->node);
    if (error)
        return error;
    c->hosts[c->n_hosts++] = h;
    h->ep = stt_sim_endpoint(c->sim, h->node);
    h->memory = stt_sim_memory(c->sim, h->node);
    h->bytes_at_rest = h->memory->bytes_in_use;
    return STT_OK;
}

void host_free(struct host *h)
{
    for (size_t i = 0; i < h->n_talks; i++)
        talk_free(h->talks[i]);
    free(h->talks);
}

bool host_is_awake(const struct host *h)
{
    return h->ep && !h->is_suspended;
}

void host_kill(struct host *h)
{
    if (!h->ep)
        return;
    chaos_tell(h->chaos, "host %u is killed", h->number);
    for (size_t i = h->n_dead_talks; i < h->n_talks; i++)
        talk_on_kill(h->talks[i]);
    h->n_dead_talks = h->n_talks;
    h->chaos->tally.kills++;
    stt_sim_kill(h->chaos->sim, h->node);
    h->ep = NULL;
    h->is_forked = false;
}

bool host_restart(struct host *h)
{
    struct chaos *c = h->chaos;
    if (h->ep)
        return true;
    int error = stt_sim_restart(c->sim, h->node);
    if (error) {
        c->tally.restarts_failed++;
        chaos_require(c, !c->is_calm && (h->lacked_memory || h->lacked_entropy),
                      "host %u cannot start again: %s", h->number, stt_error_text(error));
        return false;
    }
    h->ep = stt_sim_endpoint(c->sim, h->node);
    chaos_tell(c, "host %u starts again", h->number);
    if (h->number)
        roads_tell_carrier(&h->roads, true);
    for (uint32_t i = 1; !h->number && i < c->n_hosts; i++)
        roads_tell_carrier(&c->hosts[i]->roads, false);
    return true;
}

/* -- connecting ---------------------------------------------------------------------------- */

static enum stt_mode draw_mode(struct chaos *c)
{
    uint64_t n = dice_below(&c->rng, 100);
    return n < 60 ? STT_MODE_K : n < 85 ? STT_MODE_S : STT_MODE_W;
}

/* The server arms a code and says it. */
static bool arm(struct host *to, char code[STT_CODE_TEXT_MAX])
{
    uint32_t slot;
    return host_is_awake(to) && to->config.accept & STT_ACCEPT(STT_MODE_W) &&
           stt_endpoint_code_new(to->ep, host_now(to), code, &slot) == STT_OK;
}

static void garble(char code[STT_CODE_TEXT_MAX])
{
    char *last = code + strlen(code) - 1;
    *last = *last == 'a' ? 'b' : 'a';
}

/* What the mode needs, and what may be wrong with it. */
static enum talk_mistake fill_in(struct host *h, struct host *to, struct stt_connect *call,
                                 char code[STT_CODE_TEXT_MAX])
{
    struct chaos *c = h->chaos;
    bool is_wrong = !c->is_calm && chaos_may(c, CHAOS_MISTAKES, 40);
    call->peer = to->identity.peer_id;
    call->has_peer = call->mode == STT_MODE_K || chaos_chance(c, 50);
    call->has_seed = call->mode == STT_MODE_S || (call->mode == STT_MODE_K && chaos_chance(c, 30));
    memcpy(call->seed, to->config.seeds[0], sizeof call->seed);
    if (call->mode == STT_MODE_W)
        call->code = code;
    if (is_wrong && call->mode == STT_MODE_W && chaos_chance(c, 50)) {
        garble(code);
        return TALK_WRONG_CODE;
    }
    if (is_wrong && call->mode != STT_MODE_W && call->has_seed && chaos_chance(c, 50)) {
        call->seed[0] ^= 1;
        return TALK_WRONG_SEED;
    }
    if (is_wrong) {
        call->has_peer = true;
        call->peer = h->identity.peer_id; /* of all people */
        if (call->mode == STT_MODE_K)
            call->peer = c->hosts[h->number == 1 ? 0 : 1]->identity.peer_id;
        return memcmp(&call->peer, &to->identity.peer_id, sizeof call->peer) ? TALK_WRONG_PIN
                                                                             : TALK_NO_MISTAKE;
    }
    return TALK_NO_MISTAKE;
}

static bool may_fail(const struct host *h, int error)
{
    return (error == STT_E_MEMORY && (h->lacked_memory || h->lacked_entropy)) ||
           error == STT_E_LIMIT || (error == STT_E_IO && h->lacked_entropy) ||
           (error == STT_E_FORKED && h->is_forked);
}

void host_dial(struct host *h, struct host *to)
{
    struct chaos *c = h->chaos;
    struct stt_connect call = STT_CONNECT_INIT;
    char code[STT_CODE_TEXT_MAX];
    stt_handle session;
    if (!host_is_awake(h))
        return;
    call.mode = to->number ? STT_MODE_K : draw_mode(c);
    if (call.mode == STT_MODE_W && !arm(to, code))
        call.mode = STT_MODE_K;
    call.path.remote = stt_sim_address(c->sim, to->node);
    call.exclusive = chaos_may(c, CHAOS_EXCLUSIVE, 80);
    enum talk_mistake mistake = fill_in(h, to, &call, code);
    int error = stt_endpoint_connect(h->ep, host_now(h), &call, &session);
    if (error) {
        chaos_require(c, may_fail(h, error), "host %u: stt_endpoint_connect: %s", h->number,
                      stt_error_text(error));
        return;
    }
    struct talk *t = talk_new(h, session, true);
    t->mode = call.mode;
    t->mistake = mistake;
    t->is_exclusive = call.exclusive;
    if (stt_session_set_user(h->ep, session, t) != STT_OK)
        chaos_fail(c, "host %u: the session that it connects has no handle", h->number);
    stt_sim_touch(c->sim, h->node);
    chaos_tell(c, "host %u connects to host %u in mode %d, mistake %d", h->number, to->number,
               (int)call.mode, (int)mistake);
}

/* -- now and then -------------------------------------------------------------------------- */

void host_act(struct host *h)
{
    if (!host_is_awake(h))
        return;
    host_pull(h);
    for (size_t i = h->n_dead_talks; i < h->n_talks && !chaos_has_failed(h->chaos); i++)
        talk_act(h->talks[i]);
    stt_sim_touch(h->chaos->sim, h->node);
}

/* Whoever has nobody to talk to tries again, until the caps of the server are free. */
static void connect_again(struct host *h)
{
    struct chaos *c = h->chaos;
    for (size_t i = h->n_dead_talks; i < h->n_talks; i++)
        if (!h->talks[i]->is_closed)
            return;
    if (chaos_now(c) < h->connects_at)
        return;
    chaos_require(c, ++h->calm_connects <= CALM_CONNECTS_MAX,
                  "no progress: host %u is not connected after %d times", h->number,
                  CALM_CONNECTS_MAX);
    h->connects_at = chaos_now(c) + STT_S(1);
    host_dial(h, c->hosts[0]);
}

void host_settle(struct host *h)
{
    host_pull(h);
    for (size_t i = h->n_dead_talks; i < h->n_talks && !chaos_has_failed(h->chaos); i++)
        talk_settle(h->talks[i]);
    if (h->number && !h->has_other_application)
        connect_again(h);
    stt_sim_touch(h->chaos->sim, h->node);
}

/* -- memory -------------------------------------------------------------------------------- */

/* Tables of the endpoint, what each session and each stream may take, and the pool; what is in
 * flight is counted by the windows. */
size_t host_memory_max(const struct host *h)
{
    const struct stt_config *k = &h->config;
    size_t sessions = k->max_sessions + k->max_half_open;
    size_t streams = sessions * 2 * k->max_streams;
    return h->bytes_at_rest + sessions * (16u << 10) + streams * 600 + k->stream_memory_max +
           (1u << 20);
}
