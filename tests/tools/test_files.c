/* SPDX-License-Identifier: MIT
 * sttcat --send and --recv: what arrives is what was sent, with names, modes, times and links; what
 * was there is left alone; and what cannot be is said on both sides. */
#include "tests/support/carry.h"
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"
#include "tools/common/exits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct programs p;

static bool begin(const char *io)
{
    if (!programs_begin(&p, io))
        return false;
    carry_begin(&p);
    return true;
}

static void is_equal(const char *one, const char *other)
{
    const char *difference = trees_difference(one, other, 0);
    ck_assert_msg(!difference, "%s", difference);
}

static void shell(const char *command)
{
    job_require(programs_run(&p, "%s", command), 0);
}

#define CARRY(...) carry(&p, &(struct carry_plan){__VA_ARGS__})

/* Inodes, and when they were last touched in any way. */
static char *traces_of(const char *path)
{
    struct job *j =
        programs_run(&p, "find %s ! -type d -printf '%%i %%C@ %%s %%p\\n' | sort", path);
    job_require(j, 0);
    char *text = strdup(j->out.text ? j->out.text : "");
    ck_assert_ptr_nonnull(text);
    return text;
}

/* -- trees --------------------------------------------------------------------------------------
 */

static void make_many(const char *folder, unsigned n)
{
    char path[64], text[64];
    for (unsigned i = 0; i < n; i++) {
        if (i % 100 == 0) {
            snprintf(path, sizeof path, "%s/%u", folder, i / 100);
            ck_assert_int_eq(mkdir(path, 0755), 0);
        }
        snprintf(path, sizeof path, "%s/%u/%u", folder, i / 100, i);
        trees_write(path, text, (size_t)snprintf(text, sizeof text, "this is file %u", i));
    }
}

static void make_odd_names(const char *folder)
{
    static char longest[256];
    const char *const names[] = {
        "\xff\xfe not text", "two\nlines",   "-v",          "--recv", " ",   "a.part", ".hidden",
        "back\\slash",       "quote\"'$(x)", "\033[31mred", "*",      "...", longest};
    char path[600];
    memset(longest, 'n', 255);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        trees_make(path, 1000 * i, i);
    }
}

static void make_deep(const char *folder)
{
    char path[2048];
    size_t len = (size_t)snprintf(path, sizeof path, "%s", folder);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    for (int i = 0; i < 200; i++) {
        len += (size_t)snprintf(path + len, sizeof path - len, "/d%d", i);
        ck_assert_int_eq(mkdir(path, 0755), 0);
    }
    snprintf(path + len, sizeof path - len, "/bottom");
    trees_write_text(path, "deep");
}

/* All that a tree can be. */
static void make_tree(void)
{
    shell("mkdir -p src/many src/empty-folder src/links/in src/modes/closed src/times");
    make_many("src/many", 1000);
    make_odd_names("src/names");
    make_deep("src/deep");
    trees_make("src/empty", 0, 0);
    trees_make("src/large", 3000001, 1);
    shell("cd src/links && ln -s in/there a && ln -s ../large b && ln -s nowhere/at/all c && "
          "ln -s . d && ln -s ../links e && printf there >in/there");
    shell("cd src/modes && for m in 400 444 600 640 644 755 777 500; do echo $m >f$m; chmod $m "
          "f$m; mkdir d$m; chmod $m d$m; done; chmod 700 closed; echo x >closed/x; chmod 500 "
          "closed; chmod u+rwx d4*; chmod 750 d4*");
    shell("cd src/times && touch -d '1969-07-20 20:17:40.123456789 UTC' moon && touch -d "
          "'2099-12-31 23:59:59.999999999' later && touch -d @0 epoch && mkdir old && touch -d "
          "'2001-01-01' old");
}

/* Each driver, push and pull, one stream and four. */
START_TEST(a_tree_arrives_as_it_is_and_once)
{
    struct carry_plan plan = {
        .is_pull = _i & 2, .give = _i & 4 ? "src --streams 4" : "src", .take = "dst"};
    /* Once on a disk: some are slow with many new names. */
    if (!(_i ? programs_begin_in_memory : programs_begin)(&p, programs_ios[_i & 1]))
        return;
    carry_begin(&p);
    make_tree();
    struct carry c = carry(&p, &plan);
    carry_require(&c, 0, 0);
    is_equal("src", "dst/src");
    ck_assert_uint_eq(trees_count("dst"), trees_count("src") + 1);
    char *before = traces_of("dst");
    c = carry(&p, &plan);
    carry_require(&c, 0, 0);
    char *after = traces_of("dst");
    ck_assert_str_eq(before, after);
    is_equal("src", "dst/src");
    free(before);
    free(after);
    programs_end(&p);
}
END_TEST

