/* SPDX-License-Identifier: MIT
 * env: the hooks, called with the checks that every caller would otherwise repeat. */
#include "stt/base/env.h"

#include <string.h>

void *stt_env_alloc(const struct stt_env *env, size_t len)
{
    void *p = env->alloc(env->ctx, len);
    if (p)
        memset(p, 0, len);
    return p;
}

void stt_env_release(const struct stt_env *env, void *p, size_t len)
{
    if (p)
        env->release(env->ctx, p, len);
}

void *stt_env_secret_alloc(const struct stt_env *env, size_t len)
{
    void *p = env->secret_alloc(env->ctx, len);
    if (p)
        memset(p, 0, len);
    return p;
}

void stt_env_secret_release(const struct stt_env *env, void *p, size_t len)
{
    if (!p)
        return;
    stt_env_wipe(p, len);
    env->secret_release(env->ctx, p, len);
}

void stt_env_wipe(void *p, size_t len)
{
    memset(p, 0, len);
    __asm__ volatile("" : : "r"(p) : "memory"); /* the store is seen, so it stays */
}

bool stt_env_entropy(const struct stt_env *env, uint8_t last[16], uint8_t *out, size_t len)
{
    uint8_t draw[16];
    uint8_t *to = len < sizeof draw ? draw : out;
    if (!env->entropy(env->ctx, to, len < sizeof draw ? sizeof draw : len))
        return false;
    if (memcmp(last, to, sizeof draw) == 0) {
        stt_env_wipe(to, len < sizeof draw ? sizeof draw : len);
        return false;
    }
    memcpy(last, to, sizeof draw);
    if (to == draw)
        memcpy(out, draw, len);
    stt_env_wipe(draw, sizeof draw);
    return true;
}
