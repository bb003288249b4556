/* SPDX-License-Identifier: MIT
 * endpoint: the five verbs, demultiplexing by session id, and handles.
 *
 * Owns every object of its sessions. Invariants: a session is in `ready` iff it may have something
 * to send, in `events` iff the host has something to hear of it; a handle is stale from the
 * event after CLOSED on. It must not know what packets mean. Spec 02, "Opening"; spec 04,
 * "Transport parameters", "Fork and suspend"; spec 03, "Secrets in memory". */
#include "stt/session/engine.h"

#include "crypto/cpu.h"
#include "crypto/ids.h"

/* -- making ---------------------------------------------------------------------------------------
 */

static void set_transport(struct stt_endpoint *ep)
{
    struct stt_params *p = &ep->secrets->own.transport;
    stt_params_init(p);
    p->application = bytes_of(ep->config.application, strlen(ep->config.application));
    p->idle_timeout_ms = ep->config.idle_timeout_ns / STT_MS(1);
    stt_params_set(p, STT_PARAM_APPLICATION);
    stt_params_set(p, STT_PARAM_IDLE_TIMEOUT_MS);
    p->max_data = ep->config.session_window_bytes;
    p->max_stream_data = ep->config.stream_window_bytes;
    p->max_streams = ep->config.max_streams;
    p->max_datagram_bytes = ep->config.max_datagram_bytes;
    stt_params_set(p, STT_PARAM_MAX_DATA);
    stt_params_set(p, STT_PARAM_MAX_STREAM_DATA);
    stt_params_set(p, STT_PARAM_MAX_STREAMS);
    stt_params_set(p, STT_PARAM_MAX_DATAGRAM_BYTES);
}

static void set_suites(struct stt_endpoint *ep)
{
    struct stt_handshake_own *own = &ep->secrets->own;
    uint8_t ids[STT_AEAD_IDS];
    own->n_suites = ep->config.n_suites;
    for (uint32_t i = 0; i < own->n_suites; i++)
        own->suites[i] = ep->config.suites[i];
    if (own->n_suites)
        return;
    own->n_suites = (uint32_t)stt_aead_offer(ids, ep->cpu);
    for (uint32_t i = 0; i < own->n_suites; i++)
        own->suites[i] = stt_aead_by_id(ids[i], ep->cpu);
}

static bool can_run(const struct stt_endpoint *ep)
{
    for (uint32_t i = 0; i < ep->config.n_suites; i++)
        if (ep->config.suites[i]->needs & ~ep->cpu)
            return false;
    return true;
}

/* What the host left at zero is drawn here. */
static bool draw_if_zero(struct stt_endpoint *ep, uint8_t *out, size_t len)
{
    return !bytes_all_zero(bytes_of(out, len)) || stt_endpoint_draw(ep, out, len);
}

static int set_secrets(struct stt_endpoint *ep)
{
    struct stt_endpoint_secrets *x = ep->secrets;
    struct stt_handshake_own *own = &x->own;
    if (!can_run(ep))
        return STT_E_UNSUPPORTED;
    x->identity = ep->config.identity;
    memcpy(x->seeds, ep->config.seeds, sizeof x->seeds);
    memcpy(x->cookie_secret, ep->config.cookie_secret, sizeof x->cookie_secret);
    own->identity = &x->identity;
    memcpy(own->pair.secret_key, x->identity.static_secret, sizeof own->pair.secret_key);
    memcpy(own->pair.public_key, x->identity.static_public, sizeof own->pair.public_key);
    own->network = bytes_of(ep->config.network, ep->config.network_bytes);
    stt_env_wipe(&ep->config.identity, sizeof ep->config.identity);
    stt_env_wipe(ep->config.seeds, sizeof ep->config.seeds);
    stt_env_wipe(ep->config.cookie_secret, sizeof ep->config.cookie_secret);
    if (!draw_if_zero(ep, x->cookie_secret, sizeof x->cookie_secret) ||
        !draw_if_zero(ep, ep->config.id_hash_key, sizeof ep->config.id_hash_key))
        return STT_E_IO;
    ep->id_hash_key.k0 = be32_load(ep->config.id_hash_key);
    ep->id_hash_key.k1 = be32_load(ep->config.id_hash_key + 4);
    set_transport(ep);
    set_suites(ep);
    stt_admission_init(ep);
    return STT_OK;
}

