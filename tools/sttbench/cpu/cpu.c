/* SPDX-License-Identifier: MIT
 * cpu: owns the verb: a bulk transfer, what each side's processor did meanwhile, and what to change
 * about the largest part. */
#include "crypto/cpu.h"
#include "stt/sim.h"
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/cpu/bulk.h"
#include "tools/sttbench/report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    BUSY_PERCENT = 90, /* so busy a processor is what limits */
    WAITED_PERCENT = 10,
    PATIENCE_S = 20, /* above the time that was asked for */
};

static struct wish {
    struct report_options report;
    stt_ns time;
    const char *suite, *io, *preset;
    uint32_t mtu;
    bool no_verify;
} wish = {.time = STT_S(3), .preset = "balanced", .mtu = 1452};

#define AT(field) .offset = offsetof(struct wish, field)

/* clang-format off */
static const struct option options[] = {
    {"time", 't', 0, OPTION_DURATION, AT(time), .value = "DURATION", .help = "transmit for so long (3s)"},
    {"suite", 0, 0, OPTION_TEXT, AT(suite), .value = "NAME", .help = "with this cipher suite (the best here), or with null, which is none"},
    {"mtu", 0, 0, OPTION_NUMBER, AT(mtu), .min = 1200, .max = 65507, .value = "BYTES", .help = "datagrams of so many bytes (1452)"},
    {"io", 0, 1, OPTION_CHOICE, AT(io), .choices = "uring mmsg", .value = "DRIVER", .help = "uring or mmsg"},
    {"preset", 0, 1, OPTION_CHOICE, AT(preset), .choices = "balanced low-latency high-throughput", .value = "NAME", .help = "balanced, low-latency or high-throughput"},
    {"no-verify", 0, 0, OPTION_FLAG, AT(no_verify), .help = "the bytes are not hashed and compared"},
    {"json", 'J', 0, OPTION_FLAG, AT(report.json), .help = "one JSON object on standard output"},
    {"plot", 0, 0, OPTION_TEXT, AT(report.plot), .value = "FILE", .help = "a picture, .svg or .html"},
};

static const struct report_column columns[] = {
    {"side", "side", REPORT_TEXT},
    {"part", "part", REPORT_TEXT},
    {"ns_per_packet", "per packet", REPORT_NS},
    {"percent", "of its time", REPORT_PERCENT},
    {"cpu_s_per_gb", "per gigabyte", REPORT_S_PER_GB},
};
/* clang-format on */

static const struct side {
    const char *name, *key;
    size_t at; /* of its end in struct bulk */
} sides[2] = {
    {"sender", "sender", offsetof(struct bulk, sender)},
    {"receiver", "receiver", offsetof(struct bulk, receiver)},
};

static const struct bulk_end *end_of(const struct bulk *b, size_t side)
{
    return (const struct bulk_end *)(const void *)((const uint8_t *)b + sides[side].at);
}

static double busy_percent(const struct parts *p)
{
    return 100 * p->cpu_ns / p->wall_ns;
}

/* -- figures --------------------------------------------------------------------------------- */

static void add_row(struct report_table *t, const struct bulk_end *e, const char *side,
                    const char *part, double ns)
{
    report_row(t);
    report_cell_text(t, side);
    report_cell_text(t, part);
    report_cell(t, ns / (double)e->packets);
    report_cell(t, 100 * ns / e->parts.cpu_ns);
    report_cell(t, ns / (double)e->bytes);
}

static void add_side(struct report *r, struct report_table *t, const struct bulk *b, size_t side)
{
    char key[64], words[64];
    const struct bulk_end *e = end_of(b, side);
    for (enum part p = 0; p < PARTS_N; p++)
        add_row(t, e, sides[side].name, part_name(p), e->parts.ns[p]);
    add_row(t, e, sides[side].name, "all", e->parts.cpu_ns);
    snprintf(key, sizeof key, "%s_cpu_percent", sides[side].key);
    snprintf(words, sizeof words, "%s's processor busy", sides[side].name);
    report_number(r, key, words, REPORT_PERCENT, busy_percent(&e->parts));
    snprintf(key, sizeof key, "%s_ns_per_packet", sides[side].key);
    snprintf(words, sizeof words, "%s, per packet", sides[side].name);
    report_number(r, key, words, REPORT_NS, e->parts.cpu_ns / (double)e->packets);
    snprintf(key, sizeof key, "%s_cpu_s_per_gb", sides[side].key);
    snprintf(words, sizeof words, "%s, per gigabyte", sides[side].name);
    report_number(r, key, words, REPORT_S_PER_GB, e->parts.cpu_ns / (double)e->bytes);
}

