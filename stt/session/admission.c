/* SPDX-License-Identifier: MIT
 * admission: packets of strangers, in the order of spec 03, "Order of checks". Nothing is
 * remembered of a packet that fails one, and the dear checks come last.
 *
 *     kind -> armed -> mac1 -> mac2 | budget | cookie -> copy -> seen, caps -> key, list -> the
 * rest
 */
#include "stt/session/engine.h"

/* What answering costs, in nanoseconds of a core: about 30 us a multiplication. */
static const uint32_t work_of[][4] = {
    /*                message 1 and 2   message 3 */
    [STT_MODE_K] = {0, 170000, 0, 0},
    [STT_MODE_S] = {0, 80000, 0, 65000},
    [STT_MODE_W] = {0, 200000, 0, 70000},
};

/* One packet under judgement. */
struct candidate {
    const struct stt_path *path;
    struct bytes datagram;
    enum stt_mode mode;
    enum stt_packet_kind kind;
    const uint8_t *mac1, *mac2;
    struct bytes before_mac1, before_mac2;
    struct stt_mac_base base;
    bool is_proven; /* mac2 was valid: the address is the sender's */
};

static struct candidate candidate_of(const struct stt_path *path, struct bytes datagram,
                                     enum stt_packet_kind kind)
{
    struct candidate c = {.path = path, .datagram = datagram, .kind = kind};
    c.mode = stt_packet_mode(datagram);
    c.before_mac1 = stt_packet_before_mac1(kind, datagram);
    c.before_mac2 = bytes_of(datagram.data, c.before_mac1.len + STT_MAC_BYTES);
    c.mac1 = datagram.data + c.before_mac1.len;
    c.mac2 = datagram.data + c.before_mac2.len;
    return c;
}

static void drop(struct stt_endpoint *ep, const struct candidate *c, enum stt_drop reason)
{
    stt_endpoint_drop(ep, NULL, reason, c->datagram.len);
}

/* -- mac1
 * -------------------------------------------------------------------------------------------- */

static void add_way(struct stt_endpoint *ep, enum stt_mode mode, const uint8_t *seed)
{
    struct stt_mac_way *way = &ep->secrets->ways[ep->secrets->n_ways++];
    struct stt_mac_base base = stt_handshake_mac_base(&ep->secrets->own, mode, seed);
    way->mode = mode;
    way->seed = seed;
    for (uint8_t message = 1; message < 4; message++)
        stt_mac1_key(way->key[message], &base, message);
}

/* Each seed where the mode takes one, then none where it may do without. */
void stt_admission_init(struct stt_endpoint *ep)
{
    for (uint32_t i = 0; i < ep->config.n_seeds; i++) {
        add_way(ep, STT_MODE_K, ep->secrets->seeds[i]);
        add_way(ep, STT_MODE_S, ep->secrets->seeds[i]);
    }
    if (!ep->config.require_seed)
        add_way(ep, STT_MODE_K, NULL);
    add_way(ep, STT_MODE_W, NULL);
}

static bool mac1_fits(const struct stt_endpoint *ep, struct candidate *c)
{
    for (uint32_t i = 0; i < ep->secrets->n_ways; i++) {
        const struct stt_mac_way *way = &ep->secrets->ways[i];
        if (way->mode != c->mode || !stt_mac_verify(c->mac1, way->key[c->kind], c->before_mac1))
            continue;
        c->base = stt_handshake_mac_base(&ep->secrets->own, c->mode, way->seed);
        return true;
    }
    return false;
}

/* -- mac2, budgets, cookies
 * ------------------------------------------------------------------------ */

static struct stt_cookie_source source_of(const struct stt_path *path)
{
    struct stt_cookie_source source = {.port = path->remote.port};
    memcpy(source.address, path->remote.ip, sizeof source.address);
    return source;
}

static struct stt_budget_rule work_rule(const struct stt_endpoint *ep)
{
    uint32_t percent = ep->config.handshake_work_percent;
    return (struct stt_budget_rule){100 / (percent ? percent : 1), STT_MS(100)};
}

static bool is_demanded(const struct stt_endpoint *ep, stt_ns now, const struct candidate *c)
{
    struct stt_budget_rule rule = work_rule(ep);
    return c->mode == STT_MODE_W || ep->n_half_open > STT_HALF_OPEN_FREE ||
           !stt_budget_has(&ep->work, &rule, now, work_of[c->mode][c->kind]);
}

