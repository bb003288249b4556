/* SPDX-License-Identifier: MIT
 * vectors: runs published test vectors against this library's cryptography.
 *
 *     build/tests/vectors FILE...
 *
 * It reads three public JSON formats and tells them apart by their outermost shape:
 *   - the AEGIS draft's test vectors (an array of vectors);
 *   - Wycheproof's aead_test_schema and xdh_comp_schema ("testGroups");
 *   - the Noise vectors format ("vectors").
 * What cannot be run here is counted as skipped, with the reason. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "crypto/noise.h"
#include "stt/base/env.h"
#include "tests/support/hex.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static uint32_t cpu; /* what this processor can do */

/* -- counting ------------------------------------------------------------------------------------
 */

struct reason {
    char text[160];
    unsigned long count;
};

static struct tally {
    unsigned long passed, failed, skipped;
    struct reason reasons[64];
    size_t n_reasons;
} tally;

static void skip(unsigned long count, const char *what, const char *why)
{
    char text[sizeof tally.reasons[0].text];
    snprintf(text, sizeof text, "%s: %s", what, why);
    tally.skipped += count;
    size_t i = 0;
    while (i < tally.n_reasons && strcmp(tally.reasons[i].text, text) != 0)
        i++;
    if (i == sizeof tally.reasons / sizeof tally.reasons[0])
        i--; /* the last one takes what does not fit */
    else if (i == tally.n_reasons)
        memcpy(tally.reasons[tally.n_reasons++].text, text, sizeof text);
    tally.reasons[i].count += count;
}

static void judge(bool ok, const char *file, const char *vector)
{
    if (ok) {
        tally.passed++;
        return;
    }
    tally.failed++;
    printf("FAILED: %s: %s\n", file, vector);
}

/* -- hexadecimal members of a JSON object
 * ---------------------------------------------------------- */

struct blob {
    uint8_t *data;
    size_t len;
    bool present;
};

static struct blob blob_of(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text)
        return (struct blob){NULL, 0, false};
    size_t room = strlen(text) / 2 + 1;
    uint8_t *data = calloc(1, room);
    if (!data)
        abort();
    return (struct blob){data, hex_decode(text, data, room), true};
}

static struct blob blob_at(const json_t *object, const char *name)
{
    return blob_of(json_object_get(object, name));
}

static struct bytes blob_bytes(struct blob b)
{
    return (struct bytes){b.data, b.len};
}

/* -- AEADs
 * ----------------------------------------------------------------------------------------- */

struct aead_case {
    struct blob key, nonce, ad, plain, sealed, tag;
    bool must_open;
};

static void aead_case_free(struct aead_case *c)
{
    struct blob *all[] = {&c->key, &c->nonce, &c->ad, &c->plain, &c->sealed, &c->tag};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]->data);
}

static uint8_t *room_of(size_t len)
{
    uint8_t *room = calloc(1, len + 1);
    if (!room)
        abort();
    return room;
}

/* Three in one train: neighbours of equal length may take another way than one packet alone. */
static bool aead_seals(const struct stt_aead_suite *suite, const void *state,
                       const struct aead_case *c)
{
    size_t len = c->plain.len + STT_AEAD_TAG_BYTES;
    uint8_t *out = room_of(3 * len);
    struct bytes part = blob_bytes(c->plain);
    struct stt_aead_plain packets[3];
    for (size_t i = 0; i < 3; i++)
        packets[i] = (struct stt_aead_plain){.nonce = c->nonce.data,
                                             .ad = blob_bytes(c->ad),
                                             .parts = &part,
                                             .parts_len = 1,
                                             .out = out + i * len};
    suite->seal(state, packets, 3);
    bool ok = true;
    for (size_t i = 0; i < 3; i++)
        ok = ok && bytes_equal(bytes_of(out + i * len, c->sealed.len), blob_bytes(c->sealed)) &&
             memcmp(out + i * len + c->sealed.len, c->tag.data, STT_AEAD_TAG_BYTES) == 0;
    free(out);
    return ok;
}

static bool is_opened_right(const struct aead_case *c, const struct stt_aead_sealed *packet)
{
    struct bytes plain = bytes_of(packet->data, c->sealed.len);
    if (packet->is_open != c->must_open)
        return false;
    if (!packet->is_open)
        return bytes_all_zero(plain);
    return !c->plain.present || bytes_equal(plain, blob_bytes(c->plain));
}

