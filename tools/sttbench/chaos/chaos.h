/* SPDX-License-Identifier: MIT
 * chaos: what all parts of one scenario share: its simulator, its dice, what it met, and the first
 * thing that went wrong. */
#ifndef TOOLS_STTBENCH_CHAOS_CHAOS_H
#define TOOLS_STTBENCH_CHAOS_CHAOS_H

#include "stt/sim.h"
#include "tools/sttbench/chaos/dice.h"
#include "tools/sttbench/chaos/tally.h"

/* What a scenario may have; each seed draws some of them. */
enum chaos_feature {
    CHAOS_LOSS,
    CHAOS_BURSTS,
    CHAOS_REORDERING,
    CHAOS_DUPLICATION,
    CHAOS_CORRUPTION,
    CHAOS_JITTER,
    CHAOS_AGGREGATION,
    CHAOS_MTU,
    CHAOS_POLICER,
    CHAOS_ECN,
    CHAOS_SHORT_QUEUES,
    CHAOS_TRUNK, /* all share a link */
    CHAOS_BLACKOUTS,
    CHAOS_LINK_CHANGES,
    CHAOS_NAT,
    CHAOS_ADDRESS_MOVES,
    CHAOS_MOVES,
    CHAOS_BYTE_STREAMS,
    CHAOS_REPLAYS,
    CHAOS_FORGERIES,
    CHAOS_SPOOFS,
    CHAOS_REFLECTIONS,
    CHAOS_HOLDS,
    CHAOS_FLOODS,
    CHAOS_STRANGERS,
    CHAOS_LASTING_ATTACKS, /* also when it is calm */
    CHAOS_FAILING_MEMORY,
    CHAOS_NO_ENTROPY,
    CHAOS_DEAFNESS,
    CHAOS_SUSPENDS,
    CHAOS_KILLS,
    CHAOS_FORKS,
    CHAOS_KEY_UPDATES,
    CHAOS_CLOSES,
    CHAOS_CONNECTS,
    CHAOS_EXCLUSIVE,
    CHAOS_MISTAKES, /* wrong codes, pins, seeds, applications */
    CHAOS_SMALL_LIMITS,
    CHAOS_PRESETS,
    CHAOS_MANY_STREAMS,
    CHAOS_MESSAGES,
    CHAOS_DEADLINES,
    CHAOS_RESETS,
    CHAOS_STOPS,
    CHAOS_DATAGRAMS,
    CHAOS_SLOW_READERS,
    CHAOS_LAZINESS, /* events are pulled now and then */
    CHAOS_IPV6,
    CHAOS_CHACHA,
    CHAOS_WORN_KEYS,
    CHAOS_FEATURES,
};

enum { CHAOS_CLIENTS_MAX = 4, CHAOS_HOSTS_MAX = 1 + CHAOS_CLIENTS_MAX, CHAOS_FAILURE_ROOM = 512 };

struct host;

struct chaos {
    uint64_t seed;
    struct stt_net_rng rng;
    struct stt_sim *sim;
    struct tally tally;
    uint64_t features;                   /* bits */
    struct host *hosts[CHAOS_HOSTS_MAX]; /* the first one is the server */
    uint32_t n_hosts;
    stt_ns calm_at; /* when the faults end */
    bool is_calm;   /* they have */
    bool is_ending; /* everybody says good-bye */
    bool tells;     /* prints what happens */
    uint64_t story; /* a digest of what hosts saw */
    char failure[CHAOS_FAILURE_ROOM];
};

static inline bool chaos_has(const struct chaos *c, enum chaos_feature feature)
{
    return c->features >> feature & 1;
}

stt_ns chaos_now(const struct chaos *c);
/* Only the first is kept; the scenario ends. */
__attribute__((format(printf, 2, 3))) void chaos_fail(struct chaos *c, const char *format, ...);
bool chaos_has_failed(struct chaos *c);
__attribute__((format(printf, 2, 3))) void chaos_tell(struct chaos *c, const char *format, ...);
/* Into the digest. */
void chaos_note(struct chaos *c, uint64_t word);

/* Like an assertion. */
#define chaos_require(c, condition, ...)                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            chaos_fail(c, __VA_ARGS__);                                                            \
    } while (0)

/* -- dice ----------------------------------------------------------------------------------- */

/* From..to, small ones as likely as large ones by their logarithm; from is at least 1. */
uint64_t chaos_between(struct chaos *c, uint64_t from, uint64_t to);
static inline bool chaos_chance(struct chaos *c, unsigned percent)
{
    return dice_chance(&c->rng, percent);
}
/* So often, and only where the scenario has it. */
static inline bool chaos_may(struct chaos *c, enum chaos_feature feature, unsigned percent)
{
    return chaos_has(c, feature) && chaos_chance(c, percent);
}

#endif
