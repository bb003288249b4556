/* SPDX-License-Identifier: MIT
 * output_lines: iperf3's lines, with the round trip behind what iperf3 has, and below them what was
 * verified, what it cost and what limited it. Must not know how figures were measured. */
#include "tools/common/say.h"
#include "tools/sttbench/transfer/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RULE "- - - - - - - - - - - - - - - - - - - - - - - - -\n"

static struct {
    const struct flags *flags;
    bool has_heading;
} lines;

static void put_title(void)
{
    if (lines.flags->title)
        printf("%s:  ", lines.flags->title);
}

#define LINE(...) (put_title(), (void)printf(__VA_ARGS__))

/* -- numbers as iperf3 writes them ------------------------------------------------------------- */

enum { VALUE_ROOM = 32 };

static const char *scaled(char out[VALUE_ROOM], double value, double step, const char *unit)
{
    static const char prefixes[] = " KMGT";
    size_t i = 0;
    while (value >= step && i + 1 < sizeof prefixes - 1) {
        value /= step;
        i++;
    }
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    if (i)
        snprintf(out, VALUE_ROOM, "%4.*f %c%s", decimals, value, prefixes[i], unit);
    else
        snprintf(out, VALUE_ROOM, "%4.*f %s", decimals, value, unit);
    return out;
}

static const char *bytes_text(char out[VALUE_ROOM], uint64_t bytes)
{
    return scaled(out, (double)bytes, 1024, "Bytes");
}

static const char *rate_text(char out[VALUE_ROOM], uint64_t bytes, stt_ns time)
{
    return scaled(out, output_bits_per_s(bytes, time), 1000, "bits");
}

static const char *time_text(char out[VALUE_ROOM], uint64_t ns)
{
    double us = (double)ns * 1e-3;
    snprintf(out, VALUE_ROOM, us < 1000 ? "%4.0f us" : "%4.1f ms", us < 1000 ? us : us * 1e-3);
    return out;
}

/* -- the beginning ----------------------------------------------------------------------------- */

static void open_lines(const struct flags *flags)
{
    lines.flags = flags;
    setvbuf(stdout, NULL, _IOLBF, 0);
}

static void listening(const struct post *host, unsigned test)
{
    static const char rule[] = "-----------------------------------------------------------";
    LINE("%s\n", rule);
    LINE("Server listening on %u (test #%u)\n", lines.flags->port, test);
    if (test == 1) {
        LINE("Peer id %s\n", host->peer_id);
        LINE("%s\n", host->has_seed ? "Whoever has the seed of --seed-file is served"
                                    : "Anybody is served; with --seed-file only who has that seed");
    }
    LINE("%s\n", rule);
}

static void connecting(const struct flags *flags)
{
    LINE("Connecting to host %s, port %u\n", flags->host, flags->port);
}

static const char *role(const struct course *c, uint32_t lane)
{
    static const char *const roles[2][2] = {{"[RX-S]", "[TX-S]"}, {"[RX-C]", "[TX-C]"}};
    return c->test.flags & TALK_BIDIR ? roles[c->is_client][c->lanes[lane].sends] : "";
}

static bool any_sends(const struct course *c)
{
    return c->lanes[0].sends || c->lanes[c->n_lanes - 1].sends;
}

static void put_heading(const struct course *c, const char *more)
{
    LINE("[ ID]%s Interval           Transfer     Bitrate         %s\n",
         c->test.flags & TALK_BIDIR ? "[Role]" : "", any_sends(c) ? more : "");
}

static void begin(const struct course *c)
{
    struct output_ends ends;
    output_find_ends(&ends, c, c->control);
    if (!c->is_client)
        LINE("Accepted connection from %s, port %u\n", ends.remote, ends.remote_port);
    LINE("Suite %s, driver %s\n", ends.suite, stt_node_io(c->node));
    LINE("%s\n", post_proof(c->host));
    for (uint32_t i = 0; i < c->n_lanes; i++) {
        output_find_ends(&ends, c, c->lanes[i].session);
        LINE("[%3u]%s local %s port %u connected to %s port %u\n", i + 1, role(c, i), ends.local,
             ends.local_port, ends.remote, ends.remote_port);
    }
    lines.has_heading = false;
}

/* -- intervals --------------------------------------------------------------------------------- */

struct row {
    const char *id, *role, *note;
    stt_ns from, to;
    uint64_t bytes;
};

static void put_row(const struct row *r)
{
    char bytes[VALUE_ROOM], rate[VALUE_ROOM];
    LINE("[%3s]%s %6.2f-%-6.2f sec  %s  %s/sec", r->id, r->role, (double)r->from * 1e-9,
         (double)r->to * 1e-9, bytes_text(bytes, r->bytes),
         rate_text(rate, r->bytes, r->to - r->from));
}

