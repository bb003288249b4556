/* SPDX-License-Identifier: MIT
 * env: the hooks of stt/env.h, called with the checks that every caller would otherwise repeat. */
#ifndef STT_BASE_ENV_H
#define STT_BASE_ENV_H

#include "stt/env.h"

/* Zeroed memory, or NULL. */
void *stt_env_alloc(const struct stt_env *env, size_t len);
void stt_env_release(const struct stt_env *env, void *p, size_t len);
void *stt_env_secret_alloc(const struct stt_env *env, size_t len);
/* Wipes before it gives back. */
void stt_env_secret_release(const struct stt_env *env, void *p, size_t len);

/* False when the hook fails or gives the same 16 leading bytes twice in a row; `last` is the
 * caller's memory of the previous answer. Requests shorter than 16 bytes are filled from a
 * 16-byte draw. */
bool stt_env_entropy(const struct stt_env *env, uint8_t last[16], uint8_t *out,
                     size_t len) STT_MUST_USE;

#endif
