/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_session_ids plays an honest and a hostile peer at length; here are the
 * single cases. */
#include "stt/session/session_ids.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { OWN = 1, PEER = 2, LINGER_MS = 300 };

static const stt_ns linger_ns = STT_MS(LINGER_MS);

struct fixture {
    struct stt_session_ids ids;
    stt_ns now;
    uint32_t retire; /* of the last NEW_ID */
};

static struct stt_id id_of(uint8_t who, uint64_t sequence)
{
    struct stt_id id;
    be64_store(id.bytes, (uint64_t)who << 56 | sequence);
    return id;
}

static void setup(struct fixture *f, uint8_t own_max)
{
    *f = (struct fixture){.now = STT_S(100)};
    stt_session_ids_init(&f->ids, id_of(OWN, 0), id_of(PEER, 0));
    f->ids.own_max = own_max;
}

/* Fills up with ids of ours; answers how many were issued. */
static int issue_all(struct fixture *f)
{
    int n = 0, place;
    for (; (place = stt_session_ids_vacancy(&f->ids)) >= 0; n++)
        stt_session_ids_issue(&f->ids, place, id_of(OWN, f->ids.next_sequence));
    return n;
}

static uint64_t retire(struct fixture *f, uint64_t sequence)
{
    return stt_session_ids_on_retire(&f->ids, f->now, linger_ns, sequence);
}

static uint64_t take(struct fixture *f, uint64_t sequence, uint64_t retire_before)
{
    struct frame_new_id frame = {sequence, retire_before, id_of(PEER, sequence)};
    return stt_session_ids_on_new(&f->ids, f->now, &frame, &f->retire);
}

static void taken(struct fixture *f, uint64_t sequence, uint64_t retire_before)
{
    ck_assert_uint_eq(take(f, sequence, retire_before), STT_CLOSE_NO_ERROR);
}

static bool in_use(const struct fixture *f, uint64_t sequence)
{
    return stt_id_equal(*stt_session_ids_current(&f->ids), id_of(PEER, sequence));
}

/* The sequences whose RETIRE_ID the places of these bits say, as bits. */
static uint64_t retired(const struct fixture *f, uint32_t places)
{
    uint64_t sequences = 0;
    for (int place = 0; place < STT_SESSION_IDS_MAX; place++) {
        struct frame_retire_id frame;
        if (!(places >> place & 1))
            continue;
        ck_assert(stt_session_ids_retire(&f->ids, place, &frame));
        ck_assert_uint_eq(sequences >> frame.sequence & 1, 0);
        sequences |= UINT64_C(1) << frame.sequence;
    }
    ck_assert_uint_eq(places >> STT_SESSION_IDS_MAX, 0);
    return sequences;
}

static void ack_retirement(struct fixture *f, uint32_t places)
{
    for (int place = 0; place < STT_SESSION_IDS_MAX; place++)
        if (places >> place & 1)
            stt_session_ids_on_retire_acked(&f->ids, place);
}

/* -- ours ----------------------------------------------------------------------------------------
 */

START_TEST(at_first_there_are_the_two_ids_of_the_handshake)
{
    struct fixture f;
    setup(&f, 1);
    ck_assert(in_use(&f, 0));
    ck_assert_int_eq(issue_all(&f), 0);
    ck_assert_uint_eq(stt_session_ids_deadline(&f.ids), STT_NEVER);
}
END_TEST

START_TEST(as_many_ids_are_issued_as_the_peer_allows)
{
    struct fixture f;
    setup(&f, (uint8_t)_i);
    ck_assert_int_eq(issue_all(&f), _i - 1);
    ck_assert_uint_eq(f.ids.next_sequence, (uint64_t)_i);
}
END_TEST

START_TEST(new_id_says_sequence_and_id)
{
    struct fixture f;
    struct frame_new_id frame;
    setup(&f, 2);
    int place = stt_session_ids_vacancy(&f.ids);
    stt_session_ids_issue(&f.ids, place, id_of(OWN, 1));
    ck_assert(stt_session_ids_new(&f.ids, place, &frame));
    ck_assert_uint_eq(frame.sequence, 1);
    ck_assert_uint_eq(frame.retire_before, 0);
    ck_assert(stt_id_equal(frame.id, id_of(OWN, 1)));
}
END_TEST

