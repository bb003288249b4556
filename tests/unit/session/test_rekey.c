/* SPDX-License-Identifier: MIT
 * One exchange after another between two ends of a session, against spec/vectors/rekey.json and
 * against all that can come in its place. */
#include "stt/session/rekey.h"

#include "crypto/cpu.h"
#include "stt/base/env.h"
#include "stt/wire/limits.h"
#include "tests/support/dies.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

#include <stdlib.h>

enum { SUITES = 4, OFFERS = 53, INITIATOR = 0, RESPONDER = 1 };

static json_t *file;
static const struct stt_aead_suite *suite;

/* One side of the session. */
struct side {
    struct stt_protect *protect;
    struct stt_noise_keypair own;
    uint8_t h[STT_KEYS_H_BYTES];
    struct stt_rekey x;
};
static struct side sides[2];

#define ck_assert_bytes_eq(a, b) ck_assert(bytes_equal(a, b))

/* -- a session --------------------------------------------------------------------------------- */

static void side_begin(struct side *side, enum stt_direction send)
{
    struct bytes statics[2];
    uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES];
    vector_list(file, "static_secrets", statics, 2);
    memcpy(secrets[0], vector_bytes(file, "k1").data, STT_SECRET_BYTES);
    memcpy(secrets[1], vector_bytes(file, "k2").data, STT_SECRET_BYTES);
    memset(side, 0, sizeof *side);
    side->protect = aligned_alloc(64, (stt_protect_bytes(suite) + 63) / 64 * 64);
    ck_assert_ptr_nonnull(side->protect);
    stt_protect_init(side->protect, suite, send, (const uint8_t(*)[STT_SECRET_BYTES])secrets);
    stt_noise_keypair_init(&side->own, statics[send].data);
    memcpy(side->h, vector_bytes(file, "h").data, sizeof side->h);
}

/* False where this processor lacks the suite. */
static bool begin(const char *name)
{
    file = vector_file("rekey.json");
    suite = stt_aead_by_name(name, stt_cpu_detect());
    for (int i = 0; suite && i < 2; i++)
        side_begin(&sides[i], (enum stt_direction)i);
    return suite != NULL;
}

static void end(void)
{
    for (int i = 0; suite && i < 2; i++)
        free(sides[i].protect);
    json_decref(file);
}

static struct stt_rekey_with with(int who)
{
    return (struct stt_rekey_with){.protect = sides[who].protect,
                                   .own = &sides[who].own,
                                   .peer = sides[!who].own.public_key,
                                   .h = sides[who].h};
}

/* Something of the current epoch has been acknowledged, either way. */
static void settle(void)
{
    for (int i = 0; i < 2; i++)
        sides[i].protect->is_confirmed = sides[i].protect->has_acknowledged = true;
}

static bool create_1(const uint8_t ephemeral[32])
{
    struct stt_rekey_with w = with(INITIATOR);
    return stt_rekey_create_1(&sides[INITIATOR].x, &w, ephemeral);
}

static bool consume_1(struct bytes message, const uint8_t ephemeral[32])
{
    struct stt_rekey_with w = with(RESPONDER);
    return stt_rekey_consume_1(&sides[RESPONDER].x, &w, message, ephemeral);
}

static bool consume_2(struct bytes message)
{
    struct side *one = &sides[INITIATOR];
    if (!stt_rekey_consume_2(&one->x, one->protect, message))
        return false;
    memcpy(one->h, one->x.h, sizeof one->h);
    return true;
}

/* The responder follows, as when a packet opens. */
static void follow(void)
{
    struct side *two = &sides[RESPONDER];
    settle();
    stt_protect_update(two->protect);
    memcpy(two->h, two->x.h, sizeof two->h);
    for (int i = 0; i < 2; i++)
        stt_env_wipe(&sides[i].x, sizeof sides[i].x);
}

static const uint8_t some[32] = {1, 2, 3}, other[32] = {4, 5, 6};

