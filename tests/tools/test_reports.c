/* SPDX-License-Identifier: MIT
 * What sttcat says beside the data: a line of progress and its manners at a terminal, events as
 * JSON as the manual lists them, numbers, traces and keys. On stdout there is data and nothing
 * else. */
#include "stt/stats.h"
#include "tests/support/cats.h"
#include "tests/support/qlog.h"
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct job *on_terminal(const char *words)
{
    return programs_start_on_terminal(&p, "exec " CAT " %s 127.0.0.1 %u", words, port);
}

static void stop(struct job *j)
{
    job_signal(j, SIGINT);
    job_require(j, INTERRUPTED);
}

static bool says(const struct job *j, const char *text)
{
    return j->err.text && strstr(j->err.text, text);
}

/* -- progress -----------------------------------------------------------------------------------
 */

/* How often a line was begun anew, and not ended. */
static unsigned count_redraws(const struct job *j)
{
    unsigned n = 0;
    for (size_t i = 0; i + 1 < j->out.len; i++)
        n += j->out.text[i] == '\r' && j->out.text[i + 1] != '\n';
    return n;
}

static void is_progress_and_nothing_else(const struct job *j)
{
    static const char gone[] = "\r\033[K";
    ck_assert_msg(strstr(j->out.text, "bit/s  rtt "), "%s", j->out.text);
    ck_assert_ptr_nonnull(strstr(j->out.text, "  loss "));
    ck_assert_ptr_null(strstr(j->out.text, "\033[3")); /* no colours */
    ck_assert_uint_ge(j->out.len, sizeof gone);
    ck_assert_str_eq(j->out.text + j->out.len - strlen(gone), gone);
    ck_assert_uint_le(count_redraws(j), j->took_ns / STT_MS(100) + 3);
}

/* 6 MB at 40 Mbit/s are 1.2 s. */
START_TEST(progress_is_shown_at_a_terminal_and_taken_away)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", 6000000, 1);
    struct job *l =
        programs_start_on_terminal(&p, "exec " CAT " -l 127.0.0.1 %u </dev/null >out", port);
    job_shows(l, "listening on");
    struct job *c = on_terminal("--rate 40M <in >back");
    job_require(c, DONE);
    job_require(l, DONE);
    is_progress_and_nothing_else(c);
    is_progress_and_nothing_else(l);
    ck_assert_uint_ge(count_redraws(c), 5);
    ck_assert_ptr_null(strchr(c->out.text, '\n')); /* one line, always the same */
    ck_assert_uint_eq(trees_hash("in"), trees_hash("out"));
    ck_assert_uint_eq(trees_bytes("back"), 0);
    programs_end(&p);
}
END_TEST

START_TEST(of_files_it_tells_how_much_is_left)
{
    ck_assert(cats_begin(NULL));
    trees_make("in", 3000000, 2);
    struct job *l = listener("--recv dir");
    struct job *c = on_terminal("--rate 40M --send in --");
    job_shows(c, " of 2.8");
    job_shows(c, " left");
    job_require(c, DONE);
    job_require(l, DONE);
    is_progress_and_nothing_else(c);
    programs_end(&p);
}
END_TEST

/* What is said meanwhile has a line of its own. */
START_TEST(what_is_said_does_not_mix_with_progress)
{
    ck_assert(cats_begin(NULL));
    trees_make("in", 3000000, 2);
    struct job *l = listener("-N >out"), *c = on_terminal("-v --rate 40M <in >back");
    job_require(c, DONE);
    job_require(l, DONE);
    job_shows(c, "connected to 127.0.0.1:");
    job_shows(c, "bit/s  rtt ");
    job_shows(c, "\r\033[Kgiven 2.86 MiB (");
    ck_assert_int_eq(c->out.text[c->out.len - 1], '\n');
    programs_end(&p);
}
END_TEST

START_TEST(nor_without_a_terminal_nor_where_somebody_types_nor_when_quiet)
{
    static const char *const words[] = {"--progress <in >back 2>said", "<in >back 2>said"};
    ck_assert(cats_begin(NULL));
    trees_make("in", 1000000, 3);
    for (size_t i = 0; i < 2; i++) { /* on a terminal, and stderr elsewhere */
        struct job *l = listener("-N --progress >out"), *c = on_terminal(words[i]);
        job_require(c, DONE);
        job_require(l, DONE);
        ck_assert_uint_eq(trees_bytes("said"), 0);
        ck_assert_uint_eq(c->out.bytes, 0);
        ck_assert_ptr_null(strchr(l->err.text, '\r'));
        ck_assert_ptr_null(strchr(l->err.text, '\033'));
    }
    struct job *l = listener("-N -v >out"), *c = on_terminal("-q --rate 20M <in >back");
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_uint_eq(c->out.bytes, 0);
    ck_assert_ptr_null(strchr(l->err.text, '\033'));
    l = listener("-N >out");
    c = on_terminal("--rate 20M <in"); /* stdout is the terminal */
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_uint_eq(c->out.bytes, 0);
    programs_end(&p);
}
END_TEST

