/* SPDX-License-Identifier: MIT
 * Strangers: whoever knows addresses, session ids, old packets, perhaps a peer id, but no secret of
 * a session. What they send costs little, changes nothing and, where silence is promised, draws
 * none.
 *
 * Case 18, forged ICMP, needs no test here: an endpoint has no call by which an ICMP message could
 * reach it. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/session/engine.h"
#include "tests/support/duo.h"
#include "tests/support/flows.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"
#include "tests/support/world.h"

#include <stdlib.h>

enum { STRANGER = 99 };

/* -- a live session, and how well it lives --------------------------------------------------------
 */

/* A client that asks every 10 ms, and counts what is answered. */
struct asker {
    struct world *w;
    stt_ns until;
    uint64_t asked;
};

static void ask(void *ctx, struct stt_sim *sim)
{
    struct asker *a = ctx;
    a->asked++;
    world_require(a->w, stt_session_ping(world_endpoint(a->w, a->w->client), stt_sim_now(sim),
                                         a->w->client->session) == STT_OK);
    if (stt_sim_now(sim) + STT_MS(10) < a->until)
        stt_sim_at(sim, stt_sim_now(sim) + STT_MS(10), ask, a);
}

static struct stt_session_info info_of(struct world *w, const struct world_side *side)
{
    struct stt_session_info info;
    world_require(w, stt_session_info(world_endpoint(w, side), side->session, &info) == STT_OK);
    return info;
}

static struct stt_endpoint_stats stats_of(struct world *w, const struct world_side *side)
{
    struct stt_endpoint_stats stats;
    stt_endpoint_stats(world_endpoint(w, side), &stats);
    return stats;
}

/* In so long a time, how many pings in a hundred are answered by a packet. The server acknowledges
 * every second one at once, so twice its packets are counted. */
static uint64_t percent_answered(struct world *w, stt_ns ns)
{
    struct asker a = {.w = w, .until = stt_sim_now(w->sim) + ns};
    uint64_t before = info_of(w, w->client).packets_received;
    stt_sim_at(w->sim, stt_sim_now(w->sim), ask, &a);
    world_run_for(w, ns + STT_MS(100));
    return (info_of(w, w->client).packets_received - before) * 200 / a.asked;
}

static size_t memory_of(struct world *w, const struct world_side *side)
{
    return stt_sim_memory(w->sim, side->node)->bytes_in_use;
}

/* -- floods ------------------------------------------------------------------------------------ */

struct flood {
    struct stt_address from, to;
    struct rng rng;
    uint8_t id[STT_ID_BYTES]; /* of a live session of the victim */
};

static void anybody(struct flood *f, struct stt_sim_datagram *d)
{
    d->from = stt_sim_ipv4((uint32_t)rng_between(&f->rng, 1000, 60000),
                           (uint16_t)rng_between(&f->rng, 1, 65535));
    d->to = f->to;
}

static struct flood flood_on(struct world *w)
{
    return (struct flood){.from = stt_sim_address(w->sim, w->client->node),
                          .to = stt_sim_address(w->sim, w->server->node),
                          .rng = rng_init(w->seed)};
}

static void start_flood(struct world *w, struct flood *f, stt_ns ns,
                        bool (*make)(void *ctx, uint64_t n, struct stt_sim_datagram *d))
{
    stt_ns now = stt_sim_now(w->sim);
    stt_sim_flood(
        w->sim, &(struct stt_sim_flood){
                    .per_second = 100000, .from = now, .until = now + ns, .ctx = f, .make = make});
}

static bool make_empty(void *ctx, uint64_t n, struct stt_sim_datagram *d)
{
    struct flood *f = ctx;
    anybody(f, d);
    if (n % 2)
        d->from = f->from; /* as if from the peer */
    d->len = 0;
    return true;
}

START_TEST(a_flood_of_empty_datagrams_moves_no_timer_case_13)
{
    struct world w = world_pair(.one_way_ms = 5);
    world_connect(&w, STT_MODE_K);
    world_run_for(&w, STT_S(1));
    struct flood f = flood_on(&w);
    size_t bytes = memory_of(&w, w.server);
    start_flood(&w, &f, STT_S(25), make_empty);
    world_run_for(&w, STT_S(22)); /* two keep-alives */
    struct stt_session_info client = info_of(&w, w.client), server = info_of(&w, w.server);
    world_require(&w, stt_sim_now(w.sim) - client.last_received_at <= STT_S(11));
    world_require(&w, stt_sim_now(w.sim) - server.last_received_at <= STT_S(11));
    world_require(&w, stats_of(&w, w.server).dropped_short_datagram >= 2200000);
    world_require(&w, stats_of(&w, w.server).datagrams_sent == server.packets_sent + 1);
    world_require(&w, memory_of(&w, w.server) <= bytes);
    world_require(&w, percent_answered(&w, STT_S(1)) >= 95);
    world_end(&w);
}
END_TEST

