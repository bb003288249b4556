/* SPDX-License-Identifier: MIT
 * diagnosis: first what is proven (memory that was not there, a rate that was asked for, a
 * processor without time to spare, a socket that overflowed), then what the sender's data waited
 * for longest. Must not know what a session is, or how the figures came here. Spec 06, "What held
 * the session back". */
#include "tools/sttbench/shared/diagnosis.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    BUSY_PERCENT = 85,   /* a processor that has no time to spare: the rest are its wake-ups */
    SHARED_PERCENT = 10, /* others took so much of it that it is worth a word */
    DROPS_OF_1000 = 1,   /* packets; fewer drops limit nobody */
    HALF_PERCENT = 50,
};

const char *diagnosis_name(enum diagnosis_limit limit)
{
    static const char *const names[] = {
#define X(name, key) [DIAGNOSIS_##name] = key,
        DIAGNOSIS_LIMITS(X)
#undef X
    };
    return (size_t)limit < sizeof names / sizeof names[0] ? names[limit] : names[0];
}

void diagnosis_add(struct diagnosis *d, const struct stt_session_stats *now,
                   const struct stt_session_stats *before)
{
    static const struct stt_session_stats none;
    const struct stt_session_stats *b = before ? before : &none;
#define ROW(X, upper, name, words)                                                                 \
    d->held_ns[STT_HELD_##upper] += now->held_by_##name##_ns - b->held_by_##name##_ns;
    STT_HELD_BY(ROW, )
#undef ROW
    d->packets_sent += now->packets_sent - b->packets_sent;
    d->packets_lost += now->packets_lost - b->packets_lost;
    d->packets_spurious += now->packets_spurious - b->packets_spurious;
    d->rtt_ns = now->rtt_ns > d->rtt_ns ? now->rtt_ns : d->rtt_ns;
    d->rtt_min_ns = now->rtt_min_ns > d->rtt_min_ns ? now->rtt_min_ns : d->rtt_min_ns;
    d->sessions++;
}

/* -- what is asked of the figures -------------------------------------------------------------- */

static double percent(double part, double whole)
{
    return whole > 0 ? part * 100 / whole : 0;
}

/* Of all that the sender's sessions were held by something. */
static double held_percent(const struct diagnosis *d, stt_ns ns)
{
    double all = 0;
    for (int by = 0; by < STT_HELD_COUNT; by++)
        all += (double)d->held_ns[by];
    return percent((double)ns, all);
}

static stt_ns ring_full(const struct diagnosis *d)
{
    stt_ns application = d->held_ns[STT_HELD_APPLICATION];
    return d->ring_full_ns < application ? d->ring_full_ns : application;
}

/* NAN stays what it is, and is below everything. */
static double busy(const struct diagnosis_side *s)
{
    return isnan(s->waited_percent) ? s->cpu_percent : s->cpu_percent + s->waited_percent;
}

static bool is_busy(const struct diagnosis_side *s)
{
    return busy(s) >= BUSY_PERCENT;
}

static bool is_many(const struct diagnosis *d, uint64_t packets)
{
    return packets > 0 && packets * 1000 >= d->packets_sent * DROPS_OF_1000;
}

static uint64_t truly_lost(const struct diagnosis *d)
{
    return d->packets_lost > d->packets_spurious ? d->packets_lost - d->packets_spurious : 0;
}

/* -- the sentences ----------------------------------------------------------------------------- */

/* What is so, and what to change. */
__attribute__((format(printf, 4, 5))) static enum diagnosis_limit
say(enum diagnosis_limit limit, char *sentence, const char *advice, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, DIAGNOSIS_ROOM, format, args);
    va_end(args);
    size_t len = strlen(sentence);
    snprintf(sentence + len, DIAGNOSIS_ROOM - len, "; %s.", advice);
    return limit;
}

/* What the verb's own options can do, or those of -s and -c. */
static const char *advise(const struct diagnosis *d, enum diagnosis_limit limit,
                          const char *otherwise)
{
    return d->advice && d->advice[limit] ? d->advice[limit] : otherwise;
}

/* Both ends of a verb are on this machine, and have processors of their own already. */
static const char *advise_quiet(const struct diagnosis *d)
{
    return d->advice ? "others use this machine, so run it when it is quiet"
                     : "give it a processor of its own (-A)";
}

