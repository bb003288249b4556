/* SPDX-License-Identifier: MIT
 * sttcat: pipes bytes between two machines. */
#include "tools/common/exits.h"
#include "tools/common/known.h"
#include "tools/common/say.h"
#include "tools/common/secrets.h"
#include "tools/sttcat/cat.h"

#include <fcntl.h>
#include <unistd.h>

/* Nothing that is opened later may become standard input, output or error by accident. What was
 * closed is an input without bytes; an output that cannot be written to: a folder, which nobody can
 * open anew for writing either. */
static void keep_standard_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!(fd == STDOUT_FILENO ? open("/", O_RDONLY) : open("/dev/null", O_RDWR));
}

static int forget(const char *name)
{
    char why[OPTION_WHY_ROOM];
    if (known_forget(name, why) == KNOWN_YES) {
        say_note(0, "%s is forgotten", name);
        return EXIT_DONE;
    }
    say_error("%s", why);
    return EXIT_LOCAL_IO;
}

int main(int argc, char **argv)
{
    static struct plan plan;
    char why[OPTION_WHY_ROOM];
    bool is_over = false;
    keep_standard_descriptors();
    secrets_protect_process();
    say_begin("sttcat", 0, false);
    if (!plan_read(&plan, argc, argv, &is_over, why)) {
        say_error("%s", why);
        return EXIT_USAGE;
    }
    if (is_over)
        return EXIT_DONE;
    say_begin("sttcat", plan.flags.quiet ? -1 : plan.flags.verbose, plan.flags.json);
    return plan.flags.forget ? forget(plan.flags.forget) : cat_run(&plan);
}