/* Nanoseconds since 1970 have room for a few centuries only. */
START_TEST(times_beyond_all_become_the_nearest)
{
    struct stat st;
    if (!programs_begin_in_memory(&p, programs_ios[_i]))
        return;
    carry_begin(&p);
    shell("touch -d 2400-01-01 late; touch -d 1600-01-01 early");
    struct carry c = CARRY(.give = "late early", .take = "dst");
    carry_require(&c, 0, 0);
    ck_assert_int_eq(stat("dst/late", &st), 0);
    ck_assert_int_eq(st.st_mtim.tv_sec, INT64_MAX / 1000000000);
    ck_assert_int_eq(stat("dst/early", &st), 0);
    ck_assert_int_eq(st.st_mtim.tv_sec, INT64_MIN / 1000000000 - 1);
    programs_end(&p);
}
END_TEST

START_TEST(paths_are_named_by_their_last_part)
{
    if (!begin(programs_ios[_i]))
        return;
    shell("mkdir -p a/b/c/d x; echo one >a/b/one; echo two >a/two; : >nothing; ln -s a/b/c way");
    struct carry c = CARRY(.give = "a/b/one nothing a/b/c/ way $PWD/x/../a/two", .take = "dst");
    carry_require(&c, 0, 0);
    is_equal("a/b/one", "dst/one");
    is_equal("nothing", "dst/nothing");
    is_equal("a/b/c", "dst/c");
    is_equal("a/b/c", "dst/way"); /* what a PATH leads to is sent */
    is_equal("a/two", "dst/two");
    ck_assert_uint_eq(trees_count("dst"), 7);
    programs_end(&p);
}
END_TEST

START_TEST(what_is_in_the_current_folder_is_sent_without_it)
{
    if (!begin(programs_ios[_i]))
        return;
    shell("mkdir -p a/b dst; echo one >a/b/one; echo two >a/two; cp ../seed .");
    struct carry c = CARRY(.give = ".", .take = "../dst", .before_give = "cd a; exec",
                           .before_take = "mkdir -p x; cd x; exec", .is_pull = _i);
    carry_require(&c, 0, 0);
    ck_assert(trees_exists("dst/b/one") && trees_exists("dst/two"));
    ck_assert_uint_eq(trees_count("dst"), 3);
    programs_end(&p);
}
END_TEST

START_TEST(where_to_stands_before_the_paths_or_behind_them)
{
    static const char *const givers[] = {
        "sttcat 127.0.0.1 %u --seed-file ../seed --send a b",
        "sttcat --seed-file ../seed --send a b 127.0.0.1 %u",
        "sttcat --seed-file ../seed 127.0.0.1:%u --send a b",
        "sttcat --seed-file ../seed --send a --send b -- 127.0.0.1 %u",
    };
    char command[200];
    if (!begin(NULL))
        return;
    shell("echo a >a; echo b >b");
    for (size_t i = 0; i < sizeof givers / sizeof *givers; i++) {
        uint16_t port = programs_port();
        struct job *taker = programs_start(
            &p, "exec sttcat --recv dst%zu -l --seed-file ../seed 127.0.0.1 %u", i, port);
        job_line(taker, "listening");
        char *at = strstr(givers[i], "%u");
        snprintf(command, sizeof command, "%.*s%u%s", (int)(at - givers[i]), givers[i], port,
                 at + 2);
        shell(command);
        job_require(taker, 0);
        snprintf(command, sizeof command, "cmp a dst%zu/a && cmp b dst%zu/b", i, i);
        shell(command);
    }
    programs_end(&p);
}
END_TEST

