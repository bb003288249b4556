/* SPDX-License-Identifier: MIT
 * processor: owns the looks at what computes, and at what tells the time. */
#include "tools/sttbench/doctor/finding.h"

#include "crypto/aead.h"
#include "crypto/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

void look_at_aes(struct finding *f)
{
    uint32_t cpu = stt_cpu_detect();
    if (cpu & STT_CPU_AES) {
        finding_is(f, "AES%s%s", cpu & STT_CPU_VAES ? ", VAES" : "",
                   cpu & STT_CPU_VAES512 ? ", VAES on 512 bits" : "");
        return;
    }
    finding_is(f, "none that STT can use: ciphers are slower");
    finding_mend(f, "in a virtual machine, show it the host's processor (qemu: -cpu host); "
                    "elsewhere there is no help");
}

/* All that this processor can run, with the one that is chosen first. */
void look_at_suite(struct finding *f)
{
    uint8_t ids[STT_AEAD_IDS];
    uint32_t cpu = stt_cpu_detect();
    size_t n = stt_aead_offer(ids, cpu), at = 0;
    char names[FINDING_ROOM] = "";
    for (size_t i = 0; i < n && at < sizeof names; i++) {
        const struct stt_aead_suite *s = stt_aead_by_id(ids[i], cpu);
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s (%s)", i ? ", " : "", s->name,
                               s->variant);
    }
    finding_is(f, "%s", names);
}

void look_at_processors(struct finding *f)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) {
        finding_is(f, "cannot be counted");
        return;
    }
    f->value = CPU_COUNT(&allowed);
    finding_is(f, "%.0f for this process", f->value);
    if (f->value < 2)
        finding_mend(f, "taskset -pc 0-1 $$ (or give the machine another one): two ends that "
                        "share a processor are not two");
}

void look_at_governor(struct finding *f)
{
    char governor[32];
    if (!finding_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor,
                      sizeof governor)) {
        finding_is(f, "none here: the host, or the firmware, decides");
        return;
    }
    finding_is(f, "%s", governor);
    if (strcmp(governor, "powersave") == 0 || strcmp(governor, "ondemand") == 0)
        finding_mend(f, "cpupower frequency-set -g performance");
}

void look_at_clock(struct finding *f)
{
    static const char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    char clock[32];
    finding_is(f, "%s", finding_read(path, clock, sizeof clock) ? clock : "cannot be seen");
    if (strcmp(clock, "hpet") == 0 || strcmp(clock, "acpi_pm") == 0 ||
        strcmp(clock, "jiffies") == 0)
        finding_mend(f, "echo tsc > %s", path);
}

/* No fault: but figures of such a machine move with its neighbours. */
void look_at_virtualisation(struct finding *f)
{
    char line[4096], product[64];
    bool is_virtual = false;
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && !is_virtual && fgets(line, sizeof line, file))
        is_virtual = strncmp(line, "flags", 5) == 0 && strstr(line, " hypervisor");
    if (file)
        fclose(file);
    finding_read("/sys/class/dmi/id/product_name", product, sizeof product);
    finding_is(f, "%s%s%s%s", is_virtual ? "a virtual machine" : "none seen", *product ? ", " : "",
               product, is_virtual ? ": measure more than once, its neighbours count" : "");
}
