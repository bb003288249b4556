/* SPDX-License-Identifier: MIT
 * known: owns the file known_peers, the lock beside it, and the file that will take its place.
 *
 * A change is made on a copy, under the lock, and then put in place in one step: readers need no
 * lock, and see the file before or after. A lock is waited for a while, not for ever: its holder
 * may have been stopped. */
#include "tools/common/known.h"

#include "tools/common/lines.h"
#include "tools/common/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    ESCAPED_ROOM = 3 * KNOWN_NAME_MAX + 1,
    LOCK_TRIES = 500, /* 10 ms apart */
    SHOWN_MAX = 110,
};

__attribute__((format(printf, 2, 3))) static enum known refuse(char *why, const char *sentence, ...)
{
    va_list args;
    va_start(args, sentence);
    vsnprintf(why, OPTION_WHY_ROOM, sentence, args);
    va_end(args);
    return KNOWN_ERROR;
}

void known_changed(const char *name, const struct stt_peer_id *was, const struct stt_peer_id *is,
                   char why[OPTION_WHY_ROOM])
{
    char old[STT_PEER_ID_TEXT_ROOM], new[STT_PEER_ID_TEXT_ROOM] = "";
    stt_peer_id_encode(was, old);
    if (is)
        stt_peer_id_encode(is, new);
    snprintf(why, OPTION_WHY_ROOM,
             "somebody else answers: it was %s%s%s; if you know why, run sttcat --forget '%.*s'",
             old, is ? ", and is " : "", new, SHOWN_MAX, name);
}

/* -- names -- */

static bool is_escaped(unsigned char c)
{
    return c <= ' ' || c == 0x7f || c == '%' || c == '#';
}

/* What would end the name, or the line, as %20. False: no name, or a long one. */
static bool escape(char out[ESCAPED_ROOM], const char *name)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t len = strlen(name);
    if (!len || len > KNOWN_NAME_MAX)
        return false;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
        if (!is_escaped(*c)) {
            *out++ = (char)*c;
            continue;
        }
        *out++ = '%';
        *out++ = digits[*c >> 4];
        *out++ = digits[*c & 15];
    }
    *out = '\0';
    return true;
}

/* -- entries -- */

struct entry {
    const char *name; /* escaped; not ended by a zero */
    size_t name_len;
    struct stt_peer_id id;
};

static bool decode(struct entry *entry, const struct line *line)
{
    char text[STT_PEER_ID_TEXT_ROOM];
    size_t id_len = 0;
    while (id_len < line->len && !strchr(" \t", line->text[line->len - 1 - id_len]))
        id_len++;
    size_t name_len = line->len - id_len;
    while (name_len && strchr(" \t", line->text[name_len - 1]))
        name_len--;
    *entry = (struct entry){.name = line->text, .name_len = name_len};
    if (!name_len || name_len >= ESCAPED_ROOM || id_len >= sizeof text)
        return false;
    for (size_t i = 0; i < name_len; i++)
        if (line->text[i] != '%' && is_escaped((unsigned char)line->text[i]))
            return false;
    memcpy(text, line->text + line->len - id_len, id_len);
    text[id_len] = '\0';
    return stt_peer_id_decode(&entry->id, text) == STT_OK;
}

static enum known refuse_line(const struct lines *l, const char *what, char *why)
{
    return refuse(why, "%s, line %u: %s; correct it, or take the line out", l->path, l->number,
                  what);
}

/* Reads all lines: damage anywhere may be damage to the one that is looked for. `at` is where it
 * stands. */
static enum known look_up(struct lines *l, const char *escaped, struct entry *found,
                          struct line *at, char *why)
{
    enum known answer = KNOWN_NO;
    struct line line;
    struct entry entry;
    while (lines_next(l, &line)) {
        if (!decode(&entry, &line))
            return refuse_line(l, "is not 'NAME PEERID'", why);
        if (entry.name_len != strlen(escaped) || memcmp(entry.name, escaped, entry.name_len) != 0)
            continue;
        if (answer == KNOWN_YES)
            return refuse_line(l, "has a name for the second time", why);
        answer = KNOWN_YES;
        *found = entry;
        *at = line;
    }
    return answer;
}

