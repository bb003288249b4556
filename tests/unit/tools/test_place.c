/* SPDX-License-Identifier: MIT
 * Where the taker puts things (CASE 71): never outside of its directory, never over anything, and
 * a part is known from everything else. Each test is run with and without openat2(). */
#include "tools/sttcat/place.h"

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

#include <dirent.h>

enum { WAYS = 2 };
#define BOTH_WAYS(name) LOOP(name, 0, WAYS)
#define TEXT(t)         bytes_of((t), strlen(t))

static char folder[64];
static struct place place;
static struct place_file file;

static void begin(int way)
{
    scratch_enter(folder);
    scratch_make_dir("outside");
    ck_assert(place_open(&place, "dir"));
    ck_assert(place.has_openat2);
    place.has_openat2 = way == 0;
}

static void end(void)
{
    place_close(&place);
    scratch_leave(folder);
}

/* Everything that is in a directory is `names`, one behind the other. */
static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void check_holds(const char *directory, const char *names)
{
    struct dirent **found;
    char all[1024] = "";
    int n = scandir(directory, &found, NULL, compare);
    SCRATCH_MUST(n >= 2);
    for (int i = 0; i < n; i++) {
        if (strcmp(found[i]->d_name, ".") && strcmp(found[i]->d_name, ".."))
            strcat(strcat(all, found[i]->d_name), " ");
        free(found[i]);
    }
    free(found);
    ck_assert_str_eq(all, names);
}

static enum wire_outcome open_file(const char *name)
{
    return place_file_open(&place, TEXT(name), &file);
}

static void write_text(const char *text)
{
    struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
    ck_assert_int_eq(place_file_write(&place, &file, &part, 1), OUTCOME_DONE);
}

static enum wire_outcome keep(void)
{
    return place_file_keep(&place, &file, 0640, -5);
}

static void receive(const char *name, const char *text)
{
    ck_assert_msg(open_file(name) == OUTCOME_DONE, "%s: %s", name, place.why);
    ck_assert(!file.is_there);
    write_text(text);
    ck_assert_int_eq(keep(), OUTCOME_DONE);
    place_file_close(&file, false);
}

/* -- files -- */

