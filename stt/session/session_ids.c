/* SPDX-License-Identifier: MIT
 * session_ids: two small tables. Invariants: at most own_max of our ids live; the peer's id in use
 * is never a retired one, and one that was used never comes back; at most STT_IDS_DEFAULT of the
 * peer's live. It must not know the endpoint's table, nor how ids are drawn.
 * Spec 04, "Session ids". */
#include "stt/session/session_ids.h"

#include "stt/wire/limits.h"

#include <assert.h>
#include <string.h>

enum { PLACES = STT_SESSION_IDS_MAX, KNOWN_BITS = 64 };
static_assert(PLACES >= 2 * STT_IDS_DEFAULT, "as many retired ids of the peer as live ones");

void stt_session_ids_init(struct stt_session_ids *ids, struct stt_id own, struct stt_id peer)
{
    *ids = (struct stt_session_ids){
        .next_sequence = 1, .peer_next = 1, .peer_known = 1, .moving = -1, .own_max = 1};
    ids->own[0] = (struct stt_own_id){.id = own, .ends_at = STT_NEVER, .used = true};
    ids->peer[0] = (struct stt_peer_issued_id){.id = peer, .used = true};
}

/* A peer that keeps to so many in each minute is never refused. */
static bool within_rate(struct stt_budget *budget, stt_ns now)
{
    struct stt_budget_rule rule =
        stt_budget_rate(STT_ID_CHANGES_PER_MINUTE / 60, STT_ID_CHANGES_PER_MINUTE);
    return stt_budget_take(budget, &rule, now, 1);
}

/* -- ours ----------------------------------------------------------------------------------------
 */

static bool is_live(const struct stt_own_id *o)
{
    return o->used && o->ends_at == STT_NEVER;
}

uint8_t stt_session_ids_own(const struct stt_session_ids *ids, uint8_t likely,
                            const uint8_t bytes[STT_ID_BYTES])
{
    for (int i = 0; i <= PLACES; i++) {
        int place = i ? i - 1 : likely;
        if (ids->own[place].used && memcmp(ids->own[place].id.bytes, bytes, STT_ID_BYTES) == 0)
            return (uint8_t)place;
    }
    return likely;
}

int stt_session_ids_vacancy(const struct stt_session_ids *ids)
{
    int live = 0, place = -1;
    for (int i = 0; i < PLACES; i++) {
        live += is_live(&ids->own[i]);
        if (!ids->own[i].used && place < 0)
            place = i;
    }
    return live < ids->own_max ? place : -1;
}

void stt_session_ids_issue(struct stt_session_ids *ids, int place, struct stt_id id)
{
    assert(!ids->own[place].used);
    ids->own[place] = (struct stt_own_id){
        .id = id, .sequence = ids->next_sequence++, .ends_at = STT_NEVER, .used = true};
}

bool stt_session_ids_new(const struct stt_session_ids *ids, int place, struct frame_new_id *f)
{
    const struct stt_own_id *o = &ids->own[place];
    *f = (struct frame_new_id){.sequence = o->sequence, .id = o->id};
    return is_live(o);
}

uint64_t stt_session_ids_on_retire(struct stt_session_ids *ids, stt_ns now, stt_ns linger_ns,
                                   uint64_t sequence)
{
    if (sequence >= ids->next_sequence)
        return STT_CLOSE_ID_LIMIT;
    for (int i = 0; i < PLACES; i++) {
        if (!is_live(&ids->own[i]) || ids->own[i].sequence != sequence)
            continue;
        ids->own[i].ends_at = now + linger_ns;
        return within_rate(&ids->retired, now) ? STT_CLOSE_NO_ERROR : STT_CLOSE_ID_LIMIT;
    }
    return STT_CLOSE_NO_ERROR; /* a repetition */
}

bool stt_session_ids_forget(struct stt_session_ids *ids, stt_ns now, struct stt_id *id)
{
    for (int i = 0; i < PLACES; i++) {
        struct stt_own_id *o = &ids->own[i];
        if (!o->used || is_live(o) || o->ends_at > now)
            continue;
        *id = o->id;
        o->used = false;
        return true;
    }
    return false;
}

stt_ns stt_session_ids_deadline(const struct stt_session_ids *ids)
{
    stt_ns first = STT_NEVER;
    for (int i = 0; i < PLACES; i++)
        if (ids->own[i].used && ids->own[i].ends_at < first)
            first = ids->own[i].ends_at;
    return first;
}

/* -- the peer's ----------------------------------------------------------------------------------
 */

/* Whether this sequence came before, also where its id has left the table since. */
static bool is_known(const struct stt_session_ids *ids, uint64_t sequence)
{
    if (sequence >= ids->peer_next)
        return false;
    uint64_t age = ids->peer_next - 1 - sequence;
    return age >= KNOWN_BITS || (ids->peer_known >> age & 1);
}

