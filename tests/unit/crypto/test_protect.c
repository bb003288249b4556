/* SPDX-License-Identifier: MIT */
#include "crypto/cpu.h"
#include "crypto/protect.h"
#include "tests/support/dies.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

#include <stdlib.h>

/* The tests of one run are repeated for every implementation of every suite; those that this
 * processor lacks pass without doing anything. */
enum { IMPLEMENTATIONS = 12, SEGMENT = 200, TRAIN = 70 };

static const struct stt_aead_suite *suite_at(int i)
{
    const struct stt_aead_suite *suite = stt_aead_at((size_t)i);
    return suite && !(suite->needs & ~stt_cpu_detect()) ? suite : NULL;
}

static struct stt_protect *ends[2]; /* by the direction in which they send */
static struct stt_aead_suite changed;

static struct stt_protect *new_end(const struct stt_aead_suite *suite, enum stt_direction send)
{
    uint8_t secrets[2][32];
    for (uint8_t i = 0; i < 32; i++) {
        secrets[0][i] = (uint8_t)(0x10 + i);
        secrets[1][i] = (uint8_t)(0x40 + i);
    }
    struct stt_protect *p = aligned_alloc(64, (stt_protect_bytes(suite) + 63) / 64 * 64);
    stt_protect_init(p, suite, send, secrets);
    return p;
}

static void begin(const struct stt_aead_suite *suite)
{
    for (enum stt_direction d = 0; d < 2; d++)
        ends[d] = new_end(suite, d);
}

static void end(void)
{
    for (int d = 0; d < 2; d++)
        free(ends[d]);
}

static const uint8_t id[8] = {1, 2, 3, 4, 5, 6, 7, 8};

/* A packet of `len` bytes of payload, all of them the number's lowest byte. */
static size_t seal_one(struct stt_protect *p, uint64_t number, size_t len, uint8_t *out)
{
    uint8_t payload[2048];
    memset(payload, (int)(number & 0xff), len);
    struct bytes part = bytes_of(payload, len);
    struct stt_protect_plain plain = {number, id, &part, 1};
    size_t bytes = len + STT_PROTECT_OVERHEAD_BYTES;
    ck_assert_uint_eq(stt_protect_seal(p, &plain, 1, (struct stt_protect_train){out, bytes, bytes}),
                      bytes);
    return bytes;
}

static struct stt_protect_opened open_one(struct stt_protect *p, uint8_t *data, size_t len)
{
    struct stt_protect_opened opened;
    stt_protect_open(p, (struct stt_protect_train){data, len, len}, &opened);
    return opened;
}

struct packet {
    uint8_t data[64];
    size_t len;
};

static struct packet sealed(struct stt_protect *p, uint64_t number)
{
    struct packet packet;
    packet.len = seal_one(p, number, 20, packet.data);
    return packet;
}

/* What becomes of a copy of the packet. */
static enum stt_protect_result arrives(struct stt_protect *p, const struct packet *packet)
{
    struct packet copy = *packet;
    struct stt_protect_opened opened = open_one(p, copy.data, copy.len);
    if (opened.result == STT_PROTECT_OPENED)
        ck_assert_uint_eq(opened.payload.len, 20);
    else if (opened.result != STT_PROTECT_VIOLATION)
        ck_assert_uint_eq(opened.payload.len, 0);
    return opened.result;
}

static enum stt_protect_result passes(struct stt_protect *from, struct stt_protect *to,
                                      uint64_t number)
{
    struct packet packet = sealed(from, number);
    return arrives(to, &packet);
}

/* -- vectors -- */

static void go_to_epoch(struct stt_protect *p, const json_t *file, uint64_t epoch)
{
    const json_t *rekey = vector_of(file, "rekey");
    uint8_t secrets[2][32];
    memcpy(secrets[0], vector_bytes(rekey, "k1").data, 32);
    memcpy(secrets[1], vector_bytes(rekey, "k2").data, 32);
    while (p->keys.number < epoch) {
        if (p->keys.number + 1 == vector_number(rekey, "epoch"))
            stt_protect_install(p, secrets);
        p->is_confirmed = true;
        stt_protect_update(p);
    }
}

