/* SPDX-License-Identifier: MIT
 * handshake: builds and judges the handshake messages of modes K, S and W (spec 03, "Modes",
 * "Payloads").
 *
 * Owns the Noise state, the CPace part of mode W and the packet that is out. Invariants: whatever
 * does not verify changes nothing (the Noise state is read on a copy and committed at the end); a
 * packet's Noise bytes are made once. It must not know time, addresses, budgets or sessions. */
#include "stt/session/handshake.h"

#include "crypto/kdf.h"
#include "stt/base/env.h"

#include <assert.h>

/* -- tables ------------------------------------------------------------------------------------ */

static const struct mode_rule {
    enum stt_noise_pattern pattern;
    enum stt_message message[4]; /* by number; [0] is unused */
} modes[] = {
    [STT_MODE_K] = {STT_NOISE_IKPSK2, {0, STT_MESSAGE_K1, STT_MESSAGE_K2, 0}},
    [STT_MODE_S] = {STT_NOISE_XXPSK0, {0, STT_MESSAGE_S1, STT_MESSAGE_S2, STT_MESSAGE_S3}},
    [STT_MODE_W] = {STT_NOISE_XXPSK3, {0, STT_MESSAGE_W1, STT_MESSAGE_W2, STT_MESSAGE_W3}},
};

/* Messages with transport parameters. */
#define TRANSPORT                                                                                  \
    (1u << STT_MESSAGE_K1 | 1u << STT_MESSAGE_K2 | 1u << STT_MESSAGE_S2 | 1u << STT_MESSAGE_S3 |   \
     1u << STT_MESSAGE_W2 | 1u << STT_MESSAGE_W3)

/* Q is one question and one answer, and not played here. */
static bool is_played(enum stt_mode mode)
{
    return mode == STT_MODE_K || mode == STT_MODE_S || mode == STT_MODE_W;
}

static bool may(enum stt_message message, enum stt_param param)
{
    return (stt_param_rules[param].must | stt_param_rules[param].may) >> message & 1;
}

/* -- keys before Noise ------------------------------------------------------------------------- */

struct stt_mac_base stt_handshake_mac_base(const struct stt_handshake_own *own, enum stt_mode mode,
                                           const uint8_t *seed)
{
    return (struct stt_mac_base){
        .version = STT_WIRE_VERSION,
        .mode = (uint8_t)mode,
        .seed = seed,
        .material = mode == STT_MODE_K ? BYTES(own->pair.public_key) : BYTES_NONE,
    };
}

static struct stt_mac_base mac_base(const struct stt_handshake *hs)
{
    return (struct stt_mac_base){
        .version = STT_WIRE_VERSION,
        .mode = (uint8_t)hs->mode,
        .seed = hs->has_seed ? hs->seed : NULL,
        .material = hs->mode == STT_MODE_K ? BYTES(hs->peer_static) : BYTES_NONE,
    };
}

static void set_seed_psk(struct stt_handshake *hs)
{
    uint8_t psk[32] = {0};
    if (hs->has_seed)
        stt_kdf_keyed(psk, sizeof psk, BYTES(hs->seed), "stt1 psk",
                      KDF_PARTS(KDF_U8(STT_WIRE_VERSION), KDF_U8(hs->mode)));
    stt_noise_set_psk(&hs->noise, psk);
    stt_env_wipe(psk, sizeof psk);
}

static void write_lp(struct wr *w, struct bytes b)
{
    wr_u16(w, (uint16_t)b.len);
    wr_bytes(w, b);
}

static struct bytes prologue(const struct stt_handshake *hs, struct bytes network, uint8_t out[160])
{
    struct wr w = wr_init(out, 160);
    const char *name = stt_noise_protocol_name(modes[hs->mode].pattern);
    uint8_t version = STT_WIRE_VERSION, mode = (uint8_t)hs->mode;
    write_lp(&w, BYTES_TEXT("stt"));
    write_lp(&w, bytes_of(&version, 1));
    write_lp(&w, bytes_of(&mode, 1));
    write_lp(&w, bytes_of(name, strlen(name)));
    write_lp(&w, BYTES(hs->initiator.bytes));
    write_lp(&w, network);
    assert(!w.bad);
    return wr_done(&w);
}

