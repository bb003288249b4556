/* SPDX-License-Identifier: MIT
 * Codes and passphrases, and people who guess: how many attempts there are, what ends them, and who
 * is told. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/stranger.h"
#include "tests/support/suite.h"
#include "tests/support/ways.h"

enum { CODE_LIFE_S = 600, PAUSE_S = 300, WRONG = 1, USED_UP = 2 };

static struct world a_world(void)
{
    return world_pair(.one_way_ms = 20);
}

static struct world_side *another(struct world *w)
{
    return world_join(w, &(struct world_options){.one_way_ms = 20});
}

/* The same slot, and another character at the end. */
static void guess(struct world *w, struct world_side *who, const struct stt_connect *right)
{
    struct stt_connect call = *right;
    char text[STT_CODE_TEXT_MAX] = "";
    strncpy(text, right->code, sizeof text - 1);
    char *last = &text[strlen(text) - 1];
    *last = *last == 'a' ? 'b' : 'a';
    call.code = text;
    world_begin(w, who, &call);
}

static void guess_passphrase(struct world *w, struct world_side *who,
                             const struct stt_connect *right)
{
    static const uint8_t wrong[32] = {1};
    struct stt_connect call = *right;
    call.stretched = wrong;
    world_begin(w, who, &call);
}

/* Within the ten seconds that a connect tries. */
static bool connects(struct world *w, struct world_side *who, const struct stt_connect *call)
{
    uint64_t before = who->events[STT_EVENT_CONNECTED];
    world_begin(w, who, call);
    world_run_for(w, STT_S(11));
    return who->events[STT_EVENT_CONNECTED] > before;
}

static void require_refusal(struct world *w, const struct world_side *who, uint64_t code)
{
    const struct stt_event *end = &who->latest[STT_EVENT_CLOSED];
    world_require(w, end->reason == STT_REASON_CODE_WRONG && end->code == code);
}

static void require_silence(struct world *w, const struct world_side *who)
{
    world_require(w, who->latest[STT_EVENT_CLOSED].reason == STT_REASON_NO_ANSWER);
}

/* -- wrong guesses -------------------------------------------------------------------------------
 */

START_TEST(a_wrong_guess_is_refused_and_both_sides_are_told)
{
    struct world w = a_world();
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    guess(&w, w.client, &call);
    world_run_for(&w, STT_MS(200));
    require_refusal(&w, w.client, WRONG);
    world_require(&w, w.server->events[STT_EVENT_CODE_WRONG] == 1);
    world_require(&w, w.server->events[STT_EVENT_CODE_ENDED] == 0);
    world_require(&w, w.server->last.slot == strtoul(w.code, NULL, 10));
    world_require(&w, connects(&w, w.client, &call)); /* the code lives */
    world_end(&w);
}
END_TEST

START_TEST(the_third_wrong_guess_ends_a_code_wherever_the_guesses_came_from)
{
    struct world w = a_world();
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    struct world_side *guessers[] = {w.client, another(&w), another(&w)};
    for (unsigned i = 0; i < 3; i++) {
        guess(&w, guessers[i], &call);
        world_run_for(&w, STT_MS(200));
        require_refusal(&w, guessers[i], i < 2 ? WRONG : USED_UP);
    }
    world_require(&w, w.server->events[STT_EVENT_CODE_WRONG] == 3);
    world_require(&w, w.server->events[STT_EVENT_CODE_ENDED] == 1);
    world_require(&w, w.server->latest[STT_EVENT_CODE_ENDED].reason == STT_REASON_CODE_GUESSED);
    struct world_side *honest = another(&w);
    uint64_t sent = stt_sim_link_stats(w.sim, honest->links.back).datagrams_in;
    world_require(&w, !connects(&w, honest, &call));
    require_silence(&w, honest);
    world_require(&w, stt_sim_link_stats(w.sim, honest->links.back).datagrams_in == sent);
    world_end(&w);
}
END_TEST

START_TEST(the_third_wrong_guess_ends_the_attempts_that_are_under_way)
{
    struct world w = a_world();
    struct tap tap = {.lose[STT_PACKET_MESSAGE_3] = 5};
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    struct world_side *guesser = another(&w);
    tap_on(&tap, w.sim, w.links.forth);
    world_begin(&w, w.client, &call);
    world_run_for(&w, STT_MS(100));
    for (unsigned i = 0; i < 3; i++) {
        guess(&w, guesser, &call);
        world_run_for(&w, STT_MS(200));
    }
    require_refusal(&w, guesser, USED_UP);
    world_run_for(&w, STT_S(11));
    world_require(&w, tap.seen[STT_PACKET_MESSAGE_3] > 10);
    require_silence(&w, w.client);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 0);
    world_end(&w);
}
END_TEST

