/* SPDX-License-Identifier: MIT
 * cat: makes the node, lets peers come or goes to one, and gives each event to whom it concerns.
 * A listener without -k is over with its first peer that has said HELLO; those who only looked, or
 * failed before, do not count. Must not know what a job does. */
#include "tools/sttcat/cat.h"

#include "stt/env.h"
#include "stt/metrics.h"
#include "tools/common/say.h"
#include "tools/sttcat/command.h"
#include "tools/sttcat/door.h"
#include "tools/sttcat/report.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PEERS_MAX = 256,
    RING_BYTES = 8 << 20,   /* of one stream that sends */
    RINGS_BYTES = 16 << 20, /* of all lanes */
    FORWARD_RING_BYTES = 512 << 10,
    STREAM_WINDOW_BYTES = 16 << 20,
    SESSION_WINDOW_BYTES = 32 << 20,
};

struct cat {
    struct plan *plan;
    struct door *door;
    struct stt_node *node;
    struct loop loop;
    struct peer *peers[PEERS_MAX];
    uint32_t n_peers;
    struct peer *seated;  /* whom a listener without -k serves */
    struct peer *speaker; /* who has standard output */
    bool stdin_is_taken, stdout_is_gone, is_stopping, is_over;
    stt_ns stop_at;
    int result;
    char address[100]; /* where -4 or -6 leads; else empty */
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
    peer_fail(p, EXIT_SIGNAL + SIGPIPE, CODE_CLOSED, "the program that reads its output has ended");
}

/* -- peers ---------------------------------------------------------------------------------------
 */

