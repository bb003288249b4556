/* SPDX-License-Identifier: MIT
 * congestion: what a controller costs for an ACK, on a path whose queue answers to the window: a
 * round trip of 20 ms with four ACKs in it, and with a loss in every so many of them. The
 * controllers take turns, and the best of several runs counts. */
#include "stt/recovery/congestion.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>

enum { PACKET = 1452, QUARTERS = 4, WARM = 20000, MEASURED = 1000000, RUNS = 7 };

#define BASE STT_MS(20)

struct bench {
    struct stt_rtt rtt;
    struct stt_congestion c;
    stt_ns now;
    uint64_t rate, number, delivered;
    unsigned losses_between; /* ACKs; 0: none */
    /* As they were when what is acknowledged now was sent. */
    uint64_t delivered_then[QUARTERS], number_then[QUARTERS];
    uint64_t n_acks;
};

static void begin(struct bench *b, const struct stt_controller *controller, uint64_t rate,
                  unsigned losses_between)
{
    *b = (struct bench){.rtt = STT_RTT_INIT, .now = STT_S(1), .rate = rate};
    b->losses_between = losses_between;
    stt_rtt_sample(&b->rtt, b->now, BASE, 0);
    stt_congestion_init(&b->c, controller, &b->rtt, PACKET, b->now);
}

/* A quarter of a round trip: what of the window the path does not hold stands in the queue. */
static void ack(struct bench *b)
{
    uint64_t window = stt_at_most(b->c.window_bytes, 8 * b->rate / 50), holds = b->rate / 50;
    stt_ns rtt = BASE + (window > holds ? (window - holds) * STT_S(1) / b->rate : 0);
    uint64_t bytes = stt_at_most(window, b->rate * rtt / STT_S(1)) / QUARTERS;
    unsigned q = (unsigned)(b->n_acks++ % QUARTERS);
    bool is_lost = b->losses_between && b->n_acks % b->losses_between == 0;
    b->now += rtt / QUARTERS;
    b->delivered += bytes;
    stt_rtt_sample(&b->rtt, b->now, rtt, 0);
    struct stt_ack_sample s = {.now = b->now,
                               .acked_bytes = bytes,
                               .delivered_bytes = b->delivered,
                               .in_flight_bytes = window,
                               .left_bytes = window - bytes,
                               .lost_bytes = is_lost ? PACKET : 0,
                               .interval_bytes = b->delivered - b->delivered_then[q],
                               .interval_ns = rtt,
                               .rtt_ns = rtt,
                               .newest_sent_at = b->now - rtt,
                               .newest_number = b->number_then[q],
                               .newest_delivered_bytes = b->delivered_then[q]};
    if (is_lost)
        b->c.controller->on_lost(&b->c, b->now, PACKET, s.newest_number, s.newest_sent_at);
    b->c.controller->on_ack(&b->c, &s);
    b->number += bytes / PACKET + 1;
    b->delivered_then[q] = b->delivered;
    b->number_then[q] = b->number;
    b->c.controller->on_sent(&b->c, b->now, bytes, window, b->number);
}

static double measure(const struct stt_controller *controller, uint64_t rate,
                      unsigned losses_between)
{
    static struct bench b;
    begin(&b, controller, rate, losses_between);
    for (int i = 0; i < WARM; i++)
        ack(&b);
    double start = wall_ns();
    for (int i = 0; i < MEASURED; i++)
        ack(&b);
    return (wall_ns() - start) / MEASURED;
}

int main(void)
{
    static const struct stt_controller *const controllers[] = {&stt_no_congestion, &stt_tide,
                                                               &stt_cubic, &stt_bbr};
    static const struct {
        const char *name;
        uint64_t rate;
        unsigned losses_between;
    } columns[] = {
        {"10 Mbit/s", 1250000, 0}, {"1 Gbit/s", 125000000, 0}, {"1 Gbit/s, losses", 125000000, 50}};
    enum { CONTROLLERS = 4, COLUMNS = 3 };
    double best[CONTROLLERS][COLUMNS];
    for (int run = 0; run < RUNS; run++)
        for (int i = 0; i < CONTROLLERS; i++)
            for (int j = 0; j < COLUMNS; j++) {
                double ns = measure(controllers[i], columns[j].rate, columns[j].losses_between);
                best[i][j] = run && best[i][j] < ns ? best[i][j] : ns;
            }
    printf("%-8s", "ns");
    for (int j = 0; j < COLUMNS; j++)
        printf(" %18s", columns[j].name);
    printf("   for an ACK, beyond what none takes\n");
    for (int i = 1; i < CONTROLLERS; i++) {
        printf("%-8s", controllers[i]->name);
        for (int j = 0; j < COLUMNS; j++)
            printf(" %18.1f", best[i][j] - best[0][j]);
        printf("\n");
    }
    printf("%-8s %18.1f %18.1f %18.1f   the path itself\n", controllers[0]->name, best[0][0],
           best[0][1], best[0][2]);
    return 0;
}
