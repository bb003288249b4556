/* SPDX-License-Identifier: MIT
 * output: how a test is told: to people in iperf3's lines, or to programs in its JSON. */
#ifndef TOOLS_STTBENCH_TRANSFER_OUTPUT_H
#define TOOLS_STTBENCH_TRANSFER_OUTPUT_H

#include "tools/sttbench/transfer/course.h"

struct output {
    /* Standard output, as the flags want it. */
    void (*open)(const struct flags *flags);
    void (*listening)(const struct post *host, unsigned test); /* and before each next test */
    void (*connecting)(const struct flags *flags);
    const struct teller *teller; /* of a test while it goes on */
    /* Of each test, once. NULL: it has not begun. error: what went wrong, or NULL. */
    void (*end)(const struct course *c, const char *error);
};

/* What both say of several lanes together, and of one, which is then the only one. */
struct output_sum {
    uint32_t lanes;
    bool is_ours; /* sent from here */
    bool has_sent, has_come;
    stt_ns sent_ns, came_ns;
    uint64_t sent_bytes, came_bytes;
    struct talk_lane sent; /* its figures from packets_sent on, added up; times of round trips are
                              the mean of means, the least and the most */
};
void output_add(struct output_sum *sum, const struct course *c, uint32_t from, uint32_t to);
/* The same of one interval, on this side. */
struct output_moment {
    uint64_t bytes, packets_lost;
    uint64_t window_bytes, rtt_ns, rtt_var_ns, packet_bytes;
};
void output_look(struct output_moment *moment, const struct course *c, uint32_t from, uint32_t to);

double output_bits_per_s(uint64_t bytes, stt_ns time);
/* Both ends of a session: "127.0.0.1" and 5201. */
struct output_ends {
    char local[STT_ADDRESS_TEXT_ROOM], remote[STT_ADDRESS_TEXT_ROOM];
    uint16_t local_port, remote_port;
    char suite[32];
};
void output_find_ends(struct output_ends *ends, const struct course *c, stt_handle session);

extern const struct output output_lines, output_json;

#endif
