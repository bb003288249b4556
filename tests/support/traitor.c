/* SPDX-License-Identifier: MIT */
#include "tests/support/traitor.h"

#include "stt/session/engine.h"

#include <check.h>

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

/* -- a duo ---------------------------------------------------------------------------------------
 */

void traitor_say(struct duo *d, struct bytes frames)
{
    uint8_t packet[TRAITOR_PACKET_MAX];
    struct stt_session *s = traitor_session(d->client.ep, d->client.session);
    duo_deliver_bytes(d, &d->server, NULL, packet, traitor_seal(s, frames, packet));
}

void traitor_say_frame(struct duo *d, const struct any_frame *f)
{
    uint8_t frames[STT_DATAGRAM_BYTES_MIN];
    struct wr w = wr_init(frames, sizeof frames);
    ck_assert(any_frame_encode(&w, f));
    traitor_say(d, wr_done(&w));
}

size_t traitor_ranges(const struct stt_session *s, struct stt_range *out)
{
    const struct stt_flight *f = &s->loss.flight;
    size_t n = 0;
    uint64_t from = f->n_open ? f->first : s->protect->next_number - 1;
    out[n++] = (struct stt_range){from, from};
    for (; from < s->protect->next_number; from++) {
        bool is_skipped = from >= f->first && from < f->next && f->n_open &&
                          stt_flight_slot(f, from)->state == STT_PACKET_SKIPPED;
        if (!is_skipped)
            out[n - 1].to = from + 1;
        else if (out[n - 1].from == from)
            out[n - 1].from = out[n - 1].to = from + 1;
        else
            out[n++] = (struct stt_range){from + 1, from + 1};
        ck_assert_uint_lt(n, TRAITOR_RANGES_MAX);
    }
    return n - (out[n - 1].from == out[n - 1].to);
}

void traitor_acknowledge(struct duo *d)
{
    struct stt_range ranges[TRAITOR_RANGES_MAX];
    uint8_t frames[256];
    duo_swallow(d, &d->server);
    const struct stt_session *victim = traitor_session(d->server.ep, d->server.session);
    if (!victim || victim->state != STT_SESSION_OPEN)
        return;
    size_t n = traitor_ranges(victim, ranges);
    struct wr w = wr_init(frames, sizeof frames);
    ck_assert_uint_eq(stt_frame_ack_encode(&w, ranges, n, 0, NULL), n);
    traitor_say(d, wr_done(&w));
}

void traitor_require_closed(struct duo *d, uint64_t code)
{
    duo_pull(&d->server);
    const struct stt_event *e = &d->server.latest[STT_EVENT_CLOSED];
    ck_assert_uint_eq(d->server.events[STT_EVENT_CLOSED], 1);
    ck_assert_int_eq(e->reason, STT_REASON_PROTOCOL);
    ck_assert_msg(e->code == code, "closed with %s", stt_close_code_name(e->code));
    duo_run_apart(d, STT_S(5));
    ck_assert_uint_eq(d->server.ep->by_id.n, 0);
    ck_assert_uint_eq(duo_stats(&d->server).sessions, 0);
    duo_end(d);
}

void traitor_require_open(struct duo *d)
{
    duo_pull(&d->server);
    ck_assert_uint_eq(d->server.events[STT_EVENT_CLOSED], 0);
    ck_assert_str_eq(duo_info(&d->server).state, "open");
}
