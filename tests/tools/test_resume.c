/* SPDX-License-Identifier: MIT
 * sttcat --send and --recv, killed and begun again: what has its name is whole at every moment,
 * what came before is not sent again, and what was tampered with is not believed. */
#include "tests/support/carry.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tools/common/exits.h"

#include <fts.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct programs p;

static bool begin(const char *io)
{
    if (!programs_begin_in_memory(&p, io))
        return false;
    carry_begin(&p);
    return true;
}

static void shell(const char *command)
{
    job_require(programs_run(&p, "%s", command), 0);
}

static void is_equal(const char *one, const char *other)
{
    const char *difference = trees_difference(one, other, 0);
    ck_assert_msg(!difference, "%s", difference);
}

#define CARRY(...)       carry(&p, &(struct carry_plan){__VA_ARGS__})
#define CARRY_START(...) carry_start(&p, &(struct carry_plan){__VA_ARGS__})

static bool is_part(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, ".part") == 0;
}

/* Each file below `dst` that has its name is that of `src`. Answers how many. */
static unsigned whole_files(void)
{
    char *const paths[] = {(char[]){"dst/src"}, NULL};
    char from[1024];
    unsigned n = 0;
    FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; fts && (e = fts_read(fts));) {
        if (e->fts_info != FTS_F || is_part(e->fts_name))
            continue;
        snprintf(from, sizeof from, "%s", e->fts_path + strlen("dst/"));
        ck_assert_msg(trees_exists(from), "%s: nobody sent that", e->fts_path);
        ck_assert_msg(trees_bytes(from) == trees_bytes(e->fts_path) &&
                          trees_hash(from) == trees_hash(e->fts_path),
                      "%s has its name and is not whole", e->fts_path);
        n++;
    }
    if (fts)
        fts_close(fts);
    return n;
}

/* -- ten times ----------------------------------------------------------------------------------
 */

static void make_tree(struct rng *rng)
{
    char path[64];
    shell("mkdir -p src/small src/middle/deeper");
    trees_make("src/big", 12000000, rng_u64(rng));
    for (unsigned i = 0; i < 200; i++) {
        snprintf(path, sizeof path, "src/small/%u", i);
        trees_make(path, rng_below(rng, 3000), rng_u64(rng));
    }
    for (unsigned i = 0; i < 8; i++) {
        snprintf(path, sizeof path, "src/middle/%s%u", i % 2 ? "deeper/" : "", i);
        trees_make(path, 500000 + rng_below(rng, 1000000), rng_u64(rng));
    }
    trees_make("src/last", 3000000, rng_u64(rng));
    shell("chmod 600 src/big src/small/7; chmod 444 src/last; chmod 500 src/middle/deeper; touch "
          "-d '2001-02-03 04:05:06.789' src/big src/middle; ln -s big src/link; chmod 555 "
          "src/middle");
}

enum { INTERRUPTIONS = 10 };

/* One side is killed, and the other one is told to stop, or finds out. */
static bool interrupt(struct carry *c, struct rng *rng, int round, bool finds_out)
{
    struct job *victim = round % 2 ? c->giver : c->taker;
    struct job *other = round % 2 ? c->taker : c->giver;
    if (job_ends_within(victim, (stt_ns)rng_between(rng, STT_MS(5), STT_MS(150))))
        return false;
    job_signal(victim, SIGKILL);
    job_require(victim, 128 + SIGKILL);
    if (!finds_out)
        job_signal(other, round % 4 < 2 ? SIGINT : SIGKILL);
    job_wait(other);
    ck_assert_int_ne(other->status, 0);
    return true;
}

