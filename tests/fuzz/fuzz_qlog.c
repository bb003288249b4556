/* SPDX-License-Identifier: MIT
 * Any event becomes records that a strict reader takes and that have what the schema demands, in
 * the room that they are promised; and a line of text. Any title makes a head.
 * Input: start 8, length of the title 1, title; then events: at 8, subject 8, type 1, code 4,
 * five fields of a length 1 and so many bytes, at most 8. */
#include "stt/base/bytes.h"
#include "stt/qlog.h"
#include "tests/support/fuzz.h"
#include "tests/support/qlog.h"

enum { RECORDS_MAX = 200 }; /* of one event: a train may be as long as its numbers say */

/* In memory of exactly this size, for a sanitizer. */
static char *record;

static void check_head(const struct stt_qlog *qlog)
{
    size_t len = stt_qlog_head(qlog, record);
    const char *mistake = qlog_head_mistake(record, len);
    FUZZ_ASSERT(len < STT_QLOG_RECORD_ROOM && record[len] == 0);
    FUZZ_ASSERT(!mistake);
}

static void check_records(const struct stt_qlog *qlog, const struct stt_trace_event *event)
{
    uint64_t place = 0;
    size_t len;
    for (int n = 0; n < RECORDS_MAX && (len = stt_qlog_record(qlog, event, &place, record)); n++) {
        FUZZ_ASSERT(place == (uint64_t)n + 1 && len < STT_QLOG_RECORD_ROOM && record[len] == 0);
        const char *mistake = qlog_mistake(record, len, false);
        FUZZ_ASSERT(!mistake);
    }
    FUZZ_ASSERT(place > 0);
}

/* A place that is far behind is there or is not, and is never out of bounds. */
static void check_far(const struct stt_qlog *qlog, const struct stt_trace_event *event,
                      uint64_t place)
{
    uint64_t before = place;
    size_t len = stt_qlog_record(qlog, event, &place, record);
    FUZZ_ASSERT(len ? place == before + 1 && !qlog_mistake(record, len, false) : place == before);
}

static void check_text(const struct stt_trace_event *event)
{
    char *text = malloc(STT_TRACE_TEXT_ROOM);
    size_t len = stt_trace_text(event, text);
    FUZZ_ASSERT(len > 0 && len < STT_TRACE_TEXT_ROOM && strlen(text) == len);
    for (size_t i = 0; i < len; i++)
        FUZZ_ASSERT(text[i] >= 0x20 && text[i] < 0x7f);
    free(text);
}

static struct stt_trace_event read_event(struct rd *input)
{
    struct stt_trace_event event = {.at = rd_u64(input)};
    event.subject = rd_u64(input);
    event.type = rd_u8(input);
    event.code = rd_u32(input);
    for (int i = 0; i < STT_TRACE_FIELDS; i++) {
        unsigned size = rd_u8(input) % 9u;
        event.field[i] = size ? rd_uint(input, size) : 0;
    }
    return event;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd input = rd_init(bytes_of(data, size));
    struct stt_qlog qlog = {.start = rd_u64(&input)};
    struct bytes title = rd_bytes(&input, rd_u8(&input));
    char *text = calloc(title.len + 1, 1);
    record = malloc(STT_QLOG_RECORD_ROOM);
    FUZZ_ASSERT(text && record);
    if (title.len)
        memcpy(text, title.data, title.len);
    qlog.title = text;
    qlog.side = (enum stt_qlog_side)(size % 3);
    qlog.start_unix_ms = qlog.start;
    check_head(&qlog);
    for (;;) {
        struct stt_trace_event event = read_event(&input);
        if (input.bad)
            break;
        check_records(&qlog, &event);
        check_far(&qlog, &event, event.field[4]);
        check_text(&event);
    }
    free(record);
    free(text);
    return 0;
}
