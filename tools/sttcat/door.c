/* SPDX-License-Identifier: MIT
 * door: the three credentials, and pins. Who connects knows a peer id (mode K), a seed (S) or a
 * code (W); with nothing at all, whom it has met under this name before, or it asks for a code. Who
 * listens answers those modes for which it has something to check; with nothing at all it draws a
 * code. Must not know what a session carries. Spec 03, "Modes". */
#include "tools/sttcat/door.h"

#include "stt/env.h"
#include "stt/keyfile.h"
#include "tools/common/allow.h"
#include "tools/common/exits.h"
#include "tools/common/known.h"
#include "tools/common/say.h"
#include "tools/common/secrets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct door {
    struct plan *plan;
    struct stt_identity identity;
    struct stt_seed seed;
    bool has_seed;
    char code[SECRETS_CODE_ROOM]; /* as it was typed; or that we have drawn */
    bool has_code, draws_code;
    uint8_t stretched[32];
    char ticket[STT_TEXT_ROOM]; /* of --ticket-file */
    struct stt_peer_id peer;    /* whom we want: by --peer, or as we know it */
    bool has_peer, is_known;
    enum stt_mode mode;
};

static bool fail(char *why, const char *sentence)
{
    snprintf(why, OPTION_WHY_ROOM, "%s", sentence);
    return false;
}

/* -- what there is ------------------------------------------------------------------------------
 */

static bool has_ticket(const struct door *d)
{
    const struct plan *plan = d->plan;
    return plan->flags.ticket_file || (plan->to && stt_text_kind_of(plan->to) == STT_TEXT_TICKET);
}

static bool read_ticket(struct door *d, char *why)
{
    const char *path = d->plan->flags.ticket_file;
    char sentence[STT_KEYFILE_WHY_ROOM];
    if (!path)
        return true;
    if (stt_keyfile_load_text(d->ticket, path, sentence)) {
        snprintf(why, OPTION_WHY_ROOM, "%.300s", sentence);
        return false;
    }
    enum stt_text_kind kind = stt_text_kind_of(d->ticket);
    return kind == STT_TEXT_TICKET || kind == STT_TEXT_SECRET_TICKET ||
           fail(why, "the file of --ticket-file holds no ticket; sttkey ticket makes one");
}

static bool find_known(struct door *d, char *why)
{
    const struct plan *plan = d->plan;
    if (plan->flags.listen || plan->flags.peer || has_ticket(d))
        return true;
    enum known known = known_find(plan->to, &d->peer, why);
    d->has_peer = d->is_known = known == KNOWN_YES;
    return known != KNOWN_ERROR;
}

static bool wants_code(const struct door *d)
{
    const struct plan_flags *f = &d->plan->flags;
    const char *code = getenv("STT_CODE");
    return f->code || f->code_fd || (code && *code);
}

/* Nothing at all was said: a listener draws a code, and who connects is asked for it. */
static bool is_bare(const struct door *d)
{
    const struct plan_flags *f = &d->plan->flags;
    if (f->listen)
        return !d->has_seed && !f->identity && !f->allow.n && !f->allow_file;
    return !d->has_seed && !d->has_peer && !has_ticket(d);
}

static bool read_code(struct door *d, char *why)
{
    const struct plan_flags *f = &d->plan->flags;
    bool is_given = wants_code(d);
    if (!is_given && !is_bare(d))
        return true;
    if (!is_given && f->listen) {
        d->draws_code = true;
        return true;
    }
    d->has_code = true;
    return secrets_code(d->code, f->code_fd, true,
                        f->listen ? "passphrase (8 characters or more): " : "code: ", why);
}

static enum stt_mode choose_mode(const struct door *d)
{
    if (d->has_code)
        return STT_MODE_W;
    if (d->plan->flags.peer || has_ticket(d))
        return STT_MODE_K;
    return d->has_seed ? STT_MODE_S : STT_MODE_K;
}

/* *exits is that of the tools for files that are refused, until it is about arguments. */
static bool gather(struct door *d, int *exits, char *why)
{
    const struct plan_flags *f = &d->plan->flags;
    if (!secrets_identity(&d->identity, &d->plan->is_durable, f->identity, why) ||
        !secrets_seed(&d->seed, &d->has_seed, f->seed_file, f->seed_fd, why) ||
        !read_ticket(d, why))
        return false;
    if (f->peer) {
        d->has_peer = stt_peer_id_decode(&d->peer, f->peer) == STT_OK;
    } else if (!find_known(d, why)) {
        return false;
    }
    *exits = EXIT_USAGE;
    if (d->has_seed && wants_code(d))
        return fail(why, "a seed and a code do not go together; give one of them");
    if (!read_code(d, why))
        return false;
    d->mode = choose_mode(d);
    return true;
}

