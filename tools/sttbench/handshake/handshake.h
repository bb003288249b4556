/* SPDX-License-Identifier: MIT
 * handshake: the two ways of counting handshakes. */
#ifndef TOOLS_STTBENCH_HANDSHAKE_HANDSHAKE_H
#define TOOLS_STTBENCH_HANDSHAKE_HANDSHAKE_H

#include "tools/sttbench/bench.h"
#include "tools/sttbench/report/report.h"
#include "tools/sttbench/shared/ends.h"
#include "tools/sttbench/shared/figures.h"

enum { HANDSHAKE_MAX = 20000 };

/* -- in memory: each side's work alone --------------------------------------------------------- */

struct handshake_alone {
    enum stt_mode mode;
    bool are_strangers; /* each client comes for the first time; or it is one, again and again */
    uint32_t n;

    double us[2][HANDSHAKE_MAX]; /* of the processor, initiator and responder */
    double floor_us;             /* what the multiplications of one side take by themselves */
};
bool handshake_alone(struct handshake_alone *a);

/* -- between two processes, over loopback ------------------------------------------------------ */

#define HANDSHAKE_ROWS(X)                                                                          \
    X(STT_MODE_K, "K", 1)                                                                          \
    X(STT_MODE_S, "S", 1)                                                                          \
    X(STT_MODE_W, "W", 1)                                                                          \
    X(STT_MODE_K, "K", 16)                                                                         \
    X(STT_MODE_S, "S", 16)

enum {
    HANDSHAKE_ROWS_N = 5,
    HANDSHAKE_AT_ONCE_MAX = 16,
};

struct handshake_row {
    uint32_t n, failed;
    double us[HANDSHAKE_MAX]; /* from the call to the event */
    double seconds, cpu_s[2]; /* of all; the processor's on each side */
};

/* In memory of pair_memory(). */
struct handshake_between {
    uint32_t n;
    struct ends_meeting meeting;
    uint8_t seed[32];
    char code[2][STT_CODE_TEXT_MAX]; /* by the lowest bit of ... */
    atomic_uint codes;               /* ... how many there have been */
    atomic_uint is_over;
    _Atomic uint64_t server_cpu_ns;
    struct handshake_row rows[HANDSHAKE_ROWS_N];
};
struct handshake_kind {
    enum stt_mode mode;
    const char *name;
    uint32_t at_once;
};
extern const struct handshake_kind handshake_kinds[HANDSHAKE_ROWS_N];

bool handshake_ask(void *between);
bool handshake_answer(void *between);

#endif
