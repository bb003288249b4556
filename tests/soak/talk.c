/* SPDX-License-Identifier: MIT
 * talk: the life of a session: what both hosts hear of it must agree. */
#include "tests/soak/talk.h"

#include "tools/sttbench/chaos/pattern.h"

#include <assert.h>
#include <stdlib.h>

void talk_touch(const struct talk *t, unsigned side)
{
    stt_sim_touch(t->soak->sim, t->host[side]->node);
}

/* -- birth and death ----------------------------------------------------------------------- */

static void begin(struct talk *t, struct soak *x, uint32_t client)
{
    uint64_t visits = t->tag / SOAK_CLIENTS + 1;
    *t = (struct talk){.soak = x, .tag = visits * SOAK_CLIENTS + client};
    t->host[SOAK_CLIENT] = &x->hosts[client];
    t->host[SOAK_SERVER] = soak_server(x);
}

struct talk *talk_new(struct soak *x, uint32_t client)
{
    struct talk *t = calloc(1, sizeof *t);
    assert(t);
    begin(t, x, client);
    return t;
}

static void forget_flows(struct talk *t)
{
    while (t->flows) {
        struct flow *f = t->flows;
        t->flows = f->next;
        flow_free(f);
    }
    t->n_flows = 0;
}

void talk_free(struct talk *t)
{
    forget_flows(t);
    free(t);
}

void talk_reset(struct talk *t)
{
    forget_flows(t);
    begin(t, t->soak, t->host[SOAK_CLIENT]->number);
}

/* -- streams ------------------------------------------------------------------------------- */

static struct flow *by_handle(const struct talk *t, unsigned side, stt_handle handle)
{
    struct flow *f = t->flows;
    while (f && f->handle[side] != handle)
        f = f->next;
    return f;
}

static struct flow *accept_flow(struct talk *t, unsigned side, stt_handle handle)
{
    struct stt_stream_info info;
    if (stt_stream_info(t->host[side]->ep, handle, &info) != STT_OK)
        return NULL;
    for (struct flow *f = t->flows; f; f = f->next)
        if (f->id == info.id && !f->handle[side] && f->has_messages == info.has_messages) {
            flow_accept(f, side, handle);
            return f;
        }
    return NULL;
}

static void drop_flow(struct talk *t, const struct flow *f)
{
    struct flow **at = &t->flows;
    while (*at != f)
        at = &(*at)->next;
    struct flow *dead = *at;
    *at = dead->next;
    t->n_flows--;
    flow_free(dead);
}

void talk_on_stream_event(struct talk *t, unsigned side, const struct stt_stream_event *e)
{
    struct flow *f = by_handle(t, side, e->stream);
    if (t->is_dead)
        return;
    if (!f && e->what & STT_STREAM_OPENED)
        f = accept_flow(t, side, e->stream);
    if (!f) {
        soak_fail(t->soak, "host %u hears of a stream that nobody opened", t->host[side]->number);
        return;
    }
    flow_on_event(f, side, e);
    if (f->is_over[SOAK_CLIENT] && f->is_over[SOAK_SERVER])
        drop_flow(t, f);
}

/* -- the session --------------------------------------------------------------------------- */

void talk_furnish(struct talk *t)
{
    struct stt_datagram_options o = STT_DATAGRAM_OPTIONS_INIT;
    o.wants_fates = true;
    for (unsigned side = 0; side < SOAK_SIDES; side++)
        soak_require(
            t->soak,
            !stt_datagram_configure(t->host[side]->ep, soak_now(t->soak), t->session[side], &o),
            "host %u: stt_datagram_configure failed", t->host[side]->number);
    t->chat = flow_open(t, &(struct flow_plan){.has_messages = true, .stays = true, .urgency = 1});
    t->tape = flow_open(t, &(struct flow_plan){.stays = true, .urgency = 5});
    if (t->chat) /* else the peer would not hear of them */
        flow_say(t->chat, SOAK_CLIENT, 0, 0);
    if (t->tape)
        flow_add(t->tape, SOAK_CLIENT, 1);
}

static void on_opened(struct talk *t, unsigned side, const struct stt_event *e)
{
    struct stt_session_info info;
    struct soak *x = t->soak;
    const struct stt_peer_id *peer = &t->host[!side]->identity.peer_id;
    soak_require(x, !t->is_open[side], "host %u connects twice", t->host[side]->number);
    int error = stt_session_info(t->host[side]->ep, e->session, &info);
    soak_require(x, !error && memcmp(&info.peer, peer, sizeof *peer) == 0,
                 "host %u takes host %u for somebody else", t->host[side]->number,
                 t->host[!side]->number);
    t->is_open[side] = true;
    t->created_at[side] = error ? 0 : info.created_at;
}

/* Clients close. Who is left behind by one that was killed, or did not hear its good-bye, notices
 * after its idle timeout. */
static bool may_close(const struct talk *t, unsigned side, enum stt_reason reason)
{
    if (side == SOAK_CLIENT)
        return t->is_leaving && reason == STT_REASON_LOCAL_CLOSE;
    return (t->is_leaving && reason == STT_REASON_PEER_CLOSE) ||
           ((t->is_leaving || t->is_dead) && reason == STT_REASON_IDLE);
}

static void on_closed(struct talk *t, unsigned side, const struct stt_event *e)
{
    soak_require(t->soak, may_close(t, side, e->reason),
                 "host %u: its session with host %u closes: %s", t->host[side]->number,
                 t->host[!side]->number, stt_reason_text(e->reason));
    t->is_closed[side] = true;
}

static void on_path(struct talk *t, unsigned side)
{
    struct soak *x = t->soak;
    x->tally.path_events++;
    x->tally.moves += side == SOAK_CLIENT && t->moves;
    if (side == SOAK_CLIENT && t->moves)
        t->host[SOAK_CLIENT]->is_elsewhere = !t->host[SOAK_CLIENT]->is_elsewhere;
    t->moves = t->moves && side != SOAK_CLIENT;
}

void talk_on_event(struct talk *t, unsigned side, const struct stt_event *e)
{
    soak_require(t->soak, !t->is_closed[side], "host %u hears of a session after its end",
                 t->host[side]->number);
    switch (e->type) {
    case STT_EVENT_CONNECTED:
    case STT_EVENT_ACCEPTED:
        on_opened(t, side, e);
        break;
    case STT_EVENT_CLOSED:
        on_closed(t, side, e);
        break;
    case STT_EVENT_STALLED:
        t->stalls[side]++;
        break;
    case STT_EVENT_RESUMED:
        soak_require(t->soak, t->stalls[side] == 1, "host %u: resumed after %llu stalls",
                     t->host[side]->number, (unsigned long long)t->stalls[side]);
        t->stalls[side] = 0;
        t->soak->tally.stalls++;
        break;
    case STT_EVENT_PATH:
        on_path(t, side);
        break;
    case STT_EVENT_STAYED:
        t->moves = false;
        break;
    case STT_EVENT_DATAGRAM:
        post_read(t, side);
        break;
    case STT_EVENT_FATE:
        post_take_fates(t, side);
        break;
    default:
        soak_fail(t->soak, "host %u hears of event %d in a session", t->host[side]->number,
                  (int)e->type);
    }
}
