/* SPDX-License-Identifier: MIT
 * plan: what the user has asked of sttcat, read and checked; nothing has happened yet. */
#ifndef TOOLS_STTCAT_PLAN_H
#define TOOLS_STTCAT_PLAN_H

#include "stt/node.h"
#include "tools/common/options.h"
#include "tools/sttcat/wire.h"

/* As given; the table in plan.c says what sets what. */
struct plan_flags {
    bool listen, keep_open, ipv4, ipv6, numeric, scan, no_stdin, send_only, recv_only, code;
    bool progress, quiet, json, stats, raw;
    int verbose;
    stt_ns connect_timeout, idle_timeout, keep_alive, timeout;
    const char *source, *source_port, *identity, *peer, *seed_file, *allow_file, *ticket_file,
        *recv, *exec;
    const char *preset, *congestion, *dscp, *io, *trace, *keylog, *application, *forget;
    const char *seed_fd, *code_fd;
    struct option_texts allow, send, forward, permit;
    uint32_t streams, mtu;
    uint64_t rate;
};

struct plan {
    struct plan_flags flags;
    enum wire_job job;
    bool gives, takes; /* job files and pipe; what HELLO says */
    const char *to;    /* "host:port", or a ticket; NULL with listen */
    const char *at;    /* "port", "address:port" */
    struct option_texts words;
    char to_room[300], at_room[300];
    uint32_t lanes;
    bool is_durable; /* our identity is one to be remembered; cat.c finds out */
    uint8_t dscp;
};

/* False: `why` is one sentence. */
bool plan_read(struct plan *plan, int argc, char **argv, bool *is_over, char why[OPTION_WHY_ROOM]);

#endif
