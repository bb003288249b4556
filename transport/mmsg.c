/* SPDX-License-Identifier: MIT
 * mmsg: the driver over plain system calls: an epoll that holds the sockets, a timer and an
 * eventfd, and is the fd to wait for.
 *
 * Sending happens in send() itself, while the train is in the cache; only what the kernel holds
 * back waits for a step. Receiving happens in receive(), a few trains at a time; a step notices
 * which sockets have something, and says how many trains may come before the next. All of epoll is
 * level-triggered, so that what is left keeps the fd readable; who watches it by edges is woken
 * then. */
#include "transport/inbox.h"
#include "transport/outbox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    WAKE = STT_DRIVER_SOCKETS_MAX, /* beside the numbers of sockets, in epoll's data */
    TIMER,
    EVENTS_MAX,
    PAGE_BYTES = 4096,
};

struct mmsg {
    struct stt_driver driver;
    struct stt_driver_stats stats;
    int epoll, wake, timer;
    stt_ns alarm, armed;   /* what was asked; when the timer goes off */
    uint32_t open, ready;  /* bits of sockets: in use; perhaps with something to receive */
    uint32_t budget, most; /* trains until the next step, and at its begin */
    uint32_t next;         /* socket to receive from */
    bool is_found;         /* by this step: reason enough not to wait */
    uint8_t *memory;
    int (*on_receive)(void *ctx);
    void *faults_ctx;
    struct stt_outlet outlets[STT_DRIVER_SOCKETS_MAX];
    struct stt_inbox inbox;
    struct stt_outbox outbox;
};

static struct mmsg *mmsg_of(struct stt_driver *d)
{
    return (struct mmsg *)d;
}

static bool is_open(const struct mmsg *m, uint32_t number)
{
    return number < STT_DRIVER_SOCKETS_MAX && m->open >> number & 1;
}

static bool watch(struct mmsg *m, int op, int fd, uint32_t number, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.u32 = number};
    return epoll_ctl(m->epoll, op, fd, &e) == 0;
}

static void watch_again(struct mmsg *m, uint32_t number)
{
    const struct stt_outlet *out = &m->outlets[number];
    uint32_t also = out->hold == STT_OUTLET_WRITABLE ? EPOLLOUT : 0;
    bool is_watched = watch(m, EPOLL_CTL_MOD, out->socket.fd, number, EPOLLIN | also);
    assert(is_watched);
    (void)is_watched;
}

/* -- time ----------------------------------------------------------------------------------------
 */

static stt_ns next_alarm(const struct mmsg *m)
{
    stt_ns at = m->alarm;
    for (uint32_t i = 0; i < STT_DRIVER_SOCKETS_MAX; i++)
        if (is_open(m, i) && m->outlets[i].hold == STT_OUTLET_TIME && m->outlets[i].until < at)
            at = m->outlets[i].until;
    return at;
}

static void set_timer(struct mmsg *m, stt_ns at)
{
    struct itimerspec when = {0}; /* that disarms it, and takes back that it went off */
    if (at != STT_NEVER) {
        when.it_value.tv_sec = (time_t)(at / STT_S(1));
        when.it_value.tv_nsec = (long)(at % STT_S(1));
        if (at == 0)
            when.it_value.tv_nsec = 1;
    }
    int error = timerfd_settime(m->timer, TFD_TIMER_ABSTIME, &when, NULL);
    assert(error == 0);
    (void)error;
    m->armed = at;
}

/* One that is too early costs less than setting it anew each time. */
static void arm(struct mmsg *m)
{
    stt_ns at = next_alarm(m);
    if (at < m->armed || (at == STT_NEVER && m->armed != STT_NEVER))
        set_timer(m, at);
}

static void alarm_at(struct stt_driver *d, stt_ns at)
{
    mmsg_of(d)->alarm = at;
    arm(mmsg_of(d));
}

/* -- sending -------------------------------------------------------------------------------------
 */

static void flush(struct mmsg *m, uint32_t number)
{
    struct stt_outlet *out = &m->outlets[number];
    stt_outbox_flush(&m->outbox, out);
    if (out->hold == STT_OUTLET_WRITABLE)
        watch_again(m, number);
    else if (out->hold == STT_OUTLET_TIME)
        arm(m);
}

static void resume(struct mmsg *m, uint32_t number)
{
    bool was_watched = m->outlets[number].hold == STT_OUTLET_WRITABLE;
    m->outlets[number].hold = STT_OUTLET_OPEN;
    flush(m, number);
    if (was_watched && m->outlets[number].hold != STT_OUTLET_WRITABLE)
        watch_again(m, number);
}

static uint8_t *room(struct stt_driver *d)
{
    return stt_outbox_room(&mmsg_of(d)->outbox);
}

static void wake(struct stt_driver *d)
{
    uint64_t one = 1;
    ssize_t n;
    do
        n = write(mmsg_of(d)->wake, &one, sizeof one);
    while (n < 0 && errno == EINTR); /* EAGAIN: it is awake for a long time to come */
}

