/* SPDX-License-Identifier: MIT
 * place: everything that sttcat does to the file system for somebody else.
 *
 * The way to a name is gone from the directory's descriptor, through directories only: the system
 * refuses links and what leads out, or each step is taken alone. What is made there is named by its
 * directory's descriptor and a last part without slashes. Nothing that exists is opened for
 * writing, except a part file, which is known by more than its name: a regular file of ours, with
 * one name, with the mark in its mode, and locked by us.
 *
 *     NAME.part  mode 01600           comes; the sticky bit means nothing for files, and is the
 * mark NAME.part  its mode + mark      whole, with its times NAME       its mode + mark renamed, if
 * there was none NAME       its mode             kept
 *
 * Who is killed between any two of these leaves what the next one finishes. Spec 10, "Files". */
#include "tools/sttcat/place.h"

#include "tools/sttcat/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MARK = S_ISVTX, PART_MODE = MARK | 0600, TRIES = 8 };

/* -- why not -- */

static enum wire_outcome fail(struct place *p, enum wire_outcome outcome, int error,
                              const char *why)
{
    p->error = error;
    snprintf(p->why, sizeof p->why, "%s", why);
    return outcome;
}

static enum wire_outcome fail_errno(struct place *p)
{
    static const struct {
        int number;
        enum wire_outcome outcome;
        const char *why;
    } known[] = {
        {ELOOP, OUTCOME_CONFINED, "a link is on the way to it"},
        {EXDEV, OUTCOME_CONFINED, "its name leads out of the directory"},
        {ENOTDIR, OUTCOME_EXISTS, "something that is no directory is on the way to it"},
        {EEXIST, OUTCOME_EXISTS, "there is something of this name, which was left alone"},
    };
    int number = errno;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].number == number)
            return fail(p, known[i].outcome, number, known[i].why);
    return fail(p, OUTCOME_OUTPUT, number, strerror(number));
}

bool place_is_hopeless(const struct place *p)
{
    return p->error == ENOSPC || p->error == EDQUOT || p->error == EIO || p->error == EROFS;
}

/* -- the way down -- */

static int step_down(int at, const char *name)
{
    struct stat st;
    int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR) {
        bool is_link = fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
        errno = is_link ? ELOOP : ENOTDIR;
    }
    return fd;
}

