/* SPDX-License-Identifier: MIT
 * talk: the messages of sttbench/1 as bytes and back (spec 11, "Messages"). */
#ifndef TOOLS_STTBENCH_TRANSFER_TALK_H
#define TOOLS_STTBENCH_TRANSFER_TALK_H

#include "stt/base/bytes.h"
#include "stt/stats.h"

#define TALK_APPLICATION "sttbench/1"

enum {
    TALK_MESSAGE_MAX = 512,
    TALK_STREAMS_MAX = 128, /* in each direction */
    TALK_LANES_MAX = 2 * TALK_STREAMS_MAX,
    TALK_BLOCK_MAX = 1 << 20,
    TALK_JOIN_BYTES = 17,
};
#define TALK_DURATION_MIN_NS STT_MS(100)
#define TALK_DURATION_MAX_NS STT_S(86400)
#define TALK_OMIT_MAX_NS     STT_S(600)
#define TALK_BYTES_MAX       (UINT64_C(1) << 50)
#define TALK_RATE_MAX        (UINT64_C(1) << 40)

/* What everybody knows is no secret: it admits all who speak sttbench/1 (spec 11, "Who is there").
 */
extern const uint8_t talk_public_seed[32];

enum talk_type { TALK_TEST = 1, TALK_READY, TALK_START, TALK_SIDE, TALK_LANE, TALK_DONE };
enum talk_flags { TALK_REVERSE = 1, TALK_BIDIR = 2, TALK_VERIFY = 4 };
enum talk_code {
    TALK_CODE_DONE,
    TALK_CODE_REFUSED,
    TALK_CODE_BUSY,
    TALK_CODE_INTERRUPTED,
    TALK_CODE_INTEGRITY,
    TALK_CODE_TIMEOUT,
    TALK_CODE_PROTOCOL,
    TALK_CODE_MEMORY,
    TALK_CODE_COUNT,
};

/* What a test is. */
struct talk_test {
    uint8_t flags, streams;
    uint32_t block_bytes;
    uint64_t duration_ns; /* 0: until bytes have gone in each direction */
    uint64_t omit_ns;
    uint64_t bytes;
    uint64_t rate_bits_per_s; /* of a stream; 0: as fast as it goes */
};

struct talk_token {
    uint8_t bytes[16];
};

/* What one side says of itself; UINT64_MAX is what it does not know. In the order of the message.
 */
#define TALK_SIDE_FIGURES(X)                                                                       \
    X(time_ns)                                                                                     \
    X(cpu_user_ns)                                                                                 \
    X(cpu_system_ns)                                                                               \
    X(cpu_waited_ns)                                                                               \
    X(socket_drops)                                                                                \
    X(memory_drops)

/* The same of one lane. Those from packets_sent on are its sender's, and 0 from its receiver. */
#define TALK_LANE_HELD(X, upper, name, words) X(held_by_##name##_ns)
#define TALK_LANE_FIGURES(X)                                                                       \
    X(time_ns)                                                                                     \
    X(bytes)                                                                                       \
    X(all_bytes)                                                                                   \
    X(hash)                                                                                        \
    X(packets_sent)                                                                                \
    X(packets_lost)                                                                                \
    X(packets_spurious)                                                                            \
    X(bytes_retransmitted)                                                                         \
    X(rtt_min_ns)                                                                                  \
    X(rtt_mean_ns)                                                                                 \
    X(rtt_max_ns)                                                                                  \
    X(window_max_bytes)                                                                            \
    X(ring_full_ns)                                                                                \
    STT_HELD_BY(TALK_LANE_HELD, X)

struct talk_side {
#define X(name) uint64_t name;
    TALK_SIDE_FIGURES(X)
#undef X
};
struct talk_lane {
    uint8_t lane;
#define X(name) uint64_t name;
    TALK_LANE_FIGURES(X)
#undef X
};

/* One message; which of these it has, its type says. */
struct talk_message {
    enum talk_type type;
    union {
        struct talk_test test;
        struct talk_token token; /* READY */
        struct talk_side side;
        struct talk_lane lane;
    };
};

/* 0: it does not fit. */
size_t talk_encode(const struct talk_message *m, uint8_t *out, size_t room);
/* False: a message that cannot be: unknown type, a value beyond its limits, bytes left over. */
bool talk_decode(struct talk_message *m, struct bytes from);

/* What a lane begins with. */
struct talk_join {
    struct talk_token token;
    uint8_t lane;
};
void talk_join_encode(const struct talk_join *join, uint8_t out[TALK_JOIN_BYTES]);
void talk_join_decode(struct talk_join *join, const uint8_t in[TALK_JOIN_BYTES]);

bool talk_test_is_valid(const struct talk_test *test);
/* Lanes of a test, and whether the client sends on this one. */
uint32_t talk_lanes(const struct talk_test *test);
bool talk_client_sends(const struct talk_test *test, uint32_t lane);

#endif
