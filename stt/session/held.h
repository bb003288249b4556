/* SPDX-License-Identifier: MIT
 * held: for how long what held a session back, as an account that always adds up to its age. Which
 * of the eight it is, its caller says (holding.c). Spec 06, "What held the session back". */
#ifndef STT_SESSION_HELD_H
#define STT_SESSION_HELD_H

#include "stt/stats.h"

struct stt_held {
    stt_ns ns[STT_HELD_COUNT]; /* until `since` */
    stt_ns since;
    stt_ns until; /* then `by` lets go by itself, and it is the machine's turn; or STT_NEVER */
    uint8_t by;   /* enum stt_held_by */
};

/* From then on it is held by the application. */
void stt_held_init(struct stt_held *h, stt_ns now);

/* Something else, or the same. Time that goes back stands still. */
void stt_held_switch(struct stt_held *h, stt_ns now, enum stt_held_by by);
/* The same, by something that is known to let go at `until`. */
void stt_held_switch_until(struct stt_held *h, stt_ns now, enum stt_held_by by, stt_ns until);

/* The account at `now`: its sum is the time since init. */
void stt_held_read(const struct stt_held *h, stt_ns now, stt_ns ns[STT_HELD_COUNT]);

/* By those who have no data that their peer wants. */
static inline bool stt_held_for_data(const struct stt_held *h)
{
    return h->by < STT_HELD_PATH;
}

/* By what lies between the data and the wire. */
static inline bool stt_held_for_leave(const struct stt_held *h)
{
    return h->by >= STT_HELD_PATH && h->by < STT_HELD_MACHINE;
}

#endif
