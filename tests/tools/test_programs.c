/* SPDX-License-Identifier: MIT
 * What the tests of the programs stand on (tests/support/programs.h), with programs that everybody
 * has: what it says of them is so, and nothing of them is left. */
#include "tests/support/programs.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct programs p;

static void begin(void)
{
    ck_assert(programs_begin(&p, NULL));
}

/* What is dead and has nobody who asks for its status is gone, too. */
static bool is_alive(int pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    bool is_there = f && fscanf(f, "%*d %*s %c", &state) == 1 && state != 'Z' && state != 'X';
    if (f)
        fclose(f);
    return is_there;
}

static void is_gone(int pid)
{
    ck_assert_int_gt(pid, 1);
    for (unsigned tries = 0; tries < 2000 && is_alive(pid); tries++)
        usleep(5000);
    ck_assert_msg(!is_alive(pid), "%d lives", pid);
}

/* -- commands -----------------------------------------------------------------------------------
 */

START_TEST(a_command_ends_with_its_status_and_what_it_said)
{
    begin();
    struct job *j = programs_run(&p, "printf '%%s' out; echo err >&2; exit %d", 7);
    ck_assert_int_eq(j->status, 7);
    ck_assert_str_eq(j->out.text, "out");
    ck_assert_str_eq(j->err.text, "err\n");
    ck_assert(j->took_ns > 0 && j->took_ns < JOB_PATIENCE_NS);
    ck_assert_int_eq(programs_run(&p, "kill -TERM $$")->status, 128 + SIGTERM);
    ck_assert_int_eq(programs_run(&p, "no-such-program")->status, 127);
    programs_end(&p);
}
END_TEST

START_TEST(its_environment_is_clean_and_its_input_empty)
{
    setenv("STT_SEED", "secret", 1);
    signal(SIGINT, SIG_IGN);
    begin();
    struct job *j = programs_run(&p, "env | cut -d= -f1 | sort | tr '\\n' ' '; echo $HOME; cat; "
                                     "ls /proc/self/fd | wc -l; test -t 0 || : </dev/tty");
    ck_assert_ptr_null(strstr(j->out.text, "STT_SEED"));
    ck_assert_ptr_nonnull(strstr(j->out.text, "HOME LANG "));
    ck_assert_ptr_nonnull(strstr(j->out.text, "PATH PWD STT_CONFIG_DIR TERM "));
    ck_assert_ptr_nonnull(strstr(j->out.text, p.home));
    ck_assert_ptr_nonnull(strstr(j->out.text, "\n4\n")); /* three, and that of the folder */
    ck_assert_int_ne(j->status, 0);                      /* no terminal is there to open */
    ck_assert_int_eq(programs_run(&p, "kill -INT $$; exit 0")->status, 128 + SIGINT);
    programs_end(&p);
}
END_TEST

START_TEST(what_it_says_beyond_the_bound_is_counted)
{
    begin();
    struct job *j = programs_run(&p, "head -c 3000000 /dev/zero | tr '\\0' x; "
                                     "head -c 2000000 /dev/zero | tr '\\0' y >&2");
    job_require(j, 0);
    ck_assert_uint_eq(j->out.bytes, 3000000);
    ck_assert_uint_eq(j->out.len, JOB_KEPT_BYTES);
    ck_assert_uint_eq(j->err.bytes, 2000000);
    ck_assert_uint_eq(strspn(j->out.text, "x"), JOB_KEPT_BYTES);
    programs_end(&p);
}
END_TEST

START_TEST(what_a_command_leaves_running_is_killed)
{
    begin();
    struct job *j = programs_run(&p, "sleep 1000 & echo $!");
    ck_assert_int_eq(j->status, 0);
    is_gone(atoi(j->out.text));
    programs_end(&p);
}
END_TEST