START_TEST(an_empty_datagram_is_no_reason_to_do_anything_case_13)
{
    static struct duo d;
    duo_init(&d, 1);
    duo_start(&d);
    duo_connect(&d, STT_MODE_K);
    duo_run_for(&d, STT_S(1));
    uint8_t room[DUO_ROOM];
    struct stt_train train;
    stt_ns deadline = stt_endpoint_deadline(d.server.ep);
    uint64_t allocs = d.server.te.allocs;
    for (int i = 0; i < 1000; i++) {
        duo_deliver_bytes(&d, &d.server, NULL, room, 0);
        ck_assert(!duo_transmit(&d, &d.server, room, &train));
        ck_assert_uint_eq(stt_endpoint_deadline(d.server.ep), deadline);
    }
    ck_assert_uint_eq(d.server.te.allocs, allocs);
    duo_end(&d);
}
END_TEST

/* -- packets for a live session -------------------------------------------------------------------
 */

static bool make_forged(void *ctx, uint64_t n, struct stt_sim_datagram *d)
{
    struct flood *f = ctx;
    anybody(f, d);
    if (n % 2)
        d->from = f->from;
    d->len = rng_between(&f->rng, STT_PROTECTED_BYTES_MIN, 200);
    if (n % 16 == 0)
        d->len = 1452;
    rng_fill(&f->rng, d->data, d->len);
    d->data[0] &= 0x7f;
    memcpy(d->data + 1, f->id, sizeof f->id);
    return true;
}

static uint8_t suite_id; /* of the world that is made next */

static void use_suite(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->n_suites = 1;
    config->suites[0] = stt_aead_by_id(suite_id, stt_cpu_detect());
}

static bool has_suite(uint8_t id)
{
    suite_id = id;
    return stt_aead_by_id(id, stt_cpu_detect()) != NULL;
}

START_TEST(forged_packets_for_a_live_session_do_not_disturb_it_case_14)
{
    if (!has_suite((uint8_t)_i))
        return;
    struct world w = world_pair(.one_way_ms = 5, .configure = use_suite);
    world_connect(&w, STT_MODE_K);
    world_run_for(&w, STT_S(1));
    struct flood f = flood_on(&w);
    struct stt_session *s = traitor_session(world_endpoint(&w, w.server), w.server->session);
    memcpy(f.id, s->ids.own[s->own_seen].id.bytes, sizeof f.id);
    size_t bytes = memory_of(&w, w.server);
    start_flood(&w, &f, STT_S(1), make_forged);
    world_require(&w, percent_answered(&w, STT_S(1)) >= 95); /* 80 are demanded */
    world_require(&w, info_of(&w, w.server).opens_failed >= 99999);
    world_require(&w, memory_of(&w, w.server) <= bytes + sizeof(struct stt_busy) + 4096);
    world_require(&w, !w.server->events[STT_EVENT_PATH] && !w.server->events[STT_EVENT_CLOSED]);
    struct stt_path path = info_of(&w, w.server).path;
    world_require(&w, memcmp(&path.remote, &f.from, sizeof f.from) == 0);
    world_end(&w);
}
END_TEST

/* -- damage ------------------------------------------------------------------------------------ */

static struct duo duo;

/* All that a packet could have changed; what counts drops is left out. */
struct view {
    struct stt_session_info info;
    struct stt_paths paths;
    struct stt_endpoint_stats stats;
    stt_ns deadline;
    uint64_t owed, allocs;
};

static struct view view_of(const struct duo_side *side)
{
    struct view v;
    memset(&v, 0, sizeof v);
    const struct stt_session *s = traitor_session(side->ep, side->session);
    v.info = duo_info(side);
    v.info.opens_failed = 0;
    v.paths = s->paths;
    v.stats = duo_stats(side);
    v.stats.datagrams_received = v.stats.bytes_received = 0;
#define X(name) v.stats.dropped_##name = 0;
    STT_DROPS(X)
#undef X
    v.deadline = stt_endpoint_deadline(side->ep);
    v.owed = s->owed;
    v.allocs = side->te.allocs;
    return v;
}

