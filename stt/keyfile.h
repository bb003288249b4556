/* SPDX-License-Identifier: MIT
 * keyfile: secrets in files of their own, as text (spec 03, "Text forms").
 *
 * A key file is one line, the text of a secret, perhaps below lines that begin with '#'. It is
 * refused unless it is a regular file of at most 4 KiB with one name, owned by who runs this, and
 * closed to everybody else. Saving makes the whole file or none and never overwrites.
 *
 * Where a call answers an error, `why` holds one sentence with the file's name and what to do; it
 * never holds a part of the secret. `why` may be NULL. */
#ifndef STT_KEYFILE_H
#define STT_KEYFILE_H

#include "stt/identity.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { STT_KEYFILE_WHY_ROOM = 512 };

int stt_keyfile_load_identity(struct stt_identity *id, const char *path,
                              char why[STT_KEYFILE_WHY_ROOM]) STT_MUST_USE;
int stt_keyfile_load_seed(struct stt_seed *seed, const char *path,
                          char why[STT_KEYFILE_WHY_ROOM]) STT_MUST_USE;

/* The line itself, whatever it is (see stt_text_kind_of); the caller wipes it. */
int stt_keyfile_load_text(char text[STT_TEXT_ROOM], const char *path,
                          char why[STT_KEYFILE_WHY_ROOM]) STT_MUST_USE;

int stt_keyfile_save_identity(const struct stt_identity *id, const char *path,
                              char why[STT_KEYFILE_WHY_ROOM]) STT_MUST_USE;
int stt_keyfile_save_seed(const struct stt_seed *seed, const char *path,
                          char why[STT_KEYFILE_WHY_ROOM]) STT_MUST_USE;

/* Random bytes of the operating system, in the shape of the entropy hook; ctx is not used. */
bool stt_node_entropy(void *ctx, uint8_t *out, size_t len) STT_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
