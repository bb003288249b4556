/* SPDX-License-Identifier: MIT
 * packet: what a datagram is, and the headers of its packet; nothing here needs a key.
 *
 *     protected   | flags 1 | session id 8 | number 4 | ciphertext .. | tag 16 |
 *     handshake   | byte 0  | version 1    | ids, Noise message, macs: by kind |
 *
 * Decoded structs borrow from the datagram. Packet numbers are recovered by stt/base/number.h, and
 * masks taken off by crypto/. Spec 02, "Datagrams", "Handshake packets",
 * "Protected packets". */
#ifndef STT_WIRE_PACKET_H
#define STT_WIRE_PACKET_H

#include "stt/types.h"
#include "stt/wire/ids.h"
#include "stt/wire/limits.h"

#define STT_WIRE_VERSION 1

#define STT_MAC_BYTES           16
#define STT_COOKIE_NONCE_BYTES  24
#define STT_COOKIE_SEALED_BYTES 32
#define STT_REASON_SEALED_BYTES 17
#define STT_COOKIE_REPLY_BYTES  66
#define STT_REFUSED_BYTES       27
#define STT_CLEAR_BYTES_2       18 /* of message 2 before Noise Length */
#define STT_CLEAR_BYTES_3       10
#define STT_NOISE_BYTES_MAX_1   1156 /* that a Noise message may take in message 1 ... */
#define STT_NOISE_BYTES_MAX_2   1164
#define STT_NOISE_BYTES_MAX_3   1156
#define STT_PROTECTED_HEADER    13
#define STT_PROTECTED_TAG       16
#define STT_PROTECTED_BYTES_MIN 29
#define STT_PROTECTED_PHASE_BIT 0x01
#define STT_PROTECTED_RESERVED  0x7e

/* 1 to 5 are the Kind field of a handshake packet. */
enum stt_packet_kind {
    STT_PACKET_INVALID = 0, /* drop and count */
    STT_PACKET_MESSAGE_1 = 1,
    STT_PACKET_MESSAGE_2 = 2,
    STT_PACKET_MESSAGE_3 = 3,
    STT_PACKET_COOKIE_REPLY = 4,
    STT_PACKET_REFUSED = 5,
    STT_PACKET_PROTECTED = 8,
};

struct packet_message_1 {
    enum stt_mode mode;
    struct stt_id initiator;
    struct bytes noise;
    uint8_t mac1[STT_MAC_BYTES];
    uint8_t mac2[STT_MAC_BYTES]; /* zeros without a cookie */
};

struct packet_message_2 {
    enum stt_mode mode;
    struct stt_id initiator;
    struct stt_id responder;
    struct bytes noise;
    uint8_t mac1[STT_MAC_BYTES];
};

struct packet_message_3 {
    enum stt_mode mode;
    struct stt_id responder;
    struct bytes noise;
    uint8_t mac1[STT_MAC_BYTES];
    uint8_t mac2[STT_MAC_BYTES];
};

struct packet_cookie_reply {
    enum stt_mode mode;
    struct stt_id initiator;
    uint8_t nonce[STT_COOKIE_NONCE_BYTES];
    uint8_t sealed_cookie[STT_COOKIE_SEALED_BYTES];
};

struct packet_refused {
    enum stt_mode mode;
    struct stt_id initiator;
    uint8_t sealed_reason[STT_REASON_SEALED_BYTES];
};

/* Unmasked. Reserved bits are judged only after the packet has been opened. */
struct packet_protected {
    uint8_t flags;
    struct stt_id id;
    uint32_t number; /* the low 32 bits */
};

/* A handshake packet's kind by length, kind, mode and version alone. */
enum stt_packet_kind stt_packet_handshake_kind(struct bytes datagram);

/* Each is false for what the spec refuses; nothing in f counts then. */
bool stt_packet_message_1_decode(struct bytes datagram, struct packet_message_1 *f) STT_MUST_USE;
bool stt_packet_message_2_decode(struct bytes datagram, struct packet_message_2 *f) STT_MUST_USE;
bool stt_packet_message_3_decode(struct bytes datagram, struct packet_message_3 *f) STT_MUST_USE;
bool stt_packet_cookie_reply_decode(struct bytes datagram,
                                    struct packet_cookie_reply *f) STT_MUST_USE;
bool stt_packet_refused_decode(struct bytes datagram, struct packet_refused *f) STT_MUST_USE;

/* Each writes a whole packet, or answers false when there is no room or f is not valid; then w is
 * as it was. The macs, which cover what is written, are usually put in afterwards. */
bool stt_packet_message_1_encode(struct wr *w, const struct packet_message_1 *f) STT_MUST_USE;
bool stt_packet_message_2_encode(struct wr *w, const struct packet_message_2 *f) STT_MUST_USE;
bool stt_packet_message_3_encode(struct wr *w, const struct packet_message_3 *f) STT_MUST_USE;
bool stt_packet_cookie_reply_encode(struct wr *w, const struct packet_cookie_reply *f) STT_MUST_USE;
bool stt_packet_refused_encode(struct wr *w, const struct packet_refused *f) STT_MUST_USE;

/* What mac1 covers in an encoded message 1, 2 or 3, which ends where mac1 stands; mac2, where there
 * is one, stands right behind mac1 and covers it, too. */
struct bytes stt_packet_before_mac1(enum stt_packet_kind kind, struct bytes packet);

static inline enum stt_packet_kind stt_packet_classify(struct bytes datagram)
{
    if (datagram.len == 0)
        return STT_PACKET_INVALID;
    if (datagram.data[0] & 0x80)
        return stt_packet_handshake_kind(datagram);
    return datagram.len >= STT_PROTECTED_BYTES_MIN ? STT_PACKET_PROTECTED : STT_PACKET_INVALID;
}

/* Only of a packet with a valid mode, as every classified handshake packet has. */
static inline enum stt_mode stt_packet_mode(struct bytes datagram)
{
    return (enum stt_mode)(datagram.data[0] & 0x0f);
}

/* The id that a classified packet is found, and steered to its worker, by. */
static inline struct stt_id stt_packet_id(struct bytes datagram)
{
    return stt_id_of(datagram.data + (datagram.data[0] & 0x80 ? 2 : 1));
}

static inline void stt_packet_protected_encode(uint8_t out[STT_PROTECTED_HEADER], bool phase,
                                               struct stt_id id, uint64_t number)
{
    out[0] = phase;
    memcpy(out + 1, id.bytes, sizeof id.bytes);
    be32_store(out + 9, (uint32_t)number);
}

static inline struct packet_protected
stt_packet_protected_decode(const uint8_t header[STT_PROTECTED_HEADER])
{
    return (struct packet_protected){
        .flags = header[0],
        .id = stt_id_of(header + 1),
        .number = be32_load(header + 9),
    };
}

#endif
