package rewardranker;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON as requests of the judge hold it: objects, lists, strings, whole numbers, true, false and null. */
final class Json {
    private final String text;
    private int place = 0;

    private Json(String text) {
        this.text = text;
    }

    static Object parse(String text) {
        return new Json(text).value();
    }

    private Object value() {
        skip();
        switch (text.charAt(place)) {
            case '{': return object();
            case '[': return list();
            case '"': return string();
            default: return word();
        }
    }

    private Object word() {
        int begin = place;
        while (place < text.length() && ",]} ".indexOf(text.charAt(place)) < 0) place++;
        String word = text.substring(begin, place);
        switch (word) {
            case "null": return null;
            case "true": return true;
            case "false": return false;
            default: return Long.valueOf(word);
        }
    }

    private Map<String, Object> object() {
        Map<String, Object> entries = new LinkedHashMap<>();
        for (place++; peek() != '}'; ) {
            String key = string();
            peek();
            place++;
            entries.put(key, value());
            if (peek() == ',') place++;
        }
        place++;
        return entries;
    }

    private List<Object> list() {
        List<Object> items = new ArrayList<>();
        for (place++; peek() != ']'; ) {
            items.add(value());
            if (peek() == ',') place++;
        }
        place++;
        return items;
    }

    private char peek() {
        skip();
        return text.charAt(place);
    }

    private void skip() {
        while (Character.isWhitespace(text.charAt(place))) place++;
    }

    private String string() {
        peek();
        StringBuilder found = new StringBuilder();
        int start = ++place;
        for (; text.charAt(place) != '"'; place++) {
            if (text.charAt(place) != '\\') continue;
            found.append(text, start, place);
            found.append(escaped(text.charAt(++place)));
            start = place + 1;
        }
        return found.append(text, start, place++).toString();
    }

    private char escaped(char letter) {
        switch (letter) {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case 'b': return '\b';
            case 'f': return '\f';
            case 'u':
                place += 4;
                return (char) Integer.parseInt(text.substring(place - 3, place + 1), 16);
            default: return letter;
        }
    }
}
