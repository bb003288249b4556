/* SPDX-License-Identifier: MIT
 * ends: owns nothing; two processes call the same functions, one after fork().
 *
 * Invariant: whoever answers "no" has said why, on standard error. */
#include "tools/sttbench/shared/ends.h"

#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "tools/common/say.h"
#include "tools/sttbench/shared/pair.h"

#include <stdio.h>
#include <string.h>

bool ends_well(int error, const char *what)
{
    if (error)
        say_error("%s: %s", what, stt_error_text(error));
    return !error;
}

bool ends_config(struct stt_node_config *config, const char *suite, const char *io)
{
    *config = (struct stt_node_config)STT_NODE_CONFIG_INIT;
    struct stt_config *c = &config->endpoint;
    strcpy(c->application, "sttbench/1");
    c->accept = STT_ACCEPT(STT_MODE_K);
    c->idle_timeout_ns = STT_S(600);
    c->keep_alive_ns = STT_NEVER;
    if (io)
        config->io = strcmp(io, "mmsg") == 0 ? STT_IO_MMSG : STT_IO_URING;
    if (suite) {
        c->suites[0] = stt_aead_by_name(suite, stt_cpu_detect());
        c->n_suites = 1;
    }
    if (suite && !c->suites[0]) {
        say_error("this processor has no %s; choose another --suite", suite);
        return false;
    }
    return ends_well(stt_node_identity(config, NULL), "no identity can be made");
}

struct stt_node *ends_node(const struct stt_node_config *config)
{
    struct stt_node *node;
    return ends_well(stt_node_new(&node, config), "no node can be made") ? node : NULL;
}

bool ends_listen(struct stt_node *node, const struct stt_node_config *config,
                 struct ends_meeting *meeting)
{
    struct stt_address at;
    if (!ends_well(stt_node_listen(node, "127.0.0.1:0", &at), "nobody can listen on 127.0.0.1"))
        return false;
    meeting->peer = config->endpoint.identity.peer_id;
    pair_tell(&meeting->port, at.port);
    return true;
}

static stt_handle wait_connected(struct stt_node *node)
{
    struct stt_event event;
    do
        if (!ends_well(stt_node_wait(node, STT_S(1)), "no session"))
            return 0;
    while (!stt_node_event(node, &event));
    if (event.type == STT_EVENT_CONNECTED)
        return event.session;
    say_error("no session: %s", stt_reason_text(event.reason));
    return 0;
}

stt_handle ends_connect(struct stt_node *node, struct ends_meeting *meeting)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    char to[32];
    snprintf(to, sizeof to, "127.0.0.1:%u", (unsigned)pair_await(&meeting->port));
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    connect.peer = meeting->peer;
    bool is_begun = ends_well(stt_node_connect(node, &connect, to, NULL), "no session");
    return is_begun ? wait_connected(node) : 0;
}

stt_handle ends_open(struct stt_node *node, stt_handle session, uint8_t urgency)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    options.urgency = urgency;
    options.no_delay = true;
    int error =
        stt_stream_open(stt_node_endpoint(node), stt_node_now(node), session, &options, &stream);
    return ends_well(error, "no stream") ? stream : 0;
}

bool ends_wait(struct stt_node *node)
{
    struct stt_event event;
    bool is_open = ends_well(stt_node_wait(node, STT_NEVER), "the node has ended");
    while (is_open && stt_node_event(node, &event))
        is_open = event.type != STT_EVENT_CLOSED;
    return is_open;
}

void ends_close(struct stt_node *node, stt_handle session)
{
    (void)stt_session_close(stt_node_endpoint(node), stt_node_now(node), session, 0, NULL);
    (void)stt_node_step(node);
}
