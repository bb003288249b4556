/* SPDX-License-Identifier: MIT
 * lane: owns the bytes of one stream: makes and hashes what is sent, hashes what comes.
 *
 * Payload is written block by block from a pattern that does not compress, each with its place in
 * its first bytes: none is like another, so what is lost, doubled or in another place changes the
 * hash. It is copied once, into the stream's own memory, and hashed there while it is warm.
 *
 *     |== acknowledged ==|~~~ in flight ~~~|... backlog ...|      kept = in flight + backlog
 *
 * Kept is bounded by twice what is acknowledged in a round trip, so that it stays in the
 * processor's cache, and the backlog by what goes in 20 ms, so that the end of a test is not a long
 * wait. Must not know other lanes, nor what is said about it. Spec 11, "Lanes". */
#include "tools/sttbench/transfer/lane.h"

#include <string.h>

enum {
    PATTERN_BYTES = 256 << 10, /* stays in a processor's own cache */
    PIECE_BYTES = 64 << 10,    /* written at once */
    STAMP_BYTES = 8,
    TURN_BYTES = 4 << 20, /* written in one turn at most: others want theirs, too */
    BACKLOG_LEAST = 128 << 10,
    KEPT_LEAST = 2 << 20,
    PARTS = 16,
};
#define PROBE_NS STT_MS(10)

/* -- the pattern ------------------------------------------------------------------------------- */

static uint8_t pattern[PATTERN_BYTES + PIECE_BYTES];

static void make_pattern(void)
{
    uint64_t x = 1;
    if (pattern[0] | pattern[1] | pattern[2] | pattern[3])
        return;
    for (size_t i = 0; i < sizeof pattern; i += sizeof x) {
        x += 0x9e3779b97f4a7c15u;
        uint64_t z = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        memcpy(pattern + i, &z, sizeof z);
    }
}

/* What stands at this place of the payload. */
static void fill(uint8_t *room, size_t len, uint64_t at)
{
    uint8_t stamp[STAMP_BYTES];
    memcpy(room, pattern + at % PATTERN_BYTES, len);
    be64_store(stamp, at);
    memcpy(room, stamp, len < STAMP_BYTES ? len : STAMP_BYTES);
}

/* -- life -------------------------------------------------------------------------------------- */

bool lane_init(struct lane *l, const struct lane_config *config)
{
    *l = (struct lane){
        .ep = config->ep,
        .loop = config->loop,
        .test = config->test,
        .number = config->number,
        .sends = config->sends,
        .left = config->left,
        .kept_max = config->kept_max,
        .backlog_max = BACKLOG_LEAST,
        .ring_max = KEPT_LEAST < config->kept_max ? KEPT_LEAST : config->kept_max,
    };
    make_pattern();
    if (config->test->flags & TALK_VERIFY) {
        l->hash = XXH3_createState();
        if (!l->hash)
            return false;
        XXH3_64bits_reset(l->hash);
    }
    return true;
}

void lane_fini(struct lane *l)
{
    XXH3_freeState(l->hash);
    l->hash = NULL;
}

void lane_begin(struct lane *l, stt_handle session, stt_handle stream, uint64_t lead_bytes)
{
    l->session = session;
    l->stream = stream;
    l->lead_bytes = l->sends ? lead_bytes : 0;
}

static void end(struct lane *l)
{
    l->is_over = true;
    l->ended_at = l->loop->now;
    if (l->full_since)
        l->full_ns += l->loop->now - l->full_since;
    l->full_since = 0;
}

/* -- looking ----------------------------------------------------------------------------------- */

static void take_path(struct lane *l, const struct stt_session_stats *s)
{
    if (s->window_bytes != UINT64_MAX && s->window_bytes > l->window_max)
        l->window_max = s->window_bytes;
    if (!s->rtt_ns)
        return;
    l->rtt_max_ns = s->rtt_ns > l->rtt_max_ns ? s->rtt_ns : l->rtt_max_ns;
    l->rtt_min_ns = !l->rtts || s->rtt_ns < l->rtt_min_ns ? s->rtt_ns : l->rtt_min_ns;
    l->rtt_sum_ns += (double)s->rtt_ns;
    l->rtts++;
}

