/* SPDX-License-Identifier: MIT
 * rekeying: REKEY in a session: when it is begun, what its frames change, and how it ends. Its
 * messages are made and judged in rekey. Spec 03, "REKEY".
 *
 * Invariants: s->rekey is there exactly while a REKEY runs, and no key update begins then; its
 * epoch is the one behind the current; a session that is no longer open has none. */
#include "stt/session/saying.h"

#include <assert.h>

/* -- parts -------------------------------------------------------------------------------------
 */

static struct stt_rekey_use use_of(const struct stt_session *s)
{
    return (struct stt_rekey_use){.bytes = s->bytes_sent + s->bytes_received,
                                  .packets = s->packets_sent + s->packets_received};
}

static void start_clock(struct stt_session *s, stt_ns now)
{
    struct stt_rekey_use use = use_of(s);
    stt_rekey_clock_start(&s->rekey_clock, now, &use, s->is_initiator);
    stt_session_set(s, STT_TIMER_REKEY, s->is_initiator ? s->rekey_clock.from : STT_NEVER);
}

/* The initiator. */
static void wait_until(struct stt_session *s, stt_ns at)
{
    s->rekey_clock.from = at;
    stt_session_set(s, STT_TIMER_REKEY, at);
}

static void forget(struct stt_endpoint *ep, struct stt_session *s)
{
    stt_env_secret_release(&ep->env, s->rekey, sizeof *s->rekey);
    s->rekey = NULL;
    s->owed &= ~(uint32_t)STT_OWES_REKEY;
}

/* False: no memory, or no entropy. */
static bool prepare(struct stt_endpoint *ep, struct stt_session *s, uint8_t ephemeral[32])
{
    s->rekey = stt_env_secret_alloc(&ep->env, sizeof *s->rekey);
    if (s->rekey && stt_endpoint_draw(ep, ephemeral, 32))
        return true;
    forget(ep, s);
    return false;
}

/* W: behind protect. */
static struct stt_throwaway *throwaway_of(const struct stt_session *s)
{
    return (struct stt_throwaway *)((uint8_t *)s->protect + stt_protect_bytes(s->suite));
}

/* The static keys of the handshake: in W it left them here, else they are those of both ids. */
static struct stt_rekey_with with(struct stt_endpoint *ep, const struct stt_session *s,
                                  uint8_t peer[32])
{
    struct stt_rekey_with w = {.protect = s->protect, .peer = peer, .h = s->h};
    if (s->mode == STT_MODE_W) {
        w.own = &throwaway_of(s)->own;
        w.peer = throwaway_of(s)->peer;
        return w;
    }
    bool found = stt_images_find(&ep->images, peer, &s->peer);
    assert(found); /* by the handshake, too */
    w.own = &ep->secrets->own.pair;
    return w;
}

/* The epoch of the exchange has begun. */
static void end_well(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    memcpy(s->h, s->rekey->h, sizeof s->h);
    forget(ep, s);
    s->rekeys++;
    stt_tracing_epoch(ep, now, s, STT_ORIGIN_REKEY);
    start_clock(s, now);
}

/* -- beginning and end --------------------------------------------------------------------------
 */

void stt_rekeying_keep(struct stt_session *s)
{
    const struct stt_handshake *hs = s->handshake;
    if (s->mode != STT_MODE_W)
        return;
    throwaway_of(s)->own = hs->pair;
    memcpy(throwaway_of(s)->peer, hs->noise.rs, STT_NOISE_KEY_BYTES);
}

void stt_rekeying_open(struct stt_session *s, stt_ns now)
{
    start_clock(s, now);
}

void stt_rekeying_end(struct stt_endpoint *ep, struct stt_session *s)
{
    forget(ep, s);
    if (s->protect && s->mode == STT_MODE_W)
        stt_env_wipe(throwaway_of(s), sizeof *throwaway_of(s));
    wait_until(s, STT_NEVER);
}

/* -- the initiator ------------------------------------------------------------------------------
 */

static bool start(struct stt_endpoint *ep, struct stt_session *s)
{
    uint8_t ephemeral[32], peer[32];
    if (!prepare(ep, s, ephemeral))
        return false;
    struct stt_rekey_with w = with(ep, s, peer);
    bool ok = stt_rekey_create_1(s->rekey, &w, ephemeral);
    stt_env_wipe(ephemeral, sizeof ephemeral);
    if (!ok)
        forget(ep, s);
    return ok;
}

