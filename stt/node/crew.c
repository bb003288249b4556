/* SPDX-License-Identifier: MIT
 * crew: nodes that are one to the world.
 *
 * Owns the nodes, their threads, and what they share: the roster with the codes in memory for
 * secrets, ports, queues. Invariants: everything here outlives every thread, so that who calls
 * another finds him; a node is touched by its own thread alone, but for its calls and its mailbox;
 * of the locks, none is taken under another. It must not know what a session is.
 * Spec 02, "Worker hash"; spec 03, "Guesses at a code"; spec 04, "Session ids", "Limits of an
 * endpoint". */
#include "stt/node/crew.h"

#include "stt/keyfile.h"
#include "stt/node/clock.h"
#include "stt/node/env.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* -- what each of them gets -------------------------------------------------------------------- */

/* So much of it that together they keep it, but so much at least that chance, which brings peers to
 * workers, does not refuse what is allowed. */
static uint64_t share_of(uint64_t whole, uint32_t workers, uint64_t least)
{
    uint64_t share = (whole + workers - 1) / workers;
    least = least < whole ? least : whole;
    return share > least ? share : least;
}

/* The others are of one peer, or of a core that each worker has for itself. */
static void divide(struct stt_config *c, uint32_t workers)
{
    const struct {
        uint32_t *limit;
        uint32_t least;
    } shares[] = {
        {&c->max_sessions, 1},
        {&c->max_half_open, 1},
        {&c->handshakes_per_second, 1},
        {&c->handshakes_per_prefix_second, 16},
        {&c->max_half_open_per_prefix, 16},
    };
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
        *shares[i].limit = (uint32_t)share_of(*shares[i].limit, workers, shares[i].least);
    c->stream_memory_max = share_of(c->stream_memory_max, workers, 1u << 20);
}

static bool draw_if_zero(uint8_t *out, size_t len)
{
    return !bytes_all_zero(bytes_of(out, len)) || stt_node_entropy(NULL, out, len);
}

static int make_node(struct stt_crew_worker *w, struct stt_node_config *config)
{
    struct stt_crew *crew = w->crew;
    config->endpoint.worker = w->number;
    int error = crew->workers > 1 ? stt_handover_init(&w->queue) : STT_OK;
    if (!error)
        error = stt_node_new(&w->node, config);
    if (!error && crew->workers > 1)
        w->node->worker = w;
    return error;
}

static int make_nodes(struct stt_crew *crew, struct stt_node_config *config)
{
    struct stt_config *c = &config->endpoint;
    c->workers = crew->workers;
    c->roster = &crew->roster;
    divide(c, crew->workers);
    if (!draw_if_zero(c->cookie_secret, sizeof c->cookie_secret) ||
        !draw_if_zero(c->id_hash_key, sizeof c->id_hash_key))
        return STT_E_IO;
    crew->steering = (struct stt_steering){
        .key = {.k0 = be32_load(c->id_hash_key), .k1 = be32_load(c->id_hash_key + 4)},
        .workers = crew->workers,
        .serves = crew->serves};
    stt_ports_init(&crew->ports, &crew->steering.key, crew->workers);
    int error = STT_OK;
    for (uint32_t i = 0; i < crew->workers && !error; i++)
        error = make_node(&crew->worker[i], config);
    return error;
}

/* The copy has the identity in it. */
static int make_all(struct stt_crew *crew, const struct stt_node_config *config)
{
    struct stt_node_config *copy = stt_env_secret_alloc(&crew->env, sizeof *copy);
    if (!copy)
        return STT_E_MEMORY;
    *copy = *config;
    int error = make_nodes(crew, copy);
    stt_env_secret_release(&crew->env, copy, sizeof *copy);
    return error;
}

/* -- what they share --------------------------------------------------------------------------- */

