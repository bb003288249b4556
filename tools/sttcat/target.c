/* SPDX-License-Identifier: MIT
 * target: texts to places and back to nothing else. Everything is borrowed until return; an output
 * is complete where the answer is true, and means nothing otherwise. It must not know sockets, nor
 * ask anybody what a name stands for. Spec 10, "Forward". */
#include "tools/sttcat/target.h"

#include <arpa/inet.h>
#include <stdio.h>

#define UNIX_PREFIX BYTES_TEXT("unix:")

static struct bytes text_bytes(const char *text)
{
    return bytes_of(text, strlen(text));
}

static struct bytes from(struct bytes b, size_t at)
{
    return bytes_of(b.data + at, b.len - at);
}

static bool begins(struct bytes b, struct bytes with)
{
    return b.len >= with.len && memcmp(b.data, with.data, with.len) == 0;
}

static void copy(char *out, struct bytes b)
{
    if (b.len)
        memcpy(out, b.data, b.len);
    out[b.len] = '\0';
}

/* -- parts ------------------------------------------------------------------------------------- */

static bool is_digits(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] < '0' || b.data[i] > '9')
            return false;
    return b.len > 0;
}

/* No sign, no blank and no zero in front: a port has one text. */
static bool parse_port(uint16_t *out, struct bytes b)
{
    uint32_t port = 0;
    if (!is_digits(b) || b.len > 5 || (b.len > 1 && b.data[0] == '0'))
        return false;
    for (size_t i = 0; i < b.len; i++)
        port = port * 10 + (uint32_t)(b.data[i] - '0');
    *out = (uint16_t)port;
    return port <= UINT16_MAX;
}

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

static bool is_name(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (!is_name_byte(b.data[i]))
            return false;
    return b.len > 0 && b.len < TARGET_HOST_ROOM && b.data[0] != '-';
}

/* Perhaps with "%" and the name of an interface behind it. */
static bool is_ipv6(struct bytes b)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    const uint8_t *scope = b.len ? memchr(b.data, '%', b.len) : NULL;
    size_t len = scope ? (size_t)(scope - b.data) : b.len;
    if (len >= sizeof text || b.len >= 64 || memchr(b.data, '\0', b.len))
        return false;
    if (scope && !is_name(from(b, len + 1)))
        return false;
    copy(text, bytes_of(b.data, len));
    return inet_pton(AF_INET6, text, &ignored) == 1;
}

/* Takes "name:" or "[address]:" from the front of *rest. */
static bool take_host(char *out, struct bytes *rest)
{
    bool is_bracketed = rest->len && rest->data[0] == '[';
    const uint8_t *end = rest->len ? memchr(rest->data, is_bracketed ? ']' : ':', rest->len) : NULL;
    if (!end)
        return false;
    size_t len = (size_t)(end - rest->data);
    struct bytes host =
        is_bracketed ? bytes_of(rest->data + 1, len - 1) : bytes_of(rest->data, len);
    if (is_bracketed ? !is_ipv6(host) : !is_name(host))
        return false;
    len += is_bracketed;
    if (len >= rest->len || rest->data[len] != ':')
        return false;
    copy(out, host);
    *rest = from(*rest, len + 1);
    return true;
}

static bool parse_path(struct target *out, struct bytes path)
{
    if (!path.len || path.len > TARGET_PATH_MAX || memchr(path.data, '\0', path.len))
        return false;
    out->is_unix = true;
    copy(out->path, path);
    return true;
}

bool target_parse(struct target *out, struct bytes text)
{
    *out = (struct target){.port = 0};
    if (text.len > TARGET_TEXT_MAX)
        return false;
    if (begins(text, UNIX_PREFIX))
        return parse_path(out, from(text, UNIX_PREFIX.len));
    return take_host(out->host, &text) && parse_port(&out->port, text) && out->port > 0;
}

/* -- forward ----------------------------------------------------------------------------------- */

static bool is_ipv4(const char *text)
{
    struct in_addr ignored;
    return inet_pton(AF_INET, text, &ignored) == 1;
}

/* Where "unix:PATH:" ends: before the first ":unix:", or before the last two fields. */
static size_t path_end(struct bytes text)
{
    static const struct bytes mark = {(const uint8_t *)":unix:", 6};
    for (size_t i = 1; i + mark.len <= text.len; i++)
        if (begins(from(text, i), mark))
            return i;
    size_t at = text.len;
    while (at > 0 && text.data[at - 1] != ':')
        at--;
    bool is_bracketed = at > 1 && text.data[at - 2] == ']';
    for (at = at ? at - 1 : 0; at > 0 && text.data[at - 1] != (is_bracketed ? '[' : ':'); at--)
        ;
    return at > is_bracketed ? at - 1 - is_bracketed : 0;
}

