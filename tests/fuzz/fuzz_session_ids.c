/* SPDX-License-Identifier: MIT
 * Any peer against the two tables of ids, each beside a plain list by sequence.
 * Input: the peer's limit 1, then operations of kind 1 and arguments 3. */
#include "stt/base/bytes.h"
#include "stt/session/session_ids.h"
#include "tests/support/fuzz.h"

enum { SEQUENCES = 256, LINGER_MS = 300 };
enum state { UNKNOWN, LIVE, RETIRED, GONE };

struct model {
    stt_ns now;
    struct {
        enum state state;
        stt_ns ends_at;
    } own[SEQUENCES];
    uint64_t own_next;
    struct {
        enum state state;
        uint8_t id;
    } peer[SEQUENCES];
    uint64_t retire_before, highest, current;
    struct stt_budget issued, retired;
};

static struct stt_id id_of(uint64_t sequence)
{
    struct stt_id id;
    be64_store(id.bytes, sequence + 1);
    return id;
}

static bool within_rate(struct stt_budget *b, stt_ns now)
{
    struct stt_budget_rule rule = {STT_MS(500), STT_S(60)};
    return stt_budget_take(b, &rule, now, 1);
}

static int count(const struct model *m, enum state state, bool own)
{
    int n = 0;
    for (int i = 0; i < SEQUENCES; i++)
        n += (own ? m->own[i].state : m->peer[i].state) == state;
    return n;
}

/* -- ours ----------------------------------------------------------------------------------------
 */

static void issue(struct model *m, struct stt_session_ids *ids)
{
    struct frame_new_id f;
    int place = stt_session_ids_vacancy(ids), live = count(m, LIVE, true);
    bool has_place = live + count(m, RETIRED, true) < STT_SESSION_IDS_MAX;
    FUZZ_ASSERT((place >= 0) == (live < ids->own_max && has_place));
    if (place < 0 || m->own_next == SEQUENCES)
        return;
    stt_session_ids_issue(ids, place, id_of(m->own_next));
    FUZZ_ASSERT(stt_session_ids_new(ids, place, &f) && f.sequence == m->own_next);
    m->own[m->own_next++].state = LIVE;
}

static uint64_t retire(struct model *m, struct stt_session_ids *ids, uint64_t sequence)
{
    uint64_t code = stt_session_ids_on_retire(ids, m->now, STT_MS(LINGER_MS), sequence);
    bool is_live = sequence < m->own_next && m->own[sequence].state == LIVE;
    bool ok = sequence < m->own_next && (!is_live || within_rate(&m->retired, m->now));
    FUZZ_ASSERT(code == (ok ? STT_CLOSE_NO_ERROR : STT_CLOSE_ID_LIMIT));
    if (is_live) {
        m->own[sequence].state = RETIRED;
        m->own[sequence].ends_at = m->now + STT_MS(LINGER_MS);
    }
    return code;
}

static void pass_time(struct model *m, struct stt_session_ids *ids, stt_ns time)
{
    stt_ns first = STT_NEVER;
    struct stt_id id;
    for (int i = 0; i < SEQUENCES; i++)
        if (m->own[i].state == RETIRED && m->own[i].ends_at < first)
            first = m->own[i].ends_at;
    FUZZ_ASSERT(stt_session_ids_deadline(ids) == first);
    m->now += time;
    while (stt_session_ids_forget(ids, m->now, &id)) {
        uint64_t sequence = be64_load(id.bytes) - 1;
        FUZZ_ASSERT(m->own[sequence].state == RETIRED && m->own[sequence].ends_at <= m->now);
        m->own[sequence].state = GONE;
    }
    for (int i = 0; i < SEQUENCES; i++)
        FUZZ_ASSERT(m->own[i].state != RETIRED || m->own[i].ends_at > m->now);
}

/* -- the peer's ----------------------------------------------------------------------------------
 */

static uint64_t place_sequence(const struct stt_session_ids *ids, int place)
{
    struct frame_retire_id f;
    FUZZ_ASSERT(stt_session_ids_retire(ids, place, &f));
    return f.sequence;
}

static bool is_lie(const struct model *m, uint64_t sequence, uint8_t id)
{
    for (uint64_t i = 0; i < SEQUENCES; i++)
        if ((m->peer[i].state == LIVE || m->peer[i].state == RETIRED) &&
            (m->peer[i].id == id) != (i == sequence))
            return true;
    return false;
}

/* What the spec says of such a NEW_ID; `accepted` when it was none that came before. */
static uint64_t judge(struct model *m, uint64_t sequence, uint8_t id, bool *accepted)
{
    *accepted = false;
    if (is_lie(m, sequence, id))
        return STT_CLOSE_PROTOCOL_VIOLATION;
    if (m->peer[sequence].state != UNKNOWN || sequence + 64 <= m->highest)
        return STT_CLOSE_NO_ERROR;
    if (count(m, LIVE, false) + count(m, RETIRED, false) == STT_SESSION_IDS_MAX ||
        !within_rate(&m->issued, m->now))
        return STT_CLOSE_ID_LIMIT;
    *accepted = true;
    return STT_CLOSE_NO_ERROR;
}

