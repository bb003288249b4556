/* SPDX-License-Identifier: MIT
 * writer: turns a file into a record, slice by slice, so that many lanes go on at once and a
 * session lives while a large beginning is compared.
 *
 *     IDLE -> COMPARING -> BETWEEN <-> IN_DATA, IN_HOLE          heads pass through head[],
 *      ^                      |                                  data is read into the stream's own
 *      +------ AT_END <-------+                                  memory
 *
 * A run that has been promised is always written to its end; what cannot be read is zeros then, and
 * the record says that it is not whole. Knows nothing of names and outcomes. Spec 10, "Files". */
#include "tools/sttcat/writer.h"

#include <unistd.h>

enum { RUN_BYTES = 1 << 20 };
static const uint64_t hole_bit = UINT64_C(1) << 63;

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool writer_begin(struct writer *w, const struct writer_file *file)
{
    w->file = *file;
    w->is_called_off = false;
    w->phase = WRITER_COMPARING;
    if (!content_begin(&w->content, file->fd, file->bytes)) {
        writer_end(w);
        return false;
    }
    w->content.is_broken = file->fd < 0;
    return true;
}

void writer_end(struct writer *w)
{
    content_end(&w->content);
    if (w->phase != WRITER_IDLE && w->file.fd >= 0)
        close(w->file.fd);
    w->file.fd = -1;
    w->phase = WRITER_IDLE;
}

void writer_call_off(struct writer *w)
{
    w->is_called_off = true;
}

/* -- heads -- */

static struct wr head_begin(struct writer *w)
{
    w->head_done = w->head_len = 0;
    return wr_init(w->head, sizeof w->head);
}

static void head_end(struct writer *w, const struct wr *head)
{
    w->head_len = wr_len(head);
}

/* False: there is no room for all of it yet. */
static bool head_flush(struct writer *w)
{
    size_t n = 0;
    if (w->head_done == w->head_len)
        return true;
    if (stt_stream_write(w->peer->ep, w->peer->loop->now, w->stream, w->head + w->head_done,
                         w->head_len - w->head_done, &n))
        return false;
    w->head_done += n;
    return w->head_done == w->head_len;
}

static void put_run(struct writer *w, bool is_hole, uint64_t len)
{
    struct wr head = head_begin(w);
    wr_u64(&head, len | (is_hole ? hole_bit : 0));
    head_end(w, &head);
    w->run_left = len;
}

static void put_begin(struct writer *w)
{
    struct wr head = head_begin(w);
    wr_u64(&head, w->file.index);
    wr_u64(&head, w->content.at);
    head_end(w, &head);
}

static void put_end(struct writer *w)
{
    struct content *s = &w->content;
    w->is_whole = s->at == s->bytes && !s->is_broken && !w->is_called_off &&
                  w->file.is_unchanged(w->file.ctx, w->file.fd);
    struct wire_hash hash = hash_value(s->hash);
    struct wr head = head_begin(w);
    wr_u64(&head, 0);
    wr_u8(&head, w->is_whole);
    wr_u64(&head, s->at);
    wr_bytes(&head, BYTES(hash.bytes));
    head_end(w, &head);
}

/* -- phases: each answers how much work it did, 0: it cannot go on -- */

static size_t compare(struct writer *w, size_t work)
{
    struct content *s = &w->content;
    uint64_t to = least(w->file.offset, s->bytes);
    size_t done = content_skim(s, to, work);
    if (s->at < to && !s->is_broken && !w->is_called_off)
        return done;
    struct wire_hash hash = hash_value(s->hash);
    if (s->at != w->file.offset || !hash_equal(&hash, &w->file.hash))
        content_rewind(s);
    put_begin(w);
    w->phase = WRITER_BETWEEN;
    return done + 1;
}

static size_t choose_run(struct writer *w)
{
    struct content *s = &w->content;
    uint64_t len = s->is_broken || w->is_called_off ? 0 : content_extent(s);
    if (!len) {
        put_end(w);
        w->phase = WRITER_AT_END;
        return 1;
    }
    put_run(w, s->is_hole, s->is_hole ? len : least(len, RUN_BYTES));
    w->phase = s->is_hole ? WRITER_IN_HOLE : WRITER_IN_DATA;
    return 1;
}

static size_t write_data(struct writer *w, size_t work)
{
    stt_ns now = w->peer->loop->now;
    void *to;
    size_t room;
    uint64_t len = peer_allowance(w->peer, least(w->run_left, work));
    if (!len || peer_is_ahead(w->peer, w->stream) ||
        stt_stream_reserve(w->peer->ep, w->stream, &to, &room))
        return 0;
    len = least(len, room);
    content_read(&w->content, to, (size_t)len);
    if (stt_stream_commit(w->peer->ep, now, w->stream, (size_t)len))
        return 0;
    peer_count_given(w->peer, len);
    w->run_left -= len;
    if (!w->run_left)
        w->phase = WRITER_BETWEEN;
    return (size_t)len;
}

static size_t skip_hole(struct writer *w, size_t work)
{
    uint64_t len = least(w->run_left, (uint64_t)work * CONTENT_ZEROS_FACTOR);
    w->run_left -= len;
    if (!w->run_left)
        w->phase = WRITER_BETWEEN;
    return content_skip(&w->content, len);
}

static size_t step(struct writer *w, size_t work)
{
    switch (w->phase) {
    case WRITER_COMPARING:
        return compare(w, work);
    case WRITER_BETWEEN:
        return choose_run(w);
    case WRITER_IN_DATA:
        return write_data(w, work);
    case WRITER_IN_HOLE:
        return skip_hole(w, work);
    case WRITER_AT_END:
    case WRITER_IDLE:
        break;
    }
    return 0;
}

bool writer_turn(struct writer *w)
{
    size_t done = 0, n;
    while (w->phase != WRITER_IDLE && done < CONTENT_SLICE) {
        if (!head_flush(w))
            return done > 0;
        if (w->phase == WRITER_AT_END) {
            writer_end(w);
            return true;
        }
        n = step(w, CONTENT_SLICE - done);
        if (!n)
            return done > 0;
        done += n;
    }
    return done > 0;
}
