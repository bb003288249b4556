/* SPDX-License-Identifier: MIT
 * command: a program of the user's, with pipes to and from it. */
#ifndef TOOLS_STTCAT_COMMAND_H
#define TOOLS_STTCAT_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct command {
    pid_t pid;         /* 0: none */
    int input, output; /* our ends: what it reads, what it writes; the caller closes them */
    int watch;         /* on what it has not read; 0: none */
    bool is_over;
    int status; /* as of wait() */
};

/* /bin/sh -c text, in a process group of its own; false: errno. */
bool command_begin(struct command *c, const char *text);
/* Looks whether it has ended; true, as often as it is asked then. */
bool command_is_over(struct command *c);
/* Before its input is closed, which is `fd`: what it leaves there can be seen afterwards. */
bool command_watch_input(struct command *c, int fd);
bool command_left_bytes(const struct command *c);
/* SIGHUP to its group, if it still runs, or what it has started does and should not. */
void command_end(struct command *c, bool is_broken);
/* When children have changed: what was ended so has gone for good. */
void command_reap(void);
/* "status 3", "signal 9". */
const char *command_status(const struct command *c, char out[32]);

#endif
