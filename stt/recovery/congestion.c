/* SPDX-License-Identifier: MIT
 * congestion: which controllers there are, and `none`, which limits nothing. Spec 06,
 * "Controllers". */
#include "stt/recovery/congestion.h"

#include <string.h>

void stt_congestion_init(struct stt_congestion *c, const struct stt_controller *controller,
                         const struct stt_rtt *rtt, uint32_t packet_bytes, stt_ns now)
{
    *c =
        (struct stt_congestion){.controller = controller, .rtt = rtt, .packet_bytes = packet_bytes};
    controller->init(c, now);
}

const struct stt_controller *stt_controller_at(size_t i)
{
    static const struct stt_controller *const all[] = {&stt_tide, &stt_cubic, &stt_bbr,
                                                       &stt_no_congestion};
    return i < sizeof all / sizeof all[0] ? all[i] : NULL;
}

const struct stt_controller *stt_controller_by_name(const char *name)
{
    const struct stt_controller *c;
    for (size_t i = 0; (c = stt_controller_at(i)) != NULL; i++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/* -- none: for benchmarks and for carriers that are reliable --------------------------------------
 */

static void init(struct stt_congestion *c, stt_ns now)
{
    (void)now;
    c->window_bytes = STT_UNLIMITED;
    c->rate_bytes_per_s = STT_UNLIMITED;
}

static void on_sent(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t in_flight_bytes,
                    uint64_t last_number)
{
    (void)c, (void)now, (void)bytes, (void)in_flight_bytes, (void)last_number;
}

static void on_sample(struct stt_congestion *c, const struct stt_ack_sample *sample)
{
    (void)c, (void)sample;
}

static void on_lost(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t newest_lost,
                    stt_ns newest_sent_at)
{
    (void)c, (void)now, (void)bytes, (void)newest_lost, (void)newest_sent_at;
}

static void on_time(struct stt_congestion *c, stt_ns now)
{
    (void)c, (void)now;
}

const struct stt_controller stt_no_congestion = {
    .name = "none",
    .init = init,
    .on_sent = on_sent,
    .on_ack = on_sample,
    .on_lost = on_lost,
    .on_ce = on_sample,
    .on_persistent = on_time,
    .on_undo = on_time,
};
