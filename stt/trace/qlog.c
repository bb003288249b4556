/* SPDX-License-Identifier: MIT
 * qlog: which records an event becomes, as a table of rules. It has no state: records of one event
 * are told apart by their place. Invariant: every record fits its room and is valid JSON, whatever
 * numbers are in the event. Spec 09, "qlog"; draft-ietf-quic-qlog-main-schema-05 and
 * -quic-events-04. */
#include "stt/qlog.h"

#include "stt/session/session.h"
#include "stt/trace/codes.h"
#include "stt/trace/json.h"

#include <assert.h>

typedef void write_data(struct stt_json *j, const struct stt_trace_event *e, uint64_t i);
typedef uint64_t count_records(const struct stt_trace_event *e);

static const char *code_of(const struct stt_trace_event *e)
{
    const char *text = stt_trace_code(e->type, e->code);
    return text ? text : "?";
}

/* -- ours ----------------------------------------------------------------------------------------
 */

static void number_or_word(struct stt_json *j, const char *name, const char *word, uint64_t number)
{
    if (word)
        stt_json_text(j, name, word);
    else
        stt_json_number(j, name, number);
}

/* Everything, under the names that it has here. */
static void ours(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    const struct stt_trace_row *row = stt_trace_row(e->type);
    (void)i;
    if (row->code)
        number_or_word(j, row->code, stt_trace_code(e->type, e->code), e->code);
    for (unsigned f = 0; f < STT_TRACE_FIELDS && row->field[f]; f++)
        number_or_word(j, row->field[f], stt_codes_field(e, f), e->field[f]);
}

static void unknown(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)i;
    stt_json_number(j, "type", e->type);
    stt_json_number(j, "code", e->code);
}

/* -- connectivity --------------------------------------------------------------------------------
 */

static const char *const connection_states[] = {
    [STT_SESSION_COOKIE_WAIT] = "attempted",
    [STT_SESSION_MESSAGE_1_SENT] = "attempted",
    [STT_SESSION_MESSAGE_3_SENT] = "handshake_started",
    [STT_SESSION_HALF_OPEN] = "handshake_started",
    [STT_SESSION_IDENTIFY] = "handshake_complete",
    [STT_SESSION_OPEN] = "handshake_confirmed",
    [STT_SESSION_CLOSING] = "closing",
    [STT_SESSION_DRAINING] = "draining",
    [STT_SESSION_CLOSED] = "closed",
};

static void connection_state(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)i;
    if (e->field[0] < STT_SESSION_STATE_COUNT)
        stt_json_text(j, "old", connection_states[e->field[0]]);
    stt_json_text(j, "new",
                  e->code < STT_SESSION_STATE_COUNT ? connection_states[e->code] : "closed");
}

static const char *close_trigger(uint32_t reason)
{
    switch (reason) {
    case STT_REASON_IDLE:
        return "idle_timeout";
    case STT_REASON_NO_ANSWER:
        return "handshake_timeout";
    case STT_REASON_LOCAL_CLOSE:
    case STT_REASON_PEER_CLOSE:
        return "application";
    default:
        return "error";
    }
}

static void connection_closed(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)i;
    stt_json_text(j, "owner", e->field[3] ? "remote" : "local");
    if (e->field[0] <= UINT32_MAX)
        stt_json_number(j, e->field[2] ? "application_code" : "connection_code", e->field[0]);
    stt_json_text(j, "reason", code_of(e));
    stt_json_text(j, "trigger", close_trigger(e->code));
}

static void mtu(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)i;
    if (e->field[1])
        stt_json_number(j, "old", e->field[1]);
    stt_json_number(j, "new", e->field[0]);
}

/* -- transport -----------------------------------------------------------------------------------
 */

static uint64_t packets_of(const struct stt_trace_event *e)
{
    return e->field[1] > e->field[0] ? e->field[1] - e->field[0] : 1;
}

static void packet_header(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    stt_json_open(j, "header");
    stt_json_text(j, "packet_type", "1RTT");
    stt_json_number(j, "packet_number", e->field[0] + i);
    stt_json_close(j);
}