START_TEST(who_listens_to_give_names_paths_before_or_behind_the_port)
{
    static const char *const orders[] = {"--send a b -l 127.0.0.1 %u", "-l 127.0.0.1 %u --send a b",
                                         "-l --send a b %u"};
    char words[100], command[100];
    if (!begin(NULL))
        return;
    shell("echo a >a; echo b >b");
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        uint16_t port = programs_port();
        char *at = strstr(orders[i], "%u");
        snprintf(words, sizeof words, "%.*s%u%s", (int)(at - orders[i]), orders[i], port, at + 2);
        struct job *giver = programs_start(&p, "exec sttcat --seed-file ../seed %s", words);
        job_line(giver, "listening");
        job_require(
            programs_run(&p, "sttcat --recv dst%zu --seed-file ../seed 127.0.0.1 %u", i, port), 0);
        job_require(giver, 0);
        snprintf(command, sizeof command, "cmp a dst%zu/a && cmp b dst%zu/b", i, i);
        shell(command);
    }
    programs_end(&p);
}
END_TEST

/* -- what is there ------------------------------------------------------------------------------
 */

START_TEST(what_is_there_and_differs_is_left_alone_and_the_rest_arrives_case_69)
{
    static const char *const differing[] = {
        "echo other >dst/src/f",        /* of the same size? no */
        "tr a-z A-Z <src/f >dst/src/f", /* of the same size */
        "mkdir dst/src/f",              /* a directory in its way */
        "ln -s g dst/src/f",            /* a link */
        "mkfifo dst/src/f",             /* what never ends */
        "echo x >dst/src/d",            /* in the way of a directory */
        "ln -s elsewhere dst/src/l",    /* another link */
        "echo mine >dst/src/f.part",    /* somebody else's */
        "mkdir dst/src/f.part",
    };
    struct carry_plan plan = {.is_pull = _i & 1, .give = "src", .take = "dst"};
    if (!begin(programs_ios[_i & 1]))
        return;
    shell("mkdir -p src/d dst/src; echo lower >src/f; echo inner >src/d/x; ln -s f src/l; echo "
          "more >src/more");
    shell(differing[_i]);
    shell("cp -a dst before");
    char *before = traces_of("dst");
    struct carry c = carry(&p, &plan);
    carry_require(&c, EXIT_EXISTS, EXIT_EXISTS);
    char *after = traces_of("before"), *line = strtok(before, "\n");
    for (; line; line = strtok(NULL, "\n")) { /* each that was there is as it was */
        struct job *j = programs_run(&p, "find dst ! -type d -printf '%%i %%C@ %%s %%p\\n'");
        ck_assert_msg(strstr(j->out.text, line) != NULL, "gone: %s", line);
    }
    is_equal("src/more", "dst/src/more");
    ck_assert_ptr_nonnull(strstr(c.giver->err.text, "left alone"));
    ck_assert_ptr_nonnull(strstr(c.taker->err.text, "left alone"));
    free(before);
    free(after);
    programs_end(&p);
}
END_TEST

/* The first one comes under the name of the second one: none of them is lost, and said to be there.
 */
START_TEST(a_file_that_is_named_as_the_part_of_another_is_not_lost)
{
    static const char *const bytes[] = {"", "the same in both"};
    if (!begin(programs_ios[_i & 1]))
        return;
    trees_write_text("x", bytes[_i / 2]);
    trees_write_text("x.part", bytes[_i / 2]);
    struct carry c = CARRY(.give = "x x.part", .take = "dst");
    carry_require(&c, EXIT_PARTIAL, EXIT_PARTIAL);
    is_equal("x", "dst/x");
    c = CARRY(.give = "x x.part", .take = "dst");
    carry_require(&c, 0, 0);
    is_equal("x", "dst/x");
    is_equal("x.part", "dst/x.part");
    programs_end(&p);
}
END_TEST

/* -- what cannot be read ------------------------------------------------------------------------
 */

/* Root may read and write everything, unless it gives that up. NULL: it cannot. */
static const char *humbly(void)
{
    static const char how[] = "exec setpriv --bounding-set=-dac_override,-dac_read_search,-fowner";
    if (geteuid() != 0)
        return "exec";
    if (programs_run(&p, "%s true", how)->status == 0)
        return how;
    puts("skipped: root cannot give up its rights here");
    return NULL;
}

