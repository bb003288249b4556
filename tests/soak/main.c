/* SPDX-License-Identifier: MIT
 * soak: a server, residents whose sessions live for a thousand hours, and guests that come and go,
 * in virtual time.
 *
 *     build/tests/soak [--hours H] [--seed S] [--start NS] [--figures]
 *
 * It prints what each host holds now and then, a hash of everything that happened, and `N
 * passed, M failed`, where N counts hours. It ends with the first failure. --start is the reading
 * of the clock at the beginning; without it 2^32 ms pass in the middle. --figures prints how often
 * things were met, and the statistics of the sessions. */
#include "tests/soak/day.h"
#include "tests/soak/talk.h"
#include "tests/soak/town.h"
#include "tests/soak/watch.h"

#include "transport/sim/digest.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINES = 20, QUIET_S = 120, HOURS_FOR_TALLY = 24, HOURS_FOR_LENGTHS = 1000 };

struct options {
    uint64_t hours, seed, start;
    bool shows_figures;
};

/* -- running ------------------------------------------------------------------------------- */

static void observe(void *ctx, const struct stt_sim_record *r)
{
    struct soak *x = ctx;
    if (r->kind == STT_SIM_EXPIRED && r->subject < SOAK_HOSTS)
        x->hosts[r->subject].expires++;
}

static void begin(struct soak *x, const struct options *o)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    *x = (struct soak){.seed = o->seed, .n_hours = o->hours, .began = o->start};
    x->rng = rng_init(o->seed);
    config.seed = o->seed;
    config.start_ns = o->start;
    config.observe_ctx = x;
    config.observe = observe;
    x->sim = stt_sim_new(&config);
    town_build(x);
    day_begin(x);
}

/* Silence begins in the busy hours when what was under way has ended; nights have nothing else. */
static bool run_hour(struct soak *x)
{
    struct watch w;
    stt_ns starts = x->began + SOAK_HOUR_NS * x->hour;
    bool is_night = soak_is_night(x->hour);
    day_plan(x);
    if (is_night)
        watch_begin(x, &w);
    if (!soak_run_until(x, starts + DAY_QUIET_NS + STT_S(QUIET_S)))
        return false;
    watch_sessions(x);
    if (soak_is_at_rest(x->hour))
        watch_memory(x);
    if (!is_night)
        watch_begin(x, &w);
    soak_run_until(x, starts + SOAK_HOUR_NS);
    watch_end(x, &w);
    x->tally.idle_hours += is_night;
    return !soak_has_failed(x);
}

static void print_hour(const struct soak *x)
{
    printf("hour %4llu, at rest: server %8zu bytes  residents", (unsigned long long)x->hour,
           x->now[SOAK_CLIENTS].bytes);
    for (uint32_t i = 0; i < SOAK_RESIDENTS; i++)
        printf(" %7zu", x->now[i].bytes);
    printf("  guests %zu %zu\n", x->now[SOAK_RESIDENTS].bytes, x->now[SOAK_RESIDENTS + 1].bytes);
    fflush(stdout);
}

static uint64_t run_hours(struct soak *x)
{
    uint64_t days = x->n_hours / SOAK_DAY_HOURS, step = days > LINES ? days / LINES : 1;
    for (; x->hour < x->n_hours && !soak_has_failed(x); x->hour++) {
        if (!run_hour(x))
            break;
        if (soak_is_at_rest(x->hour) && x->hour / SOAK_DAY_HOURS % step == 0)
            print_hour(x);
    }
    return x->hour;
}

/* -- the end ------------------------------------------------------------------------------- */

/* What a day, or a few, must have met. */
static void check_tally(struct soak *x)
{
    if (x->n_hours < HOURS_FOR_TALLY)
        return;
#define X(name, text) soak_require(x, x->tally.name, "nothing has met: %s", text);
    TALLY_THINGS(X)
#undef X
}

/* Each busy hour has a time of a megabyte and more, two minutes after the last rekeying. */
static void check_rekeys(struct soak *x)
{
    uint64_t busy = x->n_hours / SOAK_DAY_HOURS * SOAK_BUSY_HOURS;
    for (uint32_t i = 0; i < SOAK_RESIDENTS - 1; i++)
        soak_require(x, x->talks[i]->seen[0].rekeys >= busy,
                     "host %u: %llu rekeyings in %llu hours", i,
                     (unsigned long long)x->talks[i]->seen[0].rekeys, (unsigned long long)busy);
}

