/* SPDX-License-Identifier: MIT
 * What others can do to a session that is just coming to be, without its keys: copies of its first
 * packets that come from elsewhere, and come first. */
#include <string.h>

#include "stt/streams.h"
#include "tests/support/duo.h"
#include "tests/support/suite.h"

enum { OUTRUN_MAX = 8 };

static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};

static const struct stt_address elsewhere = {.ip = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 77},
                                             .port = 7777};

struct outrunner {
    const struct duo_side *victim; /* whose trains are copied */
    int nth, seen;
    bool is_instead; /* the original is lost */
    stt_handle written_to[2];
};

/* Who has a session writes at once. */
static void write_something(struct duo *d, struct duo_side *side, stt_handle *written_to)
{
    static const uint8_t data[5000];
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    size_t n;
    if (!side->session || *written_to == side->session ||
        stt_stream_open(side->ep, d->now, side->session, &options, &stream))
        return;
    ck_assert_int_eq(stt_stream_write(side->ep, d->now, stream, data, sizeof data, &n), STT_OK);
    *written_to = side->session;
}

/* As duo_carry(), but the nth train of the victim's arrives from elsewhere before it arrives. */
static bool carry(struct duo *d, struct duo_side *from, struct outrunner *o)
{
    static uint8_t room[DUO_ROOM];
    struct duo_side *to = duo_other(d, from);
    struct stt_train train;
    if (!duo_transmit(d, from, room, &train))
        return false;
    d->now += STT_MS(5);
    if (memcmp(&train.path.remote, &to->address, sizeof to->address) != 0)
        return true; /* to elsewhere, where nobody has the keys */
    bool is_copied = from == o->victim && o->seen++ == o->nth;
    if (is_copied)
        duo_deliver(d, to, &elsewhere, &train);
    if (!is_copied || !o->is_instead)
        duo_deliver(d, to, NULL, &train);
    return true;
}

static void exchange(struct duo *d, struct outrunner *o)
{
    bool any;
    do {
        any = carry(d, &d->client, o);
        any = carry(d, &d->server, o) || any;
        duo_pull(&d->client);
        duo_pull(&d->server);
        write_something(d, &d->client, &o->written_to[0]);
        write_something(d, &d->server, &o->written_to[1]);
    } while (any);
}

static void run_for(struct duo *d, stt_ns ns, struct outrunner *o)
{
    stt_ns end = d->now + ns;
    while (d->now < end) {
        exchange(d, o);
        stt_ns a = stt_endpoint_deadline(d->client.ep), b = stt_endpoint_deadline(d->server.ep);
        stt_ns next = a < b ? a : b;
        next = next < end ? next : end;
        d->now = next > d->now ? next : d->now + STT_US(1);
        stt_endpoint_expire(d->client.ep, d->now);
        stt_endpoint_expire(d->server.ep, d->now);
    }
}

static bool is_at_home(struct duo *d, struct duo_side *side)
{
    struct stt_session_info info = duo_info(side);
    const struct stt_address *home = &duo_other(d, side)->address;
    return memcmp(&info.path.remote, home, sizeof *home) == 0;
}

START_TEST(a_copy_that_outruns_one_early_packet_keeps_nothing_from_arriving_case_17)
{
    struct duo d;
    int nth = _i / 4 % OUTRUN_MAX;
    duo_init(&d, (uint64_t)_i + 1);
    struct outrunner o = {
        .nth = nth, .victim = _i % 2 ? &d.server : &d.client, .is_instead = _i / 2 % 2};
    duo_start(&d);
    ck_assert_int_eq(duo_begin(&d, modes[_i / 4 / OUTRUN_MAX]), STT_OK);
    run_for(&d, STT_S(5), &o);
    ck_assert_uint_eq(d.client.events[STT_EVENT_CONNECTED], 1);
    ck_assert_uint_eq(d.server.events[STT_EVENT_ACCEPTED], 1);
    run_for(&d, STT_S(70), &o);
    ck_assert_uint_eq(d.client.events[STT_EVENT_CLOSED], 0);
    ck_assert_uint_eq(d.server.events[STT_EVENT_CLOSED], 0);
    ck_assert(is_at_home(&d, &d.client) && is_at_home(&d, &d.server));
    duo_end(&d);
}
END_TEST

SUITE("birth", LOOP(a_copy_that_outruns_one_early_packet_keeps_nothing_from_arriving_case_17, 0,
                    4 * OUTRUN_MAX * (int)(sizeof modes / sizeof modes[0])))