START_TEST(what_cannot_be_read_is_missed_on_both_sides)
{
    static const char *const bad[] = {"chmod 0 src/b", "chmod 0 src/d", "rm src/b; mkfifo src/b",
                                      "rm src/b; mknod src/b c 1 3"};
    struct carry_plan plan = {.is_pull = _i & 4, .give = "src", .take = "dst"};
    if (!begin(programs_ios[_i & 1]))
        return;
    if (!(plan.before_give = humbly())) {
        programs_end(&p);
        return;
    }
    shell("mkdir -p src/d; echo a >src/a; echo b >src/b; echo c >src/c; echo x >src/d/x");
    struct job *j = programs_run(&p, "%s", bad[_i & 3]);
    if (j->status == 0) {
        struct carry c = carry(&p, &plan);
        carry_require(&c, EXIT_PARTIAL, EXIT_PARTIAL);
        ck_assert(!trees_exists("dst/src/b") || (_i & 3) == 1);
        ck_assert(!trees_exists("dst/src/b.part"));
        is_equal("src/a", "dst/src/a");
        is_equal("src/c", "dst/src/c");
    }
    programs_end(&p);
}
END_TEST

/* It says that it has no bytes, and has some. */
START_TEST(a_file_that_is_longer_than_it_says_is_missed_on_both_sides)
{
    if (!begin(programs_ios[_i]))
        return;
    shell("echo a >a");
    struct carry c = CARRY(.give = "/proc/version a", .take = "dst");
    carry_require(&c, EXIT_PARTIAL, EXIT_PARTIAL);
    ck_assert(!trees_exists("dst/version"));
    is_equal("a", "dst/a");
    programs_end(&p);
}
END_TEST

START_TEST(a_path_that_is_not_there_is_missed_on_both_sides)
{
    if (!begin(programs_ios[_i]))
        return;
    shell("echo a >a");
    struct carry c = CARRY(.give = "nothing-here a", .take = "dst", .is_pull = _i);
    carry_require(&c, EXIT_PARTIAL, EXIT_PARTIAL);
    is_equal("a", "dst/a");
    programs_end(&p);
}
END_TEST

/* Until the part file has some bytes; nothing announces them. */
static void wait_for_bytes(const char *path, uint64_t bytes)
{
    for (int i = 0; i < 20000; i++) {
        if (trees_exists(path) && trees_bytes(path) >= bytes)
            return;
        usleep(1000);
    }
    ck_abort_msg("%s does not grow", path);
}

START_TEST(a_file_that_changes_while_it_is_sent_is_not_taken_for_whole)
{
    static const char *const changes[] = {
        "printf more >>src/f",
        "truncate -s 1500000 src/f",
        "printf x | dd of=src/f bs=1 seek=1999990 conv=notrunc",
        "rm src/f", /* it is open: what was named is sent */
        "mv src/f src/g; cp src/h src/f",
    };
    struct carry_plan plan = {.is_pull = _i & 1, .give = "src/f src/h --rate 60M", .take = "dst"};
    bool stays = _i >= 3;
    if (!begin(programs_ios[_i & 1]))
        return;
    shell("mkdir src dst");
    trees_make("src/f", 2000000, 7);
    shell("cp src/f g; echo h >src/h");
    struct carry c = carry_start(&p, &plan);
    wait_for_bytes("dst/f.part", 100000);
    ck_assert(!trees_exists("dst/f"));
    shell(changes[_i]);
    carry_require(&c, stays ? 0 : EXIT_PARTIAL, stays ? 0 : EXIT_PARTIAL);
    is_equal("src/h", "dst/h");
    if (stays) {
        ck_assert_uint_eq(trees_hash("g"), trees_hash("dst/f"));
    } else {
        ck_assert(!trees_exists("dst/f"));
        plan.give = "src/f src/h";
        c = carry(&p, &plan);
        carry_require(&c, 0, 0);
        is_equal("src/f", "dst/f");
        ck_assert(!trees_exists("dst/f.part"));
    }
    programs_end(&p);
}
END_TEST

START_TEST(a_file_that_vanishes_before_its_turn_is_missed_on_both_sides)
{
    if (!begin(programs_ios[_i]))
        return;
    shell("mkdir src dst");
    trees_make("src/f", 2000000, 7);
    shell("echo h >src/h");
    struct carry c = carry_start(
        &p, &(struct carry_plan){.is_pull = _i, .give = "src/f src/h --rate 60M", .take = "dst"});
    wait_for_bytes("dst/f.part", 100000);
    shell("rm src/h");
    carry_require(&c, EXIT_PARTIAL, EXIT_PARTIAL);
    is_equal("src/f", "dst/f");
    ck_assert(!trees_exists("dst/h") && !trees_exists("dst/h.part"));
    programs_end(&p);
}
END_TEST

