/* SPDX-License-Identifier: MIT
 * ecn: congestion marks in both directions: what came in is counted and told in ACKs; what goes out
 * is marked as able to take a mark, as long as the path and the peer show that this works. Spec 06,
 * "ECN". */
#ifndef STT_RECOVERY_ECN_H
#define STT_RECOVERY_ECN_H

#include "stt/wire/frame.h"

/* The two bits of the IP header. */
enum { STT_ECN_NOT = 0, STT_ECN_ECT1 = 1, STT_ECN_ECT0 = 2, STT_ECN_CE = 3 };

enum stt_ecn_state {
    STT_ECN_TESTING, /* nothing that was marked has been acknowledged */
    STT_ECN_CAPABLE,
    STT_ECN_FAILED, /* unmarked from now on */
};

/* All zero at first. */
struct stt_ecn {
    struct frame_ecn came; /* packets that were opened, by their marks */
    struct frame_ecn told; /* the peer's counts, of its newest ACK */
    uint64_t told_largest; /* that ACK's largest, plus one */
    uint8_t state;
    uint8_t lost; /* marked ones, while testing */
    bool was_ce;  /* the latest that came */
};

/* So many packets came with these bits. True: they tell of congestion and the one before did not,
 * so the peer should hear of it at once. */
bool stt_ecn_on_received(struct stt_ecn *e, uint8_t bits, uint64_t packets);

/* Counts to tell, or NULL when there is nothing to count. */
static inline const struct frame_ecn *stt_ecn_counts(const struct stt_ecn *e)
{
    return e->came.ect0 || e->came.ect1 || e->came.ce ? &e->came : NULL;
}

/* What packets are sent with. */
static inline uint8_t stt_ecn_bits(const struct stt_ecn *e)
{
    return e->state == STT_ECN_FAILED ? STT_ECN_NOT : STT_ECN_ECT0;
}

/* An ACK that newly acknowledges so many marked packets. Answers how many marks it tells of for the
 * first time. */
uint64_t stt_ecn_on_ack(struct stt_ecn *e, const struct frame_ack *ack, uint64_t acked_marked);
/* So many packets were lost. */
void stt_ecn_on_lost(struct stt_ecn *e, uint64_t packets);
/* Nothing was answered for a PTO: the second one in a test ends it. */
void stt_ecn_on_pto(struct stt_ecn *e);
/* Another path: it is tested anew. */
void stt_ecn_on_path(struct stt_ecn *e);

#endif
