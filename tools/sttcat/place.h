/* SPDX-License-Identifier: MIT
 * place: a directory below which what comes is put, and never elsewhere (spec 10, "Files"). */
#ifndef TOOLS_STTCAT_PLACE_H
#define TOOLS_STTCAT_PLACE_H

#include "tools/sttcat/wire.h"

#include <sys/uio.h>

enum { PLACE_LEAF_ROOM = 256 };

struct place {
    int fd;
    bool has_openat2; /* else the way down is gone step by step */
    int error;        /* errno of the last outcome that is not done */
    char why[160];    /* and what people are told */
};

/* Makes the directory, if only its last part is missing. False: see why. */
bool place_open(struct place *p, const char *path);
void place_close(struct place *p);
/* Whether the disk is at its end, so that nothing else will be written either. */
bool place_is_hopeless(const struct place *p);

/* Names are valid (wire.h). */
enum wire_outcome place_directory(struct place *p, struct bytes name);
enum wire_outcome place_directory_end(struct place *p, struct bytes name, uint16_t mode,
                                      int64_t modified_ns);
enum wire_outcome place_link(struct place *p, struct bytes name, struct bytes target,
                             int64_t modified_ns);

/* A file that is there, or one that comes: then it is locked, and has a name of its own until it is
 * kept. */
struct place_file {
    int dir, fd;
    bool is_there;  /* nothing of it is ours */
    uint64_t bytes; /* it has already */
    char leaf[PLACE_LEAF_ROOM], part[PLACE_LEAF_ROOM];
};

/* OUTCOME_DONE: it is open, for reading if it is there, else for both. */
enum wire_outcome place_file_open(struct place *p, struct bytes name, struct place_file *f);
/* It is there, and what was sent: if it was kept by somebody who had no time to take the mark off,
 * that is done now. */
void place_file_accept(struct place_file *f, uint16_t mode);
/* Only to its end. */
enum wire_outcome place_file_write(struct place *p, struct place_file *f, struct iovec *parts,
                                   int n);
enum wire_outcome place_file_hole(struct place *p, struct place_file *f, uint64_t bytes);
enum wire_outcome place_file_restart(struct place *p, struct place_file *f);
/* It is whole: mode, times and name. */
enum wire_outcome place_file_keep(struct place *p, struct place_file *f, uint16_t mode,
                                  int64_t modified_ns);
/* What is not kept waits for another try, unless there is nothing in it or it is of no use. */
void place_file_close(struct place_file *f, bool is_useless);

/* The name that a file has until it is kept. */
void place_part_name(const char *leaf, char part[PLACE_LEAF_ROOM]);

#endif
