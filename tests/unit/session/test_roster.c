/* SPDX-License-Identifier: MIT */
#include "stt/session/roster.h"

#include "stt/session/engine.h"
#include "tests/support/duo.h"
#include "tests/support/suite.h"

#include <string.h>

/* A roster that several share: its lock counts, and may be where another thread comes first. */
struct fixture {
    struct test_env te;
    struct stt_codes codes;
    struct stt_roster roster;
    stt_ns now;
    int depth;
    uint32_t locked;
    uint32_t disarmed_at; /* with this lock another thread takes all codes away */
};

static struct fixture f; /* one test, one process */
static struct duo duo;

static void lock(void *ctx, bool is_held)
{
    struct fixture *x = ctx;
    x->depth += is_held ? 1 : -1;
    ck_assert(x->depth == (is_held ? 1 : 0));
    x->locked += is_held;
    if (is_held && x->locked == x->disarmed_at)
        stt_codes_wipe(&x->codes);
}

static void setup(void)
{
    test_env_init(&f.te, 7);
    f.now = STT_S(1000);
    stt_roster_init(&f.roster, &f.te.env, &f.codes, 17);
    f.roster.lock = lock;
    f.roster.lock_ctx = &f;
}

static void teardown(void)
{
    stt_roster_fini(&f.roster);
    ck_assert_int_eq(f.depth, 0);
    test_env_check_no_leak(&f.te);
}

static void arm(uint16_t slot)
{
    struct stt_code code = {.slot = slot, .prs_len = 32, .prs = {(uint8_t)slot, 0xaa}};
    ck_assert_int_eq(stt_roster_arm(&f.roster, f.now, &code), STT_OK);
}

static enum stt_code_fate guess(uint32_t slot, enum stt_guess guess)
{
    struct stt_attempt attempt;
    struct stt_code code;
    uint32_t its = 0;
    ck_assert(stt_roster_begin(&f.roster, f.now, slot, &attempt, &code));
    ck_assert_uint_eq(code.slot, slot);
    ck_assert(stt_roster_is_live(&f.roster, f.now, &attempt));
    enum stt_code_fate fate = stt_roster_end(&f.roster, f.now, &attempt, guess, &its);
    ck_assert_uint_eq(its, slot);
    return fate;
}

/* -- codes ---------------------------------------------------------------------------------------
 */

START_TEST(what_is_known_without_the_lock_follows_every_change)
{
    uint32_t slot;
    setup();
    ck_assert(!stt_roster_is_armed(&f.roster, f.now));
    ck_assert_uint_eq(stt_roster_deadline(&f.roster), STT_NEVER);
    arm(417);
    stt_ns first = f.now + STT_CODE_LIFE_NS;
    f.now += STT_S(60);
    arm(418);
    ck_assert(stt_roster_is_armed(&f.roster, f.now));
    ck_assert_uint_eq(stt_roster_deadline(&f.roster), first);
    ck_assert(!stt_roster_expire(&f.roster, first - 1, &slot));
    ck_assert(stt_roster_expire(&f.roster, first, &slot) && slot == 417);
    ck_assert(!stt_roster_expire(&f.roster, first, &slot));
    ck_assert_uint_eq(stt_roster_deadline(&f.roster), first + STT_S(60));
    ck_assert(stt_roster_is_armed(&f.roster, first) &&
              !stt_roster_is_armed(&f.roster, first + STT_S(60)));
    ck_assert_int_eq(guess(418, STT_GUESS_RIGHT), STT_CODE_USED);
    ck_assert(!stt_roster_is_armed(&f.roster, f.now));
    arm(0);
    ck_assert(stt_roster_is_armed(&f.roster, f.now + STT_S(86400)));
    ck_assert_uint_eq(stt_roster_deadline(&f.roster), STT_NEVER);
    ck_assert(stt_roster_disarm(&f.roster, 0) && !stt_roster_is_armed(&f.roster, f.now));
    teardown();
}
END_TEST

static bool draw(void *ctx, uint8_t *out, size_t len)
{
    memset(out, *(uint8_t *)ctx, len);
    return ++*(uint8_t *)ctx < 100;
}

START_TEST(a_new_code_is_in_a_slot_that_was_free)
{
    char text[STT_CODE_TEXT_MAX], again[STT_CODE_TEXT_MAX];
    uint32_t slot, other;
    uint8_t next = 1;
    setup();
    ck_assert_int_eq(stt_roster_arm_new(&f.roster, f.now, draw, &next, text, &slot), STT_OK);
    next = 1; /* the same draw once more: another slot in the end */
    ck_assert_int_eq(stt_roster_arm_new(&f.roster, f.now, draw, &next, again, &other), STT_OK);
    ck_assert_uint_ne(slot, other);
    ck_assert_str_ne(text, again);
    next = 99;
    ck_assert_int_eq(stt_roster_arm_new(&f.roster, f.now, draw, &next, again, &other), STT_E_IO);
    teardown();
}
END_TEST

