/* SPDX-License-Identifier: MIT
 * datagram: queues of both directions between the host and the frames, and what became of those
 * that were sent. It knows nothing of packets; saying.c puts them there. Spec 05, "Datagrams". */
#include "stt/session/engine.h"

/* -- birth and death ------------------------------------------------------------------------------
 */

static struct stt_datagram_traffic *make(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (stt_streams_make(ep, now, s) != STT_OK)
        return NULL;
    struct stt_datagram_traffic *x = s->streams->datagrams;
    if (x || !(x = stt_env_alloc(&ep->env, sizeof *x)))
        return x;
    *x = (struct stt_datagram_traffic){.schedule = {.urgency = STT_DATAGRAM_URGENCY_DEFAULT}};
    stt_datagrams_init(&x->out, &ep->chunks, STT_CHUNK_FOR_SENDING);
    stt_datagrams_init(&x->in, &ep->chunks, STT_CHUNK_FOR_ISLAND); /* never what closes a gap */
    stt_fates_init(&x->fates, &ep->chunks);
    s->streams->datagrams = x;
    return x;
}

void stt_session_datagram_free(struct stt_endpoint *ep, struct stt_session *s)
{
    struct stt_datagram_traffic *x = s->streams->datagrams;
    if (!x)
        return;
    stt_datagrams_fini(&x->out);
    stt_datagrams_fini(&x->in);
    stt_fates_fini(&x->fates);
    stt_env_release(&ep->env, x, sizeof *x);
    s->streams->datagrams = NULL;
}

/* -- the peer ------------------------------------------------------------------------------------
 */

uint64_t stt_session_datagram_arrived(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                      struct bytes data)
{
    if (data.len > ep->config.max_datagram_bytes || !ep->config.max_datagram_bytes)
        return STT_CLOSE_PROTOCOL_VIOLATION;
    struct stt_datagram_traffic *x = make(ep, now, s);
    if (!x)
        return STT_CLOSE_NO_ERROR; /* no promise was made */
    uint64_t dropped = x->in.dropped, bytes = x->in.bytes + data.len;
    x->received++;
    if (stt_datagrams_push(&x->in, data) == STT_OK)
        stt_endpoint_report(ep, s, STT_PENDING_DATAGRAM);
    else
        x->in.dropped++;
    stt_tracing_datagrams(ep, now, s, STT_DATAGRAM_UNREAD, x->in.dropped - dropped,
                          bytes - x->in.bytes);
    return STT_CLOSE_NO_ERROR;
}

void stt_session_datagram_settled(struct stt_endpoint *ep, struct stt_session *s,
                                  const struct stt_settled *settled)
{
    struct stt_datagram_traffic *x = s->streams ? s->streams->datagrams : NULL;
    if (!x || settled->kind == STT_SETTLED_UNANSWERED)
        return;
    stt_fates_add(&x->fates, (struct stt_fate){.number = settled->offset,
                                               .is_acked = settled->kind == STT_SETTLED_ACKED});
    stt_endpoint_report(ep, s, STT_PENDING_FATE);
}

/* -- the host ------------------------------------------------------------------------------------
 */

static size_t bytes_max(const struct stt_session *s)
{
    size_t fits = s->packet_bytes - STT_PROTECT_OVERHEAD_BYTES - 1; /* a type, and no length */
    return s->params.max_datagram_bytes < fits ? (size_t)s->params.max_datagram_bytes : fits;
}

size_t stt_datagram_bytes_max(const struct stt_endpoint *ep, stt_handle session)
{
    const struct stt_session *s = stt_endpoint_find(ep, session);
    return s && s->state == STT_SESSION_OPEN ? bytes_max(s) : 0;
}

int stt_datagram_configure(struct stt_endpoint *ep, stt_ns now, stt_handle session,
                           const struct stt_datagram_options *options)
{
    struct stt_session *s;
    int error = stt_endpoint_find_open(ep, now, session, &s);
    if (error)
        return error;
    if (options->size != sizeof *options || options->urgency >= STT_URGENCY_LEVELS)
        return STT_E_ARGUMENT;
    struct stt_datagram_traffic *x = make(ep, now, s);
    if (!x)
        return STT_E_MEMORY;
    stt_scheduler_set_urgency(&s->streams->scheduler, &x->schedule, options->urgency);
    x->wants_fates = options->wants_fates;
    return STT_OK;
}

