/* SPDX-License-Identifier: MIT
 * protect: packets of a session, sealed into trains and opened in place (spec 02, "Protected
 * packets"; spec 03, "Key update").
 *
 *     seal:  frames -> header, AEAD, mask            open:  unmask, number, key, AEAD, window
 *
 * One object per session, in the caller's secret memory of stt_protect_bytes(suite); whoever frees
 * it wipes it. A number is never sealed twice. */
#ifndef STT_CRYPTO_PROTECT_H
#define STT_CRYPTO_PROTECT_H

#include "crypto/keys.h"
#include "crypto/replay.h"

enum {
    STT_PROTECT_HEADER_BYTES = 13,
    STT_PROTECT_OVERHEAD_BYTES = STT_PROTECT_HEADER_BYTES + STT_AEAD_TAG_BYTES,
};

struct stt_protect {
    struct stt_keys keys;
    struct stt_replay replay;
    uint64_t next_number;  /* all that were sealed are below */
    uint64_t epoch_number; /* next_number when the epoch began */
    uint64_t sealed;       /* packets, with the current key */
    uint64_t failed;       /* opens, in the life of the session */
    bool is_confirmed;     /* the peer has acknowledged a packet of this epoch */
    bool has_acknowledged; /* this end has acknowledged one of the peer's */
    _Alignas(STT_AEAD_STATE_ALIGN) uint8_t states[]; /* send, receive; their masks */
};

/* Packets of segment_bytes each, the last one perhaps shorter, in len bytes of memory. */
struct stt_protect_train {
    uint8_t *data;
    size_t len;
    size_t segment_bytes;
};

/* What becomes a packet. */
struct stt_protect_plain {
    uint64_t number;
    const uint8_t *session_id; /* 8 bytes, chosen by the peer */
    const struct bytes *parts;
    size_t parts_len;
};

enum stt_protect_result {
    STT_PROTECT_OPENED,
    STT_PROTECT_NO_KEY,     /* drop: phase and number select none */
    STT_PROTECT_FORGED,     /* drop */
    STT_PROTECT_REPLAYED,   /* drop: seen, or below the window */
    STT_PROTECT_VIOLATION,  /* opened; close with PROTOCOL_VIOLATION: reserved bits, or empty */
    STT_PROTECT_KEY_UPDATE, /* close with KEY_UPDATE: the peer was not allowed to update */
    STT_PROTECT_EXHAUSTED,  /* end the session silently: too many failed opens */
};

struct stt_protect_opened {
    enum stt_protect_result result;
    bool began_epoch; /* the peer updated its keys, and this end has followed */
    uint64_t number;
    struct bytes payload; /* lies in the train */
};

size_t stt_protect_bytes(const struct stt_aead_suite *suite);

/* Begins with the two results of Split. */
void stt_protect_init(struct stt_protect *p, const struct stt_aead_suite *suite,
                      enum stt_direction send,
                      const uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES]);

/* Packets that may be sealed before the next epoch must begin. */
static inline uint64_t stt_protect_sealable(const struct stt_protect *p)
{
    return p->keys.suite->max_packets - p->sealed;
}

/* Seals n packets into a train; answers its bytes. Numbers ascend, and each is above all that were
 * sealed before; each packet but the last fills its segment. */
size_t stt_protect_seal(struct stt_protect *p, const struct stt_protect_plain *packets, size_t n,
                        struct stt_protect_train to);

/* Opens a train of packets of this session, each at least STT_PROTECT_OVERHEAD_BYTES long and with
 * bit 7 clear; `opened` takes one answer for each. What is left of a packet that was not opened
 * means nothing; of a forged one, zeros. */
void stt_protect_open(struct stt_protect *p, struct stt_protect_train train,
                      struct stt_protect_opened *opened);

/* Tell what happened to numbers: they decide who may update. */
void stt_protect_on_acked(struct stt_protect *p, uint64_t number);
void stt_protect_on_ack_sent(struct stt_protect *p, uint64_t largest);

/* Whether this end may begin the next epoch, as far as it is known here: not while REKEY runs. */
static inline bool stt_protect_may_update(const struct stt_protect *p)
{
    return p->is_confirmed;
}

/* Begins the next epoch with the next packet; only when it may. */
void stt_protect_update(struct stt_protect *p);

/* The secrets from REKEY, for the next epoch. */
void stt_protect_install(struct stt_protect *p,
                         const uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES]);

/* The peer has been heard in the current epoch, and the previous one is still kept. */
static inline bool stt_protect_has_old_keys(const struct stt_protect *p)
{
    return p->keys.has_previous && p->keys.lowest_opened != UINT64_MAX;
}
/* 3 PTO after that. */
void stt_protect_forget_previous(struct stt_protect *p);

#endif
