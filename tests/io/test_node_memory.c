/* SPDX-License-Identifier: MIT
 * The nth allocation fails while two nodes are made, connected, used and freed: for each n. Check
 * takes memory, too, and has no word in here. */
#include "stt/node.h"
#include "stt/streams.h"
#include "tests/support/own_malloc.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAS_OWN_MALLOC
int main(void)
{
    puts("skipped: malloc is the sanitizer's here");
    return 77;
}
#else

static bool is_armed;
static unsigned long asked, fails_at; /* 0: never */
static long kept;                     /* allocated, and not freed */

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t n, size_t len);
void *__libc_realloc(void *p, size_t len);
void *__libc_memalign(size_t align, size_t len);
void __libc_free(void *p);

static bool fails(void)
{
    return is_armed && ++asked == fails_at;
}

static void *given(void *p)
{
    kept += p != NULL;
    return p;
}

void *malloc(size_t len)
{
    return fails() ? NULL : given(__libc_malloc(len));
}

void *calloc(size_t n, size_t len)
{
    return fails() ? NULL : given(__libc_calloc(n, len));
}

void *realloc(void *p, size_t len)
{
    if (fails())
        return NULL;
    kept -= p != NULL;
    return given(__libc_realloc(p, len));
}

void *aligned_alloc(size_t align, size_t len)
{
    return fails() ? NULL : given(__libc_memalign(align, len));
}

void free(void *p)
{
    kept -= p != NULL;
    __libc_free(p);
}

/* -- a life -------------------------------------------------------------------------------------
 */

enum { BYTES = 20000, PATIENCE_MS = 60 };

struct life {
    struct stt_node *server, *client;
    stt_handle sessions[2], stream;
    size_t written, read;
    bool is_closed, has_right_bytes;
};

static int make(struct stt_node **node, enum stt_io io, struct stt_peer_id *id)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    config.io = io;
    config.endpoint.accept = STT_ACCEPT(STT_MODE_K);
    strcpy(config.endpoint.application, "memory/1");
    int error = stt_node_identity(&config, NULL);
    *id = config.endpoint.identity.peer_id;
    return error ? error : stt_node_new(node, &config);
}

static int begin(struct life *l, enum stt_io io)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    struct stt_address at;
    struct stt_peer_id own;
    char to[STT_ADDRESS_TEXT_ROOM];
    int error = make(&l->server, io, &connect.peer);
    if (!error)
        error = stt_node_listen(l->server, "127.0.0.1:0", &at);
    if (!error)
        error = make(&l->client, io, &own);
    if (error)
        return error;
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    stt_address_text(&at, to);
    return stt_node_connect(l->client, &connect, to, NULL);
}

static void pull(struct life *l, struct stt_node *node, bool is_client)
{
    struct stt_event e;
    struct stt_stream_event s;
    while (stt_node_event(node, &e)) {
        if (e.type == STT_EVENT_CONNECTED || e.type == STT_EVENT_ACCEPTED)
            l->sessions[is_client] = e.session;
        l->is_closed |= e.type == STT_EVENT_CLOSED;
    }
    while (stt_endpoint_stream_event(stt_node_endpoint(node), &s)) {
        struct stt_part part;
        while (!is_client && stt_stream_peek(stt_node_endpoint(node), s.stream, &part, 1) == 1) {
            size_t len = part.len;
            for (size_t i = 0; i < len; i++)
                l->has_right_bytes &= part.data[i] == (uint8_t)(l->read + i);
            l->read += len;
            (void)stt_stream_consume(stt_node_endpoint(node), stt_node_now(node), s.stream, len);
        }
    }
}

static void write_more(struct life *l)
{
    struct stt_endpoint *ep = stt_node_endpoint(l->client);
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_ns now = stt_node_now(l->client);
    void *room;
    size_t len;
    if (l->sessions[1] && !l->stream &&
        stt_stream_open(ep, now, l->sessions[1], &options, &l->stream) != STT_OK)
        return;
    while (l->stream && l->written < BYTES && !stt_stream_reserve(ep, l->stream, &room, &len)) {
        len = len < BYTES - l->written ? len : BYTES - l->written;
        for (size_t i = 0; i < len; i++)
            ((uint8_t *)room)[i] = (uint8_t)(l->written + i);
        if (stt_stream_commit(ep, now, l->stream, len) != STT_OK)
            return;
        l->written += len;
    }
}

static bool is_over(const struct life *l)
{
    return l->is_closed || (l->read == BYTES && l->sessions[0]);
}

/* Answers what went wrong at once. */
static int live(struct life *l, enum stt_io io)
{
    int error = begin(l, io);
    stt_ns end = error ? 0 : stt_node_now(l->client) + STT_MS(fails_at ? PATIENCE_MS : 20000);
    while (!error && !is_over(l) && stt_node_now(l->client) < end) {
        struct pollfd fds[] = {{stt_node_fd(l->client), POLLIN, 0},
                               {stt_node_fd(l->server), POLLIN, 0}};
        error = stt_node_step(l->client);
        pull(l, l->client, true);
        write_more(l);
        error = error ? error : stt_node_step(l->client);
        error = error ? error : stt_node_step(l->server);
        pull(l, l->server, false);
        error = error ? error : stt_node_step(l->server);
        if (stt_node_timeout_ns(l->client) && stt_node_timeout_ns(l->server))
            (void)!poll(fds, 2, 2);
    }
    stt_node_free(l->client);
    stt_node_free(l->server);
    return error;
}

START_TEST(whichever_allocation_fails_nothing_crashes_or_leaks_case_37)
{
    static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};
    unsigned completed = 0;
    for (unsigned long n = 0;; n++) {
        struct life l = {.has_right_bytes = true};
        const long before = kept;
        asked = 0;
        fails_at = n;
        is_armed = true;
        int error = live(&l, ios[_i]);
        is_armed = false;
        if (error == STT_E_UNSUPPORTED)
            return;
        ck_assert_msg(error == STT_OK || error == STT_E_MEMORY, "allocation %lu: %s", n,
                      stt_error_text(error));
        ck_assert_msg(kept == before, "allocation %lu: %ld left", n, kept - before);
        ck_assert(l.has_right_bytes);
        completed += l.read == BYTES;
        ck_assert(n != 0 || l.read == BYTES);
        if (n > asked)
            break;
    }
    ck_assert_uint_ge(completed, 2);
}
END_TEST

SUITE("node_memory", LOOP(whichever_allocation_fails_nothing_crashes_or_leaks_case_37, 0, 2))
#endif
