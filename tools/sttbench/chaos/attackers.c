/* SPDX-License-Identifier: MIT
 * attackers: owns what each of them has seen, no more than it can use. They know no key: what they
 * say is refused, or this is a bug. */
#include "tools/sttbench/chaos/attackers.h"

#include "stt/session/handshake.h"
#include "tools/sttbench/chaos/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SETTLED_NS STT_S(1)

enum {
    SPOOFED = 300,
    SHOUTERS = 5000,
    VISITORS = 7000,
    VISITOR_SKIPS = 6,
    DELAY_MS_MAX = 3000,
    HOLD_MS_MAX = 500,
};

static bool may(const struct attacker *a, uint32_t percent)
{
    return percent && (!a->chaos->is_calm || a->is_lasting) && chaos_chance(a->chaos, percent);
}

static stt_ns some_time(struct chaos *c, uint64_t ms_max)
{
    return chaos_chance(c, 30) ? 0 : STT_US(chaos_between(c, 1, ms_max * 1000));
}

static void inject(struct attacker *a, const struct stt_sim_datagram *d, uint64_t *count)
{
    ++*count;
    stt_sim_inject(a->chaos->sim, d);
}

static void keep(struct attacker *a, const struct stt_sim_datagram *d)
{
    struct chaos *c = a->chaos;
    size_t i = a->n_kept < ATTACKER_KEEPS ? a->n_kept++ : dice_below(&c->rng, ATTACKER_KEEPS);
    struct attacker_copy *copy = &a->kept[i];
    if (d->len > sizeof copy->data)
        return;
    *copy = (struct attacker_copy){.from = d->from, .to = d->to, .ecn = d->ecn, .len = d->len};
    memcpy(copy->data, d->data, d->len);
}

static void replay_old(struct attacker *a)
{
    struct attacker_copy *copy = &a->kept[dice_below(&a->chaos->rng, a->n_kept)];
    struct stt_sim_datagram d = {.from = copy->from,
                                 .to = copy->to,
                                 .ecn = copy->ecn,
                                 .data = copy->data,
                                 .len = copy->len,
                                 .room = copy->len};
    inject(a, &d, &a->chaos->tally.replayed);
}

/* A bit flipped, the end cut off, or the end of another one. */
static void forge(struct attacker *a, const struct stt_sim_datagram *d)
{
    struct chaos *c = a->chaos;
    uint8_t data[ATTACKER_BYTES_MAX];
    struct stt_sim_datagram forged = *d;
    const struct attacker_copy *other = &a->kept[dice_below(&c->rng, a->n_kept)];
    if (d->len == 0 || d->len > sizeof data)
        return;
    forged.data = data;
    memcpy(data, d->data, d->len);
    uint64_t how = dice_below(&c->rng, 4), at = dice_below(&c->rng, d->len);
    if (how == 0)
        forged.len = at;
    else if (how == 1 && other->len >= d->len)
        memcpy(data + at, other->data + at, d->len - at);
    else
        data[at] ^= (uint8_t)(1u << dice_below(&c->rng, 8));
    inject(a, &forged, &c->tally.forged);
}

/* Whoever is faster than the peer from its first packets on may hold the session for as long as
 * that lasts, and a while longer: no address of the peer was proven yet. So this one comes later.
 */
static bool is_settled(struct attacker *a, const struct stt_sim_datagram *d)
{
    stt_ns now = chaos_now(a->chaos);
    if (d->len < 9 || d->data[0] & 0x80)
        return false;
    for (size_t i = 0; i < a->n_ids && i < ATTACKER_IDS; i++)
        if (memcmp(a->ids[i].bytes, d->data + 1, sizeof a->ids[i].bytes) == 0)
            return now - a->ids[i].since >= SETTLED_NS;
    struct attacker_id *id = &a->ids[a->n_ids++ % ATTACKER_IDS];
    memcpy(id->bytes, d->data + 1, sizeof id->bytes);
    id->since = now;
    return false;
}

