/* SPDX-License-Identifier: MIT */
#include "tools/common/allow.h"

#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEER_1 "stt1aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4opn7v"
#define SEED_1 "sttseed1ibaueq2eivdeoscjjjfuytkoj5ifcustkrkvmv2ylfnfwxc5lzpvh2kk"

static char folder[64], path[256], why[OPTION_WHY_ROOM];
static struct stt_peer_id seen[8];
static int n_seen, answer;

static int each(void *ctx, const struct stt_peer_id *id)
{
    ck_assert_ptr_eq(ctx, seen);
    ck_assert_int_lt(n_seen, 8);
    seen[n_seen++] = *id;
    return answer;
}

static void init(void)
{
    strcpy(folder, "/tmp/stt-test-allow-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/allowed", folder);
    n_seen = answer = 0;
    why[0] = '\0';
}

static void fini(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put(const char *content)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(content, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, 0644), 0);
}

static void text_of(char out[STT_PEER_ID_TEXT_ROOM], uint8_t number)
{
    uint8_t secret[32] = {number};
    struct stt_identity id;
    stt_identity_init(&id, secret);
    stt_peer_id_encode(&id.peer_id, out);
}

static void check_refused(const char *says)
{
    ck_assert(!allow_read(path, each, seen, why));
    ck_assert_msg(strncmp(why, path, strlen(path)) == 0, "no name: %s", why);
    ck_assert_msg(strstr(why, says) != NULL, "no \"%s\": %s", says, why);
    ck_assert(!stt_text_is_secret(why));
}

START_TEST(each_id_is_handed_over_and_comments_are_not)
{
    char one[STT_PEER_ID_TEXT_ROOM], two[STT_PEER_ID_TEXT_ROOM], content[512], back[61];
    init();
    text_of(one, 1);
    text_of(two, 2);
    snprintf(content, sizeof content, "# both\n\n%s # a laptop\n \t \n  %s\t\n#%s", one, two, one);
    put(content);
    ck_assert_msg(allow_read(path, each, seen, why), "%s", why);
    ck_assert_int_eq(n_seen, 2);
    stt_peer_id_encode(&seen[0], back);
    ck_assert_str_eq(back, one);
    stt_peer_id_encode(&seen[1], back);
    ck_assert_str_eq(back, two);
    fini();
}
END_TEST

START_TEST(the_last_line_needs_no_end)
{
    init();
    put(PEER_1);
    ck_assert_msg(allow_read(path, each, seen, why), "%s", why);
    ck_assert_int_eq(n_seen, 1);
    fini();
}
END_TEST

/* With the file and the number of the line, and without a secret. */
START_TEST(what_is_no_peer_id_is_named_by_its_line)
{
    init();
    put("#\n" PEER_1 "\nstt1aoqq\n");
    check_refused(", line 3: is no peer id");
    put(PEER_1 " " PEER_1 "\n");
    check_refused(", line 1: is no peer id");
    put("\n" PEER_1 "\r\n");
    check_refused(", line 2: is no peer id");
    put(PEER_1 "\n" SEED_1 "\n");
    check_refused(", line 2: holds a secret");
    fini();
}
END_TEST

START_TEST(an_error_of_the_endpoint_names_the_line)
{
    init();
    put("#\n" PEER_1 "\n");
    answer = STT_E_MEMORY;
    check_refused(", line 2: out of memory");
    fini();
}
END_TEST

/* It would be taken for no list at all. */
START_TEST(a_list_with_nobody_in_it_is_refused)
{
    init();
    put("# nobody\n\n");
    check_refused("allows nobody");
    put("");
    check_refused("allows nobody");
    fini();
}
END_TEST

START_TEST(what_others_may_write_to_is_refused)
{
    const mode_t modes[] = {0664, 0646, 0666, 0602, 0620};
    init();
    put(PEER_1 "\n");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        ck_assert_int_eq(chmod(path, modes[i]), 0);
        check_refused("others may write to it");
    }
    ck_assert_int_eq(chmod(path, 0444), 0);
    ck_assert_msg(allow_read(path, each, seen, why), "%s", why);
    fini();
}
END_TEST

START_TEST(what_is_no_text_file_is_refused_without_waiting)
{
    init();
    check_refused("there is no such file");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    check_refused("is not a regular file");
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    check_refused("is not a regular file");
    rmdir(path);
    FILE *f = fopen(path, "wb");
    fwrite(PEER_1 "\n\0\n", 1, sizeof PEER_1 + 2, f);
    fclose(f);
    check_refused("is not a text");
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq(truncate(path, (1 << 20) + 1), 0);
    check_refused("is larger than");
    fini();
}
END_TEST

START_TEST(a_file_of_a_foreign_owner_is_refused)
{
    init();
    put(PEER_1 "\n");
    if (chown(path, 12345, (gid_t)-1) == 0)
        check_refused("belongs to user 12345");
    fini();
}
END_TEST

/* As a secret is handed out that is mounted; what it leads to is judged. */
START_TEST(a_link_is_followed_and_its_end_judged)
{
    char target[300];
    init();
    put(PEER_1 "\n");
    snprintf(target, sizeof target, "%s/target", folder);
    ck_assert_int_eq(rename(path, target), 0);
    ck_assert_int_eq(symlink("target", path), 0);
    ck_assert_msg(allow_read(path, each, seen, why), "%s", why);
    ck_assert_int_eq(chmod(target, 0666), 0);
    check_refused("others may write to it");
    unlink(target);
    fini();
}
END_TEST

SUITE("allow", TEST(each_id_is_handed_over_and_comments_are_not), TEST(the_last_line_needs_no_end),
      TEST(what_is_no_peer_id_is_named_by_its_line), TEST(an_error_of_the_endpoint_names_the_line),
      TEST(a_list_with_nobody_in_it_is_refused), TEST(what_others_may_write_to_is_refused),
      TEST(what_is_no_text_file_is_refused_without_waiting),
      TEST(a_file_of_a_foreign_owner_is_refused), TEST(a_link_is_followed_and_its_end_judged))
