/* SPDX-License-Identifier: MIT
 * messages: owns nothing; the ranges that are skipped live in the caller's memory.
 *
 * Invariants: begin <= at; at == begin between two messages, at < end inside of one; a skipped
 * range ends above `at`. It must not know how bytes are kept, nor frames, nor flow control.
 *
 * Bounds are known of the message at the reader's place only: those of the messages behind it are
 * found when it gets there, and a SKIP that cuts one is found then. Spec 05, "Messages". */
#include "stt/stream/messages.h"

#include <assert.h>

static bool is_inside(const struct stt_messages *m)
{
    return m->at != m->begin;
}

/* The first skipped range; one that nothing reaches when there is none. */
static struct stt_range first_skipped(const struct stt_messages *m)
{
    bool has_some = m->skipped && !stt_ranges_is_empty(m->skipped);
    return has_some ? m->skipped->at[0] : (struct stt_range){UINT64_MAX, UINT64_MAX};
}

static uint64_t total(const struct stt_messages_input *input)
{
    uint64_t len = 0;
    for (size_t i = 0; i < input->n; i++)
        len += input->parts[i].len;
    return len;
}

/* The header may lie in several parts: a copy of its few bytes is in one. */
static struct rd header_reader(uint8_t copy[STT_MESSAGES_HEADER_BYTES_MAX],
                               const struct stt_messages_input *input)
{
    size_t len = 0;
    for (size_t i = 0; i < input->n && len < STT_MESSAGES_HEADER_BYTES_MAX; i++) {
        size_t more = STT_MESSAGES_HEADER_BYTES_MAX - len;
        more = input->parts[i].len < more ? input->parts[i].len : more;
        if (more)
            memcpy(copy + len, input->parts[i].data, more);
        len += more;
    }
    return rd_init(bytes_of(copy, len));
}

size_t stt_messages_header(uint8_t out[STT_MESSAGES_HEADER_BYTES_MAX], uint64_t len)
{
    struct wr w = wr_init(out, STT_MESSAGES_HEADER_BYTES_MAX);
    wr_varint(&w, len);
    assert(!w.bad);
    return wr_len(&w);
}

/* At the place between two messages. */
static struct stt_messages_view look_at_header(const struct stt_messages *m,
                                               const struct stt_messages_input *input)
{
    struct stt_messages_view v = {.what = STT_MESSAGES_WAIT, .is_first = true};
    uint8_t copy[STT_MESSAGES_HEADER_BYTES_MAX];
    struct rd r = header_reader(copy, input);
    size_t here = rd_left(&r);
    v.left = rd_varint(&r);
    if (here == 0) {
        v.what = m->at == input->end ? STT_MESSAGES_END : STT_MESSAGES_WAIT;
        return v;
    }
    /* Of a header that is not all here, the first byte still tells the size. */
    v.header = 1u << (copy[0] >> 6);
    uint64_t end = m->at + v.header + v.left;
    if (first_skipped(m).from < end)
        v.what = STT_MESSAGES_MISPLACED;
    else if (input->end < end)
        v.what = STT_MESSAGES_CUT;
    else if (!r.bad)
        v.what = STT_MESSAGES_PART;
    return v;
}

struct stt_messages_view stt_messages_next(const struct stt_messages *m,
                                           const struct stt_messages_input *input)
{
    struct stt_range skipped = first_skipped(m);
    struct stt_messages_view v = {.is_first = !is_inside(m)};
    if (skipped.from <= m->at) {
        v.what = STT_MESSAGES_SKIPPED;
        v.len = skipped.to - m->at;
        return v;
    }
    if (is_inside(m)) {
        v.what = input->end < m->end ? STT_MESSAGES_CUT : STT_MESSAGES_PART;
        v.left = m->end - m->at;
    } else {
        v = look_at_header(m, input);
    }
    if (v.what != STT_MESSAGES_PART)
        return v;
    uint64_t here = total(input) - v.header;
    v.len = here < v.left ? here : v.left;
    return v;
}

/* On to `at`; a message that ends there is behind the reader. */
static uint64_t move_to(struct stt_messages *m, uint64_t at)
{
    uint64_t moved = at - m->at;
    m->at = at;
    if (at >= m->end)
        m->begin = at;
    if (m->skipped)
        stt_ranges_drop_below(m->skipped, at);
    return moved;
}

uint64_t stt_messages_take(struct stt_messages *m, const struct stt_messages_view *view,
                           uint64_t len)
{
    if (view->what == STT_MESSAGES_SKIPPED)
        return move_to(m, m->at + view->len);
    assert(view->what == STT_MESSAGES_PART && len <= view->len);
    if (len == 0 && view->left)
        return 0;
    if (!is_inside(m))
        m->end = m->at + view->header + view->left;
    return move_to(m, m->at + view->header + len);
}

static bool is_within_message(const struct stt_messages *m, uint64_t offset)
{
    return is_inside(m) && m->begin < offset && offset < m->end;
}

enum stt_messages_skip stt_messages_on_skip(struct stt_messages *m, uint64_t offset, uint64_t len)
{
    uint64_t to = offset + len;
    if (is_within_message(m, offset) || is_within_message(m, to))
        return STT_MESSAGES_SKIP_MISPLACED;
    if (to <= m->at)
        return STT_MESSAGES_SKIP_LATE;
    bool is_added = m->skipped && stt_ranges_add(m->skipped, offset, to) == STT_OK;
    return is_added ? STT_MESSAGES_SKIP_OK : STT_MESSAGES_SKIP_TOO_MANY;
}
