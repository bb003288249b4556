/* SPDX-License-Identifier: MIT
 * letters: the datagrams of one side of a session: each says its number, arrives whole and once at
 * most, and its fate is told once. */
#ifndef TOOLS_STTBENCH_CHAOS_LETTERS_H
#define TOOLS_STTBENCH_CHAOS_LETTERS_H

#include "stt/datagrams.h"

struct talk;

struct letters {
    uint64_t sent, sent_empty, read_empty;
    uint8_t *what; /* of each one sent: bits */
    bool wants_fates;
    uint64_t acked;
};

void letters_free(struct letters *l);
void letters_act(struct talk *t);
void letters_read(struct talk *t);
void letters_take_fates(struct talk *t);

#endif
