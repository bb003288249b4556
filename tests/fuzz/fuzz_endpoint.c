/* SPDX-License-Identifier: MIT
 * Two endpoints, a network that does what the input says, hosts that call what it says, and peers
 * that seal what it says with the keys of their sessions. Input: operations of kind 1, argument 1
 * and, for some, bytes behind a length of 1.
 *
 * At any time: tables and counters agree, every session has something to wait for, hosts are told
 * of each session in a sensible order. At the end, when nothing arrives any more: every session
 * ends, and nothing is left. */
#include "stt/session/engine.h"
#include "stt/stats.h"
#include "tests/support/duo.h"
#include "tests/support/fuzz.h"
#include "tests/support/traitor.h"

enum { PACKETS_MAX = 256, PACKET_ROOM = 1500, KNOWN_MAX = 64, OPERATIONS_MAX = 2000 };

struct packet {
    uint8_t data[PACKET_ROOM];
    size_t len;
    struct duo_side *from;
    bool is_for_peer;
};

/* What a host knows of its sessions. */
enum told { CONNECTING, LIVE, ENDED };

struct host {
    size_t n;
    struct {
        stt_handle session;
        enum told told;
    } at[KNOWN_MAX];
};

static struct duo duo;
static struct host hosts[2];
static struct packet packets[PACKETS_MAX];
static size_t n_packets;
static char code[STT_CODE_TEXT_MAX];

static struct duo_side *side(unsigned i)
{
    return i & 1 ? &duo.server : &duo.client;
}

static struct host *host_of(const struct duo_side *s)
{
    return &hosts[s == &duo.server];
}

/* -- what must hold at any time ---------------------------------------------------------------- */

static void check_tables(const struct stt_endpoint *ep)
{
    uint32_t n = 0, half_open = 0, handshakes = 0, ids = 0;
    for (struct stt_list *l = ep->all.next; l != &ep->all; l = l->next, n++) {
        const struct stt_session *s = STT_LIST_ENTRY(l, struct stt_session, all);
        half_open += s->is_half_open;
        handshakes += s->handshake != NULL;
        for (int i = 0; i < STT_SESSION_IDS_MAX; i++) {
            if (!s->ids.own[i].used)
                continue;
            ids++;
            FUZZ_ASSERT(stt_map_find(&ep->by_id, s->ids.own[i].id.bytes) ==
                        stt_slab_id(&ep->sessions, s));
        }
        FUZZ_ASSERT(s->state == STT_SESSION_CLOSED || s->timer.at != STT_NEVER ||
                    stt_list_is_linked(&s->ready));
        FUZZ_ASSERT(s->state != STT_SESSION_CLOSED || (s->is_reported && !s->is_gone));
    }
    FUZZ_ASSERT(n == ep->sessions.in_use && half_open == ep->n_half_open);
    FUZZ_ASSERT(handshakes == ep->n_handshakes && ids == ep->by_id.n);
    FUZZ_ASSERT(ep->answered.n <= half_open && ep->counts.map.n <= 3 * half_open);
}

static void learn(struct host *h, stt_handle session, enum told told)
{
    for (size_t i = 0; i < h->n; i++)
        FUZZ_ASSERT(h->at[i].session != session);
    if (h->n == KNOWN_MAX)
        memmove(h->at, h->at + 1, --h->n * sizeof h->at[0]);
    h->at[h->n].session = session;
    h->at[h->n++].told = told;
}

static void hear(struct duo_side *s, const struct stt_event *e)
{
    struct host *h = host_of(s);
    struct stt_session_info info;
    if (e->type == STT_EVENT_ACCEPTED) {
        learn(h, e->session, LIVE);
        return;
    }
    for (size_t i = 0; i < h->n; i++) {
        if (h->at[i].session != e->session)
            continue;
        FUZZ_ASSERT(h->at[i].told == (e->type == STT_EVENT_CONNECTED ? CONNECTING : LIVE) ||
                    (e->type == STT_EVENT_CLOSED && h->at[i].told == CONNECTING));
        h->at[i].told = e->type == STT_EVENT_CLOSED ? ENDED : LIVE;
    }
    if (e->type == STT_EVENT_CLOSED)
        FUZZ_ASSERT(stt_session_info(s->ep, e->session, &info) == STT_OK);
}

static void pull(struct duo_side *s)
{
    for (struct stt_event e; stt_endpoint_event(s->ep, &e);)
        if (e.session)
            hear(s, &e);
    for (size_t i = 0; i < host_of(s)->n; i++) {
        struct stt_session_info info;
        FUZZ_ASSERT(host_of(s)->at[i].told != ENDED ||
                    stt_session_info(s->ep, host_of(s)->at[i].session, &info) == STT_E_STALE);
    }
}

