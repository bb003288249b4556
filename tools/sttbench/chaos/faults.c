/* SPDX-License-Identifier: MIT
 * faults: owns the times of faults, and undoes what is not undone when it becomes calm. */
#include "tools/sttbench/chaos/faults.h"

#include "tools/sttbench/chaos/talk.h"

static stt_ns draw_length(struct chaos *c)
{
    stt_ns left = c->calm_at - chaos_now(c);
    stt_ns ns = STT_US(chaos_between(c, 1000, 20000000));
    return ns < left ? ns : left;
}

/* -- one that has its end in itself -------------------------------------------------------- */

static struct talk *some_talk(const struct host *h)
{
    return host_is_awake(h) ? host_talk(h) : NULL;
}

static void rebind(struct host *h)
{
    if (!h->roads.has_nat)
        return;
    h->chaos->tally.rebinds++;
    chaos_tell(h->chaos, "the NAT of host %u forgets", h->number);
    stt_sim_nat_rebind(h->chaos->sim, h->roads.nat);
}

static void move_session(struct host *h)
{
    struct talk *t = some_talk(h);
    struct stt_path to;
    if (!t || !h->number || !roads_pick(&h->roads, &to))
        return;
    int error = stt_session_move(h->ep, host_now(h), t->session, &to);
    stt_sim_touch(h->chaos->sim, h->node);
    chaos_require(h->chaos, !error || error == STT_E_AGAIN || talk_explains(t, error),
                  "host %u: stt_session_move: %s", h->number, stt_error_text(error));
    chaos_tell(h->chaos, "host %u moves its session to carrier %u: %s", h->number, to.carrier,
               stt_error_text(error));
}

static void close_some(struct host *h)
{
    struct talk *t = some_talk(h);
    if (t)
        talk_close(t);
}

static void connect(struct host *h)
{
    struct chaos *c = h->chaos;
    if (h->number)
        host_dial(h, c->hosts[0]);
    else
        host_dial(h, c->hosts[dice_between(&c->rng, 1, c->n_hosts - 1)]);
}

static void flood(struct faults *f, struct host *h)
{
    struct attackers_flood *x = &f->floods[f->n_floods++];
    *x = (struct attackers_flood){
        .chaos = f->chaos, .to = stt_sim_address(f->chaos->sim, h->node), .ears = f->ears};
    attackers_flood(x, chaos_now(f->chaos) + draw_length(f->chaos));
}

/* -- those that last ----------------------------------------------------------------------- */

static void fail_memory(struct host *h, bool ends)
{
    struct chaos *c = h->chaos;
    struct stt_sim_memory *m = h->memory;
    m->fail_at = m->fail_from = m->limit_bytes = 0;
    if (ends)
        return;
    h->lacked_memory = true;
    switch (dice_below(&c->rng, 3)) {
    case 0:
        m->fail_at = m->allocs + chaos_between(c, 1, 30);
        break;
    case 1:
        m->fail_from = m->allocs + chaos_between(c, 1, 30);
        break;
    default:
        m->limit_bytes = m->bytes_in_use + chaos_between(c, 1, 100000);
    }
    chaos_tell(c, "host %u lacks memory", h->number);
}

static void take_entropy(struct host *h, bool ends)
{
    h->lacked_entropy = true;
    h->chaos->tally.dry_times += !ends;
    stt_sim_entropy(h->chaos->sim, h->node, ends);
    chaos_tell(h->chaos, "host %u has %s entropy", h->number, ends ? "again" : "no");
}

static void deafen(struct host *h, bool ends)
{
    h->chaos->tally.deaf_times += !ends;
    stt_sim_listen(h->chaos->sim, h->node, ends);
    chaos_tell(h->chaos, "host %u %s", h->number, ends ? "listens" : "does not listen");
}

/* What waits on a byte stream would be lost, and that is none of its faults. */
static void suspend(struct host *h, bool ends)
{
    struct chaos *c = h->chaos;
    if (chaos_has(c, CHAOS_BYTE_STREAMS) || h->is_suspended == !ends)
        return;
    c->tally.suspends += !ends;
    h->is_suspended = !ends;
    chaos_tell(c, "host %u %s", h->number, ends ? "wakes up" : "sleeps");
    if (ends)
        stt_sim_resume(c->sim, h->node);
    else
        stt_sim_suspend(c->sim, h->node);
}

static void kill(struct host *h, bool ends)
{
    if (ends)
        (void)host_restart(h);
    else
        host_kill(h);
}

static void fork_away(struct host *h, bool ends)
{
    if (ends) {
        host_kill(h);
        (void)host_restart(h);
    } else if (h->ep) {
        h->is_forked = true;
        stt_sim_fork(h->chaos->sim, h->node);
        chaos_tell(h->chaos, "host %u forks", h->number);
    }
}

/* -- the plan ------------------------------------------------------------------------------ */

