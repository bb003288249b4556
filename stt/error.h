/* SPDX-License-Identifier: MIT
 * What a call can answer. Bytes from the network are never an error to the caller; resources and
 * wrong arguments are, and leave the object unchanged. */
#ifndef STT_ERROR_H
#define STT_ERROR_H

#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*       name              value  sentence for people                                            */
#define STT_ERRORS(X)                                                                              \
    X(STT_OK, 0, "no error")                                                                       \
    X(STT_E_ARGUMENT, -1, "an argument is outside of what this call accepts")                      \
    X(STT_E_MEMORY, -2, "out of memory, or over a configured memory limit")                        \
    X(STT_E_LIMIT, -3, "a configured limit is reached; close something or raise the limit")        \
    X(STT_E_AGAIN, -4, "nothing can be done now; wait for the next event and try again")           \
    X(STT_E_STALE, -5, "this id names something that has ended")                                   \
    X(STT_E_STATE, -6, "not possible in the present state")                                        \
    X(STT_E_CRYPTO, -7, "a key, signature or tag is not valid")                                    \
    X(STT_E_UNSUPPORTED, -8, "this machine or build does not support it")                          \
    X(STT_E_EXISTS, -9, "it is taken or exists already, and is never overwritten")                 \
    X(STT_E_NOT_FOUND, -10, "no such file, name or entry")                                         \
    X(STT_E_PERMISSION, -11, "permission denied, or a secret is readable by others")               \
    X(STT_E_IO, -12, "the operating system reported an input or output error")                     \
    X(STT_E_FORMAT, -13, "the text or file is malformed")                                          \
    X(STT_E_FORKED, -14, "the process forked; secrets do not survive a fork")                      \
    X(STT_E_SECRET, -15, "this is a secret, and something public is wanted here")

enum stt_error {
#define X(name, value, text) name = (value),
    STT_ERRORS(X)
#undef X
};

/* One sentence without a final stop; never NULL. */
const char *stt_error_text(int error);

#ifdef __cplusplus
}
#endif
#endif