/* Times, packets, bytes of a stream: whatever would overflow 32 bits has been beyond. */
static void check_lengths(struct soak *x)
{
    const struct flow *tape = x->talks[0]->tape;
    soak_require(x, x->n_hours < HOURS_FOR_LENGTHS || tape->half[SOAK_CLIENT].read > UINT32_MAX,
                 "the longest stream has %llu bytes",
                 (unsigned long long)tape->half[SOAK_CLIENT].read);
}

static void end(struct soak *x)
{
    for (uint32_t i = 0; i < SOAK_HOSTS; i++)
        stt_sim_kill(x->sim, x->hosts[i].node);
    soak_has_failed(x);
}

static void print_figures(const struct soak *x)
{
#define X(name, text) printf("%14llu  %s\n", (unsigned long long)x->tally.name, text);
    TALLY_THINGS(X)
#undef X
    printf("%14llu  events of the simulation\n", (unsigned long long)stt_sim_stats(x->sim).events);
    printf("%14llu  in an hour without a word, at most\n", (unsigned long long)x->night_events);
    for (uint32_t i = 0; i < SOAK_RESIDENTS; i++) {
        const struct talk *t = x->talks[i];
        printf("resident %u, its client and its server\n", i);
#define X(name, words)                                                                             \
    printf("%20llu %20llu  %s\n", (unsigned long long)t->seen[0].name,                             \
           (unsigned long long)t->seen[1].name, words);
        STT_SESSION_STATS(X)
#undef X
    }
    for (uint32_t i = 0; i < SOAK_HOSTS; i++)
        printf("host %u holds %zu bytes in %zu blocks after the first day, %zu in %zu at the end\n",
               i, x->first[i].bytes, x->first[i].blocks, x->now[i].bytes, x->now[i].blocks);
}

static void discard(struct soak *x)
{
    stt_sim_free(x->sim);
    for (uint32_t i = 0; i < SOAK_CLIENTS; i++)
        talk_free(x->talks[i]);
    free(x->errands);
}

static bool report(struct soak *x, const struct options *o, uint64_t passed, const char *program)
{
    bool failed = soak_has_failed(x);
    if (failed)
        printf("FAILED: %s\nagain: %s --hours %llu --seed %llu --start %llu\n", x->failure, program,
               (unsigned long long)o->hours, (unsigned long long)o->seed,
               (unsigned long long)o->start);
    if (o->shows_figures)
        print_figures(x);
    printf("hash: %016llx\n", (unsigned long long)stt_net_digest(x->story, stt_sim_hash(x->sim)));
    printf("%llu passed, %d failed\n", (unsigned long long)passed, failed);
    return !failed;
}

/* -- options ------------------------------------------------------------------------------- */

static bool read_number(const char *text, uint64_t *out)
{
    char *rest;
    errno = 0;
    *out = strtoull(text, &rest, 0);
    return !errno && *text && *text != '-' && !*rest;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {{"hours", required_argument, NULL, 'h'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"start", required_argument, NULL, 'b'},
                                          {"figures", no_argument, NULL, 'f'},
                                          {NULL, 0, NULL, 0}};
    bool has_start = false;
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
        bool ok = c == 'h'   ? read_number(optarg, &o->hours)
                  : c == 's' ? read_number(optarg, &o->seed)
                  : c == 'b' ? read_number(optarg, &o->start)
                             : c == 'f';
        has_start = has_start || c == 'b';
        o->shows_figures = o->shows_figures || c == 'f';
        if (!ok)
            return false;
    }
    stt_ns middle = STT_MS(UINT64_C(1) << 32), half = o->hours * SOAK_HOUR_NS / 2;
    if (!has_start)
        o->start = middle > half ? middle - half : 0;
    return optind == argc && o->hours && o->hours <= 100000;
}

int main(int argc, char **argv)
{
    static struct soak x;
    struct options o = {.hours = 1000, .seed = 1};
    if (!read_options(argc, argv, &o)) {
        fprintf(stderr, "usage: %s [--hours H] [--seed S] [--start NS] [--figures]\n", argv[0]);
        return 2;
    }
    begin(&x, &o);
    uint64_t passed = run_hours(&x);
    if (!soak_has_failed(&x))
        check_lengths(&x);
    if (!soak_has_failed(&x))
        day_end(&x);
    if (!soak_has_failed(&x)) {
        check_tally(&x);
        check_rekeys(&x);
        end(&x);
    }
    bool ok = report(&x, &o, passed, argv[0]);
    discard(&x);
    return ok ? 0 : 1;
}
