/* SPDX-License-Identifier: MIT */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/base/bytes.h"
#include "stt/endpoint.h"
#include "stt/wire/limits.h"
#include "tests/support/suite.h"

#include <string.h>

static struct stt_config good(void)
{
    struct stt_config c = STT_CONFIG_INIT;
    c.identity.secret[0] = 1;
    memcpy(c.application, "test/1", 7);
    return c;
}

static const struct stt_aead_suite *suite(uint8_t id)
{
    return stt_aead_by_id(id, UINT32_MAX);
}

/* One change to a configuration that is right, and what the sentence about it speaks of; NULL: it
 * is still right. */
struct change {
    void (*make)(struct stt_config *c);
    const char *about;
};

#define CHANGE(name, about, ...)                                                                   \
    static void name(struct stt_config *c)                                                         \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }
#define CHANGES(X)                                                                                 \
    X(nothing, NULL, (void)c)                                                                      \
    X(older_size, "size", c->size -= 8)                                                            \
    X(no_size, "size", c->size = 0)                                                                \
    X(no_application, "application", c->application[0] = 0)                                        \
    X(blank_in_application, "application", c->application[1] = ' ')                                \
    X(high_bit_in_application, "application", c->application[1] = (char)0xe4)                      \
    X(endless_application, "application", memset(c->application, 'a', sizeof c->application))      \
    X(longest_application, NULL, memset(c->application, '~', STT_APPLICATION_MAX))                 \
    X(five_seeds, "n_seeds", memset(c->seeds, 1, sizeof c->seeds); c->n_seeds = 5)                 \
    X(four_seeds, NULL, memset(c->seeds, 1, sizeof c->seeds); c->n_seeds = 4)                      \
    X(zero_seed, "zeros", c->n_seeds = 1)                                                          \
    X(second_seed_zero, "zeros", c->seeds[0][31] = 1; c->n_seeds = 2)                              \
    X(seed_without_need, "require_seed", c->require_seed = true)                                   \
    X(s_without_seed, "mode S", c->accept = STT_ACCEPT(STT_MODE_S))                                \
    X(s_with_seed, NULL, c->accept = STT_ACCEPT(STT_MODE_S); c->seeds[0][0] = 1; c->n_seeds = 1)   \
    X(all_modes_but_q, NULL, c->seeds[0][0] = 1; c->n_seeds = 1; c->accept = 0xe)                  \
    X(mode_q, "accept", c->accept = STT_ACCEPT(STT_MODE_Q))                                        \
    X(mode_0, "accept", c->accept = STT_ACCEPT(0))                                                 \
    X(no_streams, "max_streams", c->max_streams = 0)                                               \
    X(short_grain, "max_frame_bytes", c->max_frame_bytes = 1023)                                   \
    X(shortest_grain, NULL, c->max_frame_bytes = 1024)                                             \
    X(long_grain, "max_frame_bytes", c->max_frame_bytes = 65537)                                   \
    X(longest_grain, NULL, c->max_frame_bytes = 65536)                                             \
    X(small_window, "stream_window_bytes", c->stream_window_bytes = 4095)                          \
    X(window_above_its_max, "stream_window_max", c->stream_window_max = 65535)                     \
    X(session_window_below, "session_window_bytes", c->session_window_bytes = 65535)               \
    X(session_window_above_its_max, "session_window_max", c->session_window_max = 262143)          \
    X(short_ring, "send_ring_bytes", c->send_ring_bytes = 4095)                                    \
    X(little_memory, "stream_memory_max", c->stream_memory_max = (1u << 20) - 1)                   \
    X(small_packet, "packet_bytes", c->packet_bytes = 1199)                                        \
    X(large_packet, "packet_bytes", c->packet_bytes = 65508)                                       \
    X(largest_packet, NULL, c->packet_bytes = 65507)                                               \
    X(small_packet_max, "packet_bytes_max", c->packet_bytes_max = 1199)                            \
    X(large_packet_max, "packet_bytes_max", c->packet_bytes_max = 65508)                           \
    X(no_congestion, "congestion", c->congestion = NULL)                                           \
    X(unknown_congestion, "congestion", c->congestion = "reno")                                    \
    X(long_datagrams, "max_datagram_bytes", c->max_datagram_bytes = 65508)                         \
    X(no_datagrams, NULL, c->max_datagram_bytes = 0)                                               \
    X(preset_balanced, NULL, (void)!stt_config_preset(c, "balanced"))                              \
    X(preset_low_latency, NULL, (void)!stt_config_preset(c, "low-latency"))                        \
    X(preset_high_throughput, NULL, (void)!stt_config_preset(c, "high-throughput"))                \
    X(long_network, "network_bytes", c->network_bytes = 33)                                        \
    X(longest_network, NULL, c->network_bytes = 32)                                                \
    X(nine_suites, "n_suites", c->n_suites = 9)                                                    \
    X(missing_suite, "suites", c->n_suites = 1)                                                    \
    X(suite_twice, "suites", c->n_suites = 2; c->suites[0] = c->suites[1] = suite(4))              \
    X(two_suites, NULL, c->n_suites = 2; c->suites[0] = suite(4); c->suites[1] = suite(1))         \
    X(nobody, "identity", memset(&c->identity, 0, sizeof c->identity))                             \
    X(no_workers, "workers", c->workers = 0)                                                       \
    X(many_workers, "workers", c->workers = 257)                                                   \
    X(last_worker, NULL, c->workers = 256; c->worker = 255)                                        \
    X(worker_beyond, "worker", c->worker = 1)                                                      \
    X(hasty, "idle_timeout_ns", c->idle_timeout_ns = STT_S(1) - 1)                                 \
    X(hastiest, NULL, c->idle_timeout_ns = STT_S(1))                                               \
    X(patient, "idle_timeout_ns", c->idle_timeout_ns = STT_S(3600) + 1)                            \
    X(most_patient, NULL, c->idle_timeout_ns = STT_S(3600))                                        \
    X(chatty, "keep_alive_ns", c->keep_alive_ns = STT_MS(50) - 1)                                  \
    X(chattiest, NULL, c->keep_alive_ns = STT_MS(50))                                              \
    X(silent, NULL, c->keep_alive_ns = STT_NEVER)                                                  \
    X(handshake_at_once, "handshake_ns", c->handshake_ns = STT_MS(100) - 1)                        \
    X(endless_handshake, "handshake_ns", c->handshake_ns = STT_S(60) + 1)                          \
    X(no_sessions, "max_sessions", c->max_sessions = 0)                                            \
    X(all_sessions, "max_sessions", c->max_sessions = 10000001)                                    \
    X(no_half_open, "max_half_open", c->max_half_open = 0)                                         \
    X(all_half_open, "max_half_open", c->max_half_open = 1000001)                                  \
    X(no_prefix, "max_half_open_per_prefix", c->max_half_open_per_prefix = 0)                      \
    X(no_peer, "max_half_open_per_peer", c->max_half_open_per_peer = 0)                            \
    X(no_work, "handshake_work_percent", c->handshake_work_percent = 0)                            \
    X(more_than_all_work, "handshake_work_percent", c->handshake_work_percent = 101)               \
    X(no_handshakes, "handshakes_per_second", c->handshakes_per_second = 0)                        \
    X(no_prefix_handshakes, "handshakes_per_prefix", c->handshakes_per_prefix_second = 0)

