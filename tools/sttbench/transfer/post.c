/* SPDX-License-Identifier: MIT
 * post: owns the node, and the credentials until the node has them.
 *
 * Who says nothing gets mode S under a seed that everybody knows: encrypted against who listens,
 * and proven to nobody. With --seed-file it is a seed that both have, with --peer the server's key
 * (mode K). Which it was is said in one line; no mode is tried after another. Must not know what a
 * session is for. Spec 11, "Who is there". */
#include "tools/sttbench/transfer/post.h"

#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/env.h"
#include "tools/common/secrets.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RING_BYTES = 64 << 20, LISTEN_TRIES = 25, STREAMS_MAX = 4 };

static enum exits refuse(enum exits exit, char *why, const char *what, const char *sentence)
{
    snprintf(why, OPTION_WHY_ROOM, "%.200s%s%.100s", what, *sentence ? ": " : "", sentence);
    return exit;
}

/* -- credentials ------------------------------------------------------------------------------- */

static bool read_identity(struct post *h, struct stt_config *e, char *why)
{
    const struct flags *f = h->flags;
    struct stt_node_config fresh = STT_NODE_CONFIG_INIT;
    bool is_durable;
    if (f->is_server || f->identity) {
        if (!secrets_identity(&e->identity, &is_durable, f->identity, why))
            return false;
    } else {
        if (stt_node_identity(&fresh, NULL))
            return options_refuse(why, "the system gives no random numbers");
        e->identity = fresh.endpoint.identity;
        stt_env_wipe(&fresh, sizeof fresh);
    }
    stt_peer_id_encode(&e->identity.peer_id, h->peer_id);
    return true;
}

static bool read_credentials(struct post *h, struct stt_config *e, char *why)
{
    const struct flags *f = h->flags;
    struct stt_seed seed;
    if (!read_identity(h, e, why) || !secrets_seed(&seed, &h->has_seed, f->seed_file, NULL, why))
        return false;
    const uint8_t *bytes = h->has_seed ? seed.bytes : talk_public_seed;
    if (f->is_server) {
        e->accept = STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_K);
        e->require_seed = h->has_seed;
        e->n_seeds = 1;
        memcpy(e->seeds[0], bytes, sizeof e->seeds[0]);
    }
    h->connect.mode = f->peer ? STT_MODE_K : STT_MODE_S;
    h->connect.has_peer = f->peer && !stt_peer_id_decode(&h->connect.peer, f->peer);
    h->connect.has_seed = !f->peer || h->has_seed;
    if (h->connect.has_seed)
        memcpy(h->connect.seed, bytes, sizeof h->connect.seed);
    stt_env_wipe(&seed, sizeof seed);
    return true;
}

const char *post_authenticated(const struct post *h)
{
    return h->flags->peer ? "peer" : h->has_seed ? "seed" : "nobody";
}

const char *post_proof(const struct post *h)
{
    if (h->flags->peer)
        return "Encrypted; the server has proven to be the peer that --peer names.";
    if (h->has_seed)
        return "Encrypted; both sides have the same seed.";
    return "Encrypted against listeners, but nobody was authenticated: --peer or --seed-file do "
           "that.";
}

/* -- the node ---------------------------------------------------------------------------------- */

static void configure(const struct post *h, struct stt_node_config *config)
{
    const struct flags *f = h->flags;
    struct stt_config *e = &config->endpoint;
    (void)!stt_config_preset(e, f->preset);
    snprintf(e->application, sizeof e->application, "%s", TALK_APPLICATION);
    e->send_ring_bytes = f->window ? f->window : RING_BYTES; /* lanes keep less */
    if (f->window) {
        e->stream_window_max = e->session_window_max = f->window;
        e->stream_window_bytes =
            e->stream_window_bytes < f->window ? e->stream_window_bytes : f->window;
        e->session_window_bytes =
            e->session_window_bytes < f->window ? e->session_window_bytes : f->window;
    }
    e->max_sessions = e->max_half_open = POST_SESSIONS_MAX;
    e->max_half_open_per_peer = e->max_half_open_per_prefix = POST_SESSIONS_MAX;
    e->max_streams = STREAMS_MAX;
    e->max_datagram_bytes = 0;
    e->handshake_ns = f->connect_timeout;
    if (f->timeout)
        e->idle_timeout_ns = f->timeout;
    if (f->timeout && e->keep_alive_ns > f->timeout / 3)
        e->keep_alive_ns = f->timeout / 3;
    if (f->congestion)
        e->congestion = f->congestion;
    if (f->mtu)
        e->packet_bytes_max = f->mtu - (f->ipv4 ? 28 : 48);
    if (f->suite) {
        e->suites[0] = stt_aead_by_name(f->suite, stt_cpu_detect());
        e->n_suites = 1;
    }
    config->io = !f->io ? STT_IO_AUTO : strcmp(f->io, "mmsg") == 0 ? STT_IO_MMSG : STT_IO_URING;
    config->dscp = (uint8_t)f->dscp;
    if (f->socket_buffer)
        config->socket_buffer_bytes = (uint32_t)f->socket_buffer;
}

