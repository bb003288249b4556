/* SPDX-License-Identifier: MIT
 * sttkey: owns the command line: which command, and which options go with it. */
#include "tools/common/say.h"
#include "tools/common/secrets.h"
#include "tools/sttkey/sttkey.h"

#include <string.h>

#define AT(field)         .offset = offsetof(struct key_flags, field)
#define FLAG(field)       OPTION_FLAG, AT(field)
#define TEXT(field, name) OPTION_TEXT, AT(field), .value = name

/* clang-format off */
static const struct option options[] = {
    {"output", 'o', 0, TEXT(output, "FILE"), .help = "gen, seed, ticket: write it there; never overwrites"},
    {"identity", 'I', 0, TEXT(identity, "FILE"), .help = "ticket: whose it is (~/.config/stt/identity)"},
    {"seed-file", 0, 0, TEXT(seed_file, "FILE"), .help = "ticket: with this seed, which makes it a secret"},
    {"seed-fd", 0, 0, TEXT(seed_fd, "N"), .help = "ticket: the same, read from a descriptor; or STT_SEED"},
    {"force", 'f', 0, FLAG(force), .help = "ticket: print it even if it is a secret"},
};
/* clang-format on */
enum { OPTIONS_N = sizeof options / sizeof options[0] };

static const struct command {
    const char *name;
    enum exits (*run)(const struct request *r);
    uint32_t words_min, words_max;
    const char *words;
    const char *options; /* those that it knows */
} commands[] = {
    {"gen", keys_gen, 0, 0, "no words", "output"},
    {"pub", keys_pub, 0, 1, "one file at most", ""},
    {"seed", keys_seed, 0, 0, "no words", "output"},
    {"check", keys_check, 0, 1, "one file at most", ""},
    {"ticket", ticket_make, 1, 8, "1 to 8 addresses, each with a port",
     "output identity seed-file seed-fd force"},
};
enum { COMMANDS_N = sizeof commands / sizeof commands[0] };

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS_N; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static bool knows(const struct command *c, const char *option)
{
    size_t len = strlen(option);
    for (const char *at = c->options; (at = strstr(at, option)); at += len)
        if ((at == c->options || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
    return false;
}

static enum exits run(const struct option_set *set, const struct key_flags *flags)
{
    if (!set->words.n) {
        say_error("which command? gen, pub, seed, check or ticket; sttkey -h says what they do");
        return EXIT_USAGE;
    }
    const struct command *c = find(set->words.at[0]);
    if (!c) {
        say_error("there is no command %s; sttkey -h lists them", set->words.at[0]);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < OPTIONS_N; i++)
        if (options_is_set(set, options[i].name) && !knows(c, options[i].name)) {
            say_error("%s has no option --%s; leave it out", c->name, options[i].name);
            return EXIT_USAGE;
        }
    uint32_t n = set->words.n - 1;
    if (n < c->words_min || n > c->words_max) {
        say_error("%s takes %s; sttkey -h says more", c->name, c->words);
        return EXIT_USAGE;
    }
    return c->run(&(struct request){*flags, set->words.at + 1, n});
}

int main(int argc, char **argv)
{
    static struct key_flags flags;
    static struct option_set set = {
        .program = "sttkey",
        .usage = "COMMAND [OPTION]...",
        .about = "Makes and looks at the keys of STT.\n\n"
                 "  gen                          a new identity; prints its peer id\n"
                 "  pub [FILE]                   the peer id of an identity\n"
                 "  seed                         a new seed, which admits to a group\n"
                 "  check [FILE]                 what a key file is, and whether it is safe\n"
                 "  ticket ADDRESS:PORT...       a peer id, and where to find it, in one text\n\n"
                 "An identity is in ~/.config/stt/identity, unless a FILE is named.",
        .options = options,
        .n = OPTIONS_N,
        .into = &flags,
    };
    char why[OPTION_WHY_ROOM];
    bool is_over = false;
    secrets_protect_process();
    say_begin("sttkey", 0, false);
    if (!secrets_check_arguments(argc, argv, why) ||
        !options_read_arguments(&set, argc, argv, &is_over, why)) {
        say_error("%s", why);
        return EXIT_USAGE;
    }
    if (is_over)
        return EXIT_DONE;
    return (int)run(&set, &flags);
}
