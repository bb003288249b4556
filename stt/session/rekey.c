/* SPDX-License-Identifier: MIT
 * rekey: owns the Noise state and the messages of one REKEY exchange, and when the next is due.
 *
 * Invariants: protect gets keys only from an exchange that has verified on both counts, the psk of
 * the epoch and the static keys; psk, keys and ephemeral secrets outlive no call but, in the
 * Noise state of stage 1, the wait for stage 2. It must not know packets, timers, memory, entropy
 * or sessions. Spec 03, "REKEY". */
#include "stt/session/rekey.h"

#include "stt/base/env.h"
#include "stt/wire/limits.h"

#include <assert.h>

/* -- when -------------------------------------------------------------------------------------- */

void stt_rekey_clock_start(struct stt_rekey_clock *c, stt_ns now, const struct stt_rekey_use *use,
                           bool is_initiator)
{
    c->from = now + (is_initiator ? STT_REKEY_AFTER_NS : STT_REKEY_EARLIEST_NS);
    c->idle = *use;
}

bool stt_rekey_is_due(const struct stt_rekey_clock *c, stt_ns now, const struct stt_rekey_use *use)
{
    return now >= c->from && (use->bytes - c->idle.bytes >= STT_REKEY_AFTER_BYTES ||
                              use->packets - c->idle.packets >= STT_REKEY_AFTER_PACKETS);
}

/* -- Noise ------------------------------------------------------------------------------------- */

enum { PROLOGUE_MAX = 256 }; /* 90, and the suite's name */

static void write_lp(struct wr *w, struct bytes b)
{
    wr_u16(w, (uint16_t)b.len);
    wr_bytes(w, b);
}

static struct bytes prologue(const struct stt_rekey *x, const struct stt_rekey_with *with,
                             uint8_t out[PROLOGUE_MAX])
{
    struct wr w = wr_init(out, PROLOGUE_MAX);
    const char *suite = with->protect->keys.suite->name;
    uint8_t epoch[8];
    be64_store(epoch, x->epoch);
    write_lp(&w, BYTES_TEXT("stt1 rekey"));
    write_lp(&w, bytes_of(with->h, STT_KEYS_H_BYTES));
    write_lp(&w, BYTES(epoch));
    write_lp(&w, bytes_of(suite, strlen(suite)));
    assert(!w.bad);
    return wr_done(&w);
}

static bool begin(struct stt_rekey *x, const struct stt_rekey_with *with, bool is_initiator)
{
    uint8_t bytes[PROLOGUE_MAX], psk[STT_EXPORTER_BYTES];
    x->epoch = with->protect->keys.number + 1;
    if (!stt_noise_init(&x->noise, &(struct stt_noise_setup){.pattern = STT_NOISE_KKPSK0,
                                                             .is_initiator = is_initiator,
                                                             .prologue = prologue(x, with, bytes),
                                                             .s = with->own,
                                                             .rs = with->peer}))
        return false;
    stt_keys_exporter(psk, &with->protect->keys, with->h);
    stt_noise_set_psk(&x->noise, psk);
    stt_env_wipe(psk, sizeof psk);
    return true;
}

static bool write(struct stt_rekey *x, const uint8_t ephemeral[STT_NOISE_KEY_BYTES])
{
    struct stt_noise_keypair e;
    struct wr w = wr_init(x->message, sizeof x->message);
    stt_noise_keypair_init(&e, ephemeral);
    stt_noise_set_ephemeral(&x->noise, &e);
    stt_env_wipe(&e, sizeof e);
    return stt_noise_write(&x->noise, BYTES_NONE, &w);
}

/* Without a payload. */
static bool read(struct stt_rekey *x, struct bytes message)
{
    uint8_t nothing[1];
    struct rd r = rd_init(message);
    struct wr payload = wr_init(nothing, 0);
    return stt_noise_read(&x->noise, &r, &payload);
}

/* The keys become those of the next epoch, and the Noise state is wiped. */
static void install(struct stt_rekey *x, struct stt_protect *protect)
{
    struct stt_noise_keys keys;
    uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES];
    bool done = stt_noise_split(&x->noise, &keys);
    assert(done && protect->keys.number + 1 == x->epoch);
    memcpy(secrets[STT_TO_RESPONDER], keys.initiator, STT_SECRET_BYTES);
    memcpy(secrets[STT_TO_INITIATOR], keys.responder, STT_SECRET_BYTES);
    stt_protect_install(protect, (const uint8_t(*)[STT_SECRET_BYTES])secrets);
    memcpy(x->h, keys.h, sizeof x->h);
    stt_env_wipe(secrets, sizeof secrets);
    stt_env_wipe(&keys, sizeof keys);
}

/* -- stages ------------------------------------------------------------------------------------ */

bool stt_rekey_create_1(struct stt_rekey *x, const struct stt_rekey_with *with,
                        const uint8_t ephemeral[STT_NOISE_KEY_BYTES])
{
    assert(stt_protect_may_update(with->protect));
    return begin(x, with, true) && write(x, ephemeral);
}

bool stt_rekey_consume_1(struct stt_rekey *x, const struct stt_rekey_with *with,
                         struct bytes message, const uint8_t ephemeral[STT_NOISE_KEY_BYTES])
{
    if (message.len != sizeof x->answered || !begin(x, with, false) || !read(x, message) ||
        !write(x, ephemeral))
        return false;
    memcpy(x->answered, message.data, sizeof x->answered);
    install(x, with->protect);
    return true;
}

bool stt_rekey_consume_2(struct stt_rekey *x, struct stt_protect *protect, struct bytes message)
{
    if (!read(x, message))
        return false;
    install(x, protect);
    stt_protect_update(protect);
    return true;
}

enum stt_rekey_verdict stt_rekey_judge(const struct stt_rekey *x, bool is_initiator, uint64_t epoch,
                                       const struct frame_rekey *f)
{
    if (f->stage != (is_initiator ? STT_REKEY_RESPONDER : STT_REKEY_INITIATOR))
        return STT_REKEY_UNEXPECTED;
    if (f->epoch != epoch + 1)
        return STT_REKEY_IGNORE;
    if (!x)
        return is_initiator ? STT_REKEY_UNEXPECTED : STT_REKEY_CONSUME;
    if (x->epoch != f->epoch) /* of an epoch that has begun in the same train */
        return STT_REKEY_BAD;
    if (is_initiator)
        return STT_REKEY_CONSUME;
    return bytes_equal(f->noise, BYTES(x->answered)) ? STT_REKEY_AGAIN : STT_REKEY_BAD;
}