static void raw_length(struct stt_json *j, uint64_t bytes)
{
    stt_json_open(j, "raw");
    stt_json_number(j, "length", bytes);
    stt_json_close(j);
}

/* All of a train are as long as the first, but for the last. */
static void packet(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    uint64_t before = packets_of(e) - 1;
    packet_header(j, e, i);
    raw_length(j, i < before ? e->field[3] : e->field[2] - before * e->field[3]);
}

static void packet_sent(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    packet(j, e, i);
    if (e->code == STT_PURPOSE_PROBE)
        stt_json_text(j, "trigger", "pto_probe");
    if (e->code == STT_PURPOSE_SIZE_PROBE)
        stt_json_true(j, "is_mtu_probe_packet");
}

static const char *const drop_triggers[] = {
    [STT_DROP_short_datagram] = "invalid",
    [STT_DROP_unknown_version] = "unsupported",
    [STT_DROP_unknown_session] = "connection_unknown",
    [STT_DROP_mode_not_armed] = "unsupported",
    [STT_DROP_over_budget] = "rejected",
    [STT_DROP_bad_mac1] = "invalid",
    [STT_DROP_bad_mac2] = "invalid",
    [STT_DROP_replayed_ephemeral] = "rejected",
    [STT_DROP_half_open_full] = "rejected",
    [STT_DROP_not_allowed] = "rejected",
    [STT_DROP_bad_handshake] = "invalid",
    [STT_DROP_bad_parameters] = "invalid",
    [STT_DROP_no_key] = "decryption_failure",
    [STT_DROP_bad_tag] = "decryption_failure",
    [STT_DROP_replayed_packet] = "rejected",
    [STT_DROP_no_memory] = "internal_error",
    [STT_DROP_own_packet] = "rejected",
};
_Static_assert(sizeof drop_triggers / sizeof drop_triggers[0] == STT_DROP_COUNT,
               "every reason has a trigger");

static void packet_dropped(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)i;
    raw_length(j, e->field[1]);
    stt_json_open(j, "details");
    stt_json_text(j, "reason", code_of(e));
    stt_json_number(j, "packets", e->field[0]);
    stt_json_close(j);
    stt_json_text(j, "trigger", e->code < STT_DROP_COUNT ? drop_triggers[e->code] : "general");
}

/* Only some have a counterpart. */
static const struct {
    const char *now, *side;
} stream_states[] = {
    [STT_STREAM_STATE_OPENED] = {"open", NULL},
    [STT_STREAM_STATE_ACCEPTED] = {"open", NULL},
    [STT_STREAM_STATE_WRITTEN] = {"half_closed_local", NULL},
    [STT_STREAM_STATE_FINISHED] = {"data_received", "sending"},
    [STT_STREAM_STATE_RESET] = {"reset_sent", "sending"},
    [STT_STREAM_STATE_WAS_RESET] = {"reset_received", "receiving"},
    [STT_STREAM_STATE_READ] = {"data_read", "receiving"},
    [STT_STREAM_STATE_ENDED] = {"closed", NULL},
};

static uint64_t has_stream_state(const struct stt_trace_event *e)
{
    return e->code < sizeof stream_states / sizeof stream_states[0] && stream_states[e->code].now;
}

static void stream_state(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)i;
    stt_json_number(j, "stream_id", e->field[0]);
    stt_json_text(j, "stream_type", "bidirectional");
    stt_json_text(j, "new", stream_states[e->code].now);
    if (stream_states[e->code].side)
        stt_json_text(j, "stream_side", stream_states[e->code].side);
}

/* -- recovery ------------------------------------------------------------------------------------
 */

static void packet_lost(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    packet_header(j, e, i);
    if (e->code == STT_TRIGGER_SIZE_PROBE)
        stt_json_true(j, "is_mtu_probe_packet");
    else if (e->code != STT_TRIGGER_FORGOTTEN)
        stt_json_text(j, "trigger",
                      e->code == STT_TRIGGER_TIME ? "time_threshold" : "reordering_threshold");
}

static uint64_t has_sample(const struct stt_trace_event *e)
{
    return e->field[3] != 0;
}

