/* SPDX-License-Identifier: MIT
 * cpu: owns the verb: a bulk transfer, what each side's processor did meanwhile, and what to change
 * about the largest part. */
#include "crypto/cpu.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/cpu/side.h"
#include "tools/sttbench/report/report.h"
#include "tools/sttbench/shared/diagnosis.h"
#include "tools/sttbench/shared/pair.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    PATIENCE_S = 20, /* above the time that was asked for */
};

#define TITLE "Where the cycles go in a bulk transfer over loopback"

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
    {"time", 't', BENCH_TIME(time), .help = "transmit for so long (3s)"},
    {"suite", 0, BENCH_SUITE_OR_NULL},
    {"mtu", 0, BENCH_MTU(65507)},
    {"io", 0, BENCH_IO},
    {"preset", 0, BENCH_PRESET},
    {"no-verify", 0, BENCH_FLAG(no_verify), .help = "the bytes are not hashed and compared"},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};

static const struct report_column columns[] = {
    {"side", "side", REPORT_TEXT},
    {"part", "part", REPORT_TEXT},
    {"ns_per_packet", "per packet", REPORT_NS},
    {"percent", "of its time", REPORT_PERCENT},
    {"cpu_s_per_gb", "per gigabyte", REPORT_S_PER_GB},
};
/* clang-format on */

static const char *const names[2] = {"sender", "receiver"};

static const struct side_end *end_of(const struct sides *b, size_t side)
{
    return side ? &b->receiver : &b->sender;
}

static double busy_percent(const struct parts *p)
{
    return 100 * p->cpu_ns / p->wall_ns;
}

/* -- figures --------------------------------------------------------------------------------- */

static void add_row(struct report_table *t, const struct side_end *e, const char *side,
                    const char *part, double ns)
{
    report_row(t);
    report_cell_text(t, side);
    report_cell_text(t, part);
    report_cell(t, ns / (double)e->packets);
    report_cell(t, 100 * ns / e->parts.cpu_ns);
    report_cell(t, ns / (double)e->bytes);
}

static void add_side(struct report *r, struct report_table *t, const struct sides *b, size_t side)
{
    char key[64], words[64];
    const struct side_end *e = end_of(b, side);
    for (enum part p = 0; p < PARTS_N; p++)
        add_row(t, e, names[side], part_name(p), e->parts.ns[p]);
    add_row(t, e, names[side], "all", e->parts.cpu_ns);
    snprintf(key, sizeof key, "%s_cpu_percent", names[side]);
    snprintf(words, sizeof words, "%s's processor busy", names[side]);
    report_number(r, key, words, REPORT_PERCENT, busy_percent(&e->parts));
    snprintf(key, sizeof key, "%s_ns_per_packet", names[side]);
    snprintf(words, sizeof words, "%s, per packet", names[side]);
    report_number(r, key, words, REPORT_NS, e->parts.cpu_ns / (double)e->packets);
    snprintf(key, sizeof key, "%s_cpu_s_per_gb", names[side]);
    snprintf(words, sizeof words, "%s, per gigabyte", names[side]);
    report_number(r, key, words, REPORT_S_PER_GB, e->parts.cpu_ns / (double)e->bytes);
}

static void draw(struct report *r, const struct sides *b)
{
    const struct report_axis part = {"part", REPORT_COUNT, false};
    const struct report_axis ns = {"processor time of a packet", REPORT_NS, false};
    struct report_chart *c = report_chart(r, "Where the time goes", REPORT_BARS, &part, &ns);
    for (size_t side = 0; side < 2; side++) {
        const struct side_end *e = end_of(b, side);
        report_series(c, names[side]);
        for (enum part p = 0; p < PARTS_N; p++)
            report_bar(c, part_name(p), e->parts.ns[p] / (double)e->packets);
    }
}