static bool pin(const struct flags *f)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (f->affinity == FLAGS_CPU_NONE)
        return true;
    CPU_SET(f->affinity, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

enum exits post_open(struct post *h, const struct flags *flags, char why[OPTION_WHY_ROOM])
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    char sentence[STT_CONFIG_WHY_ROOM];
    *h = (struct post){.flags = flags, .connect = STT_CONNECT_INIT};
    if (!pin(flags))
        return refuse(EXIT_USAGE, why, "-A names no processor that this program may use", "");
    if (!read_credentials(h, &config.endpoint, why))
        return EXIT_LOCAL_IO;
    configure(h, &config);
    if (stt_config_check(&config.endpoint, sentence, sizeof sentence))
        return refuse(EXIT_USAGE, why, "these settings cannot be", sentence);
    int error = stt_node_new(&h->node, &config);
    stt_env_wipe(&config, sizeof config);
    if (error == STT_E_UNSUPPORTED)
        return refuse(EXIT_LOCAL_IO, why,
                      "io_uring is not allowed here; leave --io away, or say --io mmsg", "");
    if (error)
        return refuse(EXIT_LOCAL_IO, why, "no sockets", stt_error_text(error));
    if (!loop_begin(&h->loop, h->node))
        return refuse(EXIT_LOCAL_IO, why, "no descriptors are left", "");
    return EXIT_DONE;
}

void post_close(struct post *h)
{
    if (h->loop.node)
        loop_end(&h->loop);
    if (h->node)
        stt_node_free(h->node);
    stt_env_wipe(&h->connect, sizeof h->connect);
}

/* -- where ------------------------------------------------------------------------------------- */

static enum exits listen_at(struct post *h, const char *at, char *why)
{
    const struct timespec moment = {.tv_nsec = 20 * 1000000};
    int error = stt_node_listen(h->node, at, NULL);
    for (int i = 0; error == STT_E_EXISTS && i < LISTEN_TRIES; i++) { /* somebody is just leaving */
        nanosleep(&moment, NULL);
        error = stt_node_listen(h->node, at, NULL);
    }
    if (error == STT_E_FORMAT)
        return refuse(EXIT_USAGE, why, at, "this is no address of this machine; check -B");
    if (error == STT_E_EXISTS)
        return refuse(EXIT_LOCAL_IO, why, at, "another program has this port; choose another (-p)");
    if (error == STT_E_NOT_FOUND)
        return refuse(EXIT_LOCAL_IO, why, at, "this machine does not have this address");
    return error ? refuse(EXIT_LOCAL_IO, why, at, stt_error_text(error)) : EXIT_DONE;
}

enum exits post_listen(struct post *h, char why[OPTION_WHY_ROOM])
{
    return listen_at(h, h->flags->place, why);
}

/* -4 and -6: names have addresses of both families. */
static bool choose_family(struct post *h, char *why)
{
    const struct flags *f = h->flags;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
    char text[INET6_ADDRSTRLEN + 20];
    if (!f->ipv4 && !f->ipv6) {
        snprintf(h->to, sizeof h->to, "%s", f->place);
        return true;
    }
    hints.ai_family = f->ipv4 ? AF_INET : AF_INET6;
    int error = getaddrinfo(f->host, NULL, &hints, &found);
    if (!error)
        error = getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                            NI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
    if (error)
        return options_refuse(why, "%.100s has no such address: %s", f->host, gai_strerror(error));
    snprintf(h->to, sizeof h->to, f->ipv6 ? "[%s]:%u" : "%s:%u", text, f->port);
    return true;
}

