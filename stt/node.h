/* SPDX-License-Identifier: MIT
 * L1 and L2: an endpoint with sockets of its own.
 *
 *     struct stt_node_config config = STT_NODE_CONFIG_INIT;
 *     stt_node_identity(&config, NULL)                   a new identity; or stt/keyfile.h
 *     stt_node_new(&node, &config)
 *     stt_node_listen(node, "4433", NULL)                or stt_node_connect(node, ...)
 *     for (;;) {
 *         stt_node_wait(node, STT_NEVER)                 or stt_node_step() in a loop of yours
 *         while (stt_node_event(node, &event)) ...
 *         while (stt_endpoint_stream_event(stt_node_endpoint(node), &stream_event)) ...
 *     }
 *
 * Sessions, streams and datagrams are those of stt/endpoint.h, stt/streams.h and stt/datagrams.h,
 * called with stt_node_endpoint() and stt_node_now(). What they leave to be sent goes with the next
 * step. In somebody else's loop: wait until stt_node_fd() is readable or stt_node_timeout_ns() is
 * over; then call stt_node_step() and pull events, and do what they ask for, again and again, until
 * there are none. Who writes outside of that steps before waiting, too.
 *
 * A node belongs to the thread that steps it first; stt_node_post() and stt_node_stop() alone may
 * be called from others. For more than one thread: stt_node_spawn(). */
#ifndef STT_NODE_H
#define STT_NODE_H

#include "stt/endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stt_node;
struct stt_key_log;

enum stt_io {
    STT_IO_AUTO,  /* what the variable STT_IO says; else io_uring where it is allowed */
    STT_IO_URING, /* or not at all */
    STT_IO_MMSG,  /* sendmsg and recvmsg */
};

struct stt_node_config {
    size_t size; /* sizeof(struct stt_node_config) */
    struct stt_config endpoint;
    enum stt_io io;
    uint32_t socket_buffer_bytes; /* wanted of the kernel, each way */
    uint32_t receive_buffers;     /* of 64 KiB: a power of two, 4 to 1,024 */
    uint32_t send_buffers;        /* of 64 KiB: 2 to 256 */
    uint8_t dscp;                 /* 0 to 63, of all packets; 46 is expedited, 8 is background */
    stt_ns spin_ns;               /* stt_node_wait() looks again for so long before it sleeps; where
                                     trains come close together, for 50 us in any case */

    /* Hooks, as in stt/env.h; NULL: none. */
    void *hooks_ctx;
    void (*trace)(void *ctx, const struct stt_trace_event *event);
    void (*key_log)(void *ctx, const struct stt_key_log *key);
};

#define STT_NODE_CONFIG_INIT                                                                       \
    {                                                                                              \
        .size = sizeof(struct stt_node_config), .endpoint = STT_CONFIG_INIT,                       \
        .socket_buffer_bytes = 4u << 20, .receive_buffers = 32, .send_buffers = 16                 \
    }

/* Draws an identity from the system, or takes this secret. */
int stt_node_identity(struct stt_node_config *config, const uint8_t *secret) STT_MUST_USE;

/* Nothing of a node needs the calling thread again; sockets are opened when they are asked for. */
int stt_node_new(struct stt_node **out, const struct stt_node_config *config) STT_MUST_USE;
/* Silent: close sessions and step before, if peers should know. */
void stt_node_free(struct stt_node *node);

/* -- where ------------------------------------------------------------------------------------- */

/* "4433": all addresses of both families; "127.0.0.1:4433", "[::1]:4433", "[fe80::1%eth0]:4433";
 * port 0 is any. More than one call, more than one socket. `bound` says what it became; may be
 * NULL. STT_E_FORMAT: it is not like this; STT_E_EXISTS: somebody has it; STT_E_NOT_FOUND: the
 * address is not one of this machine's. */
int stt_node_listen(struct stt_node *node, const char *at, struct stt_address *bound) STT_MUST_USE;

/* To "host:port", "[::1]:4433", or a ticket, which says who, where and perhaps with which seed.
 * Names are resolved beside the loop, and their addresses are tried in turn until one answers;
 * connect's path is not looked at. `out`: the session, or 0 while there is none yet; may be NULL.
 * What becomes of it is told by events: CONNECTED, or CLOSED, with session 0 and connect's user
 * where no address was found. */
int stt_node_connect(struct stt_node *node, const struct stt_connect *connect, const char *to,
                     stt_handle *out) STT_MUST_USE;