static void spoof(struct attacker *a, const struct stt_sim_datagram *d)
{
    struct chaos *c = a->chaos;
    struct stt_sim_datagram copy = *d;
    bool is_ipv6 = chaos_has(c, CHAOS_IPV6);
    uint32_t number = SPOOFED + (uint32_t)dice_below(&c->rng, 3);
    copy.from = is_ipv6 ? stt_sim_ipv6(number, 6666) : stt_sim_ipv4(number, 6666);
    if (chaos_chance(c, 50)) {
        copy.from = d->from;
        copy.from.port ^= 1;
    }
    inject(a, &copy, &c->tally.spoofed);
}

static bool see(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct attacker *a = ctx;
    struct tally *t = &a->chaos->tally;
    struct stt_sim_datagram copy = *d;
    (void)now;
    keep(a, d);
    if (!a->chaos->is_calm && a->spoof_percent && is_settled(a, d) && may(a, a->spoof_percent))
        spoof(a, d);
    if (may(a, a->forge_percent))
        forge(a, d);
    if (may(a, a->old_percent))
        replay_old(a);
    if (may(a, a->replay_percent)) {
        copy.delay_ns = some_time(a->chaos, DELAY_MS_MAX);
        inject(a, &copy, &t->replayed);
    }
    if (may(a, a->reflect_percent)) {
        copy.delay_ns = some_time(a->chaos, DELAY_MS_MAX);
        copy.from = d->to;
        copy.to = d->from;
        inject(a, &copy, &t->reflected);
    }
    if (may(a, a->hold_percent)) {
        d->delay_ns = some_time(a->chaos, HOLD_MS_MAX);
        t->held++;
    }
    return true;
}

static uint32_t draw(struct chaos *c, enum chaos_feature feature)
{
    return chaos_may(c, feature, 70) ? (uint32_t)chaos_between(c, 1, 100) : 0;
}

struct attacker *attacker_new(struct chaos *c, stt_sim_link link)
{
    struct attacker a = {.chaos = c,
                         .replay_percent = draw(c, CHAOS_REPLAYS),
                         .old_percent = draw(c, CHAOS_REPLAYS) / 4,
                         .forge_percent = draw(c, CHAOS_FORGERIES),
                         .spoof_percent = draw(c, CHAOS_SPOOFS),
                         .reflect_percent = draw(c, CHAOS_REFLECTIONS),
                         .hold_percent = draw(c, CHAOS_HOLDS),
                         .is_lasting = chaos_may(c, CHAOS_LASTING_ATTACKS, 70)};
    if (!(a.replay_percent | a.old_percent | a.forge_percent | a.spoof_percent | a.reflect_percent |
          a.hold_percent))
        return NULL;
    struct attacker *kept = malloc(sizeof *kept);
    assert(kept);
    *kept = a;
    stt_sim_tap(c->sim, link, see, kept);
    return kept;
}

/* -- floods -------------------------------------------------------------------------------- */

static bool make(void *ctx, uint64_t n, struct stt_sim_datagram *d)
{
    struct attackers_flood *f = ctx;
    struct chaos *c = f->chaos;
    struct stt_net_rng *r = &c->rng;
    bool is_ipv6 = chaos_has(c, CHAOS_IPV6);
    uint32_t number = SHOUTERS + (uint32_t)dice_below(r, 1000);
    uint16_t port = (uint16_t)dice_between(r, 1, 65535);
    d->from = is_ipv6 ? stt_sim_ipv6(number, port) : stt_sim_ipv4(number, port);
    d->to = f->to;
    d->len = chaos_chance(c, 10) ? 0 : chaos_between(c, 1, ATTACKER_BYTES_MAX);
    for (size_t i = 0; i < d->len; i += 8) { /* quick, and random enough */
        uint64_t word = dice_u64(r);
        memcpy(d->data + i, &word, d->len - i < 8 ? d->len - i : 8);
    }
    if (f->ears && f->ears->n_kept && chaos_chance(c, 70)) { /* something real in front */
        const struct attacker_copy *copy = &f->ears->kept[dice_below(r, f->ears->n_kept)];
        size_t real = copy->len < d->len ? copy->len : d->len;
        memcpy(d->data, copy->data, real ? dice_below(r, real + 1) : 0);
    }
    c->tally.flooded++;
    return n < f->n_max;
}

