/* SPDX-License-Identifier: MIT
 * diagnose: owns the last sentence: what limited a flow, who got what of several, or which
 * controller misses least of the matrix. */
#include "tools/sttbench/link/scene.h"
#include "tools/sttbench/link/telling.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_ROOM = 700, NAMED_MAX = 3 };
#define MUCH_PERCENT 25
#define SHORT_RTTS   12
#define JAIN_LEAST   0.95

/* Who sends is never without data, so what it seems to wait for an application is its own ring. */
static void diagnose_one(struct report *r, const struct link_job *job)
{
    const struct link_summary *s = link_summary_of(job, 0, 0);
    const struct link_path *p = &job->cells[0].path;
    const double *held = s->held_percent;
    const char *name = job->controllers[0];
    const char *other = strcmp(name, "bbr") == 0 ? "cubic" : "bbr";
    double flow = held[STT_HELD_STREAM_FLOW] + held[STT_HELD_SESSION_FLOW];
    double control = held[STT_HELD_WINDOW] + held[STT_HELD_PACER];
    double busy = s->median[LINK_utilisation];
    double rtts = s->median[LINK_completion] / ((double)p->rtt_ns * 1e-6);
    if (busy >= LINK_FULL_PERCENT)
        report_limited(r,
                       "Limited by the path: its bottleneck was busy %.0f %% of the time; only "
                       "a faster path would carry more.",
                       busy);
    else if (flow >= MUCH_PERCENT)
        report_limited(r,
                       "Limited by the receiver's buffer, for which the sender waited %.0f %% "
                       "of the time: take --preset high-throughput, or leave --preset out.",
                       flow);
    else if (job->bytes && rtts < SHORT_RTTS)
        report_limited(r,
                       "Limited by its length: it was over after %.1f round trips, in which "
                       "the congestion window still doubled; a longer transfer is faster.",
                       rtts);
    else if (held[STT_HELD_APPLICATION] >= MUCH_PERCENT && job->like.preset)
        report_limited(r,
                       "Limited by the sender's buffer, which was full of what was not yet "
                       "acknowledged %.0f %% of the time: take --preset high-throughput, or "
                       "leave --preset out.",
                       held[STT_HELD_APPLICATION]);
    else if (p->loss_ppm)
        report_limited(r,
                       "Limited by congestion control, %.0f %% of the time: with %.3g %% of "
                       "packets lost by chance, %s leaves %.0f %% of the path unused; compare "
                       "it with --cc %s.",
                       control, p->loss_ppm * 1e-4, name, 100 - busy, other);
    else
        report_limited(r,
                       "Limited by congestion control, %.0f %% of the time: %s leaves %.0f %% "
                       "of the path unused with a queue of %.3g x bandwidth x delay; try a "
                       "longer --queue, a longer -t, or --cc %s.",
                       control, name, 100 - busy, p->queue_bdps, other);
}

static void add(char text[SENTENCE_ROOM], const char *more)
{
    size_t len = strlen(text);
    snprintf(text + len, SENTENCE_ROOM - len, "%s", more);
}

/* Which of them meets most, and what that one misses. */
static void diagnose_matrix(struct report *r, const struct link_job *job)
{
    char text[SENTENCE_ROOM] = "", part[200], name[LINK_NAME_ROOM], names[LINK_NAME_ROOM];
    size_t best = 0, best_met = 0, missed = 0;
    bool is_ahead = false;
    for (size_t c = 0; c < job->n_controllers; c++) {
        size_t met = 0;
        for (size_t i = 0; i < job->n_cells; i++)
            met += link_misses(&job->cells[i], link_summary_of(job, i, c)) == 0;
        snprintf(part, sizeof part, "%s%s meets %zu of %zu demands", c ? ", " : "",
                 job->controllers[c], met, job->n_cells);
        add(text, part);
        is_ahead = c == 0 ? met > 0 : met > best_met || (is_ahead && met < best_met);
        best = met > best_met ? c : best;
        best_met = met > best_met ? met : best_met;
    }
    for (size_t i = 0; i < job->n_cells; i++) {
        unsigned misses = link_misses(&job->cells[i], link_summary_of(job, i, best));
        if (!misses || missed++ >= NAMED_MAX)
            continue;
        link_cell_name(&job->cells[i], name);
        snprintf(part, sizeof part, "%s %s: %s", missed == 1 ? ". The best misses, at" : "; at",
                 name, link_misses_names(misses, names));
        add(text, part);
    }
    snprintf(part, sizeof part, "; and more at %zu others", missed - NAMED_MAX);
    add(text, missed > NAMED_MAX ? part : "");
    snprintf(part, sizeof part, "; take %s for such paths", job->controllers[best]);
    add(text, job->n_controllers > 1 && is_ahead ? part : "");
    report_limited(r, "%s.", text);
    if (job->is_strict && missed)
        report_fail(r, EXIT_PARTIAL,
                    "%zu of %zu demands are missed by %s, which misses least; the table says which",
                    missed, job->n_cells, job->controllers[best]);
}

