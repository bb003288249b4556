/* SPDX-License-Identifier: MIT */
#include "tests/support/handshakes.h"

#include "crypto/kdf.h"
#include "tests/support/rng.h"

#include <stdlib.h>

static void check(bool ok)
{
    if (!ok)
        abort();
}

const struct stt_aead_suite *handshake_suite(uint8_t id)
{
    size_t i = 0;
    while (stt_aead_at(i) && stt_aead_at(i)->id != id)
        i++;
    check(stt_aead_at(i) != NULL);
    return stt_aead_at(i);
}

void handshake_side_init(struct handshake_side *side, const uint8_t secret[32])
{
    stt_identity_init(&side->identity, secret);
    struct stt_handshake_own *own = &side->own;
    *own = (struct stt_handshake_own){.identity = &side->identity, .n_suites = 1};
    memcpy(own->pair.secret_key, side->identity.static_secret, 32);
    memcpy(own->pair.public_key, side->identity.static_public, 32);
    own->suites[0] = handshake_suite(STT_AEAD_CHACHA20_POLY1305);
    stt_params_init(&own->transport);
    own->transport.application = BYTES_TEXT("test/1");
    stt_params_set(&own->transport, STT_PARAM_APPLICATION);
}

void handshake_play_init(struct handshake_play *play, enum stt_mode mode, uint64_t seed)
{
    struct rng rng = rng_init(seed);
    uint8_t secret[32], entropy[STT_CODE_ENTROPY_BYTES];
    struct handshake_side *sides[] = {&play->initiator, &play->responder};
    memset(play, 0, sizeof *play);
    play->mode = mode;
    play->has_seed = mode != STT_MODE_W;
    rng_fill(&rng, play->seed, sizeof play->seed);
    rng_fill(&rng, entropy, sizeof entropy);
    for (size_t i = 0; i < 2; i++) {
        rng_fill(&rng, secret, sizeof secret);
        handshake_side_init(sides[i], secret);
        rng_fill(&rng, (uint8_t *)&sides[i]->entropy, sizeof sides[i]->entropy);
        rng_fill(&rng, sides[i]->id.bytes, sizeof sides[i]->id.bytes);
        stt_code_generate(&sides[i]->code, entropy);
    }
}

static const uint8_t *seed_of(const struct handshake_play *play)
{
    return play->has_seed ? play->seed : NULL;
}

static struct stt_mac_base mac_base(const struct handshake_play *play)
{
    return stt_handshake_mac_base(&play->responder.own, play->mode, seed_of(play));
}

bool handshake_begin(struct handshake_play *play, const struct stt_peer_id *pin)
{
    struct handshake_side *i = &play->initiator;
    return stt_handshake_begin(&i->hs, &i->own,
                               &(struct stt_handshake_begin){
                                   .mode = play->mode,
                                   .initiator = i->id,
                                   .peer_static = play->responder.own.pair.public_key,
                                   .seed = seed_of(play),
                                   .pin = pin,
                                   .code = &i->code,
                               },
                               &i->entropy);
}

static bool mac1_fits(const struct handshake_play *play, unsigned number, struct bytes datagram)
{
    uint8_t key[STT_MAC_KEY_BYTES];
    struct stt_mac_base base = mac_base(play);
    struct bytes before = stt_packet_before_mac1((enum stt_packet_kind)number, datagram);
    stt_mac1_key(key, &base, (uint8_t)number);
    return stt_mac_verify(datagram.data + before.len, key, before);
}

enum stt_handshake_verdict handshake_answer(struct handshake_play *play, struct bytes datagram)
{
    struct handshake_side *r = &play->responder;
    struct stt_handshake_open open = {
        .responder = r->id, .seed = seed_of(play), .entropy = &r->entropy};
    struct packet_message_1 m;
    struct rd rd;
    if (!stt_packet_message_1_decode(datagram, &m) || m.mode != play->mode ||
        !mac1_fits(play, 1, datagram))
        return STT_HANDSHAKE_DROP;
    bool ok = stt_handshake_open_1(&r->hs, &r->own, &open, &m, &rd) &&
              stt_handshake_read_1(&r->hs, &r->own, &rd) &&
              (play->mode != STT_MODE_W || r->hs.slot == r->code.slot) &&
              stt_handshake_write_2(&r->hs, &r->own, &r->code, &r->entropy);
    return ok ? STT_HANDSHAKE_OK : STT_HANDSHAKE_DROP;
}

