/* SPDX-License-Identifier: MIT
 * A session in the middle of a transfer, and the way is dark for a while: for both, or for one of
 * them. Spec 04, "Idle", "Stalled"; 06, "Probe timeout". What becomes of a session that moves
 * nothing is in test_life. */
#include "tests/support/flows.h"
#include "tests/support/suite.h"

enum { RATE = 10000000, ONE_WAY_MS = 20, QUEUE = 50000, MODES = 3 };

static const unsigned seconds[] = {2, 10, 25};
static const enum stt_mode modes[MODES] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};
/* Both directions are dark, or what goes to the server, or to the client. */
enum { BOTH, FORTH, BACK, WAYS };
enum { LENGTHS = 3, CASES = LENGTHS * WAYS * 2 };

static struct world w;
static struct flows f;

static void darken(unsigned way, stt_ns ns)
{
    stt_ns now = stt_sim_now(w.sim);
    if (way != BACK)
        stt_sim_blackout(w.sim, w.links.forth, now, now + ns);
    if (way != FORTH)
        stt_sim_blackout(w.sim, w.links.back, now, now + ns);
}

/* The one that carries the data: from the client, or to it. */
static struct flow *begin(uint64_t seed, enum stt_mode mode, bool to_client)
{
    w = world_pair(.seed = seed, .one_way_ms = ONE_WAY_MS, .rate_bits_per_s = RATE,
                   .queue_bytes = QUEUE);
    world_connect(&w, mode);
    flows_init(&f, &w);
    f.server.reply_bytes = to_client ? UINT64_MAX : 1;
    struct flow *flow =
        flows_open(&f, &f.client, &(struct flow){.to_write = to_client ? 1 : UINT64_MAX});
    flows_run_for(&f, STT_S(2) + STT_MS(seed * 7));
    return to_client ? flows_peer(&f, flow) : flow;
}

static void require_one_handshake(void)
{
    world_require(&w, w.client->events[STT_EVENT_CONNECTED] == 1);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 1);
    world_require(&w, !w.client->events[STT_EVENT_CLOSED] && !w.server->events[STT_EVENT_CLOSED]);
}

/* No PTO waits longer than 3 s, so that is how long the light is not seen. */
static void require_full_speed_again(struct flow *flow)
{
    flows_run_for(&f, STT_S(3) + STT_S(2));
    uint64_t before = flows_peer(&f, flow)->read;
    flows_run_for(&f, STT_S(5));
    uint64_t bytes = flows_peer(&f, flow)->read - before;
    ck_assert_msg(bytes >= (uint64_t)RATE / 8 * 5 * 8 / 10, "%llu bytes in 5 s",
                  (unsigned long long)bytes);
}

/* Bytes are compared as they are read; so they are also complete. */
static void require_whole_end(struct flow *flow)
{
    flow->to_write = flow->written;
    flows_write(&f, flow);
    flows_require(&f, flows_are_over, STT_S(5));
    world_require(&w, flows_peer(&f, flow)->read == flow->written);
}

START_TEST(blackouts_of_2_10_and_25_s_in_a_transfer_are_survived_with_one_handshake)
{
    unsigned length = seconds[_i % LENGTHS], way = (unsigned)_i / LENGTHS % WAYS;
    bool to_client = _i / LENGTHS / WAYS;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct flow *flow = begin(seed, modes[seed % MODES], to_client);
        darken(way, STT_S(length));
        flows_run_for(&f, STT_S(length));
        const struct world_side *sender = to_client ? w.server : w.client;
        world_require(&w, sender->events[STT_EVENT_STALLED] == 1);
        require_full_speed_again(flow);
        world_require(&w, sender->events[STT_EVENT_RESUMED] == 1);
        require_whole_end(flow);
        require_one_handshake();
        flows_end(&f);
    }
}
END_TEST

/* Each is over before the session is; together they are longer than it would live in silence. */
START_TEST(blackouts_that_follow_one_another_are_survived_with_one_handshake)
{
    struct flow *flow = begin((uint64_t)_i + 1, STT_MODE_K, _i % 2);
    for (size_t i = 0; i < LENGTHS; i++) {
        darken(BOTH, STT_S(seconds[i]));
        flows_run_for(&f, STT_S(seconds[i]) + STT_S(4)); /* light for long enough to be seen */
    }
    require_full_speed_again(flow);
    require_whole_end(flow);
    require_one_handshake();
    flows_end(&f);
}
END_TEST

SUITE("outages",
      LOOP(blackouts_of_2_10_and_25_s_in_a_transfer_are_survived_with_one_handshake, 0, CASES),
      LOOP(blackouts_that_follow_one_another_are_survived_with_one_handshake, 0, 4))
