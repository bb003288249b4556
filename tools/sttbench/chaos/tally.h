/* SPDX-License-Identifier: MIT
 * tally: how often things happened, over all scenarios. What is never met is not tested, and says
 * so. */
#ifndef TOOLS_STTBENCH_CHAOS_TALLY_H
#define TOOLS_STTBENCH_CHAOS_TALLY_H

#include "tools/sttbench/report/report.h"

#include <stdint.h>

/* What a few thousand scenarios must have met. */
#define TALLY_THINGS(X)                                                                            \
    X(connected_k, "connects in mode K")                                                           \
    X(connected_s, "in mode S")                                                                    \
    X(connected_w, "in mode W")                                                                    \
    X(accepted, "accepted")                                                                        \
    X(calm_connects, "connected again when it was calm")                                           \
    X(survived, "sessions that lived to the end")                                                  \
    X(closed_here, "sessions closed here")                                                         \
    X(closed_there, "closed by the peer")                                                          \
    X(timed_out, "timed out")                                                                      \
    X(no_answer, "connects without an answer")                                                     \
    X(out_of_memory, "sessions ended for lack of memory")                                          \
    X(other_key, "connects to somebody else")                                                      \
    X(wrong_code, "connects with a wrong code")                                                    \
    X(replaced, "replaced by the peer's connect")                                                  \
    X(other_application, "of another application")                                                 \
    X(forked, "ended by a fork")                                                                   \
    X(streams, "streams opened")                                                                   \
    X(bytes, "bytes read and compared")                                                            \
    X(messages, "messages read and compared")                                                      \
    X(skipped, "messages given up")                                                                \
    X(finished, "directions finished")                                                             \
    X(witnessed, "of those: seen complete at the peer")                                            \
    X(ended, "streams ended")                                                                      \
    X(resets, "resets heard")                                                                      \
    X(stops, "stops heard")                                                                        \
    X(no_streams_left, "opens refused: too many streams")                                          \
    X(no_memory, "calls refused: no memory")                                                       \
    X(blocked, "writes without room")                                                              \
    X(datagrams, "datagrams read and compared")                                                    \
    X(fates_acked, "datagrams acknowledged")                                                       \
    X(fates_lost, "datagrams told as lost")                                                        \
    X(stalled, "sessions stalled")                                                                 \
    X(resumed, "and resumed")                                                                      \
    X(moved, "path changes")                                                                       \
    X(streams_allowed, "times that more streams were allowed")                                     \
    X(stayed, "moves that failed")                                                                 \
    X(on_byte_stream, "sessions that were on a byte stream")                                       \
    X(key_updates, "key updates asked for")                                                        \
    X(sealed, "packets sealed, each under a number of its own")                                    \
    X(failed_allocations, "allocations that failed")                                               \
    X(dry_times, "times without entropy")                                                          \
    X(deaf_times, "times in which a host did not listen")                                          \
    X(suspends, "suspends")                                                                        \
    X(kills, "kills")                                                                              \
    X(restarts_failed, "restarts that failed")                                                     \
    X(rebinds, "NAT rebinds")                                                                      \
    X(refused_by_nats, "datagrams that a NAT refused")                                             \
    X(address_moves, "address changes")                                                            \
    X(blackouts, "blackouts")                                                                      \
    X(link_changes, "link changes")                                                                \
    X(replayed, "datagrams replayed")                                                              \
    X(forged, "forged")                                                                            \
    X(spoofed, "copied from elsewhere")                                                            \
    X(reflected, "reflected")                                                                      \
    X(held, "held back")                                                                           \
    X(flooded, "of a flood")                                                                       \
    X(strangers, "handshakes of strangers")                                                        \
    X(lost, "datagrams lost by chance")                                                            \
    X(lost_in_bursts, "in bursts")                                                                 \
    X(queue_full, "in full queues")                                                                \
    X(policed, "policed")                                                                          \
    X(too_large, "too large")                                                                      \
    X(corrupted, "corrupted")                                                                      \
    X(duplicated, "duplicated")                                                                    \
    X(reordered, "reordered")                                                                      \
    X(marked, "marked")

struct tally {
#define X(name, text) uint64_t name;
    TALLY_THINGS(X)
#undef X
    uint64_t slowest_percent; /* of the time that a calm end may take */
    uint64_t fullest_percent; /* of the memory that a node may take */
};

void tally_add(struct tally *to, const struct tally *from);
/* A table of all of them. */
void tally_report(const struct tally *t, struct report *r);
/* The first thing that was never met, or NULL. */
const char *tally_missing(const struct tally *t);

#endif