/* Opens as published; a refusal must leave zeros. */
static bool aead_opens(const struct stt_aead_suite *suite, const void *state,
                       const struct aead_case *c)
{
    size_t len = c->sealed.len + c->tag.len;
    uint8_t *data = room_of(3 * len);
    struct stt_aead_sealed packets[3];
    for (size_t i = 0; i < 3; i++) {
        uint8_t *at = data + i * len;
        if (c->sealed.len)
            memcpy(at, c->sealed.data, c->sealed.len);
        memcpy(at + c->sealed.len, c->tag.data, c->tag.len);
        packets[i] = (struct stt_aead_sealed){
            .nonce = c->nonce.data, .ad = blob_bytes(c->ad), .data = at, .len = len};
    }
    bool ok = suite->open(state, packets, 3) == (c->must_open ? 3 : 0);
    for (size_t i = 0; i < 3; i++)
        ok = ok && is_opened_right(c, &packets[i]);
    free(data);
    return ok;
}

/* Every implementation of the suite that this processor can run. */
static bool aead_case_holds(uint8_t id, const struct aead_case *c)
{
    _Alignas(64) uint8_t state[STT_AEAD_STATE_MAX];
    bool ok = true;
    for (size_t i = 0; stt_aead_at(i); i++) {
        const struct stt_aead_suite *suite = stt_aead_at(i);
        if (suite->id != id || (suite->needs & ~cpu))
            continue;
        suite->init(state, c->key.data);
        if (c->must_open)
            ok = ok && aead_seals(suite, state, c);
        ok = ok && aead_opens(suite, state, c);
    }
    return ok;
}

static bool aead_fits(uint8_t id, const struct aead_case *c)
{
    const struct stt_aead_suite *suite = stt_aead_by_id(id, cpu);
    return suite && c->key.len == suite->key_bytes && c->nonce.len == suite->nonce_bytes;
}

/* -- the AEGIS draft's format
 * ---------------------------------------------------------------------- */

static bool name_has(const char *text, const char *part)
{
    for (; *text; text++)
        if (strncasecmp(text, part, strlen(part)) == 0)
            return true;
    return false;
}

static bool any_has(const json_t *vectors, const char *member)
{
    size_t i;
    json_t *v;
    json_array_foreach(vectors, i, v) if (json_object_get(v, member)) return true;
    return false;
}

/* The format does not name its algorithm: the file's name does, or the state words it shows. */
static uint8_t aegis_suite_of(const char *file, const json_t *vectors)
{
    const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    if (name_has(base, "mac") || name_has(base, "aesround") || name_has(base, "x4") ||
        name_has(base, "256"))
        return 0;
    if (name_has(base, "128x2"))
        return STT_AEAD_AEGIS_128X2;
    if (name_has(base, "128l"))
        return STT_AEAD_AEGIS_128L;
    if (any_has(vectors, "ctx[1]") && !any_has(vectors, "ctx[3]"))
        return STT_AEAD_AEGIS_128X2;
    return any_has(vectors, "S0_2") ? STT_AEAD_AEGIS_128L : 0;
}

static void aegis_vector(const char *file, uint8_t id, const json_t *v)
{
    const char *name = json_string_value(json_object_get(v, "name"));
    struct aead_case c = {blob_at(v, "key"),           blob_at(v, "nonce"), blob_at(v, "ad"),
                          blob_at(v, "msg"),           blob_at(v, "ct"),    blob_at(v, "tag128"),
                          !json_object_get(v, "error")};
    if (!c.tag.present)
        skip(1, file, "inner states are checked by the unit tests");
    else if (!aead_fits(id, &c))
        skip(1, file, "this processor has no AES instructions");
    else
        judge(aead_case_holds(id, &c), file, name ? name : "?");
    if (json_object_get(v, "tag256"))
        skip(1, file, "256-bit tags are not used");
    aead_case_free(&c);
}

static void aegis_file(const char *file, const json_t *vectors)
{
    uint8_t id = aegis_suite_of(file, vectors);
    if (!id) {
        skip(json_array_size(vectors), file, "neither AEGIS-128L nor AEGIS-128X2");
        return;
    }
    size_t i;
    json_t *v;
    json_array_foreach(vectors, i, v) aegis_vector(file, id, v);
}

/* -- Wycheproof
 * ------------------------------------------------------------------------------------- */

