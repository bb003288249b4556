/* SPDX-License-Identifier: MIT
 * loads: owns what is written, by whom and when, and knows it again. */
#include "tools/sttbench/engine/engine.h"

#include "tools/common/say.h"
#include "tools/sttbench/bench.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEP_BYTES = 1 << 18, /* written before the endpoints are let loose */
    TURN_BYTES = 1400,    /* that each of many streams writes */
    SMALL_BYTES = 64,
    SMALL_RUN = 1000, /* writes */
};

/* Prime numbers do not fit into packets: neighbours differ. */
static const uint8_t *data(void)
{
    static _Alignas(64) uint8_t bytes[STEP_BYTES];
    static bool is_made;
    for (size_t i = 0; !is_made && i < STEP_BYTES; i++)
        bytes[i] = (uint8_t)(i * 251 + i / 1009);
    is_made = true;
    return bytes;
}

static void write_turn(struct engine *x, stt_handle stream, size_t len)
{
    size_t written;
    engine_must("writing", stt_stream_write(x->a.ep, x->now, stream, data(), len, &written));
    engine_must("writing", written == len ? STT_OK : STT_E_LIMIT);
}

void engine_write_byte(struct engine *x, stt_handle stream)
{
    write_turn(x, stream, 1);
    engine_must("flushing", stt_stream_flush(x->a.ep, x->now, stream));
}

/* A small one leaves after the wait that is a's deadline. */
static void write_small(struct engine *x)
{
    write_turn(x, x->streams[0], SMALL_BYTES);
    x->now = stt_endpoint_deadline(x->a.ep);
    stt_endpoint_expire(x->a.ep, x->now);
}

void engine_write_next(struct engine *x)
{
    if (x->load->is_small)
        write_small(x);
    else if (!x->load->all_send)
        write_turn(x, x->streams[0], STEP_BYTES);
    else
        for (size_t n = 0; n < STEP_BYTES; n += TURN_BYTES) {
            write_turn(x, x->streams[x->turn], TURN_BYTES);
            x->turn = (x->turn + 1) % x->load->streams;
        }
}

void engine_check(const struct engine *x, const struct stt_part *part, uint64_t offset)
{
    size_t period = x->load->is_small ? SMALL_BYTES : STEP_BYTES;
    const uint8_t *bytes = part->data;
    for (size_t left = part->len, n; left; left -= n, bytes += n, offset += n) {
        size_t at = (size_t)((offset - x->load->streams) % period); /* behind the first bytes */
        n = period - at < left ? period - at : left;
        if (memcmp(bytes, data() + at, n) == 0)
            continue;
        say_error("the bytes from %llu on are not those that were written",
                  (unsigned long long)offset);
        exit(EXIT_INTEGRITY);
    }
}

void engine_run(struct engine *x, uint64_t bytes)
{
    for (int i = 0; x->load->is_small && i < SMALL_RUN; i++) {
        engine_sender_works(x, ENGINE_WRITE, NULL);
        engine_settle(x);
    }
    if (x->load->is_small)
        return;
    for (uint64_t goal = x->moved + bytes; x->moved < goal;) {
        x->now += STT_US(50);
        engine_sender_works(x, ENGINE_WRITE, NULL);
        engine_settle(x);
        engine_sender_works(x, ENGINE_EXPIRE, NULL);
        engine_receiver_works(x, ENGINE_EXPIRE, NULL);
    }
}
