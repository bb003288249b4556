/* SPDX-License-Identifier: MIT
 * Two ends and a network that the input plays: it seals, delivers, repeats, bends and invents
 * packets, and lets the ends acknowledge and update. Whatever it does, a packet opens only if it
 * was sealed by the other end, as it was sealed, and once. */
#include "crypto/protect.h"
#include "tests/support/fuzz.h"

#include <string.h>

enum { PACKETS = 64, ROOM = 128, STATE_ROOM = 4096 };

struct packet {
    uint8_t data[ROOM];
    size_t len;
    uint64_t number;
    bool is_opened;
};

struct end {
    _Alignas(64) uint8_t memory[STATE_ROOM];
    struct stt_protect *p;
    struct packet sent[PACKETS];
    size_t n;
};

static struct end ends[2];

static void begin(uint8_t which)
{
    /* Suites that need no special processor, so that an input means the same everywhere. */
    const struct stt_aead_suite *suite = stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0);
    static const uint8_t secrets[2][32] = {{1}, {2}};
    FUZZ_ASSERT(stt_protect_bytes(suite) <= STATE_ROOM);
    for (enum stt_direction d = 0; d < 2; d++) {
        ends[d].p = (struct stt_protect *)ends[d].memory;
        ends[d].n = 0;
        stt_protect_init(ends[d].p, suite, d, secrets);
        if (which & 1) /* near the end of the numbers, or the wrap of the wire */
            ends[d].p->next_number = ends[d].p->replay.expected =
                which & 2 ? (UINT64_C(1) << 62) - 200 : (UINT64_C(1) << 32) - 8;
    }
}

static void seal(struct end *e, uint8_t how)
{
    static const uint8_t payload[ROOM] = {1, 2, 3};
    uint64_t number = e->p->next_number + (how & 3);
    if (e->n == PACKETS || number >= UINT64_C(1) << 62)
        return;
    struct packet *packet = &e->sent[e->n++];
    struct bytes part = bytes_of(payload, 1 + how / 4u);
    struct stt_protect_plain plain = {number, payload, &part, 1};
    struct stt_protect_train to = {packet->data, ROOM, ROOM};
    packet->number = number;
    packet->is_opened = false;
    packet->len = stt_protect_seal(e->p, &plain, 1, to);
}

static struct stt_protect_opened open_copy(struct stt_protect *p, const uint8_t *data, size_t len)
{
    uint8_t copy[ROOM];
    struct stt_protect_opened opened;
    memcpy(copy, data, len);
    stt_protect_open(p, (struct stt_protect_train){copy, len, len}, &opened);
    if (opened.result == STT_PROTECT_FORGED)
        FUZZ_ASSERT(bytes_all_zero(bytes_of(copy + 13, len - 29)));
    FUZZ_ASSERT(opened.result == STT_PROTECT_OPENED || opened.payload.len == 0);
    return opened;
}

static void deliver(struct end *from, struct end *to, struct packet *packet)
{
    struct stt_protect_opened opened = open_copy(to->p, packet->data, packet->len);
    if (opened.result == STT_PROTECT_OPENED) {
        FUZZ_ASSERT(!packet->is_opened);
        FUZZ_ASSERT(opened.number == packet->number);
        FUZZ_ASSERT(opened.payload.len == packet->len - 29);
        packet->is_opened = true;
        stt_protect_on_ack_sent(to->p, packet->number);
        stt_protect_on_acked(from->p, packet->number);
    }
    FUZZ_ASSERT(opened.result != STT_PROTECT_VIOLATION);
    FUZZ_ASSERT(opened.result != STT_PROTECT_KEY_UPDATE); /* both keep to the rules */
    if (opened.result == STT_PROTECT_REPLAYED)
        FUZZ_ASSERT(packet->is_opened || to->p->replay.expected > packet->number + 64);
}

static void forge(struct end *to, const uint8_t *data, size_t len)
{
    struct stt_replay before = to->p->replay;
    uint64_t epoch = to->p->keys.number;
    struct stt_protect_opened opened = open_copy(to->p, data, len);
    FUZZ_ASSERT(opened.result == STT_PROTECT_FORGED || opened.result == STT_PROTECT_NO_KEY);
    FUZZ_ASSERT(memcmp(&before, &to->p->replay, sizeof before) == 0);
    FUZZ_ASSERT(epoch == to->p->keys.number);
}

static void bend(struct end *to, const struct packet *packet, uint8_t where)
{
    uint8_t data[ROOM];
    memcpy(data, packet->data, packet->len);
    unsigned bit = where % packet->len == 0 ? 0 : where % 8; /* bit 7 of byte 0 is the family */
    data[where % packet->len] = (uint8_t)(data[where % packet->len] ^ 1u << bit);
    forge(to, data, packet->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    begin(*data);
    struct rd r = rd_init(bytes_of(data + 1, size - 1));
    while (!r.bad && rd_left(&r) >= 2) {
        uint8_t what = rd_u8(&r), how = rd_u8(&r);
        struct end *from = &ends[what >> 7], *to = &ends[!(what >> 7)];
        struct packet *packet = from->n ? &from->sent[how % from->n] : NULL;
        switch (what & 7) {
        case 0:
        case 1:
            seal(from, how);
            break;
        case 2:
        case 3:
            if (packet)
                deliver(from, to, packet);
            break;
        case 4:
            if (packet)
                bend(to, packet, rd_u8(&r));
            break;
        case 5:
            if (stt_protect_may_update(from->p))
                stt_protect_update(from->p);
            break;
        case 6:
            stt_protect_forget_previous(from->p);
            break;
        case 7: {
            struct bytes made = rd_bytes(&r, 29 + how % 64u);
            if (made.len && !(made.data[0] & 0x80))
                forge(to, made.data, made.len);
            break;
        }
        }
    }
    return 0;
}
