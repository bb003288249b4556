/* SPDX-License-Identifier: MIT
 * frames: the dispatch that a session would do, and equality by meaning. */
#include "tests/support/frames.h"

static bool body_decode(struct rd *r, struct any_frame *f)
{
    switch (stt_frame_rule(f->type)->first) {
    case STT_FRAME_PADDING:
        f->u.padding = stt_frame_padding_decode(r);
        return true;
    case STT_FRAME_PING:
        return true;
    case STT_FRAME_ACK:
    case STT_FRAME_ACK_ECN:
        return stt_frame_ack_decode(r, f->type, &f->u.ack);
    case STT_FRAME_RESET:
        return stt_frame_reset_decode(r, &f->u.reset);
    case STT_FRAME_STOP:
        return stt_frame_stop_decode(r, &f->u.stop);
    case STT_FRAME_SKIP:
        return stt_frame_skip_decode(r, &f->u.skip);
    case STT_FRAME_STREAM:
        return stt_frame_stream_decode(r, f->type, &f->u.stream);
    case STT_FRAME_MAX_DATA:
    case STT_FRAME_MAX_STREAMS:
    case STT_FRAME_DATA_BLOCKED:
    case STT_FRAME_STREAMS_BLOCKED:
        return stt_frame_limit_decode(r, f->type, &f->u.limit);
    case STT_FRAME_MAX_STREAM_DATA:
    case STT_FRAME_STREAM_DATA_BLOCKED:
        return stt_frame_stream_limit_decode(r, f->type, &f->u.stream_limit);
    case STT_FRAME_DATAGRAM:
        return stt_frame_datagram_decode(r, f->type, &f->u.datagram);
    case STT_FRAME_NEW_ID:
        return stt_frame_new_id_decode(r, &f->u.new_id);
    case STT_FRAME_RETIRE_ID:
        return stt_frame_retire_id_decode(r, &f->u.retire_id);
    case STT_FRAME_PATH_CHALLENGE:
    case STT_FRAME_PATH_RESPONSE:
        return stt_frame_path_decode(r, f->type, &f->u.path);
    case STT_FRAME_REKEY:
        return stt_frame_rekey_decode(r, &f->u.rekey);
    case STT_FRAME_IDENTITY:
        return stt_frame_identity_decode(r, &f->u.identity);
    case STT_FRAME_CLOSE:
    case STT_FRAME_CLOSE_APPLICATION:
        return stt_frame_close_decode(r, f->type, &f->u.close);
    default:
        return stt_frame_extension_decode(r, f->type, &f->u.extension);
    }
}

bool any_frame_decode(struct rd *r, struct any_frame *f)
{
    memset(f, 0, sizeof *f);
    f->type = stt_frame_type_decode(r);
    return !r->bad && stt_frame_rule(f->type) && body_decode(r, f);
}

static bool ack_encode(struct wr *w, const struct frame_ack *f)
{
    struct stt_range ranges[STT_ACK_RANGES_MAX];
    size_t at = STT_ACK_RANGES_MAX;
    struct frame_ack_walk walk = stt_frame_ack_walk(f);
    while (stt_frame_ack_next(&walk, &ranges[at - 1]))
        if (--at == 0)
            break;
    return stt_frame_ack_encode(w, ranges + at, STT_ACK_RANGES_MAX - at, f->delay_us,
                                f->has_ecn ? &f->ecn : NULL) == STT_ACK_RANGES_MAX - at;
}

