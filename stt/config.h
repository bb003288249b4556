/* SPDX-License-Identifier: MIT
 * What an endpoint is made with. Start from STT_CONFIG_INIT and change what you need: every limit
 * is visible here, and there is no magic zero. */
#ifndef STT_CONFIG_H
#define STT_CONFIG_H

#include "stt/identity.h"
#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stt_aead_suite;
struct stt_roster;

/* Which handshakes are answered, as bits. A connecting side chooses its mode in each call. */
#define STT_ACCEPT(mode) (1u << (mode))

#define STT_SEEDS_MAX       4u /* old and new of a group; each costs a mac1 */
#define STT_SUITES_MAX      8u /* twice as many as there are */
#define STT_APPLICATION_MAX 32 /* a name and a version, "sttcat/1" */
#define STT_NETWORK_MAX     32 /* a hash fits */

struct stt_config {
    size_t size; /* sizeof(struct stt_config), so that the library knows which fields you know */

    /* Who I am and whom I answer. */
    struct stt_identity identity;              /* stt_identity_generate() or a key file */
    uint8_t seeds[STT_SEEDS_MAX][32];          /* seeds that admit to this endpoint */
    uint32_t n_seeds;                          /* 0 to 4 */
    uint32_t accept;                           /* STT_ACCEPT(mode) bits; 0 answers nobody */
    bool require_seed;                         /* mode K is answered only under one of the seeds */
    bool allow_only_listed;                    /* only peers of stt_endpoint_allow() are answered */
    uint8_t network[STT_NETWORK_MAX];          /* network id; the same on both sides */
    uint32_t network_bytes;                    /* 0 to 32 */
    char application[STT_APPLICATION_MAX + 1]; /* 1 to 32 characters of 0x21-0x7e, zero-ended */
    const struct stt_aead_suite *suites[STT_SUITES_MAX]; /* own order of preference */
    uint32_t n_suites;                                   /* 0: the machine's best order */

    /* Shared by all workers of a host, drawn once. */
    uint8_t cookie_secret[32]; /* all zeros: drawn from the environment */
    uint8_t id_hash_key[8];    /* steers session ids to workers; all zeros: drawn */
    uint32_t worker;           /* which of the workers this is */
    uint32_t workers;          /* how many there are: 1 to 256 */
    struct stt_roster *roster; /* of stt_node_spawn(): one allow-list, one count of guesses */
    bool balanced;             /* session ids carry an index for a balancer */
    uint8_t balancer_key[16];
    uint16_t balancer_index;

    /* Times. */
    stt_ns keep_alive_ns;   /* of silence before the initiator pings; STT_NEVER: no pings */
    stt_ns idle_timeout_ns; /* without an authenticated packet a session is dead */
    stt_ns handshake_ns;    /* a connect is given up after this */

    /* Limits. */
    uint32_t max_sessions;                 /* live ones, both directions */
    uint32_t max_half_open;                /* handshakes that are being answered */
    uint32_t max_half_open_per_prefix;     /* of one /32, /64 */
    uint32_t max_half_open_per_peer;       /* of one peer id */
    uint32_t handshake_work_percent;       /* of a core, before cookies are demanded */
    uint32_t handshakes_per_second;        /* from addresses that have not proven themselves */
    uint32_t handshakes_per_prefix_second; /* from one that has: a /32, /64, /48 */

    /* Streams. */
    uint32_t max_streams;         /* that a peer may have open */
    uint32_t max_frame_bytes;     /* the grain at which streams take turns: 1 to 64 KiB */
    uint64_t stream_window_bytes; /* at first; grows with the path up to ... */
    uint64_t stream_window_max;
    uint64_t session_window_bytes; /* the same for all streams of a session together */
    uint64_t session_window_max;
    uint64_t send_ring_bytes;    /* that a stream keeps of what was written */
    uint64_t stream_memory_max;  /* of all sessions */
    uint32_t packet_bytes;       /* UDP payload of a full packet at first: 1,200 reaches all */
    uint32_t packet_bytes_max;   /* to which a path is searched: the interface's, less 28 or 48 */
    const char *congestion;      /* "tide", "cubic", "bbr", or "none" for benchmarks */
    bool no_delay;               /* small writes go at once, on every stream, whoever opened it */
    bool adaptive;               /* a stream that starves behind more urgent ones is raised */
    uint32_t max_datagram_bytes; /* that are taken from a peer; 0: no datagrams */
};

#define STT_CONFIG_INIT                                                                            \
    {                                                                                              \
        .size = sizeof(struct stt_config), .workers = 1, .keep_alive_ns = STT_S(10),               \
        .idle_timeout_ns = STT_S(30), .handshake_ns = STT_S(10), .max_sessions = 100000,           \
        .max_half_open = 4096, .max_half_open_per_prefix = 64, .max_half_open_per_peer = 4,        \
        .handshake_work_percent = 10, .handshakes_per_second = 20000,                              \
        .handshakes_per_prefix_second = 1000, .max_streams = 256, .max_frame_bytes = 16384,        \
        .stream_window_bytes = 65536, .stream_window_max = 8u << 20,                               \
        .session_window_bytes = 262144, .session_window_max = 16u << 20,                           \
        .send_ring_bytes = 2u << 20, .stream_memory_max = (uint64_t)1 << 30, .packet_bytes = 1200, \
        .packet_bytes_max = 1472, .congestion = "tide", .no_delay = false, .adaptive = false,      \
        .max_datagram_bytes = 65507,                                                               \
    }

/* Sets what concerns streams to one of:
 *     "balanced"         as in STT_CONFIG_INIT
 *     "low-latency"      small grains, nothing waits for company, nobody starves
 *     "high-throughput"  large grains, and windows for 10 Gbit/s at 50 ms
 * STT_E_ARGUMENT: there is none of that name. */
int stt_config_preset(struct stt_config *config, const char *name) STT_MUST_USE;

#define STT_CONFIG_WHY_ROOM 128
/* STT_OK, or STT_E_ARGUMENT with one sentence that names the mistake in `why`. */
int stt_config_check(const struct stt_config *config, char *why, size_t why_room) STT_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
