/* SPDX-License-Identifier: MIT
 * qlog: the schema, member by member. Events in `stt:` are flat objects under the names of the
 * table of events. */
#include "tests/support/qlog.h"

#include "stt/trace.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* -- the schema ------------------------------------------------------------------------------- */

enum kind { UINT16, UINT32, UINT64, FLOAT, TEXT, HEX, BOOL, ANY, ONE_OF };

#define CONNECTION_STATES                                                                          \
    "attempted|peer_validated|handshake_started|early_write|handshake_complete|"                   \
    "handshake_confirmed|closing|draining|closed"
#define STREAM_STATES                                                                              \
    "idle|open|half_closed_local|half_closed_remote|closed|ready|send|data_sent|reset_sent|"       \
    "reset_received|receive|size_known|data_read|reset_read|data_received|destroyed"
#define PACKET_TYPES "initial|handshake|0RTT|1RTT|retry|version_negotiation|stateless_reset|unknown"
#define SENT_TRIGGERS                                                                              \
    "retransmit_reordered|retransmit_timeout|pto_probe|retransmit_crypto|cc_bandwidth_probe"
#define DROP_TRIGGERS                                                                              \
    "internal_error|rejected|unsupported|invalid|connection_unknown|decryption_failure|general"
#define CLOSE_TRIGGERS                                                                             \
    "clean|handshake_timeout|idle_timeout|error|stateless_reset|version_mismatch|application"
#define KEY_TYPES                                                                                  \
    "server_initial_secret|client_initial_secret|server_handshake_secret|"                         \
    "client_handshake_secret|server_0rtt_secret|client_0rtt_secret|server_1rtt_secret|"            \
    "client_1rtt_secret"

static const struct member {
    const char *event, *path;
    enum kind kind;
    bool required;
    const char *choices; /* ONE_OF */
} members[] = {
    {"connectivity:connection_state_updated", "old", ONE_OF, false, CONNECTION_STATES},
    {"connectivity:connection_state_updated", "new", ONE_OF, true, CONNECTION_STATES},
    {"connectivity:connection_closed", "owner", ONE_OF, false, "local|remote"},
    {"connectivity:connection_closed", "connection_code", UINT32, false, NULL},
    {"connectivity:connection_closed", "application_code", UINT32, false, NULL},
    {"connectivity:connection_closed", "internal_code", UINT32, false, NULL},
    {"connectivity:connection_closed", "reason", TEXT, false, NULL},
    {"connectivity:connection_closed", "trigger", ONE_OF, false, CLOSE_TRIGGERS},
    {"connectivity:mtu_updated", "old", UINT16, false, NULL},
    {"connectivity:mtu_updated", "new", UINT16, true, NULL},
    {"connectivity:mtu_updated", "done", BOOL, false, NULL},
    {"transport:packet_sent", "header.packet_type", ONE_OF, true, PACKET_TYPES},
    {"transport:packet_sent", "header.packet_number", UINT64, false, NULL},
    {"transport:packet_sent", "raw.length", UINT64, false, NULL},
    {"transport:packet_sent", "is_mtu_probe_packet", BOOL, false, NULL},
    {"transport:packet_sent", "trigger", ONE_OF, false, SENT_TRIGGERS},
    {"transport:packet_received", "header.packet_type", ONE_OF, true, PACKET_TYPES},
    {"transport:packet_received", "header.packet_number", UINT64, false, NULL},
    {"transport:packet_received", "raw.length", UINT64, false, NULL},
    {"transport:packet_received", "trigger", ONE_OF, false, "keys_available"},
    {"transport:packet_dropped", "header.packet_type", ONE_OF, false, PACKET_TYPES},
    {"transport:packet_dropped", "raw.length", UINT64, false, NULL},
    {"transport:packet_dropped", "details", ANY, false, NULL},
    {"transport:packet_dropped", "trigger", ONE_OF, false, DROP_TRIGGERS},
    {"transport:stream_state_updated", "stream_id", UINT64, true, NULL},
    {"transport:stream_state_updated", "stream_type", ONE_OF, false,
     "unidirectional|bidirectional"},
    {"transport:stream_state_updated", "old", ONE_OF, false, STREAM_STATES},
    {"transport:stream_state_updated", "new", ONE_OF, true, STREAM_STATES},
    {"transport:stream_state_updated", "stream_side", ONE_OF, false, "sending|receiving"},
    {"security:key_updated", "key_type", ONE_OF, true, KEY_TYPES},
    {"security:key_updated", "old", HEX, false, NULL},
    {"security:key_updated", "new", HEX, true, NULL},
    {"security:key_updated", "generation", UINT32, false, NULL},
    {"security:key_updated", "trigger", ONE_OF, false, "tls|remote_update|local_update"},
    {"security:key_discarded", "key_type", ONE_OF, true, KEY_TYPES},
    {"security:key_discarded", "key", HEX, false, NULL},
    {"security:key_discarded", "generation", UINT32, false, NULL},
    {"security:key_discarded", "trigger", ONE_OF, false, "tls|remote_update|local_update"},
    {"recovery:metrics_updated", "min_rtt", FLOAT, false, NULL},
    {"recovery:metrics_updated", "smoothed_rtt", FLOAT, false, NULL},
    {"recovery:metrics_updated", "latest_rtt", FLOAT, false, NULL},
    {"recovery:metrics_updated", "rtt_variance", FLOAT, false, NULL},
    {"recovery:metrics_updated", "pto_count", UINT16, false, NULL},
    {"recovery:metrics_updated", "congestion_window", UINT64, false, NULL},
    {"recovery:metrics_updated", "bytes_in_flight", UINT64, false, NULL},
    {"recovery:metrics_updated", "ssthresh", UINT64, false, NULL},
    {"recovery:metrics_updated", "packets_in_flight", UINT64, false, NULL},
    {"recovery:metrics_updated", "pacing_rate", UINT64, false, NULL},
    {"recovery:congestion_state_updated", "old", TEXT, false, NULL},
    {"recovery:congestion_state_updated", "new", TEXT, true, NULL},
    {"recovery:congestion_state_updated", "trigger", ONE_OF, false, "persistent_congestion|ECN"},
    {"recovery:loss_timer_updated", "timer_type", ONE_OF, false, "ack|pto"},
    {"recovery:loss_timer_updated", "event_type", ONE_OF, true, "set|expired|cancelled"},
    {"recovery:loss_timer_updated", "delta", FLOAT, false, NULL},
    {"recovery:packet_lost", "header.packet_type", ONE_OF, false, PACKET_TYPES},
    {"recovery:packet_lost", "header.packet_number", UINT64, false, NULL},
    {"recovery:packet_lost", "is_mtu_probe_packet", BOOL, false, NULL},
    {"recovery:packet_lost", "trigger", ONE_OF, false,
     "reordering_threshold|time_threshold|pto_expired"},
};
enum { MEMBERS = sizeof members / sizeof members[0] };

