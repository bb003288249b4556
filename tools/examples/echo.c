/* SPDX-License-Identifier: MIT
 * Echo over STT:    cc echo.c $(pkg-config --cflags --libs stt) -o echo
 *     ./echo 4433                                   a server; it prints its peer id
 *     ./echo 127.0.0.1:4433 PEER_ID "some words"    a client; it prints what comes back */
#include <stdio.h>
#include <string.h>
#include <stt/node.h>
#include <stt/streams.h>

static int fail(const char *what, int error)
{
    fprintf(stderr, "echo: %s: %s\n", what, stt_error_text(error));
    return 1;
}

/* Takes what has come, as far as it can be written to where it goes: back, or to the terminal. */
static bool pump(struct stt_node *node, stt_handle stream, bool is_server)
{
    struct stt_endpoint *ep = stt_node_endpoint(node);
    struct stt_part part;
    struct stt_stream_info info;
    size_t n;
    while (stt_stream_peek(ep, stream, &part, 1)) {
        if (!is_server)
            n = fwrite(part.data, 1, part.len, stdout);
        else if (stt_stream_write(ep, stt_node_now(node), stream, part.data, part.len, &n))
            return false;
        if (n == 0)
            return false; /* WRITABLE will say when to go on */
        stt_stream_consume(ep, stt_node_now(node), stream, n);
    }
    stt_stream_consume(ep, stt_node_now(node), stream, 0); /* perhaps that was the end */
    if (stt_stream_info(ep, stream, &info) || !info.is_read_to_end)
        return false;
    if (is_server)
        stt_stream_finish(ep, stt_node_now(node), stream);
    return true;
}

static int serve(struct stt_node *node, const struct stt_node_config *config, const char *at)
{
    char id[STT_PEER_ID_TEXT_ROOM];
    struct stt_event event;
    struct stt_stream_event stream;
    int error = stt_node_listen(node, at, NULL);
    if (error)
        return fail(at, error);
    stt_peer_id_encode(&config->endpoint.identity.peer_id, id);
    puts(id);
    fflush(stdout);
    while (!(error = stt_node_wait(node, STT_NEVER))) {
        while (stt_node_event(node, &event))
            ;
        while (stt_endpoint_stream_event(stt_node_endpoint(node), &stream))
            if (stream.what & (STT_STREAM_READABLE | STT_STREAM_WRITABLE))
                pump(node, stream.stream, true);
    }
    return fail("waiting", error);
}

static int ask(struct stt_node *node, const char *to, const char *peer, const char *words)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct stt_event event;
    struct stt_stream_event stream;
    stt_handle mine = 0;
    size_t written;
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    int error = stt_peer_id_decode(&connect.peer, peer);
    if (!error)
        error = stt_node_connect(node, &connect, to, NULL);
    while (!error && !(error = stt_node_wait(node, STT_NEVER))) {
        struct stt_endpoint *ep = stt_node_endpoint(node);
        stt_ns now = stt_node_now(node);
        while (!error && stt_node_event(node, &event)) {
            if (event.type == STT_EVENT_CLOSED) {
                fprintf(stderr, "echo: %s\n", stt_reason_text(event.reason));
                return 1;
            }
            if (event.type != STT_EVENT_CONNECTED)
                continue;
            error = stt_stream_open(ep, now, event.session, &options, &mine);
            if (!error)
                error = stt_stream_write(ep, now, mine, words, strlen(words), &written);
            if (!error)
                error = stt_stream_finish(ep, now, mine);
        }
        while (stt_endpoint_stream_event(ep, &stream))
            if (stream.what & STT_STREAM_READABLE && pump(node, stream.stream, false)) {
                putchar('\n');
                stt_session_close(ep, now, stream.session, 0, "done");
                return stt_node_step(node) != STT_OK;
            }
    }
    return fail(to, error);
}

int main(int argc, char **argv)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    struct stt_node *node = NULL;
    if (argc != 2 && argc != 4) {
        fputs("usage: echo PORT | echo HOST:PORT PEER_ID WORDS\n", stderr);
        return 2;
    }
    strcpy(config.endpoint.application, "echo/1");
    config.endpoint.accept = STT_ACCEPT(STT_MODE_K);
    int error = stt_node_identity(&config, NULL);
    if (!error)
        error = stt_node_new(&node, &config);
    if (error)
        return fail("making a node", error);
    int status = argc == 2 ? serve(node, &config, argv[1]) : ask(node, argv[1], argv[2], argv[3]);
    stt_node_free(node);
    return status;
}
