/* SPDX-License-Identifier: MIT
 * Any history of trains, ACKs, timers and paths against a plain array of what became of each
 * number. Input: operations of kind 1 and argument 1. */
#include "stt/base/bytes.h"
#include "stt/recovery/loss.h"
#include "tests/support/ack_frame.h"
#include "tests/support/env.h"
#include "tests/support/fuzz.h"

enum { WORLD = 1 << 13, CHECKED = 400, LEN = 100 };
enum state { NONE, SENT, LOST, ACKED, SKIPPED };

struct model {
    struct {
        enum state state;
        uint32_t path;
        stt_ns at;
        uint16_t bytes;
        uint8_t flags, more, told;
        bool forgotten;
    } at[WORLD];
    uint64_t next, acked_end;
    bool is_dead; /* the peer has lied */
};

struct world {
    struct model *m;
    struct stt_loss l;
    struct test_env te;
    struct rng rng;
    stt_ns now;
};

static struct stt_piece piece_of(uint64_t number, uint32_t place)
{
    return (struct stt_piece){.stream = 1 + place, .offset = number * LEN, .len = LEN};
}

/* -- sending --------------------------------------------------------------------------------------
 */

static void send_packet(struct world *w, unsigned path, uint8_t more)
{
    struct model *m = w->m;
    struct stt_piece pieces[4];
    uint64_t n = m->next++;
    for (uint32_t i = 0; i <= more; i++)
        pieces[i] = piece_of(n, i);
    m->at[n].state = SENT;
    m->at[n].path = path == STT_LOSS_ELSEWHERE ? 0 : w->l.at[path].id;
    m->at[n].at = w->now;
    m->at[n].bytes = (uint16_t)(1 + n % 1500);
    m->at[n].flags = n % 13 ? STT_PACKET_ELICITS : n % 2 ? 0 : 1 | STT_PACKET_SIZE_PROBE;
    m->at[n].more = more;
    stt_loss_on_packet(&w->l, &(struct stt_loss_packet){.number = n,
                                                        .pieces = pieces,
                                                        .n_pieces = 1u + more,
                                                        .bytes = m->at[n].bytes,
                                                        .flags = m->at[n].flags});
}

static void send(struct world *w, unsigned path, unsigned packets, bool skips)
{
    struct model *m = w->m;
    struct stt_range numbers = {m->next, m->next + packets + 1};
    if (numbers.to > WORLD || (path < 2 && !w->l.at[path].id))
        return;
    if (stt_loss_begin_train(&w->l, w->now, path, numbers, 3 * packets) != STT_OK)
        return;
    for (unsigned i = 0; i < packets; i++) {
        if (skips && i == packets / 2) {
            stt_loss_on_skipped(&w->l, m->next, (uint32_t)rng_u64(&w->rng));
            m->at[m->next++].state = SKIPPED;
        }
        send_packet(w, path, rng_chance(&w->rng, 10) ? (uint8_t)rng_below(&w->rng, 4) : 0);
    }
    stt_loss_end_train(&w->l, packets % 2);
}

/* -- what must be true of what is pulled ----------------------------------------------------------
 */

static bool is_due(const struct world *w, uint64_t n)
{
    const struct stt_loss_path *p = &w->l.at[w->l.in_use];
    stt_ns rtt = p->rtt.smoothed > p->rtt.latest ? p->rtt.smoothed : p->rtt.latest;
    stt_ns wait = rtt + rtt / 8 * p->reorder_steps;
    wait = wait > STT_MS(1) ? wait : STT_MS(1);
    bool by_packets = p->reorder_packets <= 1024 && w->m->acked_end > n + p->reorder_packets;
    return by_packets || w->now - w->m->at[n].at >= wait;
}

static void take_number(struct world *w, uint64_t n, enum stt_settled_kind kind)
{
    enum state *state = &w->m->at[n].state;
    w->m->at[n].told = 0;
    if (kind == STT_SETTLED_UNANSWERED) {
        FUZZ_ASSERT(*state == SENT);
        return;
    }
    FUZZ_ASSERT(*state == SENT || (kind == STT_SETTLED_ACKED && *state == LOST));
    *state = kind == STT_SETTLED_ACKED ? ACKED : LOST;
}

