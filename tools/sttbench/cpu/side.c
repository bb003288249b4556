/* SPDX-License-Identifier: MIT
 * side: owns what one side's program does with the bytes. The sender copies them into the stream's
 * ring, the receiver copies them out of it, as most programs do. */
#include "tools/sttbench/cpu/side.h"

#include "tools/sttbench/shared/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { PIECE_BYTES = 1 << 18, PIECES_BYTES = 1 << 20 };

struct side {
    struct sides *all;
    struct side_end *end;
    struct stt_node_config config;
    struct bulk bulk;
    uint8_t *bytes;
    XXH3_state_t *hash;
    stt_ns began;
};

static bool begin(struct side *s, void *memory)
{
    s->all = memory;
    s->bulk.ctx = s;
    s->bytes = malloc(PIECES_BYTES);
    s->hash = XXH3_createState();
    if (!s->bytes || !s->hash || XXH3_64bits_reset(s->hash) != XXH_OK)
        return pair_refuse("there is not enough memory");
    if (!ends_config(&s->config, &s->all->wish))
        return false;
    s->config.endpoint.suites[0] = parts_suite(s->config.endpoint.suites[0]);
    return bulk_make(&s->bulk, &s->config);
}

static bool end(struct side *s)
{
    s->end->bytes = s->bulk.bytes;
    s->end->hash = XXH3_64bits_digest(s->hash);
    bulk_free(&s->bulk);
    XXH3_freeState(s->hash);
    free(s->bytes);
    return true;
}

static void verify(struct side *s, const uint8_t *bytes, size_t len)
{
    if (!s->all->verifies)
        return;
    parts_start();
    XXH3_64bits_update(s->hash, bytes, len);
    parts_stop(PART_VERIFY);
}

/* -- the receiver ------------------------------------------------------------------------------ */

static void take(struct bulk *b, const uint8_t *data, size_t len)
{
    struct side *s = b->ctx;
    if (!s->began)
        parts_begin();
    s->began = 1;
    for (size_t at = 0, n; at < len; at += n) {
        n = len - at < PIECE_BYTES ? len - at : PIECE_BYTES;
        parts_start();
        memcpy(s->bytes, data + at, n);
        parts_stop(PART_COPY);
        verify(s, s->bytes, n);
    }
}

bool side_receive(void *memory)
{
    struct side s = {.bulk = {.take = take}};
    if (!begin(&s, memory) || !bulk_receive(&s.bulk, &s.config, &s.all->meeting))
        return false;
    s.end = &s.all->receiver;
    parts_end(&s.end->parts);
    s.end->packets = s.bulk.stats.packets_received;
    return end(&s);
}

/* -- the sender -------------------------------------------------------------------------------- */

/* The pieces differ from packet to packet. */
static size_t fill(struct bulk *b, uint8_t *room, size_t len)
{
    struct side *s = b->ctx;
    stt_ns now = stt_node_now(b->node);
    if (!s->began) {
        s->began = now;
        parts_begin();
    }
    if (now - s->began >= s->all->time_ns)
        return 0;
    const uint8_t *piece = s->bytes + b->bytes % (PIECES_BYTES - PIECE_BYTES);
    len = len < PIECE_BYTES ? len : PIECE_BYTES;
    parts_start();
    memcpy(room, piece, len);
    parts_stop(PART_COPY);
    verify(s, piece, len);
    return len;
}

bool side_send(void *memory)
{
    struct side s = {.bulk = {.fill = fill}};
    if (!begin(&s, memory))
        return false;
    for (size_t i = 0; i < PIECES_BYTES; i++)
        s.bytes[i] = (uint8_t)(i * 251 + i / 1009);
    snprintf(s.all->suite, sizeof s.all->suite, "%s", s.config.endpoint.suites[0]->name);
    snprintf(s.all->io, sizeof s.all->io, "%s", stt_node_io(s.bulk.node));
    if (!bulk_send(&s.bulk, &s.all->meeting))
        return false;
    s.end = &s.all->sender;
    parts_end(&s.end->parts);
    s.all->stats = s.bulk.stats;
    s.end->packets = s.bulk.stats.packets_sent;
    return end(&s);
}
