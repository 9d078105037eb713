// Compiles C#, one frame after another, with the compiler that is loaded already.
//
// A request's argv is what mcs would be given; it is done in a directory of its own.
using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

static class McsService {
    const int MaxErrors = 8000;
    /// The compiler itself has failed, which may be true of it from now on.
    const int Failed = 70;

    [DllImport("libc")]
    static extern IntPtr write(int descriptor, byte[] bytes, IntPtr count);

    static void Main(string[] arguments) {
        var entry = Assembly.LoadFrom(arguments[0]).GetType("Mono.CSharp.CompilerCallableEntryPoint");
        var compile = (Func<string[], TextWriter, bool>) Delegate.CreateDelegate(
            typeof(Func<string[], TextWriter, bool>), entry.GetMethod("InvokeCompiler"));
        string home = Environment.CurrentDirectory;
        var input = Console.OpenStandardInput();
        byte[] head;
        for (int number = 0; (head = Read(input, 4)) != null; number++) {
            byte[] body = Read(input, head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3]);
            if (body == null) return;
            var request = (Dictionary<string, object>) new Json(Encoding.UTF8.GetString(body)).Value();
            string place = Path.Combine(home, "request" + number);
            Directory.CreateDirectory(place);
            Environment.CurrentDirectory = place;
            byte[] answer = Encoding.ASCII.GetBytes(Answer(compile, request));
            Environment.CurrentDirectory = home;
            Directory.Delete(place, true);
            int size = answer.Length;
            Write(new[] { (byte) (size >> 24), (byte) (size >> 16), (byte) (size >> 8), (byte) size });
            Write(answer);
        }
    }

    static string Answer(Func<string[], TextWriter, bool> compile, Dictionary<string, object> request) {
        foreach (var file in (Dictionary<string, object>) request["files"]) {
            File.WriteAllBytes(file.Key, Convert.FromBase64String((string) file.Value));
        }
        var argv = ((List<object>) request["argv"]).ConvertAll(word => (string) word).ToArray();
        var errors = new StringWriter();
        int status;
        try {
            status = compile(argv, errors) ? 0 : 1;
        } catch (Exception failure) { // as mcs does on such a program
            errors.WriteLine("error: the compiler failed: " + failure.GetType() + ": " + failure.Message);
            status = Failed;
        }
        if (status != 0 && errors.ToString().Contains("Internal compiler error")) status = Failed;
        var files = new List<string>();
        foreach (string name in (List<object>) request["collect"]) {
            if (status == 0 && File.Exists(name)) {
                files.Add(Quoted(name) + ":\"" + Convert.ToBase64String(File.ReadAllBytes(name)) + "\"");
            }
        }
        string text = errors.ToString();
        if (text.Length > MaxErrors) text = text.Substring(0, MaxErrors);
        return "{\"status\":" + status + ",\"errors\":" + Quoted(text)
            + ",\"files\":{" + string.Join(",", files) + "}}";
    }

    static byte[] Read(Stream input, int count) {
        var bytes = new byte[count];
        for (int done = 0; done < count; ) {
            int more = input.Read(bytes, done, count - done);
            if (more == 0) return null;
            done += more;
        }
        return bytes;
    }

    static void Write(byte[] bytes) {
        for (int done = 0; done < bytes.Length; ) {
            var rest = new byte[bytes.Length - done];
            Array.Copy(bytes, done, rest, 0, rest.Length);
            long count = (long) write(3, rest, (IntPtr) rest.Length);
            if (count < 0) throw new IOException("cannot answer");
            done += (int) count;
        }
    }

    static string Quoted(string text) {
        var json = new StringBuilder("\"");
        foreach (char letter in text) {
            if (letter < ' ' || letter > '~' || letter == '"' || letter == '\\') {
                json.AppendFormat("\\u{0:x4}", (int) letter);
            } else {
                json.Append(letter);
            }
        }
        return json.Append('"').ToString();
    }
}

/// JSON as requests of the judge hold it: objects, lists and strings.
sealed class Json {
    readonly string text;
    int place;

    public Json(string text) {
        this.text = text;
    }

    public object Value() {
        switch (Peek()) {
            case '{': return Entries();
            case '[': return Items();
            default: return String();
        }
    }

    Dictionary<string, object> Entries() {
        var entries = new Dictionary<string, object>();
        for (place++; Peek() != '}'; ) {
            string key = String();
            Peek();
            place++;
            entries[key] = Value();
            if (Peek() == ',') place++;
        }
        place++;
        return entries;
    }

    List<object> Items() {
        var items = new List<object>();
        for (place++; Peek() != ']'; ) {
            items.Add(Value());
            if (Peek() == ',') place++;
        }
        place++;
        return items;
    }

    char Peek() {
        while (char.IsWhiteSpace(text[place])) place++;
        return text[place];
    }

    string String() {
        Peek();
        var found = new StringBuilder();
        int start = ++place;
        for (; text[place] != '"'; place++) {
            if (text[place] != '\\') continue;
            found.Append(text, start, place - start);
            found.Append(Escaped(text[++place]));
            start = place + 1;
        }
        return found.Append(text, start, place++ - start).ToString();
    }

    char Escaped(char letter) {
        switch (letter) {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case 'b': return '\b';
            case 'f': return '\f';
            case 'u':
                place += 4;
                return (char) Convert.ToInt32(text.Substring(place - 3, 4), 16);
            default: return letter;
        }
    }
}
