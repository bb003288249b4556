/* SPDX-License-Identifier: MIT
 * steps: owns what was read and how long the queue was in each short while, and finds in it when
 * the tested flows had again what a path of new rate or length gives. */
#include "tools/sttbench/link/steps.h"

#include <math.h>

#define FULL_SHARE   0.85
#define FULL_WINDOWS 3
#define WINDOW_RTTS  4
#define WINDOW_LEAST STT_MS(100)
#define BIN_LEAST    STT_MS(10)

void steps_init(struct steps *s, const struct link_run *run)
{
    stt_ns bin = run->time_ns / STEPS_BINS + 1;
    s->run = run;
    s->bin_ns = bin > BIN_LEAST ? bin : BIN_LEAST;
    s->n = 0;
}

/* Until the end of its bin each look counts; bins that nobody looked at are as the one before. */
void steps_look(struct steps *s, stt_ns at, double read_bytes, double queue_ms)
{
    size_t bin = (size_t)((at + s->bin_ns - 1) / s->bin_ns);
    for (; s->n <= bin && s->n <= STEPS_BINS; s->n++) {
        s->read_bytes[s->n] = read_bytes;
        s->queue_ms[s->n] = 0;
    }
    if (bin > STEPS_BINS)
        return;
    s->read_bytes[bin] = read_bytes;
    s->queue_ms[bin] = fmax(s->queue_ms[bin], queue_ms);
}

/* -- what follows a step ----------------------------------------------------------------------- */

struct reach {
    size_t begin, end, window; /* bins */
    double full_bytes;         /* of a window */
    double rtt_ms;
};

static struct reach reach_of(const struct steps *s, size_t step)
{
    struct link_path p = s->run->path;
    bool is_last = step + 1 == s->run->n_steps;
    size_t next = is_last ? s->n : (size_t)(s->run->steps[step + 1].at_ns / s->bin_ns);
    for (size_t i = 0; i <= step; i++) {
        const struct link_step *at = &s->run->steps[i];
        p.rate_bits_per_s = at->rate_bits_per_s ? at->rate_bits_per_s : p.rate_bits_per_s;
        p.rtt_ns = at->rtt_ns ? at->rtt_ns : p.rtt_ns;
    }
    stt_ns window = WINDOW_RTTS * p.rtt_ns > WINDOW_LEAST ? WINDOW_RTTS * p.rtt_ns : WINDOW_LEAST;
    struct reach r = {.begin = (size_t)(s->run->steps[step].at_ns / s->bin_ns),
                      .end = next < s->n ? next : s->n,
                      .window = (size_t)((window + s->bin_ns - 1) / s->bin_ns),
                      .rtt_ms = (double)p.rtt_ns * 1e-6};
    r.full_bytes =
        (double)link_carries(&p) / 8 * (double)r.window * (double)s->bin_ns * 1e-9 * FULL_SHARE;
    return r;
}

static bool is_full(const struct steps *s, const struct reach *r, size_t from)
{
    for (size_t i = 0; i < FULL_WINDOWS; i++, from += r->window)
        if (s->read_bytes[from + r->window] - s->read_bytes[from] < r->full_bytes)
            return false;
    return true;
}

static double reached_bins(const struct steps *s, size_t step)
{
    struct reach r = reach_of(s, step);
    for (size_t from = r.begin; from + FULL_WINDOWS * r.window < r.end; from++)
        if (is_full(s, &r, from))
            return (double)(from + r.window - r.begin);
    return r.end > r.begin ? (double)(r.end - r.begin) : NAN;
}

double steps_reached_ms(const struct steps *s)
{
    double bins = NAN;
    for (size_t i = 0; i < s->run->n_steps; i++)
        bins = fmax(bins, reached_bins(s, i));
    return bins * (double)s->bin_ns * 1e-6;
}

double steps_settled_queue_bdps(const struct steps *s)
{
    size_t wait = (size_t)(STEPS_SETTLED_NS / s->bin_ns);
    double most = NAN;
    for (size_t i = 0; i < s->run->n_steps; i++) {
        struct reach r = reach_of(s, i);
        for (size_t bin = r.begin + wait + 1; bin < r.end; bin++)
            most = fmax(most, s->queue_ms[bin] / r.rtt_ms);
    }
    return most;
}
