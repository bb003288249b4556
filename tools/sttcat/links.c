/* SPDX-License-Identifier: MIT
 * links: owns the table, not what is in it. A link stays until its stream has ended on both sides,
 * so that there are never more of them than streams that the two sides allow each other. It must
 * not know who makes connections, or why. Spec 10, "Forward". */
#include "tools/sttcat/links.h"

#include "tools/common/say.h"

static uint32_t n_everywhere;

bool links_are_full(void)
{
    return n_everywhere >= LINKS_MAX;
}

void links_begin(struct links *links)
{
    links->n = 0;
    for (uint32_t i = 0; i < LINK_BUCKETS; i++)
        stt_list_init(&links->buckets[i]);
}

void links_add(struct links *links, struct link *l, stt_handle stream)
{
    l->stream = stream;
    l->conduit = (struct conduit){.port = {.fd = -1}};
    stt_list_push_back(&links->buckets[stream % LINK_BUCKETS], &l->in);
    links->n++;
    n_everywhere++;
}

void links_remove(struct links *links, struct link *l)
{
    conduit_end(&l->conduit);
    stt_list_remove(&l->in);
    links->n--;
    n_everywhere--;
}

struct link *links_find(const struct links *links, stt_handle stream)
{
    STT_LIST_FOREACH (in, &links->buckets[stream % LINK_BUCKETS])
        if (link_of(in)->stream == stream)
            return link_of(in);
    return NULL;
}

bool link_turn(struct link *l, struct peer *p)
{
    enum { WANTED = 256 * 1024 };
    struct conduit *c = &l->conduit;
    if (conduit_is_over(c)) {
        link_tell_end(l);
        return false;
    }
    const uint64_t given = c->given, taken = c->taken;
    const bool any =
        conduit_turn(c, p->loop->now, conduit_can_give(c) ? peer_allowance(p, WANTED) : 0);
    if (c->given > given)
        peer_count_given(p, c->given - given);
    if (c->taken > taken)
        peer_count_taken(p, c->taken - taken);
    conduit_want(c, p->loop);
    link_tell_end(l);
    return any;
}

size_t link_peek(const struct link *l, struct peer *p, uint8_t *out, size_t room)
{
    struct stt_part parts[4];
    const size_t n = stt_stream_peek(p->ep, l->stream, parts, 4);
    size_t len = 0;
    for (size_t i = 0; i < n && len < room; i++) {
        const size_t some = parts[i].len < room - len ? parts[i].len : room - len;
        memcpy(out + len, parts[i].data, some);
        len += some;
    }
    return len;
}

static void tell_people(const struct link *l, int level, const char *state, const char *why)
{
    char to[sizeof l->to], because[WIRE_TEXT_MAX + 1];
    say_note(level, "%s to %s: %s%s%s", l->from, say_clean(l->to, to, sizeof to), state,
             why ? ": " : "", say_clean(why ? why : "", because, sizeof because));
}

void link_tell(const struct link *l, int level, const char *state, const char *why)
{
    static struct say_object o;
    if (!say_is_json()) {
        tell_people(l, level, state, why);
        return;
    }
    say_object_begin(&o, "forward");
    say_object_text(&o, "state", state);
    say_object_text(&o, "from", l->from);
    say_object_text(&o, "to", l->to);
    if (l->is_told_over) {
        say_object_number(&o, "given_bytes", l->conduit.given);
        say_object_number(&o, "taken_bytes", l->conduit.taken);
    }
    if (why)
        say_object_text(&o, "text", why);
    say_object_end(&o);
}

void link_tell_end(struct link *l)
{
    if (!l->is_told_open || l->is_told_over || !conduit_is_over(&l->conduit))
        return;
    l->is_told_over = true;
    link_tell(l, 1, l->conduit.is_broken ? "broken" : "closed", NULL);
}
