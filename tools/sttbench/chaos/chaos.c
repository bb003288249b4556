/* SPDX-License-Identifier: MIT
 * chaos: owns what all parts of a scenario share: its clock, its dice, the story that becomes its
 * hash, and the first failure. It must not know who takes part. */
#include "tools/sttbench/chaos/chaos.h"

#include "transport/sim/digest.h"

#include <stdarg.h>
#include <stdio.h>

stt_ns chaos_now(const struct chaos *c)
{
    return stt_sim_now(c->sim);
}

static void say(const struct chaos *c, const char *format, va_list arguments)
{
    printf("%13.6f  ", (double)chaos_now(c) * 1e-9);
    vprintf(format, arguments);
    putchar('\n');
}

void chaos_fail(struct chaos *c, const char *format, ...)
{
    if (c->failure[0])
        return;
    int n = snprintf(c->failure, sizeof c->failure, "at %.6f s: ", (double)chaos_now(c) * 1e-9);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->failure + n, sizeof c->failure - (size_t)n, format, arguments);
    va_end(arguments);
    if (c->tells)
        printf("%13s  FAILED: %s\n", "", c->failure);
}

bool chaos_has_failed(struct chaos *c)
{
    const char *failure = stt_sim_failure(c->sim);
    if (failure)
        chaos_fail(c, "%s", failure);
    return c->failure[0];
}

void chaos_tell(struct chaos *c, const char *format, ...)
{
    if (!c->tells)
        return;
    va_list arguments;
    va_start(arguments, format);
    say(c, format, arguments);
    va_end(arguments);
}

void chaos_note(struct chaos *c, uint64_t word)
{
    c->story = stt_net_digest(c->story, word);
}

uint64_t chaos_between(struct chaos *c, uint64_t from, uint64_t to)
{
    int doublings = 0;
    while (from << (doublings + 1) <= to)
        doublings++;
    uint64_t low = from << dice_below(&c->rng, (uint64_t)doublings + 1);
    uint64_t high = 2 * low <= to ? 2 * low - 1 : to;
    return dice_between(&c->rng, low, high);
}
