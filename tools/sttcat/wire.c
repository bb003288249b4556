/* SPDX-License-Identifier: MIT
 * wire: the messages of sttcat/1, each as one row of the table below: its fields in their order.
 *
 * What decodes can be meant: a value is in its table, a name obeys its rules, nothing is left over.
 * Encoding does not judge; what is given to it was judged by who made it. Knows no stream and no
 * file. Spec 10, "Jobs" and "Files". */
#include "tools/sttcat/wire.h"

enum field {
    FIELD_NONE,
    FIELD_JOB,
    FIELD_FLAGS,
    FIELD_LANES,
    FIELD_BYTES,
    FIELD_HASH,
    FIELD_INDEX,
    FIELD_KIND,
    FIELD_MODE,
    FIELD_MODIFIED,
    FIELD_NAME,
    FIELD_TARGET,
    FIELD_SAME,
    FIELD_OUTCOME,
    FIELD_TEXT,
};

enum { FIELDS_MAX = 7 };
static const uint8_t layouts[][FIELDS_MAX] = {
    [WIRE_HELLO] = {FIELD_JOB, FIELD_FLAGS, FIELD_LANES},
    [WIRE_END] = {FIELD_BYTES, FIELD_HASH},
    [WIRE_RECEIPT] = {FIELD_BYTES, FIELD_HASH},
    [WIRE_ENTRY] = {FIELD_INDEX, FIELD_KIND, FIELD_MODE, FIELD_MODIFIED, FIELD_BYTES, FIELD_NAME,
                    FIELD_TARGET},
    [WIRE_LIST_END] = {FIELD_BYTES},
    [WIRE_WANT] = {FIELD_INDEX, FIELD_BYTES, FIELD_HASH},
    [WIRE_HAVE] = {FIELD_INDEX, FIELD_BYTES, FIELD_HASH},
    [WIRE_SAME] = {FIELD_INDEX, FIELD_SAME},
    [WIRE_SETTLED] = {FIELD_INDEX, FIELD_OUTCOME, FIELD_TEXT},
    [WIRE_DONE] = {FIELD_NONE},
};

/* -- lp(x) -- */

static void wr_lp(struct wr *w, struct bytes b)
{
    w->bad |= b.len > UINT16_MAX;
    wr_u16(w, (uint16_t)b.len);
    wr_bytes(w, b);
}

static struct bytes rd_lp(struct rd *r)
{
    uint16_t len = rd_u16(r);
    return rd_bytes(r, len);
}

/* -- fields -- */

static void field_encode(struct wr *w, enum field field, const struct wire_message *m)
{
    switch (field) {
    case FIELD_NONE:
        return;
    case FIELD_JOB:
        return wr_u8(w, m->job);
    case FIELD_FLAGS:
        return wr_u8(w, m->flags);
    case FIELD_LANES:
        return wr_u8(w, m->lanes);
    case FIELD_BYTES:
        return wr_u64(w, m->bytes);
    case FIELD_HASH:
        return wr_bytes(w, BYTES(m->hash.bytes));
    case FIELD_INDEX:
        return wr_u64(w, m->index);
    case FIELD_KIND:
        return wr_u8(w, m->kind);
    case FIELD_MODE:
        return wr_u16(w, m->mode);
    case FIELD_MODIFIED:
        return wr_u64(w, (uint64_t)m->modified_ns);
    case FIELD_NAME:
        return wr_lp(w, m->name);
    case FIELD_TARGET:
        return wr_lp(w, m->target);
    case FIELD_SAME:
        return wr_u8(w, m->is_same);
    case FIELD_OUTCOME:
        return wr_u8(w, m->outcome);
    case FIELD_TEXT:
        return wr_lp(w, m->text);
    }
}

static uint8_t rd_ranged(struct rd *r, uint8_t min, uint8_t max)
{
    uint8_t v = rd_u8(r);
    r->bad |= v < min || v > max;
    return v;
}

static uint16_t rd_mode(struct rd *r)
{
    uint16_t mode = rd_u16(r);
    r->bad |= mode > 0777;
    return mode;
}

