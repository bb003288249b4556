/* SPDX-License-Identifier: MIT */
#include "transport/probe.h"

#include "tests/support/deny.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"
#include "transport/driver.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* One sentence: a beginning, and room left at its end. */
static void is_sentence(const char *why)
{
    size_t len = strlen(why);
    ck_assert_uint_gt(len, 20);
    ck_assert_msg(len < STT_PROBE_WHY_ROOM - 1, "too long: %s", why);
    ck_assert_int_ne(why[len - 1], '.');
}

START_TEST(what_works_needs_no_reason_and_what_does_not_has_one)
{
    const struct stt_probe *p = stt_probe();
    for (unsigned i = 0; i < STT_PROBE_ITEMS; i++) {
        ck_assert_ptr_nonnull(p->items[i].name);
        if (p->items[i].works)
            ck_assert_str_eq(p->items[i].why, "");
        else
            is_sentence(p->items[i].why);
    }
    ck_assert_ptr_eq(stt_probe(), p);
}
END_TEST

START_TEST(the_probe_agrees_with_what_is_found_later)
{
    const struct stt_probe *p = stt_probe();
    struct stt_driver *d;
    struct stt_driver_config config = STT_DRIVER_CONFIG_INIT;
    int error = stt_uring_new(&d, &config);
    ck_assert_int_eq(error, p->items[STT_PROBE_URING].works ? STT_OK : STT_E_UNSUPPORTED);
    if (!error)
        stt_driver_free(d);
    ck_assert(p->items[STT_PROBE_IPV6].works == udp_has_ipv6());
    struct stt_socket s = udp_open("127.0.0.1");
    ck_assert(!p->items[STT_PROBE_GSO].works || s.has_gso);
    ck_assert(!p->items[STT_PROBE_GRO].works || s.has_gro);
}
END_TEST

START_TEST(it_leaves_no_descriptor)
{
    int before = udp_descriptors();
    stt_probe();
    ck_assert_int_eq(udp_descriptors(), before);
}
END_TEST

START_TEST(a_ring_that_is_denied_has_its_remedy)
{
    static const struct {
        long call;
        int with_errno;
        const char *words;
    } rows[] = {
        {SYS_io_uring_setup, ENOSYS, "no io_uring"},
        {SYS_io_uring_setup, EPERM, "allow"},
        {SYS_io_uring_setup, ENOMEM, "RLIMIT_MEMLOCK"},
        {SYS_io_uring_setup, EINVAL, "too old"},
        {SYS_io_uring_setup, EMFILE, "ulimit -n"},
        {SYS_io_uring_register, EPERM, "allow"},
        {SYS_io_uring_enter, EPERM, "allow"},
        {SYS_io_uring_setup, EIO, "no ring can be made"},
    };
    if (!deny(rows[_i].call, DENY_ANY, rows[_i].with_errno))
        return;
    const struct stt_probe *p = stt_probe();
    for (unsigned item = STT_PROBE_URING; item <= STT_PROBE_DEFER; item++) {
        const char *why = p->items[item].why;
        ck_assert(!p->items[item].works);
        is_sentence(why);
        ck_assert_msg(strstr(why, rows[_i].words) || strstr(why, "kernel.io_uring_disabled"), "%s",
                      why);
    }
}
END_TEST

START_TEST(what_sockets_cannot_do_is_said)
{
    static const struct {
        long call;
        unsigned items;
    } rows[] = {
        {SYS_socket, 0xf << STT_PROBE_GSO},
        {SYS_bind, 0xf << STT_PROBE_GSO},
        {SYS_sendmsg, 1 << STT_PROBE_GSO | 1 << STT_PROBE_GRO},
        {SYS_setsockopt, 0xf << STT_PROBE_GSO},
    };
    if (!deny(rows[_i].call, DENY_ANY, EPERM))
        return;
    const struct stt_probe *p = stt_probe();
    for (unsigned i = STT_PROBE_GSO; i < STT_PROBE_ITEMS; i++)
        if (rows[_i].items >> i & 1) {
            ck_assert_msg(!p->items[i].works, "%s works", p->items[i].name);
            is_sentence(p->items[i].why);
        }
}
END_TEST

SUITE("probe", TEST(what_works_needs_no_reason_and_what_does_not_has_one),
      TEST(the_probe_agrees_with_what_is_found_later), TEST(it_leaves_no_descriptor),
      LOOP(a_ring_that_is_denied_has_its_remedy, 0, 8), LOOP(what_sockets_cannot_do_is_said, 0, 4))
