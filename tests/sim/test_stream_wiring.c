/* SPDX-License-Identifier: MIT
 * Where the parts of a stream meet: an end that comes while something is half done, memory that
 * runs out in the middle, a limit that holds back what is late. Two endpoints, and a network that
 * the test carries by hand. */
#include "stt/datagrams.h"
#include "stt/session/engine.h"
#include "stt/streams.h"
#include "tests/support/duo.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

static struct duo duo;
static stt_handle ours, theirs; /* a stream of the client's, at both sides; 0: not heard of */
static uint32_t heard[2];       /* STT_STREAM_ bits of all streams, by side */
static uint8_t data[1 << 20];

static void setup_with(void (*configure)(struct stt_config *config))
{
    duo_init(&duo, 1);
    if (configure) {
        configure(&duo.client.config);
        configure(&duo.server.config);
    }
    duo.latency_ns = STT_MS(1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(1));
    ours = theirs = 0;
    heard[0] = heard[1] = 0;
}

static void pull(void)
{
    struct stt_stream_event e;
    while (stt_endpoint_stream_event(duo.client.ep, &e))
        heard[0] |= e.what;
    while (stt_endpoint_stream_event(duo.server.ep, &e)) {
        heard[1] |= e.what;
        if (e.what & STT_STREAM_OPENED)
            theirs = e.stream;
    }
}

static void run_for(stt_ns ns)
{
    duo_run_for(&duo, ns);
    pull();
}

static stt_handle open_stream(bool messages)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    o.messages = messages;
    o.no_delay = true;
    ck_assert_int_eq(stt_stream_open(duo.client.ep, duo.now, duo.client.session, &o, &stream),
                     STT_OK);
    return stream;
}

static size_t write_to(stt_handle stream, size_t len)
{
    size_t written;
    ck_assert_int_eq(stt_stream_write(duo.client.ep, duo.now, stream, data, len, &written), STT_OK);
    return written;
}

static struct stt_stream_info info_of(const struct duo_side *side, stt_handle stream)
{
    struct stt_stream_info info;
    ck_assert_int_eq(stt_stream_info(side->ep, stream, &info), STT_OK);
    return info;
}

/* -- ends -------------------------------------------------------------------------------------- */

START_TEST(what_was_cut_off_is_never_read_to_its_end)
{
    uint8_t b[100];
    size_t len;
    setup_with(NULL);
    ours = open_stream(false);
    write_to(ours, 5000);
    run_for(STT_S(1));
    if (_i) { /* the reader wants no more, and then it ends */
        ck_assert_int_eq(stt_stream_stop(duo.server.ep, duo.now, theirs, 1), STT_OK);
        ck_assert_int_eq(stt_stream_finish(duo.client.ep, duo.now, ours), STT_OK);
    } else {
        ck_assert_int_eq(stt_stream_reset(duo.client.ep, duo.now, ours, 1), STT_OK);
    }
    run_for(STT_S(1));
    ck_assert_int_eq(stt_stream_read(duo.server.ep, duo.now, theirs, b, sizeof b, &len), STT_OK);
    ck_assert_uint_eq(len, 0);
    ck_assert(!info_of(&duo.server, theirs).is_read_to_end);
    duo_end(&duo);
}
END_TEST

