/* SPDX-License-Identifier: MIT
 * wan: a bad way to a server on loopback. A thread passes datagrams on between whoever sends to it,
 * one client, and the server, and does to them what networks do.
 *
 *     client ---> wan_address()  [ queue, rate, delay, bad luck ]  a port of its own ---> server
 *
 * Each byte of the header that marks stand in is kept, but for what is marked here. */
#ifndef TESTS_SUPPORT_WAN_H
#define TESTS_SUPPORT_WAN_H

#include "stt/address.h"

/* Each way. */
struct wan_config {
    uint64_t rate_bits_per_s; /* 0: at once */
    uint32_t queue_bytes;     /* what the rate makes wait */
    stt_ns delay_ns;
    stt_ns late_ns; /* how much more it is for the reordered */
    unsigned lost, doubled, reordered, corrupted, marked; /* of 1,000 datagrams */
};

struct wan_way {
    uint64_t datagrams, lost, doubled, reordered, corrupted, marked;
    uint64_t ecn[4]; /* datagrams that came with this mark */
    uint8_t dscp;    /* of the last that came */
};

/* What was seen, each way; complete after wan_end(). */
struct wan_seen {
    struct wan_way forth, back;
    unsigned rebinds;
};

struct wan;
struct wan *wan_begin(const struct wan_config *config, const struct stt_address *server,
                      uint64_t seed);
void wan_end(struct wan *w, struct wan_seen *seen);

/* Where clients connect to. */
struct stt_address wan_address(const struct wan *w);

/* From now on the server hears from another port, and nothing comes through by the old one. */
void wan_rebind(struct wan *w);
/* Nothing comes through. */
void wan_set_dark(struct wan *w, bool is_dark);

#endif
