/* SPDX-License-Identifier: MIT */
#include "tools/common/secrets.h"

#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_1                                                                                   \
    "sttkey1"                                                                                      \
    "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypstkos"
#define SEED_1 "sttseed1ibaueq2eivdeoscjjjfuytkoj5ifcustkrkvmv2ylfnfwxc5lzpvh2kk"
#define PEER_1 "stt1aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4opn7v"

static char folder[64], path[256], why[OPTION_WHY_ROOM];

/* Nothing of the user's is seen. */
static void init(void)
{
    strcpy(folder, "/tmp/stt-test-secrets-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(setenv("STT_CONFIG_DIR", folder, 1), 0);
    snprintf(path, sizeof path, "%s/identity", folder);
    unsetenv("STT_SEED");
    unsetenv("STT_CODE");
    why[0] = '\0';
}

static void fini(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put(const char *content, mode_t mode)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(content, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void check_says(const char *says)
{
    ck_assert_msg(strstr(why, says) != NULL, "no \"%s\": %s", says, why);
    ck_assert_msg(!stt_text_is_secret(why), "%s", why);
    ck_assert(strlen(why) > 0 && strlen(why) + 1 < sizeof why);
}

static void check_all_zero(const void *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ck_assert_uint_eq(((const uint8_t *)p)[i], 0);
}

/* -- arguments -- */

static bool check_arguments(char *second)
{
    char *argv[] = {(char *)(uintptr_t) "sttcat", (char *)(uintptr_t) "-l", second, NULL};
    return secrets_check_arguments(3, argv, why);
}

START_TEST(a_secret_among_the_arguments_is_refused_and_not_repeated_case_68)
{
    static const struct {
        const char *argument, *says;
    } cases[] = {
        {SEED_1, "--seed-file FILE"},
        {"--seed-file=" SEED_1, "STT_SEED"},
        {"STTSEED1IBAUEQ2EIV", "--seed-fd N"},
        {SECRET_1, "-I FILE"},
        {"-I" SECRET_1, "-I FILE"},
        {"sttsecret1aoqq", "--seed-file FILE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char room[256];
        strcpy(room, cases[i].argument);
        ck_assert(!check_arguments(room));
        check_says(cases[i].says);
        check_says("argument 2");
        ck_assert_ptr_null(strcasestr(why, "ibaueq"));
        ck_assert_ptr_null(strstr(why, "aaaqeay"));
    }
}
END_TEST

START_TEST(what_is_public_may_be_an_argument)
{
    static const char *const public[] = {PEER_1, "sttticket1aoqq", "", "sttseed",
                                         ("--peer=" PEER_1)};
    for (size_t i = 0; i < sizeof public / sizeof public[0]; i++) {
        char room[256];
        strcpy(room, public[i]);
        ck_assert_msg(check_arguments(room), "%s", why);
    }
    ck_assert(secrets_check_arguments(0, NULL, why));
}
END_TEST

/* -- identities -- */

START_TEST(without_a_file_an_identity_is_for_this_time_only)
{
    struct stt_identity one, two;
    bool is_durable = true;
    init();
    ck_assert_msg(secrets_identity(&one, &is_durable, NULL, why), "%s", why);
    ck_assert(!is_durable);
    ck_assert(secrets_identity(&two, &is_durable, NULL, why));
    ck_assert_mem_ne(&one.peer_id, &two.peer_id, sizeof one.peer_id);
    unsetenv("STT_CONFIG_DIR");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    ck_assert(secrets_identity(&two, &is_durable, NULL, why));
    ck_assert(!is_durable);
    fini();
}
END_TEST

START_TEST(the_identity_at_home_is_used_when_it_is_there)
{
    struct stt_identity id;
    char text[STT_PEER_ID_TEXT_ROOM];
    bool is_durable = false;
    init();
    put(SECRET_1 "\n", 0600);
    for (int named = 0; named < 2; named++) {
        ck_assert_msg(secrets_identity(&id, &is_durable, named ? path : NULL, why), "%s", why);
        ck_assert(is_durable);
        stt_peer_id_encode(&id.peer_id, text);
        ck_assert_str_eq(text, PEER_1);
    }
    fini();
}
END_TEST

static void check_identity_refused(const char *name, const char *says)
{
    struct stt_identity id;
    bool is_durable = true;
    memset(&id, 1, sizeof id);
    ck_assert(!secrets_identity(&id, &is_durable, name, why));
    ck_assert(!is_durable);
    check_all_zero(&id, sizeof id);
    check_says(path);
    check_says(says);
}

/* Never a throwaway one in the place of one that is not good; named or found. */
START_TEST(a_key_file_of_others_is_refused_and_named_case_67)
{
    init();
    for (int named = 0; named < 2; named++) {
        const char *name = named ? path : NULL;
        put(SECRET_1 "\n", 0644);
        check_identity_refused(name, "chmod 600");
        unlink(path);
        ck_assert_int_eq(symlink("target", path), 0);
        check_identity_refused(name, "symbolic link");
        unlink(path);
        put(SECRET_1 "\n", 0600);
        if (chown(path, 12345, (gid_t)-1) == 0)
            check_identity_refused(name, "belongs to user 12345");
        unlink(path);
        put("sttkey1aaaa\n", 0600);
        check_identity_refused(name, "damaged");
        unlink(path);
    }
    check_identity_refused(path, "no such file");
    fini();
}
END_TEST

/* -- seeds -- */

/* A variable as the kernel hands it over: in memory that stays. */
static char variable[2048];
static void set_variable(const char *name, const char *value)
{
    snprintf(variable, sizeof variable, "%s=%s", name, value);
    ck_assert_int_eq(putenv(variable), 0);
}

static void check_variable_is_gone(const char *name)
{
    ck_assert_ptr_null(getenv(name));
    ck_assert(!stt_text_is_secret(variable));
    check_all_zero(variable + strlen(name) + 1, sizeof variable - strlen(name) - 1);
}

/* A descriptor with this to read, as text. */
static const char *descriptor(const char *content, size_t len)
{
    static char text[16];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], content, len), (ssize_t)len);
    close(ends[1]);
    snprintf(text, sizeof text, "%d", ends[0]);
    return text;
}

static void check_seed(const char *file, const char *fd)
{
    struct stt_seed seed, wanted;
    bool has = false;
    ck_assert_int_eq(stt_seed_decode(&wanted, SEED_1), STT_OK);
    ck_assert_msg(secrets_seed(&seed, &has, file, fd, why), "%s", why);
    ck_assert(has);
    ck_assert_mem_eq(&seed, &wanted, sizeof seed);
}

static void check_seed_refused(const char *file, const char *fd, const char *says)
{
    struct stt_seed seed;
    bool has = true;
    memset(&seed, 1, sizeof seed);
    ck_assert(!secrets_seed(&seed, &has, file, fd, why));
    ck_assert(!has);
    check_all_zero(&seed, sizeof seed);
    check_says(says);
}

START_TEST(a_seed_comes_from_a_file_a_descriptor_or_the_environment)
{
    struct stt_seed seed;
    bool has = true;
    init();
    ck_assert(secrets_seed(&seed, &has, NULL, NULL, why));
    ck_assert(!has);
    check_all_zero(&seed, sizeof seed);
    put("# ours\n" SEED_1 "\n", 0600);
    check_seed(path, NULL);
    check_seed(NULL, descriptor(SEED_1, strlen(SEED_1)));
    check_seed(NULL, descriptor(SEED_1 "\n", strlen(SEED_1) + 1));
    check_seed(NULL, descriptor(SEED_1 "\r\n", strlen(SEED_1) + 2));
    set_variable("STT_SEED", SEED_1);
    check_seed(NULL, NULL);
    check_variable_is_gone("STT_SEED");
    fini();
}
END_TEST

START_TEST(what_was_in_the_environment_is_gone_whatever_happens)
{
    struct stt_seed seed;
    bool has;
    char code[SECRETS_CODE_ROOM];
    init();
    put(SEED_1, 0600);
    set_variable("STT_SEED", SEED_1);
    check_seed(path, NULL);
    check_variable_is_gone("STT_SEED");
    set_variable("STT_SEED", SECRET_1);
    check_seed_refused(NULL, NULL, "is no seed");
    check_variable_is_gone("STT_SEED");
    char large[1500];
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    set_variable("STT_SEED", large);
    check_seed_refused(NULL, NULL, "too long");
    check_variable_is_gone("STT_SEED");
    set_variable("STT_SEED", "");
    ck_assert(secrets_seed(&seed, &has, NULL, NULL, why) && !has);
    check_variable_is_gone("STT_SEED");
    set_variable("STT_CODE", large);
    ck_assert(!secrets_code(code, NULL, false, "", why));
    check_variable_is_gone("STT_CODE");
    fini();
}
END_TEST

START_TEST(what_is_no_seed_is_refused_and_not_shown)
{
    init();
    put(SEED_1, 0644);
    check_seed_refused(path, NULL, path);
    check_seed_refused(path, "0", "leave one of them out");
    check_seed_refused(NULL, "x", "number of an open file descriptor");
    check_seed_refused(NULL, "-1", "number of an open file descriptor");
    check_seed_refused(NULL, "4000", "cannot be read");
    check_seed_refused(NULL, descriptor("", 0), "empty line");
    check_seed_refused(NULL, descriptor("\n" SEED_1, 10), "empty line");
    check_seed_refused(NULL, descriptor(SEED_1, strlen(SEED_1) - 1), "damaged");
    check_seed_refused(NULL, descriptor(SECRET_1, strlen(SECRET_1)), "is no seed");
    check_seed_refused(NULL, descriptor(SEED_1 "\0", strlen(SEED_1) + 1), "no line of text");
    char large[1500];
    memset(large, 'x', sizeof large);
    check_seed_refused(NULL, descriptor(large, sizeof large), "no line of text");
    fini();
}
END_TEST

START_TEST(a_descriptor_that_was_read_is_closed)
{
    init();
    const char *fd = descriptor(SEED_1, strlen(SEED_1));
    check_seed(NULL, fd);
    ck_assert_int_eq(fcntl(atoi(fd), F_GETFD), -1);
    fini();
}
END_TEST

/* -- codes -- */

START_TEST(a_code_comes_from_a_descriptor_or_the_environment)
{
    char code[SECRETS_CODE_ROOM];
    init();
    ck_assert_msg(secrets_code(code, descriptor("417-k7qd-x2mz\n", 14), false, "", why), "%s", why);
    ck_assert_str_eq(code, "417-k7qd-x2mz");
    set_variable("STT_CODE", "two words  and more");
    ck_assert_msg(secrets_code(code, NULL, true, "", why), "%s", why);
    ck_assert_str_eq(code, "two words  and more");
    check_variable_is_gone("STT_CODE");
    fini();
}
END_TEST

START_TEST(without_a_way_to_ask_a_code_is_asked_for_in_a_sentence)
{
    char code[SECRETS_CODE_ROOM];
    init();
    memset(code, 1, sizeof code);
    ck_assert(!secrets_code(code, NULL, false, "Code: ", why));
    check_all_zero(code, sizeof code);
    check_says("--code-fd N");
    check_says("STT_CODE");
    ck_assert(!secrets_code(code, descriptor("\n", 1), true, "Code: ", why));
    check_says("empty line");
    fini();
}
END_TEST

/* With --code-fd 0 what follows is what is to be sent. */
START_TEST(behind_the_line_nothing_is_read)
{
    char code[SECRETS_CODE_ROOM], rest[8];
    int ends[2], before;
    init();
    before = dup(STDIN_FILENO);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    ck_assert_int_eq(write(ends[1], "417-k7qd-x2mz\ndata", 18), 18);
    ck_assert_msg(secrets_code(code, "0", false, "", why), "%s", why);
    ck_assert_str_eq(code, "417-k7qd-x2mz");
    ck_assert_int_eq(read(STDIN_FILENO, rest, sizeof rest), 4);
    ck_assert_mem_eq(rest, "data", 4);
    dup2(before, STDIN_FILENO);
    fini();
}
END_TEST

START_TEST(a_protected_process_leaves_no_core)
{
    secrets_protect_process();
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
}
END_TEST

SUITE("secrets", TEST(a_secret_among_the_arguments_is_refused_and_not_repeated_case_68),
      TEST(what_is_public_may_be_an_argument),
      TEST(without_a_file_an_identity_is_for_this_time_only),
      TEST(the_identity_at_home_is_used_when_it_is_there),
      TEST(a_key_file_of_others_is_refused_and_named_case_67),
      TEST(a_seed_comes_from_a_file_a_descriptor_or_the_environment),
      TEST(what_was_in_the_environment_is_gone_whatever_happens),
      TEST(what_is_no_seed_is_refused_and_not_shown), TEST(a_descriptor_that_was_read_is_closed),
      TEST(a_code_comes_from_a_descriptor_or_the_environment),
      TEST(without_a_way_to_ask_a_code_is_asked_for_in_a_sentence),
      TEST(behind_the_line_nothing_is_read), TEST(a_protected_process_leaves_no_core))
