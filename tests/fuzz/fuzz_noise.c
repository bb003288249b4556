/* SPDX-License-Identifier: MIT
 * Bytes from the network against a handshake in progress: only the peer's very message is accepted,
 * in one go and in steps alike, and what is refused changes nothing.
 *
 *     pattern | message | token to stop after | 1 + edits {offset, XOR} of the true message,
 *                                               or 0 + another message instead */
#include "crypto/noise.h"
#include "tests/support/fuzz.h"

enum { ROOM = 2048 };

static const struct {
    enum stt_noise_pattern pattern;
    unsigned messages;
    bool initiator_known, responder_known;
} patterns[] = {
    {STT_NOISE_IKPSK2, 2, false, true},  {STT_NOISE_XXPSK0, 3, false, false},
    {STT_NOISE_XXPSK3, 3, false, false}, {STT_NOISE_IK, 2, false, true},
    {STT_NOISE_KKPSK0, 2, true, true},
};

enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static const struct bytes payload = BYTES_TEXT("payload");

/* What waits for a message, and the message. */
static struct exchange {
    struct stt_noise_handshake_state reader;
    uint8_t message[ROOM];
    size_t len;
} exchanges[PATTERNS][3];

static void play(unsigned which)
{
    static struct stt_noise_keypair s[2], e[2];
    static const uint8_t psk[STT_NOISE_KEY_BYTES] = {1, 2, 3};
    struct stt_noise_handshake_state hs[2];
    bool known[2] = {patterns[which].initiator_known, patterns[which].responder_known};
    for (unsigned side = 0; side < 2; side++) {
        uint8_t secrets[2][STT_NOISE_KEY_BYTES] = {{8, (uint8_t)side}, {16, (uint8_t)side}};
        stt_noise_keypair_init(&s[side], secrets[0]);
        stt_noise_keypair_init(&e[side], secrets[1]);
    }
    for (unsigned side = 0; side < 2; side++) {
        struct stt_noise_setup setup = {.pattern = patterns[which].pattern,
                                        .is_initiator = side == 0,
                                        .s = &s[side],
                                        .rs = known[!side] ? s[!side].public_key : NULL};
        FUZZ_ASSERT(stt_noise_init(&hs[side], &setup));
        stt_noise_set_ephemeral(&hs[side], &e[side]);
        stt_noise_set_psk(&hs[side], psk);
    }
    for (unsigned m = 0; m < patterns[which].messages; m++) {
        struct exchange *x = &exchanges[which][m];
        uint8_t text[ROOM];
        struct wr w = wr_init(x->message, sizeof x->message), plain = wr_init(text, sizeof text);
        FUZZ_ASSERT(stt_noise_write(&hs[m % 2], payload, &w));
        x->len = wr_len(&w);
        memcpy(&x->reader, &hs[!(m % 2)], sizeof x->reader);
        struct rd r = rd_init(wr_done(&w));
        FUZZ_ASSERT(stt_noise_read(&hs[!(m % 2)], &r, &plain));
    }
}

static struct bytes forge(const struct exchange *x, struct rd *in, uint8_t *out)
{
    size_t len = x->len;
    if (rd_u8(in) % 2 == 0)
        return rd_rest(in);
    memcpy(out, x->message, len);
    while (rd_left(in) >= 2) {
        size_t offset = rd_u8(in);
        out[offset % len] ^= rd_u8(in);
    }
    return bytes_of(out, len);
}

static bool read_message(struct stt_noise_handshake_state *hs, struct rd *r)
{
    struct stt_noise_handshake_state before;
    uint8_t text[ROOM] = {0};
    struct wr w = wr_init(text, sizeof text);
    memcpy(&before, hs, sizeof before);
    bool ok = stt_noise_read(hs, r, &w);
    FUZZ_ASSERT(ok == !r->bad && ok == !w.bad);
    if (ok) {
        FUZZ_ASSERT(bytes_equal(wr_done(&w), payload));
    } else {
        FUZZ_ASSERT(memcmp(hs, &before, sizeof before) == 0);
        FUZZ_ASSERT(wr_len(&w) == 0 && bytes_all_zero(BYTES(text)));
    }
    return ok;
}

static bool read_in_steps(struct stt_noise_handshake_state *hs, struct bytes message,
                          enum stt_noise_token last)
{
    struct stt_noise_handshake_state before;
    struct rd r = rd_init(message);
    memcpy(&before, hs, sizeof before);
    if (!stt_noise_read_through(hs, last, &r)) {
        FUZZ_ASSERT(r.bad && memcmp(hs, &before, sizeof before) == 0);
        r = rd_init(message); /* perhaps there is no such token */
    }
    return read_message(hs, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_played;
    for (unsigned i = 0; i < PATTERNS && !is_played; i++)
        play(i);
    is_played = true;

    struct rd in = rd_init(bytes_of(data, size < ROOM ? size : ROOM));
    unsigned which = rd_u8(&in) % PATTERNS;
    unsigned m = rd_u8(&in) % patterns[which].messages;
    enum stt_noise_token last = (enum stt_noise_token)(rd_u8(&in) % (STT_NOISE_PSK + 1));
    const struct exchange *x = &exchanges[which][m];
    uint8_t edited[ROOM];
    struct bytes message = forge(x, &in, edited);
    bool is_true = bytes_equal(message, bytes_of(x->message, x->len));

    struct stt_noise_handshake_state once = x->reader, steps = x->reader;
    struct rd r = rd_init(message);
    FUZZ_ASSERT(read_message(&once, &r) == is_true);
    FUZZ_ASSERT(read_in_steps(&steps, message, last) == is_true);
    if (is_true)
        FUZZ_ASSERT(memcmp(&once.symmetric, &steps.symmetric, sizeof once.symmetric) == 0);
    return 0;
}
