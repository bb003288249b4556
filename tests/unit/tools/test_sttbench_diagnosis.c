/* SPDX-License-Identifier: MIT
 * What limited a run, as a table: the figures of two sides, and the limit that follows. */
#include "tools/sttbench/shared/diagnosis.h"

#include "tests/support/suite.h"

#include <string.h>

#define HELD(name) [STT_HELD_##name]
#define SIDE(cpu, waited)                                                                          \
    {                                                                                              \
        .cpu_percent = (cpu), .waited_percent = (waited)                                           \
    }
#define SLOW SIDE(30, 0)
#define BUSY SIDE(99, 0)

/* Of one session for 10 s, of 100,000 packets, unless it says more. */
static const struct row {
    const char *what;
    enum diagnosis_limit limit;
    const char *says; /* in the sentence */
    struct diagnosis d;
} rows[] = {
    {"nothing happened", DIAGNOSIS_UNKNOWN, "longer run", {.time_ns = STT_S(10)}},
    {"the window",
     DIAGNOSIS_NETWORK,
     "window 80 %",
     {.held_ns = {HELD(WINDOW) = 8, HELD(APPLICATION) = 2}, .sender = SLOW, .receiver = SLOW}},
    {"the pacer, with loss",
     DIAGNOSIS_NETWORK,
     "--cc bbr",
     {.held_ns = {HELD(PACER) = 8, HELD(APPLICATION) = 2},
      .packets_lost = 5000,
      .sender = SLOW,
      .receiver = SLOW}},
    {"a queue",
     DIAGNOSIS_NETWORK,
     "a queue of 30 ms above a round trip of 20 ms",
     {.held_ns = {HELD(WINDOW) = 10},
      .rtt_ns = STT_MS(50),
      .rtt_min_ns = STT_MS(20),
      .sender = SLOW,
      .receiver = SLOW}},
    {"loss that was none",
     DIAGNOSIS_NETWORK,
     "with 0 % of packets lost",
     {.held_ns = {HELD(WINDOW) = 10},
      .packets_lost = 5000,
      .packets_spurious = 5000,
      .sender = SLOW,
      .receiver = SLOW}},
    {"the stream's limit",
     DIAGNOSIS_PEER_BUFFER,
     "receiver's buffer for 60 %",
     {.held_ns = {HELD(STREAM_FLOW) = 6, HELD(WINDOW) = 4}, .sender = SLOW, .receiver = SLOW}},
    {"the limits of stream and session together",
     DIAGNOSIS_PEER_BUFFER,
     "60 %",
     {.held_ns = {HELD(STREAM_FLOW) = 3, HELD(SESSION_FLOW) = 3, HELD(WINDOW) = 4},
      .sender = SLOW,
      .receiver = SLOW}},
    {"the buffer of the sender",
     DIAGNOSIS_SEND_BUFFER,
     "for 70 %",
     {.held_ns = {HELD(APPLICATION) = 8, HELD(WINDOW) = 2},
      .ring_full_ns = 7,
      .sender = SLOW,
      .receiver = SLOW}},
    {"a full buffer while the window held is the window's",
     DIAGNOSIS_NETWORK,
     "window 90 %",
     {.held_ns = {HELD(APPLICATION) = 1, HELD(WINDOW) = 9},
      .ring_full_ns = 9,
      .sender = SLOW,
      .receiver = SLOW}},
    {"a rate that was asked for",
     DIAGNOSIS_APPLICATION,
     "10 Mbit/s",
     {.held_ns = {HELD(APPLICATION) = 9, HELD(MACHINE) = 1},
      .rate_bits_per_s = 1e7,
      .sender = SLOW,
      .receiver = SLOW}},
    {"a rate that was not reached",
     DIAGNOSIS_NETWORK,
     "window 90 %",
     {.held_ns = {HELD(APPLICATION) = 1, HELD(WINDOW) = 9},
      .rate_bits_per_s = 1e7,
      .sender = SLOW,
      .receiver = SLOW}},
    {"nothing to send",
     DIAGNOSIS_APPLICATION,
     "nothing to send for 90 %",
     {.held_ns = {HELD(APPLICATION) = 9, HELD(MACHINE) = 1}, .sender = SLOW, .receiver = SLOW}},
    {"the sender's processor",
     DIAGNOSIS_SENDER_CPU,
     "sender's processor, busy for 99 %",
     {.held_ns = {HELD(WINDOW) = 9}, .sender = BUSY, .receiver = SLOW}},
    {"the receiver's processor",
     DIAGNOSIS_RECEIVER_CPU,
     "receiver's processor, busy for 99 %",
     {.held_ns = {HELD(WINDOW) = 9}, .sender = SLOW, .receiver = BUSY}},
    {"both processors: who has less to spare",
     DIAGNOSIS_RECEIVER_CPU,
     "busy for 99 %",
     {.held_ns = {HELD(WINDOW) = 9}, .sender = SIDE(90, 0), .receiver = BUSY}},
    {"a processor that others use, too",
     DIAGNOSIS_SENDER_CPU,
     "waited for a processor for 40 %",
     {.held_ns = {HELD(WINDOW) = 9}, .sender = SIDE(55, 40), .receiver = SLOW}},
    {"processors of which nothing is known",
     DIAGNOSIS_NETWORK,
     "window",
     {.held_ns = {HELD(WINDOW) = 9}, .sender = SIDE(NAN, NAN), .receiver = SIDE(NAN, NAN)}},
    {"a socket that overflows",
     DIAGNOSIS_RECEIVER_SOCKET,
     "900 of 1000 lost packets",
     {.held_ns = {HELD(WINDOW) = 9},
      .packets_lost = 1000,
      .sender = SLOW,
      .receiver = {.cpu_percent = 50, .waited_percent = 0, .socket_drops = 900}}},
    {"a path that loses more than the socket",
     DIAGNOSIS_NETWORK,
     "window",
     {.held_ns = {HELD(WINDOW) = 9},
      .packets_lost = 10000,
      .sender = SLOW,
      .receiver = {.cpu_percent = 50, .waited_percent = 0, .socket_drops = 900}}},
    {"no memory at the receiver",
     DIAGNOSIS_MEMORY,
     "the receiver had none for 200 packets",
     {.held_ns = {HELD(WINDOW) = 9},
      .sender = BUSY,
      .receiver = {.cpu_percent = 50, .waited_percent = 0, .memory_drops = 200}}},
    {"the interface",
     DIAGNOSIS_INTERFACE,
     "network interface",
     {.held_ns = {HELD(CARRIER) = 6, HELD(WINDOW) = 4}, .sender = SLOW, .receiver = SLOW}},
    {"a machine that does not come to it",
     DIAGNOSIS_SENDER_CPU,
     "sender's machine for 60 %",
     {.held_ns = {HELD(MACHINE) = 6, HELD(WINDOW) = 4}, .sender = SLOW, .receiver = SLOW}},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static struct diagnosis whole(const struct row *row)
{
    struct diagnosis d = row->d;
    for (int by = 0; by < STT_HELD_COUNT; by++)
        d.held_ns[by] *= STT_S(1);
    d.ring_full_ns *= STT_S(1);
    d.time_ns = STT_S(10);
    d.packets_sent = 100000;
    if (!(d.rate_bits_per_s > 0))
        d.rate_bits_per_s = NAN;
    return d;
}

START_TEST(the_figures_lead_to_the_limit)
{
    struct diagnosis d = whole(&rows[_i]);
    char sentence[DIAGNOSIS_ROOM] = "";
    enum diagnosis_limit limit = diagnosis_find(&d, sentence);
    ck_assert_msg(limit == rows[_i].limit, "%s: %s: %s", rows[_i].what, diagnosis_name(limit),
                  sentence);
    ck_assert_msg(strstr(sentence, rows[_i].says) != NULL, "%s: %s", rows[_i].what, sentence);
    ck_assert_int_eq(sentence[strlen(sentence) - 1], '.');
}
END_TEST

START_TEST(sessions_add_up_and_count_from_where_they_were)
{
    struct diagnosis d = DIAGNOSIS_INIT;
    struct stt_session_stats before = {.held_by_window_ns = 5, .packets_sent = 10},
                             now = {.held_by_window_ns = 12,
                                    .held_by_pacer_ns = 3,
                                    .packets_sent = 30,
                                    .packets_lost = 2,
                                    .rtt_ns = 7};
    diagnosis_add(&d, &now, &before);
    diagnosis_add(&d, &now, NULL);
    ck_assert_uint_eq(d.sessions, 2);
    ck_assert_uint_eq(d.held_ns[STT_HELD_WINDOW], 7 + 12);
    ck_assert_uint_eq(d.held_ns[STT_HELD_PACER], 6);
    ck_assert_uint_eq(d.packets_sent, 20 + 30);
    ck_assert_uint_eq(d.packets_lost, 4);
    ck_assert_uint_eq(d.rtt_ns, 7);
}
END_TEST

/* A verb has other options than -s and -c: no sentence of it speaks of theirs. */
START_TEST(a_verb_gives_advice_of_its_own)
{
    static const char *const advice[DIAGNOSIS_N] = {
        [DIAGNOSIS_MEMORY] = "mine",      [DIAGNOSIS_APPLICATION] = "mine",
        [DIAGNOSIS_SENDER_CPU] = "mine",  [DIAGNOSIS_RECEIVER_CPU] = "mine",
        [DIAGNOSIS_SEND_BUFFER] = "mine", DIAGNOSIS_ADVICE_HERE};
    static const char *const theirs[] = {"-A", "-P", "-w", "-b,"};
    struct diagnosis d = whole(&rows[_i]);
    char sentence[DIAGNOSIS_ROOM] = "", room[DIAGNOSIS_ROOM] = "";
    enum diagnosis_limit limit = diagnosis_find(&d, room);
    d.advice = advice;
    ck_assert_int_eq(diagnosis_find(&d, sentence), limit);
    ck_assert_int_eq(strncmp(sentence, room, strcspn(room, ";")), 0);
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        ck_assert_msg(!strstr(sentence, theirs[i]), "%s: %s", rows[_i].what, sentence);
}
END_TEST

START_TEST(every_limit_has_a_name)
{
    static const char *const names[] = {
#define X(name, key) key,
        DIAGNOSIS_LIMITS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_str_eq(diagnosis_name((enum diagnosis_limit)i), names[i]);
    ck_assert_str_eq(diagnosis_name((enum diagnosis_limit)99), "unknown");
}
END_TEST

SUITE("sttbench_diagnosis", LOOP(the_figures_lead_to_the_limit, 0, ROWS),
      TEST(sessions_add_up_and_count_from_where_they_were), TEST(every_limit_has_a_name),
      LOOP(a_verb_gives_advice_of_its_own, 0, ROWS))
