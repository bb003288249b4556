/* SPDX-License-Identifier: MIT
 * tree: a walk over directories, one step a call, depth first and in the order in which the system
 * lists names, so that it needs memory for the way down only.
 *
 *     paths[i]      frame 0    frame 1          a frame is a directory that is being read;
 *     photos   ->   photos  -> photos/2024      name[0..name_len) is where it is
 *
 * Everything below a path is reached from its directory's descriptor, never again by its name, and
 * no link is followed, so that who renames things meanwhile changes only what is found, not where.
 * A directory stays open while it is a frame, or a file in it is not released; of the latter there
 * are at most HELD_MAX. Knows nothing of streams. Spec 10, "Files". */
#include "tools/sttcat/tree.h"

#include "tools/common/say.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { HELD_MAX = 256, DESCRIPTORS_WANTED = 8192 };

struct tree_dir {
    struct tree *tree;
    DIR *stream;
    uint32_t files; /* that are not released */
    bool is_frame;
};

struct frame {
    struct tree_dir *dir;
    size_t name_len;
    uint16_t mode;
    int64_t modified_ns;
    bool is_read; /* or cannot be read on */
};

struct tree {
    const char *const *paths;
    uint32_t n_paths, next_path;
    uint32_t n_held; /* directories that are open for their files only */
    struct frame *frames;
    size_t n_frames, room_frames;
    char name[WIRE_NAME_MAX + 1];
    char target[WIRE_NAME_MAX + 1];
};

/* -- directories -- */

static void dir_close_unused(struct tree_dir *d)
{
    if (d->is_frame || d->files)
        return;
    closedir(d->stream);
    free(d);
}

static struct tree_dir *dir_open(struct tree *t, int at, const char *name, int flags)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    struct tree_dir *d = fd < 0 ? NULL : calloc(1, sizeof *d);
    DIR *stream = d ? fdopendir(fd) : NULL;
    if (!stream) {
        int error = errno;
        free(d);
        if (fd >= 0)
            close(fd);
        errno = error;
        return NULL;
    }
    *d = (struct tree_dir){.tree = t, .stream = stream, .is_frame = true};
    return d;
}

static void dir_hold(struct tree_dir *d)
{
    d->files++;
}

static void dir_release(struct tree_dir *d)
{
    d->files--;
    if (!d->files && !d->is_frame)
        d->tree->n_held--;
    dir_close_unused(d);
}

/* -- files -- */

