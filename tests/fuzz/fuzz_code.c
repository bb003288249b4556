/* SPDX-License-Identifier: MIT
 * Whatever is read as a code has one form: shown and read again, it is the same; and a passphrase
 * that was normalised is normalised. */
#include "crypto/code.h"
#include "stt/base/utf8.h"
#include "stt/error.h"
#include "tests/support/fuzz.h"

#include <string.h>

static void check_code(struct bytes text)
{
    struct stt_code code, again;
    if (stt_code_read(&code, text) != STT_OK)
        return;
    char shown[STT_CODE_TEXT_BYTES];
    FUZZ_ASSERT(code.slot >= 1 && code.slot <= STT_CODE_LAST_SLOT);
    stt_code_text(shown, &code);
    FUZZ_ASSERT(stt_code_read(&again, bytes_of(shown, strlen(shown))) == STT_OK);
    FUZZ_ASSERT(again.slot == code.slot);
    FUZZ_ASSERT(bytes_equal(stt_code_prs(&again), stt_code_prs(&code)));
    FUZZ_ASSERT(stt_code_read(&again, stt_code_prs(&code)) == STT_OK);
}

static void check_passphrase(struct bytes text)
{
    uint8_t once[STT_PASSPHRASE_MOST], twice[STT_PASSPHRASE_MOST];
    size_t len = stt_passphrase_normalise(once, text);
    if (len == 0)
        return;
    FUZZ_ASSERT(len >= STT_PASSPHRASE_LEAST && len <= STT_PASSPHRASE_MOST);
    FUZZ_ASSERT(stt_utf8_is_valid(bytes_of(once, len)));
    FUZZ_ASSERT(once[0] != ' ' && once[len - 1] != ' ');
    FUZZ_ASSERT(!memmem(once, len, "  ", 2));
    FUZZ_ASSERT(stt_passphrase_normalise(twice, bytes_of(once, len)) == len);
    FUZZ_ASSERT(memcmp(once, twice, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_code(bytes_of(data, size));
    check_passphrase(bytes_of(data, size));
    return 0;
}
