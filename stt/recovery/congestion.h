/* SPDX-License-Identifier: MIT
 * congestion: how much may be in flight and how fast, behind one small table of functions (spec 06,
 * "Controllers"). Time, sizes and samples are arguments; nothing is called for a packet, all for a
 * train, an ACK or a loss. */
#ifndef STT_RECOVERY_CONGESTION_H
#define STT_RECOVERY_CONGESTION_H

#include "stt/recovery/rtt.h"

#define STT_UNLIMITED UINT64_MAX

/* What one ACK showed. */
struct stt_ack_sample {
    stt_ns now;
    uint64_t acked_bytes;     /* newly */
    uint64_t delivered_bytes; /* in the life of the path, with these */
    uint64_t in_flight_bytes; /* before them */
    uint64_t left_bytes;      /* in flight without them, and without what was lost */
    uint64_t lost_bytes;      /* found with this ACK, without size probes */
    uint64_t interval_bytes;  /* delivered in interval_ns: the rate sample; 0 when there is none */
    stt_ns interval_ns;
    stt_ns rtt_ns;         /* 0 when this ACK gave no sample */
    stt_ns newest_sent_at; /* when the newest packet of it was sent */
    uint64_t newest_number;
    uint64_t newest_delivered_bytes; /* delivered_bytes when it was sent: counts round trips */
    bool is_app_limited;             /* its train ended for want of data */
    bool is_underfed;                /* that, or the path was not full when it was sent */
};

struct stt_controller;

/* What a controller is about, for people (spec 09, "Events"). */
#define STT_PHASES(X)                                                                              \
    X(NONE, "none")                                                                                \
    X(SLOW_START, "slow_start")                                                                    \
    X(CONSERVATIVE_SLOW_START, "conservative_slow_start")                                          \
    X(AVOIDANCE, "avoidance")                                                                      \
    X(STARTUP, "startup")                                                                          \
    X(DRAIN, "drain")                                                                              \
    X(PROBE_BW, "probe_bw")                                                                        \
    X(PROBE_RTT, "probe_rtt")                                                                      \
    X(SETTLE, "settle")                                                                            \
    X(ALONE, "alone")                                                                              \
    X(OPEN, "open")                                                                                \
    X(COMPETE, "compete")                                                                          \
    X(TEST, "test")

enum stt_phase {
#define X(phase, name) STT_PHASE_##phase,
    STT_PHASES(X)
#undef X
};

struct stt_congestion {
    const struct stt_controller *controller;
    const struct stt_rtt *rtt;      /* of the path */
    uint32_t packet_bytes;          /* the path's packet size now */
    uint64_t window_bytes;          /* for callers to read */
    uint64_t rate_bytes_per_s;      /* STT_UNLIMITED: no pacing */
    uint8_t phase;                  /* enum stt_phase, likewise */
    bool is_continued;              /* in on_lost: on_undo is to take back the last one, too */
    _Alignas(8) uint8_t state[528]; /* the controller's */
};

struct stt_controller {
    const char *name;
    void (*init)(struct stt_congestion *c, stt_ns now);
    void (*on_sent)(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t in_flight_bytes,
                    uint64_t last_number);
    void (*on_ack)(struct stt_congestion *c, const struct stt_ack_sample *sample);
    /* `newest_lost`: number and time of the newest packet that is lost. */
    void (*on_lost)(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t newest_lost,
                    stt_ns newest_sent_at);
    void (*on_ce)(struct stt_congestion *c, const struct stt_ack_sample *sample);
    void (*on_persistent)(struct stt_congestion *c, stt_ns now);
    void (*on_undo)(struct stt_congestion *c, stt_ns now);
};

extern const struct stt_controller stt_tide, stt_cubic, stt_bbr, stt_no_congestion;

/* All of them, `none` last and the default before all; NULL behind the last. */
const struct stt_controller *stt_controller_at(size_t i);

/* The window was not held back by the application: the path was filled, or nearly so, or what did
 * not fill it was only paced. */
static inline bool stt_is_window_used(const struct stt_congestion *c,
                                      const struct stt_ack_sample *s)
{
    return s->in_flight_bytes + 3 * (uint64_t)c->packet_bytes >= c->window_bytes ||
           (!s->is_app_limited && s->in_flight_bytes >= c->window_bytes / 2);
}

/* NULL when there is none of that name. */
const struct stt_controller *stt_controller_by_name(const char *name);

void stt_congestion_init(struct stt_congestion *c, const struct stt_controller *controller,
                         const struct stt_rtt *rtt, uint32_t packet_bytes, stt_ns now);

/* Bounds, as controllers speak of them. */
static inline uint64_t stt_at_least(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline uint64_t stt_at_most(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
