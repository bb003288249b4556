/* SPDX-License-Identifier: MIT
 * stats: owns nothing; puts together what the parts of a session have counted. Spec 06,
 * "Statistics". */
#include "stt/stats.h"

#include "stt/session/engine.h"

/* A session that is no longer open has the age at which it closed. */
static stt_ns opened_until(const struct stt_session *s, stt_ns now)
{
    stt_ns end = now < s->ended_at ? now : s->ended_at;
    return end > s->opened_at ? end : s->opened_at;
}

static void take_held(struct stt_session_stats *out, const struct stt_session *s, stt_ns at)
{
    stt_ns ns[STT_HELD_COUNT] = {[STT_HELD_APPLICATION] = at - s->opened_at};
    if (s->streams)
        stt_held_read(&s->streams->held, at, ns);
    out->age_ns = at - s->opened_at;
#define ROW(X, upper, name, words) out->held_by_##name##_ns = ns[STT_HELD_##upper];
    STT_HELD_BY(ROW, )
#undef ROW
}

static void take_packets(struct stt_session_stats *out, const struct stt_session *s)
{
    out->bytes_sent = s->bytes_sent;
    out->bytes_received = s->bytes_received;
    out->packets_sent = s->packets_sent;
    out->packets_received = s->packets_received;
    out->dropped_no_key = s->dropped_no_key;
    out->dropped_bad_tag = stt_session_opens_failed(s);
    out->dropped_replayed_packet = s->dropped_replayed_packet;
    out->dropped_no_room = s->dropped_no_room;
    out->packets_dropped = out->dropped_no_key + out->dropped_bad_tag +
                           out->dropped_replayed_packet + out->dropped_no_room;
    out->packets_lost = s->loss.lost_packets;
    out->packets_spurious = s->loss.spurious_packets;
    out->ptos = s->ptos;
}

static void take_path(struct stt_session_stats *out, const struct stt_session *s)
{
    const struct stt_loss_path *path = &s->loss.at[s->loss.in_use];
    if (path->rtt.has_sample) {
        out->rtt_ns = path->rtt.smoothed;
        out->rtt_min_ns = path->rtt.min;
        out->rtt_var_ns = path->rtt.variance;
    }
    out->in_flight_bytes = path->in_flight_bytes;
    out->packet_bytes = s->packet_bytes;
    out->path_changes = s->paths.moved;
    out->rekeys = s->rekeys;
    out->epochs = stt_session_epochs(s);
}

static void take_streams(struct stt_session_stats *out, const struct stt_streams *x, stt_ns at)
{
    out->bytes_delivered = x->delivered.bytes;
    out->bytes_consumed = x->consumed.bytes;
    out->bytes_retransmitted = x->bytes_retransmitted;
    out->delivered_bytes_per_s = stt_throughput_bytes_per_s(&x->delivered, at);
    out->consumed_bytes_per_s = stt_throughput_bytes_per_s(&x->consumed, at);
    out->delivered_mean_bytes_per_s = stt_throughput_mean(x->delivered.bytes, out->age_ns);
    out->consumed_mean_bytes_per_s = stt_throughput_mean(x->consumed.bytes, out->age_ns);
    out->window_bytes = x->congestion.window_bytes;
    out->rate_bytes_per_s = x->congestion.rate_bytes_per_s;
    out->ce_received = x->ecn.came.ce;
    out->streams_open = x->by_id.n;
}

int stt_session_stats(const struct stt_endpoint *ep, stt_ns now, stt_handle session,
                      struct stt_session_stats *out)
{
    const struct stt_session *s = stt_endpoint_find(ep, session);
    if (!s)
        return STT_E_STALE;
    stt_ns at = opened_until(s, now);
    *out = (struct stt_session_stats){.age_ns = 0};
    take_held(out, s, at);
    take_packets(out, s);
    take_path(out, s);
    if (s->streams)
        take_streams(out, s->streams, at);
    return STT_OK;
}
