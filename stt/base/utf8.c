/* SPDX-License-Identifier: MIT
 * utf8: the well-formed byte sequences, as a table; owns nothing. */
#include "stt/base/utf8.h"

/* Unicode, table 3-7. From the third byte on, all are 0x80 to 0xbf. */
static const struct utf8_form {
    uint8_t first_from, first_to, second_from, second_to, bytes;
} utf8_forms[] = {
    /* each of: first byte from, to; second byte from, to; bytes */
    {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool fits(const struct utf8_form *form, struct bytes text)
{
    if (text.data[0] < form->first_from || text.data[0] > form->first_to || text.len < form->bytes)
        return false;
    if (form->bytes > 1 && (text.data[1] < form->second_from || text.data[1] > form->second_to))
        return false;
    for (size_t i = 2; i < form->bytes; i++)
        if ((text.data[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* The length of the character that text begins with, 0 when it is not valid. */
static size_t utf8_char(struct bytes text)
{
    for (size_t i = 0; i < sizeof utf8_forms / sizeof utf8_forms[0]; i++)
        if (fits(&utf8_forms[i], text))
            return utf8_forms[i].bytes;
    return 0;
}

bool stt_utf8_is_valid(struct bytes text)
{
    while (text.len) {
        size_t n = utf8_char(text);
        if (n == 0)
            return false;
        text = bytes_of(text.data + n, text.len - n);
    }
    return true;
}
