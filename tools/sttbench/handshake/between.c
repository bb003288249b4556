/* SPDX-License-Identifier: MIT
 * between: handshakes between two nodes in two processes, over loopback: one after the other, and
 * many at once. A handshake takes from the call until the event that tells of the session. */
#include "tools/sttbench/handshake/handshake.h"

#include "tools/sttbench/shared/pair.h"

#include <stdio.h>
#include <string.h>

#define LOOK_EVERY_NS STT_MS(20)

const struct handshake_kind handshake_kinds[HANDSHAKE_ROWS_N] = {
#define X(mode, name, at_once) {mode, name, at_once},
    HANDSHAKE_ROWS(X)
#undef X
};

static bool config_of(struct stt_node_config *config, const struct handshake_between *b)
{
    static const struct ends_wish any;
    if (!ends_config(config, &any))
        return false;
    struct stt_config *c = &config->endpoint;
    memcpy(c->seeds[0], b->seed, sizeof b->seed);
    c->n_seeds = 1;
    c->accept = STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_W);
    c->handshake_work_percent = 100;
    c->handshakes_per_second = c->handshakes_per_prefix_second = 1000000;
    c->max_half_open_per_peer = c->max_half_open_per_prefix = 4096;
    return true;
}

/* -- who answers ------------------------------------------------------------------------------- */

static bool arm_code(struct stt_node *node, struct handshake_between *b)
{
    uint32_t slot, n = atomic_load(&b->codes);
    int error =
        stt_endpoint_code_new(stt_node_endpoint(node), stt_node_now(node), b->code[n & 1], &slot);
    pair_tell(&b->codes, n + 1);
    return ends_well(error, "no code");
}

bool handshake_answer(void *memory)
{
    struct handshake_between *b = memory;
    struct stt_node_config config;
    struct stt_node *node;
    struct stt_event e;
    bool ok = config_of(&config, b) && (node = ends_node(&config)) && arm_code(node, b) &&
              ends_listen(node, &config, &b->meeting);
    while (ok && !atomic_load(&b->is_over)) {
        ok = ends_well(stt_node_wait(node, LOOK_EVERY_NS), "the node has ended");
        while (ok && stt_node_event(node, &e))
            if (e.type == STT_EVENT_CODE_ENDED)
                ok = arm_code(node, b);
        b->server_cpu_ns = (uint64_t)(figures_cpu_s() * 1e9);
    }
    return ok;
}

/* -- who asks ---------------------------------------------------------------------------------- */

struct asking {
    struct handshake_between *b;
    struct stt_node *node;
    const struct handshake_kind *kind;
    struct handshake_row *row;
    char to[32];
    uint32_t begun, codes_used;
    double began_us[HANDSHAKE_MAX];
};

static double wall_us(void)
{
    return figures_clock_ns(CLOCK_MONOTONIC) * 1e-3;
}

/* A code is good for one. */
static const char *next_code(struct asking *a)
{
    uint32_t n;
    while ((n = pair_await(&a->b->codes)) == a->codes_used)
        (void)stt_node_wait(a->node, STT_US(50)); /* what is left of the last one */
    a->codes_used = n;
    return a->b->code[(n - 1) & 1];
}

static bool begin(struct asking *a)
{
    struct stt_connect c = STT_CONNECT_INIT;
    c.mode = a->kind->mode;
    c.has_peer = c.mode == STT_MODE_K;
    c.peer = a->b->meeting.peer;
    c.has_seed = c.mode == STT_MODE_S;
    memcpy(c.seed, a->b->seed, sizeof c.seed);
    c.code = c.mode == STT_MODE_W ? next_code(a) : NULL;
    c.user = &a->began_us[a->begun];
    a->began_us[a->begun++] = wall_us();
    return ends_well(stt_node_connect(a->node, &c, a->to, NULL), "no handshake");
}

static bool take_event(struct asking *a, const struct stt_event *e)
{
    struct stt_endpoint *ep = stt_node_endpoint(a->node);
    struct handshake_row *row = a->row;
    if (e->type == STT_EVENT_CLOSED && e->reason != STT_REASON_LOCAL_CLOSE)
        return pair_refuse("a handshake has failed: %s", stt_reason_text(e->reason));
    if (e->type != STT_EVENT_CONNECTED)
        return true;
    const double *began = stt_session_user(ep, e->session);
    row->us[row->n++] = wall_us() - *began;
    (void)stt_session_close(ep, stt_node_now(a->node), e->session, 0, NULL);
    return a->begun == a->b->n || begin(a);
}

static bool measure(struct asking *a)
{
    struct stt_event e;
    double began = figures_wall_s(), cpu = figures_cpu_s();
    double server = (double)a->b->server_cpu_ns;
    bool ok = true;
    a->begun = 0;
    while (ok && a->begun < a->kind->at_once && a->begun < a->b->n)
        ok = begin(a);
    while (ok && a->row->n < a->b->n) {
        ok = ends_well(stt_node_wait(a->node, STT_NEVER), "the node has ended");
        while (ok && stt_node_event(a->node, &e))
            ok = take_event(a, &e);
    }
    a->row->seconds = figures_wall_s() - began;
    a->row->cpu_s[0] = figures_cpu_s() - cpu;
    a->row->cpu_s[1] = ((double)a->b->server_cpu_ns - server) * 1e-9;
    return ok;
}

bool handshake_ask(void *memory)
{
    static struct asking a;
    struct stt_node_config config;
    a.b = memory;
    bool ok = config_of(&config, a.b) && (a.node = ends_node(&config));
    snprintf(a.to, sizeof a.to, "127.0.0.1:%u", (unsigned)pair_await(&a.b->meeting.port));
    for (int i = 0; ok && i < HANDSHAKE_ROWS_N; i++) {
        a.kind = &handshake_kinds[i];
        a.row = &a.b->rows[i];
        ok = measure(&a);
    }
    pair_tell(&a.b->is_over, 1);
    return ok;
}