static struct bytes message_of(int who)
{
    return BYTES(sides[who].x.message);
}

static void begin_any(void)
{
    ck_assert(begin("chacha20-poly1305"));
    settle();
}

/* -- vectors ----------------------------------------------------------------------------------- */

static void packet_is_that_of(const json_t *packet)
{
    uint8_t out[2048];
    struct bytes ids[2], frames = vector_bytes(packet, "frames");
    unsigned d = (unsigned)vector_number(packet, "direction");
    struct stt_protect *from = sides[d].protect, *to = sides[!d].protect;
    vector_list(file, "session_ids", ids, 2);
    ck_assert_uint_eq(from->keys.number, vector_number(packet, "epoch"));
    struct stt_protect_plain plain = {.number = vector_number(packet, "number"),
                                      .session_id = ids[!d].data,
                                      .parts = &frames,
                                      .parts_len = 1};
    size_t len = frames.len + STT_PROTECT_OVERHEAD_BYTES;
    struct stt_protect_train train = {out, len, len};
    ck_assert_uint_eq(stt_protect_seal(from, &plain, 1, train), len);
    ck_assert_bytes_eq(bytes_of(out, len), vector_bytes(packet, "datagram"));
    struct stt_protect_opened opened;
    stt_protect_open(to, train, &opened);
    ck_assert_int_eq(opened.result, STT_PROTECT_OPENED);
    ck_assert_bytes_eq(opened.payload, frames);
    stt_protect_on_ack_sent(to, opened.number);
    stt_protect_on_acked(from, opened.number);
}

static void packets_are_those_of(const json_t *object, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        packet_is_that_of(json_array_get(vector_of(object, "packets"), i));
}

static void frame_is_that_of(unsigned stage, uint64_t epoch, struct bytes noise, struct bytes frame)
{
    uint8_t out[128];
    struct wr w = wr_init(out, sizeof out);
    ck_assert(stt_frame_rekey_encode(
        &w, &(struct frame_rekey){.stage = (uint8_t)stage, .epoch = epoch, .noise = noise}));
    ck_assert_bytes_eq(wr_done(&w), frame);
}

static void exchange_is_that_of(const json_t *epoch)
{
    struct bytes secrets[2], messages[2], frames[2];
    uint64_t number = vector_number(epoch, "epoch");
    vector_list(epoch, "ephemeral_secrets", secrets, 2);
    vector_list(epoch, "messages", messages, 2);
    vector_list(epoch, "frames", frames, 2);
    ck_assert(create_1(secrets[0].data));
    ck_assert_bytes_eq(message_of(INITIATOR), messages[0]);
    frame_is_that_of(1, number, messages[0], frames[0]);
    packets_are_those_of(epoch, 0, 1);
    ck_assert(consume_1(messages[0], secrets[1].data));
    ck_assert_bytes_eq(message_of(RESPONDER), messages[1]);
    frame_is_that_of(2, number, messages[1], frames[1]);
    packets_are_those_of(epoch, 1, 2);
    ck_assert(consume_2(messages[1]));
    packets_are_those_of(epoch, 2, 3); /* with which the responder follows */
    memcpy(sides[RESPONDER].h, sides[RESPONDER].x.h, STT_KEYS_H_BYTES);
    packets_are_those_of(epoch, 3, 4);
}

static void update_is_that_of(const json_t *epoch)
{
    stt_protect_update(sides[INITIATOR].protect);
    packets_are_those_of(epoch, 0, 2);
}

