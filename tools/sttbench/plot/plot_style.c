/* SPDX-License-Identifier: MIT
 * plot_style: owns colours and lines: plain rules, which viewers without variables know, too.
 *
 * The colours of series are told apart by people who do not see red and green, and by their
 * brightness; those for a dark page are lighter. */
#include "tools/sttbench/plot/plot_parts.h"

static const struct shade {
    const char *ink, *soft, *page, *grid, *base;
    const char *series[PLOT_COLORS];
} light =
    {
        .ink = "#1a1f27",
        .soft = "#5a6472",
        .page = "#ffffff",
        .grid = "#e6e9ee",
        .base = "#9aa3af",
        .series = {"#0072b8", "#e8702a", "#009a83", "#d6336c", "#5a3fb0", "#8a6d00", "#6b7684"},
},
  dark = {
      .ink = "#e8ebf0",
      .soft = "#9ba6b5",
      .page = "#12161c",
      .grid = "#262d37",
      .base = "#566070",
      .series = {"#4aa8f0", "#ff9a57", "#35c9b0", "#ff7aa2", "#a896ff", "#d9b740", "#a3adba"},
};

static void write_shade(FILE *out, const struct shade *s)
{
    fprintf(out, ".c text,.ink{fill:%s}.c .soft{fill:%s}.page{fill:%s}\n", s->ink, s->soft,
            s->page);
    fprintf(out, ".grid{stroke:%s}.base{stroke:%s}.cross{stroke:%s}.lm{stroke:%s}.fm{fill:%s}\n",
            s->grid, s->base, s->base, s->ink, s->ink);
    for (int i = 0; i < PLOT_COLORS; i++)
        fprintf(out, ".l%d{stroke:%s}.f%d{fill:%s}\n", i, s->series[i], i, s->series[i]);
    fprintf(out, ".dot,.c .halo{stroke:%s}\n", s->page);
}

void plot_style(FILE *out)
{
    fprintf(
        out,
        ".c text{font:%dpx system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\","
        "\"Noto Sans\",\"Liberation Sans\",Arial,sans-serif;"
        "font-variant-numeric:tabular-nums}\n"
        ".line,.end,.grid,.base,.cross,.lm{fill:none}.grid{stroke-width:1}.base{stroke-width:1.2}\n"
        ".line{stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\n"
        ".c .area{stroke:none;opacity:.1}.end{stroke-width:1.2;opacity:.7}\n"
        ".d1{stroke-dasharray:8 5}.d2{stroke-dasharray:2 5}\n"
        ".lm{stroke-width:1.6;stroke-dasharray:5 4;opacity:.75}"
        ".lm.tick{stroke-width:2.4;stroke-dasharray:none;opacity:1}\n"
        ".halo{stroke-width:4;stroke-linejoin:round;paint-order:stroke}"
        ".catch{fill:none;stroke:none;pointer-events:all}\n"
        ".see{opacity:0;pointer-events:none}.band:hover .see{opacity:1}"
        ".cross{stroke-width:1}.dot{stroke-width:1.5}\n"
        ".over{fill-opacity:0}.band:hover .over{fill-opacity:.06}\n",
        PLOT_FONT);
    write_shade(out, &light);
    fputs("@media screen and (prefers-color-scheme:dark){\n", out);
    write_shade(out, &dark);
    fputs("}\n", out);
}
