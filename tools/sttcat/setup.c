/* SPDX-License-Identifier: MIT
 * setup: what has to be there before anything happens: a node with the settings of the plan, and
 * its sockets. Each call says itself what went wrong. Must not know peers. */
#include "tools/sttcat/setup.h"

#include "stt/env.h"
#include "stt/metrics.h"
#include "tools/common/exits.h"
#include "tools/common/say.h"
#include "tools/sttcat/report.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    RINGS_BYTES = 16 << 20, /* that send, of all lanes */
    FORWARD_RING_BYTES = 512 << 10,
    STREAM_WINDOW_BYTES = 16 << 20,
    SESSION_WINDOW_BYTES = 32 << 20,
    LISTEN_TRIES = 25,
};
#define SHORT_NS STT_S(4) /* where somebody is asked for a code after it */

static int cannot(const char *what, int exits, const char *why)
{
    say_error("%s%s%s", what, *why ? ": " : "", why);
    return exits;
}

static void at_most(uint64_t *value, uint64_t most)
{
    *value = *value < most ? *value : most;
}

/* What a stream keeps until it is acknowledged: no more than stays in the cache, but with the last.
 */
static uint64_t buffer_of(const char *preset)
{
    static const struct {
        const char *preset;
        uint64_t bytes;
    } buffers[] = {{"low-latency", 512 << 10}, {"balanced", 2 << 20}, {"high-throughput", 8 << 20}};
    size_t i = 0;
    while (strcmp(buffers[i].preset, preset) != 0)
        i++;
    return buffers[i].bytes;
}

/* However large a file and however slow who reads: a transfer stays below 64 MiB. Rings are only
 * there while there is something in them; what one side may keep is divided among its lanes. */
static void bound_memory(const struct plan *plan, struct stt_config *e)
{
    if (plan->job == JOB_FORWARD)
        at_most(&e->send_ring_bytes, FORWARD_RING_BYTES);
    if (plan->lanes > 1)
        at_most(&e->send_ring_bytes, RINGS_BYTES / plan->lanes);
    at_most(&e->stream_window_max, STREAM_WINDOW_BYTES);
    at_most(&e->session_window_max, SESSION_WINDOW_BYTES);
}

stt_ns setup_patience(const struct plan *plan, const struct door *door)
{
    stt_ns asked = plan->flags.connect_timeout;
    return asked ? asked : door_may_ask(door) ? SHORT_NS : STT_S(10);
}

static void configure(const struct plan *plan, const struct door *door,
                      struct stt_node_config *config)
{
    const struct plan_flags *f = &plan->flags;
    struct stt_config *e = &config->endpoint;
    const char *preset = f->preset ? f->preset : "balanced";
    (void)!stt_config_preset(e, preset);
    e->send_ring_bytes = buffer_of(preset);
    snprintf(e->application, sizeof e->application, "%s",
             f->application ? f->application : "sttcat/1");
    bound_memory(plan, e);
    config->io = !f->io ? STT_IO_AUTO : strcmp(f->io, "mmsg") == 0 ? STT_IO_MMSG : STT_IO_URING;
    config->dscp = plan->dscp;
    if (f->congestion)
        e->congestion = f->congestion;
    e->handshake_ns = setup_patience(plan, door);
    if (f->keep_alive)
        e->keep_alive_ns = f->keep_alive;
    if (f->timeout)
        e->idle_timeout_ns = f->timeout;
    if (f->mtu)
        e->packet_bytes_max = f->mtu - (f->ipv4 ? 28 : 48);
    e->max_sessions = SETUP_PEERS_MAX;
    e->max_datagram_bytes = 0;
    door_configure(door, e);
}

int setup_node(const struct plan *plan, struct door *door, struct stt_node **out)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    char why[OPTION_WHY_ROOM] = "";
    int exits = EXIT_LOCAL_IO;
    configure(plan, door, &config);
    if (stt_config_check(&config.endpoint, why, sizeof why))
        return cannot("these settings cannot be", EXIT_USAGE, why);
    if (!report_open(plan, &config, &exits, why))
        return cannot(why, exits, "");
    int error = stt_node_new(out, &config);
    stt_env_wipe(&config, sizeof config);
    if (error == STT_E_UNSUPPORTED)
        return cannot("io_uring is not allowed here; leave --io away, or say --io mmsg",
                      EXIT_LOCAL_IO, "");
    if (error)
        return cannot("no sockets", EXIT_LOCAL_IO, stt_error_text(error));
    if (!door_open(door, *out, &exits, why))
        return cannot(why, exits, "");
    return EXIT_DONE;
}

