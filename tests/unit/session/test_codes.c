/* SPDX-License-Identifier: MIT */
#include "stt/session/codes.h"

#include "stt/base/bytes.h"
#include "stt/wire/limits.h"
#include "tests/support/suite.h"

enum { NO_SLOT = 77777 };

struct fixture {
    struct stt_codes codes;
    stt_ns now;
    uint32_t slot; /* of the last one that ended */
};

static void arm(struct fixture *f, uint16_t slot)
{
    struct stt_code code = {.slot = slot, .prs_len = 32, .prs = {(uint8_t)slot, 0xaa}};
    ck_assert_int_eq(stt_codes_arm(&f->codes, f->now, &code), STT_OK);
}

static void setup(struct fixture *f, uint16_t slot)
{
    *f = (struct fixture){.now = STT_S(1000), .slot = NO_SLOT};
    arm(f, slot);
}

static bool begin(struct fixture *f, uint32_t slot, struct stt_attempt *attempt)
{
    return stt_codes_begin(&f->codes, f->now, slot, attempt) != NULL;
}

static bool is_armed(const struct fixture *f)
{
    return f->now < stt_codes_last_ends(&f->codes);
}

static enum stt_code_fate end(struct fixture *f, struct stt_attempt *attempt, enum stt_guess guess)
{
    return stt_codes_end(&f->codes, f->now, attempt, guess, &f->slot);
}

/* One whole attempt. */
static enum stt_code_fate guess(struct fixture *f, uint32_t slot, enum stt_guess guess)
{
    struct stt_attempt attempt;
    ck_assert(begin(f, slot, &attempt));
    return end(f, &attempt, guess);
}

START_TEST(a_code_that_is_armed_is_answered)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 417);
    ck_assert(is_armed(&f));
    const struct stt_code *code = stt_codes_begin(&f.codes, f.now, 417, &attempt);
    ck_assert_ptr_nonnull(code);
    ck_assert_uint_eq(code->slot, 417);
    ck_assert_uint_eq(code->prs[1], 0xaa);
    ck_assert_uint_ne(attempt.generation, 0);
}
END_TEST

START_TEST(another_slot_is_met_with_silence)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 417);
    ck_assert(!begin(&f, 418, &attempt) && !begin(&f, 0, &attempt));
}
END_TEST

START_TEST(a_slot_takes_one_code)
{
    struct fixture f;
    struct stt_code code = {.slot = 417};
    setup(&f, 417);
    ck_assert_int_eq(stt_codes_arm(&f.codes, f.now, &code), STT_E_EXISTS);
}
END_TEST

START_TEST(the_table_holds_so_many_codes_and_no_more)
{
    struct fixture f;
    struct stt_code code = {.slot = STT_CODES_MAX + 1};
    setup(&f, 1);
    for (uint16_t slot = 2; slot <= STT_CODES_MAX; slot++)
        arm(&f, slot);
    ck_assert_int_eq(stt_codes_arm(&f.codes, f.now, &code), STT_E_LIMIT);
    ck_assert(stt_codes_disarm(&f.codes, 3));
    arm(&f, STT_CODES_MAX + 1);
}
END_TEST

START_TEST(a_code_that_is_disarmed_is_gone)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 417);
    ck_assert(stt_codes_disarm(&f.codes, 417));
    ck_assert(!stt_codes_disarm(&f.codes, 417));
    ck_assert(!begin(&f, 417, &attempt));
    ck_assert(!is_armed(&f));
}
END_TEST

/* How it goes: disarmed, used, guessed, too old, all wiped. */
static void let_go(struct fixture *f, int way)
{
    if (way == 0)
        stt_codes_disarm(&f->codes, 417);
    if (way == 1)
        guess(f, 417, STT_GUESS_RIGHT);
    for (unsigned i = 0; way == 2 && i < STT_CODE_GUESSES_MAX; i++)
        guess(f, 417, STT_GUESS_WRONG);
    if (way == 3)
        stt_codes_expire(&f->codes, f->now + STT_CODE_LIFE_NS, &f->slot);
    if (way == 4)
        stt_codes_wipe(&f->codes);
}