struct door *door_new(struct plan *plan, int *exits, char why[OPTION_WHY_ROOM])
{
    struct door *d = calloc(1, sizeof *d);
    *exits = EXIT_LOCAL_IO;
    if (!d) {
        fail(why, "out of memory");
        return NULL;
    }
    d->plan = plan;
    if (!gather(d, exits, why)) {
        door_free(d);
        return NULL;
    }
    return d;
}

void door_free(struct door *d)
{
    stt_env_wipe(d, sizeof *d);
    free(d);
}

/* -- the node -----------------------------------------------------------------------------------
 */

void door_configure(const struct door *d, struct stt_config *config)
{
    const struct plan_flags *f = &d->plan->flags;
    config->identity = d->identity;
    if (!f->listen)
        return;
    if (d->has_code || d->draws_code)
        config->accept |= STT_ACCEPT(STT_MODE_W);
    if (d->has_seed) {
        config->accept |= STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_K);
        config->require_seed = true;
        memcpy(config->seeds[0], d->seed.bytes, sizeof config->seeds[0]);
        config->n_seeds = 1;
    }
    if (f->identity || f->allow.n || f->allow_file)
        config->accept |= STT_ACCEPT(STT_MODE_K);
    config->allow_only_listed = f->allow.n || f->allow_file;
}

static int allow_one(void *ctx, const struct stt_peer_id *id)
{
    return stt_endpoint_allow(ctx, id);
}

static bool open_list(struct door *d, struct stt_endpoint *ep, char *why)
{
    const struct plan_flags *f = &d->plan->flags;
    struct stt_peer_id id;
    for (uint32_t i = 0; i < f->allow.n; i++)
        if (stt_peer_id_decode(&id, f->allow.at[i]) || stt_endpoint_allow(ep, &id))
            return fail(why, "the allow-list has no room for so many");
    return !f->allow_file || allow_read(f->allow_file, allow_one, ep, why);
}

static int draw_code(struct door *d, struct stt_node *node)
{
    uint32_t slot;
    return stt_endpoint_code_new(stt_node_endpoint(node), stt_node_now(node), d->code, &slot);
}

bool door_open(struct door *d, struct stt_node *node, int *exits, char why[OPTION_WHY_ROOM])
{
    struct stt_endpoint *ep = stt_node_endpoint(node);
    if (!d->plan->flags.listen)
        return true;
    *exits = EXIT_LOCAL_IO;
    if (!open_list(d, ep, why))
        return false;
    *exits = EXIT_USAGE;
    if (d->draws_code)
        return draw_code(d, node) == STT_OK || fail(why, "no code could be drawn");
    if (!d->has_code)
        return true;
    int error = stt_passphrase_stretch(d->code, d->stretched);
    stt_env_wipe(d->code, sizeof d->code);
    if (!error)
        error = stt_endpoint_passphrase(ep, stt_node_now(node), d->stretched);
    return !error || fail(why, error == STT_E_FORMAT
                                   ? "a passphrase has 8 to 256 bytes of UTF-8; without one, "
                                     "leave --code and STT_CODE away: a code is drawn then"
                                   : stt_error_text(error));
}

/* With only a code that lives once, -k needs another one each time. */
bool door_renew(struct door *d, struct stt_node *node)
{
    return d->draws_code && draw_code(d, node) == STT_OK;
}

/* An address of this machine that others may reach: what it would take to the world. Nothing is
 * sent for this. */
static void own_address(char *out, size_t room, int family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    struct sockaddr_storage own;
    socklen_t len = sizeof own;
    bool is_v4 = family == AF_INET;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    *out = 0;
    inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr);
    inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
    const void *to = is_v4 ? (const void *)&v4 : &v6;
    if (fd >= 0 && !connect(fd, to, is_v4 ? sizeof v4 : sizeof v6) &&
        !getsockname(fd, (struct sockaddr *)&own, &len))
        (void)getnameinfo((struct sockaddr *)&own, len, out, (socklen_t)room, NULL, 0,
                          NI_NUMERICHOST);
    if (fd >= 0)
        close(fd);
}

/* "HOST PORT", for who is elsewhere. */
static void place(char *out, size_t room, const char *bound, bool wants_ipv6)
{
    const char *colon = strrchr(bound, ':');
    char host[100];
    size_t brackets = bound[0] == '[';
    snprintf(host, sizeof host, "%.*s", (int)((size_t)(colon - bound) - 2 * brackets),
             bound + brackets);
    if (strcmp(host, "::") == 0 || strcmp(host, "0.0.0.0") == 0) {
        *host = 0;
        if (!wants_ipv6)
            own_address(host, sizeof host, AF_INET);
        if (!*host && brackets)
            own_address(host, sizeof host, AF_INET6);
        if (!*host && gethostname(host, sizeof host - 1))
            snprintf(host, sizeof host, "HOST");
    }
    snprintf(out, room, "%s %s", host, colon + 1);
}

