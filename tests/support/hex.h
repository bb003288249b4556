/* SPDX-License-Identifier: MIT
 * hex: hexadecimal text to bytes and back, for vectors in tests. */
#ifndef TESTS_SUPPORT_HEX_H
#define TESTS_SUPPORT_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Skips white space; aborts on anything else that is not hex, or when it does not fit. */
size_t hex_decode(const char *text, uint8_t *out, size_t room);

/* out holds 2 * len + 1 characters. */
void hex_encode(const uint8_t *data, size_t len, char *out);

#endif
