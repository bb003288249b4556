/* SPDX-License-Identifier: MIT */
#include "tools/sttcat/target.h"

#include "tests/support/suite.h"

static struct bytes bytes_of_text(const char *text)
{
    return bytes_of(text, strlen(text));
}

static bool parses(struct target *t, const char *text)
{
    return target_parse(t, bytes_of_text(text));
}

/* -- targets ----------------------------------------------------------------------------------- */

START_TEST(target_is_a_host_and_a_port)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } rows[] = {
        {"db:5432", "db", 5432},
        {"127.0.0.1:1", "127.0.0.1", 1},
        {"[::1]:65535", "::1", 65535},
        {"[fe80::1%eth0]:22", "fe80::1%eth0", 22},
        {"a-b.example_c.org:80", "a-b.example_c.org", 80},
        {"LOCALHOST:80", "LOCALHOST", 80},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target t;
        ck_assert_msg(parses(&t, rows[i].text), "%s", rows[i].text);
        ck_assert(!t.is_unix);
        ck_assert_str_eq(t.host, rows[i].host);
        ck_assert_uint_eq(t.port, rows[i].port);
    }
}
END_TEST

START_TEST(target_is_a_path)
{
    struct target t;
    ck_assert(parses(&t, "unix:/run/a:b c.sock"));
    ck_assert(t.is_unix);
    ck_assert_str_eq(t.path, "/run/a:b c.sock");
    ck_assert(parses(&t, "unix:relative"));
}
END_TEST

START_TEST(target_that_is_none_is_refused)
{
    static const char *const texts[] = {
        "",          "host",         ":80",       "host:",        "host:0",   "host:65536",
        "host:080",  "host:+1",      "host: 1",   "host:1 ",      "host:8o",  "a:b:1",
        "::1:80",    "[::1]",        "[::1]80",   "[::1]:",       "[]:80",    "[host]:80",
        "[::1:80",   "[1.2.3.4]:1",  "[::1%]:80", "[::1%a/b]:80", "ho st:80", "-v:80",
        "*:80",      "host:*",       "any",       "unix:",        "h/x:80",   "host:123456",
        "[::1]]:80", "h\xc3\xa4:80",
    };
    struct target t;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(!parses(&t, texts[i]), "%s", texts[i]);
}
END_TEST

START_TEST(target_with_a_zero_byte_is_refused)
{
    struct target t;
    ck_assert(!target_parse(&t, BYTES_TEXT("unix:/a\0b")));
    ck_assert(!target_parse(&t, BYTES_TEXT("db\0:80")));
    ck_assert(!target_parse(&t, BYTES_TEXT("[::1\0]:80")));
    ck_assert(!target_parse(&t, BYTES_TEXT("db:80\0")));
}
END_TEST

START_TEST(target_has_bounds)
{
    char text[400] = "unix:";
    struct target t;
    memset(text + 5, 'p', TARGET_PATH_MAX);
    ck_assert(parses(&t, text));
    ck_assert_uint_eq(strlen(t.path), TARGET_PATH_MAX);
    text[5 + TARGET_PATH_MAX] = 'p';
    ck_assert(!parses(&t, text));
    memset(text, 'h', sizeof text);
    memcpy(text + TARGET_HOST_ROOM - 1, ":80", 4);
    ck_assert(parses(&t, text));
    memset(text, 'h', sizeof text);
    memcpy(text + TARGET_HOST_ROOM, ":80", 4);
    ck_assert(!parses(&t, text));
}
END_TEST

/* -- forward ----------------------------------------------------------------------------------- */