static void take(struct world *w, const struct stt_settled *s)
{
    if (s->first == s->end) {
        uint64_t n = s->first - 1;
        FUZZ_ASSERT(s->offset == n * LEN && s->len == LEN && !s->bytes);
        FUZZ_ASSERT(s->stream == 2u + w->m->at[n].told++);
        return;
    }
    uint64_t bytes = 0;
    FUZZ_ASSERT(s->stream == 1 && s->offset == s->first * LEN);
    FUZZ_ASSERT(s->len == (s->end - s->first) * LEN && s->end <= w->m->next);
    for (uint64_t n = s->first; n < s->end; n++) {
        bytes += w->m->at[n].bytes;
        FUZZ_ASSERT(n + 1 == s->end || !w->m->at[n].more);
        take_number(w, n, s->kind);
    }
    FUZZ_ASSERT(s->bytes == bytes);
}

/* All pieces of every packet are told before the next one. */
static void pull(struct world *w)
{
    struct stt_settled s;
    uint64_t last = UINT64_MAX;
    while (stt_loss_next(&w->l, &s)) {
        FUZZ_ASSERT(last == UINT64_MAX || s.first == s.end ||
                    w->m->at[last].told == w->m->at[last].more);
        take(w, &s);
        last = s.end - 1;
    }
    FUZZ_ASSERT(last == UINT64_MAX || w->m->at[last].told == w->m->at[last].more);
}

static void check_sums(const struct world *w)
{
    const struct stt_flight *f = &w->l.flight;
    uint64_t bytes[2] = {0}, sent = 0, eliciting = 0;
    for (uint64_t n = 0; n < w->m->next; n++) {
        if (w->m->at[n].state != SENT)
            continue;
        FUZZ_ASSERT(n >= f->first && n < f->next);
        sent++;
        eliciting += w->m->at[n].flags & STT_PACKET_ELICITS;
        for (int i = 0; i < 2; i++)
            if (w->m->at[n].path && w->l.at[i].id == w->m->at[n].path)
                bytes[i] += w->m->at[n].bytes;
    }
    FUZZ_ASSERT(f->n_sent == sent && f->n_eliciting == eliciting && f->n_open >= sent);
    for (int i = 0; i < 2; i++)
        FUZZ_ASSERT(!w->l.at[i].id || w->l.at[i].in_flight_bytes == bytes[i]);
    uint64_t of_trains = 0, open = 0;
    for (uint32_t t = f->first_train; t != f->next_train; t++)
        of_trains += stt_flight_train(f, t)->open;
    for (uint64_t n = f->first; n < f->next; n++)
        open += w->m->at[n].state != SKIPPED && stt_flight_find(f, n, n + 1) == n;
    FUZZ_ASSERT(of_trains == open);
}

static void check_lost(const struct world *w, const enum state *before)
{
    stt_ns first = STT_NEVER;
    for (uint64_t n = 0; n < w->m->next; n++) {
        enum state state = w->m->at[n].state;
        if (before[n] == SENT && state == LOST)
            FUZZ_ASSERT(n < w->m->acked_end && is_due(w, n));
        if (state != SENT || n >= w->m->acked_end)
            continue;
        FUZZ_ASSERT(!is_due(w, n));
        first = first < w->m->at[n].at ? first : w->m->at[n].at;
    }
    FUZZ_ASSERT((first == STT_NEVER) == (w->l.loss_at == STT_NEVER));
    FUZZ_ASSERT(first == STT_NEVER || w->l.loss_at > w->now);
}

/* -- ACKs -----------------------------------------------------------------------------------------
 */

/* From random numbers up to `end`, honest or not. */
static size_t draw_ranges(struct world *w, struct stt_range *ranges, uint64_t end, bool lies)
{
    size_t n = 0;
    uint64_t from = end > 200 ? end - 200 : 0;
    for (uint64_t i = from; i < end && n < 60; i++) {
        enum state state = w->m->at[i].state;
        if ((state == SKIPPED || state == NONE) && !lies)
            continue;
        if (state != ACKED && rng_chance(&w->rng, 15))
            continue;
        if (n && ranges[n - 1].to == i)
            ranges[n - 1].to++;
        else
            ranges[n++] = (struct stt_range){i, i + 1};
    }
    return n;
}

static bool holds(const struct stt_range *ranges, size_t n, uint64_t number)
{
    for (size_t i = 0; i < n; i++)
        if (number >= ranges[i].from && number < ranges[i].to)
            return true;
    return false;
}

/* Whether a number that was left out, and that something below still waits for, is named. */
static bool is_caught(const struct world *w, const struct stt_range *ranges, size_t n)
{
    bool waits = false;
    for (uint64_t i = 0; i < w->m->next; i++) {
        waits = waits || w->m->at[i].state == SENT;
        if (waits && w->m->at[i].state == SKIPPED && holds(ranges, n, i))
            return true;
    }
    return false;
}

