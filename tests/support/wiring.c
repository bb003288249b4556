/* SPDX-License-Identifier: MIT */
#include "tests/support/wiring.h"

#include "stt/session/saying.h"
#include "stt/stream/fates.h"
#include "tests/support/fuzz.h"

enum { SLOTS_MAX = 512, RANGES_MAX = 512 };

#define EACH_SESSION(s, ep)                                                                        \
    for (struct stt_list *l_ = (ep)->all.next;                                                     \
         l_ != &(ep)->all && ((s) = STT_LIST_ENTRY(l_, struct stt_session, all)); l_ = l_->next)

#define EACH_STREAM(t, x)                                                                          \
    for (uint32_t i_ = 0; i_ < (x)->slots.n; i_++)                                                 \
        if (((t) = stt_slots_at(&(x)->slots, i_)))

/* -- sums -------------------------------------------------------------------------------------- */

void wiring_on_end(struct wiring *w, const struct stt_stream *t)
{
    FUZZ_ASSERT(t->end_reported && t->receive.consumed == t->receive.highest);
    FUZZ_ASSERT(!t->send.chunks.held && !t->receive.chunks.held);
    w->sent += t->send.sent;
    w->received += t->receive.highest;
}

static void check_sums(const struct wiring *w, const struct stt_streams *x)
{
    uint64_t sent = w->sent, received = w->received, consumed = w->received;
    const struct stt_stream *t;
    EACH_STREAM(t, x)
    {
        sent += t->send.sent;
        received += t->receive.highest;
        consumed += t->receive.consumed;
        FUZZ_ASSERT(t->window.consumed == t->receive.consumed);
        FUZZ_ASSERT(t->send.sent <= t->send_limit && t->receive.highest <= t->window.limit);
    }
    FUZZ_ASSERT(sent == x->sent && received == x->received && consumed == x->window.consumed);
    FUZZ_ASSERT(x->sent <= x->send_limit && x->received <= x->window.limit);
}

/* -- memory ------------------------------------------------------------------------------------ */

struct use {
    uint32_t chunks, small, large;
};

static void count_block(struct use *u, size_t bytes)
{
    if (bytes && bytes <= STT_BLOCK_SMALL_BYTES)
        u->small++;
    else if (bytes && bytes <= STT_BLOCK_LARGE_BYTES)
        u->large++;
}

static void count_chunks(struct use *u, const struct stt_chunks *c)
{
    u->chunks += c->held;
    count_block(u, c->mask ? ((size_t)c->mask + 1) * sizeof *c->row : 0);
}

static void count_spans(struct use *u, const struct stt_spans *s)
{
    if (s->many == STT_SPANS_MANY)
        count_block(u, sizeof *s->table + s->table->capacity * sizeof *s->table->at);
}

/* How many chunks the bytes of [from, to) lie in. */
static uint64_t spanned(uint64_t from, uint64_t to)
{
    return from == to ? 0 : (to - 1) / STT_CHUNK_BYTES - from / STT_CHUNK_BYTES + 1;
}

static void count_stream(struct use *u, const struct stt_stream *t)
{
    FUZZ_ASSERT(t->send.chunks.held == spanned(t->send.acked, t->send.queued));
    FUZZ_ASSERT(t->receive.chunks.held <= spanned(t->receive.consumed, t->receive.highest));
    count_chunks(u, &t->send.chunks);
    count_chunks(u, &t->receive.chunks);
    count_spans(u, &t->send.holes);
    count_spans(u, &t->send.lost);
    count_spans(u, &t->receive.islands);
    count_block(u, t->reader.skipped ? STT_BLOCK_LARGE_BYTES : 0);
}

static void count_datagrams(struct use *u, const struct stt_datagram_traffic *x)
{
    if (!x)
        return;
    count_chunks(u, &x->out.chunks);
    count_chunks(u, &x->in.chunks);
    count_block(u, x->fates.size * sizeof *x->fates.ring);
}

