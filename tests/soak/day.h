/* SPDX-License-Identifier: MIT
 * day: what hosts do in an hour, and when. */
#ifndef TESTS_SOAK_DAY_H
#define TESTS_SOAK_DAY_H

#include "tests/soak/soak.h"

/* Everybody is silent from there to the end of each hour. */
#define DAY_QUIET_NS (SOAK_HOUR_NS / 60 * 50)

/* The residents connect, once for all. */
void day_begin(struct soak *x);
/* From now on for an hour. */
void day_plan(struct soak *x);
/* Streams end, sessions close. */
void day_end(struct soak *x);

#endif