static void diagnose_several(struct report *r, const struct link_job *job)
{
    char text[SENTENCE_ROOM] = "", part[160], rate[REPORT_VALUE_ROOM], queue[REPORT_VALUE_ROOM];
    double busy = 0;
    for (size_t c = 0; c < job->n_controllers; c++) {
        const struct link_summary *s = link_summary_of(job, 0, c);
        busy = fmax(busy, s->median[LINK_utilisation]);
        snprintf(part, sizeof part, "%s%s carries %s and makes others wait %s", c ? "; " : "",
                 job->controllers[c],
                 report_value(rate, REPORT_BITS_PER_S, s->median[LINK_goodput]),
                 report_value(queue, REPORT_MS, s->median[LINK_queue_mean]));
        add(text, part);
    }
    report_limited(r, "Limited by %s: %s.",
                   busy >= LINK_FULL_PERCENT ? "the path" : "congestion control", text);
}

/* -- several flows ----------------------------------------------------------------------------- */

/* ": 48.2 % of it, which is fair (35 to 65 %)" */
static void add_share(char *text, const struct link_job *job, size_t c)
{
    char part[200];
    double least, most, share = link_summary_of(job, 0, c)->median[LINK_share];
    bool has_rule = scene_fair_share(&job->cells[0], &least, &most);
    const char *verdict = share < least ? "too little" : share > most ? "too much" : "fair";
    snprintf(part, sizeof part, "%s%s gets %.1f %% of what all carry", c ? "; " : "",
             job->controllers[c], share);
    add(text, part);
    if (!has_rule)
        return;
    snprintf(part, sizeof part, ", which is %s (%.0f to %.0f %%)", verdict, least, most);
    add(text, part);
}

static void add_jain(char *text, const struct link_job *job, size_t c)
{
    char part[200];
    double jain = link_summary_of(job, 0, c)->median[LINK_jain];
    if (isnan(jain))
        return;
    snprintf(part, sizeof part, "%s%s: Jain's index of its flows is %.3f, which is %s",
             *text ? "; " : "", job->controllers[c], jain,
             jain >= JAIN_LEAST ? "fair" : "not fair (0.95 and more are)");
    add(text, part);
}

static void diagnose_flows(struct report *r, const struct link_job *job)
{
    char text[SENTENCE_ROOM] = "";
    const struct link_cell *cell = &job->cells[0];
    bool has_rivals = false;
    double busy = 0;
    for (size_t i = 0; i < cell->n_flows; i++)
        has_rivals |= cell->flows[i].control != NULL;
    for (size_t c = 0; c < job->n_controllers; c++) {
        if (has_rivals)
            add_share(text, job, c);
        add_jain(text, job, c);
        busy = fmax(busy, link_summary_of(job, 0, c)->median[LINK_utilisation]);
    }
    report_limited(r, "Limited by %s: %s.",
                   busy >= LINK_FULL_PERCENT ? "the path" : "congestion control", text);
}

void link_diagnose(struct report *r, const struct link_job *job)
{
    bool is_one = !job->is_matrix && job->n_controllers == 1;
    if (is_one && !link_summary_of(job, 0, 0)->n)
        return;
    if (job->is_matrix)
        diagnose_matrix(r, job);
    else if (link_has_several(job))
        diagnose_flows(r, job);
    else
        (is_one ? diagnose_one : diagnose_several)(r, job);
}