START_TEST(of_an_id_that_was_retired_nothing_is_said_any_more)
{
    struct fixture f;
    struct frame_new_id frame;
    setup(&f, 2);
    int place = stt_session_ids_vacancy(&f.ids);
    stt_session_ids_issue(&f.ids, place, id_of(OWN, 1));
    ck_assert_uint_eq(retire(&f, 1), STT_CLOSE_NO_ERROR);
    ck_assert(!stt_session_ids_new(&f.ids, place, &frame));
}
END_TEST

START_TEST(a_retired_id_is_replaced_by_a_new_one_at_once)
{
    struct fixture f;
    setup(&f, STT_IDS_DEFAULT);
    issue_all(&f);
    ck_assert_uint_eq(retire(&f, 0), STT_CLOSE_NO_ERROR);
    ck_assert_int_eq(issue_all(&f), 1);
    ck_assert_uint_eq(f.ids.next_sequence, STT_IDS_DEFAULT + 1);
}
END_TEST

START_TEST(a_retired_id_names_the_session_for_a_while)
{
    struct fixture f;
    struct stt_id id;
    setup(&f, 4);
    issue_all(&f);
    ck_assert_uint_eq(retire(&f, 2), STT_CLOSE_NO_ERROR);
    ck_assert_uint_eq(stt_session_ids_deadline(&f.ids), f.now + linger_ns);
    ck_assert(!stt_session_ids_forget(&f.ids, f.now + linger_ns - 1, &id));
    ck_assert(stt_session_ids_forget(&f.ids, f.now + linger_ns, &id));
    ck_assert(stt_id_equal(id, id_of(OWN, 2)));
    ck_assert(!stt_session_ids_forget(&f.ids, f.now + linger_ns, &id));
    ck_assert_uint_eq(stt_session_ids_deadline(&f.ids), STT_NEVER);
}
END_TEST

START_TEST(an_id_is_retired_once)
{
    struct fixture f;
    setup(&f, 4);
    issue_all(&f);
    ck_assert_uint_eq(retire(&f, 2), STT_CLOSE_NO_ERROR);
    stt_ns deadline = stt_session_ids_deadline(&f.ids);
    f.now += linger_ns / 2;
    ck_assert_uint_eq(retire(&f, 2), STT_CLOSE_NO_ERROR);
    ck_assert_uint_eq(stt_session_ids_deadline(&f.ids), deadline);
    ck_assert_int_eq(issue_all(&f), 1);
}
END_TEST

START_TEST(live_ids_are_never_forgotten)
{
    struct fixture f;
    struct stt_id id;
    setup(&f, 8);
    issue_all(&f);
    ck_assert(!stt_session_ids_forget(&f.ids, STT_NEVER, &id));
}
END_TEST

START_TEST(retiring_what_was_never_issued_is_over_the_limit)
{
    struct fixture f;
    setup(&f, 4);
    issue_all(&f);
    ck_assert_uint_eq(retire(&f, 4), STT_CLOSE_ID_LIMIT);
    ck_assert_uint_eq(retire(&f, UINT64_MAX), STT_CLOSE_ID_LIMIT);
}
END_TEST

/* However fast a peer retires, within the rate: its retired ids linger their time, and only their
 * replacement waits. */
START_TEST(a_hasty_peer_waits_for_replacements_and_is_not_closed)
{
    struct fixture f;
    struct stt_id id;
    setup(&f, STT_IDS_MAX);
    issue_all(&f);
    for (uint64_t sequence = 0; sequence < STT_IDS_MAX; sequence++)
        ck_assert_uint_eq(retire(&f, sequence), STT_CLOSE_NO_ERROR);
    ck_assert_int_eq(issue_all(&f), 0);
    f.now += linger_ns;
    for (int i = 0; i < STT_SESSION_IDS_MAX; i++)
        ck_assert(stt_session_ids_forget(&f.ids, f.now, &id));
    ck_assert_int_eq(issue_all(&f), STT_SESSION_IDS_MAX);
}
END_TEST

START_TEST(a_flood_of_retire_id_closes_at_the_limit_case_25)
{
    struct fixture f;
    struct stt_id id;
    setup(&f, STT_IDS_DEFAULT);
    issue_all(&f);
    for (uint64_t n = 0; n < STT_ID_CHANGES_PER_MINUTE; n++) {
        ck_assert_uint_eq(retire(&f, n), STT_CLOSE_NO_ERROR);
        f.now += 1;
        while (stt_session_ids_forget(&f.ids, f.now + linger_ns, &id))
            continue;
        issue_all(&f);
    }
    ck_assert_uint_eq(retire(&f, STT_ID_CHANGES_PER_MINUTE), STT_CLOSE_ID_LIMIT);
}
END_TEST