static bool views_are_equal(const struct view *a, const struct view *b)
{
    return memcmp(&a->paths, &b->paths, sizeof a->paths) == 0 &&
           memcmp(&a->stats, &b->stats, sizeof a->stats) == 0 && a->deadline == b->deadline &&
           a->owed == b->owed && a->allocs == b->allocs &&
           memcmp(&a->info.path, &b->info.path, sizeof a->info.path) == 0 &&
           a->info.packets_received == b->info.packets_received &&
           a->info.packets_sent == b->info.packets_sent &&
           a->info.last_received_at == b->info.last_received_at && a->info.epoch == b->info.epoch &&
           a->info.stalled == b->info.stalled && a->info.state == b->info.state &&
           a->info.rtt_ns == b->info.rtt_ns;
}

static void require_that_no_bit_matters(struct duo_side *to, const uint8_t *packet, size_t len)
{
    static const struct stt_address elsewhere = {.ip = {1, 2, 3}, .port = 9};
    uint8_t room[DUO_ROOM];
    struct stt_train train;
    struct stt_event event;
    struct view before = view_of(to);
    uint8_t damaged[STT_HANDSHAKE_BYTES];
    duo.now += STT_MS(3);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        memcpy(damaged, packet, len);
        damaged[bit / 8] ^= (uint8_t)(1u << bit % 8);
        duo_deliver_bytes(&duo, to, bit % 2 ? &elsewhere : NULL, damaged, len);
        struct view after = view_of(to);
        ck_assert_msg(views_are_equal(&before, &after), "bit %zu of %zu bytes", bit, len);
        ck_assert(!duo_transmit(&duo, to, room, &train));
        ck_assert(!stt_endpoint_event(to->ep, &event));
    }
}

/* Message 2 too is judged by a session, the initiator's. */
START_TEST(no_flipped_bit_of_a_packet_has_any_effect_case_15)
{
    uint8_t room[DUO_ROOM];
    struct stt_train train;
    if (!has_suite((uint8_t)_i))
        return;
    duo_init(&duo, 1);
    use_suite(&duo.client.config, true);
    use_suite(&duo.server.config, false);
    duo_start(&duo);
    ck_assert_int_eq(duo_begin(&duo, STT_MODE_K), STT_OK);
    ck_assert(duo_carry(&duo, &duo.client));
    ck_assert(duo_transmit(&duo, &duo.server, room, &train));
    require_that_no_bit_matters(&duo.client, train.data, train.len);
    duo_deliver(&duo, &duo.client, NULL, &train);
    duo_run_for(&duo, STT_S(1));

    ck_assert_int_eq(stt_session_update_keys(duo.client.ep, duo.now, duo.client.session), STT_OK);
    ck_assert(duo_transmit(&duo, &duo.client, room, &train));
    require_that_no_bit_matters(&duo.server, train.data, train.len);
    duo_deliver(&duo, &duo.server, NULL, &train);
    ck_assert_uint_eq(duo_info(&duo.server).epoch, 1);
    duo_run_for(&duo, STT_S(1));

    ck_assert_int_eq(
        stt_session_close(duo.client.ep, duo.now, duo.client.session, 1, "the last words"), STT_OK);
    ck_assert(duo_transmit(&duo, &duo.client, room, &train));
    require_that_no_bit_matters(&duo.server, train.data, train.len);
    duo_deliver(&duo, &duo.server, NULL, &train);
    duo_pull(&duo.server);
    ck_assert_uint_eq(duo.server.events[STT_EVENT_CLOSED], 1);
    duo_end(&duo);
}
END_TEST

START_TEST(a_session_begins_and_lives_while_every_packet_comes_damaged_first_case_15)
{
    static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};
    struct world w = world_pair(.seed = 1 + (uint64_t)_i, .one_way_ms = 5);
    stt_sim_forge(w.sim, w.links.forth);
    stt_sim_forge(w.sim, w.links.back);
    world_connect(&w, modes[_i % 3]);
    world_require(&w, percent_answered(&w, STT_S(5)) >= 95);
    world_require(&w, !w.server->events[STT_EVENT_PATH] && !w.client->events[STT_EVENT_PATH]);
    world_end(&w);
}
END_TEST