/* -- two at their terminals ---------------------------------------------------------------------
 */

static void begin_chat(struct job *who[2])
{
    who[0] = on_terminal("-l");
    job_shows(who[0], "listening on");
    who[1] = on_terminal("");
}

static void is_plain(const struct job *j)
{
    ck_assert_ptr_null(strchr(j->out.text, '\033'));
    ck_assert_ptr_null(strstr(j->out.text, "rtt"));
}

/* The end of the input of either of them ends both. */
START_TEST(two_people_talk_until_one_of_them_has_said_all)
{
    struct job *who[2];
    char text[32];
    if (!cats_begin(programs_ios[_i / 2]))
        return;
    begin_chat(who);
    for (unsigned i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "line %u\n", i);
        ck_assert(job_type(who[i % 2], text));
        text[6] = 0;
        job_shows(who[i % 2], text); /* as it was typed */
        job_shows(who[1 - i % 2], text);
    }
    ck_assert(job_type(who[_i % 2], "\x04"));
    job_require(who[0], DONE);
    job_require(who[1], DONE);
    is_plain(who[0]);
    is_plain(who[1]);
    programs_end(&p);
}
END_TEST

START_TEST(the_key_of_an_interrupt_ends_a_talk)
{
    struct job *who[2];
    if (!cats_begin(programs_ios[_i / 2]))
        return;
    begin_chat(who);
    ck_assert(job_type(who[1], "hello\n"));
    job_shows(who[0], "hello");
    ck_assert(job_type(who[_i % 2], "\x03"));
    job_require(who[_i % 2], INTERRUPTED);
    job_require(who[1 - _i % 2], PARTIAL);
    job_shows(who[1 - _i % 2], "somebody stopped the program there");
    ck_assert_ptr_null(strstr(who[_i % 2]->out.text, "sttcat:"));
    programs_end(&p);
}
END_TEST

/* -- events -------------------------------------------------------------------------------------
 */

enum { KEYS_MAX = 16 };
/* A key behind which stands '?' may be missing. */
static const struct {
    const char *event, *keys[KEYS_MAX];
} events[] = {
    {"listening", {"address", "peer_id", "code?"}},
    {"answer", {"address", "peer_id", "rtt_ns"}},
    {"connected", {"address", "peer_id", "mode", "suite", "initiator", "rtt_ns?"}},
    {"progress",
     {"given_bytes", "taken_bytes", "expected_bytes?", "rate_bits_per_second", "rtt_ns",
      "packets_lost"}},
    {"file", {"outcome", "bytes", "why?", "name"}},
    {"forward", {"state", "from?", "to?", "given_bytes?", "taken_bytes?", "text?"}},
    {"end",
     {"exit", "given_bytes", "taken_bytes", "given_hash?", "taken_hash?", "time_ns",
      "goodput_bits_per_second"}},
    {"note", {"text"}},
    {"error", {"text"}},
};
enum { EVENTS = sizeof events / sizeof *events };

static const char *const stats_keys[] = {
#define X(name, words) #name,
    STT_SESSION_STATS(X)
#undef X
};
enum { STATS_KEYS = sizeof stats_keys / sizeof *stats_keys };

static bool is_key(const char *listed, const char *key)
{
    size_t len = strcspn(listed, "?");
    return strlen(key) == len && strncmp(listed, key, len) == 0;
}

/* Each is listed, and what must be there is. */
static void check_keys(json_t *o, const char *const *keys, size_t n, const char *line)
{
    const char *key;
    json_t *value;
    size_t needed = 0, found = 0;
    for (size_t i = 0; i < n && keys[i]; i++)
        needed += !strchr(keys[i], '?');
    json_object_foreach(o, key, value)
    {
        bool is_listed = strcmp(key, "event") == 0;
        for (size_t i = 0; i < n && keys[i]; i++)
            if (is_key(keys[i], key)) {
                is_listed = true;
                found += !strchr(keys[i], '?');
            }
        ck_assert_msg(is_listed, "%s is not listed: %s", key, line);
    }
    ck_assert_msg(found == needed, "a key is missing: %s", line);
}

