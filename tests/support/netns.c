/* SPDX-License-Identifier: MIT
 * netns: made by unshare(), furnished by rtnetlink. */
#include "tests/support/netns.h"

#include <arpa/inet.h>
#include <assert.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int networks[NETNS_COUNT];
static _Thread_local int inside = -1;

/* -- rtnetlink ----------------------------------------------------------------------------------
 */

struct message {
    _Alignas(struct nlmsghdr) uint8_t bytes[512];
};

static struct nlmsghdr *header_of(struct message *m)
{
    return (struct nlmsghdr *)(void *)m->bytes;
}

static void *put(struct message *m, const void *data, size_t len)
{
    struct nlmsghdr *h = header_of(m);
    void *at = m->bytes + h->nlmsg_len;
    assert(h->nlmsg_len + NLMSG_ALIGN(len) <= sizeof m->bytes);
    memcpy(at, data, len);
    h->nlmsg_len += (uint32_t)NLMSG_ALIGN(len);
    return at;
}

static void message_init(struct message *m, uint16_t type, uint16_t flags)
{
    memset(m, 0, sizeof *m);
    struct nlmsghdr h = {.nlmsg_type = type,
                         .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags)};
    h.nlmsg_len = sizeof h;
    memcpy(m->bytes, &h, sizeof h);
}

static void put_attribute(struct message *m, uint16_t type, const void *data, size_t len)
{
    struct rtattr a = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type};
    put(m, &a, sizeof a);
    put(m, data, len);
}

/* What is put until end_nest() is inside. */
static struct rtattr *begin_nest(struct message *m, uint16_t type)
{
    return put(m, &(struct rtattr){.rta_type = type}, sizeof(struct rtattr));
}

static void end_nest(struct message *m, struct rtattr *nest)
{
    nest->rta_len = (uint16_t)(m->bytes + header_of(m)->nlmsg_len - (uint8_t *)nest);
}

/* In the thread's network. 0, or errno. */
static int ask(struct message *m)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t more[1024];
    } answer = {.error = {.error = -EIO}};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return errno;
    bool is_said = send(fd, m->bytes, header_of(m)->nlmsg_len, 0) > 0 &&
                   recv(fd, &answer, sizeof answer, 0) > 0;
    close(fd);
    return is_said && answer.header.nlmsg_type == NLMSG_ERROR ? -answer.error.error : EIO;
}

