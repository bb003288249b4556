/* SPDX-License-Identifier: MIT
 * trees: walked with fts, which follows no link. */
#include "tests/support/trees.h"

#include "tests/support/rng.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { PIECE_BYTES = 1 << 18 };

static int must_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0644);
    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    return fd;
}

/* -- making and reading -------------------------------------------------------------------------
 */

static void write_all(int fd, const char *path, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, (const uint8_t *)data + done, len - done);
        ck_assert_msg(n > 0, "%s: %s", path, strerror(errno));
        done += (size_t)n;
    }
}

void trees_make(const char *path, uint64_t bytes, uint64_t seed)
{
    static uint64_t piece[PIECE_BYTES / 8];
    struct rng rng = rng_init(seed);
    int fd = must_open(path, O_WRONLY | O_CREAT | O_TRUNC);
    for (uint64_t left = bytes; left > 0;) {
        size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
        for (size_t i = 0; i < (len + 7) / 8; i++)
            piece[i] = rng_u64(&rng);
        write_all(fd, path, piece, len);
        left -= len;
    }
    ck_assert_int_eq(close(fd), 0);
}

void trees_write(const char *path, const void *data, size_t len)
{
    int fd = must_open(path, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(fd, path, data, len);
    ck_assert_int_eq(close(fd), 0);
}

void trees_write_text(const char *path, const char *text)
{
    trees_write(path, text, strlen(text));
}

/* Fills the piece unless the file ends before. */
static size_t read_piece(int fd, const char *path, uint8_t *piece, size_t room)
{
    size_t len = 0;
    while (len < room) {
        ssize_t n = read(fd, piece + len, room - len);
        ck_assert_msg(n >= 0, "%s: %s", path, strerror(errno));
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return len;
}

char *trees_read(const char *path, size_t *len)
{
    int fd = must_open(path, O_RDONLY);
    size_t room = (size_t)trees_bytes(path);
    char *text = malloc(room + 1);
    ck_assert_ptr_nonnull(text);
    *len = read_piece(fd, path, (uint8_t *)text, room);
    text[*len] = 0;
    close(fd);
    return text;
}

bool trees_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

uint64_t trees_bytes(const char *path)
{
    struct stat st;
    ck_assert_msg(stat(path, &st) == 0, "%s: %s", path, strerror(errno));
    return (uint64_t)st.st_size;
}

uint64_t trees_hash(const char *path)
{
    static uint8_t piece[PIECE_BYTES];
    XXH3_state_t *state = XXH3_createState();
    int fd = must_open(path, O_RDONLY);
    XXH3_64bits_reset(state);
    for (size_t len; (len = read_piece(fd, path, piece, sizeof piece)) > 0;)
        XXH3_64bits_update(state, piece, len);
    uint64_t hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    close(fd);
    return hash;
}

/* -- walking ------------------------------------------------------------------------------------
 */

static FTS *walk(const char *path)
{
    char *paths[] = {(char *)(uintptr_t)path, NULL};
    return fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
}

unsigned trees_count(const char *path)
{
    unsigned n = 0;
    FTS *fts = walk(path);
    ck_assert_ptr_nonnull(fts);
    for (FTSENT *e; (e = fts_read(fts));)
        n += e->fts_info != FTS_DP && e->fts_level > 0;
    fts_close(fts);
    return n;
}

bool trees_remove(const char *path)
{
    FTS *fts = walk(path);
    if (!fts)
        return false;
    for (FTSENT *e; (e = fts_read(fts));) {
        if (e->fts_info == FTS_D)
            (void)chmod(e->fts_accpath, 0700);
        else if (e->fts_info == FTS_DP)
            (void)rmdir(e->fts_accpath);
        else
            (void)unlink(e->fts_accpath);
    }
    fts_close(fts);
    return !trees_exists(path);
}

/* -- comparing ----------------------------------------------------------------------------------
 */

static char difference[1024];

static const char *differ(const char *path, const char *how)
{
    snprintf(difference, sizeof difference, "%.900s: %s", path, how);
    return difference;
}

static const char *compare_content(const char *one, const char *other)
{
    static uint8_t a[PIECE_BYTES], b[PIECE_BYTES];
    const char *answer = NULL;
    uint64_t at = 0;
    int first = must_open(one, O_RDONLY), second = must_open(other, O_RDONLY);
    for (size_t n = 1; n > 0 && !answer; at += n) {
        size_t m = read_piece(second, other, b, sizeof b);
        n = read_piece(first, one, a, sizeof a);
        size_t same = 0;
        while (same < n && same < m && a[same] == b[same])
            same++;
        if (n == m && same == n)
            continue;
        snprintf(difference, sizeof difference, "%.900s: from byte %llu on another content", other,
                 (unsigned long long)(at + same));
        answer = difference;
    }
    close(first);
    close(second);
    return answer;
}

static const char *compare_link(const char *one, const char *other)
{
    char a[4096], b[4096];
    ssize_t n = readlink(one, a, sizeof a), m = readlink(other, b, sizeof b);
    bool is_same = n >= 0 && n == m && memcmp(a, b, (size_t)n) == 0;
    return is_same ? NULL : differ(other, "the link leads elsewhere");
}

static const char *compare_entry(const char *one, const char *other, unsigned without)
{
    struct stat a, b;
    if (lstat(one, &a) != 0)
        return differ(one, strerror(errno));
    if (lstat(other, &b) != 0)
        return differ(other, strerror(errno));
    if ((a.st_mode & S_IFMT) != (b.st_mode & S_IFMT))
        return differ(other, "is of another kind");
    if (S_ISLNK(a.st_mode))
        return compare_link(one, other);
    if (!(without & TREES_NO_MODES) && (a.st_mode & 0777) != (b.st_mode & 0777))
        return differ(other, "has another mode");
    if (!(without & TREES_NO_TIMES) &&
        (a.st_mtim.tv_sec != b.st_mtim.tv_sec || a.st_mtim.tv_nsec != b.st_mtim.tv_nsec))
        return differ(other, "was changed at another time");
    return S_ISREG(a.st_mode) ? compare_content(one, other) : NULL;
}

const char *trees_difference(const char *one, const char *other, unsigned without)
{
    char there[4096];
    const char *answer = NULL;
    size_t root = strlen(one);
    FTS *fts = walk(one);
    ck_assert_ptr_nonnull(fts);
    for (FTSENT *e; !answer && (e = fts_read(fts));) {
        int len = snprintf(there, sizeof there, "%s%s", other, e->fts_path + root);
        ck_assert_msg(len < (int)sizeof there, "%s: too long", e->fts_path);
        if (e->fts_info != FTS_DP)
            answer = compare_entry(e->fts_path, there, without);
    }
    fts_close(fts);
    if (!answer && trees_count(one) != trees_count(other))
        return differ(other, "there is more in it");
    return answer;
}
