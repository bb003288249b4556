/* SPDX-License-Identifier: MIT
 * host: sessions as the host sees them: what it may do to one, and what it may ask. Spec 04,
 * "States". */
#include "stt/session/engine.h"

int stt_session_close(struct stt_endpoint *ep, stt_ns now, stt_handle session, uint64_t code,
                      const char *text)
{
    struct stt_session *s = stt_endpoint_find(ep, session);
    struct stt_session_end end = {
        .reason = STT_REASON_LOCAL_CLOSE, .application = true, .code = code};
    if (!s)
        return STT_E_STALE;
    if (code > STT_VARINT_MAX)
        return STT_E_ARGUMENT;
    if (!stt_endpoint_is_alive(ep, now))
        return STT_E_FORKED;
    if (s->state > STT_SESSION_OPEN)
        return STT_OK;
    size_t len = text ? strnlen(text, STT_REASON_BYTES_MAX) : 0;
    if (len && (end.text = stt_env_alloc(&ep->env, len))) {
        memcpy(end.text, text, len);
        end.text_len = len;
    }
    stt_session_end(ep, now, s, &end);
    return STT_OK;
}

int stt_session_ping(struct stt_endpoint *ep, stt_ns now, stt_handle session)
{
    struct stt_session *s;
    int error = stt_endpoint_find_open(ep, now, session, &s);
    if (error)
        return error;
    s->owed |= STT_OWES_PING;
    stt_endpoint_ready(ep, s);
    return STT_OK;
}

int stt_session_info(const struct stt_endpoint *ep, stt_handle session,
                     struct stt_session_info *out)
{
    const struct stt_session *s = stt_endpoint_find(ep, session);
    if (!s)
        return STT_E_STALE;
    *out = (struct stt_session_info){
        .peer = s->peer,
        .path = *stt_paths_current(&s->paths),
        .mode = (enum stt_mode)s->mode,
        .state = stt_session_state_text(s->state),
        .initiator = s->is_initiator,
        .confirmed = s->is_confirmed,
        .exclusive = s->is_exclusive,
        .stalled = s->is_stalled,
        .suite = s->suite ? s->suite->name : NULL,
        .epoch = stt_session_epochs(s),
        .rekeys = s->rekeys,
        .packets_sent = s->packets_sent,
        .packets_received = s->packets_received,
        .bytes_sent = s->bytes_sent,
        .bytes_received = s->bytes_received,
        .opens_failed = stt_session_opens_failed(s),
        .rtt_ns =
            s->loss.at[s->loss.in_use].rtt.has_sample ? s->loss.at[s->loss.in_use].rtt.smoothed : 0,
        .created_at = s->created_at,
        .confirmed_at = s->confirmed_at,
        .last_received_at = s->last_received_at,
    };
    return STT_OK;
}

void *stt_session_user(const struct stt_endpoint *ep, stt_handle session)
{
    const struct stt_session *s = stt_endpoint_find(ep, session);
    return s ? s->user : NULL;
}

int stt_session_set_user(struct stt_endpoint *ep, stt_handle session, void *user)
{
    struct stt_session *s = stt_endpoint_find(ep, session);
    if (!s)
        return STT_E_STALE;
    s->user = user;
    return STT_OK;
}
