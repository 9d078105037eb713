"""C++ that answers rightly, in the styles that people and models write it in."""

from __future__ import annotations

from attacks import Task

_HEAD = "#include<assert.h>\n#include<bits/stdc++.h>\n"
_STD = f"{_HEAD}using namespace std;\n"
_ADDS = {
    "int is long long": f"{_STD}#define int long long\nint add(int x, int y) {{\n    return x + y;\n}}\n",
    "main of its own, by its macro": f"{_STD}#define int long long\nlong add(long x, long y) {{ return x + y; }}\n"
    'signed main() { int n; cin >> n; cout << add(n, 1) << "\\n"; return 1; }\n',
    "main with a trailing type": f"{_HEAD}long add(long x, long y) {{ return x + y; }}\nauto main() -> int {{ std::exit(3); }}\n",
    "pragmas of contests": '#pragma GCC optimize("O3,unroll-loops")\n#pragma GCC optimize("Ofast")\n'
    f"{_STD}long add(long x, long y) {{ return x + y; }}\n",
    "macros for min, max and loops": f"{_STD}#define min(a, b) ((a) < (b) ? (a) : (b))\n#define max(a, b) ((a) > (b) ? (a) : (b))\n"
    "#define rep(i, n) for (long i = 0; i < (n); i++)\n#define ll long long\n#define pb push_back\n#define all(x) (x).begin(), (x).end()\n"
    "long add(long x, long y) { long lo = min(x, y), hi = max(x, y); rep(i, lo) hi++; return hi; }\n",
    "macros over words of the language": f"{_STD}#define elif else if\n#define returns return\n#define long int64_t\n"
    "long add(long x, long y) { if (x == 0) returns y; elif (y == 0) returns x; else returns x + y; }\n",
    "names like ours": f"{_HEAD}namespace judge {{ struct Text {{ int put; }}; }}\nstruct Text {{ long value; }};\nstruct Value {{ long value; }};\n"
    "struct Answer { Text text; };\nstruct Call {};\nstruct Line {};\nstruct Nothing {};\n"
    "long add(long x, long y) { Answer a{{x}}; return a.text.value + y; }\n",
    "functions like the system's": f"{_STD}long read(long x) {{ return x; }}\nlong write(long x, long y) {{ return x + y; }}\n"
    "void exit() {}\nlong add(long x, long y) { exit(); return write(read(x), y); }\n",
    "another kind of number": f"{_HEAD}int add(int x, int y) {{ return x + y; }}\n",
    "unsigned numbers": f"{_HEAD}unsigned long add(unsigned long x, unsigned long y) {{ return x + y; }}\n",
    "a double": f"{_HEAD}double add(double x, double y) {{ return x + y; }}\n",
    "a reference that lasts": f"{_HEAD}const long& add(const long& x, const long& y) {{ static long sum; return sum = x + y; }}\n",
    "deduced types": f"{_HEAD}auto add(long x, long y) noexcept {{ return x + y; }}\n",
    "default arguments and attributes": f"{_HEAD}[[nodiscard]] constexpr static inline long add(long x, long y = 2) {{ return x + y; }}\n",
    "a lambda": f"{_HEAD}auto add = [](auto x, auto y) {{ return x + y; }};\n",
    "an object that is called": f"{_HEAD}struct Add {{ long operator()(long x, long y) const {{ return x + y; }} }} add;\n",
    "operators of its own": f"{_STD}struct P {{ long x, y; }};\nP operator+(const P& a, const P& b) {{ return {{a.x + b.x, a.y + b.y}}; }}\n"
    "bool operator==(const P& a, const P& b) { return a.x == b.x; }\nostream& operator<<(ostream& o, const P& p) { return o << p.x; }\n"
    "istream& operator>>(istream& i, P& p) { return i >> p.x; }\nlong add(long x, long y) { return (P{x, 0} + P{y, 0}).x; }\n",
    "operator new of its own": f"{_HEAD}static long news = 0;\nvoid* operator new(size_t n) {{ ++news; return malloc(n); }}\n"
    "void operator delete(void* p) noexcept { free(p); }\nvoid operator delete(void* p, size_t) noexcept { free(p); }\n"
    "long add(long x, long y) { auto p = std::make_unique<long>(x); return *p + y; }\n",
    "fast input and output": f"{_STD}static int fast = [] {{ ios::sync_with_stdio(false); cin.tie(nullptr); return 0; }}();\n"
    'long add(long x, long y) { cout << "adding\\n"; cerr << x; return x + y; }\n',
    "a specialised hash": f"{_STD}namespace std {{ template<> struct hash<pair<long, long>> {{ size_t operator()(const pair<long, long>& p) const "
    "{ return p.first; } }; }\nlong add(long x, long y) { unordered_map<pair<long, long>, long> m; m[{x, y}] = x + y; return m[{x, y}]; }\n",
    "few headers": "#include <iostream>\n#include <vector>\nlong add(long x, long y) { std::vector<long> v{x, y}; return v[0] + v[1]; }\n",
    "no header at all": "long add(long x, long y) { return x + y; }",
    "a class beside it": f"{_HEAD}class Solution {{ public: long add(long x, long y) {{ return x + y; }} }};\n"
    "long add(long x, long y) { return Solution().add(x, y); }\n",
    "a comment at the end": f"{_HEAD}long add(long x, long y) {{ return x + y; }}\n// add(2, 3) == 5",
    "threads": f"{_STD}long add(long x, long y) {{ long s = 0; thread t([&] {{ s = x + y; }}); t.join(); return s; }}\n",
    "poison of C": f"{_HEAD}#pragma GCC poison strcpy gets\n#pragma GCC diagnostic push\nlong add(long x, long y) {{ return x + y; }}\n",
}
_LISTS = {
    "a constant reference": f"{_STD}vector<long> incr_list(const vector<long>& l) {{ vector<long> r; for (auto v : l) r.push_back(v + 1); return r; }}\n",
    "templates": f"{_STD}template<class T> T map_all(T l) {{ transform(begin(l), end(l), begin(l), [](auto v) {{ return v + 1; }}); return l; }}\n"
    "vector<long> incr_list(vector<long> l) { return map_all(move(l)); }\n",
    "a value taken by right": f"{_STD}vector<long> incr_list(vector<long>&& l) {{ for (long& v : l) ++v; return move(l); }}\n",
    "a list of its own beside": f"{_STD}namespace mine {{ template<class T> struct vector {{ T first; }}; }}\n"
    "std::vector<long> incr_list(std::vector<long> l) { mine::vector<long> one{1}; for (auto& v : l) v += one.first; return l; }\n",
}
_TEXTS = {
    "a stream": f"{_STD}string concatenate(vector<string> s) {{ ostringstream o; for (auto& w : s) o << w; return o.str(); }}\n",
    "a view that lasts": f"{_STD}string_view concatenate(const vector<string>& s) {{ static string r; r.clear(); for (auto& w : s) r += w; return r; }}\n",
}
PROGRAMS: dict[Task, dict[str, str]] = {"add": _ADDS, "list": _LISTS, "text": _TEXTS}
#: Siblings of them that are wrong.
WRONG: dict[Task, dict[str, str]] = {
    "add": {
        "off by one": f"{_HEAD}long add(long x, long y) {{ return x + y - 1; }}\n",
        "another operator": f"{_HEAD}auto add = [](auto x, auto y) {{ return x | y; }};\n",
    },
    "list": {
        "as it was given": f"{_STD}vector<long> incr_list(vector<long> l) {{ return l; }}\n",
        "one too few": f"{_STD}vector<long> incr_list(vector<long> l) {{ for (size_t i = 0; i + 1 < l.size(); i++) l[i]++; return l; }}\n",
    },
    "text": {
        "a blank between": f'{_STD}string concatenate(vector<string> s) {{ string r; for (auto& w : s) r += w + " "; return r; }}\n'
    },
}
