# Runs one command on a machine of which nothing is known but bash and the usual utilities, and leaves in out/ what
# became of it. What varies stands above these lines, see remote_script.py. The working directory holds:
#   in/     standard input and the completion token, gone before the command starts
#   setup/  what the command may read
#   work/   the command's own directory
#   out/    ours: before, wall (the clock ran out), over (too much was written), output, errors, results,
#           times, file.N, and at the end status

refuse() {
    echo "$1" >&2
    exit 70
}

# As root, the command gets a user id that nobody else has (where the machine has no such ids, nobody's), and where
# the server may do that, no network.
become_another() {
    ((EUID == 0)) || return 0
    ! unshare --net --ipc true || apart=(unshare --net --ipc)
    for user in $(((1 << 30) + (RANDOM << 15 | RANDOM))) 65534; do
        become=(setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all --no-new-privs)
        if "${become[@]}" true; then
            own=$((user != 65534))
            return 0
        fi
    done
    refuse "the server is root and cannot become another user with setpriv; programs do not run as root"
}

arrange() {
    mkdir -p setup work out && mkfifo out/{output,errors,results}.pipe && chmod 711 . &&
        chmod -R a+rX setup && chmod -R 700 work && chmod 444 in/stdin || refuse "no directory to work in"
    exec 5<in/stdin 6<in/token
    exec 4< <(exec cat <&6) 6<&-
    if ((user != EUID)); then # some runtimes open their descriptors again, by name
        chown -R "$user:$user" work && chown "$user" out/*.pipe /proc/self/fd/4 || refuse "no files for user $user"
    fi
    times >out/before
    rm -rf in
}

limit() {
    local tasks=$processes all
    if ((!own)); then # the kernel counts every task of the user
        all=(/proc/[0-9]*/task/[0-9]*)
        tasks=$((processes + ${#all[@]}))
    fi
    ulimit -c 0 && ulimit -n 256 && ulimit -f "$file_kb" && ulimit -u "$tasks" && ulimit -t "$cpu_s" &&
        ulimit "-$memory_kind" "$memory_kb"
}

# Takes a byte more than may be written, which shows that it was, and then ends the command, to which its pipe still
# looks whole.
capped() {
    head -c "$(($2 + 1))" >"out/$1"
    (($(wc -c <"out/$1") <= $2)) || { touch out/over && kill -KILL -- "-$pid" "$pid"; }
}

# Each job is a process group.
start() {
    set -m
    (
        exec <&5 >out/output.pipe 2>out/errors.pipe 3>out/results.pipe 5<&-
        cd work && limit || exec touch ../out/refused
        exec "${apart[@]}" "${become[@]}" env -i "${environment[@]}" "${command[@]}"
    ) &
    pid=$!
    exec 4<&- 5<&-
    capped output "$output_bytes" <out/output.pipe &
    drains+=($!)
    capped results "$results_bytes" <out/results.pipe &
    drains+=($!)
    { head -c "$errors_bytes" >out/errors && exec cat; } <out/errors.pipe &
    drains+=($!)
    { sleep "$wall_s" && touch out/wall && kill -KILL -- "-$pid" "$pid"; } &
    clock=$!
    set +m # with job control, wait would return for a command that only stops
}

# The command's process group, and with a user id of its own whatever has left that; then what holds its pipes.
end_all() {
    kill -KILL -- "-$pid" "$pid" "-$clock"
    ((!own)) || "${become[@]}" "$BASH" -c 'kill -KILL -1'
    set -m
    { sleep 5 && kill -KILL -- "${drains[@]/#/-}"; } &
    clock=$!
    set +m
    wait "${drains[@]}"
    kill -KILL -- "-$clock"
}

# Read as the command's user, who may have put a link there.
bring_back() {
    local number
    for number in "${!collect[@]}"; do
        (cd work && "${become[@]}" sh -c '[ -f "$1" ] && [ ! -L "$1" ] && exec head -c "$2" -- "$1"' \
            sh "${collect[number]}" "$((collect_bytes + 1))") >"out/file.$number" || rm -f "out/file.$number"
    done
}

main() {
    exec </dev/null >/dev/null
    export LC_ALL=C
    umask 077
    local apart=() become=() user=$EUID own=0 pid clock drains=() status
    become_another
    arrange
    start
    wait "$pid"
    status=$?
    times >out/times
    end_all
    [ ! -e out/refused ] || refuse "limits could not be set: the server's own are lower"
    bring_back
    rm -rf work # folders by the thousand within each other are more than every server can remove
    ((keep_output)) && [ ! -e out/over ] || : >out/output
    echo "$status" >out/status
}

main
exit
