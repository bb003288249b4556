/* SPDX-License-Identifier: MIT
 * utf8: whether bytes are text. */
#ifndef STT_BASE_UTF8_H
#define STT_BASE_UTF8_H

#include "stt/base/bytes.h"

/* No form longer than needed, no surrogates, nothing above U+10FFFF. */
bool stt_utf8_is_valid(struct bytes text);

#endif