static void draw(struct report *r, const struct bulk *b)
{
    const struct report_axis part = {"part", REPORT_COUNT, false};
    const struct report_axis ns = {"processor time of a packet", REPORT_NS, false};
    struct report_chart *c = report_chart(r, "Where the time goes", REPORT_BARS, &part, &ns);
    for (size_t side = 0; side < 2; side++) {
        const struct bulk_end *e = end_of(b, side);
        report_series(c, sides[side].name);
        for (enum part p = 0; p < PARTS_N; p++)
            report_bar(c, part_name(p), e->parts.ns[p] / (double)e->packets);
    }
}

static void add_all(struct report *r, const struct bulk *b, bool is_right)
{
    double seconds = b->sender.parts.wall_ns * 1e-9;
    struct report_table *t = report_table(r, "results", "Where the time goes", columns,
                                          sizeof columns / sizeof columns[0]);
    report_text(r, "suite", "cipher suite", b->wish.suite->name);
    report_text(r, "io", "driver", b->sender.io);
    report_number(r, "packet_bytes", "bytes of a packet", REPORT_COUNT, b->wish.packet_bytes);
    report_number(r, "seconds", "time", REPORT_S, seconds);
    report_number(r, "bytes", "moved", REPORT_BYTES, (double)b->sender.bytes);
    report_number(r, "packets", "packets", REPORT_COUNT, (double)b->sender.packets);
    report_number(r, "packets_lost", "packets lost", REPORT_COUNT, (double)b->stats.packets_lost);
    report_number(r, "goodput_bits_per_second", "goodput", REPORT_BITS_PER_S,
                  is_right ? (double)b->sender.bytes * 8 / seconds : NAN);
    for (size_t side = 0; side < 2; side++)
        add_side(r, t, b, side);
    draw(r, b);
}

/* -- the sentence ---------------------------------------------------------------------------- */

static const char *best_suite(void)
{
    uint8_t ids[STT_AEAD_IDS];
    uint32_t cpu = stt_cpu_detect();
    return stt_aead_offer(ids, cpu) ? stt_aead_by_id(ids[0], cpu)->name : "";
}

/* What makes this part smaller. */
static void advise(const struct bulk *b, enum part largest, char out[OPTION_WHY_ROOM])
{
    const char *best = best_suite();
    bool is_best = strcmp(b->wish.suite->name, best) == 0;
    switch (largest) {
    case PART_CRYPTO:
        if (is_best)
            snprintf(out, OPTION_WHY_ROOM,
                     "%s is the best suite here already; a processor with wider AES instructions "
                     "(VAES) would seal faster",
                     best);
        else
            snprintf(out, OPTION_WHY_ROOM, "take --suite %s", best);
        break;
    case PART_KERNEL:
        snprintf(out, OPTION_WHY_ROOM,
                 "larger packets are fewer: raise --mtu where the path allows it, and see whether "
                 "sttbench doctor finds segmentation (GSO, GRO) missing");
        break;
    case PART_COPY:
        snprintf(out, OPTION_WHY_ROOM,
                 "a program that produces into the stream's ring, and works on what it reads where "
                 "it lies, copies nothing (stt_stream_reserve, stt_stream_peek)");
        break;
    case PART_VERIFY:
        snprintf(out, OPTION_WHY_ROOM, "that is this benchmark's own hash: try --no-verify");
        break;
    default:
        snprintf(out, OPTION_WHY_ROOM,
                 "larger packets are fewer: raise --mtu where the path allows it; or spread "
                 "sessions over several workers");
    }
}

static enum part largest_of(const struct parts *p)
{
    enum part largest = PART_CRYPTO;
    for (enum part i = 0; i < PARTS_N; i++)
        if (i != PART_STOPWATCH && p->ns[i] > p->ns[largest])
            largest = i;
    return largest;
}

/* For what the sender waited longest. */
static const char *held_by(const struct stt_session_stats *s)
{
    const uint64_t ns[] = {
#define ROW(X, upper, name, words) [STT_HELD_##upper] = s->held_by_##name##_ns,
        STT_HELD_BY(ROW, )
#undef ROW
    };
    size_t longest = 0;
    for (size_t i = 1; i < STT_HELD_COUNT; i++)
        if (ns[i] > ns[longest])
            longest = i;
    return stt_held_text((enum stt_held_by)longest);
}

