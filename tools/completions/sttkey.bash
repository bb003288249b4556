# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of sttkey for bash: the command, then its options, and files where there can be one.

_sttkey() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' one options=''
    COMPREPLY=()
    for one in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $one in
        gen | pub | seed | check | ticket) command=$one && break ;;
        esac
    done
    case $before in
    -o | --output | -I | --identity | --seed-file)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --seed-fd) return ;;
    esac
    case $command in
    '') options='gen pub seed check ticket --help --version' ;;
    gen | seed) options='--output' ;;
    ticket) options='--output --identity --seed-file --seed-fd --force' ;;
    pub | check)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}
complete -F _sttkey sttkey
