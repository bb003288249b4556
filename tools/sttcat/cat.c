/* SPDX-License-Identifier: MIT
 * cat: makes the node, lets peers come or goes to one, and gives each event to whom it concerns.
 * A listener without -k is over with its first peer that has said HELLO; those who only looked, or
 * failed before, do not count. Must not know what a job does. */
#include "tools/sttcat/cat.h"

#include "tools/common/say.h"
#include "tools/sttcat/command.h"
#include "tools/sttcat/door.h"
#include "tools/sttcat/report.h"
#include "tools/sttcat/setup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READER_GONE "the program that reads its output has ended"

struct cat {
    struct plan *plan;
    struct door *door;
    struct stt_node *node;
    struct loop loop;
    struct peer *peers[SETUP_PEERS_MAX];
    uint32_t n_peers;
    struct peer *seated;  /* whom a listener without -k serves */
    struct peer *speaker; /* who has standard output */
    bool stdin_is_taken, stdout_is_gone, is_stopping, is_over;
    stt_ns stop_at;
    int result;
};

/* -- what jobs ask -------------------------------------------------------------------------------
 */

int cat_take_stdin(struct cat *cat)
{
    const struct plan_flags *f = &cat->plan->flags;
    if (cat->stdin_is_taken || f->no_stdin || f->recv_only)
        return -1;
    cat->stdin_is_taken = true;
    return STDIN_FILENO;
}

bool cat_may_begin(struct cat *cat, struct peer *p)
{
    if (cat->plan->job != JOB_PIPE || cat->plan->flags.exec)
        return true;
    if (!cat->speaker)
        cat->speaker = p;
    return cat->speaker == p;
}

bool cat_seat(struct cat *cat, struct peer *p)
{
    if (!cat->plan->flags.listen || cat->plan->flags.keep_open)
        return true;
    if (!cat->seated)
        cat->seated = p;
    return cat->seated == p;
}

void cat_greeted(struct cat *cat, struct peer *p)
{
    char why[OPTION_WHY_ROOM];
    if (p->hello.flags & WIRE_DURABLE && !door_remember(cat->door, &p->id, why))
        peer_fail(p, EXIT_PROVEN_WRONG, CODE_REFUSED, "%s", why);
}

void cat_reader_is_gone(struct peer *p)
{
    p->cat->stdout_is_gone = true;
    peer_fail(p, EXIT_SIGNAL + SIGPIPE, CODE_CLOSED, READER_GONE);
}

/* -- peers ---------------------------------------------------------------------------------------
 */

static struct peer *add_peer(struct cat *cat, stt_handle session, bool is_initiator)
{
    struct stt_session_info info;
    struct peer *p = NULL;
    if (cat->n_peers < SETUP_PEERS_MAX)
        p = peer_new(cat, cat->plan, &cat->loop, session, is_initiator);
    if (!p) {
        (void)stt_session_close(stt_node_endpoint(cat->node), cat->loop.now, session, CODE_BUSY,
                                "it serves as many as it can");
        return NULL;
    }
    if (is_initiator)
        snprintf(p->name, sizeof p->name, "%s", cat->plan->to);
    else if (stt_session_info(p->ep, session, &info) == STT_OK)
        stt_address_text(&info.path.remote, p->name);
    cat->peers[cat->n_peers++] = p;
    report_connected(p);
    return p;
}

/* Where there is a code that was drawn here: another one. */
static void renew_code(struct cat *cat)
{
    if (door_renew(cat->door, cat->node))
        door_say(cat->door, cat->plan->at);
}

/* Who came in and was not served has used the code up. */
static void on_left_early(struct cat *cat)
{
    const struct plan_flags *f = &cat->plan->flags;
    if (f->listen && !f->keep_open && cat->n_peers == 0 && !cat->is_over && !cat->is_stopping)
        renew_code(cat);
}

