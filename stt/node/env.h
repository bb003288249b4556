/* SPDX-License-Identifier: MIT
 * env: the hooks of a node.
 *
 *     struct stt_secret secret;
 *     struct stt_env env;
 *     int error = stt_secret_init(&secret, &(struct stt_secret_limits)STT_SECRET_LIMITS);
 *     stt_node_env_init(&env, &secret);
 *     ...
 *     stt_secret_fini(&secret);
 */
#ifndef STT_NODE_ENV_H
#define STT_NODE_ENV_H

#include "stt/base/env.h"
#include "stt/node/secret.h"

/* Entropy from the kernel, ordinary memory from malloc, keys from `secret`; no trace. */
void stt_node_env_init(struct stt_env *env, struct stt_secret *secret);

#endif
