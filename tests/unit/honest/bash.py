"""Bash that answers rightly, in the styles that people and models write it in; and some that does not."""

from __future__ import annotations

FUNCTIONS = r"""
=== arithmetic
--- "3" "4" --> "7"
--- "-1" "1" --> "0"
f() {
    local a=$1 b=$2
    echo $((a + b))
}
=== the old kind of function
--- "5" --> "120"
--- "0" --> "1"
function f {
    typeset n=$1 r=1
    while [ "$n" -gt 1 ]; do let "r *= n"; let n--; done
    print() { printf '%s\n' "$@"; }
    print "$r"
}
=== recursion by substitution
--- "10" --> "55"
--- "1" --> "1"
f() { if (( $1 < 2 )); then echo "$1"; else echo $(( $(f $(($1 - 1))) + $(f $(($1 - 2))) )); fi; }
=== recursion by backquotes and expr
--- "5" --> "15"
--- "0" --> "0"
f() { if [ $1 -eq 0 ]; then echo 0; else echo `expr $1 + \`f \\\`expr $1 - 1\\\`\``; fi; }
=== an array that is read
--- "3 1 2" --> "1 2 3"
--- "" --> ""
f() {
    local -a l
    read -r -a l <<< "$1"
    IFS=$'\n' l=($(sort -n <<< "${l[*]}")); unset IFS
    echo "${l[*]}"
}
=== an associative array
--- "b a b" --> "a:1 b:2"
--- "" --> ""
f() {
    declare -A n
    local w out=()
    for w in $1; do n[$w]=$((${n[$w]:-0} + 1)); done
    for w in $(printf '%s\n' "${!n[@]}" | sort); do out+=("$w:${n[$w]}"); done
    echo "${out[@]}"
}
=== mapfile and process substitution
--- "c,a,b" --> "a-b-c"
--- "x" --> "x"
f() { local l; mapfile -t l < <(tr ',' '\n' <<< "$1" | sort); local IFS=-; echo "${l[*]}"; }
=== a loop that reads a here-string
--- "a=1;b=2" --> "b 2 a 1 "
--- "" --> ""
f() {
    local out='' k v
    while IFS='=' read -r k v; do [[ -n $k ]] && out="$k $v $out"; done <<< "${1//;/$'\n'}"
    printf '%s' "$out"
}
=== a here-document
--- "Ann" --> "Dear Ann,\n    bye \$1"
f() {
    cat <<-END
	Dear $1,
	    bye \$1
	END
}
=== awk
--- "1 2 3 4" --> "10 2.50"
--- "7" --> "7 7.00"
f() { echo "$1" | awk '{ for (i = 1; i <= NF; i++) s += $i; printf "%d %.2f\n", s, s / NF }'; }
=== awk with a program over lines
--- "the cat the dog" --> "the=2"
--- "one" --> "one=1"
f() {
    tr ' ' '\n' <<< "$1" | awk '
        { n[$1]++ }
        END {
            for (w in n) if (n[w] > best) { best = n[w]; word = w }
            print word "=" best
        }'
}
=== sed
--- "hello world" --> "Hello World"
--- "x" --> "X"
f() { echo "$1" | sed -E 's/\b(.)/\u\1/g'; }
=== bc
--- "10" "4" --> "2.50"
--- "1" "3" --> ".33"
f() { echo "scale=2; $1 / $2" | bc; }
=== bc -l and printf
--- "2" --> "1.414"
--- "9" --> "3.000"
f() { printf '%.3f\n' "$(bc -l <<< "sqrt($1)")"; }
=== parameter expansions
--- "path/to/file.tar.gz" --> "file.tar.gz file gz path/to PATH/TO/FILE.TAR.GZ 19"
--- "a.b" --> "a.b a b a.b A.B 3"
f() { local b=${1##*/}; echo "$b ${b%%.*} ${1##*.} ${1%/*} ${1^^} ${#1}"; }
=== substrings and replacement
--- "abcdef" --> "bcd f a-cdef xbxdxf"
f() { local s=$1; echo "${s:1:3} ${s: -1} ${s/b/-} ${s//[ace]/x}"; }
=== reversed by a C loop
--- "abc" --> "cba"
--- "" --> ""
f() { local s=$1 r= i; for ((i = ${#s} - 1; i >= 0; i--)); do r+=${s:i:1}; done; echo "$r"; }
=== rev, cut, tr, fold, wc
--- "banana" --> "ananab b 3 6"
f() { echo "$(rev <<< "$1") $(cut -c1 <<< "$1") $(fold -w1 <<< "$1" | sort -u | wc -l) $(printf %s "$1" | wc -c)"; }
=== getopts
--- "-n" "3" "-v" "x" --> "n=3 v=1 rest=x"
--- "y" --> "n=0 v=0 rest=y"
f() {
    local OPTIND=1 opt n=0 v=0
    while getopts 'n:v' opt; do case $opt in n) n=$OPTARG ;; v) v=1 ;; *) return 1 ;; esac; done
    shift $((OPTIND - 1))
    echo "n=$n v=$v rest=$*"
}
=== case with patterns
--- "foo.txt" --> "text"
--- "42" --> "number"
--- "?" --> "other"
f() { case "$1" in *.txt | *.md) echo text ;; [0-9][0-9]) echo number ;; *) echo other ;; esac; }
=== extglob
--- "  trimmed  " --> "[trimmed]"
--- "" --> "[]"
shopt -s extglob
f() { local s=${1##+([[:space:]])}; echo "[${s%%*([[:space:]])}]"; }
=== a regular expression
--- "2024-02-29" --> "29/02/2024"
--- "none" --> "no"
f() { [[ $1 =~ ^([0-9]{4})-([0-9]{2})-([0-9]{2})$ ]] && echo "${BASH_REMATCH[3]}/${BASH_REMATCH[2]}/${BASH_REMATCH[1]}" || echo no; }
=== set with positional parameters
--- "4 9 2" --> "3 9"
--- "" --> "0 0"
f() { set -- $1; local n=$# max=0; while (($#)); do (($1 > max)) && max=$1; shift; done; echo "$n $max"; }
=== a name reference
--- "1 2 3" --> "2 4 6"
--- "" --> ""
double() { local -n target=$1; local i; for i in "${!target[@]}"; do ((target[i] *= 2)) || true; done; }
f() { local values=($1); double values; echo "${values[*]}"; }
=== an indirect name
--- "b" --> "two"
--- "a" --> "one"
a=one b=two
f() { echo "${!1}"; }
=== a global that a helper sets
--- "3" --> "9"
--- "0" --> "0"
RESULT=
square() { RESULT=$(($1 * $1)); }
f() { square "$1"; echo "$RESULT"; }
=== subshells and pipes
--- "x" --> "outer=1 inner=2"
f() { local n=1; local m=$(n=2; echo "$n"); (n=5; exit 3) || true; echo 7 | while read -r n; do :; done; echo "outer=$n inner=$m"; }
=== traps
--- "x" --> "working cleaned"
f() { (trap 'echo cleaned' EXIT; printf 'working '); }
=== nothing after the last line
--- "a" --> "a"
--- "b " --> "b "
f() { printf %s "$1"; }
=== true and false as text
--- "7" --> "true"
--- "9" --> "false"
--- "2" --> "true"
is_prime() { local i; for ((i = 2; i * i <= $1; i++)); do (($1 % i)) || return 1; done; }
f() { if is_prime "$1"; then echo true; else echo false; fi; }
=== set -e, set -u and pipefail
--- "abc" --> "3"
--- "" --> "0"
set -euo pipefail
f() { local s=${1:-}; echo ${#s}; }
=== a shebang, comments and a call by way of example
--- "3" --> "3 2 1"
--- "0" --> ""
#!/bin/bash
# $1 is an integer
#
# f 3 prints "3 2 1"
f() {
    local i out=""
    for i in $(seq "$1" -1 1); do
        out="$out $i" # joined
    done
    echo ${out# }
}
f 3 >/dev/null
=== its own main, where it is run
--- "2" --> "4"
--- "1" --> "1"
f() { echo $(($1 ** 2)); }
if [[ "${BASH_SOURCE[0]}" == "${0}" && $# -gt 0 ]]; then f "$@"; exit; fi
=== prints while it is read
--- "q" --> "q"
echo "loading..."
printf 'warning\n' >&2
f() { echo "debug: $1" >&2; echo "$1"; }
=== brace expansion and printf's padding
--- "3" --> "a1 a2 a3|00003|  3|3  |"
f() { echo "$(echo a{1..3})|$(printf '%05d|%3s|%-3s|' "$1" "$1" "$1")"; }
=== other bases and bits
--- "255" --> "ff 377 11111111 255"
--- "0" --> "0 0  0"
f() {
    local n=$1 bits=
    while ((n)); do bits=$((n & 1))$bits; ((n >>= 1)) || true; done
    echo "$(printf '%x %o' "$1" "$1") $bits $((16#$(printf %x "$1")))"
}
=== characters and their codes
--- "az" --> "by"
--- "mn" --> "nm"
f() {
    local c; c=$(printf '%d' "'$1")
    printf "\\$(printf '%03o' $((c + 1)))"
    printf "\x$(printf %x $(($(printf '%d' "'${1:1}") - 1)))\n"
}
=== a two-dimensional array by keys
--- "2" --> "0,0=1 0,1=0 1,0=0 1,1=1"
f() { local -A m; local i j out=(); for ((i = 0; i < $1; i++)); do for ((j = 0; j < $1; j++)); do m[$i,$j]=$((i == j)); out+=("$i,$j=${m[$i,$j]}"); done; done; echo "${out[@]}"; }
=== slices and lengths of arrays
--- "1 2 3 4 5" --> "5 2 3 4 5"
f() { local a=($1); a=("${a[@]:1:3}" "${a[@]: -1}"); a+=(x); unset 'a[-1]'; echo "$((${#a[@]} + 1)) ${a[@]}"; }
=== a bubble sort
--- "5 2 9 1" --> "1 2 5 9"
--- "3" --> "3"
f() {
    local -a a=($1); local n=${#a[@]} i j t
    for ((i = 0; i < n; i++)); do for ((j = 0; j < n - i - 1; j++)); do
        if [ "${a[j]}" -gt "${a[j + 1]}" ]; then t=${a[j]}; a[j]=${a[j + 1]}; a[j + 1]=$t; fi
    done; done
    echo "${a[*]}"
}
=== continue and break over levels
--- "10" --> "2 3 5 7"
--- "1" --> ""
f() { local i j out=; for ((i = 2; i <= $1; i++)); do for ((j = 2; j < i; j++)); do ((i % j == 0)) && continue 2; done; out+="$i "; done; echo "${out% }"; }
=== until and select's cousin
--- "48" "36" --> "12"
--- "7" "0" --> "7"
f() { local a=$1 b=$2; until [[ $b == 0 ]]; do read -r a b <<< "$b $((a % b))"; done; echo "$a"; }
=== a return status that is not 0
--- "x" --> "x"
f() { echo "$1"; return 0; false; }
=== eval and a function that is made
--- "4" --> "16"
f() { eval "square_of_$1() { echo \$(($1 * $1)); }"; "square_of_$1"; }
=== printf -v and a counter in a string
--- "3" --> "1,2,3"
f() { local s; printf -v s '%d,' $(seq 1 "$1"); echo "${s%,}"; }
=== words that are quoted
--- "a b" "*" --> "2:a b:*"
f() { echo "$#:$1:$2"; }
=== characters beyond ASCII
--- "é" --> "1 É"
f() { local LC_ALL=C.UTF-8; echo "${#1} ${1^}"; }
=== several lines
--- "3" --> "1\n2\n3"
f() { for i in $(seq $1); do echo $i; done; }
=== paste, comm, join, xargs and uniq
--- "3 1 3 2" --> "6 1+2+3+3 3"
f() { echo "$(tr ' ' '\n' <<< "$1" | sort -un | paste -sd+ | bc) $(echo "$1" | xargs -n1 | sort -n | paste -sd+) $(tr ' ' '\n' <<< "$1" | sort | uniq -d)"; }
=== a file of its own
--- "b a" --> "a b"
f() { local t; t=$(mktemp); printf '%s\n' $1 > "$t"; sort -o "$t" "$t"; xargs < "$t"; rm -f "$t"; }
=== grep and its status
--- "banana" "an" --> "2"
--- "xyz" "a" --> "0"
f() { grep -o "$2" <<< "$1" | wc -l || true; }
=== aliases and a function named like a command
--- "x" --> "[x]"
shopt -s expand_aliases
alias say=echo
test_it() { say "[$1]"; }
f() { test_it "$1"; }
=== off by one ! WRONG
--- "3" --> "1 2 3"
f() { seq -s ' ' 0 "$1"; }
=== returns where it has to print ! WRONG
--- "3" --> "3"
f() { return 3; }
=== prints a line too many ! WRONG
--- "x" --> "x"
f() { echo "got $1"; echo "$1"; }
=== does not parse ! COMPILE_ERROR
--- "1" --> "1"
f() { if true; then echo 1; }
"""

