package rewardranker;

import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.javatuples.Tuple;

/** Values made of the text that {@link Values} has written, and values that stand for those of a declared type. */
public final class Decoded {
    private static final int ITEMS = 8;
    private static final Map<String, Class<?>> PRIMITIVES = Map.of(
        "int", int.class, "long", long.class, "double", double.class, "float", float.class, "boolean", boolean.class,
        "char", char.class, "short", short.class, "byte", byte.class);

    private Decoded() {}

    /** @param type the declared one: arrays of objects are made of what it says */
    public static Object of(String text, String type) {
        return value(Json.parse(text), type.replaceAll("\\s", ""));
    }

    /** The arguments of a call, whose texts are a list's. */
    public static Object[] each(String text, String... types) {
        List<?> parts = (List<?>) Json.parse(text);
        Object[] found = new Object[parts.size()];
        for (int i = 0; i < found.length; i++) found[i] = value(parts.get(i), types[i].replaceAll("\\s", ""));
        return found;
    }

    private static Object value(Object data, String type) {
        if (!(data instanceof Map)) return data;
        Map.Entry<?, ?> entry = ((Map<?, ?>) data).entrySet().iterator().next();
        String tag = (String) entry.getKey();
        Object body = entry.getValue();
        switch (tag) {
            case "int": return ((Long) body).intValue();
            case "long": case "bool": return body;
            case "double": return Double.valueOf((String) body);
            case "float": return (float) Double.parseDouble((String) body);
            case "char": return (char) ((Long) body).intValue();
            case "short": return ((Long) body).shortValue();
            case "byte": return ((Long) body).byteValue();
            case "BigInteger": return new BigInteger((String) body);
            case "BigDecimal": return new BigDecimal((String) body);
            case "list": return new ArrayList<>(items(body, inner(type)));
            case "set": return new LinkedHashSet<>(items(body, inner(type)));
            case "map": return map((List<?>) body);
            case "opaque": throw new IllegalArgumentException("a value that is no data: " + body);
            default: return other(tag, body, type);
        }
    }

    private static Object other(String tag, Object body, String type) {
        if (tag.endsWith("[]")) return array(tag, (List<?>) body, type);
        List<Object> items = items(body, inner(type));
        boolean empty = items.isEmpty();
        switch (tag) {
            case "entry": return new AbstractMap.SimpleEntry<>(items.get(0), items.get(1));
            case "Optional": return empty ? Optional.empty() : Optional.of(items.get(0));
            case "OptionalInt": return empty ? OptionalInt.empty() : OptionalInt.of((Integer) items.get(0));
            case "OptionalLong": return empty ? OptionalLong.empty() : OptionalLong.of((Long) items.get(0));
            case "OptionalDouble": return empty ? OptionalDouble.empty() : OptionalDouble.of((Double) items.get(0));
            default: return tuple(tag, items);
        }
    }

    private static Tuple tuple(String name, List<Object> items) {
        try {
            Method make = Class.forName(name).asSubclass(Tuple.class).getMethod("fromCollection", Collection.class);
            return (Tuple) make.invoke(null, items);
        } catch (ReflectiveOperationException failure) {
            throw new IllegalArgumentException(name, failure);
        }
    }

    private static List<Object> items(Object body, String type) {
        List<Object> found = new ArrayList<>();
        for (Object item : (List<?>) body) found.add(value(item, type));
        return found;
    }

    private static Map<Object, Object> map(List<?> entries) {
        Map<Object, Object> found = new LinkedHashMap<>();
        for (Object entry : entries) {
            Map.Entry<?, ?> made = (Map.Entry<?, ?>) value(entry, "");
            found.put(made.getKey(), made.getValue());
        }
        return found;
    }

    private static Object array(String tag, List<?> body, String type) {
        String of = type.endsWith("[]") ? type.substring(0, type.length() - 2) : tag.substring(0, tag.length() - 2);
        Object found = Array.newInstance(named(of), body.size());
        for (int i = 0; i < body.size(); i++) Array.set(found, i, value(body.get(i), of));
        return found;
    }

    /** What stands in a type's angle brackets. */
    private static String inner(String type) {
        int begin = type.indexOf('<');
        return begin < 0 || !type.endsWith(">") ? "" : type.substring(begin + 1, type.length() - 1);
    }

    private static Class<?> named(String type) {
        if (type.endsWith("[]")) return Array.newInstance(named(type.substring(0, type.length() - 2)), 0).getClass();
        if (PRIMITIVES.containsKey(type)) return PRIMITIVES.get(type);
        String bare = type.replaceAll("<.*", "");
        for (String place : new String[] {"java.lang.", "java.util.", "java.math.", "org.javatuples.", ""}) {
            try {
                return Class.forName(place + bare);
            } catch (ClassNotFoundException elsewhere) {
                // of another package
            }
        }
        return Object.class;
    }

    /** Stands for a value of a declared type: what tests ask of most of them is defined. */
    static Object dummy(String declared) {
        String type = declared.replaceAll("\\s", "");
        if (type.endsWith("[]")) return dummies(type.substring(0, type.length() - 2));
        switch (type.replaceAll("<.*", "").replaceAll(".*\\.", "")) {
            case "int": case "Integer": return 0;
            case "long": case "Long": return 0L;
            case "double": case "Double": return 0.0;
            case "float": case "Float": return 0.0f;
            case "boolean": case "Boolean": return false;
            case "char": case "Character": return 'a';
            case "short": case "Short": return (short) 0;
            case "byte": case "Byte": return (byte) 0;
            case "String": case "Object": case "CharSequence": return "";
            case "BigInteger": return BigInteger.ZERO;
            case "BigDecimal": return BigDecimal.ZERO;
            case "List": case "ArrayList": case "Collection": case "Iterable": return dummyList(inner(type));
            case "Set": case "HashSet": return new LinkedHashSet<>();
            case "Map": case "HashMap": return new LinkedHashMap<>();
            case "Optional": return Optional.ofNullable(dummy(inner(type)));
            case "OptionalInt": return OptionalInt.of(0);
            case "OptionalLong": return OptionalLong.of(0);
            case "OptionalDouble": return OptionalDouble.of(0);
            default: return null;
        }
    }

    private static Object dummies(String type) {
        Object found = Array.newInstance(named(type), ITEMS);
        for (int i = 0; i < ITEMS; i++) Array.set(found, i, dummy(type));
        return found;
    }

    private static List<Object> dummyList(String type) {
        List<Object> found = new ArrayList<>();
        for (int i = 0; i < ITEMS; i++) found.add(dummy(type));
        return found;
    }

    /** Makes an argument into what the program has made of it. */
    @SuppressWarnings("unchecked")
    static void change(Object given, Object after) {
        if (given instanceof List && after instanceof List) {
            ((List<Object>) given).clear();
            ((List<Object>) given).addAll((List<Object>) after);
        } else if (given instanceof Set && after instanceof Set) {
            ((Set<Object>) given).clear();
            ((Set<Object>) given).addAll((Set<Object>) after);
        } else if (given instanceof Map && after instanceof Map) {
            ((Map<Object, Object>) given).clear();
            ((Map<Object, Object>) given).putAll((Map<Object, Object>) after);
        } else if (given.getClass().isArray()) {
            for (int i = 0; i < Math.min(Array.getLength(given), Array.getLength(after)); i++) {
                Array.set(given, i, Array.get(after, i));
            }
        }
    }

    /** Whether whoever is given it can change it. */
    public static boolean isObject(Object value) {
        return value instanceof Collection || value instanceof Map || (value != null && value.getClass().isArray());
    }
}