static bool take_local_path(struct target *out, struct bytes *rest)
{
    struct bytes path = from(*rest, UNIX_PREFIX.len);
    size_t len = path_end(path);
    if (!len || path.data[len] != ':' || !parse_path(out, bytes_of(path.data, len)))
        return false;
    *rest = from(path, len + 1);
    return true;
}

static bool take_address(char *out, struct bytes *rest)
{
    if (begins(*rest, BYTES_TEXT("*:"))) {
        copy(out, BYTES_TEXT("*"));
        *rest = from(*rest, 2);
        return true;
    }
    bool is_bracketed = rest->len && rest->data[0] == '[';
    if (!take_host(out, rest))
        return false;
    if (strcmp(out, "localhost") == 0)
        out[0] = '\0';
    return is_bracketed || !out[0] || is_ipv4(out);
}

/* "PORT:", "ADDRESS:PORT:" or "unix:PATH:". */
static bool take_local(struct target *out, struct bytes *rest)
{
    *out = (struct target){.port = 0};
    if (begins(*rest, UNIX_PREFIX))
        return take_local_path(out, rest);
    for (int is_second = 0; is_second < 2; is_second++) {
        const uint8_t *colon = rest->len ? memchr(rest->data, ':', rest->len) : NULL;
        size_t len = colon ? (size_t)(colon - rest->data) : 0;
        if (is_digits(bytes_of(rest->data, len))) {
            bool is_port = parse_port(&out->port, bytes_of(rest->data, len));
            *rest = from(*rest, len + 1);
            return is_port;
        }
        if (is_second || !take_address(out->host, rest))
            return false;
    }
    return false;
}

bool target_parse_forward(struct target_forward *out, const char *text, char why[OPTION_WHY_ROOM])
{
    struct bytes rest = text_bytes(text);
    struct target remote;
    if (!take_local(&out->local, &rest)) {
        snprintf(why, OPTION_WHY_ROOM,
                 "-L %.80s does not begin with a place to listen at; write PORT:HOST:PORT, "
                 "ADDRESS:PORT:HOST:PORT with a numeric address, or unix:PATH:HOST:PORT",
                 text);
        return false;
    }
    if (!target_parse(&remote, rest)) {
        snprintf(why, OPTION_WHY_ROOM,
                 "-L %.80s does not end with a target; write HOST:PORT, [IPV6]:PORT or unix:PATH "
                 "there",
                 text);
        return false;
    }
    copy(out->remote, rest);
    return true;
}

bool target_check_forward(const char *text, char why[OPTION_WHY_ROOM])
{
    struct target_forward ignored;
    return target_parse_forward(&ignored, text, why);
}

/* -- permit ------------------------------------------------------------------------------------ */

/* "HOST:*": how long "HOST:" is; else 0. */
static size_t any_port_prefix(struct bytes permit)
{
    struct bytes rest = permit;
    char host[TARGET_HOST_ROOM];
    bool is_host = !begins(permit, UNIX_PREFIX) && take_host(host, &rest) &&
                   bytes_equal(rest, BYTES_TEXT("*"));
    return is_host ? permit.len - 1 : 0;
}

bool target_check_permit(const char *text, char why[OPTION_WHY_ROOM])
{
    struct bytes permit = text_bytes(text);
    struct target ignored;
    if (bytes_equal(permit, BYTES_TEXT("any")) || target_parse(&ignored, permit) ||
        any_port_prefix(permit))
        return true;
    snprintf(why, OPTION_WHY_ROOM,
             "--permit %.80s is no target; write HOST:PORT, HOST:*, [IPV6]:PORT, unix:PATH or any",
             text);
    return false;
}

static bool permits_one(struct bytes permit, struct bytes text)
{
    size_t prefix = any_port_prefix(permit);
    if (prefix) /* what is asked for was parsed: behind its host there is a port */
        return begins(text, bytes_of(permit.data, prefix));
    return bytes_equal(permit, BYTES_TEXT("any")) || bytes_equal(permit, text);
}

bool target_is_permitted(const struct option_texts *permits, struct bytes text)
{
    struct target ignored;
    if (!target_parse(&ignored, text))
        return false;
    for (uint32_t i = 0; i < permits->n; i++)
        if (permits_one(text_bytes(permits->at[i]), text))
            return true;
    return false;
}