static void check_memory(const struct stt_endpoint *ep)
{
    struct use u = {0, 0, 0};
    const struct stt_session *s;
    const struct stt_stream *t;
    EACH_SESSION(s, ep)
    {
        if (!s->streams)
            continue;
        EACH_STREAM(t, s->streams)
        count_stream(&u, t);
        count_datagrams(&u, s->streams->datagrams);
    }
    FUZZ_ASSERT(u.chunks == ep->chunks.chunks.in_use);
    FUZZ_ASSERT(u.small == ep->chunks.small.in_use && u.large == ep->chunks.large.in_use);
}

/* -- lists ------------------------------------------------------------------------------------- */

static uint32_t length(const struct stt_list *head)
{
    uint32_t n = 0;
    for (const struct stt_list *l = head->next; l != head; l = l->next)
        n++;
    return n;
}

static bool is_in(const struct stt_list *head, const struct stt_list *link)
{
    for (const struct stt_list *l = head->next; l != head; l = l->next)
        if (l == link)
            return true;
    return false;
}

/* It has something to send, and no place in the rings: why? */
static void check_who_waits(const struct stt_stream *t)
{
    const struct stt_session *s = t->session;
    const struct stt_streams *x = s->streams;
    if (is_in(&x->starved, &t->held))
        FUZZ_ASSERT(x->sent == x->send_limit);
    else if (is_in(&x->blocked, &t->held))
        FUZZ_ASSERT(t->send.sent == t->send_limit || (t->late && t->late->stuck != UINT64_MAX));
    else if (is_in(&x->waiting, &t->held))
        FUZZ_ASSERT(s->state > STT_SESSION_OPEN || s->deadline[STT_TIMER_COALESCE] != STT_NEVER);
    else
        FUZZ_ASSERT(!stt_sendq_has(&t->send, stt_stream_limit(t)));
}

/* A message is late, and could not be given up: what is before it has not been sent, or there is no
 * room to remember it. */
static void check_stuck(const struct stt_stream *t)
{
    const struct stt_late *late = t->late;
    FUZZ_ASSERT(late->skips.n <= STT_SKIPS_MAX);
    if (late->stuck != UINT64_MAX && !stt_list_is_linked(&t->schedule.link))
        FUZZ_ASSERT(late->stuck > t->send.sent || late->skips.n == STT_SKIPS_MAX ||
                    late->look_at != STT_NEVER);
}

static void check_stream(const struct stt_endpoint *ep, const struct stt_stream *t)
{
    bool is_ready = stt_list_is_linked(&t->schedule.link);
    bool is_thirsty = is_in(&ep->thirsty, &t->events);
    FUZZ_ASSERT(!t->is_reset || (!is_ready && !stt_list_is_linked(&t->held)));
    if (!t->is_reset && !is_ready)
        check_who_waits(t);
    if (t->late && !t->is_reset)
        check_stuck(t);
    FUZZ_ASSERT(stt_list_is_linked(&t->owed) == (t->owes != 0));
    FUZZ_ASSERT(is_thirsty == stt_stream_is_thirsty(t));
    FUZZ_ASSERT(stt_list_is_linked(&t->events) == (t->pending || is_thirsty));
    FUZZ_ASSERT(!(t->pending & STT_STREAM_ENDED) == !t->end_reported);
    FUZZ_ASSERT(stt_stream_by_id(t->session, t->id) == t);
}

static void check_lists(const struct stt_endpoint *ep, const struct stt_streams *x)
{
    const struct stt_stream *t;
    uint32_t n = 0, ready = 0, owed = 0, held = 0, gaps = 0;
    EACH_STREAM(t, x)
    {
        check_stream(ep, t);
        n++;
        ready += stt_list_is_linked(&t->schedule.link);
        owed += stt_list_is_linked(&t->owed);
        held += stt_list_is_linked(&t->held);
        gaps += stt_recvq_gaps(&t->receive);
    }
    ready += x->datagrams && stt_list_is_linked(&x->datagrams->schedule.link);
    for (unsigned i = 0; i < STT_URGENCY_LEVELS; i++) {
        FUZZ_ASSERT(stt_list_is_empty(&x->scheduler.levels[i]) == !(x->scheduler.ready >> i & 1));
        ready -= length(&x->scheduler.levels[i]);
    }
    FUZZ_ASSERT(n == x->by_id.n && n == x->slots.n - x->slots.n_free && !ready);
    held -= length(&x->waiting) + length(&x->starved) + length(&x->blocked);
    FUZZ_ASSERT(owed == length(&x->owed) && !held && gaps == x->gaps);
    FUZZ_ASSERT(!x->datagrams || !x->datagrams->out.n ||
                stt_list_is_linked(&x->datagrams->schedule.link));
}

