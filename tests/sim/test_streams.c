/* SPDX-License-Identifier: MIT
 * Streams from host to host, over links that lose, copy, reorder and change. Times are virtual. */
#include "stt/session/engine.h"
#include "tests/support/aged.h"
#include "tests/support/flows.h"
#include "tests/support/suite.h"

enum { MIB = 1 << 20, RATE = 10000000, ONE_WAY_MS = 20 };

static struct world w;
static struct flows f;

#define setup(...) setup_with(&(struct world_options){.one_way_ms = ONE_WAY_MS, __VA_ARGS__})
static void setup_with(const struct world_options *options)
{
    w = world_pair_new(options);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
}

static stt_ns time_since(stt_ns from)
{
    return stt_sim_now(w.sim) - from;
}

/* -- bulk ---------------------------------------------------------------------------------------
 */

/* At 10 Mbit/s a MiB takes 0.87 s. */
static const struct bulk {
    uint32_t loss_ppm, reorder_ppm, duplicate_ppm;
    stt_ns within_ns;
} bulks[] = {
    {0, 0, 0, STT_MS(1800)},     {10000, 0, 0, STT_S(6)},         {50000, 0, 0, STT_S(14)},
    {0, 50000, 50000, STT_S(4)}, {10000, 50000, 50000, STT_S(6)}, {50000, 50000, 50000, STT_S(14)},
};
enum { BULKS = sizeof bulks / sizeof bulks[0] };

START_TEST(a_mebibyte_in_both_directions_arrives_byte_for_byte_in_time)
{
    const struct bulk *b = &bulks[_i];
    setup(.rate_bits_per_s = RATE, .queue_bytes = 100000, .loss_ppm = b->loss_ppm,
          .link = {.reorder_ppm = b->reorder_ppm,
                   .reorder_ns = STT_MS(10),
                   .duplicate_ppm = b->duplicate_ppm});
    f.server.reply_bytes = MIB;
    stt_ns begin = stt_sim_now(w.sim);
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_require(&f, flows_are_over, STT_S(60));
    world_require(&w, c->read == MIB && flows_peer(&f, c)->read == MIB);
    ck_assert_msg(time_since(begin) <= b->within_ns, "it took %.3f s",
                  (double)time_since(begin) * 1e-9);
    flows_end(&f);
}
END_TEST

START_TEST(a_hundred_streams_share_a_session_and_all_finish)
{
    enum { EACH = 20000 };
    setup(.rate_bits_per_s = RATE, .loss_ppm = (uint32_t)_i * 10000);
    f.server.reply_bytes = EACH;
    for (int i = 0; i < 100; i++)
        world_require(&w,
                      flows_open(&f, &f.client, &(struct flow){.to_write = EACH, .urgency = 3}));
    for (int i = 0; i < 100; i++)
        world_require(&w,
                      flows_open(&f, &f.server, &(struct flow){.to_write = EACH, .urgency = 3}));
    f.client.reply_bytes = EACH;
    flows_require(&f, flows_are_over, STT_S(30));
    stt_ns begin = f.client.all[0]->opened_at, last = 0;
    for (size_t i = 0; i < f.client.n; i++) {
        const struct flow *flow = f.client.all[i];
        world_require(&w, flow->read == EACH && flow->written == EACH);
        if (i < 100 && flows_peer(&f, flow)->read_at > last)
            last = flows_peer(&f, flow)->read_at;
    }
    /* They took turns: none was long done, but one or two that went on with what was lost. */
    unsigned early = 0;
    for (size_t i = 0; i < 100; i++)
        early += flows_peer(&f, f.client.all[i])->read_at - begin <= (last - begin) / 4;
    ck_assert_msg(early <= (_i ? 3 : 0), "%u of 100 in the first quarter of %.3f s", early,
                  (double)(last - begin) * 1e-9);
    flows_end(&f);
}
END_TEST

/* -- ends ---------------------------------------------------------------------------------------
 */

