/* SPDX-License-Identifier: MIT
 * deeds: what hosts do with streams and datagrams in turmoil, each call checked against the ledger.
 * Where there is a traitor, or the session is closed, any answer will do. */
#ifndef TESTS_SUPPORT_DEEDS_H
#define TESTS_SUPPORT_DEEDS_H

#include "tests/support/turmoil.h"

/* Two arguments: most often which stream, and how much. */
typedef void deed(struct turmoil *c, unsigned s, uint8_t a, uint8_t b);

deed deed_open, deed_write, deed_write_late, deed_reserve, deed_finish, deed_end, deed_read,
    deed_peek, deed_peek_messages, deed_send_datagram, deed_datagrams;

/* All events of streams and of the session; a host in a hurry does what they ask for. */
void deed_pull(struct turmoil *c, unsigned s);
/* All that is there of all streams, and of datagrams. */
void deed_read_everything(struct turmoil *c, unsigned s);
/* The network is honest: from now on hosts do what events ask for, and want to end. */
void deed_hurry(struct turmoil *c, unsigned s);

#endif
