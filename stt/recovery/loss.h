/* SPDX-License-Identifier: MIT
 * loss: what became of the packets that were sent, for one session on up to two paths: which have
 * arrived, which are lost, when to ask. Spec 06, "Packet sent", "Ack received", "Loss", "Timer".
 * It sends nothing and calls nobody: results are pulled.
 *
 *     stt_loss_begin_train(&l, now, path, numbers, more)       a train goes out, if this is STT_OK
 *     for each number:
 *         stt_loss_skips(&l, number) ? stt_loss_on_skipped(&l, number, random)
 *                                    : stt_loss_on_packet(&l, &packet);
 *     stt_loss_end_train(&l, is_app_limited);
 *
 *     code = stt_loss_on_ack(&l, now, &ack);          an ACK came in; or _on_loss_timer, _on_pto,
 *     while (stt_loss_next(&l, &settled))             _forget, _path_back: what follows is the same
 *         streams, ids, size search ... take it;
 *     stt_loss_tell(&l, &congestion);
 */
#ifndef STT_RECOVERY_LOSS_H
#define STT_RECOVERY_LOSS_H

#include "stt/recovery/congestion.h"
#include "stt/recovery/flight.h"
#include "stt/wire/frame.h"

enum {
    STT_LOSS_REORDER_STEPS_MAX = 8,      /* eighths of a round trip */
    STT_LOSS_REORDER_PACKETS_MAX = 1024, /* above it, time alone tells */
    STT_LOSS_QUIET_ROUNDS = 16,          /* without a spurious loss: thresholds fall */
    STT_LOSS_PERSISTENT_PTO = 3,
    STT_LOSS_PROBES = 2,    /* packets that a PTO sends */
    STT_LOSS_ELSEWHERE = 2, /* the answer to a challenge from neither path */
};

/* A packet as it was sealed. */
struct stt_loss_packet {
    uint64_t number;
    const struct stt_piece *pieces; /* at least one */
    size_t n_pieces;
    uint16_t bytes; /* UDP payload */
    uint8_t flags;  /* STT_PACKET_; without ELICITS it only fills the path (PADDING) */
};

/* What belongs to a path. `rtt` may be read and given its first sample by the handshake. */
struct stt_loss_path {
    struct stt_rtt rtt;
    uint32_t id;      /* of trains; 0: there is no such path */
    bool is_reliable; /* what is sent on it arrives, in order: only the peer can have dropped it */
    uint64_t in_flight_bytes;
    uint64_t acked_end; /* one above the highest number acknowledged that was sent on it */

    uint64_t delivered_bytes;
    /* When the newest ack came, without the peer's delay; when the newest packet acknowledged was
     * sent. */
    stt_ns delivered_at, first_at;
    stt_ns first_sample_at;

    /* Reordering, as it was seen. */
    uint32_t reorder_packets;
    uint8_t reorder_steps, quiet_rounds;
    bool round_is_spurious;
    uint64_t round_end;

    /* The last reduction: losses of numbers in [from, end) belong to it. */
    uint64_t reduced_from, reduced_end;
    uint32_t reduced_lost;  /* of these not acknowledged after all */
    uint16_t reduced_least; /* the smallest of them, in bytes */
    bool may_undo;

    uint64_t persistent_end; /* numbers below have been counted */
};

enum stt_settled_kind {
    STT_SETTLED_ACKED,
    STT_SETTLED_LOST,       /* must be sent again */
    STT_SETTLED_UNANSWERED, /* a PTO: say it again; it stays in flight */
};

/* Packets of consecutive numbers [first, end) that carried consecutive bytes of one stream. A
 * further piece of the packet before has first == end and no bytes. */
struct stt_settled {
    enum stt_settled_kind kind;
    uint32_t stream; /* STT_NO_STREAM */
    uint64_t first, end;
    uint64_t offset, len;
    uint64_t bytes;         /* UDP payload of the packets */
    uint32_t owes;          /* the caller's bits, of all */
    uint16_t largest_bytes; /* of one of them */
    bool fin, is_size_probe;
    bool was_lost; /* acknowledged after all */
};

