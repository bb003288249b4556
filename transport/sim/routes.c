/* SPDX-License-Identifier: MIT
 * routes: a map from both ends to a list of links, and one access link each way for ips that have
 * no routes of their own, so that n hosts need n entries and not n * n. */
#include "transport/sim/routes.h"

#include "transport/sim/heap.h"

#include <assert.h>
#include <string.h>

enum {
    IP_BYTES = 16,
    KEY_BYTES = offsetof(struct stt_net_route, carrier) + sizeof(uint32_t),
    ENTRIES_MAX = 1 << 28,
};

static_assert(KEY_BYTES == 36, "a key has no holes");

void stt_net_routes_init(struct stt_net_routes *rs, uint64_t seed)
{
    *rs = (struct stt_net_routes){0};
    stt_map_init(&rs->by_ends, &stt_net_env, KEY_BYTES, seed, ENTRIES_MAX);
    stt_map_init(&rs->up, &stt_net_env, IP_BYTES, seed, ENTRIES_MAX);
    stt_map_init(&rs->down, &stt_net_env, IP_BYTES, seed, ENTRIES_MAX);
}

void stt_net_routes_fini(struct stt_net_routes *rs)
{
    stt_env_release(&stt_net_env, rs->list, rs->room * sizeof *rs->list);
    stt_map_fini(&rs->by_ends);
    stt_map_fini(&rs->up);
    stt_map_fini(&rs->down);
}

static void put(struct stt_map *map, const void *key, uint64_t value)
{
    int error = stt_map_put(map, key, value);
    assert(error == STT_OK);
    (void)error;
}

void stt_net_routes_set(struct stt_net_routes *rs, const struct stt_net_route *route)
{
    assert(route->n_links <= STT_PARCEL_LINKS_MAX);
    uint64_t known = stt_map_find(&rs->by_ends, route);
    if (known) {
        rs->list[known - 1] = *route;
        return;
    }
    rs->list = stt_net_more(rs->list, rs->n, &rs->room, sizeof *rs->list);
    rs->list[rs->n++] = *route;
    put(&rs->by_ends, route, rs->n);
}

void stt_net_routes_set_access(struct stt_net_routes *rs, const uint8_t ip[16], uint32_t up,
                               uint32_t down)
{
    put(&rs->up, ip, (uint64_t)up + 1);
    put(&rs->down, ip, (uint64_t)down + 1);
}

static bool rename_end(uint8_t end[16], const uint8_t old[16], const uint8_t new[16])
{
    if (memcmp(end, old, IP_BYTES) != 0)
        return false;
    memcpy(end, new, IP_BYTES);
    return true;
}

void stt_net_routes_copy(struct stt_net_routes *rs, const uint8_t old[16], const uint8_t new[16])
{
    for (size_t i = 0, n = rs->n; i < n; i++) {
        struct stt_net_route r = rs->list[i];
        bool from = rename_end(r.from_ip, old, new);
        bool to = rename_end(r.to_ip, old, new);
        if (from || to)
            stt_net_routes_set(rs, &r);
    }
    uint64_t up = stt_map_find(&rs->up, old), down = stt_map_find(&rs->down, old);
    if (up && down)
        stt_net_routes_set_access(rs, new, (uint32_t)up - 1, (uint32_t)down - 1);
}

bool stt_net_routes_find(const struct stt_net_routes *rs, const struct stt_path *path,
                         struct stt_net_route *way)
{
    struct stt_net_route key = {.carrier = path->carrier};
    memcpy(key.from_ip, path->local.ip, IP_BYTES);
    memcpy(key.to_ip, path->remote.ip, IP_BYTES);
    uint64_t route = stt_map_find(&rs->by_ends, &key);
    if (route) {
        *way = rs->list[route - 1];
        return true;
    }
    uint64_t up = stt_map_find(&rs->up, key.from_ip), down = stt_map_find(&rs->down, key.to_ip);
    key.n_links = 2;
    key.links[0] = (uint32_t)up - 1;
    key.links[1] = (uint32_t)down - 1;
    *way = key;
    return up && down;
}
