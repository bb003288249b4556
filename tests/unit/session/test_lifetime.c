/* SPDX-License-Identifier: MIT
 * The state table of the spec and that of the code are one. */
#include "stt/session/session.h"
#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int state_named(const char *name)
{
    for (unsigned i = 0; i < STT_SESSION_STATE_COUNT; i++)
        if (strcmp(stt_session_state_text(i), name) == 0)
            return (int)i;
    return -1;
}

START_TEST(states_have_the_names_of_the_spec)
{
    struct spec_table t;
    unsigned seen = 0;
    spec_table_init(&t, "04-session.md", "| state | means |");
    for (size_t i = 0; i < t.rows; i++) {
        int state = state_named(t.cell[i][0]);
        if (strcmp(t.cell[i][0], "idle") == 0)
            continue; /* has no object */
        ck_assert_msg(state >= 0, "the code has no state '%s'", t.cell[i][0]);
        seen |= 1u << state;
    }
    ck_assert_uint_eq(seen, (1u << STT_SESSION_STATE_COUNT) - 1);
    spec_table_fini(&t);
}
END_TEST

/* -- transitions: every row of the tables whose head is "| state | event | next | action |"
 * -------- */

#define BIT(name) (1u << STT_SESSION_##name)

/* What the spec calls by a word of its own. */
static const struct {
    const char *words;
    unsigned states;
} groups[] = {
    {"any before confirmed", BIT(COOKIE_WAIT) | BIT(MESSAGE_1_SENT) | BIT(MESSAGE_3_SENT)},
    {"any with keys", BIT(MESSAGE_3_SENT) | BIT(IDENTIFY) | BIT(OPEN)},
    {"any without keys", BIT(COOKIE_WAIT) | BIT(MESSAGE_1_SENT) | BIT(HALF_OPEN)},
};

/* "cookie wait, message 1 sent", "half open, K": what is no state is a condition. */
static unsigned states_of(char *cell)
{
    unsigned states = 0;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (strcmp(cell, groups[i].words) == 0)
            return groups[i].states;
    for (char *word = strtok(cell, ","); word; word = strtok(NULL, ",")) {
        int state = state_named(word + strspn(word, " "));
        states |= state >= 0 ? 1u << state : 0;
    }
    return states;
}

static void trim(char *cell)
{
    for (size_t n = strlen(cell); n && cell[n - 1] == ' ';)
        cell[--n] = 0;
}

static void take_row(const char *line, unsigned follows[STT_SESSION_STATE_COUNT])
{
    char from[200], event[400], next[200];
    if (sscanf(line, "| %199[^|]| %399[^|]| %199[^|]|", from, event, next) != 3)
        return;
    trim(from);
    trim(next);
    int to = state_named(next);
    unsigned states = states_of(from);
    for (unsigned i = 0; to >= 0 && i < STT_SESSION_STATE_COUNT; i++)
        if (states >> i & 1 && i != (unsigned)to)
            follows[i] |= 1u << to;
}

START_TEST(transitions_are_those_of_the_spec_and_no_others)
{
    unsigned follows[STT_SESSION_STATE_COUNT] = {0};
    char line[1000];
    bool inside = false;
    FILE *f = fopen(STT_SPEC_DIR "/04-session.md", "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        inside = line[0] == '|' && (inside || strncmp(line, "| state | event | next |", 24) == 0);
        if (inside)
            take_row(line, follows);
    }
    fclose(f);
    for (unsigned from = 0; from < STT_SESSION_STATE_COUNT; from++)
        for (unsigned to = 0; to < STT_SESSION_STATE_COUNT; to++)
            ck_assert_msg(stt_session_may_enter(from, to) == (follows[from] >> to & 1),
                          "from '%s' to '%s': code and spec differ", stt_session_state_text(from),
                          stt_session_state_text(to));
}
END_TEST

/* Of those that are not here, one is with another, one wakes nobody, and one is the endpoint's. */
START_TEST(timers_have_the_names_of_the_spec)
{
    static const char *const names[] = {
#define X(name, text) text,
        STT_SESSION_TIMERS(X)
#undef X
    };
    static const char *const elsewhere[] = {"`pto`", "`raise`", "`code`"};
    struct spec_table t;
    char cell[64];
    spec_table_init(&t, "04-session.md", "| timer | runs |");
    unsigned known = 0, others = 0;
    for (size_t row = 0; row < t.rows; row++) {
        const char *name = t.cell[row][0];
        for (int i = 0; i < STT_TIMER_COUNT; i++) {
            snprintf(cell, sizeof cell, "`%s`", names[i]);
            known += strcmp(name, cell) == 0;
        }
        for (int i = 0; i < 3; i++)
            others += strcmp(name, elsewhere[i]) == 0;
        ck_assert_msg(known + others == row + 1, "%s is no timer of a session", name);
    }
    spec_table_fini(&t);
    ck_assert_uint_eq(known, STT_TIMER_COUNT);
}
END_TEST

SUITE("lifetime", TEST(timers_have_the_names_of_the_spec), TEST(states_have_the_names_of_the_spec),
      TEST(transitions_are_those_of_the_spec_and_no_others))