static void put_moment(const struct course *c, const struct course_interval *interval,
                       uint32_t from, uint32_t to)
{
    char id[16] = "SUM", window[VALUE_ROOM], rtt[VALUE_ROOM];
    const char *omitted = interval->is_omitted ? "  (omitted)" : "";
    struct output_moment m;
    if (to == from + 1)
        snprintf(id, sizeof id, "%u", from + 1);
    output_look(&m, c, from, to);
    put_row(&(struct row){id, role(c, from), "", interval->from, interval->to, m.bytes});
    if (c->lanes[from].sends)
        printf("  %3" PRIu64 "   %s  %s%s\n", m.packets_lost, bytes_text(window, m.window_bytes),
               time_text(rtt, m.rtt_ns), omitted);
    else
        printf("                  %s\n", omitted);
}

static void interval(const struct course *c, const struct course_interval *interval)
{
    uint32_t streams = c->test.streams;
    if (!lines.has_heading)
        put_heading(c, "Retr  Cwnd         RTT");
    else if (c->n_lanes > 1)
        LINE(RULE);
    lines.has_heading = true;
    for (uint32_t i = 0; i < c->n_lanes; i++)
        put_moment(c, interval, i, i + 1);
    for (uint32_t from = 0; streams > 1 && from < c->n_lanes; from += streams)
        put_moment(c, interval, from, from + streams);
    fflush(stdout);
}

static const struct teller teller = {begin, interval};

/* -- the end ----------------------------------------------------------------------------------- */

static void put_sum(const struct course *c, uint32_t from, uint32_t to)
{
    char id[16] = "SUM";
    struct output_sum sum = {.lanes = 0};
    if (to == from + 1)
        snprintf(id, sizeof id, "%u", from + 1);
    output_add(&sum, c, from, to);
    if (sum.has_sent) {
        put_row(&(struct row){id, role(c, from), "", 0, sum.sent_ns, sum.sent_bytes});
        printf("  %3" PRIu64 "            sender\n", sum.sent.packets_lost);
    }
    if (sum.has_come) {
        put_row(&(struct row){id, role(c, from), "", 0, sum.came_ns, sum.came_bytes});
        printf("                  receiver\n");
    }
}

/* What is as wide as a column, in a sentence. */
static const char *trim(const char *text)
{
    return text + strspn(text, " ");
}

static void put_packets(const struct course *c)
{
    struct output_sum sum = {.lanes = 0};
    char rtt[3][VALUE_ROOM];
    output_add(&sum, c, 0, c->n_lanes);
    const struct talk_lane *s = &sum.sent;
    uint64_t drops = 0;
    if (c->side.socket_drops != UINT64_MAX)
        drops += c->side.socket_drops;
    if (c->has_other_side && c->other_side.socket_drops != UINT64_MAX)
        drops += c->other_side.socket_drops;
    LINE("Packets: %" PRIu64 " sent, %" PRIu64 " lost, %" PRIu64 " of these only late; %" PRIu64
         " dropped by the receivers' sockets; round trip %s (%s to %s)\n",
         s->packets_sent, s->packets_lost, s->packets_spurious, drops,
         trim(time_text(rtt[0], s->rtt_mean_ns)), trim(time_text(rtt[1], s->rtt_min_ns)),
         trim(time_text(rtt[2], s->rtt_max_ns)));
}

static void put_cpu(const struct course *c)
{
    struct side_cpu here = side_cpu(&c->side), there = side_cpu(&c->other_side);
    const char *us = c->is_client ? "client" : "server", *them = c->is_client ? "server" : "client";
    LINE("CPU: %s %.1f %% (user %.1f, system %.1f)", us, here.total, here.user, here.system);
    if (c->has_other_side)
        printf(", %s %.1f %% (user %.1f, system %.1f)", them, there.total, there.user,
               there.system);
    putchar('\n');
}

static void put_limits(const struct course *c)
{
    char sentence[DIAGNOSIS_ROOM];
    enum diagnosis_limit limit;
    bool is_bidir = c->test.flags & TALK_BIDIR;
    for (int ours = 1; ours >= 0; ours--)
        if (course_diagnose(c, ours, sentence, &limit))
            LINE("%s%s\n", !is_bidir ? "" : ours ? "Sending: " : "Receiving: ", sentence);
}

static void end(const struct course *c, const char *error)
{
    char clean[OPTION_WHY_ROOM];
    bool is_wrong = error && c && c->has_heard_done; /* it arrived, and is not what was sent */
    if (c && !is_wrong) {
        uint32_t streams = c->test.streams;
        LINE(RULE);
        put_heading(c, "Retr");
        for (uint32_t i = 0; i < c->n_lanes; i++)
            put_sum(c, i, i + 1);
        for (uint32_t from = 0; streams > 1 && from < c->n_lanes; from += streams)
            put_sum(c, from, from + streams);
        LINE("\n");
        put_packets(c);
        put_cpu(c);
        if (!error)
            LINE("%s\n", c->test.flags & TALK_VERIFY
                             ? "Verified: the hash of what came is that of what was sent."
                             : "Not verified (--no-verify).");
        put_limits(c);
    }
    fflush(stdout);
    if (error)
        say_error("%s", say_clean(error, clean, sizeof clean));
}

const struct output output_lines = {open_lines, listening, connecting, &teller, end};
