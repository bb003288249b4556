/* SPDX-License-Identifier: MIT
 * lines: owns the text of one file. It is opened without waiting and judged by what was opened,
 * never by its name. Must not know what the lines mean. */
#include "tools/common/lines.h"

#include "tools/common/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((format(printf, 3, 4))) static enum lines_answer
refuse(const struct lines *l, char *why, const char *sentence, ...)
{
    va_list args;
    int len = snprintf(why, OPTION_WHY_ROOM, "%s: ", l->path);
    va_start(args, sentence);
    vsnprintf(why + len, (size_t)(OPTION_WHY_ROOM - len), sentence, args);
    va_end(args);
    return LINES_REFUSED;
}

static enum lines_answer refuse_errno(const struct lines *l, char *why)
{
    if (errno == ENOENT || errno == ENOTDIR) {
        refuse(l, why, "there is no such file; check the name");
        return LINES_NONE;
    }
    if (errno == ELOOP)
        return refuse(l, why, "is a symbolic link; put the file itself there");
    return refuse(l, why, "cannot be read: %s", strerror(errno));
}

static enum lines_answer judge(const struct lines *l, const struct stat *st, char *why)
{
    if (!S_ISREG(st->st_mode))
        return refuse(l, why, "is not a regular file; name a text file");
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return refuse(l, why, "belongs to user %lu, who could change it; make one of your own",
                      (unsigned long)st->st_uid);
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return refuse(l, why, "others may write to it (mode %04o); run chmod go-w on it",
                      (unsigned)st->st_mode & 07777u);
    if (st->st_size > LINES_BYTES_MAX)
        return refuse(l, why, "is larger than %d bytes; take out what is not needed",
                      LINES_BYTES_MAX);
    return LINES_THERE;
}

/* It may have grown since it was judged. */
static enum lines_answer read_all(struct lines *l, int fd, char *why)
{
    ssize_t n;
    if (!(l->text = malloc(LINES_BYTES_MAX + 1)))
        return refuse(l, why, "there is no memory to read it");
    while ((n = read(fd, l->text + l->len, LINES_BYTES_MAX + 1 - l->len)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refuse_errno(l, why);
        l->len += (size_t)n;
        if (l->len > LINES_BYTES_MAX)
            return refuse(l, why, "is larger than %d bytes; take out what is not needed",
                          LINES_BYTES_MAX);
    }
    if (memchr(l->text, '\0', l->len))
        return refuse(l, why, "is not a text; name another file");
    return LINES_THERE;
}

enum lines_answer lines_load(struct lines *l, const char *path, enum lines_links links,
                             char why[OPTION_WHY_ROOM])
{
    *l = (struct lines){0};
    snprintf(l->path, sizeof l->path, "%s", paths_shown(path));
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, links == LINES_NO_LINK ? flags | O_NOFOLLOW : flags);
    if (fd < 0)
        return refuse_errno(l, why);
    struct stat st;
    enum lines_answer answer = fstat(fd, &st) == 0 ? judge(l, &st, why) : refuse_errno(l, why);
    if (answer == LINES_THERE)
        answer = read_all(l, fd, why);
    close(fd);
    return answer;
}

void lines_free(struct lines *l)
{
    free(l->text);
    *l = (struct lines){0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(struct line *line)
{
    const char *hash = memchr(line->text, '#', line->len);
    if (hash)
        line->len = (size_t)(hash - line->text);
    while (line->len && is_blank(line->text[line->len - 1]))
        line->len--;
    while (line->len && is_blank(*line->text)) {
        line->text++;
        line->len--;
    }
}

bool lines_next(struct lines *l, struct line *line)
{
    while (l->at < l->len) {
        const char *from = l->text + l->at, *end = memchr(from, '\n', l->len - l->at);
        size_t len = end ? (size_t)(end - from) : l->len - l->at;
        *line = (struct line){from, len, l->at, l->at + len + (end != NULL)};
        l->at = line->to;
        l->number++;
        trim(line);
        if (line->len)
            return true;
    }
    return false;
}
