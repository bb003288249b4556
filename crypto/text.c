/* SPDX-License-Identifier: MIT
 * text: prefix, base32(body, check) (spec 03, "Text forms").
 *
 *     sttseed1 | body, 3 bytes of check, as base32 |
 *
 * The prefix is public and is compared as such; nothing about the rest shows in time but its length
 * and whether it was right. One body has one text, apart from its upper-case twin. */
#include "crypto/text.h"

#include "crypto/base32.h"
#include "crypto/kdf.h"
#include "stt/base/env.h"

#include <assert.h>
#include <sodium.h>

enum { CHECK_BYTES = 3 };

static const struct form {
    const char *prefix;
    bool secret;
} forms[] = {
    [STT_TEXT_PEER_ID] = {"stt1", false},    [STT_TEXT_TICKET] = {"sttticket1", false},
    [STT_TEXT_SEED] = {"sttseed1", true},    [STT_TEXT_SECRET_TICKET] = {"sttsecret1", true},
    [STT_TEXT_IDENTITY] = {"sttkey1", true},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

_Static_assert(STT_TEXT_ROOM == 10 + ((STT_TEXT_BODY_MAX + CHECK_BYTES) * 8 + 4) / 5 + 1,
               "the longest text is a secret ticket");
_Static_assert(STT_PEER_ID_TEXT_ROOM == 4 + ((32 + CHECK_BYTES) * 8 + 4) / 5 + 1,
               "a peer id fills its room");

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* In any case, even a mixed one: this finds out what somebody meant. */
static bool begins_with(const char *text, const char *prefix)
{
    while (*prefix && lower(*text) == *prefix)
        text++, prefix++;
    return !*prefix;
}

enum stt_text_kind stt_text_kind_of(const char *text)
{
    for (unsigned kind = STT_TEXT_OTHER + 1; kind < FORMS; kind++)
        if (begins_with(text, forms[kind].prefix))
            return (enum stt_text_kind)kind;
    return STT_TEXT_OTHER;
}

bool stt_text_is_secret(const char *text)
{
    for (; *text; text++)
        if (forms[stt_text_kind_of(text)].secret)
            return true;
    return false;
}

static bool is_in_case(const char *prefix, size_t len, bool upper)
{
    for (size_t i = 0; i < len; i++)
        if (upper ? prefix[i] >= 'a' && prefix[i] <= 'z' : prefix[i] >= 'A' && prefix[i] <= 'Z')
            return false;
    return true;
}

static void check_of(uint8_t check[16], const char *prefix, struct bytes body)
{
    stt_kdf_hash(check, 16, "stt1 text", KDF_PARTS(bytes_of(prefix, strlen(prefix)), body));
}

void stt_text_encode(char *out, size_t room, enum stt_text_kind kind, struct bytes body)
{
    const char *prefix = forms[kind].prefix;
    uint8_t raw[STT_TEXT_BODY_MAX + CHECK_BYTES], check[16];
    check_of(check, prefix, body);
    struct wr all = wr_init(raw, sizeof raw);
    wr_bytes(&all, body);
    wr_bytes(&all, bytes_of(check, CHECK_BYTES));

    struct wr text = wr_init((uint8_t *)out, room);
    wr_bytes(&text, bytes_of(prefix, strlen(prefix)));
    stt_base32_encode(&text, wr_done(&all));
    wr_u8(&text, '\0');
    assert(!all.bad && !text.bad);
    stt_env_wipe(raw, sizeof raw);
}

static bool is_check_right(const char *prefix, struct bytes body, const uint8_t *check)
{
    uint8_t right[16];
    check_of(right, prefix, body);
    bool equal = sodium_memcmp(right, check, CHECK_BYTES) == 0;
    stt_env_wipe(right, sizeof right);
    return equal;
}

/* All behind the prefix. */
static bool decode_rest(struct wr *body, const char *prefix, struct bytes rest, bool upper)
{
    uint8_t raw[STT_TEXT_BODY_MAX + CHECK_BYTES];
    struct wr all = wr_init(raw, sizeof raw);
    bool ok = stt_base32_decode(&all, rest, upper) && wr_len(&all) > CHECK_BYTES;
    if (ok) {
        struct bytes content = {raw, wr_len(&all) - CHECK_BYTES};
        ok = is_check_right(prefix, content, raw + content.len);
        if (ok)
            wr_bytes(body, content);
    }
    stt_env_wipe(raw, sizeof raw);
    return ok && !body->bad;
}

int stt_text_decode(struct wr *body, enum stt_text_kind kind, const char *text)
{
    const struct form *form = &forms[kind];
    if (!form->secret && stt_text_is_secret(text))
        return STT_E_SECRET;
    if (stt_text_kind_of(text) != kind)
        return STT_E_FORMAT;
    size_t prefix_len = strlen(form->prefix);
    bool upper = *text == 'S';
    if (!is_in_case(text, prefix_len, upper))
        return STT_E_FORMAT;
    struct bytes rest = bytes_of(text + prefix_len, strlen(text + prefix_len));
    return decode_rest(body, form->prefix, rest, upper) ? STT_OK : STT_E_FORMAT;
}
