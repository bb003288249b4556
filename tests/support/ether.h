/* SPDX-License-Identifier: MIT
 * ether: the datagrams between the two sides of a duo, in the order in which they were sent, until
 * somebody decides what becomes of each. */
#ifndef TESTS_SUPPORT_ETHER_H
#define TESTS_SUPPORT_ETHER_H

#include "tests/support/duo.h"

enum { ETHER_DATAGRAM_MAX = 1500, ETHER_DATAGRAMS_MAX = 2048 };

struct ether_datagram {
    uint16_t len;
    uint8_t from; /* side */
    uint8_t data[ETHER_DATAGRAM_MAX];
};

/* All zero: empty. */
struct ether {
    size_t n;
    uint16_t order[ETHER_DATAGRAMS_MAX]; /* places plus one; behind the n in use, free ones or 0 */
    struct ether_datagram at[ETHER_DATAGRAMS_MAX];
    bool is_mute[2]; /* this side's host does not call transmit */
    size_t room;     /* of each transmit */
};

/* All that a side has to say; what finds no place is lost. */
void ether_collect(struct ether *e, struct duo *d, unsigned s);
void ether_put(struct ether *e, unsigned s, const void *data, size_t len);

/* Up to n of the oldest datagrams from this side arrive, in trains. */
void ether_deliver(struct ether *e, struct duo *d, unsigned s, size_t n);
/* Any one, out of order. */
void ether_deliver_one(struct ether *e, struct duo *d, size_t which);
void ether_drop(struct ether *e, unsigned s, size_t n);
void ether_drop_one(struct ether *e, size_t which);
void ether_copy_one(struct ether *e, size_t which);

#endif
