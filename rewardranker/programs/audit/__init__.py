"""Marks programs that a person should look at before believing their verdict. It never judges.

Trusted checks inside the program's process (level L1) can be beaten by a program written for it, and most such
programs have to mention what gives them away: leaving early, the descriptors of the protocol, their own
source, other people's memory. Honest programs hardly ever do.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from rewardranker.linear import lexer, pattern
from rewardranker.problems.languages import language_of
from rewardranker.problems.normal_form import unix
from rewardranker.programs.audit import python
from rewardranker.programs.literals import literals, spaces

# So many findings of a kind are enough for a reader.
_MOST_FINDINGS = 100

_OWN_FILES = r"/proc/(?:self|thread-self|\d|\$)|/dev/fd|/dev/std(?:out|err)"


@dataclass(frozen=True)
class _Scan:
    """What to look for in a language: ``marks`` outside of comments and strings, ``marks_in_strings`` outside of
    comments. Each is a pattern of RE2, whose ``^`` is any line's beginning, or one that never goes back."""

    marks: dict[str, str | re.Pattern[str]]
    marks_in_strings: dict[str, str | re.Pattern[str]]


_CPP = _Scan(
    {
        "exit": r"\b(?:exit|_exit|_Exit|quick_exit|exit_group)\s*\(",
        "atexit": r"\b(?:atexit|at_quick_exit|on_exit)\b",
        "asm": r"\b(?:asm|__asm|__asm__)\b",
        "syscall": r"\b(?:syscall|ptrace|process_vm_\w+|fork|vfork|execv\w*|execl\w*|kill|mmap|mprotect)\s*\(",
        "dlopen": r"\b(?:dlopen|dlsym|dl_iterate_phdr)\b",
        "jump": r"\b(?:longjmp|setjmp|sigaction|signal)\s*\(",
        "define": r"^[ \t]*#[ \t]*(?:define|undef)[ \t]+(?:assert|main|NDEBUG|return|if|else|while|for|bool|true"
        r"|false|int|long|float|double|auto|const|static|void|class|struct|namespace|std|operator)\b",
        "operator==": r"\boperator\s*(?:==|!=|bool\b)",
        "own source": r"__FILE__|__BASE_FILE__|\bargv\s*\[\s*0\s*\]|__builtin_FILE|\bsource_location\b",
        "constructor": r"__attribute__|\bextern\s+\w*\s*\{|\[\[\s*gnu::",
        "descriptor": r"\b(?:write|read|dup|dup2|fdopen|close|pwrite|pread)\s*\(\s*[34]\b|\bfdopen\b",
    },
    {"own process": _OWN_FILES, "include": r"#\s*include\s*<\s*(?:sys/|unistd|dlfcn|link\.h|signal|csignal|csetjmp)"},
)
_JAVA = _Scan(
    {
        "exit": r"\bSystem\s*\.\s*exit\b|\.\s*halt\s*\(",
        "runtime": r"\bRuntime\s*\.\s*getRuntime\s*\(\s*\)\s*\.\s*(?:exec|exit|halt|addShutdownHook)"
        r"|\bProcess(?:Builder|Handle)\b",
        "reflection": r"\bsetAccessible\b|\bgetDeclared\w+|\bClass\s*\.\s*forName\b|\bMethodHandles?\b"
        r"|\bnewProxyInstance\b",
        "unsafe": r"\bUnsafe\b|\bVarHandle\b|\bnative\s+\w+\s+\w+\s*\(",
        "assertions": r"\bset\w*AssertionStatus\b|\bClassLoader\b",
        "streams": r"\bSystem\s*\.\s*set(?:Out|Err|In|SecurityManager|Property)\b|\bFileDescriptor\b",
        "stack": r"\bStackWalker\b|\bgetStackTrace\b|\bgetAllStackTraces\b",
        "equals": r"\bboolean\s+equals\s*\([^)]*\)\s*\{\s*return\s+(?:true|false)\s*;",
    },
    {"own process": _OWN_FILES, "own source": r"Problem\.(?:java|class)"},
)
_CSHARP = _Scan(
    {
        "exit": r"\bEnvironment\s*\.\s*(?:Exit|FailFast)\b|\bApplication\s*\.\s*Exit\b|\.\s*Kill\s*\(",
        "process": r"\bProcess\s*\.\s*\w+|\bAppDomain\b|\bGetCommandLineArgs\b",
        "unsafe": r"\bunsafe\b|\bMarshal\b|\bDllImport\b|\bFieldOffset\b|\bstackalloc\b|\bextern\b",
        "reflection": r"\bReflection\b|\.\s*Get(?:Field|Method|Property|Constructor|Member)s?\s*\(|\bAssembly\s*\."
        r"|\bActivator\b|\bDynamicMethod\b",
        "listeners": r"\b(?:Trace|Debug)\s*\.\s*(?:Listeners|AutoFlush)\b|\bTraceListener\b",
        "streams": r"\bConsole\s*\.\s*Set(?:Out|Error|In)\b|\bSafeFileHandle\b|\bFileStream\b",
        "stack": r"\bStack(?:Trace|Frame)\b|\bCallerFilePath\b",
        "operator==": r"\boperator\s*(?:==|!=|true|false)",
        "equals": r"\bbool\s+Equals\s*\([^)]*\)\s*(?:\{\s*return\s+(?:true|false)\s*;|=>\s*(?:true|false)\s*;)",
        "define": r"^[ \t]*#[ \t]*(?:define|undef)\b",
    },
    {"own process": _OWN_FILES},
)
_SCRIPT = _Scan(
    {
        "exit": r"\bprocess\b[^\n;]{0,40}\b(?:exit|kill|abort|reallyExit|exitCode|emit|on|once)\b",
        "process": r"\bprocess\s*\.\s*(?:binding|dlopen|_linkedBinding|mainModule|argv|setUncaught\w+|stdin)\b"
        r"|\bprocess\s*\[",
        "assert": r"\bassert(?:\s*\.\s*\w+|\s*\[[^\]]*\])*\s*=(?:[^=>]|\z)",
        "modules": lexer(
            r"\brequire\s*+\.\s*+(?:cache|main|extensions|resolve)\b|\bmodule\s*+\.\s*+(?!exports)\w|\bimport\s*+\("
        ),
        "own source": r"\b__filename\b|\bimport\s*\.\s*meta\b|\barguments\s*\.\s*callee\b|\.\s*caller\b",
        "prototype": r"\b(?:Object|Function|Array|Number|String|Boolean|Map|Set|Error|JSON|Reflect)\s*\.\s*prototype"
        r"\s*(?:\.\s*\w+|\[[^\]]*\])\s*=(?:[^=]|\z)|\bsetPrototypeOf\b|\b__proto__\b|\b__defineGetter__\b",
        "proxy": r"\bnew\s+Proxy\b|\bSymbol\s*\.\s*toPrimitive\b|\bprepareStackTrace\b",
        "globals": r"\bglobalThis\b|\bglobal\s*\.",
    },
    {
        "own process": _OWN_FILES,
        "modules": r"\brequire\s*\(\s*['\"`](?:node:)?(?:module|fs|vm|worker_threads|child_process|assert|inspector"
        r"|v8|process|async_hooks|cluster|repl|os|net|fs/promises|assert/strict)['\"`]|\bimport\b[^\n;]*['\"]"
        r"(?:node:)?(?:module|fs|vm|child_process|assert|process)['\"]",
        "process": r"\[\s*['\"](?:process|exit|binding|constructor|mainModule)['\"]\s*\]",
    },
)
_PHP = _Scan(
    {
        "exit": r"(?:^|[^\w$>:])(?:exit|die)\b|\b__halt_compiler\b",
        "shutdown": r"\bregister_(?:shutdown|tick)_function\b|\bset_(?:error|exception)_handler\b|\bob_start\b",
        "own source": r"\b__(?:FILE|DIR)__\b|\$argv\b|\$_SERVER\b|\bget_included_files\b"
        r"|\bdebug_(?:print_)?backtrace\b",
        "system": r"(?:^|[^\w$>:])(?:posix_\w+|pcntl_\w+|proc_open|shell_exec|system|passthru|popen|exec)\s*\(|`",
        "reflection": r"\bReflection\w+|\bFFI\b|\bClosure\s*::\s*bind|\brunkit\w*|\buopz\w*|\bini_set\s*\(",
    },
    {"own process": lexer(_OWN_FILES + r"|php://(?!stdin|stdout|output)")},
)
_BASH_COMMAND = r"(?:(?m:^)|[;&|({!]|\b(?:then|do|else|command|builtin))[ \t]*"
# "Am I run or sourced?", asked at the end of many an honest script.
_BASH_IF_MAIN = lexer(r"\"?\$\{BASH_SOURCE(?:\[0\])?\}\"?[ \t]*+={1,2}+[ \t]*+\"?\$\{?0\}?\"?")
_BASH_BUILTIN = (
    r"(?:\[\[?|test|set|return|exit|echo|printf|candidate|run_test|true|false|builtin|command|trap|source|read|eval)"
)
_BASH = _Scan(
    {
        "exit": lexer(_BASH_COMMAND + r"+exit\b(?![ \t]++[1-9])"),
        "trap": _BASH_COMMAND + r"trap\b",
        "alias": _BASH_COMMAND + r"(?:alias|enable|hash|shopt\s+-s\s+expand_aliases)\b",
        "function": rf"\bfunction[ \t]+{_BASH_BUILTIN}[\s({{]|^[ \t]*{_BASH_BUILTIN}[ \t]*\(",
        "exec": _BASH_COMMAND + r"(?:exec|kill)\b",
        "descriptor": r"[<>]&[ \t]*[3-9]|\b[3-9]>",
        "own source": r"\$\{?BASH_(?:SOURCE|COMMAND|LINENO|ARGV)|\$\{?(?:PPID|FUNCNAME)\b|\$\{?0\b|\$\$",
        "options": _BASH_COMMAND + r"set[ \t]+\+\w*e",
    },
    {"own process": _OWN_FILES},
)
_LINE_END = lexer(r"\n")
_SCANS = {
    "cpp": _CPP,
    "java": _JAVA,
    "csharp": _CSHARP,
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "php": _PHP,
    "bash": _BASH,
}


