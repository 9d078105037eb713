"""Several hundred wrong programs: none is OK, none leaves anything, none harms what runs beside or after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest
from attacks import Attack
from attacks.field import ATTACKS, LANGUAGES, Aftermath, Host, fight, host

from rewardranker.execution.judge import sandbox_description
from rewardranker.execution.languages import LANGUAGES as DEFINITIONS
from rewardranker.execution.languages.toolchain import toolchain
from rewardranker.execution.strict import recipes
from rewardranker.execution.verdict import Verdict

Fought = Callable[[str, bool], Aftermath]
#: What an attack may end in. INFRA is not among them: that a program can break the judge is a fault of ours.
_ENDS = {
    Verdict.WRONG,
    Verdict.RUNTIME_ERROR,
    Verdict.COMPILE_ERROR,
    Verdict.TIMEOUT,
    Verdict.MEMORY,
    Verdict.OUTPUT_LIMIT,
    Verdict.TAMPERED,
}
_SPEEDS = [pytest.param(False, id="quick"), pytest.param(True, id="slow", marks=pytest.mark.slow)]


@cache
def has_walls() -> bool:
    """Whether this machine's sandbox promises to hide the host's files and network."""
    return "no namespaces" not in sandbox_description()


@pytest.fixture(scope="module")
def there() -> Iterator[Host]:
    with host() as there:
        yield there


@pytest.fixture(scope="module")
def fought(there: Host) -> Iterator[Fought]:
    """The aftermath of all attacks of one language, which are run when the first test asks."""
    known: dict[tuple[str, bool], Aftermath] = {}

    def of(language: str, slow: bool) -> Aftermath:
        if language not in DEFINITIONS or toolchain(DEFINITIONS[language]).missing:
            pytest.skip(f"no tool-chain for {language}")
        if (language, slow) not in known:
            mine = [attack for attack in ATTACKS if (attack.language, attack.slow) == (language, slow)]
            known[language, slow] = fight(there, [attack for attack in mine if has_walls() or not attack.outward])
        return known[language, slow]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "BUILD_LIMITS", replace(recipes.BUILD_LIMITS, cpu_s=8.0, wall_s=40.0))
        yield of


def _parameters() -> list[object]:
    return [
        pytest.param(attack, id=f"{attack.language}-{attack.name}", marks=[pytest.mark.slow] if attack.slow else [])
        for attack in ATTACKS
    ]


def test_there_are_enough_attacks_and_no_two_are_the_same() -> None:
    assert len({(attack.language, attack.code) for attack in ATTACKS}) == len(ATTACKS) >= 700
    assert len(
        {(attack.language, attack.name, attack.task, attack.slow, attack.outward) for attack in ATTACKS}
    ) == len(ATTACKS)
    assert len({attack.name for attack in ATTACKS}) >= 400
    assert set(LANGUAGES) >= set(DEFINITIONS)
    assert min(Counter(attack.language for attack in ATTACKS).values()) >= 50


@pytest.mark.parametrize("attack", _parameters())
def test_no_attack_is_ok(fought: Fought, attack: Attack) -> None:
    if attack.outward and not has_walls():
        pytest.skip("this machine's sandbox does not promise to hide the host: " + sandbox_description())
    result = fought(attack.language, attack.slow).attacks[attack]
    assert result.verdict in _ENDS, result
    if attack.compiles:  # else it was no attack at all
        assert result.verdict is not Verdict.COMPILE_ERROR, result


@pytest.mark.parametrize("slow", _SPEEDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_right_programs_beside_attacks_and_after_them_are_ok(fought: Fought, language: str, slow: bool) -> None:
    aftermath = fought(language, slow)
    assert [result for result in aftermath.beside if result.verdict is not Verdict.OK] == []
    assert aftermath.beside and aftermath.afterwards.verdict is Verdict.OK


@pytest.mark.parametrize("slow", _SPEEDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_and_nothing_got_out(fought: Fought, language: str, slow: bool) -> None:
    """No process, no file, no shared memory, no change of a tool-chain, no connection, no packet."""
    aftermath = fought(language, slow)
    assert aftermath.left == []
    assert aftermath.machinery == []