static struct peer *add_peer(struct cat *cat, stt_handle session, bool is_initiator)
{
    struct stt_session_info info;
    struct peer *p = NULL;
    if (cat->n_peers < PEERS_MAX)
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
    if (cat->speaker == p)
        cat->speaker = NULL;
    if (!f->listen || cat->seated == p || cat->stdout_is_gone) {
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
    stt_peer_id_encode(&info.peer, id);
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
    stt_ns wait = cat->plan->flags.connect_timeout ? cat->plan->flags.connect_timeout : STT_S(10);
    bool is_whole = wait % STT_S(1) == 0;
    bool has_code = door_mode(cat->door) == STT_MODE_W;
    say_error("no answer from %s in %g %s: not running, blocked, or %s%s", cat->plan->to,
              (double)wait / (is_whole ? 1e9 : 1e6), is_whole ? "s" : "ms",
              has_code ? "the code is not good there any more" : "peer id or seed does not match",
              other_reason(cat));
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
static void stop(struct cat *cat, int signal)
{
    cat->is_stopping = true;
    cat->stop_at = cat->loop.now + STT_MS(150);
    for (uint32_t i = 0; i < cat->n_peers; i++)
        peer_fail(cat->peers[i], EXIT_SIGNAL + signal, CODE_INTERRUPTED,
                  "somebody stopped the program there");
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
        stop(cat, signal);
    bool is_busy = pull(cat);
    is_busy = turn_peers(cat) || is_busy;
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

static void at_most(uint64_t *value, uint64_t most)
{
    *value = *value < most ? *value : most;
}

/* However large a file and however slow who reads: a transfer stays below 64 MiB. Rings are only
 * there while there is something in them; what one side may keep is divided among its lanes. */
static void bound_memory(const struct plan *plan, struct stt_config *e)
{
    at_most(&e->send_ring_bytes, plan->job == JOB_FORWARD ? FORWARD_RING_BYTES : RING_BYTES);
    if (plan->lanes > 1)
        at_most(&e->send_ring_bytes, RINGS_BYTES / plan->lanes);
    at_most(&e->stream_window_max, STREAM_WINDOW_BYTES);
    at_most(&e->session_window_max, SESSION_WINDOW_BYTES);
}

static void configure(const struct cat *cat, struct stt_node_config *config)
{
    const struct plan_flags *f = &cat->plan->flags;
    struct stt_config *e = &config->endpoint;
    (void)!stt_config_preset(e, f->preset ? f->preset : "balanced");
    snprintf(e->application, sizeof e->application, "%s",
             f->application ? f->application : "sttcat/1");
    bound_memory(cat->plan, e);
    config->io = !f->io ? STT_IO_AUTO : strcmp(f->io, "mmsg") == 0 ? STT_IO_MMSG : STT_IO_URING;
    config->dscp = cat->plan->dscp;
    if (f->congestion)
        e->congestion = f->congestion;
    if (f->connect_timeout)
        e->handshake_ns = f->connect_timeout;
    if (f->keep_alive)
        e->keep_alive_ns = f->keep_alive;
    if (f->timeout)
        e->idle_timeout_ns = f->timeout;
    if (f->mtu)
        e->packet_bytes_max = f->mtu - (f->ipv4 ? 28 : 48);
    e->max_sessions = PEERS_MAX;
    e->max_datagram_bytes = 0;
    door_configure(cat->door, e);
}

static int cannot(const char *what, int exits, const char *why)
{
    say_error("%s%s%s", what, *why ? ": " : "", why);
    return exits;
}

static int open_node(struct cat *cat)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    char why[OPTION_WHY_ROOM] = "";
    int exits = EXIT_LOCAL_IO;
    configure(cat, &config);
    if (stt_config_check(&config.endpoint, why, sizeof why))
        return cannot("these settings cannot be", EXIT_USAGE, why);
    if (!report_open(cat->plan, &config, &exits, why))
        return cannot(why, exits, "");
    int error = stt_node_new(&cat->node, &config);
    stt_env_wipe(&config, sizeof config);
    if (error == STT_E_UNSUPPORTED)
        return cannot("io_uring is not allowed here; leave --io away, or say --io mmsg",
                      EXIT_LOCAL_IO, "");
    if (error)
        return cannot("no sockets", EXIT_LOCAL_IO, stt_error_text(error));
    if (!loop_begin(&cat->loop, cat->node))
        return cannot("no descriptors are left", EXIT_LOCAL_IO, "");
    if (!door_open(cat->door, cat->node, &exits, why))
        return cannot(why, exits, "");
    return EXIT_DONE;
}

static int begin_listening(struct cat *cat)
{
    static char bound[STT_ADDRESS_TEXT_ROOM];
    struct stt_address at;
    char hint[STT_NODE_HINT_ROOM];
    int error = stt_node_listen(cat->node, cat->plan->at, &at);
    if (error == STT_E_FORMAT)
        return cannot(cat->plan->at, EXIT_USAGE, "this is no address and port of this machine");
    if (error)
        return cannot(cat->plan->at, EXIT_LOCAL_IO,
                      error == STT_E_EXISTS ? "another program has this port; choose another one"
                      : error == STT_E_NOT_FOUND ? "this machine does not have this address"
                                                 : stt_error_text(error));
    stt_address_text(&at, bound);
    if (strncmp(cat->plan->at, "0.0.0.0:", 8) == 0) /* not [::], which is both families */
        snprintf(bound, sizeof bound, "0.0.0.0:%u", at.port);
    cat->plan->at = bound;
    door_say(cat->door, bound);
    if (stt_node_hint(cat->node, hint))
        say_note(1, "%s", hint);
    return EXIT_DONE;
}

/* -4 and -6: names have addresses of both families. */
static bool choose_family(struct cat *cat, char *why)
{
    const struct plan_flags *f = &cat->plan->flags;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
    char host[sizeof cat->plan->to_room], text[INET6_ADDRSTRLEN + 20];
    const char *colon = strrchr(cat->plan->to, ':');
    if ((!f->ipv4 && !f->ipv6) || !colon)
        return true;
    bool has_brackets = cat->plan->to[0] == '[';
    int len = (int)(colon - cat->plan->to) - (has_brackets ? 2 : 0);
    snprintf(host, sizeof host, "%.*s", len, cat->plan->to + has_brackets);
    hints.ai_family = f->ipv4 ? AF_INET : AF_INET6;
    int error = getaddrinfo(host, NULL, &hints, &found);
    if (!error)
        error = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                            NI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
    snprintf(why, OPTION_WHY_ROOM, "%.100s has no such address: %s", host,
             error ? gai_strerror(error) : "");
    snprintf(cat->address, sizeof cat->address, f->ipv6 ? "[%s]%s" : "%s%s", text, colon);
    return !error;
}

static int begin_connecting(struct cat *cat)
{
    char why[OPTION_WHY_ROOM];
    const struct plan_flags *f = &cat->plan->flags;
    char at[100];
    if (f->source || f->source_port) {
        const char *any = f->ipv4 ? "0.0.0.0" : "::";
        const char *host = f->source ? f->source : any;
        snprintf(at, sizeof at, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
                 f->source_port ? f->source_port : "0");
        int error = stt_node_listen(cat->node, at, NULL);
        if (error)
            return cannot(at, error == STT_E_FORMAT ? EXIT_USAGE : EXIT_LOCAL_IO,
                          "this cannot be the source; check -s and -p");
    }
    if (!choose_family(cat, why))
        return cannot(why, EXIT_NO_ANSWER, "");
    int error = door_knock(cat->door, cat->node, *cat->address ? cat->address : cat->plan->to);
    if (error == STT_E_FORMAT)
        return cannot(cat->plan->to, EXIT_USAGE, "this is no HOST PORT, or the code has a mistake");
    if (error == STT_E_NOT_FOUND)
        return cannot(cat->plan->to, EXIT_USAGE,
                      "this ticket names no address; give HOST PORT and --peer");
    if (error == STT_E_CRYPTO)
        return cannot(cat->plan->to, EXIT_USAGE,
                      "the peer id that is wanted there is our own, or no peer has it; see --peer, "
                      "and -I for another identity of ours");
    return error ? cannot(cat->plan->to, EXIT_LOCAL_IO, stt_error_text(error)) : EXIT_DONE;
}

static int run(struct cat *cat)
{
    int exits = open_node(cat);
    if (!exits)
        exits = cat->plan->flags.listen ? begin_listening(cat) : begin_connecting(cat);
    if (exits)
        return exits;
    int error = loop_run(&cat->loop, turn, cat);
    if (error)
        return cannot("the network cannot be used any more", EXIT_NETWORK, stt_error_text(error));
    return cat->result;
}

int cat_run(const struct plan *plan)
{
    static struct cat cat;
    char why[OPTION_WHY_ROOM] = "";
    int exits;
    cat.plan = (struct plan *)(uintptr_t)plan;
    cat.door = door_new(cat.plan, &exits, why);
    if (!cat.door)
        return cannot(why, exits, "");
    exits = run(&cat);
    for (uint32_t i = 0; i < cat.n_peers; i++)
        peer_free(cat.peers[i]);
    if (cat.node) {
        loop_end(&cat.loop);
        stt_node_free(cat.node);
    }
    door_free(cat.door);
    if (!report_close() && !exits)
        exits = cannot("the trace or key log could not be written", EXIT_LOCAL_IO, "");
    return exits;
}