STDIO = r"""
=== read -r
--- "3 4\n" --> "7\n"
read -r a b
echo $((a + b))
=== a last line without an end
--- "a\nb" --> "<a><b>"
while IFS= read -r line || [[ -n $line ]]; do printf '<%s>' "$line"; done
=== mapfile
--- "2\nx y\nz\n" --> "z\nx y\n2\n"
mapfile -t lines
for ((i = ${#lines[@]} - 1; i >= 0; i--)); do echo "${lines[i]}"; done
=== cat into a variable
--- "hello\nworld\n" --> "HELLO\nWORLD\n"
text=$(cat)
echo "${text^^}"
=== awk of standard input
--- "1 2\n3 4\n" --> "3\n7\n"
awk '{ print $1 + $2 }'
=== a pipeline
--- "b\na\nb\n" --> "b 2\na 1\n"
sort | uniq -c | sort -rn | awk '{ print $2, $1 }'
=== read -a in a loop
--- "2\n1 2 3\n4 5\n" --> "6\n9\n"
read n
for ((i = 0; i < n; i++)); do
    read -ra row
    sum=0
    for v in "${row[@]}"; do ((sum += v)); done
    echo $sum
done
=== $(</dev/stdin)
--- "abc" --> "3\n"
s=$(</dev/stdin); echo ${#s}
=== read by characters
--- "abc" --> "a-b-c-"
while IFS= read -rn1 c; do [[ $c ]] && printf '%s-' "$c"; done; true
=== functions and a main
--- "10\n" --> "0 1 1 2 3 5 8 \n"
#!/usr/bin/env bash
set -euo pipefail
main() { local n a=0 b=1; read -r n; while ((a <= n)); do printf '%d ' "$a"; read -r a b <<< "$b $((a + b))"; done; echo; }
main "$@"
=== an exit trap and a background job
--- "1" --> "child\nparent\nbye\n"
trap 'echo bye' EXIT
(sleep 0.05; echo child) &
wait $!
echo parent
=== a coprocess
--- "2 + 3\n" --> "5\n"
coproc BC { bc; }
read -r line
echo "$line" >&"${BC[1]}"
read -r answer <&"${BC[0]}"
echo "$answer"
=== descriptors of its own
--- "x\ny\n" --> "y\nx\n"
exec 3<&0
read -r a <&3; read -r b <&3
exec 3<&-
{ echo "$b"; echo "$a"; } > >(cat); wait
=== names and arguments
--- "" --> "program.sh 0\n"
echo "${0##*/} $#"
=== sed and tr
--- "a,b\n" --> "B;A\n"
sed 's/\(.*\),\(.*\)/\2;\1/' | tr a-z A-Z
=== dc-less big numbers by bc
--- "40" --> "815915283247897734345611269596115894272000000000\n"
read n; r=1; for i in $(seq 2 $n); do r=$(BC_LINE_LENGTH=0 bc <<< "$r * $i"); done; echo $r
=== a graph by breadth
--- "4\n0 1\n1 2\n0 3\n" --> "0 1 2 1\n"
declare -A next; read n
while read -r a b; do next[$a]+=" $b"; next[$b]+=" $a"; done
dist=(0); queue=(0)
while ((${#queue[@]})); do
    u=${queue[0]}; queue=("${queue[@]:1}")
    for v in ${next[$u]}; do [[ ${dist[v]+x} ]] || { dist[v]=$((dist[u] + 1)); queue+=("$v"); }; done
done
echo "${dist[@]}"
=== a sum that is off ! WRONG
--- "3 4\n" --> "7\n"
read -r a b; echo "$a + $b"
=== ends with a status ! RUNTIME_ERROR
--- "" --> "1\n"
echo 1; exit 3
"""
