/* SPDX-License-Identifier: MIT
 * echo: the two processes: one asks, the other answers, and both go through the same slices in the
 * same order. The last message of a slice says that it is the last.
 *
 * A node that blocks and one that spins are there all the time, each with a session of two streams,
 * the echo's first; nobody steps the node whose slice it is not. */
#include "tools/sttbench/latency/latency.h"
#include "tools/sttbench/shared/pair.h"

#include <string.h>
#include <unistd.h>

const struct latency_case latency_cases[LATENCY_N] = {
#define X(id, name, is_raw, spins, load) {name, is_raw, spins, LATENCY_##load},
    LATENCY_CASES(X)
#undef X
};

/* -- messages ---------------------------------------------------------------------------------- */

void latency_fill(uint8_t message[LATENCY_BYTES], uint64_t number, bool is_last)
{
    memset(message, 0x5a, LATENCY_BYTES);
    memcpy(message, &number, sizeof number);
    message[8] = is_last;
}

bool latency_is_last(const uint8_t message[LATENCY_BYTES])
{
    return message[8];
}

void latency_keep(struct latency_slice *slice, uint64_t number, double began_ns, double now_ns)
{
    if (number >= LATENCY_WARM && slice->n < LATENCY_SAMPLES)
        slice->us[slice->n++] = (float)((now_ns - began_ns) * 1e-3);
}

/* -- a node with a session --------------------------------------------------------------------- */

struct side {
    struct stt_node *node;
    stt_handle session, echo, bulk;
    uint8_t message[LATENCY_BYTES]; /* so far */
    size_t len;
};

static struct stt_node *make(const struct latency_run *run, bool spins,
                             struct stt_node_config *config)
{
    const struct ends_wish wish = {
        .suite = run->suite, .io = run->io, .spin_ns = spins ? run->spin_ns : 0};
    return ends_config(config, &wish) ? ends_node(config) : NULL;
}

/* On a stream that the peer has opened only the config could say "no_delay". */
static bool write_all(struct side *s, const uint8_t message[LATENCY_BYTES])
{
    struct stt_endpoint *ep = stt_node_endpoint(s->node);
    stt_ns now = stt_node_now(s->node);
    size_t written;
    int error = stt_stream_write(ep, now, s->echo, message, LATENCY_BYTES, &written);
    (void)stt_stream_flush(ep, now, s->echo);
    return ends_well(error, "writing") && written == LATENCY_BYTES;
}

/* Whether a message is there now as a whole, in s->message. */
static bool read_message(struct side *s)
{
    size_t n = 0;
    s->len = s->len == LATENCY_BYTES ? 0 : s->len;
    if (stt_stream_read(stt_node_endpoint(s->node), stt_node_now(s->node), s->echo,
                        s->message + s->len, LATENCY_BYTES - s->len, &n))
        return false;
    s->len += n;
    return s->len == LATENCY_BYTES;
}

/* -- who answers ------------------------------------------------------------------------------- */

static void swallow(struct side *s, stt_handle stream)
{
    struct stt_endpoint *ep = stt_node_endpoint(s->node);
    struct stt_part parts[16];
    for (size_t n; (n = stt_stream_peek(ep, stream, parts, 16)) > 0;) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++)
            len += parts[i].len;
        (void)stt_stream_consume(ep, stt_node_now(s->node), stream, len);
    }
}

/* True: that was the last message. */
static bool answer_stream(struct side *s, const struct stt_stream_event *e)
{
    if (!s->echo)
        s->echo = e->stream;
    if (!(e->what & STT_STREAM_READABLE))
        return false;
    if (e->stream != s->echo)
        swallow(s, e->stream);
    else
        while (read_message(s))
            if (!write_all(s, s->message) || latency_is_last(s->message))
                return true;
    return false;
}

static bool answer(struct side *s)
{
    struct stt_stream_event e;
    for (bool is_over = false; !is_over;) {
        if (!ends_wait(s->node))
            return false;
        while (stt_endpoint_stream_event(stt_node_endpoint(s->node), &e))
            is_over = answer_stream(s, &e) || is_over;
    }
    return ends_well(stt_node_step(s->node), "answering");
}

bool latency_answer(void *memory)
{
    struct latency_run *run = memory;
    struct side sides[2] = {{.node = NULL}};
    struct stt_node_config config;
    int raw = latency_raw_socket(run, 1);
    bool ok = raw >= 0;
    for (int i = 0; ok && i < 2; i++)
        ok = (sides[i].node = make(run, i, &config)) &&
             ends_listen(sides[i].node, &config, &run->meetings[i]) && answer(&sides[i]);
    for (int round = 0; ok && round < LATENCY_ROUNDS; round++)
        for (int i = 0; ok && i < LATENCY_N; i++) {
            const struct latency_case *c = &latency_cases[i];
            if (!run->is_wanted[i])
                continue;
            ok = c->is_raw ? latency_raw_answer(raw, c->spins) : answer(&sides[c->spins]);
        }
    return ok;
}

/* -- who asks ---------------------------------------------------------------------------------- */

