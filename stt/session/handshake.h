/* SPDX-License-Identifier: MIT
 * handshake: what the handshake messages hold and how they are judged, in modes K, S and W, for
 * either side (spec 03, "Modes", "Payloads"). It builds and consumes packets; when they are sent,
 * who may ask and what becomes of the session is decided elsewhere.
 *
 *     initiator                               responder
 *     begin ---------- message 1 ----------->  open_1, read_1, write_2
 *     read_2 <-------- message 2 ------------
 *     (S, W) --------- message 3 ----------->  open_3, read_3
 *     finish                                   finish
 */
#ifndef STT_SESSION_HANDSHAKE_H
#define STT_SESSION_HANDSHAKE_H

#include "crypto/aead.h"
#include "crypto/code.h"
#include "crypto/cpace.h"
#include "crypto/identity.h"
#include "crypto/images.h"
#include "crypto/mac.h"
#include "crypto/noise.h"
#include "crypto/refused.h"
#include "stt/wire/packet.h"
#include "stt/wire/params.h"

/* What an endpoint brings to each of its handshakes. */
struct stt_handshake_own {
    const struct stt_identity *identity;
    struct stt_noise_keypair pair; /* the identity's X25519 image */
    struct bytes network;
    struct stt_params transport;                         /* the transport parameters alone */
    const struct stt_aead_suite *suites[STT_SUITES_MAX]; /* in the order of preference */
    uint32_t n_suites;
    struct stt_images *images; /* NULL: every image is found anew */
};

/* Fresh for every handshake; the caller wipes it. */
struct stt_handshake_entropy {
    uint8_t ephemeral[32];
    uint8_t throwaway[32]; /* W: the secret of an identity for this handshake alone */
    uint8_t scalar[64];    /* W: CPace */
};

/* The peer's transport parameters, as values. */
struct stt_peer_params {
    uint64_t idle_timeout_ms, max_data, max_stream_data, max_streams;
    uint32_t max_datagram_bytes, max_packet_bytes, max_ack_delay_us;
    uint8_t max_ids;
    bool exclusive, same_application;
};

/* Stays where it began: in W the Noise state points to `pair`. */
struct stt_handshake {
    enum stt_mode mode;
    bool is_initiator, has_seed, has_pin, exclusive;
    struct stt_id initiator, responder; /* session ids */
    uint8_t seed[32];
    uint8_t peer_static[32];          /* K, initiator: whom we call */
    struct stt_noise_keypair pair;    /* W: the throwaway one; else unused */
    struct stt_peer_id pin;           /* S */
    struct stt_peer_id own_throwaway; /* W */
    struct stt_noise_handshake_state noise;

    /* W */
    uint16_t slot;
    uint8_t scalar[STT_CPACE_SCALAR_BYTES], share[32], peer_share[32], sid[64];
    uint8_t refused_key[STT_REFUSED_KEY_BYTES];

    /* What we last built, as it goes out; a repetition is the same bytes but for mac2. */
    enum stt_packet_kind kind; /* STT_PACKET_INVALID when nothing can answer it any more */
    uint16_t packet_len;
    uint8_t packet[STT_HANDSHAKE_BYTES];

    /* Initiator: the cookie serves message 3, too. */
    bool has_cookie, cookie_taken; /* one is taken for each copy that was sent */
    uint8_t cookie[STT_COOKIE_BYTES];

    /* Responder: mac1 of the message 1 that was answered, which names its exact bytes. */
    uint8_t answered[STT_MAC_BYTES];

    /* What the peer said. */
    const struct stt_aead_suite *suite;
    struct stt_peer_id peer; /* not for K's initiator, who knew it before */
    struct stt_peer_params params;
};

/* -- initiator --------------------------------------------------------------------------------- */

struct stt_handshake_begin {
    enum stt_mode mode;
    struct stt_id initiator;    /* the id under which this side will receive */
    const uint8_t *peer_static; /* K */
    const uint8_t *seed;        /* S; K: or NULL */
    bool exclusive;
    const struct stt_peer_id *pin; /* S: whom it must be, or NULL */
    const struct stt_code *code;   /* W */
};

/* Builds message 1. False when the mode is Q, lacks what it needs to know, or the peer's key is no
 * key or our own. */
