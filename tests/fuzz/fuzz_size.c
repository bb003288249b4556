/* SPDX-License-Identifier: MIT
 * Any order of what can happen to a search for the packet size, on a path whose limit changes,
 * against a list of all probes. At the end the path stays as it is, and the size must be found.
 * Input: operations of kind 1 and arguments 2. */
#include "stt/base/bytes.h"
#include "stt/session/size.h"
#include "tests/support/fuzz.h"

enum { BASE = 1200, PROBES_MAX = 1024 };

enum fate { OUT, LOST, SETTLED };

struct model {
    stt_ns now;
    uint64_t next;         /* packet number */
    uint32_t limit, upper; /* of the path; of everybody else */
    uint32_t bytes;        /* before the operation */
    uint64_t from;         /* packets before tell nothing */
    struct {
        uint64_t number;
        uint32_t size;
        bool fits; /* as the path was then */
        bool told; /* as lost */
        enum fate fate;
    } probe[PROBES_MAX];
    unsigned n;        /* probes in all */
    unsigned searched; /* of these in the present search */
};

static const stt_ns pto = STT_MS(100);

static void forget_probes(struct model *m)
{
    for (unsigned i = 0; i < m->n; i++)
        m->probe[i].fate = SETTLED;
}

static void search_begins(struct model *m)
{
    forget_probes(m);
    m->searched = 0;
}

static unsigned count_out(const struct model *m)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->n; i++)
        n += m->probe[i].fate == OUT;
    return n;
}

/* -- probes
 * ------------------------------------------------------------------------------------- */

static bool probe(struct model *m, struct stt_size *x, uint32_t room)
{
    bool raises = x->raise_at && x->raise_at <= m->now;
    uint32_t size = stt_size_next_probe(x, m->now, room);
    if (raises && !x->waits)
        search_begins(m);
    if (!size || m->n == PROBES_MAX)
        return false;
    FUZZ_ASSERT(stt_size_next_probe(x, m->now, room) == size);
    FUZZ_ASSERT(stt_size_deadline(x) <= m->now);
    FUZZ_ASSERT(size > m->bytes && size <= m->upper && size <= room);
    stt_size_on_probe_sent(x, size);
    m->probe[m->n].number = m->next++;
    m->probe[m->n].size = size;
    m->probe[m->n].fits = size <= m->limit;
    m->probe[m->n].told = false;
    m->probe[m->n++].fate = OUT;
    FUZZ_ASSERT(count_out(m) <= STT_SIZE_PROBES_MAX);
    FUZZ_ASSERT(++m->searched <= STT_SIZE_SEARCH_PROBES);
    return true;
}

static void probe_acked(struct model *m, struct stt_size *x, unsigned i)
{
    uint32_t size = m->probe[i].size < m->upper ? m->probe[i].size : m->upper;
    uint32_t raised = size > m->bytes ? size : m->bytes;
    if (!m->probe[i].fits)
        return;
    stt_size_on_probe_acked(x, m->probe[i].number, m->probe[i].size);
    uint32_t bytes = stt_size_bytes(x);
    FUZZ_ASSERT(bytes == raised || (bytes == m->bytes && m->probe[i].fate != OUT));
    m->probe[i].fate = SETTLED;
    for (unsigned k = 0; k < m->n; k++)
        if (m->probe[k].size <= bytes)
            m->probe[k].fate = SETTLED;
}

/* Which of the round it is taken for: one that is forgotten is told from others by its size. */
static unsigned taken_for(const struct model *m, unsigned i)
{
    for (unsigned k = 0; k < m->n && m->probe[i].fate != OUT && m->probe[i].number >= m->from; k++)
        if (m->probe[k].fate == OUT && m->probe[k].size == m->probe[i].size)
            return k;
    return i;
}

static void probe_lost(struct model *m, struct stt_size *x, unsigned i)
{
    unsigned k = taken_for(m, i);
    if (m->probe[i].told)
        return;
    m->probe[i].told = true;
    stt_size_on_probe_lost(x, m->probe[i].number, m->probe[i].size);
    m->probe[k].fate = m->probe[k].fate == OUT ? LOST : SETTLED;
    FUZZ_ASSERT(stt_size_bytes(x) == m->bytes);
}

static void probe_unsent(struct model *m, struct stt_size *x, unsigned i)
{
    if (m->probe[i].fate != OUT || m->probe[i].told)
        return;
    stt_size_on_probe_unsent(x, m->probe[i].number, m->probe[i].size);
    m->probe[i].fate = SETTLED;
    FUZZ_ASSERT(stt_size_bytes(x) == m->bytes);
}

/* -- other packets
 * ------------------------------------------------------------------------------ */

static void check_fall(struct model *m, const struct stt_size *x, bool has_fallen)
{
    FUZZ_ASSERT(stt_size_bytes(x) == (has_fallen ? BASE : m->bytes));
    FUZZ_ASSERT(!has_fallen || m->bytes > BASE);
    if (!has_fallen)
        return;
    search_begins(m);
    m->from = m->next;
}

static void lost(struct model *m, struct stt_size *x, uint8_t a, uint8_t b)
{
    uint64_t packets = 1 + (a & 7);
    uint32_t largest = 50 + (m->bytes - 50) * b / 255;
    struct stt_size_lost run = {.numbers = {m->next, m->next + packets},
                                .bytes = a & 8 ? packets * largest : largest + (packets - 1) * 50,
                                .largest = largest,
                                .first_sent_at = m->now,
                                .last_sent_at = m->now + STT_MS(a & 0xf0)};
    m->next += packets;
    check_fall(m, x, stt_size_on_lost(x, &run, pto, m->next));
    FUZZ_ASSERT(m->bytes == stt_size_bytes(x) || largest > BASE);
}