static int make_tables(struct stt_endpoint *ep)
{
    const struct stt_config *c = &ep->config;
    uint64_t seed;
    uint8_t key[STT_MAC_KEY_BYTES];
    uint32_t sessions = c->max_sessions + c->max_half_open;
    if (!stt_endpoint_draw(ep, (uint8_t *)&seed, sizeof seed) ||
        !stt_endpoint_draw(ep, key, sizeof key))
        return STT_E_IO;
    stt_images_init(&ep->images, key);
    ep->secrets->own.images = &ep->images;
    stt_map_init(&ep->by_id, &ep->env, STT_ID_BYTES, seed, sessions * STT_SESSION_IDS_MAX);
    stt_map_init(&ep->answered, &ep->env, STT_MAC_BYTES, seed, c->max_half_open);
    stt_roster_init(&ep->own_roster, &ep->env, &ep->secrets->codes, seed);
    ep->roster = c->roster ? c->roster : &ep->own_roster;
    stt_map_init(&ep->exclusive_out, &ep->env, 32, seed, sessions);
    stt_map_init(&ep->exclusive_in, &ep->env, 32, seed, sessions);
    stt_counts_init(&ep->counts, &ep->env, seed, 3 * c->max_half_open);
    stt_seen_init(&ep->seen, &ep->env, seed);
    stt_timers_init(&ep->timers, &ep->env, sessions);
    ep->map_seed = seed;
    stt_slab_init(&ep->streams, &ep->env,
                  &(struct stt_slab_shape){.object_bytes = sizeof(struct stt_stream),
                                           .align = 8,
                                           .step = 16,
                                           .max = UINT32_MAX / 4});
    stt_chunk_pool_init(&ep->chunks, &ep->env, ep->config.stream_memory_max);
    stt_slab_init(
        &ep->sessions, &ep->env,
        &(struct stt_slab_shape){
            .object_bytes = sizeof(struct stt_session), .align = 64, .step = 16, .max = sessions});
    return STT_OK;
}

int stt_endpoint_new(struct stt_endpoint **out, const struct stt_config *config,
                     const struct stt_env *env, stt_ns now)
{
    char why[STT_CONFIG_WHY_ROOM];
    int error = stt_config_check(config, why, sizeof why);
    (void)now;
    if (error)
        return error;
    struct stt_endpoint *ep = stt_env_alloc(env, sizeof *ep);
    if (!ep)
        return STT_E_MEMORY;
    ep->env = *env;
    ep->config = *config;
    ep->cpu = stt_cpu_detect();
    stt_list_init(&ep->all);
    stt_list_init(&ep->ready);
    stt_list_init(&ep->events);
    stt_list_init(&ep->stream_events);
    stt_list_init(&ep->thirsty);
    stt_list_init(&ep->blocked);
    ep->carriers[0] =
        (struct stt_carrier){.writable = true, .max_datagram_bytes = STT_DATAGRAM_BYTES_MAX};
    stt_tracing_init(&ep->tracing);
    ep->secrets = stt_env_secret_alloc(env, sizeof *ep->secrets);
    error = ep->secrets ? set_secrets(ep) : STT_E_MEMORY;
    if (!error)
        error = make_tables(ep);
    if (error) {
        stt_endpoint_free(ep);
        return error;
    }
    *out = ep;
    return STT_OK;
}

static void free_sessions(struct stt_endpoint *ep)
{
    while (!stt_list_is_empty(&ep->all))
        stt_session_free(ep, STT_LIST_ENTRY(ep->all.next, struct stt_session, all));
}