static void lock_roster(void *ctx, bool is_held)
{
    struct stt_crew *crew = ctx;
    if (is_held)
        pthread_mutex_lock(&crew->roster_lock);
    else
        pthread_mutex_unlock(&crew->roster_lock);
}

static int make_roster(struct stt_crew *crew)
{
    uint64_t seed;
    if (!stt_node_entropy(NULL, (uint8_t *)&seed, sizeof seed))
        return STT_E_IO;
    crew->codes = stt_env_secret_alloc(&crew->env, sizeof *crew->codes);
    if (!crew->codes)
        return STT_E_MEMORY;
    stt_roster_init(&crew->roster, &crew->env, crew->codes, seed);
    crew->roster.lock = lock_roster;
    crew->roster.lock_ctx = crew;
    return STT_OK;
}

static void init(struct stt_crew *crew)
{
    int error = pthread_mutex_init(&crew->roster_lock, NULL);
    error = error ? error : pthread_mutex_init(&crew->lock, NULL);
    error = error ? error : pthread_cond_init(&crew->gate_moved, NULL);
    assert(error == 0);
    (void)error;
    for (uint32_t i = 0; i < crew->workers; i++) {
        crew->worker[i].crew = crew;
        crew->worker[i].number = (uint16_t)i;
        atomic_init(&crew->serves[i], (uint16_t)i);
    }
}

static void free_crew(struct stt_crew *crew)
{
    for (uint32_t i = 0; i < crew->workers; i++)
        stt_node_free(crew->worker[i].node);
    for (uint32_t i = 0; i < crew->workers; i++)
        stt_handover_fini(&crew->worker[i].queue);
    stt_ports_fini(&crew->ports);
    if (crew->codes) {
        stt_roster_fini(&crew->roster);
        stt_env_secret_release(&crew->env, crew->codes, sizeof *crew->codes);
    }
    stt_secret_fini(&crew->secret);
    pthread_cond_destroy(&crew->gate_moved);
    pthread_mutex_destroy(&crew->lock);
    pthread_mutex_destroy(&crew->roster_lock);
    free(crew);
}

/* -- threads ----------------------------------------------------------------------------------- */

static bool pass_gate(struct stt_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    while (crew->gate == STT_CREW_WAITS)
        pthread_cond_wait(&crew->gate_moved, &crew->lock);
    bool begins = crew->gate == STT_CREW_BEGINS;
    pthread_mutex_unlock(&crew->lock);
    return begins;
}

static void move_gate(struct stt_crew *crew, enum stt_crew_gate gate)
{
    pthread_mutex_lock(&crew->lock);
    crew->gate = gate;
    pthread_cond_broadcast(&crew->gate_moved);
    pthread_mutex_unlock(&crew->lock);
}

/* Itself, where nobody is left. */
static uint16_t next_to(const struct stt_crew *crew, uint16_t number)
{
    for (uint32_t i = 1; i < crew->workers; i++) {
        const struct stt_crew_worker *w = &crew->worker[(number + i) % crew->workers];
        if (!w->is_gone)
            return w->number;
    }
    return number;
}

/* Its share of the ports goes to the others: the kernel spreads what would have come to it, and it
 * is handed to the next one. */
static void leave(struct stt_crew_worker *w)
{
    struct stt_crew *crew = w->crew;
    pthread_mutex_lock(&crew->lock);
    w->is_gone = true;
    uint16_t next = next_to(crew, w->number);
    for (uint32_t i = 0; i < crew->workers; i++)
        if (atomic_load(&crew->serves[i]) == w->number)
            atomic_store(&crew->serves[i], next);
    stt_ports_leave(&crew->ports, w->number);
    pthread_mutex_unlock(&crew->lock);
    atomic_store(&w->node->is_over, true);
    stt_places_close(&w->node->places);
    stt_node_quit(w->node);
}

static void *work(void *ctx)
{
    struct stt_crew_worker *w = ctx;
    if (pass_gate(w->crew))
        w->crew->start(w->node, w->number, w->crew->ctx);
    leave(w);
    return NULL;
}

