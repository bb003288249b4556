/* SPDX-License-Identifier: MIT
 * sttkey as people and scripts use it. */
#include "stt/identity.h"
#include "stt/keyfile.h"
#include "tests/support/programs.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { USAGE = 2, DAMAGED = 5, LOCAL = 11, EXISTS = 13 };

#define SECRET_1                                                                                   \
    "sttkey1"                                                                                      \
    "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypstkos"
#define SEED_1 "sttseed1ibaueq2eivdeoscjjjfuytkoj5ifcustkrkvmv2ylfnfwxc5lzpvh2kk"
#define PEER_1 "stt1aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4opn7v"

static struct programs p;

static void begin(void)
{
    ck_assert(programs_begin(&p, NULL));
}

/* An identity that is known. */
static void put(const char *name, const char *text, mode_t mode)
{
    trees_write_text(name, text);
    ck_assert_int_eq(chmod(name, mode), 0);
}

/* Ends so, says this once on stderr, and nothing on stdout; and never a secret. */
static void refuses(struct job *j, int status, const char *says)
{
    job_require(j, status);
    ck_assert_uint_eq(j->out.bytes, 0);
    ck_assert_uint_gt(j->err.bytes, 0);
    ck_assert_msg(strstr(j->err.text, says) != NULL, "no \"%s\": %s", says, j->err.text);
    ck_assert_msg(strncmp(j->err.text, "sttkey: ", 8) == 0, "%s", j->err.text);
    ck_assert_ptr_eq(strchr(j->err.text, '\n'), j->err.text + j->err.len - 1);
    ck_assert_msg(!stt_text_is_secret(j->err.text), "%s", j->err.text);
}

static void mode_is(const char *path, mode_t mode)
{
    struct stat st;
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode, mode);
}

START_TEST(gen_makes_an_identity_that_pub_and_check_know)
{
    char path[400], why[STT_KEYFILE_WHY_ROOM], text[STT_PEER_ID_TEXT_ROOM + 1];
    struct stt_identity id;
    begin();
    struct job *j = programs_run(&p, "umask 0; sttkey gen");
    job_require(j, 0);
    snprintf(path, sizeof path, "%s/identity", p.config);
    mode_is(p.config, S_IFDIR | 0700);
    mode_is(path, S_IFREG | 0600);
    ck_assert_msg(stt_keyfile_load_identity(&id, path, why) == STT_OK, "%s", why);
    stt_peer_id_encode(&id.peer_id, text);
    strcat(text, "\n");
    ck_assert_str_eq(j->out.text, text);
    j = programs_run(&p, "sttkey pub");
    job_require(j, 0);
    ck_assert_str_eq(j->out.text, text);
    ck_assert_uint_eq(j->err.bytes, 0);
    j = programs_run(&p, "sttkey check");
    job_require(j, 0);
    ck_assert_ptr_nonnull(strstr(j->out.text, "an identity, and safe"));
    ck_assert_ptr_nonnull(strstr(j->out.text, text));
    programs_end(&p);
}
END_TEST

START_TEST(its_files_go_where_the_environment_says)
{
    begin();
    job_require(programs_run(&p,
                             "unset STT_CONFIG_DIR; sttkey gen && test -f ~/.config/stt/identity "
                             "&& XDG_CONFIG_HOME=$PWD/x sttkey gen && test -f x/stt/identity"),
                0);
    refuses(programs_run(&p, "unset STT_CONFIG_DIR HOME XDG_CONFIG_HOME; sttkey gen"), USAGE,
            "there is no home folder");
    programs_end(&p);
}
END_TEST

START_TEST(nothing_is_overwritten_case_69)
{
    begin();
    put("there", "before", 0600);
    put("key", SECRET_1 "\n", 0600);
    refuses(programs_run(&p, "sttkey gen -o there"), EXISTS, "there: exists already");
    refuses(programs_run(&p, "sttkey seed -o there"), EXISTS, "there: exists already");
    refuses(programs_run(&p, "sttkey ticket -I key -o there 192.0.2.1:4000"), EXISTS,
            "there: exists already");
    job_require(programs_run(&p, "test \"$(cat there)\" = before"), 0);
    job_require(programs_run(&p, "sttkey gen"), 0);
    refuses(programs_run(&p, "sttkey gen"), EXISTS, "exists already");
    programs_end(&p);
}
END_TEST

