/* SPDX-License-Identifier: MIT
 * Case 33 in a session with streams: frames that nobody knows, that are cut or hold noise, values
 * at the bounds of varints, parameters at theirs. Everything that can be logged is. The server is
 * the victim of each test. */
#include "stt/base/trace.h"
#include "stt/session/engine.h"
#include "stt/streams.h"
#include "tests/support/duo.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

#include <stdio.h>

#define TOP ((UINT64_C(1) << 62) - 1)

enum { WRITTEN = 100000 };

static struct duo duo;
static stt_handle streams[2]; /* of the server, and of the client, as the server knows it */

/* -- the log ----------------------------------------------------------------------------------- */

static char line[4096];
static uint64_t lines;

/* As a host would write it: what has no name has no value. */
static void log_trace(void *ctx, const struct stt_trace_event *event)
{
    const struct stt_trace_row *row = stt_trace_row(event->type);
    (void)ctx;
    ck_assert(row && row->name);
    size_t n = (size_t)snprintf(line, sizeof line, "%llu %s %s=%u", (unsigned long long)event->at,
                                row->name, row->code ? row->code : "-", event->code);
    for (int i = 0; i < 3; i++) {
        ck_assert(row->field[i] || !event->field[i]);
        if (row->field[i])
            n += (size_t)snprintf(line + n, sizeof line - n, " %s=%llu", row->field[i],
                                  (unsigned long long)event->field[i]);
    }
    lines++;
}

static void log_sessions(const struct duo_side *side)
{
    struct stt_session_info s = duo_info(side);
    const struct stt_event *e = &side->latest[STT_EVENT_CLOSED];
    for (const char *c = e->text; *c; c++)
        ck_assert(*c >= 0x20 && *c < 0x7f); /* no terminal obeys it */
    const char *code = stt_close_code_name(e->code);
    ck_assert(strlen(e->text) <= STT_REASON_TEXT_MAX);
    snprintf(line, sizeof line, "%s %llu %llu %s %s %s", s.state, (unsigned long long)s.rtt_ns,
             (unsigned long long)s.packets_sent, code ? code : "?", stt_reason_text(e->reason),
             e->text);
    lines++;
}

static void log_streams(const struct duo_side *side)
{
    struct stt_stream_info t;
    for (struct stt_stream_event e; stt_endpoint_stream_event(side->ep, &e); lines++)
        if (stt_stream_info(side->ep, e.stream, &t) == STT_OK)
            snprintf(line, sizeof line, "%llu %x %llu %llu %llu %llu %llu %llu",
                     (unsigned long long)t.id, e.what, (unsigned long long)e.reset_code,
                     (unsigned long long)e.stop_code, (unsigned long long)t.bytes_sent,
                     (unsigned long long)t.bytes_received, (unsigned long long)t.send_limit,
                     (unsigned long long)t.receive_limit);
}

static void log_all(void)
{
    duo_pull(&duo.client);
    duo_pull(&duo.server);
    log_sessions(&duo.client);
    log_sessions(&duo.server);
    log_streams(&duo.client);
    log_streams(&duo.server);
}

/* -- a session that is busy -------------------------------------------------------------------- */

static void begin(void)
{
    duo_init(&duo, 1);
    duo.latency_ns = STT_MS(1);
    duo.client.te.env.trace = duo.server.te.env.trace = log_trace;
    lines = 0;
}

static struct stt_session *victim(void)
{
    return traitor_session(duo.server.ep, duo.server.session);
}

static bool is_open(void)
{
    return victim() && victim()->state == STT_SESSION_OPEN;
}

static void open_and_write(struct duo_side *side, bool messages)
{
    static const uint8_t zeros[WRITTEN];
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    size_t written;
    o.messages = messages;
    if (stt_stream_open(side->ep, duo.now, side->session, &o, &stream) != STT_OK)
        return; /* the peer allows none, or has closed */
    ck_assert_int_eq(
        stt_stream_write(side->ep, duo.now, stream, zeros, messages ? 1000 : WRITTEN, &written),
        STT_OK);
    if (side == &duo.server && !messages)
        streams[0] = stream;
}

/* Both sides write, of both kinds, and have more than the other allows. */
static void connect_and_write(void)
{
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(1));
    open_and_write(&duo.client, false);
    open_and_write(&duo.client, true);
    open_and_write(&duo.server, false);
    open_and_write(&duo.server, true);
    duo_run_for(&duo, STT_MS(50));
    log_all();
}

static void setup(void)
{
    begin();
    duo_start(&duo);
    connect_and_write();
}

static void pass(stt_ns ns)
{
    duo.now += ns;
    stt_endpoint_expire(duo.server.ep, duo.now);
}

/* Whatever it was: the session goes on, or is closed with a code of the table, and ends. */
static void require_judged(void)
{
    const struct stt_event *e = &duo.server.latest[STT_EVENT_CLOSED];
    duo_pull(&duo.server);
    bool is_closed = duo.server.events[STT_EVENT_CLOSED] == 1;
    ck_assert(is_closed || is_open());
    if (is_closed && e->reason == STT_REASON_PROTOCOL)
        ck_assert_ptr_nonnull(stt_close_code_name(e->code));
    log_all();
    duo_run_for(&duo, STT_S(70));
    log_all();
    ck_assert_uint_gt(lines, 4);
    duo_end(&duo);
}

