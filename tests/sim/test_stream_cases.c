/* SPDX-License-Identifier: MIT
 * Peers that hold the keys of a session and abuse its streams: cases 26 to 30. What they do closes
 * the session, or costs no more than what an honest peer does. The server is the victim of each
 * test. */
#include "stt/session/engine.h"
#include "stt/streams.h"
#include "tests/support/duo.h"
#include "tests/support/frames.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

#define TOP ((UINT64_C(1) << 62) - 1)

static struct duo duo;
enum { HANDLES = 4096 };
static stt_handle handles[HANDLES]; /* of the client's streams, by number */
static uint64_t n_opened, n_reset, n_ended;

static struct stt_session *victim(void)
{
    return traitor_session(duo.server.ep, duo.server.session);
}

static void setup_with(void (*configure)(struct stt_config *config))
{
    duo_init(&duo, 1);
    duo.latency_ns = STT_MS(1);
    if (configure)
        configure(&duo.server.config);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(1));
    memset(handles, 0, sizeof handles);
    n_opened = n_reset = n_ended = 0;
}

static void setup(void)
{
    setup_with(NULL);
}

/* -- what the traitor says --------------------------------------------------------------------- */

static uint64_t id_of(uint64_t number)
{
    return number << 2;
}

static void say_stream(uint64_t number, uint64_t offset, const void *data, size_t len, bool fin)
{
    traitor_say_frame(&duo, &(struct any_frame){.type = STT_FRAME_STREAM,
                                                .u.stream = {.stream = id_of(number),
                                                             .offset = offset,
                                                             .data = bytes_of(data, len),
                                                             .has_length = true,
                                                             .fin = fin}});
}

static void say_byte(uint64_t number, uint64_t offset)
{
    say_stream(number, offset, &(uint8_t){(uint8_t)offset}, 1, false);
}

static void say_reset(uint64_t number, uint64_t final_offset)
{
    traitor_say_frame(&duo, &(struct any_frame){.type = STT_FRAME_RESET,
                                                .u.reset = {.stream = id_of(number),
                                                            .final_offset = final_offset}});
}

static void say_stop(uint64_t number)
{
    traitor_say_frame(&duo,
                      &(struct any_frame){.type = STT_FRAME_STOP, .u.stop.stream = id_of(number)});
}

static void say_limit(uint64_t type, uint64_t limit)
{
    traitor_say_frame(&duo,
                      &(struct any_frame){.type = type, .u.limit = {.type = type, .limit = limit}});
}

static void say_stream_limit(uint64_t stream, uint64_t limit)
{
    traitor_say_frame(&duo,
                      &(struct any_frame){.type = STT_FRAME_MAX_STREAM_DATA,
                                          .u.stream_limit = {.type = STT_FRAME_MAX_STREAM_DATA,
                                                             .stream = stream,
                                                             .limit = limit}});
}

static void say_ping(void)
{
    static const uint8_t ping[] = {STT_FRAME_PING};
    traitor_say(&duo, BYTES(ping));
}

/* -- what the victim's host does --------------------------------------------------------------- */

static void on_event(const struct stt_stream_event *e)
{
    struct stt_stream_info info;
    n_ended += (e->what & STT_STREAM_ENDED) != 0;
    n_opened += (e->what & STT_STREAM_OPENED) != 0;
    n_reset += (e->what & STT_STREAM_RESET) != 0;
    if (stt_stream_info(duo.server.ep, e->stream, &info) == STT_OK && !info.is_ours)
        handles[(info.id >> 2) % HANDLES] = e->stream;
}

static void listen(void)
{
    for (struct stt_stream_event e; stt_endpoint_stream_event(duo.server.ep, &e);)
        on_event(&e);
}

static stt_handle handle_of(uint64_t number)
{
    listen();
    return handles[number % HANDLES];
}

static size_t read_some(uint64_t number, uint8_t *out, size_t room)
{
    size_t len = 0;
    stt_handle stream = handle_of(number);
    ck_assert_int_eq(stt_stream_read(duo.server.ep, duo.now, stream, out, room, &len), STT_OK);
    return len;
}