/* Both give up at once, and the STOP is lost: each hears of its peer's code what concerns it. */
START_TEST(a_reset_that_crosses_a_stop_is_told_with_its_own_code)
{
    struct stt_stream_event e, last = {.what = 0};
    setup_with(NULL);
    ours = open_stream(false);
    write_to(ours, 100);
    run_for(STT_S(1));
    ck_assert_int_eq(stt_stream_stop(duo.server.ep, duo.now, theirs, 5), STT_OK);
    duo_swallow(&duo, &duo.server);
    ck_assert_int_eq(stt_stream_reset(duo.client.ep, duo.now, ours, 7), STT_OK);
    for (int i = 0; i < 500; i++) {
        duo_run_for(&duo, STT_MS(10));
        const struct stt_stream *t = stt_stream_find(duo.server.ep, theirs);
        ck_assert(!(t->owes & STT_STREAM_OWES_STOP));
        ck_assert(stt_list_is_linked(&t->owed) == (t->owes != 0));
    }
    while (stt_endpoint_stream_event(duo.server.ep, &e))
        last = e.stream == theirs && e.what & STT_STREAM_RESET ? e : last;
    ck_assert_uint_eq(last.reset_code, 7);
    ck_assert_uint_eq(last.stop_code, 0);
    while (stt_endpoint_stream_event(duo.client.ep, &e))
        ck_assert(!(e.what & STT_STREAM_STOPPED) && e.stop_code == 0 && e.reset_code == 0);
    duo_end(&duo);
}
END_TEST

/* _i: messages, or bytes. */
START_TEST(who_reads_in_place_comes_to_the_end_as_well)
{
    struct stt_message_part part;
    struct stt_part bytes;
    setup_with(NULL);
    ours = open_stream(_i);
    write_to(ours, 100);
    run_for(STT_S(1));
    for (int i = 0; i < 2; i++) { /* the end comes after everything else */
        ck_assert(!info_of(&duo.server, theirs).is_read_to_end);
        size_t n = _i ? stt_stream_peek_messages(duo.server.ep, theirs, &part, 1)
                      : stt_stream_peek(duo.server.ep, theirs, &bytes, 1);
        ck_assert_uint_eq(n, i == 0);
        ck_assert_int_eq(_i ? stt_stream_consume_messages(duo.server.ep, duo.now, theirs, n)
                            : stt_stream_consume(duo.server.ep, duo.now, theirs, n ? bytes.len : 0),
                         STT_OK);
        (void)stt_stream_finish(duo.client.ep, duo.now, ours);
        run_for(STT_S(1));
    }
    ck_assert(info_of(&duo.server, theirs).is_read_to_end);
    duo_end(&duo);
}
END_TEST

/* A message of which the reader has taken a part, and which does not come to its end. */
static void cut_a_message(void)
{
    struct stt_message_read m;
    uint8_t b[100];
    setup_with(NULL);
    ours = open_stream(true);
    write_to(ours, 100000); /* more than the window: it has not all been sent */
    run_for(STT_S(1));
    ck_assert_int_eq(stt_stream_read_message(duo.server.ep, duo.now, theirs, b, sizeof b, &m),
                     STT_OK);
    ck_assert(m.len == sizeof b && !m.is_whole);
}

START_TEST(a_reset_inside_of_a_message_is_no_fault_of_the_peer)
{
    struct stt_message_read m;
    uint8_t b[100];
    cut_a_message();
    ck_assert_int_eq(stt_stream_reset(duo.client.ep, duo.now, ours, 1), STT_OK);
    run_for(STT_S(1));
    ck_assert(heard[1] & STT_STREAM_RESET);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(stt_stream_read_message(duo.server.ep, duo.now, theirs, b, sizeof b, &m),
                         STT_E_AGAIN);
    struct stt_message_part part;
    ck_assert_uint_eq(stt_stream_peek_messages(duo.server.ep, theirs, &part, 1), 0);
    run_for(STT_S(1));
    ck_assert_str_eq(duo_info(&duo.server).state, "open");
    duo_end(&duo);
}
END_TEST

START_TEST(a_stop_inside_of_a_message_is_followed_by_nothing)
{
    struct stt_message_read m;
    uint8_t b[100];
    cut_a_message();
    ck_assert_int_eq(stt_stream_stop(duo.server.ep, duo.now, theirs, 1), STT_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(stt_stream_read_message(duo.server.ep, duo.now, theirs, b, sizeof b, &m),
                         STT_E_AGAIN);
        run_for(STT_S(1));
    }
    ck_assert(heard[0] & STT_STREAM_STOPPED);
    ck_assert_str_eq(duo_info(&duo.server).state, "open");
    duo_end(&duo);
}
END_TEST

