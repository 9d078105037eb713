# JSON texts, for the driver and for the recorder. Everything is named _judge_*, so that it is out of a
# program's way, and works under whatever options a program has set.

# _judge_quote TEXT: sets _judge_text to the JSON string; status 1 where TEXT is not UTF-8. In pieces:
# bash takes longer for each further replacement in a long text.
_judge_quote() {
    builtin local LC_ALL=C text="$1"
    builtin local -i at
    _judge_text='"'
    for ((at = 0; at < ${#text}; at += 16384)); do
        _judge_escape "${text:at:16384}"
    done
    _judge_text+='"'
    [[ $text != *[$'\x80'-$'\xff']* ]] || _judge_is_utf8 "$text"
}

# _judge_escape TEXT: adds TEXT to _judge_text; belongs to _judge_quote.
_judge_escape() {
    builtin local text="$1" control code
    text=${text//\\/"\\\\"}
    text=${text//\"/"\\\""}
    text=${text//$'\n'/"\\n"}
    text=${text//$'\t'/"\\t"}
    text=${text//$'\r'/"\\r"}
    if [[ $text == *[$'\x01'-$'\x1f']* ]]; then
        for code in 0{1..9} 0{a..f} 1{0..9} 1{a..f}; do
            builtin printf -v control %b "\\x$code"
            text=${text//"$control"/"\\u00$code"}
        done
    fi
    _judge_text+=$text
}

# _judge_is_utf8 TEXT: every sequence of bytes that is a character is taken out; nothing may be left.
_judge_is_utf8() {
    builtin local rest="$1"
    rest=${rest//[$'\xf1'-$'\xf3'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']/_}
    rest=${rest//$'\xf0'[$'\x90'-$'\xbf'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']/_}
    rest=${rest//$'\xf4'[$'\x80'-$'\x8f'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']/_}
    rest=${rest//[$'\xe1'-$'\xec'$'\xee'$'\xef'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']/_}
    rest=${rest//$'\xe0'[$'\xa0'-$'\xbf'][$'\x80'-$'\xbf']/_}
    rest=${rest//$'\xed'[$'\x80'-$'\x9f'][$'\x80'-$'\xbf']/_}
    rest=${rest//[$'\xc2'-$'\xdf'][$'\x80'-$'\xbf']/_}
    [[ $rest != *[$'\x80'-$'\xff']* ]]
}

# _judge_unquote TEXT: sets _judge_text to what the inside of a JSON string stands for.
_judge_unquote() {
    builtin local LC_ALL=C.UTF-8 text="$1" pair point
    _judge_text=$text
    [[ $text == *\\* ]] || builtin return 0
    text=${text//\\\\/"\\u005c"}
    text=${text//\\\"/"\\u0022"}
    text=${text//\\\//\/}
    while [[ $text =~ \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2} ]]; do
        pair=${BASH_REMATCH[0]}
        point=$((0x10000 + ((0x${pair:2:4} - 0xd800) << 10) + (0x${pair:8:4} - 0xdc00)))
        builtin printf -v point '\\U%08x' "$point"
        text=${text//"$pair"/"$point"}
    done
    builtin printf -v _judge_text %b "$text"
}
