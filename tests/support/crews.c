/* SPDX-License-Identifier: MIT */
#include "tests/support/crews.h"

#include "stt/session/engine.h"

#include <check.h>
#include <poll.h>
#include <string.h>

/* -- workers -------------------------------------------------------------------------------------
 */

static bool echo(struct stt_node *node, stt_handle stream)
{
    struct stt_endpoint *ep = stt_node_endpoint(node);
    struct stt_part part;
    struct stt_stream_info info;
    size_t n;
    while (stt_stream_peek(ep, stream, &part, 1)) {
        if (stt_stream_write(ep, stt_node_now(node), stream, part.data, part.len, &n) || n == 0)
            return false; /* WRITABLE will say when to go on */
        stt_stream_consume(ep, stt_node_now(node), stream, n);
    }
    stt_stream_consume(ep, stt_node_now(node), stream, 0);
    return stt_stream_info(ep, stream, &info) == STT_OK && info.is_read_to_end &&
           stt_stream_finish(ep, stt_node_now(node), stream) == STT_OK;
}

static bool is_misplaced(struct stt_node *node, uint32_t worker, stt_handle session)
{
    struct stt_endpoint *ep = stt_node_endpoint(node);
    const struct stt_session *s = stt_endpoint_find(ep, session);
    return !s || ep->config.worker != worker ||
           stt_id_worker(s->ids.own[0].id, &ep->id_hash_key, ep->config.workers) != worker;
}

static void pull_worker(struct stt_node *node, uint32_t worker, struct crews_worker *w)
{
    struct stt_event e;
    struct stt_stream_event t;
    while (stt_node_event(node, &e)) {
        w->events[e.type]++;
        if (e.type == STT_EVENT_ACCEPTED)
            w->misplaced += is_misplaced(node, worker, e.session);
        if (e.type == STT_EVENT_CODE_ENDED)
            w->latest_reason = e.reason;
    }
    while (stt_endpoint_stream_event(stt_node_endpoint(node), &t))
        if (t.what & (STT_STREAM_READABLE | STT_STREAM_WRITABLE))
            w->echoed += echo(node, t.stream);
}

static void begin_worker(struct crews *s, struct stt_node *node)
{
    struct stt_address at;
    pthread_mutex_lock(&s->lock);
    while (!s->is_open)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    int error = stt_node_listen(node, s->wishes.at ? s->wishes.at : "127.0.0.1:0", &at);
    ck_assert_msg(error == STT_OK, "listening: %s", stt_error_text(error));
    pthread_mutex_lock(&s->lock);
    ck_assert(s->listening == 0 || s->at.port == at.port);
    s->at = at;
    s->listening++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void end_worker(struct crews *s, struct stt_node *node, struct crews_worker *w)
{
    pthread_mutex_lock(&s->lock);
    w->handed_over = node->handed_over;
    w->taken_over = node->taken_over;
    w->handover_dropped = node->handover_dropped;
    stt_endpoint_stats(stt_node_endpoint(node), &w->stats);
    s->over++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void work(struct stt_node *node, uint32_t worker, void *ctx)
{
    struct crews *s = ctx;
    struct crews_worker *w = &s->of[worker];
    begin_worker(s, node);
    int error = STT_OK;
    while (!(s->wishes.quits >> worker & 1) && !error) {
        error = stt_node_wait(node, STT_NEVER);
        pull_worker(node, worker, w);
    }
    ck_assert(error == STT_OK || error == STT_E_STATE);
    end_worker(s, node, w);
}

static void open_gate(struct crews *s)
{
    pthread_mutex_lock(&s->lock);
    s->crew->ports.is_unsteered = s->wishes.is_unsteered;
    s->is_open = true;
    pthread_cond_broadcast(&s->changed);
    while (s->listening < s->wishes.workers)
        pthread_cond_wait(&s->changed, &s->lock);
    stt_address_text(&s->at, s->at_text);
    pthread_mutex_unlock(&s->lock);
}

bool crews_begin(struct crews *s, const struct crews_wishes *wishes)
{
    *s = (struct crews){.wishes = *wishes, .config = STT_NODE_CONFIG_INIT};
    ck_assert_uint_le(wishes->workers, CREWS_WORKERS);
    ck_assert_int_eq(pthread_mutex_init(&s->lock, NULL), 0);
    ck_assert_int_eq(pthread_cond_init(&s->changed, NULL), 0);
    s->config.io = wishes->io;
    strcpy(s->config.endpoint.application, "crews/1");
    s->config.endpoint.accept = STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_W);
    ck_assert_int_eq(stt_node_identity(&s->config, NULL), STT_OK);
    if (wishes->configure)
        wishes->configure(&s->config);
    int error = stt_node_spawn(&s->crew, &s->config, wishes->workers, work, s);
    if (error == STT_E_UNSUPPORTED)
        return false;
    ck_assert_msg(error == STT_OK, "a crew: %s", stt_error_text(error));
    open_gate(s);
    return true;
}

void crews_await_over(struct crews *s, uint32_t n)
{
    pthread_mutex_lock(&s->lock);
    while (s->over < n)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

void crews_end(struct crews *s)
{
    uint64_t handed_over = 0, taken_over = 0;
    stt_crew_stop(s->crew);
    stt_crew_join(s->crew);
    ck_assert_uint_eq(s->over, s->wishes.workers);
    for (uint32_t i = 0; i < s->wishes.workers; i++) {
        ck_assert_uint_eq(s->of[i].misplaced, 0);
        handed_over += s->of[i].handed_over;
        taken_over += s->of[i].taken_over;
    }
    ck_assert_uint_le(taken_over, handed_over); /* some may be left where it ends */
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}

uint64_t crews_events(const struct crews *s, enum stt_event_type type)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s->wishes.workers; i++)
        n += s->of[i].events[type];
    return n;
}