enum stt_handshake_verdict handshake_confirm(struct handshake_play *play, struct bytes datagram)
{
    struct handshake_side *r = &play->responder;
    struct stt_noise_handshake_state attempt;
    struct packet_message_3 m;
    struct rd rd;
    enum stt_handshake_verdict verdict = STT_HANDSHAKE_DROP;
    if (!stt_packet_message_3_decode(datagram, &m) || !mac1_fits(play, 3, datagram))
        return STT_HANDSHAKE_DROP;
    if (stt_handshake_open_3(&r->hs, &m, &attempt, &rd))
        verdict = stt_handshake_read_3(&r->hs, &r->own, &attempt, &rd);
    stt_noise_wipe(&attempt);
    return verdict;
}

enum stt_handshake_verdict handshake_read_2(struct handshake_play *play, struct bytes datagram)
{
    return stt_handshake_read_2(&play->initiator.hs, &play->initiator.own, datagram);
}

enum stt_handshake_verdict handshake_receive(struct handshake_play *play, unsigned number,
                                             struct bytes datagram)
{
    return number == 1   ? handshake_answer(play, datagram)
           : number == 2 ? handshake_read_2(play, datagram)
                         : handshake_confirm(play, datagram);
}

bool handshake_is_unchanged(const struct stt_handshake *now, const struct stt_handshake *before)
{
    struct stt_handshake then = *before;
    memcpy(then.refused_key, now->refused_key, sizeof then.refused_key);
    return memcmp(now, &then, sizeof then) == 0;
}

struct bytes handshake_packet(const struct handshake_side *side)
{
    return bytes_of(side->hs.packet, side->hs.packet_len);
}

struct bytes handshake_run(struct handshake_play *play, unsigned number)
{
    check(handshake_begin(play, NULL));
    if (number > 1)
        check(handshake_answer(play, handshake_packet(&play->initiator)) == STT_HANDSHAKE_OK);
    if (number > 2)
        check(handshake_read_2(play, handshake_packet(&play->responder)) == STT_HANDSHAKE_OK);
    return handshake_packet(number == 2 ? &play->responder : &play->initiator);
}

void handshake_put_mac1(const struct handshake_play *play, unsigned number, uint8_t *datagram,
                        size_t len)
{
    uint8_t key[STT_MAC_KEY_BYTES];
    struct stt_mac_base base = mac_base(play);
    struct bytes before =
        stt_packet_before_mac1((enum stt_packet_kind)number, bytes_of(datagram, len));
    stt_mac1_key(key, &base, (uint8_t)number);
    stt_mac(datagram + before.len, key, before);
}

void handshake_seed_psk(const struct handshake_play *play, uint8_t psk[32])
{
    memset(psk, 0, 32);
    if (play->has_seed)
        stt_kdf_keyed(psk, 32, BYTES(play->seed), "stt1 psk",
                      KDF_PARTS(KDF_U8(1), KDF_U8(play->mode)));
}

static void write_lp(struct wr *w, struct bytes b)
{
    wr_u16(w, (uint16_t)b.len);
    wr_bytes(w, b);
}

struct bytes handshake_prologue(const struct handshake_play *play, const char *protocol,
                                uint8_t out[128])
{
    struct wr w = wr_init(out, 128);
    uint8_t version = STT_WIRE_VERSION, mode = (uint8_t)play->mode;
    write_lp(&w, BYTES_TEXT("stt"));
    write_lp(&w, bytes_of(&version, 1));
    write_lp(&w, bytes_of(&mode, 1));
    write_lp(&w, bytes_of(protocol, strlen(protocol)));
    write_lp(&w, BYTES(play->initiator.id.bytes));
    write_lp(&w, play->initiator.own.network);
    check(!w.bad);
    return wr_done(&w);
}