START_TEST(a_direction_that_has_ended_leaves_the_other_open)
{
    struct flows_side *a;
    setup();
    a = _i ? &f.server : &f.client;
    f.client.reply_stays_open = f.server.reply_stays_open = true;
    struct flow *mine = flows_open(&f, a, &(struct flow){.to_write = 5000});
    flows_run_for(&f, STT_S(1));
    struct flow *theirs = flows_peer(&f, mine);
    world_require(&w, theirs && theirs->read == 5000 && mine->heard & STT_STREAM_FINISHED);
    world_require(&w, !(mine->heard & STT_STREAM_ENDED) && !(theirs->heard & STT_STREAM_ENDED));
    theirs->to_write = 7000;
    flows_write(&f, theirs);
    flows_run_for(&f, STT_S(1));
    world_require(&w, mine->read == 7000 && !(mine->heard & STT_STREAM_ENDED));
    theirs->stays_open = false;
    flows_write(&f, theirs);
    flows_require(&f, flows_are_over, STT_S(1));
    flows_end(&f);
}
END_TEST

START_TEST(an_empty_stream_ends)
{
    setup(.loss_ppm = (uint32_t)_i * 100000);
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 0});
    flows_require(&f, flows_are_over, STT_S(_i ? 20 : 1));
    world_require(&w, c->read == 0 && flows_peer(&f, c)->heard & STT_STREAM_OPENED);
    flows_end(&f);
}
END_TEST

START_TEST(an_end_that_comes_after_everything_was_read_is_noticed)
{
    setup();
    struct flow *c =
        flows_open(&f, &f.client, &(struct flow){.to_write = 5000, .stays_open = true});
    flows_run_for(&f, STT_S(1));
    world_require(&w, flows_peer(&f, c)->read == 5000);
    c->stays_open = false;
    flows_write(&f, c);
    flows_require(&f, flows_are_over, STT_S(1));
    flows_end(&f);
}
END_TEST

static void reset_one(void)
{
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_run_for(&f, STT_MS(300));
    world_require(&w, stt_stream_reset(f.client.ep, stt_sim_now(w.sim), c->handle, 4242) == STT_OK);
    stt_sim_touch(w.sim, w.client->node);
    flows_require(&f, flows_are_over, STT_S(5));
    const struct flow *s = flows_peer(&f, c);
    world_require(&w, s->heard & STT_STREAM_RESET && s->reset_code == 4242 && s->read < MIB);
}

START_TEST(a_reset_is_reported_with_its_code)
{
    setup(.rate_bits_per_s = RATE, .loss_ppm = (uint32_t)_i * 30000);
    for (int i = 0; i < 20; i++)
        reset_one();
    struct flow *next = flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_require(&f, flows_are_over, STT_S(10)); /* and its bytes burden no limit */
    world_require(&w, flows_peer(&f, next)->read == MIB);
    flows_end(&f);
}
END_TEST

/* The side that stops may end its own direction together with it. */
static void stop_one(bool finishes)
{
    f.server.reply_stays_open = finishes;
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 4 * MIB});
    flows_run_for(&f, STT_MS(300));
    struct flow *s = flows_peer(&f, c);
    world_require(&w, s && s->read);
    world_require(&w, stt_stream_stop(f.server.ep, stt_sim_now(w.sim), s->handle, 99) == STT_OK);
    s->no_reading = true;
    s->stays_open = false;
    flows_write(&f, s);
    flows_require(&f, flows_are_over, STT_S(5));
    world_require(&w, c->heard & STT_STREAM_STOPPED && c->stop_code == 99);
}

static void tight_windows(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->session_window_max = config->session_window_bytes;
}

/* What was on its way burdens no limit: after many of them there is still all the room. */
START_TEST(a_stop_is_reported_with_its_code_and_ends_the_writing)
{
    setup(.configure = tight_windows, .rate_bits_per_s = RATE,
          .loss_ppm = (uint32_t)_i / 2 * 30000);
    for (int i = 0; i < 20; i++)
        stop_one(_i % 2);
    f.server.reply_stays_open = false;
    struct flow *next = flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_require(&f, flows_are_over, STT_S(10));
    world_require(&w, flows_peer(&f, next)->read == MIB);
    flows_end(&f);
}
END_TEST