static void check_sealing(const json_t *vector, struct stt_protect *p, struct bytes datagram)
{
    struct bytes parts[8];
    struct stt_protect_plain plain = {
        .number = vector_number(vector, "number"),
        .session_id = vector_bytes(vector, "session_id").data,
        .parts = parts,
        .parts_len = vector_list(vector, "parts", parts, 8),
    };
    uint8_t out[2048];
    struct stt_protect_train to = {out, sizeof out, sizeof out};
    ck_assert_uint_eq(stt_protect_seal(p, &plain, 1, to), datagram.len);
    ck_assert_mem_eq(out, datagram.data, datagram.len);
}

static void check_opening(const json_t *vector, struct stt_protect *p, struct bytes datagram)
{
    uint8_t data[2048];
    struct bytes parts[8];
    bool is_violation = json_is_true(vector_of(vector, "violation"));
    memcpy(data, datagram.data, datagram.len);
    p->replay.expected = vector_number(vector, "number");
    struct stt_protect_opened opened = open_one(p, data, datagram.len);
    ck_assert_int_eq(opened.result, is_violation ? STT_PROTECT_VIOLATION : STT_PROTECT_OPENED);
    ck_assert_uint_eq(opened.number, vector_number(vector, "number"));
    struct rd r = rd_init(opened.payload);
    size_t n = vector_list(vector, "parts", parts, 8);
    for (size_t i = 0; i < n; i++)
        ck_assert(bytes_equal(rd_bytes(&r, parts[i].len), parts[i]));
    ck_assert(rd_is_done(&r));
}

static bool has_reserved_bits(const json_t *vector)
{
    struct bytes parts[8];
    return json_is_true(vector_of(vector, "violation")) &&
           vector_list(vector, "parts", parts, 8) > 0;
}

START_TEST(protect_agrees_with_the_vectors)
{
    const struct stt_aead_suite *suite = suite_at(_i);
    json_t *file = vector_file("protected-packets.json"), *vectors, *vector;
    size_t i, j;
    json_array_foreach(vector_of(file, "suites"), i, vectors)
    {
        if (!suite || strcmp(vector_text(vectors, "suite"), suite->name) != 0)
            continue;
        json_array_foreach(vector_of(vectors, "packets"), j, vector)
        {
            struct bytes datagram = vector_bytes(vector, "datagram");
            size_t d = vector_number(vector, "direction");
            begin(suite);
            go_to_epoch(ends[0], file, vector_number(vector, "epoch"));
            go_to_epoch(ends[1], file, vector_number(vector, "epoch"));
            if (!has_reserved_bits(vector)) /* which this code does not send */
                check_sealing(vector, ends[d], datagram);
            check_opening(vector, ends[!d], datagram);
            end();
        }
        ck_assert_uint_ge(j, 14);
    }
    json_decref(file);
}
END_TEST

/* -- trains -- */

static uint8_t train_data[TRAIN * SEGMENT];
static struct stt_protect_opened train_opened[TRAIN];

/* n packets in parts of all sizes, with `skip` numbers between them; the last is short. */
static struct stt_protect_train seal_train(struct stt_protect *p, size_t n, uint64_t skip)
{
    static uint8_t payload[SEGMENT];
    static struct bytes parts[TRAIN][3];
    struct stt_protect_plain plain[TRAIN];
    const size_t len = SEGMENT - STT_PROTECT_OVERHEAD_BYTES;
    for (size_t i = 0; i < len; i++)
        payload[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < n; i++) {
        size_t all = i + 1 < n ? len : len / 2, first = i * 3 % all;
        parts[i][0] = bytes_of(payload, first);
        parts[i][1] = bytes_of(payload + first, (all - first) / 2);
        parts[i][2] = bytes_of(payload + first + parts[i][1].len, all - first - parts[i][1].len);
        plain[i] = (struct stt_protect_plain){p->next_number + i * skip, id, parts[i], 3};
    }
    struct stt_protect_train train = {train_data, sizeof train_data, SEGMENT};
    train.len = stt_protect_seal(p, plain, n, train);
    return train;
}

