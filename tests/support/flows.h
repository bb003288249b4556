/* SPDX-License-Identifier: MIT
 * flows: hosts that fill streams and check them, on both sides of a world. What is written is a
 * function of the stream, the side and the offset, so that each byte is checked as it is read.
 *
 *     struct flows f;
 *     flows_init(&f, &w);
 *     f.server.reply_bytes = 1000;              what it writes into streams that the client opens
 *     flows_open(&f, &f.client, &(struct flow){.to_write = 1000});
 *     flows_require(&f, flows_are_over, STT_S(1));
 *     flows_end(&f);
 */
#ifndef TESTS_SUPPORT_FLOWS_H
#define TESTS_SUPPORT_FLOWS_H

#include "stt/streams.h"
#include "tests/support/world.h"

enum { FLOW_MESSAGE_MAX = 6000 };

/* A stream as one side sees it. */
struct flow {
    uint64_t to_write; /* bytes, or messages */
    bool messages, stays_open, no_reading;
    uint8_t urgency;

    stt_handle handle;
    uint64_t id;
    uint64_t written, read; /* bytes, or messages */
    bool is_finished;       /* FIN was written */
    uint32_t heard;         /* STT_STREAM_ bits of all events */
    uint64_t reset_code, stop_code;
    stt_ns opened_at, read_at, finished_at, ended_at; /* read_at: of the latest byte */
    size_t partial;                                   /* of a message */
    uint8_t message[FLOW_MESSAGE_MAX];
};

struct flows_side {
    struct world_side *of;
    struct stt_endpoint *ep;
    struct flow **all;
    size_t n, ended;
    uint64_t reply_bytes; /* into streams that the peer opens */
    bool reply_stays_open, no_reading;
};

/* Must not move. */
struct flows {
    struct world *w;
    struct flows_side client, server;
};

/* Of a world that is connected. */
void flows_init(struct flows *f, struct world *w);
/* Ends the world too. */
void flows_end(struct flows *f);

/* Opens, and begins to write. An error of stt_stream_open: NULL. */
struct flow *flows_open(struct flows *f, struct flows_side *side, const struct flow *like);
/* The same stream at the other side; NULL: not there yet. */
struct flow *flows_peer(struct flows *f, const struct flow *flow);
/* Reads whatever is there, and goes on. */
void flows_read(struct flows *f, struct flow *flow);
/* Writes on, after to_write or stays_open have changed. */
void flows_write(struct flows *f, struct flow *flow);

bool flows_are_over(const struct flows *f); /* all streams have ended on both sides */
bool flows_run(struct flows *f, bool (*reached)(const struct flows *f), stt_ns within_ns);
void flows_run_for(struct flows *f, stt_ns ns);
#define flows_require(f, reached, within_ns) world_require((f)->w, flows_run(f, reached, within_ns))

#endif
