/* SPDX-License-Identifier: MIT
 * watch: a session of a thousand hours is the same as one of an hour: it holds no more, its timers
 * wake nobody more often and are not lost, and its numbers add up. */
#include "tests/soak/watch.h"

#include "stt/session/engine.h"
#include "tests/soak/talk.h"
#include "tests/soak/town.h"

/* What is held at rest: the most of the first days, and a little for what comes together by a rare
 * chance later: over 1,000 hours a leak of 8 bytes in each would be seen. */
enum { EARLY_HOURS = 48, ALLOWANCE_BYTES = 8192, STAYING_STREAMS = 2, IN_FLIGHT_MAX = 1500 };

static struct stt_session_stats stats_of(struct soak *x, const struct talk *t, unsigned side)
{
    struct stt_session_stats s = {.age_ns = 0};
    int error = stt_session_stats(t->host[side]->ep, soak_now(x), t->session[side], &s);
    soak_require(x, !error, "host %u: its session is gone", t->host[side]->number);
    return s;
}

/* -- numbers ------------------------------------------------------------------------------- */

static uint64_t held_ns(const struct stt_session_stats *s)
{
    uint64_t sum = 0;
#define ADD(X, upper, name, words) sum += s->held_by_##name##_ns;
    STT_HELD_BY(ADD, )
#undef ADD
    return sum;
}

#define GROWING(X)                                                                                 \
    X(age_ns)                                                                                      \
    X(bytes_sent)                                                                                  \
    X(bytes_received)                                                                              \
    X(packets_sent)                                                                                \
    X(packets_received)                                                                            \
    X(packets_dropped)                                                                             \
    X(bytes_delivered)                                                                             \
    X(bytes_consumed)                                                                              \
    X(bytes_retransmitted)                                                                         \
    X(packets_lost)                                                                                \
    X(packets_spurious)                                                                            \
    X(ptos)                                                                                        \
    X(ce_received)                                                                                 \
    X(path_changes)                                                                                \
    X(epochs)                                                                                      \
    X(rekeys)                                                                                      \
    X(held_by_application_ns)                                                                      \
    X(held_by_stream_flow_ns)                                                                      \
    X(held_by_session_flow_ns)                                                                     \
    X(held_by_path_ns)                                                                             \
    X(held_by_window_ns)                                                                           \
    X(held_by_pacer_ns)                                                                            \
    X(held_by_carrier_ns)                                                                          \
    X(held_by_machine_ns)

static const char *what_fell(const struct stt_session_stats *was,
                             const struct stt_session_stats *is)
{
#define X(name)                                                                                    \
    if (is->name < was->name)                                                                      \
        return #name;
    GROWING(X)
#undef X
    return NULL;
}

/* The age grows as the clock does, and every moment of it is accounted for. */
static void watch_times(struct talk *t, unsigned side, const struct stt_session_stats *s)
{
    struct soak *x = t->soak;
    uint32_t number = t->host[side]->number;
    const char *fell = what_fell(&t->seen[side], s);
    soak_require(x, !fell, "host %u: %s has fallen", number, fell);
    soak_require(x, held_ns(s) == s->age_ns, "host %u: the session is %llu ns old, held for %llu",
                 number, (unsigned long long)s->age_ns, (unsigned long long)held_ns(s));
    soak_require(x, !t->seen_at || s->age_ns - t->seen[side].age_ns == soak_now(x) - t->seen_at,
                 "host %u: in %llu ns the session grows %llu ns older", number,
                 (unsigned long long)(soak_now(x) - t->seen_at),
                 (unsigned long long)(s->age_ns - t->seen[side].age_ns));
}

static void watch_counts(struct talk *t, unsigned side, const struct stt_session_stats *s,
                         const struct stt_session_stats *peer)
{
    struct soak *x = t->soak;
    uint32_t number = t->host[side]->number;
    uint64_t dropped =
        s->dropped_no_key + s->dropped_bad_tag + s->dropped_replayed_packet + s->dropped_no_room;
    soak_require(x, s->packets_received <= peer->packets_sent && s->packets_dropped == dropped,
                 "host %u: %llu packets received of %llu, %llu dropped", number,
                 (unsigned long long)s->packets_received, (unsigned long long)peer->packets_sent,
                 (unsigned long long)s->packets_dropped);
    soak_require(x, s->bytes_consumed == t->consumed[side], "host %u: read %llu, counted %llu",
                 number, (unsigned long long)t->consumed[side],
                 (unsigned long long)s->bytes_consumed);
    soak_require(x, s->in_flight_bytes <= IN_FLIGHT_MAX && s->streams_open == STAYING_STREAMS,
                 "host %u: it is quiet with %llu bytes in flight and %llu streams", number,
                 (unsigned long long)s->in_flight_bytes, (unsigned long long)s->streams_open);
    soak_require(x, s->epochs == peer->epochs && s->rekeys == peer->rekeys,
                 "host %u is in epoch %llu and its peer in %llu", number,
                 (unsigned long long)s->epochs, (unsigned long long)peer->epochs);
}