/* -- clients -------------------------------------------------------------------------------------
 */

void clients_begin(struct clients *c, struct crews *s, uint32_t n, uint32_t talks)
{
    ck_assert(n <= CREWS_CLIENTS && talks <= CREWS_TALKS);
    *c = (struct clients){.server = s, .n = n, .talks = talks};
    for (uint32_t i = 0; i < n; i++) {
        struct stt_node_config *config = &c->of[i].config;
        *config = (struct stt_node_config)STT_NODE_CONFIG_INIT;
        config->io = s->wishes.io;
        config->endpoint.handshake_ns = STT_S(3);
        strcpy(config->endpoint.application, "crews/1");
        ck_assert_int_eq(stt_node_identity(config, NULL), STT_OK);
        ck_assert_int_eq(stt_node_new(&c->of[i].node, config), STT_OK);
    }
}

void clients_end(struct clients *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        stt_node_free(c->of[i].node);
}

void client_connect(struct clients *c, struct client *client, struct talk *talk, const char *to,
                    const char *code)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    connect.mode = code ? STT_MODE_W : STT_MODE_K;
    connect.code = code;
    connect.peer = c->server->config.endpoint.identity.peer_id;
    connect.has_peer = !code;
    int error =
        stt_node_connect(client->node, &connect, to ? to : c->server->at_text, &talk->session);
    ck_assert_msg(error == STT_OK, "connecting: %s", stt_error_text(error));
}

void clients_connect(struct clients *c, uint64_t bytes)
{
    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t j = 0; j < c->talks; j++) {
            c->of[i].talks[j] = (struct talk){.to_write = bytes};
            client_connect(c, &c->of[i], &c->of[i].talks[j], NULL, NULL);
        }
}

static uint8_t byte_at(uint64_t offset, uint64_t salt)
{
    return (uint8_t)(((offset + salt * 977) * 0x9e3779b97f4a7c15u) >> 56);
}

static void write_more(struct client *client, struct talk *t)
{
    struct stt_endpoint *ep = stt_node_endpoint(client->node);
    stt_ns now = stt_node_now(client->node);
    uint64_t salt = (uint64_t)(t - client->talks);
    void *room;
    size_t len;
    while (t->written < t->to_write && !stt_stream_reserve(ep, t->stream, &room, &len)) {
        uint8_t *bytes = room;
        len = len < t->to_write - t->written ? len : (size_t)(t->to_write - t->written);
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(t->written + i, salt);
        ck_assert_int_eq(stt_stream_commit(ep, now, t->stream, len), STT_OK);
        t->written += len;
    }
    if (t->stream && t->written == t->to_write && !t->has_finished)
        t->has_finished = stt_stream_finish(ep, now, t->stream) == STT_OK;
}

