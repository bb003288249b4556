/* SPDX-License-Identifier: MIT
 * flags: what the user has asked of sttbench -s and -c, read and checked; nothing has happened yet.
 */
#ifndef TOOLS_STTBENCH_TRANSFER_FLAGS_H
#define TOOLS_STTBENCH_TRANSFER_FLAGS_H

#include "tools/sttbench/bench.h"
#include "tools/sttbench/transfer/talk.h"

enum { FLAGS_CPU_NONE = UINT32_MAX, FLAGS_PLACE_ROOM = 320 };

/* As given; the table in flags.c says what sets what. */
struct flags {
    bool is_server;
    const char *host; /* of -c */
    const char *bind;
    uint32_t port, streams, affinity, mtu, dscp;
    stt_ns duration, interval, omit, connect_timeout, timeout;
    uint64_t bytes, block, rate, window, socket_buffer;
    bool reverse, bidir, json, json_stream, one_off, daemon, no_verify, ipv4, ipv6;
    const char *logfile, *pidfile, *title, *preset, *congestion, *suite, *io, *dscp_name;
    const char *identity, *peer, *seed_file, *plot;

    struct option_texts words;    /* there should be none */
    struct talk_test test;        /* with -c: what is asked of the server */
    char place[FLAGS_PLACE_ROOM]; /* "host:port"; with -s "port" or "address:port" */
};

/* False: it is over, with *exit; what is wrong has been said. */
bool flags_read(struct flags *flags, int argc, char **argv, enum exits *exit);

#endif
