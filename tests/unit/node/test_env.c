/* SPDX-License-Identifier: MIT */
#include "stt/node/env.h"

#include "stt/keyfile.h"
#include "tests/support/deny.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct stt_secret secret;
static struct stt_env env;

static void init(void)
{
    const struct stt_secret_limits limits = STT_SECRET_LIMITS;
    ck_assert_int_eq(stt_secret_init(&secret, &limits), STT_OK);
    stt_node_env_init(&env, &secret);
    ck_assert(!env.trace && !env.key_log); /* nobody hears who has not asked */
}

START_TEST(env_draws_from_the_kernel)
{
    static uint8_t much[1 << 20];
    uint8_t last[16] = {0}, a[32], b[32], zeros[64] = {0};
    init();
    ck_assert(stt_env_entropy(&env, last, a, sizeof a));
    ck_assert(stt_env_entropy(&env, last, b, sizeof b));
    ck_assert_mem_ne(a, b, sizeof a);
    ck_assert(env.entropy(env.ctx, much, sizeof much));
    ck_assert_mem_ne(much + sizeof much - sizeof zeros, zeros, sizeof zeros);
    stt_secret_fini(&secret);
}
END_TEST

START_TEST(env_without_entropy_says_so_case_61)
{
    uint8_t out[32];
    struct stt_identity id;
    init();
    ck_assert(deny(SYS_getrandom, DENY_ANY, EPERM));
    ck_assert(!env.entropy(env.ctx, out, sizeof out));
    ck_assert_int_eq(stt_identity_generate(&id, &env), STT_E_IO);
    stt_secret_fini(&secret);
}
END_TEST

START_TEST(env_gives_memory_of_both_kinds)
{
    uint8_t zeros[1000] = {0};
    init();
    void *ordinary = stt_env_alloc(&env, 1000), *key = stt_env_secret_alloc(&env, 1000);
    ck_assert_mem_eq(ordinary, zeros, sizeof zeros);
    ck_assert_mem_eq(key, zeros, sizeof zeros);
    memset(key, 1, 1000);
    stt_env_secret_release(&env, key, 1000);
    void *again = stt_env_secret_alloc(&env, 1000);
    ck_assert_ptr_eq(again, key);
    ck_assert_mem_eq(again, zeros, sizeof zeros);
    stt_env_secret_release(&env, again, 1000);
    stt_env_release(&env, ordinary, 1000);
    stt_secret_fini(&secret);
}
END_TEST

START_TEST(env_refuses_secrets_after_a_fork_case_60)
{
    init();
    ck_assert(env.secrets_alive(env.ctx));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(env.secrets_alive(env.ctx) || stt_env_secret_alloc(&env, 32) ? 1 : 0);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(env.secrets_alive(env.ctx));
    stt_secret_fini(&secret);
    ck_assert(!env.secrets_alive(env.ctx));
}
END_TEST

SUITE("node env", TEST(env_draws_from_the_kernel), TEST(env_without_entropy_says_so_case_61),
      TEST(env_gives_memory_of_both_kinds), TEST(env_refuses_secrets_after_a_fork_case_60))
