/* SPDX-License-Identifier: MIT
 * server: sttbench -s: one test at a time, until it is stopped. */
#ifndef TOOLS_STTBENCH_TRANSFER_SERVER_H
#define TOOLS_STTBENCH_TRANSFER_SERVER_H

#include "tools/sttbench/transfer/output.h"

/* `listens` is called when it does: who started a daemon waits for that. */
enum exits server_run(const struct flags *flags, const struct output *output,
                      void (*listens)(void));

#endif
