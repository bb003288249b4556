/* SPDX-License-Identifier: MIT */
#include "tools/common/known.h"

#include "tests/support/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEED_1 "sttseed1ibaueq2eivdeoscjjjfuytkoj5ifcustkrkvmv2ylfnfwxc5lzpvh2kk"

static char root[64], folder[128], path[256], why[OPTION_WHY_ROOM];

/* The folder is not there yet. */
static void init(void)
{
    umask(022);
    strcpy(root, "/tmp/stt-test-known-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(folder, sizeof folder, "%s/deep/config", root);
    snprintf(path, sizeof path, "%s/known_peers", folder);
    ck_assert_int_eq(setenv("STT_CONFIG_DIR", folder, 1), 0);
    why[0] = '\0';
}

/* How many names the folder has; removes them when asked. */
static int names(bool and_remove)
{
    DIR *d = opendir(folder);
    int count = 0;
    if (!d)
        return 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        count++;
        if (and_remove)
            unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    return count;
}

static void fini(void)
{
    char deep[128];
    names(true);
    snprintf(deep, sizeof deep, "%s/deep", root);
    rmdir(folder);
    rmdir(deep);
    ck_assert_int_eq(rmdir(root), 0);
}

static struct stt_peer_id id_of(unsigned number)
{
    uint8_t secret[32] = {(uint8_t)number, (uint8_t)(number >> 8)};
    struct stt_identity id;
    stt_identity_init(&id, secret);
    return id.peer_id;
}

static void text_of(char out[STT_PEER_ID_TEXT_ROOM], unsigned number)
{
    struct stt_peer_id id = id_of(number);
    stt_peer_id_encode(&id, out);
}

static void remember(const char *name, unsigned number)
{
    struct stt_peer_id id = id_of(number);
    enum known answer = known_remember(name, &id, why);
    ck_assert_msg(answer == KNOWN_YES, "%d: %s", answer, why);
}

static void check_finds(const char *name, unsigned number)
{
    struct stt_peer_id got = {{0}}, wanted = id_of(number);
    enum known answer = known_find(name, &got, why);
    ck_assert_msg(answer == KNOWN_YES, "%s: %d: %s", name, answer, why);
    ck_assert_mem_eq(&got, &wanted, sizeof got);
}

static void check_finds_none(const char *name)
{
    struct stt_peer_id got;
    ck_assert_int_eq(known_find(name, &got, why), KNOWN_NO);
}

static void put(const char *content)
{
    char deep[128];
    snprintf(deep, sizeof deep, "%s/deep", root);
    mkdir(deep, 0700);
    mkdir(folder, 0700);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(content, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, 0600), 0);
}

static void check_content(const char *wanted)
{
    char content[4096];
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    content[fread(content, 1, sizeof content - 1, f)] = '\0';
    fclose(f);
    ck_assert_str_eq(content, wanted);
}

/* All three refuse, with this in the sentence; and nothing changes. */
static void check_refused(const char *says)
{
    struct stt_peer_id id = id_of(9);
    for (int i = 0; i < 3; i++) {
        why[0] = '\0';
        enum known answer = i == 0   ? known_find("host:1", &id, why)
                            : i == 1 ? known_remember("host:1", &id, why)
                                     : known_forget("host:1", why);
        ck_assert_msg(answer == KNOWN_ERROR, "%d answers %d", i, answer);
        ck_assert_msg(strstr(why, says) != NULL, "%d: no \"%s\": %s", i, says, why);
        ck_assert(!stt_text_is_secret(why));
    }
}

START_TEST(who_was_remembered_is_found_and_nobody_else)
{
    init();
    check_finds_none("host:1");
    ck_assert_int_eq(names(false), 0); /* looking makes nothing */
    remember("host:1", 1);
    remember("host:10", 2);
    remember("[::1]:1", 3);
    check_finds("host:1", 1);
    check_finds("host:10", 2);
    check_finds("[::1]:1", 3);
    check_finds_none("host:");
    check_finds_none("HOST:1");
    check_finds_none("ost:1");
    fini();
}
END_TEST

