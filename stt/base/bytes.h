/* SPDX-License-Identifier: MIT
 * bytes: borrowed slices, and cursors that read and write them.
 *
 * A cursor latches its first failure: after it a reader yields zeros and a writer writes nothing,
 * so a codec is straight-line code with one check at its end. All integers are big-endian.
 * Codecs make one rd_ call per statement: C orders neither arguments nor initialisers. */
#ifndef STT_BASE_BYTES_H
#define STT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data;
    size_t len;
};

#define BYTES(array)        ((struct bytes){(array), sizeof(array)})
#define BYTES_TEXT(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})
#define BYTES_NONE          ((struct bytes){NULL, 0})

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){(const uint8_t *)data, len};
}

/* For values that are not secret; secrets are compared in crypto/. */
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_all_zero(struct bytes b)
{
    uint8_t any = 0;
    for (size_t i = 0; i < b.len; i++)
        any |= b.data[i];
    return any == 0;
}

/* Whole words, for paths where a loop over bytes would show. */
static inline uint32_t be32_load(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t be64_load(const uint8_t *p)
{
    return (uint64_t)be32_load(p) << 32 | be32_load(p + 4);
}

static inline void be32_store(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline void be64_store(uint8_t *p, uint64_t v)
{
    be32_store(p, (uint32_t)(v >> 32));
    be32_store(p + 4, (uint32_t)v);
}

/* Reading. */
struct rd {
    const uint8_t *at, *end;
    bool bad;
};

static inline struct rd rd_init(struct bytes b)
{
    return (struct rd){b.data, b.len ? b.data + b.len : b.data, false};
}

static inline size_t rd_left(const struct rd *r)
{
    return r->at == r->end ? 0 : (size_t)(r->end - r->at);
}

/* All read, and nothing failed. */
static inline bool rd_is_done(const struct rd *r)
{
    return !r->bad && r->at == r->end;
}

static inline struct bytes rd_bytes(struct rd *r, uint64_t len)
{
    if (r->bad || len > rd_left(r)) {
        r->bad = true;
        return BYTES_NONE;
    }
    struct bytes b = {r->at, (size_t)len};
    if (len)
        r->at += len;
    return b;
}

static inline struct bytes rd_rest(struct rd *r)
{
    return rd_bytes(r, rd_left(r));
}

static inline uint64_t rd_uint(struct rd *r, unsigned size)
{
    struct bytes b = rd_bytes(r, size);
    uint64_t v = 0;
    for (size_t i = 0; i < b.len; i++)
        v = v << 8 | b.data[i];
    return v;
}

static inline uint8_t rd_u8(struct rd *r)
{
    return (uint8_t)rd_uint(r, 1);
}

static inline uint16_t rd_u16(struct rd *r)
{
    return (uint16_t)rd_uint(r, 2);
}

static inline uint32_t rd_u32(struct rd *r)
{
    return (uint32_t)rd_uint(r, 4);
}

static inline uint64_t rd_u64(struct rd *r)
{
    return rd_uint(r, 8);
}

/* Copies len bytes out; zeros them on failure. */
static inline void rd_copy(struct rd *r, uint8_t *out, size_t len)
{
    if (!len)
        return; /* out may be NULL */
    struct bytes b = rd_bytes(r, len);
    if (b.len)
        memcpy(out, b.data, len);
    else
        memset(out, 0, len);
}

/* Writing. */
struct wr {
    uint8_t *start, *at, *end;
    bool bad;
};

static inline struct wr wr_init(uint8_t *data, size_t len)
{
    return (struct wr){data, data, len ? data + len : data, false};
}

static inline size_t wr_len(const struct wr *w)
{
    return w->at == w->start ? 0 : (size_t)(w->at - w->start);
}

static inline size_t wr_left(const struct wr *w)
{
    return w->at == w->end ? 0 : (size_t)(w->end - w->at);
}

static inline struct bytes wr_done(const struct wr *w)
{
    return (struct bytes){w->start, wr_len(w)};
}

/* Room for len bytes that the caller fills; NULL, and latched, when there is none. */
static inline uint8_t *wr_room(struct wr *w, size_t len)
{
    if (w->bad || len > wr_left(w)) {
        w->bad = true;
        return NULL;
    }
    uint8_t *p = w->at;
    if (len)
        w->at += len;
    return p;
}

static inline void wr_bytes(struct wr *w, struct bytes b)
{
    uint8_t *p = wr_room(w, b.len);
    if (p && b.len)
        memcpy(p, b.data, b.len);
}

static inline void wr_zeros(struct wr *w, size_t len)
{
    uint8_t *p = wr_room(w, len);
    if (p && len)
        memset(p, 0, len);
}

static inline void wr_uint(struct wr *w, uint64_t v, unsigned size)
{
    uint8_t *p = wr_room(w, size);
    for (unsigned i = size; p && i-- > 0; v >>= 8)
        p[i] = (uint8_t)v;
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
    wr_uint(w, v, 1);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
    wr_uint(w, v, 2);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
    wr_uint(w, v, 4);
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
    wr_uint(w, v, 8);
}

#endif
