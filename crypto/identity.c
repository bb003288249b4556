/* SPDX-License-Identifier: MIT
 * identity: the Ed25519 key pair, its X25519 image, labelled signatures, and the three texts whose
 * body is one key (spec 03, "Identities").
 *
 * Owns no memory. Every secret copy on the stack is wiped before return. Must not know who uses an
 * identity, nor where it is kept. */
#include "crypto/identity.h"

#include "crypto/text.h"
#include "stt/base/env.h"

#include <sodium.h>

/* What libsodium calls a secret key is the secret and the public key behind it. */
struct signing_key {
    uint8_t bytes[crypto_sign_SECRETKEYBYTES];
};

void stt_identity_init(struct stt_identity *id, const uint8_t secret[32])
{
    struct signing_key key;
    crypto_sign_seed_keypair(id->peer_id.bytes, key.bytes, secret);
    memmove(id->secret, secret, sizeof id->secret);
    crypto_sign_ed25519_sk_to_curve25519(id->static_secret, key.bytes);
    crypto_scalarmult_base(id->static_public, id->static_secret);
    stt_env_wipe(&key, sizeof key);
}

void stt_identity_fini(struct stt_identity *id)
{
    stt_env_wipe(id, sizeof *id);
}

/* Draws twice, so that a hook that only ever gives one answer is found out (spec 03, "Entropy"). */
static int draw(uint8_t out[32], const struct stt_env *env)
{
    uint8_t last[16] = {0}, first[16];
    bool ok =
        stt_env_entropy(env, last, first, sizeof first) && stt_env_entropy(env, last, out, 32);
    stt_env_wipe(first, sizeof first);
    stt_env_wipe(last, sizeof last); /* it holds half of what was drawn */
    if (!ok)
        stt_env_wipe(out, 32);
    return ok ? STT_OK : STT_E_IO;
}

/* The identity of a secret that was had without an error, or none; wipes the secret. */
static int take(struct stt_identity *id, uint8_t secret[32], int error)
{
    if (error)
        stt_identity_fini(id);
    else
        stt_identity_init(id, secret);
    stt_env_wipe(secret, 32);
    return error;
}

int stt_identity_generate(struct stt_identity *id, const struct stt_env *env)
{
    uint8_t secret[32];
    return take(id, secret, draw(secret, env));
}

int stt_seed_generate(struct stt_seed *seed, const struct stt_env *env)
{
    return draw(seed->bytes, env);
}

/* The conversion refuses what is not on the curve, of small order, or outside of the main subgroup.
 * It would accept a y that is not reduced; but those are 19, and none of them is in that subgroup.
 * (A libsodium without the fix for CVE-2025-69277 lets points of order 2L through: test_identity
 * finds that out.) */
bool stt_identity_image(uint8_t image[32], const struct stt_peer_id *peer_id)
{
    if (crypto_sign_ed25519_pk_to_curve25519(image, peer_id->bytes) == 0)
        return true;
    memset(image, 0, 32);
    return false;
}

bool stt_peer_id_is_valid(const struct stt_peer_id *peer_id)
{
    uint8_t image[32];
    return stt_identity_image(image, peer_id);
}

_Static_assert(STT_IDENTITY_SIGNED_MAX <= UINT16_MAX, "a part that fits has a length that fits");

static void write_lp(struct wr *w, struct bytes part)
{
    wr_u16(w, (uint16_t)part.len);
    wr_bytes(w, part);
}

/* libsodium signs one piece of memory; only the prehashed variant takes several. */
static void write_signed(struct wr *w, const char *label, struct kdf_parts parts)
{
    write_lp(w, bytes_of(label, strlen(label)));
    for (size_t i = 0; i < parts.count; i++)
        write_lp(w, parts.at[i]);
}

bool stt_identity_sign(uint8_t signature[STT_IDENTITY_SIGNATURE_BYTES],
                       const struct stt_identity *id, const char *label, struct kdf_parts parts)
{
    uint8_t message[STT_IDENTITY_SIGNED_MAX];
    struct wr w = wr_init(message, sizeof message);
    write_signed(&w, label, parts);
    if (w.bad) {
        memset(signature, 0, STT_IDENTITY_SIGNATURE_BYTES);
        return false;
    }
    struct signing_key key;
    memcpy(key.bytes, id->secret, 32);
    memcpy(key.bytes + 32, id->peer_id.bytes, 32);
    crypto_sign_detached(signature, NULL, message, wr_len(&w), key.bytes);
    stt_env_wipe(&key, sizeof key);
    return true;
}

bool stt_identity_verify(const uint8_t signature[STT_IDENTITY_SIGNATURE_BYTES],
                         const struct stt_peer_id *peer_id, const char *label,
                         struct kdf_parts parts)
{
    uint8_t message[STT_IDENTITY_SIGNED_MAX];
    struct wr w = wr_init(message, sizeof message);
    write_signed(&w, label, parts);
    return !w.bad &&
           crypto_sign_verify_detached(signature, message, wr_len(&w), peer_id->bytes) == 0;
}

/* -- texts -- */

static int decode_key(enum stt_text_kind kind, const char *text, uint8_t out[32])
{
    struct wr w = wr_init(out, 32);
    int error = stt_text_decode(&w, kind, text);
    if (!error && wr_left(&w))
        error = STT_E_FORMAT;
    if (error)
        stt_env_wipe(out, 32);
    return error;
}

void stt_peer_id_encode(const struct stt_peer_id *peer_id, char out[STT_PEER_ID_TEXT_ROOM])
{
    stt_text_encode(out, STT_PEER_ID_TEXT_ROOM, STT_TEXT_PEER_ID, BYTES(peer_id->bytes));
}

int stt_peer_id_decode(struct stt_peer_id *peer_id, const char *text)
{
    int error = decode_key(STT_TEXT_PEER_ID, text, peer_id->bytes);
    if (error || stt_peer_id_is_valid(peer_id))
        return error;
    *peer_id = (struct stt_peer_id){0};
    return STT_E_FORMAT;
}

void stt_seed_encode(const struct stt_seed *seed, char out[STT_TEXT_ROOM])
{
    stt_text_encode(out, STT_TEXT_ROOM, STT_TEXT_SEED, BYTES(seed->bytes));
}

int stt_seed_decode(struct stt_seed *seed, const char *text)
{
    int error = decode_key(STT_TEXT_SEED, text, seed->bytes);
    return !error && bytes_all_zero(BYTES(seed->bytes)) ? STT_E_FORMAT : error;
}

void stt_identity_encode(const struct stt_identity *id, char out[STT_TEXT_ROOM])
{
    stt_text_encode(out, STT_TEXT_ROOM, STT_TEXT_IDENTITY, BYTES(id->secret));
}

int stt_identity_decode(struct stt_identity *id, const char *text)
{
    uint8_t secret[32];
    return take(id, secret, decode_key(STT_TEXT_IDENTITY, text, secret));
}
