/* SPDX-License-Identifier: MIT
 * bottleneck: owns the links that flows share, how they change, and what is seen of them: how long
 * the queue is, how much came through, and what became of the rest.
 *
 *   from -- own --> [ policer, queue, rate, loss, delay ] --> to
 *   from <-- own -- [ delay, acks in bursts, rate, queue ] <-- to
 *
 * It must not know who sends. */
#include "tools/sttbench/link/bottleneck.h"

#include <math.h>
#include <string.h>

#define LEAST_BACK_BYTES 65536 /* acks have room, however slow their way */

uint64_t link_bdp_bytes(const struct link_path *path)
{
    return (uint64_t)((double)path->rate_bits_per_s / 8 * (double)path->rtt_ns * 1e-9);
}

uint64_t link_carries(const struct link_path *path)
{
    bool is_policed = path->police_bits_per_s && path->police_bits_per_s < path->rate_bits_per_s;
    return is_policed ? path->police_bits_per_s : path->rate_bits_per_s;
}

/* -- links ------------------------------------------------------------------------------------- */

static struct stt_link_config config_of(const struct bottleneck *b)
{
    const struct link_path *p = &b->path;
    return (struct stt_link_config){
        .rate_bits_per_s = p->rate_bits_per_s,
        .delay_ns = p->rtt_ns / 2,
        .jitter_ns = p->jitter_ns,
        .queue_bytes = b->queue_bytes,
        .header_bytes = LINK_HEADERS,
        .loss_ppm = p->loss_ppm,
        .reorder_ppm = p->reorder_ppm,
        .reorder_ns = p->reorder_ns ? p->reorder_ns : b->run->path.rtt_ns / 5,
    };
}

static struct stt_link_config forth_of(const struct bottleneck *b)
{
    struct stt_link_config c = config_of(b);
    double mark = (double)link_bdp_bytes(&b->run->path) * b->path.mark_bdps;
    c.police_bits_per_s = b->path.police_bits_per_s;
    c.police_burst_bytes = b->path.police_burst_bytes;
    c.ecn_mark_bytes = b->path.mark_bdps > 0 ? (uint32_t)fmax(mark, 1) : 0;
    return c;
}

static struct stt_link_config back_of(const struct bottleneck *b)
{
    struct stt_link_config c = config_of(b);
    uint64_t rate = b->path.back_rate_bits_per_s;
    c.aggregate_ns = b->path.aggregate_ns;
    if (!rate)
        return c;
    double queue = (double)b->queue_bytes * (double)rate / (double)b->run->path.rate_bits_per_s;
    c.rate_bits_per_s = rate;
    c.queue_bytes = (uint32_t)fmax(queue, LEAST_BACK_BYTES);
    return c;
}

/* The shortest of all; the path's own where no flow asks for less. */
static stt_ns least_rtt_of(const struct link_run *run)
{
    stt_ns least = run->path.rtt_ns;
    for (size_t i = 0; i < run->n_flows; i++)
        if (run->flows[i].rtt_ns && run->flows[i].rtt_ns < least)
            least = run->flows[i].rtt_ns;
    return least;
}

static uint64_t least_rate_of(const struct link_run *run)
{
    uint64_t least = run->path.rate_bits_per_s;
    for (size_t i = 0; i < run->n_steps; i++)
        if (run->steps[i].rate_bits_per_s && run->steps[i].rate_bits_per_s < least)
            least = run->steps[i].rate_bits_per_s;
    return least;
}

static double ns_of(double bytes, uint64_t rate_bits_per_s)
{
    return bytes * 8e9 / (double)rate_bits_per_s;
}

void bottleneck_init(struct bottleneck *b, struct stt_sim *sim, const struct link_run *run)
{
    double queue = (double)link_bdp_bytes(&run->path) * run->path.queue_bdps;
    *b = (struct bottleneck){.sim = sim, .run = run, .path = run->path};
    b->queue_bytes = (uint32_t)fmax(queue, run->payload + LINK_HEADERS);
    b->path.rtt_ns = b->own_rtt_ns = least_rtt_of(run);
    b->queue_ns_limit = ns_of(b->queue_bytes, least_rate_of(run));
    struct stt_link_config forth = forth_of(b), back = back_of(b);
    b->forth = stt_sim_link_add(sim, &forth);
    b->back = stt_sim_link_add(sim, &back);
}

