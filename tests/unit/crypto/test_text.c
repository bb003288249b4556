/* SPDX-License-Identifier: MIT */
#include "crypto/text.h"

#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

#include <ctype.h>

/* Any of the public structs. */
union thing {
    struct stt_peer_id peer_id;
    struct stt_seed seed;
    struct stt_identity identity;
    struct stt_ticket ticket;
};

static int decode_peer_id(union thing *t, const char *text)
{
    return stt_peer_id_decode(&t->peer_id, text);
}

static int decode_ticket(union thing *t, const char *text)
{
    return stt_ticket_decode(&t->ticket, text);
}

static int decode_seed(union thing *t, const char *text)
{
    return stt_seed_decode(&t->seed, text);
}

static int decode_secret_ticket(union thing *t, const char *text)
{
    return stt_ticket_decode_secret(&t->ticket, text);
}

static int decode_identity(union thing *t, const char *text)
{
    return stt_identity_decode(&t->identity, text);
}

static void encode_peer_id(const union thing *t, char *out)
{
    stt_peer_id_encode(&t->peer_id, out);
}

static void encode_ticket(const union thing *t, char *out)
{
    ck_assert_int_eq(stt_ticket_encode(&t->ticket, out), STT_OK);
}

static void encode_seed(const union thing *t, char *out)
{
    stt_seed_encode(&t->seed, out);
}

static void encode_identity(const union thing *t, char *out)
{
    stt_identity_encode(&t->identity, out);
}

