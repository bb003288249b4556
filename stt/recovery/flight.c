/* SPDX-License-Identifier: MIT
 * flight: three stores that double when they are too small: the ring of packets, the ring of
 * trains, the pool of further pieces. Invariants: a number is marked open if and only if its slot
 * is SENT, LOST or SKIPPED, and then it is in [first, next); next - first <= slots; a slot in
 * between that was never recorded is NONE; a train's `open` counts its open packets, and trains
 * outside of [first_train, next_train) have none. It must not know when a packet is lost, nor what
 * its pieces mean. Spec 06, "Words". */
#include "stt/recovery/flight.h"

#include <assert.h>
#include <string.h>

/* -- growing: each answers STT_OK or leaves everything as it was ----------------------------------
 */

static uint64_t doubled(uint64_t slots, uint64_t wanted)
{
    while (slots < wanted)
        slots *= 2;
    return slots;
}

static size_t ring_bytes(uint64_t slots)
{
    return (size_t)slots * sizeof(struct stt_packet) + stt_marks_words_bytes(slots) +
           stt_marks_groups_bytes(slots);
}

static void place_ring(struct stt_flight *f, struct stt_packet *ring, uint64_t slots)
{
    f->ring = ring;
    f->slots = (uint32_t)slots;
    f->open.words = (uint64_t *)(ring + slots);
    f->open.groups = (uint16_t *)(f->open.words + slots / STT_MARKS_WORD_BITS);
    f->open.word_mask = slots / STT_MARKS_WORD_BITS - 1;
}

static int grow_ring(struct stt_flight *f, const struct stt_env *env, uint64_t span)
{
    uint64_t slots = doubled(STT_FLIGHT_SLOTS_MIN, span);
    struct stt_packet *ring = stt_env_alloc(env, ring_bytes(slots));
    if (!ring)
        return STT_E_MEMORY;
    struct stt_flight old = *f;
    place_ring(f, ring, slots);
    for (uint64_t n = f->first; old.n_open && n < f->next; n++) {
        *stt_flight_slot(f, n) = *stt_flight_slot(&old, n);
        if (stt_marks_find(&old.open, n, n + 1) == n)
            stt_marks_add(&f->open, n);
    }
    stt_env_release(env, old.ring, ring_bytes(old.slots));
    return STT_OK;
}

static size_t train_bytes(uint64_t slots)
{
    return (size_t)slots * sizeof(struct stt_flight_train);
}

static int grow_trains(struct stt_flight *f, const struct stt_env *env)
{
    struct stt_flight old = *f;
    uint64_t slots = doubled(STT_FLIGHT_TRAINS_MIN, (uint64_t)old.train_slots * 2);
    struct stt_flight_train *trains = stt_env_alloc(env, train_bytes(slots));
    if (!trains)
        return STT_E_MEMORY;
    f->trains = trains;
    f->train_slots = (uint32_t)slots;
    for (uint32_t t = f->first_train; t != f->next_train; t++)
        *stt_flight_train(f, t) = *stt_flight_train(&old, t);
    stt_env_release(env, old.trains, train_bytes(old.train_slots));
    return STT_OK;
}

static size_t pieces_bytes(uint64_t slots)
{
    return (size_t)slots * sizeof(struct stt_piece);
}

static int grow_pieces(struct stt_flight *f, const struct stt_env *env, uint64_t wanted)
{
    if (wanted > STT_FLIGHT_PIECES_MAX)
        return STT_E_LIMIT;
    uint64_t slots = doubled(STT_FLIGHT_PIECES_MIN, wanted);
    struct stt_piece *pieces = stt_env_alloc(env, pieces_bytes(slots));
    if (!pieces)
        return STT_E_MEMORY;
    if (f->pieces)
        memcpy(pieces, f->pieces, pieces_bytes(f->pieces_used));
    stt_env_release(env, f->pieces, pieces_bytes(f->piece_slots));
    f->pieces = pieces;
    f->piece_slots = (uint32_t)slots;
    return STT_OK;
}

int stt_flight_reserve(struct stt_flight *f, const struct stt_env *env, struct stt_range numbers,
                       size_t more)
{
    int error = STT_OK;
    uint64_t span = numbers.to - (f->n_open ? f->first : numbers.from);
    if (span > STT_FLIGHT_SLOTS_MAX || more > STT_FLIGHT_PIECES_MAX)
        return STT_E_LIMIT;
    if (span > f->slots)
        error = grow_ring(f, env, span);
    if (!error && f->next_train - f->first_train == f->train_slots)
        error = grow_trains(f, env);
    if (!error && f->pieces_in_use + more > f->piece_slots)
        error = grow_pieces(f, env, f->pieces_in_use + more);
    return error;
}

/* -- sending --------------------------------------------------------------------------------------
 */

struct stt_flight_train *stt_flight_begin(struct stt_flight *f)
{
    bool is_last_used =
        f->next_train != f->first_train && stt_flight_train(f, f->next_train - 1)->open;
    if (is_last_used || f->next_train == f->first_train)
        f->next_train++;
    struct stt_flight_train *train = stt_flight_train(f, f->next_train - 1);
    *train = (struct stt_flight_train){.open = 0};
    return train;
}

static uint32_t take_piece(struct stt_flight *f, const struct stt_piece *piece, uint32_t chain)
{
    uint32_t place = f->free_pieces ? f->free_pieces : ++f->pieces_used;
    assert(place <= f->piece_slots);
    struct stt_piece *to = &f->pieces[place - 1];
    f->free_pieces = f->free_pieces ? to->more : 0;
    f->pieces_in_use++;
    *to = *piece;
    to->more = chain;
    return place;
}

void stt_flight_leave_out(struct stt_flight *f, uint64_t to)
{
    assert(to - f->first < f->slots);
    for (; f->next < to; f->next++)
        stt_flight_slot(f, f->next)->state = STT_PACKET_NONE;
}

uint32_t stt_flight_chain(struct stt_flight *f, const struct stt_piece *pieces, size_t n)
{
    uint32_t chain = 0;
    while (n--)
        chain = take_piece(f, &pieces[n], chain);
    return chain;
}

/* -- settling -------------------------------------------------------------------------------------
 */

void stt_flight_drop_pieces(struct stt_flight *f, uint32_t chain)
{
    while (chain) {
        struct stt_piece *piece = &f->pieces[chain - 1];
        uint32_t next = piece->more;
        piece->more = f->free_pieces;
        f->free_pieces = chain;
        f->pieces_in_use--;
        chain = next;
    }
}

void stt_flight_advance(struct stt_flight *f)
{
    f->first = stt_flight_find(f, f->first, f->next);
    while (f->first_train != f->next_train && !stt_flight_train(f, f->first_train)->open)
        f->first_train++;
}

void stt_flight_trim(struct stt_flight *f, const struct stt_env *env)
{
    if (!f->n_open)
        stt_flight_free(f, env);
}

void stt_flight_free(struct stt_flight *f, const struct stt_env *env)
{
    uint64_t next = f->next;
    stt_env_release(env, f->ring, ring_bytes(f->slots));
    stt_env_release(env, f->trains, train_bytes(f->train_slots));
    stt_env_release(env, f->pieces, pieces_bytes(f->piece_slots));
    *f = (struct stt_flight){.first = next, .next = next};
}
