/* SPDX-License-Identifier: MIT
 * plot_html: owns the page for a browser: what limited the run, the charts, the figures. It loads
 * nothing, and without its script it shows the same.
 *
 * Each chart is drawn twice, for wide windows and for narrow ones; one of the two is shown. */
#include "tools/sttbench/plot/plot_parts.h"

#include <string.h>

enum { LONG = 13 }; /* a value that is no number */

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1a1f27;--soft:#5a6472;--page:#fff;--card:#f5f7f9;"
    "--line:#e2e6eb;--say:#0072b8;--bad:#c62f2f}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--ink:#e8ebf0;--soft:#9ba6b5;"
    "--page:#12161c;--card:#1a2028;--line:#2b333e;--say:#4aa8f0;--bad:#ff7b72}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"
    "\"Segoe UI\",Roboto,\"Helvetica Neue\",\"Noto Sans\",\"Liberation Sans\",Arial,sans-serif}\n"
    "main{max-width:960px;margin:0 auto;padding:clamp(20px,5vw,52px) clamp(16px,4vw,40px)}\n"
    "h1{font-size:clamp(22px,3.4vw,30px);line-height:1.22;font-weight:650;letter-spacing:-.012em;"
    "margin:0 0 18px;text-wrap:balance}\n"
    "h2{font-size:18px;font-weight:620;margin:0 0 14px}\n"
    ".say{margin:0 0 12px;padding:13px 18px;background:var(--card);border-left:4px solid "
    "var(--say);border-radius:3px 8px 8px 3px;font-size:17px}.bad{border-color:var(--bad)}\n"
    "figure,section{margin:44px 0 0}figure svg{display:block;width:100%;height:auto;"
    "overflow:visible}.narrow{display:none!important}\n"
    "dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:10px;margin:0}\n"
    "dl div{background:var(--card);border-radius:8px;padding:11px 15px 12px}"
    "dt{color:var(--soft);font-size:13.5px}"
    "dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}"
    "dd.long{font-size:15px;line-height:1.6;overflow-wrap:anywhere}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;min-width:100%;font-size:14.5px;"
    "font-variant-numeric:tabular-nums}th{color:var(--soft);font-weight:500;font-size:13.5px;"
    "vertical-align:bottom}th,td{padding:7px 0 7px 22px;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--line)}th.t,td.t{text-align:left}"
    "th:first-child,td:first-child{padding-left:0}tbody tr:hover{background:var(--card)}\n"
    "ul{margin:36px 0 0;padding:0;list-style:none;color:var(--soft);font-size:15px}"
    "li{margin:0 0 6px}footer{margin:44px 0 0;padding-top:14px;border-top:1px solid var(--line);"
    "color:var(--soft);font-size:13.5px}\n"
    "#tip{position:fixed;z-index:9;left:0;top:0;display:none;pointer-events:none;max-width:min("
    "340px,90vw);padding:8px 12px;border-radius:8px;background:var(--page);color:var(--ink);"
    "border:1px solid var(--line);box-shadow:0 6px 24px rgba(0,0,0,.16);font-size:13.5px;"
    "line-height:1.55;font-variant-numeric:tabular-nums}#tip b{display:block;font-weight:600}"
    "#tip div{display:flex;justify-content:space-between;gap:18px}#tip span{color:var(--soft)}\n"
    "@media (max-width:620px){.wide{display:none!important}.narrow{display:block!important}"
    "dl{grid-template-columns:1fr 1fr}}\n"
    "@media print{main{max-width:none;padding:0}figure,dl,tr{break-inside:avoid}"
    "h2{break-after:avoid}#tip{display:none!important}.wide{display:block!important}"
    ".narrow{display:none!important}}\n";

