/* SPDX-License-Identifier: MIT
 * post: a node with the settings and the credentials that the flags ask for, and its loop. */
#ifndef TOOLS_STTBENCH_TRANSFER_POST_H
#define TOOLS_STTBENCH_TRANSFER_POST_H

#include "tools/common/loop.h"
#include "tools/sttbench/transfer/flags.h"

enum { POST_GUESTS_MAX = 64, POST_SESSIONS_MAX = TALK_LANES_MAX + 1 + POST_GUESTS_MAX };

struct post {
    const struct flags *flags;
    struct stt_node *node;
    struct loop loop;
    bool has_seed; /* one of its own, not what everybody knows */
    char peer_id[STT_PEER_ID_TEXT_ROOM];
    char to[FLAGS_PLACE_ROOM + 80]; /* where the server is, of the wanted family */
    struct stt_connect connect;
};

/* All answer DONE, or what to exit with and `why`. */
enum exits post_open(struct post *h, const struct flags *flags, char why[OPTION_WHY_ROOM]);
enum exits post_listen(struct post *h, char why[OPTION_WHY_ROOM]);
enum exits post_connect(struct post *h, void *user, char why[OPTION_WHY_ROOM]);
void post_close(struct post *h);

/* One sentence: what was proven by the handshake. */
const char *post_proof(const struct post *h);
/* "peer", "seed" or "nobody" */
const char *post_authenticated(const struct post *h);

/* For events that end a session: what to exit with, and why. */
enum exits post_reason(const struct post *h, const struct stt_event *event,
                       char why[OPTION_WHY_ROOM]);
void post_hang_up(struct post *h, stt_handle session, enum talk_code code, const char *text);

#endif
