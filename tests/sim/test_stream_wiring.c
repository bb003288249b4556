/* SPDX-License-Identifier: MIT
 * Where the parts of a stream meet: an end that comes while something is half done, memory that
 * runs out in the middle, a limit that holds back what is late. Two endpoints, and a network that
 * the test carries by hand. */
#include "stt/session/engine.h"
#include "stt/streams.h"
#include "tests/support/duo.h"
#include "tests/support/suite.h"

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

SUITE("stream_wiring", LOOP(what_was_cut_off_is_never_read_to_its_end, 0, 2))
