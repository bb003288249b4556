/* SPDX-License-Identifier: MIT
 * tcp_wire: what the two machines of a flow tell each other. Segments are counted, not bytes; all
 * but the last are full.
 *
 *   0 kind   1 blocks   2 has a DSACK   3 is pushed   4 clock   8 number   16 stamp   24 blocks or
 * bytes of the stream
 *
 * The 24 bytes are those of a TCP header with timestamps, less the 8 of the UDP header that a
 * simulated datagram has in its place. */
#ifndef TOOLS_STTBENCH_LINK_TCP_WIRE_H
#define TOOLS_STTBENCH_LINK_TCP_WIRE_H

#include "stt/base/bytes.h"
#include "tools/sttbench/link/tcp.h"

enum tcp_kind { TCP_SYN = 1, TCP_SYN_ACK, TCP_DATA, TCP_ACK };
enum {
    TCP_HEADER_BYTES = TCP_DATAGRAM_BYTES - TCP_SEGMENT_BYTES,
    TCP_SYN_BYTES = 32,   /* with its options */
    TCP_BLOCKS_MAX = 3,   /* what fits beside timestamps */
    TCP_BLOCKS_BYTES = 4, /* of the option, without blocks */
    TCP_BLOCK_BYTES = 8,
    TCP_CLOCKS_MAX = 1, /* ms that a stamp may be older than the latest */
};

struct tcp_block {
    uint64_t from, to;
};

struct tcp_packet {
    enum tcp_kind kind;
    uint64_t number;   /* data: of the segment; ack: the first that is missing */
    uint32_t clock_ms; /* of who sends it */
    uint32_t stamp_ms; /* ack: the clock of what it answers */
    uint32_t len;      /* data: of the stream */
    uint32_t n_blocks;
    bool is_pushed; /* data: the last of a burst of several */
    bool has_dsack; /* the first block came twice */
    struct tcp_block blocks[TCP_BLOCKS_MAX];
};

static inline size_t tcp_packet_bytes(const struct tcp_packet *p)
{
    if (p->kind == TCP_SYN || p->kind == TCP_SYN_ACK)
        return TCP_SYN_BYTES;
    if (p->kind == TCP_DATA)
        return TCP_HEADER_BYTES + p->len;
    return TCP_HEADER_BYTES +
           (p->n_blocks ? TCP_BLOCKS_BYTES + (size_t)p->n_blocks * TCP_BLOCK_BYTES : 0);
}

/* What else is in the datagram is zero. */
static inline size_t tcp_packet_encode(const struct tcp_packet *p, uint8_t *out)
{
    size_t len = tcp_packet_bytes(p);
    memset(out, 0, len);
    out[0] = (uint8_t)p->kind;
    out[1] = (uint8_t)p->n_blocks;
    out[2] = p->has_dsack;
    out[3] = p->is_pushed;
    be32_store(out + 8, (uint32_t)(p->number >> 32));
    be32_store(out + 12, (uint32_t)p->number);
    be32_store(out + 4, p->clock_ms);
    be32_store(out + 16, p->stamp_ms);
    for (uint32_t i = 0; i < p->n_blocks; i++) {
        uint8_t *at = out + TCP_HEADER_BYTES + TCP_BLOCKS_BYTES + (size_t)i * TCP_BLOCK_BYTES;
        be32_store(at, (uint32_t)(p->blocks[i].from - p->number));
        be32_store(at + 4, (uint32_t)(p->blocks[i].to - p->number));
    }
    return len;
}

/* The datagram is one that the other machine has made: nobody else sends to it. */
static inline void tcp_packet_decode(struct tcp_packet *p, const uint8_t *data, size_t len)
{
    *p = (struct tcp_packet){
        .kind = (enum tcp_kind)data[0],
        .n_blocks = data[1] < TCP_BLOCKS_MAX ? data[1] : TCP_BLOCKS_MAX,
        .has_dsack = data[2],
        .is_pushed = data[3],
        .number = be64_load(data + 8),
        .clock_ms = be32_load(data + 4),
        .stamp_ms = be32_load(data + 16),
        .len = (uint32_t)(len - TCP_HEADER_BYTES),
    };
    for (uint32_t i = 0; p->kind == TCP_ACK && i < p->n_blocks; i++) {
        const uint8_t *at = data + TCP_HEADER_BYTES + TCP_BLOCKS_BYTES + i * TCP_BLOCK_BYTES;
        p->blocks[i].from = p->number + (uint64_t)(int64_t)(int32_t)be32_load(at);
        p->blocks[i].to = p->number + (uint64_t)(int64_t)(int32_t)be32_load(at + 4);
    }
}

#endif