enum verdict { INVALID, VALID, ACCEPTABLE };

static enum verdict verdict_of(const json_t *test)
{
    const char *text = json_string_value(json_object_get(test, "result"));
    if (text && strcmp(text, "valid") == 0)
        return VALID;
    return text && strcmp(text, "acceptable") == 0 ? ACCEPTABLE : INVALID;
}

static const char *test_name(const json_t *test)
{
    static char name[200];
    const char *comment = json_string_value(json_object_get(test, "comment"));
    snprintf(name, sizeof name, "tcId %lld %s",
             (long long)json_integer_value(json_object_get(test, "tcId")), comment ? comment : "");
    return name;
}

static void wycheproof_aead(const char *file, uint8_t id, const json_t *test)
{
    struct aead_case c = {blob_at(test, "key"),     blob_at(test, "iv"), blob_at(test, "aad"),
                          blob_at(test, "msg"),     blob_at(test, "ct"), blob_at(test, "tag"),
                          verdict_of(test) == VALID};
    judge(aead_fits(id, &c) && c.tag.len == STT_AEAD_TAG_BYTES && aead_case_holds(id, &c), file,
          test_name(test));
    aead_case_free(&c);
}

static const struct wycheproof_aead_rule {
    const char *algorithm;
    uint8_t id;
    int iv_bits, key_bits;
} wycheproof_aeads[] = {
    {"AEGIS128L", STT_AEAD_AEGIS_128L, 128, 128},
    {"AES-GCM", STT_AEAD_AES_256_GCM, 96, 256},
    {"CHACHA20-POLY1305", STT_AEAD_CHACHA20_POLY1305, 96, 256},
};

static const struct wycheproof_aead_rule *wycheproof_rule(const char *algorithm)
{
    for (size_t i = 0; i < sizeof wycheproof_aeads / sizeof wycheproof_aeads[0]; i++)
        if (strcmp(wycheproof_aeads[i].algorithm, algorithm) == 0)
            return &wycheproof_aeads[i];
    return NULL;
}

static void wycheproof_aead_group(const char *file, const char *algorithm, const json_t *group)
{
    const struct wycheproof_aead_rule *rule = wycheproof_rule(algorithm);
    const json_t *tests = json_object_get(group, "tests");
    long long iv = json_integer_value(json_object_get(group, "ivSize"));
    long long key = json_integer_value(json_object_get(group, "keySize"));
    long long tag = json_integer_value(json_object_get(group, "tagSize"));
    char what[100];
    snprintf(what, sizeof what, "%s with %lld-bit key, %lld-bit IV, %lld-bit tag", algorithm, key,
             iv, tag);
    if (!rule || iv != rule->iv_bits || key != rule->key_bits || tag != 128) {
        skip(json_array_size(tests), what, "not used by the protocol");
        return;
    }
    if (!stt_aead_by_id(rule->id, cpu)) {
        skip(json_array_size(tests), what, "this processor has no AES instructions");
        return;
    }
    size_t i;
    json_t *test;
    json_array_foreach(tests, i, test) wycheproof_aead(file, rule->id, test);
}

/* Acceptable: refused, or the published result; nothing else. */
static void wycheproof_xdh(const char *file, const json_t *test)
{
    struct blob pub = blob_at(test, "public"), secret = blob_at(test, "private");
    struct blob shared = blob_at(test, "shared");
    uint8_t out[STT_NOISE_KEY_BYTES];
    bool sized = pub.len == sizeof out && secret.len == sizeof out && shared.len == sizeof out;
    bool computed = sized && stt_noise_dh(out, secret.data, pub.data);
    bool same = computed && memcmp(out, shared.data, sizeof out) == 0;
    switch (verdict_of(test)) {
    case VALID:
        judge(same, file, test_name(test));
        break;
    case ACCEPTABLE:
        judge(sized && (same || !computed), file, test_name(test));
        break;
    default:
        judge(!computed, file, test_name(test));
    }
    free(pub.data);
    free(secret.data);
    free(shared.data);
}

static void wycheproof_xdh_group(const char *file, const json_t *group)
{
    const json_t *tests = json_object_get(group, "tests");
    const char *curve = json_string_value(json_object_get(group, "curve"));
    const char *type = json_string_value(json_object_get(group, "type"));
    if (!curve || strcmp(curve, "curve25519") != 0 || !type || strcmp(type, "XdhComp") != 0) {
        skip(json_array_size(tests), "XDH", "only raw keys on curve25519 are used");
        return;
    }
    size_t i;
    json_t *test;
    json_array_foreach(tests, i, test) wycheproof_xdh(file, test);
}