static void acked(struct model *m, struct stt_size *x, uint8_t a, uint8_t b)
{
    uint64_t number = m->next - (a & 7u), count = 1 + (a >> 4);
    uint32_t largest = 50 + (m->bytes - 50) * b / 255;
    stt_size_on_acked(x, (struct stt_range){number, number + count}, largest);
    m->next = number + count > m->next ? number + count : m->next;
    FUZZ_ASSERT(stt_size_bytes(x) == m->bytes);
}

static void on_pto(struct model *m, struct stt_size *x, uint8_t a, uint8_t b)
{
    stt_size_on_pto(x, 1 + a % 4, m->next);
    if (a % 4) {
        forget_probes(m);
        m->from = m->next;
    }
    FUZZ_ASSERT(!(a % 4) || stt_size_deadline(x) == STT_NEVER);
    check_fall(m, x, stt_size_on_unanswered(x, b * 8u));
    FUZZ_ASSERT(m->bytes == stt_size_bytes(x) || (a % 4 && b * 8u > BASE));
}

/* -- limits
 * ------------------------------------------------------------------------------------- */

static void forget_above(struct model *m, uint32_t size)
{
    for (unsigned i = 0; i < m->n; i++)
        if (m->probe[i].size > size)
            m->probe[i].fate = SETTLED;
}

static void refused(struct model *m, struct stt_size *x, uint32_t size)
{
    bool counts = size > BASE && size <= m->upper;
    m->upper = counts ? size - 1 : m->upper;
    stt_size_on_refused(x, size);
    FUZZ_ASSERT(stt_size_bytes(x) == (m->bytes > m->upper ? BASE : m->bytes));
    if (m->bytes > m->upper)
        search_begins(m);
    forget_above(m, m->upper);
}

static void limited(struct model *m, struct stt_size *x, uint32_t upper)
{
    bool is_higher = upper > m->upper;
    stt_size_on_limit(x, upper);
    m->upper = upper > BASE ? upper : BASE;
    FUZZ_ASSERT(stt_size_bytes(x) == (m->bytes < m->upper ? m->bytes : m->upper));
    if (is_higher)
        search_begins(m);
    forget_above(m, m->upper);
}

/* -- the end
 * ------------------------------------------------------------------------------------ */

static void run(struct model *m, struct stt_size *x, const uint8_t op[3])
{
    unsigned i = m->n ? m->n - 1 - op[1] % 8 % m->n : 0;
    uint32_t wide = op[1] * 256u + op[2];
    m->bytes = stt_size_bytes(x);
    switch (op[0] % 12) {
    case 0:
    case 1:
        probe(m, x, op[1] & 1 ? wide : UINT32_MAX);
        break;
    case 2:
        if (m->n)
            probe_acked(m, x, i);
        break;
    case 3:
        if (m->n)
            probe_lost(m, x, i);
        break;
    case 4:
        if (m->n)
            probe_unsent(m, x, i);
        break;
    case 5:
        lost(m, x, op[1], op[2]);
        break;
    case 6:
        acked(m, x, op[1], op[2]);
        break;
    case 7:
        on_pto(m, x, op[1], op[2]);
        break;
    case 8:
        op[0] & 16 ? refused(m, x, wide) : limited(m, x, wide % (STT_DATAGRAM_BYTES_MAX + 1));
        break;
    case 9:
        m->limit = BASE + (op[0] & 16 ? wide : wide % 400);
        break;
    case 10:
        m->now += op[0] & 16 ? STT_S(wide) : STT_MS(op[1]);
        break;
    default:
        stt_size_on_port_change(x, m->next);
        forget_probes(m);
        m->from = m->next;
    }
    FUZZ_ASSERT(stt_size_bytes(x) >= BASE && stt_size_bytes(x) <= m->upper);
}

static void judge_all(struct model *m, struct stt_size *x)
{
    for (unsigned i = 0; i < m->n; i++) {
        m->bytes = stt_size_bytes(x);
        if (m->probe[i].fate == OUT && m->probe[i].fits)
            probe_acked(m, x, i);
        else if (m->probe[i].fate == OUT)
            probe_lost(m, x, i);
    }
}

/* What is searched from now on is found, if nothing too large is in use already. */
static void find(struct model *m, struct stt_size *x)
{
    bool more = true;
    judge_all(m, x);
    stt_size_on_acked(x, (struct stt_range){m->next, m->next + 1}, 50);
    m->n = 0;
    stt_size_on_limit(x, BASE);
    m->upper = STT_DATAGRAM_BYTES_MAX;
    stt_size_on_limit(x, m->upper);
    m->searched = 0;
    while (more) {
        more = false;
        m->bytes = stt_size_bytes(x);
        while (probe(m, x, UINT32_MAX))
            more = true;
        judge_all(m, x);
    }
    uint32_t limit = m->limit < m->upper ? m->limit : m->upper, bytes = stt_size_bytes(x);
    FUZZ_ASSERT(bytes <= limit && bytes + STT_SIZE_STEP_BYTES > limit);
    FUZZ_ASSERT(stt_size_deadline(x) == m->now + STT_SIZE_RAISE_NS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model m;
    struct rd input = rd_init(bytes_of(data, size));
    struct stt_size x;
    m = (struct model){.now = STT_S(1), .next = 8, .limit = 1472, .upper = 9000};
    stt_size_init(&x, BASE, m.upper, 0);
    while (rd_left(&input) && m.n < PROBES_MAX) {
        uint8_t op[3];
        for (int i = 0; i < 3; i++)
            op[i] = rd_u8(&input);
        run(&m, &x, op);
    }
    find(&m, &x);
    return 0;
}