START_TEST(of_a_code_that_goes_nothing_is_left)
{
    struct fixture f;
    setup(&f, 417);
    let_go(&f, _i);
    ck_assert(bytes_all_zero(bytes_of(f.codes.at, sizeof f.codes.at)));
}
END_TEST

START_TEST(a_code_dies_after_ten_minutes)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 417);
    f.now += STT_CODE_LIFE_NS - 1;
    ck_assert(!stt_codes_expire(&f.codes, f.now, &f.slot));
    ck_assert(begin(&f, 417, &attempt) && stt_codes_is_live(&f.codes, f.now, &attempt));
    f.now++;
    ck_assert(!stt_codes_is_live(&f.codes, f.now, &attempt));
    ck_assert(!begin(&f, 417, &attempt));
    ck_assert(!is_armed(&f));
    ck_assert(stt_codes_expire(&f.codes, f.now, &f.slot));
    ck_assert_uint_eq(f.slot, 417);
    ck_assert(!stt_codes_expire(&f.codes, f.now, &f.slot));
}
END_TEST

START_TEST(the_deadline_is_that_of_the_oldest_code)
{
    struct fixture f;
    setup(&f, 0);
    ck_assert_uint_eq(stt_codes_deadline(&f.codes), STT_NEVER);
    arm(&f, 1);
    f.now += STT_S(60);
    arm(&f, 2);
    ck_assert_uint_eq(stt_codes_deadline(&f.codes), f.now - STT_S(60) + STT_CODE_LIFE_NS);
    ck_assert_uint_eq(stt_codes_last_ends(&f.codes), STT_NEVER);
    stt_codes_disarm(&f.codes, 0);
    ck_assert_uint_eq(stt_codes_last_ends(&f.codes), f.now + STT_CODE_LIFE_NS);
    stt_codes_disarm(&f.codes, 1);
    ck_assert_uint_eq(stt_codes_deadline(&f.codes), f.now + STT_CODE_LIFE_NS);
}
END_TEST

START_TEST(three_attempts_are_outstanding_and_a_fourth_waits_in_silence)
{
    struct fixture f;
    struct stt_attempt attempt[STT_CODE_OUTSTANDING_MAX + 1];
    setup(&f, 417);
    for (unsigned i = 0; i < STT_CODE_OUTSTANDING_MAX; i++)
        ck_assert(begin(&f, 417, &attempt[i]));
    ck_assert(!begin(&f, 417, &attempt[3]));
    ck_assert_int_eq(end(&f, &attempt[1], STT_GUESS_NONE), STT_CODE_LIVES);
    ck_assert(begin(&f, 417, &attempt[3]));
    ck_assert(!begin(&f, 417, &attempt[1]));
}
END_TEST

START_TEST(attempts_without_a_guess_cost_nothing)
{
    struct fixture f;
    setup(&f, 417);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(guess(&f, 417, STT_GUESS_NONE), STT_CODE_LIVES);
}
END_TEST

START_TEST(a_code_dies_by_its_first_success)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 417);
    ck_assert_int_eq(guess(&f, 417, STT_GUESS_RIGHT), STT_CODE_USED);
    ck_assert_uint_eq(f.slot, 417);
    ck_assert(!begin(&f, 417, &attempt));
}
END_TEST

START_TEST(a_code_dies_with_the_third_wrong_guess)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 417);
    ck_assert_int_eq(guess(&f, 417, STT_GUESS_WRONG), STT_CODE_LIVES);
    ck_assert_int_eq(guess(&f, 417, STT_GUESS_WRONG), STT_CODE_LIVES);
    ck_assert_int_eq(guess(&f, 417, STT_GUESS_WRONG), STT_CODE_GUESSED);
    ck_assert(!begin(&f, 417, &attempt));
}
END_TEST

START_TEST(a_code_that_dies_takes_its_other_attempts_with_it)
{
    struct fixture f;
    struct stt_attempt a, b;
    setup(&f, 417);
    ck_assert(begin(&f, 417, &a) && begin(&f, 417, &b));
    ck_assert_int_eq(end(&f, &a, STT_GUESS_RIGHT), STT_CODE_USED);
    ck_assert(!stt_codes_is_live(&f.codes, f.now, &b));
    f.slot = NO_SLOT;
    ck_assert_int_eq(end(&f, &b, STT_GUESS_RIGHT), STT_CODE_GONE);
    ck_assert_uint_eq(f.slot, NO_SLOT);
}
END_TEST

