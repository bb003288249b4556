/* SPDX-License-Identifier: MIT */
#include "tools/sttcat/peer.h"
const struct job forward_job, permit_job;
