/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_paths compares long histories with a model; here are the single cases. */
#include "stt/session/paths.h"

#include "tests/support/suite.h"

/* A is where the peer was, B where it is, C a third place; what is said has a number as token. */
enum { A, B, C, PLACES };
enum { PTO_MS = 100, FULL = 1200, UNKNOWN_TOKEN = 9999 };

static const stt_ns pto = STT_MS(PTO_MS);

static struct stt_address address(uint8_t last, uint16_t port)
{
    return (struct stt_address){.ip = {[10] = 0xff, [11] = 0xff, 192, 0, 2, last}, .port = port};
}

static struct stt_path place(int i)
{
    return (struct stt_path){.local = address(1, 9000),
                             .remote = address((uint8_t)(10 + i), (uint16_t)(5000 + i))};
}

struct fixture {
    struct stt_paths p;
    stt_ns now;
    uint64_t tokens;       /* drawn so far */
    uint64_t sent[PLACES]; /* the newest that was sent there; 0: none since say_all */
    unsigned said;         /* packets in the last say_all */
    bool is_mute;          /* no challenge may be said yet */
};

static void setup(struct fixture *f)
{
    struct stt_path a = place(A);
    *f = (struct fixture){.now = STT_S(100)};
    stt_paths_init(&f->p, &a);
}

static bool is_current(const struct fixture *f, int i)
{
    struct stt_path path = place(i);
    return stt_path_equal(stt_paths_current(&f->p), &path);
}

static enum stt_paths_news comes(struct fixture *f, const struct stt_path *path, size_t bytes,
                                 bool is_highest, bool moves_path)
{
    struct stt_paths_packet packet = {path, bytes, is_highest, moves_path, false, f->is_mute};
    return stt_paths_on_packet(&f->p, f->now, pto, &packet);
}

/* The newest packet so far, and it moves. */
static enum stt_paths_news packet_from(struct fixture *f, int i, size_t bytes)
{
    struct stt_path path = place(i);
    return comes(f, &path, bytes, true, true);
}

static enum stt_paths_news response_from(struct fixture *f, int i, uint64_t token)
{
    struct stt_path path = place(i);
    uint8_t bytes[STT_PATH_TOKEN_BYTES];
    be64_store(bytes, token);
    return stt_paths_on_response(&f->p, f->now, &path, bytes);
}

static void challenge_from(struct fixture *f, int i, uint64_t token)
{
    struct stt_path path = place(i);
    uint8_t bytes[STT_PATH_TOKEN_BYTES];
    be64_store(bytes, token);
    stt_paths_on_challenge(&f->p, &path, bytes);
}

static int place_of(const struct stt_path *path)
{
    for (int i = 0; i < PLACES; i++) {
        struct stt_path other = place(i);
        if (stt_path_equal(path, &other))
            return i;
    }
    ck_abort_msg("a packet to nowhere");
}

/* Says the next thing, with a fresh token. */
static bool say(struct fixture *f, struct stt_paths_say *say)
{
    uint8_t bytes[STT_PATH_TOKEN_BYTES];
    if (!stt_paths_next(&f->p, say))
        return false;
    be64_store(bytes, ++f->tokens);
    stt_paths_on_said(&f->p, say, bytes);
    stt_paths_on_sent(&f->p, &say->path, say->pads ? FULL : STT_PATHS_SAY_BYTES_MAX);
    if (say->challenge)
        f->sent[place_of(&say->path)] = f->tokens;
    f->said++;
    return true;
}

static void say_all(struct fixture *f)
{
    struct stt_paths_say s;
    f->said = 0;
    for (int i = 0; i < PLACES; i++)
        f->sent[i] = 0;
    while (say(f, &s))
        ck_assert_uint_lt(f->said, 10);
}

static enum stt_paths_news wait(struct fixture *f, stt_ns time)
{
    f->now += time;
    return stt_paths_expire(&f->p, f->now, pto);
}

/* More comes from the new path, and with it leave to send there. */
static void feed(struct fixture *f)
{
    struct stt_path b = place(B);
    ck_assert_int_eq(comes(f, &b, FULL, false, false), STT_PATHS_SAME);
}

static void setup_trial(struct fixture *f)
{
    setup(f);
    ck_assert_int_eq(packet_from(f, B, FULL), STT_PATHS_TRIAL);
    say_all(f);
}

