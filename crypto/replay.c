/* SPDX-License-Identifier: MIT
 * replay: a ring of bits, one per number, of the newest 64 or 8,192 numbers; borrows its bitmap.
 *
 *                    expected - size            expected
 *      seen, all of them |   0 = fresh, 1 = seen   | fresh, all of them
 *   =====================|.....1.11...11111111111111|- - - - - - - - - ->
 *
 * Bit `number mod size` of the ring stands for `number`. Invariant: only the bits of the numbers
 * in [expected - size, expected) mean anything; a bit is cleared when its number is passed, and
 * never before, so the window has its full size at every position. Packets arrive in order, and
 * then recording one is setting one bit. It must not know what a packet is. Spec 02, "Opening". */
#include "crypto/replay.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { WORD_BITS = 64 };

static uint64_t size_of(const struct stt_replay *r)
{
    return r->bitmap ? STT_REPLAY_NUMBERS : WORD_BITS;
}

static size_t index_of(uint64_t number)
{
    return number / WORD_BITS % STT_REPLAY_WORDS;
}

static uint64_t *word_of(struct stt_replay *r, uint64_t number)
{
    return r->bitmap ? &r->bitmap[index_of(number)] : &r->word;
}

static uint64_t bit_of(uint64_t number)
{
    return UINT64_C(1) << number % WORD_BITS;
}

bool stt_replay_is_fresh(const struct stt_replay *r, uint64_t number)
{
    if (number >= r->expected)
        return number >> 62 == 0;
    if (r->expected - number > size_of(r))
        return false;
    uint64_t word = r->bitmap ? r->bitmap[index_of(number)] : r->word;
    return !(word & bit_of(number));
}

/* Marks the numbers [from, to) as not seen. */
static void pass(struct stt_replay *r, uint64_t from, uint64_t to)
{
    if (to - from > size_of(r))
        from = to - size_of(r);
    while (from < to) {
        uint64_t end = (from | (WORD_BITS - 1)) + 1;
        uint64_t bits = ~(bit_of(from) - 1);
        if (end > to)
            bits &= bit_of(to) - 1;
        *word_of(r, from) &= ~bits;
        from = end;
    }
}

void stt_replay_record(struct stt_replay *r, uint64_t number)
{
    assert(stt_replay_is_fresh(r, number));
    if (number >= r->expected) {
        pass(r, r->expected, number);
        r->expected = number + 1;
    }
    *word_of(r, number) |= bit_of(number);
}

/* The newest 64 numbers at their places in one word. */
static uint64_t newest(struct stt_replay *r)
{
    uint64_t old_end = bit_of(r->expected) - 1; /* these bits belong to the word of `expected` */
    return (*word_of(r, r->expected) & old_end) | (*word_of(r, r->expected - WORD_BITS) & ~old_end);
}

void stt_replay_attach(struct stt_replay *r, uint64_t bitmap[STT_REPLAY_WORDS])
{
    assert(!r->bitmap);
    uint64_t old_end = bit_of(r->expected) - 1;
    memset(bitmap, 0xff, STT_REPLAY_NUMBERS / 8);
    r->bitmap = bitmap;
    *word_of(r, r->expected) = r->word | ~old_end;
    *word_of(r, r->expected - WORD_BITS) = r->word | old_end;
}

uint64_t *stt_replay_detach(struct stt_replay *r)
{
    uint64_t *bitmap = r->bitmap;
    if (bitmap)
        r->word = newest(r);
    r->bitmap = NULL;
    return bitmap;
}
