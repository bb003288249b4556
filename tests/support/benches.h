/* SPDX-License-Identifier: MIT
 * benches: a sttbench -s and who goes to it, in a folder of their own. */
#ifndef TESTS_SUPPORT_BENCHES_H
#define TESTS_SUPPORT_BENCHES_H

#include "tests/support/cats.h"
#include "tests/support/objects.h"

void benches_begin(void);
struct job *bench_server(const char *words); /* it listens */
struct job *bench_client(const char *words);

/* That status, that sentence in JSON, and no goodput. */
void bench_failed(struct job *j, int status, const char *says);

#endif