static void hear_acks(void)
{
    duo.now += STT_MS(30); /* longer than acks wait */
    stt_endpoint_expire(duo.server.ep, duo.now);
    ck_assert(duo_carry(&duo, &duo.server));
    pull();
}

/* Of three packets the last, with FIN, has arrived when the stream is reset; then the second does,
 * and RESET is lost at first. */
START_TEST(a_reset_is_told_even_if_the_end_of_the_stream_has_arrived)
{
    static uint8_t first[DUO_ROOM], second[DUO_ROOM];
    struct stt_train train;
    size_t len;
    setup_with(NULL);
    ours = open_stream(false);
    write_to(ours, 100);
    run_for(STT_S(1));
    ck_assert_int_eq(stt_stream_finish(duo.server.ep, duo.now, theirs), STT_OK);
    run_for(STT_S(1));
    ck_assert_int_eq(stt_stream_read(duo.client.ep, duo.now, ours, data, 1, &len), STT_OK);
    write_to(ours, 1000);
    ck_assert(duo_transmit(&duo, &duo.client, first, &train));
    write_to(ours, 1000);
    ck_assert(duo_transmit(&duo, &duo.client, second, &train));
    ck_assert_int_eq(stt_stream_finish(duo.client.ep, duo.now, ours), STT_OK);
    ck_assert(duo_carry(&duo, &duo.client));
    hear_acks();
    ck_assert_int_eq(stt_stream_reset(duo.client.ep, duo.now, ours, 7), STT_OK);
    duo_swallow(&duo, &duo.client);
    duo_deliver(&duo, &duo.server, NULL, &train);
    hear_acks();
    run_for(STT_S(5));
    ck_assert(heard[1] & STT_STREAM_RESET);
    ck_assert(heard[0] & STT_STREAM_ENDED && heard[1] & STT_STREAM_ENDED);
    duo_end(&duo);
}
END_TEST

/* -- misuse ------------------------------------------------------------------------------------ */

START_TEST(more_is_not_committed_than_was_reserved)
{
    void *to;
    size_t len;
    setup_with(NULL);
    ours = open_stream(false);
    ck_assert_int_eq(stt_stream_commit(duo.client.ep, duo.now, ours, 1), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_stream_reserve(duo.client.ep, ours, &to, &len), STT_OK);
    memset(to, 1, len);
    ck_assert_int_eq(stt_stream_commit(duo.client.ep, duo.now, ours, len + 1), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_stream_commit(duo.client.ep, duo.now, ours, len), STT_OK);
    ck_assert_int_eq(stt_stream_commit(duo.client.ep, duo.now, ours, 1), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_stream_commit(duo.client.ep, duo.now, ours, 0), STT_OK);
    ck_assert_int_eq(stt_stream_commit(duo.client.ep, duo.now, open_stream(true), 0), STT_E_STATE);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.client, ours).bytes_acked, len);
    duo_end(&duo);
}
END_TEST

/* -- limits ------------------------------------------------------------------------------------ */

static void tight_session(struct stt_config *config)
{
    config->session_window_bytes = config->session_window_max = config->stream_window_bytes;
    config->stream_window_max = config->stream_window_bytes;
}

static void read_all(stt_handle stream)
{
    size_t len;
    do
        ck_assert_int_eq(stt_stream_read(duo.server.ep, duo.now, stream, data, sizeof data, &len),
                         STT_OK);
    while (len);
}

