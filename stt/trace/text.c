/* SPDX-License-Identifier: MIT
 * text: an event as a line for people: names and numbers in the order of the table.
 *
 *     12.345678901 4294967297 packets_sent purpose=data first_number=17 end_number=61 bytes=...
 * Spec 09, "Events". */
#include "stt/base/line.h"
#include "stt/trace/codes.h"

static void name_and_number(struct stt_line *l, const char *name, const char *word, uint64_t number)
{
    if (!name)
        return;
    stt_line_text(l, " ");
    stt_line_text(l, name);
    stt_line_text(l, "=");
    if (word)
        stt_line_text(l, word);
    else
        stt_line_number(l, number);
}

size_t stt_trace_text(const struct stt_trace_event *event, char out[STT_TRACE_TEXT_ROOM])
{
    static const struct stt_trace_row unknown = {"unknown", "code", {"0", "1", "2", "3", "4"}};
    const struct stt_trace_row *row = stt_trace_row(event->type);
    struct stt_line l = stt_line_init(out, STT_TRACE_TEXT_ROOM);
    row = row ? row : &unknown;
    stt_line_decimal(&l, event->at, 9);
    stt_line_text(&l, " ");
    stt_line_number(&l, event->subject);
    stt_line_text(&l, " ");
    stt_line_text(&l, row->name);
    name_and_number(&l, row->code, stt_trace_code(event->type, event->code), event->code);
    for (unsigned i = 0; i < STT_TRACE_FIELDS; i++)
        name_and_number(&l, row->field[i], stt_codes_field(event, i), event->field[i]);
    return stt_line_len(&l);
}
