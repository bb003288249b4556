/* SPDX-License-Identifier: MIT
 * share: shares and factors as people write them, "1%" and "0.5". */
#ifndef TOOLS_STTBENCH_SHARED_SHARE_H
#define TOOLS_STTBENCH_SHARED_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* "1%", "0.05%" or "0": exact, to a millionth; no sign, no blank, at most 100. */
bool share_parse(uint32_t *ppm, const char *text);
/* "1", "0.5", "10": above 0, at most max. */
bool share_parse_factor(double *out, const char *text, double max);

#endif
