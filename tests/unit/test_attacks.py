"""Several hundred wrong programs: none is OK, none leaves anything, none harms what runs beside or after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from attacks import Attack
from attacks.field import ATTACKS, LANGUAGES, Aftermath, Host, fight, host
from attacks.python_world import NEEDS_NAMESPACES

from rewardranker.judge.languages import LANGUAGES as DEFINITIONS
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.judge.sandbox.process import NotStarted
from rewardranker.judge.sandbox.tiers import describe, record, strongest
from rewardranker.judge.strict import building
from rewardranker.problems.verdict import Verdict

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
#: Every attack is compiled, which takes most of the time.
_COMPILED = ("cpp", "csharp", "java", "typescript")
_ROUNDS = [
    pytest.param(
        language,
        slow,
        id=f"{language}-{'slow' if slow else 'quick'}",
        marks=[pytest.mark.slow] if slow or language in _COMPILED else [],
    )
    for language in LANGUAGES
    for slow in (False, True)
]


def possible_in(tier: str, attack: Attack) -> bool:
    """Whether a tier lets an attack succeed, and says so."""
    return tier == "C" and attack.name in NEEDS_NAMESPACES


@pytest.fixture(scope="module")
def there() -> Iterator[Host]:
    with host() as there:
        yield there


@pytest.fixture(scope="module")
def fought(there: Host) -> Iterator[Fought]:
    """The aftermath of all attacks of one language, which are run when the first test asks."""
    known: dict[tuple[str, bool], Aftermath | None] = {}

    def of(language: str, slow: bool) -> Aftermath:
        if strongest().tier == "D":
            pytest.skip(f"this machine has no sandbox: {describe(strongest())}")
        if language not in DEFINITIONS or toolchain(DEFINITIONS[language]).missing:
            pytest.skip(f"no tool-chain for {language}")
        key = (language, slow)
        if key not in known:
            known[key] = None
            mine = [attack for attack in ATTACKS if (attack.language, attack.slow) == key]
            known[key] = fight(there, [attack for attack in mine if not possible_in(strongest().tier, attack)])
        aftermath = known[key]
        assert aftermath is not None, (
            f"the judge gave up on the attacks of {language}, see the first test that failed"
        )
        return aftermath

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "BUILD_LIMITS", replace(building.BUILD_LIMITS, cpu_s=8.0, wall_s=40.0))
        yield of


def _parameters() -> list[object]:
    return [
        pytest.param(
            attack,
            id=f"{attack.language}-{attack.name}",
            marks=[pytest.mark.slow] if attack.slow or attack.language in _COMPILED else [],
        )
        for attack in ATTACKS
    ]


def test_there_are_enough_attacks_and_no_two_are_the_same() -> None:
    assert len({(attack.language, attack.code) for attack in ATTACKS}) == len(ATTACKS) >= 700
    assert len(set(ATTACKS)) == len(ATTACKS)
    assert len({attack.name for attack in ATTACKS}) >= 400
    assert set(LANGUAGES) >= set(DEFINITIONS)
    assert min(Counter(attack.language for attack in ATTACKS).values()) >= 50


@pytest.mark.parametrize("attack", _parameters())
def test_no_attack_is_ok(fought: Fought, attack: Attack) -> None:
    if possible_in(strongest().tier, attack):
        pytest.skip(f"this machine's sandbox does not hide that: {describe(strongest())}")
    result = fought(attack.language, attack.slow).attacks[attack]
    assert result.verdict in _ENDS, result
    if attack.compiles:  # else it was no attack at all
        assert result.verdict is not Verdict.COMPILE_ERROR, result


@pytest.mark.parametrize(("language", "slow"), _ROUNDS)
def test_right_programs_beside_attacks_and_after_them_are_ok(fought: Fought, language: str, slow: bool) -> None:
    aftermath = fought(language, slow)
    assert [result for result in aftermath.beside if result.verdict is not Verdict.OK] == []
    assert aftermath.beside and aftermath.afterwards.verdict is Verdict.OK


@pytest.mark.parametrize(("language", "slow"), _ROUNDS)
def test_nothing_is_left_and_nothing_got_out(fought: Fought, language: str, slow: bool) -> None:
    """No process, no file, no shared memory, no change of a tool-chain, no connection, no packet."""
    aftermath = fought(language, slow)
    assert aftermath.left == []
    assert aftermath.machinery == []


@pytest.mark.slow
@pytest.mark.parametrize("language", ["python", "bash"])
@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_weaker_sandboxes_hold_too(there: Host, tier: str, language: str) -> None:
    """Each tier that this machine can start, whichever it would choose."""
    try:
        record(tier)
    except NotStarted as error:
        pytest.skip(str(error))
    mine = [attack for attack in ATTACKS if attack.language == language and not attack.slow]
    aftermath = fight(there, [attack for attack in mine if not possible_in(tier, attack)], tier)
    unexpected = {attack.name: result for attack, result in aftermath.attacks.items() if result.verdict not in _ENDS}
    assert unexpected == {}
    assert {result.verdict for result in [*aftermath.beside, aftermath.afterwards]} == {Verdict.OK}
    assert aftermath.left == aftermath.machinery == []
