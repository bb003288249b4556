/* SPDX-License-Identifier: MIT
 * routes: what a session does when its path changes: whose estimates hold, which window, which
 * packet size, which id. The path that a trial may return to keeps its own. Spec 04, "Paths",
 * "Carriers"; spec 06, "Path change". */
#include "stt/session/engine.h"

static void owe_retire(struct stt_endpoint *ep, struct stt_session *s, uint32_t places)
{
    s->owed |= places * (uint32_t)STT_OWES_RETIRE_ID;
    stt_endpoint_ready(ep, s);
}

/* -- carriers ------------------------------------------------------------------------------------
 */

static bool is_reliable(const struct stt_endpoint *ep, const struct stt_path *path)
{
    return path->carrier < STT_CARRIERS_MAX && ep->carriers[path->carrier].reliable;
}

/* What was made reliable below is neither repaired nor held back here. */
const struct stt_controller *stt_routes_controller(const struct stt_endpoint *ep,
                                                   const struct stt_session *s)
{
    bool reliable = is_reliable(ep, stt_paths_current(&s->paths));
    return stt_controller_by_name(reliable ? "none" : ep->config.congestion);
}

uint32_t stt_routes_packet_bytes(const struct stt_endpoint *ep, const struct stt_session *s)
{
    const struct stt_path *path = stt_paths_current(&s->paths);
    const struct stt_carrier *carrier = &ep->carriers[path->carrier % STT_CARRIERS_MAX];
    uint32_t bytes = carrier->reliable ? carrier->max_datagram_bytes : ep->config.packet_bytes;
    uint64_t most = s->params.max_packet_bytes ? s->params.max_packet_bytes : bytes;
    most = most < carrier->max_datagram_bytes ? most : carrier->max_datagram_bytes;
    return bytes < most ? bytes : (uint32_t)most;
}

/* -- what is kept ----------------------------------------------------------------------------- */

/* Without memory for it the old path would begin anew, too. */
static void keep(struct stt_endpoint *ep, struct stt_session *s)
{
    if (s->kept || !(s->kept = stt_env_alloc(&ep->env, sizeof *s->kept)))
        return;
    *s->kept = (struct stt_kept_path){.packet_bytes = s->packet_bytes};
    if (!s->streams)
        return;
    s->kept->congestion = s->streams->congestion;
    s->kept->pacer = s->streams->pacer;
    s->kept->size = s->streams->size;
    s->kept->ecn_state = s->streams->ecn.state;
    s->kept->ecn_lost = s->streams->ecn.lost;
}

void stt_routes_forget(struct stt_endpoint *ep, struct stt_session *s)
{
    stt_env_release(&ep->env, s->kept, sizeof *s->kept);
    s->kept = NULL;
}

static void begin_anew(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    s->packet_bytes = stt_routes_packet_bytes(ep, s);
    if (!s->streams)
        return;
    s->streams->pacer = STT_PACER_INIT;
    stt_ecn_on_path(&s->streams->ecn);
    stt_congestion_init(&s->streams->congestion, stt_routes_controller(ep, s),
                        &stt_loss_path(&s->loss)->rtt, s->packet_bytes, now);
    stt_sizing_begin(ep, s);
}

static void bring_back(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    const struct stt_kept_path *kept = s->kept;
    if (!kept || (s->streams && !kept->congestion.controller)) {
        begin_anew(ep, now, s);
        return;
    }
    s->packet_bytes = kept->packet_bytes;
    if (!s->streams)
        return;
    s->streams->congestion = kept->congestion;
    s->streams->pacer = kept->pacer;
    s->streams->size = kept->size;
    s->streams->ecn.state = kept->ecn_state;
    s->streams->ecn.lost = kept->ecn_lost;
}

/* -- news ----------------------------------------------------------------------------------------
 */

/* at[in_use] of the paths begins; at the loss detector the other one is in use until now. */
static void begin_path(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, bool same_way)
{
    unsigned index = (unsigned)s->paths.in_use;
    s->loss.in_use = (uint8_t)!index;
    stt_loss_path_new(&s->loss, index, same_way);
    stt_loss_path(&s->loss)->is_reliable = is_reliable(ep, stt_paths_current(&s->paths));
    if (!same_way)
        begin_anew(ep, now, s);
    else if (s->streams)
        s->streams->congestion.rtt = &stt_loss_path(&s->loss)->rtt;
    if (same_way && s->streams)
        stt_size_on_port_change(&s->streams->size, s->loss.sent_end);
}

static void on_trial(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, bool deliberate)
{
    uint32_t retire = 0;
    keep(ep, s);
    begin_path(ep, now, s, stt_paths_is_port_change(&s->paths));
    if (deliberate && s->ids.moving < 0)
        (void)!stt_session_ids_set_aside(&s->ids, &retire);
    owe_retire(ep, s, deliberate ? retire | stt_session_ids_adopt(&s->ids) : 0);
}

/* A move of our own begins its path only now. */
static void on_moved(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (s->loss.in_use != (uint8_t)s->paths.in_use) {
        begin_path(ep, now, s, false);
        owe_retire(ep, s, stt_session_ids_adopt(&s->ids));
        s->owed |= STT_OWES_PING; /* so that the peer follows */
    }
    stt_loss_path_kept(&s->loss);
    stt_routes_forget(ep, s);
    stt_endpoint_report(ep, s, STT_PENDING_PATH);
}

static void on_returned(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_loss_path_back(&s->loss, now);
    bring_back(ep, now, s);
    if (s->streams)
        s->streams->congestion.rtt = &stt_loss_path(&s->loss)->rtt;
    stt_settling_drain(ep, now, s);
    stt_routes_forget(ep, s);
}

void stt_routes_on_news(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                        enum stt_paths_news news, bool deliberate)
{
    stt_tracing_path(ep, now, s, news);
    switch (news) {
    case STT_PATHS_SAME:
        return;
    case STT_PATHS_TRIAL:
        on_trial(ep, now, s, deliberate);
        break;
    case STT_PATHS_MOVED:
        on_moved(ep, now, s);
        break;
    case STT_PATHS_RETURNED:
        on_returned(ep, now, s);
        break;
    default:
        owe_retire(ep, s, stt_session_ids_abandon(&s->ids));
        stt_endpoint_report(ep, s, STT_PENDING_STAYED);
    }
    stt_endpoint_ready(ep, s);
}

/* -- the host ------------------------------------------------------------------------------------
 */

int stt_session_move(struct stt_endpoint *ep, stt_ns now, stt_handle session,
                     const struct stt_path *to)
{
    struct stt_session *s;
    uint32_t retire;
    int error = stt_endpoint_find_open(ep, now, session, &s);
    if (error)
        return error;
    if (to->carrier >= STT_CARRIERS_MAX || !ep->carriers[to->carrier].max_datagram_bytes)
        return STT_E_ARGUMENT;
    if (s->paths.on_trial >= 0 || !stt_session_ids_set_aside(&s->ids, &retire))
        return STT_E_AGAIN;
    error = stt_paths_move(&s->paths, now, stt_session_pto(s), to);
    owe_retire(ep, s, retire);
    stt_session_rearm(ep, s);
    return error;
}