/* -- what starts a trial
 * --------------------------------------------------------------------------- */

START_TEST(at_first_one_path_is_in_use_and_nothing_is_said)
{
    struct fixture f;
    struct stt_paths_say s;
    setup(&f);
    ck_assert(is_current(&f, A));
    ck_assert(!stt_paths_next(&f.p, &s));
    ck_assert_uint_eq(stt_paths_deadline(&f.p), STT_NEVER);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), UINT64_MAX);
    ck_assert(!stt_paths_is_port_change(&f.p));
}
END_TEST

START_TEST(packets_on_the_path_in_use_change_nothing)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(packet_from(&f, A, FULL), STT_PATHS_SAME);
    ck_assert_uint_eq(stt_paths_deadline(&f.p), STT_NEVER);
}
END_TEST

START_TEST(a_packet_from_elsewhere_starts_a_trial)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_TRIAL);
    ck_assert(is_current(&f, B));
    ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_SAME);
}
END_TEST

START_TEST(a_packet_that_is_late_or_does_not_move_starts_none)
{
    struct fixture f;
    struct stt_path b = place(B);
    setup(&f);
    ck_assert_int_eq(comes(&f, &b, FULL, true, false), STT_PATHS_SAME);
    ck_assert_int_eq(comes(&f, &b, FULL, false, true), STT_PATHS_SAME);
    ck_assert_int_eq(comes(&f, &b, FULL, false, false), STT_PATHS_SAME);
    ck_assert(is_current(&f, A));
}
END_TEST

/* Each part of a path, changed alone, and whether it is the same way to the same host. */
static struct stt_path changed(int part)
{
    struct stt_path path = place(A);
    if (part == 0)
        path.remote.port++;
    if (part == 1)
        path.remote.ip[15]++;
    if (part == 2)
        path.remote.ip[0] = 0x20; /* IPv6, case 42 */
    if (part == 3)
        path.remote.scope = 2;
    if (part == 4)
        path.local.ip[15]++;
    if (part == 5)
        path.local.port++;
    if (part == 6)
        path.carrier = 1;
    return path;
}

START_TEST(every_part_of_a_path_counts)
{
    struct fixture f;
    struct stt_path path = changed(_i);
    setup(&f);
    ck_assert_int_eq(comes(&f, &path, FULL, true, true), STT_PATHS_TRIAL);
}
END_TEST

START_TEST(a_change_of_the_remote_port_alone_is_reported_as_such)
{
    struct fixture f;
    struct stt_path path = changed(_i);
    setup(&f);
    ck_assert_int_eq(comes(&f, &path, FULL, true, true), STT_PATHS_TRIAL);
    ck_assert_int_eq(stt_paths_is_port_change(&f.p), _i == 0);
}
END_TEST

START_TEST(a_local_address_that_was_not_known_is_learnt)
{
    struct fixture f;
    struct stt_path a = place(A), a_unknown = a, a_other = changed(4);
    setup(&f);
    a_unknown.local = (struct stt_address){.port = 0};
    stt_paths_init(&f.p, &a_unknown);
    ck_assert_int_eq(comes(&f, &a, FULL, true, true), STT_PATHS_SAME);
    ck_assert(is_current(&f, A));
    ck_assert_int_eq(comes(&f, &a_unknown, FULL, true, true), STT_PATHS_SAME);
    ck_assert(is_current(&f, A));
    ck_assert_int_eq(comes(&f, &a_other, FULL, true, true), STT_PATHS_TRIAL);
}
END_TEST

START_TEST(a_path_keeps_its_index_as_long_as_it_is_here)
{
    struct fixture f;
    struct stt_path a = place(A), b = place(B), c = place(C);
    setup_trial(&f);
    int kept = stt_paths_which(&f.p, &a), tried = stt_paths_which(&f.p, &b);
    ck_assert_int_eq(f.p.in_use, tried);
    ck_assert_int_eq(kept + tried, 1);
    ck_assert_int_eq(stt_paths_which(&f.p, &c), STT_PATH_NONE);
    ck_assert_int_eq(response_from(&f, B, f.sent[B]), STT_PATHS_MOVED);
    ck_assert_int_eq(stt_paths_which(&f.p, &b), tried);
    ck_assert_int_eq(stt_paths_which(&f.p, &a), STT_PATH_NONE);
    ck_assert_int_eq(packet_from(&f, C, FULL), STT_PATHS_TRIAL);
    ck_assert_int_eq(stt_paths_which(&f.p, &b), tried);
    ck_assert_int_eq(stt_paths_which(&f.p, &c), kept);
}
END_TEST

