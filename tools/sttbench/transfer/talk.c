/* SPDX-License-Identifier: MIT
 * talk: the messages of sttbench/1. What decodes can be meant: every value is within its limits,
 * and nothing is left over. Encoding does not judge. Knows no stream and no clock. Spec 11,
 * "Messages" and "Lanes". */
#include "tools/sttbench/transfer/talk.h"

const uint8_t talk_public_seed[32] = "sttbench/1: everybody knows this";

static void test_encode(struct wr *w, const struct talk_test *t)
{
    wr_u8(w, t->flags);
    wr_u8(w, t->streams);
    wr_u32(w, t->block_bytes);
    wr_u64(w, t->duration_ns);
    wr_u64(w, t->omit_ns);
    wr_u64(w, t->bytes);
    wr_u64(w, t->rate_bits_per_s);
}

static void test_decode(struct rd *r, struct talk_test *t)
{
    t->flags = rd_u8(r);
    t->streams = rd_u8(r);
    t->block_bytes = rd_u32(r);
    t->duration_ns = rd_u64(r);
    t->omit_ns = rd_u64(r);
    t->bytes = rd_u64(r);
    t->rate_bits_per_s = rd_u64(r);
    r->bad |= !talk_test_is_valid(t);
}

static void side_encode(struct wr *w, const struct talk_side *s)
{
#define X(name) wr_u64(w, s->name);
    TALK_SIDE_FIGURES(X)
#undef X
}

static void side_decode(struct rd *r, struct talk_side *s)
{
#define X(name) s->name = rd_u64(r);
    TALK_SIDE_FIGURES(X)
#undef X
}

static void lane_encode(struct wr *w, const struct talk_lane *l)
{
    wr_u8(w, l->lane);
#define X(name) wr_u64(w, l->name);
    TALK_LANE_FIGURES(X)
#undef X
}

static void lane_decode(struct rd *r, struct talk_lane *l)
{
    l->lane = rd_u8(r);
#define X(name) l->name = rd_u64(r);
    TALK_LANE_FIGURES(X)
#undef X
    r->bad |= l->bytes > l->all_bytes;
}

size_t talk_encode(const struct talk_message *m, uint8_t *out, size_t room)
{
    struct wr w = wr_init(out, room < TALK_MESSAGE_MAX ? room : TALK_MESSAGE_MAX);
    wr_u8(&w, (uint8_t)m->type);
    switch (m->type) {
    case TALK_TEST:
        test_encode(&w, &m->test);
        break;
    case TALK_READY:
        wr_bytes(&w, BYTES(m->token.bytes));
        break;
    case TALK_SIDE:
        side_encode(&w, &m->side);
        break;
    case TALK_LANE:
        lane_encode(&w, &m->lane);
        break;
    case TALK_START:
    case TALK_DONE:
        break;
    }
    return w.bad ? 0 : wr_len(&w);
}

bool talk_decode(struct talk_message *m, struct bytes from)
{
    struct rd r = rd_init(from);
    *m = (struct talk_message){.type = rd_u8(&r)};
    switch (m->type) {
    case TALK_TEST:
        test_decode(&r, &m->test);
        break;
    case TALK_READY:
        rd_copy(&r, m->token.bytes, sizeof m->token.bytes);
        break;
    case TALK_SIDE:
        side_decode(&r, &m->side);
        break;
    case TALK_LANE:
        lane_decode(&r, &m->lane);
        break;
    case TALK_START:
    case TALK_DONE:
        break;
    default:
        return false;
    }
    return rd_is_done(&r);
}

void talk_join_encode(const struct talk_join *join, uint8_t out[TALK_JOIN_BYTES])
{
    struct wr w = wr_init(out, TALK_JOIN_BYTES);
    wr_bytes(&w, BYTES(join->token.bytes));
    wr_u8(&w, join->lane);
}

void talk_join_decode(struct talk_join *join, const uint8_t in[TALK_JOIN_BYTES])
{
    struct rd r = rd_init(bytes_of(in, TALK_JOIN_BYTES));
    rd_copy(&r, join->token.bytes, sizeof join->token.bytes);
    join->lane = rd_u8(&r);
}

/* -- what a test may be ------------------------------------------------------------------------ */

static bool is_between(uint64_t value, uint64_t min, uint64_t max)
{
    return value >= min && value <= max;
}

bool talk_test_is_valid(const struct talk_test *t)
{
    bool is_timed = is_between(t->duration_ns, TALK_DURATION_MIN_NS, TALK_DURATION_MAX_NS);
    bool is_counted = is_between(t->bytes, 1, TALK_BYTES_MAX);
    if (t->duration_ns ? !is_timed || t->bytes : !is_counted)
        return false;
    return t->flags <= (TALK_REVERSE | TALK_BIDIR | TALK_VERIFY) &&
           (t->flags & (TALK_REVERSE | TALK_BIDIR)) != (TALK_REVERSE | TALK_BIDIR) &&
           is_between(t->streams, 1, TALK_STREAMS_MAX) &&
           is_between(t->block_bytes, 1, TALK_BLOCK_MAX) && t->omit_ns <= TALK_OMIT_MAX_NS &&
           t->rate_bits_per_s <= TALK_RATE_MAX;
}

uint32_t talk_lanes(const struct talk_test *test)
{
    return test->flags & TALK_BIDIR ? 2u * test->streams : test->streams;
}

bool talk_client_sends(const struct talk_test *test, uint32_t lane)
{
    return lane < test->streams && !(test->flags & TALK_REVERSE);
}