/* -- frames ------------------------------------------------------------------------------------ */

static const uint64_t bounds[] = {0,
                                  1,
                                  2,
                                  3,
                                  63,
                                  64,
                                  16383,
                                  16384,
                                  65535,
                                  65536,
                                  (UINT64_C(1) << 30) - 1,
                                  UINT64_C(1) << 30,
                                  (UINT64_C(1) << 32) + 1,
                                  STT_STREAMS_MAX,
                                  STT_STREAMS_MAX + 1,
                                  TOP - 1,
                                  TOP};
enum { BOUNDS = sizeof bounds / sizeof bounds[0], TYPES = 0x44 };

/* Of any type, known and not; behind it varints at their bounds, and perhaps noise. */
static struct bytes any_frame(struct rng *rng, uint64_t type, uint8_t *out, size_t room)
{
    struct wr w = wr_init(out, room);
    wr_varint(&w, type);
    for (uint64_t n = rng_below(rng, 8); n > 0; n--)
        wr_varint(&w, bounds[rng_below(rng, BOUNDS)]);
    size_t noise = rng_chance(rng, 30) ? rng_below(rng, 300) : 0;
    uint8_t *at = wr_room(&w, noise);
    if (noise)
        rng_fill(rng, at, noise);
    return wr_done(&w);
}

/* Many in one session, one in each packet, until it is closed; then the next. */
START_TEST(frames_of_any_type_with_values_at_the_bounds_case_33)
{
    uint8_t frames[STT_DATAGRAM_BYTES_MIN];
    struct rng rng = rng_init((uint64_t)_i + 1);
    uint64_t type = (uint64_t)_i;
    for (int round = 0; round < 5; round++) {
        setup();
        for (int i = 0; i < 40 && is_open(); i++) {
            traitor_say(&duo, any_frame(&rng, type, frames, sizeof frames));
            if (i % 4 == 0)
                duo_exchange(&duo);
            duo.now += STT_MS(3);
        }
        require_judged();
    }
}
END_TEST

/* A peer's last words are shown to people. */
START_TEST(a_close_with_any_words_is_logged_as_text_case_33)
{
    uint8_t frame[STT_DATAGRAM_BYTES_MIN], words[STT_REASON_BYTES_MAX + 1];
    struct rng rng = rng_init((uint64_t)_i + 1);
    size_t len = _i == 0 ? 0 : _i == 1 ? STT_REASON_BYTES_MAX : rng_below(&rng, sizeof words);
    setup();
    rng_fill(&rng, words, sizeof words);
    words[0] = 0x1b; /* what terminals obey */
    struct wr w = wr_init(frame, sizeof frame);
    wr_varint(&w, _i % 2 ? STT_FRAME_CLOSE : STT_FRAME_CLOSE_APPLICATION);
    wr_varint(&w, bounds[(size_t)_i % BOUNDS]);
    if (_i % 2)
        wr_varint(&w, TOP);
    wr_varint(&w, len);
    wr_bytes(&w, bytes_of(words, len));
    traitor_say(&duo, wr_done(&w));
    duo_pull(&duo.server);
    ck_assert_uint_eq(duo.server.events[STT_EVENT_CLOSED], 1);
    ck_assert_uint_eq(strlen(duo.server.latest[STT_EVENT_CLOSED].text), len);
    require_judged();
}
END_TEST

/* -- limits ------------------------------------------------------------------------------------ */

static const uint64_t limit_types[] = {
    STT_FRAME_MAX_DATA,     STT_FRAME_MAX_STREAM_DATA,     STT_FRAME_MAX_STREAMS,
    STT_FRAME_DATA_BLOCKED, STT_FRAME_STREAM_DATA_BLOCKED, STT_FRAME_STREAMS_BLOCKED,
};
static const uint64_t limits[] = {
    0, 1, 65535, 65537, (UINT64_C(1) << 32) + 1, STT_STREAMS_MAX, STT_STREAMS_MAX + 1, TOP};
enum {
    LIMIT_TYPES = sizeof limit_types / sizeof limit_types[0],
    LIMITS = sizeof limits / sizeof limits[0],
};

