/* SPDX-License-Identifier: MIT
 * rekey: the Noise exchange that gives a running session keys which no thief of its present ones
 * can have: when one is due, what its two messages hold, how they are judged (spec 03, "REKEY").
 *
 *     initiator                                    responder
 *     create_1 -------- stage 1, epoch e ------->  consume_1: the next epoch has its keys
 *     consume_2 <------ stage 2, epoch e --------
 *     is in epoch e + 1 --- any packet --------->  follows
 *
 * A message is built once, and repeated as it is. */
#ifndef STT_SESSION_REKEY_H
#define STT_SESSION_REKEY_H

#include "crypto/noise.h"
#include "crypto/protect.h"
#include "stt/wire/frame.h"

enum { STT_REKEY_NOISE_BYTES = STT_NOISE_KEY_BYTES + STT_NOISE_TAG_BYTES };

/* -- when -------------------------------------------------------------------------------------- */

/* What a session has carried so far, in both directions together. */
struct stt_rekey_use {
    uint64_t bytes, packets;
};

struct stt_rekey_clock {
    stt_ns from;               /* the initiator starts the next, the responder answers one */
    struct stt_rekey_use idle; /* what does not count: all before the last, and PING */
};

/* The session opens, or one is done. */
void stt_rekey_clock_start(struct stt_rekey_clock *c, stt_ns now, const struct stt_rekey_use *use,
                           bool is_initiator);

/* The initiator starts one. */
bool stt_rekey_is_due(const struct stt_rekey_clock *c, stt_ns now, const struct stt_rekey_use *use);
/* The responder is asked sooner than anybody honest asks. */
static inline bool stt_rekey_is_early(const struct stt_rekey_clock *c, stt_ns now)
{
    return now < c->from;
}

/* -- one exchange ------------------------------------------------------------------------------ */

/* In the caller's secret memory; whoever frees it wipes it. */
struct stt_rekey {
    uint64_t epoch;                          /* that the result begins */
    struct stt_noise_handshake_state noise;  /* stage 1: waits for stage 2 */
    uint8_t message[STT_REKEY_NOISE_BYTES];  /* of our stage, again and again */
    uint8_t answered[STT_REKEY_NOISE_BYTES]; /* stage 2: the stage 1 that it answers */
    uint8_t h[STT_KEYS_H_BYTES];             /* stage 2: of the epoch to come */
};

/* What an exchange is made of besides fresh entropy. */
struct stt_rekey_with {
    struct stt_protect *protect;
    const struct stt_noise_keypair *own; /* the static keys of the handshake; must outlive it */
    const uint8_t *peer;                 /* 32 bytes */
    const uint8_t *h;                    /* 64: of what began the current epoch */
};

/* Builds stage 1; only when protect may update. False: the keys are not two different ones. */
bool stt_rekey_create_1(struct stt_rekey *x, const struct stt_rekey_with *with,
                        const uint8_t ephemeral[STT_NOISE_KEY_BYTES]) STT_MUST_USE;

/* Judges stage 1, builds stage 2, and gives the next epoch its keys. Whatever does not verify
 * changes nothing but x, which the caller wipes. */
bool stt_rekey_consume_1(struct stt_rekey *x, const struct stt_rekey_with *with,
                         struct bytes message,
                         const uint8_t ephemeral[STT_NOISE_KEY_BYTES]) STT_MUST_USE;

/* Judges stage 2, and begins the next epoch, with x->h. Whatever does not verify changes nothing.
 */
bool stt_rekey_consume_2(struct stt_rekey *x, struct stt_protect *protect,
                         struct bytes message) STT_MUST_USE;

/* What is to be done about a REKEY frame. */
enum stt_rekey_verdict {
    STT_REKEY_IGNORE,     /* it is of another epoch */
    STT_REKEY_UNEXPECTED, /* close with FRAME_UNEXPECTED: nobody waits for it */
    STT_REKEY_BAD,        /* close with REKEY_FAILED */
    STT_REKEY_AGAIN,      /* a copy: stage 2 once more */
    STT_REKEY_CONSUME,
};
/* x: the exchange that runs, or NULL; `epoch` is the current one. */
enum stt_rekey_verdict stt_rekey_judge(const struct stt_rekey *x, bool is_initiator, uint64_t epoch,
                                       const struct frame_rekey *f);

#endif
