/* SPDX-License-Identifier: MIT
 * What a node counts, and its text, read by a parser that takes nothing but the format. */
#include "stt/metrics.h"
#include "stt/node/node.h"
#include "tests/support/nodes.h"
#include "tests/support/suite.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};
enum { IOS = 2, FAMILIES_MAX = 128, BYTES = 1 << 20 };

/* -- Prometheus' text format 0.0.4 ------------------------------------------------------------- */

struct exposition {
    char names[FAMILIES_MAX][80], types[FAMILIES_MAX][16];
    size_t n;
    unsigned samples_of_last, samples;
};

static size_t name_len(const char *at)
{
    size_t n = 0;
    while (isalpha((unsigned char)at[n]) || at[n] == '_' || at[n] == ':' ||
           (n && isdigit((unsigned char)at[n])))
        n++;
    return n;
}

static void begin_family(struct exposition *x, const char *line)
{
    const size_t n = name_len(line + 7);
    ck_assert_uint_gt(n, 0);
    ck_assert_msg(x->n == 0 || x->samples_of_last > 0, "%s has no samples", x->names[x->n - 1]);
    ck_assert_uint_lt(x->n, FAMILIES_MAX);
    snprintf(x->names[x->n], sizeof x->names[0], "%.*s", (int)n, line + 7);
    ck_assert_msg(line[7 + n] == ' ' && line[8 + n], "no words: %s", line);
    ck_assert_msg(!strchr(line, '\\'), "escapes: %s", line);
    for (size_t i = 0; i < x->n; i++)
        ck_assert_msg(strcmp(x->names[i], x->names[x->n]) != 0, "twice: %s", line);
    x->types[x->n++][0] = 0;
    x->samples_of_last = 0;
}

static void take_type(struct exposition *x, const char *line)
{
    char name[80], type[16];
    int end = 0;
    ck_assert_msg(sscanf(line, "# TYPE %79s %15s%n", name, type, &end) == 2 && !line[end], "%s",
                  line);
    ck_assert_msg(x->n > 0 && strcmp(name, x->names[x->n - 1]) == 0, "without HELP: %s", line);
    ck_assert_msg(!x->types[x->n - 1][0] && !x->samples_of_last, "too late: %s", line);
    ck_assert_msg(strcmp(type, "gauge") == 0 || strcmp(type, "counter") == 0, "%s", line);
    strcpy(x->types[x->n - 1], type);
    const size_t len = strlen(name);
    const bool is_total = len > 6 && strcmp(name + len - 6, "_total") == 0;
    ck_assert_msg(is_total == (strcmp(type, "counter") == 0), "%s", line);
    ck_assert_msg(strncmp(name, "stt_", 4) == 0, "%s", line);
}

/* {name="value"}: one label is all that there is. */
static const char *skip_labels(const char *at)
{
    if (*at != '{')
        return at;
    const size_t n = name_len(at + 1);
    ck_assert_msg(n > 0 && strncmp(at + 1 + n, "=\"", 2) == 0, "label: %s", at);
    const char *end = strchr(at + n + 3, '"');
    ck_assert_msg(end && end[1] == '}' && !memchr(at, '\\', (size_t)(end - at)), "label: %s", at);
    return end + 2;
}

static void take_sample(struct exposition *x, const char *line)
{
    const size_t n = name_len(line);
    ck_assert_msg(x->n > 0 && x->types[x->n - 1][0], "without TYPE: %s", line);
    ck_assert_msg(strlen(x->names[x->n - 1]) == n && !memcmp(line, x->names[x->n - 1], n), "%s",
                  line);
    const char *at = skip_labels(line + n);
    ck_assert_msg(*at++ == ' ', "no value: %s", line);
    const size_t digits = strspn(at, "0123456789");
    ck_assert_msg(digits > 0 && !at[digits] && (*at != '0' || digits == 1), "value: %s", line);
    x->samples_of_last++;
    x->samples++;
}

static void parse(struct exposition *x, const char *text)
{
    char line[256];
    *x = (struct exposition){.n = 0};
    for (const char *end; *text; text = end + 1) {
        end = strchr(text, '\n');
        ck_assert_msg(end && end - text < (ptrdiff_t)sizeof line, "the last line has no end");
        snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
        if (strncmp(line, "# HELP ", 7) == 0)
            begin_family(x, line);
        else if (strncmp(line, "# TYPE ", 7) == 0)
            take_type(x, line);
        else
            take_sample(x, line);
    }
    ck_assert_uint_gt(x->samples_of_last, 0);
}