/* -- handles ------------------------------------------------------------------------------------
 */

static void require_stale(struct flows_side *side, stt_handle h)
{
    stt_ns now = stt_sim_now(w.sim);
    struct stt_stream_info info;
    struct stt_message_read m;
    struct stt_part part;
    void *room;
    size_t n;
    uint8_t b[8] = {0};
    ck_assert_int_eq(stt_stream_write(side->ep, now, h, b, 1, &n), STT_E_STALE);
    ck_assert_int_eq(stt_stream_write_message(side->ep, now, h, b, 1, 0), STT_E_STALE);
    ck_assert_int_eq(stt_stream_reserve(side->ep, h, &room, &n), STT_E_STALE);
    ck_assert_int_eq(stt_stream_commit(side->ep, now, h, 0), STT_E_STALE);
    ck_assert_int_eq(stt_stream_flush(side->ep, now, h), STT_E_STALE);
    ck_assert_int_eq(stt_stream_finish(side->ep, now, h), STT_E_STALE);
    ck_assert_int_eq(stt_stream_reset(side->ep, now, h, 1), STT_E_STALE);
    ck_assert_int_eq(stt_stream_set_urgency(side->ep, h, 1), STT_E_STALE);
    ck_assert_uint_eq(stt_stream_peek(side->ep, h, &part, 1), 0);
    ck_assert_int_eq(stt_stream_consume(side->ep, now, h, 0), STT_E_STALE);
    ck_assert_int_eq(stt_stream_read(side->ep, now, h, b, sizeof b, &n), STT_E_STALE);
    ck_assert_int_eq(stt_stream_read(side->ep, now, h, b, 0, &n), STT_E_STALE);
    ck_assert_int_eq(stt_stream_stop(side->ep, now, h, 1), STT_E_STALE);
    ck_assert_int_eq(stt_stream_read_message(side->ep, now, h, b, sizeof b, &m), STT_E_STALE);
    ck_assert_int_eq(stt_stream_info(side->ep, h, &info), STT_E_STALE);
}

START_TEST(the_handle_of_a_stream_that_has_ended_is_stale_for_every_call)
{
    setup();
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 100});
    flows_require(&f, flows_are_over, STT_S(1));
    for (int i = 0; i < 3; i++) {
        require_stale(&f.client, c->handle);
        require_stale(&f.server, flows_peer(&f, c)->handle);
        flows_open(&f, &f.client, &(struct flow){.to_write = 100});
        flows_require(&f, flows_are_over, STT_S(1)); /* the place is used again */
    }
    require_stale(&f.client, 0);
    require_stale(&f.client, UINT64_MAX);
    flows_end(&f);
}
END_TEST

START_TEST(the_streams_of_a_session_that_closes_are_gone_with_it)
{
    setup(.rate_bits_per_s = RATE);
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_run_for(&f, STT_MS(300));
    stt_session_close(f.client.ep, stt_sim_now(w.sim), w.client->session, 0, NULL);
    stt_sim_touch(w.sim, w.client->node);
    flows_run_for(&f, STT_S(5));
    require_stale(&f.client, c->handle);
    require_stale(&f.server, flows_peer(&f, c)->handle);
    flows_end(&f);
}
END_TEST

/* -- messages -----------------------------------------------------------------------------------
 */

START_TEST(messages_keep_their_boundaries_under_loss)
{
    enum { MESSAGES = 300 };
    setup(.rate_bits_per_s = RATE, .loss_ppm = (uint32_t)_i * 30000,
          .link = {.reorder_ppm = 20000, .reorder_ns = STT_MS(10), .duplicate_ppm = 20000});
    struct flow *c =
        flows_open(&f, &f.client, &(struct flow){.to_write = MESSAGES, .messages = true});
    struct flow *s =
        flows_open(&f, &f.server, &(struct flow){.to_write = MESSAGES, .messages = true});
    flows_require(&f, flows_are_over, STT_S(20));
    world_require(&w, flows_peer(&f, c)->read == MESSAGES && flows_peer(&f, s)->read == MESSAGES);
    flows_end(&f);
}
END_TEST