static void forget_peer(struct cat *cat, uint32_t i)
{
    struct peer *p = cat->peers[i];
    const struct plan_flags *f = &cat->plan->flags;
    bool only_looked = peer_only_looked(p);
    report_end(p);
    (void)stt_session_set_user(p->ep, p->session, NULL);
    bool was_seated = cat->seated == p, was_speaker = cat->speaker == p;
    if (was_speaker)
        cat->speaker = NULL;
    if (was_seated)
        cat->seated = NULL; /* progress is asked for once more */
    if (!f->listen || was_seated) {
        cat->result = peer_result(p);
        cat->is_over = true;
    } else if (f->keep_open && peer_result(p) && !cat->is_stopping && !only_looked) {
        cat->result = EXIT_PARTIAL; /* one of many */
    }
    cat->peers[i] = cat->peers[--cat->n_peers];
    cat->loop.n = 0; /* what it waited for goes with it; the others say so again */
    peer_free(p);
    on_left_early(cat);
}

/* -- events --------------------------------------------------------------------------------------
 */

static void say_found(struct cat *cat, stt_handle session)
{
    struct stt_session_info info;
    char id[STT_PEER_ID_TEXT_ROOM];
    if (stt_session_info(stt_node_endpoint(cat->node), session, &info))
        return;
    struct say_object o;
    stt_peer_id_encode(&info.peer, id);
    say_object_begin(&o, "answer");
    say_object_text(&o, "address", cat->plan->to);
    say_object_text(&o, "peer_id", id);
    say_object_number(&o, "rtt_ns", info.rtt_ns);
    say_object_end(&o);
    if (!say_is_json())
        say_note(0, "%s answers, peer %s", cat->plan->to, id);
    (void)stt_session_close(stt_node_endpoint(cat->node), cat->loop.now, session, CODE_DONE, "");
    cat->is_over = true;
}

static void on_connected(struct cat *cat, stt_handle session)
{
    if (cat->plan->flags.scan) {
        say_found(cat, session);
        return;
    }
    struct peer *p = add_peer(cat, session, true);
    if (p)
        peer_begin(p);
    else
        cat->is_over = true, cat->result = EXIT_LOCAL_IO;
}

/* A socket for all addresses of IPv6 takes those of IPv4, too. */
static bool is_of_our_family(const struct cat *cat, stt_handle session)
{
    struct stt_session_info info;
    char from[STT_ADDRESS_TEXT_ROOM];
    if (!cat->plan->flags.ipv6 ||
        stt_session_info(stt_node_endpoint(cat->node), session, &info) != STT_OK)
        return true;
    stt_address_text(&info.path.remote, from);
    return from[0] == '[';
}

static void on_accepted(struct cat *cat, stt_handle session)
{
    struct peer *p;
    if (!is_of_our_family(cat, session)) {
        (void)stt_session_close(stt_node_endpoint(cat->node), cat->loop.now, session, CODE_REFUSED,
                                "it serves peers over IPv6 only");
        on_left_early(cat);
    } else if ((p = add_peer(cat, session, false))) {
        peer_begin(p);
    }
}

/* What else silence may mean. */
static const char *other_reason(const struct cat *cat)
{
    if (door_is_pinned(cat->door))
        return "; it is a known peer, so it was not asked for a code: to give one, say --code";
    if (cat->plan->is_durable && door_mode(cat->door) != STT_MODE_K)
        return "; nor does a listener answer that has the same identity as this side: give one of "
               "them another, with -I";
    return "";
}

static void say_no_answer(const struct cat *cat)
{
    stt_ns wait = setup_patience(cat->plan, cat->door);
    bool is_whole = wait % STT_S(1) == 0;
    bool has_code = door_mode(cat->door) == STT_MODE_W;
    say_error("no answer from %s in %g %s: not running, blocked, or %s%s", cat->plan->to,
              (double)wait / (is_whole ? 1e9 : 1e6), is_whole ? "s" : "ms",
              has_code ? "the code is not good there any more" : "peer id or seed does not match",
              other_reason(cat));
}

