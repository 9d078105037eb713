"""Problems that need a library: judged where it is there; without a verdict, but with its name, where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from judging import need, problem

from rewardranker.judge import Judge
from rewardranker.judge.languages.libraries import LIBRARIES, Library, missing_library
from rewardranker.linear import pattern
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Verdict

OK, WRONG, NO_TOOLCHAIN = Verdict.OK, Verdict.WRONG, Verdict.NO_TOOLCHAIN
MD5 = "const f = (text) => {\n  return require('js-md5')(text)\n}\n"


def need_all(language: str, text: str = "") -> None:
    need(language)
    for library in LIBRARIES:
        if library.language == language and library.lacking(text):
            pytest.skip(f"{library.name} is absent: {library.install}")


def task(language: str, prompt: str, tests: str, name: str = "test/program") -> Problem:
    limits = Limits(cpu_s=4.0, wall_s=60.0, memory_mb=512)
    checks = (Test(tests),)
    return problem(
        "program", checks, id=name, language=language, entry_point="f", prompt=prompt, prefix=prompt, limits=limits
    )


@pytest.mark.parametrize(
    ("header", "name"), [("boost/no_such_header.hpp", "boost"), ("openssl/no_such_header.h", "OpenSSL")]
)
def test_headers_that_are_not_there(judge: Judge, header: str, name: str) -> None:
    need_all("cpp")
    prompt = f"# include <{header}>\nint f(int x) {{\n"
    [result] = judge.run([(task("cpp", prompt, "int main() { assert(f(1) == 1); }"), prompt + "return x; }")])
    assert result.verdict is NO_TOOLCHAIN
    assert f"needs {name} ({header}), which is not here: apt-get install" in result.message


def test_a_program_that_asks_for_a_header_of_its_own_does_not_compile(judge: Judge) -> None:
    need_all("cpp")
    prompt = "int f(int x) {\n"
    code = "#include <boost/no_such_header.hpp>\n" + prompt + "return x; }"
    [result] = judge.run([(task("cpp", prompt, "int main() { assert(f(1) == 1); }"), code)])
    assert result.verdict is Verdict.COMPILE_ERROR


def test_a_module_is_needed_by_the_solution_of_one_row_alone(judge: Judge) -> None:
    need_all("javascript")
    tests = "console.assert(f('password') === '5f4dcc3b5aa765d61d8327deb882cf99')"
    row, other = (task("javascript", "const f = (text) => {\n", tests, name) for name in ("humaneval_x/js/162", "x"))
    built_in = MD5.replace(
        "require('js-md5')(text)", "require('node:crypto').createHash('md5').update(text).digest('hex')"
    )
    found = judge.run([(row, MD5), (other, MD5), (row, built_in), (row, "const f = (text) => text")])
    there = not LIBRARIES[-1].lacking(MD5)
    assert found[0].verdict is (OK if there else NO_TOOLCHAIN), found[0]
    assert there or "needs js-md5 (js-md5), which is not here: npm install" in found[0].message
    assert found[1].verdict is (OK if there else Verdict.RUNTIME_ERROR)
    assert [one.verdict for one in found[2:]] == [OK, WRONG]


def test_where_it_is_looked_for(tmp_path: Path) -> None:
    library = Library("that", "cpp", pattern(r"use (\w+)"), (str(tmp_path / "a"), str(tmp_path / "b")), "get it")
    assert library.lacking("use this, use that") == "this"
    (tmp_path / "b" / "this").mkdir(parents=True)
    assert library.lacking("use this, use that") == "that"
    assert library.lacking("use this") == library.lacking("nothing") == ""


def test_another_machine_is_not_asked() -> None:
    prompt = "#include <openssl/md5.h>\nint f(int x) {\n"
    message = missing_library(task("cpp", prompt, ""), "", elsewhere=True)
    assert message == "problem test/program needs OpenSSL, which is not looked for on a remote machine"
    assert missing_library(task("cpp", "int f(int x) {\n", ""), prompt, elsewhere=True) == ""


ANY = (
    "#include<string>\n#include<list>\n#include<boost/any.hpp>\nusing namespace std;\n"
    "boost::any f(list<boost::any> xs, boost::any y){\n"
)
ANY_TESTS = (
    "#undef NDEBUG\n#include<assert.h>\nint main(){\n    assert (boost::any_cast<int>(f({1, 2.5}, 3)) == 3);\n"
    '    assert (boost::any_cast<string>(f({{}, string("a")}, string("b c"))) == "b c");\n'
    "    assert (boost::any_cast<double>(f({}, 0.1)) == 0.1);\n"
    "    assert (f({'x', 4L, \"t\", true}, {}).empty());\n}\n"
)


@pytest.mark.slow
def test_an_any_of_boost_s_is_data(judge: Judge) -> None:
    need_all("cpp", ANY)
    programs = [
        ("return y; }", OK),
        ("return 3; }", WRONG),
        ("return boost::any(); }", WRONG),
        ("return string(); }", WRONG),
        ("if (y.type() == typeid(int)) return (long)boost::any_cast<int>(y); return y; }", WRONG),
        ("if (xs.size() == 4 && boost::any_cast<long>(*next(xs.begin())) != 4) return 1; return y; }", OK),
        ("struct own {}; return own(); }", WRONG),
        ("exit(0); }", Verdict.RUNTIME_ERROR),
    ]
    row = task("cpp", ANY, ANY_TESTS)
    for found, (body, wanted) in zip(judge.run([(row, ANY + body) for body, _ in programs]), programs, strict=True):
        assert (found.verdict, found.level) == (wanted, "L2"), (body, found)


@pytest.mark.slow
def test_openssl_is_linked(judge: Judge) -> None:
    prompt = "#include<string>\n#include<openssl/md5.h>\nusing namespace std;\nint f(string text){\n"
    need_all("cpp", prompt)
    body = "unsigned char md[16];\nMD5((const unsigned char*)text.c_str(), text.size(), md);\nreturn md[0];\n}\n"
    row = task("cpp", prompt, '#include<assert.h>\nint main(){\n    assert (f("password") == 0x5f);\n}\n')
    assert [one.verdict for one in judge.run([(row, prompt + body), (row, prompt + "return 0; }")])] == [OK, WRONG]
    main = prompt.replace("int f(string text){", 'int main(){ string text = "password";') + body.replace(
        "return md[0];", 'printf("%d\\n", md[0]);'
    )
    stdio = problem("stdio", (Test("", "95\n"),), language="cpp", limits=row.limits)
    assert judge.run([(stdio, "#include <cstdio>\n" + main)])[0].verdict is OK
