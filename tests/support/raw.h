/* SPDX-License-Identifier: MIT
 * raw: a node that sends what it is told and remembers what came.
 *
 *     struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);     10.0.0.1:1000 and 10.0.0.2:1000
 *     ...
 *     raw_send(sim, &a, &b, 100);                              100 bytes that begin with a number
 */
#ifndef TESTS_SUPPORT_RAW_H
#define TESTS_SUPPORT_RAW_H

#include "stt/sim.h"

enum { RAW_PORT = 1000, RAW_SEEN_MAX = 65536 };

/* A datagram that came. */
struct raw_seen {
    stt_ns at;
    uint64_t number; /* its first 8 bytes */
    uint64_t digest; /* of all of it */
    size_t len;
    uint8_t ecn;
    struct stt_address from, to;
    bool is_first; /* of its train */
};

struct raw_log {
    size_t n, trains;
    uint64_t bytes;
    struct raw_seen seen[RAW_SEEN_MAX];
    uint32_t writable_told;
    bool writable;
};

struct raw {
    stt_sim_node node;
    struct stt_address address;
    struct raw_log *log; /* raw_free() */
    uint64_t sent;
};

struct raw raw_add(struct stt_sim *sim, uint32_t number);
struct raw raw_add_at(struct stt_sim *sim, const struct stt_address *address);
void raw_free(struct raw *r);

/* Bytes after the number are a function of it. Numbers count from 0. */
void raw_send(struct stt_sim *sim, struct raw *from, const struct raw *to, size_t len);
void raw_send_to(struct stt_sim *sim, struct raw *from, const struct stt_address *to, size_t len,
                 uint8_t ecn);
/* n of them, one every `gap_ns`, from now on; the time afterwards is that of the last one. */
void raw_stream(struct stt_sim *sim, struct raw *from, const struct raw *to, size_t n,
                stt_ns gap_ns);

/* Whether it is as it was sent. */
bool raw_is_intact(const struct raw_seen *seen);

struct stt_sim *raw_world(uint64_t seed);

#endif
