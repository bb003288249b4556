/* SPDX-License-Identifier: MIT
 * paths: where the peer is, and where it says it is now. Spec 04, "Paths".
 *
 * One path is in use. A packet from elsewhere starts a trial: the new path is used at once, for at
 * most three times the bytes that came from it, and both are challenged; the old one is kept until
 * the new one has answered, and returns if it answers alone.
 *
 *     at[in_use]                 in_use = on_trial             in_use
 *     |  A  |      --TRIAL-->    |  A kept  |  B  |  --MOVED-->     |  B  |
 *                                           \--RETURNED--> |  A  |
 *
 * A path keeps its index, 0 or 1, as long as it is here: whoever keeps something for each path (an
 * estimate, packets in flight) keeps an array of two. TRIAL says that at[on_trial] begins anew,
 * also where a third path has taken the place of one that was tried in vain; after MOVED and
 * RETURNED the other index is empty.
 *
 * A deliberate move is a trial, too, in which the old path stays in use: at[on_trial] begins anew
 * with MOVED. A packet from elsewhere takes its place. */
#ifndef STT_SESSION_PATHS_H
#define STT_SESSION_PATHS_H

#include "stt/address.h"
#include "stt/error.h"
#include "stt/wire/frame.h"

/* How many challenges of a path can still be answered: with fewer, a round trip of many PTO would
 * never fit in between. */
enum { STT_PATH_TOKENS = 4, STT_PATH_NONE = -1 };

struct stt_path_state {
    struct stt_path path;
    uint8_t token[STT_PATH_TOKENS][STT_PATH_TOKEN_BYTES]; /* sent to it in this trial; a ring */
    uint8_t challenges;                                   /* of these that count, at most 4 */
    uint8_t next_token;
    bool owes_challenge, answered;
};

struct stt_paths {
    struct stt_path_state at[2];
    int8_t in_use;   /* 0 or 1 */
    int8_t on_trial; /* 0, 1 or STT_PATH_NONE; the other one is kept */

    /* Of the trial. */
    bool is_move;   /* we want to be there: the other path stays in use until it has answered */
    bool waited;    /* its time is over, and nobody had answered */
    bool is_mute;   /* nobody was asked yet, for nobody may be */
    uint8_t rounds; /* of challenges */
    uint32_t moved; /* of all so far: how many have succeeded */
    stt_ns ends_at, challenge_at;
    uint64_t received_bytes, sent_bytes; /* on the path on trial */

    /* The last failed trials, a ring: while the oldest is fresh, there is no other. */
    stt_ns barred_until[STT_PATH_FAILED_TRIALS_MAX];
    uint8_t next_failure;

    /* The other path was left by us: until the peer follows, its packets come there. */
    bool was_left;
    stt_ns left_at;

    /* The newest challenge of the peer that waits for an answer. */
    bool owes_response;
    struct stt_path response_path;
    uint8_t response_token[STT_PATH_TOKEN_BYTES];
};

enum stt_paths_news {
    STT_PATHS_SAME,
    STT_PATHS_TRIAL,    /* another path is in use, on trial */
    STT_PATHS_MOVED,    /* the trial has succeeded: now the host is told */
    STT_PATHS_RETURNED, /* the trial has failed: the old path is in use */
    STT_PATHS_STAYED,   /* a move of our own has failed: nothing has changed */
};

bool stt_address_equal(const struct stt_address *a, const struct stt_address *b);
bool stt_path_equal(const struct stt_path *a, const struct stt_path *b);

void stt_paths_init(struct stt_paths *p, const struct stt_path *path);

/* Where packets go. */
static inline const struct stt_path *stt_paths_current(const struct stt_paths *p)
{
    return &p->at[p->in_use].path;
}

/* The index of a path, or STT_PATH_NONE. A local address that is not known matches any. */
int stt_paths_which(const struct stt_paths *p, const struct stt_path *path);

/* On trial, and it differs from the kept one in the remote port alone: it is the same way to the
 * same host, and what was learnt about it holds. */
bool stt_paths_is_port_change(const struct stt_paths *p);

/* We want to be somewhere else. STT_E_AGAIN: a trial is under way. */
int stt_paths_move(struct stt_paths *p, stt_ns now, stt_ns pto,
                   const struct stt_path *to) STT_MUST_USE;

/* -- what comes in: packets that opened
 * ------------------------------------------------------------ */

struct stt_paths_packet {
    const struct stt_path *path;
    size_t bytes;      /* of its datagram */
    bool is_highest;   /* of all numbers so far */
    bool moves_path;   /* holds a frame that does */
    bool is_to_new_id; /* of ours: the peer wants to be there, and no copy can say so */
    bool is_mute;      /* nobody may be asked yet (mode W) */
};

/* Every packet that opened; on the path that is in use without a doubt it says nothing new. `pto`
 * is that of the path in use. */
bool stt_paths_is_at_home(const struct stt_paths *p, const struct stt_path *path);
enum stt_paths_news stt_paths_on_packet(struct stt_paths *p, stt_ns now, stt_ns pto,
                                        const struct stt_paths_packet *packet);
void stt_paths_on_challenge(struct stt_paths *p, const struct stt_path *from,
                            const uint8_t token[STT_PATH_TOKEN_BYTES]);
enum stt_paths_news stt_paths_on_response(struct stt_paths *p, stt_ns now,
                                          const struct stt_path *from,
                                          const uint8_t token[STT_PATH_TOKEN_BYTES]) STT_MUST_USE;

/* -- what goes out
 * --------------------------------------------------------------------------------- */

/* How many bytes may go to the path in use now. */
uint64_t stt_paths_allowance(const struct stt_paths *p);
/* Every packet that was sealed. */
void stt_paths_on_sent(struct stt_paths *p, const struct stt_path *path, size_t bytes);

/* A packet that paths wants sent. It holds nothing but this, and PADDING: an ACK beside it would
 * move the path of the receiver. */
struct stt_paths_say {
    struct stt_path path;
    bool challenge; /* with 8 fresh random bytes */
    bool response;  /* with response_token */
    bool pads;      /* to 1,200 bytes */
    uint8_t response_token[STT_PATH_TOKEN_BYTES];
};
/* Either frame, or both, and nothing else: 29 and twice 9 bytes. */
enum { STT_PATHS_SAY_BYTES_MAX = 47 };

/* The next one; false when there is nothing to say, or not enough has come for it. */
bool stt_paths_next(const struct stt_paths *p, struct stt_paths_say *say);
/* It was sealed; `token` is that of its challenge. */
void stt_paths_on_said(struct stt_paths *p, const struct stt_paths_say *say,
                       const uint8_t token[STT_PATH_TOKEN_BYTES]);

/* -- time
 * ------------------------------------------------------------------------------------------- */

stt_ns stt_paths_deadline(const struct stt_paths *p);
/* Early or twice does no harm. */
enum stt_paths_news stt_paths_expire(struct stt_paths *p, stt_ns now, stt_ns pto);

#endif
