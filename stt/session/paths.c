/* SPDX-License-Identifier: MIT
 * paths: at most two paths, and at most one trial between them. Invariants: without a trial the
 * other path is empty; a token counts for the path that it was sent to, in the trial that it was
 * sent in; to a path on trial go at most three times the bytes that came from it.
 *
 * It must not know what is estimated about a path, nor how packets are made; tokens and time are
 * arguments. Spec 04, "Paths". */
#include "stt/session/paths.h"

#include "stt/recovery/rtt.h"

#include <string.h>

enum { PATHS = 2 };

/* -- comparing
 * ------------------------------------------------------------------------------------- */

static bool same_host(const struct stt_address *a, const struct stt_address *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0 && a->scope == b->scope;
}

bool stt_address_equal(const struct stt_address *a, const struct stt_address *b)
{
    return same_host(a, b) && a->port == b->port;
}

bool stt_path_equal(const struct stt_path *a, const struct stt_path *b)
{
    return a->carrier == b->carrier && stt_address_equal(&a->remote, &b->remote) &&
           stt_address_equal(&a->local, &b->local);
}

static bool is_unknown(const struct stt_address *a)
{
    return stt_address_equal(a, &(struct stt_address){.port = 0});
}

/* Who connects does not know from where, and some hosts never do. */
static bool same_local(const struct stt_address *a, const struct stt_address *b)
{
    return is_unknown(a) || is_unknown(b) || stt_address_equal(a, b);
}

static bool matches(const struct stt_path *a, const struct stt_path *b)
{
    return a->carrier == b->carrier && stt_address_equal(&a->remote, &b->remote) &&
           same_local(&a->local, &b->local);
}

static int other(int which)
{
    return 1 - which;
}

int stt_paths_which(const struct stt_paths *p, const struct stt_path *path)
{
    if (matches(&p->at[p->in_use].path, path))
        return p->in_use;
    if (p->on_trial >= 0 && matches(&p->at[other(p->in_use)].path, path))
        return other(p->in_use);
    return STT_PATH_NONE;
}

bool stt_paths_is_port_change(const struct stt_paths *p)
{
    const struct stt_path *a = &p->at[0].path, *b = &p->at[1].path;
    return p->on_trial >= 0 && a->carrier == b->carrier && same_host(&a->remote, &b->remote) &&
           same_local(&a->local, &b->local);
}

/* -- trials
 * ----------------------------------------------------------------------------------------- */

void stt_paths_init(struct stt_paths *p, const struct stt_path *path)
{
    *p = (struct stt_paths){.at[0].path = *path, .on_trial = STT_PATH_NONE};
}

static bool may_try(const struct stt_paths *p, stt_ns now)
{
    bool is_free = p->on_trial < 0 || p->waited || p->is_move;
    return p->barred_until[p->next_failure] <= now && is_free;
}

/* A PTO of the old path says nothing of a new one that somebody chose; RFC 9000, 8.2.4, waits as
 * long. */
static stt_ns chosen(stt_ns wait)
{
    return wait > STT_PATH_MOVE_NS ? wait : STT_PATH_MOVE_NS;
}

/* Whatever was tried before was tried in vain; the path that is kept stays. */
static enum stt_paths_news begin(struct stt_paths *p, stt_ns now, stt_ns pto,
                                 const struct stt_paths_packet *packet)
{
    stt_ns wait = STT_PATH_TRIAL_PTO * pto;
    int kept = p->on_trial < 0 || p->is_move ? p->in_use : other(p->on_trial);
    p->at[kept] = (struct stt_path_state){.path = p->at[kept].path, .owes_challenge = true};
    p->at[other(kept)] = (struct stt_path_state){.path = *packet->path, .owes_challenge = true};
    p->in_use = p->on_trial = (int8_t)other(kept);
    p->is_move = p->waited = p->was_left = false;
    p->is_mute = packet->is_mute;
    p->rounds = 1;
    p->ends_at = now + (packet->is_to_new_id ? chosen(wait) : wait);
    p->challenge_at = now + stt_rtt_backed_off(pto, 0);
    p->received_bytes = packet->bytes;
    p->sent_bytes = 0;
    return STT_PATHS_TRIAL;
}

int stt_paths_move(struct stt_paths *p, stt_ns now, stt_ns pto, const struct stt_path *to)
{
    int next = other(p->in_use);
    if (p->on_trial >= 0)
        return STT_E_AGAIN;
    p->at[next] = (struct stt_path_state){.path = *to, .owes_challenge = true};
    p->on_trial = (int8_t)next;
    p->is_move = true;
    p->is_mute = p->waited = p->was_left = false;
    p->rounds = 1;
    p->ends_at = now + chosen(STT_PATH_MOVE_PTO * pto);
    p->challenge_at = now + stt_rtt_backed_off(pto, 0);
    return STT_OK;
}

