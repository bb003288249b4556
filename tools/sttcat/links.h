/* SPDX-License-Identifier: MIT
 * links: the forwarded connections of a session, each with its stream, found by that. */
#ifndef TOOLS_STTCAT_LINKS_H
#define TOOLS_STTCAT_LINKS_H

#include "stt/base/list.h"
#include "tools/sttcat/conduit.h"
#include "tools/sttcat/peer.h"
#include "tools/sttcat/target.h"

/* LINKS_MAX: of all sessions together, so that the loop has a place for each. */
enum { LINK_BUCKETS = 64, LINK_FROM_ROOM = 160, LINKS_MAX = 768 };

struct link {
    struct stt_list in;
    stt_handle stream;
    struct conduit conduit; /* fd -1: before it is there, and afterwards */
    bool is_told_open, is_told_over;
    char from[LINK_FROM_ROOM], to[TARGET_TEXT_MAX + 1];
};

struct links {
    struct stt_list buckets[LINK_BUCKETS];
    uint32_t n;
};

/* Walks over all of them; the body may remove `l`. */
#define LINKS_FOREACH(l, links)                                                                    \
    for (uint32_t bucket = 0; bucket < LINK_BUCKETS; bucket++)                                     \
        STT_LIST_FOREACH (l, &(links)->buckets[bucket])

void links_begin(struct links *links);
void links_add(struct links *links, struct link *l, stt_handle stream);
void links_remove(struct links *links, struct link *l);
bool links_are_full(void);
struct link *links_find(const struct links *links, stt_handle stream);
static inline struct link *link_of(struct stt_list *in)
{
    return STT_LIST_ENTRY(in, struct link, in);
}

/* Moves bytes, counts them, and tells when it is over; true if something happened. */
bool link_turn(struct link *l, struct peer *p);

/* What has come on a stream from its beginning, without taking it. */
size_t link_peek(const struct link *l, struct peer *p, uint8_t *out, size_t room);

/* `state` is a word of {"event":"forward"}, `why` may be NULL; people read it from this level on.
 */
void link_tell(const struct link *l, int level, const char *state, const char *why);
/* Once, when a connection that was open is over. */
void link_tell_end(struct link *l);

#endif
