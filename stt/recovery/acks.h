/* SPDX-License-Identifier: MIT
 * acks: which packets of the peer have arrived, and when to say so. Spec 06, "Acks: the receiver's
 * side". */
#ifndef STT_RECOVERY_ACKS_H
#define STT_RECOVERY_ACKS_H

#include "stt/base/ranges.h"
#include "stt/recovery/rtt.h"
#include "stt/wire/frame.h"

enum { STT_ACKS_RANGES = 16 }; /* kept inline; older ones are forgotten, unless more is lent */
#define STT_ACKS_NONE UINT64_MAX

struct stt_acks {
    struct stt_range memory[STT_ACKS_RANGES]; /* of received: the struct must not move */
    struct stt_ranges received;
    uint64_t eliciting_end; /* one above the highest that elicits an ack */
    stt_ns largest_at;      /* when the largest came */
    stt_ns due_at;          /* STT_NEVER: no ack owed */
    uint32_t unacked;       /* ack-eliciting packets since the last ACK that was sent */
    uint32_t every;    /* so many of them draw an ACK: a quarter of a round trip's, at least 2 */
    uint32_t alone;    /* packets in a row whose ACK will itself not be acknowledged */
    uint32_t in_round; /* eliciting ones of this round trip, which began ... */
    stt_ns round_at;   /* ... then */

    /* An ACK that is on its way: when it has arrived, what it named need not be said again. */
    uint64_t told_in;    /* our packet, or STT_ACKS_NONE */
    uint64_t told_below; /* it named everything received below */
    bool names_all;      /* the newest ACK that was written did */
};

void stt_acks_init(struct stt_acks *a);

/* Room for more ranges, of STT_ACK_RANGES_MAX, while packets flow; and its end: the newest stay. */
void stt_acks_lend(struct stt_acks *a, struct stt_range *memory);
void stt_acks_take_back(struct stt_acks *a);

/* Packets that were opened, none of them twice, one after the other. */
struct stt_acks_run {
    uint64_t from, to;
    uint32_t eliciting;     /* so many of them elicit an ack, */
    uint64_t eliciting_end; /* one above the last that does */
};

/* `delay_ns`: how long their ack may wait; out of order it may not. */
void stt_acks_on_run(struct stt_acks *a, stt_ns now, const struct stt_acks_run *run,
                     stt_ns delay_ns);

/* So many that elicit an ack came: `every` follows the rate. */
void stt_acks_on_rate(struct stt_acks *a, stt_ns now, uint32_t eliciting, stt_ns smoothed_rtt);

/* How long an ack may wait for company. */
static inline stt_ns stt_acks_wait(const struct stt_rtt *rtt)
{
    stt_ns quarter = rtt->smoothed / 4;
    quarter = quarter > STT_LOSS_GRANULARITY_NS ? quarter : STT_LOSS_GRANULARITY_NS;
    return rtt->has_sample && quarter < STT_ACK_WAIT_NS ? quarter : STT_ACK_WAIT_NS;
}

static inline bool stt_acks_is_due(const struct stt_acks *a, stt_ns now)
{
    return a->due_at <= now;
}

/* Writes an ACK of the newest ranges, with counts of marks (NULL: none), if something was received
 * and it fits; answers the largest number that it names plus one, or 0. */
uint64_t stt_acks_encode(struct stt_acks *a, stt_ns now, const struct frame_ecn *ecn, struct wr *w);

/* The ACK just written was sealed in our packet `number`. Only of one that elicits an ack will we
 * hear what became of it. */
void stt_acks_on_sent(struct stt_acks *a, uint64_t number, bool elicits);

/* The next packet with an ACK should elicit one, so that ranges can be forgotten. */
static inline bool stt_acks_wants_ping(const struct stt_acks *a)
{
    return a->alone >= STT_ACKS_ALONE_MAX;
}

/* Our packet was acknowledged, or it is lost. */
void stt_acks_on_acked(struct stt_acks *a, uint64_t number);
void stt_acks_on_lost(struct stt_acks *a, uint64_t number);

#endif
