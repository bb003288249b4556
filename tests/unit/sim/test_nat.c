/* SPDX-License-Identifier: MIT */
#include "tests/support/raw.h"
#include "tests/support/suite.h"

#include <string.h>

/* Two hosts behind one NAT, two servers outside, and links of 10 ms. */
struct home {
    struct stt_sim *sim;
    struct raw inside[2], server[2];
    stt_sim_nat nat;
};

static struct home home_new(struct stt_nat_config config)
{
    struct home h = {.sim = raw_world(3)};
    struct stt_address outside = stt_sim_ipv4(500, 1);
    memcpy(config.outside_ip, outside.ip, sizeof outside.ip);
    h.nat = stt_sim_nat_add(h.sim, &config);
    for (uint32_t i = 0; i < 2; i++) {
        h.inside[i] = raw_add(h.sim, 10 + i);
        h.server[i] = raw_add(h.sim, 20 + i);
        stt_sim_nat_inside(h.sim, h.nat, &h.inside[i].address);
        stt_sim_link way =
            stt_sim_link_add(h.sim, &(struct stt_link_config){.delay_ns = STT_MS(10)});
        struct stt_path out = {.local = outside, .remote = h.server[i].address};
        struct stt_path back = {.local = h.server[i].address, .remote = outside};
        stt_sim_route(h.sim, &out, &way, 1);
        stt_sim_route(h.sim, &back, &way, 1);
    }
    return h;
}

static void home_free(struct home *h)
{
    stt_sim_free(h->sim);
    for (size_t i = 0; i < 2; i++) {
        raw_free(&h->inside[i]);
        raw_free(&h->server[i]);
    }
}

static void wait_ms(struct home *h, uint64_t ms)
{
    ck_assert(stt_sim_run_until(h->sim, stt_sim_now(h->sim) + STT_MS(ms)));
}

/* As the server sees the host now. */
static struct stt_address ask(struct home *h, size_t inside, size_t server)
{
    raw_send(h->sim, &h->inside[inside], &h->server[server], 100);
    wait_ms(h, 10);
    const struct raw_log *log = h->server[server].log;
    return log->seen[log->n - 1].from;
}

/* Whether what a server sends to this address arrives at the host. */
static bool answer(struct home *h, size_t server, size_t inside, const struct stt_address *to)
{
    size_t before = h->inside[inside].log->n;
    raw_send_to(h->sim, &h->server[server], to, 100, 0);
    wait_ms(h, 10);
    return h->inside[inside].log->n == before + 1;
}

START_TEST(a_nat_shows_its_own_address_and_lets_answers_in)
{
    struct home h = home_new((struct stt_nat_config){0});
    struct stt_address seen = ask(&h, 0, 0), outside = stt_sim_ipv4(500, 1);
    ck_assert_int_eq(memcmp(seen.ip, outside.ip, sizeof seen.ip), 0);
    ck_assert_uint_ge(seen.port, 1024);
    ck_assert(answer(&h, 0, 0, &seen));
    struct raw_seen got = h.inside[0].log->seen[0];
    ck_assert_uint_eq(got.to.port, RAW_PORT);
    ck_assert_int_eq(memcmp(got.to.ip, h.inside[0].address.ip, 16), 0);
    ck_assert_int_eq(memcmp(got.from.ip, h.server[0].address.ip, 16), 0);
    home_free(&h);
}
END_TEST

START_TEST(two_hosts_get_two_ports)
{
    struct home h = home_new((struct stt_nat_config){0});
    struct stt_address first = ask(&h, 0, 0), second = ask(&h, 1, 0);
    ck_assert_uint_ne(first.port, second.port);
    ck_assert(answer(&h, 0, 0, &first));
    ck_assert(answer(&h, 0, 1, &second));
    home_free(&h);
}
END_TEST

START_TEST(one_host_keeps_its_port_for_all_servers_unless_symmetric)
{
    struct home h = home_new((struct stt_nat_config){.symmetric = _i == 1});
    struct stt_address first = ask(&h, 0, 0), second = ask(&h, 0, 1);
    ck_assert_int_eq(first.port != second.port, _i == 1);
    ck_assert(answer(&h, 0, 0, &first));
    ck_assert(answer(&h, 1, 0, &second));
    home_free(&h);
}
END_TEST

