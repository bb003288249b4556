/* SPDX-License-Identifier: MIT
 * libstt-sim: endpoints and a network between them in virtual time, in one process.
 *
 *     struct stt_sim_config config = STT_SIM_CONFIG_INIT;
 *     config.seed = 7;
 *     struct stt_sim *sim = stt_sim_new(&config);
 *     ... stt_sim_endpoint_add(sim, &client, &a); stt_sim_endpoint_add(sim, &server, &b); ...
 *     stt_sim_pair(sim, a, b, &(struct stt_link_config){.delay_ns = STT_MS(20)});
 *     ... stt_endpoint_connect(stt_sim_endpoint(sim, a), stt_sim_now(sim), ...) ...
 *     stt_sim_run_until(sim, STT_S(10));
 *
 * One seed fixes everything: the same seed and the same calls give the same stt_sim_hash() on every
 * machine. Nothing here protects anything; never link it into a daemon.
 *
 * Ids count from 0 and stay valid until the sim ends; a wrong one stops the program, and so does a
 * machine without memory: neither is among the simulated faults. */
#ifndef STT_SIM_H
#define STT_SIM_H

#include "stt/endpoint.h"
#include "stt/simnet.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stt_sim;
struct stt_key_log;
struct stt_trace_event;
typedef uint32_t stt_sim_node, stt_sim_link, stt_sim_nat;

/* -- the world ---------------------------------------------------------------------------- */

/* What happened, as a log wants it. */
#define STT_SIM_RECORDS(X)                                                                         \
    X(SENT, 's', "sent", "segment bytes", "digest")                                                \
    X(DELIVERED, 'v', "delivered", "node", "segment bytes")                                        \
    X(DROPPED, 'd', "dropped", "link", "reason")                                                   \
    X(LOST, 'x', "lost", "cause", "")                                                              \
    X(EXPIRED, 'e', "expired", "node", "")                                                         \
    X(EVENT, 'h', "event", "node", "type")                                                         \
    X(LIFE, 'k', "life", "node", "state")

enum stt_sim_record_kind {
#define X(name, value, text, subject, detail) STT_SIM_##name = (value),
    STT_SIM_RECORDS(X)
#undef X
};

struct stt_sim_record {
    stt_ns at;
    enum stt_sim_record_kind kind;
    uint32_t subject;
    uint64_t detail, bytes;
};

struct stt_sim_config {
    size_t size;
    uint64_t seed;
    stt_ns start_ns;                /* the first instant */
    uint32_t segments_max;          /* that arrive as one train, 1 to 64 */
    bool hash_payloads;             /* costs 0.1 to 0.2 us a datagram */
    uint32_t transmits_at_once_max; /* of one node without time passing: more is a spin */
    uint32_t expires_at_once_max;   /* the same */
    uint64_t events_at_once_max;    /* of all without time passing: more is a spin */
    void *observe_ctx;
    void (*observe)(void *ctx, const struct stt_sim_record *record); /* may be NULL */
};
#define STT_SIM_CONFIG_INIT                                                                        \
    {                                                                                              \
        .size = sizeof(struct stt_sim_config), .seed = 1, .start_ns = 0,                           \
        .segments_max = STT_TRAIN_SEGMENTS, .hash_payloads = true,                                 \
        .transmits_at_once_max = 1u << 20, .expires_at_once_max = 1000,                            \
        .events_at_once_max = UINT64_C(1) << 26, .observe_ctx = NULL, .observe = NULL,             \
    }

struct stt_sim *stt_sim_new(const struct stt_sim_config *config);
void stt_sim_free(struct stt_sim *sim);

stt_ns stt_sim_now(const struct stt_sim *sim);
/* Of everything that has happened. */
uint64_t stt_sim_hash(const struct stt_sim *sim);
/* What went wrong in a way that no endpoint should let happen (a spin, an impossible train, a leak
 * at its end), as one sentence; NULL: nothing. After a failure time stands still. */
const char *stt_sim_failure(const struct stt_sim *sim);

/* Each answers false after a failure. `until` included. */
bool stt_sim_run_until(struct stt_sim *sim, stt_ns until);
/* While wants_more answers true, asked after each event; false also when that lasts to the limit or
 * for ever. */
bool stt_sim_run_while(struct stt_sim *sim, bool (*wants_more)(void *ctx), void *ctx, stt_ns limit);

/* Calls act(ctx, sim) at a time that is not past. */
void stt_sim_at(struct stt_sim *sim, stt_ns at, void (*act)(void *ctx, struct stt_sim *sim),
                void *ctx);

/* -- nodes: endpoints --------------------------------------------------------------------- */

struct stt_sim_host {
    void *ctx; /* each may be NULL */
    void (*on_event)(void *ctx, struct stt_sim *sim, stt_sim_node node,
                     const struct stt_event *event);
    /* A byte-stream link that the node watches filled up, or has room again. */
    void (*on_writable)(void *ctx, struct stt_sim *sim, stt_sim_node node, stt_sim_link link,
                        bool writable);
};

