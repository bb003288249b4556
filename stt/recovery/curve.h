/* SPDX-License-Identifier: MIT
 * curve: the window of RFC 9438, which grows with the cube of the time since its last reduction.
 *
 *                 plateau     ______              plateau:   where the last loss was
 *      window   |  \         /                    k:         how long back to it
 *               |   \  __---'                     friendly:  what Reno would have
 *               |    \/
 *               +----'---------|------> t
 *                   epoch      k
 *
 * Whole numbers only: the same ACKs give the same windows on every machine. Spec 06,
 * "Controllers". */
#ifndef STT_RECOVERY_CURVE_H
#define STT_RECOVERY_CURVE_H

#include "stt/types.h"

#include <stdbool.h>
#include <stdint.h>

/* No window goes above it: the products stay within 64 bits. */
#define STT_CURVE_WINDOW_MAX (UINT64_C(1) << 32)

enum { STT_CURVE_LEAST_PACKETS = 2 };

struct stt_curve {
    uint64_t window;
    uint64_t plateau, prior; /* prior: the window before the last reduction */
    uint64_t friendly;
    stt_ns epoch_at;
    uint64_t pending, friendly_pending; /* acknowledged, not yet a whole byte of growth */
    uint32_t k;
    bool has_epoch;
};

/* Keeps the window within its bounds. */
void stt_curve_bound(struct stt_curve *v, uint32_t packet_bytes);
/* From this window on: no loss has told where the plateau is. */
void stt_curve_begin(struct stt_curve *v, uint64_t window);
/* By what was acknowledged in a window that was used; rtt: the smoothed one. */
void stt_curve_grow(struct stt_curve *v, uint32_t packet_bytes, stt_ns now, stt_ns rtt,
                    uint64_t acked);
/* The window was not used for so long: the curve waits, too. */
void stt_curve_wait(struct stt_curve *v, stt_ns since);
/* To 0.7. Who has less than he had before leaves room for others. */
void stt_curve_reduce(struct stt_curve *v, uint32_t packet_bytes);

/* The greatest whole number whose cube is not above x. */
uint32_t stt_curve_root(uint64_t x);

#endif
