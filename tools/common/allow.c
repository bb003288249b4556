/* SPDX-License-Identifier: MIT
 * allow: owns nothing. What is on the list is whole or refused: a line that is passed over would
 * let nobody in who should come, and an empty list might be taken for none. */
#include "tools/common/allow.h"

#include "stt/env.h"
#include "tools/common/lines.h"

#include <stdio.h>
#include <string.h>

static bool refuse(const struct lines *l, const char *sentence, char *why)
{
    snprintf(why, OPTION_WHY_ROOM, "%s, line %u: %s", l->path, l->number, sentence);
    return false;
}

static int decode(struct stt_peer_id *id, const struct line *line)
{
    char text[STT_TEXT_ROOM];
    if (line->len >= sizeof text)
        return STT_E_FORMAT;
    memcpy(text, line->text, line->len);
    text[line->len] = '\0';
    int error = stt_peer_id_decode(id, text);
    stt_env_wipe(text, sizeof text);
    return error;
}

/* The list goes to people who look after machines; a secret in it has been seen by them. */
static bool take(const struct lines *l, const struct line *line, struct stt_peer_id *id, char *why)
{
    switch (decode(id, line)) {
    case STT_OK:
        return true;
    case STT_E_SECRET:
        return refuse(l,
                      "holds a secret where a peer id is wanted; take it out, and make a new "
                      "one",
                      why);
    default:
        return refuse(l, "is no peer id (stt1...); correct it, or put '#' before it", why);
    }
}

static bool read_all(struct lines *l, int (*each)(void *ctx, const struct stt_peer_id *id),
                     void *ctx, char *why)
{
    struct line line;
    struct stt_peer_id id;
    bool has_any = false;
    while (lines_next(l, &line)) {
        if (!take(l, &line, &id, why))
            return false;
        int error = each(ctx, &id);
        if (error)
            return refuse(l, stt_error_text(error), why);
        has_any = true;
    }
    if (!has_any)
        snprintf(why, OPTION_WHY_ROOM, "%s: allows nobody; put a peer id into it", l->path);
    return has_any;
}

bool allow_read(const char *path, int (*each)(void *ctx, const struct stt_peer_id *id), void *ctx,
                char why[OPTION_WHY_ROOM])
{
    struct lines l;
    bool ok =
        lines_load(&l, path, LINES_FOLLOW, why) == LINES_THERE && read_all(&l, each, ctx, why);
    lines_free(&l);
    return ok;
}