/* Also of how many kinds there was one. */
static unsigned seen;

static void check_line(const char *line)
{
    json_error_t error;
    json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json_is_object(o), "%s: %s", error.text, line);
    const char *event = json_string_value(json_object_get(o, "event"));
    ck_assert_msg(event, "%s", line);
    bool is_known = strcmp(event, "stats") == 0;
    if (is_known) {
        check_keys(o, stats_keys, STATS_KEYS, line);
        seen |= 1u << EVENTS;
    }
    for (unsigned i = 0; i < EVENTS; i++)
        if (strcmp(events[i].event, event) == 0) {
            check_keys(o, events[i].keys, KEYS_MAX, line);
            seen |= 1u << i;
            is_known = true;
        }
    ck_assert_msg(is_known, "an event that nobody knows: %s", line);
    json_decref(o);
}

static void check_events(const struct job *j)
{
    ck_assert_uint_gt(j->err.len, 0);
    for (char *line = j->err.text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        ck_assert_msg(end, "a line without an end: %s", line);
        *end = 0;
        check_line(line);
        *end = '\n';
    }
}

/* Of the first event of this name. */
static json_t *event_of(const struct job *j, const char *event)
{
    char text[80];
    snprintf(text, sizeof text, "{\"event\":\"%s\"", event);
    const char *line = j->err.text ? strstr(j->err.text, text) : NULL;
    ck_assert_msg(line, "no %s: %s", event, j->err.text);
    json_t *o = json_loadb(line, strcspn(line, "\n"), 0, NULL);
    ck_assert(json_is_object(o));
    return o;
}

static json_int_t number_of(const struct job *j, const char *event, const char *key)
{
    json_t *o = event_of(j, event), *value = json_object_get(o, key);
    ck_assert_msg(json_is_integer(value), "no number %s: %s", key, j->err.text);
    json_int_t number = json_integer_value(value);
    json_decref(o);
    return number;
}

static const char *text_of(const struct job *j, const char *event, const char *key)
{
    static char text[1000];
    json_t *o = event_of(j, event);
    const char *value = json_string_value(json_object_get(o, key));
    ck_assert_msg(value, "no text %s: %s", key, j->err.text);
    snprintf(text, sizeof text, "%s", value);
    json_decref(o);
    return text;
}

static void check_pipe_events(void)
{
    char hash[40], wrong[40];
    trees_make("in", 1000000, 4);
    struct job *l = programs_start(
        &p, "exec sttcat -l --json -vv --progress --stats 127.0.0.1 %u </dev/null >out", port);
    job_line(l, "\"listening\"");
    snprintf(wrong, sizeof wrong, "%s", text_of(l, "listening", "code"));
    char *last = wrong + strlen(wrong) - 1;
    *last = *last == 'a' ? 'b' : 'a';
    job_require(programs_run(&p, "STT_CODE=%s sttcat --json 127.0.0.1 %u", wrong, port),
                PROVEN_WRONG);
    job_line(l, "{\"event\":\"note\",\"text\":\"somebody tried a wrong code\"}");
    struct job *c = programs_run(
        &p, "STT_CODE=%s sttcat --json -vv --progress --stats --rate 40M 127.0.0.1 %u <in",
        text_of(l, "listening", "code"), port);
    job_require(c, DONE);
    job_require(l, DONE);
    check_events(l);
    check_events(c);
    ck_assert_uint_eq(c->out.bytes, 0);
    ck_assert_int_eq(number_of(c, "end", "exit"), DONE);
    ck_assert_int_eq(number_of(c, "end", "given_bytes"), 1000000);
    ck_assert_int_eq(number_of(l, "end", "taken_bytes"), 1000000);
    ck_assert_int_gt(number_of(l, "end", "goodput_bits_per_second"), 1000000);
    snprintf(hash, sizeof hash, "%s", text_of(c, "end", "given_hash"));
    ck_assert_uint_eq(strlen(hash), 32);
    ck_assert_str_eq(hash, text_of(l, "end", "taken_hash"));
    ck_assert_str_eq(text_of(c, "connected", "mode"), "W");
    snprintf(hash, sizeof hash, "127.0.0.1:%u", port);
    ck_assert_str_eq(text_of(c, "connected", "address"), hash);
    ck_assert_str_eq(text_of(l, "listening", "address"), hash);
    ck_assert_int_ge(number_of(c, "stats", "bytes_sent"), 1000000);
    ck_assert_int_ge(number_of(l, "stats", "bytes_received"), 1000000);
    /* Ten times a second at most, beside the first one. */
    unsigned n = 0;
    for (const char *at = c->err.text; (at = strstr(at, "{\"event\":\"progress\"")); at++)
        n++;
    ck_assert_uint_ge(n, 1);
    ck_assert_uint_le(n, c->took_ns / STT_MS(100) + 2);
}

