/* SPDX-License-Identifier: MIT */
#include "stt/keyfile.h"

#include "tests/support/deny.h"
#include "tests/support/suite.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET_1                                                                                   \
    "sttkey1"                                                                                      \
    "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypstkos"
#define SEED_1 "sttseed1ibaueq2eivdeoscjjjfuytkoj5ifcustkrkvmv2ylfnfwxc5lzpvh2kk"
#define PEER_1 "stt1aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4opn7v"

static char folder[64], path[256], why[STT_KEYFILE_WHY_ROOM];

/* A folder of its own for each test; path is a name in it where nothing is yet. */
static void init(void)
{
    umask(022);
    strcpy(folder, "/tmp/stt-test-keyfile-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/key", folder);
    why[0] = '\0';
}

/* How many names the folder has; removes them when asked. */
static int names(bool and_remove)
{
    DIR *d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    int count = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        count++;
        if (and_remove)
            ck_assert_int_eq(unlinkat(dirfd(d), e->d_name, 0), 0);
    }
    closedir(d);
    return count;
}

static void fini(void)
{
    names(true);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put_bytes(const char *name, const char *content, size_t len)
{
    FILE *f = fopen(name, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(content, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(name, 0600), 0);
}

static void put(const char *content)
{
    put_bytes(path, content, strlen(content));
}

static struct stt_identity identity_1(void)
{
    struct stt_identity id;
    ck_assert_int_eq(stt_identity_decode(&id, SECRET_1), STT_OK);
    return id;
}

/* Refused with this error and a sentence that names the file, says this, and shows no secret. */
static void check_refused(const char *name, int error, const char *says)
{
    static const struct stt_identity none;
    struct stt_identity id;
    memset(&id, 1, sizeof id);
    int got = stt_keyfile_load_identity(&id, name, why);
    ck_assert_msg(got == error, "%d is not %d: %s", got, error, why);
    ck_assert_mem_eq(&id, &none, sizeof id);
    ck_assert_msg(strncmp(why, name, strlen(name)) == 0, "no name: %s", why);
    ck_assert_msg(strstr(why, says) != NULL, "no \"%s\": %s", says, why);
    ck_assert(!stt_text_is_secret(why));
    ck_assert_int_eq(stt_keyfile_load_identity(&id, name, NULL), error);
}

static void check_loads(const char *name)
{
    struct stt_identity id, expected = identity_1();
    int error = stt_keyfile_load_identity(&id, name, why);
    ck_assert_msg(error == STT_OK, "%s", why);
    ck_assert_mem_eq(&id, &expected, sizeof id);
}

START_TEST(keyfile_saves_an_identity_that_loads)
{
    struct stt_identity id = identity_1();
    char content[512];
    struct stat st;
    init();
    ck_assert_int_eq(stt_keyfile_save_identity(&id, path, why), STT_OK);
    check_loads(path);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
    ck_assert_uint_eq(st.st_nlink, 1);
    ck_assert_int_eq(names(false), 1);
    FILE *f = fopen(path, "r");
    content[fread(content, 1, sizeof content - 1, f)] = '\0';
    fclose(f);
    ck_assert_str_eq(content, "# peer id: " PEER_1 "\n" SECRET_1 "\n");
    fini();
}
END_TEST

START_TEST(keyfile_saves_a_seed_that_loads)
{
    struct stt_seed seed, back;
    char text[STT_TEXT_ROOM];
    init();
    ck_assert_int_eq(stt_seed_decode(&seed, SEED_1), STT_OK);
    ck_assert_int_eq(stt_keyfile_save_seed(&seed, path, why), STT_OK);
    ck_assert_int_eq(stt_keyfile_load_seed(&back, path, why), STT_OK);
    ck_assert_mem_eq(&back, &seed, sizeof seed);
    ck_assert_int_eq(stt_keyfile_load_text(text, path, why), STT_OK);
    ck_assert_str_eq(text, SEED_1);
    fini();
}
END_TEST

START_TEST(keyfile_saves_with_mode_0600_under_every_umask)
{
    struct stt_identity id = identity_1();
    const mode_t masks[] = {0, 077, 0777};
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        struct stat st;
        init();
        umask(masks[i]);
        ck_assert_int_eq(stt_keyfile_save_identity(&id, path, why), STT_OK);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
        fini();
    }
}
END_TEST

/* Without a folder in the name, too. */
START_TEST(keyfile_saves_and_loads_in_the_working_directory)
{
    struct stt_identity id = identity_1();
    init();
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(stt_keyfile_save_identity(&id, "key", why), STT_OK);
    check_loads("key");
    check_loads(path);
    ck_assert_int_eq(chdir("/"), 0);
    fini();
}
END_TEST

static void check_not_overwritten(const char *sentence)
{
    struct stt_identity id = identity_1();
    int before = names(false);
    ck_assert_int_eq(stt_keyfile_save_identity(&id, path, why), STT_E_EXISTS);
    ck_assert_ptr_nonnull(strstr(why, path));
    ck_assert_ptr_nonnull(strstr(why, sentence));
    ck_assert(!stt_text_is_secret(why));
    ck_assert_int_eq(names(false), before);
}

START_TEST(keyfile_is_never_overwritten_case_69)
{
    char content[8];
    init();
    put("before");
    check_not_overwritten("exists already");
    FILE *f = fopen(path, "r");
    content[fread(content, 1, sizeof content - 1, f)] = '\0';
    fclose(f);
    ck_assert_str_eq(content, "before");
    ck_assert_int_eq(unlink(path), 0);

    ck_assert_int_eq(symlink("nothing", path), 0);
    check_not_overwritten("exists already");
    ck_assert_int_eq(unlink(path), 0);

    ck_assert_int_eq(mkdir(path, 0700), 0);
    check_not_overwritten("exists already");
    ck_assert_int_eq(rmdir(path), 0);
    fini();
}
END_TEST

START_TEST(keyfile_saves_where_rename_cannot_refuse)
{
    struct stt_identity id = identity_1();
    struct stat st;
    init();
    ck_assert(deny(SYS_renameat2, DENY_ANY, EINVAL));
    ck_assert_int_eq(stt_keyfile_save_identity(&id, path, why), STT_OK);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_nlink, 1);
    ck_assert_int_eq(names(false), 1);
    check_loads(path);
    check_not_overwritten("exists already");
    fini();
}
END_TEST

