/* SPDX-License-Identifier: MIT */
#include "tools/sttcat/peer.h"
const struct job files_give_job, files_take_job, forward_job, permit_job;
