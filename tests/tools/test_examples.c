/* SPDX-License-Identifier: MIT
 * What the manual and README show is run as it is written, on one machine: `alpha$` and `beta$` are
 * folders with homes of their own, and the host alpha is 127.0.0.1. Ports are free ones, and peer
 * ids those that alpha has said. An example that does not work fails. */
#include "tests/support/programs.h"
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"

#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOURCE          STT_SPEC_DIR "/.."
#define MUST(condition) ck_assert_msg((condition), "%s: %m", #condition)
enum { ROOM = 8192, JOBS_MAX = 4, INTERRUPTED = 130 };

static struct programs p;

/* One example: its lines, and what the test knows about it. */
struct example {
    char text[ROOM]; /* as it is shown, without the format's own marks */
    char script[ROOM];
    char shown_id[100], id[100]; /* of the page, and of this run */
    uint16_t port, local_port, web_port;
    int web; /* a server, for what is forwarded */
    struct job *listeners[JOBS_MAX], *last;
    unsigned n_listeners;
};

/* What has to be there afterwards, in the folder above alpha and beta; and what beta has printed.
 */
static const struct {
    const char *mark, *command, *prints;
} results[] = {
    {"backup.img", "cmp alpha/backup.img beta/backup.img", NULL},
    {"log.txt", "cmp alpha/log.txt beta/log.txt", NULL},
    {"report.txt", "cmp alpha/report.txt beta/report.txt && grep '\"exit\":0' alpha/events", NULL},
    {"photos", "diff -r alpha/photos/2024 beta/2024 && diff -r alpha/photos/2025 beta/2025", NULL},
    {"restored",
     "cd alpha/restored/project && cmp file ../../../beta/project/file && ! test -e cache", NULL},
    {"uniq -c", NULL, "2 two"},
    {"echo yes", NULL, "yes"},
    {"echo hello", NULL, "hello"},
    {"echo $?", NULL, "\n0\r"},
    {"--stats", NULL, "round trip"},
    {"test.html", "grep -q '</html>' beta/test.html", NULL},
    {"test.json", "grep -qE '\"authenticated\": ?\"seed\"' beta/test.json", NULL},
    {" -L ", NULL, NULL}, /* that was looked at on the way */
};

/* -- from pages to lines ------------------------------------------------------------------------
 */

static void append(char out[ROOM], const char *text, size_t len)
{
    size_t at = strlen(out);
    ck_assert_uint_lt(at + len, ROOM);
    memcpy(out + at, text, len);
    out[at + len] = '\0';
}

/* A line of a page, with its end. */
static void append_roff(char out[ROOM], const char *line, size_t len)
{
    static const char *const marks[][2] = {{"\\-", "-"}, {"\\(aq", "'"}, {"\\e", "\\"}};
    for (const char *end = line + len; line < end;) {
        size_t n = 1;
        const char *as = line;
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
            if (strncmp(line, marks[i][0], strlen(marks[i][0])) == 0) {
                n = strlen(marks[i][0]);
                as = marks[i][1];
            }
        append(out, as, 1);
        line += n;
    }
}

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* The next example behind *at. */
static bool next_of_page(const char **at, char out[ROOM])
{
    bool is_inside = false;
    *out = '\0';
    for (const char *line = *at, *end; (end = strchr(line, '\n')); line = end + 1) {
        *at = end + 1;
        if (begins(line, ".SH "))
            return false;
        if (begins(line, ".fi"))
            return true;
        if (is_inside)
            append_roff(out, line, (size_t)(end - line) + 1);
        is_inside = is_inside || begins(line, ".nf");
    }
    return false;
}

static bool next_of_readme(const char **at, char out[ROOM])
{
    *out = '\0';
    for (const char *line = *at, *end; (end = strchr(line, '\n')); line = end + 1) {
        *at = end + 1;
        if (begins(line, "    alpha$") || begins(line, "    beta$"))
            append(out, line + 4, (size_t)(end - line) - 3);
        else if (*out)
            return true;
    }
    return false;
}

/* -- from lines to commands ---------------------------------------------------------------------
 */

static void replace(char text[ROOM], const char *what, const char *with)
{
    char out[ROOM] = "";
    const char *from = text;
    for (const char *at; *what && (at = strstr(from, what)); from = at + strlen(what)) {
        append(out, from, (size_t)(at - from));
        append(out, with, strlen(with));
    }
    append(out, from, strlen(from));
    strcpy(text, out);
}

