/* SPDX-License-Identifier: MIT
 * Any packets, challenges and answers from four places against a model that keeps a list of all
 * that was ever sent, and judges by the words of the spec. Input: operations of kind 1 and
 * arguments 2. */
#include "stt/base/bytes.h"
#include "stt/session/paths.h"
#include "tests/support/fuzz.h"

#include <string.h>

enum { PLACES = 4, NOWHERE = -1, TOKENS_MAX = 4096, FAILURES_MAX = 4096, FULL = 1200 };

struct model {
    stt_ns now;
    int in_use, kept; /* places; kept is NOWHERE without a trial */
    unsigned trial;   /* its number */
    stt_ns began_at, wait_ns;
    bool waited, kept_answered, is_mute;
    uint64_t received, sent;
    struct {
        int place;
        unsigned trial;
    } token[TOKENS_MAX]; /* by its value */
    uint64_t tokens;
    stt_ns failed_at[FAILURES_MAX];
    size_t failures;
    int challenged_from; /* waits for an answer, or NOWHERE */
    uint8_t challenge;
};

static const stt_ns pto = STT_MS(100);

static struct stt_path place(int i)
{
    struct stt_path path = {.local = {.port = 1}, .remote = {.port = 2}};
    path.remote.ip[15] = (uint8_t)(i & 1);
    path.local.ip[15] = (uint8_t)(i >> 1);
    return path;
}

static int place_of(const struct stt_path *path)
{
    return path->remote.ip[15] | path->local.ip[15] << 1;
}

static bool on_trial(const struct model *m)
{
    return m->kept != NOWHERE;
}

/* The peer is said to be elsewhere, and not only this end. */
static bool is_limited(const struct model *m)
{
    return on_trial(m) && (m->in_use ^ m->kept) & 1;
}

static enum stt_paths_news failed(struct model *m)
{
    m->failed_at[m->failures++ % FAILURES_MAX] = m->now;
    m->in_use = m->kept;
    m->kept = NOWHERE;
    return STT_PATHS_RETURNED;
}

static bool may_try(const struct model *m)
{
    unsigned fresh = 0;
    for (size_t i = 0; i < m->failures; i++)
        fresh += m->failed_at[i] + STT_S(10) > m->now;
    return fresh < 4 && (!on_trial(m) || m->waited);
}

/* -- what comes in
 * ------------------------------------------------------------------------------------ */

static enum stt_paths_news judge_packet(struct model *m, const struct stt_paths_packet *packet)
{
    int from = place_of(packet->path);
    if (on_trial(m) && from == m->in_use)
        m->received += packet->bytes;
    if (from == m->in_use || !packet->is_highest || !packet->moves_path)
        return STT_PATHS_SAME;
    if (from == m->kept)
        return failed(m);
    if (!may_try(m))
        return STT_PATHS_SAME;
    m->kept = on_trial(m) ? m->kept : m->in_use;
    m->in_use = from;
    m->trial++;
    m->began_at = m->now;
    m->wait_ns = packet->is_to_new_id ? STT_S(3) : 3 * pto;
    m->waited = m->kept_answered = false;
    m->is_mute = packet->is_mute;
    m->received = packet->bytes;
    m->sent = 0;
    return STT_PATHS_TRIAL;
}

static void packet(struct model *m, struct stt_paths *p, uint8_t a, uint8_t b)
{
    struct stt_path from = place(a % PLACES);
    struct stt_paths_packet packet = {&from, b * 5u, a & 4, a & 8, a & 16, a & 32};
    enum stt_paths_news wanted = judge_packet(m, &packet);
    FUZZ_ASSERT(stt_paths_on_packet(p, m->now, pto, &packet) == wanted);
}

/* One of the last four that were sent to its place in this trial. */
static bool is_valid(const struct model *m, uint64_t value)
{
    unsigned later = 0;
    if (!on_trial(m) || value >= m->tokens || m->token[value].place == NOWHERE ||
        m->token[value].trial != m->trial)
        return false;
    for (uint64_t v = value + 1; v < m->tokens; v++)
        later += m->token[v].place == m->token[value].place;
    return later < STT_PATH_TOKENS;
}

static enum stt_paths_news judge_response(struct model *m, int from, uint64_t value)
{
    if (!is_valid(m, value))
        return STT_PATHS_SAME;
    if (m->token[value].place == m->in_use) {
        if (from != m->in_use)
            return STT_PATHS_SAME;
        m->kept = NOWHERE;
        return STT_PATHS_MOVED;
    }
    m->kept_answered = true;
    return m->waited ? failed(m) : STT_PATHS_SAME;
}

static void response(struct model *m, struct stt_paths *p, uint8_t a, uint8_t b)
{
    struct stt_path from = place(a % PLACES);
    uint64_t value = m->tokens - b % 16; /* a late one, or one that was never sent */
    uint8_t token[STT_PATH_TOKEN_BYTES];
    be64_store(token, value);
    enum stt_paths_news wanted = judge_response(m, a % PLACES, value);
    FUZZ_ASSERT(stt_paths_on_response(p, m->now, &from, token) == wanted);
}

