/* SPDX-License-Identifier: MIT
 * turmoil: two endpoints, a network that does what the input says, and hosts that do with streams
 * and datagrams what the input says; or one host, and a peer that seals what the input says with
 * the keys of the session. Then the network is honest again, and memory whole, and everything that
 * was written must arrive within bounded time, and nothing must be left of it.
 *
 *     turmoil_live(bytes_of(input, len));
 *
 * What may not be stops the program. Input: 5 bytes of configuration (see turmoil.c), then
 * operations of 3 bytes: kind, and two arguments.
 *
 *     turmoil  the life: configuration, time, the end          deeds    what hosts do
 *     ether    the network                                     treason  what a traitor says
 *     ledger   what may be read                                wiring   what must hold inside */
#ifndef TESTS_SUPPORT_TURMOIL_H
#define TESTS_SUPPORT_TURMOIL_H

#include "stt/base/bytes.h"
#include "tests/support/duo.h"
#include "tests/support/ether.h"
#include "tests/support/ledger.h"
#include "tests/support/wiring.h"

struct turmoil {
    struct duo duo;
    struct ether ether;
    struct ledger ledger;
    struct wiring wiring[2];
    struct rd input;
    bool has_traitor, is_closed; /* closed: a host has said so */
    unsigned traitor;            /* his side */
    uint64_t more_bytes;         /* written to each stream when the network is honest again */
    uint64_t goal[LEDGER_STREAMS_MAX][2];
    bool hurries;         /* hosts do all that events ask for, and want to end */
    size_t idle_bytes[2]; /* before the first stream */
    stt_ns took_ns;       /* from then on until everything had ended */
};

static inline struct duo_side *turmoil_side(struct turmoil *c, unsigned s)
{
    return s ? &c->duo.server : &c->duo.client;
}

/* Answers how long it took until everything had ended. */
stt_ns turmoil_live(struct bytes input);

#endif
