/* SPDX-License-Identifier: MIT
 * tally: counters, and a bucket of bytes that fills with the rate. It gives out halves of itself at
 * least, so that a slow rate is not a busy loop. Must not know whose bytes they are. */
#include "tools/sttcat/tally.h"

#define BURST_NS STT_MS(20)
enum { BURST_BYTES_LEAST = 1500 };

void tally_begin(struct tally *t, stt_ns now, uint64_t rate)
{
    *t = (struct tally){.rate = rate, .tokens_at = now};
}

static void move(struct tally *t, stt_ns now)
{
    if (!t->began_at)
        t->began_at = now;
    t->moved_at = now;
}

void tally_given(struct tally *t, stt_ns now, uint64_t bytes)
{
    t->given += bytes;
    t->tokens -= t->rate ? (double)bytes : 0;
    move(t, now);
}

void tally_taken(struct tally *t, stt_ns now, uint64_t bytes)
{
    t->taken += bytes;
    move(t, now);
}

uint64_t tally_allowance(struct tally *t, stt_ns now, uint64_t wanted, stt_ns *at)
{
    double bytes_per_ns = (double)t->rate / 8e9, burst = bytes_per_ns * (double)BURST_NS;
    if (!t->rate)
        return wanted;
    burst = burst < BURST_BYTES_LEAST ? BURST_BYTES_LEAST : burst;
    t->tokens += (double)(now - t->tokens_at) * bytes_per_ns;
    t->tokens = t->tokens < burst ? t->tokens : burst;
    t->tokens_at = now;
    double least = burst / 2 < (double)wanted ? burst / 2 : (double)wanted;
    if (t->tokens >= least)
        return (double)wanted < t->tokens ? wanted : (uint64_t)t->tokens;
    *at = now + (stt_ns)((least - t->tokens) / bytes_per_ns) + 1;
    return 0;
}
