/* SPDX-License-Identifier: MIT */
#include "tests/support/ends.h"

#include <check.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*make)(struct stt_driver **out, const struct stt_driver_config *config);
} makers[DRIVERS] = {
    {"mmsg", stt_mmsg_new},
    {"uring", stt_uring_new},
};

int driver_try(int which, struct stt_driver **out, const struct stt_driver_config *config)
{
    return makers[which].make ? makers[which].make(out, config) : STT_E_UNSUPPORTED;
}

struct stt_driver *driver_new(int which, const struct stt_driver_config *config)
{
    struct stt_driver *d = NULL;
    int error = driver_try(which, &d, config);
    if (error == STT_E_UNSUPPORTED)
        return NULL;
    ck_assert_int_eq(error, STT_OK);
    ck_assert_str_eq(d->ops->name, makers[which].name);
    return d;
}

bool end_open(struct end *e, int which, const char *ip, const struct stt_driver_config *config)
{
    const struct stt_driver_config usual = STT_DRIVER_CONFIG_INIT;
    e->d = driver_new(which, config ? config : &usual);
    if (!e->d)
        return false;
    e->socket = udp_open(ip);
    ck_assert_int_eq(stt_driver_add(e->d, &e->socket, &e->number), STT_OK);
    return true;
}

void end_free(struct end *e)
{
    stt_driver_free(e->d);
}

stt_ns boot_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return STT_S((stt_ns)t.tv_sec) + (stt_ns)t.tv_nsec;
}

struct stt_driver_stats stats_of(const struct end *e)
{
    struct stt_driver_stats s;
    stt_driver_stats(e->d, &s);
    return s;
}

struct stt_driver_train train_of(size_t len, size_t segment_bytes, struct stt_address remote)
{
    return (struct stt_driver_train){.len = len, .segment_bytes = segment_bytes, .remote = remote};
}

/* -- contents -------------------------------------------------------------------------------------
 */

static uint8_t byte_of(uint32_t datagram, size_t i)
{
    return (uint8_t)(datagram * 37u + (datagram >> 8) + (uint32_t)i * 11u + (uint32_t)(i >> 8));
}

static void send_filled(struct end *from, const struct stt_driver_train *train, uint8_t *data)
{
    struct stt_driver_train t = *train;
    t.socket = from->number;
    t.data = data;
    stt_driver_send(from->d, &t);
}

void flow_send(struct flow *f, struct end *from, const struct stt_driver_train *train)
{
    uint8_t *data = stt_driver_room(from->d);
    ck_assert_ptr_nonnull(data);
    ck_assert_ptr_eq(stt_driver_room(from->d), data);
    size_t at = 0;
    do {
        size_t len =
            train->len - at < train->segment_bytes ? train->len - at : train->segment_bytes;
        ck_assert_uint_lt(f->sent, FLOW_DATAGRAMS);
        for (size_t i = 0; i < len; i++)
            data[at + i] = byte_of(f->sent, i);
        f->lens[f->sent++] = (uint16_t)len;
        at += len;
    } while (at < train->len);
    send_filled(from, train, data);
}

void flow_waste(struct end *from, const struct stt_driver_train *train)
{
    uint8_t *data = stt_driver_room(from->d);
    ck_assert_ptr_nonnull(data);
    memset(data, 0xee, train->len);
    send_filled(from, train, data);
}

static void compare(struct flow *f, const uint8_t *data, size_t len)
{
    ck_assert_msg(f->received < f->sent, "one more came than was sent");
    ck_assert_msg(len == f->lens[f->received], "datagram %u has %zu bytes instead of %u",
                  f->received, len, f->lens[f->received]);
    for (size_t i = 0; i < len; i++)
        if (data[i] != byte_of(f->received, i))
            ck_abort_msg("byte %zu of datagram %u is another", i, f->received);
    f->received++;
}

uint32_t flow_take(struct flow *f, struct end *to)
{
    uint32_t trains = 0;
    while (stt_driver_receive(to->d, &f->last)) {
        ck_assert_uint_gt(f->last.segment_bytes, 0);
        size_t at = 0;
        do {
            size_t len = f->last.len - at;
            if (len > f->last.segment_bytes)
                len = f->last.segment_bytes;
            compare(f, f->last.data + at, len);
            at += len;
        } while (at < f->last.len);
        memset(f->last.data, 0xdd, f->last.len); /* it is ours */
        trains++;
    }
    f->trains += trains;
    return trains;
}

uint32_t flow_step(struct flow *f, struct end *to, bool wait)
{
    ck_assert_int_eq(stt_driver_step(to->d, wait), STT_OK);
    return flow_take(f, to);
}

void flow_finish(struct flow *f, struct end *from, struct end *to)
{
    const stt_ns end = boot_ns() + STT_MS(UDP_PATIENCE_MS);
    while (f->received < f->sent) {
        ck_assert_msg(boot_ns() < end, "%u of %u datagrams came", f->received, f->sent);
        ck_assert_int_eq(stt_driver_step(from->d, false), STT_OK);
        if (flow_step(f, to, false) > 0)
            continue;
        ck_assert(udp_is_readable(stt_driver_fd(to->d), 1) || boot_ns() < end);
    }
}
