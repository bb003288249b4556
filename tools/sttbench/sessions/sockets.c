/* SPDX-License-Identifier: MIT
 * sockets: the same between two nodes in two processes, in the time that it takes: the kernel's
 * share of keeping sessions alive is in it. */
#include "tools/sttbench/sessions/sessions.h"

#include "tools/sttbench/shared/pair.h"

#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 16 };
#define LOOK_EVERY_NS STT_MS(100)

static bool config_of(struct stt_node_config *config, const struct sessions_sockets *x)
{
    const struct ends_wish wish = {.suite = x->suite, .io = x->io};
    if (!ends_config(config, &wish))
        return false;
    struct stt_config *c = &config->endpoint;
    const struct stt_config plain = STT_CONFIG_INIT;
    c->keep_alive_ns = plain.keep_alive_ns;
    c->idle_timeout_ns = plain.idle_timeout_ns;
    c->max_sessions = x->n + AT_ONCE;
    c->handshake_work_percent = 100;
    c->handshakes_per_second = c->handshakes_per_prefix_second = 1000000;
    c->max_half_open_per_peer = c->max_half_open_per_prefix = 4096;
    return true;
}

struct end {
    struct sessions_sockets *x;
    struct stt_node *node;
    int side;
    char to[32];
    uint32_t begun, open;
    double rss;
};

static bool connect_next(struct end *e)
{
    struct stt_connect c = STT_CONNECT_INIT;
    c.mode = STT_MODE_K;
    c.has_peer = true;
    c.peer = e->x->meeting.peer;
    e->begun++;
    return ends_well(stt_node_connect(e->node, &c, e->to, NULL), "no session");
}

static bool turn(struct end *e, stt_ns timeout)
{
    struct stt_event event;
    bool ok = ends_well(stt_node_wait(e->node, timeout), "the node has ended");
    while (ok && stt_node_event(e->node, &event)) {
        e->open += event.type == STT_EVENT_CONNECTED || event.type == STT_EVENT_ACCEPTED;
        if (event.type == STT_EVENT_CONNECTED && e->begun < e->x->n)
            ok = connect_next(e);
        if (event.type != STT_EVENT_CLOSED)
            continue;
        ok = pair_refuse("a session has closed: %s", stt_reason_text(event.reason));
    }
    return ok;
}

/* From now on nobody wants anything. Who has begun sets the time. */
static bool idle(struct end *e)
{
    struct sessions_side *side = &e->x->sides[e->side];
    struct stt_endpoint_stats before, after;
    double began = figures_wall_s(), cpu = figures_cpu_s();
    bool ok = true;
    stt_endpoint_stats(stt_node_endpoint(e->node), &before);
    while (ok && (e->side == 0 ? figures_wall_s() - began < (double)e->x->time_ns * 1e-9
                               : !atomic_load(&e->x->idle_until)))
        ok = turn(e, LOOK_EVERY_NS);
    double took = figures_wall_s() - began;
    stt_endpoint_stats(stt_node_endpoint(e->node), &after);
    side->cpu_percent = 100 * (figures_cpu_s() - cpu) / took;
    side->packets_per_s = (double)(after.datagrams_sent - before.datagrams_sent) / took;
    side->bytes = (sessions_rss() - e->rss) / e->x->n;
    e->x->alive[e->side] = e->open;
    return ok;
}

bool sessions_answer(void *memory)
{
    struct end e = {.x = memory, .side = 1};
    struct stt_node_config config;
    bool ok = config_of(&config, e.x) && (e.node = ends_node(&config));
    e.rss = sessions_rss();
    ok = ok && ends_listen(e.node, &config, &e.x->meeting);
    while (ok && !atomic_load(&e.x->idle_from))
        ok = turn(&e, LOOK_EVERY_NS);
    return ok && idle(&e);
}

static bool note_what_it_is(struct end *e, stt_handle session)
{
    struct stt_session_info info;
    if (!ends_well(stt_session_info(stt_node_endpoint(e->node), session, &info), "asking"))
        return false;
    strncpy(e->x->suite_is, info.suite, sizeof e->x->suite_is - 1);
    strncpy(e->x->io_is, stt_node_io(e->node), sizeof e->x->io_is - 1);
    return true;
}

bool sessions_ask(void *memory)
{
    struct end e = {.x = memory, .side = 0, .begun = 1, .open = 1};
    struct stt_node_config config;
    stt_handle first;
    bool ok = config_of(&config, e.x) && (e.node = ends_node(&config));
    e.rss = sessions_rss();
    ok = ok && (first = ends_connect(e.node, &e.x->meeting)) && note_what_it_is(&e, first);
    snprintf(e.to, sizeof e.to, "127.0.0.1:%u", (unsigned)e.x->meeting.port);
    double began = figures_wall_s();
    while (ok && e.begun < AT_ONCE && e.begun < e.x->n)
        ok = connect_next(&e);
    while (ok && e.open < e.x->n)
        ok = turn(&e, STT_NEVER);
    e.x->establish_s = figures_wall_s() - began;
    for (double quiet = figures_wall_s() + 1; ok && figures_wall_s() < quiet;)
        ok = turn(&e, LOOK_EVERY_NS); /* what the last ones still owe each other */
    pair_tell(&e.x->idle_from, 1);
    ok = ok && idle(&e);
    pair_tell(&e.x->idle_until, 1);
    return ok;
}
