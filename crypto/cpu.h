/* SPDX-License-Identifier: MIT
 * cpu: what the processor can do, as bits that are passed around and never looked up in between:
 * who chooses a cipher is told the processor, so that a test can name any. */
#ifndef STT_CRYPTO_CPU_H
#define STT_CRYPTO_CPU_H

#include <stdint.h>

enum stt_cpu {
    STT_CPU_AES = 1 << 0,     /* AES rounds on 128 bits: AES-NI with AVX, or ARMv8's */
    STT_CPU_VAES = 1 << 1,    /* AES rounds on 256 bits, and AVX2 */
    STT_CPU_VAES512 = 1 << 2, /* AES rounds on 512 bits, and AVX-512F */
    STT_CPU_GCM = 1 << 3,     /* libsodium has AES-256-GCM here */
};

/* Bits of enum stt_cpu for the processor that runs this. Slow (some virtual machines trap the
 * question), so ask once. Initialises libsodium. */
uint32_t stt_cpu_detect(void);

#endif