/* -- urgency ------------------------------------------------------------------------------------
 */

static struct flow *urgent;

static bool urgent_is_read(const struct flows *x)
{
    (void)x;
    const struct flow *s = flows_peer(&f, urgent);
    return s && s->read == urgent->to_write;
}

START_TEST(an_urgent_stream_overtakes_bulk)
{
    setup(.rate_bits_per_s = RATE, .queue_bytes = 50000, .loss_ppm = (uint32_t)_i * 10000);
    struct flow *bulk =
        flows_open(&f, &f.client, &(struct flow){.to_write = 4 * MIB, .urgency = 6});
    flows_run_for(&f, STT_S(1));
    urgent = flows_open(&f, &f.client, &(struct flow){.to_write = 50000, .urgency = 0});
    flows_require(&f, urgent_is_read, STT_MS(_i ? 800 : 300)); /* 40 ms alone, and the queue */
    world_require(&w, flows_peer(&f, bulk)->read < 3 * MIB);
    flows_require(&f, flows_are_over, STT_S(20));
    flows_end(&f);
}
END_TEST

/* -- limits -------------------------------------------------------------------------------------
 */

static struct stt_stream_info info_of(const struct flows_side *side, const struct flow *flow)
{
    struct stt_stream_info info;
    world_require(&w, stt_stream_info(side->ep, flow->handle, &info) == STT_OK);
    return info;
}

START_TEST(a_reader_that_does_not_read_stops_the_sender_and_nothing_grows)
{
    setup(.loss_ppm = (uint32_t)_i * 20000);
    f.server.no_reading = true;
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 8 * MIB});
    flows_run_for(&f, STT_S(3));
    size_t server = stt_sim_memory(w.sim, w.server->node)->bytes_in_use;
    size_t client = stt_sim_memory(w.sim, w.client->node)->bytes_in_use;
    struct flow *s = flows_peer(&f, c);
    world_require(&w, info_of(&f.server, s).bytes_received == 65536);
    world_require(&w, info_of(&f.client, c).bytes_sent == 65536);
    world_require(&w, c->written <= (2u << 20) && c->written < c->to_write);
    uint64_t sent = stt_sim_link_stats(w.sim, w.links.forth).datagrams_in;
    flows_run_for(&f, STT_S(20));
    world_require(&w, stt_sim_memory(w.sim, w.server->node)->bytes_in_use <= server);
    world_require(&w, stt_sim_memory(w.sim, w.client->node)->bytes_in_use <= client);
    world_require(&w, stt_sim_link_stats(w.sim, w.links.forth).datagrams_in < sent + 10);
    f.server.no_reading = false;
    flows_read(&f, s);
    flows_require(&f, flows_are_over, STT_S(60));
    world_require(&w, s->read == 8 * MIB);
    flows_end(&f);
}
END_TEST

START_TEST(many_streams_that_nobody_reads_are_held_by_the_sessions_limit)
{
    setup(.loss_ppm = (uint32_t)_i * 20000);
    f.server.no_reading = true;
    for (int i = 0; i < 10; i++)
        flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_run_for(&f, STT_S(3));
    uint64_t received = 0;
    for (size_t i = 0; i < f.server.n; i++)
        received += info_of(&f.server, f.server.all[i]).bytes_received;
    ck_assert_uint_eq(received, 262144);
    f.server.no_reading = false;
    for (size_t i = 0; i < f.server.n; i++)
        flows_read(&f, f.server.all[i]);
    flows_require(&f, flows_are_over, STT_S(60));
    flows_end(&f);
}
END_TEST

static void few_streams(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->max_streams = 4;
}