static bool begin_noise(struct stt_handshake *hs, const struct stt_handshake_own *own)
{
    uint8_t bytes[160];
    bool knows = hs->mode == STT_MODE_K && hs->is_initiator;
    if (!stt_noise_init(&hs->noise, &(struct stt_noise_setup){
                                        .pattern = modes[hs->mode].pattern,
                                        .is_initiator = hs->is_initiator,
                                        .prologue = prologue(hs, own->network, bytes),
                                        .s = hs->mode == STT_MODE_W ? &hs->pair : &own->pair,
                                        .rs = knows ? hs->peer_static : NULL,
                                    }))
        return false;
    if (hs->mode != STT_MODE_W)
        set_seed_psk(hs);
    return true;
}

static void use_entropy(struct stt_handshake *hs, const struct stt_handshake_entropy *entropy)
{
    struct stt_noise_keypair e;
    stt_noise_keypair_init(&e, entropy->ephemeral);
    stt_noise_set_ephemeral(&hs->noise, &e);
    stt_env_wipe(&e, sizeof e);
}

static void make_throwaway(struct stt_handshake *hs, const struct stt_handshake_entropy *entropy)
{
    struct stt_identity id;
    stt_identity_init(&id, entropy->throwaway);
    hs->own_throwaway = id.peer_id;
    memcpy(hs->pair.secret_key, id.static_secret, sizeof hs->pair.secret_key);
    memcpy(hs->pair.public_key, id.static_public, sizeof hs->pair.public_key);
    stt_identity_fini(&id);
}

/* -- CPace in mode W --------------------------------------------------------------------------- */

static struct bytes cpace_ci(uint8_t out[40])
{
    struct wr w = wr_init(out, 40);
    write_lp(&w, BYTES_TEXT("stt1 W"));
    write_lp(&w, BYTES_TEXT("initiator"));
    write_lp(&w, BYTES_TEXT("responder"));
    assert(!w.bad);
    return wr_done(&w);
}

/* Right after token e of message 1: h is the session id of CPace. */
static bool make_share(struct stt_handshake *hs, const struct stt_code *code,
                       const struct stt_handshake_entropy *entropy)
{
    uint8_t ci[40], g[STT_CPACE_SHARE_BYTES];
    stt_cpace_generator(stt_code_prs(code), cpace_ci(ci), BYTES(hs->sid), g);
    bool ok =
        stt_cpace_scalar(entropy->scalar, hs->scalar) && stt_cpace_share(hs->scalar, g, hs->share);
    stt_env_wipe(g, sizeof g);
    return ok;
}

/* False when the peer's share is refused. */
static bool set_cpace_psk(struct stt_handshake *hs)
{
    uint8_t isk[STT_CPACE_ISK_BYTES], psk[32];
    struct stt_cpace_transcript t = {
        .sid = BYTES(hs->sid),
        .share_a = hs->is_initiator ? hs->share : hs->peer_share,
        .share_b = hs->is_initiator ? hs->peer_share : hs->share,
    };
    bool ok = stt_cpace_isk(&t, hs->scalar, hs->is_initiator, isk);
    if (ok) {
        stt_code_psk(psk, isk, hs->sid);
        stt_noise_set_psk(&hs->noise, psk);
    }
    stt_env_wipe(isk, sizeof isk);
    stt_env_wipe(psk, sizeof psk);
    stt_env_wipe(hs->scalar, sizeof hs->scalar);
    return ok;
}

/* -- payloads: writing ------------------------------------------------------------------------- */

static struct bytes own_peer_id(const struct stt_handshake *hs, const struct stt_handshake_own *own)
{
    return hs->mode == STT_MODE_W ? BYTES(hs->own_throwaway.bytes)
                                  : BYTES(own->identity->peer_id.bytes);
}

