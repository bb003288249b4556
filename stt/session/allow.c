/* SPDX-License-Identifier: MIT
 * allow: who is answered, as the host says it: to the roster, the endpoint's own or that of all
 * workers. Spec 03, "Order of checks", "Guesses at a code". */
#include "stt/session/engine.h"

int stt_endpoint_allow(struct stt_endpoint *ep, const struct stt_peer_id *peer)
{
    return stt_roster_allow(ep->roster, peer);
}

int stt_endpoint_disallow(struct stt_endpoint *ep, const struct stt_peer_id *peer)
{
    return stt_roster_disallow(ep->roster, peer);
}

bool stt_endpoint_allows_key(const struct stt_endpoint *ep, const uint8_t static_key[32])
{
    return !ep->config.allow_only_listed || stt_roster_has_key(ep->roster, static_key);
}

bool stt_endpoint_allows_peer(const struct stt_endpoint *ep, const uint8_t static_key[32],
                              const struct stt_peer_id *peer)
{
    return !ep->config.allow_only_listed || stt_roster_has_peer(ep->roster, static_key, peer);
}

bool stt_endpoint_allows_id(const struct stt_endpoint *ep, const struct stt_peer_id *peer)
{
    uint8_t key[32];
    return !ep->config.allow_only_listed ||
           (stt_identity_image(key, peer) && stt_endpoint_allows_peer(ep, key, peer));
}

/* -- codes --------------------------------------------------------------------------------------
 */

static bool draw(void *ctx, uint8_t *out, size_t len)
{
    return stt_endpoint_draw(ctx, out, len);
}

int stt_endpoint_code_new(struct stt_endpoint *ep, stt_ns now, char text[STT_CODE_TEXT_MAX],
                          uint32_t *slot)
{
    if (!stt_endpoint_is_alive(ep, now))
        return STT_E_FORKED;
    return stt_roster_arm_new(ep->roster, now, draw, ep, text, slot);
}

int stt_endpoint_passphrase(struct stt_endpoint *ep, stt_ns now, const uint8_t stretched[32])
{
    if (!stt_endpoint_is_alive(ep, now))
        return STT_E_FORKED;
    return stt_roster_arm_stretched(ep->roster, now, stretched);
}

int stt_endpoint_code_end(struct stt_endpoint *ep, uint32_t slot)
{
    return stt_roster_disarm(ep->roster, slot) ? STT_OK : STT_E_NOT_FOUND;
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