/* -- challenges
 * --------------------------------------------------------------------------------------- */

START_TEST(both_paths_are_challenged_each_with_a_token_of_its_own)
{
    struct fixture f;
    setup_trial(&f);
    ck_assert_uint_eq(f.said, 2);
    ck_assert(f.sent[A] && f.sent[B] && f.sent[A] != f.sent[B]);
}
END_TEST

START_TEST(a_challenge_is_padded_where_the_limit_allows)
{
    struct fixture f;
    struct stt_paths_say s;
    setup(&f);
    packet_from(&f, B, FULL / 3 - 1);
    ck_assert(say(&f, &s) && place_of(&s.path) == B && !s.pads);
    ck_assert(say(&f, &s) && place_of(&s.path) == A && s.pads);
    setup(&f);
    packet_from(&f, B, FULL / 3);
    ck_assert(say(&f, &s) && place_of(&s.path) == B && s.pads);
}
END_TEST

/* When each round is due, in PTO since the trial began. */
static const unsigned rounds[] = {1, 2, 4, 8, 16, 32};

START_TEST(challenges_come_each_pto_and_after_the_third_ever_more_slowly)
{
    struct fixture f;
    setup_trial(&f);
    stt_ns begun = f.now;
    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
        while (stt_paths_deadline(&f.p) < begun + rounds[i] * pto) { /* the trial's end, once */
            wait(&f, stt_paths_deadline(&f.p) - f.now);
            say_all(&f);
            ck_assert_uint_eq(f.said, 0);
        }
        ck_assert_uint_eq(stt_paths_deadline(&f.p), begun + rounds[i] * pto);
        wait(&f, stt_paths_deadline(&f.p) - f.now);
        feed(&f);
        say_all(&f);
        ck_assert(f.sent[A] && f.sent[B]);
    }
    for (int i = 0; i < 300; i++) {
        ck_assert_uint_le(stt_paths_deadline(&f.p), f.now + STT_PTO_NS_MAX);
        wait(&f, stt_paths_deadline(&f.p) - f.now);
    }
    ck_assert_uint_eq(stt_paths_deadline(&f.p), f.now + STT_PTO_NS_MAX);
}
END_TEST

START_TEST(a_path_that_has_answered_is_not_challenged_again)
{
    struct fixture f;
    setup_trial(&f);
    ck_assert_int_eq(response_from(&f, A, f.sent[A]), STT_PATHS_SAME);
    wait(&f, pto);
    say_all(&f);
    ck_assert(!f.sent[A] && f.sent[B]);
}
END_TEST

START_TEST(a_challenge_that_is_due_is_not_sent_to_who_answers_before)
{
    struct fixture f;
    setup_trial(&f);
    uint64_t to_a = f.sent[A];
    wait(&f, pto);
    ck_assert_int_eq(response_from(&f, A, to_a), STT_PATHS_SAME);
    say_all(&f);
    ck_assert(!f.sent[A] && f.sent[B]);
}
END_TEST

START_TEST(expiring_early_or_twice_does_no_harm)
{
    struct fixture f;
    setup_trial(&f);
    stt_ns deadline = stt_paths_deadline(&f.p);
    ck_assert_int_eq(wait(&f, pto - 1), STT_PATHS_SAME);
    say_all(&f);
    ck_assert_uint_eq(f.said, 0);
    ck_assert_uint_eq(stt_paths_deadline(&f.p), deadline);
    wait(&f, 1);
    deadline = stt_paths_deadline(&f.p);
    wait(&f, 0);
    ck_assert_uint_eq(stt_paths_deadline(&f.p), deadline);
}
END_TEST

/* -- responses
 * ---------------------------------------------------------------------------------------- */

START_TEST(the_answer_of_the_new_path_ends_the_trial)
{
    struct fixture f;
    struct stt_paths_say s;
    setup_trial(&f);
    ck_assert_int_eq(response_from(&f, B, f.sent[B]), STT_PATHS_MOVED);
    ck_assert(is_current(&f, B));
    ck_assert_uint_eq(stt_paths_deadline(&f.p), STT_NEVER);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), UINT64_MAX);
    ck_assert(!stt_paths_next(&f.p, &s));
    ck_assert_int_eq(response_from(&f, A, f.sent[A]), STT_PATHS_SAME);
    ck_assert_int_eq(packet_from(&f, A, FULL), STT_PATHS_TRIAL); /* A is elsewhere now */
}
END_TEST