START_TEST(the_limit_of_streams_rises_as_streams_end)
{
    setup(.configure = few_streams, .loss_ppm = (uint32_t)_i * 20000);
    f.server.reply_stays_open = true;
    for (int i = 0; i < 4; i++)
        world_require(&w, flows_open(&f, &f.client, &(struct flow){.to_write = 100}));
    world_require(&w, !flows_open(&f, &f.client, &(struct flow){.to_write = 100}));
    flows_run_for(&f, STT_S(3));
    world_require(&w, !flows_open(&f, &f.client, &(struct flow){.to_write = 100}));
    f.server.reply_stays_open = false;
    for (size_t i = 0; i < f.server.n; i++) {
        f.server.all[i]->stays_open = false;
        flows_write(&f, f.server.all[i]);
    }
    flows_require(&f, flows_are_over, STT_S(5));
    flows_run_for(&f, STT_S(3));
    for (int i = 0; i < 4; i++)
        world_require(&w, flows_open(&f, &f.client, &(struct flow){.to_write = 100}));
    flows_require(&f, flows_are_over, STT_S(5));
    flows_end(&f);
}
END_TEST

START_TEST(a_thousand_short_streams_go_one_after_another)
{
    setup(.configure = few_streams, .loss_ppm = (uint32_t)_i * 10000);
    f.server.reply_bytes = 200;
    for (int i = 0; i < 1000; i++) {
        struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 100});
        for (int k = 0; !c && k < 30; k++) {
            flows_run_for(&f, STT_MS(100));
            c = flows_open(&f, &f.client, &(struct flow){.to_write = 100});
        }
        world_require(&w, c);
        flows_require(&f, flows_are_over, STT_S(5));
        world_require(&w, c->read == 200);
    }
    flows_end(&f);
}
END_TEST

/* -- changes in the middle ----------------------------------------------------------------------
 */

static void update_keys(void *ctx, struct stt_sim *sim)
{
    const struct flows_side *side = ctx;
    int error = stt_session_update_keys(stt_sim_endpoint(sim, side->of->node), stt_sim_now(sim),
                                        side->of->session);
    world_require(&w, error == STT_OK || error == STT_E_AGAIN || error == STT_E_STATE);
    stt_sim_at(sim, stt_sim_now(sim) + STT_MS(97), update_keys, ctx);
}

START_TEST(keys_may_be_updated_during_a_transfer)
{
    setup(.rate_bits_per_s = RATE, .loss_ppm = (uint32_t)_i * 10000);
    f.server.reply_bytes = MIB;
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    stt_sim_at(w.sim, stt_sim_now(w.sim) + STT_MS(50), update_keys, &f.client);
    stt_sim_at(w.sim, stt_sim_now(w.sim) + STT_MS(80), update_keys, &f.server);
    flows_require(&f, flows_are_over, STT_S(10));
    world_require(&w, c->read == MIB);
    struct stt_session_info info;
    world_require(&w, stt_session_info(f.client.ep, w.client->session, &info) == STT_OK);
    world_require(&w, info.epoch >= 5);
    flows_end(&f);
}
END_TEST

static void move_port(void *ctx, struct stt_sim *sim)
{
    unsigned *times = ctx;
    struct stt_address from = stt_sim_address(sim, w.client->node), to = from;
    to.port++;
    stt_sim_address_move(sim, w.client->node, &from, &to);
    if (++*times < 3)
        stt_sim_at(sim, stt_sim_now(sim) + STT_MS(400), move_port, ctx);
}

/* Where the client only listens it may take up to a keep-alive until it is heard from its new
 * place.
 */
