/* SPDX-License-Identifier: MIT
 * Once it is made, a driver takes no memory: malloc is counted. */
#include "tests/support/ends.h"
#include "tests/support/own_malloc.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAS_OWN_MALLOC
int main(void)
{
    puts("skipped: malloc is the sanitizer's here");
    return 77;
}
#else

static unsigned long taken;

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t n, size_t len);
void *__libc_realloc(void *p, size_t len);
void *__libc_memalign(size_t align, size_t len);

void *malloc(size_t len)
{
    taken++;
    return __libc_malloc(len);
}

void *calloc(size_t n, size_t len)
{
    taken++;
    return __libc_calloc(n, len);
}

void *realloc(void *p, size_t len)
{
    taken++;
    return __libc_realloc(p, len);
}

void *aligned_alloc(size_t align, size_t len)
{
    taken++;
    return __libc_memalign(align, len);
}

static unsigned storm;
static int in_a_storm(void *ctx, const struct stt_driver_train *train)
{
    static const int errors[] = {EAGAIN, ENOBUFS, EMSGSIZE, EIO, ECONNREFUSED};
    (void)ctx;
    (void)train;
    return storm > 0 ? errors[storm-- % 5] : 0;
}

/* All that a driver does, without a word to Check, which takes memory for it. */
static size_t bustle(struct stt_driver *d, uint32_t number, const struct stt_address *to)
{
    struct stt_driver_train t = {.socket = number, .remote = *to, .segment_bytes = 100};
    struct stt_driver_refusal r;
    size_t received = 0;
    for (unsigned i = 0; i < 2000; i++) {
        storm += i % 100 == 0 ? 20 : 0;
        t.len = 1 + i % 1000;
        t.data = stt_driver_room(d);
        if (t.data)
            stt_driver_send(d, &t);
        stt_driver_alarm(d, boot_ns() + STT_US(i % 7) * 100);
        if (i % 50 == 0)
            stt_driver_wake(d);
        if (stt_driver_step(d, !t.data) != STT_OK)
            return 0;
        while (stt_driver_receive(d, &t))
            received += t.len;
        while (stt_driver_refused(d, &r)) {
        }
    }
    return received;
}

START_TEST(a_driver_takes_memory_when_it_is_made_and_never_again)
{
    const struct stt_driver_faults faults = {.on_send = in_a_storm};
    struct stt_driver_config config = STT_DRIVER_CONFIG_INIT;
    config.faults = &faults;
    struct end e;
    unsigned long before = taken;
    if (!end_open(&e, _i, "127.0.0.1", &config))
        return;
    ck_assert_uint_gt(taken, before);
    struct stt_socket other = udp_open("127.0.0.1");
    uint32_t number;
    before = taken;
    size_t received = bustle(e.d, e.number, &e.socket.local);
    int error = stt_driver_add(e.d, &other, &number);
    received += bustle(e.d, number, &e.socket.local);
    stt_driver_remove(e.d, number);
    received += bustle(e.d, e.number, &e.socket.local);
    unsigned long after = taken;
    ck_assert_int_eq(error, STT_OK);
    ck_assert_uint_gt(received, 1000000);
    ck_assert_uint_eq(after, before);
    end_free(&e);
}
END_TEST

SUITE("driver_memory", LOOP(a_driver_takes_memory_when_it_is_made_and_never_again, 0, DRIVERS))
#endif
