/* SPDX-License-Identifier: MIT
 * L0: the protocol as a state machine without I/O.
 *
 * An endpoint holds any number of sessions. It is driven with five verbs and never does anything
 * by itself; time is an argument, datagrams are memory, events are pulled:
 *
 *     receive(ep, now, train)   what the network said
 *     transmit(ep, now, train)  what to send next; repeat until it answers false
 *     deadline(ep)              when to call expire if nothing happens before
 *     expire(ep, now)           that time has come; early or twice does no harm
 *     event(ep, event)          what the host should know; repeat until it answers false
 *
 * After any other call: transmit and event until both are dry, then look at the deadline. One
 * endpoint belongs to one thread. Sessions are named by handles that are never reused: a stale
 * one answers STT_E_STALE. */
#ifndef STT_ENDPOINT_H
#define STT_ENDPOINT_H

#include "stt/address.h"
#include "stt/config.h"
#include "stt/error.h"
#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stt_endpoint;
struct stt_env;
struct stt_trace_event;
typedef uint64_t stt_handle; /* of a session; 0 names none, and none is used twice */

/* -- addresses, carriers, trains ----------------------------------------------------------------
 */

/* What carries datagrams; path.carrier names one. UDP, 0, is there from the beginning; the host
 * describes others, and tells when one becomes writable or ceases to be. */
#define STT_CARRIERS_MAX 8
struct stt_carrier {
    bool reliable; /* in order and without loss: a byte stream below */
    bool writable; /* false: takes nothing at the moment */
    uint32_t max_datagram_bytes;
};

/* Equal-sized datagrams on one path, back to back; the last may be shorter. */
#define STT_TRAIN_BYTES    65507
#define STT_TRAIN_SEGMENTS 64
struct stt_train {
    struct stt_path path;
    uint8_t *data;        /* receive decrypts in place; transmit writes here */
    size_t len;           /* receive: bytes present; transmit: room before, bytes after */
    size_t segment_bytes; /* of each datagram; receive: 0 or >= len for just one */
    uint8_t ecn;          /* the two ECN bits of the IP header */
    stt_handle session;   /* transmit: whose it is, and ... */
    uint64_t first;       /* ... its first packet's number; for stt_endpoint_refused() */
};

/* -- the five verbs --------------------------------------------------------------------------- */

/* The environment is copied; what its hooks use must outlive the endpoint. */
int stt_endpoint_new(struct stt_endpoint **out, const struct stt_config *config,
                     const struct stt_env *env, stt_ns now) STT_MUST_USE;
/* Silent: close sessions first if peers should know. */
void stt_endpoint_free(struct stt_endpoint *ep);

void stt_endpoint_receive(struct stt_endpoint *ep, stt_ns now, const struct stt_train *train);
bool stt_endpoint_transmit(struct stt_endpoint *ep, stt_ns now, struct stt_train *train);
stt_ns stt_endpoint_deadline(struct stt_endpoint *ep);
void stt_endpoint_expire(struct stt_endpoint *ep, stt_ns now);

/* The system has refused this train of transmit's as too large (EMSGSIZE), and nothing of it went
 * out: packets on its path become smaller at once, and what it held goes again. Its data need not
 * be there any more. Never for what somebody else says of a size (ICMP). */
void stt_endpoint_refused(struct stt_endpoint *ep, stt_ns now, const struct stt_train *train);

int stt_endpoint_carrier(struct stt_endpoint *ep, stt_ns now, uint32_t carrier,
                         const struct stt_carrier *properties);

enum stt_event_type {
    STT_EVENT_CONNECTED = 1, /* a connect of ours: handshake done, peer authenticated */
    STT_EVENT_ACCEPTED,      /* somebody else's connect, confirmed */
    STT_EVENT_CLOSED,        /* see reason; the handle lives until the next event */
    STT_EVENT_STALLED,       /* no answer for 3 PTO */
    STT_EVENT_RESUMED,       /* an answer after all */
    STT_EVENT_PATH,          /* the session moved to another path */
    STT_EVENT_CODE_WRONG,    /* somebody guessed wrong at our code */
    STT_EVENT_CODE_ENDED,    /* our code is gone; see reason */
    STT_EVENT_DATAGRAM,      /* datagrams have come in: stt/datagrams.h */
    STT_EVENT_FATE,          /* it is known what became of datagrams */
    STT_EVENT_STAYED,        /* stt_session_move() has failed: nobody answered there */
    STT_EVENT_STREAMS,       /* the peer allows more streams: once, after one was refused here */
};

