/* SPDX-License-Identifier: MIT
 * dialer: a dial is a connect that has a name or several addresses. It holds a copy of what the
 * host gave, with its secrets in secret memory, and goes as soon as one session of it is the only
 * one.
 *
 * Addresses are tried in the order in which the system gives them, the next one 250 ms after the
 * one before, since IPv6 may lead nowhere; with a code only when the one before has failed, for
 * each try is a guess. The host hears of one session: the first that answers, or the last that did
 * not. Must not know sockets. */
#include "stt/node/dialer.h"

#include "stt/base/env.h"

#include <string.h>

enum { DIALS_MAX = 1024, CODE_ROOM = 64 };
#define STAGGER_NS STT_MS(250)

struct dial {
    struct stt_list link;
    struct stt_connect connect;
    char code[CODE_ROOM];
    uint8_t stretched[32];
    uint64_t question; /* 0: it has its addresses */
    const char *why;   /* there are none */
    struct stt_address at[STT_RESOLVED_MAX];
    uint32_t n, next;
    stt_ns next_at;
    stt_handle tries[STT_RESOLVED_MAX]; /* 0: not made, or over */
    bool is_settled;                    /* the host has heard: the others are only ended */
};

void stt_dialer_init(struct stt_dialer *d, struct stt_endpoint *ep, const struct stt_env *env,
                     void (*wake)(void *ctx), void *wake_ctx)
{
    *d = (struct stt_dialer){.ep = ep, .env = env, .wake = wake, .wake_ctx = wake_ctx};
    stt_list_init(&d->dials);
    stt_list_init(&d->over);
}

static struct dial *dial_of(struct stt_list *link)
{
    return STT_LIST_ENTRY(link, struct dial, link);
}

static void forget(struct stt_dialer *d, struct dial *dial)
{
    stt_list_remove(&dial->link);
    stt_env_secret_release(d->env, dial, sizeof *dial);
    d->n_dials--;
}

void stt_dialer_fini(struct stt_dialer *d)
{
    stt_resolver_free(d->resolver);
    for (struct stt_list *link; (link = stt_list_pop_front(&d->dials));)
        forget(d, dial_of(link));
    for (struct stt_list *link; (link = stt_list_pop_front(&d->over));)
        forget(d, dial_of(link));
}

/* -- tries ------------------------------------------------------------------------------------- */

static uint32_t tries_left(const struct dial *dial)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < dial->n; i++)
        n += dial->tries[i] != 0;
    return n;
}

static int try_next(struct stt_dialer *d, stt_ns now, struct dial *dial)
{
    int error = STT_E_NOT_FOUND;
    while (dial->next < dial->n) {
        uint32_t i = dial->next++;
        dial->connect.path = (struct stt_path){.remote = dial->at[i]};
        error = stt_endpoint_connect(d->ep, now, &dial->connect, &dial->tries[i]);
        if (!error)
            break;
        dial->tries[i] = 0;
    }
    bool waits = dial->connect.mode == STT_MODE_W || dial->next == dial->n;
    dial->next_at = waits ? STT_NEVER : now + STAGGER_NS;
    return error;
}

/* Without a session: the host hears of it as an event. */
static void fail(struct stt_dialer *d, struct dial *dial, const char *why)
{
    dial->why = why;
    dial->is_settled = true;
    stt_list_remove(&dial->link);
    stt_list_push_back(&d->over, &dial->link);
}

static void end_others(struct stt_dialer *d, stt_ns now, struct dial *dial, stt_handle winner)
{
    for (uint32_t i = 0; i < dial->n; i++) {
        if (dial->tries[i] == winner)
            dial->tries[i] = 0;
        if (dial->tries[i] && stt_session_close(d->ep, now, dial->tries[i], 0, NULL))
            dial->tries[i] = 0;
    }
    dial->is_settled = true;
    dial->next = dial->n;
    dial->next_at = STT_NEVER;
}

/* -- connecting -------------------------------------------------------------------------------- */

/* What the host gave may be gone when it is needed. */
static int copy(struct dial *dial, const struct stt_connect *connect)
{
    dial->connect = *connect;
    if (connect->code) {
        size_t len = strlen(connect->code);
        if (len >= sizeof dial->code)
            return STT_E_FORMAT;
        memcpy(dial->code, connect->code, len + 1);
        dial->connect.code = dial->code;
    }
    if (connect->stretched) {
        memcpy(dial->stretched, connect->stretched, sizeof dial->stretched);
        dial->connect.stretched = dial->stretched;
    }
    return STT_OK;
}

static void take_ticket(struct dial *dial, const struct stt_ticket *ticket)
{
    struct stt_connect *c = &dial->connect;
    c->peer = ticket->peer_id;
    c->has_peer = true;
    if (ticket->has_seed) {
        memcpy(c->seed, ticket->seed.bytes, sizeof c->seed);
        c->has_seed = true;
    }
    for (uint8_t i = 0; i < ticket->addresses_len; i++) {
        const struct stt_ticket_address *from = &ticket->addresses[i];
        struct stt_address *to = &dial->at[dial->n++];
        to->port = from->port;
        if (from->family == 4) {
            to->ip[10] = to->ip[11] = 0xff;
            memcpy(to->ip + 12, from->bytes, 4);
        } else {
            memcpy(to->ip, from->bytes, sizeof to->ip);
        }
    }
}

static int read_ticket(struct dial *dial, const char *to)
{
    struct stt_ticket ticket;
    bool is_secret = stt_text_kind_of(to) == STT_TEXT_SECRET_TICKET;
    int error = is_secret ? stt_ticket_decode_secret(&ticket, to) : stt_ticket_decode(&ticket, to);
    if (!error)
        take_ticket(dial, &ticket);
    stt_env_wipe(&ticket, sizeof ticket);
    return error ? error : dial->n ? STT_OK : STT_E_NOT_FOUND;
}

