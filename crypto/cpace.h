/* SPDX-License-Identifier: MIT
 * cpace: CPACE-RISTR255-SHA512 of draft-irtf-cfrg-cpace, with the transcript in the order of
 * initiator and responder. A code that people can say becomes a strong key; who does not know it
 * can test one guess per exchange.
 *
 *     initiator                                   responder
 *     generator(PRS, CI, sid)                     generator(PRS, CI, sid)
 *     share_a = scalar_a * g       -- share_a ->  share_b = scalar_b * g
 *     isk(scalar_a, ...)           <- share_b --  isk(scalar_b, ...) */
#ifndef STT_CRYPTO_CPACE_H
#define STT_CRYPTO_CPACE_H

#include "stt/base/bytes.h"
#include "stt/types.h"

#define STT_CPACE_SCALAR_BYTES 32
#define STT_CPACE_SHARE_BYTES  32
#define STT_CPACE_ISK_BYTES    64

/* The point that both sides derive from the code; not secret to who knows the code, secret to all
 * others. prs, ci and sid as in the draft. */
void stt_cpace_generator(struct bytes prs, struct bytes ci, struct bytes sid,
                         uint8_t g[STT_CPACE_SHARE_BYTES]);

/* From 64 uniform bytes; false when they give zero. */
bool stt_cpace_scalar(const uint8_t uniform[64],
                      uint8_t scalar[STT_CPACE_SCALAR_BYTES]) STT_MUST_USE;

/* scalar * g; false when the scalar is zero or g is no point. */
bool stt_cpace_share(const uint8_t scalar[STT_CPACE_SCALAR_BYTES],
                     const uint8_t g[STT_CPACE_SHARE_BYTES],
                     uint8_t share[STT_CPACE_SHARE_BYTES]) STT_MUST_USE;

/* The peer has sent our own share back. */
bool stt_cpace_is_reflected(const uint8_t ours[STT_CPACE_SHARE_BYTES],
                            const uint8_t theirs[STT_CPACE_SHARE_BYTES]);

/* a is the initiator's part, b the responder's; all borrowed. */
struct stt_cpace_transcript {
    struct bytes sid;
    const uint8_t *share_a, *share_b; /* STT_CPACE_SHARE_BYTES each */
    struct bytes ad_a, ad_b;
};

/* The intermediate session key; the scalar is ours, and so says is_initiator. False, and isk
 * wiped, when the peer's share is no encoding of a point, is the identity, or is our own. */
bool stt_cpace_isk(const struct stt_cpace_transcript *t,
                   const uint8_t scalar[STT_CPACE_SCALAR_BYTES], bool is_initiator,
                   uint8_t isk[STT_CPACE_ISK_BYTES]) STT_MUST_USE;

#endif
