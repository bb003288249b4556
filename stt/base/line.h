/* SPDX-License-Identifier: MIT
 * line: text that is put together in the caller's memory. There is no printf in the core. A part
 * that does not fit is left out, and all that follows; the text ends with a 0 always.
 *
 *     struct stt_line l = stt_line_init(out, sizeof out);
 *     stt_line_text(&l, "bytes ");
 *     stt_line_number(&l, n);
 *     return stt_line_len(&l);
 */
#ifndef STT_BASE_LINE_H
#define STT_BASE_LINE_H

#include "stt/base/bytes.h"

struct stt_line {
    char *out;
    size_t len, room; /* room: without the 0 */
    bool is_cut;
};

/* In at least one byte. */
struct stt_line stt_line_init(char *out, size_t bytes);

static inline size_t stt_line_len(const struct stt_line *l)
{
    return l->len;
}

void stt_line_bytes(struct stt_line *l, struct bytes text);
void stt_line_text(struct stt_line *l, const char *text);
void stt_line_number(struct stt_line *l, uint64_t n);
/* n in units of 10^-places, as 123.456; places up to 9. */
void stt_line_decimal(struct stt_line *l, uint64_t n, unsigned places);
/* Two lower-case digits for each byte. */
void stt_line_hex(struct stt_line *l, struct bytes data);

#endif
