/* SPDX-License-Identifier: MIT
 * http: reads the head of a request, strictly: lines end in CRLF, there are no control characters,
 * the first line has three words. What the fields say is not looked at, but that version 1.1 names
 * a host; a body is not read. Owns nothing; must not know sockets, or what the page holds. Spec 09,
 * "Metrics". */
#include "stt/node/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *at;
    size_t len;
};

static bool is(struct span s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

/* Up to `end` or the end; and the rest begins behind it. */
static struct span cut(struct span *rest, const char *end)
{
    const size_t len = strlen(end);
    const char *at = memmem(rest->at, rest->len, end, len);
    const struct span first = {rest->at, at ? (size_t)(at - rest->at) : rest->len};
    const size_t taken = first.len + (at ? len : 0);
    *rest = (struct span){rest->at + taken, rest->len - taken};
    return first;
}

static bool is_printable(struct span line)
{
    for (size_t i = 0; i < line.len; i++) {
        const unsigned char c = (unsigned char)line.at[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_visible(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] <= ' ' || (unsigned char)s.at[i] >= 0x7f)
            return false;
    return s.len > 0;
}

/* RFC 9110, "Tokens": methods, and names of fields. */
static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (strchr("\"(),/:;<=>?@[\\]{}", s.at[i]))
            return false;
    return is_visible(s);
}

static bool are_fields(struct span rest, bool *has_host)
{
    *has_host = false;
    while (rest.len) {
        struct span line = cut(&rest, "\r\n"), value = line;
        const struct span name = cut(&value, ":");
        if (name.len == line.len || !is_token(name) || !is_printable(value))
            return false;
        *has_host = *has_host || (name.len == 4 && strncasecmp(name.at, "host", 4) == 0);
    }
    return true;
}

static int judge(struct span head, const char *page)
{
    struct span line = cut(&head, "\r\n");
    const struct span method = cut(&line, " "), target = cut(&line, " ");
    struct span path = target;
    bool has_host;
    if (!is_token(method) || !is_visible(target) || !are_fields(head, &has_host))
        return STT_HTTP_BAD;
    if (!is(line, "HTTP/1.0") && !(is(line, "HTTP/1.1") && has_host))
        return STT_HTTP_BAD;
    if (!is(cut(&path, "?"), page))
        return STT_HTTP_NOT_FOUND;
    return is(method, "GET") ? STT_HTTP_OK : STT_HTTP_NOT_ALLOWED;
}

int stt_http_status(const char *request, size_t len, const char *page)
{
    const char *end = memmem(request, len, "\r\n\r\n", 4);
    const size_t head = end ? (size_t)(end - request) : 0;
    if (end ? head + 4 > STT_HTTP_REQUEST_MAX : len >= STT_HTTP_REQUEST_MAX)
        return STT_HTTP_BAD;
    return end ? judge((struct span){request, head}, page) : STT_HTTP_UNFINISHED;
}

const char *stt_http_words(int status)
{
    switch (status) {
    case STT_HTTP_OK:
        return "OK";
    case STT_HTTP_NOT_FOUND:
        return "Not Found";
    case STT_HTTP_NOT_ALLOWED:
        return "Method Not Allowed";
    case STT_HTTP_UNAVAILABLE:
        return "Service Unavailable";
    default:
        return "Bad Request";
    }
}

size_t stt_http_head(char out[STT_HTTP_HEAD_ROOM], int status, const char *type, size_t body_bytes)
{
    const char *allow = status == STT_HTTP_NOT_ALLOWED ? "Allow: GET\r\n" : "";
    return (size_t)snprintf(out, STT_HTTP_HEAD_ROOM,
                            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
                            "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
                            status, stt_http_words(status), type, body_bytes, allow);
}