static enum diagnosis_limit say_memory(const struct diagnosis *d, char *sentence)
{
    bool is_receiver = d->receiver.memory_drops >= d->sender.memory_drops;
    uint64_t drops = is_receiver ? d->receiver.memory_drops : d->sender.memory_drops;
    return say(DIAGNOSIS_MEMORY, sentence,
               advise(d, DIAGNOSIS_MEMORY, "use fewer sessions, or smaller buffers"),
               "Limited by memory: the %s had none for %llu packets",
               is_receiver ? "receiver" : "sender", (unsigned long long)drops);
}

static enum diagnosis_limit say_application(const struct diagnosis *d, char *sentence)
{
    if (!isnan(d->rate_bits_per_s))
        return say(DIAGNOSIS_APPLICATION, sentence,
                   advise(d, DIAGNOSIS_APPLICATION, "raise -b, or leave it away"),
                   "Limited by the application: it was asked for %.3g Mbit/s and could have sent "
                   "more",
                   d->rate_bits_per_s * 1e-6);
    return say(DIAGNOSIS_APPLICATION, sentence,
               advise(d, DIAGNOSIS_APPLICATION, "write more at once"),
               "Limited by the application: the sender had nothing to send for %.0f %% of the time",
               held_percent(d, d->held_ns[STT_HELD_APPLICATION]));
}

static enum diagnosis_limit say_cpu(const struct diagnosis *d, char *sentence)
{
    bool is_sender = !(busy(&d->receiver) > busy(&d->sender));
    const struct diagnosis_side *s = is_sender ? &d->sender : &d->receiver;
    const char *name = is_sender ? "sender" : "receiver";
    enum diagnosis_limit limit = is_sender ? DIAGNOSIS_SENDER_CPU : DIAGNOSIS_RECEIVER_CPU;
    if (s->waited_percent >= SHARED_PERCENT)
        return say(limit, sentence, advise_quiet(d),
                   "Limited by the %s's processor, which others used, too: it worked for %.0f %% "
                   "of the time and waited for a processor for %.0f %%",
                   name, s->cpu_percent, s->waited_percent);
    return say(
        limit, sentence,
        advise(d, limit,
               "take a faster processor or suite, larger packets (--mtu), or several processes"),
        "Limited by the %s's processor, busy for %.0f %% of the time (the other side's: "
        "%.0f %%)",
        name, s->cpu_percent, is_sender ? d->receiver.cpu_percent : d->sender.cpu_percent);
}

static enum diagnosis_limit say_socket(const struct diagnosis *d, char *sentence)
{
    return say(
        DIAGNOSIS_RECEIVER_SOCKET, sentence,
        advise(d, DIAGNOSIS_RECEIVER_SOCKET,
               "raise net.core.rmem_max there, or pin the receiver to a processor of its own (-A)"),
        "Limited by the receiver's socket, not by the path: its kernel threw away %llu of "
        "%llu lost packets for lack of room",
        (unsigned long long)d->receiver.socket_drops, (unsigned long long)truly_lost(d));
}

static enum diagnosis_limit say_peer_buffer(const struct diagnosis *d, char *sentence)
{
    stt_ns held = d->held_ns[STT_HELD_STREAM_FLOW] + d->held_ns[STT_HELD_SESSION_FLOW];
    return say(
        DIAGNOSIS_PEER_BUFFER, sentence,
        advise(d, DIAGNOSIS_PEER_BUFFER,
               "give it a larger one (-w, or --preset high-throughput), or let it read faster"),
        "Limited by the receiver's buffer for %.0f %% of the time: its flow control let no "
        "more come",
        held_percent(d, held));
}

static enum diagnosis_limit say_send_buffer(const struct diagnosis *d, char *sentence)
{
    return say(
        DIAGNOSIS_SEND_BUFFER, sentence,
        advise(d, DIAGNOSIS_SEND_BUFFER, "give it a larger one (-w), or use more sessions (-P)"),
        "Limited by the sender's buffer: for %.0f %% of the time all of it waited for "
        "acknowledgements",
        held_percent(d, ring_full(d)));
}

