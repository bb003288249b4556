/* SPDX-License-Identifier: MIT
 * Properties of the handshakes in every mode. That they are those of the spec, byte for byte, is in
 * test_handshake_vectors.c. */
#include "stt/session/handshake.h"

#include "crypto/cpu.h"
#include "tests/support/handshakes.h"
#include "tests/support/suite.h"

#include <stdlib.h>

enum { MESSAGES = 3 };

static struct handshake_play play;

/* -- properties, in every mode ----------------------------------------------------------------- */

static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};

#define EACH_MODE(name)    LOOP(name, 0, 3)
#define EACH_MESSAGE(name) LOOP(name, 0, 9)

static unsigned messages_in(enum stt_mode mode)
{
    return mode == STT_MODE_K ? 2 : 3;
}

static void start(int i)
{
    stt_cpu_detect();
    handshake_play_init(&play, modes[i], 1);
}

/* A copy of message _i % 3 + 1 of mode _i / 3, about to arrive; false where there is none. */
static bool about_to_arrive(int i, unsigned *number, uint8_t out[STT_HANDSHAKE_BYTES], size_t *len)
{
    *number = (unsigned)i % MESSAGES + 1;
    start(i / MESSAGES);
    if (*number > messages_in(play.mode))
        return false;
    struct bytes packet = handshake_run(&play, *number);
    *len = packet.len;
    memcpy(out, packet.data, packet.len);
    return true;
}

/* A wrong code is a refusal, too. */
static bool is_refused(unsigned number, struct bytes datagram)
{
    return handshake_receive(&play, number, datagram) != STT_HANDSHAKE_OK;
}

START_TEST(a_handshake_succeeds)
{
    uint8_t datagram[STT_HANDSHAKE_BYTES];
    struct stt_noise_keys a, b;
    size_t len;
    unsigned number = messages_in(modes[_i]);
    ck_assert(about_to_arrive(_i * MESSAGES + (int)number - 1, &number, datagram, &len));
    ck_assert(!stt_handshake_finish(number == 2 ? &play.initiator.hs : &play.responder.hs, &a));
    ck_assert_int_eq(handshake_receive(&play, number, bytes_of(datagram, len)), STT_HANDSHAKE_OK);
    ck_assert(stt_handshake_finish(&play.initiator.hs, &a));
    ck_assert(stt_handshake_finish(&play.responder.hs, &b));
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert(play.mode != STT_MODE_W || play.responder.hs.slot == play.initiator.code.slot);
}
END_TEST