static void check_train(size_t n, uint64_t first, uint64_t skip)
{
    for (size_t i = 0; i < n; i++) {
        const struct stt_protect_opened *o = &train_opened[i];
        ck_assert_int_eq(o->result, STT_PROTECT_OPENED);
        ck_assert_uint_eq(o->number, first + i * skip);
        ck_assert_ptr_eq(o->payload.data, train_data + i * SEGMENT + STT_PROTECT_HEADER_BYTES);
        size_t len = SEGMENT - STT_PROTECT_OVERHEAD_BYTES;
        ck_assert_uint_eq(o->payload.len, i + 1 < n ? len : len / 2);
        for (size_t at = 0; at < o->payload.len; at++)
            if (o->payload.data[at] != (uint8_t)(at * 7))
                ck_abort_msg("packet %zu, byte %zu", i, at);
    }
}

START_TEST(protect_carries_trains_of_any_length_both_ways)
{
    const struct stt_aead_suite *suite = suite_at(_i);
    if (!suite)
        return;
    begin(suite);
    for (size_t n = 1; n <= TRAIN; n++)
        for (int d = 0; d < 2; d++) {
            uint64_t first = ends[d]->next_number, skip = 1 + n % 3;
            struct stt_protect_train train = seal_train(ends[d], n, skip);
            stt_protect_open(ends[!d], train, train_opened);
            check_train(n, first, skip);
            stt_protect_open(ends[!d], train, train_opened);
        }
    end();
}
END_TEST

START_TEST(protect_judges_each_packet_of_a_train_on_its_own)
{
    const struct stt_aead_suite *suite = suite_at(_i);
    if (!suite)
        return;
    begin(suite);
    struct stt_protect_train train = seal_train(ends[0], TRAIN, 1);
    for (size_t i = 0; i < TRAIN; i += 4)
        train_data[i * SEGMENT + 30 + i] ^= 0x40; /* behind the sample */
    memcpy(train_data + 10 * SEGMENT, train_data + 9 * SEGMENT, SEGMENT);
    stt_protect_open(ends[1], train, train_opened);
    for (size_t i = 0; i < TRAIN; i++) {
        enum stt_protect_result want = i % 4 == 0 ? STT_PROTECT_FORGED
                                       : i == 10  ? STT_PROTECT_REPLAYED
                                                  : STT_PROTECT_OPENED;
        ck_assert_int_eq(train_opened[i].result, want);
    }
    ck_assert_uint_eq(ends[1]->failed, (TRAIN + 3) / 4);
    end();
}
END_TEST

/* -- what is refused -- */

/* A change to the sample changes the header, too, which then may select no key. */
static bool is_refused(enum stt_protect_result result)
{
    return result == STT_PROTECT_FORGED || result == STT_PROTECT_NO_KEY;
}

START_TEST(protect_refuses_every_flipped_bit_and_changes_nothing)
{
    const struct stt_aead_suite *suite = suite_at(_i);
    if (!suite)
        return;
    begin(suite);
    ck_assert_int_eq(passes(ends[0], ends[1], 70), STT_PROTECT_OPENED);
    struct packet packet = sealed(ends[0], 90);
    struct stt_protect before = *ends[1];
    for (size_t bit = 0; bit < 8 * packet.len; bit++) {
        if (bit == 7) /* of byte 0: that is no protected packet */
            continue;
        struct packet bad = packet;
        bad.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct stt_protect_opened opened = open_one(ends[1], bad.data, bad.len);
        ck_assert(is_refused(opened.result));
        ck_assert_ptr_null(opened.payload.data);
        if (opened.result == STT_PROTECT_FORGED)
            ck_assert(bytes_all_zero(bytes_of(bad.data + STT_PROTECT_HEADER_BYTES, 20)));
        ck_assert_mem_eq(&ends[1]->replay, &before.replay, sizeof before.replay);
        ck_assert_mem_eq(&ends[1]->keys, &before.keys, sizeof before.keys);
    }
    ck_assert_int_eq(arrives(ends[1], &packet), STT_PROTECT_OPENED);
    end();
}
END_TEST

