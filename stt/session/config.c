/* SPDX-License-Identifier: MIT
 * config: one sentence for each mistake, and one for each reason. No printf in the core, so the
 * sentences are fixed texts. Spec 02, "Handshake parameters"; spec 04, "Limits of an endpoint". */
#include "stt/endpoint.h"

#include "crypto/aead.h"
#include "stt/base/bytes.h"
#include "stt/recovery/congestion.h"
#include "stt/wire/limits.h"

#include <string.h>

static bool is_application(const char *name)
{
    size_t n = strnlen(name, STT_APPLICATION_MAX + 1);
    for (size_t i = 0; i < n; i++)
        if (name[i] < 0x21 || name[i] > 0x7e)
            return false;
    return n >= 1 && n <= STT_APPLICATION_MAX;
}

static bool has_zero_seed(const struct stt_config *c)
{
    for (uint32_t i = 0; i < c->n_seeds && i < STT_SEEDS_MAX; i++)
        if (bytes_all_zero(BYTES(c->seeds[i])))
            return true;
    return false;
}

static bool has_bad_suite(const struct stt_config *c)
{
    for (uint32_t i = 0; i < c->n_suites && i < STT_SUITES_MAX; i++) {
        if (!c->suites[i])
            return true;
        for (uint32_t j = 0; j < i; j++)
            if (c->suites[i]->id == c->suites[j]->id)
                return true;
    }
    return false;
}

static const char *mistake(const struct stt_config *c)
{
    const struct {
        bool wrong;
        const char *text;
    } rules[] = {
        {c->size != sizeof *c, "size is not that of struct stt_config; start from STT_CONFIG_INIT"},
        {!is_application(c->application), "application must be 1 to 32 characters of 0x21 to 0x7e"},
        {c->n_seeds > STT_SEEDS_MAX, "n_seeds must be 0 to 4"},
        {has_zero_seed(c), "a seed is all zeros; draw one with stt_seed_generate"},
        {c->require_seed && !c->n_seeds, "require_seed needs at least one seed"},
        {(c->accept & STT_ACCEPT(STT_MODE_S)) && !c->n_seeds, "accepting mode S needs a seed"},
        {c->accept & ~(STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_W)),
         "accept may hold the modes K, S and W only"},
        {c->network_bytes > STT_NETWORK_MAX, "network_bytes must be 0 to 32"},
        {c->n_suites > STT_SUITES_MAX, "n_suites must be 0 to 8"},
        {has_bad_suite(c), "suites must be n_suites different ones"},
        {bytes_all_zero(BYTES(c->identity.secret)),
         "identity is not set; use stt_identity_generate or a key file"},
        {c->workers < 1 || c->workers > 256, "workers must be 1 to 256"},
        {c->worker >= c->workers, "worker must be below workers"},
        {c->idle_timeout_ns < STT_MS(STT_IDLE_TIMEOUT_MS_MIN) ||
             c->idle_timeout_ns > STT_MS(STT_IDLE_TIMEOUT_MS_MAX),
         "idle_timeout_ns must be one second to one hour"},
        {c->keep_alive_ns < STT_TICK_NS, "keep_alive_ns must be at least 50 ms, or STT_NEVER"},
        {c->handshake_ns < STT_MS(100) || c->handshake_ns > STT_S(60),
         "handshake_ns must be 100 ms to one minute"},
        {c->max_streams < 1 || c->max_streams > 1000000, "max_streams must be 1 to 1,000,000"},
        {c->max_frame_bytes < STT_FRAME_BYTES_MIN || c->max_frame_bytes > STT_FRAME_BYTES_MAX,
         "max_frame_bytes must be 1 to 64 KiB"},
        {c->stream_window_bytes < 4096 || c->stream_window_max < c->stream_window_bytes,
         "stream_window_bytes must be at least 4 KiB and at most stream_window_max"},
        {c->session_window_bytes < c->stream_window_bytes ||
             c->session_window_max < c->session_window_bytes,
         "session_window_bytes must be from stream_window_bytes to session_window_max"},
        {c->send_ring_bytes < 4096, "send_ring_bytes must be at least 4 KiB"},
        {c->stream_memory_max < 1u << 20, "stream_memory_max must be at least 1 MiB"},
        {c->packet_bytes < STT_DATAGRAM_BYTES_MIN || c->packet_bytes > STT_DATAGRAM_BYTES_MAX,
         "packet_bytes must be 1,200 to 65,507"},
        {c->packet_bytes_max < STT_DATAGRAM_BYTES_MIN ||
             c->packet_bytes_max > STT_DATAGRAM_BYTES_MAX,
         "packet_bytes_max must be 1,200 to 65,507"},
        {!c->congestion || !stt_controller_by_name(c->congestion),
         "congestion must be tide, cubic, bbr or none"},
        {c->max_datagram_bytes > STT_DATAGRAM_BYTES_MAX, "max_datagram_bytes must be 0 to 65,507"},
        {c->max_sessions < 1 || c->max_sessions > 10000000, "max_sessions must be 1 to 10,000,000"},
        {c->max_half_open < 1 || c->max_half_open > 1000000,
         "max_half_open must be 1 to 1,000,000"},
        {c->max_half_open_per_prefix < 1, "max_half_open_per_prefix must be at least 1"},
        {c->max_half_open_per_peer < 1, "max_half_open_per_peer must be at least 1"},
        {c->handshake_work_percent < 1 || c->handshake_work_percent > 100,
         "handshake_work_percent must be 1 to 100"},
        {c->handshakes_per_second < 1, "handshakes_per_second must be at least 1"},
        {c->handshakes_per_prefix_second < 1, "handshakes_per_prefix_second must be at least 1"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].wrong)
            return rules[i].text;
    return NULL;
}