static void check_timers(const struct stt_session *s)
{
    if (s->state == STT_SESSION_CLOSED)
        return;
    for (int i = 0; i < STT_TIMER_COUNT; i++)
        FUZZ_ASSERT(s->timer.at <= s->deadline[i]);
    FUZZ_ASSERT(s->state != STT_SESSION_OPEN || s->timer.at <= stt_loss_deadline(&s->loss));
    FUZZ_ASSERT(s->state != STT_SESSION_OPEN || !s->streams ||
                s->deadline[STT_TIMER_LATE] <= stt_timers_next(&s->streams->late));
}

void wiring_check(const struct wiring *w, const struct stt_endpoint *ep)
{
    uint32_t streams = 0;
    const struct stt_session *s;
    EACH_SESSION(s, ep)
    {
        check_timers(s);
        if (!s->streams)
            continue;
        check_sums(w, s->streams);
        check_lists(ep, s->streams);
        streams += s->streams->by_id.n;
    }
    FUZZ_ASSERT(streams == ep->streams.in_use);
    check_memory(ep);
}

/* -- what is out ------------------------------------------------------------------------------- */

/* Of one stream: bytes that somebody looks after, and what else is in packets that are out. */
struct covered {
    struct stt_range memory[RANGES_MAX];
    struct stt_ranges bytes;
    uint32_t owes;
    bool fin, is_full;
    uint64_t skips[STT_SKIPS_MAX];
    uint32_t n_skips;
};

static struct covered covered[SLOTS_MAX];

static void cover(struct covered *c, uint64_t from, uint64_t to)
{
    c->is_full = c->is_full || stt_ranges_add(&c->bytes, from, to) != STT_OK;
}

static void cover_spans(struct covered *c, const struct stt_spans *s)
{
    if (s->many == STT_SPANS_MANY)
        for (uint32_t i = 0; i < s->table->n; i++)
            cover(c, s->table->at[i].from, s->table->at[i].to);
    else if (s->one.to)
        cover(c, s->one.from, s->one.to);
}

static void cover_piece(const struct stt_streams *x, const struct stt_piece *p)
{
    if (p->stream == STT_NO_STREAM || p->stream == STT_DATAGRAM_PIECES ||
        !stt_slots_at(&x->slots, p->stream))
        return;
    struct covered *c = &covered[p->stream];
    c->owes |= p->owes;
    c->fin = c->fin || p->fin;
    if (p->owes & STT_STREAM_OWES_SKIP && c->n_skips < STT_SKIPS_MAX)
        c->skips[c->n_skips++] = p->offset & ~STT_LATE_MARK;
    else
        cover(c, p->offset, p->offset + p->len);
}

static void check_covered(const struct stt_stream *t, const struct covered *c)
{
    uint32_t owes = c->owes | t->owes;
    FUZZ_ASSERT(!t->is_reset || t->reset_acked || owes & STT_STREAM_OWES_RESET);
    if (t->is_reset)
        return;
    FUZZ_ASSERT(c->is_full || t->send.acked == t->send.sent ||
                stt_ranges_first_gap(&c->bytes, t->send.acked).from >= t->send.sent);
    FUZZ_ASSERT(!t->send.fin_sent || t->send.fin_acked || t->send.fin_lost || c->fin);
    for (uint32_t i = 0; t->late && i < t->late->skips.n; i++) {
        const struct stt_skip *skip = &t->late->skips.at[i];
        bool is_out = c->n_skips == STT_SKIPS_MAX;
        for (uint32_t j = 0; j < c->n_skips; j++)
            is_out = is_out || c->skips[j] == skip->range.from;
        FUZZ_ASSERT(skip->is_owed ? t->owes & STT_STREAM_OWES_SKIP : is_out);
    }
}