/* -- sizes ------------------------------------------------------------------------------------- */

enum { KINDS = 6 };

/* The end of each datagram is the end of its memory. */
START_TEST(every_length_of_every_kind_is_survived_case_16)
{
    duo_init(&duo, 1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(1));
    const struct stt_session *s = traitor_session(duo.server.ep, duo.server.session);
    uint8_t *memory = calloc(1, STT_DATAGRAM_BYTES_MAX);
    ck_assert_ptr_nonnull(memory);
    size_t bytes = duo.server.te.bytes_in_use;
    uint64_t sent = duo_stats(&duo.server).datagrams_sent;
    for (size_t len = 0; len <= STT_DATAGRAM_BYTES_MAX; len++) {
        for (unsigned kind = 0; kind <= KINDS; kind++) {
            uint8_t *data = memory + STT_DATAGRAM_BYTES_MAX - len;
            struct stt_train train = {.data = data, .len = len};
            train.path.local = duo.server.address;
            train.path.remote = duo.client.address;
            uint8_t head[10] = {(uint8_t)(kind ? 0x80 | kind << 4 | (1 + len % 4) : 0), 1};
            if (len % 3 == 0 || kind == 0)
                memcpy(head + (kind ? 2 : 1), s->ids.own[0].id.bytes, STT_ID_BYTES);
            memcpy(data, head, len < sizeof head ? len : sizeof head);
            stt_endpoint_receive(duo.server.ep, duo.now, &train);
        }
    }
    free(memory);
    ck_assert_uint_eq(duo.server.te.bytes_in_use, bytes);
    ck_assert_uint_eq(duo_stats(&duo.server).datagrams_sent, sent);
    ck_assert_str_eq(duo_info(&duo.server).state, "open");
    duo_run_for(&duo, STT_S(60));
    ck_assert_str_eq(duo_info(&duo.server).state, "open");
    duo_end(&duo);
}
END_TEST

/* -- copies ------------------------------------------------------------------------------------ */

struct victim {
    uint64_t bytes;
};

static void on_victim(void *ctx, stt_ns now, const struct stt_train *train)
{
    (void)now;
    ((struct victim *)ctx)->bytes += train->len;
}

static stt_sim_node add_victim(struct world *w, struct victim *v, uint32_t number)
{
    const struct stt_sim_machine machine = {.receive = on_victim};
    struct stt_address address = stt_sim_ipv4(number, STRANGER);
    stt_sim_node node = 0;
    world_require(w, stt_sim_machine_add(w->sim, &machine, v, &address, &node) == STT_OK);
    stt_sim_pair(w->sim, w->server->node, node, &(struct stt_link_config){.delay_ns = STT_MS(5)});
    return node;
}

START_TEST(one_copied_packet_from_elsewhere_is_challenged_and_traffic_returns_case_17)
{
    struct victim victim = {0};
    struct world w = world_pair(.one_way_ms = 5);
    world_connect(&w, STT_MODE_K);
    world_run_for(&w, STT_S(1));
    add_victim(&w, &victim, STRANGER);
    struct stt_address stranger = stt_sim_ipv4(STRANGER, STRANGER);
    static const uint8_t ping[] = {STT_FRAME_PING};
    uint8_t packet[TRAITOR_PACKET_MAX];
    struct stt_session *s = traitor_session(world_endpoint(&w, w.client), w.client->session);
    struct stt_sim_datagram d = {.from = stranger,
                                 .to = stt_sim_address(w.sim, w.server->node),
                                 .data = packet,
                                 .len = traitor_seal(s, BYTES(ping), packet),
                                 .room = sizeof packet};
    stt_sim_inject(w.sim, &d); /* it overtakes the original, which comes as a copy then */
    world_run_for(&w, STT_MS(1));
    struct stt_address there = info_of(&w, w.server).path.remote;
    world_require(&w, memcmp(&there, &stranger, sizeof stranger) == 0);
    d.from = stt_sim_address(w.sim, w.client->node);
    stt_sim_inject(w.sim, &d);
    world_run_for(&w, STT_MS(500));
    there = info_of(&w, w.server).path.remote;
    world_require(&w, memcmp(&there, &d.from, sizeof there) == 0);
    world_require(&w, victim.bytes > 0 && victim.bytes <= 3 * d.len);
    world_require(&w, !w.server->events[STT_EVENT_PATH]);
    world_require(&w, percent_answered(&w, STT_S(1)) >= 95);
    world_end(&w);
}
END_TEST

