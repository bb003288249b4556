/* SPDX-License-Identifier: MIT
 * prompt: one line that a person types unseen. */
#ifndef TOOLS_COMMON_PROMPT_H
#define TOOLS_COMMON_PROMPT_H

#include <stddef.h>

enum prompt_answer {
    PROMPT_DONE,
    PROMPT_NO_TERMINAL,
    PROMPT_TOO_LONG,
    PROMPT_ENDED, /* by end of file, or by a signal that the program handles itself */
};

/* At the controlling terminal, whatever standard input is. The terminal is as it was before,
 * also where a signal ends or stops the program meanwhile; after a stop it is asked again. */
enum prompt_answer prompt_secret(char *out, size_t room, const char *prompt);

#endif
