/* SPDX-License-Identifier: MIT */
#include "tests/soak/post.h"

#include "stt/base/bytes.h"
#include "tests/soak/talk.h"
#include "tools/sttbench/chaos/pattern.h"

enum { HEAD_BYTES = 16, ROOM = 2048 };
enum { WAS_READ = 1, WAS_ACKED = 2, WAS_LOST = 4 };

static uint8_t data[ROOM];

static uint64_t key_of(const struct talk *t, unsigned side)
{
    return pattern_mix(t->tag, 3 + side);
}

/* -- sending ------------------------------------------------------------------------------- */

static void send_one(struct talk *t, unsigned side)
{
    struct soak *x = t->soak;
    struct post *p = &t->post[side];
    struct stt_endpoint *ep = t->host[side]->ep;
    size_t most = stt_datagram_bytes_max(ep, t->session[side]);
    uint64_t number;
    most = most < ROOM ? most : ROOM;
    soak_require(x, most >= HEAD_BYTES, "datagrams of %zu bytes at most may be sent", most);
    size_t len = rng_between(&x->rng, HEAD_BYTES, most);
    be64_store(data, key_of(t, side));
    be64_store(data + 8, p->sent);
    pattern_fill(data + HEAD_BYTES, len - HEAD_BYTES, pattern_mix(key_of(t, side), p->sent), 0);
    int error = stt_datagram_send(ep, soak_now(x), t->session[side], data, len, &number);
    soak_require(x, !error && number == p->sent, "host %u: datagram %llu: %s",
                 t->host[side]->number, (unsigned long long)p->sent, stt_error_text(error));
    p->latest[p->sent % POST_REMEMBERED].len = (uint16_t)len;
    p->latest[p->sent++ % POST_REMEMBERED].what = 0;
}

void post_send(struct talk *t, unsigned side, size_t n)
{
    while (n-- && !t->soak->failure[0])
        send_one(t, side);
    talk_touch(t, side);
}

/* -- receiving ----------------------------------------------------------------------------- */

static bool is_remembered(const struct post *p, uint64_t number)
{
    return number < p->sent && p->sent - number <= POST_REMEMBERED;
}

static void judge(struct talk *t, unsigned side, size_t len)
{
    struct post *p = &t->post[!side];
    uint64_t key = key_of(t, !side), number = len >= HEAD_BYTES ? be64_load(data + 8) : UINT64_MAX;
    bool ok = len >= HEAD_BYTES && be64_load(data) == key && is_remembered(p, number) &&
              p->latest[number % POST_REMEMBERED].len == len &&
              !(p->latest[number % POST_REMEMBERED].what & WAS_READ) &&
              pattern_agrees(data + HEAD_BYTES, len - HEAD_BYTES, pattern_mix(key, number), 0);
    if (!ok) {
        soak_fail(t->soak, "host %u reads a datagram of %zu bytes that nobody sent, or twice",
                  t->host[side]->number, len);
        return;
    }
    p->latest[number % POST_REMEMBERED].what |= WAS_READ;
    p->received++;
    t->soak->tally.datagrams++;
}

void post_read(struct talk *t, unsigned side)
{
    size_t len;
    while (!t->soak->failure[0]) {
        int error = stt_datagram_read(t->host[side]->ep, t->session[side], data, ROOM, &len);
        if (error == STT_E_AGAIN)
            return;
        soak_require(t->soak, !error, "host %u: stt_datagram_read: %s", t->host[side]->number,
                     stt_error_text(error));
        if (!error)
            judge(t, side, len);
    }
}

/* What is lost may be acknowledged later; nothing is told twice. */
void post_take_fates(struct talk *t, unsigned side)
{
    struct post *p = &t->post[side];
    struct stt_datagram_fate fate;
    while (stt_datagram_fate(t->host[side]->ep, t->session[side], &fate) == STT_OK) {
        uint8_t bit = fate.is_acked ? WAS_ACKED : WAS_LOST;
        uint8_t *what = &p->latest[fate.number % POST_REMEMBERED].what;
        if (!is_remembered(p, fate.number) || *what & (bit | WAS_ACKED)) {
            soak_fail(t->soak, "host %u hears twice, or wrongly, of the fate of datagram %llu",
                      t->host[side]->number, (unsigned long long)fate.number);
            return;
        }
        *what |= bit;
        *(fate.is_acked ? &p->acked : &p->lost) += 1;
        t->soak->tally.fates++;
    }
}
