/* SPDX-License-Identifier: MIT
 * aead: the table of suites and what is chosen from it (spec 02, "Suites"). Owns nothing and
 * asks nobody: which processor there is, is an argument. */
#include "crypto/aead.h"

#include "crypto/aegis.h"
#include "crypto/aes_round.h"
#include "crypto/chacha.h"
#include "crypto/gcm.h"

/* Best first: of two that can run, the one that moves a train of packets faster. */
static const struct stt_aead_suite *const suites[] = {
#if STT_HAS_VAES
    &stt_aegis_128x2_vaes512, &stt_aegis_128l_vaes512, &stt_aegis_128l_vaes, &stt_aegis_128x2_vaes,
#endif
#if STT_HAS_AES
    &stt_aegis_128l,          &stt_aegis_128x2,        &stt_aes_256_gcm,
#endif
    &stt_chacha20_poly1305,
};

const struct stt_aead_suite *stt_aead_at(size_t i)
{
    return i < sizeof suites / sizeof suites[0] ? suites[i] : NULL;
}

static bool can_run(const struct stt_aead_suite *suite, uint32_t cpu)
{
    return (suite->needs & ~cpu) == 0;
}

const struct stt_aead_suite *stt_aead_by_id(uint8_t id, uint32_t cpu)
{
    const struct stt_aead_suite *suite;
    for (size_t i = 0; (suite = stt_aead_at(i)); i++) {
        if (suite->id == id && can_run(suite, cpu))
            return suite;
    }
    return NULL;
}

const struct stt_aead_suite *stt_aead_by_name(const char *name, uint32_t cpu)
{
    const struct stt_aead_suite *suite;
    for (size_t i = 0; (suite = stt_aead_at(i)); i++) {
        if (strcmp(suite->name, name) == 0 && can_run(suite, cpu))
            return suite;
    }
    return NULL;
}

static bool has_id(struct bytes ids, uint8_t id)
{
    return ids.len && memchr(ids.data, id, ids.len);
}

size_t stt_aead_offer(uint8_t out[STT_AEAD_IDS], uint32_t cpu)
{
    const struct stt_aead_suite *suite;
    size_t n = 0;
    for (size_t i = 0; (suite = stt_aead_at(i)); i++) {
        if (suite->is_offered && can_run(suite, cpu) && !has_id(bytes_of(out, n), suite->id))
            out[n++] = suite->id;
    }
    return n;
}

uint8_t stt_aead_choose(struct bytes own, struct bytes offered)
{
    for (size_t i = 0; i < own.len; i++) {
        if (has_id(offered, own.data[i]))
            return own.data[i];
    }
    return 0;
}

size_t stt_aead_len(const struct stt_aead_plain *packet)
{
    size_t len = 0;
    for (size_t i = 0; i < packet->parts_len; i++)
        len += packet->parts[i].len;
    return len;
}

size_t stt_aead_gather(const struct stt_aead_plain *packet)
{
    uint8_t *at = packet->out;
    for (size_t i = 0; i < packet->parts_len; i++) {
        struct bytes part = packet->parts[i];
        if (part.len && part.data != at)
            memcpy(at, part.data, part.len);
        at += part.len;
    }
    return (size_t)(at - packet->out);
}

void stt_aead_refuse(struct stt_aead_sealed *packet)
{
    packet->is_open = false;
    if (packet->len > STT_AEAD_TAG_BYTES)
        memset(packet->data, 0, packet->len - STT_AEAD_TAG_BYTES);
}
