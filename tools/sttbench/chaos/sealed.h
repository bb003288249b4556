/* SPDX-License-Identifier: MIT
 * sealed: cipher suites that remember under which numbers each key has sealed. A number that comes
 * twice is what no cipher survives. */
#ifndef TOOLS_STTBENCH_CHAOS_SEALED_H
#define TOOLS_STTBENCH_CHAOS_SEALED_H

#include "crypto/aead.h"

/* Forgets all that was sealed. */
void sealed_begin(void);
/* How many packets were; how many of them under a number that their key had sealed before. */
uint64_t sealed_packets(void);
uint64_t sealed_twice(void);

enum sealed_kind {
    SEALED_QUICK,  /* a hash with a key in place of a cipher: it hides nothing, and tells forgeries
                    */
    SEALED_WORN,   /* the same; a key is worn as soon as it is used */
    SEALED_CHACHA, /* chacha20-poly1305 */
    SEALED_KINDS,
};
/* The same bytes on every machine. */
const struct stt_aead_suite *sealed_suite(enum sealed_kind kind);

#endif
