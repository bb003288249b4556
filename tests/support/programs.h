/* SPDX-License-Identifier: MIT
 * programs: the tools that were built, driven as a script or a person does it: by shell commands in
 * a folder of the test's own, with nothing of the user's in their environment.
 *
 *     struct programs p;
 *     if (!programs_begin(&p, "uring"))     or "mmsg", or NULL: as they like
 *         return;                           this machine does not allow it
 *     uint16_t port = programs_port();
 *     struct job *l = programs_start(&p, "exec sttcat -v -l 127.0.0.1 %u >out", port);
 *     job_line(l, "listening");
 *     job_require(programs_run(&p, "echo hello | sttcat 127.0.0.1 %u", port), 0);
 *     job_require(l, 0);
 *     programs_end(&p);
 *
 * The folder is the current one, of the test, too. Commands are run by /bin/sh, each in a session
 * of its own, so without a terminal unless it gets one. What a signal should reach begins with
 * `exec`. Nothing sleeps, and what takes longer than JOB_PATIENCE_NS fails the test with what
 * was said until then. Whatever becomes of the test, afterwards nothing of it runs, and the folder
 * is gone. What a sanitizer has to say of a program fails the test, wherever its stderr goes. */
#ifndef TESTS_SUPPORT_PROGRAMS_H
#define TESTS_SUPPORT_PROGRAMS_H

#include "tests/support/jobs.h"
#include "tests/support/trees.h"
#include "tests/support/wan.h"

enum { PROGRAMS_WANS_MAX = 4 };

struct programs {
    char root[256];   /* of it all: */
    char home[272];   /* HOME, in it; not the current folder */
    char config[288]; /* STT_CONFIG_DIR, which is not there until somebody makes it, mode 0700 */
    const char *io;   /* STT_IO, or NULL */
    struct job *jobs;
    int guard; /* who cleans up hears from us by this */
    int guard_pid;
    struct wan *wans[PROGRAMS_WANS_MAX]; /* in the order in which they were made */
    unsigned n_wans;
    bool may_complain; /* what sanitizers say is looked at by the test itself */
};

/* False: the machine has no such driver. Below $TMPDIR, or in memory. */
bool programs_begin(struct programs *p, const char *io);
bool programs_begin_in_memory(struct programs *p, const char *io);
void programs_end(struct programs *p);
/* What a sanitizer has said of one of the programs, or NULL. */
const char *programs_complaint(const struct programs *p);

/* "uring" and "mmsg": LOOP(test, 0, PROGRAMS_IOS), and programs_ios[_i]. */
enum { PROGRAMS_IOS = 2 };
extern const char *const programs_ios[PROGRAMS_IOS];

/* What nobody has right now. */
uint16_t programs_port(void);
uint16_t programs_tcp_port(void);
/* A bad way, for one client, to this port of 127.0.0.1: answers the port to connect to. */
uint16_t programs_wan(struct programs *p, uint16_t port, const struct wan_config *config,
                      uint64_t seed);

/* -- commands: see jobs.h ----------------------------------------------------------------------
 */

#define PROGRAMS_PRINTF __attribute__((format(printf, 2, 3)))
/* To its end; what it has left running is killed. Its input is empty. */
PROGRAMS_PRINTF struct job *programs_run(struct programs *p, const char *format, ...);
/* In the background, its input empty; with job_write() as its input; on a terminal of 80 x 24. */
PROGRAMS_PRINTF struct job *programs_start(struct programs *p, const char *format, ...);
PROGRAMS_PRINTF struct job *programs_start_fed(struct programs *p, const char *format, ...);
PROGRAMS_PRINTF struct job *programs_start_on_terminal(struct programs *p, const char *format, ...);

#endif
