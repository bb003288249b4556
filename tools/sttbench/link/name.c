/* SPDX-License-Identifier: MIT
 * name: owns how paths, cells and demands are called. */
#include "tools/sttbench/link/telling.h"

#include <stdio.h>
#include <string.h>

/* "50.0 ms" is "50 ms". */
static void shorten(char *text)
{
    char *unit_at = strchr(text, ' ');
    if (!strchr(text, '.') || !unit_at)
        return;
    char *end = unit_at;
    while (end[-1] == '0')
        end--;
    end -= end[-1] == '.';
    memmove(end, unit_at, strlen(unit_at) + 1);
}

static void add_words(char out[LINK_NAME_ROOM], const char *words)
{
    size_t len = strlen(out);
    snprintf(out + len, LINK_NAME_ROOM - len, "%s%s", len ? ", " : "", words);
}

static void add_value(char out[LINK_NAME_ROOM], enum report_unit unit, double value)
{
    char text[REPORT_VALUE_ROOM];
    report_value(text, unit, value);
    shorten(text);
    add_words(out, text);
}

static void add_path(char out[LINK_NAME_ROOM], const struct link_path *path)
{
    *out = 0;
    add_value(out, REPORT_BITS_PER_S, (double)path->rate_bits_per_s);
    add_value(out, REPORT_NS, (double)path->rtt_ns);
    if (!path->loss_ppm)
        return;
    add_value(out, REPORT_PERCENT, path->loss_ppm * 1e-4);
    strncat(out, " loss", LINK_NAME_ROOM - strlen(out) - 1);
}

const char *link_path_name(const struct link_path *path, char out[LINK_NAME_ROOM])
{
    add_path(out, path);
    if (!path->loss_ppm)
        add_words(out, "no loss");
    return out;
}

const char *link_cell_name(const struct link_cell *cell, char out[LINK_NAME_ROOM])
{
    if (!cell->name)
        return link_path_name(&cell->path, out);
    add_path(out, &cell->path);
    add_words(out, cell->name);
    return out;
}

const char *link_figure_words(enum link_figure figure, double value, char out[REPORT_VALUE_ROOM])
{
    static const enum report_unit units[] = {
#define X(name, unit, words, shown, worse, has_worst) [LINK_##name] = REPORT_##shown,
        LINK_FIGURES(X)
#undef X
    };
    report_value(out, units[figure], value);
    shorten(out);
    return out;
}

const char *link_demand_words(const struct link_cell *cell, char out[LINK_NAME_ROOM])
{
    char value[REPORT_VALUE_ROOM];
    const struct link_demand *d = cell->demands;
    *out = 0;
    if (d->kind == LINK_DEMAND_share && d[1].kind == LINK_DEMAND_greed)
        snprintf(out, LINK_NAME_ROOM, "%.0f to %.0f %%", d->bound, d[1].bound);
    else if (d->kind)
        snprintf(out, LINK_NAME_ROOM, "%s %s", link_demand_is_most(d->kind) ? "<=" : ">=",
                 link_figure_words(link_demand_figure(d->kind), d->bound, value));
    return out;
}

static bool is_same(const struct link_flow *a, const struct link_flow *b)
{
    return a->control == b->control ||
           (a->control && b->control && strcmp(a->control, b->control) == 0);
}

const char *link_flow_name(const struct link_cell *cell, const char *tested, size_t flow,
                           char out[LINK_NAME_ROOM])
{
    const struct link_flow *f = &cell->flows[flow];
    bool is_tcp = f->control && strcmp(f->control, LINK_TCP) == 0;
    size_t number = 0, n = 0;
    for (size_t i = 0; i < cell->n_flows; i++) {
        n += is_same(&cell->flows[i], f);
        number += i <= flow && is_same(&cell->flows[i], f);
    }
    snprintf(out, LINK_NAME_ROOM, "%s", is_tcp ? "TCP cubic" : f->control ? f->control : tested);
    if (f->control && strcmp(f->control, tested) == 0)
        strcat(out, ", rival");
    size_t len = strlen(out);
    if (n > 1)
        snprintf(out + len, LINK_NAME_ROOM - len, " %zu", number);
    return out;
}
