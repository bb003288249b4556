/* SPDX-License-Identifier: MIT
 * day: an hour is drawn when it begins: errands at moments of its busy part. In the night there is
 * one: each NAT forgets its mappings. */
#include "tests/soak/day.h"

#include "stt/session/engine.h"
#include "tests/soak/talk.h"
#include "tests/soak/town.h"

#include <stdlib.h>
#include <string.h>

enum {
    ERRANDS_MAX = 4096,
    BUSY_MINUTES = 48,
    CLOSE_CODE = 77,
    MINUTE = 60,
    VISIT_S = 100,
    MIB = 1 << 20
};

struct errand {
    struct talk *talk;
    void (*run)(struct talk *t);
};

/* -- errands: residents --------------------------------------------------------------------- */

static struct rng *dice(const struct talk *t)
{
    return &t->soak->rng;
}

static unsigned some_side(const struct talk *t)
{
    return (unsigned)rng_below(dice(t), SOAK_SIDES);
}

static void say(struct talk *t)
{
    size_t len = rng_chance(dice(t), 90) ? rng_below(dice(t), 300) : rng_below(dice(t), 9000);
    stt_ns deadline = rng_chance(dice(t), 30) ? STT_MS(rng_between(dice(t), 1, 100)) : 0;
    unsigned side = some_side(t);
    for (uint64_t n = rng_between(dice(t), 1, 3); t->chat && n; n--)
        soak_require(t->soak, flow_say(t->chat, side, len, deadline),
                     "host %u has no room for a message", t->host[side]->number);
}

static void post(struct talk *t)
{
    unsigned side = some_side(t);
    post_send(t, side, rng_between(dice(t), 1, 20));
}

/* A question and an answer, or something like it. */
static void ask(struct talk *t)
{
    struct flow_plan plan = {.by_server = rng_chance(dice(t), 30)};
    plan.urgency = (uint8_t)rng_below(dice(t), 8);
    unsigned opener = plan.by_server ? SOAK_SERVER : SOAK_CLIENT;
    plan.to_write[opener] = rng_between(dice(t), 1, 3000);
    plan.to_write[!opener] = rng_between(dice(t), 0, 20000);
    plan.resets = rng_chance(dice(t), 5);
    plan.stops = !plan.resets && rng_chance(dice(t), 5);
    if (!plan.resets && !plan.stops && rng_chance(dice(t), 5))
        plan.sleeps_ns = STT_S(rng_between(dice(t), 1, 20));
    if (plan.sleeps_ns) /* more than the peer allows */
        plan.to_write[opener] = rng_between(dice(t), 50000, 150000);
    flow_open(t, &plan);
}

/* Some megabytes in one go: a stream of its own, or more of one that lasts. That of the first
 * resident's client comes to more than 2^32 bytes in 1,000 hours. */
static void load(struct talk *t)
{
    bool is_first = t->host[SOAK_CLIENT]->number == 0;
    uint64_t bytes = rng_between(dice(t), MIB, is_first ? 7 * MIB : 4 * MIB);
    unsigned side = rng_chance(dice(t), is_first ? 75 : 50) ? SOAK_CLIENT : SOAK_SERVER;
    struct flow_plan plan = {.by_server = side == SOAK_SERVER};
    plan.to_write[side] = bytes;
    if (rng_chance(dice(t), is_first ? 20 : 50))
        flow_open(t, &plan);
    else if (t->tape)
        flow_add(t->tape, side, bytes);
}

static void update_keys(struct talk *t)
{
    unsigned side = some_side(t);
    int error = stt_session_update_keys(t->host[side]->ep, soak_now(t->soak), t->session[side]);
    t->soak->tally.key_updates += !error;
    soak_require(t->soak, !error || error == STT_E_AGAIN, "host %u: stt_session_update_keys: %s",
                 t->host[side]->number, stt_error_text(error));
    talk_touch(t, side);
}

static void black_out(struct talk *t)
{
    town_black_out(t->host[SOAK_CLIENT], soak_now(t->soak) + STT_S(rng_between(dice(t), 1, 8)));
}

/* To where it is not. */
static void move(struct talk *t)
{
    struct host *h = t->host[SOAK_CLIENT];
    const struct road *to = h->is_elsewhere ? &h->home : &h->elsewhere;
    int error = stt_session_move(h->ep, soak_now(t->soak), t->session[SOAK_CLIENT], &to->path);
    t->moves = t->moves || !error;
    soak_require(t->soak, !error || error == STT_E_AGAIN, "host %u: stt_session_move: %s",
                 h->number, stt_error_text(error));
    talk_touch(t, SOAK_CLIENT);
}

static void renumber(struct talk *t)
{
    town_renumber(t->host[SOAK_CLIENT]);
}

