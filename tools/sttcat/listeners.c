/* SPDX-License-Identifier: MIT
 * listeners: owns listening sockets, and paths of unix sockets that it has made itself: it replaces
 * none, and takes none away that somebody else has put in its place. A unix socket is for its owner
 * alone. It must not know streams. Spec 10, "Forward". */
#include "tools/sttcat/listeners.h"

#include "tools/sttcat/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

union name {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

/* -- names ------------------------------------------------------------------------------------- */

static socklen_t name_len(const union name *n)
{
    return n->any.sa_family == AF_INET    ? sizeof n->in
           : n->any.sa_family == AF_INET6 ? sizeof n->in6
                                          : sizeof n->un;
}

static void write_name(const union name *n, char out[LISTENER_TEXT_ROOM])
{
    char ip[INET6_ADDRSTRLEN] = "";
    if (n->any.sa_family == AF_INET)
        snprintf(out, LISTENER_TEXT_ROOM, "%s:%u",
                 inet_ntop(AF_INET, &n->in.sin_addr, ip, sizeof ip), ntohs(n->in.sin_port));
    else if (n->any.sa_family == AF_INET6)
        snprintf(out, LISTENER_TEXT_ROOM, "[%s]:%u",
                 inet_ntop(AF_INET6, &n->in6.sin6_addr, ip, sizeof ip), ntohs(n->in6.sin6_port));
    else
        snprintf(out, LISTENER_TEXT_ROOM, "unix:%.*s", (int)sizeof n->un.sun_path, n->un.sun_path);
}

static union name name_of_ipv4(const char *host, uint16_t port)
{
    union name n = {.in = {.sin_family = AF_INET, .sin_port = htons(port)}};
    (void)inet_pton(AF_INET, host, &n.in.sin_addr);
    return n;
}

/* An interface that is not there is found by bind(). */
static union name name_of_ipv6(const char *host, uint16_t port)
{
    union name n = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    char text[INET6_ADDRSTRLEN];
    const size_t len = strcspn(host, "%");
    snprintf(text, sizeof text, "%.*s", (int)len, host);
    (void)inet_pton(AF_INET6, text, &n.in6.sin6_addr);
    if (host[len])
        n.in6.sin6_scope_id = if_nametoindex(host + len + 1);
    return n;
}

static union name name_of_path(const char *path)
{
    union name n = {.un = {.sun_family = AF_UNIX}};
    memcpy(n.un.sun_path, path, strlen(path));
    return n;
}

/* -- sockets ----------------------------------------------------------------------------------- */

static bool prepare(int fd, int family)
{
    const int on = 1;
    if (family == AF_UNIX)
        return fchmod(fd, S_IRUSR | S_IWUSR) == 0; /* bind() makes the path with this */
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           (family == AF_INET || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
}

/* *bound: from here on there may be a path. */
static int open_socket(union name *name, bool *bound)
{
    socklen_t len = sizeof *name;
    const int family = name->any.sa_family;
    const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *bound = false;
    if (fd < 0)
        return -1;
    *bound = prepare(fd, family) && bind(fd, &name->any, name_len(name)) == 0;
    if (*bound && listen(fd, SOMAXCONN) == 0 &&
        (family == AF_UNIX || getsockname(fd, &name->any, &len) == 0))
        return fd;
    const int error = errno;
    close(fd);
    if (*bound && family == AF_UNIX)
        unlink(name->un.sun_path);
    errno = error;
    return -1;
}

static bool add_one(struct listeners *l, const struct target_forward *rule, union name *name)
{
    struct listener *one = &l->at[l->n];
    struct stat s;
    bool bound;
    if (l->n == LISTENERS_MAX) {
        errno = EMFILE;
        return false;
    }
    const int fd = open_socket(name, &bound);
    if (fd < 0)
        return false;
    *one = (struct listener){.port = {.fd = fd}, .rule = rule};
    write_name(name, one->at);
    if (rule->local.is_unix && lstat(rule->local.path, &s) == 0) {
        one->device = s.st_dev;
        one->inode = s.st_ino;
    }
    l->n++;
    return true;
}

/* -- rules ------------------------------------------------------------------------------------- */

static bool is_family_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

/* Both families at one port; one of them is enough where the other one is not there. */
static bool add_both(struct listeners *l, const struct target_forward *rule, const char *ipv4,
                     const char *ipv6, char at[LISTENER_TEXT_ROOM])
{
    union name name = name_of_ipv4(ipv4, rule->local.port);
    uint16_t port = rule->local.port;
    write_name(&name, at);
    const bool has_ipv4 = add_one(l, rule, &name);
    if (!has_ipv4 && !is_family_missing(errno))
        return false;
    if (has_ipv4)
        port = ntohs(name.in.sin_port);
    name = name_of_ipv6(ipv6, port);
    const bool has_ipv6 = add_one(l, rule, &name);
    if (has_ipv6 || (has_ipv4 && is_family_missing(errno)))
        return true;
    write_name(&name, at);
    return false;
}

static bool add(struct listeners *l, const struct target_forward *rule, char at[LISTENER_TEXT_ROOM])
{
    const struct target *local = &rule->local;
    union name name;
    if (!local->is_unix && !local->host[0])
        return add_both(l, rule, "127.0.0.1", "::1", at);
    if (!local->is_unix && strcmp(local->host, "*") == 0)
        return add_both(l, rule, "0.0.0.0", "::", at);
    name = local->is_unix             ? name_of_path(local->path)
           : strchr(local->host, ':') ? name_of_ipv6(local->host, local->port)
                                      : name_of_ipv4(local->host, local->port);
    write_name(&name, at);
    return add_one(l, rule, &name);
}

static void close_one(struct listener *one)
{
    struct stat s;
    const char *path = one->rule->local.path;
    close(one->port.fd);
    if (one->rule->local.is_unix && lstat(path, &s) == 0 && s.st_dev == one->device &&
        s.st_ino == one->inode && S_ISSOCK(s.st_mode))
        unlink(path);
}

enum exits listeners_add(struct listeners *l, const struct target_forward *rule,
                         char why[OPTION_WHY_ROOM])
{
    char at[LISTENER_TEXT_ROOM];
    const uint32_t before = l->n;
    if (add(l, rule, at))
        return EXIT_DONE;
    const int error = errno;
    while (l->n > before)
        close_one(&l->at[--l->n]);
    if (error == EADDRINUSE && rule->local.is_unix) {
        snprintf(why, OPTION_WHY_ROOM,
                 "%s exists and is never replaced; remove it if nobody uses it, or take another "
                 "path",
                 at);
        return EXIT_EXISTS;
    }
    snprintf(why, OPTION_WHY_ROOM, "cannot listen at %s: %s%s", at, strerror(error),
             error == EADDRINUSE ? "; take another port" : "");
    return EXIT_LOCAL_IO;
}

void listeners_end(struct listeners *l)
{
    while (l->n)
        close_one(&l->at[--l->n]);
}

/* -- connections ------------------------------------------------------------------------------- */

int listener_accept(struct listener *l, char from[LISTENER_TEXT_ROOM])
{
    union name name = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof name;
    const int fd = accept4(l->port.fd, &name.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return -1;
    if (name.any.sa_family == AF_UNIX) {
        snprintf(from, LISTENER_TEXT_ROOM, "%s", l->at);
        return fd;
    }
    write_name(&name, from);
    dial_set_no_delay(fd);
    return fd;
}