CHANGES(CHANGE)

static const struct change changes[] = {
#define X(name, about, ...) {name, about},
    CHANGES(X)
#undef X
};
enum { N_CHANGES = sizeof changes / sizeof changes[0] };

START_TEST(each_mistake_is_named_and_what_is_allowed_is_allowed)
{
    char why[STT_CONFIG_WHY_ROOM] = "?";
    struct stt_config c = good();
    changes[_i].make(&c);
    int error = stt_config_check(&c, why, sizeof why);
    if (!changes[_i].about) {
        ck_assert_msg(error == STT_OK && why[0] == 0, "refused: %s", why);
        return;
    }
    ck_assert_int_eq(error, STT_E_ARGUMENT);
    ck_assert_msg(strstr(why, changes[_i].about), "\"%s\" does not speak of %s", why,
                  changes[_i].about);
}
END_TEST

START_TEST(a_sentence_is_cut_to_the_room_that_there_is)
{
    char whole[STT_CONFIG_WHY_ROOM], why[STT_CONFIG_WHY_ROOM + 1];
    struct stt_config c = good();
    c.workers = 0;
    ck_assert_int_eq(stt_config_check(&c, whole, sizeof whole), STT_E_ARGUMENT);
    for (size_t room = 0; room <= STT_CONFIG_WHY_ROOM; room++) {
        memset(why, '#', sizeof why);
        ck_assert_int_eq(stt_config_check(&c, why, room), STT_E_ARGUMENT);
        ck_assert_int_eq(why[room], '#');
        size_t shown = room == 0 ? 0 : strnlen(whole, room - 1);
        ck_assert(memcmp(why, whole, shown) == 0 && (room == 0 || why[shown] == 0));
    }
}
END_TEST

