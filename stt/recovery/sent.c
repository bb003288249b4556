/* SPDX-License-Identifier: MIT
 * sent: a power-of-two ring that doubles when the numbers in flight span more than it has.
 * Invariants: every number in flight is in [first, next), first itself among them; next - first <=
 * slots; every slot of no number in flight is zero. It must not know what packets hold, nor when
 * one is lost. Spec 06, "Words", "Packet sent". */
#include "stt/recovery/sent.h"

#include <assert.h>

static struct stt_sent_packet *slot(const struct stt_sent *s, uint64_t number)
{
    return &s->ring[number & s->mask];
}

static uint64_t slots_of(const struct stt_sent *s)
{
    return s->ring ? (uint64_t)s->mask + 1 : 0;
}

static size_t bytes_of_slots(uint64_t slots)
{
    return (size_t)slots * sizeof(struct stt_sent_packet);
}

static int grow(struct stt_sent *s, const struct stt_env *env, uint64_t span)
{
    uint64_t slots = STT_SENT_SLOTS_MIN;
    while (slots < span)
        slots *= 2;
    struct stt_sent bigger = *s;
    bigger.mask = (uint32_t)slots - 1;
    bigger.ring = stt_env_alloc(env, bytes_of_slots(slots));
    if (!bigger.ring)
        return STT_E_MEMORY;
    for (uint64_t n = s->first; s->in_flight && n < s->next; n++)
        *slot(&bigger, n) = *slot(s, n);
    stt_env_release(env, s->ring, bytes_of_slots(slots_of(s)));
    *s = bigger;
    return STT_OK;
}

int stt_sent_reserve(struct stt_sent *s, const struct stt_env *env, uint64_t number)
{
    uint64_t span = s->in_flight ? number - s->first + 1 : 1;
    if (span > STT_SENT_SLOTS_MAX)
        return STT_E_LIMIT;
    return span <= slots_of(s) ? STT_OK : grow(s, env, span);
}

void stt_sent_add(struct stt_sent *s, uint64_t number, struct stt_sent_packet packet)
{
    if (!s->in_flight)
        s->first = number;
    assert(packet.bytes && (!s->in_flight || number >= s->next));
    assert(number - s->first < slots_of(s));
    *slot(s, number) = packet;
    s->next = number + 1;
    s->in_flight++;
    s->in_flight_bytes += packet.bytes;
}

struct stt_sent_packet *stt_sent_at(struct stt_sent *s, uint64_t number)
{
    if (!s->in_flight || number < s->first || number >= s->next || !slot(s, number)->bytes)
        return NULL;
    return slot(s, number);
}

struct stt_sent_packet *stt_sent_find(struct stt_sent *s, uint64_t *number, uint64_t to)
{
    if (!s->in_flight)
        return NULL;
    uint64_t n = *number > s->first ? *number : s->first, end = to < s->next ? to : s->next;
    for (; n < end; n++) {
        if (!slot(s, n)->bytes)
            continue;
        *number = n;
        return slot(s, n);
    }
    return NULL;
}

void stt_sent_settle(struct stt_sent *s, uint64_t number)
{
    struct stt_sent_packet *p = stt_sent_at(s, number);
    if (!p)
        return;
    s->in_flight--;
    s->in_flight_bytes -= p->bytes;
    *p = (struct stt_sent_packet){0};
    while (s->first < s->next && !slot(s, s->first)->bytes)
        s->first++;
}

void stt_sent_trim(struct stt_sent *s, const struct stt_env *env)
{
    if (!s->in_flight)
        stt_sent_free(s, env);
}

void stt_sent_free(struct stt_sent *s, const struct stt_env *env)
{
    stt_env_release(env, s->ring, bytes_of_slots(slots_of(s)));
    *s = (struct stt_sent){.ring = NULL};
}
