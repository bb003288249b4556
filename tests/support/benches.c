/* SPDX-License-Identifier: MIT */
#include "tests/support/benches.h"

#include <check.h>
#include <string.h>

void benches_begin(void)
{
    ck_assert(programs_begin_in_memory(&p, "mmsg"));
    port = programs_port();
}

struct job *bench_server(const char *words)
{
    struct job *j = programs_start(&p, "exec sttbench -s -B 127.0.0.1 -p %u %s", port, words);
    job_shows(j, "Server listening");
    return j;
}

struct job *bench_client(const char *words)
{
    return programs_start(&p, "exec sttbench -c 127.0.0.1 -p %u %s", port, words);
}

void bench_failed(struct job *j, int status, const char *says)
{
    job_require(j, status);
    json_t *o = object_of(j);
    ck_assert_msg(strstr(object_text(o, "error"), says) != NULL, "%s", object_text(o, "error"));
    ck_assert_ptr_null(object_at(o, "end.sum_received"));
    ck_assert(json_is_array(object_must(o, "intervals")));
    ck_assert(json_is_object(object_must(o, "start")));
    json_decref(o);
}