/* What a pull through stt_loss_next() has shown, for the path in use; complete at its end. */
struct stt_loss_outcome {
    struct stt_ack_sample sample; /* acked_bytes 0: nothing new */
    uint64_t newest_lost;
    stt_ns newest_lost_sent_at;
    uint32_t acked_ect;                                     /* packets, for the validation of ECN */
    uint32_t acked_packets, lost_packets, spurious_packets; /* on all paths */
    bool is_undone, is_persistent;
    bool is_continued; /* these losses and those of the last reduction are taken back together */
    bool is_invalid;   /* the ACK names a number that was left out: ACK_INVALID */
};

struct stt_loss {
    const struct stt_env *env;
    struct stt_flight flight;
    struct stt_loss_path at[2];
    uint8_t in_use;
    uint8_t backoff; /* PTOs in a row without an ack */
    bool is_in_train;
    uint32_t last_path_id;
    stt_ns max_ack_delay_ns; /* the peer's; 0 before it is confirmed */

    uint64_t sent_end;  /* one above the highest number used */
    uint64_t acked_end; /* one above the highest acknowledged */
    uint64_t lost_from; /* below it nothing is SENT */
    stt_ns loss_at;     /* when the next one may be lost, or STT_NEVER */
    stt_ns pto_base;    /* last eliciting packet, or last PTO */

    /* The train that goes out: counted when it ends. */
    uint32_t train_bytes, train_eliciting;
    /* Trains that are sent before an ack of numbers up to here follow one that ended for want of
     * data: they find a path that was not full, also when everything had arrived. */
    uint64_t underfed_end;

    uint64_t skip_at; /* the next number to be left out */

    /* Large packets that were lost in a row, see on_row; UINT64_MAX. */
    uint64_t row_first;
    /* Numbers below, if larger, are lost by size. */
    uint64_t by_size_end;
    uint16_t by_size_bytes;

    /* In the life of the session, on all paths. */
    uint64_t lost_packets;
    uint32_t spurious_packets;

    /* The pull. */
    uint32_t ack_delay_us; /* as the peer says, and may say */
    uint8_t phase;
    uint8_t more_kind, probes_left;
    uint32_t more;        /* chain of further pieces of the packet before */
    uint64_t more_number; /* that packet */
    uint64_t number, to;  /* where it stands in the present range */
    uint64_t largest;     /* that the ACK names */
    uint32_t newest_train, forgotten_path;
    uint32_t new_lost, old_lost; /* after, and in, the last reduction */
    uint16_t least_lost;         /* the smallest of them, in bytes */
    bool has_fallen;             /* a black hole was found */
    struct frame_ack_walk walk;
    struct stt_loss_outcome outcome;
};

/* `random`: any 32 bits, for the first number to leave out. One path, index 0, is in use. */
void stt_loss_init(struct stt_loss *l, const struct stt_env *env, uint32_t random);
void stt_loss_free(struct stt_loss *l);
/* Gives memory back when nothing is out: for a session that has become quiet. */
void stt_loss_trim(struct stt_loss *l);

static inline struct stt_loss_path *stt_loss_path(struct stt_loss *l)
{
    return &l->at[l->in_use];
}

static inline bool stt_loss_path_is_reliable(const struct stt_loss *l)
{
    return l->at[l->in_use].is_reliable;
}

/* -- sending */

/* A train on path 0 or 1 or ELSEWHERE, with packets of these numbers at most, which have `more`
 * pieces beyond one each. STT_E_LIMIT, STT_E_MEMORY: now only what elicits no ack may be sent. */
int stt_loss_begin_train(struct stt_loss *l, stt_ns now, unsigned path, struct stt_range numbers,
                         size_t more) STT_MUST_USE;
/* In flight from now on: it elicits an ack, or is padded. Inline, since it is called for each. */
static inline void stt_loss_on_packet(struct stt_loss *l, const struct stt_loss_packet *packet)
{
    struct stt_flight *f = &l->flight;
    const struct stt_piece *piece = packet->pieces;
    assert(packet->number >= l->sent_end && packet->n_pieces && l->is_in_train);
    struct stt_packet *slot = stt_flight_add(f, packet->number);
    slot->piece =
        (struct stt_piece){piece->offset, piece->stream, piece->owes, 0, piece->len, piece->fin};
    slot->bytes = packet->bytes;
    slot->flags = packet->flags;
    if (packet->n_pieces > 1)
        slot->piece.more = stt_flight_chain(f, piece + 1, packet->n_pieces - 1);
    l->train_bytes += packet->bytes;
    l->train_eliciting += packet->flags & STT_PACKET_ELICITS;
    l->sent_end = packet->number + 1;
}
/* Is not in flight: ACK, CLOSE. Needs no train. */
static inline void stt_loss_on_quiet_packet(struct stt_loss *l, uint64_t number)
{
    l->sent_end = number + 1;
}
/* The train ended because there was nothing to send. */
void stt_loss_end_train(struct stt_loss *l, bool is_app_limited);

