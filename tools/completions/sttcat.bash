# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of sttcat for bash: options, what they take where that is known, and names of hosts.

_sttcat_known() {
    local folder=${STT_CONFIG_DIR:-${XDG_CONFIG_HOME:-$HOME/.config}/stt}
    sed -n 's/^ *\([^ #][^ ]*\) .*/\1/p' "$folder/known_peers" 2>/dev/null
}

_sttcat() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words='' options
    options='--listen --keep-open --ipv4 --ipv6 --numeric --verbose --scan --no-stdin --send-only --recv-only
        --connect-timeout --idle-timeout --source --source-port --identity --peer --ticket-file --seed-file --seed-fd --code
        --code-fd --allow --allow-file --forget --send --recv --exec --forward --permit --streams --preset --cc
        --rate --mtu --dscp --io --keep-alive --timeout --progress --quiet --json --stats --trace --keylog --raw
        --application --help --version'
    COMPREPLY=()
    case $before in
    -I | --identity | --ticket-file | --seed-file | --allow-file | --send | --trace | --keylog)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --recv)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
        ;;
    --exec)
        mapfile -t COMPREPLY < <(compgen -c -- "$word")
        return
        ;;
    --forget) words=$(_sttcat_known) ;;
    --preset) words='balanced low-latency high-throughput' ;;
    --cc) words='tide cubic bbr' ;;
    --io) words='uring mmsg' ;;
    -w | -i | -s | -p | -L | --connect-timeout | --idle-timeout | --source | --source-port | --peer | --seed-fd | \
        --code-fd | --allow | --forward | --permit | --streams | --rate | --mtu | --dscp | --keep-alive | \
        --timeout | --application) return ;;
    *)
        if [[ $word != -* ]]; then
            mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
            return
        fi
        words=$options
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    if [[ $before = --forget && $(type -t __ltrim_colon_completions) = function ]]; then
        __ltrim_colon_completions "$word"
    fi
}
complete -F _sttcat sttcat
