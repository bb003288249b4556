/* SPDX-License-Identifier: MIT
 * session: one conversation with one peer, as a state machine inside an endpoint. Spec 04,
 * "States".
 *
 * The session dispatches and sequences; each question is answered by a part of its own:
 *     handshake   what do the first messages say        ids     by which ids are we found
 *     protect     how is a packet sealed and opened     acks    what have I got
 *     paths       where is the peer                     sent    what is out
 *     owed        which frames must still be said       timers  when */
#ifndef STT_SESSION_SESSION_H
#define STT_SESSION_SESSION_H

#include "crypto/protect.h"
#include "stt/base/list.h"
#include "stt/base/timers.h"
#include "stt/endpoint.h"
#include "stt/recovery/acks.h"
#include "stt/recovery/loss.h"
#include "stt/recovery/pacer.h"
#include "stt/session/codes.h"
#include "stt/session/counts.h"
#include "stt/session/handshake.h"
#include "stt/session/paths.h"
#include "stt/session/rekey.h"
#include "stt/session/session_ids.h"
#include "stt/session/tracing.h"
#include "stt/stream/stream.h"

/* Spec 04, "States": idle has no object, closed is the moment before the object goes. */
#define STT_SESSION_STATES(X)                                                                      \
    /* name            text               frames that may be opened */                             \
    X(COOKIE_WAIT, "cookie wait", 0)                                                               \
    X(MESSAGE_1_SENT, "message 1 sent", 0)                                                         \
    X(MESSAGE_3_SENT, "message 3 sent", STT_IN_OTHER)                                              \
    X(HALF_OPEN, "half open", STT_IN_OTHER)                                                        \
    X(IDENTIFY, "identify", STT_IN_IDENTIFY)                                                       \
    X(OPEN, "open", STT_IN_OPEN)                                                                   \
    X(CLOSING, "closing", STT_IN_OTHER)                                                            \
    X(DRAINING, "draining", 0)                                                                     \
    X(CLOSED, "closed", 0)

/* Which state may follow which, and what people call them. */
bool stt_session_may_enter(unsigned from, unsigned to);
const char *stt_session_state_text(unsigned state);

enum stt_session_state {
#define X(name, text, phase) STT_SESSION_##name,
    STT_SESSION_STATES(X)
#undef X
        STT_SESSION_STATE_COUNT
};

/* Spec 04, "Timers"; one deadline each, in stt_session.deadline. */
#define STT_SESSION_TIMERS(X)                                                                      \
    X(REPEAT, "repeat")         /* the handshake message goes out again */                         \
    X(GIVE_UP, "give up")       /* the connect fails */                                            \
    X(HALF_OPEN, "half open")   /* the half-open state is erased */                                \
    X(ACK, "ack")               /* an owed ACK is sent */                                          \
    X(LOSS, "loss")             /* something is lost, or asked for again */                        \
    X(PACE, "pace")             /* the next train may go */                                        \
    X(COALESCE, "coalesce")     /* small writes have waited for company */                         \
    X(LATE, "late")             /* a message is not worth sending any more */                      \
    X(STREAMS, "streams")       /* streams that were held back count */                            \
    X(KEEP_ALIVE, "keep alive") /* a PING says that we live */                                     \
    X(ASK, "ask")               /* data stays out: a PING asks why */                              \
    X(IDLE, "idle")             /* the session is dead */                                          \
    X(STALLED, "stalled")       /* the host is told that nothing is answered */                    \
    X(TRIAL, "trial")           /* a path trial goes on or ends */                                 \
    X(OLD_KEYS, "old keys")     /* the previous epoch is wiped */                                  \
    X(IDS, "ids")               /* a retired id is forgotten */                                    \
    X(HOLD, "hold")             /* the peer's connect did not take its place */                    \
    X(REKEY, "rekey")           /* the session gets new keys, if it was used */                    \
    X(CLOSING, "closing")       /* the closed session is forgotten */

enum stt_session_timer {
#define X(name, text) STT_TIMER_##name,
    STT_SESSION_TIMERS(X)
#undef X
        STT_TIMER_COUNT
};

/* Frames that are said until they are acknowledged, as bits, in the order of spec 05, "Packing";
 * NEW_ID and RETIRE_ID one for each place in the table of ids. */
enum {
    STT_OWES_PING = 1u << 0,
    STT_OWES_IDENTITY = 1u << 1,
    STT_OWES_CLOSE = 1u << 2,
    STT_OWES_ACK = 1u << 3, /* never said again when lost: a newer one will be */
    STT_OWES_NEW_ID = 1u << 8,
    STT_OWES_RETIRE_ID = 1u << 16,
    STT_OWES_IDS_MASK = 0xffffu << 8,
    STT_OWES_REKEY = 1u << 24,
    STT_OWES_MAX_DATA = 1u << 25,
    STT_OWES_MAX_STREAMS = 1u << 26,
    STT_OWES_DATA_BLOCKED = 1u << 27,
    STT_OWES_STREAMS_BLOCKED = 1u << 28,
    STT_OWES_LIMITS = 0xfu << 25,
};

