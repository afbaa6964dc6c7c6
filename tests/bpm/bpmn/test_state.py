"""The state's JSON, and what scripts changed."""

import pytest
from pydantic_core import PydanticSerializationError

from bpm.bpmn import Instance, Status, changes
from bpm.bpmn.state import Caller, Done, Scope, Token, Wait


def test_a_state_survives_its_json() -> None:
    """Every kind of record comes back equal, odd variables included."""
    instance = Instance(
        status=Status.ERROR,
        version=3,
        counter=9,
        scopes={0: Scope(), 4: Scope("sub", 1, 0)},
        active={0: 1, 4: 1},
        variables={0: {"größe": 10**30, "text": '\u2028\n"', "list": [1, 2.5, None, {"a": True}]}, 4: {}},
        tokens={1: Token(1, "sub", 0), 5: Token(5, "t", 4, "f1")},
        waits={6: Wait(6, "incident", "t", 5, 2, ["complete", {"a": 1}, {}])},
        done={0: (Done("t", {}, []), Done("sub", {"a": 1}, [Done("u", {}, [])]))},
        caller=Caller(["E1", None], []),
    )
    again = Instance.from_json(instance.to_json())
    assert again == instance
    assert isinstance(again.waits[6], Wait)
    assert again.status is Status.ERROR


def test_a_copy_is_independent() -> None:
    """Changing a copy's records leaves the original alone."""
    instance = Instance()
    copy = instance.copy()
    copy.tokens[1] = Token(1, "a", 0)
    copy.active[0] = 1
    assert instance == Instance()


def test_what_is_not_json_cannot_be_stored() -> None:
    """A value that came from elsewhere than JSON is an error at once, not a surprise later."""
    with pytest.raises(PydanticSerializationError):
        Instance(variables={0: {"a": object()}}).to_json()


def test_changes_are_new_changed_and_deleted_variables() -> None:
    """Values equal in Python but different in JSON count as changed."""
    before = {"same": [1], "number": 1, "gone": 5, "deep": {"a": 1}}
    after = {"same": [1], "number": True, "deep": {"a": 2}, "new": "x"}
    assert changes(before, after) == {"number": True, "deep": {"a": 2}, "new": "x", "gone": None}


def test_a_state_of_an_earlier_version_is_read() -> None:
    """What was not known then is empty."""
    old = '{"s":"WAITING","v":1,"n":2,"x":[[0,null,null,null,null,1,{}]],"t":[[1,"t",0,"f"]],'
    old += '"w":[[2,"user","t",1,1,null]]}'
    instance = Instance.from_json(old)
    assert (instance.beside, instance.locals, instance.to_json()) == ({}, {}, old)