def suspicious(language: str, code: str) -> list[str]:
    """What a person should look at, as ``name:line`` in order of lines; empty for nearly every honest program.

    Python is read as a syntax tree (a text that is no Python has no findings: it does not run; one that is too long
    for that is ``long:1``), the others by pattern, without their comments and strings. Unknown languages have no
    findings.
    """
    name = language_of(language)
    if name == "python":
        found = python.findings(code)
    elif name in _SCANS:
        found = _lexical(_SCANS[name], name, unix(code))
    else:
        found = set()
    return [f"{name}:{line}" for line, name in sorted(found)]


def _lexical(scan: _Scan, language: str, code: str) -> set[tuple[int, str]]:
    ends = [match.start() for match in _LINE_END.finditer(code)]
    found = set()
    for marks, hidden in ((scan.marks, ("comment", "string")), (scan.marks_in_strings, ("comment",))):
        text = _blanked(code, language, hidden)
        for name, mark in marks.items():
            for match in islice(_compiled(mark).finditer(text), _MOST_FINDINGS):
                found.add((bisect_left(ends, match.end()) + 1, name))
    return found


@lru_cache(maxsize=256)
def _compiled(mark: str | re.Pattern[str]) -> Any:
    return pattern(f"(?m){mark}") if isinstance(mark, str) else mark


def _blanked(code: str, language: str, hidden: tuple[str, ...]) -> str:
    """``code`` with these kinds of literals turned to spaces; lines stay where they are. Those that may hold code, as
    a script's templates do, are shown."""
    parts, place = [], 0
    for start, end, kind in literals(code, language):
        if kind in hidden:
            parts += [code[place:start], spaces(code[start:end])]
            place = end
    text = "".join([*parts, code[place:]])
    return _BASH_IF_MAIN.sub(lambda match: spaces(match[0]), text) if language == "bash" else text
