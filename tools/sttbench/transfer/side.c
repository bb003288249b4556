/* SPDX-License-Identifier: MIT
 * side: asks the kernel about this process. What it does not say stays unknown, which is not 0.
 *
 * What a socket had no room for is counted by the kernel, socket by socket (what a datagram's
 * SO_RXQ_OVFL would tell): so it is told apart from what the path lost, which nobody here has seen.
 * It counts a train as one, so the datagrams are an estimate, by the mean of those trains that
 * came. Must not know what a test is. Spec 11, "Results". */
#include "tools/sttbench/transfer/side.h"

#include "stt/metrics.h"
#include "tools/sttbench/shared/figures.h"

#include <linux/sock_diag.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 1024 };
#define UNKNOWN UINT64_MAX

static uint64_t ns_of(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * STT_S(1) + (uint64_t)t->tv_usec * STT_US(1);
}

/* Of the one thread that does the work. */
static uint64_t waited_ns(void)
{
    double ns = figures_waited_ns();
    return isnan(ns) ? UNKNOWN : (uint64_t)ns;
}

static bool is_ours(int fd)
{
    int type = 0, domain = 0;
    socklen_t len = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM &&
           getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
           (domain == AF_INET || domain == AF_INET6);
}

/* All sockets of datagrams in this process are the node's. */
static uint64_t socket_drops(void)
{
    uint64_t drops = 0;
    for (int fd = 3; fd < DESCRIPTORS_MAX; fd++) {
        uint32_t info[SK_MEMINFO_VARS] = {0};
        socklen_t len = sizeof info;
        if (!is_ours(fd))
            continue;
        if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) || len <= 4 * SK_MEMINFO_DROPS)
            return UNKNOWN;
        drops += info[SK_MEMINFO_DROPS];
    }
    return drops;
}

void side_look(struct side_seen *out, const struct stt_node *node)
{
    struct rusage used;
    struct stt_node_stats stats;
    getrusage(RUSAGE_SELF, &used);
    stt_node_stats(node, &stats);
    out->trains = stats.io_trains_received;
    out->datagrams = stats.io_datagrams_received;
    out->figures = (struct talk_side){
        .time_ns = stt_node_now(node),
        .cpu_user_ns = ns_of(&used.ru_utime),
        .cpu_system_ns = ns_of(&used.ru_stime),
        .cpu_waited_ns = waited_ns(),
        .socket_drops = socket_drops(),
        .memory_drops = stats.dropped_no_memory,
    };
}

static uint64_t since(uint64_t now, uint64_t before)
{
    return now == UNKNOWN || before == UNKNOWN ? UNKNOWN : now > before ? now - before : 0;
}

struct talk_side side_since(const struct side_seen *now, const struct side_seen *before)
{
    struct talk_side s;
    uint64_t trains = now->trains - before->trains, datagrams = now->datagrams - before->datagrams;
#define X(name) s.name = since(now->figures.name, before->figures.name);
    TALK_SIDE_FIGURES(X)
#undef X
    if (s.socket_drops != UNKNOWN && trains)
        s.socket_drops =
            (uint64_t)((double)s.socket_drops * (double)datagrams / (double)trains + 0.5);
    return s;
}

static double percent(uint64_t part, uint64_t whole)
{
    return part == UNKNOWN || !whole || whole == UNKNOWN ? NAN : (double)part * 100 / (double)whole;
}

struct side_cpu side_cpu(const struct talk_side *s)
{
    struct side_cpu cpu = {.user = percent(s->cpu_user_ns, s->time_ns),
                           .system = percent(s->cpu_system_ns, s->time_ns)};
    cpu.total = cpu.user + cpu.system;
    return cpu;
}

struct diagnosis_side side_diagnosis(const struct talk_side *s)
{
    return (struct diagnosis_side){
        .cpu_percent = side_cpu(s).total,
        .waited_percent = percent(s->cpu_waited_ns, s->time_ns),
        .socket_drops = s->socket_drops == UNKNOWN ? 0 : s->socket_drops,
        .memory_drops = s->memory_drops == UNKNOWN ? 0 : s->memory_drops,
    };
}

void side_buffers(const struct stt_node *node, uint64_t *receive, uint64_t *send)
{
    struct stt_node_stats stats;
    stt_node_stats(node, &stats);
    *receive = stats.socket_receive_bytes;
    *send = stats.socket_send_bytes;
}