static void stop(uint64_t number)
{
    ck_assert_int_eq(stt_stream_stop(duo.server.ep, duo.now, handle_of(number), 1), STT_OK);
}

static stt_handle open_ours(void)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    stt_handle handle;
    ck_assert_int_eq(stt_stream_open(duo.server.ep, duo.now, duo.server.session, &o, &handle),
                     STT_OK);
    return handle;
}

static void require_closed(uint64_t code)
{
    traitor_require_closed(&duo, code);
}

static void require_open(void)
{
    traitor_require_open(&duo);
}

static size_t memory(void)
{
    return duo.server.te.bytes_in_use;
}

/* -- fragments --------------------------------------------------------------------------------- */

enum {
    GAPS_MAX = STT_SESSION_WINDOW_MAX / STT_SESSION_GAP_BYTES,
    FULL = GAPS_MAX / STT_STREAM_GAPS_MAX, /* streams */
    POOL_STEP = 300000,
};

/* The counter is the sum; what it bounds is bounded. */
static uint32_t gaps(void)
{
    struct stt_streams *x = victim()->streams;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < x->slots.n; i++) {
        const struct stt_stream *t = stt_slots_at(&x->slots, i);
        sum += t ? stt_recvq_gaps(&t->receive) : 0;
    }
    ck_assert_uint_eq(x->gaps, sum);
    ck_assert_uint_le(sum, GAPS_MAX);
    return sum;
}

/* One byte at every second offset from 1 on: one gap each. */
static void fragment(uint64_t number, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        say_byte(number, 2 * i + 1);
}

static bool was_heard(uint64_t packet)
{
    return stt_ranges_contains(&victim()->acks.received, packet);
}

START_TEST(a_gap_too_many_in_a_stream_is_a_packet_lost_case_26)
{
    uint8_t bytes[1024], all[1024];
    setup();
    fragment(0, 0, STT_STREAM_GAPS_MAX);
    ck_assert_uint_eq(gaps(), STT_STREAM_GAPS_MAX);
    size_t before = memory();
    uint64_t last = traitor_session(duo.client.ep, duo.client.session)->protect->next_number;
    ck_assert(was_heard(last - 1));
    fragment(0, STT_STREAM_GAPS_MAX, 20000);
    require_open();
    ck_assert_uint_eq(gaps(), STT_STREAM_GAPS_MAX);
    ck_assert_uint_eq(memory(), before);
    ck_assert(!was_heard(last) && !was_heard(last + 10000));
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    say_stream(0, 0, all, sizeof all, true); /* whoever repairs from below gets on */
    ck_assert_uint_eq(gaps(), 0);
    ck_assert_uint_eq(read_some(0, bytes, sizeof bytes), sizeof bytes);
    ck_assert_mem_eq(bytes, all, sizeof all);
    require_open();
    duo_end(&duo);
}
END_TEST

/* _i: streams; as many fragments in each of them. */
START_TEST(a_gap_too_many_in_a_session_closes_it_case_26)
{
    uint64_t streams = (uint64_t)_i, each = GAPS_MAX / streams;
    setup();
    for (uint64_t n = 0; n < streams; n++)
        fragment(n, 0, each);
    ck_assert_uint_eq(gaps(), GAPS_MAX);
    fragment(0, 0, each); /* what is there already opens none */
    require_open();
    size_t before = memory();
    say_byte(_i == FULL ? FULL : 3, 1001);
    ck_assert_uint_le(memory(), before + POOL_STEP); /* a stream and a chunk, and no more */
    require_closed(STT_CLOSE_BUFFER_LIMIT);
}
END_TEST

static void small_windows(struct stt_config *config)
{
    config->session_window_max = config->session_window_bytes;
}

