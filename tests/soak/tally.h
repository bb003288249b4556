/* SPDX-License-Identifier: MIT
 * tally: how often things were met: a soak that met none of something has not tried it. */
#ifndef TESTS_SOAK_TALLY_H
#define TESTS_SOAK_TALLY_H

#include <stdint.h>

/* Of each at least one a day. */
#define TALLY_THINGS(X)                                                                            \
    X(visits, "handshakes of guests")                                                              \
    X(kills, "guests that vanished")                                                               \
    X(streams, "streams that came and went")                                                       \
    X(resets, "of these, reset")                                                                   \
    X(stops, "of these, stopped")                                                                  \
    X(bytes, "stream bytes compared")                                                              \
    X(messages, "messages compared")                                                               \
    X(skipped, "messages given up after their deadline")                                           \
    X(datagrams, "datagrams compared")                                                             \
    X(fates, "datagrams whose fate was told")                                                      \
    X(key_updates, "key updates asked for")                                                        \
    X(moves, "deliberate moves that succeeded")                                                    \
    X(address_changes, "addresses and NAT mappings that changed")                                  \
    X(path_events, "changes of path that hosts heard of")                                          \
    X(blackouts, "blackouts")                                                                      \
    X(stalls, "sessions that stalled and came back")                                               \
    X(leaps, "times that packet numbers were left out up to 2^32")                                 \
    X(idle_hours, "hours in which nobody said anything")

struct tally {
#define X(name, text) uint64_t name;
    TALLY_THINGS(X)
#undef X
};

#endif
