/* SPDX-License-Identifier: MIT
 * Streams and datagrams of two endpoints, in turmoil: see tests/support/turmoil.h. */
#include "tests/support/fuzz.h"
#include "tests/support/turmoil.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)turmoil_live(bytes_of(data, size));
    return 0;
}
