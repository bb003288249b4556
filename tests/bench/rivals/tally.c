/* SPDX-License-Identifier: MIT
 * tally: owns what was seen. Figures are of whole rows, but for a flow's first: that begins with
 * the end of its handshake, as in `sttbench link`. */
#include "tests/bench/rivals/tally.h"

#include "tools/common/say.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIN_NS STT_US(250)

void tally_init(struct tally *t, const struct scene *s, struct cast_board *b, struct relay *r)
{
    *t = (struct tally){.scene = s, .board = b, .relay = r};
    t->room = (size_t)(s->time_ns / TALLY_STEP_NS) + 2;
    t->rows = calloc(t->room, sizeof *t->rows);
    if (!t->rows)
        abort();
    memset(t->rows, 0, t->room * sizeof *t->rows); /* so that no page is missing later */
}

void tally_fini(struct tally *t)
{
    free(t->rows);
}

/* -- looking ------------------------------------------------------------------------------------
 */

static void look_at_queue(struct tally *t, bool counts)
{
    const struct stt_net_link *l = &t->relay->links[RELAY_FORTH];
    double ns = (double)l->stats.queue_bytes * 8e9 / (double)l->config.rate_bits_per_s;
    size_t bin = (size_t)(ns / (double)BIN_NS);
    t->row_ns_sum += ns;
    t->row_looks++;
    if (!counts)
        return;
    t->bins[bin < TALLY_BINS ? bin : TALLY_BINS]++;
    t->queue_ns_sum += ns;
    t->looks++;
}

static void add_row(struct tally *t)
{
    struct tally_row *row = &t->rows[t->n++];
    const struct stt_link_stats *l = &t->relay->links[RELAY_FORTH].stats;
    row->queue_ms = t->row_looks ? t->row_ns_sum / (double)t->row_looks * 1e-6 : 0;
    row->drops = (double)(l->dropped[STT_LINK_DROP_QUEUE] + l->dropped[STT_LINK_DROP_POLICED]);
    t->row_ns_sum = 0;
    t->row_looks = 0;
    for (size_t i = 0; i < t->board->n_seats; i++) {
        struct cast_seat *s = &t->board->seats[i];
        row->seats[i] = (struct tally_seat){atomic_load(&s->bytes), atomic_load(&s->window_bytes),
                                            atomic_load(&s->threshold_bytes),
                                            atomic_load(&s->rtt_ns), atomic_load(&s->resent_bytes)};
    }
}

static void step_if_due(struct tally *t, stt_ns at)
{
    const struct scene *s = t->scene;
    if (t->n_steps == s->n_steps || s->steps[t->n_steps].at_ns > at)
        return;
    struct stt_link_config forth = scene_forth(s, ++t->n_steps), back = scene_back(s, t->n_steps);
    stt_net_link_configure(&t->relay->links[RELAY_FORTH], &forth);
    stt_net_link_configure(&t->relay->links[RELAY_BACK], &back);
}

void tally_look(void *ctx, stt_ns now)
{
    struct tally *t = ctx;
    if (now < t->board->epoch_ns)
        return;
    stt_ns at = now - t->board->epoch_ns;
    bool counts = at >= t->scene->from_ns;
    if (counts && !t->looks)
        t->at_from = t->relay->links[RELAY_FORTH].stats;
    step_if_due(t, at);
    look_at_queue(t, counts);
    if (at >= t->n * TALLY_STEP_NS && t->n < t->room)
        add_row(t);
}

/* -- figures ------------------------------------------------------------------------------------
 */

static size_t row_at(const struct tally *t, stt_ns at)
{
    size_t row = (size_t)(at / TALLY_STEP_NS);
    return row < t->n ? row : t->n - 1;
}

static size_t last_row(const struct tally *t, const struct scene_flow *f)
{
    stt_ns left = t->scene->time_ns - f->start_ns;
    return row_at(t, f->start_ns + (f->duration_ns < left ? f->duration_ns : left));
}

