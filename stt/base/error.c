/* SPDX-License-Identifier: MIT
 * error: the sentence that belongs to each error code. */
#include "stt/error.h"

const char *stt_error_text(int error)
{
    switch (error) {
#define X(name, value, text)                                                                       \
    case name:                                                                                     \
        return text;
        STT_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}
