/* SPDX-License-Identifier: MIT
 * uring: what the parts of the driver on io_uring share. One ring, of one thread.
 *
 *     uring.c           made and freed, sockets, a step
 *     uring_receive.c   buffers, receives that go on by themselves, trains that came
 *     uring_send.c      trains that go, and what becomes of them
 *     uring_bell.c      alarm, back-off, wake(), and the descriptor that others poll */
#ifndef STT_TRANSPORT_URING_H
#define STT_TRANSPORT_URING_H

#include "transport/control.h"
#include "transport/driver.h"
#include "transport/inbox.h"

#include <liburing.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    STT_URING_SENDS_MAX = 256,
    STT_URING_REFUSALS = 16,
};

/* Which operation a completion is of. */
enum stt_uring_kind {
    STT_URING_FORGET, /* nobody asks how it ended */
    STT_URING_WAKE,
    STT_URING_ALARM,
    STT_URING_BACKOFF,
    STT_URING_RECEIVE, /* of the socket `which` */
    STT_URING_WRITABLE,
    STT_URING_SEND, /* of the slot `which`, its piece `part` */
};

/* How receiving, or sending, by a socket goes on. */
enum stt_uring_way {
    STT_URING_GO,      /* nothing is in its way */
    STT_URING_ARMED,   /* receiving: the kernel is at it */
    STT_URING_STARVED, /* receiving: until buffers have returned */
    STT_URING_STALLED, /* sending: until the kernel says that there is room */
    STT_URING_RESTING, /* until the back-off is over */
};

struct stt_uring_socket {
    struct stt_socket socket;
    bool is_used, is_leaving, is_cancelled;
    bool is_disarming;          /* receiving is to end */
    bool is_polled;             /* for room to send */
    uint8_t receiving, sending; /* enum stt_uring_way */
    uint32_t ends, stalls;      /* in a row, without a train in between */
    uint32_t under_way;         /* operations whose last completion is yet to come */
};

struct stt_uring_arrival {
    uint16_t buffer;
    uint16_t socket;
    int32_t len;
};

/* A train that goes: whole, or in pieces of one datagram. A set bit of `todo` is a piece that the
 * kernel did not take yet, of `flying` one that it has been given. */
struct stt_uring_slot {
    struct stt_driver_train train;
    struct stt_control_name name;
    union stt_control control;
    size_t control_len, piece_bytes;
    uint64_t todo, flying, repeated;
    int error;
    uint8_t tries;
    bool is_denied;  /* the last try met with a lack of memory or room */
    bool is_suspect; /* in pieces because the kernel did not like it whole */
};

struct stt_uring_header {
    struct msghdr msg;
    struct iovec data;
};

struct stt_uring {
    struct stt_driver driver;
    struct stt_driver_stats stats;
    struct stt_driver_config config;
    struct io_uring ring;
    bool has_ring, is_started;
    bool is_crowded;  /* an operation found no place: the queue must go before anybody sleeps */
    pthread_t thread; /* that of the first step */
    uint8_t *mark;    /* a page of its own that is zero in a child of fork() */
    struct stt_uring_socket sockets[STT_DRIVER_SOCKETS_MAX];
    uint32_t sockets_end; /* those that were ever used are below */

    /* uring_receive.c */
    struct io_uring_buf_ring *shelf; /* buffers that the kernel may take */
    uint8_t *buffers;
    struct msghdr shape; /* how name, control and data lie in one */
    struct stt_uring_arrival *arrivals;
    uint32_t arrivals_first, arrivals_n, shelved;
    bool is_lent;
    uint16_t lent;
    struct stt_inbox inbox; /* what came when sockets were asked */
    uint8_t *inbox_memory;
    bool is_asking;  /* by who looks again and again: nothing is armed */
    uint32_t to_ask; /* bits of sockets that may have something */

    /* uring_send.c */
    uint8_t *rooms;
    struct stt_uring_slot *slots;
    struct stt_uring_header *headers; /* by the place in the submission queue */
    uint16_t queue[STT_URING_SENDS_MAX], idle[STT_URING_SENDS_MAX];
    uint32_t queue_n, idle_n;
    bool is_sending; /* some are in the submission queue */
    uint16_t room;   /* the slot that room() gave out */
    bool is_wanting; /* room() has said NULL */
    struct stt_driver_refusal refusals[STT_URING_REFUSALS];
    uint32_t refusals_first, refusals_n;

