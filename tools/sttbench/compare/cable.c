/* SPDX-License-Identifier: MIT
 * cable: owns the descriptors of two network namespaces. Made by unshare(), furnished by rtnetlink,
 * its offloads switched as ethtool(8) does it. Invariant: nothing has a name outside of them, so
 * nothing can be left behind. */
#include "tools/sttbench/compare/cable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINK "stt0"

static const char *const addresses[CABLE_ENDS] = {"10.0.0.1", CABLE_RECEIVER};

/* -- rtnetlink: a message grows, and is asked -------------------------------------------------- */

struct message {
    _Alignas(struct nlmsghdr) uint8_t bytes[512];
    uint32_t len;
};

static void *put(struct message *m, const void *data, size_t len)
{
    void *at = m->bytes + m->len;
    memcpy(at, data, len);
    m->len += (uint32_t)NLMSG_ALIGN(len);
    return at;
}

static void begin(struct message *m, uint16_t type, uint16_t flags)
{
    const struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
    memset(m, 0, sizeof *m);
    put(m, &h, sizeof h);
}

static struct rtattr *attribute(struct message *m, uint16_t type, const void *data, size_t len)
{
    const struct rtattr a = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type};
    struct rtattr *at = put(m, &a, sizeof a);
    if (len)
        put(m, data, len);
    return at;
}

/* All that was put since `nest` is in it. */
static void end_nest(struct message *m, struct rtattr *nest)
{
    nest->rta_len = (uint16_t)(m->bytes + m->len - (uint8_t *)nest);
}

/* -1 or the answer's length. */
static ssize_t exchange(struct message *m, void *answer, size_t room)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    memcpy(m->bytes, &m->len, sizeof m->len);
    ssize_t n = fd >= 0 && send(fd, m->bytes, m->len, 0) > 0 ? recv(fd, answer, room, 0) : -1;
    if (fd >= 0)
        close(fd);
    return n;
}

static bool ask(struct message *m)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t more[1024];
    } answer = {.error = {.error = -EIO}};
    if (exchange(m, &answer, sizeof answer) < 0)
        return false;
    errno = -answer.error.error;
    return answer.header.nlmsg_type == NLMSG_ERROR && !errno;
}

/* -- the cable --------------------------------------------------------------------------------- */

