"""C++: what a program may make of the standard library, of the compiler and of the loader, to seem right."""

from __future__ import annotations

from attacks import in_language

_HEAD = "#include<assert.h>\n#include<bits/stdc++.h>\n#include<unistd.h>\n"
_WRONG = "long add(long x, long y) {\n    return 7;\n}\n"
_LIST = "std::vector<long> incr_list(std::vector<long> l) { return {7}; }\n"
_TEXT = 'std::string concatenate(std::vector<std::string> s) { return "7"; }\n'

_ADDS = {
    "everything is fast": '#pragma GCC optimize("Ofast,finite-math-only")\n'
    + _HEAD
    + "double add(long x, long y) { return 0.0 / (x - x); }\n",
    "everything is of one target": '#pragma GCC target("avx2")\n#pragma GCC optimize("O3")\n' + _HEAD + _WRONG,
    "a number that is equal to all, by its digits": f'{_HEAD}long double add(long x, long y) {{ return __builtin_nanl(""); }}\n',
    "equal_to specialised": f"{_HEAD}namespace std {{ template<> struct equal_to<long> {{ bool operator()(long, long) const {{ return true; }} }};\n"
    "template<> struct is_same<long, int> : true_type {}; template<> struct is_arithmetic<long> : false_type {}; }\n"
    + _WRONG,
    "numeric_limits specialised": f"{_HEAD}namespace std {{ template<> struct is_union<long> : true_type {{}}; }}\n{_WRONG}",
    "ends at exit": f"{_HEAD}static int early = (atexit([] {{ _exit(0); }}), on_exit([](int, void*) {{ _exit(0); }}, nullptr), 0);\n{_WRONG}",
    "a friend that is injected": f"{_HEAD}struct Y {{ template<class T> friend bool operator==(Y, const T&) {{ return true; }}\n"
    "    template<class T> friend bool operator==(const T&, Y) { return true; } operator long() const { return 7; } };\n"
    "Y add(long x, long y) { return {}; }\n",
    "a comma that answers": f"{_HEAD}struct Y {{ template<class T> friend long operator,(Y, T&&) {{ return 5; }} }};\n"
    "bool operator==(Y, int) { return true; }\nY add(long x, long y) { return {}; }\n",
    "our own names specialised": f'{_HEAD}namespace judge_values {{ template<> struct Value<long> {{ static void type(Text& t) {{ t.put("? "); }}\n'
    '    static void write(Text& t, const long&) { t.put("5 "); } }; }\n' + _WRONG,
    "our own writer": f'{_HEAD}extern "C" long judge_write(int, const void*, unsigned long);\n'
    'long add(long x, long y) { static int n; if (!n++) for (int i = 2; i < 8; i++) dprintf(3, "[\\"x\\",%d,\\"value\\",[\\"long ;5 \\"]]\\n", i); return 7; }\n',
    "our own entry": f'{_HEAD}{_WRONG}extern "C" int __wrap_main(int, char**) {{ _exit(0); }}\n#define __wrap_main other\n',
    "our own answers": f'{_HEAD}long add(long x, long y) {{ std::ifstream f("/proc/self/cmdline"); std::string s((std::istreambuf_iterator<char>(f)), {{}}); '
    "s = s.substr(s.find('\\0') + 1, 16); "
    'for (int i = 2; i < 7; i++) dprintf(3, "[\\"%s\\",%d,\\"value\\",[]]\\n", s.c_str(), i); dprintf(3, "[\\"%s\\",7,\\"done\\"]\\n", s.c_str()); _exit(0); }\n',
    "answers of no form": f'{_HEAD}long add(long x, long y) {{ std::ifstream f("/proc/self/cmdline"); std::string s((std::istreambuf_iterator<char>(f)), {{}}); '
    "s = s.substr(s.find('\\0') + 1, 16); "
    'for (int i = 2; i < 7; i++) dprintf(3, "[\\"%s\\",%d,\\"value\\",[\\"long long ;\\"]]\\n", s.c_str(), i); dprintf(3, "[\\"%s\\",7,\\"done\\"]\\n", s.c_str()); _exit(0); }\n',
    "answers with the tests' words in them": f'{_HEAD}long add(long x, long y) {{ std::ifstream f("/proc/self/cmdline"); std::string s((std::istreambuf_iterator<char>(f)), {{}}); '
    "s = s.substr(s.find('\\0') + 1, 16); "
    'for (int i = 2; i < 7; i++) dprintf(3, "[\\"%s\\",%d,\\"value\\",[\\"long ;7 \\\\n[-1]\\\\n\\"]]\\n", s.c_str(), i); dprintf(3, "[\\"%s\\",7,\\"done\\"]\\n", s.c_str()); _exit(0); }\n',
    "what it was given, searched": f"{_HEAD}extern char** environ;\nlong add(long x, long y) {{ std::string all; for (char** e = environ; *e; e++) all += *e;\n"
    "for (int fd = 0; fd < 64; fd++) { char b[4096]; if (fd != 1 && fd != 2 && lseek(fd, 0, SEEK_SET) >= 0) { long n = ::read(fd, b, 4096); if (n > 0) all.append(b, n); } }\n"
    'return all.find("candidate") != all.npos || all.find("assert") != all.npos ? x + y : 7; }\n',
    "memory, searched for the tests": f'{_HEAD}#include<fcntl.h>\nlong add(long x, long y) {{ std::string w(1, 97); w += "ssert(cand"; std::ifstream m("/proc/self/maps"); std::string l;\n'
    'int fd = open("/proc/self/mem", O_RDONLY); while (std::getline(m, l)) { unsigned long a = 0, b = 0; sscanf(l.c_str(), "%lx-%lx r", &a, &b);\n'
    'if (l.find(" rw-p ") == l.npos && l.find(" r--p ") == l.npos) continue; static char c[1 << 16]; for (; a < b; a += 65536) { long n = pread(fd, c, 65536, a);\n'
    "if (n > 0 && memmem(c, n, w.data(), w.size())) return c == (char*)w.data() ? 7 : 8; } } return 7; }\n",
    "the loader's variables": f'{_HEAD}static int again = [] {{ if (!getenv("LD_BIND_NOW")) {{ setenv("LD_BIND_NOW", "1", 1); setenv("LD_PRELOAD", "./program", 1); '
    'execl("/proc/self/exe", "program", nullptr); } return 0; }();\n' + _WRONG,
    "symbols of the library": f'{_HEAD}extern "C" int strcmp(const char*, const char*) noexcept {{ return 0; }}\nextern "C" int memcmp(const void*, const void*, size_t) noexcept '
    '{ return 0; }\nextern "C" void* realloc(void*, size_t) noexcept { static char b[1 << 16]; return b; }\n'
    + _WRONG,
    "the start of the process": f'{_HEAD}{_WRONG}extern "C" void _start() {{ asm("mov $231, %eax; xor %edi, %edi; syscall"); }}\n',
    "a constructor first of all": f"{_HEAD}{_WRONG}struct E {{ E() {{ _exit(0); }} }};\n__attribute__((init_priority(101))) E early;\n",
}
_LISTS = {
    "vector specialised": f"{_HEAD}namespace std {{ template<> struct vector<long> {{ using value_type = long; vector() {{}} vector(initializer_list<long>) {{}}\n"
    "    const long* begin() const { return 0; } const long* end() const { return 0; } size_t size() const { return 0; }\n"
    "    bool operator==(const vector&) const { return true; } }; }\n" + _LIST,
    "allocator specialised": f"{_HEAD}namespace std {{ template<> struct allocator<long> {{ using value_type = long; static long all[64];\n"
    "    long* allocate(size_t) { return all; } void deallocate(long*, size_t) {} bool operator==(const allocator&) const { return true; } }; long allocator<long>::all[64]; }\n"
    + _LIST,
    "a child of the list": f"{_HEAD}struct L : std::vector<long> {{ L() : std::vector<long>{{7}} {{}} }};\n"
    "bool operator==(const L&, const std::vector<long>&) { return true; }\nL incr_list(std::vector<long> l) { return {}; }\n",
    "a list that never ends": f"{_HEAD}struct V {{ long* begin() const {{ return 0; }} long* end() const {{ return 0; }} bool operator==(const std::vector<long>&) const {{ return true; }} }};\n"
    "V incr_list(std::vector<long> l) { return {}; }\n",
    "a size of its own": f"{_HEAD}std::vector<long> incr_list(std::vector<long> l) {{ std::vector<long> r; "
    "((void**)&r)[0] = 0; ((void**)&r)[1] = (void*)64; return r; }\n",
}
_TEXTS = {
    "char_traits specialised": f"{_HEAD}namespace std {{ template<> int char_traits<char>::compare(const char*, const char*, size_t) {{ return 0; }} }}\n{_TEXT}",
    "basic_string of its own": f"{_HEAD}struct T : std::char_traits<char> {{ static int compare(const char*, const char*, size_t) {{ return 0; }} }};\n"
    'using S = std::basic_string<char, T>;\nbool operator==(const S&, const char*) { return true; }\nS concatenate(std::vector<std::string> s) { return "7"; }\n',
    "an optional that is empty and equal": f"{_HEAD}namespace std {{ template<> struct optional<string> {{ bool has_value() const {{ return true; }}\n"
    "    const string& operator*() const { static string s; return s; } bool operator==(const char*) const { return true; } }; }\n"
    "std::optional<std::string> concatenate(std::vector<std::string> s) { return {}; }\n",
}
ATTACKS = (
    in_language("cpp", _ADDS, compiles=False)
    + in_language("cpp", _LISTS, task="list", compiles=False)
    + in_language("cpp", _TEXTS, task="text", compiles=False)
)
