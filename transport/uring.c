/* SPDX-License-Identifier: MIT
 * uring: the driver on io_uring. Made and freed, its sockets, a step.
 *
 * Owns the ring and the sockets; the other parts own what is in uring.h under their names. The ring
 * is made disabled, so that whoever makes it need not be who steps it. Invariants: completions are
 * taken from the ring in reap() only; a socket's number is given anew when the last completion of
 * its operations has come; memory that the kernel may write is given back after the ring has
 * ended; nothing here waits but enter(), and that only where nothing is at hand. A child of fork()
 * may free it and no more. It must not know what is in a datagram. */
#include "transport/uring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SENDS_PER_BUFFER = 2, SQ_MIN = 64 };

/* -- memory ------------------------------------------------------------------------------------ */

void *stt_uring_map(size_t len)
{
    void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    (void)madvise(at, len, MADV_DONTFORK);
    return at;
}

void stt_uring_unmap(void *at, size_t len)
{
    if (at)
        munmap(at, len);
}

static int mark_init(struct stt_uring *d)
{
    size_t len = (size_t)sysconf(_SC_PAGESIZE);
    void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return STT_E_MEMORY;
    d->mark = at;
    *d->mark = 1;
    return madvise(at, len, MADV_WIPEONFORK) == 0 ? STT_OK : STT_E_UNSUPPORTED;
}

static bool is_forked(const struct stt_uring *d)
{
    return d->mark && !*d->mark;
}

/* -- operations -------------------------------------------------------------------------------- */

struct io_uring_sqe *stt_uring_sqe(struct stt_uring *d)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&d->ring);
    d->is_crowded |= !sqe;
    return sqe;
}

void stt_uring_name(struct io_uring_sqe *sqe, enum stt_uring_kind kind, uint32_t which,
                    uint32_t part)
{
    sqe->user_data = (uint64_t)kind << 32 | (uint64_t)which << 8 | part;
}

static void on_completion(struct stt_uring *d, const struct io_uring_cqe *cqe)
{
    uint32_t which = (uint32_t)cqe->user_data >> 8, part = cqe->user_data & 0xff;
    switch ((enum stt_uring_kind)(cqe->user_data >> 32)) {
    case STT_URING_FORGET:
        break;
    case STT_URING_WAKE:
        stt_uring_on_wake(d, cqe->flags & IORING_CQE_F_MORE);
        break;
    case STT_URING_ALARM:
        stt_uring_on_alarm(d);
        break;
    case STT_URING_BACKOFF:
        stt_uring_on_backoff(d);
        break;
    case STT_URING_RECEIVE:
        stt_uring_on_receive(d, which, cqe);
        break;
    case STT_URING_WRITABLE:
        stt_uring_on_writable(d, which);
        break;
    case STT_URING_SEND:
        stt_uring_on_send(d, which, part, cqe->res);
        break;
    }
}

static void reap(struct stt_uring *d)
{
    struct io_uring_cqe *cqe;
    unsigned head, n = 0;
    if (io_uring_cq_has_overflow(&d->ring))
        d->stats.overflows++;
    io_uring_for_each_cqe(&d->ring, head, cqe)
    {
        on_completion(d, cqe);
        n++;
    }
    io_uring_cq_advance(&d->ring, n);
}

