/* SPDX-License-Identifier: MIT
 * resolver: two queues behind a lock, questions and answers, and a thread between them. The thread
 * may sit in the system's resolver when nobody wants its answer any more: then it is left alone,
 * and takes what it holds with it when it returns. Must not know what is connected, or how. */
#include "stt/node/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct question {
    uint64_t number;
    char host[STT_HOST_ROOM];
    uint16_t port;
};

struct stt_resolver {
    pthread_mutex_t lock;
    pthread_cond_t asked;
    bool has_thread, is_over;
    void (*wake)(void *ctx);
    void *ctx;
    uint64_t numbers;
    uint32_t first_question, n_questions, first_answer, n_answers; /* of rings */
    uint32_t n_under_way;
    struct question questions[STT_RESOLVER_QUESTIONS_MAX];
    struct stt_resolved answers[STT_RESOLVER_QUESTIONS_MAX];
};

int stt_resolver_new(struct stt_resolver **out, void (*wake)(void *ctx), void *ctx)
{
    struct stt_resolver *r = calloc(1, sizeof *r);
    *out = r;
    if (!r)
        return STT_E_MEMORY;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->asked, NULL);
    r->wake = wake;
    r->ctx = ctx;
    return STT_OK;
}

static void destroy(struct stt_resolver *r)
{
    pthread_cond_destroy(&r->asked);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static bool read_address(const struct sockaddr *from, uint16_t port, struct stt_address *to)
{
    *to = (struct stt_address){.port = port};
    if (from->sa_family == AF_INET) {
        to->ip[10] = to->ip[11] = 0xff;
        memcpy(to->ip + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
        return true;
    }
    if (from->sa_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *in6 = (const void *)from;
    memcpy(to->ip, &in6->sin6_addr, sizeof to->ip);
    to->scope = in6->sin6_scope_id;
    return true;
}

static void resolve(const struct question *q, struct stt_resolved *a)
{
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    *a = (struct stt_resolved){.question = q->number};
    int error = getaddrinfo(q->host, NULL, &hints, &list);
    if (error == EAI_NONAME || error == EAI_ADDRFAMILY) { /* perhaps known on loopback alone */
        hints.ai_flags = 0;
        error = getaddrinfo(q->host, NULL, &hints, &list);
    }
    a->why = error ? gai_strerror(error) : "it has no address";
    for (const struct addrinfo *i = list; i && a->n < STT_RESOLVED_MAX; i = i->ai_next)
        a->n += read_address(i->ai_addr, q->port, &a->at[a->n]);
    if (list)
        freeaddrinfo(list);
}

static bool wait_for_question(struct stt_resolver *r, struct question *q)
{
    while (!r->n_questions && !r->is_over)
        pthread_cond_wait(&r->asked, &r->lock);
    if (r->is_over)
        return false;
    *q = r->questions[r->first_question];
    r->first_question = (r->first_question + 1) % STT_RESOLVER_QUESTIONS_MAX;
    r->n_questions--;
    r->n_under_way = 1;
    return true;
}

static void *work(void *ctx)
{
    struct stt_resolver *r = ctx;
    struct question q;
    pthread_mutex_lock(&r->lock);
    while (wait_for_question(r, &q)) {
        struct stt_resolved a;
        pthread_mutex_unlock(&r->lock);
        resolve(&q, &a);
        pthread_mutex_lock(&r->lock);
        r->n_under_way = 0;
        r->answers[(r->first_answer + r->n_answers++) % STT_RESOLVER_QUESTIONS_MAX] = a;
        if (!r->is_over)
            r->wake(r->ctx);
    }
    pthread_mutex_unlock(&r->lock);
    destroy(r);
    return NULL;
}

void stt_resolver_free(struct stt_resolver *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    bool has_thread = r->has_thread;
    r->is_over = true;
    pthread_cond_signal(&r->asked);
    pthread_mutex_unlock(&r->lock);
    if (!has_thread)
        destroy(r);
}

static bool begin(struct stt_resolver *r)
{
    pthread_t thread;
    if (r->has_thread)
        return true;
    if (pthread_create(&thread, NULL, work, r) != 0)
        return false;
    pthread_detach(thread);
    r->has_thread = true;
    return true;
}

int stt_resolver_ask(struct stt_resolver *r, const char *host, uint16_t port, uint64_t *question)
{
    int error = STT_E_LIMIT;
    if (strlen(host) >= STT_HOST_ROOM)
        return STT_E_FORMAT;
    pthread_mutex_lock(&r->lock);
    if (r->n_questions + r->n_under_way + r->n_answers < STT_RESOLVER_QUESTIONS_MAX)
        error = begin(r) ? STT_OK : STT_E_MEMORY;
    if (!error) {
        uint32_t at = (r->first_question + r->n_questions++) % STT_RESOLVER_QUESTIONS_MAX;
        struct question *q = &r->questions[at];
        *question = q->number = ++r->numbers;
        q->port = port;
        memcpy(q->host, host, strlen(host) + 1);
        pthread_cond_signal(&r->asked);
    }
    pthread_mutex_unlock(&r->lock);
    return error;
}

bool stt_resolver_answer(struct stt_resolver *r, struct stt_resolved *out)
{
    pthread_mutex_lock(&r->lock);
    bool any = r->n_answers > 0;
    if (any) {
        *out = r->answers[r->first_answer];
        r->first_answer = (r->first_answer + 1) % STT_RESOLVER_QUESTIONS_MAX;
        r->n_answers--;
    }
    pthread_mutex_unlock(&r->lock);
    return any;
}
