/* SPDX-License-Identifier: MIT
 * protect: owns the cipher states of a session, its replay window and its counts of packets.
 *
 *     | byte 0 | session id 8 | number 4 | ciphertext ..., tag 16 |
 *       ^^^^^^                  ^^^^^^^^   ^^^^^^^^^^^^^^^^^^ sample: the first 16
 *        masked                  masked
 *
 * Invariants: sealed numbers ascend; a packet is opened with the one key that phase and number
 * select, never by trying; the window and the epoch move only for a packet that has opened. Only
 * the current epoch has expanded keys: the others are expanded for the few packets that need them.
 * It must not know frames, sessions or time. Spec 02, "Protected packets",
 * "Packet number", "Nonce and associated data", "Masking", "Opening". */
#include "crypto/protect.h"

#include "stt/base/env.h"
#include "stt/base/number.h"

#include <assert.h>

enum {
    BATCH = 32, /* packets that are worked on together */
    NUMBER_AT = 9,
    PHASE_BIT = 0x01,
    RESERVED_BITS = 0x7e,
    MASKED_BITS = 0x7f,
};

static size_t aligned(size_t bytes)
{
    return (bytes + STT_AEAD_STATE_ALIGN - 1) / STT_AEAD_STATE_ALIGN * STT_AEAD_STATE_ALIGN;
}

static uint8_t *key_state(struct stt_protect *p, enum stt_direction d)
{
    return p->states + (size_t)d * aligned(p->keys.suite->state_bytes);
}

static uint8_t *mask_state(struct stt_protect *p, enum stt_direction d)
{
    return p->states + 2 * aligned(p->keys.suite->state_bytes) +
           (size_t)d * aligned(p->keys.suite->mask_state_bytes);
}

size_t stt_protect_bytes(const struct stt_aead_suite *suite)
{
    return sizeof(struct stt_protect) + 2 * aligned(suite->state_bytes) +
           2 * aligned(suite->mask_state_bytes);
}

static void expand_keys(struct stt_protect *p)
{
    for (enum stt_direction d = 0; d < STT_DIRECTIONS; d++)
        p->keys.suite->init(key_state(p, d), p->keys.current.packet[d].key);
}

void stt_protect_init(struct stt_protect *p, const struct stt_aead_suite *suite,
                      enum stt_direction send,
                      const uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES])
{
    *p = (struct stt_protect){.replay = STT_REPLAY_INIT};
    stt_keys_init(&p->keys, suite, send, secrets);
    expand_keys(p);
    for (enum stt_direction d = 0; d < STT_DIRECTIONS; d++) {
        uint8_t key[STT_AEAD_KEY_MAX];
        stt_keys_mask_key(key, &p->keys, d);
        suite->mask_init(mask_state(p, d), key);
        stt_env_wipe(key, sizeof key);
    }
}

/* -- epochs -- */

static void advance(struct stt_protect *p)
{
    stt_keys_advance(&p->keys);
    expand_keys(p);
    p->epoch_number = p->next_number;
    p->sealed = 0;
    p->is_confirmed = p->has_acknowledged = false;
}

void stt_protect_update(struct stt_protect *p)
{
    assert(stt_protect_may_update(p));
    advance(p);
}

void stt_protect_install(struct stt_protect *p,
                         const uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES])
{
    stt_keys_install(&p->keys, secrets);
}

void stt_protect_forget_previous(struct stt_protect *p)
{
    stt_keys_forget_previous(&p->keys);
}

void stt_protect_on_acked(struct stt_protect *p, uint64_t number)
{
    p->is_confirmed |= number >= p->epoch_number && number < p->next_number;
}

void stt_protect_on_ack_sent(struct stt_protect *p, uint64_t largest)
{
    p->has_acknowledged |= largest >= p->keys.lowest_opened;
}

/* -- trains and headers -- */

static size_t segment_bytes(struct stt_protect_train train, size_t i)
{
    size_t left = train.len - i * train.segment_bytes;
    return left < train.segment_bytes ? left : train.segment_bytes;
}

static void skip(struct stt_protect_train *train, size_t n)
{
    size_t bytes = n * train->segment_bytes;
    if (bytes > train->len)
        bytes = train->len;
    train->data += bytes;
    train->len -= bytes;
}

static void make_nonce(uint8_t nonce[STT_AEAD_NONCE_MAX], const struct stt_aead_suite *suite,
                       const struct stt_packet_key *key, uint64_t number)
{
    memcpy(nonce, key->iv, STT_AEAD_NONCE_MAX);
    uint8_t *end = nonce + suite->nonce_bytes - sizeof number;
    be64_store(end, be64_load(end) ^ number);
}

