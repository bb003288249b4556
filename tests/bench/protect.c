/* SPDX-License-Identifier: MIT
 * bench/protect: what a packet costs beyond its cipher. A train is sealed and masked, unmasked and
 * opened, once by the cipher suite alone and once by crypto/protect, which adds headers, nonces,
 * number recovery, choice of the key and the replay window. The two take turns; median (least) of
 * many rounds, and the median of the differences within a round.
 *
 * Usage: protect [-J]      -J: JSON, one flat object */
#include "crypto/protect.h"
#include "tests/support/stopwatch.h"
#include "tests/support/suites.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE = 1424, FRAME = 7, TRAIN = 44, ROUNDS = 1001, MAX_SUITES = 12, END_ROOM = 4096 };
enum { SEGMENT = MESSAGE + STT_PROTECT_OVERHEAD_BYTES };

enum measure { SEAL, OPEN, MEASURES };

static const char *const titles[MEASURES] = {"seal", "open"};

struct samples {
    double bare[ROUNDS], whole[ROUNDS], extra[ROUNDS]; /* ns per packet */
};

static struct keyed_suite suites[MAX_SUITES];
static struct samples samples[MAX_SUITES][MEASURES];

static uint8_t ring[TRAIN * MESSAGE], frame[FRAME];
static struct bytes parts[TRAIN][2];

static void must(bool is_true)
{
    if (is_true)
        return;
    fprintf(stderr, "bench/protect: a packet did not open\n");
    exit(1);
}

/* The cipher alone. */

static uint8_t bare_train[TRAIN * SEGMENT];
static uint8_t nonces[TRAIN][STT_AEAD_NONCE_MAX], masks[TRAIN][STT_AEAD_MASK_BYTES];
static struct stt_aead_plain bare_plain[TRAIN];
static struct stt_aead_sealed bare_sealed[TRAIN];

static void prepare(void)
{
    for (size_t i = 0; i < TRAIN; i++) {
        uint8_t *at = bare_train + i * SEGMENT, *body = at + STT_PROTECT_HEADER_BYTES;
        struct bytes ad = bytes_of(at, STT_PROTECT_HEADER_BYTES);
        nonces[i][11] = (uint8_t)i;
        parts[i][0] = BYTES(frame);
        parts[i][1] = bytes_of(ring + i * (MESSAGE - FRAME), MESSAGE - FRAME);
        bare_plain[i] = (struct stt_aead_plain){nonces[i], ad, parts[i], 2, body};
        bare_sealed[i] = (struct stt_aead_sealed){nonces[i], ad, body,
                                                  SEGMENT - STT_PROTECT_HEADER_BYTES, false};
    }
}

static void bare_mask(const struct keyed_suite *s)
{
    s->suite->mask(s->mask_state, bare_train + STT_PROTECT_HEADER_BYTES, SEGMENT, TRAIN, masks);
}

static double bare_seal(const struct keyed_suite *s)
{
    double begin = wall_ns();
    s->suite->seal(s->state, bare_plain, TRAIN);
    bare_mask(s);
    return (wall_ns() - begin) / TRAIN;
}

static double bare_open(const struct keyed_suite *s)
{
    double begin = wall_ns();
    bare_mask(s);
    size_t opened = s->suite->open(s->state, bare_sealed, TRAIN);
    double ns = (wall_ns() - begin) / TRAIN;
    must(opened == TRAIN);
    return ns;
}

/* The same, as a session does it. */

static _Alignas(64) uint8_t memory[MAX_SUITES][2][END_ROOM];
static uint64_t bitmaps[MAX_SUITES][STT_REPLAY_WORDS];
static uint8_t whole_train[TRAIN * SEGMENT];

static struct stt_protect *end_of(size_t suite, enum stt_direction d)
{
    return (struct stt_protect *)memory[suite][d];
}

static void begin_session(size_t i)
{
    static const uint8_t secrets[2][32] = {{1}, {2}};
    must(stt_protect_bytes(suites[i].suite) <= END_ROOM);
    for (enum stt_direction d = 0; d < 2; d++)
        stt_protect_init(end_of(i, d), suites[i].suite, d, secrets);
    stt_replay_attach(&end_of(i, STT_TO_INITIATOR)->replay, bitmaps[i]);
}

