/* SPDX-License-Identifier: MIT
 * keys: owns the secrets and raw keys of a session, in the caller's secret memory.
 *
 *      previous          current             next
 *    | receive key |  both, in use  |  both, derived ahead |
 *     until told to    number = e       number = e + 1
 *     forget it
 *
 * Invariants: `next` is always complete, so that to follow an update costs a peer's packet no more
 * time than any other; a secret lives no longer than its epoch. It must not know packets, windows
 * or when an update is allowed. Spec 03, "Key schedule". */
#include "crypto/keys.h"

#include "crypto/kdf.h"
#include "stt/base/env.h"

#include <assert.h>

static struct bytes name_of(const struct stt_aead_suite *suite)
{
    return bytes_of(suite->name, strlen(suite->name));
}

static struct bytes secret_of(const struct stt_epoch *epoch, enum stt_direction d)
{
    return bytes_of(epoch->secret[d], STT_SECRET_BYTES);
}

static void derive_packet_keys(struct stt_epoch *epoch, const struct stt_aead_suite *suite,
                               uint64_t number)
{
    for (enum stt_direction d = 0; d < STT_DIRECTIONS; d++) {
        struct kdf_parts parts = KDF_PARTS(name_of(suite), KDF_U8(d), KDF_U64(number));
        struct stt_packet_key *packet = &epoch->packet[d];
        stt_kdf_keyed(packet->key, suite->key_bytes, secret_of(epoch, d), "stt1 key", parts);
        stt_kdf_keyed(packet->iv, sizeof packet->iv, secret_of(epoch, d), "stt1 iv", parts);
    }
}

static void derive_next(struct stt_keys *k)
{
    uint64_t number = k->number + 1;
    for (enum stt_direction d = 0; d < STT_DIRECTIONS; d++)
        stt_kdf_keyed(k->next.secret[d], STT_SECRET_BYTES, secret_of(&k->current, d), "stt1 update",
                      KDF_PARTS(name_of(k->suite), KDF_U8(d), KDF_U64(number)));
    derive_packet_keys(&k->next, k->suite, number);
}

void stt_keys_init(struct stt_keys *k, const struct stt_aead_suite *suite, enum stt_direction send,
                   const uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES])
{
    *k = (struct stt_keys){.suite = suite, .send = send, .lowest_opened = UINT64_MAX};
    memcpy(k->current.secret, secrets, sizeof k->current.secret);
    derive_packet_keys(&k->current, suite, 0);
    derive_next(k);
}

void stt_keys_mask_key(uint8_t *key, const struct stt_keys *k, enum stt_direction direction)
{
    assert(k->number == 0);
    stt_kdf_keyed(key, k->suite->key_bytes, secret_of(&k->current, direction), "stt1 mask",
                  KDF_PARTS(name_of(k->suite), KDF_U8(direction), KDF_U64(0)));
}

void stt_keys_exporter(uint8_t out[STT_EXPORTER_BYTES], const struct stt_keys *k,
                       const uint8_t h[STT_KEYS_H_BYTES])
{
    stt_kdf_keyed(out, STT_EXPORTER_BYTES, bytes_of(k->current.secret, sizeof k->current.secret),
                  "stt1 exporter",
                  KDF_PARTS(name_of(k->suite), KDF_U64(k->number), bytes_of(h, STT_KEYS_H_BYTES)));
}

void stt_keys_install(struct stt_keys *k, const uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES])
{
    memcpy(k->next.secret, secrets, sizeof k->next.secret);
    derive_packet_keys(&k->next, k->suite, k->number + 1);
}

void stt_keys_advance(struct stt_keys *k)
{
    k->previous = k->current.packet[stt_keys_receive(k)];
    k->has_previous = true;
    k->current = k->next;
    k->number++;
    k->lowest_opened = UINT64_MAX;
    derive_next(k);
}

void stt_keys_forget_previous(struct stt_keys *k)
{
    stt_env_wipe(&k->previous, sizeof k->previous);
    k->has_previous = false;
}

enum stt_keys_choice stt_keys_choose(const struct stt_keys *k, unsigned phase, uint64_t number)
{
    if (phase == stt_keys_phase(k))
        return STT_KEYS_CURRENT;
    if (number >= k->lowest_opened)
        return STT_KEYS_NEXT;
    return k->has_previous ? STT_KEYS_PREVIOUS : STT_KEYS_NONE;
}

const struct stt_packet_key *stt_keys_of(const struct stt_keys *k, enum stt_keys_choice choice)
{
    enum stt_direction d = stt_keys_receive(k);
    switch (choice) {
    case STT_KEYS_PREVIOUS:
        return &k->previous;
    case STT_KEYS_CURRENT:
        return &k->current.packet[d];
    case STT_KEYS_NEXT:
        return &k->next.packet[d];
    case STT_KEYS_NONE:
        break;
    }
    return NULL;
}
