/* SPDX-License-Identifier: MIT
 * env: counted memory with a header in front of every block, and entropy from a seed.
 *
 *   |header: magic, kind, len |  what the caller sees, filled with 0xa5 ...  |
 *
 * Each block is a malloc of its own, so that a sanitizer or valgrind sees its exact end. */
#include "tests/support/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDINARY = 0x6f726421, SECRET = 0x73656321, RELEASED = 0x64656164 };

struct header {
    _Alignas(16) uint32_t kind;
    size_t len;
    struct stt_list blocks;
};

#define REFUSE(...)                                                                                \
    do {                                                                                           \
        fprintf(stderr, "test_env: " __VA_ARGS__);                                                 \
        fputc('\n', stderr);                                                                       \
        abort();                                                                                   \
    } while (0)

static bool must_fail(const struct test_env *te, size_t len)
{
    return (te->fail_at && te->allocs == te->fail_at) ||
           (te->fail_from && te->allocs >= te->fail_from) ||
           (te->limit_bytes && te->bytes_in_use + len > te->limit_bytes);
}

static void *take(struct test_env *te, size_t len, uint32_t kind)
{
    te->allocs++;
    if (must_fail(te, len)) {
        te->failed++;
        return NULL;
    }
    struct header *h = malloc(sizeof *h + len);
    if (!h)
        REFUSE("malloc of %zu bytes failed", len);
    *h = (struct header){.kind = kind, .len = len};
    stt_list_init(&h->blocks);
    stt_list_push_back(kind == SECRET ? &te->secrets : &te->ordinary, &h->blocks);
    memset(h + 1, 0xa5, len); /* so that nobody relies on zeros by luck */
    te->live++;
    te->bytes_in_use += len;
    if (te->bytes_in_use > te->bytes_peak)
        te->bytes_peak = te->bytes_in_use;
    return h + 1;
}

static void give_back(struct test_env *te, void *p, size_t len, uint32_t kind)
{
    struct header *h = (struct header *)p - 1;
    if (h->kind != kind)
        REFUSE("released memory that is not of this kind, or twice (0x%x)", h->kind);
    if (h->len != len)
        REFUSE("released %zu bytes of a block of %zu", len, h->len);
    h->kind = RELEASED;
    stt_list_remove(&h->blocks);
    te->live--;
    te->bytes_in_use -= len;
    free(h);
}

static void *on_alloc(void *ctx, size_t len)
{
    return take(ctx, len, ORDINARY);
}

static void on_release(void *ctx, void *p, size_t len)
{
    give_back(ctx, p, len, ORDINARY);
}

static void *on_secret_alloc(void *ctx, size_t len)
{
    return take(ctx, len, SECRET);
}

static void on_secret_release(void *ctx, void *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((const uint8_t *)p)[i])
            REFUSE("a secret was released without wiping it");
    give_back(ctx, p, len, SECRET);
}

static bool on_entropy(void *ctx, uint8_t *out, size_t len)
{
    struct test_env *te = ctx;
    te->draws++;
    if (te->entropy_fails || te->draws == te->entropy_fail_at)
        return false;
    if (te->draws == te->entropy_repeat_at)
        te->rng = te->drew_with;
    te->drew_with = te->rng;
    rng_fill(&te->rng, out, len);
    if (te->entropy_repeats)
        te->rng = te->drew_with;
    te->entropy_bytes += len;
    return true;
}

static bool on_secrets_alive(void *ctx)
{
    return !((const struct test_env *)ctx)->forked;
}

static void on_trace(void *ctx, const struct stt_trace_event *event)
{
    (void)event;
    ((struct test_env *)ctx)->traced++;
}

void test_env_init(struct test_env *te, uint64_t seed)
{
    *te = (struct test_env){.seed = seed, .rng = rng_init(seed), .drew_with = rng_init(seed)};
    stt_list_init(&te->secrets);
    stt_list_init(&te->ordinary);
    te->env = (struct stt_env){
        .ctx = te,
        .entropy = on_entropy,
        .alloc = on_alloc,
        .release = on_release,
        .secret_alloc = on_secret_alloc,
        .secret_release = on_secret_release,
        .secrets_alive = on_secrets_alive,
        .trace = on_trace,
    };
}

void test_env_fork(struct test_env *te)
{
    te->forked = true;
    for (struct stt_list *l = te->secrets.next; l != &te->secrets; l = l->next) {
        struct header *h = STT_LIST_ENTRY(l, struct header, blocks);
        memset(h + 1, 0, h->len);
    }
}

/* Also where an object is not in use, which a sanitizer would not let memmem look at. */
__attribute__((no_sanitize("address"))) static bool holds(const struct header *h,
                                                          const uint8_t *what, size_t len)
{
    const uint8_t *data = (const uint8_t *)(h + 1);
    for (size_t at = 0; at + len <= h->len; at++) {
        size_t same = 0;
        while (same < len && data[at + same] == what[same])
            same++;
        if (same == len)
            return true;
    }
    return false;
}

static bool is_in(const struct stt_list *blocks, const void *what, size_t len)
{
    for (const struct stt_list *l = blocks->next; l != blocks; l = l->next)
        if (holds(STT_LIST_ENTRY(l, const struct header, blocks), what, len))
            return true;
    return false;
}

bool test_env_has_secret(const struct test_env *te, const void *what, size_t len)
{
    return is_in(&te->secrets, what, len);
}

bool test_env_has_ordinary(const struct test_env *te, const void *what, size_t len)
{
    return is_in(&te->ordinary, what, len);
}

void test_env_check_no_leak(const struct test_env *te)
{
    if (te->live || te->bytes_in_use)
        REFUSE("%llu blocks with %zu bytes were never released (seed %llu)",
               (unsigned long long)te->live, te->bytes_in_use, (unsigned long long)te->seed);
}
