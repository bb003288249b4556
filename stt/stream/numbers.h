/* SPDX-License-Identifier: MIT
 * numbers: which stream numbers of the peer were used (spec 05, "Ids"). All below `base` were;
 * above it a ring of bits tells, one for each number that the peer may open. */
#ifndef STT_STREAM_NUMBERS_H
#define STT_STREAM_NUMBERS_H

#include "stt/base/env.h"
#include "stt/error.h"

/* All zero: none was used, and no memory is held. */
struct stt_numbers {
    uint64_t base;  /* the lowest that was not used */
    uint64_t *bits; /* NULL before the first */
    uint32_t size;  /* numbers that it can tell apart: 0, or a power of two from 64 on */
};

/* Room for `span` numbers from the lowest unused one on. STT_E_MEMORY, and nothing has changed. */
int stt_numbers_reserve(struct stt_numbers *n, const struct stt_env *env,
                        uint64_t span) STT_MUST_USE;
/* Those above `base` are forgotten. */
void stt_numbers_free(struct stt_numbers *n, const struct stt_env *env);

bool stt_numbers_was_used(const struct stt_numbers *n, uint64_t number);
/* Below base + span; nothing when it was used before. */
void stt_numbers_use(struct stt_numbers *n, uint64_t number);

#endif