/* A thousand hours do not reach packet 2^32 at this pace, so numbers are left out: a third of them
 * at a time, when nothing is in flight, and never more at once, for a packet too far above the
 * highest acknowledged must not be sent. The third time they are just below. */
static void leap(struct talk *t)
{
    static const uint64_t targets[] = {UINT32_MAX / 3, UINT32_MAX / 3 * 2, UINT32_MAX - 2000};
    for (unsigned side = 0; side < SOAK_SIDES; side++) {
        struct stt_session *s = stt_endpoint_find(t->host[side]->ep, t->session[side]);
        unsigned next = 0;
        while (next < 3 && s->protect->next_number >= targets[next])
            next++;
        if (next == 3 || s->loss.flight.n_open)
            continue;
        s->protect->next_number = targets[next];
        t->soak->tally.leaps++;
    }
}

/* -- errands: guests ----------------------------------------------------------------------- */

static void vanish(struct talk *t, struct stt_sim *sim)
{
    struct host *h = t->host[SOAK_CLIENT];
    stt_sim_kill(sim, h->node);
    t->is_dead = t->is_closed[SOAK_CLIENT] = true;
    t->soak->tally.kills++;
    int error = stt_sim_restart(sim, h->node);
    soak_require(t->soak, !error, "host %u: %s", h->number, stt_error_text(error));
    h->ep = stt_sim_endpoint(sim, h->node);
}

static void leave(void *ctx, struct stt_sim *sim)
{
    struct talk *t = ctx;
    struct soak *x = t->soak;
    struct host *h = t->host[SOAK_CLIENT];
    soak_require(x, talk_is_alive(t) && !t->n_flows, "host %u: its session %s when it leaves",
                 h->number, t->n_flows ? "has streams" : "is not open");
    if (x->failure[0])
        return;
    if (h->number == SOAK_CLIENTS - 1) { /* that one has no manners */
        vanish(t, sim);
        return;
    }
    t->is_leaving = true;
    int error = stt_session_close(h->ep, soak_now(x), t->session[SOAK_CLIENT], CLOSE_CODE, "bye");
    soak_require(x, !error, "host %u: stt_session_close: %s", h->number, stt_error_text(error));
    talk_touch(t, SOAK_CLIENT);
}

static void look_around(void *ctx, struct stt_sim *sim)
{
    struct talk *t = ctx;
    (void)sim;
    soak_require(t->soak, talk_is_alive(t), "host %u is not connected", t->host[0]->number);
    for (int i = 0; i < 5 && talk_is_alive(t); i++)
        ask(t);
}

static void connect_to_server(struct talk *t, enum stt_mode mode)
{
    struct soak *x = t->soak;
    struct host *h = t->host[SOAK_CLIENT];
    struct stt_connect c = STT_CONNECT_INIT;
    char code[STT_CODE_TEXT_MAX];
    uint32_t slot;
    int error = STT_OK;
    c.mode = mode;
    c.path = h->home.path;
    c.peer = soak_server(x)->identity.peer_id;
    c.has_peer = mode == STT_MODE_K;
    c.has_seed = mode == STT_MODE_S;
    memcpy(c.seed, town_seed, sizeof c.seed);
    if (mode == STT_MODE_W) {
        error = stt_endpoint_code_new(soak_server(x)->ep, soak_now(x), code, &slot);
        c.code = code;
    }
    if (!error)
        error = stt_endpoint_connect(h->ep, soak_now(x), &c, &t->session[SOAK_CLIENT]);
    soak_require(x, !error, "host %u cannot connect: %s", h->number, stt_error_text(error));
    talk_touch(t, SOAK_CLIENT);
}

static void visit(struct talk *t)
{
    static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};
    struct soak *x = t->soak;
    stt_ns leaves = soak_now(x) + STT_S(VISIT_S + rng_below(dice(t), VISIT_S));
    soak_require(x, t->is_closed[SOAK_SERVER] || !t->is_open[SOAK_SERVER],
                 "host %u: its last session has not ended", t->host[SOAK_CLIENT]->number);
    talk_reset(t);
    connect_to_server(t, modes[x->tally.visits++ % 3]);
    stt_sim_at(x->sim, soak_now(x) + STT_S(20), look_around, t);
    stt_sim_at(x->sim, leaves, leave, t);
}

/* -- an hour ------------------------------------------------------------------------------- */

/* How often in an hour, for each client; evenly: at equal distances, not by chance. Four in a
 * hundred hours is 0.04. */
