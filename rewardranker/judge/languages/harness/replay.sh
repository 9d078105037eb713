# Runs trusted tests of any form against a stand-in for the program's function, which tells nothing of a program but
# what it printed. Without arguments the tests are recorded: the calls that they make are written to descriptor 3. With
# the argument "check" the stand-in prints what the program did (standard input), and what the tests' commands come to
# decides. They are the file "tests". Exit status 3: they cannot be recorded; 4: they make another call. Most calls are
# made in subshells: what they leave is files.

. ./values.sh
_judge_checking=$1 _judge_keys=() _judge_answers=() _judge_evaluated=''
RANDOM=1 # the same numbers in every run: the calls have to be the same too
: >made

# _judge_refuse STATUS REASON
_judge_refuse() {
    builtin printf 'these tests cannot be recorded: %s\n' "$2" >&2
    builtin printf '%s' "$1" >refused
    builtin exit "$1"
}

# _judge_read_answers: for each call three lines: its arguments, 1 and what was printed; or two, the second 0.
_judge_read_answers() {
    builtin local key count value
    while IFS= builtin read -r key && IFS= builtin read -r count; do
        _judge_keys+=("$key") value=''
        ((!count)) || IFS= builtin read -r value
        _judge_answers+=("$value")
    done
}

# _judge_made: sets _judge_number to how many calls were made.
_judge_made() {
    builtin local lines
    builtin mapfile -t lines <made
    _judge_number=${#lines[@]}
}

# _judge_call ARGUMENT...: takes the place of the function under test.
_judge_call() {
    builtin local key='' separator='' _judge_number
    while (($#)); do
        _judge_quote "$1" || _judge_refuse 3 'they hold text that is not UTF-8'
        key+=$separator$_judge_text separator=,
        builtin shift
    done
    _judge_made
    builtin printf '[%s]\n' "$key" >>made
    [[ $_judge_checking ]] || builtin return 0
    [[ "[$key]" == "${_judge_keys[_judge_number]-}" ]] || _judge_refuse 4 "call $((_judge_number + 1)) is another one"
    builtin printf '[%s]\n' "$_judge_number" >&3
    key=${_judge_answers[_judge_number]}
    [[ $key == \"*\" ]] || builtin return 1
    _judge_unquote "${key:1:-1}"
    # Tests that evaluate what a program printed would run it.
    [[ ! $_judge_evaluated || ! $_judge_text =~ [\$\`\|\<\>]|[[:alnum:]_][[:space:]]*\( ]] || builtin return 1
    builtin printf '%s\n' "$_judge_text"
}

# _judge_wrong COMMAND: one of the tests that fails is a check that is not met, of the last call.
_judge_wrong() {
    builtin local _judge_number
    [[ $_judge_checking ]] && ((!BASH_SUBSHELL)) || builtin return 0
    _judge_made
    _judge_quote "${1:0:160}" || _judge_text='"a check is not met"'
    builtin printf '[%s,%s]\n' "$((_judge_number ? _judge_number - 1 : 0))" "$_judge_text" >&3
}

# exit [STATUS]: with another status than 0, tests say that a check is not met.
exit() {
    ((${1:-0})) || builtin exit 0
    _judge_wrong "exit $1"
}

# _judge_end: what is left to say.
_judge_end() {
    builtin local calls key
    builtin trap - ERR
    [[ ! -e refused ]] || builtin exit "$(<refused)"
    if [[ $_judge_checking ]]; then
        builtin printf '[-1]\n' >&3
        builtin return 0
    fi
    builtin mapfile -t calls <made
    ((${#calls[@]})) || _judge_refuse 3 'they make no call'
    for key in "${!calls[@]}"; do
        _judge_quote "${calls[key]}"
        calls[key]="[false,[],[],$_judge_text]"
    done
    builtin local IFS=,
    builtin printf '{"calls":[%s]}\n' "${calls[*]}" >&3
}

[[ ! $_judge_checking ]] || _judge_read_answers
builtin set -E
builtin trap '_judge_wrong "$BASH_COMMAND"' ERR
. ./tests </dev/null
_judge_end