START_TEST(a_seed_goes_to_stdout_or_to_a_file_and_not_to_both)
{
    struct stt_seed one, two;
    char why[STT_KEYFILE_WHY_ROOM];
    begin();
    struct job *j = programs_run(&p, "sttkey seed");
    job_require(j, 0);
    ck_assert_uint_eq(j->err.bytes, 0);
    ck_assert_uint_gt(j->out.len, 1);
    j->out.text[j->out.len - 1] = '\0';
    ck_assert_int_eq(stt_seed_decode(&one, j->out.text), STT_OK);
    j = programs_run(&p, "umask 0; sttkey seed -o group");
    job_require(j, 0);
    ck_assert_uint_eq(j->out.bytes, 0);
    ck_assert(!stt_text_is_secret(j->err.text));
    mode_is("group", S_IFREG | 0600);
    ck_assert_msg(stt_keyfile_load_seed(&two, "group", why) == STT_OK, "%s", why);
    ck_assert_mem_ne(&one, &two, sizeof one);
    programs_end(&p);
}
END_TEST

START_TEST(a_secret_on_the_command_line_is_refused_case_68)
{
    static const char *const commands[] = {
        "sttkey " SEED_1,
        "sttkey pub " SECRET_1,
        "sttkey check sttsecret1aaaa",
        "sttkey ticket --seed-file=" SEED_1 " 192.0.2.1:4000",
        "sttkey gen -o" SECRET_1,
    };
    begin();
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        refuses(programs_run(&p, "%s", commands[i]), USAGE, "seen by everybody");
    ck_assert_uint_eq(trees_count("."), 0);
    programs_end(&p);
}
END_TEST

/* By each command that reads one, with its name. */
START_TEST(a_key_file_of_others_is_refused_and_named_case_67)
{
    static const char *const commands[] = {"pub %s", "check %s", "ticket -I %s 192.0.2.1:4000"};
    begin();
    put("open", SECRET_1 "\n", 0644);
    put("group", SECRET_1 "\n", 0640);
    put("foreign", SECRET_1 "\n", 0600);
    put("good", SECRET_1 "\n", 0600);
    ck_assert_int_eq(symlink("good", "link"), 0);
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    bool is_foreign = chown("foreign", 12345, (gid_t)-1) == 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char command[128];
        static const char *const cases[][2] = {
            {"open", "open: open to others (mode 0644); run chmod 600"},
            {"group", "group: open to others"},
            {"link", "link: is a symbolic link"},
            {"pipe", "pipe: is not a regular file"},
            {"missing", "missing: there is no such file"},
            {"foreign", "foreign: belongs to user 12345"},
        };
        for (size_t k = 0; k < sizeof cases / sizeof cases[0] - !is_foreign; k++) {
            snprintf(command, sizeof command, commands[i], cases[k][0]);
            refuses(programs_run(&p, "sttkey %s", command), LOCAL, cases[k][1]);
        }
        snprintf(command, sizeof command, commands[i], "good");
        job_require(programs_run(&p, "sttkey %s", command), 0);
    }
    programs_end(&p);
}
END_TEST