/* Where everything is. */
struct place {
    char file[PATH_MAX], lock[PATH_MAX], draft[PATH_MAX];
    char name[ESCAPED_ROOM];
};

static enum known find_place(struct place *p, const char *name, char *why)
{
    if (!escape(p->name, name))
        return refuse(why, "a name to remember has 1 to %d bytes; give a shorter one",
                      KNOWN_NAME_MAX);
    if (!options_home(p->file, sizeof p->file, "known_peers") ||
        !options_home(p->lock, sizeof p->lock, ".known_peers.lock") ||
        !options_home(p->draft, sizeof p->draft, ".known_peers.new"))
        return KNOWN_NO;
    return KNOWN_YES;
}

/* Who may write to the folder may put another file there. */
static enum known judge_folder(const struct place *p, char *why)
{
    char folder[PATH_MAX];
    struct stat st;
    size_t len = (size_t)(strrchr(p->file, '/') - p->file);
    memcpy(folder, p->file, len);
    folder[len] = '\0';
    if (stat(folder, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? KNOWN_NO
                   : refuse(why, "%s cannot be read: %s", paths_shown(folder), strerror(errno));
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return refuse(why,
                      "%s belongs to user %lu, who could change what is known; set "
                      "STT_CONFIG_DIR to a folder of your own",
                      paths_shown(folder), (unsigned long)st.st_uid);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return refuse(why, "others may write to %s (mode %04o); run chmod go-w on it",
                      paths_shown(folder), (unsigned)st.st_mode & 07777u);
    return KNOWN_YES;
}

/* YES: the file is there, and read. */
static enum known load(struct lines *l, const struct place *p, char *why)
{
    *l = (struct lines){0};
    enum known folder = judge_folder(p, why);
    if (folder != KNOWN_YES)
        return folder;
    switch (lines_load(l, p->file, LINES_NO_LINK, why)) {
    case LINES_THERE:
        return KNOWN_YES;
    case LINES_NONE:
        return KNOWN_NO;
    case LINES_REFUSED:
        break;
    }
    return KNOWN_ERROR;
}

enum known known_find(const char *name, struct stt_peer_id *id, char why[OPTION_WHY_ROOM])
{
    struct place p;
    struct lines l;
    struct entry found;
    struct line line;
    enum known answer = find_place(&p, name, why);
    if (answer != KNOWN_YES)
        return answer;
    answer = load(&l, &p, why);
    if (answer == KNOWN_YES)
        answer = look_up(&l, p.name, &found, &line, why);
    if (answer == KNOWN_YES)
        *id = found.id;
    lines_free(&l);
    return answer;
}

/* -- changes -- */

static int open_lock(const struct place *p, char *why)
{
    int fd = open(p->lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) {
        refuse(why, "%s cannot be opened: %s", paths_shown(p->lock), strerror(errno));
        return -1;
    }
    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if ((errno == EWOULDBLOCK || errno == EINTR) && i < LOCK_TRIES) {
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
            continue;
        }
        refuse(why, "%s cannot be locked: %s; see whether another program holds it",
               paths_shown(p->lock), strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
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

/* Up to three pieces in a row. */
struct content {
    struct {
        const char *text;
        size_t len;
    } pieces[3];
};

/* The mode again by fchmod: a umask may have taken bits away from the owner. */
static bool write_draft(const struct place *p, const struct content *c)
{
    int fd = open(p->draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = fchmod(fd, 0600) == 0;
    for (size_t i = 0; i < 3; i++)
        ok = ok && write_all(fd, c->pieces[i].text, c->pieces[i].len);
    ok = ok && fsync(fd) == 0;
    int failure = errno;
    if (close(fd) != 0 && ok)
        return false;
    errno = failure;
    return ok;
}

/* So that it outlives a power cut; where a folder cannot be synced, so be it. */
static void sync_folder(const struct place *p)
{
    char folder[PATH_MAX];
    size_t len = (size_t)(strrchr(p->file, '/') - p->file) + 1;
    memcpy(folder, p->file, len);
    folder[len] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!fsync(fd);
        close(fd);
    }
}

/* A draft that is there already is of a program that was killed: we hold the lock. */
static enum known put(const struct place *p, const struct content *c, char *why)
{
    unlink(p->draft);
    if (write_draft(p, c) && rename(p->draft, p->file) == 0) {
        sync_folder(p);
        return KNOWN_YES;
    }
    refuse(why, "%s cannot be written: %s; nothing has changed in it", paths_shown(p->file),
           strerror(errno));
    unlink(p->draft);
    return KNOWN_ERROR;
}

static enum known add(const struct place *p, const struct lines *l, const struct stt_peer_id *id,
                      char *why)
{
    char text[STT_PEER_ID_TEXT_ROOM], line[ESCAPED_ROOM + STT_PEER_ID_TEXT_ROOM + 2];
    stt_peer_id_encode(id, text);
    int len = snprintf(line, sizeof line, "%s %s\n", p->name, text);
    bool is_open = l->len && l->text[l->len - 1] != '\n';
    if (l->len + (size_t)len + is_open > LINES_BYTES_MAX)
        return refuse(why, "%s is full; take out what is not needed, with sttcat --forget",
                      paths_shown(p->file));
    return put(p, &(struct content){{{l->text, l->len}, {"\n", is_open}, {line, (size_t)len}}},
               why);
}

static enum known remember(const struct place *p, struct lines *l, const char *name,
                           const struct stt_peer_id *id, char *why)
{
    struct entry found;
    struct line line;
    enum known answer = look_up(l, p->name, &found, &line, why);
    if (answer == KNOWN_NO)
        return add(p, l, id, why);
    if (answer != KNOWN_YES || memcmp(&found.id, id, sizeof *id) == 0)
        return answer;
    known_changed(name, &found.id, id, why);
    return KNOWN_OTHER;
}

enum known known_remember(const char *name, const struct stt_peer_id *id, char why[OPTION_WHY_ROOM])
{
    struct place p;
    struct lines l;
    enum known answer = find_place(&p, name, why);
    if (answer == KNOWN_NO)
        return refuse(why, "there is no home folder to remember peers in; set HOME or "
                           "STT_CONFIG_DIR");
    if (answer != KNOWN_YES || !paths_make_folders(p.file, why))
        return KNOWN_ERROR;
    if (judge_folder(&p, why) == KNOWN_ERROR)
        return KNOWN_ERROR;
    int lock = open_lock(&p, why);
    if (lock < 0)
        return KNOWN_ERROR;
    answer = load(&l, &p, why);
    if (answer != KNOWN_ERROR)
        answer = remember(&p, &l, name, id, why);
    lines_free(&l);
    close(lock);
    return answer;
}

static enum known forget(const struct place *p, struct lines *l, char *why)
{
    struct entry found;
    struct line at;
    enum known answer = look_up(l, p->name, &found, &at, why);
    if (answer != KNOWN_YES)
        return answer;
    const char *text = l->text;
    return put(p, &(struct content){{{text, at.from}, {text + at.to, l->len - at.to}}}, why);
}

static enum known none(const char *name, char *why)
{
    refuse(why, "nobody is known as '%.*s'; give the name as it was typed, with its port",
           SHOWN_MAX, name);
    return KNOWN_NO;
}

enum known known_forget(const char *name, char why[OPTION_WHY_ROOM])
{
    struct place p;
    struct lines l;
    enum known answer = find_place(&p, name, why);
    if (answer == KNOWN_YES)
        answer = judge_folder(&p, why);
    if (answer != KNOWN_YES)
        return answer == KNOWN_NO ? none(name, why) : answer;
    int lock = open_lock(&p, why);
    if (lock < 0)
        return KNOWN_ERROR;
    answer = load(&l, &p, why);
    if (answer == KNOWN_YES)
        answer = forget(&p, &l, why);
    lines_free(&l);
    close(lock);
    return answer == KNOWN_NO ? none(name, why) : answer;
}
