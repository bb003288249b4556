/* SPDX-License-Identifier: MIT
 * sttkey: identities, seeds and tickets, made and looked at. What the commands have in common. */
#ifndef TOOLS_STTKEY_STTKEY_H
#define TOOLS_STTKEY_STTKEY_H

#include "tools/common/exits.h"
#include "tools/common/options.h"

struct key_flags {
    const char *output, *identity, *seed_file, *seed_fd;
    bool force;
};

/* What was asked for: the command's own words, `n` of them. */
struct request {
    struct key_flags flags;
    const char *const *words;
    uint32_t n;
};

/* Each says what is wrong on stderr, and answers with what the program ends. */
enum exits keys_gen(const struct request *r);
enum exits keys_pub(const struct request *r);
enum exits keys_seed(const struct request *r);
enum exits keys_check(const struct request *r);
enum exits ticket_make(const struct request *r);

/* An error of stt/keyfile.h. */
enum exits keys_refuse(int error, const char *why);
/* A line on stdout; no buffer keeps it. False: `what` could not be told, as it says. */
bool keys_print(const char *line, const char *what);

#endif
