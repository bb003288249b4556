/* SPDX-License-Identifier: MIT
 * codes: the codes and passphrases that this side has armed for mode W, and how often somebody
 * guessed wrong. Spec 03, "Guesses at a code". */
#ifndef STT_SESSION_CODES_H
#define STT_SESSION_CODES_H

#include "crypto/code.h"
#include "stt/error.h"
#include "stt/types.h"

enum { STT_CODES_MAX = 16 };

struct stt_armed_code {
    struct stt_code code;
    bool armed;
    uint8_t wrong;          /* guesses */
    uint8_t outstanding;    /* attempts that may still turn out wrong */
    uint32_t generation;    /* so that an attempt never counts against a later code of the slot */
    stt_ns ends_at;         /* STT_NEVER for a passphrase */
    stt_ns next_attempt_at; /* a passphrase after too many wrong guesses */
};

/* Empty when zeroed. Secret: it lives where secrets live, and is wiped. */
struct stt_codes {
    struct stt_armed_code at[STT_CODES_MAX];
    uint32_t generation; /* of the newest */
};

/* One attempt at one code. */
struct stt_attempt {
    uint32_t generation; /* 0: none */
};

/* STT_E_EXISTS: the slot is taken. STT_E_LIMIT: too many codes. */
int stt_codes_arm(struct stt_codes *codes, stt_ns now, const struct stt_code *code) STT_MUST_USE;
/* False when there is none. */
bool stt_codes_disarm(struct stt_codes *codes, uint32_t slot);
void stt_codes_wipe(struct stt_codes *codes);

/* The code to answer with, or NULL: no such code, or no attempt free at the moment. Borrowed until
 * the codes change; what begins must end. */
const struct stt_code *stt_codes_begin(struct stt_codes *codes, stt_ns now, uint32_t slot,
                                       struct stt_attempt *attempt);

/* The code of the attempt has not died meanwhile; else the attempt has died with it. */
bool stt_codes_is_live(const struct stt_codes *codes, stt_ns now,
                       const struct stt_attempt *attempt);

enum stt_guess { STT_GUESS_NONE, STT_GUESS_WRONG, STT_GUESS_RIGHT };
enum stt_code_fate { STT_CODE_LIVES, STT_CODE_USED, STT_CODE_GUESSED, STT_CODE_GONE };

/* How an attempt ended; each ends once, and is none then. Answers what became of its code, and its
 * slot. GONE: it was before, nothing happens, and `slot` stays as it was. */
enum stt_code_fate stt_codes_end(struct stt_codes *codes, stt_ns now, struct stt_attempt *attempt,
                                 enum stt_guess guess, uint32_t *slot);

/* When the first code dies of age. */
stt_ns stt_codes_deadline(const struct stt_codes *codes);
/* When the last one does; 0: there is none. */
stt_ns stt_codes_last_ends(const struct stt_codes *codes);
/* Disarms one code whose time has come; false when there is none. */
bool stt_codes_expire(struct stt_codes *codes, stt_ns now, uint32_t *slot);

#endif
