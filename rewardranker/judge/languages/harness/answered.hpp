// What the program answered, as trusted tests see it: compared with their values as the language does by the types of
// both sides, or made into a value of the type that the function was declared to return.
#pragma once
#include "literals.hpp"

namespace judge_tests {

/// A call that the program did not answer with a value.
struct Unanswered {};
/// What was returned is of another form.
struct Malformed {};

/// A value that the program returned: a tag, and what that holds. The functions raise ``Malformed``.
struct Node;
bool tagged(const Node& node, const char* tag);
bool typed(const Node& node, const Text& type);
unsigned long size_of(const Node& node);
const Node& item_of(const Node& node, unsigned long number);
/// Of a string, or of what a pointer to characters points to, which may be null.
const char* text_of(const Node& node, unsigned long& length);
bool is_number(const Node& node);
unsigned long alternative_of(const Node& node);
/// As the language compares, or converts, a number of the node's type with, or to, one of another.
template <class T> bool same_number(const Node& node, T value);
template <class T> T make_number(const Node& node);

template <class T> bool has_type(const Node& node) {
    Text text;
    judge_values::Value<T>::type(text);
    return typed(node, text);
}
template <class T> void must_have_type(const Node& node) {
    if (!has_type<T>(node)) throw Malformed();
}

/// A value of the type ``T`` from a node, as the language converts. Raises ``Malformed``.
template <class T, class = void> struct Make {
    static T of(const Node&) { throw Malformed(); }
};
template <class T> struct Make<T, std::enable_if_t<std::is_arithmetic_v<T> || std::is_enum_v<T>>> {
    static T of(const Node& node) {
        if constexpr (std::is_enum_v<T>) {
            return static_cast<T>(make_number<std::underlying_type_t<T>>(node));
        } else {
            return make_number<T>(node);
        }
    }
};
template <> struct Make<String> {
    static String of(const Node& node) {
        unsigned long length = 0;
        const char* text = text_of(node, length);
        if (text == nullptr) throw Malformed();
        return String(text, length);
    }
};
template <> struct Make<const char*> {
    static const char* of(const Node& node) {
        unsigned long length = 0;
        return text_of(node, length);
    }
};
template <> struct Make<std::string_view> {
    static std::string_view of(const Node& node) {
        unsigned long length = 0;
        const char* text = text_of(node, length);
        return text ? std::string_view(text, length) : throw Malformed();
    }
};
template <class C> struct MakeItems {
    static C of(const Node& node) {
        must_have_type<C>(node);
        C made;
        for (unsigned long i = 0; i < size_of(node); ++i) {
            made.insert(made.end(), Make<typename C::value_type>::of(item_of(node, i)));
        }
        return made;
    }
};
#define JUDGE_ITEMS(C) \
    template <class T> struct Make<std::C<T>> : MakeItems<std::C<T>> {};
JUDGE_ITEMS(vector)
JUDGE_ITEMS(deque)
JUDGE_ITEMS(list)
JUDGE_ITEMS(set)
JUDGE_ITEMS(multiset)
JUDGE_ITEMS(unordered_set)
JUDGE_ITEMS(unordered_multiset)
#undef JUDGE_ITEMS
template <class T> struct Make<std::forward_list<T>> {
    static std::forward_list<T> of(const Node& node) {
        must_have_type<std::forward_list<T>>(node);
        std::forward_list<T> made;
        for (unsigned long i = size_of(node); i > 0; --i) made.push_front(Make<T>::of(item_of(node, i - 1)));
        return made;
    }
};
template <class C> struct MakeEntries {
    static C of(const Node& node) {
        must_have_type<C>(node);
        C made;
        for (unsigned long i = 0; i + 1 < size_of(node); i += 2) {
            made.emplace(Make<typename C::key_type>::of(item_of(node, i)), Make<typename C::mapped_type>::of(item_of(node, i + 1)));
        }
        return made;
    }
};
#define JUDGE_ENTRIES(C) \
    template <class K, class T> struct Make<std::C<K, T>> : MakeEntries<std::C<K, T>> {};
JUDGE_ENTRIES(map)
JUDGE_ENTRIES(multimap)
JUDGE_ENTRIES(unordered_map)
JUDGE_ENTRIES(unordered_multimap)
#undef JUDGE_ENTRIES
template <class T, std::size_t N> struct Make<std::array<T, N>> {
    static std::array<T, N> of(const Node& node) {
        if (!tagged(node, "array") || size_of(node) != N) throw Malformed();
        std::array<T, N> made{};
        for (std::size_t i = 0; i < N; ++i) made[i] = Make<T>::of(item_of(node, i));
        return made;
    }
};
template <class A, class B> struct Make<std::pair<A, B>> {
    static std::pair<A, B> of(const Node& node) {
        if (size_of(node) != 2 || (!tagged(node, "pair") && !tagged(node, "tuple"))) throw Malformed();
        return {Make<A>::of(item_of(node, 0)), Make<B>::of(item_of(node, 1))};
    }
};
template <class... A> struct Make<std::tuple<A...>> {
    static std::tuple<A...> of(const Node& node) {
        if (size_of(node) != sizeof...(A) || (!tagged(node, "pair") && !tagged(node, "tuple"))) throw Malformed();
        return of(node, std::index_sequence_for<A...>());
    }
    template <std::size_t... I> static std::tuple<A...> of(const Node& node, std::index_sequence<I...>) {
        return std::tuple<A...>(Make<A>::of(item_of(node, I))...);
    }
};
template <class T> struct Make<std::optional<T>> {
    static std::optional<T> of(const Node& node) {
        if (tagged(node, "nullopt") || (tagged(node, "optional") && size_of(node) == 0)) return std::nullopt;
        return Make<T>::of(tagged(node, "optional") ? item_of(node, 0) : node);
    }
};
template <class T> struct Make<std::complex<T>> {
    static std::complex<T> of(const Node& node) {
        if (!tagged(node, "complex")) return Make<T>::of(node);
        return {Make<T>::of(item_of(node, 0)), Make<T>::of(item_of(node, 1))};
    }
};
template <class... A> struct Make<std::variant<A...>> {
    using V = std::variant<A...>;
    static V of(const Node& node) {
        must_have_type<V>(node);
        return of<0>(node);
    }
    template <std::size_t I> static V of(const Node& node) {
        if constexpr (I == sizeof...(A)) {
            throw Malformed();
        } else {
            if (alternative_of(node) != I) return of<I + 1>(node);
            return V(std::in_place_index<I>, Make<std::variant_alternative_t<I, V>>::of(item_of(node, 0)));
        }
    }
};

template <class T> struct Make<T, std::enable_if_t<judge_values::Structure<T>::value>> {
    static T of(const Node& node) {
        must_have_type<T>(node);
        if (size_of(node) != judge_values::members<T>()) throw Malformed();
        T made{};
        std::size_t at = 0;
        judge_values::each_member(made, [&](auto& member) { member = Make<std::decay_t<decltype(member)>>::of(item_of(node, at++)); });
        return made;
    }
};

/// A value of a type, while calls are recorded; with items where it can, since tests may ask for one.
template <class T> struct Dummy {
    static T of() {
        if constexpr (std::is_default_constructible_v<T>) {
            return T();
        } else {
            refuse("they use, before they compare it, a returned value of type ", typeid(T).name());
        }
    }
};
template <class T> struct Dummy<std::vector<T>> {
    static std::vector<T> of() { return std::vector<T>(16, Dummy<T>::of()); }
};
template <> struct Dummy<String> {
    static String of() { return String(16, ' '); }
};

/// Whether a node equals a value of the type ``T``: as the language's == says for the types of both.
template <class T, class = void> struct Same {
    static bool of(const Node& node, const T& value) {
        return has_type<T>(node) && static_cast<bool>(Make<T>::of(node) == value);
    }
};
template <class T> bool same(const Node& node, const T& value);

template <class T> struct Same<T, std::enable_if_t<std::is_arithmetic_v<T> || std::is_enum_v<T>>> {
    static bool of(const Node& node, const T& value) {
        if constexpr (std::is_enum_v<T>) {
            return is_number(node) && same_number(node, static_cast<std::underlying_type_t<T>>(value));
        } else {
            return is_number(node) && same_number(node, value);
        }
    }
};
template <> struct Same<String> {
    static bool of(const Node& node, const String& value) {
        if (!tagged(node, "string") && !tagged(node, "pointer")) return false;
        unsigned long length = 0;
        const char* text = text_of(node, length);
        return text && value == std::string_view(text, length);
    }
};
template <> struct Same<std::string_view> : Same<String> {
    static bool of(const Node& node, const std::string_view& value) { return Same<String>::of(node, String(value)); }
};
template <> struct Same<const char*> {
    /// Two pointers are compared as such: never the same.
    static bool of(const Node& node, const char* value) {
        return tagged(node, "string") && value && Same<String>::of(node, String(value));
    }
};
template <std::size_t N> struct Same<char[N]> {
    static bool of(const Node& node, const char* value) { return Same<const char*>::of(node, value); }
};
template <> struct Same<std::nullopt_t> {
    static bool of(const Node& node, const std::nullopt_t&) {
        return (tagged(node, "optional") && size_of(node) == 0) || tagged(node, "nullopt");
    }
};
template <class A, class B> struct Same<std::pair<A, B>> {
    static bool of(const Node& node, const std::pair<A, B>& value) {
        return tagged(node, "pair") && same(item_of(node, 0), value.first) && same(item_of(node, 1), value.second);
    }
};
template <class... A> struct Same<std::tuple<A...>> {
    static bool of(const Node& node, const std::tuple<A...>& value) {
        if (!tagged(node, "tuple") || size_of(node) != sizeof...(A)) return false;
        std::size_t at = 0;
        return std::apply([&](const auto&... one) { return (same(item_of(node, at++), one) && ... && true); }, value);
    }
};
template <class T> struct Same<std::optional<T>> {
    static bool of(const Node& node, const std::optional<T>& value) {
        bool has = !tagged(node, "optional") || size_of(node) != 0;
        if (!has || !value.has_value()) return has == value.has_value();
        return same(tagged(node, "optional") ? item_of(node, 0) : node, *value);
    }
};
template <class T> struct MayBeEmpty : std::is_same<T, std::nullopt_t> {};
template <class T> struct MayBeEmpty<std::optional<T>> : std::true_type {};

template <class T> bool same(const Node& node, const T& value) {
    if (tagged(node, "optional") && !MayBeEmpty<T>::value) return size_of(node) != 0 && same(item_of(node, 0), value);
    return Same<T>::of(node, value);
}

}  // namespace judge_tests
