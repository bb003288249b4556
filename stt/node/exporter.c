/* SPDX-License-Identifier: MIT
 * exporter: a thread with a listening socket and a few visits. Nobody in it waits for one visitor:
 * each visit has so much time for its question, for the node's answer and for taking it; where all
 * places are taken, the oldest visit gives way.
 *
 *     READING --head is whole--> ASKED --the node's text--> WRITING --all taken--> LEAVING
 *        |                          |                          ^
 *        +--not a good question-----+--no text in time: 503----+
 *
 * LEAVING: our end is said, and what still comes is thrown away for a moment, because closing with
 * bytes unread would take the answer from the visitor again.
 *
 * The node is reached by stt_node_post() alone, one letter at a time; its call writes the text
 * under the lock. Must not know what the text says. Spec 09, "Metrics". */
#include "stt/node/exporter.h"

#include "stt/metrics.h"
#include "stt/node/clock.h"
#include "stt/node/http.h"
#include "stt/node/node.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VISITS = 8, BACKLOG = 16, PAGE_ROOM = STT_NODE_METRICS_ROOM + STT_HTTP_HEAD_ROOM };
#define READ_NS  STT_S(2)
#define ASK_NS   STT_S(2)
#define WRITE_NS STT_S(2)
#define LEAVE_NS STT_MS(500)
#define REST_NS  STT_MS(100) /* no descriptors, no memory: tried again after this */

enum state { FREE, READING, ASKED, WRITING, LEAVING };

struct visit {
    enum state state;
    int fd;
    stt_ns began_at, until; /* until: then the state is over */
    char request[STT_HTTP_REQUEST_MAX];
    size_t request_len;
    char page[PAGE_ROOM];
    size_t page_len, sent;
};

struct stt_exporter {
    struct stt_node *node;
    int listener, bell; /* bell: an eventfd; there is a text, or it is over */
    stt_ns listens_at;
    pthread_t thread;
    pid_t pid; /* a forked child has no such thread */
    atomic_bool is_over;
    pthread_mutex_t lock;
    bool is_asked, has_text; /* under the lock, as is the text */
    char text[STT_NODE_METRICS_ROOM];
    size_t text_len;
    struct visit visits[VISITS];
};

static void ring(struct stt_exporter *e)
{
    const uint64_t one = 1;
    (void)!write(e->bell, &one, sizeof one);
}

/* -- the node's side --------------------------------------------------------------------------- */

static void on_letter(struct stt_node *node, void *ctx)
{
    struct stt_exporter *e = ctx;
    pthread_mutex_lock(&e->lock);
    e->text_len = stt_node_metrics(node, e->text, sizeof e->text);
    assert(e->text_len < sizeof e->text);
    e->has_text = true;
    e->is_asked = false;
    pthread_mutex_unlock(&e->lock);
    ring(e);
}

/* -- visits ------------------------------------------------------------------------------------ */

static void enter(struct visit *v, enum state state, stt_ns until)
{
    v->state = state;
    v->until = until;
}

static void leave(struct visit *v)
{
    close(v->fd);
    v->state = FREE;
}

static void answer(struct visit *v, stt_ns now, int status, const char *body, size_t len)
{
    static const char metrics[] = "text/plain; version=0.0.4; charset=utf-8";
    const char *type = status == STT_HTTP_OK ? metrics : "text/plain; charset=utf-8";
    v->page_len = stt_http_head(v->page, status, type, len);
    memcpy(v->page + v->page_len, body, len);
    v->page_len += len;
    v->sent = 0;
    enter(v, WRITING, now + WRITE_NS);
}

static void refuse(struct visit *v, stt_ns now, int status)
{
    char body[64];
    const int len = snprintf(body, sizeof body, "%s\n", stt_http_words(status));
    answer(v, now, status, body, (size_t)len);
}