START_TEST(a_transfer_that_is_killed_ten_times_gives_the_same_tree_case_59)
{
    const uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0)
                                         : (uint64_t)getpid() * 1000003 + (uint64_t)_i;
    struct rng rng = rng_init(seed);
    struct carry_plan plan = {
        .is_pull = _i & 2,
        .give = _i & 1 ? "src --rate 120M --streams 4 --timeout 1s --keep-alive 300ms"
                       : "src --rate 120M --timeout 1s --keep-alive 300ms",
        .take = "dst --timeout 1s --keep-alive 300ms"};
    unsigned whole = 0, killed = 0;
    if (!begin(programs_ios[_i & 1]))
        return;
    printf("SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    make_tree(&rng);
    for (int round = 0; round < INTERRUPTIONS; round++) {
        struct carry c = carry_start(&p, &plan);
        killed += interrupt(&c, &rng, round, !(_i & 1) && round == 4 + _i / 2);
        unsigned now = whole_files();
        ck_assert_uint_ge(now, whole);
        whole = now;
    }
    ck_assert_uint_ge(killed, INTERRUPTIONS - 2);
    plan.give = "src";
    plan.take = "dst";
    struct carry c = carry(&p, &plan);
    carry_require(&c, 0, 0);
    is_equal("src", "dst/src");
    ck_assert_uint_eq(trees_count("dst"), trees_count("src") + 1);
    programs_end(&p);
}
END_TEST

/* -- parts --------------------------------------------------------------------------------------
 */

enum { BIG_BYTES = 4000000 };

/* A part of an earlier try, of so many bytes; SIGKILL leaves it as it is. */
static void make_part(uint64_t at_least)
{
    trees_make("f", BIG_BYTES, 5);
    struct carry c = CARRY_START(.give = "f --rate 100M", .take = "dst");
    for (int i = 0;
         i < 20000 && !(trees_exists("dst/f.part") && trees_bytes("dst/f.part") >= at_least); i++)
        usleep(1000);
    job_kill(c.taker);
    job_kill(c.giver);
    ck_assert_uint_ge(trees_bytes("dst/f.part"), at_least);
    ck_assert_uint_lt(trees_bytes("dst/f.part"), BIG_BYTES);
    ck_assert(!trees_exists("dst/f"));
}

static uint64_t bytes_given(const struct carry *c)
{
    const char *at = strstr(c->giver->err.text, "\"given_bytes\":");
    ck_assert_msg(at, "%s", c->giver->err.text);
    return strtoull(strchr(at, ':') + 1, NULL, 10);
}

START_TEST(what_came_before_is_not_sent_again)
{
    if (!begin(programs_ios[_i]))
        return;
    make_part(BIG_BYTES / 2);
    uint64_t there = trees_bytes("dst/f.part");
    struct carry c = CARRY(.give = "f --json", .take = "dst", .is_pull = _i);
    carry_require(&c, 0, 0);
    is_equal("f", "dst/f");
    ck_assert_uint_eq(bytes_given(&c), BIG_BYTES - there);
    programs_end(&p);
}
END_TEST

START_TEST(a_part_that_was_tampered_with_is_begun_anew)
{
    static const char *const deeds[] = {
        "printf x | dd of=dst/f.part bs=1 seek=12345 conv=notrunc",
        "printf x >>dst/f.part",
        "truncate -s 1 dst/f.part",
        "truncate -s 4000000 dst/f.part",
        "truncate -s 5000000 dst/f.part",
        "truncate -s 0 dst/f.part",
        "printf x | dd of=f bs=1 seek=12345 conv=notrunc", /* the source is another one now */
        "truncate -s 1000 f",
        "chmod 1000 dst/f.part",
    };
    if (!begin(programs_ios[_i & 1]))
        return;
    make_part(BIG_BYTES / 4);
    shell(deeds[_i]);
    struct carry c = CARRY(.give = "f", .take = "dst", .is_pull = _i & 2);
    carry_require(&c, 0, 0);
    is_equal("f", "dst/f");
    ck_assert_uint_eq(trees_count("dst"), 1);
    programs_end(&p);
}
END_TEST