static int ask(struct stt_dialer *d, struct dial *dial, const char *host, uint16_t port)
{
    int error = STT_OK;
    if (!d->resolver)
        error = stt_resolver_new(&d->resolver, d->wake, d->wake_ctx);
    return error ? error : stt_resolver_ask(d->resolver, host, port, &dial->question);
}

static int find_addresses(struct stt_dialer *d, struct dial *dial, const char *to)
{
    char host[STT_HOST_ROOM];
    uint16_t port;
    enum stt_text_kind kind = stt_text_kind_of(to);
    if (kind == STT_TEXT_TICKET || kind == STT_TEXT_SECRET_TICKET)
        return read_ticket(dial, to);
    int error = stt_address_split(to, host, &port);
    if (error || !port)
        return STT_E_FORMAT;
    if (stt_address_number(&dial->at[0], host) != STT_OK)
        return ask(d, dial, host, port);
    dial->at[0].port = port;
    dial->n = 1;
    return STT_OK;
}

static int begin(struct stt_dialer *d, stt_ns now, struct dial *dial,
                 const struct stt_connect *connect, const char *to)
{
    int error = copy(dial, connect);
    if (!error)
        error = find_addresses(d, dial, to);
    dial->next_at = STT_NEVER;
    return error || dial->question ? error : try_next(d, now, dial);
}

int stt_dialer_connect(struct stt_dialer *d, stt_ns now, const struct stt_connect *connect,
                       const char *to, stt_handle *out)
{
    if (connect->size != sizeof *connect)
        return STT_E_ARGUMENT;
    struct dial *dial = d->n_dials < DIALS_MAX ? stt_env_secret_alloc(d->env, sizeof *dial) : NULL;
    if (!dial)
        return d->n_dials < DIALS_MAX ? STT_E_MEMORY : STT_E_LIMIT;
    *dial = (struct dial){.question = 0};
    stt_list_push_back(&d->dials, &dial->link);
    d->n_dials++;
    int error = begin(d, now, dial, connect, to);
    bool is_alone = !error && dial->n == 1;
    if (out)
        *out = is_alone ? dial->tries[0] : 0;
    if (error || is_alone)
        forget(d, dial);
    return error;
}

/* -- later ------------------------------------------------------------------------------------- */

static void on_answer(struct stt_dialer *d, stt_ns now, const struct stt_resolved *a)
{
    STT_LIST_FOREACH (link, &d->dials) {
        struct dial *dial = dial_of(link);
        if (dial->question != a->question)
            continue;
        dial->question = 0;
        dial->n = a->n;
        memcpy(dial->at, a->at, sizeof dial->at);
        int error = a->n ? try_next(d, now, dial) : STT_OK;
        if (!a->n || error)
            fail(d, dial, error ? stt_error_text(error) : a->why);
        return;
    }
}

void stt_dialer_step(struct stt_dialer *d, stt_ns now)
{
    struct stt_resolved answer;
    while (d->resolver && stt_resolver_answer(d->resolver, &answer))
        on_answer(d, now, &answer);
    STT_LIST_FOREACH (link, &d->dials) {
        struct dial *dial = dial_of(link);
        if (dial->next_at <= now)
            (void)try_next(d, now, dial);
    }
}

stt_ns stt_dialer_deadline(const struct stt_dialer *d)
{
    stt_ns at = STT_NEVER;
    STT_LIST_FOREACH (link, &d->dials) {
        stt_ns next = dial_of(link)->next_at;
        at = next < at ? next : at;
    }
    return at;
}

static struct dial *find(const struct stt_dialer *d, stt_handle session, uint32_t *which)
{
    STT_LIST_FOREACH (link, &d->dials) {
        struct dial *dial = dial_of(link);
        for (*which = 0; *which < dial->n; ++*which)
            if (dial->tries[*which] == session)
                return dial;
    }
    return NULL;
}

/* Nobody answered there; perhaps somewhere else. */
static bool goes_on(struct stt_dialer *d, stt_ns now, struct dial *dial, enum stt_reason reason)
{
    if (reason != STT_REASON_NO_ANSWER)
        return false;
    return (dial->next < dial->n && try_next(d, now, dial) == STT_OK) || tries_left(dial) > 0;
}

bool stt_dialer_on_event(struct stt_dialer *d, stt_ns now, const struct stt_event *event)
{
    uint32_t which;
    struct dial *dial = event->session ? find(d, event->session, &which) : NULL;
    if (!dial)
        return true;
    bool is_told = !dial->is_settled;
    if (event->type == STT_EVENT_CLOSED) {
        dial->tries[which] = 0;
        is_told = is_told && !goes_on(d, now, dial, event->reason);
    } else if (event->type != STT_EVENT_CONNECTED) {
        return is_told;
    }
    if (is_told)
        end_others(d, now, dial, event->session);
    if (dial->is_settled && !tries_left(dial))
        forget(d, dial);
    return is_told;
}

bool stt_dialer_event(struct stt_dialer *d, struct stt_event *event)
{
    struct stt_list *link = stt_list_pop_front(&d->over);
    if (!link)
        return false;
    struct dial *dial = dial_of(link);
    *event = (struct stt_event){
        .type = STT_EVENT_CLOSED, .reason = STT_REASON_NO_ADDRESS, .user = dial->connect.user};
    size_t len = strnlen(dial->why, STT_REASON_TEXT_MAX);
    memcpy(event->text, dial->why, len);
    event->text[len] = 0;
    forget(d, dial);
    return true;
}