START_TEST(a_stranger_who_copies_every_packet_wins_neither_traffic_nor_an_amplifier_case_17)
{
    struct victim victim = {0};
    struct world w = world_pair(.one_way_ms = 5);
    world_connect(&w, STT_MODE_K);
    world_run_for(&w, STT_S(1));
    add_victim(&w, &victim, STRANGER);
    struct stt_address stranger = stt_sim_ipv4(STRANGER, STRANGER);
    struct stt_session_info before = info_of(&w, w.client);
    stt_sim_spoof(w.sim, w.links.forth, &stranger);
    world_require(&w, percent_answered(&w, STT_S(20)) >= 80);
    struct stt_session_info after = info_of(&w, w.client);
    world_require(&w, victim.bytes <= 3 * (after.bytes_sent - before.bytes_sent));
    world_require(&w, !w.server->events[STT_EVENT_PATH] && !w.client->events[STT_EVENT_PATH]);
    struct stt_address there = info_of(&w, w.server).path.remote;
    struct stt_address home = stt_sim_address(w.sim, w.client->node);
    world_require(&w, memcmp(&there, &home, sizeof home) == 0);
    world_end(&w);
}
END_TEST

static void answer_everything(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->accept = STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_W);
}

START_TEST(own_packets_that_come_back_are_nobodys_case_19)
{
    static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};
    static const uint32_t after_ms[] = {0, 3, 400};
    struct world w = world_pair(.one_way_ms = 5, .configure = answer_everything);
    uint32_t slot;
    char code[STT_CODE_TEXT_MAX];
    stt_sim_reflect(w.sim, w.links.forth, STT_MS(after_ms[_i / 3]));
    stt_sim_reflect(w.sim, w.links.back, STT_MS(after_ms[_i / 3]));
    int armed =
        stt_endpoint_code_new(world_endpoint(&w, w.client), stt_sim_now(w.sim), code, &slot);
    world_require(&w, armed == STT_OK); /* so that the client, too, would answer */
    world_connect(&w, modes[_i % 3]);
    world_require(&w, percent_answered(&w, STT_S(5)) >= 95);
    world_require(&w, stats_of(&w, w.client).sessions == 1);
    world_require(&w, stats_of(&w, w.server).sessions == 1);
    world_require(&w, stats_of(&w, w.client).handshakes_answered == 0);
    world_require(&w, !w.client->events[STT_EVENT_PATH] && !w.server->events[STT_EVENT_PATH]);
    world_end(&w);
}
END_TEST

/* -- strangers in numbers ---------------------------------------------------------------------- */

/* As good as one can make it without a secret: kind, version and length are right. */
static size_t make_stranger(struct rng *rng, uint8_t out[STT_HANDSHAKE_BYTES])
{
    static const struct {
        uint8_t kind;
        uint16_t len;
    } shapes[] = {{0, 60}, {1, 1200}, {2, 300}, {3, 200}, {4, 66}, {5, 27}, {0, 29}, {7, 100}};
    unsigned i = (unsigned)rng_below(rng, sizeof shapes / sizeof shapes[0]);
    rng_fill(rng, out, 64);
    uint8_t mode = (uint8_t)rng_between(rng, 1, 3);
    out[0] = (uint8_t)(shapes[i].kind ? 0x80 | shapes[i].kind << 4 | mode : out[0] & 0x7f);
    out[1] = shapes[i].kind ? STT_WIRE_VERSION : out[1];
    return shapes[i].len;
}

static uint64_t drops_of(const struct stt_endpoint_stats *s)
{
    uint64_t n = 0;
#define X(name) n += s->dropped_##name;
    STT_DROPS(X)
#undef X
    return n;
}

