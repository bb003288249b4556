/* SPDX-License-Identifier: MIT
 * noise: owns the handshake patterns and the three state objects of Noise (revision 34, section 5).
 *
 * Invariants: a step works on a copy that replaces the state only when all of it succeeded; a psk
 * is mixed once and wiped, an ephemeral secret is wiped after its last Diffie-Hellman, and none of
 * those is computed twice. It must not know what payloads, prologues and keys mean, and draws no
 * entropy. Spec 03, "Modes". */
#include "crypto/noise.h"

#include <sodium.h>

#include "stt/base/env.h"

enum { MESSAGES = 3, TOKENS = 5 };

enum {
    END = STT_NOISE_END,
    E = STT_NOISE_E,
    S = STT_NOISE_S,
    EE = STT_NOISE_EE,
    ES = STT_NOISE_ES,
    SE = STT_NOISE_SE,
    SS = STT_NOISE_SS,
    PSK = STT_NOISE_PSK
};

enum { NOBODY_S = 0, INITIATOR_S = 1, RESPONDER_S = 2, BOTH_S = 3 };

#define NAME(pattern) "Noise_" pattern "_25519_ChaChaPoly_BLAKE2b"

/* A row of END closes every pattern; that of STT_NOISE_NONE has nothing else. */
static const struct pattern {
    const char *name;
    uint8_t known; /* pre-messages: whose static key the other side has */
    uint8_t messages[MESSAGES + 1][TOKENS];
} patterns[] = {
    /* clang-format off */
    /*                        name                 known        initiator         responder          initiator      */
    [STT_NOISE_NONE]        = {"",                  NOBODY_S,    {{END}}},
    [STT_NOISE_KK]          = {NAME("KK"),          BOTH_S,      {{E, ES, SS},      {E, EE, SE}}},
    [STT_NOISE_IK]          = {NAME("IK"),          RESPONDER_S, {{E, ES, S, SS},   {E, EE, SE}}},
    [STT_NOISE_XX]          = {NAME("XX"),          NOBODY_S,    {{E},              {E, EE, S, ES},   {S, SE}}},
    [STT_NOISE_NNPSK0]      = {NAME("NNpsk0"),      NOBODY_S,    {{PSK, E},         {E, EE}}},
    [STT_NOISE_KKPSK0]      = {NAME("KKpsk0"),      BOTH_S,      {{PSK, E, ES, SS}, {E, EE, SE}}},
    [STT_NOISE_IKPSK2]      = {NAME("IKpsk2"),      RESPONDER_S, {{E, ES, S, SS},   {E, EE, SE, PSK}}},
    [STT_NOISE_XXPSK0]      = {NAME("XXpsk0"),      NOBODY_S,    {{PSK, E},         {E, EE, S, ES},   {S, SE}}},
    [STT_NOISE_XXPSK3]      = {NAME("XXpsk3"),      NOBODY_S,    {{E},              {E, EE, S, ES},   {S, SE, PSK}}},
    [STT_NOISE_XXPSK0_PSK3] = {NAME("XXpsk0+psk3"), NOBODY_S,    {{PSK, E},         {E, EE, S, ES},   {S, SE, PSK}}},
    /* clang-format on */
};

_Static_assert(sizeof NAME("XXpsk0+psk3") - 1 <= STT_HASH_BYTES, "names are padded, not hashed");

/* Takes back what was written since `from`. */
static bool undo(struct wr *w, uint8_t *from)
{
    if (w->at != from)
        stt_env_wipe(from, (size_t)(w->at - from));
    w->at = from;
    w->bad = true;
    return false;
}

/* -- CipherState ------------------------------------------------------------------------------- */

static size_t tag_bytes(const struct stt_noise_cipher_state *c)
{
    return c->has_key ? STT_NOISE_TAG_BYTES : 0;
}

void stt_noise_cipher_init(struct stt_noise_cipher_state *c, const uint8_t k[STT_NOISE_KEY_BYTES])
{
    c->n = 0;
    memcpy(c->k, k, sizeof c->k);
    c->has_key = true;
}

