/* SPDX-License-Identifier: MIT
 * handshakes: two sides of a handshake and what passes between them, without an endpoint. The
 * functions do what admission does around stt/session/handshake.h, macs included. */
#ifndef TESTS_SUPPORT_HANDSHAKES_H
#define TESTS_SUPPORT_HANDSHAKES_H

#include "stt/session/handshake.h"

struct handshake_side {
    struct stt_identity identity;
    struct stt_handshake_own own;
    struct stt_handshake_entropy entropy;
    struct stt_id id;
    struct stt_code code;
    struct stt_handshake hs;
};

/* Must not move. */
struct handshake_play {
    enum stt_mode mode;
    bool has_seed;
    uint8_t seed[32];
    struct handshake_side initiator, responder;
};

/* Any implementation of it: a handshake only tells its id. */
const struct stt_aead_suite *handshake_suite(uint8_t id);

/* An identity and what is needed besides, as far as it follows from it; the suite is
 * chacha20-poly1305, the application "test/1". */
void handshake_side_init(struct handshake_side *side, const uint8_t secret[32]);

/* Both sides, and entropy from a seed of the test's; K with a seed. */
void handshake_play_init(struct handshake_play *play, enum stt_mode mode, uint64_t seed);

/* Message 1; in K the peer called is the responder. `pin` may be NULL. */
bool handshake_begin(struct handshake_play *play, const struct stt_peer_id *pin) STT_MUST_USE;

/* What the responder makes of a message 1 (OK: message 2 is built) and of a message 3. */
enum stt_handshake_verdict handshake_answer(struct handshake_play *play,
                                            struct bytes datagram) STT_MUST_USE;
enum stt_handshake_verdict handshake_confirm(struct handshake_play *play,
                                             struct bytes datagram) STT_MUST_USE;
/* What the initiator makes of a message 2. */
enum stt_handshake_verdict handshake_read_2(struct handshake_play *play,
                                            struct bytes datagram) STT_MUST_USE;

/* By the number of the message, each by the side that receives it. */
enum stt_handshake_verdict handshake_receive(struct handshake_play *play, unsigned number,
                                             struct bytes datagram) STT_MUST_USE;

/* But for the key of a refusal, which each attempt makes anew. */
bool handshake_is_unchanged(const struct stt_handshake *now, const struct stt_handshake *before);

/* What a side has built. */
struct bytes handshake_packet(const struct handshake_side *side);

/* The first `number` messages pass; answers the packet of that number. */
struct bytes handshake_run(struct handshake_play *play, unsigned number);

/* Puts a valid mac1 where it stands in a message of this number. */
void handshake_put_mac1(const struct handshake_play *play, unsigned number, uint8_t *datagram,
                        size_t len);

/* What Noise begins with, by the text of the spec: the psk of K and S, zeros without a seed, and
 * the prologue. */
void handshake_seed_psk(const struct handshake_play *play, uint8_t psk[32]);
struct bytes handshake_prologue(const struct handshake_play *play, const char *protocol,
                                uint8_t out[128]);

#endif
