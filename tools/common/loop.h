/* SPDX-License-Identifier: MIT
 * loop: a node and other file descriptors in one thread.
 *
 * Nothing is registered. A turn steps the node and lets everyone do what can be done now; whoever
 * could not go on says with loop_want() and loop_wake_at() what he waits for, in each turn anew.
 * Where nobody got anything done, the loop sleeps until one of these.
 *
 *     port.ready says that the descriptor may be used; who meets EAGAIN clears it, and wants it. */
#ifndef TOOLS_COMMON_LOOP_H
#define TOOLS_COMMON_LOOP_H

#include "stt/node.h"

#include <poll.h>

struct port {
    int fd;
    short ready; /* POLLIN and POLLOUT as they were last seen, errors as both */
};

enum { LOOP_WANTS_MAX = 1024 };
struct loop {
    struct stt_node *node;
    stt_ns now; /* of this turn */
    stt_ns wake_at;
    uint32_t n;
    struct pollfd polled[LOOP_WANTS_MAX + 2];
    struct port *ports[LOOP_WANTS_MAX + 2];
};

/* Catches SIGINT, SIGTERM, SIGHUP and SIGCHLD; ignores SIGPIPE and SIGXFSZ. */
bool loop_begin(struct loop *loop, struct stt_node *node);
void loop_end(struct loop *loop);

/* In a turn: to be woken when it can be read or written (POLLIN, POLLOUT). */
void loop_want(struct loop *loop, struct port *port, short events);
/* In a turn: to be woken at this time at the latest. */
void loop_wake_at(struct loop *loop, stt_ns at);

/* Turns until `turn` answers LOOP_OVER; the node's error, or STT_OK. */
enum loop_turn { LOOP_IDLE, LOOP_BUSY, LOOP_OVER };
int loop_run(struct loop *loop, enum loop_turn (*turn)(void *ctx), void *ctx);

/* The last signal that asked the program to end, or 0. */
int loop_signal(void);
/* Whether children have changed since this was asked last. */
bool loop_child_changed(void);

/* A descriptor that does not block, without changing the one that others may share: opened anew
 * where the system can, else itself. A file is as it is. */
int loop_unblock(int fd, int flags);

#endif
