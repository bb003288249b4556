/* SPDX-License-Identifier: MIT
 * reader: pulls records out of a lane, one piece a call. Heads are gathered until they are whole;
 * data stays in the stream's memory until the next call.
 *
 *     RECORD -> RUN -> RUN_DATA -> RUN ... -> RECORD_END -> RECORD
 *
 * Whether an index, a place or a length can be is for others to judge. Spec 10, "Files". */
#include "tools/sttcat/reader.h"

enum { RECORD_BYTES = 16, RUN_BYTES = 8, END_BYTES = 25 };
static const uint64_t hole_bit = UINT64_C(1) << 63;

static stt_ns now(const struct reader *r)
{
    return r->peer->loop->now;
}

/* Nothing to read, which may be so for good. */
static enum reader_step wait_or_end(const struct reader *r)
{
    struct stt_stream_info info;
    if (stt_stream_info(r->peer->ep, r->stream, &info) == STT_OK && !info.is_read_to_end)
        return READER_WAITS;
    return r->phase == READER_RECORD && !r->head_len ? READER_OVER : READER_BAD;
}

static bool head_fill(struct reader *r, size_t wanted)
{
    size_t n = 0;
    if (stt_stream_read(r->peer->ep, now(r), r->stream, r->head + r->head_len, wanted - r->head_len,
                        &n))
        return false;
    r->head_len += n;
    return r->head_len == wanted;
}

static struct rd head_take(struct reader *r)
{
    struct rd head = rd_init(bytes_of(r->head, r->head_len));
    r->head_len = 0;
    return head;
}

static enum reader_step read_record(struct reader *r)
{
    if (!head_fill(r, RECORD_BYTES))
        return wait_or_end(r);
    struct rd head = head_take(r);
    r->index = rd_u64(&head);
    r->bytes = rd_u64(&head);
    r->phase = READER_RUN;
    return READER_BEGIN;
}

static enum reader_step read_data(struct reader *r)
{
    struct stt_part parts[READER_PARTS];
    size_t n = stt_stream_peek(r->peer->ep, r->stream, parts, READER_PARTS);
    r->bytes = 0;
    for (r->n_parts = 0; (size_t)r->n_parts < n && r->run_left; r->n_parts++) {
        const struct stt_part *part = &parts[r->n_parts];
        size_t len = part->len < r->run_left ? part->len : (size_t)r->run_left;
        r->parts[r->n_parts] = (struct iovec){(void *)(uintptr_t)part->data, len};
        r->bytes += len;
        r->run_left -= len;
    }
    if (!r->n_parts)
        return wait_or_end(r);
    r->shown = (size_t)r->bytes;
    if (!r->run_left)
        r->phase = READER_RUN;
    return READER_DATA;
}

static enum reader_step read_end(struct reader *r)
{
    if (!head_fill(r, END_BYTES))
        return wait_or_end(r);
    struct rd head = head_take(r);
    uint8_t whole = rd_u8(&head);
    r->is_whole = whole == 1;
    r->bytes = rd_u64(&head);
    rd_copy(&head, r->hash.bytes, sizeof r->hash.bytes);
    r->phase = READER_RECORD;
    return whole > 1 ? READER_BAD : READER_END;
}

static enum reader_step read_run(struct reader *r)
{
    if (!head_fill(r, RUN_BYTES))
        return wait_or_end(r);
    struct rd head = head_take(r);
    uint64_t run = rd_u64(&head), len = run & ~hole_bit;
    if (!run) {
        r->phase = READER_RECORD_END;
        return read_end(r);
    }
    if (!len)
        return READER_BAD;
    if (run & hole_bit) {
        r->bytes = len;
        return READER_HOLE;
    }
    r->run_left = len;
    r->phase = READER_RUN_DATA;
    return read_data(r);
}

enum reader_step reader_next(struct reader *r)
{
    if (r->shown) {
        size_t shown = r->shown;
        r->shown = 0;
        if (stt_stream_consume(r->peer->ep, now(r), r->stream, shown))
            return READER_BAD;
    }
    switch (r->phase) {
    case READER_RECORD:
        return read_record(r);
    case READER_RUN:
        return read_run(r);
    case READER_RUN_DATA:
        return read_data(r);
    case READER_RECORD_END:
        return read_end(r);
    }
    return READER_BAD;
}