/* What the other side does to fit. */
static const char *counterpart(const struct plan *plan)
{
    if (plan->job == JOB_FILES)
        return plan->gives ? " --recv DIR" : " --send PATH...";
    return plan->job == JOB_FORWARD ? " -L PORT:HOST:PORT" : plan->flags.raw ? " --raw" : "";
}

static void say_event(const struct door *d, const char *bound, const char *id)
{
    struct say_object o;
    say_object_begin(&o, "listening");
    say_object_text(&o, "address", bound);
    say_object_text(&o, "peer_id", id);
    if (d->draws_code)
        say_object_text(&o, "code", d->code);
    say_object_end(&o);
}

void door_say(const struct door *d, const char *bound)
{
    const struct plan_flags *f = &d->plan->flags;
    const char *more = counterpart(d->plan);
    char id[STT_PEER_ID_TEXT_ROOM], to[120];
    bool knows_us = f->identity || f->allow.n || f->allow_file;
    stt_peer_id_encode(&d->identity.peer_id, id);
    place(to, sizeof to, bound, f->ipv6);
    say_event(d, bound, id);
    if (say_is_json() || (!say_wants(0) && !d->draws_code)) /* without the code nobody comes in */
        return;
    say_note(0, "listening on %s; on the other side:", bound);
    if (d->draws_code)
        say_line("    sttcat %s%s\n    and the code, which is good once: %s", to, more, d->code);
    else if (d->has_code)
        say_line("    sttcat --code %s%s", to, more);
    else
        say_line("    sttcat%s%s%s %s%s", d->has_seed ? " --seed-file FILE" : "",
                 knows_us ? " --peer " : "", knows_us ? id : "", to, more);
}

/* -- knocking -----------------------------------------------------------------------------------
 */

enum stt_mode door_mode(const struct door *d)
{
    return d->mode;
}

bool door_is_pinned(const struct door *d)
{
    return d->is_known;
}

/* As stt_endpoint_code_new() writes them: a number, then a hyphen. Everything else is a passphrase.
 */
static bool is_drawn_code(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 4 && text[digits] == '-';
}

int door_knock(struct door *d, struct stt_node *node, const char *to)
{
    struct stt_connect c = STT_CONNECT_INIT;
    int error = STT_OK;
    c.mode = d->mode;
    c.peer = d->peer;
    c.has_peer = d->has_peer;
    c.has_seed = d->has_seed;
    memcpy(c.seed, d->seed.bytes, sizeof c.seed);
    if (d->mode == STT_MODE_W && is_drawn_code(d->code)) {
        c.code = d->code;
    } else if (d->mode == STT_MODE_W) {
        error = stt_passphrase_stretch(d->code, d->stretched);
        c.stretched = d->stretched;
    }
    if (!error)
        error = stt_node_connect(node, &c, *d->ticket ? d->ticket : to, NULL);
    stt_env_wipe(&c, sizeof c);
    return error;
}

bool door_may_ask(const struct door *d)
{
    int terminal = d->is_known && d->mode == STT_MODE_K && !d->plan->flags.scan
                       ? open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
                       : -1;
    if (terminal >= 0)
        close(terminal);
    return terminal >= 0;
}

bool door_ask(struct door *d)
{
    char why[OPTION_WHY_ROOM], prompt[400];
    if (!door_may_ask(d))
        return false;
    snprintf(prompt, sizeof prompt,
             "%s is known, and does not answer without a code; code: ", d->plan->to);
    d->has_code = secrets_code(d->code, NULL, true, prompt, why);
    d->mode = d->has_code ? STT_MODE_W : d->mode;
    return d->has_code;
}

bool door_remember(struct door *d, const struct stt_peer_id *id, char why[OPTION_WHY_ROOM])
{
    if (d->plan->flags.listen || d->plan->flags.peer || d->is_known || d->mode == STT_MODE_K)
        return true;
    if (known_remember(d->plan->to, id, why) != KNOWN_YES)
        return false;
    say_note(1, "%s is remembered as the peer that it is", d->plan->to);
    return true;
}

void door_changed(const struct door *d, char why[OPTION_WHY_ROOM])
{
    if (d->is_known)
        known_changed(d->plan->to, &d->peer, NULL, why);
    else
        fail(why, "another peer answers there than the one that --peer names");
}
