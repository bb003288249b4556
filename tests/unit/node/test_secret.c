/* SPDX-License-Identifier: MIT */
#include "stt/node/secret.h"

#include "tests/support/deny.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct stt_secret s;

static void init_with(size_t mapped_bytes, size_t locked_bytes)
{
    struct stt_secret_limits limits = {mapped_bytes, locked_bytes};
    ck_assert_int_eq(stt_secret_init(&s, &limits), STT_OK);
}

static void init(void)
{
    const struct stt_secret_limits limits = STT_SECRET_LIMITS;
    init_with(limits.mapped_bytes, limits.locked_bytes);
}

/* What the child's function answers is its exit status; -1 when it was killed. */
static int in_child(int (*run)(void *), void *arg)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* also where a sanitizer watches */
        _exit(run(arg));
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whether the mapping that holds p has this flag in /proc/self/smaps. */
static bool has_flag(const void *p, const char *flag)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    ck_assert_ptr_nonnull(f);
    char line[512], word[8];
    bool here = false, found = false;
    snprintf(word, sizeof word, " %s", flag);
    while (fgets(line, sizeof line, f)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = (uintptr_t)p >= from && (uintptr_t)p < to;
        if (here && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, word) != NULL;
    }
    fclose(f);
    return found;
}

static int child_sees_nothing(void *arg)
{
    static const uint8_t zeros[1000];
    uint8_t **blocks = arg;
    if (memcmp(s.regions[0].data, zeros, 8) != 0)
        return 1; /* the canary is there */
    for (int i = 0; i < 3; i++)
        if (memcmp(blocks[i], zeros, sizeof zeros) != 0)
            return 2;
    if (stt_secret_is_alive(&s) || stt_secret_alloc(&s, 64))
        return 3;
    return 0;
}

/* A block of the first region, one of a later region, and one with a mapping of its own. */
START_TEST(secret_is_gone_in_a_forked_child_and_only_there_case_60)
{
    uint8_t *blocks[3], expected[1000];
    init();
    blocks[0] = stt_secret_alloc(&s, 1000);
    while (s.regions_len < 3)
        blocks[1] = stt_secret_alloc(&s, 1000);
    blocks[2] = stt_secret_alloc(&s, 100000);
    memset(expected, 0x5a, sizeof expected);
    for (int i = 0; i < 3; i++)
        memcpy(blocks[i], expected, sizeof expected);

    ck_assert_int_eq(in_child(child_sees_nothing, blocks), 0);

    ck_assert(stt_secret_is_alive(&s));
    for (int i = 0; i < 3; i++)
        ck_assert_mem_eq(blocks[i], expected, sizeof expected);
    ck_assert_ptr_nonnull(stt_secret_alloc(&s, 64));
    stt_secret_release(&s, blocks[2], 100000);
    stt_secret_fini(&s);
}
END_TEST

START_TEST(secret_is_left_out_of_dumps_and_forks)
{
    init();
    uint8_t *first = stt_secret_alloc(&s, 64), *later = NULL, *large = stt_secret_alloc(&s, 4097);
    while (s.regions_len < 3)
        later = stt_secret_alloc(&s, 4096);
    const uint8_t *all[] = {first, later, large};
    for (int i = 0; i < 3; i++) {
        ck_assert(has_flag(all[i], "dd"));
        ck_assert(has_flag(all[i], "wf"));
    }
    ck_assert(!has_flag(&s, "dd")); /* so has_flag can say no */
    stt_secret_release(&s, large, 4097);
    stt_secret_fini(&s);
}
END_TEST

/* Sanitizers answer that memory is locked, and lock none. */
static bool can_see_locks(void)
{
    static uint8_t page[2 * 4096];
    bool seen = mlock(page, sizeof page) != 0 || has_flag(page + 4096, "lo");
    munlock(page, sizeof page);
    if (!seen)
        fprintf(stderr, "not tested: what is locked does not show here\n");
    return seen;
}