static void send_cookie(struct stt_endpoint *ep, stt_ns now, const struct candidate *c,
                        struct stt_id initiator)
{
    uint8_t key[STT_COOKIE_KEY_BYTES], cookie[STT_COOKIE_BYTES], out[STT_COOKIE_REPLY_BYTES];
    struct packet_cookie_reply reply = {.mode = c->mode, .initiator = initiator};
    struct stt_cookie_source source = source_of(c->path);
    struct wr w = wr_init(out, sizeof out);
    if (!stt_endpoint_draw(ep, reply.nonce, sizeof reply.nonce))
        return;
    stt_cookie_make(cookie, ep->secrets->cookie_secret, &source, now);
    stt_cookie_key(key, &c->base);
    stt_cookie_seal(reply.sealed_cookie, key, reply.nonce, c->mac1, cookie);
    stt_env_wipe(key, sizeof key);
    stt_env_wipe(cookie, sizeof cookie);
    if (stt_packet_cookie_reply_encode(&w, &reply)) {
        stt_endpoint_reply(ep, c->path, wr_done(&w));
        ep->stats.cookies_sent++;
    }
}

/* Prefixes share 1,024 budgets; who falls together with whom is a secret. */
static struct stt_budget *prefix_budget(struct stt_endpoint *ep, const struct stt_count_key *key)
{
    uint8_t hash[STT_MAC_BYTES];
    stt_mac(hash, ep->secrets->cookie_secret, BYTES(key->bytes));
    return &ep->prefix_budgets[be32_load(hash) % STT_PREFIX_BUDGETS];
}

static bool charge_prefixes(struct stt_endpoint *ep, stt_ns now, const struct candidate *c)
{
    uint32_t rate = ep->config.handshakes_per_prefix_second;
    struct stt_budget_rule rule = stt_budget_rate(rate, rate);
    struct stt_prefixes p;
    stt_prefixes_of(&p, c->path->remote.ip, 1);
    for (uint32_t i = 0; i < p.n; i++)
        if (!stt_budget_take(prefix_budget(ep, &p.key[i]), &rule, now, 1))
            return false;
    return true;
}

/* True: go on. */
static bool mac2_admits(struct stt_endpoint *ep, stt_ns now, struct candidate *c,
                        struct stt_id initiator)
{
    struct stt_cookie_source source = source_of(c->path);
    struct stt_budget_rule rule =
        stt_budget_rate(ep->config.handshakes_per_second, ep->config.handshakes_per_second / 4 + 1);
    bool has_one = !bytes_all_zero(bytes_of(c->mac2, STT_MAC_BYTES));
    c->is_proven = has_one && stt_mac2_verify(c->mac2, ep->secrets->cookie_secret, &source, now,
                                              c->before_mac2);
    if (c->is_proven) {
        bool ok = charge_prefixes(ep, now, c);
        if (!ok)
            drop(ep, c, STT_DROP_over_budget);
        return ok;
    }
    if (!stt_budget_take(&ep->unproven, &rule, now, 1)) {
        drop(ep, c, STT_DROP_over_budget);
        return false;
    }
    if (!is_demanded(ep, now, c))
        return true;
    if (has_one)
        drop(ep, c, STT_DROP_bad_mac2);
    send_cookie(ep, now, c, initiator);
    return false;
}

/* -- what a half-open state holds
 * --------------------------------------------------------------------- */

static bool count(struct stt_endpoint *ep, struct stt_session *s, const struct stt_count_key *key,
                  uint32_t cap)
{
    if (stt_counts_add(&ep->counts, key, cap) != STT_OK)
        return false;
    s->counted[s->n_counted++] = *key;
    return true;
}

static bool count_prefixes(struct stt_endpoint *ep, struct stt_session *s,
                           const struct stt_path *path)
{
    struct stt_prefixes p;
    stt_prefixes_of(&p, path->remote.ip, ep->config.max_half_open_per_prefix);
    for (uint32_t i = 0; i < p.n; i++)
        if (!count(ep, s, &p.key[i], p.cap[i]))
            return false;
    return true;
}

static bool count_peer(struct stt_endpoint *ep, struct stt_session *s, const struct stt_path *path)
{
    struct stt_prefixes p;
    stt_prefixes_of(&p, path->remote.ip, 1);
    struct stt_count_key key = stt_count_key_of_peer(s->handshake->noise.rs, &p.key[0]);
    return count(ep, s, &key, ep->config.max_half_open_per_peer);
}

void stt_admission_release(struct stt_endpoint *ep, struct stt_session *s)
{
    while (s->n_counted)
        stt_counts_drop(&ep->counts, &s->counted[--s->n_counted]);
    if (s->is_half_open) {
        ep->n_half_open--;
        s->is_half_open = false;
    }
    if (!s->handshake)
        return;
    if (stt_map_find(&ep->answered, s->handshake->answered) == stt_endpoint_handle(ep, s))
        stt_map_remove(&ep->answered, s->handshake->answered);
    stt_env_secret_release(&ep->env, s->handshake, sizeof *s->handshake);
    ep->n_handshakes--;
    s->handshake = NULL;
}

