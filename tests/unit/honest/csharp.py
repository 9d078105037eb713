"""C# that answers rightly, in the styles that people and models write it in."""

from __future__ import annotations

from attacks import Task

_HEAD = "using System;\nusing System.Collections.Generic;\nusing System.Linq;\n"


def _add(body: str, members: str = "", head: str = _HEAD, after: str = "", kind: str = "long") -> str:
    return f"{head}class Problem {{\n{members}\n    public static {kind} Add(long x, long y) {{\n        {body}\n    }}\n}}\n{after}"


def _list(body: str, members: str = "", returns: str = "List<long>", head: str = _HEAD, after: str = "") -> str:
    return f"{head}class Problem {{\n{members}\n    public static {returns} IncrList(List<long> l) {{\n        {body}\n    }}\n}}\n{after}"


def _text(body: str, members: str = "", head: str = _HEAD) -> str:
    return f"{head}class Problem {{\n{members}\n    public static string Concatenate(List<string> s) {{\n        {body}\n    }}\n}}\n"


_ADDS = {
    "Main of its own": _add(
        "return x + y;",
        "    public static void Main(string[] args) { Console.WriteLine(Add(1, 2)); Environment.Exit(1); }",
    ),
    "a Main of another class": _add("return x + y;", after="class Program { static int Main() { return 3; } }"),
    "no using at all": _add("return System.Math.Max(x, y) + System.Math.Min(x, y);", head=""),
    "using twice over": _add("return x + y;", head=_HEAD + "using System;\nusing System.Text;\n"),
    "an expression body": f"{_HEAD}class Problem {{\n    public static long Add(long x, long y) => x + y;\n}}\n",
    "a struct with operators": _add(
        "return (new N(x) + new N(y)).V;",
        after="struct N {\n    public readonly long V;\n    public N(long v) { V = v; }\n    public static N operator +(N a, N b) { return new N(a.V + b.V); }\n    public static bool operator ==(N a, N b) { return a.V == b.V; }\n    public static bool operator !=(N a, N b) { return !(a == b); }\n    public override bool Equals(object o) { return o is N && (N) o == this; }\n    public override int GetHashCode() { return (int) V; }\n}\n",
    ),
    "a tuple": _add("var (a, b) = (x, y); return a + b;"),
    "a property and a static constructor": _add(
        "return Zero + x + y;", "    static long Zero { get; set; }\n    static Problem() { Zero = 0; }"
    ),
    "an interface, a lambda and a delegate": _add(
        "Op op = (a, b) => a + b; return op(x, y);", "    delegate long Op(long a, long b);"
    ),
    "generics with a constraint": _add(
        "return Largest(new List<long> { x + y });",
        "    static T Largest<T>(IEnumerable<T> items) where T : IComparable<T> { return items.OrderByDescending(i => i).First(); }",
    ),
    "an extension method": _add(
        "return x.Plus(y);",
        after="static class More { public static long Plus(this long a, long b) { return a + b; } }\n",
    ),
    "classes called like ours": _add(
        "return Checks.Sum(x, y);",
        after="class Checks { public static long Sum(long a, long b) { return a + b; } }\nclass Values { }\nclass Tests { }\nclass Calls { }\n",
    ),
    "checked arithmetic": _add("checked { return x + y; }"),
    "another kind of number": _add("return (int) (x + y);", kind="int"),
    "a number that may be missing": _add("return x + y;", kind="long?"),
    "prints as it goes": _add(
        'Console.WriteLine("[\\"x\\",0,\\"value\\",[]]"); Console.Error.WriteLine("Fail"); return x + y;'
    ),
    "a thread": _add(
        "long sum = 0; var t = new System.Threading.Thread(() => sum = x + y); t.Start(); t.Join(); return sum;"
    ),
    "a task": _add("return System.Threading.Tasks.Task.Run(() => x + y).Result;"),
    "BigInteger": _add("return (long) (new System.Numerics.BigInteger(x) + y);"),
    "an assertion of its own": _add("System.Diagnostics.Debug.Assert(x >= 0); return x + y;"),
    "a public static class": _HEAD
    + "public static class Problem {\n    public static long Add(long x, long y) { return x + y; }\n}\n",
    "out and ref": _add(
        "Sum(x, y, out long r); return r;", "    static void Sum(long a, long b, out long r) { r = a + b; }"
    ),
}
_LISTS = {
    "LINQ": _list("return l.Select(v => v + 1).ToList();"),
    "LINQ that is not run yet": _list("return l.Select(v => v + 1);", returns="IEnumerable<long>"),
    "a query": _list("return (from v in l select v + 1).ToList();"),
    "yield": _list("foreach (var v in l) yield return v + 1;", returns="IEnumerable<long>"),
    "an array": _list("return l.Select(v => v + 1).ToArray();", returns="long[]"),
    "in place": _list("for (int i = 0; i < l.Count; i++) l[i]++; return l;"),
    "a class of its own": _list(
        "var m = new Mine(); foreach (var v in l) m.Add(v + 1); return m;",
        returns="Mine",
        after="class Mine : List<long> { }\n",
    ),
    "an interface": _list("return l.ConvertAll(v => v + 1);", returns="IList<long>"),
    "a list that nobody may change": _list(
        "return l.ConvertAll(v => v + 1).AsReadOnly();", returns="IReadOnlyList<long>"
    ),
    "a linked list": _list("return new LinkedList<long>(l.Select(v => v + 1));", returns="LinkedList<long>"),
    "a queue": _list("return new Queue<long>(l.Select(v => v + 1));", returns="Queue<long>"),
    "a list of its own called List": _list(
        "return new System.Collections.Generic.List<long>(l.Select(v => v + 1));", members="    class List { }"
    ),
    "a collection": _list(
        "return new System.Collections.ObjectModel.Collection<long>(l.Select(v => v + 1).ToList());",
        returns="ICollection<long>",
    ),
}
_TEXTS = {
    "a builder": _text("var b = new System.Text.StringBuilder(); foreach (var t in s) b.Append(t); return b.ToString();"),
    "string.Concat": _text("return string.Concat(s);"),
    "interpolation": _text('string r = ""; foreach (var t in s) r = $"{r}{t}"; return r;'),
    "Aggregate": _text('return s.Aggregate("", (a, b) => a + b);'),
    "verbatim text": _text('return string.Join(@"", s) + @"""".Substring(1);'),
}  # fmt: skip
PROGRAMS: dict[Task, dict[str, str]] = {"add": _ADDS, "list": _LISTS, "text": _TEXTS}
#: Siblings of them that are wrong.
WRONG: dict[Task, dict[str, str]] = {
    "add": {
        "off by one": _add("return x + y - 1;"),
        "right for even sums": _add("return (x + y) / 2 * 2;"),
    },
    "list": {
        "as it was given": _list("return l;"),
        "sorted": _list("return l.Select(v => v + 1).OrderBy(v => v).ToList();"),
    },
    "text": {"a blank between": _text('return string.Join(" ", s);')},
}