START_TEST(folder_and_file_are_closed_to_others_under_every_umask)
{
    const mode_t masks[] = {0, 022, 077};
    for (size_t i = 0; i < 3; i++) {
        struct stat st;
        init();
        umask(masks[i]);
        remember("host:1", 1);
        ck_assert_int_eq(stat(folder, &st), 0);
        ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
        umask(022);
        fini();
    }
}
END_TEST

START_TEST(another_id_is_an_error_that_tells_both_and_the_way_out)
{
    char old[STT_PEER_ID_TEXT_ROOM], new[STT_PEER_ID_TEXT_ROOM];
    struct stt_peer_id other = id_of(2), same = id_of(1);
    init();
    text_of(old, 1);
    text_of(new, 2);
    remember("host:1", 1);
    ck_assert_int_eq(known_remember("host:1", &other, why), KNOWN_OTHER);
    ck_assert_ptr_nonnull(strstr(why, old));
    ck_assert_ptr_nonnull(strstr(why, new));
    ck_assert_ptr_nonnull(strstr(why, "sttcat --forget 'host:1'"));
    check_finds("host:1", 1);
    ck_assert_int_eq(known_remember("host:1", &same, why), KNOWN_YES);

    known_changed("host:1", &same, NULL, why);
    ck_assert_ptr_nonnull(strstr(why, old));
    ck_assert_ptr_null(strstr(why, new));
    ck_assert_ptr_nonnull(strstr(why, "sttcat --forget 'host:1'"));
    fini();
}
END_TEST

START_TEST(who_is_forgotten_can_be_another_one)
{
    init();
    ck_assert_int_eq(known_forget("host:1", why), KNOWN_NO);
    ck_assert_ptr_nonnull(strstr(why, "host:1"));
    ck_assert_int_eq(names(false), 0);
    remember("host:1", 1);
    remember("host:2", 2);
    ck_assert_int_eq(known_forget("host:1", why), KNOWN_YES);
    check_finds_none("host:1");
    check_finds("host:2", 2);
    ck_assert_int_eq(known_forget("host:1", why), KNOWN_NO);
    remember("host:1", 3);
    check_finds("host:1", 3);
    fini();
}
END_TEST

/* Comments, blanks and the last line without an end. */
START_TEST(what_people_have_written_stays)
{
    char one[STT_PEER_ID_TEXT_ROOM], two[STT_PEER_ID_TEXT_ROOM], content[600], wanted[800];
    init();
    text_of(one, 1);
    text_of(two, 2);
    snprintf(content, sizeof content, "# mine\n\n  a:1 \t %s  # the old one\nb:1 %s", one, one);
    put(content);
    check_finds("a:1", 1);
    check_finds("b:1", 1);
    remember("c:1", 2);
    snprintf(wanted, sizeof wanted, "%s\nc:1 %s\n", content, two);
    check_content(wanted);
    ck_assert_int_eq(known_forget("b:1", why), KNOWN_YES);
    snprintf(wanted, sizeof wanted, "# mine\n\n  a:1 \t %s  # the old one\nc:1 %s\n", one, two);
    check_content(wanted);
    fini();
}
END_TEST

/* Whatever a name holds, it is one name in one line. */
START_TEST(no_name_can_be_taken_for_two)
{
    static const char *const odd[] = {"a b:1", "a\nb:1", "a\tb:1", "#a:1", "a%20b:1",    "a\x7f:1",
                                      "%",     " ",      "a\r:1",  "\x01", "b\xc3\xbc:1"};
    init();
    char name[KNOWN_NAME_MAX + 2];
    for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++)
        remember(odd[i], i);
    for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++)
        check_finds(odd[i], i);
    check_finds_none("a");
    check_finds_none("b:1");
    memset(name, ' ', sizeof name);
    name[KNOWN_NAME_MAX] = '\0';
    remember(name, 1);
    check_finds(name, 1);
    name[KNOWN_NAME_MAX] = ' ';
    name[KNOWN_NAME_MAX + 1] = '\0';
    struct stt_peer_id id = id_of(1);
    ck_assert_int_eq(known_remember(name, &id, why), KNOWN_ERROR);
    ck_assert_int_eq(known_remember("", &id, why), KNOWN_ERROR);
    fini();
}
END_TEST

