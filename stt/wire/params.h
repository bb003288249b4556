/* SPDX-License-Identifier: MIT
 * params: the handshake parameters, which are the payloads of handshake messages.
 *
 *     | id | length | value .. | id | length | value .. | ...        ids strictly ascending
 *
 * A struct of all of them with a bit for each that is present; what is absent has its default.
 * Byte strings borrow from the payload. Spec 02, "Handshake parameters". */
#ifndef STT_WIRE_PARAMS_H
#define STT_WIRE_PARAMS_H

#include "stt/types.h"
#include "stt/wire/limits.h"
#include "stt/wire/varint.h"

/* Mode and number: which parameters a message must and may hold depends on both. */
enum stt_message {
    STT_MESSAGE_K1,
    STT_MESSAGE_K2,
    STT_MESSAGE_S1,
    STT_MESSAGE_S2,
    STT_MESSAGE_S3,
    STT_MESSAGE_W1,
    STT_MESSAGE_W2,
    STT_MESSAGE_W3,
    STT_MESSAGE_Q1,
    STT_MESSAGE_Q2,
};

/* In the order of their ids. */
enum stt_param {
    STT_PARAM_PEER_ID,
    STT_PARAM_CLEAR_FIELDS,
    STT_PARAM_CPACE_SHARE,
    STT_PARAM_SLOT,
    STT_PARAM_SUITES,
    STT_PARAM_SUITE,
    STT_PARAM_APPLICATION,
    STT_PARAM_IDLE_TIMEOUT_MS,
    STT_PARAM_MAX_DATA,
    STT_PARAM_MAX_STREAM_DATA,
    STT_PARAM_MAX_STREAMS,
    STT_PARAM_MAX_DATAGRAM_BYTES,
    STT_PARAM_MAX_PACKET_BYTES,
    STT_PARAM_MAX_ACK_DELAY_US,
    STT_PARAM_MAX_IDS,
    STT_PARAM_EXCLUSIVE,
    STT_PARAM_EXTENSIONS,
    STT_PARAM_DHT,
    STT_PARAM_COUNT,
};

struct stt_params {
    uint32_t present; /* bit n: enum stt_param n */
    struct bytes peer_id;
    struct bytes clear_fields;
    struct bytes cpace_share;
    uint64_t slot;
    struct bytes suites;
    uint64_t suite;
    struct bytes application;
    uint64_t idle_timeout_ms;
    uint64_t max_data;
    uint64_t max_stream_data;
    uint64_t max_streams;
    uint64_t max_datagram_bytes;
    uint64_t max_packet_bytes;
    uint64_t max_ack_delay_us;
    uint64_t max_ids;
    struct bytes exclusive;  /* empty: being present is what it says */
    struct bytes extensions; /* encoded: stt_params_has_extension */
    struct bytes dht;
};

/* What a value is, and what its limits count. */
enum stt_param_kind {
    STT_KIND_INTEGER, /* one varint; its value */
    STT_KIND_BYTE,    /* one byte; its value */
    STT_KIND_BYTES,   /* bytes */
    STT_KIND_CLEAR,   /* the clear bytes of the message, so many bytes */
    STT_KIND_SUITES,  /* bytes, no two the same */
    STT_KIND_TEXT,    /* bytes of 0x21 to 0x7e */
    STT_KIND_EMPTY,   /* bytes, none */
    STT_KIND_TYPES,   /* extension frame types, ascending */
};

/* A row of the spec's table. */
struct stt_param_rule {
    const char *name;
    uint16_t id;
    uint8_t kind;
    uint16_t must, may; /* bit n: enum stt_message n */
    uint16_t field;     /* where in struct stt_params: a uint64_t or a struct bytes, by kind */
    uint64_t initial;   /* the default of an integer */
    uint64_t min, max;
};

extern const struct stt_param_rule stt_param_rules[STT_PARAM_COUNT];

/* Nothing is present, and everything has its default. */
void stt_params_init(struct stt_params *p);

/* Both are false for a parameter that is missing, misplaced or out of its limits. Whether points
 * are on their curves, clear fields are as sent, and a suite was offered, is for others to say. */
bool stt_params_decode(struct bytes payload, enum stt_message message,
                       struct stt_params *p) STT_MUST_USE;
/* Writes what is present; all or nothing. */
bool stt_params_encode(struct wr *w, enum stt_message message,
                       const struct stt_params *p) STT_MUST_USE;

static inline bool stt_params_has(const struct stt_params *p, enum stt_param which)
{
    return p->present >> which & 1;
}

static inline void stt_params_set(struct stt_params *p, enum stt_param which)
{
    p->present |= UINT32_C(1) << which;
}

bool stt_params_has_extension(const struct stt_params *p, uint64_t type);

#endif
