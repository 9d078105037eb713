// boost::any as data, for programs and tests that have it: a structure of no member, or of one, which is what it holds.
#pragma once
#include <boost/any.hpp>

#include "values.hpp"

namespace judge_values {

/// What programs put into an ``any``, by which ``Way`` is parameterised.
template <template <class...> class Way>
using OfHeld = Way<bool, char, short, int, unsigned, long, unsigned long, long long, float, double, String, const char*,
                   std::vector<int>, std::vector<double>, std::vector<String>>;

/// Calls ``use`` with what an ``any`` holds; ``false`` for a type that is none of those. A ``char*`` is one to constants.
template <class... A> struct Shown {
    template <class Use> static bool with(const boost::any& value, Use use) {
        bool found = false;
        auto tried = [&](const auto* one) {
            if (one) found = true, use(*one);
        };
        (tried(boost::any_cast<A>(&value)), ...);
        if (auto text = boost::any_cast<char*>(&value)) found = true, use(static_cast<const char*>(*text));
        return found;
    }
};
template <class Use> bool with_any(const boost::any& value, Use use) { return OfHeld<Shown>::with(value, use); }

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
            Literal<std::decay_t<decltype(held)>>::value(text, held);
        });
        if (!found && !value.empty()) refuse("they pass a boost::any that holds a value of type ", value.type().name());
        text.put(')');
    }
};

template <class... A> struct Made {
    static bool of(boost::any& made, const Node& held) { return (of_type<A>(made, held) || ...); }
    template <class T> static bool of_type(boost::any& made, const Node& held) {
        if (!has_type<T>(held)) return false;
        made = Make<T>::of(held);
        return true;
    }
};
template <> struct Make<boost::any> {
    static boost::any of(const Node& node) {
        must_have_type<boost::any>(node);
        boost::any made;
        return size_of(node) == 0 || judge_values::OfHeld<Made>::of(made, item_of(node, 0)) ? made : throw Malformed();
    }
};

}  // namespace judge_tests
#endif
