// boost::any as data, for programs and tests that have it: a structure of no member, or of one, which is what it holds.
#pragma once
#include <boost/any.hpp>

#include "values.hpp"

namespace judge_values {

/// Calls ``use`` with what an ``any`` holds; ``false`` for a type that is none of those that programs put there.
template <class... A, class Use> bool with_held(const boost::any& value, Use use) {
    bool found = false;
    auto tried = [&](const auto* one) {
        if (one) found = true, use(*one);
    };
    (tried(boost::any_cast<A>(&value)), ...);
    return found;
}
template <class Use> bool with_any(const boost::any& value, Use use) {
    return with_held<bool, char, short, int, unsigned, long, unsigned long, long long, float, double, String,
                     const char*, char*, std::vector<int>, std::vector<double>, std::vector<String>>(value, use);
}

template <> struct Value<boost::any> {
    static void type(Text& text) { text.put("struct any "); }
    static void write(Text& text, const boost::any& value) {
        text.count(!value.empty());
        if (value.empty()) return;
        bool found = with_any(value, [&](const auto& held) {
            Value<std::decay_t<decltype(held)>>::type(text), Value<std::decay_t<decltype(held)>>::write(text, held);
        });
        if (!found) text.opaque = value.type().name();
    }
};

}  // namespace judge_values

#ifdef JUDGE_CHECK
namespace judge_tests {

template <> struct HoldsAnything<boost::any> : std::true_type {};

template <> struct Literal<boost::any> {
    static void put(Text& text) { text.put("boost::any"); }
    static void value(Text& text, const boost::any& value) {
        text.put("boost::any(");
        bool found = judge_values::with_any(value, [&](const auto& held) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(held)>, char*>) {
                Literal<std::decay_t<decltype(held)>>::value(text, held);
            }
        });
        if (!found && !value.empty()) refuse("they pass a boost::any that holds a value of type ", value.type().name());
        text.put(')');
    }
};

template <> struct Make<boost::any> {
    template <class T> static bool of(boost::any& made, const Node& held) {
        if (!has_type<T>(held)) return false;
        made = Make<T>::of(held);
        return true;
    }
    static boost::any of(const Node& node) {
        must_have_type<boost::any>(node);
        boost::any made;
        if (size_of(node) == 0) return made;
        const Node& held = item_of(node, 0);
        bool found = of<bool>(made, held) || of<char>(made, held) || of<short>(made, held) || of<int>(made, held) ||
                     of<unsigned>(made, held) || of<long>(made, held) || of<unsigned long>(made, held) ||
                     of<long long>(made, held) || of<float>(made, held) || of<double>(made, held) ||
                     of<String>(made, held) || of<const char*>(made, held) || of<std::vector<int>>(made, held) ||
                     of<std::vector<double>>(made, held) || of<std::vector<String>>(made, held);
        return found ? made : throw Malformed();
    }
};

}  // namespace judge_tests
#endif
