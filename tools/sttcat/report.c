/* SPDX-License-Identifier: MIT
 * report: numbers for people and for programs. Whoever is not asked for says nothing: without a
 * terminal and without --progress there is no line, without --json no object. Files are new ones,
 * for their owner alone. Must not change what it tells of. */
#include "tools/sttcat/report.h"

#include "stt/env.h"
#include "stt/keylog.h"
#include "stt/qlog.h"
#include "tools/common/say.h"
#include "tools/common/units.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EACH_NS STT_MS(100)

static struct {
    FILE *trace, *keys;
    struct stt_qlog qlog;
    bool has_head;
    stt_ns next_at, last_at;
    uint64_t last_bytes;
    double rate; /* bytes per second, smoothed */
} report;

/* -- trace and keys ------------------------------------------------------------------------------
 */

static FILE *create(const char *path, int *exits, char *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        return fdopen(fd, "w");
    *exits = errno == EEXIST ? EXIT_EXISTS : EXIT_LOCAL_IO;
    if (errno == EEXIST)
        snprintf(why, OPTION_WHY_ROOM, "%.200s exists, and is not overwritten; choose another name",
                 path);
    else
        snprintf(why, OPTION_WHY_ROOM, "%.200s cannot be made: %s", path, strerror(errno));
    return NULL;
}

static void on_event(void *ctx, const struct stt_trace_event *event)
{
    char record[STT_QLOG_RECORD_ROOM];
    uint64_t place = 0;
    (void)ctx;
    if (!report.has_head) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        report.qlog.start = event->at;
        report.qlog.start_unix_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
        fwrite(record, 1, stt_qlog_head(&report.qlog, record), report.trace);
        report.has_head = true;
    }
    for (size_t n; (n = stt_qlog_record(&report.qlog, event, &place, record));)
        fwrite(record, 1, n, report.trace);
}

static void on_key(void *ctx, const struct stt_key_log *key)
{
    char line[STT_KEY_LOG_LINE_ROOM];
    (void)ctx;
    fwrite(line, 1, stt_key_log_line(key, line), report.keys);
    fflush(report.keys); /* whoever watches wants them now */
    stt_env_wipe(line, sizeof line);
}

bool report_open(const struct plan *plan, struct stt_node_config *config, int *exits,
                 char why[OPTION_WHY_ROOM])
{
    const struct plan_flags *f = &plan->flags;
    report.qlog.title = "sttcat";
    report.qlog.side = f->listen ? STT_QLOG_SERVER : STT_QLOG_CLIENT;
    if (f->trace) {
        if (!(report.trace = create(f->trace, exits, why)))
            return false;
        config->trace = on_event;
    }
    if (f->keylog) {
        if (!(report.keys = create(f->keylog, exits, why)))
            return false;
        setvbuf(report.keys, NULL, _IOFBF, 0);
        config->key_log = on_key;
    }
    return true;
}

static bool close_file(FILE **f)
{
    bool is_fine = !*f || (!ferror(*f) && fclose(*f) == 0);
    *f = NULL;
    return is_fine;
}

bool report_close(void)
{
    say_progress("");
    bool trace = close_file(&report.trace);
    return close_file(&report.keys) && trace;
}

/* -- progress ------------------------------------------------------------------------------------
 */

static void measure(stt_ns now, uint64_t bytes)
{
    if (now <= report.last_at || bytes < report.last_bytes)
        report.last_bytes = bytes;
    if (report.last_at && now > report.last_at) {
        double rate = (double)(bytes - report.last_bytes) * 1e9 / (double)(now - report.last_at);
        report.rate = report.rate > 0 ? report.rate * 0.7 + rate * 0.3 : rate;
    }
    report.last_at = now;
    report.last_bytes = bytes;
}

/* "1.20 GiB  3.1 Gbit/s  rtt 0.42 ms  loss 0.0 %  0:12 left" */
static void show_line(const struct tally *c, const struct stt_session_stats *s)
{
    char line[200], size[UNITS_ROOM], rate[UNITS_ROOM], rtt[UNITS_ROOM], left[UNITS_ROOM + 8] = "";
    char total[UNITS_ROOM + 8] = "";
    uint64_t bytes = c->given + c->taken;
    double loss = s->packets_sent ? 100.0 * (double)s->packets_lost / (double)s->packets_sent : 0;
    if (c->expected > bytes && report.rate > 1) {
        char clock[UNITS_ROOM];
        double seconds = (double)(c->expected - bytes) / report.rate;
        snprintf(left, sizeof left, "  %s left",
                 units_clock(clock, seconds < 1e6 ? (stt_ns)(seconds * 1e9) : STT_S(1000000)));
    }
    if (c->expected >= bytes && c->expected) {
        char room[UNITS_ROOM];
        snprintf(total, sizeof total, " of %s", units_size(room, c->expected));
    }
    snprintf(line, sizeof line, "%s%s  %s  rtt %s  loss %.1f %%%s", units_size(size, bytes), total,
             units_rate(rate, (uint64_t)(report.rate * 8)), units_time(rtt, s->rtt_ns), loss, left);
    say_progress(line);
}

static void tell(const struct tally *c, const struct stt_session_stats *s)
{
    struct say_object o;
    say_object_begin(&o, "progress");
    say_object_number(&o, "given_bytes", c->given);
    say_object_number(&o, "taken_bytes", c->taken);
    if (c->expected)
        say_object_number(&o, "expected_bytes", c->expected);
    say_object_number(&o, "rate_bits_per_second", (uint64_t)(report.rate * 8));
    say_object_number(&o, "rtt_ns", s->rtt_ns);
    say_object_number(&o, "packets_lost", s->packets_lost);
    say_object_end(&o);
}