/* A node's memory, ordinary and secret together. */
struct stt_sim_memory {
    uint64_t fail_at;   /* this allocation fails, counted from 1; 0: none does */
    uint64_t fail_from; /* this one and all later ones; 0: none does */
    size_t limit_bytes; /* those that would exceed it; 0: no limit */

    uint64_t allocs; /* the failed ones included */
    uint64_t failed;
    uint64_t live; /* blocks */
    size_t bytes_in_use, bytes_peak;
};

struct stt_sim_endpoint {
    struct stt_config config;
    struct stt_sim_host host;
    struct stt_address address;
    struct stt_sim_memory memory; /* its knobs */
    void *trace_ctx;
    void (*trace)(void *ctx, const struct stt_trace_event *event); /* may be NULL */
    void (*key_log)(void *ctx, const struct stt_key_log *key);     /* likewise; the same ctx */
};

/* Makes an endpoint with deterministic entropy and counted memory. Its events go to the host, and
 * whatever it wants to send is sent, without anybody's doing. Any error of stt_endpoint_new(). */
int stt_sim_endpoint_add(struct stt_sim *sim, const struct stt_sim_endpoint *endpoint,
                         stt_sim_node *out) STT_MUST_USE;

/* For calls of the host's own; ask for it each time, because the node is driven afterwards. NULL
 * while it is killed. */
struct stt_endpoint *stt_sim_endpoint(struct stt_sim *sim, stt_sim_node node);

/* Counters to read and knobs to turn; NULL for a machine. */
struct stt_sim_memory *stt_sim_memory(struct stt_sim *sim, stt_sim_node node);

/* A cipher suite that hides nothing and protects against nothing: its tag tells keys, numbers and
 * headers apart, but not contents. For measuring the protocol alone; name it in config.suites. */
const struct stt_aead_suite *stt_sim_null_suite(void);

/* The process forks and this is the child: its secrets are gone. */
void stt_sim_fork(struct stt_sim *sim, stt_sim_node node);
/* Whether the machine has entropy to give. */
void stt_sim_entropy(struct stt_sim *sim, stt_sim_node node, bool has_some);
/* Whether the host pulls events; what it does not hear now it hears when it listens again. */
void stt_sim_listen(struct stt_sim *sim, stt_sim_node node, bool listens);

/* -- nodes: anything else with five verbs ------------------------------------------------- */

/* Attackers, observers, other protocols. Every member may be NULL. */
struct stt_sim_machine {
    int (*start)(void *ctx, stt_ns now); /* when it is added, and at each restart */
    void (*stop)(void *ctx);             /* when it is killed, and at the end */
    void (*receive)(void *ctx, stt_ns now, const struct stt_train *train);
    bool (*transmit)(void *ctx, stt_ns now, struct stt_train *train);
    stt_ns (*deadline)(const void *ctx);
    void (*expire)(void *ctx, stt_ns now);
    bool (*event)(void *ctx); /* deals with one event; false: there was none */
    void (*on_writable)(void *ctx, stt_sim_link link, bool writable);
    void (*refused)(void *ctx, stt_ns now, const struct stt_train *train); /* see below */
};

/* The error of start. */
int stt_sim_machine_add(struct stt_sim *sim, const struct stt_sim_machine *machine, void *ctx,
                        const struct stt_address *address, stt_sim_node *out) STT_MUST_USE;

/* Drives the node before time goes on: for when something was done to it from outside. */
void stt_sim_touch(struct stt_sim *sim, stt_sim_node node);

/* -- nodes: addresses and fates ----------------------------------------------------------- */

#define STT_SIM_ADDRESSES_MAX 8

/* 10.0.0.0/8 and fd00::/8 by number; port 0 is no address. */
struct stt_address stt_sim_ipv4(uint32_t number, uint16_t port);
struct stt_address stt_sim_ipv6(uint32_t number, uint16_t port);

/* Further addresses, up to 8. What a node sends from an address that is not its own leaves from its
 * first one, as with a socket that is bound to none. */
void stt_sim_address_add(struct stt_sim *sim, stt_sim_node node, const struct stt_address *address);
/* The node has `to` in place of `from`, and the same links. */
void stt_sim_address_move(struct stt_sim *sim, stt_sim_node node, const struct stt_address *from,
                          const struct stt_address *to);
struct stt_address stt_sim_address(const struct stt_sim *sim, stt_sim_node node);

/* Trains with datagrams above this are refused by the node's own machine, which hears of it; 0:
 * none are. What is above the MTU of a link vanishes in silence. */
void stt_sim_refuse_above(struct stt_sim *sim, stt_sim_node node, uint32_t bytes);

/* Without a word to anybody; checks that an endpoint gave back all its memory. */
void stt_sim_kill(struct stt_sim *sim, stt_sim_node node);
/* A new endpoint with the old configuration, and nothing else of the old one. */
int stt_sim_restart(struct stt_sim *sim, stt_sim_node node) STT_MUST_USE;
/* A laptop sleeps: nobody calls the node, and what arrives is lost. Killed nodes stay killed. */
void stt_sim_suspend(struct stt_sim *sim, stt_sim_node node);
void stt_sim_resume(struct stt_sim *sim, stt_sim_node node);
bool stt_sim_is_running(const struct stt_sim *sim, stt_sim_node node);

