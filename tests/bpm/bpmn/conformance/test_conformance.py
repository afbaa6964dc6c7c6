"""Every case of the `*.cases` files beside this module: the model, its play, and what the standard asks for."""

from pathlib import Path

import pytest

from bpm.bpmn.effects import Completed
from tests.bpm.bpmn.conformance.notation import Case, read_cases, read_values
from tests.bpm.bpmn.player import Player

CASES = [case for path in sorted(Path(__file__).parent.glob("*.cases")) for case in read_cases(path)]


def play(player: Player, line: str) -> None:
    """Do what a line of a play says, or check what it states."""
    sign, _, rest = line.partition(" ")
    words = rest.split()
    if sign == "=":
        assert player.trace == words
    elif sign == "?":
        assert player.waiting == words
    elif sign == "!":
        assert player.status == rest
    elif sign == ":":
        assert eval(rest, {"__builtins__": {}}, {"true": True, "false": False, "null": None, **player.variables})  # noqa: S307
    elif sign == "start":
        player.start(**read_values(words))
    elif sign in ("message", "signal"):
        getattr(player, sign)(words[0], read_values(words[1:]))
    elif sign == "done":
        player.complete(words[0], read_values(words[1:]))
    elif sign == "choose":
        player.choose(words[0], *[word for word in words[1:] if word != "last"], is_last="last" in words)
    elif sign == "fail":
        player.fail(words[0], words[1] if words[1:] else None)
    elif sign == "later":
        player.later(**read_values(words))
    else:
        getattr(player, sign)(words[0], **read_values(words[1:]))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_model_behaves_as_the_standard_says(case: Case) -> None:
    """The play's statements hold, each at its moment."""
    first, *others = case.versions
    player = Player(first.body, first.head)
    for line in first.play:
        play(player, line)
    for version in others:
        lines = list(version.play)
        lacking = lines.pop(0).split()[1:] if lines[0].startswith("lacks ") else []
        assert player.migrate(version.body, version.head) == lacking
        for line in lines:
            play(player, line)
    if player.status == "COMPLETED":
        assert not player.open
        assert player.effect(Completed).variables == player.variables
