/* SPDX-License-Identifier: MIT
 * compare: what was asked for, and the parts of the verb.
 *
 *     compare.c   options, and who runs when
 *     run.c       one run of one system, its clock and its bytes
 *     session.c   STT      trains.c   UDP and the limit      tcp.c, tls.c   TCP, TLS over it
 *     cable.c     two network namespaces and a veth between them
 *     rows.c      medians, ratios, and what is demanded of them
 *     table.c     the report */
#ifndef TOOLS_STTBENCH_COMPARE_COMPARE_H
#define TOOLS_STTBENCH_COMPARE_COMPARE_H

#include "tools/sttbench/compare/cable.h"
#include "tools/sttbench/compare/rows.h"
#include "tools/sttbench/compare/run.h"
#include "tools/sttbench/report/report.h"
#include "tools/sttbench/shared/diagnosis.h"

struct compare_options {
    struct report_options report;
    bool veth, verify, copy, demand;
    const char *only;  /* "stt,limit" */
    const char *suite; /* "aegis-128l,aes-256-gcm" */
    uint32_t runs, mtu;
    stt_ns time_ns, warm_ns;
    const char *io, *preset;
    uint64_t ring_bytes;
    stt_ns spin_ns;
};

/* What a row needs beside its figures. */
struct compare_row {
    const struct compare_system *system;
    struct run_setup setup;
    char how[64];               /* "uring", "calls, 16 trains": how it was done */
    struct diagnosis diagnosis; /* STT's, of all timed runs */
    uint64_t lost;              /* packets, of all timed runs */
};

struct compare {
    struct compare_options options;
    struct report *report;
    struct cable cable;
    struct rows rows;
    struct compare_row more[ROWS_MAX]; /* of the same index */
};

void table_report(const struct compare *c, struct report *r);

#endif
