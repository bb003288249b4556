/* SPDX-License-Identifier: MIT
 * A run's clock, its verdict, and that a packet is found to be wrong. */
#include "tests/support/suite.h"
#include "tools/sttbench/compare/run.h"
#include "tools/sttbench/shared/pair.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

static struct run *new_run(void)
{
    struct run *r = pair_memory(sizeof *r);
    ck_assert_ptr_nonnull(r);
    r->setup =
        (struct run_setup){.address = "127.0.0.1", .packet_bytes = 1452, .window = 8, .hashes = 1};
    return r;
}

/* As after a good run. */
static struct run *new_good_run(void)
{
    struct run *r = new_run();
    for (int i = 0; i < 2; i++)
        r->ends[i] = (struct run_end){.first = {1, 1, 1000},
                                      .last = {3, 2, 1000 + 2000000000},
                                      .n = 2,
                                      .bytes = 5000000000,
                                      .hash = 7};
    return r;
}

START_TEST(figures_are_of_the_time_between_the_readings)
{
    struct run *r = new_good_run();
    struct rows_sample s;
    r->ends[RUN_SENDER].last.cpu_s = 3; /* always busy */
    run_sample(r, &s);
    ck_assert_double_eq_tol(s.bits_per_s, 8e9, 1);
    ck_assert_double_eq_tol(s.sender_busy, 1, 1e-9);
    ck_assert_double_eq_tol(s.receiver_busy, 0.5, 1e-9);
    ck_assert_double_eq_tol(s.sender_s_per_gb, 1, 1e-9);
    ck_assert_double_eq_tol(s.receiver_s_per_gb, 0.5, 1e-9);
    pair_forget(r, sizeof *r);
}
END_TEST

START_TEST(a_run_is_fine_only_when_the_same_bytes_came)
{
    struct run *r = new_good_run();
    ck_assert_int_eq(run_judge(r, false, true), RUN_FINE);
    r->ends[RUN_RECEIVER].hash++;
    ck_assert_int_eq(run_judge(r, false, true), RUN_WRONG);
    ck_assert_int_eq(run_judge(r, true, true), RUN_FINE);
    r->ends[RUN_RECEIVER].hash--;
    r->ends[RUN_RECEIVER].bytes--;
    ck_assert_int_eq(run_judge(r, false, true), RUN_WRONG);
    atomic_store(&r->is_wrong, 1);
    ck_assert_int_eq(run_judge(r, true, true), RUN_WRONG);
    pair_forget(r, sizeof *r);
}
END_TEST

START_TEST(a_run_that_failed_or_was_cut_is_not_fine)
{
    struct run *r = new_good_run();
    r->ends[RUN_RECEIVER].n = 1;
    ck_assert_int_eq(run_judge(r, true, true), RUN_CUT);
    ck_assert_int_eq(run_judge(r, true, false), RUN_FAILED);
    pair_forget(r, sizeof *r);
}
END_TEST

START_TEST(the_clock_begins_with_the_sender_and_ends_with_the_receiver)
{
    struct run *r = new_run();
    r->setup.timed_s = 0.02;
    ck_assert(run_goes_on(r, RUN_RECEIVER, 1));
    ck_assert_uint_eq(r->ends[RUN_RECEIVER].n, 0);
    run_begin(r);
    while (run_goes_on(r, RUN_SENDER, 1) && r->ends[RUN_SENDER].n < 2)
        ;
    ck_assert_msg(run_goes_on(r, RUN_SENDER, 1), "the receiver has not seen the end");
    ck_assert(run_goes_on(r, RUN_RECEIVER, 2));
    usleep(30000);
    ck_assert(!run_goes_on(r, RUN_RECEIVER, 3));
    ck_assert(!run_goes_on(r, RUN_SENDER, 4));
    ck_assert_uint_eq(r->ends[RUN_RECEIVER].last.bytes, 3);
    ck_assert_double_ge(r->ends[RUN_SENDER].last.wall_s - r->ends[RUN_SENDER].first.wall_s, 0);
    pair_forget(r, sizeof *r);
}
END_TEST

START_TEST(pieces_differ_from_place_to_place)
{
    const uint8_t *a = run_piece(0);
    unsigned same = 0;
    for (uint64_t at = 1; at < 100; at++)
        same += memcmp(a, run_piece(at * RUN_PIECE_BYTES), 64) == 0;
    ck_assert_uint_lt(same, 5);
    ck_assert_ptr_eq(run_piece(12345), run_piece(12345));
}
END_TEST

/* -- packets that are not what was sent ----------------------------------------------------------
 */

/* One packet with number 0, with a hash of its own or another, and the end. */
static bool send_one(struct run *r, uint64_t wrong)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)},
                             .sin_port = htons((uint16_t)pair_await(&r->meeting.port))};
    uint8_t packet[1452] = {0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    r->hashes[0] = XXH3_64bits(packet + 8, sizeof packet - 8) + wrong;
    bool is_sent = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
                   send(fd, packet, sizeof packet, 0) == sizeof packet && send(fd, "", 1, 0) == 1;
    close(fd);
    return is_sent;
}

static bool send_right(void *memory)
{
    return send_one(memory, 0);
}

static bool send_wrong(void *memory)
{
    return send_one(memory, 1);
}

START_TEST(a_packet_that_is_not_as_it_was_sent_fails_the_run)
{
    bool (*const senders[])(void *memory) = {send_right, send_wrong};
    for (unsigned is_wrong = 0; is_wrong < 2; is_wrong++) {
        struct run *r = new_run();
        char why[OPTION_WHY_ROOM];
        const struct pair_end ends[2] = {{senders[is_wrong], -1, -1}, {trains_receive, -1, -1}};
        ck_assert_int_eq(pair_run(ends, r, STT_S(20), why), !is_wrong);
        ck_assert(!is_wrong || strcmp(why, "packet 0 is not as it was sent") == 0);
        ck_assert_uint_eq(atomic_load(&r->is_wrong), is_wrong);
        ck_assert_int_eq(run_judge(r, true, true), is_wrong ? RUN_WRONG : RUN_CUT);
        pair_forget(r, sizeof *r);
    }
}
END_TEST

SUITE("run", TEST(figures_are_of_the_time_between_the_readings),
      TEST(a_run_is_fine_only_when_the_same_bytes_came),
      TEST(a_run_that_failed_or_was_cut_is_not_fine),
      TEST(the_clock_begins_with_the_sender_and_ends_with_the_receiver),
      TEST(pieces_differ_from_place_to_place),
      TEST(a_packet_that_is_not_as_it_was_sent_fails_the_run))