/* Masks, or unmasks, the headers of n packets. */
static void mask(struct stt_protect *p, enum stt_direction d, struct stt_protect_train train,
                 size_t n)
{
    uint8_t masks[BATCH][STT_AEAD_MASK_BYTES];
    p->keys.suite->mask(mask_state(p, d), train.data + STT_PROTECT_HEADER_BYTES,
                        train.segment_bytes, n, masks);
    for (size_t i = 0; i < n; i++) {
        uint8_t *at = train.data + i * train.segment_bytes;
        at[0] ^= masks[i][0] & MASKED_BITS;
        be32_store(at + NUMBER_AT, be32_load(at + NUMBER_AT) ^ be32_load(masks[i] + 1));
    }
}

/* -- sealing -- */

static size_t packet_bytes(const struct stt_protect_plain *plain)
{
    size_t bytes = STT_PROTECT_OVERHEAD_BYTES;
    for (size_t i = 0; i < plain->parts_len; i++)
        bytes += plain->parts[i].len;
    return bytes;
}

static void write_header(struct stt_protect *p, const struct stt_protect_plain *plain, uint8_t *at)
{
    assert(plain->number >= p->next_number && plain->number < STT_NUMBER_END);
    p->next_number = plain->number + 1;
    at[0] = (uint8_t)stt_keys_phase(&p->keys);
    memcpy(at + 1, plain->session_id, 8);
    be32_store(at + NUMBER_AT, (uint32_t)plain->number);
}

static void seal_batch(struct stt_protect *p, const struct stt_protect_plain *packets, size_t n,
                       struct stt_protect_train to)
{
    const struct stt_aead_suite *suite = p->keys.suite;
    enum stt_direction d = p->keys.send;
    struct stt_aead_plain plain[BATCH];
    uint8_t nonces[BATCH][STT_AEAD_NONCE_MAX];
    for (size_t i = 0; i < n; i++) {
        uint8_t *at = to.data + i * to.segment_bytes;
        write_header(p, &packets[i], at);
        make_nonce(nonces[i], suite, &p->keys.current.packet[d], packets[i].number);
        plain[i] = (struct stt_aead_plain){
            .nonce = nonces[i],
            .ad = bytes_of(at, STT_PROTECT_HEADER_BYTES),
            .parts = packets[i].parts,
            .parts_len = packets[i].parts_len,
            .out = at + STT_PROTECT_HEADER_BYTES,
        };
    }
    suite->seal(key_state(p, d), plain, n);
    mask(p, d, to, n);
}

size_t stt_protect_seal(struct stt_protect *p, const struct stt_protect_plain *packets, size_t n,
                        struct stt_protect_train to)
{
    assert(n <= stt_protect_sealable(p));
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        assert(bytes == i * to.segment_bytes); /* those before fill their segments */
        bytes += packet_bytes(&packets[i]);
        assert(bytes <= (i + 1) * to.segment_bytes && bytes <= to.len);
    }
    p->sealed += n;
    for (size_t batch; n > 0; n -= batch) {
        batch = n < BATCH ? n : BATCH;
        seal_batch(p, packets, batch, to);
        packets += batch;
        skip(&to, batch);
    }
    return bytes;
}

/* -- opening -- */

static void refuse(struct stt_protect_opened *opened, enum stt_protect_result result)
{
    opened->result = result;
    opened->began_epoch = false;
    opened->payload = BYTES_NONE;
}

static bool is_exhausted(const struct stt_protect *p)
{
    return p->failed >= p->keys.suite->max_failed_opens;
}

static void accept(struct stt_protect *p, enum stt_keys_choice choice,
                   const struct stt_aead_sealed *sealed, struct stt_protect_opened *opened)
{
    if (choice == STT_KEYS_NEXT)
        advance(p);
    stt_replay_record(&p->replay, opened->number);
    if (choice != STT_KEYS_PREVIOUS && opened->number < p->keys.lowest_opened)
        p->keys.lowest_opened = opened->number;

    opened->began_epoch = choice == STT_KEYS_NEXT;
    opened->payload = bytes_of(sealed->data, sealed->len - STT_AEAD_TAG_BYTES);
    bool is_good = opened->payload.len > 0 && !(sealed->ad.data[0] & RESERVED_BITS);
    opened->result = is_good ? STT_PROTECT_OPENED : STT_PROTECT_VIOLATION;
}