static char mistake[512];

#define MISTAKE(...) (snprintf(mistake, sizeof mistake, __VA_ARGS__), mistake)

/* -- syntax ----------------------------------------------------------------------------------- */

json_t *qlog_parse(const char *record, size_t len, const char **why)
{
    json_error_t error;
    *why = NULL;
    if (len < 3 || record[0] != 0x1e || record[len - 1] != '\n') {
        *why = MISTAKE("does not begin with RS and end with a newline");
        return NULL;
    }
    if (memchr(record + 1, 0x1e, len - 1) || memchr(record, '\n', len - 1)) {
        *why = MISTAKE("more than one record");
        return NULL;
    }
    json_t *parsed = json_loadb(record + 1, len - 2, JSON_REJECT_DUPLICATES, &error);
    if (!parsed)
        *why = MISTAKE("%s at %d in %.*s", error.text, error.position, (int)len - 2, record + 1);
    return parsed;
}

/* -- values ----------------------------------------------------------------------------------- */

static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, text, len) == 0 && (at[len] == '|' || at[len] == 0))
            return true;
    return false;
}

/* Numbers beyond what every reader can hold are texts. */
static bool is_uint(const json_t *value, enum kind kind, bool narrow)
{
    const char *digits = json_string_value(value);
    if (digits)
        return digits[0] && strspn(digits, "0123456789") == strlen(digits) && !narrow;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    uint64_t most = kind == UINT16 ? UINT16_MAX : kind == UINT32 ? UINT32_MAX : UINT64_MAX;
    uint64_t n = (uint64_t)json_integer_value(value);
    return n < UINT64_C(1) << 53 && (!narrow || n <= most);
}

static bool is_hex(const char *text)
{
    return text && strlen(text) % 2 == 0 && strspn(text, "0123456789abcdef") == strlen(text);
}

static bool fits(const struct member *m, const json_t *value, bool narrow)
{
    switch (m->kind) {
    case UINT16:
    case UINT32:
    case UINT64:
        return is_uint(value, m->kind, narrow);
    case FLOAT:
        return json_is_real(value) && json_real_value(value) >= 0;
    case TEXT:
        return json_is_string(value);
    case HEX:
        return is_hex(json_string_value(value));
    case BOOL:
        return json_is_boolean(value);
    case ONE_OF:
        return json_is_string(value) && is_choice(m->choices, json_string_value(value));
    default:
        return true;
    }
}

/* -- events ----------------------------------------------------------------------------------- */