START_TEST(two_run_beside_each_other_and_neither_waits_for_a_reader)
{
    begin();
    job_require(programs_run(&p, "mkfifo forth"), 0);
    struct job *one = programs_start(&p, "head -c 500000 /dev/zero; echo first >forth");
    struct job *other = programs_start(&p, "read line <forth; echo $line >&2; exit 3");
    ck_assert_str_eq(job_line(other, "ir"), "first");
    job_require(other, 3);
    ck_assert(job_ends_within(one, STT_S(1000)) && job_ends_within(other, STT_S(1000)));
    job_require(one, 0);
    ck_assert_uint_eq(one->out.bytes, 500000);
    programs_end(&p);
}
END_TEST

START_TEST(lines_of_stderr_are_found_one_after_the_other)
{
    begin();
    struct job *j = programs_start_fed(&p, "echo one >&2; read x; echo \"two $x\" >&2; "
                                           "echo three >&2; printf four >&2; read x; exit 5");
    ck_assert_str_eq(job_line(j, "one"), "one");
    ck_assert_ptr_null(job_line_within(j, "two", STT_MS(30)));
    ck_assert(job_type(j, "words\n"));
    ck_assert_str_eq(job_line(j, "two"), "two words");
    ck_assert_ptr_null(job_line_within(j, "four", STT_MS(30))); /* no whole line yet */
    ck_assert(!job_ends_within(j, STT_MS(10)));
    job_end_input(j);
    ck_assert_str_eq(job_line(j, "four"), "four");
    job_require(j, 5);
    ck_assert_str_eq(j->err.text, "one\ntwo words\nthree\nfour");
    ck_assert_ptr_null(job_line_within(j, "two", STT_S(100))); /* at once: it says no more */
    programs_end(&p);
}
END_TEST

START_TEST(signals_reach_it_and_stop_it_for_a_while)
{
    begin();
    struct job *j = programs_start(&p, "trap 'echo caught >&2; exit 9' TERM; echo on >&2; "
                                       "while :; do read x </dev/zero; done & wait");
    job_line(j, "on");
    job_signal(j, SIGSTOP);
    job_signal(j, SIGTERM);
    ck_assert_ptr_null(job_line_within(j, "caught", STT_MS(50)));
    job_signal(j, SIGCONT);
    job_line(j, "caught");
    job_require(j, 9);
    job_kill(j);
    programs_end(&p);
}
END_TEST

START_TEST(input_that_nobody_takes_is_refused)
{
    static char much[1 << 20];
    begin();
    struct job *j = programs_start_fed(&p, "head -c 10 >/dev/null");
    ck_assert(!job_write(j, much, sizeof much));
    job_require(j, 0);
    j = programs_start_fed(&p, "wc -c");
    ck_assert(job_write(j, much, sizeof much));
    job_end_input(j);
    job_require(j, 0);
    ck_assert_int_eq(atoi(j->out.text), sizeof much);
    programs_end(&p);
}
END_TEST

/* -- terminals ----------------------------------------------------------------------------------
 */

START_TEST(on_a_terminal_keys_are_shown_unless_it_hides_them)
{
    begin();
    struct job *j = programs_start_on_terminal(
        &p, "test -t 0 && test -t 1 && test -t 2 && stty size; printf 'name: '; read name; "
            "stty -echo; printf 'code: ' >/dev/tty; read code </dev/tty; stty echo; "
            "echo \"[$name $code]\"; stty size; exit 4");
    job_shows(j, "24 80");
    job_shows(j, "name: ");
    ck_assert(job_echoes(j));
    ck_assert(job_type(j, "someone\n"));
    job_shows(j, "someone");
    job_shows(j, "code: ");
    ck_assert(!job_echoes(j));
    job_resize(j, 132, 50);
    ck_assert(job_type(j, "hidden\n"));
    job_shows(j, "[someone hidden]");
    job_shows(j, "50 132");
    job_require(j, 4);
    char *code = strstr(j->out.text, "code: ");
    ck_assert(code && strncmp(code, "code: [", 7) == 0);
    programs_end(&p);
}
END_TEST

