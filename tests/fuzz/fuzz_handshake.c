/* SPDX-License-Identifier: MIT
 * Handshake messages behind a valid mac1. Input: a byte that says which message and how, then
 *     0x00..  what is changed (by XOR) in the Noise message, which is as long as that: accepted
 * only when nothing is, and a wrong guess only behind an unchanged static key; 0x80..  the payload,
 * sealed by the genuine sender: accepted only when it keeps the rules. What is dropped leaves the
 * receiver as it was. */
#include "crypto/cpu.h"
#include "stt/session/handshake.h"
#include "tests/support/fuzz.h"
#include "tests/support/handshakes.h"

enum { PAYLOAD = 0x80, SEALED_KEY = 48 };

static const struct target {
    enum stt_mode mode;
    unsigned number;
    enum stt_message message;
} targets[] = {
    {STT_MODE_K, 1, STT_MESSAGE_K1}, {STT_MODE_K, 2, STT_MESSAGE_K2},
    {STT_MODE_S, 1, STT_MESSAGE_S1}, {STT_MODE_S, 2, STT_MESSAGE_S2},
    {STT_MODE_S, 3, STT_MESSAGE_S3}, {STT_MODE_W, 1, STT_MESSAGE_W1},
    {STT_MODE_W, 2, STT_MESSAGE_W2}, {STT_MODE_W, 3, STT_MESSAGE_W3},
};

enum { TARGETS = sizeof targets / sizeof targets[0] };

/* For each target both sides right before its message arrives, the message, and its sender's Noise
 * state before it was made. */
static struct scene {
    struct handshake_play play;
    struct stt_handshake receiver;
    struct stt_noise_handshake_state sender;
    uint8_t datagram[STT_HANDSHAKE_BYTES];
    struct bytes noise; /* lies in the datagram */
} scenes[TARGETS];

static struct handshake_side *receiver_of(struct handshake_play *play, unsigned number)
{
    return number == 2 ? &play->initiator : &play->responder;
}

static struct handshake_side *sender_of(struct handshake_play *play, unsigned number)
{
    return number == 2 ? &play->responder : &play->initiator;
}

/* -- the sender's Noise state ------------------------------------------------------------------ */

static void set_ephemeral(struct stt_noise_handshake_state *noise,
                          const struct handshake_side *side)
{
    struct stt_noise_keypair e;
    stt_noise_keypair_init(&e, side->entropy.ephemeral);
    stt_noise_set_ephemeral(noise, &e);
}

static void before_1(struct scene *s, enum stt_mode mode)
{
    static const enum stt_noise_pattern patterns[] = {[STT_MODE_K] = STT_NOISE_IKPSK2,
                                                      [STT_MODE_S] = STT_NOISE_XXPSK0,
                                                      [STT_MODE_W] = STT_NOISE_XXPSK3};
    uint8_t prologue[128], psk[32];
    const char *name = stt_noise_protocol_name(patterns[mode]);
    const struct handshake_side *i = &s->play.initiator;
    FUZZ_ASSERT(stt_noise_init(
        &s->sender, &(struct stt_noise_setup){
                        .pattern = patterns[mode],
                        .is_initiator = true,
                        .prologue = handshake_prologue(&s->play, name, prologue),
                        .s = mode == STT_MODE_W ? &i->hs.pair : &i->own.pair,
                        .rs = mode == STT_MODE_K ? s->play.responder.own.pair.public_key : NULL}));
    handshake_seed_psk(&s->play, psk);
    stt_noise_set_psk(&s->sender, psk);
    set_ephemeral(&s->sender, i);
}

