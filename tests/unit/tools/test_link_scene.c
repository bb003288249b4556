/* SPDX-License-Identifier: MIT
 * How flags become a path with flows, and when shares are fair. */
#include "tools/sttbench/link/scene.h"
#include "tools/sttbench/link/telling.h"

#include "tests/support/suite.h"

#include <string.h>

static struct scene s;
static char why[OPTION_WHY_ROOM];

static struct scene_wish usual(void)
{
    return (struct scene_wish){.rate = 100000000, .rtt = STT_MS(50)};
}

START_TEST(without_wishes_one_flow_is_alone)
{
    struct scene_wish w = usual();
    ck_assert_msg(scene_make(&s, &w, why), "%s", why);
    ck_assert_uint_eq(s.cell.n_flows, 1);
    ck_assert_ptr_null(s.cell.flows[0].control);
    ck_assert_uint_eq(s.cell.n_steps, 0);
    ck_assert_uint_eq(s.cell.time_ns, STT_S(20));
    ck_assert_uint_eq(s.cell.from_ns, 0);
    ck_assert_double_eq(s.cell.path.queue_bdps, 1);
}
END_TEST

START_TEST(rivals_begin_first_and_are_counted_when_all_are_there)
{
    struct scene_wish w = usual();
    w.vs = "cubic,stt-cubic,bbr,tcp";
    w.flows = 2;
    w.stagger = STT_S(6);
    ck_assert_msg(scene_make(&s, &w, why), "%s", why);
    static const char *const controls[] = {NULL, NULL, LINK_TCP, "cubic", "bbr", LINK_TCP};
    ck_assert_uint_eq(s.cell.n_flows, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct link_flow *f = &s.cell.flows[i];
        ck_assert(!controls[i] == !f->control);
        ck_assert(!f->control || strcmp(f->control, controls[i]) == 0);
        ck_assert_uint_eq(f->from_ns, i < 2 ? STT_S(6) * (i + 1) : 0);
    }
    ck_assert_uint_eq(s.cell.time_ns, STT_S(72));
    ck_assert_uint_eq(s.cell.from_ns, STT_S(22));
}
END_TEST

START_TEST(steps_are_of_rate_or_of_round_trip)
{
    const char *texts[] = {"10s:10M", "12.5s:rtt=200ms"};
    struct scene_wish w = usual();
    w.steps = (struct option_texts){texts, 2};
    ck_assert_msg(scene_make(&s, &w, why), "%s", why);
    ck_assert_uint_eq(s.cell.n_steps, 2);
    ck_assert_uint_eq(s.cell.steps[0].at_ns, STT_S(10));
    ck_assert_uint_eq(s.cell.steps[0].rate_bits_per_s, 10000000);
    ck_assert_uint_eq(s.cell.steps[0].rtt_ns, 0);
    ck_assert_uint_eq(s.cell.steps[1].at_ns, STT_MS(12500));
    ck_assert_uint_eq(s.cell.steps[1].rate_bits_per_s, 0);
    ck_assert_uint_eq(s.cell.steps[1].rtt_ns, STT_MS(200));
    ck_assert_uint_eq(s.cell.time_ns, STT_MS(32500));
}
END_TEST

static const char *const no_steps[] = {
    "",         ":",          "10s",     "10s:",    "0s:10M",      "10s:10Q", "10s:rtt=",
    "10s:10M:", "10s:rtt=1h", "-1s:10M", "10s:999", "10s:rtt=1ns", "x:10M",   "10s: 10M"};
enum { NO_STEPS = sizeof no_steps / sizeof no_steps[0] };

START_TEST(what_is_no_step_is_refused)
{
    const char *text = no_steps[_i];
    struct scene_wish w = usual();
    w.steps = (struct option_texts){&text, 1};
    ck_assert_msg(!scene_make(&s, &w, why), "'%s'", text);
    ck_assert_ptr_nonnull(strstr(why, "--step wants"));
}
END_TEST

START_TEST(a_policer_has_the_tokens_of_a_round_trip)
{
    struct scene_wish w = usual();
    w.police = 20000000;
    ck_assert_msg(scene_make(&s, &w, why), "%s", why);
    ck_assert_uint_eq(s.cell.path.police_burst_bytes, 125000);
    ck_assert_uint_eq(link_carries(&s.cell.path), 20000000);
    w.police_burst = 30000;
    ck_assert_msg(scene_make(&s, &w, why), "%s", why);
    ck_assert_uint_eq(s.cell.path.police_burst_bytes, 30000);
}
END_TEST

