/* SPDX-License-Identifier: MIT
 * paths: owns nothing. A folder that is there is left as it is, whatever it is: whoever opens
 * something in it sees. */
#include "tools/common/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SHOWN_MAX = 120 };

const char *paths_shown(const char *path)
{
    size_t len = strlen(path);
    if (len <= SHOWN_MAX)
        return path;
    const char *end = path + len - SHOWN_MAX, *slash = strchr(end, '/');
    return slash && slash[1] ? slash + 1 : end;
}

/* A folder that somebody else has made meanwhile is as good. */
static bool make(const char *folder, char *why)
{
    struct stat st;
    if (mkdir(folder, 0700) == 0 || errno == EEXIST || stat(folder, &st) == 0)
        return true;
    snprintf(why, OPTION_WHY_ROOM, "the folder %.*s cannot be made: %s; make it, or name another",
             SHOWN_MAX, paths_shown(folder), strerror(errno));
    return false;
}

bool paths_make_folders(const char *path, char why[OPTION_WHY_ROOM])
{
    char folder[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof folder) {
        snprintf(why, OPTION_WHY_ROOM, "%.*s: the name is too long; choose another", SHOWN_MAX,
                 paths_shown(path));
        return false;
    }
    memcpy(folder, path, len + 1);
    for (char *c = folder + 1; len > 0 && *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        if (!make(folder, why))
            return false;
        *c = '/';
    }
    return true;
}
