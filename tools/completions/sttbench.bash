# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of sttbench for bash: a verb, or the options of a transfer; then the verb's options.

_sttbench() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options=''
    local verbs='compare latency handshake sessions streams link engine chaos cpu doctor'
    local common='--json --plot --help --version'
    COMPREPLY=()
    case $before in
    --plot | --logfile | --pidfile | --seed-file | -I | --identity)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --suite)
        mapfile -t COMPREPLY < <(compgen -W 'aegis-128x2 aegis-128l aes-256-gcm chacha20-poly1305 null' -- "$word")
        return
        ;;
    --io)
        mapfile -t COMPREPLY < <(compgen -W 'uring mmsg' -- "$word")
        return
        ;;
    -C | --cc)
        mapfile -t COMPREPLY < <(compgen -W 'tide cubic bbr' -- "$word")
        return
        ;;
    --preset)
        mapfile -t COMPREPLY < <(compgen -W 'balanced low-latency high-throughput' -- "$word")
        return
        ;;
    esac
    case ${COMP_WORDS[1]} in
    compare)
        options='--veth --only --suite --runs --time --warm-up --mtu --io --preset --ring --spin'
        options="$options --verify --copy --demand"
        ;;
    latency) options='--time --only --spin --rate --rtt --suite --io --demand' ;;
    handshake) options='--count --demand' ;;
    sessions) options='--count --streams --sockets --time --suite --io --demand' ;;
    streams) options='--count --time --rate --rtt --loss --cc --seed --demand' ;;
    link)
        options='--rate --rtt --loss --queue --jitter --reorder --reorder-by --aggregate --back-rate --police'
        options="$options --police-burst --mark --step --vs --flows --stagger --app-rate --matrix --group --cc"
        options="$options --preset --mtu --bytes --time --from --seeds --seed --demand"
        ;;
    engine) options='--suite --quick --full --packets --demand' ;;
    chaos) options='--seed --count --jobs --tell --tally' ;;
    cpu) options='--time --suite --mtu --io --preset --no-verify' ;;
    doctor) options='' ;;
    help) options=$verbs ;;
    *)
        options='--server --client --port --bind --ipv4 --ipv6 --time --bytes --interval --omit --parallel'
        options="$options --reverse --bidir --length --bitrate --no-verify --window --socket-buffer --affinity"
        options="$options --json-stream --title --logfile --one-off --daemon --pidfile --peer --seed-file --identity"
        options="$options --suite --preset --cc --mtu --dscp --io --connect-timeout --timeout"
        ;;
    esac
    [ "$COMP_CWORD" -gt 1 ] || options="$options help $verbs"
    mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$word")
}
complete -F _sttbench sttbench