/* The <title> of what is under the pointer, at once, beside it, and in columns. */
static const char script[] =
    "(function(){'use strict';var tip=document.createElement('div'),shown=null;tip.id='tip';\n"
    "document.body.appendChild(tip);\n"
    "function add(to,name,text){var e=document.createElement(name);e.textContent=text;"
    "to.appendChild(e);return e}\n"
    "function fill(band){tip.textContent='';band.tip.forEach(function(line,i){\n"
    "var at=line.lastIndexOf(': ');if(!i||at<0){add(tip,i?'div':'b',line);return}\n"
    "var row=add(tip,'div','');add(row,'span',line.slice(0,at));add(row,'i',line.slice(at+2))"
    ".style.fontStyle='normal'})}\n"
    "function place(e){var w=tip.offsetWidth,h=tip.offsetHeight,x=e.clientX+16,y=e.clientY-h-12;\n"
    "if(x+w>innerWidth-8)x=Math.max(8,e.clientX-w-16);if(y<8)y=e.clientY+18;\n"
    "tip.style.transform='translate('+x+'px,'+y+'px)'}\n"
    "document.querySelectorAll('.band').forEach(function(band){\n"
    "var t=band.querySelector('title');band.tip=t.textContent.split('\\n');band.removeChild(t)});\n"
    "function look(e){var band=e.target.closest&&e.target.closest('.band');\n"
    "if(!band){tip.style.display='none';shown=null;return}\n"
    "if(band!==shown){fill(band);tip.style.display='block';shown=band}place(e)}\n"
    "addEventListener('pointermove',look);addEventListener('pointerdown',look);\n"
    "addEventListener('scroll',function(){tip.style.display='none';shown=null},{passive:true});\n"
    "})();\n";

static void element(FILE *out, const char *open, const char *text, const char *close)
{
    fputs(open, out);
    plot_text(out, text);
    fputs(close, out);
}

/* -- parts ------------------------------------------------------------------------------------- */

static void draw(FILE *out, const struct report_chart *c, int width, const char *class)
{
    fprintf(out, "<svg class=\"c %s\" viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"", class,
            width, plot_chart_height(c, width));
    plot_text(out, c->words);
    fputs("\">\n", out);
    plot_chart(out, c, width);
    fputs("</svg>\n", out);
}

static void figure(FILE *out, const struct report_chart *c)
{
    element(out, "<figure>\n<figcaption><h2>", c->words, "</h2></figcaption>\n");
    draw(out, c, PLOT_WIDE, "wide");
    draw(out, c, PLOT_NARROW, "narrow");
    fputs("</figure>\n", out);
}

static void lines(FILE *out, const struct plot_page *page)
{
    fputs("<section>\n<h2>Figures</h2>\n<dl>\n", out);
    for (size_t i = 0; i < page->n_lines; i++) {
        const struct report_line *l = &page->lines[i];
        element(out, "<div><dt>", l->words, "</dt>");
        element(out, strlen(l->value) > LONG ? "<dd class=\"long\">" : "<dd>", l->value,
                "</dd></div>\n");
    }
    fputs("</dl>\n</section>\n", out);
}

static void row(FILE *out, const struct report_grid *g, size_t at)
{
    char open[24], close[24];
    fputs("<tr>", out);
    for (size_t i = 0; i < g->columns; i++) {
        const char *name = at ? "td" : "th";
        snprintf(open, sizeof open, "<%s%s>", name, g->are_texts[i] ? " class=\"t\"" : "");
        snprintf(close, sizeof close, "</%s>", name);
        element(out, open, g->cells[at * g->columns + i], close);
    }
    fputs("</tr>\n", out);
}

static void table(FILE *out, const struct report_grid *g)
{
    element(out, "<section>\n<h2>", g->words, "</h2>\n<div class=\"scroll\"><table>\n<thead>");
    row(out, g, 0);
    fputs("</thead>\n<tbody>\n", out);
    for (size_t i = 1; i < g->rows; i++)
        row(out, g, i);
    fputs("</tbody></table></div>\n</section>\n", out);
}

static void notes(FILE *out, const struct plot_page *page)
{
    fputs("<ul>\n", out);
    for (size_t i = 0; i < page->n_notes; i++)
        element(out, "<li>", page->notes[i], "</li>\n");
    fputs("</ul>\n", out);
}

void plot_html(FILE *out, const struct plot_page *page)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
          out);
    element(out, "<title>", page->title, "</title>\n<style>\n");
    fputs(style, out);
    plot_style(out);
    element(out, "</style>\n</head>\n<body>\n<main>\n<h1>", page->title, "</h1>\n");
    if (page->error)
        element(out, "<p class=\"say bad\">", page->error, "</p>\n");
    if (page->sentence)
        element(out, "<p class=\"say\">", page->sentence, "</p>\n");
    for (const struct report_chart *c = page->charts; c; c = c->next)
        figure(out, c);
    if (page->n_lines)
        lines(out, page);
    for (const struct report_grid *g = page->grids; g; g = g->next)
        table(out, g);
    if (page->n_notes)
        notes(out, page);
    fputs("<footer>Measured by sttbench; sttbench(1) says what each figure is.</footer>\n"
          "</main>\n<script>\n",
          out);
    fputs(script, out);
    fputs("</script>\n</body>\n</html>\n", out);
}
