/* SPDX-License-Identifier: MIT
 * Two ends of a session that do as they should, and a network that the input plays: both update
 * their keys, one begins REKEYs, and packets are lost, copied, late and bent. Whatever it does,
 * nobody honest is told that it broke a rule, what is sealed last opens, and both ends have the
 * same keys in the same epoch. */
#include "stt/session/rekey.h"

#include "stt/base/env.h"
#include "tests/support/fuzz.h"

#include <string.h>

enum { PACKETS = 32, ROOM = 128, STATE_ROOM = 4096 };

struct packet {
    uint8_t data[ROOM];
    size_t len;
    uint64_t number;
};

struct end {
    _Alignas(64) uint8_t memory[STATE_ROOM];
    struct stt_protect *p;
    struct stt_noise_keypair own;
    uint8_t h[64];
    bool runs;
    struct stt_rekey x;
    struct packet sent[PACKETS];
    size_t n;
};

static struct end ends[2]; /* the first is the initiator */
static uint8_t drawn;

static bool is_initiator(const struct end *e)
{
    return e == &ends[0];
}

static struct end *other(const struct end *e)
{
    return &ends[is_initiator(e)];
}

static void begin(void)
{
    const struct stt_aead_suite *suite = stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0);
    static const uint8_t secrets[2][32] = {{1}, {2}}, statics[2][32] = {{0, 3}, {0, 4}};
    FUZZ_ASSERT(stt_protect_bytes(suite) <= STATE_ROOM);
    memset(ends, 0, sizeof ends);
    drawn = 0;
    for (enum stt_direction d = 0; d < 2; d++) {
        ends[d].p = (struct stt_protect *)ends[d].memory;
        stt_protect_init(ends[d].p, suite, d, secrets);
        stt_noise_keypair_init(&ends[d].own, statics[d]);
    }
}

static struct stt_rekey_with with(struct end *e)
{
    return (struct stt_rekey_with){
        .protect = e->p, .own = &e->own, .peer = other(e)->own.public_key, .h = e->h};
}

static void draw(uint8_t ephemeral[32])
{
    memset(ephemeral, 0, 32);
    ephemeral[2] = ++drawn;
}

static void forget(struct end *e)
{
    e->runs = false;
    stt_env_wipe(&e->x, sizeof e->x);
}

/* -- what an end does -------------------------------------------------------------------------- */

static void start(struct end *e)
{
    uint8_t ephemeral[32];
    struct stt_rekey_with w = with(e);
    if (e->runs || !stt_protect_may_update(e->p))
        return;
    draw(ephemeral);
    e->runs = stt_rekey_create_1(&e->x, &w, ephemeral);
    FUZZ_ASSERT(e->runs);
}

static void consume(struct end *e, struct bytes noise)
{
    uint8_t ephemeral[32];
    struct stt_rekey_with w = with(e);
    if (!is_initiator(e)) {
        draw(ephemeral);
        e->runs = stt_rekey_consume_1(&e->x, &w, noise, ephemeral);
        FUZZ_ASSERT(e->runs);
        return;
    }
    bool ok = stt_rekey_consume_2(&e->x, e->p, noise);
    FUZZ_ASSERT(ok);
    memcpy(e->h, e->x.h, sizeof e->h);
    forget(e);
}

static void take_frame(struct end *e, struct bytes payload)
{
    struct frame_rekey f;
    struct rd r = rd_init(payload);
    if (rd_u8(&r) != STT_FRAME_REKEY)
        return;
    FUZZ_ASSERT(stt_frame_rekey_decode(&r, &f));
    enum stt_rekey_verdict verdict =
        stt_rekey_judge(e->runs ? &e->x : NULL, is_initiator(e), e->p->keys.number, &f);
    FUZZ_ASSERT(verdict != STT_REKEY_UNEXPECTED && verdict != STT_REKEY_BAD);
    if (verdict == STT_REKEY_CONSUME)
        consume(e, f.noise);
}

static void on_epoch(struct end *e)
{
    if (e->runs && !is_initiator(e))
        memcpy(e->h, e->x.h, sizeof e->h);
    forget(e);
}

