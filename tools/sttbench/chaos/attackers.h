/* SPDX-License-Identifier: MIT
 * attackers: those who stand beside a link and see what passes: they replay, forge, copy from
 * elsewhere, reflect, hold back; and those who shout from afar. */
#ifndef TOOLS_STTBENCH_CHAOS_ATTACKERS_H
#define TOOLS_STTBENCH_CHAOS_ATTACKERS_H

#include "tools/sttbench/chaos/chaos.h"

enum { ATTACKER_KEEPS = 16, ATTACKER_BYTES_MAX = 1500, ATTACKER_IDS = 32 };

/* A session id, and when it was first seen. */
struct attacker_id {
    uint8_t bytes[8];
    stt_ns since;
};

/* A datagram that was overheard. */
struct attacker_copy {
    struct stt_address from, to;
    uint8_t ecn;
    size_t len;
    uint8_t data[ATTACKER_BYTES_MAX];
};

struct attacker {
    struct chaos *chaos;
    uint32_t replay_percent, old_percent, forge_percent, spoof_percent, reflect_percent,
        hold_percent;
    bool is_lasting; /* also when it is calm; but whoever is always faster holds a session elsewhere
                      */
    struct attacker_copy kept[ATTACKER_KEEPS];
    size_t n_kept;
    struct attacker_id ids[ATTACKER_IDS];
    size_t n_ids;
};

/* One for each direction of the way of a client; NULL where the scenario has none. */
struct attacker *attacker_new(struct chaos *c, stt_sim_link link);

struct attackers_flood {
    struct chaos *chaos;
    struct stt_address to;
    const struct attacker *ears; /* NULL: it has not heard anything */
    uint64_t n_max;
};
/* From now on for a while. */
void attackers_flood(struct attackers_flood *f, stt_ns until);

/* Somebody who knows the server's id, or its seed, begins a handshake and is never seen again. */
void attackers_visit(struct chaos *c);

#endif