static void replace_number(char text[ROOM], const char *what, unsigned with)
{
    char number[16];
    snprintf(number, sizeof number, "%u", with);
    replace(text, what, number);
}

/* In a home of the machine's own. */
static const char *script_of(struct example *x, const char *machine, const char *lines)
{
    char begin[200], web[40];
    snprintf(begin, sizeof begin,
             "cd ./%s || exit\nexport HOME=\"$PWD\"\nunset STT_CONFIG_DIR XDG_CONFIG_HOME\n",
             machine);
    snprintf(web, sizeof web, "localhost:%u ", x->web_port);
    strcpy(x->script, begin);
    append(x->script, lines, strlen(lines));
    replace(x->script, " alpha ", " 127.0.0.1 ");
    replace(x->script, " alpha\n", " 127.0.0.1\n");
    replace(x->script, "sttbench -s", "sttbench -p 4433 -s");
    replace(x->script, "sttbench -c", "sttbench -p 4433 -t 300ms -c");
    replace_number(x->script, "4433", x->port);
    replace_number(x->script, "8080", x->local_port);
    replace(x->script, "localhost:80 ", web);
    replace(x->script, x->shown_id, x->id);
    replace(x->script, "/etc/daemon/identity", "identity");
    if (IS_SANITIZED)
        replace(x->script, "-c 1G", "-c 16M");
    return x->script;
}

/* What people know by then: the peer id that is shown is that one. */
static void learn_id(struct example *x, const struct job *j)
{
    const char *at = strstr(j->out.text, "stt1");
    ck_assert_msg(at, "no peer id: %s", x->text);
    snprintf(x->id, sizeof x->id, "%.*s", (int)strcspn(at, "\n"), at);
}

/* On a terminal all is in one. */
static const char *text_of(const struct said *s)
{
    return s->text ? s->text : "";
}

static void require(struct example *x, struct job *j, int status)
{
    int was = job_wait(j);
    ck_assert_msg(was == status, "%d and not %d:\n%s%s%s", was, status, x->text, text_of(&j->out),
                  text_of(&j->err));
}

/* -- alpha --------------------------------------------------------------------------------------
 */

static void wait_for_listener(struct example *x, struct job *j, const char *line)
{
    if (strstr(line, "./echo")) {
        job_shows(j, "stt1");
        job_shows(j, "\n");
        learn_id(x, j);
    } else if (strstr(line, "2>events")) {
        job_require(programs_run(&p, "until grep -q listening alpha/events; do sleep 0.02; done"),
                    0);
    } else if (strstr(line, "sttbench")) {
        job_shows(j, "Server listening");
    } else {
        job_line(j, "listening on");
    }
}

static bool is_listener(const char *line)
{
    return strstr(line, "sttcat -l") || strstr(line, "./echo") || strstr(line, "sttbench -s");
}

static void do_at_alpha(struct example *x, const char *line)
{
    const char *script = script_of(x, "alpha", line);
    if (is_listener(line)) {
        struct job *j = programs_start(&p, "%s", script);
        ck_assert_uint_lt(x->n_listeners, JOBS_MAX);
        x->listeners[x->n_listeners++] = j;
        wait_for_listener(x, j, line);
        return;
    }
    x->last = programs_run(&p, "%s", script);
    require(x, x->last, 0);
    if (strstr(line, "sttkey gen"))
        learn_id(x, x->last);
    if (strstr(line, "sttkey seed -o"))
        job_require(programs_run(&p, "cp -p alpha/group.seed beta/"), 0); /* on a safe way */
}

/* -- beta ---------------------------------------------------------------------------------------
 */

static int tcp_socket(uint16_t port, bool listens)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 5};
    MUST(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    if (listens)
        MUST(bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && listen(fd, 5) == 0);
    else
        MUST(connect(fd, (struct sockaddr *)&name, sizeof name) == 0);
    return fd;
}

static void say(int from, int to, const char *text)
{
    char heard[64] = "";
    size_t len = strlen(text);
    MUST(write(from, text, len) == (ssize_t)len);
    MUST(recv(to, heard, len, MSG_WAITALL) == (ssize_t)len);
    ck_assert_str_eq(heard, text);
}

static void forward(struct example *x, struct job *j)
{
    job_line(j, "listening at");
    int browser = tcp_socket(x->local_port, false);
    int server = accept4(x->web, NULL, NULL, SOCK_CLOEXEC);
    MUST(server >= 0);
    say(browser, server, "GET /");
    say(server, browser, "200 OK");
    close(browser);
    close(server);
    job_signal_all(j, SIGINT);
    require(x, j, INTERRUPTED);
}