static void join(struct stt_crew *crew, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        pthread_join(crew->worker[i].thread, NULL);
}

static int begin(struct stt_crew *crew)
{
    for (uint32_t i = 0; i < crew->workers; i++)
        if (pthread_create(&crew->worker[i].thread, NULL, work, &crew->worker[i]) != 0) {
            move_gate(crew, STT_CREW_FAILED);
            join(crew, i);
            return STT_E_LIMIT;
        }
    return STT_OK;
}

int stt_node_spawn(struct stt_crew **out, const struct stt_node_config *config, uint32_t workers,
                   void (*start)(struct stt_node *node, uint32_t worker, void *ctx), void *ctx)
{
    static const struct stt_secret_limits limits = STT_SECRET_LIMITS;
    *out = NULL;
    if (workers < 1 || workers > STT_WORKERS_MAX || !start || config->size != sizeof *config)
        return STT_E_ARGUMENT;
    struct stt_crew *crew = calloc(1, sizeof *crew + workers * sizeof crew->worker[0]);
    if (!crew)
        return STT_E_MEMORY;
    crew->workers = workers;
    crew->start = start;
    crew->ctx = ctx;
    init(crew);
    int error = stt_secret_init(&crew->secret, &limits);
    stt_node_env_init(&crew->env, &crew->secret);
    if (!error)
        error = make_roster(crew);
    if (!error)
        error = make_all(crew, config);
    if (!error)
        error = begin(crew);
    if (error) {
        free_crew(crew);
        return error;
    }
    *out = crew;
    move_gate(crew, STT_CREW_BEGINS);
    return STT_OK;
}

void stt_crew_stop(struct stt_crew *crew)
{
    for (uint32_t i = 0; i < crew->workers; i++)
        stt_node_stop(crew->worker[i].node);
}

void stt_crew_join(struct stt_crew *crew)
{
    if (!crew)
        return;
    join(crew, crew->workers);
    free_crew(crew);
}

/* -- a worker among others --------------------------------------------------------------------- */

static int take_ports(struct stt_crew_worker *w)
{
    w->ports_seen = w->crew->ports.n;
    return stt_ports_take(&w->crew->ports, w->number, &w->node->places);
}

int stt_crew_listen(struct stt_crew_worker *w, const struct stt_address *at,
                    struct stt_address *bound)
{
    struct stt_crew *crew = w->crew;
    const struct stt_port *port;
    pthread_mutex_lock(&crew->lock);
    int error = stt_ports_listen(&crew->ports, w->number, &w->node->places, at, &port);
    if (!error)
        error = take_ports(w);
    if (!error && bound)
        *bound = port->bound;
    bool is_new = atomic_exchange(&crew->n_ports, crew->ports.n) != crew->ports.n;
    pthread_mutex_unlock(&crew->lock);
    for (uint32_t i = 0; i < crew->workers && is_new; i++)
        stt_node_call(crew->worker[i].node);
    return error;
}

/* Once for all segments of a train, and not again. */
enum { HANDED_OVER = UINT16_MAX };

static void hand_over(struct stt_crew_worker *w, const struct stt_train *train, uint32_t n,
                      uint16_t *to, uint16_t worker)
{
    uint32_t wanted = 0;
    uint32_t taken = stt_handover_put(&w->crew->worker[worker].queue, train, n, to, worker);
    for (uint32_t i = 0; i < n; i++) {
        if (to[i] != worker)
            continue;
        to[i] = HANDED_OVER;
        wanted++;
    }
    w->node->handed_over += taken;
    w->node->handover_dropped += wanted - taken;
    w->calls[worker / 64] |= (uint64_t)(taken > 0) << worker % 64;
}

