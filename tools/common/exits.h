/* SPDX-License-Identifier: MIT
 * With what the tools end, all of them. */
#ifndef TOOLS_COMMON_EXITS_H
#define TOOLS_COMMON_EXITS_H

enum exits {
    EXIT_DONE = 0, /* and verified */
    EXIT_USAGE = 2,
    EXIT_NO_ANSWER = 3,
    EXIT_REFUSED = 4,
    EXIT_PROVEN_WRONG = 5, /* an identity or a secret */
    EXIT_NETWORK = 10,
    EXIT_LOCAL_IO = 11,
    EXIT_INTEGRITY = 12,
    EXIT_EXISTS = 13,
    EXIT_PARTIAL = 23,
    EXIT_TIMEOUT = 30,
    EXIT_SIGNAL = 128, /* and the signal's number */
};

#endif
