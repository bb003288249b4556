/* SPDX-License-Identifier: MIT
 * keylog: a secret as a line of a key log. It keeps nothing. Spec 09, "Key log". */
#include "stt/keylog.h"

#include "crypto/keys.h"
#include "stt/base/line.h"

size_t stt_key_log_line(const struct stt_key_log *key, char out[STT_KEY_LOG_LINE_ROOM])
{
    struct stt_line l = stt_line_init(out, STT_KEY_LOG_LINE_ROOM);
    stt_line_text(&l, key->to_initiator ? "STT_SECRET_TO_INITIATOR_" : "STT_SECRET_TO_RESPONDER_");
    stt_line_number(&l, key->epoch);
    stt_line_text(&l, " ");
    stt_line_hex(&l, BYTES(key->initiator_id));
    stt_line_hex(&l, BYTES(key->responder_id));
    stt_line_text(&l, " ");
    stt_line_text(&l, key->suite);
    stt_line_text(&l, " ");
    stt_line_hex(&l, bytes_of(key->secret, STT_SECRET_BYTES));
    stt_line_text(&l, "\n");
    return stt_line_len(&l);
}
