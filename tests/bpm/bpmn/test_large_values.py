"""Large values are read when somebody asks for them, in whatever way, and are never met as what stands for them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bpm.bpmn import Instance
from bpm.bpmn.large import Large, LargeKey, LargeValues, is_large
from bpm.bpmn.unloaded import PartLoader
from bpm.bpmn.view import LargeView
from bpm.exact_json import write_json
from tests.bpm.bpmn.player import NOON


class ShelfOfOne(PartLoader):
    """Holds one large value, and counts how often it was read."""

    def __init__(self) -> None:
        self.reads = 0

    def turns(self, body: int | None) -> list[Mapping[str, Any]]:
        raise NotImplementedError

    def item(self, body: int, index: int) -> None:
        raise NotImplementedError

    def outputs(self, body: int) -> dict[int, Any]:
        raise NotImplementedError

    def large(self, key: LargeKey) -> str:
        self.reads += 1
        assert key == (7, 0)
        return "large"


def held(part_loader: ShelfOfOne) -> dict[str, Any]:
    return {"a": 1, "big": Large(LargeKey(7, 0), 7, False, part_loader)}


def as_values(part_loader: ShelfOfOne) -> LargeValues:
    return LargeValues(held(part_loader))


def as_view(part_loader: ShelfOfOne) -> LargeView:
    return LargeView(held(part_loader), NOON)


def updated(values: LargeValues) -> dict[str, Any]:
    target: dict[str, Any] = {}
    target.update(values)
    return target


def joined(values: LargeValues) -> dict[str, Any]:
    nothing: dict[str, Any] = {}
    return nothing | values | nothing


READERS: dict[str, Callable[[LargeValues], dict[str, Any]]] = {
    "item": lambda it: {"a": it["a"], "big": it["big"]},
    "get": lambda it: {"a": it.get("a"), "big": it.get("big")},
    "dict": dict,
    "unpacked": lambda it: {**it},
    "joined": joined,
    "updated": updated,
    "copy": lambda it: it.copy(),
    "items": lambda it: dict(it.items()),
    "values": lambda it: dict(zip(it, it.values(), strict=True)),
    "comprehension": lambda it: {name: it[name] for name in it},
    "equal": lambda it: {"a": 1, "big": "large"} if it == {"a": 1, "big": "large"} else {},
    "called with": lambda it: dict(**it),
}


@pytest.mark.parametrize("of", [as_values, as_view])
@pytest.mark.parametrize("reader", READERS)
def test_every_way_of_reading_gives_the_value(reader: str, of: Callable[[ShelfOfOne], LargeValues]) -> None:
    part_loader = ShelfOfOne()
    read = READERS[reader](of(part_loader))
    assert (type(read), read, part_loader.reads) == (dict, {"a": 1, "big": "large"}, 1)


@pytest.mark.parametrize("of", [as_values, as_view])
def test_looking_for_names_reads_nothing(of: Callable[[ShelfOfOne], LargeValues]) -> None:
    part_loader = ShelfOfOne()
    values = of(part_loader)
    assert ("big" in values, len(values), list(values), values["a"]) == (True, 2, ["a", "big"], 1)
    assert (is_large(values, "big"), is_large(values, "a")) == (True, False)
    assert part_loader.reads == 0


def test_a_view_made_of_a_view_reads_nothing_but_what_is_asked_for() -> None:
    part_loader = ShelfOfOne()
    view = as_view(part_loader).within({"a": 2}).with_scripts([5])
    assert (view["a"], view.scripts, part_loader.reads) == (2, [5], 0)
    assert (view["big"], view["variables"]) == ("large", {"a": 2, "big": "large"})


def test_what_stands_for_a_value_is_never_written_as_one() -> None:
    with pytest.raises(ValueError, match="Large"):
        write_json(as_values(ShelfOfOne()))


def test_a_state_names_its_large_values_and_keeps_the_order_of_names() -> None:
    part_loader = ShelfOfOne()
    instance = Instance(has_large=True)
    instance.variables[0] = {"big": Large(LargeKey(7, 0), 7, True, part_loader), "a": 1}
    text = instance.to_json()
    again = Instance.from_json(text, part_loader)
    assert (part_loader.reads, '"g":[[0,"big",7,0,7,true]]' in text) == (0, True)
    assert (again, again.large_rows()) == (instance, [[0, "big", 7, 0, 7, True]])
    assert list(dict(again.root_variables).items()) == [("big", "large"), ("a", 1)]