/* Another stream has used up the limit of the session. _i: and meanwhile one more is written. */
START_TEST(a_message_that_is_late_behind_the_limit_of_the_session_is_given_up_when_it_rises)
{
    setup_with(tight_session);
    stt_handle other = open_stream(false);
    write_to(other, 65536);
    run_for(STT_S(1));
    stt_handle others = theirs;
    ours = open_stream(true);
    ck_assert_int_eq(
        stt_stream_write_message(duo.client.ep, duo.now, ours, data, 30000, STT_MS(50)), STT_OK);
    run_for(STT_S(1));
    if (_i) {
        ck_assert_int_eq(
            stt_stream_write_message(duo.client.ep, duo.now, ours, data, 30000, STT_MS(50)),
            STT_OK);
        run_for(STT_S(1));
    }
    size_t len; /* too little for all of the message */
    ck_assert_int_eq(stt_stream_read(duo.server.ep, duo.now, others, data, 20000, &len), STT_OK);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.client, ours).messages_skipped, 0);
    read_all(others);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.client, ours).messages_skipped, 1 + (uint64_t)_i);
    ck_assert_int_eq(stt_stream_finish(duo.client.ep, duo.now, ours), STT_OK);
    heard[0] = 0;
    run_for(STT_S(1));
    ck_assert(heard[0] & STT_STREAM_FINISHED);
    duo_end(&duo);
}
END_TEST

/* It has said so when there was nothing to tell, and then the reader takes less than a quarter of
 * the window. _i: by the limit of the session, because another stream is not read; or by its own.
 */
START_TEST(a_peer_that_is_blocked_is_told_of_a_packets_worth)
{
    size_t len;
    setup_with(tight_session);
    ours = open_stream(false);
    run_for(STT_S(1));
    stt_handle held_back = theirs;
    write_to(_i ? open_stream(false) : ours, 65536);
    run_for(STT_S(1));
    stt_handle taken_from = theirs;
    uint64_t before = info_of(&duo.server, held_back).bytes_received;
    write_to(ours, 1000);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.server, held_back).bytes_received, before);
    ck_assert_int_eq(stt_stream_read(duo.server.ep, duo.now, taken_from, data, 1199, &len), STT_OK);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.server, held_back).bytes_received, before);
    ck_assert_int_eq(stt_stream_read(duo.server.ep, duo.now, taken_from, data, 1, &len), STT_OK);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.server, held_back).bytes_received, before + 1000);
    duo_end(&duo);
}
END_TEST

/* Nobody reads until it is late. */
START_TEST(a_late_message_that_is_longer_than_the_window_is_given_up_as_well)
{
    struct stt_message_read m;
    uint64_t here = 0;
    setup_with(NULL);
    ours = open_stream(true);
    ck_assert_int_eq(stt_stream_write_message(duo.client.ep, duo.now, ours, data, 300000,
                                              _i ? STT_MS(1) : STT_MS(50)),
                     STT_OK);
    write_to(ours, 1000);
    if (_i) /* before anything was sent */
        duo.now += STT_MS(10);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.client, ours).messages_skipped, 0);
    for (int i = 0; i < 100; i++, run_for(STT_MS(10)))
        while (stt_stream_read_message(duo.server.ep, duo.now, theirs, data, sizeof data, &m) ==
               STT_OK)
            here += m.len + m.skipped;
    ck_assert(m.len == 0 && here > 300000);
    ck_assert_uint_eq(info_of(&duo.client, ours).messages_skipped, 1);
    ck_assert_uint_eq(info_of(&duo.server, theirs).bytes_consumed, 4 + 300000 + 2 + 1000);
    duo_end(&duo);
}
END_TEST

/* The reader has taken too little for it to be told by itself. */
START_TEST(a_peer_that_has_nothing_to_send_but_what_is_blocked_says_so)
{
    size_t len;
    setup_with(tight_session);
    ours = open_stream(false);
    run_for(STT_S(1));
    stt_handle held_back = theirs;
    write_to(open_stream(false), 65536);
    run_for(STT_S(1));
    ck_assert_int_eq(stt_stream_read(duo.server.ep, duo.now, theirs, data, 4000, &len), STT_OK);
    run_for(STT_S(1));
    write_to(ours, 1000);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.server, held_back).bytes_received, 1000);
    duo_end(&duo);
}
END_TEST