/* One letter is enough for all who wait. */
static void ask(struct stt_exporter *e, struct visit *v, stt_ns now)
{
    bool posts;
    pthread_mutex_lock(&e->lock);
    posts = !e->is_asked;
    e->is_asked = true;
    pthread_mutex_unlock(&e->lock);
    enter(v, ASKED, now + ASK_NS);
    if (!posts || stt_node_post(e->node, on_letter, e) == STT_OK)
        return;
    pthread_mutex_lock(&e->lock);
    e->is_asked = false;
    pthread_mutex_unlock(&e->lock);
    refuse(v, now, STT_HTTP_UNAVAILABLE);
}

/* What recv or send answers: false, and the visit is over, where it is an error. */
static bool is_alive(ssize_t n)
{
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void read_request(struct stt_exporter *e, struct visit *v, stt_ns now)
{
    const ssize_t n =
        recv(v->fd, v->request + v->request_len, sizeof v->request - v->request_len, 0);
    if (n == 0 || !is_alive(n)) {
        leave(v);
        return;
    }
    v->request_len += n > 0 ? (size_t)n : 0;
    const int status = stt_http_status(v->request, v->request_len, "/metrics");
    if (status == STT_HTTP_OK)
        ask(e, v, now);
    else if (status != STT_HTTP_UNFINISHED)
        refuse(v, now, status);
}

static void write_page(struct visit *v, stt_ns now)
{
    const ssize_t n = send(v->fd, v->page + v->sent, v->page_len - v->sent, MSG_NOSIGNAL);
    if (!is_alive(n)) {
        leave(v);
        return;
    }
    v->sent += n > 0 ? (size_t)n : 0;
    if (v->sent < v->page_len)
        return;
    shutdown(v->fd, SHUT_WR);
    enter(v, LEAVING, now + LEAVE_NS);
}

static void discard(struct visit *v)
{
    char nothing[1024];
    const ssize_t n = recv(v->fd, nothing, sizeof nothing, 0);
    if (n == 0 || !is_alive(n))
        leave(v);
}

static void on_ready(struct stt_exporter *e, struct visit *v, stt_ns now)
{
    if (v->state == READING)
        read_request(e, v, now);
    else if (v->state == WRITING)
        write_page(v, now);
    else if (v->state == LEAVING)
        discard(v);
    else if (v->state == ASKED)
        leave(v); /* polled for nothing: it has hung up */
}

static void on_late(struct visit *v, stt_ns now)
{
    if (v->state == ASKED)
        refuse(v, now, STT_HTTP_UNAVAILABLE);
    else
        leave(v);
}

static struct visit *place(struct stt_exporter *e)
{
    struct visit *oldest = &e->visits[0];
    for (struct visit *v = e->visits; v < e->visits + VISITS; v++) {
        if (v->state == FREE)
            return v;
        oldest = v->began_at < oldest->began_at ? v : oldest;
    }
    leave(oldest);
    return oldest;
}

static void accept_one(struct stt_exporter *e, stt_ns now)
{
    const int fd = accept4(e->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            e->listens_at = now + REST_NS;
        return;
    }
    struct visit *v = place(e);
    v->fd = fd;
    v->began_at = now;
    v->request_len = 0;
    enter(v, READING, now + READ_NS);
}

/* -- the thread -------------------------------------------------------------------------------- */

/* FREE: never looked at. */
static short wants(const struct visit *v)
{
    static const short of[] = {
        [READING] = POLLIN, [ASKED] = 0, [WRITING] = POLLOUT, [LEAVING] = POLLIN};
    return of[v->state];
}

/* Answers how long to wait, in milliseconds. */
static int prepare(struct stt_exporter *e, struct pollfd fds[VISITS + 2], stt_ns now)
{
    const bool listens = e->listens_at <= now;
    stt_ns until = listens ? STT_NEVER : e->listens_at;
    fds[0] = (struct pollfd){e->bell, POLLIN, 0};
    fds[1] = (struct pollfd){listens ? e->listener : -1, POLLIN, 0};
    for (uint32_t i = 0; i < VISITS; i++) {
        const struct visit *v = &e->visits[i];
        fds[i + 2] = (struct pollfd){v->state == FREE ? -1 : v->fd, wants(v), 0};
        if (v->state != FREE && v->until < until)
            until = v->until;
    }
    if (until == STT_NEVER)
        return -1;
    return until <= now ? 0 : (int)((until - now) / STT_MS(1)) + 1;
}

static void hand_out(struct stt_exporter *e, stt_ns now)
{
    uint64_t rings;
    (void)!read(e->bell, &rings, sizeof rings);
    pthread_mutex_lock(&e->lock);
    for (struct visit *v = e->visits; e->has_text && v < e->visits + VISITS; v++)
        if (v->state == ASKED)
            answer(v, now, STT_HTTP_OK, e->text, e->text_len);
    e->has_text = false;
    pthread_mutex_unlock(&e->lock);
}

static void turn(struct stt_exporter *e)
{
    struct pollfd fds[VISITS + 2];
    stt_ns now = stt_clock_now();
    if (poll(fds, VISITS + 2, prepare(e, fds, now)) < 0) {
        (void)poll(NULL, 0, (int)(REST_NS / STT_MS(1)));
        return;
    }
    now = stt_clock_now();
    if (fds[0].revents)
        hand_out(e, now);
    for (uint32_t i = 0; i < VISITS; i++) {
        struct visit *v = &e->visits[i];
        if (v->state != FREE && fds[i + 2].revents && fds[i + 2].fd == v->fd)
            on_ready(e, v, now);
        if (v->state != FREE && v->until <= now)
            on_late(v, now);
    }
    if (fds[1].revents)
        accept_one(e, now);
}

static void *work(void *ctx)
{
    struct stt_exporter *e = ctx;
    while (!atomic_load(&e->is_over))
        turn(e);
    return NULL;
}

/* -- life -------------------------------------------------------------------------------------- */

static int error_of(int error)
{
    switch (error) {
    case EADDRINUSE:
        return STT_E_EXISTS;
    case EACCES:
        return STT_E_PERMISSION;
    case EMFILE:
    case ENFILE:
        return STT_E_LIMIT;
    default:
        return STT_E_IO;
    }
}

static bool listen_at(struct stt_exporter *e, uint16_t port, uint16_t *bound)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int on = 1;
    socklen_t len = sizeof name;
    e->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    e->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->listener < 0 || e->bell < 0)
        return false;
    (void)setsockopt(e->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(e->listener, (struct sockaddr *)&name, len) || listen(e->listener, BACKLOG) ||
        getsockname(e->listener, (struct sockaddr *)&name, &len))
        return false;
    if (bound)
        *bound = ntohs(name.sin_port);
    return true;
}

