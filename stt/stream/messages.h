/* SPDX-License-Identifier: MIT
 * messages: where messages begin and end on a message stream, and which ones its sender gave up
 * (spec 05, "Messages", "Deadlines").
 *
 *          begin      at                 end
 *     ------|header|###|.................|header|.....|   at == begin: between two messages
 *
 * Looking (stt_messages_next) changes nothing; taking moves the place, and the caller consumes as
 * much in its queue. A header is taken together with the first bytes behind it, so a stream window
 * must hold a header and a byte. */
#ifndef STT_STREAM_MESSAGES_H
#define STT_STREAM_MESSAGES_H

#include "stt/base/bytes.h"
#include "stt/base/ranges.h"
#include "stt/wire/varint.h"

#define STT_MESSAGES_HEADER_BYTES_MAX STT_VARINT_BYTES_MAX
#define STT_MESSAGES_NO_END           UINT64_MAX

/* Writing: the header goes before the bytes. Answers its length; len is below 2^62. */
size_t stt_messages_header(uint8_t out[STT_MESSAGES_HEADER_BYTES_MAX], uint64_t len);

/* The reader's place. All zero is the start of a stream that skips nothing. */
struct stt_messages {
    uint64_t begin, at, end;
    struct stt_ranges *skipped; /* they end above `at`; NULL: none, and one is too many */
};

/* What has arrived in order from the reader's place on: the first parts of it are enough when they
 * hold a header (two chunks do). `end` is the final offset, or STT_MESSAGES_NO_END. */
struct stt_messages_input {
    const struct bytes *parts;
    size_t n;
    uint64_t end;
};

enum stt_messages_what {
    STT_MESSAGES_WAIT,      /* the next header is not here */
    STT_MESSAGES_PART,      /* a message, or what was not taken of it */
    STT_MESSAGES_SKIPPED,   /* the sender gave up what comes here */
    STT_MESSAGES_END,       /* the stream has ended, behind a whole message */
    STT_MESSAGES_CUT,       /* the stream ends inside a message: FINAL_OFFSET */
    STT_MESSAGES_MISPLACED, /* a SKIP begins inside a message: STREAM_STATE */
};

struct stt_messages_view {
    enum stt_messages_what what;
    bool is_first;   /* nothing was taken of this message; SKIPPED: false is a message cut off */
    uint32_t header; /* PART: bytes to step over in the parts */
    uint64_t len;    /* PART: bytes that are here behind it, perhaps 0; SKIPPED: of what was */
    uint64_t left;   /* PART: bytes of the message from here on, those that are here included */
};

struct stt_messages_view stt_messages_next(const struct stt_messages *m,
                                           const struct stt_messages_input *input);

/* Takes `len` of the bytes of a PART, or all that was SKIPPED, and answers by how much the place
 * moved: by nothing for no bytes of a message that has some. */
uint64_t stt_messages_take(struct stt_messages *m, const struct stt_messages_view *view,
                           uint64_t len);

/* A SKIP of `len` bytes from `offset` on. OK: it is remembered, and the queue now treats
 * the range as arrived. On anything else nothing has changed. */
enum stt_messages_skip {
    STT_MESSAGES_SKIP_OK,
    STT_MESSAGES_SKIP_LATE,      /* all of it was taken before: to be ignored */
    STT_MESSAGES_SKIP_MISPLACED, /* begins or ends inside the message being taken: STREAM_STATE */
    STT_MESSAGES_SKIP_TOO_MANY,  /* no room for one range more: as if it were lost */
};
enum stt_messages_skip stt_messages_on_skip(struct stt_messages *m, uint64_t offset,
                                            uint64_t len) STT_MUST_USE;

#endif