static void wycheproof_file(const char *file, const json_t *root)
{
    const char *algorithm = json_string_value(json_object_get(root, "algorithm"));
    size_t i;
    json_t *group;
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        if (algorithm && strcmp(algorithm, "XDH") == 0)
            wycheproof_xdh_group(file, group);
        else
            wycheproof_aead_group(file, algorithm ? algorithm : "?", group);
    }
}

/* -- Noise
 * -------------------------------------------------------------------------------------------- */

struct noise_side {
    struct stt_noise_handshake_state hs;
    struct stt_noise_keypair s;
    const json_t *psks;
    size_t next_psk;
    struct stt_noise_cipher_state send, receive;
};

static bool keypair_at(const json_t *v, const char *name, struct stt_noise_keypair *pair)
{
    struct blob secret = blob_at(v, name);
    bool ok = secret.len == STT_NOISE_KEY_BYTES;
    if (ok)
        stt_noise_keypair_init(pair, secret.data);
    free(secret.data);
    return ok;
}

static const struct noise_names {
    const char *prologue, *s, *e, *rs, *psks;
} noise_names[2] = {
    {"resp_prologue", "resp_static", "resp_ephemeral", "resp_remote_static", "resp_psks"},
    {"init_prologue", "init_static", "init_ephemeral", "init_remote_static", "init_psks"},
};

static bool noise_side_init(struct noise_side *side, enum stt_noise_pattern pattern,
                            bool is_initiator, const json_t *v)
{
    const struct noise_names *name = &noise_names[is_initiator];
    struct blob prologue = blob_at(v, name->prologue), rs = blob_at(v, name->rs);
    bool has_s = keypair_at(v, name->s, &side->s);
    bool ok = stt_noise_init(&side->hs, &(struct stt_noise_setup){
                                            .pattern = pattern,
                                            .is_initiator = is_initiator,
                                            .prologue = blob_bytes(prologue),
                                            .s = has_s ? &side->s : NULL,
                                            .rs = rs.present ? rs.data : NULL,
                                        });
    struct stt_noise_keypair e;
    if (ok && keypair_at(v, name->e, &e))
        stt_noise_set_ephemeral(&side->hs, &e);
    side->psks = json_object_get(v, name->psks);
    side->next_psk = 0;
    free(prologue.data);
    free(rs.data);
    return ok;
}

static void noise_set_next_psk(struct noise_side *side)
{
    struct blob psk = blob_of(json_array_get(side->psks, side->next_psk));
    if (psk.len == STT_NOISE_KEY_BYTES)
        stt_noise_set_psk(&side->hs, psk.data);
    free(psk.data);
}

/* A pattern with several psk tokens takes a psk for each. */
static bool noise_write(struct noise_side *side, struct bytes payload, struct wr *w)
{
    for (noise_set_next_psk(side); side->next_psk < json_array_size(side->psks);) {
        struct wr attempt = *w;
        if (!stt_noise_write_through(&side->hs, STT_NOISE_PSK, &attempt))
            break;
        *w = attempt;
        side->next_psk++;
        noise_set_next_psk(side);
    }
    return stt_noise_write(&side->hs, payload, w);
}

static bool noise_read(struct noise_side *side, struct bytes message, struct wr *payload)
{
    struct rd r = rd_init(message);
    for (noise_set_next_psk(side); side->next_psk < json_array_size(side->psks);) {
        struct rd attempt = r;
        if (!stt_noise_read_through(&side->hs, STT_NOISE_PSK, &attempt))
            break;
        r = attempt;
        side->next_psk++;
        noise_set_next_psk(side);
    }
    return stt_noise_read(&side->hs, &r, payload);
}

static bool noise_transport_init(struct noise_side *side, bool is_initiator, const json_t *v)
{
    struct stt_noise_keys keys;
    struct blob hash = blob_at(v, "handshake_hash");
    bool ok = stt_noise_split(&side->hs, &keys);
    ok = ok && (!hash.present || bytes_equal(blob_bytes(hash), BYTES(keys.h)));
    stt_noise_cipher_init(&side->send, is_initiator ? keys.initiator : keys.responder);
    stt_noise_cipher_init(&side->receive, is_initiator ? keys.responder : keys.initiator);
    free(hash.data);
    return ok;
}

