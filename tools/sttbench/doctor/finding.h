/* SPDX-License-Identifier: MIT
 * finding: what a look at one thing of this machine has shown. */
#ifndef TOOLS_STTBENCH_DOCTOR_FINDING_H
#define TOOLS_STTBENCH_DOCTOR_FINDING_H

#include <stdbool.h>

enum { FINDING_ROOM = 200 };

struct finding {
    char found[FINDING_ROOM]; /* what is there */
    char mend[FINDING_ROOM];  /* what to do about it; "": nothing, all is well */
    double value;             /* NAN: it is no number */
};

#define FINDING_PRINTF __attribute__((format(printf, 2, 3)))
FINDING_PRINTF void finding_is(struct finding *f, const char *format, ...);
FINDING_PRINTF void finding_mend(struct finding *f, const char *format, ...);

/* A file's first line, as in /proc and /sys; "" and false: there is none. */
bool finding_read(const char *path, char *out, int room);

/* -- looks ---------------------------------------------------------------------------------- */

/* kernel.c */
void look_at_receive_buffer(struct finding *f);
void look_at_send_buffer(struct finding *f);
void look_at_gso(struct finding *f);
void look_at_gro(struct finding *f);
void look_at_uring(struct finding *f);
void look_at_wake_up(struct finding *f);
void look_at_driver(struct finding *f);
void look_at_steering(struct finding *f);
void look_at_ipv6(struct finding *f);
void look_at_descriptors(struct finding *f);

/* processor.c */
void look_at_aes(struct finding *f);
void look_at_suite(struct finding *f);
void look_at_processors(struct finding *f);
void look_at_governor(struct finding *f);
void look_at_clock(struct finding *f);
void look_at_virtualisation(struct finding *f);

/* path.c: of the way to this host, or of this machine's own. False, with a sentence in `found`:
 * there is no such host. */
bool path_begin(const char *host, struct finding *f);
void look_at_interface_mtu(struct finding *f);
void look_at_path_mtu(struct finding *f);
void look_at_ecn(struct finding *f);

#endif