START_TEST(a_small_window_has_room_for_4096_gaps_case_26)
{
    setup_with(small_windows);
    for (uint64_t n = 0; n < STT_SESSION_GAPS_MIN / STT_STREAM_GAPS_MAX; n++)
        fragment(n, 0, STT_STREAM_GAPS_MAX);
    ck_assert_uint_eq(gaps(), STT_SESSION_GAPS_MIN);
    require_open();
    say_byte(100, 1);
    require_closed(STT_CLOSE_BUFFER_LIMIT);
}
END_TEST

START_TEST(gaps_that_are_over_count_no_more_case_26)
{
    uint8_t all[512] = {0}, bytes[512];
    setup();
    for (int round = 0; round < 20; round++) {
        uint64_t first = (uint64_t)round * FULL;
        for (uint64_t n = first; n < first + FULL; n++)
            fragment(n, 0, STT_STREAM_GAPS_MAX);
        ck_assert_uint_eq(gaps(), GAPS_MAX);
        for (uint64_t n = first; n < first + FULL; n++) {
            if (n % 3 == 0)
                say_reset(n, 512); /* taken back by the peer, ... */
            else if (n % 3 == 1)
                stop(n); /* not wanted by the host, ... */
            else
                say_stream(n, 0, all, sizeof all, true); /* or repaired */
            ck_assert_uint_eq(gaps(), GAPS_MAX - (n - first + 1) * STT_STREAM_GAPS_MAX);
            if (n % 3 == 1)
                say_reset(n, 512);
            else if (n % 3 == 2)
                ck_assert_uint_eq(read_some(n, bytes, sizeof bytes), sizeof bytes);
            say_stop(n);
        }
        traitor_acknowledge(&duo);
        listen();
        duo.now += STT_MS(100);
    }
    require_open();
    ck_assert_uint_eq(n_ended, 20 * FULL);
    duo_end(&duo);
}
END_TEST

/* -- overlaps ---------------------------------------------------------------------------------- */

enum { OVERLAP_BYTES = 40000 };

/* What arrived first at each offset; 0: nothing yet. */
struct first {
    uint8_t byte[OVERLAP_BYTES];
    size_t n;
};

/* Each fragment is of one letter. */
static void say_overlap(struct first *first, struct rng *rng, uint64_t from, size_t len)
{
    uint8_t data[1000];
    memset(data, (int)rng_between(rng, 1, 255), sizeof data);
    say_stream(0, from, data, len, from + len == OVERLAP_BYTES);
    for (uint64_t i = from; i < from + len; i++) {
        first->n += !first->byte[i];
        first->byte[i] = first->byte[i] ? first->byte[i] : data[0];
    }
}

START_TEST(data_that_overlaps_and_differs_is_never_mixed_case_27)
{
    static struct first first;
    static uint8_t got[OVERLAP_BYTES];
    struct rng rng = rng_init((uint64_t)_i + 1);
    size_t read = 0;
    setup();
    memset(&first, 0, sizeof first);
    for (int i = 0; first.n < OVERLAP_BYTES; i++) {
        size_t len = rng_between(&rng, 1, 1000);
        uint64_t from = rng_below(&rng, OVERLAP_BYTES - len + 1);
        if (i > 2000)
            from = (uint64_t)(i - 2001) * 500 % (OVERLAP_BYTES - 500), len = 500; /* the rest */
        if (i % 101 == 100)
            len = rng_between(&rng, 1, 1000), from = OVERLAP_BYTES - len;
        say_overlap(&first, &rng, from, len);
        if (rng_chance(&rng, 20))
            read += read_some(0, got + read, OVERLAP_BYTES - read);
        ck_assert_int_lt(i, 5000);
    }
    read += read_some(0, got + read, OVERLAP_BYTES - read);
    require_open();
    ck_assert_uint_eq(read, OVERLAP_BYTES);
    ck_assert_mem_eq(got, first.byte, OVERLAP_BYTES);
    duo_end(&duo);
}
END_TEST

/* -- ends -------------------------------------------------------------------------------------- */

