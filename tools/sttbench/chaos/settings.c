/* SPDX-License-Identifier: MIT
 * settings: owns the identities of all hosts, and the order in which dice decide about one: another
 * order is another scenario of the same seed. */
#include "tools/sttbench/chaos/settings.h"

#include "tools/sttbench/chaos/sealed.h"

#include <string.h>

enum { IDENTITIES = CHAOS_HOSTS_MAX };

/* The same people in every scenario: to make them takes a while. */
static const struct stt_identity *identity_of(uint32_t number)
{
    static struct stt_identity all[IDENTITIES];
    static bool is_made[IDENTITIES];
    uint8_t secret[32] = {1, (uint8_t)number};
    if (!is_made[number])
        stt_identity_init(&all[number], secret);
    is_made[number] = true;
    return &all[number];
}

static void limit(struct chaos *c, struct stt_config *k)
{
    k->max_streams = (uint32_t)chaos_between(c, 1, 64);
    k->max_frame_bytes = (uint32_t)chaos_between(c, 1024, 65536);
    k->stream_window_bytes = chaos_between(c, 4096, 65536);
    k->stream_window_max = chaos_between(c, k->stream_window_bytes, 1 << 20);
    k->session_window_bytes = chaos_between(c, k->stream_window_bytes, 1 << 18);
    k->session_window_max = chaos_between(c, k->session_window_bytes, 1 << 21);
    k->send_ring_bytes = chaos_between(c, 4096, 1 << 18);
    k->stream_memory_max = chaos_between(c, 1 << 20, 1 << 23);
    k->max_sessions = (uint32_t)chaos_between(c, 32, 100); /* nobody is left outside */
    k->max_half_open = (uint32_t)chaos_between(c, 6, 64);
    k->max_datagram_bytes = chaos_chance(c, 10) ? 0 : (uint32_t)chaos_between(c, 1, 65507);
}

static void set_times(struct chaos *c, struct stt_config *k)
{
    k->idle_timeout_ns = STT_MS(chaos_between(c, 3000, 60000));
    k->keep_alive_ns = STT_MS(chaos_between(c, 500, 12000));
    if (chaos_chance(c, 50))
        k->idle_timeout_ns = STT_S(30);
}

struct stt_config settings_draw(struct chaos *c, uint32_t number, bool other_application)
{
    static const char *const presets[] = {"balanced", "low-latency", "high-throughput"};
    struct stt_config k = STT_CONFIG_INIT;
    k.max_sessions = k.max_half_open = 64;
    k.max_streams = 64;
    k.stream_memory_max = 64 << 20;
    if (chaos_has(c, CHAOS_PRESETS) &&
        stt_config_preset(&k, presets[dice_below(&c->rng, 3)]) != STT_OK)
        chaos_fail(c, "there is no such preset");
    if (chaos_may(c, CHAOS_SMALL_LIMITS, 70))
        limit(c, &k);
    set_times(c, &k);
    k.identity = *identity_of(number);
    memcpy(k.application, other_application ? "other/1" : "chaos/1", 8);
    memset(k.seeds[0], 0x5e, sizeof k.seeds[0]);
    k.n_seeds = 1;
    k.accept = STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_W);
    k.suites[0] = sealed_suite(chaos_has(c, CHAOS_CHACHA)      ? SEALED_CHACHA
                               : chaos_has(c, CHAOS_WORN_KEYS) ? SEALED_WORN
                                                               : SEALED_QUICK);
    k.n_suites = 1;
    k.no_delay = chaos_chance(c, 20);
    k.adaptive = chaos_chance(c, 20);
    return k;
}