START_TEST(the_new_paths_token_counts_only_from_the_new_path)
{
    struct fixture f;
    setup_trial(&f);
    ck_assert_int_eq(response_from(&f, A, f.sent[B]), STT_PATHS_SAME);
    ck_assert_int_eq(response_from(&f, C, f.sent[B]), STT_PATHS_SAME);
    ck_assert_int_eq(response_from(&f, B, UNKNOWN_TOKEN), STT_PATHS_SAME);
    ck_assert_int_eq(response_from(&f, B, 0), STT_PATHS_SAME);
    ck_assert_int_eq(wait(&f, 3 * pto), STT_PATHS_SAME); /* nobody has answered */
}
END_TEST

START_TEST(the_old_paths_token_counts_wherever_it_comes_from)
{
    struct fixture f;
    setup_trial(&f);
    ck_assert_int_eq(response_from(&f, _i, f.sent[A]), STT_PATHS_SAME);
    ck_assert_int_eq(wait(&f, 3 * pto), STT_PATHS_RETURNED);
    ck_assert(is_current(&f, A));
}
END_TEST

START_TEST(a_token_counts_in_its_own_trial_only)
{
    struct fixture f;
    setup_trial(&f);
    uint64_t to_a = f.sent[A], to_b = f.sent[B];
    ck_assert_int_eq(packet_from(&f, A, FULL), STT_PATHS_RETURNED);
    ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_TRIAL);
    ck_assert_int_eq(response_from(&f, B, to_b), STT_PATHS_SAME);
    ck_assert_int_eq(response_from(&f, A, to_a), STT_PATHS_SAME);
    ck_assert_int_eq(wait(&f, 3 * pto), STT_PATHS_SAME);
}
END_TEST

START_TEST(each_of_the_last_four_tokens_may_be_answered)
{
    struct fixture f;
    uint64_t sent[STT_PATH_TOKENS + 1];
    setup_trial(&f);
    sent[0] = f.sent[B];
    for (int i = 1; i <= STT_PATH_TOKENS; i++) {
        wait(&f, STT_S(10));
        feed(&f);
        say_all(&f);
        sent[i] = f.sent[B];
    }
    ck_assert_int_eq(response_from(&f, B, sent[_i]), _i ? STT_PATHS_MOVED : STT_PATHS_SAME);
}
END_TEST

START_TEST(a_response_without_a_trial_is_ignored)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(response_from(&f, A, 0), STT_PATHS_SAME);
    ck_assert_int_eq(response_from(&f, B, UNKNOWN_TOKEN), STT_PATHS_SAME);
    ck_assert(is_current(&f, A));
}
END_TEST

/* -- the limit
 * ---------------------------------------------------------------------------------------- */

START_TEST(three_times_the_bytes_that_came_may_go_to_the_new_path)
{
    struct fixture f;
    struct stt_path a = place(A), b = place(B);
    setup(&f);
    packet_from(&f, B, 100);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), 300);
    stt_paths_on_sent(&f.p, &b, 250);
    stt_paths_on_sent(&f.p, &a, FULL); /* the old path has no limit, and takes none */
    ck_assert_uint_eq(stt_paths_allowance(&f.p), 50);
    comes(&f, &b, 40, false, false); /* whatever opens counts, if it came from there */
    comes(&f, &a, FULL, false, true);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), 170);
    packet_from(&f, C, FULL);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), 170);
    stt_paths_on_sent(&f.p, &b, 171);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), 0);
}
END_TEST

/* It is where it was, and may have lost sight of us: who would speak first? */
START_TEST(a_peer_that_has_not_moved_is_told_as_much_as_there_is_to_say)
{
    struct fixture f;
    struct stt_path moved = place(A);
    moved.local.ip[15]++;
    setup(&f);
    ck_assert_int_eq(comes(&f, &moved, 30, true, true), STT_PATHS_TRIAL);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), UINT64_MAX);
    stt_paths_on_sent(&f.p, &moved, 10 * FULL);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), UINT64_MAX);
    moved.carrier++;
    setup(&f);
    ck_assert_int_eq(comes(&f, &moved, 30, true, true), STT_PATHS_TRIAL);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), 90);
}
END_TEST