/* A known peer that listens with a code: somebody may type it. */
static bool knock_with_code(struct cat *cat)
{
    return door_ask(cat->door) && setup_connect(cat->plan, cat->door, cat->node) == EXIT_DONE;
}

/* Before there was a peer: the connect has failed. */
static void on_no_peer(struct cat *cat, const struct stt_event *event)
{
    char why[OPTION_WHY_ROOM];
    const char *to = cat->plan->to;
    if (cat->plan->flags.listen || cat->is_over || cat->is_stopping)
        return;
    cat->is_over = true;
    cat->result = EXIT_NO_ANSWER;
    switch (event->reason) {
    case STT_REASON_NO_ANSWER:
        if (knock_with_code(cat))
            cat->is_over = false;
        else
            say_no_answer(cat);
        return;
    case STT_REASON_PEER_KEY:
        door_changed(cat->door, why);
        say_error("%s", why);
        cat->result = EXIT_PROVEN_WRONG;
        return;
    case STT_REASON_CODE_WRONG:
        say_error("%s says that the code is wrong; ask for the code there, and try again", to);
        cat->result = EXIT_PROVEN_WRONG;
        return;
    case STT_REASON_NO_ADDRESS:
        say_error("%s cannot be reached: %s", to, event->text);
        return;
    case STT_REASON_APPLICATION:
        say_error("%s speaks another application; see --raw and --application", to);
        cat->result = EXIT_REFUSED;
        return;
    default:
        say_error("%s: %s%s%s", to, stt_reason_text(event->reason), *event->text ? ": " : "",
                  event->text);
        cat->result = EXIT_NETWORK;
    }
}

/* A code that was drawn here has ended: by success, by guesses, or by its age. Without -k success
 * is what it was for, and guesses are somebody's who may go on. */
static void on_code_ended(struct cat *cat, const struct stt_event *event)
{
    bool is_needed = cat->plan->flags.keep_open || cat->n_peers == 0;
    if (event->reason == STT_REASON_CODE_GUESSED && is_needed && !cat->plan->flags.keep_open) {
        say_error("three wrong guesses at the code: it is not good any more; find out who guesses, "
                  "and start again for a new one");
        cat->is_over = true;
        cat->result = EXIT_PROVEN_WRONG;
    } else if (is_needed && event->reason != STT_REASON_LOCAL_CLOSE &&
               (cat->plan->flags.keep_open || event->reason != STT_REASON_CODE_USED)) {
        renew_code(cat);
    }
}

static struct peer *peer_of(struct cat *cat, stt_handle session)
{
    return session ? stt_session_user(stt_node_endpoint(cat->node), session) : NULL;
}

static void on_event(struct cat *cat, const struct stt_event *event)
{
    struct peer *p = peer_of(cat, event->session);
    switch (event->type) {
    case STT_EVENT_CONNECTED:
        on_connected(cat, event->session);
        break;
    case STT_EVENT_ACCEPTED:
        on_accepted(cat, event->session);
        break;
    case STT_EVENT_CLOSED:
        if (p)
            peer_on_closed(p, event);
        else
            on_no_peer(cat, event);
        break;
    case STT_EVENT_STALLED:
        say_note(1, "no sign from the other side for a while");
        break;
    case STT_EVENT_RESUMED:
        say_note(1, "the other side is back");
        break;
    case STT_EVENT_PATH:
        say_note(1, "the path has changed");
        break;
    case STT_EVENT_CODE_WRONG:
        say_note(0, "somebody tried a wrong code");
        break;
    case STT_EVENT_CODE_ENDED:
        on_code_ended(cat, event);
        break;
    default:
        break;
    }
}

