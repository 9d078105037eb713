// Trusted checks: answers to the judge, and an equality that asks no class of the program's own.
// Compiled apart from the program and known to the trusted tests by an alias that the program's text has not got.
using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace RewardRanker {

public sealed class Checks {
    const int Results = 3, Token = 4, Message = 200;
    static readonly HashSet<Type> Plain = new HashSet<Type> {
        typeof(bool), typeof(char), typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int),
        typeof(uint), typeof(long), typeof(ulong), typeof(float), typeof(double), typeof(decimal), typeof(string),
        typeof(BigInteger),
    };
    static readonly HashSet<Type> Lists = new HashSet<Type> {
        typeof(List<>), typeof(LinkedList<>), typeof(Queue<>), typeof(Stack<>),
    };
    static readonly HashSet<Type> Bags = new HashSet<Type> {
        typeof(Dictionary<,>), typeof(SortedDictionary<,>), typeof(HashSet<>), typeof(SortedSet<>),
    };

    readonly string nonce;
    int number;

    [DllImport("libc", SetLastError = true)]
    static extern IntPtr write(int descriptor, byte[] bytes, IntPtr count);

    [DllImport("libc", SetLastError = true)]
    static extern IntPtr read(int descriptor, byte[] bytes, IntPtr count);

    public Checks(string nonce) {
        this.nonce = nonce;
        Say("\"begun\"");
        Say("\"ready\"");
    }

    /// <param name="text">what was checked, as JSON</param>
    public void Answer(bool right, string text) {
        Say(right ? "\"pass\"" : "\"wrong\"," + text);
    }

    public void Error(Exception thrown) {
        string message;
        try {
            message = thrown.Message ?? "";
        } catch (Exception) {
            message = "a message that could not be had";
        }
        Say("\"error\"," + Quoted(thrown.GetType().FullName) + "," + Quoted(message));
    }

    public void Done() {
        var token = new StringBuilder();
        var letter = new byte[1];
        while ((long) read(Token, letter, (IntPtr) 1) == 1) token.Append((char) letter[0]);
        Say("\"done\"," + Quoted(token.ToString()));
    }

    void Say(string rest) {
        byte[] line = Encoding.UTF8.GetBytes("[\"" + nonce + "\"," + number++ + "," + rest + "]\n");
        Write(Results, line);
    }

    /// The descriptor itself: the runtime opens none that it has not made, nor a pipe of another user's by its name.
    internal static void Write(int descriptor, byte[] bytes) {
        for (int done = 0; done < bytes.Length; ) {
            var rest = new byte[bytes.Length - done];
            Array.Copy(bytes, done, rest, 0, rest.Length);
            long count = (long) write(descriptor, rest, (IntPtr) rest.Length);
            if (count < 0) throw new IOException("cannot write to descriptor " + descriptor);
            done += (int) count;
        }
    }

    static string Quoted(string text) {
        var json = new StringBuilder("\"");
        for (int i = 0; i < text.Length && i < Message; i++) {
            char letter = text[i];
            if (letter == '"' || letter == '\\') json.Append('\\');
            json.Append(letter < ' ' || char.IsSurrogate(letter) ? '?' : letter);
        }
        return json.Append('"').ToString();
    }

    // What == means for built-in types; a type of the program's own can at most turn itself into one of these.
    public static bool Equal(bool left, bool right) { return left == right; }
    public static bool Equal(long left, long right) { return left == right; }
    public static bool Equal(ulong left, ulong right) { return left == right; }
    public static bool Equal(float left, float right) { return left == right; }
    public static bool Equal(double left, double right) { return left == right; }
    public static bool Equal(decimal left, decimal right) { return left == right; }
    public static bool Equal(string left, string right) { return string.Equals(left, right, StringComparison.Ordinal); }
    public static bool Equal(object left, object right) { return Same(left, right); }

    /// Equal values of the same plain type, or lists, dictionaries, sets, tuples and arrays of such.
    public static bool Same(object left, object right) {
        if (left == null || right == null) return left == right;
        Type kind = left.GetType();
        if (Plain.Contains(kind)) return kind == right.GetType() && left.Equals(right);
        if (Values.IsTuple(kind)) return Values.IsTuple(right.GetType()) && SameItems(Values.Items(left), Values.Items(right));
        if (IsOf(kind, Bags)) return IsOf(right.GetType(), Bags) && SameBags((IEnumerable) left, (IEnumerable) right);
        if (Values.IsPair(kind)) return Values.IsPair(right.GetType()) && SameItems(Values.Items(left), Values.Items(right));
        if (!IsList(kind) || !IsList(right.GetType())) return false;
        return SameItems((IEnumerable) left, (IEnumerable) right);
    }

    static bool IsOf(Type kind, HashSet<Type> kinds) {
        return kind.IsGenericType && kinds.Contains(kind.GetGenericTypeDefinition());
    }

    /// Or what the runtime's own iterators give (LINQ's), whose elements are then the program's.
    static bool IsList(Type kind) {
        return kind.IsArray || IsOf(kind, Lists) || kind.Assembly == typeof(System.Linq.Enumerable).Assembly;
    }

    static bool SameItems(IEnumerable left, IEnumerable right) {
        IEnumerator ours = left.GetEnumerator(), theirs = right.GetEnumerator();
        while (true) {
            bool more = ours.MoveNext();
            if (more != theirs.MoveNext()) return false;
            if (!more) return true;
            if (!Same(ours.Current, theirs.Current)) return false;
        }
    }

    /// Each element of one has an element of its own in the other.
    static bool SameBags(IEnumerable left, IEnumerable right) {
        var rest = new List<object>();
        foreach (object element in right) rest.Add(element);
        foreach (object element in left) {
            int place = rest.FindIndex(other => Same(element, other));
            if (place < 0) return false;
            rest.RemoveAt(place);
        }
        return rest.Count == 0;
    }
}

}