/* One end here, the other one there. */
static bool make_cable(int there)
{
    struct message m;
    const struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
    begin(&m, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    put(&m, &link, sizeof link);
    attribute(&m, IFLA_IFNAME, LINK, sizeof LINK);
    struct rtattr *info = attribute(&m, IFLA_LINKINFO, NULL, 0);
    attribute(&m, IFLA_INFO_KIND, "veth", sizeof "veth");
    struct rtattr *data = attribute(&m, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = attribute(&m, VETH_INFO_PEER, NULL, 0);
    put(&m, &link, sizeof link);
    attribute(&m, IFLA_IFNAME, LINK, sizeof LINK);
    attribute(&m, IFLA_NET_NS_FD, &there, sizeof there);
    end_nest(&m, peer);
    end_nest(&m, data);
    end_nest(&m, info);
    return ask(&m);
}

static bool add_address(const char *ip)
{
    struct message m;
    struct in_addr address;
    const struct ifaddrmsg a = {
        .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = if_nametoindex(LINK)};
    inet_pton(AF_INET, ip, &address);
    begin(&m, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    put(&m, &a, sizeof a);
    attribute(&m, IFA_LOCAL, &address, sizeof address);
    attribute(&m, IFA_ADDRESS, &address, sizeof address);
    return ask(&m);
}

static bool bring_up(const char *name, uint32_t mtu)
{
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = {.ifr_flags = 0};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    bool works = ioctl(s, SIOCGIFFLAGS, &r) == 0;
    r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
    works = works && ioctl(s, SIOCSIFFLAGS, &r) == 0;
    r.ifr_mtu = (int)mtu;
    works = works && (!mtu || ioctl(s, SIOCSIFMTU, &r) == 0);
    close(s);
    return works;
}

static bool has_queue(void)
{
    static _Alignas(struct nlmsghdr) uint8_t answer[1 << 14];
    struct message m;
    const struct ifinfomsg link = {.ifi_index = (int)if_nametoindex(LINK)};
    begin(&m, RTM_GETLINK, 0);
    put(&m, &link, sizeof link);
    ssize_t left = exchange(&m, answer, sizeof answer) - (ssize_t)NLMSG_SPACE(sizeof link);
    struct rtattr *a = (struct rtattr *)(void *)(answer + NLMSG_SPACE(sizeof link));
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
        if (a->rta_type == IFLA_QDISC)
            return strcmp(RTA_DATA(a), "noop") != 0;
    return false;
}

/* Until the kernel has given it a queue, a moment after its carrier is there, what is sent is lost.
 */
static bool wait_for_queue(void)
{
    for (unsigned i = 0; i < 2000; i++) {
        if (has_queue())
            return true;
        poll(NULL, 0, 1);
    }
    errno = ETIMEDOUT;
    return false;
}

/* -- namespaces -------------------------------------------------------------------------------- */

static int here(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static bool make_network(int *out)
{
    if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
        return false;
    *out = here();
    return *out >= 0 && bring_up("lo", 0);
}

static bool furnish(const struct cable *c, int end, uint32_t mtu)
{
    return setns(c->ends[end], CLONE_NEWNET) == 0 && bring_up(LINK, mtu) &&
           add_address(addresses[end]);
}

static bool visit_queue(const struct cable *c, int end)
{
    return setns(c->ends[end], CLONE_NEWNET) == 0 && wait_for_queue();
}

bool cable_new(struct cable *c, uint32_t mtu, char why[OPTION_WHY_ROOM])
{
    *c = (struct cable){.home = here(), .ends = {-1, -1}};
    bool works = make_network(&c->ends[CABLE_RECEIVER_END]) &&
                 make_network(&c->ends[CABLE_SENDER_END]) &&
                 make_cable(c->ends[CABLE_RECEIVER_END]) && furnish(c, CABLE_RECEIVER_END, mtu) &&
                 furnish(c, CABLE_SENDER_END, mtu) && visit_queue(c, CABLE_RECEIVER_END) &&
                 visit_queue(c, CABLE_SENDER_END);
    int error = errno;
    (void)setns(c->home, CLONE_NEWNET);
    if (works)
        return true;
    cable_free(c);
    return options_refuse(why,
                          "two networks and a veth cannot be made here (%s): be root for --veth",
                          strerror(error));
}

void cable_free(struct cable *c)
{
    for (int i = 0; i < CABLE_ENDS; i++)
        if (c->ends[i] >= 0)
            close(c->ends[i]);
    close(c->home);
}

/* -- offloads ---------------------------------------------------------------------------------- */

/* gso, tso, gro and tx-udp-segmentation, as the kernel calls them. */
static const char *const offloads[] = {
    "tx-generic-segmentation",
    "tx-tcp-segmentation",
    "tx-tcp-ecn-segmentation",
    "tx-tcp-mangleid-segmentation",
    "tx-tcp6-segmentation",
    "tx-udp-segmentation",
    "rx-gro",
};

enum { FEATURES_MAX = 256 };

static bool ethtool(int s, void *command)
{
    struct ifreq r = {.ifr_data = command};
    strcpy(r.ifr_name, LINK);
    return ioctl(s, SIOCETHTOOL, &r) == 0;
}

/* 0: it cannot be known. */
static uint32_t count_features(int s)
{
    _Alignas(8) uint8_t room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)] = {0};
    struct ethtool_sset_info *info = (void *)room;
    info->cmd = ETHTOOL_GSSET_INFO;
    info->sset_mask = 1u << ETH_SS_FEATURES;
    return ethtool(s, info) && info->data[0] <= FEATURES_MAX ? info->data[0] : 0;
}

static bool is_offload(const uint8_t *name)
{
    for (size_t i = 0; i < sizeof offloads / sizeof offloads[0]; i++)
        if (strncmp(offloads[i], (const char *)name, ETH_GSTRING_LEN) == 0)
            return true;
    return false;
}

static bool switch_offloads(int s, bool on)
{
    static _Alignas(8)
        uint8_t names_room[sizeof(struct ethtool_gstrings) + FEATURES_MAX * ETH_GSTRING_LEN];
    static _Alignas(8)
        uint8_t wanted_room[sizeof(struct ethtool_sfeatures) +
                            FEATURES_MAX / 32 * sizeof(struct ethtool_set_features_block)];
    struct ethtool_gstrings *names = (void *)names_room;
    struct ethtool_sfeatures *wanted = (void *)wanted_room;
    uint32_t n = count_features(s);
    memset(wanted_room, 0, sizeof wanted_room);
    names->cmd = ETHTOOL_GSTRINGS;
    names->string_set = ETH_SS_FEATURES;
    names->len = n;
    if (!n || !ethtool(s, names))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (is_offload(names->data + (size_t)i * ETH_GSTRING_LEN)) {
            wanted->features[i / 32].valid |= 1u << i % 32;
            wanted->features[i / 32].requested |= (uint32_t)on << i % 32;
        }
    wanted->cmd = ETHTOOL_SFEATURES;
    wanted->size = (n + 31) / 32;
    return ethtool(s, wanted);
}

bool cable_offloads(const struct cable *c, bool on, char why[OPTION_WHY_ROOM])
{
    int error = 0;
    if (setns(c->ends[CABLE_SENDER_END], CLONE_NEWNET))
        return options_refuse(why, "the sender's network cannot be entered: %s", strerror(errno));
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!switch_offloads(s, on))
        error = errno ? errno : EIO;
    close(s);
    (void)setns(c->home, CLONE_NEWNET);
    return !error ||
           options_refuse(why, "the offloads of the veth cannot be switched: %s", strerror(error));
}