/* -- the session --------------------------------------------------------------------------- */

static void watch_identity(struct talk *t, unsigned side)
{
    struct soak *x = t->soak;
    struct stt_session_info info;
    struct stt_endpoint_stats e;
    const struct host *h = t->host[side];
    int error = stt_session_info(h->ep, t->session[side], &info);
    soak_require(x, !error && info.confirmed && info.created_at == t->created_at[side],
                 "host %u: its session with host %u is not the one that it was", h->number,
                 t->host[!side]->number);
    soak_require(x, !error && info.stalled == (t->stalls[side] > 0) && !info.stalled,
                 "host %u: its session with host %u is stalled: %d, %llu times", h->number,
                 t->host[!side]->number, info.stalled, (unsigned long long)t->stalls[side]);
    stt_endpoint_stats(h->ep, &e);
    uint64_t sessions = side == SOAK_SERVER ? SOAK_RESIDENTS : 1;
    uint64_t handshakes = sessions + (side == SOAK_SERVER ? x->tally.visits : 0);
    soak_require(x,
                 e.sessions == sessions && !e.half_open && !e.pending &&
                     e.handshakes_confirmed == handshakes,
                 "host %u has %llu sessions after %llu handshakes, not %llu and %llu", h->number,
                 (unsigned long long)e.sessions, (unsigned long long)e.handshakes_confirmed,
                 (unsigned long long)sessions, (unsigned long long)handshakes);
}

static void watch_flows(struct talk *t)
{
    const struct flow *const all[] = {t->chat, t->tape};
    soak_require(t->soak, t->n_flows == STAYING_STREAMS, "host %u: %zu streams have not ended",
                 t->host[SOAK_CLIENT]->number, t->n_flows);
    for (size_t i = 0; i < 2; i++)
        for (unsigned side = 0; side < SOAK_SIDES; side++) {
            const struct half *h = &all[i]->half[side];
            soak_require(t->soak, h->read == h->written && !h->n_messages,
                         "host %u has written %llu bytes that last, and %llu were read",
                         t->host[side]->number, (unsigned long long)h->written,
                         (unsigned long long)h->read);
        }
}

/* Of everything sent it is known what became of it; what is acknowledged did arrive. */
static void watch_post(struct talk *t, unsigned side)
{
    struct stt_datagram_info info;
    const struct post *p = &t->post[side];
    int error = stt_datagram_info(t->host[side]->ep, t->session[side], &info);
    bool ok = !error && !info.waiting && info.queued == p->sent && p->acked <= p->received &&
              p->acked + p->lost + info.fates_dropped + info.dropped_unsent >= p->sent;
    soak_require(
        t->soak, ok, "host %u: of %llu datagrams %llu arrived, %llu acknowledged, %llu lost",
        t->host[side]->number, (unsigned long long)p->sent, (unsigned long long)p->received,
        (unsigned long long)p->acked, (unsigned long long)p->lost);
}

static void watch_session(struct talk *t)
{
    struct soak *x = t->soak;
    struct stt_session_stats s[SOAK_SIDES];
    watch_flows(t);
    for (unsigned side = 0; side < SOAK_SIDES; side++)
        s[side] = stats_of(x, t, side);
    for (unsigned side = 0; side < SOAK_SIDES; side++) {
        watch_identity(t, side);
        watch_times(t, side, &s[side]);
        watch_counts(t, side, &s[side], &s[!side]);
        watch_post(t, side);
        t->seen[side] = s[side];
    }
    t->seen_at = soak_now(x);
}

void watch_sessions(struct soak *x)
{
    for (uint32_t i = 0; i < SOAK_RESIDENTS && !x->failure[0]; i++)
        watch_session(x->talks[i]);
}

/* -- memory -------------------------------------------------------------------------------- */