int stt_config_check(const struct stt_config *config, char *why, size_t why_room)
{
    const char *text = mistake(config);
    if (why_room) {
        size_t n = text ? strlen(text) : 0;
        n = n < why_room ? n : why_room - 1;
        if (n)
            memcpy(why, text, n);
        why[n] = 0;
    }
    return text ? STT_E_ARGUMENT : STT_OK;
}

const char *stt_reason_text(enum stt_reason reason)
{
    static const char *const texts[] = {
        [STT_REASON_NONE] = "no reason",
        [STT_REASON_LOCAL_CLOSE] = "closed here",
        [STT_REASON_PEER_CLOSE] = "closed by the peer",
        [STT_REASON_PEER_ERROR] = "the peer says that we broke a rule",
        [STT_REASON_PROTOCOL] = "the peer broke a rule",
        [STT_REASON_IDLE] = "nothing authentic came for the idle timeout",
        [STT_REASON_NO_ANSWER] =
            "no answer: not running, blocked, or peer id or seed does not match",
        [STT_REASON_PEER_KEY] = "the pinned peer has another key",
        [STT_REASON_CODE_WRONG] = "the code is wrong",
        [STT_REASON_CODE_USED] = "the code has served",
        [STT_REASON_CODE_EXPIRED] = "the code is ten minutes old",
        [STT_REASON_CODE_GUESSED] = "three wrong guesses used the code up",
        [STT_REASON_REPLACED] = "both sides connected, and the other session stays",
        [STT_REASON_APPLICATION] = "the peer speaks another application",
        [STT_REASON_FORKED] = "the process forked; secrets do not survive a fork",
        [STT_REASON_KEYS_WORN_OUT] = "the keys are worn out",
        [STT_REASON_MEMORY] = "no memory to go on",
        [STT_REASON_NOT_ALLOWED] = "the peer is no longer allowed",
        [STT_REASON_NO_ADDRESS] = "no address was found, or none that can be reached",
    };
    unsigned i = (unsigned)reason;
    return i < sizeof texts / sizeof texts[0] && texts[i] ? texts[i] : "unknown reason";
}
