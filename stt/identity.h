/* SPDX-License-Identifier: MIT
 * identity: who a peer is, and the texts in which people hand that on (spec 03, "Identities").
 *
 *     struct stt_env env = {.entropy = stt_node_entropy};
 *     struct stt_identity me;
 *     int error = stt_identity_generate(&me, &env);
 *     ...
 *     char text[STT_PEER_ID_TEXT_ROOM];
 *     stt_peer_id_encode(&me.peer_id, text);        what others are told
 *     ...
 *     stt_identity_fini(&me);
 *
 * Every _encode writes a text with its final zero; every _decode takes one. What is decoded is all
 * zeros when the answer is an error. */
#ifndef STT_IDENTITY_H
#define STT_IDENTITY_H

#include "stt/error.h"
#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stt_env;

enum {
    STT_PEER_ID_TEXT_ROOM = 61, /* characters and the final zero */
    STT_TEXT_ROOM = 363,        /* the same, for the longest of all texts */
    STT_TICKET_ADDRESSES_MAX = 8,
};

/* An Ed25519 public key. Two ids are equal when their bytes are. */
struct stt_peer_id {
    uint8_t bytes[32];
};

/* Admits to a group; authenticates nobody within it. Secret, and never all zeros. */
struct stt_seed {
    uint8_t bytes[32];
};

/* A secret and what follows from it. All but the peer id is secret or leads to it. */
struct stt_identity {
    uint8_t secret[32];
    struct stt_peer_id peer_id;
    uint8_t static_secret[32]; /* the X25519 image, which the handshake uses */
    uint8_t static_public[32];
};

/* Every 32 bytes are an identity. */
void stt_identity_init(struct stt_identity *id, const uint8_t secret[32]);

/* Draws a new one from the entropy hook, the only one that is used. STT_E_IO when the hook fails
 * or repeats itself. */
int stt_identity_generate(struct stt_identity *id, const struct stt_env *env) STT_MUST_USE;
int stt_seed_generate(struct stt_seed *seed, const struct stt_env *env) STT_MUST_USE;

/* Wipes it. */
void stt_identity_fini(struct stt_identity *id);

/* Whether anybody can hold the secret of it; about 30 us. Decoding has asked this already. */
bool stt_peer_id_is_valid(const struct stt_peer_id *peer_id);

/* -- texts --------------------------------------------------------------------------------------
 * Decoding answers STT_E_SECRET when something public is wanted and the text holds a secret: say so
 * without showing it. Everything else that is wrong is STT_E_FORMAT. */

enum stt_text_kind {
    STT_TEXT_OTHER,
    STT_TEXT_PEER_ID,       /* stt1...       */
    STT_TEXT_TICKET,        /* sttticket1... */
    STT_TEXT_SEED,          /* sttseed1...   secret */
    STT_TEXT_SECRET_TICKET, /* sttsecret1... secret */
    STT_TEXT_IDENTITY,      /* sttkey1...    secret */
};

/* What a text claims to be, by its first characters. */
enum stt_text_kind stt_text_kind_of(const char *text);

/* Whether a secret seems to stand anywhere in it, whole or damaged: then it is not to be shown. */
bool stt_text_is_secret(const char *text);

void stt_peer_id_encode(const struct stt_peer_id *peer_id, char out[STT_PEER_ID_TEXT_ROOM]);
int stt_peer_id_decode(struct stt_peer_id *peer_id, const char *text) STT_MUST_USE;

/* Texts of secrets; wipe them when they are used (stt_env_wipe). */
void stt_seed_encode(const struct stt_seed *seed, char out[STT_TEXT_ROOM]);
int stt_seed_decode(struct stt_seed *seed, const char *text) STT_MUST_USE;
void stt_identity_encode(const struct stt_identity *id, char out[STT_TEXT_ROOM]);
int stt_identity_decode(struct stt_identity *id, const char *text) STT_MUST_USE;

/* -- tickets: a peer id, where it may be found, and perhaps what admits to it -------------------
 */

struct stt_ticket_address {
    uint8_t family;    /* 4 or 6 */
    uint8_t bytes[16]; /* the first 4 with family 4, the rest of them zeros then */
    uint16_t port;     /* not 0 */
};

struct stt_ticket {
    struct stt_peer_id peer_id;
    struct stt_seed seed; /* zeros without one */
    bool has_seed;        /* makes its text a secret: sttsecret1 in place of sttticket1 */
    uint8_t addresses_len;
    struct stt_ticket_address addresses[STT_TICKET_ADDRESSES_MAX];
};

/* STT_E_ARGUMENT when decoding would refuse the result; then out is an empty text. */
int stt_ticket_encode(const struct stt_ticket *ticket, char out[STT_TEXT_ROOM]) STT_MUST_USE;

/* The first takes only tickets without a seed, the second only those with one. */
int stt_ticket_decode(struct stt_ticket *ticket, const char *text) STT_MUST_USE;
int stt_ticket_decode_secret(struct stt_ticket *ticket, const char *text) STT_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