static void hear_part(struct stt_crew_worker *w, stt_ns now, const struct stt_train *train,
                      uint32_t n)
{
    uint16_t to[STT_HANDOVER_SEGMENTS];
    if (stt_handover_split(&w->crew->steering, w->number, train, n, to)) {
        stt_endpoint_receive(w->node->ep, now, train);
        return;
    }
    for (uint32_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && to[end] == w->number; end++)
            ;
        if (end > i) {
            struct stt_train own = stt_handover_part(train, i, end - i);
            stt_endpoint_receive(w->node->ep, now, &own);
            continue;
        }
        if (to[i] != HANDED_OVER)
            hand_over(w, train, n, to, to[i]);
        end = i + 1;
    }
}

void stt_crew_hear(struct stt_crew_worker *w, stt_ns now, const struct stt_train *train)
{
    uint32_t n = stt_handover_segments(train);
    if (n <= STT_HANDOVER_SEGMENTS) {
        hear_part(w, now, train, n);
        return;
    }
    for (uint32_t i = 0; i < n; i += STT_HANDOVER_SEGMENTS) {
        uint32_t some = n - i < STT_HANDOVER_SEGMENTS ? n - i : STT_HANDOVER_SEGMENTS;
        struct stt_train part = stt_handover_part(train, i, some);
        hear_part(w, now, &part, some);
    }
}

static void call_others(struct stt_crew_worker *w)
{
    for (uint32_t i = 0; i < STT_WORKERS_MAX / 64; i++)
        for (; w->calls[i]; w->calls[i] &= w->calls[i] - 1)
            stt_node_call(w->crew->worker[i * 64 + (uint32_t)__builtin_ctzll(w->calls[i])].node);
}

static void take_over(struct stt_crew_worker *w, stt_ns now, uint32_t trains)
{
    struct stt_train train;
    uint32_t n = 0;
    while (n < trains && stt_handover_take(&w->queue, &train)) {
        w->node->taken_over += stt_handover_segments(&train);
        stt_endpoint_receive(w->node->ep, now, &train);
        n++;
    }
    w->node->has_more = w->node->has_more || n == trains;
}

void stt_crew_turn(struct stt_crew_worker *w, stt_ns now, uint32_t trains)
{
    call_others(w);
    if (atomic_load(&w->crew->n_ports) != w->ports_seen) {
        pthread_mutex_lock(&w->crew->lock);
        (void)!take_ports(w); /* without one, others hear for it and hand over */
        pthread_mutex_unlock(&w->crew->lock);
    }
    take_over(w, now, trains);
}

/* -- what holds for all ------------------------------------------------------------------------ */

struct stt_node *stt_crew_node(struct stt_crew *crew, uint32_t worker)
{
    return worker < crew->workers ? crew->worker[worker].node : NULL;
}

int stt_crew_allow(struct stt_crew *crew, const struct stt_peer_id *peer)
{
    return stt_roster_allow(&crew->roster, peer);
}

int stt_crew_disallow(struct stt_crew *crew, const struct stt_peer_id *peer)
{
    return stt_roster_disallow(&crew->roster, peer);
}

/* They learn when it dies of age. */
static int tell_all(struct stt_crew *crew, int error)
{
    for (uint32_t i = 0; i < crew->workers && !error; i++)
        stt_node_call(crew->worker[i].node);
    return error;
}

int stt_crew_code_new(struct stt_crew *crew, char text[STT_CODE_TEXT_MAX], uint32_t *slot)
{
    return tell_all(crew, stt_roster_arm_new(&crew->roster, stt_clock_now(), stt_node_entropy, NULL,
                                             text, slot));
}

int stt_crew_passphrase(struct stt_crew *crew, const uint8_t stretched[32])
{
    return stt_roster_arm_stretched(&crew->roster, stt_clock_now(), stretched);
}

int stt_crew_code_end(struct stt_crew *crew, uint32_t slot)
{
    return stt_roster_disarm(&crew->roster, slot) ? STT_OK : STT_E_NOT_FOUND;
}
