// Values as data: what a call of the program's function returned, written as the tokens of its type and the tokens of
// what it holds, e.g. "vector long" and "2 5 -7". Stands before the program, so that no macro of it is seen here.
// Shares a process with the program, which may take it over: that buys the choice of what to answer, and answers are
// compared elsewhere.
#pragma once
#include <any>
#include <array>
#include <deque>
#include <exception>
#include <forward_list>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace std {
template <class> class complex;  // whoever has a value of it has included <complex>, which costs every compilation
}

extern "C" long judge_write(int, const void*, unsigned long) __asm__("write");
extern "C" void judge_exit(int) __asm__("_exit");

namespace judge_values {

using String = std::basic_string<char, std::char_traits<char>, std::allocator<char>>;

/// Text that grows. Built without the program's own allocator, and without streams.
struct Text {
    char* data = nullptr;
    unsigned long size = 0, room = 0;
    const char* opaque = nullptr;  // the type of a part that has no form as data

    Text() = default;
    Text(const Text&) = delete;
    ~Text();
    void put(char character);
    void put(const char* more);
    void number(unsigned long long value);
    void integer(long long value);
    /// A token of its own: numbers that are signed, not signed, and characters as two hexadecimal digits each.
    void token(long long value);
    void count(unsigned long long value);
    void characters(const char* text, unsigned long length);
    /// As the inside of a JSON string, at most 200 characters.
    void quote(const char* more);
};

/// How a type is written: ``type`` writes its tokens, ``write`` those of a value. This is of no type known.
template <class T, class = void> struct Value {
    static void type(Text& text) { text.put("? "); }
    static void write(Text& text, const T&) { text.opaque = typeid(T).name(); }
};
template <class T> struct Value<const T> : Value<T> {};

#define JUDGE_WHOLE(T, NAME, PUT)                                        \
    template <> struct Value<T> {                                        \
        static void type(Text& text) { text.put(NAME " "); }             \
        static void write(Text& text, const T& value) { text.PUT(value); } \
    };
JUDGE_WHOLE(bool, "bool", count)
JUDGE_WHOLE(char, "char", token)
JUDGE_WHOLE(signed char, "schar", token)
JUDGE_WHOLE(unsigned char, "uchar", count)
JUDGE_WHOLE(wchar_t, "wchar", token)
JUDGE_WHOLE(char16_t, "char16", count)
JUDGE_WHOLE(char32_t, "char32", count)
JUDGE_WHOLE(short, "short", token)
JUDGE_WHOLE(unsigned short, "ushort", count)
JUDGE_WHOLE(int, "int", token)
JUDGE_WHOLE(unsigned, "uint", count)
JUDGE_WHOLE(long, "long", token)
JUDGE_WHOLE(unsigned long, "ulong", count)
JUDGE_WHOLE(long long, "llong", token)
JUDGE_WHOLE(unsigned long long, "ullong", count)
#undef JUDGE_WHOLE

/// A float's bits, so that NaN, infinities and the sign of zero arrive whatever the program's options say of them.
template <class T, class Bits> struct Float {
    static void write(Text& text, const T& value) {
        Bits bits;
        __builtin_memcpy(&bits, &value, sizeof(bits));
        text.count(bits);
    }
};
template <> struct Value<float> : Float<float, unsigned> {
    static void type(Text& text) { text.put("float "); }
};
template <> struct Value<double> : Float<double, unsigned long long> {
    static void type(Text& text) { text.put("double "); }
};
template <> struct Value<long double> {
    static void type(Text& text) { text.put("ldouble "); }
    static void write(Text& text, const long double& value) {
        unsigned long long bits[2] = {0, 0};
        __builtin_memcpy(bits, &value, __LDBL_MANT_DIG__ == 64 ? 10 : sizeof(value));
        text.count(bits[0]), text.count(bits[1]);
    }
};
/// An enumeration that is a number to the language, which compares it as one.
template <class T> struct Value<T, std::enable_if_t<std::is_enum_v<T> && std::is_convertible_v<T, long long>>> {
    using Number = decltype(+std::declval<T>());
    static void type(Text& text) { Value<Number>::type(text); }
    static void write(Text& text, const T& value) { Value<Number>::write(text, value); }
};

template <> struct Value<String> {
    static void type(Text& text) { text.put("string "); }
    static void write(Text& text, const String& value) { text.characters(value.data(), value.size()); }
};
template <> struct Value<std::string_view> {
    static void type(Text& text) { text.put("string "); }
    static void write(Text& text, const std::string_view& value) { text.characters(value.data(), value.size()); }
};
template <> struct Value<const char*> {
    static void type(Text& text) { text.put("pointer "); }
    static void write(Text& text, const char* const& value) {
        value ? text.characters(value, __builtin_strlen(value)) : text.put("n ");
    }
};
template <> struct Value<char*> : Value<const char*> {};
template <> struct Value<std::nullopt_t> {
    static void type(Text& text) { text.put("nullopt "); }
    static void write(Text&, const std::nullopt_t&) {}
};
template <> struct Value<std::monostate> {
    static void type(Text& text) { text.put("tuple 0 "); }
    static void write(Text&, const std::monostate&) {}
};

template <class C> struct Items {
    static void write(Text& text, const C& value) {
        unsigned long length = 0;
        for (auto item = value.begin(); item != value.end(); ++item) ++length;
        text.count(length);
        for (auto item = value.begin(); item != value.end(); ++item) {
            const typename C::value_type& one = *item;
            Value<typename C::value_type>::write(text, one);
        }
    }
};
#define JUDGE_ITEMS(C)                                                       \
    template <class T> struct Value<std::C<T>> : Items<std::C<T>> {          \
        static void type(Text& text) { text.put(#C " "), Value<T>::type(text); } \
    };
JUDGE_ITEMS(vector)
JUDGE_ITEMS(deque)
JUDGE_ITEMS(list)
JUDGE_ITEMS(forward_list)
JUDGE_ITEMS(set)
JUDGE_ITEMS(multiset)
JUDGE_ITEMS(unordered_set)
JUDGE_ITEMS(unordered_multiset)
#undef JUDGE_ITEMS
#define JUDGE_ENTRIES(C)                                                                          \
    template <class K, class T> struct Value<std::C<K, T>> : Items<std::C<K, T>> {                \
        static void type(Text& text) { text.put(#C " "), Value<K>::type(text), Value<T>::type(text); } \
    };
JUDGE_ENTRIES(map)
JUDGE_ENTRIES(multimap)
JUDGE_ENTRIES(unordered_map)
JUDGE_ENTRIES(unordered_multimap)
#undef JUDGE_ENTRIES
template <class T, std::size_t N> struct Value<std::array<T, N>> : Items<std::array<T, N>> {
    static void type(Text& text) { text.put("array "), text.count(N), Value<T>::type(text); }
};

template <class A, class B> struct Value<std::pair<A, B>> {
    static void type(Text& text) { text.put("pair "), Value<A>::type(text), Value<B>::type(text); }
    static void write(Text& text, const std::pair<A, B>& value) {
        Value<A>::write(text, value.first), Value<B>::write(text, value.second);
    }
};
template <class... A> struct Value<std::tuple<A...>> {
    static void type(Text& text) {
        text.put("tuple "), text.count(sizeof...(A)), (Value<std::decay_t<A>>::type(text), ...);
    }
    static void write(Text& text, const std::tuple<A...>& value) { write(text, value, std::index_sequence_for<A...>()); }
    template <std::size_t... I> static void write(Text& text, const std::tuple<A...>& value, std::index_sequence<I...>) {
        (Value<std::decay_t<A>>::write(text, std::get<I>(value)), ...);
    }
};
template <class T> struct Value<std::optional<T>> {
    static void type(Text& text) { text.put("optional "), Value<T>::type(text); }
    static void write(Text& text, const std::optional<T>& value) {
        text.count(value.has_value());
        if (value.has_value()) Value<T>::write(text, *value);
    }
};
template <class... A> struct Value<std::variant<A...>> {
    static void type(Text& text) { text.put("variant "), text.count(sizeof...(A)), (Value<A>::type(text), ...); }
    static void write(Text& text, const std::variant<A...>& value) {
        text.token(static_cast<long long>(value.index()) == -1 ? -1 : static_cast<long long>(value.index()));
        if (!value.valueless_by_exception()) {
            std::visit([&](const auto& held) { Value<std::decay_t<decltype(held)>>::write(text, held); }, value);
        }
    }
};
template <class T> struct Value<std::complex<T>> {
    static void type(Text& text) { text.put("complex "), Value<T>::type(text); }
    static void write(Text& text, const std::complex<T>& value) {
        Value<T>::write(text, value.real()), Value<T>::write(text, value.imag());
    }
};

/// A plain structure of at most eight members: its name; how many members it has, and the type and value of each.
struct Member {
    template <class T> operator T() const;
};
template <class T, class Indices, class = void> struct Takes : std::false_type {};
template <class T, std::size_t... I>
struct Takes<T, std::index_sequence<I...>, std::void_t<decltype(T{(static_cast<void>(I), Member())...})>>
    : std::true_type {};
template <class T, std::size_t N = 8> constexpr std::size_t members() {
    if constexpr (N == 0 || Takes<T, std::make_index_sequence<N>>::value) {
        return N;
    } else {
        return members<T, N - 1>();
    }
}
template <class T, class Visit> void each_member(T& whole, Visit visit) {
    constexpr std::size_t count = members<std::remove_const_t<T>>();
    if constexpr (count == 1) {
        auto& [a] = whole;
        visit(a);
    } else if constexpr (count == 2) {
        auto& [a, b] = whole;
        visit(a), visit(b);
    } else if constexpr (count == 3) {
        auto& [a, b, c] = whole;
        visit(a), visit(b), visit(c);
    } else if constexpr (count == 4) {
        auto& [a, b, c, d] = whole;
        visit(a), visit(b), visit(c), visit(d);
    } else if constexpr (count == 5) {
        auto& [a, b, c, d, e] = whole;
        visit(a), visit(b), visit(c), visit(d), visit(e);
    } else if constexpr (count == 6) {
        auto& [a, b, c, d, e, f] = whole;
        visit(a), visit(b), visit(c), visit(d), visit(e), visit(f);
    } else if constexpr (count == 7) {
        auto& [a, b, c, d, e, f, g] = whole;
        visit(a), visit(b), visit(c), visit(d), visit(e), visit(f), visit(g);
    } else if constexpr (count == 8) {
        auto& [a, b, c, d, e, f, g, h] = whole;
        visit(a), visit(b), visit(c), visit(d), visit(e), visit(f), visit(g), visit(h);
    }
}
template <class T> struct Structure : std::bool_constant<std::is_class_v<T> && std::is_aggregate_v<T>> {};
template <class T, std::size_t N> struct Structure<std::array<T, N>> : std::false_type {};
template <class T> struct Value<T, std::enable_if_t<Structure<T>::value>> {
    static void type(Text& text) { text.put("struct "), text.put(typeid(T).name()), text.put(' '); }
    static void write(Text& text, const T& value) {
        text.count(members<T>());
        each_member(value, [&](const auto& member) {
            Value<std::decay_t<decltype(member)>>::type(text), Value<std::decay_t<decltype(member)>>::write(text, member);
        });
    }
};

}  // namespace judge_values
