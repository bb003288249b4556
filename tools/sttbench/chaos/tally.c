/* SPDX-License-Identifier: MIT
 * tally: owns nothing; adds, and says what has never happened. */
#include "tools/sttbench/chaos/tally.h"

#include <stddef.h>

static const struct thing {
    const char *text;
    size_t at;
} things[] = {
#define X(name, text) {text, offsetof(struct tally, name)},
    TALLY_THINGS(X)
#undef X
};
enum { THINGS = sizeof things / sizeof things[0] };

static uint64_t count_of(const struct tally *t, size_t i)
{
    return *(const uint64_t *)((const char *)t + things[i].at);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void tally_add(struct tally *to, const struct tally *from)
{
    for (size_t i = 0; i < THINGS; i++)
        *(uint64_t *)((char *)to + things[i].at) += count_of(from, i);
    to->slowest_percent = larger(to->slowest_percent, from->slowest_percent);
    to->fullest_percent = larger(to->fullest_percent, from->fullest_percent);
}

static void add_row(struct report_table *table, double value, const char *text)
{
    report_row(table);
    report_cell(table, value);
    report_cell_text(table, text);
}

void tally_report(const struct tally *t, struct report *r)
{
    static const struct report_column columns[] = {{"count", "how often", REPORT_COUNT},
                                                   {"what", "what", REPORT_TEXT}};
    struct report_table *table = report_table(r, "met", "What the scenarios met", columns, 2);
    for (size_t i = 0; i < THINGS; i++)
        add_row(table, (double)count_of(t, i), things[i].text);
    report_number(r, "slowest_percent", "of the time that a calm end may take, at most",
                  REPORT_PERCENT, (double)t->slowest_percent);
    report_number(r, "fullest_percent", "of the memory that a node may take, at most",
                  REPORT_PERCENT, (double)t->fullest_percent);
}

const char *tally_missing(const struct tally *t)
{
    for (size_t i = 0; i < THINGS; i++)
        if (!count_of(t, i))
            return things[i].text;
    return NULL;
}