START_TEST(a_guess_counts_once_also_when_its_refusal_is_lost)
{
    struct world w = a_world();
    struct tap tap = {.lose[STT_PACKET_REFUSED] = 1000};
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    tap_on(&tap, w.sim, w.links.back);
    guess(&w, w.client, &call);
    world_run_for(&w, STT_S(11));
    require_silence(&w, w.client);
    world_require(&w, tap.seen[STT_PACKET_REFUSED] == 1);
    world_require(&w, w.server->events[STT_EVENT_CODE_WRONG] == 1);
    world_end(&w);
}
END_TEST

/* As far as message 3, which is then out. */
static void come_to_message_3(struct world *w, struct stranger *s)
{
    stranger_join(s, w, STT_MODE_W, 100);
    stranger_hear_code(s, w->code);
    s->play.initiator.code.prs[s->play.initiator.code.prs_len - 1] ^= 1;
    stranger_begin(s);
    stranger_send(s);
    world_run_for(w, STT_MS(20));
    ck_assert(stranger_take_cookie(s));
    stranger_put_mac2(s);
    stranger_send(s);
    world_run_for(w, STT_MS(20));
    const struct tap_copy *m2 = &s->heard.kept[STT_PACKET_MESSAGE_2];
    ck_assert_int_eq(handshake_read_2(&s->play, bytes_of(m2->data, m2->len)), STT_HANDSHAKE_OK);
}

START_TEST(a_guess_from_an_address_that_is_not_proven_does_not_count)
{
    static struct stranger s;
    struct world w = a_world();
    world_call(&w, w.server, STT_MODE_W);
    come_to_message_3(&w, &s);
    stranger_send(&s); /* without mac2 */
    stranger_put_mac2(&s);
    struct stt_address elsewhere = stt_sim_ipv4(101, WORLD_PORT);
    stranger_send_from(&s, &elsewhere);
    world_run_for(&w, STT_MS(20));
    world_require(&w, w.server->events[STT_EVENT_CODE_WRONG] == 0);
    stranger_send(&s);
    world_run_for(&w, STT_MS(20));
    world_require(&w, w.server->events[STT_EVENT_CODE_WRONG] == 1);
    world_require(&w, s.heard.seen[STT_PACKET_REFUSED] == 1);
    world_end(&w);
}
END_TEST

/* -- the life of a code --------------------------------------------------------------------------
 */

START_TEST(a_code_that_has_served_is_gone)
{
    struct world w = a_world();
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    struct world_side *late = another(&w);
    world_require(&w, connects(&w, w.client, &call));
    world_require(&w, w.server->events[STT_EVENT_CODE_ENDED] == 1);
    world_require(&w, w.server->latest[STT_EVENT_CODE_ENDED].reason == STT_REASON_CODE_USED);
    world_require(&w, !connects(&w, late, &call));
    require_silence(&w, late);
    world_end(&w);
}
END_TEST

START_TEST(a_code_serves_until_it_is_ten_minutes_old)
{
    struct world w = a_world();
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    world_run_for(&w, STT_S(CODE_LIFE_S) - STT_MS(200));
    world_begin(&w, w.client, &call);
    world_require(&w, world_run_until(&w, both_connected, STT_MS(190)));
    world_end(&w);
}
END_TEST

START_TEST(a_code_dies_after_ten_minutes_and_its_host_is_told)
{
    struct world w = a_world();
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    world_run_for(&w, STT_S(CODE_LIFE_S));
    world_require(&w, w.server->events[STT_EVENT_CODE_ENDED] == 1);
    world_require(&w, w.server->last.reason == STT_REASON_CODE_EXPIRED);
    world_require(&w, w.server->latest_at[STT_EVENT_CODE_ENDED] == STT_S(CODE_LIFE_S));
    world_require(&w, !connects(&w, w.client, &call));
    require_silence(&w, w.client);
    world_require(&w, stt_sim_link_stats(w.sim, w.links.back).datagrams_in == 0);
    world_end(&w);
}
END_TEST

static void begin_and_stop(struct world *w, struct world_side *side, stt_sim_link forth,
                           const struct stt_connect *call)
{
    static struct tap taps[WORLD_SIDES_MAX];
    struct tap *tap = &taps[side - w->client];
    *tap = (struct tap){.lose[STT_PACKET_MESSAGE_3] = UINT64_MAX};
    tap_on(tap, w->sim, forth);
    world_begin(w, side, call);
}

START_TEST(an_attempt_ends_with_its_code)
{
    struct world w = a_world();
    struct tap tap = {.lose[STT_PACKET_MESSAGE_3] = 5};
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    tap_on(&tap, w.sim, w.links.forth);
    if (_i == 0) /* by age */
        world_run_for(&w, STT_S(CODE_LIFE_S) - STT_S(1));
    world_begin(&w, w.client, &call);
    world_run_for(&w, STT_MS(100));
    uint32_t slot = (uint32_t)strtoul(w.code, NULL, 10);
    if (_i == 1) /* by its host */
        ck_assert_int_eq(stt_endpoint_code_end(world_endpoint(&w, w.server), slot), STT_OK);
    if (_i == 2) /* by somebody else's success */
        connects(&w, another(&w), &call);
    world_run_for(&w, STT_S(11));
    require_silence(&w, w.client);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == (_i == 2));
    world_end(&w);
}
END_TEST

