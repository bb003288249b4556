/* SPDX-License-Identifier: MIT */
#include "tests/support/hex.h"

#include <stdio.h>
#include <stdlib.h>

static int digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    fprintf(stderr, "hex_decode: not a hex digit: 0x%02x\n", (unsigned)c);
    abort();
}

size_t hex_decode(const char *text, uint8_t *out, size_t room)
{
    size_t nibbles = 0;
    for (; *text; text++) {
        if (*text == ' ' || *text == '\n' || *text == '\r' || *text == '\t')
            continue;
        int d = digit((unsigned char)*text);
        if (nibbles / 2 >= room) {
            fprintf(stderr, "hex_decode: more than %zu bytes\n", room);
            abort();
        }
        out[nibbles / 2] = (uint8_t)(nibbles % 2 ? out[nibbles / 2] | d : d << 4);
        nibbles++;
    }
    if (nibbles % 2) {
        fprintf(stderr, "hex_decode: odd number of digits\n");
        abort();
    }
    return nibbles / 2;
}

void hex_encode(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = 0;
}
