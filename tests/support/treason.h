/* SPDX-License-Identifier: MIT
 * treason: what a peer says that holds the keys of a session and wants the other side to break:
 * frames that nearly make sense, in no order. */
#ifndef TESTS_SUPPORT_TREASON_H
#define TESTS_SUPPORT_TREASON_H

#include "tests/support/turmoil.h"

/* One packet of the traitor's arrives at the other side. */
void treason_say(struct turmoil *c, uint8_t kind, uint8_t a, uint8_t b);

#endif
