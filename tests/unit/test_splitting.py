"""A compiled language's trusted tests taken apart, and its comparisons of values."""

from __future__ import annotations

from typing import Any

import pytest

from rewardranker.errors import UserError
from rewardranker.judge.child.wire import WireError
from rewardranker.judge.languages.splitting import Demand, Dialect, Side, Split, split, together
from rewardranker.judge.languages.typed_values import holds

JAVA = Dialect("assert", ("Problem", "Solution"), "Problem")


def taken_apart(body: str, members: str = "") -> Split:
    return split(f"    }}\n{members}    public static void main(String[] args) {{\n{body}\n    }}\n\n}}\n"[5:], JAVA)


def sides(check: str) -> tuple[str, list[tuple[str, bool]]]:
    """The form of a check, and its sides with whether they run the program."""
    (demand,) = taken_apart(check).demands
    return demand.form, [(side.text, side.program) for side in demand.sides]


@pytest.mark.parametrize(
    ("check", "form", "expected"),
    [
        ("assert(f((1l)) == (3l));", "==", [("Problem.f((1l))", True), ("(3l)", False)]),
        ("assert(3 != f(1));", "!=", [("3", False), ("Problem.f(1)", True)]),
        ('assert(f("a==b)").equals(("c.equals(d)")));', "same", [('Problem.f("a==b)")', True), ('("c.equals(d)")', False)]),
        ("assert(!f(1).equals(2));", "other", [("Problem.f(1)", True), ("2", False)]),
        ("assert(!(f(1) == 2));", "!=", [("Problem.f(1)", True), ("2", False)]),
        ("assert f(1) == 2 : \"no: it is\";", "==", [("Problem.f(1)", True), ("2", False)]),
        ("assert (f(1)) == (2);", "==", [("(Problem.f(1))", True), ("(2)", False)]),
        ("assert(f(1));", "true", [("Problem.f(1)", True)]),
        ("assert(!f(1));", "true", [("!Problem.f(1)", True)]),
        ("assert(f(1).isEmpty());", "true", [("Problem.f(1).isEmpty()", True)]),
        ("assert(new Problem().f(1).get().isEmpty());", "true", [("new Problem().f(1).get().isEmpty()", True)]),
        ("assert(f(1).size() > 3);", ">", [("Problem.f(1).size()", True), ("3", False)]),
        ("assert(Math.abs(f(1) - 2.5) < 1e-6);", "near<", [("Problem.f(1)", True), ("2.5", False), ("1e-6", False)]),
        ("assert(Math.abs(-2.5 - f(-1)) <= 1e-6);", "near<=", [("-2.5", False), ("Problem.f(-1)", True), ("1e-6", False)]),
        ("assert(Objects.equals(f(1, 2), null));", "same", [("Problem.f(1, 2)", True), ("null", False)]),
        ("assert(Arrays.equals(f(1), new int[] {1, 2}));", "same", [("Problem.f(1)", True), ("new int[] {1, 2}", False)]),
        ("assert(g(f(1)).equals(1));", "same", [("Problem.g(Problem.f(1))", True), ("1", False)]),
        ("assert(f(a -> a == 1) == 2);", "==", [("Problem.f(a -> a == 1)", True), ("2", False)]),
    ],
)  # fmt: skip
def test_checks(check: str, form: str, expected: list[tuple[str, bool]]) -> None:
    assert sides(check) == (form, expected)


@pytest.mark.parametrize(
    "body",
    [
        "assert(Helper.close(f(1), 2.5));",  # what is expected would be in the program's process
        "assert(close(f(1), 2.5));",
        "assert(f(1).contains(3));",
        "assert(f(1) == 1 || f(1) == 2);",
        "assert(f(1) == 1 ? f(2) == 2 : f(3) == 3);",
        "for (int i = 0; i < 3; i++) { assert(f(i) == i); }",
        "if (x) assert(f(1) == 1);",
        "List<Long> a = new ArrayList<>(); assert(f(a).equals(a));",
        "assert(1 == 1);",
        "f(1);",
        "",
    ],
)
def test_checks_that_values_do_not_tell_are_refused(body: str) -> None:
    with pytest.raises(UserError):
        taken_apart(body, "    static boolean close(double a, double b) { return true; }\n")


def test_joined_demands_are_checks_of_their_own() -> None:
    found = taken_apart("assert(f(1) == 2 && !f(2) && f(3).equals(4));")
    assert [demand.form for demand in found.demands] == ["==", "true", "same"]


def test_conditions_in_a_list_are_checks() -> None:
    found = taken_apart(
        'Solution s = new Solution();\nList<Boolean> correct = Arrays.asList(\n    s.f(1, 2) == 3,\n    !s.g("a, b"),\n'
        "    s.h(new int[] {1, 2}).equals(Arrays.asList(2, 1)), Math.abs(s.m(2) - 0.5) < 1e-6);\n"
        "if (correct.contains(false)) {\n    throw new AssertionError();\n}"
    )
    assert [demand.form for demand in found.demands] == ["==", "true", "same", "near<"]
    assert [[side.program for side in demand.sides] for demand in found.demands] == [
        [True, False], [True], [True, False], [True, False, False],
    ]  # fmt: skip
    assert [part.text.strip() for part in found.parts if part.number < 0] == ["Solution s = new Solution();"]


