/* SPDX-License-Identifier: MIT
 * ends: owns nothing; two processes call the same functions, one after fork().
 *
 * Invariant: whoever answers "no" has told why. */
#include "tools/sttbench/shared/ends.h"

#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/sim.h"
#include "tools/sttbench/shared/pair.h"

#include <stdio.h>
#include <string.h>

bool ends_well(int error, const char *what)
{
    if (error)
        pair_refuse("%s: %s", what, stt_error_text(error));
    return !error;
}

static bool choose_suite(struct stt_config *c, const char *suite)
{
    c->suites[0] = strcmp(suite, "null") == 0 ? stt_sim_null_suite()
                                              : stt_aead_by_name(suite, stt_cpu_detect());
    c->n_suites = 1;
    return c->suites[0] || pair_refuse("this processor has no %s; choose another --suite", suite);
}

bool ends_config(struct stt_node_config *config, const struct ends_wish *wish)
{
    *config = (struct stt_node_config)STT_NODE_CONFIG_INIT;
    struct stt_config *c = &config->endpoint;
    if (wish->preset && !ends_well(stt_config_preset(c, wish->preset), "there is no such preset"))
        return false;
    strcpy(c->application, "sttbench-pair/1");
    c->accept = STT_ACCEPT(STT_MODE_K);
    c->idle_timeout_ns = STT_S(600);
    c->keep_alive_ns = STT_NEVER;
    if (wish->packet_bytes)
        c->packet_bytes = c->packet_bytes_max = wish->packet_bytes;
    if (wish->ring_bytes)
        c->send_ring_bytes = wish->ring_bytes;
    if (wish->io)
        config->io = strcmp(wish->io, "mmsg") == 0 ? STT_IO_MMSG : STT_IO_URING;
    config->spin_ns = wish->spin_ns;
    return (!wish->suite || choose_suite(c, wish->suite)) &&
           ends_well(stt_node_identity(config, NULL), "no identity can be made");
}

struct stt_node *ends_node(const struct stt_node_config *config)
{
    struct stt_node *node;
    return ends_well(stt_node_new(&node, config), "no node can be made") ? node : NULL;
}

static const char *address_of(const struct ends_meeting *meeting)
{
    return meeting->address ? meeting->address : "127.0.0.1";
}

bool ends_listen(struct stt_node *node, const struct stt_node_config *config,
                 struct ends_meeting *meeting)
{
    struct stt_address at;
    char where[64];
    snprintf(where, sizeof where, "%s:0", address_of(meeting));
    if (!ends_well(stt_node_listen(node, where, &at), "nobody can listen on this machine"))
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
    pair_refuse("no session: %s", stt_reason_text(event.reason));
    return 0;
}

stt_handle ends_connect(struct stt_node *node, struct ends_meeting *meeting)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    char to[64];
    snprintf(to, sizeof to, "%s:%u", address_of(meeting), (unsigned)pair_await(&meeting->port));
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