START_TEST(a_fourth_attempt_waits_until_one_of_three_is_over)
{
    struct world w = a_world();
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    begin_and_stop(&w, w.client, w.links.forth, &call);
    for (int i = 0; i < 2; i++) {
        struct world_side *side = another(&w);
        begin_and_stop(&w, side, side->links.forth, &call);
    }
    world_run_for(&w, STT_S(1));
    struct world_side *fourth = another(&w);
    struct tap tap = {.seen = {0}};
    tap_on(&tap, w.sim, fourth->links.back);
    world_begin(&w, fourth, &call);
    world_run_for(&w, STT_S(9));
    world_require(&w, tap.seen[STT_PACKET_COOKIE_REPLY] > 0);
    world_require(&w, tap.seen[STT_PACKET_MESSAGE_2] == 0);
    world_run_for(&w, STT_S(1));
    world_require(&w, fourth->events[STT_EVENT_CONNECTED] == 1);
    world_require(&w, w.server->events[STT_EVENT_CODE_WRONG] == 0);
    world_end(&w);
}
END_TEST

START_TEST(another_slot_is_met_with_silence)
{
    struct world w = a_world();
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    const char *other = strncmp(w.code, "1-", 2) == 0 ? "2-k7qd-x2mz" : "1-k7qd-x2mz";
    struct tap tap = {.seen = {0}};
    tap_on(&tap, w.sim, w.links.back);
    call.code = other;
    world_require(&w, !connects(&w, w.client, &call));
    require_silence(&w, w.client);
    world_require(&w, tap.seen[STT_PACKET_MESSAGE_2] == 0);
    world_require(&w, w.server->events[STT_EVENT_CODE_WRONG] == 0);
    world_end(&w);
}
END_TEST

/* -- passphrases ---------------------------------------------------------------------------------
 */

START_TEST(a_passphrase_serves_again_and_again)
{
    struct world w = a_world();
    struct stt_connect call = way_call(&w, &ways[WAY_PASSPHRASE]);
    for (int i = 0; i < 5; i++)
        world_require(&w, connects(&w, w.client, &call));
    world_run_for(&w, STT_S(86400));
    world_require(&w, connects(&w, w.client, &call));
    world_require(&w, w.server->events[STT_EVENT_CODE_ENDED] == 0);
    world_end(&w);
}
END_TEST

START_TEST(after_three_wrong_guesses_a_passphrase_admits_one_attempt_in_five_minutes)
{
    struct world w = a_world();
    struct stt_connect call = way_call(&w, &ways[WAY_PASSPHRASE]);
    for (int i = 0; i < 3; i++) {
        guess_passphrase(&w, w.client, &call);
        world_run_for(&w, STT_MS(200));
        require_refusal(&w, w.client, WRONG);
    }
    world_require(&w, w.server->events[STT_EVENT_CODE_WRONG] == 3);
    world_require(&w, !connects(&w, w.client, &call));
    require_silence(&w, w.client);
    world_run_for(&w, STT_S(PAUSE_S - 11));
    world_require(&w, connects(&w, w.client, &call));
    world_require(&w, !connects(&w, w.client, &call));
    world_run_for(&w, STT_S(PAUSE_S - 11));
    guess_passphrase(&w, w.client, &call);
    world_run_for(&w, STT_S(1));
    require_refusal(&w, w.client, WRONG);
    world_require(&w, w.server->events[STT_EVENT_CODE_ENDED] == 0);
    world_end(&w);
}
END_TEST

SUITE("guesses", TEST(a_wrong_guess_is_refused_and_both_sides_are_told),
      TEST(the_third_wrong_guess_ends_a_code_wherever_the_guesses_came_from),
      TEST(the_third_wrong_guess_ends_the_attempts_that_are_under_way),
      TEST(a_guess_counts_once_also_when_its_refusal_is_lost),
      TEST(a_guess_from_an_address_that_is_not_proven_does_not_count),
      TEST(a_code_that_has_served_is_gone), TEST(a_code_serves_until_it_is_ten_minutes_old),
      TEST(a_code_dies_after_ten_minutes_and_its_host_is_told),
      LOOP(an_attempt_ends_with_its_code, 0, 3),
      TEST(a_fourth_attempt_waits_until_one_of_three_is_over),
      TEST(another_slot_is_met_with_silence), TEST(a_passphrase_serves_again_and_again),
      TEST(after_three_wrong_guesses_a_passphrase_admits_one_attempt_in_five_minutes))
