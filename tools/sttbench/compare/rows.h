/* SPDX-License-Identifier: MIT
 * rows: what was measured of each system, cipher and path, and how rows stand to each other. A
 * ratio is the median of those of single rounds, so that what slows a whole round down does not
 * touch it.
 *
 * Spec: the bars that STT has to clear are in rows_demands. */
#ifndef TOOLS_STTBENCH_COMPARE_ROWS_H
#define TOOLS_STTBENCH_COMPARE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rows_path { ROWS_LOOPBACK, ROWS_VETH_ON, ROWS_VETH_OFF, ROWS_PATHS };
extern const char *const rows_path_names[ROWS_PATHS];
extern const char *const rows_path_words[ROWS_PATHS];

enum { ROWS_RUNS_MAX = 100, ROWS_MAX = 64 };

struct rows_sample {
    double bits_per_s;
    double sender_s_per_gb, receiver_s_per_gb; /* of processor time */
    double sender_busy, receiver_busy;         /* processor time over the time that went by */
};

struct rows_row {
    const char *name, *suite; /* suite "": none */
    enum rows_path path;
    size_t n;
    struct rows_sample samples[ROWS_RUNS_MAX]; /* by round */
};

struct rows {
    struct rows_row *at;
    size_t n;
};

struct rows_spread {
    double median, min, max;
};
/* NAN where there are no runs. `field`: offsetof a double in struct rows_sample. */
struct rows_spread rows_spread(const struct rows_row *row, size_t field);

/* NULL: there is none. suite NULL: any, the fastest; a prefix: "aegis" finds the fastest of both.
 */
const struct rows_row *rows_find(const struct rows *rows, const char *name, const char *suite,
                                 enum rows_path path);

/* Of goodput; NAN where a row is NULL or a round is missing. */
double rows_ratio(const struct rows_row *a, const struct rows_row *b);

/* STT with this suite ("aegis": the faster one) to another system: NULL's suite is STT's own. */
struct rows_comparison {
    const char *key, *words;
    const char *suite, *other, *other_suite;
    double demand[ROWS_PATHS]; /* 0: none */
};
extern const struct rows_comparison rows_comparisons[];
extern const size_t rows_comparisons_n;

double rows_compare(const struct rows *rows, const struct rows_comparison *c, enum rows_path path);

/* Processor seconds that the faster aegis suite may take for a gigabyte on each side, loopback. */
#define ROWS_S_PER_GB_MAX 0.2

#endif
