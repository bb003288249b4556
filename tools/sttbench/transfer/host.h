/* SPDX-License-Identifier: MIT
 * host: a node with the settings and the credentials that the flags ask for, and its loop. */
#ifndef TOOLS_STTBENCH_TRANSFER_HOST_H
#define TOOLS_STTBENCH_TRANSFER_HOST_H

#include "tools/common/loop.h"
#include "tools/sttbench/transfer/flags.h"

enum { HOST_GUESTS_MAX = 64, HOST_SESSIONS_MAX = TALK_LANES_MAX + 1 + HOST_GUESTS_MAX };

struct host {
    const struct flags *flags;
    struct stt_node *node;
    struct loop loop;
    bool has_seed; /* one of its own, not what everybody knows */
    char peer_id[STT_PEER_ID_TEXT_ROOM];
    char to[FLAGS_PLACE_ROOM + 80]; /* where the server is, of the wanted family */
    struct stt_connect connect;
};

/* All answer DONE, or what to exit with and `why`. */
enum exits host_open(struct host *h, const struct flags *flags, char why[OPTION_WHY_ROOM]);
enum exits host_listen(struct host *h, char why[OPTION_WHY_ROOM]);
enum exits host_connect(struct host *h, void *user, char why[OPTION_WHY_ROOM]);
void host_close(struct host *h);

/* One sentence: what was proven by the handshake. */
const char *host_proof(const struct host *h);
/* "peer", "seed" or "nobody" */
const char *host_authenticated(const struct host *h);

/* For events that end a session: what to exit with, and why. */
enum exits host_reason(const struct host *h, const struct stt_event *event,
                       char why[OPTION_WHY_ROOM]);
void host_hang_up(struct host *h, stt_handle session, enum talk_code code, const char *text);

#endif
