/* SPDX-License-Identifier: MIT
 * keyfile: one secret in one file, as text (spec 03, "Text forms").
 *
 * A file is opened without following a link and without waiting, then judged by what was opened,
 * never by its name: between two looks a name may change what it means. A new file is written under
 * a temporary name beside its place and moved there only if nothing is there; whatever fails leaves
 * nothing behind. Contents live in buffers on the stack, wiped before return. Prints nothing, and
 * must not know what a key is used for. */
#include "stt/keyfile.h"

#include "stt/base/bytes.h"
#include "stt/base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 4096, PATH_SHOWN_MAX = 256 };

/* What a refusal speaks of, and where its sentence goes. */
struct report {
    const char *path;
    char *why;
};

/* The end of the path, which tells most; a terminal must not be at the mercy of a file's name. */
static void show_path(char out[PATH_SHOWN_MAX + 1], const char *path)
{
    size_t len = strlen(path), skip = len > PATH_SHOWN_MAX ? len - PATH_SHOWN_MAX : 0;
    memcpy(out, path + skip, len - skip + 1);
    if (skip)
        memcpy(out, "...", 3);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

__attribute__((format(printf, 3, 4))) static int refuse(const struct report *r, int error,
                                                        const char *sentence, ...)
{
    if (!r->why)
        return error;
    int failure = errno; /* for %m */
    char path[PATH_SHOWN_MAX + 1];
    show_path(path, r->path);
    int len = snprintf(r->why, STT_KEYFILE_WHY_ROOM, "%s: ", path);
    va_list args;
    va_start(args, sentence);
    errno = failure;
    vsnprintf(r->why + len, (size_t)(STT_KEYFILE_WHY_ROOM - len), sentence, args);
    va_end(args);
    return error;
}

static int refuse_errno(const struct report *r, const char *verb)
{
    static const struct {
        int number, error;
        const char *sentence;
    } known[] = {
        {ENOENT, STT_E_NOT_FOUND, "there is no such file or directory; check the name"},
        {ENOTDIR, STT_E_NOT_FOUND, "a part of the name is not a directory; check the name"},
        {EACCES, STT_E_PERMISSION, "permission denied; name one that belongs to you"},
        {ELOOP, STT_E_PERMISSION, "is a symbolic link; name the file itself"},
        {ENXIO, STT_E_PERMISSION, "is not a regular file; name a key file"},
        {EISDIR, STT_E_PERMISSION, "is a directory; name a file in it"},
        {EEXIST, STT_E_EXISTS, "exists already and is never overwritten; choose another name"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].number == errno)
            return refuse(r, known[i].error, "%s", known[i].sentence);
    return refuse(r, STT_E_IO, "cannot be %s: %m; try again or choose another place", verb);
}

/* -- loading -- */

static int judge(const struct report *r, const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return refuse(r, STT_E_PERMISSION, "is not a regular file; name a key file");
    if (st->st_uid != geteuid())
        return refuse(
            r, STT_E_PERMISSION,
            "belongs to user %lu and not to user %lu, who runs this; make a key of your own",
            (unsigned long)st->st_uid, (unsigned long)geteuid());
    if (st->st_mode & (S_IRWXG | S_IRWXO))
        return refuse(r, STT_E_PERMISSION, "open to others (mode %04o); run chmod 600 on it",
                      (unsigned)st->st_mode & 07777u);
    if (st->st_nlink > 1)
        return refuse(r, STT_E_PERMISSION, "has %lu names (hard links); remove all but one of them",
                      (unsigned long)st->st_nlink);
    if (st->st_size > FILE_BYTES_MAX)
        return refuse(r, STT_E_FORMAT, "is larger than %d bytes; name a key file", FILE_BYTES_MAX);
    return STT_OK;
}

/* The whole file and a final zero; it may have grown since it was judged. */
static int read_all(const struct report *r, int fd, char content[FILE_BYTES_MAX + 1])
{
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, content + len, FILE_BYTES_MAX + 1 - len)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refuse_errno(r, "read");
        len += (size_t)n;
        if (len > FILE_BYTES_MAX)
            return refuse(r, STT_E_FORMAT, "is larger than %d bytes; name a key file",
                          FILE_BYTES_MAX);
    }
    content[len] = '\0';
    if (strlen(content) != len)
        return refuse(r, STT_E_FORMAT, "is not a text; name a key file");
    return STT_OK;
}

