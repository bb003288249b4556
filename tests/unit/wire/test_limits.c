/* SPDX-License-Identifier: MIT
 * Limits: each stands in the spec with the same number, and they fit each other. */
#include "stt/wire/limits.h"

#include "crypto/mac.h"
#include "crypto/replay.h"
#include "stt/session/engine.h"
#include "stt/stream/fates.h"
#include "stt/wire/frame.h"
#include "stt/wire/packet.h"
#include "stt/wire/params.h"
#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the spec says it; # is the number. */
static const struct sentence {
    uint64_t value;
    const char *chapter, *text;
} sentences[] = {
    {STT_HANDSHAKE_BYTES, "02-wire.md", "Message 1 is exactly # bytes long"},
    {STT_HANDSHAKE_BYTES, "02-wire.md", "at most # bytes; a byte too many"},
    {STT_COOKIE_REPLY_BYTES, "02-wire.md", "A cookie reply is # bytes"},
    {STT_REFUSED_BYTES, "02-wire.md", "a refusal #."},
    {STT_CLEAR_BYTES_2, "02-wire.md", "# bytes in message 2"},
    {STT_CLEAR_BYTES_3, "02-wire.md", "# in message 3"},
    {STT_PROTECTED_HEADER, "02-wire.md", "# bytes of header"},
    {STT_PROTECTED_BYTES_MIN, "02-wire.md", "of tag: # in all"},
    {STT_REPLAY_NUMBERS, "02-wire.md", "at least the # numbers"},
    {STT_REPLAY_WINDOW_IDLE, "02-wire.md", "shrink it to #"},
    {STT_ACK_RANGES_MAX, "02-wire.md", "first # of them"},
    {STT_REKEY_MESSAGE_BYTES_MAX, "02-wire.md", "Length (i), at most #"},
    {STT_REASON_BYTES_MAX, "02-wire.md", "for people, at most # bytes"},
    {STT_PARAMS_UNKNOWN_MAX, "02-wire.md", "is ignored, up to # of them"},
    {STT_SEEDS_MAX, "04-session.md", "| seeds | # |"},
    {STT_NETWORK_MAX, "03-handshake.md", "The network id is 0 to # bytes"},
    {STT_CODE_SLOT_MAX, "03-handshake.md", "A generated code is a slot, 1 to #,"},
    {STT_PASSPHRASE_BYTES_MIN, "03-handshake.md", "valid UTF-8 of # to 256 bytes"},
    {STT_PASSPHRASE_BYTES_MAX, "03-handshake.md", "valid UTF-8 of 8 to # bytes"},
    {STT_COOKIE_PERIOD / STT_S(1), "03-handshake.md", "floor(now / # s)"},
    {STT_HANDSHAKE_CORE_PERCENT, "03-handshake.md", "share of a core (# %)"},
    {STT_HALF_OPEN_FREE, "03-handshake.md", "more than # states are half open"},
    {STT_HALF_OPEN_LIFE_NS / STT_S(1), "03-handshake.md", "A half-open state lives # s"},
    {STT_CODE_LIFE_NS / STT_S(60), "03-handshake.md", "after # minutes, or"},
    {STT_HANDSHAKE_REPEAT_NS / STT_MS(1), "03-handshake.md", "after # ms, then each time"},
    {STT_HANDSHAKE_REPEAT_MAX_NS / STT_MS(1), "03-handshake.md", "times as long up to # ms"},
    {STT_HANDSHAKE_JITTER_PERCENT, "03-handshake.md", "shortened or stretched by up to # %"},
    {STT_HANDSHAKE_GIVE_UP_NS / STT_S(1), "03-handshake.md", "gives up # s after the first"},
    {STT_OLD_KEYS_PTO, "03-handshake.md", "Old keys are kept for # PTO"},
    {STT_REKEY_AFTER_NS / STT_S(1), "03-handshake.md", "starts one: # s after the last"},
    {STT_REKEY_AFTER_PACKETS, "03-handshake.md", "or # packets other than PING"},
    {STT_REKEY_AFTER_BYTES >> 20, "03-handshake.md", "after # MiB or"},
    {STT_REKEY_EARLIEST_NS / STT_S(1), "03-handshake.md", "comes less than # s after"},
    {STT_KEY_UPDATE_RESERVE, "03-handshake.md", "data with the last # of them"},
    {STT_KEEP_ALIVE_NS_DEFAULT / STT_S(1), "04-session.md", "| # s of silence;"},
    {STT_TICK_NS / STT_MS(1), "04-session.md", "rounded up to ticks of # ms"},
    {STT_IDLE_TIMEOUT_MS_DEFAULT / 1000, "04-session.md", "| # s without an opened packet"},
    {STT_ID_CHANGES_PER_MINUTE, "04-session.md", "| # a minute each"},
    {STT_AMPLIFICATION_MAX, "04-session.md", "at most # times the bytes"},
    {STT_PATH_FAILED_TRIALS_MAX, "04-session.md", "After # within 10 s"},
    {STT_PATH_FAILED_TRIALS_NS / STT_S(1), "04-session.md", "After 4 within # s"},
    {STT_SIZE_RAISE_NS / STT_S(1), "04-session.md", "packet size is found | # s"},
    {STT_HALF_OPEN_MAX_DEFAULT, "04-session.md", "# in all (default)"},
    {STT_HALF_OPEN_PER_32, "04-session.md", "| /32: #;"},
    {STT_HALF_OPEN_PER_64, "04-session.md", "; /64: #;"},
    {STT_HALF_OPEN_PER_48, "04-session.md", "; /48: # |"},
    {STT_HALF_OPEN_PER_PEER, "04-session.md", "half-open states of a peer id | # |"},
    {STT_STREAMS_DEFAULT, "05-streams.md", "| open streams of a peer | # |"},
    {STT_STREAM_GAPS_MAX, "05-streams.md", "in a session | #;"},
    {STT_SESSION_GAPS_MIN, "05-streams.md", "but at least #."},
    {STT_SESSION_GAP_BYTES >> 10, "05-streams.md", "one for each # KiB of"},
    {STT_SESSION_WINDOW_MAX / STT_SESSION_GAP_BYTES, "05-streams.md", "in a session | 256; # |"},
    {STT_STREAMS_PER_S_DEFAULT, "05-streams.md", "| streams that come and go | # a second"},
    {STT_FRAME_BYTES_DEFAULT >> 10, "05-streams.md", "| grain | # KiB |"},
    {STT_SEND_RING_DEFAULT >> 20, "05-streams.md", "| send ring of a stream | # MiB |"},
    {STT_STREAM_WINDOW_DEFAULT >> 10, "05-streams.md", "stream window from # KiB"},
    {STT_STREAM_WINDOW_MAX >> 20, "05-streams.md", "| stream window; session window | # MiB"},
    {STT_SESSION_WINDOW_MAX >> 20, "05-streams.md", "session window | 8 MiB; # MiB"},
    {STT_SESSION_WINDOW_DEFAULT >> 10, "05-streams.md", "session window from # KiB"},
    {STT_DATAGRAM_QUEUE_MAX, "05-streams.md", "| queue of datagrams, each way | #,"},
    {STT_DATAGRAM_QUEUE_BYTES_MAX >> 20, "05-streams.md", "each way | 256, and # MiB |"},
    {STT_FATES_MAX, "05-streams.md", "the host has not heard | # |"},
    {STT_FATES_MAX, "05-streams.md", "the latest # that it"},
    {STT_COALESCE_NS / STT_MS(1), "05-streams.md", "or # ms have passed"},
    {STT_URGENCY_RAISE_NS / STT_MS(1), "05-streams.md", "sent nothing for # ms"},
    {STT_ACKS_ALONE_MAX, "06-recovery.md", "nothing else for # such packets"},
    {STT_QUIET_NS / STT_S(1), "06-recovery.md", "A PING after # s of silence"},
    {STT_NUMBER_SKIP_MEAN, "06-recovery.md", "once in # packets"},
    {STT_UNANSWERED_NUMBERS_MAX, "06-recovery.md", "spans at least # numbers"},
    {STT_UNANSWERED_MAX, "06-recovery.md", "fewer than # packets are in flight beyond"},
    {STT_RTT_FIRST_NS / STT_MS(1), "06-recovery.md", "| # ms, half of it |"},
    {STT_TRAIN_BYTES_MAX, "06-recovery.md", "one packet, #)"},
};

