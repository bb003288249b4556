/* SPDX-License-Identifier: MIT
 * target: where forwarded connections begin and where they go, as texts, and which of them a
 * responder permits (spec 10, "Forward").
 *
 *     target     HOST:PORT, [IPv6]:PORT or unix:PATH
 *     forward    [ADDRESS:]PORT:target or unix:PATH:target
 *     permit     target, HOST:* or any */
#ifndef TOOLS_STTCAT_TARGET_H
#define TOOLS_STTCAT_TARGET_H

#include "stt/base/bytes.h"
#include "tools/common/options.h"

enum {
    TARGET_TEXT_MAX = 320,
    TARGET_HOST_ROOM = 256,
    TARGET_PATH_MAX = 107, /* what a unix socket can be called */
};

struct target {
    bool is_unix;
    uint16_t port;               /* local: 0 is any */
    char host[TARGET_HOST_ROOM]; /* without brackets; local: "" is loopback, "*" is all */
    char path[TARGET_PATH_MAX + 1];
};

struct target_forward {
    struct target local;
    char remote[TARGET_TEXT_MAX + 1]; /* as it is asked for */
};

/* What somebody else asks for, or the user; one text for each target, but for the names of hosts.
 */
bool target_parse(struct target *out, struct bytes text);
/* False: `why` is one sentence. */
bool target_parse_forward(struct target_forward *out, const char *text, char why[OPTION_WHY_ROOM]);

/* For plan.c, which keeps the texts. */
bool target_check_forward(const char *text, char why[OPTION_WHY_ROOM]);
bool target_check_permit(const char *text, char why[OPTION_WHY_ROOM]);

/* Compares texts, and nothing that they may stand for: a name is permitted, not its addresses. */
bool target_is_permitted(const struct option_texts *permits, struct bytes text);

#endif