static bool is_early(const struct soak *x)
{
    uint64_t third = x->n_hours / 3;
    return x->hour < SOAK_DAY_HOURS || x->hour < (third < EARLY_HOURS ? third : EARLY_HOURS);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The table of the last 8,192 handshakes fills for hundreds of hours, and then stands. */
static size_t seen_bytes(const struct host *h)
{
    const struct stt_map *map = &h->ep->seen.map;
    return map->slots ? ((size_t)map->mask + 1) * map->slot_bytes : 0;
}

void watch_memory(struct soak *x)
{
    for (uint32_t i = 0; i < SOAK_HOSTS; i++) {
        const struct stt_sim_memory *m = stt_sim_memory(x->sim, x->hosts[i].node);
        struct held now = {m->bytes_in_use - seen_bytes(&x->hosts[i]), m->live};
        struct held *early = &x->early[i];
        x->now[i] = now;
        if (x->hour < SOAK_DAY_HOURS)
            x->first[i] = now;
        if (is_early(x))
            *early =
                (struct held){larger(now.bytes, early->bytes), larger(now.blocks, early->blocks)};
        soak_require(x, now.bytes <= early->bytes + ALLOWANCE_BYTES,
                     "host %u holds %zu bytes in %zu blocks; in the first days %zu in %zu", i,
                     now.bytes, now.blocks, early->bytes, early->blocks);
    }
}

/* -- timers -------------------------------------------------------------------------------- */

void watch_begin(struct soak *x, struct watch *w)
{
    w->from = soak_now(x);
    w->events = stt_sim_stats(x->sim).events;
    for (uint32_t i = 0; i < SOAK_HOSTS; i++)
        w->expires[i] = x->hosts[i].expires;
    for (uint32_t i = 0; i < SOAK_RESIDENTS; i++)
        for (unsigned side = 0; side < SOAK_SIDES; side++)
            w->stats[i][side] = stats_of(x, x->talks[i], side);
}

/* A ping for each interval, which is drawn up to a tenth shorter, and its answer; some are lost,
 * and what was used before may still call for new keys. */
struct bounds {
    uint64_t least, most;
};

static struct bounds pings_in(stt_ns ns, stt_ns keep_alive)
{
    uint64_t least = ns / (keep_alive + STT_S(1)), most = ns / (keep_alive / 10 * 9) + 1;
    return (struct bounds){least > 1 ? least - 1 : 0, most + most / 10 + 20};
}

static void watch_pings(struct soak *x, const struct watch *w, uint32_t resident)
{
    const struct talk *t = x->talks[resident];
    struct bounds b = pings_in(soak_now(x) - w->from, town_keep_alive(resident));
    for (unsigned side = 0; side < SOAK_SIDES && !x->failure[0]; side++) {
        struct stt_session_stats s = stats_of(x, t, side);
        uint64_t n = s.packets_sent - w->stats[resident][side].packets_sent;
        soak_require(x, n >= b.least && n <= b.most,
                     "host %u sends %llu packets in silence, not %llu to %llu",
                     t->host[side]->number, (unsigned long long)n, (unsigned long long)b.least,
                     (unsigned long long)b.most);
        soak_require(x, s.bytes_consumed == w->stats[resident][side].bytes_consumed,
                     "host %u reads in silence", t->host[side]->number);
    }
}

void watch_end(struct soak *x, const struct watch *w)
{
    struct bounds all = {0, 0};
    uint64_t events = stt_sim_stats(x->sim).events - w->events, expires;
    for (uint32_t i = 0; i < SOAK_RESIDENTS && !x->failure[0]; i++) {
        struct bounds b = pings_in(soak_now(x) - w->from, town_keep_alive(i));
        watch_pings(x, w, i);
        all.most += b.most;
        expires = x->hosts[i].expires - w->expires[i];
        soak_require(x, expires <= 2 * b.most, "host %u is woken %llu times in silence", i,
                     (unsigned long long)expires);
    }
    expires = soak_server(x)->expires - w->expires[SOAK_CLIENTS];
    soak_require(x, expires <= 2 * all.most, "the server is woken %llu times in silence",
                 (unsigned long long)expires);
    if (soak_is_night(x->hour) && events > x->night_events)
        x->night_events = events;
    soak_require(x, events <= 10 * all.most, "%llu events in silence, more than %llu",
                 (unsigned long long)events, (unsigned long long)(10 * all.most));
}
