/* SPDX-License-Identifier: MIT
 * crews: a crew of workers that echo, and clients in the test's thread, each with a node and many
 * sessions of its own.
 *
 *     if (!crews_begin(&s, &(struct crews_wishes){.io = io, .workers = 4})) skip
 *     clients_begin(&c, &s, 4, 16);
 *     clients_connect(&c, NULL); ...
 *     ck_assert(clients_until(&c, clients_have_echo, STT_S(60)));
 *     clients_end(&c);
 *     crews_end(&s);                        s.of[worker] says what each has done
 *
 * Nothing sleeps: workers wait in their nodes, the clients for their descriptors. */
#ifndef TESTS_SUPPORT_CREWS_H
#define TESTS_SUPPORT_CREWS_H

#include "stt/node/crew.h"
#include "stt/streams.h"

enum { CREWS_WORKERS = 4, CREWS_CLIENTS = 4, CREWS_TALKS = 16, CREWS_EVENT_TYPES = 32 };

/* -- the crew ------------------------------------------------------------------------------------
 */

struct crews_wishes {
    enum stt_io io;
    uint32_t workers;
    const char *at;    /* NULL: "127.0.0.1:0" */
    bool is_unsteered; /* the kernel spreads by addresses */
    uint32_t quits;    /* bits of workers that listen and return */
    void (*configure)(struct stt_node_config *config);
};

struct crews {
    struct stt_crew *crew;
    struct stt_node_config config;
    struct crews_wishes wishes;

    pthread_mutex_t lock; /* of all below, until the end */
    pthread_cond_t changed;
    bool is_open;
    uint32_t listening, over; /* how many of them */
    struct stt_address at;
    char at_text[STT_ADDRESS_TEXT_ROOM];
    struct crews_worker {
        uint64_t events[CREWS_EVENT_TYPES];
        uint64_t misplaced; /* sessions whose ids say another worker */
        uint64_t posts, echoed;
        uint64_t handed_over, taken_over, handover_dropped;
        struct stt_endpoint_stats stats;
        enum stt_reason latest_reason; /* of a code */
    } of[CREWS_WORKERS];
};

/* False: this machine has no such driver. All listen, at one address. */
bool crews_begin(struct crews *s, const struct crews_wishes *wishes);
/* Stops and joins them, and checks that what was handed over was taken. */
void crews_end(struct crews *s);
/* Until so many workers have returned. */
void crews_await_over(struct crews *s, uint32_t n);

uint64_t crews_events(const struct crews *s,
                      enum stt_event_type type); /* of all; when it is over */

/* -- clients -------------------------------------------------------------------------------------
 */

struct talk {
    stt_handle session, stream;
    uint64_t to_write, written, read;
    bool is_connected, has_finished, has_read_all, is_closed;
    enum stt_reason reason;
};

struct client {
    struct stt_node *node;
    struct stt_node_config config;
    struct talk talks[CREWS_TALKS];
};

struct clients {
    struct crews *server;
    uint32_t n, talks; /* clients, and sessions of each */
    struct client of[CREWS_CLIENTS];
    int also[2]; /* descriptors that a turn waits for, too */
    uint32_t n_also;
};

void clients_begin(struct clients *c, struct crews *s, uint32_t n, uint32_t talks);
void clients_end(struct clients *c);
/* Begins one session; `to` NULL: where the crew is. `code` NULL: mode K. */
void client_connect(struct clients *c, struct client *client, struct talk *talk, const char *to,
                    const char *code);
/* Begins all sessions, which say so many bytes when they are connected. */
void clients_connect(struct clients *c, uint64_t bytes);

/* Opens its stream and says so many bytes. */
void client_say(struct client *client, struct talk *talk, uint64_t bytes);

/* One turn of all; then it waits, unless somebody has something to do, at most so long. */
void clients_turn(struct clients *c, int wait_ms);
bool clients_until(struct clients *c, bool (*reached)(const struct clients *c), stt_ns within_ns);
bool clients_are_connected(const struct clients *c);
bool clients_have_echo(const struct clients *c);
bool clients_are_closed(const struct clients *c);

#endif
