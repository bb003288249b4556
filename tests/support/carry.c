/* SPDX-License-Identifier: MIT */
#include "tests/support/carry.h"

#include <check.h>

void carry_begin(struct programs *p)
{
    job_require(programs_run(p, "sttkey seed -o ../seed"), 0);
}

static struct job *start(struct programs *p, const struct carry_plan *plan, bool gives,
                         uint16_t port)
{
    const char *before = gives ? plan->before_give : plan->before_take;
    bool listens = gives == plan->is_pull;
    return programs_start(p, "%s sttcat --seed-file ../seed %s 127.0.0.1:%u %s %s",
                          before ? before : "exec", listens ? "-l" : "", port,
                          gives ? "--send" : "--recv", gives ? plan->give : plan->take);
}

struct carry carry_start(struct programs *p, const struct carry_plan *plan)
{
    uint16_t port = programs_port();
    struct job *listens = start(p, plan, plan->is_pull, port);
    job_line(listens, "listening");
    if (plan->wan)
        port = programs_wan(p, port, plan->wan, plan->seed);
    struct job *goes = start(p, plan, !plan->is_pull, port);
    return plan->is_pull ? (struct carry){listens, goes} : (struct carry){goes, listens};
}

struct carry carry(struct programs *p, const struct carry_plan *plan)
{
    struct carry c = carry_start(p, plan);
    job_wait(c.giver);
    job_wait(c.taker);
    return c;
}

void carry_require(const struct carry *c, int giver, int taker)
{
    job_wait(c->giver);
    job_wait(c->taker);
    ck_assert_msg(c->giver->status == giver && c->taker->status == taker,
                  "the giver ended with %d, not %d: %s\nthe taker ended with %d, not %d: %s",
                  c->giver->status, giver, c->giver->err.text, c->taker->status, taker,
                  c->taker->err.text);
}
