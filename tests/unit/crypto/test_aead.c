/* SPDX-License-Identifier: MIT */
#include "crypto/aead.h"

#include "crypto/cpu.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/suites.h"

enum { MAX_LEN = 300, MAX_SUITES = 8, TAG = STT_AEAD_TAG_BYTES, AES = STT_CPU_AES };
enum { VAES = AES | STT_CPU_VAES, VAES512 = VAES | STT_CPU_VAES512, GCM = AES | STT_CPU_GCM };

/* -- what every suite does -- */

static struct {
    uint8_t key[32], nonce[16], ad[13], message[MAX_LEN];
    struct keyed_suite all[MAX_SUITES];
    size_t n;
} f;

static void fixture_init(void)
{
    struct rng r = rng_init(1);
    rng_fill(&r, f.key, sizeof f.key);
    rng_fill(&r, f.nonce, sizeof f.nonce);
    rng_fill(&r, f.ad, sizeof f.ad);
    rng_fill(&r, f.message, sizeof f.message);
    f.n = suites_here(f.all, MAX_SUITES, 0, f.key);
    ck_assert_uint_ge(f.n, 1);
}

static void seal(const struct keyed_suite *s, size_t len, uint8_t *out)
{
    struct bytes part = {f.message, len};
    suites_seal(s, (struct stt_aead_plain){f.nonce, BYTES(f.ad), &part, 1, out});
}

static bool open(const struct keyed_suite *s, uint8_t *data, size_t len)
{
    return suites_open(s, &(struct stt_aead_sealed){f.nonce, BYTES(f.ad), data, len, true});
}

START_TEST(suite_opens_what_it_sealed_and_writes_nothing_else)
{
    uint8_t data[MAX_LEN + TAG + 1];
    fixture_init();
    for (size_t i = 0; i < f.n; i++) {
        for (size_t len = 0; len <= MAX_LEN; len++) {
            memset(data, 0xee, sizeof data);
            seal(&f.all[i], len, data);
            ck_assert_uint_eq(data[len + TAG], 0xee);
            ck_assert(open(&f.all[i], data, len + TAG));
            ck_assert_mem_eq(data, f.message, len);
            ck_assert_uint_eq(data[len + TAG], 0xee);
        }
    }
}
END_TEST

START_TEST(suite_seals_in_place)
{
    uint8_t data[MAX_LEN + TAG], expected[MAX_LEN + TAG];
    fixture_init();
    for (size_t i = 0; i < f.n; i++) {
        for (size_t len = 0; len <= MAX_LEN; len++) {
            struct bytes part = {data, len};
            seal(&f.all[i], len, expected);
            memcpy(data, f.message, len);
            suites_seal(&f.all[i], (struct stt_aead_plain){f.nonce, BYTES(f.ad), &part, 1, data});
            ck_assert_mem_eq(data, expected, len + TAG);
        }
    }
}
END_TEST

START_TEST(suite_seals_parts_as_their_sum)
{
    uint8_t data[MAX_LEN + TAG], expected[MAX_LEN + TAG];
    fixture_init();
    for (size_t i = 0; i < f.n; i++) {
        seal(&f.all[i], MAX_LEN, expected);
        for (size_t cut = 0; cut <= MAX_LEN; cut++) {
            struct bytes parts[] = {{f.message, cut}, {f.message + cut, MAX_LEN - cut}};
            suites_seal(&f.all[i], (struct stt_aead_plain){f.nonce, BYTES(f.ad), parts, 2, data});
            ck_assert_mem_eq(data, expected, sizeof data);
        }
    }
}
END_TEST

/* Each flip of 37 bytes of ciphertext, of tag, associated data and nonce. */
START_TEST(suite_refuses_every_flipped_bit_and_wipes)
{
    enum { LEN = 37 };
    uint8_t sealed[LEN + TAG], data[LEN + TAG];
    fixture_init();
    for (size_t i = 0; i < f.n; i++) {
        struct bytes over[] = {BYTES(data), BYTES(f.ad), {f.nonce, f.all[i].suite->nonce_bytes}};
        seal(&f.all[i], LEN, sealed);
        for (size_t k = 0; k < sizeof over / sizeof over[0]; k++) {
            for (size_t bit = 0; bit < 8 * over[k].len; bit++) {
                uint8_t *at = (uint8_t *)over[k].data + bit / 8, mask = (uint8_t)(1 << bit % 8);
                memcpy(data, sealed, sizeof data);
                *at ^= mask;
                ck_assert(!open(&f.all[i], data, sizeof data));
                ck_assert(bytes_all_zero(bytes_of(data, LEN)));
                if (k > 0)
                    *at ^= mask;
            }
        }
        memcpy(data, sealed, sizeof data);
        ck_assert(open(&f.all[i], data, sizeof data));
    }
}
END_TEST

