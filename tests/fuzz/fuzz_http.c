/* SPDX-License-Identifier: MIT
 * Any beginning of a visit: as soon as there is an answer, what follows does not change it; nothing
 * but the one page is ever served, and only to who has asked for it in a whole head. */
#include "stt/node/http.h"
#include "tests/support/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int before = STT_HTTP_UNFINISHED;
    for (size_t len = 0; len <= size; len += len < 512 ? 1 : 97) {
        char *copy = malloc(len + 1); /* so that sanitizers see what is read behind it */
        memcpy(copy, data, len);
        const int status = stt_http_status(copy, len, "/metrics");
        free(copy);
        FUZZ_ASSERT(before == STT_HTTP_UNFINISHED || status == before);
        FUZZ_ASSERT(*stt_http_words(status));
        before = status;
    }
    if (before == STT_HTTP_UNFINISHED) {
        FUZZ_ASSERT(size < STT_HTTP_REQUEST_MAX + 97);
    } else if (before == STT_HTTP_OK) {
        FUZZ_ASSERT(memcmp(data, "GET /metrics", 12) == 0);
        FUZZ_ASSERT(memmem(data, size, "\r\n\r\n", 4));
    }
    return 0;
}
