# Read before the program (BASH_ENV): reads calls.json, opens the result stream, and defines what answers the
# calls, which the last line of program.sh starts. Knows no expected value. Shares a shell with the program,
# which may take it over: that buys the choice of what to answer, and answers are data, compared elsewhere.

builtin unset BASH_ENV
builtin exec {_judge_fd}>&3 3>&- 4<&- # out of the way of a program that uses descriptors itself
_judge_nonce='' _judge_entry='' _judge_replayed='' _judge_number=0 _judge_args=() _judge_counts=()

# _judge_send ENTRIES: one numbered line.
_judge_send() {
    builtin printf '["%s",%s,%s]\n' "$_judge_nonce" "$_judge_number" "$1" >&"$_judge_fd"
    _judge_number=$((_judge_number + 1))
}

# _judge_read_calls: fills the arrays from calls.json, in one pass over the pieces between quotation marks.
_judge_read_calls() {
    local parts=() part text='' inside=0 tail key='' string=''
    builtin local -i depth=0
    builtin mapfile -d '"' -t parts <calls.json
    for part in "${parts[@]}"; do
        if ((!inside)); then
            _judge_between "$part"
            inside=1 text=''
            continue
        fi
        text+=$part
        tail=${part##*[!\\]}
        if ((${#tail} % 2)); then
            text+='"' # it was escaped
            continue
        fi
        _judge_unquote "$text"
        string=$_judge_text inside=0
        if ((depth == 3)); then
            _judge_argument "$string"
        elif [[ $key == nonce ]]; then
            _judge_nonce=$string
        elif [[ $key == entry ]]; then
            _judge_entry=$string
        elif [[ $key == replayed ]]; then
            _judge_replayed=$string # then an answer is a list of one text, the value as JSON
        fi
    done
}

# _judge_between TEXT: what stands between two strings; belongs to _judge_read_calls.
_judge_between() {
    builtin local text="$1" word=''
    builtin local -i at
    for ((at = 0; at <= ${#text}; at++)); do
        case ${text:at:1} in
        [0-9a-zA-Z.+-]) word+=${text:at:1} && builtin continue ;;
        '[') depth+=1 && ((depth != 3)) || _judge_counts+=(0) ;;
        '{') depth+=1 ;;
        ':') key=$string ;;
        ',') ((depth > 1)) || key='' ;;
        esac
        if ((depth > 3)); then
            builtin printf 'an argument that is neither text nor a number\n' >&2
            builtin exit 3
        fi
        if [[ $word ]] && ((depth == 3)); then
            _judge_argument "$word"
        fi
        word=''
        [[ ${text:at:1} != [\]\}] ]] || depth+=-1
    done
}

# _judge_argument TEXT: one more argument of the last call.
_judge_argument() {
    _judge_args+=("$1")
    _judge_counts[-1]=$((_judge_counts[-1] + 1))
}

# _judge_answer_calls: each call in a subshell of its own; what it prints is the answer.
_judge_answer_calls() {
    builtin set -e # as the trusted tests do
    builtin local _judge_count _judge_output
    builtin local -i _judge_at=0
    _judge_send '"ready"'
    for _judge_count in "${_judge_counts[@]}"; do
        if builtin declare -F "$_judge_entry" >/dev/null; then
            builtin printf -v _judge_output %s \
                "$("$_judge_entry" "${_judge_args[@]:_judge_at:_judge_count}" {_judge_fd}>&-)"
            if _judge_quote "$_judge_output"; then
                [[ ! $_judge_replayed ]] || { _judge_quote "$_judge_text" && _judge_text="[$_judge_text]"; }
                _judge_send "\"value\",$_judge_text"
            else
                _judge_send '"opaque","output that is not UTF-8"'
            fi
        else
            _judge_send "\"error\",\"NameError\",\"the program does not define the function $_judge_entry\""
        fi
        _judge_at+=_judge_count
    done
    _judge_send '"done"'
}

_judge_read_calls
_judge_send '"begun"'
# Options that a program sets change how it is read: one that makes sense either way is a program.
if ! _judge_output=$("$BASH" -n program.sh 2>&1) && ! "$BASH" -O extglob -n program.sh 2>/dev/null; then
    _judge_quote "${_judge_output:0:200}" || _judge_text='""'
    _judge_send "\"compile\",\"SyntaxError\",$_judge_text"
    builtin exit 2
fi