    /* uring_bell.c */
    int wake_fd, bell_fd;
    atomic_bool is_woken, is_watched;
    bool is_wake_armed, is_listening, is_rung, is_alarmed, is_resting;
    stt_ns alarm_at, timer_at; /* wanted; armed in the ring, or STT_NEVER */
    struct __kernel_timespec timer, backoff;
};

/* For tests and measurements: what nobody else should choose. 0: as usual. */
struct stt_uring_knobs {
    bool without_defer;
    uint32_t sq_entries, cq_entries;
};
int stt_uring_new_with(struct stt_driver **out, const struct stt_driver_config *config,
                       const struct stt_uring_knobs *knobs) STT_MUST_USE;

/* uring.c. A place for an operation, or NULL, and it is asked for again when the queue has gone.
 * After it was prepared it is named. */
struct io_uring_sqe *stt_uring_sqe(struct stt_uring *d);
void stt_uring_name(struct io_uring_sqe *sqe, enum stt_uring_kind kind, uint32_t which,
                    uint32_t part);
int stt_uring_enter(struct stt_uring *d, bool sleeps);
bool stt_uring_has_news(struct stt_uring *d);
bool stt_uring_is_due(struct stt_uring *d);

/* uring_receive.c */
int stt_uring_receive_init(struct stt_uring *d);
void stt_uring_receive_fini(struct stt_uring *d);
void stt_uring_receive_prepare(struct stt_uring *d);
void stt_uring_receive_return(struct stt_uring *d);
/* From now on sockets are asked, or the kernel tells again. */
void stt_uring_receive_ask(struct stt_uring *d, bool asks);
/* They may be asked once more. */
void stt_uring_receive_again(struct stt_uring *d);
void stt_uring_receive_drop(struct stt_uring *d, uint32_t number);
void stt_uring_on_receive(struct stt_uring *d, uint32_t number, const struct io_uring_cqe *cqe);
bool stt_uring_receive(struct stt_driver *driver, struct stt_driver_train *train);

/* uring_send.c */
int stt_uring_send_init(struct stt_uring *d);
void stt_uring_send_fini(struct stt_uring *d);
void stt_uring_send_prepare(struct stt_uring *d);
void stt_uring_send_sweep(struct stt_uring *d);
void stt_uring_send_drop(struct stt_uring *d, uint32_t number);
void stt_uring_on_send(struct stt_uring *d, uint32_t slot, uint32_t piece, int result);
void stt_uring_on_writable(struct stt_uring *d, uint32_t number);
uint8_t *stt_uring_room(struct stt_driver *driver);
void stt_uring_send(struct stt_driver *driver, const struct stt_driver_train *train);
bool stt_uring_refused(struct stt_driver *driver, struct stt_driver_refusal *refusal);

/* uring_bell.c */
int stt_uring_bell_init(struct stt_uring *d);
void stt_uring_bell_fini(struct stt_uring *d);
void stt_uring_bell_prepare(struct stt_uring *d);
int stt_uring_bell_hush(struct stt_uring *d);
void stt_uring_bell_listen(struct stt_uring *d);
void stt_uring_bell_settle(struct stt_uring *d);
void stt_uring_bell_call(struct stt_uring *d);
void stt_uring_on_wake(struct stt_uring *d, bool has_more);
void stt_uring_on_alarm(struct stt_uring *d);
void stt_uring_on_backoff(struct stt_uring *d);
void stt_uring_alarm(struct stt_driver *driver, stt_ns at);
int stt_uring_fd(const struct stt_driver *driver);
void stt_uring_wake(struct stt_driver *driver);

/* Memory of its own, whole pages, not there in a child of fork(). */
void *stt_uring_map(size_t len);
void stt_uring_unmap(void *at, size_t len);

static inline struct stt_uring *stt_uring_of(struct stt_driver *driver)
{
    return (struct stt_uring *)driver;
}

#endif
