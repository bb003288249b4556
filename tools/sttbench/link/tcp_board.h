/* SPDX-License-Identifier: MIT
 * tcp_board: what a TCP sender knows of each segment between the first that is not acknowledged
 * and the next to be sent: when it went last, whether it was received all the same (SACK), whether
 * it counts as lost (RACK, RFC 8985), whether it went again.
 *
 *         una                                        nxt
 *   acked  |  sacked, lost, sent again, or under way  |  not sent yet                        */
#ifndef TOOLS_STTBENCH_LINK_TCP_BOARD_H
#define TOOLS_STTBENCH_LINK_TCP_BOARD_H

#include "tools/sttbench/link/tcp_wire.h"

struct tcp_segment {
    uint64_t sent_us;                   /* the last time */
    uint64_t earlier, later;            /* in the order in which they went, of those under way */
    bool is_sacked, is_lost, is_resent; /* resent: and that is under way */
    bool was_resent;                    /* ever */
    bool is_listed;
};

struct tcp_board {
    struct tcp_segment *ring;
    uint64_t room; /* a power of 2 */
    uint64_t una, nxt;
    uint64_t earliest, latest;
    uint32_t n_sacked, n_lost, n_resent;
    uint64_t hint;                         /* no lost segment below waits to go again */
    uint64_t sacked_end;                   /* above the highest that was sacked */
    struct tcp_block seen[TCP_BLOCKS_MAX]; /* the blocks of the last ack */
    uint32_t n_seen;

    /* Of what was delivered last, in the order in which it went. */
    uint64_t rack_us, rack_end, rack_rtt_us;
    bool has_rack_advanced;
};

/* An ack, and what it has changed. Times are when segments went, 0: none did. */
struct tcp_news {
    const struct tcp_packet *ack;
    uint64_t now_us, rtt_min_us, high; /* high: nxt when the recovery began */

    uint32_t n_delivered, n_acked;
    uint64_t acked_first_us, acked_last_us;   /* that went only once */
    uint64_t sacked_first_us, sacked_last_us; /* likewise */
    bool has_resent;                          /* among the acked */
    bool has_sacked;
    bool has_original;    /* below high, delivered, and it went only once */
    uint64_t lowest_late; /* that went only once and arrived behind later ones; UINT64_MAX: none */
};

bool tcp_board_init(struct tcp_board *b) STT_MUST_USE;
void tcp_board_fini(struct tcp_board *b);

static inline uint64_t tcp_board_out(const struct tcp_board *b)
{
    return b->nxt - b->una;
}
static inline uint64_t tcp_board_in_flight(const struct tcp_board *b)
{
    return tcp_board_out(b) - b->n_sacked - b->n_lost + b->n_resent;
}
static inline struct tcp_segment *tcp_board_at(const struct tcp_board *b, uint64_t number)
{
    return &b->ring[number & (b->room - 1)];
}

/* The next one, or one again. False: no memory. */
bool tcp_board_on_sent(struct tcp_board *b, uint64_t number, uint64_t now_us) STT_MUST_USE;
/* The lowest that is lost and has to go again; UINT64_MAX: none. */
uint64_t tcp_board_lost(struct tcp_board *b);

void tcp_board_on_ack(struct tcp_board *b, struct tcp_news *news);
/* Came twice. True: a copy that was under way, or had been, was in vain. */
bool tcp_board_on_dsack(struct tcp_board *b, const struct tcp_block *block);

/* Those that went so long before what was delivered last. The time until more will be, or 0. */
uint64_t tcp_board_detect(struct tcp_board *b, uint64_t now_us, uint64_t settle_us,
                          uint32_t *n_lost);
/* A timeout: the first, and all that went longer than a round trip ago. */
void tcp_board_on_timeout(struct tcp_board *b, uint64_t now_us);
/* Nothing is lost after all. */
void tcp_board_forget_losses(struct tcp_board *b);

#endif
