/* SPDX-License-Identifier: MIT
 * codes: a short table. Invariant: a generated code is gone after its first success, its third
 * wrong guess or ten minutes; a passphrase stays and slows down. It must not know who tries, nor
 * how a guess is judged. Spec 03, "Guesses at a code". */
#include "stt/session/codes.h"

#include "stt/base/env.h"
#include "stt/wire/limits.h"

static struct stt_armed_code *find(struct stt_codes *codes, uint32_t slot)
{
    for (int i = 0; i < STT_CODES_MAX; i++)
        if (codes->at[i].armed && codes->at[i].code.slot == slot)
            return &codes->at[i];
    return NULL;
}

/* The place of the code that was tried, or -1 when it is gone. */
static int place_of(const struct stt_codes *codes, const struct stt_attempt *attempt)
{
    for (int i = 0; i < STT_CODES_MAX; i++)
        if (codes->at[i].armed && codes->at[i].generation == attempt->generation)
            return i;
    return -1;
}

static void disarm(struct stt_armed_code *a)
{
    stt_env_wipe(a, sizeof *a);
}

static bool is_passphrase(const struct stt_armed_code *a)
{
    return a->code.slot == 0;
}

int stt_codes_arm(struct stt_codes *codes, stt_ns now, const struct stt_code *code)
{
    if (find(codes, code->slot))
        return STT_E_EXISTS;
    for (int i = 0; i < STT_CODES_MAX; i++) {
        struct stt_armed_code *a = &codes->at[i];
        if (a->armed)
            continue;
        *a = (struct stt_armed_code){.code = *code, .armed = true};
        a->ends_at = is_passphrase(a) ? STT_NEVER : now + STT_CODE_LIFE_NS;
        a->generation = ++codes->generation;
        return STT_OK;
    }
    return STT_E_LIMIT;
}

bool stt_codes_disarm(struct stt_codes *codes, uint32_t slot)
{
    struct stt_armed_code *a = find(codes, slot);
    if (a)
        disarm(a);
    return a != NULL;
}

void stt_codes_wipe(struct stt_codes *codes)
{
    stt_env_wipe(codes->at, sizeof codes->at);
}

/* A passphrase that was guessed at too often admits one attempt, then waits. */
static void slow_down(struct stt_armed_code *a, stt_ns now)
{
    if (is_passphrase(a) && a->wrong >= STT_PASSPHRASE_GUESSES_FREE)
        a->next_attempt_at = now + STT_PASSPHRASE_PAUSE_NS;
}

const struct stt_code *stt_codes_begin(struct stt_codes *codes, stt_ns now, uint32_t slot,
                                       struct stt_attempt *attempt)
{
    struct stt_armed_code *a = find(codes, slot);
    if (!a || now >= a->ends_at || now < a->next_attempt_at ||
        a->outstanding >= STT_CODE_OUTSTANDING_MAX)
        return NULL;
    slow_down(a, now);
    a->outstanding++;
    attempt->generation = a->generation;
    return &a->code;
}

bool stt_codes_is_live(const struct stt_codes *codes, stt_ns now, const struct stt_attempt *attempt)
{
    int place = place_of(codes, attempt);
    return place >= 0 && now < codes->at[place].ends_at;
}

static enum stt_code_fate judge(const struct stt_armed_code *a, enum stt_guess guess)
{
    if (is_passphrase(a))
        return STT_CODE_LIVES;
    if (guess == STT_GUESS_RIGHT)
        return STT_CODE_USED;
    return a->wrong >= STT_CODE_GUESSES_MAX ? STT_CODE_GUESSED : STT_CODE_LIVES;
}

enum stt_code_fate stt_codes_end(struct stt_codes *codes, stt_ns now, struct stt_attempt *attempt,
                                 enum stt_guess guess, uint32_t *slot)
{
    int place = place_of(codes, attempt);
    attempt->generation = 0;
    if (place < 0)
        return STT_CODE_GONE;
    struct stt_armed_code *a = &codes->at[place];
    *slot = a->code.slot;
    a->outstanding--;
    if (guess == STT_GUESS_WRONG) {
        a->wrong = (uint8_t)(a->wrong + (a->wrong < UINT8_MAX));
        slow_down(a, now); /* for those who began before it was so */
    }
    enum stt_code_fate fate = judge(a, guess);
    if (fate != STT_CODE_LIVES)
        disarm(a);
    return fate;
}

stt_ns stt_codes_deadline(const struct stt_codes *codes)
{
    stt_ns first = STT_NEVER;
    for (int i = 0; i < STT_CODES_MAX; i++)
        if (codes->at[i].armed && codes->at[i].ends_at < first)
            first = codes->at[i].ends_at;
    return first;
}

stt_ns stt_codes_last_ends(const struct stt_codes *codes)
{
    stt_ns last = 0;
    for (int i = 0; i < STT_CODES_MAX; i++)
        if (codes->at[i].armed && codes->at[i].ends_at > last)
            last = codes->at[i].ends_at;
    return last;
}

bool stt_codes_expire(struct stt_codes *codes, stt_ns now, uint32_t *slot)
{
    for (int i = 0; i < STT_CODES_MAX; i++) {
        if (!codes->at[i].armed || now < codes->at[i].ends_at)
            continue;
        *slot = codes->at[i].code.slot;
        disarm(&codes->at[i]);
        return true;
    }
    return false;
}
