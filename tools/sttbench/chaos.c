/* SPDX-License-Identifier: MIT
 * chaos: to be written. */
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"

enum exits bench_chaos(int argc, char **argv)
{
    (void)argc;
    say_error("%s is not there yet", argv[0]);
    return EXIT_USAGE;
}
