/* SPDX-License-Identifier: MIT
 * outcomes: one table of what can become of an entry. A failure is one sentence here, on each side,
 * and the first one says how the program ends; the others go on. Spec 10, "Files". */
#include "tools/sttcat/outcomes.h"

#include "tools/common/say.h"

#include <stdio.h>

static const struct {
    const char *name;
    enum exits here, there;
    const char *sentence, *advice;
} table[OUTCOME_COUNT] = {
    [OUTCOME_DONE] = {"done", EXIT_DONE, EXIT_DONE, "", ""},
    [OUTCOME_EXISTS] = {"exists", EXIT_EXISTS, EXIT_EXISTS,
                        "another one is there and was left alone", "move it elsewhere"},
    [OUTCOME_CONFINED] = {"confined", EXIT_PARTIAL, EXIT_PARTIAL,
                          "it would lead out of the directory, or through a link",
                          "send it in another form"},
    [OUTCOME_OUTPUT] = {"output", EXIT_LOCAL_IO, EXIT_PARTIAL, "it cannot be written",
                        "see to that, and send it again"},
    [OUTCOME_INTEGRITY] = {"integrity", EXIT_INTEGRITY, EXIT_INTEGRITY,
                           "what arrived is not what was read", "send it again"},
    [OUTCOME_INPUT] = {"input", EXIT_PARTIAL, EXIT_PARTIAL,
                       "it could not be read, or changed meanwhile", "send it again"},
    [OUTCOME_BUSY] = {"busy", EXIT_PARTIAL, EXIT_PARTIAL, "somebody else is writing it",
                      "wait for that to end"},
};

const char *outcome_name(enum wire_outcome outcome)
{
    return table[outcome].name;
}

static void tell_json(const struct outcome *o, const char *name)
{
    struct say_object object;
    say_object_begin(&object, "file");
    say_object_text(&object, "outcome", outcome_name(o->is));
    say_object_number(&object, "bytes", o->bytes);
    if (*o->why)
        say_object_text(&object, "why", o->why);
    say_object_text(&object, "name", name);
    say_object_end(&object);
}

static void tell_failure(const struct outcome *o, const char *name)
{
    char clean[512], why[WIRE_TEXT_MAX + 8] = "", cleaned[WIRE_TEXT_MAX];
    if (*o->why)
        snprintf(why, sizeof why, " (%s)", say_clean(o->why, cleaned, sizeof cleaned));
    say_error("%s: %s%s; %s", say_clean(name, clean, sizeof clean), table[o->is].sentence, why,
              table[o->is].advice);
}

void outcome_tell(struct peer *p, const struct outcome *o)
{
    char name[WIRE_NAME_MAX + 1], clean[512];
    memcpy(name, o->name.data, o->name.len);
    name[o->name.len] = '\0';
    if (say_is_json() && o->kind == ENTRY_FILE)
        tell_json(o, name);
    if (o->is == OUTCOME_DONE) {
        if (o->kind != ENTRY_DIRECTORY_END && say_wants(1))
            say_note(1, "%s", say_clean(name, clean, sizeof clean));
        return;
    }
    peer_note_failure(p, (int)(o->is_here ? table[o->is].here : table[o->is].there));
    tell_failure(o, name);
}