/* An honest peer says again what was not acknowledged, each PTO. */
START_TEST(repeated_ids_do_not_count_for_the_limit)
{
    struct fixture f;
    setup(&f, STT_IDS_DEFAULT);
    for (unsigned n = 0; n < 100 * STT_ID_CHANGES_PER_MINUTE; n++) {
        ck_assert_uint_eq(retire(&f, 0), STT_CLOSE_NO_ERROR);
        ck_assert_uint_eq(take(&f, 1, 0), STT_CLOSE_NO_ERROR);
    }
}
END_TEST

/* -- the peer's ----------------------------------------------------------------------------------
 */

START_TEST(without_a_spare_id_nothing_changes)
{
    struct fixture f;
    setup(&f, 1);
    ck_assert_int_eq(stt_session_ids_change(&f.ids), -1);
    ck_assert(in_use(&f, 0));
}
END_TEST

START_TEST(a_change_uses_a_spare_id_and_retires_the_old_one)
{
    struct fixture f;
    setup(&f, 1);
    taken(&f, 1, 0);
    ck_assert_uint_eq(f.retire, 0);
    ck_assert(in_use(&f, 0));
    int old = stt_session_ids_change(&f.ids);
    ck_assert_int_ge(old, 0);
    ck_assert(in_use(&f, 1));
    ck_assert_uint_eq(retired(&f, 1u << old), 1u << 0);
}
END_TEST

START_TEST(an_id_that_was_used_never_comes_back)
{
    struct fixture f;
    setup(&f, 1);
    for (uint64_t sequence = 1; sequence < 30; sequence++) {
        taken(&f, sequence, 0);
        int old = stt_session_ids_change(&f.ids);
        ck_assert(in_use(&f, sequence));
        ck_assert_int_eq(stt_session_ids_change(&f.ids), -1);
        stt_session_ids_on_retire_acked(&f.ids, old);
        ck_assert_int_eq(stt_session_ids_change(&f.ids), -1);
    }
}
END_TEST

START_TEST(of_an_id_in_use_no_retirement_is_said)
{
    struct fixture f;
    struct frame_retire_id frame;
    setup(&f, 1);
    taken(&f, 1, 0);
    for (int place = 0; place < STT_SESSION_IDS_MAX; place++)
        ck_assert(!stt_session_ids_retire(&f.ids, place, &frame));
}
END_TEST

/* The place is another id's by then, and that one lives. */
START_TEST(a_late_ack_of_a_retirement_harms_nobody)
{
    struct fixture f;
    struct frame_retire_id frame;
    setup(&f, 1);
    taken(&f, 1, 0);
    int place = stt_session_ids_change(&f.ids);
    stt_session_ids_on_retire_acked(&f.ids, place);
    taken(&f, 2, 0);
    stt_session_ids_on_retire_acked(&f.ids, place);
    ck_assert(!stt_session_ids_retire(&f.ids, place, &frame));
    ck_assert_int_ge(stt_session_ids_change(&f.ids), 0);
    ck_assert(in_use(&f, 2));
}
END_TEST

START_TEST(a_new_id_that_comes_again_is_ignored)
{
    struct fixture f;
    setup(&f, 1);
    for (uint64_t sequence = 1; sequence < STT_IDS_DEFAULT; sequence++)
        for (int i = 0; i < 5; i++)
            taken(&f, sequence, 0);
}
END_TEST

START_TEST(a_new_id_that_comes_again_after_its_retirement_does_not_live_again)
{
    struct fixture f;
    setup(&f, 1);
    taken(&f, 1, 0);
    stt_session_ids_on_retire_acked(&f.ids, stt_session_ids_change(&f.ids));
    taken(&f, 2, 0);
    stt_session_ids_on_retire_acked(&f.ids, stt_session_ids_change(&f.ids));
    taken(&f, 1, 0);
    ck_assert_int_eq(stt_session_ids_change(&f.ids), -1);
    ck_assert(in_use(&f, 2));
}
END_TEST