static void check_file_events(void)
{
    job_require(programs_run(&p,
                             "mkdir src dst; echo one >src/a; echo two >src/b; "
                             "mkdir dst/src; echo three >dst/src/b; echo x >'src/\"\\\\\n\001'"),
                DONE);
    struct job *l = listener("--json --recv dst");
    struct job *c = programs_run(&p, CAT " --json --send src -- 127.0.0.1 %u", port);
    job_require(c, EXISTS);
    job_require(l, EXISTS);
    check_events(l);
    check_events(c);
    ck_assert(says(c, "\"outcome\":\"done\"") && says(c, "\"outcome\":\"exists\""));
    ck_assert_int_eq(number_of(c, "end", "exit"), EXISTS);
}

static int unix_socket(const char *path, struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(at->sun_path, sizeof at->sun_path, "%s", path);
    return fd;
}

static int knock(const char *path)
{
    struct sockaddr_un at;
    int fd = unix_socket(path, &at);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* One connection that is carried, and one that is not permitted. */
static void check_forward_events(void)
{
    struct sockaddr_un at;
    int target = unix_socket("target", &at);
    ck_assert(!bind(target, (struct sockaddr *)&at, sizeof at) && !listen(target, 1));
    struct job *l = listener("--json -k --permit unix:target");
    struct job *c = programs_start(&p,
                                   "exec " CAT " --json -L unix:door:unix:target "
                                   "-L unix:other:unix:nowhere 127.0.0.1 %u",
                                   port);
    job_line(c, "\"listening\"");
    job_line(c, "\"listening\"");
    int near = knock("door"), far = accept(target, NULL, NULL);
    ck_assert_int_ge(far, 0);
    job_line(c, "\"open\"");
    close(near);
    close(far);
    job_line(c, "\"closed\"");
    near = knock("other");
    job_line(c, "\"refused\"");
    close(near);
    close(target);
    stop(c);
    stop(l);
    check_events(l);
    check_events(c);
}

START_TEST(events_are_those_that_the_manual_lists)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    seen = 0;
    check_pipe_events();
    check_file_events();
    check_forward_events();
    struct job *c = programs_run(&p, CAT " --json -w 100ms 127.0.0.1 %u", port);
    job_require(c, NO_ANSWER);
    check_events(c);
    ck_assert_ptr_nonnull(strstr(text_of(c, "error", "text"), "no answer from"));
    struct job *l = listener("--json");
    c = programs_run(&p, CAT " --json -z 127.0.0.1 %u", port);
    job_require(c, DONE);
    check_events(c);
    stop(l);
    check_events(l);
    ck_assert_uint_eq(seen, (1u << (EVENTS + 1)) - 1); /* there was one of each kind */
    programs_end(&p);
}
END_TEST

/* The words of the manual between this event's name and the next one. */
static void check_paragraph(const char *page, unsigned event)
{
    char head[60], word[80], paragraph[2000];
    snprintf(head, sizeof head, "\n.B %s\n", events[event].event);
    const char *at = strstr(strstr(page, ".SH JSON EVENTS"), head);
    ck_assert_msg(at, "the manual knows no %s", events[event].event);
    at += strlen(head);
    const char *end = strstr(at, "\n.TP");
    snprintf(paragraph, sizeof paragraph, "%.*s", (int)(end - at), at);
    for (unsigned i = 0; i < KEYS_MAX && events[event].keys[i]; i++) {
        const char *key = events[event].keys[i];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(key, "?"), key);
        ck_assert_msg(strstr(paragraph, word), "%s of %s is not in the manual", word,
                      events[event].event);
    }
}

START_TEST(the_manual_lists_all_their_keys)
{
    size_t len;
    char *page = trees_read(STT_SPEC_DIR "/../tools/man/sttcat.1", &len);
    ck_assert_ptr_nonnull(strstr(page, ".SH JSON EVENTS"));
    for (unsigned i = 0; i + 2 < EVENTS; i++)
        check_paragraph(page, i);
    ck_assert_ptr_nonnull(strstr(page, ".BR note \", \" error\ntext.\n"));
    ck_assert_ptr_nonnull(strstr(page, "\n.B stats\n"));
    free(page);
}
END_TEST