/* Of stream 0: RESET at `to`, or STREAM from `from` to `to`. */
struct end_frame {
    enum { STREAM, FIN, RESET } what;
    uint64_t from, to;
};

static const struct moving_end {
    struct end_frame first, second;
} moving_ends[] = {
    {{FIN, 0, 10}, {FIN, 0, 11}},      {{FIN, 0, 10}, {FIN, 0, 9}},
    {{FIN, 0, 10}, {FIN, 0, 0}},       {{FIN, 0, 10}, {STREAM, 0, 11}},
    {{FIN, 0, 10}, {STREAM, 10, 11}},  {{FIN, 0, 10}, {STREAM, 900, 901}},
    {{FIN, 0, 10}, {RESET, 0, 11}},    {{FIN, 0, 10}, {RESET, 0, 9}},
    {{FIN, 5, 10}, {FIN, 0, 9}},       {{FIN, 5, 10}, {RESET, 0, 11}},
    {{RESET, 0, 10}, {RESET, 0, 11}},  {{RESET, 0, 10}, {RESET, 0, 9}},
    {{RESET, 0, 10}, {FIN, 0, 11}},    {{RESET, 0, 10}, {FIN, 0, 9}},
    {{RESET, 0, 10}, {STREAM, 5, 11}}, {{RESET, 0, 0}, {STREAM, 0, 1}},
    {{RESET, 0, 0}, {FIN, 0, 1}},      {{FIN, 0, 0}, {RESET, 0, 1}},
    {{STREAM, 0, 20}, {FIN, 0, 10}},   {{STREAM, 0, 20}, {RESET, 0, 19}},
    {{STREAM, 15, 20}, {FIN, 0, 10}},  {{STREAM, 15, 20}, {RESET, 0, 0}},
};
enum { MOVING_ENDS = sizeof moving_ends / sizeof moving_ends[0], HOST_HABITS = 3 };

static void say_end(const struct end_frame *f)
{
    static const uint8_t zeros[64];
    if (f->what == RESET)
        say_reset(0, f->to);
    else
        say_stream(0, f->from, zeros, (size_t)(f->to - f->from), f->what == FIN);
}

/* The host of the victim waits, reads, or has stopped reading: the end may not move. */
START_TEST(an_end_that_moves_closes_case_28)
{
    const struct moving_end *m = &moving_ends[_i / HOST_HABITS];
    uint8_t bytes[64];
    setup();
    say_stream(0, 0, NULL, 0, false);
    if (_i % HOST_HABITS == 2)
        stop(0);
    say_end(&m->first);
    require_open();
    if (_i % HOST_HABITS == 1)
        read_some(0, bytes, sizeof bytes);
    say_end(&m->second);
    require_closed(STT_CLOSE_FINAL_OFFSET);
}
END_TEST

START_TEST(an_end_that_is_told_again_stays_case_28)
{
    static const uint8_t zeros[64];
    uint8_t bytes[64];
    setup();
    for (uint64_t n = 0; n < 4; n++) {
        say_stream(n, 0, zeros, 10, n < 2);
        if (n >= 2)
            say_reset(n, 10);
        if (n % 2)
            read_some(n, bytes, sizeof bytes);
        say_stream(n, 3, zeros, 7, true);
        say_stream(n, 0, zeros, 10, false);
        for (int i = 0; i < 3; i++) {
            listen();
            say_reset(n, 10);
        }
        listen();
        ck_assert_uint_eq(n_reset, n < 1 ? 1 : n); /* not of the one that was read to its end */
    }
    require_open();
    duo_end(&duo);
}
END_TEST

/* By now nobody knows where it was. */
START_TEST(of_a_stream_that_has_ended_everything_is_ignored_case_28)
{
    static const uint8_t zeros[64];
    setup();
    say_reset(0, 10);
    say_stop(0);
    traitor_acknowledge(&duo);
    if (_i)
        listen();
    say_reset(0, 11);
    say_stream(0, 50, zeros, 10, true);
    say_stream(0, TOP - 10, zeros, 10, true);
    say_stop(0);
    say_stream_limit(id_of(0), TOP);
    listen();
    ck_assert(n_ended == 1 && n_opened == 1);
    require_open();
    duo_end(&duo);
}
END_TEST

