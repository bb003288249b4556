/* SPDX-License-Identifier: MIT
 * options: reads what the table describes. A value is stored once, by the first source that has
 * it: flags, environment, file. Secrets among the arguments are refused unread. Must not know what
 * an option means. */
#include "tools/common/options.h"

#include "stt/identity.h"
#include "tools/common/units.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef STT_VERSION
#define STT_VERSION "0.1.0"
#endif

enum source { FROM_FLAG, FROM_ELSEWHERE };

bool options_refuse(char why[OPTION_WHY_ROOM], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, OPTION_WHY_ROOM, format, args);
    va_end(args);
    return false;
}

/* -- values ------------------------------------------------------------------------------------ */

static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);
    for (const char *at = choices; len && (at = strstr(at, value)); at++)
        if ((at == choices || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
    return false;
}

static void add_text(struct option_texts *texts, const char *value)
{
    const char **at = realloc(texts->at, (texts->n + 1) * sizeof *at);
    if (!at)
        abort();
    texts->at = at;
    at[texts->n++] = value;
}

static bool store_value(const struct option *o, void *to, const char *value)
{
    switch (o->kind) {
    case OPTION_FLAG:
        *(bool *)to = true;
        return true;
    case OPTION_COUNT:
        ++*(int *)to;
        return true;
    case OPTION_CHOICE:
        if (!is_choice(o->choices, value))
            return false;
        /* fall through */
    case OPTION_TEXT:
        *(const char **)to = value;
        return *value != 0;
    case OPTION_TEXTS:
    case OPTION_WORDS:
        add_text(to, value);
        return *value != 0;
    case OPTION_DURATION:
        return units_parse_duration(to, value) &&
               (!o->max || (*(stt_ns *)to >= STT_MS(o->min) && *(stt_ns *)to <= STT_MS(o->max)));
    case OPTION_RATE:
        return units_parse_rate(to, value);
    case OPTION_SIZE:
        return units_parse_size(to, value);
    case OPTION_NUMBER:
        return units_parse_number(to, value, o->min, o->max);
    }
    return false;
}

/* "a number from 1 to 64" */
static const char *wanted(const struct option *o, char *room, size_t len)
{
    static const char *const words[] = {
        [OPTION_FLAG] = "nothing",
        [OPTION_COUNT] = "nothing",
        [OPTION_TEXT] = "a text",
        [OPTION_TEXTS] = "a text",
        [OPTION_WORDS] = "a text",
        [OPTION_DURATION] = "a time such as 500ms, 10s, 2m or 1h",
        [OPTION_RATE] = "bits per second such as 500K, 20M or 1G",
        [OPTION_SIZE] = "bytes such as 64K, 20M or 1G",
    };
    if (o->kind == OPTION_DURATION && o->max)
        snprintf(room, len, "a time such as 500ms, 10s, 2m or 1h, from %u ms to %u s", o->min,
                 o->max / 1000);
    else if (o->value && (o->kind == OPTION_TEXT || o->kind == OPTION_TEXTS))
        snprintf(room, len, "a value, %s", o->value);
    else if (o->kind == OPTION_NUMBER)
        snprintf(room, len, "a number from %u to %u", o->min, o->max);
    else if (o->kind == OPTION_CHOICE)
        snprintf(room, len, "one of: %s", o->choices);
    else
        return words[o->kind];
    return room;
}

static bool takes_value(const struct option *o)
{
    return o->kind != OPTION_FLAG && o->kind != OPTION_COUNT;
}

static bool store(struct option_set *set, const struct option *o, const char *value,
                  const char *said, char *why)
{
    char room[160];
    size_t i = (size_t)(o - set->options);
    if (value && stt_text_is_secret(value))
        return options_refuse(why,
                              "%s holds a secret; secrets are never given like this: put it into a "
                              "file that only you can read",
                              said);
    if (!store_value(o, (char *)set->into + o->offset, value))
        return options_refuse(why, "%s wants %s, and got '%.60s'", said,
                              wanted(o, room, sizeof room), value);
    set->seen |= UINT64_C(1) << i;
    return true;
}

static bool is_seen(const struct option_set *set, const struct option *o)
{
    return set->seen >> (o - set->options) & 1;
}

static const struct option *find(const struct option_set *set, const char *name, size_t len)
{
    for (size_t i = 0; i < set->n; i++)
        if (strlen(set->options[i].name) == len && memcmp(set->options[i].name, name, len) == 0)
            return &set->options[i];
    return NULL;
}

static const struct option *find_letter(const struct option_set *set, char letter)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->options[i].letter == letter)
            return &set->options[i];
    return NULL;
}