/* The one line behind the comments, without its end. */
static int find_line(const struct report *r, const char *content, struct bytes *line)
{
    while (*content == '#') {
        content += strcspn(content, "\n");
        content += *content == '\n';
    }
    *line = bytes_of(content, strcspn(content, "\n"));
    if (line->len == 0)
        return refuse(r, STT_E_FORMAT, "holds no key; make a new one");
    const char *rest = content + line->len;
    if (*rest && rest[1])
        return refuse(r, STT_E_FORMAT, "holds more than one line; leave only the key in it");
    if (line->len >= STT_TEXT_ROOM)
        return refuse(r, STT_E_FORMAT, "holds a line that is too long for a key; make a new one");
    return STT_OK;
}

static int load_from(const struct report *r, int fd, char text[STT_TEXT_ROOM])
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return refuse_errno(r, "read");
    int error = judge(r, &st);
    if (error)
        return error;
    char content[FILE_BYTES_MAX + 1];
    struct bytes line;
    error = read_all(r, fd, content);
    if (!error)
        error = find_line(r, content, &line);
    if (!error) {
        memcpy(text, line.data, line.len);
        text[line.len] = '\0';
    }
    stt_env_wipe(content, sizeof content);
    return error;
}

int stt_keyfile_load_text(char text[STT_TEXT_ROOM], const char *path,
                          char why[STT_KEYFILE_WHY_ROOM])
{
    struct report r = {path, why};
    text[0] = '\0';
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_errno(&r, "opened");
    int error = load_from(&r, fd, text);
    close(fd);
    return error;
}

static int refuse_text(const struct report *r, const char *text, enum stt_text_kind wanted)
{
    static const char *const names[] = {
        [STT_TEXT_OTHER] = "something else",
        [STT_TEXT_PEER_ID] = "a peer id, which is public",
        [STT_TEXT_TICKET] = "a ticket, which is public",
        [STT_TEXT_SEED] = "a seed",
        [STT_TEXT_SECRET_TICKET] = "a ticket with a seed",
        [STT_TEXT_IDENTITY] = "an identity",
    };
    enum stt_text_kind kind = stt_text_kind_of(text);
    if (kind == wanted)
        return refuse(r, STT_E_FORMAT, "holds %s that is damaged; restore it, or make a new one",
                      names[wanted]);
    return refuse(r, STT_E_FORMAT, "holds %s where %s is wanted; name another file", names[kind],
                  names[wanted]);
}

int stt_keyfile_load_identity(struct stt_identity *id, const char *path,
                              char why[STT_KEYFILE_WHY_ROOM])
{
    char text[STT_TEXT_ROOM];
    int error = stt_keyfile_load_text(text, path, why);
    if (error)
        stt_identity_fini(id);
    else if (stt_identity_decode(id, text) != STT_OK)
        error = refuse_text(&(struct report){path, why}, text, STT_TEXT_IDENTITY);
    stt_env_wipe(text, sizeof text);
    return error;
}

int stt_keyfile_load_seed(struct stt_seed *seed, const char *path, char why[STT_KEYFILE_WHY_ROOM])
{
    char text[STT_TEXT_ROOM];
    int error = stt_keyfile_load_text(text, path, why);
    if (error)
        stt_env_wipe(seed, sizeof *seed);
    else if (stt_seed_decode(seed, text) != STT_OK)
        error = refuse_text(&(struct report){path, why}, text, STT_TEXT_SEED);
    stt_env_wipe(text, sizeof text);
    return error;
}

