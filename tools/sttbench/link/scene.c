/* SPDX-License-Identifier: MIT
 * scene: owns how flags become a path with flows and steps, what is refused of them, and when
 * shares are fair. */
#include "tools/sttbench/link/scene.h"

#include "stt/recovery/congestion.h"
#include "tools/common/units.h"
#include "tools/sttbench/shared/share.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { QUEUE_MAX = 100, NAMES_ROOM = 256, ALONE_S = 20, TOGETHER_S = 60, SETTLING_PART = 6 };
#define BDP_MAX  ((double)(256u << 20)) /* with its queue; more memory than a test should take */
#define RATE_MIN 1000
#define RATE_MAX UINT64_C(400000000000)
#define RTT_MIN  10000
#define RTT_MAX  STT_S(10)

const struct link_flow link_alone[1] = {{0}};

/* -- the path ---------------------------------------------------------------------------------- */

static bool read_share(uint32_t *ppm, const char *name, const char *text, char *why)
{
    return !text || share_parse(ppm, text) ||
           options_refuse(why, "--%s wants a share such as 1%% or 0.05%%, and got '%.60s'", name,
                          text);
}

static bool read_factor(double *bdps, const char *name, const char *text, char *why)
{
    return !text || share_parse_factor(bdps, text, QUEUE_MAX) ||
           options_refuse(why,
                          "--%s wants a number above 0 and up to %d such as 0.5, and got '%.60s'",
                          name, QUEUE_MAX, text);
}

static bool check_path(const struct scene_wish *w, char *why)
{
    if (w->rate < RATE_MIN || w->rate > RATE_MAX)
        return options_refuse(why, "--rate is from 1K to 400G");
    if (w->back_rate && (w->back_rate < RATE_MIN || w->back_rate > RATE_MAX))
        return options_refuse(why, "--back-rate is from 1K to 400G");
    if (w->rtt < RTT_MIN || w->rtt > RTT_MAX)
        return options_refuse(why, "--rtt is from 0.01ms to 10s");
    if (w->jitter > RTT_MAX || w->aggregate > RTT_MAX || w->reorder_by > RTT_MAX)
        return options_refuse(why, "--jitter, --aggregate and --reorder-by are up to 10s");
    if (w->police_burst > UINT32_MAX / 4)
        return options_refuse(why, "--police-burst is up to 1G");
    return true;
}

static bool make_path(struct link_path *p, const struct scene_wish *w, char *why)
{
    *p = (struct link_path){
        .rate_bits_per_s = w->rate,
        .rtt_ns = w->rtt,
        .jitter_ns = w->jitter,
        .queue_bdps = 1,
        .reorder_ns = w->reorder_by,
        .aggregate_ns = w->aggregate,
        .back_rate_bits_per_s = w->back_rate,
        .police_bits_per_s = w->police,
        .police_burst_bytes = (uint32_t)w->police_burst,
    };
    return check_path(w, why) && read_share(&p->loss_ppm, "loss", w->loss, why) &&
           read_share(&p->reorder_ppm, "reorder", w->reorder, why) &&
           read_factor(&p->queue_bdps, "queue", w->queue, why) &&
           read_factor(&p->mark_bdps, "mark", w->mark, why);
}

/* -- its changes ------------------------------------------------------------------------------- */

static bool read_step(struct link_step *step, const char *text)
{
    char part[64];
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : sizeof part;
    if (len >= sizeof part)
        return false;
    memcpy(part, text, len);
    part[len] = 0;
    if (!units_parse_duration(&step->at_ns, part) || !step->at_ns)
        return false;
    if (strncmp(colon + 1, "rtt=", 4) == 0)
        return units_parse_duration(&step->rtt_ns, colon + 5) && step->rtt_ns >= RTT_MIN &&
               step->rtt_ns <= RTT_MAX;
    return units_parse_rate(&step->rate_bits_per_s, colon + 1) &&
           step->rate_bits_per_s >= RATE_MIN && step->rate_bits_per_s <= RATE_MAX;
}

static bool make_steps(struct scene *s, const struct scene_wish *w, char *why)
{
    if (w->steps.n > LINK_STEPS_MAX)
        return options_refuse(why, "there are at most %d of --step", LINK_STEPS_MAX);
    for (uint32_t i = 0; i < w->steps.n; i++) {
        if (!read_step(&s->steps[i], w->steps.at[i]))
            return options_refuse(why,
                                  "--step wants a time and what is then, as in 10s:10M or "
                                  "10s:rtt=200ms, and got '%.60s'",
                                  w->steps.at[i]);
        if (i && s->steps[i].at_ns < s->steps[i - 1].at_ns)
            return options_refuse(why, "--step wants the earlier before the later");
    }
    s->cell.steps = s->steps;
    s->cell.n_steps = w->steps.n;
    return true;
}

/* -- who sends --------------------------------------------------------------------------------- */

