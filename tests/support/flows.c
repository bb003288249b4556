/* SPDX-License-Identifier: MIT */
#include "tests/support/flows.h"

#include <stdlib.h>
#include <string.h>

/* -- what is written ------------------------------------------------------------------------- */

static uint8_t byte_at(uint64_t id, bool by_client, uint64_t offset)
{
    uint64_t mixed = (offset + 1) * 0x9e3779b97f4a7c15u;
    return (uint8_t)((mixed >> 32) + id * 7 + by_client);
}

static void fill(uint8_t *out, size_t len, uint64_t id, bool by_client, uint64_t offset)
{
    for (size_t i = 0; i < len; i++)
        out[i] = byte_at(id, by_client, offset + i);
}

static bool agrees(const uint8_t *data, size_t len, uint64_t id, bool by_client, uint64_t offset)
{
    size_t i = 0;
    while (i < len && data[i] == byte_at(id, by_client, offset + i))
        i++;
    return i == len;
}

/* 0 and the maximum are among them. */
static size_t message_len(uint64_t number)
{
    return number % 16 == 1   ? 0
           : number % 16 == 2 ? FLOW_MESSAGE_MAX
                              : number * 2654435761u % FLOW_MESSAGE_MAX;
}

/* -- sides ----------------------------------------------------------------------------------- */

static struct flows_side *side_of(struct flows *f, const struct flow *flow)
{
    for (size_t i = 0; i < f->client.n; i++)
        if (f->client.all[i] == flow)
            return &f->client;
    return &f->server;
}

static struct flow *add(struct flows_side *side, const struct flow *like)
{
    struct flow *flow = malloc(sizeof *flow);
    side->all = realloc(side->all, (side->n + 1) * sizeof *side->all);
    ck_assert(flow && side->all);
    *flow = *like;
    return side->all[side->n++] = flow;
}

static struct flow *by_handle(const struct flows_side *side, stt_handle handle)
{
    for (size_t i = side->n; i-- > 0;)
        if (side->all[i]->handle == handle)
            return side->all[i];
    return NULL;
}

static void learn_id(struct flows *f, struct flows_side *side, struct flow *flow)
{
    struct stt_stream_info info;
    world_require(f->w, stt_stream_info(side->ep, flow->handle, &info) == STT_OK);
    flow->id = info.id;
    flow->messages = info.has_messages;
    flow->opened_at = stt_sim_now(f->w->sim);
}

/* -- writing --------------------------------------------------------------------------------- */

static bool write_message(struct flows *f, struct flows_side *side, struct flow *flow)
{
    uint8_t data[FLOW_MESSAGE_MAX];
    size_t len = message_len(flow->written), written;
    fill(data, len, flow->id + flow->written, side == &f->client, 0);
    int error =
        stt_stream_write(side->ep, stt_sim_now(f->w->sim), flow->handle, data, len, &written);
    world_require(f->w, error == STT_OK || error == STT_E_AGAIN);
    flow->written += error == STT_OK;
    return error == STT_OK;
}

static bool write_bytes(struct flows *f, struct flows_side *side, struct flow *flow)
{
    uint8_t data[16384];
    uint64_t left = flow->to_write - flow->written;
    size_t len = left < sizeof data ? (size_t)left : sizeof data, written;
    fill(data, len, flow->id, side == &f->client, flow->written);
    int error =
        stt_stream_write(side->ep, stt_sim_now(f->w->sim), flow->handle, data, len, &written);
    world_require(f->w, error == STT_OK && written <= len);
    flow->written += written;
    return written == len;
}

static void write_on(struct flows *f, struct flows_side *side, struct flow *flow)
{
    if (flow->is_finished || flow->heard & STT_STREAM_STOPPED)
        return;
    while (flow->written < flow->to_write)
        if (!(flow->messages ? write_message : write_bytes)(f, side, flow))
            return;
    if (flow->stays_open)
        return;
    world_require(f->w,
                  stt_stream_finish(side->ep, stt_sim_now(f->w->sim), flow->handle) == STT_OK);
    flow->is_finished = true;
}

/* -- reading --------------------------------------------------------------------------------- */

static bool read_message(struct flows *f, struct flows_side *side, struct flow *flow)
{
    struct stt_message_read m;
    int error = stt_stream_read_message(side->ep, stt_sim_now(f->w->sim), flow->handle,
                                        flow->message + flow->partial,
                                        sizeof flow->message - flow->partial, &m);
    if (error == STT_E_AGAIN)
        return false;
    world_require(f->w, error == STT_OK && m.skipped == 0);
    flow->partial += m.len;
    if (!m.is_whole)
        return true;
    world_require(f->w, flow->partial == message_len(flow->read));
    world_require(
        f->w, agrees(flow->message, flow->partial, flow->id + flow->read, side != &f->client, 0));
    flow->partial = 0;
    flow->read++;
    flow->read_at = stt_sim_now(f->w->sim);
    return true;
}