/* -- saving -- */

/* A file that is not in its place yet. */
struct draft {
    int directory;
    char temporary[32];
    const char *name;
};

static int open_directory(struct draft *d, const char *path)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];
    size_t len = slash ? (size_t)(slash - path) + 1 : 0;
    if (len >= sizeof directory) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(directory, path, len);
    directory[len] = '\0';
    d->name = path + len;
    d->directory = open(len ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return d->directory;
}

static bool draw_name(struct draft *d)
{
    uint64_t random;
    if (!stt_node_entropy(NULL, (uint8_t *)&random, sizeof random)) {
        errno = EIO;
        return false;
    }
    snprintf(d->temporary, sizeof d->temporary, ".stt-%016llx", (unsigned long long)random);
    return true;
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* The mode again by fchmod: a umask may have taken bits away from the owner. */
static bool write_draft(const struct draft *d, const char *content)
{
    int fd = openat(d->directory, d->temporary,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = fchmod(fd, 0600) == 0 && write_all(fd, content, strlen(content)) && fsync(fd) == 0;
    int failure = errno;
    if (close(fd) != 0 && ok)
        return false;
    errno = failure;
    return ok;
}

/* Some file systems (NFS) can rename only with overwriting; a hard link never overwrites either. */
static bool publish(const struct draft *d)
{
    if (renameat2(d->directory, d->temporary, d->directory, d->name, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    return linkat(d->directory, d->temporary, d->directory, d->name, 0) == 0 &&
           unlinkat(d->directory, d->temporary, 0) == 0;
}

/* Some file systems have nothing to sync in a directory and say so. */
static bool sync_directory(const struct draft *d)
{
    if (fsync(d->directory) == 0 || errno == EINVAL)
        return true;
    int failure = errno;
    unlinkat(d->directory, d->name, 0);
    errno = failure;
    return false;
}

static bool save_in(struct draft *d, const char *content)
{
    if (!draw_name(d))
        return false;
    if (write_draft(d, content) && publish(d))
        return sync_directory(d);
    int failure = errno;
    unlinkat(d->directory, d->temporary, 0);
    errno = failure;
    return false;
}

static int save(const char *path, const char *content, char *why)
{
    struct report r = {path, why};
    struct draft d = {.directory = -1};
    if (open_directory(&d, path) < 0)
        return refuse_errno(&r, "made");
    int error = STT_OK;
    if (!*d.name)
        error = refuse(&r, STT_E_ARGUMENT, "names no file; add a file's name");
    else if (!save_in(&d, content))
        error = refuse_errno(&r, "made");
    close(d.directory);
    return error;
}

int stt_keyfile_save_identity(const struct stt_identity *id, const char *path,
                              char why[STT_KEYFILE_WHY_ROOM])
{
    char secret[STT_TEXT_ROOM], public[STT_PEER_ID_TEXT_ROOM], content[2 * STT_TEXT_ROOM];
    stt_identity_encode(id, secret);
    stt_peer_id_encode(&id->peer_id, public);
    snprintf(content, sizeof content, "# peer id: %s\n%s\n", public, secret);
    int error = save(path, content, why);
    stt_env_wipe(secret, sizeof secret);
    stt_env_wipe(content, sizeof content);
    return error;
}

int stt_keyfile_save_seed(const struct stt_seed *seed, const char *path,
                          char why[STT_KEYFILE_WHY_ROOM])
{
    char secret[STT_TEXT_ROOM], content[STT_TEXT_ROOM + 1];
    stt_seed_encode(seed, secret);
    snprintf(content, sizeof content, "%s\n", secret);
    int error = save(path, content, why);
    stt_env_wipe(secret, sizeof secret);
    stt_env_wipe(content, sizeof content);
    return error;
}