static int walk_down(int at, char *path)
{
    int fd = openat(at, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (char *part = path, *slash; fd >= 0 && part; part = slash ? slash + 1 : NULL) {
        slash = strchr(part, '/');
        if (slash)
            *slash = '\0';
        int next = step_down(fd, part), error = errno;
        close(fd);
        errno = error;
        fd = next;
    }
    return fd;
}

static int go_down(struct place *p, char *path)
{
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    if (p->has_openat2) {
        int fd = (int)syscall(SYS_openat2, p->fd, path, &how, sizeof how);
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
            return fd;
        p->has_openat2 = false;
    }
    return walk_down(p->fd, path);
}

/* The directory that a name is in, open, and the name's last part. */
static enum wire_outcome open_parent(struct place *p, struct bytes name, int *dir,
                                     char leaf[PLACE_LEAF_ROOM])
{
    char path[WIRE_NAME_MAX + 1];
    memcpy(path, name.data, name.len);
    path[name.len] = '\0';
    char *slash = strrchr(path, '/');
    snprintf(leaf, PLACE_LEAF_ROOM, "%.*s", PLACE_LEAF_ROOM - 1, slash ? slash + 1 : path);
    if (slash)
        *slash = '\0';
    *dir = slash ? go_down(p, path) : openat(p->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *dir < 0 ? fail_errno(p) : OUTCOME_DONE;
}

bool place_open(struct place *p, const char *path)
{
    *p = (struct place){.fd = -1, .has_openat2 = true};
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        p->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (p->fd < 0)
        fail(p, OUTCOME_OUTPUT, errno, strerror(errno));
    return p->fd >= 0;
}

void place_close(struct place *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

static struct timespec time_of(int64_t ns)
{
    int64_t s = ns / 1000000000, rest = ns % 1000000000;
    return (struct timespec){.tv_sec = rest < 0 ? s - 1 : s,
                             .tv_nsec = rest < 0 ? rest + 1000000000 : rest};
}

/* -- directories -- */

/* It may be that nobody can read it, so that it cannot be opened but as a place. */
static int make_usable(int dir)
{
    char path[40];
    struct stat st;
    if (fstat(dir, &st) != 0)
        return -1;
    if ((st.st_mode & S_IRWXU) == S_IRWXU || st.st_uid != geteuid())
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    return chmod(path, (st.st_mode & 07777) | S_IRWXU);
}

static int set_directory(int dir, uint16_t mode, int64_t modified_ns)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, time_of(modified_ns)};
    struct stat st;
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return fd;
    int error = (st.st_mode & 0777) == mode ? 0 : fchmod(fd, (st.st_mode & 07000) | mode);
    if (!error)
        error = futimens(fd, times);
    close(fd);
    return error;
}

enum wire_outcome place_directory(struct place *p, struct bytes name)
{
    char leaf[PLACE_LEAF_ROOM];
    int parent, dir;
    enum wire_outcome outcome = open_parent(p, name, &parent, leaf);
    if (outcome)
        return outcome;
    if (mkdirat(parent, leaf, 0700) != 0 && errno != EEXIST) {
        outcome = fail_errno(p);
    } else if ((dir = step_down(parent, leaf)) < 0) {
        outcome = fail_errno(p);
    } else {
        if (make_usable(dir) != 0)
            outcome = fail_errno(p);
        close(dir);
    }
    close(parent);
    return outcome;
}

enum wire_outcome place_directory_end(struct place *p, struct bytes name, uint16_t mode,
                                      int64_t modified_ns)
{
    char leaf[PLACE_LEAF_ROOM];
    int parent, dir;
    enum wire_outcome outcome = open_parent(p, name, &parent, leaf);
    if (outcome)
        return outcome;
    dir = step_down(parent, leaf);
    if (dir < 0 || set_directory(dir, mode, modified_ns) != 0)
        outcome = fail_errno(p);
    if (dir >= 0)
        close(dir);
    close(parent);
    return outcome;
}

/* -- links -- */

/* It goes up at its beginning only, and no further than to the top: what it says is then true
 * whatever links there are on its way, for each of them stays below, too. */
static bool target_stays_below(struct bytes name, struct bytes target)
{
    size_t depth = 0;
    bool has_gone_down = false;
    for (size_t i = 0; i < name.len; i++)
        depth += name.data[i] == '/';
    if (!target.len || target.data[0] == '/')
        return false;
    for (size_t from = 0, to; from <= target.len; from = to + 1) {
        for (to = from; to < target.len && target.data[to] != '/'; to++)
            ;
        struct bytes part = bytes_of(target.data + from, to - from);
        bool is_up = bytes_equal(part, BYTES_TEXT(".."));
        if (is_up && (has_gone_down || depth-- == 0))
            return false;
        has_gone_down |= !is_up && part.len && !bytes_equal(part, BYTES_TEXT("."));
    }
    return true;
}

static enum wire_outcome compare_link(struct place *p, int parent, const char *leaf,
                                      const char *target)
{
    char there[WIRE_NAME_MAX + 1];
    ssize_t len = readlinkat(parent, leaf, there, sizeof there);
    if (len >= 0 && (size_t)len == strlen(target) && memcmp(there, target, (size_t)len) == 0)
        return OUTCOME_DONE;
    errno = EEXIST;
    return fail_errno(p);
}

enum wire_outcome place_link(struct place *p, struct bytes name, struct bytes target,
                             int64_t modified_ns)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, time_of(modified_ns)};
    char leaf[PLACE_LEAF_ROOM], text[WIRE_NAME_MAX + 1];
    int parent;
    if (!target_stays_below(name, target))
        return fail(p, OUTCOME_CONFINED, 0, "it is a link that may lead out of the directory");
    memcpy(text, target.data, target.len);
    text[target.len] = '\0';
    enum wire_outcome outcome = open_parent(p, name, &parent, leaf);
    if (outcome)
        return outcome;
    if (symlinkat(text, parent, leaf) == 0)
        utimensat(parent, leaf, times, AT_SYMLINK_NOFOLLOW); /* not every system can */
    else if (errno == EEXIST)
        outcome = compare_link(p, parent, leaf, text);
    else
        outcome = fail_errno(p);
    close(parent);
    return outcome;
}

