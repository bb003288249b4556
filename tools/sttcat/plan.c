/* SPDX-License-Identifier: MIT
 * plan: the table of sttcat's options, and what they mean together. What cannot be meant is refused
 * here, in one sentence, before anything is opened. Must not touch the network or a secret. */
#include "tools/sttcat/plan.h"

#include "stt/error.h"
#include "tools/common/units.h"
#include "tools/sttcat/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field)               .offset = offsetof(struct plan_flags, field)
#define FLAG(field)             OPTION_FLAG, AT(field)
#define TEXT(field, name)       OPTION_TEXT, AT(field), .value = name
#define TEXTS(field, name)      OPTION_TEXTS, AT(field), .value = name
#define DURATION(field)         OPTION_DURATION, AT(field), .value = "DUR"
#define NUMBER(field, low, top) OPTION_NUMBER, AT(field), .min = (low), .max = (top), .value = "N"
#define CHOICE(field, list)     OPTION_CHOICE, AT(field), .choices = (list), .value = "NAME"

/* clang-format off */
static const struct option options[] = {
    {"listen", 'l', 0, FLAG(listen), .help = "wait for a peer; the words are then [ADDR] PORT"},
    {"keep-open", 'k', 0, FLAG(keep_open), .help = "serve many peers, until it is interrupted"},
    {"ipv4", '4', 1, FLAG(ipv4), .help = "IPv4 only"},
    {"ipv6", '6', 1, FLAG(ipv6), .help = "IPv6 only"},
    {"numeric", 'n', 1, FLAG(numeric), .help = "names are not looked up"},
    {"verbose", 'v', 0, OPTION_COUNT, AT(verbose), .help = "say more: who is there, what moved, how fast"},
    {"scan", 'z', 0, FLAG(scan), .help = "shake hands, say who answered, and leave"},
    {"no-stdin", 'N', 0, FLAG(no_stdin), .help = "standard input is not read"},
    {"send-only", 0, 0, FLAG(send_only), .help = "nothing is taken from the peer"},
    {"recv-only", 0, 0, FLAG(recv_only), .help = "nothing is given to the peer"},
    {"connect-timeout", 'w', 1, DURATION(connect_timeout), .help = "give up connecting after this (10s)"},
    {"idle-timeout", 'i', 1, DURATION(idle_timeout), .help = "end when no byte has moved for so long (never)"},
    {"source", 's', 0, TEXT(source, "ADDR"), .help = "connect from this address; with -l: listen at it"},
    {"source-port", 'p', 0, TEXT(source_port, "PORT"), .help = "connect from this port; with -l: listen at it"},
    {"identity", 'I', 1, TEXT(identity, "FILE"), .help = "who we are (~/.config/stt/identity, or a throwaway)"},
    {"peer", 0, 0, TEXT(peer, "PEERID"), .help = "connect to this peer and no other (mode K)"},
    {"ticket-file", 0, 0, TEXT(ticket_file, "FILE"), .help = "a ticket, in place of HOST PORT"},
    {"seed-file", 0, 1, TEXT(seed_file, "FILE"), .help = "a seed that both sides have (mode S); or STT_SEED"},
    {"seed-fd", 0, 0, TEXT(seed_fd, "N"), .help = "the same, read from a descriptor"},
    {"code", 0, 0, FLAG(code), .help = "a code that people can say (mode W): asked for, or STT_CODE"},
    {"code-fd", 0, 0, TEXT(code_fd, "N"), .help = "the same, read from a descriptor"},
    {"allow", 0, 0, TEXTS(allow, "PEERID"), .help = "answer only these peers; may be repeated"},
    {"allow-file", 0, 1, TEXT(allow_file, "FILE"), .help = "the same, one a line"},
    {"forget", 0, 0, TEXT(forget, "NAME"), .help = "forget who answered at HOST:PORT, and exit"},
    {"send", 0, 0, OPTION_WORDS, AT(send), .value = "PATH...", .help = "send files and directories"},
    {"recv", 0, 0, TEXT(recv, "DIR"), .help = "receive them below DIR; goes on where it was interrupted"},
    {"exec", 0, 0, TEXT(exec, "CMD"), .help = "the peer's bytes go to a command, and its output back"},
    {"forward", 'L', 0, TEXTS(forward, "[ADDR:]PORT:HOST:PORT"), .help = "forward connections; unix:PATH is a place, too"},
    {"permit", 0, 0, TEXTS(permit, "TARGET"), .help = "with -l: where the peer may forward to; HOST:PORT, HOST:*, unix:PATH, any"},
    {"streams", 0, 1, NUMBER(streams, 1, WIRE_LANES_MAX), .help = "with --send: over so many streams at once (1)"},
    {"preset", 0, 1, CHOICE(preset, "balanced low-latency high-throughput"), .help = "balanced, low-latency or high-throughput"},
    {"cc", 0, 1, CHOICE(congestion, "tide cubic bbr"), .help = "congestion control: tide, cubic or bbr (tide)"},
    {"rate", 0, 1, OPTION_RATE, AT(rate), .value = "BITS", .help = "give at most so many bits per second; K, M, G"},
    {"mtu", 0, 1, NUMBER(mtu, 1280, 65535), .help = "no packet larger than this (1500)"},
    {"dscp", 0, 1, TEXT(dscp, "NAME"), .help = "mark packets: ef, cs1, af41, le, or a number"},
    {"io", 0, 1, CHOICE(io, "uring mmsg"), .help = "uring or mmsg"},
    {"keep-alive", 0, 1, DURATION(keep_alive), .help = "a sign of life in silence (10s)"},
    {"timeout", 0, 1, DURATION(timeout), .help = "without a sign from the peer it is gone (30s)"},
    {"progress", 0, 1, FLAG(progress), .help = "show progress, also where it is not usual"},
    {"quiet", 'q', 1, FLAG(quiet), .help = "say nothing but errors"},
    {"json", 0, 0, FLAG(json), .help = "events on standard error, one object a line"},
    {"stats", 0, 1, FLAG(stats), .help = "all numbers of the session at its end"},
    {"trace", 0, 0, TEXT(trace, "FILE"), .help = "what happens, as qlog"},
    {"keylog", 0, 0, TEXT(keylog, "FILE"), .help = "the keys: who has them reads everything"},
    {"raw", 0, 0, FLAG(raw), .help = "one plain stream, for peers that are not sttcat"},
    {"application", 0, 0, TEXT(application, "NAME"), .help = "with --raw: what the peer speaks"},
};
/* clang-format on */