/* -- words --------------------------------------------------------------------------------------
 */

START_TEST(stats_has_all_numbers_on_both_sides)
{
    static const char *const words[] = {
#define X(name, words) words " ",
        STT_SESSION_STATS(X)
#undef X
    };
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", MIB, 5);
    struct job *l = listener("--stats -N >out"), *c = client("--stats <in");
    job_require(c, DONE);
    job_require(l, DONE);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        ck_assert_msg(says(l, words[i]) && says(c, words[i]), "no '%s' in: %s%s", words[i],
                      l->err.text, c->err.text);
    ck_assert_uint_eq(c->out.bytes, 0);
    l = listener("--stats </dev/zero"); /* of one that fails, too */
    c = client("--stats");
    job_shows(c, "");
    while (c->out.bytes < 100000)
        ck_assert(!job_ends_within(c, STT_MS(1)));
    stop(c);
    job_require(l, PARTIAL);
    ck_assert(says(l, "bytes sent ") && says(c, "bytes received "));
    programs_end(&p);
}
END_TEST

START_TEST(quiet_says_nothing_but_errors)
{
    ck_assert(cats_begin(NULL));
    struct job *l = programs_start(&p, "exec " CAT " -q -l 127.0.0.1 %u", port);
    struct job *c = programs_run(&p, "echo hello | " CAT " -q 127.0.0.1 %u", port);
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_str_eq(l->out.text, "hello\n");
    ck_assert_uint_eq(l->err.bytes + c->err.bytes, 0);
    c = programs_run(&p, CAT " -q -w 100ms 127.0.0.1 %u", port);
    job_require(c, NO_ANSWER);
    ck_assert(says(c, "sttcat: no answer from"));
    programs_end(&p);
}
END_TEST

START_TEST(verbose_says_who_and_how_much_and_both_say_the_same_hash)
{
    char said[100];
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", 3 * MIB, 6);
    struct job *l = listener("-v -N >out"), *c = client("-v --rate 400M <in");
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert(says(l, "connected to 127.0.0.1:") && says(c, ", mode S, "));
    const char *at = strstr(c->err.text, "given 3.00 MiB (");
    ck_assert_msg(at, "%s", c->err.text);
    snprintf(said, sizeof said, "taken %.*s", 9 + 35, at + 6);
    ck_assert_msg(says(l, said), "no '%s': %s", said, l->err.text);
    ck_assert(says(c, "bit/s") && says(l, "bit/s"));
    programs_end(&p);
}
END_TEST

START_TEST(data_is_alone_on_stdout)
{
    static const char *const words[] = {
        "-v",      "-vvv",       "--json",      "--json -v --stats --progress",
        "--stats", "--progress", "--trace t%u", "--keylog k%u",
        "-q"};
    ck_assert(cats_begin(NULL));
    trees_make("in", 100000, 7);
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        char all[100], more[60];
        snprintf(more, sizeof more, words[i], 2 * i);
        struct job *l = programs_start(&p, "exec " CAT " -l %s 127.0.0.1 %u <in >out", more, port);
        snprintf(more, sizeof more, words[i], 2 * i + 1);
        snprintf(all, sizeof all, "%s <in >back", more);
        struct job *c = client(all);
        job_require(c, DONE);
        job_require(l, DONE);
        ck_assert_uint_eq(trees_hash("in"), trees_hash("out"));
        ck_assert_uint_eq(trees_hash("in"), trees_hash("back"));
    }
    programs_end(&p);
}
END_TEST

/* -- traces and keys ----------------------------------------------------------------------------
 */

/* How many records there are, each of them as the schema wants it. */
static unsigned check_trace(const char *path)
{
    size_t len;
    unsigned n = 0;
    char *text = trees_read(path, &len);
    for (char *at = text, *end; at < text + len; at = end + 1, n++) {
        end = memchr(at, '\n', (size_t)(text + len - at));
        ck_assert_msg(end, "%s ends within a record", path);
        size_t bytes = (size_t)(end - at) + 1;
        const char *mistake = n ? qlog_mistake(at, bytes, true) : qlog_head_mistake(at, bytes);
        ck_assert_msg(!mistake, "%s, record %u: %s", path, n, mistake);
    }
    free(text);
    return n;
}

