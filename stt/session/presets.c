/* SPDX-License-Identifier: MIT
 * presets: three ways to set what concerns streams, as one table. Spec 05, "Presets". */
#include "stt/config.h"

#include "stt/error.h"
#include "stt/wire/limits.h"

#include <string.h>

#define KIB(n) (UINT64_C(n) << 10)
#define MIB(n) (UINT64_C(n) << 20)

static const struct preset {
    const char *name;
    uint32_t max_frame_bytes;
    bool no_delay, adaptive;
    uint64_t stream_window_bytes, stream_window_max;
    uint64_t session_window_bytes, session_window_max;
    uint64_t send_ring_bytes;
} presets[] = {
    {"balanced", STT_FRAME_BYTES_DEFAULT, false, false, STT_STREAM_WINDOW_DEFAULT,
     STT_STREAM_WINDOW_MAX, STT_SESSION_WINDOW_DEFAULT, STT_SESSION_WINDOW_MAX,
     STT_SEND_RING_DEFAULT},
    {"low-latency", KIB(4), true, true, KIB(64), MIB(2), KIB(256), MIB(4), KIB(256)},
    {"high-throughput", KIB(64), false, false, MIB(1), MIB(64), MIB(2), MIB(128), MIB(64)},
};

static const struct preset *find(const char *name)
{
    for (size_t i = 0; name && i < sizeof presets / sizeof presets[0]; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    return NULL;
}

int stt_config_preset(struct stt_config *config, const char *name)
{
    const struct preset *p = find(name);
    if (!p)
        return STT_E_ARGUMENT;
    config->max_frame_bytes = p->max_frame_bytes;
    config->no_delay = p->no_delay;
    config->adaptive = p->adaptive;
    config->stream_window_bytes = p->stream_window_bytes;
    config->stream_window_max = p->stream_window_max;
    config->session_window_bytes = p->session_window_bytes;
    config->session_window_max = p->session_window_max;
    config->send_ring_bytes = p->send_ring_bytes;
    return STT_OK;
}