START_TEST(secret_is_locked_as_far_as_it_may)
{
    init_with(1 << 20, 20 * 1024);
    ck_assert_uint_le(s.locked_bytes, 20 * 1024);
    if (can_see_locks())
        ck_assert_int_eq(has_flag(s.regions[0].data, "lo"), s.locked_bytes > 0);
    size_t locked = s.locked_bytes;
    while (s.regions_len < 3)
        ck_assert_ptr_nonnull(stt_secret_alloc(&s, 4096));
    ck_assert_uint_eq(s.locked_bytes, locked);
    ck_assert(!has_flag(s.regions[1].data, "lo"));
    stt_secret_fini(&s);
}
END_TEST

static int works_without_locks(void *arg)
{
    const bool *sees_locks = arg;
    const struct stt_secret_limits limits = STT_SECRET_LIMITS;
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
        return 1;
    if (stt_secret_init(&s, &limits) != STT_OK || (*sees_locks && s.locked_bytes != 0))
        return 2;
    void *p = stt_secret_alloc(&s, 1000);
    return p && stt_secret_is_alive(&s) ? 0 : 3;
}

START_TEST(secret_works_where_nothing_may_be_locked_case_36)
{
    bool sees_locks = can_see_locks();
    ck_assert_int_eq(in_child(works_without_locks, &sees_locks), 0);
}
END_TEST

START_TEST(secret_has_no_weaker_mode)
{
    const struct stt_secret_limits limits = STT_SECRET_LIMITS;
    ck_assert(deny(SYS_madvise, DENY_ANY, EINVAL));
    ck_assert_int_eq(stt_secret_init(&s, &limits), STT_E_UNSUPPORTED);
    ck_assert_uint_eq(s.mapped_bytes, 0);
    ck_assert(!stt_secret_is_alive(&s));
    ck_assert_ptr_null(stt_secret_alloc(&s, 64));
}
END_TEST

START_TEST(secret_blocks_are_aligned_apart_and_used_again)
{
    enum { N = 200 };
    uint8_t *blocks[N];
    init();
    for (size_t i = 0; i < N; i++) {
        size_t len = 1 + i * 37 % STT_SECRET_SMALL_MAX;
        blocks[i] = stt_secret_alloc(&s, len);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert_uint_eq((uintptr_t)blocks[i] % STT_SECRET_GRAIN_BYTES, 0);
        memset(blocks[i], (int)i, len);
    }
    for (size_t i = 0; i < N; i++) {
        size_t len = 1 + i * 37 % STT_SECRET_SMALL_MAX;
        for (size_t k = 0; k < len; k++)
            ck_assert_uint_eq(blocks[i][k], (uint8_t)i);
    }
    stt_secret_release(&s, blocks[5], 1 + 5 * 37);
    stt_secret_release(&s, blocks[9], 1 + 9 * 37);
    ck_assert_ptr_eq(stt_secret_alloc(&s, 1 + 9 * 37), blocks[9]);
    ck_assert_ptr_eq(stt_secret_alloc(&s, 1 + 5 * 37), blocks[5]);
    stt_secret_release(&s, NULL, 64);
    ck_assert_ptr_null(stt_secret_alloc(&s, 0));
    ck_assert(stt_secret_is_alive(&s));
    stt_secret_fini(&s);
}
END_TEST

START_TEST(secret_holds_a_hundred_thousand_sessions)
{
    enum { N = 100000, LEN = 1000 };
    uint32_t **blocks = calloc(N, sizeof *blocks);
    size_t mapped = 0;
    init();
    for (int turn = 0; turn < 3; turn++) {
        for (uint32_t i = 0; i < N; i++) {
            blocks[i] = stt_secret_alloc(&s, LEN);
            ck_assert_ptr_nonnull(blocks[i]);
            *blocks[i] = i;
        }
        for (uint32_t i = 0; i < N; i++) {
            ck_assert_uint_eq(*blocks[i], i);
            stt_secret_release(&s, blocks[i], LEN);
        }
        ck_assert(turn == 0 || s.mapped_bytes == mapped);
        mapped = s.mapped_bytes;
    }
    ck_assert_uint_le(s.mapped_bytes, (size_t)3 * N * 1024);
    stt_secret_fini(&s);
    ck_assert_uint_eq(s.mapped_bytes, 0);
    free(blocks);
}
END_TEST