START_TEST(a_million_strangers_draw_no_byte_and_take_no_memory)
{
    enum { STRANGERS = 1000000 };
    uint8_t data[STT_HANDSHAKE_BYTES] = {0}, room[DUO_ROOM];
    struct stt_train out, in = {.data = data};
    struct rng rng = rng_init(1);
    duo_init(&duo, 1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(1));
    struct stt_endpoint_stats before = duo_stats(&duo.server);
    uint64_t allocs = duo.server.te.allocs;
    for (int i = 0; i < STRANGERS; i++) {
        in.len = make_stranger(&rng, data);
        in.path.remote = (struct stt_address){.port = (uint16_t)(1 + i % 65535)};
        memcpy(in.path.remote.ip, data + 40, 16);
        stt_endpoint_receive(duo.server.ep, duo.now + STT_US(i), &in);
        ck_assert(!duo_transmit(&duo, &duo.server, room, &out));
    }
    struct stt_endpoint_stats after = duo_stats(&duo.server);
    ck_assert_uint_eq(drops_of(&after) - drops_of(&before), STRANGERS);
    ck_assert_uint_eq(after.cookies_sent, 0);
    ck_assert_uint_eq(duo.server.te.allocs, allocs);
    duo_end(&duo);
}
END_TEST

/* What a stranger can know of the server, by how it makes its first messages. */
enum knowledge { KNOWS_NOTHING, KNOWS_PEER_ID, KNOWS_CODE_IS_ARMED, KNOWLEDGES };

static void put_mac1(uint8_t *message, const struct stt_mac_base *base)
{
    uint8_t key[STT_MAC_KEY_BYTES];
    struct bytes packet = bytes_of(message, STT_HANDSHAKE_BYTES);
    struct bytes before = stt_packet_before_mac1(STT_PACKET_MESSAGE_1, packet);
    stt_mac1_key(key, base, 1);
    stt_mac(message + before.len, key, before);
}

/* A new first message each time; its Noise message is noise. */
struct first_messages {
    struct flood flood;
    uint8_t message_1[STT_HANDSHAKE_BYTES];
    enum knowledge knows;
    struct stt_mac_base base;
};

static bool make_first(void *ctx, uint64_t n, struct stt_sim_datagram *d)
{
    struct first_messages *m = ctx;
    anybody(&m->flood, d);
    d->len = STT_HANDSHAKE_BYTES;
    memcpy(d->data, m->message_1, d->len);
    memcpy(d->data + 12, &n, sizeof n); /* in the ephemeral */
    if (m->knows == KNOWS_NOTHING)
        memset(d->data + STT_HANDSHAKE_BYTES - 2 * STT_MAC_BYTES, 0x77, STT_MAC_BYTES);
    else
        put_mac1(d->data, &m->base);
    return true;
}

static struct first_messages first_messages(struct world *w, enum knowledge knows)
{
    struct first_messages m = {.flood = flood_on(w), .knows = knows};
    struct packet_message_1 p = {.mode = knows == KNOWS_CODE_IS_ARMED ? STT_MODE_W : STT_MODE_K,
                                 .initiator = {{1}}};
    uint8_t noise[200];
    rng_fill(&m.flood.rng, noise, sizeof noise);
    p.noise = BYTES(noise);
    struct wr out = wr_init(m.message_1, sizeof m.message_1);
    world_require(w, stt_packet_message_1_encode(&out, &p));
    m.base = (struct stt_mac_base){.version = STT_WIRE_VERSION, .mode = (uint8_t)p.mode};
    if (knows == KNOWS_PEER_ID)
        m.base.material = BYTES(w->server->identity.static_public);
    return m;
}

START_TEST(a_flood_of_first_messages_draws_cookies_at_most)
{
    enum knowledge knows = (enum knowledge)_i;
    uint32_t slot;
    char code[STT_CODE_TEXT_MAX];
    struct world w = world_pair(.one_way_ms = 5);
    world_connect(&w, STT_MODE_K);
    world_run_for(&w, STT_S(1));
    world_require(&w, stt_endpoint_code_new(world_endpoint(&w, w.server), stt_sim_now(w.sim), code,
                                            &slot) == STT_OK);
    struct first_messages m = first_messages(&w, knows);
    struct stt_endpoint_stats before = stats_of(&w, w.server);
    struct stt_session_info session = info_of(&w, w.server);
    stt_sim_memory(w.sim, w.server->node)->bytes_peak = memory_of(&w, w.server);
    start_flood(&w, &m.flood, STT_S(2), make_first);
    world_require(&w, percent_answered(&w, STT_S(2)) >= 95); /* 80 are demanded */
    struct stt_endpoint_stats after = stats_of(&w, w.server);
    const struct stt_sim_memory *memory = stt_sim_memory(w.sim, w.server->node);
    uint64_t to_session = info_of(&w, w.server).packets_sent - session.packets_sent;
    uint64_t cookies = after.cookies_sent - before.cookies_sent;
    world_require(&w, after.datagrams_sent - before.datagrams_sent <= to_session + cookies);
    world_require(&w, knows == KNOWS_NOTHING ? cookies == 0 : cookies > 0);
    world_require(&w, cookies <= 2 * w.server_config.handshakes_per_second + 5001);
    world_require(&w, after.handshakes_answered == before.handshakes_answered);
    world_require(&w, after.half_open == 0 && after.sessions == 1);
    world_require(&w, memory->bytes_peak <= memory->bytes_in_use + 8192);
    world_end(&w);
}
END_TEST

