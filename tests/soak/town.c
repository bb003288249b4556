/* SPDX-License-Identifier: MIT
 * town: each resident has something of its own: a NAT, a second address in the other family, an
 * address that changes, hours without a word. */
#include "tests/soak/town.h"

#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "tests/soak/talk.h"

#include <string.h>

enum {
    PORT = 4000,
    OUTSIDE = 100, /* numbers of addresses: of NATs, */
    MOVED = 1000,  /* and after that a thousand for each host */
    IPV4_HEADERS = 28,
    IPV6_HEADERS = 48,
    QUEUE_BYTES = 300000,
    MTU = 1500,
};

/* Guests are as the first one. */
static const struct habit {
    const char *congestion;
    uint64_t rate_bits_per_s;
    stt_ns one_way_ns, keep_alive_ns, idle_timeout_ns;
    bool has_nat, has_elsewhere;
} habits[SOAK_RESIDENTS] = {
    {"tide", 50000000, STT_MS(15), STT_S(10), STT_S(30), true, false},
    {"bbr", 20000000, STT_MS(40), STT_S(10), STT_S(30), false, true},
    {"cubic", 100000000, STT_MS(3), STT_S(25), STT_S(120), false, false},
    {"bbr", 10000000, STT_MS(80), STT_S(900), STT_S(3600), false, false},
};

const uint8_t town_seed[32] = {0x50, 0xa4};

static const struct habit *habit_of(uint32_t client)
{
    return &habits[soak_is_resident(client) ? client : 0];
}

stt_ns town_keep_alive(uint32_t resident)
{
    return habits[resident].keep_alive_ns;
}

/* -- hosts --------------------------------------------------------------------------------- */

/* Each client has one session at a time. */
static struct talk *accept_talk(struct host *h, stt_handle session)
{
    struct soak *x = h->soak;
    struct stt_session_info info;
    if (stt_session_info(h->ep, session, &info) != STT_OK)
        return NULL;
    for (size_t i = 0; i < SOAK_CLIENTS; i++)
        if (memcmp(&x->hosts[i].identity.peer_id, &info.peer, sizeof info.peer) == 0) {
            x->talks[i]->session[SOAK_SERVER] = session;
            return x->talks[i];
        }
    return NULL;
}

static void on_event(void *ctx, struct stt_sim *sim, stt_sim_node node, const struct stt_event *e)
{
    struct host *h = ctx;
    struct soak *x = h->soak;
    (void)sim, (void)node;
    soak_note(x, (uint64_t)e->type << 8 ^ e->reason);
    if (!e->session) /* of a code */
        return;
    struct talk *t =
        e->type == STT_EVENT_ACCEPTED ? accept_talk(h, e->session) : soak_talk(x, h, e->session);
    soak_require(x, t, "host %u hears of a session that nobody has", h->number);
    if (t)
        talk_on_event(t, soak_side(x, h), e);
}

/* The same suite on every machine, so that the same happens. */
static struct stt_config config_of(struct host *h)
{
    struct stt_config k = STT_CONFIG_INIT;
    bool is_server = soak_side(h->soak, h) == SOAK_SERVER;
    const struct habit *habit = habit_of(h->number);
    uint8_t secret[32];
    rng_fill(&h->soak->rng, secret, sizeof secret);
    stt_identity_init(&h->identity, secret);
    k.identity = h->identity;
    memcpy(k.seeds[0], town_seed, sizeof town_seed);
    k.n_seeds = 1;
    k.accept =
        is_server ? STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_W) : 0;
    memcpy(k.application, "soak/1", 7);
    k.suites[0] = stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, stt_cpu_detect());
    k.n_suites = 1;
    k.congestion = is_server ? "tide" : habit->congestion;
    k.keep_alive_ns = is_server ? STT_S(900) : habit->keep_alive_ns;
    k.idle_timeout_ns = is_server ? STT_S(3600) : habit->idle_timeout_ns;
    return k;
}

static void add_host(struct soak *x, uint32_t number)
{
    struct host *h = &x->hosts[number];
    h->soak = x;
    h->number = number;
    struct stt_sim_endpoint endpoint = {.config = config_of(h),
                                        .host = {.ctx = h, .on_event = on_event},
                                        .address = stt_sim_ipv4(number + 1, PORT)};
    int error = stt_sim_endpoint_add(x->sim, &endpoint, &h->node);
    soak_require(x, !error, "host %u: %s", number, stt_error_text(error));
    h->ep = stt_sim_endpoint(x->sim, h->node);
}

/* -- roads --------------------------------------------------------------------------------- */

static void route(struct soak *x, const struct stt_path *path, const struct road *r)
{
    struct stt_path back = {.local = path->remote, .remote = path->local};
    stt_sim_route(x->sim, path, &r->forth, 1);
    stt_sim_route(x->sim, &back, &r->back, 1);
}

