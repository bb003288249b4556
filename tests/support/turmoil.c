/* SPDX-License-Identifier: MIT
 * turmoil: configuration of a life, its operations, and its end. The first five bytes:
 *     0   3 of the low 2 bits: there is a traitor, and bit 2 says who; bit 3: which congestion
 * control 1   windows: of a stream 4 to 64 KiB, of the session 1 to 8 times that, and how they grow
 *     2   the send ring, 4 to 512 KiB, and what else there is to choose
 *     3   how many streams a peer may open, 1 to 156; how much room transmit gets
 *     4   how much everybody writes when the network is honest again */
#include "tests/support/turmoil.h"

#include "stt/session/engine.h"
#include "stt/sim.h"
#include "tests/support/deeds.h"
#include "tests/support/fuzz.h"
#include "tests/support/traitor.h"
#include "tests/support/treason.h"

#include <string.h>

enum { OPERATIONS_MAX = 1500, ROUNDS_MAX = 20000, FLIGHT_CHECKED_EVERY = 4 };

#define TURMOIL_NS_MAX STT_S(400) /* below the idle timeout */
#define ENDS_NS_MAX    STT_S(60)

/* -- configuration ----------------------------------------------------------------------------- */

static void configure(struct stt_config *config, const uint8_t b[5])
{
    static const char *const controllers[] = {"cubic", "bbr", "tide", "tide"};
    config->n_suites = 1;
    config->suites[0] = stt_sim_null_suite();
    config->idle_timeout_ns = STT_S(600);
    config->stream_window_bytes = UINT64_C(4096) << (b[1] & 7) % 5;
    config->session_window_bytes = config->stream_window_bytes << (b[1] >> 3 & 3);
    config->stream_window_max = config->stream_window_bytes << (b[1] >> 5 & 3);
    config->session_window_max = config->session_window_bytes << (b[1] >> 5 & 3);
    config->stream_memory_max = 1 << 20;
    config->send_ring_bytes = UINT64_C(4096) << (b[2] & 7);
    config->congestion = controllers[b[0] >> 3 & 3];
    config->no_delay = b[2] & 16;
    config->adaptive = b[2] & 32;
    config->max_frame_bytes = b[2] & 64 ? 1024 : 16384;
    config->packet_bytes = b[2] & 128 ? ETHER_DATAGRAM_MAX : STT_DATAGRAM_BYTES_MIN;
    config->max_streams = 1 + (b[3] & 31u) * (b[4] & 1 ? 1 : 5);
}

static void begin(struct turmoil *c)
{
    uint8_t b[5];
    for (size_t i = 0; i < sizeof b; i++)
        b[i] = rd_u8(&c->input);
    duo_init(&c->duo, 1);
    configure(&c->duo.client.config, b);
    configure(&c->duo.server.config, b);
    c->has_traitor = (b[0] & 3) == 3;
    c->traitor = b[0] >> 2 & 1;
    c->ether.room = b[3] >> 5 ? 1500u << (b[3] >> 5) % 6 : STT_TRAIN_BYTES;
    c->more_bytes = b[4] * UINT64_C(512);
    duo_start(&c->duo);
    duo_connect(&c->duo, STT_MODE_K);
    c->duo.now += STT_MS(100);
    duo_exchange(&c->duo);
    ledger_init(&c->ledger);
    for (unsigned s = 0; s < 2; s++)
        c->idle_bytes[s] = turmoil_side(c, s)->te.bytes_in_use;
}

/* -- what must hold ---------------------------------------------------------------------------- */

static bool is_watched(const struct turmoil *c, unsigned s)
{
    return !c->has_traitor || s != c->traitor;
}

/* Where memory was short, a timer tries again. */
static void check_silence(struct turmoil *c, unsigned s)
{
    if (!c->ether.is_mute[s] && !turmoil_side(c, s)->te.failed)
        wiring_check_silence(turmoil_side(c, s)->ep);
}

static void check(struct turmoil *c, int n)
{
    for (unsigned s = 0; s < 2; s++) {
        if (!is_watched(c, s))
            continue;
        wiring_check(&c->wiring[s], turmoil_side(c, s)->ep);
        if (n % FLIGHT_CHECKED_EVERY == 0)
            wiring_check_flight(turmoil_side(c, s)->ep);
    }
}

static void collect(struct turmoil *c)
{
    for (unsigned s = 0; s < 2; s++) {
        if (!is_watched(c, s))
            continue;
        ether_collect(&c->ether, &c->duo, s);
        check_silence(c, s);
        if (c->has_traitor)
            ether_drop(&c->ether, s, SIZE_MAX);
    }
}