START_TEST(protect_refuses_every_cut_packet)
{
    const struct stt_aead_suite *suite = suite_at(_i);
    if (!suite)
        return;
    begin(suite);
    struct packet packet = sealed(ends[0], 0);
    for (size_t len = STT_PROTECT_OVERHEAD_BYTES; len < packet.len; len++) {
        struct packet cut = packet;
        struct stt_protect_opened opened = open_one(ends[1], cut.data, len);
        ck_assert(is_refused(opened.result));
    }
    ck_assert_int_eq(arrives(ends[1], &packet), STT_PROTECT_OPENED);
    ck_assert_int_eq(arrives(ends[1], &packet), STT_PROTECT_REPLAYED);
    ck_assert(is_refused(arrives(ends[0], &packet))); /* reflected */
    end();
}
END_TEST

START_TEST(protect_opens_in_any_order_and_once)
{
    static struct packet packets[64];
    begin(suite_at(0) ? suite_at(0) : stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0));
    for (uint64_t n = 0; n < 64; n++)
        packets[n] = sealed(ends[0], n);
    for (uint64_t i = 0; i < 64; i++)
        ck_assert_int_eq(arrives(ends[1], &packets[i * 37 % 64]), STT_PROTECT_OPENED);
    for (uint64_t i = 0; i < 64; i++)
        ck_assert_int_eq(arrives(ends[1], &packets[i]), STT_PROTECT_REPLAYED);
    end();
}
END_TEST

START_TEST(protect_ends_when_too_many_opens_have_failed)
{
    changed = *stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0);
    changed.max_failed_opens = 3;
    begin(&changed);
    struct packet good = sealed(ends[0], 0), bad = good;
    bad.data[40] ^= 1;
    ck_assert_int_eq(arrives(ends[1], &bad), STT_PROTECT_FORGED);
    ck_assert_int_eq(arrives(ends[1], &bad), STT_PROTECT_FORGED);
    ck_assert_int_eq(arrives(ends[1], &bad), STT_PROTECT_EXHAUSTED);
    ck_assert_int_eq(arrives(ends[1], &good), STT_PROTECT_EXHAUSTED);
    ck_assert_int_eq(arrives(ends[1], &bad), STT_PROTECT_EXHAUSTED);
    end();
}
END_TEST

/* -- numbers and limits -- */

struct sealing {
    struct stt_protect *p;
    uint64_t number;
    size_t n, len, segment_bytes;
};

static void seal(void *arg)
{
    static uint8_t out[4 * SEGMENT], payload[50];
    const struct sealing *s = arg;
    struct bytes part = BYTES(payload);
    struct stt_protect_plain plain[2] = {{s->number, id, &part, 1}, {s->number + 1, id, &part, 1}};
    stt_protect_seal(s->p, plain, s->n, (struct stt_protect_train){out, s->len, s->segment_bytes});
}

START_TEST(protect_never_seals_a_number_twice)
{
    begin(stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0));
    seal(&(struct sealing){ends[0], 7, 2, 158, 79});
    for (uint64_t number = 0; number <= 8; number++)
        ck_assert(dies(seal, &(struct sealing){ends[0], number, 1, 79, 79}));
    ck_assert(!dies(seal, &(struct sealing){ends[0], 9, 1, 79, 79}));
    ck_assert(!dies(seal, &(struct sealing){ends[0], (UINT64_C(1) << 62) - 1, 1, 79, 79}));
    ck_assert(dies(seal, &(struct sealing){ends[0], UINT64_C(1) << 62, 1, 79, 79}));
    end();
}
END_TEST

