/* SPDX-License-Identifier: MIT
 * aged: owns the life that a session has led before its test begins, and the proof that it did.
 * Knows of worlds and duos only how time passes in them and where their places are. */
#include "tests/support/aged.h"

#include <stdlib.h>
#include <string.h>

#include "stt/datagrams.h"
#include "stt/session/engine.h"
#include "tests/support/duo.h"
#include "tests/support/traitor.h"
#include "tests/support/world.h"

enum { CLIENT, SERVER, SIDES };
enum { NUMBER = 7001, CARRIER = STT_CARRIERS_MAX - 1, USE_BYTES = 32 };

#define STEP_NS   STT_MS(200)
#define REST_NS   STT_S(2)
#define LIMIT_NS  STT_S(3600) /* of one deed, for the slowest of roads */
#define SETTLE_NS STT_S(5)

/* Where a session goes: home is where it began. */
enum place { AT_IPV6, AT_BYTE_STREAM, AT_HOME };

/* What differs between a world and a duo. */
struct life {
    void *of;
    stt_ns (*now)(const struct life *l);
    struct stt_endpoint *(*endpoint)(const struct life *l, int side);
    void (*run_for)(const struct life *l, stt_ns ns);
    void (*rebind)(const struct life *l); /* the client's port is another one from now on */
    struct stt_path (*prepare)(const struct life *l, enum place place); /* from the client */
    stt_handle session[SIDES];
};

static unsigned aged;

bool aged_is_wanted(void)
{
    return getenv("STT_AGED") != NULL;
}

unsigned aged_sessions(void)
{
    return aged;
}

/* -- what both have in common ------------------------------------------------------------------ */

static struct stt_session_info info_of(const struct life *l, int side)
{
    struct stt_session_info info;
    ck_assert_int_eq(stt_session_info(l->endpoint(l, side), l->session[side], &info), STT_OK);
    return info;
}

static struct stt_session *session_of(const struct life *l, int side)
{
    struct stt_session *s = traitor_session(l->endpoint(l, side), l->session[side]);
    ck_assert_msg(s && s->state == STT_SESSION_OPEN, "the session did not live to be aged");
    return s;
}

static void drain(const struct life *l, int side)
{
    uint8_t data[STT_TRAIN_BYTES];
    size_t len;
    while (!stt_datagram_read(l->endpoint(l, side), l->session[side], data, sizeof data, &len))
        ;
}

/* Each way a datagram: use that counts, and shows the peer where one is. */
static void use(const struct life *l, stt_ns ns)
{
    static const uint8_t data[USE_BYTES];
    for (int side = CLIENT; side < SIDES; side++) {
        int error = stt_datagram_send(l->endpoint(l, side), l->now(l), l->session[side], data,
                                      sizeof data, NULL);
        ck_assert(error == STT_OK || error == STT_E_UNSUPPORTED); /* by the parameters */
    }
    l->run_for(l, ns);
    drain(l, CLIENT);
    drain(l, SERVER);
}

static void use_until_reached(const struct life *l, const char *name,
                              bool (*reached)(const struct life *, const void *), const void *what)
{
    stt_ns end = l->now(l) + LIMIT_NS;
    while (!reached(l, what)) {
        ck_assert_msg(l->now(l) < end, "not so in an hour: %s", name);
        use(l, STEP_NS);
    }
}
#define use_until(l, reached, what) use_until_reached(l, #reached, reached, what)

/* Both sides are in this epoch and may begin the next. */
static bool is_in_epoch(const struct life *l, const void *epoch)
{
    for (int side = CLIENT; side < SIDES; side++)
        if (info_of(l, side).epoch != *(const uint64_t *)epoch ||
            !stt_protect_may_update(session_of(l, side)->protect))
            return false;
    return true;
}

/* Where much comes late, a packet from before may begin a trial at any time. */
static bool is_on_trial(const struct life *l)
{
    return session_of(l, CLIENT)->paths.on_trial != STT_PATH_NONE ||
           session_of(l, SERVER)->paths.on_trial != STT_PATH_NONE;
}

static bool is_settled(const struct life *l, const void *nothing)
{
    (void)nothing;
    return !is_on_trial(l);
}

/* The server sees the client elsewhere than before. */
static bool has_followed(const struct life *l, const void *before)
{
    const struct stt_path at = info_of(l, SERVER).path, *old = before;
    return !is_on_trial(l) &&
           (!stt_address_equal(&at.remote, &old->remote) || at.carrier != old->carrier);
}

struct move {
    struct stt_path to, before; /* where the client goes; where it was for the server */
};