/* 32 zero bits, then n in little-endian; false when n is the one that Noise reserves. */
static bool nonce(uint64_t n, uint8_t out[crypto_aead_chacha20poly1305_IETF_NPUBBYTES])
{
    memset(out, 0, 4);
    for (unsigned i = 0; i < 8; i++)
        out[4 + i] = (uint8_t)(n >> 8 * i);
    return n != UINT64_MAX;
}

bool stt_noise_cipher_seal(struct stt_noise_cipher_state *c, struct bytes ad, struct bytes plain,
                           struct wr *w)
{
    uint8_t iv[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    if (!c->has_key) {
        wr_bytes(w, plain);
        return !w->bad;
    }
    if (!nonce(c->n, iv))
        return undo(w, w->at);
    uint8_t *out = wr_room(w, plain.len + STT_NOISE_TAG_BYTES);
    if (!out)
        return false;
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.len, ad.data, ad.len,
                                              NULL, iv, c->k);
    c->n++;
    return true;
}

bool stt_noise_cipher_open(struct stt_noise_cipher_state *c, struct bytes ad, struct bytes sealed,
                           struct wr *w)
{
    uint8_t iv[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    if (!c->has_key) {
        wr_bytes(w, sealed);
        return !w->bad;
    }
    uint8_t *from = w->at;
    if (sealed.len < STT_NOISE_TAG_BYTES || !nonce(c->n, iv))
        return undo(w, from);
    uint8_t *out = wr_room(w, sealed.len - STT_NOISE_TAG_BYTES);
    if (w->bad)
        return false;
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.len, ad.data,
                                                  ad.len, iv, c->k) != 0)
        return undo(w, from);
    c->n++;
    return true;
}

/* -- SymmetricState ---------------------------------------------------------------------------- */

static void mix_hash(struct stt_noise_symmetric_state *sym, struct bytes data)
{
    stt_hash_blake2b(BYTES(sym->h), data, sym->h);
}

static void mix_key(struct stt_noise_symmetric_state *sym, struct bytes input)
{
    uint8_t out[2][STT_HASH_BYTES];
    stt_hash_hkdf(sym->ck, input, 2, out);
    memcpy(sym->ck, out[0], sizeof sym->ck);
    stt_noise_cipher_init(&sym->cipher, out[1]);
    stt_env_wipe(out, sizeof out);
}

static void mix_key_and_hash(struct stt_noise_symmetric_state *sym, struct bytes input)
{
    uint8_t out[3][STT_HASH_BYTES];
    stt_hash_hkdf(sym->ck, input, 3, out);
    memcpy(sym->ck, out[0], sizeof sym->ck);
    mix_hash(sym, BYTES(out[1]));
    stt_noise_cipher_init(&sym->cipher, out[2]);
    stt_env_wipe(out, sizeof out);
}

static bool encrypt_and_hash(struct stt_noise_symmetric_state *sym, struct bytes plain,
                             struct wr *w)
{
    const uint8_t *out = w->at;
    size_t len = plain.len + tag_bytes(&sym->cipher);
    if (!stt_noise_cipher_seal(&sym->cipher, BYTES(sym->h), plain, w))
        return false;
    mix_hash(sym, bytes_of(out, len));
    return true;
}

static bool decrypt_and_hash(struct stt_noise_symmetric_state *sym, struct bytes sealed,
                             struct wr *w)
{
    if (!stt_noise_cipher_open(&sym->cipher, BYTES(sym->h), sealed, w))
        return false;
    mix_hash(sym, sealed);
    return true;
}

static void symmetric_init(struct stt_noise_symmetric_state *sym, const char *name)
{
    memset(sym, 0, sizeof *sym);
    memcpy(sym->h, name, strlen(name));
    memcpy(sym->ck, sym->h, sizeof sym->ck);
}

/* -- HandshakeState: tokens -------------------------------------------------------------------- */

/* As X25519 sees them: it ignores the top bit. */
static bool is_same_key(const uint8_t *a, const uint8_t *b)
{
    const size_t last = STT_NOISE_KEY_BYTES - 1;
    return memcmp(a, b, last) == 0 && ((a[last] ^ b[last]) & 0x7f) == 0;
}

/* A key of ours that comes back as the peer's is a reflection. */
static bool is_own_key(const struct stt_noise_handshake_state *hs, const uint8_t *key)
{
    return (hs->s && is_same_key(hs->s->public_key, key)) ||
           (hs->has_e && is_same_key(hs->e.public_key, key));
}

