/* SPDX-License-Identifier: MIT
 * What the library asks of the world, as hooks. It has no other way to reach entropy, memory or a
 * log; the same hooks with the same answers give the same bytes. stt_node_env_init() fills this
 * with the operating system's; a daemon with allocators of its own fills it itself. */
#ifndef STT_ENV_H
#define STT_ENV_H

#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stt_trace_event;
struct stt_key_log;

struct stt_env {
    void *ctx;

    /* Fills out with len unpredictable bytes; false aborts what asked for them. */
    bool (*entropy)(void *ctx, uint8_t *out, size_t len);

    /* Ordinary memory; alloc may answer NULL. The size is told again on release. */
    void *(*alloc)(void *ctx, size_t len);
    void (*release)(void *ctx, void *p, size_t len);

    /* Memory for keys: kept out of core dumps and wiped in a forked child. */
    void *(*secret_alloc)(void *ctx, size_t len);
    void (*secret_release)(void *ctx, void *p, size_t len);

    /* False in a forked child, where the secrets are gone; asked once per train. */
    bool (*secrets_alive)(void *ctx);

    /* Every event as it happens: stt/trace.h. May be NULL. */
    void (*trace)(void *ctx, const struct stt_trace_event *event);

    /* Every secret that packets are sealed with: stt/keylog.h. NULL, but for debugging. */
    void (*key_log)(void *ctx, const struct stt_key_log *key);
};

/* Zeros that no compiler may leave out. */
void stt_env_wipe(void *p, size_t len);

#ifdef __cplusplus
}
#endif
#endif