void stt_endpoint_free(struct stt_endpoint *ep)
{
    if (!ep)
        return;
    struct stt_env env = ep->env;
    if (ep->by_id.env) {
        free_sessions(ep);
        stt_map_fini(&ep->by_id);
        stt_map_fini(&ep->answered);
        stt_roster_fini(&ep->own_roster);
        stt_map_fini(&ep->exclusive_out);
        stt_map_fini(&ep->exclusive_in);
        stt_counts_fini(&ep->counts);
        stt_seen_fini(&ep->seen);
        stt_timers_fini(&ep->timers);
        stt_slab_fini(&ep->sessions);
        stt_slab_fini(&ep->streams);
        stt_chunk_pool_fini(&ep->chunks);
    }
    stt_env_secret_release(&env, ep->secrets, sizeof *ep->secrets);
    stt_env_wipe(ep, sizeof *ep);
    stt_env_release(&env, ep, sizeof *ep);
}

/* -- forks --------------------------------------------------------------------------------- */

static void end_all(struct stt_endpoint *ep, stt_ns now)
{
    struct stt_list *next;
    for (struct stt_list *link = ep->all.next; link != &ep->all; link = next) {
        struct stt_session *s = STT_LIST_ENTRY(link, struct stt_session, all);
        next = link->next;
        if (s->state != STT_SESSION_CLOSED)
            stt_session_drop(ep, now, s, STT_REASON_FORKED);
    }
}

bool stt_endpoint_is_alive(struct stt_endpoint *ep, stt_ns now)
{
    if (ep->has_forked)
        return false;
    if (ep->env.secrets_alive(ep->env.ctx))
        return true;
    ep->has_forked = true;
    end_all(ep, now);
    return false;
}

/* -- handles and draws
 * ------------------------------------------------------------------------------ */

struct stt_session *stt_endpoint_find(const struct stt_endpoint *ep, stt_handle handle)
{
    struct stt_session *s = stt_slab_at(&ep->sessions, handle);
    return s && s->is_reported && !s->is_gone ? s : NULL;
}

int stt_endpoint_find_open(struct stt_endpoint *ep, stt_ns now, stt_handle handle,
                           struct stt_session **out)
{
    *out = stt_endpoint_find(ep, handle);
    if (!*out)
        return STT_E_STALE;
    if (!stt_endpoint_is_alive(ep, now))
        return STT_E_FORKED;
    return (*out)->state == STT_SESSION_OPEN ? STT_OK : STT_E_STATE;
}

stt_handle stt_endpoint_handle(const struct stt_endpoint *ep, const struct stt_session *s)
{
    return stt_slab_id(&ep->sessions, s);
}

bool stt_endpoint_draw(struct stt_endpoint *ep, uint8_t *out, size_t len)
{
    return stt_env_entropy(&ep->env, ep->last_draw, out, len);
}

/* A worker of many needs as many draws as there are workers; one in 2^64 is taken. */
enum { ID_DRAWS_MAX = 512 };

static bool is_own_id(const struct stt_endpoint *ep, const uint8_t id[STT_ID_BYTES])
{
    return !stt_map_find(&ep->by_id, id) &&
           stt_id_worker(stt_id_of(id), &ep->id_hash_key, ep->config.workers) == ep->config.worker;
}

/* Ids are told to everybody, so what they are made of may wait for them. */
static const uint8_t *draw_for_id(struct stt_endpoint *ep)
{
    if (!ep->id_draws_left) {
        if (!stt_endpoint_draw(ep, ep->id_draws[0], sizeof ep->id_draws))
            return NULL;
        ep->id_draws_left = STT_ID_DRAWS;
    }
    return ep->id_draws[--ep->id_draws_left];
}

bool stt_endpoint_draw_seeds(struct stt_endpoint *ep, uint8_t out[8])
{
    const uint8_t *draw = draw_for_id(ep);
    if (draw)
        memcpy(out, draw, 8);
    return draw != NULL;
}

