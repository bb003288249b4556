/* SPDX-License-Identifier: MIT
 * noise: the Noise Protocol Framework, revision 34, with X25519, ChaChaPoly and BLAKE2b. The three
 * objects keep the names of the Noise specification, and so do the tokens.
 *
 * A handshake state is a plain struct in the caller's memory; assignment copies it. Whatever fails
 * leaves the state exactly as it was, latches the cursors and wipes what it wrote.
 *
 * A message is written or read in one go, or in steps that end after a token, so that the caller
 * can look (h after e, rs after s, the chaining key before psk) before the rest is computed:
 *
 *     stt_noise_read_through(&hs, STT_NOISE_S, &r);     e, es, s:  hs.rs is known
 *     stt_noise_read(&hs, &r, &payload);                ss, payload
 *
 * Two different messages made from copies of one state would share a key and a nonce: a message is
 * built once, and its bytes are kept for repetition. */
#ifndef STT_CRYPTO_NOISE_H
#define STT_CRYPTO_NOISE_H

#include "crypto/hash.h"
#include "stt/base/bytes.h"
#include "stt/types.h"

#define STT_NOISE_KEY_BYTES     32
#define STT_NOISE_TAG_BYTES     16
#define STT_NOISE_MESSAGE_BYTES 65535 /* the longest message */

enum stt_noise_pattern {
    STT_NOISE_NONE, /* what a wiped state has: it refuses everything */
    STT_NOISE_KK,
    STT_NOISE_IK,
    STT_NOISE_XX,
    STT_NOISE_NNPSK0,
    STT_NOISE_KKPSK0,
    STT_NOISE_IKPSK2,
    STT_NOISE_XXPSK0,
    STT_NOISE_XXPSK3,
    STT_NOISE_XXPSK0_PSK3,
    STT_NOISE_PATTERNS
};

enum stt_noise_token {
    STT_NOISE_END, /* of a message's tokens, just before its payload */
    STT_NOISE_E,
    STT_NOISE_S,
    STT_NOISE_EE,
    STT_NOISE_ES,
    STT_NOISE_SE,
    STT_NOISE_SS,
    STT_NOISE_PSK
};

struct stt_noise_keypair {
    uint8_t secret_key[STT_NOISE_KEY_BYTES];
    uint8_t public_key[STT_NOISE_KEY_BYTES];
};

struct stt_noise_cipher_state {
    uint64_t n;
    uint8_t k[STT_NOISE_KEY_BYTES];
    bool has_key;
};

struct stt_noise_symmetric_state {
    uint8_t ck[STT_HASH_BYTES];
    uint8_t h[STT_HASH_BYTES];
    struct stt_noise_cipher_state cipher;
};

/* For callers to read: symmetric.h, symmetric.ck, and rs and re once their tokens are through. */
struct stt_noise_handshake_state {
    struct stt_noise_symmetric_state symmetric;
    const struct stt_noise_keypair *s;
    struct stt_noise_keypair e;
    uint8_t rs[STT_NOISE_KEY_BYTES];
    uint8_t re[STT_NOISE_KEY_BYTES];
    uint8_t psk[STT_NOISE_KEY_BYTES];
    enum stt_noise_pattern pattern;
    bool is_initiator, has_e, has_psk;
    uint8_t message, token; /* what comes next */
    uint32_t message_bytes; /* of the message that has begun */
};

struct stt_noise_setup {
    enum stt_noise_pattern pattern;
    bool is_initiator;
    struct bytes prologue;
    const struct stt_noise_keypair
        *s;            /* must outlive the handshake; NULL if the pattern has none */
    const uint8_t *rs; /* NULL unless the pattern knows it beforehand */
};

struct stt_noise_keys {
    uint8_t initiator[STT_NOISE_KEY_BYTES]; /* for what the initiator sends */
    uint8_t responder[STT_NOISE_KEY_BYTES];
    uint8_t h[STT_HASH_BYTES];
};

/* The public key costs a multiplication: make it once, keep the pair. */
void stt_noise_keypair_init(struct stt_noise_keypair *pair,
                            const uint8_t secret_key[STT_NOISE_KEY_BYTES]);

/* The DH function: X25519. False for a key that does not contribute. */
bool stt_noise_dh(uint8_t shared[STT_NOISE_KEY_BYTES],
                  const uint8_t secret_key[STT_NOISE_KEY_BYTES],
                  const uint8_t public_key[STT_NOISE_KEY_BYTES]) STT_MUST_USE;

/* As in "Noise_IK_25519_ChaChaPoly_BLAKE2b". */
const char *stt_noise_protocol_name(enum stt_noise_pattern pattern);

/* False, and the state wiped, if a key that the pattern needs is missing, an rs is given that it
 * does not know beforehand, or rs is our own key. */
bool stt_noise_init(struct stt_noise_handshake_state *hs,
                    const struct stt_noise_setup *setup) STT_MUST_USE;

/* Needed no earlier than the token that sends or mixes it; each is copied. */
void stt_noise_set_ephemeral(struct stt_noise_handshake_state *hs,
                             const struct stt_noise_keypair *e);
void stt_noise_set_psk(struct stt_noise_handshake_state *hs,
                       const uint8_t psk[STT_NOISE_KEY_BYTES]);

/* The next tokens up to and including the first `last` (STT_NOISE_END: all that are left). False if
 * it is not our turn, there is no such token ahead, a key is missing or does not contribute, the
 * peer sent a key of ours, bytes or room are missing, or a tag is wrong. */
bool stt_noise_write_through(struct stt_noise_handshake_state *hs, enum stt_noise_token last,
                             struct wr *w) STT_MUST_USE;
bool stt_noise_read_through(struct stt_noise_handshake_state *hs, enum stt_noise_token last,
                            struct rd *r) STT_MUST_USE;

/* The tokens that are left, and the payload, which ends the message; reading takes all that r
 * holds. False as above. Input and output may not overlap. */
bool stt_noise_write(struct stt_noise_handshake_state *hs, struct bytes payload,
                     struct wr *w) STT_MUST_USE;
bool stt_noise_read(struct stt_noise_handshake_state *hs, struct rd *r,
                    struct wr *payload) STT_MUST_USE;

/* All messages of the pattern have passed. */
bool stt_noise_is_done(const struct stt_noise_handshake_state *hs);

/* Takes the keys of a handshake that is done, and wipes it. */
bool stt_noise_split(struct stt_noise_handshake_state *hs,
                     struct stt_noise_keys *keys) STT_MUST_USE;

void stt_noise_wipe(struct stt_noise_handshake_state *hs);

/* CipherState: nonces count up from 0; the last one, 2^64-1, is refused. Without a key the text
 * passes unchanged. A failed open does not count. */
void stt_noise_cipher_init(struct stt_noise_cipher_state *c, const uint8_t k[STT_NOISE_KEY_BYTES]);
bool stt_noise_cipher_seal(struct stt_noise_cipher_state *c, struct bytes ad, struct bytes plain,
                           struct wr *w) STT_MUST_USE;
bool stt_noise_cipher_open(struct stt_noise_cipher_state *c, struct bytes ad, struct bytes sealed,
                           struct wr *w) STT_MUST_USE;

#endif
