/* SPDX-License-Identifier: MIT
 * The tables of the spec and the fields of the structs are the same; and what a session that has
 * hardly begun, or has ended, tells of itself. */
#include "stt/stats.h"

#include "stt/streams.h"
#include "tests/support/duo.h"
#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

/* -- the spec ---------------------------------------------------------------------------------- */

struct field {
    const char *name, *words;
    bool seen;
};

/* Those of "`a`, `b`" are among the fields, each for the first time. */
static void take_names(const char *cell, struct field *fields, size_t n)
{
    char name[64];
    int len;
    while (sscanf(cell, "`%63[a-z_0-9]`%n", name, &len) == 1) {
        size_t i = 0;
        while (i < n && strcmp(fields[i].name, name) != 0)
            i++;
        ck_assert_msg(i < n, "the code has no '%s'", name);
        ck_assert_msg(!fields[i].seen, "'%s' stands twice in the spec", name);
        fields[i].seen = true;
        cell += len;
        cell += strspn(cell, ", ");
    }
    ck_assert_str_eq(cell, "");
}

static void take_table(const char *head, struct field *fields, size_t n)
{
    struct spec_table t;
    spec_table_init(&t, "06-recovery.md", head);
    for (size_t i = 0; i < t.rows; i++)
        take_names(t.cell[i][0], fields, n);
    spec_table_fini(&t);
}

static void require_all(const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(fields[i].seen, "the spec has no '%s'", fields[i].name);
        ck_assert_uint_gt(strlen(fields[i].words), 3);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(fields[i].words, fields[k].words);
    }
}

#define X(name, words) {#name, words, false},
START_TEST(the_statistics_of_a_session_are_those_of_the_spec)
{
    struct field fields[] = {STT_SESSION_STATS(X)};
    size_t n = sizeof fields / sizeof fields[0];
    ck_assert_uint_eq(sizeof(struct stt_session_stats), n * sizeof(uint64_t));
    take_table("| statistic | meaning |", fields, n);
    take_table("| held by |", fields, n);
    require_all(fields, n);
}
END_TEST

START_TEST(the_statistics_of_a_stream_are_those_of_the_spec)
{
    struct field fields[] = {STT_STREAM_STATS(X)};
    size_t n = sizeof fields / sizeof fields[0];
    take_table("| of a stream |", fields, n);
    require_all(fields, n);
}
END_TEST

/* The order decides which one counts. */
START_TEST(what_holds_back_has_the_order_of_the_spec)
{
    struct field fields[] = {STT_HELD_BY(STT_HELD_STAT, X)};
    struct spec_table t;
    char quoted[64];
    spec_table_init(&t, "06-recovery.md", "| held by |");
    ck_assert_uint_eq(t.rows, STT_HELD_COUNT);
    ck_assert_uint_eq(sizeof fields / sizeof fields[0], STT_HELD_COUNT);
    for (size_t i = 0; i < t.rows; i++) {
        snprintf(quoted, sizeof quoted, "`%s`", fields[i].name);
        ck_assert_str_eq(t.cell[i][0], quoted);
    }
    spec_table_fini(&t);
}
END_TEST
#undef X

/* -- sessions that do little ------------------------------------------------------------------- */

static struct duo duo;

static struct duo *connected(void)
{
    duo_init(&duo, 1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    return &duo;
}

static struct stt_session_stats stats_of(const struct duo_side *side)
{
    struct stt_session_stats stats;
    ck_assert_int_eq(stt_session_stats(side->ep, duo.now, side->session, &stats), STT_OK);
    return stats;
}

START_TEST(a_session_without_a_stream_is_held_by_its_application)
{
    struct duo *d = connected();
    stt_ns before = stats_of(&d->client).age_ns;
    duo_run_for(d, STT_S(100));
    struct stt_session_stats s = stats_of(&d->client);
    ck_assert_uint_eq(s.age_ns, before + STT_S(100));
    ck_assert_uint_eq(s.held_by_application_ns, s.age_ns);
    ck_assert_uint_gt(s.packets_sent, 4); /* keep-alives */
    ck_assert_uint_eq(s.packets_sent, stats_of(&d->server).packets_received);
    ck_assert_uint_eq(s.packet_bytes, d->client.config.packet_bytes);
    ck_assert_uint_eq(s.streams_open + s.window_bytes + s.bytes_delivered + s.bytes_consumed, 0);
    duo_end(d);
}
END_TEST

START_TEST(time_before_the_first_stream_counts_for_the_application)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    struct duo *d = connected();
    duo_run_for(d, STT_S(100));
    ck_assert_int_eq(stt_stream_open(d->client.ep, d->now, d->client.session, &options, &stream),
                     STT_OK);
    struct stt_session_stats s = stats_of(&d->client);
    ck_assert_uint_ge(s.age_ns, STT_S(100));
    ck_assert_uint_eq(s.held_by_application_ns, s.age_ns);
    ck_assert_uint_eq(s.streams_open, 1);
    ck_assert_uint_eq(s.window_bytes, 10 * s.packet_bytes);
    duo_end(d);
}
END_TEST

