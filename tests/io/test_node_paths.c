/* SPDX-License-Identifier: MIT
 * Nodes in two networks with a cable between them: addresses of both families, packet sizes of
 * interfaces, and what happens to these while a session lives. Spec 04, "Paths", "Packet size". */
#include "stt/node/address.h"
#include "tests/support/netns.h"
#include "tests/support/nodes.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"
#include "transport/control.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IOS = 2, FAMILIES = 2, MIB = 1 << 20 };
static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};

struct family {
    const char *server, *other, *client; /* without brackets */
    const char *format;                  /* of a text with a port */
    uint32_t header_bytes;
};
static const struct family families[FAMILIES] = {
    {"10.9.0.1", "10.9.0.77", "10.9.0.2", "%s:%u", 28},
    {"fd09::1", "fd09::77", "fd09::2", "[%s]:%u", 48},
};

static const char *text_of(const struct family *f, const char *ip, unsigned port)
{
    static char text[80];
    snprintf(text, sizeof text, f->format, ip, port);
    return text;
}

static uint32_t packet_bytes_max;

static void configure(struct stt_node_config *config, bool is_client)
{
    (void)is_client;
    if (packet_bytes_max)
        config->endpoint.packet_bytes_max = packet_bytes_max;
}

static bool begin_networks(const struct family *f)
{
    netns_begin();
    return netns_add(NETNS_SERVER, f->server) && netns_add(NETNS_CLIENT, f->client);
}

/* False: there is no such driver. */
static bool begin_nodes(struct nodes *n, enum stt_io io, const char *at)
{
    return nodes_open(
        n, &(struct nodes_setup){.io = io, .at = at, .configure = configure, .enter = netns_enter});
}

/* False: this machine has no such driver, or no such family. */
static bool begin(struct nodes *n, enum stt_io io, const struct family *f)
{
    return begin_networks(f) && begin_nodes(n, io, text_of(f, f->server, 0));
}

/* One session, from the beginning to now. */
static void require_one_session(const struct nodes *n)
{
    ck_assert_uint_eq(n->client.events[STT_EVENT_CONNECTED], 1);
    ck_assert_uint_eq(n->server.events[STT_EVENT_ACCEPTED], 1);
    ck_assert_uint_eq(n->client.events[STT_EVENT_CLOSED], 0);
    ck_assert_uint_eq(n->server.events[STT_EVENT_CLOSED], 0);
}

/* -- a stream that goes on ----------------------------------------------------------------------
 */

static uint64_t goal;
static bool has_goal(const struct nodes *n)
{
    return n->client.read >= goal;
}

static void begin_echo(struct nodes *n)
{
    n->server.echoes = n->client.stays_open = true;
    goal = 0;
    nodes_send(n, 1);
}

/* So much more there and back. */
static void echo_more(struct nodes *n, uint64_t bytes)
{
    goal += bytes;
    n->client.to_write = goal;
    ck_assert_msg(nodes_until(n, has_goal, STT_S(20)), "%llu of %llu bytes came back",
                  (unsigned long long)n->client.read, (unsigned long long)goal);
}

static void end_echo(struct nodes *n)
{
    n->client.stays_open = false;
    ck_assert(nodes_until(n, nodes_have_echo, STT_S(20)));
    require_one_session(n);
}

/* -- packet sizes -------------------------------------------------------------------------------
 */

static const int mtus[] = {1500, 1280, 9000};
enum { MTUS = 3, DUALS = 2 };

static void set_mtu(int mtu)
{
    netns_mtu(NETNS_CLIENT, mtu);
    netns_mtu(NETNS_SERVER, mtu);
}

