/* SPDX-License-Identifier: MIT
 * report: what is seen of a transfer: the line of progress, the numbers at the end, trace and key
 * log. */
#ifndef TOOLS_STTCAT_REPORT_H
#define TOOLS_STTCAT_REPORT_H

#include "tools/sttcat/peer.h"

/* The files of --trace and --keylog, and the hooks that write to them. Else *exits and `why`. */
bool report_open(const struct plan *plan, struct stt_node_config *config, int *exits,
                 char why[OPTION_WHY_ROOM]);
/* False: not all of it could be written. */
bool report_close(void);

/* In each turn: at most ten times a second it says how far this peer is; NULL: nobody. */
void report_progress(struct loop *loop, const struct plan *plan, const struct peer *p);

void report_connected(const struct peer *p);
/* Last words, before the session is forgotten. */
void report_end(const struct peer *p);

#endif
