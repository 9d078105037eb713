// Values of trusted tests as program text: the name of their type, and an expression that makes the same value.
#pragma once
#include <cxxabi.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <typeindex>

#include "values.hpp"

namespace judge_tests {

using judge_values::String;
using judge_values::Text;

/// Ends the recording: the tests hold something that is not data.
[[noreturn]] void refuse(const char* reason, const char* type = "");

template <class T> void own_name(Text& text) {
    int status = 0;
    char* readable = abi::__cxa_demangle(typeid(T).name(), nullptr, nullptr, &status);
    text.put(readable ? readable : typeid(T).name());
    text.opaque = typeid(T).name();
    std::free(readable);
}

/// ``put`` writes the type's name as the language spells it, ``value`` an expression for a value.
template <class T, class = void> struct Literal {
    static void put(Text& text) { own_name<T>(text); }
    static void value(Text&, const T&) { refuse("they pass a value of type ", typeid(T).name()); }
};
template <class T> struct Literal<const T> {
    static void put(Text& text) { text.put("const "), Literal<T>::put(text); }
    static void value(Text& text, const T& value) { Literal<T>::value(text, value); }
};

template <class T> void cast(Text& text, long long value) {
    text.put("static_cast<"), Literal<T>::put(text), text.put(">("), text.integer(value), text.put(')');
}
#define JUDGE_NAMED(T)                                                              \
    template <> struct Literal<T> {                                                 \
        static void put(Text& text) { text.put(#T); }                               \
        static void value(Text& text, const T& value) { cast<T>(text, value); }     \
    };
JUDGE_NAMED(char)
JUDGE_NAMED(signed char)
JUDGE_NAMED(unsigned char)
JUDGE_NAMED(wchar_t)
JUDGE_NAMED(char16_t)
JUDGE_NAMED(char32_t)
JUDGE_NAMED(short)
JUDGE_NAMED(unsigned short)
#undef JUDGE_NAMED
#define JUDGE_SIGNED(T, SUFFIX)                                                              \
    template <> struct Literal<T> {                                                          \
        static void put(Text& text) { text.put(#T); }                                        \
        static void value(Text& text, const T& value) {                                      \
            bool least = value == static_cast<T>(1ull << (8 * sizeof(T) - 1));               \
            text.put(value < 0 ? "(" : ""), text.integer(least ? value + 1 : value);         \
            text.put(least ? SUFFIX "-1)" : value < 0 ? SUFFIX ")" : SUFFIX);                \
        }                                                                                    \
    };
JUDGE_SIGNED(int, "")
JUDGE_SIGNED(long, "L")
JUDGE_SIGNED(long long, "LL")
#undef JUDGE_SIGNED
#define JUDGE_UNSIGNED(T, SUFFIX)                                                            \
    template <> struct Literal<T> {                                                          \
        static void put(Text& text) { text.put(#T); }                                        \
        static void value(Text& text, const T& value) { text.number(value), text.put(SUFFIX); } \
    };
JUDGE_UNSIGNED(unsigned int, "U")
JUDGE_UNSIGNED(unsigned long, "UL")
JUDGE_UNSIGNED(unsigned long long, "ULL")
#undef JUDGE_UNSIGNED
template <> struct Literal<bool> {
    static void put(Text& text) { text.put("bool"); }
    static void value(Text& text, const bool& value) { text.put(value ? "true" : "false"); }
};
#define JUDGE_FLOAT(T, FORMAT, NANS, INFINITIES)                                             \
    template <> struct Literal<T> {                                                          \
        static void put(Text& text) { text.put(#T); }                                        \
        static void value(Text& text, const T& value) {                                      \
            char digits[80];                                                                 \
            std::snprintf(digits, sizeof(digits), "(" FORMAT ")", value);                    \
            if (value != value) return text.put(NANS);                                       \
            if (value - value != 0) return text.put(value < 0 ? "(-" INFINITIES ")" : INFINITIES); \
            text.put(digits);                                                                \
        }                                                                                    \
    };
JUDGE_FLOAT(float, "%af", "__builtin_nanf(\"\")", "__builtin_inff()")
JUDGE_FLOAT(double, "%a", "__builtin_nan(\"\")", "__builtin_inf()")
JUDGE_FLOAT(long double, "%LaL", "__builtin_nanl(\"\")", "__builtin_infl()")
#undef JUDGE_FLOAT

inline void quoted(Text& text, const char* characters, unsigned long length) {
    text.put('"');
    for (unsigned long i = 0; i < length; ++i) {
        unsigned char one = static_cast<unsigned char>(characters[i]);
        if (one >= ' ' && one <= '~' && one != '"' && one != '\\' && one != '?') {
            text.put(static_cast<char>(one));
        } else {
            text.put('\\');
            for (int shift = 6; shift >= 0; shift -= 3) text.put(static_cast<char>('0' + ((one >> shift) & 7)));
        }
    }
    text.put('"');
}
template <> struct Literal<String> {
    static void put(Text& text) { text.put("std::string"); }
    static void value(Text& text, const String& value) {
        text.put("std::string("), quoted(text, value.data(), value.size());
        text.put(", "), text.number(value.size()), text.put(')');
    }
};
template <> struct Literal<std::string_view> {
    static void put(Text& text) { text.put("std::string_view"); }
    static void value(Text& text, const std::string_view& value) {
        text.put("std::string_view("), quoted(text, value.data(), value.size());
        text.put(", "), text.number(value.size()), text.put(')');
    }
};
template <> struct Literal<const char*> {
    static void put(Text& text) { text.put("const char*"); }
    static void value(Text& text, const char* const& value) {
        if (value == nullptr) return text.put("static_cast<const char*>(nullptr)");
        text.put("static_cast<const char*>("), quoted(text, value, std::strlen(value)), text.put(')');
    }
};
template <std::size_t N> struct Literal<char[N]> {
    static void put(Text& text) { text.put("char["), text.number(N), text.put(']'); }
    static void value(Text& text, const char (&value)[N]) { quoted(text, value, N - 1); }
};
template <std::size_t N> struct Literal<const char[N]> : Literal<char[N]> {};
template <> struct Literal<std::nullopt_t> {
    static void put(Text& text) { text.put("std::nullopt_t"); }
    static void value(Text& text, const std::nullopt_t&) { text.put("std::nullopt"); }
};
template <> struct Literal<std::nullptr_t> {
    static void put(Text& text) { text.put("std::nullptr_t"); }
    static void value(Text& text, const std::nullptr_t&) { text.put("nullptr"); }
};
template <class T> struct Literal<T, std::enable_if_t<std::is_enum_v<T>>> {
    static void put(Text& text) { own_name<T>(text); }
    static void value(Text& text, const T& value) { cast<T>(text, static_cast<long long>(value)); }
};

/// The names of some types in brackets.
template <class... A> void names(Text& text, const char* name) {
    const char* between = "";
    text.put("std::"), text.put(name), text.put('<');
    ((text.put(between), Literal<A>::put(text), between = ", "), ...);
    text.put('>');
}
template <class C> void items(Text& text, const C& value) {
    const char* between = "";
    Literal<C>::put(text);
    if (value.begin() == value.end()) return text.put("()");
    text.put("(std::initializer_list<"), Literal<typename C::value_type>::put(text), text.put(">{");
    for (auto item = value.begin(); item != value.end(); ++item, between = ", ") {
        const typename C::value_type& one = *item;
        text.put(between), Literal<typename C::value_type>::value(text, one);
    }
    text.put("})");
}
#define JUDGE_ITEMS(C)                                                       \
    template <class T> struct Literal<std::C<T>> {                           \
        static void put(Text& text) { names<T>(text, #C); }                  \
        static void value(Text& text, const std::C<T>& value) { items(text, value); } \
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
#define JUDGE_ENTRIES(C)                                                     \
    template <class K, class T> struct Literal<std::C<K, T>> {               \
        static void put(Text& text) { names<K, T>(text, #C); }               \
        static void value(Text& text, const std::C<K, T>& value) { items(text, value); } \
    };
JUDGE_ENTRIES(map)
JUDGE_ENTRIES(multimap)
JUDGE_ENTRIES(unordered_map)
JUDGE_ENTRIES(unordered_multimap)
#undef JUDGE_ENTRIES
template <class T, std::size_t N> struct Literal<std::array<T, N>> {
    static void put(Text& text) {
        text.put("std::array<"), Literal<T>::put(text), text.put(", "), text.number(N), text.put('>');
    }
    static void value(Text& text, const std::array<T, N>& value) {
        put(text), text.put("{{");
        for (std::size_t i = 0; i < N; ++i) text.put(i ? ", " : ""), Literal<T>::value(text, value[i]);
        text.put("}}");
    }
};
template <class A, class B> struct Literal<std::pair<A, B>> {
    static void put(Text& text) { names<A, B>(text, "pair"); }
    static void value(Text& text, const std::pair<A, B>& value) {
        put(text), text.put('('), Literal<A>::value(text, value.first), text.put(", ");
        Literal<B>::value(text, value.second), text.put(')');
    }
};
template <class... A> struct Literal<std::tuple<A...>> {
    static void put(Text& text) { names<A...>(text, "tuple"); }
    static void value(Text& text, const std::tuple<A...>& value) {
        const char* between = "";
        put(text), text.put('(');
        std::apply(
            [&](const auto&... one) {
                ((text.put(between), Literal<std::decay_t<decltype(one)>>::value(text, one), between = ", "), ...);
            },
            value);
        text.put(')');
    }
};
template <class T> struct Literal<std::optional<T>> {
    static void put(Text& text) { names<T>(text, "optional"); }
    static void value(Text& text, const std::optional<T>& value) {
        put(text), text.put('(');
        if (value.has_value()) Literal<T>::value(text, *value);
        text.put(')');
    }
};
template <class... A> struct Literal<std::variant<A...>> {
    static void put(Text& text) { names<A...>(text, "variant"); }
    static void value(Text& text, const std::variant<A...>& value) {
        put(text), text.put("(std::in_place_index<"), text.number(value.index()), text.put(">, ");
        std::visit([&](const auto& held) { Literal<std::decay_t<decltype(held)>>::value(text, held); }, value);
        text.put(')');
    }
};
template <class T> struct Literal<std::complex<T>> {
    static void put(Text& text) { names<T>(text, "complex"); }
    static void value(Text& text, const std::complex<T>& value) {
        put(text), text.put('('), Literal<T>::value(text, value.real()), text.put(", ");
        Literal<T>::value(text, value.imag()), text.put(')');
    }
};
template <class T> struct Literal<T, std::enable_if_t<judge_values::Structure<T>::value>> {
    static void put(Text& text) { own_name<T>(text); }
    static void value(Text& text, const T& value) {
        const char* between = "";
        put(text), text.put('{');
        judge_values::each_member(value, [&](const auto& member) {
            text.put(between), Literal<std::decay_t<decltype(member)>>::value(text, member), between = ", ";
        });
        text.put('}');
    }
};

template <> struct Literal<std::any> {
    static void put(Text& text) { text.put("std::any"); }
    static void value(Text& text, const std::any& value);
};

}  // namespace judge_tests
