/* SPDX-License-Identifier: MIT
 * spin: how long a thread looks again and again before it sleeps. To be woken costs both sides a
 * few microseconds. So it looks for a moment where what it waited for has come that soon several
 * times in a row, and until it has looked once in vain. */
#ifndef STT_NODE_SPIN_H
#define STT_NODE_SPIN_H

#include "stt/types.h"

#define STT_SPIN_NS STT_US(50)
enum { STT_SPIN_AFTER = 4 }; /* short waits in a row */

struct stt_spin {
    stt_ns least_ns; /* what the host wants in any case */
    uint8_t luck;
};

static inline stt_ns stt_spin_for(const struct stt_spin *s)
{
    bool pays = s->luck >= STT_SPIN_AFTER && s->least_ns < STT_SPIN_NS;
    return pays ? STT_SPIN_NS : s->least_ns;
}

/* It waited for so long, awake or asleep, until something came; or slept until it was time. */
static inline void stt_spin_on_waited(struct stt_spin *s, stt_ns waited)
{
    if (waited >= STT_SPIN_NS)
        s->luck = 0;
    else if (s->luck < STT_SPIN_AFTER)
        s->luck++;
}

#endif
