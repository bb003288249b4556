/* SPDX-License-Identifier: MIT
 * counted: owns the secrets' memory; ordinary memory is malloc's. */
#include "tools/sttbench/shared/counted.h"

#include "stt/keyfile.h"
#include "tools/common/say.h"

#include <stdlib.h>

static size_t grains(size_t len)
{
    return (len + STT_SECRET_GRAIN_BYTES - 1) / STT_SECRET_GRAIN_BYTES * STT_SECRET_GRAIN_BYTES;
}

static void *count(struct counted *c, void *p, size_t len)
{
    c->bytes += p ? len : 0;
    c->allocs++;
    return p;
}

static void *on_alloc(void *ctx, size_t len)
{
    return count(ctx, malloc(len), len);
}

static void on_release(void *ctx, void *p, size_t len)
{
    ((struct counted *)ctx)->bytes -= p ? len : 0;
    free(p);
}

static void *on_secret_alloc(void *ctx, size_t len)
{
    struct counted *c = ctx;
    return count(c, stt_secret_alloc(&c->secret, len), grains(len));
}

static void on_secret_release(void *ctx, void *p, size_t len)
{
    struct counted *c = ctx;
    c->bytes -= p ? grains(len) : 0;
    stt_secret_release(&c->secret, p, len);
}

static bool on_secrets_alive(void *ctx)
{
    return stt_secret_is_alive(&((struct counted *)ctx)->secret);
}

bool counted_init(struct counted *c)
{
    *c = (struct counted){.env = {.ctx = c,
                                  .entropy = stt_node_entropy,
                                  .alloc = on_alloc,
                                  .release = on_release,
                                  .secret_alloc = on_secret_alloc,
                                  .secret_release = on_secret_release,
                                  .secrets_alive = on_secrets_alive}};
    if (stt_secret_init(&c->secret, &(struct stt_secret_limits)STT_SECRET_LIMITS) == STT_OK)
        return true;
    say_error("the system gives no memory for secrets; sttbench doctor says more");
    return false;
}

void counted_fini(struct counted *c)
{
    stt_secret_fini(&c->secret);
}
