/* SPDX-License-Identifier: MIT */
#include "tests/chaos/tally.h"

#include <stddef.h>
#include <stdio.h>

static const struct thing {
    const char *text;
    size_t at;
} things[] = {
#define X(name, text) {text, offsetof(struct tally, name)},
    TALLY_THINGS(X)
#undef X
};
enum { THINGS = sizeof things / sizeof things[0] };

static uint64_t count_of(const struct tally *t, size_t i)
{
    return *(const uint64_t *)((const char *)t + things[i].at);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void tally_add(struct tally *to, const struct tally *from)
{
    for (size_t i = 0; i < THINGS; i++)
        *(uint64_t *)((char *)to + things[i].at) += count_of(from, i);
    to->slowest_percent = larger(to->slowest_percent, from->slowest_percent);
    to->fullest_percent = larger(to->fullest_percent, from->fullest_percent);
}

void tally_print(const struct tally *t)
{
    for (size_t i = 0; i < THINGS; i++)
        printf("%12llu  %s\n", (unsigned long long)count_of(t, i), things[i].text);
    printf("%11llu%%  of the time that a calm end may take, at most\n",
           (unsigned long long)t->slowest_percent);
    printf("%11llu%%  of the memory that a node may take, at most\n",
           (unsigned long long)t->fullest_percent);
}

const char *tally_missing(const struct tally *t)
{
    for (size_t i = 0; i < THINGS; i++)
        if (!count_of(t, i))
            return things[i].text;
    return NULL;
}