/* Otherwise it tries again, as often as it takes: on bad roads a move may fail. */
static bool has_moved(const struct life *l, const void *move)
{
    const struct move *m = move;
    const struct stt_path at = info_of(l, CLIENT).path;
    if (is_on_trial(l))
        return false;
    if (stt_path_equal(&at, &m->to))
        return has_followed(l, &m->before);
    int error = stt_session_move(l->endpoint(l, CLIENT), l->now(l), l->session[CLIENT], &m->to);
    ck_assert(error == STT_OK || error == STT_E_AGAIN);
    return false;
}

static bool may_update(const struct life *l, const void *side)
{
    return stt_protect_may_update(session_of(l, *(const int *)side)->protect);
}

/* -- its deeds --------------------------------------------------------------------------------- */

static void rebind(const struct life *l)
{
    const struct stt_path before = info_of(l, SERVER).path;
    l->rebind(l);
    use_until(l, has_followed, &before);
}

static void move(const struct life *l, enum place place)
{
    const struct move m = {l->prepare(l, place), info_of(l, SERVER).path};
    use_until(l, has_moved, &m);
}

/* It comes by itself, two minutes after the session has opened, if it was used: most of the packets
 * that this takes are only said to have been, for time's sake. */
static void rekey(const struct life *l)
{
    const uint64_t epoch = info_of(l, CLIENT).epoch + 1;
    stt_ns due = info_of(l, CLIENT).confirmed_at + STT_REKEY_AFTER_NS;
    session_of(l, CLIENT)->rekey_clock.idle.packets -= STT_REKEY_AFTER_PACKETS;
    while (l->now(l) < due)
        use(l, REST_NS);
    use_until(l, is_in_epoch, &epoch);
}

static void update_keys(const struct life *l, int side)
{
    const uint64_t epoch = info_of(l, side).epoch + 1;
    use_until(l, may_update, &side);
    int error = stt_session_update_keys(l->endpoint(l, side), l->now(l), l->session[side]);
    ck_assert_int_eq(error, STT_OK);
    use_until(l, is_in_epoch, &epoch);
}

/* Each move took another id of the peer's, either way, and each deed left its trace. */
static void require_aged(const struct life *l, const struct stt_path *born)
{
    for (int side = CLIENT; side < SIDES; side++) {
        const struct stt_session_info info = info_of(l, side);
        const struct stt_session_ids *ids = &session_of(l, side)->ids;
        ck_assert_str_eq(info.state, "open");
        ck_assert_uint_eq(info.rekeys, 1);
        ck_assert_uint_eq(info.epoch, 3);
        ck_assert_uint_ge(ids->peer[ids->current].sequence, 3);
        ck_assert_uint_ge(session_of(l, side)->paths.moved, 3);
        ck_assert(!session_of(l, side)->rekey);
    }
    const struct stt_path at = info_of(l, SERVER).path;
    ck_assert(!stt_address_equal(&at.remote, &born->remote) && !is_on_trial(l));
}

static void age(const struct life *l)
{
    const struct stt_path born = info_of(l, SERVER).path;
    rebind(l);
    move(l, AT_IPV6);
    rekey(l);
    update_keys(l, CLIENT);
    move(l, AT_BYTE_STREAM);
    update_keys(l, SERVER);
    move(l, AT_HOME);
    rebind(l);
    l->run_for(l, SETTLE_NS);
    use_until(l, is_settled, NULL);
    drain(l, CLIENT);
    drain(l, SERVER);
    require_aged(l, &born);
    aged++;
}

static const struct stt_carrier byte_stream = {
    .reliable = true, .writable = true, .max_datagram_bytes = 16384};

/* -- in a world -------------------------------------------------------------------------------- */

static const struct world_side *side_of(const struct world *w, int side)
{
    return side == CLIENT ? w->client : w->server;
}

static stt_ns world_now(const struct life *l)
{
    return stt_sim_now(((struct world *)l->of)->sim);
}

static struct stt_endpoint *world_side_endpoint(const struct life *l, int side)
{
    return world_endpoint(l->of, side_of(l->of, side));
}

/* Whatever was done to them from outside comes first. */
static void world_live(const struct life *l, stt_ns ns)
{
    struct world *w = l->of;
    stt_sim_touch(w->sim, w->client->node);
    stt_sim_touch(w->sim, w->server->node);
    world_run_for(w, ns);
}

static void world_rebind(const struct life *l)
{
    struct world *w = l->of;
    struct stt_address from = stt_sim_address(w->sim, w->client->node), to = from;
    to.port++;
    stt_sim_address_move(w->sim, w->client->node, &from, &to);
}