/* Why a session or a code ended. */
enum stt_reason {
    STT_REASON_NONE = 0,
    STT_REASON_LOCAL_CLOSE,   /* stt_session_close() here */
    STT_REASON_PEER_CLOSE,    /* the application there */
    STT_REASON_PEER_ERROR,    /* the peer's transport; code says which rule */
    STT_REASON_PROTOCOL,      /* the peer broke a rule; code says which */
    STT_REASON_IDLE,          /* dead: nothing authentic for the idle timeout */
    STT_REASON_NO_ANSWER,     /* not running, blocked, or peer id or seed does not match */
    STT_REASON_PEER_KEY,      /* proven: the pinned peer has another key */
    STT_REASON_CODE_WRONG,    /* proven: the code is wrong */
    STT_REASON_CODE_USED,     /* code: ended by success */
    STT_REASON_CODE_EXPIRED,  /* code: ten minutes are over */
    STT_REASON_CODE_GUESSED,  /* code: three wrong guesses */
    STT_REASON_REPLACED,      /* exclusive: the peer's connect stays, see `other` */
    STT_REASON_APPLICATION,   /* the peer speaks another application */
    STT_REASON_FORKED,        /* secrets do not survive a fork */
    STT_REASON_KEYS_WORN_OUT, /* too many failed opens, or no numbers left */
    STT_REASON_MEMORY,        /* no memory to go on */
    STT_REASON_NOT_ALLOWED,   /* the allow-list has the peer no longer */
    STT_REASON_NO_ADDRESS,    /* the name has none, or none that can be reached; see text */
};

#define STT_REASON_TEXT_MAX 256
struct stt_event {
    enum stt_event_type type;
    stt_handle session;                 /* 0 for events of codes */
    enum stt_reason reason;             /* CLOSED, CODE_ENDED */
    uint64_t code;                      /* CLOSED: the application's or the protocol's close code */
    stt_handle other;                   /* CLOSED with REPLACED: the session that stays */
    uint32_t slot;                      /* CODE_*: which code */
    void *user;                         /* CLOSED: what was set */
    char text[STT_REASON_TEXT_MAX + 1]; /* CLOSED: the peer's words, escaped, may be empty */
};
/* Who is told CLOSED can still ask for what is to be known of the session, its statistics above
 * all, until the next call. */
bool stt_endpoint_event(struct stt_endpoint *ep, struct stt_event *event);

/* One sentence without a final stop; never NULL. */
const char *stt_reason_text(enum stt_reason reason);

/* -- sessions ---------------------------------------------------------------------------------- */

struct stt_connect {
    size_t size;
    struct stt_path path;    /* where to; local may be unknown */
    enum stt_mode mode;      /* K, S or W */
    struct stt_peer_id peer; /* K: required; S, W: a pin if has_peer */
    bool has_peer;
    uint8_t seed[32]; /* S: required; K: psk if has_seed */
    bool has_seed;
    const char *code;         /* W: a generated code, as somebody typed it */
    const uint8_t *stretched; /* W: or a passphrase, from stt_passphrase_stretch() */
    bool exclusive;           /* one session is enough for both sides */
    void *user;               /* yours; see stt_session_user() */
};
#define STT_CONNECT_INIT                                                                           \
    {                                                                                              \
        .size = sizeof(struct stt_connect)                                                         \
    }

int stt_endpoint_connect(struct stt_endpoint *ep, stt_ns now, const struct stt_connect *connect,
                         stt_handle *out) STT_MUST_USE;

/* Tells the peer, authentically; the handle stays until CLOSED. A second call does nothing. Codes
 * are below 2^62. */
int stt_session_close(struct stt_endpoint *ep, stt_ns now, stt_handle session, uint64_t code,
                      const char *text);

/* Sends a PING now: proof of life, at the price of a packet. */
int stt_session_ping(struct stt_endpoint *ep, stt_ns now, stt_handle session);

/* Begins the next epoch of keys; it happens by itself before a key is worn. STT_E_AGAIN: nothing
 * sent under the present one has been acknowledged yet, or the two sides are agreeing on new keys
 * anyway. */
