/* SPDX-License-Identifier: MIT
 * Lines of a key log, as the spec shows them. */
#include "stt/keylog.h"

#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static const struct stt_key_log example = {
    .initiator_id = {0x5f, 0x0a, 0x1c, 0x22, 0x33, 0x44, 0x55, 0x66},
    .responder_id = {0xa7, 0xb8, 0xc9, 0xd0, 0xe1, 0xf2, 0x03, 0x14},
    .suite = "aegis-128l",
};

static char line[STT_KEY_LOG_LINE_ROOM];

static void write_line(bool to_initiator, uint64_t epoch, const char *suite)
{
    uint8_t secret[32];
    struct stt_key_log key = example;
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(i * 11);
    key.to_initiator = to_initiator;
    key.epoch = epoch;
    key.suite = suite;
    key.secret = secret;
    ck_assert_uint_eq(stt_key_log_line(&key, line), strlen(line));
}

START_TEST(a_line_has_four_parts)
{
    write_line(false, 0, example.suite);
    ck_assert_str_eq(line, "STT_SECRET_TO_RESPONDER_0 5f0a1c2233445566a7b8c9d0e1f20314 aegis-128l "
                           "000b16212c37424d58636e79848f9aa5b0bbc6d1dce7f2fd08131e29343f4a55\n");
    write_line(true, 3, "chacha20-poly1305");
    ck_assert_str_eq(line, "STT_SECRET_TO_INITIATOR_3 5f0a1c2233445566a7b8c9d0e1f20314 "
                           "chacha20-poly1305 "
                           "000b16212c37424d58636e79848f9aa5b0bbc6d1dce7f2fd08131e29343f4a55\n");
}
END_TEST

/* Up to the secret, of which the spec shows the ends only. */
START_TEST(the_spec_shows_such_lines)
{
    char *spec = spec_prose("09-traces.md");
    for (int to_initiator = 0; to_initiator < 2; to_initiator++) {
        write_line(to_initiator, 0, example.suite);
        *(strrchr(line, ' ') + 1) = 0;
        ck_assert_msg(strstr(spec, line), "%s", line);
    }
    free(spec);
}
END_TEST

START_TEST(the_longest_line_has_room)
{
    write_line(true, UINT64_MAX, "chacha20-poly1305");
    ck_assert_int_eq(line[strlen(line) - 1], '\n');
}
END_TEST

SUITE("keylog", TEST(a_line_has_four_parts), TEST(the_spec_shows_such_lines),
      TEST(the_longest_line_has_room))