START_TEST(every_sentence_fits_in_the_room_that_is_promised)
{
    char why[4 * STT_CONFIG_WHY_ROOM];
    for (size_t i = 0; i < N_CHANGES; i++) {
        struct stt_config c = good();
        changes[i].make(&c);
        (void)!stt_config_check(&c, why, sizeof why);
        ck_assert_uint_lt(strlen(why), STT_CONFIG_WHY_ROOM);
    }
}
END_TEST

/* limits.h is held against the spec; what people get is this. */
START_TEST(the_defaults_are_those_of_the_spec)
{
    struct stt_config c = STT_CONFIG_INIT;
    ck_assert_uint_eq(c.keep_alive_ns, STT_KEEP_ALIVE_NS_DEFAULT);
    ck_assert_uint_eq(c.idle_timeout_ns, STT_MS(STT_IDLE_TIMEOUT_MS_DEFAULT));
    ck_assert_uint_eq(c.handshake_ns, STT_HANDSHAKE_GIVE_UP_NS);
    ck_assert_uint_eq(c.max_half_open, STT_HALF_OPEN_MAX_DEFAULT);
    ck_assert_uint_eq(c.max_half_open_per_prefix, STT_HALF_OPEN_PER_32);
    ck_assert_uint_eq(c.max_half_open_per_prefix, STT_HALF_OPEN_PER_64);
    ck_assert_uint_eq(c.max_half_open_per_peer, STT_HALF_OPEN_PER_PEER);
    ck_assert_uint_eq(c.handshake_work_percent, STT_HANDSHAKE_CORE_PERCENT);
    ck_assert_uint_eq(c.max_streams, STT_STREAMS_DEFAULT);
    ck_assert_uint_eq(c.max_frame_bytes, STT_FRAME_BYTES_DEFAULT);
    ck_assert_uint_eq(c.stream_window_bytes, STT_STREAM_WINDOW_DEFAULT);
    ck_assert_uint_eq(c.stream_window_max, STT_STREAM_WINDOW_MAX);
    ck_assert_uint_eq(c.session_window_bytes, STT_SESSION_WINDOW_DEFAULT);
    ck_assert_uint_eq(c.session_window_max, STT_SESSION_WINDOW_MAX);
    ck_assert_uint_eq(c.send_ring_bytes, STT_SEND_RING_DEFAULT);
    ck_assert_uint_eq(c.packet_bytes, STT_DATAGRAM_BYTES_MIN);
}
END_TEST

START_TEST(the_balanced_preset_is_the_default_and_an_unknown_one_changes_nothing)
{
    struct stt_config c = good(), d = good();
    ck_assert_int_eq(stt_config_preset(&c, "balanced"), STT_OK);
    ck_assert_mem_eq(&c, &d, sizeof c);
    ck_assert_int_eq(stt_config_preset(&c, "fast"), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_config_preset(&c, NULL), STT_E_ARGUMENT);
    ck_assert_mem_eq(&c, &d, sizeof c);
}
END_TEST

START_TEST(every_reason_has_a_sentence_of_its_own)
{
    for (int i = STT_REASON_NONE; i <= STT_REASON_NO_ADDRESS; i++) {
        const char *text = stt_reason_text((enum stt_reason)i);
        ck_assert_msg(strcmp(text, "unknown reason") != 0, "reason %d", i);
        ck_assert_int_ne(text[strlen(text) - 1], '.');
        for (int j = STT_REASON_NONE; j < i; j++)
            ck_assert_str_ne(text, stt_reason_text((enum stt_reason)j));
    }
    ck_assert_str_eq(stt_reason_text((enum stt_reason)(STT_REASON_NO_ADDRESS + 1)),
                     "unknown reason");
    ck_assert_str_eq(stt_reason_text((enum stt_reason) - 1), "unknown reason");
}
END_TEST

SUITE("config", LOOP(each_mistake_is_named_and_what_is_allowed_is_allowed, 0, N_CHANGES),
      TEST(a_sentence_is_cut_to_the_room_that_there_is),
      TEST(every_sentence_fits_in_the_room_that_is_promised),
      TEST(the_defaults_are_those_of_the_spec),
      TEST(the_balanced_preset_is_the_default_and_an_unknown_one_changes_nothing),
      TEST(every_reason_has_a_sentence_of_its_own))