/* Answers whether there is an end to come. */
static bool befall(struct fault *x)
{
    struct host *h = x->host;
    struct chaos *c = h->chaos;
    switch (x->what) {
    case CHAOS_LINK_CHANGES:
        roads_change(&h->roads);
        return false;
    case CHAOS_BLACKOUTS:
        roads_black_out(&h->roads, chaos_now(c) + draw_length(c));
        return false;
    case CHAOS_NAT:
        rebind(h);
        return false;
    case CHAOS_ADDRESS_MOVES:
        roads_move_home(&h->roads);
        return false;
    case CHAOS_MOVES:
    case CHAOS_BYTE_STREAMS:
        move_session(h);
        return false;
    case CHAOS_CLOSES:
        close_some(h);
        return false;
    case CHAOS_CONNECTS:
    case CHAOS_EXCLUSIVE:
    case CHAOS_MISTAKES:
        connect(h);
        return false;
    case CHAOS_FLOODS:
        flood(x->of, h);
        return false;
    case CHAOS_STRANGERS:
        if (c->hosts[0]->ep)
            attackers_visit(c);
        return false;
    case CHAOS_FAILING_MEMORY:
        fail_memory(h, x->is_end);
        return true;
    case CHAOS_NO_ENTROPY:
        take_entropy(h, x->is_end);
        return true;
    case CHAOS_DEAFNESS:
        deafen(h, x->is_end);
        return true;
    case CHAOS_SUSPENDS:
        suspend(h, x->is_end);
        return true;
    case CHAOS_KILLS:
        kill(h, x->is_end);
        return true;
    default:
        fork_away(h, x->is_end);
        return true;
    }
}

static void begin(void *ctx, struct stt_sim *sim);

static void end(void *ctx, struct stt_sim *sim)
{
    struct fault *x = ctx;
    (void)sim;
    if (!x->of->chaos->is_calm)
        befall(x);
}

static void begin(void *ctx, struct stt_sim *sim)
{
    struct fault *x = ctx;
    struct chaos *c = x->of->chaos;
    if (c->is_calm || chaos_has_failed(c) || !befall(x))
        return;
    struct fault *ends = &x->of->ends[x - x->of->all];
    *ends = *x;
    ends->is_end = true;
    stt_sim_at(sim, chaos_now(c) + draw_length(c), end, ends);
}

static const enum chaos_feature kinds[] = {
    CHAOS_LINK_CHANGES,   CHAOS_BLACKOUTS,    CHAOS_NAT,      CHAOS_ADDRESS_MOVES,
    CHAOS_MOVES,          CHAOS_BYTE_STREAMS, CHAOS_CLOSES,   CHAOS_CONNECTS,
    CHAOS_EXCLUSIVE,      CHAOS_MISTAKES,     CHAOS_FLOODS,   CHAOS_STRANGERS,
    CHAOS_FAILING_MEMORY, CHAOS_NO_ENTROPY,   CHAOS_DEAFNESS, CHAOS_SUSPENDS,
    CHAOS_KILLS,          CHAOS_FORKS};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Of links and addresses it is always a client's. */
static struct host *whom(struct chaos *c, enum chaos_feature what)
{
    bool of_roads = what == CHAOS_LINK_CHANGES || what == CHAOS_BLACKOUTS || what == CHAOS_NAT ||
                    what == CHAOS_ADDRESS_MOVES || what == CHAOS_MOVES ||
                    what == CHAOS_BYTE_STREAMS;
    return c->hosts[dice_between(&c->rng, of_roads, c->n_hosts - 1)];
}

void faults_plan(struct faults *f, struct chaos *c)
{
    enum chaos_feature mine[KINDS];
    size_t n = 0;
    f->chaos = c;
    for (size_t i = 0; i < KINDS; i++)
        if (chaos_has(c, kinds[i]))
            mine[n++] = kinds[i];
    f->n = n ? dice_below(&c->rng, FAULTS_MAX + 1) : 0;
    for (size_t i = 0; i < f->n; i++) {
        enum chaos_feature what = mine[dice_below(&c->rng, n)];
        f->all[i] = (struct fault){.of = f, .what = what, .host = whom(c, what)};
        stt_sim_at(c->sim, dice_between(&c->rng, chaos_now(c), c->calm_at), begin, &f->all[i]);
    }
}

void faults_end(struct faults *f)
{
    struct chaos *c = f->chaos;
    for (uint32_t i = 0; i < c->n_hosts; i++) {
        struct host *h = c->hosts[i];
        c->tally.failed_allocations += h->memory->failed;
        fail_memory(h, true);
        stt_sim_entropy(c->sim, h->node, true);
        stt_sim_listen(c->sim, h->node, true);
        suspend(h, true);
        if (h->is_forked)
            host_kill(h);
        (void)host_restart(h);
        if (h->number)
            roads_calm(&h->roads);
    }
}