/* The bytes before Noise Length of message 2 or 3, whoever sends it. */
static struct bytes clear_of(const struct stt_handshake *hs, enum stt_packet_kind kind,
                             uint8_t out[STT_CLEAR_BYTES_2])
{
    struct wr w = wr_init(out, STT_CLEAR_BYTES_2);
    wr_u8(&w, (uint8_t)(0x80 | (unsigned)kind << 4 | (unsigned)hs->mode));
    wr_u8(&w, STT_WIRE_VERSION);
    if (kind == STT_PACKET_MESSAGE_2)
        wr_bytes(&w, BYTES(hs->initiator.bytes));
    wr_bytes(&w, BYTES(hs->responder.bytes));
    return wr_done(&w);
}

/* Everything that the message may hold and that we have. */
static size_t write_payload(const struct stt_handshake *hs, const struct stt_handshake_own *own,
                            enum stt_packet_kind kind, uint8_t out[STT_HANDSHAKE_BYTES])
{
    enum stt_message message = modes[hs->mode].message[kind];
    uint8_t offer[STT_SUITES_MAX], clear[STT_CLEAR_BYTES_2];
    struct stt_params p;
    stt_params_init(&p);
    if (TRANSPORT >> message & 1) {
        p = own->transport;
        if (hs->exclusive)
            stt_params_set(&p, STT_PARAM_EXCLUSIVE);
    }
    for (uint32_t i = 0; i < own->n_suites; i++)
        offer[i] = own->suites[i]->id;
    p.suites = bytes_of(offer, own->n_suites);
    p.suite = hs->suite ? hs->suite->id : 0;
    p.peer_id = own_peer_id(hs, own);
    p.clear_fields = clear_of(hs, kind, clear);
    p.cpace_share = BYTES(hs->share);
    p.slot = hs->slot;
    static const enum stt_param ours[] = {STT_PARAM_PEER_ID,     STT_PARAM_CLEAR_FIELDS,
                                          STT_PARAM_CPACE_SHARE, STT_PARAM_SLOT,
                                          STT_PARAM_SUITES,      STT_PARAM_SUITE};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (may(message, ours[i]))
            stt_params_set(&p, ours[i]);
    struct wr w = wr_init(out, STT_HANDSHAKE_BYTES);
    bool fits = stt_params_encode(&w, message, &p);
    assert(fits);
    return wr_len(&w);
}

/* -- payloads: reading ------------------------------------------------------------------------- */

static const struct stt_aead_suite *own_suite(const struct stt_handshake_own *own, uint64_t id)
{
    for (uint32_t i = 0; i < own->n_suites; i++)
        if (own->suites[i]->id == id)
            return own->suites[i];
    return NULL;
}

static const struct stt_aead_suite *choose_suite(const struct stt_handshake_own *own,
                                                 struct bytes offered)
{
    uint8_t ids[STT_SUITES_MAX];
    for (uint32_t i = 0; i < own->n_suites; i++)
        ids[i] = own->suites[i]->id;
    return own_suite(own, stt_aead_choose(bytes_of(ids, own->n_suites), offered));
}

static void take_transport(struct stt_handshake *hs, const struct stt_handshake_own *own,
                           const struct stt_params *p)
{
    hs->params = (struct stt_peer_params){
        .idle_timeout_ms = p->idle_timeout_ms,
        .max_data = p->max_data,
        .max_stream_data = p->max_stream_data,
        .max_streams = p->max_streams,
        .max_datagram_bytes = (uint32_t)p->max_datagram_bytes,
        .max_packet_bytes = (uint32_t)p->max_packet_bytes,
        .max_ack_delay_us = (uint32_t)p->max_ack_delay_us,
        .max_ids = (uint8_t)p->max_ids,
        .exclusive = stt_params_has(p, STT_PARAM_EXCLUSIVE),
        .same_application = bytes_equal(p->application, own->transport.application),
    };
}

/* What a payload says, once Noise has opened it; all of it or nothing. `rs`: the sender's static
 * key, where it is known by then. */
