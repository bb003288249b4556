/* SPDX-License-Identifier: MIT
 * roster: the list of peers and the table of codes, each call under the lock where there is one.
 *
 * The list is found by static key, which is what a handshake shows first; the peer id that is
 * stored with it decides, since two ids share a key. Owns the entries of the list. Invariants:
 * nothing of it is lent out, since another thread may take it away; what is looked at without the
 * lock is only when codes die, and says so before or after the change, never something else. It
 * must not know who tries. Spec 03, "Order of checks", "Guesses at a code". */
#include "stt/session/roster.h"

#include "crypto/identity.h"

#include <string.h>

static void hold(const struct stt_roster *r)
{
    if (r->lock)
        r->lock(r->lock_ctx, true);
}

static void leave(const struct stt_roster *r)
{
    if (r->lock)
        r->lock(r->lock_ctx, false);
}

static void note_ends(struct stt_roster *r)
{
    atomic_store_explicit(&r->first_ends, stt_codes_deadline(r->codes), memory_order_relaxed);
    atomic_store_explicit(&r->last_ends, stt_codes_last_ends(r->codes), memory_order_relaxed);
}

void stt_roster_init(struct stt_roster *r, const struct stt_env *env, struct stt_codes *codes,
                     uint64_t seed)
{
    stt_map_init(&r->allowed, env, 32, seed, UINT32_MAX / 4);
    r->codes = codes;
    r->lock = NULL;
    note_ends(r);
}

void stt_roster_fini(struct stt_roster *r)
{
    uint32_t cursor = 0;
    for (struct stt_map_entry e; stt_map_next(&r->allowed, &cursor, &e);)
        stt_env_release(r->allowed.env, (void *)(uintptr_t)e.value, sizeof(struct stt_peer_id));
    stt_map_fini(&r->allowed);
}

/* -- peers ------------------------------------------------------------------------------------- */

static int add(struct stt_roster *r, const uint8_t key[32], const struct stt_peer_id *peer)
{
    struct stt_peer_id *entry = stt_map_find_pointer(&r->allowed, key);
    if (entry) {
        *entry = *peer;
        return STT_OK;
    }
    entry = stt_env_alloc(r->allowed.env, sizeof *entry);
    if (!entry)
        return STT_E_MEMORY;
    *entry = *peer;
    int error = stt_map_put(&r->allowed, key, (uintptr_t)entry);
    if (error)
        stt_env_release(r->allowed.env, entry, sizeof *entry);
    return error;
}

int stt_roster_allow(struct stt_roster *r, const struct stt_peer_id *peer)
{
    uint8_t key[32];
    if (!stt_identity_image(key, peer))
        return STT_E_CRYPTO;
    hold(r);
    int error = add(r, key, peer);
    leave(r);
    return error;
}

static bool is_entry(const struct stt_roster *r, const uint8_t key[32],
                     const struct stt_peer_id *peer)
{
    const struct stt_peer_id *entry = stt_map_find_pointer(&r->allowed, key);
    return entry && memcmp(entry->bytes, peer->bytes, sizeof peer->bytes) == 0;
}

int stt_roster_disallow(struct stt_roster *r, const struct stt_peer_id *peer)
{
    uint8_t key[32];
    if (!stt_identity_image(key, peer))
        return STT_E_CRYPTO;
    hold(r);
    bool is_there = is_entry(r, key, peer);
    if (is_there)
        stt_env_release(r->allowed.env, (void *)(uintptr_t)stt_map_remove(&r->allowed, key),
                        sizeof *peer);
    leave(r);
    return is_there ? STT_OK : STT_E_NOT_FOUND;
}

bool stt_roster_has_key(const struct stt_roster *r, const uint8_t static_key[32])
{
    hold(r);
    bool has = stt_map_find(&r->allowed, static_key) != 0;
    leave(r);
    return has;
}

bool stt_roster_has_peer(const struct stt_roster *r, const uint8_t static_key[32],
                         const struct stt_peer_id *peer)
{
    hold(r);
    bool has = is_entry(r, static_key, peer);
    leave(r);
    return has;
}

/* -- codes ------------------------------------------------------------------------------------- */

int stt_roster_arm(struct stt_roster *r, stt_ns now, const struct stt_code *code)
{
    hold(r);
    int error = stt_codes_arm(r->codes, now, code);
    note_ends(r);
    leave(r);
    return error;
}

int stt_roster_arm_new(struct stt_roster *r, stt_ns now,
                       bool (*draw)(void *ctx, uint8_t *out, size_t len), void *ctx, char *text,
                       uint32_t *slot)
{
    uint8_t entropy[16];
    struct stt_code code;
    int error = STT_E_EXISTS;
    for (int i = 0; i < 16 && error == STT_E_EXISTS; i++) { /* until the slot is a free one */
        if (!draw(ctx, entropy, sizeof entropy))
            return STT_E_IO;
        stt_code_generate(&code, entropy);
        error = stt_roster_arm(r, now, &code);
    }
    if (!error) {
        stt_code_text(text, &code);
        *slot = code.slot;
    }
    stt_env_wipe(&code, sizeof code);
    stt_env_wipe(entropy, sizeof entropy);
    return error;
}

int stt_roster_arm_stretched(struct stt_roster *r, stt_ns now, const uint8_t stretched[32])
{
    struct stt_code code = {.prs_len = 32};
    memcpy(code.prs, stretched, 32);
    int error = stt_roster_arm(r, now, &code);
    stt_env_wipe(&code, sizeof code);
    return error;
}

bool stt_roster_disarm(struct stt_roster *r, uint32_t slot)
{
    hold(r);
    bool was_armed = stt_codes_disarm(r->codes, slot);
    note_ends(r);
    leave(r);
    return was_armed;
}

bool stt_roster_is_armed(const struct stt_roster *r, stt_ns now)
{
    return now < atomic_load_explicit(&r->last_ends, memory_order_relaxed);
}

bool stt_roster_begin(struct stt_roster *r, stt_ns now, uint32_t slot, struct stt_attempt *attempt,
                      struct stt_code *code)
{
    hold(r);
    const struct stt_code *found = stt_codes_begin(r->codes, now, slot, attempt);
    if (found)
        *code = *found;
    leave(r);
    return found != NULL;
}

bool stt_roster_is_live(const struct stt_roster *r, stt_ns now, const struct stt_attempt *attempt)
{
    hold(r);
    bool is_live = stt_codes_is_live(r->codes, now, attempt);
    leave(r);
    return is_live;
}

enum stt_code_fate stt_roster_end(struct stt_roster *r, stt_ns now, struct stt_attempt *attempt,
                                  enum stt_guess guess, uint32_t *slot)
{
    hold(r);
    enum stt_code_fate fate = stt_codes_end(r->codes, now, attempt, guess, slot);
    note_ends(r);
    leave(r);
    return fate;
}

stt_ns stt_roster_deadline(const struct stt_roster *r)
{
    return atomic_load_explicit(&r->first_ends, memory_order_relaxed);
}

bool stt_roster_expire(struct stt_roster *r, stt_ns now, uint32_t *slot)
{
    if (now < stt_roster_deadline(r))
        return false;
    hold(r);
    bool any = stt_codes_expire(r->codes, now, slot);
    note_ends(r);
    leave(r);
    return any;
}