static void field_decode(struct rd *r, enum field field, struct wire_message *m)
{
    switch (field) {
    case FIELD_NONE:
        return;
    case FIELD_JOB:
        m->job = rd_ranged(r, JOB_PIPE, JOB_FORWARD);
        return;
    case FIELD_FLAGS:
        m->flags = rd_ranged(r, 0, WIRE_GIVES | WIRE_TAKES | WIRE_DURABLE);
        return;
    case FIELD_LANES:
        m->lanes = rd_ranged(r, 1, WIRE_LANES_MAX);
        return;
    case FIELD_BYTES:
        m->bytes = rd_u64(r);
        return;
    case FIELD_HASH:
        rd_copy(r, m->hash.bytes, sizeof m->hash.bytes);
        return;
    case FIELD_INDEX:
        m->index = rd_u64(r);
        return;
    case FIELD_KIND:
        m->kind = rd_ranged(r, ENTRY_FILE, ENTRY_DIRECTORY_END);
        return;
    case FIELD_MODE:
        m->mode = rd_mode(r);
        return;
    case FIELD_MODIFIED:
        m->modified_ns = (int64_t)rd_u64(r);
        return;
    case FIELD_NAME:
        m->name = rd_lp(r);
        return;
    case FIELD_TARGET:
        m->target = rd_lp(r);
        return;
    case FIELD_SAME:
        m->is_same = rd_ranged(r, 0, 1);
        return;
    case FIELD_OUTCOME:
        m->outcome = rd_ranged(r, 0, OUTCOME_COUNT - 1);
        return;
    case FIELD_TEXT:
        m->text = rd_lp(r);
        return;
    }
}

/* -- messages -- */

size_t wire_encode(const struct wire_message *m, uint8_t *out, size_t room)
{
    struct wr w = wr_init(out, room < WIRE_MESSAGE_MAX ? room : WIRE_MESSAGE_MAX);
    wr_u8(&w, (uint8_t)m->type);
    for (size_t i = 0; i < FIELDS_MAX; i++)
        field_encode(&w, layouts[m->type][i], m);
    return w.bad ? 0 : wr_len(&w);
}

/* What concerns more than one field. */
static bool entry_is_valid(const struct wire_message *m)
{
    if (!wire_name_is_valid(m->name))
        return false;
    if (m->kind != ENTRY_FILE && m->bytes)
        return false;
    if (m->kind != ENTRY_LINK)
        return m->target.len == 0;
    return m->target.len > 0 && m->target.len <= WIRE_NAME_MAX &&
           !memchr(m->target.data, 0, m->target.len);
}

bool wire_decode(struct wire_message *m, struct bytes from)
{
    struct rd r = rd_init(from);
    *m = (struct wire_message){.type = rd_u8(&r)};
    if (r.bad || m->type < WIRE_HELLO || m->type > WIRE_DONE || from.len > WIRE_MESSAGE_MAX)
        return false;
    for (size_t i = 0; i < FIELDS_MAX; i++)
        field_decode(&r, layouts[m->type][i], m);
    if (!rd_is_done(&r) || m->text.len > WIRE_TEXT_MAX)
        return false;
    return m->type != WIRE_ENTRY || entry_is_valid(m);
}

/* -- names -- */

enum { PART_MAX = 255 };

static bool part_is_valid(const uint8_t *part, size_t len)
{
    if (len == 0 || len > PART_MAX)
        return false;
    return !(part[0] == '.' && (len == 1 || (len == 2 && part[1] == '.')));
}

bool wire_name_is_valid(struct bytes name)
{
    if (name.len == 0 || name.len > WIRE_NAME_MAX || memchr(name.data, 0, name.len))
        return false;
    const uint8_t *at = name.data, *end = name.data + name.len;
    for (const uint8_t *slash; (slash = memchr(at, '/', (size_t)(end - at))); at = slash + 1)
        if (!part_is_valid(at, (size_t)(slash - at)))
            return false;
    return part_is_valid(at, (size_t)(end - at));
}
