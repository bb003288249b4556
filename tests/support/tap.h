/* SPDX-License-Identifier: MIT
 * tap: what enters a link, by kind of packet: counted, kept, lost or edited.
 *
 *     struct tap tap = {.lose[STT_PACKET_MESSAGE_2] = 3};         the first three
 *     tap_on(&tap, w.sim, w.links.back);
 *     ...
 *     tap_inject(&tap.kept[STT_PACKET_MESSAGE_2], w.sim);         the latest once more
 */
#ifndef TESTS_SUPPORT_TAP_H
#define TESTS_SUPPORT_TAP_H

#include "stt/sim.h"
#include "stt/wire/packet.h"

enum { TAP_KINDS = STT_PACKET_PROTECTED + 1 };

struct tap_copy {
    struct stt_address from, to;
    size_t len;
    uint8_t data[STT_HANDSHAKE_BYTES];
};

/* Must not move. */
struct tap {
    uint64_t seen[TAP_KINDS];        /* how many of each kind ... */
    stt_ns at[TAP_KINDS];            /* ... and when the latest came */
    struct tap_copy kept[TAP_KINDS]; /* the latest of each kind, as it was sent */
    uint64_t lose[TAP_KINDS];        /* the first so many are lost */
    /* May change what goes on; NULL: nobody does. */
    void (*edit)(struct stt_sim_datagram *d, enum stt_packet_kind kind);
};
void tap_on(struct tap *tap, struct stt_sim *sim, stt_sim_link link);

/* Right at its destination's door. */
void tap_inject(const struct tap_copy *copy, struct stt_sim *sim);

#endif
