/* SPDX-License-Identifier: MIT
 * secret: memory for keys, kept out of core dumps, wiped in a forked child and, as far as the
 * system allows it, out of swap (spec 03, "Secrets in memory"). For one thread. */
#ifndef STT_NODE_SECRET_H
#define STT_NODE_SECRET_H

#include "stt/error.h"
#include "stt/types.h"

enum {
    STT_SECRET_GRAIN_BYTES = 64, /* blocks are aligned to it and rounded up to it */
    STT_SECRET_SMALL_MAX = 4096, /* a larger block is a mapping of its own */
    STT_SECRET_REGIONS_MAX = 40,
};

struct stt_secret_limits {
    size_t mapped_bytes; /* in all */
    size_t locked_bytes; /* of those, kept out of swap; io_uring's buffers share RLIMIT_MEMLOCK */
};

/* Room for 100,000 sessions; identity, seeds and the first thousand sessions locked. */
#define STT_SECRET_LIMITS                                                                          \
    {                                                                                              \
        .mapped_bytes = (size_t)512 << 20, .locked_bytes = (size_t)1 << 20                         \
    }

/* Owned by secret.c; mapped_bytes and locked_bytes say how it went. */
struct stt_secret {
    struct stt_secret_limits limits;
    size_t mapped_bytes, locked_bytes;
    struct {
        uint8_t *data;
        size_t len;
    } regions[STT_SECRET_REGIONS_MAX];
    unsigned regions_len;
    uint8_t *at, *end; /* what was never handed out of the newest region */
    void *given_back[STT_SECRET_SMALL_MAX / STT_SECRET_GRAIN_BYTES + 1]; /* by size in grains */
};

/* STT_E_UNSUPPORTED where the system cannot wipe on fork or leave out of dumps: there is no weaker
 * mode. That memory could not be locked is no error. */
int stt_secret_init(struct stt_secret *s, const struct stt_secret_limits *limits) STT_MUST_USE;

/* Every block has been released before. */
void stt_secret_fini(struct stt_secret *s);

/* Unspecified content; NULL when limits or system say no, and in a forked child. Who releases a
 * block has wiped it. Small blocks go to others of the same size, never back to the
 * system before fini. */
void *stt_secret_alloc(struct stt_secret *s, size_t len);
void stt_secret_release(struct stt_secret *s, void *p, size_t len);

/* False in a forked child. */
bool stt_secret_is_alive(const struct stt_secret *s);

#endif
