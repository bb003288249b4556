/* SPDX-License-Identifier: MIT
 * options: what the user wants, from a table: flags first, then environment variables, then the
 * file ~/.config/stt/config. Each later source sets only what none before it has set. */
#ifndef TOOLS_COMMON_OPTIONS_H
#define TOOLS_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,     /* bool: true */
    OPTION_COUNT,    /* int: one more each time */
    OPTION_TEXT,     /* const char * */
    OPTION_TEXTS,    /* struct option_texts: may be repeated */
    OPTION_WORDS,    /* the same, and takes all arguments up to the next option */
    OPTION_DURATION, /* stt_ns, with ms, s, m or h */
    OPTION_RATE,     /* uint64_t bits per second, with K, M or G of 1,000 */
    OPTION_SIZE,     /* uint64_t bytes, with K, M or G of 1,024 */
    OPTION_NUMBER,   /* uint32_t between min and max */
    OPTION_CHOICE,   /* const char *, one of a list */
};

struct option_texts {
    const char **at; /* grows; lives as long as the program */
    uint32_t n;
};

struct option {
    const char *name;      /* "keep-open", given as --keep-open */
    char letter;           /* 'k', given as -k; 0: none */
    bool is_setting;       /* also STT_KEEP_OPEN, and keep-open = ... in the file */
    enum option_kind kind; /* and where in the struct it goes */
    size_t offset;
    uint32_t min, max;   /* NUMBER; DURATION: in ms, if max is not 0 */
    const char *choices; /* CHOICE: "uring mmsg" */
    const char *value;   /* what its value is called in the help; NULL for flags and counts */
    const char *help;    /* NULL: it is not shown */
};

struct option_set {
    const char *program, *usage, *about; /* "sttcat", "[-l] ...", one sentence */
    const struct option *options;
    size_t n;
    void *into;                /* the struct of the offsets */
    uint64_t seen;             /* bits of options that were set */
    struct option_texts words; /* what is no option, in its order */
};

enum { OPTIONS_MAX = 64, OPTION_WHY_ROOM = 320 };

/* The sentence; false, for who returns that. */
bool options_refuse(char why[OPTION_WHY_ROOM], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Flags and words; -h and --version are answered on stdout, *is_over then. false: `why` is one
 * sentence. A secret anywhere is refused, and not repeated. */
bool options_read_arguments(struct option_set *set, int argc, char **argv, bool *is_over,
                            char *why);
bool options_read_environment(struct option_set *set, char *why);
/* NULL: ~/.config/stt/config, if there is one. */
bool options_read_file(struct option_set *set, const char *path, char *why);
bool options_is_set(const struct option_set *set, const char *name);

/* "~/.config/stt/" and a name; false: there is no home. Of STT_CONFIG_DIR, XDG_CONFIG_HOME, HOME.
 */
bool options_home(char *out, size_t room, const char *name);

#endif
