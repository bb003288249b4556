/* SPDX-License-Identifier: MIT
 * content: reads a file that others may change meanwhile, as long as it was when it was opened.
 *
 *     |  data  | hole |        data        |        at <= extent_end <= bytes
 *              ^ at   ^ extent_end         ^ bytes
 *
 * A file that has all of its blocks is one extent, and the system is not asked for holes. Whether
 * it has changed is for others to find out. Spec 10, "Files". */
#include "tools/sttcat/content.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SKIM_BYTES = 128 << 10, ADVISED_BYTES = 1 << 20 };

bool content_begin(struct content *s, int fd, uint64_t bytes)
{
    struct stat st;
    *s = (struct content){.fd = fd, .bytes = bytes, .hash = hash_new()};
    if (fstat(fd, &st) == 0)
        s->is_sparse = (uint64_t)st.st_blocks * 512 < bytes;
    if (bytes > ADVISED_BYTES)
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return s->hash;
}

void content_end(struct content *s)
{
    hash_free(s->hash);
    s->hash = NULL;
}

void content_rewind(struct content *s)
{
    hash_restart(s->hash);
    s->at = s->extent_end = 0;
}

static void find_extent(struct content *s)
{
    s->is_hole = false;
    s->extent_end = s->bytes;
    if (!s->is_sparse)
        return;
    off_t data = lseek(s->fd, (off_t)s->at, SEEK_DATA);
    s->is_hole = data > (off_t)s->at || (data < 0 && errno == ENXIO);
    off_t end = s->is_hole ? data : lseek(s->fd, (off_t)s->at, SEEK_HOLE);
    if (end > (off_t)s->at && (uint64_t)end < s->bytes)
        s->extent_end = (uint64_t)end;
}

uint64_t content_extent(struct content *s)
{
    if (s->at == s->extent_end && s->at < s->bytes)
        find_extent(s);
    return s->extent_end - s->at;
}

static void break_off(struct content *s, int error)
{
    s->is_broken = true;
    s->error = error;
}

void content_read(struct content *s, void *out, size_t len)
{
    size_t done = 0;
    while (done < len && !s->is_broken) {
        ssize_t n = pread(s->fd, (uint8_t *)out + done, len - done, (off_t)(s->at + done));
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            break_off(s, n == 0 ? 0 : errno);
    }
    memset((uint8_t *)out + done, 0, len - done);
    hash_add(s->hash, out, len);
    s->at += len;
}

size_t content_skip(struct content *s, uint64_t len)
{
    hash_add_zeros(s->hash, len);
    s->at += len;
    return (size_t)(len / CONTENT_ZEROS_FACTOR) + 1;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

size_t content_skim(struct content *s, uint64_t to, size_t work)
{
    uint8_t buffer[SKIM_BYTES];
    size_t done = 0;
    to = least(to, s->bytes);
    while (done < work && s->at < to && !s->is_broken) {
        uint64_t len = least(content_extent(s), to - s->at);
        if (s->is_hole) {
            done += content_skip(s, least(len, (work - done) * CONTENT_ZEROS_FACTOR));
        } else {
            content_read(s, buffer, (size_t)least(len, sizeof buffer));
            done += (size_t)least(len, sizeof buffer);
        }
    }
    return done;
}
