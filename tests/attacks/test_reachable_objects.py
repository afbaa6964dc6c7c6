"""Everything a script can reach is written down with the reason why it is safe: nothing is reached by oversight."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.attacks.reachable import Found, walk

LISTED = Path(__file__).with_name("reachable.txt")

NOT_YET = {
    *((kind, "is_integer") for kind in ("int", "class int", "bool", "class bool", "Fraction")),
    ("property", "__name__"),
    ("Union", "__name__"),
}
"""What only newer versions of Python have."""

Walked = tuple[dict[tuple[str, str], Found], dict[type, str], list[type]]


class Reviewed(NamedTuple):
    """What `reachable.txt` allows: attributes with kind and nature, and kinds of objects."""

    attributes: set[tuple[str, str, str]]
    kinds: set[str]


def reviewed() -> Reviewed:
    """Read the list; a function written in Python, and a kind, needs a reason of its own."""
    found = Reviewed(set(), set())
    for line in LISTED.read_text().splitlines():
        kind, *rest = line.split(" | ")
        if line.startswith("#"):
            continue
        if kind == "kinds":
            names, why = rest
            assert why, line
            found.kinds.update(names.split())
        elif len(rest) > 1:
            nature, names, *why = rest
            assert nature != "python" or (why and why[0].strip()), line
            found.attributes.update((kind, name, nature) for name in names.split())
    return found


@pytest.fixture(scope="module")
def walked() -> Walked:
    """One walk over everything."""
    return walk()


def test_every_attribute_that_a_script_can_read_was_reviewed(walked: Walked) -> None:
    """Each attribute of each kind of object stands on the list, with the nature of what it gives."""
    listed = reviewed().attributes
    new = [found for found in walked[0].values() if (found.kind, found.name, found.nature) not in listed]
    assert not new, "\n".join(f"{found.kind} | {found.nature} | {found.name} (by {found.path})" for found in new)


def test_every_kind_of_object_that_a_script_can_have_was_reviewed(walked: Walked) -> None:
    """Modules, frames, code, tracebacks, files and whatever else is not on the list are never met."""
    listed = reviewed().kinds
    errors = {kind for kind in walked[1] if issubclass(kind, BaseException)}
    new = {kind: path for kind, path in walked[1].items() if kind.__name__ not in listed and kind not in errors}
    assert not new
    assert len(walked[1]) > 100


def test_no_class_of_classes_is_in_reach(walked: Walked) -> None:
    """Whoever has one makes classes past the guards."""
    assert [kind for kind in walked[2] if issubclass(kind, type)] == []


def test_the_list_is_not_longer_than_what_is_reached(walked: Walked) -> None:
    """What is not reached any more goes from the list, so that it cannot come back unseen."""
    reached = {(found.kind, found.name) for found in walked[0].values()}
    listed = {(kind, name) for kind, name, _ in reviewed().attributes}
    assert listed - reached <= NOT_YET