START_TEST(a_damaged_line_is_named_and_refuses_everything)
{
    char one[STT_PEER_ID_TEXT_ROOM], content[600];
    init();
    text_of(one, 1);
    snprintf(content, sizeof content, "host:1 %s\n\nb:1 %.59s\n", one, one);
    put(content);
    check_refused("known_peers, line 3: ");
    put("nothing\n");
    check_refused("known_peers, line 1: ");
    snprintf(content, sizeof content, "host:1 %s %s\n", one, one);
    put(content);
    check_refused("known_peers, line 1: ");
    snprintf(content, sizeof content, "host:1 %s\r\n", one);
    put(content);
    check_refused("known_peers, line 1: ");
    snprintf(content, sizeof content, "%s\n", one);
    put(content);
    check_refused("known_peers, line 1: ");
    put("host:1 " SEED_1 "\n");
    check_refused("known_peers, line 1: ");
    snprintf(content, sizeof content, "host:1 %s\na:1 %s\nhost:1 %s\n", one, one, one);
    put(content);
    check_refused("known_peers, line 3: ");
    check_content(content);
    fini();
}
END_TEST

START_TEST(what_others_may_write_to_is_refused)
{
    init();
    put("");
    ck_assert_int_eq(chmod(path, 0620), 0);
    check_refused("others may write to it");
    ck_assert_int_eq(chmod(path, 0602), 0);
    check_refused("others may write to it");
    ck_assert_int_eq(chmod(path, 0644), 0);
    check_finds_none("host:1");
    ck_assert_int_eq(chmod(folder, 0770), 0);
    check_refused("others may write to");
    ck_assert_int_eq(chmod(folder, 01777), 0);
    check_refused("others may write to");
    ck_assert_int_eq(chmod(folder, 0755), 0);
    check_finds_none("host:1");
    fini();
}
END_TEST

START_TEST(a_link_or_something_else_in_its_place_is_refused)
{
    init();
    put("");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("target", path), 0);
    check_refused("is a symbolic link");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    check_refused("is not a regular file");
    ck_assert_int_eq(unlink(path), 0);
    fini();
}
END_TEST

START_TEST(a_foreign_owner_is_refused)
{
    init();
    put("");
    if (chown(path, 12345, (gid_t)-1) == 0) {
        check_refused("belongs to user 12345");
        ck_assert_int_eq(chown(path, 0, (gid_t)-1), 0);
        ck_assert_int_eq(chown(folder, 12345, (gid_t)-1), 0);
        check_refused("belongs to user 12345");
    }
    fini();
}
END_TEST

/* A program that was killed left it. */
START_TEST(a_draft_that_was_left_behind_does_no_harm)
{
    char draft[300];
    init();
    put("");
    snprintf(draft, sizeof draft, "%s/.known_peers.new", folder);
    ck_assert_int_eq(symlink("elsewhere", draft), 0);
    remember("host:1", 1);
    check_finds("host:1", 1);
    ck_assert_int_eq(names(false), 2); /* the file and its lock */
    fini();
}
END_TEST

static void child_adds(unsigned process, unsigned n, int start)
{
    char name[32], byte;
    ssize_t got = read(start, &byte, 1); /* the end of file: all begin at once */
    for (unsigned i = 0; i < n && got == 0; i++) {
        struct stt_peer_id id = id_of(process * 100 + i);
        snprintf(name, sizeof name, "p%u-%u:1", process, i);
        if (known_remember(name, &id, why) != KNOWN_YES) {
            fprintf(stderr, "%s: %s\n", name, why);
            _exit(1);
        }
        snprintf(name, sizeof name, "gone%u-%u:1", process, i);
        if (i % 5 == 0 &&
            (known_remember(name, &id, why) != KNOWN_YES || known_forget(name, why) != KNOWN_YES))
            _exit(2);
    }
    _exit(got == 0 ? 0 : 3);
}