void lane_look(struct lane *l)
{
    struct lane_point *p = &l->now;
    if (!l->session || stt_session_stats(l->ep, l->loop->now, l->session, &p->stats) != STT_OK)
        return; /* what was seen last stands */
    p->at = l->loop->now;
    p->bytes = l->read;
    if (l->sends)
        p->bytes =
            p->stats.bytes_delivered > l->lead_bytes ? p->stats.bytes_delivered - l->lead_bytes : 0;
    if (l->sends)
        take_path(l, &p->stats);
}

void lane_start(struct lane *l)
{
    lane_rebase(l);
    l->base.bytes = l->last.bytes = 0; /* what was sooner here than START counts, too */
    l->may_write = true;
}

void lane_rebase(struct lane *l)
{
    lane_look(l);
    l->base = l->last = l->now;
    l->base_written = l->written;
    l->began_at = l->loop->now;
    l->full_ns = 0;
    l->full_since = l->full_since ? l->loop->now : 0;
    l->window_max = l->rtt_max_ns = l->rtt_min_ns = l->rtts = 0;
    l->rtt_sum_ns = 0;
}

void lane_result(struct lane *l, struct talk_lane *out)
{
    const struct stt_session_stats *s = &l->now.stats, *b = &l->base.stats;
    *out = (struct talk_lane){
        .lane = l->number,
        .time_ns = l->ended_at > l->began_at ? l->ended_at - l->began_at : 0,
        .bytes = l->now.bytes - l->base.bytes,
        .all_bytes = l->sends ? l->written : l->read,
        .hash = l->hash ? XXH3_64bits_digest(l->hash) : 0,
    };
    if (!l->sends)
        return;
    out->packets_sent = s->packets_sent - b->packets_sent;
    out->packets_lost = s->packets_lost - b->packets_lost;
    out->packets_spurious = s->packets_spurious - b->packets_spurious;
    out->bytes_retransmitted = s->bytes_retransmitted - b->bytes_retransmitted;
    out->rtt_min_ns = l->rtt_min_ns;
    out->rtt_mean_ns = l->rtts ? (uint64_t)(l->rtt_sum_ns / (double)l->rtts) : 0;
    out->rtt_max_ns = l->rtt_max_ns;
    out->window_max_bytes = l->window_max;
    out->ring_full_ns = l->full_ns;
#define ROW(X, upper, name, words)                                                                 \
    out->held_by_##name##_ns = s->held_by_##name##_ns - b->held_by_##name##_ns;
    STT_HELD_BY(ROW, )
#undef ROW
}

/* -- sending ----------------------------------------------------------------------------------- */

static uint64_t bounded(double value, uint64_t least, uint64_t most)
{
    uint64_t v = value < (double)least ? least : value > (double)most ? most : (uint64_t)value;
    return v < most ? v : most;
}

/* How much may wait, and how much may be kept: of what went since the last time. */
static void probe(struct lane *l, const struct stt_stream_info *info)
{
    stt_ns now = l->loop->now, time = now - l->probed_at;
    if (l->probed_at && time < PROBE_NS)
        return;
    lane_look(l);
    if (l->probed_at) {
        double sent_per_ns = (double)(info->bytes_sent - l->probed_sent) / (double)time;
        double acked_per_ns = (double)(l->now.bytes - l->probed_bytes) / (double)time;
        double round_trip = (double)l->now.stats.rtt_ns;
        l->backlog_max = bounded(sent_per_ns * 20e6, BACKLOG_LEAST, l->kept_max);
        uint64_t wanted = bounded(2 * acked_per_ns * round_trip, KEPT_LEAST, l->kept_max);
        l->ring_max = wanted > l->ring_max ? wanted : l->ring_max;
    }
    l->probed_at = now;
    l->probed_sent = info->bytes_sent;
    l->probed_bytes = l->now.bytes;
}

/* -b: by the mean since the beginning, as iperf3 does it: what is behind may go. */
static stt_ns due_at(const struct lane *l)
{
    double bits = (double)(l->written - l->base_written) * 8;
    if (!l->test->rate_bits_per_s)
        return 0;
    return l->began_at + (stt_ns)(bits * 1e9 / (double)l->test->rate_bits_per_s);
}