/* -- time and machines ------------------------------------------------------------------------- */

static void advance(struct turmoil *c, stt_ns at)
{
    c->duo.now = at > c->duo.now ? at : c->duo.now;
    for (unsigned s = 0; s < 2; s++)
        if (is_watched(c, s))
            stt_endpoint_expire(turmoil_side(c, s)->ep, c->duo.now);
}

static stt_ns deadline(struct turmoil *c)
{
    stt_ns first = STT_NEVER;
    for (unsigned s = 0; s < 2; s++) {
        stt_ns at = is_watched(c, s) ? stt_endpoint_deadline(turmoil_side(c, s)->ep) : STT_NEVER;
        first = at < first ? at : first;
    }
    return first;
}

static void pass_time(struct turmoil *c, uint8_t b)
{
    if (c->duo.now < TURMOIL_NS_MAX)
        advance(c, c->duo.now + (b < 128 ? STT_US(50) * b : STT_MS(2) * (b - 127u)));
}

static void to_deadline(struct turmoil *c)
{
    stt_ns at = deadline(c), most = c->duo.now + STT_S(1);
    if (c->duo.now < TURMOIL_NS_MAX)
        advance(c, at < most ? at : most);
}

static void make_whole(struct turmoil *c, unsigned s)
{
    struct test_env *te = &turmoil_side(c, s)->te;
    te->fail_from = te->fail_at = te->limit_bytes = 0;
}

static void break_memory(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct test_env *te = &turmoil_side(c, s)->te;
    make_whole(c, s);
    if (a & 1)
        te->fail_from = te->allocs + 1 + b % 4;
    else if (a & 2)
        te->fail_at = te->allocs + 1 + b % 8;
    else
        te->limit_bytes = te->bytes_in_use + 256u * b;
}

/* -- operations -------------------------------------------------------------------------------- */

/* The network is kind for a while. */
static void exchange(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    (void)s;
    for (int i = 0; i <= b >> 5; i++) {
        advance(c, c->duo.now + STT_US(100) * (a & 31u));
        collect(c);
        ether_deliver(&c->ether, &c->duo, 0, SIZE_MAX);
        ether_deliver(&c->ether, &c->duo, 1, SIZE_MAX);
        collect(c);
    }
}

static void deliver(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    (void)a;
    ether_deliver(&c->ether, &c->duo, s, 1u + b);
}

static void lose(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    if (b < 64)
        ether_drop(&c->ether, s, 1u + a / 4u);
    else
        ether_drop_one(&c->ether, a);
}

static void shuffle(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    (void)s;
    if (b & 1)
        ether_copy_one(&c->ether, a);
    else
        ether_deliver_one(&c->ether, &c->duo, a);
}

static void wait(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    (void)s;
    if (a & 1)
        to_deadline(c);
    else
        pass_time(c, b);
}

static void memory(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    if (b < 160)
        make_whole(c, s);
    else
        break_memory(c, s, a, b);
}

static void mute(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    (void)a;
    c->ether.is_mute[s] = b < 64;
}

static void session(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct duo_side *side = turmoil_side(c, s);
    if (a == 0x11 && b < 128) {
        c->is_closed = true;
        (void)stt_session_close(side->ep, c->duo.now, side->session, b, "done");
    } else if (b < 64) {
        (void)stt_session_update_keys(side->ep, c->duo.now, side->session);
    } else if (b < 128) {
        (void)stt_session_ping(side->ep, c->duo.now, side->session);
    }
}

static void pull(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    (void)a;
    deed_pull(c, s);
    if (b < 64)
        deed_read_everything(c, s);
}

static deed *const deeds[32] = {deed_open,
                                deed_open,
                                deed_write,
                                deed_write,
                                deed_write,
                                deed_write,
                                deed_write_late,
                                deed_write_late,
                                deed_reserve,
                                deed_finish,
                                deed_end,
                                deed_read,
                                deed_read,
                                deed_read,
                                deed_peek,
                                deed_peek,
                                deed_peek_messages,
                                deed_peek_messages,
                                deed_send_datagram,
                                deed_datagrams,
                                pull,
                                pull,
                                exchange,
                                exchange,
                                deliver,
                                deliver,
                                lose,
                                shuffle,
                                wait,
                                memory,
                                mute,
                                session};

static void operate(struct turmoil *c)
{
    uint8_t kind = rd_u8(&c->input), a = rd_u8(&c->input), b = rd_u8(&c->input);
    unsigned s = kind >> 7;
    if (c->has_traitor && s == c->traitor)
        treason_say(c, kind, a, b);
    else
        deeds[kind & 31](c, s, a, b);
}