/* A road of its own for each place, which nothing happens to; made for the first session. */
static struct stt_path world_prepare(const struct life *l, enum place place)
{
    static const struct stt_link_config roads[] = {
        [AT_IPV6] = {.delay_ns = STT_MS(30), .header_bytes = 48},
        [AT_BYTE_STREAM] = {.delay_ns = STT_MS(30),
                            .rate_bits_per_s = 10000000,
                            .queue_bytes = 60000,
                            .spill_bytes = 70000,
                            .header_bytes = 64,
                            .reliable = true}};
    struct world *w = l->of;
    if (place == AT_HOME)
        return (struct stt_path){.local = stt_sim_address(w->sim, w->client->node),
                                 .remote = stt_sim_address(w->sim, w->server->node)};
    struct stt_path to = {.local = stt_sim_ipv6(NUMBER + place * SIDES, WORLD_PORT),
                          .remote = stt_sim_ipv6(NUMBER + 1 + place * SIDES, WORLD_PORT),
                          .carrier = place == AT_BYTE_STREAM ? CARRIER : 0};
    const struct stt_path back = {.local = to.remote, .remote = to.local, .carrier = to.carrier};
    if (w->n_aged)
        return to;
    stt_sim_link up = stt_sim_link_add(w->sim, &roads[place]);
    stt_sim_link down = stt_sim_link_add(w->sim, &roads[place]);
    stt_sim_address_add(w->sim, w->client->node, &to.local);
    stt_sim_address_add(w->sim, w->server->node, &to.remote);
    stt_sim_route(w->sim, &to, &up, 1);
    stt_sim_route(w->sim, &back, &down, 1);
    if (to.carrier) {
        stt_sim_carrier(w->sim, w->client->node, to.carrier, up, &byte_stream);
        stt_sim_carrier(w->sim, w->server->node, to.carrier, down, &byte_stream);
    }
    return to;
}

void aged_world(struct world *w)
{
    const struct world_side client = *w->client, server = *w->server;
    const struct life l = {.of = w,
                           .now = world_now,
                           .endpoint = world_side_endpoint,
                           .run_for = world_live,
                           .rebind = world_rebind,
                           .prepare = world_prepare,
                           .session = {client.session, server.session}};
    age(&l);
    *w->client = client;
    *w->server = server;
    w->n_aged++;
}

/* -- in a duo ---------------------------------------------------------------------------------- */

static stt_ns duo_now(const struct life *l)
{
    return ((struct duo *)l->of)->now;
}

static struct stt_endpoint *duo_endpoint(const struct life *l, int side)
{
    struct duo *d = l->of;
    return side == CLIENT ? d->client.ep : d->server.ep;
}

static void duo_live(const struct life *l, stt_ns ns)
{
    duo_run_for(l->of, ns);
}

static void duo_rebind(const struct life *l)
{
    ((struct duo *)l->of)->client.address.port++;
}

static struct stt_address in_ipv6(const struct stt_address *of, enum place place)
{
    struct stt_address a = *of;
    memset(a.ip, 0, sizeof a.ip - 4);
    a.ip[0] = 0xfd;
    a.ip[1] = (uint8_t)place;
    return a;
}

static struct stt_address in_ipv4(const struct stt_address *of)
{
    struct stt_address a = *of;
    memset(a.ip, 0, sizeof a.ip - 4);
    memset(a.ip + 10, 0xff, 2);
    return a;
}

/* Both sides are there at once, and no longer where they were. */
static struct stt_path duo_prepare(const struct life *l, enum place place)
{
    struct duo *d = l->of;
    struct stt_address *client = &d->client.address, *server = &d->server.address;
    *client = place == AT_HOME ? in_ipv4(client) : in_ipv6(client, place);
    *server = place == AT_HOME ? in_ipv4(server) : in_ipv6(server, place);
    for (int side = CLIENT; side < SIDES && place == AT_BYTE_STREAM; side++)
        ck_assert_int_eq(stt_endpoint_carrier(duo_endpoint(l, side), d->now, CARRIER, &byte_stream),
                         STT_OK);
    return (struct stt_path){
        .local = *client, .remote = *server, .carrier = place == AT_BYTE_STREAM ? CARRIER : 0};
}

static void forget_life(struct duo_side *side, const struct duo_side *young)
{
    memcpy(side->events, young->events, sizeof side->events);
    memcpy(side->latest, young->latest, sizeof side->latest);
    side->trains = young->trains;
    side->bytes = young->bytes;
    side->astray = young->astray;
}

void aged_duo(struct duo *d)
{
    const struct duo_side client = d->client, server = d->server;
    const struct life l = {.of = d,
                           .now = duo_now,
                           .endpoint = duo_endpoint,
                           .run_for = duo_live,
                           .rebind = duo_rebind,
                           .prepare = duo_prepare,
                           .session = {client.session, server.session}};
    age(&l);
    forget_life(&d->client, &client);
    forget_life(&d->server, &server);
}
