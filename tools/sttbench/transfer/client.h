/* SPDX-License-Identifier: MIT
 * client: sttbench -c, from the connect to its exit status. */
#ifndef TOOLS_STTBENCH_TRANSFER_CLIENT_H
#define TOOLS_STTBENCH_TRANSFER_CLIENT_H

#include "tools/sttbench/transfer/output.h"

enum exits client_run(const struct flags *flags, const struct output *output);

#endif