static enum exits bind_source(struct post *h, char *why)
{
    char at[120];
    const char *host = h->flags->bind;
    if (!host)
        return EXIT_DONE;
    snprintf(at, sizeof at, strchr(host, ':') ? "[%.100s]:0" : "%.100s:0", host);
    return listen_at(h, at, why);
}

enum exits post_connect(struct post *h, void *user, char why[OPTION_WHY_ROOM])
{
    enum exits exit = *h->to ? EXIT_DONE : bind_source(h, why);
    if (exit)
        return exit;
    if (!*h->to && !choose_family(h, why))
        return EXIT_NO_ANSWER;
    h->connect.user = user;
    int error = stt_node_connect(h->node, &h->connect, h->to, NULL);
    if (error == STT_E_FORMAT)
        return refuse(EXIT_USAGE, why, h->to, "this is no host; check -c");
    if (error == STT_E_CRYPTO)
        return refuse(EXIT_USAGE, why, h->to, "no server has the peer id that --peer names");
    return error ? refuse(EXIT_LOCAL_IO, why, h->to, stt_error_text(error)) : EXIT_DONE;
}

/* -- why a session ended ----------------------------------------------------------------------- */

static enum exits exit_of(const struct stt_event *event)
{
    static const uint8_t by_reason[] = {
        [STT_REASON_NO_ANSWER] = EXIT_NO_ANSWER,   [STT_REASON_NO_ADDRESS] = EXIT_NO_ANSWER,
        [STT_REASON_PEER_KEY] = EXIT_PROVEN_WRONG, [STT_REASON_APPLICATION] = EXIT_REFUSED,
        [STT_REASON_NOT_ALLOWED] = EXIT_REFUSED,
    };
    static const uint8_t by_code[TALK_CODE_COUNT] = {
        [TALK_CODE_REFUSED] = EXIT_REFUSED,     [TALK_CODE_BUSY] = EXIT_REFUSED,
        [TALK_CODE_INTERRUPTED] = EXIT_PARTIAL, [TALK_CODE_INTEGRITY] = EXIT_INTEGRITY,
        [TALK_CODE_TIMEOUT] = EXIT_TIMEOUT,     [TALK_CODE_MEMORY] = EXIT_LOCAL_IO,
    };
    uint8_t exit = 0;
    if (event->reason == STT_REASON_PEER_CLOSE)
        exit = event->code < TALK_CODE_COUNT ? by_code[event->code] : 0;
    else if ((size_t)event->reason < sizeof by_reason)
        exit = by_reason[event->reason];
    return exit ? (enum exits)exit : EXIT_NETWORK;
}

static void say_no_answer(const struct post *h, char *why)
{
    char time[32];
    stt_ns wait = h->flags->connect_timeout;
    snprintf(time, sizeof time, wait < STT_S(1) ? "%.0f ms" : "%.3g s",
             (double)wait * (wait < STT_S(1) ? 1e-6 : 1e-9));
    options_refuse(why,
                   "no answer from %.150s in %s: not running, blocked, or peer id or seed does not "
                   "match",
                   h->to, time);
}

enum exits post_reason(const struct post *h, const struct stt_event *event,
                       char why[OPTION_WHY_ROOM])
{
    if (event->reason == STT_REASON_NO_ANSWER)
        say_no_answer(h, why);
    else if (event->reason == STT_REASON_NO_ADDRESS)
        options_refuse(why, "%.100s cannot be reached: %.150s", h->to, event->text);
    else if (event->reason == STT_REASON_PEER_CLOSE)
        options_refuse(why, "the other side ended it: %.250s",
                       *event->text ? event->text : "it gave no reason");
    else
        options_refuse(why, "%.100s: %s", *h->to ? h->to : "the client",
                       stt_reason_text(event->reason));
    return exit_of(event);
}

void post_hang_up(struct post *h, stt_handle session, enum talk_code code, const char *text)
{
    (void)stt_session_close(stt_node_endpoint(h->node), h->loop.now, session, code, text);
}
