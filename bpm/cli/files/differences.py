"""Shows a plan to people: what is created, changed and deleted, line by line."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, cast

SIGNS = {"create": "+", "update": "~", "delete": "-"}


def lines_of_plan(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that tell a plan."""
    for change in plan["changes"]:
        yield f"{SIGNS[change['action']]} {change['kind']} {change['key']}"
        if change["action"] == "update":
            for field in change["fields"]:
                yield from _lines_of_field(field["field"], field["before"], field["after"])
    counts = {action: sum(change["action"] == action for change in plan["changes"]) for action in SIGNS}
    told = ", ".join(f"{count} to {action}" for action, count in counts.items() if count)
    yield f"{told or 'no difference'}, {plan['unchanged']} unchanged"


def _lines_of_field(name: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        old, new = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
        for inner in dict.fromkeys([*old, *new]):
            if old.get(inner) != new.get(inner):
                yield from _lines_of_field(f"{name}.{inner}", old.get(inner), new.get(inner))
    elif isinstance(before, str) and isinstance(after, str) and "\n" in before + after:
        yield f"    {name}:"
        lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))
        yield from (f"      {line}" for line in lines[2:] or [_ends_of_lines(before, after)])
    else:
        yield f"    {name}: {_shown(before)} -> {_shown(after)}"


def _ends_of_lines(before: str, after: str) -> str:
    """Say how texts differ whose lines are the same."""
    if ("\r" in before) == ("\r" in after):
        return "only the ends of lines differ"
    was, is_ = ("CRLF" if "\r" in text else "LF" for text in (before, after))
    return f"only the ends of lines differ: {was} -> {is_}"


def _shown(value: Any) -> str:
    from bpm.exact_json import write_json

    if value is None:
        return "nothing"
    return write_json(value).decode()
