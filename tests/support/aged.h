/* SPDX-License-Identifier: MIT
 * aged: sessions that have been through something. With STT_AGED in the environment each session
 * that world_connect or duo_connect makes is aged before the test goes on: its client's address
 * changes, it moves to IPv6, gets new keys by REKEY, moves to a byte stream, updates keys from both
 * sides, moves home, and its client's address changes once more. Then all is quiet, and what was
 * counted is as if the session had just opened: what holds for a fresh session must hold for it.
 *
 * An AGED_SUITE is run a second time in this way (tests/support/suite.h). */
#ifndef TESTS_SUPPORT_AGED_H
#define TESTS_SUPPORT_AGED_H

#include <stdbool.h>

struct duo;
struct world;

bool aged_is_wanted(void);

/* The latest session of both sides; a session that does not come through it fails the test. */
void aged_world(struct world *w);
void aged_duo(struct duo *d);

/* How many sessions were aged in this process. */
unsigned aged_sessions(void);

#endif