/* -- what cannot be written ---------------------------------------------------------------------
 */

START_TEST(a_directory_that_cannot_be_written_fails_on_both_sides)
{
    struct carry_plan plan = {.is_pull = _i, .give = "a", .take = "dst"};
    if (!begin(programs_ios[_i]))
        return;
    if (!(plan.before_take = humbly())) {
        programs_end(&p);
        return;
    }
    shell("echo a >a; mkdir dst; chmod 555 dst");
    struct carry c = carry(&p, &plan);
    carry_require(&c, EXIT_PARTIAL, EXIT_LOCAL_IO);
    ck_assert_ptr_nonnull(strstr(c.giver->err.text, "ermission denied"));
    programs_end(&p);
}
END_TEST

/* Before HELLO: who listens tells of it, and waits for another one. */
START_TEST(a_directory_that_cannot_be_is_said_at_once)
{
    static const char *const takes[] = {"none/such", "a", "a/b"};
    if (!begin(NULL))
        return;
    shell("echo a >a");
    for (size_t i = 0; i < sizeof takes / sizeof *takes; i++) {
        struct carry c = CARRY(.give = "a", .take = takes[i]);
        carry_require(&c, EXIT_PARTIAL, EXIT_LOCAL_IO);
        c = carry_start(&p, &(struct carry_plan){.is_pull = true, .give = "a", .take = takes[i]});
        job_require(c.taker, EXIT_LOCAL_IO);
        job_line(c.giver, "cannot be opened");
        ck_assert(!job_ends_within(c.giver, 0));
        job_kill(c.giver);
    }
    programs_end(&p);
}
END_TEST

#define ON_A_SMALL_DISK " sh -c 'mount -t tmpfs -o size=1m none full && exec \"$@\"' sh"

START_TEST(a_full_disk_ends_it_on_both_sides_and_making_room_goes_on)
{
    struct carry_plan plan = {.is_pull = _i, .give = "src", .take = "full"};
    if (!begin(programs_ios[_i]))
        return;
    shell("mkdir src full");
    if (programs_run(&p, "unshare %s sh -c 'mount -t tmpfs none full'", geteuid() ? "-rm" : "-m")
            ->status) {
        puts("skipped: nothing can be mounted here");
        programs_end(&p);
        return;
    }
    trees_make("src/f", 3000000, 7);
    plan.before_take =
        geteuid() ? "exec unshare -rm" ON_A_SMALL_DISK : "exec unshare -m" ON_A_SMALL_DISK;
    struct carry c = carry(&p, &plan);
    carry_require(&c, EXIT_PARTIAL, EXIT_LOCAL_IO);
    ck_assert_ptr_nonnull(strstr(c.giver->err.text, "No space left"));
    ck_assert_ptr_nonnull(strstr(c.taker->err.text, "make room"));
    programs_end(&p);
}
END_TEST

START_TEST(a_file_larger_than_may_be_fails_alone)
{
    if (!begin(programs_ios[_i]))
        return;
    shell("mkdir src");
    trees_make("src/f", 3000000, 7);
    trees_make("src/g", 3000, 7);
    struct carry c =
        CARRY(.is_pull = _i, .give = "src", .take = "dst",
              .before_take = _i ? "ulimit -f 1000; exec" : "trap '' XFSZ; ulimit -f 1000; exec");
    carry_require(&c, EXIT_PARTIAL, EXIT_LOCAL_IO);
    is_equal("src/g", "dst/src/g");
    ck_assert(!trees_exists("dst/src/f"));
    c = CARRY(.is_pull = _i, .give = "src", .take = "dst");
    carry_require(&c, 0, 0);
    is_equal("src", "dst/src");
    programs_end(&p);
}
END_TEST

/* -- large ones ---------------------------------------------------------------------------------
 */

static uint64_t blocks_of(const char *path)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    return (uint64_t)st.st_blocks;
}

static void put_at(const char *path, uint64_t at, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, text, strlen(text), (off_t)at), (ssize_t)strlen(text));
    close(fd);
}

