/* SPDX-License-Identifier: MIT
 * node: the five verbs, driven by what a driver brings.
 *
 * A turn is: what came, what other threads want, what is due, and then all that is to be sent, as
 * far as the driver has room; the clock is read once for each half. A turn takes at most so many
 * trains, so that timers and the host get theirs; what is left is done at once in the next one.
 * Owns everything that it points to. */
#include "stt/node/node.h"

#include "stt/keyfile.h"
#include "stt/node/clock.h"
#include "stt/node/crew.h"
#include "stt/node/env.h"
#include "stt/session/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TURN_TRAINS = 64, TURN_BYTES = 1 << 18 };
#define NAP_NS    STT_US(50)
#define PROMPT_NS STT_US(100)

/* -- hooks ------------------------------------------------------------------------------------- */

static struct stt_node *node_of(void *secret)
{
    return (struct stt_node *)(void *)((char *)secret - offsetof(struct stt_node, secret));
}

static void on_trace(void *ctx, const struct stt_trace_event *event)
{
    struct stt_node *node = node_of(ctx);
    node->trace(node->hooks_ctx, event);
}

static void on_key_log(void *ctx, const struct stt_key_log *key)
{
    struct stt_node *node = node_of(ctx);
    node->key_log(node->hooks_ctx, key);
}

static void on_resolved(void *ctx)
{
    stt_node_call(ctx);
}

static int begin(const struct stt_node *node)
{
    return stt_secret_is_alive(&node->secret) ? STT_OK : STT_E_FORKED;
}

/* -- life -------------------------------------------------------------------------------------- */

int stt_node_identity(struct stt_node_config *config, const uint8_t *secret)
{
    struct stt_env env = {.entropy = stt_node_entropy};
    if (!secret)
        return stt_identity_generate(&config->endpoint.identity, &env);
    stt_identity_init(&config->endpoint.identity, secret);
    return STT_OK;
}

static bool is_asked_for_mmsg(void)
{
    const char *io = getenv("STT_IO");
    return io && strcmp(io, "mmsg") == 0;
}

/* The probe's ring is small and has no buffers. */
static const char *why_no_uring(void)
{
    const char *why = stt_probe()->items[STT_PROBE_URING].why;
    return *why ? why
                : "the kernel makes rings, but none with all that is needed: take one from 6.1 on";
}

static int make_driver(struct stt_node *node, const struct stt_node_config *config,
                       const struct stt_node_knobs *knobs)
{
    struct stt_driver_config c = {.receive_buffers = config->receive_buffers,
                                  .send_buffers = config->send_buffers,
                                  .dscp = config->dscp,
                                  .faults = knobs->faults};
    node->io_why = "";
    if (knobs->driver_new)
        return knobs->driver_new(&node->driver, &c);
    bool may_be_mmsg = config->io != STT_IO_URING;
    bool may_be_uring =
        config->io == STT_IO_URING || (config->io == STT_IO_AUTO && !is_asked_for_mmsg());
    int error = may_be_uring ? stt_uring_new(&node->driver, &c) : STT_E_UNSUPPORTED;
    if (error == STT_E_UNSUPPORTED && may_be_uring)
        node->io_why = why_no_uring();
    if (error == STT_E_UNSUPPORTED && may_be_mmsg)
        error = stt_mmsg_new(&node->driver, &c);
    return error;
}

static int make(struct stt_node *node, const struct stt_node_config *config,
                const struct stt_node_knobs *knobs)
{
    static const struct stt_secret_limits limits = STT_SECRET_LIMITS;
    int error = stt_secret_init(&node->secret, &limits);
    if (error)
        return error;
    stt_node_env_init(&node->env, &node->secret);
    node->env.trace = node->trace ? on_trace : NULL;
    node->env.key_log = node->key_log ? on_key_log : NULL;
    error = stt_endpoint_new(&node->ep, &config->endpoint, &node->env, stt_clock_now());
    if (!error)
        error = make_driver(node, config, knobs);
    if (error) {
        stt_endpoint_free(node->ep);
        stt_secret_fini(&node->secret);
        return error;
    }
    node->places = (struct stt_places){
        .driver = node->driver, .buffer_bytes = config->socket_buffer_bytes, .dscp = config->dscp};
    stt_dialer_init(&node->dialer, node->ep, &node->env, on_resolved, node);
    stt_mailbox_init(&node->mailbox);
    return STT_OK;
}

