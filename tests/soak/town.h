/* SPDX-License-Identifier: MIT
 * town: the hosts, the roads between them, and the weather on these. */
#ifndef TESTS_SOAK_TOWN_H
#define TESTS_SOAK_TOWN_H

#include "tests/soak/soak.h"

/* Of the server's. */
extern const uint8_t town_seed[32];

void town_build(struct soak *x);

/* Loss, marks, sizes and disorder for the next hour. */
void town_weather(struct soak *x);

/* Everything is lost on the way of this host until then. */
void town_black_out(struct host *h, stt_ns until);
/* A new NAT mapping, or a new address at home. */
void town_renumber(struct host *h);

/* How long a resident is silent before it pings. */
stt_ns town_keep_alive(uint32_t resident);

#endif
