/* SPDX-License-Identifier: MIT
 * course: one test as one side sees it, from START to its result: lanes, times, intervals, and what
 * both sides say of themselves. Client and server have the same. */
#ifndef TOOLS_STTBENCH_TRANSFER_COURSE_H
#define TOOLS_STTBENCH_TRANSFER_COURSE_H

#include "tools/sttbench/shared/diagnosis.h"
#include "tools/sttbench/transfer/channel.h"
#include "tools/sttbench/transfer/flags.h"
#include "tools/sttbench/transfer/lane.h"
#include "tools/sttbench/transfer/post.h"
#include "tools/sttbench/transfer/side.h"

struct course;

struct course_interval {
    stt_ns from, to; /* since it began to count */
    bool is_omitted;
};

/* Who tells people or programs of it while it goes on. */
struct teller {
    void (*begin)(const struct course *c);
    void (*interval)(const struct course *c, const struct course_interval *interval);
};

enum course_stage {
    COURSE_GATHERING, /* lanes are being made */
    COURSE_RUNNING,
    COURSE_SETTLING, /* ours are over; the other side's results are awaited */
    COURSE_OVER,     /* both have all */
};

struct course {
    const struct flags *flags;
    const struct teller *teller;
    struct loop *loop;
    struct stt_node *node;
    bool is_client;
    struct talk_test test;
    struct talk_token token;
    const struct post *host;
    stt_handle control; /* the session of the control stream */

    enum course_stage stage;
    struct lane *lanes;
    uint32_t n_lanes, n_joined;
    uint64_t left; /* counted tests: what this side has still to send */
    stt_ns started_at, counts_from, ended_at;
    bool is_omitting, has_stopped;
    stt_ns interval_from, interval_at; /* since counts_from: of the one that runs, and its end */
    stt_ns moved_at;
    uint64_t moved;

    struct side_seen base;
    struct talk_side side, other_side; /* ours, and the other side's */
    struct talk_lane *results, *other_results;
    bool *has_other;
    uint32_t n_other;
    bool has_other_side, has_heard_done;
};

struct course_config {
    const struct flags *flags;
    const struct teller *teller;
    struct loop *loop;
    const struct talk_test *test;
    struct talk_token token;
    bool is_client;
};
/* False: no memory. */
bool course_init(struct course *c, const struct course_config *config);
void course_fini(struct course *c);

/* A lane's stream is there. */
void course_join(struct course *c, uint32_t lane, stt_handle session, stt_handle stream);
bool course_has_joined(const struct course *c, uint32_t lane);
/* All of them are, and both sides know it. */
void course_start(struct course *c);

/* False: the other side broke the rules. */
bool course_on_stream(struct course *c, uint32_t lane, const struct stt_stream_event *event);
/* Of results: SIDE, LANE, DONE. */
bool course_on_message(struct course *c, const struct talk_message *m);

enum course_turn { COURSE_IDLE, COURSE_BUSY, COURSE_HAS_RESULTS, COURSE_TOO_LATE };
/* HAS_RESULTS, once: ours are to be said now. */
enum course_turn course_turn(struct course *c);
bool course_say_results(const struct course *c, struct channel *channel);

/* It ends here: with all results, or with what there is. */
void course_stop(struct course *c);
/* Both have said all. DONE, or INTEGRITY and a sentence. */
enum exits course_judge(const struct course *c, char why[OPTION_WHY_ROOM]);

/* What both know of a lane: its sender's figures, and its receiver's; NULL: not told. */
const struct talk_lane *course_sent(const struct course *c, uint32_t lane);
const struct talk_lane *course_received(const struct course *c, uint32_t lane);
/* What limited the direction of ours (true) or theirs; false: nobody sends there. */
bool course_diagnose(const struct course *c, bool ours, char sentence[DIAGNOSIS_ROOM],
                     enum diagnosis_limit *limit);

#endif