static const struct member *find_member(const char *event, const char *path)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (strcmp(members[i].event, event) == 0 && strcmp(members[i].path, path) == 0)
            return &members[i];
    return NULL;
}

static const char *check_value(const char *event, const char *path, const json_t *value,
                               bool narrow)
{
    const struct member *m = find_member(event, path);
    if (!m)
        return MISTAKE("%s has no member %s", event, path);
    return fits(m, value, narrow) ? NULL : MISTAKE("%s: %s has a wrong value", event, path);
}

static const char *check_members(const char *event, const char *prefix, json_t *object, bool narrow)
{
    const char *key, *wrong;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char path[80];
        snprintf(path, sizeof path, "%s%s", prefix, key);
        if (json_is_object(value) && !find_member(event, path)) {
            strcat(path, ".");
            wrong = check_members(event, path, value, narrow);
        } else {
            wrong = check_value(event, path, value, narrow);
        }
        if (wrong)
            return wrong;
    }
    return NULL;
}

static const json_t *at_path(const json_t *data, const char *path)
{
    const char *dot = strchr(path, '.');
    char first[40];
    if (!dot)
        return json_object_get(data, path);
    snprintf(first, sizeof first, "%.*s", (int)(dot - path), path);
    return at_path(json_object_get(data, first), dot + 1);
}

static const char *check_standard(const char *event, json_t *data, bool narrow)
{
    bool known = false;
    for (size_t i = 0; i < MEMBERS; i++) {
        bool is_its = strcmp(members[i].event, event) == 0;
        known = known || is_its;
        if (is_its && members[i].required && !at_path(data, members[i].path))
            return MISTAKE("%s without %s", event, members[i].path);
    }
    return known ? check_members(event, "", data, narrow) : MISTAKE("no event %s", event);
}

static bool is_ours(const char *name)
{
    for (uint32_t i = 0; i < STT_TRACE_TYPE_COUNT; i++)
        if (strcmp(stt_trace_row(i)->name, name) == 0)
            return true;
    return strcmp(name, "unknown") == 0;
}

static const char *check_ours(const char *event, json_t *data)
{
    const char *key;
    json_t *value;
    if (!is_ours(event + 4))
        return MISTAKE("no event %s", event);
    json_object_foreach(
        data, key,
        value) if (!json_is_integer(value) &&
                   !json_is_string(value)) return MISTAKE("%s: %s is neither number nor text",
                                                          event, key);
    return NULL;
}

static const char *check(json_t *record, bool narrow)
{
    const char *name = json_string_value(json_object_get(record, "name"));
    const json_t *time = json_object_get(record, "time");
    json_t *data = json_object_get(record, "data");
    if (!name || !json_is_real(time) || json_real_value(time) < 0 || !json_is_object(data) ||
        !json_is_string(json_object_get(record, "group_id")) || json_object_size(record) != 4)
        return MISTAKE("is not exactly time, name, group_id and data");
    return strncmp(name, "stt:", 4) == 0 ? check_ours(name, data)
                                         : check_standard(name, data, narrow);
}

const char *qlog_mistake(const char *record, size_t len, bool narrow)
{
    const char *wrong;
    json_t *parsed = qlog_parse(record, len, &wrong);
    if (!parsed)
        return wrong;
    wrong = check(parsed, narrow);
    json_decref(parsed);
    return wrong;
}

/* -- the head --------------------------------------------------------------------------------- */

static bool is_text(const json_t *object, const char *name, const char *choices)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && is_choice(choices, text);
}

static const char *check_head(const json_t *head)
{
    const json_t *trace = json_object_get(head, "trace");
    const json_t *vantage = json_object_get(trace, "vantage_point");
    const json_t *common = json_object_get(trace, "common_fields");
    const json_t *title = json_object_get(head, "title");
    if (!is_text(head, "qlog_version", "0.3") || !is_text(head, "qlog_format", "JSON-SEQ") ||
        json_object_size(head) != 3 + (title != NULL) || (title && !json_is_string(title)))
        return MISTAKE("the head is not that of a qlog 0.3 in JSON-SEQ");
    if (!is_text(vantage, "type", "client|server|network|unknown") ||
        !json_is_string(json_object_get(vantage, "name")))
        return MISTAKE("the vantage point");
    if (!is_text(common, "time_format", "absolute|delta|relative") ||
        !json_is_number(json_object_get(common, "reference_time")) ||
        json_array_size(json_object_get(common, "protocol_type")) != 1)
        return MISTAKE("the common fields");
    return NULL;
}

const char *qlog_head_mistake(const char *record, size_t len)
{
    const char *wrong;
    json_t *parsed = qlog_parse(record, len, &wrong);
    if (!parsed)
        return wrong;
    wrong = check_head(parsed);
    json_decref(parsed);
    return wrong;
}