/* The receiver could not recover numbers further away. */
static inline bool stt_loss_may_number(const struct stt_loss *l, uint64_t number)
{
    return number - l->acked_end < STT_NUMBER_DISTANCE_MAX - 1;
}

/* Whether this number of a train is to be left out; then tell it, with any 32 random bits. */
static inline bool stt_loss_skips(const struct stt_loss *l, uint64_t number)
{
    return number >= l->skip_at;
}
void stt_loss_on_skipped(struct stt_loss *l, uint64_t number, uint32_t random);

/* -- what happened; each begins a pull, which is drained before anything else is called */

/* STT_CLOSE_NO_ERROR, or STT_CLOSE_ACK_INVALID for what was never sent. Whether it names a number
 * that was left out on purpose, the outcome tells. */
uint64_t stt_loss_on_ack(struct stt_loss *l, stt_ns now, const struct frame_ack *ack);
/* The loss timer; early it does nothing. */
void stt_loss_on_loss_timer(struct stt_loss *l, stt_ns now);
/* The PTO timer: pulls what the oldest two packets carried. Then up to STT_LOSS_PROBES packets are
 * sent, above the window: that, else new data, else a PING. */
void stt_loss_on_pto(struct stt_loss *l, stt_ns now);
/* A send failed: what is in flight of [from, to) is pulled as lost. No path is to blame. */
void stt_loss_forget(struct stt_loss *l, stt_ns now, uint64_t from, uint64_t to);

bool stt_loss_next(struct stt_loss *l, struct stt_settled *settled);

/* While losses are pulled: large packets vanish in a row that begins with this number, or none
 * does, UINT64_MAX. So long its reductions count as one, for it may be a black hole. */
static inline void stt_loss_on_row(struct stt_loss *l, uint64_t first)
{
    l->row_first = first;
}
/* It is one: of what was sent until now, packets larger than this are lost by their size. Where all
 * that the row's reductions were for is, they are taken back. */
void stt_loss_on_black_hole(struct stt_loss *l, uint32_t bytes);

static inline const struct stt_loss_outcome *stt_loss_outcome(const struct stt_loss *l)
{
    return &l->outcome;
}
/* Tells the controller of the path in use what the pull has shown. */
void stt_loss_tell(const struct stt_loss *l, struct stt_congestion *c);

/* A round trip measured elsewhere, by the handshake. */
void stt_loss_on_rtt(struct stt_loss *l, stt_ns now, stt_ns sample, stt_ns ack_delay);
/* The controller was told of a CE mark: this is a reduction that nothing takes back. */
void stt_loss_on_ce(struct stt_loss *l);

/* -- timers */

static inline stt_ns stt_loss_pto(const struct stt_loss *l)
{
    return stt_rtt_pto(&l->at[l->in_use].rtt, l->max_ack_delay_ns);
}
/* STT_NEVER while nothing that is in flight elicits an ack. */
static inline stt_ns stt_loss_pto_at(const struct stt_loss *l)
{
    return l->flight.n_eliciting && !l->at[l->in_use].is_reliable
               ? l->pto_base + stt_rtt_backed_off(stt_loss_pto(l), l->backoff)
               : STT_NEVER;
}
static inline stt_ns stt_loss_deadline(const struct stt_loss *l)
{
    stt_ns pto_at = stt_loss_pto_at(l);
    return l->loss_at < pto_at ? l->loss_at : pto_at;
}

/* -- paths: the index is that of session/paths */

/* A trial begins on this path, which is used from now on. Where only the port changed it begins
 * with the estimates of the path before. */
void stt_loss_path_new(struct stt_loss *l, unsigned path, bool keeps_estimates);
/* The trial has succeeded: what is in flight on the other path tells nothing any more. */
void stt_loss_path_kept(struct stt_loss *l);
/* The trial has failed: what is in flight on it is pulled as lost, the other path goes on. */
void stt_loss_path_back(struct stt_loss *l, stt_ns now);

#endif
