/* SPDX-License-Identifier: MIT
 * ticket: a peer id, where it may be found, and perhaps a seed. Owns the ticket until it is told,
 * and wipes it: with a seed it is a secret. */
#include "stt/env.h"
#include "stt/keyfile.h"
#include "stt/node.h"
#include "tools/common/paths.h"
#include "tools/common/say.h"
#include "tools/common/secrets.h"
#include "tools/sttkey/sttkey.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct stt_address *a)
{
    return memcmp(a->ip, mapped, sizeof mapped) == 0;
}

/* All of a host's addresses, which is none to go to. */
static bool is_any(const struct stt_address *a)
{
    static const uint8_t zeros[16];
    return memcmp(a->ip, zeros, 16) == 0 || (is_v4(a) && memcmp(a->ip + 12, zeros, 4) == 0);
}

static bool add(struct stt_ticket *ticket, const char *text)
{
    struct stt_address a;
    if (stt_address_parse(&a, text) != STT_OK || !a.port || is_any(&a)) {
        say_error("%.80s is no address with a port; write it as 192.0.2.1:4000 or "
                  "[2001:db8::1]:4000",
                  text);
        return false;
    }
    if (a.scope) {
        say_error("%.80s is known on this network only, and a ticket goes further; give another "
                  "address",
                  text);
        return false;
    }
    struct stt_ticket_address *to = &ticket->addresses[ticket->addresses_len++];
    *to = (struct stt_ticket_address){.family = is_v4(&a) ? 4 : 6, .port = a.port};
    memcpy(to->bytes, is_v4(&a) ? a.ip + 12 : a.ip, is_v4(&a) ? 4 : 16);
    return true;
}

static enum exits take_identity(struct stt_ticket *ticket, const char *path)
{
    char home[PATH_MAX], why[STT_KEYFILE_WHY_ROOM];
    struct stt_identity id;
    if (!path && !options_home(home, sizeof home, "identity")) {
        say_error("there is no home folder; name an identity with -I FILE");
        return EXIT_USAGE;
    }
    int error = stt_keyfile_load_identity(&id, path ? path : home, why);
    ticket->peer_id = id.peer_id;
    stt_identity_fini(&id);
    if (error == STT_E_NOT_FOUND && !path) {
        say_error("%s: there is no identity yet; sttkey gen makes one", paths_shown(home));
        return EXIT_LOCAL_IO;
    }
    return error ? keys_refuse(error, why) : EXIT_DONE;
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* A file that is whole, or none. */
static enum exits save(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        say_error("%s: exists already and is never overwritten; choose another name",
                  paths_shown(path));
        return EXIT_EXISTS;
    }
    bool ok = fd >= 0 && fchmod(fd, 0600) == 0 && write_all(fd, text, strlen(text)) &&
              write_all(fd, "\n", 1) && fsync(fd) == 0;
    int failure = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        failure = errno;
    }
    if (ok)
        return EXIT_DONE;
    say_error("%s: cannot be made: %s; choose another place", paths_shown(path), strerror(failure));
    if (fd >= 0)
        unlink(path);
    return EXIT_LOCAL_IO;
}

static enum exits tell(const struct request *r, const struct stt_ticket *ticket)
{
    char text[STT_TEXT_ROOM];
    enum exits answer = EXIT_USAGE;
    if (stt_ticket_encode(ticket, text) != STT_OK)
        say_error("there is no such ticket: stt_ticket_encode() refuses it");
    else if (r->flags.output)
        answer = save(r->flags.output, text);
    else if (ticket->has_seed && !r->flags.force)
        say_error("a ticket with a seed is a secret; write it to a file with -o FILE, or print it "
                  "with -f");
    else
        answer = keys_print(text, "the ticket is made") ? EXIT_DONE : EXIT_LOCAL_IO;
    stt_env_wipe(text, sizeof text);
    return answer;
}

enum exits ticket_make(const struct request *r)
{
    char why[OPTION_WHY_ROOM];
    struct stt_ticket ticket = {0};
    if (!secrets_seed(&ticket.seed, &ticket.has_seed, r->flags.seed_file, r->flags.seed_fd, why)) {
        say_error("%s", why);
        return EXIT_LOCAL_IO;
    }
    enum exits answer = take_identity(&ticket, r->flags.identity);
    for (uint32_t i = 0; answer == EXIT_DONE && i < r->n; i++)
        answer = add(&ticket, r->words[i]) ? EXIT_DONE : EXIT_USAGE;
    if (answer == EXIT_DONE)
        answer = tell(r, &ticket);
    stt_env_wipe(&ticket, sizeof ticket);
    return answer;
}