static void send_train(struct stt_driver *d, const struct stt_driver_train *train)
{
    struct mmsg *m = mmsg_of(d);
    if (is_open(m, train->socket)) {
        stt_outbox_put(&m->outbox, &m->outlets[train->socket], train);
        flush(m, train->socket);
    } else {
        stt_outbox_refuse_filled(&m->outbox, train, EBADF);
    }
}

static bool refused(struct stt_driver *d, struct stt_driver_refusal *refusal)
{
    return stt_outbox_refused(&mmsg_of(d)->outbox, refusal);
}

/* -- receiving -----------------------------------------------------------------------------------
 */

/* False: nothing is left, or none may come before the next step. */
static bool fill(struct mmsg *m)
{
    while (m->ready && m->budget) {
        m->next = (m->next + 1) % STT_DRIVER_SOCKETS_MAX;
        if (!(m->ready >> m->next & 1))
            continue;
        uint32_t most = m->budget < STT_INBOX_TRAINS ? m->budget : STT_INBOX_TRAINS;
        int error = stt_inbox_fill(&m->inbox, &m->outlets[m->next].socket, m->next, most);
        if (error && error != EAGAIN) { /* there may be more behind it */
            m->stats.receive_errors++;
            m->budget--;
            continue;
        }
        m->budget -= m->inbox.n;
        if (m->inbox.n < most)
            m->ready &= ~(1u << m->next);
        if (!error)
            return true;
    }
    return false;
}

/* What is left keeps the epoll readable, but is news to nobody who waits for edges; a wake is. */
static void stop(struct mmsg *m)
{
    if (!m->ready)
        return;
    m->ready = 0;
    m->stats.out_of_buffers++;
    wake(&m->driver);
}

static void count(struct mmsg *m, const struct stt_driver_train *train)
{
    m->stats.trains_received++;
    m->stats.datagrams_received +=
        train->len ? (train->len + train->segment_bytes - 1) / train->segment_bytes : 1;
    m->stats.bytes_received += train->len;
}

static bool receive(struct stt_driver *d, struct stt_driver_train *train)
{
    struct mmsg *m = mmsg_of(d);
    while (!stt_inbox_is_empty(&m->inbox) || fill(m)) {
        if (!stt_inbox_take(&m->inbox, &m->outlets[m->inbox.socket].socket, train)) {
            m->stats.truncated++;
        } else if (m->on_receive && m->on_receive(m->faults_ctx)) {
            m->stats.receive_errors++;
        } else {
            count(m, train);
            return true;
        }
    }
    stop(m);
    return false;
}

/* -- steps ---------------------------------------------------------------------------------------
 */

static void on_wake(struct mmsg *m)
{
    uint64_t times;
    if (read(m->wake, &times, sizeof times) == sizeof times)
        m->is_found = true;
}

static void on_timer(struct mmsg *m)
{
    const stt_ns now = m->armed; /* at least */
    if (m->alarm <= now) {
        m->alarm = STT_NEVER;
        m->is_found = true;
    }
    for (uint32_t i = 0; i < STT_DRIVER_SOCKETS_MAX; i++)
        if (is_open(m, i) && m->outlets[i].hold == STT_OUTLET_TIME && m->outlets[i].until <= now)
            resume(m, i);
    set_timer(m, next_alarm(m));
}

static void on_socket(struct mmsg *m, uint32_t number, uint32_t events)
{
    if (events & ~(uint32_t)EPOLLOUT) { /* an error is read as data is */
        m->ready |= 1u << number;
        m->is_found = true;
    }
    if (m->outlets[number].hold == STT_OUTLET_WRITABLE && events & ~(uint32_t)EPOLLIN)
        resume(m, number);
}

static void on_events(struct mmsg *m, const struct epoll_event *events, int n)
{
    const bool was_wanted = m->outbox.is_wanted;
    for (int i = 0; i < n; i++) {
        uint32_t number = events[i].data.u32;
        if (number == WAKE)
            on_wake(m);
        else if (number == TIMER)
            on_timer(m);
        else if (is_open(m, number))
            on_socket(m, number, events[i].events);
    }
    if ((was_wanted && !m->outbox.is_wanted) || m->outbox.refusals)
        m->is_found = true;
}

static int poll_once(struct mmsg *m, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(m->epoll, events, EVENTS_MAX, timeout_ms);
    if (n < 0)
        return errno == EINTR ? STT_OK : STT_E_IO;
    on_events(m, events, n);
    return STT_OK;
}

static int step(struct stt_driver *d, bool wait)
{
    struct mmsg *m = mmsg_of(d);
    m->stats.steps++;
    m->budget = m->most;
    m->is_found = m->outbox.refusals || !stt_inbox_is_empty(&m->inbox);
    int error = poll_once(m, 0);
    if (wait && !error && !m->is_found)
        m->stats.waits++;
    while (wait && !error && !m->is_found)
        error = poll_once(m, -1);
    return error;
}

/* The sockets themselves are asked, each once. */
static int look(struct stt_driver *d)
{
    struct mmsg *m = mmsg_of(d);
    m->ready = m->open;
    m->budget = m->most;
    return STT_OK;
}