static void epoch_is_that_of(const struct side *side, const json_t *epoch)
{
    const struct stt_keys *keys = &side->protect->keys;
    struct bytes secret[2], key[2], iv[2];
    uint8_t exporter[STT_EXPORTER_BYTES];
    vector_list(epoch, "secret", secret, 2);
    vector_list(epoch, "key", key, 2);
    vector_list(epoch, "iv", iv, 2);
    ck_assert_uint_eq(keys->number, vector_number(epoch, "epoch"));
    for (int d = 0; d < 2; d++) {
        ck_assert_bytes_eq(BYTES(keys->current.secret[d]), secret[d]);
        ck_assert_mem_eq(keys->current.packet[d].key, key[d].data, key[d].len);
        ck_assert_mem_eq(keys->current.packet[d].iv, iv[d].data, iv[d].len);
    }
    ck_assert_bytes_eq(BYTES(side->h), vector_bytes(epoch, "h"));
    stt_keys_exporter(exporter, keys, side->h);
    ck_assert_bytes_eq(BYTES(exporter), vector_bytes(epoch, "exporter"));
}

START_TEST(a_session_is_rekeyed_and_updated_as_in_the_vectors)
{
    json_t *all = vector_file("rekey.json");
    const json_t *session = json_array_get(vector_of(all, "sessions"), (size_t)_i);
    if (begin(vector_text(session, "suite"))) {
        json_t *epoch;
        size_t i;
        packets_are_those_of(session, 0, 2);
        json_array_foreach(vector_of(session, "epochs"), i, epoch)
        {
            if (strcmp(vector_text(epoch, "begun_by"), "rekey") == 0)
                exchange_is_that_of(epoch);
            else
                update_is_that_of(epoch);
            epoch_is_that_of(&sides[INITIATOR], epoch);
            epoch_is_that_of(&sides[RESPONDER], epoch);
        }
        ck_assert_uint_eq(i, 7);
    }
    end();
    json_decref(all);
}
END_TEST

/* What an end has of keys, and what x holds. */
static void remember(const struct side *side, struct side *copy)
{
    *copy = *side;
    copy->protect = malloc(stt_protect_bytes(suite));
    ck_assert_ptr_nonnull(copy->protect);
    memcpy(copy->protect, side->protect, stt_protect_bytes(suite));
}

static void require_keys(const struct side *side, struct side *copy)
{
    ck_assert_mem_eq(side->protect, copy->protect, stt_protect_bytes(suite));
    ck_assert_mem_eq(side->h, copy->h, sizeof side->h);
    free(copy->protect);
}

START_TEST(messages_are_judged_as_in_the_vectors_and_what_is_refused_changes_nothing)
{
    struct bytes ephemerals[2], messages[2];
    begin_any();
    const json_t *judged = vector_of(file, "judged");
    const json_t *offer = json_array_get(vector_of(judged, "offers"), (size_t)_i);
    ck_assert_uint_eq(json_array_size(vector_of(judged, "offers")), OFFERS);
    vector_list(judged, "ephemeral_secrets", ephemerals, 2);
    vector_list(judged, "messages", messages, 2);
    for (int i = 0; i < 2; i++)
        stt_protect_update(sides[i].protect);
    settle();
    ck_assert(create_1(ephemerals[0].data));
    ck_assert_bytes_eq(message_of(INITIATOR), messages[0]);
    bool is_first = vector_number(offer, "stage") == 1;
    bool is_good = strcmp(vector_text(offer, "verdict"), "accepted") == 0;
    struct side *to = &sides[is_first ? RESPONDER : INITIATOR], before;
    struct bytes message = vector_bytes(offer, "message");
    remember(to, &before);
    bool ok = is_first ? consume_1(message, ephemerals[1].data) : consume_2(message);
    ck_assert_msg(ok == is_good, "stage %s, %s", is_first ? "1" : "2", vector_text(offer, "what"));
    if (ok) {
        free(before.protect);
    } else {
        ck_assert(is_first || memcmp(&to->x, &before.x, sizeof to->x) == 0);
        require_keys(to, &before);
    }
    end();
}
END_TEST

/* -- refusals ---------------------------------------------------------------------------------- */

