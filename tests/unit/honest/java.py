"""Java that answers rightly, in the styles that people and models write it in."""

from __future__ import annotations

from attacks import Task

_UTIL = "import java.util.*;\n"


def _list(body: str, members: str = "", head: str = _UTIL, returns: str = "ArrayList<Long>", after: str = "") -> str:
    return (
        f"{head}class Problem {{\n{members}\n    public static {returns} incrList(ArrayList<Long> l) {{\n"
        f"        {body}\n    }}\n}}\n{after}"
    )


def _add(body: str, members: str = "", head: str = "", after: str = "", kind: str = "long") -> str:
    return (
        f"{head}class Problem {{\n{members}\n    public static {kind} add(long x, long y) {{\n        {body}\n    }}\n}}\n"
        f"{after}"
    )


def _text(body: str, members: str = "", head: str = _UTIL, returns: str = "String") -> str:
    return (
        f"{head}class Problem {{\n{members}\n    public static {returns} concatenate(ArrayList<String> s) {{\n"
        f"        {body}\n    }}\n}}\n"
    )


_COPY = "ArrayList<Long> r = new ArrayList<>(); for (long v : l) r.add(v + 1); return r;"
_ADDS = {
    "main of its own": _add(
        "return x + y;",
        "    public static void main(String[] args) { System.out.println(add(1, 2)); System.exit(1); }",
    ),
    "another kind of number": _add("return x + y;", kind="Long"),
    "a record": _add(
        "return new Two(x, y).sum();", "    record Two(long a, long b) { long sum() { return a + b; } }"
    ),
    "an interface and a lambda": _add(
        "Op op = (a, b) -> a + b; return op.of(x, y);", "    interface Op { long of(long a, long b); }"
    ),
    "a generic helper": _add(
        "return fold(Math::addExact, x, y);",
        "    static <T> T fold(java.util.function.BinaryOperator<T> f, T a, T b) { return f.apply(a, b); }",
    ),
    "a second top-level class": _add(
        "return new Adder(x).plus(y);",
        after="class Adder {\n    final long base;\n    Adder(long base) { this.base = base; }\n    long plus(long y) { return base + y; }\n}\n",
    ),
    "top-level classes called like ours": _add(
        "return Values.sum(x, y) + new Json().zero + Calls.ZERO;",
        after="class Values { static long sum(long a, long b) { return a + b; } }\nclass Json { long zero = 0; }\nclass Calls { static final long ZERO = 0; }\nclass Main { }\nclass Checks { }\n",
    ),
    "an enum and a switch": _add(
        "return switch (Sign.of(x)) { case UP, DOWN -> x + y; };",
        "    enum Sign { UP, DOWN; static Sign of(long v) { return v < 0 ? DOWN : UP; } }",
    ),
    "a sealed interface": _add(
        "N n = new One(x + y); return n instanceof One o ? o.v() : 0;",
        "    sealed interface N permits One { }\n    record One(long v) implements N { }",
    ),
    "BigInteger": _add(
        "return BigInteger.valueOf(x).add(BigInteger.valueOf(y)).longValueExact();", head="import java.math.*;\n"
    ),
    "a thread": _add(
        "long[] sum = new long[1]; Thread t = new Thread(() -> sum[0] = x + y); t.start(); try { t.join(); } catch (InterruptedException e) { throw new RuntimeException(e); } return sum[0];"
    ),
    "a pool of threads": _add(
        "ExecutorService pool = Executors.newFixedThreadPool(4); try { return pool.submit(() -> x + y).get(); } catch (Exception e) { return 0; } finally { pool.shutdown(); }",
        head="import java.util.concurrent.*;\n",
    ),
    "a text block and a unicode escape": _add(
        'String t = """\n            a"b\n            """; return x + y + t.length() - 4 + \'\\u0041\' - 65;'
    ),
    "prints as it goes": _add(
        'System.out.println("[\\"x\\",0,\\"value\\",[]]"); System.err.println(x); return x + y;'
    ),
    "a static block": _add(
        "return TABLE[(int) x] + y;",
        "    static final long[] TABLE = new long[100];\n    static { for (int i = 0; i < 100; i++) TABLE[i] = i; }",
    ),
    "imports twice over": _add(
        "return LongStream.of(x, y).sum();",
        head="import java.util.*;\nimport java.util.*;\nimport java.util.List;\nimport java.util.stream.LongStream;\n",
    ),
    "an assertion of its own": _add('assert x >= 0 : "negative"; return x + y;'),
    "a public class": "public " + _add("return x + y;"),
    "recursion": _add("return y == 0 ? x : add(x + 1, y - 1);"),
}
_LISTS = {
    "an anonymous subclass": _list("return new ArrayList<Long>() {{ for (long v : l) add(v + 1); }};"),
    "a named subclass": _list("Mine m = new Mine(); for (long v : l) m.add(v + 1); return m;", "    static class Mine extends ArrayList<Long> { }"),
    "in place": _list("for (int i = 0; i < l.size(); i++) l.set(i, l.get(i) + 1); return l;"),
    "a stream": _list("return l.stream().map(v -> v + 1).collect(Collectors.toCollection(ArrayList::new));", head=_UTIL + "import java.util.stream.*;\n"),
    "a stream's own list": _list("return l.stream().map(v -> v + 1).toList();", returns="List<Long>"),
    "a linked list": _list("LinkedList<Long> r = new LinkedList<>(); for (long v : l) r.add(v + 1); return r;", returns="LinkedList<Long>"),
    "a list of arrays' class": _list("Long[] r = new Long[l.size()]; for (int i = 0; i < r.length; i++) r[i] = l.get(i) + 1; return Arrays.asList(r);", returns="List<Long>"),
    "a list that nobody may change": _list(_COPY.replace("return r", "return Collections.unmodifiableList(r)"), returns="List<Long>"),
    "List.copyOf": _list(_COPY.replace("return r", "return List.copyOf(r)"), returns="Collection<Long>"),
    "a part of a list": _list("ArrayList<Long> r = new ArrayList<>(List.of(0L)); for (long v : l) r.add(v + 1); return r.subList(1, r.size());", returns="List<Long>"),
    "a list of its own making": _list("return new AbstractList<Long>() { public Long get(int i) { return l.get(i) + 1; } public int size() { return l.size(); } };", returns="List<Long>"),
    "a vector": _list("Vector<Long> r = new Vector<>(); for (long v : l) r.add(v + 1); return r;", returns="Vector<Long>"),
    "declared as an object": _list(_COPY, returns="Object"),
    "an iterator of its own": _list("ArrayList<Long> r = new ArrayList<>(); for (long v : new Up(l)) r.add(v); return r;", "    static class Up implements Iterable<Long> {\n        final List<Long> l;\n        Up(List<Long> l) { this.l = l; }\n        public Iterator<Long> iterator() { return l.stream().map(v -> v + 1).iterator(); }\n    }"),
    "a generic class of its own called Pair": _list("ArrayList<Long> r = new ArrayList<>(); for (long v : l) r.add(new Pair<>(v, 1L).first() + 1); return r;", "    record Pair<A, B>(A first, B second) { }"),
    "a top-level class called ArrayList": "class Problem {\n    public static java.util.ArrayList<Long> incrList(java.util.ArrayList<Long> l) {\n        java.util.ArrayList<Long> r = new java.util.ArrayList<>(); for (long v : l) r.add(v + 1); return r;\n    }\n}\nclass ArrayList { }\n",
}  # fmt: skip
_TEXTS = {
    "a builder": _text("StringBuilder b = new StringBuilder(); for (String t : s) b.append(t); return b.toString();"),
    "String.join": _text('return String.join("", s);'),
    "a var and a labelled loop": _text(
        'var r = ""; outer: for (var t : s) { for (char c : t.toCharArray()) { if (c == 0) continue outer; r += c; } } return r;'
    ),
    "reduce": _text('return s.stream().reduce("", String::concat);'),
    "formatted": _text(
        'String r = ""; for (String t : s) r = String.format("%s%s", r, t); return new String(r.getBytes());'
    ),
}
PROGRAMS: dict[Task, dict[str, str]] = {"add": _ADDS, "list": _LISTS, "text": _TEXTS}
#: Siblings of them that are wrong.
WRONG: dict[Task, dict[str, str]] = {
    "add": {
        "off by one": _add("return Math.addExact(x, y) - 1;"),
        "right for even sums": _add("return (x + y) / 2 * 2;"),
    },
    "list": {
        "as it was given": _list("return l;"),
        "another order": _list(_COPY.replace("return r", "Collections.reverse(r); return r")),
    },
    "text": {"a blank between": _text('return String.join(" ", s);')},
}