START_TEST(protect_stops_on_a_train_that_does_not_fit)
{
    begin(stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0));
    ck_assert(!dies(seal, &(struct sealing){ends[0], 0, 1, 79, 100}));
    ck_assert(dies(seal, &(struct sealing){ends[0], 0, 1, 78, 100}));  /* no room */
    ck_assert(dies(seal, &(struct sealing){ends[0], 0, 1, 100, 78}));  /* over its segment */
    ck_assert(dies(seal, &(struct sealing){ends[0], 0, 2, 200, 100})); /* a gap */
    ck_assert(dies(seal, &(struct sealing){ends[0], 0, 2, 157, 79}));
    ck_assert(!dies(seal, &(struct sealing){ends[0], 0, 2, 158, 79}));
    end();
}
END_TEST

START_TEST(protect_stops_at_the_limit_of_a_key_until_the_next)
{
    changed = *stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0);
    changed.max_packets = 5;
    begin(&changed);
    for (uint64_t number = 0; number < 5; number++) {
        ck_assert_uint_eq(stt_protect_sealable(ends[0]), 5 - number);
        ck_assert_int_eq(passes(ends[0], ends[1], 2 * number), STT_PROTECT_OPENED);
    }
    ck_assert_uint_eq(stt_protect_sealable(ends[0]), 0);
    ck_assert(dies(seal, &(struct sealing){ends[0], 100, 1, 79, 79}));
    stt_protect_on_acked(ends[0], 0);
    stt_protect_on_ack_sent(ends[1], 0);
    stt_protect_update(ends[0]);
    ck_assert_uint_eq(stt_protect_sealable(ends[0]), 5);
    ck_assert_int_eq(passes(ends[0], ends[1], 100), STT_PROTECT_OPENED);
    end();
}
END_TEST

/* -- key update -- */

static void update(void *p)
{
    stt_protect_update(p);
}

/* A packet each way, and each acknowledges the other's. */
static void settle(uint64_t number)
{
    for (int d = 0; d < 2; d++)
        ck_assert_int_eq(passes(ends[d], ends[!d], number), STT_PROTECT_OPENED);
    for (int d = 0; d < 2; d++) {
        stt_protect_on_ack_sent(ends[d], number);
        stt_protect_on_acked(ends[d], number);
    }
}

static void begin_settled(void)
{
    begin(stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0));
    settle(10);
}

START_TEST(update_is_followed_and_old_packets_still_open)
{
    const struct stt_aead_suite *suite = suite_at(_i);
    if (!suite)
        return;
    begin(suite);
    settle(10);
    for (uint64_t e = 1; e < 5; e++) {
        uint64_t base = 100 * e;
        struct packet late[2] = {sealed(ends[0], base), sealed(ends[0], base + 1)};
        struct packet back = sealed(ends[1], base);
        stt_protect_update(ends[0]);
        struct packet first = sealed(ends[0], base + 3);
        ck_assert_int_eq(arrives(ends[0], &back), STT_PROTECT_OPENED); /* from the old epoch */
        ck_assert_int_eq(arrives(ends[1], &late[1]), STT_PROTECT_OPENED);

        struct stt_protect_opened opened = open_one(ends[1], first.data, first.len);
        ck_assert_int_eq(opened.result, STT_PROTECT_OPENED);
        ck_assert(opened.began_epoch);
        ck_assert_uint_eq(ends[1]->keys.number, e);
        ck_assert_int_eq(arrives(ends[1], &late[0]), STT_PROTECT_OPENED);
        ck_assert_int_eq(arrives(ends[1], &late[0]), STT_PROTECT_REPLAYED);
        settle(base + 5);
        stt_protect_forget_previous(ends[0]);
        stt_protect_forget_previous(ends[1]);
    }
    end();
}
END_TEST