START_TEST(a_session_that_is_not_open_yet_has_no_age)
{
    duo_init(&duo, 1);
    duo_start(&duo);
    ck_assert_int_eq(duo_begin(&duo, STT_MODE_K), STT_OK);
    duo_run_apart(&duo, STT_S(2));
    ck_assert_uint_eq(stats_of(&duo.client).age_ns, 0);
    ck_assert_uint_eq(stats_of(&duo.client).packets_sent, 0);
    duo_end(&duo);
}
END_TEST

/* Writes into a stream, and nothing is sent: its machine is not called. */
static stt_handle write_some(struct duo *d, size_t len)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    static const uint8_t data[60000];
    size_t written;
    ck_assert_int_eq(stt_stream_open(d->client.ep, d->now, d->client.session, &options, &stream),
                     STT_OK);
    ck_assert_int_eq(stt_stream_write(d->client.ep, d->now, stream, data, len, &written), STT_OK);
    return stream;
}

START_TEST(an_endpoint_that_is_not_called_is_what_holds)
{
    struct duo *d = connected();
    d->now += STT_MS(5);
    struct stt_session_stats before = stats_of(&d->client);
    write_some(d, 3000);
    d->now += STT_MS(70);
    struct stt_session_stats s = stats_of(&d->client);
    ck_assert_uint_eq(s.held_by_machine_ns, STT_MS(70));
    ck_assert_uint_eq(s.held_by_application_ns, before.age_ns);
    duo_exchange(d);
    d->now += STT_MS(30);
    ck_assert_uint_eq(stats_of(&d->client).held_by_machine_ns, STT_MS(70));
    ck_assert_uint_eq(stats_of(&d->client).held_by_application_ns, before.age_ns + STT_MS(30));
    duo_end(d);
}
END_TEST

START_TEST(after_an_ack_has_freed_the_window_the_machine_holds)
{
    struct duo *d = connected();
    duo_exchange(d);
    write_some(d, 60000);
    for (int i = 0; i < 40; i++) { /* until the pacer, too, has nothing against it */
        while (duo_carry(d, &d->client))
            ;
        d->now += STT_MS(1);
    }
    struct stt_session_stats before = stats_of(&d->client);
    ck_assert_uint_gt(before.held_by_window_ns, STT_MS(20));
    ck_assert_uint_ge(before.in_flight_bytes + before.packet_bytes, before.window_bytes);
    ck_assert(duo_carry(d, &d->server));
    d->now += STT_MS(20);
    struct stt_session_stats after = stats_of(&d->client);
    ck_assert_uint_eq(after.held_by_window_ns, before.held_by_window_ns);
    ck_assert_uint_eq(after.held_by_machine_ns, before.held_by_machine_ns + STT_MS(20));
    duo_end(d);
}
END_TEST

START_TEST(after_the_end_the_age_stands_still_and_adds_up)
{
    struct duo *d = connected();
    write_some(d, 3000);
    d->now += STT_MS(70);
    ck_assert_int_eq(stt_session_close(d->client.ep, d->now, d->client.session, 0, NULL), STT_OK);
    struct stt_session_stats at_end = stats_of(&d->client);
    d->now += STT_S(1);
    struct stt_session_stats later = stats_of(&d->client);
    ck_assert_uint_eq(later.age_ns, at_end.age_ns);
    ck_assert_uint_eq(later.held_by_machine_ns, STT_MS(70));
    ck_assert_uint_eq(later.held_by_machine_ns + later.held_by_application_ns, later.age_ns);
    duo_end(d);
}
END_TEST

