/* SPDX-License-Identifier: MIT
 * hash: of bytes in their order, and how many they were (spec 10, "Jobs"). */
#ifndef TOOLS_STTCAT_HASH_H
#define TOOLS_STTCAT_HASH_H

#include "tools/sttcat/wire.h"

#include <sys/uio.h>

struct hash; /* about 600 bytes */
struct hash *hash_new(void);
void hash_free(struct hash *h);
void hash_restart(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t len);
/* The first bytes of these parts, which have at least so many. */
void hash_add_parts(struct hash *h, const struct iovec *parts, size_t len);
void hash_add_zeros(struct hash *h, uint64_t len);
uint64_t hash_bytes(const struct hash *h);
struct wire_hash hash_value(const struct hash *h); /* of what was added so far */
bool hash_equal(const struct wire_hash *a, const struct wire_hash *b);
void hash_text(const struct wire_hash *hash, char out[33]);

#endif