START_TEST(check_tells_what_is_in_a_file_and_never_shows_it)
{
    begin();
    put("seed", "# ours\n" SEED_1 "\n", 0600);
    put("peer", PEER_1 "\n", 0600);
    put("damaged", "sttseed1ibaueq\n", 0600);
    put("other", "hello\n", 0600);
    put("empty", "", 0600);
    struct job *j = programs_run(&p, "sttkey check seed");
    job_require(j, 0);
    ck_assert_str_eq(j->out.text, "a seed, and safe\n");
    j = programs_run(&p, "sttkey check peer");
    job_require(j, 0);
    ck_assert_str_eq(j->out.text, "a peer id, which is public; peer id: " PEER_1 "\n");
    refuses(programs_run(&p, "sttkey check damaged"), DAMAGED, "damaged: holds no key");
    refuses(programs_run(&p, "sttkey check other"), DAMAGED, "other: holds no key");
    refuses(programs_run(&p, "sttkey check empty"), DAMAGED, "empty: holds no key");
    refuses(programs_run(&p, "sttkey pub seed"), DAMAGED, "holds a seed where an identity");
    refuses(programs_run(&p, "sttkey check"), LOCAL, "sttkey gen makes one");
    programs_end(&p);
}
END_TEST

static struct stt_ticket ticket_in(char *text, bool has_seed)
{
    struct stt_ticket t;
    text[strcspn(text, "\n")] = '\0';
    ck_assert_int_eq(has_seed ? stt_ticket_decode_secret(&t, text) : stt_ticket_decode(&t, text),
                     STT_OK);
    return t;
}

START_TEST(a_ticket_holds_the_peer_id_and_the_addresses_in_their_order)
{
    char text[STT_PEER_ID_TEXT_ROOM];
    begin();
    put("key", SECRET_1 "\n", 0600);
    struct job *j =
        programs_run(&p, "sttkey ticket --identity key 192.0.2.1:4000 '[2001:db8::1]:65535'");
    job_require(j, 0);
    ck_assert_uint_eq(j->err.bytes, 0);
    struct stt_ticket t = ticket_in(j->out.text, false);
    stt_peer_id_encode(&t.peer_id, text);
    ck_assert_str_eq(text, PEER_1);
    ck_assert_uint_eq(t.addresses_len, 2);
    ck_assert_uint_eq(t.addresses[0].family, 4);
    ck_assert_mem_eq(t.addresses[0].bytes, ((uint8_t[]){192, 0, 2, 1, 0, 0}), 6);
    ck_assert_uint_eq(t.addresses[0].port, 4000);
    ck_assert_uint_eq(t.addresses[1].family, 6);
    ck_assert_mem_eq(t.addresses[1].bytes, ((uint8_t[]){0x20, 0x01, 0x0d, 0xb8}), 4);
    ck_assert_uint_eq(t.addresses[1].bytes[15], 1);
    ck_assert_uint_eq(t.addresses[1].port, 65535);
    programs_end(&p);
}
END_TEST

START_TEST(a_ticket_with_a_seed_is_kept_from_eyes)
{
    struct stt_seed seed;
    char *text;
    size_t len;
    begin();
    put("key", SECRET_1 "\n", 0600);
    put("seed", SEED_1 "\n", 0600);
    ck_assert_int_eq(stt_seed_decode(&seed, SEED_1), STT_OK);
    refuses(programs_run(&p, "sttkey ticket -I key --seed-file seed 192.0.2.1:1"), USAGE,
            "is a secret");
    refuses(programs_run(&p, "STT_SEED=$(cat seed) sttkey ticket -I key 192.0.2.1:1"), USAGE,
            "is a secret");
    struct job *j = programs_run(&p, "sttkey ticket -f -I key --seed-fd 3 192.0.2.1:1 3<seed");
    job_require(j, 0);
    struct stt_ticket t = ticket_in(j->out.text, true);
    ck_assert_mem_eq(&t.seed, &seed, sizeof seed);
    j = programs_run(&p, "umask 0; sttkey ticket -I key --seed-file seed -o out 192.0.2.1:1");
    job_require(j, 0);
    ck_assert_uint_eq(j->out.bytes, 0);
    mode_is("out", S_IFREG | 0600);
    text = trees_read("out", &len);
    t = ticket_in(text, true);
    ck_assert_mem_eq(&t.seed, &seed, sizeof seed);
    free(text);
    refuses(programs_run(&p, "sttkey ticket -I key --seed-file key 192.0.2.1:1"), LOCAL,
            "holds an identity where a seed");
    programs_end(&p);
}
END_TEST