static const struct kind {
    void (*run)(struct talk *t);
    bool evenly;
    double often[SOAK_CLIENTS];
} kinds[] = {
    {say, false, {60, 60, 60, 2, 0, 0}},        {post, false, {12, 12, 12, 0.2, 0, 0}},
    {ask, false, {60, 60, 60, 1, 0, 0}},        {load, true, {3, 1, 1, 0.2, 0, 0}},
    {update_keys, false, {1, 1, 1, 0.5, 0, 0}}, {black_out, false, {0.5, 0.5, 0.5, 0.2, 0, 0}},
    {move, false, {0, 3, 0, 0, 0, 0}},          {renumber, false, {0.2, 0, 0.2, 0, 0, 0}},
    {visit, true, {0, 0, 0, 0, 11, 4}},
};

static void run_errand(void *ctx, struct stt_sim *sim)
{
    const struct errand *e = ctx;
    const struct talk *t = e->talk;
    (void)sim;
    if (soak_is_resident(t->host[SOAK_CLIENT]->number))
        soak_require(t->soak, talk_is_alive(t), "host %u: its session is not open",
                     t->host[SOAK_CLIENT]->number);
    if (!t->soak->failure[0])
        e->run(e->talk);
}

static void plan_errand(struct soak *x, struct talk *t, void (*run)(struct talk *t), stt_ns at)
{
    if (x->n_errands == ERRANDS_MAX) {
        soak_fail(x, "more than %d errands in an hour", ERRANDS_MAX);
        return;
    }
    struct errand *e = &x->errands[x->n_errands++];
    *e = (struct errand){t, run};
    stt_sim_at(x->sim, at, run_errand, e);
}

/* 2.3 is 2, and 3 in three of ten hours. */
static uint64_t times(struct soak *x, double often)
{
    uint64_t whole = (uint64_t)often, hundredths = (uint64_t)((often - (double)whole) * 100 + 0.5);
    return whole + rng_chance(&x->rng, (unsigned)hundredths);
}

static void plan_kind(struct soak *x, const struct kind *k, uint32_t client)
{
    uint64_t n = times(x, k->often[client]), busy_s = BUSY_MINUTES * MINUTE;
    for (uint64_t i = 0; i < n; i++) {
        stt_ns at =
            k->evenly ? STT_S(busy_s) * i / n : STT_US(rng_below(&x->rng, busy_s * 1000000));
        plan_errand(x, x->talks[client], k->run, soak_now(x) + STT_S(1) + at);
    }
}

/* Visits end before the quiet. */
void day_plan(struct soak *x)
{
    x->n_errands = 0;
    town_weather(x);
    for (uint32_t client = 0; client < SOAK_CLIENTS; client++)
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0] && !soak_is_night(x->hour); k++)
            plan_kind(x, &kinds[k], client);
    if (!soak_is_at_rest(x->hour))
        return;
    plan_errand(x, x->talks[0], renumber, soak_now(x) + SOAK_HOUR_NS / 2);
    for (uint32_t i = 0; i < SOAK_RESIDENTS; i++)
        plan_errand(x, x->talks[i], leap, soak_now(x) + SOAK_HOUR_NS / 4);
}

/* -- the first and the last --------------------------------------------------------------- */

void day_begin(struct soak *x)
{
    x->errands = calloc(ERRANDS_MAX, sizeof *x->errands);
    for (uint32_t i = 0; i < SOAK_CLIENTS; i++)
        x->talks[i] = talk_new(x, i);
    for (uint32_t i = 0; i < SOAK_RESIDENTS; i++)
        connect_to_server(x->talks[i], i % 2 ? STT_MODE_S : STT_MODE_K);
    soak_run_until(x, soak_now(x) + STT_S(10));
    for (uint32_t i = 0; i < SOAK_RESIDENTS && !soak_has_failed(x); i++) {
        soak_require(x, talk_is_alive(x->talks[i]), "host %u cannot connect", i);
        if (!x->failure[0])
            talk_furnish(x->talks[i]);
    }
}

void day_end(struct soak *x)
{
    x->is_ending = true;
    town_weather(x);
    for (uint32_t i = 0; i < SOAK_RESIDENTS; i++)
        for (unsigned side = 0; side < SOAK_SIDES; side++) {
            flow_finish(x->talks[i]->chat, side);
            flow_finish(x->talks[i]->tape, side);
            talk_touch(x->talks[i], side);
        }
    if (!soak_run_until(x, soak_now(x) + STT_S(60)))
        return;
    for (uint32_t i = 0; i < SOAK_RESIDENTS; i++)
        leave(x->talks[i], x->sim);
    soak_run_until(x, soak_now(x) + STT_S(60));
    for (uint32_t i = 0; i < SOAK_RESIDENTS; i++)
        soak_require(x, x->talks[i]->is_closed[0] && x->talks[i]->is_closed[1],
                     "host %u: its session does not end", i);
}