/* Two processes, 50 names each, some forgotten in between. */
START_TEST(of_two_processes_that_add_at_once_nothing_is_lost)
{
    enum { PROCESSES = 2, NAMES = 50 };
    int start[2];
    pid_t children[PROCESSES];
    char name[32];
    init();
    ck_assert_int_eq(pipe(start), 0);
    for (unsigned p = 0; p < PROCESSES; p++)
        if ((children[p] = fork()) == 0) {
            close(start[1]);
            child_adds(p, NAMES, start[0]);
        }
    close(start[0]);
    close(start[1]);
    for (unsigned p = 0; p < PROCESSES; p++) {
        int status;
        ck_assert_int_eq(waitpid(children[p], &status, 0), children[p]);
        ck_assert_int_eq(status, 0);
    }
    for (unsigned p = 0; p < PROCESSES; p++)
        for (unsigned i = 0; i < NAMES; i++) {
            snprintf(name, sizeof name, "p%u-%u:1", p, i);
            check_finds(name, p * 100 + i);
            snprintf(name, sizeof name, "gone%u-%u:1", p, i);
            check_finds_none(name);
        }
    fini();
}
END_TEST

/* Its holder may have been stopped. */
START_TEST(a_lock_that_somebody_keeps_is_not_waited_for_for_ever)
{
    char lock[300];
    init();
    remember("host:1", 1);
    snprintf(lock, sizeof lock, "%s/.known_peers.lock", folder);
    int fd = open(lock, O_RDWR);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    check_finds("host:1", 1); /* who reads does not wait */
    ck_assert_int_eq(known_forget("host:1", why), KNOWN_ERROR);
    ck_assert_ptr_nonnull(strstr(why, "cannot be locked"));
    close(fd);
    check_finds("host:1", 1);
    fini();
}
END_TEST

START_TEST(without_a_home_nobody_is_known)
{
    struct stt_peer_id id = id_of(1);
    init();
    unsetenv("STT_CONFIG_DIR");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    check_finds_none("host:1");
    ck_assert_int_eq(known_forget("host:1", why), KNOWN_NO);
    ck_assert_int_eq(known_remember("host:1", &id, why), KNOWN_ERROR);
    ck_assert_ptr_nonnull(strstr(why, "STT_CONFIG_DIR"));
    fini();
}
END_TEST

START_TEST(a_full_file_takes_no_more_and_loses_nothing)
{
    enum { LIMIT = 1 << 20 };
    char *content = malloc(LIMIT + 1);
    struct stt_peer_id id = id_of(1);
    init();
    remember("host:1", 1);
    FILE *f = fopen(path, "rb");
    size_t len = fread(content, 1, LIMIT, f);
    fclose(f);
    memset(content + len, '\n', LIMIT - 40 - len);
    content[LIMIT - 40] = '\0';
    put(content);
    ck_assert_int_eq(known_remember("host:2", &id, why), KNOWN_ERROR);
    ck_assert_ptr_nonnull(strstr(why, "is full"));
    check_finds("host:1", 1);
    free(content);
    fini();
}
END_TEST

SUITE("known", TEST(who_was_remembered_is_found_and_nobody_else),
      TEST(folder_and_file_are_closed_to_others_under_every_umask),
      TEST(another_id_is_an_error_that_tells_both_and_the_way_out),
      TEST(who_is_forgotten_can_be_another_one), TEST(what_people_have_written_stays),
      TEST(no_name_can_be_taken_for_two), TEST(a_damaged_line_is_named_and_refuses_everything),
      TEST(what_others_may_write_to_is_refused),
      TEST(a_link_or_something_else_in_its_place_is_refused), TEST(a_foreign_owner_is_refused),
      TEST(a_draft_that_was_left_behind_does_no_harm),
      TEST(of_two_processes_that_add_at_once_nothing_is_lost),
      TEST(a_lock_that_somebody_keeps_is_not_waited_for_for_ever),
      TEST(without_a_home_nobody_is_known), TEST(a_full_file_takes_no_more_and_loses_nothing))