static uint64_t value_of(const char *text, const char *sample)
{
    char line[128];
    unsigned long long value;
    snprintf(line, sizeof line, "\n%s ", sample);
    const char *at = strstr(text, line);
    ck_assert_msg(at != NULL, "no sample %s", sample);
    ck_assert_int_eq(sscanf(at + strlen(line), "%llu", &value), 1);
    return value;
}

/* -- nodes ------------------------------------------------------------------------------------- */

static bool begin_echoed(struct nodes *n, enum stt_io io)
{
    if (!nodes_begin(n, io, "127.0.0.1:0", NULL))
        return false;
    n->server.echoes = true;
    nodes_connect(n, NULL);
    nodes_send(n, BYTES);
    ck_assert(nodes_until(n, nodes_have_echo, STT_S(20)));
    return true;
}

START_TEST(a_node_counts_what_went_through_it)
{
    struct nodes n;
    struct stt_node_stats c, s;
    if (!begin_echoed(&n, ios[_i]))
        return;
    stt_node_stats(n.client.node, &c);
    stt_node_stats(n.server.node, &s);
    ck_assert_str_eq(s.io, _i ? "mmsg" : "uring");
    ck_assert_uint_eq(s.sessions, 1);
    ck_assert_uint_eq(s.half_open + s.pending, 0);
    ck_assert_uint_eq(s.sockets, 1);
    ck_assert_uint_eq(c.handshakes_started, 1);
    ck_assert_uint_eq(s.handshakes_answered, 1);
    ck_assert_uint_eq(s.handshakes_confirmed, 1);
    ck_assert_uint_gt(s.bytes_received, BYTES);
    ck_assert_uint_gt(s.bytes_sent, BYTES);
    ck_assert_uint_ge(s.io_bytes_received, s.bytes_received);
    ck_assert_uint_ge(s.io_datagrams_received, s.datagrams_received);
    ck_assert_uint_ge(s.datagrams_sent, s.io_datagrams_sent);
    ck_assert_uint_gt(s.datagrams_received, s.io_trains_received);
    ck_assert_uint_le(s.io_waits, s.io_steps);
    ck_assert_uint_eq(s.no_way + s.unsent + s.io_refused, 0);
    nodes_end(&n);
}
END_TEST

START_TEST(streams_are_counted_while_they_are_open)
{
    struct nodes n;
    struct stt_node_stats stats;
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle one, two;
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    nodes_connect(&n, NULL);
    struct stt_endpoint *ep = stt_node_endpoint(n.client.node);
    const stt_ns now = stt_node_now(n.client.node);
    ck_assert_int_eq(stt_stream_open(ep, now, n.client.session, &options, &one), STT_OK);
    ck_assert_int_eq(stt_stream_open(ep, now, n.client.session, &options, &two), STT_OK);
    stt_node_stats(n.client.node, &stats);
    ck_assert_uint_eq(stats.streams, 2);
    ck_assert_int_eq(stt_session_close(ep, now, n.client.session, 0, ""), STT_OK);
    ck_assert(nodes_until(&n, nodes_are_closed, STT_S(10)));
    for (int i = 0; i < 100 && stats.streams; i++) {
        nodes_turn(&n);
        stt_node_stats(n.client.node, &stats);
    }
    ck_assert_uint_eq(stats.streams, 0);
    nodes_end(&n);
}
END_TEST