/* What no encoder of ours would write. */
static void say_far(uint64_t offset, uint64_t len, bool fin)
{
    uint8_t frame[64];
    struct wr w = wr_init(frame, sizeof frame);
    wr_u8(&w, (uint8_t)(STT_FRAME_STREAM | STT_STREAM_OFFSET | STT_STREAM_LENGTH |
                        (fin ? STT_STREAM_FIN : 0)));
    wr_varint(&w, id_of(0));
    wr_varint(&w, offset);
    wr_varint(&w, len);
    memset(w.at, 1, len);
    traitor_say(&duo, bytes_of(frame, wr_len(&w) + len));
}

static const struct far {
    uint64_t offset, len, code;
    bool fin;
} fars[] = {
    {TOP, 1, STT_CLOSE_FRAME_ENCODING, false},  {TOP - 3, 5, STT_CLOSE_FRAME_ENCODING, true},
    {TOP, 0, STT_CLOSE_FRAME_ENCODING, false},  {TOP, 0, STT_CLOSE_FLOW_CONTROL, true},
    {TOP - 1, 1, STT_CLOSE_FLOW_CONTROL, true}, {TOP - 1, 1, STT_CLOSE_FLOW_CONTROL, false},
    {65536, 1, STT_CLOSE_FLOW_CONTROL, false},  {65536, 0, STT_CLOSE_NO_ERROR, true},
};
enum { FARS = sizeof fars / sizeof fars[0] };

START_TEST(an_offset_near_the_end_of_varints_closes_case_28)
{
    const struct far *f = &fars[_i % FARS];
    setup();
    if (_i / FARS)
        say_byte(0, 0);
    size_t before = memory();
    say_far(f->offset, f->len, f->fin);
    ck_assert_uint_le(memory(), before + 16384); /* the session's and the stream's own */
    if (f->code != STT_CLOSE_NO_ERROR) {
        require_closed(f->code);
        return;
    }
    require_open();
    duo_end(&duo);
}
END_TEST

START_TEST(a_reset_near_the_end_of_varints_closes_case_28)
{
    setup();
    say_reset(0, _i ? TOP : 65537);
    require_closed(STT_CLOSE_FLOW_CONTROL);
}
END_TEST

static void windows_without_end(struct stt_config *config)
{
    config->stream_window_bytes = config->stream_window_max = TOP;
    config->session_window_bytes = config->session_window_max = TOP;
}

/* Sums of offsets overflow nowhere. */
START_TEST(where_the_windows_have_no_end_the_sum_of_streams_has_case_28)
{
    setup_with(windows_without_end);
    say_stream(0, TOP, NULL, 0, true);
    say_byte(0, 0);
    say_far(TOP - 1, 1, true); /* no memory reaches so far: it is lost */
    require_open();
    if (_i == 0)
        say_byte(1, 0); /* one more than TOP in all */
    else if (_i == 1)
        say_stream(1, TOP, NULL, 0, true);
    else
        say_reset(1, TOP);
    require_closed(STT_CLOSE_FLOW_CONTROL);
}
END_TEST

/* -- churn ------------------------------------------------------------------------------------- */

static uint64_t told(void)
{
    return victim()->streams ? victim()->streams->allowance.told : STT_STREAMS_DEFAULT;
}

/* Opened and taken back, in both directions, up to this number. */
static uint64_t churn(uint64_t from, uint64_t to)
{
    for (; from < to; from++) {
        say_reset(from, 0);
        say_stop(from);
        if (from % 16 == 15)
            traitor_acknowledge(&duo);
    }
    traitor_acknowledge(&duo);
    return from;
}

static void pass(stt_ns ns)
{
    duo.now += ns;
    stt_endpoint_expire(duo.server.ep, duo.now);
}