START_TEST(the_clients_address_may_change_during_a_transfer)
{
    unsigned times = 0;
    setup(.rate_bits_per_s = RATE, .loss_ppm = (uint32_t)_i / 2 * 10000);
    f.server.reply_bytes = _i % 2 ? 2 * MIB : 10;
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = _i % 2 ? 10 : 2 * MIB});
    stt_sim_at(w.sim, stt_sim_now(w.sim) + STT_MS(300), move_port, &times);
    flows_require(&f, flows_are_over, STT_S(_i % 2 ? 45 : 15));
    world_require(&w, times == 3);
    world_require(&w, c->read == f.server.reply_bytes);
    struct stt_session_info info;
    world_require(&w, stt_session_info(f.server.ep, w.server->session, &info) == STT_OK);
    world_require(&w, info.path.remote.port == stt_sim_address(w.sim, w.client->node).port);
    flows_end(&f);
}
END_TEST

/* -- single losses ------------------------------------------------------------------------------
 */

static void carry_64_kib(stt_ns within)
{
    f.server.reply_bytes = 65536;
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 65536});
    flows_require(&f, flows_are_over, within);
    world_require(&w, c->read == 65536 && flows_peer(&f, c)->read == 65536);
    flows_end(&f);
}

START_TEST(any_of_the_clients_first_30_datagrams_may_be_lost_case_49)
{
    setup(.rate_bits_per_s = RATE, .drop_nth = (uint64_t)_i);
    carry_64_kib(STT_S(2));
}
END_TEST

START_TEST(any_of_the_servers_first_30_datagrams_may_be_lost_case_49)
{
    setup(.rate_bits_per_s = RATE, .drop_back_nth = (uint64_t)_i);
    carry_64_kib(STT_S(2));
}
END_TEST

START_TEST(any_pair_of_the_clients_first_20_datagrams_may_be_lost_case_49)
{
    setup(.rate_bits_per_s = RATE, .drop_nth = (uint64_t)_i % 20 + 1,
          .drop_nth_2 = (uint64_t)_i / 20 + 1);
    carry_64_kib(STT_S(4));
}
END_TEST

START_TEST(any_pair_of_the_servers_first_20_datagrams_may_be_lost_case_49)
{
    setup(.rate_bits_per_s = RATE, .drop_back_nth = (uint64_t)_i % 20 + 1,
          .drop_back_nth_2 = (uint64_t)_i / 20 + 1);
    carry_64_kib(STT_S(4));
}
END_TEST

START_TEST(every_kth_packet_may_be_lost_case_51)
{
    setup(.rate_bits_per_s = RATE, .link = {.drop_every = (uint64_t)_i});
    f.server.reply_bytes = 200000;
    stt_ns begin = stt_sim_now(w.sim);
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 200000});
    flows_require(&f, flows_are_over, STT_S(120));
    world_require(&w, c->read == 200000);
    ck_assert_msg(time_since(begin) < (_i < 4    ? STT_S(60)
                                       : _i < 10 ? STT_S(10)
                                                 : STT_S(3)),
                  "it took %.3f s", (double)time_since(begin) * 1e-9);
    flows_end(&f);
}
END_TEST

/* Loses what the client sends from the n-th datagram on, up to the m-th. */
struct window_of_loss {
    uint64_t from, to, seen;
};

static bool lose_window(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct window_of_loss *x = ctx;
    (void)now, (void)d;
    x->seen++;
    return x->seen < x->from || x->seen > x->to;
}

static bool all_is_sent(const struct flows *x)
{
    struct stt_stream_info info;
    return x->client.n &&
           stt_stream_info(x->client.ep, x->client.all[0]->handle, &info) == STT_OK &&
           info.bytes_sent == 100000;
}

static bool all_is_read(const struct flows *x)
{
    return x->server.n && x->server.all[0]->read == 100000;
}