START_TEST(what_does_not_fit_in_the_limit_waits)
{
    struct fixture f;
    struct stt_path b = place(B);
    setup(&f);
    packet_from(&f, B, 30);
    stt_paths_on_sent(&f.p, &b, 90);
    say_all(&f);
    ck_assert(f.sent[A] && !f.sent[B]);
    comes(&f, &b, 30, false, false);
    say_all(&f);
    ck_assert(!f.sent[A] && f.sent[B]);
}
END_TEST

START_TEST(a_challenge_that_cannot_be_sent_does_not_wake_the_session)
{
    struct fixture f;
    struct stt_path b = place(B);
    setup(&f);
    packet_from(&f, B, 30);
    stt_paths_on_sent(&f.p, &b, 90);
    for (int i = 0; i < 20; i++) {
        ck_assert_uint_gt(stt_paths_deadline(&f.p), f.now);
        wait(&f, stt_paths_deadline(&f.p) - f.now);
    }
}
END_TEST

/* -- how trials end
 * ------------------------------------------------------------------------------------ */

START_TEST(the_old_path_returns_after_3_pto_if_it_has_answered)
{
    struct fixture f;
    setup_trial(&f);
    ck_assert_int_eq(response_from(&f, A, f.sent[A]), STT_PATHS_SAME);
    ck_assert_int_eq(wait(&f, 3 * pto - 1), STT_PATHS_SAME);
    ck_assert(is_current(&f, B));
    ck_assert_int_eq(wait(&f, 1), STT_PATHS_RETURNED);
    ck_assert(is_current(&f, A));
    ck_assert_uint_eq(stt_paths_deadline(&f.p), STT_NEVER);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), UINT64_MAX);
}
END_TEST

/* _i: in PTO; who goes somewhere on purpose may go far. */
START_TEST(where_the_peer_came_to_an_id_of_its_own_the_old_path_returns_after_3_s_at_least)
{
    struct fixture f;
    setup(&f);
    struct stt_path b = place(B);
    stt_ns slow = STT_MS(_i * 500), end = _i * 1500 > 3000 ? 3 * slow : STT_S(3);
    struct stt_paths_packet packet = {&b, FULL, true, true, true, false};
    ck_assert_int_eq(stt_paths_on_packet(&f.p, f.now, slow, &packet), STT_PATHS_TRIAL);
    say_all(&f);
    ck_assert_int_eq(response_from(&f, A, f.sent[A]), STT_PATHS_SAME);
    f.now += end - 1;
    ck_assert_int_eq(stt_paths_expire(&f.p, f.now, slow), STT_PATHS_SAME);
    ck_assert(is_current(&f, B));
    ck_assert_int_eq(stt_paths_expire(&f.p, ++f.now, slow), STT_PATHS_RETURNED);
    ck_assert(is_current(&f, A));
}
END_TEST

START_TEST(a_move_of_our_own_is_given_up_after_6_pto_and_3_s_at_least)
{
    struct fixture f;
    setup(&f);
    struct stt_path b = place(B);
    stt_ns slow = STT_MS(_i * 250), end = _i * 1500 > 3000 ? 6 * slow : STT_S(3);
    ck_assert_int_eq(stt_paths_move(&f.p, f.now, slow, &b), STT_OK);
    f.now += end - 1;
    ck_assert_int_eq(stt_paths_expire(&f.p, f.now, slow), STT_PATHS_SAME);
    ck_assert_int_eq(stt_paths_expire(&f.p, ++f.now, slow), STT_PATHS_STAYED);
    ck_assert(is_current(&f, A));
}
END_TEST

START_TEST(the_new_path_may_answer_after_the_old_one)
{
    struct fixture f;
    setup_trial(&f);
    response_from(&f, A, f.sent[A]);
    ck_assert_int_eq(wait(&f, 2 * pto), STT_PATHS_SAME);
    ck_assert_int_eq(response_from(&f, B, f.sent[B]), STT_PATHS_MOVED);
    ck_assert(is_current(&f, B));
}
END_TEST

