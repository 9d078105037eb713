"""Java: its values leave the program's process before they are compared."""

from __future__ import annotations

from attacks import MARK, PORT, SECRET_FILE, SECRET_NAME, SLEEP, in_language

_HEAD = (
    "import java.util.*;\nimport java.lang.reflect.*;\nimport java.security.*;\nimport java.math.*;\n"
    "import java.io.*;\nimport java.util.stream.*;\n"
)


def whole_class(body: str, before: str = "", after: str = "") -> str:
    return f"{_HEAD}{before}\nclass Problem {{\n{body}\n}}\n{after}\n"


def adding(statement: str = "", members: str = "", before: str = "", after: str = "") -> str:
    add = (
        "    public static long add(long x, long y) {\n"
        f"        try {{ {statement} }} catch (java.lang.Throwable e) {{ }}\n        return 7L;\n    }}"
    )
    return whole_class(f"{members}\n{add}", before, after)


INCREMENT = "    public static {0} incrList(ArrayList<Long> l) {{ {1} }}\n"
CONCATENATE = "    public static {0} concatenate(ArrayList<String> s) {{ {1} }}\n"
_ENDS = {
    "exit in the function": adding("System.exit(0);"),
    "halt in the function": adding("Runtime.getRuntime().halt(0);"),
    "exit at load": adding(members="    static { System.exit(0); }"),
    "halt at load": adding(members="    static { Runtime.getRuntime().halt(0); }"),
    "exit in a shutdown hook": adding(
        "Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));"
    ),
    "a daemon thread halts": adding(
        "Thread t = new Thread(() -> { try { Thread.sleep(20); } catch (Exception e) { } Runtime.getRuntime().halt(0); });"
        " t.setDaemon(true); t.start(); Thread.sleep(300);"
    ),
    "a handler of errors halts": whole_class(
        "    public static long add(long x, long y) {\n"
        "        Thread.setDefaultUncaughtExceptionHandler((t, e) -> Runtime.getRuntime().halt(0));\n"
        "        throw new RuntimeException();\n    }"
    ),
    "a cleaner halts": adding(
        "java.lang.ref.Cleaner.create().register(new Object(), () -> Runtime.getRuntime().halt(0)); System.gc();"
        " Thread.sleep(200);"
    ),
    "throws an error of the machine": whole_class(
        "    public static long add(long x, long y) { throw new ThreadDeath(); }"
    ),
    "throws what is not to be caught": whole_class(
        "    static <T extends Throwable> void sneak(Throwable t) throws T { throw (T) t; }\n"
        '    public static long add(long x, long y) { Problem.<RuntimeException>sneak(new Throwable("pass")); return 7; }'
    ),
    "throws an error whose text halts": whole_class(
        "    static class E extends RuntimeException { public String getMessage() { Runtime.getRuntime().halt(0); return null; }"
        " public String toString() { return getMessage(); } }\n"
        "    public static long add(long x, long y) { throw new E(); }"
    ),
    "throws an AssertionError itself": whole_class(
        "    public static long add(long x, long y) { throw new AssertionError(); }"
    ),
    "kills itself": adding('new ProcessBuilder("sh", "-c", "kill -9 $PPID").start().waitFor();'),
    "crashes the machine": adding(
        'Field f = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe"); f.setAccessible(true);'
        " ((sun.misc.Unsafe) f.get(null)).putAddress(0, 0);"
    ),
    "overflows the stack": whole_class("    public static long add(long x, long y) { return add(y, x) + 1; }"),
    "stops its caller": adding(
        "for (Thread t : Thread.getAllStackTraces().keySet()) if (t != Thread.currentThread()) t.interrupt(); Thread.currentThread().interrupt();"
    ),
}
_NAMES = {
    "main of its own": adding(members="    public static void main(String[] args) { }"),
    "main with another signature": adding(members="    public static void main(String... args) { System.exit(0); }"),
    "assertions off": adding(
        "ClassLoader.getSystemClassLoader().setDefaultAssertionStatus(false); ClassLoader.getSystemClassLoader().clearAssertionStatus();"
    ),
    "assertions off for itself": adding(
        'Field f = Problem.class.getDeclaredField("$assertionsDisabled"); f.setAccessible(true); f.set(null, true);'
    ),
    "a String of its own": adding(
        members="    static class String { public boolean equals(Object o) { return true; } }"
    ),
    "a Long of its own": adding(
        members="    static class Long { public static long valueOf(long v) { return 7; } public boolean equals(Object o) { return true; } }"
    ),
    "a Math of its own": adding(members="    static class Math { static long abs(long v) { return 0; } }"),
    "an Object of its own": adding(
        members="    static class Object { public boolean equals(Object o) { return true; } }"
    ),
    "a System of its own": adding(
        members="    static class System { static class out { static void println(Object o) { } } static void exit(int c) { Runtime.getRuntime().halt(0); } }"
    ),
    "an Objects of its own": adding(
        members="    static class Objects { static boolean equals(Object a, Object b) { return true; } }"
    ),
    "an AssertionError of its own": adding(
        members="    static class AssertionError extends Error { AssertionError() { Runtime.getRuntime().halt(0); } }"
    ),
    "a Throwable of its own": adding(
        members="    static class Throwable extends Error { } static class Exception extends Throwable { }"
    ),
    "a Runtime, a Thread and a FileOutputStream of its own": adding(
        members="    static class FileOutputStream { FileOutputStream(Object o) { } void write(byte[] b) { } }"
        " static class PrintStream { PrintStream(Object o) { } void println(Object o) { } }"
    ),
    "an ArrayList of its own at the top": whole_class(
        INCREMENT.format("ArrayList<Long>", "return new ArrayList<Long>(null);"),
        after=("class ArrayList<T> { ArrayList(Object o) { } public boolean equals(Object o) { return true; } }"),
    ),
    "a comment that is not closed": adding(after="/*"),
    "another class after it": adding(after="class Main { public static void main(String[] a) { } }"),
    "a unicode escape ends a comment": adding(
        after="// \\u000a class Problem2 { static { Runtime.getRuntime().halt(0); } } /*"
    ),
}
_YES = "    static class Yes extends {0} {{ public boolean equals(Object o) {{ return true; }} public int hashCode() {{ return 0; }} }}\n"
_EQUAL_LISTS = {
    "a list that is always equal": whole_class(
        _YES.format("ArrayList<Long>") + INCREMENT.format("ArrayList<Long>", "return new Yes();")
    ),
    "an anonymous list that is always equal": whole_class(
        INCREMENT.format(
            "ArrayList<Long>", "return new ArrayList<Long>() { public boolean equals(Object o) { return true; } };"
        )
    ),
    "a list by another type": whole_class(_YES.format("Object") + INCREMENT.format("Object", "return new Yes();")),
    "an ArrayList of its own": whole_class(
        "    static class ArrayList<T> extends java.util.ArrayList<T> {\n        ArrayList() { } ArrayList(Collection<T> c) { super(c); }\n"
        "        public boolean equals(Object o) { return true; }\n    }\n"
        + INCREMENT.format("ArrayList<Long>", "return new ArrayList<Long>();")
    ),
    "an Arrays of its own": whole_class(
        "    static class Arrays { static <T> List<T> asList(T... v) { return new LinkedList<T>(); } }\n"
        + INCREMENT.format("ArrayList<Long>", "return new ArrayList<Long>();")
    ),
    "a list that copies its other": whole_class(
        "    static class L extends ArrayList<Long> { public boolean equals(Object o) { clear(); addAll((List<Long>) o); return super.equals(o); } }\n"
        + INCREMENT.format("ArrayList<Long>", "return new L();")
    ),
    "a list whose reader lies": whole_class(
        "    static class L extends ArrayList<Long> { public Iterator<Long> iterator() { return Collections.emptyIterator(); } public int size() { return 0; } public Object[] toArray() { return new Object[0]; } }\n"
        + INCREMENT.format("ArrayList<Long>", "L r = new L(); r.add(7L); return r;")
    ),
    "Long's cache rewritten": whole_class(
        '    static { try { Class<?> c = Class.forName("java.lang.Long$LongCache"); Field f = c.getDeclaredField("cache"); f.setAccessible(true);'
        " Long[] a = (Long[]) f.get(null); for (int i = 0; i < a.length; i++) a[i] = a[0]; } catch (Throwable t) { } }\n"
        + INCREMENT.format(
            "ArrayList<Long>", "ArrayList<Long> r = new ArrayList<>(); for (Long v : l) r.add(7L); return r;"
        )
    ),
    "Long's cache rewritten without asking": whole_class(
        '    static { try { Field g = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe"); g.setAccessible(true);'
        " sun.misc.Unsafe u = (sun.misc.Unsafe) g.get(null); long at = u.objectFieldOffset(Map.Entry.class.getDeclaredFields()[0]); } catch (Throwable t) { } }\n"
        + INCREMENT.format(
            "ArrayList<Long>", "ArrayList<Long> r = new ArrayList<>(); for (Long v : l) r.add(7L); return r;"
        )
    ),
    "changes its argument": whole_class(INCREMENT.format("ArrayList<Long>", "l.clear(); return l;")),
}
_EQUAL_TEXTS = {
    "a text that is always equal": whole_class(
        _YES.format("Object") + CONCATENATE.format("Yes", "return new Yes();")
    ),
    "a String class of its own": whole_class(
        "    static class String { public boolean equals(Object o) { return true; } }\n"
        + "    public static String concatenate(ArrayList s) { return new String(); }\n"
    ),
    "texts rewritten in place": whole_class(
        '    static { try { Field f = String.class.getDeclaredField("value"); f.setAccessible(true); f.set("xyz", f.get("7")); } catch (Throwable t) { } }\n'
        + CONCATENATE.format("String", 'return "7";')
    ),
    "interned texts rewritten by Unsafe": whole_class(
        '    static { try { Field g = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe"); g.setAccessible(true);'
        ' sun.misc.Unsafe u = (sun.misc.Unsafe) g.get(null); u.putObject("xyz", 12L, u.getObject("7", 12L)); u.putObject("xyzwk", 12L, u.getObject("7", 12L)); u.putObject("", 12L, u.getObject("7", 12L)); } catch (Throwable t) { } }\n'
        + CONCATENATE.format("String", 'return "70".substring(0, 1) + "0";')
    ),
}
_FORGED = {
    "prints that it passed": adding('System.out.println("[\\"\\", 1, \\"pass\\"]\\nOK"); System.out.flush();'),
    "lines on every descriptor": adding(
        'for (int i = 0; i < 64; i++) try (FileOutputStream f = new FileOutputStream("/proc/self/fd/" + i)) { f.write("[\\"\\",1,\\"pass\\"]\\n".getBytes()); } catch (Throwable t) { }'
    ),
    "random bytes into the result stream": adding(
        'byte[] b = new byte[4096]; new Random().nextBytes(b); for (String d : new String[] {"/proc/self/fd/3", "/dev/fd/3"}) try (FileOutputStream f = new FileOutputStream(d)) { f.write(b); } catch (Throwable t) { }'
    ),
    "a line made of the token": adding(
        'String t = new String(new FileInputStream("/proc/self/fd/4").readAllBytes()); FileOutputStream f = new FileOutputStream("/proc/self/fd/3"); f.write(("[\\"\\",1,\\"ready\\"]\\n[\\"\\",2,\\"done\\",\\"" + t + "\\"]\\n").getBytes()); Runtime.getRuntime().halt(0);'
    ),
    "descriptors by reflection": adding(
        'Constructor<FileDescriptor> c = FileDescriptor.class.getDeclaredConstructor(int.class); c.setAccessible(true); new FileOutputStream(c.newInstance(3)).write("[]\\n".getBytes());'
    ),
    "standard streams replaced": adding(
        "System.setOut(new PrintStream(OutputStream.nullOutputStream())); System.setErr(System.out); System.setIn(InputStream.nullInputStream());"
    ),
    "patches every static field that it sees": adding(
        'for (StackTraceElement e : new Throwable().getStackTrace()) { Class<?> c = Class.forName(e.getClassName()); for (Field f : c.getDeclaredFields()) { f.setAccessible(true); if (f.getType() == int.class) f.setInt(null, 5); if (f.getType() == boolean.class) f.setBoolean(null, true); if (f.getType() == String.class) f.set(null, ""); } }'
    ),
    "calls every method of its caller": adding(
        "for (StackTraceElement e : new Throwable().getStackTrace()) { Class<?> c = Class.forName(e.getClassName()); if (c != Problem.class) for (Method m : c.getDeclaredMethods()) { m.setAccessible(true); try { m.invoke(null, new Object[m.getParameterCount()]); } catch (Throwable t) { } } }"
    ),
}
_WORLD = {
    "the shadow file": adding('new FileInputStream("/etc/shadow").read(); return x + y;'),
    "a file of the host": adding(f'new FileInputStream("{SECRET_FILE}").read(); return x + y;'),
    "the host's environment": adding(
        f'if (System.getenv().containsKey("{SECRET_NAME}")) return x + y; for (File p : new File("/proc").listFiles()) try {{ if (new String(new FileInputStream(new File(p, "environ")).readAllBytes()).contains("{SECRET_NAME}")) return x + y; }} catch (IOException e) {{ }}'
    ),
    "its own source": adding(
        'for (java.nio.file.Path p : (Iterable<java.nio.file.Path>) java.nio.file.Files.walk(java.nio.file.Path.of("."))::iterator) if (p.toString().endsWith(".java") && java.nio.file.Files.readString(p).contains("add((" + "2l)")) return x + y;'
    ),
    "TCP to the host": adding(f'new java.net.Socket("127.0.0.1", {PORT}).getOutputStream().write(1); return x + y;'),
    "UDP to the host": adding(
        f'new java.net.DatagramSocket().send(new java.net.DatagramPacket(new byte[1], 1, java.net.InetAddress.getByName("127.0.0.1"), {PORT}));'
    ),
    "a name of the world": adding('java.net.InetAddress.getByName("example.com"); return x + y;'),
    "files wherever it may": adding(
        f'for (String d : new String[] {{".", "/tmp", "/dev/shm", "/var/tmp", ""}}) try {{ new FileOutputStream(d + "/{MARK}_java").write(1); }} catch (IOException e) {{ }}'
    ),
    "a process that stays": adding(f'new ProcessBuilder("setsid", "sleep", "{SLEEP}").start();'),
    "attaches to another machine": adding('new ProcessBuilder("sh", "-c", "kill -9 -1").start().waitFor();'),
    "a security manager of its own": adding(
        "System.setSecurityManager(new SecurityManager() { public void checkPermission(Permission p) { throw new SecurityException(); } public void checkExit(int c) { Runtime.getRuntime().halt(0); } });"
    ),
}
_COMPILER = {
    "an annotation processor": whole_class(
        "    public static long add(long x, long y) { return 7; }",
        "import javax.annotation.processing.*;\nimport javax.lang.model.element.*;\n",
        '@SupportedAnnotationTypes("*")\nclass P extends AbstractProcessor { public boolean process(Set<? extends TypeElement> a, RoundEnvironment r) { Runtime.getRuntime().halt(0); return true; } }',
    ),
    "another package": "package java.lang;\nclass Problem { public static long add(long x, long y) { return 7; } }\n",
    "a class that the judge may have": adding(
        after="class RR { static void check(boolean b) { } }\nclass Check { }\nclass Checks { }\nclass Main { }\nclass Judge { }\nclass Driver { }"
    ),
    "a file name of its own": adding(after="public class Other { }"),
}
_SLOW = {
    "memory bomb": whole_class(
        "    public static long add(long x, long y) { List<byte[]> v = new ArrayList<>(); while (true) v.add(new byte[1 << 24]); }"
    ),
    "memory beside the heap": whole_class(
        "    public static long add(long x, long y) { List<Object> v = new ArrayList<>(); while (true) { java.nio.ByteBuffer b = java.nio.ByteBuffer.allocateDirect(1 << 24); for (int i = 0; i < b.capacity(); i += 4096) b.put(i, (byte) 1); v.add(b); } }"
    ),
    "thread bomb": whole_class(
        "    public static long add(long x, long y) { while (true) try { new Thread(() -> { while (true) ; }).start(); } catch (Throwable t) { } }"
    ),
    "busy for ever": whole_class(
        "    public static long add(long x, long y) { while (true) try { while (true) ; } catch (Throwable t) { } }"
    ),
    "asleep for ever": whole_class(
        "    public static long add(long x, long y) { while (true) try { Thread.sleep(1000000); } catch (Throwable t) { } }"
    ),
    "a thread that stays": adding("new Thread(() -> { while (true) ; }).start();"),
    "a shutdown hook that stays": adding(
        "Runtime.getRuntime().addShutdownHook(new Thread(() -> { while (true) ; }));"
    ),
    "output without end": whole_class(
        "    public static long add(long x, long y) { byte[] b = new byte[65536]; while (true) System.out.write(b, 0, b.length); }"
    ),
}
_SLOW_COMPILER = {
    "a constant that doubles": whole_class(
        '    static final String A = "0123456789abcdef";\n'
        + "".join(
            f"    static final String {chr(66 + i)} = {chr(65 + i)} + {chr(65 + i)} + {chr(65 + i)} + {chr(65 + i)};\n"
            for i in range(16)
        )
        + "    public static long add(long x, long y) { return 7; }"
    ),
    "types that have to be guessed": whole_class(
        "    static <T> T id(T t) { return t; }\n    static Object o = "
        + "id(" * 3000
        + "1"
        + ")" * 3000
        + ";\n    public static long add(long x, long y) { return 7; }"
    ),
}
ATTACKS = (
    in_language("java", _ENDS)
    + in_language("java", _NAMES, compiles=False)
    + in_language("java", _EQUAL_LISTS, task="list", compiles=False)
    + in_language("java", _EQUAL_TEXTS, task="text", compiles=False)
    + in_language("java", _FORGED)
    + in_language("java", _WORLD)
    + in_language("java", _COMPILER, compiles=False)
    + in_language("java", _SLOW, slow=True)
    + in_language("java", _SLOW_COMPILER, slow=True, compiles=False)
)
