/* SPDX-License-Identifier: MIT */
#include "tests/support/tap.h"

#include <string.h>

static void keep(struct tap_copy *copy, const struct stt_sim_datagram *d)
{
    copy->from = d->from;
    copy->to = d->to;
    copy->len = d->len < sizeof copy->data ? d->len : sizeof copy->data;
    memcpy(copy->data, d->data, copy->len);
}

static bool see(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct tap *tap = ctx;
    enum stt_packet_kind kind = stt_packet_classify(bytes_of(d->data, d->len));
    tap->seen[kind]++;
    tap->at[kind] = now;
    keep(&tap->kept[kind], d);
    if (tap->lose[kind]) {
        tap->lose[kind]--;
        return false;
    }
    if (tap->edit)
        tap->edit(d, kind);
    return true;
}

void tap_on(struct tap *tap, struct stt_sim *sim, stt_sim_link link)
{
    stt_sim_tap(sim, link, see, tap);
}

void tap_inject(const struct tap_copy *copy, struct stt_sim *sim)
{
    struct tap_copy sent = *copy;
    struct stt_sim_datagram d = {.from = sent.from,
                                 .to = sent.to,
                                 .data = sent.data,
                                 .len = sent.len,
                                 .room = sizeof sent.data};
    stt_sim_inject(sim, &d);
}
