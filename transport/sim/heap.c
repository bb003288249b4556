/* SPDX-License-Identifier: MIT
 * heap: malloc behind the hooks of struct stt_env. */
#include "transport/sim/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 16 };

static void *take(void *ctx, size_t len)
{
    (void)ctx;
    void *p = malloc(len);
    if (!p) {
        fputs("stt_sim: out of memory\n", stderr);
        abort();
    }
    return p;
}

static void give_back(void *ctx, void *p, size_t len)
{
    (void)ctx;
    (void)len;
    free(p);
}

const struct stt_env stt_net_env = {.alloc = take, .release = give_back};

void *stt_net_more(void *array, size_t n, size_t *room, size_t each)
{
    if (n < *room)
        return array;
    size_t bigger = *room ? 2 * *room : ROOM_MIN;
    void *p = stt_env_alloc(&stt_net_env, bigger * each);
    if (n)
        memcpy(p, array, n * each);
    stt_env_release(&stt_net_env, array, *room * each);
    *room = bigger;
    return p;
}
