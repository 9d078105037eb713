// Stands before the program: answers calls of its function, whose text stands after it, on the result stream.
#pragma once
#include "values.hpp"

namespace judge_values {

/// What a check compares the value with, or converts it to, by type alone: a value for which that is no C++ does not
/// compile, as it would not beside the check.
template <class T> struct Compared {
    using Kind = T;
    template <class R> static constexpr bool fits() {
        return sizeof(static_cast<bool>(std::declval<R>() == std::declval<const T&>())) > 0;
    }
};
template <class T> struct Converted {
    using Kind = T;
    template <class R> static constexpr bool fits() {
        static_assert(std::is_convertible_v<R, T>, "the function returns another type");
        return true;
    }
};

// The benchmark's untagged unions (members f0 to f3): the member of the kind that the value is compared with.
template <class T> struct MemberKind { using Of = T; };
template <> struct MemberKind<int> { using Of = long; };
template <> struct MemberKind<double> { using Of = float; };
template <> struct MemberKind<const char*> { using Of = String; };
template <std::size_t N> struct MemberKind<char[N]> { using Of = String; };
template <std::size_t N> struct MemberKind<const char[N]> { using Of = String; };

template <class Wanted, class Held> bool write_member(Text& types, Text& data, const Held& held, bool found) {
    if constexpr (std::is_same_v<Wanted, Held>) {
        if (!found) Value<Held>::type(types), Value<Held>::write(data, held);
        return true;
    }
    return found;
}
#define JUDGE_MEMBER(NAME)                                                                             \
    template <class Wanted, class U>                                                                   \
    auto write_##NAME(Text& types, Text& data, const U& whole, bool found, int)->decltype(whole.NAME, true) { \
        return write_member<Wanted>(types, data, whole.NAME, found);                                   \
    }                                                                                                  \
    template <class, class U> bool write_##NAME(Text&, Text&, const U&, bool found, long) { return found; }
JUDGE_MEMBER(f0)
JUDGE_MEMBER(f1)
JUDGE_MEMBER(f2)
JUDGE_MEMBER(f3)
#undef JUDGE_MEMBER

struct Anything {};
template <class Wanted, class R> void write_value(Text& types, Text& data, const R& value) {
    if constexpr (std::is_union_v<R>) {
        using Kind = typename MemberKind<Wanted>::Of;
        bool found = write_f0<Kind>(types, data, value, false, 0);
        found = write_f1<Kind>(types, data, value, found, 0);
        found = write_f2<Kind>(types, data, value, found, 0);
        if (!write_f3<Kind>(types, data, value, found, 0)) data.opaque = typeid(R).name();
    } else {
        Value<R>::type(types), Value<R>::write(data, value);
    }
}

/// The values of one answer: what was returned, then the arguments that the call may have changed.
struct Answer {
    Text values;
    const char* opaque = nullptr;

    void add(const Text& types, const Text& data);
    template <class Wanted, class R> void add(const R& value) {
        Text types, data;
        write_value<Wanted>(types, data, value);
        add(types, data);
    }
};

/// Stands behind a call and a comma: for a function that returns nothing, the language makes this the value.
struct Nothing {};
template <class R> R&& operator,(R&& value, const Nothing&) {
    return static_cast<R&&>(value);
}
template <> struct Value<Nothing> {
    static void type(Text& text) { text.put("void "); }
    static void write(Text&, const Nothing&) {}
};

template <class... Uses> struct First { using Kind = Anything; };
template <class Use, class... Uses> struct First<Use, Uses...> { using Kind = typename Use::Kind; };

template <class... Uses, class R> void returned(Answer& answer, R&& value) {
    static_assert((Uses::template fits<R>() && ... && true), "");
    answer.add<typename First<Uses...>::Kind>(value);
}
template <class T> void changed(Answer& answer, const T& value) {
    answer.add<Anything>(value);
}

using Call = void (*)(Answer&);

/// Makes the calls, and ends the process.
int answer_all(const char* nonce, const Call* calls, unsigned long count);

}  // namespace judge_values
