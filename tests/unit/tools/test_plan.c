/* SPDX-License-Identifier: MIT
 * What people type, and what it means: plan.c and the options below it. */
#include "tools/sttcat/plan.h"

#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each reading has one of its own: what was read is kept for as long as a program runs. */
static struct plan plans[64], *plan = plans;
static char why[OPTION_WHY_ROOM], folder[64];

/* Words by blanks. */
static bool reads(const char *line)
{
    static char text[512];
    char *argv[32] = {"sttcat"};
    int argc = 1;
    bool is_over;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    why[0] = 0;
    ck_assert(++plan < plans + 64);
    return plan_read(plan, argc, argv, &is_over, why);
}

static void init(void)
{
    strcpy(folder, "/tmp/stt-test-plan-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("STT_CONFIG_DIR", folder, 1);
}

static void fini(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/config", folder);
    unlink(path);
    rmdir(folder);
}

static void write_config(const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/config", folder);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

START_TEST(the_shape_is_netcats)
{
    init();
    ck_assert(reads("host.example 4433"));
    ck_assert_str_eq(plan->to, "host.example:4433");
    ck_assert(plan->job == JOB_PIPE && plan->gives && plan->takes);
    ck_assert(reads("-l 4433"));
    ck_assert_str_eq(plan->at, "4433");
    ck_assert(reads("-lkv ::1 4433"));
    ck_assert_str_eq(plan->at, "[::1]:4433");
    ck_assert(plan->flags.keep_open && plan->flags.verbose == 1);
    ck_assert(reads("-lvp 4433"));
    ck_assert_str_eq(plan->at, "4433");
    ck_assert(reads("-l -p 4433 -s 127.0.0.1"));
    ck_assert_str_eq(plan->at, "127.0.0.1:4433");
    ck_assert(reads("-l -p 4433 --send a b"));
    ck_assert_uint_eq(plan->flags.send.n, 2);
    ck_assert(reads("-4l 0"));
    ck_assert_str_eq(plan->at, "0.0.0.0:0");
    ck_assert(reads("::1 4433 -N"));
    ck_assert_str_eq(plan->to, "[::1]:4433");
    ck_assert(!plan->gives);
    ck_assert(reads("host:4433"));
    ck_assert_str_eq(plan->to, "host:4433");
    fini();
}
END_TEST

START_TEST(paths_and_where_to_come_in_both_orders)
{
    init();
    ck_assert(reads("host 4433 --send a b c"));
    ck_assert(plan->job == JOB_FILES && plan->flags.send.n == 3 && plan->gives && !plan->takes);
    ck_assert(reads("--send a b host 4433"));
    ck_assert_str_eq(plan->to, "host:4433");
    ck_assert_uint_eq(plan->flags.send.n, 2);
    ck_assert(reads("-l --send a 4433"));
    ck_assert_str_eq(plan->at, "4433");
    ck_assert_uint_eq(plan->flags.send.n, 1);
    ck_assert(reads("--send a -v host 4433"));
    ck_assert_uint_eq(plan->flags.send.n, 1);
    ck_assert(reads("-l 4433 --recv d --streams 4"));
    ck_assert(plan->takes && !plan->gives && plan->lanes == 4);
    fini();
}
END_TEST

static const struct {
    const char *line, *says;
} refused[] = {
    {"", "takes a host and a port"},
    {"host", "takes a host and a port"},
    {"host 0", "not a port"},
    {"host 65536", "not a port"},
    {"a b c", "takes a host and a port"},
    {"-l", "takes a port"},
    {"-l 1 2 3", "takes a port"},
    {"-l -p 1 2 3", "takes a port"},
    {"-l -p x", "not a port"},
    {"-l x", "not a port"},
    {"--nosuch h 1", "no option --nosuch"},
    {"-J h 1", "no option -J"},
    {"h 1 -w", "wants a time"},
    {"h 1 -w soon", "wants a time"},
    {"h 1 --timeout 999ms", "--timeout wants 1s to 1h"},
    {"h 1 --timeout 61m", "--timeout wants 1s to 1h"},
    {"h 1 -w 99ms", "--connect-timeout wants 100ms to 1m"},
    {"h 1 -w 61", "--connect-timeout wants 100ms to 1m"},
    {"h 1 --keep-alive 49ms", "--keep-alive wants 50ms or more"},
    {"h 1 --streams 0", "1 to 64"},
    {"h 1 --streams 65", "1 to 64"},
    {"h 1 --preset fast", "one of"},
    {"h 1 --dscp gold", "--dscp wants"},
    {"h 1 --peer stt1x", "peer id"},
    {"h 1 --send a --recv b", "do not go together"},
    {"h 1 -4 -6", "do not go together"},
    {"h 1 -k", "only with -l"},
    {"h 1 --permit any", "only with -l"},
    {"-l 1 -z", "do not go together"},
    {"-l 1 --allow me", "peer id"},
    {"-n host 22", "numeric"},
    {"h 1 --application x/1", "only with --raw"},
    {"h 1 --listen=yes", "takes no value"},
    {"h 1 -L nonsense", ""},
    {"h 1 --seed-file sttseed1ibaueq2eivdeoscjjjfuytkoj5ifcustkrkvmv2ylfnfwxc5lzpvh2kk", "secret"},
    {"sttseed1ibaueq2eivdeoscjjjfuytkoj5ifcustkrkvmv2ylfnfwxc5lzpvh2kk 1", "secret"},
};

START_TEST(what_cannot_be_meant_has_one_sentence)
{
    init();
    ck_assert_msg(!reads(refused[_i].line), "%s", refused[_i].line);
    ck_assert_msg(strstr(why, refused[_i].says) && *why, "%s: %s", refused[_i].line, why);
    ck_assert_ptr_null(strstr(why, "sttseed1"));
    ck_assert_ptr_null(strchr(why, '\n'));
    fini();
}
END_TEST

START_TEST(flags_come_before_the_environment_and_that_before_the_file)
{
    init();
    write_config(
        "# mine\npreset = low-latency\nrate=1M\n  timeout = 5s \nquiet = no\nbench-only = 1\n");
    setenv("STT_RATE", "2M", 1);
    ck_assert_msg(reads("h 1"), "%s", why);
    ck_assert_str_eq(plan->flags.preset, "low-latency");
    ck_assert_uint_eq(plan->flags.rate, 2000000);
    ck_assert_uint_eq(plan->flags.timeout, STT_S(5));
    ck_assert(!plan->flags.quiet);
    ck_assert(reads("h 1 --rate 3M --preset balanced"));
    ck_assert_uint_eq(plan->flags.rate, 3000000);
    ck_assert_str_eq(plan->flags.preset, "balanced");
    unsetenv("STT_RATE");
    ck_assert(reads("h 1"));
    ck_assert_uint_eq(plan->flags.rate, 1000000);
    fini();
}
END_TEST

START_TEST(mistakes_elsewhere_are_named)
{
    init();
    write_config("rate = 1M\npreset\n");
    ck_assert(!reads("h 1"));
    ck_assert_msg(strstr(why, "line 2"), "%s", why);
    write_config("preset = fast\n");
    ck_assert(!reads("h 1"));
    ck_assert_msg(strstr(why, "line 1") && strstr(why, "one of"), "%s", why);
    write_config("");
    setenv("STT_IO", "carrier-pigeon", 1);
    ck_assert(!reads("h 1"));
    ck_assert_msg(strstr(why, "STT_IO"), "%s", why);
    unsetenv("STT_IO");
    fini();
}
END_TEST

START_TEST(what_leaks_secrets_is_a_flag_only)
{
    init();
    write_config("keylog = /tmp/keys\nexec = rm\nlisten = yes\n");
    setenv("STT_KEYLOG", "/tmp/keys", 1);
    ck_assert_msg(reads("h 1"), "%s", why);
    ck_assert_ptr_null(plan->flags.keylog);
    ck_assert_ptr_null(plan->flags.exec);
    ck_assert(!plan->flags.listen);
    unsetenv("STT_KEYLOG");
    fini();
}
END_TEST

SUITE("plan", TEST(the_shape_is_netcats), TEST(paths_and_where_to_come_in_both_orders),
      LOOP(what_cannot_be_meant_has_one_sentence, 0, sizeof refused / sizeof refused[0]),
      TEST(flags_come_before_the_environment_and_that_before_the_file),
      TEST(mistakes_elsewhere_are_named), TEST(what_leaks_secrets_is_a_flag_only))