bool any_frame_encode(struct wr *w, const struct any_frame *f)
{
    switch (stt_frame_rule(f->type)->first) {
    case STT_FRAME_PADDING:
        return stt_frame_padding_encode(w, f->u.padding);
    case STT_FRAME_PING:
        return stt_frame_ping_encode(w);
    case STT_FRAME_ACK:
    case STT_FRAME_ACK_ECN:
        return ack_encode(w, &f->u.ack);
    case STT_FRAME_RESET:
        return stt_frame_reset_encode(w, &f->u.reset);
    case STT_FRAME_STOP:
        return stt_frame_stop_encode(w, &f->u.stop);
    case STT_FRAME_SKIP:
        return stt_frame_skip_encode(w, &f->u.skip);
    case STT_FRAME_STREAM:
        return stt_frame_stream_encode(w, &f->u.stream);
    case STT_FRAME_MAX_DATA:
    case STT_FRAME_MAX_STREAMS:
    case STT_FRAME_DATA_BLOCKED:
    case STT_FRAME_STREAMS_BLOCKED:
        return stt_frame_limit_encode(w, &f->u.limit);
    case STT_FRAME_MAX_STREAM_DATA:
    case STT_FRAME_STREAM_DATA_BLOCKED:
        return stt_frame_stream_limit_encode(w, &f->u.stream_limit);
    case STT_FRAME_DATAGRAM:
        return stt_frame_datagram_encode(w, &f->u.datagram);
    case STT_FRAME_NEW_ID:
        return stt_frame_new_id_encode(w, &f->u.new_id);
    case STT_FRAME_RETIRE_ID:
        return stt_frame_retire_id_encode(w, &f->u.retire_id);
    case STT_FRAME_PATH_CHALLENGE:
    case STT_FRAME_PATH_RESPONSE:
        return stt_frame_path_encode(w, &f->u.path);
    case STT_FRAME_REKEY:
        return stt_frame_rekey_encode(w, &f->u.rekey);
    case STT_FRAME_IDENTITY:
        return stt_frame_identity_encode(w, &f->u.identity);
    case STT_FRAME_CLOSE:
    case STT_FRAME_CLOSE_APPLICATION:
        return stt_frame_close_encode(w, &f->u.close);
    default:
        return stt_frame_extension_encode(w, &f->u.extension);
    }
}

/* Takes the bytes that a frame borrows out of it; what is left compares as memory. */
static struct bytes borrowed(struct any_frame *f)
{
    struct bytes *b = NULL;
    switch (stt_frame_rule(f->type)->first) {
    case STT_FRAME_STREAM:
        b = &f->u.stream.data;
        break;
    case STT_FRAME_DATAGRAM:
        b = &f->u.datagram.data;
        break;
    case STT_FRAME_REKEY:
        b = &f->u.rekey.noise;
        break;
    case STT_FRAME_CLOSE:
    case STT_FRAME_CLOSE_APPLICATION:
        b = &f->u.close.reason;
        break;
    case STT_FRAME_EXTENSION:
        b = &f->u.extension.body;
        break;
    default:
        return BYTES_NONE;
    }
    struct bytes taken = *b;
    *b = BYTES_NONE;
    return taken;
}

static bool ack_equal(const struct frame_ack *a, const struct frame_ack *b)
{
    struct frame_ack_walk at_a = stt_frame_ack_walk(a), at_b = stt_frame_ack_walk(b);
    struct stt_range in_a, in_b;
    bool more_a, more_b;
    do {
        more_a = stt_frame_ack_next(&at_a, &in_a);
        more_b = stt_frame_ack_next(&at_b, &in_b);
        if (more_a != more_b || (more_a && (in_a.from != in_b.from || in_a.to != in_b.to)))
            return false;
    } while (more_a);
    return a->largest == b->largest && a->delay_us == b->delay_us && a->has_ecn == b->has_ecn &&
           memcmp(&a->ecn, &b->ecn, sizeof a->ecn) == 0;
}

bool any_frame_equal(const struct any_frame *a, const struct any_frame *b)
{
    struct any_frame x = *a, y = *b;
    if (stt_frame_rule(x.type) != stt_frame_rule(y.type) &&
        stt_frame_rule(x.type)->first != stt_frame_rule(y.type)->first)
        return false;
    if (x.type == STT_FRAME_ACK || x.type == STT_FRAME_ACK_ECN)
        return x.type == y.type && ack_equal(&x.u.ack, &y.u.ack);
    return bytes_equal(borrowed(&x), borrowed(&y)) && memcmp(&x.u, &y.u, sizeof x.u) == 0;
}