/* Every number is there, once, by the value that it has. */
START_TEST(the_text_is_the_numbers_in_the_format_of_prometheus)
{
    struct nodes n;
    struct exposition x;
    struct stt_node_stats stats;
    char text[STT_NODE_METRICS_ROOM], again[STT_NODE_METRICS_ROOM], sample[96];
    unsigned rows = 0;
    if (!begin_echoed(&n, ios[_i]))
        return;
    stt_node_stats(n.server.node, &stats);
    const size_t len = stt_node_metrics(n.server.node, text, sizeof text);
    ck_assert_uint_eq(len, strlen(text));
    parse(&x, text);
    enum { GAUGE, COUNTER, DROP };
#define X(kind, name, words)                                                                       \
    snprintf(sample, sizeof sample,                                                                \
             kind == DROP      ? "stt_dropped_total{reason=\"%s\"}"                                \
             : kind == COUNTER ? "stt_%s_total"                                                    \
                               : "stt_%s",                                                         \
             kind == DROP ? strchr(#name, '_') + 1 : #name);                                       \
    ck_assert_uint_eq(value_of(text, sample), stats.name);                                         \
    rows++;
    STT_NODE_STATS(X)
#undef X
    ck_assert_uint_eq(x.samples, rows + 1);
    ck_assert_ptr_ne(
        strstr(text, _i ? "\nstt_info{io=\"mmsg\"} 1\n" : "\nstt_info{io=\"uring\"} 1\n"), NULL);
    ck_assert_uint_eq(stt_node_metrics(n.server.node, again, sizeof again), len);
    ck_assert_str_eq(text, again);
    nodes_end(&n);
}
END_TEST

/* Of the largest numbers, too: what is served has a fixed room. */
START_TEST(the_longest_text_fits_the_room_that_is_promised)
{
    size_t len = 256;
#define X(kind, name, words)                                                                       \
    len +=                                                                                         \
        strlen("# HELP stt__total \n# TYPE stt__total counter\nstt__total 18446744073709551615\n"  \
               "{reason=\"\"}") +                                                                  \
        3 * strlen(#name) + strlen(words);
    STT_NODE_STATS(X)
#undef X
    ck_assert_uint_lt(len, STT_NODE_METRICS_ROOM);
}
END_TEST

START_TEST(too_little_room_cuts_the_text_off_and_says_how_much_it_takes)
{
    struct nodes n;
    char whole[STT_NODE_METRICS_ROOM], part[STT_NODE_METRICS_ROOM];
    if (!nodes_begin(&n, STT_IO_MMSG, "127.0.0.1:0", NULL))
        return;
    const size_t len = stt_node_metrics(n.server.node, whole, sizeof whole);
    ck_assert_uint_eq(stt_node_metrics(n.server.node, NULL, 0), len);
    for (size_t room = 1; room <= len + 1; room++) {
        memset(part, 'x', sizeof part);
        ck_assert_uint_eq(stt_node_metrics(n.server.node, part, room), len);
        ck_assert_uint_eq(strlen(part), room - 1);
        ck_assert_int_eq(memcmp(part, whole, room - 1), 0);
        ck_assert_int_eq(part[room], 'x');
    }
    nodes_end(&n);
}
END_TEST

/* -- the hint ---------------------------------------------------------------------------------- */

static void want_little(struct stt_node_config *config, bool is_client)
{
    (void)is_client;
    config->socket_buffer_bytes = 16384;
}

static void want_too_much(struct stt_node_config *config, bool is_client)
{
    (void)is_client;
    config->socket_buffer_bytes = 1u << 30; /* above what a socket can have */
}

START_TEST(a_hint_names_the_setting_that_is_too_small)
{
    struct nodes n;
    struct stt_node_stats stats;
    char hint[STT_NODE_HINT_ROOM] = "x";
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", want_little))
        return;
    ck_assert(!stt_node_hint(n.server.node, hint));
    ck_assert_str_eq(hint, "");
    stt_node_stats(n.server.node, &stats);
    ck_assert_uint_ge(stats.socket_receive_bytes, 16384);
    ck_assert_uint_ge(stats.socket_send_bytes, 16384);
    nodes_end(&n);
    ck_assert(nodes_begin(&n, ios[_i], "127.0.0.1:0", want_too_much));
    stt_node_stats(n.server.node, &stats);
    if (stats.socket_receive_bytes < 1u << 30) {
        ck_assert(stt_node_hint(n.server.node, hint));
        ck_assert_ptr_ne(strstr(hint, "sysctl -w net.core.rmem_max=1073741824"), NULL);
    }
    ck_assert(!stt_node_hint(n.client.node, hint)); /* which has no socket yet */
    nodes_end(&n);
}
END_TEST

SUITE("metrics", LOOP(a_node_counts_what_went_through_it, 0, IOS),
      LOOP(streams_are_counted_while_they_are_open, 0, IOS),
      LOOP(the_text_is_the_numbers_in_the_format_of_prometheus, 0, IOS),
      TEST(the_longest_text_fits_the_room_that_is_promised),
      TEST(too_little_room_cuts_the_text_off_and_says_how_much_it_takes),
      LOOP(a_hint_names_the_setting_that_is_too_small, 0, IOS))