enum stt_code_fate stt_admission_end_attempt(struct stt_endpoint *ep, stt_ns now,
                                             struct stt_session *s, enum stt_guess guess)
{
    static const enum stt_reason reasons[] = {
        [STT_CODE_USED] = STT_REASON_CODE_USED, [STT_CODE_GUESSED] = STT_REASON_CODE_GUESSED};
    uint32_t slot = 0;
    if (!s->attempt.generation)
        return STT_CODE_LIVES;
    enum stt_code_fate fate = stt_roster_end(ep->roster, now, &s->attempt, guess, &slot);
    if (guess == STT_GUESS_WRONG && fate != STT_CODE_GONE)
        stt_endpoint_report_code(ep, STT_EVENT_CODE_WRONG, slot, STT_REASON_CODE_WRONG);
    if (fate == STT_CODE_USED || fate == STT_CODE_GUESSED)
        stt_endpoint_report_code(ep, STT_EVENT_CODE_ENDED, slot, reasons[fate]);
    return fate;
}

/* -- message 1
 * ------------------------------------------------------------------------------------------ */

static bool is_armed(const struct stt_endpoint *ep, stt_ns now, enum stt_mode mode)
{
    if (mode == STT_MODE_Q || !(ep->config.accept & STT_ACCEPT(mode)))
        return false;
    if (mode == STT_MODE_W)
        return stt_roster_is_armed(ep->roster, now);
    return mode != STT_MODE_S || ep->config.n_seeds > 0;
}

/* Our own message, sent back to us: it names an id of a session that we began. */
static bool is_own(const struct stt_endpoint *ep, struct stt_id initiator)
{
    const struct stt_session *s =
        stt_slab_at(&ep->sessions, stt_map_find(&ep->by_id, initiator.bytes));
    return s && s->is_initiator;
}

/* A copy of what is half open: the same answer, to where the copy came from. */
static bool answer_copy(struct stt_endpoint *ep, stt_ns now, const struct candidate *c)
{
    stt_handle handle = stt_map_find(&ep->answered, c->mac1);
    struct stt_session *s = stt_slab_at(&ep->sessions, handle);
    if (!s)
        return false;
    if (c->mode == STT_MODE_W && !stt_roster_is_live(ep->roster, now, &s->attempt))
        stt_session_drop(ep, now, s, STT_REASON_NO_ANSWER); /* the code has died, and attempts */
    else
        stt_endpoint_answer_again(ep, handle, c->path);
    return true;
}

/* K knows who asks; the key finds the entry, the id decides. */
static bool admit_key(struct stt_endpoint *ep, struct stt_session *s, const struct candidate *c)
{
    if (c->mode != STT_MODE_K)
        return true;
    bool ok = stt_endpoint_allows_key(ep, s->handshake->noise.rs);
    if (!ok)
        drop(ep, c, STT_DROP_not_allowed);
    return ok && count_peer(ep, s, c->path);
}

static bool admit_peer(struct stt_endpoint *ep, struct stt_session *s, const struct candidate *c)
{
    if (c->mode != STT_MODE_K)
        return true;
    bool ok = stt_endpoint_allows_peer(ep, s->handshake->noise.rs, &s->handshake->peer);
    if (!ok)
        drop(ep, c, STT_DROP_not_allowed);
    return ok;
}

/* Steps 7 and 8, and message 2. */
static bool answer(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                   const struct candidate *c, const struct packet_message_1 *m)
{
    const struct stt_handshake_own *own = &ep->secrets->own;
    struct stt_handshake_entropy entropy;
    struct stt_code code = {.prs_len = 0};
    struct rd r;
    bool is_w = c->mode == STT_MODE_W;
    if (!stt_endpoint_draw(ep, (uint8_t *)&entropy, sizeof entropy))
        return false;
    struct stt_handshake_open open = {
        .responder = s->ids.own[0].id, .seed = c->base.seed, .entropy = &entropy};
    bool ok = stt_handshake_open_1(s->handshake, own, &open, m, &r) && admit_key(ep, s, c) &&
              stt_handshake_read_1(s->handshake, own, &r) && admit_peer(ep, s, c);
    if (ok && is_w)
        ok = stt_roster_begin(ep->roster, now, s->handshake->slot, &s->attempt, &code);
    ok = ok && stt_handshake_write_2(s->handshake, own, is_w ? &code : NULL, &entropy);
    stt_env_wipe(&code, sizeof code);
    stt_env_wipe(&entropy, sizeof entropy);
    return ok;
}

