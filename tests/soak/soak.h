/* SPDX-License-Identifier: MIT
 * soak: what all parts of one run share: its town of hosts, its dice, what it met, and the first
 * thing that went wrong. Time is counted in hours since the run began; a day is short
 * and has busy hours and a night, and the end of each hour is quiet. */
#ifndef TESTS_SOAK_SOAK_H
#define TESTS_SOAK_SOAK_H

#include "stt/sim.h"
#include "stt/stats.h"
#include "tests/soak/tally.h"
#include "tests/support/rng.h"

enum {
    SOAK_RESIDENTS = 4, /* their sessions last as long as the run */
    SOAK_GUESTS = 2,    /* come and go */
    SOAK_CLIENTS = SOAK_RESIDENTS + SOAK_GUESTS,
    SOAK_HOSTS = SOAK_CLIENTS + 1, /* the last one is the server */
    SOAK_FAILURE_ROOM = 512,
};

enum { SOAK_CLIENT, SOAK_SERVER, SOAK_SIDES }; /* of a session */

#define SOAK_HOUR_NS STT_S(3600)

struct talk;
struct errand;

/* A way between a client and the server. */
struct road {
    bool exists;
    stt_sim_link forth, back;
    struct stt_path path; /* as the client names it */
};

struct host {
    struct soak *soak;
    uint32_t number;
    stt_sim_node node;
    struct stt_endpoint *ep; /* NULL: it was killed */
    struct stt_identity identity;
    struct road home, elsewhere;
    bool has_nat, is_elsewhere;
    stt_sim_nat nat;
    uint32_t moves;   /* of its address at home */
    uint64_t expires; /* how often a timer woke it */
};

/* What a host held at rest. */
struct held {
    size_t bytes, blocks;
};

struct soak {
    uint64_t seed, n_hours, hour;
    stt_ns began;
    struct rng rng;
    struct stt_sim *sim;
    struct host hosts[SOAK_HOSTS];
    struct talk *talks[SOAK_CLIENTS];
    struct errand *errands; /* of this hour */
    size_t n_errands;
    struct tally tally;
    uint64_t night_events; /* the most in an hour without a word */
    struct held first[SOAK_HOSTS], early[SOAK_HOSTS], now[SOAK_HOSTS]; /* see watch.c */
    bool is_ending;
    uint64_t story; /* a digest of what hosts saw */
    char failure[SOAK_FAILURE_ROOM];
};

static inline struct host *soak_server(struct soak *x)
{
    return &x->hosts[SOAK_CLIENTS];
}

/* On which side of its sessions a host is. */
static inline unsigned soak_side(struct soak *x, const struct host *h)
{
    return h == soak_server(x) ? SOAK_SERVER : SOAK_CLIENT;
}

static inline bool soak_is_resident(uint32_t number)
{
    return number < SOAK_RESIDENTS;
}

/* Of each eight hours the last two are silent, and at the end of these everybody is at rest. */
enum { SOAK_DAY_HOURS = 8, SOAK_BUSY_HOURS = 6 };
static inline bool soak_is_night(uint64_t hour)
{
    return hour % SOAK_DAY_HOURS >= SOAK_BUSY_HOURS;
}
static inline bool soak_is_at_rest(uint64_t hour)
{
    return hour % SOAK_DAY_HOURS == SOAK_DAY_HOURS - 1;
}

/* Only the first is kept; the run ends. */
__attribute__((format(printf, 2, 3))) void soak_fail(struct soak *x, const char *format, ...);
bool soak_has_failed(struct soak *x);

/* Like an assertion. */
#define soak_require(x, condition, ...)                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            soak_fail(x, __VA_ARGS__);                                                             \
    } while (0)

static inline stt_ns soak_now(const struct soak *x)
{
    return stt_sim_now(x->sim);
}

/* Into the digest. */
void soak_note(struct soak *x, uint64_t word);

/* Whose session it is, at this host; NULL: nobody's. */
struct talk *soak_talk(struct soak *x, const struct host *h, stt_handle session);

/* Until then; hosts hear what there is to hear. False: something failed. */
bool soak_run_until(struct soak *x, stt_ns until);

#endif
