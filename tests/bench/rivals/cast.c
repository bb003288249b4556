/* SPDX-License-Identifier: MIT
 * cast: owns the processes of all flows. Invariant: none outlives this one. They run before
 * everybody else's work and after the relay, so that a busy machine changes little. */
#include "tests/bench/rivals/cast.h"

#include "tests/bench/rivals/relay.h"
#include "tools/common/say.h"
#include "tools/sttbench/shared/pair.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PRIORITY = 20 };
#define BEFORE_NS STT_MS(300) /* for all receivers to listen */

bool cast_hurry(int priority)
{
    struct sched_param p = {.sched_priority = priority};
    return sched_setscheduler(0, SCHED_FIFO, &p) == 0;
}

void cast_sleep_until(stt_ns at)
{
    struct timespec t = {.tv_sec = (time_t)(at / STT_S(1)), .tv_nsec = (long)(at % STT_S(1))};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

stt_ns cast_deadline(const struct cast_board *b, const struct cast_seat *seat)
{
    stt_ns start = b->epoch_ns + seat->flow.start_ns, left = b->until_ns - start;
    return start + (seat->flow.duration_ns < left ? seat->flow.duration_ns : left);
}

/* A child that comes after its parent's end ends, too. */
static _Noreturn void play(struct cast_board *b, struct cast_seat *seat, int end, int network)
{
    static bool (*const parts[2][2])(struct cast_board *, struct cast_seat *) = {
        {stt_send, stt_receive}, {tcp_send, tcp_receive}};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1ul);
    signal(SIGPIPE, SIG_IGN);
    (void)cast_hurry(PRIORITY);
    if (setns(network, CLONE_NEWNET)) {
        say_error("a network cannot be entered: %s", strerror(errno));
        _exit(EXIT_FAILURE);
    }
    if (end == NETS_NEAR_END)
        cast_sleep_until(b->epoch_ns + seat->flow.start_ns);
    _exit(parts[seat->flow.is_tcp][end](b, seat) ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void seat_all(struct cast_board *b, const struct scene *s, enum stt_io io)
{
    b->epoch_ns = relay_now() + BEFORE_NS;
    b->until_ns = b->epoch_ns + s->time_ns;
    b->most_bytes = scene_most_under_way(s);
    b->io = io;
    b->n_seats = s->n_flows;
    for (size_t i = 0; i < s->n_flows; i++) {
        b->seats[i].flow = s->flows[i];
        b->seats[i].meeting = (struct ends_meeting){.address = NETS_FAR};
    }
}

bool cast_start(struct cast *c, const struct scene *s, const struct nets *n, enum stt_io io)
{
    *c = (struct cast){.board = pair_memory(sizeof *c->board)};
    if (!c->board)
        return false;
    seat_all(c->board, s, io);
    fflush(NULL);
    for (size_t i = 0; i < 2 * s->n_flows; i++) {
        int end = i % 2 ? NETS_NEAR_END : NETS_FAR_END;
        c->pids[i] = fork();
        if (c->pids[i] == 0)
            play(c->board, &c->board->seats[i / 2], end, n->ends[end]);
        if (c->pids[i] < 0) {
            say_error("a process cannot be made: %s", strerror(errno));
            cast_stop(c);
            return false;
        }
    }
    return true;
}

unsigned cast_stop(struct cast *c)
{
    unsigned failed = 0;
    for (size_t i = 0; i < 2 * c->board->n_seats; i++) {
        int status = 0;
        if (c->pids[i] <= 0)
            continue;
        kill(c->pids[i], SIGKILL); /* nothing to one that has ended */
        waitpid(c->pids[i], &status, 0);
        failed += WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SUCCESS;
    }
    return failed;
}
