/* SPDX-License-Identifier: MIT
 * scene: owns the words for flows and steps, and what they make of a link. The queue keeps its
 * bytes when rate or distance change, as a router's does. */
#include "tests/bench/rivals/scene.h"

#include "stt/recovery/congestion.h"
#include "tools/common/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_BACK_BYTES 65536 /* acks have room, however slow their way */

static bool name_flow(struct scene_flow *f, const char *name, char *why)
{
    const struct stt_controller *ours;
    if (strlen(name) >= sizeof f->name)
        return options_refuse(why, "'%.40s' is too long for the name of a flow", name);
    strcpy(f->name, name);
    f->is_tcp = strcmp(name, "tcp") == 0 || strncmp(name, "tcp:", 4) == 0;
    f->congestion = name[3] ? f->name + 4 : "cubic";
    if (f->is_tcp)
        return true;
    ours = stt_controller_by_name(strncmp(name, "stt-", 4) == 0 ? name + 4 : name);
    if (!ours)
        return options_refuse(why,
                              "STT has no congestion control called '%.40s'; the kernel's are "
                              "called tcp:cubic and tcp:bbr",
                              name);
    f->congestion = ours->name;
    return true;
}

bool scene_add_flow(struct scene *s, const char *text, char why[OPTION_WHY_ROOM])
{
    char copy[96], *rest = copy, *at, *duration;
    if (s->n_flows == SCENE_FLOWS_MAX)
        return options_refuse(why, "there can be %d flows", SCENE_FLOWS_MAX);
    struct scene_flow *f = &s->flows[s->n_flows];
    *f = (struct scene_flow){.duration_ns = STT_NEVER, .is_tested = true};
    snprintf(copy, sizeof copy, "%s", text);
    duration = strchr(copy, '+');
    if (duration)
        *duration++ = 0;
    at = strchr(copy, '@');
    if (at)
        *at++ = 0;
    if ((at && !units_parse_duration(&f->start_ns, at)) ||
        (duration && !units_parse_duration(&f->duration_ns, duration)))
        return options_refuse(why,
                              "--flow wants a name and times as in tcp:cubic@5s+20s, and got "
                              "'%.60s'",
                              text);
    if (!name_flow(f, rest, why))
        return false;
    s->n_flows++;
    return true;
}

/* What others call cubic and bbr is the kernel's; ours are stt-cubic and so on. */
static bool add_rival(struct scene *s, const char *name, char why[OPTION_WHY_ROOM])
{
    char text[64];
    bool is_kernels = strcmp(name, "cubic") == 0 || strcmp(name, "bbr") == 0;
    snprintf(text, sizeof text, "%s%.40s", is_kernels ? "tcp:" : "", name);
    if (!scene_add_flow(s, text, why))
        return false;
    s->flows[s->n_flows - 1].is_tested = false;
    return true;
}

bool scene_add_cast(struct scene *s, const struct scene_cast *c, char why[OPTION_WHY_ROOM])
{
    char names[256], *rest = names;
    stt_ns start = c->vs ? c->stagger_ns : 0;
    snprintf(names, sizeof names, "%s", c->tested);
    for (char *name; (name = strsep(&rest, ",")) != NULL;)
        for (uint32_t i = 0; i < c->n_tested; i++, start += c->stagger_ns) {
            if (!scene_add_flow(s, name, why))
                return false;
            s->flows[s->n_flows - 1].start_ns = start;
        }
    snprintf(names, sizeof names, "%s", c->vs ? c->vs : "");
    rest = c->vs ? names : NULL;
    for (char *name; (name = strsep(&rest, ",")) != NULL;)
        if (!add_rival(s, name, why))
            return false;
    return true;
}

bool scene_add_step(struct scene *s, const char *text, char why[OPTION_WHY_ROOM])
{
    char copy[96], *what;
    struct scene_step *step = &s->steps[s->n_steps];
    if (s->n_steps == SCENE_STEPS_MAX)
        return options_refuse(why, "there can be %d steps", SCENE_STEPS_MAX);
    *step = (struct scene_step){0};
    snprintf(copy, sizeof copy, "%s", text);
    what = strchr(copy, ':');
    if (what)
        *what++ = 0;
    if (!what || !units_parse_duration(&step->at_ns, copy) ||
        !(strncmp(what, "rtt=", 4) == 0 ? units_parse_duration(&step->rtt_ns, what + 4)
                                        : units_parse_rate(&step->rate_bits_per_s, what)))
        return options_refuse(why, "--step wants 10s:10M or 10s:rtt=200ms, and got '%.60s'", text);
    s->n_steps++;
    return true;
}

uint64_t scene_bdp_bytes(const struct scene *s)
{
    return (uint64_t)((double)s->rate_bits_per_s / 8 * (double)s->rtt_ns * 1e-9);
}

uint64_t scene_most_under_way(const struct scene *s)
{
    uint64_t most = 0;
    for (size_t i = 0; i <= s->n_steps; i++) {
        struct stt_link_config c = scene_forth(s, i);
        double bdp = (double)c.rate_bits_per_s / 8 * (double)c.delay_ns * 2e-9;
        most = (uint64_t)fmax((double)most, bdp + (double)c.queue_bytes);
    }
    return most;
}

static uint32_t queue_bytes(const struct scene *s, double bdps)
{
    return (uint32_t)fmax((double)scene_bdp_bytes(s) * bdps, SCENE_MTU);
}

/* Packets are IP packets here, so there is no header around them. */
static struct stt_link_config both_ways(const struct scene *s, size_t steps)
{
    struct stt_link_config c = {
        .rate_bits_per_s = s->rate_bits_per_s,
        .delay_ns = s->rtt_ns / 2,
        .jitter_ns = s->jitter_ns,
        .queue_bytes = queue_bytes(s, s->queue_bdps),
        .loss_ppm = s->loss_ppm,
        .reorder_ppm = s->reorder_ppm,
        .reorder_ns = s->reorder_ns ? s->reorder_ns : s->rtt_ns / 5,
    };
    for (size_t i = 0; i < steps; i++) {
        if (s->steps[i].rate_bits_per_s)
            c.rate_bits_per_s = s->steps[i].rate_bits_per_s;
        if (s->steps[i].rtt_ns)
            c.delay_ns = s->steps[i].rtt_ns / 2;
    }
    return c;
}

struct stt_link_config scene_forth(const struct scene *s, size_t steps)
{
    struct stt_link_config c = both_ways(s, steps);
    c.police_bits_per_s = s->police_bits_per_s;
    c.police_burst_bytes = (uint32_t)s->police_burst_bytes;
    c.ecn_mark_bytes =
        s->mark_bdps > 0 ? (uint32_t)fmax((double)scene_bdp_bytes(s) * s->mark_bdps, 1) : 0;
    return c;
}

struct stt_link_config scene_back(const struct scene *s, size_t steps)
{
    struct stt_link_config c = both_ways(s, steps);
    double part = (double)s->back_rate_bits_per_s / (double)s->rate_bits_per_s;
    c.aggregate_ns = s->aggregate_ns;
    if (!s->back_rate_bits_per_s)
        return c;
    c.rate_bits_per_s = s->back_rate_bits_per_s;
    c.queue_bytes = (uint32_t)fmax(c.queue_bytes * part, LEAST_BACK_BYTES);
    return c;
}
