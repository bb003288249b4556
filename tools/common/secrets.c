/* SPDX-License-Identifier: MIT
 * secrets: owns no secret beyond a call; what it copies on the way lives on the stack and is wiped.
 * What stands in the environment is wiped where it stands, so that neither children nor
 * /proc/PID/environ show it. Must not know what a secret is good for. */
#include "tools/common/secrets.h"

#include "stt/env.h"
#include "stt/keyfile.h"
#include "tools/common/prompt.h"
#include "tools/common/units.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

void secrets_protect_process(void)
{
    (void)!prctl(PR_SET_DUMPABLE, 0);
}

/* -- arguments -- */

static enum stt_text_kind secret_in(const char *text)
{
    for (; *text; text++) {
        enum stt_text_kind kind = stt_text_kind_of(text);
        if (kind == STT_TEXT_SEED || kind == STT_TEXT_SECRET_TICKET || kind == STT_TEXT_IDENTITY)
            return kind;
    }
    return STT_TEXT_OTHER;
}

bool secrets_check_arguments(int argc, char **argv, char why[OPTION_WHY_ROOM])
{
    static const struct {
        const char *what, *instead;
    } kinds[] = {
        [STT_TEXT_OTHER] = {"a secret", "in a file that only you can read"},
        [STT_TEXT_SEED] = {"a seed", "with --seed-file FILE, --seed-fd N or STT_SEED"},
        [STT_TEXT_SECRET_TICKET] = {"a ticket with a seed",
                                    "as a ticket without one, and the seed with --seed-file FILE"},
        [STT_TEXT_IDENTITY] = {"an identity", "with -I FILE"},
    };
    for (int i = 1; i < argc; i++) {
        if (!stt_text_is_secret(argv[i]))
            continue;
        enum stt_text_kind kind = secret_in(argv[i]);
        return options_refuse(
            why,
            "argument %d holds %s, and arguments are seen by everybody on this machine: "
            "make a new one, and give it %s",
            i, kinds[kind].what, kinds[kind].instead);
    }
    return true;
}

/* -- identities -- */

static bool throwaway(struct stt_identity *out, char *why)
{
    struct stt_env env = {.entropy = stt_node_entropy};
    return stt_identity_generate(out, &env) == STT_OK ||
           options_refuse(why, "the system gives no random bytes for an identity; try again");
}

bool secrets_identity(struct stt_identity *out, bool *is_durable, const char *path,
                      char why[OPTION_WHY_ROOM])
{
    char home[PATH_MAX], sentence[STT_KEYFILE_WHY_ROOM];
    bool is_named = path != NULL;
    *is_durable = false;
    stt_identity_fini(out);
    if (!path && !options_home(home, sizeof home, "identity"))
        return throwaway(out, why);
    int error = stt_keyfile_load_identity(out, path ? path : home, sentence);
    if (error == STT_E_NOT_FOUND && !is_named)
        return throwaway(out, why);
    if (error)
        return options_refuse(why, "%s", sentence);
    *is_durable = true;
    return true;
}

/* -- descriptors and the environment -- */

static bool parse_descriptor(int *out, const char *text, const char *option, char *why)
{
    uint32_t number;
    if (!units_parse_number(&number, text, 0, INT_MAX))
        return options_refuse(why,
                              "%s wants the number of an open file descriptor, as in: %s 3 3<FILE",
                              option, option);
    *out = (int)number;
    return true;
}

/* 1, 0 at the end, -1. */
static ssize_t read_byte(int fd, char *c)
{
    ssize_t n;
    while ((n = read(fd, c, 1)) < 0) {
        struct pollfd p = {fd, POLLIN, 0};
        if (errno == EAGAIN)
            poll(&p, 1, -1);
        else if (errno != EINTR)
            return -1;
    }
    return n;
}

/* One line without its end, byte by byte: what follows belongs to somebody else. */
static bool read_line(char *out, size_t room, int fd, const char *option, char *why)
{
    size_t len = 0;
    char c;
    ssize_t n;
    while ((n = read_byte(fd, &c)) == 1 && c != '\n' && c != '\0' && len + 1 < room)
        out[len++] = c;
    bool is_over = n == 0 || (n == 1 && c == '\n');
    stt_env_wipe(&c, 1);
    if (len && out[len - 1] == '\r')
        len--;
    out[len] = '\0';
    if (n < 0)
        return options_refuse(why,
                              "descriptor %d of %s cannot be read: %s; open it for reading, as in: "
                              "%s 3 3<FILE",
                              fd, option, strerror(errno), option);
    if (!is_over)
        return options_refuse(why, "descriptor %d of %s gives no line of text of at most %zu bytes",
                              fd, option, room - 1);
    return len > 0 || options_refuse(why, "descriptor %d of %s gives an empty line", fd, option);
}