/* The responder has read message 1. */
static void before_2(struct scene *s)
{
    struct handshake_side *r = &s->play.responder;
    struct stt_handshake_open open = {
        .responder = r->id, .seed = s->play.has_seed ? s->play.seed : NULL, .entropy = &r->entropy};
    struct stt_handshake answered = r->hs;
    struct packet_message_1 m;
    struct rd rd;
    FUZZ_ASSERT(stt_packet_message_1_decode(handshake_packet(&s->play.initiator), &m) &&
                stt_handshake_open_1(&r->hs, &r->own, &open, &m, &rd) &&
                stt_handshake_read_1(&r->hs, &r->own, &rd));
    s->sender = r->hs.noise;
    r->hs = answered;
    set_ephemeral(&s->sender, r);
}

/* The initiator, as it was behind message 1, has read message 2. */
static void before_3(struct scene *s, const struct stt_handshake *begun)
{
    uint8_t payload[STT_HANDSHAKE_BYTES];
    struct wr w = wr_init(payload, sizeof payload);
    struct packet_message_2 m;
    FUZZ_ASSERT(stt_packet_message_2_decode(handshake_packet(&s->play.responder), &m));
    struct rd r = rd_init(m.noise);
    s->sender = begun->noise;
    FUZZ_ASSERT(stt_noise_read(&s->sender, &r, &w));
    stt_noise_set_psk(&s->sender, s->play.responder.hs.noise.psk);
}

/* -- scenes ------------------------------------------------------------------------------------ */

static void make_scene(struct scene *s, const struct target *t)
{
    stt_cpu_detect();
    handshake_play_init(&s->play, t->mode, 1);
    (void)handshake_run(&s->play, 1);
    struct stt_handshake begun = s->play.initiator.hs;
    struct bytes packet = handshake_run(&s->play, t->number);
    memcpy(s->datagram, packet.data, packet.len);
    size_t at = t->number == 2 ? 20 : 12;
    s->noise = bytes_of(s->datagram + at, (size_t)s->datagram[at - 2] << 8 | s->datagram[at - 1]);
    s->receiver = receiver_of(&s->play, t->number)->hs;
    if (t->number == 1)
        before_1(s, t->mode);
    else if (t->number == 2)
        before_2(s);
    else
        before_3(s, &begun);
}

static struct scene *scene_of(size_t i)
{
    static bool made[TARGETS];
    if (!made[i])
        make_scene(&scenes[i], &targets[i]);
    made[i] = true;
    return &scenes[i];
}

/* -- one message ------------------------------------------------------------------------------- */

static bool encode(const struct scene *s, const struct target *t, struct bytes noise, struct wr *w)
{
    const struct packet_message_1 m1 = {
        .mode = t->mode, .initiator = s->play.initiator.id, .noise = noise};
    const struct packet_message_2 m2 = {.mode = t->mode,
                                        .initiator = s->play.initiator.id,
                                        .responder = s->play.responder.id,
                                        .noise = noise};
    const struct packet_message_3 m3 = {
        .mode = t->mode, .responder = s->play.responder.id, .noise = noise};
    return t->number == 1   ? stt_packet_message_1_encode(w, &m1)
           : t->number == 2 ? stt_packet_message_2_encode(w, &m2)
                            : stt_packet_message_3_encode(w, &m3);
}

static bool receive(struct scene *s, const struct target *t, struct bytes noise,
                    enum stt_handshake_verdict *verdict)
{
    uint8_t datagram[STT_HANDSHAKE_BYTES];
    struct wr w = wr_init(datagram, sizeof datagram);
    struct stt_handshake *hs = &receiver_of(&s->play, t->number)->hs;
    if (!encode(s, t, noise, &w))
        return false;
    handshake_put_mac1(&s->play, t->number, datagram, wr_len(&w));
    *hs = s->receiver;
    *verdict = handshake_receive(&s->play, t->number, wr_done(&w));
    FUZZ_ASSERT(*verdict != STT_HANDSHAKE_DROP || t->number == 1 ||
                handshake_is_unchanged(hs, &s->receiver));
    return true;
}

