/* SPDX-License-Identifier: MIT
 * Any payload, frame by frame: the walk ends, takes each byte once and stays inside; what was read
 * is written and read again the same, in no more bytes, and in the same ones where they were the
 * shortest form. Input: the payload. */
#include "tests/support/frames.h"
#include "tests/support/fuzz.h"

static uint8_t out[1 << 20];

/* What a frame borrows lies within its own bytes. */
static void check_inside(struct bytes b, const uint8_t *start, const uint8_t *end)
{
    FUZZ_ASSERT(b.len == 0 || (b.data >= start && b.len <= (size_t)(end - b.data)));
}

static void check_borrowed(const struct any_frame *f, const uint8_t *start, const uint8_t *end)
{
    switch (stt_frame_rule(f->type)->first) {
    case STT_FRAME_ACK:
    case STT_FRAME_ACK_ECN:
        check_inside(f->u.ack.ranges, start, end);
        break;
    case STT_FRAME_STREAM:
        check_inside(f->u.stream.data, start, end);
        break;
    case STT_FRAME_DATAGRAM:
        check_inside(f->u.datagram.data, start, end);
        break;
    case STT_FRAME_REKEY:
        check_inside(f->u.rekey.noise, start, end);
        break;
    case STT_FRAME_CLOSE:
    case STT_FRAME_CLOSE_APPLICATION:
        check_inside(f->u.close.reason, start, end);
        break;
    case STT_FRAME_EXTENSION:
        check_inside(f->u.extension.body, start, end);
        break;
    default:
        break;
    }
}

/* Ranges descend, and none touches the one before. */
static void check_ranges(const struct frame_ack *f)
{
    struct frame_ack_walk walk = stt_frame_ack_walk(f);
    struct stt_range range;
    uint64_t above = UINT64_MAX;
    unsigned n = 0;
    for (; stt_frame_ack_next(&walk, &range); n++) {
        FUZZ_ASSERT(range.from < range.to && range.to < above);
        FUZZ_ASSERT(n > 0 || range.to == f->largest + 1);
        above = range.from;
    }
    FUZZ_ASSERT(!walk.r.bad && n >= 1 && n <= STT_ACK_RANGES_MAX);
    FUZZ_ASSERT(n == STT_ACK_RANGES_MAX || (n == f->range_count + 1 && rd_is_done(&walk.r)));
}

static void check_again(const struct any_frame *f, struct bytes read)
{
    struct any_frame again;
    struct wr w = wr_init(out, read.len);
    FUZZ_ASSERT(any_frame_encode(&w, f));
    struct bytes written = wr_done(&w);
    struct rd r = rd_init(written);
    FUZZ_ASSERT(any_frame_decode(&r, &again) && rd_is_done(&r));
    FUZZ_ASSERT(any_frame_equal(f, &again));
    FUZZ_ASSERT(written.len < read.len || bytes_equal(written, read));
    w = wr_init(out, written.len - 1);
    FUZZ_ASSERT(!any_frame_encode(&w, f) && !w.bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > sizeof out)
        return 0;
    struct rd r = rd_init(bytes_of(data, size));
    size_t taken = 0;
    while (rd_left(&r)) {
        const uint8_t *start = r.at;
        struct any_frame f;
        bool ok = any_frame_decode(&r, &f);
        FUZZ_ASSERT(r.at >= start && r.at <= data + size);
        if (!ok)
            return 0;
        FUZZ_ASSERT(r.at > start && !r.bad);
        struct bytes read = bytes_of(start, (size_t)(r.at - start));
        check_borrowed(&f, start, r.at);
        if (f.type == STT_FRAME_ACK || f.type == STT_FRAME_ACK_ECN)
            check_ranges(&f.u.ack);
        check_again(&f, read);
        taken += read.len;
    }
    FUZZ_ASSERT(taken == size && rd_is_done(&r));
    return 0;
}
