/* SPDX-License-Identifier: MIT */
#include "crypto/identity.h"

#include "tests/support/env.h"
#include "tests/support/hex.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

static struct stt_identity identity_from_hex(const char *secret)
{
    uint8_t bytes[32];
    struct stt_identity id;
    ck_assert_uint_eq(hex_decode(secret, bytes, sizeof bytes), sizeof bytes);
    stt_identity_init(&id, bytes);
    return id;
}

static void check_hex(const uint8_t *got, const char *want)
{
    char text[2 * 32 + 1];
    hex_encode(got, 32, text);
    ck_assert_str_eq(text, want);
}

START_TEST(identity_has_the_peer_id_of_rfc_8032)
{
    static const char *const pairs[][2] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct stt_identity id = identity_from_hex(pairs[i][0]);
        check_hex(id.peer_id.bytes, pairs[i][1]);
    }
}
END_TEST

/* From libsodium's own test of the conversion. */
START_TEST(identity_has_the_known_x25519_image)
{
    struct stt_identity id =
        identity_from_hex("421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee");
    uint8_t image[32];
    check_hex(id.static_secret, "8052030376d47112be7f73ed7a019293dd12ad910b654455798b4667d73de166");
    check_hex(id.static_public, "f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50");
    ck_assert(stt_identity_image(image, &id.peer_id));
    ck_assert_mem_eq(image, id.static_public, 32);
}
END_TEST

START_TEST(identity_agrees_with_the_vectors)
{
    json_t *root = vector_file("identity.json"), *v;
    size_t i;
    json_array_foreach(vector_of(root, "identities"), i, v)
    {
        uint8_t image[32];
        struct stt_identity id = identity_from_hex(vector_text(v, "secret"));
        check_hex(id.secret, vector_text(v, "secret"));
        check_hex(id.peer_id.bytes, vector_text(v, "peer_id"));
        check_hex(id.static_secret, vector_text(v, "static_secret"));
        check_hex(id.static_public, vector_text(v, "static_public"));
        ck_assert(stt_peer_id_is_valid(&id.peer_id));
        ck_assert(stt_identity_image(image, &id.peer_id));
        ck_assert_mem_eq(image, id.static_public, 32);
    }
    ck_assert_uint_gt(i, 0);
    json_decref(root);
}
END_TEST

START_TEST(identity_refuses_peer_ids_that_nobody_can_have)
{
    json_t *root = vector_file("identity.json"), *v;
    static const uint8_t zeros[32];
    size_t i;
    json_array_foreach(vector_of(root, "refused_peer_ids"), i, v)
    {
        uint8_t image[32];
        struct stt_peer_id peer_id;
        const char *why = vector_text(v, "why");
        struct bytes point = vector_bytes(v, "peer_id");
        ck_assert_uint_eq(point.len, 32);
        memcpy(peer_id.bytes, point.data, 32);
        memset(image, 1, sizeof image);
        ck_assert_msg(!stt_identity_image(image, &peer_id), "accepted: %s", why);
        ck_assert_msg(!stt_peer_id_is_valid(&peer_id), "valid: %s", why);
        ck_assert_mem_eq(image, zeros, 32);
    }
    ck_assert_uint_gt(i, 0);
    json_decref(root);
}
END_TEST

START_TEST(identity_signs_as_the_vectors_do)
{
    json_t *root = vector_file("identity.json"), *v;
    size_t i;
    json_array_foreach(vector_of(root, "signatures"), i, v)
    {
        struct bytes parts[4], want = vector_bytes(v, "signature");
        struct kdf_parts all = {parts, vector_list(v, "parts", parts, 4)};
        const char *label = vector_text(v, "label");
        struct stt_identity id = identity_from_hex(vector_text(v, "secret"));
        uint8_t signature[64];
        ck_assert(stt_identity_sign(signature, &id, label, all));
        ck_assert(bytes_equal(BYTES(signature), want));
        ck_assert(stt_identity_verify(signature, &id.peer_id, label, all));
    }
    ck_assert_uint_gt(i, 0);
    json_decref(root);
}
END_TEST