def test_what_the_program_may_have_changed_is_evaluated_beside_it() -> None:
    found = taken_apart(
        "ArrayList<Long> in = new ArrayList<>(); in.add(3l);\nArrayList<Long> out = new ArrayList<>(List.of(4l));\n"
        'String name = "x";\nassert(f(in, name).equals(out));\nassert(in.equals(name));\n'
        "assert(g(name).equals(name));\n"
        "long left = f(1);\nassert(left == 3);"
    )
    assert [[side.program for side in demand.sides] for demand in found.demands] == [
        [True, False], [True, False], [True, False], [True, False],
    ]  # fmt: skip
    statements = [part for part in found.parts if part.number < 0]
    assert [(part.program, part.trusted) for part in statements] == [
        (True, True),  # what is passed
        (True, True),
        (False, True),  # what is expected: not where the program is
        (True, True),  # both
        (True, False),  # what the program computes
    ]


def test_members_go_where_they_are_mentioned() -> None:
    members = "    static long limit() { return 12345; }\n"
    expected = taken_apart("assert(f(1) == limit());", members)
    assert expected.around(True) == ("", "") and "12345" in expected.around(False)[0]
    passed = taken_apart("assert(f(limit()) == 1);", members)
    assert "12345" in passed.around(True)[0] and passed.around(False) == ("", "")


LONG = {"long": 3}


@pytest.mark.parametrize(
    ("form", "values", "expected"),
    [
        ("==", [LONG, LONG], True),
        ("==", [{"int": 3}, LONG], True),
        ("same", [{"int": 3}, LONG], False),
        ("==", [{"char": 51}, {"int": 51}], True),
        ("==", [{"double": "0.1"}, {"float": "0.10000000149011612"}], False),
        ("==", [{"float": "0.10000000149011612"}, {"float": "0.10000000149011612"}], True),
        ("==", [{"float": "16777216.0"}, {"int": 16777217}], True),
        ("==", [{"double": "16777216.0"}, {"int": 16777217}], False),
        ("==", [{"double": "9007199254740992.0"}, {"long": 9007199254740993}], True),
        ("==", [{"float": "9007199791611904.0"}, {"long": 9007199523176449}], True),  # rounded once
        ("==", [{"double": "NaN"}, {"double": "NaN"}], False),
        ("!=", [{"double": "NaN"}, {"double": "NaN"}], True),
        ("same", [{"double": "NaN"}, {"double": "NaN"}], True),
        ("==", [{"double": "-0.0"}, {"double": "0.0"}], True),
        ("same", [{"double": "-0.0"}, {"double": "0.0"}], False),
        ("==", [{"decimal": "1.10"}, {"decimal": "1.1"}], True),
        ("<", [{"int": 3}, {"double": "3.5"}], True),
        ("<", [{"bool": True}, LONG], False),
        ("near<", [{"double": "0.3"}, {"double": "0.30000001"}, {"double": "1e-6"}], True),
        ("near<", [{"double": "NaN"}, {"double": "1.0"}, {"double": "1e-6"}], False),
        ("near<", [None, {"double": "1.0"}, {"double": "1e-6"}], False),
        ("true", [{"bool": True}], True),
        ("true", [True], False),
        ("true", [{"bool": 1}], False),
        ("same", [None, None], True),
        ("same", ["a", "a"], True),
        ("same", ["3", LONG], False),
        ("same", [{"list": [LONG, "a"]}, {"list": [LONG, "a"]}], True),
        ("same", [{"list": ["a", LONG]}, {"list": [LONG, "a"]}], False),
        ("same", [{"set": ["a", LONG]}, {"set": [LONG, "a"]}], True),
        ("same", [{"set": ["a", "a", LONG]}, {"set": [LONG, "a"]}], False),
        ("same", [{"map": [{"entry": ["a", None]}]}, {"map": [{"entry": ["a", None]}]}], True),
        ("same", [{"opaque": "Foo"}, {"opaque": "Foo"}], False),
        ("other", [{"opaque": "Foo"}, None], True),
        ("same", [{"long": True}, {"long": 1}], False),
        ("==", [{"long": True}, {"long": 1}], False),
        ("==", [{"long": "3"}, LONG], False),
        ("==", [{"double": "x"}, {"double": "1.0"}], False),
        ("same", [{"long": 3, "int": 3}, LONG], False),
        ("same", [[LONG], {"list": [LONG]}], False),
    ],
)  # fmt: skip
def test_comparisons(form: str, values: list[Any], expected: bool) -> None:
    assert holds(form, values, zeros_differ=True) is expected


def test_a_process_that_sends_another_number_of_values_is_found_out() -> None:
    demand = Demand("", "==", (Side("Problem.f()", True), Side("3", False)))
    assert together(demand, [LONG], [{"int": 3}]) == [LONG, {"int": 3}]
    for sent in ([], [LONG, LONG], None, "x", {"long": 3}):
        with pytest.raises(WireError):
            together(demand, sent, [{"int": 3}])
