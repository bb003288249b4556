/* SPDX-License-Identifier: MIT */
#include "crypto/aegis.h"

#include "crypto/cpu.h"
#include "tests/support/aegis_ref.h"
#include "tests/support/hex.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/suites.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_LEN = 300, MAX_SUITES = 8, PACKETS = 7, TAG = STT_AEAD_TAG_BYTES };

static const struct {
    uint8_t id;
    size_t lanes;
    const char *file;
} algorithms[] = {
    {STT_AEAD_AEGIS_128L, 1, STT_SPEC_DIR "/vectors/aegis-128l.json"},
    {STT_AEAD_AEGIS_128X2, 2, STT_SPEC_DIR "/vectors/aegis-128x2.json"},
};

/* -- published vectors -- */

static json_t *load(const char *file)
{
    json_error_t error;
    json_t *vectors = json_load_file(file, 0, &error);
    if (!vectors)
        ck_abort_msg("%s:%d: %s", file, error.line, error.text);
    return vectors;
}

/* The bytes of a member, which must be there. */
static struct bytes member(const json_t *v, const char *name, uint8_t *room, size_t room_len)
{
    const char *text = json_string_value(json_object_get(v, name));
    ck_assert_msg(text, "no %s", name);
    return bytes_of(room, hex_decode(text, room, room_len));
}

static const json_t *vector_named(const json_t *vectors, const char *name)
{
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        const json_t *v = json_array_get(vectors, i);
        if (strcmp(json_string_value(json_object_get(v, "name")), name) == 0)
            return v;
    }
    ck_abort_msg("no vector %s", name);
    return NULL;
}

static void check_word(const json_t *v, const char *name, const uint8_t word[16])
{
    uint8_t expected[16];
    ck_assert_uint_eq(member(v, name, expected, 16).len, 16);
    ck_assert_mem_eq(word, expected, 16);
}

START_TEST(reference_updates_as_published)
{
    json_t *vectors = load(algorithms[0].file);
    const json_t *v = vector_named(vectors, "Update Test Vector");
    struct aegis_ref a = {.lanes = 1};
    uint8_t m[32];
    for (int word = 0; word < 8; word++)
        member(v, (char[]){'S', (char)('0' + word), 0}, a.v[word][0], 16);
    member(v, "M0", m, 16);
    member(v, "M1", m + 16, 16);
    aegis_ref_update(&a, m);
    for (int word = 0; word < 8; word++)
        check_word(v, (char[]){'S', (char)('0' + word), '_', '2', 0}, a.v[word][0]);
    json_decref(vectors);
}
END_TEST

START_TEST(reference_starts_with_the_published_state)
{
    json_t *vectors = load(algorithms[1].file);
    const json_t *before = vector_named(vectors, "Initial State");
    const json_t *after = vector_named(vectors, "Initial State (after initialization)");
    uint8_t key[16], nonce[16];
    member(before, "key", key, 16);
    member(before, "nonce", nonce, 16);
    struct aegis_ref a;
    aegis_ref_init(&a, 2, key, nonce);
    for (int word = 0; word < 8; word++) {
        for (int lane = 0; lane < 2; lane++) {
            char name[16];
            snprintf(name, sizeof name, "V[%d,%d]", word, lane);
            check_word(after, name, a.v[word][lane]);
        }
    }
    json_decref(vectors);
}
END_TEST