/* How the end came about, for CLOSED. */
struct stt_session_end {
    enum stt_reason reason;
    bool application; /* CLOSE_APPLICATION */
    bool identifies;  /* W: our IDENTITY goes with it, so that the peer's host hears of us at all */
    uint64_t code, frame_type;
    stt_handle other;
    uint8_t *text; /* NULL or text_len bytes of the env */
    size_t text_len;
};

enum {
    STT_PENDING_CONNECTED = 1u << 0,
    STT_PENDING_ACCEPTED = 1u << 1,
    STT_PENDING_STALLED = 1u << 2,
    STT_PENDING_RESUMED = 1u << 3,
    STT_PENDING_PATH = 1u << 4,
    STT_PENDING_DATAGRAM = 1u << 5,
    STT_PENDING_FATE = 1u << 6,
    STT_PENDING_STAYED = 1u << 7,
    STT_PENDING_STREAMS = 1u << 8,
    STT_PENDING_CLOSED = 1u << 9, /* the last one; the object goes with it */
};

/* W: the static keys of the handshake, which are nobody's, for REKEY. Stands behind protect. */
struct stt_throwaway {
    struct stt_noise_keypair own;
    uint8_t peer[STT_NOISE_KEY_BYTES];
};

/* What a session holds more of while packets flow: lent to protect and acks. */
struct stt_busy {
    uint64_t replay[STT_REPLAY_WORDS];
    struct stt_range ranges[STT_ACK_RANGES_MAX];
};

/* Of a path that a trial may return to. */
struct stt_kept_path {
    struct stt_congestion congestion;
    struct stt_pacer pacer;
    struct stt_size size;
    uint32_t packet_bytes;
    uint8_t ecn_state, ecn_lost; /* the counts are the session's */
};

struct stt_session {
    struct stt_list all, ready, events; /* links in the endpoint's lists */
    struct stt_timer timer;
    stt_ns deadline[STT_TIMER_COUNT];

    uint8_t state; /* enum stt_session_state */
    uint8_t mode;  /* enum stt_mode */
    bool is_initiator, is_confirmed, is_stalled, is_exclusive, has_pin;
    bool holds_data;            /* the peer's connect may take its place: streams wait */
    bool is_reported;           /* the host knows it, so it hears of its end */
    bool is_gone;               /* the host has heard CLOSED, and more: its handle is stale */
    bool sends_packet;          /* the handshake packet goes out with the next transmit */
    bool was_repeated;          /* it went out before, with the same mac2 */
    uint16_t pending;           /* STT_PENDING_ bits */
    uint8_t probes_left;        /* of a PTO: packets that go above the window */
    uint8_t own_seen;           /* place of our id of the path in use ... */
    uint8_t own_probed;         /* ... and of the latest challenge from elsewhere */
    uint8_t told_epoch;         /* low bits of the latest, and the latest packet size, ... */
    uint16_t told_packet_bytes; /* ... that traces have told */
    uint32_t jitter;            /* a small generator, seeded once: deadlines need no entropy */

    struct stt_handshake *handshake; /* NULL once it is over */
    uint32_t packet_bytes;           /* UDP payload of a full packet on the path in use */
    uint32_t protect_bytes;          /* the size of protect, which a fork does not wipe */
    stt_ns repeat_ns, first_sent_at;
    struct stt_protect *protect; /* NULL before there are keys; in memory for secrets */
    const struct stt_aead_suite *suite;
    struct stt_busy *busy; /* while packets flow; NULL in quiet times */
    union {
        uint8_t message_3_mac1[STT_MAC_BYTES]; /* S, W: of the one that was accepted */
        struct {
            uint64_t opens_failed, epochs;
        } last; /* of protect, once it is gone */
    };
    uint8_t h[64];           /* of the handshake, or of the latest REKEY */
    struct stt_peer_id peer; /* authenticated; before that the pin, or whom we call */
    struct stt_peer_params params;
    struct stt_session_ids ids;
    struct stt_paths paths;
    struct stt_kept_path *kept; /* during a trial */

    /* What a handshake that is answered holds of the endpoint's tables. */
    struct stt_count_key counted[3];
    uint8_t n_counted;
    bool is_half_open, identity_sent_acked, identity_taken;
    struct stt_attempt attempt; /* at a code of ours */

    uint32_t owed; /* STT_OWES_ bits to be said */
    struct stt_acks acks;
    struct stt_loss loss;
    uint32_t rekeys;                  /* that were done */
    struct stt_streams *streams;      /* NULL before the first stream */
    uint32_t close_heard, close_next; /* packets in closing; answered after 1, 2, 4, ... */

    uint64_t packets_before; /* received until the latest silence */
    uint64_t packets_sent, packets_received, bytes_sent, bytes_received;
    uint32_t dropped_no_key, dropped_replayed_packet, dropped_no_room, ptos;
    struct stt_rekey *rekey; /* while one runs; in memory for secrets */
    struct stt_rekey_clock rekey_clock;
    stt_ns created_at, confirmed_at, last_received_at;
    stt_ns data_at, data_gap_ns; /* spec 04, "Ask" */
    stt_ns opened_at, ended_at;  /* of OPEN; STT_NEVER before each */
    struct stt_session_end end;
    void *user;
};

#endif
