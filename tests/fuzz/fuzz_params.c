/* SPDX-License-Identifier: MIT
 * Any payload of any handshake message: what was read is written and read again the same, in no
 * more bytes, and in the same ones where nothing was unknown or in longer form. Input: the message
 * 1, then the payload. */
#include "stt/wire/params.h"

#include "tests/support/fuzz.h"

static uint8_t out[1 << 20];

static bool is_integer(const struct stt_param_rule *rule)
{
    return rule->kind == STT_KIND_INTEGER || rule->kind == STT_KIND_BYTE;
}

/* Fields that are absent have defaults, so all are compared. */
static bool is_same(const struct stt_params *a, const struct stt_params *b)
{
    bool same = a->present == b->present;
    for (unsigned i = 0; i < STT_PARAM_COUNT; i++) {
        const struct stt_param_rule *rule = &stt_param_rules[i];
        const void *x = (const uint8_t *)a + rule->field, *y = (const uint8_t *)b + rule->field;
        struct bytes p, q;
        if (is_integer(rule)) {
            same = same && memcmp(x, y, sizeof(uint64_t)) == 0;
            continue;
        }
        memcpy(&p, x, sizeof p);
        memcpy(&q, y, sizeof q);
        same = same && bytes_equal(p, q);
    }
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stt_params p, again;
    if (size == 0 || size > sizeof out)
        return 0;
    enum stt_message message = (enum stt_message)(data[0] % (STT_MESSAGE_Q2 + 1));
    struct bytes payload = bytes_of(data + 1, size - 1);
    if (!stt_params_decode(payload, message, &p))
        return 0;
    struct wr w = wr_init(out, payload.len);
    FUZZ_ASSERT(stt_params_encode(&w, message, &p));
    struct bytes written = wr_done(&w);
    FUZZ_ASSERT(stt_params_decode(written, message, &again) && is_same(&p, &again));
    FUZZ_ASSERT(written.len < payload.len || bytes_equal(written, payload));
    w = wr_init(out, written.len - 1); /* no message is empty */
    FUZZ_ASSERT(!stt_params_encode(&w, message, &p) && wr_len(&w) == 0 && !w.bad);
    for (uint64_t type = 0x40; type < 0x48; type++)
        FUZZ_ASSERT(!stt_params_has_extension(&p, type) ||
                    stt_params_has(&p, STT_PARAM_EXTENSIONS));
    return 0;
}