/* Places of `retire` say exactly what has to be retired now. */
static void check_retirement(struct model *m, const struct stt_session_ids *ids, uint32_t places)
{
    int asked = 0;
    for (uint64_t i = 0; i < m->retire_before; i++)
        asked += m->peer[i].state == LIVE;
    for (int place = 0; place < 32; place++) {
        if (!(places >> place & 1))
            continue;
        uint64_t sequence = place_sequence(ids, place);
        FUZZ_ASSERT(sequence < m->retire_before && m->peer[sequence].state == LIVE);
        m->peer[sequence].state = RETIRED;
        asked--;
    }
    FUZZ_ASSERT(asked == 0);
}

static uint64_t take(struct model *m, struct stt_session_ids *ids, const struct frame_new_id *f,
                     uint8_t id)
{
    bool accepted;
    uint32_t places = ~0u;
    uint64_t wanted = judge(m, f->sequence, id, &accepted);
    uint64_t code = stt_session_ids_on_new(ids, m->now, f, &places);
    if (!accepted) {
        FUZZ_ASSERT(code == wanted && places == 0);
        return code;
    }
    m->peer[f->sequence].state = LIVE;
    m->peer[f->sequence].id = id;
    m->highest = f->sequence > m->highest ? f->sequence : m->highest;
    if (f->retire_before > m->retire_before)
        m->retire_before = f->retire_before;
    check_retirement(m, ids, places);
    bool ok = count(m, LIVE, false) <= (int)STT_IDS_DEFAULT;
    FUZZ_ASSERT(code == (ok ? STT_CLOSE_NO_ERROR : STT_CLOSE_ID_LIMIT));
    return code;
}

static void change(struct model *m, struct stt_session_ids *ids)
{
    uint64_t before = m->current;
    int place = stt_session_ids_change(ids);
    FUZZ_ASSERT((place >= 0) == (count(m, LIVE, false) > 1));
    if (place < 0)
        return;
    FUZZ_ASSERT(place_sequence(ids, place) == before);
    m->peer[before].state = RETIRED;
}

static void acked(struct model *m, struct stt_session_ids *ids, int place)
{
    struct frame_retire_id f;
    if (stt_session_ids_retire(ids, place, &f))
        m->peer[f.sequence].state = GONE;
    stt_session_ids_on_retire_acked(ids, place);
    FUZZ_ASSERT(!stt_session_ids_retire(ids, place, &f));
}

/* The id in use lives, and moves only away from one that does not any more. */
static void check_current(struct model *m, const struct stt_session_ids *ids)
{
    uint64_t current = ids->peer[ids->current].sequence;
    FUZZ_ASSERT(current == m->current || m->peer[m->current].state != LIVE);
    FUZZ_ASSERT(m->peer[current].state == LIVE && current >= m->retire_before);
    FUZZ_ASSERT(stt_session_ids_current(ids)->bytes[7] == m->peer[current].id);
    m->current = current;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model m;
    struct rd input = rd_init(bytes_of(data, size));
    struct stt_session_ids ids;
    uint64_t code = STT_CLOSE_NO_ERROR;
    m = (struct model){.now = STT_S(1), .own_next = 1};
    m.own[0].state = m.peer[0].state = LIVE;
    m.peer[0].id = 1;
    stt_session_ids_init(&ids, id_of(0), id_of(0));
    ids.own_max = (uint8_t)(STT_IDS_MIN + rd_u8(&input) % (STT_IDS_MAX - STT_IDS_MIN + 1));
    while (rd_left(&input) && code == STT_CLOSE_NO_ERROR) {
        uint8_t kind = rd_u8(&input), a = rd_u8(&input), b = rd_u8(&input), c = rd_u8(&input);
        struct frame_new_id f = {.sequence = a % (SEQUENCES - 1)};
        uint8_t id = (uint8_t)(c < 0xf0 ? f.sequence + 1 : c);
        f.retire_before = b % (f.sequence + 1);
        f.id = id_of(id - 1u);
        switch (kind % 8) {
        case 0:
            pass_time(&m, &ids, STT_MS(a) * b);
            break;
        case 1:
            issue(&m, &ids);
            break;
        case 2:
            code = retire(&m, &ids, a);
            break;
        case 3:
            change(&m, &ids);
            break;
        case 4:
            acked(&m, &ids, a % STT_SESSION_IDS_MAX);
            break;
        default:
            code = take(&m, &ids, &f, id);
        }
        if (code == STT_CLOSE_NO_ERROR)
            check_current(&m, &ids);
        FUZZ_ASSERT(count(&m, LIVE, true) <= ids.own_max);
    }
    return 0;
}
