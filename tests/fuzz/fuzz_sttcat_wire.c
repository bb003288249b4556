/* SPDX-License-Identifier: MIT
 * Whatever decodes is what was encoded: there is one encoding, and names obey their rules. */
#include "tests/support/fuzz.h"
#include "tools/sttcat/wire.h"

/* A name as the specification words it, part by part. */
static bool may_be_a_name(struct bytes name)
{
    size_t part = 0;
    if (name.len == 0 || name.len > 4095)
        return false;
    for (size_t i = 0; i <= name.len; i++) {
        bool ends = i == name.len || name.data[i] == '/';
        if (!ends && name.data[i] == 0)
            return false;
        if (!ends)
            continue;
        size_t len = i - part;
        const char *text = (const char *)name.data + part;
        if (len == 0 || len > 255 || (len == 1 && text[0] == '.') ||
            (len == 2 && text[0] == '.' && text[1] == '.'))
            return false;
        part = i + 1;
    }
    return true;
}

static void check_entry(const struct wire_message *m)
{
    FUZZ_ASSERT(may_be_a_name(m->name));
    FUZZ_ASSERT(m->mode <= 0777);
    FUZZ_ASSERT((m->kind == ENTRY_LINK) == (m->target.len > 0));
    FUZZ_ASSERT(m->kind == ENTRY_FILE || m->bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_message m, back;
    uint8_t again[WIRE_MESSAGE_MAX];
    FUZZ_ASSERT(wire_name_is_valid(bytes_of(data, size)) == may_be_a_name(bytes_of(data, size)));
    if (!wire_decode(&m, bytes_of(data, size)))
        return 0;
    size_t len = wire_encode(&m, again, sizeof again);
    FUZZ_ASSERT(len == size && memcmp(again, data, size) == 0);
    FUZZ_ASSERT(wire_decode(&back, bytes_of(again, len)));
    FUZZ_ASSERT(back.type == m.type && back.index == m.index && back.bytes == m.bytes);
    FUZZ_ASSERT(bytes_equal(back.name, m.name) && bytes_equal(back.target, m.target));
    FUZZ_ASSERT(bytes_equal(back.text, m.text) && m.text.len <= WIRE_TEXT_MAX);
    if (m.type == WIRE_ENTRY)
        check_entry(&m);
    return 0;
}
