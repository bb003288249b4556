# SPDX-License-Identifier: MIT
# Reads `ctest -V`; writes a line for each test program, after a failed one the end of its output,
# and to the file `results` a line "part passed failed skipped". Check's closing line says how many
# checks a program made; a program without one is a single check.
function tell(word, detail, skipped)
{
    if (word == "skipped")
        print "skipped: " name " (" detail ")"
    else
        printf "%-8s %-40s %s\n", word, name, detail
    print part, passed[id] + 0, failed[id] + 0, skipped + 0 >>results
    close(results)
}

function tell_failure(verdict,    i)
{
    failed[id] += !failed[id]
    tell("FAILED", verdict ", " passed[id] + 0 " checks passed, " failed[id] " failed")
    for (i = lines[id] > 30 ? lines[id] - 29 : 1; i <= lines[id]; i++)
        print "    " output[id, i]
}

/^[0-9]+: / {
    id = $1 + 0
    text = substr($0, index($0, ": ") + 2)
    if (text ~ /^[0-9]+%: Checks: /) {
        split(text, words, /[:,] */) # "100%" "Checks" "12" "Failures" "0" "Errors" "0"
        closed[id] = 1
        passed[id] += words[3] - words[5] - words[7]
        failed[id] += words[5] + words[7]
    } else if (text !~ /^(Test command|Working Directory|Test timeout computed|Running suite)/) {
        output[id, ++lines[id]] = text
    }
    next
}

/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
    sub(/^[^#]*#/, "")
    id = $1 + 0
    name = $2
    seconds = $(NF - 1)
    sub(/^[^ ]+ +[^ ]+ +\.* */, "")
    sub(/ +[0-9.]+ sec *$/, "")
    if (/^\*\*\*Skipped/) {
        tell("skipped", lines[id] ? output[id, lines[id]] : "no reason given", 1)
    } else if (/^Passed/ && (!closed[id] || passed[id] > 0)) {
        passed[id] += !closed[id]
        tell("ok", sprintf("%4d checks %7.2f s", passed[id], seconds))
    } else {
        sub(/^\*\*\*|\*\*\*Exception: *$/, "")
        tell_failure(/^Passed/ ? "No checks" : $0)
    }
    fflush()
}