/* Any message with this token: of both sides (step 1), or of who sends `first` (step 2). */
static bool has_token(const struct pattern *p, unsigned first, unsigned step, uint8_t token)
{
    for (unsigned m = first; m < MESSAGES; m += step)
        if (memchr(p->messages[m], token, TOKENS))
            return true;
    return false;
}

/* In patterns with a psk, e also enters the key (Noise 9.2). */
static void mix_ephemeral(struct stt_noise_handshake_state *hs, const uint8_t *key)
{
    struct bytes e = bytes_of(key, STT_NOISE_KEY_BYTES);
    mix_hash(&hs->symmetric, e);
    if (has_token(&patterns[hs->pattern], 0, 1, PSK))
        mix_key(&hs->symmetric, e);
}

static bool mix_psk(struct stt_noise_handshake_state *hs)
{
    if (!hs->has_psk)
        return false;
    mix_key_and_hash(&hs->symmetric, BYTES(hs->psk));
    stt_env_wipe(hs->psk, sizeof hs->psk);
    hs->has_psk = false;
    return true;
}

/* Names of DH tokens: the initiator's key first, then the responder's. */
static bool uses_own_e(const struct stt_noise_handshake_state *hs, uint8_t token)
{
    return token == EE || token == (hs->is_initiator ? ES : SE);
}

static bool needs_own_e(const struct stt_noise_handshake_state *hs)
{
    const struct pattern *p = &patterns[hs->pattern];
    for (unsigned m = hs->message, t = hs->token; m < MESSAGES; m++, t = 0)
        for (; t < TOKENS; t++)
            if (uses_own_e(hs, p->messages[m][t]))
                return true;
    return false;
}

/* libsodium refuses a result of all zeros, which no honest key gives. */
bool stt_noise_dh(uint8_t shared[STT_NOISE_KEY_BYTES],
                  const uint8_t secret_key[STT_NOISE_KEY_BYTES],
                  const uint8_t public_key[STT_NOISE_KEY_BYTES])
{
    return crypto_scalarmult_curve25519(shared, secret_key, public_key) == 0;
}

static bool mix_dh(struct stt_noise_handshake_state *hs, uint8_t token)
{
    bool theirs_is_e = token == EE || token == (hs->is_initiator ? SE : ES);
    const struct stt_noise_keypair *ours = uses_own_e(hs, token) ? &hs->e : hs->s;
    const uint8_t *theirs = theirs_is_e ? hs->re : hs->rs;
    uint8_t shared[STT_NOISE_KEY_BYTES];
    bool ok = stt_noise_dh(shared, ours->secret_key, theirs);
    if (ok)
        mix_key(&hs->symmetric, BYTES(shared));
    stt_env_wipe(shared, sizeof shared);
    if (!needs_own_e(hs))
        stt_env_wipe(hs->e.secret_key, sizeof hs->e.secret_key);
    return ok;
}

static bool write_e(struct stt_noise_handshake_state *hs, struct wr *w)
{
    if (!hs->has_e || (hs->message > 0 && is_own_key(hs, hs->re)))
        return false;
    wr_bytes(w, BYTES(hs->e.public_key));
    mix_ephemeral(hs, hs->e.public_key);
    return !w->bad;
}

static bool write_token(struct stt_noise_handshake_state *hs, uint8_t token, struct wr *w)
{
    switch (token) {
    case E:
        return write_e(hs, w);
    case S:
        return encrypt_and_hash(&hs->symmetric, BYTES(hs->s->public_key), w);
    case PSK:
        return mix_psk(hs);
    default:
        return mix_dh(hs, token);
    }
}

static bool read_e(struct stt_noise_handshake_state *hs, struct rd *r)
{
    rd_copy(r, hs->re, sizeof hs->re);
    if (r->bad || is_own_key(hs, hs->re))
        return false;
    mix_ephemeral(hs, hs->re);
    return true;
}

static bool read_s(struct stt_noise_handshake_state *hs, struct rd *r)
{
    struct bytes sealed = rd_bytes(r, STT_NOISE_KEY_BYTES + tag_bytes(&hs->symmetric.cipher));
    struct wr rs = wr_init(hs->rs, sizeof hs->rs);
    return !r->bad && decrypt_and_hash(&hs->symmetric, sealed, &rs) && !is_own_key(hs, hs->rs);
}

