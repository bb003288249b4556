/* SPDX-License-Identifier: MIT */
#include "transport/socket.h"

#include "stt/wire/ids.h"
#include "tests/support/deny.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

static int try_open(const char *ip, uint16_t port, struct stt_socket *s)
{
    struct stt_socket_options options = {.local = udp_address(ip, port)};
    options.is_ipv6 = !stt_control_is_ipv4(&options.local);
    return stt_socket_open(s, &options);
}

static int option(const struct stt_socket *s, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    ck_assert_int_eq(getsockopt(s->fd, level, name, &value, &len), 0);
    return value;
}

static void deliver(const char *from, const char *to, const char *at)
{
    struct stt_socket a = udp_open(from), b = udp_open(at);
    uint8_t hello[] = "hello", data[100];
    struct stt_driver_train train = {.data = hello, .len = 6, .segment_bytes = 6};
    train.remote = udp_address(to, b.local.port);
    ck_assert_int_eq(udp_send(&a, &train, 0), 0);
    ck_assert(udp_receive(&b, &train, data, sizeof data, NULL));
    ck_assert_str_eq((char *)data, "hello");
    close(a.fd);
    close(b.fd);
}

START_TEST(an_address_is_of_one_family_and_the_unspecified_of_both)
{
    struct stt_socket s;
    char text[64];
    ck_assert_int_eq(try_open("127.0.0.1", 0, &s), STT_OK);
    ck_assert(!s.is_ipv6 && !s.is_dual && s.local.port != 0);
    ck_assert_str_eq(udp_text(&(struct stt_address){.ip = {[10] = 255, 255, 127, 0, 0, 1}}, text),
                     "127.0.0.1 0");
    ck_assert_mem_eq(s.local.ip, udp_address("127.0.0.1", 0).ip, 16);
    close(s.fd);
    ck_assert_int_eq(stt_socket_open(&s, &(struct stt_socket_options){0}), STT_OK);
    ck_assert(!s.is_ipv6 && !s.is_dual && s.local.port != 0);
    ck_assert_mem_eq(s.local.ip, ((uint8_t[16]){0}), 16);
    close(s.fd);
    deliver("127.0.0.1", "127.0.0.1", "0.0.0.0");
    if (!udp_has_ipv6())
        return;
    ck_assert_int_eq(try_open("::1", 0, &s), STT_OK);
    ck_assert(s.is_ipv6 && !s.is_dual);
    close(s.fd);
    ck_assert_int_eq(try_open("::", 0, &s), STT_OK);
    ck_assert(s.is_ipv6 && s.is_dual);
    ck_assert_mem_eq(s.local.ip, ((uint8_t[16]){0}), 16);
    close(s.fd);
    deliver("127.0.0.1", "127.0.0.1", "::");
    deliver("::1", "::1", "::");
    deliver("::", "127.0.0.1", "0.0.0.0");
}
END_TEST