static void challenge(struct model *m, struct stt_paths *p, uint8_t a, uint8_t b)
{
    struct stt_path from = place(a % PLACES);
    uint8_t token[STT_PATH_TOKEN_BYTES] = {b};
    stt_paths_on_challenge(p, &from, token);
    m->challenged_from = a % PLACES;
    m->challenge = b;
}

/* -- what goes out
 * ------------------------------------------------------------------------------------- */

static void count_sent(struct model *m, struct stt_paths *p, const struct stt_path *path,
                       size_t bytes)
{
    stt_paths_on_sent(p, path, bytes);
    if (on_trial(m) && place_of(path) == m->in_use)
        m->sent += bytes;
}

static void send(struct model *m, struct stt_paths *p, uint8_t b)
{
    struct stt_path path = *stt_paths_current(p);
    uint64_t bytes = b * 10u, allowance = stt_paths_allowance(p);
    count_sent(m, p, &path, bytes < allowance ? bytes : allowance);
}

static void say(struct model *m, struct stt_paths *p)
{
    struct stt_paths_say s;
    uint8_t token[STT_PATH_TOKEN_BYTES];
    if (m->tokens == TOKENS_MAX || !stt_paths_next(p, &s))
        return;
    int to = place_of(&s.path);
    FUZZ_ASSERT(s.challenge || s.response);
    FUZZ_ASSERT(!s.challenge || (on_trial(m) && (to == m->in_use || to == m->kept)));
    FUZZ_ASSERT(!s.challenge || to != m->kept || !m->kept_answered);
    if (s.response) {
        FUZZ_ASSERT(to == m->challenged_from && s.response_token[0] == m->challenge);
        m->challenged_from = NOWHERE;
    }
    m->is_mute = m->is_mute && !s.challenge;
    be64_store(token, m->tokens);
    stt_paths_on_said(p, &s, token);
    count_sent(m, p, &s.path, s.pads ? FULL : STT_PATHS_SAY_BYTES_MAX);
    m->token[m->tokens].place = s.challenge ? to : NOWHERE;
    m->token[m->tokens++].trial = m->trial;
}

/* -- time
 * ------------------------------------------------------------------------------------------------
 */

static void pass_time(struct model *m, struct stt_paths *p, stt_ns time)
{
    enum stt_paths_news wanted = STT_PATHS_SAME;
    m->now += time;
    if (on_trial(m) && m->now >= m->began_at + m->wait_ns) {
        if (m->kept_answered || m->is_mute)
            wanted = failed(m);
        m->waited = true;
    }
    FUZZ_ASSERT(stt_paths_expire(p, m->now, pto) == wanted);
    FUZZ_ASSERT(stt_paths_expire(p, m->now, pto) == STT_PATHS_SAME);
    FUZZ_ASSERT(stt_paths_deadline(p) > m->now);
    FUZZ_ASSERT(on_trial(m) ? stt_paths_deadline(p) <= m->now + STT_S(10)
                            : stt_paths_deadline(p) == STT_NEVER);
}

static void check_same(const struct model *m, const struct stt_paths *p)
{
    struct stt_path a = place(m->in_use), b = place(m->kept < 0 ? 0 : m->kept);
    struct stt_path nothing = {.carrier = 0};
    FUZZ_ASSERT(p->in_use == 0 || p->in_use == 1);
    FUZZ_ASSERT(stt_path_equal(stt_paths_current(p), &a));
    FUZZ_ASSERT(stt_path_equal(&p->at[1 - p->in_use].path, on_trial(m) ? &b : &nothing));
    FUZZ_ASSERT(!is_limited(m) || m->sent <= 3 * m->received);
    FUZZ_ASSERT(stt_paths_allowance(p) == (is_limited(m) ? 3 * m->received - m->sent : UINT64_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model m;
    struct rd input = rd_init(bytes_of(data, size));
    struct stt_path first = place(0);
    struct stt_paths p;
    m = (struct model){.kept = NOWHERE, .challenged_from = NOWHERE};
    stt_paths_init(&p, &first);
    while (rd_left(&input) && m.failures < FAILURES_MAX) {
        uint8_t kind = rd_u8(&input), a = rd_u8(&input), b = rd_u8(&input);
        switch (kind % 8) {
        case 0:
            pass_time(&m, &p, STT_MS(a) * (1 + b / 8u));
            break;
        case 1:
            challenge(&m, &p, a, b);
            break;
        case 2:
            response(&m, &p, a, b);
            break;
        case 3:
            send(&m, &p, b);
            break;
        case 4:
        case 5:
            say(&m, &p);
            break;
        default:
            packet(&m, &p, a, b);
        }
        check_same(&m, &p);
    }
    return 0;
}
