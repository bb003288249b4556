/* SPDX-License-Identifier: MIT
 * engine: what an endpoint holds, and what the parts of this folder do to a session on its behalf.
 *
 *     endpoint     the five verbs, demultiplexing, handles
 *     events       what the host is to hear
 *     host         what the host may do to a session, and ask of it
 *     admission    packets of strangers: who is answered, and with what
 *     connecting   both sides of a handshake, from the first message to the keys
 *     receiving    opened packets: frames and what they cause
 *     saying       which frames go into a packet
 *     sending      packets, and when they may go
 *     holding      what holds a session back
 *     stats        what it has done, in numbers
 *     routes       what changes with the path
 *     sizing       the packet size, as it is found
 *     rekeying     new keys for a session that runs
 *     lifetime     states, timers, the end
 *     tracing      what they tell of themselves
 *
 * Spec 04, "States"; each of them names its own. */
#ifndef STT_SESSION_ENGINE_H
#define STT_SESSION_ENGINE_H

#include "stt/base/env.h"
#include "stt/base/map.h"
#include "stt/base/slab.h"
#include "stt/session/datagram.h"
#include "stt/session/roster.h"
#include "stt/session/seen.h"
#include "stt/session/session.h"

enum {
    STT_REPLIES_MAX = 64, /* cookies and refusals that wait to be sent; more are dropped */
    STT_PREFIX_BUDGETS = 1024,
    STT_KEY_UPDATE_RESERVE = 1 << 16, /* packets left under a key when the next begins */
    STT_CODE_EVENTS_MAX = 32,         /* that wait to be pulled; the oldest are dropped */
    STT_ID_DRAWS = 16,
};

/* A packet of no session, or message 2 once more. */
struct stt_reply {
    struct stt_path path;
    stt_handle again; /* the half-open session, or 0 */
    uint8_t len;
    uint8_t data[STT_COOKIE_REPLY_BYTES];
};

struct stt_code_event {
    enum stt_event_type type;
    enum stt_reason reason;
    uint32_t slot;
};

/* A way in which a mac1 may have been made: made once, tried for every stranger's packet. */
struct stt_mac_way {
    enum stt_mode mode;
    const uint8_t *seed;               /* in the secrets, or NULL */
    uint8_t key[4][STT_MAC_KEY_BYTES]; /* by message number; 1 and 3 are used */
};
enum { STT_MAC_WAYS_MAX = 2 * STT_SEEDS_MAX + 2 };

/* In memory for secrets. */
struct stt_endpoint_secrets {
    struct stt_identity identity;
    struct stt_handshake_own own;
    uint8_t seeds[STT_SEEDS_MAX][32];
    uint8_t cookie_secret[32];
    struct stt_codes codes;
    struct stt_mac_way ways[STT_MAC_WAYS_MAX];
    uint32_t n_ways;
};

struct stt_endpoint {
    struct stt_env env;
    struct stt_config config; /* identity and seeds wiped: they are in secrets */
    struct stt_endpoint_secrets *secrets;
    uint8_t last_draw[16];
    uint8_t id_draws[STT_ID_DRAWS][STT_ID_BYTES]; /* for ids, drawn together */
    uint32_t id_draws_left;
    struct stt_id_hash_key id_hash_key;
    uint32_t cpu;

    struct stt_slab sessions;
    uint32_t n_handshakes;                      /* under way, both sides */
    struct stt_map by_id;                       /* session id -> handle */
    struct stt_map answered;                    /* mac1 of an answered message 1 -> handle */
    struct stt_map exclusive_out, exclusive_in; /* peer id -> handle: our connects, and theirs */
    struct stt_roster own_roster, *roster;      /* who is answered: its own, or all workers' */
    struct stt_counts counts;
    struct stt_seen seen;
    struct stt_images images;
    struct stt_timers timers;
    struct stt_list all, ready, events;
    struct stt_slab streams;
    stt_ns rested_at;  /* when memory of busier times was last given back */
    uint64_t map_seed; /* for tables whose keys a peer chooses */
    struct stt_chunk_pool chunks;
    struct stt_list stream_events;
    struct stt_list thirsty; /* streams whose writers found the pool empty, when ... */
    uint32_t thirsty_at;     /* ... so many chunks were in use; fewer, and they are called */
    struct stt_list blocked; /* would send if their carrier were writable */
    struct stt_carrier carriers[STT_CARRIERS_MAX];