/* "# bytes" with 65507 is "65,507 bytes". */
static void fill_in(const char *text, uint64_t value, char *out, size_t room)
{
    char number[32];
    const char *hash = strchr(text, '#');
    ck_assert_ptr_nonnull(hash);
    if (value >= 1000)
        snprintf(number, sizeof number, "%" PRIu64 ",%03" PRIu64, value / 1000, value % 1000);
    else
        snprintf(number, sizeof number, "%" PRIu64, value);
    snprintf(out, room, "%.*s%s%s", (int)(hash - text), text, number, hash + 1);
}

START_TEST(the_spec_says_the_same_number)
{
    const struct sentence *s = &sentences[_i];
    char text[256], *prose = spec_prose(s->chapter);
    ck_assert_uint_lt(s->value, 1000000);
    fill_in(s->text, s->value, text, sizeof text);
    ck_assert_msg(strstr(prose, text), "%s does not say \"%s\"", s->chapter, text);
    free(prose);
}
END_TEST

START_TEST(handshake_packets_are_as_long_as_their_fields)
{
    ck_assert_uint_eq(STT_HANDSHAKE_BYTES, 2 + 8 + 2 + STT_NOISE_BYTES_MAX_1 + 2 * STT_MAC_BYTES);
    ck_assert_uint_eq(STT_HANDSHAKE_BYTES, 2 + 2 * 8 + 2 + STT_NOISE_BYTES_MAX_2 + STT_MAC_BYTES);
    ck_assert_uint_eq(STT_HANDSHAKE_BYTES, 2 + 8 + 2 + STT_NOISE_BYTES_MAX_3 + 2 * STT_MAC_BYTES);
    ck_assert_uint_eq(STT_COOKIE_REPLY_BYTES,
                      2 + 8 + STT_COOKIE_NONCE_BYTES + STT_COOKIE_SEALED_BYTES);
    ck_assert_uint_eq(STT_REFUSED_BYTES, 2 + 8 + STT_REASON_SEALED_BYTES);
    ck_assert_uint_eq(STT_PROTECTED_BYTES_MIN, STT_PROTECTED_HEADER + STT_PROTECTED_TAG);
}
END_TEST