/* All was sent when it was queued, or waits for what only a step hears of. */
static int flush_nothing(struct stt_driver *d)
{
    (void)d;
    return STT_OK;
}

/* -- sockets -------------------------------------------------------------------------------------
 */

static int add(struct stt_driver *d, const struct stt_socket *socket, uint32_t *number)
{
    struct mmsg *m = mmsg_of(d);
    uint32_t i = 0;
    while (is_open(m, i))
        i++;
    if (i == STT_DRIVER_SOCKETS_MAX)
        return STT_E_LIMIT;
    if (!watch(m, EPOLL_CTL_ADD, socket->fd, i, EPOLLIN))
        return errno == ENOMEM ? STT_E_MEMORY : errno == ENOSPC ? STT_E_LIMIT : STT_E_IO;
    stt_outlet_init(&m->outlets[i], socket);
    m->open |= 1u << i;
    *number = i;
    return STT_OK;
}

static void remove_socket(struct stt_driver *d, uint32_t number)
{
    struct mmsg *m = mmsg_of(d);
    if (!is_open(m, number))
        return;
    stt_outbox_drop(&m->outbox, &m->outlets[number], number);
    if (m->inbox.socket == number)
        m->inbox.first = m->inbox.n;
    m->open &= ~(1u << number);
    m->ready &= ~(1u << number);
    watch(m, EPOLL_CTL_DEL, m->outlets[number].socket.fd, number, 0);
    close(m->outlets[number].socket.fd);
}

static int fd(const struct stt_driver *d)
{
    return ((const struct mmsg *)d)->epoll;
}

static void stats(const struct stt_driver *d, struct stt_driver_stats *out)
{
    *out = ((const struct mmsg *)d)->stats;
}

/* -- life ----------------------------------------------------------------------------------------
 */

static void close_if_open(int file)
{
    if (file >= 0)
        close(file);
}

static void free_driver(struct stt_driver *d)
{
    struct mmsg *m = mmsg_of(d);
    close_if_open(m->epoll); /* first: a child of fork() shares it, and takes nothing out of it */
    m->epoll = -1;
    for (uint32_t i = 0; i < STT_DRIVER_SOCKETS_MAX; i++)
        remove_socket(d, i);
    close_if_open(m->wake);
    close_if_open(m->timer);
    free(m->memory);
    free(m);
}

static const struct stt_driver_ops ops = {
    .name = "mmsg",
    .free = free_driver,
    .add = add,
    .remove = remove_socket,
    .step = step,
    .look = look,
    .flush = flush_nothing,
    .receive = receive,
    .room = room,
    .send = send_train,
    .refused = refused,
    .alarm = alarm_at,
    .fd = fd,
    .wake = wake,
    .stats = stats,
};

static bool is_valid(const struct stt_driver_config *config)
{
    uint32_t n = config->receive_buffers;
    return n >= 4 && n <= 1024 && (n & (n - 1)) == 0 && config->send_buffers >= 2 &&
           config->send_buffers <= STT_OUTBOX_TRAINS_MAX && config->dscp <= 63;
}

static bool take_memory(struct mmsg *m, const struct stt_driver_config *config)
{
    size_t inbox = (size_t)STT_INBOX_TRAINS * STT_INBOX_TRAIN_BYTES;
    size_t outbox = (size_t)config->send_buffers * STT_OUTBOX_TRAIN_BYTES;
    m->memory = aligned_alloc(PAGE_BYTES, inbox + outbox);
    if (!m->memory)
        return false;
    stt_inbox_init(&m->inbox, m->memory);
    stt_outbox_init(&m->outbox, config, m->memory + inbox, &m->stats);
    return true;
}

static int open_files(struct mmsg *m)
{
    m->epoll = epoll_create1(EPOLL_CLOEXEC);
    m->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    m->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (m->epoll >= 0 && m->wake >= 0 && m->timer >= 0 &&
        watch(m, EPOLL_CTL_ADD, m->wake, WAKE, EPOLLIN) &&
        watch(m, EPOLL_CTL_ADD, m->timer, TIMER, EPOLLIN))
        return STT_OK;
    if (errno == EMFILE || errno == ENFILE)
        return STT_E_LIMIT;
    return errno == ENOMEM ? STT_E_MEMORY : STT_E_UNSUPPORTED;
}

int stt_mmsg_new(struct stt_driver **out, const struct stt_driver_config *config)
{
    if (!is_valid(config))
        return STT_E_ARGUMENT;
    struct mmsg *m = calloc(1, sizeof *m);
    if (!m)
        return STT_E_MEMORY;
    m->driver.ops = &ops;
    m->epoll = m->wake = m->timer = -1;
    m->alarm = m->armed = STT_NEVER;
    m->most = config->receive_buffers;
    if (config->faults) {
        m->on_receive = config->faults->on_receive;
        m->faults_ctx = config->faults->ctx;
    }
    int error = take_memory(m, config) ? open_files(m) : STT_E_MEMORY;
    if (error) {
        free_driver(&m->driver);
        return error;
    }
    *out = &m->driver;
    return STT_OK;
}
