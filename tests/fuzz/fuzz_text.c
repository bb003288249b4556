/* SPDX-License-Identifier: MIT
 * One body has one text: what is accepted, written again, is the same in lower case; what is
 * refused leaves nothing behind; and a secret is never an answer where something public is wanted.
 *
 * The first byte says what the rest is: the body of a kind (which gets a right check), or a text.
 */
#include "crypto/text.h"
#include "tests/support/fuzz.h"

#include <ctype.h>
#include <string.h>

union thing {
    struct stt_peer_id peer_id;
    struct stt_seed seed;
    struct stt_identity identity;
    struct stt_ticket ticket;
};

static int decode(enum stt_text_kind kind, union thing *t, const char *text)
{
    switch (kind) {
    case STT_TEXT_PEER_ID:
        return stt_peer_id_decode(&t->peer_id, text);
    case STT_TEXT_TICKET:
        return stt_ticket_decode(&t->ticket, text);
    case STT_TEXT_SEED:
        return stt_seed_decode(&t->seed, text);
    case STT_TEXT_SECRET_TICKET:
        return stt_ticket_decode_secret(&t->ticket, text);
    default:
        return stt_identity_decode(&t->identity, text);
    }
}

static void encode(enum stt_text_kind kind, const union thing *t, char out[STT_TEXT_ROOM])
{
    if (kind == STT_TEXT_PEER_ID)
        stt_peer_id_encode(&t->peer_id, out);
    else if (kind == STT_TEXT_SEED)
        stt_seed_encode(&t->seed, out);
    else if (kind == STT_TEXT_IDENTITY)
        stt_identity_encode(&t->identity, out);
    else
        FUZZ_ASSERT(stt_ticket_encode(&t->ticket, out) == STT_OK);
}

static void check_kind(enum stt_text_kind kind, const char *text)
{
    static const union thing none;
    union thing t;
    memset(&t, 0, sizeof t);
    int error = decode(kind, &t, text);
    bool is_public = kind == STT_TEXT_PEER_ID || kind == STT_TEXT_TICKET;
    FUZZ_ASSERT(error == STT_OK || error == STT_E_FORMAT || error == STT_E_SECRET);
    FUZZ_ASSERT((error == STT_E_SECRET) == (is_public && stt_text_is_secret(text)));
    if (error) {
        FUZZ_ASSERT(memcmp(&t, &none, sizeof t) == 0);
        return;
    }
    char again[STT_TEXT_ROOM];
    encode(kind, &t, again);
    FUZZ_ASSERT(strlen(again) == strlen(text));
    for (size_t i = 0; again[i]; i++)
        FUZZ_ASSERT(again[i] == tolower(text[i]));
    FUZZ_ASSERT(stt_text_kind_of(text) == kind);
}

static void check_all(const char *text)
{
    for (int kind = STT_TEXT_PEER_ID; kind <= STT_TEXT_IDENTITY; kind++)
        check_kind((enum stt_text_kind)kind, text);
}

static void check_body(enum stt_text_kind kind, struct bytes body)
{
    char text[STT_TEXT_ROOM];
    uint8_t back[STT_TEXT_BODY_MAX];
    struct wr w = wr_init(back, sizeof back);
    stt_text_encode(text, sizeof text, kind, body);
    int error = stt_text_decode(&w, kind, text);
    FUZZ_ASSERT(error == (body.len ? STT_OK : STT_E_FORMAT));
    FUZZ_ASSERT(bytes_equal(wr_done(&w), body));
    check_all(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2 * STT_TEXT_ROOM];
    if (size == 0)
        return 0;
    enum stt_text_kind kind = (enum stt_text_kind)(data[0] % (STT_TEXT_IDENTITY + 1));
    struct bytes rest = {data + 1, size - 1};
    if (kind != STT_TEXT_OTHER && rest.len <= STT_TEXT_BODY_MAX)
        check_body(kind, rest);
    if (rest.len < sizeof text) {
        memcpy(text, rest.data, rest.len);
        text[rest.len] = '\0';
        check_all(text);
    }
    return 0;
}
