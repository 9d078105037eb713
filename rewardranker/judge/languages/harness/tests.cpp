// The part of the trusted tests' harness that no type of theirs decides.
#include "tests.hpp"

#include "values.cpp"

#include <stdexcept>

namespace judge_tests {

namespace {

struct Type {
    std::string tag, text;
    std::vector<Type> of;
};

}  // namespace

struct Node {
    std::string type, tag, text;
    bool null = false;
    long long whole = 0;
    unsigned long long bits[2] = {0, 0};
    std::vector<Node> items;
};

namespace {

struct Recorded {
    std::string arguments, uses;
};
struct Answered {
    bool failed = false;
    std::vector<Node> values;
};
bool checking = false;
bool going_on = false;  // recorded on from a call that nobody has answered
unsigned long checks = 0;
std::vector<Recorded> calls;    // so far
std::deque<Answered> answers;  // to those
std::string input;
std::size_t input_at = 0;

/// Tokens, one after the other.
struct Tokens {
    const std::string& all;
    std::size_t at = 0;

    std::string next() {
        std::size_t end = all.find(' ', at);
        if (end == std::string::npos) throw Malformed();
        std::string token = all.substr(at, end - at);
        at = end + 1;
        return token;
    }
    unsigned long long count() {
        std::string token = next();
        char* end = nullptr;
        unsigned long long value = std::strtoull(token.c_str(), &end, 10);
        if (token.empty() || *end) throw Malformed();
        return value;
    }
    unsigned long long items() {
        unsigned long long value = count();
        if (value > all.size() - at) throw Malformed();  // each takes a token
        return value;
    }
};

int parts_of(const std::string& tag) {
    static const std::map<std::string, int> known = {
        {"vector", 1}, {"deque", 1}, {"list", 1}, {"forward_list", 1}, {"set", 1}, {"multiset", 1},
        {"unordered_set", 1}, {"unordered_multiset", 1}, {"map", 2}, {"multimap", 2}, {"unordered_map", 2},
        {"unordered_multimap", 2}, {"pair", 2}, {"optional", 1}, {"array", 1}, {"complex", 1}};
    auto found = known.find(tag);
    return found == known.end() ? 0 : found->second;
}

Type read_type(Tokens& tokens, int depth = 0) {
    if (depth > 100) throw Malformed();
    std::size_t begin = tokens.at;
    Type type;
    type.tag = tokens.next();
    unsigned long parts = static_cast<unsigned long>(parts_of(type.tag));
    if (type.tag == "array") tokens.count();
    if (type.tag == "tuple" || type.tag == "variant") parts = tokens.items();
    if (type.tag == "struct") tokens.next();
    for (unsigned long i = 0; i < parts; ++i) type.of.push_back(read_type(tokens, depth + 1));
    type.text = tokens.all.substr(begin, tokens.at - begin);
    return type;
}

std::string characters(const std::string& token) {
    std::string text;
    auto digit = [](char c) { return static_cast<int>(std::string("0123456789abcdef").find(c)); };
    if (token.empty() || token[0] != 's' || token.size() % 2 == 0) throw Malformed();
    for (std::size_t i = 1; i < token.size(); i += 2) text += static_cast<char>(16 * digit(token[i]) + digit(token[i + 1]));
    return text;
}

void read_number(Node& node, Tokens& tokens) {
    if (node.tag == "float" || node.tag == "double") {
        node.bits[0] = tokens.count();
    } else if (node.tag == "ldouble") {
        node.bits[0] = tokens.count(), node.bits[1] = tokens.count();
    } else {
        std::string token = tokens.next();
        char* end = nullptr;
        node.whole = token[0] == '-' ? std::strtoll(token.c_str(), &end, 10)
                                     : static_cast<long long>(std::strtoull(token.c_str(), &end, 10));
        if (token.empty() || *end) throw Malformed();
    }
}

Node read_value(const Type& type, Tokens& tokens) {
    Node node;
    node.type = type.text, node.tag = type.tag;
    int parts = parts_of(type.tag);
    bool several = parts && type.tag != "pair" && type.tag != "optional" && type.tag != "complex";
    if (type.tag == "string" || type.tag == "pointer") {
        std::string token = tokens.next();
        node.null = token == "n";
        if (!node.null) node.text = characters(token);
    } else if (type.tag == "void" || type.tag == "nullopt") {
    } else if (several) {
        for (unsigned long count = tokens.items(); count; --count) {
            for (const Type& part : type.of) node.items.push_back(read_value(part, tokens));
        }
    } else if (type.tag == "optional") {
        if (tokens.count()) node.items.push_back(read_value(type.of[0], tokens));
    } else if (type.tag == "complex") {
        node.items = {read_value(type.of[0], tokens), read_value(type.of[0], tokens)};
    } else if (type.tag == "struct") {
        for (unsigned long count = tokens.items(); count; --count) {
            Type part = read_type(tokens);
            node.items.push_back(read_value(part, tokens));
        }
    } else if (type.tag == "variant") {
        node.whole = static_cast<long long>(tokens.count());
        node.items.push_back(read_value(type.of.at(static_cast<unsigned long>(node.whole)), tokens));
    } else if (type.tag == "pair" || type.tag == "tuple") {
        for (const Type& part : type.of) node.items.push_back(read_value(part, tokens));
    } else {
        read_number(node, tokens);
    }
    return node;
}

template <class From> From from_bits(const unsigned long long* bits) {
    From value;
    std::memcpy(&value, bits, sizeof(value));
    return value;
}
/// Calls ``use`` with the number that a node holds, of its own type. Raises ``Malformed`` for what is no number.
template <class Use> auto with_number(const Node& node, Use use) {
    const std::string& tag = node.tag;
    if (tag == "bool") return use(static_cast<bool>(node.whole));
    if (tag == "char") return use(static_cast<char>(node.whole));
    if (tag == "schar") return use(static_cast<signed char>(node.whole));
    if (tag == "uchar") return use(static_cast<unsigned char>(node.whole));
    if (tag == "wchar") return use(static_cast<wchar_t>(node.whole));
    if (tag == "char16") return use(static_cast<char16_t>(node.whole));
    if (tag == "char32") return use(static_cast<char32_t>(node.whole));
    if (tag == "short") return use(static_cast<short>(node.whole));
    if (tag == "ushort") return use(static_cast<unsigned short>(node.whole));
    if (tag == "int") return use(static_cast<int>(node.whole));
    if (tag == "uint") return use(static_cast<unsigned>(node.whole));
    if (tag == "long") return use(static_cast<long>(node.whole));
    if (tag == "ulong") return use(static_cast<unsigned long>(node.whole));
    if (tag == "llong") return use(static_cast<long long>(node.whole));
    if (tag == "ullong") return use(static_cast<unsigned long long>(node.whole));
    if (tag == "float") return use(from_bits<float>(node.bits));
    if (tag == "double") return use(from_bits<double>(node.bits));
    if (tag == "ldouble") return use(from_bits<long double>(node.bits));
    throw Malformed();
}
/// Tells one call's arguments from another's.
std::string key_of(const std::string& arguments) {
    unsigned long long hash = 14695981039346656037ull;
    for (char one : arguments) hash = (hash ^ static_cast<unsigned char>(one)) * 1099511628211ull;
    return std::to_string(hash);
}

void read_answers() {
    char block[65536];
    while (std::size_t more = std::fread(block, 1, sizeof(block), stdin)) input.append(block, more);
}
std::string line() {
    std::size_t end = input.find('\n', input_at);
    if (end == std::string::npos) throw Malformed();
    std::string text = input.substr(input_at, end - input_at);
    input_at = end + 1;
    return text;
}

/// The next call's lines: its key; how many values there are (0: it was not answered); each as "types;tokens".
Answered next_answer(const std::string& arguments) {
    Answered answered;
    unsigned long count = std::stoul(line());
    answered.failed = count == 0;
    for (; count; --count) {
        std::string text = line();
        std::size_t cut = text.find(';');
        if (cut == std::string::npos) throw Malformed();
        std::string types = text.substr(0, cut), data = text.substr(cut + 1);
        Tokens names{types}, tokens{data};
        answered.values.push_back(read_value(read_type(names), tokens));
    }
    return answered;
}

/// A line of the result stream: the number of a call, and what a check of it says.
void say(unsigned long call, const char* text = nullptr) {
    Text line;
    line.put('['), line.number(call);
    if (text) line.put(",\""), line.quote(text), line.put('"');
    line.put("]\n");
    judge_write(3, line.data, line.size);
}

void append(std::string& all, const Text& text) {
    for (unsigned long i = 0; i < text.size; ++i) {
        if (text.data[i] == '"' || text.data[i] == '\\') all += '\\';
        all += text.data[i];
    }
}

void write_recording() {
    std::string all = "{\"calls\":[";
    for (const Recorded& call : calls) {
        all += &call == &calls[0] ? "[" : ",[";
        all += call.arguments + ",[" + call.uses + "],\"" + key_of(call.arguments) + "\"]";
    }
    all += "]}";
    for (unsigned long sent = 0; sent < all.size();) {
        long more = judge_write(3, all.data() + sent, all.size() - sent);
        if (more <= 0) return;
        sent += static_cast<unsigned long>(more);
    }
}

int run(int count, char** arguments) {
    checking = count > 1;
    if (checking) read_answers();
    int status = 0;
    try {
        status = __real_main(1, arguments);
    } catch (const std::exception& error) {
        if (!checking && !going_on) refuse("they end with an exception: ", error.what());
        checked(false, error.what());
    } catch (...) {
        if (!checking && !going_on) refuse("they end with an exception");
        checked(false, "an exception");
    }
    if (checking) {
        if (status) checked(false, "main returned another status than 0");
        judge_write(3, "[-1]\n", 5);
        return 0;
    }
    if (going_on) {
        write_recording();
        return 4;
    }
    if (calls.empty()) refuse("they make no call");
    if (checks == 0) refuse("they hold no check that is run; a check is written as assert(...)");
    if (status) refuse("main returned another status than 0 before any check had failed");
    write_recording();
    return 0;
}

}  // namespace

void refuse(const char* reason, const char* type) {
    int status = 0;
    char* readable = *type ? abi::__cxa_demangle(type, nullptr, nullptr, &status) : nullptr;
    std::fprintf(stderr, "%s%s\n", reason, readable ? readable : type);
    judge_exit(3);
    __builtin_unreachable();
}

/// Of what an ``any`` may hold, the types that tests do put there.
template <class... A> void held(Text& text, const std::any& value) {
    bool found = false;
    auto put = [&](const auto* one) {
        if (one == nullptr) return;
        text.put("std::any("), Literal<std::decay_t<decltype(*one)>>::value(text, *one), text.put(')');
        found = true;
    };
    (put(std::any_cast<A>(&value)), ...);
    if (!found) refuse("they pass an std::any that holds a value of type ", value.type().name());
}
void Literal<std::any>::value(Text& text, const std::any& value) {
    if (!value.has_value()) return text.put("std::any()");
    held<bool, char, int, unsigned, long, unsigned long, long long, unsigned long long, float, double, const char*,
         String, std::vector<bool>, std::vector<int>, std::vector<long>, std::vector<long long>, std::vector<float>,
         std::vector<double>, std::vector<String>, std::vector<std::any>, std::map<int, int>, std::map<long, long>,
         std::map<String, int>, std::map<String, long>, std::map<String, String>, std::tuple<>>(text, value);
}

bool tagged(const Node& node, const char* tag) { return node.tag == tag; }
bool typed(const Node& node, const Text& type) { return node.type == std::string_view(type.data, type.size); }
unsigned long size_of(const Node& node) { return node.items.size(); }
const Node& item_of(const Node& node, unsigned long number) {
    return number < node.items.size() ? node.items[number] : throw Malformed();
}
const char* text_of(const Node& node, unsigned long& length) {
    if (node.tag != "string" && node.tag != "pointer") throw Malformed();
    length = node.text.size();
    return node.null ? nullptr : node.text.c_str();
}
bool is_number(const Node& node) {
    for (const char* other : {"string", "pointer", "void", "nullopt", "tuple", "struct", "variant", "?"}) {
        if (node.tag == other) return false;
    }
    return !parts_of(node.tag);
}
unsigned long alternative_of(const Node& node) { return static_cast<unsigned long>(node.whole); }
template <class T> bool same_number(const Node& node, T value) {
    return with_number(node, [&](auto number) { return number == value; });
}
template <class T> T make_number(const Node& node) {
    return with_number(node, [](auto number) { return static_cast<T>(number); });
}
#define JUDGE_NUMBER(T)                              \
    template bool same_number<T>(const Node&, T);    \
    template T make_number<T>(const Node&);
JUDGE_NUMBER(bool)
JUDGE_NUMBER(char)
JUDGE_NUMBER(signed char)
JUDGE_NUMBER(unsigned char)
JUDGE_NUMBER(wchar_t)
JUDGE_NUMBER(char16_t)
JUDGE_NUMBER(char32_t)
JUDGE_NUMBER(short)
JUDGE_NUMBER(unsigned short)
JUDGE_NUMBER(int)
JUDGE_NUMBER(unsigned)
JUDGE_NUMBER(long)
JUDGE_NUMBER(unsigned long)
JUDGE_NUMBER(long long)
JUDGE_NUMBER(unsigned long long)
JUDGE_NUMBER(float)
JUDGE_NUMBER(double)
JUDGE_NUMBER(long double)
#undef JUDGE_NUMBER

bool is_checking() { return checking; }
void note(unsigned long call, const char* how, const Text& name) {
    if (name.opaque) return;
    std::string& uses = calls[call].uses;
    uses += (uses.empty() ? "\"judge_values::" : ",\"judge_values::") + std::string(how) + "<";
    uses += std::string(name.data, name.size) + ">\"";
}
void Arguments::add(char how, const Text& literal, const Text& type) {
    put(size ? ",[\"" : "[\""), put(how);
    for (const Text* text : {&literal, &type}) {
        std::string quoted;
        append(quoted, *text);
        put("\",\""), put(quoted.c_str());
    }
    put("\"]");
}
unsigned long made(bool copied, const Arguments& arguments) {
    std::string all = copied ? "true,[" : "false,[";
    all += std::string(arguments.data ? arguments.data : "", arguments.size) + "]";
    unsigned long number = calls.size();
    calls.push_back({all, ""});
    if (checking && (input_at >= input.size() || line() != key_of(all))) checking = false, going_on = true;
    if (!checking) return number;
    say(number);
    answers.emplace_back();
    try {
        answers.back() = next_answer(all);
    } catch (...) {
        answers.back().failed = true, say(number, "what was returned is of another form");
    }
    return number;
}
const Node* answer_to(unsigned long call, unsigned long part) {
    if (!checking || answers[call].failed || part >= answers[call].values.size()) return nullptr;
    return &answers[call].values[part];
}
void checked(bool right, const char* text) {
    ++checks;
    if (checking && !right) say(calls.empty() ? 0 : calls.size() - 1, text);
}

}  // namespace judge_tests

extern "C" int __wrap_main(int count, char** arguments) { return judge_tests::run(count, arguments); }
