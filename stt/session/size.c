/* SPDX-License-Identifier: MIT
 * size: owns the search for the packet size of a path. Lost probes are votes against their size and
 * all above; an ack takes back those up to its size, and three within a step above the size in use
 * end the search. So the probes of a round speak for each other, and a chance loss costs a round
 * and never the result.
 *
 * Invariants: base <= bytes <= upper; probe[] and lost[] lie above bytes and up to upper, lost[] is
 * ascending; a round is planned only when nothing of the one before is out; a search sends at most
 * STT_SIZE_SEARCH_PROBES.
 * It must not know frames, sealing, sockets, nor the window. Spec 04, "Packet size". */
#include "stt/session/size.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct stt_size) <= 96, "one for each path");

/* Where many paths end, the likeliest first: Ethernet, jumbo frames, tunnels; less the headers of
 * IPv4 or IPv6, and UDP. */
static const uint16_t well_known[] = {1472, 1452, 8952, 1392, 1432, 1352};
enum { WELL_KNOWN = sizeof well_known / sizeof well_known[0] };

static uint32_t at_most(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* -- birth, falls
 * ------------------------------------------------------------------------------- */

static void forget_round(struct stt_size *x)
{
    x->n_probes = x->out = 0;
}

static void begin_search(struct stt_size *x)
{
    forget_round(x);
    x->n_lost = 0;
    x->raise_at = 0;
    x->probes_left = STT_SIZE_SEARCH_PROBES;
}

void stt_size_init(struct stt_size *x, uint32_t base, uint32_t upper, uint64_t from)
{
    assert(base && base <= upper && upper <= STT_DATAGRAM_BYTES_MAX);
    *x = (struct stt_size){
        .base = (uint16_t)base, .upper = (uint16_t)upper, .bytes = (uint16_t)base, .from = from};
    begin_search(x);
}

/* What is still out tells nothing any more, and an ack of something newer is awaited. */
static void start_over(struct stt_size *x, uint64_t next)
{
    forget_round(x);
    x->from = next;
    x->waits = true;
    x->row = 0;
}

void stt_size_on_port_change(struct stt_size *x, uint64_t from)
{
    start_over(x, from);
}

static bool fall(struct stt_size *x)
{
    x->likely = x->bytes;
    x->bytes = x->base;
    begin_search(x);
    return true;
}

/* -- votes
 * ------------------------------------------------------------------------------------ */

static unsigned votes_up_to(const struct stt_size *x, uint32_t size)
{
    unsigned n = 0;
    while (n < x->n_lost && x->lost[n] <= size)
        n++;
    return n;
}

static void take_votes_back(struct stt_size *x, uint32_t size)
{
    unsigned n = votes_up_to(x, size);
    x->n_lost = (uint8_t)(x->n_lost - n);
    memmove(x->lost, x->lost + n, x->n_lost * sizeof x->lost[0]);
}

/* Where there are too many, the largest says least. Fewer than 3 are below a size when it is asked,
 * and then those of its round. */
static void vote(struct stt_size *x, uint32_t size)
{
    unsigned at = votes_up_to(x, size);
    assert(at < STT_SIZE_TRIES + STT_SIZE_PROBES_MAX);
    x->n_lost = (uint8_t)at_most(x->n_lost + 1u, STT_SIZE_LOST_MAX);
    memmove(x->lost + at + 1, x->lost + at, (x->n_lost - at - 1u) * sizeof x->lost[0]);
    x->lost[at] = (uint16_t)size;
}

/* -- a round
 * ---------------------------------------------------------------------------------- */

static void add(struct stt_size *x, uint32_t size)
{
    if (x->n_probes < STT_SIZE_PROBES_MAX)
        x->probe[x->n_probes++] = (uint16_t)size;
}

static bool is_known(uint32_t size)
{
    for (unsigned i = 0; i < WELL_KNOWN; i++)
        if (well_known[i] == size)
            return true;
    return false;
}

/* The path probably ends where it is. */
static bool is_at_likely_end(const struct stt_size *x)
{
    return x->bytes == x->likely || is_known(x->bytes);
}

/* Unless it is of no use, or another of the round is as good. */
static void add_likely(struct stt_size *x, uint32_t size, uint32_t limit)
{
    if (size < x->bytes + STT_SIZE_STEP_BYTES || size > limit)
        return;
    for (unsigned i = 0; i < x->n_probes; i++)
        if (size < x->probe[i] + STT_SIZE_STEP_BYTES && x->probe[i] < size + STT_SIZE_STEP_BYTES)
            return;
    add(x, size);
}

/* As many as there is room for, and no more than leave gaps of a step. */
static void spread(struct stt_size *x, uint32_t high)
{
    uint32_t width = high - x->bytes;
    uint32_t n = at_most(STT_SIZE_PROBES_MAX - x->n_probes, (width - 1) / STT_SIZE_STEP_BYTES);
    for (uint32_t i = 1; i <= n; i++)
        add(x, x->bytes + width * i / (n + 1));
}

/* Only a step is left: what was lost there, was it chance? The tries are never all of one round,
 * which a single burst may hit. */
static void confirm(struct stt_size *x, uint32_t size)
{
    for (unsigned votes = votes_up_to(x, size); votes < STT_SIZE_TRIES; votes++)
        add(x, size);
}

/* The sizes between the one in use and the smallest that was lost, and that one once more. */
static void plan(struct stt_size *x, uint32_t limit)
{
    uint32_t step_above = x->bytes + STT_SIZE_STEP_BYTES;
    bool has_lost = x->n_lost && x->lost[0] <= limit;
    uint32_t high = has_lost ? x->lost[0] : limit;
    if (has_lost && high <= step_above) {
        confirm(x, step_above);
        return;
    }
    if (votes_up_to(x, high) < STT_SIZE_TRIES)
        add(x, high);
    if (is_at_likely_end(x))
        add(x, step_above);
    if (!x->n_lost)
        add_likely(x, x->likely, limit);
    for (unsigned i = 0; i < WELL_KNOWN && !x->n_lost; i++)
        add_likely(x, well_known[i], limit);
    spread(x, high);
}

static bool is_found(const struct stt_size *x)
{
    uint32_t step_above = x->bytes + STT_SIZE_STEP_BYTES;
    return x->upper < step_above || votes_up_to(x, step_above) >= STT_SIZE_TRIES ||
           x->probes_left < STT_SIZE_PROBES_MAX;
}

static void begin_round(struct stt_size *x, stt_ns now, uint32_t limit)
{
    forget_round(x);
    if (is_found(x)) {
        x->likely = x->bytes;
        x->raise_at = now + STT_SIZE_RAISE_NS;
    } else if (limit >= x->bytes + STT_SIZE_STEP_BYTES) {
        plan(x, limit);
    }
}

/* -- probes
 * ----------------------------------------------------------------------------------- */

static bool is_out(const struct stt_size *x, unsigned i)
{
    return x->out >> i & 1;
}

/* The largest that waits to be sent, or 0. The smallest goes last, since it is likeliest to be
 * acknowledged, and what was sent before is lost then. */
static uint32_t largest_waiting(const struct stt_size *x, uint32_t room)
{
    uint32_t largest = 0;
    for (unsigned i = 0; i < x->n_probes; i++)
        if (!is_out(x, i) && x->probe[i] <= room && x->probe[i] > largest)
            largest = x->probe[i];
    return largest;
}

uint32_t stt_size_next_probe(struct stt_size *x, stt_ns now, uint32_t room)
{
    if (x->waits || now < x->raise_at)
        return 0;
    if (x->raise_at)
        begin_search(x);
    uint32_t size = largest_waiting(x, room);
    if (size || x->out)
        return size;
    begin_round(x, now, at_most(room, x->upper));
    return largest_waiting(x, room);
}

void stt_size_on_probe_sent(struct stt_size *x, uint32_t size)
{
    unsigned i = 0;
    while (i < x->n_probes && (is_out(x, i) || x->probe[i] != size))
        i++;
    assert(i < x->n_probes && x->probes_left);
    x->out = (uint8_t)(x->out | 1u << i);
    x->probes_left--;
}

static void remove_probe(struct stt_size *x, unsigned i)
{
    uint8_t below = (uint8_t)((1u << i) - 1);
    x->out = (uint8_t)((x->out & below) | (x->out >> 1 & ~below));
    x->n_probes--;
    memmove(x->probe + i, x->probe + i + 1, (x->n_probes - i) * sizeof x->probe[0]);
}

/* It was out, and is no longer. */
static bool take_out(struct stt_size *x, uint32_t size)
{
    for (unsigned i = 0; i < x->n_probes; i++) {
        if (!is_out(x, i) || x->probe[i] != size)
            continue;
        remove_probe(x, i);
        return true;
    }
    return false;
}

static bool was_lost(const struct stt_size *x, uint32_t size)
{
    unsigned n = votes_up_to(x, size);
    return n && x->lost[n - 1] == size;
}

/* Nothing smaller needs to be asked any more. */
static void raise_to(struct stt_size *x, uint32_t size)
{
    x->bytes = (uint16_t)size;
    take_votes_back(x, size);
    for (unsigned i = x->n_probes; i-- > 0;)
        if (x->probe[i] <= size)
            remove_probe(x, i);
}

void stt_size_on_probe_acked(struct stt_size *x, uint64_t number, uint32_t size)
{
    stt_size_on_acked(x, (struct stt_range){number, number + 1}, size);
    if (number < x->from || !(take_out(x, size) || was_lost(x, size)))
        return;
    raise_to(x, size);
}

void stt_size_on_probe_lost(struct stt_size *x, uint64_t number, uint32_t size)
{
    if (number >= x->from && take_out(x, size))
        vote(x, size);
}

void stt_size_on_probe_unsent(struct stt_size *x, uint64_t number, uint32_t size)
{
    if (number >= x->from)
        take_out(x, size); /* what it asks, a later round asks again */
}

stt_ns stt_size_deadline(const struct stt_size *x)
{
    bool is_answer_awaited = x->waits || (x->out && !largest_waiting(x, UINT32_MAX));
    return is_answer_awaited ? STT_NEVER : x->raise_at;
}

/* -- black holes
 * ------------------------------------------------------------------------------ */

/* One of the row's size got through after all; or a smaller one did, which leaves of the row
 * only what was larger: one for certain. */
static void end_row(struct stt_size *x, uint32_t size)
{
    if (size >= x->row_bytes) {
        x->row = 0;
    } else if (size > x->passed) {
        x->passed = (uint16_t)size;
        x->row = 1;
    }
}

void stt_size_on_acked(struct stt_size *x, struct stt_range numbers, uint32_t largest)
{
    if (numbers.to <= x->from)
        return;
    x->waits = false;
    if (largest + STT_SIZE_STEP_BYTES > x->bytes && numbers.to > x->full_end)
        x->full_end = numbers.to;
    if (x->row && numbers.to > x->row_first)
        end_row(x, largest);
}

static void begin_row(struct stt_size *x, const struct stt_size_lost *lost)
{
    x->row_first = lost->numbers.from;
    x->row_since = lost->first_sent_at;
    x->row_bytes = 0;
    x->passed = x->base;
}

bool stt_size_on_lost(struct stt_size *x, const struct stt_size_lost *lost, stt_ns pto,
                      uint64_t next)
{
    uint64_t packets = lost->numbers.to - lost->numbers.from;
    if (lost->numbers.from < x->from || lost->numbers.to <= x->full_end ||
        lost->largest > x->bytes || lost->largest <= (x->row ? x->passed : x->base))
        return false;
    if (!x->row)
        begin_row(x, lost);
    if (lost->bytes <= packets * x->passed)
        packets = 1; /* some of them were small, and one was not */
    packets += x->row;
    x->row = packets < STT_SIZE_BLACK_HOLE ? (uint8_t)packets : STT_SIZE_BLACK_HOLE;
    if (lost->largest > x->row_bytes)
        x->row_bytes = (uint16_t)lost->largest;
    if (x->row < STT_SIZE_BLACK_HOLE || lost->last_sent_at < x->row_since + pto)
        return false;
    start_over(x, next);
    return fall(x);
}

/* What is out in an outage is lost, whatever its size. */
void stt_size_on_pto(struct stt_size *x, uint8_t in_a_row, uint64_t next)
{
    x->ptos = in_a_row;
    if (in_a_row >= STT_SIZE_BLACK_HOLE_PTO)
        start_over(x, next);
}

bool stt_size_on_unanswered(struct stt_size *x, uint32_t bytes)
{
    return x->ptos >= STT_SIZE_BLACK_HOLE_PTO && bytes > x->base && x->bytes > x->base && fall(x);
}

/* -- limits
 * ----------------------------------------------------------------------------------- */

static void keep_to_upper(struct stt_size *x)
{
    x->n_lost = (uint8_t)votes_up_to(x, x->upper);
    for (unsigned i = x->n_probes; i-- > 0;)
        if (x->probe[i] > x->upper)
            remove_probe(x, i);
    x->row = 0;
}

/* What else the host can send is not known where it refused what was in use. */
void stt_size_on_refused(struct stt_size *x, uint32_t size)
{
    if (size > x->upper || size <= x->base)
        return;
    x->upper = (uint16_t)(size - 1);
    if (x->bytes > x->upper) {
        x->bytes = x->base;
        begin_search(x);
    }
    keep_to_upper(x);
}

void stt_size_on_limit(struct stt_size *x, uint32_t upper)
{
    bool is_higher = upper > x->upper;
    assert(upper <= STT_DATAGRAM_BYTES_MAX);
    x->upper = (uint16_t)(upper > x->base ? upper : x->base);
    x->bytes = (uint16_t)at_most(x->bytes, x->upper);
    if (is_higher)
        begin_search(x);
    keep_to_upper(x);
}
