/* SPDX-License-Identifier: MIT
 * code: what two people tell each other in mode W: a generated code or a passphrase, as the bytes
 * that CPace works on (spec 03, "Codes", "CPace in mode W"). */
#ifndef STT_CRYPTO_CODE_H
#define STT_CRYPTO_CODE_H

#include "stt/base/bytes.h"
#include "stt/types.h"

enum {
    STT_CODE_ENTROPY_BYTES = 13, /* 8 for the slot, 5 for the secret */
    STT_CODE_TEXT_BYTES = 15,    /* 9999-xxxx-xxxx and a terminating zero */
    STT_CODE_PRS_MAX = 32,
    STT_CODE_LAST_SLOT = 9999,
    STT_PASSPHRASE_LEAST = 8,
    STT_PASSPHRASE_MOST = 256,
};

/* All of it but the slot is secret; the caller wipes it. */
struct stt_code {
    uint16_t slot; /* public; 0 is a passphrase */
    uint8_t prs_len;
    uint8_t prs[STT_CODE_PRS_MAX];
};

static inline struct bytes stt_code_prs(const struct stt_code *code)
{
    return bytes_of(code->prs, code->prs_len);
}

/* A new code from random bytes. */
void stt_code_generate(struct stt_code *code, const uint8_t entropy[STT_CODE_ENTROPY_BYTES]);

/* The text of a generated code, as people are shown it: 417-k7qd-x2mz. */
void stt_code_text(char text[STT_CODE_TEXT_BYTES], const struct stt_code *code);

/* Reads a code as somebody typed it. STT_E_FORMAT when it is none. */
int stt_code_read(struct stt_code *code, struct bytes text) STT_MUST_USE;

/* A passphrase in the form in which it is stretched; answers its length, 0 when it is not valid
 * UTF-8 or has too few or too many bytes. */
size_t stt_passphrase_normalise(uint8_t out[STT_PASSPHRASE_MOST], struct bytes text) STT_MUST_USE;

/* Stretches a passphrase: takes 64 MiB for a moment, and a good part of a second. STT_E_FORMAT as
 * above, STT_E_MEMORY. */
int stt_code_stretch(struct stt_code *code, struct bytes passphrase) STT_MUST_USE;

/* The Noise psk of mode W, from the result of CPace and the h right after token e of message 1. */
void stt_code_psk(uint8_t psk[32], const uint8_t isk[64], const uint8_t sid[64]);

#endif
