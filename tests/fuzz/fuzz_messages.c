/* SPDX-License-Identifier: MIT
 * A reader of messages against a plain one that knows of each byte whether it is here or skipped;
 * bytes, skips and the end are a hostile peer's.
 * Input: length of the stream 1, its bytes, then operations of kind 1 and arguments. */
#include "stt/base/bytes.h"
#include "stt/stream/messages.h"
#include "tests/support/fuzz.h"

enum { WORLD = 256, SKIPS = 6 };

struct model {
    uint8_t stream[WORLD];
    bool here[WORLD + 1], skipped[WORLD + 1]; /* one more, which never is */
    uint64_t begin, at, message_end, end;
    bool is_inside;
};

static uint64_t contiguous(const struct model *m)
{
    uint64_t to = m->at;
    while (m->here[to])
        to++;
    return to;
}

static struct stt_messages_view next_of(const struct model *m)
{
    struct stt_messages_view v = {.is_first = !m->is_inside};
    uint64_t here = contiguous(m), at = m->at;
    if (m->skipped[at]) {
        v.what = STT_MESSAGES_SKIPPED;
        while (m->skipped[at + v.len])
            v.len++;
        return v;
    }
    uint64_t end = m->message_end;
    bool is_whole_header = true;
    if (!m->is_inside) {
        if (here == at) {
            v.what = at == m->end ? STT_MESSAGES_END : STT_MESSAGES_WAIT;
            return v;
        }
        v.header = 1u << (m->stream[at] >> 6);
        is_whole_header = here - at >= v.header;
        uint64_t len = m->stream[at] & 0x3f;
        for (uint32_t i = 1; i < v.header && is_whole_header; i++)
            len = len << 8 | m->stream[at + i];
        end = at + v.header + (is_whole_header ? len : 0);
        for (uint64_t i = at; i < end && i < WORLD; i++)
            if (m->skipped[i]) {
                v.what = STT_MESSAGES_MISPLACED;
                return v;
            }
    }
    v.what = end > m->end      ? STT_MESSAGES_CUT
             : is_whole_header ? STT_MESSAGES_PART
                               : STT_MESSAGES_WAIT;
    v.left = end - at - v.header;
    v.len = here - at - v.header < v.left ? here - at - v.header : v.left;
    return v;
}

static void move_to(struct model *m, uint64_t at)
{
    m->at = at;
    m->is_inside = m->is_inside && at < m->message_end;
    if (!m->is_inside)
        m->begin = at;
    for (uint64_t i = 0; i < at; i++)
        m->skipped[i] = false;
}

/* Looks, in parts that are cut anywhere, and takes some; false when the stream is over. */
static bool look_and_take(struct model *m, struct stt_messages *reader, struct rd *input)
{
    uint64_t here = contiguous(m) - m->at, take = rd_u8(input);
    uint64_t first = rd_u8(input) % (here + 1), second = rd_u8(input) % (here - first + 1);
    const uint8_t *data = m->stream + m->at;
    struct bytes parts[] = {bytes_of(data, first), bytes_of(data + first, second),
                            bytes_of(data + first + second, here - first - second)};
    struct stt_messages_input in = {.parts = parts, .n = 3, .end = m->end};
    struct stt_messages_view v = stt_messages_next(reader, &in), want = next_of(m);
    FUZZ_ASSERT(v.what == want.what && v.is_first == want.is_first);
    if (v.what == STT_MESSAGES_SKIPPED) {
        FUZZ_ASSERT(v.len == want.len && stt_messages_take(reader, &v, 0) == v.len);
        move_to(m, m->at + v.len);
    } else if (v.what == STT_MESSAGES_PART) {
        FUZZ_ASSERT(v.header == want.header && v.len == want.len && v.left == want.left);
        take = take < v.len ? take : v.len;
        uint64_t moved = take || !v.left ? v.header + take : 0;
        FUZZ_ASSERT(stt_messages_take(reader, &v, take) == moved);
        if (moved && !m->is_inside) {
            m->message_end = m->at + v.header + v.left;
            m->is_inside = true;
        }
        move_to(m, m->at + moved);
    }
    return v.what == STT_MESSAGES_WAIT || v.what == STT_MESSAGES_SKIPPED ||
           v.what == STT_MESSAGES_PART;
}

static unsigned runs(const struct model *m)
{
    unsigned n = m->skipped[0];
    for (int i = 1; i < WORLD; i++)
        n += m->skipped[i] && !m->skipped[i - 1];
    return n;
}

static bool is_within(const struct model *m, uint64_t offset)
{
    return m->is_inside && m->begin < offset && offset < m->message_end;
}

static void skip(struct model *m, struct stt_messages *reader, uint64_t from, uint64_t to)
{
    uint64_t last = m->end < WORLD ? m->end : WORLD;
    to = to < last ? to : last;
    if (from >= to)
        return;
    struct model after = *m;
    for (uint64_t i = from > m->at ? from : m->at; i < to; i++)
        after.here[i] = after.skipped[i] = true;
    enum stt_messages_skip want = is_within(m, from) || is_within(m, to)
                                      ? STT_MESSAGES_SKIP_MISPLACED
                                  : to <= m->at          ? STT_MESSAGES_SKIP_LATE
                                  : runs(&after) > SKIPS ? STT_MESSAGES_SKIP_TOO_MANY
                                                         : STT_MESSAGES_SKIP_OK;
    FUZZ_ASSERT(stt_messages_on_skip(reader, from, to - from) == want);
    if (want == STT_MESSAGES_SKIP_OK)
        *m = after;
}

/* FIN, no earlier than what has arrived. */
static void finish(struct model *m, uint64_t end)
{
    uint64_t least = m->at;
    for (uint64_t i = 0; i < WORLD; i++)
        least = m->here[i] && i + 1 > least ? i + 1 : least;
    if (m->end == STT_MESSAGES_NO_END)
        m->end = end > least ? end : least;
}

static void arrive(struct model *m, uint64_t from, uint64_t len)
{
    for (uint64_t i = from; i < from + len && i < WORLD && i < m->end; i++)
        m->here[i] = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd input = rd_init(bytes_of(data, size));
    struct model m = {.end = STT_MESSAGES_NO_END};
    struct bytes stream = rd_bytes(&input, rd_u8(&input));
    if (stream.len)
        memcpy(m.stream, stream.data, stream.len);
    struct stt_range *memory = malloc(SKIPS * sizeof *memory); /* exact for a sanitizer */
    struct stt_messages reader = {.at = 0};
    struct stt_ranges skipped;
    stt_ranges_init(&skipped, memory, SKIPS);
    reader.skipped = &skipped;
    bool goes_on = true;
    while (goes_on && !input.bad && rd_left(&input)) {
        uint8_t kind = rd_u8(&input), from = rd_u8(&input);
        switch (kind % 8) {
        case 0:
            finish(&m, from);
            break;
        case 1:
            skip(&m, &reader, from, from + 1u + rd_u8(&input) % 32);
            break;
        case 2:
        case 3:
            skip(&m, &reader, m.at + from % 8, m.at + from % 8 + 1 + from / 8);
            break;
        case 4:
            arrive(&m, contiguous(&m), from);
            break;
        case 5:
            arrive(&m, from, rd_u8(&input) % 32);
            break;
        default:
            goes_on = look_and_take(&m, &reader, &input);
        }
        FUZZ_ASSERT(reader.at == m.at && reader.begin == m.begin);
    }
    free(memory);
    return 0;
}
