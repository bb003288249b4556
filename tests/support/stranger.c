/* SPDX-License-Identifier: MIT */
#include "tests/support/stranger.h"

#include <string.h>

enum { MS_EACH_WAY = 5 };

static void know_server(struct stranger *s, const struct world *w)
{
    struct handshake_side *server = &s->play.responder;
    server->identity.peer_id = w->server->identity.peer_id;
    memcpy(server->own.pair.public_key, w->server->identity.static_public, 32);
    s->play.has_seed = s->play.mode == STT_MODE_S;
    memcpy(s->play.seed, w->server_config.seeds[0], sizeof s->play.seed);
}

void stranger_join(struct stranger *s, struct world *w, enum stt_mode mode, uint32_t number)
{
    static const struct stt_sim_machine deaf = {.receive = NULL};
    const struct stt_link_config link = {.delay_ns = STT_MS(MS_EACH_WAY)};
    stt_sim_node node;
    memset(s, 0, sizeof *s);
    s->sim = w->sim;
    s->rng = rng_init(w->seed * 1000 + number);
    s->address = stt_sim_ipv4(number, WORLD_PORT);
    s->server = stt_sim_address(w->sim, w->server->node);
    ck_assert_int_eq(stt_sim_machine_add(w->sim, &deaf, NULL, &s->address, &node), STT_OK);
    struct stt_sim_pair links = stt_sim_pair(w->sim, node, w->server->node, &link);
    tap_on(&s->heard, w->sim, links.back);
    handshake_play_init(&s->play, mode, rng_u64(&s->rng));
    know_server(s, w);
}

void stranger_hear_code(struct stranger *s, const char *code)
{
    struct stt_code *own = &s->play.initiator.code;
    ck_assert_int_eq(stt_code_read(own, bytes_of(code, strlen(code))), STT_OK);
}

void stranger_begin(struct stranger *s)
{
    struct handshake_side *own = &s->play.initiator;
    rng_fill(&s->rng, (uint8_t *)&own->entropy, sizeof own->entropy);
    rng_fill(&s->rng, own->id.bytes, sizeof own->id.bytes);
    ck_assert(handshake_begin(&s->play, NULL));
}

void stranger_put_mac1(struct stranger *s)
{
    struct stt_handshake *hs = &s->play.initiator.hs;
    handshake_put_mac1(&s->play, hs->kind, hs->packet, hs->packet_len);
    memset(hs->packet + hs->packet_len - STT_MAC_BYTES, 0, STT_MAC_BYTES);
}

bool stranger_take_cookie(struct stranger *s)
{
    const struct stt_handshake *hs = &s->play.initiator.hs;
    const struct tap_copy *came = &s->heard.kept[STT_PACKET_COOKIE_REPLY];
    struct packet_cookie_reply reply;
    uint8_t key[STT_COOKIE_KEY_BYTES];
    struct stt_mac_base base = stt_handshake_mac_base(&s->play.responder.own, s->play.mode,
                                                      s->play.has_seed ? s->play.seed : NULL);
    stt_cookie_key(key, &base);
    return stt_packet_cookie_reply_decode(bytes_of(came->data, came->len), &reply) &&
           stt_cookie_open(s->cookie, key, reply.nonce, hs->packet + hs->packet_len - 32,
                           reply.sealed_cookie);
}

void stranger_put_mac2(struct stranger *s)
{
    struct stt_handshake *hs = &s->play.initiator.hs;
    struct bytes before = bytes_of(hs->packet, hs->packet_len - (size_t)STT_MAC_BYTES);
    stt_mac(hs->packet + before.len, s->cookie, before);
}

void stranger_send_from(struct stranger *s, const struct stt_address *from)
{
    struct stt_handshake *hs = &s->play.initiator.hs;
    struct stt_sim_datagram d = {.from = *from,
                                 .to = s->server,
                                 .data = hs->packet,
                                 .len = hs->packet_len,
                                 .room = sizeof hs->packet};
    stt_sim_inject(s->sim, &d);
}

void stranger_send(struct stranger *s)
{
    stranger_send_from(s, &s->address);
}