/* -- what does not go together ------------------------------------------------------------------
 */

static bool needs(struct option_set *set, const char *a, const char *b, bool has_b, char *why)
{
    return !options_is_set(set, a) || has_b ||
           options_refuse(why, "--%s makes sense only with %s", a, b);
}

static bool check_pairs(struct option_set *set, char *why)
{
    static const char *const pairs[][2] = {
        {"ipv4", "ipv6"},          {"send", "recv"},        {"send", "exec"},
        {"recv", "exec"},          {"listen", "scan"},      {"listen", "forward"},
        {"listen", "peer"},        {"quiet", "progress"},   {"send-only", "recv-only"},
        {"send-only", "no-stdin"}, {"peer", "code"},        {"raw", "send"},
        {"raw", "recv"},           {"raw", "forward"},      {"raw", "permit"},
        {"raw", "exec"},           {"code", "seed-file"},   {"code", "code-fd"},
        {"seed-file", "seed-fd"},  {"exec", "forward"},     {"exec", "permit"},
        {"send", "forward"},       {"recv", "forward"},     {"send", "permit"},
        {"recv", "permit"},        {"exec", "no-stdin"},    {"ticket-file", "peer"},
        {"ticket-file", "listen"}, {"ticket-file", "code"}, {"seed-fd", "code"},
        {"seed-fd", "code-fd"},    {"raw", "streams"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (options_is_set(set, pairs[i][0]) && options_is_set(set, pairs[i][1]))
            return options_refuse(why, "--%s and --%s do not go together", pairs[i][0],
                                  pairs[i][1]);
    bool listens = options_is_set(set, "listen");
    return needs(set, "keep-open", "-l", listens, why) &&
           needs(set, "permit", "-l", listens, why) && needs(set, "allow", "-l", listens, why) &&
           needs(set, "allow-file", "-l", listens, why) &&
           needs(set, "application", "--raw", options_is_set(set, "raw"), why);
}

/* -- where to -----------------------------------------------------------------------------------
 */

static bool is_port(const char *text)
{
    uint32_t port;
    return units_parse_number(&port, text, 1, 65535);
}

static bool is_ticket(const char *text)
{
    return stt_text_kind_of(text) == STT_TEXT_TICKET;
}

/* "::1" and a port become "[::1]:port". */
static bool join(char *out, size_t room, const char *host, const char *port, char *why)
{
    bool is_bare = strchr(host, ':') && host[0] != '[';
    int len = snprintf(out, room, is_bare ? "[%s]:%s" : "%s:%s", host, port);
    return (len > 0 && (size_t)len < room) || options_refuse(why, "'%.60s...' is too long", host);
}

static bool is_numeric(const char *host)
{
    struct stt_address address;
    char text[80];
    int len = snprintf(text, sizeof text, strchr(host, ':') ? "[%s]:1" : "%s:1", host);
    return (size_t)len < sizeof text && stt_address_parse(&address, text) == STT_OK;
}

/* `sttcat --send a b HOST PORT`: the last of what --send has taken is where to. Where a listener
 * has an address, too, it is a number. */
static void give_back(struct option_texts *words, struct option_texts *paths, bool listens)
{
    uint32_t n = 0;
    if (words->n > 0 || paths->n < 2)
        return;
    if (!listens && is_ticket(paths->at[paths->n - 1]))
        n = 1;
    else if (is_port(paths->at[paths->n - 1]))
        n = listens && !is_numeric(paths->at[paths->n - 2]) ? 1 : 2;
    if (n == 0 || paths->n <= n)
        return;
    paths->n -= n;
    words->at = paths->at + paths->n;
    words->n = n;
}

/* Some netcats want -p in front of the port, and -s in front of the address: both are heard. */
static bool read_listen(struct plan *plan, const struct option_texts *words, char *why)
{
    const struct plan_flags *f = &plan->flags;
    const char *host = f->source ? f->source : f->ipv4 ? "0.0.0.0" : f->ipv6 ? "::" : NULL;
    const char *text = f->source_port;
    uint32_t port, n_ports = text ? 0 : 1;
    if (words->n < n_ports || words->n > n_ports + 1)
        return options_refuse(why,
                              "to listen takes a port, or an address and a port: sttcat -l 4433");
    if (!text)
        text = words->at[words->n - 1];
    if (words->n > n_ports)
        host = words->at[0];
    plan->at = plan->at_room;
    bool has_host = !host && n_ports && strchr(text, ':'); /* in one word */
    if (!has_host && !units_parse_number(&port, text, 0, 65535))
        return options_refuse(why, "'%.60s' is not a port, which is 0 to 65535", text);
    if (host)
        return join(plan->at_room, sizeof plan->at_room, host, text, why);
    snprintf(plan->at_room, sizeof plan->at_room, "%s", text);
    return true;
}

static bool read_connect(struct plan *plan, const struct option_texts *words, char *why)
{
    plan->to = plan->to_room;
    if (plan->flags.ticket_file) {
        snprintf(plan->to_room, sizeof plan->to_room, "%.250s", plan->flags.ticket_file);
        return words->n == 0 ||
               options_refuse(why, "--ticket-file says where to; leave HOST PORT away");
    }
    if (words->n == 1 && (is_ticket(words->at[0]) || strrchr(words->at[0], ':'))) {
        snprintf(plan->to_room, sizeof plan->to_room, "%s", words->at[0]);
        return strlen(words->at[0]) < sizeof plan->to_room ||
               options_refuse(why, "that is too long");
    }
    if (words->n != 2)
        return options_refuse(
            why, "to connect takes a host and a port: sttcat host.example 4433; to wait "
                 "for a peer: sttcat -l 4433");
    if (!is_port(words->at[1]))
        return options_refuse(why, "'%.60s' is not a port, which is 1 to 65535", words->at[1]);
    return join(plan->to_room, sizeof plan->to_room, words->at[0], words->at[1], why);
}

static bool check_numeric(const struct plan *plan, char *why)
{
    struct stt_address address;
    if (!plan->flags.numeric || !plan->to || is_ticket(plan->to) || plan->flags.ticket_file ||
        stt_address_parse(&address, plan->to) == STT_OK)
        return true;
    return options_refuse(why, "'%.100s' is not a numeric address, and -n forbids to look names up",
                          plan->to);
}

/* -- the rest ------------------------------------------------------------------------------------
 */

static bool read_dscp(struct plan *plan, char *why)
{
    const char *text = plan->flags.dscp;
    return !text || units_parse_dscp(&plan->dscp, text) ||
           options_refuse(
               why,
               "--dscp wants ef, cs1 to cs7, af11 to af43, le or a number to 63, and got '%.40s'",
               text);
}

static bool check_targets(const struct plan_flags *f, char *why)
{
    for (uint32_t i = 0; i < f->forward.n; i++)
        if (!target_check_forward(f->forward.at[i], why))
            return false;
    for (uint32_t i = 0; i < f->permit.n; i++)
        if (!target_check_permit(f->permit.at[i], why))
            return false;
    return true;
}

static void read_job(struct plan *plan)
{
    const struct plan_flags *f = &plan->flags;
    bool files = f->send.n > 0 || f->recv;
    plan->job = files ? JOB_FILES : f->forward.n || f->permit.n ? JOB_FORWARD : JOB_PIPE;
    plan->gives = files ? f->send.n > 0 : plan->job == JOB_PIPE && !f->no_stdin && !f->recv_only;
    plan->takes = files ? f->recv != NULL : plan->job == JOB_PIPE && !f->send_only;
    plan->lanes = files && f->streams ? f->streams : 1;
}

/* As the library wants them. */
static bool check_times(const struct plan_flags *f, char *why)
{
    const struct {
        const char *name, *wanted;
        stt_ns value, min, max;
    } times[] = {
        {"connect-timeout", "100ms to 1m", f->connect_timeout, STT_MS(100), STT_S(60)},
        {"keep-alive", "50ms or more", f->keep_alive, STT_MS(50), STT_NEVER},
        {"timeout", "1s to 1h", f->timeout, STT_S(1), STT_S(3600)},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (times[i].value && (times[i].value < times[i].min || times[i].value > times[i].max))
            return options_refuse(why, "--%s wants %s", times[i].name, times[i].wanted);
    return true;
}

static bool check_values(const struct plan *plan, char *why)
{
    const struct plan_flags *f = &plan->flags;
    struct stt_peer_id id;
    if (f->peer && stt_peer_id_decode(&id, f->peer))
        return options_refuse(
            why, "--peer wants a peer id, which begins with stt1, and got '%.80s'", f->peer);
    for (uint32_t i = 0; i < f->allow.n; i++)
        if (stt_peer_id_decode(&id, f->allow.at[i]))
            return options_refuse(
                why, "--allow wants a peer id, which begins with stt1, and got '%.80s'",
                f->allow.at[i]);
    if (f->application && (strlen(f->application) > STT_APPLICATION_MAX))
        return options_refuse(why, "--application wants at most %d characters",
                              STT_APPLICATION_MAX);
    return check_times(f, why);
}

bool plan_read(struct plan *plan, int argc, char **argv, bool *is_over, char why[OPTION_WHY_ROOM])
{
    struct plan_flags *f = &plan->flags;
    struct option_set set = {
        .program = "sttcat",
        .usage = "[OPTION...] HOST PORT | TICKET\n       sttcat -l [OPTION...] [ADDR] PORT",
        .about = "Pipes bytes between two machines: encrypted, over UDP, and checked at both ends.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = f,
    };
    *plan = (struct plan){.lanes = 1};
    bool is_fine = options_read_arguments(&set, argc, argv, is_over, why);
    plan->words = set.words;
    if (!is_fine || *is_over)
        return is_fine;
    if (!check_pairs(&set, why))
        return false;
    bool wants_code = f->code || f->code_fd;
    if (!options_read_environment(&set, why) || !options_read_file(&set, NULL, why))
        return false;
    if (wants_code)
        f->seed_file = NULL; /* a flag wins over the seed of a setting */
    read_job(plan);
    if (f->forget)
        return true;
    if (!f->listen || !f->source_port)
        give_back(&plan->words, &f->send, f->listen);
    return (f->listen ? read_listen(plan, &plan->words, why)
                      : read_connect(plan, &plan->words, why)) &&
           check_numeric(plan, why) && read_dscp(plan, why) && check_targets(f, why) &&
           check_values(plan, why);
}