/* What is beyond the years that have room, 1677 to 2262, becomes the nearest of them. */
static int64_t time_of(const struct stat *st)
{
    int64_t ns;
    if (__builtin_mul_overflow((int64_t)st->st_mtim.tv_sec, 1000000000, &ns) ||
        __builtin_add_overflow(ns, (int64_t)st->st_mtim.tv_nsec, &ns))
        return st->st_mtim.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

/* Those of /proc say that they are empty, and are not. */
static bool ends_at(int fd, uint64_t bytes)
{
    char more;
    return pread(fd, &more, 1, (off_t)bytes) == 0;
}

bool tree_file_is_unchanged(const struct tree_file *f, int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == f->device &&
           st.st_ino == f->inode && (uint64_t)st.st_size == f->bytes &&
           time_of(&st) == f->modified_ns && ends_at(fd, f->bytes);
}

static const char *leaf_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

int tree_file_open(const struct tree_file *f, struct bytes name)
{
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    char text[WIRE_NAME_MAX + 1];
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    int fd = f->dir ? openat(dirfd(f->dir->stream), leaf_of(text), flags | O_NOFOLLOW)
                    : open(f->path, flags);
    if (fd >= 0 && !tree_file_is_unchanged(f, fd)) {
        close(fd);
        errno = ESTALE;
        return -1;
    }
    return fd;
}

void tree_file_release(struct tree_file *f)
{
    if (f->dir)
        dir_release(f->dir);
    f->dir = NULL;
}

/* -- what a step says -- */

static enum tree_step skip(const char *what, const char *because, char why[TREE_WHY_ROOM])
{
    char clean[256];
    snprintf(why, TREE_WHY_ROOM, "%s is not sent: %s", say_clean(what, clean, sizeof clean),
             because);
    return TREE_SKIPPED;
}

static enum tree_step tell(struct tree *t, struct tree_entry *e, uint8_t kind,
                           const struct stat *st)
{
    *e = (struct tree_entry){
        .kind = kind,
        .mode = (uint16_t)(st->st_mode & 0777),
        .modified_ns = time_of(st),
        .bytes = kind == ENTRY_FILE ? (uint64_t)st->st_size : 0,
        .name = bytes_of(t->name, strlen(t->name)),
    };
    return TREE_ENTRY;
}

static enum tree_step tell_file(struct tree *t, struct tree_entry *e, const struct stat *st,
                                struct tree_dir *dir)
{
    tell(t, e, ENTRY_FILE, st);
    e->file = (struct tree_file){
        .dir = dir,
        .path = dir ? NULL : t->paths[t->next_path - 1],
        .device = st->st_dev,
        .inode = st->st_ino,
        .bytes = e->bytes,
        .modified_ns = e->modified_ns,
    };
    if (dir)
        dir_hold(dir);
    return TREE_ENTRY;
}

static enum tree_step tell_link(struct tree *t, struct tree_entry *e, const struct stat *st, int at,
                                char why[TREE_WHY_ROOM])
{
    ssize_t len = readlinkat(at, leaf_of(t->name), t->target, sizeof t->target);
    if (len < 0)
        return skip(t->name, strerror(errno), why);
    if (len == 0 || len > WIRE_NAME_MAX)
        return skip(t->name, "where it leads is too long", why);
    tell(t, e, ENTRY_LINK, st);
    e->target = bytes_of(t->target, (size_t)len);
    return TREE_ENTRY;
}

static const char *kind_text(mode_t mode)
{
    return S_ISSOCK(mode)   ? "it is a socket"
           : S_ISFIFO(mode) ? "it is a named pipe"
                            : "it is a device";
}

/* -- down and up -- */

/* `d` becomes the place where the walk is; its name is in t->name, or empty for a top. */
static bool push(struct tree *t, struct tree_dir *d, const struct stat *st)
{
    if (t->n_frames == t->room_frames) {
        size_t room = t->room_frames ? 2 * t->room_frames : 16;
        struct frame *frames = realloc(t->frames, room * sizeof *frames);
        if (!frames)
            return false;
        t->frames = frames;
        t->room_frames = room;
    }
    t->frames[t->n_frames++] = (struct frame){
        .dir = d,
        .name_len = strlen(t->name),
        .mode = (uint16_t)(st->st_mode & 0777),
        .modified_ns = time_of(st),
    };
    return true;
}

static enum tree_step enter(struct tree *t, struct tree_entry *e, int at, const char *name,
                            char why[TREE_WHY_ROOM])
{
    struct tree_dir *d = dir_open(t, at, name, at == AT_FDCWD ? 0 : O_NOFOLLOW);
    struct stat st;
    const char *shown = *t->name ? t->name : name;
    if (!d)
        return skip(shown, strerror(errno), why);
    if (fstat(dirfd(d->stream), &st) != 0 || !push(t, d, &st)) {
        int error = errno;
        d->is_frame = false;
        dir_close_unused(d);
        return skip(shown, strerror(error), why);
    }
    if (!*t->name)
        return tree_next(t, e, why); /* a top is not named itself */
    return tell(t, e, ENTRY_DIRECTORY, &st);
}

static enum tree_step leave(struct tree *t, struct tree_entry *e, char why[TREE_WHY_ROOM])
{
    struct frame *f = &t->frames[--t->n_frames];
    f->dir->is_frame = false;
    if (f->dir->files)
        t->n_held++;
    dir_close_unused(f->dir);
    t->name[f->name_len] = '\0';
    if (!f->name_len)
        return tree_next(t, e, why);
    *e = (struct tree_entry){
        .kind = ENTRY_DIRECTORY_END,
        .mode = f->mode,
        .modified_ns = f->modified_ns,
        .name = bytes_of(t->name, f->name_len),
    };
    return TREE_ENTRY;
}

/* Behind the frame's name; false: it becomes too long. */
static bool append(struct tree *t, size_t len, const char *leaf)
{
    size_t n = strlen(leaf), slash = len ? 1 : 0;
    if (len + slash + n > WIRE_NAME_MAX)
        return false;
    if (slash)
        t->name[len] = '/';
    memcpy(t->name + len + slash, leaf, n + 1);
    return wire_name_is_valid(bytes_of(t->name, strlen(t->name)));
}

static enum tree_step step_child(struct tree *t, struct tree_entry *e, const char *leaf,
                                 char why[TREE_WHY_ROOM])
{
    const struct frame *f = &t->frames[t->n_frames - 1];
    int at = dirfd(f->dir->stream);
    struct stat st;
    if (!append(t, f->name_len, leaf))
        return skip(leaf, "its path is too long", why);
    if (fstatat(at, leaf, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return skip(t->name, strerror(errno), why);
    if (S_ISREG(st.st_mode))
        return tell_file(t, e, &st, f->dir);
    if (S_ISDIR(st.st_mode))
        return enter(t, e, at, leaf, why);
    if (S_ISLNK(st.st_mode))
        return tell_link(t, e, &st, at, why);
    return skip(t->name, kind_text(st.st_mode), why);
}

static bool is_dots(const char *leaf)
{
    return !strcmp(leaf, ".") || !strcmp(leaf, "..");
}

static enum tree_step step_frame(struct tree *t, struct tree_entry *e, char why[TREE_WHY_ROOM])
{
    struct frame *f = &t->frames[t->n_frames - 1];
    const struct dirent *entry = NULL;
    t->name[f->name_len] = '\0';
    errno = 0;
    while (!f->is_read && (entry = readdir(f->dir->stream)) && is_dots(entry->d_name))
        ;
    if (entry)
        return step_child(t, e, entry->d_name, why);
    if (f->is_read || !errno)
        return leave(t, e, why);
    f->is_read = true;
    return skip(f->name_len ? t->name : "a part of the directory", strerror(errno), why);
}

/* -- paths -- */

/* The last part of a path, without slashes behind it; empty where it names no place of its own. */
static bool name_path(struct tree *t, const char *path)
{
    size_t len = strlen(path), from;
    while (len > 1 && path[len - 1] == '/')
        len--;
    for (from = len; from > 0 && path[from - 1] != '/'; from--)
        ;
    t->name[0] = '\0';
    if (len - from > 255)
        return false;
    if ((len - from == 1 && path[from] == '.') ||
        (len - from == 2 && !memcmp(path + from, "..", 2)))
        return true;
    memcpy(t->name, path + from, len - from);
    t->name[len - from] = '\0';
    return true;
}

static enum tree_step step_path(struct tree *t, struct tree_entry *e, char why[TREE_WHY_ROOM])
{
    const char *path = t->paths[t->next_path++];
    struct stat st;
    if (!name_path(t, path))
        return skip(path, "its name is too long", why);
    if (stat(path, &st) != 0)
        return skip(path, strerror(errno), why);
    if (S_ISDIR(st.st_mode))
        return enter(t, e, AT_FDCWD, path, why);
    if (S_ISREG(st.st_mode) && *t->name)
        return tell_file(t, e, &st, NULL);
    return skip(path, kind_text(st.st_mode), why);
}

/* -- the walk -- */

/* Each level of depth has a descriptor; the usual limit is lower than what may be had. */
static void want_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_WANTED)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
    setrlimit(RLIMIT_NOFILE, &limit);
}

struct tree *tree_new(const char *const *paths, uint32_t n)
{
    struct tree *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->paths = paths;
    t->n_paths = n;
    want_descriptors();
    return t;
}

void tree_free(struct tree *t)
{
    for (size_t i = 0; t && i < t->n_frames; i++) {
        t->frames[i].dir->is_frame = false;
        dir_close_unused(t->frames[i].dir);
    }
    if (t)
        free(t->frames);
    free(t);
}

enum tree_step tree_next(struct tree *t, struct tree_entry *entry, char why[TREE_WHY_ROOM])
{
    if (t->n_held >= HELD_MAX)
        return TREE_FULL;
    if (t->n_frames)
        return step_frame(t, entry, why);
    if (t->next_path == t->n_paths)
        return TREE_END;
    return step_path(t, entry, why);
}
