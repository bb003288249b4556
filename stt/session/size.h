/* SPDX-License-Identifier: MIT
 * size: how large packets on one path may be: the search of RFC 8899, and the fall back when large
 * ones vanish. Spec 04, "Packet size". It makes no packets: it is told facts, and asked.
 *
 *     stt_size_init(&x, base, upper, next number)          for each path
 *
 *     while data flows, on no trial and with no PTO pending, before a train of data:
 *         size = stt_size_next_probe(&x, now, room)        up to 4 in a round, the largest first
 *         if size: one packet of so many bytes, STT_PACKET_SIZE_PROBE, with a piece that owes
 *                  nothing; stt_size_on_probe_sent(&x, size)
 *         if the kernel says that something is too large: stt_size_on_refused(&x, size)
 *
 *     stt_size_on_pto(&x, backoff, next number)            before the pull of a PTO
 *     for each run that stt_loss_next() tells, by what it is:
 *         a probe        _on_probe_acked, _on_probe_lost, or _on_probe_unsent if forgotten
 *         ACKED          _on_acked
 *         LOST           _on_lost, but for what was forgotten
 *         UNANSWERED     _on_unanswered
 *     packet_bytes = stt_size_bytes(&x)                    after the pull, and after on_refused
 *
 * Sizes are UDP payloads, numbers those of packets.
 *
 *      base           bytes           lost[0]   lost[1]                     upper
 *     ---|--------------|--|-------------|---------|---------------------------|
 *        | acknowledged |16|  asked next | and this, too: was it chance?       |
 *
 * The search ends when three lost probes lie within the 16 bytes above the size in use.
 */
#ifndef STT_SESSION_SIZE_H
#define STT_SESSION_SIZE_H

#include "stt/base/ranges.h"
#include "stt/wire/limits.h"

/* Lost probes that are remembered: of the 3 that count, some turn out to be chance. */
enum { STT_SIZE_LOST_MAX = 8 };

struct stt_size {
    uint16_t base, upper;
    uint16_t bytes;  /* in use: the largest that was acknowledged */
    uint16_t likely; /* where the last search ended, or what was in use before a fall; or 0 */

    /* The search. */
    uint16_t lost[STT_SIZE_LOST_MAX]; /* sizes of probes above `bytes`, ascending */
    uint16_t probe[STT_SIZE_PROBES_MAX];
    uint8_t n_lost, n_probes;
    uint8_t out; /* bits: these probes were sent, and nothing is known of them */
    uint8_t probes_left;
    bool waits;      /* for an ack, before the next round */
    stt_ns raise_at; /* the search has ended, and begins again then; 0: it goes on */
    uint64_t from;   /* what was sent before belongs to another path, a fall, an outage */

    /* Large packets lost in a row. */
    uint64_t full_end;  /* one above the highest number acknowledged of a full packet */
    uint64_t row_first; /* the first of the row ... */
    stt_ns row_since;   /* ... and when it was sent */
    uint16_t row_bytes; /* the largest of them */
    uint16_t passed;    /* the largest that was acknowledged meanwhile */
    uint8_t row;        /* how many, up to 3 */
    uint8_t ptos;       /* in a row */
};

/* `base` is known to pass, and is all there is to search where it is the upper limit. Numbers below
 * `from` belong to another path. */
void stt_size_init(struct stt_size *x, uint32_t base, uint32_t upper, uint64_t from);
/* The path has changed in its port alone: what is known stays, what is out tells nothing. */
void stt_size_on_port_change(struct stt_size *x, uint64_t from);

static inline uint32_t stt_size_bytes(const struct stt_size *x)
{
    return x->bytes;
}

/* -- probes: one packet of PING and PADDING each
 * --------------------------------------------------------------------- */

/* The size to probe now, at most `room`, or 0. The same again until it was sent. */
uint32_t stt_size_next_probe(struct stt_size *x, stt_ns now, uint32_t room);
void stt_size_on_probe_sent(struct stt_size *x, uint32_t size);
void stt_size_on_probe_acked(struct stt_size *x, uint64_t number, uint32_t size);
void stt_size_on_probe_lost(struct stt_size *x, uint64_t number, uint32_t size);
/* It never went out, for a reason that says nothing of its size. */
void stt_size_on_probe_unsent(struct stt_size *x, uint64_t number, uint32_t size);

/* From when it is worth asking for a probe: 0 is now, STT_NEVER while answers are awaited. Nobody
 * needs to wake up for it: who has nothing to send needs no larger packets. */
stt_ns stt_size_deadline(const struct stt_size *x);

/* -- other packets. Those that answer a bool: true is a black hole, the size has fallen to the
 * base
 * -------------------------------------------------------------------------------------------- */

/* A run of packets that were acknowledged; `largest` of them in bytes. */
void stt_size_on_acked(struct stt_size *x, struct stt_range numbers, uint32_t largest);

/* A run of packets declared lost: something sent later was acknowledged. */
struct stt_size_lost {
    struct stt_range numbers;
    uint64_t bytes;   /* of all */
    uint32_t largest; /* of one */
    stt_ns first_sent_at, last_sent_at;
};
/* `pto` is the path's, without backoff; `next` the number of the next packet. */
bool stt_size_on_lost(struct stt_size *x, const struct stt_size_lost *lost, stt_ns pto,
                      uint64_t next);

/* PTOs in a row, with this one; then each of what is oldest in flight and was not answered. */
void stt_size_on_pto(struct stt_size *x, uint8_t in_a_row, uint64_t next);
bool stt_size_on_unanswered(struct stt_size *x, uint32_t bytes);

/* -- limits that others know
 * -------------------------------------------------------------------------------------------- */

/* This host cannot send packets so large. */
void stt_size_on_refused(struct stt_size *x, uint32_t size);
/* The upper limit is another one. */
void stt_size_on_limit(struct stt_size *x, uint32_t upper);

#endif