START_TEST(suite_refuses_every_prefix)
{
    enum { LEN = 37 };
    uint8_t sealed[LEN + TAG], data[LEN + TAG];
    fixture_init();
    for (size_t i = 0; i < f.n; i++) {
        seal(&f.all[i], LEN, sealed);
        for (size_t len = 0; len < sizeof sealed; len++) {
            memcpy(data, sealed, sizeof data);
            ck_assert(!open(&f.all[i], data, len));
            size_t wiped = len < TAG ? 0 : len - TAG;
            ck_assert(bytes_all_zero(bytes_of(data, wiped)));
            ck_assert_mem_eq(data + wiped, sealed + wiped, sizeof data - wiped);
        }
    }
}
END_TEST

/* -- trains -- */

enum { PACKETS = 14 };

struct train {
    uint8_t nonce[PACKETS][16], data[PACKETS][MAX_LEN + TAG];
    size_t len[PACKETS], ad_len[PACKETS];
    struct bytes parts[PACKETS];
};

/* Runs of equal lengths, so that neighbours go together in all ways. */
static void train_init(struct train *t, struct rng *r)
{
    rng_fill(r, t->nonce[0], sizeof t->nonce);
    for (size_t k = 0; k < PACKETS; k++) {
        bool same = k > 0 && rng_chance(r, 70);
        t->len[k] = same ? t->len[k - 1] : rng_below(r, MAX_LEN + 1);
        t->ad_len[k] = k > 0 && rng_chance(r, 90) ? t->ad_len[k - 1] : rng_below(r, 14);
        t->parts[k] = bytes_of(f.message, t->len[k]);
    }
}

static void train_seal(struct train *t, const struct keyed_suite *s)
{
    struct stt_aead_plain plain[PACKETS];
    for (size_t k = 0; k < PACKETS; k++)
        plain[k] = (struct stt_aead_plain){t->nonce[k], bytes_of(f.ad, t->ad_len[k]), &t->parts[k],
                                           1, t->data[k]};
    s->suite->seal(s->state, plain, PACKETS);
}

START_TEST(train_is_its_packets_one_by_one)
{
    struct train t;
    struct rng r = rng_init(2);
    fixture_init();
    for (size_t round = 0; round < 300; round++) {
        const struct keyed_suite *s = &f.all[round % f.n];
        train_init(&t, &r);
        train_seal(&t, s);
        for (size_t k = 0; k < PACKETS; k++) {
            uint8_t one[MAX_LEN + TAG];
            suites_seal(s, (struct stt_aead_plain){t.nonce[k], bytes_of(f.ad, t.ad_len[k]),
                                                   &t.parts[k], 1, one});
            ck_assert_mem_eq(t.data[k], one, t.len[k] + TAG);
        }
    }
}
END_TEST

/* Any subset of a train may be forged or too short; the others open all the same. */
START_TEST(train_refuses_exactly_the_bad_packets)
{
    struct train t;
    struct rng r = rng_init(3);
    fixture_init();
    for (size_t round = 0; round < 300; round++) {
        const struct keyed_suite *s = &f.all[round % f.n];
        struct stt_aead_sealed sealed[PACKETS];
        bool is_bad[PACKETS];
        size_t good = 0;
        train_init(&t, &r);
        train_seal(&t, s);
        for (size_t k = 0; k < PACKETS; k++) {
            size_t len = t.len[k] + TAG;
            is_bad[k] = rng_chance(&r, 30);
            good += !is_bad[k];
            if (is_bad[k] && rng_chance(&r, 20))
                len = rng_below(&r, TAG);
            else if (is_bad[k])
                t.data[k][rng_below(&r, len)] ^= 0x10;
            sealed[k] = (struct stt_aead_sealed){t.nonce[k], bytes_of(f.ad, t.ad_len[k]), t.data[k],
                                                 len, is_bad[k]};
        }
        ck_assert_uint_eq(s->suite->open(s->state, sealed, PACKETS), good);
        for (size_t k = 0; k < PACKETS; k++) {
            ck_assert(sealed[k].is_open == !is_bad[k]);
            if (sealed[k].is_open)
                ck_assert_mem_eq(t.data[k], f.message, t.len[k]);
            else if (sealed[k].len >= TAG)
                ck_assert(bytes_all_zero(bytes_of(t.data[k], t.len[k])));
        }
    }
}
END_TEST