static bool asks_for_a_code(const char *lines)
{
    return !strstr(lines, "--seed-file") && !strstr(lines, "--peer") &&
           !strstr(lines, "--code-fd") && !strstr(lines, "sttbench");
}

static void do_at_beta(struct example *x, const char *lines)
{
    const char *script = script_of(x, "beta", lines);
    if (asks_for_a_code(lines)) {
        const char *code = strstr(job_line(x->listeners[0], "good once: "), "once: ") + 6;
        struct job *j = programs_start_on_terminal(&p, "%s", script);
        job_shows(j, "code: ");
        job_type(j, code);
        job_type(j, "\n");
        x->last = j;
    } else {
        x->last = programs_start(&p, "%s", script);
    }
    if (strstr(lines, " -L "))
        forward(x, x->last);
    else
        require(x, x->last, 0);
}

/* -- all of it ----------------------------------------------------------------------------------
 */

/* What people have at hand who read this. */
static void prepare(struct example *x)
{
    static const char files[] =
        "rm -rf alpha beta; mkdir -p alpha/restored beta/2024/may beta/2025 beta/project/cache &&"
        "for f in backup.img 2024/1 2024/may/2 2025/3 project/file;"
        "do head -c 300000 /dev/urandom >beta/$f || exit; done;"
        "echo one line >beta/log.txt; echo report >beta/report.txt; touch beta/project/cache/x;"
        "printf 'two\\none\\ntwo\\n' >beta/words;"
        "echo correct horse battery | tee alpha/passphrase >beta/passphrase";
    static const char build_echo[] =
        "built=$(dirname \"$(command -v sttcat)\") && cc -I '" SOURCE "' '" SOURCE
        "/tools/examples/echo.c' -L \"$built\" -lstt -Wl,-rpath,\"$built\" -o alpha/echo";
    struct sockaddr_in name;
    socklen_t len = sizeof name;
    const char *shown = strstr(x->text, "\nstt1");
    job_require(programs_run(&p, files), 0);
    if (!strstr(x->text, "sttkey seed"))
        job_require(
            programs_run(&p, "sttkey seed -o alpha/group.seed && cp -p alpha/group.seed beta/"), 0);
    if (strstr(x->text, "./echo"))
        job_require(programs_run(&p, "%s", build_echo), 0);
    if (shown)
        snprintf(x->shown_id, sizeof x->shown_id, "%.*s", (int)strcspn(shown + 1, "\n"), shown + 1);
    x->port = programs_port();
    x->local_port = programs_tcp_port();
    x->web = tcp_socket(0, true);
    MUST(getsockname(x->web, (struct sockaddr *)&name, &len) == 0);
    x->web_port = ntohs(name.sin_port);
}

static void check_results(const struct example *x)
{
    const struct job *j = x->last;
    unsigned n = 0;
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        const char *prints = results[i].prints;
        if (!strstr(x->text, results[i].mark))
            continue;
        n++;
        if (results[i].command)
            job_require(programs_run(&p, "%s", results[i].command), 0);
        if (prints)
            ck_assert_msg(strstr(text_of(&j->out), prints) || strstr(text_of(&j->err), prints),
                          "no '%s':\n%s%s%s", prints, x->text, text_of(&j->out), text_of(&j->err));
    }
    ck_assert_msg(n > 0, "nothing to see whether it works:\n%s", x->text);
}

static bool goes_on(const char *command)
{
    return strstr(command, " -k ") || strstr(command, "./echo") ||
           (strstr(command, "sttbench") && !strstr(command, " -1 "));
}

static void run(struct example *x)
{
    char beta[ROOM] = "";
    prepare(x);
    for (char *line = x->text, *end; (end = strchr(line, '\n')); line = end + 1) {
        char one[ROOM] = "";
        append(one, line, (size_t)(end - line) + 1);
        if (begins(one, "alpha$ "))
            do_at_alpha(x, one + 7);
        else if (begins(one, "beta$  "))
            append(beta, one + 7, strlen(one + 7));
    }
    ck_assert_msg(*beta, "nothing for beta to do: %s", x->text);
    do_at_beta(x, beta);
    for (unsigned i = 0; i < x->n_listeners; i++) {
        struct job *j = x->listeners[i];
        if (goes_on(j->command))
            job_signal_all(j, SIGINT);
        require(x, j, goes_on(j->command) ? INTERRUPTED : 0);
    }
    check_results(x);
    close(x->web);
}