/* Steps 5 and 6 of "Opening", once the cipher has answered. */
static void judge(struct stt_protect *p, enum stt_keys_choice choice,
                  const struct stt_aead_sealed *sealed, struct stt_protect_opened *opened)
{
    if (is_exhausted(p))
        refuse(opened, STT_PROTECT_EXHAUSTED);
    else if (!sealed->is_open)
        refuse(opened, ++p->failed && is_exhausted(p) ? STT_PROTECT_EXHAUSTED : STT_PROTECT_FORGED);
    else if (!stt_replay_is_fresh(&p->replay, opened->number))
        refuse(opened, STT_PROTECT_REPLAYED);
    else if (choice == STT_KEYS_NEXT && !p->has_acknowledged)
        refuse(opened, STT_PROTECT_KEY_UPDATE);
    else
        accept(p, choice, sealed, opened);
}

/* Steps 3 and 4, behind the mask. */
static enum stt_keys_choice choose(const struct stt_protect *p, const uint8_t *at, uint64_t *number)
{
    *number = stt_number_recover(p->replay.expected, be32_load(at + NUMBER_AT));
    return stt_keys_choose(&p->keys, at[0] & PHASE_BIT, *number);
}

static void prepare(struct stt_aead_sealed *sealed, uint8_t *at, size_t bytes, const uint8_t *nonce)
{
    *sealed = (struct stt_aead_sealed){
        .nonce = nonce,
        .ad = bytes_of(at, STT_PROTECT_HEADER_BYTES),
        .data = at + STT_PROTECT_HEADER_BYTES,
        .len = bytes - STT_PROTECT_HEADER_BYTES,
    };
}

/* Opens the packets, from the first one on, that choose the current key; answers how many. Their
 * numbers are recovered before the first of them is opened: within a batch the number that is
 * expected moves by far less than the 2^31 that would matter. */
static size_t open_current(struct stt_protect *p, struct stt_protect_train train, size_t n,
                           struct stt_protect_opened *opened)
{
    const struct stt_aead_suite *suite = p->keys.suite;
    const struct stt_packet_key *key = stt_keys_of(&p->keys, STT_KEYS_CURRENT);
    struct stt_aead_sealed sealed[BATCH];
    uint8_t nonces[BATCH][STT_AEAD_NONCE_MAX];
    size_t run = 0;
    for (; run < n; run++) {
        uint8_t *at = train.data + run * train.segment_bytes;
        if (choose(p, at, &opened[run].number) != STT_KEYS_CURRENT)
            break;
        make_nonce(nonces[run], suite, key, opened[run].number);
        prepare(&sealed[run], at, segment_bytes(train, run), nonces[run]);
    }
    if (run == 0)
        return 0;
    size_t open = suite->open(key_state(p, stt_keys_receive(&p->keys)), sealed, run);
    assert(open <= run);
    for (size_t i = 0; i < run; i++)
        judge(p, STT_KEYS_CURRENT, &sealed[i], &opened[i]);
    return run;
}

/* Opens a packet with the key of another epoch, if there is one. */
static void open_other(struct stt_protect *p, uint8_t *at, size_t bytes,
                       struct stt_protect_opened *opened)
{
    const struct stt_aead_suite *suite = p->keys.suite;
    enum stt_keys_choice choice = choose(p, at, &opened->number);
    const struct stt_packet_key *key = stt_keys_of(&p->keys, choice);
    if (!key) {
        refuse(opened, STT_PROTECT_NO_KEY);
        return;
    }
    _Alignas(STT_AEAD_STATE_ALIGN) uint8_t state[STT_AEAD_STATE_MAX];
    uint8_t nonce[STT_AEAD_NONCE_MAX];
    make_nonce(nonce, suite, key, opened->number);
    struct stt_aead_sealed sealed;
    prepare(&sealed, at, bytes, nonce);
    suite->init(state, key->key);
    sealed.is_open = suite->open(state, &sealed, 1) == 1;
    stt_env_wipe(state, suite->state_bytes);
    judge(p, choice, &sealed, opened);
}

void stt_protect_open(struct stt_protect *p, struct stt_protect_train train,
                      struct stt_protect_opened *opened)
{
    while (train.len > 0) {
        size_t n = (train.len + train.segment_bytes - 1) / train.segment_bytes;
        if (n > BATCH)
            n = BATCH;
        assert(segment_bytes(train, n - 1) >= STT_PROTECT_OVERHEAD_BYTES);
        mask(p, stt_keys_receive(&p->keys), train, n);
        while (n > 0) {
            size_t run = open_current(p, train, n, opened);
            if (run == 0) {
                open_other(p, train.data, segment_bytes(train, 0), opened);
                run = 1;
            }
            skip(&train, run);
            opened += run;
            n -= run;
        }
    }
}