START_TEST(a_mebibyte_goes_there_and_back_in_packets_of_the_size_of_the_interface)
{
    struct nodes n;
    const struct family *f = &families[_i / IOS % FAMILIES];
    const bool is_dual = _i / IOS / FAMILIES % DUALS;
    const int mtu = mtus[_i / IOS / FAMILIES / DUALS];
    packet_bytes_max = (uint32_t)mtu - f->header_bytes;
    if (!begin_networks(f))
        return;
    set_mtu(mtu);
    if (!begin_nodes(&n, ios[_i % IOS], is_dual ? "0" : text_of(f, f->server, 0)))
        return;
    nodes_connect(&n, text_of(f, f->server, n.at.port));
    begin_echo(&n);
    echo_more(&n, MIB);
    ck_assert_uint_eq(nodes_stats(&n.client).packet_bytes, packet_bytes_max);
    ck_assert_uint_eq(nodes_stats(&n.server).packet_bytes, packet_bytes_max);
    end_echo(&n);
    nodes_end(&n);
}
END_TEST

static void require_size(const struct nodes_side *s, uint32_t most)
{
    uint64_t bytes = nodes_stats(s).packet_bytes;
    ck_assert_msg(bytes <= most && bytes + 16 > most, "%llu bytes, and %u would fit",
                  (unsigned long long)bytes, most);
}

START_TEST(what_an_interface_cannot_carry_is_found_out_though_the_host_allows_more)
{
    struct nodes n;
    const struct family *f = &families[_i / IOS];
    packet_bytes_max = 8952;
    if (!begin(&n, ios[_i % IOS], f))
        return;
    nodes_connect(&n, NULL);
    begin_echo(&n);
    echo_more(&n, 2 * MIB);
    ck_assert_uint_gt(n.client.node->too_large, 0);
    require_size(&n.client, 1500 - f->header_bytes);
    require_size(&n.server, 1500 - f->header_bytes);
    end_echo(&n);
    nodes_end(&n);
}
END_TEST

static bool is_too_large(const struct nodes *n)
{
    return n->client.node->too_large > 0;
}

START_TEST(where_the_mtu_is_lowered_packets_become_smaller_at_once_case_57)
{
    struct nodes n;
    const struct family *f = &families[_i / IOS];
    packet_bytes_max = 1500 - f->header_bytes;
    if (!begin(&n, ios[_i % IOS], f))
        return;
    nodes_connect(&n, NULL);
    begin_echo(&n);
    echo_more(&n, MIB);
    ck_assert_uint_eq(nodes_stats(&n.client).packet_bytes, packet_bytes_max);
    ck_assert(!is_too_large(&n));
    set_mtu(1280);
    n.client.to_write = goal + MIB;
    ck_assert(nodes_until(&n, is_too_large, STT_S(10)));
    ck_assert_uint_le(nodes_stats(&n.client).packet_bytes, 1280 - f->header_bytes);
    echo_more(&n, 2 * MIB);
    require_size(&n.client, 1280 - f->header_bytes);
    require_size(&n.server, 1280 - f->header_bytes);
    end_echo(&n);
    nodes_end(&n);
}
END_TEST

/* -- the interface ------------------------------------------------------------------------------
 */

static bool is_cut_off(const struct nodes *n)
{
    return n->client.node->unsent >= 3;
}

/* An address of IPv6 goes with its interface; that of IPv4 stays. */
static void bring_back(const struct family *f)
{
    netns_up(NETNS_CLIENT, true);
    (void)netns_add(NETNS_CLIENT, f->client);
}

START_TEST(an_interface_that_goes_down_and_comes_up_again_costs_no_session)
{
    struct nodes n;
    const struct family *f = &families[_i / IOS];
    if (!begin(&n, ios[_i % IOS], f))
        return;
    nodes_connect(&n, NULL);
    begin_echo(&n);
    for (unsigned round = 0; round < 3; round++) {
        echo_more(&n, MIB);
        uint64_t steps = nodes_driver_stats(&n.client).steps;
        n.client.node->unsent = 0;
        n.client.to_write = goal + MIB; /* in the middle of it */
        netns_up(NETNS_CLIENT, false);
        ck_assert(nodes_until(&n, is_cut_off, STT_S(10)));
        ck_assert_uint_lt(nodes_driver_stats(&n.client).steps - steps, 2000);
        bring_back(f);
        echo_more(&n, 2 * MIB);
    }
    end_echo(&n);
    nodes_end(&n);
}
END_TEST