/* Equal neighbours, so that they would pair. */
START_TEST(train_of_packets_without_room_for_a_tag_is_refused_untouched)
{
    fixture_init();
    for (size_t i = 0; i < f.n; i++) {
        for (size_t len = 0; len < TAG; len++) {
            uint8_t data[2][TAG], before[2][TAG];
            struct stt_aead_sealed sealed[2];
            memset(data, 0xee, sizeof data);
            memcpy(before, data, sizeof data);
            for (size_t k = 0; k < 2; k++)
                sealed[k] = (struct stt_aead_sealed){f.nonce, BYTES(f.ad), data[k], len, true};
            ck_assert_uint_eq(f.all[i].suite->open(f.all[i].state, sealed, 2), 0);
            ck_assert(!sealed[0].is_open && !sealed[1].is_open);
            ck_assert_mem_eq(data, before, sizeof data);
        }
    }
}
END_TEST

START_TEST(masks_of_a_train_are_those_of_its_samples)
{
    enum { N = 11 };
    uint8_t all[N + 1][STT_AEAD_MASK_BYTES], one[1][STT_AEAD_MASK_BYTES];
    fixture_init();
    for (size_t i = 0; i < f.n; i++) {
        const struct stt_aead_suite *suite = f.all[i].suite;
        for (size_t stride = 0; stride <= 27; stride++) {
            memset(all, 0xee, sizeof all);
            suite->mask(f.all[i].mask_state, f.message, stride, N, all);
            ck_assert_uint_eq(all[N][0], 0xee);
            for (size_t k = 0; k < N; k++) {
                suite->mask(f.all[i].mask_state, f.message + k * stride, 0, 1, one);
                ck_assert_mem_eq(all[k], one[0], STT_AEAD_MASK_BYTES);
            }
        }
        ck_assert_mem_ne(all[0], all[1], STT_AEAD_MASK_BYTES);
    }
}
END_TEST

/* -- the table -- */

START_TEST(table_keeps_within_its_bounds)
{
    const struct stt_aead_suite *suite;
    size_t n = 0;
    for (; (suite = stt_aead_at(n)); n++) {
        ck_assert_uint_ge(suite->id, 1);
        ck_assert_uint_le(suite->id, STT_AEAD_IDS);
        ck_assert_uint_le(suite->key_bytes, STT_AEAD_KEY_MAX);
        ck_assert_uint_le(suite->nonce_bytes, STT_AEAD_NONCE_MAX);
        ck_assert_uint_le(suite->state_bytes, STT_AEAD_STATE_MAX);
        ck_assert_uint_le(suite->mask_state_bytes, STT_AEAD_MASK_STATE_MAX);
        for (size_t i = 0; i < n; i++) { /* one id, one name, one set of sizes and limits */
            const struct stt_aead_suite *other = stt_aead_at(i);
            ck_assert((strcmp(other->name, suite->name) == 0) == (other->id == suite->id));
            if (other->id != suite->id)
                continue;
            ck_assert_str_ne(other->variant, suite->variant);
            ck_assert_uint_eq(other->key_bytes, suite->key_bytes);
            ck_assert_uint_eq(other->nonce_bytes, suite->nonce_bytes);
            ck_assert(other->max_packets == suite->max_packets);
            ck_assert(other->max_failed_opens == suite->max_failed_opens);
        }
    }
    ck_assert_ptr_null(stt_aead_at(n + 1));
    ck_assert_uint_le(n, MAX_SUITES);
}
END_TEST

START_TEST(suites_have_the_sizes_and_limits_of_the_spec)
{
    static const struct {
        uint8_t id;
        const char *name;
        size_t key_bytes, nonce_bytes;
        unsigned packets_bits, failed_bits;
    } rows[] = {
        {1, "aegis-128x2", 16, 16, 62, 62},
        {2, "aegis-128l", 16, 16, 62, 62},
        {3, "aes-256-gcm", 32, 12, 22, 52},
        {4, "chacha20-poly1305", 32, 12, 62, 36},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct stt_aead_suite *suite = stt_aead_by_name(rows[i].name, UINT32_MAX);
        if (!suite && rows[i].id != STT_AEAD_CHACHA20_POLY1305)
            continue; /* not in a build for other processors */
        ck_assert_ptr_eq(suite, stt_aead_by_id(rows[i].id, UINT32_MAX));
        ck_assert_uint_eq(suite->id, rows[i].id);
        ck_assert_uint_eq(suite->key_bytes, rows[i].key_bytes);
        ck_assert_uint_eq(suite->nonce_bytes, rows[i].nonce_bytes);
        ck_assert(suite->max_packets == UINT64_C(1) << rows[i].packets_bits);
        ck_assert(suite->max_failed_opens == UINT64_C(1) << rows[i].failed_bits);
    }
}
END_TEST

