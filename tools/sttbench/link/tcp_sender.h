/* SPDX-License-Identifier: MIT
 * tcp_sender: the sending machine of a TCP flow: what goes out and when. What an ack says of losses
 * is for tcp_recovery. */
#ifndef TOOLS_STTBENCH_LINK_TCP_SENDER_H
#define TOOLS_STTBENCH_LINK_TCP_SENDER_H

#include "tools/sttbench/link/tcp_board.h"
#include "tools/sttbench/link/tcp_cubic.h"
#include "tools/sttbench/link/tcp_rtt.h"

enum tcp_phase {
    TCP_OPEN,     /* nothing is missing */
    TCP_DISORDER, /* something is sacked, or went again */
    TCP_RECOVERY, /* something is lost: the window sinks to the threshold */
    TCP_LOSS,     /* nothing has come back: it begins again from one packet */
};

/* One at a time is set, as in the kernel. */
enum tcp_alarm {
    TCP_ALARM_NONE,
    TCP_ALARM_CONNECT,
    TCP_ALARM_TIMEOUT, /* everything may be lost */
    TCP_ALARM_PROBE,   /* the tail may be: RFC 8985, TLP */
    TCP_ALARM_SETTLE,  /* what went before others has had its time to arrive */
};

struct tcp_run {
    uint64_t from, n;
    bool is_pushed; /* its last one is */
};

struct tcp_sender {
    uint64_t until_us, bytes, end; /* end: one past the last segment; UINT64_MAX: endless */
    bool is_connected, is_ended;
    uint64_t connected_us, ended_us, written_us; /* written: the last time */
    uint32_t greetings;
    uint32_t heard_ms; /* the latest of the receiver's clock */
    struct tcp_board board;
    struct tcp_cubic cubic;
    struct tcp_rtt rtt;
    uint64_t rate_bytes_per_s; /* at which the kernel would pace: the size of bursts */

    enum tcp_alarm alarm;
    uint64_t alarm_us;

    bool is_limited; /* by the window, and not by what there is to send */
    uint64_t out_max, usage_end;

    enum tcp_phase phase;
    uint64_t high;            /* nxt when the phase began */
    uint32_t reordering;      /* packets that may overtake one */
    bool has_reordering;      /* they did */
    uint64_t resent_first_us; /* in this phase; 0: none */
    bool is_suspicious;       /* that the timeout was spurious (F-RTO) */
    uint32_t retries;         /* timeouts since something was acknowledged */
    uint64_t probe_end;       /* nxt when a probe went; 0: none is out */
    bool is_probe_copy;

    uint32_t settle_steps; /* of a quarter of a round trip */
    uint32_t settle_lasts; /* recoveries */
    uint64_t settle_round_end;

    uint32_t reduced_from; /* the window, when it began to sink */
    uint64_t reduced_delivered, reduced_out;

    bool can_undo;
    uint64_t undo_from;                   /* una when it began */
    int64_t undo_copies;                  /* that were not in vain; below 0: none went yet */
    uint32_t undo_window, undo_threshold; /* threshold 0: stays */

    struct tcp_run *out; /* segments to go out now */
    size_t n_out, out_room, n_taken;
    uint64_t sent, resent; /* segments */
    uint32_t reductions, timeouts;
};

bool tcp_sender_init(struct tcp_sender *s, uint64_t until_us, uint64_t bytes) STT_MUST_USE;
void tcp_sender_fini(struct tcp_sender *s);
void tcp_sender_on_packet(struct tcp_sender *s, uint64_t now_us, const struct tcp_packet *p);
void tcp_sender_on_expired(struct tcp_sender *s, uint64_t now_us);
/* The next to go out; false: nothing. */
bool tcp_sender_take(struct tcp_sender *s, struct tcp_packet *p, uint64_t now_us);
/* Of a segment. */
uint32_t tcp_sender_len(const struct tcp_sender *s, uint64_t number);

/* -- for tcp_recovery -------------------------------------------------------------------------- */

void tcp_sender_send_again(struct tcp_sender *s, uint64_t now_us, uint64_t number);
/* Lost ones, as the window allows. */
void tcp_sender_send_lost(struct tcp_sender *s, uint64_t now_us);
/* New ones, as the window allows; or as a probe one, whatever the window says. */
void tcp_sender_send_new(struct tcp_sender *s, uint64_t now_us, bool is_probe);
void tcp_sender_set_alarm(struct tcp_sender *s, enum tcp_alarm alarm, uint64_t at_us);
/* The timeout, or a probe before it where that is due. */
void tcp_sender_set_timeout(struct tcp_sender *s, uint64_t now_us);
bool tcp_sender_has_more(const struct tcp_sender *s, uint64_t now_us);

#endif
