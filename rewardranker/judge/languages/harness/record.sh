# Read before trusted tests (BASH_ENV), whose checks were turned into calls of _judge_record; writes the calls
# that they make, and the values that they expect, to descriptor 3.

builtin unset BASH_ENV
_judge_calls='' _judge_expected=''

# _judge_refuse REASON: exit status 3, tests of a form that is not data.
_judge_refuse() {
    builtin printf 'these tests cannot be recorded: %s\n' "$1" >&2
    builtin exit 3
}

# _judge_record EXPECTED ARGUMENT...: one check.
_judge_record() {
    builtin local call='' separator=''
    _judge_quote "$1" || _judge_refuse 'they hold text that is not UTF-8'
    _judge_expected+=${_judge_expected:+,}$_judge_text
    builtin shift
    while (($#)); do
        _judge_quote "$1" || _judge_refuse 'they hold text that is not UTF-8'
        call+=$separator$_judge_text separator=,
        builtin shift
    done
    _judge_calls+=${_judge_calls:+,}[$call]
}

# _judge_write: the end of the tests.
_judge_write() {
    [[ $_judge_calls ]] || _judge_refuse 'they hold no check'
    builtin printf '{"calls":[%s],"expected":[%s]}\n' "$_judge_calls" "$_judge_expected" >&3
}
