/* SPDX-License-Identifier: MIT
 * flags: the table of options of sttbench -s and -c, which are iperf3's where iperf3 has them, and
 * what they mean together. Must not touch the network or a secret. */
#include "tools/sttbench/transfer/flags.h"

#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/identity.h"
#include "tools/common/say.h"
#include "tools/common/units.h"

#include <stdio.h>
#include <string.h>

#define AT(field)               .offset = offsetof(struct flags, field)
#define FLAG(field)             OPTION_FLAG, AT(field)
#define TEXT(field, name)       OPTION_TEXT, AT(field), .value = name
#define DURATION(field)         OPTION_DURATION, AT(field), .value = "TIME"
#define SIZE(field)             OPTION_SIZE, AT(field), .value = "SIZE"
#define NUMBER(field, low, top) OPTION_NUMBER, AT(field), .min = (low), .max = (top), .value = "N"
#define CHOICE(field, list)     OPTION_CHOICE, AT(field), .choices = (list), .value = "NAME"

/* clang-format off */
static const struct option options[] = {
    {"server", 's', 0, FLAG(is_server), .help = "wait for clients, and serve one test at a time"},
    {"client", 'c', 0, TEXT(host, "HOST"), .help = "measure to this server"},
    {"port", 'p', 0, NUMBER(port, 1, 65535), .help = "of the server (5201)"},
    {"bind", 'B', 0, TEXT(bind, "ADDR"), .help = "with -s: listen at this address; with -c: come from it"},
    {"ipv4", '4', 1, FLAG(ipv4), .help = "IPv4 only"},
    {"ipv6", '6', 1, FLAG(ipv6), .help = "IPv6 only"},
    {"time", 't', 0, DURATION(duration), .help = "send for so long (10s)"},
    {"bytes", 'n', 0, SIZE(bytes), .help = "send so much, in place of -t"},
    {"interval", 'i', 0, DURATION(interval), .help = "report so often (1s); 0: only at the end"},
    {"omit", 'O', 0, DURATION(omit), .help = "leave the first seconds out of the result"},
    {"parallel", 'P', 0, NUMBER(streams, 1, TALK_STREAMS_MAX), .help = "so many sessions at once (1)"},
    {"reverse", 'R', 0, FLAG(reverse), .help = "the server sends, the client receives"},
    {"bidir", 0, 0, FLAG(bidir), .help = "both send"},
    {"length", 'l', 0, SIZE(block), .help = "write so much at once (128K)"},
    {"bitrate", 'b', 0, OPTION_RATE, AT(rate), .value = "BITS", .help = "of each session, bits per second; K, M, G (unlimited)"},
    {"no-verify", 0, 0, FLAG(no_verify), .help = "payload is not hashed; only its length is compared"},
    {"window", 'w', 0, SIZE(window), .help = "buffers for the data of a session, on this side"},
    {"socket-buffer", 0, 0, SIZE(socket_buffer), .help = "buffers that are asked of the kernel (4M)"},
    {"affinity", 'A', 0, NUMBER(affinity, 0, 1023), .help = "run on this processor"},
    {"json", 'J', 0, FLAG(json), .help = "one JSON object on standard output"},
    {"json-stream", 0, 0, FLAG(json_stream), .help = "the same as one object a line, while it runs"},
    {"plot", 0, 0, TEXT(plot, "FILE"), .help = "with -c: a picture of it; FILE.svg or FILE.html"},
    {"title", 'T', 0, TEXT(title, "TEXT"), .help = "stands before each line, and in JSON"},
    {"logfile", 0, 0, TEXT(logfile, "FILE"), .help = "standard output goes there"},
    {"one-off", '1', 0, FLAG(one_off), .help = "with -s: serve one client, and exit"},
    {"daemon", 'D', 0, FLAG(daemon), .help = "with -s: in the background"},
    {"pidfile", 0, 0, TEXT(pidfile, "FILE"), .help = "with -s: the process's number goes there"},
    {"peer", 0, 0, TEXT(peer, "PEERID"), .help = "with -c: only this server (mode K)"},
    {"seed-file", 0, 1, TEXT(seed_file, "FILE"), .help = "a seed that both sides have; or STT_SEED"},
    {"identity", 'I', 1, TEXT(identity, "FILE"), .help = "who we are (a throwaway; -s: ~/.config/stt/identity if it is there)"},
    {"suite", 0, 0, CHOICE(suite, BENCH_SUITES), .help = "the cipher suite (the best that both sides have)"},
    {"preset", 0, 1, CHOICE(preset, "balanced low-latency high-throughput"), .help = "balanced, low-latency or high-throughput (balanced)"},
    {"cc", 'C', 1, CHOICE(congestion, "tide cubic bbr"), .help = "congestion control: tide, cubic or bbr (tide)"},
    {"mtu", 0, 1, OPTION_NUMBER, AT(mtu), .min = 1280, .max = 65535, .value = "BYTES", .help = "no IP packet larger than this (1500)"},
    {"dscp", 0, 1, TEXT(dscp_name, "NAME"), .help = "mark packets: ef, cs1, af41, le, or a number"},
    {"io", 0, 1, CHOICE(io, "uring mmsg"), .help = "the driver (uring if allowed)"},
    {"connect-timeout", 0, 1, DURATION(connect_timeout), .help = "give up connecting after this (10s)"},
    {"timeout", 0, 1, DURATION(timeout), .help = "without a sign from the other side it is gone (30s)"},
};
/* clang-format on */

