/* SPDX-License-Identifier: MIT
 * budget: how much of something may be spent, refilled by time. One word of state: the moment at
 * which the budget would be whole again if nothing more were taken. Spec 03, "Order of checks".
 *
 * Who never spends more than `burst` plus the rate times the length of any stretch of time is never
 * refused. */
#ifndef STT_SESSION_BUDGET_H
#define STT_SESSION_BUDGET_H

#include "stt/types.h"

struct stt_budget_rule {
    stt_ns unit_ns;  /* in which one unit grows back; not 0 */
    stt_ns burst_ns; /* what may be taken at once, in that time */
};

/* Whole when zeroed. */
struct stt_budget {
    stt_ns whole_at;
};

/* At most per_second units in the long run, and at most `burst` at once; 0 a second is none. */
static inline struct stt_budget_rule stt_budget_rate(uint64_t per_second, uint64_t burst)
{
    if (per_second == 0)
        return (struct stt_budget_rule){STT_S(1), 0};
    stt_ns unit = per_second < STT_S(1) ? STT_S(1) / per_second : 1;
    return (struct stt_budget_rule){unit, unit * burst};
}

/* How long it takes until it is whole. */
static inline stt_ns stt_budget_debt(const struct stt_budget *b, stt_ns now)
{
    return b->whole_at > now ? b->whole_at - now : 0;
}

static inline bool stt_budget_has(const struct stt_budget *b, const struct stt_budget_rule *rule,
                                  stt_ns now, uint64_t units)
{
    stt_ns debt = stt_budget_debt(b, now);
    return debt <= rule->burst_ns && units <= (rule->burst_ns - debt) / rule->unit_ns;
}

/* Takes what was spent already, even if the budget goes below nothing. */
static inline void stt_budget_charge(struct stt_budget *b, const struct stt_budget_rule *rule,
                                     stt_ns now, uint64_t units)
{
    b->whole_at = now + stt_budget_debt(b, now) + units * rule->unit_ns;
}

/* False, and nothing taken, when it does not reach. */
static inline bool stt_budget_take(struct stt_budget *b, const struct stt_budget_rule *rule,
                                   stt_ns now, uint64_t units)
{
    if (!stt_budget_has(b, rule, now, units))
        return false;
    stt_budget_charge(b, rule, now, units);
    return true;
}

#endif