static void judge_noise(struct scene *s, const struct target *t, struct bytes change)
{
    uint8_t noise[STT_HANDSHAKE_BYTES];
    enum stt_handshake_verdict verdict;
    for (size_t i = 0; i < change.len; i++)
        noise[i] = (uint8_t)(change.data[i] ^ (i < s->noise.len ? s->noise.data[i] : 0));
    struct bytes sent = bytes_of(noise, change.len);
    if (!receive(s, t, sent, &verdict))
        return;
    FUZZ_ASSERT((verdict == STT_HANDSHAKE_OK) == bytes_equal(sent, s->noise));
    FUZZ_ASSERT(verdict != STT_HANDSHAKE_WRONG ||
                (t->message == STT_MESSAGE_W3 && sent.len >= SEALED_KEY &&
                 memcmp(noise, s->noise.data, SEALED_KEY) == 0));
    FUZZ_ASSERT(verdict != STT_HANDSHAKE_SPENT && verdict != STT_HANDSHAKE_OTHER_PEER);
}

/* The rules beyond those of the table. CPace's are left out: a share is judged by what it is. */
static bool keeps_the_rules(struct scene *s, const struct target *t, const struct stt_params *p)
{
    const struct handshake_side *sender = sender_of(&s->play, t->number);
    size_t clear = t->number == 2 ? STT_CLEAR_BYTES_2 : STT_CLEAR_BYTES_3;
    uint8_t image[32];
    struct stt_peer_id peer;
    const uint8_t *key =
        t->mode == STT_MODE_W ? sender->hs.pair.public_key : sender->own.pair.public_key;
    if (stt_params_has(p, STT_PARAM_CLEAR_FIELDS) &&
        !bytes_equal(p->clear_fields, bytes_of(s->datagram, clear)))
        return false;
    if (stt_params_has(p, STT_PARAM_SUITES) &&
        !memchr(p->suites.data, STT_AEAD_CHACHA20_POLY1305, p->suites.len))
        return false;
    if (stt_params_has(p, STT_PARAM_SUITE) && p->suite != STT_AEAD_CHACHA20_POLY1305)
        return false;
    if (stt_params_has(p, STT_PARAM_SLOT) && p->slot != sender->code.slot)
        return false;
    if (!stt_params_has(p, STT_PARAM_PEER_ID))
        return true;
    memcpy(peer.bytes, p->peer_id.data, sizeof peer.bytes);
    return stt_identity_image(image, &peer) && memcmp(image, key, sizeof image) == 0;
}

static void judge_payload(struct scene *s, const struct target *t, struct bytes payload)
{
    uint8_t noise[STT_HANDSHAKE_BYTES];
    enum stt_handshake_verdict verdict;
    struct stt_noise_handshake_state sender = s->sender;
    struct wr w = wr_init(noise, sizeof noise);
    struct stt_params p;
    if (!stt_noise_write(&sender, payload, &w) || !receive(s, t, wr_done(&w), &verdict))
        return;
    bool is_right = stt_params_decode(payload, t->message, &p) && keeps_the_rules(s, t, &p);
    bool has_share = is_right && stt_params_has(&p, STT_PARAM_CPACE_SHARE);
    FUZZ_ASSERT(verdict != STT_HANDSHAKE_OK || is_right);
    FUZZ_ASSERT(verdict == STT_HANDSHAKE_OK || !is_right || has_share);
    FUZZ_ASSERT(verdict != STT_HANDSHAKE_WRONG && verdict != STT_HANDSHAKE_OTHER_PEER);
    FUZZ_ASSERT(verdict != STT_HANDSHAKE_SPENT || (t->mode == STT_MODE_W && t->number > 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > STT_HANDSHAKE_BYTES)
        return 0;
    size_t which = (data[0] & (PAYLOAD - 1)) % TARGETS;
    struct bytes rest = bytes_of(data + 1, size - 1);
    if (data[0] & PAYLOAD)
        judge_payload(scene_of(which), &targets[which], rest);
    else
        judge_noise(scene_of(which), &targets[which], rest);
    return 0;
}
