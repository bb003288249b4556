/* SPDX-License-Identifier: MIT
 * address: texts of addresses, read strictly and written in one way. Owns nothing; resolves
 * nothing. */
#include "stt/node/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t ipv4_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool stt_address_is_ipv4(const struct stt_address *a)
{
    return memcmp(a->ip, ipv4_prefix, sizeof ipv4_prefix) == 0;
}

bool stt_address_is_any(const struct stt_address *a)
{
    static const uint8_t zeros[16];
    return memcmp(a->ip, zeros, sizeof zeros) == 0 ||
           (stt_address_is_ipv4(a) && memcmp(a->ip + 12, zeros, 4) == 0);
}

static bool read_port(const char *text, uint16_t *port)
{
    unsigned value = 0;
    size_t len = strlen(text);
    if (len < 1 || len > 5 || strspn(text, "0123456789") != len)
        return false;
    for (const char *c = text; *c; c++)
        value = value * 10 + (unsigned)(*c - '0');
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

int stt_address_split(const char *text, char host[STT_HOST_ROOM], uint16_t *port)
{
    const char *colon = strrchr(text, ':'), *from = text, *to = colon;
    if (text[0] == '[') {
        from = text + 1;
        to = strchr(text, ']');
        if (!to || to + 1 != colon)
            return STT_E_FORMAT;
    } else if (!colon || colon != strchr(text, ':')) {
        return STT_E_FORMAT; /* no port, or an IPv6 address without brackets */
    }
    size_t len = (size_t)(to - from);
    if (len == 0 || len >= STT_HOST_ROOM || !read_port(colon + 1, port))
        return STT_E_FORMAT;
    memcpy(host, from, len);
    host[len] = 0;
    return STT_OK;
}

static bool read_scope(const char *text, uint32_t *scope)
{
    uint16_t number;
    *scope = if_nametoindex(text);
    if (!*scope && read_port(text, &number))
        *scope = number;
    return *scope != 0;
}

int stt_address_number(struct stt_address *out, const char *host)
{
    char number[STT_HOST_ROOM];
    *out = (struct stt_address){.port = 0};
    if (inet_pton(AF_INET, host, out->ip + 12) == 1) {
        memcpy(out->ip, ipv4_prefix, sizeof ipv4_prefix);
        return STT_OK;
    }
    const char *percent = strchr(host, '%');
    size_t len = percent ? (size_t)(percent - host) : strlen(host);
    if (len >= sizeof number || (percent && !read_scope(percent + 1, &out->scope)))
        return STT_E_FORMAT;
    memcpy(number, host, len);
    number[len] = 0;
    return inet_pton(AF_INET6, number, out->ip) == 1 ? STT_OK : STT_E_FORMAT;
}

int stt_address_parse(struct stt_address *out, const char *text)
{
    char host[STT_HOST_ROOM];
    uint16_t port;
    *out = (struct stt_address){.port = 0};
    if (read_port(text, &out->port))
        return STT_OK;
    int error = stt_address_split(text, host, &port);
    if (!error)
        error = stt_address_number(out, host);
    if (error)
        *out = (struct stt_address){.port = 0};
    else
        out->port = port;
    return error;
}

void stt_address_text(const struct stt_address *a, char out[STT_ADDRESS_TEXT_ROOM])
{
    char ip[INET6_ADDRSTRLEN], scope[12] = "";
    if (stt_address_is_ipv4(a)) {
        inet_ntop(AF_INET, a->ip + 12, ip, sizeof ip);
        snprintf(out, STT_ADDRESS_TEXT_ROOM, "%s:%u", ip, a->port);
        return;
    }
    inet_ntop(AF_INET6, a->ip, ip, sizeof ip);
    if (a->scope)
        snprintf(scope, sizeof scope, "%%%u", a->scope);
    snprintf(out, STT_ADDRESS_TEXT_ROOM, "[%s%s]:%u", ip, scope, a->port);
}
