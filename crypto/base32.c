/* SPDX-License-Identifier: MIT
 * base32: arithmetic in place of tables and branches, so that no secret becomes an address or a
 * jump. Every text that decodes encodes to itself. */
#include "crypto/base32.h"

#include "stt/base/env.h"

/* All ones when lo <= c <= hi, for values below 2^31. */
static uint32_t in_range(uint32_t c, uint32_t lo, uint32_t hi)
{
    return 0 - ((~(c - lo) & ~(hi - c)) >> 31);
}

static uint8_t character_of(uint32_t value)
{
    return (uint8_t)(value + 'a' - (in_range(value, 26, 31) & ('a' + 26 - '2')));
}

/* Bit 5 is set when c is not a character of the alphabet. */
static uint32_t value_of(uint32_t c, uint32_t first_letter)
{
    uint32_t letter = in_range(c, first_letter, first_letter + 25);
    uint32_t digit = in_range(c, '2', '7');
    return (letter & (c - first_letter)) | (digit & (c - '2' + 26)) | (~(letter | digit) & 32);
}

void stt_base32_encode(struct wr *out, struct bytes data)
{
    size_t len = stt_base32_len(data.len), n = 0;
    uint8_t *to = wr_room(out, len);
    if (!to)
        return;
    uint32_t pending = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < data.len; i++) {
        pending = pending << 8 | data.data[i];
        for (bits += 8; bits >= 5; bits -= 5)
            to[n++] = character_of(pending >> (bits - 5) & 31);
    }
    if (bits)
        to[n] = character_of(pending << (5 - bits) & 31);
}

/* Whatever is wrong is collected and judged at the end. */
static uint32_t decode_into(uint8_t *to, struct bytes text, uint32_t first_letter)
{
    uint32_t pending = 0, wrong = 0;
    unsigned bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t value = value_of(text.data[i], first_letter);
        wrong |= value & 32;
        pending = pending << 5 | (value & 31);
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            to[n++] = (uint8_t)(pending >> bits);
        }
    }
    return wrong | (bits >= 5) | (pending & ((1u << bits) - 1));
}

bool stt_base32_decode(struct wr *out, struct bytes text, bool upper)
{
    uint8_t *to = wr_room(out, text.len * 5 / 8);
    if (out->bad)
        return false;
    if (decode_into(to, text, upper ? 'A' : 'a') == 0)
        return true;
    if (to)
        stt_env_wipe(to, (size_t)(out->at - to));
    out->at = to;
    out->bad = true;
    return false;
}
