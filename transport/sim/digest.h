/* SPDX-License-Identifier: MIT
 * digest: a running hash that tells two runs apart. Not for anything that an adversary sees. */
#ifndef STT_TRANSPORT_SIM_DIGEST_H
#define STT_TRANSPORT_SIM_DIGEST_H

#include "stt/base/bytes.h"

static inline uint64_t stt_net_digest(uint64_t digest, uint64_t word)
{
    digest = (digest ^ word) * 0x9fb21c651e98df25u;
    return digest ^ digest >> 29;
}

/* Four lanes, because one would wait for its multiplication all the time. */
static inline uint64_t stt_net_digest_bytes(uint64_t digest, struct bytes b)
{
    uint64_t s = digest, t = digest ^ b.len, u = ~digest, v = 0x2545f4914f6cdd1du;
    const uint8_t *p = b.data;
    size_t left = b.len;
    for (; left >= 32; p += 32, left -= 32) {
        s = stt_net_digest(s, be64_load(p));
        t = stt_net_digest(t, be64_load(p + 8));
        u = stt_net_digest(u, be64_load(p + 16));
        v = stt_net_digest(v, be64_load(p + 24));
    }
    for (; left >= 8; p += 8, left -= 8)
        s = stt_net_digest(s, be64_load(p));
    for (; left; p++, left--)
        s = stt_net_digest(s, *p);
    return stt_net_digest(stt_net_digest(stt_net_digest(s, t), u), v);
}

#endif
