/* SPDX-License-Identifier: MIT
 * secret: regions of guarded memory, each twice as large as the one before, cut into blocks.
 *
 *     | guard | canary | block | block ...      at ...      end | guard |        the first region
 *     | guard | block | block | ...                                     | guard |
 *
 * Invariants: every mapping is left out of core dumps and wiped on fork before anything is written
 * to it. All of them share one fate, so one canary speaks for all. What must survive a fork to make
 * sense of it (the list of regions) is in the caller's struct. Must not know what is kept in it. */
#include "stt/node/secret.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIRST_REGION_BYTES = 16 * 1024 };

#define CANARY UINT64_C(0x5354545f616c6976)

_Static_assert(sizeof(uint64_t) <= STT_SECRET_GRAIN_BYTES, "the canary takes the first grain");

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t round_up(size_t len, size_t to)
{
    return (len + to - 1) / to * to;
}

static void unmap(struct stt_secret *s, uint8_t *data, size_t len)
{
    munmap(data - page_bytes(), len + 2 * page_bytes());
    s->mapped_bytes -= len;
}

static void lock(struct stt_secret *s, uint8_t *data, size_t len)
{
    if (len <= s->limits.locked_bytes - s->locked_bytes && mlock(data, len) == 0)
        s->locked_bytes += len;
}

/* len is a multiple of the page. NULL and *error when there is none. */
static uint8_t *map(struct stt_secret *s, size_t len, int *error)
{
    size_t page = page_bytes();
    *error = STT_E_MEMORY;
    if (len > s->limits.mapped_bytes - s->mapped_bytes)
        return NULL;
    uint8_t *all = mmap(NULL, len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    s->mapped_bytes += len;
    uint8_t *data = all + page;
    if (mprotect(data, len, PROT_READ | PROT_WRITE) == 0) {
        if (madvise(data, len, MADV_DONTDUMP) == 0 && madvise(data, len, MADV_WIPEONFORK) == 0)
            return data;
        *error = STT_E_UNSUPPORTED;
    }
    unmap(s, data, len);
    return NULL;
}

static void **list_for(struct stt_secret *s, size_t len)
{
    return &s->given_back[len / STT_SECRET_GRAIN_BYTES];
}

/* The link to the next is in the block itself. */
static void give_back(struct stt_secret *s, void *block, size_t len)
{
    *(void **)block = *list_for(s, len);
    *list_for(s, len) = block;
}

static int grow(struct stt_secret *s)
{
    unsigned n = s->regions_len;
    int error;
    if (n == STT_SECRET_REGIONS_MAX)
        return STT_E_MEMORY;
    size_t left = (s->limits.mapped_bytes - s->mapped_bytes) / page_bytes() * page_bytes();
    size_t len = n ? 2 * s->regions[n - 1].len : round_up(FIRST_REGION_BYTES, page_bytes());
    if (len > left && left >= STT_SECRET_SMALL_MAX)
        len = left;
    uint8_t *data = map(s, len, &error);
    if (!data)
        return error;
    lock(s, data, len);
    s->regions[n].data = data;
    s->regions[n].len = len;
    s->regions_len = n + 1;
    s->at = data; /* what is left of the region before is less than one block: lost */
    s->end = data + len;
    return STT_OK;
}

int stt_secret_init(struct stt_secret *s, const struct stt_secret_limits *limits)
{
    *s = (struct stt_secret){.limits = *limits};
    int error = grow(s);
    if (error)
        return error;
    *(uint64_t *)(void *)s->at = CANARY;
    s->at += STT_SECRET_GRAIN_BYTES;
    return STT_OK;
}

void stt_secret_fini(struct stt_secret *s)
{
    while (s->regions_len > 0) {
        s->regions_len--;
        unmap(s, s->regions[s->regions_len].data, s->regions[s->regions_len].len);
    }
    *s = (struct stt_secret){0};
}

bool stt_secret_is_alive(const struct stt_secret *s)
{
    return s->regions_len && *(const uint64_t *)(const void *)s->regions[0].data == CANARY;
}

static void *alloc_small(struct stt_secret *s, size_t len)
{
    void *block = *list_for(s, len);
    if (block) {
        *list_for(s, len) = *(void **)block;
        return block;
    }
    if ((size_t)(s->end - s->at) < len && grow(s) != STT_OK)
        return NULL;
    block = s->at;
    s->at += len;
    return block;
}

void *stt_secret_alloc(struct stt_secret *s, size_t len)
{
    int error;
    if (len == 0 || len > s->limits.mapped_bytes || !stt_secret_is_alive(s))
        return NULL;
    if (len <= STT_SECRET_SMALL_MAX)
        return alloc_small(s, round_up(len, STT_SECRET_GRAIN_BYTES));
    return map(s, round_up(len, page_bytes()), &error);
}

void stt_secret_release(struct stt_secret *s, void *p, size_t len)
{
    if (!p)
        return;
    if (len > STT_SECRET_SMALL_MAX) {
        unmap(s, p, round_up(len, page_bytes()));
        return;
    }
    assert(len && (uintptr_t)p % STT_SECRET_GRAIN_BYTES == 0);
    give_back(s, p, round_up(len, STT_SECRET_GRAIN_BYTES));
}
