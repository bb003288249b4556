/* SPDX-License-Identifier: MIT
 * held: owns the eight sums. Invariant: they add up to `since` less the time of init. It must not
 * know what a session is. Spec 06, "What held the session back". */
#include "stt/session/held.h"

const char *stt_held_text(enum stt_held_by by)
{
    static const char *const texts[] = {
#define ROW(X, upper, name, words) words,
        STT_HELD_BY(ROW, )
#undef ROW
    };
    return (unsigned)by < STT_HELD_COUNT ? texts[by] : "?";
}

void stt_held_init(struct stt_held *h, stt_ns now)
{
    *h = (struct stt_held){.since = now, .until = STT_NEVER, .by = STT_HELD_APPLICATION};
}

static void count(struct stt_held *h, stt_ns to)
{
    if (to <= h->since)
        return;
    h->ns[h->by] += to - h->since;
    h->since = to;
}

static void settle(struct stt_held *h, stt_ns now)
{
    if (now > h->until) {
        count(h, h->until);
        h->by = STT_HELD_MACHINE;
        h->until = STT_NEVER;
    }
    count(h, now);
}

void stt_held_switch_until(struct stt_held *h, stt_ns now, enum stt_held_by by, stt_ns until)
{
    if (h->by == by && h->until == until)
        return; /* goes on */
    settle(h, now);
    h->by = (uint8_t)by;
    h->until = until;
}

void stt_held_switch(struct stt_held *h, stt_ns now, enum stt_held_by by)
{
    stt_held_switch_until(h, now, by, STT_NEVER);
}

void stt_held_read(const struct stt_held *h, stt_ns now, stt_ns ns[STT_HELD_COUNT])
{
    struct stt_held at_now = *h;
    settle(&at_now, now);
    for (int by = 0; by < STT_HELD_COUNT; by++)
        ns[by] = at_now.ns[by];
}
