/* SPDX-License-Identifier: MIT
 * seen: the ephemeral keys of first messages that were answered lately, so that a copied one is
 * recognised. The oldest is forgotten for the newest. Spec 03, "Order of checks", step 6. */
#ifndef STT_SESSION_SEEN_H
#define STT_SESSION_SEEN_H

#include "stt/base/map.h"

enum { STT_SEEN_BYTES = 16, STT_SEEN_MAX = 8192 };

struct stt_seen {
    struct stt_map map;
    uint8_t (*ring)[STT_SEEN_BYTES]; /* in the order in which they came; NULL before the first */
    uint32_t next;                   /* where the newest goes: on the oldest when it is full */
    uint32_t n;
};

void stt_seen_init(struct stt_seen *s, const struct stt_env *env, uint64_t seed);
void stt_seen_fini(struct stt_seen *s);

/* Its first 16 bytes count. */
bool stt_seen_has(const struct stt_seen *s, const uint8_t ephemeral[32]);
/* STT_E_MEMORY: not remembered, and nothing forgotten. */
int stt_seen_add(struct stt_seen *s, const uint8_t ephemeral[32]) STT_MUST_USE;

#endif
