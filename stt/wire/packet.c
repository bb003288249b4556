/* SPDX-License-Identifier: MIT
 * packet: the codecs of the handshake packets, which mirror the layouts of the spec line by line.
 * They check what can be checked without a key, and a decoder refuses every byte too many or too
 * few. They must not know what the Noise messages hold, nor who sent them.
 * Spec 02, "Handshake packets". */
#include "stt/wire/packet.h"

#include <assert.h>

#define MODE(m)   (1u << STT_MODE_##m)
#define ANY_MODE  (MODE(K) | MODE(S) | MODE(W) | MODE(Q))
#define HANDSHAKE 0x80u

static const struct packet_rule {
    unsigned modes;
    size_t bytes_min, bytes_max;
} packet_rules[8] = {
    /* kind, modes, fewest bytes, most bytes */
    [STT_PACKET_MESSAGE_1] = {ANY_MODE, STT_HANDSHAKE_BYTES, STT_HANDSHAKE_BYTES},
    [STT_PACKET_MESSAGE_2] = {ANY_MODE, 36, STT_HANDSHAKE_BYTES},
    [STT_PACKET_MESSAGE_3] = {MODE(S) | MODE(W), 44, STT_HANDSHAKE_BYTES},
    [STT_PACKET_COOKIE_REPLY] = {ANY_MODE, STT_COOKIE_REPLY_BYTES, STT_COOKIE_REPLY_BYTES},
    [STT_PACKET_REFUSED] = {MODE(W), STT_REFUSED_BYTES, STT_REFUSED_BYTES},
};

enum stt_packet_kind stt_packet_handshake_kind(struct bytes datagram)
{
    if (datagram.len < 2 || !(datagram.data[0] & HANDSHAKE))
        return STT_PACKET_INVALID;
    unsigned kind = datagram.data[0] >> 4 & 7u;
    unsigned mode = datagram.data[0] & 15u;
    const struct packet_rule *rule = &packet_rules[kind];
    if (datagram.len < rule->bytes_min || datagram.len > rule->bytes_max ||
        !(rule->modes >> mode & 1) || datagram.data[1] != STT_WIRE_VERSION)
        return STT_PACKET_INVALID;
    return (enum stt_packet_kind)kind;
}

struct bytes stt_packet_before_mac1(enum stt_packet_kind kind, struct bytes packet)
{
    size_t macs = kind == STT_PACKET_MESSAGE_2 ? STT_MAC_BYTES : 2 * STT_MAC_BYTES;
    assert(kind >= STT_PACKET_MESSAGE_1 && kind <= STT_PACKET_MESSAGE_3 && packet.len >= macs);
    return (struct bytes){packet.data, packet.len - macs};
}

/* Reading. */

/* A cursor behind byte 0 and version; bad when the datagram is not a packet of this kind. */
static struct rd open_head(struct bytes datagram, enum stt_packet_kind kind, enum stt_mode *mode)
{
    struct rd r = rd_init(datagram);
    r.bad = stt_packet_handshake_kind(datagram) != kind;
    *mode = (enum stt_mode)(rd_u8(&r) & 15);
    rd_u8(&r);
    return r;
}

static struct stt_id rd_id(struct rd *r)
{
    struct stt_id id;
    rd_copy(r, id.bytes, sizeof id.bytes);
    if (stt_id_is_none(id))
        r->bad = true;
    return id;
}

static struct bytes rd_noise(struct rd *r)
{
    return rd_bytes(r, rd_u16(r));
}

/* Everything up to the last `tail` bytes. */
static void rd_padding(struct rd *r, size_t tail)
{
    if (rd_left(r) < tail || !bytes_all_zero(rd_bytes(r, rd_left(r) - tail)))
        r->bad = true;
}

bool stt_packet_message_1_decode(struct bytes datagram, struct packet_message_1 *f)
{
    struct rd r = open_head(datagram, STT_PACKET_MESSAGE_1, &f->mode);
    f->initiator = rd_id(&r);
    f->noise = rd_noise(&r);
    rd_padding(&r, 2 * STT_MAC_BYTES);
    rd_copy(&r, f->mac1, sizeof f->mac1);
    rd_copy(&r, f->mac2, sizeof f->mac2);
    return rd_is_done(&r);
}

bool stt_packet_message_2_decode(struct bytes datagram, struct packet_message_2 *f)
{
    struct rd r = open_head(datagram, STT_PACKET_MESSAGE_2, &f->mode);
    f->initiator = rd_id(&r);
    f->responder = rd_id(&r);
    f->noise = rd_noise(&r);
    rd_copy(&r, f->mac1, sizeof f->mac1);
    return rd_is_done(&r);
}