static bool take_payload(struct stt_handshake *hs, const struct stt_handshake_own *own,
                         enum stt_packet_kind kind, struct bytes payload, const uint8_t rs[32])
{
    enum stt_message message = modes[hs->mode].message[kind];
    const struct stt_aead_suite *suite = hs->suite;
    struct stt_peer_id peer = hs->peer;
    uint8_t clear[STT_CLEAR_BYTES_2];
    struct stt_params p;
    if (!stt_params_decode(payload, message, &p))
        return false;
    if (may(message, STT_PARAM_CLEAR_FIELDS) &&
        !bytes_equal(p.clear_fields, clear_of(hs, kind, clear)))
        return false;
    if (may(message, STT_PARAM_SUITES) && !(suite = choose_suite(own, p.suites)))
        return false;
    if (may(message, STT_PARAM_SUITE) && !(suite = own_suite(own, p.suite)))
        return false;
    if (may(message, STT_PARAM_PEER_ID)) {
        memcpy(peer.bytes, p.peer_id.data, sizeof peer.bytes);
        if (!stt_images_fits(own->images, rs, &peer)) /* rs is what Noise has authenticated */
            return false;
    }
    hs->suite = suite;
    hs->peer = peer;
    if (may(message, STT_PARAM_CPACE_SHARE))
        memcpy(hs->peer_share, p.cpace_share.data, sizeof hs->peer_share);
    if (may(message, STT_PARAM_SLOT))
        hs->slot = (uint16_t)p.slot;
    if (TRANSPORT >> message & 1)
        take_transport(hs, own, &p);
    return true;
}

/* -- packets ----------------------------------------------------------------------------------- */

/* Of a message 1 or 3, which it ends. */
static void put_mac2(struct stt_handshake *hs)
{
    struct bytes before = bytes_of(hs->packet, hs->packet_len - (size_t)STT_MAC_BYTES);
    stt_mac(hs->packet + before.len, hs->cookie, before);
}

/* Into a packet that has just been encoded, without its macs. */
static void put_macs(struct stt_handshake *hs, enum stt_packet_kind kind, size_t len)
{
    uint8_t key[STT_MAC_KEY_BYTES];
    struct stt_mac_base base = mac_base(hs);
    hs->kind = kind;
    hs->packet_len = (uint16_t)len;
    hs->cookie_taken = false;
    struct bytes before = stt_packet_before_mac1(kind, bytes_of(hs->packet, len));
    stt_mac1_key(key, &base, (uint8_t)kind);
    stt_mac(hs->packet + before.len, key, before);
    stt_env_wipe(key, sizeof key);
    if (hs->has_cookie)
        put_mac2(hs);
}

static bool mac1_fits(const struct stt_handshake *hs, enum stt_packet_kind kind,
                      struct bytes datagram)
{
    uint8_t key[STT_MAC_KEY_BYTES];
    struct stt_mac_base base = mac_base(hs);
    struct bytes before = stt_packet_before_mac1(kind, datagram);
    stt_mac1_key(key, &base, (uint8_t)kind);
    bool ok = stt_mac_verify(datagram.data + before.len, key, before);
    stt_env_wipe(key, sizeof key);
    return ok;
}

static bool encode_packet(struct stt_handshake *hs, enum stt_packet_kind kind, struct bytes noise)
{
    const struct packet_message_1 m1 = {
        .mode = hs->mode, .initiator = hs->initiator, .noise = noise};
    const struct packet_message_2 m2 = {
        .mode = hs->mode, .initiator = hs->initiator, .responder = hs->responder, .noise = noise};
    const struct packet_message_3 m3 = {
        .mode = hs->mode, .responder = hs->responder, .noise = noise};
    struct wr w = wr_init(hs->packet, sizeof hs->packet);
    bool fits = kind == STT_PACKET_MESSAGE_1   ? stt_packet_message_1_encode(&w, &m1)
                : kind == STT_PACKET_MESSAGE_2 ? stt_packet_message_2_encode(&w, &m2)
                                               : stt_packet_message_3_encode(&w, &m3);
    if (fits)
        put_macs(hs, kind, wr_len(&w));
    return fits;
}