static double whole_seal(struct stt_protect *p)
{
    static const uint8_t id[8] = {1};
    struct stt_protect_plain plain[TRAIN];
    double begin = wall_ns();
    for (size_t i = 0; i < TRAIN; i++)
        plain[i] = (struct stt_protect_plain){p->next_number + i, id, parts[i], 2};
    stt_protect_seal(p, plain, TRAIN,
                     (struct stt_protect_train){whole_train, sizeof whole_train, SEGMENT});
    return (wall_ns() - begin) / TRAIN;
}

static double whole_open(struct stt_protect *p)
{
    struct stt_protect_opened opened[TRAIN];
    double begin = wall_ns();
    stt_protect_open(p, (struct stt_protect_train){whole_train, sizeof whole_train, SEGMENT},
                     opened);
    double ns = (wall_ns() - begin) / TRAIN;
    for (size_t i = 0; i < TRAIN; i++)
        must(opened[i].result == STT_PROTECT_OPENED);
    return ns;
}

static void measure_round(size_t i, size_t round)
{
    struct samples *seal = &samples[i][SEAL], *open = &samples[i][OPEN];
    seal->bare[round] = bare_seal(&suites[i]);
    seal->whole[round] = whole_seal(end_of(i, STT_TO_RESPONDER));
    open->bare[round] = bare_open(&suites[i]);
    open->whole[round] = whole_open(end_of(i, STT_TO_INITIATOR));
    for (size_t what = 0; what < MEASURES; what++)
        samples[i][what].extra[round] =
            samples[i][what].whole[round] - samples[i][what].bare[round];
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort(struct samples *s)
{
    qsort(s->bare, ROUNDS, sizeof s->bare[0], ascending);
    qsort(s->whole, ROUNDS, sizeof s->whole[0], ascending);
    qsort(s->extra, ROUNDS, sizeof s->extra[0], ascending);
}

static void print_json(size_t n)
{
    printf("{\n");
    for (size_t i = 0; i < n * MEASURES; i++) {
        const struct stt_aead_suite *suite = suites[i / MEASURES].suite;
        const struct samples *s = &samples[i / MEASURES][i % MEASURES];
        printf("  \"%s_%s_%s_ns\": %.2f,\n", suite->name, suite->variant, titles[i % MEASURES],
               s->whole[ROUNDS / 2]);
        printf("  \"%s_%s_%s_extra_ns\": %.2f%s\n", suite->name, suite->variant,
               titles[i % MEASURES], s->extra[ROUNDS / 2], i + 1 < n * MEASURES ? "," : "");
    }
    printf("}\n");
}

static void print_table(size_t n)
{
    printf("%d-byte messages, trains of %d; ns per packet, median (least)\n\n", MESSAGE, TRAIN);
    printf("%-40s%18s%18s%10s\n", "", "cipher, mask", "with protect", "extra");
    for (size_t i = 0; i < n * MEASURES; i++) {
        const struct stt_aead_suite *suite = suites[i / MEASURES].suite;
        const struct samples *s = &samples[i / MEASURES][i % MEASURES];
        printf("%-18s%-10s%-12s", suite->name, suite->variant, titles[i % MEASURES]);
        printf("%10.1f (%.1f)%10.1f (%.1f)%10.1f\n", s->bare[ROUNDS / 2], s->bare[0],
               s->whole[ROUNDS / 2], s->whole[0], s->extra[ROUNDS / 2]);
    }
}

int main(int argc, char **argv)
{
    static const uint8_t key[32] = {1};
    bool is_json = argc == 2 && strcmp(argv[1], "-J") == 0;
    if (argc > 1 && !is_json) {
        fprintf(stderr, "usage: %s [-J]\n", argv[0]);
        return 2;
    }
    prepare();
    size_t n = suites_here(suites, MAX_SUITES, 0, key);
    for (size_t i = 0; i < n; i++)
        begin_session(i);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < n; i++)
            measure_round(i, round);
    for (size_t i = 0; i < n; i++)
        for (size_t what = 0; what < MEASURES; what++)
            sort(&samples[i][what]);
    if (is_json)
        print_json(n);
    else
        print_table(n);
    return 0;
}
