/* SPDX-License-Identifier: MIT
 * bench/drivers: how fast trains of 45 datagrams of 1,452 bytes go from driver to driver over
 * loopback, in two threads, each on a core of its own; what comes is answered with a short datagram
 * a step, and so many trains may be under way as the receiver has buffers for. Rate, and what it
 * costs the processors at each end, from when each buffer was used once or twice. The drivers take
 * turns, so that a noisy machine hits all alike; ratios are of the same round, to the first driver.
 * Medians.
 *
 * Usage: drivers [-J] [ROUNDS [DATAGRAMS]]      -J: JSON, one flat object; datagrams of a train */
#include "tests/support/stopwatch.h"
#include "transport/uring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT = 1452, SEGMENTS = 45 };
enum { WINDOW = 24, WARM = 200, ROUNDS = 15, ROUNDS_MAX = 1000 };
#define ROUND_NS STT_MS(150)

struct end {
    struct stt_driver *d;
    struct stt_socket socket;
    uint32_t number;
    size_t core;
    uint64_t trains, warm; /* all; before the clocks were started */
    double cpu_ns, wall_ns;
    struct stt_address peer;
};

static int new_deferring(struct stt_driver **out, const struct stt_driver_config *config)
{
    return stt_uring_new_with(out, config, &(struct stt_uring_knobs){0});
}

static int new_cooperating(struct stt_driver **out, const struct stt_driver_config *config)
{
    return stt_uring_new_with(out, config, &(struct stt_uring_knobs){.without_defer = true});
}

static const struct {
    const char *name;
    int (*make)(struct stt_driver **out, const struct stt_driver_config *config);
} drivers[] = {
    {"uring", new_deferring},
    {"uring_coop", new_cooperating},
    {"mmsg", stt_mmsg_new},
};
enum { DRIVERS = sizeof drivers / sizeof drivers[0] };

struct figures {
    double gbit_per_s[ROUNDS_MAX], send_ns[ROUNDS_MAX], receive_ns[ROUNDS_MAX]; /* per datagram */
    double ratio[ROUNDS_MAX];
};
static struct figures figures[DRIVERS];
static uint64_t lost;
static size_t segments = SEGMENTS, train_bytes;

static void must(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "bench/drivers: %s\n", what);
    exit(1);
}

static void end_init(struct end *e, size_t driver, size_t core)
{
    const struct stt_driver_config config = STT_DRIVER_CONFIG_INIT;
    const struct stt_socket_options options = {.local = {.ip = {[10] = 0xff, 0xff, 127, 0, 0, 1}},
                                               .buffer_bytes = 8 << 20};
    *e = (struct end){.core = core};
    must(drivers[driver].make(&e->d, &config) == STT_OK, "no such driver here");
    must(stt_socket_open(&e->socket, &options) == STT_OK, "no socket");
    must(stt_driver_add(e->d, &e->socket, &e->number) == STT_OK, "socket not taken");
}

