/* SPDX-License-Identifier: MIT
 * The smallest scenarios: what every other one takes for granted. */
#include "tests/support/flows.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};

START_TEST(two_endpoints_connect_in_the_round_trips_of_their_mode)
{
    const stt_ns client_ms[] = {40, 80, 160};
    struct world w = world_pair(.one_way_ms = 20);
    world_connect(&w, modes[_i]);
    world_require(&w, w.client->connected_at <= STT_MS(client_ms[_i]));
    world_end(&w);
}
END_TEST

/* Everything that can go wrong on the way does. */
static const struct stt_link_config rough = {.jitter_ns = STT_MS(3),
                                             .loss_ppm = 50000,
                                             .corrupt_ppm = 10000,
                                             .duplicate_ppm = 50000,
                                             .reorder_ppm = 50000,
                                             .reorder_ns = STT_MS(30)};

static void move_data(struct flows *f, struct world *w)
{
    flows_init(f, w);
    f->server.reply_bytes = 5;
    for (unsigned i = 0; i < 3; i++)
        flows_open(f, &f->client, &(struct flow){.to_write = 5 * i * i, .messages = i & 1});
    (void)!stt_session_update_keys(f->client.ep, stt_sim_now(w->sim), w->client->session);
    flows_run_for(f, STT_S(2));
}

/* A handshake in one of the modes, streams, new keys, an end; the hash is of every datagram, byte
 * for byte, with its time and its fate. */
static uint64_t hash_of(uint64_t seed)
{
    struct flows f = {0};
    struct world w = world_pair(.seed = seed, .one_way_ms = 20, .rate_bits_per_s = 10000000,
                                .queue_bytes = 20000, .ipv6 = seed & 1, .link = rough);
    world_connect_begin(&w, modes[seed % 3]);
    world_require(&w, world_run_until(&w, both_connected, STT_S(10)));
    move_data(&f, &w);
    uint64_t hash = stt_sim_hash(w.sim);
    flows_end(&f);
    return hash;
}

START_TEST(the_same_seed_tells_the_same_story_1000_times_of_1000)
{
    uint64_t before = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        uint64_t hash = hash_of(seed);
        ck_assert_uint_eq(hash_of(seed), hash);
        ck_assert_uint_ne(hash, before);
        before = hash;
    }
}
END_TEST

/* -- another process: its memory is elsewhere, and nothing may depend on that -------------------
 */

static const char *program;

static uint64_t hash_of_all(void)
{
    uint64_t sum = 0;
    for (uint64_t seed = 1; seed <= 100; seed++)
        sum = sum * 31 + hash_of(seed);
    return sum;
}

/* The line that begins with "hash " among all that it says. */
static void ask_another(char *line, size_t room)
{
    char command[512];
    snprintf(command, sizeof command, "STT_PRINT_HASH=1 CK_RUN_CASE=%s '%s'",
             "the_same_seed_tells_the_same_story_in_another_process", program);
    FILE *other = popen(command, "r");
    ck_assert_ptr_nonnull(other);
    char text[80];
    while (fgets(text, sizeof text, other))
        if (memcmp(text, "hash ", 5) == 0)
            snprintf(line, room, "%s", text);
    ck_assert_int_eq(pclose(other), 0);
}

START_TEST(the_same_seed_tells_the_same_story_in_another_process)
{
    char expected[80], answer[80] = "";
    snprintf(expected, sizeof expected, "hash %016llx\n", (unsigned long long)hash_of_all());
    if (getenv("STT_PRINT_HASH")) {
        printf("%s", expected);
        return;
    }
    ask_another(answer, sizeof answer);
    ck_assert_str_eq(answer, expected);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        LOOP(two_endpoints_connect_in_the_round_trips_of_their_mode, 0, 3),
        TEST(the_same_seed_tells_the_same_story_1000_times_of_1000),
        TEST(the_same_seed_tells_the_same_story_in_another_process)};
    program = argc ? argv[0] : "";
    return suite_run("world", tests, sizeof tests / sizeof tests[0]);
}
