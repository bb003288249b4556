/* SPDX-License-Identifier: MIT
 * The giver's walk: what it names, in which order, and what happens to those who change the tree
 * meanwhile. */
#include "tools/sttcat/tree.h"

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static char folder[64];
static struct tree *tree;
static struct tree_entry entry;
static char why[TREE_WHY_ROOM];

static void begin(void)
{
    scratch_enter(folder);
}

static void end(void)
{
    scratch_leave(folder);
}

static void walk(const char *const *paths, uint32_t n)
{
    tree = tree_new(paths, n);
    ck_assert_ptr_nonnull(tree);
}
#define WALK(...)                                                                                  \
    walk((const char *const[]){__VA_ARGS__},                                                       \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* The rest of the walk as lines of a kind and a name, sorted where `sorted`. */
static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

enum { LINES_MAX = 64, LINE_ROOM = 300 };
static const char *finish(bool sorted)
{
    static const char kinds[] = "?fdle";
    static char lines[LINES_MAX][LINE_ROOM], all[LINES_MAX * LINE_ROOM];
    size_t n = 0;
    for (enum tree_step step; (step = tree_next(tree, &entry, why)) != TREE_END; n++) {
        ck_assert_uint_lt(n, LINES_MAX);
        ck_assert_int_ne(step, TREE_FULL);
        if (step == TREE_SKIPPED)
            snprintf(lines[n], LINE_ROOM, "! %.200s\n", why);
        else
            snprintf(lines[n], LINE_ROOM, "%c %.*s%s%.*s\n", kinds[entry.kind], (int)entry.name.len,
                     (const char *)entry.name.data, entry.target.len ? " > " : "",
                     (int)entry.target.len,
                     entry.target.len ? (const char *)entry.target.data : "");
        if (step == TREE_ENTRY)
            tree_file_release(&entry.file);
    }
    if (sorted)
        qsort(lines, n, LINE_ROOM, compare);
    all[0] = '\0';
    for (size_t i = 0; i < n; i++)
        strcat(all, lines[i]);
    tree_free(tree);
    return all;
}

START_TEST(directories_come_before_what_is_in_them_and_end_after_it)
{
    begin();
    scratch_make_dir("top");
    scratch_make_dir("top/in");
    scratch_put("top/in/file", "12345");
    WALK("top");
    ck_assert_str_eq(finish(false), "d top\nd top/in\nf top/in/file\ne top/in\ne top\n");
    end();
}
END_TEST

START_TEST(a_path_gives_its_last_part_and_a_dot_its_contents)
{
    begin();
    scratch_make_dir("a");
    scratch_make_dir("a/b");
    scratch_put("a/b/file", "");
    WALK("a/b", "./a/b///", "a/b/file", "a/b/.", "a/b/..");
    ck_assert_str_eq(finish(false), "d b\nf b/file\ne b\nd b\nf b/file\ne b\nf file\nf file\n"
                                    "d b\nf b/file\ne b\n");
    ck_assert(chdir("a/b") == 0);
    WALK(".", "..");
    ck_assert_str_eq(finish(false), "f file\nd b\nf b/file\ne b\n");
    end();
}
END_TEST

START_TEST(links_are_sent_as_links_but_a_path_is_followed)
{
    begin();
    scratch_make_dir("real");
    scratch_put("real/file", "x");
    SCRATCH_MUST(symlink("file", "real/link") == 0);
    SCRATCH_MUST(symlink("/nowhere at all", "real/broken") == 0);
    SCRATCH_MUST(symlink("real", "way") == 0);
    SCRATCH_MUST(symlink("..", "real/up") == 0);
    WALK("way");
    ck_assert_str_eq(finish(true), "d way\ne way\nf way/file\nl way/broken > /nowhere at all\n"
                                   "l way/link > file\nl way/up > ..\n");
    end();
}
END_TEST

START_TEST(what_is_no_file_is_skipped_with_a_sentence)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "top/socket"};
    begin();
    scratch_make_dir("top");
    SCRATCH_MUST(mkfifo("top/pipe", 0600) == 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    SCRATCH_MUST(bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    WALK("top", "/dev/null", "not here");
    ck_assert_str_eq(finish(true), "! /dev/null is not sent: it is a device\n"
                                   "! not here is not sent: No such file or directory\n"
                                   "! top/pipe is not sent: it is a named pipe\n"
                                   "! top/socket is not sent: it is a socket\n"
                                   "d top\ne top\n");
    close(fd);
    end();
}
END_TEST

START_TEST(names_are_bytes)
{
    begin();
    scratch_make_dir("top");
    scratch_put("top/\xff\xfe\n ", "");
    WALK("top");
    ck_assert_str_eq(finish(false), "d top\nf top/\xff\xfe\n \ne top\n");
    end();
}
END_TEST

START_TEST(mode_times_and_size_are_those_of_the_file)
{
    struct timespec times[2] = {{0, 0}, {-5, 123456789}};
    begin();
    scratch_put("file", "12345");
    SCRATCH_MUST(chmod("file", 04751) == 0);
    SCRATCH_MUST(utimensat(AT_FDCWD, "file", times, 0) == 0);
    WALK("file");
    ck_assert_int_eq(tree_next(tree, &entry, why), TREE_ENTRY);
    ck_assert_uint_eq(entry.mode, 0751);
    ck_assert_uint_eq(entry.bytes, 5);
    ck_assert_int_eq(entry.modified_ns, -5 * INT64_C(1000000000) + 123456789);
    tree_file_release(&entry.file);
    tree_free(tree);
    end();
}
END_TEST

/* Up to and including the first file; its name is borrowed. */
static void walk_to_file(void)
{
    do
        ck_assert_int_eq(tree_next(tree, &entry, why), TREE_ENTRY);
    while (entry.kind != ENTRY_FILE);
}

START_TEST(a_file_is_found_again_when_its_directory_has_moved)
{
    char text[8] = "";
    begin();
    scratch_make_dir("top");
    scratch_put("top/file", "12345");
    WALK("top");
    walk_to_file();
    SCRATCH_MUST(rename("top", "elsewhere") == 0);
    scratch_make_dir("top");
    scratch_put("top/file", "other");
    int fd = tree_file_open(&entry.file, entry.name);
    SCRATCH_MUST(fd >= 0);
    ck_assert_int_eq(read(fd, text, sizeof text), 5);
    ck_assert_str_eq(text, "12345");
    close(fd);
    tree_file_release(&entry.file);
    tree_free(tree);
    end();
}
END_TEST

START_TEST(another_file_in_its_place_is_not_the_file)
{
    static const char *const others[] = {"top/new", "top/link", "top/gone"};
    begin();
    scratch_make_dir("top");
    scratch_put("top/file", "12345");
    WALK("top");
    walk_to_file();
    scratch_put("top/new", "12345");
    SCRATCH_MUST(symlink("new", "top/link") == 0);
    if (_i < 2)
        SCRATCH_MUST(rename(others[_i], "top/file") == 0);
    else
        SCRATCH_MUST(unlink("top/file") == 0);
    ck_assert_int_lt(tree_file_open(&entry.file, entry.name), 0);
    ck_assert_int_eq(errno, _i == 0 ? ESTALE : _i == 1 ? ELOOP : ENOENT);
    tree_file_release(&entry.file);
    tree_free(tree);
    end();
}
END_TEST

START_TEST(a_change_while_it_is_read_is_seen)
{
    begin();
    scratch_put("file", "12345");
    WALK("file");
    walk_to_file();
    int fd = tree_file_open(&entry.file, entry.name);
    SCRATCH_MUST(fd >= 0);
    ck_assert(tree_file_is_unchanged(&entry.file, fd));
    scratch_put("file", _i ? "12345" : "123456");
    if (_i) {
        struct timespec times[2] = {{0, 0}, {1, 1}};
        SCRATCH_MUST(utimensat(AT_FDCWD, "file", times, 0) == 0);
    }
    ck_assert(!tree_file_is_unchanged(&entry.file, fd));
    close(fd);
    tree_file_release(&entry.file);
    tree_free(tree);
    end();
}
END_TEST

START_TEST(a_directory_that_became_a_link_is_not_entered)
{
    begin();
    scratch_make_dir("secret");
    scratch_put("secret/file", "x");
    scratch_make_dir("top");
    scratch_make_dir("top/in");
    WALK("top");
    ck_assert_int_eq(tree_next(tree, &entry, why), TREE_ENTRY);
    SCRATCH_MUST(rmdir("top/in") == 0);
    SCRATCH_MUST(symlink("../secret", "top/in") == 0);
    const char *rest = finish(false);
    ck_assert_msg(!strstr(rest, "file"), "%s", rest);
    end();
}
END_TEST

/* Directories wait for their files up to a limit; then the walk waits for them. */
START_TEST(directories_that_wait_for_their_files_are_few)
{
    enum { DIRECTORIES = 300 };
    static struct tree_file files[DIRECTORIES];
    size_t n = 0, released = 0;
    char path[32];
    enum tree_step step;
    begin();
    scratch_make_dir("top");
    for (int i = 0; i < DIRECTORIES; i++) {
        snprintf(path, sizeof path, "top/%d", i);
        scratch_make_dir(path);
        snprintf(path, sizeof path, "top/%d/file", i);
        scratch_put(path, "");
    }
    WALK("top");
    while ((step = tree_next(tree, &entry, why)) != TREE_END) {
        if (step == TREE_FULL)
            tree_file_release(&files[released++]);
        else if (entry.kind == ENTRY_FILE)
            files[n++] = entry.file;
    }
    ck_assert_uint_eq(n, DIRECTORIES);
    ck_assert_uint_gt(released, 0);
    ck_assert_uint_lt(released, n);
    while (released < n)
        tree_file_release(&files[released++]);
    tree_free(tree);
    end();
}
END_TEST

START_TEST(what_is_too_deep_is_skipped_and_the_rest_goes_on)
{
    char part[201];
    int files = 0, skipped = 0, balance = 0;
    begin();
    memset(part, 'x', 200);
    part[200] = '\0';
    for (int i = 0; i < 25; i++) {
        scratch_make_dir(part);
        SCRATCH_MUST(chdir(part) == 0);
        scratch_put("file", "");
    }
    SCRATCH_MUST(chdir(folder) == 0);
    WALK(".");
    for (enum tree_step step; (step = tree_next(tree, &entry, why)) != TREE_END;) {
        skipped += step == TREE_SKIPPED;
        if (step != TREE_ENTRY)
            continue;
        ck_assert(wire_name_is_valid(entry.name));
        files += entry.kind == ENTRY_FILE;
        balance += (entry.kind == ENTRY_DIRECTORY) - (entry.kind == ENTRY_DIRECTORY_END);
        tree_file_release(&entry.file);
    }
    ck_assert_int_eq(balance, 0);
    ck_assert_int_eq(files, 20); /* 20 * 201 + 4 are below 4,096 */
    ck_assert_int_eq(skipped, 1);
    tree_free(tree);
    for (int i = 0; i < 25; i++) /* nftw() cannot go so deep */
        SCRATCH_MUST(chdir(part) == 0);
    for (int i = 0; i < 25; i++) {
        SCRATCH_MUST(unlink("file") == 0 && chdir("..") == 0);
        SCRATCH_MUST(rmdir(part) == 0);
    }
    end();
}
END_TEST

SUITE("tree", TEST(directories_come_before_what_is_in_them_and_end_after_it),
      TEST(a_path_gives_its_last_part_and_a_dot_its_contents),
      TEST(links_are_sent_as_links_but_a_path_is_followed),
      TEST(what_is_no_file_is_skipped_with_a_sentence), TEST(names_are_bytes),
      TEST(mode_times_and_size_are_those_of_the_file),
      TEST(a_file_is_found_again_when_its_directory_has_moved),
      LOOP(another_file_in_its_place_is_not_the_file, 0, 3),
      LOOP(a_change_while_it_is_read_is_seen, 0, 2),
      TEST(a_directory_that_became_a_link_is_not_entered),
      TEST(directories_that_wait_for_their_files_are_few),
      TEST(what_is_too_deep_is_skipped_and_the_rest_goes_on))
