/* SPDX-License-Identifier: MIT
 * address: where somebody is, as text: "host:port", with [] around an IPv6 host, or a port alone.
 */
#ifndef STT_NODE_ADDRESS_H
#define STT_NODE_ADDRESS_H

#include "stt/node.h"

#define STT_HOST_ROOM 256 /* a name of the DNS, and its zero */

/* What stands before and behind the last colon. STT_E_FORMAT: not of this form. */
int stt_address_split(const char *text, char host[STT_HOST_ROOM], uint16_t *port) STT_MUST_USE;

/* The host as a number, perhaps with %interface. */
int stt_address_number(struct stt_address *out, const char *host) STT_MUST_USE;

bool stt_address_is_ipv4(const struct stt_address *a);
/* No particular one: :: or 0.0.0.0. */
bool stt_address_is_any(const struct stt_address *a);

#endif