/* Who was killed may have the port for a moment longer: the kernel closes rings in its own time. */
static int listen_at(struct stt_node *node, const char *at, struct stt_address *bound)
{
    const struct timespec moment = {.tv_nsec = 20 * 1000000};
    int error = stt_node_listen(node, at, bound);
    for (int i = 0; error == STT_E_EXISTS && i < LISTEN_TRIES; i++) {
        nanosleep(&moment, NULL);
        error = stt_node_listen(node, at, bound);
    }
    return error;
}

static const char *why_not_there(int error)
{
    return error == STT_E_EXISTS      ? "another program has this port; choose another one"
           : error == STT_E_NOT_FOUND ? "this machine does not have this address"
                                      : stt_error_text(error);
}

int setup_listen(struct plan *plan, const struct door *door, struct stt_node *node)
{
    static char bound[STT_ADDRESS_TEXT_ROOM];
    struct stt_address at;
    char hint[STT_NODE_HINT_ROOM];
    int error = listen_at(node, plan->at, &at);
    if (error == STT_E_FORMAT)
        return cannot(plan->at, EXIT_USAGE, "this is no address and port of this machine");
    if (error)
        return cannot(plan->at, EXIT_LOCAL_IO, why_not_there(error));
    stt_address_text(&at, bound);
    if (strncmp(plan->at, "0.0.0.0:", 8) == 0) /* not [::], which is both families */
        snprintf(bound, sizeof bound, "0.0.0.0:%u", at.port);
    plan->at = bound;
    door_say(door, bound);
    if (stt_node_hint(node, hint))
        say_note(1, "%s", hint);
    return EXIT_DONE;
}

/* -4 and -6: names have addresses of both families. */
static bool choose_family(const struct plan *plan, char *why, char *out, size_t room)
{
    const struct plan_flags *f = &plan->flags;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
    char host[sizeof plan->to_room], text[INET6_ADDRSTRLEN + 20];
    const char *colon = strrchr(plan->to, ':');
    if ((!f->ipv4 && !f->ipv6) || !colon)
        return true;
    bool has_brackets = plan->to[0] == '[';
    int len = (int)(colon - plan->to) - (has_brackets ? 2 : 0);
    snprintf(host, sizeof host, "%.*s", len, plan->to + has_brackets);
    hints.ai_family = f->ipv4 ? AF_INET : AF_INET6;
    int error = getaddrinfo(host, NULL, &hints, &found);
    if (!error)
        error = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                            NI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
    snprintf(why, OPTION_WHY_ROOM, "%.100s has no such address: %s", host,
             error ? gai_strerror(error) : "");
    snprintf(out, room, f->ipv6 ? "[%s]%s" : "%s%s", text, colon);
    return !error;
}

/* -s and -p: a socket of its own, from which there is a way to the peer. */
static int bind_source(const struct plan *plan, struct stt_node *node)
{
    const struct plan_flags *f = &plan->flags;
    const char *host = f->source ? f->source : f->ipv4 ? "0.0.0.0" : "::";
    static bool is_bound;
    char at[100];
    if (is_bound || (!f->source && !f->source_port))
        return EXIT_DONE;
    snprintf(at, sizeof at, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
             f->source_port ? f->source_port : "0");
    int error = stt_node_listen(node, at, NULL);
    is_bound = !error;
    return !error ? EXIT_DONE
                  : cannot(at, error == STT_E_FORMAT ? EXIT_USAGE : EXIT_LOCAL_IO,
                           "this cannot be the source; check -s and -p");
}

int setup_connect(const struct plan *plan, struct door *door, struct stt_node *node)
{
    static const struct {
        int error;
        const char *why;
    } known[] = {
        {STT_E_FORMAT, "this is no HOST PORT, or the code has a mistake"},
        {STT_E_NOT_FOUND, "this ticket names no address; give HOST PORT and --peer"},
        {STT_E_CRYPTO,
         "the peer id that is wanted there is our own, or no peer has it; see --peer, "
         "and -I for another identity of ours"},
    };
    char why[OPTION_WHY_ROOM], to[INET6_ADDRSTRLEN + 30] = "";
    int exits = bind_source(plan, node);
    if (exits)
        return exits;
    if (!choose_family(plan, why, to, sizeof to))
        return cannot(why, EXIT_NO_ANSWER, "");
    int error = door_knock(door, node, *to ? to : plan->to);
    for (size_t i = 0; error && i < sizeof known / sizeof known[0]; i++)
        if (known[i].error == error)
            return cannot(plan->to, EXIT_USAGE, known[i].why);
    return error ? cannot(plan->to, EXIT_LOCAL_IO, stt_error_text(error)) : EXIT_DONE;
}