START_TEST(sockets_do_not_block_and_are_not_inherited)
{
    struct stt_socket s = udp_open("127.0.0.1");
    ck_assert_int_ne(fcntl(s.fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_ne(fcntl(s.fd, F_GETFL) & O_NONBLOCK, 0);
    close(s.fd);
}
END_TEST

START_TEST(what_is_wrong_with_an_address_is_said)
{
    struct stt_socket s, other;
    int descriptors = udp_descriptors();
    ck_assert_int_eq(try_open("127.0.0.1", 0, &s), STT_OK);
    ck_assert_int_eq(try_open("127.0.0.1", s.local.port, &other), STT_E_EXISTS);
    close(s.fd);
    ck_assert_int_eq(try_open("203.0.113.7", 0, &s), STT_E_NOT_FOUND);
    if (udp_has_ipv6()) {
        ck_assert_int_eq(try_open("2001:db8::7", 0, &s), STT_E_NOT_FOUND);
        ck_assert_int_eq(try_open("fe80::1", 0, &s), STT_E_ARGUMENT);
        struct stt_socket_options options = {.local = udp_address("fe80::1", 0)};
        options.local.scope = 4242;
        ck_assert_int_eq(stt_socket_open(&s, &options), STT_E_NOT_FOUND);
    }
    ck_assert_int_eq(stt_socket_open(&s, &(struct stt_socket_options){.dscp = 64}), STT_E_ARGUMENT);
    ck_assert_int_eq(udp_descriptors(), descriptors);
}
END_TEST

START_TEST(what_the_system_denies_is_said)
{
    static const struct {
        int with_errno, answer;
    } rows[] = {{EAFNOSUPPORT, STT_E_UNSUPPORTED},
                {EMFILE, STT_E_LIMIT},
                {ENFILE, STT_E_LIMIT},
                {EPERM, STT_E_PERMISSION},
                {EACCES, STT_E_PERMISSION},
                {ENOBUFS, STT_E_MEMORY},
                {ENOMEM, STT_E_MEMORY},
                {EIO, STT_E_IO}};
    struct stt_socket s;
    if (!deny(SYS_socket, DENY_ANY, rows[_i].with_errno))
        return;
    ck_assert_int_eq(try_open("127.0.0.1", 0, &s), rows[_i].answer);
}
END_TEST

START_TEST(nothing_is_fragmented)
{
    struct stt_socket s = udp_open("127.0.0.1");
    ck_assert_int_eq(option(&s, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
    close(s.fd);
    if (!udp_has_ipv6())
        return;
    s = udp_open("::");
    ck_assert_int_eq(option(&s, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
    ck_assert_int_eq(option(&s, IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_PROBE);
    static uint8_t large[STT_DRIVER_TRAIN_BYTES]; /* with its headers 19 more than loopback takes */
    struct stt_driver_train train = {.data = large, .len = sizeof large};
    train.segment_bytes = train.len;
    train.remote = udp_address("::1", s.local.port);
    ck_assert_int_eq(udp_send(&s, &train, 0), EMSGSIZE);
    close(s.fd);
}
END_TEST

START_TEST(dscp_is_the_default_of_the_socket_in_both_families)
{
    struct stt_socket s;
    struct stt_socket_options options = {.dscp = 10, .is_ipv6 = udp_has_ipv6()};
    ck_assert_int_eq(stt_socket_open(&s, &options), STT_OK);
    ck_assert_int_eq(option(&s, IPPROTO_IP, IP_TOS), 40);
    if (s.is_ipv6)
        ck_assert_int_eq(option(&s, IPPROTO_IPV6, IPV6_TCLASS), 40);
    close(s.fd);
}
END_TEST

START_TEST(buffers_are_as_large_as_asked_or_there_is_a_hint)
{
    struct stt_socket s;
    char hint[STT_SOCKET_HINT_ROOM] = "";
    struct stt_socket_options options = {.buffer_bytes = 1 << 16};
    ck_assert_int_eq(stt_socket_open(&s, &options), STT_OK);
    ck_assert_uint_eq(s.receive_bytes, 2 << 16);
    ck_assert_uint_eq(s.send_bytes, 2 << 16);
    ck_assert(!stt_socket_hint(&s, options.buffer_bytes, hint));
    close(s.fd);

    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return; /* nobody's rights */
    options.buffer_bytes = 1 << 30;
    ck_assert_int_eq(stt_socket_open(&s, &options), STT_OK);
    ck_assert(stt_socket_hint(&s, options.buffer_bytes, hint));
    ck_assert_ptr_nonnull(
        strstr(hint, "`sysctl -w net.core.rmem_max=1073741824 net.core.wmem_max=1073741824`"));
    ck_assert_uint_gt(s.receive_bytes, 1 << 12);
    close(s.fd);
}
END_TEST

START_TEST(a_hint_names_what_is_too_small_and_fits)
{
    char hint[STT_SOCKET_HINT_ROOM];
    struct stt_socket s = {.receive_bytes = 1000, .send_bytes = UINT32_MAX};
    ck_assert(!stt_socket_hint(&s, 500, hint));
    ck_assert(stt_socket_hint(&s, 501, hint));
    ck_assert_ptr_nonnull(strstr(hint, "`sysctl -w net.core.rmem_max=501`"));
    s = (struct stt_socket){.receive_bytes = UINT32_MAX, .send_bytes = 1000};
    ck_assert(stt_socket_hint(&s, 501, hint));
    ck_assert_ptr_nonnull(strstr(hint, "`sysctl -w net.core.wmem_max=501`"));
    s = (struct stt_socket){.receive_bytes = UINT32_MAX - 1, .send_bytes = UINT32_MAX - 1};
    ck_assert(stt_socket_hint(&s, UINT32_MAX, hint));
    ck_assert_ptr_nonnull(strstr(hint, "net.core.wmem_max=4294967295` as root"));
}
END_TEST

/* -- several workers on one port ------------------------------------------------------------------
 */

enum { WORKERS = 5 };

struct workers {
    struct stt_socket at[WORKERS], sender;
    struct stt_id_hash_key key;
};

static struct workers open_workers(const char *ip)
{
    struct workers w = {.key = {0x12345678, 0x9abcdef0}, .sender = udp_open(ip)};
    struct stt_socket_options options = {.local = udp_address(ip, 0), .reuse_port = true};
    for (unsigned i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(stt_socket_open(&w.at[i], &options), STT_OK);
        options.local.port = w.at[i].local.port;
    }
    ck_assert_int_eq(stt_socket_steer(&w.at[2], w.key.k0, w.key.k1, WORKERS), STT_OK);
    return w;
}

static void close_workers(struct workers *w)
{
    for (unsigned i = 0; i < WORKERS; i++)
        close(w->at[i].fd);
    close(w->sender.fd);
}

static void goes_to(struct workers *w, uint8_t *data, size_t len, unsigned worker)
{
    struct stt_driver_train train = {.remote = w->at[0].local, .data = data, .len = len};
    static uint8_t back[STT_DRIVER_TRAIN_BYTES];
    train.segment_bytes = len;
    if (len > 1200)
        train.segment_bytes = 1200;
    ck_assert_int_eq(udp_send(&w->sender, &train, 0), 0);
    ck_assert_msg(udp_receive(&w->at[worker], &train, back, sizeof back, NULL),
                  "%zu bytes did not come to worker %u", len, worker);
    ck_assert_uint_eq(train.len, len);
}

START_TEST(the_kernel_steers_as_stt_id_worker_does)
{
    if (_i && !udp_has_ipv6())
        return;
    struct workers w = open_workers(_i ? "::1" : "127.0.0.1");
    struct rng rng = rng_init(7);
    unsigned seen[WORKERS] = {0};
    for (unsigned n = 0; n < 400; n++) {
        static uint8_t data[12000];
        for (unsigned i = 0; i < 12; i++)
            data[i] = (uint8_t)rng_u64(&rng);
        struct stt_id id = stt_id_of(data + (data[0] & 0x80 ? 2 : 1));
        unsigned worker = stt_id_worker(id, &w.key, WORKERS);
        size_t len = n % 3 ? (data[0] & 0x80 ? 10 : 9) : n % 2 ? 1200 : 12000;
        goes_to(&w, data, len, worker);
        seen[worker]++;
    }
    for (unsigned i = 0; i < WORKERS; i++)
        ck_assert_uint_gt(seen[i], 30);
    close_workers(&w);
}
END_TEST

START_TEST(what_is_too_short_for_an_id_goes_to_the_first_worker)
{
    struct workers w = open_workers("127.0.0.1");
    uint8_t data[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (size_t len = 0; len < 9; len++)
        goes_to(&w, data, len, 0);
    data[0] = 0x80;
    for (size_t len = 1; len < 10; len++)
        goes_to(&w, data, len, 0);
    close_workers(&w);
}
END_TEST

START_TEST(a_port_is_shared_only_when_all_agree)
{
    struct stt_socket a, b;
    struct stt_socket_options options = {.local = udp_address("127.0.0.1", 0)};
    ck_assert_int_eq(stt_socket_open(&a, &options), STT_OK);
    ck_assert_int_eq(stt_socket_steer(&a, 1, 2, 2), STT_E_ARGUMENT);
    options = (struct stt_socket_options){.local = a.local, .reuse_port = true};
    ck_assert_int_eq(stt_socket_open(&b, &options), STT_E_EXISTS);
    close(a.fd);
    ck_assert_int_eq(stt_socket_open(&b, &options), STT_OK);
    ck_assert_int_eq(stt_socket_steer(&b, 1, 2, 0), STT_E_ARGUMENT);
    close(b.fd);
}
END_TEST

SUITE("socket", TEST(an_address_is_of_one_family_and_the_unspecified_of_both),
      TEST(sockets_do_not_block_and_are_not_inherited), TEST(what_is_wrong_with_an_address_is_said),
      LOOP(what_the_system_denies_is_said, 0, 8), TEST(nothing_is_fragmented),
      TEST(dscp_is_the_default_of_the_socket_in_both_families),
      TEST(buffers_are_as_large_as_asked_or_there_is_a_hint),
      TEST(a_hint_names_what_is_too_small_and_fits),
      LOOP(the_kernel_steers_as_stt_id_worker_does, 0, 2),
      TEST(what_is_too_short_for_an_id_goes_to_the_first_worker),
      TEST(a_port_is_shared_only_when_all_agree))