/* This path stays, and nothing is left of the other one. */
static void settle(struct stt_paths *p, int which)
{
    p->at[which] = (struct stt_path_state){.path = p->at[which].path};
    p->at[other(which)] = (struct stt_path_state){.challenges = 0};
    p->in_use = (int8_t)which;
    p->on_trial = STT_PATH_NONE;
    p->is_move = p->was_left = false;
}

static enum stt_paths_news fail(struct stt_paths *p, stt_ns now)
{
    if (p->is_move) {
        settle(p, p->in_use);
        return STT_PATHS_STAYED;
    }
    p->barred_until[p->next_failure] = now + STT_PATH_FAILED_TRIALS_NS;
    p->next_failure = (uint8_t)((p->next_failure + 1) % STT_PATH_FAILED_TRIALS_MAX);
    settle(p, other(p->on_trial));
    return STT_PATHS_RETURNED;
}

static enum stt_paths_news succeed(struct stt_paths *p, stt_ns now)
{
    const struct stt_path left = p->at[p->in_use].path;
    bool was_left = p->is_move;
    settle(p, p->on_trial);
    p->moved++;
    if (was_left)
        p->at[other(p->in_use)].path = left;
    p->was_left = was_left;
    p->left_at = now;
    return STT_PATHS_MOVED;
}

/* -- what comes in
 * ----------------------------------------------------------------------------------- */

/* The peer has not followed yet. */
static bool is_expected(const struct stt_paths *p, stt_ns now, stt_ns pto,
                        const struct stt_path *path)
{
    return p->was_left && matches(&p->at[other(p->in_use)].path, path) &&
           now - p->left_at < STT_PATH_TRIAL_PTO * pto;
}

bool stt_paths_is_at_home(const struct stt_paths *p, const struct stt_path *path)
{
    return p->on_trial < 0 && !p->was_left && stt_path_equal(&p->at[p->in_use].path, path);
}

enum stt_paths_news stt_paths_on_packet(struct stt_paths *p, stt_ns now, stt_ns pto,
                                        const struct stt_paths_packet *packet)
{
    int which = stt_paths_which(p, packet->path);
    if (which >= 0 && is_unknown(&p->at[which].path.local))
        p->at[which].path.local = packet->path->local;
    if (which >= 0 && which == p->on_trial)
        p->received_bytes += packet->bytes;
    if (!packet->is_highest || !packet->moves_path)
        return STT_PATHS_SAME;
    p->was_left = p->was_left && which != p->in_use;
    if (which == p->in_use || is_expected(p, now, pto, packet->path))
        return STT_PATHS_SAME;
    if (which >= 0) /* the peer is still where it was */
        return p->is_move ? STT_PATHS_SAME : fail(p, now);
    return may_try(p, now) ? begin(p, now, pto, packet) : STT_PATHS_SAME;
}

void stt_paths_on_challenge(struct stt_paths *p, const struct stt_path *from,
                            const uint8_t token[STT_PATH_TOKEN_BYTES])
{
    p->owes_response = true;
    p->response_path = *from;
    memcpy(p->response_token, token, sizeof p->response_token);
}

static bool was_sent_to(const struct stt_path_state *s, const uint8_t token[STT_PATH_TOKEN_BYTES])
{
    for (int i = 0; i < s->challenges; i++)
        if (memcmp(s->token[i], token, sizeof s->token[i]) == 0)
            return true;
    return false;
}

enum stt_paths_news stt_paths_on_response(struct stt_paths *p, stt_ns now,
                                          const struct stt_path *from,
                                          const uint8_t token[STT_PATH_TOKEN_BYTES])
{
    if (p->on_trial < 0)
        return STT_PATHS_SAME;
    if (was_sent_to(&p->at[p->on_trial], token))
        return stt_paths_which(p, from) == p->on_trial ? succeed(p, now) : STT_PATHS_SAME;
    struct stt_path_state *kept = &p->at[other(p->on_trial)];
    if (!was_sent_to(kept, token)) /* from wherever: a copy may be faster than the peer */
        return STT_PATHS_SAME;
    kept->answered = true;
    kept->owes_challenge = false;
    return p->waited ? fail(p, now) : STT_PATHS_SAME;
}

