/* SPDX-License-Identifier: MIT
 * text: a kind, a body and a check as characters (spec 03, "Text forms"). What a body holds is
 * known to those who call this. */
#ifndef STT_CRYPTO_TEXT_H
#define STT_CRYPTO_TEXT_H

#include "stt/base/bytes.h"
#include "stt/identity.h"

enum { STT_TEXT_BODY_MAX = 32 + 32 + 1 + STT_TICKET_ADDRESSES_MAX * 19 };

/* The text with its final zero; `room` is enough for every body of this kind. */
void stt_text_encode(char *out, size_t room, enum stt_text_kind kind, struct bytes body);

/* Writes the body. An error of stt/identity.h: nothing is left behind, and `body` may be latched.
 */
int stt_text_decode(struct wr *body, enum stt_text_kind kind, const char *text) STT_MUST_USE;

#endif