/* One is late before its turn has come; the one before it is late when its end is sent, and nobody
 * has looked at the clock. None is given up before that train is sealed. */
START_TEST(what_a_train_is_made_of_is_not_given_up_under_it)
{
    setup_with(NULL);
    ours = open_stream(true);
    stt_ns begin = duo.now;
    ck_assert_int_eq(
        stt_stream_write_message(duo.client.ep, duo.now, ours, data, 20000, STT_MS(100)), STT_OK);
    ck_assert_int_eq(stt_stream_write_message(duo.client.ep, duo.now, ours, data, 1000, STT_MS(10)),
                     STT_OK);
    ck_assert(duo_carry(&duo, &duo.client));
    ck_assert(duo_carry(&duo, &duo.server));
    duo.now = begin + STT_MS(20);
    stt_endpoint_expire(duo.client.ep, duo.now);
    ck_assert_uint_lt(info_of(&duo.client, ours).bytes_sent, 20000);
    duo.now = begin + STT_MS(200);
    ck_assert(duo_carry(&duo, &duo.client));
    ck_assert_uint_eq(info_of(&duo.client, ours).messages_skipped, 0);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.client, ours).messages_skipped, 1); /* one has arrived */
    duo_end(&duo);
}
END_TEST

/* -- packets ----------------------------------------------------------------------------------- */

/* Around the end of a packet, where there is room for few bytes more. */
START_TEST(a_datagram_behind_the_data_of_a_stream_is_none_of_it)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    setup_with(NULL);
    o.urgency = 0; /* before datagrams */
    o.no_delay = true;
    for (size_t len = 1150; len < 1175; len++) {
        int error = stt_stream_open(duo.client.ep, duo.now, duo.client.session, &o, &ours);
        ck_assert_int_eq(error, STT_OK);
        error =
            stt_datagram_send(duo.client.ep, duo.now, duo.client.session, data, (size_t)_i, NULL);
        ck_assert_int_eq(error, STT_OK);
        write_to(ours, len);
        run_for(STT_S(1));
        ck_assert_uint_eq(info_of(&duo.server, theirs).bytes_received, len);
        ck_assert_int_eq(stt_stream_finish(duo.client.ep, duo.now, ours), STT_OK);
        run_for(STT_S(1));
        ck_assert_str_eq(duo_info(&duo.server).state, "open");
        ck_assert_int_eq(stt_datagram_consume(duo.server.ep, duo.server.session), STT_OK);
    }
    duo_end(&duo);
}
END_TEST

static void no_delay(struct stt_config *config)
{
    config->no_delay = true;
}

/* When a byte that the server writes to the client's stream has come. */
static stt_ns time_to_answer(void (*configure)(struct stt_config *config))
{
    size_t written;
    setup_with(configure);
    ours = open_stream(false);
    write_to(ours, 100);
    run_for(STT_S(1));
    stt_ns began = duo.now;
    ck_assert_int_eq(stt_stream_write(duo.server.ep, duo.now, theirs, data, 1, &written), STT_OK);
    for (heard[0] = 0; !(heard[0] & STT_STREAM_READABLE); pull()) {
        ck_assert_uint_lt(duo.now, began + STT_S(1));
        duo_run_for(&duo, STT_US(10));
    }
    stt_ns took = duo.now - began;
    duo_end(&duo);
    return took;
}

/* It holds for both ends of a stream, each for what it writes. */
START_TEST(a_small_answer_goes_at_once_where_the_config_says_no_delay)
{
    ck_assert_uint_ge(time_to_answer(NULL), STT_COALESCE_NS + duo.latency_ns);
    ck_assert_uint_lt(time_to_answer(no_delay), duo.latency_ns + STT_US(100));
}
END_TEST

static void large_packets(struct stt_config *config)
{
    config->packet_bytes = 40000;
    config->max_frame_bytes = 65536;
}

