"""Tokens that an operator moves: what is closed, what begins, and what is refused."""

from collections.abc import Sequence
from typing import Any

import pytest

from bpm.bpmn.limits import EngineLimits
from bpm.bpmn.triggers import MoveTokens
from bpm.expressions import EvaluationError
from tests.bpm.bpmn.player import Player, flows

LINE = """<startEvent id="s"/><userTask id="a"/><userTask id="b"/><endEvent id="e"/>
<boundaryEvent id="late" attachedToRef="a"><timerEventDefinition><timeDuration>PT1H</timeDuration>
</timerEventDefinition></boundaryEvent>""" + flows("s > a > b > e", "late > e")
INNER = (
    """<startEvent id="s"/><subProcess id="sub"><startEvent id="is"/><userTask id="x"/><userTask id="y"/>
<endEvent id="ie"/>{inner}</subProcess><endEvent id="e"/>""".format(inner=flows("is > x > y > ie"))
    + flows("s > sub > e")
)
MANY = """<startEvent id="s"/><subProcess id="sub"><multiInstanceLoopCharacteristics><loopCardinality>{turns}
</loopCardinality></multiInstanceLoopCharacteristics><startEvent id="is"/><userTask id="x"/><userTask id="y"/>
<endEvent id="ie"/>{inner}</subProcess><userTask id="z"/><endEvent id="e"/>"""
FORK = """<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/><parallelGateway id="j"/>
<userTask id="c"/><endEvent id="e"/>""" + flows("s > f", "f > a > j", "f > b > j", "j > c > e")


def many(turns: int) -> str:
    """A sub-process that runs so many times at once."""
    return MANY.format(turns=turns, inner=flows("is > x > y > ie")) + flows("s > sub > z > e")


def move(player: Player, cancel: Sequence[str] = (), start: Sequence[str] = (), **variables: Any) -> Player:
    """Move tokens."""
    return player.send(MoveTokens(tuple(cancel), tuple(start), variables, "ada"))


def refusal(player: Player, cancel: Sequence[str] = (), start: Sequence[str] = ()) -> str:
    """The sentence with which a move is refused."""
    with pytest.raises(EvaluationError) as refused:
        move(player, cancel, start)
    return str(refused.value)


def test_a_token_goes_from_one_element_to_another() -> None:
    """What was open at the first is closed, its boundary events too, and the history says who did it."""
    player = move(Player(LINE).start(), ["a"], ["b"], ok=True)
    assert (player.waiting, player.variables) == (["b"], {"ok": True})
    (changed,) = [record for record in player.history if record.event == "changed"]
    assert changed.values == {"by": "ada", "cancelled": ["a"], "startedBefore": ["b"], "variables": {"ok": True}}
    assert "a terminated" in player.events
    assert player.do("b").status == "COMPLETED"


def test_a_token_goes_back_and_a_second_one_begins() -> None:
    """An element is begun as often as it is named."""
    player = Player(LINE).start().do("a")
    assert move(player, ["b"], ["a", "a"]).waiting == ["a", "a", "late", "late"]


def test_a_sub_process_is_left_with_all_inside_or_moved_within() -> None:
    """Its scope is the one that runs."""
    assert move(Player(INNER).start(), ["x"], ["y"]).do("y").status == "COMPLETED"
    assert move(Player(INNER).start(), ["sub"], ["sub"]).waiting == ["x"]
    assert move(Player(INNER).start(), ["sub"], ["e"]).status == "COMPLETED"


def test_every_turn_of_a_repeated_activity_is_cancelled() -> None:
    """Also those that are stored by themselves."""
    for turns in (3, 40):
        assert move(Player(many(turns)).start(), ["sub"], ["z"]).waiting == ["z"]


def test_an_incident_is_moved_away_from() -> None:
    """It is closed with its token."""
    player = Player('<startEvent id="s"/><scriptTask id="t"><script>1</script></scriptTask><userTask id="u"/>'
                    '<endEvent id="e"/>' + flows("s > t > u > e")).start().fail("t")  # fmt: skip
    moved = move(player, ["t"], ["u"])
    assert (moved.waiting, moved.status) == (["u"], "WAITING")


def test_what_can_not_be_moved_is_refused_whole() -> None:
    """With the reason; nothing is changed."""
    player = Player(LINE).start()
    assert refusal(player, ["b"]) == "no token rests at 'b'"
    assert "no token would be left" in refusal(player, ["a"])
    assert refusal(player, ["a"], ["nowhere"]) == "the process has no element 'nowhere'"
    assert "no sequence flow leads to 'late'" in refusal(player, ["a"], ["late"])
    assert "'j' joins several flows" in refusal(Player(FORK).start(), ["a"], ["j"])
    assert "no token would be left in 'sub'" in refusal(Player(INNER).start(), ["x"])
    assert "'sub' runs 0 times" in refusal(Player(INNER).start(), ["sub"], ["y"])
    assert "'sub' is repeated" in refusal(Player(many(3)).start(), [], ["y"])
    assert "BPM_PROCESSES__MAX_TOKENS" in refusal(
        Player(LINE, limits=EngineLimits(max_tokens=3)).start(), [], ["b"] * 5
    )
    assert player.waiting == ["a", "late"]


def test_an_ended_instance_is_not_moved() -> None:
    """It has no tokens."""
    player = Player(LINE).start().do("a").do("b")
    assert move(player, [], ["a"]).ignored == "the instance is COMPLETED"


def begun_in_hoc(ordering: str, *begun: str) -> Player:
    """A player of a process in whose ad hoc sub-process some of a, c and, behind a, b were begun."""
    inner = '<userTask id="a"/><userTask id="b"/><userTask id="c"/>' + flows("a > b")
    around = f'<startEvent id="s"/><adHocSubProcess id="hoc" ordering="{ordering}">{inner}</adHocSubProcess>'
    return Player(around + '<userTask id="z"/>' + flows("s > hoc > z")).start().choose("hoc", *begun)


def test_an_ad_hoc_sub_process_waits_on_when_its_last_token_is_moved_away() -> None:
    """It ends only as somebody says; what waits for its turn there begins."""
    player = begun_in_hoc("Parallel", "a")
    assert move(player, ["a"]).waiting == ["hoc"]
    player = begun_in_hoc("Sequential", "a", "c")
    assert move(player, ["a"]).waiting == ["c", "hoc"]


def test_a_token_is_put_into_an_ad_hoc_sub_process_as_its_ordering_allows() -> None:
    """What no flow leads to is begun by its own command."""
    assert sorted(move(begun_in_hoc("Parallel", "a"), [], ["b"]).waiting) == ["a", "b", "hoc"]
    sentence = refusal(begun_in_hoc("Parallel", "a"), [], ["c"])
    assert "is begun in its ad hoc sub-process by ActivateAdHocActivitiesCommand" in sentence
    one = begun_in_hoc("Sequential", "a")
    assert "one activity runs at a time around 'b'" in refusal(one, [], ["b"])
    assert move(one, ["a"], ["b"]).waiting == ["b", "hoc"]
