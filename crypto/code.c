/* SPDX-License-Identifier: MIT
 * code: owns nothing; libsodium takes and returns the memory of Argon2id.
 *
 * Invariant: two texts that the spec calls the same code give the same struct stt_code. It must not
 * know who guesses, how often, or what a code admits to. Spec 03, "Codes". */
#include "crypto/code.h"

#include "crypto/kdf.h"
#include "stt/base/env.h"
#include "stt/base/utf8.h"
#include "stt/error.h"

#include <sodium.h>

enum { SECRET_CHARS = 8, STRETCHED_BYTES = 32 };

static const char alphabet[32] = "abcdefghijklmnopqrstuvwxyz234567";

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_separator(uint8_t c)
{
    return c == '-' || is_space(c);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* Slot and secret as PRS: 417-k7qdx2mz. */
static void set(struct stt_code *code, unsigned slot, const uint8_t secret[SECRET_CHARS])
{
    struct wr w = wr_init(code->prs, sizeof code->prs);
    for (unsigned unit = 1000; unit > 0; unit /= 10)
        if (slot >= unit)
            wr_u8(&w, (uint8_t)('0' + slot / unit % 10));
    wr_u8(&w, '-');
    wr_bytes(&w, bytes_of(secret, SECRET_CHARS));
    code->prs_len = (uint8_t)wr_len(&w);
    code->slot = (uint16_t)slot;
}

void stt_code_generate(struct stt_code *code, const uint8_t entropy[STT_CODE_ENTROPY_BYTES])
{
    struct rd r = rd_init(bytes_of(entropy, STT_CODE_ENTROPY_BYTES));
    unsigned slot = (unsigned)(1 + rd_u64(&r) % STT_CODE_LAST_SLOT);
    uint64_t bits = rd_uint(&r, 5);
    uint8_t secret[SECRET_CHARS];
    for (unsigned i = SECRET_CHARS; i-- > 0; bits >>= 5)
        secret[i] = (uint8_t)alphabet[bits & 31];
    set(code, slot, secret);
    stt_env_wipe(secret, sizeof secret);
}

void stt_code_text(char text[STT_CODE_TEXT_BYTES], const struct stt_code *code)
{
    size_t half = code->prs_len - SECRET_CHARS / 2u;
    memcpy(text, code->prs, half);
    text[half] = '-';
    memcpy(text + half + 1, code->prs + half, SECRET_CHARS / 2);
    text[half + 1 + SECRET_CHARS / 2] = 0;
}

static struct bytes trimmed(struct bytes text)
{
    while (text.len && is_space(text.data[0]))
        text = bytes_of(text.data + 1, text.len - 1);
    while (text.len && is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* The slot ends at the first hyphen, or, in a text without one, at the first space: its digits are
 * letters of base32, too, and a text that lacks one of its letters must not become another code. */
static struct bytes before_secret(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '-')
            return bytes_of(text.data, i);
    for (size_t i = 0; i < text.len; i++)
        if (is_space(text.data[i]))
            return bytes_of(text.data, i);
    return text;
}

static unsigned read_slot(struct bytes digits)
{
    unsigned slot = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = digits.data[i];
        if (is_space(c))
            continue;
        if (c < '0' || c > '9')
            return 0;
        slot = 10 * slot + (c - '0');
        if (slot > STT_CODE_LAST_SLOT)
            return 0;
    }
    return slot;
}

static bool read_secret(uint8_t secret[SECRET_CHARS], struct bytes text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = lower(text.data[i]);
        if (is_separator(c))
            continue;
        if (n == SECRET_CHARS || !memchr(alphabet, c, sizeof alphabet))
            return false;
        secret[n++] = c;
    }
    return n == SECRET_CHARS && !is_separator(text.data[text.len - 1]);
}

int stt_code_read(struct stt_code *code, struct bytes text)
{
    text = trimmed(text);
    struct bytes digits = before_secret(text);
    uint8_t secret[SECRET_CHARS];
    unsigned slot = read_slot(digits);
    bool is_code =
        slot && read_secret(secret, bytes_of(text.data + digits.len, text.len - digits.len));
    if (is_code)
        set(code, slot, secret);
    stt_env_wipe(secret, sizeof secret);
    return is_code ? STT_OK : STT_E_FORMAT;
}

size_t stt_passphrase_normalise(uint8_t out[STT_PASSPHRASE_MOST], struct bytes text)
{
    text = trimmed(text);
    struct wr w = wr_init(out, STT_PASSPHRASE_MOST);
    for (size_t i = 0; i < text.len; i++)
        if (!is_space(text.data[i]))
            wr_u8(&w, text.data[i]);
        else if (!is_space(text.data[i - 1])) /* trimmed: a space is never the first */
            wr_u8(&w, ' ');
    bool is_valid = !w.bad && wr_len(&w) >= STT_PASSPHRASE_LEAST && stt_utf8_is_valid(wr_done(&w));
    return is_valid ? wr_len(&w) : 0;
}

int stt_code_stretch(struct stt_code *code, struct bytes passphrase)
{
    uint8_t normal[STT_PASSPHRASE_MOST], salt[crypto_pwhash_argon2id_SALTBYTES];
    size_t len = stt_passphrase_normalise(normal, passphrase);
    stt_kdf_hash(salt, sizeof salt, "stt1 passphrase", KDF_NO_PARTS);
    int error = STT_E_FORMAT;
    if (len > 0 &&
        crypto_pwhash_argon2id(code->prs, STRETCHED_BYTES, (const char *)normal, len, salt, 3,
                               64u << 20, crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0) {
        code->prs_len = STRETCHED_BYTES;
        code->slot = 0;
        error = STT_OK;
    } else if (len > 0) {
        error = STT_E_MEMORY;
    }
    stt_env_wipe(normal, sizeof normal);
    return error;
}

void stt_code_psk(uint8_t psk[32], const uint8_t isk[64], const uint8_t sid[64])
{
    stt_kdf_keyed(psk, 32, bytes_of(isk, 64), "stt1 cpace", KDF_PARTS(bytes_of(sid, 64)));
}
