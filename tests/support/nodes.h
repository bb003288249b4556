/* SPDX-License-Identifier: MIT
 * nodes: a client and a server on real sockets, in one thread, and bytes between them.
 *
 *     struct nodes n;
 *     if (!nodes_begin(&n, STT_IO_URING, "127.0.0.1:0")) skip
 *     nodes_connect(&n);
 *     nodes_send(&n, 1 << 20);
 *     ck_assert(nodes_until(&n, nodes_have_all, STT_S(10)));
 *     nodes_end(&n);
 *
 * Nothing sleeps: both nodes are stepped, and where neither has anything to do, poll waits for
 * their descriptors, at most as long as they say. */
#ifndef TESTS_SUPPORT_NODES_H
#define TESTS_SUPPORT_NODES_H

#include "stt/node/node.h"
#include "stt/stats.h"
#include "stt/streams.h"

enum { NODES_EVENT_TYPES = 32 };

struct nodes_side {
    struct stt_node *node;
    struct stt_node_config config;
    stt_handle session, stream;         /* the latest of each */
    uint64_t events[NODES_EVENT_TYPES]; /* how many of each type */
    struct stt_event last;
    uint64_t to_write, written, read; /* bytes of the stream, whose content is known */
    bool has_finished, has_read_all;
    bool echoes;     /* what it reads it writes */
    bool stays_open; /* there may be more to write: no FIN yet */
};

struct nodes {
    struct nodes_side client, server;
    struct stt_address at; /* where the server is */
    char at_text[STT_ADDRESS_TEXT_ROOM];
    uint64_t polls; /* times that neither had anything to do */
    void (*enter)(bool is_client);
};

/* What a test wants of them; NULL and 0: as usual. */
struct nodes_setup {
    enum stt_io io;
    const char *at; /* where the server listens */
    void (*configure)(struct stt_node_config *config, bool is_client);
    void (*enter)(bool is_client);  /* before anything is called of that side */
    struct stt_node_knobs knobs[2]; /* of the server, of the client */
};

/* False: this machine has no such driver. A server listens, a client is there. `configure` may be
 * NULL: it has the last word. */
bool nodes_begin(struct nodes *n, enum stt_io io, const char *at,
                 void (*configure)(struct stt_node_config *config, bool is_client));
bool nodes_open(struct nodes *n, const struct nodes_setup *setup);
void nodes_end(struct nodes *n);

/* Mode K, to this text or, NULL, to where the server is; the second one sees to it that both have
 * told of it within 10 s. */
void nodes_connect_begin(struct nodes *n, const char *to);
void nodes_connect(struct nodes *n, const char *to);
/* The client opens its one stream and writes so many bytes, and FIN. */
void nodes_send(struct nodes *n, uint64_t bytes);

/* Events of one, and what they ask for; false: there was nothing, and nothing waits for a step. */
bool nodes_pull(struct nodes_side *s);
/* One turn of both; false: nothing has happened. */
bool nodes_step(struct nodes *n);
/* And then it waits, where neither has anything to do. */
void nodes_turn(struct nodes *n);
/* The same of several pairs, which wait so long at most. */
enum { NODES_PAIRS_MAX = 8 };
void nodes_turn_all(struct nodes *n, unsigned pairs, int most_ms);
bool nodes_until(struct nodes *n, bool (*reached)(const struct nodes *n), stt_ns within_ns);

struct stt_session_stats nodes_stats(const struct nodes_side *s);
struct stt_session_info nodes_info(const struct nodes_side *s);
struct stt_driver_stats nodes_driver_stats(const struct nodes_side *s);

bool nodes_are_connected(const struct nodes *n);
bool nodes_have_all(const struct nodes *n);   /* the server has read to the end */
bool nodes_have_echo(const struct nodes *n);  /* and the client its answer */
bool nodes_are_closed(const struct nodes *n); /* both were told */

#endif