START_TEST(the_last_packets_may_be_lost_and_it_takes_3_round_trips_and_a_pto_more_case_50)
{
    struct window_of_loss none = {.from = UINT64_MAX};
    setup(.rate_bits_per_s = 10 * RATE);
    stt_sim_tap(w.sim, w.links.forth, lose_window, &none);
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 100000});
    flows_require(&f, all_is_sent, STT_S(5));
    flows_run_for(&f, STT_US(1));
    uint64_t sent = none.seen;
    flows_require(&f, all_is_read, STT_S(5));
    const struct stt_session *s = stt_endpoint_find(f.client.ep, w.client->session);
    stt_ns pto = stt_session_pto(s), rtt = s->loss.at[s->loss.in_use].rtt.smoothed;
    stt_ns took = stt_sim_now(w.sim) - c->opened_at;
    flows_end(&f);

    struct window_of_loss last = {.from = sent - (uint64_t)_i + 1, .to = sent};
    setup(.rate_bits_per_s = 10 * RATE);
    stt_sim_tap(w.sim, w.links.forth, lose_window, &last);
    c = flows_open(&f, &f.client, &(struct flow){.to_write = 100000});
    flows_require(&f, all_is_read, STT_S(10));
    stt_ns now_took = stt_sim_now(w.sim) - c->opened_at;
    unsigned trips = aged_is_wanted() ? 4 : 3; /* its pace is the path's, and not more */
    ck_assert_msg(now_took <= took + trips * rtt + pto, "%.1f ms, not %.1f + %u * %.1f + %.1f",
                  (double)now_took * 1e-6, (double)took * 1e-6, trips, (double)rtt * 1e-6,
                  (double)pto * 1e-6);
    flows_require(&f, flows_are_over, STT_S(10));
    flows_end(&f);
}
END_TEST

/* -- memory -------------------------------------------------------------------------------------
 */

START_TEST(a_long_transfer_allocates_nothing_once_it_runs)
{
    setup(.rate_bits_per_s = RATE, .queue_bytes = 50000, .loss_ppm = (uint32_t)_i * 5000);
    flows_open(&f, &f.client, &(struct flow){.to_write = 40 * MIB});
    flows_run_for(&f, STT_S(10));
    world_mark(&w);
    flows_run_for(&f, STT_S(10));
    world_require(&w, f.server.all[0]->read > 4 * MIB && f.server.all[0]->read < 40 * MIB);
    /* In ten seconds an endpoint rests once, and what it gave back then it may want again. */
    ck_assert_uint_le(world_allocs(&w, w.client), 1);
    ck_assert_uint_le(world_allocs(&w, w.server), 1);
    flows_end(&f);
}
END_TEST

static void little_memory(struct stt_config *config, bool is_client)
{
    config->stream_memory_max = is_client ? 1 << 20 : config->stream_memory_max;
}

/* Forty writers want 256 KiB each of a pool of one MiB: whoever finds it empty is called later. */
START_TEST(writers_that_find_the_pool_empty_are_called_when_it_is_not)
{
    setup(.rate_bits_per_s = 10 * RATE, .configure = little_memory,
          .loss_ppm = (uint32_t)_i * 10000);
    for (int i = 0; i < 40; i++)
        world_require(&w, flows_open(&f, &f.client, &(struct flow){.to_write = MIB / 4}));
    flows_require(&f, flows_are_over, STT_S(60));
    for (size_t i = 0; i < f.server.n; i++)
        world_require(&w, f.server.all[i]->read == MIB / 4);
    flows_end(&f);
}
END_TEST

static void many_streams(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->max_streams = 16384;
}

/* All that it costs, tables included: 12,288 streams that have said a byte each way. */
START_TEST(an_idle_stream_takes_at_most_512_bytes)
{
    enum { STREAMS = 12288 };
    setup(.rate_bits_per_s = 10 * RATE, .configure = many_streams);
    f.server.reply_bytes = 1;
    f.server.reply_stays_open = true;
    flows_open(&f, &f.client,
               &(struct flow){.to_write = 1, .stays_open = true}); /* the session's */
    size_t before = stt_sim_memory(w.sim, w.client->node)->bytes_in_use;
    for (int i = 0; i < STREAMS; i++)
        world_require(&w,
                      flows_open(&f, &f.client, &(struct flow){.to_write = 1, .stays_open = true}));
    flows_run_for(&f, STT_S(60)); /* until what the burst took has been given back */
    world_require(&w, f.server.n == STREAMS + 1);
    for (int i = 0; i < STREAMS; i++)
        world_require(&w, f.client.all[i]->read == 1 && f.server.all[i]->read == 1);
    size_t bytes = stt_sim_memory(w.sim, w.client->node)->bytes_in_use - before;
    ck_assert_msg(bytes <= (size_t)512 * STREAMS, "%zu bytes each", bytes / STREAMS);
    flows_end(&f);
}
END_TEST