START_TEST(streams_that_are_opened_and_reset_again_are_a_thousand_a_second_case_29)
{
    enum { SECONDS = 10, PER_S = STT_STREAMS_PER_S_DEFAULT };
    uint64_t number = 0, ms = 0;
    size_t most = 0;
    setup();
    for (; ms < SECONDS * 1000; ms++) {
        number = churn(number, told());
        listen();
        pass(STT_MS(1));
        ck_assert_uint_le(number, STT_STREAMS_DEFAULT + (ms / 1000 + 1) * PER_S);
        if (ms == 3000)
            most = memory();
        ck_assert(!most || memory() <= most);
    }
    require_open();
    ck_assert_uint_ge(number, SECONDS * PER_S); /* and no fewer */
    pass(STT_S(1) + STT_MS(1));
    traitor_acknowledge(&duo); /* what was held back is told without a question */
    ck_assert_uint_gt(told(), number + STT_STREAMS_DEFAULT / 2);
    duo_end(&duo);
}
END_TEST

START_TEST(a_peer_that_resets_more_slowly_is_not_held_back_case_29)
{
    uint64_t number = 0;
    setup();
    for (int i = 0; i < 500; i++) { /* 900 a second */
        number = churn(number, number + 9);
        listen();
        pass(STT_MS(10));
        ck_assert_uint_eq(victim()->streams->allowance.held, 0);
        ck_assert_uint_ge(told(), number + STT_STREAMS_DEFAULT / 2);
    }
    require_open();
    duo_end(&duo);
}
END_TEST

START_TEST(streams_that_end_in_order_are_no_churn_case_29)
{
    uint64_t number = 0;
    setup();
    for (int i = 0; i < 200; i++) { /* 100,000 a second */
        for (uint64_t end = number + 100; number < end; number++) {
            say_stream(number, 0, NULL, 0, true);
            say_stop(number);
            listen();
            ck_assert_uint_eq(read_some(number, (uint8_t[1]){0}, 1), 0);
        }
        traitor_acknowledge(&duo);
        listen();
        traitor_acknowledge(&duo);
        pass(STT_MS(1));
        ck_assert_uint_eq(victim()->streams->allowance.held, 0);
    }
    require_open();
    ck_assert_uint_eq(n_ended, number);
    duo_end(&duo);
}
END_TEST

START_TEST(a_host_that_does_not_listen_makes_nothing_grow_case_29)
{
    uint64_t number = 0;
    size_t most = 0;
    setup();
    for (int i = 0; i < 5000; i++) {
        number = churn(number, told());
        pass(STT_MS(1));
        most = i == 100 ? memory() : most;
        ck_assert(!most || memory() <= most);
    }
    ck_assert_uint_eq(number, STT_STREAMS_DEFAULT);
    say_reset(number, 0);
    listen(); /* too late for this peer */
    require_closed(STT_CLOSE_STREAM_LIMIT);
}
END_TEST

/* The client's host; it hears of the limit only by asking. */
static uint64_t open_and_reset_all(void)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    uint64_t n = 0;
    for (stt_handle h; !stt_stream_open(duo.client.ep, duo.now, duo.client.session, &o, &h); n++) {
        ck_assert_int_eq(stt_stream_reset(duo.client.ep, duo.now, h, 1), STT_OK);
        ck_assert_int_eq(stt_stream_stop(duo.client.ep, duo.now, h, 1), STT_OK);
    }
    return n;
}

static void run_and_listen(stt_ns ns)
{
    for (stt_ns end = duo.now + ns; duo.now < end;) {
        duo_run_for(&duo, STT_MS(5));
        listen();
        for (struct stt_stream_event e; stt_endpoint_stream_event(duo.client.ep, &e);)
            ;
    }
}