static void mode_is(const char *path, mode_t mode)
{
    struct stat st;
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | mode);
}

START_TEST(a_trace_is_qlog_and_a_new_file)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", MIB, 8);
    struct job *l = listener("--trace there -N >out"), *c = client("--trace here <in");
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_uint_gt(check_trace("here"), 20);
    ck_assert_uint_gt(check_trace("there"), 20);
    uint64_t before = trees_hash("here");
    c = client("--trace here <in"); /* nobody is asked before */
    job_require(c, EXISTS);
    ck_assert(says(c, "here exists, and is not overwritten"));
    ck_assert_uint_eq(trees_hash("here"), before);
    job_require(client("--trace no/such/folder"), LOCAL_IO);
    l = listener("--trace interrupted -k -N");
    job_require(client("-v"), DONE);
    stop(l);
    ck_assert_uint_gt(check_trace("interrupted"), 5);
    programs_end(&p);
}
END_TEST

/* Lines of letters, digits and blanks: which session, which key, and the key. */
static unsigned count_keys(const char *path)
{
    size_t len;
    unsigned n = 0;
    char *text = trees_read(path, &len);
    for (char *at = text, *end; *at; at = end + 1, n++) {
        end = strchr(at, '\n');
        ck_assert_msg(end, "%s ends within a line", path);
        const char *last = end;
        while (last > at && strchr("0123456789abcdef", last[-1]))
            last--;
        ck_assert_msg(end - last == 64, "no key of 32 bytes at its end: %.*s", (int)(end - at), at);
    }
    free(text);
    return n;
}

START_TEST(keys_are_for_their_owner_alone_and_only_when_a_flag_says_so)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l =
        programs_start(&p, "umask 0; exec " CAT " -l -N --keylog there 127.0.0.1 %u", port);
    job_line(l, "listening");
    struct job *c = programs_run(&p,
                                 "umask 0; echo hi | " CAT " --keylog here --trace t "
                                 "127.0.0.1 %u",
                                 port);
    job_require(c, DONE);
    job_require(l, DONE);
    mode_is("here", 0600);
    mode_is("there", 0600);
    mode_is("t", 0600);
    ck_assert_uint_ge(count_keys("here"), 2);
    job_require(programs_run(&p, "cmp here there || { sort here >1; sort there >2; cmp 1 2; }"),
                DONE);
    uint64_t before = trees_hash("here");
    job_require(client("--keylog here"), EXISTS);
    ck_assert_uint_eq(trees_hash("here"), before);
    job_require(programs_run(&p, "ln -s nowhere link"), DONE);
    job_require(client("--keylog link"), EXISTS);
    ck_assert(!trees_exists("nowhere"));

    job_require(programs_run(&p, "mkdir -m 700 $STT_CONFIG_DIR; "
                                 "printf 'keylog = k1\\ntrace = t1\\n' >$STT_CONFIG_DIR/config"),
                DONE);
    l = listener("-N");
    job_require(
        programs_run(
            &p, "echo hi | STT_KEYLOG=k2 STT_TRACE=t2 SSLKEYLOGFILE=k3 " CAT " 127.0.0.1 %u", port),
        DONE);
    job_require(l, DONE);
    ck_assert(!trees_exists("k1") && !trees_exists("k2") && !trees_exists("k3"));
    ck_assert(!trees_exists("t1") && !trees_exists("t2"));
    programs_end(&p);
}
END_TEST

SUITE("reports", LOOP(progress_is_shown_at_a_terminal_and_taken_away, 0, IOS),
      TEST(of_files_it_tells_how_much_is_left), TEST(what_is_said_does_not_mix_with_progress),
      TEST(nor_without_a_terminal_nor_where_somebody_types_nor_when_quiet),
      LOOP(two_people_talk_until_one_of_them_has_said_all, 0, IOS * 2),
      LOOP(the_key_of_an_interrupt_ends_a_talk, 0, IOS * 2),
      LOOP(events_are_those_that_the_manual_lists, 0, IOS), TEST(the_manual_lists_all_their_keys),
      LOOP(stats_has_all_numbers_on_both_sides, 0, IOS), TEST(quiet_says_nothing_but_errors),
      LOOP(verbose_says_who_and_how_much_and_both_say_the_same_hash, 0, IOS),
      TEST(data_is_alone_on_stdout), LOOP(a_trace_is_qlog_and_a_new_file, 0, IOS),
      LOOP(keys_are_for_their_owner_alone_and_only_when_a_flag_says_so, 0, IOS))