static void diagnose(struct report *r, const struct bulk *b)
{
    double busy[2] = {busy_percent(&b->sender.parts), busy_percent(&b->receiver.parts)};
    size_t side = busy[1] > busy[0];
    const struct parts *p = &end_of(b, side)->parts;
    enum part largest = largest_of(p);
    double waited = 100 * p->waited_ns / p->wall_ns;
    char advice[OPTION_WHY_ROOM];
    advise(b, largest, advice);
    if (waited >= WAITED_PERCENT)
        report_limited(r,
                       "Limited by other programs: for %.0f %% of the time they had the %s's "
                       "processor; stop them, and measure again.",
                       waited, sides[side].name);
    else if (busy[side] >= BUSY_PERCENT)
        report_limited(r,
                       "Limited by the %s's processor, which was busy for %.0f %% of the time; its "
                       "largest part, %.0f %%, is %s%s: %s.",
                       sides[side].name, busy[side], 100 * p->ns[largest] / p->cpu_ns,
                       largest == PART_KERNEL || largest == PART_PROTOCOL ? "the " : "",
                       part_name(largest), advice);
    else
        report_limited(r,
                       "Limited by neither processor (%.0f and %.0f %% busy): the data waited "
                       "longest for %s; larger windows may help: try --preset high-throughput.",
                       busy[0], busy[1], held_by(&b->stats));
}

/* -- the verb -------------------------------------------------------------------------------- */

static enum exits tell(const struct bulk *b)
{
    bool is_right = b->sender.bytes == b->receiver.bytes && b->sender.hash == b->receiver.hash;
    struct report *r = report_new("cpu", "Where the cycles go in a bulk transfer over loopback");
    add_all(r, b, is_right);
    diagnose(r, b);
    report_note(r, "Kernel and the rest are told apart by the kernel's clock ticks; the sender's "
                   "kernel carries a packet over loopback into the receiver's socket.");
    if (b->sender.bytes && !b->wish.verifies)
        report_note(r, "Nobody looked whether the bytes are right (--no-verify).");
    if (pair_cpu(0) == pair_cpu(1))
        report_note(r, "Both sides share one processor: there is no other.");
    if (!is_right)
        report_fail(r, EXIT_INTEGRITY,
                    "%llu bytes were sent and %llu came, or they are not the same: this is a bug",
                    (unsigned long long)b->sender.bytes, (unsigned long long)b->receiver.bytes);
    return report_end(r, &wish.report);
}

static enum exits measure(const struct stt_aead_suite *suite)
{
    char why[OPTION_WHY_ROOM];
    struct bulk *b = pair_memory(sizeof *b);
    const struct pair_end ends[2] = {{bulk_send, pair_cpu(0), -1}, {bulk_receive, pair_cpu(1), -1}};
    if (!b) {
        say_error("there is no memory to share between two processes; free some");
        return EXIT_LOCAL_IO;
    }
    b->wish = (struct bulk_wish){
        .time_ns = wish.time,
        .suite = suite,
        .io = !wish.io                       ? STT_IO_AUTO
              : strcmp(wish.io, "mmsg") == 0 ? STT_IO_MMSG
                                             : STT_IO_URING,
        .preset = wish.preset,
        .packet_bytes = wish.mtu,
        .verifies = !wish.no_verify,
    };
    enum exits exit = EXIT_NETWORK;
    if (pair_run(ends, b, wish.time + STT_S(PATIENCE_S), why))
        exit = tell(b);
    else
        say_error("%s", *b->sender.why ? b->sender.why : *b->receiver.why ? b->receiver.why : why);
    pair_forget(b, sizeof *b);
    return exit;
}

enum exits bench_cpu(int argc, char **argv)
{
    static struct option_set set = {
        .usage = "[OPTION]...",
        .about = "Where the cycles of a bulk transfer go: crypto, kernel, protocol and copy, of "
                 "each side.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &wish,
    };
    enum exits exit;
    set.program = argv[0];
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    const char *name = wish.suite ? wish.suite : best_suite();
    const struct stt_aead_suite *suite =
        strcmp(name, "null") == 0 ? stt_sim_null_suite() : stt_aead_by_name(name, stt_cpu_detect());
    if (set.words.n || !wish.time || !suite) {
        if (suite)
            say_error("%s", set.words.n ? "cpu takes options alone; sttbench cpu -h lists them"
                                        : "--time is longer than nothing");
        else
            say_error("there is no suite %s on this processor; sttbench doctor lists them", name);
        return EXIT_USAGE;
    }
    return measure(suite);
}