static void begin(const struct end *e)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(e->core, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void step(const struct end *e)
{
    must(stt_driver_step(e->d, true) == STT_OK, "a step failed");
}

static void send_bytes(const struct end *e, uint8_t *room, size_t len)
{
    const struct stt_driver_train train = {
        .socket = e->number, .remote = e->peer, .data = room, .len = len, .segment_bytes = SEGMENT};
    stt_driver_send(e->d, &train);
}

static void warm_up(struct end *e, uint64_t trains)
{
    e->warm = trains;
    e->cpu_ns = stopwatch_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Answers how many trains' worth of bytes have come, until told to end by one short datagram. */
static void *receive_all(void *arg)
{
    struct end *e = arg;
    uint64_t bytes = 0;
    begin(e);
    for (bool ends = false; !ends;) {
        struct stt_driver_train train;
        step(e);
        while (stt_driver_receive(e->d, &train)) {
            ends |= train.len < SEGMENT;
            bytes += train.len;
        }
        if (!e->warm && bytes >= WARM * train_bytes)
            warm_up(e, bytes / train_bytes);
        uint8_t *room = stt_driver_room(e->d);
        must(room, "no room for an answer");
        memcpy(room, &bytes, sizeof bytes);
        send_bytes(e, room, sizeof bytes);
    }
    must(stt_driver_step(e->d, false) == STT_OK, "a step failed");
    e->trains = bytes / train_bytes;
    e->cpu_ns = stopwatch_ns(CLOCK_THREAD_CPUTIME_ID) - e->cpu_ns;
    return NULL;
}

/* Nothing should be lost: both ends have buffers for all that is under way. */
static uint64_t hear_answers(struct end *e, uint64_t answered)
{
    struct stt_driver_train train;
    bool heard = false;
    while (stt_driver_receive(e->d, &train)) {
        heard = true;
        memcpy(&answered, train.data, sizeof answered);
    }
    if (!heard && stopwatch_ns(CLOCK_BOOTTIME) > e->wall_ns + (double)STT_S(2))
        must(false, "trains are lost");
    return answered;
}

static void *send_all(void *arg)
{
    struct end *e = arg;
    uint64_t answered = 0;
    begin(e);
    e->wall_ns = stopwatch_ns(CLOCK_BOOTTIME);
    double end_ns = e->wall_ns + (double)ROUND_NS;
    while (stopwatch_ns(CLOCK_BOOTTIME) < end_ns) {
        uint8_t *room;
        if (!e->warm && answered >= WARM * train_bytes) {
            warm_up(e, answered / train_bytes);
            e->wall_ns = stopwatch_ns(CLOCK_BOOTTIME);
        }
        while (e->trains * train_bytes < answered + WINDOW * train_bytes &&
               (room = stt_driver_room(e->d))) {
            send_bytes(e, room, train_bytes);
            e->trains++;
        }
        stt_driver_alarm(e->d, (stt_ns)end_ns + STT_MS(100));
        step(e);
        answered = hear_answers(e, answered);
    }
    while (answered < e->trains * train_bytes && stopwatch_ns(CLOCK_BOOTTIME) < end_ns + 5e7) {
        step(e);
        answered = hear_answers(e, answered);
    }
    e->wall_ns = stopwatch_ns(CLOCK_BOOTTIME) - e->wall_ns;
    lost += e->trains - answered / train_bytes;
    e->trains = answered / train_bytes;
    e->cpu_ns = stopwatch_ns(CLOCK_THREAD_CPUTIME_ID) - e->cpu_ns;
    uint8_t *room;
    while (!(room = stt_driver_room(e->d)))
        step(e);
    send_bytes(e, room, 1);
    must(stt_driver_step(e->d, false) == STT_OK, "a step failed");
    return NULL;
}

static double datagrams_of(const struct end *e)
{
    must(e->warm && e->trains > e->warm, "too slow to be measured");
    return (double)((e->trains - e->warm) * segments);
}

static void run(size_t driver, size_t round)
{
    struct end sender, receiver;
    pthread_t threads[2];
    end_init(&sender, driver, 0);
    end_init(&receiver, driver, 1);
    sender.peer = receiver.socket.local;
    receiver.peer = sender.socket.local;
    must(!pthread_create(&threads[0], NULL, receive_all, &receiver), "no thread");
    must(!pthread_create(&threads[1], NULL, send_all, &sender), "no thread");
    pthread_join(threads[1], NULL);
    pthread_join(threads[0], NULL);
    struct figures *f = &figures[driver];
    f->gbit_per_s[round] = datagrams_of(&sender) * SEGMENT * 8 / sender.wall_ns;
    f->send_ns[round] = sender.cpu_ns / datagrams_of(&sender);
    f->receive_ns[round] = receiver.cpu_ns / datagrams_of(&receiver);
    f->ratio[round] = f->gbit_per_s[round] / figures[0].gbit_per_s[round];
    stt_driver_free(sender.d);
    stt_driver_free(receiver.d);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_size);
    return values[n / 2];
}

static void report(size_t driver, size_t rounds, bool is_json)
{
    struct figures *f = &figures[driver];
    printf(is_json ? "%s\"%s_gbit_per_s\":%.2f,\"%s_ratio\":%.3f,\"%s_send_ns\":%.1f,"
                     "\"%s_receive_ns\":%.1f"
                   : "%.0s%-12s%8.2f Gbit/s%.0s%8.3f%.0s%10.1f ns%.0s%10.1f ns\n",
           driver ? "," : "{", drivers[driver].name, median(f->gbit_per_s, rounds),
           drivers[driver].name, median(f->ratio, rounds), drivers[driver].name,
           median(f->send_ns, rounds), drivers[driver].name, median(f->receive_ns, rounds));
}

int main(int argc, char **argv)
{
    bool is_json = argc > 1 && strcmp(argv[1], "-J") == 0;
    long wanted = argc > 1 + is_json ? strtol(argv[1 + is_json], NULL, 10) : ROUNDS;
    if (argc > 2 + is_json)
        segments = strtoul(argv[2 + is_json], NULL, 10);
    must(wanted > 0 && wanted <= ROUNDS_MAX && segments > 0 && segments <= SEGMENTS,
         "Usage: drivers [-J] [ROUNDS [DATAGRAMS]]");
    train_bytes = segments * SEGMENT;
    size_t rounds = (size_t)wanted;
    for (size_t round = 0; round < rounds; round++)
        for (size_t driver = 0; driver < DRIVERS; driver++)
            run(driver, round);
    if (!is_json)
        printf("driver              rate         ratio   a datagram: sent     received\n");
    for (size_t driver = 0; driver < DRIVERS; driver++)
        report(driver, rounds, is_json);
    printf(is_json ? ",\"lost_trains\":%llu}\n" : "trains lost: %llu\n", (unsigned long long)lost);
    return 0;
}
