package rewardranker;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.javatuples.Tuple;
import sun.misc.Unsafe;

/**
 * The values of a check's sides, as lines for the judge. Nothing is compared here, and nothing here is a secret:
 * whatever a program makes of it, it has to know the right values.
 */
public final class Values {
    private static final int RESULTS = 3, MESSAGE = 200;

    private final FileOutputStream results;
    private final String nonce;
    private final StringBuilder line = new StringBuilder();
    private int number = 0;

    private Values() {
        results = null;
        nonce = null;
    }

    public Values(String nonce) {
        results = new FileOutputStream(descriptor(RESULTS));
        this.nonce = nonce;
        begin("begun");
        end();
        begin("ready");
        end();
    }

    /** A value as text, on one line. */
    public static String text(Object value) {
        Values written = new Values();
        written.add(value);
        return written.line.toString();
    }

    /** A check begins: the values of its sides follow. */
    public void begin() {
        begin("value");
        line.append(",[");
    }

    public void side(Object value) {
        if (line.charAt(line.length() - 1) != '[') line.append(',');
        add(value);
    }

    public void answer() {
        line.append(']');
        end();
    }

    /** Evaluating a side threw. */
    public void error(Throwable thrown) {
        String message = messageOf(thrown);
        begin("error");
        line.append(',');
        quote(thrown.getClass().getName());
        line.append(',');
        quote(message.substring(0, Math.min(message.length(), MESSAGE)));
        end();
    }

    public void done() {
        begin("done");
        end();
    }

    private void begin(String kind) {
        line.setLength(0);
        line.append("[\"").append(nonce).append("\",").append(number).append(",\"").append(kind).append('"');
    }

    private void end() {
        line.append("]\n");
        number++;
        try {
            results.write(line.toString().getBytes(StandardCharsets.ISO_8859_1));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** The descriptor itself: a pipe of another user's cannot be opened by its name in /proc. */
    static FileDescriptor descriptor(int number) {
        try {
            Field access = Unsafe.class.getDeclaredField("theUnsafe");
            access.setAccessible(true);
            Unsafe unsafe = (Unsafe) access.get(null);
            FileDescriptor descriptor = new FileDescriptor();
            unsafe.putInt(descriptor, unsafe.objectFieldOffset(FileDescriptor.class.getDeclaredField("fd")), number);
            return descriptor;
        } catch (ReflectiveOperationException failure) {
            throw new IllegalStateException(failure);
        }
    }

    static String messageOf(Throwable thrown) {
        try {
            return String.valueOf(thrown.getMessage());
        } catch (RuntimeException | Error failure) {
            return "a message that could not be had";
        }
    }

    /** As {@code languages/typed_values.py} reads it. Collections are whatever says that it is one. */
    private void add(Object value) {
        if (value == null) line.append("null");
        else if (value instanceof String) quote((String) value);
        else if (value instanceof Long) scalar("long", value);
        else if (value instanceof Integer) scalar("int", value);
        else if (value instanceof Boolean) scalar("bool", value);
        else if (value instanceof Double) text("double", value);
        else if (value instanceof Float) text("float", ((Float) value).doubleValue());
        else if (value instanceof Character) scalar("char", (int) (Character) value);
        else if (value instanceof Short) scalar("short", value);
        else if (value instanceof Byte) scalar("byte", value);
        else if (value instanceof BigInteger) text("BigInteger", value);
        else if (value instanceof BigDecimal) text("BigDecimal", value);
        else if (value instanceof List) items("list", (List<?>) value);
        else if (value instanceof Map) items("map", ((Map<?, ?>) value).entrySet());
        else if (value instanceof Set) items("set", (Set<?>) value);
        else if (value instanceof Map.Entry) items("entry", ((Map.Entry<?, ?>) value).getKey(), ((Map.Entry<?, ?>) value).getValue());
        else if (value instanceof Tuple) items(value.getClass().getName(), (Tuple) value);
        else if (value.getClass().isArray()) elements(value);
        else if (!optional(value)) text("opaque", value.getClass().getName());
    }

    private boolean optional(Object value) {
        if (value instanceof Optional) {
            Optional<?> found = (Optional<?>) value;
            if (found.isPresent()) items("Optional", found.get());
            else items("Optional");
        } else if (value instanceof OptionalInt) {
            OptionalInt found = (OptionalInt) value;
            if (found.isPresent()) items("OptionalInt", found.getAsInt());
            else items("OptionalInt");
        } else if (value instanceof OptionalLong) {
            OptionalLong found = (OptionalLong) value;
            if (found.isPresent()) items("OptionalLong", found.getAsLong());
            else items("OptionalLong");
        } else if (value instanceof OptionalDouble) {
            OptionalDouble found = (OptionalDouble) value;
            if (found.isPresent()) items("OptionalDouble", found.getAsDouble());
            else items("OptionalDouble");
        } else {
            return false;
        }
        return true;
    }

    private void scalar(String tag, Object value) {
        line.append("{\"").append(tag).append("\":").append(value).append('}');
    }

    private void text(String tag, Object value) {
        line.append("{\"").append(tag).append("\":");
        quote(value.toString());
        line.append('}');
    }

    private void items(String tag, Object... values) {
        items(tag, java.util.Arrays.asList(values));
    }

    private void items(String tag, Iterable<?> values) {
        line.append("{\"").append(tag).append("\":[");
        int start = line.length();
        for (Object value : values) {
            if (line.length() > start) line.append(',');
            add(value);
        }
        line.append("]}");
    }

    private void elements(Object array) {
        String tag = array.getClass().getComponentType().isPrimitive() ? array.getClass().getSimpleName() : "Object[]";
        line.append("{\"").append(tag).append("\":[");
        for (int i = 0; i < Array.getLength(array); i++) {
            if (i > 0) line.append(',');
            add(Array.get(array, i));
        }
        line.append("]}");
    }

    private void quote(String text) {
        line.append('"');
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (letter < ' ' || letter > '~') {
                line.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) line.append(Character.forDigit(letter >> shift & 15, 16));
            } else {
                if (letter == '"' || letter == '\\') line.append('\\');
                line.append(letter);
            }
        }
        line.append('"');
    }
}