static const struct kind {
    enum stt_text_kind kind;
    const char *name;
    size_t bytes;
    int (*decode)(union thing *, const char *);
    void (*encode)(const union thing *, char *);
} kinds[] = {
    {STT_TEXT_PEER_ID, "peer_id", sizeof(struct stt_peer_id), decode_peer_id, encode_peer_id},
    {STT_TEXT_TICKET, "ticket", sizeof(struct stt_ticket), decode_ticket, encode_ticket},
    {STT_TEXT_SEED, "seed", sizeof(struct stt_seed), decode_seed, encode_seed},
    {STT_TEXT_SECRET_TICKET, "secret_ticket", sizeof(struct stt_ticket), decode_secret_ticket,
     encode_ticket},
    {STT_TEXT_IDENTITY, "identity", sizeof(struct stt_identity), decode_identity, encode_identity},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const struct kind *kind_of(const json_t *vector)
{
    const char *name = vector_text(vector, "kind");
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    ck_abort_msg("no kind \"%s\"", name);
}

/* Refuses, and leaves nothing of what was there. */
static void check_refused(const struct kind *kind, const char *text, int error, const char *why)
{
    static const union thing none;
    union thing t;
    memset(&t, 0xa5, sizeof t);
    int got = kind->decode(&t, text);
    ck_assert_msg(got == error, "%s, %s: %d is not %d", kind->name, why, got, error);
    ck_assert_msg(memcmp(&t, &none, kind->bytes) == 0, "%s, %s: left something", kind->name, why);
}

START_TEST(text_of_every_accepted_vector_is_read_and_written)
{
    json_t *root = vector_file("text.json"), *v;
    size_t i;
    json_array_foreach(vector_of(root, "accepted"), i, v)
    {
        const struct kind *kind = kind_of(v);
        const char *text = vector_text(v, "text"), *also = vector_text(v, "also");
        uint8_t got[STT_TEXT_BODY_MAX];
        struct bytes body = vector_bytes(v, "body");
        char written[STT_TEXT_ROOM];
        union thing a, b;
        memset(&a, 0, sizeof a);
        memset(&b, 0, sizeof b);

        struct wr w = wr_init(got, sizeof got);
        ck_assert_int_eq(stt_text_decode(&w, kind->kind, text), STT_OK);
        ck_assert(bytes_equal(wr_done(&w), body));
        stt_text_encode(written, sizeof written, kind->kind, body);
        ck_assert_str_eq(written, text);

        ck_assert_int_eq(kind->decode(&a, text), STT_OK);
        ck_assert_int_eq(kind->decode(&b, also), STT_OK);
        ck_assert_mem_eq(&a, &b, sizeof a);
        kind->encode(&a, written);
        ck_assert_str_eq(written, text);
        ck_assert_int_eq(stt_text_kind_of(text), kind->kind);
        ck_assert_int_eq(stt_text_kind_of(also), kind->kind);
    }
    ck_assert_uint_gt(i, 0);
    json_decref(root);
}
END_TEST

START_TEST(text_of_every_refused_vector_is_refused)
{
    json_t *root = vector_file("text.json"), *v;
    size_t i;
    json_array_foreach(vector_of(root, "refused"), i, v)
    {
        bool is_secret = strcmp(vector_text(v, "error"), "secret") == 0;
        check_refused(kind_of(v), vector_text(v, "text"), is_secret ? STT_E_SECRET : STT_E_FORMAT,
                      vector_text(v, "why"));
    }
    ck_assert_uint_gt(i, 0);
    json_decref(root);
}
END_TEST

START_TEST(text_is_refused_with_any_end_cut_off_and_any_character_changed)
{
    json_t *root = vector_file("text.json"), *v;
    size_t i;
    json_array_foreach(vector_of(root, "accepted"), i, v)
    {
        const struct kind *kind = kind_of(v);
        const char *text = vector_text(v, "text");
        for (size_t n = 0; n < strlen(text); n++) {
            char part[STT_TEXT_ROOM];
            snprintf(part, sizeof part, "%.*s", (int)n, text);
            check_refused(kind, part, STT_E_FORMAT, "cut");
            snprintf(part, sizeof part, "%s", text);
            part[n] = part[n] == 'q' ? 'p' : 'q';
            check_refused(kind, part, STT_E_FORMAT, "changed");
            part[n] = (char)toupper(text[n]);
            if (part[n] != text[n])
                check_refused(kind, part, STT_E_FORMAT, "one upper case");
        }
    }
    ck_assert_uint_gt(i, 0);
    json_decref(root);
}
END_TEST

START_TEST(text_needs_room_for_the_whole_body)
{
    json_t *root = vector_file("text.json"), *v;
    size_t i;
    json_array_foreach(vector_of(root, "accepted"), i, v)
    {
        uint8_t got[STT_TEXT_BODY_MAX];
        size_t len = vector_bytes(v, "body").len;
        for (size_t room = 0; room < len; room++) {
            struct wr w = wr_init(got, room);
            ck_assert_int_eq(stt_text_decode(&w, kind_of(v)->kind, vector_text(v, "text")),
                             STT_E_FORMAT);
            ck_assert_uint_eq(wr_len(&w), 0);
        }
    }
    ck_assert_uint_gt(i, 0);
    json_decref(root);
}
END_TEST

START_TEST(text_says_what_it_claims_to_be)
{
    ck_assert_int_eq(stt_text_kind_of(""), STT_TEXT_OTHER);
    ck_assert_int_eq(stt_text_kind_of("stt"), STT_TEXT_OTHER);
    ck_assert_int_eq(stt_text_kind_of("sttkey"), STT_TEXT_OTHER);
    ck_assert_int_eq(stt_text_kind_of("sttkeys1"), STT_TEXT_OTHER);
    ck_assert_int_eq(stt_text_kind_of(" stt1a"), STT_TEXT_OTHER);
    ck_assert_int_eq(stt_text_kind_of("stt1"), STT_TEXT_PEER_ID);
    ck_assert_int_eq(stt_text_kind_of("SttTicket1x"), STT_TEXT_TICKET);
    ck_assert_int_eq(stt_text_kind_of("sttseed1"), STT_TEXT_SEED);
    ck_assert_int_eq(stt_text_kind_of("STTSECRET1"), STT_TEXT_SECRET_TICKET);
    ck_assert_int_eq(stt_text_kind_of("sttkey1!"), STT_TEXT_IDENTITY);
}
END_TEST

START_TEST(text_with_a_secret_anywhere_is_known)
{
    ck_assert(stt_text_is_secret("sttseed1"));
    ck_assert(stt_text_is_secret("seed=sttSEED1abc"));
    ck_assert(stt_text_is_secret("host:sttsecret1"));
    ck_assert(stt_text_is_secret("sttsttkey1"));
    ck_assert(!stt_text_is_secret(""));
    ck_assert(!stt_text_is_secret("stt1aaaa"));
    ck_assert(!stt_text_is_secret("sttticket1aaaa"));
    ck_assert(!stt_text_is_secret("sttkey"));
}
END_TEST

SUITE("text", TEST(text_of_every_accepted_vector_is_read_and_written),
      TEST(text_of_every_refused_vector_is_refused),
      TEST(text_is_refused_with_any_end_cut_off_and_any_character_changed),
      TEST(text_needs_room_for_the_whole_body), TEST(text_says_what_it_claims_to_be),
      TEST(text_with_a_secret_anywhere_is_known))
