/* SPDX-License-Identifier: MIT
 * ecn: owns counters. They count over the life of the session, as packet numbers do, and never
 * fall. It must not know windows nor packets. Spec 06, "ECN". */
#include "stt/recovery/ecn.h"

#include "stt/wire/limits.h"

bool stt_ecn_on_received(struct stt_ecn *e, uint8_t bits, uint64_t packets)
{
    uint64_t *const counters[] = {NULL, &e->came.ect1, &e->came.ect0, &e->came.ce};
    bool is_ce = bits == STT_ECN_CE, is_news = is_ce && !e->was_ce;
    e->was_ce = is_ce;
    if (counters[bits & 3])
        *counters[bits & 3] += packets;
    return is_news;
}

static bool has_fallen(const struct frame_ecn *was, const struct frame_ecn *is)
{
    return is->ect0 < was->ect0 || is->ect1 < was->ect1 || is->ce < was->ce;
}

/* What was marked must have been seen with a mark; nobody marks with ECT(1) here. */
static bool is_plausible(const struct stt_ecn *e, const struct frame_ack *ack, uint64_t marked)
{
    uint64_t seen = ack->ecn.ect0 - e->told.ect0 + (ack->ecn.ce - e->told.ce);
    return ack->has_ecn && !has_fallen(&e->told, &ack->ecn) && ack->ecn.ect1 == e->told.ect1 &&
           seen >= marked;
}

uint64_t stt_ecn_on_ack(struct stt_ecn *e, const struct frame_ack *ack, uint64_t acked_marked)
{
    bool is_newest = ack->largest + 1 > e->told_largest;
    if (e->state == STT_ECN_FAILED || !is_newest || (!ack->has_ecn && !acked_marked))
        return 0; /* an older ACK that was overtaken tells less */
    e->told_largest = ack->largest + 1;
    if (!is_plausible(e, ack, acked_marked)) {
        e->state = STT_ECN_FAILED;
        return 0;
    }
    uint64_t marks = ack->ecn.ce - e->told.ce;
    e->told = ack->ecn;
    if (acked_marked)
        e->state = STT_ECN_CAPABLE;
    return marks;
}

void stt_ecn_on_lost(struct stt_ecn *e, uint64_t packets)
{
    if (e->state != STT_ECN_TESTING)
        return;
    uint64_t lost = e->lost + packets;
    e->lost = lost < STT_ECN_LOST_MAX ? (uint8_t)lost : STT_ECN_LOST_MAX;
    if (e->lost == STT_ECN_LOST_MAX)
        e->state = STT_ECN_FAILED;
}

void stt_ecn_on_path(struct stt_ecn *e)
{
    e->state = STT_ECN_TESTING;
    e->lost = 0;
}

void stt_ecn_on_pto(struct stt_ecn *e)
{
    stt_ecn_on_lost(e, STT_ECN_LOST_MAX / 2);
}
