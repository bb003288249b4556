/* SPDX-License-Identifier: MIT
 * base32: bytes as letters and digits, RFC 4648 without padding, for secrets too: what is done, and
 * which memory is touched, depends on lengths alone. Spec 03, "Text forms". */
#ifndef STT_CRYPTO_BASE32_H
#define STT_CRYPTO_BASE32_H

#include "stt/base/bytes.h"
#include "stt/types.h"

/* Characters for so many bytes. */
static inline size_t stt_base32_len(size_t bytes)
{
    return (bytes * 8 + 4) / 5;
}

/* Lower case, without a final zero. Nothing is written when it does not fit, and `out` is latched.
 */
void stt_base32_encode(struct wr *out, struct bytes data);

/* False, with nothing left behind and `out` latched: a character that is not in the alphabet or of
 * the other case, a length that no encoder makes, spare bits that are not zero, no room. */
bool stt_base32_decode(struct wr *out, struct bytes text, bool upper) STT_MUST_USE;

#endif
