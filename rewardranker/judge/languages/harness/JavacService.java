package rewardranker;

import com.sun.source.util.JavacTask;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.Deflater;
import javax.lang.model.element.Element;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.TypeElement;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticListener;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;

/**
 * Compiles Java, one frame after another, in a virtual machine that is warm and has read the libraries.
 *
 * <p>A request's argv is ["checks", MAIN]: strict about file names, and the jar's main class is MAIN; or
 * ["whole"]: a main program, whose main class is looked for. The answer holds one file, the jar to collect.
 */
public final class JavacService {
    private static final int MAX_ERRORS = 8000;
    private static final List<String> OPTIONS = List.of(
        "-proc:none", "-encoding", "UTF-8", "-Xmaxerrs", "20", "-XDstringConcat=inline"); // cheaper to start, no other effect
    /** The compiler itself has failed, which may be true of it from now on. */
    private static final int FAILED = 70;
    /** A class in the unnamed package that is called like a package hides it from our own code. */
    private static final Set<String> PACKAGES = Set.of("java", "javax", "org", "rewardranker");

    private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    private final StandardJavaFileManager files = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);

    public static void main(String[] classpath) throws IOException {
        JavacService service = new JavacService();
        List<File> places = new ArrayList<>();
        for (String place : classpath) places.add(new File(place));
        service.files.setLocation(StandardLocation.CLASS_PATH, places);
        service.serve();
    }

    private void serve() throws IOException {
        DataInputStream requests = new DataInputStream(System.in);
        DataOutputStream answers = new DataOutputStream(new FileOutputStream(Values.descriptor(3)));
        while (true) {
            byte[] request;
            try {
                request = new byte[requests.readInt()];
            } catch (EOFException end) {
                return;
            }
            requests.readFully(request);
            byte[] answer = answer(new String(request, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
            ByteArrayOutputStream frame = new ByteArrayOutputStream();
            new DataOutputStream(frame).writeInt(answer.length);
            frame.write(answer);
            answers.write(frame.toByteArray());
            answers.flush();
        }
    }

    private String answer(String text) {
        Map<?, ?> request = (Map<?, ?>) Json.parse(text);
        List<?> argv = (List<?>) request.get("argv");
        String jar = (String) ((List<?>) request.get("collect")).get(0);
        List<JavaFileObject> sources = new ArrayList<>();
        for (Map.Entry<?, ?> file : ((Map<?, ?>) request.get("files")).entrySet()) {
            sources.add(new Source((String) file.getKey(), (String) file.getValue(), argv.get(0).equals("whole")));
        }
        Errors errors = new Errors();
        Classes classes = new Classes(files);
        try {
            String main = compile(sources, argv.size() > 1 ? (String) argv.get(1) : null, errors, classes);
            if (errors.text.length() > 0) return result(1, errors.text.toString(), "");
            return result(0, "", quoted(jar) + ":" + quoted(Base64.getEncoder().encodeToString(classes.jar(main))));
        } catch (RuntimeException | IOException | StackOverflowError failure) {
            // As the compiler's own command does on such a program.
            return result(FAILED, errors.text + "error: the compiler failed: " + failure, "");
        }
    }

    /** Compiles into {@code classes}; the main class, or the empty string. */
    private String compile(List<JavaFileObject> sources, String main, Errors errors, Classes classes) throws IOException {
        JavacTask task = (JavacTask) compiler.getTask(null, classes, errors, OPTIONS, null, sources);
        String found = "", first = null;
        for (Element element : task.analyze()) {
            String name = element instanceof TypeElement ? task.getElements().getBinaryName((TypeElement) element).toString() : "";
            if (main != null && PACKAGES.contains(name)) errors.add("error: a class called " + name + " hides a package");
            if (hasMain(element) && (found.isEmpty() || element.getModifiers().contains(Modifier.PUBLIC))) found = name;
        }
        if (errors.text.length() == 0) task.generate();
        return main != null ? main : found;
    }

    private static boolean hasMain(Element type) {
        for (Element member : type.getEnclosedElements()) {
            if (member.getKind() == ElementKind.METHOD
                && member.getSimpleName().contentEquals("main")
                && member.getModifiers().containsAll(Set.of(Modifier.PUBLIC, Modifier.STATIC))
                && ((ExecutableElement) member).getParameters().size() == 1) return true;
        }
        return false;
    }

    private static String result(int status, String errors, String file) {
        String text = errors.length() > MAX_ERRORS ? errors.substring(0, MAX_ERRORS) : errors;
        return "{\"status\":" + status + ",\"errors\":" + quoted(text) + ",\"files\":{" + file + "}}";
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char letter : text.toCharArray()) {
            if (letter < ' ' || letter > '~' || letter == '"' || letter == '\\') {
                json.append(String.format("\\u%04x", (int) letter));
            } else {
                json.append(letter);
            }
        }
        return json.append('"').toString();
    }

    private static final class Errors implements DiagnosticListener<JavaFileObject> {
        final StringBuilder text = new StringBuilder();

        @Override
        public void report(Diagnostic<? extends JavaFileObject> diagnostic) {
            if (diagnostic.getKind() == Diagnostic.Kind.ERROR) add(diagnostic.toString());
        }

        void add(String line) {
            text.append(line).append('\n');
        }
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;
        private final boolean anyName;

        Source(String name, String data, boolean anyName) {
            super(URI.create("string:///" + name), Kind.SOURCE);
            this.text = new String(Base64.getDecoder().decode(data), StandardCharsets.UTF_8);
            this.anyName = anyName;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }

        @Override
        public boolean isNameCompatible(String simpleName, Kind kind) {
            return anyName || super.isNameCompatible(simpleName, kind);
        }

        @Override
        public String getName() {
            return super.getName().substring(1);
        }
    }

    /** Keeps what is compiled in memory. */
    private static final class Classes extends ForwardingJavaFileManager<StandardJavaFileManager> {
        private final Map<String, ByteArrayOutputStream> outputs = new TreeMap<>();

        Classes(StandardJavaFileManager files) {
            super(files);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
            String path = name.replace('.', '/') + kind.extension;
            return new SimpleJavaFileObject(URI.create("memory:///" + path.replace("$", "%24")), kind) {
                @Override
                public OutputStream openOutputStream() {
                    return outputs.computeIfAbsent(path, any -> new ByteArrayOutputStream());
                }
            };
        }

        byte[] jar(String main) throws IOException {
            Manifest manifest = new Manifest();
            manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
            if (!main.isEmpty()) manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, main);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (JarOutputStream jar = new JarOutputStream(bytes, manifest)) {
                jar.setLevel(Deflater.BEST_SPEED);
                for (Map.Entry<String, ByteArrayOutputStream> output : outputs.entrySet()) {
                    jar.putNextEntry(new JarEntry(output.getKey()));
                    output.getValue().writeTo(jar);
                }
            }
            return bytes.toByteArray();
        }
    }
}