bool stt_endpoint_draw_id(struct stt_endpoint *ep, struct stt_id *id)
{
    struct stt_id_balancer balancer = {.index = ep->config.balancer_index};
    memcpy(balancer.key, ep->config.balancer_key, sizeof balancer.key);
    const struct stt_id_balancer *with = ep->config.balanced ? &balancer : NULL;
    for (uint32_t i = 0; i < ID_DRAWS_MAX * ep->config.workers; i++) {
        const uint8_t *entropy = draw_for_id(ep);
        if (!entropy)
            return false;
        if (stt_id_make(id->bytes, entropy, with) && is_own_id(ep, id->bytes))
            return true;
    }
    return false;
}

/* -- lists
 * ---------------------------------------------------------------------------------------------- */

void stt_endpoint_ready(struct stt_endpoint *ep, struct stt_session *s)
{
    if (!stt_list_is_linked(&s->ready))
        stt_list_push_back(&ep->ready, &s->ready);
}

static struct stt_reply *new_reply(struct stt_endpoint *ep, const struct stt_path *path)
{
    if (ep->n_replies == STT_REPLIES_MAX)
        return NULL;
    struct stt_reply *r = &ep->replies[(ep->first_reply + ep->n_replies++) % STT_REPLIES_MAX];
    *r = (struct stt_reply){.path = *path};
    return r;
}

void stt_endpoint_reply(struct stt_endpoint *ep, const struct stt_path *path, struct bytes packet)
{
    struct stt_reply *r = new_reply(ep, path);
    if (!r)
        return;
    r->len = (uint8_t)packet.len;
    memcpy(r->data, packet.data, packet.len);
}

void stt_endpoint_answer_again(struct stt_endpoint *ep, stt_handle handle,
                               const struct stt_path *path)
{
    struct stt_reply *r = new_reply(ep, path);
    if (r)
        r->again = handle;
}

bool stt_endpoint_is_full(const struct stt_endpoint *ep)
{
    return ep->sessions.in_use - ep->n_half_open >= ep->config.max_sessions;
}

/* -- receive
 * ------------------------------------------------------------------------------------------ */

static struct stt_session *find_by_id(const struct stt_endpoint *ep, struct stt_id id)
{
    return stt_slab_at(&ep->sessions, stt_map_find(&ep->by_id, id.bytes));
}

static void receive_handshake(struct stt_endpoint *ep, stt_ns now, const struct stt_path *path,
                              enum stt_packet_kind kind, struct bytes datagram)
{
    struct stt_session *s;
    switch (kind) {
    case STT_PACKET_MESSAGE_1:
        stt_admission_message_1(ep, now, path, datagram);
        return;
    case STT_PACKET_MESSAGE_3:
        stt_admission_message_3(ep, now, path, datagram);
        return;
    default:
        break;
    }
    s = find_by_id(ep, stt_packet_id(datagram));
    if (!s || !s->is_initiator || !s->handshake) {
        stt_endpoint_drop(ep, NULL, STT_DROP_unknown_session, datagram.len);
        return;
    }
    if (kind == STT_PACKET_MESSAGE_2)
        stt_connecting_message_2(ep, now, s, datagram);
    else if (kind == STT_PACKET_COOKIE_REPLY)
        stt_connecting_cookie(ep, now, s, datagram);
    else
        stt_connecting_refused(ep, now, s, datagram);
}

static void count_invalid(struct stt_endpoint *ep, struct bytes datagram)
{
    if (datagram.len >= 2 && datagram.data[0] & 0x80 && datagram.data[1] != STT_WIRE_VERSION)
        stt_endpoint_drop(ep, NULL, STT_DROP_unknown_version, datagram.len);
    else
        stt_endpoint_drop(ep, NULL, STT_DROP_short_datagram, datagram.len);
}