static bool noise_message(struct noise_side *from, struct noise_side *to, bool handshake,
                          const json_t *message)
{
    uint8_t sealed[1024], opened[1024];
    struct blob payload = blob_at(message, "payload"), expected = blob_at(message, "ciphertext");
    struct wr w = wr_init(sealed, sizeof sealed), p = wr_init(opened, sizeof opened);
    bool ok;
    if (handshake)
        ok = noise_write(from, blob_bytes(payload), &w) && noise_read(to, wr_done(&w), &p);
    else
        ok = stt_noise_cipher_seal(&from->send, BYTES_NONE, blob_bytes(payload), &w) &&
             stt_noise_cipher_open(&to->receive, BYTES_NONE, wr_done(&w), &p);
    ok = ok && bytes_equal(wr_done(&w), blob_bytes(expected)) &&
         bytes_equal(wr_done(&p), blob_bytes(payload));
    free(payload.data);
    free(expected.data);
    return ok;
}

static bool noise_vector_holds(enum stt_noise_pattern pattern, const json_t *v)
{
    struct noise_side side[2]; /* 1 is the initiator */
    if (!noise_side_init(&side[0], pattern, false, v) ||
        !noise_side_init(&side[1], pattern, true, v))
        return false;
    bool handshake = true;
    size_t i;
    json_t *message;
    json_array_foreach(json_object_get(v, "messages"), i, message)
    {
        struct noise_side *from = &side[i % 2 == 0], *to = &side[i % 2];
        if (!noise_message(from, to, handshake, message))
            return false;
        if (handshake && stt_noise_is_done(&side[0].hs)) {
            handshake = false;
            if (!noise_transport_init(&side[0], false, v) ||
                !noise_transport_init(&side[1], true, v))
                return false;
        }
    }
    return !handshake;
}

static bool noise_pattern_of(const char *name, enum stt_noise_pattern *pattern)
{
    for (int i = 0; i < STT_NOISE_PATTERNS; i++) {
        *pattern = (enum stt_noise_pattern)i;
        if (strcmp(stt_noise_protocol_name(*pattern), name) == 0)
            return true;
    }
    return false;
}

static void noise_file(const char *file, const json_t *root)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(root, "vectors"), i, v)
    {
        const char *name = json_string_value(json_object_get(v, "protocol_name"));
        enum stt_noise_pattern pattern;
        if (!name)
            judge(false, file, "a vector without protocol_name");
        else if (!strstr(name, "_25519_ChaChaPoly_BLAKE2b"))
            skip(1, "Noise", "other primitives than 25519, ChaChaPoly, BLAKE2b");
        else if (!noise_pattern_of(name, &pattern))
            skip(1, "Noise", "a pattern that the protocol does not use");
        else
            judge(noise_vector_holds(pattern, v), file, name);
    }
}

/* -- files
 * ---------------------------------------------------------------------------------------------- */

static int run_file(const char *file)
{
    json_error_t error;
    json_t *root = json_load_file(file, 0, &error);
    if (!root) {
        fprintf(stderr, "vectors: %s: line %d: %s\n", file, error.line, error.text);
        return 2;
    }
    int status = 0;
    if (json_is_array(root))
        aegis_file(file, root);
    else if (json_object_get(root, "testGroups"))
        wycheproof_file(file, root);
    else if (json_object_get(root, "vectors"))
        noise_file(file, root);
    else {
        fprintf(stderr,
                "vectors: %s: not in one of the three formats (see the top of the source)\n", file);
        status = 2;
    }
    json_decref(root);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: vectors FILE...\n"
                        "Runs test vectors of the AEGIS draft, Wycheproof and Noise (JSON).\n");
        return 2;
    }
    cpu = stt_cpu_detect();
    int status = 0;
    for (int i = 1; i < argc; i++)
        status |= run_file(argv[i]);
    for (size_t i = 0; i < tally.n_reasons; i++)
        printf("skipped: %lu: %s\n", tally.reasons[i].count, tally.reasons[i].text);
    printf("%lu passed, %lu failed, %lu skipped\n", tally.passed, tally.failed, tally.skipped);
    return status ? status : tally.failed != 0;
}
