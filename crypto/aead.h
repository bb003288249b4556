/* SPDX-License-Identifier: MIT
 * aead: the ciphers that protect packets, as a table of suites (spec 02, "Suites").
 *
 * Everything works through struct stt_aead_suite; a suite of somebody else's making is used by
 * passing a pointer to it. One id may have several implementations: they give the same bytes and
 * differ in the processor that they need. The processor is always an argument (crypto/cpu.h). */
#ifndef STT_CRYPTO_AEAD_H
#define STT_CRYPTO_AEAD_H

#include "stt/base/bytes.h"
#include "stt/types.h"

enum {
    STT_AEAD_TAG_BYTES = 16,
    STT_AEAD_KEY_MAX = 32,
    STT_AEAD_NONCE_MAX = 16,
    STT_AEAD_SAMPLE_BYTES = 16,
    STT_AEAD_MASK_BYTES = 8, /* the start of a block; the header uses 5 */
    STT_AEAD_STATE_MAX = 512,
    STT_AEAD_MASK_STATE_MAX = 240,
    STT_AEAD_STATE_ALIGN = 16,
};

/* Ids on the wire; 0 is none. */
enum stt_aead_id {
    STT_AEAD_AEGIS_128X2 = 1,
    STT_AEAD_AEGIS_128L = 2,
    STT_AEAD_AES_256_GCM = 3,
    STT_AEAD_CHACHA20_POLY1305 = 4,
    STT_AEAD_IDS = 4,
};

/* A packet to seal. `out` takes the ciphertext of all parts and the tag, in one piece. It overlaps
 * nothing that this call reads, with one exception: a packet of a single part may be sealed where
 * it lies. */
struct stt_aead_plain {
    const uint8_t *nonce;
    struct bytes ad;
    const struct bytes *parts;
    size_t parts_len;
    uint8_t *out;
};

/* A packet to open in place: len bytes of ciphertext and tag become len - 16 bytes of plaintext. */
struct stt_aead_sealed {
    const uint8_t *nonce;
    struct bytes ad;
    uint8_t *data;
    size_t len;
    bool is_open; /* the answer; if false, data holds zeros in the plaintext's place */
};

struct stt_aead_suite {
    uint8_t id;
    const char *name;
    const char *variant; /* tells the implementations of one id apart */
    uint32_t needs;      /* bits of enum stt_cpu without which nothing below may be called */

    bool is_offered; /* unless the host names the suites that it wants */

    size_t key_bytes; /* of the packet key and of the mask key */
    size_t nonce_bytes;
    size_t state_bytes; /* key states are aligned to STT_AEAD_STATE_ALIGN; the caller wipes them */
    size_t mask_state_bytes;

    uint64_t max_packets;      /* that one key may seal */
    uint64_t max_failed_opens; /* that one session may see */

    void (*init)(void *state, const uint8_t *key);

    /* A train of packets under one key. Neighbours of equal length may be worked on together, so
     * a train costs less than its packets one by one. open answers how many are open. */
    void (*seal)(const void *state, const struct stt_aead_plain *packets, size_t n);
    size_t (*open)(const void *state, struct stt_aead_sealed *packets, size_t n) STT_MUST_USE;

    /* Masks for the headers of a train: out[i] from the 16 bytes at samples + i * stride. */
    void (*mask_init)(void *state, const uint8_t *key);
    void (*mask)(const void *state, const uint8_t *samples, size_t stride, size_t n,
                 uint8_t (*out)[STT_AEAD_MASK_BYTES]);
};

/* Every implementation in this build, best first, whether this processor can run it or not; NULL
 * from the end on. */
const struct stt_aead_suite *stt_aead_at(size_t i);

/* The best implementation that a processor (bits of enum stt_cpu) can run, or NULL. */
const struct stt_aead_suite *stt_aead_by_id(uint8_t id, uint32_t cpu);
const struct stt_aead_suite *stt_aead_by_name(const char *name, uint32_t cpu);

/* The ids to offer when the host names none, most wanted first; answers how many. */
size_t stt_aead_offer(uint8_t out[STT_AEAD_IDS], uint32_t cpu);

/* The responder's choice: the first of its own ids that was offered, or 0. */
uint8_t stt_aead_choose(struct bytes own, struct bytes offered);

/* For those who implement a suite. */

size_t stt_aead_len(const struct stt_aead_plain *packet); /* of all parts together */

/* Copies the parts to `out`, for ciphers that then work there; answers their length. */
size_t stt_aead_gather(const struct stt_aead_plain *packet);

/* The end of an unsuccessful open: wipes. */
void stt_aead_refuse(struct stt_aead_sealed *packet);

/* A suite's `open` that takes a train packet by packet; `open_one` sees none that is too short. */
static inline size_t
stt_aead_open_each(const void *state, struct stt_aead_sealed *packets, size_t n,
                   bool (*open_one)(const void *state, const struct stt_aead_sealed *packet))
{
    size_t opened = 0;
    for (struct stt_aead_sealed *p = packets; p != packets + n; p++) {
        p->is_open = p->len >= STT_AEAD_TAG_BYTES && open_one(state, p);
        if (p->is_open)
            opened++;
        else
            stt_aead_refuse(p);
    }
    return opened;
}

/* No limit: as many as there are packet numbers (spec 02, "Suites"). */
#define STT_AEAD_UNLIMITED (UINT64_C(1) << 62)

#endif