static bool read_token(struct stt_noise_handshake_state *hs, uint8_t token, struct rd *r)
{
    switch (token) {
    case E:
        return read_e(hs, r);
    case S:
        return read_s(hs, r);
    case PSK:
        return mix_psk(hs);
    default:
        return mix_dh(hs, token);
    }
}

/* -- HandshakeState: messages ------------------------------------------------------------------ */

/* END when the message has no more of them. */
static uint8_t next_token(struct stt_noise_handshake_state *hs)
{
    uint8_t token = patterns[hs->pattern].messages[hs->message][hs->token];
    hs->token = (uint8_t)(hs->token + (token != END));
    return token;
}

static bool is_turn(const struct stt_noise_handshake_state *hs, bool writes)
{
    bool is_initiators = hs->message % 2 == 0;
    return patterns[hs->pattern].messages[hs->message][0] != END &&
           (is_initiators == hs->is_initiator) == writes;
}

/* Counts the bytes of a step; false when they make the message longer than Noise allows. */
static bool count(struct stt_noise_handshake_state *hs, size_t len)
{
    if (len > STT_NOISE_MESSAGE_BYTES - hs->message_bytes)
        return false;
    hs->message_bytes += (uint32_t)len;
    return true;
}

static void end_message(struct stt_noise_handshake_state *hs)
{
    hs->message++;
    hs->token = 0;
    hs->message_bytes = 0;
}

static bool write_tokens(struct stt_noise_handshake_state *hs, uint8_t last, struct wr *w)
{
    size_t before = wr_len(w);
    uint8_t token;
    do {
        token = next_token(hs);
        if (token != END && !write_token(hs, token, w))
            return false;
    } while (token != last && token != END);
    return token == last && count(hs, wr_len(w) - before);
}

static bool write_payload(struct stt_noise_handshake_state *hs, struct bytes payload, struct wr *w)
{
    if (payload.len > STT_NOISE_MESSAGE_BYTES ||
        !count(hs, payload.len + tag_bytes(&hs->symmetric.cipher)))
        return false;
    return encrypt_and_hash(&hs->symmetric, payload, w);
}

static bool read_tokens(struct stt_noise_handshake_state *hs, uint8_t last, struct rd *r)
{
    size_t before = rd_left(r);
    uint8_t token;
    do {
        token = next_token(hs);
        if (token != END && !read_token(hs, token, r))
            return false;
    } while (token != last && token != END);
    return token == last && count(hs, before - rd_left(r));
}

static bool read_payload(struct stt_noise_handshake_state *hs, struct rd *r, struct wr *payload)
{
    if (!count(hs, rd_left(r)))
        return false;
    return decrypt_and_hash(&hs->symmetric, rd_rest(r), payload);
}

/* The copy becomes the state, or leaves no trace. */
static bool commit(struct stt_noise_handshake_state *hs, struct stt_noise_handshake_state *next,
                   bool ok)
{
    if (ok)
        *hs = *next;
    stt_noise_wipe(next);
    return ok;
}

bool stt_noise_write_through(struct stt_noise_handshake_state *hs, enum stt_noise_token last,
                             struct wr *w)
{
    struct stt_noise_handshake_state next = *hs;
    uint8_t *from = w->at;
    bool ok = is_turn(hs, true) && !w->bad && write_tokens(&next, (uint8_t)last, w);
    return commit(hs, &next, ok) || undo(w, from);
}

bool stt_noise_write(struct stt_noise_handshake_state *hs, struct bytes payload, struct wr *w)
{
    struct stt_noise_handshake_state next = *hs;
    uint8_t *from = w->at;
    bool ok = is_turn(hs, true) && !w->bad && write_tokens(&next, END, w) &&
              write_payload(&next, payload, w);
    end_message(&next);
    return commit(hs, &next, ok) || undo(w, from);
}

bool stt_noise_read_through(struct stt_noise_handshake_state *hs, enum stt_noise_token last,
                            struct rd *r)
{
    struct stt_noise_handshake_state next = *hs;
    bool ok = is_turn(hs, false) && !r->bad && read_tokens(&next, (uint8_t)last, r);
    r->bad = !ok;
    return commit(hs, &next, ok);
}

