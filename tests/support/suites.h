/* SPDX-License-Identifier: MIT
 * suites: every implementation of every cipher suite that this processor can run, keyed, for tests
 * that hold for all of them. */
#ifndef TESTS_SUPPORT_SUITES_H
#define TESTS_SUPPORT_SUITES_H

#include "crypto/aead.h"

struct keyed_suite {
    const struct stt_aead_suite *suite;
    _Alignas(STT_AEAD_STATE_ALIGN) uint8_t state[STT_AEAD_STATE_MAX];
    _Alignas(STT_AEAD_STATE_ALIGN) uint8_t mask_state[STT_AEAD_MASK_STATE_MAX];
};

/* Fills all with those of one id (0: all ids), keyed with the first bytes of key; answers how many
 * there are, at most max. */
size_t suites_here(struct keyed_suite *all, size_t max, uint8_t id, const uint8_t key[32]);

/* One packet in, or opened in place. */
void suites_seal(const struct keyed_suite *s, struct stt_aead_plain packet);
bool suites_open(const struct keyed_suite *s, const struct stt_aead_sealed *packet);

#endif
