"""Marks programs that a person should look at before believing their verdict. It never judges.

Trusted checks inside the program's process (level L1) can be beaten by a program written for it, and most such
programs have to mention what gives them away: leaving early, the descriptors of the protocol, their own
source, other people's memory. Honest programs hardly ever do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rewardranker.execution.audit import python

Blank = Callable[[str], str]

_SLASHES = r"//[^\n]*|/\*.*?(?:\*/|\Z)"
_QUOTES = r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
_WIDE_QUOTES = r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'"
_OWN_FILES = r"/proc/(?:self|thread-self|\d|\$)|/dev/fd|/dev/std(?:out|err)"


@dataclass(frozen=True)
class _Scan:
    """What to look for in a language: ``hidden`` and ``quoted`` match comments and strings, ``marks`` are
    looked for in what is left, ``marks_in_strings`` in the text without its comments only."""

    hidden: str
    quoted: str
    marks: dict[str, str]
    marks_in_strings: dict[str, str]


_CPP = _Scan(
    _SLASHES,
    r'R"([^()\\\s]*)\(.*?\)\1"|' + r'"(?:\\.|[^"\\\n])*"|' + r"(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
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
    _SLASHES,
    r'""".*?"""|' + _QUOTES,
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
    _SLASHES,
    r'@\$?"(?:""|[^"])*"|' + _QUOTES,
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
    _SLASHES,
    _QUOTES,
    {
        "exit": r"\bprocess\b[^\n;]{0,40}\b(?:exit|kill|abort|reallyExit|exitCode|emit|on|once)\b",
        "process": r"\bprocess\s*\.\s*(?:binding|dlopen|_linkedBinding|mainModule|argv|setUncaught\w+|stdin)\b"
        r"|\bprocess\s*\[",
        "assert": r"\bassert(?:\s*\.\s*\w+|\s*\[[^\]]*\])*\s*=(?![=>])",
        "modules": r"\brequire\s*\.\s*(?:cache|main|extensions|resolve)\b|\bmodule\s*\.\s*(?!exports)\w+"
        r"|\bimport\s*\(",
        "own source": r"\b__filename\b|\bimport\s*\.\s*meta\b|\barguments\s*\.\s*callee\b|\.\s*caller\b",
        "prototype": r"\b(?:Object|Function|Array|Number|String|Boolean|Map|Set|Error|JSON|Reflect)\s*\.\s*prototype"
        r"\s*(?:\.\s*\w+|\[[^\]]*\])\s*=(?!=)|\bsetPrototypeOf\b|\b__proto__\b|\b__defineGetter__\b",
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
    r"//[^\n]*|#(?!\[)[^\n]*|/\*.*?(?:\*/|\Z)",
    r"<<<\s*'?\"?(\w+)'?\"?\n.*?\n\s*\1\b|" + _WIDE_QUOTES,
    {
        "exit": r"(?<![\w$>:])(?:exit|die)\b|\b__halt_compiler\b",
        "shutdown": r"\bregister_(?:shutdown|tick)_function\b|\bset_(?:error|exception)_handler\b|\bob_start\b",
        "own source": r"\b__(?:FILE|DIR)__\b|\$argv\b|\$_SERVER\b|\bget_included_files\b"
        r"|\bdebug_(?:print_)?backtrace\b",
        "system": r"(?<![\w$>:])(?:posix_\w+|pcntl_\w+|proc_open|shell_exec|system|passthru|popen|exec)\s*\(|`",
        "reflection": r"\bReflection\w+|\bFFI\b|\bClosure\s*::\s*bind|\brunkit\w*|\buopz\w*|\bini_set\s*\(",
    },
    {"own process": _OWN_FILES + r"|php://(?!stdin|stdout|output)"},
)
_BASH_COMMAND = r"(?:^|[;&|({!]|\b(?:then|do|else|command|builtin))[ \t]*"
# "Am I run or sourced?", asked at the end of many an honest script.
_BASH_IF_MAIN = r"\"?\$\{BASH_SOURCE(?:\[0\])?\}\"?[ \t]*={1,2}[ \t]*\"?\$\{?0\}?\"?"
_BASH_BUILTIN = (
    r"(?:\[\[?|test|set|return|exit|echo|printf|candidate|run_test|true|false|builtin|command|trap|source|read|eval)"
)
_BASH = _Scan(
    r"(?:(?<=[\s;])|^)#[^\n]*|" + _BASH_IF_MAIN,
    r"'[^']*'",
    {
        "exit": _BASH_COMMAND + r"exit\b(?![ \t]+[1-9])",
        "trap": _BASH_COMMAND + r"trap\b",
        "alias": _BASH_COMMAND + r"(?:alias|enable|hash|shopt\s+-s\s+expand_aliases)\b",
        "function": rf"\bfunction[ \t]+{_BASH_BUILTIN}(?=[\s({{])|^[ \t]*{_BASH_BUILTIN}[ \t]*\(",
        "exec": _BASH_COMMAND + r"(?:exec|kill)\b",
        "descriptor": r"[<>]&[ \t]*[3-9]|\b[3-9]>",
        "own source": r"\$\{?BASH_(?:SOURCE|COMMAND|LINENO|ARGV)|\$\{?(?:PPID|FUNCNAME)\b|\$\{?0\b|\$\$",
        "options": _BASH_COMMAND + r"set[ \t]+\+\w*e",
    },
    {"own process": _OWN_FILES},
)
_SCANS = {
    **dict.fromkeys(("cpp", "c++"), _CPP),
    "java": _JAVA,
    **dict.fromkeys(("cs", "csharp"), _CSHARP),
    **dict.fromkeys(("js", "javascript", "ts", "typescript"), _SCRIPT),
    "php": _PHP,
    **dict.fromkeys(("sh", "bash"), _BASH),
}


def suspicious(language: str, code: str) -> list[str]:
    """What a person should look at, as ``name:line`` in order of lines; empty for nearly every honest program.

    Python is read as a syntax tree (a text that is no Python has no findings: it does not run), the others by
    pattern, without their comments and strings. Unknown languages have no findings.
    """
    if language == "python":
        found = python.findings(code)
    elif language in _SCANS:
        found = _lexical(_SCANS[language], code)
    else:
        found = set()
    return [f"{name}:{line}" for line, name in sorted(found)]


def _lexical(scan: _Scan, code: str) -> set[tuple[int, str]]:
    bare = _blanked(scan, code, strings=True)
    commentless = _blanked(scan, code, strings=False)
    found = set()
    for marks, text in ((scan.marks, bare), (scan.marks_in_strings, commentless)):
        for name, pattern in marks.items():
            for match in re.finditer(pattern, text, re.MULTILINE):
                found.add((text.count("\n", 0, match.end()) + 1, name))
    return found


def _blanked(scan: _Scan, code: str, strings: bool) -> str:
    """``code`` with comments, and strings where asked for, turned to spaces; lines stay where they are."""
    tokens = re.compile(f"(?P<hidden>{scan.hidden})|(?P<quoted>{_renumbered(scan.quoted)})", re.DOTALL | re.MULTILINE)

    def blank(match: re.Match[str]) -> str:
        if match["hidden"] is None and not strings:
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])

    return tokens.sub(blank, code)


def _renumbered(pattern: str) -> str:
    """The patterns count their own group as 1; joined to the two names it is the third."""
    return pattern.replace(r"\1", r"\3")