/* "cubic" is what everybody else has; ours is told from it as stt-cubic. */
static const char *rival(const char *name)
{
    if (!strcmp(name, "cubic") || !strcmp(name, LINK_TCP))
        return LINK_TCP;
    if (!strncmp(name, "stt-", 4))
        name += 4;
    const struct stt_controller *c = stt_controller_by_name(name);
    return c ? c->name : NULL;
}

static bool add_rivals(struct scene *s, const struct scene_wish *w, char *why)
{
    char names[NAMES_ROOM], *rest = names;
    snprintf(names, sizeof names, "%s", w->vs); /* what is too long is no list of names */
    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        const char *control = rival(name);
        if (!control)
            return options_refuse(
                why, "--vs wants cubic, which is TCP's, bbr, stt-cubic and so on, and got '%.40s'",
                name);
        if (s->cell.n_flows == LINK_FLOWS_MAX)
            return options_refuse(why, "there are at most %d flows", LINK_FLOWS_MAX);
        s->flows[s->cell.n_flows++] = (struct link_flow){.control = control};
        s->n_rivals++;
    }
    return true;
}

/* The tested flows come first in the table, and after the others in time. */
static bool make_flows(struct scene *s, const struct scene_wish *w, char *why)
{
    uint32_t n = w->flows ? w->flows : 1;
    for (uint32_t i = 0; i < n; i++)
        s->flows[i] = (struct link_flow){.from_ns = w->stagger * (i + (w->vs != NULL)),
                                         .bytes = w->bytes,
                                         .rate_bits_per_s = w->app_rate};
    s->cell.flows = s->flows;
    s->cell.n_flows = n;
    return !w->vs || add_rivals(s, w, why);
}

/* -- its time ---------------------------------------------------------------------------------- */

static bool make_time(struct scene *s, const struct scene_wish *w, char *why)
{
    struct link_cell *c = &s->cell;
    stt_ns last = 0, usual = STT_S(c->n_flows > 1 ? TOGETHER_S : ALONE_S);
    for (size_t i = 0; i < c->n_flows; i++)
        last = c->flows[i].from_ns > last ? c->flows[i].from_ns : last;
    usual = w->bytes && !s->n_rivals ? STT_S(3600) : usual + last;
    if (c->n_steps)
        usual += c->steps[c->n_steps - 1].at_ns;
    c->time_ns = w->time ? w->time : usual;
    if (last >= c->time_ns)
        return options_refuse(why, "the last flow would begin after the end; take a longer --time");
    if (c->n_flows > 1 && !w->bytes)
        c->from_ns = last + (c->time_ns - last) / SETTLING_PART;
    if (w->from)
        c->from_ns = w->from;
    if (c->from_ns >= c->time_ns)
        return options_refuse(why, "--from is after the end; take a longer --time");
    return true;
}

static bool is_too_large(const struct link_cell *c)
{
    struct link_path most = c->path;
    for (size_t i = 0; i < c->n_steps; i++) {
        const struct link_step *s = &c->steps[i];
        most.rtt_ns = s->rtt_ns > most.rtt_ns ? s->rtt_ns : most.rtt_ns;
        if (s->rate_bits_per_s > most.rate_bits_per_s)
            most.rate_bits_per_s = s->rate_bits_per_s;
    }
    return (double)link_bdp_bytes(&most) * fmax(c->path.queue_bdps, 1) > BDP_MAX;
}

bool scene_make(struct scene *s, const struct scene_wish *w, char why[OPTION_WHY_ROOM])
{
    *s = (struct scene){0};
    if (!make_path(&s->cell.path, w, why) || !make_steps(s, w, why) || !make_flows(s, w, why) ||
        !make_time(s, w, why))
        return false;
    if (s->cell.path.police_bits_per_s && !w->police_burst) /* what comes in a round trip */
        s->cell.path.police_burst_bytes = (uint32_t)fmax(
            (double)w->police / 8 * (double)w->rtt * 1e-9, 16 * (LINK_HEADERS + 1500));
    return !is_too_large(&s->cell) ||
           options_refuse(why, "more than 256 MiB would be on this path at once; take a lower "
                               "--rate, --rtt or --queue");
}

/* -- when it is fair --------------------------------------------------------------------------- */

/* Of one flow beside one; of more, the odds are as many times theirs. */
static double share_of(double percent, double tested, double others)
{
    double odds = percent / (100 - percent) * tested / others;
    return odds / (1 + odds) * 100;
}

bool scene_fair_share(const struct link_cell *cell, double *least, double *most)
{
    static const struct {
        double until_bdps, least, most;
    } rules[] = {{0.2, 0, 75}, {0.99, 25, 75}, {1.01, 35, 65}, {4, 25, 75}};
    size_t tested = 0, i = 0, n = sizeof rules / sizeof rules[0];
    for (size_t k = 0; k < cell->n_flows; k++)
        tested += !cell->flows[k].control;
    while (i < n && cell->path.queue_bdps > rules[i].until_bdps)
        i++;
    if (i == n || tested == cell->n_flows)
        return false;
    *least = share_of(rules[i].least, (double)tested, (double)(cell->n_flows - tested));
    *most = share_of(rules[i].most, (double)tested, (double)(cell->n_flows - tested));
    return true;
}