START_TEST(secret_stays_within_its_limit)
{
    size_t blocks = 0;
    init_with(100 * 1024, 0);
    ck_assert_uint_eq(s.locked_bytes, 0);
    while (stt_secret_alloc(&s, 1024))
        blocks++;
    ck_assert_uint_le(s.mapped_bytes, 100 * 1024);
    ck_assert_uint_ge(blocks, 90); /* all but what is left over of pages and regions */
    ck_assert_ptr_null(stt_secret_alloc(&s, 100 * 1024));
    ck_assert_ptr_null(stt_secret_alloc(&s, SIZE_MAX));
    ck_assert_ptr_null(stt_secret_alloc(&s, SIZE_MAX - 100));
    ck_assert(stt_secret_is_alive(&s));
    stt_secret_fini(&s);

    struct stt_secret_limits none = {100, 0};
    ck_assert_int_eq(stt_secret_init(&s, &none), STT_E_MEMORY);
    stt_secret_fini(&s);
}
END_TEST

START_TEST(secret_says_when_the_system_has_no_memory)
{
    init_with(SIZE_MAX / 2, 0);
    size_t mapped = s.mapped_bytes;
    ck_assert_ptr_null(stt_secret_alloc(&s, SIZE_MAX / 4));
    ck_assert_uint_eq(s.mapped_bytes, mapped);
    ck_assert_ptr_nonnull(stt_secret_alloc(&s, 64));
    stt_secret_fini(&s);
}
END_TEST

START_TEST(secret_large_blocks_come_and_go)
{
    init();
    size_t mapped = s.mapped_bytes;
    uint8_t *p = stt_secret_alloc(&s, 1000000);
    ck_assert_ptr_nonnull(p);
    memset(p, 1, 1000000);
    ck_assert_uint_ge(s.mapped_bytes, mapped + 1000000);
    stt_secret_release(&s, p, 1000000);
    ck_assert_uint_eq(s.mapped_bytes, mapped);
    stt_secret_fini(&s);
}
END_TEST

static int write_to(void *arg)
{
    *(volatile uint8_t *)arg = 1;
    return 0;
}

START_TEST(secret_has_guards_on_both_sides)
{
    init();
    uint8_t *large = stt_secret_alloc(&s, 8192);
    uint8_t *from[] = {s.regions[0].data, large};
    size_t len[] = {s.regions[0].len, 8192};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(in_child(write_to, from[i]), 0);
        ck_assert_int_eq(in_child(write_to, from[i] + len[i] - 1), 0);
        ck_assert_int_eq(in_child(write_to, from[i] - 1), -1);
        ck_assert_int_eq(in_child(write_to, from[i] + len[i]), -1);
    }
    stt_secret_release(&s, large, 8192);
    stt_secret_fini(&s);
}
END_TEST

SUITE("secret", TEST(secret_is_gone_in_a_forked_child_and_only_there_case_60),
      TEST(secret_is_left_out_of_dumps_and_forks), TEST(secret_is_locked_as_far_as_it_may),
      TEST(secret_works_where_nothing_may_be_locked_case_36), TEST(secret_has_no_weaker_mode),
      TEST(secret_blocks_are_aligned_apart_and_used_again),
      TEST(secret_holds_a_hundred_thousand_sessions), TEST(secret_stays_within_its_limit),
      TEST(secret_says_when_the_system_has_no_memory), TEST(secret_large_blocks_come_and_go),
      TEST(secret_has_guards_on_both_sides))
