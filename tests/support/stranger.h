/* SPDX-License-Identifier: MIT
 * stranger: somebody who speaks to a world's server by hand, one handshake message at a time, and
 * hears what comes back.
 *
 *     struct stranger s;
 *     stranger_join(&s, &w, STT_MODE_W, 100);             10.0.0.100:4000, with a link each way
 *     stranger_begin(&s);                                 another message 1, not yet sent
 *     stranger_send(&s);
 *     world_run_for(&w, STT_MS(100));
 *     ... s.heard.seen[STT_PACKET_COOKIE_REPLY] ...
 */
#ifndef TESTS_SUPPORT_STRANGER_H
#define TESTS_SUPPORT_STRANGER_H

#include "tests/support/handshakes.h"
#include "tests/support/rng.h"
#include "tests/support/tap.h"
#include "tests/support/world.h"

/* Must not move. */
struct stranger {
    struct handshake_play play; /* ours is the initiator; of the responder only what is public */
    struct stt_sim *sim;
    struct rng rng;
    struct stt_address address, server;
    struct tap heard; /* what the server sends here */
    uint8_t cookie[STT_COOKIE_BYTES];
};

/* Knows the server's peer id and, unless it is mode K, its first seed. */
void stranger_join(struct stranger *s, struct world *w, enum stt_mode mode, uint32_t number);

/* A code that somebody said. */
void stranger_hear_code(struct stranger *s, const char *code);

/* Message 1 under a fresh key. */
void stranger_begin(struct stranger *s);

/* After a change of the packet that is out: mac1 fits again, and there is no mac2. */
void stranger_put_mac1(struct stranger *s);

/* Opens the cookie reply that came last, and keeps the cookie; puts mac2 under it. */
bool stranger_take_cookie(struct stranger *s) STT_MUST_USE;
void stranger_put_mac2(struct stranger *s);

/* The packet that is out, from its own address or any other. */
void stranger_send(struct stranger *s);
void stranger_send_from(struct stranger *s, const struct stt_address *from);

#endif