static double mean_rtt_ms(const struct tally *t, size_t i, size_t from, size_t to)
{
    double sum = 0, n = 0;
    for (size_t row = from; row <= to; row++)
        if (t->rows[row].seats[i].rtt_ns) {
            sum += (double)t->rows[row].seats[i].rtt_ns * 1e-6;
            n++;
        }
    return n > 0 ? sum / n : NAN;
}

struct tally_figures tally_figures(const struct tally *t, size_t i)
{
    const struct scene_flow *f = &t->board->seats[i].flow;
    uint64_t began_ns = atomic_load(&t->board->seats[i].began_ns);
    stt_ns began = began_ns ? began_ns - t->board->epoch_ns : t->scene->time_ns;
    size_t from = row_at(t, t->scene->from_ns > f->start_ns ? t->scene->from_ns : f->start_ns);
    size_t to = last_row(t, f);
    stt_ns from_ns = from * TALLY_STEP_NS;
    const struct tally_seat *a = &t->rows[from].seats[i], *b = &t->rows[to].seats[i];
    struct tally_figures out = {NAN, NAN, NAN, NAN};
    double bytes = (double)(b->bytes - a->bytes);
    out.seconds =
        ((double)(to * TALLY_STEP_NS) - (double)(began > from_ns ? began : from_ns)) * 1e-9;
    if (!began_ns || out.seconds <= 0)
        return out;
    out.bits_per_s = bytes * 8 / out.seconds;
    out.rtt_ms = mean_rtt_ms(t, i, from, to);
    out.resent_percent = (double)(b->resent_bytes - a->resent_bytes) / bytes * 100;
    return out;
}

double tally_queue_mean_ms(const struct tally *t)
{
    return t->looks ? t->queue_ns_sum / (double)t->looks * 1e-6 : NAN;
}

double tally_queue_percentile_ms(const struct tally *t, double percent)
{
    uint64_t left = (uint64_t)ceil((double)t->looks * percent / 100);
    size_t bin = 0;
    for (; bin < TALLY_BINS && left > t->bins[bin]; bin++)
        left -= t->bins[bin];
    return (double)bin * (double)BIN_NS * 1e-6;
}

/* -- the trace ----------------------------------------------------------------------------------
 */

static void print_head(const struct tally *t, FILE *f)
{
    fprintf(f, "time_s,queue_ms,drops");
    for (size_t i = 0; i < t->board->n_seats; i++) {
        const char *name = t->board->seats[i].flow.name;
        fprintf(f,
                ",%zu_%s_bits_per_s,%zu_%s_window_bytes,%zu_%s_threshold_bytes,%zu_%s_rtt_ms,"
                "%zu_%s_resent_bytes",
                i, name, i, name, i, name, i, name, i, name);
    }
    fprintf(f, "\n");
}

static void print_row(const struct tally *t, size_t n, FILE *f)
{
    const struct tally_row *row = &t->rows[n], *before = &t->rows[n - 1];
    fprintf(f, "%.1f,%.3f,%.0f", (double)(n * TALLY_STEP_NS) * 1e-9, row->queue_ms,
            row->drops - before->drops);
    for (size_t i = 0; i < t->board->n_seats; i++) {
        const struct tally_seat *s = &row->seats[i], *b = &before->seats[i];
        fprintf(f, ",%.0f,%llu,%llu,%.3f,%llu",
                (double)(s->bytes - b->bytes) * 8e9 / (double)TALLY_STEP_NS,
                (unsigned long long)s->window_bytes, (unsigned long long)s->threshold_bytes,
                (double)s->rtt_ns * 1e-6, (unsigned long long)(s->resent_bytes - b->resent_bytes));
    }
    fprintf(f, "\n");
}

bool tally_trace(const struct tally *t, const char *path)
{
    FILE *f = fopen(path, "we");
    if (f) {
        print_head(t, f);
        for (size_t i = 1; i < t->n; i++)
            print_row(t, i, f);
    }
    if (f && fclose(f) == 0)
        return true;
    say_error("%s: %s", path, strerror(errno));
    return false;
}