void stt_session_datagram_unsent(struct stt_endpoint *ep, struct stt_session *s, uint64_t first,
                                 uint64_t dropped)
{
    struct stt_datagram_traffic *x = s->streams->datagrams;
    if (!x->wants_fates || !dropped)
        return;
    for (uint64_t i = 0; i < dropped; i++)
        stt_fates_add(&x->fates, (struct stt_fate){.number = first + i});
    stt_endpoint_report(ep, s, STT_PENDING_FATE);
}

int stt_datagram_send(struct stt_endpoint *ep, stt_ns now, stt_handle session, const void *data,
                      size_t len, uint64_t *number)
{
    struct stt_session *s;
    int error = stt_endpoint_find_open(ep, now, session, &s);
    if (error)
        return error;
    if (!s->params.max_datagram_bytes)
        return STT_E_UNSUPPORTED;
    if (len > bytes_max(s))
        return STT_E_ARGUMENT;
    struct stt_datagram_traffic *x = make(ep, now, s);
    if (!x)
        return STT_E_MEMORY;
    uint64_t first = x->out.next - x->out.n, dropped = x->out.dropped;
    uint64_t bytes = x->out.bytes + len;
    error = stt_datagrams_push(&x->out, bytes_of(data, len));
    if (error)
        return error;
    stt_session_datagram_unsent(ep, s, first, x->out.dropped - dropped);
    stt_tracing_datagrams(ep, now, s, STT_DATAGRAM_GAVE_WAY, x->out.dropped - dropped,
                          bytes - x->out.bytes);
    if (number)
        *number = x->out.next - 1;
    stt_scheduler_add(&s->streams->scheduler, &x->schedule, now);
    stt_endpoint_ready(ep, s);
    stt_holding_on_data(now, s);
    return STT_OK;
}

/* Also of a session that is closing: what has come in is there. NULL: *error says why. */
static struct stt_datagram_traffic *find(const struct stt_endpoint *ep, stt_handle session,
                                         int *error)
{
    const struct stt_session *s = stt_endpoint_find(ep, session);
    *error = s ? STT_E_AGAIN : STT_E_STALE;
    return s && s->streams ? s->streams->datagrams : NULL;
}

int stt_datagram_peek(struct stt_endpoint *ep, stt_handle session,
                      struct stt_part parts[STT_DATAGRAM_PARTS], size_t *n)
{
    struct stt_datagrams_view view;
    int error;
    const struct stt_datagram_traffic *x = find(ep, session, &error);
    *n = 0;
    if (!x || !stt_datagrams_first(&x->in, &view))
        return error;
    for (; *n < view.n_parts; ++*n)
        parts[*n] = (struct stt_part){view.parts[*n].data, view.parts[*n].len};
    return STT_OK;
}

int stt_datagram_consume(struct stt_endpoint *ep, stt_handle session)
{
    int error;
    struct stt_datagram_traffic *x = find(ep, session, &error);
    if (!x || !x->in.n)
        return error;
    stt_datagrams_pop(&x->in);
    return STT_OK;
}

int stt_datagram_read(struct stt_endpoint *ep, stt_handle session, void *data, size_t room,
                      size_t *len)
{
    struct stt_datagrams_view view;
    int error;
    struct stt_datagram_traffic *x = find(ep, session, &error);
    uint8_t *to = data;
    *len = 0;
    if (!x || !stt_datagrams_first(&x->in, &view))
        return error;
    *len = view.len;
    if (view.len > room)
        return STT_E_ARGUMENT;
    for (size_t i = 0; i < view.n_parts; to += view.parts[i++].len)
        memcpy(to, view.parts[i].data, view.parts[i].len);
    stt_datagrams_pop(&x->in);
    return STT_OK;
}

int stt_datagram_fate(struct stt_endpoint *ep, stt_handle session, struct stt_datagram_fate *out)
{
    struct stt_fate fate;
    int error;
    struct stt_datagram_traffic *x = find(ep, session, &error);
    if (!x || !stt_fates_take(&x->fates, &fate))
        return error;
    *out = (struct stt_datagram_fate){.number = fate.number, .is_acked = fate.is_acked};
    return STT_OK;
}

int stt_datagram_info(const struct stt_endpoint *ep, stt_handle session,
                      struct stt_datagram_info *out)
{
    int error;
    const struct stt_datagram_traffic *x = find(ep, session, &error);
    *out = (struct stt_datagram_info){.queued = 0};
    if (!x)
        return error == STT_E_AGAIN ? STT_OK : error;
    *out = (struct stt_datagram_info){
        .queued = x->out.next,
        .sent = x->sent,
        .dropped_unsent = x->out.dropped,
        .waiting = x->out.n,
        .received = x->received,
        .dropped_unread = x->in.dropped,
        .fates_dropped = x->fates.dropped,
    };
    return STT_OK;
}