static uint32_t packet_bytes;

static void use_packet_bytes(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->packet_bytes = packet_bytes;
}

/* Sizes about the borders of what is kept in pieces: heads, chunks, lengths of one to four bytes.
 */
START_TEST(packets_of_any_size_carry_streams_and_messages_byte_for_byte)
{
    static const uint32_t sizes[] = {1200,  1201,  1452,  4000,  8191,  8192,  8230,  9000,  12345,
                                     16384, 16400, 16420, 16424, 16425, 16426, 16427, 32800, 65507};
    packet_bytes = sizes[_i % 18];
    setup(.rate_bits_per_s = 10 * RATE, .configure = use_packet_bytes,
          .loss_ppm = _i < 18 ? 0 : 20000);
    for (int i = 0; i < 3; i++)
        flows_open(&f, &f.client, &(struct flow){.to_write = 1000000, .urgency = 3});
    flows_open(&f, &f.server, &(struct flow){.to_write = 300, .messages = true});
    flows_require(&f, flows_are_over, STT_S(60));
    flows_end(&f);
}
END_TEST

AGED_SUITE("streams", LOOP(a_mebibyte_in_both_directions_arrives_byte_for_byte_in_time, 0, BULKS),
           LOOP(a_hundred_streams_share_a_session_and_all_finish, 0, 3),
           LOOP(a_direction_that_has_ended_leaves_the_other_open, 0, 2),
           LOOP(an_empty_stream_ends, 0, 2),
           TEST(an_end_that_comes_after_everything_was_read_is_noticed),
           LOOP(a_reset_is_reported_with_its_code, 0, 2),
           LOOP(a_stop_is_reported_with_its_code_and_ends_the_writing, 0, 4),
           TEST(the_handle_of_a_stream_that_has_ended_is_stale_for_every_call),
           TEST(the_streams_of_a_session_that_closes_are_gone_with_it),
           LOOP(messages_keep_their_boundaries_under_loss, 0, 3),
           LOOP(an_urgent_stream_overtakes_bulk, 0, 2),
           LOOP(a_reader_that_does_not_read_stops_the_sender_and_nothing_grows, 0, 2),
           LOOP(many_streams_that_nobody_reads_are_held_by_the_sessions_limit, 0, 2),
           LOOP(the_limit_of_streams_rises_as_streams_end, 0, 2),
           LOOP(a_thousand_short_streams_go_one_after_another, 0, 2),
           LOOP(keys_may_be_updated_during_a_transfer, 0, 2),
           LOOP(the_clients_address_may_change_during_a_transfer, 0, 4),
           LOOP(any_of_the_clients_first_30_datagrams_may_be_lost_case_49, 1, 31),
           LOOP(any_of_the_servers_first_30_datagrams_may_be_lost_case_49, 1, 31),
           LOOP(any_pair_of_the_clients_first_20_datagrams_may_be_lost_case_49, 0, 400),
           LOOP(any_pair_of_the_servers_first_20_datagrams_may_be_lost_case_49, 0, 400),
           LOOP(every_kth_packet_may_be_lost_case_51, 2, 65),
           LOOP(the_last_packets_may_be_lost_and_it_takes_3_round_trips_and_a_pto_more_case_50, 1,
                11),
           LOOP(a_long_transfer_allocates_nothing_once_it_runs, 0, 2),
           LOOP(writers_that_find_the_pool_empty_are_called_when_it_is_not, 0, 3),
           TEST(an_idle_stream_takes_at_most_512_bytes),
           LOOP(packets_of_any_size_carry_streams_and_messages_byte_for_byte, 0, 36))
