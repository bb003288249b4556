/* SPDX-License-Identifier: MIT
 * judge: owns what the kinds of demands look at, and whether they are met. */
#include "tools/sttbench/link/link.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum link_figure figure;
    bool is_most, is_of_worst;
} kinds[LINK_DEMANDS_N] = {[LINK_DEMAND_none] = {.name = ""},
#define LEAST  false
#define MOST   true
#define median false
#define worst  true
#define X(name, figure, most, of)                                                                  \
    [LINK_DEMAND_##name] = {#name, LINK_##figure, most, IS_OF_WORST(of)},
#define IS_OF_WORST(of) of
                           LINK_DEMANDS(X)
#undef X
#undef median
#undef worst
};

static bool is_met(const struct link_demand *d, const struct link_summary *s)
{
    enum link_figure figure = kinds[d->kind].figure;
    double value = kinds[d->kind].is_of_worst ? s->worst[figure] : s->median[figure];
    return kinds[d->kind].is_most ? value <= d->bound : value >= d->bound;
}

unsigned link_misses(const struct link_cell *cell, const struct link_summary *s)
{
    unsigned misses = 0;
    for (size_t i = 0; i < LINK_DEMANDS_MAX && cell->demands[i].kind; i++)
        if (!is_met(&cell->demands[i], s))
            misses |= 1u << cell->demands[i].kind;
    return misses;
}

const char *link_misses_names(unsigned misses, char out[LINK_NAME_ROOM])
{
    strcpy(out, "");
    for (size_t i = 0; i < LINK_DEMANDS_N; i++) {
        size_t len = strlen(out);
        if (misses >> i & 1)
            snprintf(out + len, LINK_NAME_ROOM - len, "%s%s", len ? ", " : "", kinds[i].name);
    }
    return out;
}

enum link_figure link_demand_figure(enum link_demand_kind kind)
{
    return kinds[kind].figure;
}

bool link_demand_is_most(enum link_demand_kind kind)
{
    return kinds[kind].is_most;
}