bool stt_handshake_begin(struct stt_handshake *hs, const struct stt_handshake_own *own,
                         const struct stt_handshake_begin *begin,
                         const struct stt_handshake_entropy *entropy) STT_MUST_USE;

/* Judges message 2. Only a message that verifies in every part changes anything; S, W: message 3 is
 * built then. In W the first one that opens as a Noise message spends the attempt. */
enum stt_handshake_verdict {
    STT_HANDSHAKE_DROP, /* as if it had not come */
    STT_HANDSHAKE_OK,
    STT_HANDSHAKE_OTHER_PEER, /* S: proven: it is not the pinned one */
    STT_HANDSHAKE_SPENT,      /* W: the peer's proof holds and its message does not; all is over */
    STT_HANDSHAKE_WRONG,      /* W, message 3: valid up to the psk: a wrong guess */
};
enum stt_handshake_verdict stt_handshake_read_2(struct stt_handshake *hs,
                                                const struct stt_handshake_own *own,
                                                struct bytes datagram) STT_MUST_USE;

/* Takes a cookie for the message that is out; true: it now carries mac2 and may be sent at once. A
 * later message carries one from the beginning. */
bool stt_handshake_read_cookie(struct stt_handshake *hs,
                               const struct packet_cookie_reply *reply) STT_MUST_USE;

/* The packet goes out again: another cookie may be taken for it. */
void stt_handshake_on_repeat(struct stt_handshake *hs);

/* W: true when the responder proves that the code was wrong. */
bool stt_handshake_read_refused(struct stt_handshake *hs, struct bytes datagram,
                                uint8_t *reason) STT_MUST_USE;

/* -- responder --------------------------------------------------------------------------------- */

struct stt_handshake_open {
    struct stt_id responder; /* the id under which this side will receive */
    const uint8_t *seed;     /* that mac1 was made with, or NULL */
    const struct stt_handshake_entropy *entropy;
};

/* The mac base of a packet of this mode, to check or make mac1 and cookies before there is a
 * state. */
struct stt_mac_base stt_handshake_mac_base(const struct stt_handshake_own *own, enum stt_mode mode,
                                           const uint8_t *seed);

/* Opens message 1, whose mac1 fits, as far as its sender's key (K: noise.rs); the rest, and in W
 * the slot that it names, is left in r for read_1. */
bool stt_handshake_open_1(struct stt_handshake *hs, const struct stt_handshake_own *own,
                          const struct stt_handshake_open *open, const struct packet_message_1 *m,
                          struct rd *r) STT_MUST_USE;
bool stt_handshake_read_1(struct stt_handshake *hs, const struct stt_handshake_own *own,
                          struct rd *r) STT_MUST_USE;

/* Builds message 2. W: `code` is the one of the slot, and false also when the share in message 1 is
 * refused. */
bool stt_handshake_write_2(struct stt_handshake *hs, const struct stt_handshake_own *own,
                           const struct stt_code *code,
                           const struct stt_handshake_entropy *entropy) STT_MUST_USE;

/* Message 3, whose mac1 fits, as far as its sender's key (attempt->rs), and the rest. Unless it
 * passes the half-open state stays as it was; the caller wipes `attempt`. */
bool stt_handshake_open_3(struct stt_handshake *hs, const struct packet_message_3 *m,
                          struct stt_noise_handshake_state *attempt, struct rd *r) STT_MUST_USE;
enum stt_handshake_verdict stt_handshake_read_3(struct stt_handshake *hs,
                                                const struct stt_handshake_own *own,
                                                struct stt_noise_handshake_state *attempt,
                                                struct rd *r) STT_MUST_USE;

/* The answer to a wrong guess, right after the verdict and once. */
void stt_handshake_write_refused(struct stt_handshake *hs, uint8_t reason,
                                 uint8_t out[STT_REFUSED_BYTES]);

/* -- both -------------------------------------------------------------------------------------- */

/* The keys of a handshake that is done; its Noise state is wiped. */
bool stt_handshake_finish(struct stt_handshake *hs, struct stt_noise_keys *keys) STT_MUST_USE;

void stt_handshake_wipe(struct stt_handshake *hs);

#endif
