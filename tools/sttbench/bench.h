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
 * what is wrong. Only the latter takes words that are no options. */
bool bench_options(struct option_set *set, int argc, char **argv, enum exits *exit);
bool bench_options_and_words(struct option_set *set, int argc, char **argv, enum exits *exit);

/* What there is: the verbs, a line each. */
const char *bench_about(void);

/* What is wrong with them, and what bench_VERB() answers then. */
enum exits bench_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* -- options that mean the same in every verb, behind name and letter; AT() is the verb's ---------
 */

#define BENCH_SUITES "aegis-128x2 aegis-128l aes-256-gcm chacha20-poly1305"

#define BENCH_FLAG(field)       0, OPTION_FLAG, AT(field)
#define BENCH_DURATION(field)   0, OPTION_DURATION, AT(field), .value = "TIME"
#define BENCH_TIME(field)       0, OPTION_DURATION, AT(field), .min = 10, .max = 86400000, .value = "TIME"
#define BENCH_RATE(field)       0, OPTION_RATE, AT(field), .value = "BITS"
#define BENCH_SIZE(field)       0, OPTION_SIZE, AT(field), .value = "SIZE"
#define BENCH_TEXT(field, name) 0, OPTION_TEXT, AT(field), .value = name
#define BENCH_NUMBER(field, least, most)                                                           \
    0, OPTION_NUMBER, AT(field), .min = (least), .max = (most), .value = "N"
#define BENCH_CHOICE(field, list, name)                                                            \
    0, OPTION_CHOICE, AT(field), .choices = (list), .value = name

#define BENCH_JSON   BENCH_FLAG(report.json), .help = "one JSON object on standard output"
#define BENCH_PLOT   BENCH_TEXT(report.plot, "FILE"), .help = "a picture: FILE.svg or FILE.html"
#define BENCH_DEMAND BENCH_FLAG(demand), .help = "a demand that is missed is an error, status 23"
#define BENCH_SUITE  BENCH_CHOICE(suite, BENCH_SUITES, "NAME"), .help = "the cipher suite (the best)"
#define BENCH_SUITE_OR_NULL                                                                        \
    BENCH_CHOICE(suite, BENCH_SUITES " null", "NAME"),                                             \
        .help = "the cipher suite (the best), or null for none"
#define BENCH_IO BENCH_CHOICE(io, "uring mmsg", "NAME"), .help = "the driver (uring if allowed)"
#define BENCH_PRESET                                                                               \
    BENCH_CHOICE(preset, "balanced low-latency high-throughput", "NAME"),                          \
        .help = "balanced, low-latency or high-throughput (balanced)"
#define BENCH_MTU(most)                                                                            \
    0, OPTION_NUMBER, AT(mtu), .min = 1200, .max = (most), .value = "BYTES",                       \
                               .help = "UDP payload of a datagram (1452)"

#endif
