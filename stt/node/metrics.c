/* SPDX-License-Identifier: MIT
 * metrics: what a node counts, gathered from its endpoint, its driver and itself, as numbers and as
 * text. Owns nothing, changes nothing. A number that the endpoint or the driver counts and
 * stt/metrics.h does not list does not compile. Spec 09, "Metrics". */
#include "stt/metrics.h"

#include "stt/node/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(STT_NODE_HINT_ROOM >= STT_SOCKET_HINT_ROOM, "a hint of a socket fits");

/* -- numbers ----------------------------------------------------------------------------------- */

static void add_endpoint(const struct stt_node *node, struct stt_node_stats *out)
{
    struct stt_endpoint_stats e;
    stt_endpoint_stats(node->ep, &e);
    out->sessions = e.sessions;
    out->half_open = e.half_open;
    out->pending = e.pending;
    out->streams = e.streams;
    out->handshakes_started = e.handshakes_started;
    out->handshakes_answered = e.handshakes_answered;
    out->handshakes_confirmed = e.handshakes_confirmed;
    out->cookies_sent = e.cookies_sent;
    out->bytes_received = e.bytes_received;
    out->bytes_sent = e.bytes_sent;
    out->datagrams_received = e.datagrams_received;
    out->datagrams_sent = e.datagrams_sent;
#define X(name) out->dropped_##name = e.dropped_##name;
    STT_DROPS(X)
#undef X
}

static void add_driver(const struct stt_node *node, struct stt_node_stats *out)
{
    struct stt_driver_stats d;
    stt_driver_stats(node->driver, &d);
#define X(name, text) out->io_##name = d.name;
    STT_DRIVER_STATS(X)
#undef X
    out->io = stt_node_io(node);
}

static void add_sockets(const struct stt_node *node, struct stt_node_stats *out)
{
    const struct stt_places *p = &node->places;
    out->sockets = p->n;
    for (uint32_t i = 0; i < p->n; i++) {
        const uint64_t receive = p->at[i].receive_bytes / 2, send = p->at[i].send_bytes / 2;
        if (i == 0 || receive < out->socket_receive_bytes)
            out->socket_receive_bytes = receive;
        if (i == 0 || send < out->socket_send_bytes)
            out->socket_send_bytes = send;
    }
}

void stt_node_stats(const struct stt_node *node, struct stt_node_stats *out)
{
    *out = (struct stt_node_stats){.sessions = 0};
    add_endpoint(node, out);
    add_driver(node, out);
    add_sockets(node, out);
#define X(name, text) out->name = node->name;
    STT_NODE_COUNTS(X)
#undef X
}

bool stt_node_hint(const struct stt_node *node, char out[STT_NODE_HINT_ROOM])
{
    const struct stt_places *p = &node->places;
    for (uint32_t i = 0; i < p->n; i++) {
        const struct stt_socket s = {.receive_bytes = p->at[i].receive_bytes,
                                     .send_bytes = p->at[i].send_bytes};
        if (stt_socket_hint(&s, p->buffer_bytes, out))
            return true;
    }
    out[0] = 0;
    return false;
}

/* -- text -------------------------------------------------------------------------------------- */

enum kind { GAUGE, COUNTER, DROP };

static const struct row {
    enum kind kind;
    const char *name, *words;
    size_t at; /* in struct stt_node_stats */
} rows[] = {
#define X(kind, name, words) {kind, #name, words, offsetof(struct stt_node_stats, name)},
    STT_NODE_STATS(X)
#undef X
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* `len` goes on where the text no longer does. */
struct text {
    char *out;
    size_t room, len;
};

__attribute__((format(printf, 2, 3))) static void print(struct text *t, const char *format, ...)
{
    va_list args;
    const bool fits = t->len < t->room;
    va_start(args, format);
    const int n =
        vsnprintf(fits ? t->out + t->len : NULL, fits ? t->room - t->len : 0, format, args);
    va_end(args);
    t->len += n > 0 ? (size_t)n : 0;
}

static void print_head(struct text *t, const char *name, const char *type, const char *words)
{
    print(t, "# HELP %s %s\n# TYPE %s %s\n", name, words, name, type);
}

static uint64_t value_of(const struct stt_node_stats *stats, const struct row *row)
{
    uint64_t value;
    memcpy(&value, (const char *)stats + row->at, sizeof value);
    return value;
}

static void print_drop(struct text *t, const struct row *row, uint64_t value)
{
    if (row == rows || row[-1].kind != DROP)
        print_head(t, "stt_dropped_total", "counter", "datagrams and packets dropped, by reason");
    print(t, "stt_dropped_total{reason=\"%s\"} %llu\n", row->name + strlen("dropped_"),
          (unsigned long long)value);
}

static void print_row(struct text *t, const struct row *row, uint64_t value)
{
    char name[64];
    if (row->kind == DROP) {
        print_drop(t, row, value);
        return;
    }
    snprintf(name, sizeof name, "stt_%s%s", row->name, row->kind == COUNTER ? "_total" : "");
    print_head(t, name, row->kind == COUNTER ? "counter" : "gauge", row->words);
    print(t, "%s %llu\n", name, (unsigned long long)value);
}

size_t stt_node_metrics(const struct stt_node *node, char *out, size_t room)
{
    struct text t = {out, room, 0};
    struct stt_node_stats stats;
    stt_node_stats(node, &stats);
    print_head(&t, "stt_info", "gauge", "what carries the datagrams; always 1");
    print(&t, "stt_info{io=\"%s\"} 1\n", stats.io);
    for (size_t i = 0; i < ROWS; i++)
        print_row(&t, &rows[i], value_of(&stats, &rows[i]));
    return t.len;
}