START_TEST(the_key_of_an_interrupt_is_a_signal)
{
    begin();
    struct job *j = programs_start_on_terminal(&p, "echo here; exec cat");
    job_shows(j, "here");
    ck_assert(job_type(j, "\x03"));
    job_require(j, 128 + SIGINT);
    j = programs_start_on_terminal(&p, "exec cat");
    ck_assert(job_type(j, "line\n\x04"));
    job_require(j, 0);
    programs_end(&p);
}
END_TEST

/* -- nothing is left ----------------------------------------------------------------------------
 */

START_TEST(at_the_end_nothing_runs_and_the_folder_is_gone)
{
    static const bool in_memory[] = {false, true};
    ck_assert(in_memory[_i] ? programs_begin_in_memory(&p, NULL) : programs_begin(&p, NULL));
    ck_assert(trees_exists(p.home));
    char here[512];
    ck_assert(getcwd(here, sizeof here) && strncmp(here, p.root, strlen(p.root)) == 0);
    ck_assert(!in_memory[_i] || access("/dev/shm", W_OK) || strncmp(here, "/dev/shm/", 9) == 0);
    struct job *j = programs_start(&p, "mkdir -p a/b; touch a/b/c; chmod 0 a/b a; trap '' TERM "
                                       "HUP; sleep 1000 & echo $! >&2; wait");
    int shell = j->pid, sleeper = atoi(job_line(j, ""));
    programs_end(&p);
    ck_assert(!trees_exists(p.root));
    is_gone(sleeper);
    is_gone(shell);
}
END_TEST

/* Ends as a test does that has failed, or was killed. */
START_TEST(nor_after_a_test_that_was_killed)
{
    struct {
        char root[256];
        int pid, daemon;
    } it;
    int ends[2], status;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        begin();
        struct job *j = programs_start(&p, "setsid sleep 1000 & echo $! >&2; sleep 1000");
        it.pid = j->pid;
        it.daemon = atoi(job_line(j, ""));
        memcpy(it.root, p.root, sizeof it.root);
        (void)!write(ends[1], &it, sizeof it);
        _i ? _exit(1) : (void)raise(SIGKILL);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &it, sizeof it), sizeof it);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    is_gone(it.daemon);
    is_gone(it.pid);
    for (unsigned tries = 0; tries < 2000 && trees_exists(it.root); tries++)
        usleep(5000);
    ck_assert(!trees_exists(it.root));
}
END_TEST

START_TEST(what_a_sanitizer_writes_is_seen)
{
    begin();
    ck_assert_ptr_null(programs_complaint(&p));
    job_require(programs_run(&p, "echo 'a leak' >$HOME/../reports/ASAN.1"), 0);
    ck_assert_ptr_nonnull(programs_complaint(&p));
    ck_assert_str_eq(programs_complaint(&p), "a leak\n");
    p.may_complain = true;
    programs_end(&p);
}
END_TEST

/* -- files --------------------------------------------------------------------------------------
 */

START_TEST(files_are_the_same_for_the_same_seed)
{
    begin();
    trees_make("a", 1000001, 5);
    trees_make("b", 1000001, 5);
    trees_make("c", 1000001, 6);
    trees_make("empty", 0, 5);
    ck_assert_uint_eq(trees_bytes("a"), 1000001);
    ck_assert_uint_eq(trees_hash("a"), trees_hash("b"));
    ck_assert_uint_ne(trees_hash("a"), trees_hash("c"));
    ck_assert_ptr_null(trees_difference("a", "b", TREES_NO_TIMES));
    ck_assert_ptr_nonnull(trees_difference("a", "c", TREES_NO_TIMES));
    job_require(programs_run(&p, "cmp a b && ! cmp -s a c && test ! -s empty"), 0);
    programs_end(&p);
}
END_TEST