void attackers_flood(struct attackers_flood *f, stt_ns until)
{
    struct chaos *c = f->chaos;
    const struct stt_sim_flood flood = {.per_second = chaos_between(c, 100, 20000),
                                        .from = chaos_now(c),
                                        .until = until,
                                        .ctx = f,
                                        .make = make};
    f->n_max = chaos_between(c, 1, 300);
    if (until > chaos_now(c))
        stt_sim_flood(c->sim, &flood);
}

/* -- visitors ------------------------------------------------------------------------------ */

/* Somebody who knows whom he calls, and no more. */
struct visitor {
    struct stt_identity identity;
    struct stt_handshake_own own;
    struct stt_handshake_entropy entropy;
    struct stt_id id;
    struct stt_handshake hs;
};

static void visitor_init(struct visitor *v, const struct host *server, struct stt_net_rng rng)
{
    uint8_t secret[32];
    stt_net_rng_fill(&rng, secret, sizeof secret);
    stt_net_rng_fill(&rng, (uint8_t *)&v->entropy, sizeof v->entropy);
    stt_net_rng_fill(&rng, v->id.bytes, sizeof v->id.bytes);
    stt_identity_init(&v->identity, secret);
    v->own = (struct stt_handshake_own){
        .identity = &v->identity, .suites = {server->config.suites[0]}, .n_suites = 1};
    memcpy(v->own.pair.secret_key, v->identity.static_secret, 32);
    memcpy(v->own.pair.public_key, v->identity.static_public, 32);
    stt_params_init(&v->own.transport);
    v->own.transport.application = BYTES_TEXT("test/1");
    stt_params_set(&v->own.transport, STT_PARAM_APPLICATION);
}

static bool visitor_begin(struct visitor *v, const struct host *server, enum stt_mode mode)
{
    const struct stt_handshake_begin begin = {
        .mode = mode,
        .initiator = v->id,
        .peer_static = server->identity.static_public,
        .seed = mode == STT_MODE_S ? server->config.seeds[0] : NULL,
    };
    return stt_handshake_begin(&v->hs, &v->own, &begin, &v->entropy);
}

void attackers_visit(struct chaos *c)
{
    static struct visitor visitor;
    const struct host *server = c->hosts[0];
    struct stt_handshake *hs = &visitor.hs;
    uint32_t number = VISITORS + (uint32_t)c->tally.strangers++;
    enum stt_mode mode =
        chaos_chance(c, 50) ? STT_MODE_K : STT_MODE_S; /* one die after the other */
    struct stt_net_rng rng = dice_init(dice_u64(&c->rng));
    for (int i = 0; i < VISITOR_SKIPS; i++) /* so that old seeds tell the same stories */
        dice_u64(&rng);
    visitor_init(&visitor, server, rng);
    if (!visitor_begin(&visitor, server, mode)) {
        chaos_fail(c, "a stranger cannot begin a handshake");
        return;
    }
    struct stt_sim_datagram d = {.from = chaos_has(c, CHAOS_IPV6) ? stt_sim_ipv6(number, 1)
                                                                  : stt_sim_ipv4(number, 1),
                                 .to = stt_sim_address(c->sim, server->node),
                                 .data = hs->packet,
                                 .len = hs->packet_len,
                                 .room = sizeof hs->packet};
    stt_sim_inject(c->sim, &d);
}
