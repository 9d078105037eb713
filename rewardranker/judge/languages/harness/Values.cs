// The values of a check's sides, as lines for the judge. Nothing is compared here, and nothing here is a secret:
// whatever a program makes of it, it has to know the right values.
// Compiled apart from the program and known to the calls by an alias that the program's text has not got.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace RewardRanker {

public sealed class Values {
    const int Results = 3, Message = 200;

    readonly string nonce;
    readonly StringBuilder line = new StringBuilder();
    int number;

    public Values(string nonce) {
        this.nonce = nonce;
        Begin("begun");
        End();
        Begin("ready");
        End();
    }

    /// A check begins: the values of its sides follow.
    public void Begin() {
        Begin("value");
        line.Append(",[");
    }

    public void Side(object value) {
        if (line[line.Length - 1] != '[') line.Append(',');
        Add(value);
    }

    public void Answer() {
        line.Append(']');
        End();
    }

    /// Evaluating a side threw.
    public void Error(Exception thrown) {
        string message;
        try {
            message = thrown.Message ?? "";
        } catch (Exception) {
            message = "a message that could not be had";
        }
        Begin("error");
        line.Append(',');
        Quote(thrown.GetType().FullName);
        line.Append(',');
        Quote(message.Substring(0, Math.Min(message.Length, Message)));
        End();
    }

    public void Done() {
        Begin("done");
        End();
    }

    void Begin(string kind) {
        line.Clear();
        line.Append("[\"").Append(nonce).Append("\",").Append(number).Append(",\"").Append(kind).Append('"');
    }

    void End() {
        line.Append("]\n");
        number++;
        Checks.Write(Results, Encoding.ASCII.GetBytes(line.ToString()));
    }

    /// As languages/typed_values.py reads it. Collections are whatever says that it is one.
    void Add(object value) {
        if (value == null) line.Append("null");
        else if (value is string) Quote((string) value);
        else if (value is long) Scalar("long", value);
        else if (value is int) Scalar("int", value);
        else if (value is bool) Scalar("bool", (bool) value ? "true" : "false");
        else if (value is double) Text("double", Exact((double) value));
        else if (value is float) Text("float", Exact((float) value));
        else if (value is char) Scalar("char", (int) (char) value);
        else if (value is short) Scalar("short", value);
        else if (value is ushort) Scalar("ushort", value);
        else if (value is uint) Scalar("uint", value);
        else if (value is ulong) Scalar("ulong", value);
        else if (value is byte) Scalar("byte", value);
        else if (value is sbyte) Scalar("sbyte", value);
        else if (value is decimal) Text("decimal", Shortest((decimal) value).ToString(CultureInfo.InvariantCulture));
        else if (value is BigInteger) Text("BigInteger", ((BigInteger) value).ToString(CultureInfo.InvariantCulture));
        else if (value is IDictionary) Entries((IDictionary) value);
        else if (value is IEnumerable) List(IsSet(value.GetType()) ? "set" : "list", (IEnumerable) value);
        else if (IsTuple(value.GetType())) List("tuple", Items(value));
        else if (IsPair(value.GetType())) List("entry", Items(value));
        else Text("opaque", value.GetType().FullName ?? "?");
    }

    /// Every double has a text of its own.
    static string Exact(double value) {
        if (value == 0 && double.IsNegativeInfinity(1 / value)) return "-0.0";
        string text = value.ToString("G17", CultureInfo.InvariantCulture);
        return value == 0 ? "0.0" : text;
    }

    /// 1.10 is 1.1.
    static decimal Shortest(decimal value) {
        return value / 1.0000000000000000000000000000m;
    }

    internal static bool IsTuple(Type kind) {
        return kind.Assembly == typeof(Tuple).Assembly && kind.Namespace == "System"
            && (kind.Name.StartsWith("Tuple`") || kind.Name.StartsWith("ValueTuple`"));
    }

    internal static bool IsPair(Type kind) {
        return kind.IsGenericType && kind.GetGenericTypeDefinition() == typeof(KeyValuePair<,>);
    }

    static bool IsSet(Type kind) {
        return Array.Exists(kind.GetInterfaces(), one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(ISet<>));
    }

    internal static IEnumerable Items(object whole) {
        var items = new List<object>();
        Type kind = whole.GetType();
        foreach (string name in new[] { "Item1", "Item2", "Item3", "Item4", "Item5", "Item6", "Item7", "Rest", "Key", "Value" }) {
            var property = kind.GetProperty(name);
            if (property != null) items.Add(property.GetValue(whole, null));
            var field = kind.GetField(name);
            if (field != null) items.Add(field.GetValue(whole));
        }
        return items;
    }

    void Scalar(string tag, object value) {
        line.Append("{\"").Append(tag).Append("\":").Append(Convert.ToString(value, CultureInfo.InvariantCulture)).Append('}');
    }

    void Text(string tag, string value) {
        line.Append("{\"").Append(tag).Append("\":");
        Quote(value);
        line.Append('}');
    }

    void List(string tag, IEnumerable values) {
        line.Append("{\"").Append(tag).Append("\":[");
        int start = line.Length;
        foreach (object value in values) {
            if (line.Length > start) line.Append(',');
            Add(value);
        }
        line.Append("]}");
    }

    void Entries(IDictionary values) {
        var entries = new List<object>();
        foreach (DictionaryEntry entry in values) entries.Add(new KeyValuePair<object, object>(entry.Key, entry.Value));
        List("map", entries);
    }

    void Quote(string text) {
        line.Append('"');
        foreach (char letter in text) {
            if (letter < ' ' || letter > '~') {
                line.Append("\\u").Append(((int) letter).ToString("x4", CultureInfo.InvariantCulture));
            } else {
                if (letter == '"' || letter == '\\') line.Append('\\');
                line.Append(letter);
            }
        }
        line.Append('"');
    }
}

}