START_TEST(a_file_gets_its_name_when_it_is_whole)
{
    struct stat st;
    begin(_i);
    ck_assert_int_eq(open_file("a\n\xff"), OUTCOME_DONE);
    write_text("one ");
    write_text("two");
    check_holds("dir", "a\n\xff.part ");
    ck_assert_int_eq(keep(), OUTCOME_DONE);
    check_holds("dir", "a\n\xff ");
    place_file_close(&file, false);
    ck_assert_str_eq(scratch_text("dir/a\n\xff"), "one two");
    SCRATCH_MUST(stat("dir/a\n\xff", &st) == 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
    ck_assert_int_eq(st.st_mtim.tv_sec, -1);
    ck_assert_int_eq(st.st_mtim.tv_nsec, 999999995);
    end();
}
END_TEST

START_TEST(parts_are_written_where_they_belong)
{
    begin(_i);
    struct iovec parts[3] = {{(char[]){"ab"}, 2}, {(char[]){""}, 0}, {(char[]){"cd"}, 2}};
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    ck_assert_int_eq(place_file_hole(&place, &file, 2), OUTCOME_DONE);
    ck_assert_int_eq(place_file_write(&place, &file, parts, 3), OUTCOME_DONE);
    ck_assert_int_eq(place_file_hole(&place, &file, 1), OUTCOME_DONE);
    ck_assert_uint_eq(file.bytes, 7);
    ck_assert_int_eq(keep(), OUTCOME_DONE);
    place_file_close(&file, false);
    FILE *f = fopen("dir/a", "rb");
    char text[8] = "";
    ck_assert_uint_eq(fread(text, 1, 8, f), 7);
    ck_assert_mem_eq(text, "\0\0abcd\0", 7);
    fclose(f);
    end();
}
END_TEST

START_TEST(a_hole_takes_no_room)
{
    struct stat st;
    begin(_i);
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    ck_assert_int_eq(place_file_hole(&place, &file, UINT64_C(100) << 30), OUTCOME_DONE);
    ck_assert_int_eq(keep(), OUTCOME_DONE);
    place_file_close(&file, false);
    SCRATCH_MUST(stat("dir/a", &st) == 0);
    ck_assert_int_eq(st.st_size, INT64_C(100) << 30);
    ck_assert_int_lt(st.st_blocks, 100);
    end();
}
END_TEST

START_TEST(what_exists_is_left_alone)
{
    begin(_i);
    scratch_put("dir/a", "mine");
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    ck_assert(file.is_there);
    ck_assert_uint_eq(file.bytes, 4);
    struct iovec part = {(char[]){"x"}, 1};
    ck_assert_int_ne(place_file_write(&place, &file, &part, 1), OUTCOME_DONE);
    place_file_accept(&file, 0777);
    ck_assert_uint_ne(scratch_mode("dir/a"), 0777);
    place_file_close(&file, true);
    ck_assert_str_eq(scratch_text("dir/a"), "mine");
    check_holds("dir", "a ");
    end();
}
END_TEST

START_TEST(a_file_that_appears_meanwhile_is_left_alone)
{
    begin(_i);
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    write_text("theirs");
    scratch_put("dir/a", "mine");
    ck_assert_int_eq(keep(), OUTCOME_EXISTS);
    place_file_close(&file, true);
    ck_assert_str_eq(scratch_text("dir/a"), "mine");
    check_holds("dir", "a ");
    end();
}
END_TEST

START_TEST(what_is_no_file_is_in_the_way)
{
    begin(_i);
    scratch_make_dir("dir/directory");
    SCRATCH_MUST(symlink("../outside/new", "dir/link") == 0);
    SCRATCH_MUST(mkfifo("dir/pipe", 0600) == 0);
    ck_assert_int_eq(open_file("directory"), OUTCOME_EXISTS);
    ck_assert_int_eq(open_file("link"), OUTCOME_EXISTS);
    ck_assert_int_eq(open_file("pipe"), OUTCOME_EXISTS);
    ck_assert_int_eq(open_file("pipe/x"), OUTCOME_EXISTS);
    ck_assert_int_eq(open_file("not there/x"), OUTCOME_OUTPUT);
    check_holds("outside", "");
    end();
}
END_TEST

/* -- parts -- */

START_TEST(a_part_is_gone_on_with)
{
    begin(_i);
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    write_text("one ");
    place_file_close(&file, false);
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    ck_assert(!file.is_there);
    ck_assert_uint_eq(file.bytes, 4);
    write_text("two");
    ck_assert_int_eq(keep(), OUTCOME_DONE);
    place_file_close(&file, false);
    ck_assert_str_eq(scratch_text("dir/a"), "one two");
    end();
}
END_TEST

START_TEST(a_part_can_be_begun_anew)
{
    begin(_i);
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    write_text("something long");
    ck_assert_int_eq(place_file_restart(&place, &file), OUTCOME_DONE);
    write_text("short");
    ck_assert_int_eq(keep(), OUTCOME_DONE);
    place_file_close(&file, false);
    ck_assert_str_eq(scratch_text("dir/a"), "short");
    end();
}
END_TEST

START_TEST(empty_and_useless_parts_are_removed)
{
    begin(_i);
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    place_file_close(&file, false);
    check_holds("dir", "");
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    write_text("wrong");
    place_file_close(&file, true);
    check_holds("dir", "");
    end();
}
END_TEST

/* What comes may be called as the part of another file is: who has one keeps it from the other. */
START_TEST(a_name_that_is_the_part_of_another_is_busy_while_that_comes)
{
    begin(_i);
    struct place_file other;
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    ck_assert_int_eq(place_file_open(&place, TEXT("a.part"), &other), OUTCOME_BUSY);
    ck_assert_int_eq(keep(), OUTCOME_DONE);
    place_file_close(&file, false);
    check_holds("dir", "a ");
    ck_assert_int_eq(open_file("b"), OUTCOME_DONE);
    write_text("interrupted");
    place_file_close(&file, false);
    ck_assert_int_eq(open_file("b.part"), OUTCOME_DONE);
    ck_assert(file.is_there);
    ck_assert_int_eq(place_file_open(&place, TEXT("b"), &other), OUTCOME_BUSY);
    place_file_accept(&file, 0644);
    place_file_close(&file, false);
    ck_assert_int_eq(open_file("b"), OUTCOME_EXISTS); /* it has become somebody's */
    check_holds("dir", "a b.part ");
    end();
}
END_TEST

START_TEST(a_part_that_somebody_has_is_busy)
{
    struct place_file other;
    begin(_i);
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    ck_assert_int_eq(place_file_open(&place, TEXT("a"), &other), OUTCOME_BUSY);
    place_file_close(&file, false);
    ck_assert_int_eq(place_file_open(&place, TEXT("a"), &other), OUTCOME_DONE);
    place_file_close(&other, false);
    end();
}
END_TEST

/* Also where it was received itself: it is not lost for another one's sake. */
START_TEST(a_file_that_is_called_like_a_part_is_no_part)
{
    begin(_i);
    receive("a.part", "a file of its own");
    ck_assert_int_eq(open_file("a"), OUTCOME_EXISTS);
    ck_assert_ptr_nonnull(strstr(place.why, "a.part"));
    ck_assert_str_eq(scratch_text("dir/a.part"), "a file of its own");
    end();
}
END_TEST

START_TEST(a_part_that_is_not_ours_alone_is_in_the_way)
{
    begin(_i);
    scratch_put("outside/secret", "secret");
    SCRATCH_MUST(chmod("outside/secret", 01600) == 0);
    SCRATCH_MUST(link("outside/secret", "dir/hard.part") == 0);
    SCRATCH_MUST(symlink("../outside/secret", "dir/soft.part") == 0);
    SCRATCH_MUST(symlink("../outside/new", "dir/new.part") == 0);
    SCRATCH_MUST(mkfifo("dir/pipe.part", 01600) == 0);
    scratch_make_dir("dir/directory.part");
    static const char *const names[] = {"hard", "soft", "new", "pipe", "directory"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(open_file(names[i]) == OUTCOME_EXISTS, "%s", names[i]);
    ck_assert_str_eq(scratch_text("outside/secret"), "secret");
    check_holds("outside", "secret ");
    end();
}
END_TEST

/* Killed between its name and the end of its mark: the next try finishes it. */
START_TEST(a_mark_that_was_left_is_taken_off)
{
    begin(_i);
    scratch_put("dir/a", "whole");
    SCRATCH_MUST(chmod("dir/a", 01600) == 0);
    ck_assert_int_eq(open_file("a"), OUTCOME_DONE);
    ck_assert(file.is_there);
    ck_assert_uint_eq(scratch_mode("dir/a"), 01600);
    place_file_accept(&file, 0640);
    place_file_close(&file, false);
    ck_assert_uint_eq(scratch_mode("dir/a"), 0640);
    end();
}
END_TEST

START_TEST(long_names_have_parts_of_their_own)
{
    char a[256], b[256], part_a[PLACE_LEAF_ROOM], part_b[PLACE_LEAF_ROOM];
    begin(_i);
    for (size_t len = 250; len <= 255; len++) {
        memset(a, 'x', len);
        memset(b, 'x', len);
        a[len] = b[len] = '\0';
        b[len - 1] = 'y';
        place_part_name(a, part_a);
        place_part_name(b, part_b);
        ck_assert_uint_eq(strlen(part_a), 255);
        ck_assert_str_ne(part_a, part_b);
        ck_assert_str_eq(part_a + 250, ".part");
        ck_assert(len == 250 || part_a[217] == '.');
        receive(a, "long");
        ck_assert_int_eq(open_file(a), OUTCOME_DONE);
        ck_assert(file.is_there);
        place_file_close(&file, false);
    }
    end();
}
END_TEST

/* -- the way -- */

START_TEST(links_on_the_way_are_not_followed)
{
    begin(_i);
    SCRATCH_MUST(symlink("../outside", "dir/out") == 0);
    SCRATCH_MUST(symlink(".", "dir/self") == 0);
    scratch_make_dir("dir/in");
    SCRATCH_MUST(symlink("../../outside", "dir/in/out") == 0);
    static const char *const names[] = {"out/x", "self/x", "in/out/x", "in/out/a/b"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct bytes name = TEXT(names[i]);
        ck_assert_int_eq(place_file_open(&place, name, &file), OUTCOME_CONFINED);
        ck_assert_int_eq(place_directory(&place, name), OUTCOME_CONFINED);
        ck_assert_int_eq(place_directory_end(&place, name, 0777, 0), OUTCOME_CONFINED);
        ck_assert_int_eq(place_link(&place, name, TEXT("y"), 0), OUTCOME_CONFINED);
    }
    ck_assert_int_eq(place_directory(&place, TEXT("out")), OUTCOME_CONFINED);
    ck_assert_int_eq(place_directory_end(&place, TEXT("out"), 0777, 0), OUTCOME_CONFINED);
    check_holds("outside", "");
    ck_assert_uint_eq(scratch_mode("outside"), 0700);
    end();
}
END_TEST

START_TEST(a_link_that_is_planted_between_is_not_followed)
{
    begin(_i);
    ck_assert_int_eq(place_directory(&place, TEXT("a")), OUTCOME_DONE);
    ck_assert_int_eq(open_file("a/file"), OUTCOME_DONE);
    write_text("x");
    SCRATCH_MUST(rename("dir/a", "dir/b") == 0);
    SCRATCH_MUST(symlink("../outside", "dir/a") == 0);
    ck_assert_int_eq(keep(), OUTCOME_DONE); /* where it was begun */
    place_file_close(&file, false);
    ck_assert_int_eq(open_file("a/other"), OUTCOME_CONFINED);
    ck_assert_int_eq(place_directory_end(&place, TEXT("a"), 0777, 0), OUTCOME_CONFINED);
    check_holds("outside", "");
    check_holds("dir/b", "file ");
    end();
}
END_TEST

START_TEST(the_directory_itself_may_be_a_link)
{
    begin(_i);
    SCRATCH_MUST(symlink("outside", "way") == 0);
    place_close(&place);
    ck_assert(place_open(&place, "way"));
    receive("a", "x");
    check_holds("outside", "a ");
    place_close(&place);
    ck_assert(!place_open(&place, "outside/a"));
    ck_assert(!place_open(&place, "not/there"));
    ck_assert_str_ne(place.why, "");
    end();
}
END_TEST

/* -- directories -- */

START_TEST(directories_can_be_used_until_their_end)
{
    struct stat st;
    begin(_i);
    ck_assert_int_eq(place_directory(&place, TEXT("a")), OUTCOME_DONE);
    ck_assert_int_eq(place_directory(&place, TEXT("a/b")), OUTCOME_DONE);
    ck_assert_uint_eq(scratch_mode("dir/a"), 0700);
    receive("a/b/c", "x");
    ck_assert_int_eq(place_directory_end(&place, TEXT("a/b"), 0511, 7), OUTCOME_DONE);
    ck_assert_int_eq(place_directory_end(&place, TEXT("a"), 0, 8), OUTCOME_DONE);
    ck_assert_uint_eq(scratch_mode("dir/a"), 0);
    SCRATCH_MUST(stat("dir/a", &st) == 0);
    ck_assert_int_eq(st.st_mtim.tv_nsec, 8);
    ck_assert_int_eq(place_directory(&place, TEXT("a")), OUTCOME_DONE); /* once more */
    ck_assert_uint_eq(scratch_mode("dir/a"), 0700);
    ck_assert_int_eq(place_directory(&place, TEXT("a/b")), OUTCOME_DONE);
    ck_assert_uint_eq(scratch_mode("dir/a/b"), 0711);
    end();
}
END_TEST

START_TEST(a_file_is_no_directory)
{
    begin(_i);
    scratch_put("dir/a", "x");
    ck_assert_int_eq(place_directory(&place, TEXT("a")), OUTCOME_EXISTS);
    ck_assert_int_eq(place_directory_end(&place, TEXT("a"), 0777, 0), OUTCOME_EXISTS);
    ck_assert_str_eq(scratch_text("dir/a"), "x");
    end();
}
END_TEST

/* -- links -- */

static enum wire_outcome link_to(const char *name, const char *target)
{
    return place_link(&place, TEXT(name), TEXT(target), 5);
}

START_TEST(links_stay_below)
{
    begin(_i);
    scratch_make_dir("dir/a");
    scratch_make_dir("dir/a/b");
    static const struct {
        const char *name, *target;
        bool is_below;
    } links[] = {
        {"1", "x", true},
        {"2", ".", true},
        {"3", "./x//y/", true},
        {"a/4", "../x", true},
        {"a/b/5", "../../x", true},
        {"a/b/6", ".././../x", true},
        {"a/7", "...", true},
        {"8", "..", false},
        {"9", "/", false},
        {"10", "/etc/passwd", false},
        {"a/11", "../..", false},
        {"a/b/12", "../../..", false},
        {"13", "a/../x", false},
        {"14", "a/../../x", false},
        {"a/15", "./../../x", false},
        {"16", "a/..", false},
        {"a/17", "../a/../..", false},
    };
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        char path[32];
        snprintf(path, sizeof path, "dir/%s", links[i].name);
        enum wire_outcome outcome = link_to(links[i].name, links[i].target);
        ck_assert_msg(outcome == (links[i].is_below ? OUTCOME_DONE : OUTCOME_CONFINED), "%s > %s",
                      links[i].name, links[i].target);
        ck_assert(scratch_is_there(path) == links[i].is_below);
    }
    end();
}
END_TEST

START_TEST(a_link_that_is_there_is_compared)
{
    begin(_i);
    ck_assert_int_eq(link_to("a", "x"), OUTCOME_DONE);
    ck_assert_int_eq(link_to("a", "x"), OUTCOME_DONE);
    ck_assert_int_eq(link_to("a", "xy"), OUTCOME_EXISTS);
    ck_assert_int_eq(link_to("a", "y"), OUTCOME_EXISTS);
    scratch_put("dir/b", "x");
    ck_assert_int_eq(link_to("b", "x"), OUTCOME_EXISTS);
    ck_assert_str_eq(scratch_text("dir/b"), "x");
    end();
}
END_TEST

/* -- what the disk says -- */

START_TEST(a_read_only_directory_is_an_output_failure)
{
    begin(_i);
    if (geteuid() == 0)
        SCRATCH_MUST(chown("dir", 65534, 65534) == 0 && chmod(".", 0755) == 0 &&
                     seteuid(65534) == 0);
    SCRATCH_MUST(chmod("dir", 0500) == 0);
    ck_assert_int_eq(open_file("a"), OUTCOME_OUTPUT);
    ck_assert_str_eq(place.why, "Permission denied");
    ck_assert(!place_is_hopeless(&place));
    ck_assert_int_eq(place_directory(&place, TEXT("b")), OUTCOME_OUTPUT);
    ck_assert_int_eq(link_to("c", "x"), OUTCOME_OUTPUT);
    check_holds("dir", "");
    if (getuid() == 0)
        SCRATCH_MUST(seteuid(0) == 0);
    end();
}
END_TEST

START_TEST(a_full_disk_is_hopeless)
{
    begin(_i);
    int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    SCRATCH_MUST(full >= 0);
    struct iovec part = {(char[]){"x"}, 1};
    struct place_file f = {.dir = -1, .fd = full};
    ck_assert_int_eq(place_file_write(&place, &f, &part, 1), OUTCOME_OUTPUT);
    ck_assert(place_is_hopeless(&place));
    ck_assert_str_eq(place.why, "No space left on device");
    close(full);
    end();
}
END_TEST

SUITE("place", BOTH_WAYS(a_file_gets_its_name_when_it_is_whole),
      BOTH_WAYS(parts_are_written_where_they_belong), BOTH_WAYS(a_hole_takes_no_room),
      BOTH_WAYS(what_exists_is_left_alone), BOTH_WAYS(a_file_that_appears_meanwhile_is_left_alone),
      BOTH_WAYS(what_is_no_file_is_in_the_way), BOTH_WAYS(a_part_is_gone_on_with),
      BOTH_WAYS(a_part_can_be_begun_anew), BOTH_WAYS(empty_and_useless_parts_are_removed),
      BOTH_WAYS(a_part_that_somebody_has_is_busy),
      BOTH_WAYS(a_name_that_is_the_part_of_another_is_busy_while_that_comes),
      BOTH_WAYS(a_file_that_is_called_like_a_part_is_no_part),
      BOTH_WAYS(a_part_that_is_not_ours_alone_is_in_the_way),
      BOTH_WAYS(a_mark_that_was_left_is_taken_off), BOTH_WAYS(long_names_have_parts_of_their_own),
      BOTH_WAYS(links_on_the_way_are_not_followed),
      BOTH_WAYS(a_link_that_is_planted_between_is_not_followed),
      BOTH_WAYS(the_directory_itself_may_be_a_link),
      BOTH_WAYS(directories_can_be_used_until_their_end), BOTH_WAYS(a_file_is_no_directory),
      BOTH_WAYS(links_stay_below), BOTH_WAYS(a_link_that_is_there_is_compared),
      BOTH_WAYS(a_read_only_directory_is_an_output_failure), BOTH_WAYS(a_full_disk_is_hopeless))