/* How many bytes from `at` on are packets for the same session, in equal segments. */
static size_t run_length(const struct stt_train *train, size_t at, size_t segment)
{
    const uint8_t *id = train->data + at + 1;
    size_t end = at, n = 0;
    while (end < train->len && n < STT_TRAIN_SEGMENTS) {
        size_t len = train->len - end < segment ? train->len - end : segment;
        const uint8_t *p = train->data + end;
        if (len < STT_PROTECTED_BYTES_MIN || p[0] & 0x80 || memcmp(p + 1, id, STT_ID_BYTES) != 0)
            break;
        end += len;
        n++;
    }
    return end - at;
}

static void receive_protected(struct stt_endpoint *ep, stt_ns now, const struct stt_train *run)
{
    struct stt_session *s = find_by_id(ep, stt_packet_id(bytes_of(run->data, run->len)));
    if (!s || !s->protect) {
        stt_endpoint_drop(ep, NULL, STT_DROP_unknown_session, run->len);
        return;
    }
    stt_receiving_train(ep, now, s, run);
}

void stt_endpoint_receive(struct stt_endpoint *ep, stt_ns now, const struct stt_train *train)
{
    if (!stt_endpoint_is_alive(ep, now))
        return;
    size_t segment = train->segment_bytes && train->segment_bytes < train->len
                         ? train->segment_bytes
                         : train->len;
    stt_tracing_hear(&ep->tracing, now);
    ep->stats.bytes_received += train->len;
    ep->stats.datagrams_received += train->len == 0;
    if (!train->len)
        stt_endpoint_drop(ep, NULL, STT_DROP_short_datagram, 0);
    for (size_t at = 0; at < train->len;) {
        size_t len = train->len - at < segment ? train->len - at : segment;
        struct bytes datagram = bytes_of(train->data + at, len);
        enum stt_packet_kind kind = stt_packet_classify(datagram);
        if (kind == STT_PACKET_PROTECTED) {
            len = run_length(train, at, segment);
            struct stt_train run = *train;
            run.data = train->data + at;
            run.len = len;
            run.segment_bytes = len < segment ? len : segment;
            receive_protected(ep, now, &run);
        } else if (kind == STT_PACKET_INVALID) {
            count_invalid(ep, datagram);
        } else {
            receive_handshake(ep, now, &train->path, kind, datagram);
        }
        ep->stats.datagrams_received += (len + segment - 1) / segment;
        at += len;
    }
}

/* -- transmit
 * ------------------------------------------------------------------------------------------- */

/* What the reply at the head of the line says; nothing when its session has gone on. */
static struct bytes reply_bytes(const struct stt_endpoint *ep, const struct stt_reply *r)
{
    if (!r->again)
        return bytes_of(r->data, r->len);
    const struct stt_session *s = stt_slab_at(&ep->sessions, r->again);
    return s && s->state == STT_SESSION_HALF_OPEN && s->handshake
               ? bytes_of(s->handshake->packet, s->handshake->packet_len)
               : BYTES_NONE;
}

/* Replies that their carrier does not take are dropped: who asked will ask again. */
static bool transmit_reply(struct stt_endpoint *ep, struct stt_train *train)
{
    while (ep->n_replies) {
        const struct stt_reply *r = &ep->replies[ep->first_reply];
        struct bytes packet = reply_bytes(ep, r);
        ep->first_reply = (ep->first_reply + 1) % STT_REPLIES_MAX;
        ep->n_replies--;
        if (!packet.len || packet.len > train->len || r->path.carrier >= STT_CARRIERS_MAX ||
            !ep->carriers[r->path.carrier].writable)
            continue;
        memcpy(train->data, packet.data, packet.len);
        train->len = train->segment_bytes = packet.len;
        train->path = r->path;
        train->ecn = 0;
        return true;
    }
    return false;
}

