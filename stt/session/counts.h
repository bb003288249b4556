/* SPDX-License-Identifier: MIT
 * counts: how many half-open handshakes each prefix and each peer holds, so that none of them can
 * fill the table for the others. Spec 03, "Order of checks", steps 6 and 7. */
#ifndef STT_SESSION_COUNTS_H
#define STT_SESSION_COUNTS_H

#include "stt/base/map.h"

/* What is counted: a prefix of an address, or a peer by its static key within a prefix. */
struct stt_count_key {
    uint8_t bytes[25]; /* kind, prefix in 8 bytes, the static key's first 16 or zeros */
};

/* IPv4: its /32. IPv6: its /64 and its /48. The cap of each comes with it. */
struct stt_prefixes {
    struct stt_count_key key[2]; /* the narrowest first */
    uint32_t cap[2];
    uint32_t n;
};

/* `cap` is that of a /32 or a /64. IPv4 comes in its IPv6-mapped form. */
void stt_prefixes_of(struct stt_prefixes *out, const uint8_t ip[16], uint32_t cap);

/* Within the prefix that the message came from: a copy of somebody's message 1, or his public key,
 * must not use up his share from elsewhere. */
struct stt_count_key stt_count_key_of_peer(const uint8_t static_key[32],
                                           const struct stt_count_key *prefix);

struct stt_counts {
    struct stt_map map;
};

/* At most `max` different keys are counted at a time. */
void stt_counts_init(struct stt_counts *c, const struct stt_env *env, uint64_t seed, uint32_t max);
void stt_counts_fini(struct stt_counts *c);

uint32_t stt_counts_of(const struct stt_counts *c, const struct stt_count_key *key);
/* STT_E_LIMIT at `cap` or at `max` keys, STT_E_MEMORY; nothing is counted then. */
int stt_counts_add(struct stt_counts *c, const struct stt_count_key *key,
                   uint32_t cap) STT_MUST_USE;
/* Of what was added. */
void stt_counts_drop(struct stt_counts *c, const struct stt_count_key *key);

#endif
