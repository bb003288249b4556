/* SPDX-License-Identifier: MIT
 * wire: the messages of sttcat/1 as bytes and back (spec 10, "Jobs" and "Files"). Borrows what it
 * decodes.
 */
#ifndef TOOLS_STTCAT_WIRE_H
#define TOOLS_STTCAT_WIRE_H

#include "stt/base/bytes.h"
#include "stt/types.h"

enum {
    WIRE_MESSAGE_MAX = 8192,
    WIRE_NAME_MAX = 4095,
    WIRE_LANES_MAX = 64,
    WIRE_UNSETTLED_MAX = 1024,
    WIRE_TEXT_MAX = 512, /* of SETTLED, and of a refused connection */
};

enum wire_job { JOB_PIPE = 1, JOB_FILES, JOB_FORWARD };
enum wire_flags { WIRE_GIVES = 1, WIRE_TAKES = 2, WIRE_DURABLE = 4 };
enum wire_type {
    WIRE_HELLO = 1,
    WIRE_END,
    WIRE_RECEIPT,
    WIRE_ENTRY,
    WIRE_LIST_END,
    WIRE_WANT,
    WIRE_HAVE,
    WIRE_SAME,
    WIRE_SETTLED,
    WIRE_DONE,
};
enum wire_kind { ENTRY_FILE = 1, ENTRY_DIRECTORY, ENTRY_LINK, ENTRY_DIRECTORY_END };
enum wire_outcome {
    OUTCOME_DONE,
    OUTCOME_EXISTS,
    OUTCOME_CONFINED,
    OUTCOME_OUTPUT,
    OUTCOME_INTEGRITY,
    OUTCOME_INPUT,
    OUTCOME_BUSY,
    OUTCOME_COUNT,
};
enum wire_code {
    CODE_DONE,
    CODE_REFUSED,
    CODE_BUSY,
    CODE_INTERRUPTED,
    CODE_OUTPUT,
    CODE_CLOSED,
    CODE_INTEGRITY,
    CODE_TIMEOUT,
    CODE_PROTOCOL,
    CODE_INPUT,
    CODE_COMMAND,
    CODE_PARTIAL,
    CODE_COUNT,
};

struct wire_hash {
    uint8_t bytes[16];
};

/* One message; which fields it has, its type says. */
struct wire_message {
    enum wire_type type;
    uint8_t job, flags, lanes; /* HELLO */
    uint64_t bytes;            /* END, RECEIPT; ENTRY and HAVE: size; WANT: offset; LIST_END */
    struct wire_hash hash;     /* END, RECEIPT, WANT, HAVE */
    uint64_t index;            /* ENTRY, WANT, HAVE, SAME, SETTLED */
    uint8_t kind;              /* ENTRY */
    uint16_t mode;
    int64_t modified_ns;
    struct bytes name, target;
    bool is_same;    /* SAME */
    uint8_t outcome; /* SETTLED */
    struct bytes text;
};

/* 0: it does not fit. */
size_t wire_encode(const struct wire_message *m, uint8_t *out, size_t room);
/* False: a message that cannot be: unknown type, a value outside of its table, a name that breaks
 * its rules, bytes left over. */
bool wire_decode(struct wire_message *m, struct bytes from);

/* Whether it is a path that ENTRY may name. */
bool wire_name_is_valid(struct bytes name);

#endif