/* Ends the message that w has begun with its payload, and packs it. */
static bool end_message(struct stt_handshake *hs, const struct stt_handshake_own *own,
                        enum stt_packet_kind kind, struct wr *w)
{
    uint8_t payload[STT_HANDSHAKE_BYTES];
    size_t len = write_payload(hs, own, kind, payload);
    bool ok = stt_noise_write(&hs->noise, bytes_of(payload, len), w) &&
              encode_packet(hs, kind, wr_done(w));
    stt_env_wipe(payload, sizeof payload);
    return ok;
}

/* -- initiator --------------------------------------------------------------------------------- */

/* W has none, whatever else the host knows. */
static void take_seed(struct stt_handshake *hs, const uint8_t *seed)
{
    hs->has_seed = seed && hs->mode != STT_MODE_W;
    if (hs->has_seed)
        memcpy(hs->seed, seed, sizeof hs->seed);
}

/* W: as far as h says what the CPace session is. */
static bool begin_code(struct stt_handshake *hs, const struct stt_code *code,
                       const struct stt_handshake_entropy *entropy, struct wr *w)
{
    hs->slot = code->slot;
    if (!stt_noise_write_through(&hs->noise, STT_NOISE_E, w))
        return false;
    memcpy(hs->sid, hs->noise.symmetric.h, sizeof hs->sid);
    return make_share(hs, code, entropy);
}

/* What the mode cannot do without. */
static bool is_possible(const struct stt_handshake_begin *begin)
{
    return is_played(begin->mode) && (begin->mode != STT_MODE_K || begin->peer_static) &&
           (begin->mode != STT_MODE_S || begin->seed) && (begin->mode != STT_MODE_W || begin->code);
}

bool stt_handshake_begin(struct stt_handshake *hs, const struct stt_handshake_own *own,
                         const struct stt_handshake_begin *begin,
                         const struct stt_handshake_entropy *entropy)
{
    uint8_t noise[STT_HANDSHAKE_BYTES];
    struct wr w = wr_init(noise, sizeof noise);
    *hs = (struct stt_handshake){.mode = begin->mode,
                                 .is_initiator = true,
                                 .initiator = begin->initiator,
                                 .exclusive = begin->exclusive};
    if (!is_possible(begin))
        return false;
    take_seed(hs, begin->seed);
    if (begin->peer_static)
        memcpy(hs->peer_static, begin->peer_static, sizeof hs->peer_static);
    hs->has_pin = begin->pin != NULL;
    if (begin->pin)
        hs->pin = *begin->pin;
    if (hs->mode == STT_MODE_W)
        make_throwaway(hs, entropy);
    if (!begin_noise(hs, own))
        return false;
    use_entropy(hs, entropy);
    if (hs->mode == STT_MODE_W && !begin_code(hs, begin->code, entropy, &w))
        return false;
    return end_message(hs, own, STT_PACKET_MESSAGE_1, &w);
}

/* On a copy, which takes the place of the original only when all of it is true. */
static enum stt_handshake_verdict take_message_2(struct stt_handshake *next,
                                                 const struct stt_handshake_own *own,
                                                 const struct packet_message_2 *m)
{
    uint8_t payload[STT_HANDSHAKE_BYTES];
    struct rd r = rd_init(m->noise);
    struct wr w = wr_init(payload, sizeof payload);
    bool is_w = next->mode == STT_MODE_W;
    next->responder = m->responder;
    if (!stt_noise_read(&next->noise, &r, &w))
        return STT_HANDSHAKE_DROP;
    if (!take_payload(next, own, STT_PACKET_MESSAGE_2, wr_done(&w), next->noise.rs))
        return is_w ? STT_HANDSHAKE_SPENT : STT_HANDSHAKE_DROP;
    if (next->mode == STT_MODE_S && next->has_pin &&
        memcmp(next->peer.bytes, next->pin.bytes, sizeof next->pin.bytes) != 0)
        return STT_HANDSHAKE_OTHER_PEER;
    return STT_HANDSHAKE_OK;
}

