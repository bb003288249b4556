/* SPDX-License-Identifier: MIT
 * line: text and digits, in memory of a known size. Invariant: out[len] is 0, and len <= room. */
#include "stt/base/line.h"

#include <assert.h>

enum { DIGITS_MAX = 20, PLACES_MAX = 9 };

struct stt_line stt_line_init(char *out, size_t bytes)
{
    assert(bytes > 0);
    out[0] = 0;
    return (struct stt_line){.out = out, .room = bytes - 1};
}

void stt_line_bytes(struct stt_line *l, struct bytes text)
{
    l->is_cut = l->is_cut || text.len > l->room - l->len;
    if (l->is_cut || !text.len)
        return;
    memcpy(l->out + l->len, text.data, text.len);
    l->len += text.len;
    l->out[l->len] = 0;
}

void stt_line_text(struct stt_line *l, const char *text)
{
    stt_line_bytes(l, bytes_of(text, strlen(text)));
}

/* At least so many digits, from the end of the memory backwards. */
static struct bytes digits(uint8_t memory[DIGITS_MAX], uint64_t n, unsigned least)
{
    uint8_t *at = memory + DIGITS_MAX;
    for (; n || at > memory + DIGITS_MAX - least; n /= 10)
        *--at = (uint8_t)('0' + n % 10);
    return bytes_of(at, (size_t)(memory + DIGITS_MAX - at));
}

void stt_line_number(struct stt_line *l, uint64_t n)
{
    uint8_t memory[DIGITS_MAX];
    stt_line_bytes(l, digits(memory, n, 1));
}

void stt_line_decimal(struct stt_line *l, uint64_t n, unsigned places)
{
    uint8_t memory[DIGITS_MAX];
    uint64_t unit = 1;
    assert(places > 0 && places <= PLACES_MAX);
    for (unsigned i = 0; i < places; i++)
        unit *= 10;
    stt_line_number(l, n / unit);
    stt_line_text(l, ".");
    stt_line_bytes(l, digits(memory, n % unit, places));
}

void stt_line_hex(struct stt_line *l, struct bytes data)
{
    static const uint8_t digit[] = "0123456789abcdef";
    for (size_t i = 0; i < data.len; i++) {
        const uint8_t pair[] = {digit[data.data[i] >> 4], digit[data.data[i] & 15]};
        stt_line_bytes(l, BYTES(pair));
    }
}
