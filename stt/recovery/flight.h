/* SPDX-License-Identifier: MIT
 * flight: the packets that are out, as a ring indexed by packet number, and the trains that they
 * went in. Spec 06, "Words".
 *
 *        first                      next
 *     ----|--------------------------|----      o sent     nothing is known of it yet
 *         | l . o o . . o l o x o .  |          l lost     declared so; an ack may still come late
 *                                               x skipped  no packet has this number
 *                                               . settled, or not recorded
 *         \__1__/\__2__/\____3____/             trains: what their packets have in common
 *
 * A packet holds one piece of one stream; what more it holds hangs behind it in a chain. */
#ifndef STT_RECOVERY_FLIGHT_H
#define STT_RECOVERY_FLIGHT_H

#include "stt/base/env.h"
#include "stt/base/ranges.h"
#include "stt/recovery/marks.h"

#include <assert.h>

#define STT_NO_STREAM UINT32_MAX

enum {
    STT_FLIGHT_SLOTS_MIN = 64,
    STT_FLIGHT_SLOTS_MAX = 1 << 18, /* 8 MiB; twice what 190 MB in 1,452-byte packets take */
    STT_FLIGHT_TRAINS_MIN = 16,
    STT_FLIGHT_PIECES_MIN = 128, /* twice what a train may ask for */
    STT_FLIGHT_PIECES_MAX = 1 << 17,
};

/* What a packet carries of one stream, or of the session alone. */
struct stt_piece {
    uint64_t offset;
    uint32_t stream; /* the caller's index, or STT_NO_STREAM: then offset and len are 0 */
    uint32_t owes;   /* what else must be said again if it is lost: the caller's bits */
    uint32_t more;   /* the flight's own */
    uint16_t len;
    bool fin;
};

enum stt_packet_state {
    STT_PACKET_NONE,
    STT_PACKET_SENT,
    STT_PACKET_LOST,
    STT_PACKET_SKIPPED,
    STT_PACKET_ACKED, /* its slot still tells it, until it is used again */
};

enum {
    STT_PACKET_ELICITS = 1,    /* an ack; others only fill the path */
    STT_PACKET_ECT = 2,        /* went out with ECT(0) */
    STT_PACKET_SIZE_PROBE = 4, /* its loss says something of its size only */
    STT_PACKET_FORGOTTEN = 8,  /* given up for another reason than loss */
    STT_PACKET_BY_SIZE = 16,   /* larger than what the path carries: its loss is no congestion */
};

struct stt_packet {
    struct stt_piece piece;
    uint32_t train;
    uint16_t bytes; /* UDP payload */
    uint8_t state, flags;
};

struct stt_flight_train {
    stt_ns at;
    stt_ns lost_at; /* when the last of its packets was declared lost */
    /* The path's delivery as it was then. */
    stt_ns first_at, delivered_at;
    uint64_t delivered_bytes;
    uint32_t path; /* an id of the caller's */
    uint32_t open; /* packets of it that are sent or lost */
    bool is_app_limited, is_underfed;
};

/* Empty when zeroed. */
struct stt_flight {
    struct stt_packet *ring; /* NULL before the first, and after a trim */
    struct stt_marks open;   /* numbers that are sent, lost or skipped; in the ring's memory */
    uint64_t first, next;    /* all open numbers lie in [first, next) */
    uint32_t slots;
    uint32_t n_open, n_sent;
    uint32_t n_eliciting; /* of those sent */

    struct stt_flight_train *trains;
    uint32_t train_slots;
    uint32_t first_train, next_train;

    struct stt_piece *pieces;
    uint32_t piece_slots, pieces_used, free_pieces; /* free_pieces: index + 1 of a chain */
    uint32_t pieces_in_use;
};

static inline struct stt_packet *stt_flight_slot(const struct stt_flight *f, uint64_t number)
{
    return &f->ring[number & (f->slots - 1)];
}

static inline struct stt_flight_train *stt_flight_train(const struct stt_flight *f, uint32_t train)
{
    return &f->trains[train & (f->train_slots - 1)];
}

/* The first open number in [from, to), or `to` when there is none. */
static inline uint64_t stt_flight_find(const struct stt_flight *f, uint64_t from, uint64_t to)
{
    if (!f->n_open)
        return to;
    uint64_t start = from > f->first ? from : f->first, end = to < f->next ? to : f->next;
    uint64_t found = stt_marks_find(&f->open, start, end);
    return found < end ? found : to;
}

/* Room for a train with packets of these numbers, which are above all that were added, and `more`
 * pieces beyond one each. STT_E_LIMIT: they lie too far above the oldest that is open.
 * STT_E_MEMORY. */
int stt_flight_reserve(struct stt_flight *f, const struct stt_env *env, struct stt_range numbers,
                       size_t more) STT_MUST_USE;

/* After a reserve. A train in which nothing was sent gives way to the next. */
struct stt_flight_train *stt_flight_begin(struct stt_flight *f);
/* The numbers from next up to `to` are not recorded: their slots say so, whatever they held. */
void stt_flight_leave_out(struct stt_flight *f, uint64_t to);
/* Stores further pieces, and answers the chain of them. */
uint32_t stt_flight_chain(struct stt_flight *f, const struct stt_piece *pieces, size_t n);

static inline struct stt_packet *stt_flight_open(struct stt_flight *f, uint64_t number,
                                                 enum stt_packet_state state)
{
    if (!f->n_open)
        f->first = f->next = number;
    if (number != f->next)
        stt_flight_leave_out(f, number);
    assert(number == f->next && number - f->first < f->slots);
    struct stt_packet *slot = stt_flight_slot(f, number);
    slot->state = (uint8_t)state;
    stt_marks_add(&f->open, number);
    f->next = number + 1;
    f->n_open++;
    return slot;
}

/* Joins the last train. The slot is the caller's to fill, but for state and train. */
static inline struct stt_packet *stt_flight_add(struct stt_flight *f, uint64_t number)
{
    struct stt_packet *slot = stt_flight_open(f, number, STT_PACKET_SENT);
    slot->train = f->next_train - 1;
    stt_flight_train(f, slot->train)->open++;
    f->n_sent++;
    return slot;
}

/* This number is left out on purpose, and remembered. */
static inline void stt_flight_skip(struct stt_flight *f, uint64_t number)
{
    stt_flight_open(f, number, STT_PACKET_SKIPPED);
}

/* Gives a chain of pieces back; 0 is none. */
void stt_flight_drop_pieces(struct stt_flight *f, uint32_t chain);
/* The numbers in [from, to), all open, are so no longer; their slots and trains were told. */
static inline void stt_flight_close(struct stt_flight *f, uint64_t from, uint64_t to)
{
    stt_marks_remove(&f->open, from, to);
    f->n_open -= (uint32_t)(to - from);
}
/* Moves first up to the oldest open number, and gives back the trains before it. */
void stt_flight_advance(struct stt_flight *f);

/* Gives the memory back when nothing is open: for a session that has become quiet. */
void stt_flight_trim(struct stt_flight *f, const struct stt_env *env);
void stt_flight_free(struct stt_flight *f, const struct stt_env *env);

#endif