/* -- what goes out
 * ------------------------------------------------------------------------------------ */

/* Only our own end is elsewhere, and that is no secret of the peer's: it is where it was. */
static bool is_same_peer(const struct stt_paths *p)
{
    const struct stt_path *a = &p->at[0].path, *b = &p->at[1].path;
    return a->carrier == b->carrier && stt_address_equal(&a->remote, &b->remote);
}

static uint64_t allowance_of(const struct stt_paths *p, int which)
{
    if (which < 0 || which != p->on_trial || p->is_move || is_same_peer(p))
        return UINT64_MAX;
    uint64_t limit = STT_AMPLIFICATION_MAX * p->received_bytes;
    return limit > p->sent_bytes ? limit - p->sent_bytes : 0;
}

uint64_t stt_paths_allowance(const struct stt_paths *p)
{
    return allowance_of(p, p->in_use);
}

void stt_paths_on_sent(struct stt_paths *p, const struct stt_path *path, size_t bytes)
{
    if (p->on_trial >= 0 && stt_paths_which(p, path) == p->on_trial)
        p->sent_bytes += bytes;
}

/* What there is to say on one path; false: nothing, or not now. */
static bool say_on(const struct stt_paths *p, const struct stt_path *path,
                   struct stt_paths_say *say)
{
    int which = stt_paths_which(p, path);
    uint64_t allowance = allowance_of(p, which);
    *say = (struct stt_paths_say){.path = *path};
    say->challenge = which >= 0 && p->at[which].owes_challenge;
    say->response = p->owes_response && stt_path_equal(path, &p->response_path);
    say->pads = say->challenge && allowance >= STT_DATAGRAM_BYTES_MIN;
    memcpy(say->response_token, p->response_token, sizeof say->response_token);
    return (say->challenge || say->response) && allowance >= STT_PATHS_SAY_BYTES_MAX;
}

bool stt_paths_next(const struct stt_paths *p, struct stt_paths_say *say)
{
    if (p->owes_response && say_on(p, &p->response_path, say))
        return true;
    if (p->on_trial < 0)
        return false;
    return say_on(p, &p->at[p->on_trial].path, say) ||
           say_on(p, &p->at[other(p->on_trial)].path, say);
}

static void remember(struct stt_path_state *s, const uint8_t token[STT_PATH_TOKEN_BYTES])
{
    memcpy(s->token[s->next_token], token, sizeof s->token[0]);
    s->next_token = (uint8_t)((s->next_token + 1) % STT_PATH_TOKENS);
    s->challenges = (uint8_t)(s->challenges + (s->challenges < STT_PATH_TOKENS));
    s->owes_challenge = false;
}

void stt_paths_on_said(struct stt_paths *p, const struct stt_paths_say *say,
                       const uint8_t token[STT_PATH_TOKEN_BYTES])
{
    int which = stt_paths_which(p, &say->path);
    if (say->response)
        p->owes_response = false;
    if (say->challenge)
        p->is_mute = false;
    if (say->challenge && which >= 0)
        remember(&p->at[which], token);
}

/* -- time
 * --------------------------------------------------------------------------------------------- */

stt_ns stt_paths_deadline(const struct stt_paths *p)
{
    if (p->on_trial < 0)
        return STT_NEVER;
    return p->waited || p->challenge_at < p->ends_at ? p->challenge_at : p->ends_at;
}

/* The first three rounds each PTO, the later ones ever more slowly. */
static void challenge_again(struct stt_paths *p, stt_ns now, stt_ns pto)
{
    for (int i = 0; i < PATHS; i++)
        p->at[i].owes_challenge = !p->at[i].answered && (!p->is_move || i == p->on_trial);
    p->rounds = (uint8_t)(p->rounds + (p->rounds < UINT8_MAX));
    unsigned backoff =
        p->rounds < STT_PATH_CHALLENGES_MAX ? 0 : p->rounds - STT_PATH_CHALLENGES_MAX + 1;
    p->challenge_at = now + stt_rtt_backed_off(pto, backoff);
}

enum stt_paths_news stt_paths_expire(struct stt_paths *p, stt_ns now, stt_ns pto)
{
    if (p->on_trial < 0)
        return STT_PATHS_SAME;
    if (now >= p->ends_at && (p->is_move || p->is_mute || p->at[other(p->on_trial)].answered))
        return fail(p, now);
    p->waited = p->waited || now >= p->ends_at;
    if (now >= p->challenge_at)
        challenge_again(p, now, pto);
    return STT_PATHS_SAME;
}
