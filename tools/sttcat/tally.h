/* SPDX-License-Identifier: MIT
 * tally: the bytes of a session that really moved, and how many may move now. */
#ifndef TOOLS_STTCAT_TALLY_H
#define TOOLS_STTCAT_TALLY_H

#include "tools/sttcat/wire.h"

struct tally {
    char given_hash[33], taken_hash[33]; /* "" where both ends have not agreed on one */
    uint64_t given, taken, expected;     /* expected 0: not known */
    stt_ns began_at, moved_at;           /* the first and the last byte; 0: there was none */
    uint64_t rate;                       /* bits per second that may be given; 0: as it likes */
    double tokens;                       /* bytes that may be given now */
    stt_ns tokens_at;
};

void tally_begin(struct tally *t, stt_ns now, uint64_t rate);
void tally_given(struct tally *t, stt_ns now, uint64_t bytes);
void tally_taken(struct tally *t, stt_ns now, uint64_t bytes);

/* How many of so many may be given; 0: none before *at. */
uint64_t tally_allowance(struct tally *t, stt_ns now, uint64_t wanted, stt_ns *at);

#endif
