/* SPDX-License-Identifier: MIT */
#include "stt/base/bytes.h"

#include "tests/support/suite.h"

static const uint8_t sample[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};

START_TEST(slices_are_equal_by_content)
{
    const uint8_t a[] = {1, 2, 3}, b[] = {1, 2, 3}, c[] = {1, 2, 4};
    ck_assert(bytes_equal(BYTES(a), BYTES(b)));
    ck_assert(!bytes_equal(BYTES(a), BYTES(c)));
    ck_assert(!bytes_equal(BYTES(a), bytes_of(b, 2)));
    ck_assert(bytes_equal(BYTES_NONE, bytes_of(a, 0)));
    ck_assert(!bytes_equal(BYTES_NONE, BYTES(a)));
}
END_TEST

START_TEST(text_slices_leave_out_the_final_zero)
{
    struct bytes b = BYTES_TEXT("stt");
    ck_assert_uint_eq(b.len, 3);
    ck_assert_mem_eq(b.data, "stt", 3);
}
END_TEST

START_TEST(all_zero_sees_every_byte)
{
    uint8_t zeros[9] = {0};
    ck_assert(bytes_all_zero(BYTES(zeros)));
    ck_assert(bytes_all_zero(BYTES_NONE));
    for (size_t i = 0; i < sizeof zeros; i++) {
        zeros[i] = 0x80;
        ck_assert(!bytes_all_zero(BYTES(zeros)));
        zeros[i] = 0;
    }
}
END_TEST

START_TEST(integers_are_read_big_endian)
{
    struct rd r = rd_init(BYTES(sample));
    ck_assert_uint_eq(rd_u8(&r), 1);
    ck_assert_uint_eq(rd_u16(&r), 0x0203);
    ck_assert_uint_eq(rd_u32(&r), 0x04050607);
    ck_assert_uint_eq(rd_u64(&r), 0x08090a0b0c0d0e0f);
    ck_assert_uint_eq(rd_uint(&r, 3), 0x101112);
    ck_assert(rd_is_done(&r));
}
END_TEST

START_TEST(a_slice_that_was_read_borrows_from_the_input)
{
    struct rd r = rd_init(BYTES(sample));
    struct bytes b = rd_bytes(&r, 4);
    ck_assert_ptr_eq(b.data, sample);
    ck_assert_uint_eq(b.len, 4);
    ck_assert_uint_eq(rd_left(&r), sizeof sample - 4);
    b = rd_rest(&r);
    ck_assert_ptr_eq(b.data, sample + 4);
    ck_assert(rd_is_done(&r));
    ck_assert_uint_eq(rd_rest(&r).len, 0);
    ck_assert(!r.bad);
}
END_TEST

/* _i bytes of input for a 15-byte record: 1 + 2 + 4 + 8. */
START_TEST(every_prefix_of_a_record_is_refused)
{
    struct rd r = rd_init(bytes_of(sample, (size_t)_i));
    rd_u8(&r);
    rd_u16(&r);
    rd_u32(&r);
    uint64_t last = rd_u64(&r);
    ck_assert(r.bad);
    ck_assert(!rd_is_done(&r));
    ck_assert_uint_eq(last, 0);
}
END_TEST

START_TEST(after_its_first_failure_a_reader_yields_zeros)
{
    struct rd r = rd_init(bytes_of(sample, 3));
    ck_assert_uint_eq(rd_u32(&r), 0);
    ck_assert(r.bad);
    ck_assert_uint_eq(rd_u8(&r), 0); /* three bytes are left, but it stays bad */
    ck_assert_ptr_null(rd_rest(&r).data);
    uint8_t out[3] = {7, 7, 7};
    rd_copy(&r, out, sizeof out);
    ck_assert(bytes_all_zero(BYTES(out)));
}
END_TEST

START_TEST(lengths_from_the_network_cannot_overflow_a_reader)
{
    const uint64_t lengths[] = {sizeof sample + 1, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct rd r = rd_init(BYTES(sample));
        rd_u8(&r);
        ck_assert_ptr_null(rd_bytes(&r, lengths[i]).data);
        ck_assert(r.bad);
    }
}
END_TEST

START_TEST(nothing_is_a_valid_input)
{
    struct rd r = rd_init(BYTES_NONE);
    ck_assert(rd_is_done(&r));
    ck_assert_uint_eq(rd_bytes(&r, 0).len, 0);
    rd_copy(&r, NULL, 0);
    ck_assert(rd_is_done(&r));
    rd_u8(&r);
    ck_assert(r.bad);
}
END_TEST