static void remember(struct stt_session_ids *ids, uint64_t sequence)
{
    if (sequence >= ids->peer_next) {
        uint64_t shift = sequence + 1 - ids->peer_next;
        ids->peer_known = shift < KNOWN_BITS ? ids->peer_known << shift : 0;
        ids->peer_next = sequence + 1;
    }
    ids->peer_known |= UINT64_C(1) << (ids->peer_next - 1 - sequence);
}

/* One sequence under two ids, or one id under two sequences. */
static bool is_lie(const struct stt_session_ids *ids, const struct frame_new_id *f)
{
    for (int i = 0; i < PLACES; i++) {
        const struct stt_peer_issued_id *p = &ids->peer[i];
        if (p->used && stt_id_equal(p->id, f->id) != (p->sequence == f->sequence))
            return true;
    }
    return false;
}

static int spare(const struct stt_session_ids *ids)
{
    for (int i = 0; i < PLACES; i++) {
        const struct stt_peer_issued_id *p = &ids->peer[i];
        if (p->used && !p->retired && i != ids->current && i != ids->moving &&
            p->sequence >= ids->retire_before)
            return i;
    }
    return -1;
}

int stt_session_ids_change(struct stt_session_ids *ids)
{
    int old = ids->current, place = spare(ids);
    if (place < 0)
        return -1;
    ids->peer[old].retired = true;
    ids->current = (uint8_t)place;
    return old;
}

uint32_t stt_session_ids_abandon(struct stt_session_ids *ids)
{
    int place = ids->moving;
    ids->moving = -1;
    if (place < 0 || ids->peer[place].retired)
        return 0;
    ids->peer[place].retired = true;
    return 1u << place;
}

bool stt_session_ids_set_aside(struct stt_session_ids *ids, uint32_t *retire)
{
    int place = spare(ids);
    *retire = 0;
    if (place < 0)
        return false;
    *retire = stt_session_ids_abandon(ids);
    ids->moving = (int8_t)place;
    return true;
}

uint32_t stt_session_ids_adopt(struct stt_session_ids *ids)
{
    int old = ids->current, place = ids->moving;
    ids->moving = -1;
    if (place < 0 || ids->peer[place].retired)
        return 0;
    ids->peer[old].retired = true;
    ids->current = (uint8_t)place;
    return 1u << old;
}

/* Retires what lies below retire_before. There is always another id to use: the one that came with
 * the demand is none of those. */
static uint32_t retire_asked(struct stt_session_ids *ids)
{
    uint32_t places = 0;
    if (ids->peer[ids->current].sequence < ids->retire_before) {
        int old = stt_session_ids_change(ids);
        places |= old < 0 ? 0 : 1u << old;
    }
    for (int i = 0; i < PLACES; i++) {
        struct stt_peer_issued_id *p = &ids->peer[i];
        if (!p->used || p->retired || p->sequence >= ids->retire_before || i == ids->current)
            continue;
        p->retired = true;
        places |= 1u << i;
        ids->moving = i == ids->moving ? -1 : ids->moving;
    }
    return places;
}

static int peer_vacancy(const struct stt_session_ids *ids)
{
    for (int i = 0; i < PLACES; i++)
        if (!ids->peer[i].used)
            return i;
    return -1;
}

static unsigned live_of_peer(const struct stt_session_ids *ids)
{
    unsigned live = 0;
    for (int i = 0; i < PLACES; i++)
        live += ids->peer[i].used && !ids->peer[i].retired;
    return live;
}

uint64_t stt_session_ids_on_new(struct stt_session_ids *ids, stt_ns now,
                                const struct frame_new_id *f, uint32_t *retire)
{
    *retire = 0;
    if (is_lie(ids, f))
        return STT_CLOSE_PROTOCOL_VIOLATION;
    if (is_known(ids, f->sequence))
        return STT_CLOSE_NO_ERROR; /* and costs nothing: what we do not hear is repeated often */
    int place = peer_vacancy(ids);
    if (place < 0 || !within_rate(&ids->issued, now))
        return STT_CLOSE_ID_LIMIT;
    remember(ids, f->sequence);
    ids->peer[place] =
        (struct stt_peer_issued_id){.id = f->id, .sequence = f->sequence, .used = true};
    if (f->retire_before > ids->retire_before)
        ids->retire_before = f->retire_before;
    *retire = retire_asked(ids);
    return live_of_peer(ids) <= STT_IDS_DEFAULT ? STT_CLOSE_NO_ERROR : STT_CLOSE_ID_LIMIT;
}

bool stt_session_ids_retire(const struct stt_session_ids *ids, int place, struct frame_retire_id *f)
{
    const struct stt_peer_issued_id *p = &ids->peer[place];
    *f = (struct frame_retire_id){.sequence = p->sequence};
    return p->used && p->retired;
}

void stt_session_ids_on_retire_acked(struct stt_session_ids *ids, int place)
{
    if (ids->peer[place].retired)
        ids->peer[place].used = ids->peer[place].retired = false;
}
