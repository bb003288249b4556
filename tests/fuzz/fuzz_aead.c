/* SPDX-License-Identifier: MIT
 * fuzz_aead: whatever the lengths, the cuts and the bytes, all implementations of a suite seal the
 * same packets, open them again, and refuse what was changed.
 *
 * Input: associated data length 1 | cut 1 | cut 1 | byte to change 2 | how 1 | nonce 16 | message
 */
#include "tests/support/fuzz.h"
#include "tests/support/suites.h"

enum { MAX_LEN = 2048, MAX_SUITES = 8, TAG = STT_AEAD_TAG_BYTES, PACKETS = 7 };

struct input {
    size_t ad_len, change_at;
    uint8_t change;
    uint8_t nonce[PACKETS][16];
    struct bytes parts[3];
    size_t len;
};

static bool parse(struct input *in, struct bytes data)
{
    struct rd r = rd_init(data);
    in->ad_len = rd_u8(&r);
    size_t first = rd_u8(&r);
    size_t second = rd_u8(&r);
    in->change_at = rd_u16(&r);
    in->change = rd_u8(&r);
    rd_copy(&r, in->nonce[0], 16);
    for (uint8_t k = 1; k < PACKETS; k++) { /* packets that go together differ in this alone */
        memcpy(in->nonce[k], in->nonce[0], sizeof in->nonce[k]);
        in->nonce[k][0] ^= k;
    }
    in->len = rd_left(&r);
    in->parts[0] = rd_bytes(&r, first < rd_left(&r) ? first : rd_left(&r));
    in->parts[1] = rd_bytes(&r, second < rd_left(&r) ? second : rd_left(&r));
    in->parts[2] = rd_rest(&r);
    return !r.bad && in->len <= MAX_LEN;
}

static void seal(const struct keyed_suite *s, const struct input *in, const uint8_t *ad,
                 uint8_t out[PACKETS][MAX_LEN + TAG])
{
    struct stt_aead_plain plain[PACKETS];
    for (size_t k = 0; k < PACKETS; k++)
        plain[k] =
            (struct stt_aead_plain){in->nonce[k], bytes_of(ad, in->ad_len), in->parts, 3, out[k]};
    s->suite->seal(s->state, plain, PACKETS);
}

static void check(const struct keyed_suite *s, const struct input *in, const uint8_t *ad,
                  uint8_t data[PACKETS][MAX_LEN + TAG])
{
    struct stt_aead_sealed sealed[PACKETS];
    size_t len = in->len + TAG;
    data[0][in->change_at % len] ^= in->change;
    for (size_t k = 0; k < PACKETS; k++)
        sealed[k] =
            (struct stt_aead_sealed){in->nonce[k], bytes_of(ad, in->ad_len), data[k], len, false};
    size_t opened = s->suite->open(s->state, sealed, PACKETS);
    FUZZ_ASSERT(opened == PACKETS - (in->change ? 1 : 0));
    FUZZ_ASSERT(sealed[0].is_open == !in->change);
    FUZZ_ASSERT(!in->change || bytes_all_zero(bytes_of(data[0], in->len)));
    for (size_t k = 1; k < PACKETS; k++) {
        const uint8_t *at = data[k];
        FUZZ_ASSERT(sealed[k].is_open);
        for (size_t i = 0; i < 3; at += in->parts[i++].len)
            FUZZ_ASSERT(bytes_equal(bytes_of(at, in->parts[i].len), in->parts[i]));
    }
}

/* Compares with what the first implementation of the same id has made. */
static void compare(uint8_t id, size_t len, uint8_t out[PACKETS][MAX_LEN + TAG], bool is_first)
{
    static uint8_t first[STT_AEAD_IDS + 1][PACKETS][MAX_LEN + TAG];
    for (size_t k = 0; k < PACKETS; k++) {
        if (is_first)
            memcpy(first[id][k], out[k], len + TAG);
        FUZZ_ASSERT(memcmp(first[id][k], out[k], len + TAG) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = "0123456789abcdef0123456789abcde";
    static struct keyed_suite all[MAX_SUITES];
    static uint8_t out[PACKETS][MAX_LEN + TAG], ad[255];
    static size_t n;
    bool seen[STT_AEAD_IDS + 1] = {false};
    struct input in;
    if (n == 0)
        n = suites_here(all, MAX_SUITES, 0, key);
    if (!parse(&in, bytes_of(data, size)))
        return 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t id = all[i].suite->id;
        seal(&all[i], &in, ad, out);
        compare(id, in.len, out, !seen[id]);
        check(&all[i], &in, ad, out);
        seen[id] = true;
    }
    return 0;
}
