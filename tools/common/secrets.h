/* SPDX-License-Identifier: MIT
 * secrets: where the tools get them from: files, descriptors, the environment, a person at a
 * terminal; never arguments. What is given back is the caller's to wipe; copies are wiped here.
 *
 * A `why` is one sentence and never holds a part of a secret. */
#ifndef TOOLS_COMMON_SECRETS_H
#define TOOLS_COMMON_SECRETS_H

#include "stt/identity.h"
#include "tools/common/options.h"

enum { SECRETS_CODE_ROOM = 1024 };

/* No core dumps of this process, and no other one of the same user looks into it. */
void secrets_protect_process(void);

/* False if a secret stands among the arguments, where everybody can read it. */
bool secrets_check_arguments(int argc, char **argv, char why[OPTION_WHY_ROOM]);

/* The identity of a key file. Without a path: of ~/.config/stt/identity if that is there, else one
 * for this time only (*is_durable says which). All zeros when it is refused. */
bool secrets_identity(struct stt_identity *out, bool *is_durable, const char *path,
                      char why[OPTION_WHY_ROOM]);

/* Of a file, or of a descriptor (a number as text), or of STT_SEED; either may be NULL. STT_SEED is
 * gone from the environment then, used or not. *has: there was one. */
bool secrets_seed(struct stt_seed *out, bool *has, const char *file, const char *fd,
                  char why[OPTION_WHY_ROOM]);

/* One line of a descriptor, or STT_CODE, which is gone then, or what somebody types at the terminal
 * after `prompt`, unseen. From a descriptor not a byte more than the line is read. */
bool secrets_code(char out[SECRETS_CODE_ROOM], const char *fd, bool may_prompt, const char *prompt,
                  char why[OPTION_WHY_ROOM]);

#endif