static void check_keys(void)
{
    const struct stt_keys *a = &ends[0].p->keys, *b = &ends[1].p->keys;
    FUZZ_ASSERT(a->number <= b->number + 1 && b->number <= a->number + 1);
    if (a->number != b->number)
        return;
    FUZZ_ASSERT(memcmp(a->current.secret, b->current.secret, sizeof a->current.secret) == 0);
    FUZZ_ASSERT(memcmp(ends[0].h, ends[1].h, sizeof ends[0].h) == 0);
}

/* -- the network ------------------------------------------------------------------------------- */

static size_t payload_of(const struct end *e, bool wants_rekey, uint8_t out[ROOM])
{
    struct wr w = wr_init(out, ROOM - STT_PROTECT_OVERHEAD_BYTES);
    if (!wants_rekey || !e->runs) {
        wr_u8(&w, STT_FRAME_PING);
        return wr_len(&w);
    }
    FUZZ_ASSERT(stt_frame_rekey_encode(&w, &(struct frame_rekey){.stage = is_initiator(e) ? 1 : 2,
                                                                 .epoch = e->x.epoch,
                                                                 .noise = BYTES(e->x.message)}));
    return wr_len(&w);
}

static struct packet *seal(struct end *e, bool wants_rekey)
{
    uint8_t payload[ROOM];
    struct packet *packet = &e->sent[e->n++ % PACKETS];
    struct bytes part = bytes_of(payload, payload_of(e, wants_rekey, payload));
    packet->number = e->p->next_number;
    struct stt_protect_plain plain = {packet->number, payload, &part, 1};
    struct stt_protect_train to = {packet->data, ROOM, ROOM};
    packet->len = stt_protect_seal(e->p, &plain, 1, to);
    return packet;
}

static enum stt_protect_result deliver(struct end *to, const struct packet *packet)
{
    uint8_t copy[ROOM];
    struct stt_protect_opened opened;
    memcpy(copy, packet->data, packet->len);
    stt_protect_open(to->p, (struct stt_protect_train){copy, packet->len, packet->len}, &opened);
    FUZZ_ASSERT(opened.result != STT_PROTECT_KEY_UPDATE);
    FUZZ_ASSERT(opened.result != STT_PROTECT_VIOLATION);
    if (opened.result != STT_PROTECT_OPENED)
        return opened.result;
    if (opened.began_epoch)
        on_epoch(to);
    take_frame(to, opened.payload);
    stt_protect_on_ack_sent(to->p, opened.number);
    stt_protect_on_acked(other(to)->p, opened.number);
    return opened.result;
}

/* A stage whose bits are others, inside of an honest packet: no keys. */
static void lie(struct end *to, uint8_t where)
{
    struct end *from = other(to), before;
    uint8_t noise[STT_REKEY_NOISE_BYTES], ephemeral[32] = {0, 0, 0, 99};
    if (!from->runs || (is_initiator(to) && !to->runs))
        return;
    memcpy(noise, from->x.message, sizeof noise);
    noise[where % sizeof noise] ^= (uint8_t)(1 + where / sizeof noise);
    struct stt_rekey x = to->x;
    struct stt_rekey_with w = with(to);
    memcpy(before.memory, to->memory, sizeof before.memory);
    bool ok = is_initiator(to) ? stt_rekey_consume_2(&x, to->p, BYTES(noise))
                               : stt_rekey_consume_1(&x, &w, BYTES(noise), ephemeral);
    FUZZ_ASSERT(!ok);
    FUZZ_ASSERT(memcmp(before.memory, to->memory, sizeof before.memory) == 0);
}

static void step(struct end *e, uint8_t what, uint8_t how)
{
    const struct packet *packet = &e->sent[how % PACKETS];
    switch (what) {
    case 0:
        seal(e, how & 1); /* and lost, or late */
        break;
    case 1:
    case 2:
        FUZZ_ASSERT(deliver(other(e), seal(e, how & 1)) == STT_PROTECT_OPENED);
        break;
    case 3:
    case 4:
        if (packet->len)
            (void)!deliver(other(e), packet);
        break;
    case 5:
        if (!e->runs && stt_protect_may_update(e->p))
            stt_protect_update(e->p);
        break;
    case 6:
        lie(e, how);
        break;
    default:
        start(&ends[0]);
    }
    check_keys();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin();
    for (size_t i = 0; i + 2 <= size && i < 512; i += 2)
        step(&ends[data[i] >> 7], data[i] & 7, data[i + 1]);
    return 0;
}