/* -- files that are there -- */

static enum wire_outcome fail_exists(struct place *p)
{
    errno = EEXIST;
    return fail_errno(p);
}

static enum wire_outcome fail_lock(struct place *p)
{
    return errno == EWOULDBLOCK ? fail(p, OUTCOME_BUSY, errno, "somebody else is receiving it")
                                : fail_errno(p);
}

/* For a moment it may have both names. */
static bool may_be_part(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() && (st->st_mode & MARK);
}

static bool is_ours(const struct stat *st)
{
    return may_be_part(st) && st->st_nlink == 1;
}

/* Something has the name. If that is the part of another file, it may be what it should be, and be
 * renamed in the next moment: it is looked at only while nobody writes it, and kept from who
 * would. */
static enum wire_outcome open_there(struct place *p, struct place_file *f, const struct stat *st)
{
    struct stat opened;
    if (!S_ISREG(st->st_mode))
        return fail_exists(p);
    f->fd = openat(f->dir, f->leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &opened) != 0 || !S_ISREG(opened.st_mode))
        return fail_exists(p);
    if (may_be_part(&opened) && flock(f->fd, LOCK_SH | LOCK_NB) != 0)
        return fail_lock(p);
    f->is_there = true;
    f->bytes = (uint64_t)opened.st_size;
    return OUTCOME_DONE;
}

void place_file_accept(struct place_file *f, uint16_t mode)
{
    struct stat st;
    if (fstat(f->fd, &st) == 0 && (st.st_mode & MARK) && st.st_uid == geteuid())
        fchmod(f->fd, mode);
}

/* -- files that come -- */

void place_part_name(const char *leaf, char part[PLACE_LEAF_ROOM])
{
    static const char end[] = ".part";
    enum { HEAD = PLACE_LEAF_ROOM - 33 - sizeof end };
    struct hash *h = NULL;
    size_t len = strlen(leaf);
    if (len + sizeof end > PLACE_LEAF_ROOM && (h = hash_new())) {
        char text[33];
        hash_add(h, leaf, len);
        struct wire_hash value = hash_value(h);
        hash_text(&value, text);
        snprintf(part, PLACE_LEAF_ROOM, "%.*s.%s%s", (int)HEAD, leaf, text, end);
    } else {
        snprintf(part, PLACE_LEAF_ROOM, "%.*s%s", PLACE_LEAF_ROOM - (int)sizeof end, leaf, end);
    }
    hash_free(h);
}

/* Whether the name still leads to what was locked: who had it before may have renamed it. */
static bool has_part_name(const struct place_file *f, const struct stat *locked)
{
    struct stat st;
    return fstatat(f->dir, f->part, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == locked->st_dev &&
           st.st_ino == locked->st_ino;
}

static enum wire_outcome fail_part(struct place *p, const struct place_file *f)
{
    char why[sizeof p->why];
    snprintf(why, sizeof why, "%.100s is in its way; move that elsewhere", f->part);
    return fail(p, OUTCOME_EXISTS, EEXIST, why);
}

/* ESTALE: it was finished or taken away in this moment. */
static enum wire_outcome lock_part(struct place *p, struct place_file *f)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return fail_errno(p);
    if (!is_ours(&st))
        return fail_part(p, f);
    if (flock(f->fd, LOCK_EX | LOCK_NB) != 0)
        return fail_lock(p);
    if (!has_part_name(f, &st))
        return fail(p, OUTCOME_OUTPUT, ESTALE, "somebody else is receiving it");
    f->bytes = (uint64_t)st.st_size;
    return OUTCOME_DONE;
}