/* K: the responder has all it needs; the others wait for message 3. */
static void become_half_open(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    s->state = STT_SESSION_HALF_OPEN;
    stt_tracing_state(ep, now, s, STT_SESSION_STATE_COUNT);
    s->is_half_open = true;
    ep->n_half_open++;
    s->sends_packet = true;
    stt_session_set(s, STT_TIMER_HALF_OPEN, now + STT_HALF_OPEN_LIFE_NS);
    stt_session_rearm(ep, s);
    stt_endpoint_ready(ep, s);
    ep->stats.handshakes_answered++;
}

static bool remember(struct stt_endpoint *ep, struct stt_session *s,
                     const struct packet_message_1 *m)
{
    return stt_seen_add(&ep->seen, m->noise.data) == STT_OK &&
           stt_map_put(&ep->answered, m->mac1, stt_endpoint_handle(ep, s)) == STT_OK;
}

static void judge_message_1(struct stt_endpoint *ep, stt_ns now, const struct candidate *c,
                            const struct packet_message_1 *m)
{
    struct stt_budget_rule rule = work_rule(ep);
    struct stt_session *s = stt_session_new(ep, now, c->path);
    if (!s || !(s->handshake = stt_connecting_new_handshake(ep))) {
        drop(ep, c, STT_DROP_no_memory);
        if (s)
            stt_session_free(ep, s);
        return;
    }
    s->mode = (uint8_t)c->mode;
    stt_budget_charge(&ep->work, &rule, now, work_of[c->mode][STT_PACKET_MESSAGE_1]);
    if (c->is_proven && !count_prefixes(ep, s, c->path)) {
        drop(ep, c, STT_DROP_half_open_full);
    } else if (!answer(ep, now, s, c, m)) {
        drop(ep, c, STT_DROP_bad_handshake);
    } else if ((s->mode != STT_MODE_K || stt_connecting_take_keys(ep, now, s) == STT_OK) &&
               remember(ep, s, m)) {
        become_half_open(ep, now, s);
        return;
    }
    stt_admission_end_attempt(ep, now, s, STT_GUESS_NONE);
    stt_session_free(ep, s);
}

void stt_admission_message_1(struct stt_endpoint *ep, stt_ns now, const struct stt_path *path,
                             struct bytes datagram)
{
    struct packet_message_1 m;
    struct candidate c = candidate_of(path, datagram, STT_PACKET_MESSAGE_1);
    if (!is_armed(ep, now, c.mode)) {
        drop(ep, &c, STT_DROP_mode_not_armed);
    } else if (!mac1_fits(ep, &c)) {
        drop(ep, &c, STT_DROP_bad_mac1);
    } else if (!stt_packet_message_1_decode(datagram, &m)) {
        drop(ep, &c, STT_DROP_bad_handshake);
    } else if (is_own(ep, m.initiator)) {
        drop(ep, &c, STT_DROP_own_packet);
    } else if (mac2_admits(ep, now, &c, m.initiator) && !answer_copy(ep, now, &c)) {
        if (m.noise.len < 32 || stt_seen_has(&ep->seen, m.noise.data))
            drop(ep, &c, STT_DROP_replayed_ephemeral);
        else if (ep->n_half_open >= ep->config.max_half_open || stt_endpoint_is_full(ep))
            drop(ep, &c, STT_DROP_half_open_full);
        else
            judge_message_1(ep, now, &c, &m);
    }
}

/* -- message 3
 * ------------------------------------------------------------------------------------------ */

static void refuse(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                   const struct stt_path *path)
{
    uint8_t out[STT_REFUSED_BYTES];
    enum stt_code_fate fate = stt_admission_end_attempt(ep, now, s, STT_GUESS_WRONG);
    stt_handshake_write_refused(
        s->handshake, fate == STT_CODE_GUESSED ? STT_REFUSED_USED_UP : STT_REFUSED_WRONG, out);
    if (fate != STT_CODE_GONE) /* just now, to another worker */
        stt_endpoint_reply(ep, path, BYTES(out));
    stt_session_drop(ep, now, s, STT_REASON_CODE_WRONG);
}

