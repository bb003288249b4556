/* SPDX-License-Identifier: MIT
 * uring_bell: alarm, back-off, wake(), and the descriptor that others poll.
 *
 * A ring that defers its work wakes nobody who polls its own descriptor; an eventfd that is
 * registered with it, the bell, does. The bell is registered when the thread asks for it, or in
 * its first step after another has, and from then on it is hushed during a step. Invariants: after
 * a step, and after receive() said false, the bell is readable if a step would find something; it
 * is rung more often than that, never less. wake() sets its flag before it rings, so that whoever
 * silences the bell and then looks at the flag misses nothing. The timer in the ring is never later
 * than the alarm; where it is earlier, it is set again when it has gone off. Only wake() and fd()
 * may be called from other threads. It must not know sockets or trains. */
#include "transport/uring.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BACKOFF_NS STT_MS(1)
#define NS_PER_S   STT_S(1)

static struct __kernel_timespec timespec_of(stt_ns ns)
{
    return (struct __kernel_timespec){.tv_sec = (long long)(ns / NS_PER_S),
                                      .tv_nsec = (long long)(ns % NS_PER_S)};
}

int stt_uring_bell_init(struct stt_uring *d)
{
    d->alarm_at = d->timer_at = STT_NEVER;
    d->backoff = timespec_of(BACKOFF_NS);
    d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return d->wake_fd < 0 || d->bell_fd < 0 ? STT_E_LIMIT : STT_OK;
}

void stt_uring_bell_fini(struct stt_uring *d)
{
    if (d->wake_fd >= 0)
        close(d->wake_fd);
    if (d->bell_fd >= 0)
        close(d->bell_fd);
}

/* -- what is in the ring ----------------------------------------------------------------------- */

static void prepare_wake(struct stt_uring *d)
{
    struct io_uring_sqe *sqe = d->is_wake_armed ? NULL : stt_uring_sqe(d);
    if (!sqe)
        return;
    io_uring_prep_poll_multishot(sqe, d->wake_fd, POLLIN);
    stt_uring_name(sqe, STT_URING_WAKE, 0, 0);
    d->is_wake_armed = true;
}

static void prepare_alarm(struct stt_uring *d)
{
    struct io_uring_sqe *sqe = d->alarm_at < d->timer_at ? stt_uring_sqe(d) : NULL;
    if (!sqe)
        return;
    d->timer = timespec_of(d->alarm_at);
    if (d->timer_at == STT_NEVER) {
        io_uring_prep_timeout(sqe, &d->timer, 0, IORING_TIMEOUT_ABS | IORING_TIMEOUT_BOOTTIME);
        stt_uring_name(sqe, STT_URING_ALARM, 0, 0);
    } else { /* which may have gone off just now: then its completion says so */
        struct io_uring_sqe name;
        stt_uring_name(&name, STT_URING_ALARM, 0, 0);
        io_uring_prep_timeout_update(sqe, &d->timer, name.user_data, IORING_TIMEOUT_ABS);
        stt_uring_name(sqe, STT_URING_FORGET, 0, 0);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    }
    d->timer_at = d->alarm_at;
}

static bool wants_backoff(const struct stt_uring *d)
{
    for (uint32_t i = 0; i < d->sockets_end; i++)
        if (d->sockets[i].receiving == STT_URING_RESTING ||
            d->sockets[i].sending == STT_URING_RESTING)
            return true;
    return false;
}

static void prepare_backoff(struct stt_uring *d)
{
    struct io_uring_sqe *sqe = !d->is_resting && wants_backoff(d) ? stt_uring_sqe(d) : NULL;
    if (!sqe)
        return;
    io_uring_prep_timeout(sqe, &d->backoff, 0, 0);
    stt_uring_name(sqe, STT_URING_BACKOFF, 0, 0);
    d->is_resting = true;
}

void stt_uring_bell_prepare(struct stt_uring *d)
{
    prepare_wake(d);
    prepare_alarm(d);
    prepare_backoff(d);
}