bool options_is_set(const struct option_set *set, const char *name)
{
    const struct option *o = find(set, name, strlen(name));
    assert(o);
    return is_seen(set, o);
}

/* -- flags ------------------------------------------------------------------------------------- */

struct reading {
    struct option_set *set;
    int argc, at;
    char **argv;
    char *why;
    bool is_over; /* help was shown, or the version */
};

static const char *next(struct reading *r)
{
    return r->at < r->argc ? r->argv[r->at++] : NULL;
}

/* `value` stands in the same argument, or is NULL. */
static bool take(struct reading *r, const struct option *o, const char *value, const char *said)
{
    char room[160];
    if (takes_value(o) && !value && !(value = next(r)))
        return options_refuse(r->why, "%s wants %s", said, wanted(o, room, sizeof room));
    if (!store(r->set, o, value, said, r->why))
        return false;
    while (o->kind == OPTION_WORDS && r->at < r->argc && r->argv[r->at][0] != '-')
        if (!store(r->set, o, next(r), said, r->why))
            return false;
    return true;
}

static bool take_long(struct reading *r, const char *argument)
{
    const char *name = argument + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct option *o = find(r->set, name, len);
    char said[64];
    snprintf(said, sizeof said, "--%.*s", (int)(len < 50 ? len : 50), name);
    if (!o)
        return options_refuse(r->why, "there is no option %s; %s -h lists them", said,
                              r->set->program);
    if (equals && !takes_value(o))
        return options_refuse(r->why, "%s takes no value", said);
    return take(r, o, equals ? equals + 1 : NULL, said);
}

static bool take_letters(struct reading *r, const char *argument)
{
    for (const char *c = argument + 1; *c; c++) {
        const struct option *o = find_letter(r->set, *c);
        char said[] = {'-', isprint((unsigned char)*c) ? *c : '?', 0};
        if (!o)
            return options_refuse(r->why, "there is no option %s; %s -h lists them", said,
                                  r->set->program);
        if (takes_value(o))
            return take(r, o, c[1] ? c + 1 : NULL, said);
        if (!take(r, o, NULL, said))
            return false;
    }
    return true;
}

static void show_help(const struct option_set *set)
{
    printf("usage: %s %s\n%s\n\n", set->program, set->usage, set->about);
    for (const struct option *o = set->options; o < set->options + set->n; o++) {
        char left[80], letter[8] = "    ";
        if (!o->help)
            continue;
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-28s %s\n", left, o->help);
    }
    printf("  %-28s %s\n  %-28s %s\n", "-h, --help", "this", "    --version", "which one this is");
    printf("\nAll of it, with examples: man %.*s\n", (int)strcspn(set->program, " "), set->program);
}

/* What every tool answers by itself. */
static bool answer(const struct option_set *set, const char *argument)
{
    bool wants_help = strcmp(argument, "-h") == 0 || strcmp(argument, "--help") == 0;
    if (wants_help)
        show_help(set);
    else if (strcmp(argument, "--version") == 0)
        printf("%s %s\n", set->program, STT_VERSION);
    else
        return false;
    return true;
}

static bool take_argument(struct reading *r, bool *are_words)
{
    const char *argument = next(r);
    if (stt_text_is_secret(argument))
        return options_refuse(r->why,
                              "a secret stands among the arguments, where everybody on this "
                              "machine can read it; put it into a file that only you can read, "
                              "and make a new one");
    if (!*are_words && (r->is_over = answer(r->set, argument)))
        return true;
    if (*are_words || argument[0] != '-' || !argument[1])
        add_text(&r->set->words, argument);
    else if (strcmp(argument, "--") == 0)
        *are_words = true;
    else if (argument[1] == '-')
        return take_long(r, argument);
    else
        return take_letters(r, argument);
    return true;
}