/* The next session that has something to say; it goes to the end of the line if it has more. */
static bool transmit_session(struct stt_endpoint *ep, stt_ns now, struct stt_train *train)
{
    size_t room = train->len;
    while (!stt_list_is_empty(&ep->ready)) {
        struct stt_session *s = STT_LIST_ENTRY(ep->ready.next, struct stt_session, ready);
        stt_list_remove(&s->ready);
        train->len = room;
        enum stt_sending sending = stt_sending_transmit(ep, now, s, train);
        stt_holding_on_attempt(ep, now, s);
        if (sending == STT_SENDING_BLOCKED)
            stt_list_push_back(&ep->blocked, &s->ready);
        if (sending != STT_SENDING_SENT)
            continue;
        if (stt_sending_has_more(s, now))
            stt_endpoint_ready(ep, s);
        return true;
    }
    return false;
}

/* Every ten seconds: long enough for whatever comes and goes to find its memory still there. Who
 * only answers keep-alives has no deadline that comes, and rests when it has answered. */
#define REST_NS STT_S(10)

static void rest(struct stt_endpoint *ep, stt_ns now)
{
    if (now - ep->rested_at < REST_NS)
        return;
    ep->rested_at = now;
    stt_chunk_pool_rest(&ep->chunks);
    stt_slab_rest(&ep->streams);
    stt_slab_rest(&ep->sessions);
}

bool stt_endpoint_transmit(struct stt_endpoint *ep, stt_ns now, struct stt_train *train)
{
    if (train->len < STT_DATAGRAM_BYTES_MIN || !stt_endpoint_is_alive(ep, now))
        return false;
    train->session = train->first = 0;
    if (!transmit_reply(ep, train) && !transmit_session(ep, now, train)) {
        rest(ep, now);
        return false;
    }
    ep->stats.datagrams_sent += (train->len + train->segment_bytes - 1) / train->segment_bytes;
    ep->stats.bytes_sent += train->len;
    return true;
}

int stt_endpoint_carrier(struct stt_endpoint *ep, stt_ns now, uint32_t carrier,
                         const struct stt_carrier *properties)
{
    if (carrier >= STT_CARRIERS_MAX || properties->max_datagram_bytes < STT_DATAGRAM_BYTES_MIN)
        return STT_E_ARGUMENT;
    ep->carriers[carrier] = *properties;
    while (properties->writable && !stt_list_is_empty(&ep->blocked)) {
        struct stt_list *link = stt_list_pop_front(&ep->blocked);
        stt_list_push_back(&ep->ready, link);
        stt_holding_judge(ep, now, STT_LIST_ENTRY(link, struct stt_session, ready));
    }
    return STT_OK;
}

/* -- time
 * ---------------------------------------------------------------------------------------------------
 */

stt_ns stt_endpoint_deadline(struct stt_endpoint *ep)
{
    if (ep->has_forked)
        return STT_NEVER;
    stt_ns codes = stt_roster_deadline(ep->roster), first = stt_timers_next(&ep->timers);
    return codes < first ? codes : first;
}

void stt_endpoint_expire(struct stt_endpoint *ep, stt_ns now)
{
    struct stt_timer *timer;
    uint32_t slot;
    if (!stt_endpoint_is_alive(ep, now))
        return;
    while ((timer = stt_timers_pop(&ep->timers, now)))
        stt_session_expire(ep, now, STT_LIST_ENTRY(timer, struct stt_session, timer));
    rest(ep, now);
    ep->thirsty_at = UINT32_MAX; /* where it was memory itself, it may be there by now */
    while (stt_roster_expire(ep->roster, now, &slot))
        stt_endpoint_report_code(ep, STT_EVENT_CODE_ENDED, slot, STT_REASON_CODE_EXPIRED);
}

/* -- counters
 * ------------------------------------------------------------------------------------------------
 */

void stt_endpoint_stats(const struct stt_endpoint *ep, struct stt_endpoint_stats *out)
{
    *out = ep->stats;
    out->sessions = ep->sessions.in_use;
    out->streams = ep->streams.in_use;
    out->half_open = ep->n_half_open;
    out->pending = ep->n_handshakes - ep->n_half_open;
}