START_TEST(forward_has_a_place_and_a_target)
{
    static const struct {
        const char *text, *host, *path;
        uint16_t port;
        const char *remote;
    } rows[] = {
        {"8080:db:5432", "", "", 8080, "db:5432"},
        {"0:db:5432", "", "", 0, "db:5432"},
        {"localhost:8080:db:5432", "", "", 8080, "db:5432"},
        {"*:8080:db:5432", "*", "", 8080, "db:5432"},
        {"192.0.2.1:8080:[::1]:1", "192.0.2.1", "", 8080, "[::1]:1"},
        {"[::1]:8080:[::2]:1", "::1", "", 8080, "[::2]:1"},
        {"8080:unix:/run/x:y", "", "", 8080, "unix:/run/x:y"},
        {"127.0.0.1:8080:unix:x", "127.0.0.1", "", 8080, "unix:x"},
        {"1:2:3", "", "", 1, "2:3"},
        {"unix:/tmp/a:db:5432", "", "/tmp/a", 0, "db:5432"},
        {"unix:/tmp/a:b:db:5432", "", "/tmp/a:b", 0, "db:5432"},
        {"unix:/tmp/a:[::1]:5432", "", "/tmp/a", 0, "[::1]:5432"},
        {"unix:/tmp/a:unix:/tmp/b", "", "/tmp/a", 0, "unix:/tmp/b"},
        {"unix:/tmp/a:unix:/tmp/b:unix:c", "", "/tmp/a", 0, "unix:/tmp/b:unix:c"},
        {"unix:a:unix:b:c:1", "", "a", 0, "unix:b:c:1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target_forward f;
        char why[OPTION_WHY_ROOM];
        ck_assert_msg(target_parse_forward(&f, rows[i].text, why), "%s: %s", rows[i].text, why);
        ck_assert_str_eq(f.local.host, rows[i].host);
        ck_assert_str_eq(f.local.path, rows[i].path);
        ck_assert_uint_eq(f.local.port, rows[i].port);
        ck_assert_int_eq(f.local.is_unix, *rows[i].path != 0);
        ck_assert_str_eq(f.remote, rows[i].remote);
        ck_assert(target_check_forward(rows[i].text, why));
    }
}
END_TEST

/* With a sentence that repeats it, and says what would be right. */
START_TEST(forward_that_is_none_is_refused_with_a_sentence)
{
    static const char *const texts[] = {
        "",           "8080",          "8080:",        "8080:db",        "8080:db:",
        "8080:db:0",  "host:8080:a:1", "8080:a:b:1",   "70000:db:1",     "08:db:1",
        "*:*:db:1",   "[::1]:db:1",    "::1:80:db:1",  "1.2.3:8080:a:1", "unix:/a",
        "unix:/a:db", "unix::db:1",    "unix:/a:db:0", "unix::unix:/b",  "unix:/a:unix:",
        "80:*:1",     ":8080:db:1",    "80:any",       "unix:",          "unix:a:]:1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char why[OPTION_WHY_ROOM] = "";
        ck_assert_msg(!target_check_forward(texts[i], why), "%s", texts[i]);
        ck_assert_ptr_nonnull(strstr(why, texts[i]));
        ck_assert_ptr_nonnull(strstr(why, "write "));
    }
}
END_TEST

/* -- permit ------------------------------------------------------------------------------------ */

static bool permits(const char *permit, const char *text)
{
    const char *at[] = {"nobody:1", permit};
    const struct option_texts texts = {.at = at, .n = 2};
    return target_is_permitted(&texts, bytes_of_text(text));
}

START_TEST(permit_is_a_target_or_a_host_or_any)
{
    static const char *const good[] = {"db:5432", "[::1]:1", "db:*", "[::1]:*", "unix:/a", "any"};
    static const char *const bad[] = {
        "",   "db",   "*:80", "*",     "db:0",  "db:**",   "Any",    "unix:", "::1:*",
        ":*", "any:", "db:",  "a:b:*", "[x]:*", "any:1:2", "db:1,2", "db:1 "};
    char why[OPTION_WHY_ROOM];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(target_check_permit(good[i], why), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(!target_check_permit(bad[i], why), "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(why, "write "));
    }
}
END_TEST

START_TEST(nothing_is_permitted_without_a_permit)
{
    const struct option_texts none = {.n = 0};
    ck_assert(!target_is_permitted(&none, BYTES_TEXT("127.0.0.1:80")));
    ck_assert(!target_is_permitted(&none, BYTES_TEXT("unix:/a")));
}
END_TEST

START_TEST(permitted_is_what_has_the_same_text)
{
    ck_assert(permits("db:5432", "db:5432"));
    ck_assert(permits("unix:/run/a", "unix:/run/a"));
    ck_assert(permits("[::1]:80", "[::1]:80"));
    ck_assert(!permits("db:5432", "db:543"));
    ck_assert(!permits("db:543", "db:5432"));
    ck_assert(!permits("db:5432", "DB:5432"));
    ck_assert(!permits("db:5432", "db.:5432"));
    ck_assert(!permits("localhost:80", "127.0.0.1:80"));
    ck_assert(!permits("127.0.0.1:80", "localhost:80"));
    ck_assert(!permits("[::1]:80", "[0:0:0:0:0:0:0:1]:80"));
    ck_assert(!permits("unix:/run/a", "unix:/run/../run/a"));
    ck_assert(!permits("unix:/run/a", "unix:/run/a/"));
}
END_TEST

START_TEST(permitted_host_has_all_ports)
{
    ck_assert(permits("db:*", "db:1"));
    ck_assert(permits("db:*", "db:65535"));
    ck_assert(permits("[::1]:*", "[::1]:22"));
    ck_assert(!permits("db:*", "db2:1"));
    ck_assert(!permits("db:*", "x.db:1"));
    ck_assert(!permits("db:*", "db:0"));
    ck_assert(!permits("unix:*", "unix:/run/a"));
}
END_TEST

START_TEST(any_permits_what_is_a_target_and_nothing_else)
{
    ck_assert(permits("any", "db:1"));
    ck_assert(permits("any", "unix:/run/a"));
    ck_assert(!permits("any", "any"));
    ck_assert(!permits("any", "db:*"));
    ck_assert(!permits("any", ""));
}
END_TEST

SUITE("target", TEST(target_is_a_host_and_a_port), TEST(target_is_a_path),
      TEST(target_that_is_none_is_refused), TEST(target_with_a_zero_byte_is_refused),
      TEST(target_has_bounds), TEST(forward_has_a_place_and_a_target),
      TEST(forward_that_is_none_is_refused_with_a_sentence),
      TEST(permit_is_a_target_or_a_host_or_any), TEST(nothing_is_permitted_without_a_permit),
      TEST(permitted_is_what_has_the_same_text), TEST(permitted_host_has_all_ports),
      TEST(any_permits_what_is_a_target_and_nothing_else))
