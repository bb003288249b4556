/* SPDX-License-Identifier: MIT
 * sizing: between the search for the packet size and the session: what became of packets is told to
 * it by runs, and what it finds is the size of the packets that follow. Spec 04, "Packet size". */
#include "stt/session/engine.h"

static const struct stt_packet *record(const struct stt_session *s, uint64_t number)
{
    return stt_flight_slot(&s->loss.flight, number);
}

static stt_ns sent_at(const struct stt_session *s, uint64_t number)
{
    return stt_flight_train(&s->loss.flight, record(s, number)->train)->at;
}

/* -- where it begins -----------------------------------------------------------------------------
 */

static uint32_t upper_limit(const struct stt_endpoint *ep, const struct stt_session *s)
{
    const struct stt_path *path = stt_paths_current(&s->paths);
    const struct stt_carrier *carrier = &ep->carriers[path->carrier % STT_CARRIERS_MAX];
    uint64_t most = ep->config.packet_bytes_max;
    most = s->params.max_packet_bytes < most ? s->params.max_packet_bytes : most;
    most = carrier->max_datagram_bytes < most ? carrier->max_datagram_bytes : most;
    bool searches = !carrier->reliable && most > s->packet_bytes;
    return searches ? (uint32_t)most : s->packet_bytes;
}

void stt_sizing_begin(const struct stt_endpoint *ep, struct stt_session *s)
{
    if (s->streams)
        stt_size_init(&s->streams->size, s->packet_bytes, upper_limit(ep, s), s->loss.sent_end);
}

/* -- what became of packets ----------------------------------------------------------------------
 */

static void take_probe(struct stt_session *s, const struct stt_settled *x)
{
    struct stt_size *size = &s->streams->size;
    uint32_t bytes = (uint32_t)x->bytes;
    if (x->kind == STT_SETTLED_ACKED)
        stt_size_on_probe_acked(size, x->first, bytes);
    else if (record(s, x->first)->flags & STT_PACKET_FORGOTTEN)
        stt_size_on_probe_unsent(size, x->first, bytes);
    else if (x->kind == STT_SETTLED_LOST)
        stt_size_on_probe_lost(size, x->first, bytes);
}

static void take_lost(struct stt_session *s, const struct stt_settled *x)
{
    if (record(s, x->first)->flags & STT_PACKET_FORGOTTEN)
        return;
    struct stt_size_lost lost = {.numbers = {x->first, x->end},
                                 .bytes = x->bytes,
                                 .largest = x->largest_bytes,
                                 .first_sent_at = sent_at(s, x->first),
                                 .last_sent_at = sent_at(s, x->end - 1)};
    struct stt_size *size = &s->streams->size;
    bool has_fallen = stt_size_on_lost(size, &lost, stt_loss_pto(&s->loss), s->loss.sent_end);
    stt_loss_on_row(&s->loss, size->row || has_fallen ? size->row_first : UINT64_MAX);
    if (has_fallen)
        stt_loss_on_black_hole(&s->loss, size->base);
}

void stt_sizing_take(struct stt_session *s, const struct stt_settled *x)
{
    if (!s->streams || x->first == x->end)
        return; /* a further piece of a packet that was told */
    if (x->is_size_probe)
        take_probe(s, x);
    else if (x->kind == STT_SETTLED_ACKED)
        stt_size_on_acked(&s->streams->size, (struct stt_range){x->first, x->end},
                          x->largest_bytes);
    else if (x->kind == STT_SETTLED_LOST)
        take_lost(s, x);
    else
        (void)stt_size_on_unanswered(&s->streams->size, (uint32_t)x->bytes);
}

void stt_sizing_apply(struct stt_session *s)
{
    if (!s->streams || s->packet_bytes == stt_size_bytes(&s->streams->size))
        return;
    s->packet_bytes = stt_size_bytes(&s->streams->size);
    s->streams->congestion.packet_bytes = s->packet_bytes;
}

void stt_sizing_on_pto(struct stt_session *s)
{
    if (s->streams)
        stt_size_on_pto(&s->streams->size, s->loss.backoff, s->loss.sent_end);
}

/* -- probes --------------------------------------------------------------------------------------
 */

/* With data on its way, on a path that is settled and answers. */
uint32_t stt_sizing_probe(struct stt_session *s, stt_ns now, size_t room)
{
    struct stt_streams *x = s->streams;
    if (!x || s->state != STT_SESSION_OPEN || s->paths.on_trial >= 0 || s->loss.backoff ||
        s->probes_left || !stt_scheduler_next(&x->scheduler))
        return 0;
    uint64_t in_flight = stt_loss_path(&s->loss)->in_flight_bytes;
    uint64_t window = x->congestion.window_bytes;
    /* Behind data, whose acks tell soon what became of it; with room for a packet it may be longer,
     * else it would wait for an idle path. */
    if (!in_flight || window < in_flight + s->packet_bytes)
        return 0;
    window = window / 2 < room ? window / 2 : room;
    return stt_size_next_probe(&x->size, now, (uint32_t)window);
}

/* -- what this host cannot send ------------------------------------------------------------------
 */

static size_t largest_of(const struct stt_train *train)
{
    return train->segment_bytes < train->len ? train->segment_bytes : train->len;
}

/* What is as large as the base has nowhere to fall to, and would be refused again at once: it is
 * lost like any other. */
void stt_endpoint_refused(struct stt_endpoint *ep, stt_ns now, const struct stt_train *train)
{
    struct stt_session *s = stt_slab_at(&ep->sessions, train->session);
    size_t largest = largest_of(train);
    if (!s || s->state != STT_SESSION_OPEN || !s->streams || largest <= s->streams->size.base)
        return;
    if (stt_paths_which(&s->paths, &train->path) == s->paths.in_use)
        stt_size_on_refused(&s->streams->size, (uint32_t)largest);
    stt_loss_forget(&s->loss, now, train->first,
                    train->first + (train->len + largest - 1) / largest);
    stt_settling_drain(ep, now, s);
    stt_session_rearm(ep, s);
    stt_endpoint_ready(ep, s);
}
