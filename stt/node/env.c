/* SPDX-License-Identifier: MIT
 * env: what the core asks of the world, answered by the operating system. Owns nothing; `ctx` is
 * the node's secret memory. */
#include "stt/node/env.h"

#include "stt/keyfile.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

/* There is no second source: without the kernel's there is no answer. */
bool stt_node_entropy(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        out += n;
        len -= (size_t)n;
    }
    return true;
}

static void *on_alloc(void *ctx, size_t len)
{
    (void)ctx;
    return malloc(len);
}

static void on_release(void *ctx, void *p, size_t len)
{
    (void)ctx;
    (void)len;
    free(p);
}

static void *on_secret_alloc(void *ctx, size_t len)
{
    return stt_secret_alloc(ctx, len);
}

static void on_secret_release(void *ctx, void *p, size_t len)
{
    stt_secret_release(ctx, p, len);
}

static bool on_secrets_alive(void *ctx)
{
    return stt_secret_is_alive(ctx);
}

void stt_node_env_init(struct stt_env *env, struct stt_secret *secret)
{
    *env = (struct stt_env){
        .ctx = secret,
        .entropy = stt_node_entropy,
        .alloc = on_alloc,
        .release = on_release,
        .secret_alloc = on_secret_alloc,
        .secret_release = on_secret_release,
        .secrets_alive = on_secrets_alive,
    };
}
