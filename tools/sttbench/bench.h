/* SPDX-License-Identifier: MIT
 * sttbench: its verbs, one function each; argv[0] is "sttbench VERB". Without a verb it is the
 * client or the server of a measurement between two machines. */
#ifndef TOOLS_STTBENCH_BENCH_H
#define TOOLS_STTBENCH_BENCH_H

#include "tools/common/exits.h"
#include "tools/common/options.h"

#define BENCH_VERBS(X)                                                                             \
    X(compare, "STT beside TCP, TLS, plain UDP and the limit, on this machine")                    \
    X(latency, "round trips of 64 bytes, idle and beside a bulk stream")                           \
    X(handshake, "full handshakes per second and their time, in each mode")                        \
    X(sessions, "idle sessions from one process: memory, keep-alive, time to establish")           \
    X(streams, "streams at once: fairness, and what loss does to those beside it")                 \
    X(link, "the protocol over a simulated path, or a matrix of them")                             \
    X(engine, "the bare engine from memory to memory: nanoseconds per packet")                     \
    X(chaos, "random scenarios with every fault at once")                                          \
    X(cpu, "where the cycles go: crypto, kernel, protocol, copy")                                  \
    X(doctor, "what this machine is set up for, and one line that mends it")

#define X(verb, about) enum exits bench_##verb(int argc, char **argv);
BENCH_VERBS(X)
#undef X
enum exits bench_transfer(int argc, char **argv); /* iperf3's flags */

/* Flags, then STT_*, then ~/.config/stt/config. False: it is over, with *exit: answered -h, or said
 * what is wrong. */
bool bench_options(struct option_set *set, int argc, char **argv, enum exits *exit);

#endif
