/* SPDX-License-Identifier: MIT
 * roster: who is answered: the peers that are listed, and the codes that are armed. An endpoint has
 * one of its own; those of several threads may share one, which then has a lock, so that a code is
 * used once and guessed at three times in all. Spec 03, "Order of checks", "Guesses at a code". */
#ifndef STT_SESSION_ROSTER_H
#define STT_SESSION_ROSTER_H

#include "stt/base/map.h"
#include "stt/identity.h"
#include "stt/session/codes.h"

#include <stdatomic.h>

struct stt_roster {
    struct stt_map allowed;  /* static key -> struct stt_peer_id * */
    struct stt_codes *codes; /* in memory for secrets, the caller's */
    void (*lock)(void *ctx, bool is_held);
    void *lock_ctx;
    /* Looked at without the lock: when the first and the last code die of age. */
    _Atomic stt_ns first_ends, last_ends;
};

/* `env` and `codes` must outlive it. For one thread, until `lock` is set. */
void stt_roster_init(struct stt_roster *r, const struct stt_env *env, struct stt_codes *codes,
                     uint64_t seed);
void stt_roster_fini(struct stt_roster *r);

/* -- peers ------------------------------------------------------------------------------------- */

/* STT_E_CRYPTO: not a valid id. STT_E_MEMORY. */
int stt_roster_allow(struct stt_roster *r, const struct stt_peer_id *peer) STT_MUST_USE;
int stt_roster_disallow(struct stt_roster *r, const struct stt_peer_id *peer);
bool stt_roster_has_key(const struct stt_roster *r, const uint8_t static_key[32]);
bool stt_roster_has_peer(const struct stt_roster *r, const uint8_t static_key[32],
                         const struct stt_peer_id *peer);

/* -- codes, as in codes.h ---------------------------------------------------------------------- */

int stt_roster_arm(struct stt_roster *r, stt_ns now, const struct stt_code *code) STT_MUST_USE;
/* A new code in a slot that is free; text is what people say to each other. STT_E_IO: `draw` has
 * failed. */
int stt_roster_arm_new(struct stt_roster *r, stt_ns now,
                       bool (*draw)(void *ctx, uint8_t *out, size_t len), void *ctx, char *text,
                       uint32_t *slot) STT_MUST_USE;
/* A passphrase, from stt_passphrase_stretch(). */
int stt_roster_arm_stretched(struct stt_roster *r, stt_ns now,
                             const uint8_t stretched[32]) STT_MUST_USE;
bool stt_roster_disarm(struct stt_roster *r, uint32_t slot);
/* Some code is live, so somebody who proves his address may try. */
bool stt_roster_is_armed(const struct stt_roster *r, stt_ns now);
/* `code` gets the code to answer with, a secret. False: none, or no attempt is free. */
bool stt_roster_begin(struct stt_roster *r, stt_ns now, uint32_t slot, struct stt_attempt *attempt,
                      struct stt_code *code);
bool stt_roster_is_live(const struct stt_roster *r, stt_ns now, const struct stt_attempt *attempt);
enum stt_code_fate stt_roster_end(struct stt_roster *r, stt_ns now, struct stt_attempt *attempt,
                                  enum stt_guess guess, uint32_t *slot);
stt_ns stt_roster_deadline(const struct stt_roster *r);
bool stt_roster_expire(struct stt_roster *r, stt_ns now, uint32_t *slot);

#endif