/* -- the end ----------------------------------------------------------------------------------- */

static bool has_ended(const struct turmoil *c)
{
    for (size_t i = 0; i < c->ledger.n; i++)
        if (!c->ledger.streams[i].is_stale[0] || !c->ledger.streams[i].is_stale[1])
            return false;
    return true;
}

/* Whoever has something to say says it, or asks what became of the last thing that it said. */
static void check_pause(struct turmoil *c)
{
    if (c->hurries && !has_ended(c))
        FUZZ_ASSERT(deadline(c) <= c->duo.now + STT_PTO_NS_MAX + STT_MS(500));
}

/* A round of an honest network: what is sent arrives 5 ms later. */
static void round_trip(struct turmoil *c)
{
    collect(c);
    if (c->ether.n) {
        advance(c, c->duo.now + STT_MS(5));
        ether_deliver(&c->ether, &c->duo, 0, SIZE_MAX);
        ether_deliver(&c->ether, &c->duo, 1, SIZE_MAX);
    } else {
        check_pause(c);
        advance(c, deadline(c));
    }
    for (unsigned s = 0; s < 2; s++)
        deed_pull(c, s);
}

/* What was written arrives, by events alone. */
static void come_through(struct turmoil *c)
{
    stt_ns began = c->duo.now;
    c->hurries = true;
    for (unsigned s = 0; s < 2; s++) {
        deed_pull(c, s);
        deed_hurry(c, s);
    }
    for (int i = 0; !has_ended(c); i++) {
        round_trip(c);
        check(c, i);
        FUZZ_ASSERT(c->duo.now < began + ENDS_NS_MAX && i < ROUNDS_MAX);
    }
    c->took_ns = c->duo.now - began;
    for (size_t i = 0; i < c->ledger.n; i++)
        ledger_check_ended(&c->ledger.streams[i]);
}

/* Nothing is left but an idle session, and what tables have grown to. */
static void be_idle(struct turmoil *c)
{
    size_t tables = (4 << 10) + (size_t)c->duo.client.config.max_streams * 2 * 64;
    for (stt_ns end = c->duo.now + STT_S(60); c->duo.now < end;)
        round_trip(c);
    for (unsigned s = 0; s < 2; s++) {
        wiring_check_empty(turmoil_side(c, s)->ep);
        FUZZ_ASSERT(turmoil_side(c, s)->te.bytes_in_use <= c->idle_bytes[s] + tables);
    }
}

static void close_session(struct turmoil *c)
{
    c->is_closed = true;
    for (unsigned s = 0; s < 2; s++) {
        struct duo_side *side = turmoil_side(c, s);
        if (is_watched(c, s))
            (void)stt_session_close(side->ep, c->duo.now, side->session, 1, NULL);
        deed_pull(c, s);
    }
    for (stt_ns end = c->duo.now + STT_S(1000); c->duo.now < end && deadline(c) != STT_NEVER;)
        round_trip(c);
    for (unsigned s = 0; s < 2; s++) {
        struct duo_side *side = turmoil_side(c, s);
        if (!is_watched(c, s))
            continue;
        wiring_check_empty(side->ep);
        FUZZ_ASSERT(side->events[STT_EVENT_CLOSED] == 1 && side->ep->sessions.in_use == 0);
    }
}

static void end(struct turmoil *c)
{
    for (unsigned s = 0; s < 2; s++) {
        make_whole(c, s);
        c->ether.is_mute[s] = false;
    }
    if (!c->has_traitor && !c->is_closed) {
        come_through(c);
        be_idle(c);
    }
    close_session(c);
    ledger_end(&c->ledger);
    duo_end(&c->duo);
}

stt_ns turmoil_live(struct bytes input)
{
    enum { BYTES_MAX = 4 << 20 }; /* whatever a peer says: 1 MiB of stream data, and tables */
    static struct turmoil c;
    c.ether.n = 0;
    memset(&c.wiring, 0, sizeof c.wiring);
    c.is_closed = c.hurries = c.ether.is_mute[0] = c.ether.is_mute[1] = false;
    c.took_ns = 0;
    c.input = rd_init(input);
    begin(&c);
    for (int i = 0; rd_left(&c.input) && i < OPERATIONS_MAX; i++) {
        operate(&c);
        collect(&c);
        check(&c, i);
    }
    for (unsigned s = 0; s < 2; s++)
        FUZZ_ASSERT(turmoil_side(&c, s)->te.bytes_peak <= BYTES_MAX);
    end(&c);
    return c.took_ns;
}
