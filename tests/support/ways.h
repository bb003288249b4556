/* SPDX-License-Identifier: MIT
 * ways: all the ways in which a client can come to a session, for tests that hold for each. */
#ifndef TESTS_SUPPORT_WAYS_H
#define TESTS_SUPPORT_WAYS_H

#include "tests/support/world.h"

struct way {
    const char *name;
    enum stt_mode mode;
    bool has_seed;   /* K */
    bool has_pin;    /* S, W */
    bool passphrase; /* W, in place of a code */
};

enum { WAY_K, WAY_K_SEED, WAY_S, WAY_S_PIN, WAY_W, WAY_W_PIN, WAY_PASSPHRASE, WAYS };
extern const struct way ways[WAYS];

/* What the client needs for it; the code or passphrase is armed at the server. */
struct stt_connect way_call(struct world *w, const struct way *way);
stt_handle way_begin(struct world *w, const struct way *way);

/* Each side has been told of one session, it is alive, and each names the other in it. */
void ways_require_one_session(struct world *w);

#endif
