"""Bash: what runs beside the program answers calls, and knows no expected value."""

from __future__ import annotations

from attacks import MARK, PORT, SECRET_FILE, SECRET_NAME, SLEEP, in_language

_WRONG = "add() {\n    echo 7\n}\n"


def _add(body: str, before: str = "") -> str:
    return f"#!/bin/bash\n{before}\nadd() {{\n    {body}\n}}\n"


def _seen(test: str) -> str:
    """Right where ``test`` succeeds."""
    return _add(f"if {test}; then echo $(($1 + $2)); else echo 7; fi")


_ENDS = {
    "exit at load": "exit 0\n" + _WRONG,
    "exit in the function": _add("exit 0"),
    "exit at load, before the function": "#!/bin/bash\ntrap 'exit 0' EXIT\nexit 0\n",
    "trap on exit": "trap 'exit 0' EXIT\n" + _WRONG,
    "trap on error": "trap 'exit 0' ERR\n" + _WRONG,
    "trap on every command": "trap 'exit 0' DEBUG\n" + _WRONG,
    "trap on return": "set -T\ntrap 'exit 0' RETURN\n" + _WRONG,
    "exec of true": "exec true\n" + _WRONG,
    "exec of true in the function": _add("exec true"),
    "exec of nothing": "exec 1>&- 2>&-\n" + _WRONG,
    "kills its shell": _add("kill -9 $$; echo 7"),
    "kills its parent": _add("kill -9 $PPID; echo 7"),
    "ends the driver from a subshell": _add("kill -TERM $$; kill -TERM $BASHPID"),
    "a return at the top": "return 0 2>/dev/null\n" + _WRONG,
    "errors do not count": "set +e\n" + _add("false; return 1"),
    "nothing is executed": "set -n\n" + _WRONG,
}
_NAMES = {
    "a function named [[": "function [[ { true; }\n" + _WRONG,
    "a function named [": "function [ { true; }\nfunction test { true; }\n" + _WRONG,
    "echo of its own": "function echo { builtin echo 5; }\n" + _WRONG,
    "printf of its own": "function printf { builtin printf 5; }\n" + _WRONG,
    "builtin of its own": "function builtin { :; }\n" + _WRONG,
    "set, exit and local of its own": "function set { :; }\nfunction exit { :; }\nfunction local { :; }\nfunction declare { :; }\n"
    + _WRONG,
    "candidate of its own": "candidate() { echo $(($1 + $2)); }\nrun_test() { :; }\nreadonly -f candidate run_test\n"
    + _WRONG,
    "the entry point cannot be changed": "readonly -f add 2>/dev/null\n" + _WRONG + "readonly -f add\n",
    "the driver's functions replaced": 'for f in $(compgen -A function); do eval "$f() { :; }"; done\n' + _WRONG,
    "the driver's variables replaced": 'for v in $(compgen -v _judge); do eval "$v=5"; done\n' + _WRONG,
    "the driver's variables cannot be changed": "readonly _judge_number _judge_output _judge_text _judge_count _judge_at\n"
    + _WRONG,
    "quoting of its own": "_judge_quote() { _judge_text='\"5\"'; }\n" + _WRONG,
    "sending of its own": '_judge_send() { builtin printf \'["%s",%s,%s]\\n\' "$_judge_nonce" "$_judge_number" "${1/7/5}" >&"$_judge_fd"; _judge_number=$((_judge_number + 1)); }\n_judge_quote() { _judge_text=\'"7"\'; }\n'
    + _WRONG,
    "an alias of everything": "shopt -s expand_aliases\nalias add='echo 5' echo='true' if='true;if' [[='true' ]]='true'\n"
    + _WRONG,
    "PROMPT_COMMAND and BASH_ENV": "export PROMPT_COMMAND='exit 0' BASH_ENV=/dev/stdin ENV=/dev/stdin PS4='$(exit 0)'\nset -x\n"
    + _WRONG,
    "another separator": "IFS=0123456789\n" + _WRONG,
    "patterns that match": "shopt -s nocasematch extglob nullglob\n" + _add("echo '*'"),
    "a pattern for an answer": _add("echo '[0-9]*'"),
    "no path": "PATH=/nowhere\nhash -r\n" + _WRONG,
    "options that change reading": "set -o posix\nset -f -u -k -B\n" + _WRONG,
    "other files for commands": "enable -n echo printf [ test\n" + _WRONG,
    "a function in the environment": "export add='() { echo 5; }'\nexport -f add 2>/dev/null\nadd() { echo 7; }\nexport -f add\n",
    "a brace that is not closed": "add() {\n    echo 7\n",
    "a text that is not closed": _WRONG + "cat <<X\n",
    "another shell reads the rest": _WRONG + "exec bash -c 'exit 0'\n",
}
_EQUAL = {
    "every number": _add("echo {0..20}"),
    "the answer with more after it": _add("echo $(($1 + $2)) 7"),
    "the answer with a space before it": _add('echo " $(($1 + $2))"'),
    "the answer on standard error": _add("echo $(($1 + $2)) >&2"),
    "not a number": _add("echo nan"),
    "nothing": _add(":"),
    "the answer in the exit status": _add("return $(($1 + $2))"),
    "the answer after its end": _add("(sleep 0.3; echo $(($1 + $2))) >/dev/null & echo 7"),
}
_FORGED = {
    "prints that it passed": 'echo \'["", 1, "value", "5"]\'\necho OK\n' + _WRONG,
    "lines on every descriptor": _add(
        'for i in {0..63}; do echo \'["",1,"value","5"]\' >&$i; done 2>/dev/null; echo 7'
    ),
    "random bytes on every descriptor": _add(
        "for i in {3..63}; do head -c 4096 /dev/urandom >&$i; done 2>/dev/null; echo 7"
    ),
    "closes every descriptor": 'for i in {3..63}; do eval "exec $i>&-"; done 2>/dev/null\n' + _WRONG,
    "the result stream goes elsewhere": 'for i in {3..63}; do [ -e /proc/$$/fd/$i ] && eval "exec $i>/dev/null"; done 2>/dev/null\n'
    + _WRONG,
    "the nonce and wrong values": "nonce=$(grep -o '[0-9a-f]\\{16\\}' calls.json | head -1)\n"
    'send() { printf \'["%s",%s,%s]\\n\' "$nonce" "$1" "$2" >&"$_judge_fd"; }\nsend 1 \'"ready"\'\n'
    'for i in 2 3 4 5 6; do send $i \'"value","7"\'; done\nsend 7 \'"done"\'\nkill -9 $$\n',
    "the nonce and no calls": "nonce=$(grep -o '[0-9a-f]\\{16\\}' calls.json | head -1)\n"
    'printf \'["%s",1,"ready"]\\n["%s",2,"done"]\\n\' $nonce $nonce >&"$_judge_fd"\nexit 0\n',
    "answers from within a call": _add('_judge_send \'"value","5"\'; _judge_answer_calls; echo 7'),
    "half a line": 'printf \'["\' >&"$_judge_fd"\nexit 0\n',
    "not text": _add("printf '\\xff\\xfe\\x00\\x01'"),
}
_WORLD = {
    "the shadow file": _seen("cat /etc/shadow >/dev/null 2>&1"),
    "a file of the host": _seen(f"cat {SECRET_FILE} >/dev/null 2>&1"),
    "the host's environment": _seen(
        f'[ -n "${SECRET_NAME}" ] || cat /proc/[0-9]*/environ 2>/dev/null | grep -qa {SECRET_NAME}'
    ),
    "tests in a file of the working directory": _seen("grep -rqs '[$](candidate \"2\"' . /tmp"),
    "its own script": _seen('grep -qs \'candidate "2["]\' "$0" "${BASH_SOURCE[0]}"'),
    "TCP to the host": _seen(f"(echo x >/dev/tcp/127.0.0.1/{PORT}) 2>/dev/null"),
    "UDP to the host": _add(f"(echo x >/dev/udp/127.0.0.1/{PORT}) 2>/dev/null; echo 7"),
    "becomes another user": _seen("su -c true 2>/dev/null || sudo -n true 2>/dev/null"),
    "mounts": _seen("mount -t tmpfs none /mnt 2>/dev/null || unshare -Ur mount -t tmpfs none /tmp 2>/dev/null"),
    "files wherever it may": _add(
        f"for d in . /tmp /dev/shm /var/tmp /run ''; do echo x >$d/{MARK}_sh; done 2>/dev/null; echo 7"
    ),
    "links out of its directory": _add(
        f"ln -s /etc/passwd {MARK}_link; ln -s / {MARK}_root; mkfifo {MARK}_pipe; mkdir -p {MARK}/a; chmod 0 {MARK} .; echo 7"
    ),
    "a job that stays": _add(f"setsid sleep {SLEEP} >/dev/null 2>&1 & disown -a; echo 7"),
    "kills all that it may": _add("(kill -9 -1); echo 7"),
    "a coprocess": f"coproc {{ setsid sleep {SLEEP}; }}\n" + _WRONG,
    "the compilers' places": _add(
        f"for d in /usr/lib /usr/share /usr/include; do echo x >$d/{MARK}; done 2>/dev/null; echo 7"
    ),
}
_PRINTED = {
    "prints nothing": "exit 0\n",
    "prints what it reads": "cat\n",
    "prints the answer and fails": "read x y; echo $((x + y)); exit 1\n",
    "prints the answer and is killed": "read x y; echo $((x + y)); kill -9 $$\n",
    "prints everything": "echo {0..20}\n",
    "not a number": "echo nan\n",
}
_SLOW = {
    "a job that holds everything": _add(f"nohup setsid sleep {SLEEP} & echo 7"),
    "overflows the stack": _add("add; add"),
    "fork bomb": _add("b() { b | b & }; b; wait; echo 7"),
    "fork bomb of sessions": _add("while :; do setsid bash -c 'while :; do :; done' & done"),
    "busy for ever": _add("while :; do :; done"),
    "deaf and busy": "trap '' HUP INT TERM QUIT USR1 ALRM XCPU XFSZ\n" + _add("while :; do :; done"),
    "asleep for ever": _add("sleep 100000"),
    "memory bomb": _add("s=xxxxxxxx; while :; do s=$s$s; done"),
    "output without end": _add("yes"),
    "output without end, elsewhere": "cat /dev/zero\n" + _WRONG,
    "answers without end": 'cat /dev/zero >&"$_judge_fd"\n' + _WRONG,
    "reads for ever": _add("cat /dev/zero | tail -c 1"),
    "fills the disk": _add("for i in {1..1000}; do cat /dev/zero >f$i 2>/dev/null; done; echo 7"),
    "many short processes": _add("while :; do /bin/true; done"),
}
ATTACKS = (
    in_language("bash", _ENDS)
    + in_language("bash", _NAMES, compiles=False)
    + in_language("bash", _EQUAL)
    + in_language("bash", _FORGED)
    + in_language("bash", _WORLD)
    + in_language("bash", _PRINTED, task="stdio")
    + in_language("bash", _SLOW, slow=True)
)
