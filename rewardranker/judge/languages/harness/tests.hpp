// Trusted tests against a stand-in for the program's function. Without arguments the tests are recorded: the calls that
// they make are written to descriptor 3. With the argument "check" the stand-in returns what the program did (standard
// input), and every check of the tests is done by the tests' own code, in a process that holds no program. Where they make
// another call than the recorded one, they are recorded from there on, and the exit status is 4.
#pragma once
#include "answered.hpp"

extern "C" int __real_main(int, char**);

namespace judge_tests {

/// Whether answers are checked, or calls recorded.
bool is_checking();
/// Of a call: that its value is compared with, or converted to, the type of that name.
void note(unsigned long call, const char* how, const Text& name);
/// The arguments of a call. Each is passed as an object that the call may change ("l"), as one that it may not ("c"), or
/// as a value ("r"); an expression for it, and its type, follow.
struct Arguments : Text {
    void add(char how, const Text& literal, const Text& type);
};
/// Notes a call, or takes what the program has answered to it; gives its number.
unsigned long made(bool copied, const Arguments& arguments);
/// Part 0 is what the call returned, the others are the arguments "l" after it; null where it was not answered.
const Node* answer_to(unsigned long call, unsigned long part);
/// What a check came to.
void checked(bool right, const char* text);

/// ``T`` is a type that the program knows too, where its name is the language's own.
template <class T> void note(unsigned long call, const char* how) {
    Text name;
    Literal<T>::put(name);
    note(call, how, name);
}

template <class T> constexpr bool is_object = !std::is_array_v<T> && !std::is_enum_v<T> && !std::is_pointer_v<T>;

template <class A> void argument(Arguments& all, A&& value) {
    using T = std::remove_reference_t<A>;
    Text type, literal;
    Literal<std::remove_cv_t<T>>::put(type);
    Literal<std::remove_cv_t<T>>::value(literal, value);
    bool object = std::is_lvalue_reference_v<A> && is_object<T>;
    all.add(!object ? 'r' : std::is_const_v<T> ? 'c' : 'l', literal, type);
}

template <class A> void change(unsigned long call, unsigned long& part, A&& value) {
    using T = std::remove_reference_t<A>;
    if constexpr (std::is_lvalue_reference_v<A> && is_object<T> && !std::is_const_v<T>) {
        const Node* node = answer_to(call, part++);
        if constexpr (std::is_copy_assignable_v<T>) {
            if (node) value = Make<T>::of(*node);
        }
    }
}

template <class... A> unsigned long call(bool copied, A&&... values) {
    Arguments all;
    (argument<A>(all, static_cast<A&&>(values)), ...);
    unsigned long number = made(copied, all), part = 1;
    (change<A>(number, part, static_cast<A&&>(values)), ...);
    return number;
}

inline const Node& value_of(unsigned long call) {
    const Node* node = answer_to(call, 0);
    return node ? *node : throw Unanswered();
}
template <class R> R converted(unsigned long call) {
    note<R>(call, "Converted");
    if (!is_checking()) return Dummy<R>::of();
    return Make<R>::of(value_of(call));
}

struct Unknown {};

/// Stands for what a call returned.
template <class R> struct Proxy {
    unsigned long call;

    operator R() const { return converted<R>(call); }
};
template <> struct Proxy<Unknown> {
    unsigned long call;
};
template <class R> struct Literal<Proxy<R>> {
    static void put(Text& text) { own_name<Proxy<R>>(text); }
    static void value(Text&, const Proxy<R>&) { refuse("they pass to a call what another one returned"); }
};
template <class T> struct IsProxy : std::false_type {};
template <class R> struct IsProxy<Proxy<R>> : std::true_type {};

template <class R, class T> bool equals(const Proxy<R>& proxy, const T& value) {
    note<T>(proxy.call, "Compared");
    return is_checking() && same(value_of(proxy.call), value);
}
template <class R, class T, class = std::enable_if_t<!IsProxy<T>::value>>
bool operator==(const Proxy<R>& proxy, const T& value) {
    return equals(proxy, value);
}
template <class R, class T, class = std::enable_if_t<!IsProxy<T>::value>>
bool operator==(const T& value, const Proxy<R>& proxy) {
    return equals(proxy, value);
}
template <class R, class T, class = std::enable_if_t<!IsProxy<T>::value>>
bool operator!=(const Proxy<R>& proxy, const T& value) {
    return !equals(proxy, value);
}
template <class R, class T, class = std::enable_if_t<!IsProxy<T>::value>>
bool operator!=(const T& value, const Proxy<R>& proxy) {
    return !equals(proxy, value);
}
template <class R> bool operator==(const Proxy<R>& left, const Proxy<R>& right) {
    return converted<R>(left.call) == converted<R>(right.call);
}
template <class R> bool operator!=(const Proxy<R>& left, const Proxy<R>& right) { return !(left == right); }

/// Of a type that would take the stand-in itself for what it is to hold.
template <class R> struct HoldsAnything : std::false_type {};

#ifdef JUDGE_PLAIN
template <class R> R result(unsigned long call) { return converted<R>(call); }
#else
template <class R> auto result(unsigned long call) {
    if constexpr (HoldsAnything<R>::value) {
        return converted<R>(call);
    } else {
        return Proxy<R>{call};
    }
}
#endif

/// The stand-in for a function of type ``F`` (``void``: of a type that is not known).
struct Copied {
    bool copied = false;
    Copied() = default;
    Copied(const Copied&) : copied(true) {}
};
template <class F> struct Entry;
template <class R, class... P> struct Entry<R(P...)> : Copied {
    static auto done(unsigned long call) {
        if constexpr (!std::is_void_v<R>) return result<std::decay_t<R>>(call);
    }
    template <class... A> auto operator()(A&&... values) { return done(judge_tests::call<A...>(copied, static_cast<A&&>(values)...)); }
    /// For braced lists, which have no type of their own.
    auto operator()(P... values) const { return done(judge_tests::call<P...>(copied, static_cast<P&&>(values)...)); }
};
template <class R, class... P> struct Entry<R(P...) noexcept> : Entry<R(P...)> {};
template <> struct Entry<void> : Copied {
    template <class... A> auto operator()(A&&... values) {
        return Proxy<Unknown>{judge_tests::call<A...>(copied, static_cast<A&&>(values)...)};
    }
};

}  // namespace judge_tests

// What assert(...) in the tests becomes.
#define JUDGE_CHECK(...)                                                     \
    do {                                                                     \
        try {                                                                \
            judge_tests::checked((__VA_ARGS__) ? true : false, #__VA_ARGS__); \
        } catch (const judge_tests::Unanswered&) {                           \
            judge_tests::checked(false, "not answered");                     \
        } catch (...) {                                                      \
            judge_tests::checked(false, #__VA_ARGS__);                       \
        }                                                                    \
    } while (0)
