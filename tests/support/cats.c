/* SPDX-License-Identifier: MIT */
#include "tests/support/cats.h"

struct programs p;
uint16_t port;

bool cats_begin(const char *io)
{
    if (!programs_begin_in_memory(&p, io))
        return false;
    port = programs_port();
    job_require(programs_run(&p, "sttkey seed -o seed"), DONE);
    return true;
}

struct job *listener(const char *words)
{
    struct job *j = programs_start(&p, "exec " CAT " -l 127.0.0.1 %u %s", port, words);
    job_line(j, "listening");
    return j;
}

struct job *fed_listener(const char *words)
{
    struct job *j = programs_start_fed(&p, "exec " CAT " -l 127.0.0.1 %u %s", port, words);
    job_line(j, "listening");
    return j;
}

struct job *client(const char *words)
{
    return programs_start(&p, "exec " CAT " 127.0.0.1 %u %s", port, words);
}

struct job *fed_client(const char *words)
{
    return programs_start_fed(&p, "exec " CAT " 127.0.0.1 %u %s", port, words);
}