/* Again and again, for a responder that cannot answer yet says nothing. */
static void say_stage_1(struct stt_session *s, stt_ns now)
{
    stt_ns wait = 3 * stt_session_pto(s);
    s->owed |= STT_OWES_REKEY;
    stt_session_set(s, STT_TIMER_REKEY,
                    now + (wait > STT_REKEY_RETRY_NS ? wait : STT_REKEY_RETRY_NS));
}

/* Before the key is worn, with packets for all repetitions, there must be a new one. */
static bool is_half_worn(const struct stt_protect *p)
{
    return stt_protect_sealable(p) < p->keys.suite->max_packets / 2;
}

void stt_rekeying_if_due(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    struct stt_rekey_use use = use_of(s);
    if (!stt_rekey_is_due(&s->rekey_clock, now, &use) || stt_saying_allowed(s) != UINT32_MAX ||
        !stt_protect_may_update(s->protect) || is_half_worn(s->protect))
        return;
    if (!start(ep, s)) {
        wait_until(s, now + STT_REKEY_RETRY_NS);
        return;
    }
    wait_until(s, STT_NEVER);
    say_stage_1(s, now);
}

/* Without an exchange: it is begun with the next transmit, if there was enough use. */
void stt_rekeying_on_timer(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (s->rekey)
        say_stage_1(s, now);
    stt_endpoint_ready(ep, s);
}

static uint64_t finish(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                       struct bytes message)
{
    if (!stt_rekey_consume_2(s->rekey, s->protect, message))
        return STT_CLOSE_REKEY_FAILED;
    end_well(ep, now, s);
    stt_session_set(s, STT_TIMER_OLD_KEYS, STT_NEVER); /* until the peer has followed */
    s->owed |= STT_OWES_PING;                          /* so that the peer follows */
    return STT_CLOSE_NO_ERROR;
}

/* -- the responder ------------------------------------------------------------------------------
 */

static uint64_t answer(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                       struct bytes message)
{
    uint8_t ephemeral[32], peer[32];
    if (stt_rekey_is_early(&s->rekey_clock, now))
        return STT_CLOSE_REKEY_FAILED;
    if (!stt_endpoint_allows_id(ep, &s->peer)) {
        stt_session_end(ep, now, s,
                        &(struct stt_session_end){.reason = STT_REASON_NOT_ALLOWED,
                                                  .code = STT_CLOSE_NOT_ALLOWED});
        return STT_CLOSE_NO_ERROR;
    }
    if (!prepare(ep, s, ephemeral))
        return STT_CLOSE_NO_ERROR; /* it will come again */
    struct stt_rekey_with w = with(ep, s, peer);
    bool ok = stt_rekey_consume_1(s->rekey, &w, message, ephemeral);
    stt_env_wipe(ephemeral, sizeof ephemeral);
    if (!ok)
        return STT_CLOSE_REKEY_FAILED;
    s->owed |= STT_OWES_REKEY;
    return STT_CLOSE_NO_ERROR;
}

/* -- both ---------------------------------------------------------------------------------------
 */

uint64_t stt_rekeying_arrived(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                              struct rd *r)
{
    struct frame_rekey f;
    if (!stt_frame_rekey_decode(r, &f))
        return STT_CLOSE_FRAME_ENCODING;
    switch (stt_rekey_judge(s->rekey, s->is_initiator, s->protect->keys.number, &f)) {
    case STT_REKEY_IGNORE:
        return STT_CLOSE_NO_ERROR;
    case STT_REKEY_UNEXPECTED:
        return STT_CLOSE_FRAME_UNEXPECTED;
    case STT_REKEY_AGAIN:
        s->owed |= STT_OWES_REKEY;
        return STT_CLOSE_NO_ERROR;
    case STT_REKEY_CONSUME:
        return s->is_initiator ? finish(ep, now, s, f.noise) : answer(ep, now, s, f.noise);
    case STT_REKEY_BAD:
        break;
    }
    return STT_CLOSE_REKEY_FAILED;
}

bool stt_rekeying_say(const struct stt_session *s, struct wr *w)
{
    const struct stt_rekey *x = s->rekey;
    return !x || stt_frame_rekey_encode(w, &(struct frame_rekey){.stage = s->is_initiator
                                                                              ? STT_REKEY_INITIATOR
                                                                              : STT_REKEY_RESPONDER,
                                                                 .epoch = x->epoch,
                                                                 .noise = BYTES(x->message)});
}

void stt_rekeying_on_epoch(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (!s->rekey)
        return;
    if (!s->is_initiator) {
        end_well(ep, now, s);
        return;
    }
    forget(ep, s); /* an update of the peer's has crossed it */
    wait_until(s, now + STT_REKEY_RETRY_NS);
}
