/* SPDX-License-Identifier: MIT
 * json: the syntax of RFC 8259 and nothing else. Invariant: what was written is the beginning of a
 * valid object, as long as the memory holds it. */
#include "stt/trace/json.h"

enum { TEXT_MAX = 64 };

struct stt_json stt_json_init(char *out, size_t bytes, const char *first)
{
    struct stt_json j = {.line = stt_line_init(out, bytes)};
    stt_line_text(&j.line, first);
    stt_line_text(&j.line, "{");
    return j;
}

size_t stt_json_end(struct stt_json *j)
{
    stt_line_text(&j->line, "}\n");
    return stt_line_len(&j->line);
}

static void name_it(struct stt_json *j, const char *name)
{
    stt_line_text(&j->line, j->has_members ? ",\"" : "\"");
    stt_line_text(&j->line, name);
    stt_line_text(&j->line, "\":");
    j->has_members = true;
}

void stt_json_open(struct stt_json *j, const char *name)
{
    name_it(j, name);
    stt_line_text(&j->line, "{");
    j->has_members = false;
}

void stt_json_close(struct stt_json *j)
{
    stt_line_text(&j->line, "}");
    j->has_members = true;
}

void stt_json_number(struct stt_json *j, const char *name, uint64_t n)
{
    const char *quote = n > STT_JSON_EXACT_MAX ? "\"" : "";
    name_it(j, name);
    stt_line_text(&j->line, quote);
    stt_line_number(&j->line, n);
    stt_line_text(&j->line, quote);
}

void stt_json_ms(struct stt_json *j, const char *name, uint64_t ns)
{
    name_it(j, name);
    stt_line_decimal(&j->line, ns, 6);
}

void stt_json_true(struct stt_json *j, const char *name)
{
    name_it(j, name);
    stt_line_text(&j->line, "true");
}

void stt_json_text(struct stt_json *j, const char *name, const char *text)
{
    name_it(j, name);
    stt_line_text(&j->line, "\"");
    for (size_t i = 0; i < TEXT_MAX && text[i]; i++) {
        char c = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '.';
        const char escaped[] = {'\\', c, 0};
        stt_line_text(&j->line, c == '"' || c == '\\' ? escaped : escaped + 1);
    }
    stt_line_text(&j->line, "\"");
}

void stt_json_list(struct stt_json *j, const char *name, const char *items)
{
    name_it(j, name);
    stt_line_text(&j->line, "[");
    stt_line_text(&j->line, items);
    stt_line_text(&j->line, "]");
}
