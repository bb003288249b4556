/* SPDX-License-Identifier: MIT */
#include "tests/support/suites.h"

#include "crypto/cpu.h"

size_t suites_here(struct keyed_suite *all, size_t max, uint8_t id, const uint8_t key[32])
{
    const struct stt_aead_suite *suite;
    uint32_t cpu = stt_cpu_detect();
    size_t n = 0;
    for (size_t i = 0; (suite = stt_aead_at(i)) && n < max; i++) {
        if ((id && suite->id != id) || (suite->needs & ~cpu))
            continue;
        all[n].suite = suite;
        suite->init(all[n].state, key);
        suite->mask_init(all[n].mask_state, key);
        n++;
    }
    return n;
}

void suites_seal(const struct keyed_suite *s, struct stt_aead_plain packet)
{
    s->suite->seal(s->state, &packet, 1);
}

bool suites_open(const struct keyed_suite *s, const struct stt_aead_sealed *packet)
{
    struct stt_aead_sealed copy = *packet;
    size_t opened = s->suite->open(s->state, &copy, 1);
    return opened == 1 && copy.is_open;
}
