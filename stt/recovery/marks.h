/* SPDX-License-Identifier: MIT
 * marks: a set of numbers that all lie within one window, as a ring of bits. Groups count how many
 * lie in 64 words, so that finding the next member steps over an empty stretch 4,096 at a time.
 *
 *      from                      to
 *     ---|-----------------------|---     to - from <= slots, a power of two from 64
 *        | 1 . . 1 1 . . . . 1 1 |        outside of the window no bit is set
 *
 * Spec 06, "Words": what is in flight is a ring indexed by packet number. */
#ifndef STT_RECOVERY_MARKS_H
#define STT_RECOVERY_MARKS_H

#include <stddef.h>
#include <stdint.h>

struct stt_marks {
    uint64_t *words;
    uint16_t *groups;
    uint64_t word_mask; /* words - 1 */
};

#define STT_MARKS_WORD_BITS   64u
#define STT_MARKS_GROUP_WORDS 64u

static inline size_t stt_marks_words_bytes(uint64_t slots)
{
    return (size_t)(slots / STT_MARKS_WORD_BITS) * sizeof(uint64_t);
}

static inline size_t stt_marks_groups_bytes(uint64_t slots)
{
    uint64_t per_group = STT_MARKS_WORD_BITS * STT_MARKS_GROUP_WORDS;
    return (size_t)((slots + per_group - 1) / per_group) * sizeof(uint16_t);
}

static inline uint16_t *stt_marks_group(const struct stt_marks *m, uint64_t word)
{
    return &m->groups[(word & m->word_mask) / STT_MARKS_GROUP_WORDS];
}

/* It is no member yet. */
static inline void stt_marks_add(struct stt_marks *m, uint64_t number)
{
    uint64_t word = number / STT_MARKS_WORD_BITS;
    m->words[word & m->word_mask] |= UINT64_C(1) << number % STT_MARKS_WORD_BITS;
    ++*stt_marks_group(m, word);
}

/* All in [from, to) are members, and there is at least one. */
static inline void stt_marks_remove(struct stt_marks *m, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t word = from / STT_MARKS_WORD_BITS, end = (word + 1) * STT_MARKS_WORD_BITS;
        uint64_t n = (end < to ? end : to) - from;
        uint64_t bits = n == STT_MARKS_WORD_BITS ? UINT64_MAX : (UINT64_C(1) << n) - 1;
        m->words[word & m->word_mask] &= ~(bits << from % STT_MARKS_WORD_BITS);
        *stt_marks_group(m, word) = (uint16_t)(*stt_marks_group(m, word) - n);
        from += n;
    }
}

/* The first word at or above `word`, and below `end`, that may hold a member. */
static inline uint64_t stt_marks_skip_groups(const struct stt_marks *m, uint64_t word, uint64_t end)
{
    while (word < end && word % STT_MARKS_GROUP_WORDS == 0 && !*stt_marks_group(m, word))
        word += STT_MARKS_GROUP_WORDS;
    return word;
}

/* The first member in [from, to), which lies in the window, or `to`. */
static inline uint64_t stt_marks_find(const struct stt_marks *m, uint64_t from, uint64_t to)
{
    if (from >= to)
        return to;
    uint64_t word = from / STT_MARKS_WORD_BITS, end = (to - 1) / STT_MARKS_WORD_BITS + 1;
    uint64_t bits = m->words[word & m->word_mask] & UINT64_MAX << from % STT_MARKS_WORD_BITS;
    while (!bits) {
        word = stt_marks_skip_groups(m, word + 1, end);
        if (word >= end)
            return to;
        bits = m->words[word & m->word_mask];
    }
    uint64_t found = word * STT_MARKS_WORD_BITS + (unsigned)__builtin_ctzll(bits);
    return found < to ? found : to;
}

#endif
