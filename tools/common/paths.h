/* SPDX-License-Identifier: MIT
 * paths: what is said of a file's name, and the folder that it lies in. */
#ifndef TOOLS_COMMON_PATHS_H
#define TOOLS_COMMON_PATHS_H

#include "tools/common/options.h"

/* The end of the path, which tells most, so that a sentence about it has room for more. */
const char *paths_shown(const char *path);

/* Makes the folders above this file that are missing, closed to others. False: `why` says which
 * one cannot be made. */
bool paths_make_folders(const char *path, char why[OPTION_WHY_ROOM]);

#endif