static void latest_rtt(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)i;
    stt_json_ms(j, "latest_rtt", e->field[3]);
}

static void loss_timer(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)e, (void)i;
    stt_json_text(j, "timer_type", "pto");
    stt_json_text(j, "event_type", "expired");
}

static void pto_count(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)i;
    stt_json_number(j, "pto_count", e->code);
    stt_json_number(j, "bytes_in_flight", e->field[1]);
}

static void metrics(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    (void)i;
    stt_json_ms(j, "smoothed_rtt", e->field[0]);
    stt_json_ms(j, "min_rtt", e->field[1]);
    if (e->field[2] != STT_UNLIMITED)
        stt_json_number(j, "congestion_window", e->field[2]);
    if (e->field[3] <= UINT64_MAX / 8)
        stt_json_number(j, "pacing_rate", e->field[3] * 8);
    stt_json_number(j, "bytes_in_flight", e->field[4]);
}

static void congestion_state(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    const char *before = stt_codes_field(e, 0);
    (void)i;
    if (before)
        stt_json_text(j, "old", before);
    stt_json_text(j, "new", code_of(e));
}

/* -- security ------------------------------------------------------------------------------------
 */

static uint64_t both_directions(const struct stt_trace_event *e)
{
    (void)e;
    return STT_DIRECTIONS;
}

static void key(struct stt_json *j, uint64_t direction)
{
    stt_json_text(j, "key_type",
                  direction == STT_TO_RESPONDER ? "client_1rtt_secret" : "server_1rtt_secret");
}

static void key_updated(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    static const char *const triggers[] = {[STT_ORIGIN_HANDSHAKE] = "tls",
                                           [STT_ORIGIN_LOCAL] = "local_update",
                                           [STT_ORIGIN_REMOTE] = "remote_update",
                                           [STT_ORIGIN_REKEY] = "tls"};
    key(j, i);
    stt_json_text(j, "new", ""); /* must be there, and is nobody's business */
    stt_json_number(j, "generation", e->field[0]);
    if (e->code < sizeof triggers / sizeof triggers[0])
        stt_json_text(j, "trigger", triggers[e->code]);
}

static void key_discarded(struct stt_json *j, const struct stt_trace_event *e, uint64_t i)
{
    key(j, i);
    stt_json_number(j, "generation", e->field[0]);
}

/* -- the table -----------------------------------------------------------------------------------
 */

enum { RULES_MAX = 2 };

static const struct rule {
    const char *name;
    write_data *write;
    count_records *count; /* NULL: one */
} rules[][RULES_MAX] = {
    [STT_TRACE_SESSION_STATE] = {{"connectivity:connection_state_updated", connection_state, NULL},
                                 {"stt:session_state", ours, NULL}},
    [STT_TRACE_SESSION_CLOSED] = {{"connectivity:connection_closed", connection_closed, NULL},
                                  {"stt:session_closed", ours, NULL}},
    [STT_TRACE_SESSION_STALLED] = {{"stt:session_stalled", ours, NULL}},
    [STT_TRACE_MESSAGE_SENT] = {{"stt:message_sent", ours, NULL}},
    [STT_TRACE_PACKETS_SENT] = {{"transport:packet_sent", packet_sent, packets_of}},
    [STT_TRACE_PACKETS_RECEIVED] = {{"transport:packet_received", packet, packets_of}},
    [STT_TRACE_PACKETS_DROPPED] = {{"transport:packet_dropped", packet_dropped, NULL}},
    [STT_TRACE_PACKETS_LOST] = {{"recovery:packet_lost", packet_lost, packets_of}},
    [STT_TRACE_PACKETS_SPURIOUS] = {{"stt:packets_spurious", ours, NULL}},
    [STT_TRACE_ACK_RECEIVED] = {{"stt:ack_received", ours, NULL},
                                {"recovery:metrics_updated", latest_rtt, has_sample}},
    [STT_TRACE_PTO_EXPIRED] = {{"recovery:loss_timer_updated", loss_timer, NULL},
                               {"recovery:metrics_updated", pto_count, NULL}},
    [STT_TRACE_CONGESTION_UPDATED] = {{"recovery:metrics_updated", metrics, NULL}},
    [STT_TRACE_PHASE_CHANGED] = {{"recovery:congestion_state_updated", congestion_state, NULL}},
    [STT_TRACE_PATH_TRIAL] = {{"stt:path_trial", ours, NULL}},
    [STT_TRACE_PACKET_SIZE] = {{"connectivity:mtu_updated", mtu, NULL}},
    [STT_TRACE_KEY_EPOCH] = {{"security:key_updated", key_updated, both_directions}},
    [STT_TRACE_KEYS_FORGOTTEN] = {{"security:key_discarded", key_discarded, both_directions}},
    [STT_TRACE_STREAM_STATE] = {{"transport:stream_state_updated", stream_state, has_stream_state},
                                {"stt:stream_state", ours, NULL}},
    [STT_TRACE_FLOW_BLOCKED] = {{"stt:flow_blocked", ours, NULL}},
    [STT_TRACE_DATAGRAMS_DROPPED] = {{"stt:datagrams_dropped", ours, NULL}},
    [STT_TRACE_TYPE_COUNT] = {{"stt:unknown", unknown, NULL}},
};

