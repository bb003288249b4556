/* SPDX-License-Identifier: MIT
 * doctor: owns the list of what is looked at, and how it is told: each line is well, or has one
 * command that mends it. */
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/doctor/finding.h"
#include "tools/sttbench/report/report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct wish {
    struct report_options report;
} wish;

#define AT(field) .offset = offsetof(struct wish, field)

/* clang-format off */
static const struct option options[] = {
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};

static const struct look {
    const char *key, *words;
    void (*look)(struct finding *f);
    const char *value_key; /* NULL: it is no number */
} looks[] = {
    {"receive_buffer", "receive buffer", look_at_receive_buffer, "receive_buffer_bytes"},
    {"send_buffer", "send buffer", look_at_send_buffer, "send_buffer_bytes"},
    {"gso", "sending in trains", look_at_gso, NULL},
    {"gro", "receiving in trains", look_at_gro, NULL},
    {"uring", "io_uring", look_at_uring, NULL},
    {"wake_up", "waking up", look_at_wake_up, NULL},
    {"driver", "driver", look_at_driver, NULL},
    {"steering", "steering to workers", look_at_steering, NULL},
    {"ipv6", "IPv6", look_at_ipv6, NULL},
    {"ecn", "congestion marks", look_at_ecn, NULL},
    {"interface_mtu", "MTU of the interface", look_at_interface_mtu, "interface_mtu_bytes"},
    {"path_mtu", "MTU of the path", look_at_path_mtu, "path_mtu_bytes"},
    {"aes", "AES instructions", look_at_aes, NULL},
    {"suites", "cipher suites, best first", look_at_suite, NULL},
    {"processors", "processors", look_at_processors, "processors"},
    {"governor", "frequency governor", look_at_governor, NULL},
    {"clock", "clock source", look_at_clock, NULL},
    {"virtualisation", "virtualisation", look_at_virtualisation, NULL},
    {"descriptors", "file descriptors", look_at_descriptors, "descriptors_max"},
};
/* clang-format on */
enum { LOOKS = sizeof looks / sizeof looks[0] };

static const struct report_column columns[] = {{"check", "check", REPORT_TEXT},
                                               {"state", "state", REPORT_TEXT},
                                               {"found", "found", REPORT_TEXT},
                                               {"mend", NULL, REPORT_TEXT}};

/* -- findings -------------------------------------------------------------------------------- */

static void put(char out[FINDING_ROOM], const char *format, va_list args)
{
    vsnprintf(out, FINDING_ROOM, format, args);
}

void finding_is(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put(f->found, format, args);
    va_end(args);
}

void finding_mend(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put(f->mend, format, args);
    va_end(args);
}

bool finding_read(const char *path, char *out, int room)
{
    FILE *f = fopen(path, "re");
    *out = 0;
    bool is_there = f && fgets(out, room, f);
    if (f)
        fclose(f);
    out[strcspn(out, "\n")] = 0;
    return is_there;
}

/* -- the verb -------------------------------------------------------------------------------- */

/* Answers whether there is something to mend. */
static bool look(struct report *r, struct report_table *t, const struct look *what)
{
    struct finding f = {.value = NAN};
    what->look(&f);
    report_row(t);
    report_cell_text(t, wish.report.json ? what->key : what->words);
    report_cell_text(t, *f.mend ? "mend" : "ok");
    report_cell_text(t, f.found);
    report_cell_text(t, f.mend);
    if (*f.mend)
        report_note(r, "%s: %s", what->words, f.mend);
    if (what->value_key && wish.report.json)
        report_number(r, what->value_key, what->words, REPORT_COUNT, f.value);
    return *f.mend;
}

static enum exits examine(void)
{
    struct report *r = report_new("doctor", "What this machine is set up for");
    struct report_table *t = report_table(r, "results", "Each thing that was looked at", columns,
                                          sizeof columns / sizeof columns[0]);
    int to_mend = 0;
    for (size_t i = 0; i < LOOKS; i++)
        to_mend += look(r, t, &looks[i]);
    report_number(r, "to_mend", "things to mend", REPORT_COUNT, to_mend);
    return report_end(r, &wish.report);
}

enum exits bench_doctor(int argc, char **argv)
{
    static struct option_set set = {
        .program = "sttbench doctor",
        .usage = "[HOST] [OPTION]...",
        .about = "What this machine is set up for, and the way to a host: each line is ok, or has "
                 "one command that mends it.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &wish,
    };
    struct finding host = {.value = NAN};
    enum exits exit;
    if (!bench_options_and_words(&set, argc, argv, &exit))
        return exit;
    if (set.words.n > 1)
        return bench_usage("doctor looks at the way to one host at a time");
    if (!path_begin(set.words.n ? set.words.at[0] : NULL, &host)) {
        say_error("%s", host.found);
        return EXIT_NO_ANSWER;
    }
    return examine();
}
