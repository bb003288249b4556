/* SPDX-License-Identifier: MIT
 * A target has one text, from which it can be made again; what is permitted is a target, and what a
 * rule carries to, too; a permit that names one target permits that text alone.
 *
 * Input: a permit, a zero byte, and what is asked for. */
#include "tests/support/fuzz.h"
#include "tools/sttcat/target.h"

#include <stdio.h>
#include <string.h>

static struct bytes write_target(const struct target *t, char out[400])
{
    if (t->is_unix)
        snprintf(out, 400, "unix:%s", t->path);
    else
        snprintf(out, 400, strchr(t->host, ':') ? "[%s]:%u" : "%s:%u", t->host, t->port);
    return bytes_of(out, strlen(out));
}

static void check_target(struct bytes text)
{
    struct target t;
    char again[400];
    if (!target_parse(&t, text))
        return;
    FUZZ_ASSERT(text.len <= TARGET_TEXT_MAX);
    FUZZ_ASSERT(t.is_unix ? t.path[0] && !t.host[0] : t.host[0] && t.port > 0);
    FUZZ_ASSERT(bytes_equal(write_target(&t, again), text));
}

static void check_forward(const char *text)
{
    struct target_forward f;
    struct target remote;
    char why[OPTION_WHY_ROOM] = "";
    if (!target_parse_forward(&f, text, why)) {
        FUZZ_ASSERT(*why);
        return;
    }
    const size_t len = strlen(f.remote);
    FUZZ_ASSERT(target_parse(&remote, bytes_of(f.remote, len)));
    FUZZ_ASSERT(strlen(text) > len + 1 && text[strlen(text) - len - 1] == ':');
    FUZZ_ASSERT(strcmp(text + strlen(text) - len, f.remote) == 0);
    FUZZ_ASSERT(f.local.is_unix ? f.local.path[0] != 0 : !f.local.path[0]);
}

static void check_permit(const char *permit, struct bytes text)
{
    const char *at[1] = {permit};
    const struct option_texts permits = {.at = at, .n = 1};
    struct target ignored;
    char why[OPTION_WHY_ROOM];
    const struct bytes p = bytes_of(permit, strlen(permit));
    const bool is_permitted = target_is_permitted(&permits, text);
    FUZZ_ASSERT(!is_permitted || target_parse(&ignored, text));
    FUZZ_ASSERT(!is_permitted || target_check_permit(permit, why));
    if (target_parse(&ignored, p))
        FUZZ_ASSERT(is_permitted == bytes_equal(p, text));
    else if (is_permitted && strcmp(permit, "any") != 0)
        FUZZ_ASSERT(p.len < text.len + 1 && memcmp(permit, text.data, p.len - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char permit[512];
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    const size_t len = end ? (size_t)(end - data) : size;
    const struct bytes text = end ? bytes_of(end + 1, size - len - 1) : BYTES_NONE;
    if (len >= sizeof permit)
        return 0;
    memcpy(permit, data, len);
    permit[len] = 0;
    check_target(bytes_of(data, size));
    check_target(text);
    check_forward(permit);
    check_permit(permit, text);
    return 0;
}