static bool pull(struct cat *cat)
{
    struct stt_event event;
    struct stt_stream_event stream;
    bool any = false;
    while (stt_node_event(cat->node, &event)) {
        on_event(cat, &event);
        any = true;
    }
    while (stt_endpoint_stream_event(stt_node_endpoint(cat->node), &stream)) {
        struct peer *p = peer_of(cat, stream.session);
        if (p)
            peer_on_stream(p, &stream);
        any = true;
    }
    return any;
}

/* -- turns ---------------------------------------------------------------------------------------
 */

/* Tells all peers, and gives them a moment to hear it. */
static void stop(struct cat *cat, int signal, enum wire_code code, const char *why)
{
    cat->is_stopping = true;
    cat->stop_at = cat->loop.now + STT_MS(150);
    for (uint32_t i = 0; i < cat->n_peers; i++)
        peer_fail(cat->peers[i], EXIT_SIGNAL + signal, code, "%s", why);
    cat->result = EXIT_SIGNAL + signal;
    cat->is_over = cat->n_peers == 0;
}

static bool turn_peers(struct cat *cat)
{
    bool is_busy = false;
    for (uint32_t i = 0; i < cat->n_peers; i++)
        is_busy = peer_turn(cat->peers[i]) || is_busy;
    for (uint32_t i = cat->n_peers; i-- > 0;)
        if (peer_is_over(cat->peers[i])) {
            forget_peer(cat, i);
            is_busy = true;
        }
    return is_busy;
}

static enum loop_turn turn(void *ctx)
{
    struct cat *cat = ctx;
    int signal = loop_signal();
    if (loop_child_changed()) /* jobs look for theirs */
        command_reap();
    if (signal && !cat->is_stopping)
        stop(cat, signal, CODE_INTERRUPTED, "somebody stopped the program there");
    bool is_busy = pull(cat);
    is_busy = turn_peers(cat) || is_busy;
    if (cat->stdout_is_gone && !cat->is_stopping)
        stop(cat, SIGPIPE, CODE_CLOSED, READER_GONE);
    report_progress(&cat->loop, cat->plan,
                    cat->seated    ? cat->seated
                    : cat->n_peers ? cat->peers[0]
                                   : NULL);
    if (cat->is_stopping && (cat->n_peers == 0 || cat->loop.now >= cat->stop_at))
        cat->is_over = true;
    if (cat->is_stopping)
        loop_wake_at(&cat->loop, cat->stop_at);
    return cat->is_over ? LOOP_OVER : is_busy ? LOOP_BUSY : LOOP_IDLE;
}

/* -- the beginning and the end -------------------------------------------------------------------
 */

static int run(struct cat *cat)
{
    int exits = setup_node(cat->plan, cat->door, &cat->node);
    if (exits)
        return exits;
    if (!loop_begin(&cat->loop, cat->node)) {
        say_error("no descriptors are left");
        return EXIT_LOCAL_IO;
    }
    exits = cat->plan->flags.listen ? setup_listen(cat->plan, cat->door, cat->node)
                                    : setup_connect(cat->plan, cat->door, cat->node);
    if (exits)
        return exits;
    int error = loop_run(&cat->loop, turn, cat);
    if (!error)
        return cat->result;
    say_error("the network cannot be used any more: %s", stt_error_text(error));
    return EXIT_NETWORK;
}

static void end(struct cat *cat)
{
    for (uint32_t i = 0; i < cat->n_peers; i++)
        peer_free(cat->peers[i]);
    if (cat->loop.node)
        loop_end(&cat->loop);
    stt_node_free(cat->node);
    door_free(cat->door);
}

int cat_run(struct plan *plan)
{
    static struct cat cat;
    char why[OPTION_WHY_ROOM] = "";
    int exits;
    cat.plan = plan;
    cat.door = door_new(cat.plan, &exits, why);
    if (!cat.door) {
        say_error("%s", why);
        return exits;
    }
    exits = run(&cat);
    end(&cat);
    if (!report_close() && !exits) {
        say_error("the trace or key log could not be written");
        exits = EXIT_LOCAL_IO;
    }
    return exits;
}
