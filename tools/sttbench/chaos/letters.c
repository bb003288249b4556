/* SPDX-License-Identifier: MIT
 * letters: owns which datagrams of one side are under way, and what has become of them. */
#include "tools/sttbench/chaos/letters.h"

#include "stt/base/bytes.h"
#include "tools/sttbench/chaos/host.h"
#include "tools/sttbench/chaos/pattern.h"
#include "tools/sttbench/chaos/talk.h"

#include <assert.h>
#include <stdlib.h>

enum { HEAD_BYTES = 16, ROOM = STT_TRAIN_BYTES, EMPTY_IN_100 = 3, AT_ONCE_MAX = 10 };
enum { WAS_READ = 1, WAS_ACKED = 2, WAS_LOST = 4 };

static uint8_t data[ROOM];

void letters_free(struct letters *l)
{
    free(l->what);
}

static uint64_t key_of(const struct talk *t)
{
    return pattern_mix(t->tag, t->is_initiator ? 3 : 4);
}

/* -- sending ------------------------------------------------------------------------------- */

static void want_fates(struct talk *t)
{
    struct host *h = t->host;
    struct stt_datagram_options o = STT_DATAGRAM_OPTIONS_INIT;
    o.wants_fates = true;
    o.urgency = (uint8_t)dice_below(&h->chaos->rng, 8);
    int error = stt_datagram_configure(h->ep, host_now(h), t->session, &o);
    chaos_require(h->chaos, !error || talk_explains(t, error),
                  "host %u: stt_datagram_configure: %s", h->number, stt_error_text(error));
    t->letters.wants_fates = t->letters.wants_fates || !error;
}

/* False: no more now. */
static bool send_one(struct talk *t)
{
    struct host *h = t->host;
    struct letters *l = &t->letters;
    size_t most = stt_datagram_bytes_max(h->ep, t->session);
    uint64_t number;
    if (most < HEAD_BYTES)
        return false;
    size_t len = chaos_chance(h->chaos, EMPTY_IN_100) ? 0
                 : chaos_chance(h->chaos, 20)         ? most
                                              : dice_between(&h->chaos->rng, HEAD_BYTES, most);
    be64_store(data, key_of(t));
    be64_store(data + 8, l->sent);
    if (len > HEAD_BYTES)
        pattern_fill(data + HEAD_BYTES, len - HEAD_BYTES, pattern_mix(key_of(t), l->sent), 0);
    int error = stt_datagram_send(h->ep, host_now(h), t->session, data, len, &number);
    if (error) {
        chaos_require(h->chaos, error == STT_E_MEMORY || talk_explains(t, error),
                      "host %u: stt_datagram_send: %s", h->number, stt_error_text(error));
        return false;
    }
    chaos_require(h->chaos, number == l->sent, "host %u: datagram %llu is numbered %llu", h->number,
                  (unsigned long long)l->sent, (unsigned long long)number);
    l->what = realloc(l->what, (size_t)l->sent + 1);
    assert(l->what);
    l->what[l->sent++] = 0;
    l->sent_empty += len == 0;
    return true;
}

void letters_act(struct talk *t)
{
    struct chaos *c = t->host->chaos;
    if (!chaos_may(c, CHAOS_DATAGRAMS, 15))
        return;
    if (!t->letters.wants_fates && chaos_chance(c, 50))
        want_fates(t);
    for (uint64_t n = dice_below(&c->rng, AT_ONCE_MAX); n && talk_is_alive(t) && send_one(t); n--)
        ;
}

/* -- reading ------------------------------------------------------------------------------- */

static void judge_empty(struct talk *t)
{
    struct letters *from = &talk_other(t)->letters;
    chaos_require(t->host->chaos, ++from->read_empty <= from->sent_empty,
                  "host %u reads an empty datagram that nobody sent", t->host->number);
}

static void judge(struct talk *t, size_t len)
{
    struct chaos *c = t->host->chaos;
    struct talk *other = talk_other(t);
    c->tally.datagrams++;
    chaos_note(c, len);
    if (other && !len) {
        judge_empty(t);
        return;
    }
    uint64_t number = len >= HEAD_BYTES ? be64_load(data + 8) : UINT64_MAX;
    if (!other || len < HEAD_BYTES || be64_load(data) != key_of(other) ||
        number >= other->letters.sent ||
        !pattern_agrees(data + HEAD_BYTES, len - HEAD_BYTES, pattern_mix(key_of(other), number),
                        0)) {
        chaos_fail(c, "host %u reads a datagram of %zu bytes that nobody sent", t->host->number,
                   len);
        return;
    }
    chaos_require(c, !(other->letters.what[number] & WAS_READ), "host %u reads datagram %llu twice",
                  t->host->number, (unsigned long long)number);
    other->letters.what[number] |= WAS_READ;
}

/* False: there is none. */
static bool read_in_place(struct talk *t)
{
    struct stt_part parts[STT_DATAGRAM_PARTS];
    size_t n, len = 0;
    if (stt_datagram_peek(t->host->ep, t->session, parts, &n) != STT_OK)
        return false;
    for (size_t i = 0; i < n; len += parts[i++].len)
        memcpy(data + len, parts[i].data, parts[i].len);
    judge(t, len);
    int error = stt_datagram_consume(t->host->ep, t->session);
    chaos_require(t->host->chaos, !error, "host %u: stt_datagram_consume: %s", t->host->number,
                  stt_error_text(error));
    return !error;
}

static bool read_copy(struct talk *t)
{
    size_t len;
    int error = stt_datagram_read(t->host->ep, t->session, data, ROOM, &len);
    chaos_require(t->host->chaos, !error || error == STT_E_AGAIN || error == STT_E_STALE,
                  "host %u: stt_datagram_read: %s", t->host->number, stt_error_text(error));
    if (!error)
        judge(t, len);
    return !error;
}

void letters_read(struct talk *t)
{
    bool in_place = chaos_chance(t->host->chaos, 30);
    while (!chaos_has_failed(t->host->chaos) && (in_place ? read_in_place(t) : read_copy(t)))
        ;
}

/* -- fates --------------------------------------------------------------------------------- */

/* What is acknowledged was received there, unless the peer lacked memory for it. */
static void judge_acked(struct talk *t)
{
    const struct talk *other = talk_other(t);
    struct stt_datagram_info info;
    if (!other || !talk_is_whole(t) || other->host->lacked_memory ||
        stt_datagram_info(other->host->ep, other->session, &info) != STT_OK)
        return;
    chaos_require(t->host->chaos, t->letters.acked <= info.received,
                  "host %u: %llu datagrams are acknowledged, and the peer received %llu",
                  t->host->number, (unsigned long long)t->letters.acked,
                  (unsigned long long)info.received);
}

void letters_take_fates(struct talk *t)
{
    struct chaos *c = t->host->chaos;
    struct letters *l = &t->letters;
    struct stt_datagram_fate fate;
    while (!chaos_has_failed(c) && stt_datagram_fate(t->host->ep, t->session, &fate) == STT_OK) {
        uint8_t bit = fate.is_acked ? WAS_ACKED : WAS_LOST;
        if (fate.number >= l->sent || l->what[fate.number] & (bit | WAS_ACKED)) {
            chaos_fail(c, "host %u hears twice, or wrongly, of the fate of datagram %llu",
                       t->host->number, (unsigned long long)fate.number);
            return;
        }
        l->what[fate.number] |= bit;
        l->acked += fate.is_acked;
        *(fate.is_acked ? &c->tally.fates_acked : &c->tally.fates_lost) += 1;
    }
    judge_acked(t);
}
