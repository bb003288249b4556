/* SPDX-License-Identifier: MIT
 * driver: trains between UDP sockets and memory. This is the seam between the node and the kernel;
 * behind it stand `uring` and `mmsg`, which do the same and differ in how.
 *
 *     stt_driver_step(d, wait)              what was queued goes, what came is noticed; or only one
 *                                           of both: stt_driver_flush(d), stt_driver_look(d)
 *     stt_driver_receive(d, &train)         the next that came, until false
 *     stt_driver_room(d), stt_driver_send() where to put the next, until NULL; and off with it
 *     stt_driver_refused(d, &refusal)       what the kernel did not take, until false
 *
 * A driver belongs to one thread: that of its first step, whoever made it. Only wake() may be
 * called from others. It reads no clock but for its own back-off, allocates nothing after it was
 * made, and knows nothing of what is in a datagram. */
#ifndef STT_TRANSPORT_DRIVER_H
#define STT_TRANSPORT_DRIVER_H

#include "stt/address.h"
#include "stt/error.h"
#include "transport/socket.h"

enum {
    STT_DRIVER_SOCKETS_MAX = 16,
    STT_DRIVER_TRAIN_BYTES = 65507,
    STT_DRIVER_SEGMENTS_MAX = 64,
};

/* Equal-sized datagrams, back to back, the last perhaps shorter, all from one address to another.
 */
struct stt_driver_train {
    uint32_t socket;                  /* by which it came, or goes */
    struct stt_address local, remote; /* local, when it goes: with port 0, the system's choice */
    uint8_t *data;
    size_t len, segment_bytes; /* segment_bytes >= len: just one; never 0 */
    uint8_t ecn;               /* the two bits of the IP header */
    uint64_t session, first;   /* when it goes, the sender's: a refusal brings them back */
};

/* A train that was not sent, or only in part, and will not be. */
struct stt_driver_refusal {
    int error; /* errno: EMSGSIZE, ENETUNREACH, EPERM, ... */
    uint32_t socket;
    struct stt_address local, remote;
    size_t len, segment_bytes;
    uint64_t session, first; /* as they were sent */
};

/*     what                        is counted */
#define STT_DRIVER_STATS(X)                                                                        \
    X(trains_received, "trains that came")                                                         \
    X(datagrams_received, "datagrams in them")                                                     \
    X(bytes_received, "and bytes")                                                                 \
    X(truncated, "datagrams that did not fit, or without a usable address: dropped")               \
    X(trains_sent, "trains that the kernel took")                                                  \
    X(datagrams_sent, "datagrams in them")                                                         \
    X(bytes_sent, "and bytes")                                                                     \
    X(refused, "trains that it refused")                                                           \
    X(held_back, "sends tried again: EAGAIN, ENOBUFS, ENOMEM")                                     \
    X(out_of_buffers, "times that receiving stopped for lack of buffers")                          \
    X(overflows, "times that completions did not fit their queue")                                 \
    X(gso_off, "sockets on which segmentation was switched off at run time")                       \
    X(receive_errors, "errors of receiving, and of strangers' ICMP: counted, and no more")         \
    X(steps, "steps")                                                                              \
    X(waits, "of them: that had to wait")

struct stt_driver_stats {
#define X(name, text) uint64_t name;
    STT_DRIVER_STATS(X)
#undef X
};

/* What a kernel may answer on a bad day, for tests; NULL members do nothing. Called on the driver's
 * thread, before each send and for each train that came. 0: as it is; else an errno: the send is
 * not made and ends so; or receiving ends so, the train lost. */
struct stt_driver_faults {
    void *ctx;
    int (*on_send)(void *ctx, const struct stt_driver_train *train);
    int (*on_receive)(void *ctx);
};

struct stt_driver_config {
    uint32_t receive_buffers; /* of 64 KiB: a power of two, 4 to 1,024 */
    uint32_t send_buffers;    /* of 64 KiB: 2 to 256; so many trains may be under way */
    uint8_t dscp;             /* 0 to 63, of all that is sent */
    const struct stt_driver_faults *faults; /* NULL: none */
};
#define STT_DRIVER_CONFIG_INIT                                                                     \
    {                                                                                              \
        .receive_buffers = 32, .send_buffers = 16                                                  \
    }

