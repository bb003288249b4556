/* SPDX-License-Identifier: MIT
 * events: what the host is to hear of sessions and codes, kept until it is pulled. A session is in
 * the endpoint's list of events iff a bit of `pending` is set. Spec 04, "States". */
#include "stt/session/engine.h"

void stt_endpoint_report(struct stt_endpoint *ep, struct stt_session *s, uint16_t pending)
{
    s->pending = (uint16_t)(s->pending | pending);
    if (!stt_list_is_linked(&s->events))
        stt_list_push_back(&ep->events, &s->events);
}

void stt_endpoint_take_back(struct stt_session *s, uint16_t pending)
{
    s->pending = (uint16_t)(s->pending & ~pending);
    if (!s->pending)
        stt_list_remove(&s->events);
}

void stt_endpoint_report_code(struct stt_endpoint *ep, enum stt_event_type type, uint32_t slot,
                              enum stt_reason reason)
{
    if (ep->n_code_events == STT_CODE_EVENTS_MAX) {
        ep->first_code_event = (ep->first_code_event + 1) % STT_CODE_EVENTS_MAX;
        ep->n_code_events--;
    }
    uint32_t at = (ep->first_code_event + ep->n_code_events++) % STT_CODE_EVENTS_MAX;
    ep->code_events[at] = (struct stt_code_event){type, reason, slot};
}

static const enum stt_event_type event_of_bit[] = {
    STT_EVENT_CONNECTED, STT_EVENT_ACCEPTED, STT_EVENT_STALLED, STT_EVENT_RESUMED, STT_EVENT_PATH,
    STT_EVENT_DATAGRAM,  STT_EVENT_FATE,     STT_EVENT_STAYED,  STT_EVENT_STREAMS, STT_EVENT_CLOSED,
};

/* For people and terminals: everything but printable ASCII becomes a dot. */
static void take_text(struct stt_event *event, const struct stt_session_end *end)
{
    size_t n = end->text_len < STT_REASON_TEXT_MAX ? end->text_len : STT_REASON_TEXT_MAX;
    for (size_t i = 0; i < n; i++)
        event->text[i] = end->text[i] >= 0x20 && end->text[i] < 0x7f ? (char)end->text[i] : '.';
}

static bool pull_session_event(struct stt_endpoint *ep, struct stt_event *event)
{
    if (stt_list_is_empty(&ep->events))
        return false;
    struct stt_session *s = STT_LIST_ENTRY(ep->events.next, struct stt_session, events);
    int bit = __builtin_ctz(s->pending);
    s->pending &= (uint16_t)(s->pending - 1);
    event->type = event_of_bit[bit];
    event->session = stt_endpoint_handle(ep, s);
    if (!s->pending)
        stt_list_remove(&s->events);
    if (event->type == STT_EVENT_CLOSED) {
        event->reason = s->end.reason;
        event->code = s->end.code;
        event->other = s->end.other;
        event->user = s->user;
        take_text(event, &s->end);
        ep->told_end = event->session;
    }
    return true;
}

/* The session whose end was told last: now the host has seen what it wanted to see. */
static void let_go(struct stt_endpoint *ep)
{
    struct stt_session *s = stt_slab_at(&ep->sessions, ep->told_end);
    ep->told_end = 0;
    if (s)
        stt_session_on_pulled_end(ep, s);
}

bool stt_endpoint_has_events(const struct stt_endpoint *ep)
{
    return !stt_list_is_empty(&ep->stream_events) || !stt_list_is_empty(&ep->events) ||
           ep->n_code_events;
}

bool stt_endpoint_event(struct stt_endpoint *ep, struct stt_event *event)
{
    let_go(ep);
    memset(event, 0, sizeof *event);
    if (pull_session_event(ep, event))
        return true;
    if (!ep->n_code_events)
        return false;
    const struct stt_code_event *e = &ep->code_events[ep->first_code_event];
    event->type = e->type;
    event->reason = e->reason;
    event->slot = e->slot;
    ep->first_code_event = (ep->first_code_event + 1) % STT_CODE_EVENTS_MAX;
    ep->n_code_events--;
    return true;
}