static const struct {
    const char *queue, *vs;
    uint32_t flows;
    bool has_rule;
    double least, most;
} fair[] = {
    {"0.05", "cubic", 1, true, 0, 75},
    {"0.2", "cubic", 1, true, 0, 75},
    {"0.5", "cubic", 1, true, 25, 75},
    {"1", "cubic", 1, true, 35, 65},
    {"4", "cubic", 1, true, 25, 75},
    {"10", "cubic", 1, false, 0, 0},
    {"1", NULL, 4, false, 0, 0},
    {"2", "cubic", 3, true, 50, 90},
    {"2", "cubic,bbr,cubic", 1, true, 10, 50},
};
enum { FAIR = sizeof fair / sizeof fair[0] };

START_TEST(what_is_fair_depends_on_the_queue_and_on_how_many_there_are)
{
    struct scene_wish w = usual();
    double least = 0, most = 0;
    w.queue = fair[_i].queue;
    w.vs = fair[_i].vs;
    w.flows = fair[_i].flows;
    ck_assert_msg(scene_make(&s, &w, why), "%s", why);
    ck_assert(scene_fair_share(&s.cell, &least, &most) == fair[_i].has_rule);
    ck_assert_double_eq_tol(least, fair[_i].least, 1e-9);
    ck_assert_double_eq_tol(most, fair[_i].most, 1e-9);
}
END_TEST

/* -- the matrix -------------------------------------------------------------------------------- */

START_TEST(each_scene_of_the_matrix_can_be_run)
{
    for (size_t i = 0; i < link_matrix_n; i++) {
        const struct link_cell *c = &link_matrix[i];
        char name[LINK_NAME_ROOM];
        bool has_tested = false;
        ck_assert_ptr_nonnull(c->group);
        ck_assert(c->demands[0].kind != LINK_DEMAND_none);
        ck_assert_uint_lt(strlen(link_cell_name(c, name)), LINK_NAME_ROOM - 1);
        ck_assert(c->n_flows >= 1 && c->n_flows <= LINK_FLOWS_MAX);
        ck_assert(c->n_steps <= LINK_STEPS_MAX && c->from_ns < c->time_ns);
        for (size_t f = 0; f < c->n_flows; f++) {
            has_tested |= !c->flows[f].control;
            ck_assert_uint_lt(c->flows[f].from_ns, c->time_ns);
        }
        ck_assert_msg(has_tested, "%s", name);
        for (size_t k = i + 1; k < link_matrix_n; k++) {
            char other[LINK_NAME_ROOM];
            link_cell_name(&link_matrix[k], other);
            ck_assert_msg(strcmp(name, other) != 0 || strcmp(c->group, link_matrix[k].group) != 0,
                          "%s", name);
        }
    }
}
END_TEST

START_TEST(demands_have_words)
{
    char words[LINK_NAME_ROOM];
    struct link_cell c = {.demands = {{LINK_DEMAND_rate, 9.3e6}}};
    ck_assert_str_eq(link_demand_words(&c, words), ">= 9.3 Mbit/s");
    c.demands[0] = (struct link_demand){LINK_DEMAND_queue, 25};
    ck_assert_str_eq(link_demand_words(&c, words), "<= 25 ms");
    c.demands[0] = (struct link_demand){LINK_DEMAND_share, 35};
    ck_assert_str_eq(link_demand_words(&c, words), ">= 35 %");
    c.demands[1] = (struct link_demand){LINK_DEMAND_greed, 65};
    ck_assert_str_eq(link_demand_words(&c, words), "35 to 65 %");
}
END_TEST

START_TEST(flows_of_a_kind_are_numbered)
{
    struct scene_wish w = usual();
    char name[LINK_NAME_ROOM];
    w.flows = 2;
    w.vs = "cubic,stt-cubic,bbr";
    ck_assert_msg(scene_make(&s, &w, why), "%s", why);
    static const char *const names[] = {"cubic 1", "cubic 2", "TCP cubic", "cubic, rival", "bbr"};
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(link_flow_name(&s.cell, "cubic", i, name), names[i]);
}
END_TEST

SUITE("link scene", TEST(without_wishes_one_flow_is_alone),
      TEST(rivals_begin_first_and_are_counted_when_all_are_there),
      TEST(steps_are_of_rate_or_of_round_trip), LOOP(what_is_no_step_is_refused, 0, NO_STEPS),
      TEST(a_policer_has_the_tokens_of_a_round_trip),
      LOOP(what_is_fair_depends_on_the_queue_and_on_how_many_there_are, 0, FAIR),
      TEST(each_scene_of_the_matrix_can_be_run), TEST(demands_have_words),
      TEST(flows_of_a_kind_are_numbered))
