/* SPDX-License-Identifier: MIT
 * The same in somebody else's loop, an epoll, level-triggered, with stdin as its second source:
 *     cc echo_epoll.c $(pkg-config --cflags --libs stt) -o echo_epoll
 *     cat words | ./echo_epoll 127.0.0.1:4433 PEER_ID      the server is that of echo.c
 * What is typed goes there, and what comes back is printed. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <stt/stt.h>
#include <sys/epoll.h>
#include <unistd.h>

static struct stt_node *node;
static stt_handle mine; /* the stream; 0 before there is a session */
static int epoll;
static bool is_over;

static void check(const char *what, int error)
{
    if (error)
        errx(1, "%s: %s", what, stt_error_text(error));
}

static void listen_to(int fd, int how, uint32_t events)
{
    struct epoll_event e = {.events = events, .data = {.fd = fd}};
    if (epoll_ctl(epoll, how, fd, &e) != 0)
        err(1, "epoll"); /* it takes no regular file: use a pipe */
}

/* From stdin into the stream's own memory. Where that is full nobody listens to stdin, until
 * WRITABLE. */
static void on_stdin(void)
{
    struct stt_endpoint *ep = stt_node_endpoint(node);
    void *room;
    size_t len;
    if (stt_stream_reserve(ep, mine, &room, &len) != STT_OK) {
        listen_to(STDIN_FILENO, EPOLL_CTL_MOD, 0);
        return;
    }
    const ssize_t n = read(STDIN_FILENO, room, len);
    if (n > 0) {
        check("writing", stt_stream_commit(ep, stt_node_now(node), mine, (size_t)n));
        return;
    }
    listen_to(STDIN_FILENO, EPOLL_CTL_DEL, 0);
    check("finishing", stt_stream_finish(ep, stt_node_now(node), mine));
}

static void on_event(const struct stt_event *event)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    is_over = event->type == STT_EVENT_CLOSED;
    if (is_over && event->reason != STT_REASON_LOCAL_CLOSE)
        errx(1, "the session is over: %s", stt_reason_text(event->reason));
    if (event->type != STT_EVENT_CONNECTED)
        return;
    check("a stream", stt_stream_open(stt_node_endpoint(node), stt_node_now(node), event->session,
                                      &options, &mine));
    listen_to(STDIN_FILENO, EPOLL_CTL_ADD, EPOLLIN);
}

static void on_stream(const struct stt_stream_event *e)
{
    struct stt_endpoint *ep = stt_node_endpoint(node);
    char text[4096];
    size_t n;
    while (!stt_stream_read(ep, stt_node_now(node), e->stream, text, sizeof text, &n) && n > 0)
        fwrite(text, 1, n, stdout);
    fflush(stdout);
    if (e->what & STT_STREAM_WRITABLE)
        listen_to(STDIN_FILENO, EPOLL_CTL_MOD, EPOLLIN);
    if (e->what & STT_STREAM_ENDED)
        stt_session_close(ep, stt_node_now(node), e->session, 0, "done");
}

/* A step is followed by its events, and events by a step, which sends what they led to: until there
 * are none. */
static void on_node(void)
{
    struct stt_event event;
    struct stt_stream_event e;
    bool any = true;
    while (any) {
        check("stepping", stt_node_step(node));
        for (any = false; stt_node_event(node, &event); any = true)
            on_event(&event);
        for (; stt_endpoint_stream_event(stt_node_endpoint(node), &e); any = true)
            on_stream(&e);
    }
}

int main(int argc, char **argv)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    struct stt_connect connect = STT_CONNECT_INIT;
    struct epoll_event ready[2];
    strcpy(config.endpoint.application, "echo/1");
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    if (argc != 3)
        errx(2, "usage: echo_epoll HOST:PORT PEER_ID");
    check(argv[2], stt_peer_id_decode(&connect.peer, argv[2]));
    check("an identity", stt_node_identity(&config, NULL));
    check("a node", stt_node_new(&node, &config));
    check(argv[1], stt_node_connect(node, &connect, argv[1], NULL));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    listen_to(stt_node_fd(node), EPOLL_CTL_ADD, EPOLLIN);
    on_node();
    while (!is_over) {
        const int n = epoll_wait(epoll, ready, 2, -1); /* the fd tells of the node's timers, too */
        for (int i = 0; i < n; i++)
            if (ready[i].data.fd == STDIN_FILENO)
                on_stdin();
        on_node();
    }
    stt_node_free(node);
    return 0;
}