START_TEST(identity_verifies_nothing_that_differs)
{
    struct stt_identity id = identity_from_hex("00000000000000000000000000000000"
                                               "00000000000000000000000000000001");
    struct stt_identity other = identity_from_hex("00000000000000000000000000000000"
                                                  "00000000000000000000000000000002");
    uint8_t signature[64];
    struct bytes ab = BYTES_TEXT("ab"), c = BYTES_TEXT("c"), a = BYTES_TEXT("a"),
                 bc = BYTES_TEXT("bc");
    ck_assert(stt_identity_sign(signature, &id, "label", KDF_PARTS(ab, c)));
    ck_assert(stt_identity_verify(signature, &id.peer_id, "label", KDF_PARTS(ab, c)));
    ck_assert(!stt_identity_verify(signature, &id.peer_id, "label", KDF_PARTS(a, bc)));
    ck_assert(!stt_identity_verify(signature, &id.peer_id, "label", KDF_PARTS(ab)));
    ck_assert(!stt_identity_verify(signature, &id.peer_id, "labels", KDF_PARTS(ab, c)));
    ck_assert(!stt_identity_verify(signature, &other.peer_id, "label", KDF_PARTS(ab, c)));
    for (unsigned bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert(!stt_identity_verify(signature, &id.peer_id, "label", KDF_PARTS(ab, c)));
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

START_TEST(identity_signs_up_to_its_limit_and_not_beyond)
{
    enum { LABEL = 2 + 5, REST = STT_IDENTITY_SIGNED_MAX - LABEL - 2 };
    static const uint8_t value[UINT16_MAX + 1], zeros[64];
    struct stt_identity id = identity_from_hex("00000000000000000000000000000000"
                                               "00000000000000000000000000000001");
    struct kdf_parts fits = KDF_PARTS(bytes_of(value, REST));
    uint8_t signature[64];
    ck_assert(stt_identity_sign(signature, &id, "label", fits));
    ck_assert(stt_identity_verify(signature, &id.peer_id, "label", fits));
    for (size_t len = REST + 1; len <= sizeof value; len += sizeof value - REST - 1) {
        struct kdf_parts exceeds = KDF_PARTS(bytes_of(value, len));
        memset(signature, 1, sizeof signature);
        ck_assert(!stt_identity_sign(signature, &id, "label", exceeds));
        ck_assert_mem_eq(signature, zeros, sizeof zeros);
        ck_assert(!stt_identity_verify(signature, &id.peer_id, "label", exceeds));
    }
}
END_TEST

START_TEST(identity_is_drawn_from_the_hook)
{
    struct test_env te;
    struct stt_identity a, b, again;
    struct stt_seed seed;
    test_env_init(&te, 1);
    ck_assert_int_eq(stt_identity_generate(&a, &te.env), STT_OK);
    ck_assert_int_eq(stt_identity_generate(&b, &te.env), STT_OK);
    ck_assert_int_eq(stt_seed_generate(&seed, &te.env), STT_OK);
    ck_assert_mem_ne(a.secret, b.secret, 32);
    ck_assert_mem_ne(seed.bytes, b.secret, 32);
    test_env_init(&te, 1);
    ck_assert_int_eq(stt_identity_generate(&again, &te.env), STT_OK);
    ck_assert_mem_eq(&again, &a, sizeof a);
    test_env_check_no_leak(&te);
}
END_TEST

START_TEST(identity_is_not_drawn_from_a_hook_that_fails_or_repeats_itself_case_61)
{
    static const struct stt_identity none;
    for (int repeats = 0; repeats < 2; repeats++) {
        struct test_env te;
        struct stt_identity id;
        struct stt_seed seed;
        test_env_init(&te, 1);
        te.entropy_fails = !repeats;
        te.entropy_repeats = repeats;
        memset(&id, 1, sizeof id);
        memset(&seed, 1, sizeof seed);
        ck_assert_int_eq(stt_identity_generate(&id, &te.env), STT_E_IO);
        ck_assert_int_eq(stt_seed_generate(&seed, &te.env), STT_E_IO);
        ck_assert_mem_eq(&id, &none, sizeof id);
        ck_assert_mem_eq(&seed, &none, sizeof seed);
    }
}
END_TEST

START_TEST(identity_is_wiped_at_its_end)
{
    static const struct stt_identity none;
    struct stt_identity id = identity_from_hex("00000000000000000000000000000000"
                                               "00000000000000000000000000000001");
    ck_assert_mem_ne(&id, &none, sizeof id);
    stt_identity_fini(&id);
    ck_assert_mem_eq(&id, &none, sizeof id);
}
END_TEST

SUITE("identity", TEST(identity_has_the_peer_id_of_rfc_8032),
      TEST(identity_has_the_known_x25519_image), TEST(identity_agrees_with_the_vectors),
      TEST(identity_refuses_peer_ids_that_nobody_can_have), TEST(identity_signs_as_the_vectors_do),
      TEST(identity_verifies_nothing_that_differs),
      TEST(identity_signs_up_to_its_limit_and_not_beyond), TEST(identity_is_drawn_from_the_hook),
      TEST(identity_is_not_drawn_from_a_hook_that_fails_or_repeats_itself_case_61),
      TEST(identity_is_wiped_at_its_end))