/* -- the network -------------------------------------------------------------------------- */

stt_sim_link stt_sim_link_add(struct stt_sim *sim, const struct stt_link_config *config);
/* What is on its way keeps its time; what waits is served at the new rate. */
void stt_sim_link_set(struct stt_sim *sim, stt_sim_link link, const struct stt_link_config *config);
void stt_sim_link_set_at(struct stt_sim *sim, stt_ns at, stt_sim_link link,
                         const struct stt_link_config *config);
struct stt_link_config stt_sim_link_config(const struct stt_sim *sim, stt_sim_link link);
struct stt_link_stats stt_sim_link_stats(const struct stt_sim *sim, stt_sim_link link);
/* Everything is lost that enters or leaves the queue from `from` until `until`; a byte stream
 * waits. */
void stt_sim_blackout(struct stt_sim *sim, stt_sim_link link, stt_ns from, stt_ns until);

/* From ip to ip, over at most 4 links in this order; ports do not matter. Several routes may share
 * a link. What has no route is lost. */
void stt_sim_route(struct stt_sim *sim, const struct stt_path *path, const stt_sim_link *links,
                   size_t n);
/* For all pairs without a route: up from the source's ip, then down to the destination's. */
void stt_sim_access(struct stt_sim *sim, const struct stt_address *of, stt_sim_link up,
                    stt_sim_link down);

/* A link each way between the first addresses of two nodes, on carrier 0. */
struct stt_sim_pair {
    stt_sim_link forth, back;
};
struct stt_sim_pair stt_sim_pair(struct stt_sim *sim, stt_sim_node a, stt_sim_node b,
                                 const struct stt_link_config *config);

/* Whom to tell when a byte-stream link fills up. */
void stt_sim_watch(struct stt_sim *sim, stt_sim_link link, stt_sim_node node);
bool stt_sim_is_writable(const struct stt_sim *sim, const struct stt_path *path);

/* The node's endpoint knows the link as this carrier, and is told whether it is writable. */
void stt_sim_carrier(struct stt_sim *sim, stt_sim_node node, uint32_t number, stt_sim_link link,
                     const struct stt_carrier *carrier);

stt_sim_nat stt_sim_nat_add(struct stt_sim *sim, const struct stt_nat_config *config);
/* This ip is behind it; routes are for the outside ip. */
void stt_sim_nat_inside(struct stt_sim *sim, stt_sim_nat nat, const struct stt_address *inside);
/* All its mappings die. */
void stt_sim_nat_rebind(struct stt_sim *sim, stt_sim_nat nat);
struct stt_nat_stats stt_sim_nat_stats(const struct stt_sim *sim, stt_sim_nat nat);

/* Datagrams that ended outside of links. */
struct stt_sim_stats {
    uint64_t events;
    uint64_t no_route, no_node, nat_refused, not_running;
    uint64_t trains_refused; /* by their own machine */
};
struct stt_sim_stats stt_sim_stats(const struct stt_sim *sim);

/* -- those in between --------------------------------------------------------------------- */

/* Sees every datagram that enters a link, one at a time; may change it and may send others. False
 * drops it. Taps see it in the order in which they were added. */
void stt_sim_tap(struct stt_sim *sim, stt_sim_link link,
                 bool (*see)(void *ctx, stt_ns now, struct stt_sim_datagram *d), void *ctx);

/* Any datagram from any address, now, over the route between the two; or straight to its
 * destination's door, past all links, after delay_ns. Data is copied. */
void stt_sim_send(struct stt_sim *sim, const struct stt_sim_datagram *d);
void stt_sim_inject(struct stt_sim *sim, const struct stt_sim_datagram *d);

/* Attackers on a link. All but the flood see what others send: */
void stt_sim_replay(struct stt_sim *sim, stt_sim_link link, stt_ns after_ns); /* each comes again */
void stt_sim_forge(struct stt_sim *sim, stt_sim_link link); /* a copy with one bit flipped comes
                                                                first, the next bit each time */
void stt_sim_spoof(struct stt_sim *sim, stt_sim_link link,
                   const struct stt_address *from); /* a copy comes first, from elsewhere */
void stt_sim_reflect(struct stt_sim *sim, stt_sim_link link,
                     stt_ns after_ns); /* a copy goes back to who sent it */

struct stt_sim_flood {
    uint64_t per_second;
    stt_ns from, until;
    void *ctx;
    /* Fills in the n-th datagram, addresses included; false ends the flood. */
    bool (*make)(void *ctx, uint64_t n, struct stt_sim_datagram *d);
};
void stt_sim_flood(struct stt_sim *sim, const struct stt_sim_flood *flood);

#ifdef __cplusplus
}
#endif
#endif