int stt_node_new(struct stt_node **out, const struct stt_node_config *config)
{
    return stt_node_new_with(out, config, &(struct stt_node_knobs){.faults = NULL});
}

int stt_node_new_with(struct stt_node **out, const struct stt_node_config *config,
                      const struct stt_node_knobs *knobs)
{
    *out = NULL;
    if (config->size != sizeof *config || config->io > STT_IO_MMSG || config->dscp > 63)
        return STT_E_ARGUMENT;
    struct stt_node *node = calloc(1, sizeof *node);
    if (!node)
        return STT_E_MEMORY;
    node->hooks_ctx = config->hooks_ctx;
    node->trace = config->trace;
    node->key_log = config->key_log;
    node->spin.least_ns = config->spin_ns;
    atomic_init(&node->is_stopped, false);
    atomic_init(&node->is_called, false);
    atomic_init(&node->is_over, false);
    int error = make(node, config, knobs);
    if (error)
        free(node);
    else
        *out = node;
    return error;
}

void stt_node_quit(struct stt_node *node)
{
    stt_exporter_free(node->exporter);
    node->exporter = NULL;
    if (begin(node) == STT_OK)          /* else neither dials nor the resolver's thread are there */
        stt_dialer_fini(&node->dialer); /* its resolver wakes nobody after this */
    stt_endpoint_free(node->ep);
    node->ep = NULL;
}

void stt_node_free(struct stt_node *node)
{
    if (!node)
        return;
    if (node->ep)
        stt_node_quit(node);
    stt_mailbox_fini(&node->mailbox);
    stt_driver_free(node->driver);
    stt_secret_fini(&node->secret);
    free(node);
}

/* -- where ------------------------------------------------------------------------------------- */

int stt_node_listen(struct stt_node *node, const char *at, struct stt_address *bound)
{
    struct stt_address address;
    struct stt_socket socket;
    int error = begin(node);
    if (!error)
        error = stt_address_parse(&address, at);
    if (!error && node->worker)
        return stt_crew_listen(node->worker, &address, bound);
    if (!error)
        error = stt_places_open(&node->places, &address, false, &socket);
    if (!error)
        error = stt_places_take(&node->places, &socket, false);
    if (!error && bound)
        *bound = socket.local;
    return error;
}

int stt_node_connect(struct stt_node *node, const struct stt_connect *connect, const char *to,
                     stt_handle *out)
{
    int error = begin(node);
    return error ? error : stt_dialer_connect(&node->dialer, stt_clock_now(), connect, to, out);
}

/* -- a turn ------------------------------------------------------------------------------------ */

static void hear(struct stt_node *node, stt_ns now)
{
    struct stt_driver_train from = node->found;
    uint32_t n = 0;
    while (n < TURN_TRAINS && (node->has_found || stt_driver_receive(node->driver, &from))) {
        node->has_found = false;
        struct stt_train train = {.path = {.local = from.local, .remote = from.remote},
                                  .data = from.data,
                                  .len = from.len,
                                  .segment_bytes = from.segment_bytes,
                                  .ecn = from.ecn};
        if (stt_places_is_shared(&node->places, from.socket))
            stt_crew_hear(node->worker, now, &train);
        else
            stt_endpoint_receive(node->ep, now, &train);
        n++;
    }
    node->has_more = n == TURN_TRAINS;
    if (node->worker)
        stt_crew_turn(node->worker, now, TURN_TRAINS);
}

static void read_mail(struct stt_node *node)
{
    struct stt_letter letter;
    for (uint32_t n = 0; n < STT_MAILBOX_LETTERS; n++) {
        if (!stt_mailbox_take(&node->mailbox, &letter))
            return;
        letter.call(node, letter.ctx);
    }
    node->has_more = true;
}

