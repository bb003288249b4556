/* SPDX-License-Identifier: MIT
 * rows: owns nothing; looks at what was measured. It must not know how. */
#include "tools/sttbench/compare/rows.h"
#include "tools/sttbench/shared/figures.h"

#include <math.h>
#include <string.h>

const char *const rows_path_names[ROWS_PATHS] = {"loopback", "veth_offloads_on",
                                                 "veth_offloads_off"};
const char *const rows_path_words[ROWS_PATHS] = {"loopback", "veth, offloads on",
                                                 "veth, offloads off"};

/* clang-format off */
const struct rows_comparison rows_comparisons[] = {
    /* key                          words                                   suite    other    its suite        loopback, veth on, off */
    {"stt_aegis_of_limit",            "STT with AEGIS, of its limit",             "aegis",             "limit", NULL, {0.8, 0.8, 0}},
    {"stt_aegis_128x2_of_limit",      "STT with AEGIS-128X2, of its limit",       "aegis-128x2",       "limit", NULL, {0}},
    {"stt_aegis_128l_of_limit",       "STT with AEGIS-128L, of its limit",        "aegis-128l",        "limit", NULL, {0}},
    {"stt_aes_256_gcm_of_limit",      "STT with AES-256-GCM, of its limit",       "aes-256-gcm",       "limit", NULL, {0.85, 0.85, 0}},
    {"stt_chacha20_poly1305_of_limit","STT with ChaCha20-Poly1305, of its limit", "chacha20-poly1305", "limit", NULL, {0.85, 0.85, 0}},
    {"stt_of_udp",                    "STT with AEGIS, of plain UDP in trains",   "aegis",             "udp",   "",   {0, 0, 0.85}},
    {"stt_of_tcp",                    "STT with AEGIS, of TCP without a cipher",  "aegis",             "tcp",   "",   {0, 1, 0}},
    {"stt_of_tcp_mss",                "STT with AEGIS, of TCP in such segments",  "aegis",             "tcp-mss", "", {0}},
    {"stt_of_tls",                    "STT with AEGIS, of TLS 1.3 over TCP",      "aegis",             "tls",   "aes-256-gcm", {2.2, 2.2, 1}},
    {"stt_aes_256_gcm_of_tls",        "STT with AES-256-GCM, of the same in TLS", "aes-256-gcm",       "tls",   "aes-256-gcm", {0}},
};
/* clang-format on */
const size_t rows_comparisons_n = sizeof rows_comparisons / sizeof rows_comparisons[0];

static double value_of(const struct rows_sample *sample, size_t field)
{
    double value;
    memcpy(&value, (const char *)sample + field, sizeof value);
    return value;
}

struct rows_spread rows_spread(const struct rows_row *row, size_t field)
{
    double values[ROWS_RUNS_MAX];
    for (size_t i = 0; i < row->n; i++)
        values[i] = value_of(&row->samples[i], field);
    double median = figures_median(values, row->n);
    if (!row->n)
        return (struct rows_spread){NAN, NAN, NAN};
    return (struct rows_spread){median, values[0], values[row->n - 1]};
}

static bool is_better(const struct rows_row *row, const struct rows_row *than)
{
    size_t field = offsetof(struct rows_sample, bits_per_s);
    return !than || rows_spread(row, field).median > rows_spread(than, field).median;
}

const struct rows_row *rows_find(const struct rows *rows, const char *name, const char *suite,
                                 enum rows_path path)
{
    const struct rows_row *found = NULL;
    for (const struct rows_row *r = rows->at; r != rows->at + rows->n; r++)
        if (r->path == path && r->n && strcmp(r->name, name) == 0 &&
            strncmp(r->suite, suite, strlen(suite)) == 0 && is_better(r, found))
            found = r;
    return found;
}

double rows_ratio(const struct rows_row *a, const struct rows_row *b)
{
    double ratios[ROWS_RUNS_MAX];
    if (!a || !b || !a->n || a->n != b->n)
        return NAN;
    for (size_t i = 0; i < a->n; i++)
        ratios[i] = a->samples[i].bits_per_s / b->samples[i].bits_per_s;
    return figures_median(ratios, a->n);
}

double rows_compare(const struct rows *rows, const struct rows_comparison *c, enum rows_path path)
{
    const struct rows_row *ours = rows_find(rows, "stt", c->suite, path);
    if (!ours)
        return NAN;
    return rows_ratio(
        ours, rows_find(rows, c->other, c->other_suite ? c->other_suite : ours->suite, path));
}
