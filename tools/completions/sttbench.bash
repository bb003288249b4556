# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of sttbench for bash: a verb, or the options of a transfer; then the verb's options.

_sttbench() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=''
    local common='--json --plot --help --version'
    COMPREPLY=()
    case $before in
    --plot | --logfile | --pidfile | --seed-file | -I | --identity)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --preset)
        mapfile -t COMPREPLY < <(compgen -W 'balanced low-latency high-throughput' -- "$word")
        return
        ;;
    esac
    case ${COMP_WORDS[1]} in
    compare)
        options='--veth --only --suite --runs --seconds --warm-up --mtu --verify --copy --demand'
        options="$options --io --preset --ring --spin"
        ;;
    latency) options='' ;;
    handshake) options='' ;;
    sessions) options='' ;;
    streams) options='' ;;
    compare) options='' ;;
    latency) options='--time --only --spin --link-rate --link-rtt --suite --io --demand' ;;
    handshake) options='--count --demand' ;;
    sessions) options='--number --streams --sockets --time --suite --io --demand' ;;
    streams) options='--number --rate --rtt --loss --time --cc --seed --demand' ;;
    link) options='' ;;
    engine) options='--suite --quick --full --packets' ;;
    chaos) options='--seed --count --jobs --tell --tally' ;;
    cpu) options='--time --suite --mtu --io --preset --no-verify' ;;
    link)
        options='--rate --rtt --loss --queue --jitter --reorder --matrix --cc --preset --mtu --bytes --time --seeds --seed'
        ;;
    engine) options='' ;;
    chaos) options='' ;;
    cpu) options='' ;;
    doctor) options='' ;;
    *)
        options='--server --client --port --bind --ipv4 --ipv6 --time --bytes --interval --omit --parallel'
        options="$options --reverse --bidir --length --bitrate --no-verify --window --socket-buffer --affinity"
        options="$options --json-stream --title --logfile --one-off --daemon --pidfile --peer --seed-file --identity"
        options="$options --suite --preset --cc --mtu --dscp --io --connect-timeout --timeout"
        ;;
    esac
    [ "$COMP_CWORD" -gt 1 ] || options="$options compare latency handshake sessions streams link engine chaos cpu doctor"
    mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$word")
}
complete -F _sttbench sttbench
