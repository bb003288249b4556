/* SPDX-License-Identifier: MIT
 * prompt: owns the terminal's modes and the dispositions of a few signals while it asks.
 *
 * The signals are blocked, but for the wait: one that comes is noted, the terminal put right, and
 * then the signal is raised again for whoever handled it before. So none comes between a look and
 * a wait. Must not know what is asked for. */
#include "tools/common/prompt.h"

#include "stt/env.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Not SIGTTIN and SIGTTOU: they stop who is in the background before it touches anything. */
static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};
enum { CAUGHT_N = sizeof caught / sizeof caught[0] };

static volatile sig_atomic_t came;

static void note(int number)
{
    came = number;
}

struct asking {
    int tty;
    struct termios before;
    struct sigaction handlers[CAUGHT_N];
    sigset_t mask; /* before */
    char *out;
    size_t room, len;
    bool is_long;
};

/* What was ignored stays so: nohup means it. */
static void catch_signals(struct asking *a)
{
    struct sigaction own = {.sa_handler = note};
    sigset_t blocked;
    came = 0;
    sigemptyset(&blocked);
    sigemptyset(&own.sa_mask);
    for (int i = 0; i < CAUGHT_N; i++)
        sigaddset(&blocked, caught[i]);
    sigprocmask(SIG_BLOCK, &blocked, &a->mask);
    for (int i = 0; i < CAUGHT_N; i++) {
        sigaction(caught[i], NULL, &a->handlers[i]);
        if (a->handlers[i].sa_handler != SIG_IGN)
            sigaction(caught[i], &own, NULL);
    }
}

/* One that has come since the wait goes to whoever handles it now. */
static void release_signals(const struct asking *a)
{
    for (int i = 0; i < CAUGHT_N; i++)
        sigaction(caught[i], &a->handlers[i], NULL);
    sigprocmask(SIG_SETMASK, &a->mask, NULL);
}

/* Typed ahead and seen on the screen: not taken. */
static bool hide(struct asking *a)
{
    if (tcgetattr(a->tty, &a->before) != 0)
        return false;
    struct termios hidden = a->before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    hidden.c_lflag |= ICANON | ISIG;
    return tcsetattr(a->tty, TCSAFLUSH, &hidden) == 0;
}

static void put(const struct asking *a, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = write(a->tty, text, len);
        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

enum step { GOING_ON, LINE, END, SIGNAL };

/* All of a long line is read, so that no rest of it stays for the shell. */
static enum step take(struct asking *a)
{
    char c;
    ssize_t n = read(a->tty, &c, 1);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? GOING_ON : END;
    if (n == 0)
        return END;
    if (c == '\n' || c == '\r')
        return LINE;
    if (a->len + 1 < a->room)
        a->out[a->len++] = c;
    else
        a->is_long = true;
    stt_env_wipe(&c, 1);
    return GOING_ON;
}

static enum step read_line(struct asking *a)
{
    enum step step = GOING_ON;
    while (step == GOING_ON) {
        struct pollfd p = {a->tty, POLLIN, 0};
        if (ppoll(&p, 1, NULL, &a->mask) > 0)
            step = take(a);
        else if (came)
            step = SIGNAL;
        else if (errno != EINTR)
            step = END;
    }
    return step;
}

static enum step ask_once(struct asking *a, const char *prompt)
{
    a->len = 0;
    a->is_long = false;
    catch_signals(a);
    enum step step = END;
    if (hide(a)) {
        put(a, prompt);
        step = read_line(a);
        tcsetattr(a->tty, TCSAFLUSH, &a->before); /* and no part of it is left for the shell */
        put(a, "\n");
    }
    release_signals(a);
    a->out[a->len] = '\0';
    return step;
}

/* Whether to ask again: it was a stop, and has been continued. Meanwhile the shell may have set the
 * terminal's modes. */
static bool pass_on_signal(void)
{
    int number = came;
    raise(number);
    return number == SIGTSTP || number == SIGCONT;
}

static enum prompt_answer ask(struct asking *a, const char *prompt)
{
    enum step step;
    while ((step = ask_once(a, prompt)) == SIGNAL && pass_on_signal())
        continue;
    if (step == LINE && a->is_long)
        return PROMPT_TOO_LONG;
    return step == LINE ? PROMPT_DONE : PROMPT_ENDED;
}

enum prompt_answer prompt_secret(char *out, size_t room, const char *prompt)
{
    struct asking a = {.out = out, .room = room};
    a.tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    enum prompt_answer answer = PROMPT_NO_TERMINAL;
    if (a.tty >= 0) {
        answer = ask(&a, prompt);
        close(a.tty);
    }
    if (answer != PROMPT_DONE)
        stt_env_wipe(out, room);
    return answer;
}
