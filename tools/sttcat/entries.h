/* SPDX-License-Identifier: MIT
 * entries: those that are named and not settled, at most WIRE_UNSETTLED_MAX, in the order in which
 * they were named, and by their index (spec 10, "Files"). */
#ifndef TOOLS_STTCAT_ENTRIES_H
#define TOOLS_STTCAT_ENTRIES_H

#include "stt/base/list.h"
#include "tools/sttcat/wire.h"

/* The first member of what each side knows of an entry. */
struct entry {
    struct stt_list order;
    struct entry *chain;
    uint64_t index;
};

struct entries {
    struct stt_list order;
    struct entry *buckets[WIRE_UNSETTLED_MAX];
    uint32_t n;
};

static inline void entries_init(struct entries *e)
{
    *e = (struct entries){.n = 0};
    stt_list_init(&e->order);
}

static inline struct entry **entries_place(struct entries *e, uint64_t index)
{
    struct entry **at = &e->buckets[index % WIRE_UNSETTLED_MAX];
    while (*at && (*at)->index != index)
        at = &(*at)->chain;
    return at;
}

static inline struct entry *entries_find(struct entries *e, uint64_t index)
{
    return *entries_place(e, index);
}

/* Its index is in none of them. */
static inline void entries_add(struct entries *e, struct entry *entry)
{
    *entries_place(e, entry->index) = entry;
    stt_list_push_back(&e->order, &entry->order);
    e->n++;
}

static inline void entries_remove(struct entries *e, struct entry *entry)
{
    *entries_place(e, entry->index) = entry->chain;
    entry->chain = NULL;
    stt_list_remove(&entry->order);
    e->n--;
}

#endif