/* -- what cannot be meant ---------------------------------------------------------------------- */

static bool check_role(const struct option_set *set, const struct flags *f, char *why)
{
    static const char *const of_server[] = {"one-off", "daemon", "pidfile"};
    static const char *const of_client[] = {"time",      "bytes", "omit",   "parallel",
                                            "reverse",   "bidir", "length", "bitrate",
                                            "no-verify", "peer",  "plot"};
    if (f->is_server == (f->host != NULL))
        return options_refuse(why,
                              "say either -s, or -c HOST, or one of the verbs; %s -h lists "
                              "them",
                              set->program);
    if (set->words.n)
        return options_refuse(why, "'%.60s' is no verb, and means nothing here", set->words.at[0]);
    for (size_t i = 0; !f->is_server && i < sizeof of_server / sizeof of_server[0]; i++)
        if (options_is_set(set, of_server[i]))
            return options_refuse(why, "--%s makes sense only with -s", of_server[i]);
    for (size_t i = 0; f->is_server && i < sizeof of_client / sizeof of_client[0]; i++)
        if (options_is_set(set, of_client[i]))
            return options_refuse(why, "--%s makes sense only with -c", of_client[i]);
    return true;
}

static bool check_pairs(const struct option_set *set, char *why)
{
    static const char *const pairs[][2] = {
        {"ipv4", "ipv6"}, {"reverse", "bidir"}, {"time", "bytes"}, {"json", "json-stream"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (options_is_set(set, pairs[i][0]) && options_is_set(set, pairs[i][1]))
            return options_refuse(why, "--%s and --%s do not go together", pairs[i][0],
                                  pairs[i][1]);
    return true;
}

static bool check_ranges(const struct option_set *set, const struct flags *f, char *why)
{
    const struct {
        const char *name, *wanted;
        uint64_t value, min, max;
    } rows[] = {
        {"time", "0.1 s to 24 h", f->duration, TALK_DURATION_MIN_NS, TALK_DURATION_MAX_NS},
        {"omit", "at most 10 minutes", f->omit, 0, TALK_OMIT_MAX_NS},
        {"bytes", "1 byte to 1 PiB", f->bytes, 1, TALK_BYTES_MAX},
        {"length", "1 byte to 1 MiB", f->block, 1, TALK_BLOCK_MAX},
        {"bitrate", "at most 1 Tbit/s", f->rate, 0, TALK_RATE_MAX},
        {"window", "64 KiB to 256 MiB", f->window, 64 << 10, 256 << 20},
        {"socket-buffer", "64 KiB to 1 GiB", f->socket_buffer, 64 << 10, 1 << 30},
        {"connect-timeout", "0.1 s to 1 m", f->connect_timeout, STT_MS(100), STT_S(60)},
        {"timeout", "1 s to 1 h", f->timeout, STT_S(1), STT_S(3600)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (options_is_set(set, rows[i].name) &&
            (rows[i].value < rows[i].min || rows[i].value > rows[i].max))
            return options_refuse(why, "--%s wants %s", rows[i].name, rows[i].wanted);
    if (f->interval && f->interval < STT_MS(100))
        return options_refuse(why, "--interval wants 0, or 0.1 s and more");
    return true;
}

static bool check_values(struct flags *f, char *why)
{
    struct stt_peer_id id;
    uint8_t dscp = 0;
    if (f->peer && stt_peer_id_decode(&id, f->peer))
        return options_refuse(
            why, "--peer wants a peer id, which begins with stt1, and got '%.80s'", f->peer);
    if (f->suite && !stt_aead_by_name(f->suite, stt_cpu_detect()))
        return options_refuse(why, "there is no suite '%.40s' on this machine", f->suite);
    if (f->dscp_name && !units_parse_dscp(&dscp, f->dscp_name))
        return options_refuse(
            why, "--dscp wants ef, cs1 to cs7, af11 to af43, le or a number to 63, and got '%.40s'",
            f->dscp_name);
    f->dscp = dscp;
    return true;
}

/* -- what it becomes --------------------------------------------------------------------------- */

static void set_place(struct flags *f)
{
    const char *at = f->is_server ? f->bind : f->host;
    bool is_ipv6 = at && strchr(at, ':') && at[0] != '[';
    if (!at && f->ipv4)
        at = "0.0.0.0";
    if (!at)
        snprintf(f->place, sizeof f->place, "%u", f->port);
    else
        snprintf(f->place, sizeof f->place, is_ipv6 ? "[%.280s]:%u" : "%.280s:%u", at, f->port);
}

static void set_test(struct flags *f)
{
    f->test = (struct talk_test){
        .flags = (uint8_t)((f->reverse ? TALK_REVERSE : 0) | (f->bidir ? TALK_BIDIR : 0) |
                           (f->no_verify ? 0 : TALK_VERIFY)),
        .streams = (uint8_t)f->streams,
        .block_bytes = (uint32_t)f->block,
        .duration_ns = f->bytes ? 0 : f->duration,
        .omit_ns = f->omit,
        .bytes = f->bytes,
        .rate_bits_per_s = f->rate,
    };
}

bool flags_read(struct flags *f, int argc, char **argv, enum exits *exit)
{
    struct option_set set = {
        .program = "sttbench",
        .usage = "-s [OPTION]...\n       sttbench -c HOST [OPTION]...\n       sttbench VERB "
                 "[OPTION]...    (sttbench VERB -h lists them)",
        .about = bench_about(),
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = f,
    };
    char why[OPTION_WHY_ROOM];
    *f = (struct flags){.port = 5201,
                        .streams = 1,
                        .duration = STT_S(10),
                        .interval = STT_S(1),
                        .block = 128 << 10,
                        .affinity = FLAGS_CPU_NONE,
                        .connect_timeout = STT_S(10),
                        .preset = "balanced"};
    bool goes_on = bench_options_and_words(&set, argc, argv, exit);
    f->words = set.words;
    if (!goes_on)
        return false;
    *exit = EXIT_USAGE;
    if (!check_role(&set, f, why) || !check_pairs(&set, why) || !check_ranges(&set, f, why) ||
        !check_values(f, why)) {
        say_error("%s", why);
        return false;
    }
    set_place(f);
    set_test(f);
    return true;
}