START_TEST(copies_come_out_whole)
{
    struct rd r = rd_init(BYTES(sample));
    uint8_t out[5];
    rd_u8(&r);
    rd_copy(&r, out, sizeof out);
    ck_assert_mem_eq(out, sample + 1, sizeof out);
    ck_assert(!r.bad);
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
    uint8_t buffer[64];
    struct wr w = wr_init(buffer, sizeof buffer);
    wr_u8(&w, 0xfe);
    wr_u16(&w, 0xfedc);
    wr_u32(&w, 0xfedcba98);
    wr_u64(&w, 0xfedcba9876543210);
    wr_uint(&w, 0x123456, 3);
    wr_zeros(&w, 2);
    wr_bytes(&w, BYTES_TEXT("end"));
    ck_assert(!w.bad);
    ck_assert_uint_eq(wr_len(&w), 1 + 2 + 4 + 8 + 3 + 2 + 3);
    ck_assert_uint_eq(wr_left(&w), sizeof buffer - wr_len(&w));

    struct rd r = rd_init(wr_done(&w));
    ck_assert_uint_eq(rd_u8(&r), 0xfe);
    ck_assert_uint_eq(rd_u16(&r), 0xfedc);
    ck_assert_uint_eq(rd_u32(&r), 0xfedcba98);
    ck_assert_uint_eq(rd_u64(&r), 0xfedcba9876543210);
    ck_assert_uint_eq(rd_uint(&r, 3), 0x123456);
    ck_assert_uint_eq(rd_u16(&r), 0);
    ck_assert(bytes_equal(rd_rest(&r), BYTES_TEXT("end")));
    ck_assert(rd_is_done(&r));
}
END_TEST

START_TEST(integers_are_written_big_endian)
{
    uint8_t buffer[4];
    struct wr w = wr_init(buffer, sizeof buffer);
    wr_u32(&w, 0x01020304);
    ck_assert_mem_eq(buffer, sample, 4);
}
END_TEST

/* _i bytes of room for an 18-byte record. */
START_TEST(every_room_that_is_too_small_is_refused_and_never_passed)
{
    uint8_t buffer[24];
    memset(buffer, 0x5a, sizeof buffer);
    struct wr w = wr_init(buffer, (size_t)_i);
    wr_u8(&w, 1);
    wr_u64(&w, 2);
    wr_zeros(&w, 4);
    wr_bytes(&w, bytes_of(sample, 5));
    ck_assert(w.bad);
    ck_assert_uint_le(wr_len(&w), (size_t)_i);
    for (size_t i = (size_t)_i; i < sizeof buffer; i++)
        ck_assert_uint_eq(buffer[i], 0x5a);
}
END_TEST

START_TEST(after_its_first_failure_a_writer_writes_nothing)
{
    uint8_t buffer[4] = {9, 9, 9, 9};
    struct wr w = wr_init(buffer, sizeof buffer);
    wr_u8(&w, 1);
    wr_u32(&w, 0x02020202);
    wr_u8(&w, 3); /* would fit */
    ck_assert(w.bad);
    ck_assert_uint_eq(wr_len(&w), 1);
    ck_assert_ptr_null(wr_room(&w, 1));
    const uint8_t expected[] = {1, 9, 9, 9};
    ck_assert_mem_eq(buffer, expected, 4);
}
END_TEST

START_TEST(room_is_handed_out_in_place)
{
    uint8_t buffer[8];
    struct wr w = wr_init(buffer, sizeof buffer);
    ck_assert_ptr_eq(wr_room(&w, 3), buffer);
    ck_assert_ptr_eq(wr_room(&w, 5), buffer + 3);
    ck_assert_uint_eq(wr_left(&w), 0);
    ck_assert_ptr_null(wr_room(&w, SIZE_MAX));
    ck_assert(w.bad);
}
END_TEST

START_TEST(a_writer_without_room_takes_nothing_but_nothing)
{
    struct wr w = wr_init(NULL, 0);
    wr_bytes(&w, BYTES_NONE);
    wr_zeros(&w, 0);
    ck_assert(!w.bad);
    ck_assert_uint_eq(wr_done(&w).len, 0);
    wr_u8(&w, 1);
    ck_assert(w.bad);
}
END_TEST

SUITE("bytes", TEST(slices_are_equal_by_content), TEST(text_slices_leave_out_the_final_zero),
      TEST(all_zero_sees_every_byte), TEST(integers_are_read_big_endian),
      TEST(a_slice_that_was_read_borrows_from_the_input),
      LOOP(every_prefix_of_a_record_is_refused, 0, 15),
      TEST(after_its_first_failure_a_reader_yields_zeros),
      TEST(lengths_from_the_network_cannot_overflow_a_reader), TEST(nothing_is_a_valid_input),
      TEST(copies_come_out_whole), TEST(what_is_written_is_read_back),
      TEST(integers_are_written_big_endian),
      LOOP(every_room_that_is_too_small_is_refused_and_never_passed, 0, 18),
      TEST(after_its_first_failure_a_writer_writes_nothing), TEST(room_is_handed_out_in_place),
      TEST(a_writer_without_room_takes_nothing_but_nothing))