static bool read_descriptor(char *out, size_t room, const char *text, const char *option, char *why)
{
    int fd = -1;
    if (!parse_descriptor(&fd, text, option, why))
        return false;
    bool ok = read_line(out, room, fd, option, why);
    if (fd > STDERR_FILENO)
        close(fd); /* nobody else shall have it */
    if (!ok)
        stt_env_wipe(out, room);
    return ok;
}

/* *has: it was there; then it no longer is. False: it is too long. */
static bool take_environment(char *out, size_t room, const char *name, bool *has)
{
    char *value = getenv(name);
    *has = value && *value;
    if (!value)
        return true;
    size_t len = strlen(value);
    bool fits = len < room;
    if (fits)
        memcpy(out, value, len + 1);
    stt_env_wipe(value, len);
    unsetenv(name);
    return fits;
}

/* -- seeds -- */

static bool decode_seed(struct stt_seed *out, const char *text, const char *from, char *why)
{
    if (stt_seed_decode(out, text) == STT_OK)
        return true;
    if (stt_text_kind_of(text) == STT_TEXT_SEED)
        return options_refuse(
            why, "the seed from %s is damaged; compare it with the one it was made as", from);
    return options_refuse(why, "what %s gives is no seed; sttkey seed makes one", from);
}

static bool load_seed(struct stt_seed *out, const char *file, char *why)
{
    char sentence[STT_KEYFILE_WHY_ROOM];
    return stt_keyfile_load_seed(out, file, sentence) == STT_OK ||
           options_refuse(why, "%s", sentence);
}

static bool seed_from(struct stt_seed *out, bool *has, const char *file, const char *fd,
                      char text[STT_TEXT_ROOM], char *why)
{
    bool in_environment, fits = take_environment(text, STT_TEXT_ROOM, "STT_SEED", &in_environment);
    *has = file || fd || in_environment;
    if (file && fd)
        return options_refuse(why,
                              "--seed-file and --seed-fd both give a seed; leave one of them out");
    if (file)
        return load_seed(out, file, why);
    if (fd)
        return read_descriptor(text, STT_TEXT_ROOM, fd, "--seed-fd", why) &&
               decode_seed(out, text, "--seed-fd", why);
    if (!fits)
        return options_refuse(why,
                              "what STT_SEED gives is too long for a seed; sttkey seed makes one");
    return !in_environment || decode_seed(out, text, "STT_SEED", why);
}

bool secrets_seed(struct stt_seed *out, bool *has, const char *file, const char *fd,
                  char why[OPTION_WHY_ROOM])
{
    char text[STT_TEXT_ROOM];
    stt_env_wipe(out, sizeof *out);
    bool ok = seed_from(out, has, file, fd, text, why);
    stt_env_wipe(text, sizeof text);
    if (!ok) {
        stt_env_wipe(out, sizeof *out);
        *has = false;
    }
    return ok;
}

/* -- codes -- */

static bool ask(char out[SECRETS_CODE_ROOM], const char *prompt, char *why)
{
    switch (prompt_secret(out, SECRETS_CODE_ROOM, prompt)) {
    case PROMPT_DONE:
        return *out ||
               options_refuse(why, "no code was typed; type it, or give it with --code-fd N");
    case PROMPT_NO_TERMINAL:
        return options_refuse(
            why, "there is no terminal to ask for the code; give it with --code-fd N, as "
                 "in: --code-fd 3 3<FILE, or in STT_CODE");
    case PROMPT_TOO_LONG:
        return options_refuse(why,
                              "what was typed is too long for a code; it has at most 256 bytes");
    case PROMPT_ENDED:
        break;
    }
    return options_refuse(why, "no code was typed; type it, or give it with --code-fd N");
}

static bool code_from(char out[SECRETS_CODE_ROOM], const char *fd, bool may_prompt,
                      const char *prompt, char *why)
{
    bool in_environment,
        fits = take_environment(out, SECRETS_CODE_ROOM, "STT_CODE", &in_environment);
    if (fd)
        return read_descriptor(out, SECRETS_CODE_ROOM, fd, "--code-fd", why);
    if (!fits)
        return options_refuse(
            why, "what STT_CODE gives is too long for a code; it has at most 256 bytes");
    if (in_environment)
        return true;
    return may_prompt ? ask(out, prompt, why)
                      : options_refuse(why, "a code is needed; give it with --code-fd N, as in: "
                                            "--code-fd 3 3<FILE, or in STT_CODE");
}

bool secrets_code(char out[SECRETS_CODE_ROOM], const char *fd, bool may_prompt, const char *prompt,
                  char why[OPTION_WHY_ROOM])
{
    bool ok = code_from(out, fd, may_prompt, prompt, why);
    if (!ok)
        stt_env_wipe(out, SECRETS_CODE_ROOM);
    return ok;
}
