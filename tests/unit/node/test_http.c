/* SPDX-License-Identifier: MIT */
#include "stt/node/http.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static const struct {
    int status;
    const char *request;
} requests[] = {
    {200, "GET /metrics HTTP/1.0\r\n\r\n"},
    {200, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9100\r\n\r\n"},
    {200, "GET /metrics HTTP/1.1\r\nAccept: */*\r\nhOsT:\r\nX:\t y \r\n\r\n"},
    {200, "GET /metrics?name=stt HTTP/1.0\r\nUser-Agent: Prometheus/2\r\n\r\nwhat follows"},
    {404, "GET / HTTP/1.0\r\n\r\n"},
    {404, "GET /metrics/ HTTP/1.0\r\n\r\n"},
    {404, "GET /metric HTTP/1.0\r\n\r\n"},
    {404, "GET /../metrics HTTP/1.0\r\n\r\n"},
    {404, "GET http://127.0.0.1/metrics HTTP/1.0\r\n\r\n"},
    {404, "POST / HTTP/1.0\r\n\r\n"},
    {405, "POST /metrics HTTP/1.0\r\nContent-Length: 3\r\n\r\na=b"},
    {405, "HEAD /metrics HTTP/1.0\r\n\r\n"},
    {405, "get /metrics HTTP/1.0\r\n\r\n"},
    {400, "\r\n\r\n"},
    {400, "GET\r\n\r\n"},
    {400, "GET /metrics\r\n\r\n"},
    {400, "GET  /metrics HTTP/1.0\r\n\r\n"},
    {400, " GET /metrics HTTP/1.0\r\n\r\n"},
    {400, "GET /metrics HTTP/1.0 \r\n\r\n"},
    {400, "GET /metrics HTTP/1.2\r\n\r\n"},
    {400, "GET /metrics HTTP/2\r\nHost: a\r\n\r\n"},
    {400, "GET /metrics HTTP/1.1\r\n\r\n"},
    {400, "GET /metrics HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"},
    {400, "GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n"},
    {400, "GET /metrics HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n"},
    {400, "GET /metrics HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},
    {400, "GET /met\trics HTTP/1.0\r\n\r\n"},
    {400, "G@T /metrics HTTP/1.0\r\n\r\n"},
    {0, ""},
    {0, "GET /metrics HTTP/1.0\n\n"},
    {0, "GET /metrics HTTP/1.0\r\n\n\r\n"},
};
enum { REQUESTS = sizeof requests / sizeof requests[0] };

START_TEST(a_request_gets_what_it_deserves)
{
    const char *request = requests[_i].request;
    const int status = stt_http_status(request, strlen(request), "/metrics");
    ck_assert_msg(status == requests[_i].status, "%d for: %s", status, request);
}
END_TEST

/* Neither too early nor another one later: as it comes in is as it is. */
START_TEST(a_request_is_unfinished_until_its_head_ends)
{
    char copy[256];
    const char *request = requests[_i].request, *end = strstr(request, "\r\n\r\n");
    const size_t head = end ? (size_t)(end - request) + 4 : SIZE_MAX;
    for (size_t len = 0; len <= strlen(request); len++) {
        memcpy(copy, request, len); /* so that sanitizers see what is read behind it */
        ck_assert_int_eq(stt_http_status(copy, len, "/metrics"),
                         len < head ? STT_HTTP_UNFINISHED : requests[_i].status);
    }
}
END_TEST

START_TEST(a_head_has_a_longest_length)
{
    static char request[2 * STT_HTTP_REQUEST_MAX];
    const size_t begun = (size_t)sprintf(request, "GET /metrics HTTP/1.0\r\nX: ");
    memset(request + begun, 'x', sizeof request - begun);
    ck_assert_int_eq(stt_http_status(request, STT_HTTP_REQUEST_MAX - 1, "/metrics"), 0);
    ck_assert_int_eq(stt_http_status(request, STT_HTTP_REQUEST_MAX, "/metrics"), 400);
    memcpy(request + STT_HTTP_REQUEST_MAX - 4, "\r\n\r\n", 4);
    ck_assert_int_eq(stt_http_status(request, STT_HTTP_REQUEST_MAX, "/metrics"), 200);
    memcpy(request + STT_HTTP_REQUEST_MAX - 4, "xx\r\n\r\n", 6);
    ck_assert_int_eq(stt_http_status(request, sizeof request, "/metrics"), 400);
}
END_TEST

START_TEST(no_byte_may_be_zero_or_control)
{
    char request[] = "GET /metrics HTTP/1.0\r\nX: abc\r\n\r\n";
    const size_t len = sizeof request - 1;
    char *in_field = strstr(request, "abc") + 1, *in_path = strstr(request, "tri");
    for (int c = 0; c < 256; c++) {
        const bool is_control = (c < ' ' && c != '\t') || c == 0x7f;
        *in_field = (char)c;
        ck_assert_int_eq(stt_http_status(request, len, "/metrics"), is_control ? 400 : 200);
    }
    *in_field = 'b';
    for (int c = 0; c < ' '; c++) {
        *in_path = (char)c;
        ck_assert_int_eq(stt_http_status(request, len, "/metrics"), 400);
    }
}
END_TEST

START_TEST(an_answer_says_how_long_it_is_and_that_it_is_the_last)
{
    static const int all[] = {200, 400, 404, 405, 503};
    char head[STT_HTTP_HEAD_ROOM], line[64];
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const size_t len =
            stt_http_head(head, all[i], "text/plain; version=0.0.4; charset=utf-8", 123456);
        ck_assert_uint_lt(len, sizeof head);
        ck_assert_uint_eq(len, strlen(head));
        snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", all[i], stt_http_words(all[i]));
        ck_assert_ptr_eq(strstr(head, line), head);
        ck_assert_ptr_ne(strstr(head, "\r\nContent-Length: 123456\r\n"), NULL);
        ck_assert_ptr_ne(strstr(head, "\r\nConnection: close\r\n"), NULL);
        ck_assert_ptr_eq(strstr(head, "\r\n\r\n"), head + len - 4);
        ck_assert_int_eq(strstr(head, "\r\nAllow: GET\r\n") != NULL, all[i] == 405);
    }
}
END_TEST

SUITE("http", LOOP(a_request_gets_what_it_deserves, 0, REQUESTS),
      LOOP(a_request_is_unfinished_until_its_head_ends, 0, REQUESTS),
      TEST(a_head_has_a_longest_length), TEST(no_byte_may_be_zero_or_control),
      TEST(an_answer_says_how_long_it_is_and_that_it_is_the_last))