static void on_too_large(struct stt_node *node, stt_ns now, const struct stt_driver_refusal *r)
{
    struct stt_train train = {.path = {.local = r->local, .remote = r->remote},
                              .len = r->len,
                              .segment_bytes = r->segment_bytes,
                              .session = r->session,
                              .first = r->first};
    node->too_large++;
    stt_endpoint_refused(node->ep, now, &train);
}

static void take_refusals(struct stt_node *node, stt_ns now)
{
    struct stt_driver_refusal refusal;
    while (stt_driver_refused(node->driver, &refusal)) {
        if (refusal.error == EMSGSIZE) {
            on_too_large(node, now, &refusal);
            continue;
        }
        stt_places_on_refused(&node->places, now, &refusal);
        node->unsent++;
    }
}

/* Answers the train's bytes; 0: there is no more to send, or no room for it. */
static size_t send_one(struct stt_node *node, stt_ns now)
{
    struct stt_train train = {.data = stt_driver_room(node->driver), .len = STT_TRAIN_BYTES};
    if (!train.data || !stt_endpoint_transmit(node->ep, now, &train))
        return 0;
    const struct stt_path *path = &train.path;
    const struct stt_place *place = stt_places_for(&node->places, &path->local, &path->remote);
    if (!place) {
        node->no_way++;
        return train.len;
    }
    struct stt_driver_train out = {.socket = place->number,
                                   .local = stt_place_source(place, now, &path->local),
                                   .remote = path->remote,
                                   .data = train.data,
                                   .len = train.len,
                                   .segment_bytes = train.segment_bytes,
                                   .ecn = train.ecn,
                                   .session = train.session,
                                   .first = train.first};
    stt_driver_send(node->driver, &out);
    return train.len;
}

/* Not more at once than stays in the cache until the kernel has it. */
static bool send_all(struct stt_node *node, stt_ns now)
{
    size_t bytes = 0, len;
    for (uint32_t n = 0; n < TURN_TRAINS && bytes < TURN_BYTES; n++, bytes += len)
        if (!(len = send_one(node, now)))
            return bytes > 0;
    node->has_more = true;
    return true;
}

/* What the host says to what came goes with the acknowledgement, in one packet in place of two; if
 * it was quick last time. It comes back at once. */
static bool host_goes_first(const struct stt_node *node)
{
    return node->is_host_prompt && stt_endpoint_has_events(node->ep);
}

/* Everything but waiting and sending; answers when that was. */
static stt_ns hear_all(struct stt_node *node)
{
    stt_ns now = stt_clock_now();
    if (atomic_load(&node->is_called))
        atomic_exchange(&node->is_called, false); /* sees what the callers did before */
    hear(node, now);
    read_mail(node);
    stt_dialer_step(&node->dialer, now);
    take_refusals(node, now);
    now = stt_clock_now();
    if (stt_endpoint_deadline(node->ep) <= now)
        stt_endpoint_expire(node->ep, now);
    return now;
}

static stt_ns deadline(const struct stt_node *node)
{
    stt_ns a = stt_endpoint_deadline(node->ep), b = stt_dialer_deadline(&node->dialer);
    return a < b ? a : b;
}

/* Off with what is queued. */
static int flush(struct stt_node *node, bool is_queued)
{
    return is_queued ? stt_driver_flush(node->driver) : STT_OK;
}

int stt_node_step(struct stt_node *node)
{
    int error = begin(node);
    if (!error)
        error = stt_driver_step(node->driver, false);
    if (!error)
        error = flush(node, send_all(node, hear_all(node)));
    if (error)
        return error;
    bool is_called = atomic_load(&node->is_called); /* that step may have taken the wake */
    if (node->has_more || is_called)                /* the fd tells of it, and of what is due: */
        stt_driver_wake(node->driver);
    stt_driver_alarm(node->driver, deadline(node));
    return STT_OK;
}

/* Looks again and again until then: whoever answers within it is heard without a wake-up. */
static int spin(struct stt_node *node, stt_ns until)
{
    int error;
    do {
        error = stt_driver_look(node->driver);
        node->has_found = !error && stt_driver_receive(node->driver, &node->found);
    } while (!error && !node->has_found && !atomic_load(&node->is_called) &&
             stt_clock_now() < until);
    return error;
}