START_TEST(what_is_no_place_to_find_somebody_is_no_part_of_a_ticket)
{
    static const char *const addresses[] = {
        "4000",     "host:4000", "192.0.2.1", "192.0.2.1:0",     "0.0.0.0:1",
        "'[::]:1'", "''",        "'::1:1'",   "192.0.2.1:65536", "192.0.2:1"};
    begin();
    put("key", SECRET_1 "\n", 0600);
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        refuses(programs_run(&p, "sttkey ticket -I key %s", addresses[i]), USAGE,
                "is no address with a port");
    refuses(programs_run(&p, "sttkey ticket -I key '[fe80::1%%1]:1'"), USAGE, "this network only");
    refuses(programs_run(&p, "sttkey ticket -I key"), USAGE, "1 to 8 addresses");
    refuses(programs_run(&p, "sttkey ticket -I key $(seq -f 192.0.2.%%g:1 9)"), USAGE,
            "1 to 8 addresses");
    programs_end(&p);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused_in_one_sentence)
{
    begin();
    refuses(programs_run(&p, "sttkey"), USAGE, "which command?");
    refuses(programs_run(&p, "sttkey nothing"), USAGE, "no command nothing");
    refuses(programs_run(&p, "sttkey gen file"), USAGE, "gen takes no words");
    refuses(programs_run(&p, "sttkey pub a b"), USAGE, "pub takes one file at most");
    refuses(programs_run(&p, "sttkey pub -o a"), USAGE, "pub has no option --output");
    refuses(programs_run(&p, "sttkey gen --nothing"), USAGE, "no option --nothing");
    refuses(programs_run(&p, "sttkey gen -o"), USAGE, "-o wants");
    ck_assert_uint_eq(trees_count("."), 0);
    programs_end(&p);
}
END_TEST

START_TEST(help_and_version_are_data)
{
    begin();
    struct job *j = programs_run(&p, "sttkey -h");
    job_require(j, 0);
    ck_assert_ptr_nonnull(strstr(j->out.text, "ticket ADDRESS:PORT"));
    ck_assert_uint_eq(j->err.bytes, 0);
    j = programs_run(&p, "sttkey --version");
    job_require(j, 0);
    ck_assert(strncmp(j->out.text, "sttkey ", 7) == 0);
    programs_end(&p);
}
END_TEST

START_TEST(what_cannot_be_written_is_said)
{
    begin();
    put("key", SECRET_1 "\n", 0600);
    refuses(programs_run(&p, "sttkey pub key >/dev/full"), LOCAL, "takes nothing");
    refuses(programs_run(&p, "sttkey seed >/dev/full"), LOCAL, "takes nothing");
    refuses(programs_run(&p, "sttkey seed -o no/such/folder"), LOCAL, "no/such/folder");
    refuses(programs_run(&p, "sttkey ticket -I key -o no/such/folder 192.0.2.1:1"), LOCAL,
            "no/such/folder");
    programs_end(&p);
}
END_TEST

SUITE("sttkey", TEST(gen_makes_an_identity_that_pub_and_check_know),
      TEST(its_files_go_where_the_environment_says), TEST(nothing_is_overwritten_case_69),
      TEST(a_seed_goes_to_stdout_or_to_a_file_and_not_to_both),
      TEST(a_secret_on_the_command_line_is_refused_case_68),
      TEST(a_key_file_of_others_is_refused_and_named_case_67),
      TEST(check_tells_what_is_in_a_file_and_never_shows_it),
      TEST(a_ticket_holds_the_peer_id_and_the_addresses_in_their_order),
      TEST(a_ticket_with_a_seed_is_kept_from_eyes),
      TEST(what_is_no_place_to_find_somebody_is_no_part_of_a_ticket),
      TEST(what_makes_no_sense_is_refused_in_one_sentence), TEST(help_and_version_are_data),
      TEST(what_cannot_be_written_is_said))
