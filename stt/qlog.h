/* SPDX-License-Identifier: MIT
 * Events as JSON text sequences of qlog 0.3, which viewers read (spec 09, "qlog"). It formats, and
 * writes nothing anywhere:
 *
 *     char record[STT_QLOG_RECORD_ROOM];
 *     fwrite(record, 1, stt_qlog_head(&qlog, record), f);
 *     ... for each event ...
 *     uint64_t place = 0;
 *     for (size_t n; (n = stt_qlog_record(&qlog, &event, &place, record));)
 *         fwrite(record, 1, n, f);
 */
#ifndef STT_QLOG_H
#define STT_QLOG_H

#include "stt/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

enum stt_qlog_side {
    STT_QLOG_UNKNOWN, /* an endpoint that does both */
    STT_QLOG_CLIENT,  /* who connects */
    STT_QLOG_SERVER,
};

struct stt_qlog {
    const char *title; /* may be NULL; the first 64 characters */
    enum stt_qlog_side side;
    stt_ns start;           /* events count from here; those before it from 0 */
    uint64_t start_unix_ms; /* the wall clock then, or 0 */
};

/* Of every record, its first byte (0x1e) and its newline included; it ends with a 0 behind that. */
#define STT_QLOG_RECORD_ROOM 640

/* The first record of a file. Answers its length. */
size_t stt_qlog_head(const struct stt_qlog *qlog, char out[STT_QLOG_RECORD_ROOM]);
/* The next record of an event, whose place begins at 0; a train has one for each packet. Answers
 * its length, or 0: that was all. */
size_t stt_qlog_record(const struct stt_qlog *qlog, const struct stt_trace_event *event,
                       uint64_t *place, char out[STT_QLOG_RECORD_ROOM]);

#ifdef __cplusplus
}
#endif
#endif
