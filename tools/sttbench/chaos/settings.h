/* SPDX-License-Identifier: MIT
 * settings: how a host of a scenario is set up. */
#ifndef TOOLS_STTBENCH_CHAOS_SETTINGS_H
#define TOOLS_STTBENCH_CHAOS_SETTINGS_H

#include "tools/sttbench/chaos/chaos.h"

/* By the scenario's dice; who a number is, is the same in every scenario. */
struct stt_config settings_draw(struct chaos *c, uint32_t number, bool other_application);

#endif