/* One end here, the other one in that network. */
static int make_cable(int there)
{
    struct message m;
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
    message_init(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    put(&m, &link, sizeof link);
    put_attribute(&m, IFLA_IFNAME, NETNS_LINK, sizeof NETNS_LINK);
    struct rtattr *info = begin_nest(&m, IFLA_LINKINFO);
    put_attribute(&m, IFLA_INFO_KIND, "veth", sizeof "veth");
    struct rtattr *data = begin_nest(&m, IFLA_INFO_DATA), *peer = begin_nest(&m, VETH_INFO_PEER);
    put(&m, &link, sizeof link);
    put_attribute(&m, IFLA_IFNAME, NETNS_LINK, sizeof NETNS_LINK);
    put_attribute(&m, IFLA_NET_NS_FD, &networks[there], sizeof networks[there]);
    end_nest(&m, peer);
    end_nest(&m, data);
    end_nest(&m, info);
    return ask(&m);
}

static int change_address(uint16_t type, uint16_t flags, const char *ip)
{
    struct message m;
    uint8_t address[16];
    bool is_ipv4 = inet_pton(AF_INET, ip, address) == 1;
    if (!is_ipv4 && inet_pton(AF_INET6, ip, address) != 1)
        return EINVAL;
    struct ifaddrmsg a = {.ifa_family = is_ipv4 ? AF_INET : AF_INET6,
                          .ifa_prefixlen = is_ipv4 ? 24 : 64,
                          .ifa_flags = is_ipv4 ? 0 : IFA_F_NODAD,
                          .ifa_index = if_nametoindex(NETNS_LINK)};
    message_init(&m, type, flags);
    put(&m, &a, sizeof a);
    put_attribute(&m, IFA_LOCAL, address, is_ipv4 ? 4 : 16);
    put_attribute(&m, IFA_ADDRESS, address, is_ipv4 ? 4 : 16);
    return ask(&m);
}

static bool has_queue(void)
{
    static _Alignas(struct nlmsghdr) uint8_t answer[1 << 14];
    struct message m;
    struct ifinfomsg link = {.ifi_index = (int)if_nametoindex(NETNS_LINK)};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    message_init(&m, RTM_GETLINK, 0);
    put(&m, &link, sizeof link);
    ssize_t len = send(fd, m.bytes, header_of(&m)->nlmsg_len, 0);
    len = len < 0 ? len : recv(fd, answer, sizeof answer, 0);
    close(fd);
    if (len < (ssize_t)NLMSG_SPACE(sizeof link))
        return false;
    struct rtattr *a = (struct rtattr *)(void *)(answer + NLMSG_SPACE(sizeof link));
    for (ssize_t left = len - (ssize_t)NLMSG_SPACE(sizeof link); RTA_OK(a, left);
         a = RTA_NEXT(a, left))
        if (a->rta_type == IFLA_QDISC)
            return strcmp(RTA_DATA(a), "noop") != 0;
    return false;
}

/* -- interfaces ---------------------------------------------------------------------------------
 */

static bool change_link(const char *name, bool is_up, int mtu)
{
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = {.ifr_flags = 0};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    bool works = ioctl(s, SIOCGIFFLAGS, &r) == 0;
    r.ifr_flags = (short)(is_up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
    works = works && ioctl(s, SIOCSIFFLAGS, &r) == 0;
    r.ifr_mtu = mtu;
    works = works && (!mtu || ioctl(s, SIOCSIFMTU, &r) == 0);
    close(s);
    return works;
}

/* -- networks -----------------------------------------------------------------------------------
 */

static bool make_network(int which)
{
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    networks[which] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    inside = which;
    return networks[which] >= 0 && change_link("lo", true, 0);
}

/* Until the kernel has given it a queue, a moment after its carrier is there, what is sent is lost.
 */
static bool wait_for_queue(void)
{
    struct timespec moment = {.tv_nsec = 200000};
    for (unsigned i = 0; i < 10000; i++) {
        if (has_queue())
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

static bool go(int which)
{
    if (inside != which && setns(networks[which], CLONE_NEWNET) != 0)
        return false;
    inside = which;
    return true;
}

static bool make_all(void)
{
    if (!make_network(NETNS_SERVER) || !make_network(NETNS_CLIENT) || make_cable(NETNS_SERVER))
        return false;
    return change_link(NETNS_LINK, true, 0) && go(NETNS_SERVER) &&
           change_link(NETNS_LINK, true, 0) && wait_for_queue() && go(NETNS_CLIENT) &&
           wait_for_queue();
}

bool netns_is_allowed(void)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(make_all() ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

void netns_begin(void)
{
    ck_assert_msg(make_all(), "networks of our own: %s", strerror(errno));
}

void netns_enter(bool is_client)
{
    ck_assert_msg(go(is_client ? NETNS_CLIENT : NETNS_SERVER), "setns: %s", strerror(errno));
}

/* Goes there; the answer is for netns_enter() afterwards. */
static bool visit(int which)
{
    bool was_client = inside == NETNS_CLIENT;
    netns_enter(which == NETNS_CLIENT);
    return was_client;
}

/* The kernel hears who asks for an address of IPv6 a moment after it has it: in the group of those
 * that end alike. */
static bool wait_for_group(const char *ip)
{
    struct timespec moment = {.tv_nsec = 200000};
    uint8_t a[16];
    char wanted[40], line[128];
    if (inet_pton(AF_INET6, ip, a) != 1)
        return true;
    snprintf(wanted, sizeof wanted, "ff0200000000000000000001ff%02x%02x%02x ", a[13], a[14], a[15]);
    for (unsigned i = 0; i < 10000; i++) {
        bool is_there = false;
        FILE *f = fopen("/proc/thread-self/net/igmp6", "re");
        while (f && !is_there && fgets(line, sizeof line, f))
            is_there = strstr(line, NETNS_LINK) && strstr(line, wanted);
        if (f)
            fclose(f);
        if (is_there)
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

bool netns_add(int which, const char *ip)
{
    bool was_client = visit(which);
    int error = change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ip);
    ck_assert(error || wait_for_group(ip));
    netns_enter(was_client);
    return error == 0;
}

bool netns_remove(int which, const char *ip)
{
    bool was_client = visit(which);
    int error = change_address(RTM_DELADDR, 0, ip);
    netns_enter(was_client);
    return error == 0;
}

void netns_up(int which, bool is_up)
{
    bool was_client = visit(which);
    ck_assert(change_link(NETNS_LINK, is_up, 0));
    ck_assert(!is_up || wait_for_queue());
    netns_enter(was_client);
}

void netns_mtu(int which, int bytes)
{
    bool was_client = visit(which);
    ck_assert(change_link(NETNS_LINK, true, bytes));
    netns_enter(was_client);
}

/* -- counters -----------------------------------------------------------------------------------
 */

/* A line with names, and one with their values. */
static uint64_t find_in_table(FILE *f, const char *family, const char *name)
{
    char names[2048], values[2048], *one, *other, *word;
    size_t len = strlen(family);
    while (fgets(names, sizeof names, f) && fgets(values, sizeof values, f)) {
        if (strncmp(names, family, len) != 0)
            continue;
        char *value = strtok_r(values, " \n", &other);
        for (word = strtok_r(names, " \n", &one); word && value;
             word = strtok_r(NULL, " \n", &one), value = strtok_r(NULL, " \n", &other))
            if (strcmp(word, name) == 0)
                return strtoull(value, NULL, 10);
    }
    return 0;
}

static uint64_t find_in_list(FILE *f, const char *name)
{
    char word[64];
    unsigned long long value;
    while (fscanf(f, "%63s %llu", word, &value) == 2)
        if (strcmp(word, name) == 0)
            return value;
    return 0;
}

uint64_t netns_counter(int which, const char *family, const char *name)
{
    bool was_client = visit(which);
    FILE *f = fopen(family ? "/proc/thread-self/net/snmp" : "/proc/thread-self/net/snmp6", "re");
    ck_assert_ptr_nonnull(f);
    uint64_t value = family ? find_in_table(f, family, name) : find_in_list(f, name);
    fclose(f);
    netns_enter(was_client);
    return value;
}
