/* SPDX-License-Identifier: MIT
 * The bare engine of sttbench: what each load does to it, and that it knows wrong bytes. */
#include "tests/support/suite.h"
#include "tools/sttbench/engine/engine.h"

#include <sys/wait.h>
#include <unistd.h>

static const struct engine_load loads[] = {
    {"one", .streams = 1},
    {"idle streams", .streams = 20},
    {"sending streams", .streams = 20, .all_send = true},
    {"small writes", .streams = 3, .is_small = true},
    {"in flight", .streams = 1, .in_flight = 200},
    {"idle sessions", .streams = 1, .idle_sessions = 5},
};
enum { LOADS = sizeof loads / sizeof loads[0] };

START_TEST(every_load_moves_its_bytes_without_allocations)
{
    struct engine *x = engine_new(&loads[_i], stt_sim_null_suite());
    engine_warm_up(x, 1 << 20);
    uint64_t allocations = engine_allocations(x), moved = x->moved, packets = x->packets;
    engine_run(x, 1 << 20);
    ck_assert_uint_eq(engine_allocations(x), allocations);
    ck_assert_uint_ge(x->moved - moved, loads[_i].is_small ? 1000 * 64 : 1 << 20);
    ck_assert_uint_ge((x->packets - packets) * ENGINE_PACKET_BYTES, x->moved - moved);
    ck_assert_uint_ge(x->most_in_flight, loads[_i].in_flight);
    ck_assert_double_eq(x->a.ns + x->b.ns, 0); /* nobody asked for the time */
    engine_free(x);
}
END_TEST

START_TEST(both_sides_pay_when_they_are_timed)
{
    struct engine *x = engine_new(&loads[0], stt_sim_null_suite());
    x->is_timed = true;
    engine_run(x, 1 << 20);
    ck_assert_double_gt(x->a.ns, 0);
    ck_assert_double_gt(x->b.ns, 0);
    engine_free(x);
}
END_TEST

START_TEST(the_same_work_twice_is_the_same)
{
    struct engine *x[2];
    for (int i = 0; i < 2; i++) {
        x[i] = engine_new(&loads[2], stt_sim_null_suite());
        engine_run(x[i], 3 << 20);
    }
    ck_assert_uint_eq(x[0]->packets, x[1]->packets);
    ck_assert_uint_eq(x[0]->moved, x[1]->moved);
    ck_assert_uint_eq(engine_allocations(x[0]), engine_allocations(x[1]));
    engine_free(x[0]);
    engine_free(x[1]);
}
END_TEST

static int status_of_check(const struct engine *x, const struct stt_part *part, uint64_t offset)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        fclose(stderr);
        engine_check(x, part, offset);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

START_TEST(wrong_bytes_end_the_program)
{
    const struct engine x = {.load = &loads[1]};
    uint8_t bytes[4] = {0, 251, (uint8_t)(2 * 251), (uint8_t)(3 * 251)};
    const struct stt_part part = {bytes, sizeof bytes};
    ck_assert_int_eq(status_of_check(&x, &part, 20), 0);
    ck_assert_int_eq(status_of_check(&x, &part, 20 + (1 << 18)), 0);
    ck_assert_int_eq(status_of_check(&x, &part, 21), 12);
    bytes[3]++;
    ck_assert_int_eq(status_of_check(&x, &part, 20), 12);
}
END_TEST

SUITE("engine of sttbench", LOOP(every_load_moves_its_bytes_without_allocations, 0, LOADS),
      TEST(both_sides_pay_when_they_are_timed), TEST(the_same_work_twice_is_the_same),
      TEST(wrong_bytes_end_the_program))