START_TEST(an_attempt_never_counts_against_a_later_code_of_its_slot)
{
    struct fixture f;
    struct stt_attempt old[3];
    setup(&f, 417);
    for (int i = 0; i < 3; i++)
        ck_assert(begin(&f, 417, &old[i]));
    stt_codes_disarm(&f.codes, 417);
    arm(&f, 417);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(end(&f, &old[i], STT_GUESS_WRONG), STT_CODE_GONE);
    ck_assert_int_eq(guess(&f, 417, STT_GUESS_WRONG), STT_CODE_LIVES);
}
END_TEST

START_TEST(an_attempt_ends_once)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 417);
    ck_assert(begin(&f, 417, &attempt));
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(end(&f, &attempt, STT_GUESS_WRONG), i ? STT_CODE_GONE : STT_CODE_LIVES);
    ck_assert(!stt_codes_is_live(&f.codes, f.now, &attempt));
    ck_assert_int_eq(guess(&f, 417, STT_GUESS_WRONG), STT_CODE_LIVES);
}
END_TEST

START_TEST(codes_of_other_slots_do_not_suffer)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 417);
    arm(&f, 418);
    for (int i = 0; i < 3; i++)
        guess(&f, 417, STT_GUESS_WRONG);
    ck_assert(begin(&f, 418, &attempt));
}
END_TEST

START_TEST(a_passphrase_outlives_success_and_time)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 0);
    ck_assert_int_eq(guess(&f, 0, STT_GUESS_RIGHT), STT_CODE_LIVES);
    f.now += STT_S(365 * 86400);
    ck_assert(!stt_codes_expire(&f.codes, f.now, &f.slot));
    ck_assert(begin(&f, 0, &attempt));
}
END_TEST

START_TEST(after_three_wrong_guesses_a_passphrase_admits_one_attempt_in_five_minutes)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(guess(&f, 0, STT_GUESS_WRONG), STT_CODE_LIVES);
    for (int i = 0; i < 300; i++) {
        ck_assert(!begin(&f, 0, &attempt));
        f.now += STT_PASSPHRASE_PAUSE_NS - 1;
        ck_assert(!begin(&f, 0, &attempt));
        f.now++;
        guess(&f, 0, STT_GUESS_WRONG);
    }
}
END_TEST

START_TEST(a_passphrase_waits_also_after_an_attempt_without_a_guess)
{
    struct fixture f;
    struct stt_attempt attempt;
    setup(&f, 0);
    for (int i = 0; i < 3; i++)
        guess(&f, 0, STT_GUESS_WRONG);
    f.now += STT_PASSPHRASE_PAUSE_NS;
    guess(&f, 0, STT_GUESS_NONE);
    f.now += STT_PASSPHRASE_PAUSE_NS - 1;
    ck_assert(!begin(&f, 0, &attempt));
    f.now++;
    ck_assert(begin(&f, 0, &attempt));
}
END_TEST

SUITE("codes", TEST(a_code_that_is_armed_is_answered), TEST(another_slot_is_met_with_silence),
      TEST(a_slot_takes_one_code), TEST(the_table_holds_so_many_codes_and_no_more),
      TEST(a_code_that_is_disarmed_is_gone), LOOP(of_a_code_that_goes_nothing_is_left, 0, 5),
      TEST(a_code_dies_after_ten_minutes), TEST(the_deadline_is_that_of_the_oldest_code),
      TEST(three_attempts_are_outstanding_and_a_fourth_waits_in_silence),
      TEST(attempts_without_a_guess_cost_nothing), TEST(a_code_dies_by_its_first_success),
      TEST(a_code_dies_with_the_third_wrong_guess),
      TEST(a_code_that_dies_takes_its_other_attempts_with_it),
      TEST(an_attempt_never_counts_against_a_later_code_of_its_slot), TEST(an_attempt_ends_once),
      TEST(codes_of_other_slots_do_not_suffer), TEST(a_passphrase_outlives_success_and_time),
      TEST(after_three_wrong_guesses_a_passphrase_admits_one_attempt_in_five_minutes),
      TEST(a_passphrase_waits_also_after_an_attempt_without_a_guess))
