/* SPDX-License-Identifier: MIT
 * output_json: iperf3's JSON, with its keys and types, and STT's beside them: one object a test,
 * written as it grows, so that a long test needs no memory for it; or, with --json-stream, one
 * object a line. Invariant: each test gives one whole object, also when it fails. Must not know how
 * figures were measured. */
#include "tools/common/say.h"
#include "tools/sttbench/transfer/output.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#ifndef STT_VERSION
#define STT_VERSION "0.1.0"
#endif

static struct {
    const struct flags *flags;
    bool has_start; /* of this test */
    unsigned intervals;
} json;

/* -- values ------------------------------------------------------------------------------------ */

static void put_text(json_t *o, const char *key, const char *text)
{
    char clean[DIAGNOSIS_ROOM];
    json_object_set_new(o, key, json_string(say_clean(text, clean, sizeof clean)));
}

static void put_count(json_t *o, const char *key, uint64_t value)
{
    json_object_set_new(o, key, json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

/* What is not known is null. */
static void put_maybe(json_t *o, const char *key, uint64_t value)
{
    if (value == UINT64_MAX)
        json_object_set_new(o, key, json_null());
    else
        put_count(o, key, value);
}

static void put_real(json_t *o, const char *key, double value)
{
    json_object_set_new(o, key, isfinite(value) ? json_real(value) : json_null());
}

static void put_bool(json_t *o, const char *key, bool value)
{
    json_object_set_new(o, key, json_boolean(value));
}

/* iperf3's seconds are whole numbers; a part of one is told where there is one. */
static void put_seconds(json_t *o, const char *key, stt_ns time)
{
    if (time % STT_S(1))
        put_real(o, key, (double)time * 1e-9);
    else
        put_count(o, key, time / STT_S(1));
}

static void put_span(json_t *o, stt_ns from, stt_ns to, uint64_t bytes)
{
    put_real(o, "start", (double)from * 1e-9);
    put_real(o, "end", (double)to * 1e-9);
    put_real(o, "seconds", (double)(to - from) * 1e-9);
    put_count(o, "bytes", bytes);
    put_real(o, "bits_per_second", output_bits_per_s(bytes, to - from));
}

/* -- writing ----------------------------------------------------------------------------------- */

static bool is_stream(void)
{
    return json.flags->json_stream;
}

static void write_value(json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
}

static void write_event(const char *event, json_t *data)
{
    printf("{\"event\":\"%s\",\"data\":", event);
    write_value(data);
    printf("}\n");
    fflush(stdout);
}

/* "intervals" begins behind it. */
static void write_start(json_t *start)
{
    json.has_start = true;
    json.intervals = 0;
    if (is_stream()) {
        write_event("start", start);
        return;
    }
    if (json.flags->title) {
        json_t *title = json_string(json.flags->title);
        printf("{\"title\":");
        write_value(title ? title : json_null());
        printf(",\"start\":");
    } else {
        printf("{\"start\":");
    }
    write_value(start);
    printf(",\"intervals\":[");
}

static void write_interval(json_t *interval)
{
    if (is_stream()) {
        write_event("interval", interval);
        return;
    }
    printf(json.intervals++ ? ",\n" : "\n");
    write_value(interval);
    fflush(stdout);
}

static void write_end(json_t *end, const char *error)
{
    json_t *holder = json_object();
    if (error)
        put_text(holder, "error", error);
    json_t *text = json_incref(json_object_get(holder, "error"));
    json_decref(holder);
    if (is_stream()) {
        if (text)
            write_event("error", text);
        write_event("end", end);
        return;
    }
    printf("],\"end\":");
    write_value(end);
    if (text) {
        printf(",\"error\":");
        write_value(text);
    }
    printf("}\n");
    fflush(stdout);
}

/* -- start ------------------------------------------------------------------------------------- */

static void open_json(const struct flags *flags)
{
    json.flags = flags;
}

static void listening(const struct post *host, unsigned test)
{
    (void)host;
    (void)test;
}

static void connecting(const struct flags *flags)
{
    (void)flags;
}

static void put_machine(json_t *start)
{
    struct utsname u;
    char text[sizeof u], date[64];
    time_t now = time(NULL);
    struct tm tm;
    json_t *timestamp = json_object();
    uname(&u);
    snprintf(text, sizeof text, "%s %s %s %s %s", u.sysname, u.nodename, u.release, u.version,
             u.machine);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    put_text(start, "version", "sttbench " STT_VERSION);
    put_text(start, "system_info", text);
    put_text(timestamp, "time", date);
    put_count(timestamp, "timesecs", (uint64_t)now);
    json_object_set_new(start, "timestamp", timestamp);
}

static json_t *connected(const struct course *c)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < c->n_lanes; i++) {
        struct output_ends ends;
        json_t *o = json_object();
        output_find_ends(&ends, c, c->lanes[i].session);
        put_count(o, "socket", i + 1);
        put_text(o, "local_host", ends.local);
        put_count(o, "local_port", ends.local_port);
        put_text(o, "remote_host", ends.remote);
        put_count(o, "remote_port", ends.remote_port);
        json_array_append_new(all, o);
    }
    return all;
}