static bool write_message_3(struct stt_handshake *hs, const struct stt_handshake_own *own)
{
    uint8_t noise[STT_HANDSHAKE_BYTES];
    struct wr w = wr_init(noise, sizeof noise);
    if (hs->mode == STT_MODE_W) {
        if (!set_cpace_psk(hs) || !stt_noise_write_through(&hs->noise, STT_NOISE_SE, &w))
            return false;
        stt_refused_key(hs->refused_key, hs->noise.symmetric.ck);
    }
    return end_message(hs, own, STT_PACKET_MESSAGE_3, &w);
}

enum stt_handshake_verdict stt_handshake_read_2(struct stt_handshake *hs,
                                                const struct stt_handshake_own *own,
                                                struct bytes datagram)
{
    struct packet_message_2 m;
    if (hs->kind != STT_PACKET_MESSAGE_1 || !stt_packet_message_2_decode(datagram, &m) ||
        m.mode != hs->mode || !stt_id_equal(m.initiator, hs->initiator) ||
        !mac1_fits(hs, STT_PACKET_MESSAGE_2, datagram))
        return STT_HANDSHAKE_DROP;
    struct stt_handshake next = *hs;
    enum stt_handshake_verdict verdict = take_message_2(&next, own, &m);
    if (verdict == STT_HANDSHAKE_OK && hs->mode == STT_MODE_K)
        next.kind = STT_PACKET_INVALID;
    else if (verdict == STT_HANDSHAKE_OK && !write_message_3(&next, own))
        verdict = hs->mode == STT_MODE_W ? STT_HANDSHAKE_SPENT : STT_HANDSHAKE_DROP;
    if (verdict == STT_HANDSHAKE_OK)
        *hs = next;
    else if (verdict != STT_HANDSHAKE_DROP)
        hs->kind = STT_PACKET_INVALID; /* a second answer would be a second guess */
    stt_env_wipe(&next, sizeof next);
    return verdict;
}

void stt_handshake_on_repeat(struct stt_handshake *hs)
{
    hs->cookie_taken = false;
}

bool stt_handshake_read_cookie(struct stt_handshake *hs, const struct packet_cookie_reply *reply)
{
    uint8_t key[STT_COOKIE_KEY_BYTES], cookie[STT_COOKIE_BYTES];
    struct stt_mac_base base = mac_base(hs);
    if (!hs->is_initiator || hs->kind == STT_PACKET_INVALID || hs->cookie_taken ||
        reply->mode != hs->mode || !stt_id_equal(reply->initiator, hs->initiator))
        return false;
    struct bytes before = stt_packet_before_mac1(hs->kind, bytes_of(hs->packet, hs->packet_len));
    stt_cookie_key(key, &base);
    bool ok =
        stt_cookie_open(cookie, key, reply->nonce, hs->packet + before.len, reply->sealed_cookie);
    if (ok) {
        memcpy(hs->cookie, cookie, sizeof hs->cookie);
        hs->has_cookie = hs->cookie_taken = true;
        put_mac2(hs);
    }
    stt_env_wipe(key, sizeof key);
    stt_env_wipe(cookie, sizeof cookie);
    return ok;
}

bool stt_handshake_read_refused(struct stt_handshake *hs, struct bytes datagram, uint8_t *reason)
{
    struct packet_refused m;
    return hs->kind == STT_PACKET_MESSAGE_3 && hs->mode == STT_MODE_W &&
           stt_packet_refused_decode(datagram, &m) && m.mode == hs->mode &&
           stt_id_equal(m.initiator, hs->initiator) &&
           stt_refused_open(reason, hs->refused_key, datagram.data, m.sealed_reason);
}

/* -- responder --------------------------------------------------------------------------------- */

