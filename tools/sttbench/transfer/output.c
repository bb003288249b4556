/* SPDX-License-Identifier: MIT
 * output: the sums that people and programs are told alike. Must not know how they are written. */
#include "tools/sttbench/transfer/output.h"

#include <stdio.h>
#include <string.h>

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void add_sent(struct output_sum *sum, const struct talk_lane *l)
{
    struct talk_lane *s = &sum->sent;
    uint64_t mean = s->rtt_mean_ns, least = s->rtt_min_ns, most = s->rtt_max_ns;
    uint64_t window = s->window_max_bytes;
#define X(name) s->name += l->name;
    TALK_LANE_FIGURES(X)
#undef X
    s->rtt_mean_ns = mean ? (mean + l->rtt_mean_ns) / 2 : l->rtt_mean_ns;
    s->rtt_min_ns = least && least < l->rtt_min_ns ? least : l->rtt_min_ns;
    s->rtt_max_ns = larger(most, l->rtt_max_ns);
    s->window_max_bytes = larger(window, l->window_max_bytes);
    sum->sent_ns = larger(sum->sent_ns, l->time_ns);
    sum->sent_bytes += l->bytes;
    sum->has_sent = true;
}

void output_add(struct output_sum *sum, const struct course *c, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct talk_lane *sent = course_sent(c, i), *came = course_received(c, i);
        if (sent)
            add_sent(sum, sent);
        if (came) {
            sum->came_ns = larger(sum->came_ns, came->time_ns);
            sum->came_bytes += came->bytes;
            sum->has_come = true;
        }
        sum->is_ours = c->lanes[i].sends;
        sum->lanes++;
    }
}

void output_look(struct output_moment *m, const struct course *c, uint32_t from, uint32_t to)
{
    *m = (struct output_moment){.bytes = 0};
    for (uint32_t i = from; i < to; i++) {
        const struct lane_point *now = &c->lanes[i].now, *last = &c->lanes[i].last;
        m->bytes += now->bytes - last->bytes;
        m->packets_lost += now->stats.packets_lost - last->stats.packets_lost;
        if (now->stats.window_bytes != UINT64_MAX)
            m->window_bytes += now->stats.window_bytes;
        m->rtt_ns = larger(m->rtt_ns, now->stats.rtt_ns);
        m->rtt_var_ns = larger(m->rtt_var_ns, now->stats.rtt_var_ns);
        m->packet_bytes = larger(m->packet_bytes, now->stats.packet_bytes);
    }
}

double output_bits_per_s(uint64_t bytes, stt_ns time)
{
    return time ? (double)bytes * 8e9 / (double)time : 0;
}

/* "[::1]:5201" without what is not of the address. */
static uint16_t take_apart(char text[STT_ADDRESS_TEXT_ROOM], const struct stt_address *address)
{
    char whole[STT_ADDRESS_TEXT_ROOM];
    stt_address_text(address, whole);
    char *colon = strrchr(whole, ':');
    size_t brackets = whole[0] == '[';
    if (colon)
        *colon = 0;
    snprintf(text, STT_ADDRESS_TEXT_ROOM, "%s", whole + brackets);
    if (brackets && *text)
        text[strlen(text) - 1] = 0;
    return address->port;
}

void output_find_ends(struct output_ends *ends, const struct course *c, stt_handle session)
{
    struct stt_session_info info;
    *ends = (struct output_ends){.local = "?", .remote = "?"};
    if (stt_session_info(stt_node_endpoint(c->node), session, &info) != STT_OK)
        return;
    ends->local_port = take_apart(ends->local, &info.path.local);
    ends->remote_port = take_apart(ends->remote, &info.path.remote);
    snprintf(ends->suite, sizeof ends->suite, "%s", info.suite ? info.suite : "");
}
