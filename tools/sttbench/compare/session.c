/* SPDX-License-Identifier: MIT
 * session: STT between two processes: a node each, one session, one stream. Bytes are made in the
 * stream's ring, or copied into it, and read where they lie. */
#include "tools/sttbench/compare/run.h"
#include "tools/sttbench/shared/bulk.h"
#include "tools/sttbench/shared/pair.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { FILLED_BYTES = 16 << 20 };

struct side {
    struct run *r;
    struct stt_node_config config;
    struct bulk bulk;
    XXH3_state_t *hash;
};

static bool begin(struct side *s, struct run *r)
{
    const struct run_setup *setup = &r->setup;
    const struct ends_wish wish = {.suite = setup->suite,
                                   .io = setup->io,
                                   .preset = setup->preset,
                                   .packet_bytes = setup->packet_bytes,
                                   .ring_bytes = setup->ring_bytes,
                                   .spin_ns = setup->spin_ns};
    s->r = r;
    s->bulk.ctx = s;
    s->hash = XXH3_createState();
    if (!s->hash || XXH3_64bits_reset(s->hash) != XXH_OK)
        return pair_refuse("there is not enough memory");
    return ends_config(&s->config, &wish) && bulk_make(&s->bulk, &s->config);
}

static bool end(struct side *s, enum run_side which)
{
    s->r->ends[which].hash = XXH3_64bits_digest(s->hash);
    s->r->ends[which].bytes = s->bulk.bytes;
    bulk_free(&s->bulk);
    XXH3_freeState(s->hash);
    return true;
}

/* -- the receiver ------------------------------------------------------------------------------ */

static void take(struct bulk *b, const uint8_t *data, size_t len)
{
    struct side *s = b->ctx;
    if (s->r->setup.hashes)
        XXH3_64bits_update(s->hash, data, len);
}

static void look(struct bulk *b)
{
    (void)run_goes_on(((struct side *)b->ctx)->r, RUN_RECEIVER, b->bytes);
}

bool session_receive(void *memory)
{
    struct run *r = memory;
    struct side s = {.bulk = {.take = take, .look = look}};
    return begin(&s, r) && bulk_receive(&s.bulk, &s.config, &r->meeting) && end(&s, RUN_RECEIVER);
}

/* -- the sender -------------------------------------------------------------------------------- */

/* Once around the ring it is filled; after that, an application that makes its bytes in place is
 * taken to have made these. */
static uint64_t fresh_bytes(const struct run_setup *setup)
{
    return setup->hashes || setup->copies ? UINT64_MAX : FILLED_BYTES + 2 * setup->ring_bytes;
}

static size_t fill(struct bulk *b, uint8_t *room, size_t len)
{
    struct side *s = b->ctx;
    if (!b->bytes)
        run_begin(s->r);
    if (!run_goes_on(s->r, RUN_SENDER, b->bytes))
        return 0;
    len = len < RUN_PIECE_BYTES ? len : RUN_PIECE_BYTES;
    if (b->bytes < fresh_bytes(&s->r->setup))
        memcpy(room, run_piece(b->bytes), len);
    if (s->r->setup.hashes)
        XXH3_64bits_update(s->hash, room, len);
    return len;
}

bool session_send(void *memory)
{
    struct run *r = memory;
    struct side s = {.bulk = {.fill = fill}};
    if (!begin(&s, r))
        return false;
    snprintf(r->how, sizeof r->how, "%s", stt_node_io(s.bulk.node));
    if (!bulk_send(&s.bulk, &r->meeting))
        return false;
    r->stats = s.bulk.stats;
    r->packets_lost = s.bulk.stats.packets_lost;
    return end(&s, RUN_SENDER);
}
