/* SPDX-License-Identifier: MIT */
#include "crypto/identity.h"
#include "crypto/images.h"
#include "tests/support/suite.h"

#include <string.h>

static struct stt_images images;

static void setup(void)
{
    const uint8_t key[STT_MAC_KEY_BYTES] = {1, 2, 3};
    stt_images_init(&images, key);
}

static struct stt_identity person(unsigned number)
{
    struct stt_identity id;
    uint8_t secret[32] = {1, (uint8_t)number, (uint8_t)(number >> 8)};
    stt_identity_init(&id, secret);
    return id;
}

static unsigned used(void)
{
    unsigned n = 0;
    for (int i = 0; i < STT_IMAGES_MAX; i++)
        n += images.at[i].is_used;
    return n;
}

START_TEST(an_image_is_the_same_the_first_time_and_later)
{
    setup();
    for (unsigned i = 0; i < 40; i++) {
        struct stt_identity id = person(i % 20);
        uint8_t image[32];
        ck_assert(stt_images_find(&images, image, &id.peer_id));
        ck_assert_mem_eq(image, id.static_public, 32);
        ck_assert(stt_images_fits(&images, id.static_public, &id.peer_id));
    }
    ck_assert_uint_le(used(), 20);
    ck_assert_uint_gt(used(), 10);
}
END_TEST

START_TEST(a_key_of_somebody_else_never_fits)
{
    setup();
    struct stt_identity a = person(1), b = person(2);
    for (unsigned remembered = 0; remembered < 2; remembered++) {
        ck_assert(!stt_images_fits(&images, b.static_public, &a.peer_id));
        ck_assert(!stt_images_fits(&images, a.static_public, &b.peer_id));
        ck_assert_uint_eq(used(), remembered);
        ck_assert(stt_images_fits(&images, a.static_public, &a.peer_id));
        ck_assert_uint_eq(used(), 1);
    }
}
END_TEST

/* Both have the same image. */
START_TEST(an_id_and_its_negative_are_two)
{
    setup();
    struct stt_identity a = person(1);
    struct stt_peer_id negative = a.peer_id;
    negative.bytes[31] ^= 0x80;
    uint8_t image[32], other[32];
    ck_assert(stt_images_find(&images, image, &a.peer_id));
    ck_assert(stt_images_find(&images, other, &negative));
    ck_assert_mem_eq(image, other, 32);
    for (int i = 0; i < STT_IMAGES_MAX; i++)
        ck_assert(!images.at[i].is_used || images.at[i].peer.bytes[31] == a.peer_id.bytes[31] ||
                  images.at[i].peer.bytes[31] == negative.bytes[31]);
}
END_TEST

START_TEST(what_is_no_peer_id_has_no_image)
{
    static const uint8_t keys[][32] = {{0}, {1}, {0xff, 0xff, 0xff}};
    uint8_t image[32], zeros[32] = {0};
    setup();
    for (int i = 0; i < 3; i++) {
        struct stt_peer_id nobody;
        memcpy(nobody.bytes, keys[i], 32);
        ck_assert(!stt_images_find(&images, image, &nobody));
        ck_assert(!stt_images_fits(&images, zeros, &nobody));
        ck_assert(!stt_images_find(NULL, image, &nobody));
    }
    ck_assert_uint_eq(used(), 0);
}
END_TEST

START_TEST(more_peers_than_places_are_all_served)
{
    setup();
    for (unsigned i = 0; i < 3 * STT_IMAGES_MAX; i++) {
        struct stt_identity id = person(i % (STT_IMAGES_MAX * 2));
        ck_assert(stt_images_fits(&images, id.static_public, &id.peer_id));
    }
    ck_assert_uint_le(used(), STT_IMAGES_MAX);
    ck_assert_uint_gt(used(), STT_IMAGES_MAX / 2);
}
END_TEST

START_TEST(there_may_be_no_table_at_all)
{
    struct stt_identity a = person(1), b = person(2);
    uint8_t image[32];
    ck_assert(stt_images_find(NULL, image, &a.peer_id));
    ck_assert_mem_eq(image, a.static_public, 32);
    ck_assert(stt_images_fits(NULL, a.static_public, &a.peer_id));
    ck_assert(!stt_images_fits(NULL, b.static_public, &a.peer_id));
}
END_TEST

SUITE("images", TEST(an_image_is_the_same_the_first_time_and_later),
      TEST(a_key_of_somebody_else_never_fits), TEST(an_id_and_its_negative_are_two),
      TEST(what_is_no_peer_id_has_no_image), TEST(more_peers_than_places_are_all_served),
      TEST(there_may_be_no_table_at_all))
