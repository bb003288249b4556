/* SPDX-License-Identifier: MIT
 * memory: the hooks of struct stt_env for a simulated process. Each block is a malloc of its own,
 * so that a sanitizer sees its exact end, with a header that tells misuse:
 *
 *   |header: kind, len|  what the process sees, filled with 0xa5 ...  |
 */
#include "stt/sim/memory.h"

#include "stt/sim/world.h"

#include <stdlib.h>
#include <string.h>

enum { ORDINARY = 0x6f726421, SECRET = 0x73656321, RELEASED = 0x64656164 };

struct header {
    _Alignas(16) uint32_t kind;
    size_t len;
};

static bool must_fail(const struct stt_sim_memory *m, size_t len)
{
    return (m->fail_at && m->allocs == m->fail_at) || (m->fail_from && m->allocs >= m->fail_from) ||
           (m->limit_bytes && m->bytes_in_use + len > m->limit_bytes);
}

static void *take(struct stt_sim_process *p, size_t len, uint32_t kind)
{
    struct stt_sim_memory *m = &p->memory;
    m->allocs++;
    if (must_fail(m, len)) {
        m->failed++;
        return NULL;
    }
    struct header *h = stt_net_env.alloc(NULL, sizeof *h + len);
    *h = (struct header){.kind = kind, .len = len};
    memset(h + 1, 0xa5, len); /* the same for every run, and no zeros by luck */
    m->live++;
    m->bytes_in_use += len;
    if (m->bytes_in_use > m->bytes_peak)
        m->bytes_peak = m->bytes_in_use;
    return h + 1;
}

static void give_back(struct stt_sim_process *p, void *block, size_t len, uint32_t kind)
{
    struct header *h = (struct header *)block - 1;
    if (h->kind != kind || h->len != len) {
        stt_sim_fail(p->sim, "node %u releases %zu bytes of a block of %zu, or of another kind",
                     p->node, len, h->len);
        return;
    }
    h->kind = RELEASED;
    p->memory.live--;
    p->memory.bytes_in_use -= len;
    stt_net_env.release(NULL, h, sizeof *h + len);
}

static void *on_alloc(void *ctx, size_t len)
{
    return take(ctx, len, ORDINARY);
}

static void on_release(void *ctx, void *block, size_t len)
{
    give_back(ctx, block, len, ORDINARY);
}

static void *on_secret_alloc(void *ctx, size_t len)
{
    return take(ctx, len, SECRET);
}

static void on_secret_release(void *ctx, void *block, size_t len)
{
    struct stt_sim_process *p = ctx;
    const uint8_t *bytes = block;
    for (size_t i = 0; i < len; i++)
        if (bytes[i]) {
            stt_sim_fail(p->sim, "node %u releases a secret without wiping it", p->node);
            break;
        }
    give_back(p, block, len, SECRET);
}

static bool on_entropy(void *ctx, uint8_t *out, size_t len)
{
    struct stt_sim_process *p = ctx;
    if (p->is_dry)
        return false;
    stt_net_rng_fill(&p->rng, out, len);
    return true;
}

static bool on_secrets_alive(void *ctx)
{
    return !((const struct stt_sim_process *)ctx)->is_forked;
}

static void on_trace(void *ctx, const struct stt_trace_event *event)
{
    const struct stt_sim_process *p = ctx;
    if (p->trace)
        p->trace(p->trace_ctx, event);
}

static void on_key_log(void *ctx, const struct stt_key_log *key)
{
    const struct stt_sim_process *p = ctx;
    p->key_log(p->trace_ctx, key);
}

void stt_sim_process_log_keys(struct stt_sim_process *p,
                              void (*key_log)(void *ctx, const struct stt_key_log *key))
{
    p->key_log = key_log;
    p->env.key_log = key_log ? on_key_log : NULL;
}

void stt_sim_process_init(struct stt_sim_process *p, struct stt_sim *sim, uint32_t node,
                          uint64_t seed)
{
    *p = (struct stt_sim_process){
        .sim = sim, .node = node, .rng = stt_net_rng_init(seed, 'p', node)};
    p->env = (struct stt_env){
        .ctx = p,
        .entropy = on_entropy,
        .alloc = on_alloc,
        .release = on_release,
        .secret_alloc = on_secret_alloc,
        .secret_release = on_secret_release,
        .secrets_alive = on_secrets_alive,
        .trace = on_trace,
    };
}