START_TEST(update_is_not_allowed_before_a_packet_of_the_epoch_is_acknowledged)
{
    begin(stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, 0));
    ck_assert_int_eq(passes(ends[0], ends[1], 10), STT_PROTECT_OPENED);
    ck_assert(!stt_protect_may_update(ends[0]));
    ck_assert(dies(update, ends[0]));
    stt_protect_on_acked(ends[0], 11); /* was never sent */
    ck_assert(!stt_protect_may_update(ends[0]));
    stt_protect_on_acked(ends[0], 10);
    ck_assert(stt_protect_may_update(ends[0]));
    stt_protect_on_ack_sent(ends[1], 10);

    stt_protect_update(ends[0]);
    ck_assert(!stt_protect_may_update(ends[0]));
    ck_assert_int_eq(passes(ends[0], ends[1], 20), STT_PROTECT_OPENED);
    stt_protect_on_acked(ends[0], 10); /* of the epoch before */
    ck_assert(!stt_protect_may_update(ends[0]));
    ck_assert(!stt_protect_may_update(ends[1])); /* who followed has no acknowledgement either */
    stt_protect_on_acked(ends[0], 20);
    ck_assert(stt_protect_may_update(ends[0]));
    end();
}
END_TEST

START_TEST(update_before_an_acknowledgement_was_sent_is_the_peers_fault)
{
    begin_settled();
    stt_protect_update(ends[0]);
    ck_assert_int_eq(passes(ends[0], ends[1], 20), STT_PROTECT_OPENED);
    ends[0]->is_confirmed = true; /* which it cannot be */
    stt_protect_update(ends[0]);
    struct packet packet = sealed(ends[0], 30);
    ck_assert_int_eq(arrives(ends[1], &packet), STT_PROTECT_KEY_UPDATE);
    ck_assert_uint_eq(ends[1]->keys.number, 1);
    stt_protect_on_ack_sent(ends[1], 10); /* of a packet of the epoch before */
    ck_assert_int_eq(arrives(ends[1], &packet), STT_PROTECT_KEY_UPDATE);
    stt_protect_on_ack_sent(ends[1], 20);
    ck_assert_int_eq(arrives(ends[1], &packet), STT_PROTECT_OPENED);
    end();
}
END_TEST

START_TEST(update_from_both_sides_at_once_is_one_update)
{
    begin_settled();
    stt_protect_update(ends[0]);
    stt_protect_update(ends[1]);
    for (int d = 0; d < 2; d++) {
        struct packet packet = sealed(ends[d], 20);
        struct stt_protect_opened opened = open_one(ends[!d], packet.data, packet.len);
        ck_assert_int_eq(opened.result, STT_PROTECT_OPENED);
        ck_assert(!opened.began_epoch);
    }
    ck_assert_uint_eq(ends[0]->keys.number, 1);
    ck_assert_uint_eq(ends[1]->keys.number, 1);
    end();
}
END_TEST

START_TEST(update_old_key_opens_only_what_lies_below_the_new_epoch)
{
    begin_settled();
    struct stt_protect *twin = new_end(ends[0]->keys.suite, STT_TO_RESPONDER);
    struct packet below = sealed(twin, 19), above = sealed(twin, 21); /* both in epoch 0 */
    stt_protect_update(ends[0]);
    ck_assert_int_eq(passes(ends[0], ends[1], 20), STT_PROTECT_OPENED);
    ck_assert_int_eq(arrives(ends[1], &above), STT_PROTECT_FORGED); /* the next epoch's key */
    stt_protect_forget_previous(ends[1]);
    ck_assert_int_eq(arrives(ends[1], &below), STT_PROTECT_NO_KEY);
    free(twin);
    end();
}
END_TEST