/* -- the network ------------------------------------------------------------------------------- */

static void collect(struct duo_side *from)
{
    uint8_t room[DUO_ROOM];
    struct stt_train train;
    for (int i = 0; duo_transmit(&duo, from, room, &train); i++) {
        FUZZ_ASSERT(i < 10000);
        FUZZ_ASSERT(train.len <= PACKET_ROOM && train.len == train.segment_bytes);
        if (n_packets == PACKETS_MAX)
            continue;
        struct packet *p = &packets[n_packets++];
        memcpy(p->data, room, train.len);
        p->len = train.len;
        p->from = from;
        p->is_for_peer = train.path.remote.port == duo_other(&duo, from)->address.port;
    }
}

static void forget(size_t i)
{
    packets[i] = packets[--n_packets];
}

static struct stt_address elsewhere(uint8_t b)
{
    return (struct stt_address){.ip = {[10] = 0xff, 0xff, 10, 9, 9, b & 3}, .port = 7};
}

enum how { WHOLE, AGAIN, DAMAGED, FROM_ELSEWHERE, BACK, CUT, HOWS };

static void deliver(enum how how, uint8_t which, uint8_t b)
{
    if (!n_packets)
        return;
    size_t i = which % n_packets;
    struct packet *p = &packets[i];
    struct stt_address from = how == FROM_ELSEWHERE ? elsewhere(b) : p->from->address;
    struct duo_side *to = how == BACK ? p->from : duo_other(&duo, p->from);
    if (how == DAMAGED && p->len)
        p->data[b * p->len / 256] ^= (uint8_t)(1u << b % 8);
    if (how == CUT)
        p->len = p->len * b / 256;
    if (p->is_for_peer)
        duo_deliver_bytes(&duo, to, &from, p->data, p->len);
    if (how != AGAIN)
        forget(i);
}

/* Several packets as one train, as far as their lengths allow. */
static void deliver_train(uint8_t which)
{
    static uint8_t data[STT_TRAIN_BYTES];
    if (!n_packets)
        return;
    const struct packet *first = &packets[which % n_packets];
    struct stt_train train = {.data = data, .segment_bytes = first->len};
    for (size_t i = 0; i < n_packets && train.len < 40000; i++) {
        const struct packet *p = &packets[(which + i) % n_packets];
        if (p->from != first->from || p->len > first->len || !p->len)
            continue;
        memcpy(data + train.len, p->data, p->len);
        train.len += p->len;
        if (p->len < first->len)
            break;
    }
    if (train.segment_bytes)
        duo_deliver(&duo, duo_other(&duo, first->from), NULL, &train);
}

/* -- hosts ------------------------------------------------------------------------------------- */

static stt_handle any_session(struct duo_side *s, uint8_t b)
{
    const struct host *h = host_of(s);
    return h->n ? h->at[b % h->n].session : b;
}

static void connect_to_peer(struct duo_side *s, uint8_t b)
{
    struct stt_connect c = STT_CONNECT_INIT;
    const struct duo_side *peer = duo_other(&duo, s);
    stt_handle session;
    c.mode = (enum stt_mode)(1 + b % 3);
    c.path.remote = peer->address;
    c.peer = peer->config.identity.peer_id;
    c.has_peer = c.mode == STT_MODE_K || b & 0x10;
    memcpy(c.seed, peer->config.seeds[0], sizeof c.seed);
    c.has_seed = c.mode == STT_MODE_S || (c.mode == STT_MODE_K && b & 0x20);
    c.code = c.mode == STT_MODE_W && code[0] ? code : NULL;
    c.exclusive = b & 0x40;
    if (s->ep->sessions.in_use < 64 && stt_endpoint_connect(s->ep, duo.now, &c, &session) == STT_OK)
        learn(host_of(s), session, CONNECTING);
}

static void arm_code(struct duo_side *s, uint8_t b)
{
    uint32_t slot;
    if (b & 0x80 && code[0]) /* what somebody mistypes */
        code[strlen(code) - 1] = code[strlen(code) - 1] == 'a' ? 'b' : 'a';
    else if (stt_endpoint_code_new(s->ep, duo.now, code, &slot) != STT_OK)
        code[0] = 0;
}