static void set_full(struct lane *l, bool is_full)
{
    if (!is_full && l->full_since)
        l->full_ns += l->loop->now - l->full_since;
    l->full_since = !is_full ? 0 : l->full_since ? l->full_since : l->loop->now;
}

/* One write: a block, or as much of it as there is memory for in one piece. */
static size_t write_block(struct lane *l, size_t len)
{
    void *room;
    size_t there;
    if (stt_stream_reserve(l->ep, l->stream, &room, &there) != STT_OK)
        return 0;
    len = len < there ? len : there;
    len = len < PIECE_BYTES ? len : PIECE_BYTES;
    fill(room, len, l->written);
    if (l->hash)
        XXH3_64bits_update(l->hash, room, len);
    if (stt_stream_commit(l->ep, l->loop->now, l->stream, len) != STT_OK)
        return 0;
    l->written += len;
    if (l->left)
        *l->left -= len;
    return len;
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What may be written in this turn; 0: nothing, and who brings more is arranged for. */
static uint64_t room_of(struct lane *l)
{
    struct stt_stream_info info;
    if (stt_stream_info(l->ep, l->stream, &info) != STT_OK)
        return 0;
    probe(l, &info);
    uint64_t backlog = info.bytes_written - info.bytes_sent;
    uint64_t kept = info.bytes_written - info.bytes_acked;
    set_full(l, kept >= l->ring_max);
    uint64_t room = least_of(backlog < l->backlog_max ? l->backlog_max - backlog : 0,
                             kept < l->ring_max ? l->ring_max - kept : 0);
    return least_of(room, TURN_BYTES);
}

bool lane_turn(struct lane *l)
{
    if (!l->sends || !l->may_write || l->is_finished || !l->stream)
        return false;
    uint64_t room = room_of(l), at = 0;
    uint32_t block = l->test->block_bytes;
    while (at < room) {
        uint64_t len = block - l->written % block;
        if (l->left)
            len = least_of(len, *l->left);
        stt_ns due = due_at(l);
        if (due > l->loop->now) {
            loop_wake_at(l->loop, due);
            break;
        }
        size_t n = len ? write_block(l, (size_t)len) : 0;
        if (!n)
            break;
        at += n;
    }
    if (l->left && !*l->left) {
        lane_finish(l);
        return true;
    }
    return at > 0;
}

void lane_finish(struct lane *l)
{
    if (l->is_finished || !l->sends)
        return;
    set_full(l, false);
    l->is_finished = true;
    (void)stt_stream_finish(l->ep, l->loop->now, l->stream);
}

/* -- receiving --------------------------------------------------------------------------------- */

static void read_all(struct lane *l)
{
    struct stt_part parts[PARTS];
    struct stt_stream_info info;
    size_t n;
    do {
        size_t len = 0;
        n = stt_stream_peek(l->ep, l->stream, parts, PARTS);
        for (size_t i = 0; i < n; i++) {
            if (l->hash)
                XXH3_64bits_update(l->hash, parts[i].data, parts[i].len);
            len += parts[i].len;
        }
        (void)stt_stream_consume(l->ep, l->loop->now, l->stream, len);
        l->read += len;
    } while (n > 0);
    if (!l->is_over && stt_stream_info(l->ep, l->stream, &info) == STT_OK && info.is_read_to_end) {
        lane_look(l);
        end(l);
    }
}

/* The other direction of a stream has its end at its beginning. */
static bool is_mute(struct lane *l)
{
    struct stt_part part;
    bool has_bytes = stt_stream_peek(l->ep, l->stream, &part, 1) > 0;
    (void)stt_stream_consume(l->ep, l->loop->now, l->stream, 0);
    return !has_bytes;
}

bool lane_on_stream(struct lane *l, const struct stt_stream_event *event)
{
    if (event->what & (STT_STREAM_RESET | STT_STREAM_STOPPED))
        return false;
    if (l->sends && l->is_finished && !l->is_over && event->what & STT_STREAM_FINISHED) {
        lane_look(l);
        end(l);
    }
    if (event->what & STT_STREAM_READABLE) {
        if (l->sends)
            return is_mute(l);
        read_all(l);
    }
    return true;
}