START_TEST(update_in_the_middle_of_a_train_is_seen_where_it_is)
{
    begin_settled();
    const size_t len = 49;
    uint8_t data[5 * 49];
    seal_one(ends[0], 20, 20, data);
    seal_one(ends[0], 21, 20, data + 3 * len); /* arrives behind the update */
    stt_protect_update(ends[0]);
    seal_one(ends[0], 22, 20, data + len);
    seal_one(ends[0], 23, 20, data + 2 * len);
    seal_one(ends[0], 24, 20, data + 4 * len);
    struct stt_protect_opened opened[5];
    static const uint64_t numbers[] = {20, 22, 23, 21, 24};
    stt_protect_open(ends[1], (struct stt_protect_train){data, sizeof data, len}, opened);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(opened[i].result, STT_PROTECT_OPENED);
        ck_assert_uint_eq(opened[i].number, numbers[i]);
        ck_assert_int_eq(opened[i].began_epoch, i == 1);
        ck_assert_uint_eq(opened[i].payload.data[0], numbers[i]);
    }
    end();
}
END_TEST

START_TEST(rekey_secrets_take_the_place_of_the_next_epochs)
{
    const uint8_t secrets[2][32] = {{9}, {8}};
    begin_settled();
    for (int d = 0; d < 2; d++)
        stt_protect_install(ends[d], secrets);
    struct stt_protect *outsider = new_end(ends[0]->keys.suite, STT_TO_INITIATOR);
    settle(20); /* still in epoch 0 */
    outsider->keys.lowest_opened = 10;
    outsider->has_acknowledged = true;
    stt_protect_update(ends[0]);
    struct packet packet = sealed(ends[0], 30);
    ck_assert_int_eq(arrives(outsider, &packet), STT_PROTECT_FORGED);
    ck_assert_int_eq(arrives(ends[1], &packet), STT_PROTECT_OPENED);
    ck_assert_int_eq(passes(ends[1], ends[0], 30), STT_PROTECT_OPENED);
    ck_assert_uint_eq(ends[1]->keys.number, 1);
    free(outsider);
    end();
}
END_TEST

START_TEST(protect_is_small)
{
    for (size_t i = 0; stt_aead_at(i); i++) {
        bool is_gcm = stt_aead_at(i)->id == STT_AEAD_AES_256_GCM;
        ck_assert_uint_le(stt_protect_bytes(stt_aead_at(i)), is_gcm ? 2560 : 1024);
    }
}
END_TEST

START_TEST(protect_is_tested_with_every_implementation)
{
    ck_assert_ptr_null(stt_aead_at(IMPLEMENTATIONS));
}
END_TEST

SUITE("protect", LOOP(protect_agrees_with_the_vectors, 0, IMPLEMENTATIONS),
      LOOP(protect_carries_trains_of_any_length_both_ways, 0, IMPLEMENTATIONS),
      LOOP(protect_judges_each_packet_of_a_train_on_its_own, 0, IMPLEMENTATIONS),
      LOOP(protect_refuses_every_flipped_bit_and_changes_nothing, 0, IMPLEMENTATIONS),
      LOOP(protect_refuses_every_cut_packet, 0, IMPLEMENTATIONS),
      TEST(protect_opens_in_any_order_and_once), TEST(protect_ends_when_too_many_opens_have_failed),
      TEST(protect_never_seals_a_number_twice), TEST(protect_stops_on_a_train_that_does_not_fit),
      TEST(protect_stops_at_the_limit_of_a_key_until_the_next),
      LOOP(update_is_followed_and_old_packets_still_open, 0, IMPLEMENTATIONS),
      TEST(update_is_not_allowed_before_a_packet_of_the_epoch_is_acknowledged),
      TEST(update_before_an_acknowledgement_was_sent_is_the_peers_fault),
      TEST(update_from_both_sides_at_once_is_one_update),
      TEST(update_old_key_opens_only_what_lies_below_the_new_epoch),
      TEST(update_in_the_middle_of_a_train_is_seen_where_it_is),
      TEST(rekey_secrets_take_the_place_of_the_next_epochs), TEST(protect_is_small),
      TEST(protect_is_tested_with_every_implementation))
