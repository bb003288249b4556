/* SPDX-License-Identifier: MIT
 * What comes to one worker and is another's: trains that mix sessions, and messages that are sent
 * once more from elsewhere. A relay stands between the clients and the crew. */
#include "stt/session/engine.h"
#include "stt/wire/packet.h"
#include "tests/support/crews.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};
enum { IOS = 2, QUEUE_MAX = 512, MIX = 40, ROOM = 65536, COPIES = 16 };

static struct crews s; /* one test, one process */
static struct clients c;

/* -- a relay -------------------------------------------------------------------------------------
 */

/* What came from one session and has not gone on yet. */
struct queue {
    uint32_t first, n;
    struct {
        size_t len;
        uint8_t data[1500];
    } at[QUEUE_MAX];
};

static struct relay {
    struct stt_socket in, out; /* towards the client, and the crew */
    struct stt_address client, server;
    char at_text[STT_ADDRESS_TEXT_ROOM];
    struct queue of[2]; /* by worker: of the first session's, and of others */
    uint16_t first;
    uint64_t mixed; /* trains that had both in them */
    size_t message_1_len;
    uint8_t message_1[1500];
} relay;

static void relay_begin(void)
{
    relay.in = udp_open("127.0.0.1");
    relay.out = udp_open("127.0.0.1");
    relay.server = s.at;
    stt_address_text(&relay.in.local, relay.at_text);
    c.also[0] = relay.in.fd;
    c.also[1] = relay.out.fd;
    c.n_also = 2;
}

static void send_to(const struct stt_socket *from, struct stt_address to, struct stt_driver_train t)
{
    t.remote = to;
    t.local = (struct stt_address){.port = 0};
    ck_assert_int_eq(udp_send(from, &t, 0), 0);
}

static void send_one(const uint8_t *data, size_t len)
{
    send_to(&relay.out, relay.server,
            (struct stt_driver_train){
                .data = (uint8_t *)(uintptr_t)data, .len = len, .segment_bytes = len});
}

static uint16_t worker_of(struct bytes datagram)
{
    return (uint16_t)stt_id_worker(stt_packet_id(datagram), &s.crew->steering.key, s.crew->workers);
}

static void sort(struct bytes datagram)
{
    enum stt_packet_kind kind = stt_packet_classify(datagram);
    struct queue *q = &relay.of[worker_of(datagram) != relay.first];
    if (kind == STT_PACKET_MESSAGE_1) {
        relay.message_1_len = datagram.len;
        memcpy(relay.message_1, datagram.data, datagram.len);
    }
    if (kind != STT_PACKET_PROTECTED || q->n == QUEUE_MAX) {
        send_one(datagram.data, datagram.len);
        return;
    }
    uint32_t at = (q->first + q->n++) % QUEUE_MAX;
    q->at[at].len = datagram.len;
    memcpy(q->at[at].data, datagram.data, datagram.len);
}

static size_t next_len(const struct queue *q)
{
    return q->n ? q->at[q->first].len : 0;
}

static void take(struct queue *q, struct stt_driver_train *t)
{
    memcpy(t->data + t->len, q->at[q->first].data, q->at[q->first].len);
    t->len += q->at[q->first].len;
    q->first = (q->first + 1) % QUEUE_MAX;
    q->n--;
}

/* One of this, one of that, as long as they have the same size. */
static void send_mixed(void)
{
    static uint8_t room[ROOM];
    while (relay.of[0].n || relay.of[1].n) {
        struct stt_driver_train t = {.data = room};
        bool has[2] = {false, false};
        t.segment_bytes = next_len(&relay.of[!relay.of[0].n]);
        for (uint32_t i = 0; t.len / t.segment_bytes < MIX; i++) {
            bool any = next_len(&relay.of[i % 2]) == t.segment_bytes;
            if (!any && next_len(&relay.of[(i + 1) % 2]) != t.segment_bytes)
                break;
            if (any)
                take(&relay.of[i % 2], &t);
            has[i % 2] = has[i % 2] || any;
        }
        relay.mixed += has[0] && has[1];
        send_to(&relay.out, relay.server, t);
    }
}

