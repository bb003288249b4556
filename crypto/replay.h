/* SPDX-License-Identifier: MIT
 * replay: which packet numbers have been opened (spec 02, "Opening").
 *
 * The window covers 64 numbers in itself, and 8,192 while the caller lends it a bitmap: a quiet
 * session needs none. Numbers below the window count as seen. */
#ifndef STT_CRYPTO_REPLAY_H
#define STT_CRYPTO_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum { STT_REPLAY_NUMBERS = 8192, STT_REPLAY_WORDS = STT_REPLAY_NUMBERS / 64 };

struct stt_replay {
    uint64_t expected; /* the highest number recorded plus one; 0 before the first */
    uint64_t word;     /* the newest 64 numbers, while there is no bitmap */
    uint64_t *bitmap;
};

#define STT_REPLAY_INIT ((struct stt_replay){0})

/* True when the number is below 2^62 and may still be recorded. */
bool stt_replay_is_fresh(const struct stt_replay *r, uint64_t number);

/* Records a fresh number. */
void stt_replay_record(struct stt_replay *r, uint64_t number);

/* Lends the window a bitmap, which it fills. Nothing seen is forgotten; numbers that were below
 * the small window stay there. */
void stt_replay_attach(struct stt_replay *r, uint64_t bitmap[STT_REPLAY_WORDS]);

/* Gives the bitmap back, NULL when there was none; the newest 64 numbers are kept. */
uint64_t *stt_replay_detach(struct stt_replay *r);

#endif