bool stt_handshake_open_1(struct stt_handshake *hs, const struct stt_handshake_own *own,
                          const struct stt_handshake_open *open, const struct packet_message_1 *m,
                          struct rd *r)
{
    *hs = (struct stt_handshake){
        .mode = m->mode, .initiator = m->initiator, .responder = open->responder};
    if (!is_played(m->mode) || (m->mode == STT_MODE_S && !open->seed))
        return false;
    take_seed(hs, open->seed);
    memcpy(hs->peer_static, own->pair.public_key, sizeof hs->peer_static); /* the mac's material */
    memcpy(hs->answered, m->mac1, sizeof hs->answered);
    if (hs->mode == STT_MODE_W)
        make_throwaway(hs, open->entropy);
    *r = rd_init(m->noise);
    if (!begin_noise(hs, own) ||
        !stt_noise_read_through(&hs->noise, hs->mode == STT_MODE_K ? STT_NOISE_S : STT_NOISE_E, r))
        return false;
    memcpy(hs->sid, hs->noise.symmetric.h, sizeof hs->sid);
    return true;
}

bool stt_handshake_read_1(struct stt_handshake *hs, const struct stt_handshake_own *own,
                          struct rd *r)
{
    uint8_t payload[STT_HANDSHAKE_BYTES];
    struct wr w = wr_init(payload, sizeof payload);
    return stt_noise_read(&hs->noise, r, &w) &&
           take_payload(hs, own, STT_PACKET_MESSAGE_1, wr_done(&w), hs->noise.rs);
}

bool stt_handshake_write_2(struct stt_handshake *hs, const struct stt_handshake_own *own,
                           const struct stt_code *code, const struct stt_handshake_entropy *entropy)
{
    uint8_t noise[STT_HANDSHAKE_BYTES];
    struct wr w = wr_init(noise, sizeof noise);
    use_entropy(hs, entropy);
    if (hs->mode == STT_MODE_W && (!make_share(hs, code, entropy) || !set_cpace_psk(hs)))
        return false;
    return end_message(hs, own, STT_PACKET_MESSAGE_2, &w);
}

bool stt_handshake_open_3(struct stt_handshake *hs, const struct packet_message_3 *m,
                          struct stt_noise_handshake_state *attempt, struct rd *r)
{
    *attempt = hs->noise;
    *r = rd_init(m->noise);
    return m->mode == hs->mode && stt_id_equal(m->responder, hs->responder) &&
           stt_noise_read_through(attempt, STT_NOISE_S, r);
}

enum stt_handshake_verdict stt_handshake_read_3(struct stt_handshake *hs,
                                                const struct stt_handshake_own *own,
                                                struct stt_noise_handshake_state *attempt,
                                                struct rd *r)
{
    uint8_t payload[STT_HANDSHAKE_BYTES];
    struct wr w = wr_init(payload, sizeof payload);
    bool is_w = hs->mode == STT_MODE_W;
    if (!stt_noise_read_through(attempt, STT_NOISE_SE, r))
        return STT_HANDSHAKE_DROP;
    if (is_w)
        stt_refused_key(hs->refused_key, attempt->symmetric.ck);
    /* W: so far all was valid, and what fails behind it is a guess. */
    if (!stt_noise_read(attempt, r, &w))
        return is_w ? STT_HANDSHAKE_WRONG : STT_HANDSHAKE_DROP;
    if (!take_payload(hs, own, STT_PACKET_MESSAGE_3, wr_done(&w), attempt->rs))
        return is_w ? STT_HANDSHAKE_SPENT : STT_HANDSHAKE_DROP;
    hs->noise = *attempt;
    return STT_HANDSHAKE_OK;
}

void stt_handshake_write_refused(struct stt_handshake *hs, uint8_t reason,
                                 uint8_t out[STT_REFUSED_BYTES])
{
    struct wr w = wr_init(out, STT_REFUSED_BYTES);
    struct packet_refused m = {.mode = hs->mode, .initiator = hs->initiator};
    bool fits = stt_packet_refused_encode(&w, &m);
    assert(fits);
    stt_refused_seal(out + STT_REFUSED_HEADER_BYTES, hs->refused_key, out, reason);
}

/* -- both -------------------------------------------------------------------------------------- */

bool stt_handshake_finish(struct stt_handshake *hs, struct stt_noise_keys *keys)
{
    return stt_noise_split(&hs->noise, keys);
}

void stt_handshake_wipe(struct stt_handshake *hs)
{
    stt_env_wipe(hs, sizeof *hs);
}