/* All that is there, so that sessions which sent in turn are mixed. */
static void relay_turn(void)
{
    static uint8_t room[ROOM];
    struct stt_driver_train t;
    while (udp_is_readable(relay.in.fd, 0) && udp_receive(&relay.in, &t, room, ROOM, NULL)) {
        relay.client = t.remote;
        for (size_t at = 0; at < t.len; at += t.segment_bytes) {
            size_t left = t.len - at;
            sort(bytes_of(t.data + at, left < t.segment_bytes ? left : t.segment_bytes));
        }
    }
    send_mixed();
    while (udp_is_readable(relay.out.fd, 0) && udp_receive(&relay.out, &t, room, ROOM, NULL))
        send_to(&relay.in, relay.client, t);
}

static bool relay_until(bool (*reached)(const struct clients *c))
{
    stt_ns until = stt_node_now(c.of[0].node) + STT_S(60);
    while (!reached(&c) && stt_node_now(c.of[0].node) < until) {
        clients_turn(&c, 1000);
        relay_turn();
    }
    return reached(&c);
}

static void relay_end(void)
{
    close(relay.in.fd);
    close(relay.out.fd);
    clients_end(&c);
    crews_end(&s);
}

/* -- mixed trains --------------------------------------------------------------------------------
 */

/* The one that it sends to, an id of the crew's. */
static uint16_t worker_of_talk(const struct talk *t)
{
    const struct stt_session *session =
        stt_endpoint_find(stt_node_endpoint(c.of[0].node), t->session);
    const struct stt_id *id = stt_session_ids_current(&session->ids);
    return (uint16_t)stt_id_worker(*id, &s.crew->steering.key, s.crew->workers);
}

static uint64_t sum_of(size_t member)
{
    uint64_t n = 0, one;
    for (uint32_t i = 0; i < s.wishes.workers; i++) {
        memcpy(&one, (const uint8_t *)&s.of[i] + member, sizeof one);
        n += one;
    }
    return n;
}
#define SUM(member) sum_of(offsetof(struct crews_worker, member))

static bool begin(enum stt_io io, bool is_unsteered, uint32_t talks)
{
    struct crews_wishes wishes = {.io = io, .workers = 4, .is_unsteered = is_unsteered};
    if (!crews_begin(&s, &wishes))
        return false;
    clients_begin(&c, &s, 1, talks);
    relay_begin();
    return true;
}

/* Sixteen sessions come to one worker once in 4^15. */
START_TEST(two_sessions_behind_one_port_in_the_same_trains_lose_nothing)
{
    if (!begin(ios[_i], false, 16))
        return;
    struct talk *t = c.of[0].talks;
    for (uint32_t i = 0; i < 16; i++)
        client_connect(&c, &c.of[0], &t[i], relay.at_text, NULL);
    ck_assert(relay_until(clients_are_connected));
    uint32_t other = 1;
    while (other < 15 && worker_of_talk(&t[other]) == worker_of_talk(&t[0]))
        other++;
    relay.first = worker_of_talk(&t[0]);
    struct talk both[2] = {t[0], t[other]};
    memset(t, 0, sizeof c.of[0].talks);
    memcpy(t, both, sizeof both);
    c.talks = 2;
    for (uint32_t i = 0; i < 2; i++)
        client_say(&c.of[0], &t[i], 24 << 20);
    ck_assert(relay_until(clients_have_echo));
    relay_end();
    ck_assert_uint_gt(relay.mixed, 10);
    ck_assert_uint_gt(SUM(handed_over), 10);
    ck_assert_uint_eq(SUM(events[STT_EVENT_STALLED]), 0);
    ck_assert_uint_eq(SUM(stats.dropped_unknown_session), 0);
}
END_TEST

/* -- copies --------------------------------------------------------------------------------------
 */

static atomic_uint n_reported, n_replayed;

static void report(struct stt_node *node, void *ctx)
{
    struct stt_endpoint_stats stats;
    (void)ctx;
    stt_endpoint_stats(stt_node_endpoint(node), &stats);
    n_replayed += (unsigned)stats.dropped_replayed_ephemeral;
    n_reported++;
}

static unsigned ask_all(void)
{
    n_reported = n_replayed = 0;
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_int_eq(stt_node_post(stt_crew_node(s.crew, i), report, NULL), STT_OK);
    while (n_reported < 4)
        sched_yield();
    return n_replayed;
}

