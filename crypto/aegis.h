/* SPDX-License-Identifier: MIT
 * aegis: the suites of AEGIS-128L and AEGIS-128X2 with 16-byte tags (draft-irtf-cfrg-aegis-aead);
 * where they run is in aegis.c. */
#ifndef STT_CRYPTO_AEGIS_H
#define STT_CRYPTO_AEGIS_H

#include "crypto/aead.h"

extern const struct stt_aead_suite stt_aegis_128l, stt_aegis_128l_vaes, stt_aegis_128l_vaes512;
extern const struct stt_aead_suite stt_aegis_128x2, stt_aegis_128x2_vaes, stt_aegis_128x2_vaes512;

#endif
