/* SPDX-License-Identifier: MIT
 * bench/aead: what the cipher suites cost per packet of 1,424 bytes, everything included: parts of
 * odd lengths and alignments, 13 bytes of associated data, tag. In trains and one by one; and the
 * header masks of a train. Median and least of many rounds, in which the suites take turns, so that
 * a noisy machine hits all alike.
 *
 * Usage: aead [-J]      -J: JSON, one flat object */
#include "tests/support/stopwatch.h"
#include "tests/support/suites.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE = 1424, HEADER = 7, TRAIN = 44, ROUNDS = 301, MAX_SUITES = 8 };
enum { SEGMENT = 13 + MESSAGE + STT_AEAD_TAG_BYTES };

enum measure { SEAL_TRAIN, OPEN_TRAIN, SEAL_ONE, OPEN_ONE, MASK_TRAIN, MEASURES };

static const struct {
    const char *key, *title;
} measures[MEASURES] = {
    [SEAL_TRAIN] = {"seal_train", "seal"},  [OPEN_TRAIN] = {"open_train", "open"},
    [SEAL_ONE] = {"seal_one", "seal, one"}, [OPEN_ONE] = {"open_one", "open, one"},
    [MASK_TRAIN] = {"mask_train", "mask"},
};

static struct keyed_suite suites[MAX_SUITES];
static size_t suites_len;
static double ns[MAX_SUITES][MEASURES][ROUNDS]; /* per packet */

static uint8_t ring[TRAIN * MESSAGE], train[TRAIN * SEGMENT];
static uint8_t header[HEADER], nonces[TRAIN][STT_AEAD_NONCE_MAX];
static struct bytes parts[TRAIN][2];
static struct stt_aead_plain plain[TRAIN];
static struct stt_aead_sealed sealed[TRAIN];

static void prepare(void)
{
    for (size_t i = 0; i < TRAIN; i++) {
        uint8_t *at = train + i * SEGMENT;
        struct bytes ad = {at, 13};
        nonces[i][11] = (uint8_t)i;
        parts[i][0] = BYTES(header);
        parts[i][1] = bytes_of(ring + i * (MESSAGE - HEADER), MESSAGE - HEADER);
        plain[i] = (struct stt_aead_plain){nonces[i], ad, parts[i], 2, at + 13};
        sealed[i] = (struct stt_aead_sealed){nonces[i], ad, at + 13, SEGMENT - 13, false};
    }
}

static void must_open(size_t opened)
{
    if (opened == TRAIN)
        return;
    fprintf(stderr, "bench/aead: a packet did not open\n");
    exit(1);
}

static void run(const struct keyed_suite *s, enum measure what)
{
    static uint8_t masks[TRAIN][STT_AEAD_MASK_BYTES];
    size_t opened = 0;
    switch (what) {
    case SEAL_TRAIN:
        s->suite->seal(s->state, plain, TRAIN);
        break;
    case OPEN_TRAIN:
        must_open(s->suite->open(s->state, sealed, TRAIN));
        break;
    case SEAL_ONE:
        for (size_t i = 0; i < TRAIN; i++)
            s->suite->seal(s->state, &plain[i], 1);
        break;
    case OPEN_ONE:
        for (size_t i = 0; i < TRAIN; i++)
            opened += s->suite->open(s->state, &sealed[i], 1);
        must_open(opened);
        break;
    default:
        s->suite->mask(s->mask_state, train + 13, SEGMENT, TRAIN, masks);
    }
}

static void measure_round(size_t round)
{
    for (size_t i = 0; i < suites_len; i++) {
        for (int what = 0; what < MEASURES; what++) {
            double begin = wall_ns();
            run(&suites[i], (enum measure)what);
            ns[i][what][round] = (wall_ns() - begin) / TRAIN;
        }
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_json(void)
{
    printf("{\n");
    for (size_t i = 0; i < suites_len; i++) {
        const struct stt_aead_suite *s = suites[i].suite;
        for (int what = 0; what < MEASURES; what++) {
            const double *sorted = ns[i][what];
            bool is_last = i == suites_len - 1 && what == MEASURES - 1;
            printf("  \"%s_%s_%s_ns\": %.2f,\n", s->name, s->variant, measures[what].key,
                   sorted[ROUNDS / 2]);
            printf("  \"%s_%s_%s_min_ns\": %.2f%s\n", s->name, s->variant, measures[what].key,
                   sorted[0], is_last ? "" : ",");
        }
    }
    printf("}\n");
}

static void print_table(void)
{
    printf("%d-byte messages, trains of %d; ns per packet, median (least)\n\n", MESSAGE, TRAIN);
    printf("%-28s", "");
    for (int what = 0; what < MEASURES; what++)
        printf("%24s", measures[what].title);
    printf("\n");
    for (size_t i = 0; i < suites_len; i++) {
        printf("%-18s%-10s", suites[i].suite->name, suites[i].suite->variant);
        for (int what = 0; what < MEASURES; what++) {
            double median = ns[i][what][ROUNDS / 2], least = ns[i][what][0];
            if (what == MASK_TRAIN)
                printf("%12.1f (%.1f)", median, least);
            else
                printf("%7.1f (%.1f) %4.1f GB/s", median, least, MESSAGE / median);
        }
        printf("\n");
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
    suites_len = suites_here(suites, MAX_SUITES, 0, key);
    for (size_t round = 0; round < ROUNDS; round++)
        measure_round(round);
    for (size_t i = 0; i < suites_len; i++) {
        for (int what = 0; what < MEASURES; what++)
            qsort(ns[i][what], ROUNDS, sizeof ns[i][what][0], ascending);
    }
    if (is_json)
        print_json();
    else
        print_table();
    return 0;
}