static void read_more(struct client *client, struct talk *t)
{
    struct stt_endpoint *ep = stt_node_endpoint(client->node);
    uint64_t salt = (uint64_t)(t - client->talks);
    struct stt_part part;
    struct stt_stream_info info;
    while (stt_stream_peek(ep, t->stream, &part, 1)) {
        bool is_right = true;
        for (size_t i = 0; i < part.len; i++)
            is_right = is_right && part.data[i] == byte_at(t->read + i, salt);
        ck_assert(is_right);
        t->read += part.len;
        stt_stream_consume(ep, stt_node_now(client->node), t->stream, part.len);
    }
    stt_stream_consume(ep, stt_node_now(client->node), t->stream, 0);
    if (stt_stream_info(ep, t->stream, &info) == STT_OK && info.is_read_to_end)
        t->has_read_all = true;
}

static struct talk *talk_of(struct client *client, stt_handle session)
{
    for (uint32_t i = 0; i < CREWS_TALKS; i++)
        if (client->talks[i].session == session)
            return &client->talks[i];
    return NULL;
}

void client_say(struct client *client, struct talk *t, uint64_t bytes)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    ck_assert_int_eq(stt_stream_open(stt_node_endpoint(client->node), stt_node_now(client->node),
                                     t->session, &options, &t->stream),
                     STT_OK);
    t->to_write = bytes;
    write_more(client, t);
}

static void on_event(struct client *client, const struct stt_event *e)
{
    struct talk *t = talk_of(client, e->session);
    if (!t)
        return;
    if (e->type == STT_EVENT_CLOSED) {
        t->is_closed = true;
        t->reason = e->reason;
    }
    if (e->type != STT_EVENT_CONNECTED)
        return;
    t->is_connected = true;
    if (t->to_write)
        client_say(client, t, t->to_write);
}

static bool pull_client(struct client *client)
{
    struct stt_event e;
    struct stt_stream_event s;
    bool any = false;
    for (; stt_node_event(client->node, &e); any = true)
        on_event(client, &e);
    while (stt_endpoint_stream_event(stt_node_endpoint(client->node), &s)) {
        struct talk *t = talk_of(client, s.session);
        if (t && t->stream == s.stream && s.what & STT_STREAM_READABLE)
            read_more(client, t);
        if (t && t->stream == s.stream && s.what & STT_STREAM_WRITABLE)
            write_more(client, t);
        any = true;
    }
    return any;
}

void clients_turn(struct clients *c, int wait_ms)
{
    struct pollfd fds[CREWS_CLIENTS + 2];
    for (uint32_t i = 0; i < c->n; i++) {
        struct stt_node *node = c->of[i].node;
        ck_assert_int_eq(stt_node_step(node), STT_OK);
        if (pull_client(&c->of[i]))
            wait_ms = 0; /* somebody may have reached what he waits for; and there is to be sent */
        stt_ns ns = stt_node_timeout_ns(node);
        if (ns < STT_MS(1) * (stt_ns)wait_ms)
            wait_ms = (int)((ns + 999999) / 1000000);
        fds[i] = (struct pollfd){stt_node_fd(node), POLLIN, 0};
    }
    for (uint32_t i = 0; i < c->n_also; i++)
        fds[c->n + i] = (struct pollfd){c->also[i], POLLIN, 0};
    (void)!poll(fds, c->n + c->n_also, wait_ms);
}

bool clients_until(struct clients *c, bool (*reached)(const struct clients *c), stt_ns within_ns)
{
    stt_ns until = stt_node_now(c->of[0].node) + within_ns;
    while (!reached(c) && stt_node_now(c->of[0].node) < until)
        clients_turn(c, 1000);
    return reached(c);
}

static bool is_true_of_all(const struct clients *c, bool (*is_true)(const struct talk *t))
{
    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t j = 0; j < c->talks; j++)
            if (!is_true(&c->of[i].talks[j]))
                return false;
    return true;
}

static bool is_connected(const struct talk *t)
{
    return t->is_connected;
}

static bool has_echo(const struct talk *t)
{
    return t->has_read_all && t->read == t->to_write;
}

static bool is_closed(const struct talk *t)
{
    return t->is_closed;
}

bool clients_are_connected(const struct clients *c)
{
    return is_true_of_all(c, is_connected);
}

bool clients_have_echo(const struct clients *c)
{
    return is_true_of_all(c, has_echo);
}

bool clients_are_closed(const struct clients *c)
{
    return is_true_of_all(c, is_closed);
}
