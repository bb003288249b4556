/* SPDX-License-Identifier: MIT
 * duo: two endpoints and nothing between them: the test carries trains from one to the other, or
 * does not, and says what time it is.
 *
 *     struct duo d;
 *     duo_init(&d, 1);                      configured; d.server.config and .te take changes
 *     duo_start(&d);
 *     duo_connect(&d, STT_MODE_K);
 *     duo_run_for(&d, STT_S(60));
 *     duo_end(&d);
 *
 * What no endpoint may do (transmit or expire without end, leak) stops the program. */
#ifndef TESTS_SUPPORT_DUO_H
#define TESTS_SUPPORT_DUO_H

#include "stt/endpoint.h"
#include "tests/support/env.h"

enum { DUO_EVENT_TYPES = 16, DUO_ROOM = STT_TRAIN_BYTES };

struct duo_side {
    struct stt_endpoint *ep; /* NULL: not running */
    struct test_env te;
    struct stt_config config;
    struct stt_address address;

    stt_handle session;                       /* the latest that it began or accepted */
    uint64_t events[DUO_EVENT_TYPES];         /* how many of each type ... */
    struct stt_event latest[DUO_EVENT_TYPES]; /* ... and the latest */
    uint64_t trains, bytes, astray;           /* sent; those that were not for the other side */
};

/* Must not move. */
struct duo {
    struct duo_side client, server;
    stt_ns now;
    stt_ns latency_ns; /* that each train takes, either way; the sender waits for it */
    char code[STT_CODE_TEXT_MAX];
};

void duo_init(struct duo *d, uint64_t seed);
void duo_start(struct duo *d);
int duo_side_start(struct duo *d, struct duo_side *side) STT_MUST_USE;
/* Frees what runs, and checks that nothing is left. */
void duo_end(struct duo *d);

struct duo_side *duo_other(struct duo *d, const struct duo_side *side);

/* Begins a connect of the client's; W arms a code. */
int duo_begin(struct duo *d, enum stt_mode mode) STT_MUST_USE;
/* And carries on until both sides say that it is done; otherwise stops the program. */
void duo_connect(struct duo *d, enum stt_mode mode);

/* The next train of a side, in the caller's DUO_ROOM bytes; false: it has nothing to say. */
bool duo_transmit(struct duo *d, struct duo_side *from, uint8_t *room, struct stt_train *train);
/* A copy of it arrives at the other side, from this address (NULL: where `from` is). */
void duo_deliver(struct duo *d, struct duo_side *to, const struct stt_address *from,
                 const struct stt_train *train);
/* One datagram. */
void duo_deliver_bytes(struct duo *d, struct duo_side *to, const struct stt_address *from,
                       const void *data, size_t len);
/* The next train arrives at the other side, or, false, there is none. */
bool duo_carry(struct duo *d, struct duo_side *from);
void duo_pull(struct duo_side *side);
/* Until both are silent; time stands still. */
void duo_exchange(struct duo *d);
/* What a side says goes nowhere. */
void duo_swallow(struct duo *d, struct duo_side *from);

void duo_run_for(struct duo *d, stt_ns ns);
/* The same, and nothing arrives anywhere. */
void duo_run_apart(struct duo *d, stt_ns ns);

struct stt_session_info duo_info(const struct duo_side *side);
struct stt_endpoint_stats duo_stats(const struct duo_side *side);

#endif
