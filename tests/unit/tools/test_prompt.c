/* SPDX-License-Identifier: MIT */
#include "tools/common/prompt.h"

#include "tests/support/suite.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* A program that asks, a shell that waits for it, and their terminal. What the program got comes
 * back through `result`: the answer, and the text; what the shell hears of it through `news`. The
 * shell goes when `stay` is closed: with it the terminal's modes would go. */
struct scene {
    int terminal, result, news, stay;
    pid_t program;
    char seen[4096];
    size_t len;
};

/* Whatever becomes of the test, nothing of it goes on. */
static pid_t fork_bound(void)
{
    pid_t parent = getpid(), child = fork();
    if (child == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
        _exit(1);
    return child;
}

static void program_asks(int tty, int result, size_t room)
{
    char text[300];
    signal(SIGTTOU, SIG_IGN);
    setpgid(0, 0);
    tcsetpgrp(tty, getpid());
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    memset(text, 'x', sizeof text);
    char answer = (char)prompt_secret(text, room, "Code: ");
    if (write(result, &answer, 1) != 1 || write(result, text, room) != (ssize_t)room)
        _exit(2);
    _exit(0);
}

static void shell_waits(pid_t program, int news, int stay)
{
    int status;
    char byte;
    do {
        if (waitpid(program, &status, WUNTRACED) != program ||
            write(news, &status, sizeof status) != sizeof status)
            _exit(1);
    } while (WIFSTOPPED(status));
    _exit(read(stay, &byte, 1) == 0 ? 0 : 1);
}

static void shell(const char *name, size_t room, int result[2], int news, int stay)
{
    setsid();
    int tty = open(name, O_RDWR); /* the controlling terminal, now */
    pid_t program = fork_bound();
    if (program == 0)
        program_asks(tty, result[1], room);
    close(result[1]);
    if (write(news, &program, sizeof program) != sizeof program)
        _exit(1);
    shell_waits(program, news, stay);
}

static void begin(struct scene *s, size_t room)
{
    int result[2], news[2], stay[2];
    *s = (struct scene){.terminal = posix_openpt(O_RDWR | O_NOCTTY)};
    ck_assert_int_ge(s->terminal, 0);
    ck_assert_int_eq(grantpt(s->terminal), 0);
    ck_assert_int_eq(unlockpt(s->terminal), 0);
    ck_assert_int_eq(pipe(result), 0);
    ck_assert_int_eq(pipe(news), 0);
    ck_assert_int_eq(pipe(stay), 0);
    pid_t child = fork_bound();
    if (child == 0) {
        close(stay[1]);
        shell(ptsname(s->terminal), room, result, news[1], stay[0]);
    }
    close(result[1]);
    close(news[1]);
    close(stay[0]);
    s->result = result[0];
    s->news = news[0];
    s->stay = stay[1];
    ck_assert_int_eq(read(s->news, &s->program, sizeof s->program), sizeof s->program);
}

/* Waits until the terminal has shown this so often. */
static void shows(struct scene *s, const char *text, int times)
{
    for (;;) {
        int n = 0;
        for (const char *at = s->seen; (at = strstr(at, text)); at++)
            n++;
        if (n >= times)
            return;
        struct pollfd p = {s->terminal, POLLIN, 0};
        ck_assert_int_eq(poll(&p, 1, 10000), 1);
        ssize_t got = read(s->terminal, s->seen + s->len, sizeof s->seen - 1 - s->len);
        ck_assert_int_gt(got, 0);
        s->len += (size_t)got;
    }
}

static bool echoes(const struct scene *s)
{
    struct termios t;
    ck_assert_int_eq(tcgetattr(s->terminal, &t), 0);
    return t.c_lflag & ECHO;
}

static void type(struct scene *s, const char *keys)
{
    ck_assert_int_eq(write(s->terminal, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static void gets(struct scene *s, enum prompt_answer answer, const char *text)
{
    char got[400];
    size_t len = 0;
    for (ssize_t n; (n = read(s->result, got + len, sizeof got - len)) > 0;)
        len += (size_t)n;
    ck_assert_uint_gt(len, 0);
    ck_assert_int_eq(got[0], (char)answer);
    ck_assert_str_eq(got + 1, text);
}

/* As of waitpid(). */
static int news(struct scene *s)
{
    int status;
    ck_assert_int_eq(read(s->news, &status, sizeof status), sizeof status);
    return status;
}

static int ends(struct scene *s)
{
    int status = news(s);
    ck_assert(!WIFSTOPPED(status));
    ck_assert(echoes(s));
    close(s->stay);
    return status;
}

START_TEST(what_is_typed_is_not_seen)
{
    struct scene s;
    begin(&s, 300);
    shows(&s, "Code: ", 1);
    ck_assert(!echoes(&s));
    type(&s, "417-k7qd-x2mz\n");
    gets(&s, PROMPT_DONE, "417-k7qd-x2mz");
    ck_assert_int_eq(ends(&s), 0);
    shows(&s, "\n", 1);
    ck_assert_ptr_null(strstr(s.seen, "k7qd"));
}
END_TEST

START_TEST(a_line_can_be_corrected)
{
    struct scene s;
    begin(&s, 300);
    shows(&s, "Code: ", 1);
    type(&s, "wrong\x15"
             "righ\x7fht\n");
    gets(&s, PROMPT_DONE, "right");
    ck_assert_int_eq(ends(&s), 0);
}
END_TEST

START_TEST(a_line_without_room_is_refused_whole)
{
    struct scene s;
    begin(&s, 8);
    shows(&s, "Code: ", 1);
    type(&s, "12345678\n");
    gets(&s, PROMPT_TOO_LONG, "");
    ck_assert_int_eq(ends(&s), 0);
}
END_TEST

START_TEST(seven_characters_have_room_in_eight)
{
    struct scene s;
    begin(&s, 8);
    shows(&s, "Code: ", 1);
    type(&s, "1234567\n");
    gets(&s, PROMPT_DONE, "1234567");
    ck_assert_int_eq(ends(&s), 0);
}
END_TEST

START_TEST(the_end_of_the_input_is_no_answer)
{
    struct scene s;
    begin(&s, 300);
    shows(&s, "Code: ", 1);
    type(&s, "\x04");
    gets(&s, PROMPT_ENDED, "");
    ck_assert_int_eq(ends(&s), 0);
}
END_TEST

static const int fatal[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

START_TEST(who_is_ended_leaves_the_terminal_as_it_was)
{
    struct scene s;
    begin(&s, 300);
    shows(&s, "Code: ", 1);
    type(&s, "half");
    ck_assert(!echoes(&s));
    kill(s.program, fatal[_i]);
    int status = ends(&s);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), fatal[_i]);
}
END_TEST

START_TEST(the_keys_for_it_end_it_too)
{
    struct scene s;
    begin(&s, 300);
    shows(&s, "Code: ", 1);
    type(&s, "half\x03");
    int status = ends(&s);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}
END_TEST

/* Half of a secret is not left for whoever reads the terminal meanwhile, and not taken later. */
START_TEST(who_is_stopped_leaves_the_terminal_as_it_was_and_asks_again)
{
    struct scene s;
    begin(&s, 300);
    shows(&s, "Code: ", 1);
    type(&s, "half");
    kill(s.program, _i ? SIGSTOP : SIGTSTP);
    int status = news(&s);
    ck_assert(WIFSTOPPED(status));
    ck_assert_int_eq(echoes(&s), !_i); /* nobody can do anything about SIGSTOP */
    kill(s.program, SIGCONT);
    shows(&s, "Code: ", 2);
    ck_assert(!echoes(&s));
    type(&s, "whole\n");
    gets(&s, PROMPT_DONE, "whole");
    ck_assert_int_eq(ends(&s), 0);
}
END_TEST

START_TEST(without_a_terminal_nothing_is_asked)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        char text[8];
        setsid();
        _exit(prompt_secret(text, sizeof text, "Code: ") == PROMPT_NO_TERMINAL && !*text ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

SUITE("prompt", TEST(what_is_typed_is_not_seen), TEST(a_line_can_be_corrected),
      TEST(a_line_without_room_is_refused_whole), TEST(seven_characters_have_room_in_eight),
      TEST(the_end_of_the_input_is_no_answer),
      LOOP(who_is_ended_leaves_the_terminal_as_it_was, 0, 4), TEST(the_keys_for_it_end_it_too),
      LOOP(who_is_stopped_leaves_the_terminal_as_it_was_and_asks_again, 0, 2),
      TEST(without_a_terminal_nothing_is_asked))