/* -- addresses ----------------------------------------------------------------------------------
 */

/* Both drivers and both families at once, since it takes its time. */
enum { PAIRS = IOS * FAMILIES, CHANGES = 10 };
static struct nodes pairs[PAIRS];
static const struct family *families_of[PAIRS];
static unsigned n_pairs;

static void begin_pairs(void)
{
    netns_begin();
    for (unsigned i = 0; i < PAIRS; i++) {
        const struct family *f = &families[i / IOS];
        bool is_there =
            i % IOS || (netns_add(NETNS_SERVER, f->server) && netns_add(NETNS_CLIENT, f->client));
        families_of[n_pairs] = f;
        if (is_there && begin_nodes(&pairs[n_pairs], ios[i % IOS], text_of(f, f->server, 0)))
            n_pairs++;
    }
    for (unsigned i = 0; i < n_pairs; i++) {
        nodes_connect(&pairs[i], NULL);
        begin_echo(&pairs[i]);
    }
}

/* The last of the names that the client had: its first, and then others. */
static const char *nth_address(const struct family *f, unsigned n)
{
    static char text[40];
    snprintf(text, sizeof text, strchr(f->client, '.') ? "10.9.0.%u" : "fd09::%u", 2 + n);
    return text;
}

static void change_addresses(unsigned n)
{
    for (unsigned i = 0; i < FAMILIES; i++)
        if (netns_remove(NETNS_CLIENT, nth_address(&families[i], n - 1)))
            ck_assert(netns_add(NETNS_CLIENT, nth_address(&families[i], n)));
}

/* Half a megabyte a second by each. */
static void run_pairs_until(stt_ns end, stt_ns *last)
{
    for (stt_ns now; (now = stt_node_now(pairs[0].client.node)) < end; *last = now) {
        for (unsigned i = 0; i < n_pairs; i++)
            pairs[i].client.to_write += (now - *last) / 2000;
        nodes_turn_all(pairs, n_pairs, 5);
    }
}

START_TEST(a_session_survives_that_its_clients_address_changes_every_second)
{
    begin_pairs();
    stt_ns last = n_pairs ? stt_node_now(pairs[0].client.node) : 0;
    uint64_t written[PAIRS];
    for (unsigned n = 1; n_pairs && n <= CHANGES; n++) {
        change_addresses(n);
        for (unsigned i = 0; i < n_pairs; i++)
            written[i] = pairs[i].client.written;
        run_pairs_until(last + STT_S(1), &last);
        for (unsigned i = 0; i < n_pairs; i++)
            ck_assert_msg(pairs[i].client.read > written[i],
                          "pair %u has heard nothing in the second after change %u", i, n);
    }
    for (unsigned i = 0; i < n_pairs; i++) {
        pairs[i].client.to_write = pairs[i].client.written;
        end_echo(&pairs[i]);
        ck_assert_uint_ge(pairs[i].server.events[STT_EVENT_PATH], CHANGES - 1);
        nodes_end(&pairs[i]);
    }
}
END_TEST

static void require_ip(struct stt_address address, const char *ip)
{
    struct stt_address wanted;
    ck_assert_int_eq(stt_address_number(&wanted, ip), STT_OK);
    ck_assert_mem_eq(address.ip, wanted.ip, sizeof wanted.ip);
}

START_TEST(answers_leave_from_the_address_that_was_asked)
{
    struct nodes n;
    const struct family *f = &families[_i / IOS];
    if (!begin_networks(f) || !begin_nodes(&n, ios[_i % IOS], "0"))
        return;
    ck_assert(netns_add(NETNS_SERVER, f->other));
    for (unsigned round = 0; round < 2; round++) {
        const char *asked = round ? f->server : f->other;
        n.client.events[STT_EVENT_CONNECTED] = 0;
        nodes_connect(&n, text_of(f, asked, n.at.port));
        require_ip(nodes_info(&n.client).path.remote, asked);
    }
    begin_echo(&n);
    echo_more(&n, MIB);
    require_ip(nodes_info(&n.client).path.remote, f->server);
    require_ip(nodes_info(&n.server).path.local, f->server);
    ck_assert_uint_eq(n.client.events[STT_EVENT_PATH] + n.server.events[STT_EVENT_PATH], 0);
    nodes_end(&n);
}
END_TEST