static bool read_bytes(struct flows *f, struct flows_side *side, struct flow *flow)
{
    uint8_t data[16384];
    size_t len;
    int error =
        stt_stream_read(side->ep, stt_sim_now(f->w->sim), flow->handle, data, sizeof data, &len);
    world_require(f->w, error == STT_OK);
    world_require(f->w, agrees(data, len, flow->id, side != &f->client, flow->read));
    flow->read += len;
    if (len)
        flow->read_at = stt_sim_now(f->w->sim);
    return len;
}

static void read_on(struct flows *f, struct flows_side *side, struct flow *flow)
{
    if (!flow->no_reading)
        while ((flow->messages ? read_message : read_bytes)(f, side, flow))
            ;
}

/* -- events ---------------------------------------------------------------------------------- */

static struct flow *on_opened(struct flows *f, struct flows_side *side, stt_handle handle)
{
    struct flow *flow = add(side, &(struct flow){.to_write = side->reply_bytes,
                                                 .stays_open = side->reply_stays_open,
                                                 .no_reading = side->no_reading,
                                                 .handle = handle});
    learn_id(f, side, flow);
    return flow;
}

static void on_event(struct flows *f, struct flows_side *side, const struct stt_stream_event *e)
{
    struct flow *flow = by_handle(side, e->stream);
    stt_ns now = stt_sim_now(f->w->sim);
    if (e->what & STT_STREAM_ENDED && !flow)
        return; /* began and ended unseen */
    if (e->what & STT_STREAM_OPENED) {
        world_require(f->w, !flow);
        flow = on_opened(f, side, e->stream);
    }
    world_require(f->w, flow && !(flow->heard & STT_STREAM_ENDED));
    flow->heard |= e->what;
    if (e->what & STT_STREAM_RESET)
        flow->reset_code = e->reset_code;
    if (e->what & STT_STREAM_STOPPED)
        flow->stop_code = e->stop_code;
    if (e->what & STT_STREAM_FINISHED)
        flow->finished_at = now;
    if (e->what & STT_STREAM_ENDED) {
        flow->ended_at = now;
        side->ended++;
        return;
    }
    if (e->what & (STT_STREAM_OPENED | STT_STREAM_WRITABLE))
        write_on(f, side, flow);
    if (e->what & STT_STREAM_READABLE)
        read_on(f, side, flow);
}

static void pull(struct flows *f, struct flows_side *side)
{
    struct stt_stream_event e;
    bool any = false;
    while (stt_endpoint_stream_event(side->ep, &e)) {
        on_event(f, side, &e);
        any = true;
    }
    if (any)
        stt_sim_touch(f->w->sim, side->of->node);
}

/* -- the public part ------------------------------------------------------------------------- */

void flows_init(struct flows *f, struct world *w)
{
    *f = (struct flows){.w = w, .client = {.of = w->client}, .server = {.of = w->server}};
    f->client.ep = world_endpoint(w, w->client);
    f->server.ep = world_endpoint(w, w->server);
}

static void free_side(struct flows_side *side)
{
    for (size_t i = 0; i < side->n; i++)
        free(side->all[i]);
    free(side->all);
}

void flows_end(struct flows *f)
{
    free_side(&f->client);
    free_side(&f->server);
    world_end(f->w);
}

struct flow *flows_open(struct flows *f, struct flows_side *side, const struct flow *like)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    stt_handle handle;
    o.messages = like->messages;
    o.urgency = like->urgency;
    if (stt_stream_open(side->ep, stt_sim_now(f->w->sim), side->of->session, &o, &handle))
        return NULL;
    struct flow *flow = add(side, like);
    flow->handle = handle;
    learn_id(f, side, flow);
    flows_write(f, flow);
    return flow;
}

struct flow *flows_peer(struct flows *f, const struct flow *flow)
{
    struct flows_side *other = side_of(f, flow) == &f->client ? &f->server : &f->client;
    for (size_t i = 0; i < other->n; i++)
        if (other->all[i]->id == flow->id)
            return other->all[i];
    return NULL;
}

void flows_read(struct flows *f, struct flow *flow)
{
    struct flows_side *side = side_of(f, flow);
    flow->no_reading = false;
    read_on(f, side, flow);
    stt_sim_touch(f->w->sim, side->of->node);
}

void flows_write(struct flows *f, struct flow *flow)
{
    struct flows_side *side = side_of(f, flow);
    write_on(f, side, flow);
    stt_sim_touch(f->w->sim, side->of->node);
}

bool flows_are_over(const struct flows *f)
{
    return f->client.n && f->client.ended == f->client.n && f->server.ended == f->server.n &&
           f->client.n == f->server.n;
}

struct goal {
    struct flows *f;
    bool (*reached)(const struct flows *f);
};

static bool wants_more(void *ctx)
{
    struct goal *g = ctx;
    pull(g->f, &g->f->client);
    pull(g->f, &g->f->server);
    return !g->reached || !g->reached(g->f);
}

bool flows_run(struct flows *f, bool (*reached)(const struct flows *f), stt_ns within_ns)
{
    struct goal g = {f, reached};
    return stt_sim_run_while(f->w->sim, wants_more, &g, stt_sim_now(f->w->sim) + within_ns);
}

void flows_run_for(struct flows *f, stt_ns ns)
{
    flows_run(f, NULL, ns);
    world_require(f->w, !stt_sim_failure(f->w->sim));
}