START_TEST(a_repetition_is_known_however_old)
{
    struct fixture f;
    setup(&f, 1);
    for (uint64_t sequence = 1; sequence < 100; sequence++) {
        taken(&f, sequence, 0);
        stt_session_ids_on_retire_acked(&f.ids, stt_session_ids_change(&f.ids));
        f.now += STT_S(60);
    }
    for (uint64_t sequence = 0; sequence < 99; sequence++) {
        taken(&f, sequence, 0);
        ck_assert_int_eq(stt_session_ids_change(&f.ids), -1);
        f.now += STT_S(60);
    }
}
END_TEST

START_TEST(ids_may_arrive_in_any_order)
{
    struct fixture f;
    setup(&f, 1);
    taken(&f, 3, 0);
    taken(&f, 1, 0);
    taken(&f, 2, 0);
    uint64_t used = 0;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_ge(stt_session_ids_change(&f.ids), 0);
        for (uint64_t sequence = 1; sequence < 4; sequence++)
            used |= in_use(&f, sequence) ? UINT64_C(1) << sequence : 0;
    }
    ck_assert_uint_eq(used, 0xe);
}
END_TEST

START_TEST(one_sequence_under_two_ids_is_a_violation)
{
    struct fixture f;
    setup(&f, 1);
    taken(&f, 1, 0);
    struct frame_new_id lie = {1, 0, id_of(PEER, 9)};
    ck_assert_uint_eq(stt_session_ids_on_new(&f.ids, f.now, &lie, &f.retire),
                      STT_CLOSE_PROTOCOL_VIOLATION);
}
END_TEST

START_TEST(one_id_under_two_sequences_is_a_violation)
{
    struct fixture f;
    setup(&f, 1);
    struct frame_new_id lie = {1, 0, id_of(PEER, 0)};
    ck_assert_uint_eq(stt_session_ids_on_new(&f.ids, f.now, &lie, &f.retire),
                      STT_CLOSE_PROTOCOL_VIOLATION);
}
END_TEST

START_TEST(one_live_id_too_many_is_over_the_limit)
{
    struct fixture f;
    setup(&f, 1);
    for (uint64_t sequence = 1; sequence < STT_IDS_DEFAULT; sequence++)
        taken(&f, sequence, 0);
    ck_assert_uint_eq(take(&f, STT_IDS_DEFAULT, 0), STT_CLOSE_ID_LIMIT);
}
END_TEST

START_TEST(retire_before_retires_all_smaller_sequences_and_moves_to_another)
{
    struct fixture f;
    setup(&f, 1);
    for (uint64_t sequence = 1; sequence < STT_IDS_DEFAULT; sequence++)
        taken(&f, sequence, 0);
    taken(&f, 4, 3);
    ck_assert_uint_eq(retired(&f, f.retire), 0x7);
    ck_assert(in_use(&f, 3) || in_use(&f, 4));
}
END_TEST

START_TEST(retire_before_may_ask_for_all_but_the_new_one)
{
    struct fixture f;
    setup(&f, 1);
    for (uint64_t sequence = 1; sequence < STT_IDS_DEFAULT; sequence++)
        taken(&f, sequence, 0);
    taken(&f, 4, 4);
    ck_assert_uint_eq(retired(&f, f.retire), 0xf);
    ck_assert(in_use(&f, 4));
}
END_TEST

START_TEST(retire_before_never_falls)
{
    struct fixture f;
    setup(&f, 1);
    taken(&f, 1, 1);
    ck_assert_uint_eq(retired(&f, f.retire), 0x1);
    taken(&f, 2, 0);
    ck_assert_uint_eq(f.ids.retire_before, 1);
    ck_assert_uint_eq(f.retire, 0);
}
END_TEST

/* It was issued before the demand and overtaken by it: it counts for no limit. */
START_TEST(a_late_id_below_retire_before_is_retired_at_once)
{
    struct fixture f;
    setup(&f, 1);
    taken(&f, 2, 2);
    ack_retirement(&f, f.retire);
    for (uint64_t sequence = 3; sequence < 2 + STT_IDS_DEFAULT; sequence++)
        taken(&f, sequence, 0);
    taken(&f, 1, 0);
    ck_assert_uint_eq(retired(&f, f.retire), 0x2);
    ck_assert(in_use(&f, 2));
}
END_TEST

START_TEST(new_ids_may_come_before_the_acks_of_retirements)
{
    struct fixture f;
    setup(&f, 1);
    for (uint64_t sequence = 1; sequence < STT_IDS_DEFAULT; sequence++)
        taken(&f, sequence, 0);
    uint32_t places = 0;
    for (uint64_t sequence = STT_IDS_DEFAULT; sequence < 2 * STT_IDS_DEFAULT; sequence++) {
        places |= 1u << stt_session_ids_change(&f.ids);
        taken(&f, sequence, 0);
    }
    ck_assert_uint_eq(retired(&f, places), 0xf);
}
END_TEST