START_TEST(link_local_addresses_are_reached_by_the_name_of_the_link)
{
    struct nodes n;
    const bool is_everywhere = _i / IOS;
    char to[80];
    if (!begin_networks(&families[1]) || !netns_add(NETNS_SERVER, "fe80::1") ||
        !netns_add(NETNS_CLIENT, "fe80::2") ||
        !begin_nodes(&n, ios[_i % IOS], is_everywhere ? "0" : "[fe80::1%" NETNS_LINK "]:0"))
        return;
    snprintf(to, sizeof to, "[fe80::1%%" NETNS_LINK "]:%u", n.at.port);
    nodes_connect(&n, to);
    begin_echo(&n);
    echo_more(&n, MIB);
    struct stt_path path = nodes_info(&n.client).path;
    netns_enter(true);
    ck_assert_uint_eq(path.remote.scope, if_nametoindex(NETNS_LINK));
    ck_assert_uint_eq(path.local.scope, path.remote.scope);
    ck_assert_uint_eq(n.client.events[STT_EVENT_PATH] + n.server.events[STT_EVENT_PATH], 0);
    end_echo(&n);
    nodes_end(&n);
}
END_TEST

/* -- forged ICMP --------------------------------------------------------------------------------
 */

static uint16_t checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* What is said of a datagram that has gone this way. */
struct slander {
    struct stt_address from, to;
    uint8_t type, code;
    uint32_t mtu;
};

static size_t quote_ipv4(const struct slander *s, uint8_t *out)
{
    const uint8_t header[] = {0x45, 0, 0, 200, 0, 0, 0x40, 0, 64, IPPROTO_UDP};
    memcpy(out, header, sizeof header);
    memcpy(out + 12, s->from.ip + 12, 4);
    memcpy(out + 16, s->to.ip + 12, 4);
    return 20;
}

static size_t quote_ipv6(const struct slander *s, uint8_t *out)
{
    const uint8_t header[] = {0x60, 0, 0, 0, 0, 180, IPPROTO_UDP, 64};
    memcpy(out, header, sizeof header);
    memcpy(out + 8, s->from.ip, 16);
    memcpy(out + 24, s->to.ip, 16);
    return 40;
}

/* In the network of who is told of as `to`, to who is told of as `from`. */
static void tell(const struct slander *s)
{
    const bool is_ipv4 = stt_address_is_ipv4(&s->from);
    uint8_t m[96] = {s->type, s->code};
    uint32_t mtu = htonl(s->mtu);
    uint16_t ports[] = {htons(s->from.port), htons(s->to.port), htons(180)};
    memcpy(m + 4, &mtu, 4);
    size_t len = 8 + (is_ipv4 ? quote_ipv4(s, m + 8) : quote_ipv6(s, m + 8));
    memcpy(m + len, ports, sizeof ports);
    len += 8;
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    memcpy(&in.sin_addr, s->from.ip + 12, 4);
    memcpy(&in6.sin6_addr, s->from.ip, 16);
    uint16_t sum = is_ipv4 ? checksum(m, len) : 0; /* the kernel's, of IPv6 */
    memcpy(m + 2, &sum, 2);
    int fd = socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
                    is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    ck_assert_int_ge(fd, 0);
    ssize_t n = is_ipv4 ? sendto(fd, m, len, 0, (struct sockaddr *)&in, sizeof in)
                        : sendto(fd, m, len, 0, (struct sockaddr *)&in6, sizeof in6);
    ck_assert_int_eq(n, (ssize_t)len);
    close(fd);
}

static const struct {
    uint8_t type, code;
    uint32_t mtu;
} lies[FAMILIES][5] = {
    {{ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 576},
     {ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0},
     {ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0},
     {ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, 0},
     {ICMP_PARAMETERPROB, 0, 0}},
    {{ICMP6_PACKET_TOO_BIG, 0, 1280},
     {ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, 0},
     {ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, 0},
     {ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, 0},
     {ICMP6_PARAM_PROB, 0, 0}},
};