START_TEST(data_ends_anywhere_around_the_end_of_a_large_packet)
{
    setup_with(large_packets);
    for (size_t len = 39960; len < 39975; len++) {
        ours = open_stream(false);
        write_to(ours, len);
        run_for(STT_S(1));
        ck_assert_uint_eq(info_of(&duo.server, theirs).bytes_received, len);
        ck_assert_int_eq(stt_stream_reset(duo.client.ep, duo.now, ours, 1), STT_OK);
        run_for(STT_S(1));
    }
    duo_end(&duo);
}
END_TEST

START_TEST(the_longest_datagrams_fit_large_packets)
{
    size_t len;
    setup_with(large_packets);
    size_t max = stt_datagram_bytes_max(duo.client.ep, duo.client.session);
    ck_assert_uint_gt(max, 39900);
    for (size_t sent = max - 10; sent <= max; sent++) {
        int error = stt_datagram_send(duo.client.ep, duo.now, duo.client.session, data, sent, NULL);
        ck_assert_int_eq(error, STT_OK);
        run_for(STT_S(1));
        error = stt_datagram_read(duo.server.ep, duo.server.session, data, sizeof data, &len);
        ck_assert_int_eq(error, STT_OK);
        ck_assert_uint_eq(len, sent);
    }
    duo_end(&duo);
}
END_TEST

/* -- memory ------------------------------------------------------------------------------------ */

static void little_memory(struct stt_config *config)
{
    config->stream_memory_max = 1 << 20;
}

/* All of them want more than is there, and then one gives up. */
START_TEST(messages_that_find_no_memory_hold_none)
{
    enum { STREAMS = 100, LEN = 300000 };
    stt_handle streams[STREAMS];
    size_t written;
    setup_with(little_memory);
    stt_handle first = open_stream(false);
    write_to(first, 700000);
    uint32_t in_use = duo.client.ep->chunks.chunks.in_use;
    for (int i = 0; i < STREAMS; i++) {
        streams[i] = open_stream(true);
        ck_assert_int_eq(stt_stream_write(duo.client.ep, duo.now, streams[i], data, LEN, &written),
                         STT_E_AGAIN);
    }
    ck_assert_uint_eq(duo.client.ep->chunks.chunks.in_use, in_use);
    ck_assert_int_eq(stt_stream_reset(duo.client.ep, duo.now, first, 1), STT_OK);
    write_to(streams[0], LEN);
    duo_end(&duo);
}
END_TEST

/* A packet that the test delivers when it likes. */
struct held {
    uint8_t data[2000];
    struct stt_train train;
};

static void hold(struct held *h)
{
    static uint8_t room[DUO_ROOM];
    ck_assert(duo_transmit(&duo, &duo.client, room, &h->train));
    ck_assert_uint_le(h->train.len, sizeof h->data);
    memcpy(h->data, room, h->train.len);
    h->train.data = h->data;
}

static void write_and_hold(stt_handle stream, struct held *h)
{
    write_to(stream, 1000);
    hold(h);
}

static void deliver(const struct held *h)
{
    duo_deliver(&duo, &duo.server, NULL, &h->train);
}

static void ack_soon(void)
{
    while (!duo_carry(&duo, &duo.server)) {
        duo.now = stt_endpoint_deadline(duo.server.ep);
        stt_endpoint_expire(duo.server.ep, duo.now);
    }
}