START_TEST(while_nobody_answers_the_trial_goes_on)
{
    struct fixture f;
    setup_trial(&f);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(wait(&f, 3 * pto), STT_PATHS_SAME);
    ck_assert(is_current(&f, B));
    say_all(&f);
    ck_assert(f.sent[A] && f.sent[B]);
    ck_assert_int_eq(response_from(&f, B, f.sent[B]), STT_PATHS_MOVED);
}
END_TEST

/* As in mode W, before IDENTITY is acknowledged: no challenge may be said. */
START_TEST(where_nobody_could_be_asked_the_old_path_returns_after_3_pto)
{
    struct fixture f;
    setup(&f);
    f.is_mute = true;
    ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_TRIAL);
    ck_assert_int_eq(wait(&f, 3 * pto - 1), STT_PATHS_SAME);
    ck_assert(is_current(&f, B));
    ck_assert_int_eq(wait(&f, 1), STT_PATHS_RETURNED);
    ck_assert(is_current(&f, A));
    ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_TRIAL); /* it is really there: again */
    say_all(&f);                                                 /* IDENTITY was acknowledged */
    ck_assert_int_eq(wait(&f, 3 * pto), STT_PATHS_SAME);
    ck_assert(is_current(&f, B));
}
END_TEST

START_TEST(the_old_path_returns_at_once_when_it_answers_late)
{
    struct fixture f;
    setup_trial(&f);
    ck_assert_int_eq(wait(&f, 3 * pto), STT_PATHS_SAME);
    ck_assert_int_eq(response_from(&f, A, f.sent[A]), STT_PATHS_RETURNED);
    ck_assert(is_current(&f, A));
}
END_TEST

START_TEST(the_newest_packet_from_the_old_path_ends_the_trial)
{
    struct fixture f;
    struct stt_path a = place(A);
    setup_trial(&f);
    ck_assert_int_eq(comes(&f, &a, FULL, false, true), STT_PATHS_SAME); /* overtaken */
    ck_assert_int_eq(comes(&f, &a, FULL, true, false), STT_PATHS_SAME); /* a mere response */
    ck_assert(is_current(&f, B));
    ck_assert_int_eq(comes(&f, &a, FULL, true, true), STT_PATHS_RETURNED);
    ck_assert(is_current(&f, A));
}
END_TEST

START_TEST(a_third_address_starts_no_trial_within_3_pto)
{
    struct fixture f;
    setup_trial(&f);
    ck_assert_int_eq(packet_from(&f, C, FULL), STT_PATHS_SAME);
    wait(&f, 3 * pto - 1);
    ck_assert_int_eq(packet_from(&f, C, FULL), STT_PATHS_SAME);
    ck_assert(is_current(&f, B));
}
END_TEST

START_TEST(a_third_address_takes_the_place_of_one_that_did_not_answer)
{
    struct fixture f;
    struct stt_path a = place(A), b = place(B);
    setup_trial(&f);
    uint64_t to_a = f.sent[A], to_b = f.sent[B];
    int index = f.p.in_use;
    wait(&f, 3 * pto);
    ck_assert_int_eq(packet_from(&f, C, 100), STT_PATHS_TRIAL);
    ck_assert(is_current(&f, C) && f.p.in_use == index);
    ck_assert_int_eq(stt_paths_which(&f.p, &a), 1 - index); /* still kept */
    ck_assert_int_eq(stt_paths_which(&f.p, &b), STT_PATH_NONE);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), 300);
    ck_assert_int_eq(response_from(&f, C, to_b), STT_PATHS_SAME);
    ck_assert_int_eq(response_from(&f, A, to_a), STT_PATHS_SAME);
    ck_assert_int_eq(wait(&f, 3 * pto), STT_PATHS_SAME); /* tokens of before count no more */
    say_all(&f);
    ck_assert_int_eq(response_from(&f, A, f.sent[A]), STT_PATHS_RETURNED);
    ck_assert(is_current(&f, A));
}
END_TEST

START_TEST(after_four_failed_trials_the_next_waits_until_the_first_is_10_s_old)
{
    struct fixture f;
    setup(&f);
    f.now = _i ? STT_S(100) : 0;
    stt_ns first = f.now;
    for (unsigned i = 0; i < STT_PATH_FAILED_TRIALS_MAX; i++) {
        ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_TRIAL);
        ck_assert_int_eq(packet_from(&f, A, FULL), STT_PATHS_RETURNED);
        f.now += STT_S(1);
    }
    f.now = first + STT_S(10) - 1;
    ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_SAME);
    ck_assert(is_current(&f, A));
    f.now++;
    ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_TRIAL);
    ck_assert_int_eq(packet_from(&f, A, FULL), STT_PATHS_RETURNED);
    ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_SAME); /* now the second counts */
    f.now += STT_S(1);
    ck_assert_int_eq(packet_from(&f, B, FULL), STT_PATHS_TRIAL);
}
END_TEST

