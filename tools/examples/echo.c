/* SPDX-License-Identifier: MIT
 * Echo over STT:    cc echo.c $(pkg-config --cflags --libs stt) -o echo
 *     ./echo 4433                                   a server; it prints its peer id
 *     ./echo 127.0.0.1:4433 PEER_ID "some words"    a client; it prints what comes back */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <stt/stt.h>

static void check(const char *what, int error)
{
    if (error)
        errx(1, "%s: %s", what, stt_error_text(error));
}

/* The server. What has come goes back, as far as there is room; WRITABLE calls again. */
static void answer(struct stt_endpoint *ep, stt_ns now, stt_handle stream)
{
    struct stt_stream_info info;
    struct stt_part part;
    size_t n = 1;
    while (n > 0 && stt_stream_peek(ep, stream, &part, 1) > 0 &&
           stt_stream_write(ep, now, stream, part.data, part.len, &n) == STT_OK)
        stt_stream_consume(ep, now, stream, n);
    stt_stream_consume(ep, now, stream, 0); /* perhaps that was the end */
    if (stt_stream_info(ep, stream, &info) == STT_OK && info.is_read_to_end)
        stt_stream_finish(ep, now, stream);
}

static void serve(struct stt_node *node)
{
    struct stt_stream_event e;
    struct stt_event event;
    for (;;) {
        check("waiting", stt_node_wait(node, STT_NEVER));
        while (stt_node_event(node, &event))
            ; /* who came, and who went */
        while (stt_endpoint_stream_event(stt_node_endpoint(node), &e))
            answer(stt_node_endpoint(node), stt_node_now(node), e.stream);
    }
}

/* The client. A stream with these words, and then what comes back, until its end. */
static void say(struct stt_endpoint *ep, stt_ns now, stt_handle session, const char *words)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    size_t n;
    check("a stream", stt_stream_open(ep, now, session, &options, &stream));
    check("writing", stt_stream_write(ep, now, stream, words, strlen(words), &n));
    check("finishing", stt_stream_finish(ep, now, stream));
}

static void ask(struct stt_node *node, const char *words)
{
    struct stt_endpoint *ep = stt_node_endpoint(node);
    struct stt_stream_event e = {.what = 0};
    struct stt_event event;
    char text[512];
    size_t n;
    while (!(e.what & STT_STREAM_ENDED)) {
        check("waiting", stt_node_wait(node, STT_NEVER));
        while (stt_node_event(node, &event)) {
            if (event.type == STT_EVENT_CONNECTED)
                say(ep, stt_node_now(node), event.session, words);
            if (event.type == STT_EVENT_CLOSED)
                errx(1, "the session is over: %s", stt_reason_text(event.reason));
        }
        while (stt_endpoint_stream_event(ep, &e))
            while (!stt_stream_read(ep, stt_node_now(node), e.stream, text, sizeof text, &n) && n)
                fwrite(text, 1, n, stdout);
    }
    stt_session_close(ep, stt_node_now(node), e.session, 0, "done");
    check("closing", stt_node_step(node));
}

int main(int argc, char **argv)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    struct stt_connect connect = STT_CONNECT_INIT;
    char id[STT_PEER_ID_TEXT_ROOM];
    struct stt_node *node;
    strcpy(config.endpoint.application, "echo/1");
    config.endpoint.accept = STT_ACCEPT(STT_MODE_K); /* who comes knows our peer id */
    check("an identity", stt_node_identity(&config, NULL));
    check("a node", stt_node_new(&node, &config));
    if (argc == 2) {
        check(argv[1], stt_node_listen(node, argv[1], NULL));
        stt_peer_id_encode(&config.endpoint.identity.peer_id, id);
        puts(id);
        fflush(stdout);
        serve(node);
    }
    if (argc != 4)
        errx(2, "usage: echo PORT | echo HOST:PORT PEER_ID WORDS");
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    check(argv[2], stt_peer_id_decode(&connect.peer, argv[2]));
    check(argv[1], stt_node_connect(node, &connect, argv[1], NULL));
    ask(node, argv[3]);
    stt_node_free(node);
    return 0;
}
