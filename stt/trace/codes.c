/* SPDX-License-Identifier: MIT
 * codes: what the codes of events are called: each list in the order of its enum. It must not know
 * how they are written down. Spec 09, "Events". */
#include "stt/trace/codes.h"

#include "stt/session/session.h"

#define NAME(upper, name, ...) name,

static const char *const states[] = {
#define X(upper, name, phase) name,
    STT_SESSION_STATES(X)
#undef X
        "idle",
};

static const char *const reasons[] = {
    [STT_REASON_NONE] = "none",
    [STT_REASON_LOCAL_CLOSE] = "local_close",
    [STT_REASON_PEER_CLOSE] = "peer_close",
    [STT_REASON_PEER_ERROR] = "peer_error",
    [STT_REASON_PROTOCOL] = "protocol",
    [STT_REASON_IDLE] = "idle",
    [STT_REASON_NO_ANSWER] = "no_answer",
    [STT_REASON_PEER_KEY] = "peer_key",
    [STT_REASON_CODE_WRONG] = "code_wrong",
    [STT_REASON_CODE_USED] = "code_used",
    [STT_REASON_CODE_EXPIRED] = "code_expired",
    [STT_REASON_CODE_GUESSED] = "code_guessed",
    [STT_REASON_REPLACED] = "replaced",
    [STT_REASON_APPLICATION] = "application",
    [STT_REASON_FORKED] = "forked",
    [STT_REASON_KEYS_WORN_OUT] = "keys_worn_out",
    [STT_REASON_MEMORY] = "memory",
    [STT_REASON_NOT_ALLOWED] = "not_allowed",
    [STT_REASON_NO_ADDRESS] = "no_address",
};

static const char *const drops[] = {
#define X(name) #name,
    STT_DROPS(X)
#undef X
};

static const char *const stalled[] = {"resumed", "stalled"};
static const char *const messages[] = {NULL,        "message 1",    "message 2",
                                       "message 3", "cookie reply", "refused"};
static const char *const ecn[] = {"not_ect", "ect1", "ect0", "ce"};
static const char *const purposes[] = {STT_TRACE_PURPOSES(NAME)};
static const char *const triggers[] = {STT_TRACE_TRIGGERS(NAME)};
static const char *const phases[] = {STT_PHASES(NAME)};
static const char *const outcomes[] = {"begun", "moved", "returned", "stayed"};
static const char *const origins[] = {STT_TRACE_ORIGINS(NAME)};
static const char *const stream_states[] = {STT_TRACE_STREAM_STATES(NAME)};
static const char *const limits[] = {STT_TRACE_LIMITS(NAME)};
static const char *const datagrams[] = {STT_TRACE_DATAGRAMS(NAME)};

static const struct list {
    const char *const *names;
    uint32_t n;
} lists[STT_TRACE_TYPE_COUNT] = {
#define LIST(names)                                                                                \
    {                                                                                              \
        names, sizeof names / sizeof names[0]                                                      \
    }
    [STT_TRACE_SESSION_STATE] = LIST(states),        [STT_TRACE_SESSION_CLOSED] = LIST(reasons),
    [STT_TRACE_SESSION_STALLED] = LIST(stalled),     [STT_TRACE_MESSAGE_SENT] = LIST(messages),
    [STT_TRACE_PACKETS_SENT] = LIST(purposes),       [STT_TRACE_PACKETS_RECEIVED] = LIST(ecn),
    [STT_TRACE_PACKETS_DROPPED] = LIST(drops),       [STT_TRACE_PACKETS_LOST] = LIST(triggers),
    [STT_TRACE_CONGESTION_UPDATED] = LIST(phases),   [STT_TRACE_PHASE_CHANGED] = LIST(phases),
    [STT_TRACE_PATH_TRIAL] = LIST(outcomes),         [STT_TRACE_KEY_EPOCH] = LIST(origins),
    [STT_TRACE_STREAM_STATE] = LIST(stream_states),  [STT_TRACE_FLOW_BLOCKED] = LIST(limits),
    [STT_TRACE_DATAGRAMS_DROPPED] = LIST(datagrams),
};

const char *stt_trace_code(uint32_t type, uint32_t code)
{
    if (type >= STT_TRACE_TYPE_COUNT || code >= lists[type].n)
        return NULL;
    return lists[type].names[code];
}

/* What it was before is a code of the same list. */
const char *stt_codes_field(const struct stt_trace_event *event, unsigned field)
{
    bool is_previous =
        event->type == STT_TRACE_SESSION_STATE || event->type == STT_TRACE_PHASE_CHANGED;
    return is_previous && field == 0 && event->field[0] <= UINT32_MAX
               ? stt_trace_code(event->type, (uint32_t)event->field[0])
               : NULL;
}