/* How long it looks before it sleeps. Where a train is due sooner than a timer would take to be
 * set, to go off and to wake somebody, sleeping costs more. */
static stt_ns spin_until(const struct stt_node *node, stt_ns now, stt_ns until)
{
    if (until - now <= NAP_NS)
        return until;
    stt_ns spin = stt_spin_for(&node->spin);
    return until < now + spin ? until : now + spin;
}

int stt_node_wait(struct stt_node *node, stt_ns timeout_ns)
{
    stt_ns now = stt_clock_now(),
           until = timeout_ns < STT_NEVER - now ? now + timeout_ns : STT_NEVER;
    int error = begin(node);
    if (!error && atomic_load(&node->is_stopped))
        error = STT_E_STATE;
    if (error)
        return error;
    node->is_host_prompt = now - node->turned_at < PROMPT_NS;
    bool is_queued = send_all(node, now); /* what the host has written */
    now = stt_clock_now();
    stt_ns due = deadline(node);
    until = due < until ? due : until;
    stt_ns awake_until = until > now ? spin_until(node, now, until) : now;
    if (awake_until > now && !node->has_more) {
        error = flush(node, is_queued);
        error = error ? error : spin(node, awake_until);
    }
    bool waits = !node->has_more && !node->has_found && !atomic_load(&node->is_called) &&
                 until > stt_clock_now();
    if (waits)
        stt_driver_alarm(node->driver, until);
    if (!error && !node->has_found)
        error = stt_driver_step(node->driver, waits);
    if (waits)
        stt_spin_on_waited(&node->spin, stt_clock_now() - now);
    if (error)
        return error;
    node->turned_at = hear_all(node);
    return host_goes_first(node) ? STT_OK : flush(node, send_all(node, node->turned_at));
}

/* -- what the host sees ------------------------------------------------------------------------ */

int stt_node_fd(const struct stt_node *node)
{
    return stt_driver_fd(node->driver);
}

stt_ns stt_node_timeout_ns(struct stt_node *node)
{
    if (begin(node) != STT_OK)
        return 0;
    stt_ns at = deadline(node), now = stt_clock_now();
    if (node->has_more || at <= now)
        return 0;
    return at == STT_NEVER ? STT_NEVER : at - now;
}

bool stt_node_event(struct stt_node *node, struct stt_event *event)
{
    while (stt_endpoint_event(node->ep, event))
        if (stt_dialer_on_event(&node->dialer, stt_clock_now(), event))
            return true;
    return begin(node) == STT_OK && stt_dialer_event(&node->dialer, event);
}

struct stt_endpoint *stt_node_endpoint(struct stt_node *node)
{
    return node->ep;
}

stt_ns stt_node_now(const struct stt_node *node)
{
    (void)node;
    return stt_clock_now();
}

const char *stt_node_io(const struct stt_node *node)
{
    return node->driver->ops->name;
}

const char *stt_node_io_why(const struct stt_node *node)
{
    return node->io_why;
}

/* -- a loop, and other threads ----------------------------------------------------------------- */

int stt_node_run(struct stt_node *node, bool (*on_turn)(struct stt_node *node, void *ctx),
                 void *ctx)
{
    int error = STT_OK;
    while (!error && on_turn(node, ctx))
        error = stt_node_wait(node, STT_NEVER);
    return error == STT_E_STATE ? STT_OK : error;
}

/* One wake is enough for all that is wanted before the next turn. */
void stt_node_call(struct stt_node *node)
{
    if (!atomic_exchange(&node->is_called, true))
        stt_driver_wake(node->driver);
}

void stt_node_stop(struct stt_node *node)
{
    atomic_store(&node->is_stopped, true);
    stt_node_call(node);
}

int stt_node_post(struct stt_node *node, void (*call)(struct stt_node *node, void *ctx), void *ctx)
{
    if (atomic_load(&node->is_over))
        return STT_E_STATE;
    int error = stt_mailbox_put(&node->mailbox, (struct stt_letter){call, ctx});
    if (!error)
        stt_node_call(node);
    return error;
}
