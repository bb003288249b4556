/* SPDX-License-Identifier: MIT
 * works: owns the border between what is measured and what is not. It must not be in a file with
 * its callers. */
#include "tools/sttbench/engine/engine.h"

#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/shared/figures.h"

#include <stdlib.h>

static void read_stream(struct engine *x, struct engine_side *side, stt_handle stream)
{
    struct stt_part parts[8];
    for (size_t n; (n = stt_stream_peek(side->ep, stream, parts, 8));) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++) {
            if (x->is_checked)
                engine_check(x, &parts[i], x->moved + len);
            len += parts[i].len;
        }
        x->moved += len;
        engine_must("consume", stt_stream_consume(side->ep, x->now, stream, len));
    }
}

static void pull(struct engine *x, struct engine_side *side)
{
    struct stt_event event;
    struct stt_stream_event stream;
    while (stt_endpoint_event(side->ep, &event))
        if (event.type == STT_EVENT_CLOSED) {
            say_error("the session ended: %s", stt_reason_text(event.reason));
            exit(EXIT_INTEGRITY);
        }
    while (stt_endpoint_stream_event(side->ep, &stream))
        if (stream.what & STT_STREAM_READABLE)
            read_stream(x, side, stream.stream);
}

static bool work_of(struct engine *x, struct engine_side *side, enum engine_work work,
                    struct stt_train *train)
{
    switch (work) {
    case ENGINE_WRITE:
        engine_write_next(x);
        return true;
    case ENGINE_TRANSMIT:
        return stt_endpoint_transmit(side->ep, x->now, train);
    case ENGINE_RECEIVE:
        stt_endpoint_receive(side->ep, x->now, train);
        pull(x, side);
        return true;
    case ENGINE_EXPIRE:
        stt_endpoint_expire(side->ep, x->now);
        pull(x, side);
        return true;
    }
    return false;
}

static bool timed(struct engine *x, struct engine_side *side, enum engine_work work,
                  struct stt_train *train)
{
    if (!x->is_timed)
        return work_of(x, side, work, train);
    double t0 = figures_clock_ns(CLOCK_MONOTONIC);
    bool done = work_of(x, side, work, train);
    side->ns += figures_clock_ns(CLOCK_MONOTONIC) - t0;
    return done;
}

__attribute__((noinline)) bool engine_sender_works(struct engine *x, enum engine_work work,
                                                   struct stt_train *train)
{
    return timed(x, &x->a, work, train);
}

__attribute__((noinline)) bool engine_receiver_works(struct engine *x, enum engine_work work,
                                                     struct stt_train *train)
{
    return timed(x, &x->b, work, train);
}