bool stt_packet_message_3_decode(struct bytes datagram, struct packet_message_3 *f)
{
    struct rd r = open_head(datagram, STT_PACKET_MESSAGE_3, &f->mode);
    f->responder = rd_id(&r);
    f->noise = rd_noise(&r);
    rd_copy(&r, f->mac1, sizeof f->mac1);
    rd_copy(&r, f->mac2, sizeof f->mac2);
    return rd_is_done(&r);
}

bool stt_packet_cookie_reply_decode(struct bytes datagram, struct packet_cookie_reply *f)
{
    struct rd r = open_head(datagram, STT_PACKET_COOKIE_REPLY, &f->mode);
    f->initiator = rd_id(&r);
    rd_copy(&r, f->nonce, sizeof f->nonce);
    rd_copy(&r, f->sealed_cookie, sizeof f->sealed_cookie);
    return rd_is_done(&r);
}

bool stt_packet_refused_decode(struct bytes datagram, struct packet_refused *f)
{
    struct rd r = open_head(datagram, STT_PACKET_REFUSED, &f->mode);
    f->initiator = rd_id(&r);
    rd_copy(&r, f->sealed_reason, sizeof f->sealed_reason);
    return rd_is_done(&r);
}

/* Writing. */

static void wr_head(struct wr *w, enum stt_packet_kind kind, enum stt_mode mode)
{
    if ((unsigned)mode > 15 || !(packet_rules[kind].modes >> mode & 1))
        w->bad = true;
    wr_u8(w, (uint8_t)(HANDSHAKE | (unsigned)kind << 4 | (unsigned)mode));
    wr_u8(w, STT_WIRE_VERSION);
}

static void wr_id(struct wr *w, struct stt_id id)
{
    if (stt_id_is_none(id))
        w->bad = true;
    wr_bytes(w, BYTES(id.bytes));
}

static void wr_noise(struct wr *w, struct bytes noise, size_t max)
{
    if (noise.len > max)
        w->bad = true;
    wr_u16(w, (uint16_t)noise.len);
    wr_bytes(w, noise);
}

/* All or nothing. */
static bool commit(struct wr *w, struct wr start)
{
    if (!w->bad)
        return true;
    *w = start;
    return false;
}

bool stt_packet_message_1_encode(struct wr *w, const struct packet_message_1 *f)
{
    struct wr start = *w;
    wr_head(w, STT_PACKET_MESSAGE_1, f->mode);
    wr_id(w, f->initiator);
    wr_noise(w, f->noise, STT_NOISE_BYTES_MAX_1);
    if (!w->bad)
        wr_zeros(w, STT_NOISE_BYTES_MAX_1 - f->noise.len);
    wr_bytes(w, BYTES(f->mac1));
    wr_bytes(w, BYTES(f->mac2));
    return commit(w, start);
}

bool stt_packet_message_2_encode(struct wr *w, const struct packet_message_2 *f)
{
    struct wr start = *w;
    wr_head(w, STT_PACKET_MESSAGE_2, f->mode);
    wr_id(w, f->initiator);
    wr_id(w, f->responder);
    wr_noise(w, f->noise, STT_NOISE_BYTES_MAX_2);
    wr_bytes(w, BYTES(f->mac1));
    return commit(w, start);
}

bool stt_packet_message_3_encode(struct wr *w, const struct packet_message_3 *f)
{
    struct wr start = *w;
    wr_head(w, STT_PACKET_MESSAGE_3, f->mode);
    wr_id(w, f->responder);
    wr_noise(w, f->noise, STT_NOISE_BYTES_MAX_3);
    wr_bytes(w, BYTES(f->mac1));
    wr_bytes(w, BYTES(f->mac2));
    return commit(w, start);
}

bool stt_packet_cookie_reply_encode(struct wr *w, const struct packet_cookie_reply *f)
{
    struct wr start = *w;
    wr_head(w, STT_PACKET_COOKIE_REPLY, f->mode);
    wr_id(w, f->initiator);
    wr_bytes(w, BYTES(f->nonce));
    wr_bytes(w, BYTES(f->sealed_cookie));
    return commit(w, start);
}

bool stt_packet_refused_encode(struct wr *w, const struct packet_refused *f)
{
    struct wr start = *w;
    wr_head(w, STT_PACKET_REFUSED, f->mode);
    wr_id(w, f->initiator);
    wr_bytes(w, BYTES(f->sealed_reason));
    return commit(w, start);
}