START_TEST(trials_that_succeed_are_not_limited)
{
    struct fixture f;
    setup(&f);
    for (int i = 1; i < 100; i++) {
        ck_assert_int_eq(packet_from(&f, i % PLACES, FULL), STT_PATHS_TRIAL);
        say_all(&f);
        ck_assert_int_eq(response_from(&f, i % PLACES, f.sent[i % PLACES]), STT_PATHS_MOVED);
    }
}
END_TEST

/* An attacker copies a packet and is faster, from an address of his choice. He gets three times its
 * bytes at most; the peer, which only listens, answers the challenge where it was all the time. */
START_TEST(a_copied_packet_from_a_spoofed_source_is_challenged_and_traffic_returns_case_17)
{
    struct fixture f;
    struct stt_paths_say s;
    struct stt_path spoofed = place(C);
    uint64_t bytes = 0;
    setup(&f);
    ck_assert_int_eq(packet_from(&f, C, FULL), STT_PATHS_TRIAL);
    uint64_t to_peer = 0;
    for (int i = 0; i < 4; i++) {
        while (say(&f, &s)) {
            bytes += place_of(&s.path) == C ? FULL : 0;
            to_peer = to_peer ? to_peer : f.sent[A];
        }
        while (stt_paths_allowance(&f.p) >= FULL && is_current(&f, C)) { /* all that waits */
            stt_paths_on_sent(&f.p, &spoofed, FULL);
            bytes += FULL;
        }
        if (i == 0)
            ck_assert_int_eq(response_from(&f, A, to_peer), STT_PATHS_SAME);
        enum stt_paths_news news = wait(&f, pto);
        ck_assert_int_eq(news, i < 2 ? STT_PATHS_SAME : i < 3 ? STT_PATHS_RETURNED : news);
    }
    ck_assert(is_current(&f, A));
    ck_assert_uint_le(bytes, 3 * FULL);
    ck_assert_uint_eq(stt_paths_allowance(&f.p), UINT64_MAX);
}
END_TEST

/* The same, while the peer sends: its next packet ends it. And it is no way to keep a session busy.
 */
START_TEST(copied_packets_of_a_busy_peer_draw_four_trials_in_10_s_case_17)
{
    struct fixture f;
    unsigned trials = 0;
    setup(&f);
    for (stt_ns end = f.now + STT_S(10); f.now < end; f.now += STT_MS(1)) {
        trials += packet_from(&f, C, FULL) == STT_PATHS_TRIAL;
        (void)!packet_from(&f, A, FULL);
        ck_assert(is_current(&f, A));
    }
    ck_assert_uint_eq(trials, STT_PATH_FAILED_TRIALS_MAX);
}
END_TEST

/* -- challenges of the peer
 * ---------------------------------------------------------------------------- */

START_TEST(a_challenge_is_answered_where_it_came_from_with_its_token)
{
    struct fixture f;
    struct stt_paths_say s;
    setup(&f);
    challenge_from(&f, _i, 4711);
    ck_assert(say(&f, &s));
    ck_assert_int_eq(place_of(&s.path), _i);
    ck_assert(s.response && !s.challenge);
    ck_assert_uint_eq(be64_load(s.response_token), 4711);
    ck_assert(!say(&f, &s));
    ck_assert(is_current(&f, A));
}
END_TEST

START_TEST(of_a_flood_of_challenges_only_the_newest_is_answered_case_24)
{
    struct fixture f;
    struct stt_paths_say s;
    setup(&f);
    for (uint64_t token = 1; token <= 1000; token++)
        challenge_from(&f, (int)(token % PLACES), token);
    ck_assert(say(&f, &s));
    ck_assert_int_eq(place_of(&s.path), 1000 % PLACES);
    ck_assert_uint_eq(be64_load(s.response_token), 1000);
    ck_assert(!say(&f, &s));
}
END_TEST