START_TEST(the_unasked_are_refused_unless_the_nat_is_open)
{
    struct home h = home_new((struct stt_nat_config){.is_open = _i == 1});
    struct stt_address seen = ask(&h, 0, 0), other = seen;
    other.port ^= 1;
    ck_assert_int_eq(answer(&h, 1, 0, &seen), _i == 1);
    ck_assert(!answer(&h, 0, 0, &other));
    ck_assert_uint_eq(stt_sim_nat_stats(h.sim, h.nat).refused, _i == 1 ? 1 : 2);
    ck_assert_uint_eq(stt_sim_stats(h.sim).nat_refused, _i == 1 ? 1 : 2);
    home_free(&h);
}
END_TEST

START_TEST(a_mapping_dies_of_silence_and_is_kept_by_going_out)
{
    struct home h = home_new((struct stt_nat_config){.idle_ns = STT_S(30)});
    struct stt_address seen = ask(&h, 0, 0);
    wait_ms(&h, 29900);
    struct stt_address still = ask(&h, 0, 0);
    ck_assert_uint_eq(seen.port, still.port);
    wait_ms(&h, 29900);
    ck_assert(answer(&h, 0, 0, &seen)); /* which does not refresh it */
    wait_ms(&h, 100);
    ck_assert(!answer(&h, 0, 0, &seen));
    struct stt_address next = ask(&h, 0, 0);
    ck_assert_uint_ne(next.port, seen.port);
    ck_assert_uint_eq(stt_sim_nat_stats(h.sim, h.nat).mappings, 2);
    home_free(&h);
}
END_TEST

START_TEST(rebinding_changes_the_port_and_closes_the_old_one)
{
    struct home h = home_new((struct stt_nat_config){0});
    struct stt_address seen = ask(&h, 0, 0);
    stt_sim_nat_rebind(h.sim, h.nat);
    ck_assert(!answer(&h, 0, 0, &seen));
    struct stt_address next = ask(&h, 0, 0);
    ck_assert_uint_ne(next.port, seen.port);
    ck_assert(answer(&h, 0, 0, &next));
    home_free(&h);
}
END_TEST

START_TEST(rebinding_every_second_gives_a_port_a_second)
{
    struct home h = home_new((struct stt_nat_config){.rebind_every_ns = STT_S(1)});
    for (size_t i = 0; i < 100; i++) {
        ask(&h, 0, 0);
        wait_ms(&h, 90);
    }
    const struct raw_log *log = h.server[0].log;
    ck_assert_uint_eq(log->n, 100);
    for (size_t i = 1; i < 100; i++)
        ck_assert_int_eq(log->seen[i].from.port == log->seen[i - 1].from.port, i % 10 != 0);
    home_free(&h);
}
END_TEST

START_TEST(a_thousand_hosts_behind_one_nat_never_share_a_port)
{
    struct stt_sim *sim = raw_world(1);
    struct raw server = raw_add(sim, 2);
    struct stt_address outside = stt_sim_ipv4(500, 1);
    struct stt_nat_config config = {.idle_ns = STT_S(60)};
    memcpy(config.outside_ip, outside.ip, sizeof outside.ip);
    stt_sim_nat nat = stt_sim_nat_add(sim, &config);
    struct stt_path out = {.local = outside, .remote = server.address};
    stt_sim_route(sim, &out, NULL, 0);
    uint8_t data[8] = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        struct stt_sim_datagram d = {.from = stt_sim_ipv4(1000 + i, 5),
                                     .to = server.address,
                                     .data = data,
                                     .len = sizeof data};
        stt_sim_nat_inside(sim, nat, &d.from);
        stt_sim_send(sim, &d);
    }
    ck_assert(stt_sim_run_until(sim, 1));
    static bool taken[65536];
    ck_assert_uint_eq(server.log->n, 1000);
    for (size_t i = 0; i < 1000; i++) {
        ck_assert(!taken[server.log->seen[i].from.port]);
        taken[server.log->seen[i].from.port] = true;
    }
    stt_sim_free(sim);
    raw_free(&server);
}
END_TEST

SUITE("nat", TEST(a_nat_shows_its_own_address_and_lets_answers_in), TEST(two_hosts_get_two_ports),
      LOOP(one_host_keeps_its_port_for_all_servers_unless_symmetric, 0, 2),
      LOOP(the_unasked_are_refused_unless_the_nat_is_open, 0, 2),
      TEST(a_mapping_dies_of_silence_and_is_kept_by_going_out),
      TEST(rebinding_changes_the_port_and_closes_the_old_one),
      TEST(rebinding_every_second_gives_a_port_a_second),
      TEST(a_thousand_hosts_behind_one_nat_never_share_a_port))
