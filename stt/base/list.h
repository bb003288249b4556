/* SPDX-License-Identifier: MIT
 * list: an intrusive, circular, doubly linked list. Head and links are the same struct.
 *
 *   head <-> a <-> b <-> c <-> head          an empty head points to itself
 *
 * A link that is in no list is all zero or points to itself, so a link in zeroed memory needs no
 * init, and removing a link twice does nothing. A head needs stt_list_init. */
#ifndef STT_BASE_LIST_H
#define STT_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct stt_list {
    struct stt_list *next, *prev;
};

/* The struct `type` whose field `member` is this link. */
#define STT_LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Walks from front to back; the body may remove `link`, and nothing else. */
#define STT_LIST_FOREACH(link, head)                                                               \
    for (struct stt_list *link = (head)->next, *link##_next = link->next; link != (head);          \
         link = link##_next, link##_next = link->next)

static inline void stt_list_init(struct stt_list *head)
{
    head->next = head->prev = head;
}

static inline bool stt_list_is_empty(const struct stt_list *head)
{
    return head->next == head;
}

static inline bool stt_list_is_linked(const struct stt_list *link)
{
    return link->next && link->next != link;
}

/* The link must be in no list: a link is in one list at a time. */
static inline void stt_list_insert_before(struct stt_list *at, struct stt_list *link)
{
    link->next = at;
    link->prev = at->prev;
    at->prev->next = link;
    at->prev = link;
}

static inline void stt_list_push_front(struct stt_list *head, struct stt_list *link)
{
    stt_list_insert_before(head->next, link);
}

static inline void stt_list_push_back(struct stt_list *head, struct stt_list *link)
{
    stt_list_insert_before(head, link);
}

static inline void stt_list_remove(struct stt_list *link)
{
    if (!stt_list_is_linked(link))
        return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    stt_list_init(link);
}

/* Removes and answers the first link; NULL when there is none. */
static inline struct stt_list *stt_list_pop_front(struct stt_list *head)
{
    struct stt_list *link = head->next;
    if (link == head)
        return NULL;
    stt_list_remove(link);
    return link;
}

#endif