static enum diagnosis_limit say_interface(const struct diagnosis *d, char *sentence)
{
    return say(DIAGNOSIS_INTERFACE, sentence,
               advise(d, DIAGNOSIS_INTERFACE,
                      "a faster one, or larger queues (net.core.wmem_max), would help"),
               "Limited by the sender's network interface, which took nothing for %.0f %% of the "
               "time",
               held_percent(d, d->held_ns[STT_HELD_CARRIER]));
}

static enum diagnosis_limit say_network(const struct diagnosis *d, char *sentence)
{
    double lost = percent((double)truly_lost(d), (double)d->packets_sent);
    double queue = d->rtt_ns > d->rtt_min_ns ? (double)(d->rtt_ns - d->rtt_min_ns) * 1e-6 : 0;
    double pacer = held_percent(d, d->held_ns[STT_HELD_PACER]);
    double window = held_percent(d, d->held_ns[STT_HELD_WINDOW] + d->held_ns[STT_HELD_PATH]);
    const char *advice = lost >= 1 ? "packets are lost: if that is no congestion, --cc bbr helps"
                         : queue > (double)d->rtt_min_ns * 0.5e-6
                             ? "packets wait in a queue: this is what the path carries"
                             : "a longer run (-t) or more sessions (-P) tell whether it has more";
    return say(DIAGNOSIS_NETWORK, sentence, advise(d, DIAGNOSIS_NETWORK, advice),
               "Limited by the network: congestion control held the sender back for %.0f %% of the "
               "time (window %.0f %%, pacer %.0f %%), with %.2g %% of packets lost and a queue of "
               "%.3g ms above a round trip of %.3g ms",
               window + pacer, window, pacer, lost, queue, (double)d->rtt_min_ns * 1e-6);
}

static enum diagnosis_limit say_machine(const struct diagnosis *d, char *sentence)
{
    return say(DIAGNOSIS_SENDER_CPU, sentence, advise_quiet(d),
               "Limited by the sender's machine for %.0f %% of the time: data was ready, and "
               "nobody sent it",
               held_percent(d, d->held_ns[STT_HELD_MACHINE]));
}

/* -- what held it longest ---------------------------------------------------------------------- */

static enum diagnosis_limit say_longest(const struct diagnosis *d, char *sentence)
{
    const stt_ns *held = d->held_ns;
    const struct {
        stt_ns ns;
        enum diagnosis_limit (*say)(const struct diagnosis *d, char *sentence);
    } rows[] = {
        {held[STT_HELD_WINDOW] + held[STT_HELD_PACER] + held[STT_HELD_PATH], say_network},
        {held[STT_HELD_STREAM_FLOW] + held[STT_HELD_SESSION_FLOW], say_peer_buffer},
        {ring_full(d), say_send_buffer},
        {held[STT_HELD_CARRIER], say_interface},
        {held[STT_HELD_MACHINE], say_machine},
        {held[STT_HELD_APPLICATION] - ring_full(d), say_application},
    };
    size_t longest = 0;
    for (size_t i = 1; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].ns > rows[longest].ns)
            longest = i;
    if (!rows[longest].ns)
        return say(DIAGNOSIS_UNKNOWN, sentence, advise(d, DIAGNOSIS_UNKNOWN, "a longer run would"),
                   "Nothing was sent for long enough to say what limited it");
    return rows[longest].say(d, sentence);
}

enum diagnosis_limit diagnosis_find(const struct diagnosis *d, char sentence[DIAGNOSIS_ROOM])
{
    stt_ns idle = d->held_ns[STT_HELD_APPLICATION] - ring_full(d);
    bool has_rate = !isnan(d->rate_bits_per_s);
    if (is_many(d, d->receiver.memory_drops) || is_many(d, d->sender.memory_drops))
        return say_memory(d, sentence);
    if (has_rate && held_percent(d, idle) >= HALF_PERCENT)
        return say_application(d, sentence);
    if (is_busy(&d->sender) || is_busy(&d->receiver))
        return say_cpu(d, sentence);
    if (is_many(d, d->receiver.socket_drops) && d->receiver.socket_drops * 2 >= truly_lost(d))
        return say_socket(d, sentence);
    return say_longest(d, sentence);
}