/* What held a session back adds up to its age, whatever happened to it. */
static void check_account(const struct stt_endpoint *ep, stt_handle session)
{
    struct stt_session_stats stats;
    if (stt_session_stats(ep, duo.now, session, &stats) != STT_OK)
        return;
    uint64_t sum = 0;
#define ROW(X, upper, name, words) sum += stats.held_by_##name##_ns;
    STT_HELD_BY(ROW, )
#undef ROW
    FUZZ_ASSERT(sum == stats.age_ns);
    FUZZ_ASSERT(stats.packets_spurious <= stats.packets_lost);
}

static void call(struct duo_side *s, uint8_t what, uint8_t b)
{
    struct stt_session_info info;
    stt_handle session = any_session(s, b >> 3);
    switch (what % 8) {
    case 0:
    case 1:
        connect_to_peer(s, b);
        break;
    case 2:
        (void)stt_session_close(s->ep, duo.now, session, b, b & 1 ? "some words" : NULL);
        break;
    case 3:
        (void)stt_session_ping(s->ep, duo.now, session);
        break;
    case 4:
        (void)stt_session_update_keys(s->ep, duo.now, session);
        break;
    case 5:
        (void)!stt_session_info(s->ep, session, &info);
        check_account(s->ep, session);
        break;
    case 6:
        arm_code(s, b);
        break;
    default:
        pull(s);
    }
}

static void betray(struct duo_side *s, uint8_t b, struct bytes frames)
{
    struct stt_session *x = traitor_session(s->ep, any_session(s, b));
    if (!x || !x->protect || x->state > STT_SESSION_OPEN || n_packets == PACKETS_MAX)
        return;
    struct packet *p = &packets[n_packets++];
    *p = (struct packet){.from = s, .is_for_peer = true};
    p->len = traitor_seal(x, frames, p->data);
}

static void break_machine(struct duo_side *s, uint8_t b)
{
    s->te.fail_from = b & 1 ? s->te.allocs + 1 + (b >> 4) : 0;
    s->te.entropy_fails = (b & 6) == 6;
}

static void pass_time(uint8_t b)
{
    duo.now += b < 0xc0 ? STT_MS(b) : STT_MS(250) * (b - 0xbfu);
    stt_endpoint_expire(duo.client.ep, duo.now);
    stt_endpoint_expire(duo.server.ep, duo.now);
}

/* -- a life ------------------------------------------------------------------------------------ */

static void operate(struct rd *input)
{
    uint8_t kind = rd_u8(input), a = rd_u8(input);
    struct duo_side *s = side(kind >> 7);
    switch (kind & 0x0f) {
    case 0:
    case 1:
    case 2:
        deliver(WHOLE, a, 0);
        break;
    case 3:
        deliver((enum how)(1 + a % (HOWS - 1)), a, rd_u8(input));
        break;
    case 4:
        deliver_train(a);
        break;
    case 5:
    case 6:
        pass_time(a);
        break;
    case 7:
        break_machine(s, a);
        break;
    case 8:
    case 9:
        betray(s, a, rd_bytes(input, rd_u8(input)));
        break;
    default:
        call(s, kind >> 4 & 7, a);
    }
}

/* Nothing arrives any more, and the machines are whole again. */
static void wait_for_the_end(void)
{
    for (unsigned i = 0; i < 2; i++) {
        side(i)->te.fail_from = 0;
        side(i)->te.entropy_fails = false;
    }
    duo_run_apart(&duo, STT_S(700)); /* a code's life is the longest */
    for (unsigned i = 0; i < 2; i++) {
        struct stt_endpoint *ep = side(i)->ep;
        check_tables(ep);
        FUZZ_ASSERT(ep->sessions.in_use == 0 && ep->by_id.n == 0 && ep->answered.n == 0);
        FUZZ_ASSERT(ep->exclusive_in.n == 0 && ep->exclusive_out.n == 0 && ep->counts.map.n == 0);
        FUZZ_ASSERT(stt_endpoint_deadline(ep) == STT_NEVER);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd input = rd_init(bytes_of(data, size));
    n_packets = 0;
    code[0] = 0;
    memset(hosts, 0, sizeof hosts);
    duo_init(&duo, 1);
    duo_start(&duo);
    for (int i = 0; rd_left(&input) && i < OPERATIONS_MAX; i++) {
        operate(&input);
        collect(&duo.client);
        collect(&duo.server);
        check_tables(duo.client.ep);
        check_tables(duo.server.ep);
    }
    pull(&duo.client);
    pull(&duo.server);
    wait_for_the_end();
    duo_end(&duo);
    return 0;
}
