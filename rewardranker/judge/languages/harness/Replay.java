package rewardranker;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Trusted tests, whose main class the resource "judge_main" names, against a stand-in for the program's function. Without
 * arguments the calls that they make are written to descriptor 3; given "check", the stand-in returns what the program did
 * (standard input), and the tests' own code decides, in a process that holds no program. Exit status 3: they cannot be
 * recorded; 4: they made another call than the recorded one, and were recorded from there on.
 */
public final class Replay {
    private static final int RESULTS = 3, MANY = 10000;
    private static final FileOutputStream results = new FileOutputStream(Values.descriptor(RESULTS));
    private static final List<String> calls = new ArrayList<>();
    private static final List<List<String>> answers = new ArrayList<>();
    private static boolean checking = false, goingOn = false;

    private Replay() {}

    public static void main(String[] words) throws IOException {
        checking = words.length > 0;
        if (checking) read(new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1));
        String ended;
        try (InputStream name = ClassLoader.getSystemResourceAsStream("judge_main")) {
            ended = run(new String(name.readAllBytes(), StandardCharsets.UTF_8));
        }
        if (!checking) {
            if (calls.isEmpty()) refuse(ended.isEmpty() ? "they make no call" : "they end with " + ended);
            say("{\"calls\":[" + String.join(",", calls) + "]}");
            if (goingOn) Runtime.getRuntime().halt(4);
        } else if (ended.isEmpty()) {
            say("[-1]");
        } else {
            found(false, "the tests end with " + ended);
            Runtime.getRuntime().halt(1);
        }
        Runtime.getRuntime().halt(0);
    }

    private static String run(String name) {
        try {
            Method main = Class.forName(name).getDeclaredMethod("main", String[].class);
            main.setAccessible(true);
            main.invoke(null, (Object) new String[0]);
            return "";
        } catch (InvocationTargetException ended) {
            return String.valueOf(ended.getCause());
        } catch (ReflectiveOperationException failure) {
            return failure.toString();
        }
    }

    private static void read(String[] lines) {
        for (int at = 0; at + 1 < lines.length; ) {
            int count = Integer.parseInt(lines[at + 1]);
            List<String> answer = new ArrayList<>();
            for (int i = 0; i <= count; i++) answer.add(lines[at + (i == 0 ? 0 : i + 1)]);
            answers.add(answer);
            at += 2 + count;
        }
    }

    /** What the program's function returned; takes its place. */
    public static Object call(String returned, String[] types, Object[] given) {
        List<String> texts = new ArrayList<>();
        StringBuilder arguments = new StringBuilder();
        for (int i = 0; i < given.length; i++) {
            texts.add(Values.text(given[i]));
            if (texts.get(i).contains("{\"opaque\":")) refuse("they pass what is no data: " + texts.get(i));
            String how = Decoded.isObject(given[i]) ? "l" : "r";
            if (i > 0) arguments.append(',');
            arguments.append("[\"").append(how).append("\",").append(Values.text(texts.get(i))).append(",\"\"]");
        }
        String key = "[" + String.join(",", texts) + "]";
        int number = calls.size();
        calls.add("[false,[" + arguments + "],[]," + Values.text(key) + "]");
        if (checking && (number >= answers.size() || !answers.get(number).get(0).equals(key))) {
            checking = false;
            goingOn = true;
        }
        if (!checking) {
            if (calls.size() > MANY) refuse("they make more than " + MANY + " calls where nothing is answered");
            return Decoded.dummy(returned);
        }
        say("[" + number + "]");
        return answered(answers.get(number), returned, types, given);
    }

    private static Object answered(List<String> answer, String returned, String[] types, Object[] given) {
        if (answer.size() < 2) throw new IllegalStateException("a call has no value");
        for (int i = 0, at = 2; i < given.length; i++) {
            if (!Decoded.isObject(given[i])) continue;
            String after = answer.get(at++);
            if (!after.equals(Values.text(given[i]))) Decoded.change(given[i], Decoded.of(after, types[i]));
        }
        return Decoded.of(answer.get(1), returned);
    }

    /** A check that says what is right. */
    public static void check(boolean right, String text) {
        if (checking) found(right, text);
    }

    /** A check that would throw; whether it is to. */
    public static boolean fails(String text) {
        if (checking) found(false, text);
        return checking;
    }

    private static void found(boolean right, String text) {
        int call = Math.max(calls.size() - 1, 0);
        say(right ? "[" + call + "]" : "[" + call + "," + Values.text(text) + "]");
    }

    private static void say(String line) {
        try {
            results.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static void refuse(String reason) {
        System.err.println("these tests cannot be recorded: " + reason);
        Runtime.getRuntime().halt(3);
    }
}