static void check_vector(const json_t *v, uint8_t id, size_t lanes)
{
    uint8_t key[32], nonce[16], ad[128], text[256], sealed[256 + TAG], out[256 + TAG];
    bool is_good = !json_object_get(v, "error");
    member(v, "key", key, 16);
    member(v, "nonce", nonce, 16);
    struct bytes d = member(v, "ad", ad, sizeof ad);
    size_t len = member(v, "ct", sealed, sizeof sealed).len;
    member(v, "tag128", sealed + len, TAG);
    struct bytes message = {text, len};
    if (is_good) {
        struct aegis_ref a;
        ck_assert_uint_eq(member(v, "msg", text, sizeof text).len, len);
        aegis_ref_init(&a, lanes, key, nonce);
        aegis_ref_seal(&a, d, message, out);
        ck_assert_mem_eq(out, sealed, len + TAG);
    }

    struct keyed_suite all[MAX_SUITES];
    size_t n = suites_here(all, MAX_SUITES, id, key);
    for (size_t i = 0; i < n; i++) {
        if (is_good) {
            suites_seal(&all[i], (struct stt_aead_plain){nonce, d, &message, 1, out});
            ck_assert_mem_eq(out, sealed, len + TAG);
        }
        memcpy(out, sealed, len + TAG);
        struct stt_aead_sealed packet = {nonce, d, out, len + TAG, false};
        ck_assert(suites_open(&all[i], &packet) == is_good);
        ck_assert(is_good ? memcmp(out, text, len) == 0 : bytes_all_zero(bytes_of(out, len)));
    }
}

START_TEST(every_engine_agrees_with_the_published_vectors)
{
    json_t *vectors = load(algorithms[_i].file);
    size_t checked = 0;
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        const json_t *v = json_array_get(vectors, i);
        if (!json_object_get(v, "tag128"))
            continue;
        check_vector(v, algorithms[_i].id, algorithms[_i].lanes);
        checked++;
    }
    ck_assert_uint_eq(checked, _i == 0 ? 9 : 2);
    json_decref(vectors);
}
END_TEST

/* -- against the reference -- */

struct fixture {
    uint8_t key[32], nonce[PACKETS][16], ad[PACKETS][MAX_LEN], message[PACKETS][MAX_LEN];
    uint8_t expected[PACKETS][MAX_LEN + TAG], out[PACKETS][MAX_LEN + TAG];
    size_t ad_len, len;
    struct bytes parts[PACKETS][3];
    struct keyed_suite all[MAX_SUITES];
    size_t n;
};

static struct fixture f; /* of the running test */

static struct bytes part_of(size_t packet, size_t from, size_t to)
{
    return bytes_of(f.message[packet] + from, to - from);
}

/* Packets of the same lengths, and what the reference makes of them. */
static void fixture_init(int algorithm, size_t len, size_t ad_len)
{
    struct rng r = rng_init(len * 1000 + ad_len);
    f.len = len;
    f.ad_len = ad_len;
    rng_fill(&r, f.key, sizeof f.key);
    for (size_t k = 0; k < PACKETS; k++) {
        struct aegis_ref a;
        rng_fill(&r, f.nonce[k], sizeof f.nonce[k]);
        rng_fill(&r, f.ad[k], ad_len);
        rng_fill(&r, f.message[k], len);
        aegis_ref_init(&a, algorithms[algorithm].lanes, f.key, f.nonce[k]);
        aegis_ref_seal(&a, bytes_of(f.ad[k], ad_len), bytes_of(f.message[k], len), f.expected[k]);
        f.parts[k][0] = part_of(k, 0, len);
        f.parts[k][1] = f.parts[k][2] = BYTES_NONE;
    }
    f.n = suites_here(f.all, MAX_SUITES, algorithms[algorithm].id, f.key);
}

static void check_sealed(const struct keyed_suite *s, size_t packets)
{
    struct stt_aead_plain plain[PACKETS];
    ck_assert_uint_le(packets, PACKETS);
    memset(f.out, 0xee, sizeof f.out);
    for (size_t k = 0; k < packets; k++)
        plain[k] = (struct stt_aead_plain){f.nonce[k], bytes_of(f.ad[k], f.ad_len), f.parts[k], 3,
                                           f.out[k]};
    s->suite->seal(s->state, plain, packets);
    for (size_t k = 0; k < packets; k++) {
        ck_assert_mem_eq(f.out[k], f.expected[k], f.len + TAG);
        ck_assert(f.len == MAX_LEN || f.out[k][f.len + TAG] == 0xee);
    }
}

