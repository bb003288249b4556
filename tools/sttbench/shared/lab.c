/* SPDX-License-Identifier: MIT
 * lab: owns a simulation of two endpoints. Same setup, same figures, on every machine. */
#include "tools/sttbench/shared/lab.h"

#include "tools/common/say.h"

#include <string.h>

static void on_event(void *ctx, struct stt_sim *sim, stt_sim_node node,
                     const struct stt_event *event)
{
    struct lab *lab = ctx;
    int side = node != lab->nodes[0];
    (void)sim;
    if (event->type == STT_EVENT_CONNECTED || event->type == STT_EVENT_ACCEPTED)
        lab->sessions[side] = event->session;
    if (event->type == STT_EVENT_CLOSED)
        lab->sessions[side] = 0;
}

static bool add_side(struct lab *lab, const struct lab_setup *setup, int i,
                     struct stt_identity *identity)
{
    struct stt_sim_endpoint e = {.config = STT_CONFIG_INIT,
                                 .host = {.ctx = lab, .on_event = on_event},
                                 .address = stt_sim_ipv4((uint32_t)i + 1, 4433)};
    const uint8_t secret[32] = {(uint8_t)(i + 1)};
    struct stt_config *c = &e.config;
    stt_identity_init(identity, secret);
    c->identity = *identity;
    c->accept = STT_ACCEPT(STT_MODE_K);
    strcpy(c->application, "sttbench/1");
    c->congestion = setup->congestion ? setup->congestion : c->congestion;
    c->max_streams = setup->max_streams ? setup->max_streams : c->max_streams;
    if (setup->is_null) {
        c->suites[0] = stt_sim_null_suite();
        c->n_suites = 1;
    }
    int error = stt_sim_endpoint_add(lab->sim, &e, &lab->nodes[i]);
    if (error)
        say_error("no simulated endpoint: %s", stt_error_text(error));
    else
        lab->eps[i] = stt_sim_endpoint(lab->sim, lab->nodes[i]);
    return !error;
}

static bool is_without_session(void *ctx)
{
    const struct lab *lab = ctx;
    return !lab->sessions[0] || !lab->sessions[1];
}

static bool connect_sides(struct lab *lab, const struct stt_identity *peer)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    stt_handle session;
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    connect.peer = peer->peer_id;
    connect.path = (struct stt_path){.local = stt_sim_address(lab->sim, lab->nodes[0]),
                                     .remote = stt_sim_address(lab->sim, lab->nodes[1])};
    bool is_there = stt_endpoint_connect(lab->eps[0], lab_now(lab), &connect, &session) == STT_OK;
    lab_touch(lab, 0);
    return is_there && stt_sim_run_while(lab->sim, is_without_session, lab, STT_S(60));
}

bool lab_begin(struct lab *lab, const struct lab_setup *setup)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    struct stt_identity identities[2];
    config.seed = setup->seed;
    config.hash_payloads = false;
    *lab = (struct lab){.sim = stt_sim_new(&config), .nodes = {0, 1}};
    bool ok = add_side(lab, setup, 0, &identities[0]) && add_side(lab, setup, 1, &identities[1]);
    if (ok) {
        lab->links = stt_sim_pair(lab->sim, lab->nodes[0], lab->nodes[1], &setup->forth);
        stt_sim_link_set(lab->sim, lab->links.back, &setup->back);
        ok = connect_sides(lab, &identities[1]);
        if (!ok)
            say_error("no session comes about on this path; make it a better one");
    }
    if (!ok)
        lab_end(lab);
    return ok;
}

void lab_end(struct lab *lab)
{
    stt_sim_free(lab->sim);
    lab->sim = NULL;
}

stt_ns lab_now(const struct lab *lab)
{
    return stt_sim_now(lab->sim);
}

void lab_touch(struct lab *lab, int side)
{
    stt_sim_touch(lab->sim, lab->nodes[side]);
}

stt_handle lab_open(struct lab *lab, const struct stt_stream_options *options)
{
    stt_handle stream;
    int error = stt_stream_open(lab->eps[0], lab_now(lab), lab->sessions[0], options, &stream);
    if (error)
        say_error("a stream cannot be opened: %s", stt_error_text(error));
    lab_touch(lab, 0);
    return error ? 0 : stream;
}

struct looking {
    struct lab *lab;
    bool (*look)(void *ctx, int side, const struct stt_stream_event *event);
    void *ctx;
    bool is_over;
};

static bool pull(void *ctx)
{
    struct looking *l = ctx;
    struct stt_stream_event e;
    for (int side = 0; side < 2; side++)
        while (!l->is_over && stt_endpoint_stream_event(l->lab->eps[side], &e)) {
            l->is_over = !l->look(l->ctx, side, &e);
            lab_touch(l->lab, side);
        }
    return !l->is_over;
}

bool lab_run_until(struct lab *lab, stt_ns at,
                   bool (*look)(void *ctx, int side, const struct stt_stream_event *event),
                   void *ctx)
{
    struct looking looking = {lab, look, ctx, false};
    (void)stt_sim_run_while(lab->sim, pull, &looking, at);
    const char *failure = stt_sim_failure(lab->sim);
    if (failure)
        say_error("%s", failure);
    else if (is_without_session(lab))
        say_error("the session has broken on this path; make it a better one");
    return !failure && !is_without_session(lab);
}
