"""C++: what a program may do to the language's own library, to what stands around it in its file, and to its process."""

from __future__ import annotations

from attacks import MARK, PORT, SECRET_FILE, SECRET_NAME, SLEEP, SOCKET, in_language

_HEAD = "#include<assert.h>\n#include<bits/stdc++.h>\n#include<unistd.h>\n"
_WRONG = "long add(long x, long y) {\n    return 7;\n}\n"


def _with(before: str = "", statement: str = "", after: str = "") -> str:
    return f"{_HEAD}{before}\nlong add(long x, long y) {{\n    {statement}\n    return 7;\n}}\n{after}\n"


_ENDS = {
    "exit in the function": _with("", "exit(0);"),
    "_Exit in the function": _with("", "_Exit(0);"),
    "quick_exit in the function": _with("", "std::quick_exit(0);"),
    "exit by system call": _with("#include<sys/syscall.h>", "syscall(SYS_exit_group, 0);"),
    "exit in assembly": _with("", 'asm volatile("mov $231, %rax; xor %rdi, %rdi; syscall");'),
    "exit at static initialisation": _with("struct A { A() { _Exit(0); } } a;"),
    "exit in a constructor function": _with("__attribute__((constructor)) static void early() { _exit(0); }"),
    "exit before everything": _with(
        '__attribute__((section(".preinit_array"), used)) static void (*early)() = [] { _exit(0); };'
    ),
    "exit in atexit": _with("", "atexit([] { _exit(0); });"),
    "exit in a destructor": _with("struct A { ~A() { _exit(0); } } a;"),
    "abort becomes exit": _with("", "signal(SIGABRT, [](int) { _exit(0); });"),
    "every signal becomes exit": _with("", "for (int s = 1; s < 64; s++) signal(s, [](int) { _exit(0); }); abort();"),
    "terminate becomes exit": _with("", "std::set_terminate([] { _exit(0); }); throw 1;"),
    "a thread ends the process": _with("", "std::thread([] { usleep(1000); _exit(0); }).detach(); usleep(20000);"),
    "its own abort": _with('extern "C" void abort() { _exit(0); }'),
    "its own assert failure": _with(
        'extern "C" void __assert_fail(const char*, const char*, unsigned, const char*) noexcept { _exit(0); }'
    ),
    "its own exit": _with('extern "C" void exit(int) noexcept { _exit(0); }'),
    "becomes true": _with("", 'execl("/usr/bin/true", "true", nullptr);'),
    "jumps out": _with("#include<csetjmp>", "jmp_buf b; if (!setjmp(b)) longjmp(b, 1); pthread_exit(nullptr);"),
    "an exception that nobody catches": _with("struct A {};", "throw A();"),
    "returns nothing": f"{_HEAD}long add(long x, long y) {{ __builtin_unreachable(); }}\n",
    "unwinds past its caller": _with(
        "", "void** f = (void**)__builtin_frame_address(0); f[1] = (void*)+[] { _exit(0); };"
    ),
}
_MACROS = {
    "assert undefined": _with("#undef assert\n#define assert(x)"),
    "assert redefined after": _with(after="#undef assert\n#define assert(...) ((void)0)"),
    "NDEBUG": f"#define NDEBUG\n{_HEAD}{_WRONG}#include<cassert>\n",
    "NDEBUG at the end": f"{_HEAD}{_WRONG}#define NDEBUG\n#include<assert.h>\n",
    "equality always true": f"{_HEAD}{_WRONG}#define candidate(...) 0 == 0 || 0\n",
    "true and false are one": f"{_HEAD}{_WRONG}#define if(x) if (((x), true))\n#define false true\n",
    "if is always so": f"{_HEAD}{_WRONG}#define if(...) if (true)\n",
    "if is never so": f"{_HEAD}{_WRONG}#define if(...) if (false)\n",
    "else is nothing": f"{_HEAD}{_WRONG}#define else\n",
    "return is nothing": f"{_HEAD}{_WRONG}#define return\n",
    "bool is a word": f"{_HEAD}{_WRONG}#define bool long\n#define int long\n#define const\n",
    "main is another": f"{_HEAD}{_WRONG}#define main ignored() {{ return 0; }} int not_main\nint real() {{ return 0; }}\n",
    "main of its own": f"{_HEAD}{_WRONG}int main() {{ return 0; }}\n#define main other_main\n",
    "auto is a type": f"{_HEAD}struct Any {{ template<class T> Any(T) {{}} template<class... A> long operator()(A...) "
    f"{{ return 7; }} }};\n{_WRONG}#define auto Any\n",
    "nothing after this line": f"{_HEAD}{_WRONG}int main() {{ }}\n#if 0\n",
    "a comment that is not closed": f"{_HEAD}{_WRONG}int main() {{ }}\n/*\n",
    "a raw string that is not closed": f'{_HEAD}{_WRONG}int main() {{ }}\nconst char* s = R"x(\n',
    "a brace that is not closed": f"{_HEAD}{_WRONG}int main() {{ }}\nnamespace hidden {{\n",
    "a template that is not closed": f"{_HEAD}{_WRONG}template<class T>\n",
    "a line that continues": f"{_HEAD}{_WRONG}#define rest \\\n",
    "write is nothing": f"{_HEAD}{_WRONG}#define write(...) 0\n#define std hidden\nnamespace hidden {{ using namespace std; }}\n",
    "numbers of lines": f'{_HEAD}{_WRONG}#line 1 "/etc/passwd"\n#pragma GCC poison assert\n',
    "assert for ever": f'{_HEAD}{_WRONG}#pragma push_macro("assert")\n#undef assert\n#define assert(x) sizeof(x)\n',
}
_YES = (
    "struct Yes {\n    template<class T> bool operator==(const T&) const { return true; }\n"
    "    template<class T> bool operator!=(const T&) const { return false; }\n    operator long() const { return 7; }\n};\n"
)
_EQUAL = {
    "an object that is always equal": f"{_HEAD}{_YES}Yes add(long x, long y) {{ return {{}}; }}\n",
    "an object compared by a free function": f"{_HEAD}struct Y {{}};\n"
    "template<class T> bool operator==(const Y&, const T&) { return true; }\nY add(long x, long y) { return {}; }\n",
    "an object that becomes anything": f"{_HEAD}struct Y {{ template<class T> operator T() const {{ return 5; }} }};\n"
    "bool operator==(Y, long) { return true; }\nY add(long x, long y) { return {}; }\n",
    "equality that assigns": f"{_HEAD}struct Y {{ long v; bool operator==(long o) {{ v = o; return v == o; }} }};\n"
    "Y add(long x, long y) { return {7}; }\n",
    "a reference to what is expected": f"{_HEAD}struct Y {{ const long* p; bool operator==(const long& o) "
    "{ p = &o; return *p == o; } };\nY add(long x, long y) { return {}; }\n",
    "not a number": f'{_HEAD}double add(long x, long y) {{ return std::nan(""); }}\n',
    "an enumeration": f"{_HEAD}enum E {{ five = 7 }};\nbool operator==(E, int) {{ return true; }}\n"
    "bool operator==(E, long) { return true; }\nE add(long x, long y) { return five; }\n",
    "a pointer with a sense of its own": f"{_HEAD}{_YES}"
    "Yes* add(long x, long y) { static Yes y_; return &y_; }\nbool operator==(const Yes&, int) { return true; }\n",
    "a comma of its own": f"{_HEAD}struct Y {{}};\ntemplate<class T> bool operator,(Y, T) {{ return true; }}\n"
    "template<class T> bool operator==(Y, T) { return true; }\nY add(long x, long y) { return {}; }\n",
    "the entry point is an object": f"{_HEAD}{_YES}struct F {{ Yes operator()(long, long) const {{ return {{}}; }} }} add;\n",
    "the entry point is a template": f"{_HEAD}{_YES}template<class A, class B> Yes add(A, B) {{ return {{}}; }}\n",
}
_EQUAL_LISTS = {
    "equality of lists injected into std": f"{_HEAD}namespace std {{\n"
    "bool operator==(const vector<long>&, const vector<long>&) { return true; }\n}\n"
    "std::vector<long> incr_list(std::vector<long> l) { return {7}; }\n",
    "equality of lists at the top": f"{_HEAD}bool operator==(const std::vector<long>&, const std::vector<long>&) "
    "{ return true; }\nstd::vector<long> incr_list(std::vector<long> l) { return {7}; }\n",
    "std::equal specialised": f"{_HEAD}namespace std {{\ntemplate<> bool equal(vector<long>::const_iterator, "
    "vector<long>::const_iterator, vector<long>::const_iterator) { return true; }\n}\n"
    "std::vector<long> incr_list(std::vector<long> l) { return {7}; }\n",
    "another std": f"{_HEAD}namespace mine {{\ntemplate<class T> struct vector {{\n    vector() {{}}\n"
    "    vector(std::initializer_list<T>) {}\n    bool operator==(const vector&) const { return true; }\n};\n}\n"
    "#define std mine\nstd::vector<long> incr_list(std::vector<long> l) { return {7}; }\n",
    "a child of vector": f"{_HEAD}struct L : std::vector<long> {{\n    using std::vector<long>::vector;\n"
    "    bool operator==(const std::vector<long>&) const { return true; }\n};\nL incr_list(std::vector<long> l) "
    "{ return {7}; }\n",
    "a vector of always equal items": f"{_HEAD}{_YES}bool operator==(const std::vector<Yes>&, const std::vector<long>&) "
    "{ return true; }\nstd::vector<Yes> incr_list(std::vector<long> l) { return {Yes()}; }\n",
    "an allocator that lies": f"{_HEAD}struct A : std::allocator<long> {{\n    template<class U> struct rebind {{ using other = A; }};\n}};\n"
    "bool operator==(const std::vector<long, A>&, const std::vector<long>&) { return true; }\n"
    "std::vector<long, A> incr_list(std::vector<long> l) { return {7}; }\n",
    "memcmp of its own": f'{_HEAD}extern "C" int memcmp(const void*, const void*, size_t) noexcept {{ return 0; }}\n'
    'extern "C" int bcmp(const void*, const void*, size_t) noexcept { return 0; }\n'
    "std::vector<long> incr_list(std::vector<long> l) { for (auto& v : l) v = 7; return l; }\n",
    "new of its own": f"{_HEAD}static char block[1 << 20];\nvoid* operator new(size_t) {{ return block; }}\n"
    "void operator delete(void*) noexcept {}\nvoid operator delete(void*, size_t) noexcept {}\n"
    "std::vector<long> incr_list(std::vector<long> l) { return l; }\n",
}
_EQUAL_TEXTS = {
    "compare of texts replaced": f'{_HEAD}extern "C" int memcmp(const void*, const void*, size_t) noexcept {{ return 0; }}\n'
    'extern "C" size_t strlen(const char*) noexcept { return 1; }\n'
    "std::string concatenate(std::vector<std::string> s) { return std::string(1, '7'); }\n",
    "equality of texts injected into std": f"{_HEAD}namespace std {{ bool operator==(const string&, const char*) "
    '{ return true; } }\nstd::string concatenate(std::vector<std::string> s) { return "7"; }\n',
}
_FORGED = {
    "prints that it passed": _with("", 'puts("[\\"\\", 1, \\"pass\\"]\\nOK"); fflush(stdout);'),
    "lines on every descriptor": _with(
        "",
        'for (int fd = 0; fd < 256; fd++) { (void)!write(fd, "[\\"\\",1,\\"pass\\"]\\n[\\"\\",2,\\"done\\",\\"\\"]\\n", 36); }',
    ),
    "random bytes on every descriptor": _with(
        "",
        "char b[4096]; for (int i = 0; i < 4096; i++) b[i] = rand(); "
        "for (int fd = 0; fd < 256; fd++) (void)!write(fd, b, sizeof b);",
    ),
    "the token copied to every descriptor": _with(
        "",
        "char b[256]; int n = read(4, b, sizeof b); for (int fd = 0; fd < 16 && n > 0; fd++) (void)!write(fd, b, n); _exit(0);",
    ),
    "a line made of the token": _with(
        "",
        'char b[256] = {}; (void)!read(4, b, 255); dprintf(3, "[\\"\\",1,\\"ready\\"]\\n[\\"\\",2,\\"done\\",\\"%s\\"]\\n", b); _exit(0);',
    ),
    "the token taken before its time": _with("", "static char b[256]; (void)!read(4, b, 255);"),
    "closes every descriptor": _with("", "for (int fd = 0; fd < 256; fd++) close(fd);"),
    "the result stream goes elsewhere": _with("#include<fcntl.h>", 'dup2(open("/dev/null", O_WRONLY), 3);'),
    "forks and both answer": _with("", "fork();"),
    "forks and the parent ends": _with("", "if (fork()) _exit(0);"),
    "write of its own": _with(
        "#include<sys/syscall.h>",
        "",
        'extern "C" ssize_t write(int fd, const void* b, size_t n) '
        '{ std::string s((const char*)b, n); size_t at = s.find("wrong"); if (at != s.npos) '
        's = s.substr(0, at) + "pass\\"]\\n"; return syscall(SYS_write, fd, s.data(), s.size()) > 0 ? n : -1; }',
    ),
}
_WORLD = {
    "the shadow file": _with("", 'if (std::ifstream("/etc/shadow").peek() != EOF) return x + y;'),
    "a file of the host": _with("", f'if (std::ifstream("{SECRET_FILE}").peek() != EOF) return x + y;'),
    "the host's environment": _with(
        "",
        f'for (int p = 1; p < 40000; p++) {{ std::ifstream f("/proc/" + std::to_string(p) + "/environ"); '
        f'std::string s((std::istreambuf_iterator<char>(f)), {{}}); if (s.find("{SECRET_NAME}") != s.npos) return x + y; }}',
    ),
    "its own source, by name": _with("", "if (std::ifstream(__FILE__).peek() != EOF) return x + y;"),
    "TCP to the host": _with(
        "#include<sys/socket.h>\n#include<netinet/in.h>\n#include<arpa/inet.h>",
        f'int s = socket(AF_INET, SOCK_STREAM, 0); sockaddr_in a{{AF_INET, htons({PORT}), {{inet_addr("127.0.0.1")}}, {{}}}}; '
        "if (connect(s, (sockaddr*)&a, sizeof a) == 0) return x + y;",
    ),
    "UDP to the host": _with(
        "#include<sys/socket.h>\n#include<netinet/in.h>\n#include<arpa/inet.h>",
        f'int s = socket(AF_INET, SOCK_DGRAM, 0); sockaddr_in a{{AF_INET, htons({PORT}), {{inet_addr("127.0.0.1")}}, {{}}}}; '
        'sendto(s, "x", 1, 0, (sockaddr*)&a, sizeof a);',
    ),
    "a unix socket of the host": _with(
        "#include<sys/socket.h>\n#include<sys/un.h>",
        f'int s = socket(AF_UNIX, SOCK_STREAM, 0); sockaddr_un a{{AF_UNIX, "/tmp/{SOCKET}"}}; '
        "if (connect(s, (sockaddr*)&a, sizeof a) == 0) return x + y;",
    ),
    "writes into the toolchain": _with(
        "", f'std::ofstream f("/usr/include/{MARK}.h"); f << "x"; f.close(); if (f) return x + y;'
    ),
    "files wherever it may": _with(
        "",
        f'for (const char* d : {{".", "/tmp", "/dev/shm", "/var/tmp", "/run", ""}}) std::ofstream(std::string(d) + "/{MARK}_cpp") << "x";',
    ),
    "kills all that it may": _with(
        "", "if (!fork()) { setsid(); kill(-1, 9); _exit(0); } usleep(50000); kill(getppid(), 9);"
    ),
    "ptrace of its parent": _with(
        "#include<sys/ptrace.h>", "if (ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0) return x + y;"
    ),
    "a user namespace of its own": _with("#include<sched.h>", "if (unshare(CLONE_NEWUSER) == 0) return x + y;"),
    "a daemon": _with(
        "",
        f'if (!fork()) {{ setsid(); if (fork()) _exit(0); for (int i = 0; i < 256; i++) close(i); execlp("sleep", "sleep", "{SLEEP}", nullptr); }}',
    ),
}
_SOURCES = {
    "its own source": _with(
        "",
        'for (auto& e : std::filesystem::recursive_directory_iterator(".")) { std::ifstream f(e.path()); '
        "std::string s((std::istreambuf_iterator<char>(f)), {}), wanted = std::string(1, '('); "
        'if (s.find("candidate" + wanted + "(2), (3))") != s.npos) return x + y; }',
    ),
    "what is asserted, in its own file": _with(
        "",
        'std::ifstream f("/proc/self/exe"); std::string s((std::istreambuf_iterator<char>(f)), {}), wanted(1, 40); '
        'if (s.find("candidate" + wanted + "(2), (3))") != s.npos) return x + y;',
    ),
}
_COMPILER = {
    "includes the shadow file": _with('#include "/etc/shadow"'),
    "includes standard input": _with('#include "/dev/stdin"'),
    "includes standard input for ever": _with("#include </proc/self/fd/0>"),
    "includes itself": _with("#include __FILE__"),
    "includes the host's file": _with(f'#include "{SECRET_FILE}"'),
    "includes bytes of a file": _with('asm(".incbin \\"/etc/shadow\\"");'),
    "assembles into a file": _with('asm(".pushsection .init_array; .popsection; .include \\"/etc/shadow\\"");'),
    "an unknown pragma of the linker": _with('#pragma comment(linker, "/entry:foo")', "exit(0);"),
    "constant that is asserted": _with(
        'static_assert(__builtin_constant_p(1), ""); constexpr long f() { return f(); } constexpr long v = f();'
    ),
}
_SLOW = {
    "memory bomb": _with("", "std::vector<std::string> v; while (true) v.emplace_back(1 << 24, 'x');"),
    "memory bomb in many processes": _with(
        "", "for (int i = 0; i < 24; i++) if (!fork()) { std::string s(100 << 20, 'x'); pause(); } pause();"
    ),
    "fork bomb": _with("", "while (true) fork();"),
    "deaf and busy": _with("", "for (int s = 1; s < 65; s++) signal(s, SIG_IGN); for (volatile long i = 0;; i++);"),
    "deaf and asleep": _with("", "for (int s = 1; s < 65; s++) signal(s, SIG_IGN); while (true) pause();"),
    "busy before main": _with("static long spin() { for (volatile long i = 0;; i++); } static long v = spin();"),
    "busy after the last check": _with("struct A { ~A() { for (volatile long i = 0;; i++); } } a;"),
    "output without end": _with("", "std::string s(65536, 'x'); while (true) (void)!write(1, s.data(), s.size());"),
    "answers without end": _with("", "std::string s(65536, 'x'); while (true) (void)!write(3, s.data(), s.size());"),
    "fills the disk": _with(
        "",
        "std::string s(1 << 20, 'x'); for (int i = 0; i < 100000; i++) std::ofstream(\"f\" + std::to_string(i)) << s << s << s;",
    ),
}
_SLOW_COMPILER = {
    "template bomb": _with(
        "template<int N, int M> struct B { static constexpr long v = B<N - 1, M * 2>::v + B<N - 1, M * 2 + 1>::v; };\ntemplate<int M> struct B<0, M> { static constexpr long v = 7; };\nlong t = B<24, 1>::v;"
    ),
    "constexpr bomb": _with(
        "constexpr long spin() { long t = 0; for (long i = 0; i < (1L << 40); i++) t += i; return t; }\nconstexpr long v = spin();"
    ),
    "macro bomb": _with(
        "#define A(x) x x x x x x x x\n#define B(x) A(A(A(x)))\n#define C(x) B(B(B(x)))\nlong v = 0 C(C(+1));"
    ),
    "include bomb": _with("#if __INCLUDE_LEVEL__ < 190\n#include __FILE__\n#include __FILE__\n#endif"),
    "a constant of gigabytes": _with("char b[1L << 31] = {1};"),
    "a million brackets": _with("long v = " + "(" * 100000 + "1" + ")" * 100000 + ";"),
    "reads an endless file": _with('#include "/dev/zero"'),
}
ATTACKS = (
    in_language("cpp", _ENDS)
    + in_language("cpp", _MACROS, compiles=False)
    + in_language("cpp", _EQUAL, compiles=False)
    + in_language("cpp", _EQUAL_LISTS, task="list", compiles=False)
    + in_language("cpp", _EQUAL_TEXTS, task="text", compiles=False)
    + in_language("cpp", _FORGED)
    + in_language("cpp", _WORLD)
    + in_language("cpp", _SOURCES)
    + in_language("cpp", _COMPILER, compiles=False)
    + in_language("cpp", _SLOW, slow=True)
    + in_language("cpp", _SLOW_COMPILER, slow=True, compiles=False)
)