/* The host's signals are for the host's threads. */
static int begin(struct stt_exporter *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&e->thread, NULL, work, e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error ? STT_E_MEMORY : STT_OK;
}

static void destroy(struct stt_exporter *e)
{
    if (e->listener >= 0)
        close(e->listener);
    if (e->bell >= 0)
        close(e->bell);
    if (e->pid == getpid())
        pthread_mutex_destroy(&e->lock);
    free(e);
}

int stt_exporter_new(struct stt_exporter **out, struct stt_node *node, uint16_t port,
                     uint16_t *bound)
{
    struct stt_exporter *e = calloc(1, sizeof *e);
    if (!e)
        return STT_E_MEMORY;
    e->node = node;
    e->listener = e->bell = -1;
    e->pid = getpid();
    atomic_init(&e->is_over, false);
    pthread_mutex_init(&e->lock, NULL);
    int error = listen_at(e, port, bound) ? begin(e) : error_of(errno);
    if (error)
        destroy(e);
    else
        *out = e;
    return error;
}

void stt_exporter_free(struct stt_exporter *e)
{
    if (!e)
        return;
    if (e->pid == getpid()) {
        atomic_store(&e->is_over, true);
        ring(e);
        pthread_join(e->thread, NULL);
    }
    for (struct visit *v = e->visits; v < e->visits + VISITS; v++)
        if (v->state != FREE)
            leave(v);
    destroy(e);
}

int stt_node_metrics_listen(struct stt_node *node, uint16_t port, uint16_t *bound)
{
    return node->exporter ? STT_E_STATE : stt_exporter_new(&node->exporter, node, port, bound);
}
