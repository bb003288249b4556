/* SPDX-License-Identifier: MIT
 * ledger: what two hosts have written into the streams and datagrams of a session, and what each
 * may therefore hear and read. Bytes are a function of the stream, the side and the offset, so that
 * nothing is kept but numbers. What may not be stops the program.
 *
 * Sides are 0 and 1. A half of a stream belongs to the side that writes it. */
#ifndef TESTS_SUPPORT_LEDGER_H
#define TESTS_SUPPORT_LEDGER_H

#include "stt/datagrams.h"

enum { LEDGER_STREAMS_MAX = 400, LEDGER_DATAGRAMS_MAX = 4096 };

struct ledger_message {
    uint64_t from, to; /* its header included */
    uint8_t head;
    bool may_be_skipped; /* it has a deadline */
};

struct ledger_half {
    uint64_t written, read; /* offsets: the headers of messages count */
    struct ledger_message *messages;
    size_t n_messages, next; /* next: where the reader is, or will be */
    bool is_finished, is_reset, is_stopped;
    uint64_t reset_code, stop_code;
    uint32_t told_writer, told_reader; /* STT_STREAM_ bits of events */
    bool is_read_to_end;
};

struct ledger_stream {
    uint64_t id;
    bool has_messages;
    uint8_t opener;
    stt_handle handle[2];       /* 0: not heard of yet */
    bool is_stale[2];           /* ENDED was heard */
    struct ledger_half half[2]; /* by writer */
};

struct ledger {
    bool is_open; /* hosts have not closed the session, nor will a peer break it */
    size_t n;
    struct ledger_stream streams[LEDGER_STREAMS_MAX];
    struct ledger_datagrams {
        uint64_t sent;
        uint16_t len[LEDGER_DATAGRAMS_MAX];
        uint8_t heard[LEDGER_DATAGRAMS_MAX]; /* 1: received, 2: acknowledged, 4: lost */
        uint64_t short_sent[5], short_received[5];
    } datagrams[2]; /* by sender */
};

void ledger_init(struct ledger *l);
void ledger_end(struct ledger *l);

/* -- streams; `s` is a side */

/* NULL: there is no room for another. */
struct ledger_stream *ledger_open(struct ledger *l, unsigned s, uint64_t id, stt_handle handle);
struct ledger_stream *ledger_by_handle(struct ledger *l, unsigned s, stt_handle handle);
struct ledger_stream *ledger_by_id(struct ledger *l, uint64_t id);

/* What to write at this offset of a half. */
void ledger_fill(const struct ledger_stream *t, unsigned s, uint64_t offset, uint8_t *out,
                 size_t len);
void ledger_on_written(struct ledger_stream *t, unsigned s, size_t len);
/* The bytes of the next message are those behind a header of this length. */
size_t ledger_head(size_t len);
void ledger_on_message_written(struct ledger_stream *t, unsigned s, size_t len, bool has_deadline);

/* Side s has read this of the other's half. */
void ledger_on_read(struct ledger_stream *t, unsigned s, const uint8_t *data, size_t len);
/* Looked at, `ahead` bytes behind what was read. */
void ledger_on_peeked(const struct ledger_stream *t, unsigned s, uint64_t ahead,
                      const uint8_t *data, size_t len);
struct ledger_part {
    const uint8_t *data; /* NULL: skipped */
    size_t len;
    bool is_last; /* of its message */
    uint64_t skipped;
    bool is_cut;
};
/* True: the part was the first of its message. */
bool ledger_on_message_read(struct ledger_stream *t, unsigned s, const struct ledger_part *part);
void ledger_on_read_to_end(struct ledger_stream *t, unsigned s);
void ledger_on_event(struct ledger *l, unsigned s, struct ledger_stream *t,
                     const struct stt_stream_event *e);
/* Of a stream that has ended on both sides: what was written was read, or somebody wanted it
 * otherwise. */
void ledger_check_ended(const struct ledger_stream *t);

/* -- datagrams */

/* The number of the next one, and its bytes. */
uint64_t ledger_datagram(const struct ledger *l, unsigned s, uint8_t *out, size_t len);
void ledger_on_datagram_sent(struct ledger *l, unsigned s, uint64_t number, size_t len);
void ledger_on_datagram_read(struct ledger *l, unsigned s, const uint8_t *data, size_t len);
void ledger_on_fate(struct ledger *l, unsigned s, const struct stt_datagram_fate *fate);

#endif