START_TEST(plain_processor_has_chacha_alone)
{
    uint8_t offer[STT_AEAD_IDS];
    ck_assert_uint_eq(stt_aead_offer(offer, 0), 1);
    ck_assert_uint_eq(offer[0], STT_AEAD_CHACHA20_POLY1305);
    for (uint8_t id = 0; id < 10; id++)
        ck_assert((stt_aead_by_id(id, 0) != NULL) == (id == STT_AEAD_CHACHA20_POLY1305));
    ck_assert_ptr_null(stt_aead_by_name("aegis-128l", 0));
    ck_assert_ptr_null(stt_aead_by_name("aes-256-gcm", 0));
    ck_assert_ptr_nonnull(stt_aead_by_name("chacha20-poly1305", 0));
}
END_TEST

#if defined(__x86_64__)
static void check_variant(uint8_t id, uint32_t cpu, const char *variant)
{
    const struct stt_aead_suite *suite = stt_aead_by_id(id, cpu);
    ck_assert((suite != NULL) == (variant != NULL));
    if (suite)
        ck_assert_str_eq(suite->variant, variant);
}

START_TEST(processor_gets_the_best_variant_that_it_can_run)
{
    check_variant(STT_AEAD_AEGIS_128L, AES, "aes");
    check_variant(STT_AEAD_AEGIS_128L, VAES, "vaes");
    check_variant(STT_AEAD_AEGIS_128L, VAES512, "vaes512");
    check_variant(STT_AEAD_AEGIS_128X2, AES, "aes");
    check_variant(STT_AEAD_AEGIS_128X2, VAES, "vaes");
    check_variant(STT_AEAD_AEGIS_128X2, VAES512, "vaes512");
    check_variant(STT_AEAD_AES_256_GCM, AES, NULL);
    check_variant(STT_AEAD_AES_256_GCM, GCM, "libsodium");
}
END_TEST

START_TEST(offer_lists_what_is_fast_here_and_gcm_only_when_asked_for)
{
    static const struct {
        uint32_t cpu;
        struct bytes ids;
    } rows[] = {
        {AES, BYTES_TEXT("\2\4")},          {GCM, BYTES_TEXT("\2\4")},
        {VAES, BYTES_TEXT("\2\4")},         {VAES512, BYTES_TEXT("\1\2\4")},
        {UINT32_MAX, BYTES_TEXT("\1\2\4")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t offer[STT_AEAD_IDS];
        size_t n = stt_aead_offer(offer, rows[i].cpu);
        ck_assert(bytes_equal(bytes_of(offer, n), rows[i].ids));
    }
}
END_TEST
#endif

START_TEST(responder_takes_the_first_of_its_own_that_is_offered)
{
    ck_assert_uint_eq(stt_aead_choose(BYTES_TEXT("\1\2\4"), BYTES_TEXT("\4\2")), 2);
    ck_assert_uint_eq(stt_aead_choose(BYTES_TEXT("\4\2"), BYTES_TEXT("\1\2\4")), 4);
    ck_assert_uint_eq(stt_aead_choose(BYTES_TEXT("\2\4"), BYTES_TEXT("\x63\4")), 4);
    ck_assert_uint_eq(stt_aead_choose(BYTES_TEXT("\1"), BYTES_TEXT("\2")), 0);
    ck_assert_uint_eq(stt_aead_choose(BYTES_NONE, BYTES_TEXT("\2")), 0);
    ck_assert_uint_eq(stt_aead_choose(BYTES_TEXT("\2"), BYTES_NONE), 0);
}
END_TEST

#if defined(__x86_64__)
#define X86_TESTS                                                                                  \
    TEST(processor_gets_the_best_variant_that_it_can_run),                                         \
        TEST(offer_lists_what_is_fast_here_and_gcm_only_when_asked_for),
#else
#define X86_TESTS
#endif

SUITE("aead", TEST(suite_opens_what_it_sealed_and_writes_nothing_else), TEST(suite_seals_in_place),
      TEST(suite_seals_parts_as_their_sum), TEST(suite_refuses_every_flipped_bit_and_wipes),
      TEST(suite_refuses_every_prefix), TEST(train_is_its_packets_one_by_one),
      TEST(train_refuses_exactly_the_bad_packets),
      TEST(train_of_packets_without_room_for_a_tag_is_refused_untouched),
      TEST(masks_of_a_train_are_those_of_its_samples), TEST(table_keeps_within_its_bounds),
      TEST(suites_have_the_sizes_and_limits_of_the_spec),
      X86_TESTS TEST(plain_processor_has_chacha_alone),
      TEST(responder_takes_the_first_of_its_own_that_is_offered))
