/* SPDX-License-Identifier: MIT
 * transfer: sttbench -s and -c: owns the process: where its output goes, whether it stays in the
 * foreground, who it is. */
#include "tools/common/say.h"
#include "tools/common/secrets.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/transfer/client.h"
#include "tools/sttbench/transfer/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int waiting = -1; /* who started a daemon, and waits until it listens */
static char *pid_path;   /* whole: a daemon goes elsewhere */

static bool redirect(const struct flags *f)
{
    int fd = f->logfile ? open(f->logfile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (!f->logfile)
        return true;
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) {
        say_error("%s: %s; check --logfile", f->logfile, strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

static bool write_pid(const struct flags *f)
{
    FILE *file = f->pidfile ? fopen(f->pidfile, "we") : NULL;
    bool is_good = !f->pidfile || (file && fprintf(file, "%ld\n", (long)getpid()) > 0);
    if (file && fclose(file))
        is_good = false;
    pid_path = f->pidfile && is_good ? realpath(f->pidfile, NULL) : NULL;
    if (!is_good)
        say_error("%s: %s; check --pidfile", f->pidfile, strerror(errno));
    return is_good;
}

/* -- a daemon ---------------------------------------------------------------------------------- */

/* Ends with what the daemon has ended with, if it does so before it listens. */
static _Noreturn void wait_for(pid_t pid, int from)
{
    char byte;
    int status = 0;
    if (read(from, &byte, 1) == 1)
        _exit(EXIT_DONE);
    waitpid(pid, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_LOCAL_IO);
}

static bool become_daemon(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return false;
    if (pid > 0) {
        close(ends[1]);
        wait_for(pid, ends[0]);
    }
    close(ends[0]);
    waiting = ends[1];
    setsid();
    return true;
}

/* It says no more to whoever started it, and stands in nobody's way. */
static void listens(void)
{
    if (waiting < 0)
        return;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; nothing >= 0 && fd < 3; fd++)
        if (fd != STDOUT_FILENO || isatty(fd))
            dup2(nothing, fd);
    (void)!write(waiting, "", 1);
    close(waiting);
    waiting = -1;
    (void)!chdir("/");
}

/* ---------------------------------------------------------------------------------------------- */

static enum exits run(const struct flags *f)
{
    const struct output *output = f->json || f->json_stream ? &output_json : &output_lines;
    output->open(f);
    return f->is_server ? server_run(f, output, listens) : client_run(f, output);
}

enum exits bench_transfer(int argc, char **argv)
{
    static struct flags flags;
    enum exits exit;
    secrets_protect_process();
    if (!flags_read(&flags, argc, argv, &exit))
        return exit;
    if (!redirect(&flags))
        return EXIT_LOCAL_IO;
    if (flags.daemon && !become_daemon()) {
        say_error("it cannot go into the background: %s", strerror(errno));
        return EXIT_LOCAL_IO;
    }
    if (!write_pid(&flags))
        return EXIT_LOCAL_IO;
    exit = run(&flags);
    if (pid_path)
        unlink(pid_path);
    free(pid_path);
    if (fflush(stdout) || ferror(stdout)) {
        say_error("standard output cannot be written: %s", strerror(errno));
        return exit ? exit : EXIT_LOCAL_IO;
    }
    return exit;
}
