/* SPDX-License-Identifier: MIT
 * report: what a run found, said once: a table for people or, with -J, one JSON object on standard
 * output with the same numbers, and a picture where --plot asks for one.
 *
 *     struct report *r = report_new("latency", "Round trips of 64 bytes over loopback");
 *     report_number(r, "raw_p50_us", "raw UDP, median", REPORT_US, 4.2);
 *     struct report_table *t = report_table(r, "results", "By size", columns, N);
 *     report_row(t);
 *     report_cell_text(t, "blocking"); report_cell(t, 61.5);
 *     report_limited(r, "Limited by the sender's processor: take a faster suite.");
 *     return report_end(r, &options);
 *
 * Keys are flat, their unit last ("p99_us"); "ratios.stt_of_tls" is a key of the object "ratios".
 * NAN is a figure that there is not: "-" and null. Memory that runs out ends the program. */
#ifndef TOOLS_STTBENCH_REPORT_REPORT_H
#define TOOLS_STTBENCH_REPORT_REPORT_H

#include "tools/common/exits.h"

#include <stdbool.h>
#include <stddef.h>

/* How a number is written for people; in JSON it is a plain number in the key's unit. */
enum report_unit {
    REPORT_TEXT,       /* of a column: no number at all */
    REPORT_COUNT,      /* 1,234,567 */
    REPORT_PLAIN,      /* 0.93, three digits that count */
    REPORT_RATIO,      /* 0.93 */
    REPORT_PERCENT,    /* 12.3 % */
    REPORT_BITS_PER_S, /* 31.2 Gbit/s */
    REPORT_BYTES,      /* 1.50 GiB */
    REPORT_NS,         /* 118 ns; each of the four times is scaled for people: 1.20 ms */
    REPORT_US,
    REPORT_MS,
    REPORT_S,
    REPORT_S_PER_GB, /* 0.142 s/GB */
};

struct report_options {
    bool json;        /* -J */
    const char *plot; /* --plot FILE.svg or FILE.html; NULL: none */
};

struct report;
struct report_table;
struct report_chart;

/* The verb is the JSON key "test"; the title stands above the table and the picture. */
struct report *report_new(const char *verb, const char *title);

void report_text(struct report *r, const char *key, const char *words, const char *text);
void report_number(struct report *r, const char *key, const char *words, enum report_unit unit,
                   double value);
/* A sentence below the table, and one of "notes" in JSON: what was left out and why. */
void report_note(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The last sentence: what limited the run, and what to change; "limited_by" in JSON. */
void report_limited(struct report *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The run failed or missed a demand: "error" in JSON, and what report_end() answers. The first
 * counts. */
void report_fail(struct report *r, enum exits exit, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* -- a table: an array of flat objects under its key ------------------------------------------- */

struct report_column {
    const char *key, *words; /* words NULL: in JSON alone */
    enum report_unit unit;
};
/* People see no columns, and no tables, in which there is nothing; key NULL: people alone see it.
 */
struct report_table *report_table(struct report *r, const char *key, const char *words,
                                  const struct report_column *columns, size_t n);
/* A row, whose cells are then given from left to right. */
void report_row(struct report_table *t);
void report_cell(struct report_table *t, double value);
void report_cell_text(struct report_table *t, const char *text);

/* -- a picture: only drawn with --plot --------------------------------------------------------- */

enum report_shape { REPORT_LINES, REPORT_BARS };
struct report_axis {
    const char *words; /* "time" */
    enum report_unit unit;
    bool is_log;
};
/* BARS: x counts places from 0; report_bar() names them. */
struct report_chart *report_chart(struct report *r, const char *words, enum report_shape shape,
                                  const struct report_axis *x, const struct report_axis *y);
void report_series(struct report_chart *c, const char *words); /* the points that follow */
void report_point(struct report_chart *c, double x, double y);
void report_bar(struct report_chart *c, const char *label, double y); /* at the next place */
/* As report_series(), for what the others are held against: a line across them, at each place of
 * BARS, or dashed. */
void report_mark(struct report_chart *c, const char *words);

/* -- the end ----------------------------------------------------------------------------------- */

/* Prints and draws it, and frees it. What report_fail() said, EXIT_DONE, or EXIT_LOCAL_IO. */
enum exits report_end(struct report *r, const struct report_options *options);
/* Draws it alone, and frees it. False: it was said why. */
bool report_draw(struct report *r, const char *plot);

/* "31.2 Gbit/s", in a buffer that is the caller's. */
enum { REPORT_VALUE_ROOM = 32 };
const char *report_value(char out[REPORT_VALUE_ROOM], enum report_unit unit, double value);
/* The name with which a number like this is written, "Gbit/s", and what numbers of the key's unit
 * are divided by to be written so: for an axis, where all are written alike. */
const char *report_scale(enum report_unit unit, double like, double *divisor);

#endif