struct out {
    uint32_t sent, eliciting;
    uint64_t bytes[2];
};

static void count_packet(const struct stt_session *s, const struct stt_packet *p, struct out *o)
{
    const struct stt_flight_train *train = stt_flight_train(&s->loss.flight, p->train);
    o->sent++;
    o->eliciting += p->flags & STT_PACKET_ELICITS;
    for (int i = 0; i < 2; i++)
        if (train->path && s->loss.at[i].id == train->path)
            o->bytes[i] += p->bytes;
    if (!s->streams)
        return;
    cover_piece(s->streams, &p->piece);
    for (uint32_t more = p->piece.more; more; more = s->loss.flight.pieces[more - 1].more)
        cover_piece(s->streams, &s->loss.flight.pieces[more - 1]);
}

static void walk_flight(const struct stt_session *s)
{
    const struct stt_flight *f = &s->loss.flight;
    struct out o = {0, 0, {0, 0}};
    uint32_t open = 0;
    for (uint64_t n = stt_flight_find(f, 0, f->next); f->n_open && n < f->next;
         n = stt_flight_find(f, n + 1, f->next), open++)
        if (stt_flight_slot(f, n)->state == STT_PACKET_SENT)
            count_packet(s, stt_flight_slot(f, n), &o);
    FUZZ_ASSERT(open == f->n_open && o.sent == f->n_sent && o.eliciting == f->n_eliciting);
    for (int i = 0; i < 2; i++)
        FUZZ_ASSERT(!s->loss.at[i].id || s->loss.at[i].in_flight_bytes == o.bytes[i]);
}

static void check_session_flight(const struct stt_session *s)
{
    const struct stt_stream *t;
    EACH_STREAM(t, s->streams)
    {
        struct covered *c = &covered[t->slot];
        c->owes = c->n_skips = 0;
        c->fin = c->is_full = false;
        stt_ranges_init(&c->bytes, c->memory, RANGES_MAX);
        cover_spans(c, &t->send.holes);
        cover_spans(c, &t->send.lost);
    }
    walk_flight(s);
    EACH_STREAM(t, s->streams)
    check_covered(t, &covered[t->slot]);
}

void wiring_check_flight(const struct stt_endpoint *ep)
{
    const struct stt_session *s;
    EACH_SESSION(s, ep)
    if (s->state == STT_SESSION_OPEN && s->streams && s->streams->slots.n <= SLOTS_MAX)
        check_session_flight(s);
}

/* -- silence ----------------------------------------------------------------------------------- */

static void check_session_silence(struct stt_session *s)
{
    const struct stt_streams *x = s->streams;
    FUZZ_ASSERT(!(s->owed & ~(uint32_t)STT_OWES_ACK) || stt_settling_is_unanswered(s));
    if (!x)
        return;
    FUZZ_ASSERT(stt_list_is_empty(&x->owed));
    if (!stt_scheduler_next(&x->scheduler))
        return;
    uint64_t in_flight = stt_loss_path(&s->loss)->in_flight_bytes;
    if (in_flight + s->packet_bytes > x->congestion.window_bytes)
        FUZZ_ASSERT(in_flight && stt_loss_deadline(&s->loss) != STT_NEVER);
    else
        FUZZ_ASSERT(s->deadline[STT_TIMER_PACE] != STT_NEVER);
}

void wiring_check_silence(const struct stt_endpoint *ep)
{
    struct stt_session *s;
    FUZZ_ASSERT(stt_list_is_empty(&ep->ready) && stt_list_is_empty(&ep->blocked));
    EACH_SESSION(s, ep)
    if (s->state == STT_SESSION_OPEN && !s->holds_data)
        check_session_silence(s);
}

void wiring_check_empty(const struct stt_endpoint *ep)
{
    FUZZ_ASSERT(!ep->streams.in_use && !ep->chunks.chunks.in_use && !ep->chunks.small.in_use &&
                !ep->chunks.large.in_use);
    FUZZ_ASSERT(stt_list_is_empty(&ep->stream_events) && stt_list_is_empty(&ep->thirsty));
}