/* The second gap takes memory, which is not there; and then all gaps close. */
START_TEST(an_ack_that_cannot_be_remembered_is_repaired_also_where_nothing_is_lost)
{
    static struct held first, second, other[2], again, third, fourth;
    setup_with(NULL);
    ours = open_stream(false);
    run_for(STT_S(1));
    stt_handle mine = theirs, aside = open_stream(false);
    run_for(STT_S(1));
    write_and_hold(ours, &first);
    write_and_hold(ours, &second);
    write_and_hold(aside, &other[0]);
    write_and_hold(aside, &other[1]);
    deliver(&second);
    deliver(&other[0]);
    deliver(&other[1]);
    ack_soon();
    hold(&again); /* the first, that was lost */
    write_and_hold(ours, &third);
    write_and_hold(ours, &fourth);
    deliver(&fourth);
    duo.client.te.fail_from = duo.client.te.allocs + 1;
    ack_soon();
    ck_assert_uint_gt(duo.client.te.failed, 0);
    duo.client.te.fail_from = 0;
    deliver(&again);
    deliver(&third);
    run_for(STT_S(1));
    ck_assert_uint_eq(info_of(&duo.client, ours).bytes_acked, 4000);
    ck_assert_uint_eq(info_of(&duo.server, mine).bytes_received, 4000);
    duo_end(&duo);
}
END_TEST

/* -- rules that are broken --------------------------------------------------------------------- */

START_TEST(a_broken_rule_that_is_found_in_a_session_that_has_ended_is_not_told)
{
    static const uint8_t cut[] = {STT_FRAME_STREAM | STT_STREAM_FIN, 2, 10, 1,
                                  2}; /* 10 bytes are promised, 2 are there */
    uint8_t packet[TRAITOR_PACKET_MAX], b[100];
    struct stt_message_read m;
    setup_with(NULL);
    struct stt_session *traitor = traitor_session(duo.client.ep, duo.client.session);
    size_t len = traitor_seal(traitor, BYTES(cut), packet);
    duo_deliver_bytes(&duo, &duo.server, NULL, packet, len);
    pull();
    ck_assert(theirs);
    if (_i)
        stt_session_close(duo.server.ep, duo.now, duo.server.session, 0, NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ne(stt_stream_read_message(duo.server.ep, duo.now, theirs, b, 1, &m),
                         STT_E_STALE);
        int error = stt_stream_read_message(duo.server.ep, duo.now, theirs, b, sizeof b, &m);
        ck_assert(error == STT_E_STATE || error == STT_E_AGAIN);
    }
    duo_run_apart(&duo, STT_S(1));
    duo_end(&duo);
}
END_TEST

AGED_SUITE("stream_wiring", LOOP(what_was_cut_off_is_never_read_to_its_end, 0, 2),
           TEST(a_reset_that_crosses_a_stop_is_told_with_its_own_code),
           LOOP(who_reads_in_place_comes_to_the_end_as_well, 0, 2),
           TEST(a_reset_inside_of_a_message_is_no_fault_of_the_peer),
           TEST(a_stop_inside_of_a_message_is_followed_by_nothing),
           TEST(a_reset_is_told_even_if_the_end_of_the_stream_has_arrived),
           LOOP(a_datagram_behind_the_data_of_a_stream_is_none_of_it, 0, 4),
           LOOP(a_message_that_is_late_behind_the_limit_of_the_session_is_given_up_when_it_rises, 0,
                2),
           LOOP(a_late_message_that_is_longer_than_the_window_is_given_up_as_well, 0, 2),
           LOOP(a_peer_that_is_blocked_is_told_of_a_packets_worth, 0, 2),
           TEST(more_is_not_committed_than_was_reserved),
           TEST(a_peer_that_has_nothing_to_send_but_what_is_blocked_says_so),
           TEST(what_a_train_is_made_of_is_not_given_up_under_it),
           TEST(a_small_answer_goes_at_once_where_the_config_says_no_delay),
           TEST(data_ends_anywhere_around_the_end_of_a_large_packet),
           TEST(the_longest_datagrams_fit_large_packets),
           TEST(messages_that_find_no_memory_hold_none),
           TEST(an_ack_that_cannot_be_remembered_is_repaired_also_where_nothing_is_lost),
           LOOP(a_broken_rule_that_is_found_in_a_session_that_has_ended_is_not_told, 0, 2))
