/* SPDX-License-Identifier: MIT
 * http: as much of HTTP/1.0 and 1.1 as it takes to answer GET for one page. */
#ifndef STT_NODE_HTTP_H
#define STT_NODE_HTTP_H

#include "stt/types.h"

enum {
    STT_HTTP_UNFINISHED = 0,
    STT_HTTP_OK = 200,
    STT_HTTP_BAD = 400,
    STT_HTTP_NOT_FOUND = 404,
    STT_HTTP_NOT_ALLOWED = 405,
    STT_HTTP_UNAVAILABLE = 503,
    STT_HTTP_REQUEST_MAX = 4096,
    STT_HTTP_HEAD_ROOM = 256,
};

/* What these bytes, the beginning of what somebody sends, deserve: UNFINISHED until the head of the
 * request is whole. A longer head than STT_HTTP_REQUEST_MAX is BAD. */
int stt_http_status(const char *request, size_t len, const char *page);

/* The head of an answer, with a body of so many bytes, after which the connection ends. Answers its
 * length. */
size_t stt_http_head(char out[STT_HTTP_HEAD_ROOM], int status, const char *type, size_t body_bytes);

/* "Not Found" */
const char *stt_http_words(int status);

#endif
