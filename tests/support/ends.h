/* SPDX-License-Identifier: MIT
 * ends: drivers with a socket each, on loopback, and datagrams between them that are known to the
 * byte. A driver keeps the order of what goes by one socket, so what comes is compared with what
 * was sent, datagram by datagram. */
#ifndef TESTS_SUPPORT_ENDS_H
#define TESTS_SUPPORT_ENDS_H

#include "tests/support/udp.h"
#include "transport/driver.h"

/* LOOP(..., 0, DRIVERS): a suite runs for each. */
enum { DRIVERS = 2 };

/* NULL: not here, because the kernel does not allow it. */
struct stt_driver *driver_new(int which, const struct stt_driver_config *config);
/* What the constructor says. */
int driver_try(int which, struct stt_driver **out, const struct stt_driver_config *config);

struct end {
    struct stt_driver *d;
    uint32_t number; /* of its socket */
    struct stt_socket socket;
};

/* False as driver_new. */
bool end_open(struct end *e, int which, const char *ip, const struct stt_driver_config *config);
void end_free(struct end *e);

/* What is on its way from one end to another. */
enum { FLOW_DATAGRAMS = 1 << 14 };
struct flow {
    uint32_t sent, received; /* datagrams */
    uint32_t trains;         /* received */
    uint16_t lens[FLOW_DATAGRAMS];
    struct stt_driver_train last; /* that came */
};

/* Of `len` bytes; there must be room. `local` without port: the system's choice. */
void flow_send(struct flow *f, struct end *from, const struct stt_driver_train *train);
/* As flow_send, but it will not arrive. */
void flow_waste(struct end *from, const struct stt_driver_train *train);
/* Steps once, and takes what came. Answers the number of trains. */
uint32_t flow_step(struct flow *f, struct end *to, bool wait);
/* Takes what came, without a step. */
uint32_t flow_take(struct flow *f, struct end *to);
/* Until all is there. The other end steps, too, and receives nothing. */
void flow_finish(struct flow *f, struct end *from, struct end *to);

struct stt_driver_train train_of(size_t len, size_t segment_bytes, struct stt_address remote);
struct stt_driver_stats stats_of(const struct end *e);

/* CLOCK_BOOTTIME, as alarms. */
stt_ns boot_ns(void);

#endif