bool stt_noise_read(struct stt_noise_handshake_state *hs, struct rd *r, struct wr *payload)
{
    struct stt_noise_handshake_state next = *hs;
    uint8_t *from = payload->at;
    bool ok = is_turn(hs, false) && !r->bad && !payload->bad && read_tokens(&next, END, r) &&
              read_payload(&next, r, payload);
    end_message(&next);
    r->bad = !ok;
    return commit(hs, &next, ok) || undo(payload, from);
}

/* -- HandshakeState: beginning and end --------------------------------------------------------- */

void stt_noise_keypair_init(struct stt_noise_keypair *pair,
                            const uint8_t secret_key[STT_NOISE_KEY_BYTES])
{
    memcpy(pair->secret_key, secret_key, sizeof pair->secret_key);
    crypto_scalarmult_curve25519_base(pair->public_key, pair->secret_key);
}

const char *stt_noise_protocol_name(enum stt_noise_pattern pattern)
{
    return patterns[pattern].name;
}

/* Every key that the pattern takes as given is there, and the peer is not ourselves. */
static bool has_keys(const struct stt_noise_handshake_state *hs, const struct pattern *p,
                     const uint8_t *rs)
{
    uint8_t own = hs->is_initiator ? INITIATOR_S : RESPONDER_S;
    bool needs_s = (p->known & own) || has_token(p, hs->is_initiator ? 0 : 1, 2, S);
    bool needs_rs = p->known & (BOTH_S ^ own);
    return (!needs_s || hs->s) && needs_rs == (rs != NULL) && !(rs && is_own_key(hs, rs));
}

static void mix_known(struct stt_noise_handshake_state *hs, uint8_t known)
{
    for (uint8_t side = INITIATOR_S; side <= RESPONDER_S; side++) {
        bool is_own = hs->is_initiator == (side == INITIATOR_S);
        if (known & side)
            mix_hash(&hs->symmetric, is_own ? BYTES(hs->s->public_key) : BYTES(hs->rs));
    }
}

bool stt_noise_init(struct stt_noise_handshake_state *hs, const struct stt_noise_setup *setup)
{
    const struct pattern *p = &patterns[setup->pattern];
    memset(hs, 0, sizeof *hs);
    hs->pattern = setup->pattern;
    hs->is_initiator = setup->is_initiator;
    hs->s = setup->s;
    if (!has_keys(hs, p, setup->rs)) {
        stt_noise_wipe(hs);
        return false;
    }
    if (setup->rs)
        memcpy(hs->rs, setup->rs, sizeof hs->rs);
    symmetric_init(&hs->symmetric, p->name);
    mix_hash(&hs->symmetric, setup->prologue);
    mix_known(hs, p->known);
    return true;
}

void stt_noise_set_ephemeral(struct stt_noise_handshake_state *hs,
                             const struct stt_noise_keypair *e)
{
    hs->e = *e;
    hs->has_e = true;
}

void stt_noise_set_psk(struct stt_noise_handshake_state *hs, const uint8_t psk[STT_NOISE_KEY_BYTES])
{
    memcpy(hs->psk, psk, sizeof hs->psk);
    hs->has_psk = true;
}

bool stt_noise_is_done(const struct stt_noise_handshake_state *hs)
{
    return hs->message > 0 && patterns[hs->pattern].messages[hs->message][0] == END;
}

bool stt_noise_split(struct stt_noise_handshake_state *hs, struct stt_noise_keys *keys)
{
    if (!stt_noise_is_done(hs))
        return false;
    uint8_t out[2][STT_HASH_BYTES];
    stt_hash_hkdf(hs->symmetric.ck, BYTES_NONE, 2, out);
    memcpy(keys->initiator, out[0], sizeof keys->initiator);
    memcpy(keys->responder, out[1], sizeof keys->responder);
    memcpy(keys->h, hs->symmetric.h, sizeof keys->h);
    stt_env_wipe(out, sizeof out);
    stt_noise_wipe(hs);
    return true;
}

void stt_noise_wipe(struct stt_noise_handshake_state *hs)
{
    stt_env_wipe(hs, sizeof *hs);
}
