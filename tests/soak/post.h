/* SPDX-License-Identifier: MIT
 * post: the datagrams of one side of a session: each says its number, arrives whole and once at
 * most, and its fate is told once. Only the latest are remembered: nothing is under way for long.
 */
#ifndef TESTS_SOAK_POST_H
#define TESTS_SOAK_POST_H

#include <stddef.h>
#include <stdint.h>

struct talk;

enum { POST_REMEMBERED = 1024 };

struct post {
    uint64_t sent, received, acked, lost;
    struct {
        uint16_t len;
        uint8_t what; /* bits */
    } latest[POST_REMEMBERED];
};

void post_send(struct talk *t, unsigned side, size_t n);
void post_read(struct talk *t, unsigned side);
void post_take_fates(struct talk *t, unsigned side);

#endif