START_TEST(an_honest_peer_that_was_held_back_gets_on_case_29)
{
    uint64_t opened_by_client = 0;
    setup();
    stt_ns began = duo.now;
    while (duo.now - began < STT_S(6)) {
        opened_by_client += open_and_reset_all();
        run_and_listen(STT_MS(20));
    }
    require_open();
    uint64_t seconds = (duo.now - began) / STT_S(1);
    ck_assert_uint_ge(opened_by_client, (seconds - 1) * STT_STREAMS_PER_S_DEFAULT);
    ck_assert_uint_le(opened_by_client, (seconds + 2) * STT_STREAMS_PER_S_DEFAULT);
    run_and_listen(STT_S(2));
    ck_assert_uint_gt(open_and_reset_all(), STT_STREAMS_DEFAULT / 4 * 3);
    duo_end(&duo);
}
END_TEST

/* -- numbers that are left out ----------------------------------------------------------------- */

START_TEST(a_number_that_is_left_out_makes_nothing_grow)
{
    uint64_t number = 1;
    setup();
    for (int i = 0; i < 2000; i++) {
        number = churn(number, told());
        listen();
        pass(STT_MS(10));
    }
    ck_assert(number > STT_STREAMS_DEFAULT && number <= 2 * STT_STREAMS_DEFAULT);
    ck_assert_uint_le(victim()->streams->theirs.size, 2 * STT_STREAMS_DEFAULT);
    churn(0, 1); /* here it is */
    listen();
    traitor_acknowledge(&duo);
    ck_assert_uint_ge(told(), number + STT_STREAMS_DEFAULT / 2);
    require_open();
    duo_end(&duo);
}
END_TEST

START_TEST(a_stream_that_is_opened_and_never_written_is_heard_of_and_holds_nothing_up)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    stt_handle first;
    setup();
    ck_assert_int_eq(stt_stream_open(duo.client.ep, duo.now, duo.client.session, &o, &first),
                     STT_OK);
    run_and_listen(STT_MS(20));
    ck_assert_uint_eq(n_opened, 1);
    uint64_t n = 0;
    for (int i = 0; i < 200; i++) {
        n += open_and_reset_all();
        run_and_listen(STT_MS(20));
    }
    ck_assert_uint_gt(n, 10 * STT_STREAMS_DEFAULT);
    require_open();
    duo_end(&duo);
}
END_TEST

/* -- limits ------------------------------------------------------------------------------------ */

/* The victim writes into a stream of its own, which may say 64 KiB, and has more. */
static stt_handle write_too_much(void)
{
    static const uint8_t zeros[100000];
    size_t written;
    stt_handle ours = open_ours();
    ck_assert_int_eq(stt_stream_write(duo.server.ep, duo.now, ours, zeros, sizeof zeros, &written),
                     STT_OK);
    for (int i = 0; i < 200; i++) {
        traitor_acknowledge(&duo);
        pass(STT_MS(10));
    }
    return ours;
}

static struct stt_stream_info info_of(stt_handle stream)
{
    struct stt_stream_info info;
    ck_assert_int_eq(stt_stream_info(duo.server.ep, stream, &info), STT_OK);
    return info;
}

static void minute(void)
{
    for (int i = 0; i < 6; i++) {
        pass(STT_S(10));
        say_ping();
        traitor_acknowledge(&duo);
    }
}

START_TEST(a_window_that_is_raised_by_a_byte_a_minute_costs_nothing_case_30)
{
    enum { MINUTES = 3000 };
    size_t most = 0;
    setup();
    stt_handle ours = write_too_much();
    uint64_t sent = info_of(ours).bytes_sent, limit = STT_STREAM_WINDOW_DEFAULT;
    ck_assert_uint_eq(sent, limit);
    uint64_t packets = duo_info(&duo.server).packets_sent;
    for (int i = 1; i <= MINUTES; i++) {
        say_stream_limit(1, limit + (uint64_t)i);
        minute();
        ck_assert_uint_eq(info_of(ours).bytes_sent, sent + (uint64_t)i);
        most = i == 20 ? memory() : most;
        ck_assert(!most || memory() <= most);
    }
    require_open();
    ck_assert_uint_le(duo_info(&duo.server).packets_sent - packets, MINUTES * 20);
    duo_end(&duo);
}
END_TEST

