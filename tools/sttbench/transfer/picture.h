/* SPDX-License-Identifier: MIT
 * picture: bits per second over a test's time, for --plot. */
#ifndef TOOLS_STTBENCH_TRANSFER_PICTURE_H
#define TOOLS_STTBENCH_TRANSFER_PICTURE_H

#include "tools/sttbench/transfer/course.h"

void picture_begin(void);
void picture_add(const struct course *c, const struct course_interval *interval);
/* What was added, with the figures of the end below. False: it cannot be written; said. */
bool picture_draw(const struct course *c, const char *path);

#endif
