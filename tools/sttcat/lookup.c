/* SPDX-License-Identifier: MIT
 * lookup: a question, and the thread that asks it. Both hold it, and the last of them frees it: the
 * thread may sit in the system's resolver when nobody wants its answer any more. The answer is the
 * thread's until it has written to the descriptor, and the owner's once that could be read. It must
 * not know what is connected, or how. Spec 10, "Forward". */
#include "tools/sttcat/lookup.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { HOST_ROOM = 256, STACK_BYTES = 256 * 1024 };

struct lookup {
    struct port port;
    bool is_answered; /* as the owner has seen it */
    atomic_int holders;
    char host[HOST_ROOM], service[6];
    struct lookup_answer answer;
};

static atomic_uint n_threads;

uint32_t lookup_threads(void)
{
    return atomic_load(&n_threads);
}

static void let_go(struct lookup *l)
{
    if (atomic_fetch_sub(&l->holders, 1) > 1)
        return;
    if (l->port.fd >= 0)
        close(l->port.fd);
    free(l);
}

static int ask(struct lookup *l, int flags)
{
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP, .ai_flags = flags};
    struct lookup_answer *a = &l->answer;
    int error = getaddrinfo(l->host, l->service, &hints, &list);
    a->n = 0;
    a->why = error ? gai_strerror(error) : "it has no address";
    for (const struct addrinfo *i = list; i && a->n < LOOKUP_ADDRESSES_MAX; i = i->ai_next) {
        struct lookup_address *to = &a->at[a->n++];
        memcpy(&to->at, i->ai_addr, i->ai_addrlen);
        to->len = i->ai_addrlen;
    }
    if (list)
        freeaddrinfo(list);
    return error;
}

static void *work(void *ctx)
{
    struct lookup *l = ctx;
    const uint64_t one = 1;
    int error = ask(l, AI_NUMERICSERV | AI_ADDRCONFIG);
    if (error == EAI_NONAME || error == EAI_ADDRFAMILY) /* perhaps known on loopback alone */
        ask(l, AI_NUMERICSERV);
    (void)!write(l->port.fd, &one, sizeof one);
    let_go(l);
    atomic_fetch_sub(&n_threads, 1);
    return NULL;
}

/* Signals are for the thread that waits for them. */
static bool begin(struct lookup *l)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    l->port.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->port.fd < 0 || pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store(&l->holders, 2);
    atomic_fetch_add(&n_threads, 1);
    bool has_begun = pthread_create(&thread, &attributes, work, l) == 0;
    if (!has_begun) {
        atomic_store(&l->holders, 1);
        atomic_fetch_sub(&n_threads, 1);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return has_begun;
}

struct lookup *lookup_new(const char *host, uint16_t port)
{
    struct lookup *l = strlen(host) < HOST_ROOM ? calloc(1, sizeof *l) : NULL;
    if (!l)
        return NULL;
    l->port.fd = -1;
    atomic_init(&l->holders, 1);
    memcpy(l->host, host, strlen(host) + 1);
    snprintf(l->service, sizeof l->service, "%u", port);
    l->is_answered = ask(l, AI_NUMERICHOST | AI_NUMERICSERV) == 0;
    if (l->is_answered || begin(l))
        return l;
    let_go(l);
    return NULL;
}

void lookup_free(struct lookup *l)
{
    if (l)
        let_go(l);
}

struct port *lookup_port(struct lookup *l)
{
    return &l->port;
}

bool lookup_answer(struct lookup *l, struct lookup_answer *out)
{
    uint64_t count;
    if (!l->is_answered && (l->port.ready & POLLIN)) {
        l->is_answered = read(l->port.fd, &count, sizeof count) == sizeof count;
        l->port.ready = 0;
    }
    if (l->is_answered)
        *out = l->answer;
    return l->is_answered;
}