START_TEST(limits_fit_each_other)
{
    /* no answer to message 1 is longer than it */
    ck_assert_uint_le(STT_HANDSHAKE_BYTES, STT_DATAGRAM_BYTES_MIN);
    ck_assert_uint_le(STT_DATAGRAM_BYTES_MAX, STT_TRAIN_BYTES_MAX);
    ck_assert_uint_le(STT_TRAIN_SEGMENTS_DEFAULT, STT_TRAIN_SEGMENTS_MAX);
    ck_assert_uint_lt(STT_HANDSHAKE_REPEAT_NS, STT_HANDSHAKE_REPEAT_MAX_NS);
    ck_assert_uint_ge(STT_HALF_OPEN_LIFE_NS, STT_HANDSHAKE_GIVE_UP_NS);
    ck_assert_uint_lt(STT_HALF_OPEN_FREE, STT_HALF_OPEN_MAX_DEFAULT);
    ck_assert_uint_lt(STT_HALF_OPEN_PER_48, STT_HALF_OPEN_MAX_DEFAULT);
    /* two keep-alives may be lost before a session dies, on either side */
    ck_assert_uint_ge(STT_MS(STT_IDLE_TIMEOUT_MS_DEFAULT), 3 * STT_KEEP_ALIVE_NS_DEFAULT);
    ck_assert_uint_gt(STT_KEEP_ALIVE_RESPONDER_PERCENT, 100);
    ck_assert_uint_gt(STT_IDLE_TIMEOUT_MS_MIN, STT_TICK_NS / STT_MS(1));
    /* ids are below 2^62 */
    ck_assert_uint_le(STT_STREAMS_MAX * 4 - 1, STT_VARINT_MAX);
    ck_assert_uint_le(STT_FRAME_BYTES_MIN, STT_FRAME_BYTES_DEFAULT);
    ck_assert_uint_le(STT_FRAME_BYTES_DEFAULT, STT_FRAME_BYTES_MAX);
    ck_assert_uint_le(STT_STREAM_WINDOW_MAX, STT_SESSION_WINDOW_MAX);
    ck_assert_uint_lt(STT_URGENCY_DEFAULT, STT_URGENCY_LEVELS);
    ck_assert_uint_lt(STT_EXTENSIONS_MAX * 2, STT_HANDSHAKE_BYTES);
    /* a session opens at one side up to a whole handshake before it does at the other */
    ck_assert_uint_lt(STT_REKEY_EARLIEST_NS + STT_HANDSHAKE_GIVE_UP_NS, STT_REKEY_AFTER_NS);
}
END_TEST

/* The largest frame that must be whole fits the smallest packet beside the largest short ACK. */
START_TEST(every_frame_that_is_not_cut_fits_the_smallest_packet)
{
    static const uint8_t text[STT_REASON_BYTES_MAX] = {0};
    uint8_t out[STT_DATAGRAM_BYTES_MIN - STT_PROTECTED_BYTES_MIN];
    struct wr w = wr_init(out, sizeof out);
    struct frame_close close = {
        STT_FRAME_CLOSE, STT_VARINT_MAX, STT_VARINT_MAX, {text, STT_REASON_BYTES_MAX}};
    struct frame_rekey rekey = {
        STT_REKEY_RESPONDER, STT_VARINT_MAX, {text, STT_REKEY_MESSAGE_BYTES_MAX}};
    struct frame_identity identity = {{0}, {0}};
    struct frame_ecn ecn = {STT_VARINT_MAX, STT_VARINT_MAX, STT_VARINT_MAX};
    ck_assert(stt_frame_ack_encode(&w, &(struct stt_range){0, STT_VARINT_MAX}, 1, STT_VARINT_MAX,
                                   &ecn) == 1);
    ck_assert(stt_frame_close_encode(&w, &close));
    ck_assert(stt_frame_rekey_encode(&w, &rekey));
    ck_assert(stt_frame_identity_encode(&w, &identity));
}
END_TEST

SUITE("limits", LOOP(the_spec_says_the_same_number, 0, sizeof sentences / sizeof sentences[0]),
      TEST(handshake_packets_are_as_long_as_their_fields), TEST(limits_fit_each_other),
      TEST(every_frame_that_is_not_cut_fits_the_smallest_packet))
