/* SPDX-License-Identifier: MIT
 * packing: an arena of headers, a list of parts and a list of pieces for a whole train, so that a
 * packet costs no memory of its own. It knows frames as bytes and pieces, not what they mean. */
#include "stt/stream/packing.h"

#include <assert.h>

void stt_packing_init(struct stt_packing *p, size_t more)
{
    p->more = more;
    p->flags = 0;
    p->n_packets = p->n_parts = p->n_pieces = p->head_at = 0;
}

static struct stt_packet_draft *present(struct stt_packing *p)
{
    return &p->packets[p->n_packets];
}

bool stt_packing_begin(struct stt_packing *p, size_t room)
{
    if (!stt_packing_may_begin(p))
        return false;
    *present(p) = (struct stt_packet_draft){.parts = &p->parts[p->n_parts],
                                            .pieces = &p->pieces[p->n_pieces]};
    p->room = room;
    p->head_from = p->head_at;
    return true;
}

struct wr stt_packing_frame(struct stt_packing *p)
{
    size_t left = stt_packing_left(p), arena = STT_PACKING_HEADS - p->head_at;
    bool full = p->n_parts + STT_PACKING_FRAME_PARTS > STT_PACKING_PARTS ||
                p->n_pieces >= p->n_packets + 1 + p->more;
    return wr_init(p->heads + p->head_at, full ? 0 : left < arena ? left : arena);
}

/* The parts of len bytes of data; where the next begin, and how many of these lie in one chunk. */
struct source {
    const struct stt_chunks *chunks;
    uint64_t offset;
    const uint8_t *at;
    size_t here;
};

static inline struct bytes *take_parts(struct source *from, size_t len, struct bytes *part)
{
    from->offset += len;
    while (from->here < len) {
        *part++ = bytes_of(from->at, from->here);
        len -= from->here;
        from->at = stt_chunks_at(from->chunks, from->offset - len, &from->here);
    }
    *part++ = bytes_of(from->at, len);
    from->at += len;
    from->here -= len;
    return part;
}

size_t stt_packing_add_run(struct stt_packing *p, const struct stt_packing_run *run, size_t n)
{
    size_t len = run->room - run->head.len, i = 0;
    struct source from = {.chunks = run->chunks, .offset = run->from};
    for (; i < n && stt_packing_may_begin(p); i++) {
        struct bytes *part = &p->parts[p->n_parts], *first = part;
        struct stt_piece *piece = &p->pieces[p->n_pieces++];
        uint8_t *head = p->heads + p->head_at;
        *piece =
            (struct stt_piece){.offset = from.offset, .stream = run->stream, .len = (uint16_t)len};
        stt_frame_stream_head_write(&run->head, from.offset, head);
        *part++ = bytes_of(head, run->head.len);
        if (!from.here)
            from.at = stt_chunks_at(run->chunks, from.offset, &from.here);
        part = take_parts(&from, len, part);
        p->packets[p->n_packets++] = (struct stt_packet_draft){.parts = first,
                                                               .pieces = piece,
                                                               .n_parts = (uint16_t)(part - first),
                                                               .n_pieces = 1,
                                                               .len = (uint32_t)run->room,
                                                               .elicits = true};
        p->n_parts += (size_t)(part - first);
        p->head_at += run->head.len;
    }
    p->head_from = p->head_at;
    return i;
}

/* Heads that were written become a part, together with those right before them. */
static void close_heads(struct stt_packing *p)
{
    if (p->head_at == p->head_from)
        return;
    p->parts[p->n_parts++] = bytes_of(p->heads + p->head_from, p->head_at - p->head_from);
    p->head_from = p->head_at;
}

void stt_packing_add_piece(struct stt_packing *p, const struct stt_piece *piece)
{
    p->pieces[p->n_pieces++] = *piece;
    present(p)->n_pieces++;
}

void stt_packing_add_frame(struct stt_packing *p, const struct wr *w, const struct stt_piece *piece,
                           bool elicits)
{
    present(p)->len += (uint32_t)wr_len(w);
    present(p)->elicits = present(p)->elicits || elicits;
    p->head_at += wr_len(w);
    if (piece)
        stt_packing_add_piece(p, piece);
}

struct bytes *stt_packing_data(struct stt_packing *p, const struct wr *head, size_t *max)
{
    present(p)->len += (uint32_t)wr_len(head);
    p->head_at += wr_len(head);
    close_heads(p);
    *max = STT_PACKING_FRAME_PARTS - 1;
    return &p->parts[p->n_parts];
}

void stt_packing_add_data(struct stt_packing *p, size_t n_parts, size_t len,
                          const struct stt_piece *piece)
{
    p->n_parts += n_parts;
    present(p)->len += (uint32_t)len;
    present(p)->elicits = true;
    stt_packing_add_piece(p, piece);
    assert(present(p)->len <= p->room);
}

bool stt_packing_end(struct stt_packing *p)
{
    struct stt_packet_draft *d = present(p);
    close_heads(p);
    d->n_parts = (uint16_t)(&p->parts[p->n_parts] - d->parts);
    p->n_packets += d->len != 0;
    return d->len != 0;
}
