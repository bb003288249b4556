/* SPDX-License-Identifier: MIT
 * plot: to be written. */
#include "tools/sttbench/plot.h"

void plot_svg(FILE *out, const struct plot_page *page)
{
    fprintf(out, "%s", page->title);
}

void plot_html(FILE *out, const struct plot_page *page)
{
    fprintf(out, "%s", page->title);
}
