/* SPDX-License-Identifier: MIT
 * env: everything that the core asks of the world, as hooks. The core has no other way to reach
 * entropy, memory or a log; the same hooks with the same answers give the same bytes. */
#ifndef STT_BASE_ENV_H
#define STT_BASE_ENV_H

#include "stt/types.h"

struct stt_trace_event;

struct stt_env {
    void *ctx;

    /* Fills out with len unpredictable bytes; false aborts what asked (spec 03, "Entropy"). */
    bool (*entropy)(void *ctx, uint8_t *out, size_t len);

    /* Ordinary memory; alloc may answer NULL. The size is told again on release. */
    void *(*alloc)(void *ctx, size_t len);
    void (*release)(void *ctx, void *p, size_t len);

    /* Memory for keys: kept out of core dumps and wiped in a forked child. */
    void *(*secret_alloc)(void *ctx, size_t len);
    void (*secret_release)(void *ctx, void *p, size_t len);

    /* False in a forked child, where the secrets are gone; asked once per train. */
    bool (*secrets_alive)(void *ctx);

    /* May be NULL. */
    void (*trace)(void *ctx, const struct stt_trace_event *event);
};

/* Zeroed memory, or NULL. */
void *stt_env_alloc(const struct stt_env *env, size_t len);
void stt_env_release(const struct stt_env *env, void *p, size_t len);
void *stt_env_secret_alloc(const struct stt_env *env, size_t len);
/* Wipes before it gives back. */
void stt_env_secret_release(const struct stt_env *env, void *p, size_t len);

/* Zeros that no compiler may leave out. */
void stt_env_wipe(void *p, size_t len);

/* False when the hook fails or gives the same 16 leading bytes twice in a row; `last` is the
 * caller's memory of the previous answer. Requests shorter than 16 bytes are filled from a
 * 16-byte draw. */
bool stt_env_entropy(const struct stt_env *env, uint8_t last[16], uint8_t *out,
                     size_t len) STT_MUST_USE;

#endif
