/* SPDX-License-Identifier: MIT
 * units: numbers as people write and read them. */
#ifndef TOOLS_COMMON_UNITS_H
#define TOOLS_COMMON_UNITS_H

#include "stt/types.h"

/* All refuse signs, blanks, empty texts and what does not fit. A duration without a unit is in
 * seconds; "1.5s" is one. */
bool units_parse_duration(stt_ns *out, const char *text);
bool units_parse_size(uint64_t *out, const char *text); /* K, M, G of 1,024 */
bool units_parse_rate(uint64_t *out, const char *text); /* K, M, G of 1,000 */
bool units_parse_number(uint32_t *out, const char *text, uint32_t min, uint32_t max);
bool units_parse_dscp(uint8_t *out, const char *text); /* "ef", "af41", or a number to 63 */

/* "1.50 GiB", "31.1 Gbit/s", "1.20 ms", "2:05". */
enum { UNITS_ROOM = 24 };
const char *units_size(char out[UNITS_ROOM], uint64_t bytes);
const char *units_rate(char out[UNITS_ROOM], uint64_t bits_per_s);
const char *units_time(char out[UNITS_ROOM], stt_ns time);
const char *units_clock(char out[UNITS_ROOM], stt_ns time);

#endif
