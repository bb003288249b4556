/* SPDX-License-Identifier: MIT
 * allow: a file of those who may come: one peer id a line, comments behind '#'. */
#ifndef TOOLS_COMMON_ALLOW_H
#define TOOLS_COMMON_ALLOW_H

#include "stt/identity.h"
#include "tools/common/options.h"

/* Hands each id to `each`, which answers STT_OK or an error, as stt_endpoint_allow() does. False:
 * `why` names the file, and the line where there is one; those before it have been handed over. A
 * list with nobody in it is refused. */
bool allow_read(const char *path, int (*each)(void *ctx, const struct stt_peer_id *id), void *ctx,
                char why[OPTION_WHY_ROOM]);

#endif