START_TEST(a_part_that_is_somebody_elses_is_left_alone)
{
    static const char *const deeds[] = {"chmod 644 dst/f.part", "ln dst/f.part dst/g",
                                        "mv dst/f.part g; ln -s ../g dst/f.part",
                                        "rm dst/f.part; mkfifo dst/f.part"};
    if (!begin(programs_ios[_i & 1]))
        return;
    make_part(BIG_BYTES / 4);
    shell(deeds[_i]);
    shell("ls -lR --full-time . >../before");
    struct carry c = CARRY(.give = "f", .take = "dst");
    carry_require(&c, EXIT_EXISTS, EXIT_EXISTS);
    shell("ls -lR --full-time . | cmp - ../before");
    programs_end(&p);
}
END_TEST

START_TEST(two_that_receive_the_same_file_do_not_meet)
{
    if (!begin(programs_ios[_i]))
        return;
    trees_make("f", BIG_BYTES, 5);
    struct carry one = CARRY_START(.give = "f --rate 100M", .take = "dst");
    for (int i = 0; i < 20000 && !trees_exists("dst/f.part"); i++)
        usleep(1000);
    struct carry other = CARRY(.give = "f", .take = "dst");
    carry_require(&other, EXIT_PARTIAL, EXIT_PARTIAL);
    carry_require(&one, 0, 0);
    is_equal("f", "dst/f");
    programs_end(&p);
}
END_TEST

/* Between its name and its mode: the mark is still there. */
START_TEST(who_was_killed_at_the_very_end_is_finished)
{
    if (!begin(programs_ios[_i]))
        return;
    shell("mkdir dst; echo whole >f; chmod 640 f; cp -p f dst/f; chmod 1600 dst/f");
    struct carry c = CARRY(.give = "f", .take = "dst");
    carry_require(&c, 0, 0);
    is_equal("f", "dst/f");
    shell("test -z \"$(find dst -perm -1000 -type f)\"");
    /* And before its name. */
    shell("mv dst/f dst/f.part; chmod 1600 dst/f.part");
    c = CARRY(.give = "f", .take = "dst");
    carry_require(&c, 0, 0);
    is_equal("f", "dst/f");
    shell("test -z \"$(find dst -perm -1000 -type f)\" && test ! -e dst/f.part");
    programs_end(&p);
}
END_TEST

/* -- a bad way ----------------------------------------------------------------------------------
 */

START_TEST(over_a_bad_way_it_arrives_and_goes_on)
{
    static const struct wan_config bad = {.delay_ns = STT_MS(10), .lost = 10};
    struct rng rng = rng_init(3);
    struct carry_plan plan = {
        .is_pull = true, .give = "src --streams 3", .take = "dst", .wan = &bad, .seed = 7};
    if (!begin(NULL))
        return;
    shell("mkdir -p src/small");
    trees_make("src/big", 1000000, 9);
    char path[64];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "src/small/%u", i);
        trees_make(path, rng_below(&rng, 5000), i);
    }
    struct carry c = carry_start(&p, &plan);
    for (int i = 0; i < 20000 &&
                    !(trees_exists("dst/src/big.part") && trees_bytes("dst/src/big.part") > 100000);
         i++)
        usleep(1000);
    job_signal(c.taker, SIGKILL);
    job_signal(c.giver, SIGTERM);
    carry_require(&c, 128 + SIGTERM, 128 + SIGKILL);
    (void)whole_files();
    c = carry(&p, &plan);
    carry_require(&c, 0, 0);
    is_equal("src", "dst/src");
    programs_end(&p);
}
END_TEST

SUITE("resume", LOOP(a_transfer_that_is_killed_ten_times_gives_the_same_tree_case_59, 0, 4),
      LOOP(what_came_before_is_not_sent_again, 0, PROGRAMS_IOS),
      LOOP(a_part_that_was_tampered_with_is_begun_anew, 0, 9),
      LOOP(a_part_that_is_somebody_elses_is_left_alone, 0, 4),
      LOOP(two_that_receive_the_same_file_do_not_meet, 0, PROGRAMS_IOS),
      LOOP(who_was_killed_at_the_very_end_is_finished, 0, PROGRAMS_IOS),
      TEST(over_a_bad_way_it_arrives_and_goes_on))