static bool names_skip(const struct world *w, const struct stt_range *ranges, size_t n)
{
    for (uint64_t i = 0; i < w->m->next; i++)
        if (w->m->at[i].state == SKIPPED && holds(ranges, n, i))
            return true;
    return false;
}

static void take_ack(struct world *w, uint64_t end, bool lies)
{
    static struct ack_frame memory;
    enum state before[WORLD];
    struct stt_range ranges[64];
    size_t n = draw_ranges(w, ranges, end, lies);
    bool newly = false, caught = is_caught(w, ranges, n);
    if (!n)
        return;
    for (uint64_t i = 0; i < w->m->next; i++) {
        before[i] = w->m->at[i].state;
        newly = newly || ((before[i] == SENT || before[i] == LOST) && holds(ranges, n, i));
    }
    uint64_t code =
        stt_loss_on_ack(&w->l, w->now, ack_frame(&memory, ranges, n, rng_u64(&w->rng) >> 30));
    FUZZ_ASSERT(code == STT_CLOSE_NO_ERROR);
    uint64_t acked_end = w->m->acked_end > ranges[n - 1].to ? w->m->acked_end : ranges[n - 1].to;
    pull(w);
    const struct stt_loss_outcome *o = stt_loss_outcome(&w->l);
    FUZZ_ASSERT(!caught || o->is_invalid);
    FUZZ_ASSERT(!o->is_invalid || names_skip(w, ranges, n));
    w->m->is_dead = o->is_invalid;
    if (w->m->is_dead || !o->acked_packets)
        return;
    FUZZ_ASSERT(newly);
    w->m->acked_end = acked_end;
    for (uint64_t i = 0; i < w->m->next; i++) {
        bool is_acked = w->m->at[i].state == ACKED;
        FUZZ_ASSERT(before[i] == ACKED || !is_acked || holds(ranges, n, i));
        FUZZ_ASSERT(before[i] != SENT || is_acked || !holds(ranges, n, i));
    }
    check_lost(w, before);
}

/* -- operations -----------------------------------------------------------------------------------
 */

static void on_timer(struct world *w)
{
    w->now = stt_loss_deadline(&w->l) != STT_NEVER && stt_loss_deadline(&w->l) > w->now
                 ? stt_loss_deadline(&w->l)
                 : w->now;
    if (w->l.loss_at <= w->now)
        stt_loss_on_loss_timer(&w->l, w->now);
    else
        stt_loss_on_pto(&w->l, w->now);
    pull(w);
}

static void change_path(struct world *w, unsigned how)
{
    uint8_t other = !w->l.in_use;
    if (how == 0 || !w->l.at[other].id)
        stt_loss_path_new(&w->l, other, how & 4);
    else if (how == 1)
        stt_loss_path_kept(&w->l);
    else
        stt_loss_path_back(&w->l, w->now);
    pull(w);
}

static void operate(struct world *w, uint8_t kind, uint8_t arg)
{
    struct model *m = w->m;
    switch (kind % 12) {
    case 0:
        w->now += STT_MS(1) * arg;
        break;
    case 1:
        w->now += STT_US(1) * arg;
        break;
    case 2:
        on_timer(w);
        break;
    case 3:
        stt_loss_forget(&w->l, w->now, m->next - (arg < m->next ? arg : m->next), m->next);
        pull(w);
        break;
    case 4:
        stt_loss_trim(&w->l);
        break;
    case 5:
        change_path(w, arg % 8);
        break;
    case 6:
        for (int i = 0; i < arg % 8 && m->next < WORLD; i++)
            stt_loss_on_quiet_packet(&w->l, m->next++);
        break;
    case 7:
        send(w, arg % 3, arg % 5, false);
        break;
    case 8:
        take_ack(w, m->next, arg == 255);
        break;
    case 9:
        take_ack(w, m->next - (arg < m->next ? arg : m->next), false);
        break;
    default:
        send(w, w->l.in_use, arg % 64, arg >= 224);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model m;
    struct rd input = rd_init(bytes_of(data, size));
    struct world w = {.m = &m, .rng = rng_init(size), .now = STT_S(1)};
    memset(&m, 0, sizeof m);
    test_env_init(&w.te, 1);
    stt_loss_init(&w.l, &w.te.env, 0);
    for (int n = 0; rd_left(&input) > 1 && !m.is_dead && n < CHECKED; n++) {
        uint8_t kind = rd_u8(&input), arg = rd_u8(&input);
        w.te.fail_at = kind >= 0xf0 ? w.te.allocs + 1 : 0;
        operate(&w, kind, arg);
        if (!m.is_dead)
            check_sums(&w);
    }
    stt_loss_free(&w.l);
    test_env_check_no_leak(&w.te);
    return 0;
}
