/* SPDX-License-Identifier: MIT
 * aegis_ref: AEGIS-128L (one lane) and AEGIS-128X2 (two), written down from the draft as plainly as
 * possible, byte by byte and slowly, to check the fast ones against. */
#ifndef TESTS_SUPPORT_AEGIS_REF_H
#define TESTS_SUPPORT_AEGIS_REF_H

#include "stt/base/bytes.h"

struct aegis_ref {
    size_t lanes;
    uint8_t v[8][2][16]; /* word, lane; the draft's V[word,lane], or S0 to S7 */
};

/* The state after initialisation. */
void aegis_ref_init(struct aegis_ref *a, size_t lanes, const uint8_t key[16],
                    const uint8_t nonce[16]);

/* m is 32 bytes for each lane. */
void aegis_ref_update(struct aegis_ref *a, const uint8_t *m);

/* From the state after initialisation; out takes the ciphertext and a tag of 16 bytes. */
void aegis_ref_seal(struct aegis_ref *a, struct bytes ad, struct bytes message, uint8_t *out);

#endif