/* To both ends, of what they send to each other. */
static void slander(const struct stt_path *of_client, unsigned family)
{
    for (unsigned i = 0; i < 5; i++) {
        struct slander s = {of_client->local, of_client->remote, lies[family][i].type,
                            lies[family][i].code, lies[family][i].mtu};
        netns_enter(false);
        tell(&s);
        s.from = of_client->remote;
        s.to = of_client->local;
        netns_enter(true);
        tell(&s);
    }
}

/* So that it is known: a socket that believes is impressed. */
static void require_effect(const struct family *f, unsigned family)
{
    struct slander s = {.type = lies[family][1].type, .code = lies[family][1].code};
    struct stt_address self = {.port = 0};
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    netns_enter(true);
    ck_assert_int_eq(stt_address_parse(&s.to, text_of(f, f->server, 9)), STT_OK);
    int fd = socket(family ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct stt_control_name to;
    stt_control_name_encode(&to, &s.to, family != 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to.storage, to.len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    stt_control_address((struct sockaddr *)&name, &self);
    s.from = self;
    netns_enter(false);
    tell(&s);
    int error = 0;
    ck_assert(udp_is_readable(fd, UDP_PATIENCE_MS)); /* for errors are, too */
    len = sizeof error;
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    ck_assert_int_ne(error, 0);
    close(fd);
}

START_TEST(forged_icmp_changes_nothing_case_18)
{
    struct nodes n;
    const unsigned family = (unsigned)_i / IOS;
    const struct family *f = &families[family];
    packet_bytes_max = 1500 - f->header_bytes;
    if (!begin(&n, ios[_i % IOS], f))
        return;
    require_effect(f, family);
    nodes_connect(&n, NULL);
    begin_echo(&n);
    echo_more(&n, MIB);
    const struct stt_path path = nodes_info(&n.client).path;
    for (unsigned round = 0; round < 20; round++) {
        slander(&path, family);
        n.client.to_write = goal + 100000;
        slander(&path, family); /* with data on its way */
        nodes_step(&n);
        slander(&path, family);
        echo_more(&n, 100000);
        ck_assert_uint_eq(nodes_stats(&n.client).packet_bytes, packet_bytes_max);
        ck_assert_uint_eq(nodes_stats(&n.server).packet_bytes, packet_bytes_max);
    }
    ck_assert_uint_ge(family ? netns_counter(NETNS_CLIENT, NULL, "Icmp6InPktTooBigs")
                             : netns_counter(NETNS_CLIENT, "Icmp:", "InDestUnreachs"),
                      60);
    const struct nodes_side *sides[] = {&n.client, &n.server};
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(sides[i]->node->too_large + sides[i]->node->unsent, 0);
        ck_assert_uint_eq(sides[i]->events[STT_EVENT_PATH], 0);
    }
    end_echo(&n);
    nodes_end(&n);
}
END_TEST

SUITE_WHERE(netns_is_allowed(), "nobody may make networks of his own here", "node_paths",
            LOOP(a_mebibyte_goes_there_and_back_in_packets_of_the_size_of_the_interface, 0,
                 IOS *FAMILIES *DUALS *MTUS),
            LOOP(what_an_interface_cannot_carry_is_found_out_though_the_host_allows_more, 0,
                 IOS *FAMILIES),
            LOOP(where_the_mtu_is_lowered_packets_become_smaller_at_once_case_57, 0, IOS *FAMILIES),
            LOOP(an_interface_that_goes_down_and_comes_up_again_costs_no_session, 0, IOS *FAMILIES),
            TEST(a_session_survives_that_its_clients_address_changes_every_second),
            LOOP(answers_leave_from_the_address_that_was_asked, 0, IOS *FAMILIES),
            LOOP(link_local_addresses_are_reached_by_the_name_of_the_link, 0, IOS * 2),
            LOOP(forged_icmp_changes_nothing_case_18, 0, IOS *FAMILIES))
