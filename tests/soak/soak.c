/* SPDX-License-Identifier: MIT */
#include "tests/soak/soak.h"

#include "tests/soak/talk.h"
#include "transport/sim/digest.h"

#include <stdarg.h>
#include <stdio.h>

void soak_fail(struct soak *x, const char *format, ...)
{
    if (x->failure[0])
        return;
    int n = snprintf(x->failure, sizeof x->failure,
                     "in hour %llu, at %.6f s: ", (unsigned long long)x->hour,
                     (double)(soak_now(x) - x->began) * 1e-9);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(x->failure + n, sizeof x->failure - (size_t)n, format, arguments);
    va_end(arguments);
}

bool soak_has_failed(struct soak *x)
{
    const char *failure = stt_sim_failure(x->sim);
    if (failure)
        soak_fail(x, "%s", failure);
    return x->failure[0];
}

void soak_note(struct soak *x, uint64_t word)
{
    x->story = stt_net_digest(x->story, word);
}

struct talk *soak_talk(struct soak *x, const struct host *h, stt_handle session)
{
    unsigned side = soak_side(x, h);
    for (size_t i = 0; i < SOAK_CLIENTS; i++)
        if (x->talks[i]->host[side] == h && x->talks[i]->session[side] == session)
            return x->talks[i];
    return NULL;
}

static void pull(struct host *h)
{
    struct soak *x = h->soak;
    struct stt_stream_event e;
    if (!h->ep || !stt_endpoint_stream_event(h->ep, &e))
        return;
    do {
        struct talk *t = soak_talk(x, h, e.session);
        soak_require(x, t, "host %u hears of a stream in a session that nobody has", h->number);
        if (t)
            talk_on_stream_event(t, soak_side(x, h), &e);
    } while (h->ep && !x->failure[0] && stt_endpoint_stream_event(h->ep, &e));
    stt_sim_touch(x->sim, h->node);
}

static bool wants_more(void *ctx)
{
    struct soak *x = ctx;
    for (size_t i = 0; i < SOAK_HOSTS; i++)
        pull(&x->hosts[i]);
    return !x->failure[0];
}

bool soak_run_until(struct soak *x, stt_ns until)
{
    stt_sim_run_while(x->sim, wants_more, x, until);
    return !soak_has_failed(x);
}