static void add_all(struct report *r, const struct sides *b, bool is_right)
{
    double seconds = b->sender.parts.wall_ns * 1e-9;
    struct report_table *t = report_table(r, "results", "Where the time goes", columns,
                                          sizeof columns / sizeof columns[0]);
    report_text(r, "suite", "cipher suite", b->suite);
    report_text(r, "io", "driver", b->io);
    report_number(r, "packet_bytes", "bytes of a packet", REPORT_COUNT, b->wish.packet_bytes);
    report_number(r, "time_s", "time", REPORT_S, seconds);
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
static const char *advice_on(const struct sides *b, enum part largest, char out[OPTION_WHY_ROOM])
{
    static const char *const advice[PARTS_N] = {
        [PART_CRYPTO] = "a processor with wider AES instructions (VAES) would seal faster",
        [PART_KERNEL] = "larger packets are fewer (--mtu), and sttbench doctor knows whether "
                        "segmentation (GSO, GRO) is missing",
        [PART_PROTOCOL] = "larger packets are fewer (--mtu)",
        [PART_COPY] = "a program that works in the stream's ring copies nothing "
                      "(stt_stream_reserve, stt_stream_peek)",
        [PART_VERIFY] = "that is this benchmark's own hash: try --no-verify",
        [PART_STOPWATCH] = "that is this benchmark's own",
    };
    if (largest != PART_CRYPTO || strcmp(b->suite, best_suite()) == 0)
        return advice[largest];
    snprintf(out, OPTION_WHY_ROOM, "take --suite %s", best_suite());
    return out;
}

static enum part largest_of(const struct parts *p)
{
    enum part largest = PART_CRYPTO;
    for (enum part i = 0; i < PARTS_N; i++)
        if (i != PART_STOPWATCH && p->ns[i] > p->ns[largest])
            largest = i;
    return largest;
}

static struct diagnosis_side side_of(const struct parts *p)
{
    return (struct diagnosis_side){.cpu_percent = busy_percent(p),
                                   .waited_percent = 100 * p->waited_ns / p->wall_ns};
}

static const char *advise(const struct sides *b, const struct parts *p, char out[DIAGNOSIS_ROOM])
{
    char room[OPTION_WHY_ROOM];
    enum part largest = largest_of(p);
    snprintf(out, DIAGNOSIS_ROOM, "its largest part, %.0f %%, is %s: %.200s",
             100 * p->ns[largest] / p->cpu_ns, part_name(largest), advice_on(b, largest, room));
    return out;
}

static void diagnose(struct report *r, const struct sides *b)
{
    struct diagnosis d = DIAGNOSIS_INIT;
    char sender[DIAGNOSIS_ROOM], receiver[DIAGNOSIS_ROOM], sentence[DIAGNOSIS_ROOM];
    const char *advice[DIAGNOSIS_N] = {
        [DIAGNOSIS_SENDER_CPU] = advise(b, &b->sender.parts, sender),
        [DIAGNOSIS_RECEIVER_CPU] = advise(b, &b->receiver.parts, receiver),
        [DIAGNOSIS_SEND_BUFFER] = "take --preset high-throughput, whose buffers are larger",
        DIAGNOSIS_ADVICE_HERE,
    };
    diagnosis_add(&d, &b->stats, NULL);
    d.ring_full_ns = d.held_ns[STT_HELD_APPLICATION]; /* who sends is never without data */
    d.sender = side_of(&b->sender.parts);
    d.receiver = side_of(&b->receiver.parts);
    d.advice = advice;
    (void)diagnosis_find(&d, sentence);
    report_limited(r, "%s", sentence);
}

/* -- the verb -------------------------------------------------------------------------------- */

static enum exits tell(const struct sides *b)
{
    bool is_right = b->sender.bytes == b->receiver.bytes && b->sender.hash == b->receiver.hash;
    struct report *r = report_new("cpu", TITLE);
    add_all(r, b, is_right);
    diagnose(r, b);
    report_note(r, "Kernel and the rest are told apart by the kernel's clock ticks; the sender's "
                   "kernel carries a packet over loopback into the receiver's socket.");
    if (b->sender.bytes && !b->verifies)
        report_note(r, "Nobody looked whether the bytes are right (--no-verify).");
    if (pair_cpu(0) == pair_cpu(1))
        report_note(r, "Both sides share one processor: there is no other.");
    if (!is_right)
        report_fail(r, EXIT_INTEGRITY,
                    "%llu bytes were sent and %llu came, or they are not the same: this is a bug",
                    (unsigned long long)b->sender.bytes, (unsigned long long)b->receiver.bytes);
    return report_end(r, &wish.report);
}

static enum exits fail(enum exits exit, const char *why)
{
    struct report *r = report_new("cpu", TITLE);
    report_fail(r, exit, "nothing was measured: %s", why);
    return report_end(r, &wish.report);
}

static enum exits measure(void)
{
    char why[OPTION_WHY_ROOM];
    struct sides *b = pair_memory(sizeof *b);
    const struct pair_end ends[2] = {{side_send, pair_cpu(0), -1}, {side_receive, pair_cpu(1), -1}};
    if (!b)
        return fail(EXIT_LOCAL_IO, "there is no memory for two processes to share");
    b->time_ns = wish.time;
    b->verifies = !wish.no_verify;
    b->wish = (struct ends_wish){.suite = wish.suite ? wish.suite : best_suite(),
                                 .io = wish.io,
                                 .preset = wish.preset,
                                 .packet_bytes = wish.mtu};
    bool is_done = pair_run(ends, b, wish.time + STT_S(PATIENCE_S), why);
    enum exits exit = is_done ? tell(b) : fail(EXIT_NETWORK, why);
    pair_forget(b, sizeof *b);
    return exit;
}

enum exits bench_cpu(int argc, char **argv)
{
    static struct option_set set = {
        .program = "sttbench cpu",
        .usage = "[OPTION]...",
        .about = "Where the cycles of a bulk transfer go: crypto, kernel, protocol and copy, of "
                 "each side.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &wish,
    };
    enum exits exit;
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    if (wish.suite && strcmp(wish.suite, "null") != 0 &&
        !stt_aead_by_name(wish.suite, stt_cpu_detect()))
        return bench_usage("this processor has no %s; choose another --suite", wish.suite);
    return measure();
}