void stt_uring_on_wake(struct stt_uring *d, bool has_more)
{
    d->is_wake_armed = has_more;
}

void stt_uring_on_alarm(struct stt_uring *d)
{
    stt_ns at = d->timer_at;
    d->timer_at = STT_NEVER;
    if (d->alarm_at > at || d->alarm_at == STT_NEVER)
        return;
    d->alarm_at = STT_NEVER;
    d->is_alarmed = true;
}

void stt_uring_on_backoff(struct stt_uring *d)
{
    d->is_resting = false;
    for (uint32_t i = 0; i < d->sockets_end; i++) {
        struct stt_uring_socket *s = &d->sockets[i];
        if (s->receiving == STT_URING_RESTING)
            s->receiving = STT_URING_GO;
        if (s->sending == STT_URING_RESTING)
            s->sending = STT_URING_GO;
    }
}

/* -- the bell ---------------------------------------------------------------------------------- */

/* The counter cannot be full: it would take centuries. */
static void ring(int fd)
{
    uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static void silence(struct stt_uring *d)
{
    uint64_t n;
    while (read(d->bell_fd, &n, sizeof n) < 0 && errno == EINTR)
        ;
    d->is_rung = false;
}

void stt_uring_bell_call(struct stt_uring *d)
{
    if (!d->is_listening || d->is_rung || !stt_uring_is_due(d))
        return;
    d->is_rung = true;
    ring(d->bell_fd);
}

/* The kernel looks at this flag after it has said what there is; who sets it looks after. */
static void let_ring(struct stt_uring *d, bool may)
{
    __atomic_store_n(d->ring.cq.kflags, may ? 0 : IORING_CQ_EVENTFD_DISABLED, __ATOMIC_SEQ_CST);
}

static bool begin_to_listen(struct stt_uring *d)
{
    d->is_listening = io_uring_register_eventfd(&d->ring, d->bell_fd) == 0;
    return d->is_listening;
}

int stt_uring_bell_hush(struct stt_uring *d)
{
    if (!d->is_listening && !atomic_load(&d->is_watched))
        return STT_OK;
    if (!d->is_listening && !begin_to_listen(d))
        return STT_E_IO;
    let_ring(d, false);
    silence(d);
    return STT_OK;
}

void stt_uring_bell_listen(struct stt_uring *d)
{
    if (!d->is_listening)
        return;
    let_ring(d, true);
    stt_uring_bell_call(d);
}

void stt_uring_bell_settle(struct stt_uring *d)
{
    if (!d->is_listening || !d->is_rung)
        return;
    silence(d);
    stt_uring_bell_call(d);
}

void stt_uring_alarm(struct stt_driver *driver, stt_ns at)
{
    struct stt_uring *d = stt_uring_of(driver);
    d->alarm_at = at;
    if (!d->is_listening || at >= d->timer_at)
        return;
    prepare_alarm(d); /* perhaps nobody steps before he polls */
    (void)stt_uring_enter(d, false);
    stt_uring_bell_call(d);
}

int stt_uring_fd(const struct stt_driver *driver)
{
    struct stt_uring *d = stt_uring_of((struct stt_driver *)(uintptr_t)driver);
    if (atomic_exchange(&d->is_watched, true))
        return d->bell_fd;
    if (d->is_started && pthread_equal(d->thread, pthread_self()) && begin_to_listen(d)) {
        stt_uring_receive_ask(d, false);
        stt_uring_alarm(&d->driver, d->alarm_at);
        stt_uring_bell_call(d);
    } else {
        ring(d->bell_fd); /* for the step that begins to listen */
    }
    return d->bell_fd;
}

void stt_uring_wake(struct stt_driver *driver)
{
    struct stt_uring *d = stt_uring_of(driver);
    if (atomic_exchange(&d->is_woken, true))
        return;
    ring(d->wake_fd);
    if (atomic_load(&d->is_watched))
        ring(d->bell_fd); /* the kernel would, but late: from within another eventfd's ringing */
}