    struct stt_budget unproven, work;
    struct stt_budget prefix_budgets[STT_PREFIX_BUDGETS];
    uint32_t n_half_open;
    bool has_forked;
    struct stt_reply replies[STT_REPLIES_MAX];
    uint32_t first_reply, n_replies;
    struct stt_code_event code_events[STT_CODE_EVENTS_MAX];
    uint32_t first_code_event, n_code_events;
    stt_handle told_end; /* the host has pulled CLOSED of it, and nothing since */

    struct stt_endpoint_stats stats;
    struct stt_tracing tracing;
};

/* -- endpoint ------------------------------------------------------------------------------------
 */

/* NULL when the handle is stale. */
struct stt_session *stt_endpoint_find(const struct stt_endpoint *ep, stt_handle handle);
/* For the host's calls that need keys: STT_OK, or why not. */
int stt_endpoint_find_open(struct stt_endpoint *ep, stt_ns now, stt_handle handle,
                           struct stt_session **out) STT_MUST_USE;
stt_handle stt_endpoint_handle(const struct stt_endpoint *ep, const struct stt_session *s);
bool stt_endpoint_draw(struct stt_endpoint *ep, uint8_t *out, size_t len) STT_MUST_USE;
/* Unpredictable, but no secret: which numbers are left out, when timers come. */
bool stt_endpoint_draw_seeds(struct stt_endpoint *ep, uint8_t out[8]) STT_MUST_USE;
/* A session id that steers to this worker and is not in use. */
bool stt_endpoint_draw_id(struct stt_endpoint *ep, struct stt_id *id) STT_MUST_USE;
/* It has something to send. */
void stt_endpoint_ready(struct stt_endpoint *ep, struct stt_session *s);
void stt_endpoint_reply(struct stt_endpoint *ep, const struct stt_path *path, struct bytes packet);

void stt_endpoint_answer_again(struct stt_endpoint *ep, stt_handle handle,
                               const struct stt_path *path);
bool stt_endpoint_is_full(const struct stt_endpoint *ep);

/* False in a forked child, where the secrets are zeros; every session ends then. Asked before
 * anything that seals, opens or derives. */
bool stt_endpoint_is_alive(struct stt_endpoint *ep, stt_ns now);

/* Whether peers of this static key, or with this id, are answered. */
bool stt_endpoint_allows_key(const struct stt_endpoint *ep, const uint8_t static_key[32]);
bool stt_endpoint_allows_id(const struct stt_endpoint *ep, const struct stt_peer_id *peer);
bool stt_endpoint_allows_peer(const struct stt_endpoint *ep, const uint8_t static_key[32],
                              const struct stt_peer_id *peer);

/* Once, when the secrets are there. */
void stt_admission_init(struct stt_endpoint *ep);
/* -- events --------------------------------------------------------------------------------------
 */

/* Of sessions, codes or streams, not pulled yet. */
bool stt_endpoint_has_events(const struct stt_endpoint *ep);

/* The host is to hear of it: STT_PENDING_ bits. */
void stt_endpoint_report(struct stt_endpoint *ep, struct stt_session *s, uint16_t pending);
/* It is true no longer, and was perhaps not heard. */
void stt_endpoint_take_back(struct stt_session *s, uint16_t pending);
void stt_endpoint_report_code(struct stt_endpoint *ep, enum stt_event_type type, uint32_t slot,
                              enum stt_reason reason);

/* -- admission -----------------------------------------------------------------------------------
 */

void stt_admission_message_1(struct stt_endpoint *ep, stt_ns now, const struct stt_path *path,
                             struct bytes datagram);
void stt_admission_message_3(struct stt_endpoint *ep, stt_ns now, const struct stt_path *path,
                             struct bytes datagram);
