/* SPDX-License-Identifier: MIT
 * What the simulated network itself costs, in wall time per datagram. Usage: bench/sim */
#include "stt/sim.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>
#include <string.h>

struct sender {
    uint64_t left, seen;
    uint32_t train, bytes;
    stt_ns next, every;
    struct stt_address from, to;
};

static bool transmit(void *ctx, stt_ns now, struct stt_train *t)
{
    struct sender *s = ctx;
    if (s->left == 0 || now < s->next)
        return false;
    s->next = now + s->every;
    uint64_t n = s->train < s->left ? s->train : s->left;
    s->left -= n;
    t->path = (struct stt_path){.local = s->from, .remote = s->to};
    t->segment_bytes = s->bytes;
    t->len = n * s->bytes;
    for (uint64_t i = 0; i < n; i++)
        memcpy(t->data + i * s->bytes, &s->left, sizeof s->left);
    return true;
}

static stt_ns deadline(const void *ctx)
{
    const struct sender *s = ctx;
    return s->left ? s->next : STT_NEVER;
}

static void expire(void *ctx, stt_ns now)
{
    (void)ctx;
    (void)now;
}

static void receive(void *ctx, stt_ns now, const struct stt_train *t)
{
    (void)now;
    ((struct sender *)ctx)->seen += (t->len + t->segment_bytes - 1) / t->segment_bytes;
}

static void measure(const char *name, const struct stt_link_config *link, uint32_t train,
                    bool hash_payloads)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.hash_payloads = hash_payloads;
    struct stt_sim *sim = stt_sim_new(&config);
    struct sender a = {.left = 3000000, .train = train, .bytes = 1452, .every = 11680 * train};
    struct sender b = {.every = 1};
    a.from = stt_sim_ipv4(1, 1);
    a.to = stt_sim_ipv4(2, 1);
    const struct stt_sim_machine machine = {
        .receive = receive, .transmit = transmit, .deadline = deadline, .expire = expire};
    stt_sim_node from = 0, to = 0;
    if (stt_sim_machine_add(sim, &machine, &a, &a.from, &from) ||
        stt_sim_machine_add(sim, &machine, &b, &a.to, &to))
        return;
    stt_sim_pair(sim, from, to, link);
    double began = wall_seconds();
    stt_sim_run_until(sim, STT_S(3600));
    double took = wall_seconds() - began;
    printf("%-44s %7.2f million datagrams/s  %6.0f ns each  %llu arrived\n", name, 3.0 / took,
           took * 1e9 / 3e6, (unsigned long long)b.seen);
    stt_sim_free(sim);
}

int main(void)
{
    const struct stt_link_config plain = {.delay_ns = STT_MS(10)};
    const struct stt_link_config slow = {
        .rate_bits_per_s = 1000000000, .delay_ns = STT_MS(10), .queue_bytes = 1 << 20};
    struct stt_link_config lossy = slow;
    lossy.loss_ppm = 10000;
    lossy.jitter_ns = STT_MS(1);
    lossy.reorder_ppm = 10000;
    lossy.reorder_ns = STT_MS(1);
    lossy.duplicate_ppm = 1000;
    measure("delay alone, trains of 44", &plain, 44, true);
    measure("delay alone, trains of 44, payloads not hashed", &plain, 44, false);
    measure("delay alone, one at a time", &plain, 1, true);
    measure("1 Gbit/s and a queue, trains of 44", &slow, 44, true);
    measure("1 Gbit/s and a queue, not hashed", &slow, 44, false);
    measure("1 Gbit/s and a queue, one at a time", &slow, 1, true);
    measure("every fault, trains of 10", &lossy, 10, true);
    return 0;
}
