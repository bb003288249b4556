/* SPDX-License-Identifier: MIT */
#include "tests/support/traitor.h"

#include "stt/session/engine.h"

struct stt_session *traitor_session(const struct stt_endpoint *ep, stt_handle session)
{
    return stt_slab_at(&ep->sessions, session);
}

size_t traitor_seal_as(struct stt_session *s, uint64_t number, struct bytes frames, uint8_t *packet)
{
    size_t len = frames.len + STT_PROTECT_OVERHEAD_BYTES;
    assert(len <= TRAITOR_PACKET_MAX);
    const struct stt_protect_plain plain = {
        .number = number,
        .session_id = stt_session_ids_current(&s->ids)->bytes,
        .parts = &frames,
        .parts_len = 1,
    };
    if (number >= s->loss.sent_end) /* so that its ack is no surprise */
        stt_loss_on_quiet_packet(&s->loss, number);
    return stt_protect_seal(s->protect, &plain, 1, (struct stt_protect_train){packet, len, len});
}

size_t traitor_seal(struct stt_session *s, struct bytes frames, uint8_t *packet)
{
    return traitor_seal_as(s, s->protect->next_number, frames, packet);
}

struct bytes traitor_open(struct stt_session *s, uint8_t *packet, size_t len)
{
    struct stt_protect_opened opened;
    stt_protect_open(s->protect, (struct stt_protect_train){packet, len, len}, &opened);
    return opened.result == STT_PROTECT_OPENED ? opened.payload : BYTES_NONE;
}
