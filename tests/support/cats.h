/* SPDX-License-Identifier: MIT
 * cats: two sttcats that share a seed, a listener and who goes to it, in a folder of their own.
 * What tests of the program begin with. */
#ifndef TESTS_SUPPORT_CATS_H
#define TESTS_SUPPORT_CATS_H

#include "tests/support/programs.h"
#include "tools/common/exits.h"

/* What they end with, in one word. */
enum {
    DONE = EXIT_DONE,
    USAGE = EXIT_USAGE,
    NO_ANSWER = EXIT_NO_ANSWER,
    REFUSED = EXIT_REFUSED,
    PROVEN_WRONG = EXIT_PROVEN_WRONG,
    NETWORK = EXIT_NETWORK,
    LOCAL_IO = EXIT_LOCAL_IO,
    EXISTS = EXIT_EXISTS,
    PARTIAL = EXIT_PARTIAL,
    TIMEOUT = EXIT_TIMEOUT,
    INTERRUPTED = EXIT_SIGNAL + 2,
};
enum { MIB = 1 << 20, IOS = PROGRAMS_IOS };
#define CAT "sttcat --seed-file seed"

/* Of the test that runs. */
extern struct programs p;
extern uint16_t port;

/* False: this machine has no such driver; NULL is any. */
bool cats_begin(const char *io);

/* At this port; their input and output are said by the words. Who listens does so already; who is
 * fed gets his input from the test. */
struct job *listener(const char *words);
struct job *fed_listener(const char *words);
struct job *client(const char *words);
struct job *fed_client(const char *words);

#endif
