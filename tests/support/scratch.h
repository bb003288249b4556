/* SPDX-License-Identifier: MIT
 * scratch: a directory for one test, which becomes the working directory; and what tests do with
 * files in it. What fails stops the test. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_MUST(condition) ck_assert_msg((condition), "%s: %m", #condition)

static inline void scratch_enter(char path[64])
{
    snprintf(path, 64, "/tmp/stt-scratch-XXXXXX");
    SCRATCH_MUST(mkdtemp(path));
    SCRATCH_MUST(chdir(path) == 0);
}

static inline int scratch_open_up(const char *path, const struct stat *st, int type,
                                  struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    return type == FTW_D || type == FTW_DNR ? chmod(path, 0700) : 0;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
                                     struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void scratch_leave(const char *path)
{
    SCRATCH_MUST(chdir("/") == 0);
    nftw(path, scratch_open_up, 16, FTW_PHYS);
    nftw(path, scratch_remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

static inline void scratch_make_dir(const char *path)
{
    SCRATCH_MUST(mkdir(path, 0700) == 0);
}

static inline void scratch_put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    SCRATCH_MUST(f);
    SCRATCH_MUST(fwrite(text, 1, strlen(text), f) == strlen(text));
    SCRATCH_MUST(fclose(f) == 0);
}

/* What is in it, as far as there is room. */
static inline const char *scratch_text(const char *path)
{
    static char text[4096];
    FILE *f = fopen(path, "rb");
    SCRATCH_MUST(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static inline bool scratch_is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static inline mode_t scratch_mode(const char *path)
{
    struct stat st;
    SCRATCH_MUST(lstat(path, &st) == 0);
    return st.st_mode & 07777;
}

#endif