bool options_read_arguments(struct option_set *set, int argc, char **argv, bool *is_over, char *why)
{
    struct reading r = {.set = set, .argc = argc, .at = 1, .argv = argv, .why = why};
    bool are_words = false;
    assert(set->n <= OPTIONS_MAX);
    *is_over = false;
    while (r.at < argc && !r.is_over)
        if (!take_argument(&r, &are_words))
            return false;
    *is_over = r.is_over;
    return true;
}

/* -- environment and file ---------------------------------------------------------------------- */

/* A flag elsewhere says yes or no. */
static bool store_setting(struct option_set *set, const struct option *o, const char *value,
                          const char *said, char *why)
{
    bool is_yes = is_choice("1 yes true on", value);
    if (!takes_value(o) && !is_yes && !is_choice("0 no false off", value))
        return options_refuse(why, "%s wants yes or no, and got '%.60s'", said, value);
    if (!takes_value(o) && !is_yes)
        return true;
    return store(set, o, value, said, why);
}

bool options_read_environment(struct option_set *set, char *why)
{
    for (const struct option *o = set->options; o < set->options + set->n; o++) {
        char name[64] = "STT_";
        for (size_t i = 0; i + 5 < sizeof name && o->name[i]; i++)
            name[i + 4] = (char)(o->name[i] == '-' ? '_' : toupper((unsigned char)o->name[i]));
        const char *value = o->is_setting && !is_seen(set, o) ? getenv(name) : NULL;
        if (value && *value && !store_setting(set, o, value, name, why))
            return false;
    }
    return true;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t len = strlen(text);
    while (len && isspace((unsigned char)text[len - 1]))
        text[--len] = 0;
    return text;
}

/* What was set is the text itself, for as long as the program runs. */
static bool keeps_text(const struct option *o)
{
    return o->kind == OPTION_TEXT || o->kind == OPTION_TEXTS || o->kind == OPTION_WORDS ||
           o->kind == OPTION_CHOICE;
}

/* What the file sets; what came before stays. */
static bool take_line(struct option_set *set, uint64_t before, char *line, const char *said,
                      char *why)
{
    char *text = trim(line), *equals = strchr(text, '=');
    if (!*text || *text == '#')
        return true;
    if (!equals)
        return options_refuse(why, "%s: a line is NAME = VALUE", said);
    *equals = 0;
    const char *name = trim(text);
    const struct option *o = find(set, name, strlen(name));
    if (!o || !o->is_setting)
        return true; /* of another tool */
    if (before >> (o - set->options) & 1)
        return true;
    char *value = strdup(trim(equals + 1));
    bool is_fine = value && store_setting(set, o, value, said, why);
    if (!is_fine || !keeps_text(o))
        free(value);
    return is_fine;
}

bool options_read_file(struct option_set *set, const char *path, char *why)
{
    char home[4096], said[200], *line = NULL;
    size_t room = 0;
    uint64_t before = set->seen;
    bool is_fine = true;
    bool is_named = path != NULL;
    if (!path && !options_home(home, sizeof home, "config"))
        return true;
    path = path ? path : home;
    FILE *f = fopen(path, "re");
    if (!f)
        return (!is_named && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) ||
               options_refuse(why, "%.150s cannot be read: %s", path, strerror(errno));
    for (unsigned n = 1; is_fine && getline(&line, &room, f) >= 0; n++) {
        snprintf(said, sizeof said, "%.150s, line %u", path, n);
        is_fine = take_line(set, before, line, said, why);
    }
    free(line);
    fclose(f);
    return is_fine;
}

bool options_home(char *out, size_t room, const char *name)
{
    const char *own = getenv("STT_CONFIG_DIR"), *config = getenv("XDG_CONFIG_HOME"),
               *home = getenv("HOME");
    int len = -1;
    if (own && *own)
        len = snprintf(out, room, "%s/%s", own, name);
    else if (config && *config)
        len = snprintf(out, room, "%s/stt/%s", config, name);
    else if (home && *home)
        len = snprintf(out, room, "%s/.config/stt/%s", home, name);
    return len > 0 && (size_t)len < room;
}
