/* SPDX-License-Identifier: MIT
 * A file as it is read: its hash, its holes, and what happens when it becomes shorter. */
#include "tools/sttcat/content.h"

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { BYTES = 3 << 20 };
static const char pattern[] = "what is in the file";
static char folder[64];
static struct content content;
static int fd;

/* Data, a hole, data, a hole at its end; or all of it dense. */
static void begin(bool is_sparse)
{
    scratch_enter(folder);
    fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    SCRATCH_MUST(fd >= 0 && ftruncate(fd, BYTES) == 0);
    for (off_t at = 0; !is_sparse && at < BYTES; at += 4096)
        SCRATCH_MUST(pwrite(fd, "", 1, at) == 1);
    SCRATCH_MUST(pwrite(fd, pattern, sizeof pattern, 10) == sizeof pattern);
    SCRATCH_MUST(pwrite(fd, pattern, sizeof pattern, BYTES / 2) == sizeof pattern);
    ck_assert(content_begin(&content, fd, BYTES));
}

static void end(void)
{
    content_end(&content);
    close(fd);
    scratch_leave(folder);
}

/* Of the first `bytes` bytes, as they are read plainly. */
static struct wire_hash plain_hash(size_t bytes)
{
    uint8_t *data = calloc(1, BYTES);
    struct hash *h = hash_new();
    SCRATCH_MUST(data && pread(fd, data, bytes, 0) == (ssize_t)bytes);
    hash_add(h, data, bytes);
    struct wire_hash value = hash_value(h);
    hash_free(h);
    free(data);
    return value;
}

static void check_hash(void)
{
    struct wire_hash expected = plain_hash((size_t)content.at), value = hash_value(content.hash);
    ck_assert(hash_equal(&expected, &value));
    ck_assert_uint_eq(hash_bytes(content.hash), content.at);
}

START_TEST(a_skim_stops_where_it_should_with_the_right_hash)
{
    static const uint64_t stops[] = {0, 1, 4095, 4096, 5000, BYTES / 2 + 3, BYTES - 1, BYTES};
    begin(_i);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        while (content.at < stops[i])
            ck_assert_uint_gt(content_skim(&content, stops[i], 100000), 0);
        ck_assert_uint_eq(content.at, stops[i]);
        check_hash();
    }
    ck_assert_uint_eq(content_skim(&content, BYTES + 1, 1), 0);
    ck_assert(!content.is_broken);
    content_rewind(&content);
    check_hash();
    content_skim(&content, 777, 1000);
    check_hash();
    end();
}
END_TEST

START_TEST(work_is_done_in_slices)
{
    begin(false);
    size_t done = content_skim(&content, BYTES, 1000);
    ck_assert_uint_ge(done, 1000);
    ck_assert_uint_le(content.at, 128 << 10);
    end();
}
END_TEST

START_TEST(extents_cover_the_file_and_holes_are_zeros)
{
    uint8_t data[4096];
    uint64_t holes = 0, len;
    begin(_i);
    while ((len = content_extent(&content))) {
        ck_assert_uint_le(content.at + len, BYTES);
        if (content.is_hole) {
            holes += len;
            content_skip(&content, len);
        } else {
            content_read(&content, data, len < sizeof data ? (size_t)len : sizeof data);
        }
    }
    ck_assert_uint_eq(content.at, BYTES);
    check_hash();
    ck_assert_msg(_i ? holes > BYTES / 2 : holes == 0, "%llu", (unsigned long long)holes);
    end();
}
END_TEST

START_TEST(a_file_that_becomes_shorter_is_broken_and_read_as_zeros)
{
    char data[64];
    begin(false);
    content_skim(&content, 10, 10);
    SCRATCH_MUST(ftruncate(fd, 14) == 0);
    memset(data, 'x', sizeof data);
    content_read(&content, data, sizeof data);
    ck_assert_mem_eq(data, "what\0\0\0", 7);
    ck_assert_int_eq(data[63], 0);
    ck_assert(content.is_broken);
    ck_assert_int_eq(content.error, 0);
    ck_assert_uint_eq(content_skim(&content, BYTES, 1000), 0);
    end();
}
END_TEST

SUITE("content", LOOP(a_skim_stops_where_it_should_with_the_right_hash, 0, 2),
      TEST(work_is_done_in_slices), LOOP(extents_cover_the_file_and_holes_are_zeros, 0, 2),
      TEST(a_file_that_becomes_shorter_is_broken_and_read_as_zeros))