START_TEST(trees_differ_where_anything_differs)
{
    static const char *const changes[] = {
        "rm copy/b/file",
        "touch copy/more",
        "echo xyz | dd of=copy/b/file bs=1 seek=70000 conv=notrunc && touch -r one copy",
        "chmod 0600 copy/b/file",
        "chmod 0700 copy/b",
        "touch -d '2001-01-01 00:00:00.5' copy/b/file",
        "touch -d '2001-01-01 00:00:00.5' copy/b",
        "ln -sfn elsewhere copy/link",
        "rm copy/empty; mkdir copy/empty",
        "rm -r copy",
    };
    begin();
    trees_write_text("words", "hello");
    job_require(programs_run(&p, "mkdir -p one/b; cp words one/empty; ln -s nowhere one/link"), 0);
    trees_make("one/b/file", 100000, 1);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        job_require(programs_run(&p, "rm -rf copy; cp -a one copy"), 0);
        ck_assert_uint_eq(trees_count("copy"), 4);
        const char *none = trees_difference("one", "copy", 0);
        ck_assert_msg(!none, "%s", none);
        job_require(programs_run(&p, "%s", changes[i]), 0);
        ck_assert_msg(trees_difference("one", "copy", 0) || trees_difference("copy", "one", 0),
                      "not seen: %s", changes[i]);
    }
    programs_end(&p);
}
END_TEST

/* -- the way ------------------------------------------------------------------------------------
 */

START_TEST(a_datagram_gets_through_a_wan_to_a_free_port)
{
    struct wan_config config = {.delay_ns = STT_MS(1)};
    uint8_t data[] = "hello", came[100];
    begin();
    struct stt_socket_options options = {.local = udp_address("127.0.0.1", programs_port())};
    struct stt_socket client = udp_open("127.0.0.1"), server;
    ck_assert_int_eq(stt_socket_open(&server, &options), STT_OK);
    uint16_t by = programs_wan(&p, options.local.port, &config, 1);
    ck_assert_uint_ne(by, options.local.port);
    struct stt_driver_train train = {.remote = udp_address("127.0.0.1", by),
                                     .data = data,
                                     .len = sizeof data,
                                     .segment_bytes = sizeof data};
    ck_assert_int_eq(udp_send(&client, &train, 0), 0);
    ck_assert(udp_receive(&server, &train, came, sizeof came, NULL));
    ck_assert_uint_eq(train.len, sizeof data);
    ck_assert_mem_eq(train.data, data, sizeof data);
    close(server.fd);
    close(client.fd);
    programs_end(&p);
}
END_TEST

START_TEST(the_programs_that_were_built_are_found_first)
{
    ck_assert(programs_begin(&p, programs_ios[_i]) || _i == 0);
    if (p.guard < 0)
        return;
    struct job *j = programs_run(&p, "echo $STT_IO; test -d \"${PATH%%%%:*}/tests/tools\"");
    job_require(j, 0);
    ck_assert(strncmp(j->out.text, programs_ios[_i], strlen(programs_ios[_i])) == 0);
    programs_end(&p);
}
END_TEST

SUITE("programs", TEST(a_command_ends_with_its_status_and_what_it_said),
      TEST(its_environment_is_clean_and_its_input_empty),
      TEST(what_it_says_beyond_the_bound_is_counted), TEST(what_a_command_leaves_running_is_killed),
      TEST(two_run_beside_each_other_and_neither_waits_for_a_reader),
      TEST(lines_of_stderr_are_found_one_after_the_other),
      TEST(signals_reach_it_and_stop_it_for_a_while), TEST(input_that_nobody_takes_is_refused),
      TEST(on_a_terminal_keys_are_shown_unless_it_hides_them),
      TEST(the_key_of_an_interrupt_is_a_signal),
      LOOP(at_the_end_nothing_runs_and_the_folder_is_gone, 0, 2),
      LOOP(nor_after_a_test_that_was_killed, 0, 2), TEST(what_a_sanitizer_writes_is_seen),
      TEST(files_are_the_same_for_the_same_seed), TEST(trees_differ_where_anything_differs),
      TEST(a_datagram_gets_through_a_wan_to_a_free_port),
      LOOP(the_programs_that_were_built_are_found_first, 0, PROGRAMS_IOS))
