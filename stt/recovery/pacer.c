/* SPDX-License-Identifier: MIT
 * pacer: a bucket of credit. Time fills it at the rate, up to one train, or up to two for a train
 * that was held and then called too late; packets empty it, the last one of a train below zero. It
 * must not know the window. Spec 06, "Pacing in trains". */
#include "stt/recovery/pacer.h"

#include "stt/recovery/congestion.h"

#define UNITS_PER_BYTE INT64_C(1000000000)

static size_t whole_packets(size_t bytes, uint32_t packet_bytes)
{
    return bytes < packet_bytes ? packet_bytes : bytes - bytes % packet_bytes;
}

size_t stt_pacer_train_bytes(uint64_t rate_bytes_per_s, uint32_t packet_bytes)
{
    uint64_t bytes = rate_bytes_per_s / (STT_S(1) / STT_TRAIN_NS);
    return whole_packets(bytes < STT_TRAIN_BYTES_MAX ? (size_t)bytes : STT_TRAIN_BYTES_MAX,
                         packet_bytes);
}

static int64_t units(size_t bytes)
{
    return (int64_t)bytes * UNITS_PER_BYTE;
}

static void fill(struct stt_pacer *p, stt_ns now, uint64_t rate, int64_t full)
{
    stt_ns elapsed = now - p->at;
    p->at = now;
    if (p->credit >= full || elapsed > (uint64_t)(full - p->credit) / rate)
        p->credit = full;
    else
        p->credit += (int64_t)(elapsed * rate);
}

/* Up to the packet that crosses zero. */
static size_t spendable(const struct stt_pacer *p, size_t train_bytes, uint32_t packet_bytes)
{
    if (p->credit <= 0)
        return 0;
    size_t bytes = (size_t)((p->credit + UNITS_PER_BYTE - 1) / UNITS_PER_BYTE);
    bytes = (bytes + packet_bytes - 1) / packet_bytes * packet_bytes;
    return bytes < train_bytes ? bytes : train_bytes;
}

size_t stt_pacer_allowance(struct stt_pacer *p, stt_ns now, uint64_t rate_bytes_per_s,
                           uint32_t packet_bytes)
{
    size_t train = stt_pacer_train_bytes(rate_bytes_per_s, packet_bytes);
    if (rate_bytes_per_s == STT_UNLIMITED) {
        *p = (struct stt_pacer){.credit = units(train), .at = now};
        return train;
    }
    size_t once = train > 2 * packet_bytes ? train : 2 * packet_bytes;
    once = whole_packets(once < STT_TRAIN_BYTES_MAX ? once : STT_TRAIN_BYTES_MAX, packet_bytes);
    fill(p, now, rate_bytes_per_s ? rate_bytes_per_s : 1, units(p->is_held ? 2 * once : once));
    size_t bytes = spendable(p, once, packet_bytes);
    p->is_held = p->is_held || !bytes;
    return bytes;
}

void stt_pacer_on_sent(struct stt_pacer *p, size_t bytes)
{
    p->credit -= units(bytes);
    p->is_held = false;
}

stt_ns stt_pacer_next(const struct stt_pacer *p, uint64_t rate_bytes_per_s)
{
    uint64_t rate = rate_bytes_per_s ? rate_bytes_per_s : 1;
    return p->credit > 0 ? p->at : p->at + (uint64_t)-p->credit / rate + 1;
}