static void check_opened(const struct keyed_suite *s, size_t packets)
{
    struct stt_aead_sealed sealed[PACKETS];
    ck_assert_uint_le(packets, PACKETS);
    memset(f.out, 0xee, sizeof f.out);
    for (size_t k = 0; k < packets; k++) {
        memcpy(f.out[k], f.expected[k], f.len + TAG);
        sealed[k] = (struct stt_aead_sealed){f.nonce[k], bytes_of(f.ad[k], f.ad_len), f.out[k],
                                             f.len + TAG, false};
    }
    ck_assert_uint_eq(s->suite->open(s->state, sealed, packets), packets);
    for (size_t k = 0; k < packets; k++) {
        ck_assert(sealed[k].is_open);
        ck_assert_mem_eq(f.out[k], f.message[k], f.len);
        ck_assert_mem_eq(f.out[k] + f.len, f.expected[k] + f.len, TAG);
    }
}

/* Alone, as a pair, as four, and all of these beside each other. */
static void check_all(void)
{
    for (size_t i = 0; i < f.n; i++) {
        for (size_t packets = 1; packets <= PACKETS; packets++) {
            check_sealed(&f.all[i], packets);
            check_opened(&f.all[i], packets);
        }
    }
}

START_TEST(every_engine_agrees_with_the_reference_at_every_length)
{
    for (size_t len = 0; len <= MAX_LEN; len++) {
        fixture_init(_i, len, 13);
        check_all();
    }
}
END_TEST

START_TEST(every_engine_agrees_with_the_reference_at_every_length_of_associated_data)
{
    for (size_t len = 0; len <= MAX_LEN; len++) {
        fixture_init(_i, 45, len);
        check_all();
    }
}
END_TEST

/* 150 bytes are two blocks of AEGIS-128X2 and a rest, or four of AEGIS-128L. */
START_TEST(parts_are_cut_anywhere_without_a_difference)
{
    fixture_init(_i, 150, 13);
    for (size_t a = 0; a <= f.len; a++) {
        for (size_t b = a; b <= f.len; b++) {
            /* Neighbours are cut elsewhere. */
            for (size_t k = 0; k < 4; k++) {
                size_t from = k % 2 ? f.len - b : a, to = k % 2 ? f.len - a : b;
                f.parts[k][0] = part_of(k, 0, from);
                f.parts[k][1] = part_of(k, from, to);
                f.parts[k][2] = part_of(k, to, f.len);
            }
            for (size_t i = 0; i < f.n; i++)
                check_sealed(&f.all[i], (a + b) % 2 ? 2 : 4);
        }
    }
}
END_TEST

START_TEST(many_small_parts_make_the_same_packet)
{
    struct bytes parts[2 * MAX_LEN + 1];
    fixture_init(_i, MAX_LEN, 13);
    size_t n = 0;
    for (size_t i = 0; i < f.len; i++) {
        parts[n++] = BYTES_NONE;
        parts[n++] = part_of(0, i, i + 1);
    }
    parts[n++] = BYTES_NONE;
    struct stt_aead_plain plain = {f.nonce[0], bytes_of(f.ad[0], f.ad_len), parts, n, f.out[0]};
    for (size_t i = 0; i < f.n; i++) {
        suites_seal(&f.all[i], plain);
        ck_assert_mem_eq(f.out[0], f.expected[0], f.len + TAG);
    }
}
END_TEST

START_TEST(processor_decides_which_engine_runs)
{
    /* Else the tests above have checked nothing but the reference. */
    if (!(stt_cpu_detect() & STT_CPU_AES))
        return;
    uint8_t key[32] = {0};
    ck_assert_uint_ge(suites_here(f.all, MAX_SUITES, algorithms[_i].id, key), 1);
}
END_TEST

SUITE("aegis", TEST(reference_updates_as_published),
      TEST(reference_starts_with_the_published_state),
      LOOP(every_engine_agrees_with_the_published_vectors, 0, 2),
      LOOP(every_engine_agrees_with_the_reference_at_every_length, 0, 2),
      LOOP(every_engine_agrees_with_the_reference_at_every_length_of_associated_data, 0, 2),
      LOOP(parts_are_cut_anywhere_without_a_difference, 0, 2),
      LOOP(many_small_parts_make_the_same_packet, 0, 2),
      LOOP(processor_decides_which_engine_runs, 0, 2))