static json_t *test_start(const struct course *c)
{
    const struct talk_test *t = &c->test;
    json_t *o = json_object();
    put_text(o, "protocol", "STT");
    put_count(o, "num_streams", t->streams);
    put_count(o, "blksize", t->block_bytes);
    put_seconds(o, "omit", t->omit_ns);
    put_seconds(o, "duration", t->duration_ns);
    put_count(o, "bytes", t->bytes);
    put_count(o, "blocks", 0);
    put_count(o, "reverse", !!(t->flags & TALK_REVERSE));
    put_count(o, "tos", c->flags->dscp << 2);
    put_count(o, "target_bitrate", t->rate_bits_per_s);
    put_count(o, "bidir", !!(t->flags & TALK_BIDIR));
    put_count(o, "fqrate", 0);
    put_seconds(o, "interval", c->flags->interval);
    return o;
}

static void put_peer(json_t *start, const struct course *c)
{
    struct output_ends ends;
    json_t *peer = json_object();
    char cookie[2 * sizeof c->token.bytes + 1];
    output_find_ends(&ends, c, c->control);
    put_text(peer, "host", c->is_client ? c->flags->host : ends.remote);
    put_count(peer, "port", c->is_client ? c->flags->port : ends.remote_port);
    json_object_set_new(start, c->is_client ? "connecting_to" : "accepted_connection", peer);
    /* Not the token itself: who has that may join. */
    snprintf(cookie, sizeof cookie, "%016llx",
             (unsigned long long)XXH3_64bits(c->token.bytes, sizeof c->token.bytes));
    put_text(start, "cookie", cookie);
    put_text(start, "suite", ends.suite);
}

static void begin(const struct course *c)
{
    uint64_t receive, send;
    json_t *start = json_object();
    struct output_moment m;
    output_look(&m, c, 0, c->n_lanes);
    side_buffers(c->node, &receive, &send);
    json_object_set_new(start, "connected", connected(c));
    put_machine(start);
    put_peer(start, c);
    put_count(start, "tcp_mss_default", m.packet_bytes);
    put_count(start, "target_bitrate", c->test.rate_bits_per_s);
    put_count(start, "fq_rate", 0);
    put_count(start, "sock_bufsize", c->flags->socket_buffer);
    put_count(start, "sndbuf_actual", send);
    put_count(start, "rcvbuf_actual", receive);
    put_text(start, "io", stt_node_io(c->node));
    put_text(start, "preset", c->flags->preset);
    put_text(start, "authenticated", post_authenticated(c->host));
    put_bool(start, "verify", c->test.flags & TALK_VERIFY);
    json_object_set_new(start, "test_start", test_start(c));
    write_start(start);
}

/* -- intervals --------------------------------------------------------------------------------- */

static json_t *moment(const struct course *c, const struct course_interval *interval, uint32_t from,
                      uint32_t to, bool is_sum)
{
    struct output_moment m;
    json_t *o = json_object();
    output_look(&m, c, from, to);
    if (!is_sum)
        put_count(o, "socket", from + 1);
    put_span(o, interval->from, interval->to, m.bytes);
    if (c->lanes[from].sends) {
        put_count(o, "retransmits", m.packets_lost);
        put_count(o, "snd_cwnd", m.window_bytes);
        put_count(o, "rtt", m.rtt_ns / 1000);
        put_count(o, "rttvar", m.rtt_var_ns / 1000);
        put_count(o, "pmtu", m.packet_bytes);
    }
    put_bool(o, "omitted", interval->is_omitted);
    put_bool(o, "sender", c->lanes[from].sends);
    return o;
}

static void interval(const struct course *c, const struct course_interval *interval)
{
    uint32_t streams = c->test.streams;
    json_t *o = json_object(), *all = json_array();
    for (uint32_t i = 0; i < c->n_lanes; i++)
        json_array_append_new(all, moment(c, interval, i, i + 1, false));
    json_object_set_new(o, "streams", all);
    json_object_set_new(o, "sum", moment(c, interval, 0, streams, true));
    if (c->n_lanes > streams)
        json_object_set_new(o, "sum_bidir_reverse", moment(c, interval, streams, c->n_lanes, true));
    write_interval(o);
}

static const struct teller teller = {begin, interval};

/* -- end --------------------------------------------------------------------------------------- */

