/* SPDX-License-Identifier: MIT
 * cat: the program between its plan and its exit status: a node, its peers, and who of them has
 * standard input and output. */
#ifndef TOOLS_STTCAT_CAT_H
#define TOOLS_STTCAT_CAT_H

#include "tools/sttcat/peer.h"

/* From a plan, which learns what it became, to a status to exit with. */
int cat_run(struct plan *plan);

/* Standard input goes to the first peer that asks; -1 for the others, and with --no-stdin. */
int cat_take_stdin(struct cat *cat);

/* Whether a peer that has said HELLO may begin: one at a time, where they share an output. */
bool cat_may_begin(struct cat *cat, struct peer *p);
/* A listener that serves only one has found it. False: there is another one. */
bool cat_seat(struct cat *cat, struct peer *p);

/* The peer has said who it is, as far as it wants to be remembered. */
void cat_greeted(struct cat *cat, struct peer *p);

/* Who reads our output has closed it: nothing is said, as with other programs in a pipe. */
void cat_reader_is_gone(struct peer *p);

#endif