/* From addresses that the kernel spreads over all workers, where it does not steer. */
START_TEST(a_message_1_that_is_sent_once_more_meets_who_has_seen_it)
{
    if (!begin(ios[_i % IOS], _i / IOS, 1))
        return;
    client_connect(&c, &c.of[0], &c.of[0].talks[0], relay.at_text, NULL);
    ck_assert(relay_until(clients_are_connected));
    client_say(&c.of[0], &c.of[0].talks[0], 1000);
    ck_assert(relay_until(clients_have_echo));
    ck_assert_uint_gt(relay.message_1_len, 0);
    for (uint32_t i = 0; i < COPIES; i++) {
        struct stt_socket elsewhere = udp_open("127.0.0.1");
        send_to(&elsewhere, relay.server,
                (struct stt_driver_train){.data = relay.message_1,
                                          .len = relay.message_1_len,
                                          .segment_bytes = relay.message_1_len});
        close(elsewhere.fd);
    }
    stt_ns until = stt_node_now(c.of[0].node) + STT_S(20);
    while (ask_all() < COPIES && stt_node_now(c.of[0].node) < until)
        sched_yield();
    ck_assert_uint_eq(ask_all(), COPIES);
    relay_end();
    ck_assert_uint_eq(SUM(stats.handshakes_answered), 1);
    if (_i / IOS)
        ck_assert_uint_gt(SUM(handed_over), 0);
}
END_TEST

/* -- the queue -----------------------------------------------------------------------------------
 */

enum { PUTTERS = 3, PARCELS = 4000, PARCEL_MAX = 9000 };

static struct putter {
    struct stt_handover *queue;
    uint8_t number;
} putters[PUTTERS];

static size_t len_of(uint8_t putter, uint32_t turn)
{
    return 5 + (turn * 977u + putter) % (PARCEL_MAX - 5);
}

/* Its number, its turn, and so many bytes that both name; where there is no room, once more. */
static void *put_parcels(void *ctx)
{
    static _Thread_local uint8_t data[PARCEL_MAX];
    const struct putter *p = ctx;
    const uint16_t to = 7;
    for (uint32_t turn = 0; turn < PARCELS; turn++) {
        struct stt_train t = {.data = data, .len = len_of(p->number, turn)};
        data[0] = p->number;
        memcpy(data + 1, &turn, sizeof turn);
        memset(data + 5, (int)(turn + p->number), t.len - 5);
        while (!stt_handover_put(p->queue, &t, 1, &to, 7))
            sched_yield();
    }
    return NULL;
}

static bool is_whole(const struct stt_train *t, uint32_t turn)
{
    uint8_t wanted = (uint8_t)(turn + t->data[0]);
    bool is_whole = t->len == len_of(t->data[0], turn);
    for (size_t i = 5; i < t->len; i++)
        is_whole = is_whole && t->data[i] == wanted;
    return is_whole;
}

START_TEST(what_many_put_at_once_is_taken_whole_and_in_the_order_of_each)
{
    struct stt_handover queue;
    pthread_t threads[PUTTERS];
    uint32_t turns[PUTTERS] = {0}, turn;
    struct stt_train got;
    ck_assert_int_eq(stt_handover_init(&queue), STT_OK);
    for (uint8_t i = 0; i < PUTTERS; i++) {
        putters[i] = (struct putter){&queue, i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, put_parcels, &putters[i]), 0);
    }
    for (uint32_t n = 0; n < PUTTERS * PARCELS;) {
        if (!stt_handover_take(&queue, &got)) {
            sched_yield();
            continue;
        }
        memcpy(&turn, got.data + 1, sizeof turn);
        ck_assert_uint_lt(got.data[0], PUTTERS);
        ck_assert_uint_eq(turn, turns[got.data[0]]++);
        ck_assert(is_whole(&got, turn));
        memset(got.data, 0xff, got.len); /* it may be changed */
        n++;
    }
    for (uint32_t i = 0; i < PUTTERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert(!stt_handover_take(&queue, &got));
    stt_handover_fini(&queue);
}
END_TEST

SUITE("handover_threads", TEST(what_many_put_at_once_is_taken_whole_and_in_the_order_of_each),
      LOOP(two_sessions_behind_one_port_in_the_same_trains_lose_nothing, 0, IOS),
      LOOP(a_message_1_that_is_sent_once_more_meets_who_has_seen_it, 0, 2 * IOS))