int stt_session_update_keys(struct stt_endpoint *ep, stt_ns now, stt_handle session);

/* Tries another path: another local address, carrier or both, perhaps another remote address. The
 * session is there when the peer has answered (STT_EVENT_PATH), or stays (STT_EVENT_STAYED).
 * STT_E_AGAIN: a trial is under way, or the peer has issued no spare id yet. */
int stt_session_move(struct stt_endpoint *ep, stt_ns now, stt_handle session,
                     const struct stt_path *to) STT_MUST_USE;

struct stt_session_info {
    struct stt_peer_id peer; /* whom the session authenticates */
    struct stt_path path;
    enum stt_mode mode;
    const char *state; /* in words */
    bool initiator, confirmed, exclusive, stalled;
    const char *suite;
    uint64_t epoch, rekeys; /* of keys; how many of them came from a REKEY */
    uint64_t packets_sent, packets_received, bytes_sent, bytes_received;
    uint64_t opens_failed;
    stt_ns rtt_ns; /* smoothed; 0: not measured yet */
    stt_ns created_at, confirmed_at, last_received_at;
};
int stt_session_info(const struct stt_endpoint *ep, stt_handle session,
                     struct stt_session_info *out) STT_MUST_USE;
void *stt_session_user(const struct stt_endpoint *ep, stt_handle session);
int stt_session_set_user(struct stt_endpoint *ep, stt_handle session, void *user);

/* -- who is answered -----------------------------------------------------------------------------
 */

int stt_endpoint_allow(struct stt_endpoint *ep, const struct stt_peer_id *peer) STT_MUST_USE;
/* Live sessions of the peer end at their next rekeying; close them if that is too late. */
int stt_endpoint_disallow(struct stt_endpoint *ep, const struct stt_peer_id *peer);

/* Arms a generated code; text gets what people say to each other. */
#define STT_CODE_TEXT_MAX 32
int stt_endpoint_code_new(struct stt_endpoint *ep, stt_ns now, char text[STT_CODE_TEXT_MAX],
                          uint32_t *slot) STT_MUST_USE;
/* Takes 64 MiB for a moment, and a good part of a second; once, when the passphrase is set.
 * STT_E_FORMAT: not 8 to 256 bytes of UTF-8. */
int stt_passphrase_stretch(const char *passphrase, uint8_t stretched[32]) STT_MUST_USE;
/* Arms a stretched passphrase, from stt_passphrase_stretch(); it lives until it is ended. */
int stt_endpoint_passphrase(struct stt_endpoint *ep, stt_ns now,
                            const uint8_t stretched[32]) STT_MUST_USE;
int stt_endpoint_code_end(struct stt_endpoint *ep, uint32_t slot);

/* -- counters ------------------------------------------------------------------------------------
 */

#define STT_DROPS(X)                                                                               \
    X(short_datagram)                                                                              \
    X(unknown_version)                                                                             \
    X(unknown_session)                                                                             \
    X(mode_not_armed)                                                                              \
    X(over_budget)                                                                                 \
    X(bad_mac1)                                                                                    \
    X(bad_mac2)                                                                                    \
    X(replayed_ephemeral)                                                                          \
    X(half_open_full)                                                                              \
    X(not_allowed)                                                                                 \
    X(bad_handshake)                                                                               \
    X(bad_parameters)                                                                              \
    X(no_key)                                                                                      \
    X(bad_tag)                                                                                     \
    X(replayed_packet)                                                                             \
    X(no_memory)                                                                                   \
    X(own_packet)

struct stt_endpoint_stats {
    uint64_t sessions, half_open, pending, streams;
    uint64_t datagrams_received, datagrams_sent, bytes_received, bytes_sent;
    uint64_t handshakes_started, handshakes_answered, handshakes_confirmed, cookies_sent;
#define X(name) uint64_t dropped_##name;
    STT_DROPS(X)
#undef X
};
void stt_endpoint_stats(const struct stt_endpoint *ep, struct stt_endpoint_stats *out);

/* The next event that the endpoint remembers (stt/trace.h); false: there is none yet. A cursor
 * begins at 0, and a step of more than one tells of events that were overwritten before. */
bool stt_endpoint_recorded(struct stt_endpoint *ep, uint64_t *cursor,
                           struct stt_trace_event *event);

#ifdef __cplusplus
}
#endif
#endif