static unsigned run_all(const char *path, const char *heading,
                        bool next(const char **at, char out[ROOM]))
{
    static struct example x;
    unsigned n = 0;
    size_t len;
    char *page = trees_read(path, &len);
    const char *at = strstr(page, heading);
    ck_assert_ptr_nonnull(at);
    at += strlen(heading);
    for (x = (struct example){.web = -1}; next(&at, x.text); x = (struct example){.web = -1}) {
        if (!strstr(x.text, "beta$ ") || (IS_SANITIZED && strstr(x.text, "./echo")))
            continue;
        run(&x);
        n++;
    }
    free(page);
    return n;
}

START_TEST(those_of_sttcat)
{
    ck_assert(programs_begin(&p, NULL));
    ck_assert_uint_ge(
        run_all(SOURCE "/tools/man/sttcat.1", "\n.SH EXAMPLES\n", next_of_page) + IS_SANITIZED, 11);
    programs_end(&p);
}
END_TEST

START_TEST(those_of_readme)
{
    ck_assert(programs_begin(&p, NULL));
    ck_assert_uint_ge(run_all(SOURCE "/README.md", "# STT\n", next_of_readme), 1);
    programs_end(&p);
}
END_TEST

/* Of one machine, and each after the other. */
START_TEST(those_of_sttkey)
{
    static struct example x;
    unsigned n = 0;
    size_t len;
    char *page = trees_read(SOURCE "/tools/man/sttkey.1", &len);
    const char *at = strstr(page, "\n.SH EXAMPLES\n");
    ck_assert(programs_begin(&p, NULL));
    job_require(programs_run(&p, "mkdir alpha && sttkey gen -o alpha/identity"), 0);
    for (at += 14; next_of_page(&at, x.text); n++) {
        bool is_script = !strstr(x.text, "$ ");
        for (char *line = x.text, *end; (end = strchr(line, '\n')); line = end + 1) {
            *end = '\0';
            if (strncmp(line, "$ scp ", 6) != 0 && (is_script || begins(line, "$ ")))
                job_require(programs_run(&p, "%s", script_of(&x, "alpha", line + 2 * !is_script)),
                            0);
        }
    }
    ck_assert_uint_ge(n, 4);
    free(page);
    programs_end(&p);
}
END_TEST

/* What a verb takes so that it is over in a moment: the last of two wishes counts. */
static const struct {
    const char *begins, *more;
} in_short[] = {
    {"sttbench compare", " --runs 1 -t 20ms --warm-up 10ms"},
    {"sttbench cpu", " -t 200ms"},
    {"sttbench latency", " -t 200ms"},
    {"sttbench handshake", " -n 20"},
    {"sttbench sessions", " -n 40 -t 200ms"},
    {"sttbench streams", " -n 20 -t 500ms"},
    {"sttbench link --matrix", " -t 50ms --seeds 1"},
    {"sttbench link", " -t 300ms --seeds 1"},
    {"sttbench chaos --seed", ""},
    {"sttbench chaos", " -n 2"},
    {"sttbench engine", ""},
    {"sttbench doctor", ""},
};

static void run_in_short(const char *command)
{
    size_t i = 0, len = strcspn(command, ">");
    while (i < sizeof in_short / sizeof in_short[0] && !begins(command, in_short[i].begins))
        i++;
    ck_assert_msg(i < sizeof in_short / sizeof in_short[0], "how is this short? %s", command);
    struct job *j =
        programs_run(&p, "%.*s%s %s", (int)len, command, in_short[i].more, command + len);
    job_require(j, 0);
}

/* "$ " is for everybody, on one machine; "# " needs root and minutes, and is not tried. */
START_TEST(those_of_sttbench)
{
    static struct example x;
    unsigned n = 0;
    size_t len;
    ck_assert(programs_begin(&p, NULL));
    ck_assert_uint_ge(run_all(SOURCE "/tools/man/sttbench.1", "\n.SH EXAMPLES\n", next_of_page), 2);
    char *page = trees_read(SOURCE "/tools/man/sttbench.1", &len);
    const char *at = strstr(page, "\n.SH EXAMPLES\n") + 14;
    while (next_of_page(&at, x.text))
        for (char *line = strtok(x.text, "\n"); line; line = strtok(NULL, "\n"))
            if (begins(line, "$ ")) {
                run_in_short(line + 2);
                n++;
            }
    ck_assert_uint_ge(n, 12);
    free(page);
    programs_end(&p);
}
END_TEST

SUITE("examples", TEST(those_of_sttcat), TEST(those_of_readme), TEST(those_of_sttkey),
      TEST(those_of_sttbench))