static struct road build_road(const struct host *h, const struct stt_path *path)
{
    const struct habit *habit = habit_of(h->number);
    struct stt_link_config l = {
        .rate_bits_per_s = habit->rate_bits_per_s,
        .delay_ns = habit->one_way_ns,
        .queue_bytes = QUEUE_BYTES,
        .header_bytes = path == &h->elsewhere.path ? IPV6_HEADERS : IPV4_HEADERS,
        .mtu_bytes = MTU,
    };
    struct road r = {.exists = true, .path = *path};
    r.forth = stt_sim_link_add(h->soak->sim, &l);
    r.back = stt_sim_link_add(h->soak->sim, &l);
    route(h->soak, path, &r);
    return r;
}

static void build_nat(struct host *h)
{
    struct stt_nat_config nat = {.idle_ns = STT_S(40)};
    struct stt_address outside = stt_sim_ipv4(OUTSIDE + h->number, PORT);
    struct stt_path seen = {.local = outside, .remote = h->home.path.remote};
    memcpy(nat.outside_ip, outside.ip, sizeof nat.outside_ip);
    h->has_nat = true;
    h->nat = stt_sim_nat_add(h->soak->sim, &nat);
    stt_sim_nat_inside(h->soak->sim, h->nat, &h->home.path.local);
    route(h->soak, &seen, &h->home);
}

static void build_roads(struct host *h)
{
    struct soak *x = h->soak;
    h->home.path.local = stt_sim_address(x->sim, h->node);
    h->home.path.remote = stt_sim_address(x->sim, soak_server(x)->node);
    h->home = build_road(h, &h->home.path);
    if (habit_of(h->number)->has_nat)
        build_nat(h);
    if (!habit_of(h->number)->has_elsewhere)
        return;
    h->elsewhere.path.local = stt_sim_ipv6(h->number + 1, PORT);
    h->elsewhere.path.remote = stt_sim_ipv6(SOAK_HOSTS, PORT);
    stt_sim_address_add(x->sim, h->node, &h->elsewhere.path.local);
    h->elsewhere = build_road(h, &h->elsewhere.path);
}

void town_build(struct soak *x)
{
    struct stt_address other = stt_sim_ipv6(SOAK_HOSTS, PORT);
    for (uint32_t i = 0; i < SOAK_HOSTS; i++)
        add_host(x, i);
    stt_sim_address_add(x->sim, soak_server(x)->node, &other);
    for (uint32_t i = 0; i < SOAK_CLIENTS; i++)
        build_roads(&x->hosts[i]);
}

/* -- what happens on them ------------------------------------------------------------------ */

static void change(struct soak *x, stt_sim_link link)
{
    static const uint32_t mtus[] = {MTU, MTU, MTU, 1400, 1320};
    struct stt_link_config l = stt_sim_link_config(x->sim, link);
    l.loss_ppm = x->is_ending              ? 0
                 : soak_is_night(x->hour)  ? 500
                 : rng_chance(&x->rng, 10) ? 20000
                                           : (uint32_t)rng_between(&x->rng, 100, 3000);
    l.jitter_ns = STT_US(rng_between(&x->rng, 100, 3000));
    l.ecn_mark_bytes = rng_chance(&x->rng, 30) ? 40000 : 0;
    l.reorder_ppm = rng_chance(&x->rng, 20) ? 5000 : 0;
    l.reorder_ns = STT_MS(5);
    l.duplicate_ppm = rng_chance(&x->rng, 20) ? 2000 : 0;
    l.mtu_bytes = mtus[rng_below(&x->rng, sizeof mtus / sizeof mtus[0])];
    stt_sim_link_set(x->sim, link, &l);
}

void town_weather(struct soak *x)
{
    for (uint32_t i = 0; i < SOAK_CLIENTS; i++) {
        const struct road *const all[] = {&x->hosts[i].home, &x->hosts[i].elsewhere};
        for (size_t k = 0; k < 2; k++)
            if (all[k]->exists) {
                change(x, all[k]->forth);
                change(x, all[k]->back);
            }
    }
}

void town_black_out(struct host *h, stt_ns until)
{
    const struct road *r = h->is_elsewhere ? &h->elsewhere : &h->home;
    stt_sim_blackout(h->soak->sim, r->forth, soak_now(h->soak), until);
    stt_sim_blackout(h->soak->sim, r->back, soak_now(h->soak), until);
    h->soak->tally.blackouts++;
}

void town_renumber(struct host *h)
{
    struct soak *x = h->soak;
    x->tally.address_changes++;
    if (h->has_nat) {
        stt_sim_nat_rebind(x->sim, h->nat);
        return;
    }
    struct stt_address to = stt_sim_ipv4(MOVED * (h->number + 1) + h->moves++, PORT);
    stt_sim_address_move(x->sim, h->node, &h->home.path.local, &to);
    h->home.path.local = to;
}
