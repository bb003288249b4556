/* SPDX-License-Identifier: MIT
 * kernel: owns the looks at what the system allows a socket and a process. */
#include "tools/sttbench/doctor/finding.h"

#include "stt/node.h"
#include "transport/probe.h"
#include "transport/socket.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS_WANTED = 4096 };

/* -- buffers --------------------------------------------------------------------------------- */

static uint32_t wanted_bytes(void)
{
    return ((struct stt_node_config)STT_NODE_CONFIG_INIT).socket_buffer_bytes;
}

/* As a node opens its sockets; the kernel counts what it grants twice. */
static void look_at_buffer(struct finding *f, bool is_receive, const char *setting)
{
    struct stt_socket s;
    char path[64], limit[32];
    const struct stt_socket_options options = {.local.ip = {[10] = 0xff, 0xff, 127, [15] = 1},
                                               .buffer_bytes = wanted_bytes()};
    snprintf(path, sizeof path, "/proc/sys/net/core/%s", setting);
    int error = stt_socket_open(&s, &options);
    if (error) {
        finding_is(f, "no socket can be opened: %s", stt_error_text(error));
        finding_mend(f, "allow UDP sockets on 127.0.0.1");
        return;
    }
    f->value = (is_receive ? s.receive_bytes : s.send_bytes) / 2;
    close(s.fd);
    finding_is(f, "%.0f bytes; STT asks for %u, and net.core.%s is %s", f->value, wanted_bytes(),
               setting, finding_read(path, limit, sizeof limit) ? limit : "not to be seen");
    if (f->value < wanted_bytes())
        finding_mend(f, "sysctl -w net.core.%s=%u", setting, wanted_bytes());
}

void look_at_receive_buffer(struct finding *f)
{
    look_at_buffer(f, true, "rmem_max");
}

void look_at_send_buffer(struct finding *f)
{
    look_at_buffer(f, false, "wmem_max");
}

/* -- what the probe has tried ---------------------------------------------------------------- */

/* The command, where the sentence has one between `...`; else the sentence is all there is. */
static void mend_as_told(struct finding *f, const char *why)
{
    const char *from = strchr(why, '`'), *to = from ? strchr(from + 1, '`') : NULL;
    const char *colon = strstr(why, ": ");
    if (to)
        finding_mend(f, "%.*s", (int)(to - from - 1), from + 1);
    else
        finding_mend(f, "%s", colon ? colon + 2 : why);
}

static void look_at_item(struct finding *f, enum stt_probe_item item, const char *when_it_works)
{
    const struct stt_probe *p = stt_probe();
    finding_is(f, "%s", p->items[item].works ? when_it_works : p->items[item].why);
    if (!p->items[item].works)
        mend_as_told(f, p->items[item].why);
}

void look_at_gso(struct finding *f)
{
    look_at_item(f, STT_PROBE_GSO,
                 "a train left a socket with one call, and arrived (UDP_SEGMENT)");
}

void look_at_gro(struct finding *f)
{
    look_at_item(f, STT_PROBE_GRO, "a train arrived in one piece (UDP_GRO)");
}

void look_at_uring(struct finding *f)
{
    look_at_item(f, STT_PROBE_URING, "allowed, and seen to work");
}

void look_at_wake_up(struct finding *f)
{
    if (!stt_probe()->items[STT_PROBE_URING].works)
        finding_is(f, "without io_uring it does not matter");
    else
        look_at_item(f, STT_PROBE_DEFER, "an io_uring that defers its work wakes an epoll");
}

void look_at_steering(struct finding *f)
{
    look_at_item(f, STT_PROBE_STEERING, "the kernel steers a port's packets to their worker");
}

void look_at_ipv6(struct finding *f)
{
    look_at_item(f, STT_PROBE_IPV6, "sockets and an address on loopback");
}

/* What a node takes, and why it is not the ring where it is not. */
void look_at_driver(struct finding *f)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    struct stt_node *node = NULL;
    strcpy(config.endpoint.application, "sttbench-doctor/1");
    int error = stt_node_identity(&config, NULL);
    if (!error)
        error = stt_node_new(&node, &config);
    if (error) {
        finding_is(f, "no node can be made: %s", stt_error_text(error));
        finding_mend(f, "%s",
                     error == STT_E_LIMIT ? "ulimit -n 4096" : "look at the lines above first");
        return;
    }
    const char *why = stt_node_io_why(node);
    finding_is(f, "%s%s%s", stt_node_io(node), *why ? ", not uring: " : "", why);
    if (*why)
        mend_as_told(f, why);
    stt_node_free(node);
}

/* -- the process ----------------------------------------------------------------------------- */

void look_at_descriptors(struct finding *f)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        finding_is(f, "cannot be seen");
        return;
    }
    f->value = limit.rlim_cur == RLIM_INFINITY ? INFINITY : (double)limit.rlim_cur;
    finding_is(f, "%.0f descriptors for a process", f->value);
    if (f->value < DESCRIPTORS_WANTED)
        finding_mend(f, "ulimit -n %d", DESCRIPTORS_WANTED);
}