static bool is_wanted(const struct plan *plan)
{
    const struct plan_flags *f = &plan->flags;
    if (f->progress)
        return say_is_terminal() || f->json;
    bool is_chat = plan->job == JOB_PIPE && (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO));
    return !f->quiet && !f->json && say_is_terminal() && !is_chat && plan->job != JOB_FORWARD;
}

void report_progress(struct loop *loop, const struct plan *plan, const struct peer *p)
{
    static int wanted = -1;
    struct stt_session_stats s;
    wanted = wanted < 0 ? is_wanted(plan) : wanted;
    if (!wanted || !p || stt_session_stats(p->ep, loop->now, p->session, &s))
        return;
    const struct tally *c = peer_tally(p);
    if (c->began_at && loop->now >= report.next_at) {
        measure(loop->now, c->given + c->taken);
        if (plan->flags.json)
            tell(c, &s);
        else
            show_line(c, &s);
        report.next_at = loop->now + EACH_NS;
    }
    loop_wake_at(loop, report.next_at > loop->now ? report.next_at : loop->now + EACH_NS);
}

/* -- events --------------------------------------------------------------------------------------
 */

static const char *mode_name(enum stt_mode mode)
{
    return mode == STT_MODE_K ? "K" : mode == STT_MODE_S ? "S" : "W";
}

void report_connected(const struct peer *p)
{
    struct stt_session_info info;
    char id[STT_PEER_ID_TEXT_ROOM], at[STT_ADDRESS_TEXT_ROOM], rtt[UNITS_ROOM];
    struct say_object o;
    if (stt_session_info(p->ep, p->session, &info))
        return;
    stt_peer_id_encode(&info.peer, id);
    stt_address_text(&info.path.remote, at);
    say_object_begin(&o, "connected");
    say_object_text(&o, "address", at);
    say_object_text(&o, "peer_id", id);
    say_object_text(&o, "mode", mode_name(info.mode));
    say_object_text(&o, "suite", info.suite);
    say_object_bool(&o, "initiator", info.initiator);
    if (info.rtt_ns)
        say_object_number(&o, "rtt_ns", info.rtt_ns);
    say_object_end(&o);
    if (!say_is_json()) /* who was called has not measured it yet */
        say_note(1, "connected to %s, peer %s, mode %s, %s%s%s", at, id, mode_name(info.mode),
                 info.suite, info.rtt_ns ? ", rtt " : "",
                 info.rtt_ns ? units_time(rtt, info.rtt_ns) : "");
}

static void say_stat(const char *name, const char *words, uint64_t value)
{
    char text[UNITS_ROOM];
    size_t len = strlen(name);
    if (len > 3 && strcmp(name + len - 3, "_ns") == 0)
        say_line("%-40s %s", words, units_time(text, value));
    else
        say_line("%-40s %" PRIu64, words, value);
}

static void say_stats(const struct stt_session_stats *s)
{
    struct say_object o;
    say_object_begin(&o, "stats");
#define X(name, words)                                                                             \
    say_object_number(&o, #name, s->name);                                                         \
    say_stat(#name, words, s->name);
    STT_SESSION_STATS(X)
#undef X
    say_object_end(&o);
}

/* "1.00 GiB (3f0c...)" */
static const char *amount(char *out, size_t room, uint64_t bytes, const char *hash)
{
    char size[UNITS_ROOM];
    bool has_hash = *hash && bytes > 0;
    snprintf(out, room, "%s%s%s%s", units_size(size, bytes), has_hash ? " (" : "",
             has_hash ? hash : "", has_hash ? ")" : "");
    return out;
}

static void say_amounts(const struct tally *c, stt_ns took, uint64_t bits)
{
    char given[80], taken[80], rate[UNITS_ROOM], time[UNITS_ROOM];
    bool says_rate = took >= STT_MS(1);
    say_note(1, "given %s, taken %s%s%s%s%s", amount(given, sizeof given, c->given, c->given_hash),
             amount(taken, sizeof taken, c->taken, c->taken_hash), says_rate ? ", in " : "",
             says_rate ? units_time(time, took) : "", says_rate ? ": " : "",
             says_rate ? units_rate(rate, bits) : "");
}

void report_end(const struct peer *p)
{
    const struct tally *c = peer_tally(p);
    struct stt_session_stats s;
    struct say_object o;
    /* What came and went at once took no time that could be told, and had no rate. */
    stt_ns took = c->began_at ? c->moved_at - c->began_at : 0;
    uint64_t most = c->given > c->taken ? c->given : c->taken;
    uint64_t bits = took ? (uint64_t)((double)most * 8e9 / (double)took) : 0;
    say_progress("");
    say_object_begin(&o, "end");
    say_object_number(&o, "exit", (uint64_t)peer_result(p));
    say_object_number(&o, "given_bytes", c->given);
    say_object_number(&o, "taken_bytes", c->taken);
    if (*c->given_hash)
        say_object_text(&o, "given_hash", c->given_hash);
    if (*c->taken_hash)
        say_object_text(&o, "taken_hash", c->taken_hash);
    say_object_number(&o, "time_ns", took);
    say_object_number(&o, "goodput_bits_per_second", peer_result(p) ? 0 : bits);
    say_object_end(&o);
    if (!say_is_json() && !peer_result(p) && !peer_only_looked(p) && p->plan->job != JOB_FORWARD)
        say_amounts(c, took, bits);
    if (p->plan->flags.stats && peer_stats(p, &s))
        say_stats(&s);
}