static void has_at(const char *path, uint64_t at, const char *text)
{
    char there[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(pread(fd, there, strlen(text), (off_t)at), (ssize_t)strlen(text));
    ck_assert_str_eq(there, text);
    close(fd);
}

START_TEST(a_sparse_file_of_100_gb_takes_seconds_and_stays_sparse)
{
    const uint64_t bytes = UINT64_C(100000000000);
    if (!begin(NULL))
        return;
    int fd = open("vast", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    if (ftruncate(fd, (off_t)bytes) != 0 || blocks_of("vast") > 100) {
        puts("skipped: this file system has no holes");
    } else {
        put_at("vast", bytes / 2, "the middle");
        put_at("vast", bytes - 7, "the end");
        struct carry c = CARRY(.give = "vast", .take = "dst");
        carry_require(&c, 0, 0);
        ck_assert_uint_eq(trees_bytes("dst/vast"), bytes);
        has_at("dst/vast", bytes / 2, "the middle");
        has_at("dst/vast", bytes - 7, "the end");
        ck_assert_uint_lt(blocks_of("dst/vast"), 1000);
        ck_assert(c.taker->took_ns < (IS_SANITIZED ? STT_S(120) : STT_S(30)));
    }
    close(fd);
    programs_end(&p);
}
END_TEST

static uint64_t most_memory_of_children(void)
{
    struct rusage all;
    ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &all), 0);
    return (uint64_t)all.ru_maxrss * 1024;
}

START_TEST(a_gigabyte_needs_little_memory)
{
    if (IS_SANITIZED || !programs_begin_in_memory(&p, "mmsg"))
        return;
    carry_begin(&p);
    trees_make("big", UINT64_C(1) << 30, 3);
    struct carry c = CARRY(.give = "big --streams 4", .take = "dst");
    carry_require(&c, 0, 0);
    ck_assert_uint_eq(trees_bytes("dst/big"), UINT64_C(1) << 30);
    ck_assert_uint_eq(trees_hash("big"), trees_hash("dst/big"));
    ck_assert_uint_lt(most_memory_of_children(), 64 << 20);
    programs_end(&p);
}
END_TEST

START_TEST(twenty_thousand_files_need_little_memory)
{
    if (IS_SANITIZED || !programs_begin_in_memory(&p, NULL))
        return;
    carry_begin(&p);
    shell("mkdir src");
    make_many("src", 20000);
    struct carry c = CARRY(.give = "src", .take = "dst", .is_pull = true);
    carry_require(&c, 0, 0);
    is_equal("src", "dst/src");
    ck_assert_uint_lt(most_memory_of_children(), 64 << 20);
    programs_end(&p);
}
END_TEST

SUITE("files", LOOP(a_tree_arrives_as_it_is_and_once, 0, 8),
      LOOP(times_beyond_all_become_the_nearest, 0, PROGRAMS_IOS),
      LOOP(paths_are_named_by_their_last_part, 0, PROGRAMS_IOS),
      LOOP(what_is_in_the_current_folder_is_sent_without_it, 0, PROGRAMS_IOS),
      TEST(where_to_stands_before_the_paths_or_behind_them),
      TEST(who_listens_to_give_names_paths_before_or_behind_the_port),
      LOOP(what_is_there_and_differs_is_left_alone_and_the_rest_arrives_case_69, 0, 9),
      LOOP(a_file_that_is_named_as_the_part_of_another_is_not_lost, 0, 4),
      LOOP(what_cannot_be_read_is_missed_on_both_sides, 0, 8),
      LOOP(a_file_that_is_longer_than_it_says_is_missed_on_both_sides, 0, PROGRAMS_IOS),
      LOOP(a_path_that_is_not_there_is_missed_on_both_sides, 0, PROGRAMS_IOS),
      LOOP(a_file_that_changes_while_it_is_sent_is_not_taken_for_whole, 0, 5),
      LOOP(a_file_that_vanishes_before_its_turn_is_missed_on_both_sides, 0, PROGRAMS_IOS),
      LOOP(a_directory_that_cannot_be_written_fails_on_both_sides, 0, PROGRAMS_IOS),
      TEST(a_directory_that_cannot_be_is_said_at_once),
      LOOP(a_full_disk_ends_it_on_both_sides_and_making_room_goes_on, 0, PROGRAMS_IOS),
      LOOP(a_file_larger_than_may_be_fails_alone, 0, PROGRAMS_IOS),
      TEST(a_sparse_file_of_100_gb_takes_seconds_and_stays_sparse),
      TEST(a_gigabyte_needs_little_memory), TEST(twenty_thousand_files_need_little_memory))
