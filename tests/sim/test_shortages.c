/* SPDX-License-Identifier: MIT
 * A transfer in a session that is open, and the memory of one side fails at any one moment: once,
 * for a while, or from then on. Case 37; what else of a life may fail is in test_faults. */
#include "tests/support/flows.h"
#include "tests/support/suite.h"

enum { KIB = 1 << 10, REPLY = 100, OURS = 3, SHORTAGES = 3, SIDES = 2 };

static struct world w;
static struct flows f;

/* Lost and late packets make gaps, which take memory, too. */
static const struct stt_link_config rough = {
    .loss_ppm = 20000, .reorder_ppm = 50000, .reorder_ns = STT_MS(8)};

static void setup(uint64_t seed)
{
    w = world_pair(.seed = seed, .one_way_ms = 5, .rate_bits_per_s = 50000000,
                   .queue_bytes = 100000, .link = rough);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_bytes = REPLY; /* bytes, or messages */
}

static void require_one_handshake(void)
{
    world_require(&w, w.client->events[STT_EVENT_CONNECTED] == 1);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 1);
    world_require(&w, !w.client->events[STT_EVENT_CLOSED] && !w.server->events[STT_EVENT_CLOSED]);
}

/* A stream that was refused is asked for again; answers whether all are there. */
static bool open_all(void)
{
    static const struct flow wanted[OURS] = {
        {.to_write = 200 * KIB}, {.to_write = 30, .messages = true}, {.to_write = 0}};
    while (f.client.n < OURS)
        if (!flows_open(&f, &f.client, &wanted[f.client.n]))
            return false;
    return true;
}

static void update_keys(const struct world_side *side)
{
    int error =
        stt_session_update_keys(world_endpoint(&w, side), stt_sim_now(w.sim), side->session);
    world_require(&w, error == STT_OK || error == STT_E_AGAIN || error == STT_E_MEMORY);
    stt_sim_touch(w.sim, side->node);
}

/* Streams and keys, for as long as `ns`; answers whether all streams have been opened. */
static bool live(stt_ns ns)
{
    bool all = false;
    for (stt_ns end = stt_sim_now(w.sim) + ns; stt_sim_now(w.sim) < end;) {
        all = all || open_all();
        flows_run_for(&f, STT_MS(20));
        update_keys(stt_sim_now(w.sim) / STT_MS(20) % 2 ? w.client : w.server);
    }
    return all;
}

static void require_that_all_arrives(void)
{
    world_require(&w, live(STT_MS(200)));
    flows_require(&f, flows_are_over, STT_S(20));
    world_require(&w, f.client.n == OURS && f.server.n == OURS);
    for (size_t i = 0; i < OURS; i++) {
        const struct flow *flow = f.client.all[i], *peer = flows_peer(&f, flow);
        world_require(&w, peer && peer->read == flow->to_write);
        world_require(&w, flow->read == REPLY);
    }
    require_one_handshake();
}

/* Once; for two seconds; from then on. */
static bool live_with(unsigned shortage, bool at_server, uint64_t nth)
{
    setup(1 + nth % 8);
    struct stt_sim_memory *m = stt_sim_memory(w.sim, (at_server ? w.server : w.client)->node);
    *(shortage ? &m->fail_from : &m->fail_at) = m->allocs + nth;
    live(STT_S(2));
    if (shortage < 2) {
        m->fail_at = m->fail_from = 0;
        require_that_all_arrives();
    } else {
        live(STT_S(3));
    }
    bool failed = m->failed > 0;
    flows_end(&f); /* which looks for leaks */
    return failed;
}

START_TEST(a_transfer_in_which_any_one_allocation_fails_arrives_whole_case_37)
{
    uint64_t nth = 1;
    while (live_with((unsigned)_i / SIDES, _i % SIDES, nth))
        nth++;
    ck_assert_uint_gt(nth, 10);
}
END_TEST

SUITE("shortages",
      LOOP(a_transfer_in_which_any_one_allocation_fails_arrives_whole_case_37, 0, SHORTAGES *SIDES))
