/* SPDX-License-Identifier: MIT
 * node: an endpoint, a driver, and what goes between them. */
#ifndef STT_NODE_NODE_H
#define STT_NODE_NODE_H

#include "stt/node.h"
#include "stt/node/dialer.h"
#include "stt/node/exporter.h"
#include "stt/node/mailbox.h"
#include "stt/node/places.h"
#include "stt/node/secret.h"
#include "stt/node/spin.h"
#include "transport/probe.h"

/*     what                      is counted */
#define STT_NODE_COUNTS(X)                                                                         \
    X(no_way, "trains that no socket could carry")                                                 \
    X(too_large, "trains larger than the interface takes")                                         \
    X(unsent, "trains refused for other reasons")                                                  \
    X(handed_over, "datagrams that came here and went to another worker")                          \
    X(taken_over, "datagrams that another worker handed over")                                     \
    X(handover_dropped, "datagrams of another worker that it had no room for")

struct stt_node {
    struct stt_env env;
    struct stt_secret secret; /* env's ctx, and so the way back to the node for its hooks */
    void *hooks_ctx;
    void (*trace)(void *ctx, const struct stt_trace_event *event);
    void (*key_log)(void *ctx, const struct stt_key_log *key);

    struct stt_endpoint *ep;
    struct stt_driver *driver;
    const char *io_why;
    struct stt_spin spin;
    struct stt_driver_train found; /* while it spun, and not heard yet */
    bool has_found;
    bool has_more;       /* a step found more than it does at once */
    bool is_host_prompt; /* between two waits, ... */
    stt_ns turned_at;    /* ... the latest of which ended then */
    atomic_bool is_stopped;
    atomic_bool is_called;          /* from another thread; what for is to be found out */
    atomic_bool is_over;            /* its thread has ended */
    struct stt_crew_worker *worker; /* NULL: it is alone */
    struct stt_places places;
    struct stt_dialer dialer;
    struct stt_mailbox mailbox;
    struct stt_exporter *exporter; /* NULL: its metrics are not served */
#define X(name, text) uint64_t name;
    STT_NODE_COUNTS(X)
#undef X
};

/* For tests: what nobody else should choose. NULL members: as usual. */
struct stt_node_knobs {
    const struct stt_driver_faults *faults; /* outlives the node */
    int (*driver_new)(struct stt_driver **out, const struct stt_driver_config *config);
};
int stt_node_new_with(struct stt_node **out, const struct stt_node_config *config,
                      const struct stt_node_knobs *knobs) STT_MUST_USE;
/* From any thread: it makes a turn soon. */
void stt_node_call(struct stt_node *node);
/* In its thread: its sessions end silently. Calls and posts from other threads find it still there.
 */
void stt_node_quit(struct stt_node *node);

#endif
