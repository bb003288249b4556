/* SPDX-License-Identifier: MIT
 * world: a client and a server with a link each way, and sentences about them.
 *
 *     struct world w = world_pair(.seed = 1, .one_way_ms = 20, .loss_ppm = 10000);
 *     world_connect(&w, STT_MODE_K);
 *     world_require(&w, world_run_until(&w, both_closed, STT_S(31)));
 *     world_end(&w);
 *
 * The environment's STT_SEED takes the place of the seed, and what fails prints the one command
 * that does it again. */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "stt/sim.h"

#include <check.h>

enum { WORLD_EVENT_TYPES = 32, WORLD_PORT = 4000, WORLD_SIDES_MAX = 16 };

struct world_options {
    uint64_t seed; /* 0: 1 */
    uint32_t one_way_ms;
    uint64_t rate_bits_per_s;
    uint32_t queue_bytes;
    uint32_t loss_ppm; /* each way */
    uint32_t mtu;      /* of the path, with 28 or 48 bytes of headers */
    bool ipv6;
    uint64_t drop_nth, drop_nth_2; /* of what the client sends, from 1; where sessions are aged, */
    uint64_t drop_back_nth, drop_back_nth_2; /* from then on; of what the server sends */
    struct stt_link_config link;             /* whatever else a link can do */

    struct stt_sim_memory client_memory, server_memory;           /* knobs */
    void (*configure)(struct stt_config *config, bool is_client); /* the last word; may be NULL */
    void (*equip)(struct stt_sim_endpoint *endpoint, bool is_client); /* likewise, on the rest */
};

struct world_side {
    stt_sim_node node;
    struct stt_identity identity;
    struct stt_sim_pair links;          /* with the server, of one that joined; forth is its own */
    stt_handle session;                 /* the latest that was connected or accepted */
    uint64_t events[WORLD_EVENT_TYPES]; /* how many of each type */
    struct stt_event last;
    struct stt_event latest[WORLD_EVENT_TYPES]; /* of each type ... */
    stt_ns latest_at[WORLD_EVENT_TYPES];        /* ... and when it came */
    stt_ns connected_at;
    uint64_t connected_before; /* this many, when the latest connect began */
    uint64_t allocs_marked;
};

struct world {
    struct stt_sim *sim;
    uint64_t seed;
    struct stt_sim_pair links; /* forth is the client's */
    struct world_side *client, *server;
    struct stt_config server_config;
    uint32_t n_sides;
    uint32_t n_aged; /* sessions */
    struct world_options options;
    char code[STT_CODE_TEXT_MAX]; /* the latest that was armed */
};

#define world_pair(...) world_pair_new(&(struct world_options){__VA_ARGS__})
struct world world_pair_new(const struct world_options *options);

/* Another client of the server's, with a link each way and an address of its own. */
struct world_side *world_join(struct world *w, const struct world_options *options);

/* All endpoints end; asserts that nothing failed and nothing leaked. */
void world_end(struct world *w);

struct stt_endpoint *world_endpoint(struct world *w, const struct world_side *side);

/* Where `to` is, and whatever a connect in this mode needs; W arms a code at it, w->code. */
struct stt_connect world_call(struct world *w, const struct world_side *to, enum stt_mode mode);
stt_handle world_begin(struct world *w, const struct world_side *from,
                       const struct stt_connect *call);

/* Begins a connect of the client's, with whatever the mode needs; W arms a code at the server. */
stt_handle world_connect_begin(struct world *w, enum stt_mode mode);
/* And asserts that both sides say within 10 s that it is done. */
void world_connect(struct world *w, enum stt_mode mode);

/* Whether it is reached within this time. */
bool world_run_until(struct world *w, bool (*reached)(const struct world *w), stt_ns within_ns);
void world_run_for(struct world *w, stt_ns ns);

/* For world_run_until; the first is about the latest connect. */
bool both_connected(const struct world *w);
bool both_closed(const struct world *w);

/* Allocations of a side since the mark. */
void world_mark(struct world *w);
uint64_t world_allocs(const struct world *w, const struct world_side *side);

/* Like ck_assert, and says how to see it again. */
#define world_require(w, condition)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            world_explain(w);                                                                      \
            ck_abort_msg("%s", #condition);                                                        \
        }                                                                                          \
    } while (0)
void world_explain(const struct world *w);

#endif