static void accept_3(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                     const struct stt_path *path, const uint8_t mac1[STT_MAC_BYTES])
{
    if (stt_admission_end_attempt(ep, now, s, STT_GUESS_RIGHT) == STT_CODE_GONE) {
        stt_session_drop(ep, now, s, STT_REASON_NO_ANSWER); /* just now, to another worker */
        return;
    }
    if (stt_connecting_take_keys(ep, now, s) != STT_OK) {
        stt_session_drop(ep, now, s, STT_REASON_MEMORY);
        return;
    }
    memcpy(s->message_3_mac1, mac1, sizeof s->message_3_mac1);
    stt_paths_init(&s->paths, path);
    stt_connecting_first_packet(ep, now, s);
    stt_session_rearm(ep, s);
}

static void judge_message_3(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            const struct candidate *c, const struct packet_message_3 *m)
{
    struct stt_budget_rule rule = work_rule(ep);
    struct stt_noise_handshake_state attempt;
    enum stt_handshake_verdict verdict = STT_HANDSHAKE_DROP;
    struct rd r;
    bool is_s = c->mode == STT_MODE_S;
    if (c->mode == STT_MODE_W && !stt_roster_is_live(ep->roster, now, &s->attempt)) {
        stt_session_drop(ep, now, s, STT_REASON_NO_ANSWER); /* the code has died, and attempts */
        return;
    }
    stt_budget_charge(&ep->work, &rule, now, work_of[c->mode][STT_PACKET_MESSAGE_3]);
    if (stt_handshake_open_3(s->handshake, m, &attempt, &r) &&
        (!is_s || stt_endpoint_allows_key(ep, attempt.rs)))
        verdict = stt_handshake_read_3(s->handshake, &ep->secrets->own, &attempt, &r);
    if (verdict == STT_HANDSHAKE_OK && is_s &&
        !stt_endpoint_allows_peer(ep, attempt.rs, &s->handshake->peer))
        verdict = STT_HANDSHAKE_SPENT;
    stt_noise_wipe(&attempt);
    switch (verdict) {
    case STT_HANDSHAKE_OK:
        accept_3(ep, now, s, c->path, c->mac1);
        return;
    case STT_HANDSHAKE_WRONG:
        refuse(ep, now, s, c->path);
        return;
    case STT_HANDSHAKE_SPENT:
        stt_admission_end_attempt(ep, now, s,
                                  c->mode == STT_MODE_W ? STT_GUESS_RIGHT : STT_GUESS_NONE);
        stt_session_drop(ep, now, s, STT_REASON_NO_ANSWER);
        return;
    default:
        drop(ep, c, STT_DROP_bad_handshake);
    }
}

/* The handshake goes on with the seed that it began with. */
static bool is_same_seed(const struct candidate *c, const struct stt_handshake *hs)
{
    return !hs->has_seed || (c->base.seed && memcmp(c->base.seed, hs->seed, sizeof hs->seed) == 0);
}

/* Until the initiator has been heard, a copy of its message 3 says where it may be as well as the
 * first one did: whoever was faster. It is told once more that it was understood, or to go. */
static bool answer_copy_3(struct stt_endpoint *ep, struct stt_session *s, const struct candidate *c)
{
    if (s->is_initiator || s->packets_received || s->mode != c->mode ||
        s->state < STT_SESSION_IDENTIFY || s->state > STT_SESSION_CLOSING ||
        memcmp(s->message_3_mac1, c->mac1, sizeof s->message_3_mac1) != 0)
        return false;
    stt_paths_init(&s->paths, c->path);
    s->owed |= s->state == STT_SESSION_OPEN       ? STT_OWES_PING
               : s->state == STT_SESSION_IDENTIFY ? STT_OWES_IDENTITY
                                                  : stt_session_last_words(s);
    stt_endpoint_ready(ep, s);
    return true;
}

void stt_admission_message_3(struct stt_endpoint *ep, stt_ns now, const struct stt_path *path,
                             struct bytes datagram)
{
    struct packet_message_3 m;
    struct candidate c = candidate_of(path, datagram, STT_PACKET_MESSAGE_3);
    struct stt_id id = stt_packet_id(datagram);
    struct stt_session *s = stt_slab_at(&ep->sessions, stt_map_find(&ep->by_id, id.bytes));
    if (s && answer_copy_3(ep, s, &c))
        return;
    if (!s || s->state != STT_SESSION_HALF_OPEN || s->mode != c.mode || c.mode == STT_MODE_K) {
        drop(ep, &c, STT_DROP_unknown_session);
        return;
    }
    if (!mac1_fits(ep, &c) || !is_same_seed(&c, s->handshake))
        drop(ep, &c, STT_DROP_bad_mac1);
    else if (!stt_packet_message_3_decode(datagram, &m))
        drop(ep, &c, STT_DROP_bad_handshake);
    else if (mac2_admits(ep, now, &c, s->handshake->initiator))
        judge_message_3(ep, now, s, &c, &m);
}
