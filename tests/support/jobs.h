/* SPDX-License-Identifier: MIT
 * jobs: a shell command that runs, what it says, and how it ended. Begun by programs.h. */
#ifndef TESTS_SUPPORT_JOBS_H
#define TESTS_SUPPORT_JOBS_H

#include "stt/types.h"

#include <stdarg.h>

#define JOB_PATIENCE_NS STT_S(30)
/* Of what a job says so much is kept, each way; the rest is read and counted. */
enum { JOB_KEPT_BYTES = 1 << 20 };

struct programs;
struct said {
    int fd;         /* -1: it has ended */
    char *text;     /* with a zero byte behind it */
    size_t len;     /* kept */
    uint64_t bytes; /* in all */
    size_t looked;  /* how far the test has looked */
    size_t room;    /* of text */
};

/* All good until programs_end(). */
struct job {
    struct programs *programs;
    struct job *next;
    char *command;
    int pid; /* and its session and its process group */
    int pid_fd, input;
    bool has_terminal, has_ended;
    int status;            /* exit status, or 128 and the signal */
    stt_ns began, took_ns; /* from fork to end */
    struct said out, err;  /* on a terminal all is in out */
};

/* Waits for its end; asserts that it has this status. */
void job_require(struct job *j, int status);
int job_wait(struct job *j);
/* So long at most. False: it goes on. */
bool job_ends_within(struct job *j, stt_ns within_ns);

/* The next line of its stderr with this text in it, without its end; good until the next call. The
 * second one waits so long at most; NULL: it did not come. */
const char *job_line(struct job *j, const char *text);
const char *job_line_within(struct job *j, const char *text, stt_ns within_ns);
/* Its stdout, or its terminal, shows this text behind what was looked for before. */
void job_shows(struct job *j, const char *text);
bool job_shows_within(struct job *j, const char *text, stt_ns within_ns);

void job_signal(struct job *j, int signal);     /* to itself */
void job_signal_all(struct job *j, int signal); /* to its process group */
void job_kill(struct job *j);                   /* at once, with its group, and waits */

/* Keys, or input; false: nobody takes it any more. */
bool job_write(struct job *j, const void *data, size_t len);
bool job_type(struct job *j, const char *keys);
void job_end_input(struct job *j);
void job_resize(struct job *j, unsigned columns, unsigned rows);
bool job_echoes(struct job *j); /* its terminal, what is typed */

/* -- for programs.c ----------------------------------------------------------------------------
 */

enum job_input { JOB_EMPTY, JOB_FED, JOB_ON_TERMINAL };
/* With these variables; takes the command. */
struct job *job_start(struct programs *p, enum job_input input, char *command, char **environment);
void jobs_free(struct programs *p);

#endif
