"""A script is given the large variables that it names, or all of them if it may look at all."""

from typing import Any

import pytest

from bpm.bpmn.compilation.script_names import named_variables
from bpm.bpmn.effects import RunScript
from tests.bpm.bpmn.player import Player, flows


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("result = 1", set[str]()),
        ("variables['a'] = variables.get('b', 1) + variables.setdefault('c', 2)", {"a", "b", "c"}),
        ("if 'a' in variables and 'b' not in variables: del variables['c']", {"a", "b", "c"}),
        ("[variables['a'] for _ in payload]\ndef f(): return variables.pop('b', None)", {"a", "b"}),
    ],
)
def test_names_in_so_many_letters_are_found(source: str, names: set[str]) -> None:
    assert named_variables(source) == names


@pytest.mark.parametrize(
    "source",
    ["x = variables", "variables[key]", "variables.items()", "variables.get(key)", "{**variables}", "f'{variables}'",
     "f(variables)", "variables |= {}", "variables.update(a=1)", "globals()", "eval('x')", "not Python at all"],
)  # fmt: skip
def test_any_other_use_may_look_at_all(source: str) -> None:
    assert named_variables(source) is None


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ("result = variables['order']", {"n": 1, "word": "a", "order": [1]}),
        ("result = len(variables)", {"n": 1, "word": "a", "order": [1], "text": "x" * 300}),
    ],
)
def test_large_values_that_a_script_cannot_name_do_not_travel(source: str, given: dict[str, Any]) -> None:
    """They are still there when it has run."""
    task = f'<startEvent id="s"/><scriptTask id="t"><script>{source}</script></scriptTask><endEvent id="e"/>'
    player = Player(task + flows("s > t > e")).start(n=1, word="a", order=[1], text="x" * 300)
    assert player.effect(RunScript).variables == given
    player.complete("t", 1, n=2)
    assert player.variables == {"n": 2, "word": "a", "order": [1], "text": "x" * 300, "lastScriptResult": 1}