void bottleneck_route(struct bottleneck *b, const struct stt_address *from,
                      const struct stt_address *to, stt_ns rtt_ns)
{
    struct stt_path forth = {.local = *from, .remote = *to};
    struct stt_path back = {.local = *to, .remote = *from};
    stt_sim_link there[2] = {b->forth}, here[2] = {b->back};
    size_t n = 1;
    if (rtt_ns > b->own_rtt_ns) {
        struct stt_link_config own = {.delay_ns = (rtt_ns - b->own_rtt_ns) / 2};
        there[0] = stt_sim_link_add(b->sim, &own);
        there[n] = b->forth;
        here[n++] = stt_sim_link_add(b->sim, &own);
    }
    stt_sim_route(b->sim, &forth, there, n);
    stt_sim_route(b->sim, &back, here, n);
}

static void count_room(struct bottleneck *b)
{
    stt_ns now = stt_sim_now(b->sim);
    b->bits += (double)link_carries(&b->path) * (double)(now - b->since) * 1e-9;
    b->since = now;
}

void bottleneck_step(struct bottleneck *b, const struct link_step *step)
{
    count_room(b);
    if (step->rate_bits_per_s)
        b->path.rate_bits_per_s = step->rate_bits_per_s;
    if (step->rtt_ns)
        b->path.rtt_ns = step->rtt_ns;
    struct stt_link_config forth = forth_of(b), back = back_of(b);
    stt_sim_link_set(b->sim, b->forth, &forth);
    stt_sim_link_set(b->sim, b->back, &back);
}

/* -- what is seen ------------------------------------------------------------------------------ */

double bottleneck_queue_ns(const struct bottleneck *b)
{
    struct stt_link_stats l = stt_sim_link_stats(b->sim, b->forth);
    return ns_of((double)l.queue_bytes, b->path.rate_bits_per_s);
}

void bottleneck_begin(struct bottleneck *b)
{
    b->since = stt_sim_now(b->sim);
    b->bits = b->queue_ns_sum = b->queue_ns_max = 0;
    b->before = stt_sim_link_stats(b->sim, b->forth);
    b->n_looks = 0;
    memset(b->bins, 0, sizeof b->bins);
}

void bottleneck_look(struct bottleneck *b)
{
    double ns = bottleneck_queue_ns(b), bin = ns / b->queue_ns_limit * BOTTLENECK_BINS;
    b->bins[bin < BOTTLENECK_BINS ? (size_t)bin : BOTTLENECK_BINS]++;
    b->queue_ns_sum += ns;
    b->queue_ns_max = fmax(b->queue_ns_max, ns);
    b->n_looks++;
}

static double queue_percentile(const struct bottleneck *b, double percent)
{
    uint64_t left = (uint64_t)ceil((double)b->n_looks * percent / 100);
    for (size_t i = 0; i <= BOTTLENECK_BINS; i++) {
        if (left <= b->bins[i])
            return (double)i / BOTTLENECK_BINS * b->queue_ns_limit;
        left -= b->bins[i];
    }
    return b->queue_ns_limit;
}

static double percent(double part, double whole)
{
    return whole > 0 ? part / whole * 100 : NAN;
}

/* What is lost behind the bottleneck has used it. */
static double carried_bits(const struct bottleneck *b, const struct stt_link_stats *l)
{
    uint64_t lost = l->dropped[STT_LINK_DROP_LOSS] - b->before.dropped[STT_LINK_DROP_LOSS];
    uint64_t out = l->datagrams_out - b->before.datagrams_out + lost;
    uint64_t bytes = l->bytes_out - b->before.bytes_out + lost * b->run->payload;
    return (double)(bytes + out * LINK_HEADERS) * 8;
}

void bottleneck_take(struct bottleneck *b, double figures[LINK_FIGURES_N])
{
    static const struct {
        enum link_figure figure;
        enum stt_link_drop reason;
    } drops[] = {{LINK_lost, STT_LINK_DROP_LOSS},
                 {LINK_dropped, STT_LINK_DROP_QUEUE},
                 {LINK_policed, STT_LINK_DROP_POLICED}};
    struct stt_link_stats l = stt_sim_link_stats(b->sim, b->forth);
    double in = (double)(l.datagrams_in - b->before.datagrams_in);
    count_room(b);
    figures[LINK_utilisation] = fmin(percent(carried_bits(b, &l), b->bits), 100);
    for (size_t i = 0; i < sizeof drops / sizeof drops[0]; i++)
        figures[drops[i].figure] =
            percent((double)(l.dropped[drops[i].reason] - b->before.dropped[drops[i].reason]), in);
    if (!b->path.police_bits_per_s)
        figures[LINK_policed] = NAN;
    figures[LINK_marked] =
        b->path.mark_bdps > 0 ? percent((double)(l.marked - b->before.marked), in) : NAN;
    figures[LINK_queue_mean] = b->queue_ns_sum / (double)b->n_looks * 1e-6;
    figures[LINK_queue_p99] = queue_percentile(b, 99) * 1e-6;
    figures[LINK_queue_max] = b->queue_ns_max * 1e-6;
}