START_TEST(keyfile_that_cannot_be_written_leaves_nothing)
{
    struct stt_identity id = identity_1();
    struct rlimit tiny = {20, 20};
    init();
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    ck_assert_int_eq(stt_keyfile_save_identity(&id, path, why), STT_E_IO);
    ck_assert_ptr_nonnull(strstr(why, path));
    ck_assert_ptr_nonnull(strstr(why, strerror(EFBIG)));
    ck_assert_int_eq(names(false), 0);
    fini();
}
END_TEST

/* Each call that saving makes, on the folder, on the new file or on neither, fails once. */
static const struct {
    long call;
    enum { NEITHER, FOLDER, NEW_FILE } on;
} steps[] = {
    {SYS_openat, NEITHER},   {SYS_getrandom, NEITHER}, {SYS_openat, FOLDER},
    {SYS_fchmod, NEW_FILE},  {SYS_write, NEW_FILE},    {SYS_fsync, NEW_FILE},
    {SYS_renameat2, FOLDER}, {SYS_fsync, FOLDER},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

START_TEST(keyfile_that_fails_at_any_step_leaves_nothing)
{
    struct stt_identity id = identity_1();
    init();
    pid_t child = fork();
    if (child == 0) {
        int next = dup(0), fd[] = {DENY_ANY, next, next + 1};
        close(next);
        if (next < 0 || !deny(steps[_i].call, fd[steps[_i].on], EIO))
            _exit(1);
        if (stt_keyfile_save_identity(&id, path, why) != STT_E_IO)
            _exit(2);
        _exit(strncmp(why, path, strlen(path)) == 0 && !stt_text_is_secret(why) ? 0 : 3);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(names(false), 0);
    fini();
}
END_TEST

START_TEST(keyfile_without_a_place_is_not_saved)
{
    struct stt_identity id = identity_1();
    char long_path[8000];
    init();
    snprintf(path, sizeof path, "%s/none/key", folder);
    ck_assert_int_eq(stt_keyfile_save_identity(&id, path, why), STT_E_NOT_FOUND);
    snprintf(path, sizeof path, "%s/", folder);
    ck_assert_int_eq(stt_keyfile_save_identity(&id, path, why), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_keyfile_save_identity(&id, "", why), STT_E_ARGUMENT);
    memset(long_path, 'a', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(stt_keyfile_save_identity(&id, long_path, why), STT_E_IO);
    long_path[sizeof long_path / 2] = '/';
    ck_assert_int_eq(stt_keyfile_save_identity(&id, long_path, why), STT_E_IO);
    ck_assert_int_eq(stt_keyfile_save_identity(&id, long_path, NULL), STT_E_IO);
    ck_assert_int_eq(names(false), 0);
    ck_assert_int_eq(chdir("/"), 0);
    fini();
}
END_TEST

START_TEST(keyfile_open_to_others_is_refused_case_67)
{
    init();
    put(SECRET_1 "\n");
    for (unsigned bit = 0; bit < 6; bit++) {
        ck_assert_int_eq(chmod(path, 0600 | 1u << bit), 0);
        check_refused(path, STT_E_PERMISSION, "chmod 600");
    }
    ck_assert_int_eq(chmod(path, 0644), 0);
    check_refused(path, STT_E_PERMISSION, "mode 0644");
    ck_assert_int_eq(chmod(path, 0400), 0);
    check_loads(path);
    fini();
}
END_TEST

START_TEST(keyfile_that_is_a_link_is_refused_case_67)
{
    char other[300];
    init();
    put(SECRET_1 "\n");
    snprintf(other, sizeof other, "%s/link", folder);
    ck_assert_int_eq(symlink(path, other), 0);
    check_refused(other, STT_E_PERMISSION, "symbolic link");
    check_loads(path);
    ck_assert_int_eq(unlink(other), 0);
    ck_assert_int_eq(symlink("nothing", other), 0);
    check_refused(other, STT_E_PERMISSION, "symbolic link");
    ck_assert_int_eq(unlink(other), 0);
    ck_assert_int_eq(link(path, other), 0);
    check_refused(other, STT_E_PERMISSION, "2 names");
    check_refused(path, STT_E_PERMISSION, "2 names");
    fini();
}
END_TEST

START_TEST(keyfile_of_somebody_else_is_refused_case_67)
{
    if (geteuid() != 0) {
        fprintf(stderr, "not tested: only root can give a file away\n");
        return;
    }
    init();
    put(SECRET_1 "\n");
    ck_assert_int_eq(chown(path, 65534, 65534), 0);
    check_refused(path, STT_E_PERMISSION, "belongs to user 65534");

    /* The other way round: root's file, and a user who can open it. */
    ck_assert_int_eq(chown(path, 0, 65534), 0);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        struct stt_identity id;
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(1);
        int error = stt_keyfile_load_identity(&id, path, why);
        _exit(error == STT_E_PERMISSION && strstr(why, "belongs to user 0 ") ? 0 : 2);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    fini();
}
END_TEST

START_TEST(keyfile_that_is_no_file_is_refused)
{
    init();
    check_refused(path, STT_E_NOT_FOUND, "check the name");
    check_refused(folder, STT_E_PERMISSION, "not a regular file");
    check_refused("/dev/null", STT_E_PERMISSION, "not a regular file");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    check_refused(path, STT_E_PERMISSION,
                  "not a regular file"); /* and does not wait for a writer */
    fini();
}
END_TEST

START_TEST(keyfile_of_more_than_4_kib_is_refused)
{
    char content[4200];
    size_t key = strlen(SECRET_1);
    init();
    memset(content, '#', sizeof content);
    content[4096 - key - 1] = '\n';
    memcpy(content + 4096 - key, SECRET_1, key);
    put_bytes(path, content, 4096);
    check_loads(path);
    content[4096] = '\n';
    put_bytes(path, content, 4097);
    check_refused(path, STT_E_FORMAT, "larger than 4096");
    fini();
}
END_TEST

START_TEST(keyfile_is_one_line_below_comments)
{
    static const char *const good[] = {
        SECRET_1,
        SECRET_1 "\n",
        "#\n" SECRET_1,
        "# a\n## sttkey1, b\r\n#\n" SECRET_1 "\n",
    };
    static const struct {
        const char *content, *says;
    } bad[] = {
        {"", "holds no key"},
        {"\n", "holds no key"},
        {"# only", "holds no key"},
        {"# only\n", "holds no key"},
        {"\n" SECRET_1 "\n", "holds no key"},
        {SECRET_1 "\n\n", "more than one line"},
        {SECRET_1 "\n" SECRET_1 "\n", "more than one line"},
        {SECRET_1 "\n# behind\n", "more than one line"},
        {SECRET_1 "\r\n", "damaged"},
        {SECRET_1 " \n", "damaged"},
        {SECRET_1 "a\n", "damaged"},
        {" " SECRET_1 "\n", "holds something else"},
        {" # no comment\n" SECRET_1 "\n", "more than one line"},
        {SEED_1 "\n", "holds a seed where an identity is wanted"},
        {PEER_1 "\n", "holds a peer id, which is public"},
    };
    init();
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        put(good[i]);
        check_loads(path);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put(bad[i].content);
        check_refused(path, STT_E_FORMAT, bad[i].says);
    }
    put_bytes(path, SECRET_1 "\0", strlen(SECRET_1) + 1);
    check_refused(path, STT_E_FORMAT, "not a text");
    char line[STT_TEXT_ROOM + 1];
    memset(line, 'a', sizeof line);
    put_bytes(path, line, STT_TEXT_ROOM);
    check_refused(path, STT_E_FORMAT, "too long");
    fini();
}
END_TEST

START_TEST(keyfile_that_is_refused_gives_no_seed_and_no_text)
{
    static const struct stt_seed none;
    struct stt_seed seed;
    char text[STT_TEXT_ROOM];
    init();
    put(SECRET_1 "\n");
    memset(&seed, 1, sizeof seed);
    ck_assert_int_eq(stt_keyfile_load_seed(&seed, path, why), STT_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(why, "holds an identity where a seed is wanted"));
    ck_assert_mem_eq(&seed, &none, sizeof seed);
    ck_assert_int_eq(chmod(path, 0644), 0);
    memset(&seed, 1, sizeof seed);
    ck_assert_int_eq(stt_keyfile_load_seed(&seed, path, why), STT_E_PERMISSION);
    ck_assert_mem_eq(&seed, &none, sizeof seed);
    strcpy(text, "x");
    ck_assert_int_eq(stt_keyfile_load_text(text, path, why), STT_E_PERMISSION);
    ck_assert_str_eq(text, "");
    fini();
}
END_TEST

START_TEST(keyfile_sentence_is_harmless_and_whole)
{
    struct stt_identity id;
    char name[2000];
    ck_assert_int_eq(stt_keyfile_load_identity(&id, "/tmp/a\x1b[31m\nb\x7f", why), STT_E_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(why, "/tmp/a?[31m?b?: "));
    memset(name, 'n', sizeof name);
    for (size_t i = 0; i < sizeof name; i += 200)
        name[i] = '/';
    strcpy(name + sizeof name - 9, "/the-end");
    ck_assert_int_eq(stt_keyfile_load_identity(&id, name, why), STT_E_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(why, "/the-end: "));
    ck_assert_int_eq(strncmp(why, "...", 3), 0);
    ck_assert_str_eq(why + strlen(why) - strlen("check the name"), "check the name");
}
END_TEST

SUITE("keyfile", TEST(keyfile_saves_an_identity_that_loads), TEST(keyfile_saves_a_seed_that_loads),
      TEST(keyfile_saves_with_mode_0600_under_every_umask),
      TEST(keyfile_saves_and_loads_in_the_working_directory),
      TEST(keyfile_is_never_overwritten_case_69), TEST(keyfile_saves_where_rename_cannot_refuse),
      TEST(keyfile_that_cannot_be_written_leaves_nothing),
      LOOP(keyfile_that_fails_at_any_step_leaves_nothing, 0, STEPS),
      TEST(keyfile_without_a_place_is_not_saved), TEST(keyfile_open_to_others_is_refused_case_67),
      TEST(keyfile_that_is_a_link_is_refused_case_67),
      TEST(keyfile_of_somebody_else_is_refused_case_67), TEST(keyfile_that_is_no_file_is_refused),
      TEST(keyfile_of_more_than_4_kib_is_refused), TEST(keyfile_is_one_line_below_comments),
      TEST(keyfile_that_is_refused_gives_no_seed_and_no_text),
      TEST(keyfile_sentence_is_harmless_and_whole))
