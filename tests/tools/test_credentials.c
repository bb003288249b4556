/* SPDX-License-Identifier: MIT
 * Who is let in, and who is believed: the three modes, codes and guesses at them, known peers,
 * lists, and where secrets may come from. CASE 67 and 68. Spec 03, "Modes". */
#include "stt/keyfile.h"
#include "tests/support/programs.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Statuses: tools/common/exits.h. */
enum { DONE = 0, USAGE = 2, NO_ANSWER = 3, PROVEN_WRONG = 5, LOCAL_IO = 11, PARTIAL = 23 };
enum { IOS = PROGRAMS_IOS, CODE_ROOM = 32 };
/* Long enough for who is there, and who is not is given up soon. */
#define SOON " -w 200ms "

static struct programs p;
static uint16_t port;

/* Keys a, b and c, and the seeds `seed` and `other`. */
static bool begin(const char *io)
{
    if (!programs_begin_in_memory(&p, io))
        return false;
    port = programs_port();
    job_require(programs_run(&p, "for i in a b c; do sttkey gen -o $i; done; "
                                 "sttkey seed -o seed; sttkey seed -o other"),
                DONE);
    return true;
}

/* The peer id of this key, good until the next call. */
static const char *id_of(const char *key)
{
    static char text[STT_PEER_ID_TEXT_ROOM];
    struct job *j = programs_run(&p, "sttkey pub %s", key);
    job_require(j, DONE);
    snprintf(text, sizeof text, "%s", j->out.text);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* In front of `sttcat`, and behind it. */
static struct job *listener(const char *before, const char *words)
{
    struct job *j = programs_start(&p, "%s exec sttcat -l 127.0.0.1 %u %s", before, port, words);
    job_line(j, "listening on");
    return j;
}

static struct job *client(const char *before, const char *words)
{
    return programs_run(&p, "echo hello | { %s sttcat %s 127.0.0.1 %u; }", before, words, port);
}

static void is_let_in(const char *before, const char *words)
{
    job_require(client(before, words), DONE);
}

/* Silence, and no word about why. */
static void is_not_answered(const char *before, const char *words)
{
    char all[400];
    snprintf(all, sizeof all, SOON "%s", words);
    struct job *j = client(before, all);
    job_require(j, NO_ANSWER);
    ck_assert_ptr_nonnull(strstr(j->err.text, "no answer from 127.0.0.1:"));
    ck_assert(j->took_ns >= STT_MS(200));
    ck_assert_uint_eq(j->out.bytes, 0);
}

static void stop(struct job *j)
{
    job_signal(j, SIGINT);
    job_require(j, 128 + SIGINT);
}

/* -- mode K -------------------------------------------------------------------------------------
 */

START_TEST(who_knows_the_peer_id_is_answered_and_nobody_else)
{
    char right[128], wrong[128];
    if (!begin(programs_ios[_i]))
        return;
    snprintf(right, sizeof right, "--peer %s", id_of("a"));
    snprintf(wrong, sizeof wrong, "--peer %s", id_of("b"));
    struct job *l = listener("", "-I a");
    is_not_answered("", wrong);
    is_not_answered("", "--seed-file seed");
    is_not_answered("STT_CODE=some-passphrase", "");
    is_let_in("", right);
    job_require(l, DONE);
    ck_assert_str_eq(l->out.text, "hello\n");
    l = listener("", "-I b"); /* at the same place, somebody else */
    is_not_answered("", right);
    is_let_in("", wrong);
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(an_identity_and_a_seed_beside_it_want_both)
{
    char words[200];
    ck_assert(begin(NULL));
    struct job *l = listener("", "-v -I a --seed-file seed");
    snprintf(words, sizeof words, "--peer %s", id_of("a"));
    is_not_answered("", words);
    snprintf(words, sizeof words, "--peer %s --seed-file other", id_of("a"));
    is_not_answered("", words);
    snprintf(words, sizeof words, "--peer %s --seed-file seed", id_of("a"));
    is_let_in("", words);
    job_line(l, "mode K");
    job_require(l, DONE);
    l = listener("", "-v -I a --seed-file seed");
    is_let_in("", "--seed-file seed"); /* of the group, who does not know whom */
    job_line(l, "mode S");
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

/* -- mode S -------------------------------------------------------------------------------------
 */

/* By a file, the environment, and a descriptor; at either side. */
static const char *const ways_of_seeds[][2] = {
    {"", "--seed-file %s"},
    {"STT_SEED=$(cat %s)", ""},
    {"", "--seed-fd 3 3<%s"},
};
enum { WAYS_OF_SEEDS = sizeof ways_of_seeds / sizeof *ways_of_seeds };

static void by_way(char out[2][100], size_t way, const char *seed)
{
    for (size_t i = 0; i < 2; i++) {
        const char *text = ways_of_seeds[way][i], *at = strstr(text, "%s");
        snprintf(out[i], 100, "%.*s%s", at ? (int)(at - text) : (int)strlen(text), text,
                 at ? seed : "");
        if (at)
            strcat(out[i], at + 2);
    }
}

START_TEST(a_seed_comes_by_file_environment_or_descriptor)
{
    char here[2][100], there[2][100];
    ck_assert(begin(NULL));
    by_way(here, (size_t)_i, "seed");
    struct job *l = listener(here[0], here[1]);
    for (size_t way = 0; way < WAYS_OF_SEEDS; way++) {
        by_way(there, way, "other");
        is_not_answered(there[0], there[1]);
    }
    stop(l);
    for (size_t way = 0; way < WAYS_OF_SEEDS; way++) {
        l = listener(here[0], here[1]);
        by_way(there, way, "seed");
        is_let_in(there[0], there[1]);
        job_require(l, DONE);
        ck_assert_str_eq(l->out.text, "hello\n");
    }
    programs_end(&p);
}
END_TEST

START_TEST(what_is_no_seed_is_refused_where_it_comes_from)
{
    static const struct {
        const char *before, *words, *says;
        int status;
    } cases[] = {
        {"STT_SEED=hello", "", "what STT_SEED gives is no seed", LOCAL_IO},
        {"STT_SEED=sttseed1ibaueq", "", "the seed from STT_SEED is damaged", LOCAL_IO},
        {"", "--seed-fd 3 3</dev/null", "descriptor 3 of --seed-fd gives an empty line", LOCAL_IO},
        {"", "--seed-fd 9", "descriptor 9 of --seed-fd cannot be read", LOCAL_IO},
        {"", "--seed-file seed --seed-fd 3 3<seed", "do not go together", USAGE},
        {"STT_CODE=some-passphrase", "--seed-file seed", "a seed and a code", USAGE},
    };
    ck_assert(begin(NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job *j = client(cases[i].before, cases[i].words);
        job_require(j, cases[i].status);
        ck_assert_msg(strstr(j->err.text, cases[i].says) != NULL, "%s", j->err.text);
    }
    programs_end(&p);
}
END_TEST

/* -- mode W: codes that were drawn --------------------------------------------------------------
 */

/* What this listener has drawn last. */
static void read_code(struct job *l, char code[CODE_ROOM])
{
    const char *line = job_line(l, "good once: ");
    snprintf(code, CODE_ROOM, "%s", strstr(line, "once: ") + 6);
    ck_assert_uint_gt(strlen(code), 10);
}

/* The same slot, and another secret. */
static void make_wrong(char code[CODE_ROOM])
{
    char *last = code + strlen(code) - 1;
    *last = *last == 'a' ? 'b' : 'a';
}

static struct job *client_with_code(const char *code, const char *words)
{
    char before[100];
    snprintf(before, sizeof before, "STT_CODE=%s", code);
    return client(before, words);
}

static void is_wrong(const char *code)
{
    struct job *j = client_with_code(code, "");
    job_require(j, PROVEN_WRONG);
    ck_assert_msg(strstr(j->err.text, "says that the code is wrong") != NULL, "%s", j->err.text);
}

START_TEST(a_code_opens_once_and_the_next_one_is_another)
{
    char first[CODE_ROOM], second[CODE_ROOM];
    if (!begin(programs_ios[_i]))
        return;
    struct job *l = listener("", "-k -N");
    read_code(l, first);
    job_require(client_with_code(first, ""), DONE);
    read_code(l, second);
    ck_assert_str_ne(first, second);
    struct job *j = client_with_code(first, SOON);
    job_require(j, NO_ANSWER);
    ck_assert_msg(strstr(j->err.text, "code") != NULL, "%s", j->err.text);
    job_require(programs_run(&p, "echo again | sttcat --code-fd 3 127.0.0.1 %u 3<<-end\n%s\nend\n",
                             port, second),
                DONE);
    read_code(l, first);
    stop(l);
    ck_assert_str_eq(l->out.text, "hello\nagain\n");
    programs_end(&p);
}
END_TEST

START_TEST(a_code_is_typed_and_not_shown)
{
    char code[CODE_ROOM];
    ck_assert(begin(NULL));
    trees_write_text("in", "from a file\n");
    struct job *l = listener("", "-N");
    read_code(l, code);
    struct job *c = programs_start_on_terminal(&p, "exec sttcat 127.0.0.1 %u <in >out", port);
    job_shows(c, "code: ");
    ck_assert(!job_echoes(c));
    ck_assert(job_type(c, code) && job_type(c, "\n"));
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_ptr_null(strstr(c->out.text, code));
    ck_assert_str_eq(l->out.text, "from a file\n");
    ck_assert_uint_eq(trees_bytes("out"), 0);
    programs_end(&p);
}
END_TEST

/* The terminal is left as it was. */
START_TEST(who_does_not_know_the_code_may_leave_the_question)
{
    ck_assert(begin(NULL));
    struct job *c =
        programs_start_on_terminal(&p, "sttcat 127.0.0.1 %u; echo status $?; read x", port);
    job_shows(c, "code: ");
    ck_assert(job_type(c, "\n"));
    job_shows(c, "status 2");
    ck_assert(job_echoes(c));
    ck_assert(job_type(c, "\n"));
    job_require(c, DONE);
    c = programs_start_on_terminal(&p, "exec sttcat 127.0.0.1 %u", port);
    job_shows(c, "code: ");
    ck_assert(job_type(c, "\x03"));
    job_require(c, 128 + SIGINT);
    c = client("", ""); /* nobody to be asked */
    job_require(c, USAGE);
    ck_assert_ptr_nonnull(strstr(c->err.text, "there is no terminal to ask for the code"));
    programs_end(&p);
}
END_TEST

/* Two guesses, and then the right one. */
START_TEST(a_wrong_code_is_proven_and_the_listener_goes_on)
{
    char code[CODE_ROOM], wrong[CODE_ROOM];
    if (!begin(programs_ios[_i]))
        return;
    struct job *l = listener("", "");
    read_code(l, code);
    strcpy(wrong, code);
    make_wrong(wrong);
    for (unsigned i = 0; i < 2; i++) {
        is_wrong(wrong);
        job_line(l, "somebody tried a wrong code");
    }
    job_require(client_with_code(code, ""), DONE);
    job_require(l, DONE);
    ck_assert_str_eq(l->out.text, "hello\n");
    programs_end(&p);
}
END_TEST

START_TEST(after_three_guesses_the_listener_gives_up)
{
    char code[CODE_ROOM];
    if (!begin(programs_ios[_i]))
        return;
    struct job *l = listener("", "");
    read_code(l, code);
    make_wrong(code);
    for (unsigned i = 0; i < 3; i++)
        is_wrong(code);
    job_require(l, PROVEN_WRONG);
    ck_assert_ptr_nonnull(strstr(l->err.text, "three wrong guesses"));
    ck_assert_uint_eq(l->out.bytes, 0);
    programs_end(&p);
}
END_TEST

START_TEST(one_that_stays_draws_another_code_instead)
{
    char code[CODE_ROOM], wrong[CODE_ROOM];
    ck_assert(begin(NULL));
    struct job *l = listener("", "-k -N");
    read_code(l, code);
    strcpy(wrong, code);
    make_wrong(wrong);
    for (unsigned i = 0; i < 3; i++)
        is_wrong(wrong);
    job_require(client_with_code(code, SOON), NO_ANSWER);
    read_code(l, code);
    job_require(client_with_code(code, ""), DONE);
    stop(l);
    ck_assert_str_eq(l->out.text, "hello\n");
    programs_end(&p);
}
END_TEST

/* A look uses the code up, and who listens is not left without one. */
START_TEST(who_only_looked_has_used_the_code_up)
{
    char code[CODE_ROOM];
    ck_assert(begin(NULL));
    struct job *l = listener("", "");
    read_code(l, code);
    struct job *c = client_with_code(code, "-z");
    job_require(c, DONE);
    ck_assert_ptr_nonnull(strstr(c->err.text, "answers, peer stt1"));
    job_require(client_with_code(code, SOON), NO_ANSWER);
    read_code(l, code);
    job_require(client_with_code(code, ""), DONE);
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

/* -- mode W: passphrases ------------------------------------------------------------------------
 */

START_TEST(a_passphrase_opens_as_often_as_it_is_said)
{
    if (!begin(programs_ios[_i]))
        return;
    trees_write_text("phrase", "correct horse battery\n");
    struct job *l = listener("", "-k -N --code-fd 3 3<phrase");
    is_let_in("STT_CODE='correct horse battery'", "");
    is_let_in("", "--code-fd 3 3<phrase");
    is_wrong("wrong-horse-battery");
    job_line(l, "somebody tried a wrong code");
    is_let_in("", "--code-fd 3 3<phrase");
    for (unsigned i = 0; i < 3; i++) /* then only one attempt is admitted in five minutes */
        (void)client_with_code("wrong-horse-battery", SOON);
    ck_assert(!job_ends_within(l, 0));
    stop(l);
    ck_assert_str_eq(l->out.text, "hello\nhello\nhello\n");
    programs_end(&p);
}
END_TEST

START_TEST(a_passphrase_is_asked_for_at_both_terminals)
{
    ck_assert(begin(NULL));
    struct job *l = programs_start_on_terminal(&p, "exec sttcat -l --code 127.0.0.1 %u", port);
    job_shows(l, "passphrase (8 characters or more): ");
    ck_assert(!job_echoes(l));
    ck_assert(job_type(l, "what nobody guesses\n"));
    job_shows(l, "listening on");
    job_shows(l, "sttcat --code 127.0.0.1");
    ck_assert(job_echoes(l));
    struct job *c =
        programs_start_on_terminal(&p, "exec sttcat --code 127.0.0.1 %u </dev/null", port);
    job_shows(c, "code: ");
    ck_assert(job_type(c, "what nobody guesses\n"));
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_ptr_null(strstr(l->out.text, "nobody"));
    ck_assert_ptr_null(strstr(c->out.text, "nobody"));
    programs_end(&p);
}
END_TEST

START_TEST(a_short_passphrase_is_refused)
{
    ck_assert(begin(NULL));
    struct job *l = programs_run(&p, "STT_CODE=seven77 sttcat -l 127.0.0.1 %u", port);
    job_require(l, USAGE);
    ck_assert_ptr_nonnull(strstr(l->err.text, "a passphrase has 8 to 256 bytes"));
    programs_end(&p);
}
END_TEST

/* -- known peers --------------------------------------------------------------------------------
 */

static bool is_remembered(const char *key)
{
    char path[400], line[200];
    size_t len;
    snprintf(path, sizeof path, "%s/known_peers", p.config);
    if (!trees_exists(path))
        return false;
    snprintf(line, sizeof line, "127.0.0.1:%u %s\n", port, id_of(key));
    char *text = trees_read(path, &len);
    bool is_there = strstr(text, line) != NULL;
    free(text);
    return is_there;
}

/* Somebody else than before: nothing is given to them, and they have nothing to say about it. */
static void is_not_believed(struct job *l, const char *before, const char *words)
{
    char advice[100];
    trees_write_text("in", "secret\n");
    struct job *c = programs_run(&p, "%s sttcat %s 127.0.0.1 %u <in", before, words, port);
    job_require(c, PROVEN_WRONG);
    snprintf(advice, sizeof advice, "run sttcat --forget '127.0.0.1:%u'", port);
    ck_assert_msg(strstr(c->err.text, advice) != NULL, "%s", c->err.text);
    ck_assert_msg(strstr(c->err.text, "somebody else answers: it was stt1") != NULL, "%s",
                  c->err.text);
    ck_assert(!job_ends_within(l, 0));
    ck_assert_uint_eq(l->out.bytes, 0);
}

START_TEST(a_listener_with_an_identity_is_remembered_and_another_one_is_not_taken_for_it)
{
    if (!begin(programs_ios[_i]))
        return;
    struct job *l = listener("", "-I a --seed-file seed"), *c;
    ck_assert(!is_remembered("a"));
    job_require(c = client("", "-v --seed-file seed"), DONE);
    job_line(c, "is remembered");
    job_require(l, DONE);
    ck_assert(is_remembered("a"));
    l = listener("", "-I a");
    is_let_in("", ""); /* with nothing at all */
    job_require(l, DONE);
    l = listener("", "-I a --seed-file seed");
    is_let_in("", "--seed-file seed");
    job_require(l, DONE);

    l = listener("", "-I b");
    is_not_answered("", "");
    stop(l);
    l = listener("", "-I b --seed-file seed");
    is_not_believed(l, "", "--seed-file seed");
    ck_assert(is_remembered("a"));
    job_require(programs_run(&p, "sttcat --forget 127.0.0.1:%u", port), DONE);
    ck_assert(!is_remembered("a"));
    is_let_in("", "--seed-file seed");
    job_require(l, DONE);
    ck_assert_str_eq(l->out.text, "hello\n");
    ck_assert(is_remembered("b"));
    programs_end(&p);
}
END_TEST

START_TEST(so_is_one_that_was_reached_by_a_passphrase_or_a_code)
{
    char code[CODE_ROOM], before[100];
    ck_assert(begin(NULL));
    struct job *l = listener("STT_CODE=a-passphrase", "-I a");
    is_let_in("STT_CODE=a-passphrase", "");
    job_require(l, DONE);
    ck_assert(is_remembered("a"));
    l = listener("STT_CODE=a-passphrase", "-I b");
    is_not_believed(l, "STT_CODE=a-passphrase", "");
    stop(l);
    job_require(programs_run(&p, "sttcat --forget 127.0.0.1:%u", port), DONE);

    /* The identity of its user; with it alone a code is drawn. */
    job_require(programs_run(&p, "mkdir -m 700 there; cp b there/identity"), DONE);
    l = listener("STT_CONFIG_DIR=there", "");
    read_code(l, code);
    snprintf(before, sizeof before, "STT_CODE=%s", code);
    is_let_in(before, "");
    job_require(l, DONE);
    ck_assert(is_remembered("b"));
    l = listener("STT_CONFIG_DIR=there", "-I there/identity");
    is_let_in("", "");
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(a_known_peer_that_has_drawn_a_code_is_asked_for_it)
{
    char code[CODE_ROOM], before[100];
    ck_assert(begin(NULL));
    trees_write_text("in", "once more\n");
    job_require(programs_run(&p, "mkdir -m 700 there; cp b there/identity"), DONE);
    struct job *l = listener("STT_CONFIG_DIR=there", "");
    read_code(l, code);
    snprintf(before, sizeof before, "STT_CODE=%s", code);
    is_let_in(before, "");
    job_require(l, DONE);
    l = listener("STT_CONFIG_DIR=there", "-N");
    read_code(l, code);
    struct job *c = programs_start_on_terminal(&p, "exec sttcat -w 1s 127.0.0.1 %u <in >out", port);
    job_shows(c, "does not answer without a code");
    ck_assert(job_type(c, code) && job_type(c, "\n"));
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_str_eq(l->out.text, "once more\n");
    programs_end(&p);
}
END_TEST

START_TEST(a_listener_without_an_identity_is_not_remembered)
{
    char path[400];
    ck_assert(begin(NULL));
    for (unsigned i = 0; i < 2; i++) { /* the second one has another identity */
        struct job *l = listener("", "--seed-file seed");
        is_let_in("", "--seed-file seed");
        job_require(l, DONE);
    }
    snprintf(path, sizeof path, "%s/known_peers", p.config);
    ck_assert(!trees_exists(path));
    struct job *j = programs_run(&p, "sttcat --forget 127.0.0.1:%u", port);
    job_require(j, LOCAL_IO);
    ck_assert_ptr_nonnull(strstr(j->err.text, "nobody is known as"));
    programs_end(&p);
}
END_TEST

START_TEST(a_damaged_list_of_known_peers_is_named_and_lets_nobody_be_taken_for_another)
{
    char path[400];
    ck_assert(begin(NULL));
    snprintf(path, sizeof path, "%s/known_peers", p.config);
    ck_assert_int_eq(mkdir(p.config, 0700), 0);
    trees_write_text(path, "127.0.0.1:4433 stt1damaged\n");
    struct job *j = client("", SOON "--seed-file seed");
    job_require(j, LOCAL_IO);
    ck_assert_msg(strstr(j->err.text, "known_peers, line 1: ") != NULL, "%s", j->err.text);
    programs_end(&p);
}
END_TEST

/* -- lists of who is answered -------------------------------------------------------------------
 */

START_TEST(who_is_not_listed_is_not_answered)
{
    char words[300], as[3][200];
    if (!begin(programs_ios[_i]))
        return;
    job_require(programs_run(&p, "sttkey gen -o d"), DONE);
    for (size_t i = 0; i < 3; i++)
        snprintf(as[i], sizeof as[i], "-I %c --peer %s", "dbc"[i], id_of("a"));
    job_require(programs_run(&p, "{ echo '# who may'; sttkey pub b; sttkey pub c; } >list"), DONE);
    size_t len = (size_t)snprintf(words, sizeof words, "-k -N -I a --allow %s", id_of("b"));
    struct job *l = listener("", words);
    is_let_in("", as[1]);
    is_not_answered("", as[2]);
    is_not_answered("", as[0] + 5); /* as somebody nobody knows */
    stop(l);
    snprintf(words + len, sizeof words - len, " --allow %s", id_of("c"));
    static const char *const lists[] = {NULL, "-k -N -I a --allow-file list"};
    for (size_t i = 0; i < 2; i++) {
        l = listener("", i ? lists[i] : words);
        is_let_in("", as[1]);
        is_let_in("", as[2]);
        is_not_answered("", as[0]);
        stop(l);
        ck_assert_str_eq(l->out.text, "hello\nhello\n");
    }
    programs_end(&p);
}
END_TEST

START_TEST(a_list_that_cannot_be_used_lets_nobody_in)
{
    ck_assert(begin(NULL));
    trees_write_text("list", "stt1nobody\n");
    struct job *j = programs_run(&p, "sttcat -l -I a --allow-file list 127.0.0.1 %u", port);
    job_require(j, LOCAL_IO);
    ck_assert_msg(strstr(j->err.text, "list, line 1") != NULL, "%s", j->err.text);
    job_require(programs_run(&p, "sttcat -l -I a --allow-file none 127.0.0.1 %u", port), LOCAL_IO);
    j = programs_run(&p, "sttcat -l -I a --allow stt1nobody 127.0.0.1 %u", port);
    job_require(j, USAGE);
    ck_assert_ptr_nonnull(strstr(j->err.text, "--allow wants a peer id"));
    programs_end(&p);
}
END_TEST

/* -- where secrets may not be (CASE 67 and 68) --------------------------------------------------
 */

START_TEST(a_secret_on_the_command_line_is_refused_case_68)
{
    static const char *const words[] = {
        "$(cat seed)",
        "--seed-file $(cat seed) 127.0.0.1 4433",
        "--seed-file=$(cat seed) 127.0.0.1 4433",
        "-I $(cat a) 127.0.0.1 4433",
        "-I$(cat a) 127.0.0.1 4433",
        "-l --exec 'echo '$(cat seed) 4433",
        "127.0.0.1 4433 -- $(cat a)",
        "$(cat ticket)",
        "--send file $(cat ticket)",
        "--forget $(cat seed)",
    };
    ck_assert(begin(NULL));
    job_require(programs_run(&p, "sttkey ticket -I a --seed-file seed -o ticket 127.0.0.1:4433"),
                DONE);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct job *j = programs_run(&p, "sttcat %s", words[i]);
        job_require(j, USAGE);
        ck_assert_ptr_nonnull(strstr(j->err.text, "secret"));
        ck_assert_msg(!stt_text_is_secret(j->err.text), "%s", j->err.text);
        ck_assert_ptr_eq(strchr(j->err.text, '\n'), j->err.text + j->err.len - 1);
    }
    programs_end(&p);
}
END_TEST

START_TEST(nor_may_one_be_a_setting)
{
    char path[400];
    ck_assert(begin(NULL));
    struct job *j = client("STT_IDENTITY=$(cat a)", "");
    job_require(j, USAGE);
    ck_assert_msg(!stt_text_is_secret(j->err.text), "%s", j->err.text);
    ck_assert_int_eq(mkdir(p.config, 0700), 0);
    snprintf(path, sizeof path, "%s/config", p.config);
    job_require(programs_run(&p, "echo seed-file = $(cat seed) >%s", path), DONE);
    j = client("", "");
    job_require(j, USAGE);
    ck_assert_ptr_nonnull(strstr(j->err.text, "config, line 1"));
    ck_assert_msg(!stt_text_is_secret(j->err.text), "%s", j->err.text);
    programs_end(&p);
}
END_TEST

/* A copy of this file for each case: who is refused. */
static void require_kept(const char *file, const char *words)
{
    static const struct {
        const char *make, *says;
        bool wants_root;
    } cases[] = {
        {"chmod 0644 it", "it: open to others (mode 0644); run chmod 600", false},
        {"chmod 0640 it", "it: open to others", false},
        {"mv it that; ln -s that it", "it: is a symbolic link", false},
        {"chown 12345 it", "it: belongs to user 12345", true},
        {"rm it; mkfifo -m 600 it", "it: is not a regular file", false},
        {"rm it", "it: there is no such file", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].wants_root && geteuid() != 0)
            continue;
        job_require(programs_run(&p, "rm -f it that; cp %s it; %s", file, cases[i].make), DONE);
        struct job *j = programs_run(&p, "sttcat %s", words);
        job_require(j, LOCAL_IO);
        ck_assert_msg(strstr(j->err.text, cases[i].says) != NULL, "%s", j->err.text);
    }
}

START_TEST(a_key_file_of_others_is_refused_and_named_case_67)
{
    ck_assert(begin(NULL));
    job_require(programs_run(&p, "sttkey ticket -I a --seed-file seed -o ticket 127.0.0.1:4433"),
                DONE);
    require_kept("a", "-l -I it 127.0.0.1 0");
    require_kept("a", "-I it --seed-file seed 127.0.0.1 4433");
    require_kept("seed", "-l --seed-file it 127.0.0.1 0");
    require_kept("seed", "--seed-file it 127.0.0.1 4433");
    require_kept("ticket", "--ticket-file it");
    programs_end(&p);
}
END_TEST

START_TEST(nor_is_the_identity_of_the_user_used_when_others_can_read_it)
{
    ck_assert(begin(NULL));
    job_require(programs_run(&p, "sttkey gen && chmod 644 $STT_CONFIG_DIR/identity"), DONE);
    struct job *j = client("", SOON "--seed-file seed");
    job_require(j, LOCAL_IO);
    ck_assert_ptr_nonnull(strstr(j->err.text, "identity: open to others"));
    programs_end(&p);
}
END_TEST

/* Neither what it inherits, nor what it sees of the program that started it. */
START_TEST(a_command_does_not_see_the_secrets)
{
    static const char *const credentials[] = {"STT_SEED=$(cat seed)", "STT_CODE=a-passphrase"};
    ck_assert(begin(NULL));
    for (size_t i = 0; i < 2; i++) {
        struct job *l = listener(credentials[i],
                                 "--exec 'cat; env; tr \"\\0\" \"\\n\" </proc/$PPID/environ; :'");
        struct job *c = client(credentials[i], "");
        job_require(c, DONE);
        job_require(l, DONE);
        ck_assert_ptr_nonnull(strstr(c->out.text, "STT_CONFIG_DIR="));
        ck_assert_ptr_null(strstr(c->out.text, "STT_SEED=stt"));
        ck_assert_ptr_null(strstr(c->out.text, "sttseed1"));
        ck_assert_ptr_null(strstr(c->out.text, "a-passphrase"));
    }
    programs_end(&p);
}
END_TEST

/* -- tickets and settings -----------------------------------------------------------------------
 */

START_TEST(a_ticket_says_who_and_where)
{
    ck_assert(begin(NULL));
    struct job *l = listener("", "-I a");
    job_require(programs_run(&p, "echo hello | sttcat $(sttkey ticket -I a 127.0.0.1:%u)", port),
                DONE);
    job_require(l, DONE);
    job_require(programs_run(&p,
                             "sttkey ticket -I a -o open 127.0.0.1:%u && "
                             "sttkey ticket -I a --seed-file seed -o both 127.0.0.1:%u",
                             port, port),
                DONE);
    l = listener("", "-v -I a --seed-file seed");
    struct job *c = programs_run(&p, "echo hello | sttcat" SOON "--ticket-file open");
    job_require(c, NO_ANSWER);
    job_require(programs_run(&p, "echo hello | sttcat --ticket-file both"), DONE);
    job_line(l, "mode K");
    job_require(l, DONE);
    ck_assert_str_eq(l->out.text, "hello\n");
    c = programs_run(&p, "sttcat --ticket-file seed");
    job_require(c, LOCAL_IO);
    ck_assert_ptr_nonnull(strstr(c->err.text, "holds no ticket"));
    programs_end(&p);
}
END_TEST

/* Nobody talks to himself; what he is told says so. */
START_TEST(one_identity_at_both_sides_is_told)
{
    char words[128];
    ck_assert(begin(NULL));
    snprintf(words, sizeof words, "-I a --peer %s", id_of("a"));
    struct job *c = client("", words);
    job_require(c, USAGE);
    ck_assert_msg(strstr(c->err.text, "is our own") != NULL, "%s", c->err.text);
    struct job *l = listener("", "-I a --seed-file seed");
    c = client("", SOON "-I a --seed-file seed");
    job_require(c, NO_ANSWER);
    ck_assert_msg(strstr(c->err.text, "the same identity as this side") != NULL, "%s", c->err.text);
    is_let_in("", "-I b --seed-file seed");
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(settings_come_from_flags_then_the_environment_then_the_file)
{
    static const struct {
        const char *before, *words, *says;
    } cases[] = {
        {"", "", "in 190 ms"},
        {"STT_CONNECT_TIMEOUT=180ms", "", "in 180 ms"},
        {"STT_CONNECT_TIMEOUT=180ms", "-w 170ms", "in 170 ms"},
        {"", "--connect-timeout=170ms", "in 170 ms"},
        {"STT_CONFIG_DIR=/nowhere XDG_CONFIG_HOME=$HOME", "-w 160ms", "in 160 ms"},
        {"STT_CONFIG_DIR= XDG_CONFIG_HOME=$PWD", "", "in 150 ms"},
        {"STT_CONFIG_DIR= XDG_CONFIG_HOME=", "", "in 140 ms"},
    };
    ck_assert(begin(NULL));
    job_require(programs_run(&p, "mkdir -m 700 $STT_CONFIG_DIR; mkdir -p stt $HOME/.config/stt\n"
                                 "echo connect-timeout = 150ms >stt/config\n"
                                 "echo connect-timeout=140ms >$HOME/.config/stt/config\n"
                                 "cat >$STT_CONFIG_DIR/config <<-end\n"
                                 "# ours\n\n  connect-timeout = 190ms  \nof-another-tool = 7\n"
                                 "end\n"),
                DONE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job *j = programs_run(&p, "%s sttcat --seed-file seed %s 127.0.0.1 %u",
                                     cases[i].before, cases[i].words, port);
        job_require(j, NO_ANSWER);
        ck_assert_msg(strstr(j->err.text, cases[i].says) != NULL, "%s", j->err.text);
    }
    programs_end(&p);
}
END_TEST

START_TEST(settings_reach_the_program)
{
    char path[400];
    ck_assert(begin(NULL));
    snprintf(path, sizeof path, "%s/config", p.config);
    ck_assert_int_eq(mkdir(p.config, 0700), 0);
    trees_write_text(path, "identity = a\nallow-file = list\nquiet = no\ncc = bbr\nstats = yes\n");
    job_require(programs_run(&p, "sttkey pub b >list"), DONE);
    struct job *l = listener("", "-N"), *c; /* as with -I a --allow-file list */
    char before[300];
    snprintf(before, sizeof before, "STT_CONFIG_DIR=/nowhere STT_IDENTITY=b STT_QUIET=yes");
    char words[200];
    snprintf(words, sizeof words, "--peer %s", id_of("a"));
    is_not_answered("STT_CONFIG_DIR=/nowhere", words);
    job_require(c = client(before, words), DONE);
    ck_assert_uint_eq(c->err.bytes, 0);
    job_require(l, DONE);
    job_line(l, "packets received"); /* --stats */
    programs_end(&p);
}
END_TEST

START_TEST(a_setting_that_cannot_be_is_named_with_its_place)
{
    static const struct {
        const char *before, *line, *says;
    } cases[] = {
        {"", "cc = reno", "config, line 1 wants one of: tide cubic bbr, and got 'reno'"},
        {"", "\\n\\nquiet = perhaps", "config, line 3 wants yes or no"},
        {"", "cc", "config, line 1: a line is NAME = VALUE"},
        {"", "connect-timeout = 2m", "--connect-timeout wants 100ms to 1m"},
        {"STT_TIMEOUT=500ms", "", "--timeout wants 1s to 1h"},
        {"STT_KEEP_ALIVE=1ms", "", "--keep-alive wants 50ms or more"},
        {"STT_MTU=12", "", "STT_MTU wants a number from 1280 to 65535, and got '12'"},
        {"STT_IO=tcp", "", "STT_IO wants one of: uring mmsg"},
    };
    ck_assert(begin(NULL));
    ck_assert_int_eq(mkdir(p.config, 0700), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        job_require(programs_run(&p, "printf '%s\\n' >$STT_CONFIG_DIR/config", cases[i].line),
                    DONE);
        struct job *j = client(cases[i].before, "--seed-file seed");
        job_require(j, USAGE);
        ck_assert_msg(strstr(j->err.text, cases[i].says) != NULL, "%s", j->err.text);
    }
    programs_end(&p);
}
END_TEST

SUITE("credentials", LOOP(who_knows_the_peer_id_is_answered_and_nobody_else, 0, IOS),
      TEST(an_identity_and_a_seed_beside_it_want_both),
      LOOP(a_seed_comes_by_file_environment_or_descriptor, 0, WAYS_OF_SEEDS),
      TEST(what_is_no_seed_is_refused_where_it_comes_from),
      LOOP(a_code_opens_once_and_the_next_one_is_another, 0, IOS),
      TEST(a_code_is_typed_and_not_shown), TEST(who_does_not_know_the_code_may_leave_the_question),
      LOOP(a_wrong_code_is_proven_and_the_listener_goes_on, 0, IOS),
      LOOP(after_three_guesses_the_listener_gives_up, 0, IOS),
      TEST(one_that_stays_draws_another_code_instead), TEST(who_only_looked_has_used_the_code_up),
      LOOP(a_passphrase_opens_as_often_as_it_is_said, 0, IOS),
      TEST(a_passphrase_is_asked_for_at_both_terminals), TEST(a_short_passphrase_is_refused),
      LOOP(a_listener_with_an_identity_is_remembered_and_another_one_is_not_taken_for_it, 0, IOS),
      TEST(so_is_one_that_was_reached_by_a_passphrase_or_a_code),
      TEST(a_known_peer_that_has_drawn_a_code_is_asked_for_it),
      TEST(a_listener_without_an_identity_is_not_remembered),
      TEST(a_damaged_list_of_known_peers_is_named_and_lets_nobody_be_taken_for_another),
      LOOP(who_is_not_listed_is_not_answered, 0, IOS),
      TEST(a_list_that_cannot_be_used_lets_nobody_in),
      TEST(a_secret_on_the_command_line_is_refused_case_68), TEST(nor_may_one_be_a_setting),
      TEST(a_key_file_of_others_is_refused_and_named_case_67),
      TEST(nor_is_the_identity_of_the_user_used_when_others_can_read_it),
      TEST(a_command_does_not_see_the_secrets), TEST(a_ticket_says_who_and_where),
      TEST(one_identity_at_both_sides_is_told),
      TEST(settings_come_from_flags_then_the_environment_then_the_file),
      TEST(settings_reach_the_program), TEST(a_setting_that_cannot_be_is_named_with_its_place))
