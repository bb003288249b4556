/* SPDX-License-Identifier: MIT
 * ticket: the bodies of both kinds of ticket (spec 03, "Text forms").
 *
 *     | peer id 32 | seed 32, in a secret one | count 1 | family 1, address 4 or 16, port 2 | ...
 *
 * A ticket is judged by one function, whichever way it goes, so what encodes also decodes. */
#include "crypto/text.h"
#include "stt/base/env.h"

/* 0 for a family that does not exist. */
static size_t address_bytes(uint8_t family)
{
    return family == 4 ? 4 : family == 6 ? 16 : 0;
}

static bool is_ticket_valid(const struct stt_ticket *t)
{
    if (t->addresses_len > STT_TICKET_ADDRESSES_MAX)
        return false;
    for (size_t i = 0; i < t->addresses_len; i++)
        if (!address_bytes(t->addresses[i].family) || t->addresses[i].port == 0)
            return false;
    return bytes_all_zero(BYTES(t->seed.bytes)) != t->has_seed && stt_peer_id_is_valid(&t->peer_id);
}

static void write_address(struct wr *w, const struct stt_ticket_address *a)
{
    wr_u8(w, a->family);
    wr_bytes(w, bytes_of(a->bytes, address_bytes(a->family)));
    wr_u16(w, a->port);
}

static void read_address(struct rd *r, struct stt_ticket_address *a)
{
    a->family = rd_u8(r);
    rd_copy(r, a->bytes, address_bytes(a->family));
    a->port = rd_u16(r);
}

int stt_ticket_encode(const struct stt_ticket *t, char out[STT_TEXT_ROOM])
{
    out[0] = '\0';
    if (!is_ticket_valid(t))
        return STT_E_ARGUMENT;
    uint8_t body[STT_TEXT_BODY_MAX];
    struct wr w = wr_init(body, sizeof body);
    wr_bytes(&w, BYTES(t->peer_id.bytes));
    if (t->has_seed)
        wr_bytes(&w, BYTES(t->seed.bytes));
    wr_u8(&w, t->addresses_len);
    for (size_t i = 0; i < t->addresses_len; i++)
        write_address(&w, &t->addresses[i]);
    stt_text_encode(out, STT_TEXT_ROOM, t->has_seed ? STT_TEXT_SECRET_TICKET : STT_TEXT_TICKET,
                    wr_done(&w));
    stt_env_wipe(body, sizeof body);
    return STT_OK;
}

static bool read_body(struct stt_ticket *t, struct bytes body, bool has_seed)
{
    struct rd r = rd_init(body);
    *t = (struct stt_ticket){.has_seed = has_seed};
    rd_copy(&r, t->peer_id.bytes, sizeof t->peer_id.bytes);
    if (has_seed)
        rd_copy(&r, t->seed.bytes, sizeof t->seed.bytes);
    t->addresses_len = rd_u8(&r);
    for (size_t i = 0; i < t->addresses_len && i < STT_TICKET_ADDRESSES_MAX; i++)
        read_address(&r, &t->addresses[i]);
    return rd_is_done(&r) && is_ticket_valid(t);
}

static int decode(struct stt_ticket *t, enum stt_text_kind kind, const char *text)
{
    uint8_t body[STT_TEXT_BODY_MAX];
    struct wr w = wr_init(body, sizeof body);
    int error = stt_text_decode(&w, kind, text);
    if (!error && !read_body(t, wr_done(&w), kind == STT_TEXT_SECRET_TICKET))
        error = STT_E_FORMAT;
    if (error)
        stt_env_wipe(t, sizeof *t);
    stt_env_wipe(body, sizeof body);
    return error;
}

int stt_ticket_decode(struct stt_ticket *t, const char *text)
{
    return decode(t, STT_TEXT_TICKET, text);
}

int stt_ticket_decode_secret(struct stt_ticket *t, const char *text)
{
    return decode(t, STT_TEXT_SECRET_TICKET, text);
}
