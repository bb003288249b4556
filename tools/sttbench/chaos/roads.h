/* SPDX-License-Identifier: MIT
 * roads: the ways between one client and the server: home, a second address, a byte stream; with
 * all that can be wrong with them while the storm lasts. */
#ifndef TOOLS_STTBENCH_CHAOS_ROADS_H
#define TOOLS_STTBENCH_CHAOS_ROADS_H

#include "tools/sttbench/chaos/chaos.h"

struct road {
    bool exists;
    stt_sim_link forth, back;
    struct stt_path path; /* as the client names it */
};

/* The shared link of all homes, if there is one. */
struct trunk {
    bool exists;
    stt_sim_link up, down;
};

struct roads {
    struct host *client, *server;
    const struct trunk *trunk;
    struct road home, elsewhere, stream;
    bool has_nat;
    stt_sim_nat nat;
    struct stt_address outside; /* where it is seen, on the way home */
    uint32_t moves;             /* of the home address */
};

/* Whatever the scenario has; both nodes are there. */
void roads_build(struct roads *r, struct host *client, struct host *server,
                 const struct trunk *trunk);
void roads_build_trunk(struct chaos *c, struct trunk *t);

/* Other faults on its links from now on. */
void roads_change(struct roads *r);
void roads_black_out(struct roads *r, stt_ns until);
/* The client has another address at home, without asking anybody. */
void roads_move_home(struct roads *r);
/* The storm is over. */
void roads_calm(struct roads *r);
void trunk_calm(struct chaos *c, const struct trunk *t);

/* The client's endpoint hears of the byte stream, and the server's. */
void roads_tell_carrier(struct roads *r, bool client);
/* Where to move to; false: nowhere. */
bool roads_pick(struct roads *r, struct stt_path *to);

/* The rate of the slowest link; a round trip when nothing waits; and how long the queues take that
 * are full, there and back. */
uint64_t roads_rate(const struct roads *r);
stt_ns roads_round_trip(const struct roads *r);
stt_ns roads_queue(const struct roads *r);
void roads_count(const struct roads *r);

#endif