START_TEST(every_flipped_bit_of_a_message_is_refused_by_its_mac1)
{
    uint8_t d[STT_HANDSHAKE_BYTES];
    unsigned number;
    size_t len;
    if (!about_to_arrive(_i, &number, d, &len))
        return;
    size_t judged = number == 2 ? len : len - STT_MAC_BYTES; /* mac2 is admission's to judge */
    for (size_t bit = 0; bit < 8 * judged; bit++) {
        d[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(handshake_receive(&play, number, bytes_of(d, len)), STT_HANDSHAKE_DROP);
        d[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(handshake_receive(&play, number, bytes_of(d, len)), STT_HANDSHAKE_OK);
}
END_TEST

START_TEST(every_flipped_bit_of_a_message_is_refused_behind_a_valid_mac1)
{
    uint8_t d[STT_HANDSHAKE_BYTES], keep[STT_MAC_BYTES];
    unsigned number;
    size_t len;
    if (!about_to_arrive(_i, &number, d, &len))
        return;
    struct stt_handshake *to = number == 2 ? &play.initiator.hs : &play.responder.hs;
    struct stt_handshake before = *to;
    size_t mac1_at = len - (number == 2 ? 16 : 32);
    memcpy(keep, d + mac1_at, sizeof keep);
    for (size_t bit = 0; bit < 8 * mac1_at; bit++) {
        d[bit / 8] ^= (uint8_t)(1u << bit % 8);
        handshake_put_mac1(&play, number, d, len);
        ck_assert(is_refused(number, bytes_of(d, len)));
        d[bit / 8] ^= (uint8_t)(1u << bit % 8);
        *to = before; /* W: it may be spent */
    }
    memcpy(d + mac1_at, keep, sizeof keep);
    ck_assert(!is_refused(number, bytes_of(d, len)));
}
END_TEST

START_TEST(every_prefix_of_a_message_is_refused)
{
    uint8_t d[STT_HANDSHAKE_BYTES];
    unsigned number;
    size_t len;
    if (!about_to_arrive(_i, &number, d, &len))
        return;
    for (size_t n = 0; n < len; n++) {
        uint8_t *cut = malloc(n ? n : 1); /* so that a byte read too far is seen */
        memcpy(cut, d, n);
        ck_assert(is_refused(number, bytes_of(cut, n)));
        free(cut);
    }
    ck_assert(!is_refused(number, bytes_of(d, len)));
}
END_TEST

START_TEST(a_forged_message_leaves_its_receiver_as_it_was)
{
    uint8_t d[STT_HANDSHAKE_BYTES];
    unsigned number;
    size_t len;
    if (!about_to_arrive(_i, &number, d, &len) || number == 1)
        return;
    struct stt_handshake *to = number == 2 ? &play.initiator.hs : &play.responder.hs;
    size_t noise_at = number == 2 ? 20 : 12, mac1_at = len - (number == 2 ? 16 : 32);
    for (size_t at = noise_at; at < mac1_at; at += 5) {
        struct stt_handshake before = *to;
        d[at] ^= 1;
        handshake_put_mac1(&play, number, d, len);
        ck_assert(is_refused(number, bytes_of(d, len)));
        ck_assert(handshake_is_unchanged(to, &before));
        d[at] ^= 1;
    }
    handshake_put_mac1(&play, number, d, len);
    ck_assert(!is_refused(number, bytes_of(d, len)));
}
END_TEST

START_TEST(a_message_from_another_network_is_refused)
{
    uint8_t d[STT_HANDSHAKE_BYTES];
    unsigned number;
    size_t len;
    start(_i);
    play.initiator.own.network = BYTES_TEXT("elsewhere");
    ck_assert(handshake_begin(&play, NULL));
    len = play.initiator.hs.packet_len;
    memcpy(d, play.initiator.hs.packet, len);
    ck_assert(is_refused(1, bytes_of(d, len)));
    ck_assert(about_to_arrive(_i * MESSAGES, &number, d, &len));
    ck_assert(!is_refused(1, bytes_of(d, len)));
}
END_TEST

START_TEST(a_message_with_another_seed_is_refused_by_its_mac1)
{
    start(_i);
    if (!play.has_seed)
        return;
    struct bytes first = handshake_run(&play, 1);
    play.seed[31] ^= 1;
    struct stt_mac_base base = stt_handshake_mac_base(&play.responder.own, play.mode, play.seed);
    uint8_t key[STT_MAC_KEY_BYTES];
    struct bytes before = stt_packet_before_mac1(STT_PACKET_MESSAGE_1, first);
    stt_mac1_key(key, &base, 1);
    ck_assert(!stt_mac_verify(first.data + before.len, key, before));
    ck_assert_int_eq(handshake_answer(&play, first), STT_HANDSHAKE_DROP);

    /* and behind a valid one by the psk */
    uint8_t d[STT_HANDSHAKE_BYTES];
    memcpy(d, first.data, first.len);
    handshake_put_mac1(&play, 1, d, first.len);
    if (play.mode == STT_MODE_S) {
        ck_assert_int_eq(handshake_answer(&play, bytes_of(d, first.len)), STT_HANDSHAKE_DROP);
    } else {
        ck_assert_int_eq(handshake_answer(&play, bytes_of(d, first.len)), STT_HANDSHAKE_OK);
        play.seed[31] ^= 1;
        struct bytes second = handshake_packet(&play.responder);
        memcpy(d, second.data, second.len);
        handshake_put_mac1(&play, 2, d, second.len);
        ck_assert_int_eq(handshake_read_2(&play, bytes_of(d, second.len)), STT_HANDSHAKE_DROP);
    }
}
END_TEST

START_TEST(what_a_mode_needs_to_know_must_be_there)
{
    start(_i);
    struct handshake_side *i = &play.initiator;
    struct stt_handshake_begin begin = {.mode = play.mode,
                                        .initiator = i->id,
                                        .peer_static = play.responder.own.pair.public_key,
                                        .seed = play.seed,
                                        .code = &i->code};
    ck_assert(stt_handshake_begin(&i->hs, &i->own, &begin, &i->entropy));
    const uint8_t low_order[32] = {1};
    switch (play.mode) {
    case STT_MODE_K:
        begin.peer_static = low_order;
        ck_assert(!stt_handshake_begin(&i->hs, &i->own, &begin, &i->entropy));
        begin.peer_static = NULL;
        break;
    case STT_MODE_S:
        begin.seed = NULL;
        break;
    default:
        begin.code = NULL;
    }
    ck_assert(!stt_handshake_begin(&i->hs, &i->own, &begin, &i->entropy));
}
END_TEST

START_TEST(a_seed_plays_no_part_in_a_code)
{
    start(2);
    uint8_t without[STT_HANDSHAKE_BYTES];
    memcpy(without, handshake_run(&play, 1).data, sizeof without);
    play.has_seed = true;
    ck_assert(handshake_begin(&play, NULL));
    ck_assert_mem_eq(play.initiator.hs.packet, without, sizeof without);
}
END_TEST

START_TEST(a_responder_of_seeds_answers_nobody_without_one)
{
    start(1);
    struct packet_message_1 m;
    struct rd r;
    struct stt_handshake_open open = {.responder = play.responder.id,
                                      .entropy = &play.responder.entropy};
    ck_assert(stt_packet_message_1_decode(handshake_run(&play, 1), &m));
    ck_assert(!stt_handshake_open_1(&play.responder.hs, &play.responder.own, &open, &m, &r));
}
END_TEST

/* -- peers ------------------------------------------------------------------------------------- */

static enum stt_handshake_verdict answered_under_pin(const struct stt_peer_id *pin)
{
    ck_assert(handshake_begin(&play, pin));
    ck_assert_int_eq(handshake_answer(&play, handshake_packet(&play.initiator)), STT_HANDSHAKE_OK);
    return handshake_read_2(&play, handshake_packet(&play.responder));
}

START_TEST(a_pinned_peer_that_is_another_ends_it_before_message_3)
{
    start(1);
    struct stt_peer_id pin = play.responder.identity.peer_id;
    ck_assert_int_eq(answered_under_pin(&pin), STT_HANDSHAKE_OK);
    pin.bytes[31] ^= 0x80; /* the negative: the same image, another peer */
    ck_assert_int_eq(answered_under_pin(&pin), STT_HANDSHAKE_OTHER_PEER);
    ck_assert_int_eq(play.initiator.hs.packet[0], 0x92);
    ck_assert_int_eq(handshake_read_2(&play, handshake_packet(&play.responder)),
                     STT_HANDSHAKE_DROP);
    ck_assert_int_eq(answered_under_pin(&play.initiator.identity.peer_id),
                     STT_HANDSHAKE_OTHER_PEER);
}
END_TEST

START_TEST(ones_own_message_that_comes_back_is_refused)
{
    start(_i);
    uint8_t d[STT_HANDSHAKE_BYTES];
    struct packet_message_1 m;
    struct wr w = wr_init(d, sizeof d);
    struct bytes first = handshake_run(&play, 1);
    ck_assert(stt_packet_message_1_decode(first, &m));
    ck_assert(stt_packet_message_2_encode(&w, &(struct packet_message_2){.mode = play.mode,
                                                                         .initiator = m.initiator,
                                                                         .responder = m.initiator,
                                                                         .noise = m.noise}));
    handshake_put_mac1(&play, 2, d, wr_len(&w));
    ck_assert_int_eq(handshake_read_2(&play, wr_done(&w)), STT_HANDSHAKE_DROP);
}
END_TEST

START_TEST(a_group_member_that_is_oneself_is_refused)
{
    start(1);
    handshake_side_init(&play.responder, play.initiator.identity.secret);
    ck_assert(handshake_begin(&play, NULL));
    ck_assert_int_eq(handshake_answer(&play, handshake_packet(&play.initiator)), STT_HANDSHAKE_OK);
    ck_assert_int_eq(handshake_read_2(&play, handshake_packet(&play.responder)),
                     STT_HANDSHAKE_DROP);
}
END_TEST

START_TEST(a_second_answer_is_not_taken)
{
    start(_i);
    struct bytes second = handshake_run(&play, 2);
    ck_assert_int_eq(handshake_read_2(&play, second), STT_HANDSHAKE_OK);
    struct stt_handshake before = play.initiator.hs;
    ck_assert_int_eq(handshake_read_2(&play, second), STT_HANDSHAKE_DROP);
    ck_assert_mem_eq(&before, &play.initiator.hs, sizeof before);
}
END_TEST

START_TEST(no_common_suite_is_silence)
{
    start(_i);
    play.responder.own.suites[0] = handshake_suite(STT_AEAD_AEGIS_128L);
    ck_assert(handshake_begin(&play, NULL));
    ck_assert_int_eq(handshake_answer(&play, handshake_packet(&play.initiator)),
                     STT_HANDSHAKE_DROP);
}
END_TEST

START_TEST(the_responder_says_which_suite)
{
    start(_i);
    struct stt_handshake_own *i = &play.initiator.own, *r = &play.responder.own;
    i->suites[1] = i->suites[0];
    i->suites[0] = r->suites[1] = handshake_suite(STT_AEAD_AEGIS_128X2);
    i->n_suites = r->n_suites = 2;
    struct bytes second = handshake_run(&play, 2);
    ck_assert_int_eq(handshake_read_2(&play, second), STT_HANDSHAKE_OK);
    ck_assert_int_eq(play.initiator.hs.suite->id, STT_AEAD_CHACHA20_POLY1305);
    ck_assert_ptr_eq(play.initiator.hs.suite, play.responder.hs.suite);
}
END_TEST

START_TEST(only_who_asks_for_it_is_exclusive)
{
    start(0);
    struct handshake_side *i = &play.initiator;
    for (int asks = 0; asks < 2; asks++) {
        struct stt_handshake_begin begin = {.mode = STT_MODE_K,
                                            .initiator = i->id,
                                            .peer_static = play.responder.own.pair.public_key,
                                            .seed = play.seed,
                                            .exclusive = asks};
        ck_assert(stt_handshake_begin(&i->hs, &i->own, &begin, &i->entropy));
        ck_assert_int_eq(handshake_answer(&play, handshake_packet(i)), STT_HANDSHAKE_OK);
        ck_assert_int_eq(play.responder.hs.params.exclusive, asks);
        ck_assert_int_eq(handshake_read_2(&play, handshake_packet(&play.responder)),
                         STT_HANDSHAKE_OK);
        ck_assert(!i->hs.params.exclusive);
    }
}
END_TEST

START_TEST(another_application_is_told_and_not_judged)
{
    start(_i);
    play.responder.own.transport.application = BYTES_TEXT("test/2");
    for (unsigned number = 2; number <= messages_in(play.mode); number++)
        ck_assert_int_eq(handshake_receive(&play, number, handshake_run(&play, number)),
                         STT_HANDSHAKE_OK);
    ck_assert(!play.initiator.hs.params.same_application);
    ck_assert(!play.responder.hs.params.same_application);
}
END_TEST

/* -- cookies ----------------------------------------------------------------------------------- */

static const struct stt_cookie_source somewhere = {.address = {1, 2, 3}, .port = 4};
static const uint8_t cookie_secret[32] = {9};

/* An answer to what a side has out, a message of this number. */
static struct packet_cookie_reply cookie_reply_to(const struct handshake_side *side,
                                                  unsigned number)
{
    uint8_t cookie[16], key[32];
    struct packet_cookie_reply reply = {
        .mode = play.mode, .initiator = play.initiator.id, .nonce = {7}};
    struct stt_mac_base base =
        stt_handshake_mac_base(&play.responder.own, play.mode, play.has_seed ? play.seed : NULL);
    struct bytes packet = handshake_packet(side);
    struct bytes before = stt_packet_before_mac1((enum stt_packet_kind)number, packet);
    stt_cookie_make(cookie, cookie_secret, &somewhere, 0);
    stt_cookie_key(key, &base);
    stt_cookie_seal(reply.sealed_cookie, key, reply.nonce, packet.data + before.len, cookie);
    return reply;
}

static struct packet_cookie_reply cookie_reply(unsigned number)
{
    return cookie_reply_to(&play.initiator, number);
}

static bool is_proven(void)
{
    struct bytes packet = handshake_packet(&play.initiator);
    struct bytes before = bytes_of(packet.data, packet.len - STT_MAC_BYTES);
    return stt_mac2_verify(packet.data + before.len, cookie_secret, &somewhere, 0, before);
}

START_TEST(one_cookie_is_taken_for_each_copy)
{
    start(_i);
    (void)handshake_run(&play, 1);
    struct packet_cookie_reply reply = cookie_reply(1);
    struct stt_handshake *hs = &play.initiator.hs;
    uint8_t before[STT_HANDSHAKE_BYTES];
    memcpy(before, hs->packet, sizeof before);
    ck_assert(!is_proven());
    ck_assert(stt_handshake_read_cookie(hs, &reply));
    ck_assert(is_proven());
    ck_assert_mem_eq(hs->packet, before, sizeof before - STT_MAC_BYTES);
    ck_assert(!stt_handshake_read_cookie(hs, &reply));
    stt_handshake_on_repeat(hs);
    ck_assert(stt_handshake_read_cookie(hs, &reply));
    ck_assert_int_eq(handshake_answer(&play, handshake_packet(&play.initiator)), STT_HANDSHAKE_OK);
}
END_TEST

START_TEST(a_cookie_that_is_not_ours_is_not_taken)
{
    start(_i);
    (void)handshake_run(&play, 1);
    struct stt_handshake before = play.initiator.hs;
    for (size_t bit = 0; bit < 8 * sizeof(struct packet_cookie_reply); bit++) {
        struct packet_cookie_reply reply = cookie_reply(1);
        size_t at = bit / 8;
        bool counts = at == 0 || (at >= offsetof(struct packet_cookie_reply, initiator) &&
                                  at < offsetof(struct packet_cookie_reply, sealed_cookie) +
                                           sizeof reply.sealed_cookie);
        ((uint8_t *)&reply)[at] ^= (uint8_t)(1u << bit % 8);
        if (counts)
            ck_assert(!stt_handshake_read_cookie(&play.initiator.hs, &reply));
    }
    ck_assert_mem_eq(&before, &play.initiator.hs, sizeof before);
}
END_TEST

START_TEST(a_cookie_for_another_message_is_not_taken)
{
    start(_i);
    (void)handshake_run(&play, 1);
    struct packet_cookie_reply reply = cookie_reply(1);
    play.initiator.entropy.ephemeral[0] ^= 8;
    ck_assert(handshake_begin(&play, NULL));
    ck_assert(!stt_handshake_read_cookie(&play.initiator.hs, &reply));
}
END_TEST

START_TEST(a_cookie_is_taken_only_while_a_message_is_unanswered)
{
    start(_i);
    (void)handshake_run(&play, 2);
    struct packet_cookie_reply late = cookie_reply(1);
    struct packet_cookie_reply to_2 = cookie_reply_to(&play.responder, 2);
    ck_assert(!stt_handshake_read_cookie(&play.responder.hs, &to_2));
    ck_assert_int_eq(handshake_read_2(&play, handshake_packet(&play.responder)), STT_HANDSHAKE_OK);
    ck_assert(!stt_handshake_read_cookie(&play.initiator.hs, &late));
    if (play.mode == STT_MODE_K)
        return;
    struct packet_cookie_reply reply = cookie_reply(3);
    ck_assert(!is_proven());
    ck_assert(stt_handshake_read_cookie(&play.initiator.hs, &reply));
    ck_assert(is_proven());
    ck_assert_int_eq(handshake_confirm(&play, handshake_packet(&play.initiator)), STT_HANDSHAKE_OK);
}
END_TEST

START_TEST(the_cookie_of_message_1_serves_message_3)
{
    start(_i);
    if (play.mode == STT_MODE_K)
        return;
    (void)handshake_run(&play, 1);
    struct packet_cookie_reply reply = cookie_reply(1);
    ck_assert(stt_handshake_read_cookie(&play.initiator.hs, &reply));
    ck_assert_int_eq(handshake_answer(&play, handshake_packet(&play.initiator)), STT_HANDSHAKE_OK);
    ck_assert_int_eq(handshake_read_2(&play, handshake_packet(&play.responder)), STT_HANDSHAKE_OK);
    ck_assert(is_proven());
    reply = cookie_reply(3); /* the responder may have a newer one */
    ck_assert(stt_handshake_read_cookie(&play.initiator.hs, &reply));
    ck_assert_int_eq(handshake_confirm(&play, handshake_packet(&play.initiator)), STT_HANDSHAKE_OK);
}
END_TEST

/* -- codes ------------------------------------------------------------------------------------- */

START_TEST(a_wrong_code_is_told_apart_and_its_refusal_opens_at_the_initiator)
{
    start(2);
    play.initiator.code.prs[play.initiator.code.prs_len - 1] ^= 1;
    struct bytes third = handshake_run(&play, 3);
    uint8_t out[STT_REFUSED_BYTES], reason = 0;
    ck_assert_int_eq(handshake_confirm(&play, third), STT_HANDSHAKE_WRONG);
    stt_handshake_write_refused(&play.responder.hs, STT_REFUSED_USED_UP, out);
    for (size_t bit = 0; bit < 8 * sizeof out; bit++) {
        out[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert(!stt_handshake_read_refused(&play.initiator.hs, BYTES(out), &reason));
        out[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert(!stt_handshake_read_refused(&play.responder.hs, BYTES(out), &reason));
    ck_assert(stt_handshake_read_refused(&play.initiator.hs, BYTES(out), &reason));
    ck_assert_uint_eq(reason, STT_REFUSED_USED_UP);
}
END_TEST

START_TEST(a_refusal_before_message_3_is_none)
{
    start(2);
    play.initiator.code.prs[0] ^= 1;
    struct stt_handshake early;
    (void)handshake_run(&play, 1);
    early = play.initiator.hs;
    uint8_t out[STT_REFUSED_BYTES], reason = 0;
    ck_assert_int_eq(handshake_confirm(&play, handshake_run(&play, 3)), STT_HANDSHAKE_WRONG);
    stt_handshake_write_refused(&play.responder.hs, STT_REFUSED_WRONG, out);
    ck_assert(!stt_handshake_read_refused(&early, BYTES(out), &reason));
}
END_TEST

START_TEST(nothing_secret_is_left_when_it_is_wiped)
{
    start(_i);
    (void)handshake_run(&play, 2);
    struct stt_handshake *hs = &play.initiator.hs;
    if (play.mode == STT_MODE_W) {
        ck_assert(!bytes_all_zero(BYTES(hs->scalar)));
        ck_assert_int_eq(handshake_read_2(&play, handshake_packet(&play.responder)),
                         STT_HANDSHAKE_OK);
        ck_assert(bytes_all_zero(BYTES(hs->scalar)));
        ck_assert(bytes_all_zero(BYTES(play.responder.hs.scalar)));
    }
    stt_handshake_wipe(hs);
    ck_assert(bytes_all_zero(bytes_of(hs, sizeof *hs)));
}
END_TEST

SUITE("handshake", EACH_MODE(a_handshake_succeeds),
      EACH_MESSAGE(every_flipped_bit_of_a_message_is_refused_by_its_mac1),
      EACH_MESSAGE(every_flipped_bit_of_a_message_is_refused_behind_a_valid_mac1),
      EACH_MESSAGE(every_prefix_of_a_message_is_refused),
      EACH_MESSAGE(a_forged_message_leaves_its_receiver_as_it_was),
      EACH_MODE(a_message_from_another_network_is_refused),
      EACH_MODE(a_message_with_another_seed_is_refused_by_its_mac1),
      EACH_MODE(what_a_mode_needs_to_know_must_be_there), TEST(a_seed_plays_no_part_in_a_code),
      TEST(a_responder_of_seeds_answers_nobody_without_one),
      TEST(a_pinned_peer_that_is_another_ends_it_before_message_3),
      EACH_MODE(ones_own_message_that_comes_back_is_refused),
      TEST(a_group_member_that_is_oneself_is_refused), EACH_MODE(a_second_answer_is_not_taken),
      EACH_MODE(no_common_suite_is_silence), EACH_MODE(the_responder_says_which_suite),
      TEST(only_who_asks_for_it_is_exclusive),
      EACH_MODE(another_application_is_told_and_not_judged),
      EACH_MODE(one_cookie_is_taken_for_each_copy),
      EACH_MODE(a_cookie_that_is_not_ours_is_not_taken),
      EACH_MODE(a_cookie_for_another_message_is_not_taken),
      EACH_MODE(a_cookie_is_taken_only_while_a_message_is_unanswered),
      EACH_MODE(the_cookie_of_message_1_serves_message_3),
      TEST(a_wrong_code_is_told_apart_and_its_refusal_opens_at_the_initiator),
      TEST(a_refusal_before_message_3_is_none), EACH_MODE(nothing_secret_is_left_when_it_is_wiped))
