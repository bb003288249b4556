/* SPDX-License-Identifier: MIT
 * Long random lives of streams and datagrams: hosts, a network and machines that do what a seed
 * says, and then everything must come through. tests/fuzz/fuzz_streams.c is the same with inputs
 * that are searched for. */
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/turmoil.h"

#include <stdlib.h>

enum { SEEDS = 300, BYTES_MIN = 300, BYTES_MAX = 3000 };

static void live(uint64_t seed)
{
    static uint8_t input[BYTES_MAX];
    struct rng r = rng_init(seed);
    size_t len = rng_between(&r, BYTES_MIN, BYTES_MAX);
    rng_fill(&r, input, len);
    (void)turmoil_live(bytes_of(input, len));
}

START_TEST(whatever_happened_before_everything_comes_through)
{
    live((uint64_t)_i);
}
END_TEST

/* With a number it lives that one alone: the one that a failure tells behind the test's name. */
int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        LOOP(whatever_happened_before_everything_comes_through, 0, SEEDS)};
    if (argc == 1)
        return suite_run("stream_chaos", tests, sizeof tests / sizeof tests[0]);
    live(strtoull(argv[1], NULL, 10));
    return 0;
}