START_TEST(a_flood_of_new_id_closes_at_the_limit_case_25)
{
    struct fixture f;
    setup(&f, 1);
    for (uint64_t sequence = 1; sequence <= STT_ID_CHANGES_PER_MINUTE; sequence++) {
        taken(&f, sequence, sequence);
        ack_retirement(&f, f.retire);
        f.now++;
    }
    ck_assert_uint_eq(take(&f, STT_ID_CHANGES_PER_MINUTE + 1, STT_ID_CHANGES_PER_MINUTE + 1),
                      STT_CLOSE_ID_LIMIT);
}
END_TEST

/* It asks for retirements and never acknowledges one: what is owed to it stays bounded. */
START_TEST(a_flood_of_retire_before_without_acks_closes_at_the_limit_case_25)
{
    struct fixture f;
    setup(&f, 1);
    uint64_t sequence = 1, code;
    do {
        code = take(&f, sequence, sequence);
        f.now += STT_S(60);
    } while (code == STT_CLOSE_NO_ERROR && sequence++ < 1000);
    ck_assert_uint_eq(code, STT_CLOSE_ID_LIMIT);
    ck_assert_uint_eq(sequence, STT_SESSION_IDS_MAX);
}
END_TEST

START_TEST(who_keeps_to_two_changes_in_a_second_is_never_closed)
{
    struct fixture f;
    struct stt_id id;
    setup(&f, STT_IDS_DEFAULT);
    issue_all(&f);
    for (uint64_t n = 0; n < 5000; n++) {
        f.now += STT_MS(500);
        ck_assert_uint_eq(retire(&f, n), STT_CLOSE_NO_ERROR);
        taken(&f, n + 1, n + 1);
        ack_retirement(&f, f.retire);
        while (stt_session_ids_forget(&f.ids, f.now, &id))
            continue;
        ck_assert_int_eq(issue_all(&f), 1);
    }
}
END_TEST

SUITE("session_ids", TEST(at_first_there_are_the_two_ids_of_the_handshake),
      LOOP(as_many_ids_are_issued_as_the_peer_allows, STT_IDS_MIN, STT_IDS_MAX + 1),
      TEST(new_id_says_sequence_and_id), TEST(of_an_id_that_was_retired_nothing_is_said_any_more),
      TEST(a_retired_id_is_replaced_by_a_new_one_at_once),
      TEST(a_retired_id_names_the_session_for_a_while), TEST(an_id_is_retired_once),
      TEST(live_ids_are_never_forgotten), TEST(retiring_what_was_never_issued_is_over_the_limit),
      TEST(a_hasty_peer_waits_for_replacements_and_is_not_closed),
      TEST(a_flood_of_retire_id_closes_at_the_limit_case_25),
      TEST(repeated_ids_do_not_count_for_the_limit), TEST(without_a_spare_id_nothing_changes),
      TEST(a_change_uses_a_spare_id_and_retires_the_old_one),
      TEST(an_id_that_was_used_never_comes_back), TEST(of_an_id_in_use_no_retirement_is_said),
      TEST(a_late_ack_of_a_retirement_harms_nobody), TEST(a_new_id_that_comes_again_is_ignored),
      TEST(a_new_id_that_comes_again_after_its_retirement_does_not_live_again),
      TEST(a_repetition_is_known_however_old), TEST(ids_may_arrive_in_any_order),
      TEST(one_sequence_under_two_ids_is_a_violation),
      TEST(one_id_under_two_sequences_is_a_violation), TEST(one_live_id_too_many_is_over_the_limit),
      TEST(retire_before_retires_all_smaller_sequences_and_moves_to_another),
      TEST(retire_before_may_ask_for_all_but_the_new_one), TEST(retire_before_never_falls),
      TEST(a_late_id_below_retire_before_is_retired_at_once),
      TEST(new_ids_may_come_before_the_acks_of_retirements),
      TEST(a_flood_of_new_id_closes_at_the_limit_case_25),
      TEST(a_flood_of_retire_before_without_acks_closes_at_the_limit_case_25),
      TEST(who_keeps_to_two_changes_in_a_second_is_never_closed))