static void fill_bulk(struct side *s)
{
    static uint8_t bytes[1 << 16];
    struct stt_endpoint *ep = stt_node_endpoint(s->node);
    size_t n;
    do
        n = 0;
    while (!stt_stream_write(ep, stt_node_now(s->node), s->bulk, bytes, sizeof bytes, &n) && n);
}

static struct stt_stream_info bulk_info(const struct side *s)
{
    struct stt_stream_info info = {.bytes_written = 0};
    bool is_there = stt_stream_info(stt_node_endpoint(s->node), s->bulk, &info) == STT_OK;
    return is_there ? info : (struct stt_stream_info){.bytes_written = 0};
}

static bool send_next(struct side *s, uint64_t number, bool is_last)
{
    uint8_t message[LATENCY_BYTES];
    latency_fill(message, number, is_last);
    return write_all(s, message);
}

/* Until the answer is there; meanwhile the bulk stream is kept full, if it shall be. */
static bool await_answer(struct side *s, uint64_t number, bool fills)
{
    struct stt_stream_event e;
    for (bool is_there = false; !is_there;) {
        if (!ends_wait(s->node))
            return false;
        while (stt_endpoint_stream_event(stt_node_endpoint(s->node), &e)) {
            if (e.stream == s->echo && e.what & STT_STREAM_READABLE)
                is_there = is_there || read_message(s);
            if (e.stream == s->bulk && e.what & STT_STREAM_WRITABLE && fills)
                fill_bulk(s);
        }
    }
    if (memcmp(s->message, &number, sizeof number) == 0)
        return true;
    return pair_refuse("an answer was not what was asked");
}

static uint64_t packets_so_far(const struct side *s)
{
    struct stt_session_info info;
    int error = stt_session_info(stt_node_endpoint(s->node), s->session, &info);
    return error ? 0 : info.packets_sent + info.packets_received;
}

static bool ask(struct side *s, enum latency_load load, stt_ns slice_ns,
                struct latency_slice *slice)
{
    double now = figures_clock_ns(CLOCK_MONOTONIC), first = now, until = now + (double)slice_ns;
    uint64_t acked = bulk_info(s).bytes_acked, packets = packets_so_far(s), number;
    bool is_last = false, fills = load != LATENCY_IDLE;
    (void)stt_stream_set_urgency(stt_node_endpoint(s->node), s->echo,
                                 load == LATENCY_URGENT ? 0 : 3);
    if (fills)
        fill_bulk(s);
    for (number = 0; !is_last; number++) {
        double began = now;
        bool is_late = now >= until && (number > LATENCY_WARM || !slice_ns);
        if (fills && is_late) {
            slice->bulk_bytes = (double)(bulk_info(s).bytes_acked - acked);
            slice->bulk_s = (now - first) * 1e-9;
            fills = false;
        }
        struct stt_stream_info bulk = is_late ? bulk_info(s) : (struct stt_stream_info){.id = 0};
        is_last = is_late && bulk.bytes_acked == bulk.bytes_written;
        if (!send_next(s, number, is_last) || !await_answer(s, number, fills))
            return false;
        now = figures_clock_ns(CLOCK_MONOTONIC);
        if (!is_late)
            latency_keep(slice, number, began, now);
    }
    slice->packets = packets_so_far(s) - packets;
    slice->trips = number;
    return true;
}

/* Both streams are there when this is over, the echo's first. */
static bool begin(struct side *s, struct latency_run *run, bool spins)
{
    struct stt_node_config config;
    static struct latency_slice none;
    if (!(s->node = make(run, spins, &config)) ||
        !(s->session = ends_connect(s->node, &run->meetings[spins])) ||
        !(s->echo = ends_open(s->node, s->session, 3)) ||
        !(s->bulk = ends_open(s->node, s->session, 3)))
        return false;
    return ask(s, LATENCY_IDLE, 0, &none);
}

static bool note_what_it_is(const struct side *s, struct latency_run *run)
{
    struct stt_session_info info;
    if (!ends_well(stt_session_info(stt_node_endpoint(s->node), s->session, &info), "asking"))
        return false;
    strncpy(run->suite_is, info.suite, sizeof run->suite_is - 1);
    strncpy(run->io_is, stt_node_io(s->node), sizeof run->io_is - 1);
    return true;
}

bool latency_ask(void *memory)
{
    struct latency_run *run = memory;
    struct side sides[2] = {{.node = NULL}};
    int raw = latency_raw_socket(run, 0);
    bool ok = raw >= 0;
    for (int i = 0; ok && i < 2; i++)
        ok = begin(&sides[i], run, i);
    ok = ok && note_what_it_is(&sides[0], run);
    for (int round = 0; ok && round < LATENCY_ROUNDS; round++)
        for (int i = 0; ok && i < LATENCY_N; i++) {
            const struct latency_case *c = &latency_cases[i];
            struct latency_slice *slice = &run->slices[round][i];
            if (!run->is_wanted[i])
                continue;
            ok = c->is_raw ? latency_raw_ask(raw, c->spins, run->slice_ns, slice)
                           : ask(&sides[c->spins], c->load, run->slice_ns, slice);
        }
    return ok;
}