START_TEST(every_flipped_bit_of_a_message_is_refused_and_the_true_one_still_taken)
{
    uint8_t bad[STT_REKEY_NOISE_BYTES];
    begin_any();
    ck_assert(create_1(some));
    for (size_t bit = 0; bit < 8 * sizeof bad; bit++) {
        memcpy(bad, message_of(INITIATOR).data, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert(!consume_1(BYTES(bad), other));
    }
    ck_assert(consume_1(message_of(INITIATOR), other));
    for (size_t bit = 0; bit < 8 * sizeof bad; bit++) {
        memcpy(bad, message_of(RESPONDER).data, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert(!consume_2(BYTES(bad)));
    }
    ck_assert(consume_2(message_of(RESPONDER)));
    end();
}
END_TEST

START_TEST(ones_own_static_or_ephemeral_key_is_refused)
{
    begin_any();
    ck_assert(create_1(some));
    struct bytes first = message_of(INITIATOR);
    ck_assert(!consume_1(first, some)); /* the responder would send the same key */
    ck_assert(!consume_2(first));
    sides[RESPONDER].own = sides[INITIATOR].own;
    ck_assert(!create_1(some));
    ck_assert(!consume_1(first, other));
    end();
}
END_TEST

START_TEST(a_message_of_another_epoch_or_session_does_not_verify)
{
    begin_any();
    ck_assert(create_1(some));
    uint8_t first[STT_REKEY_NOISE_BYTES];
    memcpy(first, sides[INITIATOR].x.message, sizeof first);
    for (int i = 0; i < 2; i++)
        stt_protect_update(sides[i].protect);
    settle();
    ck_assert(!consume_1(BYTES(first), other)); /* an epoch later */
    sides[RESPONDER].h[63] ^= 1;
    ck_assert(create_1(some));
    ck_assert(!consume_1(message_of(INITIATOR), other)); /* another handshake */
    sides[RESPONDER].h[63] ^= 1;
    ck_assert(consume_1(message_of(INITIATOR), other));
    end();
}
END_TEST

static void create_too_early(void *arg)
{
    (void)arg;
    (void)!create_1(some);
}

START_TEST(stage_1_is_not_made_before_a_packet_of_the_epoch_was_acknowledged)
{
    begin_any();
    sides[INITIATOR].protect->is_confirmed = false;
    ck_assert(dies(create_too_early, NULL));
    end();
}
END_TEST

/* -- secrets ----------------------------------------------------------------------------------- */

static bool holds(const void *memory, size_t len, const void *what)
{
    return memmem(memory, len, what, 32) != NULL;
}

START_TEST(no_secret_of_an_exchange_outlives_it)
{
    uint8_t psk[STT_EXPORTER_BYTES];
    begin_any();
    struct side *one = &sides[INITIATOR], *two = &sides[RESPONDER];
    stt_keys_exporter(psk, &one->protect->keys, one->h);
    ck_assert(create_1(some));
    ck_assert(!holds(&one->x, sizeof one->x, psk)); /* used */
    ck_assert(holds(&one->x, sizeof one->x, some)); /* until stage 2 has come */
    ck_assert(consume_1(message_of(INITIATOR), other));
    ck_assert(!holds(&two->x, sizeof two->x, psk));
    ck_assert(!holds(&two->x, sizeof two->x, other));
    for (int d = 0; d < 2; d++)
        ck_assert(!holds(&two->x, sizeof two->x, two->protect->keys.next.secret[d]));
    ck_assert(bytes_all_zero(bytes_of(&two->x.noise, sizeof two->x.noise)));
    ck_assert(consume_2(message_of(RESPONDER)));
    ck_assert(bytes_all_zero(bytes_of(&one->x.noise, sizeof one->x.noise)));
    end();
}
END_TEST

START_TEST(secrets_of_an_update_that_rekey_replaces_are_gone)
{
    uint8_t updated[2][32];
    begin_any();
    struct stt_protect *p = sides[RESPONDER].protect;
    memcpy(updated, p->keys.next.secret, sizeof updated);
    ck_assert(create_1(some) && consume_1(message_of(INITIATOR), other));
    for (int d = 0; d < 2; d++)
        ck_assert(!holds(p, stt_protect_bytes(suite), updated[d]));
    ck_assert(consume_2(message_of(RESPONDER)));
    follow();
    ck_assert_mem_eq(sides[0].protect->keys.current.secret, p->keys.current.secret,
                     sizeof p->keys.current.secret);
    end();
}
END_TEST

START_TEST(who_knows_all_keys_of_an_epoch_does_not_know_those_behind_a_rekey)
{
    begin_any();
    struct side thief;
    ck_assert(create_1(some) && consume_1(message_of(INITIATOR), other));
    remember(&sides[INITIATOR], &thief); /* but for the ephemeral key */
    memset(thief.x.noise.e.secret_key, 7, sizeof thief.x.noise.e.secret_key);
    ck_assert(!stt_rekey_consume_2(&thief.x, thief.protect, message_of(RESPONDER)));
    free(thief.protect);
    end();
}
END_TEST

/* -- frames ------------------------------------------------------------------------------------ */

static enum stt_rekey_verdict judge(int who, bool runs, unsigned stage, uint64_t epoch,
                                    struct bytes noise)
{
    const struct side *side = &sides[who];
    return stt_rekey_judge(
        runs ? &side->x : NULL, who == INITIATOR, side->protect->keys.number,
        &(struct frame_rekey){.stage = (uint8_t)stage, .epoch = epoch, .noise = noise});
}

START_TEST(a_stage_from_the_wrong_side_is_unexpected_in_every_epoch)
{
    begin_any();
    for (uint64_t epoch = 0; epoch < 4; epoch++)
        for (int runs = 0; runs < 2; runs++) {
            ck_assert_int_eq(judge(INITIATOR, runs, 1, epoch, BYTES_NONE), STT_REKEY_UNEXPECTED);
            ck_assert_int_eq(judge(RESPONDER, runs, 2, epoch, BYTES_NONE), STT_REKEY_UNEXPECTED);
        }
    end();
}
END_TEST

START_TEST(a_stage_of_another_epoch_is_ignored)
{
    static const uint64_t epochs[] = {0, 2, 3, UINT64_MAX / 4};
    begin_any();
    ck_assert(create_1(some) && consume_1(message_of(INITIATOR), other));
    for (size_t i = 0; i < sizeof epochs / sizeof epochs[0]; i++)
        for (int runs = 0; runs < 2; runs++) {
            ck_assert_int_eq(judge(INITIATOR, runs, 2, epochs[i], message_of(RESPONDER)),
                             STT_REKEY_IGNORE);
            ck_assert_int_eq(judge(RESPONDER, runs, 1, epochs[i], message_of(INITIATOR)),
                             STT_REKEY_IGNORE);
        }
    end();
}
END_TEST

START_TEST(a_copy_of_the_answered_stage_is_answered_and_any_other_is_bad)
{
    uint8_t long_one[STT_REKEY_NOISE_BYTES + 1] = {0};
    begin_any();
    ck_assert(create_1(some));
    struct bytes first = message_of(INITIATOR);
    memcpy(long_one, first.data, first.len);
    ck_assert_int_eq(judge(RESPONDER, false, 1, 1, first), STT_REKEY_CONSUME);
    ck_assert(consume_1(first, other));
    ck_assert_int_eq(judge(RESPONDER, true, 1, 1, first), STT_REKEY_AGAIN);
    ck_assert_int_eq(judge(RESPONDER, true, 1, 1, bytes_of(first.data, first.len - 1)),
                     STT_REKEY_BAD);
    ck_assert_int_eq(judge(RESPONDER, true, 1, 1, BYTES(long_one)), STT_REKEY_BAD);
    ck_assert(create_1(other));
    ck_assert_int_eq(judge(RESPONDER, true, 1, 1, message_of(INITIATOR)), STT_REKEY_BAD);
    end();
}
END_TEST

START_TEST(stage_2_is_taken_only_while_it_is_awaited)
{
    begin_any();
    ck_assert(create_1(some) && consume_1(message_of(INITIATOR), other));
    struct bytes second = message_of(RESPONDER);
    ck_assert_int_eq(judge(INITIATOR, false, 2, 1, second), STT_REKEY_UNEXPECTED);
    ck_assert_int_eq(judge(INITIATOR, true, 2, 1, second), STT_REKEY_CONSUME);
    stt_protect_update(sides[INITIATOR].protect); /* an update has crossed */
    ck_assert_int_eq(judge(INITIATOR, true, 2, 1, second), STT_REKEY_IGNORE);
    ck_assert_int_eq(judge(INITIATOR, true, 2, 2, second), STT_REKEY_BAD);
    end();
}
END_TEST

/* -- when -------------------------------------------------------------------------------------- */

START_TEST(one_is_due_after_the_time_and_one_of_the_two_uses)
{
    const struct stt_rekey_use then = {.bytes = 5000, .packets = 70};
    const stt_ns at = STT_S(7), due = at + STT_REKEY_AFTER_NS;
    struct stt_rekey_use enough[] = {{then.bytes + STT_REKEY_AFTER_BYTES, then.packets},
                                     {then.bytes, then.packets + STT_REKEY_AFTER_PACKETS}};
    struct stt_rekey_clock c;
    stt_rekey_clock_start(&c, at, &then, true);
    for (int i = 0; i < 2; i++) {
        struct stt_rekey_use less = enough[i];
        less.bytes -= i == 0;
        less.packets -= i == 1;
        ck_assert(stt_rekey_is_due(&c, due, &enough[i]));
        ck_assert(stt_rekey_is_due(&c, due + STT_S(1000), &enough[i]));
        ck_assert(!stt_rekey_is_due(&c, due - 1, &enough[i]));
        ck_assert(!stt_rekey_is_due(&c, due + STT_S(1000), &less));
    }
    c.idle.packets++; /* a PING */
    ck_assert(!stt_rekey_is_due(&c, due, &enough[1]));
}
END_TEST

START_TEST(the_responder_knows_who_is_early)
{
    const struct stt_rekey_use none = {0};
    struct stt_rekey_clock c;
    stt_rekey_clock_start(&c, STT_S(7), &none, false);
    ck_assert(stt_rekey_is_early(&c, STT_S(7)));
    ck_assert(stt_rekey_is_early(&c, STT_S(7) + STT_REKEY_EARLIEST_NS - 1));
    ck_assert(!stt_rekey_is_early(&c, STT_S(7) + STT_REKEY_EARLIEST_NS));
}
END_TEST

SUITE("rekey", LOOP(a_session_is_rekeyed_and_updated_as_in_the_vectors, 0, SUITES),
      LOOP(messages_are_judged_as_in_the_vectors_and_what_is_refused_changes_nothing, 0, OFFERS),
      TEST(every_flipped_bit_of_a_message_is_refused_and_the_true_one_still_taken),
      TEST(ones_own_static_or_ephemeral_key_is_refused),
      TEST(a_message_of_another_epoch_or_session_does_not_verify),
      TEST(stage_1_is_not_made_before_a_packet_of_the_epoch_was_acknowledged),
      TEST(no_secret_of_an_exchange_outlives_it),
      TEST(secrets_of_an_update_that_rekey_replaces_are_gone),
      TEST(who_knows_all_keys_of_an_epoch_does_not_know_those_behind_a_rekey),
      TEST(a_stage_from_the_wrong_side_is_unexpected_in_every_epoch),
      TEST(a_stage_of_another_epoch_is_ignored),
      TEST(a_copy_of_the_answered_stage_is_answered_and_any_other_is_bad),
      TEST(stage_2_is_taken_only_while_it_is_awaited),
      TEST(one_is_due_after_the_time_and_one_of_the_two_uses),
      TEST(the_responder_knows_who_is_early))