/* Bytes that reach the server in two seconds. */
static uint64_t carry(struct flows *f, const struct flow *flow)
{
    uint64_t before = flows_peer(f, flow)->read;
    flows_run_for(f, STT_S(2));
    return flows_peer(f, flow)->read - before;
}

/* What a datagram costs in time is in bench/strangers; here it is what it brings about. */
START_TEST(a_live_session_keeps_its_goodput_beside_100000_first_messages_a_second)
{
    uint32_t slot;
    char code[STT_CODE_TEXT_MAX];
    struct flows f;
    struct world w = world_pair(.one_way_ms = 5, .rate_bits_per_s = 20000000, .queue_bytes = 25000);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    const struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX});
    flows_run_for(&f, STT_S(2));
    world_require(&w, stt_endpoint_code_new(world_endpoint(&w, w.server), stt_sim_now(w.sim), code,
                                            &slot) == STT_OK);
    uint64_t alone = carry(&f, flow);
    struct first_messages m = first_messages(&w, (enum knowledge)_i);
    uint64_t before = stats_of(&w, w.server).datagrams_received;
    start_flood(&w, &m.flood, STT_S(2), make_first);
    uint64_t flooded = carry(&f, flow);
    world_require(&w, stats_of(&w, w.server).datagrams_received - before >= 200000);
    world_require(&w, alone >= 20000000 / 8 * 2 * 9 / 10);
    ck_assert_msg(flooded * 10 >= alone * 9, "%llu of %llu bytes", /* 8 are demanded */
                  (unsigned long long)flooded, (unsigned long long)alone);
    flows_end(&f);
}
END_TEST

START_TEST(a_flood_of_first_messages_does_not_keep_others_from_connecting)
{
    static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};
    uint32_t slot;
    char code[STT_CODE_TEXT_MAX];
    struct world w = world_pair(.one_way_ms = 5);
    world_require(&w, stt_endpoint_code_new(world_endpoint(&w, w.server), stt_sim_now(w.sim), code,
                                            &slot) == STT_OK);
    struct first_messages m = first_messages(&w, (enum knowledge)(_i % KNOWLEDGES));
    start_flood(&w, &m.flood, STT_S(10), make_first);
    world_run_for(&w, STT_MS(100));
    world_connect(&w, modes[_i / KNOWLEDGES]);
    world_end(&w);
}
END_TEST

AGED_SUITE("strangers", TEST(a_flood_of_empty_datagrams_moves_no_timer_case_13),
           TEST(an_empty_datagram_is_no_reason_to_do_anything_case_13),
           LOOP(forged_packets_for_a_live_session_do_not_disturb_it_case_14, 1, 5),
           FRESH_LOOP(no_flipped_bit_of_a_packet_has_any_effect_case_15, 1, 5,
                      "it is made by hand"),
           LOOP(a_session_begins_and_lives_while_every_packet_comes_damaged_first_case_15, 0, 6),
           TEST(every_length_of_every_kind_is_survived_case_16),
           TEST(one_copied_packet_from_elsewhere_is_challenged_and_traffic_returns_case_17),
           TEST(a_stranger_who_copies_every_packet_wins_neither_traffic_nor_an_amplifier_case_17),
           LOOP(own_packets_that_come_back_are_nobodys_case_19, 0, 9),
           FRESH_TEST(a_million_strangers_draw_no_byte_and_take_no_memory, "not about the session"),
           FRESH_LOOP(a_flood_of_first_messages_draws_cookies_at_most, 0, KNOWLEDGES,
                      "not about the session"),
           LOOP(a_live_session_keeps_its_goodput_beside_100000_first_messages_a_second, 0,
                KNOWLEDGES),
           FRESH_LOOP(a_flood_of_first_messages_does_not_keep_others_from_connecting, 0,
                      3 * KNOWLEDGES, "not about the session"))
