/* SPDX-License-Identifier: MIT
 * packing: what goes into the packets of one train. Frame headers are written here; stream data
 * stays in its ring until the cipher takes it from there. Spec 05, "Packing".
 *
 *     heads    | control .. | stream header | stream header | ...      one arena for the whole
 * train parts      ^ heads      ^ head  ^ data  ^ head  ^ data           what each packet consists
 * of */
#ifndef STT_STREAM_PACKING_H
#define STT_STREAM_PACKING_H

#include "crypto/protect.h"
#include "stt/recovery/loss.h"
#include "stt/stream/stream.h"

enum {
    STT_PACKING_HEADS = 8192,
    STT_PACKING_PARTS = 512,
    STT_PACKING_MORE = 64, /* pieces in a train beyond one for each packet */
    STT_PACKING_PIECES = STT_PACKING_MORE + STT_TRAIN_SEGMENTS,
    STT_PACKING_FRAME_PARTS = 6, /* a header and the data of one frame, over chunk borders */
    STT_PACKING_FRAME_HEAD = 32, /* the longest stream header */
};

/* One packet. */
struct stt_packet_draft {
    const struct bytes *parts;
    struct stt_piece *pieces;
    uint16_t n_parts, n_pieces;
    uint32_t len;
    bool elicits;
};

struct stt_packing {
    uint8_t heads[STT_PACKING_HEADS];
    struct bytes parts[STT_PACKING_PARTS];
    struct stt_piece pieces[STT_PACKING_PIECES];
    struct stt_packet_draft packets[STT_TRAIN_SEGMENTS];
    size_t n_packets, n_parts, n_pieces, head_at, more;
    uint8_t flags; /* STT_PACKET_ ones of all packets, beside ELICITS */

    /* The packet that is being written. */
    size_t room;      /* of its payload */
    size_t head_from; /* heads that are in no part yet begin here */
};

/* So many pieces beyond one for each packet can be remembered. */
void stt_packing_init(struct stt_packing *p, size_t more);
/* Begins a packet with so much room; false when the arena is full. */
bool stt_packing_begin(struct stt_packing *p, size_t room);
/* Room for a frame that is written whole; at most what is left of the packet. */
struct wr stt_packing_frame(struct stt_packing *p);
/* It was written; `piece` says what must be said again when it is lost. */
void stt_packing_add_frame(struct stt_packing *p, const struct wr *w, const struct stt_piece *piece,
                           bool elicits);
/* For frames that were added without. */
void stt_packing_add_piece(struct stt_packing *p, const struct stt_piece *piece);
/* A frame whose header was written and whose data lies elsewhere. */
struct bytes *stt_packing_data(struct stt_packing *p, const struct wr *head, size_t *max);
void stt_packing_add_data(struct stt_packing *p, size_t n_parts, size_t len,
                          const struct stt_piece *piece);
/* A packet may begin, and its heads have the room that the longest of one frame need. */
static inline bool stt_packing_may_begin(const struct stt_packing *p)
{
    return p->n_packets < STT_TRAIN_SEGMENTS &&
           p->n_parts + 2 * STT_PACKING_FRAME_PARTS <= STT_PACKING_PARTS &&
           p->head_at + 2 * STT_PACKING_FRAME_HEAD <= STT_PACKING_HEADS;
}

/* Packets of one STREAM frame each, with bytes that lie one behind the other. */
struct stt_packing_run {
    struct frame_stream_head head;
    const struct stt_chunks *chunks;
    uint64_t from;
    uint32_t stream;
    size_t room; /* of a packet's payload */
};
/* So many, as far as there is room; answers how many. */
size_t stt_packing_add_run(struct stt_packing *p, const struct stt_packing_run *run, size_t n);

/* False when it is empty: then it is no packet. */
bool stt_packing_end(struct stt_packing *p);

static inline size_t stt_packing_left(const struct stt_packing *p)
{
    return p->room - p->packets[p->n_packets].len;
}

/* Of a packet that was ended. */
static inline size_t stt_packing_len(const struct stt_packing *p, size_t packet)
{
    return p->packets[packet].len;
}

#endif
