/* SPDX-License-Identifier: MIT
 * parts: owns the stopwatch of this process, and the suite that stands in front of another one.
 *
 * It counts the processor's own ticks, which costs some 20 ns a train and not a call of the system;
 * how long a tick is, it learns from the run itself. What reading it takes is measured, too, and
 * taken away from the parts. */
#include "tools/sttbench/cpu/parts.h"

#include "tools/sttbench/shared/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

enum { CALIBRATION_LAPS = 4096 };

static struct {
    uint64_t ticks[PARTS_N], laps[PARTS_N];
    uint64_t lap_began, began_ticks;
    double began_ns, began_waited_ns;
    struct rusage began_usage;
    const struct stt_aead_suite *real;
} state;

const char *part_name(enum part part)
{
    static const char *const names[] = {
#define X(name, text) [PART_##name] = text,
        PARTS(X)
#undef X
    };
    return names[part];
}

static inline uint64_t read_ticks(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return (uint64_t)figures_clock_ns(CLOCK_MONOTONIC);
#endif
}

void parts_start(void)
{
    state.lap_began = read_ticks();
}

void parts_stop(enum part part)
{
    state.ticks[part] += read_ticks() - state.lap_began;
    state.laps[part]++;
}

/* -- the system's own accounts --------------------------------------------------------------- */

static double ns_of(struct timeval after, struct timeval before)
{
    return (double)(after.tv_sec - before.tv_sec) * 1e9 +
           (double)(after.tv_usec - before.tv_usec) * 1e3;
}

void parts_begin(void)
{
    memset(state.ticks, 0, sizeof state.ticks);
    memset(state.laps, 0, sizeof state.laps);
    getrusage(RUSAGE_SELF, &state.began_usage);
    state.began_waited_ns = figures_waited_ns();
    state.began_ns = figures_clock_ns(CLOCK_MONOTONIC);
    state.began_ticks = read_ticks();
}

/* Ticks that a lap takes, and those of them that it counts as somebody's. */
static void calibrate(double *whole, double *counted)
{
    uint64_t began = read_ticks();
    state.ticks[PART_STOPWATCH] = 0;
    for (int i = 0; i < CALIBRATION_LAPS; i++) {
        parts_start();
        parts_stop(PART_STOPWATCH);
    }
    *whole = (double)(read_ticks() - began) / CALIBRATION_LAPS;
    *counted = (double)state.ticks[PART_STOPWATCH] / CALIBRATION_LAPS;
}

/* Each of the three is what was counted less what counting takes; the protocol has the rest. */
static void divide(struct parts *out, double user_ns, double tick_ns)
{
    static const enum part timed[] = {PART_CRYPTO, PART_COPY, PART_VERIFY};
    double whole, counted, rest = user_ns;
    calibrate(&whole, &counted);
    for (size_t i = 0; i < sizeof timed / sizeof timed[0]; i++) {
        double laps = (double)state.laps[timed[i]];
        double ns = ((double)state.ticks[timed[i]] - laps * counted) * tick_ns;
        out->ns[timed[i]] = ns > 0 ? ns : 0;
        out->ns[PART_STOPWATCH] += laps * whole * tick_ns;
        rest -= out->ns[timed[i]];
    }
    rest -= out->ns[PART_STOPWATCH];
    out->ns[PART_PROTOCOL] = rest > 0 ? rest : 0;
}

void parts_end(struct parts *out)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    *out = (struct parts){.wall_ns = figures_clock_ns(CLOCK_MONOTONIC) - state.began_ns};
    double tick_ns = out->wall_ns / (double)(read_ticks() - state.began_ticks);
    double user_ns = ns_of(usage.ru_utime, state.began_usage.ru_utime);
    out->waited_ns = figures_waited_ns() - state.began_waited_ns;
    out->ns[PART_KERNEL] = ns_of(usage.ru_stime, state.began_usage.ru_stime);
    out->cpu_ns = user_ns + out->ns[PART_KERNEL];
    divide(out, user_ns, tick_ns);
}

/* -- the suite in front ---------------------------------------------------------------------- */

static void seal(const void *key, const struct stt_aead_plain *packets, size_t n)
{
    parts_start();
    state.real->seal(key, packets, n);
    parts_stop(PART_CRYPTO);
}

static size_t open(const void *key, struct stt_aead_sealed *packets, size_t n)
{
    parts_start();
    size_t opened = state.real->open(key, packets, n);
    parts_stop(PART_CRYPTO);
    return opened;
}

static void mask(const void *key, const uint8_t *samples, size_t stride, size_t n,
                 uint8_t (*out)[STT_AEAD_MASK_BYTES])
{
    parts_start();
    state.real->mask(key, samples, stride, n, out);
    parts_stop(PART_CRYPTO);
}

const struct stt_aead_suite *parts_suite(const struct stt_aead_suite *suite)
{
    static struct stt_aead_suite front;
    state.real = suite;
    front = *suite;
    front.seal = seal;
    front.open = open;
    front.mask = mask;
    return &front;
}
