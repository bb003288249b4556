/* SPDX-License-Identifier: MIT
 * The words of the simulated network: what a link and a NAT can be told, and what they count.
 * Probabilities are in parts per million, times in virtual nanoseconds, and every 0 means "not at
 * all", so that `{0}` is a perfect link. */
#ifndef STT_SIMNET_H
#define STT_SIMNET_H

#include "stt/address.h"
#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One direction of a wire: a policer, a queue, a bottleneck, then the distance with its faults.
 *
 *   -> taps -> listed, MTU, policer -> | queue ... rate | -> loss, damage, copies -> delay ->
 *
 * What is lost behind the queue has used the bottleneck; what is refused before it has not. */
#define STT_LINK_LISTED_MAX 8
struct stt_link_config {
    uint64_t rate_bits_per_s; /* 0: infinite */
    stt_ns delay_ns;
    stt_ns jitter_ns;        /* uniform from 0 to this, on top of the delay; order is kept */
    stt_ns aggregate_ns;     /* arrivals wait for the next multiple of it, as on a shared radio */
    uint32_t queue_bytes;    /* that may wait behind the one on its way; 0: without limit */
    uint32_t ecn_mark_bytes; /* ECN-capable datagrams that find this much waiting, themselves
                                counted, are marked; 1: all; 0: never */
    uint32_t header_bytes;   /* around each datagram: 28 for IPv4, 48 for IPv6 */
    uint32_t mtu_bytes;      /* headers included; what is larger vanishes; 0: no limit */

    /* In front of the queue. */
    uint64_t police_bits_per_s; /* a token bucket that drops what it has no tokens for */
    uint32_t police_burst_bytes;
    uint32_t large_bytes;                      /* datagrams with headers of this size on ... */
    uint32_t large_loss_ppm;                   /* ... are lost this often */
    uint64_t drop_every;                       /* 7: the 7th, 14th, 21st ... */
    uint64_t drop_listed[STT_LINK_LISTED_MAX]; /* these, counted from 1; 0: none */
    bool ecn_bleached;                         /* the two ECN bits are zeroed */

    /* Behind the bottleneck. */
    uint32_t loss_ppm;
    uint32_t burst_enter_ppm; /* Gilbert-Elliott: from good to bad, tried per datagram ... */
    uint32_t burst_leave_ppm; /* ... and back: the mean burst is a million over this */
    uint32_t burst_loss_ppm;  /* while bad, in place of loss_ppm */
    uint32_t corrupt_ppm;     /* one bit flips, anywhere */
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm; /* these come later than the ones behind them, by ... */
    stt_ns reorder_ns;

    /* A byte stream: nothing is lost, damaged or overtaken, and everything above but rate, delay,
     * jitter and aggregation is ignored. queue_bytes is its buffer: while it is full the link is
     * not writable, and what is sent all the same is refused and counted. */
    bool reliable;
    uint32_t spill_bytes; /* of a train that began while it was writable, taken all the same */
};

#define STT_LINK_DROPS(X)                                                                          \
    X(TAP, "a tap took it")                                                                        \
    X(BLACKOUT, "the link is down")                                                                \
    X(LISTED, "named by drop_every or drop_listed")                                                \
    X(MTU, "larger than the MTU")                                                                  \
    X(LARGE, "lost for its size")                                                                  \
    X(POLICED, "the policer had no tokens")                                                        \
    X(QUEUE, "the queue was full")                                                                 \
    X(UNWRITABLE, "sent on a byte stream that was not writable")                                   \
    X(LOSS, "lost by chance")                                                                      \
    X(BURST, "lost in a burst")

enum stt_link_drop {
#define X(name, text) STT_LINK_DROP_##name,
    STT_LINK_DROPS(X)
#undef X
        STT_LINK_DROP_COUNT
};

/* Bytes are those of datagrams, without headers. */
struct stt_link_stats {
    uint64_t datagrams_in, bytes_in;   /* offered */
    uint64_t datagrams_out, bytes_out; /* that came through, copies included */
    uint64_t dropped[STT_LINK_DROP_COUNT];
    uint64_t marked, corrupted, duplicated, reordered;
    uint64_t queue_bytes, queue_bytes_max; /* with headers */
    stt_ns queue_ns_max, queue_ns_mean;    /* waited before the bottleneck took them */
};

/* A NAT stands right beside its hosts: the links see outside addresses only. A mapping lives from
 * each datagram that goes out (what comes in does not refresh it) and lets in whom it went to. */
struct stt_nat_config {
    uint8_t outside_ip[16];
    stt_ns idle_ns;         /* a mapping without traffic dies; 0: never */
    stt_ns rebind_every_ns; /* all mappings die at each multiple of it; 0: never */
    bool symmetric;         /* another port for every destination */
    bool is_open;           /* lets in everybody who knows the port */
};

struct stt_nat_stats {
    uint64_t mappings; /* made so far */
    uint64_t refused;  /* datagrams from outside without a mapping */
};

/* A datagram as a tap or a generator sees it. */
struct stt_sim_datagram {
    struct stt_address from, to;
    uint32_t carrier;
    uint8_t ecn;
    uint8_t *data;
    size_t len, room; /* len may change up to room */
    stt_ns delay_ns;  /* 0; a tap may hold the datagram back for this long */
};

#ifdef __cplusplus
}
#endif
#endif