struct stt_driver;
struct stt_driver_ops {
    const char *name;
    void (*free)(struct stt_driver *d);
    int (*add)(struct stt_driver *d, const struct stt_socket *socket, uint32_t *number);
    void (*remove)(struct stt_driver *d, uint32_t number);
    int (*step)(struct stt_driver *d, bool wait);
    int (*look)(struct stt_driver *d);
    int (*flush)(struct stt_driver *d);
    bool (*receive)(struct stt_driver *d, struct stt_driver_train *train);
    uint8_t *(*room)(struct stt_driver *d);
    void (*send)(struct stt_driver *d, const struct stt_driver_train *train);
    bool (*refused)(struct stt_driver *d, struct stt_driver_refusal *refusal);
    void (*alarm)(struct stt_driver *d, stt_ns at);
    int (*fd)(const struct stt_driver *d);
    void (*wake)(struct stt_driver *d);
    void (*stats)(const struct stt_driver *d, struct stt_driver_stats *out);
};

/* Each driver's own struct begins with this. */
struct stt_driver {
    const struct stt_driver_ops *ops;
};

/* STT_E_UNSUPPORTED: this kernel does not allow it; stt_probe() says why. */
int stt_uring_new(struct stt_driver **out, const struct stt_driver_config *config) STT_MUST_USE;
int stt_mmsg_new(struct stt_driver **out, const struct stt_driver_config *config) STT_MUST_USE;

/* Waits for nothing; what is under way may be lost. Sockets are closed. */
static inline void stt_driver_free(struct stt_driver *d)
{
    if (d)
        d->ops->free(d);
}

/* The socket is the driver's from now on. STT_E_LIMIT: there are too many. */
static inline int stt_driver_add(struct stt_driver *d, const struct stt_socket *socket,
                                 uint32_t *number)
{
    return d->ops->add(d, socket, number);
}
/* What came by it and was not received yet is dropped; its number may be given anew. */
static inline void stt_driver_remove(struct stt_driver *d, uint32_t number)
{
    d->ops->remove(d, number);
}

/* With wait, not before something came, a send has ended after room() said NULL, the alarm went
 * off, or somebody woke it. An error says that the driver is of no use any more. */
static inline int stt_driver_step(struct stt_driver *d, bool wait)
{
    return d->ops->step(d, wait);
}

/* A step that is after trains alone, for who looks again and again: receive() says whether there
 * are some. */
static inline int stt_driver_look(struct stt_driver *d)
{
    return d->ops->look(d);
}
/* A step that is after sending alone. */
static inline int stt_driver_flush(struct stt_driver *d)
{
    return d->ops->flush(d);
}

/* Good until the next call to receive() or step(). The data may be changed. Until false: of what is
 * left then, the fd tells once more, of what was left before, perhaps not. */
static inline bool stt_driver_receive(struct stt_driver *d, struct stt_driver_train *train)
{
    return d->ops->receive(d, train);
}

/* STT_DRIVER_TRAIN_BYTES for one train, the same until it is sent; NULL: all are under way. */
static inline uint8_t *stt_driver_room(struct stt_driver *d)
{
    return d->ops->room(d);
}
/* `data` is the room. It goes with the next step at the latest. */
static inline void stt_driver_send(struct stt_driver *d, const struct stt_driver_train *train)
{
    d->ops->send(d, train);
}
/* The oldest; more than a few are dropped, and counted. */
static inline bool stt_driver_refused(struct stt_driver *d, struct stt_driver_refusal *refusal)
{
    return d->ops->refused(d, refusal);
}

/* Then, on CLOCK_BOOTTIME, waiting ends and the fd becomes readable, until the next step. It may
 * happen too early, never too late; STT_NEVER: not at all. */
static inline void stt_driver_alarm(struct stt_driver *d, stt_ns at)
{
    d->ops->alarm(d, at);
}

/* Readable, for poll, epoll (level or edge) and io_uring, when a step would find something. */
static inline int stt_driver_fd(const struct stt_driver *d)
{
    return d->ops->fd(d);
}

/* From any thread: the step that waits returns, or the next one does not wait. */
static inline void stt_driver_wake(struct stt_driver *d)
{
    d->ops->wake(d);
}

static inline void stt_driver_stats(const struct stt_driver *d, struct stt_driver_stats *out)
{
    d->ops->stats(d, out);
}

#endif
