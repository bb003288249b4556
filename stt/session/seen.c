/* SPDX-License-Identifier: MIT
 * seen: a ring of keys, and a map to find them in it. Invariant: the map holds exactly the keys of
 * the ring. Memory is taken from the first key on (128 KiB, 512 KiB when full); an endpoint that
 * only connects takes none. Spec 03, "Order of checks". */
#include "stt/session/seen.h"

#include <string.h>

void stt_seen_init(struct stt_seen *s, const struct stt_env *env, uint64_t seed)
{
    *s = (struct stt_seen){.ring = NULL};
    stt_map_init(&s->map, env, STT_SEEN_BYTES, seed, STT_SEEN_MAX + 1); /* old and new at once */
}

void stt_seen_fini(struct stt_seen *s)
{
    stt_env_release(s->map.env, s->ring, STT_SEEN_MAX * sizeof *s->ring);
    stt_map_fini(&s->map);
    s->ring = NULL;
    s->next = s->n = 0;
}

bool stt_seen_has(const struct stt_seen *s, const uint8_t ephemeral[32])
{
    return stt_map_find(&s->map, ephemeral) != 0;
}

int stt_seen_add(struct stt_seen *s, const uint8_t ephemeral[32])
{
    if (stt_seen_has(s, ephemeral))
        return STT_OK;
    if (!s->ring)
        s->ring = stt_env_alloc(s->map.env, STT_SEEN_MAX * sizeof *s->ring);
    if (!s->ring)
        return STT_E_MEMORY;
    int error = stt_map_put(&s->map, ephemeral, 1);
    if (error)
        return error;
    if (s->n == STT_SEEN_MAX)
        stt_map_remove(&s->map, s->ring[s->next]);
    else
        s->n++;
    memcpy(s->ring[s->next], ephemeral, STT_SEEN_BYTES);
    s->next = (s->next + 1) % STT_SEEN_MAX;
    return STT_OK;
}