static void put_sent(json_t *o, const struct talk_lane *s)
{
    put_count(o, "retransmits", s->packets_lost);
    put_count(o, "max_snd_cwnd", s->window_max_bytes);
    put_count(o, "max_rtt", s->rtt_max_ns / 1000);
    put_count(o, "min_rtt", s->rtt_min_ns / 1000);
    put_count(o, "mean_rtt", s->rtt_mean_ns / 1000);
    put_count(o, "packets_sent", s->packets_sent);
    put_count(o, "packets_lost", s->packets_lost);
    put_count(o, "packets_spurious", s->packets_spurious);
    put_real(o, "loss_percent",
             s->packets_sent ? (double)s->packets_lost * 100 / (double)s->packets_sent : 0);
    put_count(o, "bytes_retransmitted", s->bytes_retransmitted);
    put_real(o, "send_buffer_full_s", (double)s->ring_full_ns * 1e-9);
#define ROW(X, upper, name, words)                                                                 \
    put_real(o, "held_by_" #name "_s", (double)s->held_by_##name##_ns * 1e-9);
    STT_HELD_BY(ROW, )
#undef ROW
}

static json_t *sent(const struct output_sum *sum, uint32_t socket)
{
    json_t *o = json_object();
    if (socket)
        put_count(o, "socket", socket);
    put_span(o, 0, sum->sent_ns, sum->sent_bytes);
    put_sent(o, &sum->sent);
    put_bool(o, "sender", sum->is_ours);
    return o;
}

static json_t *came(const struct output_sum *sum, uint32_t socket)
{
    json_t *o = json_object();
    if (socket)
        put_count(o, "socket", socket);
    put_span(o, 0, sum->came_ns, sum->came_bytes);
    put_bool(o, "sender", sum->is_ours);
    return o;
}

static void put_sums(json_t *end, const struct course *c, bool is_reverse)
{
    struct output_sum sum = {.lanes = 0};
    uint32_t streams = c->test.streams;
    output_add(&sum, c, is_reverse ? streams : 0, is_reverse ? c->n_lanes : streams);
    if (sum.has_sent)
        json_object_set_new(end, is_reverse ? "sum_sent_bidir_reverse" : "sum_sent", sent(&sum, 0));
    if (sum.has_come)
        json_object_set_new(end, is_reverse ? "sum_received_bidir_reverse" : "sum_received",
                            came(&sum, 0));
}

static json_t *streams(const struct course *c)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < c->n_lanes; i++) {
        struct output_sum sum = {.lanes = 0};
        json_t *o = json_object();
        output_add(&sum, c, i, i + 1);
        if (sum.has_sent)
            json_object_set_new(o, "sender", sent(&sum, i + 1));
        if (sum.has_come)
            json_object_set_new(o, "receiver", came(&sum, i + 1));
        json_array_append_new(all, o);
    }
    return all;
}

static void put_side(json_t *o, const char *whose, const struct talk_side *side)
{
    const struct side_cpu cpu = side_cpu(side);
    const struct {
        const char *what;
        double value;
    } rows[] = {{"total", cpu.total},
                {"user", cpu.user},
                {"system", cpu.system},
                {"waited", side_diagnosis(side).waited_percent}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s_%s", whose, rows[i].what);
        put_real(o, key, rows[i].value);
    }
}

static void put_machines(json_t *end, const struct course *c)
{
    json_t *cpu = json_object();
    put_side(cpu, "host", &c->side);
    if (c->has_other_side)
        put_side(cpu, "remote", &c->other_side);
    json_object_set_new(end, "cpu_utilization_percent", cpu);
    put_maybe(end, "host_socket_drops", c->side.socket_drops);
    put_maybe(end, "host_memory_drops", c->side.memory_drops);
    if (!c->has_other_side)
        return;
    put_maybe(end, "remote_socket_drops", c->other_side.socket_drops);
    put_maybe(end, "remote_memory_drops", c->other_side.memory_drops);
}

/* The direction that has no "_bidir_reverse" is that of the first lane. */
static void put_limits(json_t *end, const struct course *c)
{
    char sentence[DIAGNOSIS_ROOM];
    enum diagnosis_limit limit;
    for (int ours = 0; ours < 2; ours++) {
        bool is_reverse = ours != c->lanes[0].sends;
        if (!course_diagnose(c, ours, sentence, &limit))
            continue;
        put_text(end, is_reverse ? "limited_by_bidir_reverse" : "limited_by", sentence);
        put_text(end, is_reverse ? "limit_bidir_reverse" : "limit", diagnosis_name(limit));
    }
}

static json_t *make_end(const struct course *c, bool is_whole)
{
    static const struct stt_config defaults = STT_CONFIG_INIT;
    json_t *end = json_object();
    const char *congestion = c->flags->congestion ? c->flags->congestion : defaults.congestion;
    json_object_set_new(end, "streams", streams(c));
    put_sums(end, c, false);
    if (c->test.flags & TALK_BIDIR)
        put_sums(end, c, true);
    put_machines(end, c);
    if (c->lanes[0].sends)
        put_text(end, "sender_tcp_congestion", congestion);
    else
        put_text(end, "receiver_tcp_congestion", congestion);
    put_bool(end, "verified", is_whole && c->test.flags & TALK_VERIFY);
    put_limits(end, c);
    return end;
}

static void end(const struct course *c, const char *error)
{
    bool is_wrong = error && c && c->has_heard_done; /* it arrived, and is not what was sent */
    if (!json.has_start)
        write_start(json_object());
    write_end(c && !is_wrong ? make_end(c, !error) : json_object(), error);
    json.has_start = false;
}

const struct output output_json = {open_json, listening, connecting, &teller, end};