/* The session's window, by a byte each time; the stream's own is wide open. */
START_TEST(the_same_with_the_sessions_window_and_a_thousand_times_a_second_case_30)
{
    enum { RAISES = 20000 };
    size_t most = 0;
    setup();
    stt_handle ours[5];
    for (int i = 0; i < 5; i++)
        ours[i] = write_too_much();
    uint64_t sent = victim()->streams->sent, limit = STT_SESSION_WINDOW_DEFAULT;
    ck_assert_uint_eq(sent, limit);
    for (int i = 0; i < 5; i++)
        say_stream_limit((uint64_t)i << 2 | 1, TOP);
    for (int i = 1; i <= RAISES; i++) {
        say_limit(STT_FRAME_MAX_DATA, limit + (uint64_t)i);
        traitor_acknowledge(&duo);
        pass(STT_MS(1));
        most = i == 1000 ? memory() : most;
        ck_assert(!most || memory() <= most);
    }
    require_open();
    ck_assert_uint_ge(victim()->streams->sent, sent + RAISES - 1);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_le(info_of(ours[i]).bytes_sent, 100000);
    duo_end(&duo);
}
END_TEST

/* Nothing is acknowledged on top of it. */
START_TEST(the_same_by_a_peer_that_acknowledges_nothing_case_30)
{
    enum { RAISES = 100000 };
    size_t most[2] = {0}; /* of each half */
    setup();
    (void)write_too_much();
    for (int i = 1; i <= RAISES; i++) {
        say_stream_limit(1, STT_STREAM_WINDOW_DEFAULT + (uint64_t)i);
        duo_swallow(&duo, &duo.server);
        pass(STT_MS(1));
        size_t *half = &most[i > RAISES / 2];
        *half = memory() > *half ? memory() : *half;
    }
    require_open();
    ck_assert_uint_le(most[1], most[0]);
    duo_end(&duo);
}
END_TEST

AGED_SUITE("stream cases", TEST(a_gap_too_many_in_a_stream_is_a_packet_lost_case_26),
           LOOP(a_gap_too_many_in_a_session_closes_it_case_26, FULL, FULL + 1),
           LOOP(a_gap_too_many_in_a_session_closes_it_case_26, 256, 257),
           TEST(a_small_window_has_room_for_4096_gaps_case_26),
           TEST(gaps_that_are_over_count_no_more_case_26),
           LOOP(data_that_overlaps_and_differs_is_never_mixed_case_27, 0, 10),
           LOOP(an_end_that_moves_closes_case_28, 0, MOVING_ENDS *HOST_HABITS),
           TEST(an_end_that_is_told_again_stays_case_28),
           LOOP(of_a_stream_that_has_ended_everything_is_ignored_case_28, 0, 2),
           LOOP(an_offset_near_the_end_of_varints_closes_case_28, 0, 2 * FARS),
           LOOP(a_reset_near_the_end_of_varints_closes_case_28, 0, 2),
           LOOP(where_the_windows_have_no_end_the_sum_of_streams_has_case_28, 0, 3),
           TEST(streams_that_are_opened_and_reset_again_are_a_thousand_a_second_case_29),
           TEST(a_peer_that_resets_more_slowly_is_not_held_back_case_29),
           TEST(streams_that_end_in_order_are_no_churn_case_29),
           TEST(a_host_that_does_not_listen_makes_nothing_grow_case_29),
           TEST(an_honest_peer_that_was_held_back_gets_on_case_29),
           TEST(a_number_that_is_left_out_makes_nothing_grow),
           TEST(a_stream_that_is_opened_and_never_written_is_heard_of_and_holds_nothing_up),
           TEST(a_window_that_is_raised_by_a_byte_a_minute_costs_nothing_case_30),
           TEST(the_same_with_the_sessions_window_and_a_thousand_times_a_second_case_30),
           TEST(the_same_by_a_peer_that_acknowledges_nothing_case_30))
