/* SPDX-License-Identifier: MIT
 * picture: owns the points of one test. Invariant: no more than POINTS_MAX; where there would be,
 * two neighbours become one, and each that follows stands for twice as many intervals. Must not
 * know how a picture is drawn. */
#include "tools/sttbench/transfer/picture.h"

#include "tools/sttbench/report/report.h"
#include "tools/sttbench/transfer/output.h"

#include <stdio.h>

enum { POINTS_MAX = 2048, DIRECTIONS = 2 };

static struct {
    struct point {
        stt_ns from, to;
        uint64_t bytes[DIRECTIONS];
        uint64_t rtt_ns;
    } at[POINTS_MAX];
    size_t n;
    unsigned merges, waiting; /* intervals in a point; of these in the last one */
} picture;

void picture_begin(void)
{
    picture.n = picture.waiting = 0;
    picture.merges = 1;
}

static void join(struct point *a, const struct point *b)
{
    a->to = b->to;
    for (int i = 0; i < DIRECTIONS; i++)
        a->bytes[i] += b->bytes[i];
    a->rtt_ns = a->rtt_ns > b->rtt_ns ? a->rtt_ns : b->rtt_ns;
}

static void halve(void)
{
    for (size_t i = 0; i < POINTS_MAX / 2; i++) {
        picture.at[i] = picture.at[2 * i];
        join(&picture.at[i], &picture.at[2 * i + 1]);
    }
    picture.n = POINTS_MAX / 2;
    picture.merges *= 2;
    picture.waiting = 0;
}

void picture_add(const struct course *c, const struct course_interval *interval)
{
    struct point p = {.from = interval->from, .to = interval->to};
    uint32_t streams = c->test.streams;
    struct output_moment m;
    if (interval->is_omitted)
        return;
    for (uint32_t i = 0; i * streams < c->n_lanes; i++) {
        output_look(&m, c, i * streams, (i + 1) * streams);
        p.bytes[i] = m.bytes;
        p.rtt_ns = c->lanes[i * streams].sends && m.rtt_ns > p.rtt_ns ? m.rtt_ns : p.rtt_ns;
    }
    if (picture.n == POINTS_MAX && picture.waiting == 0)
        halve();
    if (picture.waiting)
        join(&picture.at[picture.n - 1], &p);
    else
        picture.at[picture.n++] = p;
    picture.waiting = (picture.waiting + 1) % picture.merges;
}

/* -- drawing ----------------------------------------------------------------------------------- */

static double rate_at(size_t i, uint32_t direction)
{
    const struct point *p = &picture.at[i];
    return output_bits_per_s(p->bytes[direction], p->to - p->from);
}

static void put_rates(struct report *r, const struct course *c)
{
    static const struct report_axis x = {"time", REPORT_S, false};
    static const struct report_axis y = {"goodput", REPORT_BITS_PER_S, false};
    struct report_chart *chart = report_chart(r, "Goodput", REPORT_LINES, &x, &y);
    for (uint32_t d = 0; d * c->test.streams < c->n_lanes; d++) {
        report_series(chart, c->lanes[d * c->test.streams].sends ? "sent from here" : "came here");
        if (picture.n)
            report_point(chart, (double)picture.at[0].from * 1e-9, rate_at(0, d));
        for (size_t i = 0; i < picture.n; i++) {
            report_point(chart, (double)picture.at[i].to * 1e-9, rate_at(i, d));
        }
    }
}

static void put_round_trips(struct report *r)
{
    static const struct report_axis x = {"time", REPORT_S, false};
    static const struct report_axis y = {"round trip", REPORT_NS, false};
    struct report_chart *chart = report_chart(r, "Round trip", REPORT_LINES, &x, &y);
    report_series(chart, "smoothed, of the slowest session");
    if (picture.n)
        report_point(chart, (double)picture.at[0].from * 1e-9, (double)picture.at[0].rtt_ns);
    for (size_t i = 0; i < picture.n; i++)
        report_point(chart, (double)picture.at[i].to * 1e-9, (double)picture.at[i].rtt_ns);
}

static void put_figures(struct report *r, const struct course *c)
{
    struct output_sum sum = {.lanes = 0};
    output_add(&sum, c, 0, c->n_lanes);
    report_number(r, "goodput_bits_per_second", "goodput, all directions", REPORT_BITS_PER_S,
                  output_bits_per_s(sum.came_bytes, sum.came_ns));
    report_number(r, "bytes", "payload", REPORT_BYTES, (double)sum.came_bytes);
    report_number(r, "packets_lost", "packets lost", REPORT_COUNT, (double)sum.sent.packets_lost);
    report_number(r, "host_cpu_percent", "processor here", REPORT_PERCENT,
                  side_cpu(&c->side).total);
    report_number(r, "remote_cpu_percent", "processor there", REPORT_PERCENT,
                  side_cpu(&c->other_side).total);
}

bool picture_draw(const struct course *c, const char *path)
{
    char sentence[DIAGNOSIS_ROOM], title[200];
    enum diagnosis_limit limit;
    snprintf(title, sizeof title, "sttbench -c %.150s", c->flags->host);
    struct report *r = report_new("transfer", title);
    put_rates(r, c);
    if (c->lanes[0].sends || c->lanes[c->n_lanes - 1].sends)
        put_round_trips(r);
    put_figures(r, c);
    if (course_diagnose(c, c->lanes[0].sends, sentence, &limit))
        report_limited(r, "%s", sentence);
    return report_draw(r, path);
}
