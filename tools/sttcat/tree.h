/* SPDX-License-Identifier: MIT
 * tree: what there is below the paths that were named, one entry after the other (spec 10,
 * "Files"). */
#ifndef TOOLS_STTCAT_TREE_H
#define TOOLS_STTCAT_TREE_H

#include "tools/sttcat/wire.h"

#include <sys/stat.h>

enum { TREE_WHY_ROOM = 512 };

/* How a file that was named is found again, whatever its directory is called by then. */
struct tree_dir;
struct tree_file {
    struct tree_dir *dir; /* NULL: `path` */
    const char *path;     /* as it was given */
    dev_t device;
    ino_t inode;
    uint64_t bytes;
    int64_t modified_ns;
};

struct tree_entry {
    uint8_t kind; /* enum wire_kind */
    uint16_t mode;
    int64_t modified_ns;
    uint64_t bytes;
    struct bytes name, target; /* until the next call */
    struct tree_file file;     /* of a file: the caller releases it */
};

/* TREE_SKIPPED: `why` is one sentence about something that is not sent. TREE_FULL: so many
 * directories wait for their files to be released that the walk does, too. */
enum tree_step { TREE_ENTRY, TREE_SKIPPED, TREE_FULL, TREE_END };

struct tree;
/* The paths are borrowed. NULL: memory. All files have to be released before it is freed. */
struct tree *tree_new(const char *const *paths, uint32_t n);
void tree_free(struct tree *t);
enum tree_step tree_next(struct tree *t, struct tree_entry *entry, char why[TREE_WHY_ROOM]);

/* For reading. -1 and errno, which is ESTALE where it is not what was named any more. */
int tree_file_open(const struct tree_file *f, struct bytes name);
bool tree_file_is_unchanged(const struct tree_file *f, int fd);
void tree_file_release(struct tree_file *f);

#endif
