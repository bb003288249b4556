/* SPDX-License-Identifier: MIT
 * session_ids: the ids by which a session is found, ours and the peer's. Spec 04, "Session ids".
 *
 * Ours: we draw and issue them, the peer retires them; a retired one names the session for a while.
 * The peer's: it issues them, we use one at a time and retire what it asks us to.
 *
 *     ours          free -> live -> retired, lingers -> free        a new one takes a free place
 *     the peer's    free -> live -> retired, until acked -> free */
#ifndef STT_SESSION_SESSION_IDS_H
#define STT_SESSION_SESSION_IDS_H

#include "stt/session/budget.h"
#include "stt/wire/frame.h"

/* Places for each side: ours, as many as a peer may allow; the peer's, as many retired ones as live
 * ones, since it hears of retirement a round trip before we hear that it did. */
enum { STT_SESSION_IDS_MAX = STT_IDS_MAX };

struct stt_own_id {
    struct stt_id id;
    uint64_t sequence;
    stt_ns ends_at; /* STT_NEVER: live; else retired, and forgotten then */
    bool used;      /* the place is taken */
};

struct stt_peer_issued_id {
    struct stt_id id;
    uint64_t sequence;
    bool used;    /* the place is taken */
    bool retired; /* RETIRE_ID is owed or out */
};

struct stt_session_ids {
    struct stt_own_id own[STT_SESSION_IDS_MAX];
    struct stt_peer_issued_id peer[STT_SESSION_IDS_MAX];
    uint64_t next_sequence; /* of ours */
    uint64_t retire_before; /* what the peer asked for */
    uint64_t peer_next;     /* one above the peer's highest sequence so far */
    uint64_t peer_known; /* bit i: peer_next - 1 - i was issued; below all that, everything was */
    struct stt_budget issued, retired; /* by the peer */
    uint8_t current;                   /* place of the peer's id in use */
    int8_t moving;                     /* of the one for a path on trial, or -1: the same */
    uint8_t own_max; /* how many of ours may live: the peer's max_ids, 1 until it is known */
};

/* The two ids of the handshake have sequence 0. */
void stt_session_ids_init(struct stt_session_ids *ids, struct stt_id own, struct stt_id peer);

/* Where packets go to. */
static inline const struct stt_id *stt_session_ids_current(const struct stt_session_ids *ids)
{
    return &ids->peer[ids->current].id;
}

/* -- ours ----------------------------------------------------------------------------------------
 */

/* The place of the id with these bytes; `likely` is looked at first. */
uint8_t stt_session_ids_own(const struct stt_session_ids *ids, uint8_t likely,
                            const uint8_t bytes[STT_ID_BYTES]);
/* A free place for a new id of ours while fewer than own_max live, or -1. */
int stt_session_ids_vacancy(const struct stt_session_ids *ids);
/* Puts an id there and gives it the next sequence; NEW_ID of the place is owed. */
void stt_session_ids_issue(struct stt_session_ids *ids, int place, struct stt_id id);
/* What NEW_ID of the place says; false when there is nothing to say any more. */
bool stt_session_ids_new(const struct stt_session_ids *ids, int place, struct frame_new_id *f);
/* RETIRE_ID from the peer; the id lives `linger_ns` longer. NO_ERROR, or the close code. */
uint64_t stt_session_ids_on_retire(struct stt_session_ids *ids, stt_ns now, stt_ns linger_ns,
                                   uint64_t sequence);
/* One retired id whose time has come is forgotten, and answered; false when there is none. */
bool stt_session_ids_forget(struct stt_session_ids *ids, stt_ns now, struct stt_id *id);
/* When the first one is to be forgotten. */
stt_ns stt_session_ids_deadline(const struct stt_session_ids *ids);

/* -- the peer's ----------------------------------------------------------------------------------
 */

/* NEW_ID. NO_ERROR, or the close code; `retire` gets a bit for each place whose RETIRE_ID is owed
 * now. The id in use may be another one then. */
uint64_t stt_session_ids_on_new(struct stt_session_ids *ids, stt_ns now,
                                const struct frame_new_id *f, uint32_t *retire);
/* Uses an id that was never used, and answers the place of the old one, whose RETIRE_ID is owed;
 * -1, and nothing changes, when there is no spare one. */
int stt_session_ids_change(struct stt_session_ids *ids);
/* Sets an id that was never used aside for another path; a bit for the place of the one that was
 * set aside before, whose RETIRE_ID is owed. False: there is no spare one, and the one in use
 * serves there, too. */
bool stt_session_ids_set_aside(struct stt_session_ids *ids, uint32_t *retire);
/* The other path is the one in use now, or never will be: a bit for the id that goes. */
uint32_t stt_session_ids_adopt(struct stt_session_ids *ids);
uint32_t stt_session_ids_abandon(struct stt_session_ids *ids);
/* For packets on the other path. */
static inline const struct stt_id *stt_session_ids_elsewhere(const struct stt_session_ids *ids)
{
    return &ids->peer[ids->moving < 0 ? ids->current : ids->moving].id;
}
/* What RETIRE_ID of the place says; false when there is nothing to say any more. */
bool stt_session_ids_retire(const struct stt_session_ids *ids, int place,
                            struct frame_retire_id *f);
/* RETIRE_ID of a place was acknowledged. */
void stt_session_ids_on_retire_acked(struct stt_session_ids *ids, int place);

#endif