/* The rule for this place, which becomes the place within it; NULL: that was all. */
static const struct rule *find_rule(const struct stt_trace_event *e, uint64_t *place)
{
    uint32_t type = e->type < STT_TRACE_TYPE_COUNT ? e->type : STT_TRACE_TYPE_COUNT;
    for (int i = 0; i < RULES_MAX && rules[type][i].name; i++) {
        const struct rule *rule = &rules[type][i];
        uint64_t n = rule->count ? rule->count(e) : 1;
        if (*place < n)
            return rule;
        *place -= n;
    }
    return NULL;
}

size_t stt_qlog_record(const struct stt_qlog *qlog, const struct stt_trace_event *event,
                       uint64_t *place, char out[STT_QLOG_RECORD_ROOM])
{
    uint64_t i = *place;
    const struct rule *rule = find_rule(event, &i);
    char subject[24];
    if (!rule)
        return 0;
    struct stt_line group = stt_line_init(subject, sizeof subject);
    stt_line_number(&group, event->subject);
    struct stt_json j = stt_json_init(out, STT_QLOG_RECORD_ROOM, "\x1e");
    stt_json_ms(&j, "time", event->at > qlog->start ? event->at - qlog->start : 0);
    stt_json_text(&j, "name", rule->name);
    stt_json_text(&j, "group_id", subject);
    stt_json_open(&j, "data");
    rule->write(&j, event, i);
    stt_json_close(&j);
    size_t len = stt_json_end(&j);
    assert(!j.line.is_cut);
    ++*place;
    return len;
}

size_t stt_qlog_head(const struct stt_qlog *qlog, char out[STT_QLOG_RECORD_ROOM])
{
    static const char *const sides[] = {
        [STT_QLOG_UNKNOWN] = "unknown", [STT_QLOG_CLIENT] = "client", [STT_QLOG_SERVER] = "server"};
    struct stt_json j = stt_json_init(out, STT_QLOG_RECORD_ROOM, "\x1e");
    stt_json_text(&j, "qlog_version", "0.3");
    stt_json_text(&j, "qlog_format", "JSON-SEQ");
    if (qlog->title)
        stt_json_text(&j, "title", qlog->title);
    stt_json_open(&j, "trace");
    stt_json_open(&j, "vantage_point");
    stt_json_text(&j, "name", "stt");
    stt_json_text(&j, "type", sides[qlog->side]);
    stt_json_close(&j);
    stt_json_open(&j, "common_fields");
    stt_json_list(&j, "protocol_type", "\"STT\"");
    stt_json_text(&j, "time_format", "relative");
    stt_json_number(&j, "reference_time", /* a number always, and this is far from now */
                    qlog->start_unix_ms < STT_JSON_EXACT_MAX ? qlog->start_unix_ms : 0);
    stt_json_close(&j);
    stt_json_close(&j);
    size_t len = stt_json_end(&j);
    assert(!j.line.is_cut);
    return len;
}
