/* SPDX-License-Identifier: MIT
 * allow: who is answered. The list is found by static key, which is what a handshake shows first;
 * the peer id that is stored with it decides, since two ids share a key. Spec 03, "Order of
 * checks". */
#include "stt/session/engine.h"

int stt_endpoint_allow(struct stt_endpoint *ep, const struct stt_peer_id *peer)
{
    uint8_t key[32];
    if (!stt_identity_image(key, peer))
        return STT_E_CRYPTO;
    struct stt_peer_id *entry = stt_map_find_pointer(&ep->allowed, key);
    if (entry) {
        *entry = *peer;
        return STT_OK;
    }
    entry = stt_env_alloc(&ep->env, sizeof *entry);
    if (!entry)
        return STT_E_MEMORY;
    *entry = *peer;
    int error = stt_map_put(&ep->allowed, key, (uintptr_t)entry);
    if (error)
        stt_env_release(&ep->env, entry, sizeof *entry);
    return error;
}

int stt_endpoint_disallow(struct stt_endpoint *ep, const struct stt_peer_id *peer)
{
    uint8_t key[32];
    if (!stt_identity_image(key, peer))
        return STT_E_CRYPTO;
    struct stt_peer_id *entry = stt_map_find_pointer(&ep->allowed, key);
    if (!entry || memcmp(entry->bytes, peer->bytes, sizeof peer->bytes) != 0)
        return STT_E_NOT_FOUND;
    stt_map_remove(&ep->allowed, key);
    stt_env_release(&ep->env, entry, sizeof *entry);
    return STT_OK;
}

bool stt_endpoint_allows_key(const struct stt_endpoint *ep, const uint8_t static_key[32])
{
    return !ep->config.allow_only_listed || stt_map_find(&ep->allowed, static_key);
}

bool stt_endpoint_allows_peer(const struct stt_endpoint *ep, const uint8_t static_key[32],
                              const struct stt_peer_id *peer)
{
    if (!ep->config.allow_only_listed)
        return true;
    const struct stt_peer_id *entry = stt_map_find_pointer(&ep->allowed, static_key);
    return entry && memcmp(entry->bytes, peer->bytes, sizeof peer->bytes) == 0;
}

bool stt_endpoint_allows_id(const struct stt_endpoint *ep, const struct stt_peer_id *peer)
{
    uint8_t key[32];
    return !ep->config.allow_only_listed ||
           (stt_identity_image(key, peer) && stt_endpoint_allows_peer(ep, key, peer));
}

/* -- codes --------------------------------------------------------------------------------------
 */

int stt_endpoint_code_new(struct stt_endpoint *ep, stt_ns now, char text[STT_CODE_TEXT_MAX],
                          uint32_t *slot)
{
    uint8_t entropy[16];
    struct stt_code code;
    int error = STT_E_EXISTS;
    if (!stt_endpoint_is_alive(ep, now))
        return STT_E_FORKED;
    for (int i = 0; i < 16 && error == STT_E_EXISTS; i++) { /* until the slot is a free one */
        if (!stt_endpoint_draw(ep, entropy, sizeof entropy))
            return STT_E_IO;
        stt_code_generate(&code, entropy);
        error = stt_codes_arm(&ep->secrets->codes, now, &code);
    }
    if (!error) {
        stt_code_text(text, &code);
        *slot = code.slot;
    }
    stt_env_wipe(&code, sizeof code);
    stt_env_wipe(entropy, sizeof entropy);
    return error;
}

int stt_endpoint_passphrase(struct stt_endpoint *ep, stt_ns now, const uint8_t stretched[32])
{
    struct stt_code code = {.prs_len = 32};
    if (!stt_endpoint_is_alive(ep, now))
        return STT_E_FORKED;
    memcpy(code.prs, stretched, 32);
    int error = stt_codes_arm(&ep->secrets->codes, now, &code);
    stt_env_wipe(&code, sizeof code);
    return error;
}

int stt_endpoint_code_end(struct stt_endpoint *ep, uint32_t slot)
{
    return stt_codes_disarm(&ep->secrets->codes, slot) ? STT_OK : STT_E_NOT_FOUND;
}

int stt_passphrase_stretch(const char *passphrase, uint8_t stretched[32])
{
    struct stt_code code;
    int error = stt_code_stretch(&code, bytes_of(passphrase, strlen(passphrase)));
    if (!error)
        memcpy(stretched, code.prs, 32);
    stt_env_wipe(&code, sizeof code);
    return error;
}
