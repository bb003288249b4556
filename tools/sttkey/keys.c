/* SPDX-License-Identifier: MIT
 * keys: identities and seeds. Owns what it has drawn or read until the command ends, and wipes it.
 * Files are written and judged by stt/keyfile.h alone. */
#include "stt/env.h"
#include "stt/keyfile.h"
#include "tools/common/paths.h"
#include "tools/common/say.h"
#include "tools/sttkey/sttkey.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct stt_env env = {.entropy = stt_node_entropy};

enum exits keys_refuse(int error, const char *why)
{
    say_error("%s", why);
    switch (error) {
    case STT_E_EXISTS:
        return EXIT_EXISTS;
    case STT_E_FORMAT: /* what is in it is no key, or damaged */
        return EXIT_PROVEN_WRONG;
    case STT_E_ARGUMENT:
        return EXIT_USAGE;
    default:
        return EXIT_LOCAL_IO;
    }
}

bool keys_print(const char *line, const char *what)
{
    char text[STT_TEXT_ROOM + 1];
    int len = snprintf(text, sizeof text, "%s\n", line);
    const char *at = text, *end = text + len;
    while (at < end) {
        ssize_t n = write(STDOUT_FILENO, at, (size_t)(end - at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += n;
    }
    if (at < end)
        say_error("%s, but standard output takes nothing: %s", what, strerror(errno));
    stt_env_wipe(text, sizeof text);
    return at == end;
}

static enum exits no_home(void)
{
    say_error("there is no home folder; name a file, or set HOME or STT_CONFIG_DIR");
    return EXIT_USAGE;
}

static enum exits no_entropy(void)
{
    say_error("the system gives no random bytes; try again");
    return EXIT_LOCAL_IO;
}

/* -- gen and seed -- */

static enum exits save_identity(const struct stt_identity *id, const char *path)
{
    char why[STT_KEYFILE_WHY_ROOM], text[STT_PEER_ID_TEXT_ROOM];
    int error = stt_keyfile_save_identity(id, path, why);
    if (error)
        return keys_refuse(error, why);
    say_note(0, "%s: a new identity; keep it, and tell others its peer id", paths_shown(path));
    stt_peer_id_encode(&id->peer_id, text);
    return keys_print(text, "the identity is there; sttkey pub shows its peer id") ? EXIT_DONE
                                                                                   : EXIT_LOCAL_IO;
}

enum exits keys_gen(const struct request *r)
{
    char home[PATH_MAX], why[OPTION_WHY_ROOM];
    const char *path = r->flags.output;
    struct stt_identity id;
    if (!path && !options_home(home, sizeof home, "identity"))
        return no_home();
    if (!path && !paths_make_folders(home, why))
        return keys_refuse(STT_E_IO, why);
    if (stt_identity_generate(&id, &env) != STT_OK)
        return no_entropy();
    enum exits answer = save_identity(&id, path ? path : home);
    stt_identity_fini(&id);
    return answer;
}

static enum exits save_seed(const struct stt_seed *seed, const char *path)
{
    char why[STT_KEYFILE_WHY_ROOM];
    int error = stt_keyfile_save_seed(seed, path, why);
    if (error)
        return keys_refuse(error, why);
    say_note(0, "%s: a new seed; bring it to the others on a way that nobody else can read",
             paths_shown(path));
    return EXIT_DONE;
}

static enum exits print_seed(const struct stt_seed *seed)
{
    char text[STT_TEXT_ROOM];
    stt_seed_encode(seed, text);
    bool ok = keys_print(text, "a seed was made");
    stt_env_wipe(text, sizeof text);
    return ok ? EXIT_DONE : EXIT_LOCAL_IO;
}

enum exits keys_seed(const struct request *r)
{
    struct stt_seed seed;
    if (stt_seed_generate(&seed, &env) != STT_OK)
        return no_entropy();
    enum exits answer = r->flags.output ? save_seed(&seed, r->flags.output) : print_seed(&seed);
    stt_env_wipe(&seed, sizeof seed);
    return answer;
}

/* -- pub and check -- */

/* The file that is meant; NULL: there is none. */
static const char *file_of(const struct request *r, char home[PATH_MAX])
{
    if (r->n)
        return r->words[0];
    return options_home(home, PATH_MAX, "identity") ? home : NULL;
}

static enum exits refuse_file(const struct request *r, const char *path, int error, const char *why)
{
    if (error != STT_E_NOT_FOUND || r->n)
        return keys_refuse(error, why);
    say_error("%s: there is no identity yet; sttkey gen makes one", paths_shown(path));
    return EXIT_LOCAL_IO;
}

enum exits keys_pub(const struct request *r)
{
    char home[PATH_MAX], why[STT_KEYFILE_WHY_ROOM], text[STT_PEER_ID_TEXT_ROOM];
    const char *path = file_of(r, home);
    struct stt_identity id;
    if (!path)
        return no_home();
    int error = stt_keyfile_load_identity(&id, path, why);
    if (error)
        return refuse_file(r, path, error, why);
    stt_peer_id_encode(&id.peer_id, text);
    stt_identity_fini(&id);
    return keys_print(text, "the identity was read") ? EXIT_DONE : EXIT_LOCAL_IO;
}

/* Whether the text is what it says it is; *of: the peer id in it, or zeros. */
static bool decode(enum stt_text_kind kind, const char *text, struct stt_peer_id *of)
{
    struct stt_identity id = {0};
    struct stt_ticket ticket = {0};
    int error = STT_E_FORMAT;
    switch (kind) {
    case STT_TEXT_IDENTITY:
        error = stt_identity_decode(&id, text);
        ticket.peer_id = id.peer_id;
        break;
    case STT_TEXT_SEED:
        error = stt_seed_decode(&ticket.seed, text);
        break;
    case STT_TEXT_SECRET_TICKET:
        error = stt_ticket_decode_secret(&ticket, text);
        break;
    case STT_TEXT_TICKET:
        error = stt_ticket_decode(&ticket, text);
        break;
    case STT_TEXT_PEER_ID:
        error = stt_peer_id_decode(&ticket.peer_id, text);
        break;
    case STT_TEXT_OTHER:
        break;
    }
    *of = ticket.peer_id;
    stt_identity_fini(&id);
    stt_env_wipe(&ticket, sizeof ticket);
    return error == STT_OK;
}

/* One line about it, without a secret. */
static bool describe(const char *text, char out[STT_TEXT_ROOM])
{
    static const char *const names[] = {
        [STT_TEXT_OTHER] = "",
        [STT_TEXT_PEER_ID] = "a peer id, which is public",
        [STT_TEXT_TICKET] = "a ticket, which is public",
        [STT_TEXT_SEED] = "a seed, and safe",
        [STT_TEXT_SECRET_TICKET] = "a ticket with a seed, and safe",
        [STT_TEXT_IDENTITY] = "an identity, and safe",
    };
    enum stt_text_kind kind = stt_text_kind_of(text);
    char id[STT_PEER_ID_TEXT_ROOM];
    struct stt_peer_id of;
    if (!decode(kind, text, &of))
        return false;
    stt_peer_id_encode(&of, id);
    if (kind == STT_TEXT_SEED)
        snprintf(out, STT_TEXT_ROOM, "%s", names[kind]);
    else
        snprintf(out, STT_TEXT_ROOM, "%s; peer id: %s", names[kind], id);
    return true;
}

enum exits keys_check(const struct request *r)
{
    char home[PATH_MAX], why[STT_KEYFILE_WHY_ROOM], text[STT_TEXT_ROOM], line[STT_TEXT_ROOM];
    const char *path = file_of(r, home);
    if (!path)
        return no_home();
    int error = stt_keyfile_load_text(text, path, why);
    if (error)
        return refuse_file(r, path, error, why);
    bool is_whole = describe(text, line);
    stt_env_wipe(text, sizeof text);
    if (is_whole)
        return keys_print(line, "the file is good") ? EXIT_DONE : EXIT_LOCAL_IO;
    say_error("%s: holds no key, or one that is damaged; restore it, or make a new one",
              paths_shown(path));
    return EXIT_PROVEN_WRONG;
}