/* A text like those above, without names: for stt_connect.path and stt_session_move(). */
#define STT_ADDRESS_TEXT_ROOM 72
int stt_address_parse(struct stt_address *out, const char *text) STT_MUST_USE;
void stt_address_text(const struct stt_address *address, char out[STT_ADDRESS_TEXT_ROOM]);

/* -- a loop of yours --------------------------------------------------------------------------- */

/* Readable when a step would find something; the same for the node's life. */
int stt_node_fd(const struct stt_node *node);
/* How long from now nothing needs to be done; STT_NEVER: until the fd is readable. The fd becomes
 * readable then, too. */
stt_ns stt_node_timeout_ns(struct stt_node *node);
/* Whatever can be done now; never blocks. An error is the end of the node: STT_E_FORKED, STT_E_IO.
 */
int stt_node_step(struct stt_node *node);
/* The same, at most so much later, as soon as there is something to do. */
int stt_node_wait(struct stt_node *node, stt_ns timeout_ns);

bool stt_node_event(struct stt_node *node, struct stt_event *event);

struct stt_endpoint *stt_node_endpoint(struct stt_node *node);
/* The clock that all calls of a node's endpoint take: it goes on while the machine sleeps, and
 * nobody sets it. */
stt_ns stt_node_now(const struct stt_node *node);
/* "uring" or "mmsg"; and why it is not uring, "" if it is or was not wanted. */
const char *stt_node_io(const struct stt_node *node);
const char *stt_node_io_why(const struct stt_node *node);

/* -- a loop of ours --------------------------------------------------------------- */

/* Waits and calls `turn`, which pulls events, until that answers false, or somebody stops it. */
int stt_node_run(struct stt_node *node, bool (*turn)(struct stt_node *node, void *ctx), void *ctx);
/* From any thread, also a signal handler: run() ends, and wait() returns STT_E_STATE from now on.
 */
void stt_node_stop(struct stt_node *node);
/* From any thread: `call` is made on the node's, in its next step. STT_E_LIMIT: too many wait.
 * STT_E_STATE: it is a crew's, and its thread has ended; what was not called by then never is. */
int stt_node_post(struct stt_node *node, void (*call)(struct stt_node *node, void *ctx),
                  void *ctx) STT_MUST_USE;

/* -- several as one ---------------------------------------------------------------------------- */

/* A crew: nodes, each in a thread of its own, that are one to the world. They share identity,
 * secrets, allow-list and codes, which any of them may change for all, and how often somebody may
 * guess; the limits that concern an endpoint as a whole are divided among them. A session stays
 * with the worker whose id it has: its handle means something to that node alone. Of two exclusive
 * connects in both directions a crew keeps one where both come to the same worker; elsewhere it
 * leaves that to the peer. The hooks of the configuration are called in each of the threads. */
struct stt_crew;
#define STT_WORKERS_MAX 256u

/* As stt_node_new(), for 1 to STT_WORKERS_MAX workers, and calls `start` for each, in its thread:
 * there it listens, and steps its node until that says STT_E_STATE. None of them begins before all
 * are there; `out` is set before. Where one listens, all do, on one port, with their next step; the
 * others may ask for the same address, to learn what it became. Who returns early closes his
 * sockets and forgets his sessions, as stt_node_free() would; the others answer in his place. */
int stt_node_spawn(struct stt_crew **out, const struct stt_node_config *config, uint32_t workers,
                   void (*start)(struct stt_node *node, uint32_t worker, void *ctx),
                   void *ctx) STT_MUST_USE;

/* All of these may be called from any thread, until stt_crew_join(); stt_crew_stop() from a signal
 * handler, too. A child of fork() has the threads no longer, and nothing of a crew to call. */

/* For stt_node_post() and stt_node_stop(). */
struct stt_node *stt_crew_node(struct stt_crew *crew, uint32_t worker);
/* As for an endpoint, for all of them, at once. */
int stt_crew_allow(struct stt_crew *crew, const struct stt_peer_id *peer) STT_MUST_USE;
int stt_crew_disallow(struct stt_crew *crew, const struct stt_peer_id *peer);
int stt_crew_code_new(struct stt_crew *crew, char text[STT_CODE_TEXT_MAX],
                      uint32_t *slot) STT_MUST_USE;
int stt_crew_passphrase(struct stt_crew *crew, const uint8_t stretched[32]) STT_MUST_USE;
int stt_crew_code_end(struct stt_crew *crew, uint32_t slot);
/* Stops all nodes. */
void stt_crew_stop(struct stt_crew *crew);
/* Waits until all have returned from `start`, and frees everything. */
void stt_crew_join(struct stt_crew *crew);

#ifdef __cplusplus
}
#endif
#endif