/* -- peers ---------------------------------------------------------------------------------------
 */

START_TEST(the_list_is_of_peers_and_found_by_their_keys)
{
    struct stt_peer_id peer, other;
    uint8_t key[32];
    setup();
    duo_init(&duo, 1);
    peer = duo.client.config.identity.peer_id;
    other = duo.server.config.identity.peer_id;
    ck_assert(stt_identity_image(key, &peer));
    ck_assert(!stt_roster_has_key(&f.roster, key));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(stt_roster_allow(&f.roster, &peer), STT_OK);
    ck_assert(stt_roster_has_key(&f.roster, key) && stt_roster_has_peer(&f.roster, key, &peer));
    ck_assert(!stt_roster_has_peer(&f.roster, key, &other));
    ck_assert_int_eq(stt_roster_disallow(&f.roster, &other), STT_E_NOT_FOUND);
    ck_assert_int_eq(stt_roster_disallow(&f.roster, &peer), STT_OK);
    ck_assert(!stt_roster_has_key(&f.roster, key) && !stt_roster_has_peer(&f.roster, key, &peer));
    teardown();
}
END_TEST

/* -- two endpoints of one roster -----------------------------------------------------------------
 */

/* Both sides of the duo listen; the codes of one are those of the other. */
START_TEST(what_one_endpoint_arms_or_allows_all_of_the_roster_have)
{
    char text[STT_CODE_TEXT_MAX];
    uint32_t slot;
    setup();
    duo_init(&duo, 1);
    struct stt_peer_id peer = duo.client.config.identity.peer_id;
    duo.client.config.roster = duo.server.config.roster = &f.roster;
    duo_start(&duo);
    ck_assert_int_eq(stt_endpoint_code_new(duo.client.ep, duo.now, text, &slot), STT_OK);
    ck_assert_uint_eq(stt_endpoint_deadline(duo.server.ep), duo.now + STT_CODE_LIFE_NS);
    ck_assert_int_eq(stt_endpoint_code_end(duo.server.ep, slot), STT_OK);
    ck_assert_int_eq(stt_endpoint_code_end(duo.client.ep, slot), STT_E_NOT_FOUND);
    ck_assert_int_eq(stt_endpoint_allow(duo.client.ep, &peer), STT_OK);
    ck_assert_int_eq(stt_endpoint_disallow(duo.server.ep, &peer), STT_OK);
    duo_end(&duo);
    teardown();
}
END_TEST

/* Up to message 3, which is not delivered yet. */
static void reach_message_3(void)
{
    duo_init(&duo, 1);
    duo.server.config.roster = &f.roster;
    duo_start(&duo);
    ck_assert_int_eq(duo_begin(&duo, STT_MODE_W), STT_OK);
    for (int i = 0; i < 2; i++) { /* the second time with the cookie */
        ck_assert(duo_carry(&duo, &duo.client));
        ck_assert(duo_carry(&duo, &duo.server));
    }
}

/* The code is looked for and found; before it is used up, it was, by somebody at another worker. */
START_TEST(of_two_who_are_right_at_the_same_time_one_is_accepted)
{
    setup();
    reach_message_3();
    f.disarmed_at = _i ? f.locked + 2 : 0;
    duo_exchange(&duo);
    duo_run_for(&duo, STT_S(15));
    ck_assert_uint_eq(duo.server.events[STT_EVENT_ACCEPTED], _i ? 0 : 1);
    ck_assert_uint_eq(duo.client.events[STT_EVENT_CONNECTED], _i ? 0 : 1);
    ck_assert_uint_eq(duo.server.events[STT_EVENT_CODE_ENDED], _i ? 0 : 1);
    ck_assert_uint_eq(duo_stats(&duo.server).half_open, 0);
    duo_end(&duo);
    teardown();
}
END_TEST

SUITE("roster", TEST(what_is_known_without_the_lock_follows_every_change),
      TEST(a_new_code_is_in_a_slot_that_was_free),
      TEST(the_list_is_of_peers_and_found_by_their_keys),
      TEST(what_one_endpoint_arms_or_allows_all_of_the_roster_have),
      LOOP(of_two_who_are_right_at_the_same_time_one_is_accepted, 0, 2))