/* And then the victim goes on as if nothing had been said, or with all the room there is. */
START_TEST(limits_at_their_bounds_and_beyond_case_33)
{
    uint64_t type = limit_types[_i / LIMITS], limit = limits[_i % LIMITS];
    bool of_stream = type == STT_FRAME_MAX_STREAM_DATA || type == STT_FRAME_STREAM_DATA_BLOCKED;
    bool of_streams = type == STT_FRAME_MAX_STREAMS || type == STT_FRAME_STREAMS_BLOCKED;
    uint8_t frame[32];
    setup();
    struct wr w = wr_init(frame, sizeof frame);
    wr_u8(&w, (uint8_t)type);
    if (of_stream)
        wr_varint(&w, 1); /* the victim's first */
    wr_varint(&w, limit);
    for (int i = 0; i < 3; i++)
        traitor_say(&duo, wr_done(&w));
    if (of_streams && limit > STT_STREAMS_MAX) {
        traitor_require_closed(&duo, STT_CLOSE_FRAME_ENCODING);
        return;
    }
    for (int i = 0; i < 100; i++) {
        traitor_acknowledge(&duo);
        pass(STT_MS(10));
        open_and_write(&duo.server, true);
    }
    traitor_require_open(&duo);
    bool is_wider = type == STT_FRAME_MAX_STREAM_DATA && limit > STT_STREAM_WINDOW_DEFAULT;
    struct stt_stream_info info;
    ck_assert_int_eq(stt_stream_info(duo.server.ep, streams[0], &info), STT_OK);
    ck_assert_uint_eq(info.bytes_sent, !is_wider         ? STT_STREAM_WINDOW_DEFAULT
                                       : limit < WRITTEN ? limit
                                                         : WRITTEN);
    log_all();
    duo_end(&duo);
}
END_TEST

/* -- parameters -------------------------------------------------------------------------------- */

/* Of the table of transport parameters: the peer says the least, or the most, that it may. */
static const struct extreme {
    enum stt_param param;
    uint64_t least, most;
} extremes[] = {
    {STT_PARAM_IDLE_TIMEOUT_MS, STT_IDLE_TIMEOUT_MS_MIN, STT_IDLE_TIMEOUT_MS_MAX},
    {STT_PARAM_MAX_DATA, 0, TOP},
    {STT_PARAM_MAX_DATA, 1, TOP - 1},
    {STT_PARAM_MAX_STREAM_DATA, 0, TOP},
    {STT_PARAM_MAX_STREAM_DATA, 1, TOP - 1},
    {STT_PARAM_MAX_STREAMS, 0, STT_STREAMS_MAX},
    {STT_PARAM_MAX_STREAMS, 1, STT_STREAMS_MAX - 1},
    {STT_PARAM_MAX_DATAGRAM_BYTES, 0, STT_DATAGRAM_BYTES_MAX},
    {STT_PARAM_MAX_PACKET_BYTES, STT_DATAGRAM_BYTES_MIN, STT_DATAGRAM_BYTES_MAX},
    {STT_PARAM_MAX_ACK_DELAY_US, 0, STT_ACK_DELAY_US_MAX},
    {STT_PARAM_MAX_IDS, STT_IDS_MIN, STT_IDS_MAX},
};
enum { EXTREMES = sizeof extremes / sizeof extremes[0] };

static void say_extreme(const struct extreme *e, bool most)
{
    struct stt_params *p = &duo.client.ep->secrets->own.transport;
    const struct stt_param_rule *rule = &stt_param_rules[e->param];
    uint64_t value = most ? e->most : e->least;
    ck_assert(rule->kind == STT_KIND_INTEGER && value >= rule->min && value <= rule->max);
    memcpy((uint8_t *)p + rule->field, &value, sizeof value);
    stt_params_set(p, e->param);
}

/* _i: one of them, or all of them, each way. The client says so and is as it was: it minds only
 * when there are more ids than it has room for. */
START_TEST(parameters_at_their_bounds_case_33)
{
    bool most = _i % 2;
    int only = _i / 2;
    begin();
    duo.client.config.stream_window_bytes = duo.client.config.stream_window_max = TOP;
    duo.client.config.session_window_bytes = duo.client.config.session_window_max = TOP;
    duo_start(&duo);
    for (int k = 0; k < EXTREMES; k++)
        if (k == only || only == EXTREMES)
            say_extreme(&extremes[k], most);
    connect_and_write();
    for (int i = 0; i < 50; i++) {
        open_and_write(&duo.server, i % 2);
        duo_run_for(&duo, STT_MS(100));
        log_all();
    }
    bool minds = most && (only == EXTREMES || extremes[only].param == STT_PARAM_MAX_IDS);
    ck_assert_uint_eq(duo.server.events[STT_EVENT_CLOSED], minds);
    ck_assert(!minds || duo.client.latest[STT_EVENT_CLOSED].code == STT_CLOSE_ID_LIMIT);
    require_judged();
}
END_TEST

AGED_SUITE("frame cases",
           FRESH_LOOP(frames_of_any_type_with_values_at_the_bounds_case_33, 0, TYPES,
                      "thousands of sessions"),
           LOOP(a_close_with_any_words_is_logged_as_text_case_33, 0, 20),
           LOOP(limits_at_their_bounds_and_beyond_case_33, 0, (int)LIMIT_TYPES *LIMITS),
           LOOP(parameters_at_their_bounds_case_33, 0, 2 * EXTREMES - 1),
           FRESH_LOOP(parameters_at_their_bounds_case_33, 2 * EXTREMES - 1, 2 * EXTREMES,
                      "it closes"),
           LOOP(parameters_at_their_bounds_case_33, 2 * EXTREMES, 2 * EXTREMES + 1),
           FRESH_LOOP(parameters_at_their_bounds_case_33, 2 * EXTREMES + 1, 2 * EXTREMES + 2,
                      "it closes"))