START_TEST(what_is_flushed_after_the_end_changes_nothing)
{
    struct duo *d = connected();
    stt_handle stream = write_some(d, 10); /* waits for company */
    d->now += STT_MS(1);
    ck_assert_int_eq(stt_session_close(d->client.ep, d->now, d->client.session, 0, NULL), STT_OK);
    d->now += STT_S(1);
    ck_assert_int_eq(stt_stream_flush(d->client.ep, d->now, stream), STT_OK);
    d->now += STT_S(1);
    struct stt_session_stats s = stats_of(&d->client);
    ck_assert_uint_lt(s.age_ns, STT_S(1));
    ck_assert_uint_eq(s.held_by_application_ns, s.age_ns);
    ck_assert_uint_eq(s.held_by_machine_ns, 0);
    duo_end(d);
}
END_TEST

START_TEST(a_stale_handle_has_no_statistics)
{
    struct stt_session_stats stats;
    struct duo *d = connected();
    ck_assert_int_eq(stt_session_stats(d->client.ep, d->now, 0, &stats), STT_E_STALE);
    ck_assert_int_eq(stt_session_stats(d->client.ep, d->now, UINT64_MAX, &stats), STT_E_STALE);
    duo_end(d);
}
END_TEST

/* -- drops, each at its own counter ------------------------------------------------------------ */

static struct stt_train ping(struct duo *d, uint8_t *room)
{
    struct stt_train train;
    ck_assert_int_eq(stt_session_ping(d->client.ep, d->now, d->client.session), STT_OK);
    ck_assert(duo_transmit(d, &d->client, room, &train));
    return train;
}

START_TEST(packets_that_are_dropped_count_by_their_reason)
{
    uint8_t room[DUO_ROOM];
    struct duo *d = connected();
    struct stt_train train = ping(d, room);
    for (int i = 0; i < 3; i++)
        duo_deliver(d, &d->server, NULL, &train);
    ck_assert_uint_eq(stats_of(&d->server).dropped_replayed_packet, 2);
    train = ping(d, room);
    train.data[train.len - 1] ^= 1;
    duo_deliver(d, &d->server, NULL, &train);
    struct stt_session_stats s = stats_of(&d->server);
    ck_assert_uint_eq(s.dropped_bad_tag, 1);
    ck_assert_uint_eq(s.dropped_no_key, 0);
    ck_assert_uint_eq(s.packets_dropped, 3);
    duo_end(d);
}
END_TEST

START_TEST(a_packet_of_an_epoch_that_is_forgotten_has_no_key)
{
    uint8_t room[DUO_ROOM], copy[DUO_ROOM];
    struct duo *d = connected();
    duo_exchange(d);
    struct stt_train late = ping(d, room);
    memcpy(copy, late.data, late.len);
    late.data = copy;
    ck_assert_int_eq(stt_session_update_keys(d->client.ep, d->now, d->client.session), STT_OK);
    duo_exchange(d);
    duo_run_for(d, STT_S(10));
    duo_deliver(d, &d->server, NULL, &late);
    ck_assert_uint_eq(stats_of(&d->server).dropped_no_key, 1);
    ck_assert_uint_eq(stats_of(&d->server).packets_dropped, 1);
    ck_assert_uint_eq(stats_of(&d->server).epochs, 1);
    ck_assert_uint_eq(stats_of(&d->client).epochs, 1);
    duo_end(d);
}
END_TEST

SUITE("stats", TEST(the_statistics_of_a_session_are_those_of_the_spec),
      TEST(the_statistics_of_a_stream_are_those_of_the_spec),
      TEST(what_holds_back_has_the_order_of_the_spec),
      TEST(a_session_without_a_stream_is_held_by_its_application),
      TEST(time_before_the_first_stream_counts_for_the_application),
      TEST(a_session_that_is_not_open_yet_has_no_age),
      TEST(an_endpoint_that_is_not_called_is_what_holds),
      TEST(after_an_ack_has_freed_the_window_the_machine_holds),
      TEST(after_the_end_the_age_stands_still_and_adds_up),
      TEST(what_is_flushed_after_the_end_changes_nothing), TEST(a_stale_handle_has_no_statistics),
      TEST(packets_that_are_dropped_count_by_their_reason),
      TEST(a_packet_of_an_epoch_that_is_forgotten_has_no_key))