static enum wire_outcome open_part(struct place *p, struct place_file *f)
{
    const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    f->fd = openat(f->dir, f->part, flags);
    if (f->fd < 0 && errno == ENOENT) {
        f->fd = openat(f->dir, f->part, flags | O_CREAT | O_EXCL, PART_MODE);
        if (f->fd < 0 && errno == EEXIST) /* since a moment ago */
            errno = ESTALE;
        return f->fd < 0 ? fail_errno(p) : lock_part(p, f);
    }
    if (f->fd < 0)
        return fail_part(p, f);
    return lock_part(p, f);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static enum wire_outcome try_open(struct place *p, struct place_file *f)
{
    struct stat st;
    if (fstatat(f->dir, f->leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return open_there(p, f, &st);
    if (errno != ENOENT)
        return fail_errno(p);
    return open_part(p, f);
}

enum wire_outcome place_file_open(struct place *p, struct bytes name, struct place_file *f)
{
    *f = (struct place_file){.dir = -1, .fd = -1};
    enum wire_outcome outcome = open_parent(p, name, &f->dir, f->leaf);
    if (outcome)
        return outcome;
    place_part_name(f->leaf, f->part);
    for (int i = 0; i < TRIES; i++) {
        outcome = try_open(p, f);
        if (!outcome)
            return OUTCOME_DONE;
        close_fd(&f->fd);
        if (p->error != ESTALE)
            break;
    }
    close_fd(&f->dir);
    return outcome;
}

enum wire_outcome place_file_write(struct place *p, struct place_file *f, struct iovec *parts,
                                   int n)
{
    while (n > 0) {
        ssize_t len = pwritev(f->fd, parts, n, (off_t)f->bytes);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return fail_errno(p);
        f->bytes += (size_t)len;
        for (; n > 0 && (size_t)len >= parts->iov_len; parts++, n--)
            len -= (ssize_t)parts->iov_len;
        if (n > 0) {
            parts->iov_base = (uint8_t *)parts->iov_base + len;
            parts->iov_len -= (size_t)len;
        }
    }
    return OUTCOME_DONE;
}

enum wire_outcome place_file_hole(struct place *p, struct place_file *f, uint64_t bytes)
{
    if (ftruncate(f->fd, (off_t)(f->bytes + bytes)) != 0)
        return fail_errno(p);
    f->bytes += bytes;
    return OUTCOME_DONE;
}

enum wire_outcome place_file_restart(struct place *p, struct place_file *f)
{
    if (ftruncate(f->fd, 0) != 0)
        return fail_errno(p);
    f->bytes = 0;
    return OUTCOME_DONE;
}

/* Some file systems say only now that there was no room. */
static int flush_to_system(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? -1 : close(copy);
}

/* Without replacing anything, where the file system cannot do that in one step. */
static int link_and_unlink(const struct place_file *f)
{
    if (linkat(f->dir, f->part, f->dir, f->leaf, 0) != 0)
        return -1;
    return unlinkat(f->dir, f->part, 0);
}

static int give_name(const struct place_file *f)
{
    if (renameat2(f->dir, f->part, f->dir, f->leaf, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != EPERM)
        return -1;
    return link_and_unlink(f);
}

enum wire_outcome place_file_keep(struct place *p, struct place_file *f, uint16_t mode,
                                  int64_t modified_ns)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, time_of(modified_ns)};
    if (futimens(f->fd, times) != 0 || flush_to_system(f->fd) != 0 || give_name(f) != 0)
        return fail_errno(p);
    f->is_there = true;
    return fchmod(f->fd, mode) == 0 ? OUTCOME_DONE : fail_errno(p);
}

void place_file_close(struct place_file *f, bool is_useless)
{
    if (f->fd >= 0 && !f->is_there && (is_useless || f->bytes == 0))
        unlinkat(f->dir, f->part, 0);
    close_fd(&f->fd);
    close_fd(&f->dir);
}
