/* SPDX-License-Identifier: MIT
 * outbox: trains on their way into the kernel, in order for each socket, and what it refused.
 *
 *     free --room()--> filled --put()--> queued by its socket --flush()--> free
 *
 * A socket that the kernel holds back keeps its queue, until it is writable or a millisecond later;
 * the others go on. */
#ifndef STT_TRANSPORT_OUTBOX_H
#define STT_TRANSPORT_OUTBOX_H

#include "transport/control.h"

enum {
    STT_OUTBOX_TRAINS_MAX = 256,
    STT_OUTBOX_TRAIN_BYTES = 65536,
    STT_OUTBOX_REFUSALS = 16, /* kept until they are asked for */
    STT_OUTBOX_TRIES = 10,    /* of a train, where the kernel is short of memory ... */
    STT_OUTBOX_NONE = UINT16_MAX,
};
#define STT_OUTBOX_PAUSE_NS STT_MS(1) /* ... so long apart */

enum stt_outlet_hold {
    STT_OUTLET_OPEN,
    STT_OUTLET_WRITABLE, /* waits until it is */
    STT_OUTLET_TIME,     /* waits until then */
};

/* A socket, and what goes by it. */
struct stt_outlet {
    struct stt_socket socket;
    uint16_t first, last; /* STT_OUTBOX_NONE: nothing */
    bool is_stalled;      /* EAGAIN was the last that it said */
    enum stt_outlet_hold hold;
    stt_ns until;
};

struct stt_outbox_train {
    struct stt_driver_train train;
    size_t sent; /* of it, where it goes datagram by datagram */
    uint16_t next;
    uint8_t tries;
    bool is_split, is_repeated;
};

struct stt_outbox {
    uint8_t *memory;
    uint32_t n;
    uint16_t free, filled; /* the filled one was given out by room() */
    uint8_t dscp;
    bool is_wanted; /* room() said no, and nothing has ended since */
    struct stt_driver_faults faults;
    struct stt_driver_stats *stats;
    uint32_t first_refusal, refusals;
    struct stt_driver_refusal refused[STT_OUTBOX_REFUSALS];
    struct mmsghdr pieces[STT_DRIVER_SEGMENTS_MAX];
    struct iovec iovecs[STT_DRIVER_SEGMENTS_MAX];
    struct stt_outbox_train trains[STT_OUTBOX_TRAINS_MAX];
};

/* The memory is the caller's: config->send_buffers * STT_OUTBOX_TRAIN_BYTES. */
void stt_outbox_init(struct stt_outbox *o, const struct stt_driver_config *config, uint8_t *memory,
                     struct stt_driver_stats *stats);
void stt_outlet_init(struct stt_outlet *out, const struct stt_socket *socket);

uint8_t *stt_outbox_room(struct stt_outbox *o);
void stt_outbox_put(struct stt_outbox *o, struct stt_outlet *out,
                    const struct stt_driver_train *train);
/* As much as goes, unless the outlet is held; it may be afterwards. */
void stt_outbox_flush(struct stt_outbox *o, struct stt_outlet *out);
/* What is queued there is forgotten, and so are refusals by that number. */
void stt_outbox_drop(struct stt_outbox *o, struct stt_outlet *out, uint32_t number);

/* The filled room goes nowhere. */
void stt_outbox_refuse_filled(struct stt_outbox *o, const struct stt_driver_train *train,
                              int error);
bool stt_outbox_refused(struct stt_outbox *o, struct stt_driver_refusal *refusal);

#endif
