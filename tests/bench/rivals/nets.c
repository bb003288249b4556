/* SPDX-License-Identifier: MIT
 * nets: owns the descriptors of two networks and their devices. Nothing has a name outside of them,
 * so nothing can be left behind. What the kernel learned from one connection it does not tell the
 * next, and its buffers are never in the way. */
#include "tests/bench/rivals/nets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE "wan0"
enum { QUEUE_PACKETS = 10000 };

static const char *const addresses[NETS_ENDS] = {"10.213.0.1", NETS_FAR};

static const struct {
    const char *path, *value;
} settings[] = {
    {"/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"},
    {"/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"},
    {"/proc/sys/net/ipv4/tcp_no_metrics_save", "1"},
    {"/proc/sys/net/ipv4/tcp_rmem", "4096 131072 67108864"},
    {"/proc/sys/net/ipv4/tcp_wmem", "4096 16384 67108864"},
};

static int here(void)
{
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static void set(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* a kernel without it */
    (void)!write(fd, value, strlen(value));
    close(fd);
}

static int open_device(void)
{
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    strcpy(r.ifr_name, DEVICE);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &r) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool has_address(int s, unsigned long request, const char *ip)
{
    struct ifreq r = {0};
    struct sockaddr_in name = {.sin_family = AF_INET};
    inet_pton(AF_INET, ip, &name.sin_addr);
    strcpy(r.ifr_name, DEVICE);
    memcpy(&r.ifr_addr, &name, sizeof name);
    return ioctl(s, request, &r) == 0;
}

static bool has_value(int s, unsigned long request, const char *device, int value)
{
    struct ifreq r = {.ifr_ifindex = value}; /* MTU, queue and flags lie in the same place */
    strcpy(r.ifr_name, device);
    if (request == SIOCSIFFLAGS)
        r.ifr_flags = (short)value;
    return ioctl(s, request, &r) == 0;
}

static bool furnish(const char *ip, int mtu)
{
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool works = s >= 0 && has_value(s, SIOCSIFFLAGS, "lo", IFF_UP) &&
                 has_value(s, SIOCSIFMTU, DEVICE, mtu) &&
                 has_value(s, SIOCSIFTXQLEN, DEVICE, QUEUE_PACKETS) &&
                 has_address(s, SIOCSIFADDR, ip) &&
                 has_address(s, SIOCSIFNETMASK, "255.255.255.0") &&
                 has_value(s, SIOCSIFFLAGS, DEVICE, IFF_UP | IFF_RUNNING);
    int error = errno;
    if (s >= 0)
        close(s);
    errno = error;
    return works;
}

static bool make(struct nets *n, int end, int mtu)
{
    if (unshare(CLONE_NEWNET) || (n->ends[end] = here()) < 0)
        return false;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        set(settings[i].path, settings[i].value);
    n->files[end] = open_device();
    return n->files[end] >= 0 && furnish(addresses[end], mtu);
}

bool nets_new(struct nets *n, int mtu, char why[OPTION_WHY_ROOM])
{
    *n = (struct nets){.home = here()};
    bool works = make(n, NETS_NEAR_END, mtu) && make(n, NETS_FAR_END, mtu);
    int error = errno;
    (void)setns(n->home, CLONE_NEWNET);
    return works || options_refuse(why,
                                   "two networks with a TUN device each cannot be made (%s); "
                                   "be root, and have /dev/net/tun",
                                   strerror(error));
}
