/* SPDX-License-Identifier: MIT
 * env: the hooks for tests. Entropy comes from a seed, memory is counted and can be made to fail,
 * and misuse (a wrong size on release, a secret that was not wiped) stops the test at once.
 *
 *     struct test_env te;
 *     test_env_init(&te, 1);
 *     ... stt_thing_new(&te.env) ...
 *     test_env_check_no_leak(&te);
 *
 * To see every allocation fail once:
 *
 *     for (uint64_t n = 1;; n++) {
 *         test_env_init(&te, 1);
 *         te.fail_at = n;
 *         ... run; must answer an error and leave its objects as they were ...
 *         test_env_check_no_leak(&te);
 *         if (te.failed == 0)
 *             break;
 *     }
 */
#ifndef TESTS_SUPPORT_ENV_H
#define TESTS_SUPPORT_ENV_H

#include "stt/base/env.h"
#include "stt/base/list.h"
#include "tests/support/rng.h"

struct test_env {
    struct stt_env env; /* points back to this struct, which therefore must not move */
    uint64_t seed;
    struct rng rng;

    /* Knobs; all zero after init. */
    uint64_t fail_at;           /* this allocation fails, counted from 1 since init; 0: none does */
    uint64_t fail_from;         /* this one and all later ones fail; 0: none does */
    size_t limit_bytes;         /* allocations that would exceed it fail; 0: no limit */
    bool entropy_fails;         /* the hook answers false */
    bool entropy_repeats;       /* the hook answers the same bytes again and again */
    uint64_t entropy_fail_at;   /* this draw fails, counted from 1; 0: none does */
    uint64_t entropy_repeat_at; /* this draw answers what the one before did */
    bool forked;                /* secrets_alive answers false; see test_env_fork() */

    /* What happened; ordinary and secret memory are counted together. */
    uint64_t allocs;     /* calls that asked for memory, the failed ones included */
    uint64_t failed;     /* of those: failed because of a knob */
    uint64_t live;       /* blocks not yet released */
    size_t bytes_in_use; /* in those blocks */
    size_t bytes_peak;
    uint64_t draws; /* of entropy */
    uint64_t entropy_bytes;
    uint64_t traced; /* trace events */

    struct rng drew_with;     /* the latest draw */
    struct stt_list secrets;  /* blocks of secret memory ... */
    struct stt_list ordinary; /* ... and of other */
};

void test_env_init(struct test_env *te, uint64_t seed);

/* This is the child of a fork now: its secrets are zeros. */
void test_env_fork(struct test_env *te);

/* Whether these bytes lie in a block of secret memory, or of other. */
bool test_env_has_secret(const struct test_env *te, const void *what, size_t len);
bool test_env_has_ordinary(const struct test_env *te, const void *what, size_t len);

/* Prints what is left and aborts unless everything was released. */
void test_env_check_no_leak(const struct test_env *te);

#endif