/* The handshake is over, well or not: gives back what it held. */
void stt_admission_release(struct stt_endpoint *ep, struct stt_session *s);
enum stt_code_fate stt_admission_end_attempt(struct stt_endpoint *ep, stt_ns now,
                                             struct stt_session *s, enum stt_guess guess);

/* In memory for secrets; NULL when there is none. */
struct stt_handshake *stt_connecting_new_handshake(struct stt_endpoint *ep);

/* -- connecting ----------------------------------------------------------------------------------
 */

void stt_connecting_message_2(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                              struct bytes datagram);
void stt_connecting_cookie(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                           struct bytes datagram);
void stt_connecting_refused(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            struct bytes datagram);
void stt_connecting_repeat(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
/* The handshake has given its keys. STT_E_MEMORY. */
int stt_connecting_take_keys(struct stt_endpoint *ep, stt_ns now,
                             struct stt_session *s) STT_MUST_USE;
/* The first packet of the peer has opened, or, in W, its identity is proven. */
void stt_connecting_first_packet(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
void stt_connecting_confirmed(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
/* The session that an exclusive one has lost or won against, or 0. */
stt_handle stt_connecting_counterpart(const struct stt_endpoint *ep, const struct stt_session *s);
void stt_connecting_issue_ids(struct stt_endpoint *ep, struct stt_session *s);
void stt_connecting_open(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);

/* -- receiving -----------------------------------------------------------------------------------
 */

/* Packets for one session, back to back. */
void stt_receiving_train(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                         const struct stt_train *train);

/* -- sending -------------------------------------------------------------------------------------
 */

enum stt_sending { STT_SENDING_NOTHING, STT_SENDING_SENT, STT_SENDING_BLOCKED };

/* Fills the train if there is something to say now, and its carrier takes it. */
enum stt_sending stt_sending_transmit(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                      struct stt_train *train);
/* Its carrier takes something. */
bool stt_sending_is_writable(const struct stt_endpoint *ep, const struct stt_path *path);
bool stt_sending_has_more(const struct stt_session *s, stt_ns now);

/* -- holding -------------------------------------------------------------------------------------
 */

/* At any time; but who calls it often asks first, by one of these. */
void stt_holding_judge(const struct stt_endpoint *ep, stt_ns now, struct stt_session *s);

/* There was an attempt to send. Who had no data before it has none now. */
static inline void stt_holding_on_attempt(const struct stt_endpoint *ep, stt_ns now,
                                          struct stt_session *s)
{
    if (s->streams && s->streams->held.by != STT_HELD_APPLICATION)
        stt_holding_judge(ep, now, s);
}

/* A stream has data that may be sent: what is in their way, an attempt will tell. */
static inline void stt_holding_on_data(stt_ns now, struct stt_session *s)
{
    if (stt_held_for_data(&s->streams->held) && s->state == STT_SESSION_OPEN)
        stt_held_switch(&s->streams->held, now, STT_HELD_MACHINE);
}

/* A train of packets has been dealt with. */
static inline void stt_holding_on_received(const struct stt_endpoint *ep, stt_ns now,
                                           struct stt_session *s)
{
    if (s->streams && stt_held_for_leave(&s->streams->held))
        stt_holding_judge(ep, now, s);
}

/* -- settling
 * --------------------------------------------------------------------------------------- */

/* What an ACK or a timer has shown of the packets that are out; drains the pull. True: something
 * new was acknowledged. */
bool stt_settling_drain(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
/* When something is to be declared lost, or asked for again; STT_NEVER. */
stt_ns stt_settling_deadline(const struct stt_session *s);
/* So many packets are out beyond those that fill the path that no more of them are sent. */
bool stt_settling_is_unanswered(const struct stt_session *s);
void stt_settling_on_timer(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);

/* -- streams
 * ----------------------------------------------------------------------------------------- */

/* A code of a frame handler's: there was no memory; the packet counts as lost. */
#define STT_UNHEARD UINT64_MAX

/* Makes what a session needs for streams, once. STT_E_MEMORY. */
int stt_streams_make(struct stt_endpoint *ep, stt_ns now, struct stt_session *s) STT_MUST_USE;
void stt_streams_free(struct stt_endpoint *ep, struct stt_session *s);
void stt_streams_on_coalesced(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
void stt_streams_on_late(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
/* What the allowance for the peer's streams held back counts now. */
void stt_streams_on_second(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
/* Owes the peer a higher limit of streams, if it should be told of one. */
void stt_streams_allow_more(struct stt_endpoint *ep, struct stt_session *s);
/* NULL: stale. */
struct stt_stream *stt_stream_find(const struct stt_endpoint *ep, stt_handle handle);
struct stt_stream *stt_stream_by_id(const struct stt_session *s, uint64_t id);
stt_handle stt_stream_handle(const struct stt_endpoint *ep, const struct stt_stream *t);
struct stt_stream *stt_stream_new(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                  uint64_t id);
void stt_stream_free(struct stt_endpoint *ep, struct stt_stream *t);
/* The table of what is skipped: few streams have it, and those not for long. */
void stt_stream_free_skipped(struct stt_endpoint *ep, struct stt_stream *t);
void stt_stream_report(struct stt_endpoint *ep, struct stt_stream *t, uint32_t what);
void stt_stream_end_if_over(struct stt_endpoint *ep, struct stt_stream *t);
void stt_stream_schedule(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t);
/* Waits a little: more may be written, and go in the same packet. */
void stt_stream_await_company(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t);
/* The peer, or the session, allows more. */
void stt_stream_on_limit(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t);
/* The send ring has room again, if somebody waits for it. */
void stt_stream_on_room(struct stt_endpoint *ep, struct stt_stream *t);
void stt_stream_owe(struct stt_endpoint *ep, struct stt_stream *t, uint32_t owes);
void stt_stream_give_up(struct stt_endpoint *ep, struct stt_stream *t, uint64_t code);
/* It has new data that a limit holds back: its own, or the session's, which reaches to `credit`. */
void stt_stream_on_blocked(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                           uint64_t credit);
void stt_stream_on_consumed(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                            uint64_t len);

/* After anything that changes what is missing of it: NO_ERROR, or BUFFER_LIMIT for the session. */
uint64_t stt_stream_count_gaps(struct stt_stream *t);

uint64_t stt_arriving_stream(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                             uint64_t type, struct rd *r);
uint64_t stt_arriving_reset(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            struct rd *r);
uint64_t stt_arriving_stop(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                           struct rd *r);
uint64_t stt_arriving_skip(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                           struct rd *r);
uint64_t stt_arriving_limit(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            uint64_t type, struct rd *r);
uint64_t stt_arriving_stream_limit(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                   uint64_t type, struct rd *r);

/* -- routes --------------------------------------------------------------------------------------
 */

/* The paths have news; `deliberate`: the peer uses an id that was not used where it was before. */
void stt_routes_on_news(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                        enum stt_paths_news news, bool deliberate);
void stt_routes_forget(struct stt_endpoint *ep, struct stt_session *s);
/* For the path in use. */
const struct stt_controller *stt_routes_controller(const struct stt_endpoint *ep,
                                                   const struct stt_session *s);
uint32_t stt_routes_packet_bytes(const struct stt_endpoint *ep, const struct stt_session *s);

/* -- sizing --------------------------------------------------------------------------------------
 */

/* The path in use begins, with packets of this size. */
void stt_sizing_begin(const struct stt_endpoint *ep, struct stt_session *s);
/* A run of packets was settled; after the last one the size may be another. */
void stt_sizing_take(struct stt_session *s, const struct stt_settled *x);
void stt_sizing_apply(struct stt_session *s);
/* Before the pull of a PTO. */
void stt_sizing_on_pto(struct stt_session *s);
/* The size of a probe to be sent now; 0: none. */
uint32_t stt_sizing_probe(struct stt_session *s, stt_ns now, size_t room);

/* -- rekeying ------------------------------------------------------------------------------------
 */

/* Takes what a REKEY will need from the handshake; W: to behind protect, where there is room. */
void stt_rekeying_keep(struct stt_session *s);
void stt_rekeying_open(struct stt_session *s, stt_ns now);
/* The session is open no longer. */
void stt_rekeying_end(struct stt_endpoint *ep, struct stt_session *s);
/* The initiator, from rekey_clock.from on: begins a REKEY when everything else is there. */
void stt_rekeying_if_due(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
void stt_rekeying_on_timer(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
uint64_t stt_rekeying_arrived(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                              struct rd *r);
bool stt_rekeying_say(const struct stt_session *s, struct wr *w);
/* Of what the key can still seal, what is there for data: while a REKEY runs the last packets are
 * for what completes it. */
static inline uint64_t stt_rekeying_for_data(const struct stt_session *s, uint64_t sealable)
{
    uint64_t kept = s->rekey ? STT_KEY_UPDATE_RESERVE : 0;
    return sealable > kept ? sealable - kept : 0;
}
/* A packet of the next epoch has opened. */
void stt_rekeying_on_epoch(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);

/* -- datagram ------------------------------------------------------------------------------------
 */

/* Pieces of this stream are datagrams, by number, whose fate the host wants to hear. */
#define STT_DATAGRAM_PIECES (STT_NO_STREAM - 1)

uint64_t stt_session_datagram_arrived(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                      struct bytes data);
void stt_session_datagram_settled(struct stt_endpoint *ep, struct stt_session *s,
                                  const struct stt_settled *settled);
/* So many were dropped, from this one on: they will never be sent, which is as good as lost. */
void stt_session_datagram_unsent(struct stt_endpoint *ep, struct stt_session *s, uint64_t first,
                                 uint64_t dropped);
void stt_session_datagram_free(struct stt_endpoint *ep, struct stt_session *s);

/* -- lifetime ------------------------------------------------------------------------------------
 */

/* A new session object with an id of its own, registered; NULL: no memory, no entropy, or full. */
struct stt_session *stt_session_new(struct stt_endpoint *ep, stt_ns now,
                                    const struct stt_path *path);
/* It is quiet: gives back what it holds for busy times. */
void stt_session_trim(struct stt_endpoint *ep, struct stt_session *s);
/* Forgets it, with all that it holds. */
void stt_session_free(struct stt_endpoint *ep, struct stt_session *s);
void stt_session_enter(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                       enum stt_session_state state);
/* The host has pulled CLOSED, and asked for what comes next. */
void stt_session_on_pulled_end(struct stt_endpoint *ep, struct stt_session *s);
/* Ends without a word to the peer. */
void stt_session_drop(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                      enum stt_reason reason);
/* Ends with CLOSE: the peer broke a rule. */
void stt_session_fail(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, uint64_t code,
                      uint64_t frame_type);
/* Ends with CLOSE or CLOSE_APPLICATION as `end` says; takes its text. */
void stt_session_end(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                     const struct stt_session_end *end);
/* What is owed in closing, each time that it is said. */
uint32_t stt_session_last_words(const struct stt_session *s);
/* CLOSE came. */
void stt_session_on_close(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                          const struct frame_close *f);

void stt_session_set(struct stt_session *s, enum stt_session_timer timer, stt_ns at);
/* After anything that may have moved a deadline. */
void stt_session_rearm(struct stt_endpoint *ep, struct stt_session *s);
void stt_session_expire(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
/* Something authentic came, or something that wants an answer went out. */
void stt_session_on_activity(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);

/* Something that wants an answer came. */
void stt_session_on_data(stt_ns now, struct stt_session *s);

/* A number below `below`, from the session's own small generator. */
uint32_t stt_session_jitter(struct stt_session *s, uint32_t below);
stt_ns stt_session_pto(const struct stt_session *s);

static inline uint64_t stt_session_opens_failed(const struct stt_session *s)
{
    return s->protect ? s->protect->failed : s->last.opens_failed;
}
static inline uint64_t stt_session_epochs(const struct stt_session *s)
{
    return s->protect ? s->protect->keys.number : s->last.epochs;
}

#endif