START_TEST(challenge_and_response_share_a_packet_on_their_path)
{
    struct fixture f;
    struct stt_paths_say s;
    setup(&f);
    packet_from(&f, B, FULL);
    challenge_from(&f, B, 4711);
    ck_assert(say(&f, &s) && place_of(&s.path) == B && s.challenge && s.response);
    ck_assert(say(&f, &s) && place_of(&s.path) == A && s.challenge && !s.response);
    ck_assert(!say(&f, &s));
}
END_TEST

START_TEST(a_response_waits_for_the_limit_and_holds_up_nothing_else)
{
    struct fixture f;
    struct stt_paths_say s;
    struct stt_path b = place(B);
    setup(&f);
    packet_from(&f, B, 30);
    stt_paths_on_sent(&f.p, &b, 90);
    challenge_from(&f, B, 4711);
    ck_assert(say(&f, &s) && place_of(&s.path) == A && !s.response);
    ck_assert(!say(&f, &s));
    comes(&f, &b, 30, false, false);
    ck_assert(say(&f, &s) && place_of(&s.path) == B && s.response);
}
END_TEST

SUITE("paths", TEST(at_first_one_path_is_in_use_and_nothing_is_said),
      TEST(packets_on_the_path_in_use_change_nothing), TEST(a_packet_from_elsewhere_starts_a_trial),
      TEST(a_packet_that_is_late_or_does_not_move_starts_none),
      LOOP(every_part_of_a_path_counts, 0, 7),
      LOOP(a_change_of_the_remote_port_alone_is_reported_as_such, 0, 7),
      TEST(a_local_address_that_was_not_known_is_learnt),
      TEST(a_path_keeps_its_index_as_long_as_it_is_here),
      TEST(both_paths_are_challenged_each_with_a_token_of_its_own),
      TEST(a_challenge_is_padded_where_the_limit_allows),
      TEST(challenges_come_each_pto_and_after_the_third_ever_more_slowly),
      TEST(a_path_that_has_answered_is_not_challenged_again),
      TEST(a_challenge_that_is_due_is_not_sent_to_who_answers_before),
      TEST(expiring_early_or_twice_does_no_harm), TEST(the_answer_of_the_new_path_ends_the_trial),
      TEST(the_new_paths_token_counts_only_from_the_new_path),
      LOOP(the_old_paths_token_counts_wherever_it_comes_from, A, C + 1),
      TEST(a_token_counts_in_its_own_trial_only),
      LOOP(each_of_the_last_four_tokens_may_be_answered, 0, STT_PATH_TOKENS + 1),
      TEST(a_response_without_a_trial_is_ignored),
      TEST(three_times_the_bytes_that_came_may_go_to_the_new_path),
      TEST(a_peer_that_has_not_moved_is_told_as_much_as_there_is_to_say),
      TEST(what_does_not_fit_in_the_limit_waits),
      TEST(a_challenge_that_cannot_be_sent_does_not_wake_the_session),
      TEST(the_old_path_returns_after_3_pto_if_it_has_answered),
      LOOP(where_the_peer_came_to_an_id_of_its_own_the_old_path_returns_after_3_s_at_least, 1, 5),
      LOOP(a_move_of_our_own_is_given_up_after_6_pto_and_3_s_at_least, 1, 5),
      TEST(the_new_path_may_answer_after_the_old_one), TEST(while_nobody_answers_the_trial_goes_on),
      TEST(where_nobody_could_be_asked_the_old_path_returns_after_3_pto),
      TEST(the_old_path_returns_at_once_when_it_answers_late),
      TEST(the_newest_packet_from_the_old_path_ends_the_trial),
      TEST(a_third_address_starts_no_trial_within_3_pto),
      TEST(a_third_address_takes_the_place_of_one_that_did_not_answer),
      LOOP(after_four_failed_trials_the_next_waits_until_the_first_is_10_s_old, 0, 2),
      TEST(trials_that_succeed_are_not_limited),
      TEST(a_copied_packet_from_a_spoofed_source_is_challenged_and_traffic_returns_case_17),
      TEST(copied_packets_of_a_busy_peer_draw_four_trials_in_10_s_case_17),
      LOOP(a_challenge_is_answered_where_it_came_from_with_its_token, 0, PLACES),
      TEST(of_a_flood_of_challenges_only_the_newest_is_answered_case_24),
      TEST(challenge_and_response_share_a_packet_on_their_path),
      TEST(a_response_waits_for_the_limit_and_holds_up_nothing_else))
