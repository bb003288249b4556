/* SPDX-License-Identifier: MIT
 * Any datagram: at most one decoder takes it, the one of its kind; and what it took is written
 * again byte for byte, since handshake packets have one form only. Input: the datagram. */
#include "stt/wire/packet.h"

#include "stt/base/number.h"
#include "tests/support/fuzz.h"

static uint8_t out[STT_HANDSHAKE_BYTES];

#define CHECK_KIND(kind, name, datagram)                                                           \
    do {                                                                                           \
        struct packet_##name f;                                                                    \
        struct wr w = wr_init(out, sizeof out);                                                    \
        if (!stt_packet_##name##_decode(datagram, &f))                                             \
            break;                                                                                 \
        FUZZ_ASSERT(stt_packet_classify(datagram) == (kind));                                      \
        FUZZ_ASSERT(stt_packet_mode(datagram) == f.mode);                                          \
        FUZZ_ASSERT(stt_packet_##name##_encode(&w, &f));                                           \
        FUZZ_ASSERT(bytes_equal(wr_done(&w), datagram));                                           \
        w = wr_init(out, (datagram).len - 1);                                                      \
        FUZZ_ASSERT(!stt_packet_##name##_encode(&w, &f) && wr_len(&w) == 0);                       \
    } while (0)

static void check_protected(struct bytes datagram)
{
    struct packet_protected f = stt_packet_protected_decode(datagram.data);
    uint8_t header[STT_PROTECTED_HEADER];
    FUZZ_ASSERT(stt_id_equal(f.id, stt_packet_id(datagram)) && !(f.flags & 0x80));
    stt_packet_protected_encode(header, f.flags & STT_PROTECTED_PHASE_BIT, f.id, f.number);
    header[0] |= f.flags & STT_PROTECTED_RESERVED;
    FUZZ_ASSERT(memcmp(header, datagram.data, sizeof header) == 0);

    uint64_t expected = be64_load(datagram.data + STT_PROTECTED_HEADER) >> 2;
    uint64_t number = stt_number_recover(expected, f.number), half = UINT64_C(1) << 31;
    FUZZ_ASSERT((uint32_t)number == f.number && number < STT_NUMBER_END);
    uint64_t distance = number > expected ? number - expected : expected - number;
    FUZZ_ASSERT(distance <= half || expected < half || expected >= STT_NUMBER_END - half);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes datagram = bytes_of(data, size);
    enum stt_packet_kind kind = stt_packet_classify(datagram);
    CHECK_KIND(STT_PACKET_MESSAGE_1, message_1, datagram);
    CHECK_KIND(STT_PACKET_MESSAGE_2, message_2, datagram);
    CHECK_KIND(STT_PACKET_MESSAGE_3, message_3, datagram);
    CHECK_KIND(STT_PACKET_COOKIE_REPLY, cookie_reply, datagram);
    CHECK_KIND(STT_PACKET_REFUSED, refused, datagram);
    if (kind == STT_PACKET_PROTECTED)
        check_protected(datagram);
    else if (kind != STT_PACKET_INVALID)
        FUZZ_ASSERT(memcmp(stt_packet_id(datagram).bytes, data + 2, STT_ID_BYTES) == 0);
    return 0;
}