/* The kernel, when it is called; also of what did not fit into its queue. */
static bool has_to_say(const struct stt_uring *d)
{
    return __atomic_load_n(d->ring.sq.kflags, __ATOMIC_SEQ_CST) &
           (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

/* STT_E_AGAIN: memory is short for a moment; what was not taken goes with the next call. */
int stt_uring_enter(struct stt_uring *d, bool sleeps)
{
    d->stats.waits += sleeps;
    int n =
        sleeps ? io_uring_submit_and_wait(&d->ring, 1) : io_uring_submit_and_get_events(&d->ring);
    if (n == -EAGAIN || n == -EBUSY || n == -ENOMEM)
        return STT_E_AGAIN;
    d->is_sending = io_uring_sq_ready(&d->ring) && d->is_sending;
    return n >= 0 || n == -EINTR ? STT_OK : STT_E_IO;
}

/* -- sockets ----------------------------------------------------------------------------------- */

static int uring_add(struct stt_driver *driver, const struct stt_socket *socket, uint32_t *number)
{
    struct stt_uring *d = stt_uring_of(driver);
    uint32_t i = 0;
    while (i < STT_DRIVER_SOCKETS_MAX && d->sockets[i].is_used)
        i++;
    if (i == STT_DRIVER_SOCKETS_MAX)
        return STT_E_LIMIT;
    if (io_uring_register_files_update(&d->ring, i, &socket->fd, 1) < 0)
        return STT_E_IO;
    d->sockets[i] = (struct stt_uring_socket){.socket = *socket, .is_used = true};
    d->sockets_end = i < d->sockets_end ? d->sockets_end : i + 1;
    *number = i;
    stt_uring_bell_call(d);
    return STT_OK;
}

static void leave(struct stt_uring *d, struct stt_uring_socket *s)
{
    const int none = -1;
    (void)io_uring_register_files_update(&d->ring, (unsigned)(s - d->sockets), &none, 1);
    close(s->socket.fd);
    *s = (struct stt_uring_socket){.is_used = false};
}

static void cancel(struct stt_uring *d, struct stt_uring_socket *s)
{
    struct io_uring_sqe *sqe = stt_uring_sqe(d);
    if (!sqe)
        return;
    io_uring_prep_cancel_fd(sqe, (int)(s - d->sockets),
                            IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD_FIXED);
    stt_uring_name(sqe, STT_URING_FORGET, 0, 0);
    s->is_cancelled = true;
}

static void prepare_leaving(struct stt_uring *d)
{
    for (uint32_t i = 0; i < d->sockets_end; i++) {
        struct stt_uring_socket *s = &d->sockets[i];
        if (s->is_leaving && !s->under_way)
            leave(d, s);
        else if (s->is_leaving && !s->is_cancelled)
            cancel(d, s);
    }
}

static void uring_remove(struct stt_driver *driver, uint32_t number)
{
    struct stt_uring *d = stt_uring_of(driver);
    assert(number < STT_DRIVER_SOCKETS_MAX);
    struct stt_uring_socket *s = &d->sockets[number];
    assert(s->is_used && !s->is_leaving);
    s->is_leaving = true;
    s->sending = STT_URING_GO;
    s->receiving = STT_URING_ARMED;
    stt_uring_receive_drop(d, number);
    stt_uring_send_drop(d, number);
    stt_uring_send_sweep(d);
    prepare_leaving(d);
    if (!s->is_leaving)
        return;
    (void)stt_uring_enter(d, false); /* as a rule, that is all */
    reap(d);
    stt_uring_send_sweep(d);
    prepare_leaving(d);
    stt_uring_bell_call(d);
}

/* -- a step ------------------------------------------------------------------------------------ */

bool stt_uring_has_news(struct stt_uring *d)
{
    return d->arrivals_n || !stt_inbox_is_empty(&d->inbox) || d->refusals_n || d->is_alarmed ||
           (d->is_wanting && d->idle_n) || atomic_load(&d->is_woken);
}

static bool has_hungry(const struct stt_uring *d)
{
    for (uint32_t i = 0; !d->is_asking && i < d->sockets_end; i++) {
        const struct stt_uring_socket *s = &d->sockets[i];
        if (s->is_used &&
            (s->receiving == STT_URING_GO || (s->receiving == STT_URING_STARVED && d->shelved)))
            return true;
    }
    return false;
}

bool stt_uring_is_due(struct stt_uring *d)
{
    return has_to_say(d) || io_uring_cq_ready(&d->ring) || d->is_crowded || stt_uring_has_news(d) ||
           has_hungry(d);
}

static void prepare(struct stt_uring *d)
{
    stt_uring_receive_prepare(d);
    stt_uring_send_prepare(d);
    prepare_leaving(d);
    stt_uring_bell_prepare(d);
    stt_uring_send_sweep(d);
}

/* Without the kernel's memory nothing goes on; whoever wants to wait shall not spin on that. */
static int come_back(struct stt_uring *d, bool wait)
{
    struct io_uring_cqe *cqe;
    if (wait)
        (void)io_uring_wait_cqe_timeout(&d->ring, &cqe, &d->backoff);
    return STT_OK;
}

/* What the kernel has to say is asked for once, however fast it comes, and after each thing that it
 * was given. Sleep begins when all that is known. */
static int turn(struct stt_uring *d, bool wait)
{
    for (bool is_first = true;; is_first = false) {
        reap(d);
        d->is_crowded = false;
        prepare(d);
        bool sleeps = wait && !d->is_sending && !d->is_crowded && !stt_uring_has_news(d);
        if (!sleeps && !io_uring_sq_ready(&d->ring) && !(is_first && has_to_say(d)))
            return STT_OK;
        int error = stt_uring_enter(d, sleeps);
        if (error == STT_E_AGAIN)
            return come_back(d, wait);
        if (error != STT_OK)
            return error;
    }
}

static int start(struct stt_uring *d)
{
    if (d->is_started)
        return STT_OK;
    /* by number: libraries of 2.3 declare its function and do not have it */
    if (io_uring_register((unsigned)d->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
        return STT_E_IO;
    d->thread = pthread_self();
    d->is_started = true;
    return STT_OK;
}

static int step(struct stt_uring *d, bool wait)
{
    if (is_forked(d))
        return STT_E_FORKED;
    int error = start(d);
    if (error == STT_OK)
        error = stt_uring_bell_hush(d);
    if (error != STT_OK)
        return error;
    d->stats.steps++;
    stt_uring_receive_return(d);
    error = turn(d, wait);
    d->is_alarmed = false;
    atomic_exchange(&d->is_woken, false); /* sees what the wakers wrote before */
    stt_uring_bell_listen(d);
    stt_uring_receive_again(d);
    return error;
}

/* Who sleeps is told of what comes, and so is who polls the descriptor. */
static int uring_step(struct stt_driver *driver, bool wait)
{
    struct stt_uring *d = stt_uring_of(driver);
    if (d->is_asking && (wait || atomic_load(&d->is_watched)))
        stt_uring_receive_ask(d, false);
    return step(d, wait);
}

static int uring_look(struct stt_driver *driver)
{
    struct stt_uring *d = stt_uring_of(driver);
    if (!d->is_asking && !atomic_load(&d->is_watched))
        stt_uring_receive_ask(d, true);
    if (stt_uring_is_due(d) || io_uring_sq_ready(&d->ring))
        return step(d, false);
    stt_uring_receive_again(d);
    return STT_OK;
}

static int uring_flush(struct stt_driver *driver)
{
    return step(stt_uring_of(driver), false);
}

static void uring_stats(const struct stt_driver *driver, struct stt_driver_stats *out)
{
    *out = ((const struct stt_uring *)driver)->stats;
}

/* -- made and freed ---------------------------------------------------------------------------- */

static bool is_power_of_two(uint32_t n)
{
    return n && (n & (n - 1)) == 0;
}

static bool is_valid(const struct stt_driver_config *c)
{
    return is_power_of_two(c->receive_buffers) && c->receive_buffers >= 4 &&
           c->receive_buffers <= 1024 && c->send_buffers >= 2 &&
           c->send_buffers <= STT_URING_SENDS_MAX && c->dscp < 64;
}

/* Room for all that can be said between two calls: each train that came holds a buffer. */
static struct io_uring_params params_of(const struct stt_driver_config *c,
                                        const struct stt_uring_knobs *knobs)
{
    uint32_t sq = knobs->sq_entries ? knobs->sq_entries : SENDS_PER_BUFFER * c->send_buffers;
    if (!knobs->sq_entries && sq < SQ_MIN)
        sq = SQ_MIN;
    uint32_t cq = knobs->cq_entries ? knobs->cq_entries
                                    : 2 * sq + c->receive_buffers + 4 * STT_DRIVER_SOCKETS_MAX;
    return (struct io_uring_params){
        .sq_entries = sq,
        .cq_entries = cq,
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_TASKRUN_FLAG |
                 (knobs->without_defer ? IORING_SETUP_COOP_TASKRUN : IORING_SETUP_DEFER_TASKRUN)};
}

static int error_of(int error)
{
    return error == -EMFILE || error == -ENFILE ? STT_E_LIMIT : STT_E_UNSUPPORTED;
}

static int ring_init(struct stt_uring *d, const struct stt_uring_knobs *knobs)
{
    struct io_uring_params p = params_of(&d->config, knobs);
    int error = io_uring_queue_init_params(p.sq_entries, &d->ring, &p);
    if (error < 0)
        return error_of(error);
    d->has_ring = true;
    (void)io_uring_ring_dontfork(&d->ring);
    if (!(p.features & IORING_FEAT_NODROP) || !d->ring.cq.kflags)
        return STT_E_UNSUPPORTED;
    error = io_uring_register_files_sparse(&d->ring, STT_DRIVER_SOCKETS_MAX);
    return error < 0 ? error_of(error) : STT_OK;
}

/* All that the kernel does ends here, where this is the thread that may say so; elsewhere it ends
 * with the ring, and the sockets' ports are free a moment later. */
static void cancel_all(struct stt_uring *d)
{
    struct io_uring_sqe *sqe = d->is_started ? stt_uring_sqe(d) : NULL;
    if (sqe) {
        io_uring_prep_cancel(sqe, NULL, IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY);
        stt_uring_name(sqe, STT_URING_FORGET, 0, 0);
        (void)stt_uring_enter(d, false);
    }
    (void)io_uring_unregister_files(&d->ring);
}

/* The ring's memory is not there in a child: it has the descriptor only. */
static void ring_fini(struct stt_uring *d)
{
    if (d->has_ring && is_forked(d)) {
        close(d->ring.ring_fd);
    } else if (d->has_ring) {
        cancel_all(d);
        io_uring_queue_exit(&d->ring);
    }
}

static void uring_free(struct stt_driver *driver)
{
    struct stt_uring *d = stt_uring_of(driver);
    ring_fini(d);
    for (uint32_t i = 0; i < d->sockets_end; i++)
        if (d->sockets[i].is_used)
            close(d->sockets[i].socket.fd);
    stt_uring_bell_fini(d);
    stt_uring_send_fini(d);
    stt_uring_receive_fini(d);
    stt_uring_unmap(d->mark, (size_t)sysconf(_SC_PAGESIZE));
    free(d);
}

static const struct stt_driver_ops ops = {
    .name = "uring",
    .free = uring_free,
    .add = uring_add,
    .remove = uring_remove,
    .step = uring_step,
    .look = uring_look,
    .flush = uring_flush,
    .receive = stt_uring_receive,
    .room = stt_uring_room,
    .send = stt_uring_send,
    .refused = stt_uring_refused,
    .alarm = stt_uring_alarm,
    .fd = stt_uring_fd,
    .wake = stt_uring_wake,
    .stats = uring_stats,
};

static int init(struct stt_uring *d, const struct stt_uring_knobs *knobs)
{
    int error = mark_init(d);
    if (error == STT_OK)
        error = stt_uring_bell_init(d);
    if (error == STT_OK)
        error = ring_init(d, knobs);
    if (error == STT_OK)
        error = stt_uring_send_init(d);
    if (error == STT_OK)
        error = stt_uring_receive_init(d);
    return error;
}

int stt_uring_new_with(struct stt_driver **out, const struct stt_driver_config *config,
                       const struct stt_uring_knobs *knobs)
{
    if (!is_valid(config))
        return STT_E_ARGUMENT;
    struct stt_uring *d = calloc(1, sizeof *d);
    if (!d)
        return STT_E_MEMORY;
    d->driver.ops = &ops;
    d->config = *config;
    d->wake_fd = d->bell_fd = -1;
    int error = init(d, knobs);
    if (error != STT_OK) {
        uring_free(&d->driver);
        return error;
    }
    *out = &d->driver;
    return STT_OK;
}

/* Where the kernel cannot defer, it is asked to interrupt less. */
int stt_uring_new(struct stt_driver **out, const struct stt_driver_config *config)
{
    int error = stt_uring_new_with(out, config, &(struct stt_uring_knobs){0});
    if (error != STT_E_UNSUPPORTED)
        return error;
    return stt_uring_new_with(out, config, &(struct stt_uring_knobs){.without_defer = true});
}
